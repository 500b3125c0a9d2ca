"""The services of a stack: who deploys each, which functions are its hooks, and what the player has to know of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal import images
from rehearsal.play import settings_of
from rehearsal.stacks.ordinary import make_service
from rehearsal.stacks.reading import StackError

Clients = Callable[[str, str], Any]
"""Makes a client of the stand-in: service, region."""

GREEN = "rehearsed"
"""The tag of the release that is deployed."""


@dataclass(frozen=True)
class Service:
    """One service, as the player takes it."""

    platform: str
    """codedeploy or ecs; empty if nobody deploys it by these hooks."""
    region: str
    outputs: Mapping[str, Any]
    """What the rehearsal's own environment has as outputs; see environment/outputs.tf."""
    settings: Mapping[str, Mapping[str, Any]]
    """The options of each hook, by function."""
    container: str
    port: int
    health: Mapping[str, int]
    """By path of a target group's health check: the status that it expects."""
    notes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Functions that the AppSpec, or ECS, does not name."""
    alarm: str = ""
    """The alarm that goes off in the scenario of this name; empty if the stack has none."""

    @property
    def name(self) -> str:
        """The service's name."""
        return str(self.outputs["service_name"])

    @property
    def tag(self) -> str:
        """The tag of the release that serves before."""
        return tag_of(self.outputs["image"])


@dataclass
class _Found:
    """What was found of one service so far."""

    cluster: str
    name: str
    region: str
    described: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def prepare_services(
    clients: Clients, hooks: Sequence[Mapping[str, Any]], natives: Sequence[Mapping[str, Any]]
) -> list[Service]:
    """Find the services that the hooks are for, and make ready what their deployments need.

    Args:
        clients: of the stand-in.
        hooks: the outputs of each call of this repository's module.
        natives: what each service that ECS itself deploys has further; see copying.py.
    """
    if not hooks:
        raise StackError(
            "the stack does not call this repository's module: there are no hooks to rehearse. Its `module` block is "
            "known by its source, or by its five inputs app_name, environment, aws_region, ecs_cluster_name, …"
        )
    return [_Preparation(clients, found, natives).service() for found in hooks]


class _Preparation:
    """Makes one service ready."""

    def __init__(self, clients: Clients, hooks: Mapping[str, Any], natives: Sequence[Mapping[str, Any]]) -> None:
        self._hooks, self._natives = hooks, natives
        arn = re.search(r"arn:aws[\w-]*:lambda:([\w-]+):", json.dumps(hooks))
        self._region = arn[1] if arn else "eu-central-1"
        self._clients = clients
        self._names: Mapping[str, str] = hooks["function_names"]
        told = self._variables(next(iter(self._names)))
        self._cluster, self._service = told["ECS_CLUSTER"], told["ECS_SERVICE"]
        self._notes: list[str] = []

    def _client(self, service: str) -> Any:
        return self._clients(service, self._region)

    def _variables(self, hook: str) -> Mapping[str, str]:
        answer = self._client("lambda").get_function_configuration(FunctionName=self._names[hook])
        variables: Mapping[str, str] = answer["Environment"]["Variables"]
        return variables

    def service(self) -> Service:
        """Return it; raises StackError."""
        described = self._described()
        if described is None:
            self._notes.append(
                f"the service {self._service} in the cluster {self._cluster} is not of this stack: an ordinary one is "
                "put in its place (two Fargate tasks behind a load balancer, deployed by CodeDeploy)"
            )
            make_service(self._client, self._cluster, self._service, self._hooks)
            described = self._described()
            assert described is not None  # noqa: S101  (it was made)
        settings = {hook: settings_of(self._variables(hook).get("HOOK_SETTINGS", "{}")) for hook in self._names}
        definition = self._definition(described["taskDefinition"])
        native = self._native(described)
        group = None if native else self._group()
        balanced = (native or described).get("loadBalancers") or [{}]
        if not balanced[0] and described.get("taskSets"):
            balanced = described["taskSets"][0].get("loadBalancers") or [{}]
        container = balanced[0].get("containerName") or definition["containerDefinitions"][0]["name"]
        port = int(balanced[0].get("containerPort") or 80)
        self._push_images(definition)
        self._make_room(described)
        if native:
            # As it is there now it rolls; the player creates it again, as ECS has it.
            self._client("ecs").delete_service(cluster=self._cluster, service=self._service, force=True)
        elif group is None:
            self._notes.append(
                f"nobody calls the hooks of {self._service}: no CodeDeploy deployment group names it, and ECS does not "
                "deploy it blue/green; ecs_service of the group has to be "
                f'{{ cluster_name = "{self._cluster}", service_name = "{self._service}" }}'
            )
        named = (
            [each["hookTargetArn"] for each in native["deploymentConfiguration"]["lifecycleHooks"]] if native else []
        )
        text = " ".join(named) if native else self._hooks["appspec_hooks"]
        image = next(c["image"] for c in definition["containerDefinitions"] if c["name"] == container)
        outputs = {
            "appspec_hooks": self._hooks["appspec_hooks"],
            "function_names": dict(self._names),
            "cluster_name": self._cluster,
            "service_name": self._service,
            "task_family": definition["taskDefinitionArn"],
            "image": image,
            "native_service": native,
            "target_group_names": [],
            **(group or {}),
        }
        return Service(
            platform="ecs" if native else "codedeploy" if group else "",
            region=self._region,
            outputs=outputs,
            settings=settings,
            container=container,
            port=port,
            health=dict(self._health()),
            notes=tuple(self._notes),
            without=tuple(
                hook for hook, name in self._names.items() if not re.search(rf":{re.escape(name)}(?![\w-])", text)
            ),
            alarm=self._alarm(settings, group, native),
        )

    def _described(self) -> dict[str, Any] | None:
        ecs = self._client("ecs")
        if not ecs.describe_clusters(clusters=[self._cluster])["clusters"]:
            return None
        found = ecs.describe_services(cluster=self._cluster, services=[self._service])["services"]
        active = [service for service in found if service["status"] == "ACTIVE"]
        return dict(active[0]) if active else None

    def _definition(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return found

    def _group(self) -> dict[str, Any] | None:
        """The deployment group that deploys the service."""
        codedeploy = self._client("codedeploy")
        for application in codedeploy.list_applications()["applications"]:
            names = codedeploy.list_deployment_groups(applicationName=application)["deploymentGroups"]
            for name in names:
                told = codedeploy.get_deployment_group(applicationName=application, deploymentGroupName=name)
                info = told["deploymentGroupInfo"]
                services = [
                    (e["clusterName"].rpartition("/")[2], e["serviceName"]) for e in info.get("ecsServices") or []
                ]
                if (self._cluster, self._service) in services:
                    pair = info["loadBalancerInfo"]["targetGroupPairInfoList"][0]
                    alarms = info.get("alarmConfiguration") or {}
                    return {
                        "application_name": application,
                        "deployment_group_name": name,
                        "target_group_names": [each["name"] for each in pair["targetGroups"]],
                        "watched": [each["name"] for each in alarms.get("alarms") or []]
                        if alarms.get("enabled")
                        else [],
                    }
        return None

    def _native(self, described: Mapping[str, Any]) -> dict[str, Any] | None:
        """The parameters of CreateService, where ECS itself deploys the service."""
        for each in self._natives:
            cluster = str(each.get("cluster") or "default").rpartition("/")[2]
            if (cluster, each["name"]) == (self._cluster, self._service) and each.get("deployment_configuration"):
                return native_service(described, each)
        return None

    def _health(self) -> Iterator[tuple[str, int]]:
        for group in self._client("elbv2").describe_target_groups()["TargetGroups"]:
            codes = re.match(r"\d+", str((group.get("Matcher") or {}).get("HttpCode") or "200"))
            yield str(group.get("HealthCheckPath") or "/"), int(codes[0]) if codes else 200

    def _push_images(self, definition: Mapping[str, Any]) -> None:
        """Put the images of both releases into ECR, those that are of ECR."""
        ecr = self._client("ecr")
        for container in definition["containerDefinitions"]:
            match = re.match(r"\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com/([\w./-]+)", container["image"])
            if match is None:
                continue
            try:
                ecr.describe_repositories(repositoryNames=[match[1]])
            except ecr.exceptions.RepositoryNotFoundException:
                ecr.create_repository(repositoryName=match[1])
                self._notes.append(f"the ECR repository {match[1]} is not of this stack: it is put there")
            for tag in dict.fromkeys((tag_of(container["image"]), GREEN)):
                ecr.put_image(repositoryName=match[1], imageTag=tag, imageManifest=images.manifest(tag))

    def _make_room(self, described: Mapping[str, Any]) -> None:
        """Give a cluster that runs on EC2 the instances that register themselves there on AWS."""
        strategy = [each["capacityProvider"] for each in described.get("capacityProviderStrategy") or []]
        if described.get("launchType") == "FARGATE" or any(name.startswith("FARGATE") for name in strategy):
            return
        ecs, ec2 = self._client("ecs"), self._client("ec2")
        if ecs.list_container_instances(cluster=self._cluster)["containerInstanceArns"]:
            return
        count = 3 * max(1, int(described.get("desiredCount") or 1)) + 2
        image = ec2.register_image(Name=f"ecs-{self._service}")["ImageId"]
        subnets = ec2.describe_subnets()["Subnets"]
        network = (described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        balancers = self._client("elbv2").describe_load_balancers()["LoadBalancers"]
        vpcs = [balancer["VpcId"] for balancer in balancers]
        place = (
            network.get("subnets") or [s["SubnetId"] for s in subnets if s["VpcId"] in vpcs] or [subnets[0]["SubnetId"]]
        )[0]
        made = ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, SubnetId=place)["Instances"]
        for instance in made:
            document = json.dumps({"instanceId": instance["InstanceId"], "region": self._region})
            ecs.register_container_instance(cluster=self._cluster, instanceIdentityDocument=document)
        self._notes.append(f"cluster {self._cluster} has {count} EC2 instances, as an auto scaling group gives it them")
        # What was started before there were any is started again on them.
        running = ecs.list_tasks(cluster=self._cluster, serviceName=self._service)["taskArns"]
        for arn in running:
            ecs.stop_task(cluster=self._cluster, task=arn)
        for _ in range(2):
            ecs.describe_services(cluster=self._cluster, services=[self._service])

    def _alarm(
        self,
        settings: Mapping[str, Mapping[str, Any]],
        group: Mapping[str, Any] | None,
        native: Mapping[str, Any] | None,
    ) -> str:
        """The alarm that is to go off: one that somebody looks at, else any."""
        configuration = (native or {}).get("deploymentConfiguration") or {}
        watched = [
            *(settings.get("validate_production", {}).get("alarms") or {}),
            *((group or {}).get("watched") or []),
            *((configuration.get("alarms") or {}).get("alarmNames") or []),
        ]
        alarms = self._client("cloudwatch").describe_alarms()["MetricAlarms"]
        there = [each["AlarmName"] for each in alarms if each.get("MetricName")]
        return next((name for name in (*watched, *there) if name in there), "")


def native_service(described: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of CreateService of what is there and what was declared further (Terraform's names)."""
    configuration = dict(declared["deployment_configuration"][0])
    hooks = [
        {
            "hookTargetArn": hook["hook_target_arn"],
            "roleArn": hook["role_arn"],
            "lifecycleStages": list(hook["lifecycle_stages"]),
            **({"hookDetails": json.loads(hook["hook_details"])} if hook.get("hook_details") else {}),
        }
        for hook in configuration.get("lifecycle_hook") or []
    ]
    alarms = (declared.get("alarms") or [{}])[0]
    native_configuration = {
        "strategy": configuration["strategy"],
        "bakeTimeInMinutes": int(configuration.get("bake_time_in_minutes") or 0),
        "lifecycleHooks": hooks,
        "alarms": {
            "alarmNames": list(alarms.get("alarm_names") or []),
            "enable": bool(alarms.get("enable")),
            "rollback": bool(alarms.get("rollback")),
        },
    }
    for block in ("canary_configuration", "linear_configuration"):
        for each in configuration.get(block) or []:
            native_configuration[_camel(block)] = {
                _camel(name): int(value) if name.endswith("_in_minutes") else float(value)
                for name, value in each.items()
            }
    balancers = [
        {
            "targetGroupArn": each["target_group_arn"],
            "containerName": each["container_name"],
            "containerPort": int(each["container_port"]),
            "advancedConfiguration": {
                _camel(name): value for name, value in each["advanced_configuration"][0].items() if value
            },
        }
        for each in declared.get("load_balancer") or []
        if each.get("advanced_configuration")
    ]
    kept = ("taskDefinition", "desiredCount", "launchType", "networkConfiguration", "healthCheckGracePeriodSeconds")
    taken = {name: described[name] for name in kept if described.get(name)}
    if described.get("capacityProviderStrategy"):
        taken["capacityProviderStrategy"] = described["capacityProviderStrategy"]
        taken.pop("launchType", None)
    return {
        "cluster": described["clusterArn"].rpartition("/")[2],
        "serviceName": described["serviceName"],
        "deploymentController": {"type": "ECS"},
        **taken,
        "loadBalancers": balancers,
        "deploymentConfiguration": native_configuration,
    }


def tag_of(image: str) -> str:
    """Return the tag of an image's name; that of one named by its digest, or by nothing, is `latest`."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return tag or "latest"


def with_tag(image: str, tag: str) -> str:
    """Return an image's name with another tag."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}:{tag}"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
