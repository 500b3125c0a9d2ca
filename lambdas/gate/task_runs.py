"""One-off tasks as they run: started once under a client token, waited for, stopped at their limit, their log quoted.

Migrations and smoke tests are such tasks. ECS starts a task once for each token, so an event that comes twice joins
the task of the first delivery.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Optional

from gate import tasks
from gate.aws import AwsCallFailed
from gate.one_off import Target
from gate.options.one_off import OneOffTask
from gate.runner import Gate
from gate.tasks import Task, why_it_failed
from gate.verdict import Finding, ProbeError, error, failed, passed
from gate.waiting import poll

STOP_TIMEOUT = 30.0  # seconds that ECS gives a container to end by itself, if its definition does not say
TIME_TO_STOP = 45.0  # seconds kept for stopping a task and seeing it stopped, if its container has that stop timeout
TIME_TO_START = 60.0  # seconds for asking ECS again, if it did not answer whether it started a task
SOON = 5.0  # seconds at most until ECS is asked again, where the interval may be too long
ANY_NUMBER = 10**6  # of retryable errors in a row: however long ECS does not answer, the task goes on
LOG_LENGTH = 1200  # characters of the log in a message; the finding's `log` has all lines
LOG_PATIENCE = 10.0  # seconds that the last log lines may take to arrive
LABEL_LENGTH = 80  # characters of a command in a message
STEP_TAG = "codedeploy-step"  # the tag that says which command a task runs

# What it asks of AWS.
RUNS = ("ecs:RunTask", "ecs:StopTask", "ecs:TagResource", "iam:PassRole", "logs:GetLogEvents")


@dataclass
class TaskRuns:
    """The one-off tasks of one hook and one purpose.

    `purpose`: whose tasks they are, as their group and their reasons say it: `run_migrations`. `find_target`: where
    they run. `interval`: seconds between two looks. `time_to_stop`: seconds to keep for stopping a task; more once a
    target is known whose container takes longer.
    """

    purpose: str
    gate: Gate[Any]
    options: OneOffTask
    find_target: Callable[[], Target]
    interval: float

    def __post_init__(self) -> None:
        self.deployment, self.deadline = self.gate.deployment, self.gate.deadline
        self.time_to_stop = TIME_TO_STOP
        self._target: Optional[Target] = None

    @property
    def target(self) -> Target:
        """Where the commands run; looked up once."""
        if self._target is None:
            found = self.find_target()
            self.time_to_stop += max(0.0, float(found.declared.get("stopTimeout") or 0) - STOP_TIMEOUT)
            self._target = found
        return self._target

    @property
    def group(self) -> str:
        """The group of the tasks, by which they are told from others of their task definition."""
        return f"{self.purpose}:{self.deployment.service_name}"

    def request(
        self, name: str, command: Optional[Sequence[str]], told: Optional[Mapping[str, str]] = None, at: str = ""
    ) -> dict[str, Any]:
        """RunTask's parameters for a command; the rest as in `Target.request`.

        `name`: of its step; with `at` it makes the client token.
        """
        id_ = self.deployment.id
        tags = {"codedeploy-deployment": id_, "codedeploy-hook": self.gate.record.hook_name, STEP_TAG: name}
        return {
            "cluster": self.deployment.cluster,
            "group": self.group,
            "startedBy": id_,
            "clientToken": hashlib.sha256(f"{id_}/{at}{name}".encode()).hexdigest(),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
            **self.target.request(command, self.options, told),
        }

    def start(
        self, name: str, request: Callable[[], Mapping[str, Any]], seconds: float, *, waits_for_room: bool = False
    ) -> Task:
        """Start a task, or join the one that its token has started.

        If ECS did not answer, it is asked again for `seconds`, a minute at most: it may have started the task, and the
        same token finds it. With `waits_for_room` also if there was no room for it.
        """
        patience = self.deadline.within(min(TIME_TO_START, seconds))
        may_run, may_have_started = f"the task of {name}, of which ECS did not answer whether it started,", False
        while True:
            try:
                parameters, self.gate.running = request(), may_run
                return tasks.start(parameters)
            except ProbeError as problem:
                unanswered = isinstance(problem, AwsCallFailed) and problem.operation == "run_task"
                may_have_started = may_have_started or (problem.retryable and unanswered)
                self.gate.running = may_run if may_have_started else ""
                no_room = waits_for_room and isinstance(problem, tasks.NotPlaced)
                if not (problem.retryable or no_room) or not patience.sleep(min(self.interval, SOON)):
                    raise

    def look_at(self, started: Task, *, container_alone: bool = False) -> Finding:
        """Whether the task has stopped; `value`: the task as it is now. ECS may not show it in its first seconds.

        `container_alone`: it is enough that its container has ended; the task's network takes longer.
        """
        self.gate.running = f"task {started.id}"
        found = next(iter(tasks.describe(self.deployment.cluster, [started.arn])), None)
        container = found.container(self.target.container) if found and container_alone else None
        ended = any(each and each.status == "STOPPED" for each in (found, container))
        self.gate.running = "" if ended else self.gate.running
        said = f"task {started.id} is {found.status if found else 'not visible'}"
        return replace(passed(said) if ended else failed(said), value=found)

    def ask_often(self, probe: Callable[[], Finding], seconds: float) -> Finding:
        """What comes of a probe that is soon good, within so many seconds."""
        return poll(probe, self.deadline.within(seconds), min(self.interval, SOON), ANY_NUMBER)[0]

    def end(self, started: Task, seen: Finding) -> tuple[Optional[Task], str]:
        """The task when it has stopped, and what went wrong with waiting for it: empty if nothing did.

        `seen`: what the last look found; a task that has not stopped by then takes too long, and is stopped.
        """
        if seen.ok:
            return seen.value, ""
        trouble = seen.detail
        self.gate.running = f"task {started.id}"
        try:
            reason = f"{self.purpose} of deployment {self.deployment.id}: {trouble}"
            tasks.stop(self.deployment.cluster, started.arn, reason)
        except ProbeError as problem:
            return seen.value, f"{trouble}; it could not be stopped: {problem}"
        last = self.ask_often(partial(self.look_at, started, container_alone=True), self.time_to_stop)
        if not last.ok:
            return last.value or seen.value, f"{trouble}; it was told to stop and has not yet"
        # Else it had just ended by itself, as every other invocation will see.
        was_stopped = last.value.stop_code in ("", "UserInitiated")
        return last.value, f"{trouble}; it was stopped" if was_stopped else ""

    def judge(self, label: str, started: Task, task: Optional[Task], trouble: str, *, retried: bool = False) -> Finding:
        """What the end of a command says: its container's exit code, and the end of its log if that is not 0.

        `label`: the command, in words. `task`, `trouble`: as `end` says. The value of a success is the task.
        """
        if trouble:
            return self._with_log(error(f"{label}: {trouble}"), started)
        container = task.container(self.target.container) if task else None
        if task is None or container is None:
            return error(f"{label}: container {self.target.container} is not in task {started.arn}")
        wrong = why_it_failed(task, container, self.target.definition, retried=retried, options=self.purpose)
        if not wrong:
            return replace(passed(f"{label}: exit 0", task=task.id, exit_code=0), value=task)
        if task.never_ran(container):
            return failed(f"{label}: {wrong}", task=task.id)
        return self._with_log(failed(f"{label}: {wrong}", task=task.id, exit_code=container.exit_code), task)

    def _with_log(self, finding: Finding, task: Task) -> Finding:
        """The finding, with the last log lines of the task's container."""
        count = self.options.log_lines
        if not count:
            return finding
        target, patience = self.target, self.deadline.within(LOG_PATIENCE)
        sizes = {"count": count, "length": LOG_LENGTH}
        lines, words = tasks.quote_log(target.definition, target.container, task.id, patience, **sizes)
        return replace(finding, detail=f"{finding.detail}; {words}", values={**finding.values, "log": lines})


def label_of(name: str, command: Optional[Sequence[str]], attempt: int) -> str:
    """What messages call a command: its name, itself on one line, cut if it is long, and which attempt it is."""
    words = " ".join(shlex.join(command or ()).split())
    words = words if len(words) <= LABEL_LENGTH else f"{words[: LABEL_LENGTH - 1]}…"
    label = f"{name} ({words})" if words else name
    return label + (f", attempt {attempt} after an interruption" if attempt > 1 else "")
