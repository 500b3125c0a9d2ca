"""Options of the AfterAllowTraffic hook: figures, metrics, the comparison with blue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from gate.options import (
    KEPT,
    LONGEST,
    NOT_EMPTY,
    TIMEOUT,
    by_name,
    key_of,
    milliseconds,
    option,
    percent,
    seconds,
    seconds_in_all,
    share,
    whole,
)
from gate.options.requests import Load, Thresholds, TrafficOptions, order_problems
from gate.waiting import TimeBudget

OTHER_CHECKS = 120.0  # seconds that a production hook's other checks may take beside its window
BEFORE_A_LOAD = 30.0  # seconds that they may take before a load, which is not interrupted


@dataclass(frozen=True)
class TrafficThresholds(Thresholds):
    """Limits of the load balancer's figures of green and, but for the last four, of the samples.

    Latencies are the worst minute's.
    """

    error_rate: Optional[float] = share(
        "highest share of errors, 0 to 1; null: 0.01 of the samples, and of the load balancer's figures no more than "
        "blue's",
        None,
        cure="0.01 is one in a hundred.",
    )
    unhealthy_hosts: float = option("highest count of unhealthy targets", 0.0, unit="targets", least=0, most=10_000)
    rejected_connections: Optional[float] = option(
        "connections that the load balancer may reject; null: not looked at",
        None,
        unit="connections",
        least=0,
        most=1e9,
    )
    cpu_percent: Optional[float] = percent("highest average CPU use of the service; null: only said", None, least=0.001)
    memory_percent: Optional[float] = percent("the same of its memory; null: only said", None, least=0.001)


@dataclass(frozen=True)
class Baseline:
    """How much worse than blue in the hour before the shift green may be (longer where the bake takes longer)."""

    max_worse_percent: float = percent("by how much the typical minute may be worse", 50.0, least=0)
    tolerance: float = share("share of a difference that counts as none (Kayenta's)", 0.25)
    confidence: float = option(
        "confidence of the test that tells a difference from chance (Kayenta's)",
        0.98,
        unit="a confidence",
        least=0.5,
        most=0.9999,
    )
    noise_ms: float = milliseconds("milliseconds that no latency's difference is taken for", 50.0, least=0)


@dataclass(frozen=True)
class Range:
    """Where a value has to lie, both ends included."""

    min: Optional[float] = option("least value", None, unit="a number", least=-1e15, most=1e15)
    max: Optional[float] = option("greatest value", None, unit="a number", least=-1e15, most=1e15)

    def problems(self) -> list[str]:
        """Ends the wrong way round."""
        return order_problems("min", self.min, "max", self.max)

    def holds(self, value: float) -> bool:
        """Whether a value lies in it."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        ends = (("at least", self.min), ("at most", self.max))
        return " and ".join(f"{word} {end:g}" for word, end in ends if end is not None) or "any value"


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric of your own. Metric maths is an alarm's business: name the alarm in `alarms`."""

    namespace: str = option("namespace of the metric", pattern=NOT_EMPTY, means="a namespace")
    metric_name: str = option("name of the metric", pattern=NOT_EMPTY, means="a metric's name")
    dimensions: dict[str, str] = option(
        "dimensions of the metric; `{target_group}` and `{load_balancer}` as values stand for green's",
        {},
        entries=(0, 30),
    )
    statistic: str = option(
        "statistic of a datapoint, or a percentile such as `p99`",
        "Average",
        pattern=r"Average|Sum|Minimum|Maximum|SampleCount|p([0-9]{1,2}(\.[0-9]+)?|100)",
        means='"Average", "Sum", "Minimum", "Maximum", "SampleCount" or a percentile such as "p99" or "p99.9"',
    )
    period: int = whole(
        "seconds of one datapoint: 1, 5, 10, 20, 30 or a multiple of 60", 60, unit="seconds", most=86_400
    )
    threshold_range: Range = option("[bounds](#bounds) of each datapoint since the shift", Range)
    min_datapoints: int = whole("fewer datapoints count as no data", 1, most=10_000)
    failure_limit: int = whole("datapoints out of bounds that are tolerated", 0, least=0, most=10_000)
    no_data: str = option("what it means", "fail", choices=("fail", "pass"))
    max_worse_percent: Optional[float] = percent(
        "how much worse than before the shift it may be; null: not compared", None, least=0
    )
    direction: str = option("which way is worse", "increase", choices=("increase", "decrease", "either"))

    def problems(self) -> list[str]:
        """A period that CloudWatch does not know, a placeholder that stands for nothing, nothing to compare with."""
        found = []
        if self.period not in (1, 5, 10, 20, 30) and self.period % 60:
            known = "1, 5, 10, 20, 30 and multiples of 60 seconds up to a day"
            found.append(f"period is {self.period}; CloudWatch knows {known}")
        for name, value in self.dimensions.items():
            # A whole one: API Gateway has resources such as /orders/{id}.
            if re.fullmatch(r"\{[a-z_]*\}", value) and value not in ("{target_group}", "{load_balancer}"):
                stand = "{target_group} and {load_balancer} stand for green's"
                found.append(f"dimensions{key_of(name)} is {value}, which stands for nothing: {stand}")
        if self.threshold_range == Range() and self.max_worse_percent is None:
            found.append(
                "threshold_range.min, threshold_range.max or max_worse_percent is needed: else nothing is compared"
            )
        return found

    def __str__(self) -> str:
        return f"{self.namespace} {self.metric_name}"


@dataclass(frozen=True)
class ValidateProduction(TrafficOptions):
    """Options of the AfterAllowTraffic hook. The deployment group's alarms are always expected not to be in ALARM."""

    initial_delay: float = seconds(
        "seconds to settle, or to warm up, before the bake: no figure counts what was before",
        60.0,
        least=0,
        most=LONGEST,
    )
    duration: float = seconds("seconds of the bake", 300.0, least=0, most=LONGEST)
    interval: float = seconds(
        "seconds between two looks during the bake, at each of which the HTTP checks that only read are asked again",
        15.0,
        least=0.001,
        most=300,
    )
    max_duration: float = seconds_in_all()
    alarms: dict[str, str] = option(
        "further CloudWatch alarms by name → expected state", {}, choices=("OK", "ALARM", "INSUFFICIENT_DATA")
    )
    insufficient_data: Optional[str] = option(
        "what an alarm without enough data means; null: an alarm named in `alarms` has its state, one of the "
        "deployment group is just not in ALARM",
        None,
        choices=("pass", "fail"),
    )
    missing_alarms: str = option("what an alarm that does not exist means", "fail", choices=("fail", "pass"))
    thresholds: TrafficThresholds = option(
        "[limits](#limits) of the load balancer's figures and of the samples", TrafficThresholds
    )
    baseline: Baseline = option("[how much worse than blue](#baseline) green may be", Baseline)
    no_data: str = option(
        "what it means that the load balancer has no figures of green, where the hook has sent nothing itself: what "
        "it has sent must be among them",
        "pass",
        choices=("fail", "pass"),
    )
    metrics_delay: float = seconds(
        "seconds that CloudWatch may be late: only after it an absence of data counts, and so long after the bake its "
        "last minutes are waited for",
        180.0,
        least=0,
        most=600,
    )
    metrics: dict[str, Metric] = by_name("further CloudWatch [metrics](#metrics) by name", {})
    load: Optional[Load] = option("a bounded [load](#load) on the production listener; null: none", None)

    @property
    def window(self) -> float:
        """Seconds that the hook waits and looks by its options alone: settling, bake, load and smoke test."""
        load = self.load.duration + self.load.warm_up if self.load else 0
        tests = self.smoke_test.timeout if self.smoke_test else 0
        return self.initial_delay + max(self.duration, self.metrics_delay if self.metrics else 0) + load + tests

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """A window or a load that does not fit the time there is, beside the other checks."""
        found = super().problems_of_time(budget)
        here = budget.here - min(BEFORE_A_LOAD, KEPT * budget.here)
        if self.load and self.load.duration + self.load.warm_up > here:
            room = f"a load is not interrupted, and an invocation has {here:g} s for it"
            found.append(
                f"load has warm_up {self.load.warm_up:g} and duration {self.load.duration:g}; {room}: shorten load or "
                "raise timeout"
            )
        others = min(OTHER_CHECKS, KEPT * budget.in_all)
        left = budget.in_all - others
        if self.window > left:
            parts = (
                "initial_delay, duration, load and smoke_test"
                if self.smoke_test
                else "initial_delay, duration and load"
            )
            found.append(
                f"{parts} take {self.window:g} s, and {left:g} s are left for them beside "
                f"{others:g} s for the other checks: shorten them, or raise max_duration or "
                f"{TIMEOUT}"
            )
        return found
