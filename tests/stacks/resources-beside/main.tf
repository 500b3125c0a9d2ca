# Seen around many public services: a web ACL on the load balancer, CloudFront in front of it, monitoring of browsers, a chat
# that is told of deployments. The service needs none of them to be deployed.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

locals {
  name = "gallery"
}

module "lambda" {
  source = "../../.."

  app_name         = local.name
  environment      = "www"
  aws_region       = "us-east-1"
  ecs_cluster_name = aws_ecs_cluster.this.name
  ecs_service_name = aws_ecs_service.this.name

  validate_test_traffic = {
    samples    = 40
    thresholds = { p90_ms = 900 }
  }

  notifications = {
    team = { topic_arn = aws_sns_topic.team.arn, statuses = ["FAILED"], format = "text" }
  }
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "main" {
  cidr_block           = "10.53.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_subnet" "public" {
  count = 2

  vpc_id                  = aws_vpc.main.id
  availability_zone       = data.aws_availability_zones.available.names[count.index]
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  map_public_ip_on_launch = true
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}

resource "aws_route_table_association" "public" {
  count = 2

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "alb" {
  name   = "gallery-alb"
  vpc_id = aws_vpc.main.id

  ingress {
    description = "CloudFront"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = ["0.0.0.0/0"]
  }

  ingress {
    description = "Tests"
    protocol    = "tcp"
    from_port   = 8080
    to_port     = 8080
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "task" {
  name   = "gallery-task"
  vpc_id = aws_vpc.main.id

  ingress {
    protocol        = "tcp"
    from_port       = 3000
    to_port         = 3000
    security_groups = [aws_security_group.alb.id]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "this" {
  name            = local.name
  subnets         = aws_subnet.public[*].id
  security_groups = [aws_security_group.alb.id]
}

resource "aws_lb_target_group" "blue" {
  name        = "gallery-blue"
  vpc_id      = aws_vpc.main.id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000

  health_check {
    path = "/api/health"
  }
}

resource "aws_lb_target_group" "green" {
  name        = "gallery-green"
  vpc_id      = aws_vpc.main.id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000

  health_check {
    path = "/api/health"
  }
}

resource "aws_lb_listener" "this" {
  for_each = { production = 80, test = 8080 }

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = each.value

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}
