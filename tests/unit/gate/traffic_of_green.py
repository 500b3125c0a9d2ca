"""Traffic to a green that is known without asking AWS, through a gate that keeps its results: for tests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from gate.attempts import Attempts, send_side_by_side
from gate.ecs import Service, Side
from gate.elb import Listener, Rule, Target, TargetGroup
from gate.http_sender import Sender
from gate.options.requests import HttpCheck, TrafficOptions
from gate.overrides import Overrides
from gate.platforms import Continuation
from gate.platforms.codedeploy import CodeDeployDeployment
from gate.record import Record
from gate.runner import Gate
from gate.settings import read_settings
from gate.severity import Severities
from gate.traffic import NAMES, Traffic, Way
from gate.verdict import Finding, Severity
from gate.waiting import Deadline, OutOfTime

from tests.unit.gate.conftest import soon
from tests.unit.gate.web_server import Request, Route, WebServer

Findings = dict[str, Finding]

GROUP = TargetGroup(
    arn="arn:green", name="green", protocol="HTTP", protocol_version="HTTP1", port=80, target_type="ip",
    health_protocol="HTTP", health_port="traffic-port", health_path="/health",
    matcher="200", load_balancers=(),
)  # fmt: skip
GREEN = Side.of(
    {
        "id": "ecs-svc/1",
        "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "loadBalancers": [{"containerName": "app", "targetGroupArn": "arn:green"}],
    }
)


class Green(CodeDeployDeployment):
    """A deployment whose green is known without asking AWS."""

    def __init__(self, image: str = "shop/app:v42", group: TargetGroup = GROUP) -> None:
        super().__init__("d-1", "main", "web")
        self.image = image
        self.group_of_green = group
        self.seen: list[Target] = []

    def green(self, service: Service | None = None) -> Side:  # noqa: ARG002
        """Green."""
        return GREEN

    def task_definition(self, name: str) -> Mapping[str, Any]:
        """Its task definition: the load balanced container is not the first."""
        assert name == GREEN.task_definition
        return {
            "containerDefinitions": [{"name": "proxy", "image": "proxy:v1"}, {"name": "app", "image": self.image}],
        }

    def target_group_of(self, side: Side) -> TargetGroup:  # noqa: ARG002
        """Its target group."""
        return self.group_of_green

    def targets(self, target_group: TargetGroup) -> list[Target]:  # noqa: ARG002
        """Its targets."""
        return self.seen

    def weights_in_words(self, source: Listener | Rule) -> str:
        """Where a listener leads."""
        return ", ".join(f"{arn.removeprefix('arn:')} {weight}" for arn, weight in source.weights.items())


def traffic(
    web: WebServer, deployment: Green | None = None, deadline: Deadline | None = None, **options: Any
) -> Traffic:
    """The declared requests of a hook; no samples unless asked for."""
    read = read_settings(TrafficOptions, {"HOOK_SETTINGS": json.dumps({"samples": 0, **options})}, "x")
    invocation: Any = SimpleNamespace(deadline=deadline or soon(), seconds=600.0)
    severities = Severities(read.checks, Overrides({}), "", advisory=False)
    gate = Gate(
        deployment or Green(), read, invocation, Record("x", "d-1"), severities, NAMES, Continuation(0.0),
        can_continue=False, orphaned=False,
    )  # fmt: skip
    return Traffic(gate, Way(web.url))


def run(traffic: Traffic) -> tuple[Findings, dict[str, Severity], bool]:
    """Make all checks: findings by name, severities by name, and whether the hook may still succeed."""
    sound = traffic.run()
    results = traffic.gate.record.results
    return {each.name: each.finding for each in results}, {each.name: each.severity for each in results}, sound


def judged(web: WebServer, deployment: Green | None = None, **options: Any) -> Findings:
    """The findings of declared requests."""
    return run(traffic(web, deployment, **options))[0]


def outcomes(findings: Findings) -> dict[str, str]:
    """The findings' outcomes."""
    return {name: finding.outcome.value for name, finding in findings.items()}


def paths(web: WebServer) -> list[str]:
    """What was asked, in order."""
    return [request.path for request in web.requests]


def answers(*statuses: int) -> Route:
    """A route that answers with these, the last one for ever."""
    left = list(statuses)
    return lambda request: request.answer(left.pop(0) if len(left) > 1 else left[0])


def tried(web: WebServer, check: HttpCheck, deadline: Deadline | None = None) -> Finding:
    """One check, until it is decided."""
    attempts = Attempts(check, 0)
    send_side_by_side([attempts], Sender(web.url), deadline or soon())
    return attempts.finding


def hang(request: Request) -> None:
    """No answer until the test ends."""
    request.closing.wait(30)
    request.raw(b"")


def interrupted(web: WebServer, after: int) -> Callable[..., None]:
    """In place of waiting: the time is over once so many requests have come."""

    def interrupt(*_arguments: object) -> None:
        while len(web.requests) < after:
            time.sleep(0.001)
        raise OutOfTime

    return interrupt


def no_threads_left() -> None:
    """All threads that send end by themselves."""
    for thread in threading.enumerate():
        if thread.name.startswith("http"):
            thread.join(30)
            assert not thread.is_alive()
