"""The healthy deployment's five hooks with IAM enforced by moto: each signs with a session of a role as rendered.

moto judges an operation by its name and a resource, which it takes from `_determine_resource` where a service has that
method: here every service has it, by the same rules as everywhere in the tests. What moto cannot judge is said below.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
import run_migrations
import validate_before_install
import validate_deployment
import validate_production
import validate_test_traffic
from gate import aws
from gate.platforms.codedeploy import ReportFailed
from moto.core.authorization import enable_iam_authentication
from moto.core.responses import BaseResponse
from moto.iam.access_control import IAMRequestBase
from moto.iam.responses import IamResponse

from rehearsal.aws.iam_requests import asked_by
from rehearsal.calls import _call
from rehearsal.testing.stage import Call, Judge, Judgement, Stage
from tests.policies import Policies, render
from tests.recording import NAME
from tests.unit.handlers import conftest

# The fixtures of the tests of handlers.
clock, stage, judge, site, now = conftest.clock, conftest.stage, conftest.judge, conftest.site, conftest.now

HOOKS: dict[str, tuple[ModuleType, str, dict[str, Any]]] = {
    "validate_before_install": (validate_before_install, "BeforeInstall", {}),
    "validate_deployment": (validate_deployment, "AfterInstall", {}),
    "validate_test_traffic": (validate_test_traffic, "AfterAllowTestTraffic", {}),
    "run_migrations": (run_migrations, "BeforeAllowTraffic", {"command": ["alembic", "upgrade", "head"]}),
    "validate_production": (
        validate_production,
        "AfterAllowTraffic",
        {"alarms": {"shop-5xx": "OK"}, "checks": {"traffic": "skip"}},  # nobody publishes what is sent here
    ),
}
REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"
EVERY = ["codedeploy:GetDeployment", "codedeploy:GetDeploymentGroup", REPORT, "ecs:DescribeServices"]
TARGETS = ["elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]
LISTENERS = [
    *("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers"),
    "elasticloadbalancing:DescribeRules",
]
# What each hook calls for a healthy deployment, and moto judges.
ENFORCED = {
    "validate_before_install": [
        *EVERY,
        *TARGETS,
        *LISTENERS,
        "cloudwatch:DescribeAlarms",
        "codedeploy:GetApplicationRevision",
        "ec2:DescribeSubnets",
        "ecr:BatchGetImage",
        "ecs:DescribeTaskDefinition",
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "logs:DescribeLogGroups",
        "secretsmanager:DescribeSecret",
        "ssm:DescribeParameters",
    ],
    "validate_deployment": [*EVERY, *TARGETS, "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks"],
    "validate_test_traffic": [*EVERY, *TARGETS, *LISTENERS],
    "run_migrations": [*EVERY, "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:RunTask"],
    "validate_production": [
        *EVERY,
        *TARGETS,
        *LISTENERS,
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "codedeploy:GetDeploymentTarget",
    ],
}
# Where moto's name of an action is not IAM's: it takes that of the endpoint.
MOTO_NAMES = {"cloudwatch:": "monitoring:"}
# What moto cannot enforce, and why; the recorded calls are judged by all of it.
NOT_ENFORCED = {
    "iam:PassRole": "no operation of its own: moto does not ask for it when a task is run",
    "ecs:TagResource": "as above, when a task is run with tags",
    "lambda:GetFunctionConfiguration": "moto calculates another signature of a path with an ARN in it",
    "lambda:InvokeFunction": "as above",
    "conditions": "moto judges those of trust policies only; a statement is judged by action and resource",
}


@pytest.fixture(scope="module")
def policies() -> Policies:
    """The policies of a module that runs migrations."""
    return render({"migrating": {"run_migrations": {"command": ["migrate"]}}})["migrating"]


class Role:
    """The role of a hook's function, in moto, and what moto has judged of its calls."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stage, self._monkeypatch = stage, monkeypatch
        self.judged: set[str] = set()
        self._arn = stage.create_role("hook", trusts="lambda.amazonaws.com")
        check = IAMRequestBase.check_action_permitted

        def noted(request: IAMRequestBase, resource: str) -> None:
            self.judged.add(request._action)
            check(request, resource)

        monkeypatch.setattr(IAMRequestBase, "check_action_permitted", noted)

    def play(self, statements: list[dict[str, Any]], run: Callable[[], Judgement]) -> Judgement:
        """Run a hook with the credentials of a session of the role, which has these statements."""
        document = json.dumps({"Version": "2012-10-17", "Statement": [_for_moto(each) for each in statements]})
        self._stage.iam.put_role_policy(RoleName="hook", PolicyName="hook", PolicyDocument=document)
        sts: Any = boto3.client("sts")
        session = sts.assume_role(RoleArn=self._arn, RoleSessionName="run")["Credentials"]

        @functools.cache
        def client(service: str, region_name: str | None = None, **_config: Any) -> Any:
            return boto3.session.Session(
                session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"], self._stage.region
            ).client(service, region_name=region_name)  # type: ignore[call-overload]

        def judged(_call: Call, answer: Callable[[], Any]) -> Any:
            with enable_iam_authentication():
                return answer()

        aws.client.cache_clear()
        aws.try_again()
        with self._monkeypatch.context() as patch:
            patch.setattr(boto3, "client", client)
            patch.setattr(self._stage, "around", judged)
            patch.setattr(BaseResponse, "_determine_resource", _resource_of, raising=False)
            patch.delattr(IamResponse, "_determine_resource")
            self._stage.calls.clear()
            return run()


def _resource_of(response: BaseResponse) -> str:
    """Return the resource of the operation itself; of several the first, for moto judges one."""
    return asked_by(_call(response))[0].resource


def _for_moto(statement: dict[str, Any]) -> dict[str, Any]:
    """Write a statement in moto's words."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    for ours, theirs in MOTO_NAMES.items():
        actions = [action.replace(ours, theirs) for action in actions]
    return {key: value for key, value in statement.items() if key != "Condition"} | {"Action": actions}


def _for_iam(action: str) -> str:
    for ours, theirs in MOTO_NAMES.items():
        action = action.replace(theirs, ours)
    return action


@pytest.fixture
def role(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Role:
    """The role of the hook that is tried."""
    return Role(stage, monkeypatch)


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.usefixtures("site", "now")
def test_a_hook_needs_no_more_than_its_policy(
    *,
    stage: Stage,
    judge: Judge,
    role: Role,
    policies: Policies,
    name: str,
    request: pytest.FixtureRequest,
) -> None:
    """It passes, and moto has judged each of its calls."""
    hook, event, settings = HOOKS[name]
    delivered = stage.at(event)
    judgement = role.play(policies[name], lambda: judge(hook, delivered, **settings))
    assert judgement.succeeded
    assert [check for check in judgement["checks"] if "was denied" in check["detail"]] == []
    assert set(map(_for_iam, role.judged)) == set(ENFORCED[name])
    assert len({call.name for call in stage.calls}) == len(role.judged)
    recording: Any = request.config.pluginmanager.get_plugin(NAME)
    recording.noted.enforced.update(f"{name}: {action}" for action in ENFORCED[name])
    recording.noted.remarks.update(f"not enforced by moto    {what}: {why}" for what, why in NOT_ENFORCED.items())


@pytest.mark.parametrize(("name", "action"), [(name, action) for name in HOOKS for action in ENFORCED[name]])
@pytest.mark.usefixtures("site", "now")
def test_without_one_permission_a_hook_fails_and_names_it(
    *,
    stage: Stage,
    judge: Judge,
    role: Role,
    policies: Policies,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    action: str,
) -> None:
    """Whichever it is, apart from what may only warn."""
    hook, event, settings = HOOKS[name]
    delivered = stage.at(event)
    less = _without(policies[name], action)
    if action == REPORT:
        # It tries for as long as there is time, which goes by the test's clock here.
        times = SimpleNamespace(time=time.time, monotonic=stage.clock.time, sleep=stage.clock.sleep)
        for module in ("runner", "runtime", "platforms.codedeploy"):
            monkeypatch.setattr(f"gate.{module}.time", times)
        with pytest.raises(ReportFailed, match=f"{REPORT} was denied"):
            role.play(less, lambda: judge(hook, delivered, **settings))
        return
    judgement = role.play(less, lambda: judge(hook, delivered, **settings))
    said = f"{action} was denied: allow it in this hook's role"
    denied = {str(check["name"]): str(check["outcome"]) for check in judgement["checks"] if said in check["detail"]}
    assert "error" in denied.values()
    assert not judgement.succeeded
    assert f"{action} was denied" in judgement.message


def _without(statements: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """Take one action out of a policy."""
    listed = [
        {**each, "Action": each["Action"] if isinstance(each["Action"], list) else [each["Action"]]}
        for each in statements
    ]
    less = [{**each, "Action": [one for one in each["Action"] if one != action]} for each in listed]
    assert less != listed
    return [each for each in less if each["Action"]]
