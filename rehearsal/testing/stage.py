"""An environment on the stand-in, and a deployment of it brought to any of its lifecycle events.

`Stage` builds with boto3 what a blue/green deployment needs, then plays CodeDeploy's part. A test changes what it is
about (through the same boto3 clients, or in `stage.world`, where the tasks run) and calls the handler with the event:

    def test_green_is_unhealthy(stage):
        event = stage.at("AfterInstall")
        stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
        assert handler(event, None)["status"] == "FAILED"
        assert stage.report() == "Failed"
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
from botocore.exceptions import ClientError
from gate.options.hooks import HOOKS
from gate.settings import schema_of
from moto.ecs.models import ecs_backends

from rehearsal.aws import codedeploy
from rehearsal.aws.world import ScriptedWorld, use

ACCOUNT = "123456789012"  # moto's own
CLUSTER, SERVICE = "main", "shop"
CONTAINER, PORT = "app", 8000
HOOK_EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
HANDLERS = dict(zip(HOOK_EVENTS, HOOKS, strict=True))
ENVIRONMENT = {"APP_NAME": "shop", "ENVIRONMENT": "test", "ECS_CLUSTER": CLUSTER, "ECS_SERVICE": SERVICE}


class Clock:
    """Time that passes only while somebody sleeps; what is due by then happens on the way."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        """Seconds since the test began."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        until = self.now + seconds
        while self._due and min(self._due, key=lambda due: due[0])[0] <= until:
            entry = min(self._due, key=lambda due: due[0])
            self._due.remove(entry)
            self.now = max(self.now, entry[0])
            entry[1]()
        self.now = until

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Let something happen `seconds` from now."""
        self._due.append((self.now + seconds, do))


@dataclass(frozen=True)
class Call:
    """One AWS call of the handler."""

    name: str  # as IAM spells it for most services: `ecs:RunTask`
    parameters: Mapping[str, Any]
    at: float  # by the test's clock


class Stage:
    """An ECS service behind a load balancer, and the CodeDeploy deployment group that deploys it."""

    def __init__(self, clock: Clock) -> None:
        self._begin(clock)
        begun = set(vars(self))
        self._build()
        self._built = {name: value for name, value in vars(self).items() if name not in begun}

    @classmethod
    def like(cls, built: Stage, clock: Clock) -> Stage:
        """A stage of its own where AWS holds what it held when that one was built."""
        stage = cls.__new__(cls)
        stage._begin(clock)
        vars(stage).update(copy.deepcopy(built._built))
        world = {name: value for name, value in vars(built.world).items() if name != "clock"}
        vars(stage.world).update(copy.deepcopy(world))
        return stage

    def _begin(self, clock: Clock) -> None:
        self.clock = clock
        self.world = ScriptedWorld(clock.time)
        use(self.world)
        self.calls: list[Call] = []
        self.instead: dict[str, Callable[[Mapping[str, Any]], Any]] = {}
        self.around: Callable[[Call, Callable[[], Any]], Any] | None = None
        """Makes the handler's calls in the place of the stage; takes a call and what answers it."""
        self.deployment: codedeploy.Deployment
        self._execution_id = ""
        self.ec2: Any = boto3.client("ec2")
        self.elbv2: Any = boto3.client("elbv2")
        self.ecs: Any = boto3.client("ecs")
        self.ecr: Any = boto3.client("ecr")
        self.iam: Any = boto3.client("iam")
        self.secretsmanager: Any = boto3.client("secretsmanager")
        self.ssm: Any = boto3.client("ssm")
        self.logs: Any = boto3.client("logs")
        self.cloudwatch: Any = boto3.client("cloudwatch")
        self.codedeploy: Any = boto3.client("codedeploy")
        self.autoscaling: Any = boto3.client("application-autoscaling")
        self.functions: Any = boto3.client("lambda")
        self.hooks: dict[str, str] = {}
        self.region = str(self.ecs.meta.region_name)

    def _build(self) -> None:
        self._network()
        self._load_balancer()
        self._what_tasks_need()
        self.blue_definition = self.register(image=self.image("1"))
        self.green_definition = self.register(image=self.image("2"))
        self.ecs.create_cluster(clusterName=CLUSTER)
        self.create_service()
        self._deployment_group()

    # What an environment has.

    def _network(self) -> None:
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=self.region + zone
            )["Subnet"]["SubnetId"]
            for number, zone in ((1, "a"), (2, "b"))
        ]
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        self.security_group = groups["SecurityGroups"][0]["GroupId"]

    def _load_balancer(self) -> None:
        balancer = self.elbv2.create_load_balancer(Name="shop", Subnets=self.subnets, Type="application")
        self.load_balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.dns_name = str(balancer["LoadBalancers"][0]["DNSName"])
        self.blue_group = self.create_target_group("shop-blue")
        self.green_group = self.create_target_group("shop-green")
        self.production_listener = self.create_listener(80)
        self.test_listener = self.create_listener(8080)

    @property
    def balancer_dimension(self) -> str:
        """The load balancer as CloudWatch's dimensions name it."""
        return str(self.load_balancer).partition(":loadbalancer/")[2]

    def create_target_group(self, name: str, **changes: Any) -> str:
        """Create a target group for addresses, with a health check on /health; return its ARN."""
        answer = self.elbv2.create_target_group(
            **{
                "Name": name,
                "Protocol": "HTTP",
                "Port": PORT,
                "VpcId": self.vpc,
                "TargetType": "ip",
                "HealthCheckPath": "/health",
                "Matcher": {"HttpCode": "200-299"},
                **changes,
            }
        )
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def create_listener(self, port: int) -> str:
        """Create a listener that forwards to blue; return its ARN."""
        answer = self.elbv2.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.blue_group}],
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    def change_load_balancer(self, **changes: Any) -> None:
        """Let Elastic Load Balancing describe the load balancer with other members: moto makes none with them."""
        found = self.elbv2.describe_load_balancers()["LoadBalancers"]
        answer = {"LoadBalancers": [{**each, **changes} for each in found]}
        self.instead["elbv2:DescribeLoadBalancers"] = lambda _: answer

    def _what_tasks_need(self) -> None:
        self.ecr.create_repository(repositoryName="shop")
        for tag in ("1", "2"):
            manifest = json.dumps({"schemaVersion": 2, "config": {"digest": f"sha256:{tag * 64}"}, "layers": []})
            kind = "application/vnd.docker.distribution.manifest.v2+json"
            self.ecr.put_image(repositoryName="shop", imageManifest=manifest, imageManifestMediaType=kind, imageTag=tag)
        self.execution_role = self.create_role("shop-execution")
        self.task_role = self.create_role("shop-task")
        self.secret = self.secretsmanager.create_secret(Name="shop/database", SecretString="a-secret-value")["ARN"]
        self.ssm.put_parameter(Name="/shop/api-key", Value="another-secret-value", Type="SecureString")
        self.logs.create_log_group(logGroupName="/ecs/shop")
        self.create_alarm("shop-5xx")

    def create_role(self, name: str, trusts: str = "ecs-tasks.amazonaws.com") -> str:
        """Create a role that a service may assume; return its ARN."""
        trust = {"Effect": "Allow", "Principal": {"Service": trusts}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"])

    def allow(self, role: str, actions: str | list[str], resources: str | list[str], **condition: Any) -> None:
        """Put a policy of one statement into a role."""
        statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
        if condition:
            statement["Condition"] = {
                "StringEquals": {key.replace("_", ":"): value for key, value in condition.items()}
            }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = (actions if isinstance(actions, str) else actions[0]).replace(":", "-")
        self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)

    def forbid(self, role: str, action: str) -> None:
        """Take what `allow` gave back."""
        self.iam.delete_role_policy(RoleName=role, PolicyName=action.replace(":", "-"))

    def create_hooks(self, *, all_of_them: bool = False) -> None:
        """Create the functions of the hooks after BeforeInstall, and name all five in the AppSpec from now on."""
        role = self.create_role("shop-hooks", trusts="lambda.amazonaws.com")
        self.allow("shop-hooks", "codedeploy:PutLifecycleEventHookExecutionStatus", "*")
        for event, hook in HANDLERS.items():
            name = f"CodeDeployHook_shop-{event}"
            self.hooks[event] = f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{name}"
            if event != "BeforeInstall" or all_of_them:  # that one runs: CodeDeploy's deployments do not ask for it
                self.functions.create_function(
                    FunctionName=name,
                    Role=role,
                    Runtime="python3.13",
                    Handler=f"{hook}.handler",
                    Code={"ZipFile": b"x"},
                )
                self.tell(event)

    def queue_invocations(self) -> list[str]:
        """Have Lambda take each invocation, and make none; return the functions, as they are called from now on."""
        called: list[str] = []

        def invoke(parameters: Mapping[str, Any]) -> dict[str, Any]:
            called.append(parameters["FunctionName"])
            return {"StatusCode": 202}

        self.instead["lambda:Invoke"] = invoke
        return called

    def tell(
        self, event: str, options: Mapping[str, Any] | None = None, *, timeout: int = 900, **variables: str | None
    ) -> None:
        """Configure a hook's function as the module does, with these options, all others being at their defaults.

        `variables` of its environment come first, and None takes one out.
        """
        kind = HOOKS[HANDLERS[event]]
        settings = json.dumps({**asdict(kind()), "schema": schema_of(kind), **(options or {})})
        environment = {**ENVIRONMENT, "HOOK_SETTINGS": settings, **variables}
        self.functions.update_function_configuration(
            FunctionName=self.hooks[event],
            Timeout=timeout,
            Environment={"Variables": {name: value for name, value in environment.items() if value is not None}},
        )

    def create_alarm(self, name: str, state: str = "OK") -> None:
        """Create a metric alarm in a state."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        self.set_alarm(name, state)

    def set_alarm(self, name: str, state: str, reason: str = "set by the test") -> None:
        """Put an alarm into a state."""
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)

    def image(self, tag: str, repository: str = "shop") -> str:
        """The URI of an image in the account's ECR."""
        return f"{ACCOUNT}.dkr.ecr.{self.region}.amazonaws.com/{repository}:{tag}"

    def container(self, **changes: Any) -> dict[str, Any]:
        """The definition of the application's container."""
        return {
            "name": CONTAINER,
            "image": self.image("2"),
            "essential": True,
            "portMappings": [{"containerPort": PORT}],
            "secrets": [
                {"name": "DATABASE_URL", "valueFrom": self.secret},
                {"name": "API_KEY", "valueFrom": "/shop/api-key"},
            ],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/ecs/shop",
                    "awslogs-region": self.region,
                    "awslogs-stream-prefix": "shop",
                },
            },
            **changes,
        }

    def register(
        self, sidecars: tuple[Mapping[str, Any], ...] = (), definition: Mapping[str, Any] | None = None, **changes: Any
    ) -> str:
        """Register a task definition; `changes` are the application container's. Return its ARN."""
        answer = self.ecs.register_task_definition(
            **{
                "family": "shop",
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "cpu": "256",
                "memory": "512",
                "executionRoleArn": self.execution_role,
                "taskRoleArn": self.task_role,
                "containerDefinitions": [self.container(**changes), *sidecars],
                **(definition or {}),
            }
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, **changes: Any) -> None:
        """Create the service, with two tasks behind blue's target group."""
        parameters = {
            "cluster": CLUSTER,
            "serviceName": SERVICE,
            "taskDefinition": self.blue_definition,
            "desiredCount": 2,
            "launchType": "FARGATE",
            "deploymentController": {"type": "CODE_DEPLOY"},
            "networkConfiguration": self.network(),
            "loadBalancers": [self.balanced(self.blue_group)],
            **changes,
        }
        self.ecs.create_service(**{key: value for key, value in parameters.items() if value is not None})

    def create_service_anew(self, **changes: Any) -> None:
        """Delete the service and create another one in its place."""
        self.ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)
        self.create_service(**changes)

    def network(self) -> dict[str, Any]:
        """The network configuration of the service's tasks."""
        return {"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.security_group]}}

    def balanced(self, target_group: str) -> dict[str, Any]:
        """An entry of `loadBalancers`."""
        return {"targetGroupArn": target_group, "containerName": CONTAINER, "containerPort": PORT}

    def _deployment_group(self) -> None:
        role = self.create_role("shop-codedeploy", trusts="codedeploy.amazonaws.com")
        self.allow("shop-codedeploy", "lambda:InvokeFunction", f"arn:aws:lambda:*:{ACCOUNT}:function:CodeDeployHook_*")
        roles = [self.execution_role, self.task_role]
        self.allow("shop-codedeploy", "iam:PassRole", roles, iam_PassedToService="ecs-tasks.amazonaws.com")
        self.codedeploy.create_application(applicationName="shop", computePlatform="ECS")
        self.codedeploy.create_deployment_group(
            applicationName="shop",
            deploymentGroupName="shop",
            serviceRoleArn=role,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            ecsServices=[{"clusterName": CLUSTER, "serviceName": SERVICE}],
            alarmConfiguration={"enabled": True, "alarms": [{"name": "shop-5xx"}]},
            autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]},
            loadBalancerInfo=self.pair(self.test_listener),
        )

    def update_group(self, **changes: Any) -> None:
        """Change the deployment group."""
        self.codedeploy.update_deployment_group(applicationName="shop", currentDeploymentGroupName="shop", **changes)

    def pair(self, test_listener: str | None, groups: tuple[str, ...] = ("shop-blue", "shop-green")) -> dict[str, Any]:
        """The deployment group's `loadBalancerInfo`."""
        pair: dict[str, Any] = {
            "targetGroups": [{"name": name} for name in groups],
            "prodTrafficRoute": {"listenerArns": [self.production_listener]},
        }
        if test_listener:
            pair["testTrafficRoute"] = {"listenerArns": [test_listener]}
        return {"targetGroupPairInfoList": [pair]}

    # What CodeDeploy does.

    def appspec(self, **changes: Any) -> dict[str, Any]:
        """The AppSpec; `changes` are of the service's properties."""
        properties = {
            "TaskDefinition": self.green_definition,
            "LoadBalancerInfo": {"ContainerName": CONTAINER, "ContainerPort": PORT},
            **changes,
        }
        target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
        hooks = [{event: function} for event, function in self.hooks.items()]
        return {"version": 0.0, "Resources": [target], **({"Hooks": hooks} if hooks else {})}

    def at(self, event: str, revision: str | Mapping[str, Any] | None = None) -> dict[str, str]:
        """Create a deployment, bring it to a lifecycle event, and return what CodeDeploy sends to the hook.

        `revision` is the AppSpec's text (default: `appspec()` as JSON) or another location of one.
        """
        text = json.dumps(self.appspec()) if revision is None else revision
        location = {"revisionType": "AppSpecContent", "appSpecContent": {"content": text}}
        created = self.codedeploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="shop",
            revision=location if isinstance(text, str) else text,
        )
        self.deployment = codedeploy.find(created["deploymentId"])
        return self._play_until(event)

    def rollback_at(self, event: str) -> dict[str, str]:
        """Fail the deployment, and bring the one that CodeDeploy makes to undo it to a lifecycle event."""
        rollback = codedeploy.create_rollback(self.deployment)
        self.deployment.set_status("Failed", ("HOOK_EXECUTION_FAILURE", "A hook failed."))
        self.deployment = rollback
        return self._play_until(event)

    def _play_until(self, event: str) -> dict[str, str]:
        for name in codedeploy.EVENTS:
            self._execution_id = self.deployment.begin(name)
            if name == event:
                break
            if self.deployment.rollback_of is None:
                self._do(name)
            self.deployment.finish(name, "Succeeded")
        self.calls.clear()
        return {"DeploymentId": self.deployment.deployment_id, "LifecycleEventHookExecutionId": self._execution_id}

    def _do(self, event: str) -> None:
        if event == "Install":
            self.green_set = self.create_task_set(self.deployment.deployment_id)
        if event == "AllowTestTraffic":
            self.lead(self.test_listener, {self.green_group: 100})
        if event == "AllowTraffic":
            self.lead(self.production_listener, {self.blue_group: 0, self.green_group: 100})
            self.ecs.update_service_primary_task_set(cluster=CLUSTER, service=SERVICE, primaryTaskSet=self.green_set)

    def create_task_set(self, external_id: str, **changes: Any) -> str:
        """Create a task set of the green task definition behind green's target group; return its ARN."""
        answer = self.ecs.create_task_set(
            **{
                "cluster": CLUSTER,
                "service": SERVICE,
                "externalId": external_id,
                "taskDefinition": self.green_definition,
                "loadBalancers": [self.balanced(self.green_group)],
                "scale": {"value": 100, "unit": "PERCENT"},
                **changes,
            }
        )
        return str(answer["taskSet"]["taskSetArn"])

    def lead(self, listener: str, weights: Mapping[str, int]) -> None:
        """Make a listener forward to target groups (by ARN) with these weights."""
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        self.elbv2.modify_listener(
            ListenerArn=listener, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        )

    def forget_tasks(self) -> None:
        """Let an hour pass in which ECS forgets the one-off tasks that have stopped, for a test with many of them."""
        backend = ecs_backends[ACCOUNT][self.region]
        tasks = backend.tasks[CLUSTER]
        for arn in [arn for arn, task in tasks.items() if task.last_status == "STOPPED"]:
            del tasks[arn]

    # What came of it.

    def report(self) -> str | None:
        """What the hook told CodeDeploy; fails if it did not do so exactly once."""
        reports = [report for report in self.deployment.reports if report.execution_id == self._execution_id]
        assert len(reports) == 1, f"{len(reports)} reports, expected one: {reports}"
        assert reports[0].accepted, f"CodeDeploy refused the report: {reports[0].error}"
        return reports[0].status

    def called(self, name: str) -> list[Mapping[str, Any]]:
        """The parameters of each of the handler's calls of one operation, such as `ecs:RunTask`."""
        return [call.parameters for call in self.calls if call.name == name]


class Judgement(dict[str, Any]):
    """What a handler returned. `report` is what the platform was told of it: to CodeDeploy, or as ECS's hookStatus."""

    report = ""

    @property
    def succeeded(self) -> bool:
        """Whether the deployment may go on."""
        return bool(self["status"] == "SUCCEEDED")

    @property
    def message(self) -> str:
        """The one line."""
        return str(self["message"])

    def check(self, name: str) -> tuple[str, str]:
        """The outcome and the detail of the last result of a check."""
        found = [check for check in self["checks"] if check["name"] == name]
        assert found, f"there is no check {name}, only {', '.join(check['name'] for check in self['checks'])}"
        return str(found[-1]["outcome"]), str(found[-1]["detail"])

    def outcomes(self) -> dict[str, str]:
        """Each check's outcome."""
        return {str(check["name"]): str(check["outcome"]) for check in self["checks"]}


Judge = Callable[..., Judgement]


class Relay:
    """A hook as Lambda invokes it, with so many seconds each time: by CodeDeploy, and by what it sends to itself."""

    def __init__(self, stage: Stage, hook: ModuleType, seconds: float = 900) -> None:
        self.stage = stage
        self.hook = hook
        self.seconds = seconds
        stage.create_hooks()
        self.function = stage.hooks["BeforeAllowTraffic"]

    def deliver(self, event: Mapping[str, Any]) -> Judgement:
        """Deliver one event."""
        number = len(self.stage.world.invocations)
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int(self.seconds * 1000),
            invoked_function_arn=self.function,
            aws_request_id=f"request-{number}",
        )
        return Judgement(self.hook.handler(event, context))

    @property
    def handed_over(self) -> list[dict[str, Any]]:
        """The events that the function has sent to itself."""
        return [json.loads(payload) for name, payload, _ in self.stage.world.invocations if name == self.function]

    def play(self, event: Mapping[str, Any]) -> list[Judgement]:
        """Deliver an event, and what is handed over, until the hook has reported."""
        judgements = [self.deliver(event)]
        while judgements[-1]["status"] == "CONTINUED":
            assert self.stage.deployment.reports == [], "who hands over does not report"
            judgements.append(self.deliver(self.handed_over[-1]))
        assert self.stage.report() == ("Succeeded" if judgements[-1].succeeded else "Failed")
        return judgements


def refuse(code: str, message: str = "refused by the test", status: int = 400, **fields: Any) -> Callable[..., Any]:
    """An AWS error, to be put into `stage.instead`."""

    def answer(_parameters: Mapping[str, Any]) -> Any:
        response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **fields,
        }
        raise ClientError(response, "Operation")  # type: ignore[arg-type]

    return answer
