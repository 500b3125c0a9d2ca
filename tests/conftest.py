"""What every test starts from: an environment of its own, and none of the machine's AWS."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`: the workers share the tests in our way, in our order."""
    from tests.workers import Schedule

    config.option.loadscopereorder = False
    return Schedule(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: the longest first. Without workers the order stays that of the files."""
    if hasattr(config, "workerinput"):
        from tests.workers import begin_with_the_longest

        begin_with_the_longest(items)


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
    aws.forget()
    yield
    aws.forget()
