"""What CloudWatch says of metrics over a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gate import aws
from gate.elb import LoadBalancer, TargetGroup
from gate.figures import Series, TrafficFigures
from gate.options.production import Metric
from gate.options.requests import LATENCIES
from gate.verdict import ProbeError


@dataclass(frozen=True)
class Query:
    """One metric; `period` in seconds."""

    namespace: str
    metric_name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Average"
    period: int = 60

    def as_dict(self) -> dict[str, Any]:
        """As CloudWatch is asked."""
        dimensions = [{"Name": key, "Value": value} for key, value in sorted(self.dimensions.items())]
        metric = {"Namespace": self.namespace, "MetricName": self.metric_name, "Dimensions": dimensions}
        return {"Metric": metric, "Period": self.period, "Stat": self.statistic}


def read_metrics(queries: Mapping[str, Query], start: datetime, end: datetime) -> dict[str, Series]:
    """Each query's values between `start` and `end` (exclusive); no datapoints, no values.

    Raises ProbeError where CloudWatch may not tell, and AwsThrottled where its answer stays incomplete.
    """
    names = {f"q{at}": name for at, name in enumerate(queries)}
    values: dict[str, dict[datetime, float]] = {name: {} for name in queries}
    status = dict.fromkeys(queries, "no answer")
    for entry in aws.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=[{"Id": id_, "MetricStat": queries[name].as_dict()} for id_, name in names.items()],
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampAscending",
    ):
        if entry.get("Id") not in names:
            raise ProbeError("cloudwatch:GetMetricData answered values, and not of which metric")
        name = names[str(entry["Id"])]
        status[name] = str(entry.get("StatusCode"))
        if status[name] == "Forbidden":
            raise ProbeError(f"CloudWatch may not give the values of {name} (Forbidden)")
        values[name].update(zip(entry.get("Timestamps") or [], map(float, entry.get("Values") or [])))
    incomplete = ", ".join(f"{name} ({word})" for name, word in status.items() if word != "Complete")
    if incomplete:  # PartialData is followed by a page with the rest
        said = f"CloudWatch's answer is not complete for {incomplete}"
        raise aws.AwsThrottled(said, "cloudwatch", "get_metric_data")
    return dict(values)


def read_traffic(
    load_balancer: LoadBalancer, target_group: TargetGroup, service: tuple[str, str], start: datetime, end: datetime
) -> TrafficFigures:
    """The load balancer's own metrics of one target group.

    Of a Network Load Balancer there are but the unhealthy targets. `service` (cluster and service): ECS's metrics are
    of the whole service; it has none of a task set alone.
    """
    whole = {"LoadBalancer": load_balancer.dimension}
    ours = {**whole, "TargetGroup": target_group.dimension}
    words = {word: "Maximum" if word == "max" else word for word in LATENCIES}  # our word → CloudWatch's
    figures = {
        "requests": ("RequestCount", "Sum", ours),
        "errors": ("HTTPCode_Target_5XX_Count", "Sum", ours),  # published only when above 0
        "connection_errors": ("TargetConnectionErrorCount", "Sum", ours),
        "unhealthy_hosts": ("UnHealthyHostCount", "Maximum", ours),
        "rejected_connections": ("RejectedConnectionCount", "Sum", whole),
        **{word: ("TargetResponseTime", statistic, ours) for word, statistic in words.items()},
    }
    space = "AWS/NetworkELB" if load_balancer.dimension.startswith("net/") else "AWS/ApplicationELB"
    queries = {name: Query(space, metric, of, stat) for name, (metric, stat, of) in figures.items()}
    of = dict(zip(("ClusterName", "ServiceName"), service))
    queries["cpu"] = Query("AWS/ECS", "CPUUtilization", of)
    queries["memory"] = Query("AWS/ECS", "MemoryUtilization", of)
    return TrafficFigures(read_metrics(queries, start, end))


def read_declared(
    declared: Mapping[str, Metric],
    load_balancer: LoadBalancer,
    target_group: TargetGroup,
    start: datetime,
    end: datetime,
) -> dict[str, Series]:
    """The values of the user's own metrics by name.

    Dimensions may have the values `{load_balancer}` and `{target_group}`, which stand for those given here.
    """
    words = {"{load_balancer}": load_balancer.dimension, "{target_group}": target_group.dimension}

    queries = {
        name: Query(
            metric.namespace,
            metric.metric_name,
            {key: words.get(value, value) for key, value in metric.dimensions.items()},
            metric.statistic,
            metric.period,
        )
        for name, metric in declared.items()
    }
    return read_metrics(queries, start, end) if queries else {}
