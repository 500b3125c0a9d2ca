"""BeforeInstall: every check passes in a sound environment and speaks up in one that is broken at just that place."""

from __future__ import annotations

import pytest
import validate_before_install as hook
from gate.names import Named
from gate.platforms.codedeploy import OF_ECS
from gate.verdict import Severity

from rehearsal.testing.stage import Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.breaks import BREAKS
from tests.unit.handlers.validate_before_install.helpers import EVENT

CHECKS: tuple[Named, ...] = tuple(
    check
    for check in hook.handler.names  # type: ignore[attr-defined]  # a function takes any attribute
    if check.name not in OF_ECS
)
every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """An AppSpec with all five hooks."""
    stage.create_hooks()


@pytest.mark.smoke
def test_every_check_passes_in_a_sound_environment(stage: Stage, judge: Judge) -> None:
    """But for the architecture of an image for one platform, which its manifest does not tell."""
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    outcomes = {check["name"].partition(":")[0]: check["outcome"] for check in judgement["checks"][1:]}
    assert outcomes == {name: "skipped" if name == "cpu_architecture" else "passed" for name in BREAKS}
    assert list(outcomes) == [check.name for check in CHECKS], "made in the order in which they are declared"
    assert {each["outcome"] for each in judgement["checks"] if each["name"] != "cpu_architecture"} == {"passed"}


@pytest.mark.smoke
def test_every_check_is_broken_once_in_the_order_of_the_handler() -> None:
    assert list(BREAKS) == [check.name for check in CHECKS]


@every_check
def test_every_check_speaks_up(stage: Stage, judge: Judge, check: Named) -> None:
    """With the value found; one that is only a warning does not stop the deployment."""
    make, words = BREAKS[check.name]
    judgement = judge(hook, make(stage))
    found = [each for each in judgement["checks"] if each["name"].partition(":")[0] == check.name]
    telling = [each for each in found if each["outcome"] != "passed"]
    assert telling
    assert any(words in each["detail"] for each in telling), [each["detail"] for each in telling]
    # What cannot be read cannot be looked at; everything else was, and is wrong.
    assert {each["outcome"] for each in telling} == {"error" if check.name == "appspec" else "failed"}
    assert {each["severity"] for each in found} == {check.severity.value}
    assert judgement.succeeded is (check.severity is Severity.WARN)
    assert (" warned: " in judgement.message) is judgement.succeeded


def test_every_check_can_be_left_out_visibly(stage: Stage, judge: Judge) -> None:
    """All but one, or nothing would be confirmed."""
    left_out = [check.name for check in CHECKS if check.name != "task_definition"]
    judgement = judge(hook, stage.at(EVENT), checks=dict.fromkeys(left_out, "skip"))
    assert judgement.succeeded
    for name in left_out:
        assert judgement.check(name) == ("skipped", "left out by the option `checks`")
    needed = {"codedeploy:GetApplicationRevision", "ecs:DescribeTaskDefinition"}
    assert {call.name for call in stage.calls if not call.name.startswith("codedeploy:GetDeployment")} == {
        *needed,
        "codedeploy:PutLifecycleEventHookExecutionStatus",
    }


def test_a_name_that_no_check_has_is_said(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), checks={"imags": "skip", "images:shop:2": "warn"})
    assert judgement.succeeded
    outcome, detail = judgement.check("checks")
    assert outcome == "failed"
    assert detail.startswith("the option checks names imags, which this hook does not have; it has service, blue_tar")
    assert judgement.check("images:shop:2")[0] == "passed"


def test_a_name_that_no_check_has_makes_nothing_confirmed(stage: Stage, judge: Judge) -> None:
    """A typing mistake must not let a deployment pass that nobody has looked at."""
    stage.hooks.clear()
    checks = {**dict.fromkeys(BREAKS, "skip"), "hook_functions": "fail", "typo": "warn"}
    judgement = judge(hook, stage.at(EVENT), checks=checks)
    assert not judgement.succeeded
    assert judgement.message.startswith("nothing could be confirmed: ")


def test_severities_by_the_names_of_checks(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.iam.delete_role(RoleName="shop-task")
    stage.set_alarm("shop-5xx", "ALARM")
    chosen = {
        "log_groups": "warn",
        "alarms:shop-5xx": "warn",
        "roles:task": "warn",
        "service_role:iam:PassRole": "skip",
    }
    judgement = judge(hook, event, checks={**chosen, "images": "skip", "cpu_architecture": "skip"})
    assert judgement.succeeded
    assert "3 warned: task role arn:aws:iam::123456789012:role/shop-task does not exist" in judgement.message
    assert judgement.check("images") == ("skipped", "left out by the option `checks`")
    assert not stage.called("ecr:BatchGetImage")


# What each check asks of AWS, by its name in IAM; the first row is what every hook asks to know whose deployment it is.
READS = {
    "codedeploy:GetDeployment": "deployment",
    "codedeploy:GetDeploymentGroup": "deployment",
    "codedeploy:GetApplicationRevision": "appspec",
    "ecs:DescribeServices": "service",
    "ecs:DescribeTaskDefinition": "task_definition",
    "elasticloadbalancing:DescribeTargetGroups": "target_groups",
    "elasticloadbalancing:DescribeTargetHealth": "blue_targets",
    "elasticloadbalancing:DescribeListeners": "production_weights",
    "elasticloadbalancing:DescribeRules": "production_weights",
    "elasticloadbalancing:DescribeLoadBalancers": "availability_zones",
    "ec2:DescribeSubnets": "free_addresses",
    "ec2:DescribeSecurityGroups": "requests:AfterAllowTestTraffic",
    "cloudwatch:DescribeAlarms": "alarms",
    "ecr:BatchGetImage": "images:shop:2",
    "iam:GetRole": "roles:execution",
    "iam:SimulatePrincipalPolicy": "service_role:iam:PassRole",
    "lambda:GetFunctionConfiguration": "hook_functions:AfterInstall",
    "secretsmanager:DescribeSecret": "secrets:",
    "ssm:DescribeParameters": "parameters:/shop/api-key",
    "logs:DescribeLogGroups": "log_groups:/ecs/shop",
}


@pytest.mark.parametrize(("action", "check"), READS.items())
def test_a_missing_permission_is_an_error_that_names_the_action(
    stage: Stage, judge: Judge, action: str, check: str
) -> None:
    stage.change_load_balancer(SecurityGroups=[stage.security_group])
    event = stage.at(EVENT)
    operation = action.replace("elasticloadbalancing:", "elbv2:")
    stage.instead[operation] = refuse("AccessDeniedException", "no identity-based policy allows it", 403)
    judgement = judge(hook, event)
    named = [name for name in judgement.outcomes() if name == check or (name.startswith(check) and check[-1] == ":")]
    said = f"{action} was denied: allow it in this hook's role"
    assert len(named) == 1
    outcome, detail = judgement.check(named[0])
    assert outcome == "error"
    assert detail.startswith(said)
    assert said in judgement.message
    assert not judgement.succeeded


def test_it_only_reads_what_is_listed_and_never_the_value_of_a_secret(stage: Stage, judge: Judge) -> None:
    stage.change_load_balancer(SecurityGroups=[stage.security_group])
    judge(hook, stage.at(EVENT))
    called = {call.name.replace("elbv2:", "elasticloadbalancing:") for call in stage.calls}
    assert called == {*READS, "codedeploy:PutLifecycleEventHookExecutionStatus"}


# Going back.


@every_check
def test_no_check_stands_in_the_way_of_a_rollback(stage: Stage, judge: Judge, check: Named) -> None:
    """Not even one that the user made stricter."""
    make, _ = BREAKS[check.name]
    make(stage)
    judgement = judge(hook, stage.rollback_at(EVENT), checks={check.name: "fail"})
    assert judgement.succeeded
    assert {each["severity"] for each in judgement["checks"][1:]} == {"warn"}
