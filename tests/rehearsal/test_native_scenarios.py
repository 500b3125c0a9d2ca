"""Scenarios of ECS's own blue/green end as they should: a part of them; all are in tests/proof."""

from __future__ import annotations

import pytest

from rehearsal.native_scenarios import SCENARIOS
from tests.rehearsal.rehearsal_runs import Run

NAMES = ["healthy"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play what the module names (`NAMES`)."""
    if "native_scenario" in metafunc.fixturenames:
        metafunc.parametrize("native_scenario", metafunc.module.NAMES)


def test_scenario(native_rehearsal: Run, native_scenario: str) -> None:
    """The deployment ends where, how and for the reason that the scenario says."""
    native_rehearsal.wait()
    record = native_rehearsal.record(native_scenario)
    missed = [e for e in record["expectations"] if not e["met"]]
    assert not missed, native_rehearsal.output
    assert record["as_expected"]


def test_no_hook_warns_of_a_healthy_deployment(native_rehearsal: Run) -> None:
    native_rehearsal.wait()
    record = native_rehearsal.record("healthy")
    told = {event["name"]: event["hook"]["message"] for event in record["events"] if event["hook"]}
    assert len(told) == 5
    assert [message for message in told.values() if "warned" in message] == []


def test_there_are_enough_of_them() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) >= 12
    assert set(NAMES) < {scenario.name for scenario in SCENARIOS}
