"""Who lets whom in: rules of security groups against where a function's requests come from. No AWS."""

from __future__ import annotations

from typing import Any

import pytest
from gate.elb import LoadBalancer
from gate.network import Caller, shut_out_of, shut_out_of_tasks
from gate.verdict import ProbeError

INSIDE = Caller(in_vpc=True, security_groups=("sg-hooks",), ranges=("10.0.3.0/24",))
OUTSIDE = Caller(in_vpc=False, security_groups=())

Rule = dict[str, Any]


def tcp(first: int | None, last: int | None = None, protocol: str = "tcp", **who: Any) -> Rule:
    ports = {} if first is None else {"FromPort": first, "ToPort": first if last is None else last}
    return {"IpProtocol": protocol, **ports, **who}


def ranges(*cidrs: str) -> Any:
    return {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}


def group(name: str) -> Any:
    return {"UserIdGroupPairs": [{"GroupId": name}]}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Rule] | None]:
    """What EC2 says of security groups: their rules, None where it does not say."""
    known: dict[str, list[Rule] | None] = {}

    def call(service: str, operation: str, **parameters: Any) -> Any:
        assert (service, operation) == ("ec2", "describe_security_groups")
        asked = parameters["Filters"][0]["Values"]
        found = [(name, rules) for name, rules in known.items() if name in asked]
        return {
            "SecurityGroups": [
                {"GroupId": name, **({} if rules is None else {"IpPermissions": rules})} for name, rules in found
            ]
        }

    monkeypatch.setattr("gate.aws.call", call)
    return known


@pytest.mark.parametrize(
    ("rule", "caller", "enters"),
    [
        (tcp(8000, **ranges("10.0.3.0/24")), INSIDE, True),
        (tcp(8000, **ranges("10.0.3.128/25")), INSIDE, True),
        (tcp(8000, **ranges("10.0.3.17/16")), INSIDE, True),  # with bits of a host, as people write them
        (tcp(8000, **ranges("10.0.4.0/24")), INSIDE, False),
        (tcp(8000, **ranges("0.0.0.0/0")), INSIDE, True),
        (tcp(8000, **ranges("10.0.0.0/8")), INSIDE, True),
        (tcp(8000, **group("sg-hooks")), INSIDE, True),
        (tcp(8000, **group("sg-other")), INSIDE, False),
        (tcp(8000, **group("sg-other")), Caller(in_vpc=True), True),  # by which groups nobody says
        (tcp(8000, PrefixListIds=[{"PrefixListId": "pl-1"}]), INSIDE, True),
        (tcp(8000, Ipv6Ranges=[{"CidrIpv6": "::/0"}]), INSIDE, True),
        (tcp(8000, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/64"}]), INSIDE, False),
        (tcp(8000), INSIDE, False),
        (tcp(7999, 8001, **group("sg-hooks")), INSIDE, True),
        (tcp(8001, 9000, **group("sg-hooks")), INSIDE, False),
        (tcp(7000, 7999, **group("sg-hooks")), INSIDE, False),
        (tcp(0, 8000, **group("sg-hooks")), INSIDE, True),
        (tcp(8000, 65535, **group("sg-hooks")), INSIDE, True),
        (tcp(None, **group("sg-hooks")), INSIDE, True),  # of all ports EC2 says none
        (tcp(8000, protocol="6", **group("sg-hooks")), INSIDE, True),
        (tcp(None, protocol="-1", **group("sg-hooks")), INSIDE, True),
        (tcp(9, 9, protocol="-1", **group("sg-hooks")), INSIDE, True),
        (tcp(8000, protocol="udp", **group("sg-hooks")), INSIDE, False),
    ],
)
def test_whom_tasks_let_in(told: dict[str, list[Rule] | None], rule: Rule, caller: Caller, enters: bool) -> None:
    told["sg-tasks"] = [rule]
    said = shut_out_of_tasks(["sg-tasks"], 8000, caller)
    assert (said == "") == enters, said


def test_a_port_of_no_rule_is_the_first_or_the_last_one_too(told: dict[str, list[Rule] | None]) -> None:
    told["sg-tasks"] = [{"IpProtocol": "tcp", **group("sg-hooks")}]
    assert [shut_out_of_tasks(["sg-tasks"], port, INSIDE) for port in (0, 65535)] == ["", ""]


def balancer(scheme: str, *groups: str) -> LoadBalancer:
    return LoadBalancer("arn", "lb.example.com", "application", "active", (), ("subnet-a",), groups, scheme)


@pytest.mark.parametrize(
    ("scheme", "rule", "caller", "says"),
    [
        ("internet-facing", tcp(443, **ranges("0.0.0.0/0")), OUTSIDE, ""),
        ("internet-facing", tcp(443, **ranges("10.0.0.0/8")), OUTSIDE, "whose address can be any"),
        ("internet-facing", tcp(443, **ranges("203.0.113.0/24")), OUTSIDE, "whose address can be any"),
        ("internet-facing", tcp(443, **ranges("203.0.113.0/24")), INSIDE, ""),  # perhaps its NAT gateway's
        ("internet-facing", tcp(443, **group("sg-hooks")), INSIDE, "let the address of its NAT gateway in"),
        ("internet-facing", tcp(443), Caller(), ""),  # where the function is nobody says
        ("internal", tcp(443, **group("sg-hooks")), INSIDE, ""),
        ("internal", tcp(443, **ranges("0.0.0.0/0")), OUTSIDE, "is internal and the function outside its VPC"),
        ("internal", tcp(443, **group("sg-other")), INSIDE, 'referenced_security_group_id = "sg-hooks"'),
    ],
)
def test_whom_a_load_balancer_lets_in(
    told: dict[str, list[Rule] | None], scheme: str, rule: Rule, caller: Caller, says: str
) -> None:
    told["sg-lb"] = [rule]
    said = shut_out_of(balancer(scheme, "sg-lb"), 443, caller)
    assert says in said
    assert bool(said) == bool(says)


def test_of_several_groups_one_that_lets_in_is_enough_and_the_first_is_the_one_to_change(
    told: dict[str, list[Rule] | None],
) -> None:
    told.update({"sg-b": [], "sg-a": [tcp(443, **group("sg-hooks"))]})
    assert shut_out_of(balancer("internal", "sg-b", "sg-a"), 443, INSIDE) == ""
    told["sg-a"] = []
    assert 'security_group_id = "sg-b"' in shut_out_of(balancer("internal", "sg-b", "sg-a"), 443, INSIDE)


def test_what_ec2_does_not_say_is_no_refusal(told: dict[str, list[Rule] | None]) -> None:
    told["sg-tasks"] = None
    with pytest.raises(ProbeError, match="does not say whom security group sg-tasks lets in"):
        shut_out_of_tasks(["sg-tasks"], 8000, INSIDE)
