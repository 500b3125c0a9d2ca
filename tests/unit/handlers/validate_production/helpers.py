"""What the tests of this hook share: short windows, what CloudWatch shows, and the hook as Lambda runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import validate_production as hook

from rehearsal.testing.stage import Judgement, Stage
from rehearsal.testing.web import Request, Response

EVENT = "AfterAllowTraffic"
INTERVAL = 15
SAMPLING = 0.2 * (2 * 10 + 20 - 1)  # seconds of the samples of one check, two targets' warm-up included
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0, "samples": 0, "metrics_delay": 0}
ONE_MINUTE: dict[str, Any] = {**AT_ONCE, "duration": 60, "interval": 10}
FIVE_MINUTES: dict[str, Any] = {**AT_ONCE, "duration": 300, "interval": 60}
BAKE: dict[str, Any] = {**AT_ONCE, "duration": 600, "interval": INTERVAL}
SLOWLY: dict[str, Any] = {**AT_ONCE, "interval": 300}
ONE_PERCENT = {"error_rate": 0.01}
WITHOUT_BLUE = "; blue's share before the shift was 0, without a request"
ORDERS = {"namespace": "Shop", "metric_name": "Orders", "statistic": "Sum"}
BY_GROUP: dict[str, Any] = {
    **ORDERS,
    "dimensions": {"TargetGroup": "{target_group}", "LoadBalancer": "{load_balancer}", "Stage": "live"},
}
MAINTENANCE: dict[str, Any] = {"http_checks": {"off": {"path": "/admin", "status": ["503"]}, "front": {}}}
ASKS_ORDERS: dict[str, Any] = {"http_checks": {"orders": {"path": "/orders"}}}
BREAKS = 301.0  # seconds after a bake of ten minutes began: just after a look
ELSEWHERE = {"http_checks": {"front": {"url": "http://127.0.0.1:1/", "severity": "warn", "attempts": 1}}}
"""Nothing of the hook's own goes to green: what the load balancer counts is customers' alone."""

Now = Callable[[], datetime]
Traffic = Callable[..., None]
Answer = Callable[[Request], "Response | None"]


def about(seconds: float) -> Any:
    """Seconds of the test's clock, where a look at the clock itself takes a millisecond."""
    return pytest.approx(seconds, abs=0.5)


def at_least(value: float) -> dict[str, Any]:
    """A metric's range without an upper end."""
    return {"threshold_range": {"min": value}}


def at_most(value: float) -> dict[str, Any]:
    """A metric's range without a lower end."""
    return {"threshold_range": {"max": value}}


def too_long(window: int, left: int, others: int = 120) -> str:
    """What the check `time` says of a window that does not fit."""
    return (
        f"initial_delay, duration and load take {window} s, and {left} s are left for them beside {others} s for the "
        "other checks: shorten them, or raise max_duration or timeout (at most 900)"
    )


def load_of(**changes: Any) -> dict[str, Any]:
    """Settings for twenty requests, ten a second, one at a time."""
    return {**AT_ONCE, "load": {"rate": 10, "duration": 2, "concurrency": 1, "path": "/load", **changes}}


def event_again(stage: Stage) -> dict[str, str]:
    """The same moment of another deployment."""
    stage.deployment.set_status("Stopped")
    return stage.at(EVENT)


def broken(stage: Stage, since: float = BREAKS, until: float = 1e9, path: str = "/orders") -> Answer:
    """A site that answers one path with an error for a time."""

    def answer(request: Request) -> Response:
        return Response(500 if request.path == path and since <= stage.clock.now < until else 200)

    return answer


def hung(stage: Stage) -> Answer:
    """A site that stops answering: each request is waited for as long as its time-out allows."""

    def answer(_request: Request) -> Response | None:
        if stage.clock.now < BREAKS:
            return Response()
        stage.clock.sleep(5)
        return None

    return answer


def minutes(traffic: Traffic, group: str, first: int, count: int, **figures: Any) -> None:
    """Publish the same figures for so many minutes, from the minute `first` on."""
    for minute in range(first, first + count):
        traffic(group, at=60 * minute, **figures)


def publish(stage: Stage, now: Now, at: float, value: float, name: str = "Orders", **dimensions: str) -> None:
    """Publish a value of a metric of the shop's, so many seconds from now."""
    named = [{"Name": key, "Value": dimension} for key, dimension in dimensions.items()]
    datum = {"MetricName": name, "Timestamp": now() + timedelta(seconds=at), "Value": value, "Dimensions": named}
    stage.cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


def put(stage: Stage, now: Now, *values: float, name: str = "Orders") -> None:
    """Publish values of a metric of the shop's, a minute apart."""
    for minute, value in enumerate(values):
        publish(stage, now, 60 * minute, value, name)


class Function:
    """The hook as Lambda runs it: each invocation has its time, and what it sends to itself is kept."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        stage.create_hooks()
        self.stage = stage
        self.monkeypatch = monkeypatch
        self.arn = stage.hooks[EVENT]
        self.timeout = 900.0

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The events that it invoked itself with."""
        mine = [payload for arn, payload, kind in self.stage.world.invocations if (arn, kind) == (self.arn, "Event")]
        assert len(mine) == len(self.stage.world.invocations)
        return [json.loads(payload) for payload in mine]

    def __call__(self, event: Mapping[str, Any], **settings: Any) -> Judgement:
        """Invoke it once."""
        self.monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int(self.timeout * 1000),
            invoked_function_arn=self.arn,
            aws_request_id=f"request-{len(self.sent)}",
        )
        return Judgement(hook.handler(event, context))

    def play(self, event: Mapping[str, Any], **settings: Any) -> list[Judgement]:
        """Invoke it, and again with each event that it sends itself; the last one alone reports."""
        judgements = [self(event, **settings)]
        while judgements[-1]["status"] == "CONTINUED":
            assert self.stage.deployment.reports == []
            assert len(self.sent) == len(judgements)
            judgements.append(self(self.sent[-1], **settings))
        assert self.stage.report() == ("Succeeded" if judgements[-1].succeeded else "Failed")
        return judgements
