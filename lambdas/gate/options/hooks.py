"""The options of each hook; here those of the hooks that look at the deployment: BeforeInstall and AfterInstall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from gate.options import TIMEOUT, HookOptions, seconds, whole
from gate.options.migrations import RunMigrations
from gate.options.production import ValidateProduction
from gate.options.requests import ValidateTestTraffic
from gate.waiting import TimeBudget


@dataclass(frozen=True)
class ValidateBeforeInstall(HookOptions):
    """Options of the BeforeInstall hook."""


@dataclass(frozen=True)
class ValidateDeployment(HookOptions):
    """Options of the AfterInstall hook."""

    expected_count: Optional[int] = whole(
        "tasks that must run at least; null: the task set's own desired count", None, most=100_000
    )
    interval: float = seconds("seconds between two looks", 3.0, least=0.001, most=60)
    consecutive_successes: int = whole("good looks in a row that are needed", 3)

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """More looks than an invocation has time for."""
        least = (self.consecutive_successes - 1) * self.interval
        if least < budget.here:
            return []
        there = f"an invocation has {budget.here:g} s: lower one, or raise {TIMEOUT}"
        return [f"consecutive_successes and interval take {least:g} s at least, and {there}"]


HOOKS: dict[str, type[HookOptions]] = {
    "validate_before_install": ValidateBeforeInstall,
    "validate_deployment": ValidateDeployment,
    "validate_test_traffic": ValidateTestTraffic,
    "run_migrations": RunMigrations,
    "validate_production": ValidateProduction,
}
