"""What every test starts from: an environment of its own, and none of the machine's AWS."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, configuration, settings

from rehearsal.testing import harness
from rehearsal.testing.harness import REGION

__all__ = ["REGION"]

# The same examples on every machine, however slow it is, and no files of its own among the sources.
configuration.set_hypothesis_home_dir(Path(__file__).resolve().parent.parent / ".build" / "hypothesis")
settings.register_profile(
    "project", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("project")

# botocore's models and moto are many objects that stay: to search them for garbage as often as Python does by default
# takes a fifth of a test's time.
gc.set_threshold(100_000, 20, 100)

# The fixtures that start a rehearsal (tests/rehearsal/conftest.py).
REHEARSALS = {"rehearsal", "beside", "doomed"}


def pytest_configure(config: pytest.Config) -> None:
    """Note what handlers ask of IAM, in every run; and print the figures of the matrix, if it ran."""
    from tests.matrix import figures
    from tests.recording import NAME, Recording

    config.pluginmanager.register(Recording(config), NAME)
    config.pluginmanager.register(figures, "figures of the matrix")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rehearsals first: they play in processes of their own, and while one worker waits the others go on."""
    items.sort(key=lambda item: not REHEARSALS.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake credentials and a region, nothing else of AWS; clients made before are forgotten."""
    with harness.clean_environment(monkeypatch):
        yield
