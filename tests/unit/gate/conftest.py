"""A CodeDeploy on loopback, a hook's environment, web servers, and a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from gate.waiting import Deadline

from tests.unit.gate.codedeploy_server import CodeDeploy
from tests.unit.gate.web_server import Certificates, WebServer, make_certificates

NAME = "shop.example.com"  # what the certificates of `secure` are for


@pytest.fixture(scope="session")
def codedeploy_server() -> Iterator[CodeDeploy]:
    """One server for all tests."""
    server = CodeDeploy()
    yield server
    server.close()


@pytest.fixture
def codedeploy(codedeploy_server: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> CodeDeploy:
    """CodeDeploy with the test's deployment in progress, and the environment of the hook that watches it."""
    codedeploy_server.reset()
    for name, value in {
        "AWS_ENDPOINT_URL": codedeploy_server.url,
        "APP_NAME": "shop",
        "ENVIRONMENT": "test",
        "ECS_CLUSTER": "main",
        "ECS_SERVICE": "web",
        "HOOK_SETTINGS": "{}",
    }.items():
        monkeypatch.setenv(name, value)
    return codedeploy_server


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The gate's time: deadlines, polls and the retries of the report sleep without waiting; boto3's too."""
    clock = Clock()
    time = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep, time=clock.monotonic)
    for module in ("aws", "runner", "runtime", "waiting", "platforms", "platforms.codedeploy"):
        monkeypatch.setattr(f"gate.{module}.time", time)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    monkeypatch.setattr(Deadline.__init__, "__defaults__", (clock.monotonic, clock.sleep))
    return clock


def soon(seconds: float = 600) -> Deadline:
    """A deadline on a clock on which nobody waits."""
    clock = Clock()
    return Deadline(seconds, clock.monotonic, clock.sleep)


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A server that answers /health with 200."""
    server = WebServer(routes={"/health": lambda request: request.answer()})
    yield server
    server.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority nobody knows, and its certificate for one name."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[WebServer]:
    """The same with that certificate."""
    server = WebServer(certificates, routes={"/health": lambda request: request.answer()})
    yield server
    server.close()
