"""AfterAllowTraffic: green serves production, and bears it.

First what can be known at once: the listener, the declared requests, a load if one is asked for. Then, after a
settle time, a bake window in which alarms and metrics are looked at again and again; it ends at the first finding
that no later look can mend, and goes on in a fresh invocation where this one is too short. At the end green's figures
are held against blue's before the shift.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from gate import metrics
from gate.baseline import compare
from gate.deployment import Deployment, Listener, TargetGroup
from gate.hook import lifecycle_hook
from gate.http_sender import Sender
from gate.load import judge_load, send_load
from gate.options import Load, Metric, Source, ValidateProduction
from gate.statistics import FIGURES, requests_needed
from gate.traffic import NAMES as TRAFFIC
from gate.traffic import SERVING, Traffic, green_serves, listener_url, way_through
from gate.verdict import (
    Check,
    Finding,
    Named,
    Severity,
    could_not_look,
    failed,
    passed,
    severity_for,
    skipped,
    unstoppable,
)
from gate.waiting import Deadline, ToBeContinued, poll, watch

MINUTE = 60  # seconds; the load balancer's and ECS's metrics have one value for each
ENOUGH_REQUESTS = 100  # below this an error rate may still come out right by the end of the window
FIGURES_OF = ("cloudwatch:GetMetricData", "elasticloadbalancing:DescribeLoadBalancers")
NAMES = (
    Named("time", "The bake's window and the load fit the time there is."),
    Named(
        "green_serves_production",
        "All production traffic, by default action and rules, goes to green, and green has a healthy target; looked at "
        "through the bake too.",
        calls=SERVING,
    ),
    Named(
        "other_listeners",
        "No other listener of the load balancer still leads to blue: CodeDeploy does not move it.",
        calls=("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"),
    ),
    *TRAFFIC,
    Named(
        "load",
        "Under the load few requests fail, and the others are fast enough; it comes to 90 % of its rate.",
        calls=("elasticloadbalancing:DescribeLoadBalancers",),
        parts=(*FIGURES, "rate", "aborted"),
    ),
    Named(
        "bake",
        "The window is not cut short, and what it looks at (the names below, up to `metric`) stays good; this name "
        "softens them all.",
        calls=("lambda:InvokeFunction",),
    ),
    Named(
        "alarms",
        "Alarms have the state that is expected of them.",
        calls=("cloudwatch:DescribeAlarms",),
        parts=("{alarm}",),
    ),
    Named("traffic", "The load balancer has figures of green, up to the end of the window.", calls=FIGURES_OF),
    Named("error_rate", "Of the requests that the load balancer counted few failed.", calls=FIGURES_OF),
    Named(
        "latency",
        "Latencies that are limited keep to it in the worst minute.",
        calls=FIGURES_OF,
        parts=FIGURES[1:],
    ),
    Named(
        "unhealthy_hosts",
        "No more of green's targets are unhealthy than are allowed, but for one minute.",
        calls=FIGURES_OF,
    ),
    Named("rejected_connections", "The load balancer rejects no more connections than are allowed.", calls=FIGURES_OF),
    Named("cpu", "The service's CPU use is no higher than is allowed.", calls=FIGURES_OF),
    Named("memory", "The service's memory use is no higher than is allowed.", calls=FIGURES_OF),
    Named("metric", "Metrics of your own keep to their range.", calls=FIGURES_OF, parts=("{metrics}",)),
    Named(
        "against_blue",
        "Green is no worse than blue was before the shift.",
        calls=(*FIGURES_OF, "codedeploy:GetDeploymentTarget", "elasticloadbalancing:DescribeTargetGroups"),
        parts=(*FIGURES[:-1], "metric:{metrics}"),
    ),
)


@lifecycle_hook("AfterAllowTraffic", ValidateProduction, NAMES)
def handler(deployment: Deployment, settings: ValidateProduction, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether green serves production as well as it should, until the end of the bake window."""
    checks = _checks(deployment, settings, deadline)
    yield from unstoppable(checks) if deployment.is_rollback else checks


def _checks(deployment: Deployment, settings: ValidateProduction, deadline: Deadline) -> Generator[Check, bool, None]:
    production = Production(deployment, settings, deadline)
    if not (yield Check("time", production.fits_the_time)):
        return
    # Whatever its severity, nothing is sent to a listener that does not lead to green.
    if not (yield Check("green_serves_production", production.green_serves)) or production.leads_elsewhere:
        return
    if not (yield Check("other_listeners", production.no_other_doors)):
        return
    sender = Sender(production.url, settings.host, settings.headers)
    sound = yield from Traffic(
        deployment, settings, deadline, sender, way_through(deployment, production.listener)
    ).checks()
    if sound and settings.load:
        sound = yield Check("load", partial(production.bears_load, settings.load))
    if sound:  # what has failed is not made worse by a load, nor customers' time by a bake window
        sound = yield Check("bake", production.bake)
    if sound:
        yield Check("against_blue", production.against_blue)


class Production:
    """The looks of this hook; which side is green is found once, where it stands is read at each look."""

    def __init__(self, deployment: Deployment, settings: ValidateProduction, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        carried = deadline.journey.state
        self.shifted_at = _moment(carried.get("shifted_at")) or datetime.now(timezone.utc)
        self.bake_began = _moment(carried.get("bake_began"))
        self.bake_ends: Optional[datetime] = None
        self.leads_elsewhere = False  # as far as was looked

    @cached_property
    def counted_from(self) -> datetime:
        """Since when green's figures count: CloudWatch has whole minutes, and that of the shift holds test traffic too.

        If the shift was in its first second, it is as good as whole. A window of less than two minutes has no other.
        """
        if self.settings.initial_delay + self.settings.duration < 2 * MINUTE:
            return self.shifted_at
        return (self.shifted_at + timedelta(seconds=MINUTE - 1)).replace(second=0, microsecond=0)

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

    def fits_the_time(self) -> Finding:
        """The window fits the time there is; better said now than found out at its end."""
        journey = self.deadline.journey
        problems = self.settings.problems_of_time(journey.budget)
        if problems:
            return failed("; ".join(problems))
        left = journey.reach(self.deadline.remaining())
        return passed(f"{self.settings.window:g} s of settling, baking and load fit the {left:.0f} s left")

    def green_serves(self) -> Finding:
        """All production traffic goes to green, and green has a healthy target; shortly after the shift, soon."""
        finding = poll(self._serving, self.deadline.within(60), interval=2)[0]
        self.leads_elsewhere = not finding.good
        return finding

    def _serving(self) -> Finding:
        self.listener = self.deployment.production_listener()
        return green_serves(self.deployment, self.group, self.listener, "production")

    def no_other_doors(self) -> Finding:
        """No listener that CodeDeploy does not move still leads to blue."""
        doors = self.deployment.doors_left(self.group)
        if doors:
            named = "; ".join(door.words for door in doors)
            return failed(f"{named}: {self.deployment.why_no_other_doors()}")
        return passed("no listener beside those of the deployment group leads to blue")

    def bears_load(self, load: Load) -> list[Finding]:
        """The service bears the load that was asked for; on the way back it is spared."""
        if self.deployment.is_rollback:
            return [skipped("no load is sent on a rollback deployment", by_choice=True)]
        headers = {**self.settings.headers, **load.headers}
        load = replace(load, host=load.host or self.settings.host, headers=headers)
        self.listener.refuse_astray(load.host or str(urlsplit(self.url).hostname), load.path, headers)
        return judge_load(load, send_load(load, self.url, self.deadline))

    # The bake.

    def bake(self) -> list[Finding]:
        """Alarms, load balancer figures and metrics over the window, in as many invocations as it takes."""
        self.bake_began = self.bake_began or datetime.now(timezone.utc)
        settled = self.bake_began + timedelta(seconds=self.settings.initial_delay)
        ends = self.bake_ends = settled + timedelta(seconds=self.settings.duration)
        needed = self._until(ends)
        left = self.deadline.journey.reach(self.deadline.remaining())
        if needed > left:  # the checks before took their time
            said = f"the bake takes {needed:.0f} s, and only {left:.0f} s are left"
            return [failed(f"{said}: shorten initial_delay or duration, or raise timeout and max_duration")]
        self._stay(self._until(settled))
        room = self.deadline.journey.room
        findings, over = watch(self.look, self.deadline, self.settings.interval, self._until(ends), room=room)
        if not over:
            if self.deadline.journey.hops_left:
                self._stay(self._until(ends))
                self._hand_over()
            left = self._until(ends)
            return [*findings, could_not_look(f"the bake window was cut short: {left:.0f} s of it were left", "bake")]
        due = ends if any(finding.values.get("behind") for finding in findings) else self.shifted_at
        late = self._until(due + timedelta(seconds=self.settings.metrics_delay))
        if late > 0 and self._lacks_only_data(findings):
            here = self.deadline.remaining() - room
            wait = self.deadline.within(min(late, here))
            findings = poll(self.look, wait, self.settings.interval, keeps_waiting=self._may_come)
            if late > here and self._lacks_only_data(findings):
                self._hand_over()
        return findings

    def _lacks_only_data(self, findings: list[Finding]) -> bool:
        decisive = [finding for finding in findings if self._decides(finding)]
        return any(map(_lacks_data, decisive)) and all(finding.good or _lacks_data(finding) for finding in decisive)

    def _may_come(self, finding: Finding) -> bool:
        return self._decides(finding) and (not finding.good or _lacks_data(finding))

    def _until(self, moment: datetime) -> float:
        return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())

    def _stay(self, seconds: float) -> None:
        """Let so many seconds pass, in a fresh invocation what does not fit into this one."""
        here = self.deadline.remaining() - self.deadline.journey.room
        self.deadline.sleep(min(seconds, here))
        if seconds > here:
            self._hand_over()

    def _hand_over(self) -> None:
        if self.deadline.journey.hops_left and self.bake_began:
            moments = {"shifted_at": self.shifted_at.timestamp(), "bake_began": self.bake_began.timestamp()}
            raise ToBeContinued(moments)

    def look(self) -> list[Finding]:
        """One look at everything that has to stay good."""
        settings = self.settings
        expected = {**dict.fromkeys(self.deployment.alarm_names, metrics.NOT_IN_ALARM), **settings.alarms}
        alarms = (
            metrics.judge_alarms(expected, settings.insufficient_data, settings.missing_alarms)
            if expected
            else [skipped("no alarm is named, here or in the deployment group", "alarms")]
        )
        serving = replace(self._serving(), name="green_serves_production")
        findings = [serving, *alarms, *self._traffic(), *self._metrics()]
        return [finding if self._decides(finding) else replace(finding, certain=False) for finding in findings]

    def _decides(self, finding: Finding) -> bool:
        """Whether it may fail the hook: what may only warn, or is left out, does not end the window either."""
        checks = self.settings.checks
        return (
            severity_for(finding.name or "bake", severity_for("bake", Severity.FAIL, checks), checks) is Severity.FAIL
        )

    # The load balancer's figures.

    def _figures(self, group: TargetGroup, start: datetime, end: datetime) -> metrics.TrafficFigures:
        balancer = self.deployment.load_balancer(self.listener)
        service = (self.deployment.cluster, self.deployment.service_name)
        return metrics.read_traffic(balancer.dimension, group.dimension, start, end, service)

    def _traffic(self) -> list[Finding]:
        """The load balancer's figures of green since the shift."""
        now, limit = datetime.now(timezone.utc), self.settings.thresholds
        if now <= self.counted_from:
            return [skipped("green's figures count from the next whole minute on", "traffic")]
        green = self._figures(self.group, self.counted_from, now)
        since = f"{(now - self.counted_from).total_seconds():.0f} s"
        verdict = skipped if self.settings.no_data == "pass" else failed
        always = [
            *_unhealthy(list(green.series["unhealthy_hosts"].values()), limit.unhealthy_hosts),
            *self._behind(green, now),
            *_usage("cpu", green.average("cpu"), limit.cpu_percent),
            *_usage("memory", green.average("memory"), limit.memory_percent),
        ]
        if self.deployment.load_balancer(self.listener).kind == "network":
            said = "a Network Load Balancer publishes no requests, errors and latencies"
            if limit.rejected_connections is not None:
                always.append(
                    could_not_look(f"{said}, nor rejected connections: do not set them", "rejected_connections")
                )
            return [*always, verdict(f"{said}: declare metrics", "traffic")]
        findings = [*_rejected(green.total("rejected_connections"), limit.rejected_connections), *always]
        if not green.requests:
            detail = (
                f"the load balancer counted no request to {self.group.name} in {since}, or has not published it yet"
            )
            return [*findings, verdict(f"{detail}: without any there is no error rate", "traffic", no_data=True)]
        certain = green.requests >= ENOUGH_REQUESTS
        unreached = green.total("connection_errors")
        beside = f", {unreached} of them because no target could be reached" if unreached else ""
        rate = (
            f"{green.errors} of {green.requests} requests to green failed ({green.error_rate:.2%}) in {since}{beside}"
        )
        if green.error_rate > limit.error_rate:
            findings.append(failed(f"{rate}, at most {limit.error_rate:.2%} allowed", "error_rate", certain=certain))
        else:
            findings.append(passed(rate, "error_rate"))
        for word, most in limit.latencies().items():
            label, values = f"latency:{word}", green.latencies(word)
            if not green.series[word]:
                said = f"the load balancer has requests but no {word} of TargetResponseTime"
                findings.append(could_not_look(said, label))
                continue
            if not values:
                said = f"{word} needs {requests_needed(word)} requests in a minute, and no minute had so many"
                findings.append(skipped(said, label))
                continue
            said = f"green's {word} is {max(values):.0f} ms in its worst minute"
            if max(values) > most:
                findings.append(failed(f"{said}, at most {most:g} ms allowed", label, certain=certain))
            else:
                findings.append(passed(said, label))
        return findings

    def _behind(self, green: metrics.TrafficFigures, now: datetime) -> list[Finding]:
        """The last whole minutes of the window that CloudWatch has nothing of yet.

        Unhealthy targets are counted in each minute, with or without a request: what is newest says how far it has got.
        """
        seen = [*green.series["requests"], *green.series["unhealthy_hosts"]]
        ends = min(now, self.bake_ends or now)
        until = max(seen, default=ends) + timedelta(seconds=MINUTE)
        if until >= ends.replace(second=0, microsecond=0):
            return []
        said = (
            f"the load balancer's figures reach to {until:%H:%M}, the window to {ends:%H:%M:%S}: the rest is not judged"
        )
        verdict = skipped if self.settings.no_data == "pass" else failed
        return [verdict(said, "traffic", no_data=True, behind=True)]

    # Green against blue.

    def against_blue(self) -> list[Finding]:
        """Green's figures since the shift against blue's over as long a time before it."""
        now, baseline = datetime.now(timezone.utc), self.settings.baseline
        blue_group = self.deployment.other_target_group(self.group)
        before = self.deployment.shift_began or self.shifted_at
        length = max(now - self.counted_from, timedelta(seconds=MINUTE))
        judge = partial(compare, worst=baseline.max_worse_percent, tolerance=baseline.tolerance)
        judge = partial(judge, confidence=baseline.confidence)
        findings = []
        if self.deployment.load_balancer(self.listener).kind == "network":
            findings.append(skipped("a Network Load Balancer has no figures to compare", "against_blue"))
        else:
            green = self._figures(self.group, self.counted_from, now)
            blue = self._figures(blue_group, before - length, before)
            for word in sorted({"p95", *self.settings.thresholds.latencies()} - {"max"}):
                sides, label = (green.latencies(word), blue.latencies(word)), f"against_blue:{word}"
                findings.append(judge(word, label, *sides, noise=baseline.noise_ms, unit="ms"))
            rates, most = (green.error_rates(), blue.error_rates()), 100 * self.settings.thresholds.error_rate
            findings.append(judge("error rate", "against_blue:error_rate", *rates, noise=most, unit="%"))
        compared = {name: m for name, m in self.settings.metrics.items() if m.max_worse_percent is not None}
        ours = self._values(compared, self.group, self.counted_from, now)
        theirs = self._values(compared, blue_group, before - length, before)
        for name, metric in compared.items():
            both = list(ours[name].values()), list(theirs[name].values())
            label, worst = f"against_blue:metric:{name}", metric.max_worse_percent
            if metric.no_data == "fail" and min(map(len, both)) < metric.min_datapoints:
                counts = f"{len(both[0])} datapoint(s) of green and {len(both[1])} of blue before the shift"
                said = f"metric {name} has {counts}, {metric.min_datapoints} needed of each: or set no_data"
                findings.append(could_not_look(said, label))
                continue
            findings.append(judge(name, label, *both, worst=worst, direction=metric.direction))
        return findings

    # The user's own metrics.

    def _metrics(self) -> list[Finding]:
        """The user's own metrics since the shift."""
        declared, now = self.settings.metrics, datetime.now(timezone.utc)
        if now <= self.counted_from:
            return []
        values = self._values(declared, self.group, self.counted_from, now)
        return [judge_metric(name, metric, values[name], now) for name, metric in declared.items()]

    def _values(
        self, declared: Mapping[str, Metric], group: TargetGroup, start: datetime, end: datetime
    ) -> dict[str, metrics.Series]:
        """The metrics' values by name; those without metric maths by one call."""
        words = {"{target_group}": group.dimension}
        if declared:
            words["{load_balancer}"] = self.deployment.load_balancer(self.listener).dimension
        plain = {name: _query(metric, words) for name, metric in declared.items() if not metric.expression}
        found = metrics.read_metrics(plain, start, end) if plain else {}
        for name, metric in declared.items():
            if metric.expression:
                queries = {each: _query(source, words) for each, source in metric.queries.items()}
                found[name] = metrics.read_metrics(queries, start, end, metric.expression)[metrics.RESULT]
        return found


def _query(source: Union[Metric, Source], words: Mapping[str, str]) -> metrics.Query:
    """The metric as CloudWatch is asked for it, with `words` in place of dimension values."""
    dimensions = {name: words.get(value, value) for name, value in source.dimensions.items()}
    return metrics.Query(str(source.namespace), str(source.metric_name), dimensions, source.statistic, source.period)


def judge_metric(name: str, metric: Metric, series: metrics.Series, now: datetime) -> Finding:
    """A declared metric's values against its range; one whose period is not over may still rise to its minimum."""
    label, least = f"metric:{name}", metric.threshold_range.min
    period = timedelta(seconds=max([metric.period, *(source.period for source in metric.queries.values())]))
    complete = [value for at, value in series.items() if at + period <= now]
    values = [
        value for at, value in series.items() if at + period <= now or not complete or least is None or value >= least
    ]
    if len(values) < metric.min_datapoints:
        found = f"{len(values)} datapoint(s), {metric.min_datapoints} needed" if values else "no data"
        detail = f"metric {name} ({metric}) has {found} since the shift"
        if metric.no_data == "pass":
            return skipped(detail, label, no_data=True)
        return could_not_look(f"{detail}: check its name and dimensions, or set no_data", label, no_data=True)
    outside = [value for value in values if not metric.threshold_range.holds(value)]
    shown = ", ".join(f"{value:g}" for value in (outside or values)[:5])
    if len(outside) > metric.failure_limit:
        return failed(f"metric {name} was {shown}, expected {metric.threshold_range}", label, certain=True)
    return passed(f"metric {name}: {shown} ({metric.threshold_range})", label)


def _unhealthy(counts: list[float], most: float) -> list[Finding]:
    """Unhealthy targets by minute. A new task counts as one while its first checks are on; one minute may be that."""
    above, label = [count for count in counts if count > most], "unhealthy_hosts"
    if not counts:
        return [skipped("the load balancer has published no count of unhealthy green targets", label)]
    said = f"{max(counts):g} unhealthy green targets since the shift"
    if len(above) > 1 or counts[-1] > most:
        return [failed(f"{said}, {most:g} allowed", label, certain=len(above) > 1)]
    return [passed(f"{said}{', in one minute' if above else ''}", label)]


def _rejected(count: int, most: Optional[float]) -> list[Finding]:
    """Connections that the load balancer rejected: the count only grows, so too many are certain."""
    if most is None:
        return []
    said, label = f"{count} connections that the load balancer rejected since the shift", "rejected_connections"
    return [failed(f"{said}, {most:g} allowed", label, certain=True) if count > most else passed(said, label)]


def _usage(word: str, percent: Optional[float], most: Optional[float]) -> list[Finding]:
    """Of the whole service: ECS measures blue and green together."""
    if percent is None:
        if most is None:
            return []
        said = f"ECS has no {word} utilisation of the service since the shift"
        return [could_not_look(said, word, no_data=True)]
    said = f"the service's {word} utilisation (blue and green together) is {percent:.0f} % on average"
    if most is not None and percent > most:
        return [failed(f"{said}, at most {most:g} % allowed", word)]
    return [passed(said, word)]


def _lacks_data(finding: Finding) -> bool:
    return bool(finding.values.get("no_data"))


def _moment(epoch: Any) -> Optional[datetime]:
    return datetime.fromtimestamp(epoch, timezone.utc) if isinstance(epoch, (int, float)) else None
