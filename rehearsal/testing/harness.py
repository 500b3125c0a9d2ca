"""What a test of a handler stands on: moto with the stand-in over it, a clock that nobody waits for, a web server.

Each function takes pytest's `monkeypatch`, by which all ends with the test. `rehearsal.testing` makes one fixture of
them all; the tests of this repository take them one by one.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import botocore.client
import pytest
from gate import aws, runner
from gate.http_sender import Sender
from gate.names import patterns_of
from gate.waiting import Deadline
from moto import mock_aws

from rehearsal.aws.install import install
from rehearsal.testing.snapshot import Snapshot
from rehearsal.testing.stage import ENVIRONMENT, Call, Clock, Judgement, Stage
from rehearsal.testing.web import Request, Site

REGION = "eu-west-1"
_make_client = boto3.client
# Names of results, beside the hook's own.
RUNNERS_OWN = ("start", "event", "settings", "deployment", "stage", "overrides", "checks")
# What would lead a test to somebody's account, through somebody's proxy, or by somebody's certificates.
_PREFIXES = ("AWS_",)
_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}
# What a hook function reads; a test sets its own.
_HOOK = {"APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE", "HOOK_SETTINGS"}


@contextmanager
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


@functools.cache
def _client(service: str, region: str | None) -> Any:
    return _make_client(service, region_name=region)  # type: ignore[call-overload]


def _cached_client(service: str, region_name: str | None = None, **_config: Any) -> Any:
    """One client for all tests: making one takes 50 ms, and moto does not mind."""
    return _client(service, region_name)


def waitless(monkeypatch: pytest.MonkeyPatch) -> Clock:
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


@contextmanager
def staged(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, make: Callable[[Clock], Stage] = make_stage
) -> Iterator[Stage]:
    """An environment with a service and its deployment group, and a record of every AWS call of the handler."""
    install()
    monkeypatch.setattr(boto3, "client", _cached_client)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands of images that nobody looks at
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    _refuse_undeclared_names(monkeypatch)
    with mock_aws():
        stage = make(clock)
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


def judge(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, hook: ModuleType, event: Mapping[str, str], **options: Any
) -> Judgement:
    """Run a handler with options. What it returns and what it reports must always agree."""
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(options))
    judgement = Judgement(hook.handler(event, None))
    if "resourceArn" in event:
        judgement.report = str(judgement["hookStatus"])
        assert judgement.report == judgement["status"]
        deployment_id = event["resourceArn"].rpartition("/")[2]
    else:
        judgement.report = str(stage.report())
        assert judgement.report == ("Succeeded" if judgement.succeeded else "Failed")
        deployment_id = event["DeploymentId"]
    assert judgement["hook"] == hook.__name__
    assert judgement["deployment_id"] == deployment_id
    assert "\n" not in judgement.message
    return judgement


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, stage: Stage, clock: Clock) -> Iterator[Site]:
    """The application, as it answers behind the load balancer's name. Latencies are measured by `clock`."""
    site = Site()
    monkeypatch.setattr("socket.getaddrinfo", site.resolve(stage.dns_name))
    monkeypatch.setattr("gate.traffic.Sender", functools.partial(Sender, clock=clock.time))
    yield site
    site.stop()


def wall_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[[], datetime]:
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


def count_requests(stage: Stage, site: Site, now: Callable[[], datetime]) -> None:
    """Let the load balancer count, for CloudWatch, what arrives at the site: the hook's own requests, no others."""

    class Arrivals(list[Request]):
        def append(self, arrival: Request) -> None:
            super().append(arrival)
            dimensions = [
                {"Name": "LoadBalancer", "Value": stage.balancer_dimension},
                {"Name": "TargetGroup", "Value": stage.green_group.rpartition(":")[2]},
            ]
            data = {"MetricName": "RequestCount", "Dimensions": dimensions, "Timestamp": now(), "Value": 1}
            stage.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])

    site.requests = Arrivals()
