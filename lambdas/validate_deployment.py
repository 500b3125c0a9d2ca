"""AfterInstall: green runs, and goes on running.

Green is the task set whose `externalId` is this deployment. Blue is never judged. The test listener may still
lead to blue at this moment, and green's target group may be in no listener at all.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

from gate import aws, tasks
from gate.deployment import Deployment, NoGreen, Service, TaskSet
from gate.hook import lifecycle_hook
from gate.settings import HookSettings, limits
from gate.tasks import Task
from gate.verdict import (
    Check,
    Finding,
    Severity,
    check,
    checks_of,
    could_not_look,
    failed,
    passed,
    severity_for,
    skipped,
    take,
    unknown_names,
)
from gate.waiting import Deadline, Pace, poll

APPEAR = 60.0  # seconds in which green may become visible: what ECS shows may lag behind CodeDeploy
QUIET = 60.0  # seconds without another stopped task, after which a single one was bad luck
LOOP = 2  # tasks that stopped of one cause: once may be bad luck, twice is how green is
LOG_LINES, LOG_LENGTH, LOG_PATIENCE = 10, 1000, 5.0  # lines and characters quoted; seconds for a log to arrive

# What no waiting mends, in ECS's own words (developer guide, "Stopped tasks error messages", "Service event messages").
HOPELESS = re.compile(
    r"CannotPull\w*Error.*(not found|manifest unknown|does not exist|denied|unauthorized|forbidden|no basic auth|"
    r"invalid reference|no match for platform|no matching manifest)"
    r"|unable to assume the role"
    r"|(no|enough|insufficient) ?free ?addresses",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Settings(HookSettings):
    """What the user may set.

    `expected_count`: tasks green must run at least (default: what ECS computes). `interval`: seconds between looks
    (default: 1 to 3, as the number of AWS calls allows). `consecutive_successes`: good looks in a row that make green
    steady.
    """

    expected_count: Optional[int] = limits(None, least=1)
    interval: Optional[float] = limits(None, least=0.001, most=60)
    consecutive_successes: int = limits(3, least=1, most=100)


@lifecycle_hook("AfterInstall", Settings)
def handler(deployment: Deployment, settings: Settings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether the green tasks run as they should, over several looks in a row."""
    green = Green(deployment, settings, deadline)
    checks = checks_of(green)
    severities = {each.name: severity_for(each.name, each.severity, settings.checks) for each in checks}
    wanted = [each for each in checks if severities[each.name] is not Severity.SKIP]

    def look() -> list[Finding]:
        try:
            green.look()
        except NoGreen as problem:
            if deadline.elapsed() > APPEAR:
                raise
            return [could_not_look(str(problem))]
        return [replace(finding, name=each.name) for each in wanted for finding in take(each.look)]

    def keeps_waiting(finding: Finding) -> bool:
        return not finding.good and severities.get(finding.name or "") is not Severity.WARN

    pause = settings.interval or Pace(aws.requests_made, deadline.elapsed)
    yield Check(
        "green", lambda: poll(look, deadline, pause, settings.consecutive_successes, keeps_waiting=keeps_waiting)
    )
    yield from (each for each in checks if each not in wanted)  # said to be left out
    yield from unknown_names(settings.checks, [*checks, Check("green", look)])


class Green:
    """Green as the last look found it, and the checks of it: causes before what follows from them.

    A look takes three or four AWS calls: tasks are listed only when the service's counts do not agree with the tasks
    that are known, and a task that was seen to be another set's, or to have stopped, is not described again.
    """

    def __init__(self, deployment: Deployment, settings: Settings, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        self.tasks: dict[str, Task] = {}  # green's, by ARN, as last described
        self._others: set[str] = set()  # blue's, by ARN
        self._last_crash = 0.0
        self._logs: dict[str, str] = {}

    def look(self) -> None:
        """Look at the service and its tasks. Raises NoGreen while there is none."""
        self.service: Service = self.deployment.service()
        self.set: TaskSet = self.deployment.green(self.service)
        crashes = len(self.crashed)
        self._look_at_tasks()
        if len(self.crashed) > crashes:
            self._last_crash = self.deadline.elapsed()

    def _look_at_tasks(self) -> None:
        if len(self.alive) != self.set.running + self.set.pending:
            self._describe([*self._new_tasks(), *(task.arn for task in self.alive)])
            return
        known = len(self.alive)
        self._describe([task.arn for task in self.alive])
        if len(self.alive) < known:  # what takes their place, and what may have stopped beside them
            self._describe(self._new_tasks())

    def _new_tasks(self) -> list[str]:
        listed = tasks.arns_of_service(self.deployment.cluster, self.deployment.service_name)
        return [arn for arn in listed if arn not in self.tasks and arn not in self._others]

    def _describe(self, arns: list[str]) -> None:
        found = {task.arn: task for task in tasks.describe(self.deployment.cluster, arns)}
        for arn in arns:
            task = found.get(arn)
            if task is None:  # vanished between two calls
                self.tasks.pop(arn, None)
            elif task.started_by == self.set.id:
                self.tasks[arn] = task
            else:
                self._others.add(arn)

    @property
    def alive(self) -> list[Task]:
        """Green's tasks that run or are about to."""
        return [task for task in self.tasks.values() if not task.is_ending]

    @property
    def crashed(self) -> list[Task]:
        """Green's tasks that ended by themselves, never started, or failed their health checks."""
        return [task for task in self.tasks.values() if task.has_crashed]

    @property
    def complete(self) -> bool:
        """Whether as many run as shall run."""
        return self.set.running == self.set.desired and not self.set.pending

    @property
    def definition(self) -> Mapping[str, Any]:
        """Green's task definition."""
        return self.deployment.task_definition(self.set.task_definition)

    @check()
    def task_start(self) -> Finding:
        """Green's tasks can be started: the image pulled, the role assumed, an address found; certain if not."""
        said = [event for event in self.service.events if self.set.id in event]  # ECS names the task set in each
        hopeless = [task.why_stopped() for task in self.crashed] + said
        reason = next((reason for reason in hopeless if HOPELESS.search(reason)), "")
        if reason and not self.complete:
            return failed(f"green tasks cannot be started: {reason}", certain=True)
        return passed("nothing keeps green tasks from starting")

    @check()
    def crash_loop(self) -> Finding:
        """Green's tasks do not end one after the other; certain after two of one cause. One alone may be bad luck."""
        crashed = self.crashed
        causes = [task.cause() for task in crashed]
        loop = next((task for task in crashed if causes.count(task.cause()) >= LOOP), None)
        if loop is not None:
            count = causes.count(loop.cause())
            return failed(
                f"green tasks keep stopping: {len(crashed)} of task set {self.set.id} stopped, {count} like this: "
                f"{self._explained(loop, LOG_PATIENCE)}",
                certain=True,
            )
        if not crashed:
            return passed("no green task has stopped by itself")
        said = f"green task {crashed[-1].id} stopped: {self._explained(crashed[-1], 0)}"
        if self.deadline.elapsed() - self._last_crash >= QUIET:
            return passed(f"{said}; none since for {QUIET:g} s")
        return failed(said)

    def _explained(self, task: Task, patience: float) -> str:
        """Why a task stopped, and what the container that died wrote last; its log may be `patience` seconds late."""
        died = task.blamed()
        if task.id not in self._logs and died and died.exit_code is not None:
            log = tasks.quote_log(
                self.definition,
                died.name,
                task.id,
                self.deadline.within(patience),
                count=LOG_LINES,
                length=LOG_LENGTH,
            )
            if not log.lines:  # it may come late
                return f"{task.why_stopped()}; {log.words}"
            self._logs[task.id] = f"; {log.words}"
        return f"{task.why_stopped()}{self._logs.get(task.id, '')}"

    @check()
    def task_count(self) -> Finding:
        """As many green tasks run as ECS wants and the user expects, and none is pending."""
        green, expected = self.set, self.settings.expected_count
        counts = f"{green.running} of {green.desired} green tasks running, {green.pending} pending"
        if green.desired < 1:
            return failed(
                f"task set {green.id} is to run {green.desired} tasks (scale {green.scale:g} %): nothing to look at"
            )
        if not self.complete:
            latest = next((event for event in self.service.events if green.id in event and "unable" in event), "")
            return failed(f"{counts}{'; latest event: ' if latest else ''}{latest}")
        if expected is not None and green.running < expected:  # more may be Auto Scaling's doing
            return failed(f"{counts}, expected_count is {expected}")
        return passed(counts)

    @check()
    def tasks_running(self) -> Finding:
        """Every green task and every container of it runs; one that is not essential may have done its work."""
        if len(self.alive) < self.set.desired:
            return failed(f"{len(self.alive)} green tasks found, {self.set.desired} desired")
        optional = {str(c["name"]) for c in self._declared() if not c.get("essential", True)}
        wrong = []
        for task in self.alive:
            if task.status != "RUNNING":
                wrong.append(f"task {task.id} is {task.status}")
            for container in task.containers:
                done = container.name in optional and container.exit_code == 0
                if container.status != "RUNNING" and not done:
                    exit_code = "" if container.exit_code is None else f", exit {container.exit_code}"
                    wrong.append(f"container {container.name} of task {task.id} is {container.status}{exit_code}")
        if wrong:
            return failed(f"green: {'; '.join(wrong)}")
        return passed(f"{len(self.alive)} green tasks and their containers are RUNNING")

    def _declared(self) -> list[Mapping[str, Any]]:
        return list(self.definition.get("containerDefinitions") or [])

    @check()
    def container_health(self) -> Finding:
        """Every container that has a health check is HEALTHY; UNKNOWN there means that it has not answered."""
        checked = {str(c["name"]) for c in self._declared() if c.get("healthCheck")}
        if not checked:
            return skipped("the task definition has no container health check")
        running = [
            (task, container) for task in self.alive if task.status == "RUNNING" for container in task.containers
        ]
        judged = [(task, container) for task, container in running if container.name in checked]
        wrong = [
            f"{container.name} of task {task.id} is {container.health}"
            for task, container in judged
            if container.health != "HEALTHY"
        ]
        if wrong or not judged:
            return failed(f"green container {'; '.join(wrong) or 'none is running'}")
        return passed(f"{len(judged)} green container(s) HEALTHY")

    @check()
    def image_digest(self) -> Finding:
        """All green tasks run the same image: a tag that moved while they started gave them different ones."""
        seen: dict[str, dict[str, str]] = {}  # container → digest → a task
        for task in self.alive:
            for container in task.containers:
                if container.image_digest:
                    seen.setdefault(container.name, {})[container.image_digest] = task.id
        if not seen:
            return skipped("ECS names no image digest of green's containers")
        wrong = [
            f"container {name} is " + " and ".join(f"{digest} in task {task}" for digest, task in digests.items())
            for name, digests in seen.items()
            if len(digests) > 1
        ]
        if wrong:
            return failed(f"green tasks run different images: {'; '.join(wrong)}: name the image by its digest")
        return passed(f"green tasks run {', '.join(f'{name} {min(digests)}' for name, digests in seen.items())}")

    @check()
    def green_targets(self) -> Finding:
        """Green's targets are healthy; or unused, as long as no listener leads to their group and none is checked."""
        if not self.complete:  # no need to ask
            return failed("not all green tasks run, so not all can be healthy targets")
        group = self.deployment.target_group_of(self.set)
        targets = [target for target in self.deployment.targets(group) if target.state != "draining"]
        addresses = {address for task in self.alive for address in task.addresses}
        strange = [target for target in targets if addresses and target.address not in addresses]
        targets = [target for target in targets if target not in strange]
        if len(targets) < self.set.desired:
            return failed(f"{len(targets)} green target(s) registered in {group.name}, {self.set.desired} desired")
        if strange:
            named = ", ".join(f"{target.address}:{target.port}" for target in strange)
            return failed(f"target {named} of {group.name} is no green task's: deregister it")
        if all(target.state == "unused" and target.reason == "Target.NotInUse" for target in targets):
            return skipped(f"no listener leads to {group.name} yet: the load balancer does not check its targets")
        wrong = [str(target) for target in targets if target.state != "healthy"]
        if wrong:
            healthy = f"{len(targets) - len(wrong)} of {len(targets)} healthy"
            return failed(f"green target {'; '.join(wrong)}; {healthy} in {group.name}")
        return passed(f"{len(targets)} green target(s) of {group.name} healthy")

    @check()
    def steady(self) -> Finding:
        """ECS itself says that green is in STEADY_STATE."""
        if self.set.stability != "STEADY_STATE":
            return failed(f"green task set {self.set.id} is {self.set.stability}, expected STEADY_STATE")
        return passed(f"green task set {self.set.id} is in STEADY_STATE")
