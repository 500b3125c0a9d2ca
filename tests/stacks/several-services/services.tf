locals {
  target_groups = merge([
    for name, service in local.services : {
      for colour in ["blue", "green"] : "${name}-${colour}" => service
    }
  ]...)

  rules = merge([
    for name, service in local.services : {
      for route in ["production", "test"] : "${name}-${route}" => merge(service, { name = name, route = route })
    }
  ]...)
}

resource "aws_lb_target_group" "this" {
  for_each = local.target_groups

  name        = "travel-${each.key}"
  vpc_id      = aws_vpc.main.id
  target_type = "ip"
  protocol    = "HTTP"
  port        = each.value.port

  health_check {
    path = each.value.health
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.rules

  listener_arn = aws_lb_listener.shared[each.value.route].arn
  priority     = each.value.priority

  condition {
    host_header {
      values = ["${each.value.name}.travel.example.com"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["${each.value.name}-blue"].arn
  }

  lifecycle {
    ignore_changes = [action]
  }
}

resource "aws_security_group" "service" {
  for_each = local.services

  name   = "travel-${each.key}"
  vpc_id = aws_vpc.main.id

  ingress {
    protocol        = "tcp"
    from_port       = each.value.port
    to_port         = each.value.port
    security_groups = [aws_security_group.alb.id]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.services

  family                   = "travel-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name         = each.key
    image        = each.value.image
    essential    = true
    portMappings = [{ containerPort = each.value.port }]
  }])
}

resource "aws_ecs_service" "this" {
  for_each = local.services

  name            = "${each.key}-staging"
  cluster         = aws_ecs_cluster.travel.id
  task_definition = aws_ecs_task_definition.this[each.key].arn
  desired_count   = 1
  launch_type     = "FARGATE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    subnets          = aws_subnet.public[*].id
    security_groups  = [aws_security_group.service[each.key].id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["${each.key}-blue"].arn
    container_name   = each.key
    container_port   = each.value.port
  }

  depends_on = [aws_lb_listener_rule.this]

  lifecycle {
    ignore_changes = [task_definition, load_balancer]
  }
}

resource "aws_cloudwatch_metric_alarm" "pricing" {
  alarm_name          = "travel-pricing-errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  dimensions          = { LoadBalancer = aws_lb.travel.arn_suffix }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
}

resource "aws_codedeploy_app" "this" {
  name             = "travel-staging"
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  for_each = local.services

  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = each.key
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
      action = "TERMINATE"
    }
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE"]
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.travel.name
    service_name = aws_ecs_service.this[each.key].name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [aws_lb_listener.shared["production"].arn]
      }

      test_traffic_route {
        listener_arns = [aws_lb_listener.shared["test"].arn]
      }

      dynamic "target_group" {
        for_each = ["blue", "green"]

        content {
          name = aws_lb_target_group.this["${each.key}-${target_group.value}"].name
        }
      }
    }
  }
}
