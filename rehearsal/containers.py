"""ECS's side of the world: tasks and their containers, as processes on loopback."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from rehearsal import images
from rehearsal.aws.world import ContainerSpec, ContainerState, TaskSpec, TaskState, log_stream
from rehearsal.processes import Process, plain_environment

LEASH_LIMIT = 5.0
"""Seconds within which a process that was told to stop is gone: SIGKILL comes after two."""

LogSink = Callable[[str, str, str, Sequence[str]], None]
"""Takes lines for CloudWatch Logs: ARN (for account and region), group, stream, lines."""

HEALTH_CHECK_INTERVAL = 30.0
"""Seconds between two runs of a container's own health check (ECS's default); the first follow quicker."""

FIRST_CHECKS_INTERVAL = 1.0
"""Seconds between two runs until the check has passed once."""

START_PERIOD = 30.0
"""Seconds in which a container that has not passed its health check yet cannot fail it (ECS: startPeriod). On any clock
a start takes its time."""

HEALTH_CHECK_RETRIES = 3
"""Failures in a row after which a container is UNHEALTHY (ECS's default)."""


class Images(Protocol):
    """Where images come from, and what runs of them."""

    def pull(self, image: str) -> tuple[Path, str]:
        """Return an image's root and digest; raises ImageNotFoundError."""

    def run(self, task: TaskSpec, container: ContainerSpec) -> ContainerSpec:
        """Return what runs in a container: what the task definition says, or something in its place."""


class OwnImages:
    """The releases of the rehearsal's own application, below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pull(self, image: str) -> tuple[Path, str]:
        """Return an image's root and digest; raises ImageNotFoundError."""
        tag = images.tag_of(image)
        return images.build(tag, self._folder), images.digest(tag)

    def run(self, _task: TaskSpec, container: ContainerSpec) -> ContainerSpec:
        """Return what the task definition says."""
        return container


@dataclass
class _Container:
    spec: ContainerSpec
    state: ContainerState = field(default_factory=ContainerState)
    process: Process | None = None
    address: tuple[str, int] | None = None
    folder: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    started_at: float = 0.0
    checked_at: float = 0.0
    failures: int = 0


class _Task:
    """One task: starts its containers, and looks at them when asked."""

    def __init__(
        self,
        spec: TaskSpec,
        folder: Path,
        pull: Callable[[str], tuple[Path, str]],
        volume: Path,
        log: LogSink,
        *,
        resolver: Mapping[str, str],
    ) -> None:
        self.spec = spec
        self.containers = [_Container(container) for container in spec.containers]
        self._folder = folder
        self._pull = pull
        self._volume = volume
        self._log = log
        self._resolver = resolver
        self._stop_code: str | None = None
        self._stopped_reason: str | None = None
        self._stopping = False
        self._lock = threading.Lock()

    def start(self) -> None:
        for container in self.containers:
            try:
                self._start(container)
            except images.ImageNotFoundError as error:
                why = f"CannotPullContainerError: {error}"
                self._stop_code, self._stopped_reason = "TaskFailedToStart", why
                container.state = ContainerState("STOPPED", reason=why)
                self.end()
                return

    def _start(self, container: _Container) -> None:
        spec = container.spec
        root, digest = self._pull(spec.image)
        container.folder = self._folder / spec.name
        container.folder.mkdir(parents=True)
        for entry in root.iterdir():
            (container.folder / entry.name).symlink_to(entry)
        if not (container.folder / "data").exists():  # of a folder of somebody else's
            (container.folder / "data").symlink_to(self._volume, target_is_directory=True)
        container.environment = plain_environment(**{**self._resolver, **spec.environment})
        container.state = ContainerState("RUNNING", image_digest=digest)
        container.started_at = time.monotonic()
        listening = socket.socket() if spec.port else None
        if listening:
            # The container's port is free for it alone, whatever else listens on this machine. Held as a socket
            # from the start, so that nobody can take it before the application does.
            listening.bind(("127.0.0.1", 0))
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            container.address = listening.getsockname()
            container.environment["UVICORN_FD"] = str(listening.fileno())
            if "PORT" in spec.environment and not spec.environment["PORT"]:
                # A command of somebody else's takes a port by its number.
                container.environment["PORT"] = str(container.address[1])
                listening.close()
        container.process = Process(
            spec.command,
            folder=container.folder,
            environment=container.environment,
            on_line=lambda line: self._written(container, line),
            keep=[listening.fileno()] if listening and listening.fileno() >= 0 else [],
        )
        if listening:
            listening.close()

    def _written(self, container: _Container, line: str) -> None:
        container.lines.append(line)
        if container.spec.log_group:
            self._log(self.spec.task_arn, container.spec.log_group, log_stream(self.spec, container.spec), [line])

    def look(self) -> TaskState:
        """Say how the task is; an essential container's end ends the others."""
        with self._lock:
            for container in self.containers:
                if container.state.status != "RUNNING" or container.process is None:
                    continue
                code = container.process.exit_code()
                if code is not None:
                    container.process.wait(1)
                    container.state.status, container.state.exit_code = "STOPPED", code
                    if container.spec.essential and not self._stopping:
                        self._stop_code = "EssentialContainerExited"
                        self._stopped_reason = "Essential container in task exited"
                        self.end()
            status = "RUNNING"
            if all(container.state.status == "STOPPED" for container in self.containers):
                status = "STOPPED"
            elif self._stopping:
                status = "DEPROVISIONING"
            states = {c.spec.name: ContainerState(**vars(c.state)) for c in self.containers}
            return TaskState(status, states, self._stop_code, self._stopped_reason)

    def end(self) -> None:
        """Stop what still runs."""
        self._stopping = True
        for container in self.containers:
            if container.process is not None:
                container.process.end()
            elif container.state.status == "PENDING":
                container.state.status = "STOPPED"

    def wait(self) -> None:
        """Wait for the end of what was told to stop; the leash sees to it that it comes."""
        for container in self.containers:
            if container.process is not None:
                container.process.wait(LEASH_LIMIT)

    def usage(self) -> tuple[float, int]:
        """Return seconds of a processor so far, and bytes of memory now."""
        used = [container.process.usage() for container in self.containers if container.process is not None]
        return sum(seconds for seconds, _ in used), sum(size for _, size in used)

    def check_health(self, now: float) -> None:
        """Run the containers' own health checks that are due."""
        for container in self.containers:
            check, state = container.spec.health_check, container.state
            interval = HEALTH_CHECK_INTERVAL if state.health == "HEALTHY" else FIRST_CHECKS_INTERVAL
            if check and state.status == "RUNNING" and now >= container.checked_at + interval:
                container.checked_at = now
                container.failures = 0 if (good := _passes(container, check)) else container.failures + 1
                if good:
                    state.health = "HEALTHY"
                elif state.health == "UNKNOWN" and now < container.started_at + START_PERIOD:
                    container.failures = 0
                elif container.failures >= HEALTH_CHECK_RETRIES:
                    state.health = "UNHEALTHY"


def _passes(container: _Container, check: tuple[str, ...]) -> bool:
    kind, *command = check
    environment = dict(container.environment)
    if container.address:
        environment["PORT"] = environment["UVICORN_PORT"] = str(container.address[1])
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", *command] if kind == "CMD-SHELL" else command,
            cwd=container.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0


class Containers:
    """All tasks of a rehearsal.

    Args:
        folder: where the containers' file systems are laid out.
        image_source: where the images come from: a folder of the application's own ones, or others.
        volume: the shared volume, in each container as `data`.
        log: takes what the containers write.
        has_image: whether the registry has an image now. It is asked at each start: no image is kept (Fargate).
        resolver: environment variables by which Python in a container resolves names as the VPC's resolver does.
    """

    def __init__(
        self,
        folder: Path,
        image_source: Path | Images,
        volume: Path,
        log: LogSink,
        has_image: Callable[[str], bool] = lambda _: True,
        *,
        resolver: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._images = OwnImages(image_source) if isinstance(image_source, Path) else image_source
        self._volume = volume
        self._log = log
        self._has_image = has_image
        self._resolver = dict(resolver or {})
        self._tasks: dict[str, _Task] = {}
        volume.mkdir(parents=True, exist_ok=True)

    def start(self, spec: TaskSpec) -> None:
        """Start a task's containers."""
        folder = self._folder / spec.task_arn.rsplit("/", 1)[-1]
        spec = replace(spec, containers=tuple(self._images.run(spec, each) for each in spec.containers))
        task = _Task(spec, folder, self._pull, self._volume, self._log, resolver=self._resolver)
        self._tasks[spec.task_arn] = task
        task.start()

    def _pull(self, image: str) -> tuple[Path, str]:
        """Return an image's root and digest; raises ImageNotFoundError."""
        if not self._has_image(image):
            raise images.ImageNotFoundError(f"{image}: not found")
        return self._images.pull(image)

    def knows(self, task_arn: str) -> bool:
        """Say whether a task was started here."""
        return task_arn in self._tasks

    def stop(self, task_arn: str) -> None:
        """Stop a task: SIGTERM to its containers, SIGKILL two seconds later."""
        self._tasks[task_arn].end()

    def state(self, task_arn: str) -> TaskState:
        """Say how a task is."""
        return self._tasks[task_arn].look()

    def address(self, private_ip: str, port: int) -> tuple[str, int] | None:
        """Return where on loopback a container listens that has this address in the VPC, or is on this instance."""
        for task in list(self._tasks.values()):
            if private_ip in (task.spec.private_ip, task.spec.instance_id):
                for container in task.containers:
                    ports = (container.spec.port, *container.spec.leading_to)
                    if port in ports and container.address and container.state.status == "RUNNING":
                        return container.address
        return None

    def addresses(self) -> dict[str, int]:
        """Return where on loopback the containers listen: port by `<address in the VPC>:<port>`."""
        return {
            f"{task.spec.private_ip}:{port}": container.address[1]
            for task in list(self._tasks.values())
            for container in task.containers
            if container.address
            for port in (container.spec.port, *container.spec.leading_to)
        }

    def usage(self) -> Iterator[tuple[TaskSpec, float, int]]:
        """Iterate over the tasks that run: seconds of a processor so far, and bytes of memory now."""
        for task in list(self._tasks.values()):
            if task.look().last_status == "RUNNING":
                yield task.spec, *task.usage()

    def watch(self, stop: threading.Event) -> None:
        """Run the containers' health checks until `stop` is set."""
        while not stop.wait(0.1):
            for task in list(self._tasks.values()):
                task.check_health(time.monotonic())

    def end(self) -> None:
        """Stop every task, and wait until its processes are gone."""
        for task in list(self._tasks.values()):
            task.end()
        for task in list(self._tasks.values()):
            task.wait()
