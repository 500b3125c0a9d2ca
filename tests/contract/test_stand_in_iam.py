"""IAM: what the policy simulator says of a role, which moto does not simulate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

ROLE = "arn:aws:iam::123456789012:role/orders-task"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/orders"
PASS = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE}

Policy = dict[str, Any]
Simulate = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def iam(clients_of_test: dict[str, Any]) -> Any:
    """A client, on an account with a role that has no policies."""
    client = clients_of_test["iam"]
    client.create_role(RoleName="orders-task", AssumeRolePolicyDocument=document())
    return client


@pytest.fixture
def simulate(iam: Any) -> Simulate:
    """Give the role these statements, as one inline policy, and simulate."""

    def call(*statements: Policy, action: str = "iam:PassRole", **parameters: Any) -> list[dict[str, Any]]:
        if statements:
            iam.put_role_policy(RoleName="orders-task", PolicyName="own", PolicyDocument=document(*statements))
        context = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in parameters.pop("context", {}).items()
        ]
        given = {"PolicySourceArn": ROLE, "ActionNames": [action], "ContextEntries": context, **parameters}
        answer = iam.simulate_principal_policy(**given)
        assert answer["IsTruncated"] is False
        found: list[dict[str, Any]] = answer["EvaluationResults"]
        return found

    return call


def document(*statements: Policy) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_each_action_on_each_resource(simulate: Simulate) -> None:
    allow = {"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:Describe*"], "Resource": [REPOSITORY]}
    other = f"{REPOSITORY}-2"
    actions = ["ecr:BatchGetImage", "ecr:DescribeImages"]
    results = simulate(allow, ActionNames=actions, ResourceArns=[REPOSITORY, other])
    assert [(r["EvalActionName"], r["EvalResourceName"], r["EvalDecision"]) for r in results] == [
        (action, resource, "allowed" if resource == REPOSITORY else "implicitDeny")
        for action in actions
        for resource in (REPOSITORY, other)
    ]
    assert [r["MatchedStatements"] for r in results[:2]] == [[{"SourcePolicyId": "own"}], []]


def test_without_a_resource_all_are_meant(simulate: Simulate) -> None:
    """API reference: ResourceArns is `*` by default, which a statement on one resource does not allow."""
    (narrow,) = simulate(
        {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": REPOSITORY}, action="ecr:BatchGetImage"
    )
    assert (narrow["EvalResourceName"], narrow["EvalDecision"]) == ("*", "implicitDeny")
    (wide,) = simulate({"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}, action="ecr:BatchGetImage")
    assert wide["EvalDecision"] == "allowed"
    assert "ResourceSpecificResults" not in wide


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({}, "allowed"),
        ({"Action": "iam:passrole"}, "allowed"),
        ({"Action": "iam:Pass?ole"}, "allowed"),
        ({"Action": "iam:Pass.ole"}, "implicitDeny"),
        ({"Action": "*"}, "allowed"),
        ({"Action": "iam:GetRole"}, "implicitDeny"),
        ({"Action": None, "NotAction": "iam:GetRole"}, "allowed"),
        ({"Action": None, "NotAction": ["iam:*"]}, "implicitDeny"),
        ({"Resource": "arn:aws:iam::*:role/orders-*"}, "allowed"),
        ({"Resource": ROLE.replace("orders", "Orders")}, "implicitDeny"),
        ({"Resource": None, "NotResource": f"{ROLE}?"}, "allowed"),
        ({"Resource": None, "NotResource": ROLE}, "implicitDeny"),
        ({"Effect": "Deny"}, "explicitDeny"),
    ],
)
def test_what_a_statement_is_about(simulate: Simulate, statement: Policy, decision: str) -> None:
    """User guide, elements of policies: actions in any case, resources not; moto knows neither `?` nor NotResource."""
    merged = {key: value for key, value in {**PASS, **statement}.items() if value is not None}
    (result,) = simulate(merged, ResourceArns=[ROLE])
    assert result["EvalDecision"] == decision


def test_an_explicit_denial_comes_first(simulate: Simulate) -> None:
    (result,) = simulate(PASS, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, ResourceArns=[ROLE])
    assert result["EvalDecision"] == "explicitDeny"
    assert len(result["MatchedStatements"]) == 1


@pytest.mark.parametrize(
    ("condition", "context", "decision"),
    [
        ({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, "ecs-tasks.amazonaws.com", "allowed"),
        (
            {"StringEquals": {"IAM:passedtoservice": ["a.b", "ecs-tasks.amazonaws.com"]}},
            "ecs-tasks.amazonaws.com",
            "allowed",
        ),
        ({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, "lambda.amazonaws.com", "implicitDeny"),
        ({"StringEquals": {"iam:PassedToService": "ecs-*"}}, "ecs-tasks.amazonaws.com", "implicitDeny"),
        ({"StringLike": {"iam:PassedToService": "ecs-*.amazonaws.com*"}}, "ecs-tasks.amazonaws.com", "allowed"),
        ({"StringNotEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}, "ecs-tasks.amazonaws.com", "allowed"),
        ({"StringNotEquals": {"iam:PassedToService": ["a.b", "c.d"]}}, "c.d", "implicitDeny"),
        ({"ForAnyValue:StringLike": {"iam:PassedToService": "*.b"}}, "a.b", "allowed"),
        ({"Null": {"iam:PassedToService": "false"}}, "a.b", "allowed"),
        ({"ArnLike": {"iam:PassedToService": "arn:aws:iam::*:role/x"}}, "arn:aws:iam::1:role/x", "allowed"),
        ({"ArnEquals": {"iam:PassedToService": "arn:aws:*:role/x"}}, "arn:aws:iam::1:role/x", "implicitDeny"),
        ({"Bool": {"iam:PassedToService": True}}, "True", "allowed"),
        ({"Bool": {"iam:PassedToService": "true"}}, "false", "implicitDeny"),
    ],
)
def test_conditions_with_their_values(simulate: Simulate, condition: Policy, context: str, decision: str) -> None:
    """User guide, condition operators; moto ignores all but one."""
    (result,) = simulate(
        {**PASS, "Condition": condition}, ResourceArns=[ROLE], context={"iam:PassedToService": context}
    )
    assert result["EvalDecision"] == decision
    assert result["ResourceSpecificResults"][0]["MissingContextValues"] == []


@pytest.mark.parametrize(
    ("operator", "decision", "missing"),
    [
        ("StringEquals", "implicitDeny", ["aws:SourceVpc"]),
        ("StringEqualsIfExists", "allowed", []),
        ("StringNotEquals", "allowed", ["aws:SourceVpc"]),
        ("ForAnyValue:StringNotEquals", "implicitDeny", ["aws:SourceVpc"]),
        ("ForAllValues:StringEquals", "allowed", ["aws:SourceVpc"]),
    ],
)
def test_a_key_that_is_not_given(simulate: Simulate, operator: str, decision: str, missing: list[str]) -> None:
    """User guide: such a condition does not hold, unless it is negated or optional; the simulator names the key."""
    (result,) = simulate({**PASS, "Condition": {operator: {"aws:SourceVpc": "vpc-1"}}}, ResourceArns=[ROLE])
    (specific,) = result["ResourceSpecificResults"]
    assert (result["EvalDecision"], specific["EvalResourceDecision"]) == (decision, decision)
    assert specific["EvalResourceName"] == ROLE
    # API reference, EvaluationResult: with resources named, the keys are in the results of each.
    assert (result["MissingContextValues"], specific["MissingContextValues"]) == ([], missing)


def test_a_missing_key_without_resources(simulate: Simulate) -> None:
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:SecureTransport": "true"}}
    (result,) = simulate({**PASS, "Resource": "*", "Condition": condition})
    assert result["MissingContextValues"] == ["aws:SourceVpc", "aws:SecureTransport"]


def test_attached_policies_count(iam: Any, simulate: Simulate) -> None:
    """One of the account's, in the version that is its default, and one of AWS's own."""
    own = iam.create_policy(PolicyName="pull", PolicyDocument=document(PASS))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="orders-task", PolicyArn=own)
    assert simulate(action="ssm:GetParameters")[0]["EvalDecision"] == "implicitDeny"
    allow = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}
    iam.create_policy_version(PolicyArn=own, PolicyDocument=document(allow), SetAsDefault=True)
    assert simulate(action="ssm:GetParameters")[0]["MatchedStatements"] == [{"SourcePolicyId": "pull"}]
    execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="orders-task", PolicyArn=execution)
    (result,) = simulate(action="logs:PutLogEvents", ResourceArns=["arn:aws:logs:eu-west-1:123456789012:log-group:x"])
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"] == [{"SourcePolicyId": "AmazonECSTaskExecutionRolePolicy"}]


@pytest.mark.parametrize(
    ("statement", "decision", "within"),
    [
        (PASS, "allowed", True),
        ({**PASS, "Action": "ecs:*"}, "implicitDeny", False),
        ({**PASS, "Effect": "Deny"}, "explicitDeny", False),
    ],
)
def test_a_permissions_boundary_limits(
    iam: Any, simulate: Simulate, statement: Policy, decision: str, within: bool
) -> None:
    """User guide, permissions boundaries: allowed is what both allow, and each may deny."""
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document(statement))["Policy"]["Arn"]
    assert "PermissionsBoundaryDecisionDetail" not in simulate(PASS, ResourceArns=[ROLE])[0]
    iam.put_role_permissions_boundary(RoleName="orders-task", PermissionsBoundary=boundary)
    (result,) = simulate(ResourceArns=[ROLE])
    assert result["EvalDecision"] == decision
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": within}
    iam.delete_role_policy(RoleName="orders-task", PolicyName="own")
    assert simulate(ResourceArns=[ROLE])[0]["EvalDecision"] != "allowed"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"PolicySourceArn": f"{ROLE}-2"}, "NoSuchEntity"),
        ({"PolicySourceArn": "arn:aws:sts::123456789012:assumed-role/orders-task/x"}, "InvalidInput"),
        ({"ActionNames": ["iam:*"]}, "InvalidInput"),
    ],
)
def test_what_the_simulator_refuses(iam: Any, refused: Any, parameters: dict[str, Any], code: str) -> None:
    given = {"PolicySourceArn": ROLE, "ActionNames": ["iam:PassRole"], **parameters}
    assert refused(iam.simulate_principal_policy, **given)[0] == code


def test_a_missing_role_is_not_found(iam: Any) -> None:
    with pytest.raises(iam.exceptions.NoSuchEntityException) as caught:
        iam.simulate_principal_policy(PolicySourceArn=f"{ROLE}-2", ActionNames=["iam:PassRole"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert "orders-task-2" in caught.value.response["Error"]["Message"]


def test_a_condition_that_is_not_known_gets_no_answer(simulate: Simulate) -> None:
    """Better no answer than a wrong one."""
    with pytest.raises(Exception, match="DateGreaterThan"):
        simulate({**PASS, "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}}, ResourceArns=[ROLE])
