"""Figures of one bake, judged: green's alone, and against blue's before the shift. Pure: no clock, no AWS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from statistics import fmean
from typing import Callable, Optional

from gate.baseline import by_chance, compare
from gate.options.production import Metric, ValidateProduction
from gate.statistics import requests_needed
from gate.verdict import Finding, error, failed, passed, skipped

MINUTE = 60  # seconds; the load balancer's and ECS's metrics have one value for each
BLUES_TIME = 3600  # seconds before the shift, at least, of which blue's figures are: they cost nothing
MORE_ERRORS = 0.01  # by how much green's share of errors may be above blue's
CHANCE = 0.02  # how likely so many errors must be, with such a share: less is no chance
SOME_REQUESTS = 20  # so many to be expected of customers, and none, is no chance
ENOUGH_REQUESTS = 100  # below this a bad figure may still come right by the end of the window

Series = Mapping[datetime, float]  # values by the beginning of their period, oldest first


class Missing(Enum):
    """What a finding's figures lack: the `value` of a finding that may still come right."""

    DATA = "any figure"
    END = "those of the window's last minutes"
    OWN = "those of requests that there certainly were"


@dataclass(frozen=True)
class Window:
    """When figures count. `shifted_at`: when production traffic had shifted; `began`: when the settle time began."""

    options: ValidateProduction
    shifted_at: datetime
    began: datetime

    @property
    def settled(self) -> datetime:
        """When the settle time is over, and the bake begins."""
        return self.began + timedelta(seconds=self.options.initial_delay)

    @property
    def ends(self) -> datetime:
        """When the bake is over."""
        return self.settled + timedelta(seconds=self.options.duration)

    @property
    def counted_from(self) -> datetime:
        """Since when green's figures count: the settle time's do not, nor test traffic's in the minute of the shift.

        CloudWatch has whole minutes; one that begins in its first second is as good as whole. Where the bake holds no
        whole one, that in which it begins counts; and of less than two minutes in all, that of the shift.
        """
        if self.options.initial_delay + self.options.duration < 2 * MINUTE:
            return self.shifted_at
        whole = (self.settled + timedelta(seconds=MINUTE - 1)).replace(second=0, microsecond=0)
        return whole if whole + timedelta(seconds=MINUTE) <= self.ends else self.settled

    @property
    def blues_seconds(self) -> float:
        """Seconds before the shift of which blue's figures are: as many as green is looked at, or more."""
        return max(self.options.initial_delay + self.options.duration, BLUES_TIME)

    def due(self, missing: Missing) -> datetime:
        """When CloudWatch must have published what is missing."""
        since = self.ends if missing is Missing.END else self.counted_from
        if missing is Missing.OWN:  # with the first minute, once that is over
            since += timedelta(seconds=MINUTE)
        return since + timedelta(seconds=self.options.metrics_delay)

    def last_look(self, deciding: Sequence[Finding], failing: Sequence[str], now: datetime) -> datetime:
        """When the last look is due: at the end of the bake; later only if all findings that decide may come right.

        Late figures may come. A request that failed in this look for the first time (`failing`: their names) is sent
        again after an interval, and a look that could not be taken (its finding has no name) is repeated.
        """
        late = [finding for finding in deciding if isinstance(finding.value, Missing)]
        again = [finding for finding in deciding if not finding.ok and finding.name in [*failing, None]]
        until = [self.ends]
        if all(finding.ok or finding in late or finding in again for finding in deciding):
            until += [self.due(finding.value) for finding in late]
            until += [now + timedelta(seconds=self.options.interval)] if again else []
        return max(until)


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
    return int(at.timestamp() // MINUTE)


class OwnRequests:
    """What the hook itself sent, by minute and status (0: none came): green is not blamed for what that caused.

    `expected`: statuses of errors that a check asks for. `state`: what `as_state` gave another invocation. Anybody can
    write it, so of a minute it may claim no more than `most` requests.
    """

    def __init__(self, expected: Collection[int] = (), state: Iterable[Sequence[int]] = (), most: int = 0) -> None:
        self._expected = expected
        self._counts: Counter[tuple[int, int]] = Counter()
        for minute, status, count in state:
            self._counts[minute, status] += max(0, min(count, most - self.by_minute()[minute]))

    def take(self, sent: list[tuple[float, int]]) -> None:
        """Count requests, each as (epoch seconds, status or 0), and leave none in the list."""
        self._counts.update((int(at // MINUTE), status) for at, status in sent)
        sent.clear()

    def spread(self, count: int, began: datetime, ended: datetime) -> None:
        """Count a load, which was sent evenly."""
        since, until = began.timestamp(), max(ended.timestamp(), began.timestamp() + 1)
        for minute in range(minute_of(began), int(until // MINUTE) + 1):
            within = min(until, MINUTE * (minute + 1)) - max(since, MINUTE * minute)
            self._counts[minute, 0] += round(count * within / (until - since))

    def by_minute(self, wanted: Callable[[int], bool] = lambda _: True) -> Counter[int]:
        """The requests that were answered with a wanted status, or all."""
        found: Counter[int] = Counter()
        for (minute, status), count in self._counts.items():
            found[minute] += count if wanted(status) else 0
        return found

    def asked_for(self) -> Counter[int]:
        """Those answered by an error that a check expects, by minute."""
        return self.by_minute(lambda status: status in self._expected)

    def answered_since(self, moment: datetime) -> int:
        """How many a target must have counted from the minute of a moment on; a load balancer redirects by itself."""
        answered = self.by_minute(lambda status: status >= 100 and status // 100 != 3)
        return sum(count for minute, count in answered.items() if minute >= minute_of(moment))

    def as_state(self) -> list[list[int]]:
        """As JSON, small: for the invocation that goes on."""
        return [[minute, status, count] for (minute, status), count in self._counts.items()]


# Green alone


def judge_traffic(
    green: TrafficFigures,
    window: Window,
    own: OwnRequests,
    now: datetime,
    *,
    group: str,
    network: bool,
    blue: Callable[[], TrafficFigures],
) -> list[Finding]:
    """The load balancer's figures of green since `window.counted_from`, and ECS's of the service.

    `group`: green's target group's name. `network`: a Network Load Balancer measured them. `blue`: reads blue's figures
    before the shift; it is called only where they are needed.
    """
    limits = window.options.thresholds
    since = f"{(now - window.counted_from).total_seconds():.0f} s"
    unhealthy = judge_unhealthy(list(green.series["unhealthy_hosts"].values()), limits.unhealthy_hosts)
    usage = [*judge_usage(green, "cpu", limits.cpu_percent), *judge_usage(green, "memory", limits.memory_percent)]
    late = judge_reach(green, window, now)
    if network:
        said = "a Network Load Balancer publishes no requests, errors and latencies"
        if limits.rejected_connections is not None:
            usage.append(error(f"{said}, nor rejected connections: do not set them", "rejected_connections"))
        return [unhealthy, *late, _no_data(f"{said}: declare metrics", window, None), *usage]
    rejected = judge_rejected(green.total("rejected_connections"), limits.rejected_connections)
    if not green.requests:
        said = f"the load balancer counted no request to {group} in {since}, or has not published it yet"
        return [unhealthy, judge_silence(said, window, own, now, blue), *rejected, *usage]
    green = green.without_errors(own.asked_for())
    errors = judge_errors(green, since, limits.error_rate, blue)
    latencies = [judge_latency(green, word, most) for word, most in limits.latencies().items()]
    return [unhealthy, *late, errors, *latencies, *rejected, *usage]


def judge_silence(
    said: str, window: Window, own: OwnRequests, now: datetime, blue: Callable[[], TrafficFigures]
) -> Finding:
    """What it means that the load balancer counted no request to green."""
    mine = own.answered_since(window.counted_from)
    if mine:
        said += f", though {mine} of the hook's own were answered: check who answers, or metrics_delay"
        return replace(error(said, "traffic"), value=Missing.OWN)
    before = blue().requests
    if before * (now - window.counted_from).total_seconds() / window.blues_seconds >= SOME_REQUESTS:
        said += f", and blue had {before} in the time before the shift: check where customers are led"
        return replace(error(said, "traffic"), value=Missing.OWN, advisory=True)  # they may have been tests
    return _no_data(f"{said}: without any there is no error rate", window, Missing.DATA)


def judge_reach(green: TrafficFigures, window: Window, now: datetime) -> list[Finding]:
    """The last whole minutes of the window that CloudWatch has nothing of yet.

    UnHealthyHostCount is published every minute, with or without a request, so its newest value shows how far
    CloudWatch has got.
    """
    ends = min(now, window.ends)
    newest = max([*green.series["requests"], *green.series["unhealthy_hosts"]], default=ends)
    until = newest + timedelta(seconds=MINUTE)
    if until >= ends.replace(second=0, microsecond=0):
        return []
    said = f"the load balancer's figures reach to {until:%H:%M}, the window to {ends:%H:%M:%S}: the rest is not judged"
    return [_no_data(said, window, Missing.END)]


def _no_data(said: str, window: Window, missing: Optional[Missing]) -> Finding:
    verdict = skipped if window.options.no_data == "pass" else failed
    return replace(verdict(said, "traffic"), value=missing)


def judge_errors(
    green: TrafficFigures, since: str, most: Optional[float], blue: Callable[[], TrafficFigures]
) -> Finding:
    """Green's share of errors: at most `most`; if that is None, no more than blue's, MORE_ERRORS and chance explain."""
    terminal = green.requests >= ENOUGH_REQUESTS
    unreached = green.total("connection_errors")
    beside = f", {unreached} of them because no target could be reached" if unreached else ""
    said = f"{green.errors} of {green.requests} requests to green failed ({green.error_rate:.2%}) in {since}{beside}"
    if most is not None:
        if green.error_rate > most:
            return failed(f"{said}, at most {most:.2%} allowed", "error_rate", terminal)
        return passed(said, "error_rate")
    before = blue()
    share = f"{before.error_rate:.2%} ({before.errors} of {before.requests})"
    blues = f"blue's share before the shift was {share if before.requests else '0, without a request'}"
    allowed = before.error_rate + MORE_ERRORS
    if by_chance(green.errors, green.requests, allowed) < CHANCE:
        said += f", more than chance explains where {allowed:.2%} are allowed: {blues}"
        return failed(said, "error_rate", terminal)
    return passed(f"{said}; {blues}", "error_rate")


def judge_latency(green: TrafficFigures, word: str, most: float) -> Finding:
    """A latency (p50, …, max) that is limited to `most` ms, in the worst minute."""
    label, values = f"latency:{word}", green.latencies(word)
    if not green.series[word]:
        return error(f"the load balancer has requests but no {word} of TargetResponseTime", label)
    if not values:
        return skipped(f"{word} needs {requests_needed(word)} requests in a minute, and no minute had so many", label)
    said = f"green's {word} is {max(values):.0f} ms in its worst minute"
    if max(values) > most:
        return failed(f"{said}, at most {most:g} ms allowed", label, green.requests >= ENOUGH_REQUESTS)
    return passed(said, label)


def judge_unhealthy(counts: list[float], most: float) -> Finding:
    """Unhealthy targets by minute. A new task counts as one while its first checks are on; one minute may be that."""
    above, label = [count for count in counts if count > most], "unhealthy_hosts"
    if not counts:
        return skipped("the load balancer has published no count of unhealthy green targets", label)
    said = f"{max(counts):g} unhealthy green targets since the shift"
    if len(above) > 1 or counts[-1] > most:
        return failed(f"{said}, {most:g} allowed", label, len(above) > 1)
    return passed(f"{said}{', in one minute' if above else ''}", label)


def judge_rejected(count: int, most: Optional[float]) -> list[Finding]:
    """Connections that the load balancer rejected: the count only grows, so too many are terminal."""
    if most is None:
        return []
    said, label = f"{count} connections that the load balancer rejected since the shift", "rejected_connections"
    return [failed(f"{said}, {most:g} allowed", label, terminal=True) if count > most else passed(said, label)]


def judge_usage(green: TrafficFigures, word: str, most: Optional[float]) -> list[Finding]:
    """CPU or memory of the whole service: ECS measures blue and green together. An average may still come down."""
    values = green.series[word].values()
    if not values:
        said = f"ECS has no {word} utilisation of the service since the shift"
        return [] if most is None else [replace(error(said, word), value=Missing.DATA)]
    percent = fmean(values)
    said = f"the service's {word} utilisation (blue and green together) is {percent:.0f} % on average"
    if most is not None and percent > most:
        return [failed(f"{said}, at most {most:g} % allowed", word)]
    return [passed(said, word)]


def judge_metric(name: str, metric: Metric, series: Series, now: datetime) -> Finding:
    """A declared metric's values against its range; one whose period is not over may still rise to its minimum."""
    label, least = f"metric:{name}", metric.threshold_range.min
    period = timedelta(seconds=metric.period)
    complete = {at: at + period <= now for at in series}
    values = [
        value
        for at, value in series.items()
        if complete[at] or not any(complete.values()) or least is None or value >= least
    ]
    if len(values) < metric.min_datapoints:
        found = f"{len(values)} datapoint(s), {metric.min_datapoints} needed" if values else "no data"
        said = f"metric {name} ({metric}) has {found} since the shift"
        if metric.no_data == "pass":
            return replace(skipped(said, label), value=Missing.DATA)
        return replace(error(f"{said}: check its name and dimensions, or set no_data", label), value=Missing.DATA)
    outside = [value for value in values if not metric.threshold_range.holds(value)]
    shown = ", ".join(f"{value:g}" for value in (outside or values)[:5])
    if len(outside) > metric.failure_limit:
        return failed(f"metric {name} was {shown}, expected {metric.threshold_range}", label, terminal=True)
    return passed(f"metric {name}: {shown} ({metric.threshold_range})", label)


# Green against blue


def compare_latencies(
    green: TrafficFigures, blue: TrafficFigures, own: OwnRequests, options: ValidateProduction
) -> list[Finding]:
    """Green's P95, and the percentiles that are limited, against blue's before the shift."""
    findings, limits = [], options.baseline
    mostly_own = "the hook's own requests are more than a tenth of green's in each minute"
    judge = partial(compare, tolerance=limits.tolerance, confidence=limits.confidence, noise=limits.noise_ms, unit="ms")
    for word in sorted({"p95", *options.thresholds.latencies()} - {"max"}):
        label, values = f"against_blue:{word}", green.latencies(word, own.by_minute())
        if green.latencies(word) and not values:
            findings.append(skipped(f"{mostly_own}: its {word} is not compared", label))
        else:
            findings.append(judge(word, label, values, blue.latencies(word), worst=limits.max_worse_percent))
    return findings


def compare_metric(name: str, metric: Metric, green: Series, blue: Series, options: ValidateProduction) -> Finding:
    """A declared metric that has `max_worse_percent`: green's values against blue's before the shift."""
    label, worst, limits = f"against_blue:metric:{name}", metric.max_worse_percent or 0.0, options.baseline
    if metric.no_data == "fail" and min(len(green), len(blue)) < metric.min_datapoints:
        counts = f"{len(green)} datapoint(s) of green and {len(blue)} of blue before the shift"
        said = f"metric {name} has {counts}, {metric.min_datapoints} needed of each: or set no_data"
        return error(said, label)
    judge = partial(compare, tolerance=limits.tolerance, confidence=limits.confidence, direction=metric.direction)
    return judge(name, label, list(green.values()), list(blue.values()), worst=worst)
