"""CloudWatch: alarms and metric data.

moto has no composite alarms, lets new alarms start at OK, raises at percentiles, mixes metrics of other dimensions, and
answers metric maths with nothing. As on AWS:

- a new metric alarm is INSUFFICIENT_DATA, and keeps its state when it is put again;
- DescribeAlarms returns metric alarms only, unless AlarmTypes asks for others; unknown names are silently absent;
- a composite alarm follows its children;
- GetMetricData: EndTime is exclusive, a metric without data has empty Values, at most 500 queries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDatum,
    MetricDatumBase,
)
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from rehearsal.aws.graft import graft
from rehearsal.aws.metric_math import ExpressionError, Series, evaluate, ids_in

MAX_QUERIES = 500
"""How many queries GetMetricData takes (API reference)."""

# Alarms.

_original_put_alarm = CloudWatchBackend.put_metric_alarm
_original_set_state = CloudWatchBackend.set_alarm_state
_original_get_metric_data = CloudWatchBackend.get_metric_data


class AlarmAdditions(CloudWatchBackend):  # type: ignore[misc]
    """Alarms as AWS keeps them."""

    def put_metric_alarm(self, name: str, *args: Any, **kwargs: Any) -> Alarm:
        """Put an alarm: a new one is INSUFFICIENT_DATA, an existing one keeps its state and history."""
        before = self.alarms.get(name)
        alarm: Alarm = _original_put_alarm(self, name, *args, **kwargs)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            for attribute in (
                "state_value",
                "state_reason",
                "state_reason_data",
                "state_updated_timestamp",
                "history",
            ):
                setattr(alarm, attribute, getattr(before, attribute))
        return alarm

    def set_alarm_state(self, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        """Set an alarm's state; a composite one keeps it until its children change."""
        _original_set_state(self, alarm_name, reason, reason_data, state_value)
        alarm = self.alarms[alarm_name]
        if alarm.rule is not None:
            alarm.set_by_hand = _children(self, alarm.rule)

    def follow_children(self) -> None:
        """Bring the composite alarms up to date, those that watch others of their kind last."""
        composites = [alarm for alarm in self.alarms.values() if alarm.rule is not None]
        # A chain of composites is at most as long as there are composites.
        for _ in composites:
            for alarm in composites:
                children = _children(self, alarm.rule)
                if getattr(alarm, "set_by_hand", None) == children:
                    continue
                alarm.set_by_hand = None
                state = "ALARM" if holds(alarm.rule, children) else "OK"
                if state != alarm.state_value:
                    alarm.update_state(f"{alarm.rule} is {'true' if state == 'ALARM' else 'false'}", "{}", state)


def _children(backend: CloudWatchBackend, rule: str) -> dict[str, str]:
    """Return the states of the alarms that a rule names, by name or ARN as written there."""
    by_arn = {alarm.alarm_arn: alarm for alarm in backend.alarms.values()}
    found = {}
    for name in _names_in(rule):
        alarm = by_arn.get(name) or backend.alarms.get(name)
        if alarm is not None:
            found[name] = str(alarm.state_value)
    return found


_RULE_TOKEN = re.compile(
    r"\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^)\s]+))\s*\)"
    r"|(AND|OR|NOT|TRUE|FALSE)\b|([()]))"
)


def _names_in(rule: str) -> list[str]:
    return [a or b or c for state, a, b, c, _, _ in _RULE_TOKEN.findall(rule) if state]


def holds(rule: str, states: dict[str, str]) -> bool:
    """Evaluate a composite alarm's rule: `ALARM("a") AND NOT (OK(b) OR TRUE)`.

    Raises:
        ValidationError: the rule cannot be read.
    """
    tokens: list[bool | str] = []
    position, text = 0, rule.strip()
    while position < len(text):
        match = _RULE_TOKEN.match(text, position)
        if match is None:
            raise ValidationError(f"AlarmRule is not valid at {text[position:]!r}")
        state, first, second, third, word, bracket = match.groups()
        if state:
            tokens.append(states.get(first or second or third) == state)
        elif word in ("TRUE", "FALSE"):
            tokens.append(word == "TRUE")
        else:
            tokens.append(word or bracket)
        position = match.end()
    value, rest = _disjunction(tokens, rule)
    if rest:
        raise ValidationError(f"AlarmRule is not valid: {rule!r}")
    return value


def _disjunction(tokens: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    value, tokens = _conjunction(tokens, rule)
    while tokens and tokens[0] == "OR":
        other, tokens = _conjunction(tokens[1:], rule)
        value = value or other
    return value, tokens


def _conjunction(tokens: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    value, tokens = _term(tokens, rule)
    while tokens and tokens[0] == "AND":
        other, tokens = _term(tokens[1:], rule)
        value = value and other
    return value, tokens


def _term(tokens: list[bool | str], rule: str) -> tuple[bool, list[bool | str]]:
    if not tokens:
        raise ValidationError(f"AlarmRule ends too early: {rule!r}")
    first, rest = tokens[0], tokens[1:]
    if isinstance(first, bool):
        return first, rest
    if first == "NOT":
        value, rest = _term(rest, rule)
        return not value, rest
    if first == "(":
        value, rest = _disjunction(rest, rule)
        if rest and rest[0] == ")":
            return value, rest[1:]
    raise ValidationError(f"AlarmRule is not valid: {rule!r}")


# Metric data.


class MetricAdditions(CloudWatchBackend):  # type: ignore[misc]
    """Metric data as AWS answers it."""

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampDescending",
    ) -> list[dict[str, Any]]:
        """Return the results of the queries whose data are wanted."""
        if len(queries) > MAX_QUERIES:
            raise ValidationError(f"MetricDataQueries has {len(queries)} members; {MAX_QUERIES} are allowed.")
        start, end = _utc(start_time), _utc(end_time)
        if start >= end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        if any(str(query.get("Expression", "")).startswith("SELECT") for query in queries):
            # Metrics Insights: left to moto.
            results: list[dict[str, Any]] = _original_get_metric_data(self, queries, start_time, end_time, scan_by)
            return results
        series: dict[str, Series] = {}
        for query in _in_order(queries):
            series[query["Id"]] = self._series_of(query, queries, series, start, end)
        return [
            _result(query, series[query["Id"]], scan_by)
            for query in queries
            if str(query.get("ReturnData", True)).lower() != "false"
        ]

    def _series_of(
        self,
        query: dict[str, Any],
        queries: list[dict[str, Any]],
        series: dict[str, Series],
        start: datetime,
        end: datetime,
    ) -> Series:
        if "MetricStat" in query:
            return self._statistics(query["MetricStat"], start, end)
        periods = [int(q["MetricStat"]["Period"]) for q in queries if "MetricStat" in q]
        times = periods_of(start, end, int(query.get("Period") or (min(periods) if periods else 60)))
        try:
            return evaluate(query["Expression"], series, times)
        except ExpressionError as error:
            raise ValidationError(f"Error in expression '{query['Id']}': {error}") from error

    def _statistics(self, metric_stat: dict[str, Any], start: datetime, end: datetime) -> Series:
        metric = metric_stat["Metric"]
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or []}
        unit = metric_stat.get("Unit")
        period = int(metric_stat["Period"])
        data = [
            datum
            for datum in self.metric_data
            if datum.namespace == metric["Namespace"]
            and datum.name == metric["MetricName"]
            and {d.name: d.value for d in datum.dimensions} == dimensions
            and (not unit or datum.unit == unit)
        ]
        buckets: dict[datetime, list[MetricDatumBase]] = {}
        times = periods_of(start, end, period)
        for datum in data:
            at = _utc(datum.timestamp)
            if times and times[0] <= at < end:
                buckets.setdefault(times[int((at - times[0]).total_seconds() // period)], []).append(datum)
        return {time: statistic(metric_stat["Stat"], buckets[time]) for time in sorted(buckets)}


def _utc(moment: datetime) -> datetime:
    """Return a time without zone, in UTC: moto keeps some with a zone and some without."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment


def periods_of(start: datetime, end: datetime, period: int) -> list[datetime]:
    """Return the beginnings of the periods in a range; the start is rounded down to the minute (API reference)."""
    step = min(period, 60)
    seconds = int((start - datetime(1970, 1, 1)).total_seconds())
    first = datetime(1970, 1, 1) + timedelta(seconds=seconds - seconds % step)
    count = max(0, math.ceil((end - first).total_seconds() / period))
    return [first + timedelta(seconds=period * index) for index in range(count)]


def statistic(name: str, data: Iterable[MetricDatumBase]) -> float:
    """Return a statistic of data points: Sum, Average, Minimum, Maximum, SampleCount or a percentile (p99, p99.9).

    A statistic set counts as its average, as often as it has samples, in a percentile: CloudWatch has no percentiles of
    statistic sets with more than one sample, unless all are equal.
    """
    values: list[float] = []
    total = count = 0.0
    lowest, highest = math.inf, -math.inf
    for datum in data:
        if isinstance(datum, MetricDatum):
            values.append(datum.value)
            total, count = total + datum.value, count + 1
            lowest, highest = min(lowest, datum.value), max(highest, datum.value)
        elif isinstance(datum, MetricAggregatedDatum):
            average = datum.sum / datum.sample_count if datum.sample_count else 0.0
            values.extend([average] * int(datum.sample_count))
            total, count = total + datum.sum, count + datum.sample_count
            lowest, highest = min(lowest, datum.min), max(highest, datum.max)
    simple = {"Sum": total, "SampleCount": count, "Minimum": lowest, "Maximum": highest}
    if name in simple:
        return float(simple[name])
    if name == "Average":
        return total / count if count else 0.0
    match = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?|100)", name)
    if match is None:
        raise ValidationError(f"The value {name} for parameter Stat is not supported.")
    return percentile(values, float(match.group(1)))


def percentile(values: list[float], rank: float) -> float:
    """Return the value below which `rank` percent of the values lie: the nearest one, not interpolated."""
    ordered = sorted(values)
    index = math.ceil(rank / 100 * len(ordered)) - 1
    return ordered[min(max(index, 0), len(ordered) - 1)] if ordered else math.nan


def _in_order(queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return queries so that each comes after those its expression names."""
    ordered: list[dict[str, Any]] = [query for query in queries if "MetricStat" in query]
    waiting = [query for query in queries if "MetricStat" not in query]
    ids = {query["Id"] for query in queries}
    while waiting:
        done = {query["Id"] for query in ordered}
        ready = [q for q in waiting if (ids_in(q["Expression"]) & ids) <= done]
        if not ready:
            raise ValidationError(f"The expression of '{waiting[0]['Id']}' depends on itself.")
        ordered.extend(ready)
        waiting = [query for query in waiting if query not in ready]
    return ordered


def _result(query: dict[str, Any], series: Series, scan_by: str) -> dict[str, Any]:
    times = sorted(series, reverse=scan_by != "TimestampAscending")
    label = query.get("Label")
    if not label and "MetricStat" in query:
        label = query["MetricStat"]["Metric"]["MetricName"]
    return {
        "Id": query["Id"],
        "Label": label or query["Id"],
        "Timestamps": times,
        "Values": [series[time] for time in times],
        "StatusCode": "Complete",
    }


# The operations.


class Answers(CloudWatchResponse):  # type: ignore[misc]
    """Operations added to moto's, or put in the place of its own."""

    def put_composite_alarm(self) -> ActionResult:
        rule = self._get_param("AlarmRule")
        backend = self.cloudwatch_backend
        holds(rule, _children(backend, rule))
        missing = [name for name in _names_in(rule) if name not in _children(backend, rule)]
        if missing:
            raise ValidationError(
                f"Could not save the composite alarm as alarms {missing} in the alarm rule do not exist"
            )
        alarm = backend.put_metric_alarm(
            self._get_param("AlarmName"),
            namespace=None,
            metric_name=None,
            comparison_operator=None,
            evaluation_periods=None,
            period=None,
            threshold=None,
            statistic=None,
            description=self._get_param("AlarmDescription"),
            dimensions=[],
            alarm_actions=self._get_param("AlarmActions") or [],
            ok_actions=self._get_param("OKActions") or [],
            insufficient_data_actions=self._get_param("InsufficientDataActions") or [],
            actions_enabled=self._get_bool_param("ActionsEnabled"),
            rule=rule,
            tags=self._get_param("Tags") or [],
        )
        for attribute in (
            "ActionsSuppressor",
            "ActionsSuppressorWaitPeriod",
            "ActionsSuppressorExtensionPeriod",
        ):
            setattr(alarm, attribute, self._get_param(attribute))
        return EmptyResult()

    def describe_alarms(self) -> ActionResult:
        backend = self.cloudwatch_backend
        backend.follow_children()
        names = self._get_param("AlarmNames")
        name_prefix = self._get_param("AlarmNamePrefix")
        if names and name_prefix:
            raise ValidationError("AlarmNames and AlarmNamePrefix cannot both be given.")
        action_prefix = self._get_param("ActionPrefix")
        state = self._get_param("StateValue")
        found = [
            alarm
            for name, alarm in sorted(backend.alarms.items())
            if (not names or name in names)
            and (not name_prefix or name.startswith(name_prefix))
            and (not state or alarm.state_value == state)
            and (not action_prefix or any(action.startswith(action_prefix) for action in alarm.alarm_actions))
        ]
        types = self._get_param("AlarmTypes") or ["MetricAlarm"]
        found = [a for a in found if ("MetricAlarm" if a.rule is None else "CompositeAlarm") in types]
        first = int(self._get_param("NextToken") or 0)
        after = first + int(self._get_param("MaxRecords") or 50)
        page = found[first:after]
        return ActionResult(
            {
                "MetricAlarms": [alarm for alarm in page if alarm.rule is None],
                "CompositeAlarms": [_composite(alarm) for alarm in page if alarm.rule is not None],
                "NextToken": str(after) if after < len(found) else None,
            }
        )

    def set_alarm_state(self) -> ActionResult:
        if self._get_param("AlarmName") not in self.cloudwatch_backend.alarms:
            raise ServiceException("ResourceNotFound", "Unknown alarm")
        self.cloudwatch_backend.set_alarm_state(
            self._get_param("AlarmName"),
            self._get_param("StateReason"),
            self._get_param("StateReasonData"),
            self._get_param("StateValue"),
        )
        return EmptyResult()


def _composite(alarm: Alarm) -> dict[str, Any]:
    """Return the shape CompositeAlarm."""
    return {
        "ActionsEnabled": alarm.actions_enabled,
        "AlarmActions": alarm.alarm_actions,
        "AlarmArn": alarm.alarm_arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configuration_updated_timestamp,
        "AlarmDescription": alarm.description,
        "AlarmName": alarm.name,
        "AlarmRule": alarm.rule,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "OKActions": alarm.ok_actions,
        "StateReason": alarm.state_reason,
        "StateReasonData": alarm.state_reason_data,
        "StateUpdatedTimestamp": alarm.state_updated_timestamp,
        "StateTransitionedTimestamp": alarm.state_updated_timestamp,
        "StateValue": alarm.state_value,
        "ActionsSuppressor": getattr(alarm, "ActionsSuppressor", None),
        "ActionsSuppressorWaitPeriod": getattr(alarm, "ActionsSuppressorWaitPeriod", None),
        "ActionsSuppressorExtensionPeriod": getattr(alarm, "ActionsSuppressorExtensionPeriod", None),
    }


def install() -> None:
    """Put the additions into moto."""
    graft(AlarmAdditions)
    graft(MetricAdditions)
    graft(Answers)
