"""What lies behind the control plane: processes, their health, and functions.

The stand-in decides what AWS decides (which tasks a service ought to have, which targets are registered,
what a deployment is called). Whether a task really runs is asked of the `World`, at each look.
`ScriptedWorld` answers from a script, for tests; the rehearsal's own world runs real processes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ContainerSpec:
    """One container to run, RunTask's overrides of command and environment already applied."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    """The first container port mapped, if any."""
    leading_to: tuple[int, ...] = ()
    """Ports of the task's interface, or of the instance, that lead to it besides."""
    health_check: tuple[str, ...] | None = None
    """The command of the container's health check, as declared: `("CMD-SHELL", "curl …")`."""
    essential: bool = True
    log_group: str | None = None
    log_stream_prefix: str | None = None


@dataclass(frozen=True)
class TaskSpec:
    """One task to run."""

    task_arn: str
    cluster: str
    """The cluster's name."""
    task_definition_arn: str
    containers: tuple[ContainerSpec, ...]
    private_ip: str
    """The address of the task's network interface, unique among the tasks that run; or of its instance."""
    started_by: str | None = None
    """The id of the task set (`ecs-svc/<number>`) for a service's task, else what RunTask was given."""
    group: str | None = None
    """`service:<name>` for a service's task, else `family:<family>` or what RunTask was given."""
    cpu: float | None = None
    """CPU units of the task (1,024 are a processor), if it has a limit of its own."""
    memory: float | None = None
    """MiB of the task, if it has a limit of its own."""
    instance_id: str = ""
    """The EC2 instance that the task runs on, if there is one."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ContainerState:
    """What became of one container."""

    status: str = "PENDING"
    """PENDING, RUNNING or STOPPED."""
    exit_code: int | None = None
    """None while it runs, for a container that never started, and for one that is `lost`."""
    reason: str | None = None
    health: str = "UNKNOWN"
    """HEALTHY, UNHEALTHY, or UNKNOWN (no health check, or no answer of it yet)."""
    image_digest: str | None = None
    lost: bool = False
    """It ran, and nobody told how it ended: its host went away."""


@dataclass
class TaskState:
    """What became of one task."""

    last_status: str
    """PROVISIONING, PENDING, RUNNING, … STOPPED: the life cycle of ECS."""
    containers: dict[str, ContainerState] = field(default_factory=dict)
    stop_code: str | None = None
    """TaskFailedToStart, EssentialContainerExited, UserInitiated, ServiceSchedulerInitiated, …"""
    stopped_reason: str | None = None


@dataclass(frozen=True)
class TargetState:
    """What the load balancer's health checks say of one target."""

    state: str
    """initial, healthy, unhealthy, draining, unavailable: the enum of DescribeTargetHealth."""
    reason: str | None = None
    """`Target.ResponseCodeMismatch`, `Target.Timeout`, `Elb.RegistrationInProgress`, …"""
    description: str | None = None


class PlacementFailure(Exception):
    """Raised by `World.start_task` when the task cannot be placed: RunTask answers it in `failures[]`."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class LaunchError(Exception):
    """Raised by `World.start_task` when ECS cannot launch the task (it cannot assume a role of it, say).

    RunTask answers it as ClientException; of a service's task an event tells: `failed to launch a task with (error …)`.
    """


class World(Protocol):
    """What the stand-in asks of the world behind it.

    The stand-in asks while it holds a lock of its own: none of these may call the stand-in's API, nor wait for a lock
    that is held elsewhere during such a call.
    """

    def start_task(self, spec: TaskSpec) -> None:
        """Start a task; raises PlacementFailure if there is no room for it, LaunchError if it cannot be launched."""

    def stop_task(self, task_arn: str, reason: str) -> None:
        """Stop a task; of one that has stopped already, or is unknown, nothing is asked."""

    def task_state(self, task_arn: str) -> TaskState:
        """Say what has become of a task; called at every look."""

    def target_state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        """Say how a registered target is; asked only for target groups that some listener uses."""

    def invoke(
        self, function_arn: str, payload: bytes, invocation_type: str, request_id: str
    ) -> tuple[int, bytes, str | None]:
        """Invoke a function: HTTP status, payload, and the function error (`Unhandled`, …) if there was one.

        `request_id` is what the function learns from its context and the caller from the answer.
        """


@dataclass
class Exit:
    """How a container of a one-off task ends."""

    code: int | None = 0
    """None: the container never started (CannotPullContainerError and the like), unless it is `lost`."""
    lines: tuple[str, ...] = ()
    """What it writes to its log group, if it has one."""
    reason: str | None = None
    runs_for: int = 1
    """Looks at which the task is still seen RUNNING, or PENDING if it never starts."""
    lasts: float = 0.0
    """Seconds of the world's clock for which it is seen so at the least."""
    lost: bool = False
    """It runs, and its code is never told: its host goes away."""
    stop_code: str | None = None
    """Why the task ends, if it is not for its containers: SpotInterruption, TerminationNotice, UserInitiated, …"""
    stopped_reason: str | None = None
    deaf_for: float = 0.0
    """Seconds for which it goes on when it is told to stop; 143 (SIGTERM) is its code then, unless it ends before."""

    @property
    def never_starts(self) -> bool:
        """Say whether the container never starts."""
        return self.code is None and not self.lost


@dataclass
class _Scripted:
    spec: TaskSpec
    digests: Mapping[str, str]
    """By container name."""
    began: float
    exits: dict[str, Exit]
    """By container name, where the script says it of this one task."""
    looks: int = 0
    told_to_stop: float | None = None
    stopped: TaskState | None = None


class ScriptedWorld:
    """A world without processes and without time, for tests.

    A service's task runs from the first look on, unless its image is in `crashing` or `unstartable`.
    A one-off task (one that is not of a task set) is RUNNING at the first look and STOPPED at the next,
    with the code scripted for its command in `exits`, else 0.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.exits: dict[tuple[str, ...], Exit] = {}
        """By command: how a container of a one-off task ends."""
        self.next_exits: dict[tuple[str, ...], list[Exit]] = {}
        """By command: how it ends in the next tasks, one after the other, before `exits` applies."""
        self.container_exits: dict[str, Exit] = {}
        """By container name, for containers whose command is not in `exits` (sidecars, say)."""
        self.crashing: dict[str, int] = {}
        """By image: the code with which a service's container exits right after its start."""
        self.crash_lines: dict[str, tuple[str, ...]] = {}
        """By image: what a crashing container of a service writes to its log group, if it has one, before it exits."""
        self.unstartable: dict[str, str] = {}
        """By image: the reason why a container never starts, `CannotPullContainerError: …`."""
        self.pending: set[str] = set()
        """Images whose service tasks stay PENDING."""
        self.container_health: dict[str, str] = {}
        """By image or container name: health of a container that has a health check (default HEALTHY)."""
        self.healthy = TargetState("healthy")
        """What a target is by default."""
        self.target_health: dict[str, TargetState] = {}
        """By `<address>:<port>`, address, target group ARN, or target group name: what its targets are instead."""
        self.placement_failures: list[PlacementFailure] = []
        """Raised, one each, by the next calls of start_task."""
        self.launch_errors: dict[str, str] = {}
        """By image: why a task that has it cannot be launched; start_task raises it as LaunchError."""
        self.image_digests: dict[str, list[str]] = {}
        """By image: the digests that the next tasks get for it, the last one again and again.

        By default the digest in the image's own name, or one made of the name.
        """
        self.responses: dict[str, tuple[int, bytes, str | None]] = {}
        """By function name or ARN: what Invoke answers (default: 200 or 202 and an empty payload)."""
        self.started: list[TaskSpec] = []
        self.stopped: list[tuple[str, str]] = []
        """Task ARN and reason of each call of stop_task."""
        self.invocations: list[tuple[str, bytes, str]] = []
        self.request_ids: list[str] = []
        """Of the invocations."""
        self._tasks: dict[str, _Scripted] = {}

    def start_task(self, spec: TaskSpec) -> None:
        """Note the task as started, or raise the next of `placement_failures`, or one of `launch_errors`."""
        if self.placement_failures:
            raise self.placement_failures.pop(0)
        for container in spec.containers:
            if container.image in self.launch_errors:
                raise LaunchError(self.launch_errors[container.image])
        self.started.append(spec)
        digests = {image: self._digest(image) for image in dict.fromkeys(c.image for c in spec.containers)}
        exits = {c.name: self.next_exits[c.command].pop(0) for c in spec.containers if self.next_exits.get(c.command)}
        by_name = {c.name: digests[c.image] for c in spec.containers}
        self._tasks[spec.task_arn] = _Scripted(spec, by_name, self.clock(), exits)

    def stop_task(self, task_arn: str, reason: str) -> None:
        """Stop the task's containers with exit code 143 (SIGTERM), as soon as they listen."""
        self.stopped.append((task_arn, reason))
        task = self._tasks.get(task_arn)
        if task is not None and task.stopped is None:
            task.told_to_stop = self.clock() if task.told_to_stop is None else task.told_to_stop
            task.stopped = self._end_as_told(task)

    def task_state(self, task_arn: str) -> TaskState:
        """Say what the script says of the task, and count the look."""
        task = self._tasks[task_arn]
        task.looks += 1
        if task.stopped is None:
            task.stopped = self._ending(task)
            if task.stopped is not None:
                self._write_logs(task)
        if task.stopped is None:
            task.stopped = self._end_as_told(task)
        if task.stopped is not None:
            return task.stopped
        if any(c.image in self.pending or self._never_starts(task, c) for c in task.spec.containers):
            return TaskState("PENDING", {c.name: ContainerState() for c in task.spec.containers})
        return TaskState("RUNNING", {c.name: self._running(task, c) for c in task.spec.containers})

    def target_state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        """Say what the script says of the target: by address, else by target group, else `healthy`."""
        name = target_group_arn.split("/")[-2] if target_group_arn.count("/") >= 2 else target_group_arn
        for key in (f"{address}:{port}", address, target_group_arn, name):
            if key in self.target_health:
                return self.target_health[key]
        return self.healthy

    def invoke(
        self, function_arn: str, payload: bytes, invocation_type: str, request_id: str
    ) -> tuple[int, bytes, str | None]:
        """Note the invocation and answer it from `responses`."""
        self.invocations.append((function_arn, payload, invocation_type))
        self.request_ids.append(request_id)
        name = function_arn.split(":")[6] if function_arn.count(":") >= 6 else function_arn
        default = (202 if invocation_type == "Event" else 200, b"", None)
        return self.responses.get(function_arn, self.responses.get(name, default))

    def _digest(self, image: str) -> str:
        """Return the digest that the next task gets for an image."""
        scripted = self.image_digests.get(image)
        if scripted:
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        return image.partition("@")[2] or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"

    def _running(self, task: _Scripted, container: ContainerSpec) -> ContainerState:
        health = "UNKNOWN"
        if container.health_check is not None:
            by_image = self.container_health.get(container.image, "HEALTHY")
            health = self.container_health.get(container.name, by_image)
        return ContainerState("RUNNING", health=health, image_digest=task.digests[container.name])

    def _ending(self, task: _Scripted) -> TaskState | None:
        """Return the state in which the task has stopped, or None while it goes on."""
        containers = task.spec.containers
        for container in containers:
            if container.image in self.unstartable:
                why = self.unstartable[container.image]
                states = {c.name: ContainerState("STOPPED") for c in containers}
                states[container.name].reason = why
                return TaskState("STOPPED", states, "TaskFailedToStart", why)
        if is_of_task_set(task.spec):
            crashed = {c.name: self.crashing[c.image] for c in containers if c.image in self.crashing}
            if not any(c.essential and c.name in crashed for c in containers):
                return None
            # The other containers are stopped by the task's end: SIGTERM.
            states = {c.name: _stopped(task, c, crashed.get(c.name, 143)) for c in containers}
            return TaskState("STOPPED", states, *_ESSENTIAL_EXITED)
        exits = {c.name: self._exit(task, c) for c in containers}
        essential = [exits[c.name] for c in containers if c.essential]
        if task.looks <= max((each.runs_for for each in essential), default=1):
            return None
        if self.clock() - task.began < max((each.lasts for each in essential), default=0.0):
            return None
        states = {c.name: _ended(task, c, exits[c.name]) for c in containers}
        for each in exits.values():
            if each.stop_code:
                return TaskState("STOPPED", states, each.stop_code, each.stopped_reason)
        unstarted = [each for each in essential if each.never_starts]
        if unstarted:
            return TaskState("STOPPED", states, "TaskFailedToStart", unstarted[0].reason)
        code, reason = _ESSENTIAL_EXITED
        return TaskState(
            "STOPPED", states, code, next((e.stopped_reason for e in essential if e.stopped_reason), reason)
        )

    def _end_as_told(self, task: _Scripted) -> TaskState | None:
        """Return the state in which the task has stopped because it was told to, or None while it goes on."""
        exits = {c.name: self._exit(task, c) for c in task.spec.containers}
        deaf_for = 0.0 if is_of_task_set(task.spec) else max(each.deaf_for for each in exits.values())
        if task.told_to_stop is None or self.clock() - task.told_to_stop < deaf_for:
            return None
        codes = {c.name: None if self._never_starts(task, c) else 143 for c in task.spec.containers}
        return TaskState("STOPPED", {c.name: _stopped(task, c, codes[c.name]) for c in task.spec.containers})

    def _exit(self, task: _Scripted, container: ContainerSpec) -> Exit:
        by_name = self.container_exits.get(container.name, Exit())
        return task.exits.get(container.name, self.exits.get(container.command, by_name))

    def _never_starts(self, task: _Scripted, container: ContainerSpec) -> bool:
        return not is_of_task_set(task.spec) and container.essential and self._exit(task, container).never_starts

    def _write_logs(self, task: _Scripted) -> None:
        # Imported here because moto's models are slow to import, and only tests with log lines need them.
        from rehearsal.aws.logs import append

        for container in task.spec.containers:
            lines = self._exit(task, container).lines
            if is_of_task_set(task.spec):
                lines = self.crash_lines.get(container.image, ()) if container.image in self.crashing else ()
            if container.log_group and lines:
                append(task.spec.task_arn, container.log_group, log_stream(task.spec, container), lines)


_ESSENTIAL_EXITED = ("EssentialContainerExited", "Essential container in task exited")


def _stopped(task: _Scripted, container: ContainerSpec, code: int | None, reason: str | None = None) -> ContainerState:
    return ContainerState("STOPPED", code, reason, image_digest=task.digests[container.name])


def _ended(task: _Scripted, container: ContainerSpec, how: Exit) -> ContainerState:
    state = _stopped(task, container, None if how.lost else how.code, how.reason)
    state.lost = how.lost
    return state


def is_of_task_set(spec: TaskSpec) -> bool:
    """Say whether a task belongs to a service's task set, and is not a one-off task."""
    return (spec.started_by or "").startswith("ecs-svc/")


def log_stream(spec: TaskSpec, container: ContainerSpec) -> str:
    """Name the awslogs stream of a container: `<prefix>/<container>/<task id>` (ECS developer guide)."""
    task_id = spec.task_arn.rsplit("/", 1)[-1]
    return f"{container.log_stream_prefix}/{container.name}/{task_id}" if container.log_stream_prefix else task_id


_current: list[World] = []


def use(world: World) -> None:
    """Make `world` the one that the stand-in asks from now on."""
    _current[:] = [world]


def current() -> World:
    """Return the world in use; a fresh ScriptedWorld if none was set."""
    if not _current:
        _current.append(ScriptedWorld())
    return _current[0]
