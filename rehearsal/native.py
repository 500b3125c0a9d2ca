"""ECS's side of the world: plays a service deployment through the stages of its own blue/green.

The stand-in keeps deployments and revisions; what ECS does by itself is done here: it starts green's tasks, moves the
rules, invokes the hooks of each stage side by side and waits for what they return, watches the alarms, and rolls back.
Texts of failures are AWS's, as recorded.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from moto.ecs.models import ecs_backends

from rehearsal.aws.ecs_native import STAGES, ServiceDeployment
from rehearsal.aws.ecs_sets import StandInService
from rehearsal.functions import Attempt
from rehearsal.lifecycle import ALARM_INTERVAL, INSTALL_LIMIT, MINUTE, Clients, EventRecord, HookRun, Timeline

CALL_BACK = 0.05
"""Seconds that a second of `callBackDelay` takes."""

UNPARSABLE = (
    "Service deployment rolled back because {stage} lifecycle hook(s) failed. ECS was unable to parse the response "
    "from {function} due to: {why}"
)
REFUSED = (
    "Service deployment rolled back because {stage} lifecycle hook(s) failed. Lifecycle hook target {function} "
    "returned FAILED status."
)
NO_STATUS = "HookStatus must not be null"
TIMED_OUT = "Service deployment rolled back because {stage} lifecycle hook(s) failed. {function} timed out."
"""Not recorded: what ECS says then is not known."""

HOOK_MINUTE = 10.0
"""Seconds that a minute of a hook's time-out takes: the hooks themselves run in real time."""


class _Ended(Exception):
    """The deployment does not go on."""

    def __init__(self, error: tuple[str, str]) -> None:
        super().__init__(error[1])
        self.error = error


class NativePlayer:
    """Plays one service deployment.

    Args:
        deployment: the stand-in's record of it.
        clients: how ECS reaches the other services.
        attempts: the functions' runs so far, a growing list.
        progress: told of each stage, when it begins and when it has ended.
        meanwhile: what happens beside a stage, from its beginning on; returns what it did, in a line.
    """

    def __init__(
        self,
        deployment: ServiceDeployment,
        clients: Clients,
        attempts: list[Attempt],
        progress: Callable[[EventRecord], None],
        *,
        meanwhile: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        self._deployment, self._clients = deployment, clients
        self._attempts, self._progress = attempts, progress
        self._meanwhile = meanwhile or {}
        self._configuration: Mapping[str, Any] = deployment.service.deployment_configuration
        self._timeline = Timeline(deployment.id, [])
        self._alarm = ""
        self._left: dict[str, dict[str, Any]] = {}
        self._over = threading.Event()

    @property
    def deployment_id(self) -> str:
        """The service deployment's id."""
        return self._deployment.id

    @property
    def arn(self) -> str:
        """The service deployment's ARN."""
        return self._deployment.arn

    def play(self) -> Timeline:
        """Play the deployment to its end, the rollback included."""
        watcher = threading.Thread(target=self._watch_alarms, daemon=True)
        watcher.start()
        try:
            for stage, percent in self._stages():
                self._stage(stage, percent)
            self._deployment.succeed()
        except _Ended as end:
            self._timeline.error = end.error
            self._roll_back(end.error[1])
        finally:
            self._over.set()
            watcher.join()
        self._timeline.status = self._deployment.status
        return self._timeline

    def _stages(self) -> Iterator[tuple[str, float]]:
        """Each stage, and how much of production is on green after it; those of the shift come once a step."""
        steps = list(percentages(self._configuration))
        for stage in STAGES:
            if stage == "PRODUCTION_TRAFFIC_SHIFT":
                continue
            if stage != "PRE_PRODUCTION_TRAFFIC_SHIFT":
                yield stage, 0
                continue
            for percent in steps:
                yield stage, percent
                yield "PRODUCTION_TRAFFIC_SHIFT", percent

    def _stage(self, stage: str, percent: float) -> None:
        act = {
            "SCALE_UP": self._scale_up,
            "TEST_TRAFFIC_SHIFT": lambda record: self._shift(record, "test", 100),
            "PRODUCTION_TRAFFIC_SHIFT": lambda record: self._shift(record, "production", percent),
            "BAKE_TIME": self._bake,
        }.get(stage)
        record = EventRecord(stage, "InProgress", time.time())
        self._timeline.events.append(record)
        self._deployment.enter(stage)
        self._progress(record)
        try:
            with self._beside(record):
                self._hooks(record)
                if act:
                    act(record)
            record.status = "Succeeded"
        except _Ended as end:
            # Of several hooks each has its own outcome already.
            record.status = "Failed" if record.hook is None or end.error[0] != "HOOK_FAILURE" else record.status
            self._timeline.stopped_at = stage
            raise
        finally:
            record.seconds = time.time() - (record.began or 0)
            self._progress(record)

    @contextmanager
    def _beside(self, record: EventRecord) -> Iterator[None]:
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

    def _hooks(self, record: EventRecord) -> None:
        """Invoke the hooks of a stage side by side; all have to succeed."""
        self._check_alarm()
        hooks = [
            hook
            for hook in self._configuration.get("lifecycleHooks") or []
            if record.name in hook.get("lifecycleStages", ())
        ]
        if not hooks:
            return
        records = [record, *(EventRecord(record.name, "InProgress", record.began) for _ in hooks[1:])]
        self._timeline.events += records[1:]
        with ThreadPoolExecutor(len(hooks)) as side_by_side:
            errors = list(side_by_side.map(self._hook, records, hooks))
        for each, error in zip(records, errors, strict=True):
            each.status, each.seconds = "Failed" if error else "Succeeded", time.time() - (record.began or 0)
        error = next((each for each in errors if each), "")
        if error:
            raise _Ended(("HOOK_FAILURE", error))
        self._check_alarm()

    def _hook(self, record: EventRecord, hook: Mapping[str, Any]) -> str:
        """Invoke one until it has decided; why it failed, in AWS's words, empty if it did not."""
        function, known = str(hook["hookTargetArn"]), len(self._attempts)
        run = HookRun(function.rsplit(":", 1)[-1])
        record.hook = run
        configured = hook.get("hookDetails")
        # Whether what one stage has left comes to the next one, nobody says: here it does.
        details: dict[str, Any] | None = {**(configured or {}), **self._left.get(function, {})} or configured
        execution = self._deployment.event(details)["executionId"]
        timeout = {"timeoutInMinutes": 1440, "action": "ROLLBACK", **(hook.get("timeoutConfiguration") or {})}
        expires = datetime.now(timezone.utc) + timedelta(seconds=timeout["timeoutInMinutes"] * HOOK_MINUTE)
        told = {"hookId": execution, "targetType": "AWS_LAMBDA", "targetArn": function, "status": "IN_PROGRESS"}
        told |= {"expiresAt": expires, "timeoutAction": timeout["action"]}
        self._deployment.hooks = [*self._deployment.hooks, told]
        while True:
            event = {**self._deployment.event(details), "executionId": execution}
            answer = self._invoke(function, event)
            run.attempts = [each for each in self._attempts[known:] if execution.encode() in each.payload]
            run.result = answer if isinstance(answer, dict) else None
            status = run.result.get("hookStatus") if run.result else None
            if status != "IN_PROGRESS":
                break
            if datetime.now(timezone.utc) > expires:
                status = "TIMED_OUT"
                break
            assert run.result is not None  # noqa: S101  (it has a status)
            self._left[function] = dict(run.result.get("hookDetails") or {})
            details = {**(configured or {}), **self._left[function]}
            time.sleep(float(run.result.get("callBackDelay") or 30) * CALL_BACK)
        told["status"] = status if status in ("SUCCEEDED", "TIMED_OUT") else "FAILED"
        if status == "TIMED_OUT":
            run.result = None
            return "" if timeout["action"] == "CONTINUE" else TIMED_OUT.format(stage=record.name, function=function)
        run.report = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}.get(str(status))
        run.accepted_reports = 1 if run.report else 0
        if status == "SUCCEEDED":
            return ""
        if status == "FAILED":
            return REFUSED.format(stage=record.name, function=function)
        why = NO_STATUS if status is None else f"unknown HookStatus {status}"
        return UNPARSABLE.format(stage=record.name, function=function, why=why)

    def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        answer = self._clients.functions.invoke(
            FunctionName=function, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
        )
        content = answer["Payload"].read()
        return None if answer.get("FunctionError") else json.loads(content or b"null")

    # What ECS does itself.

    def _scale_up(self, record: EventRecord) -> None:
        self._deployment.scale_up()
        deadline, green = time.monotonic() + INSTALL_LIMIT, self._deployment.target.task_set
        while True:
            self._check_alarm()
            self._deployment.backend.reconcile(self._deployment.service)
            if green.running_count == green.computed_desired_count and not green.pending_count:
                break
            if time.monotonic() > deadline:
                raise _Ended(("SCALE_UP", "Service deployment rolled back because green tasks did not start."))
            time.sleep(0.1)
        record.notes.append(f"{green.id}: {green.running_count} of {green.computed_desired_count} tasks run")

    def _shift(self, record: EventRecord, route: str, percent: float) -> None:
        self._deployment.shift(route, percent)
        record.notes.append(f"{route} rule: {percent:g} % green")

    def _bake(self, record: EventRecord) -> None:
        deadline = time.monotonic() + float(self._configuration.get("bakeTimeInMinutes") or 0) * MINUTE
        while time.monotonic() < deadline:
            self._check_alarm()
            time.sleep(0.1)
        record.notes.append("blue is kept until the bake is over")

    def _roll_back(self, reason: str) -> None:
        """Go back: the two stages that recur are announced to their hooks again, with green at 0."""
        self._deployment.begin_rollback(reason)
        notes = self._timeline.rollback_notes
        self._timeline.rollback_id = self._deployment.id if self._deployment.source else None
        for stage in ("PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"):
            self._deployment.stage = stage
            for hook in self._configuration.get("lifecycleHooks") or []:
                if stage in hook.get("lifecycleStages", ()):
                    answer = self._invoke(str(hook["hookTargetArn"]), self._deployment.event(hook.get("hookDetails")))
                    notes.append(f"{stage}: {(answer or {}).get('message', 'no answer')}")
        self._deployment.end_rollback()
        notes.append(self._deployment.status_reason if self._deployment.source is None else "all rules lead to blue")

    def _watch_alarms(self) -> None:
        alarms = self._configuration.get("alarms") or {}
        if not (alarms.get("enable") and alarms.get("rollback")):
            return
        while not self._over.wait(ALARM_INTERVAL):
            answer = self._clients.cloudwatch.describe_alarms(
                AlarmNames=alarms["alarmNames"], AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
            )
            active = [
                each["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for each in answer.get(kind, [])
            ]
            if active:
                self._alarm = ", ".join(active)
                return

    def _check_alarm(self) -> None:
        if self._alarm:
            raise _Ended(("ALARM", f"Service deployment rolled back because alarm(s) [{self._alarm}] were activated."))


def create(
    clients: Clients, outputs: Mapping[str, Any], changes: Mapping[str, Any], definition: str | None = None
) -> None:
    """Create the service, as Terraform does with a newer provider.

    Args:
        clients: of the stand-in.
        outputs: of the environment; `native_service` has the parameters of CreateService.
        changes: what differs in its deploymentConfiguration; `stages` are the stages of hooks, by function, and
            `timeouts` their time-outs.
        definition: the task definition, where it is not the environment's.
    """
    service = dict(outputs["native_service"])
    configuration = {**service["deploymentConfiguration"], **changes}
    stages, timeouts = configuration.pop("stages", {}), configuration.pop("timeouts", {})
    names = {name: function for function, name in outputs["function_names"].items()}
    hooks = []
    for hook in configuration["lifecycleHooks"]:
        name = names.get(hook["hookTargetArn"].rpartition(":")[2], "")
        timeout = {"timeoutConfiguration": timeouts[name]} if name in timeouts else {}
        hooks.append({**hook, "lifecycleStages": stages.get(name, hook["lifecycleStages"]), **timeout})
    service["deploymentConfiguration"] = {**configuration, "lifecycleHooks": hooks}
    service["taskDefinition"] = definition or service["taskDefinition"]
    clients.ecs.create_service(**service)


def put_in_place(clients: Clients, outputs: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Create the service and let its first revision serve, without asking a hook."""
    create(clients, outputs, changes)
    deployment = latest(outputs)
    deployment.scale_up()
    for route in ("test", "production"):
        deployment.shift(route)
    deployment.succeed()


def latest(outputs: Mapping[str, Any]) -> ServiceDeployment:
    """Return the stand-in's record of the service's latest deployment."""
    for account in ecs_backends.values():
        for backend in account.values():
            service = backend.services.get(f"{outputs['cluster_name']}:{outputs['service_name']}")
            if service is not None:
                return cast(StandInService, service).service_deployments[-1]
    raise LookupError(f"there is no service {outputs['service_name']}")


def has_test_listener(_clients: Clients, outputs: Mapping[str, Any]) -> bool:
    """Say whether the test listener is still the service's: the test rule may be one of another listener."""
    both = outputs["native_service"]["loadBalancers"][0], latest(outputs).target.load_balancers[0]
    at_first, now = (each["advancedConfiguration"]["testListenerRule"] for each in both)
    return bool(at_first == now)


def percentages(configuration: Mapping[str, Any]) -> Iterator[float]:
    """How much of production is on green after each step."""
    strategy = configuration.get("strategy")
    if strategy == "CANARY":
        yield float((configuration.get("canaryConfiguration") or {}).get("canaryPercent", 5))
    if strategy == "LINEAR":
        step = float((configuration.get("linearConfiguration") or {}).get("stepPercent", 10))
        percent = step
        while percent < 100:
            yield percent
            percent += step
    yield 100.0
