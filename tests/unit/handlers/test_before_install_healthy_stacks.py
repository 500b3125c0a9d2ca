"""BeforeInstall: set-ups that AWS takes and that work pass without a warning, told nothing about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import validate_before_install as hook
from gate.aws import AwsDenied
from gate.deployment import Deployment

from tests.unit.handlers.stage import ACCOUNT, CLUSTER, CONTAINER, HOOK_EVENTS, PORT, SERVICE, Judge, Stage

EVENT = "BeforeInstall"
Event = dict[str, str]
Deploy = Callable[[Stage], Event]


def of(*sidecars: Mapping[str, Any], definition: Mapping[str, Any] | None = None, **container: Any) -> Deploy:
    """Deploy a task definition with sidecars, and with changes to itself and to the application's container."""

    def deploy(stage: Stage) -> Event:
        stage.green_definition = stage.register(sidecars, definition, **container)
        return stage.at(EVENT)

    return deploy


def shown(changes: Mapping[str, Any]) -> Deploy:
    """Deploy a task definition of which ECS says what the stand-in's does not take."""

    def deploy(stage: Stage) -> Event:
        event = stage.at(EVENT)
        found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
        stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": {**found, **changes}}
        return event

    return deploy


def container_shown(**changes: Any) -> Deploy:
    """The same, of the application's container."""

    def deploy(stage: Stage) -> Event:
        event = stage.at(EVENT)
        found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
        found["containerDefinitions"][0].update(changes)
        stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": found}
        return event

    return deploy


def groups(**changes: Any) -> Deploy:
    """Deploy with both target groups changed, as DescribeTargetGroups shows them."""
    return groups_shown(changes, changes)


def groups_shown(blue: Mapping[str, Any], green: Mapping[str, Any]) -> Deploy:
    """Deploy with each of the target groups changed in its own way."""

    def deploy(stage: Stage) -> Event:
        event = stage.at(EVENT)
        found = stage.elbv2.describe_target_groups(Names=["shop-blue", "shop-green"])["TargetGroups"]
        by_name = {"shop-blue": blue, "shop-green": green}
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


def on_spot(stage: Stage) -> Event:
    """A strategy of FARGATE_SPOT, in the service and in the AppSpec."""
    stage.ecs.put_cluster_capacity_providers(
        cluster=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    stage.create_service_anew(launchType=None, capacityProviderStrategy=strategy)
    told = [{"CapacityProvider": "FARGATE_SPOT", "Base": 0, "Weight": 1}]
    return stage.at(EVENT, json.dumps(stage.appspec(CapacityProviderStrategy=told)))


def on_instances(mode: str, target_type: str) -> Deploy:
    """EC2 instances, with a network mode and the type of targets that goes with it."""

    def deploy(stage: Stage) -> Event:
        stage.green_definition = stage.register(definition={"networkMode": mode, "requiresCompatibilities": ["EC2"]})
        event = stage.at(EVENT)
        service = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
        for each in [service["services"][0], *service["services"][0]["taskSets"]]:
            each["launchType"] = "EC2"
            each.pop("platformVersion", None)
            if mode != "awsvpc":
                each.pop("networkConfiguration", None)
        stage.instead["ecs:DescribeServices"] = lambda _: service
        found = stage.elbv2.describe_target_groups(Names=["shop-blue", "shop-green"])["TargetGroups"]
        changed = [{**each, "TargetType": target_type} for each in found]
        stage.instead["elbv2:DescribeTargetGroups"] = lambda _: {"TargetGroups": changed}
        return event

    return deploy


def behind_a_network_load_balancer(protocol: str) -> Deploy:
    """Listeners and groups of TCP, TLS or UDP; deployed all at once."""

    def deploy(stage: Stage) -> Event:
        stage.update_group(deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
        event = groups(Protocol=protocol, HealthCheckProtocol="TCP", ProtocolVersion=None)(stage)
        balancer = stage.elbv2.describe_load_balancers(LoadBalancerArns=[stage.load_balancer])["LoadBalancers"][0]
        stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: {"LoadBalancers": [{**balancer, "Type": "network"}]}

        def listeners(parameters: Mapping[str, Any]) -> Any:
            found = stage.elbv2.describe_listeners(**parameters)
            return {"Listeners": [{**each, "Protocol": protocol} for each in found["Listeners"]]}

        stage.instead["elbv2:DescribeListeners"] = listeners
        return event

    return deploy


def redirected(stage: Stage) -> Event:
    """Another listener leads to the production listener."""
    redirect = {"Protocol": "HTTP", "Port": "80", "StatusCode": "HTTP_301"}
    stage.elbv2.create_listener(
        LoadBalancerArn=stage.load_balancer,
        Protocol="HTTP",
        Port=8000,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    return stage.at(EVENT)


def logs_made_at_start(stage: Stage) -> Event:
    """The log driver reads `True` as it reads `true`."""
    stage.allow("shop-execution", "logs:CreateLogGroup", "*")
    options = {"awslogs-group": "/new", "awslogs-region": stage.region, "awslogs-create-group": "True"}
    return of(logConfiguration={"logDriver": "awslogs", "options": options})(stage)


def without_a_test_listener(stage: Stage) -> None:
    """There is none, neither in the deployment group nor on the load balancer."""
    stage.update_group(loadBalancerInfo=stage.pair(None))
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)


def without_a_way_back(stage: Stage) -> Event:
    """Automatic rollback is off."""
    stage.update_group(autoRollbackConfiguration={"enabled": False})
    return stage.at(EVENT)


def soon_after_another(stage: Stage) -> Event:
    """The set of the deployment before still drains."""
    event = stage.at(EVENT)
    stage.create_task_set("d-BEFORE123", scale={"value": 0, "unit": "PERCENT"})
    return event


def by_alias(stage: Stage) -> Event:
    """Hooks are named with an alias."""
    stage.create_hooks()
    told = {event: f"{arn}:live" for event, arn in stage.hooks.items()}
    found = {
        event: stage.functions.get_function_configuration(FunctionName=arn)
        for event, arn in stage.hooks.items()
        if event != EVENT
    }
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*")
    stage.hooks = told

    def answer(parameters: Mapping[str, Any]) -> Any:
        name, _, qualifier = parameters["FunctionName"].rpartition(":")
        event = next(event for event in found if name.endswith(event))
        return {**found[event], "FunctionArn": f"{name}:{qualifier}"}

    stage.instead["lambda:GetFunctionConfiguration"] = answer
    return stage.at(EVENT)


def parameters(*references: str) -> Deploy:
    """Deploy a container with these references to parameters."""
    return of(secrets=[{"name": f"P{at}", "valueFrom": each} for at, each in enumerate(references)])


ROUTER = {
    "name": "log_router",
    "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
    "firelensConfiguration": {"type": "fluentbit"},
}
XRAY = {"name": "xray", "image": "amazon/aws-xray-daemon:latest", "essential": False}
ENVOY = {"name": "envoy", "image": "840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy:v1.29.6.1-prod"}
INIT = {"name": "init", "image": "busybox", "essential": False, "command": ["true"]}
ARN = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter"
WINDOWS = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}

STACKS: dict[str, Deploy] = {
    "nothing special": lambda stage: stage.at(EVENT),
    "agents beside it": of(XRAY, {"name": "agent", "image": "public.ecr.aws/datadog/agent:7"}),
    "logs by FireLens": of(ROUTER, logConfiguration={"logDriver": "awsfirelens", "options": {"Name": "datadog"}}),
    "a proxy that it waits for": of(ENVOY, dependsOn=[{"containerName": "envoy", "condition": "HEALTHY"}]),
    "a container that prepares it": of(INIT, dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
    "a log group that its container makes": logs_made_at_start,
    "no logs": of(logConfiguration={"logDriver": "none"}),
    "logs by splunk": of(logConfiguration={"logDriver": "splunk", "options": {"splunk-url": "https://s.example.com"}}),
    "logs by fluentd": of(logConfiguration={"logDriver": "fluentd", "options": {"fluentd-address": "f:24224"}}),
    "a volume of EFS": of(definition={"volumes": [{"name": "u", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]}),
    "an image of Docker Hub": of(image="nginx"),
    "an image of Docker Hub by its digest": of(image=f"library/nginx:1.27@sha256:{'a' * 64}"),
    "an image of another account": of(image="210987654321.dkr.ecr.us-east-1.amazonaws.com/base:latest"),
    "on ARM64": of(definition={"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}),
    "on Windows": of(definition={"runtimePlatform": WINDOWS, "cpu": "1024", "memory": "2048"}),
    "a size that came later": shown({"cpu": "32768", "memory": "249856"}),
    "a range of ports": container_shown(portMappings=[{"containerPortRange": f"{PORT - 10}-{PORT + 10}"}]),
    "a port by its name and number": container_shown(portMappings=[{"containerPort": PORT, "name": "http"}]),
    "a version and a label of parameters": parameters("/shop/api-key:1", f"{ARN}/shop/api-key:live"),
    "parameters of AWS's own": parameters(
        "/aws/reference/secretsmanager/shop/database", f"{ARN}/aws/service/canonical/ubuntu/server/24.04/stable/current"
    ),
    "ports of groups that nobody uses": groups_shown({"Port": 80}, {"Port": 8080}),
    "a management port": groups(HealthCheckPort="9000"),
    "a generous matcher": groups(Matcher={"HttpCode": "200-499"}),
    "gRPC": groups(ProtocolVersion="GRPC", Matcher={"GrpcCode": "0-99"}),
    "slow health checks": groups(HealthCheckIntervalSeconds=120, HealthyThresholdCount=5),
    "health checks that differ": groups_shown({"HealthCheckPath": "/health"}, {"HealthCheckPath": "/"}),
    "addresses of version 6": groups(IpAddressType="ipv6"),
    "behind TCP": behind_a_network_load_balancer("TCP"),
    "behind TLS": behind_a_network_load_balancer("TLS"),
    "behind UDP": behind_a_network_load_balancer("UDP"),
    "it scales": scaled,
    "on Spot": on_spot,
    "on instances, bridge": on_instances("bridge", "instance"),
    "on instances, host": on_instances("host", "instance"),
    "on instances, awsvpc": on_instances("awsvpc", "ip"),
    "HTTP leads to HTTPS": redirected,
    "no way back": without_a_way_back,
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


def test_a_rollback_that_is_off_is_a_note(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, without_a_way_back(stage))
    assert "; note: automatic rollback is off for DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM: " in judgement.message


def test_a_parameter_whose_name_alone_is_like_one_of_awss_is_looked_for(stage: Stage, judge: Judge) -> None:
    assert judge(hook, parameters("/awsome/key")(stage)).message.startswith("parameter /awsome/key does not exist")


@pytest.mark.parametrize("mapped", ["7000-7999", "8001-8100"])
def test_a_range_without_the_port(stage: Stage, judge: Judge, mapped: str) -> None:
    judgement = judge(hook, container_shown(portMappings=[{"containerPortRange": mapped}])(stage))
    said = f"container {CONTAINER} maps port {mapped}, the AppSpec says {PORT}: make them one"
    assert judgement.check("container_port") == ("failed", said)


def test_a_hook_of_somebody_else_may_let_another_report(stage: Stage, judge: Judge) -> None:
    """Of one that starts a state machine, say, nobody here can tell who reports."""
    stage.create_hooks()
    stage.tell("AfterInstall", HOOK_SETTINGS=None)
    stage.forbid("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus")
    judgement = judge(hook, stage.at(EVENT))
    outcome, detail = judgement.check("hook_roles:AfterInstall")
    assert outcome == "skipped"
    assert detail.endswith("which is none of this module's, lets another report")
    assert judgement.check("hook_roles:AfterAllowTraffic")[0] == "failed"


@pytest.mark.parametrize("event", HOOK_EVENTS[1:])
@pytest.mark.parametrize("name", [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:smoke-test", "smoke-test"])
def test_a_hook_of_ones_own_that_may_not_be_looked_at_is_a_note(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, name: str, event: str
) -> None:
    """This hook's role reads functions named as the module's; whether another exists CodeDeploy will see."""
    stage.create_hooks()
    stage.hooks[event] = name
    without_a_test_listener(stage)
    if event != "AfterAllowTestTraffic":
        stage.tell("AfterAllowTestTraffic", {"checks": {"test_listener": "skip"}})
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*")
    read = Deployment._read_function

    def read_or_be_denied(deployment: Deployment, asked: str) -> Mapping[str, Any]:
        if asked == name:  # not asked in earnest: the role would be found too narrow for what the test does
            raise AwsDenied("denied", "lambda", "get_function_configuration")
        return read(deployment, asked)

    monkeypatch.setattr(Deployment, "_read_function", read_or_be_denied)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "warned" not in judgement.message
    said = f"function {name} is none of this module's, and not open to this hook: not looked at"
    assert judgement.message.endswith(f"; note: {said}")
    for check in ("hook_functions", "hook_roles", "hook_settings", "hook_versions"):
        assert judgement.check(f"{check}:{event}") == ("skipped", said)
    sends = {"AfterAllowTestTraffic": ["test_listener"], "AfterAllowTraffic": []}
    for check in [*sends[event], f"requests:{event}"] if event in sends else []:
        assert judgement.check(check) == ("skipped", said)
    assert judgement.check("service_role:lambda:InvokeFunction")[0] == "passed"


def test_a_strategy_that_codedeploy_does_not_take_over_is_said(stage: Stage, judge: Judge) -> None:
    """Green would run on demand, and cost more: no reason to refuse it."""
    on_spot(stage)
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    said = (
        "warned: service shop runs on capacity providers FARGATE_SPOT, a strategy that CodeDeploy does not take over: "
    )
    assert said + "green starts on the launch type; name the strategy in the AppSpec" in judgement.message


def test_a_test_listener_that_leads_to_the_idle_group_is_no_refusal(stage: Stage, judge: Judge) -> None:
    """Many stacks begin so; AWS's guide wants blue there."""
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.green_group: 1})
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert "warned: test listener on port 8080 leads to shop-green 1, not just to shop-blue" in judgement.message


def test_a_test_listener_that_leads_nowhere_is_refused(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    stage.elbv2.modify_listener(ListenerArn=stage.test_listener, DefaultActions=[answer])
    assert judge(hook, event).message.startswith("test listener on port 8080 leads to no target group, not just to")


def test_a_rule_with_an_idle_group_beside_others_mixes_nothing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    legacy = stage.create_target_group("legacy")
    weights = {stage.blue_group: 100, stage.green_group: 0, legacy: 0}
    stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=7,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}],
        Actions=[
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
                },
            }
        ],
    )
    assert judge(hook, event).check("listener_rules")[0] == "passed"


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}},
        {"Effect": "Allow", "Action": "sts:Assume*"},
    ],
    ids=["a guard against others", "a pattern"],
)
def test_trust_policies_that_let_ecs_in(stage: Stage, judge: Judge, statement: dict[str, Any]) -> None:
    base = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [{**base, **statement}] if statement["Effect"] == "Allow" else [base, {**base, **statement}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    role = stage.iam.create_role(RoleName="odd", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    assert judge(hook, of(definition={"taskRoleArn": role})(stage)).check("task_role")[0] == "passed"
