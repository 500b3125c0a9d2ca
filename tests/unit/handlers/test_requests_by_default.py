"""What the two traffic hooks ask where nothing is declared: by which rules and port, and where nothing can be asked."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import validate_production
import validate_test_traffic

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.web import Response, Site

TEST, PRODUCTION = "AfterAllowTestTraffic", "AfterAllowTraffic"
# CloudWatch is asked elsewhere: nothing is published here.
QUICK: dict[str, Any] = {
    "samples": 0, "initial_delay": 0, "duration": 0, "metrics_delay": 0, "checks": {"traffic": "skip"}
}  # fmt: skip
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
LOGIN = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://login.example.com",
        "AuthorizationEndpoint": "https://login.example.com/authorize",
        "TokenEndpoint": "https://login.example.com/token",
        "UserInfoEndpoint": "https://login.example.com/user",
        "ClientId": "shop",
        "ClientSecret": "a-secret",
    },
}


@pytest.fixture(params=[TEST, PRODUCTION])
def event_name(request: pytest.FixtureRequest) -> str:
    """The event of either traffic hook."""
    return str(request.param)


def hook_of(event: str) -> ModuleType:
    return validate_test_traffic if event == TEST else validate_production


def settings_of(event: str, **more: Any) -> dict[str, Any]:
    """Options by which the hook is quick, and asks what it asks by default."""
    return {**(QUICK if event == PRODUCTION else {"samples": 0}), **more}


def listener_of(stage: Stage, event: str) -> str:
    return stage.test_listener if event == TEST else stage.production_listener


def by_rule(
    stage: Stage, event: str, conditions: Mapping[str, list[str]], *before: Mapping[str, Any], to: str = ""
) -> None:
    """Let only a rule of the hook's listener lead to green, or to another group; the default action answers itself."""
    listener = listener_of(stage, event)
    stage.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[FIXED])
    stage.elbv2.create_rule(
        ListenerArn=listener,
        Priority=7,
        Conditions=[{"Field": field, CONFIGS[field]: {"Values": values}} for field, values in conditions.items()],
        Actions=[*before, {"Type": "forward", "Order": 50000, "TargetGroupArn": to or stage.green_group}],
    )


def group_with(stage: Stage, **changes: Any) -> None:
    """Let Elastic Load Balancing describe the target groups with other health checks."""
    stage.instead["elbv2:DescribeTargetGroups"] = lambda parameters: {
        "TargetGroups": [
            {**group, **changes} for group in stage.elbv2.describe_target_groups(**parameters)["TargetGroups"]
        ]
    }


@pytest.mark.parametrize(
    ("conditions", "host", "path"),
    [
        ({"host-header": ["app.example.com"]}, "app.example.com", "/health"),
        ({"host-header": ["*.example.com", "app.example.com"]}, "app.example.com", "/health"),
        ({"path-pattern": ["/api/v1*"]}, "", "/api/v1"),
        ({"path-pattern": ["/health", "/api/*"]}, "", "/health"),
        ({"host-header": ["app.example.com"], "path-pattern": ["/api/*"]}, "app.example.com", "/api/"),
    ],
    ids=str,
)
def test_a_listener_that_leads_to_green_by_a_rule_is_asked_by_the_rules_own_words(  # noqa: PLR0917 - a row each
    stage: Stage, judge: Judge, site: Site, event_name: str, conditions: dict[str, list[str]], host: str, path: str
) -> None:
    """The usual shape of a shared load balancer."""
    site.answer = lambda request: Response(200 if request.path == "/health" else 404)
    event = stage.at(event_name)
    by_rule(stage, event_name, conditions)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message
    port = ":8080" if event_name == TEST else ""
    assert {(request.host, request.path) for request in site.requests} == {(host or f"{stage.dns_name}{port}", path)}


def test_an_error_at_a_path_that_is_no_health_check_fails_all_the_same(
    stage: Stage, judge: Judge, site: Site, event_name: str
) -> None:
    site.answer = lambda _request: Response(502)
    event = stage.at(event_name)
    by_rule(stage, event_name, {"path-pattern": ["/api/v1*"]})
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert not judgement.succeeded
    assert "GET /api/v1: [STATUS] (502) expected 200-499" in judgement.message


CANNOT_BE_ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "gRPC": ({"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "12"}}, "speaks gRPC only"),
    "HTTP/2": ({"ProtocolVersion": "HTTP2"}, "speaks HTTP/2 only"),
    "a management port": ({"HealthCheckPort": "9000"}, "is on port 9000, where no listener leads"),
    "TCP": ({"HealthCheckProtocol": "TCP", "HealthCheckPath": None, "Matcher": {}}, "is TCP, no path"),
    "UDP": (
        {"Protocol": "UDP", "HealthCheckProtocol": "TCP", "Matcher": {}},
        "is UDP, not HTTP: or ask another address",
    ),
}


@pytest.mark.parametrize("case", CANNOT_BE_ASKED)
def test_what_cannot_be_asked_is_said_and_the_rest_judges(
    stage: Stage, judge: Judge, site: Site, event_name: str, case: str
) -> None:
    changes, said = CANNOT_BE_ASKED[case]
    event = stage.at(event_name)
    group_with(stage, **changes)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert judgement.check("http:health")[0] == "skipped"
    assert said in judgement.message, "said where people look"
    assert " warned" not in judgement.message
    assert "http_checks = { home = {" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize("conditions", [{"host-header": ["*.example.com"]}, {"path-pattern": ["*.php"]}], ids=str)
def test_rules_by_wildcards_only_cannot_be_asked(
    stage: Stage, judge: Judge, site: Site, event_name: str, conditions: dict[str, list[str]]
) -> None:
    event = stage.at(event_name)
    by_rule(stage, event_name, conditions)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert "wildcard" in judgement.message
    assert site.requests == []


def test_a_login_in_front_is_named_not_met(stage: Stage, judge: Judge, site: Site, event_name: str) -> None:
    event = stage.at(event_name)
    by_rule(stage, event_name, {"host-header": ["app.example.com"]}, LOGIN)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert "asks for a login first" in judgement.message
    assert site.requests == []


def test_the_port_that_counts_is_the_containers(stage: Stage, judge: Judge, site: Site, event_name: str) -> None:
    """ECS registers the container's port, whatever the group's own says."""
    event = stage.at(event_name)
    group_with(stage, Port=80, HealthCheckPort="8000")
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert "/health" in {request.path for request in site.requests}


def test_green_that_is_not_healthy_fails_where_nothing_can_be_asked(
    stage: Stage, judge: Judge, event_name: str
) -> None:
    event = stage.at(event_name)
    group_with(stage, **CANNOT_BE_ASKED["gRPC"][0])
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    more = {"interval": 60} if event_name == TEST else {}
    judgement = judge(hook_of(event_name), event, **settings_of(event_name, **more))
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy")


# An internal load balancer, and functions outside its VPC.


@pytest.fixture
def outside(stage: Stage) -> Stage:
    """The load balancer is internal."""
    stage.change_load_balancer(Scheme="internal")
    return stage


def test_an_internal_load_balancer_is_not_knocked_at_from_outside(
    outside: Stage, judge: Judge, site: Site, event_name: str
) -> None:
    judgement = judge(hook_of(event_name), outside.at(event_name), **settings_of(event_name, in_vpc=False))
    assert judgement.succeeded, judgement.message
    assert "is internal and the function outside its VPC: give the module vpc_config = { subnet_ids = [" in (
        judgement.message
    )
    assert site.requests == []


def test_declared_checks_that_cannot_arrive_are_no_pass_before_customers_meet_green(
    outside: Stage, judge: Judge, site: Site
) -> None:
    judgement = judge(validate_test_traffic, outside.at(TEST), http_checks={"home": {}}, samples=0, in_vpc=False)
    assert not judgement.succeeded
    assert judgement.check("http:home")[0] == "error"
    assert "vpc_config" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize("who", ["203.0.113.0/24", "10.0.0.0/8"], ids=["the office", "who is inside"])
def test_a_security_group_that_lets_nobody_in_is_not_knocked_at(
    stage: Stage, judge: Judge, site: Site, event_name: str, who: str
) -> None:
    """A function's address by the internet can be any but a private one."""
    group = stage.ec2.create_security_group(GroupName="front", Description="front", VpcId=stage.vpc)["GroupId"]
    few = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 8080, "IpRanges": [{"CidrIp": who}]}
    stage.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[few])
    stage.change_load_balancer(SecurityGroups=[group])
    judgement = judge(hook_of(event_name), stage.at(event_name), **settings_of(event_name, in_vpc=False))
    assert judgement.succeeded, judgement.message
    assert f"security group {group} of load balancer" in judgement.message
    assert site.requests == []


# Without a test listener, from inside the VPC.


@pytest.fixture
def targets(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Green's targets answer at their own addresses; the deployment group has no test listener."""
    known = socket.getaddrinfo

    def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).startswith("10.0."):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", site.port))]
        return known(host, port, *arguments, **options)

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    return site


def without_test_listener(stage: Stage) -> dict[str, str]:
    event = stage.at(TEST)
    stage.update_group(loadBalancerInfo=stage.pair(None))
    return event


def addresses(stage: Stage) -> set[str]:
    """Green's targets as they are asked."""
    health = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)["TargetHealthDescriptions"]
    return {f"{each['Target']['Id']}:{each['Target']['Port']}" for each in health}


def test_each_of_greens_targets_is_asked_itself(stage: Stage, judge: Judge, targets: Site) -> None:
    judgement = judge(validate_test_traffic, without_test_listener(stage), samples=0, in_vpc=True)
    assert judgement.succeeded, judgement.message
    assert judgement.check("test_listener")[1].endswith("green's targets are asked directly")
    asked = addresses(stage)
    assert len(asked) == 2
    assert {(request.host, request.path) for request in targets.requests} == {(each, "/health") for each in asked}


def test_the_host_is_the_rules_own(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    by_rule(stage, PRODUCTION, {"host-header": ["app.example.com"]})
    assert judge(validate_test_traffic, event, samples=0, in_vpc=True).succeeded
    assert {request.host for request in targets.requests} == {"app.example.com"}
    assert len(targets.requests) == 2


def test_one_target_that_answers_badly_fails_and_is_named(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    bad = min(addresses(stage))
    targets.answer = lambda request: Response(500 if request.host == bad else 200)
    judgement = judge(validate_test_traffic, event, samples=0, in_vpc=True)
    assert not judgement.succeeded
    assert judgement.message.startswith(f"GET http://{bad}/health: [STATUS] (500) expected 200-299")


def test_declared_checks_flows_and_headers_reach_the_targets_as_they_would_the_listener(
    stage: Stage, judge: Judge, targets: Site
) -> None:
    checks = {"orders": {"path": "/orders?limit=5", "samples": 3}}
    flows = {"order": {"steps": [{"path": "/a"}, {"path": "/b"}]}}
    event = without_test_listener(stage)
    judgement = judge(
        validate_test_traffic,
        event,
        http_checks=checks,
        flows=flows,
        host="shop.example.com",
        headers={"X-Test": "1"},
        in_vpc=True,
    )
    assert judgement.succeeded, judgement.message
    assert {request.path for request in targets.requests} == {"/orders?limit=5", "/a", "/b"}
    assert {request.host for request in targets.requests} == {"shop.example.com"}
    assert {request.headers.get("X-Test") for request in targets.requests} == {"1"}


def test_targets_that_nobody_checks_are_asked(stage: Stage, judge: Judge, targets: Site) -> None:
    """Green's group is in no listener's rule, so that the load balancer calls its targets unused."""
    event = without_test_listener(stage)
    group_with(stage, LoadBalancerArns=[])
    stage.world.target_health["shop-green"] = TargetState("unused", "Target.NotInUse")
    assert judge(validate_test_traffic, event, samples=0, in_vpc=True).succeeded
    assert len(targets.requests) == 2


def test_targets_that_are_instances_cannot_be_asked(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    group_with(stage, TargetType="instance")
    judgement = judge(validate_test_traffic, event, samples=0, in_vpc=True)
    assert not judgement.succeeded
    assert "are of type instance, which cannot be asked directly" in judgement.message
    assert "appspec_without" in judgement.message
    assert targets.requests == []


@pytest.mark.parametrize("told", [{}, {"in_vpc": False}], ids=str)
def test_from_outside_the_vpc_the_three_ways_are_named(
    stage: Stage, judge: Judge, site: Site, told: dict[str, Any]
) -> None:
    judgement = judge(validate_test_traffic, without_test_listener(stage), **told)
    assert not judgement.succeeded
    for way in ("test_traffic_route", "vpc_config", 'appspec_without = ["validate_test_traffic"]'):
        assert way in judgement.message
    assert site.requests == []


# After the shift.


def test_a_release_that_alarms_and_figures_call_good_is_not_rolled_back_for_a_way_that_is_closed(
    stage: Stage, judge: Judge, site: Site
) -> None:
    """Before customers have met green it is a failure: nothing else has asked it anything."""
    event = stage.at(PRODUCTION)
    site.refuse()
    judgement = judge(validate_production, event, **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert judgement.check("http:health")[0] == "failed"
    assert "2 warned: GET /health: connection refused" in judgement.message
    assert "vpc_config" in judgement.message
    stage.deployment.set_status("Stopped")
    judgement = judge(validate_test_traffic, stage.at(TEST), samples=0)
    assert not judgement.succeeded
    assert "GET /health: connection refused" in judgement.message


@pytest.mark.parametrize("status", [400, 403, 404, 421])
def test_an_application_that_answers_its_own_name_alone_is_not_rolled_back(
    stage: Stage, judge: Judge, site: Site, status: int
) -> None:
    """Its targets are healthy by the load balancer's own checks of the same path."""
    site.answer = lambda request: Response(200 if request.host == "shop.example.com" else status)
    judgement = judge(validate_production, stage.at(PRODUCTION), **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert f"2 warned: GET /health: [STATUS] ({status}) expected 200-299" in judgement.message
    stage.deployment.set_status("Stopped")
    judgement = judge(validate_test_traffic, stage.at(TEST), samples=0)
    assert not judgement.succeeded
    assert ("set host" in judgement.message or "`host`" in judgement.message) == (status in (400, 421))
    stage.deployment.set_status("Stopped")
    assert judge(validate_test_traffic, stage.at(TEST), samples=0, host="shop.example.com").succeeded


def test_an_own_check_that_finds_no_way_after_the_shift_fails(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(PRODUCTION)
    site.refuse()
    assert not judge(validate_production, event, **settings_of(PRODUCTION, http_checks={"home": {}})).succeeded
