output "appspec_hooks" {
  description = "The hooks' part of the AppSpec"
  value       = module.lambda.appspec_hooks
}

output "application_name" {
  description = "CodeDeploy application"
  value       = one(aws_codedeploy_app.this[*].name)
}

output "deployment_group_name" {
  description = "CodeDeploy deployment group"
  value       = one(aws_codedeploy_deployment_group.this[*].deployment_group_name)
}

output "cluster_name" {
  description = "ECS cluster"
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "ECS service"
  value       = local.name
}

output "task_family" {
  description = "Family of the application's task definitions"
  value       = aws_ecs_task_definition.app.family
}

output "repository_name" {
  description = "ECR repository of the application's images"
  value       = aws_ecr_repository.this.name
}

output "load_balancer_dns_name" {
  description = "Name under which the load balancer answers: production on port 80, test on port 8080"
  value       = aws_lb.this.dns_name
}

output "target_group_names" {
  description = "The two target groups between which the traffic is moved"
  value       = [for group in aws_lb_target_group.this : group.name]
}

output "function_names" {
  description = "The hooks' functions"
  value       = module.lambda.function_names
}

output "alarm_name" {
  description = "The alarm that whoever deploys watches"
  value       = aws_cloudwatch_metric_alarm.errors.alarm_name
}

output "native_service" {
  description = "Parameters of CreateService, where ECS itself deploys; else null"
  value       = one(local.native_service)
}
