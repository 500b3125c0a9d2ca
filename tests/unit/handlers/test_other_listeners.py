"""Other doors: a listener or rule that forwards to the pair, and that CodeDeploy does not move, stops it by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as before
import validate_production as after

from rehearsal.testing.stage import Judge, Stage, refuse

EVENT = "BeforeInstall"
QUICK = {"initial_delay": 0, "duration": 0, "samples": 0, "no_data": "pass"}
PASSED = ("passed", "no listener beside those of the deployment group forwards to its target groups")


def door(stage: Stage, action: Mapping[str, Any], port: int = 8000, protocol: str = "HTTP") -> str:
    """Create a listener that is none of the deployment group's; its ARN."""
    made = stage.elbv2.create_listener(
        LoadBalancerArn=stage.load_balancer, Protocol=protocol, Port=port, DefaultActions=[dict(action)]
    )
    return str(made["Listeners"][0]["ListenerArn"])


def to(group: str) -> dict[str, Any]:
    """An action that forwards to one target group."""
    return {"Type": "forward", "TargetGroupArn": group}


def shared(**weights: int) -> dict[str, Any]:
    """An action that forwards to several."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def rule(stage: Stage, listener: str, action: Mapping[str, Any]) -> None:
    """A rule for one host."""
    condition = {"Field": "host-header", "HostHeaderConfig": {"Values": ["old.example.com"]}}
    stage.elbv2.create_rule(ListenerArn=listener, Priority=3, Conditions=[condition], Actions=[dict(action)])


REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
ANSWER = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def test_a_second_listener_on_blue_is_refused_with_the_cure(stage: Stage, judge: Judge) -> None:
    door(stage, to(stage.blue_group))
    judgement = judge(before, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message == (
        "listener on port 8000 (HTTP) forwards to shop-blue 1: CodeDeploy moves only the production listener (port "
        "80), so whoever comes in there stays on blue, and gets 503 when it is gone; redirect it to the production "
        "listener (in Terraform, its action "
        'has type = "redirect" and redirect { port = "80" protocol = "HTTP" status_code = '
        '"HTTP_301" }, each on a line of its own), or remove it'
    )


def test_a_rule_of_another_listener_is_refused(stage: Stage, judge: Judge) -> None:
    rule(stage, door(stage, ANSWER), shared(**{stage.blue_group: 100, stage.green_group: 0}))
    judgement = judge(before, stage.at(EVENT))
    where = "shop-blue 100, shop-green 0"
    said = f"rule 3 (host-header old.example.com) of the listener on port 8000 (HTTP) forwards to {where}"
    assert judgement.message.startswith(f"{said}: CodeDeploy moves only")


def test_a_listener_on_the_idle_group_is_a_door_too(stage: Stage, judge: Judge) -> None:
    door(stage, to(stage.green_group))
    assert judge(before, stage.at(EVENT)).message.startswith("listener on port 8000 (HTTP) forwards to shop-green 1: ")


@pytest.mark.parametrize("action", [REDIRECT, ANSWER], ids=["redirect", "answer"])
def test_a_listener_that_leads_nowhere_here_is_none(stage: Stage, judge: Judge, action: Mapping[str, Any]) -> None:
    rule(stage, door(stage, action), REDIRECT)
    judgement = judge(before, stage.at(EVENT))
    assert judgement.check("other_listeners") == PASSED
    assert judgement.succeeded


def test_other_services_of_the_load_balancer_are_none(stage: Stage, judge: Judge) -> None:
    others = stage.create_target_group("frontend")
    rule(stage, door(stage, to(others)), shared(**{others: 1, stage.blue_group: 0}))
    assert judge(before, stage.at(EVENT)).check("other_listeners") == PASSED


def test_a_listener_of_another_load_balancer_is_named_with_it(stage: Stage, judge: Judge) -> None:
    """Its port may be the production listener's, to which a redirect would lead it back to itself."""
    made = stage.elbv2.create_load_balancer(Name="inside", Subnets=stage.subnets)["LoadBalancers"][0]
    stage.elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[to(stage.blue_group)]
    )
    message = judge(before, stage.at(EVENT)).message
    assert message.startswith(
        "listener on port 80 (HTTP) of load balancer inside forwards to shop-blue 1: CodeDeploy moves"
    )
    assert "; point the names of that load balancer at shop, the production listener's, and remove it" in message
    assert "redirect" not in message


def test_every_page_of_listeners_is_read(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    door(stage, to(stage.blue_group))
    listed = stage.elbv2.describe_listeners(LoadBalancerArn=stage.load_balancer)["Listeners"]

    def answer(parameters: Mapping[str, Any]) -> Any:
        if "ListenerArns" in parameters:
            return stage.elbv2.describe_listeners(**parameters)
        return {"Listeners": listed[2:]} if "Marker" in parameters else {"Listeners": listed[:2], "NextMarker": "more"}

    stage.instead["elbv2:DescribeListeners"] = answer
    assert judge(before, event).check("other_listeners")[0] == "failed"


def test_a_listing_without_the_production_listener_is_no_pass(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        return stage.elbv2.describe_listeners(**parameters) if "ListenerArns" in parameters else {"Listeners": []}

    stage.instead["elbv2:DescribeListeners"] = answer
    outcome, detail = judge(before, event).check("other_listeners")
    assert outcome == "error"
    assert "does not list listener arn:aws:elasticloadbalancing:" in detail


def test_rules_that_may_not_be_read_are_no_pass(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    door(stage, ANSWER)
    stage.instead["elbv2:DescribeRules"] = refuse("AccessDenied", "not allowed", 403)
    assert judge(before, event).check("other_listeners")[0] == "error"


def test_who_knows_about_it_can_say_so(stage: Stage, judge: Judge) -> None:
    door(stage, to(stage.blue_group))
    judgement = judge(before, stage.at(EVENT), checks={"other_listeners": "warn"})
    assert judgement.succeeded
    assert "warned: listener on port 8000 (HTTP) forwards to shop-blue 1" in judgement.message


# After the shift.


@pytest.mark.usefixtures("site")
def test_customers_who_stay_on_blue_fail_the_shift(stage: Stage, judge: Judge) -> None:
    door(stage, to(stage.blue_group))
    judgement = judge(after, stage.at("AfterAllowTraffic"), **QUICK)
    assert not judgement.succeeded
    assert judgement.message.startswith("listener on port 8000 (HTTP) forwards to shop-blue 1: CodeDeploy moves only")
    assert list(judgement.outcomes())[-1] == "other_listeners"  # nothing is sent any more


@pytest.mark.usefixtures("site")
def test_a_door_that_leads_to_green_by_now_is_fine(stage: Stage, judge: Judge) -> None:
    event = stage.at("AfterAllowTraffic")
    door(stage, shared(**{stage.blue_group: 0, stage.green_group: 100}))
    judgement = judge(after, event, **QUICK)
    assert judgement.check("other_listeners") == (
        "passed",
        "no listener beside those of the deployment group forwards to blue",
    )


@pytest.mark.usefixtures("site")
def test_on_the_way_back_a_door_only_warns(stage: Stage, judge: Judge) -> None:
    door(stage, to(stage.green_group))
    stage.at("AfterAllowTestTraffic")
    judgement = judge(after, stage.rollback_at("AfterAllowTraffic"), **QUICK)
    assert judgement.succeeded
    assert judgement.check("other_listeners")[0] == "failed"
