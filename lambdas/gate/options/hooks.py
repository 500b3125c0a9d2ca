"""The options of each hook."""

from __future__ import annotations

from gate.options import HookOptions
from gate.options.deployment import ValidateBeforeInstall, ValidateDeployment
from gate.options.migrations import RunMigrations
from gate.options.production import ValidateProduction
from gate.options.requests import ValidateTestTraffic

HOOKS: dict[str, type[HookOptions]] = {
    "validate_before_install": ValidateBeforeInstall,
    "validate_deployment": ValidateDeployment,
    "validate_test_traffic": ValidateTestTraffic,
    "run_migrations": RunMigrations,
    "validate_production": ValidateProduction,
}
