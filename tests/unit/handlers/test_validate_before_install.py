"""BeforeInstall: each thing that would make the deployment fail later is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
import validate_before_install as hook
import yaml
from gate.release import Release
from gate.waiting import OutOfTime

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import ACCOUNT, CLUSTER, SERVICE, Judge, Stage, refuse

EVENT = "BeforeInstall"


def test_it_only_reads_and_never_the_value_of_a_secret(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    judge(hook, stage.at(EVENT))
    assert {call.name for call in stage.calls} == {
        "iam:SimulatePrincipalPolicy",
        "lambda:GetFunctionConfiguration",
        "elbv2:DescribeRules",
        "ec2:DescribeSecurityGroups",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:GetApplicationRevision",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeClusters",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeListeners",
        "elbv2:DescribeLoadBalancers",
        "elbv2:DescribeTargetHealth",
        "cloudwatch:DescribeAlarms",
        "ecr:BatchGetImage",
        "iam:GetRole",
        "secretsmanager:DescribeSecret",
        "ssm:DescribeParameters",
        "logs:DescribeLogGroups",
        "ec2:DescribeSubnets",
    }


def test_one_run_names_all_problems(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.iam.delete_role(RoleName="shop-task")
    stage.set_alarm("shop-5xx", "ALARM")
    stage.lead(stage.test_listener, {stage.create_target_group("frontend"): 1})
    judgement = judge(hook, event)
    assert not judgement.succeeded
    bad = {name for name, outcome in judgement.outcomes().items() if outcome not in ("passed", "skipped")}
    assert bad == {"log_groups:/ecs/shop", "task_role", "alarms:shop-5xx", "test_weights"}
    assert judgement.message == (
        f"task role arn:aws:iam::{ACCOUNT}:role/shop-task does not exist: create it, or mend the task definition; "
        f"{judgement.check('log_groups:/ecs/shop')[1]}; {judgement.check('test_weights')[1]} "
        "(and 1 more: alarms:shop-5xx)"
    )


# The service.


def use_names(stage: Stage, monkeypatch: pytest.MonkeyPatch, cluster: str = CLUSTER, service: str = SERVICE) -> None:
    """Let the deployment group and the hook both watch another service."""
    stage.update_group(ecsServices=[{"clusterName": cluster, "serviceName": service}])
    monkeypatch.setenv("ECS_CLUSTER", cluster)
    monkeypatch.setenv("ECS_SERVICE", service)


def test_a_missing_cluster(stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    use_names(stage, monkeypatch, cluster="gone")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("cluster") == ("failed", "cluster gone does not exist: check ecs_cluster_name")
    outcome, detail = judgement.check("service")
    assert outcome == "error"
    assert detail.startswith("ecs:DescribeServices failed: ClusterNotFoundException")
    assert judgement.message == f"cluster gone does not exist: check ecs_cluster_name; {detail}"


def test_a_cluster_that_is_not_active(stage: Stage, judge: Judge) -> None:
    stage.instead["ecs:DescribeClusters"] = lambda _: {"clusters": [{"clusterName": CLUSTER, "status": "INACTIVE"}]}
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == "cluster main is INACTIVE, expected ACTIVE: create it again"


def test_a_missing_service_is_found_in_the_failures(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_names(stage, monkeypatch, service="gone")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("service") == (
        "failed",
        "service gone is not in cluster main (MISSING): check ecs_cluster_name and ecs_service_name",
    )
    assert judgement.check("cluster")[0] == "passed"
    assert (
        judgement.check("images:shop:2")[0] == "passed"
    )  # what does not depend on the service was looked at all the same


def test_an_inactive_service(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)
    judgement = judge(hook, event)
    assert judgement.check("service") == ("failed", "service shop is INACTIVE, expected ACTIVE: create it again")


def test_a_service_of_another_controller(stage: Stage, judge: Judge) -> None:
    stage.create_service_anew(deploymentController={"type": "ECS"})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("deployment_controller") == (
        "failed",
        "service shop has deployment controller ECS, expected CODE_DEPLOY (set when a service is created)",
    )


def test_the_events_that_say_why(stage: Stage, judge: Judge) -> None:
    """Of the service's events, newest first, not those that tell what ECS does all day."""
    event = stage.at(EVENT)
    stage.world.target_health[stage.world.started[0].private_ip] = TargetState("unhealthy", "Target.Timeout")
    why = "(service shop) was unable to place a task because no container instance met all of its requirements."
    daily = "(service shop) registered 1 targets in (target-group shop-blue)"

    def service(parameters: Any) -> Any:
        found = stage.ecs.describe_services(**parameters)
        found["services"][0]["events"] = [{"message": each} for each in (daily, daily, daily, why, daily)]
        return found

    stage.instead["ecs:DescribeServices"] = service
    detail = judge(hook, event).check("service_steady")[1]
    assert f"mend it first; latest events: {why} (still" in detail


def test_a_service_without_a_primary_task_set(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    answer["services"][0]["taskSets"] = []
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    judgement = judge(hook, event)
    said = "service shop has no primary task set: deploy it once without this hook"
    for check in ("running_count", "service_steady", "production_weights", "test_weights", "blue_targets"):
        outcome, detail = judgement.check(check)
        assert outcome == "failed"
        assert detail.startswith(said)


def test_a_task_set_left_over_from_another_deployment(stage: Stage, judge: Judge) -> None:
    left_over = stage.create_task_set("d-OTHER1234")
    judgement = judge(hook, stage.at(EVENT))
    outcome, detail = judgement.check("left_over_task_sets")
    assert outcome == "failed"
    assert detail == (
        f"a task set of another deployment is left over: {left_over.split('/shop/')[1]} of deployment d-OTHER1234 "
        "(scale 100 %); stop that deployment or delete the task set"
    )


def test_a_draining_task_set_is_not_left_over(stage: Stage, judge: Judge) -> None:
    old = stage.create_task_set("d-OTHER1234")
    stage.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=old, force=True)
    event = stage.at(EVENT)
    listed = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["taskSets"]
    assert [task_set["status"] for task_set in listed] == ["PRIMARY", "DRAINING"]
    assert judge(hook, event).succeeded


# The AppSpec.


def appspec_yaml(stage: Stage) -> str:
    """The AppSpec as the module's README shows it."""
    return yaml.safe_dump(stage.appspec())


def in_other_case(stage: Stage) -> str:
    """The AppSpec with every key in lower case."""

    def lowered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.lower(): lowered(entry) for key, entry in value.items()}
        return [lowered(entry) for entry in value] if isinstance(value, list) else value

    return json.dumps(lowered(stage.appspec()))


def port_as_text(stage: Stage) -> str:
    """The AppSpec with its port in quotes."""
    return json.dumps(stage.appspec(LoadBalancerInfo={"ContainerName": "app", "ContainerPort": "8000"}))


@pytest.mark.parametrize("write", [appspec_yaml, in_other_case, port_as_text])
def test_an_appspec_is_read_however_it_is_written(stage: Stage, judge: Judge, write: Callable[[Stage], str]) -> None:
    judgement = judge(hook, stage.at(EVENT, write(stage)))
    assert judgement.succeeded
    assert judgement.check("task_definition") == ("passed", f"task definition {stage.green_definition} is ACTIVE")


def service_in_yaml(task_definition: str, port: str = "8000", before: str = "") -> str:
    """An AppSpec whose values are written as YAML."""
    return f"""{before}
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: {task_definition}
        LoadBalancerInfo:
          ContainerName: app
          ContainerPort: {port}
"""


def alias_bomb() -> str:
    """Ten lines that stand for a thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join([*lines, "bomb: &bomb [*a8, *a8]"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ Resources: [", "the AppSpec is neither JSON nor YAML: "),
        ("just words", "the AppSpec is a str, expected a mapping"),
        ("[]", "the AppSpec is a list, expected a mapping"),
        ("version: 0.0", "the AppSpec names 0 resources of type AWS::ECS::Service, expected one"),
        ('{"Resources": [{"F": {"Type": "AWS::Lambda::Function"}}]}', "the AppSpec names 0 resources"),
        (
            '{"Resources": [{"A": {"Type": "AWS::ECS::Service"}}, {"B": {"Type": "AWS::ECS::Service"}}]}',
            "the AppSpec names 2 resources of type AWS::ECS::Service, expected one",
        ),
        (
            '{"Resources": [{"A": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "x"}}}]}',
            "the AppSpec's TargetService has no LoadBalancerInfo.ContainerName, LoadBalancerInfo.ContainerPort",
        ),
        (
            json.dumps(
                {
                    "Resources": [
                        {
                            "A": {
                                "Type": "AWS::ECS::Service",
                                "Properties": {
                                    "TaskDefinition": "x",
                                    "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": "http"},
                                },
                            }
                        }
                    ]
                }
            ),
            "the AppSpec's LoadBalancerInfo.ContainerPort is 'http', expected a number from 1 to 65535",
        ),
        ("[" * 5000, "the AppSpec is nested too deeply to be read"),
        ("a: " + "{a: " * 3000, "the AppSpec is nested too deeply to be read"),
        ("#" * 100_001, "the AppSpec has 100001 characters or more, expected at most 100000"),
        (service_in_yaml("arn", before=alias_bomb()), "the AppSpec's aliases, written out, come to more than 1000000"),
        (service_in_yaml("*bomb", before=alias_bomb()), "the AppSpec's aliases, written out, come to more than"),
        (service_in_yaml("&itself [*itself]"), "the AppSpec's aliases, written out, come to more than 1000000"),
        (service_in_yaml("{a: b}"), "the AppSpec's TaskDefinition is {'a': 'b'}, expected text"),
        (service_in_yaml("!!python/object/apply:os.getcwd []"), "the AppSpec is neither JSON nor YAML: could not"),
        (
            service_in_yaml("x\n        taskdefinition: y"),
            "the AppSpec has the key taskdefinition twice in one mapping",
        ),
        ('{"Resources": [], "Resources": []}', "the AppSpec has the key Resources twice in one mapping: leave one"),
        (service_in_yaml("x", port="[80]"), "the AppSpec's LoadBalancerInfo.ContainerPort is [80], expected a num"),
        (service_in_yaml("x", port="1" + ":59" * 3000), "the AppSpec's LoadBalancerInfo.ContainerPort is a"),
    ],
)
def test_an_appspec_that_cannot_be_read(stage: Stage, judge: Judge, text: str, words: str) -> None:
    judgement = judge(hook, stage.at(EVENT, text))
    for check in ("task_definition", "container_port"):
        outcome, detail = judgement.check(check)
        assert outcome == "error"
        assert detail.startswith(words)
    assert judgement.message.startswith(words)


def test_a_revision_without_content(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["codedeploy:GetApplicationRevision"] = lambda _: {"revision": {"revisionType": "AppSpecContent"}}
    judgement = judge(hook, event)
    assert judgement.check("task_definition") == (
        "error",
        f"CodeDeploy returned no content for the AppSpec of {stage.deployment.deployment_id}",
    )


def s3_revision(stage: Stage, body: str | None, *, versioned: bool = False) -> Mapping[str, Any]:
    """A revision kept in S3, in an object with the tag by which CodeDeploy's own policies let it be read."""
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="appspecs", CreateBucketConfiguration={"LocationConstraint": stage.region})
    if versioned:
        s3.put_bucket_versioning(Bucket="appspecs", VersioningConfiguration={"Status": "Enabled"})
    location = {"bucket": "appspecs", "key": "shop.yaml", "bundleType": "YAML"}
    if body is not None:
        put = s3.put_object(Bucket="appspecs", Key="shop.yaml", Body=body.encode(), Tagging="UseWithCodeDeploy=true")
        location |= {"version": put["VersionId"]} if versioned else {}
    return {"revisionType": "S3", "s3Location": location}


def test_an_appspec_in_s3(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT, s3_revision(stage, appspec_yaml(stage))))
    assert judgement.succeeded
    assert judgement.check("task_definition") == ("passed", f"task definition {stage.green_definition} is ACTIVE")


def test_an_appspec_in_s3_that_may_not_be_read(stage: Stage, judge: Judge) -> None:
    stage.instead["s3:GetObject"] = refuse("AccessDenied", "Access Denied", 403)
    judgement = judge(hook, stage.at(EVENT, s3_revision(stage, appspec_yaml(stage))))
    assert judgement.check("task_definition") == (
        "error",
        "s3:GetObject was denied: allow it in this hook's role (AccessDenied: Access Denied)",
    )
    assert len(stage.called("s3:GetObject")) == 1  # ten checks need it, one asks


def test_an_appspec_in_s3_that_is_not_there(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT, s3_revision(stage, None)))
    outcome, detail = judgement.check("task_definition")
    assert outcome == "error"
    assert detail.startswith("s3:GetObject failed: NoSuchKey")


def test_a_revision_of_another_kind(stage: Stage, judge: Judge) -> None:
    location = {"revisionType": "GitHub", "gitHubLocation": {"repository": "shop/shop", "commitId": "1"}}
    judgement = judge(hook, stage.at(EVENT, location))
    outcome, detail = judgement.check("task_definition")
    assert outcome == "error"
    assert detail.endswith(" is of type GitHub, which no ECS deployment uses")


# The task definition.


def test_a_missing_task_definition(stage: Stage, judge: Judge) -> None:
    missing = stage.green_definition.rpartition(":")[0] + ":99"
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(TaskDefinition=missing))))
    assert not judgement.succeeded
    assert judgement.message == f"task definition {missing} does not exist: register it, or mend the AppSpec"


def test_a_deregistered_task_definition(stage: Stage, judge: Judge) -> None:
    stage.ecs.deregister_task_definition(taskDefinition=stage.green_definition)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == (
        f"task definition {stage.green_definition} is INACTIVE, expected ACTIVE: register it anew"
    )


@pytest.mark.parametrize(
    ("name", "port", "words"),
    [
        ("web", 8000, "the AppSpec's container web is not in the task definition (it has app)"),
        ("app", 80, "container app maps port 8000, the AppSpec says 80: make them one"),
    ],
)
def test_the_appspec_names_another_container_or_port(
    stage: Stage, judge: Judge, name: str, port: int, words: str
) -> None:
    text = json.dumps(stage.appspec(LoadBalancerInfo={"ContainerName": name, "ContainerPort": port}))
    judgement = judge(hook, stage.at(EVENT, text))
    assert judgement.message == words


def test_a_container_that_maps_no_port(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(portMappings=[])
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == "container app maps port (none), the AppSpec says 8000: make them one"


def test_a_network_mode_that_does_not_fit_the_target_groups(stage: Stage, judge: Judge) -> None:
    definition = {"networkMode": "bridge", "requiresCompatibilities": ["EC2"]}
    stage.green_definition = stage.register(definition=definition)
    judgement = judge(hook, stage.at(EVENT))
    wrong = judgement.check("network_mode")[1].split("; ")
    assert "target group shop-blue takes addresses (ip), network mode bridge gives none: use awsvpc" in wrong
    assert "FARGATE runs tasks of network mode awsvpc only, the task definition has bridge" in wrong
    assert judgement.check("launch_type")[0] == "failed"


def test_target_groups_for_instances(stage: Stage, judge: Judge) -> None:
    for name in ("one", "two"):
        stage.create_target_group(name, TargetType="instance")
    stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ("one", "two")))
    judgement = judge(hook, stage.at(EVENT))
    assert (
        "target group one takes instances, network mode awsvpc gives addresses: use type ip"
        in (judgement.check("network_mode")[1])
    )


def test_fargate_needs_cpu_and_memory(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    definition = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": {**definition, "cpu": ""}}
    judgement = judge(hook, event)
    assert judgement.check("cpu_memory") == (
        "failed",
        "the task definition has cpu (none) and memory 512, FARGATE needs both: state them",
    )


def on_providers(stage: Stage, *names: str) -> None:
    """Let capacity providers decide where the service's tasks run."""
    strategy = [{"capacityProvider": name, "weight": 1} for name in names]
    stage.ecs.put_cluster_capacity_providers(
        cluster=CLUSTER, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    stage.create_service_anew(launchType=None, capacityProviderStrategy=strategy)


def test_a_service_with_capacity_providers(stage: Stage, judge: Judge) -> None:
    on_providers(stage, "FARGATE_SPOT")
    strategy = [{"CapacityProvider": "FARGATE_SPOT", "Base": 0, "Weight": 1}]
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(CapacityProviderStrategy=strategy))))
    assert judgement.succeeded
    assert judgement.check("launch_type") == ("passed", "launch type FARGATE (FARGATE_SPOT) fits")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["FARGATE", "FARGATE_SPOTT"], "capacity provider FARGATE_SPOTT is not one of cluster main"),
        (["FARGATE", "ours"], "capacity providers FARGATE, ours: a strategy has Fargate's or others, never both"),
        (["ours"], "capacity provider ours is not one of cluster main"),
    ],
)
def test_capacity_providers_of_the_appspec(stage: Stage, judge: Judge, names: list[str], words: str) -> None:
    """They take the place of the service's launch type."""
    on_providers(stage, "FARGATE")
    strategy = [{"CapacityProvider": name, "Base": 0, "Weight": 1} for name in names]
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(CapacityProviderStrategy=strategy))))
    outcome, detail = judgement.check("launch_type")
    assert outcome == "failed"
    assert words in detail


def test_a_provider_of_managed_instances(stage: Stage, judge: Judge) -> None:
    """Neither Fargate's nor an Auto Scaling group's: its task definitions are made for it alone."""
    on_providers(stage, "FARGATE")
    strategy = [{"CapacityProvider": "ours", "Weight": 1}]
    event = stage.at(EVENT, json.dumps(stage.appspec(CapacityProviderStrategy=strategy)))
    cluster = {"clusterName": CLUSTER, "status": "ACTIVE", "capacityProviders": ["ours"]}
    stage.instead["ecs:DescribeClusters"] = lambda _: {"clusters": [cluster]}
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    kinds = {"compatibilities": ["MANAGED_INSTANCES"], "requiresCompatibilities": ["MANAGED_INSTANCES"]}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": {**found, **kinds}}
    assert judge(hook, event).check("launch_type") == ("passed", "launch type EC2 (ours) fits")


@pytest.mark.parametrize(
    ("version", "outcome", "words"),
    [
        ("LATEST", "passed", "platform version LATEST has what the task definition needs"),
        ("1.4.0", "passed", "platform version 1.4.0 has what"),
        ("1.3.0", "passed", "platform version 1.3.0 has what"),
        ("1.40", "failed", "platform version is 1.40, expected LATEST or one such as 1.4.0"),
    ],
)
def test_platform_versions(stage: Stage, judge: Judge, version: str, outcome: str, words: str) -> None:
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(PlatformVersion=version))))
    found = judgement.check("platform_version")
    assert found[0] == outcome
    assert found[1].startswith(words)


@pytest.mark.parametrize(
    ("definition", "container", "need"),
    [
        ({"ephemeralStorage": {"sizeInGiB": 50}}, {}, "ephemeralStorage"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, {}, "cpuArchitecture ARM64"),
        ({}, {"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}}, "SYS_PTRACE"),
        ({}, {"secrets": [{"name": "A", "valueFrom": "{secret}:password::"}]}, "a key or version of a secret"),
    ],
)
def test_what_an_old_platform_version_lacks(
    stage: Stage, judge: Judge, definition: dict[str, Any], container: dict[str, Any], need: str
) -> None:
    text = json.dumps(container).replace("{secret}", stage.secret)
    stage.green_definition = stage.register(definition=definition, **json.loads(text))
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(PlatformVersion="1.3.0"))))
    assert judgement.check("platform_version") == (
        "failed",
        f"platform version 1.3.0 is older than 1.4.0, which is needed for {need}",
    )


def test_a_platform_version_for_instances(stage: Stage, judge: Judge) -> None:
    """ECS refuses the task set: "The platform version must be null when specifying an EC2 launch type"."""
    event = stage.at(EVENT, json.dumps(stage.appspec(PlatformVersion="1.4.0")))
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set.update(launchType="EC2", platformVersion=None)
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.check("platform_version") == (
        "failed",
        "platform version is 1.4.0, EC2 takes none: take it out of the AppSpec",
    )
    assert judgement.check("cpu_memory")[0] == "skipped"
    assert judgement.check("cpu_architecture") == (
        "skipped",
        "no CPU architecture is stated: the instances decide",
    )


def test_windows_runs_on_x86_64_alone(stage: Stage, judge: Judge) -> None:
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    event = deploy_definition(stage, {"runtimePlatform": platform})
    judgement = judge(hook, event)
    assert judgement.check("cpu_architecture") == (
        "failed",
        "CPU architecture ARM64 is not to be had for Windows: state X86_64",
    )


@pytest.mark.parametrize(
    ("cpu", "known"),
    [("256", "512, 1024, 2048"), ("512", "1024 to 4096 by 1024"), ("8192", "16384 to 61440 by 4096")],
)
def test_the_memory_that_goes_with_a_cpu_is_named(stage: Stage, judge: Judge, cpu: str, known: str) -> None:
    judgement = judge(hook, deploy_definition(stage, {"cpu": cpu, "memory": "768"}))
    assert judgement.check("cpu_memory") == ("failed", f"cpu {cpu} takes memory {known} MiB, the task has 768")


def deploy_definition(stage: Stage, definition: dict[str, Any]) -> dict[str, str]:
    """A deployment at BeforeInstall of a task definition with these changes to itself."""
    stage.green_definition = stage.register(definition=definition)
    return stage.at(EVENT)


# What the tasks need.


def deploy(stage: Stage, **changes: Any) -> dict[str, str]:
    """A deployment at BeforeInstall, of a task definition with these changes to its container."""
    stage.green_definition = stage.register(**changes)
    return stage.at(EVENT)


def test_an_image_without_its_tag(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, deploy(stage, image=stage.image("3")))
    assert judgement.check("images:shop:3") == (
        "failed",
        f"image {stage.image('3')} is not in ECR of {stage.region}: push it, or mend the task definition",
    )
    assert not judgement.succeeded


@pytest.mark.parametrize("host", ["dkr.ecr-fips.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"])
def test_an_image_by_the_other_names_of_ecr(stage: Stage, judge: Judge, host: str) -> None:
    judgement = judge(hook, deploy(stage, image=f"{ACCOUNT}.{host}/shop:3"))
    assert judgement.check("images:shop:3")[0] == "failed"


def test_an_image_without_a_tag_is_latest(stage: Stage, judge: Judge) -> None:
    image = stage.image("").rstrip(":")
    judge(hook, deploy(stage, image=image))
    assert stage.called("ecr:BatchGetImage")[0]["imageIds"] == [{"imageTag": "latest"}]


def test_an_image_by_digest(stage: Stage, judge: Judge) -> None:
    found = stage.ecr.describe_images(repositoryName="shop", imageIds=[{"imageTag": "2"}])["imageDetails"][0]
    image = f"{stage.image('').rstrip(':')}@{found['imageDigest']}"
    judgement = judge(hook, deploy(stage, image=image))
    assert judgement.succeeded
    assert stage.called("ecr:BatchGetImage")[0]["imageIds"] == [{"imageDigest": found["imageDigest"]}]


def test_an_image_whose_digest_is_gone(stage: Stage, judge: Judge) -> None:
    image = f"{stage.image('2')}@sha256:{'0' * 64}"  # the tag is there, but the digest is what ECS pulls
    judgement = judge(hook, deploy(stage, image=image))
    assert not judgement.succeeded
    assert judgement.message == f"image {image} is not in ECR of {stage.region}: push it, or mend the task definition"


def test_a_repository_that_does_not_exist(stage: Stage, judge: Judge) -> None:
    image = stage.image("1", repository="shopp")
    judgement = judge(hook, deploy(stage, image=image))
    assert judgement.message == f"image {image} is not in ECR of {stage.region}: push it, or mend the task definition"


@pytest.mark.parametrize(
    ("image", "name", "words"),
    [
        ("nginx:1.27", "nginx:1.27", "image nginx:1.27 is not in ECR: not looked at"),
        ("public.ecr.aws/nginx/nginx:1.27", "public.ecr.aws/nginx/nginx:1.27", "is not in ECR: not looked at"),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/base:1", "base:1", "is in account 210987654321's ECR"),
    ],
)
def test_an_image_kept_elsewhere_is_skipped_and_named(
    stage: Stage, judge: Judge, image: str, name: str, words: str
) -> None:
    judgement = judge(hook, deploy(stage, image=image))
    outcome, detail = judgement.check(f"images:{name}")
    assert outcome == "skipped"
    assert words in detail
    assert image in detail
    assert judgement.succeeded
    assert not stage.called("ecr:BatchGetImage")


def test_an_image_that_may_not_be_looked_at(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecr:BatchGetImage"] = refuse("AccessDeniedException", "no identity-based policy allows it")
    judgement = judge(hook, event)
    assert judgement.check("images:shop:2")[0] == "error"
    assert judgement.message == (
        "ecr:BatchGetImage was denied: allow it in this hook's role "
        "(AccessDeniedException: no identity-based policy allows it)"
    )


def test_a_role_that_may_not_be_looked_at(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["iam:GetRole"] = refuse("AccessDenied", "no identity-based policy allows it", 403)
    judgement = judge(hook, event)
    assert judgement.check("task_role")[0] == "error"
    assert judgement.message.startswith("iam:GetRole was denied: allow it in this hook's role")


def test_a_role_that_ecs_may_not_assume(stage: Stage, judge: Judge) -> None:
    role = stage.create_role("wrong", trusts="lambda.amazonaws.com")
    stage.green_definition = stage.register(definition={"taskRoleArn": role})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message.startswith(
        f"task role {role} does not trust ecs-tasks.amazonaws.com: mend its trust policy"
    )


def test_a_missing_execution_role(stage: Stage, judge: Judge) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/path/gone"
    stage.green_definition = stage.register(definition={"executionRoleArn": role})
    judgement = judge(hook, stage.at(EVENT))
    said = f"execution role {role} does not exist: create it, or mend the task definition"
    assert judgement.check("execution_role") == ("failed", said)
    assert judgement.message == f"{said}; {judgement.check('service_role:iam:PassRole')[1]}"
    assert {"RoleName": "gone"} in stage.called("iam:GetRole")


def test_a_role_by_its_short_name(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(definition={"taskRoleArn": "shop-task"})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("task_role") == ("passed", "task role shop-task exists and trusts ECS tasks")


def test_a_role_of_another_account_is_skipped(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(definition={"taskRoleArn": "arn:aws:iam::210987654321:role/x"})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("task_role") == (
        "skipped",
        "task role arn:aws:iam::210987654321:role/x is of another account: not looked at",
    )


def test_roles_that_nothing_needs(stage: Stage, judge: Judge) -> None:
    """An image from elsewhere, no awslogs, no secrets: even Fargate needs no execution role."""
    event = deploy(stage, image="nginx:1.27", secrets=[], logConfiguration={"logDriver": "splunk", "options": {}})
    definition = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    bare = {key: value for key, value in definition.items() if not key.endswith("RoleArn")}
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": bare}
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("execution_role") == (
        "skipped",
        "the task definition names no execution role and needs none",
    )
    assert judgement.check("task_role") == ("skipped", "the task definition names no task role")


def test_a_missing_secret(stage: Stage, judge: Judge) -> None:
    arn = f"arn:aws:secretsmanager:{stage.region}:{ACCOUNT}:secret:shop/gone-AbCdEf"
    judgement = judge(hook, deploy(stage, secrets=[{"name": "A", "valueFrom": f"{arn}:password::"}]))
    assert judgement.message == f"secret {arn} does not exist: create it, or mend the task definition"
    assert judgement.check("secrets:shop/gone-AbCdEf")[0] == "failed"


@pytest.mark.parametrize(
    ("word", "of"),
    [
        ("secret", "secretsmanager:eu-west-1:210987654321:secret:x-AbCdEf"),
        ("parameter", "ssm:eu-west-1:210987654321:parameter/x"),
    ],
)
def test_a_secret_of_another_account_is_skipped_and_named(stage: Stage, judge: Judge, word: str, of: str) -> None:
    judgement = judge(hook, deploy(stage, secrets=[{"name": "A", "valueFrom": f"arn:aws:{of}"}]))
    assert judgement.succeeded
    name = "secrets:x-AbCdEf" if word == "secret" else f"parameters:arn:aws:{of}"
    assert judgement.check(name) == (
        "skipped",
        f"{word} arn:aws:{of} is of another account: not looked at",
    )


def test_a_secret_that_is_being_deleted(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.secretsmanager.delete_secret(SecretId=stage.secret)
    judgement = judge(hook, event)
    assert judgement.message == f"secret {stage.secret} is scheduled for deletion: restore it"


def test_a_secret_that_may_not_be_described(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["secretsmanager:DescribeSecret"] = refuse("AccessDeniedException")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert judgement.message.startswith("secretsmanager:DescribeSecret was denied: allow it in this hook's role")


@pytest.mark.parametrize("reference", ["/shop/api-key", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/api-key"])
def test_a_parameter_by_name_and_by_arn(stage: Stage, judge: Judge, reference: str) -> None:
    judgement = judge(hook, deploy(stage, secrets=[{"name": "A", "valueFrom": reference}]))
    assert judgement.succeeded
    assert any(name.startswith("parameters:") for name in judgement.outcomes())


@pytest.mark.parametrize("reference", ["/shop/gone", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/gone"])
def test_a_missing_parameter(stage: Stage, judge: Judge, reference: str) -> None:
    judgement = judge(hook, deploy(stage, secrets=[{"name": "A", "valueFrom": reference}]))
    assert judgement.message == f"parameter {reference} does not exist: create it, or mend the task definition"


def test_a_parameter_on_a_later_page(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    pages = iter([{"Parameters": [], "NextToken": "more"}, {"Parameters": [{"Name": "/shop/api-key"}]}])
    stage.instead["ssm:DescribeParameters"] = lambda _: next(pages)
    assert judge(hook, event).check("parameters:/shop/api-key") == ("passed", "parameter /shop/api-key exists")


def test_secrets_of_the_log_driver_and_of_the_registry(stage: Stage, judge: Judge) -> None:
    registry = stage.secretsmanager.create_secret(Name="registry", SecretString="x")["ARN"]
    configuration = {
        "logDriver": "splunk",
        "options": {"splunk-url": "https://splunk.example.com"},
        "secretOptions": [{"name": "splunk-token", "valueFrom": "/shop/splunk"}],
    }
    event = deploy(
        stage,
        secrets=[],
        logConfiguration=configuration,
        repositoryCredentials={"credentialsParameter": registry},
    )
    judgement = judge(hook, event)
    assert judgement.check("parameters:/shop/splunk")[0] == "failed"
    assert judgement.check(f"secrets:{registry.split(':')[6]}")[0] == "passed"
    assert judgement.check("log_groups") == ("skipped", "no container logs to CloudWatch Logs (awslogs)")


def test_registry_credentials_by_the_name_of_their_secret(stage: Stage, judge: Judge) -> None:
    stage.secretsmanager.create_secret(Name="registry", SecretString="x")
    event = deploy(stage, secrets=[], repositoryCredentials={"credentialsParameter": "registry"})
    judgement = judge(hook, event)
    assert judgement.check("secrets:registry") == ("passed", "secret registry exists")


def test_containers_without_secrets(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, deploy(stage, secrets=[]))
    assert judgement.check("secrets") == ("skipped", "the containers reference no secret")
    assert judgement.check("parameters") == ("skipped", "the containers reference no parameter")


def test_a_missing_log_group(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.logs.create_log_group(logGroupName="/ecs/shop-of-somebody-else")
    judgement = judge(hook, event)
    assert judgement.message == ("log group /ecs/shop does not exist: the container would not start; create it")


@pytest.mark.parametrize("may", [True, False])
def test_a_log_group_that_the_container_makes(stage: Stage, judge: Judge, may: bool) -> None:
    """AWS's managed policy for execution roles does not allow it: a well-known reason for tasks that do not start."""
    if may:
        stage.allow("shop-execution", "logs:CreateLogGroup", "*")
    options = {"awslogs-group": "/new", "awslogs-region": stage.region, "awslogs-create-group": "true"}
    judgement = judge(hook, deploy(stage, logConfiguration={"logDriver": "awslogs", "options": options}))
    made = "log group /new is made when the container starts (awslogs-create-group)"
    assert judgement.check("log_groups:/new") == (
        ("passed", made)
        if may
        else ("failed", f"{made}, but {stage.execution_role} may not do so: allow logs:CreateLogGroup, or create it")
    )


def test_a_log_group_whose_making_hangs_on_how_aws_names_it(stage: Stage, judge: Judge) -> None:
    stage.allow("shop-execution", "logs:CreateLogGroup", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/new:*")
    options = {"awslogs-group": "/new", "awslogs-region": stage.region, "awslogs-create-group": "true"}
    judgement = judge(hook, deploy(stage, logConfiguration={"logDriver": "awslogs", "options": options}))
    assert judgement.succeeded
    assert judgement.check("log_groups:/new")[0] == "skipped"


def test_a_log_group_that_is_there_needs_not_be_made(stage: Stage, judge: Judge) -> None:
    options = {"awslogs-group": "/ecs/shop", "awslogs-region": stage.region, "awslogs-create-group": "true"}
    judgement = judge(hook, deploy(stage, logConfiguration={"logDriver": "awslogs", "options": options}))
    assert judgement.check("log_groups:/ecs/shop") == ("passed", "log group /ecs/shop exists")


# The infrastructure.


def test_a_missing_target_group(stage: Stage, judge: Judge) -> None:
    stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ("shop-blue", "gone")))
    judgement = judge(hook, stage.at(EVENT))
    outcome, detail = judgement.check("target_groups")
    assert outcome == "failed"
    assert "shop-blue, gone" in detail
    assert judgement.message == detail  # all the checks that need it say the same


def test_one_target_group_is_no_pair(stage: Stage, judge: Judge) -> None:
    stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ("shop-blue",)))
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("target_groups") == (
        "failed",
        "expected 2 target groups in the deployment group's pair, found shop-blue: name both",
    )


def test_a_deployment_group_without_target_groups(stage: Stage, judge: Judge) -> None:
    """DescribeTargetGroups without names answers with every group there is: it must not be asked."""
    stage.update_group(loadBalancerInfo=stage.pair(stage.test_listener, ()))
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.check("target_groups")[0] != "passed"
    assert not stage.called("elbv2:DescribeTargetGroups")


def test_a_listener_that_does_not_lead_to_blue(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 90, stage.green_group: 10})
    judgement = judge(hook, event)
    assert judgement.message == (
        "production listener on port 80 leads to shop-blue 90, shop-green 10, not just to shop-blue, the primary task "
        "set's target group: put its default action back on that one"
    )


def test_a_missing_listener(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.elbv2.delete_listener(ListenerArn=stage.production_listener)
    judgement = judge(hook, event)
    assert judgement.check("production_listener") == (
        "failed",
        f"production listener {stage.production_listener} does not exist: mend the deployment group",
    )
    assert not judgement.succeeded


def test_the_test_listener_is_the_production_listener(stage: Stage, judge: Judge) -> None:
    stage.update_group(loadBalancerInfo=stage.pair(stage.production_listener))
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == (
        "the test listener is the production listener: give the deployment group one of its own"
    )


def test_no_test_listener(stage: Stage, judge: Judge) -> None:
    stage.update_group(loadBalancerInfo=stage.pair(None))
    stage.elbv2.delete_listener(ListenerArn=stage.test_listener)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.check("test_listener") == (
        "skipped",
        "the deployment group has no test listener: no test traffic will be validated",
    )


def host_rule(stage: Stage, listener: str, weights: Mapping[str, int], priority: int = 1) -> None:
    """Add a rule that leads one host's requests to target groups."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    stage.elbv2.create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "host-header", "Values": [f"shop-{priority}.example.com"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


def default_to(stage: Stage, listener: str, action: Mapping[str, Any]) -> None:
    """Set a listener's default action."""
    stage.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])


def test_a_listener_that_other_services_share(stage: Stage, judge: Judge) -> None:
    """Its rules decide; what leads to the target groups of others is none of this deployment's business."""
    event = stage.at(EVENT)
    others = stage.create_target_group("frontend")
    default_to(stage, stage.production_listener, {"Type": "forward", "TargetGroupArn": others})
    host_rule(stage, stage.production_listener, {stage.blue_group: 1})
    host_rule(stage, stage.production_listener, {others: 1}, priority=2)
    judgement = judge(hook, event)
    assert judgement.check("production_weights") == (
        "passed",
        "production listener on port 80 leads to shop-blue, which serves now",
    )


def test_a_listener_whose_rules_disagree(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    default_to(stage, stage.production_listener, answer)
    host_rule(stage, stage.production_listener, {stage.blue_group: 0, stage.green_group: 100}, priority=1)
    host_rule(stage, stage.production_listener, {stage.blue_group: 100, stage.green_group: 0}, priority=2)
    judgement = judge(hook, event)
    assert judgement.check("production_weights")[0] == "failed"


def test_a_load_balancer_that_is_not_active(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    found = stage.elbv2.describe_load_balancers(LoadBalancerArns=[stage.load_balancer])["LoadBalancers"][0]
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: {"LoadBalancers": [{**found, "State": {"Code": "failed"}}]}
    judgement = judge(hook, event)
    assert judgement.message == (f"load balancer {stage.dns_name} is failed, expected active: see its state's reason")


def as_steady(stage: Stage) -> Callable[[Mapping[str, Any]], Any]:
    """DescribeServices' answer, its task sets said to be steady."""
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        task_set["stabilityStatus"] = "STEADY_STATE"
    return lambda _: answer


def test_too_few_free_addresses(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = stage.ec2.describe_subnets(SubnetIds=stage.subnets)
    for subnet in answer["Subnets"]:
        subnet["AvailableIpAddressCount"] = 0
    answer["Subnets"][0]["AvailableIpAddressCount"] = 1
    stage.instead["ec2:DescribeSubnets"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.message == (f"1 free address(es) in {', '.join(stage.subnets)}, green needs 2: add a subnet")


def test_the_subnets_of_the_appspec_count(stage: Stage, judge: Judge) -> None:
    network = {"AwsvpcConfiguration": {"Subnets": stage.subnets[:1], "SecurityGroups": [stage.security_group]}}
    judge(hook, stage.at(EVENT, json.dumps(stage.appspec(NetworkConfiguration=network))))
    assert stage.called("ec2:DescribeSubnets") == [{"Filters": [{"Name": "subnet-id", "Values": stage.subnets[:1]}]}]


def test_an_alarm_that_fires(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM", "Threshold crossed")
    judgement = judge(hook, event)
    assert judgement.message == "alarm shop-5xx is ALARM, expected not ALARM (Threshold crossed)"


def test_a_composite_alarm_that_fires(stage: Stage, judge: Judge) -> None:
    stage.cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("shop-5xx")')
    stage.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": "any"}]})
    event = stage.at(EVENT)
    assert judge(hook, event).check("alarms:any") == ("passed", "alarm any is OK")
    stage.set_alarm("shop-5xx", "ALARM")
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message.startswith("alarm any is ALARM, expected not ALARM (")


def test_an_alarm_that_does_not_exist(stage: Stage, judge: Judge) -> None:
    stage.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": "shop-5xx"}, {"name": "shop-5x"}]})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == "alarm shop-5x does not exist: check its name and region"
    assert judgement.check("alarms:shop-5x")[0] == "error"


@pytest.mark.parametrize("configuration", [{"enabled": False, "alarms": [{"name": "gone"}]}, {"enabled": True}])
def test_no_alarm_is_watched(stage: Stage, judge: Judge, configuration: dict[str, Any]) -> None:
    stage.update_group(alarmConfiguration=configuration)
    assert judge(hook, stage.at(EVENT)).check("alarms") == ("skipped", "the deployment group watches no alarm")


def test_the_alarms_of_this_one_deployment_count(stage: Stage, judge: Judge) -> None:
    """CreateDeployment may be given alarms in the place of the deployment group's."""
    event = stage.at(EVENT)
    answer = stage.codedeploy.get_deployment(deploymentId=event["DeploymentId"])
    answer["deploymentInfo"]["overrideAlarmConfiguration"] = {"enabled": True, "alarms": [{"name": "gone"}]}
    stage.instead["codedeploy:GetDeployment"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.message == "alarm gone does not exist: check its name and region"


def test_an_alarm_without_automatic_rollback_on_alarms(stage: Stage, judge: Judge) -> None:
    stage.update_group(autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "automatic rollback is off for DEPLOYMENT_STOP_ON_ALARM" in judgement.check("auto_rollback")[1]
    stage.update_group(alarmConfiguration={"enabled": False, "alarms": []})
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT)).check("auto_rollback")[0] == "passed"


def test_a_subnet_that_is_gone(stage: Stage, judge: Judge) -> None:
    network = {"Subnets": ["subnet-0123456789abcdef0", *stage.subnets]}
    text = json.dumps(stage.appspec(NetworkConfiguration={"AwsvpcConfiguration": network}))
    judgement = judge(hook, stage.at(EVENT, text))
    said = "subnet subnet-0123456789abcdef0 does not exist: mend the network configuration"
    assert judgement.check("free_addresses") == ("failed", said)
    assert judgement.message == said


def test_tasks_without_a_network_of_their_own(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    for task_set in answer["services"][0]["taskSets"]:
        del task_set["networkConfiguration"]
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    judgement = judge(hook, event)
    for check in ("free_addresses", "security_groups", "target_group_vpc"):
        assert judgement.check(check)[0] == "skipped"
    assert "awsvpc needs subnets" in judgement.check("network_mode")[1]


# The load balancer.


def test_rules_that_lead_to_others_are_named(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    others = stage.create_target_group("frontend")
    host_rule(stage, stage.production_listener, {others: 1}, priority=3)
    judgement = judge(hook, event)
    assert judgement.check("listener_rules") == (
        "passed",
        "not this deployment's: rule 3 (host-header shop-3.example.com) of the production listener leads to frontend 1",
    )


def test_a_rule_that_leads_customers_to_the_idle_group(stage: Stage, judge: Judge) -> None:
    """The default action leads to blue, but some customers would meet green before any hook has."""
    event = stage.at(EVENT)
    host_rule(stage, stage.production_listener, {stage.blue_group: 0, stage.green_group: 100}, priority=7)
    judgement = judge(hook, event)
    assert judgement.message == (
        "rule 7 (host-header shop-7.example.com) of the production listener leads to shop-blue 0, shop-green 100: its "
        "customers would meet green before any hook has; put it back on shop-blue"
    )
    assert judgement.check("production_weights")[0] == "failed"


def test_a_rule_that_leads_to_blue_is_as_it_should_be(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    host_rule(stage, stage.production_listener, {stage.blue_group: 100, stage.green_group: 0})
    assert judge(hook, event).check("listener_rules") == ("passed", "no rule leads elsewhere")


@pytest.mark.parametrize(
    ("configuration", "good"),
    [("CodeDeployDefault.ECSAllAtOnce", True), ("in-three-steps", False), ("at-once", True)],
)
def test_a_network_load_balancer(stage: Stage, judge: Judge, configuration: str, good: bool) -> None:
    """By the configuration's own word, not by its name."""
    linear = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 30, "linearInterval": 1}}
    for name, routing in (("in-three-steps", linear), ("at-once", {"type": "AllAtOnce"})):
        stage.codedeploy.create_deployment_config(
            deploymentConfigName=name, computePlatform="ECS", trafficRoutingConfig=routing
        )
    stage.update_group(deploymentConfigName=configuration)
    event = stage.at(EVENT)
    found = stage.elbv2.describe_load_balancers(LoadBalancerArns=[stage.load_balancer])["LoadBalancers"][0]
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: {"LoadBalancers": [{**found, "Type": "network"}]}
    judgement = judge(hook, event)
    assert judgement.succeeded is good
    assert judgement.check("traffic_routing")[0] == ("passed" if good else "failed")


def test_a_configuration_that_does_not_say_how_it_routes(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    found = stage.elbv2.describe_load_balancers(LoadBalancerArns=[stage.load_balancer])["LoadBalancers"][0]
    stage.instead["elbv2:DescribeLoadBalancers"] = lambda _: {"LoadBalancers": [{**found, "Type": "network"}]}
    stage.instead["codedeploy:GetDeploymentConfig"] = lambda _: {"deploymentConfigInfo": {}}
    name = "CodeDeployDefault.ECSAllAtOnce"
    assert judge(hook, event).check("traffic_routing") == (
        "error",
        f"CodeDeploy does not say how deployment configuration {name} routes traffic",
    )


# The hooks of the AppSpec.


def with_hooks(stage: Stage, hooks: Any) -> dict[str, str]:
    """A deployment at BeforeInstall with these Hooks in its AppSpec, as YAML."""
    return stage.at(EVENT, yaml.safe_dump({**stage.appspec(), "Hooks": hooks}))


@pytest.mark.parametrize("form", ["a list of arns", "a list of names", "a mapping", "in other case", "a list of one"])
def test_hooks_however_they_are_written(stage: Stage, judge: Judge, form: str) -> None:
    stage.create_hooks()
    by_arn = {event: arn for event, arn in stage.hooks.items() if event != EVENT}
    by_name = {event: arn.rpartition(":")[2] for event, arn in by_arn.items()}
    hooks: Any = {
        "a list of arns": [{event: arn} for event, arn in by_arn.items()],
        "a list of names": [{event: name} for event, name in by_name.items()],
        "a mapping": by_name,
        "in other case": [{event.lower(): name} for event, name in by_name.items()],
        "a list of one": [{event: [name]} for event, name in by_name.items()],
    }[form]
    judgement = judge(hook, with_hooks(stage, hooks))
    assert judgement.succeeded
    assert [name for name in judgement.outcomes() if name.startswith("hook_functions")] == [
        f"hook_functions:{event}" for event in by_arn
    ]


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ([{"AfterTestTraffic": "x"}], "the AppSpec's Hooks name the event AfterTestTraffic, expected one of Before"),
        ([{"AfterInstall": {"location": "x"}}], "the AppSpec's hook AfterInstall is {'location': 'x'}, expected a"),
        ([{"AfterInstall": None}], "the AppSpec's hook AfterInstall is None, expected a function's name or ARN"),
        ([{"AfterInstall": "a"}, {"afterinstall": "b"}], "the AppSpec's Hooks name afterinstall twice, in its e"),
        ([{"E" * 300: "a"}], f"the AppSpec's Hooks name the event {'E' * 119}…, expected one of"),
    ],
)
def test_hooks_that_are_none(stage: Stage, judge: Judge, hooks: Any, words: str) -> None:
    judgement = judge(hook, with_hooks(stage, hooks))
    assert not judgement.succeeded
    assert judgement.check("appspec")[1].startswith(words)


def test_no_hook_at_all(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.check("hook_functions") == (
        "skipped",
        "the AppSpec names no further hook: nothing looks at green",
    )


def test_a_function_that_cannot_be_invoked(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    event = stage.at(EVENT)
    found = stage.functions.get_function_configuration(FunctionName=stage.hooks["AfterInstall"])
    stage.instead["lambda:GetFunctionConfiguration"] = lambda _: {**found, "State": "Failed", "StateReason": "no role"}
    judgement = judge(hook, event)
    outcome, detail = judgement.check("hook_functions:AfterInstall")
    assert outcome == "failed"
    assert detail.endswith(" of the hook AfterInstall is Failed (no role): mend it first")


def test_the_service_role_may_not_pass_the_tasks_roles(stage: Stage, judge: Judge) -> None:
    stage.allow("shop-codedeploy", "iam:PassRole", stage.execution_role, iam_PassedToService="ecs-tasks.amazonaws.com")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == (
        f"CodeDeploy's service role arn:aws:iam::{ACCOUNT}:role/shop-codedeploy may not pass to ECS {stage.task_role}: "
        "no green task could be started; allow iam:PassRole on it"
    )


def test_a_permission_that_hangs_on_what_is_not_known_here_is_not_judged(stage: Stage, judge: Judge) -> None:
    """IAM's simulator does not know from where CodeDeploy will call."""
    stage.create_hooks()
    stage.allow("shop-codedeploy", "lambda:InvokeFunction", "*", aws_SourceVpc="vpc-1")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    outcome, detail = judgement.check("service_role:lambda:InvokeFunction")
    assert outcome == "skipped"
    assert "it hangs on aws:SourceVpc, which is not known here" in detail


def test_a_key_of_another_services_condition_decides_nothing(stage: Stage, judge: Judge) -> None:
    """IAM names the missing keys of all of a role's statements: the hooks' own have some of ECS."""
    stage.create_hooks()
    stage.forbid("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus")
    stage.allow("shop-hooks", "ecs:ListTasks", "*", ecs_cluster="main")
    judgement = judge(hook, stage.at(EVENT))
    outcome, detail = judgement.check("hook_roles:AfterInstall")
    assert outcome == "failed"
    assert "may not report" in detail


def test_without_the_accounts_number_nothing_is_taken_for_anothers(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)
    del found["taskDefinition"]["taskDefinitionArn"]
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: found
    judgement = judge(hook, event)
    assert not judgement.succeeded
    said = f"ECS does not say the ARN of task definition {stage.green_definition}"
    assert judgement.check("images") == ("error", said)


@pytest.mark.parametrize(
    ("member", "check", "said"),
    [
        ("image", "images", "ECS does not say which containers task definition "),
        ("name", "task_definition", "ECS does not say which containers task definition "),
        ("logConfiguration.logDriver", "log_groups", "ECS does not say where container app logs"),
        ("logConfiguration.options", "log_groups", "ECS does not say where container app logs"),
    ],
)
def test_a_container_of_which_not_all_is_said(stage: Stage, judge: Judge, member: str, check: str, said: str) -> None:
    event = stage.at(EVENT)
    found = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)
    holder, outer = found["taskDefinition"]["containerDefinitions"][0], member.split(".")
    for name in outer[:-1]:
        holder = holder[name]
    del holder[outer[-1]]
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: found
    judgement = judge(hook, event)
    assert not judgement.succeeded
    outcome, detail = judgement.check(check)
    assert outcome == "error"
    assert detail.startswith(said)


def test_an_alarm_of_the_group_without_a_name(stage: Stage, judge: Judge) -> None:
    stage.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": "shop-5xx"}]})
    event = stage.at(EVENT)
    found = stage.codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop")
    del found["deploymentGroupInfo"]["alarmConfiguration"]["alarms"][0]["name"]
    stage.instead["codedeploy:GetDeploymentGroup"] = lambda _: found
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "CodeDeploy does not name an alarm of shop" in judgement.message


def test_a_decision_that_the_simulator_leaves_out(stage: Stage, judge: Judge) -> None:
    """No word is no permission."""
    event = stage.at(EVENT)
    stage.instead["iam:SimulatePrincipalPolicy"] = lambda _: {"EvaluationResults": [], "IsTruncated": False}
    judgement = judge(hook, event)
    outcome, detail = judgement.check("service_role:iam:PassRole")
    assert outcome == "error"
    assert detail.startswith("IAM's simulator did not say whether arn:aws:iam::")
    assert not judgement.succeeded


@pytest.mark.parametrize(
    ("operation", "answer", "check"),
    [
        ("elbv2:DescribeListeners", {"Listeners": []}, "production_listener"),
        ("elbv2:DescribeRules", {"Rules": []}, "listener_rules"),
        ("lambda:GetFunctionConfiguration", {"FunctionArn": "x"}, "hook_functions:AfterInstall"),
        ("secretsmanager:DescribeSecret", {}, "secrets:"),
        ("ecs:DescribeTaskDefinition", {}, "task_definition"),
        ("elbv2:DescribeTargetGroups", {}, "target_groups"),
        ("iam:GetRole", {}, "task_role"),
        ("ecr:BatchGetImage", {}, "images:shop:2"),
    ],
)
def test_an_answer_without_what_was_asked_for_is_no_pass(
    stage: Stage, judge: Judge, operation: str, answer: dict[str, Any], check: str
) -> None:
    stage.create_hooks()
    event = stage.at(EVENT)
    stage.instead[operation] = lambda _: answer
    judgement = judge(hook, event)
    found = [name for name in judgement.outcomes() if name.startswith(check)]
    assert found
    for name in found:
        outcome, detail = judgement.check(name)
        assert outcome in ("failed", "error")
        assert "Error:" not in detail  # in words, not by an exception of Python's own


def test_nothing_is_asked_of_a_function_without_a_role(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    delivered = stage.at(EVENT)
    stage.instead["lambda:GetFunctionConfiguration"] = lambda _: {"State": "Active", "FunctionArn": "x"}
    outcome, detail = judge(hook, delivered).check("hook_roles:AfterInstall")
    assert outcome == "error"
    assert detail == f"Lambda names no role of function {stage.hooks['AfterInstall']}"
    assert "None" not in {call["PolicySourceArn"] for call in stage.called("iam:SimulatePrincipalPolicy")}


def test_decisions_below_one_result_for_all_resources(stage: Stage, judge: Judge) -> None:
    """The other form in which the simulator may answer."""
    stage.create_hooks()
    event = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        below = [
            {"EvalResourceName": arn, "EvalResourceDecision": "implicitDeny" if "AfterInstall" in arn else "allowed"}
            for arn in parameters["ResourceArns"]
        ]
        action = parameters["ActionNames"][0]
        result = {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "implicitDeny"}
        return {"EvaluationResults": [{**result, "ResourceSpecificResults": below}], "IsTruncated": False}

    stage.instead["iam:SimulatePrincipalPolicy"] = answer
    judgement = judge(hook, event)
    outcome, detail = judgement.check("service_role:lambda:InvokeFunction")
    assert outcome == "failed"
    assert f"may not invoke {stage.hooks['AfterInstall']}: attach" in detail


def test_a_service_role_that_is_gone(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = stage.codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="shop")
    role = f"arn:aws:iam::{ACCOUNT}:role/gone"
    answer["deploymentGroupInfo"]["serviceRoleArn"] = role
    stage.instead["codedeploy:GetDeploymentGroup"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.message == f"role {role} does not exist: create it, or mend what names it"


# What a reference may look like.


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret/shop",
            "is no ARN of a secret, expected arn:…:secret:<name>",
        ),
        ("arn:aws:secretsmanager", "is no ARN of a parameter, expected arn:…:parameter/<name>"),
        ("arn:aws:ssm:eu-west-1:123456789012:parameters/shop", "is no ARN of a parameter, expected arn:…:parameter/<n"),
        ("arn:aws:ssm", "is no ARN of a parameter, expected"),
    ],
)
def test_a_reference_that_is_none_hides_no_other(stage: Stage, judge: Judge, reference: str, words: str) -> None:
    secrets = [{"name": "A", "valueFrom": reference}, {"name": "B", "valueFrom": "/shop/gone"}]
    judgement = judge(hook, deploy(stage, secrets=secrets))
    details = [check["detail"] for check in judgement["checks"] if check["outcome"] == "failed"]
    assert len(details) == 2
    assert details[0].startswith(f"{reference} {words}")
    assert details[1] == "parameter /shop/gone does not exist: create it, or mend the task definition"


def test_a_secret_with_several_keys_is_asked_about_once(stage: Stage, judge: Judge) -> None:
    keys = [{"name": key, "valueFrom": f"{stage.secret}:{key}::"} for key in ("user", "password", "host")]
    judgement = judge(hook, deploy(stage, secrets=keys))
    assert judgement.succeeded
    assert stage.called("secretsmanager:DescribeSecret") == [{"SecretId": stage.secret}]


@pytest.mark.parametrize(
    ("suffix", "stages", "outcome", "words"),
    [
        ("", {"v1": ["AWSCURRENT"]}, "passed", "secret shop/database-"),
        (":user::", {"v1": ["AWSCURRENT"]}, "passed", "secret shop/database-"),
        ("", None, "failed", "has no version of stage AWSCURRENT: store a value, or mend the task definition"),
        ("", {"v1": ["AWSPENDING"]}, "failed", "has no version of stage AWSCURRENT"),
        ("::BLUE:", {"v1": ["AWSCURRENT"]}, "failed", "has no version of stage BLUE"),
        ("::BLUE:", {"v1": ["AWSCURRENT"], "v2": ["BLUE", "OTHER"]}, "passed", ""),
        (":::v2", {"v1": ["AWSCURRENT"], "v2": ["AWSPREVIOUS"]}, "passed", ""),
        ("::AWSCURRENT:v2", {"v1": ["AWSCURRENT"], "v2": ["AWSPREVIOUS"]}, "failed", "no version v2 of stage AWSCURR"),
        (":::v3", {"v1": ["AWSCURRENT"]}, "skipped", "version v3 of secret"),
    ],
    ids=str,
)
def test_a_secret_has_the_value_that_is_asked_for(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, suffix: str, stages: dict[str, list[str]] | None, outcome: str, words: str
) -> None:
    event = deploy(stage, secrets=[{"name": "DATABASE_URL", "valueFrom": f"{stage.secret}{suffix}"}])
    found = stage.secretsmanager.describe_secret(SecretId=stage.secret)
    del found["VersionIdsToStages"]
    stage.instead["secretsmanager:DescribeSecret"] = lambda _: (
        found | ({} if stages is None else {"VersionIdsToStages": stages})
    )
    judgement = judge(hook, event)
    seen, detail = judgement.check(f"secrets:{stage.secret.rpartition(':')[2]}")
    assert seen == outcome
    assert words in detail
    assert judgement.succeeded is (outcome != "failed")


def test_many_parameters_are_asked_about_in_batches(stage: Stage, judge: Judge) -> None:
    """DescribeParameters takes 50 names."""
    names = [f"/shop/{number}" for number in range(70)]
    for name in names:
        stage.ssm.put_parameter(Name=name, Value="x", Type="String")
    secrets = [{"name": f"P{number}", "valueFrom": name} for number, name in enumerate(names)]
    judgement = judge(hook, deploy(stage, secrets=secrets))
    assert judgement.succeeded
    asked = [each["ParameterFilters"][0]["Values"] for each in stage.called("ssm:DescribeParameters")]
    assert {len(values) for values in asked} == {50, 20}  # each in several pages


def test_an_environment_file_needs_an_execution_role(stage: Stage, judge: Judge) -> None:
    files = [{"type": "s3", "value": "arn:aws:s3:::shop/x.env"}]
    event = deploy(stage, image="nginx:1.27", secrets=[], logConfiguration={"logDriver": "splunk", "options": {}})
    definition = stage.ecs.describe_task_definition(taskDefinition=stage.green_definition)["taskDefinition"]
    del definition["executionRoleArn"]
    definition["containerDefinitions"][0]["environmentFiles"] = files
    stage.instead["ecs:DescribeTaskDefinition"] = lambda _: {"taskDefinition": definition}
    assert judge(hook, event).check("execution_role") == (
        "failed",
        "the task definition names no execution role, which environment files need: set executionRoleArn",
    )


@pytest.mark.parametrize("partition", ["amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"])
def test_images_of_other_partitions(stage: Stage, judge: Judge, partition: str) -> None:
    judgement = judge(hook, deploy(stage, image=f"{ACCOUNT}.dkr.ecr.eu-west-1.{partition}/shop:3"))
    assert judgement.check("images:shop:3")[0] == "failed"


def test_an_image_that_comes_through_the_pull_through_cache(stage: Stage, judge: Judge) -> None:
    """At its first pull there is neither repository nor tag, and nothing is wrong with that."""
    stage.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="hub", upstreamRegistryUrl="registry-1.docker.io")
    image = stage.image("1.27", repository="hub/library/nginx")
    judgement = judge(hook, deploy(stage, image=image))
    assert judgement.succeeded
    assert judgement.check("images:hub/library/nginx:1.27") == (
        "skipped",
        f"image {image} comes from registry-1.docker.io at its first pull: not looked at",
    )


def test_a_side_question_that_is_denied_leaves_the_answer(stage: Stage, judge: Judge) -> None:
    """An image that is not there is said to be missing, whatever the look at pull-through rules came to."""
    stage.instead["ecr:DescribePullThroughCacheRules"] = refuse("AccessDeniedException", status=400)
    judgement = judge(hook, deploy(stage, image=stage.image("404")))
    outcome, detail = judgement.check("images:shop:404")
    assert outcome == "failed"
    assert detail.startswith(
        f"image {stage.image('404')} is not in ECR of eu-west-1: push it, or mend the task definition ("
    )
    assert "ecr:DescribePullThroughCacheRules was denied" in detail


def test_an_image_that_ecr_cannot_show_is_not_said_to_be_missing(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    failure = {"imageId": {"imageTag": "2"}, "failureCode": "KmsError", "failureReason": "the key is disabled"}
    stage.instead["ecr:BatchGetImage"] = lambda _: {"images": [], "failures": [failure]}
    judgement = judge(hook, event)
    assert judgement.check("images:shop:2") == (
        "error",
        f"image {stage.image('2')}: ECR says KmsError: the key is disabled",
    )


def test_parameters_of_a_region_that_cannot_be_asked_leave_the_others(stage: Stage, judge: Judge) -> None:
    there, here = (f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/key" for region in ("us-east-1", stage.region))
    event = deploy(stage, secrets=[{"name": "A", "valueFrom": there}, {"name": "B", "valueFrom": f"{here}/b"}])

    def answer(parameters: Any) -> Any:
        if "/key" in parameters["ParameterFilters"][0]["Values"]:
            return refuse("AccessDeniedException")(parameters)
        return {"Parameters": [{"Name": "/key/b"}]}

    stage.instead["ssm:DescribeParameters"] = answer
    judgement = judge(hook, event)
    assert judgement.check(f"parameters:{there}")[0] == "error"
    assert judgement.check("parameters:/key/b") == ("passed", "parameter /key/b exists")


# Roles.


def trust(stage: Stage, *statements: Mapping[str, Any]) -> str:
    """Create a role with this trust policy; return its ARN."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return str(stage.iam.create_role(RoleName="odd", AssumeRolePolicyDocument=policy)["Role"]["Arn"])


ALLOW = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("statements", "good"),
    [
        ([ALLOW], True),
        ([{**ALLOW, "Action": ["sts:AssumeRole", "sts:TagSession"]}], True),
        ([{**ALLOW, "Principal": {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}}], True),
        ([{**ALLOW, "Effect": "Deny"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Principal": "*"}], False),
        ([{**ALLOW, "Action": "sts:TagSession"}], False),
        ([{**ALLOW, "Principal": {"AWS": "*"}}], False),
    ],
)
def test_trust_policies(stage: Stage, judge: Judge, statements: list[dict[str, Any]], good: bool) -> None:
    role = trust(stage, *statements)
    stage.green_definition = stage.register(definition={"taskRoleArn": role})
    assert (judge(hook, stage.at(EVENT)).check("task_role")[0] == "passed") is good


def test_a_role_of_another_path(stage: Stage, judge: Judge) -> None:
    """GetRole takes the name alone; ECS assumes the ARN as it is written."""
    role = f"arn:aws:iam::{ACCOUNT}:role/other/path/shop-task"
    stage.green_definition = stage.register(definition={"taskRoleArn": role})
    assert judge(hook, stage.at(EVENT)).check("task_role") == (
        "failed",
        f"task role {role} does not exist, only {stage.task_role} does: mend the task definition",
    )


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ([], "failed"),
        (["aws:SourceVpc"], "skipped"),
        (["IAM:AssociatedResourceArn"], "skipped"),
        (["ecs:cluster"], "failed"),  # another service's key: of another statement
    ],
)
def test_an_explicit_deny(stage: Stage, judge: Judge, below: bool, missing: list[str], expected: str) -> None:
    """Wherever it stands in the answer; one that hangs on what nobody knows is not judged."""
    event = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        each = [
            {"EvalResourceName": arn, "EvalResourceDecision": "explicitDeny", "MissingContextValues": missing}
            for arn in parameters["ResourceArns"]
        ]
        result = {"EvalActionName": "iam:PassRole", "EvalResourceName": "*", "EvalDecision": "explicitDeny"}
        alone = {**result, "MissingContextValues": missing}
        return {"EvaluationResults": [{**result, "ResourceSpecificResults": each} if below else alone]}

    stage.instead["iam:SimulatePrincipalPolicy"] = answer
    outcome, _ = judge(hook, event).check("service_role:iam:PassRole")
    assert outcome == expected


def test_a_role_that_may_work_in_one_region_alone(stage: Stage, judge: Judge) -> None:
    """A common condition; the region is known."""
    stage.create_hooks()
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": stage.region}}
    statement = {"Effect": "Deny", "Action": "codedeploy:*", "Resource": "*", "Condition": elsewhere}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.iam.put_role_policy(RoleName="shop-hooks", PolicyName="region", PolicyDocument=policy)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.check("hook_roles:AfterInstall")[0] == "passed"


def test_a_report_that_is_denied_on_the_deployment_group(stage: Stage, judge: Judge) -> None:
    """Allowed on everything, it is still denied there."""
    stage.create_hooks()
    group = f"arn:aws:codedeploy:eu-west-1:{ACCOUNT}:deploymentgroup:shop/*"
    statement = {"Effect": "Deny", "Action": "codedeploy:*", "Resource": group}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.iam.put_role_policy(RoleName="shop-hooks", PolicyName="no", PolicyDocument=policy)
    assert judge(hook, stage.at(EVENT)).check("hook_roles:AfterInstall")[0] == "failed"


def test_a_report_that_is_allowed_on_the_deployment_group_alone(stage: Stage, judge: Judge) -> None:
    """Or on everything: AWS's documents disagree on which of the two counts."""
    stage.create_hooks()
    stage.forbid("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus")
    group = f"arn:aws:codedeploy:eu-west-1:{ACCOUNT}:deploymentgroup:shop/shop"
    stage.allow("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus", group)
    assert judge(hook, stage.at(EVENT)).succeeded


@pytest.mark.parametrize(
    ("state", "good"),
    [("Active", True), ("Inactive", True), ("Pending", True), ("ActiveNonInvocable", False), ("Deleting", False)],
)
def test_states_of_functions(stage: Stage, judge: Judge, state: str, good: bool) -> None:
    stage.create_hooks()
    event = stage.at(EVENT)
    found = stage.functions.get_function_configuration(FunctionName=stage.hooks["AfterInstall"])
    stage.instead["lambda:GetFunctionConfiguration"] = lambda _: {**found, "State": state}
    assert (judge(hook, event).check("hook_functions:AfterInstall")[0] == "passed") is good


# Odd services and documents.


def test_a_set_that_drains_is_not_counted_with_blue(stage: Stage, judge: Judge) -> None:
    """Soon after a deployment the old set's tasks still run, and the service counts them."""
    event = stage.at(EVENT)
    answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
    answer["services"][0].update(runningCount=4, pendingCount=0)
    stage.instead["ecs:DescribeServices"] = lambda _: answer
    assert judge(hook, event).check("running_count") == ("passed", "2 of 2 tasks running, 0 pending")


def test_the_task_set_of_this_deployment_is_no_left_over(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.create_task_set(event["DeploymentId"])
    assert judge(hook, event).check("left_over_task_sets")[0] == "passed"


def test_subnets_with_addresses_of_version_6_alone(stage: Stage, judge: Judge) -> None:
    """AWS counts the free addresses of version 4."""
    event = stage.at(EVENT)
    answer = stage.ec2.describe_subnets(SubnetIds=stage.subnets)
    for subnet in answer["Subnets"]:
        subnet.update(AvailableIpAddressCount=0, Ipv6Native=True)
    stage.instead["ec2:DescribeSubnets"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement.check("free_addresses")[0] == "skipped"


def test_one_subnet_written_as_text(stage: Stage, judge: Judge) -> None:
    network = {"AwsvpcConfiguration": {"Subnets": stage.subnets[0], "SecurityGroups": stage.security_group}}
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(NetworkConfiguration=network))))
    assert judgement.succeeded
    assert judgement.check("security_groups") == ("passed", f"security group(s) {stage.security_group} exist")


def test_a_hook_that_a_template_left_empty(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, with_hooks(stage, [{"AfterInstall": ""}]))
    assert judgement.succeeded
    assert judgement.check("hook_functions")[0] == "skipped"


def test_an_appspec_with_a_date_that_is_none(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT, "Resources: 2020-13-45"))
    assert judgement.check("appspec")[1].startswith("the AppSpec is neither JSON nor YAML: ")


def test_an_appspec_in_s3_that_is_no_text(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT, s3_revision(stage, "x"))
    body, tag = bytes([0xFF, 0xFE, 0x00]), "UseWithCodeDeploy=true"
    boto3.client("s3").put_object(Bucket="appspecs", Key="shop.yaml", Body=body, Tagging=tag)
    stage.calls.clear()
    judgement = judge(hook, event)
    assert judgement.check("appspec")[0] == "error"
    assert len(stage.called("s3:GetObject")) == 1


def test_windows_has_its_own_platform_versions_and_sizes(stage: Stage, judge: Judge) -> None:
    platform = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    stage.green_definition = stage.register(
        definition={"runtimePlatform": platform, "ephemeralStorage": {"sizeInGiB": 50}}
    )
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(PlatformVersion="1.0.0"))))
    assert judgement.check("platform_version")[0] == "passed"
    assert judgement.check("cpu_memory") == ("failed", "Windows on FARGATE takes cpu 1024 at least, the task has 256")


def test_large_tasks_need_the_latest_platform(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(definition={"cpu": "8192", "memory": "16384"})
    judgement = judge(hook, stage.at(EVENT, json.dumps(stage.appspec(PlatformVersion="1.3.0"))))
    assert judgement.check("platform_version")[1].endswith("which is needed for cpu from 8192 on")


# When AWS is busy.


def test_a_throttled_look_is_taken_again(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ssm:DescribeParameters"] = refuse("ThrottlingException", "Rate exceeded")
    stage.instead["iam:GetRole"] = refuse("Throttling", "Rate exceeded")
    stage.clock.after(4, lambda: stage.instead.pop("iam:GetRole"))
    stage.clock.after(12, lambda: stage.instead.pop("ssm:DescribeParameters"))
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert len(stage.called("ssm:DescribeParameters")) == 3


def test_one_throttled_repository_hides_no_missing_image(stage: Stage, judge: Judge) -> None:
    stage.ecr.create_repository(repositoryName="busy")
    stage.green_definition = stage.register(
        ({"name": "side", "image": stage.image("1", repository="busy")},), image=stage.image("77")
    )
    event = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        if parameters["repositoryName"] == "busy":
            return refuse("ThrottlingException", "Rate exceeded")(parameters)
        return stage.ecr.batch_get_image(**parameters)

    stage.instead["ecr:BatchGetImage"] = answer
    judgement = judge(hook, event)
    assert judgement.check("images:shop:77")[0] == "failed"
    assert judgement.check("images:busy:1")[0] == "error"


def test_parameters_that_may_not_be_looked_at_hide_no_bad_reference(stage: Stage, judge: Judge) -> None:
    bad = "arn:aws:ssm:eu-west-1:123456789012:parameters/shop"
    event = deploy(stage, secrets=[{"name": "A", "valueFrom": bad}, {"name": "B", "valueFrom": "/shop/api-key"}])
    stage.instead["ssm:DescribeParameters"] = refuse("AccessDeniedException")
    judgement = judge(hook, event)
    assert judgement.check(f"parameters:{bad}")[0] == "failed"
    assert judgement.check("parameters:/shop/api-key")[0] == "error"


def test_what_stays_throttled_is_an_error_in_time(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    for name in READS_THAT_FAIL:
        stage.instead[name] = refuse("ThrottlingException", "Rate exceeded")
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert "failed on every attempt (ThrottlingException: Rate exceeded)" in judgement.message
    assert stage.clock.now < 600


READS_THAT_FAIL = (
    *("ecs:DescribeClusters", "ecs:DescribeServices", "ecs:DescribeTaskDefinition", "elbv2:DescribeTargetGroups"),
    *("elbv2:DescribeListeners", "cloudwatch:DescribeAlarms", "codedeploy:GetApplicationRevision", "iam:GetRole"),
    *("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"),
    *("elbv2:DescribeLoadBalancers", "elbv2:DescribeTargetHealth", "iam:SimulatePrincipalPolicy"),
)


# Going back.


def test_on_a_rollback_deployment_it_only_warns(stage: Stage, judge: Judge) -> None:
    stage.at("BeforeAllowTraffic")
    stage.set_alarm("shop-5xx", "ALARM")
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    judgement = judge(hook, stage.rollback_at(EVENT))
    assert judgement.succeeded
    assert judgement.check("alarms:shop-5xx")[0] == "failed"
    assert judgement.check("left_over_task_sets")[0] == "failed"
    assert judgement.check("test_weights")[0] == "failed"
    assert stage.clock.now == 0  # nothing is waited for
    assert " warned: " in judgement.message
    assert "log group /ecs/shop" in judgement.message
    assert {check["severity"] for check in judgement["checks"][1:]} == {"warn"}


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
def test_a_rollback_goes_on_even_if_nothing_can_be_looked_at(stage: Stage, judge: Judge, creator: str) -> None:
    stage.update_group(autoRollbackConfiguration={"enabled": False}, alarmConfiguration={"enabled": False})
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    answer = stage.codedeploy.get_deployment(deploymentId=event["DeploymentId"])
    answer["deploymentInfo"]["creator"] = creator
    stage.instead["codedeploy:GetDeployment"] = lambda _: answer
    for name in READS_THAT_FAIL:
        stage.instead[name] = refuse("AccessDeniedException", status=403)
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert {check["outcome"] for check in judgement["checks"][1:]} <= {"failed", "error", "skipped"}


def test_a_rollback_goes_on_even_if_the_hook_runs_out_of_time(stage: Stage, judge: Judge) -> None:
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)

    def never(_parameters: Mapping[str, Any]) -> Any:
        raise OutOfTime

    stage.instead["iam:GetRole"] = never
    judgement = judge(hook, event)
    assert judgement.succeeded
    assert judgement["checks"][-1]["severity"] == "warn"
    assert "had not ended after" in judgement["checks"][-1]["detail"]


def test_a_name_that_no_check_has_makes_nothing_confirmed(stage: Stage, judge: Judge) -> None:
    """A typing mistake must not let a deployment pass that nobody has looked at."""
    names = [each.name for each in hook.all_checks(Release(None), None, {})]  # type: ignore[arg-type]
    checks = {**dict.fromkeys(names, "skip"), "hook_functions": "fail", "typo": "warn"}
    judgement = judge(hook, stage.at(EVENT), checks=checks)
    assert not judgement.succeeded
    assert judgement.message.startswith("nothing could be confirmed: ")


def test_severities_by_the_names_of_checks(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.set_alarm("shop-5xx", "ALARM")
    judgement = judge(
        hook,
        event,
        checks={"log_groups": "warn", "alarms:shop-5xx": "warn", "images": "skip", "cpu_architecture": "skip"},
    )
    assert judgement.succeeded
    assert "2 warned: log group /ecs/shop does not exist" in judgement.message
    assert judgement.check("images") == ("skipped", "left out by the setting `checks`")
    assert not stage.called("ecr:BatchGetImage")


# Members that an answer does not have.


def test_tasks_that_ecs_does_not_count_are_not_settled(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def without_pending(_parameters: Any) -> Any:
        answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
        for task_set in answer["services"][0]["taskSets"]:
            del task_set["pendingCount"]
        return answer

    stage.instead["ecs:DescribeServices"] = without_pending
    outcome, detail = judge(hook, event).check("running_count")
    assert outcome == "error"
    assert detail.startswith("ECS does not say how many tasks of task set ecs-svc/")


def test_a_role_whose_arn_iam_does_not_say_is_not_passed(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def without_arn(parameters: Any) -> Any:
        answer = stage.iam.get_role(RoleName=parameters["RoleName"])
        del answer["Role"]["Arn"]
        return answer

    stage.instead["iam:GetRole"] = without_arn
    outcome, detail = judge(hook, event).check("execution_role")
    assert (outcome, detail.partition(",")[0]) == ("error", "IAM does not say the ARN of role shop-execution")


def test_a_service_whose_arn_ecs_does_not_say(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    event = stage.at(EVENT)

    def without_arn(_parameters: Any) -> Any:
        answer = stage.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])
        del answer["services"][0]["serviceArn"]
        return answer

    stage.instead["ecs:DescribeServices"] = without_arn
    found = judge(hook, event).check("hook_roles:AfterInstall")
    assert found == ("error", f"ECS does not say the ARN of service {SERVICE}")


def test_an_action_that_does_not_say_to_which_target_group_it_forwards(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def without_group(parameters: Any) -> Any:
        answer = stage.elbv2.describe_listeners(**parameters)
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"Weight": 1}]}}
        return {"Listeners": [{**answer["Listeners"][0], "DefaultActions": [action]}]}

    stage.instead["elbv2:DescribeListeners"] = without_group
    said = "Elastic Load Balancing does not say to which target group an action forwards"
    assert judge(hook, event).check("production_listener") == ("error", said)


def test_rules_that_do_not_say_which_is_the_default_one(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def answer(parameters: Mapping[str, Any]) -> Any:
        found = stage.elbv2.describe_rules(**parameters)
        for rule in found["Rules"]:
            del rule["IsDefault"]
        return found

    stage.instead["elbv2:DescribeRules"] = answer
    outcome, detail = judge(hook, event).check("listener_rules")
    assert outcome == "error"
    assert detail.startswith("Elastic Load Balancing does not say which rule of arn:aws:elasticloadbalancing:")


@pytest.mark.parametrize("groups", [1, 2])
def test_a_weight_is_taken_for_granted_of_an_only_group_alone(stage: Stage, judge: Judge, groups: int) -> None:
    event = stage.at(EVENT)
    entries = [{"TargetGroupArn": arn} for arn in (stage.blue_group, stage.green_group)[:groups]]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": entries}}

    def answer(parameters: Mapping[str, Any]) -> Any:
        found = stage.elbv2.describe_listeners(**parameters)
        for listener in found["Listeners"]:
            listener["DefaultActions"] = [action]
        return found

    stage.instead["elbv2:DescribeListeners"] = answer
    outcome, detail = judge(hook, event).check("production_weights")
    if groups == 1:
        assert outcome == "passed"
    else:
        assert outcome == "error"
        assert detail == f"Elastic Load Balancing does not say which weight {stage.blue_group} has"
