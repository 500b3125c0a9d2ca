"""Containers are processes, judged by their own health checks as ECS judges them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal import containers
from rehearsal.aws.world import ContainerSpec, TaskSpec
from rehearsal.containers import Containers
from rehearsal.functions import resolver

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/shop/0123456789abcdef"


class Host:
    """Where one task runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._over = threading.Event()
        self._containers = Containers(folder / "tasks", folder / "images", folder / "data", lambda *_: None)
        self._watching = threading.Thread(target=self._containers.watch, args=(self._over,))

    def start(self, health_check: str) -> None:
        """Start a task whose container runs on and on, and watch it."""
        container = ContainerSpec(
            name="app",
            image="registry/orders:1.0.0",
            command=(sys.executable, "-c", "import time; time.sleep(60)"),
            health_check=("CMD-SHELL", health_check),
        )
        self._containers.start(TaskSpec(TASK, "shop", "orders:1", (container,), "10.0.0.5"))
        self._watching.start()

    def health(self) -> str:
        """Return what the container's health check says."""
        return self._containers.state(TASK).containers["app"].health

    def healths_until(self, last: str) -> list[str]:
        """Return what it says one after the other, until it says `last`."""
        seen = [self.health()]
        deadline = time.monotonic() + 20
        while seen[-1] != last:
            assert time.monotonic() < deadline, f"it never says {last}: {seen}"
            time.sleep(0.01)
            if (health := self.health()) != seen[-1]:
                seen.append(health)
        return seen

    def end(self) -> None:
        """End the task."""
        self._over.set()
        if self._watching.is_alive():
            self._watching.join()
        self._containers.end()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A place for a task, where checks follow each other quickly."""
    monkeypatch.setattr(containers, "FIRST_CHECKS_INTERVAL", 0.02)
    monkeypatch.setattr(containers, "HEALTH_CHECK_INTERVAL", 0.02)
    host = Host(tmp_path)
    yield host
    host.end()


def test_an_image_that_is_gone(tmp_path: Path) -> None:
    """The registry is asked at each start: what was there for one task need not be for the next."""
    there = True
    host = Containers(tmp_path / "tasks", tmp_path / "images", tmp_path / "data", lambda *_: None, lambda _: there)
    container = ContainerSpec(name="app", image="registry/orders:1.0.0", command=("true",))
    states = []
    for number in (1, 2):
        arn = f"{TASK}{number}"
        host.start(TaskSpec(arn, "shop", "orders:1", (container,), "10.0.0.5"))
        while host.state(arn).last_status != "STOPPED":
            time.sleep(0.01)
        states.append(host.state(arn))
        there = False
    pulled, gone = states
    assert (pulled.stop_code, pulled.containers["app"].exit_code) == ("EssentialContainerExited", 0)
    assert (gone.stop_code, gone.containers["app"].exit_code) == ("TaskFailedToStart", None)
    assert gone.stopped_reason == "CannotPullContainerError: registry/orders:1.0.0: not found"


def test_a_slow_start_is_no_failure(host: Host) -> None:
    """UNKNOWN while it starts, however many checks fail, then HEALTHY; after that failures count at once."""
    host.start("test -e data/ready")
    time.sleep(1)
    assert host.health() == "UNKNOWN"
    ready = host.folder / "data" / "ready"
    ready.touch()
    assert host.healths_until("HEALTHY") == ["UNKNOWN", "HEALTHY"]
    ready.unlink()
    assert host.healths_until("UNHEALTHY") == ["HEALTHY", "UNHEALTHY"]


def test_a_start_that_never_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """UNHEALTHY once the start period is over."""
    monkeypatch.setattr(containers, "START_PERIOD", 0.5)
    host.start("exit 1")
    assert host.healths_until("UNHEALTHY") == ["UNKNOWN", "UNHEALTHY"]


def test_names_of_the_vpc(tmp_path: Path) -> None:
    """A container resolves what the VPC's resolver knows: the load balancer's name and port."""
    names = tmp_path / "names.json"
    names.write_text('{"orders.elb.example:8080": 40123}')
    lines: list[str] = []
    host = Containers(
        tmp_path / "tasks",
        tmp_path / "images",
        tmp_path / "data",
        lambda _arn, _group, _stream, written: lines.extend(written),
        resolver=resolver(names),
    )
    asks = "import socket; print(socket.getaddrinfo('orders.elb.example', 8080)[0][4])"
    command = (sys.executable, "-c", asks)
    container = ContainerSpec(name="app", image="registry/orders:1.0.0", command=command, log_group="orders")
    host.start(TaskSpec(TASK, "shop", "orders:1", (container,), "10.0.0.5"))
    while host.state(TASK).last_status != "STOPPED":
        time.sleep(0.01)
    assert lines == ["('127.0.0.1', 40123)"]
