"""What every test starts from: an environment of its own, and none of the machine's AWS."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, configuration, settings

# The line by which a stack's own tests get the fixture `deployment` (docs/testing.md), here too.
pytest_plugins = ["rehearsal.testing"]

# The same examples on every machine, however slow it is, and no files of its own among the sources.
configuration.set_hypothesis_home_dir(Path(__file__).resolve().parent.parent / ".build" / "hypothesis")
settings.register_profile(
    "project", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("project")

# botocore's models and moto are many objects that stay: to search them for garbage as often as Python does by default
# takes a fifth of a test's time.
gc.set_threshold(100_000, 20, 100)

# The fixtures that start a rehearsal (conftest.py of tests/rehearsal and of tests/proof, test_side_by_side.py).
REHEARSALS = {"rehearsal", "native_rehearsal", "plays", "runs"}


def pytest_configure(config: pytest.Config) -> None:
    """Note what handlers ask of IAM, in every run; and print the figures of the matrix, if it ran."""
    from tests import shipped
    from tests.matrix import figures
    from tests.recording import NAME, Recording

    config.pluginmanager.register(Recording(config), NAME)
    config.pluginmanager.register(figures, "figures of the matrix")
    config.pluginmanager.register(shipped, "what is shipped")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The rehearsals first: they play in processes of their own, and while one worker waits the others go on."""
    from tests import shipped

    shipped.leave_out(config, items)
    items.sort(key=lambda item: not REHEARSALS.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def clean_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake credentials and a region, nothing else of AWS; and of the handlers, what is shipped."""
    from rehearsal.testing import harness
    from tests import shipped

    if shipped.OWN_TESTS not in request.node.path.parents:
        shipped.without_own_checks(monkeypatch)
    with harness.clean_environment(monkeypatch):
        yield
