# What the hooks tell, where people look: events, notifications, a dashboard, saved queries, alarms. Nothing of it is
# needed for a verdict, and with its defaults nothing is created here.

locals {
  _sends = coalesce(var.send_events, !var.in_vpc)

  _arn    = split(":", var.functions[0].arn)
  _region = local._arn[3]
  _topic  = "^arn:[a-z-]+:sns:${local._region}:[0-9]{12}:[A-Za-z0-9_.-]+$"

  _notifications = {
    for name, each in var.notifications : name => {
      topic_arn = each.topic_arn
      statuses  = sort(try(coalesce(each.statuses), ["FAILED"]))
      format    = try(coalesce(each.format), "text")
    }
  }

  # A variable in quotes is put there as it is, one without as JSON: only what a message holds may have quotes itself.
  # Of a text each line stands in quotes, and arrives so.
  _templates = {
    text = join("\n", [
      "\"<message>\"",
      "\"<status>: <hook> (<lifecycle_event>) of deployment <deployment_id>, service <cluster>/<service>, <app_name> <environment>\"",
      "\"Log: <log>\"",
    ])
    # As Amazon Q Developer in chat applications (AWS Chatbot) reads it: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    chat = join("", [
      "{\"version\": \"1.0\", \"source\": \"custom\", \"content\": {\"textType\": \"client-markdown\", ",
      "\"title\": \"<status>: <hook> of <app_name> <environment>\", \"description\": <message>, ",
      "\"nextSteps\": [\"Deployment <deployment_id>, service <cluster>/<service>\", \"[Log](<log>)\"]}, ",
      "\"metadata\": {\"threadId\": \"<deployment_id>\", \"summary\": \"<status>: <hook> of <app_name> <environment>\"}}",
    ])
  }
}

resource "aws_cloudwatch_event_rule" "notification" {
  for_each = local._notifications

  name           = "${var.name}-${each.key}"
  description    = "Verdicts of deployment hooks: ${join(", ", each.value.statuses)}"
  event_bus_name = var.event_bus
  event_pattern = jsonencode({
    source      = ["codedeploy-hooks"]
    detail-type = ["Deployment Hook Verdict"]
    resources   = var.functions[*].arn
    detail      = { status = each.value.statuses }
  })

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "notification" {
  for_each = local._notifications

  rule           = aws_cloudwatch_event_rule.notification[each.key].name
  event_bus_name = var.event_bus
  target_id      = "topic"
  arn            = each.value.topic_arn

  input_transformer {
    input_paths = merge({ log = "$.detail.log.url" }, {
      for field in ["app_name", "cluster", "deployment_id", "environment", "hook", "lifecycle_event", "message", "service", "status"] :
      field => "$.detail.${field}"
    })
    input_template = local._templates[each.value.format]
  }
}

# EventBridge fills in no condition of a topic's policy ("You can't use Condition blocks in Amazon SNS topic policies for
# EventBridge"): with one, nothing would arrive.
data "aws_iam_policy_document" "topic" {
  for_each = local._notifications

  statement {
    actions   = ["sns:Publish"]
    resources = [each.value.topic_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}
