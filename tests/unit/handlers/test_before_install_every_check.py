"""BeforeInstall: every check passes in a sound environment and speaks up in one that is broken at just that place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import validate_before_install as hook
from gate.release import Release
from gate.verdict import Check, Severity

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import ACCOUNT, CLUSTER, SERVICE, Judge, Stage, refuse

EVENT = "BeforeInstall"
EFS = {"volumes": [{"name": "uploads", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]}
Event = dict[str, str]
Break = tuple[Callable[[Stage], Event], str]


def declared() -> list[Check]:
    """The checks that the handler has, in its order."""
    nobody: Any = None
    return hook.all_checks(Release(nobody), nobody, {})


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """An AppSpec with all five hooks."""
    stage.create_hooks()


def before(change: Callable[[Stage], object]) -> Callable[[Stage], Event]:
    """Change something, then deploy."""

    def event(stage: Stage) -> Event:
        change(stage)
        return stage.at(EVENT)

    return event


def after(change: Callable[[Stage], object]) -> Callable[[Stage], Event]:
    """Deploy, then change something before the hook looks."""

    def event(stage: Stage) -> Event:
        found = stage.at(EVENT)
        change(stage)
        return found

    return event


def of(definition: dict[str, Any] | None = None, **container: Any) -> Callable[[Stage], Event]:
    """Deploy a task definition with these changes, to itself and to its container."""

    def event(stage: Stage) -> Event:
        stage.green_definition = stage.register(definition=definition, **container)
        return stage.at(EVENT)

    return event


def appspec(**properties: Any) -> Callable[[Stage], Event]:
    """Deploy with other properties in the AppSpec."""
    return lambda stage: stage.at(EVENT, json.dumps(stage.appspec(**properties)))


def other_pair(stage: Stage, **changes: Any) -> None:
    """Put another target group into the place of green's."""
    stage.create_target_group("shop-other", **changes)
    stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ("shop-blue", "shop-other")))


def in_another_vpc(stage: Stage) -> None:
    """A target group in another VPC."""
    vpc = stage.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other_pair(stage, VpcId=vpc)


def for_arm(stage: Stage) -> Event:
    """Deploy an image that is built for ARM64 alone, with the attestation that builders list beside it."""
    kind, manifest = (f"application/vnd.oci.image.{word}.v1+json" for word in ("index", "manifest"))
    entries = []
    for platform in ({"architecture": "arm64", "os": "linux"}, {"architecture": "unknown", "os": "unknown"}):
        child = json.dumps({"schemaVersion": 2, "mediaType": manifest, "config": platform, "layers": []})
        put = stage.ecr.put_image(repositoryName="shop", imageManifest=child, imageManifestMediaType=manifest)
        digest = put["image"]["imageId"]["imageDigest"]
        entries.append({"mediaType": manifest, "digest": digest, "size": len(child), "platform": platform})
    index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries})
    stage.ecr.put_image(repositoryName="shop", imageManifest=index, imageManifestMediaType=kind, imageTag="arm-1")
    return of(image=stage.image("arm-1"))(stage)


def declared_and_out_of_reach(stage: Stage) -> Event:
    """Declare a check of a load balancer that is internal, for functions outside its VPC."""
    for event in ("AfterAllowTestTraffic", "AfterAllowTraffic"):
        stage.tell(event, {"http_checks": {"shop": {"path": "/shop"}}})
    stage.change_load_balancer(Scheme="internal")
    return stage.at(EVENT)


def old_platform(stage: Stage) -> Event:
    """Deploy a volume of EFS to a platform version that has none."""
    stage.green_definition = stage.register(definition=EFS)
    return appspec(PlatformVersion="1.3.0")(stage)


def without_execution_role(stage: Stage) -> Event:
    """Deploy a task definition that names no execution role; ECS itself refuses some of those when they register."""
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    bare = {key: value for key, value in found.items() if key != "executionRoleArn"}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": bare}
    return event


def odd_memory(stage: Stage) -> Event:
    """Deploy a task definition of a size that Fargate does not have."""
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": {**found, "memory": "1536"}}
    return event


def test_listener_elsewhere(stage: Stage) -> None:
    """The test listener is on another load balancer."""
    balancer = stage.elbv2.create_load_balancer(Name="other", Subnets=stage.subnets, Type="application")
    stage.load_balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    stage.update_group(loadBalancerInfo=stage.pair(stage.create_listener(9090)))


test_listener_elsewhere.__test__ = False  # type: ignore[attr-defined]  # its name is what it does


def mixed_rule(stage: Stage) -> None:
    """A rule shares its requests out between blue and a service that is none of this deployment's."""
    groups = [{"TargetGroupArn": arn, "Weight": 1} for arn in (stage.blue_group, stage.create_target_group("frontend"))]
    stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=7,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["beta.example.com"]}}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


def in_another_zone(stage: Stage) -> None:
    """The service may start tasks where the load balancer has no subnet."""
    zone = stage.region + "c"
    subnet = stage.ec2.create_subnet(VpcId=stage.vpc, CidrBlock="10.0.3.0/24", AvailabilityZone=zone)["Subnet"]
    stage.subnets.append(subnet["SubnetId"])
    stage.create_service_anew()


def network_load_balancer(stage: Stage) -> Event:
    """Deploy step by step behind a Network Load Balancer, which has no weights."""
    stage.update_group(deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes")
    event = stage.at(EVENT)
    found = stage.elbv2.describe_load_balancers(LoadBalancerArns=[stage.load_balancer])["LoadBalancers"][0]
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: {"LoadBalancers": [{**found, "Type": "network"}]}
    return event


def no_addresses(stage: Stage) -> None:
    """The subnets are nearly full."""
    answer = stage.ec2.describe_subnets(SubnetIds=stage.subnets)
    for subnet in answer["Subnets"]:
        subnet["AvailableIpAddressCount"] = 0
    answer["Subnets"][0]["AvailableIpAddressCount"] = 1
    stage.instead["ec2:DescribeSubnets"] = lambda _: answer


def lost_security_group(stage: Stage) -> Event:
    """The AppSpec names a security group that somebody deleted."""
    network = {"Subnets": stage.subnets, "SecurityGroups": ["sg-0123456789abcdef0"]}
    return appspec(NetworkConfiguration={"AwsvpcConfiguration": network})(stage)


def unhealthy_blue(stage: Stage) -> None:
    """One of blue's targets is unhealthy."""
    stage.world.target_health[stage.world.started[0].private_ip] = TargetState("unhealthy", "Target.Timeout")


def short_of_one(stage: Stage) -> None:
    """One of blue's two tasks is still to come."""
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set.update(runningCount=1, pendingCount=1, stabilityStatus="STABILIZING")
    stage.instead["ecs:DescribeServices"] = lambda _: answer


def another_door(stage: Stage) -> None:
    """A listener that CodeDeploy will not move."""
    stage.create_listener(8000)


def inactive_cluster(stage: Stage) -> None:
    """The cluster is about to go."""
    stage.instead["ecs:DescribeClusters"] = lambda _: {"clusters": [{"clusterName": CLUSTER, "status": "INACTIVE"}]}


BREAKS: dict[str, Break] = {
    "cluster": (after(inactive_cluster), "cluster main is INACTIVE, expected ACTIVE"),
    "service": (
        after(lambda stage: stage.ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)),
        "service shop is INACTIVE, expected ACTIVE",
    ),
    "deployment_controller": (
        before(lambda stage: stage.create_service_anew(deploymentController={"type": "ECS"})),
        "service shop has deployment controller ECS, expected CODE_DEPLOY",
    ),
    "desired_count": (
        before(lambda stage: stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)),
        "service shop has a desired count of 0",
    ),
    "blue_targets": (
        after(unhealthy_blue),
        "1 of 2 targets of shop-blue, which serves now, are healthy: 10.0.",
    ),
    "running_count": (
        after(short_of_one),
        "service shop is not at its desired count: 1 of 2 tasks running, 1 pending; mend it first",
    ),
    "service_steady": (
        after(unhealthy_blue),
        " is STABILIZING, expected STEADY_STATE; mend it first",
    ),
    "left_over_task_sets": (
        before(lambda stage: stage.create_task_set("d-OTHER1234")),
        "a task set of another deployment is left over: ecs-svc/",
    ),
    "appspec": (lambda stage: stage.at(EVENT, "just words"), "the AppSpec is a str, expected a mapping"),
    "task_definition": (
        before(lambda stage: stage.ecs.deregister_task_definition(taskDefinition=stage.green_definition)),
        "is INACTIVE, expected ACTIVE: register it anew",
    ),
    "container_port": (
        appspec(LoadBalancerInfo={"ContainerName": "app", "ContainerPort": 80}),
        "container app maps port 8000, the AppSpec says 80",
    ),
    "network_mode": (
        of({"networkMode": "bridge", "requiresCompatibilities": ["EC2"]}),
        "target group shop-blue takes addresses (ip), network mode bridge gives none: use awsvpc",
    ),
    "launch_type": (
        of({"requiresCompatibilities": ["EC2"]}),
        "green runs on FARGATE, the task definition is made for EC2",
    ),
    "cpu_memory": (odd_memory, "cpu 256 takes memory 512, 1024, 2048 MiB, the task has 1536"),
    "platform_version": (
        old_platform,
        "platform version 1.3.0 is older than 1.4.0, which is needed for EFS volumes",
    ),
    "cpu_architecture": (for_arm, "is built for arm64, the task runs on X86_64: build it for amd64 too"),
    "images": (lambda stage: of(image=stage.image("3"))(stage), "shop:3 is not in ECR of eu-west-1: push it"),
    "execution_role": (
        without_execution_role,
        "the task definition names no execution role, which secrets, images in ECR, awslogs need",
    ),
    "task_role": (
        lambda stage: of({"taskRoleArn": stage.create_role("wrong", trusts="lambda.amazonaws.com")})(stage),
        "role/wrong does not trust ecs-tasks.amazonaws.com: mend its trust policy",
    ),
    "secrets": (
        after(lambda stage: stage.secretsmanager.delete_secret(SecretId=stage.secret)),
        "is scheduled for deletion: restore it",
    ),
    "parameters": (
        after(lambda stage: stage.ssm.delete_parameter(Name="/shop/api-key")),
        "parameter /shop/api-key does not exist: create it, or mend the task definition",
    ),
    "log_groups": (
        after(lambda stage: stage.logs.delete_log_group(logGroupName="/ecs/shop")),
        "log group /ecs/shop does not exist: the container would not start; create it",
    ),
    "target_groups": (
        before(lambda stage: stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ("shop-blue",)))),
        "expected 2 target groups in the deployment group's pair, found shop-blue: name both",
    ),
    "target_groups_alike": (
        before(lambda stage: other_pair(stage, Protocol="HTTPS")),
        "target groups shop-blue and shop-other differ in protocol 'HTTP' and 'HTTPS': make them alike",
    ),
    "target_group_vpc": (before(in_another_vpc), "target group shop-other is in vpc-"),
    "production_listener": (
        after(lambda stage: stage.elbv2.delete_listener(ListenerArn=stage.production_listener)),
        "does not exist: mend the deployment group",
    ),
    "load_balancer": (before(test_listener_elsewhere), "both must be on one load balancer"),
    "availability_zones": (
        before(in_another_zone),
        "tasks may run in eu-west-1c, the load balancer serves eu-west-1a, eu-west-1b: add a subnet of that zone to it",
    ),
    "production_weights": (
        after(lambda stage: stage.lead(stage.production_listener, {stage.blue_group: 90, stage.green_group: 10})),
        "production listener on port 80 leads to shop-blue 90, shop-green 10, not just to shop-blue",
    ),
    "test_weights": (
        after(lambda stage: stage.lead(stage.test_listener, {stage.create_target_group("frontend"): 1})),
        "test listener on port 8080 leads to frontend 1, not just to shop-blue",
    ),
    "listener_rules": (
        before(mixed_rule),
        "rule 7 (host-header beta.example.com) of the test listener leads to shop-blue 1, frontend 1: only part of its",
    ),
    "other_listeners": (
        after(another_door),
        "listener on port 8000 (HTTP) leads to shop-blue 1: CodeDeploy moves only",
    ),
    "traffic_routing": (
        network_load_balancer,
        "CodeDeployDefault.ECSCanary10Percent5Minutes is TimeBasedCanary, which a network load balancer cannot do",
    ),
    "free_addresses": (after(no_addresses), "green needs 2: add a subnet"),
    "security_groups": (lost_security_group, "security group sg-0123456789abcdef0 does not exist"),
    "alarms": (
        after(lambda stage: stage.set_alarm("shop-5xx", "ALARM")),
        "alarm shop-5xx is ALARM, expected not ALARM",
    ),
    "auto_rollback": (
        before(lambda stage: stage.update_group(autoRollbackConfiguration={"enabled": False})),
        "automatic rollback is off for DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM",
    ),
    "test_listener": (
        before(lambda stage: stage.update_group(loadBalancerInfo=stage.pair(None))),
        "the deployment group has no test listener, so green cannot be tested before its customers meet it",
    ),
    "requests": (declared_and_out_of_reach, "validate_test_traffic is to ask http_checks.shop, and load balancer"),
    "hook_functions": (
        after(lambda stage: stage.functions.delete_function(FunctionName=stage.hooks["AfterAllowTraffic"])),
        "CodeDeployHook_shop-AfterAllowTraffic, which the AppSpec's Hooks name, does not exist: put the module's",
    ),
    "hook_roles": (
        after(lambda stage: stage.forbid("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus")),
        "may not report (codedeploy:PutLifecycleEventHookExecutionStatus) on *: the deployment would wait an hour",
    ),
    "service_role": (
        after(lambda stage: stage.forbid("shop-codedeploy", "lambda:InvokeFunction")),
        f"role arn:aws:iam::{ACCOUNT}:role/shop-codedeploy may not invoke arn:aws:lambda:eu-west-1:{ACCOUNT}:function:",
    ),
    "hook_settings": (
        after(lambda stage: stage.tell("AfterAllowTraffic", {"duration": 3000})),
        "validate_production.initial_delay, duration and load take 3060 s, and 2880 s are left for them beside 120 s",
    ),
    "hook_versions": (
        after(lambda stage: stage.tell("AfterInstall", {"schema": "another"})),
        "is told its options as another version of the module has them: apply the module once more",
    ),
}

SAID_ONLY = {"auto_rollback"}  # a note


def test_every_check_is_broken_once_in_the_order_of_the_handler() -> None:
    assert list(BREAKS) == [check.name for check in declared()]


def test_every_check_passes_in_a_sound_environment(stage: Stage, judge: Judge) -> None:
    """But for the architecture of an image for one platform, which its manifest does not tell."""
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    outcomes = {(check["name"].partition(":")[0], check["outcome"]) for check in judgement["checks"][1:]}
    assert outcomes == {(name, "skipped" if name == "cpu_architecture" else "passed") for name in BREAKS}


@pytest.mark.parametrize("check", declared(), ids=lambda check: check.name)
def test_every_check_speaks_up(stage: Stage, judge: Judge, check: Check) -> None:
    """With the value found; one that is only a warning does not stop the deployment."""
    make, words = BREAKS[check.name]
    judgement = judge(hook, make(stage))
    found = [each for each in judgement["checks"] if each["name"].partition(":")[0] == check.name]
    telling = [each for each in found if each["outcome"] != "passed"]
    assert telling
    assert any(words in each["detail"] for each in telling), [each["detail"] for each in telling]
    if check.name in SAID_ONLY:
        assert judgement.succeeded
        return
    # What cannot be read cannot be looked at; everything else was, and is wrong.
    assert {each["outcome"] for each in telling} == {"error" if check.name == "appspec" else "failed"}
    assert {each["severity"] for each in found} == {check.severity.value}
    if check.severity is Severity.WARN:
        assert judgement.succeeded
        assert " warned: " in judgement.message
    else:
        assert not judgement.succeeded


@pytest.mark.parametrize("check", declared(), ids=lambda check: check.name)
def test_every_check_can_be_left_out_visibly(stage: Stage, judge: Judge, check: Check) -> None:
    judgement = judge(hook, stage.at(EVENT), checks={check.name: "skip"})
    assert judgement.succeeded
    assert judgement.check(check.name) == ("skipped", "left out by the setting `checks`")


def test_a_name_that_no_check_has_is_said(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), checks={"imags": "skip", "images:shop:2": "warn"})
    assert judgement.succeeded
    outcome, detail = judgement.check("checks")
    assert outcome == "failed"
    assert detail.startswith("the setting checks names imags, which this hook does not have; it has cluster, service, ")
    assert judgement.check("images:shop:2")[0] == "passed"


@pytest.mark.parametrize("check", [check for check in declared() if check.name not in SAID_ONLY], ids=lambda c: c.name)
def test_no_check_stands_in_the_way_of_a_rollback(stage: Stage, judge: Judge, check: Check) -> None:
    """Not even one that the user made stricter."""
    make, _ = BREAKS[check.name]
    make(stage)
    judgement = judge(hook, stage.rollback_at(EVENT), checks={check.name: "fail"})
    assert judgement.succeeded
    assert {each["severity"] for each in judgement["checks"][1:]} == {"warn"}


# What each check asks of AWS, by its name in IAM; the first row is what every hook asks to know whose deployment it is.
READS = {
    "codedeploy:GetDeployment": "deployment",
    "codedeploy:GetDeploymentGroup": "deployment",
    "codedeploy:GetApplicationRevision": "appspec",
    "ecs:DescribeClusters": "cluster",
    "ecs:DescribeServices": "service",
    "ecs:DescribeTaskDefinition": "task_definition",
    "elasticloadbalancing:DescribeTargetGroups": "target_groups",
    "elasticloadbalancing:DescribeTargetHealth": "blue_targets",
    "elasticloadbalancing:DescribeListeners": "production_listener",
    "elasticloadbalancing:DescribeRules": "production_weights",
    "elasticloadbalancing:DescribeLoadBalancers": "load_balancer",
    "ec2:DescribeSubnets": "free_addresses",
    "ec2:DescribeSecurityGroups": "security_groups",
    "cloudwatch:DescribeAlarms": "alarms",
    "ecr:BatchGetImage": "images:shop:2",
    "iam:GetRole": "execution_role",
    "iam:SimulatePrincipalPolicy": "service_role:iam:PassRole",
    "lambda:GetFunctionConfiguration": "hook_functions:AfterInstall",
    "secretsmanager:DescribeSecret": "secrets:",
    "ssm:DescribeParameters": "parameters:/shop/api-key",
    "logs:DescribeLogGroups": "log_groups:/ecs/shop",
}


@pytest.mark.parametrize(("action", "check"), READS.items())
def test_a_missing_permission_is_an_error_that_names_the_action(
    stage: Stage, judge: Judge, action: str, check: str
) -> None:
    event = stage.at(EVENT)
    operation = action.replace("elasticloadbalancing:", "elbv2:")
    stage.instead[operation] = refuse("AccessDeniedException", "no identity-based policy allows it", 403)
    judgement = judge(hook, event)
    named = [name for name in judgement.outcomes() if name == check or (name.startswith(check) and check[-1] == ":")]
    said = f"{action} was denied: allow it in this hook's role"
    assert len(named) == 1
    outcome, detail = judgement.check(named[0])
    assert outcome == "error"
    assert detail.startswith(said)
    assert said in judgement.message
    assert not judgement.succeeded


def test_no_read_is_left_out_of_the_list_of_permissions(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT))
    called = {call.name.replace("elbv2:", "elasticloadbalancing:") for call in stage.calls}
    assert called - set(READS) == {"codedeploy:PutLifecycleEventHookExecutionStatus"}
