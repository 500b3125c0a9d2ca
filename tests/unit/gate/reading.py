"""Options classes read one by one, as they are where they stand among a hook's options."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from gate.options.hooks import HOOKS
from gate.options.migrations import RunMigrations
from gate.options.one_off import SmokeTest
from gate.options.production import Metric
from gate.options.requests import Assertion, Flow, HeaderAssertion, Load
from gate.settings import Entry, entries, judge_settings

Document = dict[str, Any]

# What some classes need besides, to be right.
BASES: dict[Any, Document] = {
    Assertion: {"exists": True},
    Flow: {"steps": [{}]},
    Load: {"rate": 1, "duration": 1},
    Metric: {"namespace": "n", "metric_name": "m", "max_worse_percent": 1},
    RunMigrations: {"command": ["a"]},
    HeaderAssertion: {"equals": "a"},
    SmokeTest: {"command": ["a"]},
}


def read(kind: Any, document: Document) -> tuple[Any, list[str]]:
    """What is read into an options class, and all that is wrong with it."""
    options, reading = judge_settings(kind, {"HOOK_SETTINGS": json.dumps(document)}, "x")
    assert (options is None) == bool(reading.problems)
    return options, reading.problems


def problems(kind: Any, **document: Any) -> list[str]:
    return read(kind, {**BASES.get(kind, {}), **document})[1]


def inner(kind: Any) -> Any:
    """What a map or a list holds, or the kind itself."""
    return get_args(kind)[-1 if get_origin(kind) is dict else 0] if get_origin(kind) else kind


def every_option() -> Iterator[tuple[Any, Entry]]:
    """All options of all hooks, each with its class."""
    waiting: list[Any] = list(HOOKS.values())
    for kind in waiting:
        for entry in entries(kind):
            yield kind, entry
            if dataclasses.is_dataclass(inner(entry.kind)) and inner(entry.kind) not in waiting:
                waiting.append(inner(entry.kind))
