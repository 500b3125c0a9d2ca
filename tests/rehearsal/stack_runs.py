"""Stacks rehearsed by the command that a person would give, and compared with what was expected of them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TOML: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
ROOT = Path(__file__).resolve().parents[2]
STACKS = ROOT / "tests" / "stacks"
LIMIT = 3600.0
"""Seconds after which a rehearsal is given up."""


def names(*, quick: bool = False) -> list[str]:
    """The stacks that there are; `quick`: those of every run of the tests."""
    found = [path.parent for path in sorted(STACKS.glob("*/expected.toml"))]
    return [folder.name for folder in found if not quick or (folder / "quick").exists()]


def expected_of(name: str) -> dict[str, Any]:
    """What a stack's rehearsal has to say."""
    expected: dict[str, Any] = TOML.loads((STACKS / name / "expected.toml").read_text(encoding="utf-8"))
    return expected


def rehearse(root: Path, report: Path, *further: str) -> tuple[int, str, dict[str, Any]]:
    """Rehearse a stack; return the exit status, what was printed, and the report."""
    values = root / "vars.tfvars"
    variables = ["--vars", str(values)] if values.is_file() else []
    command = [sys.executable, "-m", "rehearsal.stacks", str(root), *variables, "--report", str(report), *further]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    path = report / "stack.json"
    assert path.is_file(), done.stdout + done.stderr
    return done.returncode, done.stdout, json.loads(path.read_text(encoding="utf-8"))


def differences(expected: Mapping[str, Any], output: str, found: Mapping[str, Any]) -> list[str]:
    """Where a stack's rehearsal says something else than was expected."""
    wrong = []
    if sorted(expected["left_out"]) != found["types_left_out"]:
        wrong.append(f"left out: expected {sorted(expected['left_out'])}, found {found['types_left_out']}")
    services = {service["service"]: service for service in found["services"]}
    if set(services) != set(expected["services"]):
        wrong.append(f"services: expected {sorted(expected['services'])}, found {sorted(services)}")
    for name in expected["services"].keys() & services.keys():
        wrong += [f"{name}: {each}" for each in _of_service(expected, name, services[name], output)]
    return wrong


def _of_service(expected: Mapping[str, Any], name: str, found: Mapping[str, Any], output: str) -> Iterator[str]:
    wanted = expected["services"][name]
    for what, word in (("platform", expected["platform"]), ("outcome", wanted["outcome"])):
        if found[what] != word:
            yield f"{what}: expected {word}, found {found[what]} ({found['wrong']})"
    healthy = found["cases"].get("healthy", {})
    if wanted.get("stopped_at") and healthy.get("stopped_at") != wanted["stopped_at"]:
        yield f"stopped at: expected {wanted['stopped_at']}, found {healthy.get('stopped_at')}"
    if wanted.get("check") and not any(each.startswith(f"{wanted['check']}:") for each in found["wrong"]):
        yield f"check: expected {wanted['check']}, found {found['wrong']}"
    plain = " ".join(output.split())
    for text in wanted.get("says", []):
        if " ".join(text.split()) not in plain:
            yield f"says: expected {text!r}, found {found['wrong']}"
    for case, by in wanted.get("scenarios", {}).items():
        if found["scenarios"].get(case) != by:
            why = found["cases"].get(case, {}).get("why", "not played")
            yield f"{case}: expected {by}, found {found['scenarios'].get(case)} ({why})"
