# ECS's own blue/green: it moves a rule of each listener, and invokes the hooks itself. The service is made by the API, of
# what `native_service` says: the provider that this environment runs with does not know the strategy yet.

resource "aws_lb_listener_rule" "this" {
  for_each = var.platform == "ecs" ? { production = aws_lb_listener.production.arn, test = aws_lb_listener.test.arn } : {}

  listener_arn = each.value
  priority     = 100

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this["one"].arn
        weight = 1
      }

      target_group {
        arn    = aws_lb_target_group.this["two"].arn
        weight = 0
      }
    }
  }

  lifecycle {
    # ECS owns it from the first deployment on.
    ignore_changes = [action]
  }
}

data "aws_iam_policy_document" "ecs" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs.amazonaws.com"]
    }
  }
}

# By which ECS moves the rules; the one by which it invokes the hooks is the module's.
resource "aws_iam_role" "ecs" {
  count = var.platform == "ecs" ? 1 : 0

  name               = "${local.name}-load-balancers"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

resource "aws_iam_role_policy_attachment" "ecs" {
  count = var.platform == "ecs" ? 1 : 0

  role       = aws_iam_role.ecs[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}

locals {
  native_service = [for role in aws_iam_role.ecs : {
    cluster              = aws_ecs_cluster.this.name
    serviceName          = local.name
    taskDefinition       = aws_ecs_task_definition.app.arn
    desiredCount         = 2
    launchType           = "FARGATE"
    deploymentController = { type = "ECS" }

    networkConfiguration = {
      awsvpcConfiguration = {
        subnets        = [for subnet in aws_subnet.this : subnet.id]
        securityGroups = [aws_security_group.task.id]
      }
    }

    loadBalancers = [{
      targetGroupArn = aws_lb_target_group.this["one"].arn
      containerName  = "app"
      containerPort  = 8000

      advancedConfiguration = {
        alternateTargetGroupArn = aws_lb_target_group.this["two"].arn
        productionListenerRule  = aws_lb_listener_rule.this["production"].arn
        testListenerRule        = aws_lb_listener_rule.this["test"].arn
        roleArn                 = role.arn
      }
    }]

    deploymentConfiguration = {
      strategy          = "BLUE_GREEN"
      bakeTimeInMinutes = 5
      alarms            = { alarmNames = [aws_cloudwatch_metric_alarm.errors.alarm_name], enable = true, rollback = true }

      lifecycleHooks = [for hook in module.lambda.lifecycle_hooks : {
        hookTargetArn   = hook.hook_target_arn
        roleArn         = hook.role_arn
        lifecycleStages = hook.lifecycle_stages
      }]
    }
  }]
}
