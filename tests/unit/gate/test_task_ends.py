"""How the end of a command's task is judged: exit code, reasons, and who is blamed. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from gate.tasks import Task, why_it_failed

EXITED = "EssentialContainerExited"
SCHEDULER = "ServiceSchedulerInitiated"
ENDED = "Essential container in task exited"
STOPPED = "it was stopped before its end"
TAKEN = "its instance was taken away in the middle"
RETRY = ": retry_interrupted starts it again"
OOM = "OutOfMemoryError: Container killed due to memory usage"
MEMORY = "set memory of run_migrations, or give the task more"
PULL = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
SECRETS = "ResourceInitializationError: unable to pull secrets or registry auth"
DISK = "CannotCreateContainerError: no space left on device"
START = "CannotStartContainerError: OCI runtime create failed: exec: alembic: executable file not found"
SLOW = "DockerTimeoutError: Could not transition to stopped; timed out"
CURE = ": set container to one that has the command, or fix the command"
SPOT = "Your Spot Task was interrupted."
HOST = "Host EC2 (instance i-1) terminated."


def container(name: str, code: int | None, reason: str = "", *, ran: bool = True) -> dict[str, Any]:
    """A container of a stopped task, as DescribeTasks shows it."""
    found: dict[str, Any] = {"name": name, "lastStatus": "STOPPED", "reason": reason}
    return found | ({} if code is None else {"exitCode": code}) | ({"runtimeId": "r"} if ran else {})


def stopped(*containers: dict[str, Any], code: str = EXITED, reason: str = ENDED) -> Task:
    """A stopped task."""
    return Task({"stopCode": code, "stoppedReason": reason, "containers": containers})


def judged(task: Task, *, agent_is_essential: bool = False, retried: bool = False) -> str:
    """Why the end of container app is no success. The definition declares it, and an agent beside it."""
    declared = [{"name": "app"}, {"name": "agent", "essential": agent_is_essential}]
    app = task.container("app")
    assert app is not None
    return why_it_failed(task, app, {"containerDefinitions": declared}, retried=retried)


@pytest.mark.parametrize(
    ("code", "reason", "stop_code", "stopped_reason", "said"),
    [
        (0, "", EXITED, ENDED, ""),
        (1, "", EXITED, ENDED, f"exit 1 ({EXITED}; {ENDED})"),
        (None, "", EXITED, ENDED, f"no exit code ({EXITED}; {ENDED})"),
        (137, OOM, EXITED, "", f"exit 137, out of memory ({EXITED}; {OOM}): {MEMORY}"),
        (137, "", EXITED, OOM, f"exit 137, out of memory ({EXITED}; {OOM}): {MEMORY}"),
        # A wrapper ends with 0 though the kernel has killed its child; ECS may say it of the task alone.
        (0, OOM, EXITED, "", f"exit 0, out of memory ({EXITED}; {OOM}): {MEMORY}"),
        (0, "", EXITED, OOM, f"exit 0, out of memory ({EXITED}; {OOM}): {MEMORY}"),
        # Some programs end with 0 when they are told to end.
        (0, "", "SpotInterruption", SPOT, f"exit 0, {TAKEN} (SpotInterruption; {SPOT}){RETRY}"),
        (143, "", "SpotInterruption", SPOT, f"exit 143, {TAKEN} (SpotInterruption; {SPOT}){RETRY}"),
        # When a host goes away, so does the exit code of what ran there.
        (None, "", "TerminationNotice", HOST, f"no exit code, {TAKEN} (TerminationNotice; {HOST}){RETRY}"),
        (143, "", "UserInitiated", "by a user", f"exit 143, {STOPPED} (UserInitiated; by a user)"),
        (0, "", "UserInitiated", "by a user", f"exit 0, {STOPPED} (UserInitiated; by a user)"),
        (None, "", "UserInitiated", "by a user", f"no exit code, {STOPPED} (UserInitiated; by a user)"),
        (0, "", SCHEDULER, "Scaling", f"exit 0, but {STOPPED} ({SCHEDULER}; Scaling; container app: exit 0)"),
        (0, "", "", "", "exit 0, but ECS does not say why the task stopped (container app: exit 0)"),
    ],
)
def test_a_command_that_ran(code: int | None, reason: str, stop_code: str, stopped_reason: str, said: str) -> None:
    task = stopped(container("app", code, reason), code=stop_code, reason=stopped_reason)
    assert judged(task) == said
    assert not task.never_ran(task.containers[0])
    assert judged(task, retried=True) == said.removesuffix(RETRY)


@pytest.mark.parametrize("reason", [PULL, SECRETS, DISK, START])
@pytest.mark.parametrize("code", [None, 128])
def test_a_command_that_never_ran(code: int | None, reason: str) -> None:
    """Docker gives a container that it could not start a code of its own."""
    task = stopped(container("app", code, reason, ran=code is not None), code="TaskFailedToStart", reason=reason)
    said = f"container app never started: TaskFailedToStart; {reason}; container app: never started"
    assert judged(task) == said + (CURE if reason == START else "")
    assert task.never_ran(task.containers[0])


@pytest.mark.parametrize("stop_code", ["SpotInterruption", "TerminationNotice", "UserInitiated"])
def test_a_task_that_ended_before_its_command_ran(stop_code: str) -> None:
    task = stopped(container("app", None, ran=False), code=stop_code, reason="gone")
    assert judged(task) == f"container app never started: {stop_code}; gone; container app: never started"
    assert task.never_ran(task.containers[0])


@pytest.mark.parametrize(
    ("code", "reason", "ended_it"),
    [(137, OOM, True), (128, START, True), (137, SLOW, False), (2, "", False)],
    ids=["out of memory", "never started", "slow to end", "what Go's programs say to SIGTERM"],
)
@pytest.mark.parametrize("essential", [True, False])
def test_an_exit_with_0_because_another_container_ended(
    code: int, reason: str, ended_it: bool, essential: bool
) -> None:
    """The end of an essential one ends the task, and some programs then end with 0. Its code alone says nothing."""
    task = stopped(container("agent", code, reason), container("app", 0))
    said = judged(task, agent_is_essential=essential)
    if ended_it and essential:
        assert said.startswith(f"exit 0, but {STOPPED} ({EXITED}; {ENDED}; container ")
        assert said.endswith("; container app: exit 0)")
    else:
        assert said == ""


def test_a_sidecar_without_memory_is_not_the_command() -> None:
    assert judged(stopped(container("agent", 137, OOM), container("app", 0), reason=OOM)) == ""


def test_an_agent_that_nobody_declared_is_not_blamed() -> None:
    """The image of an agent of runtime monitoring may not be pulled."""
    agent = container("aws-guardduty-agent-k3x9ab", None, "CannotPullContainerError", ran=False)
    assert judged(stopped(agent, container("app", 0))) == ""
    told = stopped(agent, container("app", 0), code="ServiceSchedulerInitiated", reason="Scaling activity")
    assert judged(told) == (
        "exit 0, but it was stopped before its end (ServiceSchedulerInitiated; Scaling activity; container app: exit 0)"
    )


def test_what_an_essential_container_waits_for_may_end_its_task() -> None:
    """It is not essential itself, but the essential one never started without it."""
    first = {"name": "first", "essential": False}
    app = {"name": "app", "dependsOn": [{"containerName": "first", "condition": "SUCCESS"}]}
    task = stopped(container("first", 1), container("app", None, ran=False), container("other", 1))
    definition = {"containerDefinitions": [first, app, {"name": "other", "essential": False}]}
    assert [each.name for each in task.ended_by(definition).containers] == ["first", "app"]
