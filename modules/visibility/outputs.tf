output "event_bus" {
  description = "The bus that verdicts are sent to; null: none are sent"
  value       = local._sends ? var.event_bus : null
}

output "event_bus_arns" {
  description = "The ARN of that bus; empty: none are sent"
  value       = [for bus in local._sends ? [var.event_bus] : [] : startswith(bus, "arn:") ? bus : join(":", [local._arn[0], local._arn[1], "events", local._arn[3], local._arn[4], "event-bus/${bus}"])]
}

output "topic_policies" {
  description = "By notification, the policy document (JSON) that lets EventBridge publish to its topic"
  value       = { for name, document in data.aws_iam_policy_document.topic : name => document.json }
}
