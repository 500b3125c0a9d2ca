# What needs the newer provider.
resource "aws_ecs_service" "app" {
  name            = var.app_name
  cluster         = var.ecs_cluster_name
  task_definition = var.task_definition_arn
  desired_count   = 2
  launch_type     = "FARGATE"

  deployment_configuration {
    strategy             = "BLUE_GREEN"
    bake_time_in_minutes = 5

    dynamic "lifecycle_hook" {
      for_each = module.lambda.lifecycle_hooks

      content {
        hook_target_arn  = lifecycle_hook.value.hook_target_arn
        role_arn         = lifecycle_hook.value.role_arn
        lifecycle_stages = lifecycle_hook.value.lifecycle_stages
        hook_details     = lifecycle_hook.value.hook_details
      }
    }
  }

  alarms {
    alarm_names = [aws_cloudwatch_metric_alarm.errors.alarm_name]
    enable      = true
    rollback    = true
  }

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = var.security_group_ids
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["one"].arn
    container_name   = "app"
    container_port   = 8000

    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.this["two"].arn
      production_listener_rule   = aws_lb_listener_rule.this["production"].arn
      test_listener_rule         = aws_lb_listener_rule.this["test"].arn
      role_arn                   = aws_iam_role.load_balancers.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.load_balancers]
}
