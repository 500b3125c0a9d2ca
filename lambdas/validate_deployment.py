"""AfterInstall: green runs, and goes on running.

Green is the task set whose `externalId` is this deployment. Blue is never judged. The test listener may still
lead to blue at this moment, and green's target group may be in no listener at all.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gate import aws, tasks
from gate.deployment import Deployment, Service, TaskSet
from gate.hook import lifecycle_hook
from gate.options import ValidateDeployment
from gate.release import LOST
from gate.tasks import Container, Task
from gate.verdict import (
    CannotLook,
    Check,
    Finding,
    Outcome,
    Severity,
    check,
    checks_of,
    failed,
    finding_of,
    names_of,
    passed,
    severity_for,
    skipped,
    take,
)
from gate.waiting import Deadline, OutOfTime, Pace, poll

PATIENCE = 60.0  # seconds in which green may become visible (ECS may lag behind CodeDeploy), or AWS answer again
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


class Green:
    """Green as the last look found it, and the checks of it: causes before what follows from them.

    A look takes three or four AWS calls: tasks are listed only when the service's counts do not agree with the tasks
    that are known; a task that was seen to be another set's, or to have stopped, is not described again; and of many
    tasks a hundred are described at each look, in turn.
    """

    def __init__(self, deployment: Deployment, settings: ValidateDeployment, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        self.tasks: dict[str, Task] = {}  # green's, by ARN, as last described
        self._others: set[str] = set()  # blue's, by ARN
        self._turn: list[str] = []  # green's whose turn it is to be described, by ARN
        self._list_again = 0.0  # when tasks may be listed again, by the deadline's clock
        self._last_crash = 0.0
        self._trouble_since: float | None = None  # since when looks could not be taken in full, by the deadline's clock
        self._logs: dict[str, str] = {}

    def findings(self, checks: list[Check]) -> list[Finding]:
        """Take a look, and judge it by each of the checks.

        What cannot be looked at is an error of each check that needs it, and certain if no later look can be better:
        at once, or after a minute of what is said to pass.
        """
        try:
            self.look()
            found = [finding for each in checks for finding in self._judge(each)]
        except CannotLook as problem:
            found = [replace(self._trouble(problem), name=each.name) for each in checks]
        if all(finding.outcome is not Outcome.ERROR for finding in found):
            self._trouble_since = None
        return found

    def _judge(self, each: Check) -> list[Finding]:
        try:
            return [replace(finding, name=each.name) for finding in take(each.look)]
        except CannotLook as problem:
            return [replace(self._trouble(problem), name=each.name)]

    def _trouble(self, problem: CannotLook) -> Finding:
        now = self.deadline.elapsed()
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        return replace(finding_of(problem), certain=not problem.transient or now - self._trouble_since > PATIENCE)

    def look(self) -> None:
        """Look at the service and its tasks. Raises NoGreen while there is none."""
        self.service: Service = self.deployment.service()
        self.set: TaskSet = self.deployment.green(self.service)
        crashes = len(self.crashed)
        self._look_at_tasks()
        if len(self.crashed) > crashes:
            self._last_crash = self.deadline.elapsed()

    def _look_at_tasks(self) -> None:
        # Between two tries of a crash loop ECS starts nothing for a while: it counts no task, and none may be known.
        counted = self.set.running + (self.set.pending or 0)
        new = self._new_tasks() if not counted or len(self.alive) != counted else []
        if not new:
            alive = [task.arn for task in self.alive]
            self._turn = [arn for arn in self._turn if arn in alive] or alive
            new, self._turn = self._turn[: tasks.AT_ONCE], self._turn[tasks.AT_ONCE :]
        before = len(self.alive)
        self._describe(new)
        if len(self.alive) < before:  # what takes their place, and what may have stopped beside them
            self._describe(self._new_tasks())

    def _new_tasks(self) -> list[str]:
        """The service's tasks that are not known yet; of many tasks not at each look, for a list has many pages."""
        if self.deadline.elapsed() < self._list_again:
            return []
        requests = aws.requests_made()
        listed = tasks.arns_of_service(self.deployment.cluster, self.deployment.service_name)
        pages = aws.requests_made() - requests
        self._list_again = self.deadline.elapsed() + (pages * Pace.MOST / 2 if pages > 2 else 0)
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
        ended = [task for task in self.tasks.values() if task.has_crashed]
        try:
            return [task.ended_by(self.definition) for task in ended]
        except CannotLook:  # who is to blame is a side question
            return ended

    @property
    def complete(self) -> bool:
        """Whether as many run as shall run."""
        return self.set.complete

    @property
    def definition(self) -> Mapping[str, Any]:
        """Green's task definition."""
        return self.deployment.task_definition(self.set.task_definition)

    @check()
    def green(self) -> Finding:
        """ECS shows the task set of this deployment, which has a minute to appear."""
        return passed(f"task set {self.set.id} is {self.set.status} at scale {self.set.scale:g} %")

    @check()
    def launch_type(self) -> Finding:
        """Green runs by the service's capacity provider strategy, if it has one: CodeDeploy does not take it over."""
        wanted, found = (each.placement.get("capacityProviderStrategy") or [] for each in (self.service, self.set))
        runs_on = self.set.placement.get("launchType") or ", ".join(str(each.get("capacityProvider")) for each in found)
        if wanted and not found:
            named = ", ".join(str(each.get("capacityProvider")) for each in wanted)
            said = f"green runs on {runs_on or 'a launch type'}, the service on capacity providers {named}, {LOST}"
            return replace(failed(f"{said}: name it in the AppSpec (CapacityProviderStrategy)"), advisory=True)
        return passed(f"green runs on {runs_on or 'the launch type of the cluster'}")

    @check()
    def task_start(self) -> Finding:
        """Green's tasks can be started: the image pulled, the role assumed, an address found; certain if not."""
        # ECS names the task set in each event. On a way back it is an old one, with a past.
        said = [] if self.deployment.is_rollback else [event for event in self.service.events if self.set.id in event]
        hopeless = [task.why_stopped() for task in self.crashed] + said
        reason = next((reason for reason in hopeless if HOPELESS.search(reason)), "")
        if reason and not self.complete:
            return failed(f"green tasks cannot be started: {reason}", certain=True)
        return passed("nothing keeps green tasks from starting")

    @check(calls=["logs:GetLogEvents"])
    def crash_loop(self) -> Finding:
        """Green's tasks do not end one after the other: certain after two of one cause, while others are missing."""
        crashed = self.crashed
        if not crashed:
            return passed("no green task has stopped by itself")
        causes = [task.cause() for task in crashed]
        last = max(crashed, key=lambda task: causes.count(task.cause()))
        alike = causes.count(last.cause())
        if alike >= LOOP and not self.complete:
            return failed(
                f"green tasks keep stopping: {len(crashed)} of task set {self.set.id} stopped, {alike} like this: "
                f"{self._explained(last, LOG_PATIENCE)}",
                certain=True,
            )
        said = f"{len(crashed)} green task(s) stopped, such as {last.id}: {self._explained(last, 0)}"
        if self.deadline.elapsed() - self._last_crash >= QUIET:  # what was in the way at the start no longer is
            return passed(f"{said}; none since for {QUIET:g} s")
        return failed(said)

    def _explained(self, task: Task, patience: float) -> str:
        """Why a task stopped, and what the container that died wrote last; its log may be `patience` seconds late."""
        died = task.blamed()
        if task.id not in self._logs and died and died.exit_code is not None:
            until, sizes = self.deadline.within(patience), {"count": LOG_LINES, "length": LOG_LENGTH}
            try:
                log = tasks.quote_log(self.definition, died.name, task.id, until, **sizes)
            except CannotLook as problem:
                return f"{task.why_stopped()}; its log: {problem}"
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
                f"task set {green.id} is to run {green.desired} tasks (scale {green.scale:g} %): nothing to look at",
                certain=self.service.desired < 1,  # else ECS has not computed it yet
            )
        if not self.complete:
            latest = next((event for event in self.service.events if green.id in event and "unable" in event), "")
            return failed(f"{counts}{'; latest event: ' if latest else ''}{latest}")
        if expected is not None and green.running < expected:  # more may be Auto Scaling's doing
            return failed(f"{counts}, expected_count is {expected}: raise the desired count, or lower expected_count")
        return passed(counts)

    def _containers(self, name: str) -> list[tuple[Task, Container | None]]:
        """A declared container in each green task. What else runs in them (a GuardDuty agent, say) is not judged."""
        return [(task, task.container(name)) for task in self.alive]

    @property
    def _declared(self) -> dict[str, Mapping[str, Any]]:
        return {str(each.get("name")): each for each in self.definition.get("containerDefinitions") or []}

    @check()
    def tasks_running(self) -> Finding:
        """Every green task and every essential container of it runs; one that is not essential may have ended."""
        if len(self.alive) < self.set.desired:
            return failed(f"{len(self.alive)} green tasks found, {self.set.desired} desired")
        wrong = [f"task {task.id} is {task.status}" for task in self.alive if task.status != "RUNNING"]
        ended = []  # badly, as the task bears
        for name, declared in self._declared.items():
            for task, container in self._containers(name):
                if container is None:
                    wrong.append(f"container {name} of task {task.id} is not there")
                elif container.status != "RUNNING":
                    said = f"container {name} of task {task.id} is {container.status}{_how_it_ended(container)}"
                    if declared.get("essential", True) or container.status != "STOPPED":
                        wrong.append(said)
                    elif container.exit_code != 0:
                        ended.append(said)
        if wrong:
            return failed(f"green: {'; '.join(wrong)}")
        if ended:
            said = f"green: {'; '.join(ended)}: it is not essential, so the tasks run on"
            return replace(failed(said), advisory=True)
        return passed(f"{len(self.alive)} green tasks and their containers are RUNNING")

    @check()
    def container_health(self) -> Finding:
        """Every essential container that has a health check is HEALTHY; UNKNOWN means that it has not answered yet."""
        # As ECS has it, "a task is HEALTHY if all its essential containers have passed their health checks".
        essential = [name for name, declared in self._declared.items() if declared.get("essential", True)]
        checked = [name for name in essential if self._declared[name].get("healthCheck") is not None]
        if not checked:
            return skipped("the task definition has no health check of an essential container")
        judged = [(name, *found) for name in checked for found in self._containers(name)]
        wrong = [
            f"{name} of task {task.id} is {container.health if container else 'not there'}"
            for name, task, container in judged
            if container is None or container.health != "HEALTHY"
        ]
        if wrong or not judged:
            return failed(f"green container {'; '.join(wrong) or 'none is running'}")
        return passed(f"{len(judged)} green container(s) HEALTHY")

    @check()
    def image_digest(self) -> Finding:
        """All green tasks run the same image of the application: a tag may have moved while they started."""
        name = self.set.container  # the load balanced one: the versions of agents beside it are their own affair
        if not name:
            raise CannotLook(f"ECS does not say which container of task set {self.set.id} is load balanced")
        digests = {
            container.image_digest: task.id
            for task, container in self._containers(name)
            if container is not None and container.image_digest
        }
        if not digests:
            return skipped(f"ECS names no image digest of green's container {name}")
        if len(digests) > 1:
            said = " and ".join(f"{digest} in task {task}" for digest, task in digests.items())
            return failed(f"green tasks run different images: container {name} is {said}: name the image by its digest")
        return passed(f"green tasks run {name} {min(digests)}")

    @check(calls=["elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"])
    def green_targets(self) -> Finding:
        """Green's targets are healthy; or unused, as long as no listener leads to their group and none is checked."""
        if not self.complete:  # no need to ask
            counts = f"{self.set.running} of {self.set.desired}"
            return failed(f"{counts} green tasks run, so not all can be healthy targets")
        group = self.deployment.target_group_of(self.set)
        targets = [target for target in self.deployment.targets(group) if "draining" not in target.state]
        addresses = {address for task in self.alive for address in task.addresses}
        strange = [target for target in targets if addresses and target.address not in addresses]
        targets = [target for target in targets if target not in strange]
        if len(targets) < self.set.desired:
            return failed(f"{len(targets)} green target(s) registered in {group.name}, {self.set.desired} desired")
        if strange:
            named = ", ".join(f"{target.address}:{target.port}" for target in strange)
            return failed(f"target {named} of {group.name} is no green task's: deregister it")
        unused = all(target.state == "unused" and target.reason == "Target.NotInUse" for target in targets)
        if unused and not group.load_balancers:  # else it is in a zone that the load balancer does not serve
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
            said = f"green task set {self.set.id} is {self.set.stability}, expected STEADY_STATE"
            return failed(f"{said}: the other findings say why")
        return passed(f"green task set {self.set.id} is in STEADY_STATE")


def _how_it_ended(container: Container) -> str:
    exit_code = "" if container.exit_code is None else f", exit {container.exit_code}"
    return exit_code + (f" ({container.reason})" if container.reason else "")


CALLS = ("ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks")


@lifecycle_hook("AfterInstall", ValidateDeployment, names_of(Green), CALLS)
def handler(deployment: Deployment, settings: ValidateDeployment, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether the green tasks run as they should, over several looks in a row."""
    green = Green(deployment, settings, deadline)
    checks = checks_of(green)
    severities = {each.name: severity_for(each.name, each.severity, settings.checks) for each in checks}
    wanted = [each for each in checks if severities[each.name] is not Severity.SKIP]

    last: list[Finding] = []

    def look() -> list[Finding]:
        last[:] = green.findings(wanted)
        return list(last)

    def keeps_waiting(finding: Finding) -> bool:
        return not finding.good and not finding.advisory and severities.get(finding.name or "") is not Severity.WARN

    pause = settings.interval or Pace(aws.requests_made, deadline.elapsed)
    out_of_time: OutOfTime | None = None
    try:
        last = poll(look, deadline, pause, settings.consecutive_successes, keeps_waiting=keeps_waiting)
    except OutOfTime as problem:  # in the middle of a look: what the one before found is worth saying
        out_of_time = problem
    for finding in last:
        yield Check(finding.name or "green", partial(replace, finding))
    if out_of_time:
        raise out_of_time
    yield from (each for each in checks if each not in wanted)  # said to be left out
