"""ECS: the operations on tasks, services and task sets.

moto shows or hides tags by a setting of the response class, which two requests at once would share. Here each answer is
made with or without them.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import Service, TaskSet
from moto.ecs.responses import EC2ContainerServiceResponse

from rehearsal.aws.graft import graft


def _tagged(found: Any, include: list[str]) -> Any:
    """Return a copy of a resource, without its tags unless they are asked for."""
    shown = copy.copy(found)
    if "TAGS" not in include:
        shown.tags = None
        if isinstance(shown, Service):
            shown.task_sets = [_tagged(task_set, include) for task_set in shown.task_sets]
    return shown


class Answers(EC2ContainerServiceResponse):  # type: ignore[misc]
    """Operations in the place of moto's own."""

    # Tasks.

    def run_task(self) -> ActionResult:
        tasks, failures = self.ecs_backend.start_tasks(dict(self._get_params()))
        return ActionResult({"tasks": [task.describe(tags=True) for task in tasks], "failures": failures})

    def describe_tasks(self) -> ActionResult:
        wanted = self._get_param("tasks") or []
        if not wanted:
            raise InvalidParameterException("Tasks cannot be empty.")
        if len(wanted) > 100:
            raise InvalidParameterException("Tasks cannot have more than 100 elements.")
        tasks, failures = self.ecs_backend.look_at_tasks(self._get_param("cluster"), wanted)
        tags = "TAGS" in (self._get_param("include") or [])
        return ActionResult({"tasks": [task.describe(tags=tags) for task in tasks], "failures": failures})

    def list_tasks(self) -> ActionResult:
        tasks = self.ecs_backend.list_tasks(
            self._get_param("cluster") or "default",
            self._get_param("containerInstance"),
            self._get_param("family"),
            self._get_param("startedBy"),
            self._get_param("serviceName"),
            # Without a status only tasks that should run are listed (API reference, ListTasks).
            self._get_param("desiredStatus") or "RUNNING",
            self._get_param("launchType"),
        )
        return ActionResult({"taskArns": [task.task_arn for task in tasks]})

    def stop_task(self) -> ActionResult:
        task = self.ecs_backend.stop_task(
            self._get_param("cluster") or "default", self._get_param("task"), self._get_param("reason")
        )
        return ActionResult({"task": task.describe()})

    # Services.

    def create_service(self) -> ActionResult:
        return ActionResult({"service": self.ecs_backend.create(dict(self._get_params()))})

    def describe_services(self) -> ActionResult:
        names = self._get_param("services") or []
        if not names:
            raise InvalidParameterException("Services cannot be empty.")
        if len(names) > 10:
            raise InvalidParameterException("Services cannot have more than 10 elements.")
        found, failures = self.ecs_backend.describe_services(self._get_param("cluster") or "default", names)
        include = self._get_param("include") or []
        return ActionResult({"services": [_tagged(service, include) for service in found], "failures": failures})

    def update_service(self) -> ActionResult:
        return ActionResult({"service": self.ecs_backend.update(dict(self._get_params()))})

    # Task sets.

    def create_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.ecs_backend.create_set(dict(self._get_params()))})

    def describe_task_sets(self) -> ActionResult:
        found, failures = self.ecs_backend.describe_sets(dict(self._get_params()))
        include = self._get_param("include") or []
        shown: list[TaskSet] = [_tagged(task_set, include) for task_set in found]
        return ActionResult({"taskSets": shown, "failures": failures})

    def update_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.ecs_backend.update_set(dict(self._get_params()))})

    def update_service_primary_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.ecs_backend.make_primary(dict(self._get_params()))})

    def delete_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.ecs_backend.delete_set(dict(self._get_params()))})


def install() -> None:
    """Put the operations into moto."""
    graft(Answers)
