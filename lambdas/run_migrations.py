"""BeforeAllowTraffic: migrate the database, verify it, and undo what failed.

Each command is a one-off ECS task of the new task definition, placed as green is. CodeDeploy's event may come
twice, even at once, and a long migration outlives the invocation that started it: the client token, made of the
deployment's id and the step, makes ECS start each step once and gives every later caller the same task. Wired to
BeforeInstall it works as well; then the task definition is the AppSpec's and the placement blue's, since there is no
green.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Optional

from gate import tasks
from gate.aws import AwsCallFailed
from gate.deployment import Deployment, NoGreen
from gate.hook import lifecycle_hook
from gate.options import KEPT, LONGEST, RunMigrations
from gate.tasks import Container, Task
from gate.verdict import CannotLook, Check, Finding, Named, could_not_look, failed, passed, skipped
from gate.waiting import Deadline, ToBeContinued, patiently, poll

Command = Optional[tuple[str, ...]]

ROOM_TO_STOP = 45.0  # seconds kept to stop a task that takes too long and to see it stopped
KILLED_AFTER = 30.0  # of them, those that ECS gives a container to end by itself, where its definition does not say
SOON = 5.0  # seconds, at the most, until ECS is asked again for what shall not wait for the user's interval
ROOM_TO_ROLL_BACK = 180.0  # seconds kept for the rollback command; both together at most 40 % of the time
ROOM_TO_START = 60.0  # seconds for asking ECS again that did not answer whether it started a task
LOG_LENGTH = 1200  # characters of them that a message has room for; the finding's `log` holds them all
LOG_PATIENCE = 10.0  # seconds the last log lines may take to arrive
PATIENT = 10**6  # looks in a row that ECS may leave unanswered for a passing reason
LABEL_LENGTH = 80  # characters of a command that a message has room for: some are whole programs
ALL_LINES = 10_000  # log lines read where a revision is looked for: as many as CloudWatch Logs gives at once
LOG_SETTLES = (3, 2.0, 20.0)  # a log is whole when so many looks, at most so many seconds apart, see the same; so long
LAUNCH_TYPES = ("FARGATE", "EC2", "EXTERNAL")
STEP = "codedeploy-step"  # the tag that says which of the commands a task runs
WITH_PLATFORM = ("FARGATE", "FARGATE_SPOT")  # what alone takes a platform version


@dataclass(frozen=True)
class Preset:
    """The commands of a migration tool. `before` prints where the database is, so that a rollback has a target.

    `unknown`: what an older version of the tool says that does not know the verification, and `cure`.
    """

    command: tuple[str, ...]
    verify_schema_command: tuple[str, ...]
    before: tuple[str, ...]
    unknown: str
    cure: str


PRESETS = {
    "alembic": Preset(
        ("alembic", "upgrade", "head"),
        ("alembic", "current", "--check-heads"),
        ("alembic", "current", "--verbose"),
        unknown="unrecognized arguments: --check-heads",
        cure="--check-heads came with Alembic 1.17.1: update it, or set verify_schema_command",
    ),
    "django": Preset(
        ("python", "manage.py", "migrate", "--noinput"),
        ("python", "manage.py", "migrate", "--check"),
        ("python", "manage.py", "showmigrations", "--list"),
        unknown="unrecognized arguments: --check",
        cure="migrate --check came with Django 3.1: update it, or set verify_schema_command",
    ),
}


def preset_of(settings: RunMigrations) -> Optional[Preset]:
    """What the preset stands for; none where none is set. One that is not known here must not count as none."""
    return PRESETS[settings.preset] if settings.preset else None


def steps_of(settings: RunMigrations) -> dict[str, tuple[str, ...]]:
    """The commands in their order; the user's own, else the preset's."""
    preset = preset_of(settings)
    steps = {
        "migrate": settings.command or (preset.command if preset else None),
        "verify_schema": settings.verify_schema_command or (preset.verify_schema_command if preset else None),
        "verify_data": settings.verify_data_command,
    }
    return {step: command for step, command in steps.items() if command}


def variables_of(settings: RunMigrations, options: str = "") -> dict[str, str]:
    """The container's further environment; `options` is its own PGOPTIONS, which RunTask would replace.

    PGOPTIONS is read by libpq, and so by psycopg; asyncpg does not.
    """
    times = {"lock_timeout": settings.lock_timeout, "statement_timeout": settings.statement_timeout}
    wanted = [f"-c {name}={seconds * 1000:.0f}" for name, seconds in times.items() if seconds is not None]
    if not wanted:
        return settings.environment
    own = settings.environment.get("PGOPTIONS", options)
    return {**settings.environment, "PGOPTIONS": " ".join([own, *wanted]).strip()}


CALLS = (  # what each step asks of AWS to know its task, those of others, and their end
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "s3:GetObject",
)
RUNNING = (
    "ecs:RunTask",
    "ecs:StopTask",
    "ecs:TagResource",
    "iam:PassRole",
    "lambda:InvokeFunction",
    "logs:GetLogEvents",
)
NAMES = (
    Named("alone", "No migration of another deployment of this service is still running."),
    Named("revision", "Where the database is can be told, so that a preset has a way back.", calls=RUNNING),
    Named("migrate", "The migration's container exits 0.", calls=RUNNING),
    Named("verify_schema", "The command that verifies the schema exits 0.", calls=RUNNING),
    Named("verify_data", "The command that verifies the data exits 0.", calls=RUNNING),
    Named("rollback", "After a failure the rollback command exits 0: the message says what it did.", calls=RUNNING),
)


@lifecycle_hook("BeforeAllowTraffic", RunMigrations, NAMES, CALLS)
def handler(deployment: Deployment, settings: RunMigrations, deadline: Deadline) -> Generator[Check, bool, None]:
    """Migrate, verify the schema, verify the data; on a failure after a change, roll back."""
    why_not = _why_nothing_runs(deployment, settings)
    if why_not:
        yield Check("migrate", lambda: skipped(why_not, by_choice=True))
        return
    job = Migration(deployment, settings, deadline)
    if not (yield Check("alone", job.is_alone)):
        return
    if settings.preset and not settings.rollback_command and not (yield Check("revision", job.find_revision)):
        return
    for step, command in steps_of(settings).items():
        if not (yield Check(step, partial(job.run, step, command))):
            if job.may_have_changed:
                yield Check("rollback", job.roll_back)
            return
    try:
        given_up = job.was_given_up()
    except CannotLook as problem:
        yield Check("rollback", partial(job.not_seen, problem))
        return
    if given_up:
        yield Check("rollback", job.roll_back_again)


def _why_nothing_runs(deployment: Deployment, settings: RunMigrations) -> str:
    if not steps_of(settings):
        return "no command is set for run_migrations: nothing was migrated"
    if deployment.is_rollback and settings.on_rollback_deployment == "skip":
        return "this is a rollback deployment: nothing was migrated (on_rollback_deployment is skip)"
    return ""


class Migration:
    """The steps of one deployment's migration, in one invocation or several.

    `may_have_changed`: the migration's container may have started. `may_still_run`: words for what was not stopped.
    `begun`: this deployment's tasks by their step, where they were looked for. `awaited`: the step whose task the
    invocation before this one left running.
    """

    def __init__(self, deployment: Deployment, settings: RunMigrations, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        carried = deadline.journey.state
        self.may_have_changed = bool(carried.get("may_have_changed"))
        self.rollback_command: Command = tuple(carried.get("rollback_command") or ()) or settings.rollback_command
        self.may_still_run = ""
        self.awaited = str(carried.get("awaited") or "")
        self.begun: dict[str, Task] | None = None
        self._known_target: Target | None = None

    # Before anything runs.

    def is_alone(self) -> Finding:
        """No migration of another deployment of this service is still running."""
        if self.settings.concurrent == "fail":
            return patiently(self._others, self.deadline)[0]
        return self._poll(self._others, self._seconds_for("migrate"))

    def _others(self) -> Finding:
        others = self._look_around()
        if self.begun:
            return passed("this deployment's migration has begun already: it was alone then")
        if not others:
            return passed("no migration of another deployment is running")
        named = ", ".join(f"{task.id} of deployment {task.started_by}" for task in others)
        return failed(f"a migration of another deployment is still running: task {named}: wait for its end, or stop it")

    def _look_around(self) -> list[Task]:
        """The tasks of other deployments' migrations that run; those of this one become `begun`."""
        cluster = self.deployment.cluster
        migrations = [task for task in tasks.of_family(cluster, self._target().family) if task.group == self._group]
        self.begun = {task.tags.get(STEP, ""): task for task in migrations if task.started_by == self.deployment.id}
        # One that was told to stop runs on until its containers have ended.
        over = ("DEPROVISIONING", "STOPPED", "DELETED")
        return [task for task in migrations if task.started_by != self.deployment.id and task.status not in over]

    def was_given_up(self) -> bool:
        """Whether another delivery of this event has begun to roll back; what it failed of may be known to it alone."""
        patience = self.deadline.within(ROOM_TO_START)
        while not self.begun or "rollback" not in self.begun:
            try:
                self._look_around()
                break
            except CannotLook as problem:
                if not problem.transient or not patience.sleep(min(self.settings.interval, SOON)):
                    raise
        return "rollback" in (self.begun or {})

    def not_seen(self, problem: CannotLook) -> Finding:
        """Nothing was seen of a rollback, but nobody could look."""
        return could_not_look(f"whether another delivery of this event has begun to roll back was not seen: {problem}")

    @property
    def _group(self) -> str:
        return f"run_migrations:{self.deployment.service_name}"

    def find_revision(self) -> Finding:
        """Where the database is before the migration, so that there is a way back."""
        found, self.rollback_command = self._where_it_is("revision")
        if not found.good:
            return found
        return replace(found, detail=f"{found.detail}; rollback: {shlex.join(self.rollback_command or ('none',))}")

    def _where_it_is(self, step: str) -> tuple[Finding, Command]:
        """Run the preset's `before`; what its log says of the database, and the command that leads back there."""
        finding, task = self._run(step, PRESETS[str(self.settings.preset)].before)
        if not finding.good or task is None:
            return finding, None
        target, id_, found = self._target(), task.id, _WayBack(self.settings.preset == "alembic")
        looks, interval, patience = LOG_SETTLES

        def look() -> Finding:
            return found.read(tasks.last_lines(target.definition, target.container, id_, ALL_LINES))

        often = min(interval, self.settings.interval)
        read = poll(look, self.deadline.within(patience), often, looks, PATIENT)[0]
        if not read.good:
            detail = f"where the database is could not be read: {read.detail}: mend the log, or set rollback_command"
            if found.says_nothing and not target.entry_point:  # ECS does not show that of an image
                detail += (
                    "; if the image's ENTRYPOINT is a shell with -c, repeat it as entryPoint in the task definition"
                )
            read = replace(read, detail=detail)
        return read, found.command

    # The commands.

    def run(self, step: str, command: tuple[str, ...]) -> Finding:
        """Run one command as a task to its end and judge the named container's exit code."""
        if self.begun is None:  # the invocation before this one saw that it is alone
            with suppress(CannotLook):  # asked once more at the end
                self.was_given_up()
        begun = self.begun or {}
        if "rollback" in begun and step not in begun:
            return skipped(f"{step}: another delivery of this event did not come to it before it rolled back")
        if step not in begun and step != self.awaited and not self._seconds_for(step):
            return could_not_look(f"{step}: no time was left to run it: raise max_duration (it is at most {LONGEST} s)")
        finding = self._run(step, command)[0]
        preset = preset_of(self.settings)
        if preset and not finding.good and preset.unknown in finding.detail:
            finding = replace(finding, detail=f"{finding.detail}; {preset.cure}")
        return finding

    def _run(self, step: str, command: tuple[str, ...], attempt: int = 1) -> tuple[Finding, Task | None]:
        label = f"{step} ({_in_short(command)})" + (f", attempt {attempt} after an interruption" if attempt > 1 else "")
        target, started = self._start(step if attempt == 1 else f"{step}-{attempt}", command)
        task, trouble = self._wait(started, step, target.container)
        container = task.container(target.container) if task else None
        if step == "migrate":
            # Not knowing counts as a change: an unneeded downgrade does less harm than half a migration.
            never_ran = bool(task and container and not self.may_still_run and task.never_ran(container))
            self.may_have_changed = self.may_have_changed or not never_ran
        if trouble:
            return self._with_log(could_not_look(f"{label}: {trouble}"), target, started), task
        if container is None or task is None:
            return could_not_look(f"{label}: container {target.container} is not in task {started.arn}"), task
        never_ran = task.never_ran(container)
        if task.was_interrupted and attempt == 1 and (never_ran or self.settings.retry_interrupted):
            return self._run(step, command, attempt + 1)
        others = any("OutOfMemory" in each.reason for each in task.containers if each is not container)
        wrong = _why_it_failed(task.ended_by(target.definition), container, retried=attempt > 1, another_killed=others)
        if not wrong:
            return passed(f"{label}: exit 0", task=task.id, exit_code=0), task
        if never_ran:
            return failed(f"{label}: {wrong}", task=task.id), task
        finding = failed(f"{label}: {wrong}", task=task.id, exit_code=container.exit_code)
        return self._with_log(finding, target, task), task

    def _start(self, step: str, command: tuple[str, ...]) -> tuple[Target, Task]:
        """Start a command's task, or find it started already.

        What ECS did not answer it may have done: it is asked again, with the same token. A rollback is also asked for
        again where there was no room for it.
        """
        patience = self.deadline.within(min(ROOM_TO_START, self._seconds_for(step)))
        may_have_started = False
        while True:
            try:
                target = self._target()
                return target, tasks.run(self._task(target, step, command))
            except CannotLook as problem:
                operation = problem.operation if isinstance(problem, AwsCallFailed) else ""
                may_have_started = may_have_started or (problem.transient and operation == "run_task")
                no_room = step.startswith("rollback") and isinstance(problem, tasks.NotPlaced)
                if (problem.transient or no_room) and patience.sleep(min(self.settings.interval, SOON)):
                    continue
                left_running = bool(self.awaited) and step.startswith(self.awaited)
                if may_have_started or left_running:
                    why = "left running before" if left_running else "of which ECS did not answer whether it started"
                    self.may_still_run = f"the task of {step}, {why},"
                    self.may_have_changed = self.may_have_changed or step.startswith("migrate")
                raise

    def _task(self, target: Target, step: str, command: tuple[str, ...]) -> tasks.OneOff:
        return tasks.OneOff(
            cluster=self.deployment.cluster,
            task_definition=target.task_definition,
            container=target.container,
            command=tasks.command_after(target.entry_point, command),
            environment=variables_of(self.settings, target.options),
            placement=self._placement(target.placement),
            size={"cpu": self.settings.cpu, "memory": self.settings.memory},
            group=self._group,
            started_by=self.deployment.id,
            client_token=hashlib.sha256(f"{self.deployment.id}/{step}".encode()).hexdigest(),
            tags={
                "codedeploy-deployment": self.deployment.id,
                "codedeploy-hook": "run_migrations",
                STEP: step,
            },
        )

    def _placement(self, of_service: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where the service's tasks run, but for what the user says."""
        settings, placement = self.settings, dict(of_service)
        if settings.launch:
            for key in ("launchType", "capacityProviderStrategy"):
                placement.pop(key, None)
            if settings.launch in LAUNCH_TYPES:
                placement["launchType"] = settings.launch
            else:
                placement["capacityProviderStrategy"] = [{"capacityProvider": settings.launch, "weight": 1}]
            if settings.launch not in WITH_PLATFORM:
                placement.pop("platformVersion", None)
        network: dict[str, Any] = dict((placement.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {})
        if settings.subnets:
            network["subnets"] = list(settings.subnets)
        if settings.security_groups:
            network["securityGroups"] = list(settings.security_groups)
        if settings.assign_public_ip is not None:
            network["assignPublicIp"] = "ENABLED" if settings.assign_public_ip else "DISABLED"
        return {**placement, "networkConfiguration": {"awsvpcConfiguration": network}} if network else placement

    def roll_back(self) -> Finding:
        """Undo with the new image: an old one cannot locate the newer revision."""
        command = self.rollback_command
        if not command:
            preset = self.settings.preset
            why = f"no rollback_command is set{f', and preset {preset} found no way back' if preset else ''}"
            detail = f"{why}: the database is as the failed step left it"
            return replace(skipped(detail), aftermath=True)
        words = shlex.join(command)
        if self.may_still_run:  # two commands at once on one schema do more harm than one that failed
            detail = f"NOT ROLLED BACK: {self.may_still_run} may still run; see to its end, then run {words}"
            return replace(failed(detail), aftermath=True)
        try:
            finding = self._run("rollback", command)[0]
        except CannotLook as problem:
            finding = could_not_look(str(problem))
        if finding.good:
            return replace(finding, detail=f"rolled back with {words}", aftermath=True)
        detail = f"THE ROLLBACK FAILED TOO, {self._state_of_things()} and needs a person: {finding.detail}"
        return replace(finding, detail=detail, aftermath=True)

    def _state_of_things(self) -> str:
        """In words, in what state a rollback that failed has left the database: looked up, where a preset can."""
        unknown = "the database is in an unknown state"
        if self.may_still_run:
            return f"{self.may_still_run} may still run, {unknown}"
        if not self.settings.preset:
            return unknown
        try:
            found = self._where_it_is("rollback-state")[0]
        except CannotLook:
            return unknown
        return f"{found.detail} now" if found.good else unknown

    def roll_back_again(self) -> Finding:
        """Join the rollback of another delivery: that it went well does not make the migration one that did."""
        finding = self.roll_back()
        said = f"another delivery of this event gave up the migration: {finding.detail}"
        return replace(finding if not finding.good else failed(said), aftermath=True)

    def _target(self) -> Target:
        if self._known_target is None:
            self._known_target = self._find_target()
        return self._known_target

    def _find_target(self) -> Target:
        deployment = self.deployment
        service = deployment.service()
        try:
            green = deployment.green(service)
            name, placement = green.task_definition, green.placement or service.placement
        except NoGreen:
            name = deployment.appspec.task_definition
            placement = deployment.placement_to_come(service)
        definition = deployment.task_definition(name)
        declared = definition.get("containerDefinitions") or []
        known = [str(container.get("name")) for container in declared]
        container = self.settings.container or (known[0] if len(known) == 1 else deployment.appspec.container_name)
        if container not in known:
            raise CannotLook(
                f"container {container} is not in task definition {name} (it has {', '.join(known)}): set container"
            )
        if any(entry.get("name") == container and entry.get("essential") is False for entry in declared):
            raise CannotLook(
                f"container {container} of task definition {name} is not essential, so the task would run on after its "
                "command has ended: make it essential, or set container to one that is"
            )
        if any(
            entry.get("name") == container and (entry.get("restartPolicy") or {}).get("enabled") for entry in declared
        ):
            raise CannotLook(
                f"container {container} of task definition {name} has a restartPolicy, by which ECS runs a command "
                "again that has ended: set container to one without"
            )
        return Target(name, definition, container, placement)

    # Time.

    def _seconds_for(self, step: str) -> float:
        """Seconds that a command may take in all invocations to come, room to stop it and to roll back kept.

        The room is at most `KEPT` of the time: for the migration, of all there was, or it would use the room up bit by
        bit, and for what follows it of what it left.
        """
        journey, remaining = self.deadline.journey, self.deadline.remaining()
        if step.startswith("rollback"):  # half a migration is worse than a late report: it may overrun max_duration
            left = journey.in_all(remaining)
            return max(0.0, left - min(self._room_to_stop(), KEPT * left))
        whole = left = journey.reach(remaining)
        if journey.until and step.startswith("migrate"):
            whole += max(0.0, time.time() - journey.began)
        roll_back = ROOM_TO_ROLL_BACK if self.rollback_command else 0
        return max(0.0, left - min(self._room_to_stop() + roll_back, KEPT * whole))

    def _room_to_stop(self) -> float:
        killed_after = self._known_target.stop_timeout if self._known_target else KILLED_AFTER
        return ROOM_TO_STOP + max(0.0, killed_after - KILLED_AFTER)

    def _poll(self, look: Callable[[], Finding], seconds: float, awaited: str = "", unwatched: str = "") -> Finding:
        """Look for `seconds`; where this invocation ends before them, a fresh one goes on looking.

        `awaited`: the step whose task it is that runs on meanwhile, and `unwatched`, what to say of it if none goes on.
        However long ECS does not answer, it is no reason to stop a migration half-way.
        """
        journey = self.deadline.journey
        here = self.deadline.remaining() - journey.room
        hands_over = bool(journey.hops_left) and seconds > here
        patience = self.deadline.within(min(seconds, here) if hands_over else seconds)
        finding = poll(look, patience, self.settings.interval, consecutive_error_limit=PATIENT)[0]
        if hands_over and not finding.good and not patience.remaining():
            state = {"may_have_changed": self.may_have_changed, "rollback_command": self.rollback_command}
            raise ToBeContinued({**state, "awaited": awaited}, unwatched)
        return finding

    def _wait(self, started: Task, step: str, name: str) -> tuple[Task | None, str]:
        """The task when it has stopped, and what is wrong with the waiting (empty if nothing is)."""
        seen: list[Task] = []

        def look() -> Finding:
            # A task just started may not be visible yet: that is no finding, only a reason to look again.
            seen[:] = tasks.describe(self.deployment.cluster, [started.arn])
            if seen and seen[0].status == "STOPPED":
                return passed("stopped")
            return failed(f"task {started.id} is {seen[0].status if seen else 'not visible'}")

        def look_at_its_end() -> Finding:
            """Its network goes after its containers have ended, which is enough."""
            finding = look()
            container = seen[0].container(name) if seen else None
            return passed("stopped") if container and container.status == "STOPPED" else finding

        seconds = self._seconds_for(step)
        if self.settings.timeout is not None and step != "rollback":
            seconds = min(seconds, max(0.0, self.settings.timeout - started.age))
        undo = f"; to undo it then, run {shlex.join(self.rollback_command)}" if self.rollback_command else ""
        unwatched = f"task {started.id} of {step} runs on unwatched: see to its end{undo}"
        finding = self._poll(look, seconds, step, unwatched)
        if finding.good:
            return seen[0], ""
        trouble = finding.detail
        self.may_still_run = f"task {started.id}"
        try:
            reason = f"run_migrations of deployment {self.deployment.id}: {trouble}"
            tasks.stop(self.deployment.cluster, started.arn, reason)
            room = self.deadline.within(self._room_to_stop())
            often = min(self.settings.interval, SOON)
            stopped = poll(look_at_its_end, room, often, consecutive_error_limit=PATIENT)[0].good
            self.may_still_run = "" if stopped else self.may_still_run
            if stopped and seen and seen[0].stop_code not in ("", "UserInitiated"):
                return seen[0], ""  # it had just ended by itself, as every other delivery will see
            trouble += "; it was stopped" if stopped else "; it was told to stop and has not yet"
        except CannotLook as problem:
            trouble += f"; it could not be stopped: {problem}"
        return (seen[0] if seen else None), trouble

    def _with_log(self, finding: Finding, target: Target, task: Task) -> Finding:
        """The finding, its detail followed by the container's last log lines."""
        if not self.settings.log_lines:
            return finding
        log = tasks.quote_log(
            target.definition,
            target.container,
            task.id,
            self.deadline.within(LOG_PATIENCE),
            count=self.settings.log_lines,
            length=LOG_LENGTH,
        )
        return replace(finding, detail=f"{finding.detail}; {log.words}", values={**finding.values, "log": log.lines})


@dataclass(frozen=True)
class Target:
    """Where the commands run: the task definition, its container, and the placement of the service's tasks."""

    task_definition: str
    definition: Mapping[str, Any]
    container: str
    placement: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The task definition's family."""
        return self.task_definition.rpartition("/")[2].partition(":")[0]

    @property
    def entry_point(self) -> Sequence[str]:
        """What the container's definition puts before each command."""
        return self._declared.get("entryPoint") or ()

    @property
    def stop_timeout(self) -> float:
        """Seconds that ECS gives the container to end by itself when its task is stopped."""
        return float(self._declared.get("stopTimeout") or KILLED_AFTER)

    @property
    def options(self) -> str:
        """The container's own PGOPTIONS."""
        declared = self._declared.get("environment") or []
        return next((str(pair.get("value")) for pair in declared if pair.get("name") == "PGOPTIONS"), "")

    @property
    def _declared(self) -> Mapping[str, Any]:
        containers = self.definition.get("containerDefinitions") or []
        return next(entry for entry in containers if entry.get("name") == self.container)


def _in_short(command: Sequence[str]) -> str:
    """The command on one line, long ones cut."""
    words = " ".join(shlex.join(command).split())
    return words if len(words) <= LABEL_LENGTH else f"{words[: LABEL_LENGTH - 1]}…"


def _why_it_failed(task: Task, container: Container, *, retried: bool, another_killed: bool) -> str:
    """Why the named container's end is no success; empty if it is one. The task has those alone that can end it.

    `another_killed`: another container ran out of memory, which may be what the task's reason speaks of.
    """
    if task.never_ran(container):
        elsewhere = "executable file not found" in task.why_stopped()
        cure = ": set container to one that has the command, or mend the command" if elsewhere else ""
        return f"container {container.name} never started: {task.why_stopped()}{cure}"
    code = "no exit code" if container.exit_code is None else f"exit {container.exit_code}"
    reason = "; ".join(part for part in (task.stop_code, task.stopped_reason, container.reason) if part)
    # A wrapper may end with 0 though the kernel has killed its child.
    if "OutOfMemory" in (container.reason if container.exit_code == 0 and another_killed else reason):
        return f"{code}, out of memory ({reason}): set memory of run_migrations, or give the task more"
    if task.was_interrupted:
        cure = "" if retried else ": retry_interrupted starts it again"
        return f"{code}, its instance was taken away in the middle ({reason}){cure}"
    if task.stop_code == "UserInitiated":
        return f"{code}, it was stopped before its end ({reason})"
    if container.exit_code != 0:
        return f"{code} ({reason})"
    first = any(each.was_first for each in task.containers if each is not container)
    if not task.stop_code:
        return f"exit 0, but ECS does not say why the task stopped ({task.why_stopped()})"
    if task.stop_code != "EssentialContainerExited" or first:  # told to end, some programs do so with 0
        return f"exit 0, but it was stopped before its end ({task.why_stopped()})"
    return ""


class _WayBack:
    """From the log of a preset's `before` command: the command that leads back to where the database is now."""

    def __init__(self, is_alembic: bool) -> None:
        self.command: Command = None
        self._way_back = _alembic_way_back if is_alembic else _django_way_back
        self._lines: Optional[list[str]] = None

    @property
    def says_nothing(self) -> bool:
        """Whether the log was read and held nothing, as that of a bare `python` does."""
        return self._lines == []

    def read(self, lines: list[str]) -> Finding:
        """Read the log once more; good where it says the same as before, for its last lines may come late."""
        grows, self._lines = lines != self._lines, lines
        if len(lines) >= ALL_LINES:
            return failed(f"the log has more than {ALL_LINES} lines", certain=True)
        try:
            # An event is several lines where the log driver is told how a new one begins (awslogs-multiline-pattern).
            self.command, said = self._way_back([line for event in lines for line in event.splitlines()])
        except CannotLook as problem:
            return could_not_look(str(problem))
        return failed("its log still grows") if grows else passed(said)


def _alembic_way_back(log: Sequence[str]) -> tuple[Command, str]:
    """From what `alembic current --verbose` printed: a heading, then `Rev: <revision>` for each head.

    Never to base: a log that came in part looks alike, and a downgrade to base drops all there is.
    """
    found = [match[1] for match in (re.match(r"Rev: (\S+)", line) for line in log) if match]
    if len(found) == 1:
        return ("alembic", "downgrade", found[0]), f"the database is at revision {found[0]}"
    if found:
        return None, f"the database is at several revisions ({', '.join(found)}), to which no one command leads back"
    if any(line.startswith("Current revision(s) for") for line in log):
        return None, "the database has no revision yet"
    raise CannotLook(f"alembic current said no revision ({len(log)} log lines)")


def _django_way_back(log: Sequence[str]) -> tuple[Command, str]:
    """From what `manage.py showmigrations --list` printed: each app, and its migrations, `[X]` those that are applied.

    For each app with migrations to come, back to its last; never to zero, for the same reason. None where migrations to
    come stand between applied ones, or have the number of one: a command back would undo others too, or leave some.
    """
    apps: dict[str, list[tuple[bool, str]]] = {}
    app = ""
    for line in log:
        match = re.match(r" \[([X -])\] (\S+)|(\w+)$", line.rstrip())
        if match and match[3]:
            app = match[3]
        elif match and app:
            apps.setdefault(app, []).append((match[1] != " ", match[2]))
    if not apps:
        raise CannotLook(f"showmigrations listed no migrations ({len(log)} log lines)")
    to_come = {name: listed for name, listed in apps.items() if not all(applied for applied, _ in listed)}
    new = ", ".join(name for name, listed in to_come.items() if not any(applied for applied, _ in listed))
    branched = ", ".join(name for name, listed in to_come.items() if _branches(listed))
    if not to_come:
        return None, "all migrations are applied already, so no command leads back"
    if new:
        return None, f"app {new} has no migration yet, so no command leads back"
    if branched:
        return None, f"the migrations of app {branched} branch, so no one command leads back"
    targets = {name: [each for applied, each in listed if applied][-1] for name, listed in to_come.items()}
    words = [f"python manage.py migrate {name} {shlex.quote(last)} --noinput" for name, last in targets.items()]
    missing = [f"{name} {each}" for name, listed in to_come.items() for applied, each in listed if not applied]
    return ("sh", "-c", " && ".join(words)), f"migrations are to come ({', '.join(missing)})"


def _branches(listed: Sequence[tuple[bool, str]]) -> bool:
    """Whether migrations to come do not simply follow those applied: they are listed or numbered as if beside them."""
    applied = [each for each, _ in listed]
    numbers: tuple[set[str], set[str]] = (set(), set())
    for each, name in listed:
        numbers[each].add(re.match(r"\d*", name)[0] or name)  # type: ignore[index]  # it always matches
    return applied != sorted(applied, reverse=True) or bool(numbers[0] & numbers[1])
