"""gate.platforms.ecs: what ECS sends, and what it gets back. The first event is one that was recorded."""

from __future__ import annotations

import time
from typing import Any

import pytest
from gate.platforms import Continuation, platform_of
from gate.platforms.codedeploy import CodeDeploy
from gate.platforms.ecs import CALL_BACK, STATE, Ecs

ARN = "arn:aws:ecs:eu-west-1:123456789012"
GREEN, BLUE = f"{ARN}:service-revision/main/shop/2", f"{ARN}:service-revision/main/shop/1"
RECORDED: dict[str, Any] = {
    "executionId": "a635edb5-a66b-4f44-bf3f-fcee4b3641a5",
    "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
    "resourceArn": f"{ARN}:service-deployment/main/shop/TFX5sH9q9XDboDTOv0rIt",
    "executionDetails": {
        "testTrafficWeights": {},
        "productionTrafficWeights": {},
        "serviceArn": f"{ARN}:service/main/shop",
        "targetServiceRevisionArn": GREEN,
    },
}


def read(**changes: Any) -> Ecs:
    """The recorded event, with changes."""
    platform = platform_of({**RECORDED, **changes}, None)
    assert isinstance(platform, Ecs)
    return platform


def details(**changes: Any) -> dict[str, Any]:
    """Its `executionDetails`, with changes."""
    return {**RECORDED["executionDetails"], **changes}


def test_an_event_that_was_recorded() -> None:
    platform = read()
    assert platform.event_error == ""
    assert platform.deployment_id == "TFX5sH9q9XDboDTOv0rIt"
    assert platform.continuation is None


def test_the_details_may_be_at_the_top_as_an_edition_of_the_guide_draws_them() -> None:
    event = {**RECORDED, **RECORDED["executionDetails"]}
    del event["executionDetails"]
    platform = platform_of(event, None)
    assert (platform.event_error, platform.deployment_id) == ("", "TFX5sH9q9XDboDTOv0rIt")


def test_what_is_not_known_is_borne() -> None:
    assert read(region="eu-west-1", executionDetails=details(step=2)).event_error == ""


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"resourceArn": None}, "it has no resourceArn"),
        ({"lifecycleStage": 7}, "it has no lifecycleStage"),
        ({"executionDetails": None}, "it has no serviceArn and no targetServiceRevisionArn"),
        ({"resourceArn": "arn:aws:ecs:a:1:service/m/s"}, "its resourceArn is arn:aws:ecs:a:1:service/m/s, no service"),
        ({"hookDetails": {STATE: {"began": "x"}}}, f"hookDetails.{STATE} is not what this hook wrote"),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, Any], error: str) -> None:
    said = read(**changes).event_error
    assert said.startswith(f"the event is not a lifecycle stage of ECS: {error}")


@pytest.mark.parametrize(
    "changes",
    [
        {"lifecycleStage": "POST_SCALE_UP"},
        {"resourceArn": f"{ARN}:service-deployment/main/shop/another"},
        {"executionDetails": {**RECORDED["executionDetails"], "productionTrafficWeights": {GREEN: 10, BLUE: 90}}},
    ],
    ids=["another stage", "another deployment", "another step"],
)
def test_what_another_stage_has_left_means_nothing(changes: dict[str, Any]) -> None:
    """Whether ECS hands it on nobody says; a bake that is over there has not begun here."""
    platform = read()
    platform.continue_later(Continuation(time.time(), 1, {"bake_began": 5.0}), 10)
    left = platform.answer("CONTINUED")["hookDetails"]
    assert read(hookDetails=left).continuation is not None
    other = read(**{"hookDetails": left, **changes})
    assert (other.continuation, other.event_error) == (None, "")


def test_what_is_configured_for_ever_is_no_continuation() -> None:
    """It cannot name the deployment to come."""
    forged = {"began": 0.0, "number": 1, "state": {"bake_began": 0.0}, "orphan_note": ""}
    assert read(hookDetails={STATE: forged}).continuation is None


@pytest.mark.parametrize("event", [{}, {"DeploymentId": "d-1"}, [], None, "text", {"executionId": "x"}])
def test_everything_else_is_codedeploys(event: Any) -> None:
    assert isinstance(platform_of(event, None), CodeDeploy)


@pytest.mark.parametrize(
    ("stage", "test", "production", "goes_back"),
    [
        ("TEST_TRAFFIC_SHIFT", {GREEN: 100, BLUE: 0}, {}, False),
        ("TEST_TRAFFIC_SHIFT", {GREEN: 0, BLUE: 100}, {}, True),
        ("PRODUCTION_TRAFFIC_SHIFT", {}, {GREEN: 2.5, BLUE: 97.5}, False),
        ("PRODUCTION_TRAFFIC_SHIFT", {}, {GREEN: 0, BLUE: 100}, True),
        ("PRODUCTION_TRAFFIC_SHIFT", {}, {BLUE: 100}, True),
        ("PRODUCTION_TRAFFIC_SHIFT", {}, {}, False),
        # Before each step production is still where it was: the payload of a way forward.
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", {}, {GREEN: 0, BLUE: 100}, False),
    ],
)
def test_the_way_back_is_told_by_the_weights_of_the_stages_that_recur(
    stage: str, test: dict[str, float], production: dict[str, float], goes_back: bool
) -> None:
    changed = details(testTrafficWeights=test, productionTrafficWeights=production)
    assert read(lifecycleStage=stage, executionDetails=changed).goes_back is goes_back


@pytest.mark.parametrize("weight", [5, 2.5, True, "5", None, float("nan"), [5]])
def test_a_share_is_any_number(weight: Any) -> None:
    share = read(executionDetails=details(productionTrafficWeights={GREEN: weight})).share()
    assert share == (weight if weight in (5, 2.5) and weight is not True else 0)


@pytest.mark.parametrize(
    ("status", "told"), [("SUCCEEDED", "SUCCEEDED"), ("FAILED", "FAILED"), ("CONTINUED", "FAILED")]
)
def test_the_verdict_is_in_the_answer(status: str, told: str) -> None:
    """CONTINUED without a continuation would be a promise that nobody keeps."""
    assert read().answer(status) == {"hookStatus": told}


def test_what_came_with_the_event_goes_back_beside_our_own_state() -> None:
    platform = read(hookDetails={"team": "orders"})
    began = time.time()
    platform.continue_later(Continuation(began, 1, {"bake_began": 5.0}, "a note"), 10)
    answer = platform.answer("CONTINUED")
    assert (answer["hookStatus"], answer["callBackDelay"]) == ("IN_PROGRESS", CALL_BACK)
    assert answer["hookDetails"]["team"] == "orders"
    again = read(hookDetails=answer["hookDetails"])
    assert again.event_error == ""
    assert again.continuation == Continuation(began, 1, {"bake_began": 5.0}, "a note")


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
def test_what_a_step_has_left_is_taken_back_at_its_end(status: str) -> None:
    """A later step may have the same weights in its event, and get what this one's answers had."""
    platform = read(hookDetails={"team": "orders"})
    platform.continue_later(Continuation(time.time(), 1, {"bake_began": 5.0}), 10)
    left = read(hookDetails=platform.answer("CONTINUED")["hookDetails"]).answer(status)["hookDetails"]
    assert left["team"] == "orders"
    later = read(hookDetails=left)
    assert (later.continuation, later.event_error) == (None, "")
