"""From CodeDeploy's event to a report, whatever happens in between.

The promise: the deployment gets exactly one report, in time, with a reason. It is kept by three guards. Every
check runs inside a `try`. An alarm clock (SIGALRM) ends the checks while there is still time to report; it
interrupts Python code, a runaway regular expression included. And a watchdog thread reports if even that does
not free the main thread (a call into C that never returns, as long as it lets other threads run).
"""

from __future__ import annotations

import functools
import json
import logging
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Callable, TypeVar

from gate import aws
from gate.deployment import OVER, Deployment
from gate.names import NAMES
from gate.options import HookOptions
from gate.overrides import Overrides, overrides_in
from gate.settings import BadSettings, read_environment, read_module, read_settings
from gate.verdict import (
    CannotLook,
    Check,
    Finding,
    Named,
    Outcome,
    Result,
    Severity,
    Verdict,
    could_not_look,
    decide,
    failed,
    finding_of,
    passed,
    sendable,
    severity_for,
    skipped,
    take,
    unknown_names,
)
from gate.waiting import MAX_HOPS, Deadline, Journey, OutOfTime, ToBeContinued, interrupt, poll, reserve

logger = logging.getLogger("gate")
logger.setLevel(logging.INFO)

DEFAULT_TIME = 900.0  # seconds, where no Lambda context says more

MOST_DETAIL = 10_000  # characters of a finding's detail: CloudWatch Logs takes lines of 256 KB
DETAIL = 400  # characters of a finding's detail that are handed over; of what went well a quarter

SUCCEEDED, FAILED, CONTINUED = "SUCCEEDED", "FAILED", "CONTINUED"

S = TypeVar("S", bound=HookOptions)
T = TypeVar("T")
Checks = Callable[[Deployment, S, Deadline], Iterable[Check]]
Handler = Callable[..., dict[str, Any]]  # (event, context=None)


class ReportFailed(Exception):  # noqa: N818  # it is what happened, and reads as such
    """CodeDeploy did not take the report. Raised so that Lambda delivers the event again."""


@dataclass(frozen=True)
class HookEvent:
    """The two fields of CodeDeploy's event; there are no others.

    `continuation` is this module's own: what one invocation hands over to the next.
    """

    deployment_id: str
    execution_id: str
    continuation: Mapping[str, Any] = field(default_factory=dict)


def lifecycle_hook(
    event_name: str, settings_type: type[S], names: Sequence[Named] = (), calls: Sequence[str] = ()
) -> Callable[[Checks[S]], Handler]:
    """Make a Lambda handler of a function that yields checks.

    `event_name` is the lifecycle event the function is meant for; `settings_type` what it reads from `HOOK_SETTINGS`;
    `names` are those of its checks and findings, which a plan takes in `checks`; `calls` the actions of AWS that most
    of them need. The function takes the deployment, the settings and the deadline for its checks; each check it yields
    is run, timed, logged and, whatever it raises, made a result.
    """

    def decorate(checks: Checks[S]) -> Handler:
        hook = checks.__module__.rpartition(".")[2]

        @functools.wraps(checks)
        def handler(event: Any, context: Any = None) -> dict[str, Any]:
            return _Invocation(hook, event_name, names, event, context).run(checks, settings_type)

        # A function takes any attribute: what packages and pages are made of.
        handler.names, handler.calls = tuple(names), tuple(calls)  # type: ignore[attr-defined]
        return handler

    return decorate


class _Invocation:
    """One delivery of one event to one hook."""

    def __init__(self, hook: str, event_name: str, names: Sequence[Named], event: Any, context: Any) -> None:
        self.hook = hook
        self.names = names
        self.event_name = event_name
        self.started = time.monotonic()
        self.context = context
        seconds = _seconds_left(context)
        self.ends_at = self.started + seconds
        self.reserve = reserve(seconds)
        self.deadline = Deadline(seconds - self.reserve)
        self.event, self.complaint = read_event(event)
        self.results: list[Result] = []
        self.handed_over: dict[str, Any] = dict(self.event.continuation.get("done") or {})  # results by check
        self.done: dict[str, Any] = dict(self.handed_over)
        self.awaited = ""  # the check that an invocation before this one left off at, until it comes
        self.overrides = Overrides({})  # what the description of the deployment asks of this hook
        self.loud = ""  # what every message has to end with
        self.preamble = 0  # results that only say whose deployment this is: alone they confirm nothing
        self.may_fail = True  # until a check says that nothing may stop this deployment
        self.current = "start"
        self._answering = threading.Lock()
        self._answer: dict[str, Any] | None = None

    def run(self, checks: Checks[S], settings_type: type[S]) -> dict[str, Any]:
        aws.try_again()
        try:
            # A check that keeps to its deadline has a third of the reserve to end by itself, with all it found.
            with interrupt(self._seconds_until(self.reserve * 2 / 3), OutOfTime), self._watchdog():
                self._judge(checks, settings_type)
        except ToBeContinued as rest:
            if self.deadline.journey.hops_left:
                return self._hand_over(rest)
            no_more = could_not_look(f"check {self.current} needs more time, and no further invocation may follow")
            self._record(self.current, no_more, declared=self._severity)
        except OutOfTime:
            self._record(self.current, self._out_of_time(), declared=self._severity)
        except BaseException as problem:  # SystemExit too: nothing may keep the report from being made
            if not isinstance(problem, CannotLook):
                logger.exception("the hook itself failed", extra=self._fields())
            self._record(self.current, _finding_of(problem), declared=self._severity)
        return self.answer()

    @property
    def _severity(self) -> Severity:
        """Of what befalls the hook itself: on a way back even that may not stop it."""
        return Severity.FAIL if self.may_fail else Severity.WARN

    def _judge(self, checks: Checks[S], settings_type: type[S]) -> None:
        if self.complaint:
            self._record("event", failed(self.complaint))
            return
        self.current = "settings"
        problems: list[str] = []
        environment = _or_problem(read_environment, problems)
        settings = _or_problem(lambda: read_settings(settings_type, hook=self.hook), problems)
        if environment is None or settings is None:
            self._record("settings", failed("; ".join(problems)))
            return
        self.deadline.journey = self._journey(getattr(settings, "max_duration", 0.0))
        deployment = Deployment(self.event.deployment_id, environment.cluster, environment.service)
        of_module = read_module()
        deployment.in_vpc = of_module.in_vpc
        unwatched = bool(self.event.continuation.get("unwatched"))
        # Not one the user can switch off: about a deployment that is not ours, nothing can be judged.
        identity = Check("deployment", lambda: poll(lambda: _is_ours(deployment), self.deadline.within(60), interval=2))
        self.handed_over.pop(identity.name, None)  # it may have been stopped since
        if self._run(identity, {}):
            self.preamble = len(self.results)
        elif not unwatched:  # what runs is seen to its end, whatever became of the rest
            return
        if not self._read_overrides(deployment, of_module.overrides_allowed) and not unwatched:
            return
        settings = replace(settings, checks=self.overrides.over(settings.checks))
        self.awaited = str(self.event.continuation.get("check", ""))
        steps = iter(checks(deployment, settings, self.deadline))
        self.current = self.hook
        try:
            check = next(steps)
            self._name_strangers(settings.checks)  # not before: alone it would be a verdict
            while True:
                goes_on = self._run(check, settings.checks)
                self.current = self.hook
                check = _next_check(steps, goes_on)
        except StopIteration:
            if self.awaited:  # other settings, or another version, than those of the invocation before
                lost = f"check {self.awaited}, which was to go on in this invocation, is not made any more"
                self._record(self.awaited, could_not_look(lost), declared=self._severity)

    def _read_overrides(self, deployment: Deployment, allowed: bool) -> bool:
        """Read what the description of the deployment overrides; whether it can be followed, or asks for nothing."""
        try:  # of a rollback CodeDeploy writes it
            description = "" if deployment.is_rollback else str(deployment.info.get("description") or "")
        except CannotLook:  # said already, of the deployment
            return True
        own = [pattern for named in self.names for pattern in named.patterns]
        asked = overrides_in(description, own, [pattern for patterns in NAMES.values() for pattern in patterns])
        if not asked:
            return True
        says = f"the description of deployment {deployment.id}"
        if not allowed:
            said = f"{says} overrides checks, which the module's input allow_overrides (false) forbids: nothing was "
            self._record("overrides", failed(f"{said}overridden, or looked at; take it out, or allow it"))
        elif asked.problem:
            known = ", ".join(named.name for named in self.names) or "none"
            said = f"{says} {asked.problem}: nothing was overridden, or looked at; mend it, and deploy again"
            self._record("overrides", could_not_look(f"{said} (this hook has {known})"))
        else:
            self.overrides = asked
            self.loud = f"OVERRIDDEN by {says}: {asked.in_words}" if asked.own else ""
            others = f"{says} overrides {', '.join(asked.others)}, of other hooks" if asked.others else ""
            self._record("overrides", passed("; ".join(part for part in (self.loud, others) if part)))
            self.preamble = self.preamble and len(self.results)
        return allowed and not asked.problem

    def _left_out_by(self, name: str) -> str:
        by_description = severity_for(name, Severity.FAIL, self.overrides.own) is Severity.SKIP
        return f"the description of deployment {self.event.deployment_id}" if by_description else "the setting `checks`"

    def _name_strangers(self, overrides: Mapping[str, str]) -> None:
        """A warning, if the setting `checks` names what is no check of this hook."""
        strangers = ", ".join(unknown_names(overrides, self.names))
        if strangers:
            known = ", ".join(named.name for named in self.names) or "none"
            said = f"the setting checks names {strangers}, which this hook does not have; it has {known}"
            self._record("checks", failed(said), declared=Severity.WARN)

    def _run(self, check: Check, overrides: Mapping[str, str]) -> bool:
        """Run one check; whether the hook may still succeed after it."""
        self.current = check.name
        if check.name == self.awaited:
            self.awaited = ""
        if not check.may_stop:
            self.may_fail = False
        if check.name in self.handed_over:
            known = [_known(result) for result in self.handed_over[check.name]]
            self.results += known  # an invocation before this one looked, and logged it
            return not any(result.stops for result in known)
        severity = severity_for(check.name, check.severity, overrides)
        if not check.may_stop:
            overrides = {name: "skip" for name, chosen in overrides.items() if chosen == "skip"}
            severity = Severity.WARN if severity is Severity.FAIL else severity
        if severity is Severity.SKIP:
            left_out = skipped(f"left out by {self._left_out_by(check.name)}", by_choice=True)
            self._record(check.name, left_out, declared=severity)
            return True
        if self.awaited:  # an invocation before this one had no reason to look
            return True
        started = time.monotonic()
        try:
            findings = take(check.look)
        except Exception as problem:
            if not isinstance(problem, CannotLook):
                logger.exception("check %s failed", check.name, extra=self._fields(check=check.name))
            findings = [_finding_of(problem)]
        if not findings:
            findings = [could_not_look(f"check {check.name} found nothing to say")]
        duration_ms = int((time.monotonic() - started) * 1000)
        results = [self._record(f.name or check.name, f, overrides, severity, duration_ms) for f in findings]
        self.done[check.name] = [_to_hand_over(result) for result in results]
        return not any(result.stops for result in results)

    def _record(
        self,
        name: str,
        finding: Finding,
        overrides: Mapping[str, str] | None = None,
        declared: Severity = Severity.FAIL,
        duration_ms: int = 0,
    ) -> Result:
        severity = severity_for(name, declared, overrides or {})
        severity = Severity.WARN if finding.advisory and severity is Severity.FAIL else severity
        if severity is Severity.SKIP and not finding.by_choice:
            finding = skipped(f"left out by {self._left_out_by(name)} (found: {finding.detail})", by_choice=True)
        finding = replace(finding, detail=sendable(finding.detail[:MOST_DETAIL]))
        result = Result(sendable(name), severity, finding, duration_ms)
        self.results.append(result)
        self._log(result)
        return result

    def _log(self, result: Result) -> None:
        level = logging.INFO if result.finding.good else logging.WARNING
        fields = {key: value for key, value in result.as_dict().items() if key not in _LOG_RECORD}
        extra = {**fields, **self._fields(check=result.name)}
        logger.log(level, "%s: %s", result.name, result.finding.detail, extra=extra)

    def _out_of_time(self) -> Finding:
        spent = time.monotonic() - self.started
        late = f"check {self.current} had not ended after {spent:.0f} s, when the report was due"
        unanswered = aws.unanswered()
        return could_not_look(f"{late}: {unanswered}" if unanswered else late)

    def _journey(self, max_duration: float) -> Journey:
        """How far the hook has come; one without `max_duration` never goes on in another invocation."""
        carried = self.event.continuation
        began, hop = float(carried.get("started_at", time.time())), int(carried.get("hop", 0))
        until = began + max_duration if max_duration else 0.0
        may_go_on = time.time() < until and bool(_own_name(self.context))
        return Journey(
            began=began,
            hop=hop,
            hops_left=max(0, MAX_HOPS - hop) if may_go_on else 0,
            seconds=self.ends_at - self.started - self.reserve,
            until=until,
            state=carried.get("state") or {},
        )

    def _hand_over(self, rest: ToBeContinued) -> dict[str, Any]:
        """Let a fresh invocation of this function go on; the report will be its own. If that fails, report so."""
        with self._answering:
            if self._answer is not None:  # the watchdog came first
                return self._answer
            hop = self.deadline.journey.hop + 1
            carried = {
                "started_at": self.deadline.journey.began,
                "hop": hop,
                "request_id": str(getattr(self.context, "aws_request_id", "")),
                "check": self.current,
                "state": rest.state,
                "unwatched": rest.unwatched,
                "done": self.done,
            }
            event = {
                "DeploymentId": self.event.deployment_id,
                "LifecycleEventHookExecutionId": self.event.execution_id,
                "Continuation": carried,
            }
            try:
                message = (
                    f"continued by request {self._invoke_again(event)}: hop {hop} of {MAX_HOPS}, {self.current} goes on"
                )
                logger.info(message, extra=self._fields(check=self.current, status=CONTINUED))
                self._answer = self._answer_of(CONTINUED, message)
                return self._answer
            except (Exception, OutOfTime) as problem:  # whatever it is, the report has to be made
                if not isinstance(problem, (CannotLook, OutOfTime)):
                    logger.exception("the hook could not be handed over", extra=self._fields())
                late = isinstance(problem, OutOfTime)
                why = self._out_of_time().detail if late else _finding_of(problem).detail
                stays = f"the hook could not be handed over: {why}"
                stays += f"; {rest.unwatched}" if rest.unwatched else ""
                self._record(self.current, could_not_look(stays), declared=self._severity)
        return self.answer()

    def _invoke_again(self, event: Mapping[str, Any]) -> str:
        """Queue an event for a fresh invocation of this function, in half of the reserve; the id of its request."""
        payload = json.dumps(event, default=str, ensure_ascii=False).encode(errors="replace")
        own_name = _own_name(self.context)
        with interrupt(self._seconds_until(self.reserve / 2), OutOfTime):
            sent = aws.call("lambda", "invoke", FunctionName=own_name, InvocationType="Event", Payload=payload)
        if sent.get("StatusCode") != 202:  # Lambda's word for "queued": whoever else answers promises nothing
            raise CannotLook(f"lambda:InvokeFunction answered {sent.get('StatusCode')}, expected 202")
        return str(sent.get("ResponseMetadata", {}).get("RequestId", "unknown"))

    def answer(self) -> dict[str, Any]:
        """Decide and report, once; who comes second (the watchdog, or what it took for stuck) gets the same answer."""
        with self._answering:
            if self._answer is None:
                self.deadline.call_off()
                verdict = decide(self.results[self.preamble :], self.may_fail, self.loud)
                if self.event.deployment_id and self.event.execution_id:
                    report(self.event, verdict, self.ends_at)
                self._answer = self._close(verdict)
            return self._answer

    def _close(self, verdict: Verdict) -> dict[str, Any]:
        status = SUCCEEDED if verdict.succeeded else FAILED
        duration_ms = int((time.monotonic() - self.started) * 1000)
        level = logging.INFO if verdict.succeeded else logging.ERROR
        logger.log(
            level,
            "%s: %s",
            status,
            verdict.message,
            extra=self._fields(status=status, duration_ms=duration_ms, event=self.event_name),
        )
        return self._answer_of(status, verdict.message)

    def _answer_of(self, status: str, message: str) -> dict[str, Any]:
        return {
            "status": status,
            "message": message,
            "hook": self.hook,
            "deployment_id": self.event.deployment_id,
            # Lambda has to write it as JSON; a value that is none must not make it deliver the event again.
            "checks": json.loads(json.dumps([result.as_dict() for result in self.results], default=str)),
            "duration_ms": int((time.monotonic() - self.started) * 1000),
        }

    @contextmanager
    def _watchdog(self) -> Iterator[None]:
        watchdog = threading.Timer(self._seconds_until(self.reserve / 2), self._bark)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def _seconds_until(self, before_end: float) -> float:
        return self.ends_at - before_end - time.monotonic()

    def _bark(self) -> None:
        late = Result(self.current, self._severity, self._out_of_time())
        self.results.append(late)
        try:
            self.answer()  # before the log, which the stuck thread may hold
        except ReportFailed:
            logger.exception("the watchdog's report did not get through", extra=self._fields())
        self._log(late)

    def _fields(self, **more: object) -> dict[str, object]:
        return {"hook": self.hook, "deployment_id": self.event.deployment_id, **more}


def read_event(event: Any) -> tuple[HookEvent, str]:
    """The event, and what is wrong with it (empty if nothing is).

    Source of the rule: CodeDeploy sends exactly `DeploymentId` and `LifecycleEventHookExecutionId`, both text.
    """
    if not isinstance(event, Mapping):
        return HookEvent("", ""), f"the event is a {type(event).__name__}, expected CodeDeploy's lifecycle event"
    wanted = ("DeploymentId", "LifecycleEventHookExecutionId")
    # In other spellings they are not CodeDeploy's, but still say which deployment waits for a report.
    spelled = {str(key).lower(): value for key, value in event.items()}
    given = [event.get(key) or spelled.get(key.lower()) for key in wanted]
    values = [sendable(value) if isinstance(value, str) else "" for value in given]
    found = HookEvent(values[0], values[1])
    missing = [key for key, value in zip(wanted, values) if not value]
    unknown = sorted(str(key) for key in event if key not in (*wanted, "Continuation"))
    complaints = [f"it has no {' and no '.join(missing)}"] if missing else []
    if unknown:
        complaints.append(f"it has unknown fields: {', '.join(unknown)[:200]}")
    carried = event.get("Continuation", {})
    if _is_continuation(carried):
        found = HookEvent(values[0], values[1], carried)
    else:
        complaints.append("its Continuation is not one that this hook wrote")
    if not complaints:
        return found, ""
    return found, f"the event is not CodeDeploy's (expected just {' and '.join(wanted)}): {'; '.join(complaints)}"


def _is_continuation(carried: Any) -> bool:
    """Whether this is what `_hand_over` writes, or nothing: the next invocation reads it without looking again."""
    if not isinstance(carried, Mapping):
        return False
    if not carried:
        return True
    return (
        all(_is_number(carried.get(name)) for name in ("started_at", "hop"))
        and 1 <= carried["hop"] <= MAX_HOPS
        and isinstance(carried.get("check"), str)
        and isinstance(carried.get("unwatched", ""), str)
        and isinstance(carried.get("state"), Mapping)
        and isinstance(carried.get("done"), Mapping)
        and all(isinstance(results, list) and results for results in carried["done"].values())
        and all(_is_known(result) for results in carried["done"].values() for result in results)
    )


def _to_hand_over(result: Result) -> dict[str, Any]:
    """A result for the next invocation, as `_known` reads it: Lambda takes a payload of 256 KB."""
    finding = result.finding
    detail = finding.detail[: DETAIL // 4 if finding.good and not finding.note else DETAIL]
    return {
        "name": result.name,
        "outcome": finding.outcome.value,
        "severity": result.severity.value,
        "detail": detail,
        "by_choice": finding.by_choice,
        "note": finding.note,
        "duration_ms": result.duration_ms,
    }


def _is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # a whole number may have any length
        return False


def _is_known(result: Any) -> bool:
    try:
        if not isinstance(result["name"], str) or not isinstance(result["detail"], str):
            return False
        _known(result)
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
    return True


def _known(result: Mapping[str, Any]) -> Result:
    """A result that an invocation before this one handed over."""
    finding = Finding(
        Outcome(result["outcome"]),
        str(result["detail"]),
        by_choice=bool(result.get("by_choice")),
        note=bool(result.get("note")),
    )
    return Result(str(result["name"]), Severity(result["severity"]), finding, int(result.get("duration_ms", 0)))


def _own_name(context: Any) -> str:
    """The function as it was invoked; empty where nobody could invoke it again (called by hand)."""
    name = getattr(context, "invoked_function_arn", "")
    return name if isinstance(name, str) else ""


def report(event: HookEvent, verdict: Verdict, ends_at: float) -> None:
    """Tell CodeDeploy the verdict; `ends_at` is the moment on the monotonic clock when Lambda ends the function.

    Retries while there is time, for a lost report costs the deployment an hour. A report that was already
    made is as good as made. Raises ReportFailed if none gets through.
    """
    # The seam for ECS-native hooks, which will return their verdict instead of calling CodeDeploy.
    status = "Succeeded" if verdict.succeeded else "Failed"
    attempt = 0
    while True:
        attempt += 1
        began = time.monotonic()
        try:
            # One try a client call: the retries are here, where the clock is.
            patience = min(_PATIENCE, max(1.0, ends_at - began - 1))
            with interrupt(patience, _NoAnswer), aws.answering("codedeploy", _REPORT):
                answer = aws.client(
                    "codedeploy", read_timeout=5.0, attempts=1
                ).put_lifecycle_event_hook_execution_status(
                    deploymentId=event.deployment_id,
                    lifecycleEventHookExecutionId=event.execution_id,
                    status=status,
                )
            aws.readable(answer, "codedeploy", _REPORT)  # CodeDeploy echoes the id; a proxy on the way does not
            return
        except Exception as problem:
            code = (getattr(problem, "response", None) or {}).get("Error", {}).get("Code", "")
            if code == "LifecycleEventAlreadyCompletedException":
                logger.info("CodeDeploy already has a report", extra={"deployment_id": event.deployment_id})
                return
            reason = aws.explain(problem, "codedeploy", _REPORT)
            pause = min(2.0 ** (attempt - 1) / 2, 5.0)
            now = time.monotonic()
            # The next attempt may take as long as this one did.
            if code in _FINAL or now + pause + (now - began) + 1 > ends_at:
                raise ReportFailed(f"{status} could not be reported after {attempt} attempt(s): {reason}") from problem
            logger.warning(
                "report attempt %d failed: %s", attempt, reason, extra={"deployment_id": event.deployment_id}
            )
            time.sleep(pause)


class _NoAnswer(Exception):  # noqa: N818  # it is what happened, and reads as such
    """CodeDeploy's answer does not come to an end."""


_PATIENCE = 10.0  # seconds for one attempt: botocore's time-outs are between two bytes, which may drip for ever
_REPORT = "put_lifecycle_event_hook_execution_status"

# Errors of the report that no retry mends (botocore's model of the operation).
_FINAL = (
    "DeploymentDoesNotExistException",
    "DeploymentIdRequiredException",
    "InvalidDeploymentIdException",
    "InvalidLifecycleEventHookExecutionIdException",
    "InvalidLifecycleEventHookExecutionStatusException",
    "UnsupportedActionForDeploymentTypeException",
)


def _is_ours(deployment: Deployment) -> Finding:
    ours = f"{deployment.cluster}/{deployment.service_name}"
    status = deployment.info.get("status")
    if status in OVER:
        return failed(f"deployment {deployment.id} is already {status}: there is nothing left to judge", certain=True)
    deployed = deployment.deploys()
    name = f"{deployment.info['applicationName']}/{deployment.info['deploymentGroupName']}"
    if ours not in deployed:
        return failed(
            f"deployment {deployment.id} of {name} deploys {', '.join(deployed) or 'no ECS service'}, but this hook "
            f"watches {ours}: put that service's hooks into the AppSpec, or mend ecs_cluster_name, ecs_service_name",
            certain=True,
        )
    kind = "rollback deployment" if deployment.is_rollback else "deployment"
    return passed(f"{kind} {deployment.id} of {name} deploys {ours}")


def _finding_of(problem: BaseException) -> Finding:
    if isinstance(problem, CannotLook):
        return finding_of(problem)
    if isinstance(problem, ImportError):
        return could_not_look(f"library {problem.name or problem} is missing: attach the layer that has it ({problem})")
    try:
        return could_not_look(f"{type(problem).__name__}: {problem}")
    except Exception:  # noqa: BLE001  # an exception that cannot be put in words may not keep the report from being made
        return could_not_look(type(problem).__name__)


def _next_check(steps: Iterator[Check], goes_on: bool) -> Check:
    """The next check; a generator learns, as the value of its `yield`, whether the hook may still succeed."""
    inner: Any = steps
    while hasattr(inner, "send"):
        inner = getattr(inner, "gi_yieldfrom", None)
    # What is left is a list's iterator, perhaps one that a generator yields from: it takes no answer.
    return next(steps) if inner is not None else steps.send(goes_on)  # type: ignore[attr-defined]


def _or_problem(read: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return read()
    except BadSettings as problem:
        problems.append(str(problem))
        return None


# The keys that `logging` keeps for itself: it raises for an extra field of such a name.
_LOG_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def _seconds_left(context: Any) -> float:
    try:
        milliseconds = context.get_remaining_time_in_millis()
    except Exception:  # noqa: BLE001  # no Lambda context, or one of a test's own: somebody calls the handler by hand
        return DEFAULT_TIME
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else DEFAULT_TIME  # a mock counts as a float
