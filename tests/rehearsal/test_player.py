"""The player does what CodeDeploy does, and the environment can be changed before it begins."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from rehearsal import images
from rehearsal.aws import stack as stacks
from rehearsal.aws import world
from rehearsal.aws.codedeploy import HOOK_EVENTS
from rehearsal.aws.logs import append
from rehearsal.functions import Attempt
from rehearsal.lifecycle import Clients, Player, Timeline
from rehearsal.metrics import Metrics
from rehearsal.preparations import (
    add_alarm_without_data,
    fire_alarm,
    listener_pair,
    misroute_tests,
    remove_image,
    remove_test_listener,
    serve_tests_on_https,
    stop_migration,
    unpair_production_listener,
)

ACCOUNT = "123456789012"
ALARM = "orders-errors"
AWSLOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/shop", "awslogs-region": stacks.REGION, "awslogs-stream-prefix": "app"},
}


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
            # Of an event delivered several times the first report counts.
            with contextlib.suppress(self._codedeploy.exceptions.LifecycleEventAlreadyCompletedException):
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
        services = ("ecs", "elbv2", "cloudwatch", "codedeploy", "acm", "ecr", "logs", "iam")
        self.clients = Clients(functions=self.hooks, **{service: client(service) for service in services})
        self.outputs = {
            "application_name": self.stack.application,
            "deployment_group_name": self.stack.deployment_group,
            "cluster_name": self.stack.cluster,
            "service_name": self.stack.service,
            "task_family": "orders",
            "alarm_name": ALARM,
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

    def play(
        self, deliveries: Mapping[str, int] | None = None, meanwhile: Mapping[str, Callable[[], str]] | None = None
    ) -> Timeline:
        """Play a deployment with a hook at each event that may have one."""
        spec = self.stack.app_spec(self.stack.register(), **{event: f"arn:aws:lambda:{event}" for event in HOOK_EVENTS})
        deployment = self.stack.deploy(app_spec=spec)
        attempts = self.hooks.attempts
        return Player(
            deployment, self.clients, attempts, lambda _: None, deliveries=deliveries, meanwhile=meanwhile
        ).play()


@pytest.fixture
def town(stand_in: None) -> Town:  # noqa: ARG001  (it is there meanwhile)
    """An environment on moto."""
    return Town()


def ending(timeline: Timeline) -> tuple[str, str | None, str | None]:
    """Return how a deployment ended: status, event, error code."""
    return timeline.status, timeline.stopped_at, timeline.error[0] if timeline.error else None


def test_a_deployment_without_a_fault(town: Town) -> None:
    """Every hook runs once, and the deployment succeeds."""
    assert ending(town.play()) == ("Succeeded", None, None)
    assert town.hooks.ran == list(HOOK_EVENTS)


def test_an_event_delivered_several_times(town: Town) -> None:
    """Its hook runs as often, all runs are told of, and one report is taken."""
    timeline = town.play(deliveries={"BeforeAllowTraffic": 3})
    assert ending(timeline) == ("Succeeded", None, None)
    runs = {event.name: event.hook for event in timeline.events if event.hook}
    assert {name: len(hook.attempts) for name, hook in runs.items()} == {
        name: 3 if name == "BeforeAllowTraffic" else 1 for name in HOOK_EVENTS
    }
    assert {hook.accepted_reports for hook in runs.values()} == {1}
    (note,) = [note for event in timeline.events for note in event.notes if "delivered" in note]
    assert "3 times" in note


@pytest.mark.parametrize("event", ["AllowTestTraffic", "BeforeAllowTraffic"])
def test_what_happens_beside_an_event(town: Town, event: str) -> None:
    """It begins with the event, its end is waited for, and what it did is told."""
    begun, let_go = threading.Event(), threading.Event()
    town.hooks.before["BeforeAllowTraffic"] = let_go.set

    def step() -> str:
        begun.set()
        if event == "BeforeAllowTraffic":
            assert let_go.wait(5), "the hook is not called meanwhile"
        return "the lights go out"

    timeline = town.play(meanwhile={event: step})
    assert begun.is_set()
    assert ending(timeline) == ("Succeeded", None, None)
    noted = {each.name: each.notes for each in timeline.events if "meanwhile: the lights go out" in each.notes}
    assert list(noted) == [event]


def test_what_goes_wrong_beside_an_event(town: Town) -> None:
    """It is no part of the deployment: the player breaks down."""

    def step() -> str:
        raise TimeoutError("there was no migration")

    with pytest.raises(TimeoutError, match="no migration"):
        town.play(meanwhile={"BeforeAllowTraffic": step})


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
    """Those that forward to the pair alone; one that leads elsewhere too, or answers by itself, stays as it is."""
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
    """Production traffic goes to blue alone, so green's targets are not in use until testers see them."""
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
    """A rule forwards the health path to blue's tasks, whatever CodeDeploy does to the listener."""
    assert "/health" in misroute_tests(town.clients, town.outputs)
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


@pytest.mark.parametrize("valid", [3600, 3])
def test_serve_tests_on_https(town: Town, valid: float) -> None:
    """The test listener has a certificate; of one that is to expire, it has expired when the deployment begins."""
    said = serve_tests_on_https("shop.example.com", valid)(town.clients, town.outputs)
    found: Any = town.clients.elbv2.describe_listeners(ListenerArns=[town.stack.test_listener])["Listeners"][0]
    assert found["Protocol"] == "HTTPS"
    arn = found["Certificates"][0]["CertificateArn"]
    certificate = town.clients.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert certificate["DomainName"] == "shop.example.com"
    expired = certificate["NotAfter"] < datetime.now(timezone.utc)
    assert expired is (valid == 3)
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


def test_remove_image(town: Town) -> None:
    """It is gone from ECR, the others stay; what is not there cannot be removed."""
    ecr = town.clients.ecr
    ecr.create_repository(repositoryName=images.REPOSITORY)
    for tag in ("1.0.0", "1.1.0"):
        ecr.put_image(repositoryName=images.REPOSITORY, imageTag=tag, imageManifest=images.manifest(tag))
    remove = remove_image("1.1.0")
    assert "orders:1.1.0" in remove(town.clients, town.outputs)
    assert [image["imageTag"] for image in ecr.list_images(repositoryName=images.REPOSITORY)["imageIds"]] == ["1.0.0"]
    with pytest.raises(LookupError, match=r"orders:1\.1\.0"):
        remove(town.clients, town.outputs)


def test_stop_migration(town: Town) -> None:
    """Of the tasks that run, the one that is tagged as the migration; as soon as its log says that it is at work."""
    scripted, ecs = world.current(), town.clients.ecs
    assert isinstance(scripted, world.ScriptedWorld)
    scripted.exits["sleep", "60"] = world.Exit(runs_for=1_000_000)
    town.clients.logs.create_log_group(logGroupName="/shop")
    definition = town.stack.register(logConfiguration=AWSLOGS)
    started: dict[str, str] = {
        step: ecs.run_task(
            cluster=town.stack.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=town.stack.network,
            overrides={"containerOverrides": [{"name": "app", "command": ["sleep", "60"]}]},
            tags=[{"key": "codedeploy-step", "value": step}],
        )["tasks"][0]["taskArn"]
        for step in ("revision", "migrate")
    }

    def write(step: str, line: str) -> None:
        append(started[step], "/shop", f"app/app/{started[step].rpartition('/')[2]}", [line])

    write("revision", "the backfill begins: 60 s")
    write("migrate", "Running upgrade 0002 -> 0003")
    timer = threading.Timer(0.3, write, ("migrate", "the backfill begins: 60 s"))
    timer.start()
    said = stop_migration(town.clients, town.outputs)
    assert not timer.is_alive()
    assert started["migrate"].rpartition("/")[2] in said
    assert scripted.stopped == [(started["migrate"], "it locks the orders")]


def test_no_migration_to_stop(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without end."""
    monkeypatch.setattr("rehearsal.preparations.MIGRATION_LIMIT", 0.3)
    town.stack.register(logConfiguration=AWSLOGS)
    with pytest.raises(TimeoutError, match="no migration was at work"):
        stop_migration(town.clients, town.outputs)


def groups_of(town: Town, listener: str) -> set[str]:
    """Return the target groups that a listener forwards to, at whatever weight."""
    found = town.clients.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    return {group["TargetGroupArn"] for group in found["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]}
