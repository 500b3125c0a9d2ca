"""What `tools/explain.py` tells of deployments that ECS itself makes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from rehearsal import native
from rehearsal.testing.native import STAGE_OF
from rehearsal.testing.stage import CLUSTER, SERVICE
from tests.rehearsal.explained import NativeTown, Teller, check, deny, stops
from tools.explain import IN_PROGRESS, STAGES, STOPPED, SUCCEEDED, UNKNOWN

REASON = "2 targets are unhealthy: Target.Timeout"
ARN = f"arn:aws:ecs:eu-west-1:123456789012:service-deployment/{CLUSTER}/{SERVICE}"
LATEST = f"{CLUSTER}/{SERVICE}"


@pytest.fixture
def town(stand_in: None) -> NativeTown:  # noqa: ARG001  (it is there meanwhile)
    """An environment on moto, and a player that loses no time."""
    return NativeTown()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Teller:
    """The command."""
    return Teller(capsys)


def steps(out: str) -> list[tuple[str, str]]:
    """Return stage and status of each step that is shown."""
    found = [
        line.split()[1:3] for line in out.splitlines() if len(line) > 40 and line[2] in "✓✗○·…?" and line[4].isupper()
    ]
    return [(stage, status) for stage, status in found if stage in STAGES]


def test_a_success(town: NativeTown, tell: Teller) -> None:
    """By the service, by its ARN, and by the deployment's own."""
    town.play()
    said = tell(LATEST)
    assert said.code == SUCCEEDED
    assert steps(said.out) == [(stage, "Succeeded") for stage in STAGE_OF.values()]
    assert said.out.count("3 checks passed: deployment, green, targets") == 5
    assert said.out.endswith(f"Service deployment {town.deployment.id} of {LATEST} succeeded.\n")
    assert tell(town.deployment.arn).out == said.out
    assert tell(town.deployment.service.arn).out == said.out
    assert not tell.slept


def test_a_stop_with_its_reason(town: NativeTown, tell: Teller) -> None:
    town.written.lines["POST_SCALE_UP"] = stops(REASON)
    town.play()
    said = tell(LATEST)
    assert said.code == STOPPED
    assert steps(said.out) == [
        ("PRE_SCALE_UP", "Succeeded"),
        ("POST_SCALE_UP", "Failed"),
        *((stage, "Skipped") for stage in list(STAGE_OF.values())[2:]),
    ]
    assert f"✗ targets: {REASON}" in said.out
    assert f"at POST_SCALE_UP: {REASON}" in said.out.splitlines()[-1]
    assert "ROLLBACK_SUCCESSFUL: Service deployment rolled back because POST_SCALE_UP lifecycle hook(s)" in said.flat
    assert "↩ rolled back to service revision" in said.out


def test_in_progress(town: NativeTown, tell: Teller) -> None:
    told = []
    town.hooks.meanwhile = lambda event: told.append(tell(event["resourceArn"]))
    town.written.lines["POST_SCALE_UP"] = [check("targets", "failed", "not yet", "warn")]
    town.play()
    first, second = told[:2]
    assert first.code == second.code == IN_PROGRESS
    assert steps(second.out)[:3] == [
        ("PRE_SCALE_UP", "Succeeded"),
        ("POST_SCALE_UP", "InProgress"),
        ("POST_TEST_TRAFFIC_SHIFT", "Pending"),
    ]
    assert "⚠ targets: not yet" in second.out
    assert "ECS is at POST_SCALE_UP" in second.out


def test_waiting(town: NativeTown, tell: Teller) -> None:
    town.play()
    deployment = town.service.deploy()
    moves = iter([lambda: deployment.enter("PRE_SCALE_UP"), deployment.scale_up, deployment.succeed])
    tell.does(moves)
    said = tell(LATEST, "--wait")
    assert said.code == SUCCEEDED
    assert [line.split(" ", 1)[1] for line in said.err.splitlines()] == [
        "PENDING",
        "IN_PROGRESS, ECS is at PRE_SCALE_UP",
    ]


def test_since(town: NativeTown, tell: Teller) -> None:
    """A job that has just updated the service is not told of the deployment before: it is waited for."""
    town.play()
    before = town.deployment
    now = str(int(before.created_at.timestamp()) + 10)
    none = tell(LATEST, "--since", now)
    assert none.code == UNKNOWN
    assert "has no service deployment since" in none.err
    assert sum(tell.slept) == 60

    def update() -> None:
        town.service.deploy().created_at += timedelta(seconds=11)

    tell.does(iter([update]))
    said = tell(LATEST, "--since", now)
    assert said.code == IN_PROGRESS
    assert before.id not in said.out
    assert tell(LATEST, "--since", str(int(now) + 2)).code == IN_PROGRESS


def test_the_one_that_was_the_latest_is_waited_for(town: NativeTown, tell: Teller) -> None:
    """Another one that begins meanwhile is another's."""
    town.play()
    own = town.service.deploy()

    def go_on() -> None:
        own.succeed()
        town.service.deploy().created_at += timedelta(seconds=1)

    tell.does(iter([go_on]))
    said = tell(LATEST, "--wait")
    assert said.code == SUCCEEDED
    assert said.out.rstrip().endswith(f"Service deployment {own.id} of {LATEST} succeeded.")


def test_a_run_without_a_verdict(town: NativeTown, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ECS does not say either how it ended, nobody knows: that is said, and no word is made up."""
    town.written.lines["POST_SCALE_UP"] = [check("green")]
    town.play()
    hooks = town.deployment.hooks
    monkeypatch.setattr(town.deployment, "hooks", [])
    said = tell(LATEST)
    assert ("POST_SCALE_UP", "Unknown") in steps(said.out)
    assert "the log has no verdict of it; its last line is of check green" in said.flat
    monkeypatch.setattr(town.deployment, "hooks", hooks)
    assert ("POST_SCALE_UP", "Succeeded") in steps(tell(LATEST).out)


def test_an_alarm(town: NativeTown, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "MINUTE", 60.0)
    town.hooks.meanwhile = lambda _: town.stage.cloudwatch.set_alarm_state(
        AlarmName="shop-5xx", StateValue="ALARM", StateReason="by a test"
    )
    town.play(bakeTimeInMinutes=1000)
    triggered = {"status": "TRIGGERED", "alarmNames": ["shop-5xx", "shop-slow"], "triggeredAlarmNames": ["shop-5xx"]}
    described = town.deployment.describe()
    monkeypatch.setattr(town.deployment, "describe", lambda: {**described, "alarms": triggered})
    said = tell(LATEST)
    assert said.code == STOPPED
    assert "alarm(s) [shop-5xx] were activated" in said.flat
    assert "  alarms that went off: shop-5xx\n" in said.out


def test_stages_that_come_again(town: NativeTown, tell: Teller) -> None:
    """In steps a function is asked before each of them: told in the order in which it was."""
    town.play(strategy="CANARY", canaryConfiguration={"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0})
    said = tell(LATEST)
    assert [stage for stage, _ in steps(said.out)].count("PRE_PRODUCTION_TRAFFIC_SHIFT") == 2
    assert said.code == SUCCEEDED


def test_stages_that_come_in_turns(town: NativeTown, tell: Teller) -> None:
    """The two around a shift of production, in each step."""
    stages = ["PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"]
    town.play(
        strategy="CANARY",
        canaryConfiguration={"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0},
        hooks=[{"lifecycleStages": ["PRODUCTION_TRAFFIC_SHIFT"]}],
    )
    assert [stage for stage, _ in steps(tell(LATEST).out) if stage in stages] == stages * 2


def test_in_the_region_of_the_arn(town: NativeTown, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever region the environment names: service, deployment and logs are looked for in the ARN's."""
    town.written.lines["POST_SCALE_UP"] = stops(REASON)
    town.play()
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert tell(LATEST).code == UNKNOWN
    for arn in (town.deployment.arn, town.deployment.service.arn):
        said = tell(arn)
        assert said.code == STOPPED
        assert f"at POST_SCALE_UP: {REASON}" in said.out.splitlines()[-1]
        assert not said.err


def test_two_stages_of_a_function(town: NativeTown, tell: Teller) -> None:
    """What it logs says at which it was."""
    town.written.lines["POST_TEST_TRAFFIC_SHIFT"] = stops(REASON)
    town.play(hooks=[{"lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}, {"lifecycleStages": ["BAKE_TIME"]}])
    told = steps(tell(LATEST).out)
    assert ("BAKE_TIME", "Skipped") in told
    assert told.count(("POST_TEST_TRAFFIC_SHIFT", "Failed")) == 2


def test_a_pause(town: NativeTown, tell: Teller) -> None:
    town.play()
    configuration: Any = town.deployment.service.deployment_configuration
    configuration["lifecycleHooks"].append({"targetType": "PAUSE", "lifecycleStages": ["BAKE_TIME"]})
    assert "a pause, which ContinueServiceDeployment ends" in tell(LATEST).out


def test_no_access_to_the_logs(town: NativeTown, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ECS itself knows of each hook is told."""
    town.written.lines["POST_SCALE_UP"] = stops(REASON)
    town.play()
    deny(monkeypatch, "FilterLogEvents")
    said = tell(LATEST)
    assert said.code == STOPPED
    assert steps(said.out)[:3] == [
        ("PRE_SCALE_UP", "Succeeded"),
        ("POST_SCALE_UP", "Failed"),
        ("POST_TEST_TRAFFIC_SHIFT", "Skipped"),
    ]
    assert "could not be read: logs:FilterLogEvents was refused" in said.flat
    assert "ecs:DescribeServiceDeployments" in said.err


def test_functions_of_others(town: NativeTown, tell: Teller) -> None:
    town.hooks.silent.add("POST_SCALE_UP")
    town.play()
    said = tell(LATEST)
    assert said.code == SUCCEEDED
    assert "its log says nothing of this deployment" in said.flat
    assert ("POST_SCALE_UP", "Succeeded") in steps(said.out)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (f"{CLUSTER}/nobody", f"there is no service nobody in cluster {CLUSTER}"),
        ("nowhere/shop", "there is no service shop in cluster nowhere"),
        (
            f"{ARN}/abc",
            f"there is no service deployment {ARN}/abc (MISSING)",
        ),
    ],
)
def test_what_is_not_there(town: NativeTown, tell: Teller, given: str, told: str) -> None:
    town.play()
    said = tell(given)
    assert said.code == UNKNOWN
    assert told in said.err


@pytest.mark.usefixtures("town")
def test_a_service_that_codedeploy_deploys(tell: Teller) -> None:
    said = tell(LATEST)
    assert said.code == UNKNOWN
    assert "has no service deployment: one that CodeDeploy deploys has none, give the id of its deployment" in said.err


def test_no_access_to_the_deployment(town: NativeTown, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    town.play()
    deny(monkeypatch, "ListServiceDeployments")
    said = tell(LATEST)
    assert said.code == UNKNOWN
    assert "ecs:ListServiceDeployments was refused" in said.err
    assert "explain needs ecs:ListServiceDeployments" in said.err
