"""Whether a function can reach the load balancer, or green's tasks: as far as AWS tells it, before anything is sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from gate import aws
from gate.elb import LoadBalancer
from gate.verdict import ProbeError

WIDE = 8  # bits: a range of addresses that begins so early may hold a function's, which nobody knows
PRIVATE = "10.0.0.0/8"  # as wide, but nobody comes from there by the internet


@dataclass(frozen=True)
class Caller:
    """Where a function's requests come from. `in_vpc` is None where nobody says; so are its groups and addresses."""

    in_vpc: Optional[bool] = None
    security_groups: Optional[Collection[str]] = None
    ranges: Collection[str] = ()  # of its subnets' addresses, in CIDR notation

    @classmethod
    def of(cls, configuration: Mapping[str, Any], ranges: Collection[str] = ()) -> Caller:
        """Read GetFunctionConfiguration's answer; `ranges` are those of its subnets."""
        vpc = configuration.get("VpcConfig") or {}
        inside = bool(vpc.get("VpcId") or vpc.get("SubnetIds"))
        return cls(inside, tuple(vpc.get("SecurityGroupIds") or ()) if inside else (), ranges)


def shut_out_of(balancer: LoadBalancer, port: int, caller: Caller) -> str:
    """Why requests of the function cannot reach the load balancer's port, with the cure; empty if they may.

    Raises as `aws.call` does.
    """
    subnets = ", ".join(f'"{subnet}"' for subnet in balancer.subnets) or '"subnet-…"'
    inside = f'vpc_config = {{ subnet_ids = [{subnets}], security_group_ids = ["sg-…"] }}'  # as it is typed
    name = balancer.dns_name
    if balancer.scheme == "internal" and caller.in_vpc is False:
        return f"load balancer {name} is internal and the function outside its VPC: give the module {inside}"
    groups, public = balancer.security_groups, balancer.scheme != "internal"
    if not groups or caller.in_vpc is None or _admit(groups, port, caller, public=public):
        return ""
    said = f"security group {', '.join(groups)} of load balancer {name} does not let the function in on port {port}"
    if not public:
        return f"{said}: {_ingress(groups[0], port, caller)}"
    anywhere = _ingress(groups[0], port, Caller(in_vpc=False))
    if caller.in_vpc:
        return f"{said}: let the address of its NAT gateway in, or anybody: {anywhere}"
    return f"{said}, whose address can be any: {anywhere}; or let in a NAT gateway and give the module {inside}"


def shut_out_of_tasks(groups: Collection[str], port: int, caller: Caller) -> str:
    """Why requests of the function cannot reach the tasks at this port, with the cure; empty if they may."""
    if not groups or _admit(groups, port, caller, public=False):
        return ""
    said = f"security group {', '.join(groups)} of the tasks does not let the function in on port {port}"
    return f"{said}: {_ingress(min(groups), port, caller)}"


def _ingress(group: str, port: int, caller: Caller) -> str:
    """The rule that lets the caller in, as it is typed; a block with several arguments takes a line for each."""
    source = next(iter(caller.security_groups or ()), "sg-…")
    who = f'referenced_security_group_id = "{source}"' if caller.in_vpc else 'cidr_ipv4 = "0.0.0.0/0"'
    rule = f'security_group_id = "{group}" ip_protocol = "tcp" from_port = {port} to_port = {port} {who}'
    return f'resource "aws_vpc_security_group_ingress_rule" "hooks" {{ {rule} }}, each on a line of its own'


def _admit(groups: Collection[str], port: int, caller: Caller, *, public: bool) -> bool:
    """Whether one of the security groups lets the caller in by TCP, as far as can be told.

    `public`: it comes by the internet, and from inside a VPC by a NAT gateway's address, which nobody knows here.
    """
    filters = [{"Name": "group-id", "Values": sorted(groups)}]
    found = aws.call("ec2", "describe_security_groups", Filters=filters).get("SecurityGroups") or []
    told = {str(group.get("GroupId")) for group in found if "IpPermissions" in group}
    unknown = sorted(set(groups) - told)
    if unknown:  # or nobody would seem to be let in
        raise ProbeError(f"EC2 does not say whom security group {', '.join(unknown)} lets in")
    rules = [rule for group in found for rule in group["IpPermissions"]]
    return any(_lets_in(rule, port, caller, public=public) for rule in rules)


def _lets_in(rule: Mapping[str, Any], port: int, caller: Caller, *, public: bool) -> bool:
    protocol = str(rule.get("IpProtocol"))
    in_range = rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)
    if protocol != "-1" and not (protocol in ("tcp", "6") and in_range):
        return False
    by_internet = public or not caller.in_vpc
    ranges = [str(each.get("CidrIp")) for each in rule.get("IpRanges") or []]
    if caller.in_vpc:
        ranges += [str(each.get("CidrIpv6")) for each in rule.get("Ipv6Ranges") or []]
    if by_internet:
        ranges = [each for each in ranges if each != PRIVATE]
    # Who is in a prefix list is not known here.
    if rule.get("PrefixListIds") or any(int(each.rpartition("/")[2]) <= WIDE for each in ranges):
        return True
    if by_internet:
        return bool(ranges and caller.in_vpc)
    named = {str(pair.get("GroupId")) for pair in rule.get("UserIdGroupPairs") or []}
    if caller.security_groups is None:  # inside, and nobody says by which groups
        return bool(named or ranges)
    if named & set(caller.security_groups):
        return True
    own = [ipaddress.ip_network(each, strict=False) for each in caller.ranges]
    admitted = [ipaddress.ip_network(each, strict=False) for each in ranges]
    return any(one.version == other.version and one.overlaps(other) for one in admitted for other in own)
