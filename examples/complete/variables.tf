variable "app_name" {
  description = "Application name, also that of the ECS service"
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

variable "image" {
  description = "Image of the first release; later ones are deployed by CodeDeploy"
  type        = string
  default     = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders:1.0.0"
}
