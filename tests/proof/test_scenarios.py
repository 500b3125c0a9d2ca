"""All scenarios, by the tests of those that every run of the tests plays."""

from __future__ import annotations

from rehearsal.scenarios import SCENARIOS
from tests.rehearsal.conftest import rehearsal
from tests.rehearsal.test_scenarios import (
    pytest_generate_tests,
    test_each_hook_looked_and_reported,
    test_report,
    test_scenario,
    test_traffic_is_back_on_blue,
)

__all__ = [
    "pytest_generate_tests",
    "rehearsal",
    "test_each_hook_looked_and_reported",
    "test_report",
    "test_scenario",
    "test_traffic_is_back_on_blue",
]

NAMES = [scenario.name for scenario in SCENARIOS]
