# Seen for ingest and for fixed addresses: a Network Load Balancer with TCP listeners, health checks by HTTP, and a shift all
# at once, for there is no other. CloudWatch has few figures of such a load balancer.

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
  region = "us-east-2"
}

locals {
  name  = "telemetry-ingest"
  zones = ["us-east-2a", "us-east-2b"]
}

module "lambda" {
  source = "../../.."

  app_name         = "telemetry"
  environment      = "prod"
  aws_region       = "us-east-2"
  ecs_cluster_name = aws_ecs_cluster.telemetry.name
  ecs_service_name = local.name
}

output "appspec_hooks" {
  value = module.lambda.appspec_hooks
}

resource "aws_vpc" "telemetry" {
  cidr_block = "172.20.0.0/20"
}

resource "aws_internet_gateway" "telemetry" {
  vpc_id = aws_vpc.telemetry.id
}

resource "aws_default_route_table" "telemetry" {
  default_route_table_id = aws_vpc.telemetry.default_route_table_id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.telemetry.id
  }
}

resource "aws_subnet" "ingest" {
  for_each = toset(local.zones)

  vpc_id                  = aws_vpc.telemetry.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(aws_vpc.telemetry.cidr_block, 4, index(local.zones, each.key))
  map_public_ip_on_launch = true
}

# Targets see their clients' addresses, so anybody is let in.
resource "aws_security_group" "ingest" {
  name   = local.name
  vpc_id = aws_vpc.telemetry.id
}

resource "aws_vpc_security_group_ingress_rule" "ingest" {
  security_group_id = aws_security_group.ingest.id
  ip_protocol       = "tcp"
  from_port         = 9000
  to_port           = 9000
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "ingest" {
  security_group_id = aws_security_group.ingest.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_eip" "ingest" {
  for_each = aws_subnet.ingest

  domain = "vpc"
}

resource "aws_lb" "ingest" {
  name                             = local.name
  load_balancer_type               = "network"
  enable_cross_zone_load_balancing = true

  dynamic "subnet_mapping" {
    for_each = aws_subnet.ingest

    content {
      subnet_id     = subnet_mapping.value.id
      allocation_id = aws_eip.ingest[subnet_mapping.key].id
    }
  }
}

resource "aws_lb_target_group" "ingest" {
  for_each = toset(["1", "2"])

  name                 = "${local.name}-${each.key}"
  vpc_id               = aws_vpc.telemetry.id
  target_type          = "ip"
  protocol             = "TCP"
  port                 = 9000
  preserve_client_ip   = true
  deregistration_delay = 60

  health_check {
    protocol            = "HTTP"
    path                = "/ping"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "ingest" {
  for_each = { production = 80, test = 8080 }

  load_balancer_arn = aws_lb.ingest.arn
  protocol          = "TCP"
  port              = each.value

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.ingest["1"].arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${local.name}-unhealthy"
  namespace           = "AWS/NetworkELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.ingest.arn_suffix, TargetGroup = aws_lb_target_group.ingest["1"].arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
}

resource "aws_ecs_cluster" "telemetry" {
  name = "telemetry"
}

resource "aws_cloudwatch_log_group" "ingest" {
  name              = "/telemetry/ingest"
  retention_in_days = 3
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
  name               = "telemetry-ingest-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_ecs_task_definition" "ingest" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name         = "collector"
    image        = "docker.io/example/collector:0.111.0"
    essential    = true
    command      = ["--config=/etc/collector.yaml"]
    portMappings = [{ containerPort = 9000, protocol = "tcp" }]
    ulimits      = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.ingest.name
        awslogs-region        = "us-east-2"
        awslogs-stream-prefix = "collector"
      }
    }
  }])
}

resource "aws_ecs_service" "ingest" {
  name            = local.name
  cluster         = aws_ecs_cluster.telemetry.id
  task_definition = aws_ecs_task_definition.ingest.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = [for subnet in aws_subnet.ingest : subnet.id]
    security_groups  = [aws_security_group.ingest.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.ingest["1"].arn
    container_name   = "collector"
    container_port   = 9000
  }

  depends_on = [aws_lb_listener.ingest]

  lifecycle {
    ignore_changes = [task_definition, load_balancer, desired_count]
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
  name               = "telemetry-codedeploy"
  assume_role_policy = data.aws_iam_policy_document.codedeploy.json
}

resource "aws_iam_role_policy_attachment" "codedeploy" {
  role       = aws_iam_role.codedeploy.name
  policy_arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
}

resource "aws_codedeploy_app" "this" {
  name             = local.name
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = local.name
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
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  alarm_configuration {
    enabled = true
    alarms  = [aws_cloudwatch_metric_alarm.unhealthy.alarm_name]
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.telemetry.name
    service_name = aws_ecs_service.ingest.name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [aws_lb_listener.ingest["production"].arn]
      }

      test_traffic_route {
        listener_arns = [aws_lb_listener.ingest["test"].arn]
      }

      target_group {
        name = aws_lb_target_group.ingest["1"].name
      }

      target_group {
        name = aws_lb_target_group.ingest["2"].name
      }
    }
  }
}
