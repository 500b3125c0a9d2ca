resource "aws_ecs_service" "this" {
  name            = local.name
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  deployment_configuration {
    strategy             = "CANARY"
    bake_time_in_minutes = 5

    canary_configuration {
      canary_percent              = 10
      canary_bake_time_in_minutes = 10
    }

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
    alarm_names = [aws_cloudwatch_metric_alarm.latency.alarm_name]
    enable      = true
    rollback    = true
  }

  network_configuration {
    subnets          = aws_subnet.public[*].id
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "model"
    container_port   = 8501

    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.green.arn
      production_listener_rule   = aws_lb_listener_rule.this["production"].arn
      test_listener_rule         = aws_lb_listener_rule.this["test"].arn
      role_arn                   = aws_iam_role.load_balancing.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.load_balancing]

  lifecycle {
    ignore_changes = [desired_count]
  }
}
