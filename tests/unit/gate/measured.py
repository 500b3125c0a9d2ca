"""What CloudWatch could have measured, minute by minute, and options to judge it by: for tests without AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from gate.figures import OwnRequests, Series, TrafficFigures, Window, judge_traffic
from gate.options.production import ValidateProduction
from gate.settings import read_settings
from gate.verdict import Finding

START = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
EPOCH_MINUTE = int(START.timestamp() // 60)
COUNTS = ("requests", "errors", "connection_errors", "unhealthy_hosts", "rejected_connections")
NAMES = (*COUNTS, "p50", "p90", "p95", "p99", "max", "cpu", "memory")


def at(seconds: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


def series(*values: float, first: int = 0) -> Series:
    """One value a minute, from the minute `first` on."""
    return {at(60 * (first + number)): value for number, value in enumerate(values)}


def figures(*minutes: Mapping[str, float], first: int = 0) -> TrafficFigures:
    """What was measured in each minute; a name that is not there was not published. Latencies in seconds."""
    published = {
        name: {
            at(60 * (first + number)): float(minute[name]) for number, minute in enumerate(minutes) if name in minute
        }
        for name in NAMES
    }
    return TrafficFigures(published)


def options(**document: Any) -> ValidateProduction:
    """The hook's options, as the module sends them."""
    return read_settings(ValidateProduction, {"HOOK_SETTINGS": json.dumps(document)}, "x")


def window(shifted_at: float = 0, began: float = 0, **document: Any) -> Window:
    """A bake of five minutes without a settle time, if not told otherwise."""
    return Window(options(**{"initial_delay": 0, "duration": 300, **document}), at(shifted_at), at(began))


def no_blue() -> TrafficFigures:
    """Blue's figures, where nobody may ask for them."""
    raise AssertionError("blue's figures are not needed")


def judged(
    *minutes: Mapping[str, float],
    blue: TrafficFigures | None = None,
    own: OwnRequests | None = None,
    now: float = 300,
    network: bool = False,
    **document: Any,
) -> dict[str, Finding]:
    """The findings about green's figures, by name."""
    findings = judge_traffic(
        figures(*minutes),
        window(**document),
        own or OwnRequests(),
        at(now),
        group="shop-green",
        network=network,
        blue=no_blue if blue is None else lambda: blue,
    )
    found = {str(finding.name): finding for finding in findings}
    assert len(found) == len(findings)
    return found
