"""The load balancer: target health and listener actions, against what was recorded on AWS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rehearsal.aws import elbv2
from rehearsal.aws import stack as stacks
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


# Network load balancers.


@pytest.fixture
def network(clients_of_test: dict[str, Any]) -> Stack:
    """A service behind a network load balancer, with its deployment group."""
    return stacks.build(clients=clients_of_test, balancer_type="network")


def test_a_network_load_balancer_is_one_by_its_arn(network: Stack) -> None:
    """moto has `app` in every ARN. Facing the internet is the default (API reference, CreateLoadBalancer)."""
    (found,) = network.client("elbv2").describe_load_balancers(LoadBalancerArns=[network.load_balancer_arn])[
        "LoadBalancers"
    ]
    assert (found["Type"], found["Scheme"]) == ("network", "internet-facing")
    assert ":loadbalancer/net/shop/" in network.load_balancer_arn
    assert ":listener/net/shop/" in network.production_listener


def test_tags_of_a_network_load_balancer_are_kept(network: Stack) -> None:
    client = network.client("elbv2")
    tags = [{"Key": "stage", "Value": "test"}]
    arn = client.create_load_balancer(Name="other", Type="network", Subnets=network.subnets, Tags=tags)[
        "LoadBalancers"
    ][0]["LoadBalancerArn"]
    (found,) = client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert found["Tags"] == tags


def test_a_deployment_behind_a_network_load_balancer(network: Stack, scripted: ScriptedWorld) -> None:
    """Its listener forwards to one target group at a time: green is checked from the test listener on."""
    assert listener(network, network.production_listener)["TargetGroupArn"] == network.blue_group
    deployment = network.deploy()
    network.run_until(deployment, "AfterInstall")
    assert {state for _, state, _ in network.health(network.blue_group)} == {"healthy"}
    assert {reason for _, _, reason in network.health(network.green_group)} == {"Target.NotInUse"}
    network.run_until(deployment, "AfterAllowTestTraffic")
    scripted.target_health["orders-2"] = TargetState("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    assert [state for _, state, _ in network.health(network.green_group)] == ["unhealthy"] * 2
    network.run_until(deployment, "AfterAllowTraffic")
    assert listener(network, network.production_listener)["TargetGroupArn"] == network.green_group


def test_a_network_load_balancer_takes_no_http(network: Stack, refused: Any) -> None:
    client = network.client("elbv2")
    actions = [{"Type": "forward", "TargetGroupArn": network.blue_group}]
    code, _ = refused(
        client.create_listener,
        LoadBalancerArn=network.load_balancer_arn,
        Port=81,
        Protocol="HTTP",
        DefaultActions=actions,
    )
    assert code in ("UnsupportedProtocol", "ValidationError")


# Health checks of target groups.

EVERY_GROUP = {
    "HealthCheckEnabled": True,
    "HealthCheckPort": "traffic-port",
    "HealthCheckIntervalSeconds": 30,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
}
HTTP = {"HealthCheckProtocol": "HTTP", "HealthCheckPath": "/", "HealthCheckTimeoutSeconds": 5}
HTTP1 = {**HTTP, "Matcher": {"HttpCode": "200"}, "ProtocolVersion": "HTTP1"}
GRPC_CHECK = {"HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}, "ProtocolVersion": "GRPC"}
TCP = {"HealthCheckProtocol": "TCP", "HealthCheckTimeoutSeconds": 10}
OF_TCP = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}}
CHOSEN = {
    "HealthCheckEnabled": True,
    "HealthCheckPort": "9000",
    "HealthCheckIntervalSeconds": 10,
    "HealthCheckTimeoutSeconds": 3,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 4,
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"Protocol": "HTTP"}, HTTP1),
        ({"Protocol": "HTTPS"}, HTTP1),
        ({"Protocol": "HTTP", "ProtocolVersion": "HTTP2"}, {**HTTP1, "ProtocolVersion": "HTTP2"}),
        ({"Protocol": "HTTP", "ProtocolVersion": "GRPC"}, {**HTTP, **GRPC_CHECK}),
        ({"Protocol": "TCP"}, TCP),
        ({"Protocol": "TLS"}, TCP),
        (
            {"Protocol": "TCP", "HealthCheckProtocol": "HTTP"},
            {**OF_TCP, "HealthCheckProtocol": "HTTP", "HealthCheckTimeoutSeconds": 6},
        ),
        (
            {"Protocol": "TCP", "HealthCheckProtocol": "HTTPS"},
            {**OF_TCP, "HealthCheckProtocol": "HTTPS", "HealthCheckTimeoutSeconds": 10},
        ),
        ({"Protocol": "HTTP", **CHOSEN}, {**HTTP1, **CHOSEN}),
        ({"Protocol": "TCP", **CHOSEN}, {**TCP, **CHOSEN}),
    ],
)
def test_a_health_check_has_its_defaults(stack: Stack, settings: dict[str, Any], expected: dict[str, Any]) -> None:
    """API reference, CreateTargetGroup; ProtocolVersion is of HTTP and HTTPS groups only."""
    client = stack.client("elbv2")
    client.create_target_group(Name="other", VpcId=stack.vpc_id, TargetType="ip", Port=8000, **settings)
    (found,) = client.describe_target_groups(Names=["other"])["TargetGroups"]
    names = ("HealthCheck", "Healthy", "Unhealthy", "ProtocolVersion", "Matcher")
    assert {key: value for key, value in found.items() if key.startswith(names)} == {**EVERY_GROUP, **expected}


def test_a_health_check_that_is_off(stack: Stack) -> None:
    """Only of a Lambda function's group; moto takes false for not given. It is off there by default."""
    client = stack.client("elbv2")
    for name, settings in (("off", {"HealthCheckEnabled": False}), ("default", {})):
        client.create_target_group(Name=name, TargetType="lambda", **settings)
        assert client.describe_target_groups(Names=[name])["TargetGroups"][0]["HealthCheckEnabled"] is False
    client.create_target_group(Name="on", TargetType="lambda", HealthCheckEnabled=True)
    assert client.describe_target_groups(Names=["on"])["TargetGroups"][0]["HealthCheckEnabled"] is True


def test_a_timeout_longer_than_the_interval_is_refused(stack: Stack, refused: Any) -> None:
    settings = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 6}
    given = {"Name": "other", "VpcId": stack.vpc_id, "TargetType": "ip", "Port": 8000, "Protocol": "HTTP", **settings}
    assert refused(stack.client("elbv2").create_target_group, **given)[0] == "ValidationError"
