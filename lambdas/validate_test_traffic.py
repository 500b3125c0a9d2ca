"""AfterAllowTestTraffic: green answers through the test listener as it should.

Nothing is sent before the listener forwards to green and green has a healthy target: a request to an empty target
group gets a 503 that the load balancer counts, and that has set off a deployment's own alarm.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Optional

from gate.default_request import no_test_listener
from gate.elb import Listener
from gate.names import Named
from gate.options.requests import ValidateTestTraffic, shown_address
from gate.runner import Gate, hook
from gate.smoke_test import SMOKE_TEST, SmokeTest
from gate.traffic import NAMES as TRAFFIC
from gate.traffic import SERVING, Traffic, Way, green_serves, misrouted, way_through, way_to_targets
from gate.verdict import Finding, Severity, failed, passed
from gate.waiting import poll

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
        "The test listener and its rules forward to green alone, and all of green's targets are healthy: before, "
        "nothing is sent.",
        calls=SERVING,
    ),
    *TRAFFIC,
    SMOKE_TEST,
)


@hook("AfterAllowTestTraffic", ValidateTestTraffic, NAMES, advisory_on_rollback=True)
def handler(gate: Gate[ValidateTestTraffic]) -> None:
    """Decide whether green answers the declared requests, with few enough errors and fast enough."""
    found = gate.check("test_listener", partial(test_listener, gate))
    if not (found.ok and test_listener(gate).ok):  # it is asked again, for the check may have been left out
        return
    serves = gate.check("green_serves_tests", partial(wait_for_green, gate))
    if serves.ok:  # whatever its severity, nothing is sent to a listener that does not forward to green
        listener: Optional[Listener] = serves.value or gate.deployment.test_listener()
        traffic = Traffic(gate, way_to_green(gate, listener))
        if traffic.run() and gate.options.smoke_test:
            gate.check("smoke_test", SmokeTest(gate, traffic).run)


def test_listener(gate: Gate[ValidateTestTraffic]) -> Finding:
    """There is a way to green that production does not take."""
    listener, base_url, group = gate.deployment.test_listener(), gate.options.base_url, gate.deployment.words.group
    if listener is not None:
        return passed(f"the test listener is on port {listener.port} ({listener.protocol})")
    if base_url:
        return passed(f"{group} has no test listener; base_url {shown_address(base_url)} is used")
    goes_without = replace(gate.severities, advisory=False).of("test_listener") is not Severity.FAIL  # by own choice
    if not gate.deployment.in_vpc or goes_without:
        return failed(no_test_listener(gate.deployment.words))
    return passed(f"{group} has no test listener; green's targets are asked directly")


def wait_for_green(gate: Gate[ValidateTestTraffic]) -> list[Finding]:
    """Poll until green serves tests, whatever the check's severity: nothing is sent before. Holds up no rollback."""
    patience = SHIFTS if gate.advisory else gate.deadline.remaining()
    probe = partial(serves_tests, gate, gate.deadline.elapsed() + SHIFTS)
    return poll(probe, gate.deadline.within(patience), gate.options.interval)


def serves_tests(gate: Gate[ValidateTestTraffic], shifts_until: float) -> Finding:
    """The test listener, where there is one, forwards to green, and all of green's targets are healthy.

    `shifts_until`: when test traffic must have shifted, by the deadline's clock. A listener that leads elsewhere then
    will forward to green no more. The finding's value is the listener.
    """
    listener = gate.deployment.test_listener()
    group = gate.deployment.target_group_of(gate.deployment.green())
    has_shifted = gate.deadline.elapsed() >= shifts_until
    elsewhere = has_shifted and bool(misrouted(gate.deployment, group, listener, "test"))
    return replace(green_serves(gate.deployment, group, listener, "test"), terminal=elsewhere, value=listener)


def way_to_green(gate: Gate[ValidateTestTraffic], listener: Optional[Listener]) -> Way:
    """How requests reach green: at the user's address, through the test listener, or at each target."""
    group = gate.deployment.target_group_of(gate.deployment.green())
    if gate.options.base_url:
        return Way(gate.options.base_url)
    return way_through(gate.deployment, listener, group) if listener else way_to_targets(gate.deployment, group)
