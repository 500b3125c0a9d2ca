# Seen for protocols that are not the web's, deployed by ECS itself: a Network Load Balancer, whose listeners stand where rules
# do otherwise. At first the test listener leads to the alternate target group, as AWS's pages have it. TCP health checks.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.14"
    }
  }
}

provider "aws" {
  region = "us-west-2"
}

locals {
  name = "session-store"
}

module "lambda" {
  source = "../../.."

  app_name         = local.name
  environment      = "prod"
  aws_region       = "us-west-2"
  ecs_cluster_name = aws_ecs_cluster.this.name
  ecs_service_name = local.name
  callers          = ["ecs"]

  # Whoever deploys wants to hear of the bake before ECS's own is over.
  validate_production = {
    initial_delay = 30
    duration      = 180
  }
}

resource "aws_vpc" "this" {
  cidr_block = "10.61.0.0/16"
}

resource "aws_subnet" "public_a" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-west-2a"
  cidr_block        = "10.61.1.0/24"
}

resource "aws_subnet" "public_b" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-west-2b"
  cidr_block        = "10.61.2.0/24"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_vpc.this.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_security_group" "store" {
  name   = local.name
  vpc_id = aws_vpc.this.id

  ingress {
    protocol    = "tcp"
    from_port   = 6380
    to_port     = 6380
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "store" {
  name               = local.name
  load_balancer_type = "network"
  subnets            = [aws_subnet.public_a.id, aws_subnet.public_b.id]
}

resource "aws_lb_target_group" "store" {
  for_each = toset(["primary", "alternate"])

  name        = "${local.name}-${substr(each.key, 0, 3)}"
  vpc_id      = aws_vpc.this.id
  target_type = "ip"
  protocol    = "TCP"
  port        = 6380

  health_check {
    protocol = "TCP"
    interval = 10
  }
}

resource "aws_lb_listener" "production" {
  load_balancer_arn = aws_lb.store.arn
  protocol          = "TCP"
  port              = 6380

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.store["primary"].arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.store.arn
  protocol          = "TCP"
  port              = 16380

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.store["alternate"].arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_ecs_cluster" "this" {
  name = local.name
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "session-store-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

data "aws_iam_policy_document" "ecs" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "load_balancing" {
  name               = "session-store-load-balancing"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

resource "aws_iam_role_policy_attachment" "load_balancing" {
  role       = aws_iam_role.load_balancing.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}

resource "aws_ecs_task_definition" "store" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name         = "store"
    image        = "docker.io/example/session-store:4.0"
    essential    = true
    portMappings = [{ containerPort = 6380, protocol = "tcp" }]
  }])
}
