"""The rehearsals that the tests look at: played once for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from rehearsal import lifecycle, native
from rehearsal.aws import world
from rehearsal.aws.install import install
from tests.recording import NAME
from tests.rehearsal.rehearsal_runs import Run


def wanted_scenarios(session: pytest.Session) -> list[str]:
    """Return the scenarios that the tests selected for this session look at, each once."""
    named = [
        str(item.callspec.params["scenario"])
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "scenario" in item.callspec.params
    ]
    return list(dict.fromkeys(named)) or ["healthy"]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty stand-in for AWS, on which the players of both kinds of deployment lose no time."""
    for player in (lifecycle, native):
        monkeypatch.setattr(player, "MINUTE", 0.0)
        monkeypatch.setattr(player, "ALARM_INTERVAL", 0.02)
    monkeypatch.setattr(native, "CALL_BACK", 0.0)
    install()
    world.use(world.ScriptedWorld())
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def rehearsal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """All scenarios that are asked for, on one applied environment, with a second plan."""
    run = Run(*wanted_scenarios(request.session), report=tmp_path_factory.mktemp("main"), plan=True)
    yield run
    run.end()
    recording: Any = request.config.pluginmanager.get_plugin(NAME)
    for record in run.report.glob("*.json"):
        recording.rehearsal(json.loads(record.read_text(encoding="utf-8"))["calls"])


@pytest.fixture(scope="module")
def native_rehearsal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The scenarios of ECS's own blue/green that the module names (`NAMES`)."""
    run = Run(*request.module.NAMES, report=tmp_path_factory.mktemp("native"), platform="ecs")
    yield run
    run.end()
    recording: Any = request.config.pluginmanager.get_plugin(NAME)
    for record in run.report.glob("*.json"):
        recording.rehearsal(json.loads(record.read_text(encoding="utf-8"))["calls"])
