"""CloudWatch's side of the world: what the load balancer and ECS measure, and the alarms upon it."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatum, cloudwatch_backends

from rehearsal.containers import Containers
from rehearsal.loadbalancer import Exchange, LoadBalancer

NAMESPACE = "AWS/ApplicationELB"
ECS_NAMESPACE = "AWS/ECS"
FLUSH_INTERVAL = 0.5
"""Seconds between two deliveries of metrics (a minute or more on AWS)."""

_COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def dimension(arn: str) -> str:
    """Return a load balancer's or target group's ARN as its metrics' dimension has it."""
    part = arn.rsplit(":", 1)[-1]
    return part.removeprefix("loadbalancer/")


class Metrics:
    """Counts what passes the load balancer, delivers it to CloudWatch, and evaluates the alarms.

    Of a service's tasks it delivers how much of their size they use.

    Counted is what AWS counts, under AWS's names; a count of zero is not published (so there is no
    HTTPCode_Target_5XX_Count without an error, and no RequestCount without a request).
    """

    def __init__(self, account_id: str, region: str) -> None:
        self._backend: CloudWatchBackend = cloudwatch_backends[account_id][region]
        self._seen: list[Exchange] = []
        self._lock = threading.Lock()
        self._used: dict[str, tuple[float, float]] = {}
        """By task: when it was looked at last, and the seconds of a processor that it had used."""

    def observe(self, exchange: Exchange) -> None:
        """Take note of a request."""
        with self._lock:
            self._seen.append(exchange)

    def watch(self, balancer: LoadBalancer, containers: Containers, stop: threading.Event) -> None:
        """Deliver and evaluate until `stop` is set."""
        while not stop.wait(FLUSH_INTERVAL):
            self.deliver(balancer)
            self.measure(containers)
            self.evaluate()

    def measure(self, containers: Containers, clock: float | None = None) -> None:
        """Deliver what part of its size each task of a service has used since the last time, in percent.

        Of no task more than all of it: on this machine a task may take more than its size.
        """
        data, now = [], datetime.now(timezone.utc)
        moment = time.monotonic() if clock is None else clock
        for spec, seconds, size in containers.usage():
            kind, _, service = (spec.group or "").partition(":")
            at, before = self._used.get(spec.task_arn, (0.0, 0.0))
            self._used[spec.task_arn] = (moment, seconds)
            if kind != "service" or not at or not size or not spec.cpu or not spec.memory:
                continue
            processors = (seconds - before) / (moment - at)
            dimensions = [{"Name": "ClusterName", "Value": spec.cluster}, {"Name": "ServiceName", "Value": service}]
            data += [
                _datum("CPUUtilization", dimensions, min(100 * processors * 1024 / spec.cpu, 100), now),
                _datum("MemoryUtilization", dimensions, min(100 * size / 2**20 / spec.memory, 100), now),
            ]
        if data:
            self._backend.put_metric_data(ECS_NAMESPACE, data)

    def deliver(self, balancer: LoadBalancer) -> None:
        """Deliver what was seen since the last time."""
        with self._lock:
            seen, self._seen = self._seen, []
        data = [datum for exchange in seen for datum in _data(exchange)]
        now = datetime.now(timezone.utc)
        for balancer_arn, group_arn, healthy, unhealthy in balancer.host_counts():
            both = _dimensions(balancer_arn, group_arn)
            data.append(_datum("HealthyHostCount", both, healthy, now))
            data.append(_datum("UnHealthyHostCount", both, unhealthy, now))
        if data:
            self._backend.put_metric_data(NAMESPACE, data)

    def evaluate(self, now: datetime | None = None) -> None:
        """Set each metric alarm's state by its own metric, over its own period."""
        moment = now or datetime.now(timezone.utc)
        for alarm in list(self._backend.alarms.values()):
            if alarm.metric_name and alarm.comparison_operator in _COMPARISONS:
                state, reason = self._judge(alarm, moment)
                if state != alarm.state_value:
                    self._backend.set_alarm_state(alarm.name, reason, "{}", state)

    def _judge(self, alarm: Alarm, now: datetime) -> tuple[str, str]:
        since = now - timedelta(seconds=float(alarm.period) * int(alarm.evaluation_periods))
        wanted = {(d.name, d.value) for d in alarm.dimensions or []}
        values = [
            float(datum.value)
            for datum in list(self._backend.metric_data)
            if isinstance(datum, MetricDatum)
            and datum.name == alarm.metric_name
            and datum.namespace == alarm.namespace
            and {(d.name, d.value) for d in datum.dimensions} == wanted
            and _aware(datum.timestamp) >= since
        ]
        if not values:
            missing = alarm.treat_missing_data or "missing"
            states = {"notBreaching": "OK", "breaching": "ALARM", "ignore": alarm.state_value}
            return states.get(missing, "INSUFFICIENT_DATA"), f"no datapoint was received; treated as {missing}"
        value = _statistic(alarm.statistic or alarm.extended_statistic, values)
        above = _COMPARISONS[alarm.comparison_operator](value, float(alarm.threshold))
        said = (
            f"the datapoint [{value:g}] was {'' if above else 'not '}{alarm.comparison_operator} [{alarm.threshold:g}]"
        )
        return "ALARM" if above else "OK", f"Threshold Crossed: {said}" if above else said


def _statistic(name: str | None, values: list[float]) -> float:
    if name == "Average":
        return sum(values) / len(values)
    if name == "SampleCount":
        return float(len(values))
    if name and re.fullmatch(r"p\d+(\.\d+)?", name):
        # The value below which so many percent lie: the nearest rank.
        rank = math.ceil(float(name[1:]) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    return {"Maximum": max, "Minimum": min}.get(name or "", sum)(values)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _dimensions(balancer_arn: str, group_arn: str | None = None) -> list[dict[str, str]]:
    found = [{"Name": "LoadBalancer", "Value": dimension(balancer_arn)}]
    if group_arn:
        found.insert(0, {"Name": "TargetGroup", "Value": dimension(group_arn)})
    return found


def _datum(name: str, dimensions: list[dict[str, str]], value: float, at: datetime) -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": at}


def _data(exchange: Exchange) -> Iterable[dict[str, Any]]:
    """Return the data of one request: of the load balancer, and of load balancer and target group together.

    A request is counted (RequestCount) if there was a target to choose, whoever answered it then (user guide,
    "CloudWatch metrics for your Application Load Balancer").
    """
    at = datetime.fromtimestamp(exchange.at, timezone.utc)
    balancer = _dimensions(exchange.load_balancer_arn)
    family = f"{exchange.status // 100}XX"
    if not exchange.answered and exchange.status >= 400:
        yield _datum(f"HTTPCode_ELB_{family}_Count", balancer, 1, at)
    if exchange.target_group_arn is None:
        return
    for dimensions in (balancer, _dimensions(exchange.load_balancer_arn, exchange.target_group_arn)):
        yield _datum("RequestCount", dimensions, 1, at)
        if exchange.answered:
            yield _datum(f"HTTPCode_Target_{family}_Count", dimensions, 1, at)
            yield _datum("TargetResponseTime", dimensions, exchange.seconds, at)
        elif not exchange.connected:
            yield _datum("TargetConnectionErrorCount", dimensions, 1, at)
