"""Options of the migrations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Optional

from gate.options import IN_AN_HOUR, KEPT, TIMEOUT, HookOptions, option, seconds, seconds_in_all, words
from gate.options.one_off import AFTER_A_COMMAND, OneOffTask
from gate.waiting import TimeBudget

limit_of_postgresql = partial(seconds, default=None, least=0.001, most=3000)


@dataclass(frozen=True)
class RunMigrations(OneOffTask, HookOptions):
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
    interval: float = seconds("seconds between two looks at the task", 2.0, least=0.001, most=60)
    on_rollback_deployment: str = option(
        "what to do when the deployment is itself a rollback", "skip", choices=("skip", "run")
    )

    def problems(self) -> list[str]:
        """Commands that nothing comes before, and times that do not fit, beside what every one-off task may have."""
        found = super().problems()
        follows = ("verify_schema_command", "verify_data_command", "rollback_command")
        alone = ", ".join(name for name in follows if getattr(self, name))
        if self.command is None and self.preset is None and alone:
            found.append(f"{alone} without command and preset: nothing would run. Set command too, or preset")
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
