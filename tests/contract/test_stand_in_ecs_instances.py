"""ECS on EC2 instances: tasks without a network of their own, and the ports at which they are reached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.aws.stack import Stack
from rehearsal.aws.world import ScriptedWorld

CONTAINER = {"name": "app", "image": "shop:1", "essential": True, "memoryReservation": 128}


@pytest.fixture
def instances(stack: Stack) -> list[str]:
    """Two EC2 instances that have registered themselves in the cluster."""
    ec2, ecs = stack.client("ec2"), stack.client("ecs")
    image = ec2.register_image(Name="ecs")["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, SubnetId=stack.subnets[0])["Instances"]
    for each in made:
        document = json.dumps({"instanceId": each["InstanceId"]})
        ecs.register_container_instance(cluster=stack.cluster, instanceIdentityDocument=document)
    return [each["InstanceId"] for each in made]


def service(stack: Stack, group: str, mapping: dict[str, int], **more: Any) -> dict[str, Any]:
    definition = stack.register_containers(
        [{**CONTAINER, "portMappings": [mapping]}], networkMode="bridge", requiresCompatibilities=["EC2"]
    )
    made: dict[str, Any] = stack.client("ecs").create_service(
        cluster=stack.cluster,
        serviceName="bridged",
        taskDefinition=definition,
        desiredCount=2,
        launchType="EC2",
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}],
        **more,
    )["service"]
    return made


def group(stack: Stack, kind: str) -> str:
    arn: str = stack.client("elbv2").create_target_group(
        Name="bridged", Port=80, Protocol="HTTP", VpcId=stack.vpc_id, TargetType=kind
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = {"LoadBalancerArn": stack.load_balancer_arn, "Port": 9000, "Protocol": "HTTP"}
    stack.client("elbv2").create_listener(**listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    return arn


def test_instances_are_targets_at_the_ports_that_lead_to_the_containers(
    stack: Stack, instances: list[str], scripted: ScriptedWorld
) -> None:
    """Dynamic ones, where the task definition names none (developer guide, port mappings)."""
    arn = group(stack, "instance")
    made = service(stack, arn, {"containerPort": 8000, "hostPort": 0})
    assert "networkConfiguration" not in made
    told = stack.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert sorted(each["Target"]["Id"] for each in told) == sorted(instances)
    ports = {each["Target"]["Id"]: each["Target"]["Port"] for each in told}
    assert all(32768 <= port <= 65535 for port in ports.values())
    assert {each["TargetHealth"]["State"] for each in told} == {"healthy"}
    ecs = stack.client("ecs")
    arns = ecs.list_tasks(cluster=stack.cluster, serviceName="bridged")["taskArns"]
    tasks = ecs.describe_tasks(cluster=stack.cluster, tasks=arns)["tasks"]
    assert sorted(port["hostPort"] for task in tasks for port in task["containers"][0]["networkBindings"]) == sorted(
        ports.values()
    )
    assert all(task["containers"][0]["networkInterfaces"] == [] for task in tasks)
    started = [spec for spec in scripted.started if spec.group == "service:bridged"]
    assert sorted(spec.instance_id for spec in started) == sorted(instances)
    assert {spec.instance_id: spec.containers[0].port for spec in started} == ports


def test_a_fixed_port_stays(stack: Stack, instances: list[str]) -> None:
    arn = group(stack, "instance")
    service(stack, arn, {"containerPort": 8000, "hostPort": 8080})
    told = stack.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [each["Target"]["Port"] for each in told] == [8080, 8080]
    assert len(instances) == len({each["Target"]["Id"] for each in told})


def test_what_an_unhealthy_instance_is_called(stack: Stack, instances: list[str], scripted: ScriptedWorld) -> None:
    """The world is asked about it, as about an address."""
    from rehearsal.aws.world import TargetState

    arn = group(stack, "instance")
    scripted.target_health[instances[0]] = TargetState("unhealthy", "Target.Timeout")
    service(stack, arn, {"containerPort": 8000, "hostPort": 0})
    assert ("unhealthy", "Target.Timeout") in [each[1:] for each in stack.health(arn)]
