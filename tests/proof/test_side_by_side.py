"""Rehearsals side by side: none disturbs another, and one that is killed leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.rehearsal.rehearsal_runs import Run

LIMIT = 600
"""Seconds to wait at most, however slow the machine is."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Run]]:
    """One that is about to be killed, and one beside it."""
    started = tuple(Run(name, report=tmp_path_factory.mktemp(name)) for name in ("healthy", "missing-task-definition"))
    yield started[0], started[1]
    for run in started:
        run.end()


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, young = [], [pid]
    while young:
        young = [child for child, parent in parents if parent in young]
        found += young
    return found


def alive(pids: list[int]) -> list[str]:
    """Return the command lines of those processes that still run; a zombie does not."""
    listed = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [" ".join(row) for row in rows if int(row[0]) in pids and not row[1].startswith("Z")]


def ended_of_themselves(pids: list[int]) -> list[str]:
    """Wait until the processes are gone; return those that are not after a generous while."""
    deadline = time.monotonic() + LIMIT
    while (left := alive(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_killed_rehearsal_leaves_no_process(runs: tuple[Run, Run]) -> None:
    """SIGKILL while its containers and a function run: every process it started ends by itself."""
    doomed, _ = runs
    doomed.wait_for("tasks run")
    # The process that plays, and blue's and green's two containers, each with its leash: the last may be starting.
    deadline = time.monotonic() + LIMIT
    while len(started := descendants(doomed.process.pid)) < 9 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(started) >= 9, f"expected containers and their leashes, found {alive(started)}"
    os.kill(doomed.process.pid, signal.SIGKILL)
    assert ended_of_themselves(started) == []


def test_two_rehearsals_side_by_side(runs: tuple[Run, Run]) -> None:
    """The other one, started while the first ran, ends as it should."""
    _, beside = runs
    assert beside.wait() == 0, beside.output
    assert beside.record("missing-task-definition")["as_expected"]
