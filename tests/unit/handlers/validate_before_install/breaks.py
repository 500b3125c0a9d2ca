"""One environment for each check that is broken at just that place, and the words in which it is told."""

from __future__ import annotations

import json

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import ACCOUNT, CLUSTER, SERVICE, Stage
from tests.unit.handlers.validate_before_install.helpers import (
    EVENT,
    PRODUCTION,
    TEST,
    Deploy,
    Event,
    after,
    appspec,
    before,
    of,
    on_spot,
    pair,
    service_shown,
    written,
)


def unhealthy_blue(stage: Stage) -> None:
    """One of blue's targets is unhealthy."""
    stage.world.target_health[stage.world.started[0].private_ip] = TargetState("unhealthy", "Target.Timeout")


def short_of_one(stage: Stage) -> None:
    """One of blue's two tasks is still to come."""
    service_shown(stage, runningCount=1, pendingCount=1, stabilityStatus="STABILIZING")


def on_the_services_strategy(stage: Stage) -> Event:
    """The service runs on Spot, and the AppSpec does not say so."""
    on_spot(stage)
    stage.deployment.set_status("Stopped")
    return stage.at(EVENT)


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
    for event in (TEST, PRODUCTION):
        stage.tell(event, {"http_checks": {"shop": {"path": "/shop"}}})
    stage.change_load_balancer(Scheme="internal")
    return stage.at(EVENT)


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


def no_addresses(stage: Stage) -> None:
    """The subnets are nearly full."""
    answer = stage.ec2.describe_subnets(SubnetIds=stage.subnets)
    for subnet in answer["Subnets"]:
        subnet["AvailableIpAddressCount"] = 0
    answer["Subnets"][0]["AvailableIpAddressCount"] = 1
    stage.instead["ec2:DescribeSubnets"] = lambda _: answer


BREAKS: dict[str, tuple[Deploy, str]] = {
    "service": (
        before(lambda stage: stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)),
        "service shop has a desired count of 0",
    ),
    "blue_targets": (after(unhealthy_blue), "1 of 2 targets of shop-blue, which serves now, are healthy: 10.0."),
    "running_count": (
        after(short_of_one),
        "service shop is not at its desired count: 1 of 2 tasks running, 1 pending; fix it first",
    ),
    "service_steady": (after(unhealthy_blue), " is STABILIZING, expected STEADY_STATE; fix it first"),
    "stale_task_sets": (
        before(lambda stage: stage.create_task_set("d-OTHER1234")),
        "a task set of another deployment is left over: ecs-svc/",
    ),
    "appspec": (written("just words"), "the AppSpec is a str, expected a mapping"),
    "task_definition": (
        before(lambda stage: stage.ecs.deregister_task_definition(taskDefinition=stage.green_definition)),
        "is INACTIVE, expected ACTIVE: register it anew",
    ),
    "container_port": (
        appspec(LoadBalancerInfo={"ContainerName": "app", "ContainerPort": 80}),
        "container app maps port 8000, the AppSpec says 80",
    ),
    "launch_type": (
        on_the_services_strategy,
        "service shop runs on capacity providers FARGATE_SPOT, a strategy that CodeDeploy does not take over: green",
    ),
    "roles": (
        lambda stage: of(definition={"taskRoleArn": stage.create_role("wrong", trusts="lambda.amazonaws.com")})(stage),
        "role/wrong does not trust ecs-tasks.amazonaws.com: fix its trust policy",
    ),
    "service_role": (
        after(lambda stage: stage.forbid("shop-codedeploy", "lambda:InvokeFunction")),
        f"role arn:aws:iam::{ACCOUNT}:role/shop-codedeploy may not invoke arn:aws:lambda:eu-west-1:{ACCOUNT}:function:",
    ),
    "images": (lambda stage: of(image=stage.image("3"))(stage), "shop:3 is not in ECR of eu-west-1: push it"),
    "cpu_architecture": (for_arm, "is built for arm64, the task runs on X86_64: build it for amd64 too"),
    "secrets": (
        after(lambda stage: stage.secretsmanager.delete_secret(SecretId=stage.secret)),
        "is scheduled for deletion: restore it",
    ),
    "parameters": (
        after(lambda stage: stage.ssm.delete_parameter(Name="/shop/api-key")),
        "parameter /shop/api-key does not exist: create it, or fix the task definition",
    ),
    "log_groups": (
        after(lambda stage: stage.logs.delete_log_group(logGroupName="/ecs/shop")),
        "log group /ecs/shop does not exist: the container would not start; create it",
    ),
    "target_groups": (
        pair("shop-blue"),
        "expected 2 target groups in the pair of the deployment group, found shop-blue: name both",
    ),
    "production_weights": (
        after(lambda stage: stage.lead(stage.production_listener, {stage.blue_group: 90, stage.green_group: 10})),
        "production listener on port 80 forwards to shop-blue 90, shop-green 10, not just to shop-blue",
    ),
    "test_weights": (
        after(lambda stage: stage.lead(stage.test_listener, {stage.create_target_group("frontend"): 1})),
        "test listener on port 8080 forwards to frontend 1, not just to shop-blue",
    ),
    "listener_rules": (
        before(mixed_rule),
        "rule 7 (host-header beta.example.com) of the test listener forwards to shop-blue 1, frontend 1: only part",
    ),
    "other_listeners": (
        after(lambda stage: stage.create_listener(8000)),
        "listener on port 8000 (HTTP) forwards to shop-blue 1: CodeDeploy moves only",
    ),
    "availability_zones": (
        before(in_another_zone),
        "tasks may run in eu-west-1c, the load balancer serves eu-west-1a, eu-west-1b: add a subnet of that zone to it",
    ),
    "free_addresses": (after(no_addresses), "green needs 2: add a subnet"),
    "alarms": (
        after(lambda stage: stage.set_alarm("shop-5xx", "ALARM")),
        "alarm shop-5xx is ALARM, expected not ALARM",
    ),
    "test_listener": (
        before(lambda stage: stage.update_group(loadBalancerInfo=stage.pair(None))),
        "the deployment group has no test listener, so green cannot be tested before its customers meet it",
    ),
    "requests": (declared_and_out_of_reach, "validate_test_traffic is to ask http_checks.shop, and load balancer"),
    "hook_functions": (
        after(lambda stage: stage.functions.delete_function(FunctionName=stage.hooks[PRODUCTION])),
        "CodeDeployHook_shop-AfterAllowTraffic, which the AppSpec's Hooks name, does not exist: put the module's",
    ),
    "hook_settings": (
        after(lambda stage: stage.tell(PRODUCTION, {"duration": 3000})),
        "validate_production.initial_delay, duration and load take 3060 s, and 2880 s are left for them beside 120 s",
    ),
    "hook_versions": (
        after(lambda stage: stage.tell("AfterInstall", {"schema": "another"})),
        "is told its options as another version of the module has them: apply the module once more",
    ),
}
