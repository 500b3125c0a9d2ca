"""Nothing that is held on a leash outlives its owner."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from rehearsal.processes import LEASH, Process, plain_environment


def run(*command: str) -> tuple[int | None, list[str]]:
    """Run a command to its end; return its exit code and what it wrote."""
    lines: list[str] = []
    with Process(command, folder=Path.cwd(), environment=plain_environment(), on_line=lines.append) as process:
        code = process.wait()
    return code, lines


def test_exit_code_and_output() -> None:
    """A command's exit code is its own, and every line of it is read before its end is told."""
    code, lines = run("sh", "-c", "echo one; echo two >&2; exit 3")
    assert (code, sorted(lines)) == (3, ["one", "two"])


def test_a_signal_shows_in_the_exit_code() -> None:
    """As ECS has it: 137 for SIGKILL."""
    assert run("sh", "-c", "kill -9 $$")[0] == 137


def test_an_unknown_command() -> None:
    """127, as from a shell, with the command's name."""
    code, lines = run("no-such-command")
    assert code == 127
    assert lines == ["no-such-command: No such file or directory"]


def test_the_whole_group_ends_when_the_pipe_closes() -> None:
    """The command's own children end too; the leash says how the command ended."""
    # The grandchild holds standard output: read() returns only when it is gone as well.
    script = "sleep 1000 & echo started; wait"
    leash = subprocess.Popen(
        [sys.executable, "-I", "-S", str(LEASH), "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert leash.stdin is not None
    assert leash.stdout is not None
    assert leash.stdout.readline() == b"started\n"
    leash.stdin.close()
    assert leash.stdout.read() == b""
    leash.stdout.close()
    assert leash.wait(30) == 143


def test_a_command_deaf_to_sigterm_is_killed() -> None:
    """SIGKILL follows."""
    lines: list[str] = []
    script = "trap '' TERM; echo started; while :; do sleep 0.05; done"
    with Process(
        ["sh", "-c", script], folder=Path.cwd(), environment=plain_environment(), on_line=lines.append
    ) as process:
        while not lines:
            assert process.exit_code() is None
        process.end()
        assert process.wait(30) == 137


def test_what_a_process_uses() -> None:
    """Its own and that of whatever it has started, the leash included; nothing where there is no /proc."""
    command = [sys.executable, "-c", "while True: pass"]
    with Process(command, folder=Path.cwd(), environment=plain_environment(), on_line=print) as process:
        if not Path("/proc/self/stat").exists():
            assert process.usage() == (0.0, 0)
            return
        deadline = time.monotonic() + 20
        while process.usage()[0] < 0.2:
            assert time.monotonic() < deadline, f"it works, and uses {process.usage()}"
            time.sleep(0.05)
        # Two interpreters.
        assert process.usage()[1] > 2 * 2**20
