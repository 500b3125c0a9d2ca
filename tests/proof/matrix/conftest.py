"""The fixtures and figures of tests/matrix, for all of its set-ups."""

from __future__ import annotations

from tests.matrix.conftest import (
    as_planned,
    certificate,
    clock,
    environment,
    judge,
    now,
    plan,
    play,
    pytest_terminal_summary,
    site,
    stage,
)

__all__ = [
    "as_planned",
    "certificate",
    "clock",
    "environment",
    "judge",
    "now",
    "plan",
    "play",
    "pytest_terminal_summary",
    "site",
    "stage",
]
