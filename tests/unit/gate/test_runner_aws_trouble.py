"""gate.runner: AWS that does not answer as it should."""

from __future__ import annotations

import pytest
from gate.platforms.codedeploy import ReportFailed

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy, Reply, deployment, refused, throttled
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import context_of, good, hook_of


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused("AccessDeniedException", "not authorized"), ["codedeploy:GetDeployment was denied", "role"]),
        (refused("DeploymentDoesNotExistException"), ["codedeploy:GetDeployment failed", "DeploymentDoesNotExist"]),
        (throttled(), ["codedeploy:GetDeployment failed on every attempt", "ThrottlingException: Rate exceeded"]),
        (Reply({}, 503), ["codedeploy:GetDeployment failed on every attempt", "503"]),
        (refused("ExpiredTokenException"), ["codedeploy:GetDeployment was refused", "check the function's role"]),
        (Reply(drop=True), ["CodeDeploy could not be reached for codedeploy:GetDeployment", "NAT gateway",
                            "com.amazonaws.<region>.codedeploy", "security groups"]),
        (Reply({}), ["codedeploy:GetDeployment got an answer that cannot be read"]),
        (Reply({"deploymentInfo": {}}), ["names no application"]),
    ],
    ids=["denied", "no such deployment", "throttled", "5xx", "expired", "connection lost", "empty", "says nothing"],
)  # fmt: skip
def test_a_call_that_fails_is_reported_with_action_and_cure(
    codedeploy: CodeDeploy, clock: Clock, reply: Reply, words: list[str]
) -> None:
    codedeploy.replies["GetDeployment"] = [reply]
    answer = hook_of(good())(EVENT)
    for word in words:
        assert word in answer["message"]
    assert codedeploy.statuses == ["Failed"]
    assert clock.now < 1000 + 60


def test_a_passing_throttle_is_borne(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies["GetDeployment"] = [throttled()] * 7 + [deployment()]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert clock.sleeps, "between two attempts it waits"
    assert codedeploy.statuses == ["Succeeded"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("AWS_REGION", "AWS_DEFAULT_REGION"), "You must specify a region"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "Unable to locate credentials"),
    ],
)
@pytest.mark.usefixtures("clock")
def test_without_region_or_credentials_no_report_can_be_made_and_it_says_why(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps the credentials of other tests
    for name in missing:
        monkeypatch.delenv(name)
    with pytest.raises(ReportFailed, match=words):
        hook_of(good())(EVENT, context_of(60))
    assert codedeploy.calls == []
