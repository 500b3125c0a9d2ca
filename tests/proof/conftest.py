"""What the suites of proof share: the stage of the handlers' tests, what several start from, the figures at the end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proof.fault_pool import Pool, Recording
from tests.proof.fault_profiles import PROFILES
from tests.proof.figures import FIGURES, LINES
from tests.proof.runs import Plays, wanted
from tests.recording import NAME
from tests.unit.gate.conftest import clock as gate_clock  # noqa: F401  (a fixture)
from tests.unit.gate.conftest import codedeploy, codedeploy_server  # noqa: F401  (fixtures)
from tests.unit.handlers.conftest import clock, judge, now, site, stage, wall  # noqa: F401  (fixtures)
from tools import package


@pytest.fixture(scope="session")
def plays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plays]:
    """Every rehearsal that a selected test looks at, on one applied environment."""
    plays = Plays(wanted(request.session), tmp_path_factory.mktemp("plays"))
    yield plays
    plays.end()


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """Lines for the end of the session."""
    return LINES


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as the sources build them now."""
    folder = tmp_path_factory.mktemp("dist")
    package.build(package.ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def pool(packages: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """Lanes for all profiles. What their functions asked of IAM is judged with what all handlers asked."""
    logging.getLogger("rehearsal.aws").setLevel(logging.ERROR)  # of requests that are sent again
    made = Pool(PROFILES, packages, tmp_path_factory.mktemp("lanes"))
    yield made
    made.close()
    recording: Any = pytestconfig.pluginmanager.get_plugin(NAME)
    recording.noted.add(made.noted.plain())


@pytest.fixture(scope="module")
def recordings(pool: Pool) -> dict[str, Recording]:
    """Each profile without a fault."""
    return pool.record()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the suites have counted."""
    if FIGURES or LINES:
        terminalreporter.section("figures")
        for name, count in FIGURES.items():
            terminalreporter.write_line(f"{count:>8}  {name}")
        for line in LINES:
            terminalreporter.write_line(line)
