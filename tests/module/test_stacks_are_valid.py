"""tests/stacks/: each root calls the module, and its expected.toml can be read by whoever rehearses it.

That Terraform takes a root is seen when it is rehearsed; to start it for each of them here would take minutes.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.scenarios import HOOKS
from tests.module.conftest import ROOT

# Before Python 3.11 pytest brings its own.
TOML: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

STACKS = sorted(path for path in (ROOT / "tests" / "stacks").iterdir() if path.is_dir())
NAMES = [path.name for path in STACKS]
# Handlers that run at an event or a stage, by platform.
STAGES = {
    "codedeploy": {name: hook for name, hook in HOOKS.items() if not name.isupper()},
    "ecs": {name: hook for name, hook in HOOKS.items() if name.isupper()},
}
FAILURES = {"unhealthy", "failing-migration", "alarm", "slow", "wrong-version"}
WHO_STOPS = {*HOOKS.values(), "platform", "nothing"}

every_stack = pytest.mark.parametrize("stack", STACKS, ids=NAMES)


def read_expected(stack: Path) -> dict[str, Any]:
    """Return what a stack's expected.toml says."""
    expected: dict[str, Any] = TOML.loads((stack / "expected.toml").read_text(encoding="utf-8"))
    return expected


def read_configuration(stack: Path) -> str:
    """Return all of a stack's Terraform, its own modules too, in one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(stack.rglob("*.tf")))


def test_there_are_stacks() -> None:
    """A dozen at least, of both platforms; a few are marked as quick, and each failure is let through somewhere."""
    expected = [read_expected(stack) for stack in STACKS]
    assert len(STACKS) >= 12
    assert {each["platform"] for each in expected} == {"codedeploy", "ecs"}
    assert 2 <= sum((stack / "quick").exists() for stack in STACKS) <= 3
    services = [service for each in expected for service in each["services"].values()]
    tables = [service["scenarios"] for service in services if "scenarios" in service]
    assert {failure for table in tables for failure, who in table.items() if who == "nothing"} == FAILURES


@every_stack
def test_the_root_calls_the_module(stack: Path) -> None:
    """By the name and the source that the rehearsal looks for; with a provider that the platform's services need."""
    text = read_configuration(stack)
    call = re.search(r'^module "lambda" \{\n  source +=  *"\.\./\.\./\.\."$', text, re.MULTILINE)
    assert call, "no module call"
    native = read_expected(stack)["platform"] == "ecs"
    assert ('callers          = ["ecs"]' in text) is native
    provider = ">= 6.21" if "CANARY" in text else ">= 6.14" if native else "~> 5.100"
    assert re.findall(r'^ +version = "([>~].*)"', text, re.MULTILINE) == [provider]
    first = (stack / "main.tf").read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("# Seen "), "the first line says in which stacks the shape was seen"


@every_stack
def test_what_is_left_out_is_there(stack: Path) -> None:
    """Each type in `left_out` has a resource in the stack."""
    types = set(re.findall(r'^resource "(\w+)"', read_configuration(stack), re.MULTILINE))
    assert set(read_expected(stack)["left_out"]) <= types


@every_stack
def test_what_is_expected_can_be_read(stack: Path) -> None:
    """Known keys; checks, events and hooks that there are; a reason for whatever is stopped."""
    expected = read_expected(stack)
    assert expected.keys() == {"platform", "left_out", "services"}
    text = read_configuration(stack) + "".join(path.read_text() for path in stack.glob("*.tfvars"))
    for name, service in expected["services"].items():
        assert all(part in text for part in name.split("-")), f"no service {name}"
        judge_service(service, STAGES[expected["platform"]])


def judge_service(service: Mapping[str, Any], stages: Mapping[str, str]) -> None:
    """Assert that one service's table is whole: `stages` are the handlers by event or stage."""
    if service["outcome"] == "passes":
        assert service.keys() - {"says"} == {"outcome", "scenarios"}
        assert service["scenarios"].keys() == FAILURES
        assert set(service["scenarios"].values()) <= WHO_STOPS
    else:
        assert service.keys() == {"outcome", "stopped_at", "check", "says"}
        assert service["outcome"] == "stopped"
        checks = json.loads((ROOT / "dist" / "manifest.json").read_text(encoding="utf-8"))["checks"]
        assert service["check"] in checks[stages[service["stopped_at"]]]
    assert all(service.get("says", ["-"]))


def test_the_readme_lists_each_root() -> None:
    """In the order of the reader, with the outcome that expected.toml has."""
    text = (ROOT / "tests" / "stacks" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| (\S.*) \|$", text, re.MULTILINE))
    assert sorted(rows) == NAMES
    for stack in STACKS:
        for service in read_expected(stack)["services"].values():
            said = f"**stopped**: `{service['check']}`" if service["outcome"] == "stopped" else "passes"
            assert rows[stack.name].startswith(said)
