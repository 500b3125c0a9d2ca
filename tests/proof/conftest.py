"""What the suites of proof share: the stage of the handlers' tests, CodeDeploy's double, and the figures at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proof.figures import FIGURES
from tests.proof.runs import Plays, wanted
from tests.unit.gate.conftest import clock as gate_clock  # noqa: F401  (a fixture)
from tests.unit.gate.conftest import codedeploy, codedeploy_server  # noqa: F401  (fixtures)
from tests.unit.handlers.conftest import clock, judge, now, site, stage, wall  # noqa: F401  (fixtures)


@pytest.fixture(scope="session")
def plays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plays]:
    """Every rehearsal that a selected test looks at, on one applied environment."""
    plays = Plays(wanted(request.session), tmp_path_factory.mktemp("plays"))
    yield plays
    plays.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the suites have counted."""
    if FIGURES:
        terminalreporter.section("figures")
        for name, count in FIGURES.items():
            terminalreporter.write_line(f"{count:>8}  {name}")
