# What is typed is seen whole here (the variable is `any`), and refused where it is no option or cannot work.

locals {
  # What is typed, as far as it can be read: what is no map has no keys here, and is refused below.
  _given   = try(keys(var.lifecycle_hooks), [])
  _options = { for hook in local._given : hook => var.lifecycle_hooks[hook] if can(keys(var.lifecycle_hooks[hook])) }
  _stages  = { for hook, each in local._options : hook => each.stages if try(each.stages, null) != null }
  _details = { for hook, each in local._options : hook => each.hook_details if try(each.hook_details, null) != null }

  _unknown = flatten([
    for hook, each in local._options : [for key in keys(each) : "${hook}.${key}" if !contains(["hook_details", "stages"], key)]
  ])
  _wrong_stages = {
    for hook, stages in local._stages : hook => stages
    if can(keys(stages)) || !try(alltrue([for stage in stages : contains(local._known, stage)]), false)
  }
  _recurring = {
    for hook, stages in local._stages : hook => [for stage in stages : stage if contains(local._twice, stage)]
    if contains(keys(local._elsewhere), hook) && try(length(setintersection(stages, local._twice)) > 0, false)
  }
  _wrong_details = {
    for hook, details in local._details : hook => details if !can([for key in keys(details) : tostring(details[key])])
  }

  # DeploymentLifecycleHookStage of ECS's API, and those of it that come again on the way back.
  _known = [
    "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
  ]
  _twice = ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]

  # The hooks that refuse these, and where they belong.
  _elsewhere = {
    run_migrations      = "PRE_PRODUCTION_TRAFFIC_SHIFT or PRE_SCALE_UP"
    validate_production = "POST_PRODUCTION_TRAFFIC_SHIFT or PRE_PRODUCTION_TRAFFIC_SHIFT"
  }

  # Of each hook in the order of a deployment, where ECS invokes it by default.
  _own_stages = zipmap(var.hooks, [
    "PRE_SCALE_UP", "POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
  ])
}

output "stages" {
  description = "The stages of each hook; none: left out"
  value       = { for hook, stage in local._own_stages : hook => try(tolist(local._stages[hook]), [stage]) }

  precondition {
    condition     = can(keys(var.lifecycle_hooks)) && alltrue([for each in try(values(var.lifecycle_hooks), []) : each == null || can(keys(each))])
    error_message = "lifecycle_hooks is ${jsonencode(var.lifecycle_hooks)}; expected a map such as { run_migrations = { stages = [\"PRE_SCALE_UP\"] } }."
  }

  precondition {
    condition     = length(setsubtract(local._given, var.hooks)) == 0
    error_message = "lifecycle_hooks has ${join(", ", setsubtract(local._given, var.hooks))}, which is no hook; there are ${join(", ", var.hooks)}."
  }

  precondition {
    condition     = length(local._unknown) == 0
    error_message = "lifecycle_hooks has ${join(", ", local._unknown)}, which is no option; there are stages and hook_details."
  }

  precondition {
    condition = length(local._wrong_stages) == 0
    error_message = join("\n", [
      for hook, stages in local._wrong_stages :
      "lifecycle_hooks.${hook}.stages is ${jsonencode(stages)}; expected a list of stages, which are ${join(", ", local._known)}."
    ])
  }

  precondition {
    condition = length(local._recurring) == 0
    error_message = join("\n", [
      for hook, stages in local._recurring :
      "lifecycle_hooks.${hook}.stages has ${join(", ", stages)}, which comes again when a deployment is rolled back, so the hook refuses it; expected ${local._elsewhere[hook]}."
    ])
  }

  precondition {
    condition = length(local._wrong_details) == 0
    error_message = join("\n", [
      for hook, details in local._wrong_details :
      "lifecycle_hooks.${hook}.hook_details is ${jsonencode(details)}; expected a map of texts, such as { description = \"[warn images]\" }."
    ])
  }

  precondition {
    condition     = contains(var.callers, "ecs") || length(local._given) == 0
    error_message = "lifecycle_hooks has ${join(", ", local._given)}, which says what ECS is told, and callers is ${jsonencode(var.callers)}; expected \"ecs\" among the callers: add it, or take lifecycle_hooks out."
  }
}

output "hook_details" {
  description = "By hook, what ECS hands to it, as JSON; null: nothing"
  value = {
    for hook in var.hooks : hook => try(jsonencode({ for key, text in local._details[hook] : key => tostring(text) }), null)
  }
}
