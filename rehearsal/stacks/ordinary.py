"""An ordinary service, put in the place of one that a stack's hooks are for and that another stack makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

PORT = 8000
_NETWORK = "10.200.0.0/16"


def make_service(client: Callable[[str], Any], cluster: str, service: str, hooks: Mapping[str, Any]) -> None:
    """Make a cluster, a service behind a load balancer with a test listener, and a CodeDeploy group that deploys it.

    Args:
        client: makes a client of the stand-in by the service's name.
        cluster, service: their names.
        hooks: the outputs of this repository's module.
    """
    ec2, elbv2, ecs, iam, codedeploy = map(client, ("ec2", "elbv2", "ecs", "iam", "codedeploy"))
    region = ec2.meta.region_name
    subnets, group, vpc = _network(ec2, region)
    balancer = elbv2.create_load_balancer(Name="ordinary", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"][0]
    pair = [
        elbv2.create_target_group(
            Name=f"ordinary-{colour}", Protocol="HTTP", Port=PORT, VpcId=vpc, TargetType="ip", HealthCheckPath="/health"
        )["TargetGroups"][0]
        for colour in ("one", "two")
    ]
    listeners = [
        elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": pair[0]["TargetGroupArn"]}],
        )["Listeners"][0]["ListenerArn"]
        for port in (80, 8080)
    ]
    execution = _role(iam, "ordinary-execution", "ecs-tasks", "service-role/AmazonECSTaskExecutionRolePolicy")
    deployer = _role(iam, "ordinary-codedeploy", "codedeploy", "AWSCodeDeployRoleForECS")
    iam.put_role_policy(RoleName="ordinary-codedeploy", PolicyName="hooks", PolicyDocument=hooks["invoke_policy_json"])
    client("logs").create_log_group(logGroupName="/ecs/ordinary")
    container = {
        "name": "app",
        "image": "public.ecr.aws/docker/library/ordinary:1",
        "essential": True,
        "portMappings": [{"containerPort": PORT}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/ordinary", "awslogs-region": region, "awslogs-stream-prefix": "app"},
        },
    }
    definition = ecs.register_task_definition(
        family=service,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=execution,
        containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_cluster(clusterName=cluster)
    ecs.create_service(
        cluster=cluster,
        serviceName=service,
        taskDefinition=definition,
        desiredCount=2,
        launchType="FARGATE",
        deploymentController={"type": "CODE_DEPLOY"},
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
        loadBalancers=[{"targetGroupArn": pair[0]["TargetGroupArn"], "containerName": "app", "containerPort": PORT}],
    )
    codedeploy.create_application(applicationName="ordinary", computePlatform="ECS")
    routes = {
        "targetGroups": [{"name": each["TargetGroupName"]} for each in pair],
        "prodTrafficRoute": {"listenerArns": listeners[:1]},
        "testTrafficRoute": {"listenerArns": listeners[1:]},
    }
    codedeploy.create_deployment_group(
        applicationName="ordinary",
        deploymentGroupName="ordinary",
        serviceRoleArn=deployer,
        ecsServices=[{"clusterName": cluster, "serviceName": service}],
        loadBalancerInfo={"targetGroupPairInfoList": [routes]},
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5},
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
        },
    )


def _network(ec2: Any, region: str) -> tuple[list[str], str, str]:
    """Make a VPC with two public subnets and a security group that lets everybody in; return their ids."""
    vpc = ec2.create_vpc(CidrBlock=_NETWORK)["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.200.{number}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="ordinary", Description="ordinary", VpcId=vpc)["GroupId"]
    everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everybody])
    return subnets, group, vpc


def _role(iam: Any, name: str, service: str, policy: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return arn
