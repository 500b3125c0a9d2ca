"""What the tests of smoke tests share: commands, their tasks, and the variables that these are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from rehearsal.aws.world import TaskSpec
from rehearsal.testing.stage import Judgement, Stage

TEST = ("pytest", "tests/smoke")
FOREVER = 10**9  # looks
SPOT: dict[str, Any] = {"stop_code": "SpotInterruption", "stopped_reason": "Your Spot Task was interrupted."}


def smoke(**more: Any) -> dict[str, Any]:
    """A hook's options with a smoke test, and nothing else that takes time."""
    return {"samples": 0, "smoke_test": {"command": list(TEST), **more}}


def one_off(stage: Stage) -> list[TaskSpec]:
    """The one-off tasks that were started."""
    return [spec for spec in stage.world.started if not (spec.started_by or "").startswith("ecs-svc/")]


def told(stage: Stage) -> dict[str, str]:
    """The variables that the one task was told."""
    (spec,) = one_off(stage)
    (container,) = spec.containers
    return {name: value for name, value in container.environment.items() if name.startswith("SMOKE_TEST_")}


def deliver(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, event: Mapping[str, Any], settings: Mapping[str, Any]
) -> Judgement:
    """Deliver an event that CodeDeploy may already have a report of."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
    return Judgement(hook.handler(event, None))


def register(stage: Stage, *containers: Mapping[str, Any], **definition: Any) -> str:
    """Register a task definition that holds tests; return its ARN."""
    answer = stage.ecs.register_task_definition(
        **{
            "family": "shop-smoke",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": stage.execution_role,
            "containerDefinitions": [*containers] or [{"name": "k6", "image": "grafana/k6:1", "essential": True}],
            **definition,
        }
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])
