"""The load balancer: target health and listener actions, against what was recorded on AWS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rehearsal.aws import elbv2
from rehearsal.aws.stack import Stack
from rehearsal.aws.world import ScriptedWorld, TargetState


def listener(stack: Stack, arn: str) -> dict[str, Any]:
    (found,) = stack.client("elbv2").describe_listeners(ListenerArns=[arn])["Listeners"]
    action: dict[str, Any] = found["DefaultActions"][0]
    return action


# Records.


def test_the_production_listener_reads_back_with_both_groups(stack: Stack) -> None:
    """Record: declared with one target group, it is a weighted forward to both (100/0) before any deployment."""
    action = listener(stack, stack.production_listener)
    assert action["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": stack.blue_group, "Weight": 100},
        {"TargetGroupArn": stack.green_group, "Weight": 0},
    ]
    assert "TargetGroupArn" not in action


def test_the_test_listener_reads_back_with_its_group(stack: Stack) -> None:
    """Record: `DefaultActions[0].TargetGroupArn` is present on the test listener."""
    action = listener(stack, stack.test_listener)
    assert action["TargetGroupArn"] == stack.blue_group
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": stack.blue_group, "Weight": 1}]


def test_a_listener_that_is_weighted_already_is_left_alone(stack: Stack) -> None:
    stack.forward(stack.production_listener, {stack.blue_group: 90, stack.green_group: 10})
    stack.client("codedeploy").update_deployment_group(
        applicationName="orders",
        currentDeploymentGroupName="orders",
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
    )
    groups = listener(stack, stack.production_listener)["ForwardConfig"]["TargetGroups"]
    assert [group["Weight"] for group in groups] == [90, 10]


def test_a_group_at_weight_zero_is_checked(stack: Stack, scripted: ScriptedWorld) -> None:
    """Record: at weight 0 a group counts as used, and its targets are checked from Install on."""
    scripted.target_health["orders-2"] = TargetState("unhealthy", "Target.ResponseCodeMismatch", "503")
    stack.run_until(stack.deploy(), "AfterInstall")
    states = stack.health(stack.green_group)
    assert [(state, reason) for _, state, reason in states] == [("unhealthy", "Target.ResponseCodeMismatch")] * 2


def test_a_group_in_no_rule_is_unused(stack: Stack) -> None:
    """AWS: no health checks there; targets are unused, Target.NotInUse."""
    stack.forward(stack.production_listener, {stack.blue_group: 1})
    stack.run_until(stack.deploy(), "AfterInstall")
    assert [(state, reason) for _, state, reason in stack.health(stack.green_group)] == [
        ("unused", "Target.NotInUse")
    ] * 2
    stack.forward(stack.test_listener, {stack.green_group: 1})
    assert [state for _, state, _ in stack.health(stack.green_group)] == ["healthy"] * 2


# Traps.


@pytest.mark.parametrize(
    "state",
    [
        TargetState("initial", "Elb.RegistrationInProgress", "Target registration is in progress"),
        TargetState("initial", "Elb.InitialHealthChecking", "Initial health checks in progress"),
        TargetState("unhealthy", "Target.Timeout", "Request timed out"),
        TargetState("healthy"),
    ],
)
def test_ip_targets_have_the_state_of_the_world(stack: Stack, scripted: ScriptedWorld, state: TargetState) -> None:
    """moto says healthy of every ip target."""
    (first, *_), second = stack.health(stack.blue_group)
    scripted.target_health[first] = state
    found = stack.client("elbv2").describe_target_health(TargetGroupArn=stack.blue_group)["TargetHealthDescriptions"]
    health = {each["Target"]["Id"]: each["TargetHealth"] for each in found}[first]
    assert (health["State"], health.get("Reason"), health.get("Description")) == (
        state.state,
        state.reason,
        state.description,
    )
    assert stack.health(stack.blue_group)[1] == second


def test_a_deregistered_target_is_draining_until_its_delay_has_passed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS: draining, Target.DeregistrationInProgress; then no longer listed, and unused if asked for by name."""
    client = stack.client("elbv2")
    client.modify_target_group_attributes(
        TargetGroupArn=stack.blue_group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    )
    before = stack.health(stack.blue_group)
    stack.client("ecs").update_service(cluster="shop", service="orders", desiredCount=1)
    states = {address: (state, reason) for address, state, reason in stack.health(stack.blue_group)}
    assert sorted(states.values(), key=str) == [
        ("draining", "Target.DeregistrationInProgress"),
        ("healthy", None),
    ]
    gone = next(address for address, (state, _) in states.items() if state == "draining")
    later = datetime.now().astimezone().replace(tzinfo=None) + timedelta(days=1)
    monkeypatch.setattr(elbv2, "utcnow", lambda: later)
    assert len(stack.health(stack.blue_group)) == len(before) - 1
    (asked,) = client.describe_target_health(TargetGroupArn=stack.blue_group, Targets=[{"Id": gone, "Port": 8000}])[
        "TargetHealthDescriptions"
    ]
    assert (asked["TargetHealth"]["State"], asked["TargetHealth"]["Reason"]) == ("unused", "Target.NotRegistered")


def test_only_the_properties_given_are_modified(stack: Stack) -> None:
    """moto fails when a listener is modified without actions."""
    stack.client("elbv2").modify_listener(ListenerArn=stack.test_listener, Port=9090)
    (found,) = stack.client("elbv2").describe_listeners(ListenerArns=[stack.test_listener])["Listeners"]
    assert found["Port"] == 9090
    assert found["DefaultActions"][0]["TargetGroupArn"] == stack.blue_group


def test_a_rule_counts_as_use(stack: Stack) -> None:
    stack.forward(stack.production_listener, {stack.blue_group: 1})
    stack.client("elbv2").create_rule(
        ListenerArn=stack.test_listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": stack.green_group}],
    )
    stack.run_until(stack.deploy(), "AfterInstall")
    assert {state for _, state, _ in stack.health(stack.green_group)} == {"healthy"}


def test_errors_are_those_of_the_model(stack: Stack, refused: Any) -> None:
    client = stack.client("elbv2")
    missing = stack.blue_group[:-4] + "0000"
    assert refused(client.describe_target_health, TargetGroupArn=missing)[0] == "TargetGroupNotFound"
    assert refused(client.describe_target_groups, Names=["nothing"])[0] == "TargetGroupNotFound"


def test_a_target_group_names_the_load_balancers_that_lead_to_it_now(stack: Stack) -> None:
    """moto names those whose listener was created with the group, twice for two listeners."""

    def balancers() -> dict[str, list[str]]:
        found = stack.client("elbv2").describe_target_groups()["TargetGroups"]
        return {group["TargetGroupArn"]: group["LoadBalancerArns"] for group in found}

    assert balancers() == {arn: [stack.load_balancer_arn] for arn in (stack.blue_group, stack.green_group)}
    stack.forward(stack.production_listener, {stack.blue_group: 1})
    assert balancers() == {stack.blue_group: [stack.load_balancer_arn], stack.green_group: []}
