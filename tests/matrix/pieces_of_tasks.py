"""Pieces: where tasks run, how many, their images, sidecars, logs, secrets, volumes and health."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.aws.world import ContainerState, TaskState
from rehearsal.testing.stage import ACCOUNT, CLUSTER, SERVICE
from tests.matrix.environment import Environment, Plan
from tests.matrix.pieces import piece
from tests.matrix.pieces_of_routes import regroup

# Where tasks run.


def on_instances(plan: Plan, mode: str) -> None:
    """Tasks on EC2 instances, in a network mode."""
    plan.definition |= {"networkMode": mode, "requiresCompatibilities": ["EC2"]}
    plan.container |= {"memory": 512}
    plan.service |= {"launchType": "EC2"}


def behind_instances(plan: Plan, first: int) -> None:
    """Targets are instances and ports: dynamic ones from `first` on, each task's its own."""
    plan.service |= {"networkConfiguration": None}

    def describe(environment: Environment) -> None:
        regroup(environment, TargetType="instance")

        def host_port(task: str) -> int:
            return first + int(task[-3:], 16) if first > 30000 else first

        def health(parameters: Any) -> Any:
            group = parameters["TargetGroupArn"]
            service = environment.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
            sets = [each["id"] for each in service["taskSets"] if each["loadBalancers"][0]["targetGroupArn"] == group]
            listed = environment.ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
            tasks = environment.ecs.describe_tasks(cluster=CLUSTER, tasks=listed)["tasks"]
            found = []
            for number, task in enumerate(tasks):
                if task.get("startedBy") in sets and task["lastStatus"] == "RUNNING":
                    name, port = f"i-0{number:016x}", host_port(task["taskArn"])
                    state = environment.world.target_state(group, name, port)
                    health = {"State": state.state, "Reason": state.reason, "Description": state.description}
                    found.append(
                        {"Target": {"Id": name, "Port": port}, "TargetHealth": {k: v for k, v in health.items() if v}}
                    )
            return {"TargetHealthDescriptions": found}

        def tasks(parameters: Any) -> Any:
            answer = environment.ecs.describe_tasks(**parameters)
            for task in answer["tasks"]:
                for container in task["containers"]:
                    bound = {"containerPort": 8000, "hostPort": host_port(task["taskArn"])}
                    container |= {"networkInterfaces": [], "networkBindings": [bound]}
                task["attachments"] = []
            return answer

        environment.instead["elbv2:DescribeTargetHealth"] = health
        environment.instead["ecs:DescribeTasks"] = tasks

    plan.prepare.append(describe)


@piece("place", bars="network ports")
def bridge(plan: Plan) -> None:
    """Instances, bridge mode, dynamic host ports."""
    on_instances(plan, "bridge")
    plan.container |= {"portMappings": [{"containerPort": 8000, "hostPort": 0}]}
    behind_instances(plan, 32768)


@piece("place", bars="network ports protocol")
def bridge_with_one_port(plan: Plan) -> None:
    """Instances, bridge mode, a host port of its own."""
    on_instances(plan, "bridge")
    plan.container |= {"portMappings": [{"containerPort": 8000, "hostPort": 8000}]}
    behind_instances(plan, 8000)


@piece("place", bars="network ports")
def host_mode(plan: Plan) -> None:
    """Instances, host mode."""
    on_instances(plan, "host")
    plan.container |= {"portMappings": [{"containerPort": 8000, "hostPort": 8000}]}
    behind_instances(plan, 8000)


@piece("place")
def ec2_awsvpc(plan: Plan) -> None:
    """Instances, addresses of their own."""
    on_instances(plan, "awsvpc")


SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
FARGATE_PROVIDERS = {"capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": []}


def by_strategy(plan: Plan, strategy: list[dict[str, Any]]) -> None:
    """A capacity provider strategy, in the service and in the AppSpec."""
    plan.service |= {"launchType": None, "capacityProviderStrategy": strategy}
    plan.appspec["CapacityProviderStrategy"] = [
        {key[:1].upper() + key[1:]: value for key, value in each.items()} for each in strategy
    ]


@piece("place")
def fargate_spot(plan: Plan) -> None:
    plan.cluster |= FARGATE_PROVIDERS
    by_strategy(plan, SPOT)


@piece("place")
def fargate_and_spot(plan: Plan) -> None:
    """A base that stays, and spot above it."""
    plan.cluster |= FARGATE_PROVIDERS
    by_strategy(plan, [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}, {**SPOT[0], "weight": 4}])


@piece("place")
def capacity_provider_of_instances(plan: Plan) -> None:
    """An Auto Scaling group's capacity provider, awsvpc."""
    on_instances(plan, "awsvpc")

    plan.cluster |= {"capacityProviders": ["instances"], "defaultCapacityProviderStrategy": []}
    by_strategy(plan, [{"capacityProvider": "instances", "weight": 1}])


@piece("place")
def arm64(plan: Plan) -> None:
    plan.definition |= {"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}


@piece("place")
def platform_1_4(plan: Plan) -> None:
    plan.service |= {"platformVersion": "1.4.0"}
    plan.appspec["PlatformVersion"] = "1.4.0"


# How many.


@piece("count")
def one_task(plan: Plan) -> None:
    plan.service |= {"desiredCount": 1}


@piece("count")
def ten_tasks(plan: Plan) -> None:
    plan.service |= {"desiredCount": 10}


def scales(plan: Plan, least: int, most: int, now: int, **more: Any) -> None:
    """Application Auto Scaling."""
    plan.service |= {"desiredCount": now}
    plan.prepare.append(
        lambda environment: environment.autoscaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{CLUSTER}/{SERVICE}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=least,
            MaxCapacity=most,
            **more,
        )
    )


@piece("count")
def scales_from_2_to_10(plan: Plan) -> None:
    scales(plan, 2, 10, 2)


@piece("count")
def has_scaled_to_3(plan: Plan) -> None:
    scales(plan, 1, 4, 3)


@piece("count")
def scales_out_meanwhile(plan: Plan) -> None:
    """One more task is asked for between two hooks, of blue and of green."""
    scales(plan, 1, 4, 2)
    plan.at(
        "AfterAllowTestTraffic",
        lambda environment: environment.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=3),
    )


@piece("count")
def scaling_suspended(plan: Plan) -> None:
    kinds = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    scales(plan, 1, 4, 2, SuspendedState=dict.fromkeys(kinds, True))


# The rest of a service.


@piece("service")
def found_by_cloud_map(plan: Plan) -> None:
    """Registered for its neighbours, too."""
    arn = f"arn:aws:servicediscovery:eu-west-1:{ACCOUNT}:service/srv-0123456789abcdef"
    plan.service |= {"serviceRegistries": [{"registryArn": arn}]}


@piece("service")
def service_of_many_settings(plan: Plan) -> None:
    plan.service |= {
        "enableExecuteCommand": True,
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "healthCheckGracePeriodSeconds": 300,
        "tags": [{"key": "team", "value": "shop"}],
    }


# Sidecars.


def beside(plan: Plan, name: str, image: str, **more: Any) -> None:
    """A container beside the application's."""
    plan.sidecars.append({"name": name, "image": image, "essential": True, "memoryReservation": 64, **more})


@piece("sidecars")
def xray(plan: Plan) -> None:
    udp = [{"containerPort": 2000, "protocol": "udp"}]
    image = "public.ecr.aws/xray/aws-xray-daemon:latest"
    beside(plan, "xray-daemon", image, essential=False, portMappings=udp)


@piece("sidecars", bars="logs")
def firelens(plan: Plan) -> None:
    """A log router, and the application's log through it."""
    image = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
    beside(plan, "log_router", image, firelensConfiguration={"type": "fluentbit"}, user="0")
    plan.container |= {"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "loki", "Host": "loki"}}}


@piece("sidecars")
def envoy(plan: Plan) -> None:
    """A proxy that the application waits for."""
    check = {"command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"]}
    image = "public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.6.1-prod"
    beside(plan, "envoy", image, user="1337", healthCheck={**check, "interval": 5, "timeout": 2, "retries": 3})
    plan.container |= {"dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}]}


@piece("sidecars")
def otel(plan: Plan) -> None:
    """A collector, essential and without a health check."""
    config = [{"name": "AOT_CONFIG_CONTENT", "valueFrom": "/shop/api-key"}]
    beside(plan, "otel", "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.1", secrets=config)


@piece("sidecars")
def datadog(plan: Plan) -> None:
    beside(plan, "datadog-agent", "public.ecr.aws/datadog/agent:7", essential=False)


@piece("sidecars")
def nginx_in_front(plan: Plan) -> None:
    """The load balanced container is nginx, and the application stands behind it."""
    beside(plan, "php", "php:8.3-fpm-alpine", portMappings=[{"containerPort": 9000}])
    plan.container |= {"image": "nginx:1.27", "dependsOn": [{"containerName": "php", "condition": "START"}]}


@piece("sidecars", bars="bridge host_mode bridge_with_one_port ipv6_targets")
def guardduty(plan: Plan) -> None:
    """Runtime monitoring adds an agent that runs."""
    agents(plan, {"lastStatus": "RUNNING"})


@piece("sidecars", bars="bridge host_mode bridge_with_one_port ipv6_targets")
def guardduty_not_pulled(plan: Plan) -> None:
    """Runtime monitoring adds an agent, which the execution role may not pull: the task runs on."""
    why = "CannotPullContainerError: failed to resolve ref aws-guardduty-agent-fargate:v1: 403 Forbidden"
    agents(plan, {"lastStatus": "STOPPED", "reason": why})


def agents(plan: Plan, state: dict[str, Any]) -> None:
    """A container in each task that no definition declares."""

    def tasks(environment: Environment) -> Any:
        def described(parameters: Any) -> Any:
            answer = environment.ecs.describe_tasks(**parameters)
            for number, task in enumerate(answer["tasks"]):
                name = f"aws-guardduty-agent-{'abcdefghij'[number % 10]}k3x9z"
                task["containers"].insert(0, {"name": name, "taskArn": task["taskArn"], **state})
            return answer

        return described

    plan.prepare.append(lambda environment: environment.instead.update({"ecs:DescribeTasks": tasks(environment)}))


@piece("sidecars")
def init_container(plan: Plan) -> None:
    """A container that prepares a volume and ends with 0 before the application starts."""
    beside(plan, "init", "busybox:1.36", essential=False, command=["sh", "-c", "cp -r /static /shared"])
    plan.container |= {"dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]}
    ends(plan, "init", 0)


def ends(plan: Plan, name: str, code: int) -> None:
    """Let a container have ended in each task, which runs on."""

    def script(environment: Environment) -> None:
        state = environment.world.task_state

        def with_its_end(task_arn: str) -> TaskState:
            found = state(task_arn)
            if found.last_status == "RUNNING" and name in found.containers:
                digest = found.containers[name].image_digest
                found.containers[name] = ContainerState("STOPPED", code, image_digest=digest)
            return found

        environment.world.task_state = with_its_end  # type: ignore[method-assign]

    plan.prepare.insert(0, script)


# Health of containers.


@piece("container_health")
def container_health_check(plan: Plan) -> None:
    command = ["CMD-SHELL", "curl -f http://localhost:8000/health || exit 1"]
    plan.container |= {"healthCheck": {"command": command, "interval": 30, "retries": 3, "startPeriod": 60}}


@piece("container_health")
def container_health_comes_late(plan: Plan) -> None:
    """UNKNOWN for two minutes, then HEALTHY."""
    container_health_check(plan)

    def late(environment: Environment) -> None:
        environment.world.container_health["app"] = "UNKNOWN"
        environment.clock.after(120, lambda: environment.world.container_health.pop("app"))

    plan.at("AfterInstall", late)


# Images.


@piece("image", bars="nginx_in_front")
def latest(plan: Plan) -> None:
    """Pushed anew for each release; the digest is what ECS pins."""
    pushed(plan, "latest")
    plan.container |= {"image": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop:latest"}


def pushed(plan: Plan, tag: str) -> None:
    """An image of this tag is in ECR."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": f"sha256:{'e' * 64}"}, "layers": []})
    plan.prepare.append(
        lambda environment: environment.ecr.put_image(
            repositoryName="shop", imageManifest=manifest, imageManifestMediaType=kind, imageTag=tag
        )
    )


@piece("image", bars="nginx_in_front")
def commit_as_tag(plan: Plan) -> None:
    pushed(plan, "main-deadbeef")
    plan.container |= {"image": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop:main-deadbeef"}


@piece("image", bars="nginx_in_front history")
def by_digest(plan: Plan) -> None:
    def digest(environment: Environment) -> None:
        found = environment.ecr.describe_images(repositoryName="shop", imageIds=[{"imageTag": "2"}])["imageDetails"]
        image = environment.image("2").rpartition(":")[0]
        environment.green_definition = environment.register(image=f"{image}@{found[0]['imageDigest']}")

    plan.prepare.append(digest)


def image_of(plan: Plan, image: str) -> None:
    """An image that is not in the account's ECR."""
    plan.container |= {"image": image}


@piece("image", bars="nginx_in_front")
def docker_hub(plan: Plan) -> None:
    image_of(plan, "shop/shop:2.4.1")


@piece("image", bars="nginx_in_front")
def docker_hub_official(plan: Plan) -> None:
    image_of(plan, "nginx")


@piece("image", bars="nginx_in_front")
def private_registry(plan: Plan) -> None:
    """A registry of the company's own, with credentials from Secrets Manager."""
    image_of(plan, "registry.example.com:5000/team/shop:2.4.1")


@piece("image", bars="nginx_in_front")
def public_ecr(plan: Plan) -> None:
    image_of(plan, "public.ecr.aws/docker/library/httpd:2.4")


@piece("image", bars="nginx_in_front")
def other_accounts_ecr(plan: Plan) -> None:
    """The images are kept in a tools account."""
    image_of(plan, "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop:2.4.1")


@piece("image", bars="nginx_in_front")
def ghcr(plan: Plan) -> None:
    image_of(plan, "ghcr.io/example/shop:sha-4f2c1d0")


@piece("image", bars="nginx_in_front")
def pull_through(plan: Plan) -> None:
    """ECR fetches it from elsewhere when it is first asked for."""
    image_of(plan, f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/httpd:2.4")
    rule = {"ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    plan.prepare.append(
        lambda environment: environment.instead.update(
            {"ecr:DescribePullThroughCacheRules": lambda _: {"pullThroughCacheRules": [rule]}}
        )
    )


# Logs.


@piece("logs")
def no_logs(plan: Plan) -> None:
    plan.container |= {"logConfiguration": None}


@piece("logs")
def splunk(plan: Plan) -> None:
    token = [{"name": "splunk-token", "valueFrom": "/shop/api-key"}]
    options = {"splunk-url": "https://splunk.example.com:8088"}
    plan.container |= {"logConfiguration": {"logDriver": "splunk", "options": options, "secretOptions": token}}


@piece("logs")
def log_group_is_made(plan: Plan) -> None:
    """The log group does not exist yet; awslogs makes it, as the execution role may."""
    options = {"awslogs-group": "/ecs/new", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "shop"}
    options["awslogs-create-group"] = "true"
    plan.container |= {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    plan.prepare.append(lambda environment: environment.allow("shop-execution", "logs:CreateLogGroup", "*"))


@piece("logs")
def without_a_prefix(plan: Plan) -> None:
    """non-blocking, and no stream prefix."""
    options = {"awslogs-group": "/ecs/shop", "awslogs-region": "eu-west-1", "mode": "non-blocking"}
    plan.container |= {"logConfiguration": {"logDriver": "awslogs", "options": options}}


# Secrets.


@piece("secrets")
def no_secrets(plan: Plan) -> None:
    plan.container |= {"secrets": [], "environment": [{"name": "MODE", "value": "production"}]}


@piece("secrets")
def keys_of_a_secret(plan: Plan) -> None:
    """One JSON secret, and its keys."""
    plan.prepare.append(
        lambda environment: setattr(
            environment,
            "green_definition",
            environment.register(
                secrets=[
                    {"name": key.upper(), "valueFrom": f"{environment.secret}:{key}::"} for key in ("user", "host")
                ]
            ),
        )
    )
    plan.prepare.append(
        lambda environment: environment.secretsmanager.put_secret_value(
            SecretId=environment.secret, SecretString=json.dumps({"user": "shop", "host": "db"})
        )
    )
    plan.prepare.reverse()


@piece("secrets")
def parameters_by_arn(plan: Plan) -> None:
    arn = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/api-key"
    plan.container |= {"secrets": [{"name": "KEY", "valueFrom": arn}]}


@piece("secrets")
def parameter_with_a_version(plan: Plan) -> None:
    plan.container |= {"secrets": [{"name": "KEY", "valueFrom": "/shop/api-key:1"}]}


@piece("secrets")
def secrets_of_another_account(plan: Plan) -> None:
    """Described so by ECS: the stand-in itself has no other account."""
    arn = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:shared/token-AbCdEf"

    def describe(environment: Environment) -> None:
        def described(parameters: Any) -> Any:
            answer = environment.ecs.describe_task_definition(**parameters)
            answer["taskDefinition"]["containerDefinitions"][0]["secrets"] = [{"name": "TOKEN", "valueFrom": arn}]
            return answer

        environment.instead["ecs:DescribeTaskDefinition"] = described

    plan.prepare.append(describe)


# The rest of a definition.


@piece("definition")
def efs(plan: Plan) -> None:
    volume = {"fileSystemId": "fs-0123456789abcdef0", "transitEncryption": "ENABLED", "rootDirectory": "/"}
    plan.definition |= {"volumes": [{"name": "uploads", "efsVolumeConfiguration": volume}]}
    plan.container |= {"mountPoints": [{"sourceVolume": "uploads", "containerPath": "/uploads"}]}


@piece("definition")
def shared_volume(plan: Plan) -> None:
    plan.definition |= {"volumes": [{"name": "cache"}]}
    plan.container |= {
        "mountPoints": [{"sourceVolume": "cache", "containerPath": "/var/cache"}],
        "readonlyRootFilesystem": True,
    }


@piece("definition")
def shell_as_entry_point(plan: Plan) -> None:
    plan.container |= {"entryPoint": ["sh", "-c"], "command": ["exec gunicorn shop.wsgi --bind 0.0.0.0:8000"]}


@piece("definition")
def hardened(plan: Plan) -> None:
    plan.container |= {
        "user": "1000:1000",
        "linuxParameters": {"initProcessEnabled": True},
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
        "stopTimeout": 60,
    }


@piece("definition")
def no_task_role(plan: Plan) -> None:
    """An application that calls nothing of AWS."""
    plan.definition |= {"taskRoleArn": None}


@piece("definition")
def large(plan: Plan) -> None:
    plan.definition |= {"cpu": "4096", "memory": "30720", "ephemeralStorage": {"sizeInGiB": 100}}


@piece("definition")
def long_names(plan: Plan) -> None:
    """As people name things who have many of them."""
    plan.definition |= {"family": "customer-facing-storefront-orders-api-production-eu-west-1-blue-green"}


@piece("definition")
def role_with_a_path(plan: Plan) -> None:
    """A role below a path, by whose trust any account's confused deputy is kept out."""

    def make(environment: Environment) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        made = environment.iam.create_role(
            RoleName="shop-app",
            Path="/teams/shop/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        passed_to = {"iam_PassedToService": "ecs-tasks.amazonaws.com"}
        environment.allow("shop-codedeploy", "iam:PassRole", [environment.execution_role, made], **passed_to)
        environment.green_definition = environment.register(definition={"taskRoleArn": made})

    plan.prepare.append(make)
