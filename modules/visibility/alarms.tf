locals {
  # A function keeps 30 seconds for its report, and its watchdog reports when half of them are gone.
  _alarms = {
    errors    = { metric = "Errors", stat = "Sum", threshold = 1, says = "An invocation of %s could not report, or ended without a word: the deployment waits for a report. Its log says why." }
    throttles = { metric = "Throttles", stat = "Sum", threshold = 1, says = "Lambda throttled %s: the account has no concurrency left, and the deployment waits." }
    time_out  = { metric = "Duration", stat = "Maximum", threshold = (var.timeout - 15) * 1000, says = "An invocation of %s used up half of the time that it keeps for its report: look for a check that hangs, or raise timeout." }
  }
  _alarms_of_functions = merge([
    for function in var.functions : { for kind, alarm in local._alarms : "${function.hook}:${kind}" => merge(alarm, { kind = kind, function = function.name }) }
    if length(var.alarm_actions) > 0
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local._alarms_of_functions

  alarm_name          = "${each.value.function}-${replace(each.value.kind, "_", "-")}"
  alarm_description   = format(each.value.says, each.value.function)
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.function }
  statistic           = each.value.stat
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # a function that is not called has no figures
  alarm_actions       = var.alarm_actions

  tags = var.tags
}
