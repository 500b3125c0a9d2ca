"""What every test starts from: an environment of its own, and none of the machine's AWS."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate import aws
from hypothesis import HealthCheck, configuration, settings

# The same examples on every machine, however slow it is, and no files of its own among the sources.
configuration.set_hypothesis_home_dir(Path(__file__).resolve().parent.parent / ".build" / "hypothesis")
settings.register_profile(
    "project", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("project")

# botocore's models and moto are many objects that stay: to search them for garbage as often as Python does by default
# takes a fifth of a test's time.
gc.set_threshold(100_000, 20, 100)

REGION = "eu-west-1"

# The fixtures that start a rehearsal (tests/rehearsal/conftest.py).
REHEARSALS = {"rehearsal", "beside", "doomed"}

# What would lead a test to somebody's account, through somebody's proxy, or by somebody's certificates.
_PREFIXES = ("AWS_",)
_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}
# What a hook function reads; a test sets its own.
_HOOK = {"APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS"}


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
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.upper() in _NAMES | _HOOK:
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    aws.try_again()
    yield
    aws.client.cache_clear()
    aws.try_again()
