"""BeforeInstall: several things wrong at once, an AWS that is busy or answers nothing, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook
from gate.waiting import OutOfTime

from rehearsal.testing.stage import ACCOUNT, Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.helpers import EVENT

READS = (
    *("ecs:DescribeServices", "ecs:DescribeTaskDefinition", "elbv2:DescribeTargetGroups", "elbv2:DescribeListeners"),
    *("cloudwatch:DescribeAlarms", "codedeploy:GetApplicationRevision", "iam:GetRole", "ec2:DescribeSubnets"),
    *("elbv2:DescribeLoadBalancers", "elbv2:DescribeTargetHealth", "iam:SimulatePrincipalPolicy"),
)


@pytest.mark.smoke
def test_one_run_names_all_problems(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.iam.delete_role(RoleName="shop-task")
    stage.set_alarm("shop-5xx", "ALARM")
    stage.lead(stage.test_listener, {stage.create_target_group("frontend"): 1})
    judgement = judge(hook, event)
    assert not judgement.succeeded
    bad = {name for name, outcome in judgement.outcomes().items() if outcome not in ("passed", "skipped")}
    assert bad == {"log_groups:/ecs/shop", "roles:task", "alarms:shop-5xx", "test_weights"}
    assert judgement.message == (
        f"task role arn:aws:iam::{ACCOUNT}:role/shop-task does not exist: create it, or fix the task definition; "
        f"{judgement.check('log_groups:/ecs/shop')[1]}; {judgement.check('test_weights')[1]} "
        "(and 1 more: alarms:shop-5xx)"
    )


@pytest.mark.parametrize(
    ("operation", "answer", "check"),
    [
        ("elbv2:DescribeListeners", {"Listeners": []}, "production_weights"),
        ("elbv2:DescribeRules", {"Rules": []}, "listener_rules"),
        ("elbv2:DescribeTargetGroups", {}, "target_groups"),
        ("lambda:GetFunctionConfiguration", {"FunctionArn": "x"}, "hook_functions:AfterInstall"),
        ("secretsmanager:DescribeSecret", {}, "secrets:"),
        ("ecs:DescribeTaskDefinition", {}, "task_definition"),
        ("iam:GetRole", {}, "roles:task"),
        ("ecr:BatchGetImage", {}, "images:shop:2"),
    ],
)
def test_an_answer_without_what_was_asked_for_is_no_pass(
    stage: Stage, judge: Judge, operation: str, answer: dict[str, Any], check: str
) -> None:
    stage.create_hooks()
    event = stage.at(EVENT)
    stage.instead[operation] = lambda _: answer
    judgement = judge(hook, event)
    found = [name for name in judgement.outcomes() if name.startswith(check)]
    assert found
    for name in found:
        outcome, detail = judgement.check(name)
        assert outcome in ("failed", "error")
        assert "Error:" not in detail  # in words, not by an exception of Python's own


# When AWS is busy.


def test_a_throttled_look_is_taken_again(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ssm:DescribeParameters"] = refuse("ThrottlingException", "Rate exceeded")
    stage.instead["iam:GetRole"] = refuse("Throttling", "Rate exceeded")
    stage.clock.after(4, lambda: stage.instead.pop("iam:GetRole"))
    stage.clock.after(12, lambda: stage.instead.pop("ssm:DescribeParameters"))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert len(stage.called("ssm:DescribeParameters")) == 3


def test_what_stays_throttled_is_an_error_in_time(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    for name in READS:
        stage.instead[name] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "failed on every attempt (ThrottlingException: Rate exceeded)" in judgement.message
    assert stage.clock.now < 600


# Going back.


def test_on_a_rollback_deployment_it_only_warns(stage: Stage, judge: Judge) -> None:
    stage.at("BeforeAllowTraffic")
    stage.set_alarm("shop-5xx", "ALARM")
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    judgement = judge(hook, stage.rollback_at(EVENT))
    assert judgement.succeeded
    assert judgement.check("alarms:shop-5xx")[0] == "failed"
    assert judgement.check("stale_task_sets")[0] == "failed"
    assert judgement.check("test_weights")[0] == "failed"
    assert stage.clock.now == 0  # nothing is waited for
    assert " warned: " in judgement.message
    assert "log group /ecs/shop" in judgement.message
    assert {check["severity"] for check in judgement["checks"][1:]} == {"warn"}


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
def test_a_rollback_goes_on_even_if_nothing_can_be_looked_at(stage: Stage, judge: Judge, creator: str) -> None:
    stage.update_group(alarmConfiguration={"enabled": False})
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    answer = stage.codedeploy.get_deployment(deploymentId=event["DeploymentId"])
    answer["deploymentInfo"]["creator"] = creator
    stage.instead["codedeploy:GetDeployment"] = lambda _: answer
    for name in READS:
        stage.instead[name] = refuse("AccessDeniedException", status=403)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert {check["outcome"] for check in judgement["checks"][1:]} <= {"failed", "error", "skipped"}


def test_a_rollback_goes_on_even_if_the_hook_runs_out_of_time(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)

    def never(_parameters: Mapping[str, Any]) -> Any:
        raise OutOfTime

    stage.instead["iam:GetRole"] = never
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement["checks"][-1]["severity"] == "warn"
    assert "had not ended after" in judgement["checks"][-1]["detail"]
