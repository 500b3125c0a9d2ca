"""Before anything is made: what the traffic hooks will ask, whether it reaches green, and the ways to test first."""

from __future__ import annotations

from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import PORT, Judge, Judgement, Stage
from tests.unit.handlers.routes import CANNOT_BE_ASKED, LOGIN, by_rule, group_with
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    PRODUCTION,
    TEST,
    inside,
    ports,
    security_group,
    without_a_test_listener,
)

EACH = [TEST, PRODUCTION]
ANYBODY = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """An AppSpec with all five hooks."""
    stage.create_hooks()


def judged(stage: Stage, judge: Judge) -> Judgement:
    """What the hook says of a deployment."""
    return judge(hook, stage.at(EVENT))


@pytest.mark.smoke
def test_what_will_be_asked_is_told(stage: Stage, judge: Judge) -> None:
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    assert "note:" not in judgement.message
    assert judgement.check(f"requests:{TEST}") == ("passed", "validate_test_traffic will ask /health on port 8080")
    assert judgement.check(f"requests:{PRODUCTION}") == ("passed", "validate_production will ask /health on port 80")


def test_a_rule_gives_the_host(stage: Stage, judge: Judge) -> None:
    by_rule(stage, PRODUCTION, {"host-header": ["app.example.com"]}, to=stage.blue_group)
    found = judged(stage, judge).check(f"requests:{PRODUCTION}")
    assert found == ("passed", "validate_production will ask /health of app.example.com on port 80")


def test_the_port_of_the_host_is_one_at_which_targets_take_traffic(stage: Stage, judge: Judge) -> None:
    """On an instance's own network a container's port may be another one of the host."""
    group_with(stage, HealthCheckPort="9100")
    stage.green_definition = stage.register(portMappings=[{"containerPort": PORT, "hostPort": 9100}])
    found = judged(stage, judge).check(f"requests:{TEST}")
    assert found == ("passed", "validate_test_traffic will ask /health on port 8080")


@pytest.mark.parametrize("case", CANNOT_BE_ASKED)
def test_what_cannot_be_asked_is_said_with_the_words_to_type_and_is_no_failure(
    stage: Stage, judge: Judge, case: str
) -> None:
    changes, said = CANNOT_BE_ASKED[case]
    group_with(stage, **changes)
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    for event in EACH:
        assert judgement.check(f"requests:{event}")[0] == "skipped"
    assert said in judgement.message
    assert "http_checks = { home = {" in judgement.message
    assert " warned" not in judgement.message


def test_a_login_in_front_is_said(stage: Stage, judge: Judge) -> None:
    forward = {"Type": "forward", "Order": 2, "TargetGroupArn": stage.blue_group}
    stage.elbv2.modify_listener(ListenerArn=stage.production_listener, DefaultActions=[LOGIN, forward])
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    assert "the default action asks for a login first" in judgement.message


def test_a_declared_path_that_no_rule_leads_to_green_is_refused(stage: Stage, judge: Judge) -> None:
    stage.tell(PRODUCTION, {"http_checks": {"shop": {"path": "/shop"}, "orders": {"path": "/api/orders"}}})
    by_rule(stage, PRODUCTION, {"path-pattern": ["/api/*"]}, to=stage.blue_group)
    judgement = judged(stage, judge)
    assert not judgement.succeeded
    assert "validate_production.http_checks.shop: only rules of the listener forward to green" in judgement.message
    assert "http_checks.orders" not in judgement.message


def test_an_address_of_the_users_is_asked_whatever_the_listeners_rules_are(stage: Stage, judge: Judge) -> None:
    by_rule(stage, TEST, {"host-header": ["app.example.com"]}, to=stage.blue_group)
    stage.tell(TEST, {"base_url": "https://green.example.com", "http_checks": {"home": {"path": "/"}}})
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    found = judgement.check(f"requests:{TEST}")
    assert found == ("passed", "validate_test_traffic will ask https://green.example.com (base_url)")


@pytest.mark.parametrize("event", EACH)
@pytest.mark.parametrize("handler", ["validate_deployment", "run_migrations"])
def test_a_hook_that_sends_nothing_is_asked_for_no_requests(
    stage: Stage, judge: Judge, event: str, handler: str
) -> None:
    """Whoever wires a function of the module to another event of his."""
    stage.hooks[event] = stage.hooks[{"validate_deployment": "AfterInstall"}.get(handler, "BeforeAllowTraffic")]
    stage.update_group(loadBalancerInfo=stage.pair(None))
    judgement = judged(stage, judge)
    outcome, said = judgement.check(f"requests:{event}")
    assert (outcome, said.partition(" runs ")[2]) == ("skipped", f"{handler}, which sends no request")
    assert "error" not in judgement.outcomes().values()


# Reach.


def test_an_internal_load_balancer_cannot_be_reached_from_outside(stage: Stage, judge: Judge) -> None:
    stage.change_load_balancer(Scheme="internal")
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    listed = ", ".join(f'"{subnet}"' for subnet in stage.subnets)
    said = f"is internal and the function outside its VPC: give the module vpc_config = {{ subnet_ids = [{listed}], "
    assert said in judgement.message


@pytest.mark.parametrize("declared", [{"http_checks": {"home": {}}}, {"flows": {"buy": {"steps": [{}]}}}], ids=str)
def test_declared_requests_that_cannot_arrive_are_refused_before_anything_is_made(
    stage: Stage, judge: Judge, declared: dict[str, Any]
) -> None:
    stage.tell(TEST, declared)
    stage.change_load_balancer(Scheme="internal")
    judgement = judged(stage, judge)
    assert not judgement.succeeded
    assert judgement.check(f"requests:{TEST}")[0] == "failed"
    assert "vpc_config" in judgement.message


@pytest.mark.parametrize(
    ("scheme", "rules", "admitted"),
    [
        ("internet-facing", [ports(8000, 9000, **ANYBODY)], True),
        ("internet-facing", [{"IpProtocol": "-1", **ANYBODY}], True),
        ("internet-facing", [ports(443, 443, **ANYBODY)], False),
        ("internet-facing", [ports(8080, 8080, IpRanges=[{"CidrIp": "203.0.113.0/24"}])], False),
        ("internet-facing", [], False),
        ("internal", [ports(8080, 8080, IpRanges=[{"CidrIp": "10.0.0.0/16"}])], None),  # it is the scheme that is told
    ],
    ids=str,
)
def test_from_outside_a_security_group_has_to_let_anybody_in(
    stage: Stage, judge: Judge, scheme: str, rules: list[dict[str, Any]], admitted: bool | None
) -> None:
    group = security_group(stage, "front", *rules)
    stage.change_load_balancer(Scheme=scheme, SecurityGroups=[group])
    judgement = judged(stage, judge)
    outcome, said = judgement.check(f"requests:{TEST}")
    assert judgement.succeeded
    assert (outcome == "passed") == bool(admitted)
    if admitted is False:
        assert f"security group {group} of load balancer" in said
        assert f'security_group_id = "{group}"' in said
        assert "from_port = 8080 to_port = 8080" in said
        assert said.partition("}")[2].startswith(", each on a line of its own"), "Terraform takes no other"


@pytest.mark.parametrize("by", ["group", "range", "nobody"])
def test_inside_the_vpc_the_functions_group_or_addresses_have_to_be_let_in(stage: Stage, judge: Judge, by: str) -> None:
    own = security_group(stage, "functions")
    sources = {
        "group": {"UserIdGroupPairs": [{"GroupId": own}]},
        "range": {"IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
        "nobody": {"IpRanges": [{"CidrIp": "192.168.0.0/16"}]},
    }
    front = security_group(stage, "front", ports(80, 8080, **sources[by]))
    inside(stage, own)
    stage.change_load_balancer(Scheme="internal", SecurityGroups=[front])
    judgement = judged(stage, judge)
    assert judgement.succeeded, judgement.message
    outcome, said = judgement.check(f"requests:{TEST}")
    assert outcome == ("skipped" if by == "nobody" else "passed")
    assert (f'referenced_security_group_id = "{own}"' in said) == (by == "nobody")


@pytest.mark.parametrize("rule", [None, {"IpRanges": [{"CidrIp": "198.51.100.7/32"}]}], ids=["none", "a gateway's"])
def test_inside_the_vpc_the_way_to_a_public_load_balancer_is_a_nat_gateways(
    stage: Stage, judge: Judge, rule: dict[str, Any] | None
) -> None:
    inside(stage, security_group(stage, "functions"))
    front = security_group(stage, "front", *([ports(80, 8080, **rule)] if rule else []))
    stage.change_load_balancer(SecurityGroups=[front])
    outcome, said = judged(stage, judge).check(f"requests:{TEST}")
    assert outcome == ("passed" if rule else "skipped")
    assert ("NAT gateway" in said) == (rule is None)


@pytest.mark.parametrize("answer", [[], [{"GroupId": "sg-front"}]], ids=["nothing", "without its rules"])
def test_a_security_group_of_which_nothing_is_said_is_no_reason_to_ask_nothing(
    stage: Stage, judge: Judge, answer: list[dict[str, Any]]
) -> None:
    stage.change_load_balancer(SecurityGroups=["sg-front"])
    stage.instead["ec2:DescribeSecurityGroups"] = lambda _: {"SecurityGroups": answer}
    outcome, said = judged(stage, judge).check(f"requests:{TEST}")
    assert (outcome, said) == ("error", "EC2 does not say whom security group sg-front lets in")


# The three ways.


@pytest.fixture
def without(stage: Stage) -> Stage:
    """A deployment group without a test listener."""
    without_a_test_listener(stage)
    return stage


def test_without_a_test_listener_the_three_ways_are_named(without: Stage, judge: Judge) -> None:
    judgement = judged(without, judge)
    assert not judgement.succeeded
    for way in ("test_traffic_route", "vpc_config", 'appspec_without = ["validate_test_traffic"]'):
        assert way in judgement.message


def test_functions_inside_the_vpc_do_without(without: Stage, judge: Judge) -> None:
    own = security_group(without, "functions")
    without.ec2.authorize_security_group_ingress(
        GroupId=without.security_group, IpPermissions=[ports(UserIdGroupPairs=[{"GroupId": own}])]
    )
    inside(without, own)
    judgement = judged(without, judge)
    assert judgement.succeeded, judgement.message
    assert "asks green's targets directly" in judgement.check("test_listener")[1]
    said = "validate_test_traffic will ask each of green's targets directly"
    assert judgement.check(f"requests:{TEST}") == ("passed", said)
    assert " warned" not in judgement.message


@pytest.mark.parametrize("case", CANNOT_BE_ASKED)
def test_what_targets_cannot_be_asked_directly_is_told(without: Stage, judge: Judge, case: str) -> None:
    changes, said = CANNOT_BE_ASKED[case]
    inside(without, security_group(without, "functions"))
    group_with(without, **changes)
    judgement = judged(without, judge)
    assert judgement.succeeded, judgement.message
    outcome, detail = judgement.check(f"requests:{TEST}")
    assert outcome == "skipped"
    assert detail.startswith("validate_test_traffic will send no request: ")
    assert said in detail


def test_tasks_that_let_the_functions_not_in_are_named(without: Stage, judge: Judge) -> None:
    own, tasks = security_group(without, "functions"), security_group(without, "tasks", ports(443, 443, **ANYBODY))
    network = {"awsvpcConfiguration": {"subnets": without.subnets, "securityGroups": [tasks]}}
    without.create_service_anew(networkConfiguration=network)
    inside(without, own)
    judgement = judged(without, judge)
    assert not judgement.succeeded
    assert judgement.message.startswith("validate_test_traffic is to ask green's targets directly, and security group")
    assert f'security_group_id = "{tasks}"' in judgement.message
    assert f'referenced_security_group_id = "{own}"' in judgement.message


def test_a_hook_left_out_of_the_appspec_needs_no_test_listener(without: Stage, judge: Judge) -> None:
    del without.hooks[TEST]
    judgement = judged(without, judge)
    assert judgement.succeeded, judgement.message
    assert judgement.check("test_listener")[0] == "skipped"


@pytest.mark.parametrize(
    "options", [{"base_url": "https://test.example.com"}, {"checks": {"test_listener": "skip"}}], ids=str
)
def test_who_has_another_way_needs_none(without: Stage, judge: Judge, options: dict[str, Any]) -> None:
    without.tell(TEST, options)
    judgement = judged(without, judge)
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message


@pytest.mark.parametrize("inside_the_vpc", [True, False])
def test_where_targets_are_instances_the_way_that_leads_nowhere_is_not_named(
    without: Stage, judge: Judge, inside_the_vpc: bool
) -> None:
    if inside_the_vpc:
        inside(without, security_group(without, "functions"))
    group_with(without, TargetType="instance")
    judgement = judged(without, judge)
    outcome, said = judgement.check("test_listener")
    assert outcome == "failed"
    assert "the targets of shop-green are of type instance, which cannot be asked directly: add one to the" in said
    assert "vpc_config" not in said
    assert judgement.check(f"requests:{TEST}")[0] == "skipped"
