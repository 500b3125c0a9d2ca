"""The rehearsals of the suites of proof: one process plays them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1800.0
"""Seconds after which they are given up."""


def wanted(session: pytest.Session) -> list[str]:
    """Return the plays (`<scenario>@<environment>`) that the selected tests look at, each once."""
    named = [
        str(item.callspec.params["played"])
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "played" in item.callspec.params
    ]
    return list(dict.fromkeys(named))


class Plays:
    """A process that plays; it is started at once, and waited for by who asks for something."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self.folder = folder
        self._output = folder / "output"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.plays", str(folder), *names],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What was printed."""
        return self._output.read_text(encoding="utf-8")

    def record(self, name: str) -> dict[str, Any]:
        """The record of one play, when all of them are over."""
        self._process.wait(LIMIT)
        path = self.folder / f"{name}.json"
        assert path.exists(), f"{name} left no record:\n{self.output}"
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return record

    def page(self, name: str) -> str:
        """Its page."""
        return (self.folder / f"{name}.html").read_text(encoding="utf-8")

    def log(self, name: str) -> str:
        """All that its functions logged, as CloudWatch has it."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def end(self) -> None:
        """End it, if it still runs."""
        self._process.terminate()
        self._process.wait(30)
