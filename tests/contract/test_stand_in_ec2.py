"""EC2: security groups and subnets by id, and which of them is missing."""

from __future__ import annotations

from typing import Any

from rehearsal.aws.stack import Stack


def test_what_is_there_is_described(stack: Stack) -> None:
    """An id given twice is not a missing one, as moto has it."""
    ec2 = stack.client("ec2")
    groups = ec2.describe_security_groups(GroupIds=[stack.security_group] * 2)["SecurityGroups"]
    assert [(group["GroupId"], group["VpcId"]) for group in groups] == [(stack.security_group, stack.vpc_id)]
    subnets = ec2.describe_subnets(SubnetIds=[*stack.subnets, stack.subnets[0]])["Subnets"]
    assert {subnet["SubnetId"] for subnet in subnets} == set(stack.subnets)
    assert {(subnet["VpcId"], subnet["State"]) for subnet in subnets} == {(stack.vpc_id, "available")}


def test_a_missing_security_group_is_named(stack: Stack, refused: Any) -> None:
    """moto names those that are there too."""
    missing = "sg-0123456789abcdef0"
    for wanted in ([missing], [stack.security_group, missing]):
        assert refused(stack.client("ec2").describe_security_groups, GroupIds=wanted) == (
            "InvalidGroup.NotFound",
            f"The security group '{missing}' does not exist",
        )


def test_a_missing_subnet_is_named(stack: Stack, refused: Any) -> None:
    missing = "subnet-0123456789abcdef0"
    for wanted in ([missing], [*stack.subnets, missing]):
        assert refused(stack.client("ec2").describe_subnets, SubnetIds=wanted) == (
            "InvalidSubnetID.NotFound",
            f"The subnet ID '{missing}' does not exist",
        )
