"""The fixtures of the handlers' tests, and an environment by plan."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from rehearsal.testing.stage import Judge
from rehearsal.testing.web import Site
from tests.matrix.by_ecs import NativePlay
from tests.matrix.environment import Environment, Plan, Play, front
from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers import conftest as handlers
from tests.unit.handlers.conftest import clock, judge, now, site, stage

__all__ = ["clock", "judge", "now", "site", "stage"]


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> Plan:
    """What the environment is like: the test's parameter, made anew for it."""
    made: Plan = request.param()
    return made


@pytest.fixture
def as_planned(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `stage` build the environment that is planned."""
    monkeypatch.setattr(handlers, "make_stage", functools.partial(Environment, plan=plan))


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
def fronted(
    environment: Environment,
    site: Site,
    now: Callable[[], datetime],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Environment]:
    """The environment, with its load balancer in front of it."""
    environment.now = now
    secure = Site(certificate)
    front(environment, site, secure, monkeypatch)
    yield environment
    secure.stop()


@pytest.fixture
def play(fronted: Environment, judge: Judge) -> Play:
    """One deployment of the environment by CodeDeploy, begun."""
    return Play(fronted, judge)


@pytest.fixture
def native_play(fronted: Environment, judge: Judge) -> NativePlay:
    """One by ECS itself."""
    return NativePlay(fronted, judge)
