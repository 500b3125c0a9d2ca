"""gate.platforms.codedeploy: events that are none of CodeDeploy's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate.platforms.codedeploy import read_event
from gate.verdict import failed

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy
from tests.unit.gate.sample_hooks import Sample, good, hook_of


@pytest.mark.parametrize(
    "event",
    [
        None, [], "d-ABCDEF123", 3, {}, {"DeploymentId": "d-ABCDEF123"},
        {"LifecycleEventHookExecutionId": "execution-1"},
        {**EVENT, "DeploymentId": ""}, {**EVENT, "LifecycleEventHookExecutionId": None},
        {**EVENT, "DeploymentId": 3}, {**EVENT, "LifecycleEventHookExecutionId": ["execution-1"]},
    ],
    ids=repr,
)  # fmt: skip
def test_an_event_without_ids_fails_and_calls_nobody(codedeploy: CodeDeploy, event: Any) -> None:
    answer = hook_of(good())(event)
    assert answer["status"] == "FAILED"
    assert "CodeDeploy's" in answer["message"]
    assert codedeploy.calls == []


@pytest.mark.parametrize(
    "event",
    [
        {**EVENT, "Combined": "x"},
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1"},
        dict([(3, "x"), *EVENT.items()]),
    ],
    ids=repr,
)
def test_an_event_of_another_kind_that_names_both_ids_is_reported_failed(codedeploy: CodeDeploy, event: Any) -> None:
    answer = hook_of(good())(event)
    assert "the event is not CodeDeploy's (expected just DeploymentId" in answer["message"]
    assert codedeploy.reports == [
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "execution-1", "status": "Failed"}
    ]
    assert len(codedeploy.calls) == 1


def test_codedeploys_own_spelling_says_which_deployment_it_is(codedeploy: CodeDeploy) -> None:
    event = {**EVENT, "deploymentid": "d-OTHER", "LIFECYCLEEVENTHOOKEXECUTIONID": "execution-2"}
    assert "unknown fields: LIFECYCLEEVENTHOOKEXECUTIONID, deploymentid" in hook_of(good())(event)["message"]
    assert [report["deploymentId"] for report in codedeploy.reports] == ["d-ABCDEF123"]


def test_what_utf_8_cannot_write_is_replaced(codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture) -> None:
    """JSON may hold half of a character; awslambdaric's log and answer raise for it."""
    answer = hook_of(Sample("half\ud83d", lambda: failed("the answer is \ud83d")))({**EVENT, "\udcff": 1})
    again = hook_of(Sample("half\ud83d", lambda: failed("the answer is \ud83d")))(EVENT)
    json.dumps([answer, again], ensure_ascii=False).encode()
    [str(value).encode() for record in caplog.records for value in vars(record).values()]
    assert again["message"] == "the answer is ?"
    assert codedeploy.statuses == ["Failed", "Failed"]


def test_a_detail_of_any_length_is_shortened(codedeploy: CodeDeploy) -> None:
    answer = hook_of(Sample("long", lambda: failed("x" * 1_000_000)))(EVENT)
    assert len(json.dumps(answer)) < 20_000
    assert codedeploy.statuses == ["Failed"]


def test_an_error_about_an_event_shows_its_fields_but_no_values() -> None:
    *ids, continuation, event_error = read_event({"Records": ["confidential"], "DeploymentId": "d-1"})
    assert (ids, continuation) == (["d-1", ""], None)
    assert "no LifecycleEventHookExecutionId" in event_error
    assert "unknown fields: Records" in event_error
    assert "confidential" not in event_error
