"""The fixtures of the handlers' tests, an environment by plan, and the two figures at the end of a run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.matrix.environment import Environment, Plan, Play, front
from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers import conftest as handlers
from tests.unit.handlers.conftest import clock, judge, now, site, stage
from tests.unit.handlers.stage import Judge
from tests.unit.handlers.web import Site

__all__ = ["clock", "judge", "now", "site", "stage"]

TESTS = {"::test_a_healthy_deployment_": "healthy set-ups passed", "::test_one_thing_broken_": "broken stopped"}


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    """What the environment is like: the test's parameter, made anew for it."""
    made: Plan = request.param()
    return made


@pytest.fixture
def as_planned(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `stage` build the environment that is planned."""
    monkeypatch.setattr(handlers, "Stage", functools.partial(Environment, plan=plan))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for some other name, as the load balancer's own never is in one."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "shop.example.com").server


@pytest.fixture
def environment(request: pytest.FixtureRequest, as_planned: None) -> Environment:  # noqa: ARG001 - first of all
    """What the plan describes, built."""
    built = request.getfixturevalue("stage")
    assert isinstance(built, Environment)
    return built


@pytest.fixture
def play(  # noqa: PLR0917 - fixtures
    environment: Environment,
    site: Site,
    now: Callable[[], datetime],
    judge: Judge,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Play]:
    """One deployment of the environment, begun."""
    environment.now = now
    secure = Site(certificate)
    front(environment, site, secure, monkeypatch)
    yield Play(environment, judge)
    secure.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many healthy set-ups passed, and how many broken ones were stopped."""
    for test, words in TESTS.items():
        ran = {
            outcome: len({each.nodeid for each in reports if test in getattr(each, "nodeid", "")})
            for outcome, reports in terminalreporter.stats.items()
            if outcome in ("passed", "failed", "error")
        }
        if any(ran.values()):
            terminalreporter.write_line(f"{words} {ran.get('passed', 0)} of {sum(ran.values())}")
