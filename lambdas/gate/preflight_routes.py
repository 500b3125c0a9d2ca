"""The ways to the service before anything is made: listeners and rules, room for the tasks, and the alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from gate import aws
from gate.alarms import NOT_IN_ALARM, judge_alarms, read_alarms
from gate.elb import Listener, Rule, TargetGroup
from gate.names import check
from gate.preflight_blue import Blue
from gate.release import Release
from gate.verdict import Finding, NotFound, ProbeError, Severity, failed, passed, skipped

LISTENERS = "elasticloadbalancing:DescribeListeners"
RULES = "elasticloadbalancing:DescribeRules"
BALANCERS = "elasticloadbalancing:DescribeLoadBalancers"
NO_SUBNETS = "the tasks have no subnets of their own (not awsvpc)"


class Routes:
    """Can the traffic be moved, and back? Properties raise ProbeError where AWS does not tell."""

    def __init__(self, blue: Blue, release: Release) -> None:
        self.blue = blue
        self.release = release
        self.deployment = blue.deployment

    @property
    def production(self) -> Listener:
        """The production listener."""
        return self.deployment.memoize("production listener", self.deployment.production_listener)

    @property
    def test(self) -> Optional[Listener]:
        """The test listener; None if the deployment group has none."""
        return self.deployment.memoize("test listener", self.deployment.test_listener)

    @property
    def _pair(self) -> set[str]:
        return {group.arn for group in self.deployment.target_groups}

    @check()
    def target_groups(self) -> Finding:
        """The deployment group has two target groups, and both exist."""
        names = [group.name for group in self.deployment.target_groups]
        if len(names) != 2:
            said = f"expected 2 target groups in the pair of {self.deployment.words.group}"
            return failed(f"{said}, found {', '.join(names) or 'none'}: name both")
        return passed(f"target groups {' and '.join(names)} exist")

    @check(calls=[LISTENERS, RULES])
    def production_weights(self) -> Finding:
        """All production traffic, by default action and rules, goes to the target group that serves now."""
        idle = self._pair - {self.blue.group.arn}
        for_tests = self.deployment.routes("test")  # a rule of this listener may be the test route: see test_weights
        moved = [rule for rule in self.production.rules if rule.arn not in for_tests]
        rules = [self._in_words(rule, "production") for rule in moved if _led_to(rule) & idle]
        if rules:
            said = f"{'; '.join(rules)}: its customers would meet green before any hook has"
            return failed(f"{said}; put it back on {self.blue.group.name}{self.deployment.words.leave_alone}")
        found = [self._leads_to_blue("production", self.production, self.blue.group)]
        for other in self.deployment.further:
            pair = {group.arn for group in other.target_groups}
            if pair & {*self.blue.side.target_groups}:  # else it comes with this deployment
                serving = other.target_group_of(self.blue.side)
                found.append(self._leads_to_blue("production", other.production_listener(), serving))
        return next((each for each in found if not each.ok), found[0])

    @check(calls=[LISTENERS, RULES])
    def test_weights(self) -> Finding:
        """The test listener forwards to the target group that serves now, as CodeDeploy expects at the start."""
        if self.test is None:
            return skipped(f"{self.deployment.words.group} has no test listener")
        found = self._leads_to_blue("test", self.test, self.blue.group)
        led_to = _led_to(self.test)
        if not found.ok and self.test.route and led_to and led_to <= self._pair:
            # As AWS's pages for ECS have it at first.
            leads = self.deployment.weights_in_words(self.test)
            return passed(f"the rule for tests forwards to {leads}: {self.deployment.words.mover} moves it")
        # AWS's guide wants blue there; stacks whose test listener forwards to the idle group at first are deployed.
        return replace(found, advisory=not found.ok and bool(led_to) and led_to <= self._pair)

    def _leads_to_blue(self, word: str, listener: Listener, blue: TargetGroup) -> Finding:
        if listener.serves_only(blue.arn):
            return passed(f"{word} listener on port {listener.port} forwards to {blue.name}, which serves now")
        leads = self.deployment.weights_in_words(listener)
        which = "it" if listener.route else "its default action"
        return failed(
            f"{word} listener on port {listener.port} forwards to {leads}, not just to {blue.name}, the primary task "
            f"set's target group: put {which} back on that one{self.deployment.words.leave_alone}"
        )

    @check(Severity.WARN, calls=[LISTENERS, RULES])
    def listener_rules(self) -> Finding:
        """No rule mixes the pair with target groups outside it; rules that lead outside are named."""
        mixed: list[str] = []
        outside: list[str] = []
        for word, listener in {"production": self.production, "test": self.test}.items():
            for rule in listener.rules if listener else ():
                if _led_to(rule) - self._pair:
                    found = mixed if _led_to(rule) & self._pair else outside
                    found.append(self._in_words(rule, word))
        if mixed:
            return failed(f"{'; '.join(mixed)}: only part of its traffic would shift; let it forward to the pair alone")
        return passed(f"not this deployment's: {'; '.join(outside)}" if outside else "no rule forwards elsewhere")

    def _in_words(self, rule: Rule, word: str) -> str:
        leads = self.deployment.weights_in_words(rule)
        return f"rule {rule.priority} ({rule.where}) of the {word} listener forwards to {leads}"

    @check(calls=[LISTENERS, RULES])
    def other_listeners(self) -> Finding:
        """No other listener of the load balancer forwards to the pair: CodeDeploy moves only the production one."""
        others = self.deployment.other_listeners()
        if others:
            named = "; ".join(each.words for each in others)
            return failed(f"{named}: {self.deployment.why_no_other_listeners(others)}")
        return passed(f"no listener beside those of {self.deployment.words.group} forwards to its target groups")

    @check(calls=["ec2:DescribeSubnets", LISTENERS, BALANCERS])
    def availability_zones(self) -> Finding:
        """The load balancer serves the zones of the tasks' subnets: targets in others get no traffic and no checks."""
        zones = {str(subnet.get("AvailabilityZone")) for subnet in self._subnets}
        if not zones:
            return skipped(NO_SUBNETS)
        served = self.deployment.load_balancer(self.production).zones
        strange = ", ".join(sorted(zones - set(served)))
        if strange:
            said = f"tasks may run in {strange}, the load balancer serves {', '.join(served)}"
            return failed(f"{said}: add a subnet of that zone to it")
        return passed(f"the load balancer serves {', '.join(sorted(zones))}")

    @check(calls=["ec2:DescribeSubnets"])
    def free_addresses(self) -> Finding:
        """The tasks' subnets have an address for each task to come."""
        if not self._subnets:
            return skipped(NO_SUBNETS)
        if any(subnet.get("Ipv6Native") for subnet in self._subnets):  # AWS counts the free IPv4 addresses only
            return skipped("a subnet of the tasks has IPv6 addresses only, enough for all")
        free = sum(int(subnet.get("AvailableIpAddressCount", 0)) for subnet in self._subnets)
        needed, names = self.blue.current.desired, ", ".join(str(subnet.get("SubnetId")) for subnet in self._subnets)
        if free < needed:
            return failed(f"{free} free address(es) in {names}, green needs {needed}: add a subnet")
        return passed(f"{free} free addresses in {len(self._subnets)} subnet(s), green needs {needed}")

    @check(calls=["cloudwatch:DescribeAlarms"], parts=["{alarm}"])
    def alarms(self) -> list[Finding]:
        """The deployment group's alarms exist and none fires: one that does stops the deployment during Install."""
        names = self.deployment.alarm_names
        if not names:
            return [skipped(f"{self.deployment.words.group} watches no alarm")]
        return judge_alarms(read_alarms(names), dict.fromkeys(names, NOT_IN_ALARM), None, "fail")

    @property
    def _subnets(self) -> list[Mapping[str, Any]]:
        """The tasks' subnets, none where they have none of their own; raises NotFound for those that are gone."""
        return self.deployment.memoize("subnets", self._read_subnets)

    def _read_subnets(self) -> list[Mapping[str, Any]]:
        wanted = list(self.release.network.get("subnets") or [])
        if not wanted:
            if self.release.definition.get("networkMode") == "awsvpc":
                raise ProbeError("ECS does not say in which subnets green's tasks will run")
            return []
        # By filter: asked for by id, EC2 would name only the first that is missing.
        filters = [{"Name": "subnet-id", "Values": wanted}]
        found = aws.call("ec2", "describe_subnets", Filters=filters).get("Subnets") or []
        missing = sorted(set(wanted) - {str(subnet.get("SubnetId")) for subnet in found})
        if missing:
            raise NotFound(f"subnet {', '.join(missing)} does not exist: fix the network configuration")
        return list(found)


def _led_to(source: Listener | Rule) -> set[str]:
    """The target groups that get requests, by ARN."""
    return {arn for arn, weight in source.weights.items() if weight}
