"""ECS tasks: what they are doing, why they stopped, what they wrote last, and running one to its end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Optional

from gate import aws
from gate.verdict import CannotLook, Finding, failed, masked, passed, sendable
from gate.waiting import Deadline, poll

AT_ONCE = 100  # tasks that DescribeTasks takes
NAMED = 3  # tasks that a message names
TOLD_TO_END = (137, 143)  # exit codes of SIGKILL and SIGTERM: of a container that was told to end, with the task
_ID = re.compile(r"[0-9a-f-]{8,}|[0-9]+")
_SHELLS = ("ash", "bash", "dash", "ksh", "sh", "zsh")
_POWERSHELLS = ("powershell", "pwsh")
_ARGUMENTS = re.compile(r"\$\{?[@*]")  # a script's own, all of them
_ONLY_SAY = ("echo", "printf", "logger", ":", "true", "set", "export", "test", "[", "[[", "for", "case")  # run none
_BEFORE = ("if", "then", "else", "elif", "do", "while", "{", "(", "!")  # may stand before a command in a script
# What may follow a command whose exit code is to be the script's.
_KEEPS_THE_END = re.compile(
    r"\|\|\s*exit\b(?!\s*0).*|[;\s]*(?:(?:fi|done|esac|\}|\))[;\s]*)*(?:exit\s+\$\?\s*;?\s*)?", re.DOTALL
)
_OWN_SCRIPT = (
    "the container's entryPoint {} has a script of its own, which does not run the command that is added to it, or "
    'hides how it ended: let the script end with exec "$@", or set container to another one'
)
_INTERPRETERS = re.compile(r"python[0-9.]*|node|nodejs|perl|ruby|php")
# What ECS says of a container whose command never ran; some of these come with an exit code of Docker's own.
_NEVER_RAN = re.compile(r"Cannot(Pull|Create|Start)|ResourceInitializationError")


class NotPlaced(CannotLook):
    """ECS answered, and started nothing: there was no room, say."""


class NotShown(CannotLook):
    """ECS names tasks and does not show them: it has just forgotten them, or not all of it knows them yet."""

    transient = True
    passes_soon = True


@dataclass(frozen=True)
class Container:
    """One container of a task. `exit_code` is None if it never started, still runs, or its host went away."""

    name: str
    status: str
    exit_code: Optional[int]
    reason: str
    health: str  # HEALTHY, UNHEALTHY, or UNKNOWN where no health check is defined
    image_digest: str
    runtime_id: str  # empty until it is created on its host

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Container:
        """Read one entry of a task's `containers`."""
        return cls(
            name=str(answer.get("name", "?")),
            status=str(answer.get("lastStatus", "UNKNOWN")),
            exit_code=answer.get("exitCode"),
            reason=str(answer.get("reason") or ""),
            health=str(answer.get("healthStatus") or "UNKNOWN"),
            image_digest=str(answer.get("imageDigest") or ""),
            runtime_id=str(answer.get("runtimeId") or ""),
        )

    @property
    def was_first(self) -> bool:
        """Whether ECS says of it what it never says of a container that was told to end, since another had ended."""
        return "OutOfMemory" in self.reason or bool(_NEVER_RAN.match(self.reason))


@dataclass(frozen=True)
class Task:
    """One ECS task as DescribeTasks shows it."""

    arn: str
    status: str
    started_by: str
    group: str
    created_at: Optional[datetime]
    started_at: Optional[datetime]  # when all its containers ran
    stop_code: str
    stopped_reason: str
    containers: tuple[Container, ...]
    addresses: tuple[str, ...]  # of its own network interface; none where it shares the instance's
    tags: Mapping[str, str]  # where they were asked for

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Task:
        """Read one entry of DescribeTasks' `tasks`."""
        return cls(
            arn=str(answer.get("taskArn", "")),
            status=str(answer.get("lastStatus", "UNKNOWN")),
            started_by=str(answer.get("startedBy") or ""),
            group=str(answer.get("group") or ""),
            created_at=answer.get("createdAt"),
            started_at=answer.get("startedAt"),
            stop_code=str(answer.get("stopCode") or ""),
            stopped_reason=str(answer.get("stoppedReason") or ""),
            containers=tuple(Container.of(entry) for entry in answer.get("containers") or []),
            addresses=tuple(
                str(interface[version])
                for container in answer.get("containers") or []
                for interface in container.get("networkInterfaces") or []
                for version in ("privateIpv4Address", "ipv6Address")
                if interface.get(version)
            ),
            tags={str(tag.get("key")): str(tag.get("value")) for tag in answer.get("tags") or []},
        )

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
        """Whether the capacity below it was taken away."""
        return self.stop_code in ("SpotInterruption", "TerminationNotice")

    @property
    def has_crashed(self) -> bool:
        """Whether it ended by itself, never started or was ended for its health: not by a scale-in or a person."""
        ended = self.stop_code in ("EssentialContainerExited", "TaskFailedToStart")
        return ended or (self.stop_code == "ServiceSchedulerInitiated" and "health check" in self.stopped_reason)

    def ended_by(self, definition: Mapping[str, Any]) -> Task:
        """The task with none but the containers that can have ended it.

        What its definition does not declare (the agent of runtime monitoring, whose image may not be pulled) ends no
        task; of those that it declares only an essential one does, once it has started, or what one waits for that
        could not start.
        """
        declared = {str(each.get("name")): each for each in definition.get("containerDefinitions") or []}
        able = set(declared)
        if self.stop_code == "EssentialContainerExited":
            able = {name for name, each in declared.items() if each.get("essential", True)}
            waiting = [each.name for each in self.containers if each.name in able and self.never_ran(each)]
            while waiting:
                needs = declared[waiting.pop()].get("dependsOn") or []
                awaited = {str(each.get("containerName")) for each in needs} & declared.keys() - able
                able |= awaited
                waiting += awaited
        return replace(self, containers=tuple(each for each in self.containers if each.name in able))

    def never_ran(self, container: Container) -> bool:
        """Whether the container's command has certainly never run, now that the task has ended.

        No exit code does not say so by itself: when its host goes away, nobody tells the code of what ran there.
        """
        if _NEVER_RAN.match(container.reason):
            return True
        never_seen = not self.started_at and not container.runtime_id
        return container.exit_code is None and (self.stop_code == "TaskFailedToStart" or never_seen)

    def blamed(self) -> Container | None:
        """The container that died first, as far as ECS tells: one with a reason, else with an exit code of its own.

        Some end with 0 when they are told to, and some of their own: they come before those that SIGTERM ended.
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
            code = "no exit code" if container.exit_code is None else f"exit {container.exit_code}"
            code = "never started" if self.never_ran(container) else code
            reason = f" ({container.reason})" if container.reason and container.reason not in parts else ""
            parts.append(f"container {container.name}: {code}{reason}")
        return "; ".join(parts) or "no reason given"


def describe(cluster: str, arns: Sequence[str], *, tags: bool = False) -> list[Task]:
    """The tasks with these ARNs. One that ECS no longer knows is simply not among them (it comes in `failures`)."""
    found = []
    more: dict[str, Any] = {"include": ["TAGS"]} if tags else {}
    for start in range(0, len(arns), AT_ONCE):
        answer = aws.call("ecs", "describe_tasks", cluster=cluster, tasks=list(arns[start : start + AT_ONCE]), **more)
        found += [Task.of(entry) for entry in answer.get("tasks", [])]
    return found


def of_family(cluster: str, family: str) -> list[Task]:
    """The tasks of a task definition's family, with their tags, and those told to stop or stopped within the hour.

    Raises NotShown where ECS names one and does not show it: its absence would speak for what nobody has seen.
    """
    arns = _arns(cluster, family=family)
    found = describe(cluster, arns, tags=True)
    unseen = sorted(set(arns) - {task.arn for task in found})
    if unseen:
        named = ", ".join(arn.rpartition("/")[2] for arn in unseen[:NAMED])
        raise NotShown(f"ecs:DescribeTasks does not show {len(unseen)} of the tasks that ecs:ListTasks names: {named}")
    return found


def arns_of_service(cluster: str, service: str) -> list[str]:
    """The service's tasks, of all its task sets, and those stopped within the hour."""
    return _arns(cluster, serviceName=service)


def _arns(cluster: str, **chosen: str) -> list[str]:
    arns: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        arns += aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster, desiredStatus=status, **chosen)
    return list(dict.fromkeys(arns))


def command_after(entry_point: Sequence[str], command: Sequence[str]) -> list[str]:
    """What RunTask has to be told as command, so that `command` runs as it is written.

    ECS appends it to the entry point of the container's definition. A shell's `-c` takes one word as its script: the
    others would be the script's arguments, and `sh -c python manage.py migrate` a bare `python`, which exits 0. Who
    repeats the entry point means it once, and who gives a `-c` one word means a script. Any other entry point is taken
    for a wrapper that runs its arguments. The image's own entry point, where the definition names none, ECS does not
    show.

    Raises CannotLook where the entry point has a script of its own that does not run its arguments.
    """
    entry_point, command = list(entry_point), list(command)
    if entry_point and command[: len(entry_point)] == entry_point and len(command) > len(entry_point):
        return command[len(entry_point) :]
    if len(command) == 1:
        in_one_word = command
    elif any(_program(word) in _POWERSHELLS for word in entry_point):
        in_one_word = [" ".join(["&", *("'" + word.replace("'", "''") + "'" for word in command)])]
    else:
        in_one_word = [shlex.join(command)]
    last = entry_point[-1] if entry_point else ""
    if re.fullmatch(r"-[A-Za-z]*c|--?command", last) or (last.lower() == "-command"):
        return in_one_word  # of a shell, of su, of PowerShell
    shell = next((at for at, word in enumerate(entry_point) if _program(word) in _SHELLS), None)
    if shell is None:
        if _is_inline(entry_point):
            raise CannotLook(_OWN_SCRIPT.format(shlex.join(entry_point)))
        return command
    has_c, after = _options_of_shell(entry_point[shell + 1 :])
    if not after:  # a shell alone would take the command's first word for a script's file
        is_for_shell = not has_c and (command[0].startswith("-") or command[0].endswith(".sh"))
        return command if is_for_shell else [*([] if has_c else ["-c"]), *in_one_word]
    if not has_c:
        return command
    if not _runs_arguments(after[0], entry_point[shell + 1 :]):
        raise CannotLook(_OWN_SCRIPT.format(shlex.join(entry_point)))
    # The first word after the script is its $0, which some scripts run with the others.
    is_program = re.search(r"\$\{?0\b", after[0])
    return command if after[1:] or is_program else [command[0], *command]


def _is_inline(entry_point: Sequence[str]) -> bool:
    """Whether it is another interpreter with a script of its own in a word, which leaves its arguments alone."""
    for at, word in enumerate(entry_point):
        if _INTERPRETERS.fullmatch(_program(word)):
            options = entry_point[at + 1 :]
            own = next((number for number, each in enumerate(options) if not each.startswith("-")), 0)
            return own > 0 and options[own - 1] in ("-c", "-e", "-r", "--eval") and "argv" not in options[own].lower()
    return False


def _program(word: str) -> str:
    """A program's name without its place, on Windows too."""
    return re.split(r"[/\\]", word)[-1].lower().removesuffix(".exe")


def _options_of_shell(words: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether a shell's options hold -c, and what follows them: the script or its file, its $0, its arguments."""
    left, has_c = list(words), False
    while left and left[0][:1] in ("-", "+"):
        option = left.pop(0)
        if option in ("-", "--"):
            break
        if option.startswith("--"):
            takes = int(option in ("--rcfile", "--init-file"))
        else:
            has_c = has_c or (option[0] == "-" and "c" in option)
            takes = option.lower().count("o")  # -o pipefail
        del left[:takes]
    return has_c, left


def _runs_arguments(script: str, words_of_shell: Sequence[str]) -> bool:
    """Whether a script runs the arguments that it is given, and ends as they do.

    One that only says them does not, nor one that keeps them or looks at them; and what follows may not hide that they
    failed, as `|| true` does, a pipe without pipefail, or a further command without errexit.
    """
    text = " ".join([*words_of_shell, script])
    hides = r"&(?!&)|\|\|" if "pipefail" in text else r"&(?!&)|\|"
    if not re.search(r"(^|\s)-[a-z]*e|errexit", text):
        hides += r"|[;\n]"
    parts = re.split(r"(\|\||&&|[;|&\n])", re.sub(r"[<>]&[0-9-]|&>", "> ", script))
    for at in range(0, len(parts), 2):
        words = parts[at].split()
        while words and (words[0] in _BEFORE or re.fullmatch(r"\w+=[^$]*", words[0])):
            del words[0]
        if not words or not _ARGUMENTS.search(parts[at]):
            continue
        if words[0] in _ONLY_SAY or re.match(r"#|\w+=", words[0]):
            continue
        rest = "".join(parts[at + 1 :])
        replaces = words[0] == "exec" and not re.match(r"[|&](?![|&])", rest)  # the shell: nothing comes after it
        if replaces or _KEEPS_THE_END.fullmatch(rest) or not re.match(hides, rest):
            return True
    return False


@dataclass(frozen=True)
class OneOff:
    """A one-off task: the service's task definition and network, with one container's command replaced."""

    cluster: str
    task_definition: str
    container: str
    command: Sequence[str]  # as it is added to the container's entry point
    environment: Mapping[str, str]
    placement: Mapping[str, Any]  # launchType or capacityProviderStrategy, platformVersion, networkConfiguration
    size: Mapping[str, Optional[int]]  # cpu (units) and memory (MiB) of the task; None: as its definition says
    group: str
    started_by: str
    client_token: str
    tags: Mapping[str, str]


def run(task: OneOff) -> Task:
    """Start the task; with the same `client_token` again, find the one already started.

    Raises NotPlaced with ECS's own reason if nothing was started.
    """
    override: dict[str, Any] = {"name": task.container, "command": list(task.command)}
    if task.environment:
        override["environment"] = [{"name": key, "value": value} for key, value in sorted(task.environment.items())]
    try:
        answer = aws.call(
            "ecs",
            "run_task",
            cluster=task.cluster,
            taskDefinition=task.task_definition,
            count=1,
            overrides={
                "containerOverrides": [override],
                **{name: str(value) for name, value in task.size.items() if value is not None},
            },
            group=task.group,
            startedBy=task.started_by,
            clientToken=task.client_token,
            tags=[{"key": key, "value": value} for key, value in sorted(task.tags.items())],
            **task.placement,
        )
    except aws.AwsCallFailed as problem:
        # The token is taken, with other parameters: the settings changed between two deliveries of one event.
        response = getattr(problem.__cause__, "response", None)  # of a lost connection botocore says None
        existing = (response or {}).get("resourceIds") or []
        if problem.code == "ConflictException" and existing:
            found = describe(task.cluster, [str(existing[0])])
            return found[0] if found else Task.of({"taskArn": existing[0]})
        raise
    started = answer.get("tasks") or []
    if not started:
        reasons = "; ".join(
            f"{failure.get('reason', 'no reason given')} {failure.get('detail', '')}".strip()
            for failure in answer.get("failures") or []
        )
        raise NotPlaced(f"ECS did not start the task ({reasons or 'no reason given'})")
    return Task.of(started[0])


def stop(cluster: str, arn: str, reason: str) -> None:
    """Ask ECS to stop the task; `reason` (255 characters at most) is what a person finds on it."""
    aws.call("ecs", "stop_task", cluster=cluster, task=arn, reason=reason[:255])


def last_lines(definition: Mapping[str, Any], container: str, task_id: str, count: int) -> list[str]:
    """The container's last `count` log lines; none while it has not written any.

    Raises CannotLook where its log driver is not awslogs or has no stream prefix.
    """
    declared: Mapping[str, Any] = next(
        (entry for entry in definition.get("containerDefinitions") or [] if entry.get("name") == container), {}
    )
    configuration = declared.get("logConfiguration") or {}
    driver, options = configuration.get("logDriver"), configuration.get("options") or {}
    if driver != "awslogs":
        raise CannotLook(f"its log driver is {driver or 'not set'}, only awslogs can be read here")
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if not group or not prefix:
        raise CannotLook("its awslogs options name no group or no stream prefix")
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
    return [sendable(str(event.get("message", ""))).rstrip() for event in answer.get("events", [])][-count:]


@dataclass(frozen=True)
class Quote:
    """A container's last log lines, and the same in words for a message."""

    lines: list[str]
    words: str


def quote_log(
    definition: Mapping[str, Any], container: str, task_id: str, deadline: Deadline, *, count: int, length: int
) -> Quote:
    """The container's last `count` lines, at most `length` characters; waits until `deadline` for a log that is late.

    What looks like a password is masked. Never raises: a log that cannot be read is no reason to say less of a task.
    """
    lines: list[str] = []

    def look() -> Finding:
        lines[:] = [masked(line) for line in last_lines(definition, container, task_id, count)]
        return passed("read") if lines else failed("it is empty")

    read = poll(look, deadline, interval=1)[0]
    text = " | ".join(lines)
    text = text if len(text) <= length else f"…{text[-length:]}"  # the end of a trace says what happened
    return Quote(lines, f"last log lines: {text}" if lines else f"its log: {read.detail}")
