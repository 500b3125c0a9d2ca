"""AfterAllowTraffic: green serves production, and bears it.

First what can be known at once: the listener, the declared requests, a load if one is asked for. Then, after a
settle time, a bake window in which requests are asked again, and figures, metrics and alarms looked at, at every
interval; it ends at the first finding that no later look can mend, and goes on in a fresh invocation where this one is
too short. At the end green's latencies are held against blue's before the shift.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from gate import metrics
from gate.baseline import by_chance, compare
from gate.deployment import Deployment, Listener, TargetGroup
from gate.hook import lifecycle_hook
from gate.http_sender import Sender
from gate.load import judge_load, send_load
from gate.options import Load, Metric, Source, ValidateProduction, normalised
from gate.statistics import FIGURES, requests_needed
from gate.traffic import NAMES as TRAFFIC
from gate.traffic import SERVING, Traffic, green_serves, listener_url, way_through
from gate.verdict import (
    CannotLook,
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
from gate.waiting import Deadline, Looks, ToBeContinued, poll

MINUTE = 60  # seconds; the load balancer's and ECS's metrics have one value for each
BLUES_TIME = 3600  # seconds before the shift, at least, of which blue's figures are
MORE_ERRORS = 0.01  # by how much green's share of errors may be above blue's
CHANCE = 0.02  # how likely so many errors must be, with such a share: less is no chance
SOME_REQUESTS = 20  # so many to be expected of customers, and none, is no chance
ENOUGH_REQUESTS = 100  # below this an error rate may still come out right by the end of the window
FIGURES_OF = ("cloudwatch:GetMetricData", "elasticloadbalancing:DescribeLoadBalancers")
BLUES_FIGURES_OF = (*FIGURES_OF, "codedeploy:GetDeploymentTarget", "elasticloadbalancing:DescribeTargetGroups")
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
        "The window is not cut short, and what it looks at (`http`, `flow`, and the names below, up to `alarms`) stays "
        "good; this name softens them all.",
        calls=("lambda:InvokeFunction",),
    ),
    Named(
        "unhealthy_hosts",
        "No more of green's targets are unhealthy than are allowed, but for one minute.",
        calls=FIGURES_OF,
    ),
    Named(
        "traffic",
        "The load balancer has figures of green, up to the end of the window, the hook's own requests among them.",
        calls=FIGURES_OF,
    ),
    Named(
        "error_rate",
        "Of the requests that the load balancer counted few failed: no more than is allowed, else than blue's share.",
        calls=BLUES_FIGURES_OF,
    ),
    Named(
        "latency",
        "Latencies that are limited keep to it in the worst minute.",
        calls=FIGURES_OF,
        parts=FIGURES[1:],
    ),
    Named("rejected_connections", "The load balancer rejects no more connections than are allowed.", calls=FIGURES_OF),
    Named("cpu", "The service's CPU use is no higher than is allowed.", calls=FIGURES_OF),
    Named("memory", "The service's memory use is no higher than is allowed.", calls=FIGURES_OF),
    Named("metric", "Metrics of your own keep to their range.", calls=FIGURES_OF, parts=("{metrics}",)),
    Named(
        "alarms",
        "Alarms have the state that is expected of them.",
        calls=("cloudwatch:DescribeAlarms",),
        parts=("{alarm}",),
    ),
    Named(
        "against_blue",
        "Green's latencies and metrics are no worse than blue's were before the shift.",
        calls=BLUES_FIGURES_OF,
        parts=(*FIGURES[1:-1], "metric:{metrics}"),
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
    sound = yield from production.traffic.checks()
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
        self.own = metrics.OwnRequests(carried.get("own"))
        self.asks = bool(carried.get("asks", True))  # whether there is anything to ask again
        self.failing: list[str] = list(carried.get("failing") or [])  # what was asked and failed in the last look
        self.leads_elsewhere = False  # as far as was looked

    @cached_property
    def group(self) -> TargetGroup:
        """Green's target group."""
        return self.deployment.target_group_of(self.deployment.green())

    @cached_property
    def listener(self) -> Listener:
        """The production listener, as it was looked at last."""
        return self.deployment.production_listener()

    @cached_property
    def traffic(self) -> Traffic:
        """The declared requests, through the production listener."""
        sender = Sender(self.url, self.settings.host, self.settings.headers)
        way = replace(way_through(self.deployment, self.listener), others_judge=True)
        return Traffic(self.deployment, self.settings, self.deadline, sender, way)

    @property
    def url(self) -> str:
        """Where production answers."""
        return listener_url(self.listener, self.deployment.load_balancer(self.listener), self.group)

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
            return failed(f"{named}: {self.deployment.why_no_other_doors(doors)}")
        return passed("no listener beside those of the deployment group leads to blue")

    def bears_load(self, load: Load) -> list[Finding]:
        """The service bears the load that was asked for; on the way back it is spared."""
        if self.deployment.is_rollback:
            return [skipped("no load is sent on a rollback deployment", by_choice=True)]
        headers = {**self.settings.headers, **load.headers}
        load = replace(load, host=load.host or self.settings.host, headers=headers)
        self.listener.refuse_astray(load.host or str(urlsplit(self.url).hostname), normalised(load.path), headers)
        began = datetime.now(timezone.utc)
        result = send_load(load, self.url, self.deadline)
        self.own.spread(result.sent + load.requests(load.warm_up), began, datetime.now(timezone.utc))
        return judge_load(load, result)

    # The bake: when it begins and ends, and what its figures are of.

    @cached_property
    def settled(self) -> datetime:
        """When the settle time is over, and the window begins."""
        self.bake_began = self.bake_began or datetime.now(timezone.utc)
        return self.bake_began + timedelta(seconds=self.settings.initial_delay)

    @cached_property
    def ends(self) -> datetime:
        """When the window is over."""
        return self.settled + timedelta(seconds=self.settings.duration)

    @cached_property
    def counted_from(self) -> datetime:
        """Since when green's figures count: the settle time's do not, nor test traffic's in the minute of the shift.

        CloudWatch has whole minutes; one that begins in its first second is as good as whole. Where the window holds no
        whole one, that in which it begins counts; and of less than two minutes in all, that of the shift.
        """
        if self.settings.initial_delay + self.settings.duration < 2 * MINUTE:
            return self.shifted_at
        whole = (self.settled + timedelta(seconds=MINUTE - 1)).replace(second=0, microsecond=0)
        return whole if whole + timedelta(seconds=MINUTE) <= self.ends else self.settled

    def bake(self) -> list[Finding]:
        """Look at every interval until the window is over, in as many invocations as it takes.

        Alarms that fire, or do not exist, are found before it begins.
        """
        needed = self._until(self.ends)
        left = self.deadline.journey.reach(self.deadline.remaining())
        if needed > left:  # the checks before took their time
            said = f"the bake takes {needed:.0f} s, and only {left:.0f} s are left"
            return [failed(f"{said}: shorten initial_delay or duration, or raise timeout and max_duration")]
        looks = Looks(self.look)
        while True:
            began = self.deadline.elapsed()
            findings, hopeless = looks.take()
            last = self._until(self._last_look(findings))
            if hopeless or last < 0.001 or any(finding.certain and not finding.good for finding in findings):
                return findings
            pause = began + self.settings.interval - self.deadline.elapsed()
            if not self._stay(self._until(self.settled) or max(0.0, min(pause, last))):
                cut = self._until(self.ends)
                said = f"the bake window was cut short: {cut:.0f} s of it were left"
                return [*findings, could_not_look(said, "bake")] if cut else findings

    def _last_look(self, findings: list[Finding]) -> datetime:
        """When the last look is due, by what this one found: after the window only if all may still come right.

        What CloudWatch is late with may come. A request that failed for the first time is sent again after an interval,
        and a look that could not be taken (its finding has no name) is taken again.
        """
        deciding = [finding for finding in findings if self._decides(finding)]
        late = [finding for finding in deciding if finding.values.get("no_data")]
        again = [finding for finding in deciding if not finding.good and finding.name in [*self.failing, None]]
        until = [self.ends]
        if all(finding.good or finding in late or finding in again for finding in deciding):
            since = self.ends if any(finding.values.get("behind") for finding in late) else self.counted_from
            if any(finding.values.get("must_come") for finding in late):  # with the first minute, once that is over
                since = max(since, self.counted_from + timedelta(seconds=MINUTE))
            until += [since + timedelta(seconds=self.settings.metrics_delay)] if late else []
            until += [datetime.now(timezone.utc) + timedelta(seconds=self.settings.interval)] if again else []
        return max(until)

    def _until(self, moment: datetime) -> float:
        return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())

    def _stay(self, seconds: float) -> bool:
        """Let so many seconds pass, in a fresh invocation what does not fit into this one; False if none may follow."""
        here = self.deadline.remaining() - self.deadline.journey.room
        self.deadline.sleep(min(seconds, here))
        if seconds > here and self.deadline.journey.hops_left:
            raise ToBeContinued(
                {
                    "shifted_at": self.shifted_at.timestamp(),
                    "bake_began": self.bake_began and self.bake_began.timestamp(),
                    "own": self.own.as_state(),
                    "asks": self.asks,
                    "failing": self.failing,
                }
            )
        return seconds <= here

    def look(self) -> list[Finding]:
        """One look at everything that has to stay good, causes first; in the settle time, at alarms alone."""
        if self._until(self.settled):
            findings = self._alarms()
        else:
            serving = replace(self._serving(), name="green_serves_production")
            findings = [serving, *(self._ask() if serving.good else [])]
            try:
                findings += [*self._traffic(), *self._metrics(), *self._alarms()]
            except CannotLook:  # does not hide what is certain anyhow
                if not any(finding.certain and self._decides(finding) for finding in findings):
                    raise
        return [finding if self._decides(finding) else replace(finding, certain=False) for finding in findings]

    def _ask(self) -> list[Finding]:
        """The requests that go on through the bake; what fails in two looks in a row is certain."""
        findings = self.traffic.ask_again(self.settings.interval) if self.asks else []
        self.asks = bool(findings)
        before, self.failing = self.failing, [str(finding.name) for finding in findings if not finding.good]
        self._count_own()
        return [replace(finding, certain=finding.name in before and not finding.good) for finding in findings]

    def _count_own(self) -> None:
        """What was sent since it was counted last; a flow may expect an error, too."""
        steps = [step for flow in self.settings.flows.values() for step in flow.steps]
        declared = [each for each in [*self.settings.http_checks.values(), *steps] if not each.url]
        expected = {status for status in range(500, 600) if any(each.accepts(status) for each in declared)}
        self.own.take(self.traffic.sender.sent, expected)

    def _alarms(self) -> list[Finding]:
        settings = self.settings
        expected = {**dict.fromkeys(self.deployment.alarm_names, metrics.NOT_IN_ALARM), **settings.alarms}
        if not expected:
            return [skipped("no alarm is named, here or in the deployment group", "alarms")]
        return metrics.judge_alarms(expected, settings.insufficient_data, settings.missing_alarms)

    def _decides(self, finding: Finding) -> bool:
        """Whether it may fail the hook: what may only warn, or is left out, does not end the window either."""
        checks = self.settings.checks
        severity = severity_for(finding.name or "bake", severity_for("bake", Severity.FAIL, checks), checks)
        return severity is Severity.FAIL and not finding.advisory

    # The load balancer's figures.

    def _figures(self, group: TargetGroup, start: datetime, end: datetime) -> metrics.TrafficFigures:
        balancer = self.deployment.load_balancer(self.listener)
        service = (self.deployment.cluster, self.deployment.service_name)
        return metrics.read_traffic(balancer.dimension, group.dimension, start, end, service)

    @cached_property
    def blue(self) -> tuple[datetime, datetime]:
        """When blue served alone, as long as green is looked at: an hour at least, for its figures cost nothing."""
        before = self.deployment.shift_began or self.shifted_at
        window = self.settings.initial_delay + self.settings.duration
        return before - timedelta(seconds=max(window, BLUES_TIME)), before

    @cached_property
    def blues_figures(self) -> metrics.TrafficFigures:
        """The load balancer's figures of blue before the shift."""
        return self._figures(self.deployment.other_target_group(self.group), *self.blue)

    def _traffic(self) -> list[Finding]:
        """The load balancer's figures of green since the shift."""
        now, limit = datetime.now(timezone.utc), self.settings.thresholds
        if now <= self.counted_from:
            return [skipped(f"green's figures count from {self.counted_from:%H:%M} on", "traffic")]
        seen = self._figures(self.group, self.counted_from, now)
        since = f"{(now - self.counted_from).total_seconds():.0f} s"
        unhealthy = _unhealthy(list(seen.series["unhealthy_hosts"].values()), limit.unhealthy_hosts)
        usage = [
            *_usage("cpu", seen.average("cpu"), limit.cpu_percent),
            *_usage("memory", seen.average("memory"), limit.memory_percent),
        ]
        if self.deployment.load_balancer(self.listener).kind == "network":
            said = "a Network Load Balancer publishes no requests, errors and latencies"
            if limit.rejected_connections is not None:
                usage.append(
                    could_not_look(f"{said}, nor rejected connections: do not set them", "rejected_connections")
                )
            verdict = skipped if self.settings.no_data == "pass" else failed
            none = verdict(f"{said}: declare metrics", "traffic")
            return [*unhealthy, *self._behind(seen, now), none, *usage]
        rejected = _rejected(seen.total("rejected_connections"), limit.rejected_connections)
        if not seen.requests:
            own = sum(self.own.answered[minute] for minute in self.own.answered_since(self.counted_from))
            detail = (
                f"the load balancer counted no request to {self.group.name} in {since}, or has not published it yet"
            )
            if own:
                said = f"{detail}, though {own} of the hook's own were answered: check who answers, or metrics_delay"
                missing = could_not_look(said, "traffic", no_data=True, must_come=True)
            elif self._blue_had_customers(now):
                said = f"{detail}, and blue had {self.blues_figures.requests} in the time before the shift"
                said = f"{said}: check where customers are led"
                missing = could_not_look(said, "traffic", no_data=True, must_come=True)
                missing = replace(missing, advisory=True)  # they may have been tests
            else:
                missing = self._no_data(f"{detail}: without any there is no error rate")
            return [*unhealthy, missing, *rejected, *usage]
        green = seen.without_errors(self.own.asked_for)
        figures = [*self._behind(seen, now), self._errors(green, since), *self._latencies(green)]
        return [*unhealthy, *figures, *rejected, *usage]

    def _blue_had_customers(self, now: datetime) -> bool:
        """Whether, by blue's requests before the shift, green must have had some by now."""
        since, until = self.blue
        share = (now - self.counted_from) / (until - since)
        return self.blues_figures.requests * share >= SOME_REQUESTS

    def _no_data(self, said: str, *, behind: bool = False) -> Finding:
        verdict = skipped if self.settings.no_data == "pass" else failed
        return verdict(said, "traffic", no_data=True, behind=behind)

    def _errors(self, green: metrics.TrafficFigures, since: str) -> Finding:
        """Green's share of errors: no more than is allowed or, by default, than blue's and chance explain."""
        most, certain = self.settings.thresholds.error_rate, green.requests >= ENOUGH_REQUESTS
        unreached = green.total("connection_errors")
        beside = f", {unreached} of them because no target could be reached" if unreached else ""
        rate = (
            f"{green.errors} of {green.requests} requests to green failed ({green.error_rate:.2%}) in {since}{beside}"
        )
        if most is not None:
            if green.error_rate > most:
                return failed(f"{rate}, at most {most:.2%} allowed", "error_rate", certain=certain)
            return passed(rate, "error_rate")
        blue = self.blues_figures
        share = f"{blue.error_rate:.2%} ({blue.errors} of {blue.requests})" if blue.requests else "0, without a request"
        before, allowed = f"blue's share before the shift was {share}", blue.error_rate + MORE_ERRORS
        if by_chance(green.errors, green.requests, allowed) < CHANCE:
            said = f"{rate}, more than chance explains where {allowed:.2%} are allowed: {before}"
            return failed(said, "error_rate", certain=certain)
        return passed(f"{rate}; {before}", "error_rate")

    def _latencies(self, green: metrics.TrafficFigures) -> list[Finding]:
        """The latencies that are limited, in the worst minute."""
        findings, certain = [], green.requests >= ENOUGH_REQUESTS
        for word, most in self.settings.thresholds.latencies().items():
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
        ends = min(now, self.ends)
        until = max(seen, default=ends) + timedelta(seconds=MINUTE)
        if until >= ends.replace(second=0, microsecond=0):
            return []
        said = (
            f"the load balancer's figures reach to {until:%H:%M}, the window to {ends:%H:%M:%S}: the rest is not judged"
        )
        return [self._no_data(said, behind=True)]

    # Green against blue.

    def against_blue(self) -> list[Finding]:
        """Green's latencies and metrics since the shift against blue's before it."""
        now, baseline = datetime.now(timezone.utc), self.settings.baseline
        if now <= self.counted_from:
            return [skipped("there was no bake, so there are no figures of green", "against_blue", by_choice=True)]
        judge = partial(compare, worst=baseline.max_worse_percent, tolerance=baseline.tolerance)
        judge = partial(judge, confidence=baseline.confidence)
        findings = []
        if self.deployment.load_balancer(self.listener).kind == "network":
            findings.append(skipped("a Network Load Balancer has no figures to compare", "against_blue"))
        else:
            green = self._figures(self.group, self.counted_from, now)
            for word in sorted({"p95", *self.settings.thresholds.latencies()} - {"max"}):
                label, values = f"against_blue:{word}", green.latencies(word, self.own.sent)
                if not values and green.latencies(word):
                    said = "the hook's own requests are more than a tenth of green's in each minute"
                    findings.append(skipped(f"{said}: its {word} is not compared", label))
                    continue
                before = self.blues_figures.latencies(word)
                findings.append(judge(word, label, values, before, noise=baseline.noise_ms, unit="ms"))
        compared = {name: m for name, m in self.settings.metrics.items() if m.max_worse_percent is not None}
        ours = self._values(compared, self.group, self.counted_from, now)
        theirs = self._values(compared, self.deployment.other_target_group(self.group), *self.blue)
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


def _moment(epoch: Any) -> Optional[datetime]:
    return datetime.fromtimestamp(epoch, timezone.utc) if isinstance(epoch, (int, float)) else None
