"""CloudWatch: alarms and metric data.

moto has no composite alarms, lets new alarms start at OK, raises at percentiles, and mixes metrics of other dimensions.
As on AWS:

- a new metric alarm is INSUFFICIENT_DATA, and keeps its state when it is put again;
- DescribeAlarms returns metric alarms only, unless AlarmTypes asks for others; unknown names are silently absent;
- a composite alarm follows its children;
- GetMetricData: EndTime is exclusive, a metric without data has empty Values, at most 500 queries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDatum,
    MetricDatumBase,
)
from moto.cloudwatch.responses import CloudWatchResponse
from moto.cloudwatch.utils import make_arn_for_alarm
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow

from rehearsal.aws.graft import graft

Series = dict[datetime, float]

MAX_QUERIES = 500
"""How many queries GetMetricData takes (API reference)."""

DEFAULT_RECORDS = 50
"""How many alarms DescribeAlarms returns at a time, unless told otherwise (the console's default)."""

# Alarms.

_original_init = CloudWatchBackend.__init__
_original_delete = CloudWatchBackend.delete_alarms
_original_put_alarm = CloudWatchBackend.put_metric_alarm
_original_set_state = CloudWatchBackend.set_alarm_state
_original_get_metric_data = CloudWatchBackend.get_metric_data


class CloudWatchError(ServiceException):
    """An error of the service model: `code` is the name of one of its error shapes."""


@dataclass
class CompositeAlarm:
    """An alarm on other alarms."""

    name: str
    arn: str
    rule: str
    given: dict[str, Any]
    """The parameters of PutCompositeAlarm."""
    state: str = "OK"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = "{}"
    configured: datetime = field(default_factory=utcnow)
    updated: datetime = field(default_factory=utcnow)
    set_by_hand: dict[str, str] | None = None
    """The children's states when SetAlarmState was called: it lasts until they change."""

    def set_state(self, state: str, reason: str, reason_data: str) -> None:
        """Change the state."""
        self.state, self.reason, self.reason_data, self.updated = state, reason, reason_data, utcnow()

    def describe(self) -> dict[str, Any]:
        """Return the shape CompositeAlarm."""
        return {
            **self.given,
            "ActionsEnabled": self.given.get("ActionsEnabled", True),
            "AlarmActions": self.given.get("AlarmActions") or [],
            "OKActions": self.given.get("OKActions") or [],
            "InsufficientDataActions": self.given.get("InsufficientDataActions") or [],
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "StateReason": self.reason,
            "StateReasonData": self.reason_data,
            "StateUpdatedTimestamp": self.updated,
            "StateTransitionedTimestamp": self.updated,
            "StateValue": self.state,
        }


class AlarmBackend(CloudWatchBackend):
    """moto's backend, with alarms as AWS keeps them."""

    def __init__(self, region_name: str, account_id: str) -> None:
        _original_init(self, region_name, account_id)
        self.composites: dict[str, CompositeAlarm] = {}

    def put_metric_alarm(self, name: str, *args: Any, **kwargs: Any) -> Alarm:
        """Put an alarm: a new one is INSUFFICIENT_DATA, an existing one keeps its state and history."""
        before = self.alarms.get(name)
        alarm = _original_put_alarm(self, name, *args, **kwargs)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            for attribute in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history"):
                setattr(alarm, attribute, getattr(before, attribute))
        return alarm

    def put_composite_alarm(self, given: dict[str, Any]) -> CompositeAlarm:
        """Put a composite alarm, all of whose children must exist."""
        rule = given["AlarmRule"]
        children = self.children_of(rule)
        holds(rule, children)
        missing = [name for name in _names_in(rule) if name not in children]
        if missing:
            raise ValidationError(
                f"Could not save the composite alarm as alarms {missing} in the alarm rule do not exist"
            )
        tags = given.pop("Tags", None)
        name = given["AlarmName"]
        arn = make_arn_for_alarm(self.region_name, self.account_id, name)
        alarm = self.composites.get(name) or CompositeAlarm(name, arn, rule, given)
        alarm.rule, alarm.given, alarm.configured = rule, given, utcnow()
        self.composites[name] = alarm
        if tags:
            self.tagger.tag_resource(arn, tags)
        return alarm

    def delete_alarms(self, alarm_names: list[str]) -> None:
        """Delete alarms of both kinds."""
        _original_delete(self, alarm_names)
        for name in alarm_names:
            self.composites.pop(name, None)

    def set_alarm_state(self, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        """Set an alarm's state; a composite one keeps it until its children change."""
        composite = self.composites.get(alarm_name)
        if composite is None:
            if alarm_name not in self.alarms:
                # moto's class names an error that the service model does not have.
                raise CloudWatchError("ResourceNotFound", f"The alarm {alarm_name} does not exist.")
            _original_set_state(self, alarm_name, reason, reason_data, state_value)
        else:
            composite.set_state(state_value, reason, reason_data or "{}")
            composite.set_by_hand = self.children_of(composite.rule)

    def children_of(self, rule: str) -> dict[str, str]:
        """Return the states of the alarms that a rule names, by name or ARN as written there."""
        states = {name: str(alarm.state_value) for name, alarm in self.alarms.items()}
        states.update({alarm.alarm_arn: str(alarm.state_value) for alarm in self.alarms.values()})
        for composite in self.composites.values():
            states[composite.name] = states[composite.arn] = composite.state
        return {name: states[name] for name in _names_in(rule) if name in states}

    def follow_children(self) -> None:
        """Bring the composite alarms up to date, also those that watch others of their kind."""
        # A chain of composites is at most as long as there are composites.
        for _ in range(len(self.composites)):
            for alarm in self.composites.values():
                children = self.children_of(alarm.rule)
                if alarm.set_by_hand == children:
                    continue
                alarm.set_by_hand = None
                state = "ALARM" if holds(alarm.rule, children) else "OK"
                if state != alarm.state:
                    alarm.set_state(state, f"{alarm.rule} is {str(state == 'ALARM').lower()}", "{}")


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


class MetricBackend(AlarmBackend):
    """moto's backend, with metric data as AWS answers them."""

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
        if any("Expression" in query for query in queries):  # metric maths and Metrics Insights: left to moto
            results: list[dict[str, Any]] = _original_get_metric_data(self, queries, start_time, end_time, scan_by)
            return results
        return [
            _result(query, self._statistics(query["MetricStat"], start, end), scan_by)
            for query in queries
            if str(query.get("ReturnData", True)).lower() != "false"
        ]

    def _statistics(self, metric_stat: dict[str, Any], start: datetime, end: datetime) -> Series:
        metric = metric_stat["Metric"]
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or []}
        unit = metric_stat.get("Unit")
        period = int(metric_stat["Period"])
        name = checked_statistic(metric_stat["Stat"])
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
        return {time: statistic(name, buckets[time]) for time in sorted(buckets)}


def _utc(moment: datetime) -> datetime:
    """Return a time without zone, in UTC: moto keeps some with a zone and some without."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment


def periods_of(start: datetime, end: datetime, period: int) -> list[datetime]:
    """Return the beginnings of the periods in a range; the start is rounded down to the minute (API reference)."""
    step = min(period, 60)
    first = start - timedelta(seconds=(start.minute * 60 + start.second) % step, microseconds=start.microsecond)
    count = max(0, math.ceil((end - first).total_seconds() / period))
    return [first + timedelta(seconds=period * index) for index in range(count)]


_SIMPLE = {"Sum", "SampleCount", "Minimum", "Maximum", "Average"}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def checked_statistic(name: str) -> str:
    """Return the name of a statistic; raises ValidationError for one that is not known here."""
    if name not in _SIMPLE and not _PERCENTILE.fullmatch(name):
        raise ValidationError(f"The value {name} for parameter Stat is not supported.")
    return name


def statistic(name: str, data: Iterable[MetricDatumBase]) -> float:
    """Return a statistic of data points: Sum, Average, Minimum, Maximum, SampleCount or a percentile (p99, p99.9).

    A statistic set counts in a percentile as its average, as often as it has samples.
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
    average = total / count if count else 0.0
    simple = {"Sum": total, "SampleCount": count, "Minimum": lowest, "Maximum": highest, "Average": average}
    match = _PERCENTILE.fullmatch(checked_statistic(name))
    return percentile(values, float(match.group(1))) if match else simple[name]


def percentile(values: list[float], rank: float) -> float:
    """Return the value below which `rank` percent of the values lie: the nearest one, not interpolated."""
    ordered = sorted(values)
    index = math.ceil(rank / 100 * len(ordered)) - 1
    return ordered[min(max(index, 0), len(ordered) - 1)] if ordered else math.nan


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


class Answers(CloudWatchResponse):
    """Operations added to moto's, or put in the place of its own."""

    def put_composite_alarm(self) -> ActionResult:
        """Answer PutCompositeAlarm, which moto lacks."""
        cast(AlarmBackend, self.cloudwatch_backend).put_composite_alarm(dict(self._get_params()))
        return EmptyResult()

    def describe_alarms(self) -> ActionResult:
        """Answer DescribeAlarms with its filters together, and AlarmTypes."""
        backend = cast(AlarmBackend, self.cloudwatch_backend)
        backend.follow_children()
        names, name_prefix = self._get_param("AlarmNames"), self._get_param("AlarmNamePrefix")
        if names and name_prefix:
            raise ValidationError("AlarmNames and AlarmNamePrefix cannot both be given.")
        action_prefix, state = self._get_param("ActionPrefix"), self._get_param("StateValue")
        types = self._get_param("AlarmTypes") or ["MetricAlarm"]

        def wanted(name: str, value: str, actions: list[str]) -> bool:
            return (
                (not names or name in names)
                and (not name_prefix or name.startswith(name_prefix))
                and (not state or value == state)
                and (not action_prefix or any(action.startswith(action_prefix) for action in actions))
            )

        found: list[tuple[str, Any]] = []
        if "CompositeAlarm" in types:
            composites = [(name, alarm.describe()) for name, alarm in sorted(backend.composites.items())]
            found += [
                ("CompositeAlarms", alarm)
                for name, alarm in composites
                if wanted(name, alarm["StateValue"], alarm["AlarmActions"])
            ]
        if "MetricAlarm" in types:
            found += [
                ("MetricAlarms", alarm)
                for name, alarm in sorted(backend.alarms.items())
                if wanted(name, alarm.state_value, alarm.alarm_actions)
            ]
        first = int(self._get_param("NextToken") or 0)
        after = first + int(self._get_param("MaxRecords") or DEFAULT_RECORDS)
        answer: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
        for kind, alarm in found[first:after]:
            answer[kind].append(alarm)
        answer["NextToken"] = str(after) if after < len(found) else None
        return ActionResult(answer)


def install() -> None:
    """Put the additions into moto."""
    graft(MetricBackend)
    graft(Answers)
