locals {
  _arn         = "arn:${data.aws_partition.current.partition}"
  _account     = data.aws_caller_identity.current.account_id
  _in_region   = "${var.aws_region}:${local._account}"
  _cluster_arn = "${local._arn}:ecs:${local._in_region}:cluster/${var.ecs_cluster_name}"
  _task_arns   = "${local._arn}:ecs:${local._in_region}:task/${var.ecs_cluster_name}/*"

  # A deployment names its application and group, so the hooks need no names. Given here, they narrow the policies.
  _codedeploy           = "${local._arn}:codedeploy:${local._in_region}"
  _application          = coalesce(var.codedeploy_application_name, "*")
  _deployment_group     = coalesce(var.codedeploy_deployment_group_name, "*")
  _deployment_group_arn = "${local._codedeploy}:deploymentgroup:${local._application}/${local._deployment_group}"

  # The authorization reference gives reports and targets no resource, CodeDeploy's own permission table the deployment
  # group's. Only "*" is right either way, and a report that is denied costs the deployment an hour.
  _reported_to = ["*"]

  # Permissions on everything: AWS knows no resource for their actions.
  _on_everything = {
    ReadTaskDefinitions = ["ecs:DescribeTaskDefinition"]
    ReadTargets         = ["elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]
    ReadListeners       = ["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"]
    ReadLoadBalancers   = ["elasticloadbalancing:DescribeLoadBalancers"]
    # CloudWatch gives composite alarms only to a permission on everything (API reference, DescribeAlarms).
    ReadAlarms           = ["cloudwatch:DescribeAlarms"]
    ReadMetrics          = ["cloudwatch:GetMetricData"]
    ReadPullThroughCache = ["ecr:DescribePullThroughCacheRules"]
    ReadParameterNames   = ["ssm:DescribeParameters"]
    ReadNetwork          = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"]
    UseNetwork = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
    ]
  }

  # Every permission that a hook may have.
  _permissions = merge({ for sid, actions in local._on_everything : sid => { actions = actions, resources = ["*"] } }, {
    ReadDeployment = {
      actions   = ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup"]
      resources = [local._deployment_group_arn]
    }
    ReadRevision = {
      actions   = ["codedeploy:GetApplicationRevision"]
      resources = ["${local._codedeploy}:application:${local._application}"]
    }
    # A revision in S3: what AWSCodeDeployRoleForECSLimited may read too, objects tagged for CodeDeploy. For others
    # add s3:GetObject on their bucket with policy_documents.
    ReadRevisionObject = {
      actions    = ["s3:GetObject", "s3:GetObjectVersion"]
      resources  = ["${local._arn}:s3:::*/*"]
      conditions = { "s3:ExistingObjectTag/UseWithCodeDeploy" = "true" }
    }
    ReportStatus = {
      actions   = ["codedeploy:PutLifecycleEventHookExecutionStatus"]
      resources = local._reported_to
    }
    ReadDeploymentTarget = {
      actions   = ["codedeploy:GetDeploymentTarget"]
      resources = local._reported_to
    }
    ReadService = {
      actions   = ["ecs:DescribeServices"]
      resources = ["${local._arn}:ecs:${local._in_region}:service/${var.ecs_cluster_name}/${var.ecs_service_name}"]
    }
    ReadCluster = {
      actions   = ["ecs:DescribeClusters"]
      resources = [local._cluster_arn]
    }
    ListTasks = {
      actions    = ["ecs:ListTasks"]
      resources  = ["*"]
      conditions = { "ecs:cluster" = local._cluster_arn }
    }
    ReadTasks = {
      actions   = ["ecs:DescribeTasks"]
      resources = [local._task_arns]
    }
    RunTasks = {
      actions    = ["ecs:RunTask"]
      resources  = ["${local._arn}:ecs:${local._in_region}:task-definition/*:*"]
      conditions = { "ecs:cluster" = local._cluster_arn }
    }
    TagTasks = {
      actions    = ["ecs:TagResource"]
      resources  = [local._task_arns]
      conditions = { "ecs:CreateAction" = "RunTask" }
    }
    StopTasks = {
      actions   = ["ecs:StopTask"]
      resources = [local._task_arns]
    }
    PassTaskRoles = {
      actions = ["iam:PassRole"]
      resources = (
        module.options.run_migrations.pass_role_arns == null
        ? ["${local._arn}:iam::${local._account}:role/*"]
        : module.options.run_migrations.pass_role_arns
      )
      conditions = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" }
    }
    ReadTaskLogs = {
      actions   = ["logs:GetLogEvents"]
      resources = ["${local._arn}:logs:*:${local._account}:log-group:*:log-stream:*"]
    }
    # Of every configuration: a deployment may use one of AWS's or one of the team's own.
    ReadDeploymentConfigs = {
      actions   = ["codedeploy:GetDeploymentConfig"]
      resources = ["${local._codedeploy}:deploymentconfig:*"]
    }
    # Its answer holds a function's environment: so of hooks only, by the names that they have.
    ReadFunctions = {
      actions = ["lambda:GetFunctionConfiguration"]
      resources = [
        # Of a long prefix as much as stands in the names.
        for prefix in distinct([substr(var.function_name_prefix, 0, 22), "CodeDeployHook_"]) :
        "${local._arn}:lambda:${local._in_region}:function:${prefix}*"
      ]
    }
    ReadImages = {
      actions   = ["ecr:BatchGetImage"]
      resources = ["${local._arn}:ecr:*:${local._account}:repository/*"]
    }
    # Trust policies of the tasks' roles, and what IAM's simulator says of CodeDeploy's, the functions' and the tasks'.
    ReadRoles = {
      actions   = ["iam:GetRole", "iam:SimulatePrincipalPolicy"]
      resources = ["${local._arn}:iam::${local._account}:role/*"]
    }
    # Metadata only: that a secret exists, never its value.
    ReadSecretNames = {
      actions   = ["secretsmanager:DescribeSecret"]
      resources = ["${local._arn}:secretsmanager:*:${local._account}:secret:*"]
    }
    ReadLogGroups = {
      actions   = ["logs:DescribeLogGroups"]
      resources = ["${local._arn}:logs:*:${local._account}:log-group:*"]
    }
    # The values of the secret headers. What a hook may read of them stands in _own_resources.
    ReadSecretValues = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = []
    }
    ReadParameterValues = {
      actions   = ["ssm:GetParameter"]
      resources = []
    }
    # To go on in a fresh invocation.
    InvokeItself = {
      actions   = ["lambda:InvokeFunction"]
      resources = []
    }
    DecryptEnvironment = {
      actions   = ["kms:Decrypt"]
      resources = var.kms_key_arn[*]
    }
  })

  _common = concat(
    ["ReadDeployment", "ReportStatus", "ReadService"],
    var.vpc_config == null ? [] : ["UseNetwork"],
    var.kms_key_arn == null ? [] : ["DecryptEnvironment"],
  )

  # By its name: the function itself needs the role first.
  _own_functions = {
    for hook, name in local._function_names : hook => "${local._arn}:lambda:${local._in_region}:function:${name}"
  }

  # Resources that depend on a hook's options, in place of those above. A permission without any is left out.
  _own_resources = {
    for hook in local._lifecycle_order : hook => merge(
      lookup(local._of_requests, hook, {}),
      # What goes on in a fresh invocation may invoke itself, and nothing else.
      { InvokeItself = [local._own_functions[hook]] },
    )
  }
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
      "ReadRevision", "ReadRevisionObject", "ReadCluster", "ReadTaskDefinitions", "ReadTargets", "ReadListeners",
      "ReadLoadBalancers", "ReadAlarms", "ReadImages", "ReadRoles", "ReadSecretNames", "ReadParameterNames",
      "ReadLogGroups", "ReadNetwork", "ReadFunctions", "ReadDeploymentConfigs", "ReadPullThroughCache",
    ]
    validate_deployment = ["ReadTaskDefinitions", "ListTasks", "ReadTasks", "ReadTaskLogs", "ReadTargets"]
    validate_test_traffic = [
      "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadTaskDefinitions", "ReadSecretValues", "ReadParameterValues",
    ]
    run_migrations = concat(["InvokeItself"], local._migrates ? [
      "ReadRevision", "ReadRevisionObject", "ReadTaskDefinitions", "RunTasks", "TagTasks", "ListTasks", "ReadTasks",
      "StopTasks", "PassTaskRoles", "ReadTaskLogs",
    ] : [])
    validate_production = [
      "ReadTargets", "ReadListeners", "ReadLoadBalancers", "ReadAlarms", "ReadMetrics", "ReadDeploymentTarget",
      "ReadTaskDefinitions", "ReadSecretValues", "ReadParameterValues", "InvokeItself",
    ]
  }
}

data "aws_iam_policy_document" "assume_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
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
      for permission in [
        for sid in concat(local._common, each.value) : merge(
          { sid = sid, conditions = {} },
          local._permissions[sid],
          { for own, resources in lookup(local._own_resources, each.key, {}) : "resources" => resources if own == sid },
        )
      ] : permission if length(permission.resources) > 0
    ]

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

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
    resources = [for hook in local._lifecycle_order : aws_lambda_function.hook[hook].arn]
  }
}

resource "aws_iam_role" "hook" {
  for_each = local._function_names

  name                 = each.value
  description          = "What the function ${each.value} may do"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json

  tags = var.tags
}

resource "aws_iam_role_policy" "hook" {
  for_each = data.aws_iam_policy_document.hook

  name   = "hook"
  role   = aws_iam_role.hook[each.key].name
  policy = each.value.json
}

resource "aws_iam_role_policy" "custom" {
  for_each = var.policy_documents

  name   = "custom"
  role   = aws_iam_role.hook[each.key].name
  policy = each.value
}
