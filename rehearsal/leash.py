"""Run a command so that it cannot outlive its owner: `python -I -S leash.py COMMAND ARGUMENT…`.

Standard input is the leash: a pipe whose other end only the owner holds. When the owner lets go of it, or dies
of whatever cause (SIGKILL too), the pipe closes and the command's whole process group is ended, first kindly.
Otherwise this process ends as the command ends, with its exit code (128 + signal, as a shell has it).
It imports little, since one of it runs beside every process of a rehearsal.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False if it is gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        return False
    return True


def start(command: list[str]) -> int:
    """Start the command in a process group of its own; return its process id (127: no such command)."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    try:
        os.execvp(command[0], command)  # noqa: S606  (no shell wanted)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def exit_code(child: int) -> int | None:
    """Return how the child ended, None if it has not."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if not pid:
        return None
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def main(command: list[str]) -> int:
    """Run the command on the leash; return the exit code."""
    # A Ctrl-C in the terminal reaches the owner; the owner decides, and the leash follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ended, on_end = os.pipe()
    os.set_blocking(on_end, False)
    signal.set_wakeup_fd(on_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = start(command)
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if 0 in ready and not os.read(0, 1):
            signal_group(child, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while (code := exit_code(child)) is None and time.monotonic() < deadline:
                time.sleep(0.02)
            signal_group(child, signal.SIGKILL)
            return 128 + signal.SIGKILL if code is None else code
        if ended in ready:
            os.read(ended, 512)
            code = exit_code(child)
            if code is not None:
                signal_group(child, signal.SIGKILL)  # what the command left behind in its group
                return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
