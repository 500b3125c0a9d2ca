"""What the two traffic hooks will ask: is there a way to green, and do their requests come through?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from gate import aws
from gate.default_request import CannotAsk, health_request, no_test_listener, none_and_no_addresses, request_through
from gate.elb import Listener, Misrouted
from gate.names import check
from gate.network import Caller, shut_out_of, shut_out_of_tasks
from gate.options import key_of
from gate.options.requests import normalised, placeholders, shown_address
from gate.preflight_hooks import LOOK_UP, HookFunction, judge_function, later_hooks
from gate.preflight_routes import BALANCERS, LISTENERS, RULES, Routes
from gate.verdict import Finding, Severity, failed, noted, passed, severity_for, skipped

TEST = "AfterAllowTestTraffic"
EVENTS = (TEST, "AfterAllowTraffic")


class RequestChecks:
    """The requests of the hooks' functions, along the routes to green."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.release = routes.release
        self.deployment = routes.deployment

    @check(calls=[LISTENERS, LOOK_UP])
    def test_listener(self) -> Finding:
        """A hook that tests before production has a way to green: a test listener of its own, or another."""
        test, group = self.routes.test, self.deployment.words.group
        if test is None and TEST not in later_hooks(self.deployment):
            return skipped(f"{group} has no test listener: no test traffic will be validated")
        if test is None:
            return judge_function(self.deployment, "test_listener", TEST, self._tests_without)
        if (test.arn, test.route) == (self.routes.production.arn, self.routes.production.route):
            return failed(f"the test listener is the production listener: give {group} one of its own")
        return passed(f"test listener on port {test.port} ({test.protocol}) exists")

    def _tests_without(self, function: HookFunction) -> Finding:
        """Whether the function has another way to green than a test listener."""
        options, green = function.options, self.routes.blue.idle_group
        if function.hook != "validate_test_traffic":
            return skipped(f"{function.called} runs {function.hook}, which sends nothing through a test listener")
        if options is None:
            return skipped(f"the options of {function.hook} cannot be used: see hook_settings")
        if options.base_url:
            return passed(f"no test listener; {function.hook} asks {shown_address(options.base_url)} (base_url)")
        if severity_for("test_listener", Severity.FAIL, options.checks) is not Severity.FAIL:
            return skipped(f"no test listener, which {function.hook} is told not to need", opted_out=True)
        if green.target_type != "ip":
            return failed(none_and_no_addresses(green, self.deployment.words))
        if not function.caller().in_vpc:
            return failed(no_test_listener(self.deployment.words))
        return passed(f"no test listener; {function.hook} is inside the VPC and asks green's targets directly")

    @check(
        calls=["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", LISTENERS, BALANCERS, RULES, LOOK_UP],
        parts=["{event}"],
    )
    def requests(self) -> Iterator[Finding]:
        """What the traffic hooks ask reaches green; where nothing can be asked by default it is said, with the cure."""
        events = [event for event in EVENTS if event in later_hooks(self.deployment)]
        for event in events:
            yield judge_function(self.deployment, f"requests:{event}", event, self._comes_through)
        if not events:
            yield skipped(f"{self.deployment.words.source} names no hook that sends requests")

    def _comes_through(self, function: HookFunction) -> Finding:
        options = function.options
        if function.hook not in ("validate_test_traffic", "validate_production"):
            return skipped(f"{function.called} runs {function.hook}, which sends no request")
        if options is None:
            return skipped(f"the options of {function.hook} cannot be used: see hook_settings")
        listener = self.routes.production if function.hook == "validate_production" else self.routes.test
        if listener is None:
            return self._comes_to_targets(function)
        if getattr(options, "base_url", None):
            return passed(f"{function.hook} will ask {shown_address(options.base_url)} (base_url)")
        balancer = self.deployment.load_balancer(listener)
        shut_out = shut_out_of(balancer, listener.port, self._caller(function))
        declared = dict(_declared(options))
        if declared and shut_out:
            return failed(f"{function.hook} is to ask {next(iter(declared))}, and {shut_out}")
        found = [_misrouted(listener, options, request, balancer.dns_name) for request in declared.values()]
        wrong = [f"{function.hook}.{place}: {problem}" for place, problem in zip(declared, found) if problem]
        if wrong:
            return failed("; ".join(wrong))
        if options.http_checks or options.flows:
            return passed(f"the requests of {function.hook} are routed to green")
        if shut_out:
            return noted(f"{function.hook} will send no request: {shut_out}")
        return self._by_default(function.hook, options.host, listener, balancer.dns_name)

    def _by_default(self, hook: str, host: str | None, listener: Listener, name: str) -> Finding:
        """What the hook asks where nothing is declared, or why it asks nothing; `name`: the load balancer's."""
        try:
            request = request_through(listener, health_request(self.routes.blue.idle_group, self._ports), name, host)
        except CannotAsk as problem:
            rules = listener.to_the_pair() if listener.by_rules else []
            if host and rules and not any(rule.matches_host(host.partition(":")[0]) for rule in rules):
                return failed(f"{hook}.host: {problem}")
            return noted(f"{hook} will send no request: {problem}")
        of_host = f" of {request.host}" if request.host else ""
        return passed(f"{hook} will ask {request.path}{of_host} on port {listener.port}")

    def _comes_to_targets(self, function: HookFunction) -> Finding:
        """The same where each of green's targets is asked by its own address."""
        caller, green = self._caller(function), self.routes.blue.idle_group
        if function.options.base_url or not caller.in_vpc or green.target_type != "ip":
            return skipped("no test listener: see test_listener")
        if not (function.options.http_checks or function.options.flows):
            try:
                health_request(green, self._ports)
            except CannotAsk as problem:
                return noted(f"{function.hook} will send no request: {problem}")
        groups = list(self.release.network.get("securityGroups") or [])
        shut_out = shut_out_of_tasks(groups, self.release.plan.container_port, caller)
        if shut_out:
            return failed(f"{function.hook} is to ask green's targets directly, and {shut_out}")
        return passed(f"{function.hook} will ask each of green's targets directly")

    @property
    def _ports(self) -> list[int]:
        """The ports at which green's targets will take traffic, where they are known before."""
        mappings = self.release.container.get("portMappings") or []
        mapped = [int(mapping["hostPort"]) for mapping in mappings if mapping.get("hostPort")]
        return [self.release.plan.container_port, *mapped]

    def _caller(self, function: HookFunction) -> Caller:
        """Where the function's requests come from, with the addresses of its subnets; none outside a VPC."""
        subnets = list((function.configuration.get("VpcConfig") or {}).get("SubnetIds") or [])
        if not subnets:
            return function.caller()
        filters = [{"Name": "subnet-id", "Values": subnets}]
        read = partial(aws.call, "ec2", "describe_subnets", Filters=filters)
        found = self.deployment.memoize(f"subnets {subnets}", read)
        return function.caller([str(subnet.get("CidrBlock")) for subnet in found.get("Subnets") or []])


def _declared(options: Any) -> Iterator[tuple[str, Any]]:
    """The declared requests that go to the hook's listener, by their place in the options."""
    for name, request in options.http_checks.items():
        if not request.url:
            yield f"http_checks{key_of(name)}", request
    for name, flow in options.flows.items():
        for number, step in enumerate(flow.steps):
            if not step.url:
                yield f"flows{key_of(name)}.steps[{number}]", step
    if getattr(options, "load", None):
        yield "load", options.load


def _misrouted(listener: Listener, options: Any, request: Any, name: str) -> str:
    """Why a declared request does not come to green, as far as is known; `name`: the load balancer's."""
    if placeholders(request.path):
        return ""
    headers = {**listener.headers, **options.headers, **request.headers, **getattr(request, "secret_headers", {})}
    try:
        listener.require_route_to_green(request.host or options.host or name, normalised(request.path), headers)
    except Misrouted as problem:
        return str(problem)
    return ""
