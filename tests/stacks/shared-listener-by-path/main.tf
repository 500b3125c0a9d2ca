# Seen where one domain is split by paths: a rule takes /invoices/*, the health path stands outside of it, and only the load
# balancer itself can ask it. Wrong: the HTTP check asks for the health path through the listener.

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
  region = "us-west-2"
}

module "lambda" {
  source = "../../.."

  app_name         = "invoices"
  environment      = "staging"
  aws_region       = "us-west-2"
  ecs_cluster_name = aws_ecs_cluster.backoffice.name
  ecs_service_name = aws_ecs_service.invoices.name

  validate_test_traffic = {
    http_checks = { health = { path = "/healthz" } }
  }

  run_migrations = {
    command = ["bundle", "exec", "rails", "db:migrate"]
  }

  validate_production = {
    http_checks = { health = { path = "/healthz" } }
  }
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}

resource "aws_vpc" "this" {
  cidr_block = "10.31.0.0/16"
}

resource "aws_subnet" "public_a" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-west-2a"
  cidr_block        = "10.31.1.0/24"
}

resource "aws_subnet" "public_b" {
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-west-2b"
  cidr_block        = "10.31.2.0/24"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_vpc.this.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_security_group" "alb" {
  name   = "backoffice-alb"
  vpc_id = aws_vpc.this.id

  ingress {
    description = "Production"
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

resource "aws_lb" "backoffice" {
  name            = "backoffice"
  subnets         = [aws_subnet.public_a.id, aws_subnet.public_b.id]
  security_groups = [aws_security_group.alb.id]
}

resource "aws_lb_target_group" "invoices" {
  for_each = toset(["a", "b"])

  name        = "invoices-${each.key}"
  vpc_id      = aws_vpc.this.id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000

  health_check {
    path     = "/healthz"
    interval = 10
  }
}

resource "aws_lb_listener" "backoffice" {
  for_each = { production = 80, test = 8080 }

  load_balancer_arn = aws_lb.backoffice.arn
  port              = each.value

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/html"
      message_body = "<h1>Back office</h1>"
      status_code  = "200"
    }
  }
}

resource "aws_lb_listener_rule" "invoices" {
  for_each = aws_lb_listener.backoffice

  listener_arn = each.value.arn
  priority     = 30

  condition {
    path_pattern {
      values = ["/invoices", "/invoices/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.invoices["a"].arn
  }

  lifecycle {
    ignore_changes = [action]
  }
}

resource "aws_security_group" "invoices" {
  name   = "invoices-task"
  vpc_id = aws_vpc.this.id

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
  name               = "invoices-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_ecs_cluster" "backoffice" {
  name = "backoffice"
}

resource "aws_ecs_task_definition" "invoices" {
  family                   = "invoices"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name         = "web"
    image        = "registry.gitlab.com/example/invoices:1.9.2"
    essential    = true
    portMappings = [{ containerPort = 3000 }]
  }])
}

resource "aws_ecs_service" "invoices" {
  name            = "invoices"
  cluster         = aws_ecs_cluster.backoffice.id
  task_definition = aws_ecs_task_definition.invoices.arn
  desired_count   = 1
  launch_type     = "FARGATE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = [aws_subnet.public_a.id, aws_subnet.public_b.id]
    security_groups  = [aws_security_group.invoices.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.invoices["a"].arn
    container_name   = "web"
    container_port   = 3000
  }

  depends_on = [aws_lb_listener_rule.invoices]

  lifecycle {
    ignore_changes = [task_definition, load_balancer]
  }
}

data "aws_iam_policy_document" "codedeploy" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "codedeploy" {
  name               = "invoices-codedeploy"
  assume_role_policy = data.aws_iam_policy_document.codedeploy.json
}

resource "aws_iam_role_policy_attachment" "codedeploy" {
  role       = aws_iam_role.codedeploy.name
  policy_arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
}

resource "aws_codedeploy_app" "this" {
  name             = "invoices"
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = "staging"
  deployment_config_name = "CodeDeployDefault.ECSAllAtOnce"
  service_role_arn       = aws_iam_role.codedeploy.arn

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }

  blue_green_deployment_config {
    deployment_ready_option {
      action_on_timeout = "CONTINUE_DEPLOYMENT"
    }

    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = 5
    }
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE"]
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.backoffice.name
    service_name = aws_ecs_service.invoices.name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [aws_lb_listener.backoffice["production"].arn]
      }

      test_traffic_route {
        listener_arns = [aws_lb_listener.backoffice["test"].arn]
      }

      target_group {
        name = aws_lb_target_group.invoices["a"].name
      }

      target_group {
        name = aws_lb_target_group.invoices["b"].name
      }
    }
  }
}
