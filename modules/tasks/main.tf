# One-off tasks, migrations and smoke tests: what the service's family narrows, and what smoke tests need beside.
locals {
  _roles    = "${var.arn}:iam::${var.account}:role"
  _any_log  = ["${var.arn}:logs:*:${var.account}:log-group:*:log-stream:*/*/*"]
  _any_role = ["${local._roles}/*"]

  # By what the family's newest revision names. Of one, or of a provider, that does not say so: any role, any log.
  _newest = one(data.aws_ecs_task_definition.newest)
  _task_roles = try([
    for role in distinct(compact([local._newest.execution_role_arn, local._newest.task_role_arn])) :
    startswith(role, "arn:") ? role : "${local._roles}/${role}"
  ], local._any_role)
  _task_logs = try([
    for log in distinct(compact([
      for container in jsondecode(local._newest.container_definitions) : try(join(":", [
        container.logConfiguration.options["awslogs-region"], var.account, "log-group", container.logConfiguration.options["awslogs-group"],
      ]), "")
    ])) : "${var.arn}:logs:${log}:log-stream:*/*/*"
  ], local._any_log)
  _definitions = "${var.arn}:ecs:${var.region}:${var.account}:task-definition"
  _of_service  = "${local._definitions}/${coalesce(var.family, "*")}:*"

  _smoke_tests = { for hook, test in var.smoke_tests : hook => test if nonsensitive(test != null) }
}

data "aws_ecs_task_definition" "newest" {
  count = var.family == null ? 0 : 1

  task_definition = var.family
}
