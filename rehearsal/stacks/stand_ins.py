"""What runs in a stack's containers: a small program in the place of the application, or a command of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from moto.ecs.models import ecs_backends
from moto.route53.models import route53_backends

from rehearsal.aws.ecs_tasks import StandInTask
from rehearsal.aws.world import ContainerSpec, TaskSpec, TaskState, is_of_task_set
from rehearsal.machine import Machine
from rehearsal.stacks.cases import Case
from rehearsal.stacks.services import GREEN, Service, tag_of

PROGRAM = Path(__file__).with_name("program.py")
OF_THE_USER = ("PATH", "VIRTUAL_ENV", "PYTHONPATH", "HOME", "LANG")


class StandIns:
    """The images of one service's deployment, and what runs of them.

    Args:
        service, case: what is deployed, and what is wrong with it.
        rules: what the program answers.
        folder: an empty one; the root of every image.
        command: what the user gives in the place of the program; empty for none.
    """

    def __init__(
        self, service: Service, case: Case, rules: Sequence[Mapping[str, Any]], folder: Path, command: str
    ) -> None:
        self._service, self._case, self._rules, self._command = service, case, list(rules), command
        self._root = Path.cwd() if command else folder
        folder.mkdir(parents=True, exist_ok=True)

    def pull(self, image: str) -> tuple[Path, str]:
        """Return the root of an image and its digest: any image is there."""
        return self._root, "sha256:" + hashlib.sha256(image.encode()).hexdigest()

    def run(self, task: TaskSpec, container: ContainerSpec) -> ContainerSpec:
        """Return what runs in a container's place."""
        checked = ("CMD", "true") if container.health_check else None
        told: dict[str, Any] = {"tag": tag_of(container.image)}
        if not is_of_task_set(task):
            code = self._code(task)
            if self._command and container.name == self._service.container and not code:
                return self._users(container, container.command)
            told |= {"command": shlex.join(container.command), "code": code}
            return replace(container, command=_program("task", told), health_check=None, port=None)
        if container.port is None:
            return replace(container, command=_program("idle", {}), health_check=checked)
        is_green = told["tag"] == GREEN
        # A release that is broken on purpose is the program: the user's own cannot be told to be.
        is_broken = is_green and bool(self._case.fault)
        if self._command and container.name == self._service.container and not is_broken:
            mine = self._users(container, ("/bin/sh", "-c", f"exec {self._command}"))
            return replace(mine, environment={**mine.environment, "PORT": ""}, health_check=checked)
        health = self._service.health
        told |= {
            "answers": [
                *self._rules,
                *({"method": "GET", "path": re.escape(p), "status": s} for p, s in health.items()),
            ],
            "health_paths": list(health),
            "healthy": next(iter(health.values()), 200),
            "revision": task.task_definition_arn.rpartition(":")[2],
            "fault": dict(self._case.fault) if is_green else {},
        }
        return replace(container, command=_program("serve", told), health_check=checked)

    def _users(self, container: ContainerSpec, command: Sequence[str]) -> ContainerSpec:
        """A command that runs as it does for the user, with the container's variables."""
        own = {name: os.environ[name] for name in OF_THE_USER if name in os.environ}
        return replace(container, command=tuple(command), environment={**own, **container.environment})

    def _code(self, task: TaskSpec) -> int:
        step = next((value for key, value in task.tags.items() if key.endswith("-step")), "")
        return self._case.migration_code if step.startswith("migrate") else 0


class StackMachine(Machine):
    """One service's world: the tasks of others are said to run, and nobody starts them."""

    def task_state(self, task_arn: str) -> TaskState:
        """Say how a task's processes are."""
        known = self.containers.knows(task_arn)
        return super().task_state(task_arn) if known else TaskState("RUNNING")

    def names(self) -> dict[str, int]:
        """Where the listeners and tasks are, by the names of DNS records too that lead to a load balancer."""
        found = super().names()
        for zones in route53_backends.values():
            for record in (each for zone in zones["aws"].zones.values() for each in zone.rrsets):
                alias = getattr(record, "alias_target", None) or {}
                values = [each.get("Value") if isinstance(each, dict) else each for each in record.records or []]
                for target in filter(None, (alias.get("DNSName"), *values)):
                    led_to = f"{str(target).rstrip('.').lower().removeprefix('dualstack.')}:"
                    for place, port in list(found.items()):
                        if place.lower().startswith(led_to):
                            found[f"{record.name.rstrip('.')}:{place.rpartition(':')[2]}"] = port
        return found

    def stop_task(self, task_arn: str, reason: str) -> None:
        """Stop a task."""
        if self.containers.knows(task_arn):
            super().stop_task(task_arn, reason)


def of_service(tasks: Sequence[TaskSpec], service: Service) -> list[TaskSpec]:
    """Return the tasks of one service, of those that run when the stack was applied."""
    backend_tasks = {
        task.task_arn: cast(StandInTask, task)
        for account in ecs_backends.values()
        for backend in account.values()
        for tasks_ in backend.tasks.values()
        for task in tasks_.values()
    }
    return [
        backend_tasks[spec.task_arn].spec() if spec.task_arn in backend_tasks else spec
        for spec in tasks
        if spec.group == f"service:{service.name}" and spec.cluster == service.outputs["cluster_name"]
    ]


def _program(kind: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(PROGRAM), kind, json.dumps(told))
