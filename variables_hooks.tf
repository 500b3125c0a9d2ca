# Written by "make options" from lambdas/gate/options/. Change it there.

variable "validate_before_install" {
  description = "Options of the BeforeInstall hook: [docs/options.md](docs/options.md#validate_before_install)"
  type        = any
  default     = {}
  nullable    = false
}

variable "validate_deployment" {
  description = "Options of the AfterInstall hook: [docs/options.md](docs/options.md#validate_deployment)"
  type        = any
  default     = {}
  nullable    = false
}

variable "validate_test_traffic" {
  description = "Options of the AfterAllowTestTraffic hook: [docs/options.md](docs/options.md#validate_test_traffic)"
  type        = any
  default     = {}
  nullable    = false
}

variable "run_migrations" {
  description = "Options of the BeforeAllowTraffic hook: [docs/options.md](docs/options.md#run_migrations)"
  type        = any
  default     = {}
  nullable    = false
}

variable "validate_production" {
  description = "Options of the AfterAllowTraffic hook: [docs/options.md](docs/options.md#validate_production)"
  type        = any
  default     = {}
  nullable    = false
}
