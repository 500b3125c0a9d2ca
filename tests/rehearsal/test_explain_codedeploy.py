"""What `tools/explain.py` tells of deployments that CodeDeploy makes."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from rehearsal.aws import codedeploy
from rehearsal.aws.codedeploy import EVENTS
from rehearsal.aws.logs import append
from tests.rehearsal.explained import (
    NAMES,
    STEM,
    Parameters,
    Teller,
    Town,
    arn_of,
    before_calls,
    check,
    deny,
    passes,
    stops,
    verdict,
)
from tools.explain import IN_PROGRESS, STOPPED, SUCCEEDED, UNKNOWN, Aws, Problem, hooks_of

REASON = "2 targets are unhealthy: Target.Timeout"


@pytest.fixture
def town(stand_in: None) -> Town:  # noqa: ARG001  (it is there meanwhile)
    """An environment on moto, and a player that loses no time."""
    return Town()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Teller:
    """The command."""
    return Teller(capsys)


def test_a_success(town: Town, tell: Teller) -> None:
    town.written.lines["AfterInstall"] = passes(check("green"), check("odd", "failed", "hm", "warn"), check("targets"))
    played = town.run()
    said = tell(played.deployment_id)
    assert said.code == SUCCEEDED
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith("  ✓ ")] == [*EVENTS, "Succeeded"]
    for event, name in NAMES.items():
        assert f"{event:<29} Succeeded" in said.out
        assert f"{STEM}{name}" in said.out
    assert said.out.count("✓ 2 checks passed: green, targets") == 5
    assert "⚠ odd: hm" in said.out
    assert "task sets: Blue" in said.out
    assert said.out.endswith(f"Deployment {played.deployment_id} of orders/orders succeeded.\n")
    assert not said.err
    assert not tell.slept


def test_a_stop_with_its_reason(town: Town, tell: Teller) -> None:
    """The reason is in the sentence at the end, once more at the check that failed, and the rollback is told."""
    town.written.lines["AfterInstall"] = stops(REASON)
    played = town.run()
    said = tell(played.deployment_id)
    assert said.code == STOPPED
    assert f"✗ targets: {REASON}" in said.out
    assert said.out.count(REASON) == 2
    assert f"was stopped by {STEM}validate-deployment at AfterInstall: {REASON}" in said.flat
    assert "Failed: HOOK_EXECUTION_FAILURE" in said.out
    assert f"↩ rolled back by deployment {played.rollback_id}: Succeeded" in said.out
    assert "○ AllowTraffic                  Skipped" in said.out
    assert tell(str(played.rollback_id)).code == SUCCEEDED
    assert f"↩ it rolls back deployment {played.deployment_id}" in tell(str(played.rollback_id)).out


def test_a_reason_that_says_more_than_a_check(town: Town, tell: Teller) -> None:
    first = [check("tasks", "failed", "1 of 2 runs"), check("targets", "error", "no answer")]
    town.written.lines["BeforeInstall"] = [*first, verdict("FAILED", "1 of 2 runs (and 1 more: targets)")]
    said = tell(town.run().deployment_id)
    assert said.code == STOPPED
    assert said.out.endswith("at BeforeInstall: 1 of 2 runs (and 1 more: targets)\n")
    assert "→ reason" not in said.out
    assert "○ CodeDeploy made no rollback deployment" in said.out


def test_a_stop_that_no_hook_decided(town: Town, tell: Teller) -> None:
    town.hooks.before["AfterInstall"] = town.set_alarm
    town.hooks.reports["AfterInstall"] = None  # it is waited for, so that the alarm comes first
    said = tell(town.run().deployment_id)
    assert said.code == STOPPED
    assert "ALARM_ACTIVE: One or more alarms have been activated" in said.flat
    assert "did not succeed (Stopped): ALARM_ACTIVE" in said.flat


def test_in_progress(town: Town, tell: Teller) -> None:
    """Told while a hook runs: what it has found so far."""
    town.written.lines["AfterInstall"] = [check("green"), check("targets", "failed", "not yet", "warn")]
    told = []

    def look() -> None:
        (deployment,) = codedeploy.deployments()
        told.append(tell(deployment.deployment_id))

    town.hooks.before["AfterInstall"] = look
    town.run()
    (said,) = told
    assert said.code == IN_PROGRESS
    assert "… AfterInstall                  InProgress" in said.out
    assert "· AfterAllowTestTraffic         Pending" in said.out
    assert "⚠ targets: not yet" in said.out
    assert "is in progress (InProgress): AfterInstall." in said.out
    assert not tell.slept


def test_not_begun(town: Town, tell: Teller) -> None:
    said = tell(town.stack.deploy(app_spec=town.app_spec).deployment_id)
    assert said.code == IN_PROGRESS
    assert "is in progress (Created)." in said.out


def test_waiting(town: Town, tell: Teller) -> None:
    """With --wait it is told when it is over, its rollback too; until then in a line for each change."""
    deployment = town.stack.deploy(app_spec=town.app_spec)
    steps = iter(
        [
            lambda: deployment.begin("BeforeInstall"),
            lambda: None,
            lambda: codedeploy.create_rollback(deployment),
            lambda: deployment.set_status("Failed", ("TIMEOUT", "too late")),
            lambda: codedeploy.find(deployment.rollback_info["rollbackDeploymentId"]).set_status("Succeeded"),
        ]
    )
    tell.does(steps)
    said = tell(deployment.deployment_id, "--wait")
    assert said.code == STOPPED
    assert [line.split(" ", 1)[1] for line in said.err.splitlines()][:2] == ["Created", "InProgress, BeforeInstall"]
    assert f"was stopped by {STEM}validate-before-install at BeforeInstall: TIMEOUT: too late" in said.flat
    assert f"{deployment.rollback_info['rollbackDeploymentId']}: Succeeded" in said.out
    assert said.err.splitlines()[-1].endswith(": Created")  # of the rollback
    assert next(steps, None) is None


def test_waiting_no_longer_than_told(town: Town, tell: Teller) -> None:
    deployment = town.stack.deploy(app_spec=town.app_spec)
    assert tell(deployment.deployment_id, "--wait", "--timeout", "1").code == IN_PROGRESS
    assert sum(tell.slept) == 60


def test_an_unknown_id(town: Town, tell: Teller) -> None:
    town.run()
    said = tell("d-ZZZZZZZZZ")
    assert said.code == UNKNOWN
    assert "error: there is no deployment d-ZZZZZZZZZ in this account and region" in said.err
    assert "--region" in said.err
    assert not said.out


@pytest.mark.parametrize(
    "given", ["", "d-", "d-abc", "orders", "a/b/c", "arn:aws:s3:::x", "arn:aws:ecs:eu-west-1:1:service-deployment/x"]
)
def test_what_names_no_deployment(tell: Teller, given: str) -> None:
    said = tell(given)
    assert said.code == UNKNOWN
    assert repr(given) in said.err
    assert "expected" in said.err


def test_functions_named_wrongly(tell: Teller) -> None:
    said = tell("d-ABCDEFGHI", "--function", "AfterInstal=x")
    assert said.code == UNKNOWN
    assert "'AfterInstal=x'" in said.err
    assert "AfterInstall" in said.err


def test_no_access_to_the_logs(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """How it ended is told without them; what is missing, and the permission, too."""
    town.written.lines["AfterInstall"] = stops(REASON)
    played = town.run()
    deny(monkeypatch, "FilterLogEvents")
    said = tell(played.deployment_id)
    assert said.code == STOPPED
    assert f"the log of {STEM}validate-deployment could not be read: logs:FilterLogEvents was refused" in said.flat
    assert f"was stopped by {STEM}validate-deployment at AfterInstall: HOOK_EXECUTION_FAILURE" in said.flat
    assert "explain needs" in said.err
    assert "logs:FilterLogEvents on the functions' log groups" in said.err
    assert not tell.slept


def test_no_access_to_the_deployment(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    played = town.run()
    deny(monkeypatch, "GetDeployment")
    said = tell(played.deployment_id)
    assert said.code == UNKNOWN
    assert "codedeploy:GetDeployment was refused, AccessDeniedException" in said.err
    assert "codedeploy:BatchGetDeploymentTargets" in said.err


def test_no_access_to_the_appspec(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions can be named then."""
    town.written.lines["AfterInstall"] = stops(REASON)
    played = town.run()
    deny(monkeypatch, "GetApplicationRevision")
    said = tell(played.deployment_id)
    assert said.code == STOPPED
    assert "--function AfterInstall=<name>" in said.flat
    assert "explain needs" in said.err
    assert "codedeploy:GetApplicationRevision" in said.err
    named = tell(played.deployment_id, "--function", f"AfterInstall={STEM}validate-deployment")
    assert f"✗ targets: {REASON}" in named.out
    assert not named.err


@pytest.mark.parametrize("name", [arn_of("AfterInstall"), f"{STEM}validate-deployment"])
@pytest.mark.parametrize("alias", ["", ":live"])
def test_a_function_and_its_alias(town: Town, tell: Teller, name: str, alias: str) -> None:
    """Both log into the function's log group."""
    town.written.lines["AfterInstall"] = stops(REASON)
    said = tell(town.run().deployment_id, "--function", f"AfterInstall={name}{alias}")
    assert f"was stopped by {STEM}validate-deployment at AfterInstall: {REASON}" in said.flat


def test_functions_of_others(town: Town, tell: Teller) -> None:
    """Their logs have no line of the module's: that is said, and no reason is made up."""
    town.hooks.silent.add("AfterInstall")
    town.hooks.reports["AfterInstall"] = "Failed"
    append(arn_of("AfterInstall"), f"/aws/lambda/{STEM}validate-deployment", "stream", ["checking d-1", '{"a": 1}'])
    said = tell(town.run().deployment_id)
    assert said.code == STOPPED
    assert sum(tell.slept) == 30
    assert "its log says nothing of this deployment: the function is none of the module's" in said.flat
    assert "at AfterInstall: HOOK_EXECUTION_FAILURE" in said.flat


def test_a_log_group_of_ones_own(town: Town, tell: Teller) -> None:
    """A function may be told to write elsewhere; where it writes nowhere, that is said."""
    name = f"{STEM}validate-deployment"
    town.written.lines["AfterInstall"] = stops(REASON)
    logs, played = town.clients.logs, town.run()
    lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
    assert "there is no log group /aws/lambda/" in tell(played.deployment_id).flat
    role = boto3.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    boto3.client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="f.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        LoggingConfig={"LogGroup": "/ours", "LogFormat": "JSON"},
    )
    logs.create_log_group(logGroupName="/ours")
    append(arn_of("AfterInstall"), "/ours", "stream", [line["message"] for line in lines])
    assert f"✗ targets: {REASON}" in tell(played.deployment_id).out


def test_a_verdict_that_comes_late(town: Town, tell: Teller) -> None:
    """CloudWatch Logs takes a moment: it is looked for again."""
    town.written.lines["AfterInstall"] = []
    town.hooks.reports["AfterInstall"] = "Failed"
    played = town.run()
    town.written.lines["AfterInstall"] = stops(REASON)
    tell.meanwhile = lambda: town.written.write("AfterInstall", arn_of("AfterInstall"), played.deployment_id)
    said = tell(played.deployment_id)
    assert f"at AfterInstall: {REASON}" in said.flat
    assert len(tell.slept) == 1


def test_a_verdict_that_is_late_no_more(town: Town, tell: Teller) -> None:
    """Of an event that ended long ago CloudWatch Logs has found all that there is: nothing is waited for."""
    town.hooks.silent.add("AfterInstall")
    played = town.run()
    event = codedeploy.find(played.deployment_id).event("AfterInstall")
    assert event.end_time
    event.end_time -= timedelta(seconds=31)
    assert "its log says nothing of this deployment" in tell(played.deployment_id).flat
    assert not tell.slept


def test_more_lines_than_an_answer_holds(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudWatch Logs answers in pages: all of them are read."""
    town.written.lines["AfterInstall"] = stops(REASON)
    played = town.run()

    def by_twos(_service: str, operation: str, parameters: Parameters) -> Parameters:
        return {**parameters, "limit": 2} if operation == "FilterLogEvents" else parameters

    before_calls(monkeypatch, by_twos)
    said = tell(played.deployment_id)
    assert said.out.splitlines()[-1].endswith(f"at AfterInstall: {REASON}")
    assert not tell.slept


def test_what_codedeploy_says_of_an_event(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its diagnostics are told, unless they are of a success."""
    described = codedeploy.LifecycleEvent.describe
    of_event = {
        "BeforeInstall": {"errorCode": "Success", "message": "all went well"},
        "AfterInstall": {"errorCode": "UnknownError", "message": "the function could not be invoked"},
    }

    def describe(event: codedeploy.LifecycleEvent) -> dict[str, object]:
        return {**described(event), "diagnostics": of_event.get(event.name, {})}

    monkeypatch.setattr(codedeploy.LifecycleEvent, "describe", describe)
    town.hooks.reports["AfterInstall"] = "Failed"
    said = tell(town.run().deployment_id)
    assert "· UnknownError: the function could not be invoked" in said.out
    assert "all went well" not in said.out
    assert "None" not in said.out


def test_a_function_at_two_events(town: Town, tell: Teller) -> None:
    """Its runs are told apart by their times."""
    both = dict.fromkeys(("BeforeInstall", "AfterInstall"), arn_of("AfterInstall"))
    deployment = town.stack.deploy(app_spec=town.stack.app_spec(town.stack.register(), **both))
    group, now = f"/aws/lambda/{STEM}validate-deployment", time.time()
    deployment.create_time -= timedelta(seconds=300)
    for event, ago in (("BeforeInstall", 200), ("AfterInstall", 100)):
        deployment.begin(event)
        deployment.finish(event, "Succeeded")
        played = deployment.event(event)
        assert played.start_time
        assert played.end_time
        played.start_time -= timedelta(seconds=ago)
        played.end_time -= timedelta(seconds=ago - 10)
        own = {"requestId": event, "deployment_id": deployment.deployment_id}
        lines = [json.dumps({**own, **line}) for line in passes(check(f"at_{event}"))]
        append(arn_of("AfterInstall"), group, "stream", lines, now=now - ago + 1)
    first, second = tell(deployment.deployment_id).out.split("AfterInstall ")[:2]
    assert "1 check passed: at_BeforeInstall" in first
    assert "1 check passed: at_AfterInstall" in second


def test_an_appspec_in_s3(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    town.written.lines["AfterInstall"] = stops(REASON)
    played = town.run()
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="ours")
    s3.put_bucket_versioning(Bucket="ours", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="ours", Key="appspec.json", Body=town.app_spec.encode())["VersionId"]
    place = {"bucket": "ours", "key": "appspec.json", "bundleType": "JSON"}
    revision: dict[str, object] = {"revisionType": "S3", "s3Location": place}
    monkeypatch.setattr(codedeploy.find(played.deployment_id), "revision", revision)
    assert f"✗ targets: {REASON}" in tell(played.deployment_id).out

    s3.put_object(Bucket="ours", Key="appspec.json", Body=b'{"Hooks": []}')
    assert f"✗ targets: {REASON}" not in tell(played.deployment_id).out
    revision["s3Location"] = {**place, "version": version}
    assert f"✗ targets: {REASON}" in tell(played.deployment_id).out

    deny(monkeypatch, "GetObject", code="AccessDenied")
    said = tell(played.deployment_id)
    assert "s3:GetObject was refused, AccessDenied" in said.flat
    assert "for an AppSpec in S3 s3:GetObject instead, or s3:GetObjectVersion" in said.err


def test_one_that_is_ready(town: Town, tell: Teller) -> None:
    """CodeDeploy waits for a person."""
    deployment = town.stack.deploy(app_spec=town.app_spec)
    deployment.set_status("Ready")
    said = tell(deployment.deployment_id)
    assert said.code == IN_PROGRESS
    assert "it waits for ContinueDeployment" in said.out


def test_one_that_is_not_to_ecs(town: Town, tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = town.stack.deploy(app_spec=town.app_spec)
    monkeypatch.setattr(deployment.application, "compute_platform", "Lambda")
    said = tell(deployment.deployment_id)
    assert said.code == UNKNOWN
    assert "is one to Lambda, expected one to ECS" in said.err


def test_an_old_boto3() -> None:
    """That lacks the operation."""
    aws = Aws(None, make=lambda *_, **__: object())
    with pytest.raises(Problem, match="knows no ecs:ListServiceDeployments: pip install --upgrade boto3"):
        aws.call("ecs", "list_service_deployments")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"type": "platform.report", "record": {"requestId": "request-2", "status": "timeout"}}, "Lambda says timeout"),
        ({"errorType": "KeyError", "errorMessage": "x", "requestId": "request-2"}, "the function failed: KeyError: x"),
    ],
)
def test_a_function_that_never_reported(town: Town, tell: Teller, line: dict[str, object], told: str) -> None:
    """What Lambda itself logs of the end of that invocation is the reason."""
    of_another = {"type": "platform.report", "record": {"requestId": "request-9", "status": "failure"}}
    not_ours = {"deployment_id": None, "hook": None}
    others = {**of_another, **not_ours, "requestId": None}
    town.written.lines["AfterInstall"] = [check("green"), {**line, **not_ours}, others]
    town.hooks.reports["AfterInstall"] = "Failed"
    said = tell(town.run().deployment_id)
    assert said.code == STOPPED
    assert told in said.out.splitlines()[-1]


def test_a_hook_that_went_on(town: Town, tell: Teller) -> None:
    """Each time that it went on is told, and what the last invocation has found."""
    go_on = {"message": "continued by request r-2: 1 of 16, bake goes on", "status": "CONTINUED", "check": "bake"}
    played = town.run()
    town.clients.logs.delete_log_stream(logGroupName=f"/aws/lambda/{STEM}validate-production", logStreamName="stream")
    for lines in ([check("early"), go_on], passes(check("late"))):
        town.written.lines["AfterAllowTraffic"] = lines
        town.written.write("AfterAllowTraffic", arn_of("AfterAllowTraffic"), played.deployment_id)
    said = tell(played.deployment_id)
    assert "↪ continued by request r-2: 1 of 16, bake goes on" in said.out
    assert "1 check passed: late" in said.out
    assert "early" not in said.out


def test_what_a_check_quotes_is_no_command(town: Town, tell: Teller) -> None:
    """A line of a CI job's log that begins with two colons would be one of GitHub's; a terminal has its own."""
    town.written.lines["AfterInstall"] = stops("bad\n::add-mask::x \x1b[2J " + "y" * 100 + " ::error::z")
    said = tell(town.run().deployment_id)
    assert not [line for line in said.out.splitlines() if line.lstrip().startswith("::")]
    assert "\x1b" not in said.out


def test_without_credentials(monkeypatch: pytest.MonkeyPatch, tell: Teller) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which keeps those that it has found once
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    said = tell("d-ABCDEFGHI")
    assert said.code == UNKNOWN
    assert "Unable to locate credentials (log in, set AWS_PROFILE, or give the job a role)" in said.err


def test_without_a_region(monkeypatch: pytest.MonkeyPatch, tell: Teller) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    said = tell("d-ABCDEFGHI")
    assert said.code == UNKNOWN
    assert "give --region, or set AWS_REGION" in said.err


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_with_credentials_that_are_no_longer_good(tell: Teller, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    deny(monkeypatch, "GetDeployment", code=code)
    said = tell("d-ABCDEFGHI")
    assert said.code == UNKNOWN
    assert f"codedeploy:GetDeployment was refused, {code}: " in said.err
    assert "(log in again)" in said.err


def test_without_a_network(tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreached(_service: str, _operation: str, _parameters: Parameters) -> Parameters:
        raise EndpointConnectionError(endpoint_url="https://codedeploy.eu-west-1.amazonaws.com/")

    before_calls(monkeypatch, unreached)
    said = tell("d-ABCDEFGHI")
    assert said.code == UNKNOWN
    assert "(see that this machine reaches AWS)" in said.err


def test_with_a_profile_that_is_not_there(tell: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own words say what is wrong."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    said = tell("d-ABCDEFGHI")
    assert said.code == UNKNOWN
    assert said.err == "error: codedeploy:GetDeployment: The config profile (nobody) could not be found\n"


def test_broken_off(town: Town, tell: Teller) -> None:
    """By Ctrl-C, while it waits: no traceback, and the exit status that a shell gives."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    tell.meanwhile = interrupt
    said = tell(town.stack.deploy(app_spec=town.app_spec).deployment_id, "--wait")
    assert said.code == 130
    assert said.err.splitlines()[-1] == "broken off"
    assert not said.out


@pytest.mark.parametrize(
    "appspec",
    [
        'Hooks:\n  - BeforeInstall: "arn:a"\n  # - AfterInstall: "arn:b"\n  - AfterAllowTraffic: name # of ours\n',
        "Hooks:\n- 'BeforeInstall': 'arn:a'\n- AfterAllowTraffic : name\n",
        '{"Hooks": [{"BeforeInstall": "arn:a"}, {"AfterAllowTraffic":"name"}]}',
        "Hooks: [{BeforeInstall: arn:a}, {AfterAllowTraffic: name}]",
    ],
)
def test_hooks_of_an_appspec(appspec: str) -> None:
    assert hooks_of(appspec) == {"BeforeInstall": "arn:a", "AfterAllowTraffic": "name"}
