"""Options of the migrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Optional

from gate.options import (
    IN_AN_HOUR,
    KEPT,
    NOT_EMPTY,
    TIMEOUT,
    HookOptions,
    option,
    seconds,
    seconds_in_all,
    whole,
    words,
)
from gate.waiting import TimeBudget

AFTER_A_COMMAND = 60.0  # seconds of a migration's time for stopping its task and for the report
CONTAINER = r"[A-Za-z0-9_-]{1,255}"
limit_of_postgresql = partial(seconds, default=None, least=0.001, most=3000)


@dataclass(frozen=True)
class RunMigrations(HookOptions):
    """Options of the BeforeAllowTraffic hook: one-off ECS tasks of the new task definition.

    Without `command` and `preset` nothing runs, and the hook says so.
    """

    preset: Optional[str] = option(
        "sets `command`, `verify_schema_command` and `rollback_command` where they are null; it looks first at which "
        "revision the database is, to go back there",
        None,
        choices=("alembic", "django"),
        cure="For another tool set command and those that follow it.",
    )
    command: Optional[tuple[str, ...]] = words(
        'the migration, as words: `["alembic", "upgrade", "head"]`; null: that of `preset`, or no migrations', None
    )
    verify_schema_command: Optional[tuple[str, ...]] = words("command that must exit 0 after the migration", None)
    verify_data_command: Optional[tuple[str, ...]] = words("command that must exit 0 after that", None)
    rollback_command: Optional[tuple[str, ...]] = words(
        "command for a failure after a change, run with the new image; null: that of `preset`, or none", None
    )
    container: Optional[str] = option(
        "container to run them in; null: the only one of the task definition, or else the AppSpec's",
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
    lock_timeout: Optional[float] = limit_of_postgresql(
        "seconds after which PostgreSQL gives up waiting for a lock, told to libpq (psycopg, not asyncpg) by "
        "`PGOPTIONS`; null: not set"
    )
    statement_timeout: Optional[float] = limit_of_postgresql(
        "seconds after which PostgreSQL gives up a statement, told in the same way; null: not set"
    )
    timeout: Optional[float] = seconds(
        "seconds that one command may take; null: what `max_duration` leaves", None, least=0.001, most=IN_AN_HOUR
    )
    # ECS forgets tasks an hour after they have stopped, and with them which steps are done.
    max_duration: float = seconds_in_all(most=IN_AN_HOUR)
    concurrent: str = option(
        "what a migration of another deployment that still runs means: wait for its end, or fail",
        "wait",
        choices=("wait", "fail"),
    )
    retry_interrupted: bool = option(
        "whether a command that a spot interruption ended in the middle is started once more; one that had not started "
        "always is",
        False,
    )
    log_lines: int = whole("last lines of the container's log in the message", 20, least=0, most=1000)
    interval: float = seconds("seconds between two looks at the task", 2.0, least=0.001, most=60)
    on_rollback_deployment: str = option(
        "what to do when the deployment is itself a rollback", "skip", choices=("skip", "run")
    )
    pass_role_arns: Optional[tuple[str, ...]] = option(
        "roles of the task definition (task role, execution role) that the function's own role may pass; null: any of "
        "the account",
        None,
        pattern=r"arn:[a-z-]+:iam::[0-9]{12}:role/.+",
        means='roles\' ARNs such as "arn:aws:iam::111122223333:role/web-task"',
        entries=(1, 100),
    )

    def problems(self) -> list[str]:
        """Commands that nothing comes before, times that do not fit, names that ECS keeps for itself."""
        found = []
        follows = ("verify_schema_command", "verify_data_command", "rollback_command")
        alone = ", ".join(name for name in follows if getattr(self, name))
        if self.command is None and self.preset is None and alone:
            found.append(f"{alone} without command and preset: nothing would run. Set command too, or preset")
        # ECS keeps names that begin with aws, ecs or fargate for itself: another one is a typing mistake.
        if re.match(r"(?i)aws|ecs|fargate", self.launch or "") and self.launch not in ("FARGATE", "FARGATE_SPOT"):
            found.append(
                f'launch is "{self.launch}", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own'
            )
        room = self.max_duration - AFTER_A_COMMAND
        if self.timeout is not None and self.timeout > room:
            found.append(
                f"timeout is {self.timeout:g}, above {room:g} (max_duration less {AFTER_A_COMMAND:g} for stopping the "
                "task and the report): shorten it, or raise max_duration"
            )
        return found

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """A command that may take longer than all invocations together."""
        room = budget.in_all - min(AFTER_A_COMMAND, KEPT * budget.in_all)
        if self.timeout is None or self.timeout <= room or budget.in_all == self.max_duration:
            return []
        there = f"the function's invocations have {room:g} s for a command"
        return [f"timeout is {self.timeout:g}, and {there}: shorten it, or raise the module's {TIMEOUT}"]
