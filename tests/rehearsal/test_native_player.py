"""The player does what ECS does in its own blue/green: each record of it on AWS, and what the guide says besides."""

from __future__ import annotations

import io
import json
import re
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rehearsal import native
from rehearsal.aws.ecs_native import STAGES
from rehearsal.functions import Attempt
from rehearsal.lifecycle import Clients, Timeline
from rehearsal.native import NativePlayer
from rehearsal.testing.native import STAGE_OF, Native
from rehearsal.testing.stage import Clock, Stage

SUCCEEDED = {"hookStatus": "SUCCEEDED", "reason": "unknown keys do no harm"}
WEIGHTS = ("testTrafficWeights", "productionTrafficWeights")


class RealClock(Clock):
    """The machine's own time."""

    def time(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class Hooks:
    """Lambda: each hook returns what it is told to, by stage; one answer after the other, the last one again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        """By stage; an exception is what the function raises."""
        self.events: list[dict[str, Any]] = []
        self.attempts: list[Attempt] = []
        self.meanwhile: Callable[[dict[str, Any]], object] = lambda _event: None

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        """Run a hook."""
        assert InvocationType == "RequestResponse"
        event = json.loads(Payload)
        self.events.append(event)
        self.meanwhile(event)
        answers = self.answers.get(event["lifecycleStage"]) or [SUCCEEDED]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.attempts.append(Attempt(FunctionName, Payload, result=json.dumps(str(answer)).encode()))
        if isinstance(answer, Exception):
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "x"}')}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def at(self, stage: str) -> list[dict[str, Any]]:
        """The events of a stage."""
        return [event for event in self.events if event["lifecycleStage"] == stage]


class Town:
    """A service that ECS deploys, with a hook at five stages and more as a test wants them."""

    def __init__(self) -> None:
        self.stage = Stage(RealClock())
        self.hooks = Hooks()
        names = ("ecs", "elbv2", "cloudwatch", "codedeploy", "ecr", "logs", "iam")
        self.clients = Clients(functions=self.hooks, acm=None, **{name: getattr(self.stage, name) for name in names})

    def play(self, *, first: bool = False, hooks: list[dict[str, Any]] | None = None, **configuration: Any) -> Timeline:
        """Deploy once more, or create the service, and play it to its end."""
        self.service = Native(self.stage, first=first, **configuration)
        if not first:
            self.service.deploy()
        own = self.service.service.deployment_configuration["lifecycleHooks"]
        own += [{**own[0], **hook} for hook in hooks or []]
        self.deployment = self.service.deployment
        return NativePlayer(self.deployment, self.clients, self.hooks.attempts, lambda _: None).play()

    def rule(self, route: str) -> dict[str, Any]:
        """A route's rule as Elastic Load Balancing describes it."""
        listener = {"production": self.stage.production_listener, "test": self.stage.test_listener}[route]
        found: dict[str, Any] = self.stage.elbv2.describe_rules(ListenerArn=listener)["Rules"][-1]
        return found

    def weights(self, route: str) -> dict[str, int]:
        """Where a route's rule leads, by the target group's name."""
        groups = self.rule(route)["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {group["TargetGroupArn"].split("/")[-2]: group["Weight"] for group in groups}


@pytest.fixture
def town(stand_in: None) -> Town:  # noqa: ARG001  (it is there meanwhile)
    """An environment on moto."""
    return Town()


def test_a_deployment_without_a_fault(town: Town) -> None:
    timeline = town.play()
    assert (timeline.status, timeline.stopped_at, timeline.error) == ("SUCCESSFUL", None, None)
    assert [event.name for event in timeline.events] == list(STAGES)
    assert [event["lifecycleStage"] for event in town.hooks.events] == list(STAGE_OF.values())


# Records.


def test_the_event_has_these_keys_and_no_others(town: Town) -> None:
    """Record: four keys at the top, four in executionDetails; hookDetails only where some are configured."""
    town.play(hooks=[{"lifecycleStages": ["POST_SCALE_UP"], "hookDetails": {"ticket": "7"}}])
    for event in town.hooks.events:
        assert event.keys() - {"hookDetails"} == {"executionId", "lifecycleStage", "resourceArn", "executionDetails"}
        assert event["executionDetails"].keys() == {"serviceArn", "targetServiceRevisionArn", *WEIGHTS}
        assert str(uuid.UUID(event["executionId"])) == event["executionId"]
    assert [event.get("hookDetails") for event in town.hooks.at("POST_SCALE_UP")] in (
        [None, {"ticket": "7"}],
        [{"ticket": "7"}, None],
    )


def test_the_resource_is_the_service_deployment(town: Town) -> None:
    """Record: `TFX5sH9q9XDboDTOv0rIt` and the like: 21 letters and digits at the end of the ARN."""
    town.play()
    place = r"arn:aws:ecs:[a-z0-9-]+:\d{12}:service-deployment/main/shop/[A-Za-z0-9]{21}"
    assert all(re.fullmatch(place, event["resourceArn"]) for event in town.hooks.events)


def test_a_hook_that_refuses(town: Town) -> None:
    """Record: the function's name and no reason. Before the scale-up no task is started."""
    town.hooks.answers["PRE_SCALE_UP"] = [{"hookStatus": "FAILED", "reason": "is shown nowhere"}]
    timeline = town.play()
    function = town.stage.hooks["BeforeInstall"]
    refused = f"Lifecycle hook target {function} returned FAILED status."
    said = f"Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed. {refused}"
    assert timeline.error == ("HOOK_FAILURE", said)
    assert town.deployment.describe()["statusReason"] == timeline.error[1]
    assert town.deployment.target.task_set.running_count == 0


@pytest.mark.parametrize("answer", [RuntimeError(), None, {}, {"status": "SUCCEEDED"}, "SUCCEEDED"], ids=str)
def test_an_answer_without_a_status_fails_closed(town: Town, answer: Any) -> None:
    """Record: the words of an answer that cannot be parsed; what a function raises counts as one."""
    town.hooks.answers["POST_TEST_TRAFFIC_SHIFT"] = [answer]
    timeline = town.play()
    assert timeline.status == "ROLLBACK_SUCCESSFUL"
    assert timeline.error is not None
    assert timeline.error[1] == (
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. ECS was unable to "
        f"parse the response from {town.stage.hooks['AfterAllowTestTraffic']} due to: HookStatus must not be null"
    )


def test_the_first_revision_lands_in_the_group_that_no_rule_named(town: Town) -> None:
    """Record: of two groups, 1 and 0 on the rule, the first creation takes the one with 0."""
    assert town.play(first=True).status == "SUCCESSFUL"
    assert town.weights("production") == {"shop-blue": 0, "shop-green": 100}


def test_a_creation_that_fails_has_nothing_to_go_back_to(town: Town) -> None:
    """Record: hooks run on creation; the words where one refuses."""
    town.hooks.answers["POST_TEST_TRAFFIC_SHIFT"] = [{"hookStatus": "FAILED"}]
    timeline = town.play(first=True)
    assert timeline.status == "ROLLBACK_FAILED"
    assert "No rollback candidate was found to run the rollback." in timeline.rollback_notes[-1]
    assert town.deployment.describe()["sourceServiceRevisions"] == []


def test_after_a_shift_both_rules_have_two_weights_and_no_target_group_of_their_own(town: Town) -> None:
    """Record: weighted forwards of two entries (100/0); the scalar TargetGroupArn is gone."""
    town.play()
    for route in ("production", "test"):
        action = town.rule(route)["Actions"][0]
        assert "TargetGroupArn" not in action
        assert sorted(town.weights(route).values()) == [0, 100]
    assert town.weights("production") == town.weights("test")


def test_the_load_balancers_of_revisions_never_swap(town: Town) -> None:
    """Record: both revisions name the same pair in the same order; which serves, the rule's weights say."""
    town.play()
    assert town.deployment.source is not None
    assert town.deployment.source.describe()["loadBalancers"] == town.deployment.target.describe()["loadBalancers"]
    served = town.deployment.target.describe()["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"]
    assert town.weights("production")[served.split("/")[-2]] == 100


def test_tasks_are_started_by_the_revision(town: Town) -> None:
    """Record: `ecs-svc/<n>`, the last part of the revision's ARN."""
    town.play()
    started_by = f"ecs-svc/{town.deployment.target.arn.rpartition('/')[2]}"
    assert len(town.stage.ecs.list_tasks(cluster="main", startedBy=started_by)["taskArns"]) == 2


def test_a_hook_has_a_day_and_rolls_back(town: Town) -> None:
    """Record: 1440 minutes, ROLLBACK, on a real service; the deployment tells it while the hook runs."""
    seen: list[dict[str, Any]] = []
    town.hooks.meanwhile = lambda _event: seen.extend(town.deployment.describe()["lifecycleHookDetails"])
    town.play()
    assert {each["timeoutAction"] for each in seen} == {"ROLLBACK"}
    left = seen[0]["expiresAt"] - datetime.now(timezone.utc)
    assert left > timedelta(seconds=0.9 * 1440 * native.HOOK_MINUTE)


# The guide.


def test_weights_by_stage(town: Town) -> None:
    """Filled where a shift is announced, empty elsewhere; before production moves they say what holds."""
    extra = ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]
    town.play(hooks=[{"lifecycleStages": extra}])
    green, blue = town.deployment.target.arn, getattr(town.deployment.source, "arn", "")
    told = {
        event["lifecycleStage"]: tuple(event["executionDetails"][name] for name in WEIGHTS)
        for event in town.hooks.events
    }
    assert told == {
        **dict.fromkeys(STAGE_OF.values(), ({}, {})),
        "TEST_TRAFFIC_SHIFT": ({green: 100, blue: 0}, {}),
        "PRE_PRODUCTION_TRAFFIC_SHIFT": ({}, {green: 0, blue: 100}),
        "PRODUCTION_TRAFFIC_SHIFT": ({}, {green: 100, blue: 0}),
    }


def test_a_rollback_announces_the_two_shifts_once_more(town: Town) -> None:
    """The same deployment and target, green at 0; all rules lead to blue again."""
    town.hooks.answers["POST_PRODUCTION_TRAFFIC_SHIFT"] = [{"hookStatus": "FAILED"}]
    timeline = town.play(hooks=[{"lifecycleStages": ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]}])
    assert timeline.status == "ROLLBACK_SUCCESSFUL"
    green, blue = town.deployment.target.arn, getattr(town.deployment.source, "arn", "")
    forth, back = town.hooks.at("PRODUCTION_TRAFFIC_SHIFT")
    assert forth["resourceArn"] == back["resourceArn"]
    assert back["executionDetails"]["targetServiceRevisionArn"] == green
    assert back["executionDetails"]["productionTrafficWeights"] == {green: 0, blue: 100}
    assert town.weights("production") == town.weights("test") == {"shop-blue": 100, "shop-green": 0}
    assert town.deployment.describe()["rollback"]["serviceRevisionArn"] == blue


def test_in_progress_is_asked_again_with_what_it_handed_over(town: Town) -> None:
    """The same execution; what was configured stays, what was handed over comes with it."""
    later = {"hookStatus": "IN_PROGRESS", "callBackDelay": 5, "hookDetails": {"state": {"seen": 1}}}
    town.hooks.answers["POST_SCALE_UP"] = [later, later, SUCCEEDED]
    town.play()
    events = town.hooks.at("POST_SCALE_UP")
    assert [event.get("hookDetails") for event in events] == [None, {"state": {"seen": 1}}, {"state": {"seen": 1}}]
    assert len({event["executionId"] for event in events}) == 1


@pytest.mark.parametrize(("action", "status"), [("ROLLBACK", "ROLLBACK_SUCCESSFUL"), ("CONTINUE", "SUCCESSFUL")])
def test_a_hook_that_never_decides(town: Town, monkeypatch: pytest.MonkeyPatch, action: str, status: str) -> None:
    monkeypatch.setattr(native, "HOOK_MINUTE", 0.0)
    town.hooks.answers["POST_TEST_TRAFFIC_SHIFT"] = [{"hookStatus": "IN_PROGRESS"}]
    town.service = Native(town.stage)
    town.service.service.deployment_configuration["lifecycleHooks"][2]["timeoutConfiguration"] = {"action": action}
    town.service.deploy()
    town.deployment = town.service.deployment
    timeline = NativePlayer(town.deployment, town.clients, town.hooks.attempts, lambda _: None).play()
    assert timeline.status == status
    told = {each["status"] for each in town.deployment.hooks if each["timeoutAction"] == action}
    assert told >= {"TIMED_OUT"}


def test_all_hooks_of_a_stage_have_to_succeed(town: Town) -> None:
    town.hooks.answers["POST_SCALE_UP"] = [SUCCEEDED, {"hookStatus": "FAILED"}]
    timeline = town.play(hooks=[{"lifecycleStages": ["POST_SCALE_UP"]}])
    assert timeline.stopped_at == "POST_SCALE_UP"
    assert sorted(event.status for event in timeline.events if event.name == "POST_SCALE_UP") == ["Failed", "Succeeded"]


def test_a_canary_asks_before_each_step(town: Town) -> None:
    town.play(strategy="CANARY", canaryConfiguration={"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1})
    green = town.deployment.target.arn
    shares = [
        event["executionDetails"]["productionTrafficWeights"][green]
        for event in town.hooks.at("PRE_PRODUCTION_TRAFFIC_SHIFT")
    ]
    assert shares == [0, 10]


def test_an_alarm_of_the_service_rolls_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "CALL_BACK", 0.01)
    last = "POST_PRODUCTION_TRAFFIC_SHIFT"

    def fire(event: dict[str, Any]) -> None:
        if event["lifecycleStage"] == last:
            town.stage.set_alarm("shop-5xx", "ALARM")

    town.hooks.meanwhile = fire
    town.hooks.answers[last] = [*[{"hookStatus": "IN_PROGRESS"}] * 5, SUCCEEDED]
    timeline = town.play()
    assert timeline.status == "ROLLBACK_SUCCESSFUL"
    said = "Service deployment rolled back because alarm(s) [shop-5xx] were activated."
    assert timeline.error == ("ALARM", said)
