"""All scenarios of ECS's own blue/green, by the test of those that every run of the tests plays."""

from __future__ import annotations

from rehearsal.native_scenarios import SCENARIOS
from tests.rehearsal.conftest import native_rehearsal
from tests.rehearsal.test_native_scenarios import pytest_generate_tests, test_scenario

__all__ = ["native_rehearsal", "pytest_generate_tests", "test_scenario"]

NAMES = [scenario.name for scenario in SCENARIOS]
