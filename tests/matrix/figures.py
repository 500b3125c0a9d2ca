"""The two figures at the end of a run: how many healthy set-ups passed, and how many broken ones were stopped."""

from __future__ import annotations

import pytest

TESTS = {"::test_a_healthy_deployment_": "healthy set-ups passed", "::test_one_thing_broken_": "broken stopped"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print them; of the tests of the matrix that ran."""
    for test, words in TESTS.items():
        ran = {
            outcome: len({each.nodeid for each in reports if test in getattr(each, "nodeid", "")})
            for outcome, reports in terminalreporter.stats.items()
            if outcome in ("passed", "failed", "error")
        }
        if any(ran.values()):
            terminalreporter.write_line(f"{words} {ran.get('passed', 0)} of {sum(ran.values())}")
