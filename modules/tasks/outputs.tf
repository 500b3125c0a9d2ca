output "definitions" {
  description = "The task definitions of the service's family, as IAM names them"
  value       = [local._of_service]
}

output "roles" {
  description = "The roles that the family's tasks are passed"
  value       = local._task_roles
}

output "logs" {
  description = "The log streams of the family's containers"
  value       = local._task_logs
}

output "grants" {
  description = "What each hook with a smoke test calls for it"
  value = {
    for hook in keys(var.smoke_tests) : hook => contains(keys(local._smoke_tests), hook) ? [
      "RunTasks", "TagTasks", "ReadTasks", "StopTasks", "PassTaskRoles", "ReadTaskLogs",
    ] : []
  }
}

output "resources" {
  description = "On what, where it is not what one-off tasks of the service need"
  value = {
    for hook, test in local._smoke_tests : hook => {
      ReadTaskDefinitions = ["*"]
      # Of a task definition of the user's nobody knows at plan which roles and logs it names.
      RunTasks      = test.task_definition == null ? [local._of_service] : ["${local._definitions}/${try(regex("^(?:arn:[^/]+/)?([^:]+)", test.task_definition)[0], "*")}:*"]
      PassTaskRoles = test.pass_role_arns != null ? tolist(test.pass_role_arns) : test.task_definition == null ? tolist(local._task_roles) : tolist(local._any_role)
      ReadTaskLogs  = test.task_definition == null ? tolist(local._task_logs) : tolist(local._any_log)
    }
  }
}
