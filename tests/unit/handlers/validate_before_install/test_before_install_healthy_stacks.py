"""BeforeInstall: set-ups that AWS takes and that work pass without a warning, told nothing about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import ACCOUNT, CLUSTER, PORT, SERVICE, Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    Deploy,
    Event,
    appspec,
    container_shown,
    deployed,
    group,
    of,
    on_spot,
    service_shown,
    shown,
)


def groups(blue: Mapping[str, Any], green: Mapping[str, Any] | None = None) -> Deploy:
    """Deploy with both target groups changed, as DescribeTargetGroups shows them, or each in its own way."""

    def deploy(stage: Stage) -> Event:
        event = stage.at(EVENT)
        found = stage.elbv2.describe_target_groups(Names=["shop-blue", "shop-green"])["TargetGroups"]
        by_name = {"shop-blue": blue, "shop-green": blue if green is None else green}
        changed = [{**each, **by_name[each["TargetGroupName"]]} for each in found]
        stage.instead["elbv2:DescribeTargetGroups"] = lambda _: {"TargetGroups": changed}
        return event

    return deploy


def scaled(stage: Stage) -> Event:
    """Application Auto Scaling looks after the service."""
    stage.autoscaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{CLUSTER}/{SERVICE}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=10,
    )
    return stage.at(EVENT)


def on_instances(mode: str, target_type: str) -> Deploy:
    """EC2 instances, with a network mode and the type of targets that goes with it."""

    def deploy(stage: Stage) -> Event:
        stage.green_definition = stage.register(definition={"networkMode": mode, "requiresCompatibilities": ["EC2"]})
        event = groups({"TargetType": target_type})(stage)
        service = service_shown(stage)["services"][0]
        for each in [service, *service["taskSets"]]:
            each["launchType"] = "EC2"
            each.pop("platformVersion", None)
            if mode != "awsvpc":
                each.pop("networkConfiguration", None)
        return event

    return deploy


def behind_a_network_load_balancer(protocol: str) -> Deploy:
    """Listeners and groups of TCP, TLS or UDP; deployed all at once."""

    def deploy(stage: Stage) -> Event:
        stage.update_group(deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
        event = groups({"Protocol": protocol, "HealthCheckProtocol": "TCP", "ProtocolVersion": None})(stage)
        stage.change_load_balancer(Type="network")

        def listeners(parameters: Mapping[str, Any]) -> Any:
            found = stage.elbv2.describe_listeners(**parameters)
            return {"Listeners": [{**each, "Protocol": protocol} for each in found["Listeners"]]}

        stage.instead["elbv2:DescribeListeners"] = listeners
        return event

    return deploy


def redirected(stage: Stage) -> Event:
    """Another listener forwards to the production listener."""
    redirect = {"Protocol": "HTTP", "Port": "80", "StatusCode": "HTTP_301"}
    stage.elbv2.create_listener(
        LoadBalancerArn=stage.load_balancer,
        Protocol="HTTP",
        Port=8000,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    return stage.at(EVENT)


def soon_after_another(stage: Stage) -> Event:
    """The set of the deployment before still drains."""
    event = stage.at(EVENT)
    stage.create_task_set("d-BEFORE123", scale={"value": 0, "unit": "PERCENT"})
    return event


def by_alias(stage: Stage) -> Event:
    """Hooks are named with an alias."""
    stage.create_hooks()
    found = {
        event: stage.functions.get_function_configuration(FunctionName=arn)
        for event, arn in stage.hooks.items()
        if event != EVENT
    }
    stage.hooks = {event: f"{arn}:live" for event, arn in stage.hooks.items()}
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*")

    def answer(parameters: Mapping[str, Any]) -> Any:
        name, _, qualifier = parameters["FunctionName"].rpartition(":")
        event = next(event for event in found if name.endswith(event))
        return {**found[event], "FunctionArn": f"{name}:{qualifier}"}

    stage.instead["lambda:GetFunctionConfiguration"] = answer
    return stage.at(EVENT)


def parameters(*references: str) -> Deploy:
    """Deploy a container with these references to parameters."""
    return of(secrets=[{"name": f"P{at}", "valueFrom": each} for at, each in enumerate(references)])


def logs(driver: str, **options: str) -> Deploy:
    """Deploy a container with this log driver."""
    return of(logConfiguration={"logDriver": driver, "options": options})


def on_platform(**runtime: str) -> Deploy:
    """Deploy for this operating system and architecture."""
    return of(definition={"runtimePlatform": runtime, "cpu": "1024", "memory": "2048"})


ROUTER = {
    "name": "log_router",
    "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
    "firelensConfiguration": {"type": "fluentbit"},
}
FIRELENS = {"logDriver": "awsfirelens", "options": {"Name": "datadog"}}
XRAY = {"name": "xray", "image": "amazon/aws-xray-daemon:latest", "essential": False}
ENVOY = {"name": "envoy", "image": "840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy:v1.29.6.1-prod"}
INIT = {"name": "init", "image": "busybox", "essential": False, "command": ["true"]}
ARN = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter"
UBUNTU = f"{ARN}/aws/service/canonical/ubuntu/server/24.04/stable/current"

STACKS: dict[str, Deploy] = {
    "nothing special": deployed,
    "the AppSpec of the description": appspec(PlatformVersion="1.4.0"),
    "agents beside it": of(XRAY, {"name": "agent", "image": "public.ecr.aws/datadog/agent:7"}),
    "logs by FireLens": of(ROUTER, logConfiguration=FIRELENS),
    "a proxy that it waits for": of(ENVOY, dependsOn=[{"containerName": "envoy", "condition": "HEALTHY"}]),
    "a container that prepares it": of(INIT, dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
    "a log group that its container makes": logs("awslogs", **{"awslogs-group": "/a", "awslogs-create-group": "True"}),
    "no logs": of(logConfiguration={"logDriver": "none"}),
    "logs by splunk": logs("splunk", **{"splunk-url": "https://s.example.com"}),
    "logs by fluentd": logs("fluentd", **{"fluentd-address": "f:24224"}),
    "a volume of EFS": of(definition={"volumes": [{"name": "u", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]}),
    "an image of Docker Hub": of(image="nginx"),
    "an image of Docker Hub by its digest": of(image=f"library/nginx:1.27@sha256:{'a' * 64}"),
    "an image of another account": of(image="210987654321.dkr.ecr.us-east-1.amazonaws.com/base:latest"),
    "on ARM64": on_platform(cpuArchitecture="ARM64", operatingSystemFamily="LINUX"),
    "on Windows": on_platform(cpuArchitecture="X86_64", operatingSystemFamily="WINDOWS_SERVER_2022_CORE"),
    "a size that came later": shown(cpu="32768", memory="249856"),
    "no roles": shown(executionRoleArn=None, taskRoleArn=None),
    "a range of ports": container_shown(portMappings=[{"containerPortRange": f"{PORT - 10}-{PORT + 10}"}]),
    "a port by its name and number": container_shown(portMappings=[{"containerPort": PORT, "name": "http"}]),
    "a version and a label of parameters": parameters("/shop/api-key:1", f"{ARN}/shop/api-key:live"),
    "parameters of AWS's own": parameters("/aws/reference/secretsmanager/shop/database", UBUNTU),
    "ports of groups that nobody uses": groups({"Port": 80}, {"Port": 8080}),
    "a management port": groups({"HealthCheckPort": "9000"}),
    "a generous matcher": groups({"Matcher": {"HttpCode": "200-499"}}),
    "gRPC": groups({"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "0-99"}}),
    "slow health checks": groups({"HealthCheckIntervalSeconds": 120, "HealthyThresholdCount": 5}),
    "health checks that differ": groups({"HealthCheckPath": "/health"}, {"HealthCheckPath": "/"}),
    "addresses of version 6": groups({"IpAddressType": "ipv6"}),
    "behind TCP": behind_a_network_load_balancer("TCP"),
    "behind TLS": behind_a_network_load_balancer("TLS"),
    "behind UDP": behind_a_network_load_balancer("UDP"),
    "it scales": scaled,
    "on Spot": on_spot,
    "on instances, bridge": on_instances("bridge", "instance"),
    "on instances, host": on_instances("host", "instance"),
    "on instances, awsvpc": on_instances("awsvpc", "ip"),
    "HTTP leads to HTTPS": redirected,
    "no way back": group(autoRollbackConfiguration={"enabled": False}),
    "soon after another": soon_after_another,
    "hooks by an alias": by_alias,
}


@pytest.mark.parametrize("deploy", STACKS.values(), ids=STACKS)
def test_it_passes_without_a_warning(stage: Stage, judge: Judge, deploy: Deploy) -> None:
    judgement = judge(hook, deploy(stage))
    bad = {each["name"]: each["detail"] for each in judgement["checks"] if each["outcome"] in ("failed", "error")}
    assert bad == {}
    assert "warned" not in judgement.message
    assert judgement.succeeded


@pytest.mark.smoke
def test_an_ordinary_deployment_has_nothing_to_note(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    assert judge(hook, stage.at(EVENT)).message == "40 checks passed, 1 skipped"
