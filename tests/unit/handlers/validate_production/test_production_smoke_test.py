"""AfterAllowTraffic: the team's own test through the production listener, before load and bake.

What both hooks do alike is validate_test_traffic's chapter.
"""

from __future__ import annotations

from typing import Any

import pytest
import validate_production as hook
import validate_test_traffic

from rehearsal.aws.world import Exit
from rehearsal.testing.native import Native
from rehearsal.testing.stage import Judge, Stage
from tests.unit.handlers.smoke import FOREVER, TEST, deliver, one_off, smoke, told
from tests.unit.handlers.validate_production.helpers import AT_ONCE, EVENT, SLOWLY, Function, about

pytestmark = pytest.mark.usefixtures("site", "now", "counted")

QUICK = {**AT_ONCE, **smoke()}


@pytest.mark.smoke
def test_it_is_told_where_production_answers(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **QUICK)
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message
    assert judgement.check("smoke_test") == ("passed", "smoke_test (pytest tests/smoke): exit 0")
    assert told(stage)["SMOKE_TEST_BASE_URL"] == f"http://{stage.dns_name}:80"
    (request,) = stage.called("ecs:RunTask")
    assert {"key": "codedeploy-hook", "value": "validate_production"} in request["tags"]


def test_by_default_there_is_none(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE)
    assert judgement.succeeded
    assert "smoke_test" not in judgement.outcomes()
    assert one_off(stage) == []


def test_what_fails_it_is_spared_load_and_bake(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(1, lines=("no basket",))
    judgement = judge(hook, stage.at(EVENT), **QUICK, load={"rate": 10, "duration": 2})
    assert not judgement.succeeded
    assert judgement.message.startswith("smoke_test (pytest tests/smoke): exit 1 (")
    assert judgement.message.endswith("; last log lines: no basket")
    assert {"load", "bake"}.isdisjoint(judgement.outcomes())


def test_both_hooks_of_a_deployment_have_a_task_of_their_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at("AfterAllowTestTraffic")
    deliver(validate_test_traffic, monkeypatch, event, smoke())
    stage.deployment.finish("AfterAllowTestTraffic", "Succeeded")
    for name in ("BeforeAllowTraffic", "AllowTraffic"):
        stage.deployment.begin(name)
        stage._do(name)
        stage.deployment.finish(name, "Succeeded")
    later = {**event, "LifecycleEventHookExecutionId": stage.deployment.begin(EVENT)}
    deliver(hook, monkeypatch, later, QUICK)
    assert len(one_off(stage)) == 2


def test_an_event_that_comes_twice_joins_the_same_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at(EVENT)
    stage.world.exits[TEST] = Exit(1)
    both = [deliver(hook, monkeypatch, event, QUICK) for _ in range(2)]
    assert [judgement.succeeded for judgement in both] == [False, False]
    assert len(one_off(stage)) == 1


def test_a_bake_that_goes_on_elsewhere_does_not_test_again(stage: Stage, function: Function) -> None:
    event = stage.at(EVENT)
    judgements = function.play(event, **{**SLOWLY, **smoke(), "duration": 1000})
    assert len(judgements) == 2
    assert judgements[-1].succeeded, judgements[-1].message
    assert "smoke_test" in judgements[0].outcomes()
    assert len(stage.called("ecs:RunTask")) == 1


def test_one_that_takes_too_long_is_stopped_and_the_bake_does_not_begin(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(0, runs_for=FOREVER)
    judgement = judge(hook, stage.at(EVENT), **{**AT_ONCE, **smoke(timeout=60)})
    assert "(still so after 60 s); it was stopped: raise smoke_test.timeout" in judgement.message
    assert len(stage.world.stopped) == 1
    assert "bake" not in judgement.outcomes()


def test_a_window_that_does_not_fit_beside_it(stage: Stage, judge: Judge) -> None:
    options: dict[str, Any] = {**AT_ONCE, **smoke(timeout=800), "duration": 2200, "max_duration": 3000}
    judgement = judge(hook, stage.at(EVENT), **options)
    assert judgement.message.startswith("initial_delay, duration, load and smoke_test take 3000 s, and ")
    assert one_off(stage) == []


def test_the_time_of_the_bake_is_counted_from_its_end(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(0, lasts=100)
    began = stage.clock.now
    judge(hook, stage.at(EVENT), **{**QUICK, "duration": 60, "interval": 10})
    assert stage.clock.now - began == about(160)


# ECS itself


def test_where_ecs_deploys_by_itself(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    event = native.at("POST_PRODUCTION_TRAFFIC_SHIFT")
    stage.world.exits[TEST] = Exit(1)
    for _ in range(2):
        judgement = judge(hook, event, **QUICK)
        assert judgement["hookStatus"] == "FAILED", judgement.message
    assert len(one_off(stage)) == 1


def test_at_a_step_at_which_blue_might_answer_it_does_not_run(stage: Stage, judge: Judge) -> None:
    native = Native(stage, strategy="CANARY")
    native.at("PRE_PRODUCTION_TRAFFIC_SHIFT")
    native.deployment.shift("production", 10)
    judgement = judge(hook, native.deployment.event(), **QUICK)
    assert judgement.succeeded, judgement.message
    said = "production is on both sides at this step, and blue might answer: smoke_test runs at the end"
    assert judgement.check("smoke_test") == ("skipped", said)
    assert one_off(stage) == []
