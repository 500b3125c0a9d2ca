"""CloudWatch: alarms by name, metrics over a window, and the figures made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Optional

from gate import aws
from gate.statistics import requests_needed
from gate.verdict import CannotLook, Finding, Outcome, failed, passed, skipped

NOT_IN_ALARM = "not ALARM"


@dataclass(frozen=True)
class Alarm:
    """A metric or composite alarm; `state` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    reason: str


def read_alarms(names: Iterable[str]) -> dict[str, Alarm]:
    """The alarms of these names, metric and composite; a name that does not exist is not among them."""
    wanted = list(dict.fromkeys(names))
    found: dict[str, Alarm] = {}
    for start in range(0, len(wanted), 100):  # DescribeAlarms takes 100 names at most
        for answer in aws.answers(
            "cloudwatch",
            "describe_alarms",
            AlarmNames=wanted[start : start + 100],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],  # without this, composite ones are left out in silence
            MaxRecords=100,
        ):
            for entry in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]:
                alarm = Alarm(
                    name=str(entry.get("AlarmName", "")),
                    state=str(entry.get("StateValue", "unknown")),
                    reason=str(entry.get("StateReason") or "no reason given"),
                )
                found[alarm.name] = alarm
    return found


def judge_alarms(
    expected: Mapping[str, str], insufficient_data: Optional[str] = None, missing: str = "fail"
) -> list[Finding]:
    """Look at the alarms of `expected` (name → OK, ALARM, INSUFFICIENT_DATA or NOT_IN_ALARM).

    One that does not exist is an error, unless `missing` is "pass": a typing mistake must not pass the gate. One that
    fires where it must not is certain, since its state is a summary of minutes already. `insufficient_data` ("pass" or
    "fail") says what that state means where another is expected; None: a pass where the alarm just must not fire.
    """
    found = read_alarms(expected)
    findings = []
    for name, state in expected.items():
        alarm, label = found.get(name), f"alarms:{name}"
        if alarm is None and missing == "pass":
            findings.append(skipped(f"alarm {name} does not exist, which missing_alarms lets pass", label))
        elif alarm is None:
            detail = f"alarm {name} does not exist: check its name and region"
            findings.append(Finding(Outcome.ERROR, detail, label, certain=True))
        elif _is_expected(alarm.state, state, insufficient_data):
            findings.append(passed(f"alarm {name} is {alarm.state}", label))
        else:
            said = f"alarm {name} is {alarm.state}, expected {state} ({alarm.reason})"
            findings.append(failed(said, label, certain=alarm.state == "ALARM"))
    return findings


def _is_expected(state: str, expected: str, insufficient_data: Optional[str]) -> bool:
    if state == expected:
        return True
    if state == "INSUFFICIENT_DATA":
        return expected in ("OK", NOT_IN_ALARM) and (insufficient_data or _BY_DEFAULT[expected]) == "pass"
    return expected == NOT_IN_ALARM and state == "OK"


_BY_DEFAULT = {"OK": "fail", NOT_IN_ALARM: "pass"}

Series = Mapping[datetime, float]  # values by the beginning of their period, oldest first


@dataclass(frozen=True)
class Query:
    """One metric; `period` in seconds."""

    namespace: str
    metric_name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Average"
    period: int = 60


def read_metrics(
    queries: Mapping[str, Query], start: datetime, end: datetime, expression: Optional[str] = None
) -> dict[str, Series]:
    """Each query's values between `start` and `end` (exclusive); no datapoints, no values.

    With `expression`, metric maths over the queries' names, its values alone, as `RESULT`. Raises CannotLook where
    CloudWatch may not tell, and AwsThrottled where its answer stays incomplete.
    """
    ids = {name: name if expression else f"q{at}" for at, name in enumerate(queries)}
    data: list[dict[str, Any]] = [
        {
            "Id": ids[name],
            "MetricStat": {
                "Metric": {
                    "Namespace": query.namespace,
                    "MetricName": query.metric_name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(query.dimensions.items())],
                },
                "Period": query.period,
                "Stat": query.statistic,
            },
            "ReturnData": expression is None,
        }
        for name, query in queries.items()
    ]
    if expression:
        data.append({"Id": RESULT, "Expression": expression})
        ids = {RESULT: RESULT}
    names = {key: name for name, key in ids.items()}
    values: dict[str, dict[datetime, float]] = {name: {} for name in ids}
    status = dict.fromkeys(ids, "no answer")
    labels: dict[str, str] = {}
    for entry in aws.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=data,
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampAscending",
    ):
        if entry.get("Id") not in names:
            raise CannotLook("cloudwatch:GetMetricData answered values, and not of which metric")
        name = names[str(entry["Id"])]
        status[name] = str(entry.get("StatusCode"))
        if status[name] == "Forbidden":
            raise CannotLook(f"CloudWatch may not give the values of {name} (Forbidden)")
        label = str(entry.get("Label"))
        if labels.setdefault(name, label) != label:
            raise CannotLook(f"metric {name} is several series ({labels[name]}, {label}, …): add them up (SUM, MAX)")
        values[name].update(zip(entry.get("Timestamps") or [], map(float, entry.get("Values") or [])))
    incomplete = ", ".join(f"{name} ({word})" for name, word in status.items() if word != "Complete")
    if incomplete:  # PartialData is followed by a page with the rest
        said = f"CloudWatch's answer is not complete for {incomplete}"
        raise aws.AwsThrottled(said, "cloudwatch", "get_metric_data")
    return dict(values)


RESULT = "result_of_expression"
LATENCIES = {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "max": "Maximum"}  # our word → CloudWatch's


@dataclass(frozen=True)
class TrafficFigures:
    """What was measured on one target group over a window, by minute. Latencies in seconds, as CloudWatch has them."""

    series: Mapping[str, Series]

    def total(self, name: str) -> int:
        """The sum of a count; what was not published was zero."""
        return int(sum(self.series[name].values()))

    def latencies(self, word: str, own: Mapping[int, int] | None = None) -> list[float]:
        """A latency in the minutes that had requests enough to speak of it, in ms: one slow request is no P99.

        With the hook's `own` requests by minute, without those in which more than a tenth of all were its own: they may
        be slower than customers'.
        """
        needed, requests = requests_needed(word), self.series["requests"]
        return [
            1000 * value
            for at, value in self.series[word].items()
            if requests.get(at, 0.0) >= needed and 10 * (own or {}).get(minute_of(at), 0) <= requests[at]
        ]

    def without_errors(self, asked_for: Mapping[int, int]) -> TrafficFigures:
        """The same without so many errors in a minute: the hook itself asked for them."""
        less = {
            name: {at: max(0.0, count - asked_for.get(minute_of(at), 0)) for at, count in self.series[name].items()}
            for name in ("requests", "errors")
        }
        return TrafficFigures({**self.series, **less})

    def average(self, name: str) -> Optional[float]:
        """The average of the values; None without any."""
        values = list(self.series[name].values())
        return sum(values) / len(values) if values else None

    @property
    def requests(self) -> int:
        """Requests that a target was chosen for."""
        return max(self.total("requests"), self.errors)

    @property
    def errors(self) -> int:
        """5xx answers of the targets, and targets that could not be reached at all (a 502 of the load balancer's)."""
        return self.total("errors") + self.total("connection_errors")

    @property
    def error_rate(self) -> float:
        """Errors per request, 0 to 1."""
        return self.errors / self.requests if self.requests else 0.0


def minute_of(at: datetime) -> int:
    """The minute in which a moment lies, counted as epoch seconds are."""
    return int(at.timestamp() // 60)


class OwnRequests:
    """What the hook itself sent, by minute: green is not blamed for what that caused.

    `sent`: all. `answered`: those that a target must have counted, too; an answer that redirects may be the load
    balancer's. `asked_for`: those answered by an error that a check expects. `state` is what `as_state` gave.
    """

    def __init__(self, state: Mapping[str, Mapping[str, int]] | None = None) -> None:
        kept = {name: (state or {}).get(name) or {} for name in ("sent", "answered", "asked_for")}
        counts = {name: Counter({int(at): int(count) for at, count in each.items()}) for name, each in kept.items()}
        self.sent, self.answered, self.asked_for = counts["sent"], counts["answered"], counts["asked_for"]

    def take(self, sent: list[tuple[float, int]], expected: Container[int]) -> None:
        """Count requests, each as (epoch seconds, status or 0), and leave none in the list."""
        while sent:
            at, status = sent.pop()
            minute = int(at // 60)
            self.sent[minute] += 1
            self.answered[minute] += bool(status) and status // 100 != 3
            self.asked_for[minute] += status >= 500 and status in expected

    def spread(self, count: int, began: datetime, ended: datetime) -> None:
        """Count a load, which was sent evenly."""
        since, until = began.timestamp(), max(ended.timestamp(), began.timestamp() + 1)
        for minute in range(int(since // 60), int(until // 60) + 1):
            within = min(until, 60 * (minute + 1)) - max(since, 60 * minute)
            self.sent[minute] += round(count * within / (until - since))

    def answered_since(self, moment: datetime) -> list[int]:
        """The minutes, from that of a moment on, in which a target must have counted requests."""
        return sorted(minute for minute, count in self.answered.items() if count and minute >= minute_of(moment))

    def as_state(self) -> dict[str, dict[str, int]]:
        """As JSON, small: for the invocation that goes on."""
        counts = {"sent": self.sent, "answered": self.answered, "asked_for": self.asked_for}
        return {name: {str(at): count for at, count in each.items() if count} for name, each in counts.items()}


def read_traffic(
    load_balancer: str, target_group: str, start: datetime, end: datetime, service: Optional[tuple[str, str]] = None
) -> TrafficFigures:
    """The load balancer's own metrics of one target group (both names are CloudWatch dimension values).

    Of a Network Load Balancer there are but the unhealthy targets. With `service` (cluster and service), ECS's of the
    whole service too: it has none of a task set alone.
    """
    ours = {"LoadBalancer": load_balancer, "TargetGroup": target_group}
    figures = {
        "requests": ("RequestCount", "Sum", ours),
        "errors": ("HTTPCode_Target_5XX_Count", "Sum", ours),  # published only when above 0
        "connection_errors": ("TargetConnectionErrorCount", "Sum", ours),
        "unhealthy_hosts": ("UnHealthyHostCount", "Maximum", ours),
        "rejected_connections": ("RejectedConnectionCount", "Sum", {"LoadBalancer": load_balancer}),
        **{word: ("TargetResponseTime", statistic, ours) for word, statistic in LATENCIES.items()},
    }
    space = "AWS/NetworkELB" if load_balancer.startswith("net/") else "AWS/ApplicationELB"
    queries = {name: Query(space, metric, of, stat) for name, (metric, stat, of) in figures.items()}
    if service:
        of = {"ClusterName": service[0], "ServiceName": service[1]}
        queries["cpu"] = Query("AWS/ECS", "CPUUtilization", of)
        queries["memory"] = Query("AWS/ECS", "MemoryUtilization", of)
    return TrafficFigures(read_metrics(queries, start, end))
