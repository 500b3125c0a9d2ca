# A service that ECS itself deploys blue/green, with the five hooks. It needs version 6.14 or later of the provider
# (`hook_details`); the module itself needs no more than elsewhere.

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
  region = var.aws_region
}

module "lambda" {
  source = "../.."

  app_name         = var.app_name
  environment      = var.environment
  aws_region       = var.aws_region
  ecs_cluster_name = var.ecs_cluster_name
  ecs_service_name = var.app_name
  log_retention    = 30
  callers          = ["ecs"]

  run_migrations = {
    preset = "alembic"
  }
}

resource "aws_lb_target_group" "this" {
  for_each = toset(["one", "two"])

  name        = "${var.app_name}-${var.environment}-${each.key}"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 8000

  health_check {
    path = "/health"
  }
}

resource "aws_lb_listener" "this" {
  for_each = { production = 80, test = 8080 }

  load_balancer_arn = var.load_balancer_arn
  protocol          = "HTTP"
  port              = each.value

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

# ECS moves these rules, and wants both target groups on each of them from the beginning.
resource "aws_lb_listener_rule" "this" {
  for_each = aws_lb_listener.this

  listener_arn = each.value.arn
  priority     = 100

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this["one"].arn
        weight = 1
      }

      target_group {
        arn    = aws_lb_target_group.this["two"].arn
        weight = 0
      }
    }
  }

  lifecycle {
    # Or each apply would put them back, and the next green would land in front of customers.
    ignore_changes = [action]
  }
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

# By which ECS moves the rules. The role by which it invokes the hooks is the module's.
resource "aws_iam_role" "load_balancers" {
  name               = "${var.app_name}-${var.environment}-load-balancers"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

resource "aws_iam_role_policy_attachment" "load_balancers" {
  role       = aws_iam_role.load_balancers.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}

# Whoever deploys watches it: ECS goes back while it bakes, the hooks when they look.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.app_name}-${var.environment}-errors"
  alarm_description   = "The load balancer itself answers 5xx: no target can serve."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_ELB_5XX_Count"
  dimensions          = { LoadBalancer = split("loadbalancer/", var.load_balancer_arn)[1] }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
}
