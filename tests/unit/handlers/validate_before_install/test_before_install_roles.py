"""BeforeInstall: the roles of the tasks, and what CodeDeploy's own may do, by IAM's simulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import ACCOUNT, Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    Deploy,
    Event,
    State,
    answered,
    assert_state,
    before,
    of,
    shown,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
CODEDEPLOY = f"CodeDeploy's service role {ROLE}/shop-codedeploy"
FIX = "create it, or fix the task definition"
ALLOW = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
OF_OTHERS = {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}


def task_role(arn: str) -> Deploy:
    """Deploy a task definition with this task role."""
    return of(definition={"taskRoleArn": arn})


def trusting(*statements: Mapping[str, Any]) -> Deploy:
    """Deploy a task definition whose task role has this trust policy."""

    def event(stage: Stage) -> Event:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        return task_role(stage.iam.create_role(RoleName="odd", AssumeRolePolicyDocument=policy)["Role"]["Arn"])(stage)

    return event


def without_arn(stage: Stage, parameters: Any) -> Any:
    """GetRole's answer without the role's ARN."""
    answer = stage.iam.get_role(RoleName=parameters["RoleName"])
    del answer["Role"]["Arn"]
    return answer


def passes_one_role(stage: Stage) -> None:
    """CodeDeploy may pass the execution role alone."""
    stage.allow("shop-codedeploy", "iam:PassRole", stage.execution_role, iam_PassedToService="ecs-tasks.amazonaws.com")


def invokes_from_a_vpc(stage: Stage) -> None:
    """CodeDeploy's role may invoke from one VPC alone: IAM's simulator does not know from where it will call."""
    stage.create_hooks()
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*", aws_SourceVpc="vpc-1")


def invokes_in_its_region(stage: Stage) -> None:
    """A common condition; the region is known."""
    stage.create_hooks()
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*", aws_RequestedRegion=stage.region)


def without_one_function(stage: Stage) -> None:
    """CodeDeploy's role may invoke all functions but one, which the AppSpec has by its name."""
    stage.create_hooks()
    stage.hooks = {event: arn.rpartition(":")[2] for event, arn in stage.hooks.items()}
    others = [name for event, name in stage.hooks.items() if event != "AfterInstall"]
    arns = [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}" for name in others]
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", arns)


def of_nobody(stage: Stage) -> Event:
    """The deployment group has a role that is gone."""
    event = stage.at(EVENT)
    answer = stage.codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop")
    answer["deploymentGroupInfo"]["serviceRoleArn"] = f"{ROLE}/gone"
    stage.instead["codedeploy:GetDeploymentGroup"] = lambda _: answer
    return event


STATES = {
    "a task role that is not there": State(
        task_role(f"{ROLE}/gone"), "roles:task", "failed", f"task role {ROLE}/gone does not exist: {FIX}", alone=False
    ),
    "an execution role that is not there": State(
        of(definition={"executionRoleArn": f"{ROLE}/path/gone"}),
        "roles:execution",
        "failed",
        f"execution role {ROLE}/path/gone does not exist: {FIX}",
        alone=False,
    ),
    "a role of another path": State(
        # GetRole takes the name alone; ECS assumes the ARN as it is written.
        task_role(f"{ROLE}/other/path/shop-task"),
        "roles:task",
        "failed",
        f"task role {ROLE}/other/path/shop-task does not exist, only {ROLE}/shop-task does: fix the task definition",
        alone=False,
    ),
    "a role by its name": State(
        task_role("shop-task"), "roles:task", "passed", "task role shop-task exists and trusts ECS tasks"
    ),
    "a role of another account": State(
        task_role("arn:aws:iam::210987654321:role/x"),
        "roles:task",
        "skipped",
        "task role arn:aws:iam::210987654321:role/x is of another account: not looked at",
        alone=False,
    ),
    "no task role": State(shown(taskRoleArn=None), "roles:task", "skipped", "the task definition names no task role"),
    "no execution role": State(
        shown(executionRoleArn=None), "roles:execution", "skipped", "the task definition names no execution role"
    ),
    "no role at all": State(
        shown(executionRoleArn=None, taskRoleArn=None),
        "service_role:iam:PassRole",
        "skipped",
        "the task definition names no role by its ARN",
    ),
    "a role whose ARN IAM does not say": State(
        answered("iam:GetRole", without_arn),
        "roles:execution",
        "error",
        "IAM does not say the ARN of role shop-execution, so whether it is execution role …",
        alone=False,
    ),
    "CodeDeploy may not pass one of them": State(
        before(passes_one_role),
        "service_role:iam:PassRole",
        "failed",
        f"{CODEDEPLOY} may not pass to ECS {ROLE}/shop-task: no green task could be started; allow iam:PassRole on it",
    ),
    "CodeDeploy may not invoke one function": State(
        before(without_one_function),
        "service_role:lambda:InvokeFunction",
        "failed",
        f"{CODEDEPLOY} may not invoke arn:aws:lambda:eu-west-1:{ACCOUNT}:function:CodeDeployHook_shop-AfterInstall: "
        "attach the module's output invoke_policy_json or the managed policy AWSCodeDeployRoleForECS",
    ),
    "CodeDeploy may invoke from somewhere": State(
        before(invokes_from_a_vpc),
        "service_role:lambda:InvokeFunction",
        "skipped",
        f"{CODEDEPLOY}: it hangs on aws:SourceVpc, which is not known here, whether it may not invoke something",
    ),
    "CodeDeploy may invoke in its region": State(
        before(invokes_in_its_region),
        "service_role:lambda:InvokeFunction",
        "passed",
        f"{CODEDEPLOY} may do what it has to",
    ),
    "CodeDeploy's role is not there": State(
        of_nobody,
        "service_role:iam:PassRole",
        "failed",
        f"role {ROLE}/gone does not exist: create it, or fix what names it",
    ),
    "the simulator leaves the decision out": State(  # no word is no permission
        answered("iam:SimulatePrincipalPolicy", {"EvaluationResults": [], "IsTruncated": False}),
        "service_role:iam:PassRole",
        "error",
        f"IAM's simulator did not say whether {ROLE}/shop-codedeploy may iam:PassRole on {ROLE}/shop-execution",
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_roles(stage: Stage, judge: Judge, state: State) -> None:
    assert_state(stage, judge, state)


@pytest.mark.smoke
def test_the_missing_role_comes_before_what_follows_from_it(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, task_role(f"{ROLE}/gone")(stage))
    said = f"task role {ROLE}/gone does not exist: {FIX}"
    assert judgement.message == f"{said}; {judgement.check('service_role:iam:PassRole')[1]}"
    assert {"RoleName": "gone"} in stage.called("iam:GetRole")


@pytest.mark.parametrize(
    ("statements", "good"),
    [
        ([ALLOW], True),
        ([{**ALLOW, "Action": ["sts:AssumeRole", "sts:TagSession"]}], True),
        ([{**ALLOW, "Action": "sts:Assume*"}], True),
        ([{**ALLOW, "Principal": {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}}], True),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": OF_OTHERS}], True),
        ([{**ALLOW, "Effect": "Deny"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Principal": "*"}], False),
        ([{**ALLOW, "Action": "sts:TagSession"}], False),
        ([{**ALLOW, "Principal": {"AWS": "*"}}], False),
    ],
)
def test_trust_policies(stage: Stage, judge: Judge, statements: list[dict[str, Any]], good: bool) -> None:
    assert (judge(hook, trusting(*statements)(stage)).check("roles:task")[0] == "passed") is good


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ([], "failed"),
        (["aws:SourceVpc"], "skipped"),
        (["IAM:AssociatedResourceArn"], "skipped"),
        (["ecs:cluster"], "failed"),  # another service's key: of another statement
    ],
)
def test_what_a_denial_hangs_on_is_read_wherever_it_stands(
    stage: Stage, judge: Judge, below: bool, missing: list[str], expected: str
) -> None:
    """One that hangs on what nobody knows is not judged."""

    def answer(_stage: Stage, parameters: Mapping[str, Any]) -> Any:
        (arn,) = parameters["ResourceArns"]
        result = {"EvalActionName": "iam:PassRole", "EvalResourceName": arn, "EvalDecision": "explicitDeny"}
        part = {"EvalResourceName": arn, "EvalResourceDecision": "explicitDeny", "MissingContextValues": missing}
        alone = {**result, "MissingContextValues": missing}
        return {"EvaluationResults": [{**result, "ResourceSpecificResults": [part]} if below else alone]}

    judgement = judge(hook, answered("iam:SimulatePrincipalPolicy", answer)(stage))
    assert judgement.check("service_role:iam:PassRole")[0] == expected
