"""ECS's own blue/green: what goes well and takes longer than an invocation goes on by IN_PROGRESS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import run_migrations
import validate_production

from rehearsal.aws.world import Exit
from rehearsal.testing.native import Native
from rehearsal.testing.stage import CLUSTER, Judgement, Stage

pytestmark = pytest.mark.usefixtures("counted")
SECONDS = 300  # of an invocation
STEP, DONE = "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"


class Lambda:
    """A hook as ECS invokes it: again, with what it answered, as long as that is IN_PROGRESS."""

    def __init__(self, native: Native, hook: ModuleType, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
        self.native, self.hook = native, hook
        self.function = native.stage.hooks["AfterAllowTraffic"]

    def invoke(self, event: Mapping[str, Any]) -> Judgement:
        """Invoke it once."""
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: SECONDS * 1000,
            invoked_function_arn=self.function,
            aws_request_id="request",
        )
        return Judgement(json.loads(json.dumps(self.hook.handler(event, context))))

    def play(self, event: Mapping[str, Any]) -> list[Judgement]:
        """Invoke it until it has decided."""
        judgements = [self.invoke(event)]
        while judgements[-1]["hookStatus"] == "IN_PROGRESS":
            assert judgements[-1]["status"] == "CONTINUED"
            self.native.stage.clock.sleep(judgements[-1]["callBackDelay"])
            judgements.append(self.invoke({**event, "hookDetails": judgements[-1]["hookDetails"]}))
        return judgements


def test_a_bake_of_an_hour_and_a_half(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    native = Native(stage)
    bake = {"initial_delay": 0, "duration": 5400, "interval": 60, "metrics_delay": 0, "max_duration": 7200}
    event = native.at(DONE, {"team": "orders"})
    judgements = Lambda(native, validate_production, monkeypatch, **bake).play(event)
    assert judgements[-1]["hookStatus"] == "SUCCEEDED", judgements[-1].message
    assert len(judgements) >= 5400 // SECONDS
    assert all(each["hookDetails"]["team"] == "orders" for each in judgements[:-1])
    assert stage.called("lambda:Invoke") == []


def test_an_alarm_that_fires_in_a_later_invocation(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    native = Native(stage)
    stage.clock.after(900, lambda: stage.set_alarm("shop-5xx", "ALARM", "too many errors"))
    bake = {"initial_delay": 0, "duration": 2400, "interval": 15, "metrics_delay": 0, "max_duration": 3300}
    judgements = Lambda(native, validate_production, monkeypatch, **bake).play(native.at(DONE))
    assert judgements[-1]["hookStatus"] == "FAILED"
    assert judgements[-1].message.startswith("alarm shop-5xx is ALARM")
    assert len(judgements) == 4


def test_a_migration_that_outlives_the_invocation_is_joined(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    native = Native(stage)
    stage.world.exits[("migrate",)] = Exit(0, lasts=1000)
    judgements = Lambda(native, run_migrations, monkeypatch, command=["migrate"]).play(native.at(STEP))
    assert judgements[-1]["hookStatus"] == "SUCCEEDED", judgements[-1].message
    tasks = stage.ecs.list_tasks(cluster=CLUSTER, startedBy=native.deployment.id, desiredStatus="STOPPED")["taskArns"]
    assert len(tasks) == 1
    assert len(judgements) > 3


def test_a_rollback_meanwhile_ends_the_bake(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    native = Native(stage)
    stage.clock.after(900, lambda: native.deployment.begin_rollback("another hook failed"))
    bake = {"initial_delay": 0, "duration": 2400, "interval": 15, "metrics_delay": 0, "max_duration": 3300}
    judgements = Lambda(native, validate_production, monkeypatch, **bake).play(native.at(DONE))
    assert judgements[-1]["hookStatus"] == "SUCCEEDED"
    assert judgements[-1].message.endswith("is being rolled back: nothing stands in its way")


def test_the_hooks_own_limit_ends_it_before_ecs_does(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is said at once, not found out at the end."""
    import datetime as dt

    native = Native(stage)
    event = native.at(DONE)
    soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=10)
    arn = stage.hooks["AfterAllowTraffic"]
    ours = {"hookId": "1", "targetType": "AWS_LAMBDA", "targetArn": arn}
    before = {**ours, "status": "SUCCEEDED", "expiresAt": soon - dt.timedelta(hours=1)}  # of a step that is over
    native.deployment.hooks = [before, {**ours, "status": "IN_PROGRESS", "expiresAt": soon}]
    bake = {"initial_delay": 0, "duration": 2400, "interval": 15, "metrics_delay": 0, "max_duration": 3300}
    judgements = Lambda(native, validate_production, monkeypatch, **bake).play(event)
    assert judgements[-1]["hookStatus"] == "FAILED"
    assert "the bake takes 2400 s, and only " in judgements[-1].message
