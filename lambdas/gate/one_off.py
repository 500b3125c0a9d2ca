"""A command as a one-off task of the service: where it runs, and what RunTask is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Optional

from gate.deployment import Deployment
from gate.ecs import NotShownYet, read_task_definition
from gate.entry_points import command_after
from gate.options.migrations import RunMigrations
from gate.options.one_off import OneOffTask, SmokeTest
from gate.tasks import declared_containers
from gate.verdict import ProbeError

LAUNCH_TYPES = ("FARGATE", "EC2", "EXTERNAL")
WITH_PLATFORM = ("FARGATE", "FARGATE_SPOT")  # only these take a platform version


@dataclass(frozen=True)
class Target:
    """Where commands run: the task definition, its container (also as declared), and the placement of green's tasks."""

    task_definition: str
    definition: Mapping[str, Any]
    container: str
    declared: Mapping[str, Any]
    placement: Mapping[str, Any]

    @classmethod
    def inside(
        cls,
        name: str,
        definition: Mapping[str, Any],
        placement: Mapping[str, Any],
        container: Optional[str],
        main: Callable[[], str],
    ) -> Target:
        """In the container of this name, else the only one, else `main`; placed like this.

        Raises ProbeError for a container that is not there, or whose command would run twice or whose task for ever.
        """
        known = declared_containers(definition)
        container = container or (next(iter(known)) if len(known) == 1 else main())
        if container not in known:
            raise ProbeError(
                f"container {container} is not in task definition {name} (it has {', '.join(known)}): set container"
            )
        declared, named = known[container], f"container {container} of task definition {name}"
        if declared.get("essential") is False:
            raise ProbeError(
                f"{named} is not essential, so the task would run on after its command has ended: make it essential, "
                "or set container to one that is"
            )
        if (declared.get("restartPolicy") or {}).get("enabled"):
            raise ProbeError(
                f"{named} has a restartPolicy, by which ECS runs a command again that has ended: set container to one "
                "without"
            )
        return cls(name, definition, container, declared, placement)

    def request(
        self, command: Optional[Sequence[str]], options: OneOffTask, told: Optional[Mapping[str, str]] = None
    ) -> dict[str, Any]:
        """RunTask's parameters: what runs, how large, and where.

        Without a `command` the container runs its own. `told`: variables of its environment that are not the user's.
        Raises ProbeError if the container's entry point would not run the command.
        """
        override: dict[str, Any] = {"name": self.container}
        if command is not None:
            override["command"] = command_after(self.declared.get("entryPoint") or (), command)
        own = {str(pair.get("name")): str(pair.get("value")) for pair in self.declared.get("environment") or []}
        variables = options.environment
        if isinstance(options, RunMigrations):
            variables = variables_of(options, own.get("PGOPTIONS", ""))
        variables = {**variables, **(told or {})}
        if variables:
            override["environment"] = [{"name": key, "value": value} for key, value in sorted(variables.items())]
        sizes = {"cpu": options.cpu, "memory": options.memory}
        overrides = {size: str(value) for size, value in sizes.items() if value is not None}
        return {
            "taskDefinition": self.task_definition,
            "overrides": {"containerOverrides": [override], **overrides},
            **_placed(self.placement, options),
        }


def target_of_green(deployment: Deployment, options: SmokeTest) -> Target:
    """Where a smoke test runs, as green's tasks do. Raises ProbeError where it would not."""
    service = deployment.service()
    green = deployment.green(service)
    placement = green.placement or service.placement
    return _target_of_test(deployment, options, green.task_definition, placement, lambda: green.container)


def target_to_come(deployment: Deployment, options: SmokeTest) -> Target:
    """The same as long as there is no green: as the plan has it."""
    plan, placement = deployment.plan, deployment.placement_to_come(deployment.service())
    return _target_of_test(deployment, options, plan.task_definition, placement, lambda: plan.container_name)


def target_of_migrations(deployment: Deployment, container: Optional[str]) -> Target:
    """Where migrations run: of green, else of the plan. Raises ProbeError where they would not."""
    service = deployment.service()
    try:
        green = deployment.green(service)
        name, placement = green.task_definition, green.placement or service.placement
    except NotShownYet:
        name, placement = deployment.plan.task_definition, deployment.placement_to_come(service)
    definition = deployment.task_definition(name)
    return Target.inside(name, definition, placement, container, lambda: deployment.plan.container_name)


def _target_of_test(
    deployment: Deployment, options: SmokeTest, name: str, placement: Mapping[str, Any], main: Callable[[], str]
) -> Target:
    """Of the task definition that the user names, else of the one of this `name`; `main`: that one's own container."""
    own = options.task_definition
    if not own:
        return Target.inside(name, deployment.task_definition(name), placement, options.container, main)
    definition = deployment.memoize(f"task definition {own}", partial(_read_own, own))
    name, placement = str(definition.get("taskDefinitionArn") or own), _as_it_takes(definition, placement)
    return Target.inside(name, definition, placement, options.container, partial(_none_is_named, name, definition))


def _none_is_named(name: str, definition: Mapping[str, Any]) -> str:
    known = ", ".join(declared_containers(definition))
    raise ProbeError(f"task definition {name} has several containers ({known}): set container")


def _read_own(name: str) -> Mapping[str, Any]:
    """A task definition of the user's. Raises ProbeError for one that ECS would not run."""
    definition = read_task_definition(name, "task_definition")
    if definition.get("status") != "ACTIVE":
        raise ProbeError(f"task definition {name} is {definition.get('status')}, expected ACTIVE: register it anew")
    return definition


def _as_it_takes(definition: Mapping[str, Any], placement: Mapping[str, Any]) -> dict[str, Any]:
    """The placement without a network of the tasks' own, where the task definition takes none."""
    takes_network = definition.get("networkMode") == "awsvpc"
    return {key: value for key, value in placement.items() if takes_network or key != "networkConfiguration"}


def variables_of(options: RunMigrations, pgoptions: str = "") -> dict[str, str]:
    """The container's further environment. `pgoptions`: its own PGOPTIONS, which RunTask would replace.

    PGOPTIONS is read by libpq, and so by psycopg; asyncpg does not.
    """
    times = {"lock_timeout": options.lock_timeout, "statement_timeout": options.statement_timeout}
    wanted = [f"-c {name}={seconds * 1000:.0f}" for name, seconds in times.items() if seconds is not None]
    if not wanted:
        return options.environment
    own = options.environment.get("PGOPTIONS", pgoptions)
    return {**options.environment, "PGOPTIONS": " ".join([own, *wanted]).strip()}


def _placed(placement: Mapping[str, Any], options: OneOffTask) -> dict[str, Any]:
    """The placement, changed by the options."""
    placed = dict(placement)
    if options.launch:
        placed.pop("launchType", None)
        placed.pop("capacityProviderStrategy", None)
        if options.launch in LAUNCH_TYPES:
            placed["launchType"] = options.launch
        else:
            placed["capacityProviderStrategy"] = [{"capacityProvider": options.launch, "weight": 1}]
        if options.launch not in WITH_PLATFORM:
            placed.pop("platformVersion", None)
    network = dict((placed.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {})
    if options.subnets:
        network["subnets"] = list(options.subnets)
    if options.security_groups:
        network["securityGroups"] = list(options.security_groups)
    if options.assign_public_ip is not None:
        network["assignPublicIp"] = "ENABLED" if options.assign_public_ip else "DISABLED"
    return {**placed, "networkConfiguration": {"awsvpcConfiguration": network}} if network else placed
