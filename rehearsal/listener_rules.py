"""A listener's rules: which of them a request meets, in the order of their priorities.

Conditions are read as the stand-in holds them: `{"Field": "path-pattern", "Values": […]}`, or the values in the field's
own configuration (`PathPatternConfig`). A rule is met if each of its conditions is, and a condition if one of its
values is. (Application Load Balancers user guide, "Listener rules".)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from moto.elbv2.models import FakeAction, FakeListener


@dataclass(frozen=True)
class Request:
    """A request as it comes to the load balancer."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    body: bytes
    client: str
    """The client's address."""

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return a header's value, however its name is spelled; None if there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


def actions_for(listener: FakeListener, request: Request) -> Sequence[FakeAction]:
    """Return what a listener does with a request: the actions of the first rule that is met, else the default ones."""
    rules = [rule for rule in list(listener.rules.values()) if not rule.is_default]
    for rule in sorted(rules, key=lambda each: int(each.priority)):
        if all(is_met(condition, request) for condition in rule.conditions):
            return list(rule.actions)
    return list(listener.default_actions)


def is_met(condition: Mapping[str, Any], request: Request) -> bool:
    """Say whether a request meets a condition; raises NotImplementedError for a field that is not known here."""
    field = str(condition.get("Field"))
    values = list(_values(condition))
    if not values:
        raise NotImplementedError(f"a condition {field} without values is not known here")
    if field == "path-pattern":
        return any(_like(request.path, pattern) for pattern in values)
    if field == "host-header":
        host = (request.header("Host") or "").lower().partition(":")[0]
        return any(_like(host, pattern.lower()) for pattern in values)
    if field == "http-header":
        value = request.header(condition["HttpHeaderConfig"]["HttpHeaderName"])
        return value is not None and any(_like(value.lower(), pattern.lower()) for pattern in values)
    if field == "http-request-method":
        return request.method in values
    if field == "query-string":
        return any(_asked(request, pair.get("Key"), pair["Value"]) for pair in values)
    if field == "source-ip":
        return any(ipaddress.ip_address(request.client) in ipaddress.ip_network(block) for block in values)
    raise NotImplementedError(f"the condition {field} is not known here")


def _values(condition: Mapping[str, Any]) -> Iterator[Any]:
    yield from condition.get("Values") or []
    for key, configuration in condition.items():
        if key.endswith("Config") and not condition.get("Values"):
            yield from configuration.get("Values") or []


def _asked(request: Request, key: str | None, value: str) -> bool:
    pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    return any(
        (key is None or _like(name.lower(), key.lower())) and _like(given.lower(), value.lower())
        for name, given in pairs
    )


def _like(text: str, pattern: str) -> bool:
    """Say whether a text is like a pattern, in which `*` stands for any characters and `?` for one."""
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
