# Seen in most company repositories: the service, its target groups, its alarm and its deployment group come from a module of
# the company's own, which lies on disk beside the root. The hooks are called by the root.

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
  region = "ca-central-1"
}

module "lambda" {
  source = "../../.."

  app_name         = "notifications"
  environment      = "production"
  aws_region       = "ca-central-1"
  ecs_cluster_name = module.notifications.cluster_name
  ecs_service_name = module.notifications.service_name

  codedeploy_application_name      = module.notifications.codedeploy_application_name
  codedeploy_deployment_group_name = module.notifications.codedeploy_deployment_group_name

  run_migrations = {
    command = ["python", "manage.py", "migrate", "--noinput"]
    launch  = "FARGATE"
    memory  = 1024
    cpu     = 512
  }

  validate_production = {
    duration = 240
    load     = { path = "/health/", rate = 10, duration = 30, warm_up = 5, p95_ms = 900 }
  }
}

module "notifications" {
  source = "./modules/service"

  name        = "notifications"
  environment = "production"
  vpc_id      = aws_vpc.this.id
  subnet_ids  = [aws_subnet.public_a.id, aws_subnet.public_b.id]
  image       = "docker.io/example/notifications:2024-11-28"
  port        = 8000
  health_path = "/health/"
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}

resource "aws_vpc" "this" {
  cidr_block = "10.46.0.0/16"
}

resource "aws_subnet" "public_a" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "ca-central-1a"
  cidr_block        = "10.46.1.0/24"
}

resource "aws_subnet" "public_b" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "ca-central-1b"
  cidr_block        = "10.46.2.0/24"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_vpc.this.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}
