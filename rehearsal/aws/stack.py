"""A small environment made by API calls, and the steps of a deployment on it: what tests begin with.

The rehearsal's own environment is applied by Terraform (rehearsal/environment/). This one is made in milliseconds,
under `mock_aws` or against a server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

from rehearsal.aws import codedeploy

if TYPE_CHECKING:
    from collections.abc import Sequence

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/orders-codedeploy"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders:1.0.0"


@dataclass
class Stack:
    """An ECS service `orders` in the cluster `shop` behind a load balancer, with its CodeDeploy group."""

    session: boto3.Session
    clients: dict[str, Any] = field(default_factory=dict, repr=False)
    """Clients made so far, by service: making one takes longer than many calls."""
    vpc_id: str = ""
    subnets: list[str] = field(default_factory=list)
    security_group: str = ""
    load_balancer_arn: str = ""
    load_balancer_dns: str = ""
    blue_group: str = ""
    """ARN of the target group that serves at first."""
    green_group: str = ""
    """ARN of the idle one."""
    production_listener: str = ""
    test_listener: str = ""
    task_definition: str = ""
    cluster: str = "shop"
    service: str = "orders"
    application: str = "orders"
    deployment_group: str = "orders"

    def client(self, service: str) -> Any:
        """Return a client, the same each time."""
        if service not in self.clients:
            self.clients[service] = self.session.client(service)  # type: ignore[call-overload]
        return self.clients[service]

    @property
    def network(self) -> dict[str, Any]:
        """The network configuration of tasks."""
        return {"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.security_group]}}

    def load_balancers(self, target_group: str) -> list[dict[str, Any]]:
        """Return the load balancers of a service or task set."""
        return [{"targetGroupArn": target_group, "containerName": "app", "containerPort": 8000}]

    def register(self, image: str = IMAGE, **container: Any) -> str:
        """Register a task definition of one container, `app`, with further settings of it; return its ARN."""
        definition = {"name": "app", "image": image, "essential": True, "portMappings": [{"containerPort": 8000}]}
        return self.register_containers([{**definition, **container}])

    def register_containers(self, containers: Sequence[dict[str, Any]], **settings: Any) -> str:
        """Register a task definition; return its ARN."""
        given = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
        given.update(settings)
        answer = self.client("ecs").register_task_definition(
            family="orders", containerDefinitions=list(containers), **given
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    # The steps of a deployment, as CodeDeploy takes them.

    def app_spec(self, task_definition: str, **hooks: str) -> str:
        """Return an AppSpec in JSON, with functions by lifecycle event."""
        balancer = {"ContainerName": "app", "ContainerPort": 8000}
        properties = {"TaskDefinition": task_definition, "LoadBalancerInfo": balancer}
        target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
        named = [{event: function} for event, function in hooks.items()]
        return json.dumps({"version": 0.0, "Resources": [target], "Hooks": named})

    def deploy(self, task_definition: str | None = None, app_spec: str | None = None) -> codedeploy.Deployment:
        """Create a deployment of a task definition; nothing has begun yet."""
        content = app_spec or self.app_spec(task_definition or self.register())
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        answer = self.client("codedeploy").create_deployment(
            applicationName=self.application, deploymentGroupName=self.deployment_group, revision=revision
        )
        return codedeploy.find(answer["deploymentId"])

    def run_until(self, deployment: codedeploy.Deployment, event: str) -> str:
        """Play all events before `event` with success, begin it, and return its hook execution id."""
        for name in codedeploy.EVENTS:
            if name == event:
                return deployment.begin(name)
            if deployment.event(name).status == "Pending":
                deployment.begin(name)
                self.act(deployment, name)
            if deployment.event(name).status == "InProgress":
                deployment.finish(name, "Succeeded")
        raise KeyError(f"{event} is not a lifecycle event: {', '.join(codedeploy.EVENTS)}")

    def act(self, deployment: codedeploy.Deployment, event: str) -> None:
        """Do to ECS and the load balancer what CodeDeploy does at an event; nothing at a hook's event."""
        if event == "Install":
            self.install(deployment)
        elif event == "AllowTestTraffic":
            self.forward(self.test_listener, {self.green_group: 100})
        elif event == "AllowTraffic":
            weighted = ":listener/app/" in self.production_listener
            idle = {self.blue_group: 0} if weighted else {}
            self.forward(self.production_listener, {**idle, self.green_group: 100})
            self.make_primary(deployment)

    def install(self, deployment: codedeploy.Deployment) -> str:
        """Create the replacement task set on the idle target group; return its id."""
        content = json.loads(deployment.app_spec() or "{}")
        definition = content["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"]
        answer = self.client("ecs").create_task_set(
            cluster=self.cluster,
            service=self.service,
            taskDefinition=definition,
            externalId=deployment.deployment_id,
            launchType="FARGATE",
            networkConfiguration=self.network,
            loadBalancers=self.load_balancers(self.green_group),
            scale={"value": 100, "unit": "PERCENT"},
        )
        return str(answer["taskSet"]["id"])

    def make_primary(self, deployment: codedeploy.Deployment) -> None:
        """Make the replacement task set the service's primary one."""
        ecs = self.client("ecs")
        sets = ecs.describe_services(cluster=self.cluster, services=[self.service])["services"][0]["taskSets"]
        green = next(s["taskSetArn"] for s in sets if s.get("externalId") == deployment.deployment_id)
        ecs.update_service_primary_task_set(cluster=self.cluster, service=self.service, primaryTaskSet=green)

    def forward(self, listener: str, weights: dict[str, int]) -> None:
        """Make a listener forward to target groups with these weights."""
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        self.client("elbv2").modify_listener(ListenerArn=listener, DefaultActions=actions)

    # What AWS says.

    def task_sets(self) -> list[dict[str, Any]]:
        """Return the service's task sets."""
        answer = self.client("ecs").describe_services(cluster=self.cluster, services=[self.service])
        found: list[dict[str, Any]] = answer["services"][0]["taskSets"]
        return found

    def health(self, target_group: str) -> list[tuple[str, str, str | None]]:
        """Return address, state and reason of a target group's targets."""
        answer = self.client("elbv2").describe_target_health(TargetGroupArn=target_group)
        return [
            (each["Target"]["Id"], each["TargetHealth"]["State"], each["TargetHealth"].get("Reason"))
            for each in answer["TargetHealthDescriptions"]
        ]


def build(
    session: boto3.Session | None = None,
    *,
    clients: dict[str, Any] | None = None,
    desired_count: int = 2,
    alarms: Sequence[str] = (),
    balancer_type: str = "application",
    **container: Any,
) -> Stack:
    """Make the environment.

    Args:
        session: the session of its clients; by default one in `REGION`.
        clients: clients to use, by service; others are made and added.
        desired_count: how many tasks the service has.
        alarms: names of the deployment group's alarms.
        balancer_type: `application`, or `network` with target groups and listeners for TCP.
        container: further settings of the task definition's container, as in RegisterTaskDefinition.
    """
    stack = Stack(session or boto3.Session(region_name=REGION), {} if clients is None else clients)
    ec2, elbv2, ecs = stack.client("ec2"), stack.client("elbv2"), stack.client("ecs")
    stack.vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for index, zone in enumerate("ab"):
        subnet = ec2.create_subnet(
            VpcId=stack.vpc_id, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{stack.session.region_name}{zone}"
        )
        stack.subnets.append(subnet["Subnet"]["SubnetId"])
    stack.security_group = ec2.create_security_group(GroupName="orders", Description="orders", VpcId=stack.vpc_id)[
        "GroupId"
    ]
    balancer = elbv2.create_load_balancer(
        Name="shop", Subnets=stack.subnets, SecurityGroups=[stack.security_group], Type=balancer_type
    )["LoadBalancers"][0]
    stack.load_balancer_arn, stack.load_balancer_dns = balancer["LoadBalancerArn"], balancer["DNSName"]
    network = balancer_type == "network"
    protocol: Any = "TCP" if network else "HTTP"
    health_check: Any = {} if network else {"HealthCheckPath": "/health", "Matcher": {"HttpCode": "200"}}
    stack.blue_group, stack.green_group = (
        elbv2.create_target_group(
            Name=f"orders-{number}",
            Port=8000,
            Protocol=protocol,
            VpcId=stack.vpc_id,
            TargetType="ip",
            **health_check,
        )["TargetGroups"][0]["TargetGroupArn"]
        for number in (1, 2)
    )
    stack.production_listener, stack.test_listener = (
        elbv2.create_listener(
            LoadBalancerArn=stack.load_balancer_arn,
            Port=port,
            Protocol=protocol,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": stack.blue_group}],
        )["Listeners"][0]["ListenerArn"]
        for port in (80, 8080)
    )
    ecs.create_cluster(clusterName=stack.cluster)
    stack.task_definition = stack.register(**container)
    ecs.create_service(
        cluster=stack.cluster,
        serviceName=stack.service,
        taskDefinition=stack.task_definition,
        desiredCount=desired_count,
        launchType="FARGATE",
        networkConfiguration=stack.network,
        loadBalancers=stack.load_balancers(stack.blue_group),
        deploymentController={"type": "CODE_DEPLOY"},
    )
    _create_group(stack, alarms)
    return stack


def _create_group(stack: Stack, alarms: Sequence[str]) -> None:
    client = stack.client("codedeploy")
    client.create_application(applicationName=stack.application, computePlatform="ECS")
    names = [{"name": arn.split("/")[-2]} for arn in (stack.blue_group, stack.green_group)]
    pair = {
        "targetGroups": names,
        "prodTrafficRoute": {"listenerArns": [stack.production_listener]},
        "testTrafficRoute": {"listenerArns": [stack.test_listener]},
    }
    client.create_deployment_group(
        applicationName=stack.application,
        deploymentGroupName=stack.deployment_group,
        serviceRoleArn=ROLE,
        ecsServices=[{"clusterName": stack.cluster, "serviceName": stack.service}],
        loadBalancerInfo={"targetGroupPairInfoList": [pair]},
        alarmConfiguration={"enabled": bool(alarms), "alarms": [{"name": name} for name in alarms]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5},
            "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
        },
    )
