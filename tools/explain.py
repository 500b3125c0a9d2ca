#!/usr/bin/env python3
"""Tell how a real deployment went: each event or stage, its hook, what it found, its verdict and the reason.

    python explain.py d-ABCDEFGHI              a deployment of CodeDeploy
    python explain.py main/orders              the latest one of a service that ECS itself deploys (cluster/service)
    python explain.py arn:aws:ecs:…            that one: the ARN of a service deployment, or of a service

The file stands alone: Python 3.9 and boto3 are all that it needs, with credentials as the AWS CLI takes them.

Exit status: 0 it succeeded; 1 it failed, was stopped, or is rolled back; 2 nobody can tell (bad input, no permission);
3 it is in progress.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NotConnected
except ImportError as missing:  # pragma: no cover - said in words, as this is for machines of others
    sys.exit(f"error: {missing.name} is missing: pip install boto3")

SUCCEEDED, STOPPED, UNKNOWN, IN_PROGRESS = 0, 1, 2, 3
"""Exit statuses."""

EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
"""CodeDeploy's lifecycle events that run a function."""

STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
"""ECS's lifecycle stages, in order."""

INTERVAL = 15.0
"""Seconds between two looks at a deployment that is waited for."""

LATE_LINES = 30.0
"""Seconds that a line of a function may take until CloudWatch Logs finds it."""

LOOK_AGAIN = 5.0
"""Seconds between two looks for lines that are not there yet."""

UNLISTED = 60.0
"""Seconds that a new service deployment may take until ECS lists it."""

CLOCKS_DIFFER = timedelta(seconds=5)
"""By how much the clock of a job may be ahead of ECS's."""

MARGIN = timedelta(minutes=15)
"""How long after its end a deployment's functions may still log: as long as one invocation takes."""

NEEDS = {
    "codedeploy": (
        "codedeploy:GetDeployment, codedeploy:ListDeploymentTargets and codedeploy:BatchGetDeploymentTargets on the "
        "deployment group; codedeploy:GetApplicationRevision on the application (for an AppSpec in S3 s3:GetObject "
        "instead, or s3:GetObjectVersion); logs:FilterLogEvents on the functions' log groups"
    ),
    "ecs": (
        "ecs:ListServiceDeployments on the service; ecs:DescribeServiceDeployments on its service deployments; "
        "logs:FilterLogEvents on the functions' log groups"
    ),
}
"""Permissions, by platform; docs/explain.md has them as a policy."""

DENIED = ("AccessDenied", "AccessDeniedException")
"""Error codes where a permission is missing: S3's, and that of the others."""

CURES = {
    "NoCredentialsError": "log in, set AWS_PROFILE, or give the job a role",
    "NoRegionError": "give --region, or set AWS_REGION",
    "ExpiredTokenException": "log in again",
    "UnrecognizedClientException": "log in again",
}
"""What helps, by the name of botocore's exception or AWS's error code."""


class Problem(Exception):
    """What keeps a deployment from being told: the value, what was expected, the cure. `code`: AWS's own."""

    def __init__(self, said: str, code: str = "") -> None:
        super().__init__(said)
        self.code = code

    @property
    def denied(self) -> bool:
        """Whether a permission is missing."""
        return self.code in DENIED


# What is shown. The rehearsal shows its deployments by the same lines.


MARKS = {
    "passed": "✓", "failed": "✗", "error": "!", "warned": "⚠", "skipped": "○",
    "Succeeded": "✓", "Failed": "✗", "Skipped": "○", "Pending": "·", "InProgress": "…",
}  # fmt: skip
HOP = "↪"
"""Before what tells that a hook goes on in a fresh invocation."""
COLOURS = {"✓": "32", "✗": "31", "!": "31", "⚠": "33", "○": "2", "↩": "33"}
WIDTH = 112
"""Columns of the timeline."""
DETAIL = 400
"""Characters of a check's detail, or of a step's reason, that are shown."""


def coloured() -> bool:
    """Say whether standard output takes colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(mark: str, text: str | None = None) -> str:
    """Return a mark, or a text in the mark's colour."""
    shown = mark if text is None else text
    return f"\033[{COLOURS[mark]}m{shown}\033[0m" if coloured() and mark in COLOURS else shown


def bold(text: str) -> str:
    """Return a text in bold, where the terminal can."""
    return f"\033[1m{text}\033[0m" if coloured() else text


def shortened(text: str, length: int) -> str:
    """Return a text without its middle if it is longer than `length`: a log says at its end what happened."""
    head = length // 3
    return text if len(text) <= length else f"{text[:head]} … {text[head - length :]}"


def plain(text: str) -> str:
    """Return a text in one line, without what a terminal would obey."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def wrapped(text: str, mark: str) -> list[str]:
    """Return a text as lines below a step, a mark before the first."""
    return textwrap.wrap(
        shortened(plain(text), DETAIL), WIDTH, initial_indent=f"      {mark} ", subsequent_indent=" " * 10
    )


def outcome_of(check: Mapping[str, Any]) -> str:
    """Return what came of a check: passed, failed, error, skipped, or warned if it failed and may only warn."""
    outcome = str(check.get("outcome"))
    return "warned" if outcome in ("failed", "error") and check.get("severity") == "warn" else outcome


@dataclass
class Step:
    """One lifecycle event of CodeDeploy, or one hook at a stage of ECS.

    `status`: Succeeded, Failed, Skipped, Pending or InProgress. `hops`: what was said each time that the hook went on
    in a fresh invocation. `checks`: name, outcome, severity, detail. `reason`: why it failed, in a line.
    """

    name: str
    status: str
    seconds: float | None = None
    function: str = ""
    notes: list[str] = field(default_factory=list)
    hops: list[str] = field(default_factory=list)
    checks: Sequence[Mapping[str, Any]] = ()
    reason: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    def lines(self, *, reason: bool = True) -> list[str]:
        """Return the step as it is shown, with its reason, unless that is told elsewhere."""
        seconds = f"{self.seconds:6.1f} s" if self.seconds is not None else ""
        mark = paint(MARKS.get(self.status, "?"))
        lines = [f"  {mark} {self.name:<29} {self.status:<10} {seconds:>8}  {self.function}".rstrip()]
        lines += [line for note in self.notes for line in wrapped(note, "·")]
        lines += [line for hop in self.hops for line in wrapped(hop, HOP)]
        lines += check_lines(self.checks)
        if reason and self.status == "Failed" and self.reason and not self._said_by_checks:
            lines += [paint("✗", line) for line in wrapped(f"reason: {self.reason}", "→")]
        return lines

    @property
    def _said_by_checks(self) -> bool:
        """Whether the reason is no more than what the checks have found that failed."""
        wrong = [str(check.get("detail")) for check in self.checks if outcome_of(check) in ("failed", "error")]
        return "; ".join(plain(detail) for detail in wrong) == plain(self.reason)


def check_lines(checks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line of those checks that passed, and one for each of the others."""
    names = [str(check.get("name")) for check in checks if outcome_of(check) == "passed"]
    lines = []
    if names:
        count = f"{len(names)} check{'' if len(names) == 1 else 's'} passed"
        named = textwrap.shorten(", ".join(dict.fromkeys(names)), WIDTH - len(count) - 10, placeholder=" …")
        lines.append(f"      {paint('✓')} {count}: {named}")
    for check in checks:
        outcome = outcome_of(check)
        if outcome != "passed":
            mark = paint(MARKS.get(outcome, "?"))
            lines += wrapped(f"{check.get('name')}: {check.get('detail', '')}", mark)
    return lines


@dataclass
class Told:
    """A deployment as far as it can be told.

    `what`: its name for a sentence. `outcome`: SUCCEEDED, STOPPED or IN_PROGRESS. `over`: nothing goes on any more, on
    the way back neither. `status`: AWS's own word. `error`: AWS's own reason. `endings`: what else is to be said of how
    it ended. `missing`: what could not be read, with the cure.
    """

    what: str
    outcome: int
    over: bool
    status: str
    error: str = ""
    steps: list[Step] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    denied: bool = False
    """Whether a permission is missing."""

    @property
    def stopped_at(self) -> Step | None:
        """Where it failed: the last step that did."""
        return next((step for step in reversed(self.steps) if step.status == "Failed"), None)

    def headline(self) -> str:
        """Say in a sentence how it ended, and why."""
        if self.outcome == SUCCEEDED:
            return f"{self.what} succeeded."
        if self.outcome == IN_PROGRESS:
            now = [step.name for step in self.steps if step.status == "InProgress"]
            return f"{self.what} is in progress ({self.status}){': ' if now else ''}{', '.join(now)}."
        step = self.stopped_at
        if step and step.function:
            return f"{self.what} was stopped by {step.function} at {step.name}: {step.reason or self.error}"
        at = f" at {step.name}" if step else ""
        return f"{self.what} did not succeed ({self.status}){at}: {self.error or 'AWS names no reason'}"

    def text(self) -> str:
        """Return all of it, for a terminal or the log of a CI job."""
        lines = ["", bold(self.what), ""]
        for step in self.steps:
            lines += step.lines(reason=step is not self.stopped_at)  # which ends the text
        lines.append("")
        lines += [line for said in self.missing for line in wrapped(said, paint("!"))]
        mark = {SUCCEEDED: "✓", STOPPED: "✗"}.get(self.outcome, "…")
        why = f": {self.error}" if self.error else ""
        lines += textwrap.wrap(
            f"{self.status}{why}", WIDTH, initial_indent=f"  {paint(mark)} ", subsequent_indent="    "
        )
        lines += [f"  {ending}" for ending in self.endings]
        return "\n".join([*map(_no_command, lines), "", f"  {bold(plain(self.headline()))}"])


def _no_command(line: str) -> str:
    """Return a line that GitHub Actions takes for no command of its own, whatever a check has found."""
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


# AWS.


class Aws:
    """Calls AWS, and says in words what goes wrong.

    `region`: where no other is named; None: the environment's. `make`: makes clients as `boto3.client` does.
    """

    def __init__(self, region: str | None, make: Any = boto3.client) -> None:
        self._region, self._make = region, make
        self._clients: dict[tuple[str, str | None], Any] = {}

    def call(self, service: str, operation: str, region: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Return the answer of an operation. Raises Problem."""
        action = f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"
        try:
            client = self._client(service, region or self._region)
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code"))
            cure = f" ({CURES[code]})" if code in CURES else ""
            raise Problem(f"{action} was refused, {code}: {told.get('Message')}{cure}", code) from error
        except BotoCoreError as error:
            unreached = isinstance(error, (NotConnected, HTTPClientError))
            cure = CURES.get(type(error).__name__, "see that this machine reaches AWS" if unreached else "")
            raise Problem(f"{action}: {error}{f' ({cure})' if cure else ''}", type(error).__name__) from error
        except AttributeError as error:
            raise Problem(f"boto3 {boto3.__version__} knows no {action}: pip install --upgrade boto3") from error
        return answer

    def pages(self, service: str, operation: str, region: str = "", /, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Iterate over the pages of an operation. Raises Problem."""
        token: dict[str, str] = {}
        while True:
            answer = self.call(service, operation, region, **parameters, **token)
            yield answer
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}

    def _client(self, service: str, region: str | None) -> Any:
        if (service, region) not in self._clients:
            config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 6})
            self._clients[service, region] = self._make(service, region_name=region, config=config)
        return self._clients[service, region]


# What the functions have logged: a JSON line for each check, and one for the verdict.


@dataclass
class Run:
    """One run of a hook: one invocation, or several of which each continued the one before."""

    began: datetime
    ended: datetime
    requests: list[str] = field(default_factory=list)
    hops: list[str] = field(default_factory=list)
    checks: list[Mapping[str, Any]] = field(default_factory=list)
    """Of the last invocation."""
    status: str = ""
    """SUCCEEDED or FAILED; empty where no verdict is logged."""
    message: str = ""

    @property
    def stage(self) -> str:
        """The stage of ECS at which it ran, as its first check says; empty where none does."""
        told = [
            re.search(r"now at ([A-Z_]+)$", str(each["detail"])) for each in self.checks if each["name"] == "deployment"
        ]
        return next((found.group(1) for found in told if found), "")


def runs_of(lines: Sequence[tuple[datetime, Mapping[str, Any]]]) -> list[Run]:
    """Return the runs that a function's lines tell of, in the order in which they began."""
    invocations: dict[str, list[tuple[datetime, Mapping[str, Any]]]] = {}
    for at, line in lines:
        invocations.setdefault(str(line.get("requestId", "")), []).append((at, line))
    found: list[Run] = []
    going_on: Run | None = None
    for request, told in sorted(invocations.items(), key=lambda each: each[1][0][0]):
        run = going_on or Run(told[0][0], told[-1][0])
        if run is not going_on:
            found.append(run)
        going_on = None
        run.ended, run.checks = told[-1][0], []
        run.requests.append(request)
        for _, line in told:
            if {"check", "outcome", "detail"} <= line.keys():
                run.checks.append({**line, "name": line["check"]})
            elif line.get("status") == "CONTINUED":
                run.hops.append(str(line.get("message", "")))
                going_on = run
            elif line.get("status") in ("SUCCEEDED", "FAILED"):
                run.status = str(line["status"])
                run.message = str(line.get("message", "")).partition(": ")[2]
    return found


@dataclass(frozen=True)
class Function:
    """A hook's function, by its name or ARN."""

    given: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.given.split(":")[6] if self.given.count(":") >= 6 else self.given.partition(":")[0]

    @property
    def region(self) -> str:
        """The region of its ARN; empty where it is a name."""
        return self.given.split(":")[3] if self.given.count(":") >= 6 else ""


class Logs:
    """Reads the functions' logs of one deployment: the lines from `since` to `until` that name it."""

    def __init__(self, aws: Aws, deployment_id: str, since: datetime, until: datetime | None) -> None:
        self._aws, self._id = aws, deployment_id
        self._since, self._until = since, until
        self._groups: dict[str, str] = {}
        self._read: dict[str, list[Run]] = {}
        self.problems: dict[str, Problem] = {}
        """What keeps a function's log from being read, by the function's name."""

    def runs(self, function: Function, *, again: bool = False) -> list[Run]:
        """Return a function's runs; none where its log cannot be read, which is noted. `again`: look anew."""
        if function.name not in self._read or again:
            pattern = f'{{ $.deployment_id = "{self._id}" }}'
            self._read[function.name] = runs_of(self._lines(function, pattern, self._since, self._until))
        return self._read[function.name]

    def end_of(self, function: Function, run: Run | None, since: datetime, until: datetime | None) -> str:
        """Say how an invocation ended that logged no verdict, as Lambda tells it; empty where that is not known."""
        statuses = " || ".join(f'($.record.status = "{status}")' for status in ("timeout", "error", "failure"))
        for _, line in reversed(self._lines(function, f'{{ {statuses} || ($.errorMessage = "*") }}', since, until)):
            record = line.get("record") if isinstance(line.get("record"), dict) else {}
            request = line.get("requestId") or record.get("requestId")
            if run is None or request in run.requests:
                if line.get("errorMessage"):
                    return f"the function failed: {line.get('errorType')}: {line['errorMessage']}"
                return f"the function ended without a verdict: Lambda says {record.get('status')}"
        return ""

    def _lines(
        self, function: Function, pattern: str, since: datetime, until: datetime | None
    ) -> list[tuple[datetime, Mapping[str, Any]]]:
        bounds = {"startTime": _milliseconds(since), "endTime": _milliseconds((until or _now()) + MARGIN)}
        found = []
        try:
            for page in self._pages(function, filterPattern=pattern, **bounds):
                for event in page.get("events") or []:
                    line = _json(event.get("message"))
                    if line is not None:
                        found.append((_moment(event["timestamp"]), line))
        except Problem as problem:
            self.problems[function.name] = problem
            return []
        return sorted(found, key=lambda each: each[0])

    def confess(self, told: Told) -> None:
        """Say what could not be read."""
        told.missing += [f"the log of {name} could not be read: {why}" for name, why in self.problems.items()]
        told.denied = told.denied or any(why.denied for why in self.problems.values())

    def _pages(self, function: Function, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Search its log group: the one that Lambda makes, or, where there is none, the one that it is told to take."""
        group = self._groups.get(function.name, f"/aws/lambda/{function.name}")
        try:
            yield from self._aws.pages("logs", "filter_log_events", function.region, logGroupName=group, **parameters)
        except Problem as problem:
            if problem.code != "ResourceNotFoundException" or function.name in self._groups:
                raise
            try:
                told = self._aws.call(
                    "lambda", "get_function_configuration", function.region, FunctionName=function.given
                )
            except Problem as other:
                said = f"there is no log group {group}, and which one it takes is not known either: {other}"
                raise Problem(said, other.code) from other
            named = str((told.get("LoggingConfig") or {}).get("LogGroup") or group)
            if named == group:
                raise Problem(f"there is no log group {group}") from problem
            self._groups[function.name] = named
            yield from self._pages(function, **parameters)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _json(text: Any) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


# Both platforms.


class Teller:
    """Tells a deployment.

    `named`: functions by event or stage, where AWS does not tell them. `sleep`: waits. `since`: of a service only a
    deployment that was created then or later is meant.
    """

    def __init__(
        self,
        aws: Aws,
        named: Mapping[str, str],
        sleep: Callable[[float], object],
        since: datetime | None = None,
    ) -> None:
        self._aws, self._named, self._sleep, self._since = aws, named, sleep, since

    def found(self, deployment: str) -> str:
        """Return the id or ARN of what a person has named: of a service its latest deployment. Raises Problem."""
        if deployment.startswith("d-") or ":service-deployment/" in deployment:
            return deployment
        return self._latest(deployment)

    def tell(self, deployment: str, *, briefly: bool = False) -> Told:
        """Tell a deployment, by its id or ARN; `briefly` without what its hooks say. Raises Problem."""
        if deployment.startswith("d-"):
            return self._codedeploy(deployment, briefly)
        return self._ecs(deployment, briefly)

    def _fill(self, step: Step, run: Run | None, logs: Logs, function: Function) -> None:
        """Put into a step what its hook has logged."""
        if run:
            step.hops, step.checks = run.hops, run.checks
            step.reason = run.message if run.status == "FAILED" else ""
        if step.status == "Failed" and not (run and run.status):
            since = run.began if run else step.began or _now()
            step.reason = logs.end_of(function, run, since - timedelta(seconds=5), step.ended)
        if function.name in logs.problems or step.reason:
            return
        if run and not run.status and step.status not in ("InProgress", "Pending"):
            last = f"; its last line is of check {run.checks[-1]['name']}" if run.checks else ""
            step.notes.append(f"the log has no verdict of it{last}")
        elif not run and step.status in ("Succeeded", "Failed"):
            step.notes.append(
                "its log says nothing of this deployment: the function is none of the module's, does not log as JSON, "
                "or the line's retention is over"
            )

    def _run(
        self,
        logs: Logs,
        function: Function,
        ended: datetime | None,
        choose: Callable[[Sequence[Run]], Run | None],
    ) -> Run | None:
        """Choose one of a function's runs; look again for its verdict where it has only just `ended`."""
        run, waited = choose(logs.runs(function)), 0.0
        while not (run and run.status) and ended and waited < LATE_LINES and function.name not in logs.problems:
            if _now() - ended > timedelta(seconds=LATE_LINES):
                break
            self._sleep(LOOK_AGAIN)
            waited += LOOK_AGAIN
            run = choose(logs.runs(function, again=True))
        return run

    # CodeDeploy.

    def _codedeploy(self, deployment_id: str, briefly: bool) -> Told:
        info = self._deployment(deployment_id)
        status, group = str(info.get("status")), f"{info.get('applicationName')}/{info.get('deploymentGroupName')}"
        if info.get("computePlatform") not in (None, "ECS"):
            platform = info["computePlatform"]
            raise Problem(f"deployment {deployment_id} of {group} is one to {platform}, expected one to ECS")
        error = info.get("errorInformation") or {}
        told = Told(
            what=f"Deployment {deployment_id} of {group}",
            outcome={"Succeeded": SUCCEEDED, "Failed": STOPPED, "Stopped": STOPPED}.get(status, IN_PROGRESS),
            over=status in ("Succeeded", "Failed", "Stopped"),
            status=status,
            error=": ".join(str(error[key]) for key in ("code", "message") if error.get(key)),
        )
        if status == "Ready":
            told.endings.append("it waits for ContinueDeployment, or for the time of its deployment group to be over")
        events, told.endings[:0] = self._events(deployment_id, info)
        functions = {} if briefly else self._appspec(info, told)
        logs = Logs(self._aws, deployment_id, info["createTime"], info.get("completeTime"))
        several = len(set(functions.values())) < len(functions)
        for event in events:
            told.steps.append(self._event(event, functions, logs, several=several))
        logs.confess(told)
        self._rollback(info, told)
        return told

    def _deployment(self, deployment_id: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._aws.call("codedeploy", "get_deployment", deploymentId=deployment_id)
        except Problem as problem:
            if problem.code in ("DeploymentDoesNotExistException", "InvalidDeploymentIdException"):
                said = f"there is no deployment {deployment_id} in this account and region: check the id, --region and "
                raise Problem(f"{said}whose credentials these are ({problem})", problem.code) from problem
            raise
        return dict(found["deploymentInfo"])

    def _events(self, deployment_id: str, info: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
        """Return the lifecycle events, and where the traffic is; nothing of a deployment that has not started."""
        if info.get("status") in ("Created", "Queued"):
            return [], []
        listed = self._aws.call("codedeploy", "list_deployment_targets", deploymentId=deployment_id).get("targetIds")
        if not listed:
            return [], []
        answer = self._aws.call(
            "codedeploy", "batch_get_deployment_targets", deploymentId=deployment_id, targetIds=listed[:1]
        )
        targets = [each.get("ecsTarget") or {} for each in answer.get("deploymentTargets") or []]
        target: Mapping[str, Any] = targets[0] if targets else {}
        sets = [
            f"{each.get('taskSetLabel')} {each.get('runningCount')} of {each.get('desiredCount')} tasks, "
            f"{each.get('trafficWeight', 0):g} % of production"
            for each in target.get("taskSetsInfo") or []
        ]
        return target.get("lifecycleEvents") or [], [f"task sets: {'; '.join(sets)}"] if sets else []

    def _appspec(self, info: Mapping[str, Any], told: Told) -> dict[str, Function]:
        """Return the functions by event: those that were named, and those of the AppSpec."""
        found: dict[str, str] = {}
        try:
            found = hooks_of(self._appspec_text(info))
        except Problem as problem:
            if not self._named:
                told.denied = problem.denied
                cure = "name the functions: --function AfterInstall=<name>, once for each"
                told.missing.append(f"which functions the AppSpec names is not known: {problem}; {cure}")
        return {event: Function(name) for event, name in {**found, **self._named}.items()}

    def _appspec_text(self, info: Mapping[str, Any]) -> str:
        revision = info.get("revision") or {}
        kind = str(revision.get("revisionType"))
        if kind == "S3":
            place = revision.get("s3Location") or {}
            where = {"Bucket": place.get("bucket"), "Key": place.get("key"), "VersionId": place.get("version")}
            answer = self._aws.call("s3", "get_object", **{key: value for key, value in where.items() if value})
            return str(answer["Body"].read(1_000_000).decode("utf-8", errors="replace"))
        key = {"AppSpecContent": "appSpecContent", "String": "string"}.get(kind)
        if key is None:
            raise Problem(f"the revision is of type {kind}")
        answer = self._aws.call(  # GetDeployment has the digest only
            "codedeploy",
            "get_application_revision",
            applicationName=info.get("applicationName"),
            revision={"revisionType": kind, key: {"sha256": (revision.get(key) or {}).get("sha256", "")}},
        )
        return str(((answer.get("revision") or {}).get(key) or {}).get("content") or "")

    def _event(self, event: Mapping[str, Any], functions: Mapping[str, Function], logs: Logs, *, several: bool) -> Step:
        """Return a lifecycle event as a step. `several`: a function stands at several events."""
        name, began, ended = str(event.get("lifecycleEventName")), event.get("startTime"), event.get("endTime")
        step = Step(name, str(event.get("status")), began=began, ended=ended)
        if began and step.status != "Skipped":
            step.seconds = ((ended or _now()) - began).total_seconds()
        diagnostics = event.get("diagnostics") or {}
        if diagnostics.get("message") and diagnostics.get("errorCode") != "Success":
            step.notes.append(f"{diagnostics.get('errorCode')}: {diagnostics['message']}")
        function = functions.get(name)
        if function is None or not began:
            return step
        step.function = function.name

        def choose(runs: Sequence[Run]) -> Run | None:
            if several:
                runs = [run for run in runs if began - timedelta(seconds=1) <= run.began <= (ended or _now())]
            wanted = {"Succeeded": "SUCCEEDED", "Failed": "FAILED"}.get(step.status)
            return next((run for run in reversed(runs) if run.status == wanted), runs[-1] if runs else None)

        run = self._run(logs, function, ended if step.status in ("Succeeded", "Failed") else None, choose)
        self._fill(step, run, logs, function)
        return step

    def _rollback(self, info: Mapping[str, Any], told: Told) -> None:
        """Say what undoes the deployment, or what it undoes."""
        rollback = info.get("rollbackInfo") or {}
        undone = rollback.get("rollbackTriggeringDeploymentId")
        if undone:
            told.endings.append(f"{paint('↩')} it rolls back deployment {undone}")
        undoing = rollback.get("rollbackDeploymentId")
        if undoing:
            status = str(self._deployment(undoing).get("status"))
            told.over = told.over and status in ("Succeeded", "Failed", "Stopped")
            told.endings.append(f"{paint('↩')} rolled back by deployment {undoing}: {status}")
        elif told.outcome == STOPPED:
            told.endings.append(f"{paint('○')} CodeDeploy made no rollback deployment")

    # ECS.

    def _ecs(self, arn: str, briefly: bool) -> Told:
        region, cluster, service, deployment_id = _parts(arn)
        answer = self._aws.call("ecs", "describe_service_deployments", region, serviceDeploymentArns=[arn])
        found = next(iter(answer.get("serviceDeployments") or []), None)
        if found is None:
            why = ", ".join(str(each.get("reason")) for each in answer.get("failures") or []) or "none was returned"
            raise Problem(
                f"there is no service deployment {arn} ({why}): check the ARN, and whose credentials these are"
            )
        status = str(found.get("status"))
        under_way = status in ("PENDING", "IN_PROGRESS")
        told = Told(
            what=f"Service deployment {deployment_id} of {cluster}/{service}",
            outcome=SUCCEEDED if status == "SUCCESSFUL" else IN_PROGRESS if under_way else STOPPED,
            over=status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"),
            status=status,
            error=str(found.get("statusReason") or (found.get("rollback") or {}).get("reason") or ""),
        )
        logs = Logs(self._aws, deployment_id, found["createdAt"], found.get("finishedAt"))
        told.steps = [] if briefly else self._stages(found, told, logs)
        logs.confess(told)
        if found.get("lifecycleStage") and not told.over:
            told.endings.append(f"ECS is at {found['lifecycleStage']}")
        alarms = (found.get("alarms") or {}).get("triggeredAlarmNames")
        if alarms:
            told.endings.append(f"alarms that went off: {', '.join(alarms)}")
        if found.get("rollback"):
            back = (found["rollback"].get("serviceRevisionArn") or "").rpartition("/")[2]
            told.endings.append(f"{paint('↩')} rolled back{f' to service revision {back}' if back else ''}: {status}")
        return told

    def _latest(self, given: str) -> str:
        """Return the ARN of a service's latest service deployment."""
        region, (cluster, service) = "", given.split("/")[-2:]
        if given.startswith("arn:"):
            region = given.split(":")[3]
        briefs = self._briefs(region, cluster, service)
        waited = 0.0
        while self._since and not briefs and waited < UNLISTED:
            self._sleep(LOOK_AGAIN)
            waited += LOOK_AGAIN
            briefs = self._briefs(region, cluster, service)
        if not briefs and self._since:
            said = f"service {cluster}/{service} has no service deployment since {self._since:%Y-%m-%d %H:%M:%S} UTC"
            raise Problem(f"{said}: an update that changes nothing makes none, unless it is forced")
        if not briefs:
            said = f"service {cluster}/{service} has no service deployment"
            raise Problem(f"{said}: one that CodeDeploy deploys has none, give the id of its deployment (d-…)")
        return str(max(briefs, key=lambda brief: brief["createdAt"])["serviceDeploymentArn"])

    def _briefs(self, region: str, cluster: str, service: str) -> list[dict[str, Any]]:
        """List the service deployments that may be meant."""
        try:
            pages = self._aws.pages("ecs", "list_service_deployments", region, cluster=cluster, service=service)
            briefs = [brief for page in pages for brief in page.get("serviceDeployments") or []]
        except Problem as problem:
            if problem.code in ("ServiceNotFoundException", "ClusterNotFoundException"):
                said = f"there is no service {service} in cluster {cluster} of this account and region: expected"
                raise Problem(f"{said} <cluster>/<service>; check both, and --region ({problem})") from problem
            raise
        return [brief for brief in briefs if self._since is None or brief["createdAt"] > self._since - CLOCKS_DIFFER]

    def _stages(self, found: Mapping[str, Any], told: Told, logs: Logs) -> list[Step]:
        """Return a step for each run of a hook, and for each stage of a hook that did not run, in ECS's order."""
        steps: list[Step] = []
        not_come_to = "Pending" if told.outcome == IN_PROGRESS else "Skipped"
        details = {str(each.get("targetArn")): each for each in found.get("lifecycleHookDetails") or []}
        stages: dict[str, list[str]] = {}  # of a function that stands in several hooks all of them
        for hook in (found.get("deploymentConfiguration") or {}).get("lifecycleHooks") or []:
            stages.setdefault(str(hook.get("hookTargetArn") or ""), []).extend(hook.get("lifecycleStages") or [])
        for arn, own in stages.items():
            status = STATUSES.get(str(details.get(arn, {}).get("status")), not_come_to)
            if arn:
                once = list(dict.fromkeys(own))
                steps += self._hook(arn, once, status=status, not_come_to=not_come_to, found=found, logs=logs)
            else:
                steps += [Step(stage, status, notes=["a pause, which ContinueServiceDeployment ends"]) for stage in own]
        order = {stage: number for number, stage in enumerate(STAGES)}
        order["PRODUCTION_TRAFFIC_SHIFT"] = order["PRE_PRODUCTION_TRAFFIC_SHIFT"]  # they come in turns
        last = datetime.max.replace(tzinfo=timezone.utc)
        return sorted(steps, key=lambda step: (order.get(step.name, len(order)), step.began or last))

    def _hook(
        self,
        arn: str,
        stages: Sequence[str],
        *,
        status: str,
        not_come_to: str,
        found: Mapping[str, Any],
        logs: Logs,
    ) -> list[Step]:
        """Return the steps of one function.

        `status`: of its hook, as ECS has it. `not_come_to`: that of a stage at which it did not run.
        """
        function, alone = Function(arn), len(stages) == 1
        if alone:
            function = Function(self._named.get(stages[0], arn))
        ended = found.get("finishedAt") or found.get("updatedAt")
        if status in ("Succeeded", "Failed"):
            self._run(logs, function, ended, lambda runs: runs[-1] if runs else None)
        steps = []
        for run in logs.runs(function):
            stage = run.stage or (stages[0] if alone else "a stage")
            came = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}.get(run.status)
            came = came or {"Pending": "InProgress", "Skipped": "Unknown"}.get(status, status)
            step = Step(stage, came, (run.ended - run.began).total_seconds(), function.name)
            step.began, step.ended = run.began, run.ended
            self._fill(step, run, logs, function)
            steps.append(step)
        for stage in stages:
            if stage not in {step.name for step in steps} and not (steps and alone):
                step = Step(stage, status if alone else not_come_to, function=function.name)
                self._fill(step, None, logs, function)
                steps.append(step)
        return steps


STATUSES = {
    "AWAITING_ACTION": "InProgress",
    "IN_PROGRESS": "InProgress",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "TIMED_OUT": "Failed",
}
"""A hook's status by ECS's word."""


def hooks_of(appspec: str) -> dict[str, str]:
    """Return the functions that an AppSpec names, by lifecycle event; YAML and JSON alike, without a library for it."""
    text = "\n".join(line for line in appspec.splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(rf"""\b({"|".join(EVENTS)})["']?\s*:\s*["']?([^\s"',}}]+)""", text)
    return dict(found)


def _parts(arn: str) -> tuple[str, str, str, str]:
    """Return region, cluster, service and id of a service deployment's ARN."""
    names = arn.split("/")
    if not arn.startswith("arn:") or arn.count(":") < 5 or len(names) != 4 or not all(names):
        said = f"{arn!r} is no ARN of a service deployment"
        raise Problem(f"{said}: expected arn:aws:ecs:<region>:<account>:service-deployment/<cluster>/<service>/<id>")
    return arn.split(":")[3], names[1], names[2], names[3]


# The command line.


def checked(deployment: str) -> str:
    """Return what names a deployment, if it can name one. Raises Problem."""
    service = re.fullmatch(r"(arn:[\w-]+:ecs:[\w-]+:\d+:service/)?[\w-]+/[\w-]+", deployment)
    if re.fullmatch(r"d-[0-9A-Z]{4,}", deployment) or service:
        return deployment
    if ":service-deployment/" in deployment:
        _parts(deployment)
        return deployment
    raise Problem(
        f"{deployment!r} names no deployment: expected CodeDeploy's id (d-ABCDEFGHI), the ARN of a service deployment "
        "of ECS, or <cluster>/<service> for the latest one of that service"
    )


def named_functions(given: Sequence[str]) -> dict[str, str]:
    """Return the functions that are named on the command line, by event or stage. Raises Problem."""
    found = {}
    for each in given:
        event, _, function = each.partition("=")
        if event not in (*EVENTS, *STAGES) or not function:
            known = ", ".join((*EVENTS, *STAGES))
            raise Problem(f"--function {each!r}: expected <event or stage>=<function>, the first one of {known}")
        found[event] = function
    return found


def wait(teller: Teller, deployment: str, minutes: float, sleep: Callable[[float], object]) -> None:
    """Wait until a deployment is over, or so many minutes have gone by; say when something changes. Raises Problem."""
    left, shown = minutes * 60, ""
    while left > 0:
        told = teller.tell(deployment, briefly=True)
        if told.over:
            return
        now = [step.name for step in told.steps if step.status == "InProgress"] or told.endings[-1:]
        said = ", ".join([told.status, *now])
        if said != shown:
            print(f"{_now():%H:%M:%S} {said}", file=sys.stderr, flush=True)
            shown = said
        sleep(min(INTERVAL, left))
        left -= INTERVAL


def main(arguments: Sequence[str] | None = None, sleep: Callable[[float], object] = time.sleep) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="explain.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("deployment", help="d-…, the ARN of a service deployment or a service, or cluster/service")
    parser.add_argument("--wait", action="store_true", help="wait until the deployment and its rollback are over")
    parser.add_argument("--timeout", type=float, default=120, metavar="MINUTES", help="of --wait (default: 120)")
    parser.add_argument(
        "--since",
        type=float,
        metavar="SECONDS",
        help="of a service: the deployment since then (date +%%s), no older one",
    )
    parser.add_argument("--region", help="AWS region (default: the ARN's, or the environment's)")
    parser.add_argument(
        "--function", action="append", default=[], metavar="EVENT=NAME", help="a hook's function, where AWS hides it"
    )
    options = parser.parse_args(arguments)
    platform = "codedeploy" if options.deployment.startswith("d-") else "ecs"
    try:
        since = None if options.since is None else datetime.fromtimestamp(options.since, timezone.utc)
        teller = Teller(Aws(options.region), named_functions(options.function), sleep, since)
        deployment = teller.found(checked(options.deployment))
        if options.wait:
            wait(teller, deployment, options.timeout, sleep)
        told = teller.tell(deployment)
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        if problem.denied:
            print(f"explain needs {NEEDS[platform]}", file=sys.stderr)
        return UNKNOWN
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
        return 130
    print(told.text(), flush=True)
    if told.denied:
        print(f"explain needs {NEEDS[platform]}", file=sys.stderr)
    return told.outcome


if __name__ == "__main__":
    sys.exit(main())
