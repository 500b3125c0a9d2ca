"""Runs Terraform in a folder, and reads what it says in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.processes import Process
from tools.terraform import find_terraform

Progress = Callable[[str], None]


class TerraformFailed(Exception):
    """Terraform ended with an error; the message has what it said."""


@dataclass(frozen=True)
class Problem:
    """An error that Terraform told."""

    address: str
    """Of the resource, data source or module that it is about; empty where it is about none."""
    said: str

    @property
    def type(self) -> str:
        """The resource's type, of a data source `data.<type>`; empty where it is about none."""
        match = re.search(r"(?:^|\.)(data\.)?([a-z]\w*)\.[\w-]+(?:\[[^\]]*\])?$", self.address)
        return f"{match[1] or ''}{match[2]}" if match and match[2] not in ("module", "data") else ""

    def __str__(self) -> str:
        return f"{self.address}: {self.said}" if self.address else self.said


class Terraform:
    """One working folder.

    Args:
        folder: the root module.
        environment: all environment variables of Terraform.
        progress: told, in a line, of each resource that is there.
        arguments: what `apply` and `plan` are given further, such as a file of variables.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], progress: Progress, arguments: Sequence[str] = ()
    ) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._progress, self._arguments = progress, list(arguments)
        self.resources = 0
        """How many it has made."""

    def init(self) -> None:
        """Install providers and modules; raises TerraformFailed."""
        self._checked("init", "-no-color", "-input=false")

    def apply(self) -> list[Problem]:
        """Make what is not there yet; return what went wrong."""
        wanted = self.resources
        problems: dict[Problem, None] = {}

        def read(line: str) -> None:
            nonlocal wanted
            try:
                message = json.loads(line)
            except ValueError:
                problems[Problem("", line)] = None
                return
            kind = message.get("type")
            if kind == "planned_change" and message["change"]["action"] == "create":
                wanted += 1
            elif kind == "apply_complete" and message["hook"]["action"] == "create":
                self.resources += 1
                address = message["hook"]["resource"]["addr"]
                self._progress(f"applied {self.resources:>3} of {wanted}: {address}")
            elif kind == "diagnostic" and message.get("@level") == "error":
                problems[_problem(message["diagnostic"])] = None

        arguments = ("apply", "-auto-approve", "-json", "-input=false", "-parallelism=20", *self._arguments)
        if self._run(read, *arguments) == 0:
            return []
        return list(problems) or [Problem("", "terraform apply failed, and did not say why")]

    def outputs(self) -> dict[str, Any]:
        """Return the outputs; raises TerraformFailed."""
        answer = json.loads("\n".join(self._checked("output", "-json")))
        return {name: output["value"] for name, output in answer.items()}

    def require_empty_plan(self) -> None:
        """Plan again; raises TerraformFailed if there is something to change."""
        lines: list[str] = []
        arguments = ("plan", "-detailed-exitcode", "-no-color", "-input=false", *self._arguments)
        if self._run(lines.append, *arguments) != 0:
            raise TerraformFailed("the second plan is not empty:\n" + "\n".join(lines))

    def forget(self, types: Sequence[str]) -> None:
        """Take from the state what is no longer declared, by type, so that nobody tries to destroy it."""
        known = self._checked("state", "list")
        gone = [line for line in known if any(re.search(rf"(^|\.){re.escape(kind)}\.", line) for kind in types)]
        if gone:
            self._checked("state", "rm", *gone)

    def _checked(self, *arguments: str) -> list[str]:
        lines: list[str] = []
        if self._run(lines.append, *arguments) != 0:
            raise TerraformFailed(f"terraform {arguments[0]} failed:\n" + "\n".join(lines))
        return lines

    def _run(self, on_line: Callable[[str], None], *arguments: str) -> int | None:
        program, _ = find_terraform()
        command = [program, *arguments]
        with Process(command, folder=self._folder, environment=self._environment, on_line=on_line) as process:
            return process.wait()


def _problem(diagnostic: Mapping[str, Any]) -> Problem:
    said = f"{diagnostic['summary']}: {diagnostic.get('detail', '')}".rstrip(": ")
    place = diagnostic.get("range") or {}
    where = f"{place['filename']} line {place['start']['line']}: " if place else ""
    address = str(diagnostic.get("address") or "")
    return Problem(address, said if address else f"{where}{said}")
