"""All scenarios of ECS's own blue/green, beside those that every run of the tests plays."""

from __future__ import annotations

import pytest

from rehearsal.native_scenarios import SCENARIOS
from tests.rehearsal.conftest import native_rehearsal
from tests.rehearsal.rehearsal_runs import Run

__all__ = ["native_rehearsal"]

NAMES = [scenario.name for scenario in SCENARIOS]


@pytest.mark.parametrize("native_scenario", NAMES)
def test_scenario(native_rehearsal: Run, native_scenario: str) -> None:
    native_rehearsal.wait()
    record = native_rehearsal.record(native_scenario)
    missed = [e for e in record["expectations"] if not e["met"]]
    assert not missed, native_rehearsal.output
    assert record["as_expected"]
