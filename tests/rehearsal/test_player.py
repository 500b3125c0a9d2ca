"""The player does what CodeDeploy does, and the environment can be changed before it begins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from moto import mock_aws

from rehearsal import lifecycle
from rehearsal.aws import stack as stacks
from rehearsal.aws import world
from rehearsal.aws.codedeploy import HOOK_EVENTS
from rehearsal.aws.install import install
from rehearsal.functions import Attempt
from rehearsal.lifecycle import Clients, Player, Timeline
from rehearsal.metrics import Metrics
from rehearsal.preparations import (
    add_alarm_without_data,
    fire_alarm,
    lead_tests_astray,
    listener_pair,
    remove_test_listener,
    serve_tests_on_https,
    unpair_production_listener,
)

ACCOUNT = "123456789012"
ALARM = "orders-errors"


class Hooks:
    """Lambda, with one function for all hooks: it reports at once what it is told to by event."""

    def __init__(self, stack: stacks.Stack) -> None:
        self.attempts: list[Attempt] = []
        self.reports: dict[str, str | None] = {}
        """By event: Failed, or None for a hook that never reports; Succeeded where there is nothing."""
        self.before: dict[str, Callable[[], object]] = {}
        """By event: what happens while its hook runs."""
        self.ran: list[str] = []
        self._codedeploy = stack.client("codedeploy")

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803  (boto3's names)
        """Run a hook."""
        assert InvocationType == "Event"
        event, payload = FunctionName.rsplit(":", 1)[-1], json.loads(Payload)
        self.ran.append(event)
        self.before.get(event, lambda: None)()
        report = self.reports.get(event, "Succeeded")
        if report is not None:
            self._codedeploy.put_lifecycle_event_hook_execution_status(
                deploymentId=payload["DeploymentId"],
                lifecycleEventHookExecutionId=payload["LifecycleEventHookExecutionId"],
                status=report,
            )
        self.attempts.append(Attempt(event, Payload, result=b"{}"))


class Town:
    """The stand-in's small environment, with an alarm in the deployment group, and a player for it."""

    def __init__(self) -> None:
        self.stack = stacks.build(alarms=[ALARM])
        self.hooks = Hooks(self.stack)
        client = self.stack.client
        self.clients = Clients(
            client("ecs"), client("elbv2"), self.hooks, client("cloudwatch"), client("codedeploy"), client("acm")
        )
        self.outputs = {
            "application_name": self.stack.application,
            "deployment_group_name": self.stack.deployment_group,
            "cluster_name": self.stack.cluster,
            "service_name": self.stack.service,
        }
        client("codedeploy").update_deployment_group(
            applicationName=self.stack.application,
            currentDeploymentGroupName=self.stack.deployment_group,
            autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]},
        )
        client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/ApplicationELB",
            MetricName="HTTPCode_ELB_5XX_Count",
            Dimensions=[{"Name": "LoadBalancer", "Value": self.stack.load_balancer_arn.partition("loadbalancer/")[2]}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )

    def set_alarm(self) -> None:
        """Set the alarm's state to ALARM."""
        self.clients.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="by a test")

    def play(self) -> Timeline:
        """Play a deployment with a hook at each event that may have one."""
        spec = self.stack.app_spec(self.stack.register(), **{event: f"arn:aws:lambda:{event}" for event in HOOK_EVENTS})
        deployment = self.stack.deploy(app_spec=spec)
        return Player(deployment, self.clients, self.hooks.attempts, lambda _: None).play()


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """An environment on moto, and a player that loses no time."""
    monkeypatch.setattr(lifecycle, "MINUTE", 0.0)
    monkeypatch.setattr(lifecycle, "ALARM_INTERVAL", 0.02)
    install()
    world.use(world.ScriptedWorld())
    with mock_aws():
        yield Town()


def ending(timeline: Timeline) -> tuple[str, str | None, str | None]:
    """Return how a deployment ended: status, event, error code."""
    return timeline.status, timeline.stopped_at, timeline.error[0] if timeline.error else None


def test_a_deployment_without_a_fault(town: Town) -> None:
    """Every hook runs once, and the deployment succeeds."""
    assert ending(town.play()) == ("Succeeded", None, None)
    assert town.hooks.ran == list(HOOK_EVENTS)


def test_an_alarm_that_fires_already_stops_install(town: Town) -> None:
    """Recorded on AWS: Stopped during Install, not before, however long the first hook takes; and rolled back."""
    town.set_alarm()
    town.hooks.before["BeforeInstall"] = lambda: threading.Event().wait(0.2)
    timeline = town.play()
    assert ending(timeline) == ("Stopped", "Install", "ALARM_ACTIVE")
    assert town.hooks.ran == ["BeforeInstall"]
    assert timeline.rollback_id
    assert [task_set["status"] for task_set in town.stack.task_sets()] == ["PRIMARY", "DRAINING"]


def test_a_hook_that_names_the_alarm_comes_first(town: Town) -> None:
    """When the first hook has reported Failed, that is what the deployment failed of."""
    town.set_alarm()
    town.hooks.reports["BeforeInstall"] = "Failed"
    timeline = town.play()
    assert ending(timeline) == ("Failed", "BeforeInstall", "HOOK_EXECUTION_FAILURE")
    assert timeline.rollback_id is None


def test_an_alarm_that_goes_off_later(town: Town) -> None:
    """It stops the deployment at whatever event it is, also while a hook is waited for."""
    town.hooks.before["AfterAllowTestTraffic"] = town.set_alarm
    town.hooks.reports["AfterAllowTestTraffic"] = None
    assert ending(town.play()) == ("Stopped", "AfterAllowTestTraffic", "ALARM_ACTIVE")


def test_rules_move_with_the_listener(town: Town) -> None:
    """Those that lead to the pair alone; one that leads elsewhere too, or answers by itself, stays as it is."""
    elbv2, blue, green = town.clients.elbv2, town.stack.blue_group, town.stack.green_group
    elbv2.create_target_group(Name="third", Protocol="HTTP", Port=8000, VpcId=town.stack.vpc_id, TargetType="ip")
    third = elbv2.describe_target_groups(Names=["third"])["TargetGroups"][0]["TargetGroupArn"]
    both = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1} for arn in (blue, third)]}
    given = {
        1: {"Type": "forward", "TargetGroupArn": blue},
        2: {"Type": "forward", "TargetGroupArn": third},
        3: {"Type": "forward", "ForwardConfig": both},
        4: {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}},
    }
    for priority, action in given.items():
        elbv2.create_rule(
            ListenerArn=town.stack.production_listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
            Actions=[action],
        )
    before = actions_by_priority(town)
    assert town.play().status == "Succeeded"
    after = actions_by_priority(town)
    groups = after.pop("1")["ForwardConfig"]["TargetGroups"]
    assert {group["TargetGroupArn"]: group["Weight"] for group in groups} == {blue: 0, green: 100}
    assert after == {priority: action for priority, action in before.items() if priority != "1"}


def actions_by_priority(town: Town) -> dict[str, dict[str, Any]]:
    """Return what the rules of the production listener do, without the default one."""
    rules: list[Any] = town.clients.elbv2.describe_rules(ListenerArn=town.stack.production_listener)["Rules"]
    return {rule["Priority"]: rule["Actions"][0] for rule in rules if not rule["IsDefault"]}


def test_remove_test_listener(town: Town) -> None:
    """The deployment group has none, and the load balancer's stays where it led."""
    assert "testTrafficRoute" in listener_pair(town.clients, town.outputs)
    assert "no test listener" in remove_test_listener(town.clients, town.outputs)
    pair = listener_pair(town.clients, town.outputs)
    assert "testTrafficRoute" not in pair
    assert pair["prodTrafficRoute"]["listenerArns"] == [town.stack.production_listener]
    assert town.play().status == "Succeeded"
    assert groups_of(town, town.stack.test_listener) == {town.stack.blue_group}


def test_fire_alarm(town: Town) -> None:
    """The alarm goes off by its own metric, so it is still in ALARM when it is evaluated again."""
    metrics, over = Metrics(ACCOUNT, stacks.REGION), threading.Event()

    def evaluate() -> None:
        while not over.wait(0.02):
            metrics.evaluate()

    thread = threading.Thread(target=evaluate)
    thread.start()
    try:
        said = fire_alarm(town.clients, town.outputs)
    finally:
        over.set()
        thread.join()
    assert ALARM in said
    assert "ALARM" in said
    metrics.evaluate()
    found: Any = town.clients.cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
    assert found["StateValue"] == "ALARM"


def test_unpair_production_listener(town: Town) -> None:
    """Production leads to blue alone, so green's targets are not in use until testers see them."""
    blue, green = town.stack.blue_group, town.stack.green_group
    assert groups_of(town, town.stack.production_listener) == {blue, green}
    assert blue.split("/")[-2] in unpair_production_listener(town.clients, town.outputs)
    assert groups_of(town, town.stack.production_listener) == {blue}
    seen: list[set[str]] = []
    for event in ("AfterInstall", "AfterAllowTestTraffic"):
        town.hooks.before[event] = lambda: seen.append({state for _, state, _ in town.stack.health(green)})
    assert town.play().status == "Succeeded"
    assert seen == [{"unused"}, {"healthy"}]


def test_lead_tests_astray(town: Town) -> None:
    """The health path leads to blue's tasks, whatever CodeDeploy does to the listener."""
    assert "/health" in lead_tests_astray(town.clients, town.outputs)
    rules: list[Any] = town.clients.elbv2.describe_rules(ListenerArn=town.stack.test_listener)["Rules"]
    (rule,) = [rule for rule in rules if not rule["IsDefault"]]
    third = rule["Actions"][0]["TargetGroupArn"]
    assert third not in (town.stack.blue_group, town.stack.green_group)

    def addresses(group: str) -> set[str]:
        return {address for address, _, _ in town.stack.health(group)}

    assert addresses(third) == addresses(town.stack.blue_group)
    assert town.play().status == "Succeeded"
    assert groups_of(town, town.stack.test_listener) == {town.stack.green_group}
    assert addresses(third).isdisjoint(addresses(town.stack.green_group))


@pytest.mark.parametrize("valid", [3600, 1])
def test_serve_tests_on_https(town: Town, valid: float) -> None:
    """The test listener has a certificate; of one that is to expire, it has expired when the deployment begins."""
    said = serve_tests_on_https("shop.example.com", valid)(town.clients, town.outputs)
    found: Any = town.clients.elbv2.describe_listeners(ListenerArns=[town.stack.test_listener])["Listeners"][0]
    assert found["Protocol"] == "HTTPS"
    arn = found["Certificates"][0]["CertificateArn"]
    certificate = town.clients.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert certificate["DomainName"] == "shop.example.com"
    expired = certificate["NotAfter"] < datetime.now(timezone.utc)
    assert expired is (valid == 1)
    assert ("has expired" in said) is expired
    assert town.play().status == "Succeeded"


def test_add_alarm_without_data(town: Town) -> None:
    """It stays in INSUFFICIENT_DATA, however often it is evaluated."""
    said = add_alarm_without_data(town.clients, town.outputs)
    name = f"{town.stack.service}-payments"
    assert name in said
    Metrics(ACCOUNT, stacks.REGION).evaluate()
    found: Any = town.clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert found["StateValue"] == "INSUFFICIENT_DATA"


def groups_of(town: Town, listener: str) -> set[str]:
    """Return the target groups that a listener leads to, at whatever weight."""
    found = town.clients.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    return {group["TargetGroupArn"] for group in found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]}
