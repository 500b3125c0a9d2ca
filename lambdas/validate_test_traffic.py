"""AfterAllowTestTraffic: green answers through the test listener as it should.

Nothing is sent before the listener leads to green and green has a healthy target: a request to an empty target
group gets a 503 that the load balancer counts, and that has set off a deployment's own alarm.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Optional

from gate.deployment import Deployment, TargetGroup
from gate.hook import lifecycle_hook
from gate.http_checks import (
    HttpCheck,
    Sender,
    Statistics,
    Thresholds,
    base_url_problem,
    default_check,
    judge_statistics,
    listener_url,
    run_check,
    send_samples,
)
from gate.settings import HookSettings, limits
from gate.verdict import CannotLook, Check, Finding, failed, passed
from gate.waiting import Deadline, poll


@dataclass(frozen=True)
class Settings(HookSettings):
    """What the user may set.

    `http_checks`: by name; without any, the target group's own health check path and matcher. `base_url`: where to
    send them instead of the test listener. `samples` requests of each check, `concurrency` at a time, are measured
    against `thresholds`. `interval`: seconds between looks while the test listener is not on green yet.
    """

    base_url: Optional[str] = None
    http_checks: dict[str, HttpCheck] = field(default_factory=dict)
    samples: int = limits(100, least=0, most=10_000)
    concurrency: int = limits(4, least=1, most=64)
    thresholds: Thresholds = field(default_factory=Thresholds)
    interval: float = limits(2.0, least=0.001, most=60)

    def __post_init__(self) -> None:
        if self.base_url is not None and base_url_problem(self.base_url):
            raise ValueError(base_url_problem(self.base_url))


@lifecycle_hook("AfterAllowTestTraffic", Settings)
def handler(deployment: Deployment, settings: Settings, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether green answers the declared requests, with few enough errors and fast enough."""
    if not (yield Check("test_listener", partial(test_listener, deployment, settings))):
        return
    if deployment.test_listener() is None and not settings.base_url:
        return  # the user chose to go without (`checks`)
    serving = partial(green_serves, deployment)
    if not (yield Check("green_serves_tests", lambda: poll(serving, deadline, settings.interval))):
        return
    checks = settings.http_checks or {"health": default_check(green_group(deployment))}
    sender = Sender(settings.base_url or _test_url(deployment))
    for name, check in checks.items():
        answers = yield Check(f"http:{name}", partial(run_check, check, sender, deadline))
        if answers and settings.samples:
            yield Check(f"samples:{name}", partial(sample, name, check, sender, settings))


def test_listener(deployment: Deployment, settings: Settings) -> Finding:
    """There is a way to green that production does not take."""
    listener = deployment.test_listener()
    if listener is not None:
        return passed(f"the test listener is on port {listener.port} ({listener.protocol})")
    if settings.base_url:
        return passed(f"the deployment group has no test listener; base_url {settings.base_url} is used")
    return failed(
        "the deployment group has no test listener, so green cannot be tested before production: add one to the "
        "deployment group (test_traffic_route), or set base_url of validate_test_traffic to where green answers"
    )


def green_group(deployment: Deployment) -> TargetGroup:
    """The target group of the green task set."""
    return deployment.target_group_of(deployment.green())


def green_serves(deployment: Deployment) -> Finding:
    """The test listener leads to green alone, and green has a healthy target."""
    group = green_group(deployment)
    listener = deployment.test_listener()
    if listener is not None and not listener.serves_only(group.arn):
        return failed(
            f"the test listener does not lead to green ({group.name}) but to {deployment.weights_in_words(listener)}"
        )
    targets = deployment.targets(group)
    healthy = [target for target in targets if target.state == "healthy"]
    if not healthy:
        listed = "; ".join(str(target) for target in targets) or "none is registered"
        return failed(f"no green target is healthy, so nothing was sent: green target {listed}")
    return passed(f"green ({group.name}) serves test traffic with {len(healthy)} of {len(targets)} target(s) healthy")


def sample(name: str, check: HttpCheck, sender: Sender, settings: Settings) -> list[Finding]:
    """Error rate and percentiles over many requests."""
    answers = send_samples(check, sender, settings.samples, settings.concurrency)
    return judge_statistics(name, Statistics.of(check, answers), settings.thresholds)


def _test_url(deployment: Deployment) -> str:
    listener = deployment.test_listener()
    if listener is None:
        raise CannotLook("the test listener is gone")
    return listener_url(listener, deployment.load_balancer(listener))
