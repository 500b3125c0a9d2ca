locals {
  _arn         = "arn:${data.aws_partition.current.partition}"
  _account     = data.aws_caller_identity.current.account_id
  _in_region   = "${var.aws_region}:${local._account}"
  _cluster_arn = "${local._arn}:ecs:${local._in_region}:cluster/${var.ecs_cluster_name}"
  _service_arn = "${local._arn}:ecs:${local._in_region}:service/${var.ecs_cluster_name}/${var.ecs_service_name}"
  _task_arns   = "${local._arn}:ecs:${local._in_region}:task/${var.ecs_cluster_name}/*"

  # A deployment names its application and group, so the hooks need no names. Given here, they narrow the policies.
  _codedeploy       = "${local._arn}:codedeploy:${local._in_region}"
  _application      = coalesce(var.codedeploy_application_name, "*")
  _deployment_group = coalesce(var.codedeploy_deployment_group_name, "*")

  _roles = "${local._arn}:iam::${local._account}:role"

  # What each permission allows.
  _actions = {
    ReadDeployment         = ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup"]
    ReadRevision           = ["codedeploy:GetApplicationRevision"]
    ReadRevisionObject     = ["s3:GetObject", "s3:GetObjectVersion"]
    ReadDeploymentTarget   = ["codedeploy:GetDeploymentTarget"]
    ReportStatus           = ["codedeploy:PutLifecycleEventHookExecutionStatus"]
    ReadService            = ["ecs:DescribeServices"]
    ReadServiceDeployments = ["ecs:DescribeServiceDeployments"]
    ReadServiceRevisions   = ["ecs:DescribeServiceRevisions"]
    ReadTaskDefinitions    = ["ecs:DescribeTaskDefinition"]
    ListTasks              = ["ecs:ListTasks"]
    ReadTasks              = ["ecs:DescribeTasks"]
    RunTasks               = ["ecs:RunTask"]
    TagTasks               = ["ecs:TagResource"]
    StopTasks              = ["ecs:StopTask"]
    PassTaskRoles          = ["iam:PassRole"]
    ReadTaskRoles          = ["iam:GetRole"]
    SimulateRoles          = ["iam:SimulatePrincipalPolicy"]
    ReadTaskLogs           = ["logs:GetLogEvents"]
    ReadLogGroups          = ["logs:DescribeLogGroups"]
    ReadFunctions          = ["lambda:GetFunctionConfiguration"]
    InvokeItself           = ["lambda:InvokeFunction"]
    ReadImages             = ["ecr:BatchGetImage"]
    ReadPullThroughCache   = ["ecr:DescribePullThroughCacheRules"]
    ReadSecretNames        = ["secretsmanager:DescribeSecret"]
    ReadSecretValues       = ["secretsmanager:GetSecretValue"]
    ReadParameterNames     = ["ssm:DescribeParameters"]
    ReadParameterValues    = ["ssm:GetParameter"]
    ReadTargets            = ["elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]
    ReadTargetGroups       = ["elasticloadbalancing:DescribeTargetGroups"]
    ReadListeners          = ["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"]
    ReadLoadBalancers      = ["elasticloadbalancing:DescribeLoadBalancers"]
    ReadAlarms             = ["cloudwatch:DescribeAlarms"]
    ReadMetrics            = ["cloudwatch:GetMetricData"]
    ReadNetwork            = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"]
    ReadSecurityGroups     = ["ec2:DescribeSecurityGroups"]
    UseNetwork = [
      "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
    ]
    DecryptEnvironment = ["kms:Decrypt"]
    SendEvents         = ["events:PutEvents"]
  }

  # On what: without a row here on everything; with an empty one the permission is left out. docs/permissions.md has a
  # reason for each wildcard.
  _resources = {
    for hook in local._lifecycle_order : hook => merge({
      ReadDeployment         = ["${local._codedeploy}:deploymentgroup:${local._application}/${local._deployment_group}"]
      ReadRevision           = ["${local._codedeploy}:application:${local._application}"]
      ReadRevisionObject     = ["${local._arn}:s3:::*/*"]
      ReadService            = [local._service_arn]
      ReadServiceDeployments = [local._service_arn, "${replace(local._service_arn, ":service/", ":service-deployment/")}/*"]
      ReadServiceRevisions   = [local._service_arn, "${replace(local._service_arn, ":service/", ":service-revision/")}/*"]
      ReadTasks              = [local._task_arns]
      RunTasks               = module.tasks.definitions
      TagTasks               = [local._task_arns]
      StopTasks              = [local._task_arns]
      PassTaskRoles          = coalesce(module.options.run_migrations.pass_role_arns, tolist(module.tasks.roles))
      ReadTaskRoles          = module.tasks.roles
      SimulateRoles          = ["${local._roles}/*"]
      ReadTaskLogs           = module.tasks.logs
      ReadLogGroups          = ["${local._arn}:logs:*:${local._account}:log-group:*"]
      # Its answer holds a function's environment: so of hooks only, the module's own and those named by AWS's convention.
      ReadFunctions = concat(
        ["${local._functions}:CodeDeployHook_*"],
        startswith(var.function_name_prefix, "CodeDeployHook_") ? [] : flatten([for arn in values(local._own_functions) : [arn, "${arn}:*"]]),
      )
      InvokeItself    = [local._own_functions[hook], "${local._own_functions[hook]}:*"] # whichever alias was called
      ReadImages      = ["${local._arn}:ecr:*:${local._account}:repository/*"]
      ReadSecretNames = ["${local._arn}:secretsmanager:*:${local._account}:secret:*"]
      # Values: of those that a hook's own requests name, below.
      ReadSecretValues    = []
      ReadParameterValues = []
      DecryptEnvironment  = var.kms_key_arn[*]
      SendEvents          = module.visibility.event_bus_arns
    }, lookup(local._of_requests, hook, {}), lookup(module.tasks.resources, hook, {}))
  }

  _conditions = {
    # What AWSCodeDeployRoleForECSLimited may read too. For other objects add s3:GetObject with policy_documents.
    ReadRevisionObject = { "s3:ExistingObjectTag/UseWithCodeDeploy" = "true" }
    ListTasks          = { "ecs:cluster" = local._cluster_arn }
    RunTasks           = { "ecs:cluster" = local._cluster_arn }
    TagTasks           = { "ecs:CreateAction" = "RunTask" }
    PassTaskRoles      = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" }
  }

  # What only one of the callers needs; all else serves both.
  _of_caller = {
    codedeploy = ["ReadDeployment", "ReadDeploymentTarget", "ReadRevision", "ReadRevisionObject", "ReportStatus", "InvokeItself"]
    ecs        = ["ReadServiceDeployments", "ReadServiceRevisions"]
  }
  _role_names = merge(local._function_names, local._by_ecs ? { ecs = "${local._stem}-ecs" } : {})
  _by_ecs     = contains(var.callers, "ecs")
  _left_out   = flatten([for caller, sids in local._of_caller : sids if !contains(var.callers, caller)])

  _common = concat(
    ["ReadDeployment", "ReportStatus", "ReadServiceDeployments", "ReadServiceRevisions", "ReadService", "SendEvents"],
    var.vpc_config == null ? [] : ["UseNetwork"],
    var.kms_key_arn == null ? [] : ["DecryptEnvironment"],
  )

  # By its name: the function itself needs the role first.
  _functions     = "${local._arn}:lambda:${local._in_region}:function"
  _own_functions = { for hook, name in local._function_names : hook => "${local._functions}:${name}" }

  # What depends on a hook's requests.
  _of_requests = {
    for hook, requests in local._requests : hook => {
      # Of a secret without its JSON key: seven parts are the ARN.
      ReadSecretValues = distinct([
        for arn in local._secret_arns[hook] : join(":", slice(split(":", arn), 0, 7)) if strcontains(arn, ":secretsmanager:")
      ])
      ReadParameterValues = distinct([for arn in local._secret_arns[hook] : arn if strcontains(arn, ":ssm:")])
      # Only its image's tag has to be looked up; the revision is part of the task definition's ARN.
      ReadTaskDefinitions = nonsensitive(strcontains(jsonencode(requests), "{image_tag}")) ? ["*"] : []
    }
  }

  # What the two hooks send: HTTP checks, and the steps of flows.
  _requests = {
    for hook in ["validate_test_traffic", "validate_production"] : hook => concat(
      values(module.options[hook].http_checks), flatten(values(module.options[hook].flows)[*].steps),
    )
  }

  # The ARNs in a hook's secret headers, without the word before them.
  _secret_arns = {
    for hook, requests in local._requests : hook => flatten([
      for request in requests : [
        for value in nonsensitive(values(request.secret_headers)) : try(regex("[^ ]+$", nonsensitive(value)), "")
      ]
    ])
  }

  _migrates = module.options.run_migrations.command != null || module.options.run_migrations.preset != null

  # What each hook calls, and so what its role may do.
  _grants = {
    validate_before_install = [
      "ReadRevision", "ReadRevisionObject", "ReadTaskDefinitions", "ReadTargets", "ReadListeners", "ReadLoadBalancers",
      "ReadAlarms", "ReadImages", "ReadTaskRoles", "SimulateRoles", "ReadSecretNames", "ReadParameterNames",
      "ReadLogGroups", "ReadNetwork", "ReadFunctions", "ReadPullThroughCache",
    ]
    # Listeners where ECS does not say yet which target group is green's; or how much of production is on it.
    validate_deployment = concat(local._by_ecs ? ["ReadListeners"] : [], [
      "ReadTaskDefinitions", "ListTasks", "ReadTasks", "ReadTaskLogs", "ReadTargets",
    ])
    validate_test_traffic = concat(module.tasks.grants.validate_test_traffic, [
      "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadSecurityGroups", "ReadTaskDefinitions", "ReadSecretValues",
      "ReadParameterValues",
    ])
    run_migrations = concat(["InvokeItself"], local._by_ecs ? ["ReadListeners", "ReadTargetGroups"] : [], local._migrates ? [
      "ReadRevision", "ReadRevisionObject", "ReadTaskDefinitions", "RunTasks", "TagTasks", "ListTasks", "ReadTasks",
      "StopTasks", "PassTaskRoles", "ReadTaskLogs",
    ] : [])
    validate_production = concat(module.tasks.grants.validate_production, [
      "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadAlarms", "ReadMetrics", "ReadDeploymentTarget",
      "ReadSecurityGroups", "ReadTaskDefinitions", "ReadSecretValues", "ReadParameterValues", "InvokeItself",
    ])
  }
}

module "tasks" {
  source = "./modules/tasks"

  arn         = local._arn
  region      = var.aws_region
  account     = local._account
  family      = var.task_definition_family
  smoke_tests = { for hook in ["validate_test_traffic", "validate_production"] : hook => module.options[hook].smoke_test }
}

data "aws_iam_policy_document" "assume_role" {
  for_each = toset(["lambda", "ecs"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "hook" {
  for_each = local._grants

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local._arn}:logs:${local._in_region}:log-group:${local._log_group_names[each.key]}:*"]
  }

  dynamic "statement" {
    for_each = [
      for sid in concat(local._common, each.value) : sid
      if length(lookup(local._resources[each.key], sid, ["*"])) > 0 && !contains(local._left_out, sid)
    ]

    content {
      sid       = statement.value
      actions   = local._actions[statement.value]
      resources = lookup(local._resources[each.key], statement.value, ["*"])

      dynamic "condition" {
        for_each = lookup(local._conditions, statement.value, {})

        content {
          # Without wildcards the same comparison as ArnEquals, and right for the keys that are no ARNs.
          test     = "StringEquals"
          variable = condition.key
          values   = [condition.value]
        }
      }
    }
  }
}

data "aws_iam_policy_document" "invoke" {
  statement {
    sid       = "InvokeDeploymentHooks"
    actions   = ["lambda:InvokeFunction"]
    resources = flatten([for hook in local._lifecycle_order : [local._own_functions[hook], "${local._own_functions[hook]}:*"]])
  }
}

resource "aws_iam_role" "hook" {
  for_each = local._role_names

  name                 = each.value
  description          = each.key == "ecs" ? "By which ECS invokes the hooks" : "What the function ${each.value} may do"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.assume_role[each.key == "ecs" ? "ecs" : "lambda"].json

  tags = var.tags
}

resource "aws_iam_role_policy" "hook" {
  for_each = { for key in keys(local._role_names) : key => key == "ecs" ? data.aws_iam_policy_document.invoke : data.aws_iam_policy_document.hook[key] }

  name   = "hook"
  role   = aws_iam_role.hook[each.key].name
  policy = each.value.json
}

resource "aws_iam_role_policy" "custom" {
  for_each = module.custom.policy_documents

  name   = "custom"
  role   = aws_iam_role.hook[each.key].name
  policy = each.value
}
