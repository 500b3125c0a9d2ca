resource "aws_ecs_service" "store" {
  name            = local.name
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.store.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  deployment_configuration {
    strategy             = "BLUE_GREEN"
    bake_time_in_minutes = 15

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

  network_configuration {
    subnets          = [aws_subnet.public_a.id, aws_subnet.public_b.id]
    security_groups  = [aws_security_group.store.id]
    assign_public_ip = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.store["primary"].arn
    container_name   = "store"
    container_port   = 6380

    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.store["alternate"].arn
      production_listener_rule   = aws_lb_listener.production.arn
      test_listener_rule         = aws_lb_listener.test.arn
      role_arn                   = aws_iam_role.load_balancing.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.load_balancing]
}
