locals {
  # Of each hook in the order of a deployment, where ECS invokes it by default.
  _own_stages = zipmap(var.hooks, [
    "PRE_SCALE_UP", "POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
  ])
}

output "stages" {
  description = "The stages of each hook; none: left out"
  value       = { for hook, stage in local._own_stages : hook => try(tolist(local._stages[hook]), [stage]) }
}

output "hook_details" {
  description = "By hook, what ECS hands to it, as JSON; null: nothing"
  value = {
    for hook in var.hooks : hook => try(jsonencode({ for key, text in local._details[hook] : key => tostring(text) }), null)
  }
}
