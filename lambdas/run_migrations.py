"""BeforeAllowTraffic: migrate the database, verify it, and undo what failed.

Each command is a one-off ECS task of the new task definition, placed as green is. CodeDeploy's event may come
twice, even at once: the client token, made of the deployment's id and the step, makes ECS start each step once
and gives the later caller the same task. Wired to BeforeInstall it works as well; then the task definition is
the AppSpec's and the placement blue's, since there is no green.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from gate import tasks
from gate.deployment import Deployment, NoGreen
from gate.hook import lifecycle_hook
from gate.settings import HookSettings, limits
from gate.verdict import CannotLook, Check, Finding, could_not_look, failed, passed, skipped
from gate.waiting import Deadline, poll

Command = Optional[tuple[str, ...]]

ROOM_TO_STOP = 45.0  # seconds kept to stop a task that takes too long and to see it stopped
ROOM_TO_ROLL_BACK = 180.0  # seconds kept for the rollback command; both together at most 40 % of the time
LOG_LENGTH = 1200  # characters of them that a message has room for; the finding's `log` holds them all
LOG_PATIENCE = 10.0  # seconds the last log lines may take to arrive


@dataclass(frozen=True)
class Settings(HookSettings):
    """The commands, each a list of words for the container (no shell unless it names one).

    `timeout`: seconds one may take. `log_lines`: how many last lines of its log the message quotes.
    """

    command: Command = None
    verify_schema_command: Command = None
    verify_data_command: Command = None
    rollback_command: Command = None
    container: Optional[str] = None
    environment: dict[str, str] = field(default_factory=dict)
    timeout: Optional[float] = limits(None, least=0.001)
    log_lines: int = limits(20, least=0, most=1000)
    interval: float = limits(2.0, least=0.001, most=60)
    on_rollback_deployment: str = limits("skip", choices=("skip", "run"))

    def __post_init__(self) -> None:
        if self.command is None and (self.verify_schema_command or self.verify_data_command or self.rollback_command):
            raise ValueError("command is not set, but a command that follows it is: set command")


@lifecycle_hook("BeforeAllowTraffic", Settings)
def handler(deployment: Deployment, settings: Settings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Migrate, verify the schema, verify the data; on a failure after a change, roll back."""
    why_not = _why_nothing_runs(deployment, settings)
    if why_not:
        yield Check("migrate", lambda: skipped(why_not, by_choice=True))
        return
    job = Migration(deployment, settings, deadline)
    commands = {
        "migrate": settings.command,
        "verify_schema": settings.verify_schema_command,
        "verify_data": settings.verify_data_command,
    }
    for step, command in commands.items():
        if command and not (yield Check(step, partial(job.run, step, command, room_for_rollback=True))):
            if job.may_have_changed:
                yield Check("rollback", job.roll_back)
            return


def _why_nothing_runs(deployment: Deployment, settings: Settings) -> str:
    if not settings.command:
        return "no command is set for run_migrations: nothing was migrated"
    if deployment.is_rollback and settings.on_rollback_deployment == "skip":
        return "this is a rollback deployment: nothing was migrated (on_rollback_deployment is skip)"
    return ""


class Migration:
    """The steps of one deployment's migration.

    `may_have_changed`: the migration's container has started. `may_still_run`: a task that could not be stopped.
    """

    def __init__(self, deployment: Deployment, settings: Settings, deadline: Deadline) -> None:
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        self.may_have_changed = False
        self.may_still_run = ""

    def run(self, step: str, command: tuple[str, ...], room_for_rollback: bool) -> Finding:
        """Run one command as a task to its end and judge the named container's exit code."""
        target = self._target()
        label = f"{step} ({' '.join(command)})"
        arn = tasks.run(
            tasks.OneOff(
                cluster=self.deployment.cluster,
                task_definition=target.task_definition,
                container=target.container,
                command=command,
                environment=self.settings.environment,
                placement=target.placement,
                started_by=self.deployment.id,
                client_token=hashlib.sha256(f"{self.deployment.id}/{step}".encode()).hexdigest(),
                tags={
                    "codedeploy-deployment": self.deployment.id,
                    "codedeploy-hook": "run_migrations",
                    "codedeploy-step": step,
                },
            )
        )
        task, trouble = self._wait(arn, self._time_for_command(room_for_rollback))
        container = task.container(target.container) if task else None
        if step == "migrate":
            # Not knowing counts as a change: an unneeded downgrade does less harm than half a migration.
            self.may_have_changed = (
                container is None or container.exit_code is not None or container.status == "RUNNING"
            )
        if trouble:
            return self._with_log(could_not_look(f"{label}: {trouble}"), target, arn)
        if container is None or task is None:
            return could_not_look(f"{label}: container {target.container} is not in task {arn}")
        if container.exit_code is None:
            return failed(f"{label}: container {container.name} never started: {task.why_stopped()}", task=task.id)
        if container.exit_code != 0:
            reason = "; ".join(part for part in (task.stop_code, task.stopped_reason, container.reason) if part)
            return self._with_log(
                failed(f"{label}: exit {container.exit_code} ({reason})", task=task.id, exit_code=container.exit_code),
                target,
                arn,
            )
        if task.stop_code not in ("", "EssentialContainerExited"):  # told to end, some programs do so with 0
            return self._with_log(
                failed(f"{label}: exit 0, but it was stopped before its end ({task.why_stopped()})", task=task.id),
                target,
                arn,
            )
        return passed(f"{label}: exit 0", task=task.id, exit_code=0)

    def roll_back(self) -> Finding:
        """Undo with the new image: an old one cannot locate the newer revision."""
        command = self.settings.rollback_command
        if not command:
            detail = "no rollback_command is set: the database is as the failed step left it"
            return Finding(skipped(detail).outcome, detail, aftermath=True)
        words = " ".join(command)
        if self.may_still_run:  # two commands at once on one schema do more harm than one that failed
            detail = f"NOT ROLLED BACK: task {self.may_still_run} may still run; see to its end, then run {words}"
            return Finding(failed(detail).outcome, detail, aftermath=True)
        try:
            finding = self.run("rollback", command, room_for_rollback=False)
        except CannotLook as problem:
            finding = could_not_look(str(problem))
        if finding.good:
            return Finding(finding.outcome, f"rolled back with {words}", aftermath=True, values=finding.values)
        detail = f"THE ROLLBACK FAILED TOO, the database is in an unknown state and needs a person: {finding.detail}"
        return Finding(finding.outcome, detail, aftermath=True, values=finding.values)

    def _target(self) -> Target:
        deployment = self.deployment
        service = deployment.service()
        try:
            green = deployment.green(service)
            name, placement = green.task_definition, green.placement or service.placement
        except NoGreen:
            name = deployment.appspec.task_definition
            placement = deployment.placement_to_come(service)
        definition = deployment.task_definition(name)
        known = [str(container.get("name")) for container in definition.get("containerDefinitions") or []]
        container = self.settings.container or (known[0] if len(known) == 1 else deployment.appspec.container_name)
        if container not in known:
            raise CannotLook(
                f"container {container} is not in task definition {name} (it has {', '.join(known)}): set container"
            )
        return Target(name, definition, container, placement)

    def _time_for_command(self, room_for_rollback: bool) -> float:
        left = self.deadline.remaining()
        room = ROOM_TO_STOP + (ROOM_TO_ROLL_BACK if room_for_rollback and self.settings.rollback_command else 0)
        return min(left - min(room, 0.4 * left), self.settings.timeout or left)

    def _wait(self, arn: str, seconds: float) -> tuple[tasks.Task | None, str]:
        """The task when it has stopped, and what is wrong with the waiting (empty if nothing is)."""
        seen: list[tasks.Task] = []

        def look() -> Finding:
            # A task just started may not be visible yet: that is no finding, only a reason to look again.
            seen[:] = tasks.describe(self.deployment.cluster, [arn])
            if seen and seen[0].status == "STOPPED":
                return passed("stopped")
            return failed(f"task {arn.rpartition('/')[2]} is {seen[0].status if seen else 'not visible'}")

        # However long ECS does not answer, it is no reason to stop a migration half-way.
        finding = poll(look, self.deadline.within(seconds), self.settings.interval, consecutive_error_limit=10**6)[0]
        if finding.good:
            return seen[0], ""
        trouble = finding.detail
        self.may_still_run = arn.rpartition("/")[2]
        try:
            tasks.stop(self.deployment.cluster, arn, f"run_migrations of deployment {self.deployment.id}: {trouble}")
            stopped = poll(look, self.deadline.within(ROOM_TO_STOP), self.settings.interval)[0].good
            self.may_still_run = "" if stopped else self.may_still_run
            trouble += "; it was stopped" if stopped else "; it was told to stop and has not yet"
        except CannotLook as problem:
            trouble += f"; it could not be stopped: {problem}"
        return (seen[0] if seen else None), trouble

    def _with_log(self, finding: Finding, target: Target, arn: str) -> Finding:
        """The finding, its detail followed by the container's last log lines."""
        if not self.settings.log_lines:
            return finding
        log = tasks.quote_log(
            target.definition,
            target.container,
            arn.rpartition("/")[2],
            self.deadline.within(LOG_PATIENCE),
            count=self.settings.log_lines,
            length=LOG_LENGTH,
        )
        return Finding(finding.outcome, f"{finding.detail}; {log.words}", values={**finding.values, "log": log.lines})


@dataclass(frozen=True)
class Target:
    """Where the commands run: the task definition, its container, and the placement of the service's tasks."""

    task_definition: str
    definition: Mapping[str, Any]
    container: str
    placement: Mapping[str, Any]
