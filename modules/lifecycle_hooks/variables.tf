# The stages of ECS's own blue/green at which it invokes the hooks, and what it hands to them.

variable "hooks" {
  description = "The names of the hooks, in the order of a deployment"
  type        = list(string)
}

variable "callers" {
  description = "As the root's"
  type        = list(string)
}

variable "lifecycle_hooks" {
  description = "As the root's"
  type        = any
  nullable    = false
}
