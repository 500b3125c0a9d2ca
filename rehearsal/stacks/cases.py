"""What is played on a stack: a healthy deployment, and five that fail by what the hooks are there for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One deployment of a service."""

    name: str
    title: str
    story: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    """What is wrong with the new release; see program.py."""
    migration_code: int = 0
    """With which code the migration's command ends."""
    alarm: bool = False
    """Whether an alarm of the stack goes off when customers are on the new release."""
    timeouts: Mapping[str, int] = field(default_factory=dict)
    """Seconds that a hook's function may take, by function, where it would use up what it has."""


HEALTHY = Case(
    "healthy",
    "A healthy release",
    "The new release answers as the checks of this stack expect. Whoever stops it would stop every release.",
)

FAILURES = (
    Case(
        "unhealthy",
        "Green answers 500 on its health path",
        "The tasks of the new release run, and their health path answers 500.",
        fault={"health_status": 500},
        # It might still become healthy, so these hooks wait as long as they can.
        timeouts={"validate_deployment": 30, "validate_test_traffic": 60, "validate_production": 60},
    ),
    Case(
        "failing-migration",
        "The migration ends with 1",
        "The command that migrates the database ends with exit code 1.",
        migration_code=1,
    ),
    Case(
        "alarm",
        "An alarm goes off after the shift",
        "Customers are on the new release when an alarm of the stack goes into ALARM.",
        alarm=True,
    ),
    Case(
        "slow",
        "Green answers too slowly",
        "The new release takes a second and a half for each answer; its health check is quick.",
        fault={"delay": 1.5},
    ),
    Case(
        "wrong-version",
        "Another version answers",
        "The new release runs, and says that it is another version than the one that was deployed.",
        fault={"version": "0.0.0-another"},
    ),
)
CASES = {case.name: case for case in (HEALTHY, *FAILURES)}

QUICKER: Mapping[str, Mapping[str, float]] = {
    "validate_deployment": {"interval": 0.5},
    "validate_test_traffic": {"interval": 0.5},
    "run_migrations": {"interval": 0.5},
    "validate_production": {"initial_delay": 1, "duration": 8, "interval": 1, "metrics_delay": 2},
}
"""The most that these options are when a deployment is played: what takes minutes in earnest takes seconds here."""

QUICKER_LOAD: Mapping[str, float] = {"duration": 3, "warm_up": 1, "rate": 20}
QUICKER_CHECK: Mapping[str, float] = {"initial_delay": 1, "interval": 0.5}
SAMPLES, SAMPLES_OF_P99 = 20, 100
"""The most samples: of fewer a hook computes no 95th percentile, or no 99th."""


NOISE_MS = 400.0
"""What a busy machine makes of two releases that are alike: less is not taken for a difference to blue."""


def quicker(hook: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes of a hook's settings so that a deployment takes seconds; the BeforeInstall hook sees none."""
    most = SAMPLES_OF_P99 if (settings.get("thresholds") or {}).get("p99_ms") else SAMPLES
    changes: dict[str, Any] = _smaller(settings, {**QUICKER.get(hook, {}), "samples": most})
    if settings.get("load"):
        changes["load"] = _smaller(settings["load"], QUICKER_LOAD)
    baseline = settings.get("baseline") or {}
    if baseline and float(baseline.get("noise_ms") or 0) < NOISE_MS:
        changes["baseline"] = {"noise_ms": NOISE_MS}
    of_check = {**QUICKER_CHECK, "samples": most}
    checks = {name: _smaller(check, of_check) for name, check in (settings.get("http_checks") or {}).items()}
    return {**changes, **({"http_checks": checks} if checks else {})}


def _smaller(settings: Mapping[str, Any], most: Mapping[str, float]) -> dict[str, Any]:
    given = {name: settings[name] for name in most if isinstance(settings.get(name), (int, float))}
    return {name: most[name] for name, value in given.items() if value > most[name]}
