"""Fixtures of this hook's tests, beside those of the stage."""

from __future__ import annotations

import functools

import pytest
from gate.load import send_load

from rehearsal.testing.stage import Clock, Stage
from tests.unit.handlers.validate_production.helpers import Function


@pytest.fixture
def function(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Function:
    """The hook's own function."""
    return Function(stage, monkeypatch)


@pytest.fixture
def load_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load's seconds are the test's."""
    timed = functools.partial(send_load, clock=clock.time, sleep=clock.sleep)
    monkeypatch.setattr("validate_production.send_load", timed)
