"""AfterAllowTraffic: green serves production, and bears it.

First what can be known at once: the listener, the declared requests, a load if one is asked for. Then, after a
settle time, a bake window in which alarms and metrics are looked at again and again. It ends at the first
finding that no later look can mend.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Optional

from gate import metrics
from gate.deployment import Deployment, Listener, TargetGroup
from gate.hook import lifecycle_hook
from gate.http_checks import (
    HttpCheck,
    Sender,
    Statistics,
    Thresholds,
    default_check,
    judge_statistics,
    listener_url,
    run_check,
    send_load,
    send_samples,
)
from gate.settings import HookSettings, limits
from gate.verdict import Check, Finding, could_not_look, failed, passed, skipped
from gate.waiting import Deadline, poll, watch

ENOUGH_REQUESTS = 100  # below this an error rate may still come out right by the end of the window
NOISE_MS = 50.0  # a latency that is worse than blue's by less than this is no finding, whatever the percentage


@dataclass(frozen=True)
class TrafficThresholds:
    """What the load balancer's figures of green may be.

    `error_rate` 0 to 1, latencies in milliseconds (the worst
    minute's), `unhealthy_hosts` a count, `max_worse_percent` against blue before the shift.
    """

    error_rate: float = limits(0.01, least=0, most=1)
    p95_ms: Optional[float] = limits(None, least=0)
    p99_ms: Optional[float] = limits(500.0, least=0)
    unhealthy_hosts: float = limits(0.0, least=0)
    max_worse_percent: float = limits(50.0, least=0)


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric of the user's own; each value in the window has to lie between `min` and `max`.

    `period` in seconds; `failure_limit` values may lie outside; `no_data` is what the absence of values means.
    """

    namespace: str
    metric_name: str
    dimensions: dict[str, str] = field(default_factory=dict)
    statistic: str = "Average"
    period: int = limits(60, least=1, most=86_400)
    min: Optional[float] = None
    max: Optional[float] = None
    no_data: str = limits("fail", choices=("fail", "pass"))
    failure_limit: int = limits(0, least=0)

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError(f"metric {self.namespace}/{self.metric_name} has neither min nor max")


@dataclass(frozen=True)
class Load:
    """A load of `rate` requests a second for `duration` seconds, at most `concurrency` at once."""

    rate: float = limits(least=0.001, most=1000)
    duration: float = limits(least=0.001, most=600)
    path: str = "/"
    concurrency: int = limits(16, least=1, most=256)
    error_rate: float = limits(0.01, least=0, most=1)
    p95_ms: Optional[float] = limits(None, least=0)
    p99_ms: Optional[float] = limits(500.0, least=0)


@dataclass(frozen=True)
class Settings(HookSettings):
    """What the user may set.

    `initial_delay`: seconds before the bake window; `duration`: its length; `interval`: seconds between looks.
    `alarms`: name → expected state, besides the deployment group's own, which must not be in ALARM. `no_data`: what
    a window without any request means.
    """

    initial_delay: float = limits(60.0, least=0, most=840)
    duration: float = limits(300.0, least=0, most=840)
    interval: float = limits(15.0, least=0.001, most=300)
    alarms: dict[str, str] = limits(default_factory=dict, choices=("OK", "ALARM", "INSUFFICIENT_DATA"))
    thresholds: TrafficThresholds = field(default_factory=TrafficThresholds)
    no_data: str = limits("pass", choices=("fail", "pass"))
    metrics: dict[str, Metric] = field(default_factory=dict)
    http_checks: dict[str, HttpCheck] = field(default_factory=dict)
    samples: int = limits(100, least=0, most=10_000)
    concurrency: int = limits(4, least=1, most=64)
    load: Optional[Load] = None


@lifecycle_hook("AfterAllowTraffic", Settings)
def handler(deployment: Deployment, settings: Settings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether green serves production as well as it should, until the end of the bake window."""
    production = Production(deployment, settings, deadline)
    if not (yield Check("time", partial(production.fits_the_time, settings.load))):
        return
    if not (yield Check("green_serves_production", production.green_serves)):
        return
    checks = settings.http_checks or {"health": default_check(production.group)}
    sender = Sender(production.url)
    sound = True
    for name, check in checks.items():
        answers = yield Check(f"http:{name}", partial(run_check, check, sender, deadline))
        if answers and settings.samples:
            answers = yield Check(f"samples:{name}", partial(production.sample, name, check, sender))
        sound = sound and answers
    if sound and settings.load:
        sound = yield Check("load", partial(production.bears_load, settings.load, sender))
    if sound:  # what has failed is not made worse by a load, nor customers' time by a bake window
        yield Check("bake", production.bake)


class Production:
    """The looks of this hook; which side is green is found once, where it stands is read at each look."""

    def __init__(self, deployment: Deployment, settings: Settings, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        self.shifted_at = datetime.now(timezone.utc)

    @cached_property
    def group(self) -> TargetGroup:
        """Green's target group."""
        return self.deployment.target_group_of(self.deployment.green())

    @cached_property
    def listener(self) -> Listener:
        """The production listener, as it was looked at last."""
        return self.deployment.production_listener()

    @property
    def url(self) -> str:
        """Where production answers."""
        return listener_url(self.listener, self.deployment.load_balancer(self.listener))

    def fits_the_time(self, load: Load | None) -> Finding:
        """The window fits the function's time; better said now than found out at its end."""
        wanted = self.settings.initial_delay + self.settings.duration + (load.duration if load else 0)
        left = self.deadline.remaining()
        if wanted > left:
            return failed(
                f"initial_delay{', duration and load' if load else ' and duration'} come to {wanted:g} s, the function "
                f"has {left:.0f} s left: shorten them or raise timeout"
            )
        return passed(f"{wanted:g} s of settling, baking and load fit the {left:.0f} s left")

    def green_serves(self) -> Finding:
        """All production traffic goes to green, and green has a healthy target; shortly after the shift, soon."""
        return poll(self._serving, self.deadline.within(60), interval=2)[0]

    def _serving(self) -> Finding:
        self.listener = self.deployment.production_listener()
        where = self.deployment.weights_in_words(self.listener)
        if not self.listener.serves_only(self.group.arn):
            return failed(
                f"the production listener does not lead to green ({self.group.name}) alone but to {where}",
                "production_listener",
            )
        targets = self.deployment.targets(self.group)
        healthy = [target for target in targets if target.state == "healthy"]
        if not healthy:
            listed = "; ".join(str(target) for target in targets) or "none is registered"
            return failed(f"no green target is healthy: green target {listed}", "production_listener")
        return passed(
            f"production leads to green ({where}), {len(healthy)} of {len(targets)} target(s) healthy",
            "production_listener",
        )

    def sample(self, name: str, check: HttpCheck, sender: Sender) -> list[Finding]:
        """Error rate and latency of one check, sent many times."""
        limit = self.settings.thresholds
        answers = send_samples(check, sender, self.settings.samples, self.settings.concurrency)
        thresholds = Thresholds(error_rate=limit.error_rate, p95_ms=limit.p95_ms, p99_ms=limit.p99_ms)
        return judge_statistics(name, Statistics.of(check, answers), thresholds)

    def bears_load(self, load: Load, sender: Sender) -> list[Finding]:
        """The service bears the load that was asked for."""
        check = HttpCheck(path=load.path, verify_tls=False, status=("200-399",))
        answers, rate = send_load(
            check, sender, self.deadline, rate=load.rate, duration=load.duration, concurrency=load.concurrency
        )
        thresholds = Thresholds(error_rate=load.error_rate, p95_ms=load.p95_ms, p99_ms=load.p99_ms)
        findings = judge_statistics("load", Statistics.of(check, answers), thresholds)
        asked = f"{rate:.0f} requests a second reached of {load.rate:g} asked"
        if rate < 0.9 * load.rate:
            findings.append(
                failed(f"load: {asked}: the service did not keep up, or concurrency is too low", "rate:load")
            )
        else:
            findings.append(passed(asked, "rate:load", requests_per_second=round(rate, 1)))
        return findings

    def bake(self) -> list[Finding]:
        """Alarms, load balancer figures and metrics over the window."""
        fits = self.fits_the_time(None)  # still, after the checks before
        if not fits.good:
            return [fits]
        self.deadline.sleep(self.settings.initial_delay)
        return watch(self.look, self.deadline, self.settings.interval, self.settings.duration)

    def look(self) -> list[Finding]:
        """One look at everything that has to stay good."""
        expected = {**dict.fromkeys(self.deployment.alarm_names, metrics.NOT_IN_ALARM), **self.settings.alarms}
        alarms = (
            metrics.judge_alarms(expected)
            if expected
            else [skipped("no alarm is named, here or in the deployment group", "alarms")]
        )
        return [self._serving(), *alarms, *self._traffic(), *self._metrics()]

    def _traffic(self) -> list[Finding]:
        """The load balancer's figures of green since the shift, and against blue's over as long a time before it."""
        now = datetime.now(timezone.utc)
        green = self._figures(self.group, self.shifted_at, now)
        limit, since = self.settings.thresholds, f"{(now - self.shifted_at).total_seconds():.0f} s"
        hosts = self._hosts(green)
        if not green.requests:
            detail = (
                f"the load balancer counted no request to {self.group.name} in {since}, or has not published it yet"
            )
            return [*hosts, (skipped if self.settings.no_data == "pass" else failed)(detail, "traffic")]
        findings = [*hosts]
        rate = f"{green.errors} of {green.requests} requests to green answered 5xx ({green.error_rate:.2%}) in {since}"
        if green.error_rate > limit.error_rate:
            certain = green.requests >= ENOUGH_REQUESTS
            findings.append(failed(f"{rate}, at most {limit.error_rate:.2%} allowed", "error_rate", certain=certain))
        else:
            findings.append(passed(rate, "error_rate"))
        for word, value, most in (("p95", green.p95_ms, limit.p95_ms), ("p99", green.p99_ms, limit.p99_ms)):
            if most is None:
                continue
            if value is None:
                findings.append(
                    could_not_look(
                        f"the load balancer has requests but no {word} of TargetResponseTime", f"latency_{word}"
                    )
                )
            elif value > most:
                text = f"green's {word} is {value:.0f} ms in its worst minute, at most {most:g} ms allowed"
                findings.append(failed(text, f"latency_{word}", certain=green.requests >= ENOUGH_REQUESTS))
            else:
                findings.append(passed(f"green's {word} is {value:.0f} ms in its worst minute", f"latency_{word}"))
        return [*findings, self._against_blue(green, now)]

    def _hosts(self, green: metrics.TrafficFigures) -> list[Finding]:
        """The most targets that were unhealthy at once; counted with or without traffic."""
        count, most = green.unhealthy_hosts, self.settings.thresholds.unhealthy_hosts
        if count is None:
            return []
        text = f"at most {count:g} green target(s) unhealthy at once since the shift"
        if count > most:
            return [failed(f"{text}, {most:g} allowed", "unhealthy_hosts", certain=True)]
        return [passed(text, "unhealthy_hosts")]

    def _against_blue(self, green: metrics.TrafficFigures, now: datetime) -> Finding:
        blue_group = self.deployment.other_target_group(self.group)
        length = max(now - self.shifted_at, timedelta(minutes=1))
        blue = self._figures(blue_group, self.shifted_at - length, self.shifted_at)
        if not blue.requests or blue.p95_ms is None or green.p95_ms is None:
            return skipped(f"{blue_group.name} has no figures before the shift to compare with", "against_blue")
        worse = (green.p95_ms / blue.p95_ms - 1) * 100 if blue.p95_ms else 0.0
        text = (
            f"green's p95 is {green.p95_ms:.0f} ms, blue's was {blue.p95_ms:.0f} ms before the shift ({worse:+.0f} %)"
        )
        if worse > self.settings.thresholds.max_worse_percent and green.p95_ms - blue.p95_ms > NOISE_MS:
            return failed(
                f"{text}, at most {self.settings.thresholds.max_worse_percent:g} % worse allowed", "against_blue"
            )
        return passed(text, "against_blue")

    def _figures(self, group: TargetGroup, start: datetime, end: datetime) -> metrics.TrafficFigures:
        balancer = self.deployment.load_balancer(self.listener)
        return metrics.read_traffic(balancer.dimension, group.dimension, start, end)

    def _metrics(self) -> list[Finding]:
        """The user's own metrics since the shift."""
        declared = self.settings.metrics
        if not declared:
            return []
        queries = {
            name: metrics.Query(m.namespace, m.metric_name, m.dimensions, m.statistic, m.period)
            for name, m in declared.items()
        }
        values = metrics.read_metrics(queries, self.shifted_at, datetime.now(timezone.utc))
        return [judge_metric(name, metric, values[name]) for name, metric in declared.items()]


def judge_metric(name: str, metric: Metric, values: list[float]) -> Finding:
    """A declared metric's values against its range."""
    label = f"metric:{name}"
    span = " and ".join(
        part
        for part in (
            "" if metric.min is None else f"at least {metric.min:g}",
            "" if metric.max is None else f"at most {metric.max:g}",
        )
        if part
    )
    if not values:
        detail = f"metric {name} ({metric.namespace} {metric.metric_name}) has no data since the shift"
        return (
            skipped(detail, label)
            if metric.no_data == "pass"
            else could_not_look(f"{detail}: check its name and dimensions, or set no_data", label)
        )
    outside = [
        v for v in values if (metric.min is not None and v < metric.min) or (metric.max is not None and v > metric.max)
    ]
    shown = ", ".join(f"{value:g}" for value in (outside or values)[:5])
    if len(outside) > metric.failure_limit:
        return failed(f"metric {name} was {shown}, expected {span}", label, certain=True)
    return passed(f"metric {name}: {shown} ({span})", label)
