"""CloudWatch: alarms by name, metrics over a window, and the numbers made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Optional

from gate import aws
from gate.verdict import CannotLook, Finding, Outcome, failed, passed

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
        answer = aws.call(
            "cloudwatch",
            "describe_alarms",
            AlarmNames=wanted[start : start + 100],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],  # without this, composite ones are left out in silence
            MaxRecords=100,
        )
        for entry in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]:
            alarm = Alarm(
                name=str(entry.get("AlarmName", "")),
                state=str(entry.get("StateValue", "unknown")),
                reason=str(entry.get("StateReason") or "no reason given"),
            )
            found[alarm.name] = alarm
    return found


def judge_alarms(expected: Mapping[str, str]) -> list[Finding]:
    """Look at the alarms of `expected` (name → OK, ALARM, INSUFFICIENT_DATA or NOT_IN_ALARM).

    One that does not exist is an error: a typing mistake must not pass the gate. One that fires where it must
    not is certain, since its state is a summary of minutes already.
    """
    found = read_alarms(expected)
    findings = []
    for name, state in expected.items():
        alarm = found.get(name)
        if alarm is None:
            detail = f"alarm {name} does not exist: check its name and region"
            findings.append(Finding(Outcome.ERROR, detail, f"alarms:{name}", certain=True))
        elif alarm.state == state or (state == NOT_IN_ALARM and alarm.state in ("OK", "INSUFFICIENT_DATA")):
            findings.append(passed(f"alarm {name} is {alarm.state}", f"alarms:{name}"))
        else:
            findings.append(
                failed(
                    f"alarm {name} is {alarm.state}, expected {state} ({alarm.reason})",
                    f"alarms:{name}",
                    certain=alarm.state == "ALARM",
                )
            )
    return findings


@dataclass(frozen=True)
class Query:
    """One metric; `period` in seconds."""

    namespace: str
    metric_name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Average"
    period: int = 60


def read_metrics(queries: Mapping[str, Query], start: datetime, end: datetime) -> dict[str, list[float]]:
    """Each query's values between `start` and `end` (exclusive), oldest first; no datapoints, no values.

    Raises CannotLook where CloudWatch may not tell, and AwsThrottled where its answer stays incomplete.
    """
    names = list(queries)
    data = [
        {
            "Id": f"q{at}",
            "MetricStat": {
                "Metric": {
                    "Namespace": query.namespace,
                    "MetricName": query.metric_name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(query.dimensions.items())],
                },
                "Period": query.period,
                "Stat": query.statistic,
            },
        }
        for at, query in enumerate(queries.values())
    ]
    values: dict[str, list[float]] = {name: [] for name in names}
    status = dict.fromkeys(names, "no answer")
    for entry in aws.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=data,
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampAscending",
    ):
        name = names[int(str(entry.get("Id"))[1:])]
        status[name] = str(entry.get("StatusCode"))
        if status[name] == "Forbidden":
            raise CannotLook(f"CloudWatch may not give the values of {name} (Forbidden)")
        values[name] += [float(value) for value in entry.get("Values") or []]
    incomplete = ", ".join(f"{name} ({word})" for name, word in status.items() if word != "Complete")
    if incomplete:  # PartialData is followed by a page with the rest
        said = f"CloudWatch's answer is not complete for {incomplete}"
        raise aws.AwsThrottled(said, "cloudwatch", "get_metric_data")
    return values


@dataclass(frozen=True)
class TrafficFigures:
    """What the load balancer measured on one target group over a window. Latencies in milliseconds, worst minute."""

    requests: int
    errors: int
    p95_ms: Optional[float]
    p99_ms: Optional[float]
    unhealthy_hosts: Optional[float]

    @property
    def error_rate(self) -> float:
        """5xx answers of the targets per request, 0 to 1."""
        return self.errors / self.requests if self.requests else 0.0


def read_traffic(load_balancer: str, target_group: str, start: datetime, end: datetime) -> TrafficFigures:
    """The ALB's own metrics of one target group; both names are CloudWatch dimension values."""
    dimensions = {"LoadBalancer": load_balancer, "TargetGroup": target_group}
    statistics = {
        "requests": ("RequestCount", "Sum"),
        "errors": ("HTTPCode_Target_5XX_Count", "Sum"),  # published only when above 0
        "p95": ("TargetResponseTime", "p95"),
        "p99": ("TargetResponseTime", "p99"),
        "unhealthy": ("UnHealthyHostCount", "Maximum"),
    }
    values = read_metrics(
        {name: Query("AWS/ApplicationELB", metric, dimensions, stat) for name, (metric, stat) in statistics.items()},
        start,
        end,
    )
    return TrafficFigures(
        requests=int(sum(values["requests"])),
        errors=int(sum(values["errors"])),
        p95_ms=_worst(values["p95"], scale=1000),
        p99_ms=_worst(values["p99"], scale=1000),
        unhealthy_hosts=_worst(values["unhealthy"]),
    )


def _worst(values: Sequence[float], scale: float = 1) -> float | None:
    return max(values) * scale if values else None
