# A function is of use once its role may do its work: every output waits for the policies.

output "validate_before_install_arn" {
  description = "ARN of the BeforeInstall Lambda function"
  value       = aws_lambda_function.hook["validate_before_install"].arn
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "validate_deployment_arn" {
  description = "ARN of the AfterInstall Lambda function"
  value       = aws_lambda_function.hook["validate_deployment"].arn
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "validate_test_traffic_arn" {
  description = "ARN of the AfterAllowTestTraffic Lambda function"
  value       = aws_lambda_function.hook["validate_test_traffic"].arn
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "run_migrations_arn" {
  description = "ARN of the BeforeAllowTraffic Lambda function"
  value       = aws_lambda_function.hook["run_migrations"].arn
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "validate_production_arn" {
  description = "ARN of the AfterAllowTraffic Lambda function"
  value       = aws_lambda_function.hook["validate_production"].arn
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "function_names" {
  description = "Names of the Lambda functions by hook (`validate_before_install`, …)"
  value       = { for hook, function in aws_lambda_function.hook : hook => function.function_name }
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "role_arns" {
  description = "ARNs of the functions' roles by hook"
  value       = { for hook in local._lifecycle_order : hook => aws_iam_role.hook[hook].arn }
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "role_names" {
  description = "Names of the functions' roles by hook, to attach further policies to"
  value       = { for hook in local._lifecycle_order : hook => aws_iam_role.hook[hook].name }
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "log_group_names" {
  description = "Names of the functions' CloudWatch log groups by hook"
  value       = { for hook, group in aws_cloudwatch_log_group.hook : hook => group.name }
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "appspec_hooks" {
  description = "The `Hooks` section of the AppSpec as YAML text, in the order of the deployment, without those in `appspec_without`"
  value = join("\n", concat(["Hooks:"], [
    for hook in local._lifecycle_order :
    "  - ${local._hooks[hook].event}: \"${aws_lambda_function.hook[hook].arn}\"" if !contains(var.appspec_without, hook)
  ], [""]))
  depends_on = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "invoke_policy_json" {
  description = "Policy document (JSON) that allows a CodeDeploy service role to invoke the five functions"
  value       = data.aws_iam_policy_document.invoke.json
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "lifecycle_hooks" {
  description = "For `deployment_configuration { dynamic lifecycle_hook … }` of a service that ECS itself deploys: `hook_target_arn`, `role_arn`, `lifecycle_stages`, `hook_details`; empty unless `callers` has `ecs`"
  value = [
    for hook in local._by_ecs ? local._lifecycle_order : [] : {
      hook_target_arn  = aws_lambda_function.hook[hook].arn
      role_arn         = aws_iam_role.hook["ecs"].arn
      lifecycle_stages = module.lifecycle_hooks.stages[hook]
      hook_details     = module.lifecycle_hooks.hook_details[hook]
    } if length(module.lifecycle_hooks.stages[hook]) > 0
  ]
  depends_on = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "notification_topic_policies" {
  description = "By notification, the policy document (JSON) that its topic needs so that EventBridge may publish to it: for `aws_sns_topic_policy`"
  value       = module.visibility.topic_policies
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}

output "module_version" {
  description = "Version of this module, as it stands in the user agent of its calls to AWS and in its events"
  value       = module.packages.version
  depends_on  = [aws_iam_role_policy.hook, aws_iam_role_policy.custom]
}
