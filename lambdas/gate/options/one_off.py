"""Options of a one-off ECS task: what migrations and smoke tests have in common, and those of a smoke test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from gate.options import KEPT, NOT_EMPTY, TIMEOUT, option, seconds, whole, words
from gate.waiting import TimeBudget

AFTER_A_COMMAND = 60.0  # seconds of the time there is for stopping a command's task and for the report
CONTAINER = r"[A-Za-z0-9_-]{1,255}"
TOLD = "SMOKE_TEST_"  # begins the variables by which a smoke test is told where green answers


@dataclass(frozen=True)
class OneOffTask:
    """A command as an ECS task of its own. By default it is placed as green's tasks are."""

    container: Optional[str] = option(
        "container to run in; null: the only one of the task definition, or else the one behind the load balancer",
        None,
        pattern=CONTAINER,
        means="a container's name in the task definition (up to 255 letters, digits, hyphens and underscores)",
    )
    environment: dict[str, str] = option(
        "further environment variables of the container; no place for secrets: those come from the task definition",
        {},
        keys=NOT_EMPTY,
        keys_mean="a variable's name",
        secret=True,
    )
    cpu: Optional[int] = whole(
        "CPU units of the tasks (1024 are one vCPU); null: as the task definition says",
        None,
        unit="CPU units",
        least=128,
        most=16_384,
    )
    memory: Optional[int] = whole(
        "MiB of the tasks; null: as the task definition says", None, unit="MiB", least=128, most=122_880
    )
    subnets: Optional[tuple[str, ...]] = option(
        "the tasks' subnets; null: the service's",
        None,
        pattern=r"subnet-[0-9a-z]+",
        means='ids such as "subnet-0123456789abcdef0"',
        entries=(1, 16),
    )
    security_groups: Optional[tuple[str, ...]] = option(
        "the tasks' security groups; null: the service's",
        None,
        pattern=r"sg-[0-9a-z]+",
        means='ids such as "sg-0123456789abcdef0"',
        entries=(1, 5),
    )
    assign_public_ip: Optional[bool] = option("whether the tasks get public addresses; null: as the service's", None)
    launch: Optional[str] = option(
        'launch type (`"FARGATE"`, `"EC2"` or `"EXTERNAL"`) or a capacity provider\'s name, such as `"FARGATE_SPOT"`; '
        "null: as the service's tasks",
        None,
        pattern=CONTAINER,
        means='"FARGATE", "EC2", "EXTERNAL" or a capacity provider\'s name',
    )
    log_lines: int = whole("last lines of the container's log in the message", 20, least=0, most=1000)
    pass_role_arns: Optional[tuple[str, ...]] = option(
        "roles of the task definition (task role, execution role) that the function's own role may pass; null: any of "
        "the account, or those of the module's `task_definition_family`",
        None,
        pattern=r"arn:[a-z-]+:iam::[0-9]{12}:role/.+",
        means='roles\' ARNs such as "arn:aws:iam::111122223333:role/web-task"',
        entries=(1, 100),
    )

    def problems(self) -> list[str]:
        """A launch by a name that ECS keeps for itself, those that begin with aws, ecs or fargate: a typing mistake."""
        if re.match(r"(?i)aws|ecs|fargate", self.launch or "") and self.launch not in ("FARGATE", "FARGATE_SPOT"):
            return [f'launch is "{self.launch}", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own']
        return []


@dataclass(frozen=True)
class SmokeTest(OneOffTask):
    """A test of your own as a one-off ECS task, told by its environment where green answers ([how](smoke-tests.md))."""

    command: Optional[tuple[str, ...]] = words(
        'the test, as words: `["pytest", "tests/smoke"]`; null: what the task definition named here runs by itself',
        None,
    )
    task_definition: Optional[str] = option(
        "task definition that holds the test, as family, `family:revision` or ARN; null: the one that is deployed",
        None,
        pattern=r"(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?",
        means='a family, a family with its revision ("web-smoke:7"), or an ARN',
    )
    timeout: float = seconds("seconds after which it is stopped, and has failed", 300.0, least=1, most=840)

    def problems(self) -> list[str]:
        """Nothing to run, and variables that the hook sets itself."""
        found = super().problems()
        if self.command is None and self.task_definition is None:
            found.append("command or task_definition is needed: the application itself would run, until it is stopped")
        taken = ", ".join(sorted(name for name in self.environment if name.startswith(TOLD)))
        if taken:
            found.append(f"environment has {taken}, and names that begin with {TOLD} are told by the hook: rename them")
        return found

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """A test that one invocation, in which it has to end, has no time for."""
        room = budget.here - min(AFTER_A_COMMAND, KEPT * budget.here)
        if self.timeout <= room:
            return []
        there = f"an invocation has {room:g} s for it"
        return [f"smoke_test.timeout is {self.timeout:g}, and {there}: shorten it, or raise the module's {TIMEOUT}"]
