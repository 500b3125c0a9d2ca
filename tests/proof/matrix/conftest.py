"""The fixtures of tests/matrix, for all of its set-ups."""

from __future__ import annotations

from tests.matrix.conftest import (
    as_planned,
    certificate,
    clock,
    environment,
    fronted,
    judge,
    native_play,
    now,
    plan,
    play,
    site,
    stage,
)

__all__ = [
    "as_planned",
    "certificate",
    "clock",
    "environment",
    "fronted",
    "judge",
    "native_play",
    "now",
    "plan",
    "play",
    "site",
    "stage",
]
