variable "name" {
  description = "What the names of all that is created here begin with; at most 40 characters"
  type        = string
}

variable "functions" {
  description = "The functions in the order of a deployment, with their log groups"
  type        = list(object({ hook = string, name = string, arn = string, log_group = string }))
}

variable "in_vpc" {
  description = "Whether the functions are in a VPC"
  type        = bool
}

variable "timeout" {
  description = "Time-out of the functions in seconds"
  type        = number
}

variable "tags" {
  description = "Resource tags"
  type        = map(string)
}

variable "send_events" {
  description = "Whether verdicts are sent; null: outside a VPC"
  type        = bool
}

variable "event_bus" {
  description = "Name or ARN of the bus"
  type        = string

  validation {
    condition     = can(regex("^(arn:[a-z-]+:events:${local._region}:[0-9]{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}$", var.event_bus))
    error_message = "event_bus is \"${var.event_bus}\"; expected a bus's name such as \"default\", or its ARN in ${local._region} such as \"arn:aws:events:${local._region}:111122223333:event-bus/deployments\"."
  }
}

variable "notifications" {
  description = "Which verdicts go to which SNS topic, by a name"
  type        = any

  validation {
    condition     = can([for name, each in var.notifications : keys(each)])
    error_message = "notifications is ${jsonencode(var.notifications)}; expected a map such as { team = { topic_arn = aws_sns_topic.team.arn } }."
  }

  validation {
    condition     = alltrue([for name in try(keys(var.notifications), []) : can(regex("^[A-Za-z0-9_-]{1,20}$", name))])
    error_message = "notifications has the name ${join(", ", [for name in try(keys(var.notifications), []) : jsonencode(name) if !can(regex("^[A-Za-z0-9_-]{1,20}$", name))])}; a rule is named after it: use up to 20 letters, digits, hyphens and underscores."
  }

  validation {
    condition = alltrue(flatten([
      for each in try(values(var.notifications), []) : [for key in try(keys(each), []) : contains(["format", "statuses", "topic_arn"], key)]
    ]))
    error_message = "notifications has ${join(", ", flatten([
      for name, each in var.notifications : [for key in try(keys(each), []) : "${name}.${key}" if !contains(["format", "statuses", "topic_arn"], key)]
    ]))}, which is no option; there are topic_arn, statuses and format."
  }

  validation {
    condition = alltrue([for each in try(values(var.notifications), []) : can(regex(local._topic, each.topic_arn))])
    error_message = "notifications has ${join(", ", [
      for name, each in var.notifications : "${name}.topic_arn, which is ${jsonencode(try(each.topic_arn, null))}" if !can(regex(local._topic, each.topic_arn))
    ])}; expected the ARN of a topic in ${local._region}, where the functions are, such as \"arn:aws:sns:${local._region}:111122223333:deployments\"."
  }

  validation {
    condition = alltrue([
      for each in try(values(var.notifications), []) :
      try(length(coalesce(each.statuses, ["FAILED"])) > 0 && length(setsubtract(coalesce(each.statuses, ["FAILED"]), ["FAILED", "SUCCEEDED"])) == 0, !can(each.statuses))
    ])
    error_message = "notifications.<name>.statuses is a list of \"FAILED\" and \"SUCCEEDED\", at least one of them."
  }

  validation {
    condition     = alltrue([for each in try(values(var.notifications), []) : contains(["text", "chat"], try(coalesce(each.format, "text"), "text"))])
    error_message = "notifications.<name>.format is \"text\" (lines, for mail) or \"chat\" (for Amazon Q Developer in chat applications)."
  }

  validation {
    condition     = try(length(var.notifications), 0) == 0 || coalesce(var.send_events, !var.in_vpc)
    error_message = "notifications are made of events, and none are sent: ${var.send_events == null ? "inside a VPC they are off by default; set send_events = true where it has a way to EventBridge (a NAT gateway, or the interface endpoint com.amazonaws.${local._region}.events)" : "send_events is false"}."
  }
}

variable "create_dashboard" {
  description = "Whether to create the dashboard, and save the queries"
  type        = bool
}

variable "alarm_actions" {
  description = "What the alarms do; without any there are no alarms"
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.alarm_actions : can(regex("^arn:[a-z-]+:[a-z0-9-]+:(${local._region})?:", arn))])
    error_message = "alarm_actions has ${join(", ", [for arn in var.alarm_actions : jsonencode(arn) if !can(regex("^arn:[a-z-]+:[a-z0-9-]+:(${local._region})?:", arn))])}; expected ARNs in ${local._region}, where the functions are, such as that of an SNS topic."
  }
}
