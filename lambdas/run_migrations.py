"""BeforeAllowTraffic: migrate the database, verify it, and undo a migration that failed.

Each command runs as a one-off ECS task of the new task definition, placed as green is. Wired to BeforeInstall it works
as well: there is no green yet, so the task definition is the AppSpec's and the placement blue's.

CodeDeploy's event may come twice, even at once, and a long migration outlives the invocation that started it. Still no
command runs twice. The client token, made of the deployment's id and the step, makes ECS start each step once. An
invocation that comes later makes every step again: it looks up which of the tasks have begun, and waits for their ends.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from typing import Any, Callable

from gate import tasks
from gate.names import Named
from gate.one_off import target_of_migrations
from gate.options import KEPT
from gate.options.migrations import RunMigrations
from gate.presets import MOST_LINES, Command, preset_of, steps_of, where_it_is
from gate.runner import Gate, hook
from gate.task_runs import ANY_NUMBER, RUNS, STEP_TAG, TIME_TO_START, TaskRuns, label_of
from gate.tasks import Task
from gate.verdict import Finding, ProbeError, attempt, error, failed, passed, skipped
from gate.waiting import Poll, poll, retry_throttled

TIME_TO_ROLL_BACK = 180.0  # seconds kept for the rollback command
LOG_SETTLES = (3, 2.0, 20.0)  # a log is whole when 3 reads, at most 2 s apart, are alike; 20 s at most
_OVER = "the deployment is not known to go on"

CALLS = (  # for every step: to know its task and those of others
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "s3:GetObject",
)
FOR_A_COMMAND = (*RUNS, "lambda:InvokeFunction")
NAMES = (
    Named("alone", "No migration of another deployment of this service is still running."),
    Named("revision", "Where the database is can be told, so that a preset has a way back.", calls=FOR_A_COMMAND),
    Named("migrate", "The migration's container exits 0.", calls=FOR_A_COMMAND),
    Named("verify_schema", "The command that verifies the schema exits 0.", calls=FOR_A_COMMAND),
    Named("verify_data", "The command that verifies the data exits 0.", calls=FOR_A_COMMAND),
    Named(
        "rollback", "After a failure the rollback command exits 0: the message says what it did.", calls=FOR_A_COMMAND
    ),
)


@hook("BeforeAllowTraffic", RunMigrations, NAMES, CALLS)
def handler(gate: Gate[RunMigrations]) -> None:
    """Migrate, verify the schema, verify the data; roll back what failed after a change."""
    steps, why_not = steps_of(gate.options), ""
    if not steps:
        why_not = "no command is set for run_migrations: nothing was migrated"
    elif not gate.orphaned and gate.deployment.is_rollback and gate.options.on_rollback_deployment == "skip":
        # Of an orphan what has begun is not left alone, and nothing new is started.
        why_not = "this is a rollback deployment: nothing was migrated (on_rollback_deployment is skip)"
    if why_not:
        gate.check("migrate", partial(skipped, why_not, opted_out=True))
        return
    migration = Migration(gate)
    ready = gate.check("alone", migration.is_alone)
    if not migration.has_looked and (ready or migration.resume_at):  # it could not look, or was left out
        migration.look_again()  # asked once more at the end
    if ready and gate.options.preset and not gate.options.rollback_command:
        ready = gate.check("revision", migration.find_way_back)
    if not ready and not migration.begun and not migration.is_lost:
        return
    migration.is_ready = bool(ready)
    for step, command in steps.items():
        if not gate.check(step, partial(migration.run, step, command)):
            if migration.may_have_changed:
                gate.check("rollback", migration.roll_back)
            return
    migration.check_other_invocations()


class Migration:
    """The steps of one deployment's migration, as one invocation makes them.

    `begun`: this deployment's tasks by step, once it `has_looked`. `resume_at`: the step whose task the invocation
    before left running. `is_ready`: whether the checks before the first step passed. `way_back`: the rollback command.
    `may_have_changed`: whether the migration's command may have run. `tasks`: its tasks, as they run.
    """

    def __init__(self, gate: Gate[RunMigrations]) -> None:
        self.gate = gate
        self.deployment = gate.deployment
        self.options = gate.options
        self.preset = preset_of(gate.options)
        self.begun: dict[str, Task] = {}
        self.has_looked = False
        self.resume_at = str(gate.continuation.state.get("resume_at") or "")
        self.is_ready = True
        self.way_back: Command = gate.options.rollback_command
        self.may_have_changed = False
        target = partial(target_of_migrations, gate.deployment, gate.options.container)
        self.tasks = TaskRuns("run_migrations", gate, gate.options, target, gate.options.interval)

    # What has begun

    def is_alone(self) -> Finding:
        """No migration of another deployment of this service is still running."""
        if self.options.concurrent == "fail":
            return retry_throttled(self._others_running, self.gate.deadline)[0]
        return self._poll(self._others_running, self._seconds_for("migrate"))

    def _others_running(self) -> Finding:
        # A task that was told to stop runs on until its containers have ended.
        others = [task for task in self._look_around() if task.status not in ("DEPROVISIONING", "STOPPED", "DELETED")]
        if self.begun:
            return passed("this deployment's migration has begun already: it was alone then")
        if self.gate.orphaned:
            return failed(f"{_OVER}, and none of its migration's tasks is there", terminal=True)
        if not others:
            return passed("no migration of another deployment is running")
        named = ", ".join(f"{task.id} of deployment {task.started_by}" for task in others)
        return failed(f"a migration of another deployment is still running: task {named}: wait for its end, or stop it")

    def _look_around(self) -> list[Task]:
        """Look up which tasks this deployment has `begun`; return those of other deployments' migrations."""
        family = self.tasks.target.task_definition.rpartition("/")[2].partition(":")[0]
        found = tasks.of_family(self.deployment.cluster, family)
        migrations = [task for task in found if task.group == self.tasks.group]
        self.begun = {task.tags.get(STEP_TAG, ""): task for task in migrations if task.started_by == self.deployment.id}
        self.has_looked = True
        return [task for task in migrations if task.started_by != self.deployment.id]

    def look_again(self) -> Finding:
        """Look around until ECS answers, for a minute."""

        def look() -> Finding:
            self._look_around()
            return passed("ECS shows which tasks have begun")

        return self.tasks.ask_often(look, TIME_TO_START)

    @property
    def is_lost(self) -> bool:
        """Whether a task was left running that could not be seen since."""
        return bool(self.resume_at) and not self.has_looked

    def _why_not_started(self, name: str) -> str:
        """Why the task of this name may not be started, though it may be waited for; empty if it may."""
        if name.startswith("rollback"):
            return ""
        if self.gate.orphaned:
            return _OVER
        if "rollback" in self.begun:
            return "another invocation of this hook has begun to roll back"
        return "" if self.is_ready else "the checks before it did not pass"

    def _lose_sight(self) -> None:
        """Note that the task that was left running may have changed something, and may still run."""
        self.gate.running = f"the task of {self.resume_at}, left running before,"
        self.may_have_changed = True

    def check_other_invocations(self) -> None:
        """Fail if another invocation, by a second delivery of the event, rolls back: only it may know what failed."""
        if "rollback" not in self.begun:
            seen = self.look_again()
            if not seen.ok:
                said = f"whether another invocation of this hook has begun to roll back was not seen: {seen.detail}"
                self.gate.check("rollback", partial(error, said))
        if "rollback" in self.begun:
            self.gate.check("rollback", partial(self.roll_back, joined=True))

    # The commands

    def find_way_back(self) -> Finding:
        """Where the database is before the migration, and so the command that leads back there."""
        found = self._where_it_is("revision")
        if not found.ok:
            return found
        self.way_back = found.value
        return replace(found, detail=f"{found.detail}; rollback: {shlex.join(self.way_back or ('none',))}")

    def _where_it_is(self, name: str) -> Finding:
        """Run the preset's `where`: what its log says of the database; `value`: the command that leads back there."""
        preset = self.preset
        assert preset is not None  # noqa: S101 - callers have seen it
        finding = self._run(name, preset.where)
        if not finding.ok:
            return finding
        target, before = self.tasks.target, None

        def read() -> Finding:
            nonlocal before
            lines = tasks.last_lines(target.definition, target.container, finding.value.id, MOST_LINES)
            grows, before = lines != before, lines
            found = where_it_is(preset, lines)
            return failed("its log still grows") if grows and found.ok else found

        reads, interval, seconds = LOG_SETTLES
        polling = Poll(read, min(interval, self.options.interval), error_limit=ANY_NUMBER)
        found = polling.run(self.gate.deadline.within(seconds), reads)[0]
        if found.ok:
            return found
        detail = f"where the database is could not be read: {found.detail}: fix the log, or set rollback_command"
        if before == [] and not target.declared.get("entryPoint"):  # ECS does not show that of an image
            detail += "; if the image's ENTRYPOINT is a shell with -c, repeat it as entryPoint in the task definition"
        return replace(found, detail=detail)

    def run(self, step: str, command: tuple[str, ...]) -> Finding:
        """Run a command as a task to its end, and judge the exit code of its container."""
        if step not in self.begun:
            why_not = self._why_not_started(step)
            if self.is_lost and (why_not or not self._seconds_for(step)):
                self._lose_sight()
                return error(f"{step}: which tasks have begun could not be seen")
            if why_not:
                return skipped(f"{step} is not started: {why_not}")
            if not self._seconds_for(step):
                return error(f"{step}: no time was left to run it: raise max_duration")
        finding = self._run(step, command)
        if self.preset and not finding.ok and self.preset.too_old in finding.detail:
            finding = replace(finding, detail=f"{finding.detail}; {self.preset.cure}")
        return finding

    def _run(self, step: str, command: tuple[str, ...], attempt: int = 1) -> Finding:
        """Run a command to its end, twice if its capacity was taken away before it ran; `value`: its task."""
        started = self._start(step if attempt == 1 else f"{step}-{attempt}", command)
        task, trouble = self._wait(started, step)
        container = task.container(self.tasks.target.container) if task else None
        never_ran = bool(task and container and task.never_ran(container))
        if step == "migrate" and (self.gate.running or not never_ran):
            # Not knowing counts as a change: an unneeded rollback does less harm than half a migration.
            self.may_have_changed = True
        interrupted = not trouble and task and container and task.was_interrupted and attempt == 1
        if interrupted and (never_ran or self.options.retry_interrupted):
            again = f"{step}-2"
            if again in self.begun or not self._why_not_started(again):
                return self._run(step, command, attempt + 1)
        return self.tasks.judge(label_of(step, command, attempt), started, task, trouble, retried=attempt > 1)

    def _start(self, name: str, command: tuple[str, ...]) -> Task:
        """Start a command's task, or find it if it has begun. For a rollback, ECS may make room first."""
        if name in self.begun:
            return self.begun[name]

        def request() -> dict[str, Any]:
            why_not = self._why_not_started(name)
            if why_not:
                raise ProbeError(f"{name} is not started: {why_not}")
            return self.tasks.request(name, command)

        waits = name.startswith("rollback")
        try:
            return self.tasks.start(name, request, self._seconds_for(name), waits_for_room=waits)
        except ProbeError:
            if self.is_lost:
                self._lose_sight()
            elif self.gate.running:
                self.may_have_changed = self.may_have_changed or name.startswith("migrate")
            raise

    # Rolling back

    def roll_back(self, *, joined: bool = False) -> Finding:
        """Undo the migration with the new image: an old one does not know the newer revision.

        `joined`: another invocation does. Even if that goes well, the migration has failed.
        """
        finding = self._roll_back()
        if joined and finding.ok:
            finding = failed(f"another invocation of this hook gave up the migration: {finding.detail}")
        return replace(finding, remediation=True)

    def _roll_back(self) -> Finding:
        command = self.way_back
        words = shlex.join(command or ())
        why_not = self._why_not_rolled_back()
        if why_not:
            return failed(f"NOT ROLLED BACK: {why_not}{f', then run {words}' if words else ''}")
        if not command:
            preset = self.options.preset
            why = f"no rollback_command is set{f', and preset {preset} found no way back' if preset else ''}"
            return skipped(f"{why}: the database is as the failed step left it")
        finding = attempt("rollback", partial(self._run, "rollback", command))
        if finding.ok:
            return replace(finding, detail=f"rolled back with {words}")
        detail = f"THE ROLLBACK FAILED TOO, {self._where_it_is_now()} and needs a person: {finding.detail}"
        return replace(finding, detail=detail)

    def _why_not_rolled_back(self) -> str:
        """Why a rollback would do more harm than none, and what to do; empty if it would not.

        Two commands at once may break a schema. Once its deployment is over, another one may have migrated, and a
        rollback would undo that, too.
        """
        if self.gate.running:
            return f"{self.gate.running} may still run; see to its end"
        if not self.gate.orphaned or "rollback" in self.begun:
            return ""
        try:
            others = self._look_around()
        except ProbeError as problem:
            return f"whether another deployment has migrated since was not seen ({problem}); see to that"
        since = max((task.age for task in self.begun.values()), default=0.0)
        later = ", ".join(sorted({task.started_by for task in others if task.age <= since}))
        return f"deployment {later} has migrated since; see whether that may be undone" if later else ""

    def _where_it_is_now(self) -> str:
        """In words: where a rollback that failed has left the database. A preset can tell."""
        unknown = "the database is in an unknown state"
        if self.gate.running:
            return f"{self.gate.running} may still run, {unknown}"
        if not self.options.preset:
            return unknown
        found = attempt("rollback", partial(self._where_it_is, "rollback-state"))
        return f"{found.detail} now" if found.ok else unknown

    # Time

    def _seconds_for(self, name: str) -> float:
        """Seconds that a command may take in all invocations, with a reserve for stopping it and for rolling back.

        The reserve is at most `KEPT` of the total time for the migration, and of what is left for later steps.
        """
        if name.startswith("rollback"):  # half a migration is worse than a late report: it may overrun max_duration
            left = self.gate.remaining_in_all()
            return max(0.0, left - min(self.tasks.time_to_stop, KEPT * left))
        total = left = self.gate.total_remaining()
        if name.startswith("migrate"):
            total += self.gate.elapsed_in_all()
        reserve = self.tasks.time_to_stop + (TIME_TO_ROLL_BACK if self.way_back else 0)
        return max(0.0, left - min(reserve, KEPT * total))

    def _poll(self, probe: Callable[[], Finding], seconds: float, step: str = "", orphan_note: str = "") -> Finding:
        """Poll for `seconds`. If this invocation ends before, a fresh one continues.

        It does not where nothing has begun and ECS has never answered: that is no progress. `step`: whose task keeps
        running then. `orphan_note`: the warning to report if no invocation can follow.
        """
        here = self.gate.deadline.remaining() - self.gate.handover_margin
        patience = self.gate.deadline.within(min(seconds, here))
        finding = poll(probe, patience, self.options.interval, ANY_NUMBER)[0]
        step = step or self.resume_at
        hands_over = self.gate.continuations_left and seconds > here and (step or self.has_looked)
        if hands_over and not finding.ok and not patience.remaining():
            before = self.gate.continuation  # its task runs on, too
            self.gate.continue_later({"resume_at": step}, orphan_note or before.orphan_note)
        return finding

    def _wait(self, started: Task, step: str) -> tuple[Task | None, str]:
        """The task when it has stopped, and what went wrong with waiting for it (empty if nothing did)."""
        seconds = self._seconds_for(step)
        if self.options.timeout is not None and step != "rollback":
            seconds = min(seconds, max(0.0, self.options.timeout - started.age))
        undo = f"; to undo it then, run {shlex.join(self.way_back)}" if self.way_back else ""
        orphan_note = f"task {started.id} of {step} runs on unwatched: see to its end{undo}"
        finding = self._poll(partial(self.tasks.look_at, started), seconds, step, orphan_note)
        return self.tasks.end(started, finding)
