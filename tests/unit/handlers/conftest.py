"""The fixtures of the handlers' tests: those of `rehearsal.testing`, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rehearsal.testing import harness
from rehearsal.testing.harness import make_stage
from rehearsal.testing.stage import Clock, Judge, Judgement, Stage
from rehearsal.testing.web import Site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make unit` leaves out."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("smoke") is None:
            item.add_marker("thorough")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which the handlers wait."""
    return harness.waitless(monkeypatch)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Stage]:
    """An environment with a service and its deployment group, and a record of every AWS call of the handler."""
    with harness.staged(monkeypatch, clock, make_stage) as stage:
        yield stage


@pytest.fixture
def judge(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Run a handler with settings. What it returns and what it reports must always agree."""

    def run(hook: ModuleType, event: Mapping[str, str], **settings: Any) -> Judgement:
        return harness.judge(stage, monkeypatch, hook, event, **settings)

    return run


@pytest.fixture
def site(stage: Stage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application, as it answers behind the load balancer's name. Latencies are measured by `clock`."""
    with harness.served(monkeypatch, stage, clock) as site:
        yield site


@pytest.fixture
def wall(now: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch) -> Callable[[], datetime]:
    """The same wall clock for run_migrations, and for the tasks that ECS runs."""

    class WallClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> WallClock:
            return cls.fromtimestamp(now().timestamp(), tz)

    monkeypatch.setattr("gate.tasks.datetime", WallClock)
    monkeypatch.setattr("rehearsal.aws.ecs_tasks.utcnow", lambda: now().replace(tzinfo=None))
    return now


@pytest.fixture
def now(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[], datetime]:
    """The wall clock of validate_production, of the gate and of CodeDeploy's lifecycle events."""
    return harness.wall_clock(monkeypatch, clock)


@pytest.fixture
def traffic(stage: Stage, now: Callable[[], datetime]) -> Callable[..., None]:
    """Publish what the load balancer counted on a target group, so many seconds from now."""

    def publish(
        group: str = "",
        *,
        requests: int = 200,
        errors: int = 0,
        unreachable: int = 0,
        rejected: int = 0,
        seconds: tuple[float, ...] = (0.02,),
        unhealthy: int | None = None,
        at: float = 0,
    ) -> None:
        group = group or stage.green_group
        dimensions = [
            {"Name": "LoadBalancer", "Value": stage.balancer_dimension},
            {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
        ]
        values: list[tuple[str, float]] = [("TargetResponseTime", value) for value in seconds if requests]
        values += [("RequestCount", requests)] if requests else []
        values += [("HTTPCode_Target_5XX_Count", errors)] if errors else []  # AWS publishes neither at 0
        values += [("TargetConnectionErrorCount", unreachable)] if unreachable else []
        values += [] if unhealthy is None else [("UnHealthyHostCount", unhealthy)]
        moment = now() + timedelta(seconds=at)
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": value}
            for name, value in values
        ]
        if rejected:  # by the load balancer, before there was a target group
            name = "RejectedConnectionCount"
            data.append({"MetricName": name, "Dimensions": dimensions[:1], "Timestamp": moment, "Value": rejected})
        stage.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)

    return publish


@pytest.fixture
def counted(request: pytest.FixtureRequest, stage: Stage, site: Site, now: Callable[[], datetime]) -> None:
    """Where a test does not say by `traffic` what the load balancer counted, that is what the hook itself sent."""
    if "traffic" not in request.fixturenames:
        harness.count_requests(stage, site, now)
