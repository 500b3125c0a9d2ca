"""What a stack refers to and does not make is put there, named, and only where it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws.referred import Referred


@pytest.fixture
def aws(clients_of_test: dict[str, Any]) -> dict[str, Any]:
    return clients_of_test


def test_ids_of_a_network(aws: dict[str, Any]) -> None:
    """A target group and a service name them; subnets are public, security groups open."""
    with Referred() as referred:
        aws["elbv2"].create_target_group(Name="a", Port=80, Protocol="HTTP", VpcId="vpc-0a1b2c3d", TargetType="ip")
        aws["elbv2"].create_load_balancer(
            Name="a", Subnets=["subnet-0a1b2c3d", "subnet-0e1f2a3b"], SecurityGroups=["sg-0a1b2c3d"]
        )
    subnets = aws["ec2"].describe_subnets(SubnetIds=["subnet-0a1b2c3d", "subnet-0e1f2a3b"])["Subnets"]
    assert {each["VpcId"] for each in subnets} == {"vpc-0a1b2c3d"}
    assert len({each["AvailabilityZone"] for each in subnets}) == 2
    groups = aws["ec2"].describe_security_groups(GroupIds=["sg-0a1b2c3d"])["SecurityGroups"]
    assert groups[0]["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    assert next(iter(referred.notes)) == "VPC vpc-0a1b2c3d"
    assert len(referred.notes) == 4


def test_what_is_looked_up_by_a_filter(aws: dict[str, Any]) -> None:
    with Referred(looks_up={"aws_vpc", "aws_subnets"}):
        found = aws["ec2"].describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["main"]}])["Vpcs"]
        subnets = aws["ec2"].describe_subnets(Filters=[{"Name": "vpc-id", "Values": [found[0]["VpcId"]]}])["Subnets"]
    assert found[0]["Tags"] == [{"Key": "Name", "Value": "main"}]
    assert len(subnets) == 2


def test_nothing_is_there_that_no_data_source_asks_for(aws: dict[str, Any]) -> None:
    """Terraform looks whether a name is free before it makes its own."""
    with Referred() as referred, pytest.raises(ClientError):
        aws["elbv2"].describe_load_balancers(Names=["mine"])
    assert not referred.notes


def test_a_stacks_own_load_balancer_takes_the_place_of_another(aws: dict[str, Any]) -> None:
    """Of the same name: a data source asks for others, so this one was put there."""
    with Referred(looks_up={"aws_lb"}) as referred:
        (found,) = aws["elbv2"].describe_load_balancers(Names=["mine"])["LoadBalancers"]
        subnets = [zone["SubnetId"] for zone in found["AvailabilityZones"]]
        assert "load balancer mine, facing the internet" in referred.notes
        aws["elbv2"].create_load_balancer(Name="mine", Subnets=subnets)
    assert len(aws["elbv2"].describe_load_balancers()["LoadBalancers"]) == 1
    assert "load balancer mine, facing the internet" not in referred.notes


def test_a_load_balancer_by_its_arn_has_the_listeners_that_are_looked_up(aws: dict[str, Any]) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shared/50dc6c495c0c9188"
    with Referred(["shop.example.com"], [80, 443]):
        listeners = aws["elbv2"].describe_listeners(LoadBalancerArn=arn)["Listeners"]
    assert {each["Port"]: each["Protocol"] for each in listeners} == {80: "HTTP", 443: "HTTPS"}


def test_a_policy_allows_and_is_named(aws: dict[str, Any]) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws["iam"].create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    with Referred() as referred:
        aws["iam"].attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::123456789012:policy/team/boundary")
    assert list(referred.notes) == ["policy boundary, which allows everything"]


def test_a_secret_is_looked_up(aws: dict[str, Any]) -> None:
    with Referred(looks_up={"aws_secretsmanager_secret_version"}):
        value = aws["secretsmanager"].get_secret_value(SecretId="db")["SecretString"]
    assert json.loads(value)["password"] == "rehearsal"
