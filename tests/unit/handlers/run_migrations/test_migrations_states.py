"""Whatever comes twice, at once, late or not at all: one migration, one rollback of it, one verdict.

Hypothesis plays Lambda and ECS. It delivers the event again and again, lets deliveries take turns call by call, kills
some of them, and ends tasks as it likes. Between any two calls of AWS a delivery stands still in a thread of its own,
so that each order of calls can come about. AWS is a small model here: of the stand-in, a run would take too long.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import run_migrations
from gate.aws import AwsCallFailed
from gate.waiting import Deadline
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

ID = "d-ABCDEF123"
EVENT = {"DeploymentId": ID, "LifecycleEventHookExecutionId": "execution"}
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_shop"
SETTINGS = {
    "command": ["migrate"],
    "verify_schema_command": ["verify"],
    "rollback_command": ["back"],
    "interval": 60,
    "log_lines": 1,
}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
INVOCATION = 900.0  # seconds
FOREVER = 1e9


class Death(BaseException):
    """The process of a delivery is gone."""


@dataclass(frozen=True)
class End:
    """How a task ends, `after` so many seconds; it goes on for `deaf` seconds when it is told to stop."""

    after: float
    code: int | None = 0
    stop_code: str = "EssentialContainerExited"
    ran: bool = True
    deaf: float = 0.0


AFTER = st.sampled_from([0.0, 90.0, 1000.0, 2000.0, FOREVER])
DEAF = st.sampled_from([0.0, 0.0, 30.0, 200.0])
RAN = st.builds(End, AFTER, st.sampled_from([0, 0, 0, 1, 137]), deaf=DEAF)
STOPPED = st.builds(End, AFTER, st.sampled_from([0, 143]), st.just("UserInitiated"), deaf=DEAF)
INTERRUPTED = st.builds(End, AFTER, st.sampled_from([143, None]), st.just("SpotInterruption"), deaf=DEAF)
NOT_STARTED = st.sampled_from(["TaskFailedToStart", "SpotInterruption"])
NEVER = st.builds(End, AFTER, st.none(), NOT_STARTED, st.just(value=False), DEAF)
ENDS = st.one_of(RAN, RAN, STOPPED, INTERRUPTED, NEVER)


@dataclass
class FakeTask:
    """A task of ECS."""

    arn: str
    step: str
    request: Mapping[str, Any]
    began: float
    end: End
    told: float | None = None  # when StopTask was called

    def is_over(self, now: float) -> bool:
        """Whether its containers have ended."""
        return now >= self._ends_at

    @property
    def _ends_at(self) -> float:
        by_itself = self.began + self.end.after
        return by_itself if self.told is None else min(by_itself, self.told + self.end.deaf)

    @property
    def was_stopped(self) -> bool:
        """Whether StopTask came before its own end."""
        return self.told is not None and self.told < self.began + self.end.after

    @property
    def ran(self) -> bool:
        """Whether its command has run: by then something may have changed."""
        return self.end.ran

    @property
    def went_well(self) -> bool:
        """Whether it is a success."""
        return self.end.code == 0 and self.end.stop_code == "EssentialContainerExited" and not self.was_stopped

    def describe(self, now: float) -> dict[str, Any]:
        """The shape Task."""
        container: dict[str, Any] = {"name": "app", "lastStatus": "RUNNING" if self.ran else "PENDING"}
        task: dict[str, Any] = {
            "taskArn": self.arn,
            "group": self.request["group"],
            "startedBy": self.request["startedBy"],
            "tags": self.request["tags"],
            "createdAt": START + timedelta(seconds=self.began),
            "lastStatus": "RUNNING" if self.ran else "PENDING",
            "containers": [container],
        }
        if self.ran:
            task["startedAt"] = task["createdAt"]
        if self.was_stopped:
            task["lastStatus"] = "STOPPING"
        if self.is_over(now):
            task["lastStatus"] = container["lastStatus"] = "STOPPED"
            code = (143 if self.was_stopped and self.end.code is not None else self.end.code) if self.ran else None
            if code is not None:
                container["exitCode"] = code
            task["stopCode"] = "UserInitiated" if self.was_stopped else self.end.stop_code
        return task


@dataclass
class Aws:
    """CodeDeploy, ECS and Lambda, as far as the hook sees them."""

    ends: dict[str, End]  # by step
    now: float = 0.0
    tasks: dict[str, FakeTask] = field(default_factory=dict)  # by client token
    verdicts: list[str] = field(default_factory=list)  # those that CodeDeploy took
    sent: list[dict[str, Any]] = field(default_factory=list)  # what the function sent to itself
    wrong: list[str] = field(default_factory=list)
    status: str = "InProgress"  # of the deployment

    def call(self, service: str, operation: str, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Answer one call."""
        del service, region
        answer: dict[str, Any] = getattr(self, operation)(**parameters)
        return answer

    def get_deployment(self, **_: Any) -> dict[str, Any]:
        """The deployment, whoever asks."""
        return {"deploymentInfo": {"applicationName": "shop", "deploymentGroupName": "shop", "status": self.status}}

    def get_deployment_group(self, **_: Any) -> dict[str, Any]:
        """It is the hook's."""
        return {"deploymentGroupInfo": {"ecsServices": [{"clusterName": "main", "serviceName": "shop"}]}}

    def describe_services(self, **_: Any) -> dict[str, Any]:
        """One service, with green."""
        green = {
            "id": "ecs-svc/2",
            "externalId": ID,
            "taskDefinition": "task-definition/shop:2",
            "launchType": "FARGATE",
        }
        return {"services": [{"serviceName": "shop", "taskSets": [green]}]}

    def describe_task_definition(self, **_: Any) -> dict[str, Any]:
        """One container, with a log."""
        log = {"logDriver": "awslogs", "options": {"awslogs-group": "shop", "awslogs-stream-prefix": "shop"}}
        return {
            "taskDefinition": {"containerDefinitions": [{"name": "app", "image": "app:1", "logConfiguration": log}]}
        }

    def get_log_events(self, **_: Any) -> dict[str, Any]:
        """One line."""
        return {"events": [{"message": "a line"}]}

    def list_tasks(self, **parameters: Any) -> dict[str, Any]:
        """Those that are to run, or those that are not."""
        stopped = parameters["desiredStatus"] == "STOPPED"
        arns = [t.arn for t in self.tasks.values() if (t.is_over(self.now) or t.was_stopped) is stopped]
        return {"taskArns": arns}

    def describe_tasks(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        """What became of them."""
        return {"tasks": [task.describe(self.now) for task in self.tasks.values() if task.arn in tasks]}

    def run_task(self, **request: Any) -> dict[str, Any]:
        """Start a task, once for each token."""
        token = request["clientToken"]
        if token not in self.tasks:
            step = next(tag["value"] for tag in request["tags"] if tag["key"] == "codedeploy-step")
            running = [task.step for task in self.tasks.values() if not task.is_over(self.now)]
            if running:
                self.wrong.append(f"{step} was started while {running} ran")
            if Delivery.current.is_late and not step.startswith("rollback"):
                self.wrong.append(f"{step} was started though the deployment had ended")
            self.tasks[token] = FakeTask(f"task/main/{len(self.tasks)}", step, request, self.now, self.ends[step])
        return {"tasks": [self.tasks[token].describe(self.now)]}

    def stop_task(self, task: str, reason: str, **_: Any) -> dict[str, Any]:
        """Tell a task to stop; one that has ended is left alone."""
        found = next(each for each in self.tasks.values() if each.arn == task)
        assert reason.startswith(f"run_migrations of deployment {ID}: ")
        if not found.is_over(self.now) and found.told is None:
            found.told = self.now
        return {}

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Take what the function sends to itself."""
        self.sent.append(json.loads(parameters["Payload"]))
        return {"StatusCode": 202, "ResponseMetadata": {"RequestId": "request"}}

    def put_lifecycle_event_hook_execution_status(self, status: str, **_: Any) -> dict[str, Any]:
        """Take the first report; as CodeDeploy, refuse all others."""
        if self.verdicts:
            problem = AwsCallFailed("", "codedeploy", "")
            problem.response = {"Error": {"Code": "LifecycleEventAlreadyCompletedException"}}  # type: ignore[attr-defined]
            raise problem
        self.verdicts.append(status)
        return {"lifecycleEventHookExecutionId": "execution"}

    def of(self, step: str) -> list[FakeTask]:
        """The tasks of a step, both attempts."""
        return [task for task in self.tasks.values() if task.step.partition("-")[0] == step]


class Delivery:
    """One invocation of the function, in a thread that stands still before each call of AWS and while it sleeps."""

    current: Delivery  # whose turn it is

    def __init__(self, aws: Aws, event: Mapping[str, Any]) -> None:
        self.aws = aws
        self.event = event
        self.ends_at = aws.now + INVOCATION
        self.is_late = aws.status != "InProgress"
        self.answer: dict[str, Any] | None = None
        self.is_over = False
        self.died = False
        self._wakes_at = 0.0
        self._killed = False
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.turn()

    def _run(self) -> None:
        self._go.acquire()
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: INVOCATION * 1000,
            invoked_function_arn=FUNCTION,
            aws_request_id="request",
        )
        try:
            self.answer = run_migrations.handler(self.event, context)
        except Death:
            self.died = True
        finally:
            self.is_over = True
            self._stands.release()

    def turn(self) -> None:
        """Let it go on to its next call; what sleeps is woken by letting the time pass."""
        if self.is_over:
            return
        self.aws.now = max(self.aws.now, self._wakes_at)
        if self.aws.now > self.ends_at:  # Lambda ends what takes longer
            self._killed = True
        Delivery.current = self
        self._go.release()
        self._stands.acquire()

    def kill(self) -> None:
        """End the process: nothing that it calls gets through any more."""
        self._killed = True
        while not self.is_over:
            self.turn()

    def stand(self, seconds: float = 0.0) -> None:
        """Stand still until it is this delivery's turn; called from its thread."""
        self._wakes_at = self.aws.now + seconds
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise Death


def stand_and_call(aws: Aws) -> Callable[..., Any]:
    """Calls of AWS before which the delivery stands still."""

    def call(*arguments: Any, **parameters: Any) -> Any:
        Delivery.current.stand()
        return aws.call(*arguments, **parameters)

    return call


@functools.cache
def _client_of_ecs() -> Any:
    return boto3.client("ecs", region_name="eu-west-1")


def install(patch: pytest.MonkeyPatch, aws: Aws) -> None:
    """Put the model in the place of AWS, and its time in the place of the time."""
    call = stand_and_call(aws)

    def pages(service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        yield from call(service, operation, **parameters)[key]

    def report(**parameters: Any) -> Any:
        return call("codedeploy", "put_lifecycle_event_hook_execution_status", **parameters)

    class WallClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> WallClock:
            return cls.fromtimestamp((START + timedelta(seconds=aws.now)).timestamp(), tz)

    def sleep(seconds: float) -> None:
        Delivery.current.stand(seconds)

    def now() -> float:
        return aws.now

    def wall() -> float:
        return START.timestamp() + aws.now

    meta = _client_of_ecs().meta
    client = SimpleNamespace(put_lifecycle_event_hook_execution_status=report, meta=meta)
    times = SimpleNamespace(monotonic=now, time=wall, sleep=sleep)
    for name in ("runner", "runtime", "waiting", "platforms", "platforms.codedeploy"):
        patch.setattr(f"gate.{name}.time", times)
    patch.setattr("gate.tasks.datetime", WallClock)
    patch.setattr(Deadline.__init__, "__defaults__", (now, sleep))
    patch.setattr("gate.aws.call", call)
    patch.setattr("gate.aws.pages", pages)
    patch.setattr("gate.aws.try_again", lambda: None)  # each delivery would have a process of its own
    patch.setattr("gate.aws.client", lambda *_, **__: client)
    quiet = SimpleNamespace(start=lambda: None, cancel=lambda: None, daemon=True)
    patch.setattr("gate.runtime.threading", SimpleNamespace(Timer=lambda *_: quiet, Lock=threading.Lock))
    patch.setattr(logging.getLogger("gate"), "disabled", True)
    environment = {"APP_NAME": "shop", "ENVIRONMENT": "test", "ECS_CLUSTER": "main", "ECS_SERVICE": "shop"}
    for name, value in {**environment, "HOOK_SETTINGS": json.dumps(SETTINGS)}.items():
        patch.setenv(name, value)


class Migrations(RuleBasedStateMachine):
    """Any interleaving of deliveries, deaths and ends of tasks."""

    STEPS = ("migrate", "migrate-2", "verify_schema", "verify_schema-2", "rollback", "rollback-2")

    @initialize(ends=st.fixed_dictionaries(dict.fromkeys(STEPS, ENDS)))
    def begin(self, ends: dict[str, End]) -> None:
        """Let the event come for the first time."""
        self.patch = pytest.MonkeyPatch()
        self.aws = Aws(ends)
        install(self.patch, self.aws)
        self.deliveries = [Delivery(self.aws, EVENT)]
        self.delivered = 0  # of what the function sent to itself

    @property
    def going(self) -> list[Delivery]:
        """The deliveries under way."""
        return [delivery for delivery in self.deliveries if not delivery.is_over]

    @precondition(lambda self: len(self.deliveries) < 8)
    @rule()
    def deliver_again(self) -> None:
        """The same event comes once more."""
        self.deliveries.append(Delivery(self.aws, EVENT))

    @precondition(lambda self: self.delivered < len(self.aws.sent))
    @rule()
    def deliver_what_was_sent(self) -> None:
        """A hop comes."""
        self.deliveries.append(Delivery(self.aws, self.aws.sent[self.delivered]))
        self.delivered += 1

    @precondition(lambda self: self.aws.sent and len(self.deliveries) < 8)
    @rule(which=st.integers(0, 3))
    def deliver_a_hop_again(self, which: int) -> None:
        """A hop comes twice."""
        self.deliveries.append(Delivery(self.aws, self.aws.sent[which % len(self.aws.sent)]))

    @precondition(lambda self: self.going)
    @rule(which=st.integers(0, 3), turns=st.sampled_from([1, 2, 3, 5, 10, 20]))
    def go_on(self, which: int, turns: int) -> None:
        """One of them makes some calls."""
        delivery = self.going[which % len(self.going)]
        for _ in range(turns):
            delivery.turn()

    @precondition(lambda self: self.going)
    @rule(which=st.integers(0, 3))
    def die(self, which: int) -> None:
        """One of them dies where it stands: before a call, which is after another one."""
        self.going[which % len(self.going)].kill()

    @precondition(lambda self: self.aws.tasks)
    @rule()
    def stop_the_deployment(self) -> None:
        """Somebody stops it; what runs is seen to its end."""
        self.aws.status = "Stopped"

    @rule(seconds=st.sampled_from([1.0, 60.0, 300.0]))
    def let_time_pass(self, seconds: float) -> None:
        """Nobody does anything."""
        self.aws.now += seconds

    @invariant()
    def nothing_went_wrong(self) -> None:
        """What holds at any moment."""
        check_always(self.aws)

    def teardown(self) -> None:
        """Lambda tries again what died, and everything comes to its end."""
        if not hasattr(self, "aws"):
            return
        try:
            finish(self.aws, self.deliveries, self.delivered)
            check_at_the_end(self.aws, self.deliveries)
        finally:
            for delivery in self.deliveries:
                delivery.kill()
            self.patch.undo()


def finish(aws: Aws, deliveries: list[Delivery], delivered: int) -> None:
    """Let all deliveries end, and all that they send; what died is delivered again."""
    at = 0
    while at < len(deliveries):
        delivery = deliveries[at]
        while not delivery.is_over:
            delivery.turn()
        if delivery.died and not aws.verdicts:
            deliveries.append(Delivery(aws, delivery.event))
        while delivered < len(aws.sent):
            deliveries.append(Delivery(aws, aws.sent[delivered]))
            delivered += 1
        at += 1
        assert at < 100, "it does not come to an end"


def check_always(aws: Aws) -> None:
    """Each command runs at most once, one at a time; again only where capacity was taken away before its start."""
    assert aws.wrong == []
    for step in ("migrate", "verify_schema", "rollback"):
        tasks = aws.of(step)
        assert len(tasks) <= 2
        for interrupted in tasks[:-1]:
            assert not interrupted.ran
            assert interrupted.end.stop_code == "SpotInterruption"
            assert not interrupted.was_stopped
    if aws.of("rollback"):
        assert any(task.ran for task in aws.of("migrate")), "what never ran was rolled back"
        assert aws.verdicts != ["Succeeded"], "what was rolled back is no success"


def check_at_the_end(aws: Aws, deliveries: list[Delivery]) -> None:
    """One verdict, and nothing half done without a word."""
    check_always(aws)
    assert len(aws.verdicts) == 1
    if aws.status != "InProgress":  # what no invocation had left running is nobody's then
        return
    migrations, verifications = aws.of("migrate"), aws.of("verify_schema")
    if aws.verdicts == ["Succeeded"]:
        assert migrations[-1].went_well
        assert verifications[-1].went_well
        assert aws.of("rollback") == []
        return
    well = bool(migrations and migrations[-1].went_well and verifications and verifications[-1].went_well)
    assert not well, "all went well, and it was reported as a failure"
    if any(task.ran for task in migrations) and not aws.of("rollback"):
        said = [str(delivery.answer["message"]) for delivery in deliveries if delivery.answer]
        assert any(message.startswith("NOT ROLLED BACK: task ") for message in said), said
        assert any(task.end.deaf > 45 for task in (*migrations, *verifications))


Migrations.TestCase.settings = settings(max_examples=50, stateful_step_count=25)
TestMigrations = Migrations.TestCase


# All single deaths, without chance.

OUTCOMES = {
    "well": {},
    "migrate fails": {"migrate": End(0, 1)},
    "verify fails": {"verify_schema": End(0, 1)},
    "rollback fails": {"migrate": End(0, 1), "rollback": End(0, 1)},
    "never started": {"migrate": End(0, None, "TaskFailedToStart", ran=False)},
    "interrupted before": {"migrate": End(0, None, "SpotInterruption", ran=False)},
    "interrupted twice": dict.fromkeys(("migrate", "migrate-2"), End(0, None, "SpotInterruption", ran=False)),
    "its host is gone": {"migrate": End(90, None, "SpotInterruption")},
    "long": {"migrate": End(1000)},
    "too long": {"migrate": End(FOREVER)},
    "long rollback": {"migrate": End(0, 1), "rollback": End(1000)},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("again", ["at once", "with it"])
def test_a_death_at_each_call(monkeypatch: pytest.MonkeyPatch, outcome: str, again: str) -> None:
    """The event comes again when the function has died; or a second delivery keeps pace with it from the start."""
    calls, died = 0, True
    while died:
        calls += 1
        with monkeypatch.context() as patch:
            aws = Aws({step: OUTCOMES[outcome].get(step, End(0)) for step in Migrations.STEPS})
            install(patch, aws)
            deliveries = [Delivery(aws, EVENT) for _ in range(2 if again == "with it" else 1)]
            for _ in range(calls):
                for delivery in deliveries:
                    delivery.turn()
            died = not deliveries[0].is_over
            deliveries[0].kill()
            finish(aws, deliveries, 0)
            check_at_the_end(aws, deliveries)
    assert calls >= 9
