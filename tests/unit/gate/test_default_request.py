"""The request that is sent where none is declared: what of the load balancer's health check and rules makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gate.default_request import CannotAsk, health_request, request_through
from gate.elb import Listener, Rule, TargetGroup
from gate.options.requests import HttpCheck
from gate.verdict import ProbeError

GROUP = TargetGroup(
    arn="arn", name="blue", protocol="HTTP", protocol_version="HTTP1", port=80, target_type="ip",
    health_protocol="HTTP", health_port="traffic-port", health_path="/health?deep=1",
    matcher="200,204,300-302", load_balancers=(),
)  # fmt: skip


def test_it_is_the_target_groups_own_health_check() -> None:
    check = health_request(GROUP, [8000])
    assert (check.path, check.method, check.verify_tls) == ("/health?deep=1", "GET", False)
    assert [status for status in range(100, 600) if check.accepts(status)] == [200, 204, 300, 301, 302]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"health_protocol": "TCP"}, "the health check of target group blue is TCP"),
        ({"health_port": "8081"}, "is on port 8081, where no listener leads"),
        ({"health_port": "80"}, "is on port 80, where no listener leads"),  # the group's own port is but a default
        ({"matcher": "0-99"}, "accepts 0-99, no status"),
        ({"matcher": "12"}, "accepts 12, no status"),
        ({"matcher": "200,399-300"}, "accepts 200,399-300, no status"),
        ({"health_path": "/a b"}, "asks '/a b', which cannot be sent"),
        ({"health_path": ""}, "asks '', which cannot be sent"),
        ({"protocol_version": "GRPC", "matcher": "0"}, "speaks gRPC only"),
        ({"protocol_version": "HTTP2"}, "speaks HTTP/2 only"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_says_why_and_what_to_type(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotAsk) as caught:
        health_request(replace(GROUP, **attributes), [8000])
    assert said in str(caught.value)
    assert "http_checks = { home = { " in str(caught.value)
    assert ("464" in str(caught.value)) == ("protocol_version" in attributes)


@pytest.mark.parametrize("lacking", [{"protocol": ""}, {"health_protocol": "not said"}], ids=str)
def test_what_the_load_balancer_does_not_say_is_no_reason_to_ask_nothing(lacking: dict[str, Any]) -> None:
    with pytest.raises(ProbeError) as caught:
        health_request(replace(GROUP, **lacking), [8000])
    assert not isinstance(caught.value, CannotAsk)
    with pytest.raises(ProbeError) as caught:
        request_through(listener(default="blue", protocol=""), HEALTH, NAME, None)
    assert not isinstance(caught.value, CannotAsk)


def test_the_port_that_counts_is_the_containers() -> None:
    assert health_request(replace(GROUP, health_port="8000"), [None, 8000]) == health_request(GROUP, [])


@pytest.mark.parametrize(
    ("matcher", "accepted"),
    [("200-599", [200, 404, 499]), ("200,404", [200, 404]), ("500-599", [200, 404, 499]), ("200-299, 503", [200, 299])],
)
def test_an_error_of_the_server_is_no_good_answer_whatever_the_matcher_accepts(
    matcher: str, accepted: list[int]
) -> None:
    check = health_request(replace(GROUP, matcher=matcher), [])
    assert all(check.accepts(status) for status in accepted)
    assert not any(check.accepts(status) for status in range(500, 600))


# Through a listener.

OTHER = "other"
HEALTH = HttpCheck(path="/health", status=("200",), verify_tls=False)
NAME = "lb-1.eu-west-1.elb.amazonaws.com"


def rule(priority: int, hosts: str = "", paths: str = "", to: str = "blue", **more: Any) -> Rule:
    """A rule by patterns with blanks between them."""
    where = "; ".join(
        f"{word} {values}" for word, values in (("host-header", hosts), ("path-pattern", paths)) if values
    )
    return Rule(str(priority), where, {to: 1} if to else {}, tuple(hosts.split()), tuple(paths.split()), **more)


def listener(*rules: Rule, default: str = "", protocol: str = "HTTP", requires_login: bool = False) -> Listener:
    """A listener with these rules and a default action to a target group, or a fixed answer."""
    weights = {default: 1} if default else {}
    return Listener("l", "b", protocol, 80, weights, frozenset({"blue", "green"}), lambda: rules, requires_login)


ORDINARY = {
    "the default action forwards to green": (listener(default="blue"), ("/health", None)),
    "and other services have rules": (listener(rule(1, paths="/api/*", to=OTHER), default="blue"), ("/health", None)),
    "another service's rule takes the health path": (
        listener(rule(1, paths="/health", to=OTHER), default="blue"), ("/", None)
    ),
    "a rule by host": (listener(rule(5, hosts="app.example.com")), ("/health", "app.example.com")),
    "a rule by hosts, one of them a wildcard": (
        listener(rule(5, hosts="*.example.com app.example.com")), ("/health", "app.example.com")
    ),
    "a rule by path that takes the health path": (listener(rule(5, paths="/health* /api/*")), ("/health", None)),
    "a rule by path that does not": (listener(rule(5, paths="/api/v1*")), ("/api/v1", None)),
    "a rule by the paths below one": (listener(rule(5, paths="/orders /orders/*")), ("/orders", None)),
    "a rule by paths apart": (listener(rule(5, paths="/orders/* /basket/*")), ("/orders/", None)),
    "a rule by host and path": (
        listener(rule(5, hosts="app.example.com", paths="/api/*")), ("/api/", "app.example.com")
    ),
    "two rules, the second takes the health path": (
        listener(rule(1, paths="/api/*"), rule(2, hosts="app.example.com")), ("/health", "app.example.com")
    ),
    "several services by host": (
        listener(rule(1, hosts="a.example.com", to=OTHER), rule(2, hosts="b.example.com")), ("/health", "b.example.com")
    ),
    "a rule for everything": (listener(rule(5, paths="*")), ("/health", None)),
    "a network load balancer": (listener(default="blue", protocol="TCP"), ("/health", None)),
    "a redirect of one path": (listener(rule(1, paths="/", to="", redirects=True), default="blue"), ("/health", None)),
    "a login for one host only": (
        listener(rule(1, hosts="admin.example.com", requires_login=True), default="blue"), ("/health", None)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDINARY)
def test_host_and_path_are_those_of_the_rules(case: str) -> None:
    through, (path, host) = ORDINARY[case]
    request = request_through(through, HEALTH, NAME, None)
    assert (request.path, request.host) == (path, host)
    # Of a path that is no health check any answer of the application's will do, and none of 5xx.
    assert request.accepts(404) == (path != "/health")
    assert request.accepts(200)
    assert not request.accepts(503)


IMPOSSIBLE = {
    "wildcard hosts": (listener(rule(5, hosts="*.example.com")), "takes hosts by a wildcard only"),
    "a header": (listener(rule(5, hosts="a.b", only_host_and_path=False)), "asks for more than a host and a path"),
    "a wildcard path": (listener(rule(5, paths="*.php")), "takes neither /health nor a path without a wildcard"),
    "a login": (listener(default="blue", requires_login=True), "the default action asks for a login first"),
    "a login by a rule": (
        listener(rule(5, hosts="a.b", requires_login=True)), "host-header a.b asks for a login first"),
    "a redirect of all": (
        listener(rule(1, paths="/*", to="", redirects=True), default="blue"), "path-pattern /* redirects /health"
    ),
    "UDP": (listener(default="blue", protocol="UDP"), "the listener on port 80 is UDP"),
    "another service takes all of it": (
        listener(rule(1, paths="/*", to=OTHER), rule(2, paths="/api/*")),
        "rule 1 (path-pattern /*) of the listener takes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_where_no_request_can_be_made_it_says_why(case: str) -> None:
    through, said = IMPOSSIBLE[case]
    with pytest.raises(CannotAsk) as caught:
        request_through(through, HEALTH, NAME, None)
    assert said in str(caught.value)
    assert "http_checks" in str(caught.value)


def test_a_host_of_the_users_own_comes_first() -> None:
    by_wildcard = listener(rule(5, hosts="*.example.com"))
    assert request_through(by_wildcard, HEALTH, NAME, "shop.example.com").host == "shop.example.com"
