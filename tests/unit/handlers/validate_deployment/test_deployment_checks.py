"""AfterInstall: what each check makes of one look. No AWS: the look is made by hand, in the words of AWS's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from gate.ecs import Service, Side
from gate.elb import Target, TargetGroup
from gate.options.hooks import ValidateDeployment
from gate.tasks import Task
from gate.verdict import Outcome, ProbeError
from gate.waiting import Deadline
from validate_deployment import Green

from rehearsal.testing.stage import Clock
from tests.unit.handlers.validate_deployment.helpers import HEALTH_CHECK, exited

SET = "ecs-svc/2"
DIGEST = "sha256:" + "1" * 64
APP: dict[str, Any] = {"name": "app", "lastStatus": "RUNNING", "healthStatus": "UNKNOWN", "imageDigest": DIGEST}
SIDE: dict[str, Any] = {**APP, "name": "side", "imageDigest": ""}
HEALTHY = Target("10.0.1.1", 8000, "healthy", "", "")
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def running(number: int, *containers: Mapping[str, Any], address: str = "", **changes: Any) -> Task:
    """A task that runs; its id is its number."""
    interface = {"privateIpv4Address": address or f"10.0.1.{number}"}
    entries = [{**each, "networkInterfaces": [interface]} for each in containers or [APP]]
    return Task({"taskArn": f"task/{number}", "lastStatus": "RUNNING", "containers": entries, **changes})


class FakeDeployment:
    """What the checks ask beside the look."""

    def __init__(self, definition: Mapping[str, Any], targets: Sequence[Target], balancers: Sequence[str]) -> None:
        self.is_rollback, self.further = False, ()
        self._definition, self._targets = definition, list(targets)
        group = dict.fromkeys(TargetGroup.__dataclass_fields__, "")
        self._group = TargetGroup(**{**group, "name": "shop-green", "load_balancers": tuple(balancers)})  # type: ignore[arg-type]

    def task_definition(self, _arn: str) -> Mapping[str, Any]:
        """Green's."""
        return self._definition

    def target_group_of(self, _set: Side) -> TargetGroup:
        """Green's."""
        return self._group

    def targets(self, _group: TargetGroup) -> list[Target]:
        """Those registered."""
        return self._targets


def green_of(
    *found: Task,
    app: Mapping[str, Any] | None = None,
    side: Mapping[str, Any] | None = None,
    targets: Sequence[Target] = (HEALTHY, replace(HEALTHY, address="10.0.1.2")),
    balancers: Sequence[str] = ("arn",),
    service: Mapping[str, Any] | None = None,
    options: ValidateDeployment | None = None,
    **of_set: Any,
) -> Green:
    """Green after a look that found these tasks, or two that run. `app`, `side`: attributes of declared containers."""
    declared = [{"name": "app", **(app or {})}, *([] if side is None else [{"name": "side", **side}])]
    deployment = FakeDeployment({"containerDefinitions": declared}, targets, balancers)
    clock = Clock()
    gate: Any = SimpleNamespace(
        deployment=deployment,
        options=options or ValidateDeployment(),
        deadline=Deadline(900, clock.time, clock.sleep),
        left_out=lambda _name: None,
    )
    green = Green(gate)
    answer = {"id": SET, "computedDesiredCount": 2, "runningCount": 2, "pendingCount": 0, "scale": {"value": 100}}
    balanced = {"loadBalancers": [{"containerName": "app"}], "stabilityStatus": "STEADY_STATE"}
    green.set = Side.of({**answer, **balanced, **of_set})
    members: dict[str, Any] = {
        name: 2 if name in ("desired", "running") else 0 for name in Service.__dataclass_fields__
    }
    green.service = Service(**{**members, "events": (), "placement": {}, **(service or {})})
    green.tasks = {task.arn: task for task in found or (running(1), running(2))}
    return green


def ended(number: int, task: Mapping[str, Any]) -> Task:
    """A task that has stopped."""
    return Task({"taskArn": f"task/{number}", "lastStatus": "STOPPED", **task})


INCOMPLETE: dict[str, Any] = {"runningCount": 0, "pendingCount": 2}  # others are still to take their places


# Looks that see nothing


class Throttled(ProbeError):
    """What a later look may see."""

    retryable = True


def test_trouble_is_borne_for_a_minute_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    green = green_of()
    troubles: list[ProbeError | None] = [Throttled("slow down")]

    def look() -> None:
        if troubles[0]:
            raise troubles[0]

    def outcomes(after: float) -> set[tuple[Outcome, bool]]:
        green.deadline.sleep(after)
        return {(finding.outcome, finding.terminal) for finding in green.findings()}

    monkeypatch.setattr(green, "look", look)
    assert outcomes(5) == outcomes(60) == {(Outcome.ERROR, False)}
    assert outcomes(1) == {(Outcome.ERROR, True)}
    troubles[0] = None
    assert outcomes(10) == {(PASSED, False), (Outcome.SKIPPED, False)}
    troubles[0] = Throttled("slow down")
    assert outcomes(10) == {(Outcome.ERROR, False)}
    troubles[0] = ProbeError("denied")
    assert outcomes(0) == {(Outcome.ERROR, True)}


# Crash loops


def stopped(code: str, reason: str) -> dict[str, Any]:
    return {"stopCode": code, "stoppedReason": reason}


GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/73e2d6bc24d8a067"
SCHEDULER = "ServiceSchedulerInitiated"


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("tasks", "outcome", "loop"),
    [
        ([exited(1), exited(1)], FAILED, True),
        ([exited(1), exited(1, sidecar=137)], FAILED, True),
        ([exited(137, reason="OutOfMemoryError: container killed"), exited(137, reason="OutOfM")], FAILED, False),
        ([exited(1), exited(2)], FAILED, False),
        ([exited(1), exited(2), exited(1)], FAILED, True),
        ([stopped(SCHEDULER, f"Task failed ELB health checks in (target-group {GROUP})")] * 2, FAILED, True),
        ([stopped(SCHEDULER, "Task failed container health checks")] * 2, FAILED, True),
        ([stopped(SCHEDULER, "Scaling activity initiated by (deployment ecs-svc/1)")] * 2, PASSED, False),
        ([stopped("UserInitiated", "by hand")] * 2, PASSED, False),
        ([stopped("SpotInterruption", "Your Spot Task was interrupted.")] * 2, PASSED, False),
    ],
    ids=[
        *("alike", "sidecars differ", "two reasons", "two codes", "two of three"),
        *("target", "health", "scale-in", "person", "spot"),
    ],
)
def test_two_stopped_tasks_of_one_cause_are_a_loop(
    tasks: list[dict[str, Any]], outcome: Outcome, loop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.tasks.quote_log", lambda *_more, **_sizes: ([], "its log: it is empty"))
    found = green_of(*(ended(number, task) for number, task in enumerate(tasks)), **INCOMPLETE).crash_loop()
    assert (found.outcome, found.terminal) == (outcome, loop)
    assert found.detail.startswith("green tasks keep stopping: ") is loop


def test_once_all_run_the_same_crashes_are_no_loop_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.tasks.quote_log", lambda *_more, **_sizes: ([], "its log: it is empty"))
    found = green_of(ended(3, exited(1)), ended(4, exited(1)), running(1), running(2)).crash_loop()
    assert (found.outcome, found.terminal) == (FAILED, False)


@pytest.fixture
def quoted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The containers whose logs were asked for."""
    asked: list[str] = []

    def quote(_definition: Any, container: str, *_more: Any, **_sizes: Any) -> tuple[list[str], str]:
        asked.append(container)
        return ["no database"], "last log lines: no database"

    monkeypatch.setattr("gate.tasks.quote_log", quote)
    return asked


@pytest.mark.parametrize("order", [1, -1], ids=["app first", "side first"])
@pytest.mark.parametrize(
    ("side", "app", "blamed"),
    [
        ({"exitCode": 1}, {"exitCode": 143}, "side"),
        ({"exitCode": 1}, {"exitCode": 0}, "side"),
        ({"exitCode": 0}, {"exitCode": 143}, "side"),
        ({"exitCode": 143}, {"exitCode": 0}, "app"),
        ({"exitCode": 0}, {"exitCode": 3}, "app"),
        ({"exitCode": 137, "reason": "OutOfMemoryError: killed"}, {"exitCode": 1}, "side"),
    ],
    ids=str,
)
def test_of_essential_containers_the_first_to_die_is_blamed(
    quoted: list[str], side: dict[str, Any], app: dict[str, Any], blamed: str, order: int
) -> None:
    """A log router, a proxy: the application is told to end with it, and whose log is quoted says who died."""
    containers = [{"name": "app", **app}, {"name": "side", **side}][::order]
    task = {**exited(0), "containers": containers}
    found = green_of(ended(1, task), ended(2, task), side={}, **INCOMPLETE).crash_loop()
    assert found.detail.startswith(f"green tasks keep stopping: 2 of task set {SET} stopped, 2 like this: ")
    assert found.detail.endswith("; last log lines: no database")
    assert quoted == [blamed]


@pytest.mark.parametrize("code", ["EssentialContainerExited", "TaskFailedToStart"])
def test_a_container_without_which_the_application_does_not_start_is_blamed(quoted: list[str], code: str) -> None:
    """It is not essential, but the application waits for its success."""
    waits = {"dependsOn": [{"containerName": "side", "condition": "SUCCESS"}]}
    task = {"stopCode": code, "containers": [{"name": "app"}, {"name": "side", "exitCode": 9}]}
    found = green_of(ended(1, task), ended(2, task), app=waits, side={"essential": False}, **INCOMPLETE).crash_loop()
    assert "container side: exit 9" in found.detail
    assert quoted == ["side"]


@pytest.mark.usefixtures("quoted")
def test_a_sidecar_that_is_not_essential_is_not_blamed() -> None:
    ends = [exited(1, sidecar=code) for code in (3, 4)]
    for end in ends:
        end["containers"][0]["reason"] = "OutOfMemoryError: container killed"
    found = green_of(ended(1, ends[0]), ended(2, ends[1]), side={"essential": False}, **INCOMPLETE).crash_loop()
    assert found.terminal
    assert "container side" not in found.detail


# An agent that runtime monitoring adds to each task, and that its execution role may not pull: undeclared, stopped,
# without an exit code.
FORBIDDEN = (
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
    "593207742271.dkr.ecr.eu-west-1.amazonaws.com/aws-guardduty-agent-fargate: 403 Forbidden"
)


def with_agent(task: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    agent = {"name": f"aws-guardduty-agent-{suffix}", "lastStatus": "STOPPED", "reason": FORBIDDEN}
    return {**task, "containers": [agent, *task["containers"]]}


@pytest.mark.usefixtures("quoted")
def test_an_agent_that_was_added_hides_no_crash_loop() -> None:
    tasks = [ended(1, with_agent(exited(1), "k3x9ab")), ended(2, with_agent(exited(1), "q7w2zt"))]
    found = green_of(*tasks, **INCOMPLETE).crash_loop()
    assert found.terminal
    assert "container app: exit 1" in found.detail
    assert "guardduty" not in found.detail


def test_a_log_is_read_until_it_has_come(quoted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    green = green_of(ended(3, exited(1)), running(1), running(2))
    with monkeypatch.context() as late:
        late.setattr("gate.tasks.quote_log", lambda *_more, **_sizes: ([], "its log: it is empty"))
        assert green.crash_loop().detail.endswith("; its log: it is empty")
    details = {green.crash_loop().detail for _ in range(3)}
    assert [detail.rpartition("; ")[2] for detail in details] == ["last log lines: no database"]
    assert quoted == ["app"]


@pytest.mark.usefixtures("quoted")
def test_nor_does_it_make_one_of_a_single_early_end() -> None:
    found = green_of(ended(3, with_agent(exited(1), "k3x9ab")), running(1), running(2)).crash_loop()
    assert (found.outcome, found.terminal) == (FAILED, False)
    assert "container app: exit 1" in found.detail


# Tasks that cannot be started


@pytest.mark.parametrize(
    ("reason", "hopeless"),
    [
        ("CannotPullContainerError: pull image manifest has been retried 1 time(s): shop:2: not found", True),
        ("CannotPullContainerError: The task can't pull the image: access denied", True),
        ("CannotPullContainerError: no match for platform in manifest: not found", True),
        ("Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet", True),
        ("CannotPullContainerError: request canceled: i/o timeout", False),
    ],
)
def test_why_a_task_failed_to_start(reason: str, hopeless: bool) -> None:
    container = {"name": "app", "reason": reason}
    task = with_agent({"stopCode": "TaskFailedToStart", "stoppedReason": reason, "containers": [container]}, "k3x9ab")
    found = green_of(ended(1, task), **INCOMPLETE).task_start()
    assert found.terminal is hopeless
    if hopeless:
        why = f"TaskFailedToStart; {reason}; container app: never started"
        assert found.detail == f"green tasks cannot be started: {why}"


@pytest.mark.parametrize(
    ("of", "complete", "hopeless"), [(SET, False, True), (SET, True, False), ("ecs-svc/1", False, False)]
)
@pytest.mark.parametrize("said", ["unable to assume the role 'x'", "The subnet subnet-1 has no free addresses."])
def test_what_the_service_events_say(said: str, of: str, complete: bool, hopeless: bool) -> None:
    event = f"(service shop, taskSet {of}) failed to launch a task: {said}"
    found = green_of(service={"events": (event,)}, **({} if complete else INCOMPLETE)).task_start()
    assert found.terminal is hopeless
    assert (event in found.detail) is hopeless


# Counts, placement, steadiness


WELL = "2 of 2 green tasks running, 0 pending"


@pytest.mark.parametrize(
    ("expected", "of_set", "detail"),
    [
        (None, {}, WELL),
        (2, {}, WELL),
        (1, {}, WELL),
        (
            3,
            {},
            f"{WELL}, expected_count is 3: raise the desired count, or lower expected_count",
        ),
        (None, {"runningCount": 1}, "1 of 2 green tasks running, 0 pending"),
        (None, {"pendingCount": 1}, "2 of 2 green tasks running, 1 pending"),
        (None, {"runningCount": 3}, "3 of 2 green tasks running, 0 pending"),
        (None, {"computedDesiredCount": 0}, f"task set {SET} is to run 0 tasks (scale 100 %): nothing to look at"),
    ],
)
def test_the_count_of_tasks(expected: int | None, of_set: dict[str, Any], detail: str) -> None:
    found = green_of(options=ValidateDeployment(expected_count=expected), **of_set).task_count()
    assert found.detail == detail
    assert found.ok is (detail == WELL)
    assert not found.terminal


def test_a_task_that_cannot_be_placed_is_told_by_ecs_own_event() -> None:
    events = (
        "steady",
        f"(taskSet {SET}) was unable to place a task.",
        "(taskSet ecs-svc/1) was unable to place a task.",
    )
    found = green_of(service={"events": events}, runningCount=0).task_count()
    assert found.detail == (
        f"0 of 2 green tasks running, 0 pending; latest event: (taskSet {SET}) was unable to place a task."
    )
    assert not found.terminal


def test_a_green_of_no_task_is_certain_only_where_the_service_wants_none() -> None:
    assert green_of(computedDesiredCount=0, runningCount=0, service={"desired": 0}).task_count().terminal


def test_pending_tasks_of_which_ecs_says_nothing_are_no_pass() -> None:
    with pytest.raises(ProbeError, match="does not say how many tasks"):
        green_of(pendingCount=None).task_count()


@pytest.mark.parametrize(("state", "ok"), [("STEADY_STATE", True), ("STABILIZING", False), ("", False)])
def test_steadiness_is_what_ecs_says(state: str, ok: bool) -> None:
    assert green_of(stabilityStatus=state).steady().ok is ok


STRATEGY = {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}


@pytest.mark.parametrize(
    ("of_service", "of_set", "detail"),
    [
        ({}, {"launchType": "FARGATE"}, "green runs on FARGATE"),
        ({}, {}, "green runs on the launch type of the cluster"),
        (STRATEGY, STRATEGY, "green runs on FARGATE_SPOT"),
    ],
)
def test_what_green_runs_on(of_service: dict[str, Any], of_set: dict[str, Any], detail: str) -> None:
    found = green_of(service={"placement": of_service}, **of_set).launch_type()
    assert (found.outcome, found.detail) == (PASSED, detail)


def test_a_strategy_that_green_did_not_get_only_warns() -> None:
    found = green_of(service={"placement": STRATEGY}, launchType="FARGATE").launch_type()
    assert found.advisory
    assert found.detail.startswith("green runs on FARGATE, the service on capacity providers FARGATE_SPOT, ")


# Tasks and their containers


@pytest.mark.parametrize(
    ("side", "container", "outcome", "advisory"),
    [
        ({"essential": False}, {}, PASSED, False),
        ({"essential": False}, {"lastStatus": "STOPPED", "exitCode": 0}, PASSED, False),
        ({"essential": False}, {"lastStatus": "STOPPED", "exitCode": 1}, FAILED, True),
        ({"essential": False}, {"lastStatus": "STOPPED", "reason": "CannotPullContainerError"}, FAILED, True),
        ({"essential": False}, {"lastStatus": "PENDING"}, FAILED, False),
        ({}, {"lastStatus": "STOPPED", "exitCode": 0}, FAILED, False),
        ({"essential": True}, {"lastStatus": "STOPPED", "exitCode": 1}, FAILED, False),
    ],
    ids=str,
)
def test_a_second_container(side: dict[str, Any], container: dict[str, Any], outcome: Outcome, advisory: bool) -> None:
    """One that is not essential may have done its work; where it ended badly the task bears it, by the user's word."""
    found = green_of(running(1, APP, SIDE), running(2, APP, {**SIDE, **container}), side=side).tasks_running()
    assert (found.outcome, found.advisory) == (outcome, advisory)
    if outcome is FAILED:
        how = f", exit {container['exitCode']}" if "exitCode" in container else ""
        how += f" ({container['reason']})" if "reason" in container else ""
        assert found.detail.startswith(f"green: container side of task 2 is {container['lastStatus']}{how}")


def test_a_declared_container_that_is_not_in_a_task() -> None:
    side = {"essential": False, "healthCheck": HEALTH_CHECK}
    found = green_of(running(1, APP, SIDE), running(2), side=side).tasks_running()
    assert (found.outcome, found.detail) == (FAILED, "green: container side of task 2 is not there")
    assert not found.advisory


def test_a_container_that_nobody_declared_is_not_judged() -> None:
    """A GuardDuty agent that could not start is no reason to refuse a release."""
    agent = {"name": "aws-guardduty-agent-x", "lastStatus": "STOPPED", "exitCode": 1, "reason": "CannotPull"}
    green = green_of(running(1, APP, {**agent, "imageDigest": "sha256:a"}), running(2, APP, agent))
    assert green.tasks_running().ok
    assert green.image_digest().ok
    assert green.container_health().ok


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_task_that_does_not_run_yet(status: str) -> None:
    found = green_of(running(1), running(2, lastStatus=status)).tasks_running()
    assert (found.outcome, found.detail) == (FAILED, f"green: task 2 is {status}")


def test_tasks_that_are_not_known() -> None:
    found = green_of(running(1), ended(2, stopped("UserInitiated", "by hand"))).tasks_running()
    assert (found.outcome, found.detail) == (FAILED, "1 green tasks found, 2 desired")


@pytest.mark.parametrize(
    ("app", "side", "health", "outcome"),
    [
        ({}, {}, {}, Outcome.SKIPPED),
        ({"healthCheck": HEALTH_CHECK}, {}, {"app": "HEALTHY"}, PASSED),
        ({"healthCheck": HEALTH_CHECK}, {}, {"app": "UNHEALTHY"}, FAILED),
        ({"healthCheck": HEALTH_CHECK}, {}, {"app": "UNKNOWN"}, FAILED),  # it has not answered yet
        ({"healthCheck": {}}, {}, {}, FAILED),  # ECS says no more of it, but there is one
        ({}, {"healthCheck": HEALTH_CHECK}, {"side": "UNHEALTHY"}, FAILED),
        ({}, {"healthCheck": HEALTH_CHECK, "essential": False}, {"side": "UNHEALTHY"}, Outcome.SKIPPED),
    ],
    ids=str,
)
def test_the_health_of_containers(
    app: dict[str, Any], side: dict[str, Any], health: dict[str, str], outcome: Outcome
) -> None:
    """That of a container which is not essential is not the task's, as ECS has it."""
    containers = [{**each, "healthStatus": health.get(each["name"], "UNKNOWN")} for each in (APP, SIDE)]
    found = green_of(running(1, *containers), running(2, *containers), app=app, side=side).container_health()
    assert found.outcome is outcome
    if outcome is FAILED:
        name = next(iter(health), "app")
        assert found.detail.startswith(f"green container {name} of task 1 is {health.get(name, 'UNKNOWN')}; ")


OTHER = "sha256:" + "2" * 64


def test_tasks_that_run_different_images() -> None:
    """The tag moved between the start of one task and of the next."""
    found = green_of(running(1), running(2, {**APP, "imageDigest": OTHER})).image_digest()
    assert (found.outcome, found.detail) == (
        FAILED,
        (
            f"green tasks run different images: container app is {DIGEST} in task 1 and {OTHER} in task 2: name the "
            "image by its digest"
        ),
    )


def test_agents_of_two_versions_are_no_two_releases() -> None:
    """The tag of an agent's image moves when its makers like."""
    sides = [{**SIDE, "imageDigest": digest} for digest in (DIGEST, OTHER)]
    assert green_of(running(1, APP, sides[0]), running(2, APP, sides[1]), side={}).image_digest().outcome is PASSED


def test_images_of_which_ecs_says_nothing() -> None:
    assert green_of(running(1, SIDE)).image_digest().outcome is Outcome.SKIPPED
    with pytest.raises(ProbeError, match="does not say which container"):
        green_of(loadBalancers=[]).image_digest()


# Targets

SECOND = replace(HEALTHY, address="10.0.1.2")
NOT_IN_USE: dict[str, Any] = {"state": "unused", "reason": "Target.NotInUse"}


@pytest.mark.parametrize(
    ("targets", "balancers", "outcome", "detail"),
    [
        ([HEALTHY, SECOND], ["arn"], PASSED, "2 green target(s) of shop-green healthy"),
        (
            [HEALTHY, replace(SECOND, state="unhealthy", reason="Target.Timeout")],
            ["arn"],
            FAILED,
            "green target 10.0.1.2:8000 is unhealthy (Target.Timeout); 1 of 2 healthy in shop-green",
        ),
        ([HEALTHY], ["arn"], FAILED, "1 green target(s) registered in shop-green, 2 desired"),
        (
            [HEALTHY, replace(SECOND, state="draining")],
            ["arn"],
            FAILED,
            "1 green target(s) registered in shop-green, 2 desired",
        ),
        (
            [HEALTHY, SECOND, replace(SECOND, address="10.0.1.9", state="unhealthy.draining")],
            ["arn"],
            PASSED,
            "2 green target(s) of shop-green healthy",
        ),
        (
            [HEALTHY, SECOND, replace(SECOND, address="10.0.1.250")],
            ["arn"],
            FAILED,
            "target 10.0.1.250:8000 of shop-green is no green task's: deregister it",
        ),
        (
            [replace(HEALTHY, **NOT_IN_USE), replace(SECOND, **NOT_IN_USE)],
            [],
            Outcome.SKIPPED,
            "no listener forwards to shop-green yet: the load balancer does not check its targets",
        ),
        (  # in a zone that the load balancer does not serve: it would never get a request
            [HEALTHY, replace(SECOND, **NOT_IN_USE)],
            ["arn"],
            FAILED,
            "green target 10.0.1.2:8000 is unused (Target.NotInUse); 1 of 2 healthy in shop-green",
        ),
        (
            [replace(HEALTHY, **NOT_IN_USE), replace(SECOND, **NOT_IN_USE)],
            ["arn"],
            FAILED,
            (
                "green target 10.0.1.1:8000 is unused (Target.NotInUse); 10.0.1.2:8000 is unused (Target.NotInUse); "
                "0 of 2 healthy in shop-green"
            ),
        ),
        (
            [HEALTHY, replace(SECOND, state="unused", reason="Target.NotRegistered")],
            [],
            FAILED,
            "green target 10.0.1.2:8000 is unused (Target.NotRegistered); 1 of 2 healthy in shop-green",
        ),
    ],
    ids=[
        *("healthy", "unhealthy", "one too few", "draining", "unhealthy and draining", "strange"),
        *("no listener yet", "one unused", "all unused", "not registered"),
    ],
)
def test_greens_targets(targets: list[Target], balancers: list[str], outcome: Outcome, detail: str) -> None:
    found = green_of(targets=targets, balancers=balancers).green_targets()
    assert (found.outcome, found.detail) == (outcome, detail)


def test_targets_are_not_asked_about_before_all_tasks_run() -> None:
    found = green_of(runningCount=1, pendingCount=1).green_targets()
    assert (found.outcome, found.detail) == (FAILED, "1 of 2 green tasks run, so not all can be healthy targets")


@pytest.mark.parametrize("of_version_6", [True, False])
def test_the_addresses_of_targets(of_version_6: bool) -> None:
    """Of version 6 where the target group is; none of its own where a task shares its instance's."""
    names = [f"2001:db8::{number}" if of_version_6 else f"i-{number}" for number in (1, 2)]
    interfaces = [[{"ipv6Address": name}] if of_version_6 else [] for name in names]
    tasks = [
        Task({"taskArn": f"task/{name}", "lastStatus": "RUNNING", "containers": [{**APP, "networkInterfaces": own}]})
        for name, own in zip(names, interfaces, strict=True)
    ]
    assert green_of(*tasks, targets=[replace(HEALTHY, address=name) for name in names]).green_targets().ok
