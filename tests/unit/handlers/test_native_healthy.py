"""ECS's own blue/green: the five hooks on a healthy deployment, the first one, and on the way back."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from rehearsal.testing.native import STAGE_OF, Native
from rehearsal.testing.stage import Judge, Stage

pytestmark = pytest.mark.usefixtures("site", "counted")

QUICK: dict[str, dict[str, Any]] = {
    "validate_production": {"initial_delay": 0, "duration": 60, "interval": 10, "metrics_delay": 0},
    "run_migrations": {},
}


def hook_of(name: str) -> ModuleType:
    """The handler's module."""
    return importlib.import_module(name)


@pytest.mark.parametrize("name", STAGE_OF)
def test_a_healthy_deployment_passes_without_a_warning(stage: Stage, judge: Judge, name: str) -> None:
    native = Native(stage)
    judgement = judge(hook_of(name), native.at(STAGE_OF[name]), **QUICK.get(name, {}))
    assert judgement["hookStatus"] == "SUCCEEDED", judgement.message
    assert "warned" not in judgement.message


@pytest.mark.parametrize("name", STAGE_OF)
def test_where_ecs_does_not_say_which_target_group_a_revision_has(stage: Stage, judge: Judge, name: str) -> None:
    """When `resolvedConfiguration` appears nobody says: until then the production rule tells which is green's."""
    native = Native(stage)
    event = native.at(STAGE_OF[name])
    for revision in native.service.revisions:
        revision.is_active = False
    judgement = judge(hook_of(name), event, **QUICK.get(name, {}))
    assert judgement["hookStatus"] == "SUCCEEDED", judgement.message
    assert "warned" not in judgement.message


@pytest.mark.parametrize("name", STAGE_OF)
def test_the_creation_of_the_service_passes(stage: Stage, judge: Judge, name: str) -> None:
    native = Native(stage, first=True)
    judgement = judge(hook_of(name), native.at(STAGE_OF[name]), **QUICK.get(name, {}))
    assert judgement["hookStatus"] == "SUCCEEDED", judgement.message
    assert "warned" not in judgement.message


@pytest.mark.parametrize("name", STAGE_OF)
def test_nothing_stands_in_the_way_of_a_rollback(stage: Stage, judge: Judge, name: str) -> None:
    native = Native(stage)
    event = native.at(STAGE_OF[name])
    native.deployment.begin_rollback("a hook failed")
    judgement = judge(hook_of(name), event)
    assert judgement["hookStatus"] == "SUCCEEDED"
    assert judgement.message.endswith("is being rolled back: nothing stands in its way")
