"""CodeDeploy's side of the world: plays a deployment of an ECS service through its eight lifecycle events.

The stand-in keeps the deployments and answers the API; what CodeDeploy does by itself is done here: it creates the
green task set, moves the listeners, invokes the hooks' functions and waits for their reports, watches the deployment
group's alarms, and rolls back. All through the API, as CodeDeploy's service role would.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from rehearsal.aws.codedeploy import EVENTS, HOOK_EVENTS, Deployment, create_rollback
from rehearsal.functions import Attempt

MINUTE = 0.4
"""Seconds that a minute of a deployment configuration takes: waiting teaches nothing."""

INSTALL_LIMIT = 60.0
"""Seconds that the green tasks have to run (60 minutes on AWS)."""

HOOK_LIMIT = 400.0
"""Seconds that a hook has to report (3,600 on AWS); more than the functions' own time-out and two retries."""

ALARM_INTERVAL = 1.0
"""Seconds between two looks at the deployment group's alarms."""

HOOK_FAILURE = (
    "HOOK_EXECUTION_FAILURE",
    "The deployment failed because one or more of the lifecycle event validation functions failed.",
)
HOOK_TIMEOUT = (
    "TIMEOUT",
    (
        "The deployment timed out while waiting for a status callback from a lifecycle event hook function. "
        "CodeDeploy expects a status callback within one hour after a deployment hook is invoked."
    ),
)
INSTALL_TIMEOUT = (
    "TIMEOUT",
    (
        "The deployment timed out while waiting for the replacement task set to become healthy. This time out period "
        "is 60 minutes."
    ),
)


@dataclass
class HookRun:
    """What a hook's function did at an event."""

    function_name: str
    report: str | None = None
    """Succeeded, Failed, or None if no report came."""
    result: dict[str, Any] | None = None
    """What the function returned: status, message, checks."""
    attempts: list[Attempt] = field(default_factory=list)
    accepted_reports: int = 0
    """How many reports CodeDeploy took."""


@dataclass
class EventRecord:
    """One lifecycle event as it was played."""

    name: str
    status: str = "Skipped"
    began: float | None = None
    """Epoch seconds."""
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)
    hook: HookRun | None = None


@dataclass
class Timeline:
    """A deployment as it was played."""

    deployment_id: str
    events: list[EventRecord]
    status: str = "InProgress"
    error: tuple[str, str] | None = None
    stopped_at: str | None = None
    """The event at which the deployment ended before its time."""
    rollback_id: str | None = None
    rollback_notes: list[str] = field(default_factory=list)


class _Ended(Exception):
    """The deployment ends before its time."""

    def __init__(self, status: str, error: tuple[str, str]) -> None:
        super().__init__(error[1])
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Clients:
    """boto3 clients of the services that CodeDeploy uses, and of those that are changed before or beside it."""

    ecs: Any
    elbv2: Any
    functions: Any
    cloudwatch: Any
    codedeploy: Any
    acm: Any
    ecr: Any
    logs: Any
    iam: Any


class Player:
    """Plays one deployment.

    Args:
        deployment: the stand-in's record of it.
        clients: how CodeDeploy reaches the other services.
        attempts: the functions' runs so far, a growing list.
        progress: told of each event, when it begins and when it has ended.
        deliveries: how often the event for a hook is delivered, all at once, by lifecycle event; once by default.
        meanwhile: what happens beside a lifecycle event, from its beginning on; returns what it did, in a line. Its
            end is waited for.
    """

    def __init__(
        self,
        deployment: Deployment,
        clients: Clients,
        attempts: list[Attempt],
        progress: Callable[[EventRecord], None],
        *,
        deliveries: Mapping[str, int] | None = None,
        meanwhile: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        self._deployment = deployment
        self._clients = clients
        self._attempts = attempts
        self._progress = progress
        self._deliveries = deliveries or {}
        self._meanwhile = meanwhile or {}
        self._timeline = Timeline(deployment.deployment_id, [EventRecord(name) for name in EVENTS])
        self._alarm: str | None = None
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        group = deployment.deployment_group
        service = group.ecs_services[0]
        self._cluster, self._service = service["clusterName"], service["serviceName"]
        pair = group.load_balancer_info["targetGroupPairInfoList"][0]
        self._production = pair["prodTrafficRoute"]["listenerArns"][0]
        self._test = (pair.get("testTrafficRoute") or {}).get("listenerArns", [None])[0]
        names = [target_group["name"] for target_group in pair["targetGroups"]]
        found = clients.elbv2.describe_target_groups(Names=names)["TargetGroups"]
        arns = {target_group["TargetGroupName"]: target_group["TargetGroupArn"] for target_group in found}
        self._blue_set: dict[str, Any] = next(s for s in self._task_sets() if s["status"] == "PRIMARY")
        serving = [each["targetGroupArn"] for each in self._blue_set.get("loadBalancers") or []]
        # Where only rules lead to the pair, the default action says nothing of it.
        weights = self._weights(self._production) or dict.fromkeys(serving, 100)
        self._blue, self._green = sorted((arns[name] for name in names), key=lambda arn: -weights.get(arn, 0))
        self._green_set: str | None = None
        self._app_spec: dict[str, Any] = yaml.safe_load(deployment.app_spec() or "")

    @property
    def deployment_id(self) -> str:
        """The deployment's id."""
        return self._timeline.deployment_id

    def play(self) -> Timeline:
        """Play the deployment to its end, the rollback included."""
        try:
            for record in self._timeline.events:
                self._event(record)
            self._terminate_blue()
            self._deployment.set_status("Succeeded")
        except _Ended as end:
            self._fail(end)
        finally:
            self._over.set()
            if self._watcher is not None:
                self._watcher.join()
        self._timeline.status = self._deployment.status
        return self._timeline

    def _event(self, record: EventRecord) -> None:
        act = {
            "Install": self._install,
            "AllowTestTraffic": self._allow_test_traffic,
            "AllowTraffic": self._allow_traffic,
        }.get(record.name)
        record.status, record.began = "InProgress", time.time()
        execution_id = self._deployment.begin(record.name)
        self._progress(record)
        try:
            with self._beside(record):
                if act is not None:
                    act(record)
                else:
                    self._hook(record, execution_id)
            record.status = "Succeeded"
        except _Ended as end:
            record.status = "Failed" if end.status == "Failed" else "Skipped"
            self._timeline.stopped_at = record.name
            raise
        finally:
            record.seconds = time.time() - record.began
            if self._deployment.event(record.name).status == "InProgress":
                self._deployment.finish(record.name, record.status)
            self._progress(record)

    @contextmanager
    def _beside(self, record: EventRecord) -> Iterator[None]:
        """Let happen what is to happen beside an event."""
        step = self._meanwhile.get(record.name)
        if step is None:
            yield
            return
        with ThreadPoolExecutor(1) as beside:
            done = beside.submit(step)
            try:
                yield
            finally:
                record.notes.append(f"meanwhile: {done.result()}")

    # The hooks.

    def _hook(self, record: EventRecord, execution_id: str) -> None:
        arn = self._hook_function(record.name)
        if arn is None:
            record.notes.append("no hook in the AppSpec")
            return
        payload = {"DeploymentId": self._deployment.deployment_id, "LifecycleEventHookExecutionId": execution_id}
        record.hook = HookRun(arn.rsplit(":", 1)[-1])
        known = len(self._attempts)
        deliveries = self._deliveries.get(record.name, 1)
        if deliveries > 1:
            record.notes.append(f"the event is delivered {deliveries} times at once")
        for _ in range(deliveries):
            self._clients.functions.invoke(
                FunctionName=arn, InvocationType="Event", Payload=json.dumps(payload).encode()
            )
        report = self._deployment.wait_for_report(execution_id, HOOK_LIMIT)
        record.hook.report = report
        self._collect(record.hook, known, execution_id)
        if report is None:
            self._check_interrupted()
            raise _Ended("Failed", HOOK_TIMEOUT)
        if report == "Failed":
            raise _Ended("Failed", HOOK_FAILURE)
        self._check_interrupted()

    def _hook_function(self, event: str) -> str | None:
        for entry in self._app_spec.get("Hooks") or []:
            for name, arn in entry.items():
                if name == event and event in HOOK_EVENTS:
                    return str(arn)
        return None

    def _collect(self, run: HookRun, known: int, execution_id: str) -> None:
        """Take what the function returned; it reports first and returns a moment later, in each of its runs."""
        deadline = time.monotonic() + 5
        while True:
            run.attempts = [a for a in self._attempts[known:] if execution_id.encode() in a.payload]
            ended = [bool(attempt.result or attempt.error) for attempt in run.attempts]
            if (ended and all(ended)) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        reports = self._deployment.reports
        run.accepted_reports = sum(r.accepted and r.execution_id == execution_id for r in reports)
        for attempt in reversed(run.attempts):
            if attempt.result:
                result = json.loads(attempt.result)
                run.result = result if isinstance(result, dict) else None
                break

    # What CodeDeploy does itself.

    def _install(self, record: EventRecord) -> None:
        properties = self._app_spec["Resources"][0]["TargetService"]["Properties"]
        balancer = properties["LoadBalancerInfo"]
        service = self._describe_service()
        network = properties.get("NetworkConfiguration")
        settings: dict[str, Any] = {
            "networkConfiguration": _awsvpc(network) if network else self._blue_set.get("networkConfiguration"),
            "launchType": self._blue_set.get("launchType") or service.get("launchType"),
            "platformVersion": properties.get("PlatformVersion"),
        }
        try:
            created = self._clients.ecs.create_task_set(
                cluster=self._cluster,
                service=self._service,
                externalId=self._deployment.deployment_id,
                taskDefinition=properties["TaskDefinition"],
                loadBalancers=[
                    {
                        "targetGroupArn": self._green,
                        "containerName": balancer["ContainerName"],
                        "containerPort": balancer["ContainerPort"],
                    }
                ],
                scale={"value": 100.0, "unit": "PERCENT"},
                **{key: value for key, value in settings.items() if value},
            )
        except self._clients.ecs.exceptions.ClientError as error:
            raise _Ended("Failed", ("ECS_UPDATE_ERROR", str(error))) from error
        self._green_set = created["taskSet"]["taskSetArn"]
        self._watch_alarms()
        # Waited for is that the tasks run. The load balancer's health checks are not waited for: "the deployment
        # succeeded and the application is down" is in AWS's troubleshooting page, and why AfterInstall has a hook.
        deadline = time.monotonic() + INSTALL_LIMIT
        while True:
            self._check_interrupted()
            green = next((s for s in self._task_sets() if s["taskSetArn"] == self._green_set), None)
            if green and green["computedDesiredCount"] <= green["runningCount"] and not green["pendingCount"]:
                break
            if time.monotonic() > deadline:
                raise _Ended("Failed", INSTALL_TIMEOUT)
            time.sleep(0.1)
        record.notes.append(
            f"task set {green['id']}: {green['runningCount']} of {green['computedDesiredCount']} tasks run, "
            f"in target group {_name(self._green)}"
        )

    def _allow_test_traffic(self, record: EventRecord) -> None:
        if self._test is None:
            record.notes.append("the deployment group has no test listener")
            return
        self._shift(self._test, {self._green: 100})
        record.notes.append(f"test listener → {_name(self._green)}")

    def _allow_traffic(self, record: EventRecord) -> None:
        config = self._clients.codedeploy.get_deployment_config(
            deploymentConfigName=self._deployment.deployment_config_name
        )["deploymentConfigInfo"]
        for percentage, minutes in steps(config["trafficRoutingConfig"]):
            self._shift(self._production, {self._blue: 100 - percentage, self._green: percentage})
            record.notes.append(f"production listener: {percentage} % green, {100 - percentage} % blue")
            self._progress(record)
            self._pause(minutes * MINUTE)
        self._clients.ecs.update_service_primary_task_set(
            cluster=self._cluster, service=self._service, primaryTaskSet=self._green_set
        )

    def _terminate_blue(self) -> None:
        option = self._deployment.deployment_group.blue_green_deployment_configuration or {}
        terminate = option.get("terminateBlueInstancesOnDeploymentSuccess") or {}
        try:
            self._pause(float(terminate.get("terminationWaitTimeInMinutes") or 0) * MINUTE)
        except _Ended:
            self._timeline.stopped_at = "termination of blue"
            raise
        if terminate.get("action") != "KEEP_ALIVE":
            self._delete_task_set(self._blue_set["taskSetArn"])

    # How it ends before its time.

    def _fail(self, end: _Ended) -> None:
        self._timeline.error = end.error
        configuration = self._deployment.auto_rollback_configuration or {}
        trigger = "DEPLOYMENT_STOP_ON_ALARM" if end.error[0] == "ALARM_ACTIVE" else "DEPLOYMENT_FAILURE"
        wanted = bool(configuration.get("enabled")) and trigger in (configuration.get("events") or [])
        if self._deployment.rollback_requested is not None:
            wanted = self._deployment.rollback_requested
        if not wanted or self._green_set is None:
            # "A rollback is not possible at this point" (BeforeInstall): there is nothing to roll back.
            self._deployment.set_status(end.status, end.error)
            self._timeline.rollback_notes.append("no rollback: nothing had been installed or shifted")
            return
        rollback = create_rollback(self._deployment, f"{end.error[0]} in deployment {self._deployment.deployment_id}")
        self._timeline.rollback_id = rollback.deployment_id
        self._deployment.set_status(end.status, end.error)
        self._roll_back(rollback)

    def _roll_back(self, rollback: Deployment) -> None:
        """Put the weights back and drain green; no new task set, and no hooks: the rollback's AppSpec has none."""
        notes = self._timeline.rollback_notes
        for name in EVENTS:
            rollback.begin(name)
            if name == "AllowTestTraffic" and self._test is not None:
                self._shift(self._test, {self._blue: 100})
                notes.append(f"test listener → {_name(self._blue)}")
            if name == "AllowTraffic":
                self._shift(self._production, {self._blue: 100, self._green: 0})
                notes.append("production listener: 100 % blue, 0 % green")
                self._clients.ecs.update_service_primary_task_set(
                    cluster=self._cluster, service=self._service, primaryTaskSet=self._blue_set["taskSetArn"]
                )
            rollback.finish(name, "Skipped" if name in HOOK_EVENTS else "Succeeded")
        if self._green_set is not None:
            self._delete_task_set(self._green_set)
            notes.append("green task set drained and deleted")
        rollback.set_status("Succeeded")

    def _watch_alarms(self) -> None:
        """Look at the deployment group's alarms now and, in the background, until the deployment is over.

        Called when Install has made the green task set: an alarm that fires already when the deployment starts stops
        it during Install, not before (recorded on AWS).
        """
        group = self._clients.codedeploy.get_deployment_group(
            applicationName=self._deployment.application_name,
            deploymentGroupName=self._deployment.deployment_group_name,
        )["deploymentGroupInfo"]
        configuration = self._deployment.alarm_override or group.get("alarmConfiguration") or {}
        names = [alarm["name"] for alarm in configuration.get("alarms") or []]
        if not configuration.get("enabled") or not names or self._alarm_fires(names):
            return

        def watch() -> None:
            while not self._over.wait(ALARM_INTERVAL) and not self._alarm_fires(names):
                pass

        self._watcher = threading.Thread(target=watch, daemon=True)
        self._watcher.start()

    def _alarm_fires(self, names: list[str]) -> bool:
        """Look at alarms once; if one fires, note it and stop the deployment."""
        answer = self._clients.cloudwatch.describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
        active = [a["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for a in answer.get(kind, [])]
        if active:
            self._alarm = ", ".join(active)
            self._deployment.stop(None)  # wakes whoever waits for a report
        return bool(active)

    def _check_interrupted(self) -> None:
        if self._alarm is not None:
            raise _Ended("Stopped", ("ALARM_ACTIVE", f"One or more alarms have been activated: <{self._alarm}>"))
        if self._deployment.stop_requested:
            raise _Ended("Stopped", ("MANUAL_STOP", "The deployment was stopped by a user."))

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self._check_interrupted()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))

    # The other services.

    def _describe_service(self) -> dict[str, Any]:
        answer = self._clients.ecs.describe_services(cluster=self._cluster, services=[self._service])
        service: dict[str, Any] = answer["services"][0]
        return service

    def _task_sets(self) -> list[dict[str, Any]]:
        task_sets: list[dict[str, Any]] = self._describe_service().get("taskSets", [])
        return task_sets

    def _delete_task_set(self, arn: str) -> None:
        self._clients.ecs.delete_task_set(cluster=self._cluster, service=self._service, taskSet=arn, force=True)

    def _weights(self, listener_arn: str) -> dict[str, int]:
        listener = self._clients.elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]
        groups = listener["DefaultActions"][-1].get("ForwardConfig", {}).get("TargetGroups", [])
        return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}

    def _shift(self, listener_arn: str, weights: dict[str, int]) -> None:
        """Set the weights of a listener's default action and of its rules, where they forward only to the pair.

        A default action that does something else (a fixed answer, a redirect) stays. A login before the forward, too.
        """
        pair = {self._blue, self._green}
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        listener = self._clients.elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]
        led_to = set().union(*map(_groups, listener["DefaultActions"]))
        if led_to and led_to <= pair:
            actions = _with_forward(listener["DefaultActions"], forward)
            self._clients.elbv2.modify_listener(ListenerArn=listener_arn, DefaultActions=actions)
        for rule in self._clients.elbv2.describe_rules(ListenerArn=listener_arn)["Rules"]:
            led_to = set().union(*map(_groups, rule["Actions"]))
            if not rule["IsDefault"] and led_to and led_to <= pair:
                actions = _with_forward(rule["Actions"], forward)
                self._clients.elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)


def steps(routing: dict[str, Any]) -> Iterator[tuple[int, float]]:
    """Iterate over a traffic routing configuration: percentage of green, and minutes until the next step."""
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        yield canary["canaryPercentage"], canary["canaryInterval"]
    if routing["type"] == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        for percentage in range(linear["linearPercentage"], 100, linear["linearPercentage"]):
            yield percentage, linear["linearInterval"]
    yield 100, 0


def _awsvpc(network: dict[str, Any]) -> dict[str, Any]:
    """Return the AppSpec's network configuration as ECS takes it."""
    given = network["AwsvpcConfiguration"]
    return {"awsvpcConfiguration": {key[0].lower() + key[1:]: value for key, value in given.items()}}


def _with_forward(actions: list[dict[str, Any]], forward: dict[str, Any]) -> list[dict[str, Any]]:
    """Return actions with another forward in the place of theirs."""
    order = ({"Order": each["Order"]} if "Order" in each else {} for each in actions)
    return [
        {**forward, **place} if each["Type"] == "forward" else each for each, place in zip(actions, order, strict=True)
    ]


def _groups(action: dict[str, Any]) -> set[str]:
    """Return the target groups that an action forwards to, by ARN."""
    several = [group["TargetGroupArn"] for group in action.get("ForwardConfig", {}).get("TargetGroups") or []]
    return {*several, action["TargetGroupArn"]} if "TargetGroupArn" in action else set(several)


def _name(target_group_arn: str) -> str:
    return target_group_arn.split("/")[-2]
