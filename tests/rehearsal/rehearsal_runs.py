"""A rehearsal as a process, played by the command that a person would give."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1800.0
"""Seconds after which a rehearsal is given up."""


class Run:
    """A rehearsal in a process of its own."""

    def __init__(self, *scenarios: str, report: Path, plan: bool = False, platform: str = "codedeploy") -> None:
        self.report = report
        self._prefix = "" if platform == "codedeploy" else f"{platform}-"
        self.lines: list[str] = []
        command = [
            sys.executable,
            "-m",
            "rehearsal",
            "play",
            *scenarios,
            "--report",
            str(report),
            "--platform",
            platform,
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            command + ["--plan"] * plan,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self.process.stdout is not None:
            with self.process.stdout as output:
                for line in output:
                    self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        """Everything that was printed so far."""
        return "\n".join(self.lines)

    def wait(self) -> int:
        """Wait for the end; return the exit status."""
        code = self.process.wait(LIMIT)
        self._reader.join(5)
        return code

    def wait_for(self, text: str) -> None:
        """Wait until something is printed; fails if the process ends before."""
        deadline = time.monotonic() + LIMIT
        while text not in self.output:
            assert self.process.poll() is None, f"it ended before it printed {text!r}:\n{self.output}"
            assert time.monotonic() < deadline, f"no {text!r} within {LIMIT:.0f} s:\n{self.output}"
            time.sleep(0.05)

    def record(self, scenario: str) -> dict[str, Any]:
        """Return the record of a scenario that was played."""
        path = self.report / f"{self._prefix}{scenario}.json"
        assert path.exists(), f"{scenario} left no record:\n{self.output}"
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return record

    def end(self) -> None:
        """End it, if it still runs."""
        self.process.terminate()
        self.process.wait(30)
