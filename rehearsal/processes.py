"""Processes that cannot be left behind: each is held on a leash (see leash.py)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")


class Process:
    """A running command with its output read line by line.

    Args:
        on_line: called with each line of standard output and error, from a thread of its own.
        keep: file descriptors that the command inherits.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        keep: Iterable[int] = (),
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(keep),
        )
        self._on_line = on_line
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as output:
                for line in output:
                    self._on_line(line.decode(errors="replace").rstrip("\r\n"))

    def usage(self) -> tuple[float, int]:
        """Return what the command and all that it started use: seconds of a processor so far, bytes of memory now.

        Both are 0 where there is no /proc to read it from.
        """
        seconds, size = 0.0, 0
        young = [self._process.pid]
        while young:
            folder = Path("/proc") / str(young.pop())
            try:
                # The fields after the name, which may have spaces and brackets in it (man 5 proc_pid_stat).
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                young += map(int, (folder / "task" / folder.name / "children").read_text().split())
            except OSError:  # it has ended
                continue
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            size += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        return seconds, size

    def exit_code(self) -> int | None:
        """Return the exit code, 128 + signal for a signal; None while the command runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds; return the exit code, None if it still runs."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        # What the command wrote last is read before its end is told.
        self._reader.join(1)
        return code

    def end(self) -> None:
        """Let go of the leash: SIGTERM, then SIGKILL, to the command and all that it started."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # the leash has ended with its command already
                self._process.stdin.close()

    def __enter__(self) -> Process:  # noqa: PYI034  (typing.Self is newer than 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.wait(5)


def plain_environment(**extra: str) -> dict[str, str]:
    """Return the environment of a container or a function: nothing of ours in it but what is passed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **extra}
