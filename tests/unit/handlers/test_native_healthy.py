"""ECS's own blue/green: the five hooks on a healthy deployment, the first one, and on the way back."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from tests.unit.handlers.native import STAGE_OF, Native
from tests.unit.handlers.stage import ACCOUNT, Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import not_open

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


def test_a_hook_of_ones_own_that_may_not_be_looked_at_is_left_alone(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    native, name = Native(stage), f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:smoke-test"
    hooks = native.service.deployment_configuration["lifecycleHooks"]
    hooks.append({**hooks[1], "hookTargetArn": name})
    stage.allow("ecs-hooks", "lambda:InvokeFunction", "*")
    not_open(monkeypatch, name)
    judgement = judge(hook_of("validate_before_install"), native.at("PRE_SCALE_UP"))
    assert judgement["hookStatus"] == "SUCCEEDED", judgement.message
    assert judgement.check("lifecycle_hooks:POST_SCALE_UP") == ("passed", "validate_deployment at POST_SCALE_UP")


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
