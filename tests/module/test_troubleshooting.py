"""docs/troubleshooting.md speaks of what the hooks say: each message that it quotes stands in lambdas/.

And so do those that README.md and docs/design.md quote. What AWS says is quoted as AWS says it.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate.options.hooks import HOOKS

from rehearsal import native_scenarios, scenarios
from tests.module.pages import PAGES, blocks
from tests.module.test_permissions import OF_EVERY_HOOK
from tools.offline import ROOT

PAGE = PAGES["docs/troubleshooting.md"]
SECTIONS = {title: text for title, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}
OF_MESSAGES = (
    *("Any hook", "validate_before_install", "validate_deployment"),
    *("Requests: validate_test_traffic and validate_production", "run_migrations", "validate_production"),
)
LEAST = 8
"""Characters of a part of a message that tell where it comes from."""


def _texts(path: Path) -> Iterator[str]:
    """The texts that a source file writes, with `…` for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


TEXTS = [text for path in sorted((ROOT / "lambdas").rglob("*.py")) for text in _texts(path)]


def stands(message: str) -> bool:
    """Whether the hooks say it: one text has all of it, or each longer part of it is in some text."""
    parts = [part.strip(" ;:,()") for part in message.split("…")]
    whole = re.compile(".*?".join(map(re.escape, parts)), re.DOTALL)
    telling = [part for part in parts if len(part) >= LEAST] or [max(parts, key=len)]
    return any(whole.search(text) for text in TEXTS) or all(any(part in text for text in TEXTS) for part in telling)


def rows(text: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    """What stands in a cell's code spans."""
    return [text.strip() for _, text in re.findall(r"(`+)(.+?)\1", cell)]


MESSAGES = [message for title in OF_MESSAGES for cells in rows(SECTIONS[title]) for message in quoted(cells[0])]
EXCEPTIONS = PAGES["docs/design.md"].partition("\n## The exceptions\n")[2].partition("\n### ")[0]
MESSAGES += [message for cells in rows(EXCEPTIONS) for message in quoted(cells[3]) if message != "<name>"]

PLAYED = re.findall(r"`(?:make rehearse )?(PLATFORM=ecs )?SCENARIO=([\w-]+)`", PAGE)
PLATFORMS = (("codedeploy", False), ("ecs", True))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one_that_the_hooks_say(message: str) -> None:
    """Whoever changes it in lambdas/ changes the page too."""
    assert stands(message)


def test_no_other_message_would_stand() -> None:
    """The rule above finds what nobody says."""
    assert len(MESSAGES) > 90
    for message in ("alarm … does not exits", "image … is in ECR of …, drop it", "green tasks … are unhappy"):
        assert not stands(message)


def test_every_scenario_that_a_hook_stops_is_named() -> None:
    """A failure that can be played is found by its message; none is named that is not there."""
    named = {platform: {name for where, name in PLAYED if bool(where) is ecs} for platform, ecs in PLATFORMS}
    for platform, of in (("codedeploy", scenarios.SCENARIOS), ("ecs", native_scenarios.SCENARIOS)):
        stopped = {each.name for each in of if each.expected.stopped_at}
        assert stopped <= named[platform] <= {each.name for each in of}, platform


def test_the_excerpt_is_what_the_rehearsal_plays() -> None:
    """The README shows the scenario's verdict, with the texts that the player expects of it."""
    section = PAGES["README.md"].partition("\n## A stopped deployment\n")[2].partition("\n## ")[0]
    (line,) = blocks("json", section)
    verdict = json.loads(line)
    expected = scenarios.find("unhealthy").expected
    assert verdict["event"] == expected.stopped_at
    assert (verdict["level"], verdict["status"], verdict["hook"]) == ("ERROR", "FAILED", "validate_deployment")
    assert all(text in verdict["message"] for text in expected.message)
    assert verdict["message"].startswith("FAILED: ")


def test_each_hook_has_the_endpoints_of_what_it_calls() -> None:
    """In a VPC: those of the actions that its checks declare; that of events, which are off there, beside the table."""
    endpoints = {"cloudwatch": "monitoring", "ecr": "ecr.api"}
    page = PAGES["docs/operations.md"].partition("\n## Inside a VPC\n")[2].partition("\n## ")[0]
    named = {cells[0].strip("`"): set(quoted(cells[1])) - {"secret_headers", "smoke_test"} for cells in rows(page)}
    assert list(named) == list(HOOKS)
    assert "With `send_events = true` all five functions need the endpoint `events` too." in page
    for hook in HOOKS:
        handler = importlib.import_module(hook).handler
        calls = {*OF_EVERY_HOOK, *handler.calls, *(call for each in handler.names for call in each.calls)}
        services = {call.partition(":")[0] for call in calls} - {"iam", "kms", "events"}
        assert named[hook] == {endpoints.get(service, service) for service in services}, hook
