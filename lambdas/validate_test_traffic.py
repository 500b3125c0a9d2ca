"""AfterAllowTestTraffic: green answers through the test listener as it should.

Nothing is sent before the listener leads to green and green has a healthy target: a request to an empty target
group gets a 503 that the load balancer counts, and that has set off a deployment's own alarm.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Optional

from gate.default_request import NO_TEST_LISTENER
from gate.deployment import Deployment, Listener
from gate.hook import lifecycle_hook
from gate.http_sender import Sender
from gate.options import ValidateTestTraffic, shown_address
from gate.traffic import NAMES as TRAFFIC
from gate.traffic import (
    SERVING,
    Traffic,
    Way,
    green_serves,
    listener_url,
    misrouted,
    way_through,
    way_to_targets,
)
from gate.verdict import Check, Finding, Named, Severity, failed, passed, severity_for, unstoppable
from gate.waiting import Deadline, poll

SHIFTS = 60.0  # seconds after which the test listener leads where CodeDeploy has led it, before this hook was called
NAMES = (
    Named(
        "test_listener",
        "The deployment group has a test listener, or the function is inside the VPC and asks green's targets "
        "directly, or `base_url` leads to green.",
        calls=("elasticloadbalancing:DescribeListeners",),
    ),
    Named(
        "green_serves_tests",
        "The test listener and its rules lead to green alone, and all of green's targets are healthy: before, nothing "
        "is sent.",
        calls=SERVING,
    ),
    *TRAFFIC,
)


@lifecycle_hook("AfterAllowTestTraffic", ValidateTestTraffic, NAMES)
def handler(deployment: Deployment, settings: ValidateTestTraffic, deadline: Deadline) -> Generator[Check, bool, None]:
    """Decide whether green answers the declared requests, with few enough errors and fast enough."""
    checks = _checks(deployment, settings, deadline)
    yield from unstoppable(checks) if deployment.is_rollback else checks


def _checks(deployment: Deployment, settings: ValidateTestTraffic, deadline: Deadline) -> Generator[Check, bool, None]:
    if not (yield Check("test_listener", partial(test_listener, deployment, settings))):
        return
    if not test_listener(deployment, settings).good:
        return  # the user chose to go without (`checks`)
    patience = deadline.within(60) if deployment.is_rollback else deadline  # the way back is not held up
    found: list[Finding] = []
    seen: list[Optional[Listener]] = []

    def serves() -> Finding:
        seen[:] = [deployment.test_listener()]
        return serves_tests(deployment, seen[0], patience.elapsed() >= SHIFTS)

    def look() -> list[Finding]:
        found[:] = poll(serves, patience, settings.interval)
        return list(found)

    # Whatever its severity, nothing is sent to a listener that does not lead to green.
    if not (yield Check("green_serves_tests", look)) or not all(finding.good for finding in found):
        return
    listener = None if settings.base_url else seen[0] if seen else deployment.test_listener()
    green = deployment.target_group_of(deployment.green())
    if listener:
        way, url = way_through(deployment, listener), listener_url(listener, deployment.load_balancer(listener), green)
    elif settings.base_url:
        way, url = Way(), settings.base_url
    else:
        way = way_to_targets(deployment, green)
        url = way.targets[0]
    sender = Sender(url, settings.host, settings.headers)
    yield from Traffic(deployment, settings, deadline, sender, way).checks()


def test_listener(deployment: Deployment, settings: ValidateTestTraffic) -> Finding:
    """There is a way to green that production does not take."""
    listener = deployment.test_listener()
    if listener is not None:
        return passed(f"the test listener is on port {listener.port} ({listener.protocol})")
    if settings.base_url:
        return passed(f"the deployment group has no test listener; base_url {shown_address(settings.base_url)} is used")
    goes_without = severity_for("test_listener", Severity.FAIL, settings.checks) is not Severity.FAIL
    if not deployment.in_vpc or goes_without:
        return failed(NO_TEST_LISTENER)
    return passed("the deployment group has no test listener; green's targets are asked directly")


def serves_tests(deployment: Deployment, listener: Optional[Listener], has_shifted: bool) -> Finding:
    """The test listener, where there is one, leads to green, and all of green's targets are healthy.

    Once test traffic must have shifted (`has_shifted`), a listener that leads elsewhere will lead to green no more.
    """
    group = deployment.target_group_of(deployment.green())
    found = green_serves(deployment, group, listener, "test")
    return replace(found, certain=has_shifted and bool(misrouted(deployment, group, listener, "test")))
