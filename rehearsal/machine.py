"""The world behind the stand-in: real processes, a real proxy, real functions."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from moto.ecr.models import ecr_backends
from moto.logs.exceptions import ResourceNotFoundException

from rehearsal.aws.ecr import find_image
from rehearsal.aws.logs import append
from rehearsal.aws.world import ContainerState, TargetState, TaskSpec, TaskState
from rehearsal.containers import Containers, Images
from rehearsal.functions import Functions, resolver
from rehearsal.loadbalancer import LoadBalancer
from rehearsal.metrics import Metrics


class StagingWorld:
    """The world while Terraform applies: notes what is to run, and runs nothing yet."""

    def __init__(self) -> None:
        self.specs: dict[str, TaskSpec] = {}

    def start_task(self, spec: TaskSpec) -> None:
        """Note a task."""
        self.specs[spec.task_arn] = spec

    def stop_task(self, task_arn: str, reason: str) -> None:  # noqa: ARG002
        """Forget a task."""
        self.specs.pop(task_arn, None)

    def task_state(self, task_arn: str) -> TaskState:
        """Every task that was noted runs."""
        if task_arn not in self.specs:
            return TaskState("STOPPED")
        return TaskState("RUNNING", {c.name: ContainerState("RUNNING") for c in self.specs[task_arn].containers})

    def target_state(self, target_group_arn: str, address: str, port: int) -> TargetState:  # noqa: ARG002
        """Every target is healthy."""
        return TargetState("healthy")

    def invoke(
        self, function_arn: str, payload: bytes, invocation_type: str, request_id: str
    ) -> tuple[int, bytes, str | None]:
        """No function runs while Terraform applies."""
        raise NotImplementedError("nothing invokes a function while Terraform applies")


class Machine:
    """One scenario's containers, load balancer, metrics and functions.

    Args:
        account_id, region: where the stand-in keeps the environment.
        folder: scratch of this scenario; the volume of the containers is `data` below it.
        image_source: where the images are laid out, or come from.
        function_folder: where the functions' packages are unpacked.
        function_python: interpreter that plays the Lambda runtime.
        aws: environment variables by which functions reach AWS.
        written: told of each line that a container or function writes: log group, stream, line.
    """

    def __init__(
        self,
        account_id: str,
        region: str,
        folder: Path,
        *,
        image_source: Path | Images,
        function_folder: Path,
        function_python: Path,
        aws: Mapping[str, str],
        written: Callable[[str, str, str], None],
    ) -> None:
        self._stop = threading.Event()
        self._written = written
        self._log_lock = threading.Lock()
        self._registry = ecr_backends[account_id][region]
        self._names = folder / "names.json"
        self._names.write_text("{}")  # of the load balancer, which is not there yet
        self.volume = folder / "data"
        self.containers = Containers(
            folder / "tasks",
            image_source,
            self.volume,
            self._log,
            self.has_image,
            resolver=resolver(self._names),
        )
        self.metrics = Metrics(account_id, region)
        self.balancer = LoadBalancer(account_id, region, self.containers.address, self.metrics.observe)
        self.functions = Functions(function_folder, function_python, self._names, aws, self._log)

    def start(self, specs: Sequence[TaskSpec]) -> None:
        """Bring up what was noted while Terraform applied, and all that watches it."""
        for spec in specs:
            self.containers.start(spec)
        self.balancer.start()
        self._tell_names()
        for watch in (
            lambda: self.containers.watch(self._stop),
            lambda: self.balancer.watch(self._stop),
            lambda: self.metrics.watch(self.balancer, self.containers, self._stop),
        ):
            threading.Thread(target=watch, daemon=True).start()

    def end(self) -> None:
        """End every process."""
        self._stop.set()
        self.functions.end()
        self.containers.end()

    def start_task(self, spec: TaskSpec) -> None:
        """Start a task's containers."""
        self.containers.start(spec)
        self._tell_names()

    def stop_task(self, task_arn: str, reason: str) -> None:  # noqa: ARG002
        """Stop a task."""
        self.containers.stop(task_arn)

    def task_state(self, task_arn: str) -> TaskState:
        """Say how a task's processes are."""
        return self.containers.state(task_arn)

    def has_image(self, image: str) -> bool:
        """Say whether the registry has an image; what is not of ECR is somewhere."""
        if ".dkr.ecr." not in image:
            return True
        if "@" in image:
            return True
        name, _, tag = image.rpartition(":")
        repository = self._registry.repositories.get(name.partition("/")[2])
        return repository is not None and not isinstance(find_image(repository, {"imageTag": tag}), dict)

    def target_state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        """Say what the load balancer's health checks say."""
        return self.balancer.target_state(target_group_arn, address, port)

    def invoke(
        self, function_arn: str, payload: bytes, invocation_type: str, request_id: str
    ) -> tuple[int, bytes, str | None]:
        """Run a function."""
        return self.functions.invoke(function_arn, payload, invocation_type, request_id)

    def names(self) -> dict[str, int]:
        """Where the listeners and the tasks are that somebody inside the VPC asks for: port by `<name>:<port>`."""
        return self.balancer.ports | self.containers.addresses()

    def _tell_names(self) -> None:
        unfinished = self._names.with_suffix(f".{threading.get_ident()}")
        unfinished.write_text(json.dumps(self.names()))
        unfinished.replace(self._names)

    def _log(self, arn: str, group: str, stream: str, lines: Sequence[str]) -> None:
        # Without its log group a line is lost, as on AWS.
        with self._log_lock, contextlib.suppress(ResourceNotFoundException):
            append(arn, group, stream, lines)
        for line in lines:
            self._written(group, stream, line)
