"""BeforeInstall: target groups, listeners and their rules, room for the tasks, alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import Judge, Stage
from tests.unit.handlers.validate_before_install.breaks import no_addresses
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    Deploy,
    Event,
    State,
    after,
    answered,
    appspec,
    assert_state,
    before,
    group,
    host_rule,
    pair,
    service_shown,
    without_a_test_listener,
)

FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
NO_SUBNETS = "the tasks have no subnets of their own (not awsvpc)"
BACK = "the primary task set's target group: put its default action back on that one"
LEADS_TO_BLUE = "production listener on port 80 forwards to shop-blue, which serves now"


def default_to(stage: Stage, listener: str, action: Mapping[str, Any]) -> None:
    """Set a listener's default action."""
    stage.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])


def production_rule(priority: int, blue: int = 0, green: int = 0) -> Callable[[Stage], None]:
    """Add a rule to the production listener, with these weights."""
    return lambda stage: host_rule(
        stage, stage.production_listener, {stage.blue_group: blue, stage.green_group: green}, priority
    )


def shared(stage: Stage) -> None:
    """The rules of a shared listener decide; what forwards to others is none of this deployment's business."""
    others = stage.create_target_group("frontend")
    default_to(stage, stage.production_listener, {"Type": "forward", "TargetGroupArn": others})
    host_rule(stage, stage.production_listener, {stage.blue_group: 1})
    host_rule(stage, stage.production_listener, {others: 1}, priority=2)


def rules_disagree(stage: Stage) -> None:
    """One of two rules forwards to green."""
    default_to(stage, stage.production_listener, FIXED)
    host_rule(stage, stage.production_listener, {stage.blue_group: 0, stage.green_group: 100}, priority=1)
    host_rule(stage, stage.production_listener, {stage.blue_group: 100, stage.green_group: 0}, priority=2)


def leads_to_others(stage: Stage) -> None:
    """A rule forwards to another service alone."""
    host_rule(stage, stage.production_listener, {stage.create_target_group("frontend"): 1}, priority=3)


def idle_beside_others(stage: Stage) -> None:
    """A rule has another service's group at weight 0."""
    legacy = stage.create_target_group("legacy")
    host_rule(stage, stage.production_listener, {stage.blue_group: 100, stage.green_group: 0, legacy: 0}, priority=7)


def test_is_production(stage: Stage) -> None:
    """The deployment group has one listener twice."""
    stage.update_group(loadBalancerInfo=stage.pair(stage.production_listener))
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)


test_is_production.__test__ = False  # type: ignore[attr-defined]  # its name is what it does


def listeners(action: Mapping[str, Any]) -> Callable[[Stage, Any], Any]:
    """DescribeListeners' answer, in which each has this default action."""

    def answer(stage: Stage, parameters: Any) -> Any:
        found = stage.elbv2.describe_listeners(**parameters)
        entries = [
            {name: getattr(stage, value) if name == "TargetGroupArn" else value for name, value in entry.items()}
            for entry in action["ForwardConfig"]["TargetGroups"]
        ]
        told = {**action, "ForwardConfig": {"TargetGroups": entries}}
        return {"Listeners": [{**each, "DefaultActions": [told]} for each in found["Listeners"]]}

    return answer


def forward(*entries: Mapping[str, Any]) -> dict[str, Any]:
    """An action that forwards to these target groups."""
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": list(entries)}}


def no_default_rule(stage: Stage, parameters: Any) -> Any:
    """DescribeRules' answer, which does not say which one is the default."""
    found = stage.elbv2.describe_rules(**parameters)
    for rule in found["Rules"]:
        del rule["IsDefault"]
    return found


def subnets(**changes: Any) -> Deploy:
    """Deploy into subnets that EC2 describes like this."""

    def event(stage: Stage) -> Event:
        found = stage.at(EVENT)
        answer = stage.ec2.describe_subnets(SubnetIds=stage.subnets)
        for subnet in answer["Subnets"]:
            subnet.update(changes)
        stage.instead["ec2:DescribeSubnets"] = lambda _: answer
        return found

    return event


def a_subnet_is_gone(stage: Stage) -> Event:
    """The AppSpec names a subnet that somebody deleted."""
    network = {"Subnets": ["subnet-0123456789abcdef0", *stage.subnets]}
    return appspec(NetworkConfiguration={"AwsvpcConfiguration": network})(stage)


def no_network_said(stage: Stage) -> Event:
    """ECS does not say which network the tasks have."""
    event = stage.at(EVENT)
    for task_set in service_shown(stage)["services"][0]["taskSets"]:
        del task_set["networkConfiguration"]
    return event


def without_a_network(stage: Stage) -> Event:
    """The tasks have no network of their own."""
    event = no_network_said(stage)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": {**found, "networkMode": "bridge"}}
    return event


def watched(*names: str, enabled: bool = True) -> Deploy:
    """Deploy by a group that watches these alarms."""
    return group(alarmConfiguration={"enabled": enabled, "alarms": [{"name": name} for name in names]})


def composite(state: str) -> Deploy:
    """Deploy by a group that watches an alarm of alarms, of which one is in this state."""

    def event(stage: Stage) -> Event:
        stage.cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("shop-5xx")')
        stage.set_alarm("shop-5xx", state)
        return watched("any")(stage)

    return event


def alarms_of_this_deployment(stage: Stage) -> Event:
    """CreateDeployment may be given alarms in the place of the deployment group's."""
    event = stage.at(EVENT)
    answer = stage.codedeploy.get_deployment(deploymentId=event["DeploymentId"])
    answer["deploymentInfo"]["overrideAlarmConfiguration"] = {"enabled": True, "alarms": [{"name": "gone"}]}
    stage.instead["codedeploy:GetDeployment"] = lambda _: answer
    return event


def an_alarm_without_a_name(stage: Stage) -> Event:
    """CodeDeploy does not name one of the group's alarms."""
    event = stage.at(EVENT)
    found = stage.codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop")
    del found["deploymentGroupInfo"]["alarmConfiguration"]["alarms"][0]["name"]
    stage.instead["codedeploy:GetDeploymentGroup"] = lambda _: found
    return event


STATES = {
    # Target groups
    "a target group that is not there": State(
        pair("shop-blue", "gone"),
        "target_groups",
        "failed",
        "not all of target groups shop-blue, gone exist: fix the deployment group",
    ),
    "one target group": State(
        pair("shop-blue"),
        "target_groups",
        "failed",
        "expected 2 target groups in the pair of the deployment group, found shop-blue: name both",
    ),
    # Listeners
    "a production listener that is not there": State(
        after(lambda stage: stage.elbv2.delete_listener(ListenerArn=stage.production_listener)),
        "production_weights",
        "failed",
        "production listener {stage.production_listener} does not exist: fix the deployment group",
        alone=False,
    ),
    "a split of production": State(
        after(lambda stage: stage.lead(stage.production_listener, {stage.blue_group: 90, stage.green_group: 10})),
        "production_weights",
        "failed",
        f"production listener on port 80 forwards to shop-blue 90, shop-green 10, not just to shop-blue, {BACK}",
    ),
    "a shared listener": State(after(shared), "production_weights", "passed", LEADS_TO_BLUE),
    "rules that disagree": State(
        after(rules_disagree),
        "production_weights",
        "failed",
        "rule 1 (host-header shop-1.example.com) of the production listener forwards to shop-blue 0, shop-green 100: "
        "its customers would meet green before any hook has; put it back on shop-blue",
    ),
    "a rule that forwards to green": State(
        after(production_rule(7, green=100)),
        "production_weights",
        "failed",
        "rule 7 (host-header shop-7.example.com) of the production listener forwards to shop-blue 0, shop-green 100: "
        "its customers would meet green before any hook has; put it back on shop-blue",
    ),
    "a rule that forwards to blue": State(
        after(production_rule(1, blue=100)), "listener_rules", "passed", "no rule forwards elsewhere"
    ),
    "a rule that forwards to others": State(
        after(leads_to_others),
        "listener_rules",
        "passed",
        "not this deployment's: rule 3 (host-header shop-3.example.com) of the production listener forwards to "
        "frontend 1",
    ),
    "a rule with an idle group beside others": State(
        after(idle_beside_others), "listener_rules", "passed", "no rule forwards elsewhere"
    ),
    "a test listener that leads nowhere": State(
        after(lambda stage: default_to(stage, stage.test_listener, FIXED)),
        "test_weights",
        "failed",
        f"test listener on port 8080 forwards to no target group, not just to shop-blue, {BACK}",
    ),
    "a test listener that forwards to the idle group": State(  # many stacks begin so; AWS's guide wants blue there
        after(lambda stage: stage.lead(stage.test_listener, {stage.green_group: 1})),
        "test_weights",
        "failed",
        f"test listener on port 8080 forwards to shop-green 1, not just to shop-blue, {BACK}",
        alone=False,
    ),
    "a test listener that is the production listener": State(
        before(test_is_production),
        "test_listener",
        "failed",
        "the test listener is the production listener: give the deployment group one of its own",
    ),
    "no test listener": State(
        before(without_a_test_listener), "test_weights", "skipped", "the deployment group has no test listener"
    ),
    "no test listener, and no hook to test by": State(
        before(without_a_test_listener),
        "test_listener",
        "skipped",
        "the deployment group has no test listener: no test traffic will be validated",
    ),
    # What Elastic Load Balancing does not say
    "an only group without a weight": State(
        answered("elbv2:DescribeListeners", listeners(forward({"TargetGroupArn": "blue_group"}))),
        "production_weights",
        "passed",
        LEADS_TO_BLUE,
    ),
    "groups without weights": State(
        answered(
            "elbv2:DescribeListeners",
            listeners(forward({"TargetGroupArn": "blue_group"}, {"TargetGroupArn": "green_group"})),
        ),
        "production_weights",
        "error",
        "Elastic Load Balancing does not say which weight {stage.blue_group} has",
    ),
    "weights without groups": State(
        answered("elbv2:DescribeListeners", listeners(forward({"Weight": 1}))),
        "production_weights",
        "error",
        "Elastic Load Balancing does not say to which target group an action forwards",
    ),
    "rules without the default one": State(
        answered("elbv2:DescribeRules", no_default_rule),
        "listener_rules",
        "error",
        "Elastic Load Balancing does not say which rule of arn:aws:elasticloadbalancing:…",
        alone=False,
    ),
    "no rules": State(
        answered("elbv2:DescribeRules", {"Rules": []}),
        "listener_rules",
        "error",
        "elasticloadbalancing:DescribeRules answered no rule for listener …",
        alone=False,
    ),
    # Room
    "full subnets": State(
        after(no_addresses),
        "free_addresses",
        "failed",
        "1 free address(es) in {stage.subnets[0]}, {stage.subnets[1]}, green needs 2: add a subnet",
    ),
    "subnets with addresses of version 6 alone": State(  # AWS counts the free addresses of version 4
        subnets(AvailableIpAddressCount=0, Ipv6Native=True),
        "free_addresses",
        "skipped",
        "a subnet of the tasks has IPv6 addresses only, enough for all",
    ),
    "a subnet that is not there": State(
        a_subnet_is_gone,
        "free_addresses",
        "failed",
        "subnet subnet-0123456789abcdef0 does not exist: fix the network configuration",
    ),
    "a network that is not said": State(
        no_network_said, "free_addresses", "error", "ECS does not say in which subnets green's tasks will run"
    ),
    "addresses, and no network": State(without_a_network, "free_addresses", "skipped", NO_SUBNETS),
    "zones, and no network": State(without_a_network, "availability_zones", "skipped", NO_SUBNETS),
    # Alarms
    "an alarm that fires": State(
        after(lambda stage: stage.set_alarm("shop-5xx", "ALARM", "Threshold crossed")),
        "alarms:shop-5xx",
        "failed",
        "alarm shop-5xx is ALARM, expected not ALARM (Threshold crossed)",
    ),
    "an alarm of alarms": State(composite("OK"), "alarms:any", "passed", "alarm any is OK"),
    "an alarm of alarms that fires": State(
        composite("ALARM"), "alarms:any", "failed", "alarm any is ALARM, expected not ALARM (…"
    ),
    "an alarm that is not there": State(
        watched("shop-5xx", "shop-5x"),
        "alarms:shop-5x",
        "error",
        "alarm shop-5x does not exist: check its name and region",
    ),
    "an alarm of this one deployment": State(
        alarms_of_this_deployment, "alarms:gone", "error", "alarm gone does not exist: check its name and region"
    ),
    "an alarm without a name": State(
        an_alarm_without_a_name, "alarms", "error", "CodeDeploy does not name an alarm of shop"
    ),
    "alarms that are switched off": State(
        watched("gone", enabled=False), "alarms", "skipped", "the deployment group watches no alarm"
    ),
    "no alarm": State(watched(), "alarms", "skipped", "the deployment group watches no alarm"),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_the_routes(stage: Stage, judge: Judge, state: State) -> None:
    assert_state(stage, judge, state)


@pytest.mark.smoke
def test_a_test_listener_that_leads_to_the_idle_group_is_no_refusal(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, STATES["a test listener that forwards to the idle group"].make(stage))
    assert judgement.succeeded
    assert "warned: test listener on port 8080 forwards to shop-green 1, not just to shop-blue" in judgement.message


def test_a_deployment_group_without_target_groups(stage: Stage, judge: Judge) -> None:
    """DescribeTargetGroups without names answers with every group there is: it must not be asked."""
    judgement = judge(hook, pair()(stage))
    assert judgement.check("target_groups")[0] != "passed"
    assert not stage.called("elbv2:DescribeTargetGroups")
