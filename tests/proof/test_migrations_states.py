"""Migrations in any order of events and faults: more runs than every run of the tests plays."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.handlers.run_migrations.test_migrations_states import Migrations


def test_whatever_comes_there_is_one_migration_and_one_verdict() -> None:
    """See there."""
    run_state_machine_as_test(Migrations, settings=settings(max_examples=300, stateful_step_count=25))  # type: ignore[no-untyped-call]
