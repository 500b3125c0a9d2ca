"""ECS tasks: what they are doing, why they stopped, what they wrote last; starting and stopping one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Callable

from gate import aws
from gate.redact import redact, utf8_safe
from gate.verdict import Finding, ProbeError, failed, passed
from gate.waiting import Deadline, poll

AT_ONCE = 100  # tasks that DescribeTasks takes
NAMED = 3  # tasks that a message names
MOST_LINE = 2000  # characters of a quoted line of a log
MOST_LOG = 64 * 1024  # bytes of all quoted lines, as JSON: the hook's own line may have 256 KB
TOLD_TO_END = (137, 143)  # exit codes of SIGKILL and SIGTERM, which a container gets when its task ends
_ID = re.compile(r"[0-9a-f-]{8,}|[0-9]+")
# Reasons of a container whose command never ran. Some come with an exit code of Docker's own.
_NEVER_RAN = re.compile(r"Cannot(Pull|Create|Start)|ResourceInitializationError")


class NotPlaced(ProbeError):
    """ECS answered, and started nothing: there was no room, say."""


class NotShown(ProbeError):
    """ListTasks names tasks that DescribeTasks does not show: they are just forgotten, or not known everywhere yet."""

    retryable = True
    throttled = True


class Container:
    """One container of a task, as an entry of its `containers` shows it."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.name = str(answer.get("name", "?"))
        self.status = str(answer.get("lastStatus", "UNKNOWN"))
        # None if it never started, still runs, or its host went away.
        self.exit_code: int | None = answer.get("exitCode")
        self.reason = str(answer.get("reason") or "")
        self.health = str(answer.get("healthStatus") or "UNKNOWN")  # that, too, where no health check is defined
        self.image_digest = str(answer.get("imageDigest") or "")
        self.runtime_id = str(answer.get("runtimeId") or "")  # empty until it is created on its host

    @property
    def exit(self) -> str:
        """Its exit code in words."""
        return "no exit code" if self.exit_code is None else f"exit {self.exit_code}"


class Task:
    """One ECS task, as an entry of DescribeTasks' `tasks` shows it."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        containers = answer.get("containers") or []
        self.arn = str(answer.get("taskArn", ""))
        self.status = str(answer.get("lastStatus", "UNKNOWN"))
        self.started_by = str(answer.get("startedBy") or "")
        self.group = str(answer.get("group") or "")
        self.created_at: datetime | None = answer.get("createdAt")
        self.started_at: datetime | None = answer.get("startedAt")  # when all its containers ran
        self.stop_code = str(answer.get("stopCode") or "")
        self.stopped_reason = str(answer.get("stoppedReason") or "")
        self.containers = tuple(Container(entry) for entry in containers)
        self.addresses = tuple(  # of its own network interface; none where it shares the instance's
            str(interface[version])
            for container in containers
            for interface in container.get("networkInterfaces") or []
            for version in ("privateIpv4Address", "ipv6Address")
            if interface.get(version)
        )
        # Where they were asked for.
        self.tags = {str(tag.get("key")): str(tag.get("value")) for tag in answer.get("tags") or []}

    @property
    def is_ending(self) -> bool:
        """Whether it has stopped or is on its way."""
        return self.status in ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED")

    @property
    def age(self) -> float:
        """Seconds since it was asked for; 0 where ECS does not say."""
        return max(0.0, (datetime.now(timezone.utc) - self.created_at).total_seconds()) if self.created_at else 0.0

    @property
    def was_interrupted(self) -> bool:
        """Whether its capacity was taken away: a spot interruption, or an instance that went away."""
        return self.stop_code in ("SpotInterruption", "TerminationNotice")

    @property
    def has_crashed(self) -> bool:
        """Whether it ended by itself, never started, or was ended for its health; not by a scale-in or a person."""
        ended = self.stop_code in ("EssentialContainerExited", "TaskFailedToStart")
        return ended or (self.stop_code == "ServiceSchedulerInitiated" and "health check" in self.stopped_reason)

    def ended_by(self, definition: Mapping[str, Any]) -> Task:
        """The task with only those containers that can have ended it.

        A container that its definition does not declare (an agent of runtime monitoring) ends no task. A declared one
        does if it is essential, or if an essential one waited for it and so never started.
        """
        declared = declared_containers(definition)
        able = set(declared)
        if self.stop_code == "EssentialContainerExited":
            able = {name for name, each in declared.items() if each.get("essential", True)}
            waiting = [each.name for each in self.containers if each.name in able and self.never_ran(each)]
            while waiting:
                needs = declared[waiting.pop()].get("dependsOn") or []
                awaited = {str(each.get("containerName")) for each in needs} & declared.keys() - able
                able |= awaited
                waiting += awaited
        task = copy(self)
        task.containers = tuple(each for each in self.containers if each.name in able)
        return task

    def never_ran(self, container: Container) -> bool:
        """Whether the command of a container of this task, which has ended, has certainly never run.

        A missing exit code is not enough: when a host goes away, so do the codes of what ran there.
        """
        if _NEVER_RAN.match(container.reason):
            return True
        never_seen = not self.started_at and not container.runtime_id
        return container.exit_code is None and (self.stop_code == "TaskFailedToStart" or never_seen)

    def blamed(self) -> Container | None:
        """The container that probably ended first: one with a reason, else one with an exit code of its own.

        Without either: one that was killed or that exited with 0, before one that SIGTERM ended.
        """
        by_sign: tuple[Callable[[Container], bool], ...] = (
            lambda c: bool(c.reason),
            lambda c: c.exit_code not in (None, 0, *TOLD_TO_END),
            lambda c: c.exit_code not in (None, 143),
            lambda c: c.exit_code is not None,
        )
        return next((c for sign in by_sign for c in self.containers if sign(c)), None)

    def cause(self) -> tuple[str, ...]:
        """What two tasks that stopped alike have in common: codes and reasons, without ids and numbers."""
        died = self.blamed()
        of_container = (died.name, str(died.exit_code), _ID.sub("#", died.reason)) if died else ()
        return (self.stop_code, _ID.sub("#", self.stopped_reason), *of_container)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    def container(self, name: str) -> Container | None:
        """The container called `name`: a task may hold sidecars nobody declared, such as a GuardDuty agent."""
        return next((container for container in self.containers if container.name == name), None)

    def why_stopped(self) -> str:
        """The stop code, the stopped reason and each container's exit code and reason, in one phrase."""
        parts = [part for part in (self.stop_code, self.stopped_reason) if part]
        for container in self.containers:
            end = "never started" if self.never_ran(container) else container.exit
            reason = f" ({container.reason})" if container.reason and container.reason not in parts else ""
            parts.append(f"container {container.name}: {end}{reason}")
        return "; ".join(parts) or "no reason given"


def why_it_failed(
    task: Task,
    container: Container,
    definition: Mapping[str, Any],
    *,
    retried: bool = False,
    options: str = "run_migrations",
) -> str:
    """Why the end of a command, in this container of a task that has stopped, is no success; empty if it is one.

    `retried`: the command was started for the second time, after an interruption. `options`: where the user has told
    how to run it, for the cure.
    """
    others_killed = any("OutOfMemory" in each.reason for each in task.containers if each is not container)
    task, code = task.ended_by(definition), container.exit
    if task.never_ran(container):
        elsewhere = "executable file not found" in task.why_stopped()
        cure = ": set container to one that has the command, or fix the command" if elsewhere else ""
        return f"container {container.name} never started: {task.why_stopped()}{cure}"
    reason = "; ".join(part for part in (task.stop_code, task.stopped_reason, container.reason) if part)
    # A wrapper may end with 0 though the kernel has killed its child. The task's reason may speak of another container.
    if "OutOfMemory" in (container.reason if container.exit_code == 0 and others_killed else reason):
        return f"{code}, out of memory ({reason}): set memory of {options}, or give the task more"
    if task.was_interrupted:
        cure = "" if retried else ": retry_interrupted starts it again"
        return f"{code}, its instance was taken away in the middle ({reason}){cure}"
    if task.stop_code == "UserInitiated":
        return f"{code}, it was stopped before its end ({reason})"
    if container.exit_code != 0:
        return f"{code} ({reason})"
    if not task.stop_code:
        return f"exit 0, but ECS does not say why the task stopped ({task.why_stopped()})"
    # A program that is told to end may do so with 0.
    others = [each.reason for each in task.containers if each is not container]
    told_to_end = any("OutOfMemory" in reason or _NEVER_RAN.match(reason) for reason in others)
    if told_to_end or task.stop_code != "EssentialContainerExited":
        return f"exit 0, but it was stopped before its end ({task.why_stopped()})"
    return ""


def describe(cluster: str, arns: Sequence[str], *, tags: bool = False) -> list[Task]:
    """The tasks with these ARNs. One that ECS no longer knows is left out (it comes in `failures`)."""
    found = []
    more: dict[str, Any] = {"include": ["TAGS"]} if tags else {}
    for first in range(0, len(arns), AT_ONCE):
        answer = aws.call("ecs", "describe_tasks", cluster=cluster, tasks=list(arns[first : first + AT_ONCE]), **more)
        found += [Task(entry) for entry in answer.get("tasks", [])]
    return found


def of_family(cluster: str, family: str) -> list[Task]:
    """The tasks of a task definition's family, with their tags; those that stopped within the last hour too.

    Raises NotShown if one of them cannot be described: it may be running.
    """
    listed = arns_of(cluster, family=family)
    found = describe(cluster, listed, tags=True)
    unseen = sorted(set(listed) - {task.arn for task in found})
    if unseen:
        named = ", ".join(arn.rpartition("/")[2] for arn in unseen[:NAMED])
        raise NotShown(f"ecs:DescribeTasks does not show {len(unseen)} of the tasks that ecs:ListTasks names: {named}")
    return found


def arns_of(cluster: str, **chosen: str) -> list[str]:
    """The ARNs of the tasks of a `family` or `serviceName`; of those that stopped within the last hour too."""
    arns: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        arns += aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster, desiredStatus=status, **chosen)
    return list(dict.fromkeys(arns))


def start(request: Mapping[str, Any]) -> Task:
    """Start one task by RunTask's parameters; with a `clientToken` that was used before, return the task it started.

    Raises NotPlaced, with ECS's own reason, if nothing was started. An answer that says neither is none.
    """
    _require_client_token()
    try:
        answer = aws.call("ecs", "run_task", count=1, **request)
    except aws.AwsCallFailed as problem:
        # The token is taken, with other parameters: the options changed between two deliveries of one event.
        response = getattr(problem.__cause__, "response", None) or {}  # of a lost connection botocore says None
        existing = [str(arn) for arn in response.get("resourceIds") or []]
        if problem.code == "ConflictException" and existing:
            return next(iter(describe(request["cluster"], existing[:1])), Task({"taskArn": existing[0]}))
        raise
    if answer.get("tasks"):
        return Task(answer["tasks"][0])
    failures = answer.get("failures") or []
    if not failures:
        raise aws.AwsUnreadable("ecs", "run_task", "answered with neither a task nor a failure")
    reasons = [f"{each.get('reason', 'no reason given')} {each.get('detail', '')}".strip() for each in failures]
    raise NotPlaced(f"ECS did not start the task ({'; '.join(reasons)})")


def _require_client_token() -> None:
    known = aws.client("ecs").meta.service_model.operation_model("RunTask").input_shape.members
    if "clientToken" not in known:
        raise ProbeError(
            "the boto3 of this function's runtime does not know RunTask's clientToken (it came in November 2023), "
            "without which an event that comes twice would migrate twice: let Lambda update the runtime by itself, or "
            "set the module's runtime to a newer Python"
        )


def stop(cluster: str, arn: str, reason: str) -> None:
    """Ask ECS to stop the task; `reason` (255 characters at most) is what a person finds on it.

    In earnest, though ECS may just not have answered another call: what is not stopped runs on.
    """
    aws.try_again()
    aws.call("ecs", "stop_task", cluster=cluster, task=arn, reason=reason[:255])


def declared_containers(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The containers that a task definition declares, by name."""
    return {str(each.get("name")): each for each in definition.get("containerDefinitions") or []}


def last_lines(definition: Mapping[str, Any], container: str, task_id: str, count: int) -> list[str]:
    """The container's last `count` log lines; none while it has not written any.

    Raises ProbeError where its log driver is not awslogs or has no stream prefix.
    """
    configuration = declared_containers(definition).get(container, {}).get("logConfiguration") or {}
    driver, options = configuration.get("logDriver"), configuration.get("options") or {}
    if driver != "awslogs":
        raise ProbeError(f"its log driver is {driver or 'not set'}, only awslogs can be read here")
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if not group or not prefix:
        raise ProbeError("its awslogs options name no group or no stream prefix")
    try:
        answer = aws.call(
            "logs",
            "get_log_events",
            region=options.get("awslogs-region"),
            logGroupName=group,
            logStreamName=f"{prefix}/{container}/{task_id}",
            limit=count,
            startFromHead=False,
        )
    except aws.AwsCallFailed as problem:
        if problem.code == "ResourceNotFoundException":  # the stream comes with its first line
            return []
        raise
    return [utf8_safe(str(event.get("message", ""))).rstrip() for event in answer.get("events", [])][-count:]


def quote_log(
    definition: Mapping[str, Any], container: str, task_id: str, deadline: Deadline, *, count: int, length: int
) -> tuple[list[str], str]:
    """The container's last `count` lines, and the same in words for a message, at most `length` characters of them.

    Of a long line it is the end, and of many long lines the last ones: what is quoted has to fit in a line of a log.
    Waits until `deadline` for the first. What looks like a password is redacted. Never raises: without its log, a
    failure is still told.
    """

    def look() -> Finding:
        lines = [redact(line) for line in last_lines(definition, container, task_id, count)]
        return replace(passed("read") if lines else failed("it is empty"), value=_within_bounds(lines))

    read = poll(look, deadline, interval=1)[0]
    lines = read.value or []
    words = f"last log lines: {_end_of(' | '.join(lines), length)}" if lines else f"its log: {read.detail}"
    return lines, words


def _within_bounds(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    room = MOST_LOG
    for line in (_end_of(each, MOST_LINE) for each in reversed(lines)):
        room -= len(json.dumps(line)) + 2
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _end_of(text: str, length: int) -> str:
    """The last characters of a text: the end of a trace says what happened."""
    return text if len(text) <= length else f"…{text[-length:]}"
