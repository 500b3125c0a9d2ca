"""The request that a hook sends where none is declared: the target group's own health check, by the way that is there.

Found from what the load balancer says. Where nothing can be asked without the user's word, `CannotAsk` says why, and
what to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Optional

from gate.deployment import Astray, Listener, Rule, TargetGroup
from gate.options import HOST, PATH, STATUS, HttpCheck, status_range
from gate.verdict import CannotLook

ANSWERED = ("200-499",)  # of a path that is no health check: the application answered, whatever it thinks of the path
SPEAKS = ("HTTP", "HTTPS", "TCP", "TLS", "TCP_UDP")  # listeners that a request of HTTP/1.1 can come through
ELSEWHERE = 'or ask another address: http_checks = { home = { url = "https://…" } }'
DECLARE = 'declare what to ask: http_checks = { home = { path = "/", host = "www.example.com" } }'

_NONE = "the deployment group has no test listener, so green cannot be tested before its customers meet it"
_ADD_ONE = "add one to the deployment group (test_traffic_route)"
_LEAVE_OUT = 'or leave the hook out of the AppSpec (appspec_without = ["validate_test_traffic"])'
NO_TEST_LISTENER = (
    f"{_NONE}: {_ADD_ONE}; or give the module vpc_config, then green's targets are asked directly; {_LEAVE_OUT}"
)


def none_and_no_addresses(group: TargetGroup) -> str:
    """The same where green's targets have no addresses of their own: what is left to do."""
    said = f"the targets of {group.name} are of type {group.target_type}, which cannot be asked directly"
    return f"{_NONE}, and {said}: {_ADD_ONE}; {_LEAVE_OUT}"


class CannotAsk(CannotLook):
    """No request can be made of what the load balancer says; nothing is wrong with green."""


def health_request(group: TargetGroup, ports: Iterable[Optional[int]]) -> HttpCheck:
    """The target group's own health check as a request; `ports`: those at which its targets take traffic.

    ECS registers a container's port, whatever the group's own says.

    The load balancer does not verify certificates either. An answer of 5xx is never taken for a good one.

    Raises CannotAsk, and CannotLook where the load balancer does not say how it asks.
    """
    if not group.protocol or group.health_protocol == "not said":
        raise CannotLook(f"Elastic Load Balancing does not say the protocols of target group {group.name}")
    if group.protocol_version in ("GRPC", "HTTP2"):
        speaks = {"GRPC": "gRPC", "HTTP2": "HTTP/2"}[group.protocol_version]
        raise CannotAsk(
            f"target group {group.name} speaks {speaks} only: the load balancer answers these requests, of HTTP/1.1, "
            f"with 464. Its own health check is what tells of green; {ELSEWHERE}"
        )
    if group.protocol not in SPEAKS:
        raise CannotAsk(f"target group {group.name} is {group.protocol}, not HTTP: {ELSEWHERE}")
    if group.health_protocol not in ("HTTP", "HTTPS"):
        raise CannotAsk(f"the health check of target group {group.name} is {group.health_protocol}, no path: {DECLARE}")
    if group.health_port != "traffic-port" and not any(str(port) == group.health_port for port in ports):
        raise CannotAsk(
            f"the health check of target group {group.name} is on port {group.health_port}, where no listener leads: "
            f"{DECLARE}"
        )
    codes = tuple(code.strip() for code in group.matcher.split(","))
    if not all(re.fullmatch(STATUS, code) and status_range(code) for code in codes):
        raise CannotAsk(f"the health check of target group {group.name} accepts {group.matcher}, no status: {DECLARE}")
    if not re.fullmatch(PATH, group.health_path):
        raise CannotAsk(
            f"the health check of target group {group.name} asks {group.health_path!r}, which cannot be sent: {DECLARE}"
        )
    return HttpCheck(path=group.health_path, status=_without_errors(codes), verify_tls=False)


def _without_errors(codes: Sequence[str]) -> tuple[str, ...]:
    """The statuses below 500: a matcher of 200-599 finds any application healthy."""
    ranges = [status_range(code) for code in codes]
    below = [f"{each[0]}-{min(each[-1], 499)}" if len(each) > 1 else str(each[0]) for each in ranges if each[0] < 500]
    return tuple(below) or ANSWERED


def request_through(listener: Listener, health: HttpCheck, name: str, host: Optional[str]) -> HttpCheck:
    """The health check as a request that the listener leads to the pair; or else one that it does lead there.

    `name`: the load balancer's own; `host`: the user's, where he set one. Of a rule the first literal host is used, and
    where it does not take the health check's path, the longest literal beginning of the paths that it takes.

    Raises CannotAsk with what keeps each of the ways from being taken, and CannotLook where that is not said.
    """
    if not listener.protocol:
        raise CannotLook(f"Elastic Load Balancing does not say the protocol of the listener on port {listener.port}")
    if listener.protocol not in SPEAKS:
        raise CannotAsk(f"the listener on port {listener.port} is {listener.protocol}, not HTTP: {ELSEWHERE}")
    if listener.wants_certificate:
        said = f"the listener on port {listener.port} wants a certificate of its clients (mutual TLS)"
        raise CannotAsk(f"{said}, and this hook has none: {ELSEWHERE}")
    why: list[str] = []
    for path in (health.path, None):  # a literal path only where no rule takes the health check's
        for rule in _ways(listener):
            request = _by(rule, health, path, host)
            if isinstance(request, str):
                why.append(request)
                continue
            try:
                listener.refuse_astray(request.host or name, request.path, {})
            except Astray as problem:
                why.append(str(problem).partition(": set ")[0])
                continue
            taker = _taker(listener, request.host or name, request.path)
            if taker.logs_in or taker.redirects:
                does = "asks for a login first" if taker.logs_in else f"redirects {request.path}"
                why.append(f"{taker.where} {does}")
                continue
            return request
    raise CannotAsk(f"{'; '.join(dict.fromkeys(why))}: {DECLARE}")


def literal_host(listener: Listener) -> Optional[str]:
    """The first host that a rule to the pair names without a wildcard."""
    return next((each for rule in listener.to_the_pair() for each in rule.hosts if _is_literal(each)), None)


def _ways(listener: Listener) -> Iterator[Optional[Rule]]:
    """The default action (None), where it leads to the pair, and the rules that do."""
    if not listener.by_rules:
        yield None
    yield from listener.to_the_pair()


def _by(rule: Optional[Rule], health: HttpCheck, path: Optional[str], host: Optional[str]) -> HttpCheck | str:
    """The request that the rule takes, with this path or with one of the rule's; or why there is none."""
    if rule is None:
        return replace(health, host=host) if path else replace(health, host=host, path="/", status=ANSWERED)
    if not rule.asks_only_these:
        return f"rule {rule.priority} ({rule.where}) asks for more than a host and a path"
    if host and not rule.takes_host(host.partition(":")[0]):
        return f"rule {rule.priority} ({rule.where}) does not take host {host}"
    host = host or next((each for each in rule.hosts if _is_literal(each)), None)
    if rule.hosts and not host:
        return f"rule {rule.priority} ({rule.where}) takes hosts by a wildcard only"
    if path:
        return replace(health, host=host)
    literal = _literal_path(rule, host or "")
    if not literal:
        return f"rule {rule.priority} ({rule.where}) takes neither {health.path} nor a path without a wildcard"
    return replace(health, host=host, path=literal, status=ANSWERED)


def _literal_path(rule: Rule, host: str) -> str:
    """The longest beginning that all the rule's paths have, if it takes that, else one that it takes; empty if none."""
    beginnings = [re.split(r"[*?]", pattern)[0] for pattern in rule.paths]
    common = beginnings[0] if beginnings else "/"
    while any(not each.startswith(common) for each in beginnings):
        common = common[:-1]
    for path in (common, *sorted(beginnings, key=len, reverse=True)):
        if re.fullmatch(PATH, path) and rule.takes(host, path, says_more=False):
            return path
    return ""


def _is_literal(pattern: str) -> bool:
    return bool(re.fullmatch(HOST, pattern))


def _taker(listener: Listener, host: str, path: str) -> Rule:
    """The rule that takes this request; the default action where none does."""
    default = Rule("default", "the default action", listener.default, logs_in=listener.logs_in)
    return next((rule for rule in listener.rules if _is_sure(rule, host, path)), default)


def _is_sure(rule: Rule, host: str, path: str) -> bool:
    return rule.asks_only_these and rule.takes(host, path, says_more=False)
