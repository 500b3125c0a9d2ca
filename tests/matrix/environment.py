"""An environment that a plan describes, on the stand-in, and one deployment of it through all five hooks.

A plan says what is otherwise than on the stage of the handlers' tests; `Environment` builds it and plays what AWS does:
CodeDeploy's shift by default action and rules, the load balancer's routing of the hooks' requests, and its figures in
CloudWatch, minute by minute and a minute late, the hooks' own requests among them.
"""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from gate.options.hooks import HOOKS
from gate.settings import schema_of
from moto.cloudwatch.models import cloudwatch_backends

from rehearsal.aws import codedeploy
from rehearsal.own import is_own
from rehearsal.testing.stage import ACCOUNT, CLUSTER, CONTAINER, HANDLERS, SERVICE, Clock, Judge, Judgement, Stage
from rehearsal.testing.web import Request, Response, Site

CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
TLS = ("HTTPS", "TLS")
Step = Callable[["Environment"], object]
Answer = Callable[["Environment", Request], "Response | None"]


@dataclass
class Figures:
    """What customers do to one side in a minute: how many requests, how fast each is answered, how many by 5xx."""

    requests: int = 300
    seconds: tuple[float, ...] = (0.02, 0.03, 0.05)
    errors: int = 0


def answers_well(_environment: Environment, _request: Request) -> Response:
    """What green answers by default."""
    return Response()


@dataclass
class Plan:
    """What an environment is like. Mappings are added to what the stage's own has."""

    balancer: dict[str, Any] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)  # of both target groups
    blue_group: dict[str, Any] = field(default_factory=dict)  # of the first one alone
    protocol: str = "HTTP"  # of the listeners
    test_protocol: str = ""  # of the test listener, where it has another
    ports: tuple[int, int] = (80, 8080)  # of the production and the test listener
    rules: list[dict[str, list[str]]] = field(default_factory=list)  # conditions; with any the default is a fixed 404
    before: list[dict[str, Any]] = field(default_factory=list)  # actions before each forward
    port: int = 8000  # of the container
    container: dict[str, Any] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    sidecars: list[dict[str, Any]] = field(default_factory=list)
    service: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    appspec: dict[str, Any] = field(default_factory=dict)
    revision: Callable[[Environment, dict[str, Any]], Any] = lambda _environment, appspec: json.dumps(appspec)
    deployment: dict[str, Any] = field(default_factory=dict)  # parameters of CreateDeployment
    test_listener: bool = True
    in_vpc: bool = False
    left_out: str = ""  # an event whose hook is left out of the AppSpec
    deployments_before: int = 0
    shift_takes: int = 0  # minutes: a canary, or a linear shift
    options: dict[str, dict[str, Any]] = field(default_factory=dict)  # by event: what the user has set
    prepare: list[Step] = field(default_factory=list)  # when all stands, and no deployment has begun
    when: dict[str, list[Step]] = field(default_factory=dict)  # by event: just before its hook is called
    answer: Answer = answers_well
    blue: Figures = field(default_factory=Figures)
    green: Figures = field(default_factory=Figures)
    by_ecs: bool = False  # deploys itself
    notes: dict[str, set[str]] = field(default_factory=dict)  # by event: words of notes that are in their place

    def at(self, event: str, *steps: Step) -> None:
        """Let something happen just before a hook is called."""
        self.when.setdefault(event, []).extend(steps)

    def note(self, words: str, *events: str) -> None:
        """Let notes that have these words be said by these hooks; by default the first, and both that ask."""
        for event in events or ("BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic"):
            self.notes.setdefault(event, set()).add(words)


class Environment(Stage):
    """The stage, as a plan has it."""

    def __init__(self, clock: Clock, plan: Plan) -> None:
        self.plan = plan
        self.now: Callable[[], datetime]
        self.registered: dict[str, dict[str, Any]] = {}  # task definitions by ARN, as they were given
        self.answered: list[tuple[float, bool]] = []  # seconds, and whether it was an error: of the hooks' requests
        super().__init__(clock)
        self.create_hooks(all_of_them=plan.by_ecs)
        if plan.in_vpc:
            self._put_the_functions_inside()
        if plan.left_out:
            del self.hooks[plan.left_out]
        if not plan.test_listener:
            self.update_group(loadBalancerInfo=self.pair(None))
            self.elbv2.delete_listener(ListenerArn=self.test_listener)
            self.test_listener = ""
        for step in plan.prepare:
            step(self)
        for _ in range(plan.deployments_before):
            self._deploy_unjudged()

    # What the stage builds, as the plan has it.

    def _load_balancer(self) -> None:
        network = self.plan.balancer.get("Type") == "network"
        described = {"Name": "shop", "Subnets": self.subnets, "Type": "application", **self.plan.balancer}
        if not network and "SecurityGroups" not in described:
            front = self.ec2.create_security_group(GroupName="front", Description="front", VpcId=self.vpc)["GroupId"]
            anybody = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            self.ec2.authorize_security_group_ingress(GroupId=front, IpPermissions=[anybody])
            described["SecurityGroups"] = [front]
        balancer = self.elbv2.create_load_balancer(**described)["LoadBalancers"][0]
        self.load_balancer, self.dns_name = balancer["LoadBalancerArn"], str(balancer["DNSName"])
        self.blue_group = self.create_target_group("shop-blue", **self.plan.blue_group)
        self.green_group = self.create_target_group("shop-green")
        self.production_listener, self.test_listener = (self.create_listener(port) for port in self.plan.ports)

    def create_target_group(self, name: str, **changes: Any) -> str:
        """Create a target group as the plan has them; its ARN."""
        described = {"Port": self.plan.port, **self.plan.group, **changes}
        if described.get("Protocol") not in (None, "HTTP", "HTTPS") and "HealthCheckPath" not in described:
            described |= {"HealthCheckPath": None, "Matcher": None}
        if (described.get("Matcher") or {}).get("GrpcCode"):
            described.setdefault("HealthCheckPath", "/grpc.health.v1.Health/Check")
        whole = {
            "Protocol": "HTTP",
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "Matcher": {"HttpCode": "200-299"},
            **described,
        }
        given = {key: value for key, value in whole.items() if value is not None}
        return str(self.elbv2.create_target_group(Name=name, **given)["TargetGroups"][0]["TargetGroupArn"])

    def create_listener(self, port: int) -> str:
        """Create a listener that forwards to blue, by default or by the plan's rules; its ARN."""
        plan = self.plan
        protocol = (port == plan.ports[1] and plan.test_protocol) or plan.protocol
        actions = [*plan.before, self.forward(self.blue_group)]
        created = self.elbv2.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol=protocol,
            Port=port,
            DefaultActions=[FIXED] if plan.rules else actions,
            **({"Certificates": [{"CertificateArn": self._certificate}]} if protocol in TLS else {}),
        )
        listener = str(created["Listeners"][0]["ListenerArn"])
        for number, conditions in enumerate(plan.rules, 10):
            self.create_rule(listener, number, conditions, actions)
        return listener

    @functools.cached_property
    def _certificate(self) -> str:
        return str(boto3.client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"])

    def create_rule(
        self, listener: str, priority: int, conditions: Mapping[str, list[str]], actions: list[dict[str, Any]]
    ) -> None:
        """A rule of a listener."""
        self.elbv2.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": field, CONFIGS[field]: {"Values": values}} for field, values in conditions.items()],
            Actions=actions,
        )

    @property
    def listeners(self) -> list[str]:
        """The production listener, and the test listener if there is one."""
        return [self.production_listener, *([self.test_listener] if self.plan.test_listener else [])]

    @staticmethod
    def forward(group: str) -> dict[str, Any]:
        """The action that forwards to a target group, after all others."""
        return {"Type": "forward", "Order": 50000, "TargetGroupArn": group}

    def container(self, **changes: Any) -> dict[str, Any]:
        """The application's container as the plan has it; what is None there is not stated."""
        described = super().container(
            **{"portMappings": [{"containerPort": self.plan.port}], **self.plan.container, **changes}
        )
        return {key: value for key, value in described.items() if value is not None}

    def register(self, sidecars: Any = (), definition: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Register a task definition as the plan has it; its ARN."""
        if not hasattr(self, "service_stands"):  # the stage's own two definitions differ in their image
            changes = {**changes, **self.plan.container}
        described = {
            "family": "shop",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.execution_role,
            "taskRoleArn": self.task_role,
            "containerDefinitions": [self.container(**changes), *self.plan.sidecars, *sidecars],
            **self.plan.definition,
            **(definition or {}),
        }
        given = {key: value for key, value in described.items() if value is not None}
        arn = str(self.ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"])
        self.registered[arn] = given
        return arn

    def create_service(self, **changes: Any) -> None:
        """Create the service as the plan has it, and what capacity its cluster has."""
        if self.plan.cluster:
            self.ecs.put_cluster_capacity_providers(cluster=CLUSTER, **self.plan.cluster)
        super().create_service(**{**self.plan.service, **changes})
        self.service_stands = True

    def balanced(self, target_group: str) -> dict[str, Any]:
        """An entry of `loadBalancers`, with the plan's port."""
        return {"targetGroupArn": target_group, "containerName": CONTAINER, "containerPort": self.plan.port}

    def _put_the_functions_inside(self) -> None:
        own = self.ec2.create_security_group(GroupName="hooks", Description="hooks", VpcId=self.vpc)["GroupId"]
        to_tasks = {"IpProtocol": "tcp", "FromPort": self.plan.port, "ToPort": self.plan.port}
        self.ec2.authorize_security_group_ingress(
            GroupId=self.security_group, IpPermissions=[{**to_tasks, "UserIdGroupPairs": [{"GroupId": own}]}]
        )
        for event in list(self.hooks)[1:]:
            self.functions.update_function_configuration(
                FunctionName=self.hooks[event], VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [own]}
            )

    # What CodeDeploy does.

    def appspec(self, **changes: Any) -> dict[str, Any]:
        """The AppSpec as the plan has it."""
        container = {"ContainerName": CONTAINER, "ContainerPort": self.plan.port}
        return super().appspec(**{"LoadBalancerInfo": container, **self.plan.appspec, **changes})

    def begin(self) -> None:
        """Create the deployment that is judged."""
        revision = self.plan.revision(self, self.appspec())
        if isinstance(revision, str):
            revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": revision}}
        created = self.codedeploy.create_deployment(
            applicationName="shop", deploymentGroupName="shop", revision=revision, **self.plan.deployment
        )
        self.deployment = codedeploy.find(created["deploymentId"])

    def reach(self, wanted: str, *, is_judged: bool = True) -> dict[str, str]:
        """Play the deployment to an event of a hook; what that hook is called with."""
        for name in codedeploy.EVENTS:
            if self.deployment.event(name).status == "Succeeded":
                continue
            self._execution_id = self.deployment.begin(name)
            for step in self.plan.when.get(name, []) if is_judged else ():
                step(self)
            if name == wanted:
                break
            self._do(name)
            self.deployment.finish(name, "Succeeded")
        self.calls.clear()
        return {"DeploymentId": self.deployment.deployment_id, "LifecycleEventHookExecutionId": self._execution_id}

    def _do(self, event: str) -> None:
        if event == "Install":
            strategy = self.plan.appspec.get("CapacityProviderStrategy")
            placement = {
                "launchType": None if strategy else self.plan.service.get("launchType", "FARGATE"),
                "capacityProviderStrategy": strategy
                and [{key[:1].lower() + key[1:]: value for key, value in each.items()} for each in strategy],
            }
            placement = {key: value for key, value in placement.items() if value is not None}
            self.green_set = self.create_task_set(self.deployment.deployment_id, **placement)
        if event == "AllowTestTraffic" and self.plan.test_listener:
            self.shift(self.test_listener)
        if event == "AllowTraffic":
            self.shift(self.production_listener)
            self.clock.sleep(60 * self.plan.shift_takes)
            self.ecs.update_service_primary_task_set(cluster=CLUSTER, service=SERVICE, primaryTaskSet=self.green_set)

    def shift(self, listener: str) -> None:
        """Lead a listener to green: its default action, and each rule of the pair."""
        rules = self.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        weighted = listener == self.production_listener and ":listener/app/" in listener
        groups = [{"TargetGroupArn": self.blue_group, "Weight": 0}] if weighted else []
        target = {"ForwardConfig": {"TargetGroups": [*groups, {"TargetGroupArn": self.green_group, "Weight": 100}]}}
        for rule in rules:
            forward = rule["Actions"][-1]
            if not {self.blue_group, self.green_group} & set(_led_to(forward)):
                continue
            actions = [*self.plan.before, {"Type": "forward", "Order": 50000, **target}]
            if rule["IsDefault"]:
                self.elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)
            else:
                self.elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)

    def _deploy_unjudged(self) -> None:
        """A deployment before the one that is judged: green becomes blue, and what was blue drains."""
        sets = self.ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["taskSets"]
        old = next(each["id"] for each in sets if each["status"] == "PRIMARY")
        self.begin()
        self.reach("AfterAllowTraffic", is_judged=False)
        self.deployment.finish("AfterAllowTraffic", "Succeeded")
        self.deployment.set_status("Succeeded")
        self.ecs.delete_task_set(cluster=CLUSTER, service=SERVICE, taskSet=old, force=True)
        self.blue_group, self.green_group = self.green_group, self.blue_group
        given = self.registered[self.green_definition]
        again = str(self.ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"])
        self.registered[again] = given
        self.blue_definition, self.green_definition = self.green_definition, again

    # What customers do, and what is counted.

    def publish_blue(self, minutes: int = 30) -> None:
        """What the load balancer counted on blue before the shift."""
        for ago in range(minutes, 0, -1):
            self._count(self.blue_group, self.plan.blue, self.now() - timedelta(minutes=ago))

    def publish_green(self, minutes: int = 50) -> None:
        """Let the load balancer count on green in each minute from now on; CloudWatch has it a minute later."""
        del self.answered[:]
        for number in range(minutes):
            at = self.now() + timedelta(minutes=number)
            self.clock.after(60 * (number + 2), functools.partial(self._count_green, at))

    def _count_green(self, at: datetime) -> None:
        own, self.answered = self.answered, []
        self._count(self.green_group, self.plan.green, at, own)

    def _count(self, group: str, figures: Figures, at: datetime, own: list[tuple[float, bool]] | None = None) -> None:
        if self.plan.balancer.get("Type") == "network":
            return
        own = own or []
        requests, errors = figures.requests + len(own), figures.errors + sum(bad for _, bad in own)
        values: list[tuple[str, float]] = [("TargetResponseTime", max(seconds, 0.001)) for seconds, _ in own]
        values += [("RequestCount", requests)] if requests else []  # AWS publishes neither at 0
        values += [("HTTPCode_Target_5XX_Count", errors)] if errors else []
        values += [("UnHealthyHostCount", 0)]
        dimensions = [
            {"Name": "LoadBalancer", "Value": self.load_balancer.partition(":loadbalancer/")[2]},
            {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
        ]
        common = {"Dimensions": dimensions, "Timestamp": at.replace(tzinfo=None)}
        data = [{"MetricName": name, "Value": value, **common} for name, value in values]
        if figures.requests:
            data += [
                {"MetricName": "TargetResponseTime", "StatisticValues": _statistics(each, count), **common}
                for each, count in _spread(figures)
            ]
        cloudwatch_backends[ACCOUNT][self.region].put_metric_data("AWS/ApplicationELB", data)

    def answer_to(self, request: Request) -> Response | None:
        """What a request of a hook gets: from the load balancer, where no rule takes it, else from green."""
        host, _, port = request.host.partition(":")
        direct = port == str(self.plan.port) or host.startswith("10.")
        if self.plan.rules and not direct and not any(_takes(rule, host, request.path) for rule in self.plan.rules):
            return Response(404, "")
        began = self.clock.now
        response = self.plan.answer(self, request)
        self.answered.append((self.clock.now - began, response is None or response.status >= 500))
        return response


def _spread(figures: Figures) -> list[tuple[float, int]]:
    """How many of the requests take how many seconds: as many each, and the last the rest."""
    number = len(figures.seconds)
    each = figures.requests // number
    return list(zip(figures.seconds, [each] * (number - 1) + [figures.requests - each * (number - 1)], strict=True))


def _statistics(seconds: float, count: int) -> dict[str, float]:
    """Of so many equal values."""
    return {"SampleCount": count, "Sum": seconds * count, "Minimum": seconds, "Maximum": seconds}


def _led_to(action: Mapping[str, Any]) -> list[str]:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    return [group["TargetGroupArn"] for group in groups] or [str(action.get("TargetGroupArn"))]


def _takes(rule: Mapping[str, list[str]], host: str, path: str) -> bool:
    said = {"host-header": host, "path-pattern": path.partition("?")[0]}
    return all(any(fnmatchcase(said[field], pattern) for pattern in patterns) for field, patterns in rule.items())


class Play:
    """The five hooks of one deployment, as CodeDeploy calls them."""

    def __init__(self, environment: Environment, judge: Judge) -> None:
        self.environment = environment
        self.judge = judge
        self.judgements: dict[str, Judgement] = {}
        environment.begin()

    def reach(self, event: str) -> dict[str, Any]:
        """Play the deployment to this event; what its hook is called with."""
        return self.environment.reach(event)

    def hook(self, event: str) -> Judgement:
        """Play the deployment to this event, and call its hook; what it returns."""
        __tracebackhide__ = True
        if event == "AfterAllowTraffic":
            self.environment.publish_blue()
            self.environment.publish_green()
        called_with = self.reach(event)
        name = HANDLERS[event]
        kind = HOOKS[name]
        options = {**asdict(kind()), **self.environment.plan.options.get(event, {})}
        told = {"schema": schema_of(kind), "in_vpc": self.environment.plan.in_vpc}
        judgement = self.judge(__import__(name), called_with, **options, **told)
        self.judgements[event] = judgement
        return judgement

    @property
    def events(self) -> list[str]:
        """The events whose hooks are called: no handler of the user's own."""
        left_out = self.environment.plan.left_out
        return [event for event, hook in HANDLERS.items() if event != left_out and not is_own(hook)]


def complaints(play: Play) -> list[str]:
    """What is wrong with how healthy a deployment was found: failures, warnings, and notes that nobody expects."""
    found = []
    for event, judgement in play.judgements.items():
        allowed = play.environment.plan.notes.get(event, set())
        if not judgement.succeeded:
            found.append(f"{event}: FAILED: {judgement.message}")
            continue
        found += [
            f"{event}: warned: {check['name']}: {check['detail']}"
            for check in judgement["checks"]
            if check["severity"] == "warn" and check["outcome"] in ("failed", "error")
        ]
        if " warned" in judgement.message and not found:
            found.append(f"{event}: warned: {judgement.message}")
        noted = judgement.message.partition("; note: ")[2]
        if noted and not any(words in noted for words in allowed):
            found.append(f"{event}: note: {noted}")
    return found


def front(environment: Environment, site: Site, secure: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the load balancer's name and the tasks' addresses be the site; by TLS where that is spoken there."""
    known, plan = socket.getaddrinfo, environment.plan
    spoken = zip(plan.ports, (plan.protocol, plan.test_protocol or plan.protocol), strict=True)
    ports = {str(port) for port, protocol in spoken if protocol in TLS}
    ports |= {str(plan.port)} if plan.group.get("Protocol") in TLS else set()

    def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host == environment.dns_name or str(host).startswith(("10.0.", "2001:db8:")):
            to = secure if str(port) in ports else site
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", to.port))]
        return known(host, port, *arguments, **options)

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    site.answer = secure.answer = environment.answer_to
