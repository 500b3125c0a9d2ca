"""The stage for tests of handlers: an environment on moto, a clock that never waits, a web server on loopback.

A handler of your own is tested in the same way: copy this folder's `stage.py` and this file, and see
`validate_deployment/test_deployment_looks.py` for the pattern.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import botocore.client
import pytest
from gate import runner
from gate.http_sender import Sender
from gate.names import patterns_of
from gate.waiting import Deadline
from moto import mock_aws

from rehearsal.aws.install import install
from tests.unit.handlers.snapshot import Snapshot
from tests.unit.handlers.stage import ENVIRONMENT, Call, Clock, Judge, Judgement, Stage
from tests.unit.handlers.web import Site

_make_client = boto3.client
# Names of results, beside the hook's own.
RUNNERS_OWN = ("start", "event", "settings", "deployment", "stage", "overrides", "checks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make unit` leaves out."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("smoke") is None:
            item.add_marker("thorough")


@functools.cache
def _client(service: str, region: str | None) -> Any:
    return _make_client(service, region_name=region)  # type: ignore[call-overload]


def _cached_client(service: str, region_name: str | None = None, **_config: Any) -> Any:
    """One client for all tests: making one takes 50 ms, and moto does not mind."""
    return _client(service, region_name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which the handlers wait."""
    clock = Clock()
    monkeypatch.setattr("gate.runtime.Deadline", functools.partial(Deadline, clock=clock.time, sleep=clock.sleep))
    return clock


def _refuse_undeclared_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer of a hook fails the test if one of its results has a name that neither it nor the runner declares."""
    answer_of = runner._Run._answer_of

    def guarded(run: Any, status: str, message: str) -> dict[str, Any]:
        answer = answer_of(run, status, message)
        hook = str(answer["hook"])
        declared = patterns_of(run.gate.names) if run.gate else []
        patterns = [re.sub(r"{\w+}", "?*", pattern) for pattern in [*RUNNERS_OWN, hook, *declared]]
        names = {str(check["name"]) for check in answer["checks"]}
        undeclared = sorted(name for name in names if not any(fnmatchcase(name, each) for each in patterns))
        assert not undeclared, f"{hook} declares no {', '.join(undeclared)}"
        return answer

    monkeypatch.setattr(runner._Run, "_answer_of", guarded)


@functools.cache
def _built() -> tuple[Stage, Snapshot]:
    """A stage that is built once, and what AWS holds then."""
    stage = Stage(Clock())
    return stage, Snapshot()


def make_stage(clock: Clock) -> Stage:
    """A stage that is like new."""
    built, snapshot = _built()
    snapshot.restore()
    return Stage.like(built, clock)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Stage]:
    """An environment with a service and its deployment group, and a record of every AWS call of the handler."""
    install()
    monkeypatch.setattr(boto3, "client", _cached_client)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands of images that nobody looks at
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    _refuse_undeclared_names(monkeypatch)
    with mock_aws():
        stage = make_stage(clock)
        base: Any = botocore.client.BaseClient
        call = base._make_api_call

        within: list[str] = []  # an answer of the test's own, which may ask for the real one: no call of the handler

        def recorded(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
            name = f"{client.meta.service_model.service_name}:{operation}"
            if within:
                return call(client, operation, parameters)
            made = Call(name, parameters, clock.now)
            stage.calls.append(made)

            def answer() -> Any:
                if name not in stage.instead:
                    return call(client, operation, parameters)
                within.append(name)
                try:
                    return stage.instead[name](parameters)
                finally:
                    within.pop()

            return stage.around(made, answer) if stage.around else answer()

        monkeypatch.setattr(base, "_make_api_call", recorded)
        yield stage


@pytest.fixture
def judge(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Run a handler with settings. What it returns and what it reports must always agree."""

    def run(hook: ModuleType, event: Mapping[str, str], **settings: Any) -> Judgement:
        monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
        judgement = Judgement(hook.handler(event, None))
        if "resourceArn" in event:
            assert judgement["hookStatus"] == judgement["status"]
            deployment_id = event["resourceArn"].rpartition("/")[2]
        else:
            assert stage.report() == ("Succeeded" if judgement.succeeded else "Failed")
            deployment_id = event["DeploymentId"]
        assert judgement["hook"] == hook.__name__
        assert judgement["deployment_id"] == deployment_id
        assert "\n" not in judgement.message
        return judgement

    return run


@pytest.fixture
def site(stage: Stage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application, as it answers behind the load balancer's name. Latencies are measured by `clock`."""
    site = Site()
    monkeypatch.setattr("socket.getaddrinfo", site.resolve(stage.dns_name))
    monkeypatch.setattr("gate.traffic.Sender", functools.partial(Sender, clock=clock.time))
    yield site
    site.stop()


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
    """The wall clock of validate_production, of the gate and of CodeDeploy's lifecycle events.

    It goes with `clock`, and is at the beginning of a minute at first: so that of the shift counts.
    """
    start = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    ticks = itertools.count()

    def wall() -> datetime:
        return start + timedelta(seconds=clock.now)

    def epoch() -> float:
        # No two looks at the clock are at the same moment.
        return wall().timestamp() + next(ticks) / 1000

    monkeypatch.setattr("rehearsal.aws.codedeploy.utcnow", lambda: wall().replace(tzinfo=None))
    times = SimpleNamespace(time=epoch, monotonic=time.monotonic, sleep=clock.sleep)
    for module in ("runner", "waiting", "http_sender", "platforms"):
        monkeypatch.setattr(f"gate.{module}.time", times)
    return wall


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
    if "traffic" in request.fixturenames:
        return

    class Arrivals(list[Any]):
        def append(self, arrival: Any) -> None:
            super().append(arrival)
            dimensions = [
                {"Name": "LoadBalancer", "Value": stage.balancer_dimension},
                {"Name": "TargetGroup", "Value": stage.green_group.rpartition(":")[2]},
            ]
            data = {"MetricName": "RequestCount", "Dimensions": dimensions, "Timestamp": now(), "Value": 1}
            stage.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])

    site.requests = Arrivals()
