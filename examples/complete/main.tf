# An environment stack: a load balancer with a production and a test listener, an ECS service that CodeDeploy
# deploys blue/green, and the five hooks that gate its deployments.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.76"
    }
  }
}

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = local.tags
  }
}

locals {
  name           = "${var.app_name}-${var.environment}"
  container_port = 8000

  tags = {
    Application = var.app_name
    Environment = var.environment
  }
}

module "hooks" {
  source = "../.."

  app_name         = var.app_name
  environment      = var.environment
  aws_region       = var.aws_region
  ecs_cluster_name = aws_ecs_cluster.this.name
  ecs_service_name = var.app_name
  log_retention    = 90

  # Known here, so that the hooks' roles reach this application only.
  codedeploy_application_name      = local.name
  codedeploy_deployment_group_name = local.name
  task_definition_family           = basename(aws_ecs_task_definition.this.arn_without_revision)

  validate_test_traffic = {
    http_checks = {
      # The version in the answer is that of the image being deployed: green answered, not blue.
      health = { path = "/health", jmespath = { status = { equals = "ok" }, version = { equals = "{image_tag}" } } }
      orders = { path = "/orders?limit=1", status = ["200"], max_latency_ms = 300 }
    }
    thresholds = { error_rate = 0, p95_ms = 250 }
  }

  run_migrations = {
    preset       = "alembic"
    lock_timeout = 5
  }

  validate_production = {
    duration = 240
    alarms   = { (aws_cloudwatch_metric_alarm.errors.alarm_name) = "OK" }
    load     = { path = "/orders?limit=10", rate = 20, duration = 60, warm_up = 10, p95_ms = 300 }

    # What a customer does, and nothing is left of it.
    flows = {
      order = {
        steps = [
          { name = "place", method = "POST", path = "/orders", json = jsonencode({ item = "book" }), save = { order = "id" } },
          { name = "read", path = "/orders/{order}", jmespath = { item = { equals = "book" } } },
          { name = "delete", method = "DELETE", path = "/orders/{order}", always = true },
        ]
      }
    }
  }
}

# --- network -----------------------------------------------------------------------------------------

resource "aws_vpc" "this" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each = { a = 0, b = 1 }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = "${var.aws_region}${each.key}"
  cidr_block              = cidrsubnet(aws_vpc.this.cidr_block, 8, each.value)
  map_public_ip_on_launch = true
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-load-balancer"
  description = "Production traffic from anywhere, test traffic for the hooks"
  vpc_id      = aws_vpc.this.id

  ingress {
    description = "Production listener"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = ["0.0.0.0/0"]
  }

  ingress {
    description = "Test listener. Functions outside a VPC come from any address of AWS"
    protocol    = "tcp"
    from_port   = 8080
    to_port     = 8080
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    description = "Tasks"
    protocol    = "tcp"
    from_port   = local.container_port
    to_port     = local.container_port
    cidr_blocks = [aws_vpc.this.cidr_block]
  }
}

resource "aws_security_group" "task" {
  name        = "${local.name}-task"
  description = "Traffic from the load balancer"
  vpc_id      = aws_vpc.this.id

  ingress {
    description     = "Load balancer"
    protocol        = "tcp"
    from_port       = local.container_port
    to_port         = local.container_port
    security_groups = [aws_security_group.load_balancer.id]
  }

  egress {
    description = "Images, logs, databases"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# --- load balancer -----------------------------------------------------------------------------------

resource "aws_lb" "this" {
  name            = local.name
  subnets         = [for subnet in aws_subnet.public : subnet.id]
  security_groups = [aws_security_group.load_balancer.id]
}

resource "aws_lb_target_group" "this" {
  for_each = toset(["blue", "green"])

  name                 = "${local.name}-${each.key}"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = local.container_port
  deregistration_delay = 30

  health_check {
    path     = "/health"
    interval = 10
    matcher  = "200"
  }
}

resource "aws_lb_listener" "this" {
  for_each = { production = 80, test = 8080 }

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = each.value

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  lifecycle {
    # CodeDeploy moves the traffic from here on.
    ignore_changes = [default_action]
  }
}

# --- service -----------------------------------------------------------------------------------------

resource "aws_ecs_cluster" "this" {
  name = local.name
}

resource "aws_cloudwatch_log_group" "task" {
  name              = "/ecs/${local.name}"
  retention_in_days = 30
}

data "aws_iam_policy_document" "assume_task_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.assume_task_role.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  assume_role_policy = data.aws_iam_policy_document.assume_task_role.json
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  container_definitions = jsonencode([{
    name         = "app"
    image        = var.image
    essential    = true
    portMappings = [{ containerPort = local.container_port, protocol = "tcp" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.task.name
        awslogs-region        = var.aws_region
        awslogs-stream-prefix = "app"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name             = var.app_name
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = 2
  launch_type      = "FARGATE"
  platform_version = "1.4.0"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = [for subnet in aws_subnet.public : subnet.id]
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["blue"].arn
    container_name   = "app"
    container_port   = local.container_port
  }

  depends_on = [aws_lb_listener.this]

  lifecycle {
    # CodeDeploy deploys new task definitions and swaps the target groups.
    ignore_changes = [task_definition, load_balancer, desired_count]
  }
}

# --- deployment --------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.name}-errors"
  alarm_description   = "The application answers with errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
}

data "aws_iam_policy_document" "assume_codedeploy_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "codedeploy" {
  name               = "${local.name}-codedeploy"
  assume_role_policy = data.aws_iam_policy_document.assume_codedeploy_role.json
}

resource "aws_iam_role_policy_attachment" "codedeploy" {
  role       = aws_iam_role.codedeploy.name
  policy_arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECSLimited"
}

# The managed policy invokes functions named CodeDeployHook_*; this one the five, whatever their names.
resource "aws_iam_role_policy" "invoke_hooks" {
  name   = "invoke-hooks"
  role   = aws_iam_role.codedeploy.name
  policy = module.hooks.invoke_policy_json
}

# AWSCodeDeployRoleForECSLimited passes roles named ecsTaskExecutionRole and ECSTaskExecution* only.
data "aws_iam_policy_document" "pass_task_roles" {
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.execution.arn, aws_iam_role.task.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "pass_task_roles" {
  name   = "pass-task-roles"
  role   = aws_iam_role.codedeploy.name
  policy = data.aws_iam_policy_document.pass_task_roles.json
}

resource "aws_codedeploy_app" "this" {
  name             = local.name
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = local.name
  service_role_arn       = aws_iam_role.codedeploy.arn
  deployment_config_name = "CodeDeployDefault.ECSCanary10Percent5Minutes"

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
      termination_wait_time_in_minutes = 10
    }
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.this.name
    service_name = aws_ecs_service.this.name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [aws_lb_listener.this["production"].arn]
      }

      test_traffic_route {
        listener_arns = [aws_lb_listener.this["test"].arn]
      }

      target_group {
        name = aws_lb_target_group.this["blue"].name
      }

      target_group {
        name = aws_lb_target_group.this["green"].name
      }
    }
  }

  alarm_configuration {
    enabled = true
    alarms  = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }
}
