"""Defects that can be seen before anything is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from rehearsal.aws.world import ContainerState, TargetState, TaskState
from rehearsal.testing.stage import ACCOUNT, CLUSTER, SERVICE
from tests.matrix.defects import BEFORE, NO_FIGURES, ON_INSTANCES, defect
from tests.matrix.environment import Environment, Plan

UNHEALTHY = TargetState("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [500]")


def at_the_end(plan: Plan, step: Callable[[Environment], object]) -> None:
    """Let something be wrong just before the first hook."""
    plan.at(BEFORE, step)


def in_green(plan: Plan, sidecars: tuple[dict[str, Any], ...] = (), definition: Any = None, **changes: Any) -> None:
    """Let green's task definition have something else in the application's container."""
    plan.prepare.append(
        lambda environment: setattr(
            environment, "green_definition", environment.register(sidecars, definition, **changes)
        )
    )


def in_the_appspec(plan: Plan, change: Callable[[str], str]) -> None:
    """Let the AppSpec's text be otherwise."""
    plan.revision = lambda _environment, appspec: change(json.dumps(appspec))


# What the tasks need.


@defect(BEFORE, "shop:404 is not in ECR", bars="image nginx_in_front")
def image_is_missing(plan: Plan) -> None:
    in_green(plan, image=f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop:404")


@defect(BEFORE, "is no reference to an image", bars="image nginx_in_front")
def image_is_an_arn(plan: Plan) -> None:
    in_green(plan, image=f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/shop:2")


@defect(BEFORE, "not in ECR", bars="sidecars")
def sidecars_image_is_missing(plan: Plan) -> None:
    image = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/proxy:1"
    in_green(plan, ({"name": "proxy", "image": image, "memory": 64},))


@defect(BEFORE, "secret:shop/nothing-AbCdEf does not exist", bars="secrets")
def secret_is_missing(plan: Plan) -> None:
    arn = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:shop/nothing-AbCdEf"
    in_green(plan, secrets=[{"name": "KEY", "valueFrom": arn}])


@defect(BEFORE, "is scheduled for deletion", bars="secrets")
def secret_is_being_deleted(plan: Plan) -> None:
    at_the_end(plan, lambda environment: environment.secretsmanager.delete_secret(SecretId=environment.secret))


@defect(BEFORE, "parameter /shop/nothing does not exist", bars="secrets")
def parameter_is_missing(plan: Plan) -> None:
    in_green(plan, secrets=[{"name": "KEY", "valueFrom": "/shop/nothing"}])


@defect(BEFORE, "log group /ecs/shop does not exist", bars="logs firelens")
def log_group_is_missing(plan: Plan) -> None:
    at_the_end(plan, lambda environment: environment.logs.delete_log_group(logGroupName="/ecs/shop"))


@defect(BEFORE, "task role arn:aws:iam::123456789012:role/nobody does not exist", bars="definition")
def task_role_is_missing(plan: Plan) -> None:
    in_green(plan, definition={"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"})


@defect(BEFORE, "execution role arn:aws:iam::123456789012:role/nobody does not exist", bars="log_group_is_made")
def execution_role_is_missing(plan: Plan) -> None:
    in_green(plan, definition={"executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"})


@defect(BEFORE, "does not trust ecs-tasks.amazonaws.com", bars="definition")
def task_role_trusts_others(plan: Plan) -> None:
    def other(environment: Environment) -> None:
        role = environment.create_role("instances", trusts="ec2.amazonaws.com")
        environment.green_definition = environment.register(definition={"taskRoleArn": role})

    plan.prepare.append(other)


# The task definition and the AppSpec.


@defect(BEFORE, "container web, which is not in the task definition", bars="appspec")
def appspec_names_no_container(plan: Plan) -> None:
    plan.appspec["LoadBalancerInfo"] = {"ContainerName": "web", "ContainerPort": plan.port}


@defect(BEFORE, "the AppSpec says 9999", bars="appspec")
def appspec_has_another_port(plan: Plan) -> None:
    plan.appspec["LoadBalancerInfo"] = {"ContainerName": "app", "ContainerPort": 9999}


@defect(BEFORE, "task-definition/shop:99 does not exist", bars="appspec")
def task_definition_is_missing(plan: Plan) -> None:
    plan.appspec["TaskDefinition"] = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/shop:99"


@defect(BEFORE, "the AppSpec's TaskDefinition is shop:2, expected the ARN", bars="appspec")
def task_definition_by_family(plan: Plan) -> None:
    """CodeDeploy takes an ARN."""
    plan.appspec["TaskDefinition"] = "shop:2"


@defect(BEFORE, "is INACTIVE, expected ACTIVE")
def task_definition_is_inactive(plan: Plan) -> None:
    at_the_end(
        plan,
        lambda environment: environment.ecs.deregister_task_definition(taskDefinition=environment.green_definition),
    )


@defect(BEFORE, "<TASK_DEFINITION>", bars="appspec")
def placeholder_is_left(plan: Plan) -> None:
    """As the pipeline's template has it."""
    plan.appspec["TaskDefinition"] = "<TASK_DEFINITION>"


@defect(BEFORE, "version", bars="appspec")
def appspec_of_another_version(plan: Plan) -> None:
    in_the_appspec(plan, lambda text: text.replace('"version": 0.0', '"version": 2.0'))


@defect(BEFORE, "TaskDefinition", bars="appspec")
def appspec_says_it_twice(plan: Plan) -> None:
    def twice(_environment: Environment, appspec: dict[str, Any]) -> str:
        text = yaml.safe_dump(appspec)
        line = next(line for line in text.splitlines() if line.strip().startswith("TaskDefinition:"))
        return text.replace(line, f"{line}\n{line}")

    plan.revision = twice


@defect(BEFORE, "AfterInstall", bars="appspec")
def appspec_names_a_hook_twice(plan: Plan) -> None:
    def twice(_environment: Environment, appspec: dict[str, Any]) -> str:
        hook = next(each for each in appspec["Hooks"] if "AfterInstall" in each)
        return json.dumps({**appspec, "Hooks": [*appspec["Hooks"], hook]})

    plan.revision = twice


@defect(BEFORE, "AppSpec", bars="appspec")
def appspec_is_for_instances(plan: Plan) -> None:
    """The AppSpec of a deployment to servers."""
    files = "version: 0.0\nos: linux\nfiles:\n  - source: /\n    destination: /var/www\n"
    plan.revision = lambda _environment, _appspec: files


@defect(BEFORE, "built for arm64", bars="image nginx_in_front arm64")
def image_of_another_architecture(plan: Plan) -> None:
    """Built on a laptop."""

    def index(environment: Environment) -> None:
        manifests = [{"digest": f"sha256:{'c' * 64}", "platform": {"architecture": "arm64", "os": "linux"}}]
        manifest = json.dumps({"schemaVersion": 2, "manifests": manifests})
        image = {"imageId": {"imageTag": "2"}, "imageManifest": manifest, "repositoryName": "shop"}
        environment.instead["ecr:BatchGetImage"] = lambda _: {"images": [image], "failures": []}
        platform = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
        environment.green_definition = environment.register(definition={"runtimePlatform": platform})

    plan.prepare.append(index)


# The service.


@defect(BEFORE, "desired count of 0", bars="count start")
def nothing_is_to_run(plan: Plan) -> None:
    plan.prepare.append(
        lambda environment: environment.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)
    )


@defect(BEFORE, "deploys main/blog, but this hook watches main/shop")
def another_services_deployment_group(plan: Plan) -> None:
    services = [{"clusterName": CLUSTER, "serviceName": "blog"}]
    plan.prepare.append(lambda environment: environment.update_group(ecsServices=services))


@defect(BEFORE, "is unhealthy (Target.ResponseCodeMismatch", bars=f"one_task {ON_INSTANCES} ipv6_targets")
def blue_is_partly_broken(plan: Plan) -> None:
    """One of blue's targets fails: something is wrong that this deployment would inherit."""

    def break_one(environment: Environment) -> None:
        address = targets_of(environment, environment.blue_group)[0]
        environment.world.target_health[address] = UNHEALTHY

    at_the_end(plan, break_one)


@defect(BEFORE, "is not at its desired count", bars=f"one_task start sidecars {ON_INSTANCES} ipv6_targets history")
def blue_crash_loops_in_part(plan: Plan) -> None:
    """One of blue's tasks runs, and whatever is started beside it ends."""

    def script(environment: Environment) -> None:
        state = environment.world.task_state
        survivor = next(iter(environment.world._tasks))

        def ends(task_arn: str) -> TaskState:
            found, spec = state(task_arn), environment.world._tasks[task_arn].spec
            if task_arn == survivor or spec.task_definition_arn != environment.blue_definition:
                return found
            states = {name: ContainerState("STOPPED", 1) for name in found.containers}
            return TaskState("STOPPED", states, "EssentialContainerExited", "Essential container in task exited")

        environment.world.task_state = ends  # type: ignore[method-assign]

    at_the_end(plan, script)


def targets_of(environment: Environment, group: str) -> list[str]:
    """The addresses registered in a target group, in order."""
    answer = environment.elbv2.describe_target_health(TargetGroupArn=group)
    found = [each["Target"]["Id"] for each in answer["TargetHealthDescriptions"]]
    draining = [
        each["Target"]["Id"]
        for each in answer["TargetHealthDescriptions"]
        if each["TargetHealth"]["State"] == "draining"
    ]
    return sorted(set(found) - set(draining))


@defect(BEFORE, "a task set of another deployment is left over", bars="history")
def task_set_is_left_over(plan: Plan) -> None:
    plan.prepare.append(lambda environment: environment.create_task_set("d-OLDDEPLOY", **_placed(plan)))


def _placed(plan: Plan) -> dict[str, Any]:
    strategy = plan.service.get("capacityProviderStrategy")
    return (
        {"capacityProviderStrategy": strategy}
        if strategy
        else {"launchType": plan.service.get("launchType", "FARGATE")}
    )


# Routes.


@defect(BEFORE, "50", bars=f"door direct_by_rules {NO_FIGURES}")
def production_is_split(plan: Plan) -> None:
    """A shift that was given up half-way."""
    at_the_end(
        plan,
        lambda environment: environment.lead(
            environment.production_listener, {environment.blue_group: 50, environment.green_group: 50}
        ),
    )


@defect(BEFORE, "would meet green before any hook has", bars=f"door direct_by_rules {NO_FIGURES}")
def a_rule_leads_to_green_already(plan: Plan) -> None:
    at_the_end(
        plan,
        lambda environment: environment.create_rule(
            environment.production_listener,
            90,
            {"path-pattern": ["/beta*"]},
            [environment.forward(environment.green_group)],
        ),
    )


@defect(BEFORE, "listener on port 8888", bars="protocol redirect_beside login_in_front login_but_for_health")
def another_listener_leads_to_blue(plan: Plan) -> None:
    """CodeDeploy moves one production listener."""

    def add(environment: Environment) -> None:
        environment.elbv2.create_listener(
            LoadBalancerArn=environment.load_balancer,
            Protocol="TCP" if plan.protocol in ("TCP", "TLS") else "HTTP",
            Port=8888,
            DefaultActions=[environment.forward(environment.blue_group)],
        )

    at_the_end(plan, add)


@defect(BEFORE, "of the listener on port 8888", bars="protocol")
def another_listeners_rule_leads_to_blue(plan: Plan) -> None:
    def add(environment: Environment) -> None:
        fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        made = environment.elbv2.create_listener(
            LoadBalancerArn=environment.load_balancer, Protocol="HTTP", Port=8888, DefaultActions=[fixed]
        )["Listeners"][0]["ListenerArn"]
        forward = environment.forward(environment.blue_group)
        environment.create_rule(made, 1, {"host-header": ["old.example.com"]}, [forward])

    at_the_end(plan, add)


@defect(BEFORE, "the test listener is the production listener", bars="test_first")
def test_listener_is_production(plan: Plan) -> None:
    def same(environment: Environment) -> None:
        environment.update_group(loadBalancerInfo=environment.pair(environment.production_listener))
        environment.elbv2.delete_listener(ListenerArn=environment.test_listener)

    at_the_end(plan, same)


@defect(
    BEFORE,
    "the deployment group has no test listener, so green cannot be tested",
    bars="test_first internal_and_inside",
)
def no_way_to_test_first(plan: Plan) -> None:
    plan.test_listener = False


@defect(BEFORE, "test listener on port", bars=f"test_first door direct_by_rules {NO_FIGURES}")
def test_listener_leads_elsewhere(plan: Plan) -> None:
    """It is another service's."""

    def lead(environment: Environment) -> None:
        blog = environment.create_target_group("other", Port=81)
        environment.elbv2.modify_listener(
            ListenerArn=environment.test_listener, DefaultActions=[environment.forward(blog)]
        )

    at_the_end(plan, lead)


@defect(BEFORE, "does not exist: fix the network configuration", bars=f"public_addresses {ON_INSTANCES}")
def subnet_is_missing(plan: Plan) -> None:
    def named(environment: Environment) -> None:
        vpc = {"Subnets": ["subnet-0123456789abcdef0"], "SecurityGroups": [environment.security_group]}
        plan.appspec["NetworkConfiguration"] = {"AwsvpcConfiguration": vpc}

    plan.prepare.append(named)


@defect(BEFORE, "free address(es)", bars=f"public_addresses {ON_INSTANCES}")
def subnets_are_full(plan: Plan) -> None:
    def full(environment: Environment) -> None:
        environment.instead["ec2:DescribeSubnets"] = lambda parameters: {
            "Subnets": [
                {**subnet, "AvailableIpAddressCount": 0}
                for subnet in environment.ec2.describe_subnets(**parameters)["Subnets"]
            ]
        }

    at_the_end(plan, full)


# Alarms, roles, functions.


@defect(BEFORE, "alarm shop-typo does not exist", bars="alarms")
def alarm_is_missing(plan: Plan) -> None:
    alarms = {"enabled": True, "alarms": [{"name": "shop-typo"}]}
    plan.prepare.append(lambda environment: environment.update_group(alarmConfiguration=alarms))


@defect(BEFORE, "alarm shop-5xx is ALARM", bars="alarms")
def alarm_fires_already(plan: Plan) -> None:
    at_the_end(plan, lambda environment: environment.set_alarm("shop-5xx", "ALARM"))


@defect(BEFORE, "may not invoke")
def codedeploy_may_not_invoke(plan: Plan) -> None:
    at_the_end(plan, lambda environment: environment.forbid("shop-codedeploy", "lambda:InvokeFunction"))


@defect(BEFORE, "may not pass to ECS")
def codedeploy_may_not_pass_the_roles(plan: Plan) -> None:
    at_the_end(plan, lambda environment: environment.forbid("shop-codedeploy", "iam:PassRole"))


@defect(BEFORE, "which the AppSpec's Hooks name, does not exist")
def function_is_missing(plan: Plan) -> None:
    at_the_end(
        plan,
        lambda environment: environment.functions.delete_function(FunctionName=environment.hooks["AfterInstall"]),
    )


@defect(BEFORE, "max_latency")
def option_is_mistyped(plan: Plan) -> None:
    """Of a later hook, found now."""
    options = {"http_checks": {"home": {"path": "/", "max_latency": 100}}}
    at_the_end(plan, lambda environment: environment.tell("AfterAllowTraffic", options))


@defect(BEFORE, "is internal and the function outside its VPC", bars="network test_first protocol door")
def declared_checks_cannot_arrive(plan: Plan) -> None:
    plan.balancer |= {"Scheme": "internal"}
    options = {"http_checks": {"home": {"path": "/"}}}
    at_the_end(plan, lambda environment: environment.tell("AfterAllowTestTraffic", options))
