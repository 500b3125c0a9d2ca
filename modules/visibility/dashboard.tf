# Fields are those of the functions' log lines. A verdict is a line with `status`, a check one with `outcome`.
locals {
  _queries = {
    "why did this deployment stop"        = <<-EOT
      # Of one deployment: put its id between the quotes, and take the # away.
      filter (status = "FAILED") or (outcome in ["failed", "error"] and severity = "fail") or status = "CONTINUED"
      # | filter deployment_id = "d-XXXXXXXXX"
      | fields @timestamp, deployment_id, hook, coalesce(check, "verdict") as what, coalesce(detail, message) as reason
      | sort @timestamp desc
      | limit 200
    EOT
    "what was skipped or softened lately" = <<-EOT
      filter outcome = "skipped" or (outcome in ["failed", "error"] and severity = "warn") or check = "overrides"
      | fields @timestamp, deployment_id, hook, check, outcome, severity, detail
      | sort @timestamp desc
      | limit 200
    EOT
  }

  _sources = join(" | ", [for each in var.functions : "SOURCE '${each.log_group}'"])
  _looks = {
    verdicts  = <<-EOT
      filter status in ["SUCCEEDED", "FAILED"]
      | stats sum(strcontains(status, "FAILED")) as failed, sum(strcontains(status, "SUCCEEDED")) as succeeded by bin(1h)
    EOT
    failures  = <<-EOT
      filter status = "FAILED"
      | fields @timestamp, hook, deployment_id, message
      | sort @timestamp desc
      | limit 20
    EOT
    durations = <<-EOT
      filter status in ["SUCCEEDED", "FAILED"]
      | stats count(*) as verdicts, avg(duration_ms) / 1000 as average_s, pct(duration_ms, 95) / 1000 as p95_s, max(duration_ms) / 1000 as longest_s by hook
      | sort longest_s desc
    EOT
    warnings  = <<-EOT
      filter outcome = "skipped" or (outcome in ["failed", "error"] and severity = "warn")
      | stats count(*) as times, latest(deployment_id) as last_deployment, latest(detail) as last_detail by hook, check
      | sort times desc
      | limit 20
    EOT
  }

  _log_widgets = [
    { title = "Verdicts", look = "verdicts", view = "timeSeries", x = 0, y = 0, width = 12, height = 6 },
    { title = "Seconds by hook, with what it waited for", look = "durations", view = "table", x = 12, y = 0, width = 12, height = 6 },
    { title = "The last failures, and why", look = "failures", view = "table", x = 0, y = 6, width = 24, height = 7 },
    { title = "Warned or skipped", look = "warnings", view = "table", x = 0, y = 13, width = 24, height = 6 },
  ]
  _metric_widgets = [
    { title = "Errors: an invocation that could not report", metric = "Errors", stat = "Sum", x = 0 },
    { title = "Throttles", metric = "Throttles", stat = "Sum", x = 8 },
    { title = "Longest invocation (ms), and the time-out", metric = "Duration", stat = "Maximum", x = 16 },
  ]
}

resource "aws_cloudwatch_dashboard" "hooks" {
  count = var.create_dashboard ? 1 : 0

  dashboard_name = "${var.name}-deployment-hooks"
  dashboard_body = jsonencode({
    start = "-P7D"
    widgets = concat([
      for each in local._log_widgets : {
        type       = "log"
        x          = each.x
        y          = each.y
        width      = each.width
        height     = each.height
        properties = { title = each.title, region = local._region, view = each.view, query = "${local._sources} | ${local._looks[each.look]}" }
      }
      ], [
      for each in local._metric_widgets : {
        type   = "metric"
        x      = each.x
        y      = 19
        width  = 8
        height = 6
        properties = merge(
          {
            title   = each.title
            region  = local._region
            view    = "timeSeries"
            stat    = each.stat
            period  = 300
            metrics = [for function in var.functions : ["AWS/Lambda", each.metric, "FunctionName", function.name, { label = function.hook }]]
          },
          each.metric == "Duration" ? { annotations = { horizontal = [{ label = "time-out", value = var.timeout * 1000 }] } } : {},
        )
      }
    ])
  })
}

resource "aws_cloudwatch_query_definition" "hooks" {
  for_each = var.create_dashboard ? local._queries : {}

  name            = "${var.name}/${each.key}"
  log_group_names = var.functions[*].log_group
  query_string    = each.value
}
