output "url" {
  description = "Address of the application"
  value       = "http://${aws_lb.this.dns_name}/"
}

output "appspec" {
  description = "The AppSpec of a deployment; <TASK_DEFINITION> is the ARN of the new task definition"
  value       = <<-EOT
    version: 0.0
    Resources:
      - TargetService:
          Type: AWS::ECS::Service
          Properties:
            TaskDefinition: <TASK_DEFINITION>
            LoadBalancerInfo:
              ContainerName: "app"
              ContainerPort: ${local.container_port}
            PlatformVersion: "1.4.0"
    ${module.hooks.appspec_hooks}
  EOT
}
