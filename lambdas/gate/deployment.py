"""What CodeDeploy, ECS and the load balancer say of one deployment.

Whatever more than one hook needs to know of them is read here. Nothing about green is configured: it is found from the
deployment's id, each time, because which target group is green alternates from deployment to deployment. What cannot
change while a hook runs is read once; services, weights and targets are read anew at each call.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Callable, Optional, TypeVar

from gate import aws
from gate.appspec import AppSpec, parse_appspec
from gate.verdict import Absent, CannotLook

T = TypeVar("T")

OVER = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class TaskSet:
    """One version of the service. Blue and green are each a task set."""

    id: str
    external_id: str  # the deployment's id; absent on the set a service was created with
    status: str  # PRIMARY, ACTIVE or DRAINING
    stability: str  # STEADY_STATE or STABILIZING
    scale: float
    desired: int  # what ECS computes from the service's desired count and the scale
    running: int
    pending: Optional[int]  # None: ECS does not say
    task_definition: str
    target_groups: tuple[str, ...]
    container: str  # the load balanced one
    container_port: Optional[int]  # its port, at which ECS registers tasks with addresses of their own
    placement: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> TaskSet:
        """Read one entry of DescribeServices' `taskSets`."""
        return cls(
            id=str(answer.get("id", "")),
            external_id=str(answer.get("externalId") or ""),
            status=str(answer.get("status", "")),
            stability=str(answer.get("stabilityStatus", "")),
            scale=float((answer.get("scale") or {}).get("value", 0)),
            desired=int(answer.get("computedDesiredCount", 0)),
            running=int(answer.get("runningCount", 0)),
            pending=answer.get("pendingCount"),
            task_definition=str(answer.get("taskDefinition", "")),
            target_groups=_target_groups(answer),
            container=next((str(entry.get("containerName") or "") for entry in answer.get("loadBalancers") or []), ""),
            container_port=next((entry.get("containerPort") for entry in answer.get("loadBalancers") or []), None),
            placement=_placement(answer),
        )

    @property
    def complete(self) -> bool:
        """Whether as many tasks run as shall run, and none is to come; raises CannotLook where ECS does not say."""
        if self.pending is None:
            raise CannotLook(f"ECS does not say how many tasks of task set {self.id} are pending")
        return self.running == self.desired and not self.pending

    @property
    def in_use(self) -> bool:
        """False for a set that is on its way out: draining ones stay listed at scale 0 for a while."""
        return self.status != "DRAINING" and self.scale > 0


@dataclass(frozen=True)
class Service:
    """The ECS service."""

    arn: str
    name: str
    status: str
    controller: str
    desired: int
    running: int
    pending: int
    task_sets: tuple[TaskSet, ...]
    events: tuple[str, ...]
    placement: Mapping[str, Any]

    @property
    def primary(self) -> TaskSet | None:
        """The task set that serves production: blue until the traffic has shifted."""
        return next((task_set for task_set in self.task_sets if task_set.status == "PRIMARY"), None)


@dataclass(frozen=True)
class TargetGroup:
    """One of the two target groups.

    `matcher` is the health check's codes, such as "200-299"; `health_port` is "traffic-port" or a number as text.
    """

    arn: str
    name: str
    protocol: str
    protocol_version: str  # HTTP1, HTTP2 or GRPC; empty for other protocols
    port: Optional[int]
    target_type: str
    vpc_id: str
    health_protocol: str
    health_port: str
    health_path: str
    matcher: str
    load_balancers: tuple[str, ...]  # those whose listeners or rules lead to it, by ARN

    @property
    def dimension(self) -> str:
        """The value of CloudWatch's TargetGroup dimension."""
        return self.arn.rpartition(":")[2]


class Astray(CannotLook):
    """A listener leads a request to somebody else than the pair."""


@dataclass(frozen=True)
class Rule:
    """A listener's rule, not its default action. `where` is its conditions, in words.

    `hosts` and `paths`: patterns of which one has to match, as Elastic Load Balancing has them; none: any will do.
    `asks_more`: a header or the query has to be right, too; `asks_only_these`: nothing else has to be of a GET.
    `redirects`: its answers tell that nobody behind it was asked. `logs_in`: who has no session is sent to a login.
    """

    priority: str
    where: str
    weights: Mapping[str, int]
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    asks_more: bool = False
    asks_only_these: bool = True
    redirects: bool = False
    logs_in: bool = False

    def takes_host(self, host: str) -> bool:
        """Whether a request to this host may be one of the rule's."""
        return not self.hosts or any(_is_like(host.lower(), pattern.lower()) for pattern in self.hosts)

    def takes(self, host: str, path: str, *, says_more: bool) -> bool:
        """Whether a request may be one of the rule's; `says_more`: it has headers of its own, or a query."""
        return (
            self.takes_host(host)
            and (not self.paths or any(_is_like(path, pattern) for pattern in self.paths))
            and (says_more or not self.asks_more)
        )


@dataclass(frozen=True)
class Listener:
    """A listener and where it leads. Its rules are read when they are first asked for."""

    arn: str
    load_balancer_arn: str
    protocol: str
    port: int
    default: Mapping[str, int]  # target group → weight, of its default action
    pair: frozenset[str]  # the deployment's two target groups, by ARN
    read_rules: Callable[[], Sequence[Rule]]
    logs_in: bool = False  # its default action: who has no session is sent to a login
    wants_certificate: bool = False  # of whoever connects (mutual TLS), or there is no answer

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """Its rules, the first to be asked first. Only an Application Load Balancer's listeners have any."""
        return self.read_rules() if self.protocol in ("HTTP", "HTTPS") else ()

    @property
    def by_rules(self) -> bool:
        """Whether only rules may lead to the pair: the default action answers, or is another service's."""
        return not self.pair & self.default.keys()

    @cached_property
    def weights(self) -> Mapping[str, int]:
        """Target group → weight: of the default action or, where only rules lead to the pair, of these together."""
        ruled: dict[str, int] = {}
        for rule in self.to_the_pair() if self.by_rules else ():
            for arn in self.pair & rule.weights.keys():
                ruled[arn] = ruled.get(arn, 0) + rule.weights[arn]
        return ruled or self.default

    def to_the_pair(self) -> list[Rule]:
        """The rules that lead to the deployment's target groups."""
        return [rule for rule in self.rules if self.pair & rule.weights.keys()]

    def serves_only(self, target_group_arn: str) -> bool:
        """Whether all its traffic goes to this target group."""
        return self.weights.get(target_group_arn, 0) > 0 and all(
            weight == 0 for arn, weight in self.weights.items() if arn != target_group_arn
        )

    def astray(self, target_group_arn: str) -> list[Rule]:
        """The rules that lead to the pair, and not to this target group of it alone.

        A deployment's shift may leave them behind, and so may whoever writes rules meanwhile.
        """
        return [
            rule
            for rule in self.to_the_pair()
            if any(weight for arn, weight in rule.weights.items() if arn != target_group_arn)
        ]

    def refuse_astray(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        """Raise Astray for a request that somebody else than the pair would answer, and maybe well.

        Where that cannot be told, as by a rule's regular expression, the request is let pass.
        """
        host = next((value for name, value in headers.items() if name.lower() == "host"), host).partition(":")[0]
        path, _, query = path.partition("?")
        for rule in self.rules:
            if self.pair & rule.weights.keys():
                if rule.takes(host, path, says_more=bool(headers or query)):
                    return
            elif rule.asks_only_these and rule.takes(host, path, says_more=False):
                if rule.redirects:
                    return
                raise Astray(
                    f"rule {rule.priority} ({rule.where}) of the listener takes {path} of {host}, and does not lead to "
                    "green: set host or path to what green answers, or url to ask somebody else"
                )
        if self.by_rules:
            leads = " or ".join(rule.where for rule in self.to_the_pair())
            raise Astray(
                f"only rules of the listener lead to green ({leads}), and none takes {path} of {host}: set host, path "
                "or headers by one of them"
            )


@dataclass(frozen=True)
class Door:
    """A listener's default action, or a rule, beside the deployment group's own; where it leads, and that in words.

    `elsewhere`: it is on another load balancer than the production listener.
    """

    words: str
    weights: Mapping[str, int]
    elsewhere: bool = False


@dataclass(frozen=True)
class LoadBalancer:
    """The load balancer in front of the service."""

    arn: str
    dns_name: str
    kind: str  # application or network
    state: str
    zones: tuple[str, ...]  # the availability zones it serves
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    scheme: str = ""  # internet-facing or internal

    @property
    def dimension(self) -> str:
        """The value of CloudWatch's LoadBalancer dimension."""
        return self.arn.partition(":loadbalancer/")[2]


@dataclass(frozen=True)
class Target:
    """A registered target and its health: healthy, initial, unhealthy, unused, draining, …"""

    address: str
    port: Optional[int]
    state: str
    reason: str
    description: str

    def __str__(self) -> str:
        why = ": ".join(part for part in (self.reason, self.description) if part)
        return f"{self.address}:{self.port} is {self.state}" + (f" ({why})" if why else "")


class Deployment:
    """One deployment of one service, looked at through AWS's APIs.

    Every method raises CannotLook (or aws.AwsCallFailed, which is one) when it could not find out.
    """

    def __init__(self, deployment_id: str, cluster: str, service: str) -> None:
        self.id = deployment_id
        self.cluster = cluster
        self.service_name = service
        self.in_vpc: Optional[bool] = None  # whether this function runs in a VPC; None: not known
        self._kept: dict[str, tuple[Any, CannotLook | None]] = {}

    def once(self, key: str, read: Callable[[], T]) -> T:
        """Read once in this invocation, and keep a failure to read too: ten checks need not wait ten times for it."""
        if key not in self._kept:
            try:
                self._kept[key] = (read(), None)
            except CannotLook as problem:
                if problem.transient:
                    raise
                self._kept[key] = (None, problem)
        value, failure = self._kept[key]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]  # whatever `read` returned under this key

    # What CodeDeploy knows

    @property
    def info(self) -> Mapping[str, Any]:
        """GetDeployment's answer."""
        return self.once("info", self._read_info)

    def _read_info(self) -> Mapping[str, Any]:
        info = aws.call("codedeploy", "get_deployment", deploymentId=self.id).get("deploymentInfo") or {}
        if not info.get("applicationName") or not info.get("deploymentGroupName"):
            raise CannotLook(f"CodeDeploy names no application and deployment group for {self.id}")
        return info

    @property
    def group(self) -> Mapping[str, Any]:
        """GetDeploymentGroup's answer."""
        return self.once("group", self._read_group)

    def _read_group(self) -> Mapping[str, Any]:
        answer = aws.call(
            "codedeploy",
            "get_deployment_group",
            applicationName=self.info["applicationName"],
            deploymentGroupName=self.info["deploymentGroupName"],
        )
        return answer.get("deploymentGroupInfo") or {}

    @property
    def is_rollback(self) -> bool:
        """Whether CodeDeploy made this deployment to undo another one."""
        return self.info.get("creator") in ("codeDeployRollback", "CloudFormationRollback")

    @property
    def triggering_deployment(self) -> str:
        """On a rollback deployment, the id of the one it undoes; else empty."""
        return str((self.info.get("rollbackInfo") or {}).get("rollbackTriggeringDeploymentId") or "")

    @property
    def alarm_names(self) -> list[str]:
        """The alarms of the deployment group, or those given for this one deployment; none if switched off."""
        configuration = self.info.get("overrideAlarmConfiguration") or self.group.get("alarmConfiguration") or {}
        if not configuration.get("enabled"):
            return []
        names = [str(alarm.get("name") or "") for alarm in configuration.get("alarms") or []]
        if not all(names):
            raise CannotLook(f"CodeDeploy does not name an alarm of {self.info['deploymentGroupName']}")
        return names

    def deploys(self) -> list[str]:
        """The services the deployment group deploys, as cluster/service."""
        return [
            "/".join(str(entry.get(key, "")).rpartition("/")[2] for key in ("clusterName", "serviceName"))
            for entry in self.group.get("ecsServices") or []
        ]

    @property
    def shift_began(self) -> datetime | None:
        """When production traffic began to move to green (event AllowTraffic); None where CodeDeploy does not say."""
        return self.once("shift", self._read_shift)

    def _read_shift(self) -> datetime | None:
        target = f"{self.cluster}:{self.service_name}"
        answer = aws.call("codedeploy", "get_deployment_target", deploymentId=self.id, targetId=target)
        events = ((answer.get("deploymentTarget") or {}).get("ecsTarget") or {}).get("lifecycleEvents") or []
        return next((e.get("startTime") for e in events if e.get("lifecycleEventName") == "AllowTraffic"), None)

    @property
    def appspec(self) -> AppSpec:
        """The deployment's AppSpec, from CodeDeploy or from S3 (which needs s3:GetObject)."""
        return self.once("appspec", lambda: parse_appspec(self._appspec_text()))

    def _appspec_text(self) -> str:
        revision = self.info.get("revision") or {}
        kind = revision.get("revisionType")
        if kind == "S3":
            place = revision.get("s3Location") or {}
            where = {"Bucket": place.get("bucket"), "Key": place.get("key"), "VersionId": place.get("version")}
            answer = aws.call("s3", "get_object", **{key: value for key, value in where.items() if value})
            return aws.read(answer["Body"], "s3", "get_object", 1_000_000).decode("utf-8", errors="replace")
        # GetDeployment gives the digest only; its content is always null there.
        field = {"AppSpecContent": "appSpecContent", "String": "string"}.get(str(kind))
        if field is None:
            raise CannotLook(f"the revision of {self.id} is of type {kind}, which no ECS deployment uses")
        answer = aws.call(
            "codedeploy",
            "get_application_revision",
            applicationName=self.info["applicationName"],
            revision={"revisionType": kind, field: {"sha256": (revision.get(field) or {}).get("sha256", "")}},
        )
        content = ((answer.get("revision") or {}).get(field) or {}).get("content")
        if not content:
            raise CannotLook(f"CodeDeploy returned no content for the AppSpec of {self.id}")
        return str(content)

    def function(self, name: str) -> Mapping[str, Any]:
        """GetFunctionConfiguration's answer for a hook's function, by name or ARN; raises Absent if there is none."""
        return self.once(f"function {name}", functools.partial(self._read_function, name))

    def _read_function(self, name: str) -> Mapping[str, Any]:
        region = name.split(":")[3] if name.startswith("arn:") else None
        try:
            return aws.call("lambda", "get_function_configuration", region=region, FunctionName=name)
        except aws.AwsCallFailed as problem:
            if problem.code == "ResourceNotFoundException":
                said = f"function {name}, which the AppSpec's Hooks name, does not exist"
                raise Absent(f"{said}: put the module's output appspec_hooks there") from problem
            raise

    # What ECS and ECR know

    @property
    def cluster_info(self) -> Mapping[str, Any]:
        """The cluster's entry in DescribeClusters' answer; raises Absent if there is none."""
        return self.once("cluster", self._read_cluster)

    def _read_cluster(self) -> Mapping[str, Any]:
        found = aws.call("ecs", "describe_clusters", clusters=[self.cluster]).get("clusters") or []
        if not found:  # a miss is no exception, as with services
            raise Absent(f"cluster {self.cluster} does not exist: check ecs_cluster_name")
        return found[0]  # type: ignore[no-any-return]  # one was asked for

    def service(self) -> Service:
        """The service as it is now."""
        answer = aws.call("ecs", "describe_services", cluster=self.cluster, services=[self.service_name])
        found = answer.get("services") or []
        if not found:
            # A miss is no exception: it comes back in `failures`.
            reasons = ", ".join(str(failure.get("reason")) for failure in answer.get("failures") or [])
            raise Absent(
                f"service {self.service_name} is not in cluster {self.cluster} ({reasons or 'no reason given'}): "
                "check ecs_cluster_name and ecs_service_name"
            )
        entry = found[0]
        return Service(
            arn=str(entry.get("serviceArn", "")),
            name=str(entry.get("serviceName", "")),
            status=str(entry.get("status", "")),
            controller=str((entry.get("deploymentController") or {}).get("type", "ECS")),
            desired=int(entry.get("desiredCount", 0)),
            running=int(entry.get("runningCount", 0)),
            pending=int(entry.get("pendingCount", 0)),
            task_sets=tuple(TaskSet.of(task_set) for task_set in entry.get("taskSets") or []),
            events=tuple(str(event.get("message", "")) for event in entry.get("events") or []),
            placement=_placement(entry),
        )

    def green(self, service: Service | None = None) -> TaskSet:
        """Find the task set this deployment made: its `externalId` is the deployment's id.

        A rollback deployment makes none; there it is the one set left that is not the undone deployment's.
        Raises NoGreen while there is none.
        """
        task_sets = (service or self.service()).task_sets
        made = [task_set for task_set in task_sets if task_set.external_id == self.id]
        if not made and self.is_rollback:
            made = [t for t in task_sets if t.in_use and t.external_id != self.triggering_deployment]
        if len(made) != 1:
            listed = ", ".join(f"{t.id} {t.status} of {t.external_id or 'the service'}" for t in task_sets) or "none"
            raise NoGreen(f"service {self.service_name} has no task set of deployment {self.id} (it has: {listed})")
        return made[0]

    def placement_to_come(self, service: Service) -> Mapping[str, Any]:
        """Where green's tasks will run: as the serving ones do, but for what the AppSpec says."""
        placement = dict((service.primary or service).placement)
        if "capacityProviderStrategy" in self.appspec.placement:
            placement.pop("launchType", None)
        return {**placement, **self.appspec.placement}

    def task_definition(self, name: str) -> Mapping[str, Any]:
        """DescribeTaskDefinition's answer for an ARN or family:revision."""
        return self.once(f"task definition {name}", lambda: self._read_task_definition(name))

    def _read_task_definition(self, name: str) -> Mapping[str, Any]:
        try:
            answer = aws.call("ecs", "describe_task_definition", taskDefinition=name)
        except aws.AwsCallFailed as problem:
            if problem.code == "ClientException":  # ECS's word for "there is none"
                said = f"task definition {name} does not exist: register it, or mend the AppSpec"
                raise Absent(said) from problem
            raise
        found: Mapping[str, Any] = answer.get("taskDefinition") or {}
        containers = found.get("containerDefinitions") or []
        if not containers or not all(each.get("name") and each.get("image") for each in containers):
            raise CannotLook(f"ECS does not say which containers task definition {name} has, and their images")
        return found

    # What the load balancer knows

    @cached_property
    def _pair(self) -> Mapping[str, Any]:
        for source in (self.info, self.group):
            pairs = (source.get("loadBalancerInfo") or {}).get("targetGroupPairInfoList") or []
            if pairs:
                return pairs[0]  # type: ignore[no-any-return]  # ECS deployments have exactly one pair
        raise CannotLook(f"deployment group {self.info['deploymentGroupName']} has no target group pair")

    @property
    def target_groups(self) -> list[TargetGroup]:
        """The pair between which the traffic shifts."""
        return self.once("target groups", self._read_target_groups)

    def _read_target_groups(self) -> list[TargetGroup]:
        names = [str(entry["name"]) for entry in self._pair.get("targetGroups") or [] if entry.get("name")]
        if not names:  # asked for no name, the load balancer would answer with every group of the account
            raise CannotLook(f"deployment group {self.info['deploymentGroupName']} names no target group")
        try:
            answer = aws.call("elbv2", "describe_target_groups", Names=names)
        except aws.AwsCallFailed as problem:
            if "TargetGroupNotFound" in problem.code:  # the answer does not say which
                said = f"not all of target groups {', '.join(names)} exist: mend the deployment group"
                raise Absent(said) from problem
            raise
        found = [_target_group(entry) for entry in answer.get("TargetGroups") or []]
        missing = ", ".join(sorted(set(names) - {group.name for group in found}))
        if missing:  # of none, each check of all of them would hold
            raise CannotLook(f"Elastic Load Balancing answered nothing of target group {missing}")
        return found

    def target_group_of(self, task_set: TaskSet) -> TargetGroup:
        """The one of the pair in which this task set's tasks are registered."""
        for target_group in self.target_groups:
            if target_group.arn in task_set.target_groups:
                return target_group
        raise CannotLook(
            f"task set {task_set.id} is registered in none of the deployment group's target groups "
            f"{', '.join(target_group.name for target_group in self.target_groups)}"
        )

    def other_target_group(self, target_group: TargetGroup) -> TargetGroup:
        """The other one of the pair."""
        others = [other for other in self.target_groups if other.arn != target_group.arn]
        if len(others) != 1:
            raise CannotLook(f"the deployment group has {len(self.target_groups)} target groups, expected 2")
        return others[0]

    def targets(self, target_group: TargetGroup) -> list[Target]:
        """The targets of a target group and their health, now."""
        answer = aws.call("elbv2", "describe_target_health", TargetGroupArn=target_group.arn)
        found = []
        for entry in answer.get("TargetHealthDescriptions") or []:
            target, health = entry.get("Target") or {}, entry.get("TargetHealth") or {}
            found.append(
                Target(
                    address=str(target.get("Id", "")),
                    port=target.get("Port"),
                    state=str(health.get("State", "unknown")),
                    reason=str(health.get("Reason") or ""),
                    description=str(health.get("Description") or ""),
                )
            )
        return found

    def production_listener(self) -> Listener:
        """The listener of the production route, with its weights now."""
        return self._listener("prodTrafficRoute", "production")

    def test_listener(self) -> Listener | None:
        """The listener of the test route, with its weights now; None if the deployment group has none."""
        if not (self._pair.get("testTrafficRoute") or {}).get("listenerArns"):
            return None
        return self._listener("testTrafficRoute", "test")

    def _listener(self, route: str, word: str) -> Listener:
        arns = (self._pair.get(route) or {}).get("listenerArns") or []
        if not arns:
            raise Absent(f"the deployment group has no {word} listener ({route}.listenerArns is empty)")
        try:
            found = aws.call("elbv2", "describe_listeners", ListenerArns=[arns[0]]).get("Listeners") or []
        except aws.AwsCallFailed as problem:
            if problem.code == "ListenerNotFound":
                raise Absent(f"{word} listener {arns[0]} does not exist: mend the deployment group") from problem
            raise
        if not found:
            raise CannotLook(f"Elastic Load Balancing answered nothing for {word} listener {arns[0]}")
        return self._listener_of({**found[0], "ListenerArn": str(arns[0])})

    def _listener_of(self, entry: Mapping[str, Any]) -> Listener:
        if not entry.get("ListenerArn"):
            raise CannotLook("Elastic Load Balancing does not say the ARN of a listener")
        arn = str(entry["ListenerArn"])
        return Listener(
            arn=arn,
            load_balancer_arn=str(entry.get("LoadBalancerArn", "")),
            protocol=str(entry.get("Protocol", "")),
            port=int(entry.get("Port", 0)),
            default=_weights(entry.get("DefaultActions") or []),
            pair=frozenset(group.arn for group in self.target_groups),
            read_rules=lambda: _read_rules(arn),
            logs_in=_logs_in(entry.get("DefaultActions") or []),
            wants_certificate=(entry.get("MutualAuthentication") or {}).get("Mode") == "verify",
        )

    def other_doors(self) -> list[Door]:
        """The listeners and rules that lead to the pair, now, beside the listeners of the deployment group.

        Of the load balancers of both target groups and of the production listener.
        """
        routes = [self._pair.get(route) or {} for route in ("prodTrafficRoute", "testTrafficRoute")]
        known = [str(arn) for route in routes for arn in route.get("listenerArns") or []]
        # arn:…:listener/app/<name>/<id>/<id of the listener>
        balancers = [arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0] for arn in known[:1]]
        balancers += [arn for group in self.target_groups for arn in group.load_balancers]
        doors: list[Door] = []
        seen: set[str] = set()
        for balancer in dict.fromkeys(balancers):
            for entry in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer):
                listener = self._listener_of(entry)
                seen.add(listener.arn)
                if listener.arn not in known:
                    doors += self._doors_of(listener, balancer != balancers[0])
        if not seen.issuperset(known[:1]):  # no answer, or not of all there is
            raise CannotLook(
                f"elasticloadbalancing:DescribeListeners does not list listener {known[0]}: does it exist?"
            )
        return doors

    def _doors_of(self, listener: Listener, elsewhere: bool) -> list[Door]:
        name = f"listener on port {listener.port} ({listener.protocol})"
        name += f" of load balancer {listener.load_balancer_arn.split('/')[-2]}" if elsewhere else ""
        ways = [(name, listener.default)]
        ways += [(f"rule {rule.priority} ({rule.where}) of the {name}", rule.weights) for rule in listener.rules]
        return [
            Door(f"{who} leads to {self._in_words(weights)}", weights, elsewhere)
            for who, weights in ways
            if any(weight and arn in listener.pair for arn, weight in weights.items())
        ]

    def doors_left(self, target_group: TargetGroup) -> list[Door]:
        """Of the other doors those that lead to the pair, and not to this target group of it alone."""
        left = {group.arn for group in self.target_groups} - {target_group.arn}
        return [door for door in self.other_doors() if any(door.weights.get(arn) for arn in left)]

    def why_no_other_doors(self, doors: Sequence[Door]) -> str:
        """What these other doors do to customers, and the cure, in words."""
        listener = self.production_listener()
        why = (
            f"CodeDeploy moves only the production listener (port {listener.port}), so whoever comes in there stays on "
            "blue, and gets 503 when it is gone"
        )
        if any(door.elsewhere for door in doors):
            name = listener.load_balancer_arn.split("/")[-2]
            return (
                f"{why}; let the names of that load balancer lead to {name}, the production listener's, and remove it"
            )
        if listener.protocol not in ("HTTP", "HTTPS"):
            return f"{why}; remove that listener"
        redirect = f'port = "{listener.port}" protocol = "{listener.protocol}" status_code = "HTTP_301"'
        hcl = f'type = "redirect" and redirect {{ {redirect} }}, each on a line of its own'
        return f"{why}; redirect it to the production listener (in Terraform, its action has {hcl}), or remove it"

    def weights_in_words(self, source: Listener | Rule) -> str:
        """Where a listener or a rule leads, by the names people know."""
        return self._in_words(source.weights)

    def _in_words(self, weights: Mapping[str, int]) -> str:
        names = {group.arn: group.name for group in self.target_groups}
        return (
            ", ".join(f"{names.get(arn, arn.split('/')[-2])} {weight}" for arn, weight in weights.items())
            or "no target group"
        )

    def load_balancer(self, listener: Listener) -> LoadBalancer:
        """The load balancer a listener belongs to."""
        return self.once(listener.load_balancer_arn, lambda: self._read_load_balancer(listener))

    def _read_load_balancer(self, listener: Listener) -> LoadBalancer:
        answer = aws.call("elbv2", "describe_load_balancers", LoadBalancerArns=[listener.load_balancer_arn])
        found = answer.get("LoadBalancers") or []
        if not found:
            raise CannotLook(f"load balancer {listener.load_balancer_arn} does not exist")
        entry = found[0]
        return LoadBalancer(
            arn=str(entry.get("LoadBalancerArn", "")),
            dns_name=str(entry.get("DNSName", "")),
            kind=str(entry.get("Type", "")),
            state=str((entry.get("State") or {}).get("Code", "unknown")),
            zones=tuple(str(zone.get("ZoneName")) for zone in entry.get("AvailabilityZones") or []),
            subnets=tuple(str(zone.get("SubnetId")) for zone in entry.get("AvailabilityZones") or []),
            security_groups=tuple(map(str, entry.get("SecurityGroups") or [])),
            scheme=str(entry.get("Scheme") or ""),
        )


class NoGreen(CannotLook):
    """There is no green task set (yet): what ECS shows may lag behind CodeDeploy, so a look may be repeated."""

    transient = True


def _placement(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where tasks run, in the parameters of RunTask. ECS takes a strategy or a launch type, never both."""
    placement: dict[str, Any] = {}
    if answer.get("capacityProviderStrategy"):
        placement["capacityProviderStrategy"] = answer["capacityProviderStrategy"]
    elif answer.get("launchType"):
        placement["launchType"] = answer["launchType"]
    if answer.get("platformVersion"):
        placement["platformVersion"] = answer["platformVersion"]
    if answer.get("networkConfiguration"):
        placement["networkConfiguration"] = answer["networkConfiguration"]
    return placement


def _target_groups(answer: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(entry["targetGroupArn"]) for entry in answer.get("loadBalancers") or [] if "targetGroupArn" in entry
    )


def _target_group(entry: Mapping[str, Any]) -> TargetGroup:
    matcher = entry.get("Matcher") or {}
    return TargetGroup(
        arn=str(entry.get("TargetGroupArn", "")),
        name=str(entry.get("TargetGroupName", "")),
        protocol=str(entry.get("Protocol", "")),
        protocol_version=str(entry.get("ProtocolVersion") or ""),
        port=entry.get("Port"),
        target_type=str(entry.get("TargetType", "")),
        vpc_id=str(entry.get("VpcId", "")),
        health_protocol=str(entry.get("HealthCheckProtocol") or "not said"),
        health_port=str(entry.get("HealthCheckPort") or "traffic-port"),
        health_path=str(entry.get("HealthCheckPath") or "/"),
        matcher=str(matcher.get("HttpCode") or matcher.get("GrpcCode") or "200"),
        load_balancers=tuple(map(str, entry.get("LoadBalancerArns") or [])),
    )


def _weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Target group → weight. With several groups the action has no TargetGroupArn; with one, it may have no weight."""
    weights: dict[str, int] = {}
    for action in actions:
        if action.get("Type") != "forward":
            continue
        entries = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        for entry in entries:
            if not entry.get("TargetGroupArn"):
                raise CannotLook("Elastic Load Balancing does not say to which target group an action forwards")
            if "Weight" not in entry and len(entries) > 1:
                raise CannotLook(f"Elastic Load Balancing does not say which weight {entry['TargetGroupArn']} has")
            weights[str(entry["TargetGroupArn"])] = int(entry.get("Weight", 1))
        if action.get("TargetGroupArn") and not weights:
            weights[str(action["TargetGroupArn"])] = 1
    return weights


def _read_rules(listener_arn: str) -> list[Rule]:
    """A listener's rules without the default one, by their priority."""
    entries = list(aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn))
    if not entries:  # each listener has a default one
        raise CannotLook(f"elasticloadbalancing:DescribeRules answered no rule for listener {listener_arn}")
    for entry in entries:
        if "IsDefault" not in entry:
            raise CannotLook(f"Elastic Load Balancing does not say which rule of {listener_arn} is the default one")
        if not entry["IsDefault"] and not str(entry.get("Priority", "")).isdecimal():
            raise CannotLook(f"Elastic Load Balancing does not say which priority a rule of {listener_arn} has")
    own = [entry for entry in entries if not entry["IsDefault"]]
    return [_rule(entry) for entry in sorted(own, key=lambda entry: int(entry["Priority"]))]


def _rule(entry: Mapping[str, Any]) -> Rule:
    priority, conditions = str(entry["Priority"]), entry.get("Conditions") or []
    if not conditions or not all(
        each.get("Field") and _values_of(each, "Values", "RegexValues") for each in conditions
    ):
        raise CannotLook(f"Elastic Load Balancing does not say which requests rule {priority} takes")
    if not all(action.get("Type") for action in entry.get("Actions") or [{}]):
        raise CannotLook(f"Elastic Load Balancing does not say what rule {priority} does")
    patterns = {str(each["Field"]): _values_of(each, "Values") for each in conditions}
    if "GET" in patterns.get("http-request-method", ()):
        del patterns["http-request-method"]
    return Rule(
        priority=priority,
        where="; ".join(map(_condition_in_words, conditions)),
        weights=_weights(entry.get("Actions") or []),
        hosts=patterns.get("host-header", ()),
        paths=patterns.get("path-pattern", ()),
        asks_more=bool({"http-header", "query-string"} & patterns.keys()),
        asks_only_these=patterns.keys() <= {"host-header", "path-pattern"} and all(patterns.values()),
        redirects=any(action.get("Type") == "redirect" for action in entry.get("Actions") or []),
        logs_in=_logs_in(entry.get("Actions") or []),
    )


def _logs_in(actions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an action asks for a login (OIDC, Cognito) or a token before the request goes on."""
    return any(str(action.get("Type")).startswith(("authenticate-", "jwt-")) for action in actions)


def _condition_in_words(condition: Mapping[str, Any]) -> str:
    header = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName")
    if header:  # its value is often the secret by which a CDN shows who it is
        return f"{condition['Field']} {header}: ***"
    return f"{condition['Field']} {', '.join(_values_of(condition, 'Values', 'RegexValues'))}"


_CONFIGS = (
    "HostHeaderConfig",
    "PathPatternConfig",
    "HttpHeaderConfig",
    "QueryStringConfig",
    "HttpRequestMethodConfig",
    "SourceIpConfig",
)


def _values_of(condition: Mapping[str, Any], *members: str) -> tuple[str, ...]:
    """The values of a rule's condition, each once: ELB may say them twice. One of a query may be `key=value`."""
    places = [condition, *(condition.get(name) or {} for name in _CONFIGS)]
    values = [value for place in places for member in members for value in place.get(member) or []]
    words = (
        "=".join(str(value[key]) for key in ("Key", "Value") if value.get(key)) if isinstance(value, Mapping) else value
        for value in values
    )
    return tuple(dict.fromkeys(map(str, words)))


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern of a rule has it: `*` is any characters, also none, `?` one."""
    parts = ({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
