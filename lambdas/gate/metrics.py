"""What CloudWatch says of metrics over a window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gate import aws
from gate.elb import LoadBalancer, TargetGroup
from gate.figures import Series, TrafficFigures
from gate.options.production import Metric
from gate.options.requests import LATENCIES
from gate.verdict import ProbeError

Query = Mapping[str, Any]  # one metric, as CloudWatch is asked


def query(namespace: str, name: str, of: Mapping[str, str], statistic: str = "Average", period: int = 60) -> Query:
    """The query for a metric `of` these dimensions; `period` in seconds."""
    dimensions = [{"Name": key, "Value": value} for key, value in sorted(of.items())]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {"Metric": metric, "Period": period, "Stat": statistic}


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
        MetricDataQueries=[{"Id": id_, "MetricStat": queries[name]} for id_, name in names.items()],
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
        found = [float(value) for value in entry.get("Values") or []]
        if not all(map(math.isfinite, found)):
            raise ProbeError(f"cloudwatch:GetMetricData answered a value of {name} that is no number")
        values[name].update(zip(entry.get("Timestamps") or [], found))
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
    figures = {
        "requests": ("RequestCount", ours, "Sum"),
        "errors": ("HTTPCode_Target_5XX_Count", ours, "Sum"),  # published only when above 0
        "connection_errors": ("TargetConnectionErrorCount", ours, "Sum"),
        "unhealthy_hosts": ("UnHealthyHostCount", ours, "Maximum"),
        "rejected_connections": ("RejectedConnectionCount", whole, "Sum"),
        **{word: ("TargetResponseTime", ours, "Maximum" if word == "max" else word) for word in LATENCIES},
    }
    space = "AWS/NetworkELB" if load_balancer.dimension.startswith("net/") else "AWS/ApplicationELB"
    queries = {name: query(space, *figure) for name, figure in figures.items()}
    of_service = dict(zip(("ClusterName", "ServiceName"), service))
    queries["cpu"] = query("AWS/ECS", "CPUUtilization", of_service)
    queries["memory"] = query("AWS/ECS", "MemoryUtilization", of_service)
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
    queries = {}
    for name, metric in declared.items():
        of = {key: words.get(value, value) for key, value in metric.dimensions.items()}
        queries[name] = query(metric.namespace, metric.metric_name, of, metric.statistic, metric.period)
    return read_metrics(queries, start, end) if queries else {}
