"""A listener's rules, as an application load balancer reads them."""

from __future__ import annotations

from typing import Any

import pytest
from moto.elbv2.models import FakeAction, FakeListener, FakeListenerRule

from rehearsal.listener_rules import Request, actions_for, is_met

LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2"
REQUEST = Request(
    method="POST",
    target="/shop/orders?limit=5&Sort=Asc",
    headers={"host": "Orders.example.com:8080", "X-Stage": "Canary one"},
    body=b"",
    client="10.0.1.7",
)


def condition(field: str, *values: Any, **more: str) -> dict[str, Any]:
    """Return a condition with its values in its own configuration."""
    name = "".join(part.capitalize() for part in field.split("-"))
    return {"Field": field, f"{name}Config": {"Values": list(values), **more}}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"Field": "path-pattern", "Values": ["/shop/*"]}, True),
        (condition("path-pattern", "/nothing", "/shop/order?"), True),
        (condition("path-pattern", "/shop"), False),
        (condition("path-pattern", "/Shop/*"), False),
        (condition("path-pattern", "*limit*"), False),
        ({"Field": "host-header", "Values": ["*.example.com"]}, True),
        (condition("host-header", "ORDERS.example.com"), True),
        (condition("host-header", "example.com"), False),
        (condition("http-header", "canary*", HttpHeaderName="x-stage"), True),
        (condition("http-header", "canary", HttpHeaderName="x-stage"), False),
        (condition("http-header", "*", HttpHeaderName="x-other"), False),
        (condition("http-request-method", "GET", "POST"), True),
        (condition("http-request-method", "GET"), False),
        (condition("query-string", {"Key": "sort", "Value": "asc"}), True),
        (condition("query-string", {"Value": "5"}), True),
        (condition("query-string", {"Key": "limit", "Value": "6"}), False),
        (condition("source-ip", "10.0.1.0/24"), True),
        (condition("source-ip", "10.0.2.0/24"), False),
    ],
)
def test_conditions(asked: dict[str, Any], expected: bool) -> None:
    """Paths and methods by the letter, everything else in whatever case; a host without its port."""
    assert is_met(asked, REQUEST) is expected


@pytest.mark.parametrize("unknown", [{"Field": "weather", "Values": ["fine"]}, {"Field": "path-pattern"}])
def test_a_condition_that_is_not_known(unknown: dict[str, Any]) -> None:
    """It is not taken for one that is met, nor for one that is not."""
    with pytest.raises(NotImplementedError, match="is not known here"):
        is_met(unknown, REQUEST)


def test_the_first_rule_that_is_met() -> None:
    """By priority, not by age; all conditions of it; the default action if there is none."""
    default = [FakeAction({"Type": "fixed-response", "StatusCode": "404"})]
    # For mypy moto's classes are abstract.
    listener_of_moto: Any = FakeListener
    rule_of_moto: Any = FakeListenerRule
    listener = listener_of_moto("", LISTENER, "HTTP", "80", "", None, default, None)

    def add(priority: int, *conditions: dict[str, Any]) -> list[FakeAction]:
        actions = [FakeAction({"Type": "forward", "TargetGroupArn": f"group {priority}"})]
        listener.register(str(priority), rule_of_moto(LISTENER, str(priority), list(conditions), priority, actions))
        return actions

    assert actions_for(listener, REQUEST) == default
    late = add(20, condition("path-pattern", "/shop/*"))
    assert actions_for(listener, REQUEST) == late
    add(5, condition("path-pattern", "/shop/*"), condition("http-request-method", "GET"))
    assert actions_for(listener, REQUEST) == late
    early = add(10, condition("path-pattern", "*"))
    assert actions_for(listener, REQUEST) == early
