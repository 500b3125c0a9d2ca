"""AfterAllowTraffic: green serves production, and bears it.

First what can be known at once: the listener, the declared requests, a smoke test and a load if they are asked for.
Then, after a settle time, a bake in which requests are repeated, and figures, metrics and alarms looked at, every
interval. It ends at the first finding that cannot get better, and continues in a fresh invocation where this one is too
short: that one makes the cheap checks again, sends nothing that was sent once, and goes on with the bake by its start.
At the end green's latencies are compared with blue's before the shift.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

from gate import alarms, figures, metrics
from gate.elb import Listener, LoadBalancer, TargetGroup
from gate.load import judge_load, send_load
from gate.names import Named
from gate.options.production import ValidateProduction
from gate.options.requests import HttpCheck, Load, normalised
from gate.runner import Gate, hook
from gate.smoke_test import SMOKE_TEST, SmokeTest
from gate.statistics import FIGURES
from gate.traffic import NAMES as TRAFFIC
from gate.traffic import SERVING, Traffic, green_serves, listener_url, way_through
from gate.verdict import Finding, ProbeError, error, failed, passed, skipped
from gate.waiting import Poll, poll

SHIFTED = 60.0  # seconds in which the listener must forward to green: the shift is over when this hook is called
FIGURES_OF = ("cloudwatch:GetMetricData", "elasticloadbalancing:DescribeLoadBalancers")
BLUES_FIGURES_OF = (*FIGURES_OF, "codedeploy:GetDeploymentTarget", "elasticloadbalancing:DescribeTargetGroups")
NAMES = (
    Named("time", "The settle time, the bake, the load and the smoke test fit the time there is."),
    Named(
        "green_serves_production",
        "All production traffic, by default action and rules, goes to green, which has a healthy target; all through "
        "the bake.",
        calls=SERVING,
    ),
    Named(
        "other_listeners",
        "No other listener of the load balancer still forwards to blue: CodeDeploy does not move it.",
        calls=("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"),
    ),
    *TRAFFIC,
    SMOKE_TEST,
    Named(
        "load",
        "Under the load few requests fail, and the others are fast enough; it comes to 90 % of its rate.",
        calls=("elasticloadbalancing:DescribeLoadBalancers",),
        parts=(*FIGURES, "rate", "aborted"),
    ),
    Named(
        "bake",
        "The bake is not cut short, and what it looks at (`http`, `flow`, and the names below, up to `alarms`) stays "
        "good; this name softens them all.",
        calls=("codedeploy:GetDeploymentTarget", "lambda:InvokeFunction"),
    ),
    Named("unhealthy_hosts", "No more green targets are unhealthy than allowed, but for one minute.", calls=FIGURES_OF),
    Named(
        "traffic",
        "The load balancer has figures of green, up to the end of the bake, the hook's own requests among them.",
        calls=FIGURES_OF,
    ),
    Named(
        "error_rate",
        "Of the requests that the load balancer counted few failed: no more than is allowed, else than blue's share.",
        calls=BLUES_FIGURES_OF,
    ),
    Named("latency", "Latencies that are limited keep to it in the worst minute.", calls=FIGURES_OF, parts=FIGURES[1:]),
    Named("rejected_connections", "The load balancer rejects no more connections than are allowed.", calls=FIGURES_OF),
    Named("cpu", "The service's CPU use is no higher than is allowed.", calls=FIGURES_OF),
    Named("memory", "The service's memory use is no higher than is allowed.", calls=FIGURES_OF),
    Named("metric", "Metrics of your own keep to their range.", calls=FIGURES_OF, parts=("{metrics}",)),
    Named("alarms", "Alarms have their expected state.", calls=("cloudwatch:DescribeAlarms",), parts=("{alarm}",)),
    Named(
        "against_blue",
        "Green's latencies and metrics are no worse than blue's were before the shift.",
        calls=BLUES_FIGURES_OF,
        parts=(*FIGURES[1:-1], "metric:{metrics}"),
    ),
)


@hook("AfterAllowTraffic", ValidateProduction, NAMES, advisory_on_rollback=True)
def handler(gate: Gate[ValidateProduction]) -> None:
    """Decide whether green serves production as well as it should, until the end of the bake."""
    production = Production(gate)
    if not gate.check("time", production.fits_the_time):
        return
    # Waited for whatever its severity: nothing is sent to a listener that does not forward to green.
    waits = partial(poll, production.serves, gate.deadline.within(SHIFTED), interval=2.0)
    serves = gate.check("green_serves_production", waits)
    if not serves or not (serves.ok or production.bakes_already):  # a bake that has begun goes on
        return
    if not gate.check("other_listeners", production.no_other_listeners):
        return
    if production.bakes_already:
        gate.check("http", partial(skipped, "what is sent once was judged before the bake, and is not sent again"))
    else:
        sound = production.traffic.run()
        if sound and gate.options.smoke_test:
            sound = bool(gate.check("smoke_test", SmokeTest(gate, production.traffic).run))
        if sound and gate.options.load and not production.traffic.way.on_both_sides:
            sound = bool(gate.check("load", partial(production.bears_load, gate.options.load)))
        if not sound:  # what has failed is not made worse by a load, nor customers' time by a bake
            return
    if gate.check("bake", production.bake):
        gate.check("against_blue", production.against_blue)


class Production:
    """The probes of this hook. Which side is green is found once; where the listener leads, at each look.

    Its state, for a fresh invocation: when the bake began (epoch seconds), what the hook sent, and which requests
    failed in the last look. Nothing of it can make a check pass: anybody who may invoke the function can write it.
    """

    def __init__(self, gate: Gate[ValidateProduction]) -> None:
        self.gate, self.deployment, self.options = gate, gate.deployment, gate.options
        self.bakes_already = gate.continuation.number > 0
        state = gate.continuation.state
        self.failing = [str(name) for name in state.get("failing") or []]
        self.own = self._own_requests(state.get("own") or [])

    def _own_requests(self, before: Iterable[Sequence[int]]) -> figures.OwnRequests:
        """What the hook sent `before`, of which it may claim what looks can send; and the errors that checks expect."""
        flows, checks = self.options.flows.values(), self.options.http_checks.values()
        declared = [*checks, *(step for flow in flows for step in flow.steps)]
        asked_for = [status for each in declared if not each.url for status in range(500, 600) if each.accepts(status)]
        repeated = [*(checks or [HttpCheck()]), *(step for flow in flows if flow.repeat for step in flow.steps)]
        looks = math.ceil(60 / self.options.interval + 2)
        return figures.OwnRequests(set(asked_for), before, looks * sum(each.attempts for each in repeated))

    @cached_property
    def group(self) -> TargetGroup:
        """Green's target group."""
        return self.deployment.target_group_of(self.deployment.green())

    @cached_property
    def listener(self) -> Listener:
        """The production listener, as it was looked at last."""
        return self.deployment.production_listener()

    @cached_property
    def balancer(self) -> LoadBalancer:
        """The production listener's load balancer."""
        return self.deployment.load_balancer(self.listener)

    @property
    def url(self) -> str:
        """Where production answers."""
        return listener_url(self.listener, self.balancer, self.group)

    @cached_property
    def traffic(self) -> Traffic:
        """The declared requests, through the production listener."""
        way = way_through(self.deployment, self.listener, self.group)
        return Traffic(self.gate, replace(way, others_judge=True))

    # Before the bake

    def fits_the_time(self) -> Finding:
        """The bake fits the time of all invocations; better said now than found out at its end."""
        budget = self.gate.budget
        problems = self.options.problems_of_time(budget)
        if problems:
            return failed("; ".join(problems))
        return passed(f"{self.options.window:g} s of settling, baking and load fit the {budget.in_all:g} s there are")

    def serves(self) -> Finding:
        """All production traffic goes to green, and green has a healthy target."""
        self.listener = self.deployment.production_listener()
        return green_serves(self.deployment, self.group, self.listener, "production")

    def no_other_listeners(self) -> Finding:
        """No listener that CodeDeploy does not move still forwards to blue."""
        others = self.deployment.other_listeners_left(self.group)
        if others:
            named = "; ".join(each.words for each in others)
            return failed(f"{named}: {self.deployment.why_no_other_listeners(others)}")
        return passed(f"no listener beside those of {self.deployment.words.group} forwards to blue")

    def bears_load(self, load: Load) -> Sequence[Finding]:
        """The service bears the load that was asked for; a rollback is spared it."""
        if self.deployment.is_rollback:
            return [skipped("no load is sent on a rollback deployment", opted_out=True)]
        headers = {**self.listener.headers, **self.options.headers, **load.headers}
        load = replace(load, host=load.host or self.options.host, headers=headers)
        host = load.host or str(urlsplit(self.url).hostname)
        self.listener.require_route_to_green(host, normalised(load.path), headers)
        began = self.gate.now()
        result = send_load(load, self.url, self.gate.deadline)
        self.own.spread(result.sent + load.requests(load.warm_up), began, self.gate.now())
        return judge_load(load, result)

    # The bake: when it begins and ends

    @cached_property
    def window(self) -> figures.Window:
        """When the bake settles, begins and ends."""
        carried = self.gate.continuation
        return figures.Window(self.options, self._moment(carried.began), self._moment(carried.state.get("bake_began")))

    def _moment(self, epoch: Any) -> datetime:
        """A moment that an invocation before has named, but not before the shift: that would shorten the bake."""
        now = self.gate.now()
        if not isinstance(epoch, (int, float)):
            return now
        moment = min(datetime.fromtimestamp(epoch, timezone.utc), now)
        return max(moment, (self.bakes_already and self.deployment.shift_began) or moment)

    def bake(self) -> Sequence[Finding]:
        """Look every interval until the window is over, in as many invocations as it takes.

        Alarms that fire, or do not exist, are found before it begins.
        """
        needed, left = self._until(self.window.ends), self.gate.total_remaining()
        if needed > left:  # the checks before took their time
            said = f"the bake takes {needed:.0f} s, and only {left:.0f} s are left"
            return [failed(f"{said}: shorten initial_delay or duration, or raise timeout and max_duration")]
        deadline, looks = self.gate.deadline, Poll(self.look, self.options.interval)
        while True:
            began = deadline.elapsed()
            give_up, findings = looks.once(), looks.last
            deciding = [finding for finding in findings if self._decides(finding)]
            last = self._until(self.window.last_look(deciding, self.failing, self.gate.now()))
            if give_up or last < 0.001 or any(finding.terminal and not finding.ok for finding in findings):
                return findings
            pause = began + self.options.interval - deadline.elapsed()
            if not self._stay(self._until(self.window.settled) or max(0.0, min(pause, last))):
                cut = self._until(self.window.ends)
                said = f"the bake window was cut short: {cut:.0f} s of it were left"
                return [*findings, error(said, "bake")] if cut else findings

    def _until(self, moment: datetime) -> float:
        return max(0.0, (moment - self.gate.now()).total_seconds())

    def _stay(self, seconds: float) -> bool:
        """Let so many seconds pass, in a fresh invocation what does not fit this one; False if none may follow."""
        here = self.gate.deadline.remaining() - self.gate.handover_margin
        self.gate.deadline.sleep(min(seconds, here))
        if seconds > here and self.gate.continuations_left:
            began = self.window.began.timestamp()
            self.gate.continue_later({"bake_began": began, "own": self.own.as_state(), "failing": self.failing})
        return seconds <= here

    # One look

    def look(self) -> Sequence[Finding]:
        """Everything that has to stay good, causes first; in the settle time, alarms alone."""
        if self._until(self.window.settled):
            findings = self._alarms()
        else:
            serving = replace(self.serves(), name="green_serves_production")
            findings = [serving, *(self._ask() if serving.ok else [])]
            try:
                findings += [*self._figures(), *self._alarms()]
            except ProbeError:  # does not hide what is terminal anyhow
                if not any(finding.terminal and self._decides(finding) for finding in findings):
                    raise
        return [finding if self._decides(finding) else replace(finding, terminal=False) for finding in findings]

    def _decides(self, finding: Finding) -> bool:
        """What only warns, or is left out, does not end the window."""
        return self.gate.fails(finding, "bake")

    def _ask(self) -> list[Finding]:
        """The requests that are repeated through the bake; what fails in two looks in a row is terminal."""
        findings = self.traffic.ask_again(self.options.interval)
        before, self.failing = self.failing, [str(finding.name) for finding in findings if not finding.ok]
        self.own.take(self.traffic.sender.sent)
        return [replace(finding, terminal=finding.name in before and not finding.ok) for finding in findings]

    def _alarms(self) -> list[Finding]:
        options = self.options
        expected = {**dict.fromkeys(self.deployment.alarm_names, alarms.NOT_IN_ALARM), **options.alarms}
        if not expected:
            return [skipped(f"no alarm is named, here or in {self.deployment.words.group}", "alarms")]
        found = alarms.read_alarms(expected)
        return alarms.judge_alarms(found, expected, options.insufficient_data, options.missing_alarms)

    def _figures(self) -> list[Finding]:
        """The load balancer's figures of green, and the user's own metrics, as far as they count."""
        now, window = self.gate.now(), self.window
        if now <= window.counted_from:
            return [skipped(f"green's figures count from {window.counted_from:%H:%M} on", "traffic")]
        blue, network = (lambda: self._blues_figures), self.balancer.kind == "network"
        green, declared = (self.group, window.counted_from, now), self.options.metrics
        measured, values = self._read_traffic(*green), metrics.read_declared(declared, self.balancer, *green)
        found = figures.judge_traffic(
            measured, window, self.own, now, group=self.group.name, network=network, blue=blue
        )
        return [*found, *(figures.judge_metric(name, metric, values[name], now) for name, metric in declared.items())]

    # After the bake

    def against_blue(self) -> Sequence[Finding]:
        """Green's latencies and metrics since the shift against blue's before it."""
        now, window = self.gate.now(), self.window
        if now <= window.counted_from:
            return [skipped("there was no bake, so there are no figures of green", opted_out=True)]
        green = (self.group, window.counted_from, now)
        if self.balancer.kind == "network":
            findings = [skipped("a Network Load Balancer has no figures to compare")]
        else:
            measured = self._read_traffic(*green)
            findings = figures.compare_latencies(measured, self._blues_figures, self.own, self.options)
        compared = {name: m for name, m in self.options.metrics.items() if m.max_worse_percent is not None}
        ours = metrics.read_declared(compared, self.balancer, *green)
        theirs = metrics.read_declared(compared, self.balancer, *self._blue)
        for name, metric in compared.items():
            findings.append(figures.compare_metric(name, metric, ours[name], theirs[name], self.options))
        return findings

    @cached_property
    def _blue(self) -> tuple[TargetGroup, datetime, datetime]:
        """Blue's target group, and the time in which it served alone."""
        before = self.deployment.shift_began or self.window.shifted_at
        since = before - timedelta(seconds=self.window.blues_seconds)
        return self.deployment.other_target_group(self.group), since, before

    @cached_property
    def _blues_figures(self) -> figures.TrafficFigures:
        return self._read_traffic(*self._blue)

    def _read_traffic(self, group: TargetGroup, start: datetime, end: datetime) -> figures.TrafficFigures:
        service = (self.deployment.cluster, self.deployment.service_name)
        return metrics.read_traffic(self.balancer, group, service, start, end)
