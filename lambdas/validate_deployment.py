"""AfterInstall: green runs, and goes on running.

Green is the task set whose `externalId` is this deployment. Blue is never judged. The test listener may still
lead to blue at this moment, and green's target group may be in no listener at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Optional

from gate.deployment import Deployment, TaskSet
from gate.hook import lifecycle_hook
from gate.settings import HookSettings, limits
from gate.tasks import Task
from gate.verdict import Check, Finding, failed, passed, skipped
from gate.waiting import Deadline, poll

# ECS's words for a task that ended by itself or never started; a scale-in or a person's stop is no crash.
CRASHES = ("EssentialContainerExited", "TaskFailedToStart")
CRASH_LOOP = 2  # stopped tasks with such a code: once may be bad luck, twice is how green is
QUIET = 60.0  # seconds without another one, after which it was bad luck


@dataclass(frozen=True)
class Settings(HookSettings):
    """What the user may set.

    `expected_count`: tasks green must run (default: what ECS computes). `interval`: seconds between looks.
    `consecutive_successes`: good looks in a row that make green steady.
    """

    expected_count: Optional[int] = limits(None, least=1)
    interval: float = limits(2.0, least=0.001, most=60)
    consecutive_successes: int = limits(3, least=1, most=100)


@lifecycle_hook("AfterInstall", Settings)
def handler(deployment: Deployment, settings: Settings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether the green tasks run as they should, over several looks in a row."""
    first_crash_seen: list[float] = []

    def look() -> list[Finding]:
        green = deployment.green()
        tasks = deployment.green_tasks(green)
        if not first_crash_seen and any(task.stop_code in CRASHES for task in tasks):
            first_crash_seen.append(deadline.elapsed())
        quiet = bool(first_crash_seen) and deadline.elapsed() - first_crash_seen[0] >= QUIET
        declared = deployment.task_definition(green.task_definition).get("containerDefinitions") or []
        return [  # causes before what follows from them: the first bad one heads the message
            crash_loop(green, tasks, quiet),
            task_count(green, settings.expected_count),
            tasks_running(green, tasks, {str(c["name"]) for c in declared if not c.get("essential", True)}),
            container_health(tasks, {str(c["name"]) for c in declared if c.get("healthCheck")}),
            green_targets(deployment, green),
            steady(green),
        ]

    yield Check("green", lambda: poll(look, deadline, settings.interval, settings.consecutive_successes))


def crash_loop(green: TaskSet, tasks: list[Task], quiet: bool) -> Finding:
    """Green's tasks do not end one after the other. Certain when they do: waiting would only cost time.

    A stopped task stays listed for an hour; a single one is forgiven when it has been `quiet` since.
    """
    crashed = [task for task in tasks if task.stop_code in CRASHES]
    if len(crashed) >= CRASH_LOOP:
        causes = Counter(task.why_stopped() for task in crashed)
        cause, count = causes.most_common(1)[0]
        return failed(
            f"green tasks keep stopping: {len(crashed)} of task set {green.id} stopped, {count} like this: {cause}",
            "crash_loop",
            certain=True,
        )
    if crashed:
        said = f"green task {crashed[0].id} stopped: {crashed[0].why_stopped()}"
        return passed(f"{said}; none since for {QUIET:g} s", "crash_loop") if quiet else failed(said, "crash_loop")
    return passed("no green task has stopped by itself", "crash_loop")


def task_count(green: TaskSet, expected: int | None) -> Finding:
    """Running equals desired, none pending, and as many as the user expects."""
    counts = f"{green.running} of {green.desired} green tasks running, {green.pending} pending"
    if green.desired < 1:
        return failed(
            f"task set {green.id} is to run {green.desired} tasks (scale {green.scale:g} %): nothing to look at",
            "task_count",
        )
    if green.running != green.desired or green.pending:
        return failed(counts, "task_count")
    if expected is not None and green.running != expected:
        return failed(f"{counts}, expected_count is {expected}", "task_count")
    return passed(counts, "task_count")


def steady(green: TaskSet) -> Finding:
    """ECS's own word for it."""
    if green.stability != "STEADY_STATE":
        return failed(f"green task set {green.id} is {green.stability}, expected STEADY_STATE", "steady")
    return passed(f"green task set {green.id} is in STEADY_STATE", "steady")


def tasks_running(green: TaskSet, tasks: list[Task], not_essential: set[str]) -> Finding:
    """Every green task and every one of its containers runs; one that is not essential may have done its work."""
    alive = [task for task in tasks if task.status not in ("STOPPED", "DEPROVISIONING", "STOPPING", "DEACTIVATING")]
    if len(alive) < green.desired:
        return failed(f"{len(alive)} green tasks found, {green.desired} desired", "tasks_running")
    wrong = []
    for task in alive:
        if task.status != "RUNNING":
            wrong.append(f"task {task.id} is {task.status}")
        for container in task.containers:
            done = container.name in not_essential and container.exit_code == 0
            if container.status != "RUNNING" and not done:
                exit_code = "" if container.exit_code is None else f", exit {container.exit_code}"
                wrong.append(f"container {container.name} of task {task.id} is {container.status}{exit_code}")
    if wrong:
        return failed(f"green: {'; '.join(wrong)}", "tasks_running")
    return passed(f"{len(alive)} green tasks and their containers are RUNNING", "tasks_running")


def container_health(tasks: list[Task], checked: set[str]) -> Finding:
    """HEALTHY in every container whose definition has a health check; UNKNOWN there means that it has not answered."""
    if not checked:
        return skipped("the task definition has no container health check", "container_health")
    running = [(task, container) for task in tasks if task.status == "RUNNING" for container in task.containers]
    judged = [(task, container) for task, container in running if container.name in checked]
    wrong = [
        f"{container.name} of task {task.id} is {container.health}"
        for task, container in judged
        if container.health != "HEALTHY"
    ]
    if wrong or not judged:
        return failed(f"green container {'; '.join(wrong) or 'none is running'}", "container_health")
    return passed(f"{len(judged)} green container(s) HEALTHY", "container_health")


def green_targets(deployment: Deployment, green: TaskSet) -> Finding:
    """Green's targets are healthy; or all unused, while no listener leads to their group and none is checked."""
    group = deployment.target_group_of(green)
    targets = [target for target in deployment.targets(group) if target.state != "draining"]
    if targets and all(target.state == "unused" and target.reason == "Target.NotInUse" for target in targets):
        return skipped(
            f"no listener leads to {group.name} yet: the load balancer does not check its targets", "green_targets"
        )
    wrong = [str(target) for target in targets if target.state != "healthy"]
    if wrong:
        return failed(f"green target {'; '.join(wrong)}", "green_targets")
    if len(targets) < green.desired:
        return failed(
            f"{len(targets)} green target(s) registered in {group.name}, {green.desired} desired", "green_targets"
        )
    return passed(f"{len(targets)} green target(s) of {group.name} healthy", "green_targets")
