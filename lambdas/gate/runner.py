"""Runs a hook: its checks in order, each with a severity, a log line and a result; at the end one verdict.

@hook("AfterAllowTestTraffic", ValidateTestTraffic, NAMES)
def handler(gate: Gate[ValidateTestTraffic]) -> None:
    if not gate.check("test_listener", partial(test_listener, gate)):
        return  # falsy: the hook fails
"""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Generic, NoReturn, Optional, TypeVar

from gate import aws, events
from gate.deployment import Deployment
from gate.names import Named, patterns_of, patterns_of_all_hooks, unknown_names
from gate.options import HookOptions
from gate.overrides import Overrides, overrides_in
from gate.platforms import Continuation, Platform, platform_of
from gate.record import Record
from gate.runtime import Answer, Invocation
from gate.settings import BadSettings, Environment, read_environment, read_module, read_settings
from gate.severity import Severities
from gate.verdict import Finding, Probe, ProbeError, Result, Severity, decide, error, failed, run_probe
from gate.waiting import OutOfTime, Poll, TimeBudget, handover_margin

logger = logging.getLogger("gate")

IDENTIFYING = 60.0  # seconds for finding out whose deployment it is
IDENTIFYING_INTERVAL = 2.0  # seconds between two attempts

O = TypeVar("O", bound=HookOptions)  # noqa: E741  # of options
T = TypeVar("T")
Handler = Callable[..., Answer]  # (event, context=None)


def hook(
    event_name: str,
    options: type[O],
    names: Sequence[Named] = (),
    calls: Sequence[str] = (),
    *,
    advisory_on_rollback: bool = False,
) -> Callable[[Callable[[Gate[O]], None]], Handler]:
    """Make a Lambda handler of a function that makes checks.

    `event_name`: the lifecycle event it is meant for. `options`: the class of its options. `names`: those of its checks
    and findings. `calls`: the AWS actions that most of them need. `advisory_on_rollback`: on a rollback its checks only
    warn, for nothing may stand in the way of going back.
    """

    def decorate(body: Callable[[Gate[O]], None]) -> Handler:
        name = body.__module__.rpartition(".")[2]

        @functools.wraps(body)
        def handler(event: Any, context: Any = None) -> Answer:
            run = _Run(name, event_name, event, context)
            return run.answer(functools.partial(run.checks, body, options, names, advisory_on_rollback))

        # A function takes any attribute; packages and docs are made of these.
        handler.names, handler.calls = tuple(names), tuple(calls)  # type: ignore[attr-defined]
        return handler

    return decorate


@dataclass(frozen=True)
class Checked:
    """What came of a check. Falsy if it fails the hook."""

    results: Sequence[Result]

    def __bool__(self) -> bool:
        return not any(result.stops for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, whatever the severity; a check that was left out is ok."""
        return all(result.finding.ok for result in self.results)

    @property
    def value(self) -> Any:
        """What its probe found for later checks: the value of the first finding that has one, else None."""
        return next((each.finding.value for each in self.results if each.finding.value is not None), None)


class ContinueLater(BaseException):
    """A handler needs more time than this invocation has. Not an `Exception`, so that no check can swallow it."""

    def __init__(self, state: Mapping[str, Any], orphan_note: str) -> None:
        super().__init__("to be continued")
        self.state, self.orphan_note = state, orphan_note


@dataclass
class Gate(Generic[O]):
    """What a handler works with.

    `continuation`: what the invocation before left. `can_continue`: whether the platform can start another invocation.
    `orphaned`: nothing is judged any more, and what still runs is only seen to its end. `running`: what a check has
    started and not seen end, in words; it is told where time is over. `advisory`: it is a rollback, where checks only
    warn. `deadline`: of this invocation's checks.

    `ends_at`: when the hook has to be done, in epoch seconds; 0 if it has no option `max_duration`, so that it never
    continues. `continuations_left`: how many invocations may follow this one. `handover_margin`: seconds of this
    invocation that are kept for starting the next one.
    """

    deployment: Deployment
    options: O
    invocation: Invocation
    record: Record
    severities: Severities
    names: Sequence[Named]
    continuation: Continuation
    can_continue: bool
    orphaned: bool
    running: str = ""

    def __post_init__(self) -> None:
        self.deadline = self.invocation.deadline
        self._max_duration = min(max_duration_of(self.options), self.deployment.longest)
        self.ends_at = self.continuation.began + self._max_duration if self._max_duration else 0.0
        if self.ends_at and self.deployment.expires_at:
            self.ends_at = min(self.ends_at, self.deployment.expires_at)
        may_follow = self.can_continue and time.time() < self.ends_at
        self.continuations_left = (
            max(0, self.deployment.most_continuations - self.continuation.number) if may_follow else 0
        )
        self.handover_margin = handover_margin(self.invocation.seconds) if self.continuations_left else 0.0
        self.advisory = self.severities.advisory
        self._unknown = unknown_names(self.options.checks, self.names)

    def check(
        self,
        name: str,
        probe: Probe,
        severity: Severity = Severity.FAIL,
        *,
        within: float = 0.0,
        interval: float = 2.0,
        consecutive_successes: int = 1,
    ) -> Checked:
        """Make a check now, and log it.

        The probe answers with one finding, or with several named ones (`<check>:<what>`). Whatever it raises becomes a
        result. With `within` it is repeated every `interval` seconds, for so many seconds, until
        `consecutive_successes` in a row have no finding that would fail the hook; what only warns is not waited for.
        """
        self._warn_of_unknown_names()
        self.record.current = name
        began = time.monotonic()
        polling = Poll(probe, interval, worth_waiting=lambda found: not found.ok and self.fails(found, name, severity))

        def add(findings: Sequence[Finding]) -> list[Result]:
            duration_ms = int((time.monotonic() - began) * 1000)
            counted = [self.severities.count(finding, name, severity) for finding in findings]
            return [self.record.add(each.name or name, each, counts, duration_ms) for each, counts in counted]

        left_out = self.left_out(name, severity)
        try:
            if left_out:
                findings = [left_out]
            elif within or consecutive_successes > 1:
                findings = polling.run(self.deadline.within(within), consecutive_successes)
            else:
                findings = run_probe(probe)
        except OutOfTime:
            add(polling.last)  # what the run before found is worth saying
            raise
        except Exception as problem:  # noqa: BLE001  # whatever it is, it is a result
            findings = [self.record.finding_of(problem)]
        results = add(findings or [error(f"check {name} found nothing to say")])
        self.record.current = self.record.hook_name
        return Checked(results)

    def severity(self, name: str, declared: Severity = Severity.FAIL) -> Severity:
        """The severity that a check or finding of this name counts with."""
        return self.severities.of(name, declared)

    def left_out(self, name: str, declared: Severity = Severity.FAIL) -> Optional[Finding]:
        """What is found where the user has left out the check or finding of this name; None if it is to be made."""
        return self.severities.left_out(name, declared)

    def fails(self, finding: Finding, check: str, declared: Severity = Severity.FAIL) -> bool:
        """Whether a finding of this check, if it is not ok, fails the hook."""
        return self.severities.of_finding(finding, check, declared) is Severity.FAIL

    def _warn_of_unknown_names(self) -> None:
        """Said beside a check only: alone it would be a verdict."""
        if self._unknown:
            known = ", ".join(named.name for named in self.names) or "none"
            said = f"the option checks names {', '.join(self._unknown)}, which this hook does not have; it has {known}"
            self.record.add("checks", failed(said), Severity.WARN)
            self._unknown = []

    # Time, and the invocations that may follow

    def now(self) -> datetime:
        """The time by the wall clock, in UTC."""
        return datetime.fromtimestamp(time.time(), timezone.utc)

    def elapsed_in_all(self) -> float:
        """Seconds since the first invocation began."""
        return max(0.0, time.time() - self.continuation.began)

    def remaining_in_all(self) -> float:
        """Seconds left for checks, those of the invocations that may follow included; not bounded by `max_duration`."""
        return self.deadline.remaining() + self.continuations_left * (self.invocation.seconds - self.handover_margin)

    def total_remaining(self) -> float:
        """The same, until the hook has to be done."""
        in_all = self.remaining_in_all()
        return min(in_all, max(0.0, self.ends_at - time.time())) if self.ends_at else in_all

    @property
    def budget(self) -> TimeBudget:
        """The time of all of the hook's invocations; whole seconds, as a function's time-out is set."""
        # What was added to a moment and is taken from it again has lost its last digits.
        here = math.ceil(round(self.invocation.seconds, 6))
        more = self.deployment.most_continuations if self.can_continue and self._max_duration else 0
        return TimeBudget.over(here, more, self._max_duration)

    def continue_later(self, state: Mapping[str, Any], orphan_note: str = "") -> NoReturn:
        """End this invocation; a fresh one runs the handler again with this `state`. See `Continuation`."""
        raise ContinueLater(state, orphan_note)


class _Run:
    """One invocation of one hook: from the event to the answer, whatever happens in between."""

    def __init__(self, name: str, event_name: str, event: Any, context: Any) -> None:
        self.invocation = Invocation(context)
        self.platform: Platform = platform_of(event, context)
        self.event_name, self.context = event_name, context
        self.record = Record(name, self.platform.deployment_id)
        self.preamble = 0  # results that only say whose deployment this is: alone they confirm nothing
        self.own_severity = Severity.FAIL  # of what befalls the hook itself
        self.ending = ""  # of every message
        self.environment: Optional[Environment] = None
        self.deployment: Optional[Deployment] = None
        self.gate: Optional[Gate[Any]] = None

    def answer(self, checks: Callable[[], None]) -> Answer:
        """Make the checks, and answer."""
        aws.try_again()
        try:
            with self.invocation.guard(self._on_stuck):
                checks()
        except ContinueLater as rest:
            to_do = rest
            return self.invocation.answer(lambda: self._continue(to_do) or self._report())
        except OutOfTime:
            self._add(self._out_of_time())
        except BaseException as problem:  # noqa: BLE001  # SystemExit too: nothing may keep the report from being made
            self._add(self.record.finding_of(problem))
        return self.invocation.answer(self._report)

    def checks(
        self, body: Callable[[Gate[O]], None], options_type: type[O], names: Sequence[Named], advisory_on_rollback: bool
    ) -> None:
        """Read event, environment and options; see whose deployment it is; run the handler."""
        if self.platform.event_error:
            self.record.add("event", failed(self.platform.event_error))
            return
        self.record.current = "settings"
        problems: list[str] = []
        environment = self.environment = _or_problem(read_environment, problems)
        options = _or_problem(functools.partial(read_settings, options_type, hook=self.record.hook_name), problems)
        if environment is None or options is None:
            self.record.add("settings", failed("; ".join(problems)))
            return
        if self.platform.continuation and not max_duration_of(options):
            self.record.add("event", failed("the event has a Continuation, and this hook never continues"))
            return
        continuation = self.platform.continuation or Continuation(time.time())
        has_orphan = bool(continuation.orphan_note)  # it is seen to its end, whatever became of the deployment
        module = read_module()
        deployment = self.deployment = self.platform.deployment(environment)
        deployment.in_vpc = module.in_vpc
        is_ours = self._is_ours(deployment)
        if not is_ours and not has_orphan:
            return
        overrides = self._overrides(deployment, names, allowed=module.overrides_allowed)
        if overrides is None and not has_orphan:
            return
        advisory = advisory_on_rollback and is_ours and deployment.is_rollback
        self.own_severity = Severity.WARN if advisory else Severity.FAIL
        unknown = unknown_names(options.checks, names)  # they change nothing: the name of the hook itself is one
        chosen = {name: severity for name, severity in options.checks.items() if name not in unknown}
        self.gate = gate = Gate(
            deployment,
            options,
            self.invocation,
            self.record,
            Severities(chosen, overrides or Overrides({}), _description_of(deployment), advisory),
            names,
            continuation,
            can_continue=self.platform.can_continue,
            orphaned=not is_ours or overrides is None,
        )
        self.record.current = self.record.hook_name
        body(gate)

    def _is_ours(self, deployment: Deployment) -> bool:
        """Whether the deployment is one to judge. Not a check that the user can switch off."""
        self.record.current = "deployment"
        began = time.monotonic()
        deadline = self.invocation.deadline.within(IDENTIFYING)
        probe = functools.partial(self.platform.identify, deployment, self.event_name)
        try:
            waits = Poll(probe, IDENTIFYING_INTERVAL, worth_waiting=lambda each: not each.ok and not each.advisory)
            findings = waits.run(deadline)
        except Exception as problem:  # noqa: BLE001  # whatever it is, it is a result
            findings = [self.record.finding_of(problem)]
        duration_ms = int((time.monotonic() - began) * 1000)
        for finding in findings:
            severity = Severity.WARN if finding.advisory else Severity.FAIL
            self.record.add(finding.name or "deployment", finding, severity, duration_ms)
        over = any(finding.ok and finding.terminal for finding in findings)
        good = all(finding.ok or finding.advisory for finding in findings)
        warned = sum(not finding.ok for finding in findings)  # they come last
        self.preamble = len(self.record.results) - warned if good and not over else 0
        return good and not over

    def _overrides(self, deployment: Deployment, names: Sequence[Named], *, allowed: bool) -> Optional[Overrides]:
        """What the deployment's description overrides; None if it cannot be followed."""
        try:
            description = deployment.description
        except ProbeError:  # has been said of the deployment
            return Overrides({})
        asked = overrides_in(description, patterns_of(names), patterns_of_all_hooks())
        if asked:
            says = _description_of(deployment)
            finding = asked.finding(says, names, allowed=allowed)
            self.record.add("overrides", finding)
            if not finding.ok:
                return None
            self.ending = asked.ending(says)
            self.preamble = self.preamble and len(self.record.results)
        return asked

    def _add(self, finding: Finding) -> None:
        """A finding about the hook itself; on a rollback even that may not stop it."""
        self.record.add(self.record.current, finding, self.own_severity)

    def _out_of_time(self) -> Finding:
        spent = time.monotonic() - self.invocation.started
        late = f"check {self.record.current} had not ended after {spent:.0f} s, when the report was due"
        unanswered, running = aws.unanswered(), self.gate.running if self.gate else ""
        late += f": {unanswered}" if unanswered else ""
        return error(f"{late}; {running} may still run: see to its end" if running else late)

    def _continue(self, rest: ContinueLater) -> Optional[Answer]:
        """Let a fresh invocation continue; the report will be its. None if that fails, which is noted."""
        current, orphaned = self.record.current, f"; {rest.orphan_note}" if rest.orphan_note else ""
        if self.gate is None or not self.gate.continuations_left:
            self._add(error(f"check {current} needs more time, and no further invocation may follow{orphaned}"))
            return None
        before = self.gate.continuation
        continuation = replace(before, number=before.number + 1, state=rest.state, orphan_note=rest.orphan_note)
        try:
            how = self.platform.continue_later(continuation, self.invocation.until(self.invocation.reserve / 2))
        except (Exception, OutOfTime) as problem:  # noqa: BLE001  # whatever it is, the report has to be made
            why = self._out_of_time() if isinstance(problem, OutOfTime) else self.record.finding_of(problem)
            self._add(error(f"the hook could not be continued in a fresh invocation: {why.detail}{orphaned}"))
            return None
        message = f"continued {how}: {continuation.number} of {self.platform.most_continuations}, {current} goes on"
        logger.info(message, extra={**self.record.fields, "check": current, "status": "CONTINUED"})
        return self._answer_of("CONTINUED", message)

    def _report(self) -> Answer:
        advisory = self.own_severity is Severity.WARN
        verdict = decide(self.record.results[self.preamble :], advisory=advisory, ending=self.ending)
        counts = self.platform.deliver(verdict, self.invocation.ends_at)
        status = "SUCCEEDED" if verdict.succeeded else "FAILED"
        extra = {**self.record.fields, "status": status, "event": self.event_name, "duration_ms": self._duration_ms}
        level = logging.INFO if verdict.succeeded else logging.ERROR
        logger.log(level, "%s: %s", status, verdict.message, extra=extra)
        if counts:
            told = functools.partial(self._told, status, verdict.message)
            events.tell(told, self.record, self.context, self.invocation.until(events.SPARE))
        return self._answer_of(status, verdict.message)

    def _told(self, status: str, message: str) -> events.Verdict:
        ours = self.environment or Environment("", "", "", "")
        return events.Verdict(
            status=status,
            message=message,
            duration_ms=self._duration_ms,
            about={
                "platform": self.platform.name,
                "lifecycle_event": self.event_name,
                "stage": self.platform.stage,
                **vars(ours),
                "application": "",
                "deployment_group": "",
                **(self.deployment.names if self.deployment else {}),
            },
            overrides=self.gate.severities.overrides.own if self.gate else {},
            began=self.gate.continuation.began if self.gate else time.time(),
        )

    @property
    def _duration_ms(self) -> int:
        """Milliseconds since the first invocation began."""
        before = self.gate is not None and self.gate.continuation.number
        seconds = self.gate.elapsed_in_all() if self.gate and before else time.monotonic() - self.invocation.started
        return int(seconds * 1000)

    def _answer_of(self, status: str, message: str) -> Answer:
        checks = self.record.as_json()
        duration = self._duration_ms
        found = {"status": status, "message": message, **self.record.fields, "checks": checks, "duration_ms": duration}
        return {**found, **self.platform.answer(status)}

    def _on_stuck(self) -> None:
        """The watchdog's turn: the main thread does not react."""
        late = self.record.add_silently(self.record.current, self._out_of_time(), self.own_severity)
        try:
            self.invocation.answer(self._report)  # before the log, which the stuck thread may hold
        except Exception:
            logger.exception("the watchdog's report did not get through", extra=self.record.fields)
        self.record.log(late)


def _description_of(deployment: Deployment) -> str:
    return f"the description of deployment {deployment.id}"


def max_duration_of(options: HookOptions) -> float:
    """Seconds that the hook may take in all of its invocations; 0: it has one."""
    most: float = getattr(options, "max_duration", 0.0)
    return most


def _or_problem(read: Callable[[], T], problems: list[str]) -> Optional[T]:
    try:
        return read()
    except BadSettings as problem:
        problems.append(str(problem))
        return None
