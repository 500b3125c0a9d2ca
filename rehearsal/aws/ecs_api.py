"""ECS: the operations on tasks, services and task sets.

moto shows or hides tags by a setting of the response class, which two requests at once would share. Here each answer is
made with or without them.
"""

# An operation is documented in AWS's API reference under its own name.
# ruff: noqa: D102

from __future__ import annotations

import copy
from typing import TypeVar, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse

from rehearsal.aws.ecs_services import EcsBackend
from rehearsal.aws.ecs_sets import StandInService, StandInTaskSet
from rehearsal.aws.graft import graft

Tagged = TypeVar("Tagged", StandInService, StandInTaskSet)


def _tagged(found: Tagged, include: list[str]) -> Tagged:
    """Return a copy of a resource, without its tags unless they are asked for."""
    shown = copy.copy(found)
    if "TAGS" not in include:
        shown.tags = []
        if isinstance(shown, StandInService):
            shown.task_sets = [_tagged(task_set, include) for task_set in shown.task_sets]
    return shown


class Answers(EC2ContainerServiceResponse):
    """Operations in the place of moto's own."""

    @property
    def stand_in(self) -> EcsBackend:
        return cast(EcsBackend, self.ecs_backend)

    # Tasks.

    def run_task(self) -> ActionResult:
        tasks, failures = self.stand_in.start_tasks(dict(self._get_params()))
        return ActionResult({"tasks": [task.describe(tags=True) for task in tasks], "failures": failures})

    def describe_tasks(self) -> ActionResult:
        wanted = self._get_param("tasks") or []
        if not wanted:
            raise InvalidParameterException("Tasks cannot be empty.")
        if len(wanted) > 100:
            raise InvalidParameterException("Tasks cannot have more than 100 elements.")
        tasks, failures = self.stand_in.look_at_tasks(self._get_param("cluster"), wanted)
        tags = "TAGS" in (self._get_param("include") or [])
        return ActionResult({"tasks": [task.describe(tags=tags) for task in tasks], "failures": failures})

    def list_tasks(self) -> ActionResult:
        tasks = self.stand_in.find_tasks(
            self._get_param("cluster") or "default",
            container_instance=self._get_param("containerInstance"),
            family=self._get_param("family"),
            started_by=self._get_param("startedBy"),
            service_name=self._get_param("serviceName"),
            # Without a status only tasks that should run are listed (API reference, ListTasks).
            desired_status=self._get_param("desiredStatus") or "RUNNING",
            launch_type=self._get_param("launchType"),
        )
        return ActionResult({"taskArns": [task.task_arn for task in tasks]})

    def stop_task(self) -> ActionResult:
        task = self.stand_in.halt_task(
            self._get_param("cluster") or "default", self._get_param("task"), self._get_param("reason")
        )
        return ActionResult({"task": task.describe()})

    # Services.

    def create_service(self) -> ActionResult:
        return ActionResult({"service": self.stand_in.create(dict(self._get_params()))})

    def describe_services(self) -> ActionResult:
        names = self._get_param("services") or []
        if not names:
            raise InvalidParameterException("Services cannot be empty.")
        if len(names) > 10:
            raise InvalidParameterException("Services cannot have more than 10 elements.")
        found, failures = self.stand_in.find_services(self._get_param("cluster") or "default", names)
        include = self._get_param("include") or []
        return ActionResult({"services": [_tagged(service, include) for service in found], "failures": failures})

    def update_service(self) -> ActionResult:
        return ActionResult({"service": self.stand_in.update(dict(self._get_params()))})

    # ECS's own blue/green.

    def describe_service_deployments(self) -> ActionResult:
        found, failures = self.stand_in.find_deployments(self._get_param("serviceDeploymentArns") or [])
        return ActionResult({"serviceDeployments": [each.describe() for each in found], "failures": failures})

    def list_service_deployments(self) -> ActionResult:
        found = self.stand_in.list_deployments(dict(self._get_params()))
        return ActionResult({"serviceDeployments": [each.brief() for each in found]})

    def describe_service_revisions(self) -> ActionResult:
        found, failures = self.stand_in.find_revisions(self._get_param("serviceRevisionArns") or [])
        return ActionResult({"serviceRevisions": [each.describe() for each in found], "failures": failures})

    # Task sets.

    def create_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.stand_in.create_set(dict(self._get_params()))})

    def describe_task_sets(self) -> ActionResult:
        found, failures = self.stand_in.describe_sets(dict(self._get_params()))
        include = self._get_param("include") or []
        return ActionResult({"taskSets": [_tagged(task_set, include) for task_set in found], "failures": failures})

    def update_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.stand_in.update_set(dict(self._get_params()))})

    def update_service_primary_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.stand_in.make_primary(dict(self._get_params()))})

    def delete_task_set(self) -> ActionResult:
        return ActionResult({"taskSet": self.stand_in.delete_set(dict(self._get_params()))})


def install() -> None:
    """Put the operations into moto."""
    graft(Answers)
