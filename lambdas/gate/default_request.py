"""The request that a hook sends where none is declared: the target group's own health check, by the way that is there.

Found from what the load balancer says. Where nothing can be asked without the user's word, `CannotAsk` says why, and
what to write.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Optional

from gate.deployment import Words
from gate.elb import Listener, Misrouted, Rule, TargetGroup
from gate.options.requests import HOST, PATH, STATUS, HttpCheck, status_range
from gate.verdict import ProbeError

ANSWERED = ("200-499",)  # of a path that is no health check: the application answered, whatever it thinks of the path
SPEAKS = ("HTTP", "HTTPS", "TCP", "TLS", "TCP_UDP")  # listeners that a request of HTTP/1.1 can come through
ELSEWHERE = 'or ask another address: http_checks = { home = { url = "https://…" } }'
DECLARE = 'declare what to ask: http_checks = { home = { path = "/", host = "www.example.com" } }'


def no_test_listener(words: Words) -> str:
    """That there is no way to green before the shift, and the three ways to have one."""
    directly = "give the module vpc_config, then green's targets are asked directly"
    return f"{_none(words)}: {words.add_test_route}; or {directly}; or {words.leave_out}"


def none_and_no_addresses(group: TargetGroup, words: Words) -> str:
    """The same where green's targets have no addresses of their own: what is left to do."""
    said = f"the targets of {group.name} are of type {group.target_type}, which cannot be asked directly"
    return f"{_none(words)}, and {said}: {words.add_test_route}; or {words.leave_out}"


def _none(words: Words) -> str:
    return f"{words.group} has no test listener, so green cannot be tested before its customers meet it"


class CannotAsk(ProbeError):
    """No request can be made of what the load balancer says; nothing is wrong with green."""


def health_request(group: TargetGroup, ports: Iterable[Optional[int]]) -> HttpCheck:
    """The target group's own health check as a request, to which no 5xx is a good answer.

    `ports`: those at which its targets take traffic; ECS registers a container's port, whatever the group's own says.
    The load balancer does not verify certificates either. Raises CannotAsk, and ProbeError where the load balancer does
    not say how it asks.
    """
    if not group.protocol or group.health_protocol == "not said":
        raise ProbeError(f"Elastic Load Balancing does not say the protocols of target group {group.name}")
    if group.protocol_version in ("GRPC", "HTTP2"):
        speaks = {"GRPC": "gRPC", "HTTP2": "HTTP/2"}[group.protocol_version]
        raise CannotAsk(
            f"target group {group.name} speaks {speaks} only: the load balancer answers these requests, of HTTP/1.1, "
            f"with 464. Its own health check is what tells of green; {ELSEWHERE}"
        )
    if group.protocol not in SPEAKS:
        raise CannotAsk(f"target group {group.name} is {group.protocol}, not HTTP: {ELSEWHERE}")
    codes, why = tuple(code.strip() for code in group.matcher.split(",")), ""
    if group.health_protocol not in ("HTTP", "HTTPS"):
        why = f"is {group.health_protocol}, no path"
    elif group.health_port != "traffic-port" and not any(str(port) == group.health_port for port in ports):
        why = f"is on port {group.health_port}, where no listener leads"
    elif not all(re.fullmatch(STATUS, code) and status_range(code) for code in codes):
        why = f"accepts {group.matcher}, no status"
    elif not re.fullmatch(PATH, group.health_path):
        why = f"asks {group.health_path!r}, which cannot be sent"
    if why:
        raise CannotAsk(f"the health check of target group {group.name} {why}: {DECLARE}")
    return HttpCheck(path=group.health_path, status=_without_errors(codes), verify_tls=False)


def _without_errors(codes: Sequence[str]) -> tuple[str, ...]:
    """The statuses below 500: a matcher of 200-599 finds any application healthy."""
    ranges = [status_range(code) for code in codes]
    below = [f"{each[0]}-{min(each[-1], 499)}" if len(each) > 1 else str(each[0]) for each in ranges if each[0] < 500]
    return tuple(below) or ANSWERED


def request_through(listener: Listener, health: HttpCheck, name: str, host: Optional[str]) -> HttpCheck:
    """The health check as a request that the listener forwards to the pair; or else one that it does lead there.

    `name`: the load balancer's own; `host`: the user's, where he set one. Of a rule the first literal host is used, and
    where it does not take the health check's path, the longest literal beginning of the paths that it takes.

    Raises CannotAsk with what keeps each of the ways from being taken, and ProbeError where that is not said.
    """
    if not listener.protocol:
        raise ProbeError(f"Elastic Load Balancing does not say the protocol of the listener on port {listener.port}")
    if listener.protocol not in SPEAKS:
        raise CannotAsk(f"the listener on port {listener.port} is {listener.protocol}, not HTTP: {ELSEWHERE}")
    if listener.wants_certificate:
        said = f"the listener on port {listener.port} wants a certificate of its clients (mutual TLS)"
        raise CannotAsk(f"{said}, and this hook has none: {ELSEWHERE}")
    default = Rule("default", "the default action", listener.default, requires_login=listener.requires_login)
    ways = [*([] if listener.by_rules else [default]), *listener.to_the_pair()]
    why: dict[str, None] = {}  # each reason once, in order
    for path in (health.path, None):  # a literal path only where no rule takes the health check's
        for rule in ways:
            try:
                request = _by(rule, health, path, host, with_headers=bool(listener.headers))
                listener.require_route_to_green(request.host or name, request.path, listener.headers)
            except (CannotAsk, Misrouted) as problem:
                why[str(problem).partition(": set ")[0]] = None
                continue
            sure = (each for each in listener.rules if each.only_host_and_path)
            taker = next((each for each in sure if _takes(each, request.host or name, request.path)), default)
            if not taker.requires_login and not taker.redirects:
                return request
            does = "asks for a login first" if taker.requires_login else f"redirects {request.path}"
            why[f"{taker.where} {does}"] = None
    raise CannotAsk(f"{'; '.join(why)}: {DECLARE}")


def literal_host(listener: Listener) -> Optional[str]:
    """The first host that a rule to the pair names without a wildcard."""
    return _first_literal(host for rule in listener.to_the_pair() for host in rule.hosts)


def _first_literal(hosts: Iterable[str]) -> Optional[str]:
    return next((host for host in hosts if re.fullmatch(HOST, host)), None)


def _by(rule: Rule, health: HttpCheck, path: Optional[str], host: Optional[str], *, with_headers: bool) -> HttpCheck:
    """The request that the rule takes, with this path or else with one of the rule's.

    `with_headers`: it is sent with the headers that the rule asks for. Raises CannotAsk where there is none.
    """
    named = f"rule {rule.priority} ({rule.where})"
    if not (rule.only_host_and_path or with_headers):
        raise CannotAsk(f"{named} asks for more than a host and a path")
    if host and not rule.matches_host(host.partition(":")[0]):
        raise CannotAsk(f"{named} does not take host {host}")
    host = host or _first_literal(rule.hosts)
    if rule.hosts and not host:
        raise CannotAsk(f"{named} takes hosts by a wildcard only")
    if path:
        return replace(health, host=host)
    literal = _literal_path(rule, host or "")
    if not literal:
        raise CannotAsk(f"{named} takes neither {health.path} nor a path without a wildcard")
    return replace(health, host=host, path=literal, status=ANSWERED)


def _literal_path(rule: Rule, host: str) -> str:
    """The longest beginning that all the rule's paths have, if it takes that, else one that it takes; empty if none."""
    beginnings = [re.split(r"[*?]", pattern)[0] for pattern in rule.paths or ("/",)]
    common = os.path.commonprefix(beginnings)  # noqa: RUF071  # letter by letter
    found = [common, *sorted(beginnings, key=len, reverse=True)]
    return next((path for path in found if re.fullmatch(PATH, path) and _takes(rule, host, path)), "")


def _takes(rule: Rule, host: str, path: str) -> bool:
    return rule.matches(host, path, has_header_or_query=False)
