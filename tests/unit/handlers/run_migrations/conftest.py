"""The hook as Lambda invokes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest
import run_migrations as hook

from rehearsal.testing.stage import Relay, Stage
from tests.unit.handlers.run_migrations.helpers import SLOW


@pytest.fixture
def relay(stage: Stage, wall: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch) -> Relay:
    """The hook as Lambda invokes it, with 300 seconds each time: 270 of them for looking."""
    del wall
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(SLOW))
    return Relay(stage, hook, 300)
