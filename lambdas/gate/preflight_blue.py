"""The service before anything is made: does blue run as it should, so that there is something to go back to?"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import Any, Optional

from gate.ecs import Service, Side
from gate.elb import Target, TargetGroup
from gate.names import check
from gate.runner import Gate
from gate.verdict import Finding, NotFound, ProbeError, Severity, error, failed, finding_of, passed
from gate.waiting import Poll

SETTLE = 60.0  # seconds a service may take to be steady: a task replaced this very moment is no reason to refuse
STARTING = 240.0  # the same while some of its targets are `initial`: five checks 30 s apart are AWS's default
WHY = re.compile(r"unable|unhealthy|fail|reason|error|insufficient", re.IGNORECASE)  # in an event of a service

OF_BLUE = ("blue_targets", "running_count", "service_steady", "production_weights", "test_weights")  # checks


class Blue:
    """The service, and the side that serves now. Properties raise ProbeError where they cannot be had."""

    def __init__(self, gate: Gate[Any]) -> None:
        self.gate = gate
        self.deployment = gate.deployment
        self._seen: Optional[Service] = None

    @property
    def current(self) -> Service:
        """The service as it was last seen."""
        return self._seen or self.deployment.memoize("service", self.deployment.service)

    @property
    def side(self) -> Side:
        """The side that serves now; raises NotFound if there is none."""
        primary = self.current.primary
        if primary is None:
            raise NotFound(f"service {self.current.name} has no primary task set: deploy it once without this hook")
        return primary

    @property
    def group(self) -> TargetGroup:
        """The target group that serves now."""
        return self.deployment.target_group_of(self.side)

    @property
    def idle_group(self) -> TargetGroup:
        """The other one of the pair, in which green will be registered."""
        if self.deployment.is_first:
            return self.deployment.target_group_of(self.deployment.green())
        return self.deployment.other_target_group(self.group)

    @check()
    def service(self) -> Finding:
        """The service is ACTIVE, can be deployed blue/green, and is asked to run at least one task."""
        service = self.current
        if service.status != "ACTIVE":
            return failed(f"service {service.name} is {service.status}, expected ACTIVE: create it again")
        problem = self.deployment.why_not_controlled(service)
        if problem:
            return failed(f"service {service.name} {problem}")
        if service.desired < 1:
            why = "no green task could be looked at; raise it first"
            return failed(f"service {service.name} has a desired count of 0: {why}")
        return passed(f"service {service.name} is to run {service.desired} task(s)")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def blue_targets(self) -> Finding:
        """Blue's targets are healthy; where none is, blue serves nobody, and this deployment only warns of it."""
        return self._settled("blue_targets")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def running_count(self) -> Finding:
        """The serving side runs as many tasks as desired, none pending; a minute to settle, four to scale out."""
        return self._settled("running_count")

    @check(calls=["elasticloadbalancing:DescribeTargetHealth"])
    def service_steady(self) -> Finding:
        """The serving side is in STEADY_STATE; a minute to settle, four while it scales out."""
        return self._settled("service_steady")

    @check()
    def stale_task_sets(self) -> Finding:
        """No task set of another deployment is still in use; one that drains, or is at scale 0, is not."""
        others = [
            f"{each.id} of deployment {each.external_id or 'unknown'} (scale {each.scale:g} %)"
            for each in self.current.sides
            if each.in_use and each.status != "PRIMARY" and each.external_id != self.deployment.id
        ]
        if others:
            said = f"a task set of another deployment is left over: {', '.join(others)}"
            return failed(f"{said}; stop that deployment or delete the task set")
        return passed("no task set of another deployment is in use")

    def _settled(self, name: str) -> Finding:
        """The finding of this name. Where the service cannot be read there is one for all three."""
        return next((finding for finding in self._findings if finding.name == name), self._findings[0])

    @cached_property
    def _findings(self) -> list[Finding]:
        """The three findings, the cause first. They are waited for while blue serves customers, or is about to."""
        # A rollback cannot wait, and while it is under way the service has two sides and does not settle.
        is_rollback, deadline = self.deployment.is_rollback, self.gate.deadline
        starting = deadline.within(min(STARTING, deadline.remaining() / 2))
        polling = Poll(self._look, interval=3, worth_waiting=self._is_worth_waiting)
        findings = polling.run(deadline.within(0 if is_rollback else SETTLE))
        scales_out = any(finding.values.get("starting") and not finding.advisory for finding in findings)
        if is_rollback or not scales_out or not any(map(self._is_worth_waiting, findings)):
            return findings
        return polling.run(starting)

    def _is_worth_waiting(self, finding: Finding) -> bool:
        about_to_serve = bool(finding.values.get("starting"))
        fails = self.gate.severity(finding.name or "") is Severity.FAIL
        return not finding.ok and fails and (about_to_serve or not finding.advisory)

    def _look(self) -> list[Finding]:
        self._seen = self.deployment.service()  # what is looked at afterwards is what was waited for
        counts = self._counts()
        softened = "[warn blue_targets, running_count, service_steady]"
        way_out = f"put {softened} into {self.deployment.words.description}, to deploy all the same"
        try:
            targets = self.deployment.targets(self.group)
        except ProbeError as problem:  # what ECS says stays
            return [replace(finding_of(problem, "blue_targets"), terminal=not problem.retryable), *counts]
        if self.side.running and not targets:  # each task that runs is registered, or is about to be: one of them lags
            said = f"elasticloadbalancing:DescribeTargetHealth names no target of {self.group.name}, and ECS"
            cure = f"{self.side.running} running task(s) of blue: register them, or {way_out}"
            return [error(f"{said} {cure}", "blue_targets"), *counts]
        serving = [target for target in targets if "draining" not in target.state]
        findings = [self._blue_targets(serving, is_settled=all(finding.ok for finding in counts)), *counts]
        if findings[0].advisory:
            return [replace(finding, advisory=True) for finding in findings]
        bad = next((finding for finding in findings if not finding.ok), None)  # the first one: once is enough
        return [replace(each, detail=f"{each.detail}; or {way_out}") if each is bad else each for each in findings]

    def _blue_targets(self, targets: list[Target], *, is_settled: bool) -> Finding:
        """Judge blue's targets. Where ECS finds the service settled, those that are not healthy are only named.

        No harm can come to customers whom nobody serves: what may fix it is let through, loudly.
        """
        group = self.group.name
        healthy = sum(target.state == "healthy" for target in targets)
        others = ", ".join(str(target) for target in targets if target.state != "healthy")
        is_starting = bool(targets) and all(target.state in ("healthy", "initial") for target in targets)
        starting = {"starting": True} if is_starting else {}
        if not healthy:
            said = f"BLUE SERVES NOBODY: no target of {group} is healthy ({others or 'none is registered'})"
            cure = "this deployment is let through to fix it, and a rollback would go back to this"
            return replace(failed(f"{said}; {cure}", "blue_targets", **starting), advisory=True)
        if others and not is_settled:
            said = f"{healthy} of {len(targets)} targets of {group}, which serves now, are healthy: {others}"
            return failed(f"{said}; fix it first", "blue_targets", **starting)
        said = f"{healthy} healthy target(s) behind {group}"
        return passed(f"{said}; {others}" if others else said, "blue_targets")

    def _counts(self) -> list[Finding]:
        """What ECS says of blue alone: a set that drains still has tasks, which the service counts."""
        blue = self.side
        # Most events only tell what ECS does (registers targets, starts tasks).
        telling = " | ".join([event for event in self.current.events if WHY.search(event)][:3])
        fix = f"fix it first; latest events: {telling}" if telling else "fix it first"
        counts = f"{blue.running} of {blue.desired} tasks running, {blue.pending} pending"
        short = f"service {self.current.name} is not at its desired count: {counts}; {fix}"
        is_steady, steady = blue.stability == "STEADY_STATE", f"serving {blue.name} is in STEADY_STATE"
        unsteady = f"serving {blue.name} is {blue.stability}, expected STEADY_STATE; {fix}"
        return [
            passed(counts, "running_count") if blue.complete else failed(short, "running_count"),
            passed(steady, "service_steady") if is_steady else failed(unsteady, "service_steady"),
        ]
