variable "app_name" {
  description = "Application name"
  type        = string
  default     = "orders"
}

variable "environment" {
  description = "Deployment environment"
  type        = string
  default     = "staging"
}

variable "aws_region" {
  description = "AWS region"
  type        = string
  default     = "eu-west-1"
}

variable "ecs_cluster_name" {
  description = "Name of the ECS cluster"
  type        = string
  default     = "main"
}

variable "task_definition_arn" {
  description = "The task definition that the service begins with"
  type        = string
  default     = "arn:aws:ecs:eu-west-1:111122223333:task-definition/orders:1"
}

variable "load_balancer_arn" {
  description = "The Application Load Balancer"
  type        = string
  default     = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/main/50dc6c495c0c9188"
}

variable "vpc_id" {
  description = "The VPC of the target groups"
  type        = string
  default     = "vpc-0a1b2c3d"
}

variable "subnet_ids" {
  description = "Subnets of the tasks"
  type        = list(string)
  default     = ["subnet-0a1b2c3d", "subnet-0e1f2a3b"]
}

variable "security_group_ids" {
  description = "Security groups of the tasks"
  type        = list(string)
  default     = ["sg-0a1b2c3d"]
}
