variable "app_name" {
  description = "Name of the application"
  type        = string
  default     = "orders"
}

variable "environment" {
  description = "Name of the environment"
  type        = string
  default     = "rehearsal"
}

variable "platform" {
  description = "Who deploys the service: \"codedeploy\", or \"ecs\" by its own blue/green"
  type        = string
  default     = "codedeploy"
}

variable "aws_region" {
  description = "AWS region"
  type        = string
  default     = "eu-central-1"
}

variable "image_tag" {
  description = "Tag of the image that serves before the first deployment"
  type        = string
  default     = "1.0.0"
}

variable "session_key" {
  description = "Value of the application's secret SESSION_KEY"
  type        = string
  default     = "rehearsal"
  sensitive   = true
}
