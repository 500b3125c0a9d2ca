variable "name" {
  type = string
}

variable "environment" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "image" {
  type = string
}

variable "port" {
  type    = number
  default = 80
}

variable "health_path" {
  type    = string
  default = "/"
}

variable "desired_count" {
  type    = number
  default = 2
}
