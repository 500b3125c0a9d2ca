"""What Elastic Load Balancing says of target groups, listeners and their rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Optional

from gate import aws
from gate.verdict import NotFound, ProbeError


@dataclass(frozen=True)
class TargetGroup:
    """One of the two target groups.

    `matcher` is the health check's codes, such as "200-299"; `health_port` is "traffic-port" or a number as text.
    """

    arn: str
    name: str
    protocol: str
    protocol_version: str  # HTTP1, HTTP2 or GRPC; empty for other protocols
    port: Optional[int]
    target_type: str
    health_protocol: str
    health_port: str
    health_path: str
    matcher: str
    load_balancers: tuple[str, ...]  # those whose listeners or rules forward to it, by ARN

    @property
    def dimension(self) -> str:
        """The value of CloudWatch's TargetGroup dimension."""
        return self.arn.rpartition(":")[2]


DEFAULT = "default"  # a listener's default action, as a route


class Misrouted(ProbeError):
    """A listener forwards a request to somebody else than the pair."""


@dataclass(frozen=True)
class Rule:
    """A listener's rule, not its default action. `where` is its conditions, in words.

    `hosts` and `paths`: patterns of which one has to match, as Elastic Load Balancing has them; none: any will do.
    `needs_header_or_query`: it has a condition on one of them, too. `only_host_and_path`: a GET has to meet no other
    conditions. `redirects`: it answers with a redirect. `requires_login`: a request without a session gets a login.
    `headers`: those that a request has to have, with a value that will do, where each has a literal one.
    `header_patterns`: the same with all values, as patterns. `is_plain`: no other conditions than on host, path and
    headers, and each of them can be evaluated here.
    """

    priority: str
    where: str
    weights: Mapping[str, int]
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    needs_header_or_query: bool = False
    only_host_and_path: bool = True
    redirects: bool = False
    requires_login: bool = False
    arn: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    header_patterns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_plain: bool = True

    def takes(self, host: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether it takes a request for certain."""
        given = {name.lower(): value for name, value in headers.items()}
        return (
            self.is_plain
            and self.matches(host, path, has_header_or_query=True)
            and all(
                any(_is_like(given.get(name.lower(), ""), pattern) for pattern in patterns) and name.lower() in given
                for name, patterns in self.header_patterns.items()
            )
        )

    @property
    def takes_everything(self) -> bool:
        """Whether no request comes to what stands after it."""
        return self.is_plain and not (self.hosts or self.header_patterns) and bool({"*", "/*"} & {*self.paths})

    def matches_host(self, host: str) -> bool:
        """Whether a request to this host may be one of the rule's."""
        return not self.hosts or any(_is_like(host.lower(), pattern.lower()) for pattern in self.hosts)

    def matches(self, host: str, path: str, *, has_header_or_query: bool) -> bool:
        """Whether a request may be one of the rule's; `has_header_or_query`: it has headers of its own, or a query."""
        return (
            self.matches_host(host)
            and (not self.paths or any(_is_like(path, pattern) for pattern in self.paths))
            and (has_header_or_query or not self.needs_header_or_query)
        )


@dataclass(frozen=True)
class Listener:
    """A listener and where it forwards to. Its rules are read when they are first asked for.

    `route`: the ARN of the one rule that is moved, `DEFAULT` if that is the default action, empty if it is the listener
    with all of its rules.
    """

    arn: str
    load_balancer_arn: str
    protocol: str
    port: int
    default: Mapping[str, int]  # target group → weight, of its default action
    pair: frozenset[str]  # the deployment's two target groups, by ARN
    read_rules: Callable[[], Sequence[Rule]]
    requires_login: bool = False  # its default action: who has no session is sent to a login
    wants_certificate: bool = False  # of whoever connects (mutual TLS), or there is no answer
    route: str = ""

    @property
    def rules(self) -> Sequence[Rule]:
        """Its rules, the first to be asked first. Only an Application Load Balancer's listeners have any."""
        return [rule for rule in self._all_rules if rule.priority != DEFAULT]

    @property
    def default_arn(self) -> str:
        """The ARN of its default rule, which is its default action; empty if it has no rules."""
        return next((rule.arn for rule in self._all_rules if rule.priority == DEFAULT), "")

    @cached_property
    def _all_rules(self) -> Sequence[Rule]:
        return self.read_rules() if self.protocol in ("HTTP", "HTTPS") else ()

    @property
    def by_rules(self) -> bool:
        """Whether only rules may forward to the pair: the default action answers, or is another service's."""
        return self.route != DEFAULT if self.route else not self.pair & self.default.keys()

    @cached_property
    def weights(self) -> Mapping[str, int]:
        """Target group → weight: of the default action or, where only rules forward to the pair, of these together."""
        moved = next((rule for rule in self.rules if rule.arn == self.route), None) if self.route else None
        if moved:
            return moved.weights
        ruled: dict[str, int] = {}
        for rule in self.to_the_pair() if self.by_rules else ():
            for arn in self.pair & rule.weights.keys():
                ruled[arn] = ruled.get(arn, 0) + rule.weights[arn]
        return ruled or self.default

    def to_the_pair(self) -> list[Rule]:
        """The rules of the route that forward to the deployment's target groups."""
        of_route = [rule for rule in self.rules if self.route in ("", rule.arn)]
        return [rule for rule in of_route if self.pair & rule.weights.keys()]

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers without which no rule of the route takes a request."""
        rules = self.to_the_pair() if self.route else []
        return rules[0].headers if rules else {}

    def serves_only(self, target_group_arn: str) -> bool:
        """Whether all its traffic goes to this target group."""
        return self.weights.get(target_group_arn, 0) > 0 and all(
            weight == 0 for arn, weight in self.weights.items() if arn != target_group_arn
        )

    def misrouted(self, target_group_arn: str) -> list[Rule]:
        """The rules that forward to the pair, and not to this target group of it alone.

        A deployment's shift may leave them behind, and so may whoever writes rules meanwhile.
        """
        return [
            rule
            for rule in self.to_the_pair()
            if any(weight for arn, weight in rule.weights.items() if arn != target_group_arn)
        ]

    def require_route_to_green(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        """Raise Misrouted for a request that somebody else than the pair would answer, and maybe well.

        Where that cannot be told, as by a rule's regular expression, the request is let pass.
        """
        host = next((value for name, value in headers.items() if name.lower() == "host"), host).partition(":")[0]
        path, _, query = path.partition("?")
        ours = self.to_the_pair()
        for rule in self.rules:
            if rule in ours:
                if rule.matches(host, path, has_header_or_query=bool(headers or query)):
                    if self.route and not rule.takes(host, path, headers):
                        self._refuse_if_blue_may_answer(rule, f"{path} of {host}")
                    return
            elif rule.only_host_and_path and rule.matches(host, path, has_header_or_query=False):
                if rule.redirects:
                    return
                raise Misrouted(
                    f"rule {rule.priority} ({rule.where}) of the listener takes {path} of {host}, and does not forward "
                    "to green: set host or path to what green answers, or url to ask somebody else"
                )
        if self.by_rules:
            leads = " or ".join(rule.where for rule in self.to_the_pair())
            raise Misrouted(
                f"only rules of the listener forward to green ({leads}), and none takes {path} of {host}: set host, "
                "path or headers by one of them"
            )

    def _refuse_if_blue_may_answer(self, rule: Rule, request: str) -> None:
        """Raise Misrouted where a request that the rule does not take comes to the pair all the same."""
        rest = self.rules[self.rules.index(rule) + 1 :]
        if any(self.pair & weights.keys() for weights in (self.default, *(each.weights for each in rest))):
            raise Misrouted(
                f"whether rule {rule.priority} ({rule.where}), which forwards to green, takes {request} cannot be "
                "told, and what it does not take may go to blue: set host, path or headers by it"
            )


@dataclass(frozen=True)
class OtherListener:
    """A listener's default action, or a rule, beside the deployment group's own; what it forwards to, also in words.

    `elsewhere`: it is on another load balancer than the production listener.
    """

    words: str
    weights: Mapping[str, int]
    elsewhere: bool = False


@dataclass(frozen=True)
class LoadBalancer:
    """The load balancer in front of the service."""

    arn: str
    dns_name: str
    kind: str  # application or network
    state: str
    zones: tuple[str, ...]  # the availability zones it serves
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    scheme: str = ""  # internet-facing or internal

    @property
    def dimension(self) -> str:
        """The value of CloudWatch's LoadBalancer dimension."""
        return self.arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True)
class Target:
    """A registered target and its health: healthy, initial, unhealthy, unused, draining, …"""

    address: str
    port: Optional[int]
    state: str
    reason: str
    description: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Target:
        """Read one entry of DescribeTargetHealth's answer."""
        target, health = answer.get("Target") or {}, answer.get("TargetHealth") or {}
        return cls(
            address=str(target.get("Id", "")),
            port=target.get("Port"),
            state=str(health.get("State", "unknown")),
            reason=str(health.get("Reason") or ""),
            description=str(health.get("Description") or ""),
        )

    def __str__(self) -> str:
        why = ": ".join(part for part in (self.reason, self.description) if part)
        return f"{self.address}:{self.port} is {self.state}" + (f" ({why})" if why else "")


def read_target_groups(wanted: Sequence[str], cure: str) -> list[TargetGroup]:
    """The target groups of these names, or all of these ARNs; raises NotFound, with the cure, if one does not exist."""
    by_arn = wanted[0].startswith("arn:")
    try:
        asked: Mapping[str, Any] = {"TargetGroupArns" if by_arn else "Names": list(wanted)}
        answer = aws.call("elbv2", "describe_target_groups", **asked)
    except aws.AwsCallFailed as problem:
        if "TargetGroupNotFound" in problem.code:  # the answer does not say which
            raise NotFound(f"not all of target groups {', '.join(wanted)} exist: {cure}") from problem
        raise
    found = [_target_group(entry) for entry in answer.get("TargetGroups") or []]
    missing = ", ".join(sorted(set(wanted) - {group.arn if by_arn else group.name for group in found}))
    if missing:  # of none, each check of all of them would hold
        raise ProbeError(f"Elastic Load Balancing answered nothing of target group {missing}")
    return found


def read_targets(target_group: TargetGroup) -> list[Target]:
    """The targets of a target group and their health, now."""
    answer = aws.call("elbv2", "describe_target_health", TargetGroupArn=target_group.arn)
    return [Target.of(entry) for entry in answer.get("TargetHealthDescriptions") or []]


def read_listener(route: str, word: str, pair: Sequence[TargetGroup], cure: str) -> Listener:
    """The listener of a route, the ARN of a listener or of a rule, as it is now.

    `word`: what messages call it. Raises NotFound, with the cure, if there is none.
    """
    arn = listener_of(route)
    try:
        found = aws.call("elbv2", "describe_listeners", ListenerArns=[arn]).get("Listeners") or []
    except aws.AwsCallFailed as problem:
        if problem.code == "ListenerNotFound":
            raise NotFound(f"{word} listener {arn} does not exist: {cure}") from problem
        raise
    if not found:
        raise ProbeError(f"Elastic Load Balancing answered nothing for {word} listener {arn}")
    listener = _listener({**found[0], "ListenerArn": arn}, pair)
    if route == arn:
        return listener
    if route not in (listener.default_arn, *(rule.arn for rule in listener.rules)):
        raise NotFound(f"the rule of the {word} traffic, {route}, does not exist: {cure}")
    return replace(listener, route=DEFAULT if route == listener.default_arn else route)


def listener_of(route: str) -> str:
    """The ARN of a listener, of its own or of one of its rules."""
    if ":listener-rule/" not in route:
        return route
    return route.replace(":listener-rule/", ":listener/").rpartition("/")[0]


def listeners_of(load_balancer_arn: str, pair: Sequence[TargetGroup]) -> Iterator[Listener]:
    """All listeners of a load balancer."""
    for entry in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=load_balancer_arn):
        yield _listener(entry, pair)


def read_load_balancer(arn: str) -> LoadBalancer:
    """A load balancer."""
    found = aws.call("elbv2", "describe_load_balancers", LoadBalancerArns=[arn]).get("LoadBalancers") or []
    if not found:
        raise ProbeError(f"load balancer {arn} does not exist")
    entry = found[0]
    return LoadBalancer(
        arn=str(entry.get("LoadBalancerArn", "")),
        dns_name=str(entry.get("DNSName", "")),
        kind=str(entry.get("Type", "")),
        state=str((entry.get("State") or {}).get("Code", "unknown")),
        zones=tuple(str(zone.get("ZoneName")) for zone in entry.get("AvailabilityZones") or []),
        subnets=tuple(str(zone.get("SubnetId")) for zone in entry.get("AvailabilityZones") or []),
        security_groups=tuple(map(str, entry.get("SecurityGroups") or [])),
        scheme=str(entry.get("Scheme") or ""),
    )


def _listener(entry: Mapping[str, Any], pair: Sequence[TargetGroup]) -> Listener:
    if not entry.get("ListenerArn"):
        raise ProbeError("Elastic Load Balancing does not say the ARN of a listener")
    arn, actions = str(entry["ListenerArn"]), entry.get("DefaultActions") or []
    return Listener(
        arn=arn,
        load_balancer_arn=str(entry.get("LoadBalancerArn", "")),
        protocol=str(entry.get("Protocol", "")),
        port=int(entry.get("Port", 0)),
        default=_weights(actions),
        pair=frozenset(group.arn for group in pair),
        read_rules=partial(_read_rules, arn),
        requires_login=_requires_login(actions),
        wants_certificate=(entry.get("MutualAuthentication") or {}).get("Mode") == "verify",
    )


def _target_group(entry: Mapping[str, Any]) -> TargetGroup:
    matcher = entry.get("Matcher") or {}
    return TargetGroup(
        arn=str(entry.get("TargetGroupArn", "")),
        name=str(entry.get("TargetGroupName", "")),
        protocol=str(entry.get("Protocol", "")),
        protocol_version=str(entry.get("ProtocolVersion") or ""),
        port=entry.get("Port"),
        target_type=str(entry.get("TargetType", "")),
        health_protocol=str(entry.get("HealthCheckProtocol") or "not said"),
        health_port=str(entry.get("HealthCheckPort") or "traffic-port"),
        health_path=str(entry.get("HealthCheckPath") or "/"),
        matcher=str(matcher.get("HttpCode") or matcher.get("GrpcCode") or "200"),
        load_balancers=tuple(map(str, entry.get("LoadBalancerArns") or [])),
    )


def _weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Target group → weight. With several groups the action has no TargetGroupArn; with one, it may have no weight."""
    weights: dict[str, int] = {}
    for action in actions:
        if action.get("Type") != "forward":
            continue
        entries = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        for entry in entries:
            if not entry.get("TargetGroupArn"):
                raise ProbeError("Elastic Load Balancing does not say to which target group an action forwards")
            if "Weight" not in entry and len(entries) > 1:
                raise ProbeError(f"Elastic Load Balancing does not say which weight {entry['TargetGroupArn']} has")
            weights[str(entry["TargetGroupArn"])] = int(entry.get("Weight", 1))
        if action.get("TargetGroupArn") and not weights:
            weights[str(action["TargetGroupArn"])] = 1
    return weights


def _read_rules(listener_arn: str) -> list[Rule]:
    """A listener's rules by their priority, the default one last."""
    entries = list(aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn))
    if not entries:  # each listener has a default one
        raise ProbeError(f"elasticloadbalancing:DescribeRules answered no rule for listener {listener_arn}")
    for entry in entries:
        if "IsDefault" not in entry:
            raise ProbeError(f"Elastic Load Balancing does not say which rule of {listener_arn} is the default one")
        if not entry["IsDefault"] and not str(entry.get("Priority", "")).isdecimal():
            raise ProbeError(f"Elastic Load Balancing does not say which priority a rule of {listener_arn} has")
    own = [entry for entry in entries if not entry["IsDefault"]]
    default = [Rule(DEFAULT, "", {}, arn=str(entry.get("RuleArn") or "")) for entry in entries if entry["IsDefault"]]
    return [*(_rule(entry) for entry in sorted(own, key=lambda entry: int(entry["Priority"]))), *default]


def _rule(entry: Mapping[str, Any]) -> Rule:
    priority, conditions = str(entry["Priority"]), entry.get("Conditions") or []
    if not conditions or not all(
        each.get("Field") and _values_of(each, "Values", "RegexValues") for each in conditions
    ):
        raise ProbeError(f"Elastic Load Balancing does not say which requests rule {priority} takes")
    if not all(action.get("Type") for action in entry.get("Actions") or [{}]):
        raise ProbeError(f"Elastic Load Balancing does not say what rule {priority} does")
    patterns = {str(each["Field"]): _values_of(each, "Values") for each in conditions}
    if "GET" in patterns.get("http-request-method", ()):
        del patterns["http-request-method"]
    return Rule(
        priority=priority,
        where="; ".join(map(_condition_in_words, conditions)),
        weights=_weights(entry.get("Actions") or []),
        hosts=patterns.get("host-header", ()),
        paths=patterns.get("path-pattern", ()),
        needs_header_or_query=bool({"http-header", "query-string"} & patterns.keys()),
        only_host_and_path=patterns.keys() <= {"host-header", "path-pattern"} and all(patterns.values()),
        redirects=any(action.get("Type") == "redirect" for action in entry.get("Actions") or []),
        requires_login=_requires_login(entry.get("Actions") or []),
        arn=str(entry.get("RuleArn") or ""),
        headers=_literal_headers(conditions),
        header_patterns=_header_patterns(conditions),
        is_plain=patterns.keys() <= {"host-header", "path-pattern", "http-header"} and all(patterns.values()),
    )


def _header_patterns(conditions: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The headers that the conditions ask for, each with the patterns of which its value has to be like one."""
    named = [((each.get("HttpHeaderConfig") or {}).get("HttpHeaderName"), each) for each in conditions]
    return {str(name): _values_of(each, "Values") for name, each in named if name}


def _literal_headers(conditions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The headers that the conditions ask for, with a literal value; none where one of them cannot be met by these."""
    if not {str(each.get("Field")) for each in conditions} <= {"host-header", "path-pattern", "http-header"}:
        return {}
    wanted = _header_patterns(conditions)
    literal = {name: [each for each in values if not set(each) & set("*?")] for name, values in wanted.items()}
    return {name: values[0] for name, values in literal.items()} if all(literal.values()) else {}


def _requires_login(actions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an action asks for a login (OIDC, Cognito) or a token before the request goes on."""
    return any(str(action.get("Type")).startswith(("authenticate-", "jwt-")) for action in actions)


def _condition_in_words(condition: Mapping[str, Any]) -> str:
    header = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName")
    if header:  # its value is often the secret by which a CDN shows who it is
        return f"{condition['Field']} {header}: ***"
    return f"{condition['Field']} {', '.join(_values_of(condition, 'Values', 'RegexValues'))}"


_CONFIGS = (
    "HostHeaderConfig",
    "PathPatternConfig",
    "HttpHeaderConfig",
    "QueryStringConfig",
    "HttpRequestMethodConfig",
    "SourceIpConfig",
)


def _values_of(condition: Mapping[str, Any], *members: str) -> tuple[str, ...]:
    """The values of a rule's condition, each once: ELB may say them twice. One of a query may be `key=value`."""
    places = [condition, *(condition.get(name) or {} for name in _CONFIGS)]
    values = [value for place in places for member in members for value in place.get(member) or []]
    words = (
        "=".join(str(value[key]) for key in ("Key", "Value") if value.get(key)) if isinstance(value, Mapping) else value
        for value in values
    )
    return tuple(dict.fromkeys(map(str, words)))


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern of a rule has it: `*` is any characters, also none, `?` one."""
    parts = ({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
