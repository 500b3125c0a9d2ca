"""AfterInstall: green runs, and goes on running.

Green is the side that this deployment makes. Blue is never judged. The test listener may still
forward to blue at this moment, and green's target group may be in no listener at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gate import tasks
from gate.deployment import Deployment
from gate.ecs import Service, Side
from gate.names import check, names_of
from gate.options.hooks import ValidateDeployment
from gate.runner import Gate, hook
from gate.tasks import Container, Task
from gate.verdict import Finding, Outcome, ProbeError, failed, finding_of, passed, skipped

PATIENCE = 60.0  # seconds in which green may become visible (ECS may lag behind CodeDeploy), or AWS answer again
QUIET = 60.0  # seconds without another stopped task, after which a single one was bad luck
LOOP = 2  # tasks that stopped of one cause: once may be bad luck, twice is how green is
LOG_LINES, LOG_LENGTH, LOG_PATIENCE = 10, 1000, 5.0  # lines and characters quoted; seconds for a log to arrive

# What no waiting fixes, in ECS's own words (developer guide, "Stopped tasks error messages", "Service event messages").
HOPELESS = re.compile(
    r"CannotPull\w*Error.*(not found|manifest unknown|does not exist|denied|unauthorized|forbidden|no basic auth|"
    r"invalid reference|no match for platform|no matching manifest)"
    r"|unable to assume the role"
    r"|(no|enough|insufficient) ?free ?addresses",
    re.IGNORECASE | re.DOTALL,
)


class Green:
    """Green as the last look found it, and the checks of it: causes before what follows from them.

    A task of another set, and one that has stopped, is described once.
    """

    def __init__(self, gate: Gate[ValidateDeployment]) -> None:
        self.gate = gate
        self.deployment = gate.deployment
        self.options = gate.options
        self.deadline = gate.deadline
        self.tasks: dict[str, Task] = {}  # green's, by ARN, as last described
        self._others: set[str] = set()  # other sides', by ARN
        self._last_crash = 0.0
        self._errors_since: float | None = None  # by the deadline's clock; None: the last look saw all
        self._logs: dict[str, str] = {}

    def findings(self) -> list[Finding]:
        """Look once, and judge it by each check that is not left out.

        A ProbeError is an error of each check that needs the answer. It is terminal at once, or after a minute if it is
        retryable.
        """
        failure: ProbeError | None = None
        try:
            self.look()
        except ProbeError as problem:
            failure = problem
        found = [replace(self._judge(named.name, failure), name=named.name) for named in names_of(Green)]
        if all(finding.outcome is not Outcome.ERROR for finding in found):
            self._errors_since = None
        return found

    def _judge(self, name: str, failure: ProbeError | None) -> Finding:
        left_out = self.gate.left_out(name)
        if left_out:
            return left_out
        try:
            if failure:
                raise failure
            finding: Finding = getattr(self, name)()
        except ProbeError as problem:
            now = self.deadline.elapsed()
            self._errors_since = now if self._errors_since is None else self._errors_since
            lasts = now - self._errors_since > PATIENCE
            return replace(finding_of(problem), terminal=lasts or not problem.retryable)
        return finding

    def look(self) -> None:
        """Look at the service and its tasks. Raises NotShownYet while there is none."""
        self.service: Service = self.deployment.service()
        self.set: Side = self.deployment.green(self.service)
        crashes = len(self.crashed)
        cluster = self.deployment.cluster
        # ListTasks may not name a new task yet, or one that is just ending: what is known is described all the same.
        named = dict.fromkeys([*tasks.arns_of(cluster, serviceName=self.deployment.service_name), *self.tasks])
        ended = {arn: task for arn, task in self.tasks.items() if task.status == "STOPPED"}
        found = tasks.describe(cluster, [arn for arn in named if arn not in ended and arn not in self._others])
        self._others |= {task.arn for task in found if task.started_by != self.set.id}
        self.tasks = {**ended, **{task.arn: task for task in found if task.arn not in self._others}}
        if len(self.crashed) > crashes:
            self._last_crash = self.deadline.elapsed()

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
        except ProbeError:  # who is to blame is a side question
            return ended

    @property
    def definition(self) -> Mapping[str, Any]:
        """Green's task definition."""
        return self.deployment.task_definition(self.set.task_definition)

    @check()
    def green(self) -> Finding:
        """ECS shows the side that this deployment makes, which has a minute to appear."""
        return passed(f"{self.set.name} is {self.set.status} at scale {self.set.scale:g} %")

    @check()
    def launch_type(self) -> Finding:
        """Green runs by the service's capacity provider strategy, if it has one: CodeDeploy does not take it over."""
        wanted, found = (each.placement.get("capacityProviderStrategy") or [] for each in (self.service, self.set))
        providers = ", ".join(str(each.get("capacityProvider")) for each in found or wanted)
        launch_type = self.set.placement.get("launchType")
        if wanted and not found:
            said = (
                f"green runs on {launch_type or 'a launch type'}, the service on capacity providers {providers}, a "
                "strategy that CodeDeploy does not take over: name it in the AppSpec (CapacityProviderStrategy)"
            )
            return replace(failed(said), advisory=True)
        return passed(f"green runs on {launch_type or providers or 'the launch type of the cluster'}")

    @check()
    def task_start(self) -> Finding:
        """Green's tasks can be started: the image pulled, the role assumed, an address found; certain if not."""
        # ECS names the side in each event. On a way back it is an old one, with a past.
        said = [] if self.deployment.is_rollback else [event for event in self.service.events if self.set.id in event]
        hopeless = [task.why_stopped() for task in self.crashed] + said
        reason = next((reason for reason in hopeless if HOPELESS.search(reason)), "")
        if reason and not self.set.complete:
            return failed(f"green tasks cannot be started: {reason}", terminal=True)
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
        if alike >= LOOP and not self.set.complete:
            return failed(
                f"green tasks keep stopping: {len(crashed)} of {self.set.name} stopped, {alike} like this: "
                f"{self._explained(last, LOG_PATIENCE)}",
                terminal=True,
            )
        said = f"{len(crashed)} green task(s) stopped, such as {last.id}: {self._explained(last, 0)}"
        if self.deadline.elapsed() - self._last_crash >= QUIET:  # what was in the way at the start no longer is
            return passed(f"{said}; none since for {QUIET:g} s")
        return failed(said)

    def _explained(self, task: Task, patience: float) -> str:
        """Why a task stopped, and what the container that died wrote last; its log may be `patience` seconds late."""
        why, died = task.why_stopped(), task.blamed()
        if died is None or died.exit_code is None:
            return why
        if task.id in self._logs:
            return f"{why}; {self._logs[task.id]}"
        until, sizes = self.deadline.within(patience), {"count": LOG_LINES, "length": LOG_LENGTH}
        try:
            lines, words = tasks.quote_log(self.definition, died.name, task.id, until, **sizes)
        except ProbeError as problem:
            return f"{why}; its log: {problem}"
        if lines:  # else they may come late
            self._logs[task.id] = words
        return f"{why}; {words}"

    @check()
    def task_count(self) -> Finding:
        """As many green tasks run as ECS wants and the user expects, and none is pending."""
        green, expected = self.set, self.options.expected_count
        counts = f"{green.running} of {green.desired} green tasks running, {green.pending} pending"
        if green.desired < 1:
            return failed(
                f"{green.name} is to run {green.desired} tasks (scale {green.scale:g} %): nothing to look at",
                terminal=self.service.desired < 1,  # else ECS has not computed it yet
            )
        if not green.complete:
            latest = next((event for event in self.service.events if green.id in event and "unable" in event), "")
            return failed(f"{counts}{'; latest event: ' if latest else ''}{latest}")
        if expected is not None and green.running < expected:  # more may be Auto Scaling's doing
            return failed(f"{counts}, expected_count is {expected}: raise the desired count, or lower expected_count")
        return passed(counts)

    def _containers(self, name: str) -> list[tuple[Task, Container | None]]:
        """A declared container in each green task. What else runs in them (a GuardDuty agent, say) is not judged."""
        return [(task, task.container(name)) for task in self.alive]

    @check()
    def tasks_running(self) -> Finding:
        """Every green task and every essential container of it runs; one that is not essential may have ended."""
        if len(self.alive) < self.set.desired:
            return failed(f"{len(self.alive)} green tasks found, {self.set.desired} desired")
        wrong = [f"task {task.id} is {task.status}" for task in self.alive if task.status != "RUNNING"]
        ended = []  # badly, as the task bears
        for name, declared in tasks.declared_containers(self.definition).items():
            for task, container in self._containers(name):
                if container is None:
                    wrong.append(f"container {name} of task {task.id} is not there")
                elif container.status != "RUNNING":
                    said = f"container {name} of task {task.id} is {container.status}"
                    said += "" if container.exit_code is None else f", {container.exit}"
                    said += f" ({container.reason})" if container.reason else ""
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
        declared = tasks.declared_containers(self.definition)
        essential = {name: each for name, each in declared.items() if each.get("essential", True)}
        checked = [name for name, each in essential.items() if each.get("healthCheck") is not None]
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
            raise ProbeError(f"ECS does not say which container of {self.set.name} is load balanced")
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
        """Green's targets are healthy; or unused, while no listener forwards to their group and none is checked."""
        found = [self._targets_at(each) for each in (self.deployment, *self.deployment.further)]
        return next((each for each in found if not each.ok), found[0])

    def _targets_at(self, deployment: Deployment) -> Finding:
        if not self.set.complete:  # no need to ask
            counts = f"{self.set.running} of {self.set.desired}"
            return failed(f"{counts} green tasks run, so not all can be healthy targets")
        group = deployment.target_group_of(self.set)
        targets = [target for target in deployment.targets(group) if "draining" not in target.state]
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
            return skipped(f"no listener forwards to {group.name} yet: the load balancer does not check its targets")
        wrong = [str(target) for target in targets if target.state != "healthy"]
        if wrong:
            healthy = f"{len(targets) - len(wrong)} of {len(targets)} healthy"
            return failed(f"green target {'; '.join(wrong)}; {healthy} in {group.name}")
        return passed(f"{len(targets)} green target(s) of {group.name} healthy")

    @check()
    def steady(self) -> Finding:
        """ECS itself says that green is in STEADY_STATE."""
        if self.set.stability != "STEADY_STATE":
            return failed(
                f"green {self.set.name} is {self.set.stability}, expected STEADY_STATE: the other findings say why"
            )
        return passed(f"green {self.set.name} is in STEADY_STATE")


CALLS = ("ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks")


@hook("AfterInstall", ValidateDeployment, names_of(Green), CALLS)
def handler(gate: Gate[ValidateDeployment]) -> None:
    """Decide whether the green tasks run as they should, over several looks in a row."""
    gate.check(
        "validate_deployment",  # no name that the user can leave out
        Green(gate).findings,
        within=gate.deadline.remaining(),
        interval=gate.options.interval,
        consecutive_successes=gate.options.consecutive_successes,
    )
