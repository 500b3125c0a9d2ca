"""The five hooks and their events, by both callers: what is on the bus, and that no fault of it changes a report."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest
import validate_deployment
from gate import events
from gate.platforms.codedeploy import CodeDeploy

from rehearsal.aws.world import TargetState
from rehearsal.testing.native import STAGE_OF, Native
from rehearsal.testing.stage import ACCOUNT, HANDLERS, Judge, Judgement, Stage, refuse
from tests.json_schema import problems
from tests.unit.gate.test_events import SCHEMA
from tests.unit.handlers.smoke import deliver

pytestmark = pytest.mark.usefixtures("site", "now", "counted")

EVENT_OF = {hook: event for event, hook in HANDLERS.items()}
BUS = {"event_bus": "default"}
UNSENT = "the event of this verdict was not sent"
QUICK: dict[str, dict[str, Any]] = {"validate_production": {"duration": 60, "interval": 10, "metrics_delay": 0}}
each_hook = pytest.mark.parametrize("name", STAGE_OF)
each_caller = pytest.mark.parametrize("caller", ["codedeploy", "ecs"])


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SECONDS", 60.0)


def judged(stage: Stage, judge: Judge, name: str, caller: str, **settings: Any) -> Judgement:
    """What a hook says of a deployment at its moment."""
    event = Native(stage).at(STAGE_OF[name]) if caller == "ecs" else stage.at(EVENT_OF[name])
    return judge(importlib.import_module(name), event, **QUICK.get(name, {}), **settings)


def sent(stage: Stage) -> dict[str, Any]:
    """The detail of the one event that was sent, as the schema has it."""
    (call,) = stage.called("events:PutEvents")
    (entry,) = call["Entries"]
    detail: dict[str, Any] = json.loads(entry["Detail"])
    assert list(problems(detail, SCHEMA)) == []
    return detail


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of an event that was not sent."""
    return [each.getMessage() for each in caplog.records if UNSENT in each.getMessage()]


@each_caller
@each_hook
def test_each_hook_tells_its_verdict(stage: Stage, judge: Judge, name: str, caller: str) -> None:
    judgement = judged(stage, judge, name, caller, **BUS)
    detail = sent(stage)
    assert (detail["hook"], detail["platform"], detail["lifecycle_event"]) == (name, caller, EVENT_OF[name])
    assert (detail["cluster"], detail["service"]) == ("main", "shop")
    assert (detail["status"], detail["message"]) == (judgement["status"], judgement.message)
    assert detail["deployment_id"] == judgement["deployment_id"]
    assert detail["stage"] == (STAGE_OF[name] if caller == "ecs" else "")
    names = ("", "") if caller == "ecs" else ("shop", "shop")
    assert (detail["application"], detail["deployment_group"]) == names
    if caller == "codedeploy":
        assert [call.name for call in stage.calls][-2:] == [
            "codedeploy:PutLifecycleEventHookExecutionStatus", "events:PutEvents",
        ]  # fmt: skip


def test_a_verdict_that_came_too_late_is_not_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """CodeDeploy has the report of another invocation, which may have been another one."""
    event = stage.at("AfterInstall")
    assert deliver(validate_deployment, monkeypatch, event, BUS).succeeded
    assert sent(stage)["status"] == "SUCCEEDED"
    stage.calls.clear()
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    assert not deliver(validate_deployment, monkeypatch, event, {**BUS, "interval": 60}).succeeded
    assert stage.called("events:PutEvents") == []


def test_a_report_whose_answer_was_lost_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next attempt finds CodeDeploy with this verdict."""
    taken, lost = CodeDeploy._report, [True]

    def report(platform: CodeDeploy, status: str, seconds: float) -> None:
        taken(platform, status, seconds)
        if lost and lost.pop():
            raise OSError("connection reset")

    monkeypatch.setattr(CodeDeploy, "_report", report)
    assert deliver(validate_deployment, monkeypatch, stage.at("AfterInstall"), BUS).succeeded
    assert [each.error for each in stage.deployment.reports] == [None, "LifecycleEventAlreadyCompletedException"]
    assert sent(stage)["status"] == "SUCCEEDED"


@each_caller
def test_a_bus_by_its_arn(stage: Stage, judge: Judge, caller: str) -> None:
    arn = f"arn:aws:events:{stage.region}:{ACCOUNT}:event-bus/default"
    assert judged(stage, judge, "run_migrations", caller, event_bus=arn).succeeded
    assert stage.called("events:PutEvents")[0]["Entries"][0]["EventBusName"] == arn


@each_caller
@each_hook
def test_a_refused_event_changes_no_report(
    stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture, name: str, caller: str
) -> None:
    stage.instead["events:PutEvents"] = refuse("AccessDeniedException", "not authorized")
    judgement = judged(stage, judge, name, caller, **BUS)
    assert judgement.succeeded
    assert len(stage.called("events:PutEvents")) == 1
    reason = "allow it in this hook's role (AccessDeniedException: not authorized)"
    assert told(caplog) == [f"{UNSENT}: events:PutEvents was denied: {reason}"]


@each_caller
def test_an_answer_that_never_comes_changes_no_report(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, caller: str
) -> None:
    """To ECS the answer is the report: it is not held up, and the log says so."""
    never = Event()

    def silent(_parameters: Mapping[str, Any]) -> Any:
        never.wait(60)
        return {"FailedEntryCount": 0, "Entries": []}

    monkeypatch.setattr(events, "SECONDS", 0.2)
    stage.instead["events:PutEvents"] = silent
    try:
        assert judged(stage, judge, "run_migrations", caller, **BUS).succeeded
    finally:
        never.set()
    assert told(caplog) == [f"{UNSENT}: events:PutEvents had not answered after 0.2 s"]


@each_caller
def test_a_failure_is_told_with_its_reason(stage: Stage, judge: Judge, caller: str) -> None:
    stage.world.target_health.clear()
    stage.instead["elbv2:DescribeTargetHealth"] = refuse("AccessDenied", "not allowed", 403)
    judgement = judged(stage, judge, "validate_deployment", caller, **BUS)
    detail = sent(stage)
    assert (detail["status"], detail["message"]) == ("FAILED", judgement.message)
    assert {"name": "green_targets", "outcome": "error", "severity": "fail"}.items() <= detail["failed_checks"][
        0
    ].items()
