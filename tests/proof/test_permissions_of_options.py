"""What an option needs is allowed with it and absent without: each option alone, beside the module's least inputs.

What the statements say, word for word, is tested in tests/policies.tftest.hcl.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.policies import ACCOUNT, HOOKS, OPTIONS, REGION, Policies, grants, merged, render

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/token-AbCdEf"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/key"


def header(hook: str, value: str) -> dict[str, Any]:
    """Return a check with a secret header, by a name of its own."""
    name = "X-Secret" if value == SECRET else "X-Parameter"
    return {hook: {"http_checks": {"front": {"secret_headers": {name: value}}}}}


EACH: dict[str, Mapping[str, Any]] = {
    **OPTIONS,
    "secret_in_tests": header("validate_test_traffic", SECRET),
    "secret_in_production": header("validate_production", SECRET),
    "parameter_in_tests": header("validate_test_traffic", PARAMETER),
    "parameter_in_production": header("validate_production", PARAMETER),
    "what_is_measured": {
        "validate_production": {
            "metrics": {"errors": {"namespace": "Shop", "metric_name": "Errors", "threshold_range": {"max": 1}}},
            "alarms": {"shop-5xx": "OK"},
            "load": {"rate": 1, "duration": 10},
            "baseline": {"max_worse_percent": 20},
        }
    },
    "plain_headers": {"validate_test_traffic": {"http_checks": {"front": {"headers": {"X-Key": "open"}}}}},
}
NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
MIGRATIONS = {
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
    "logs:GetLogEvents",
    "s3:GetObject",
    "s3:GetObjectVersion",
}
BY_ECS = {"ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"}
ROUTES = {"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"}  # by which green is told
SMOKE_TEST = {
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
    "logs:GetLogEvents",
}
# What comes with each option, by hook; for a hook that is not named, nothing does.
ADDED: dict[str, dict[str, set[str]]] = {
    "run_migrations": {"run_migrations": MIGRATIONS},
    "smoke_test_in_tests": {"validate_test_traffic": SMOKE_TEST},
    "smoke_test_in_production": {"validate_production": SMOKE_TEST},
    "hand_over": {},  # to invoke itself a function may always
    # One of both is read anyway by the preflight.
    "vpc_config": {
        hook: NETWORK - ({"ec2:DescribeSubnets"} if hook == "validate_before_install" else set()) for hook in HOOKS
    },
    "callers": {
        **dict.fromkeys(HOOKS, BY_ECS),
        "validate_deployment": BY_ECS | ROUTES,
        "run_migrations": BY_ECS | ROUTES | {"elasticloadbalancing:DescribeTargetGroups"},
    },
    "kms_key_arn": {hook: {"kms:Decrypt"} for hook in HOOKS},
    "image_tag_in_tests": {"validate_test_traffic": {"ecs:DescribeTaskDefinition"}},
    "image_tag_in_production": {"validate_production": {"ecs:DescribeTaskDefinition"}},
    "secret_in_tests": {"validate_test_traffic": {"secretsmanager:GetSecretValue"}},
    "secret_in_production": {"validate_production": {"secretsmanager:GetSecretValue"}},
    "parameter_in_tests": {"validate_test_traffic": {"ssm:GetParameter"}},
    "parameter_in_production": {"validate_production": {"ssm:GetParameter"}},
    "what_is_measured": {},
    "plain_headers": {},
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, Policies]:
    """The policies of the least inputs, with each option alone, and with all."""
    return render({"least": {}, **EACH, "all": merged(*EACH.values())})


def actions(policies: Policies, hook: str) -> set[str]:
    """Return all actions that a hook's policy allows."""
    return {grant.action for grant in grants(policies) if grant.hook == hook}


def added(rendered: dict[str, Policies], name: str) -> dict[str, set[str]]:
    """Return the actions that a set of inputs brings beside the least ones."""
    more = {hook: actions(rendered[name], hook) - actions(rendered["least"], hook) for hook in HOOKS}
    return {hook: found for hook, found in more.items() if found}


@pytest.mark.parametrize("option", EACH)
def test_an_option_brings_its_permissions_and_no_other(rendered: dict[str, Policies], option: str) -> None:
    """To its hook alone."""
    assert added(rendered, option) == ADDED[option]
    for hook in HOOKS:
        assert actions(rendered["least"], hook) <= actions(rendered[option], hook)


def test_together_options_bring_what_each_brings(rendered: dict[str, Policies]) -> None:
    """No permission comes with two options only: without an option its permissions are absent."""
    together: dict[str, set[str]] = {}
    for brought in ADDED.values():
        for hook, found in brought.items():
            together.setdefault(hook, set()).update(found)
    assert added(rendered, "all") == together
