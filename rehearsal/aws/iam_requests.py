"""IAM: what one call to AWS asks of the caller's policies: actions, resources, and values of context keys.

The rules are those of the Service Authorization Reference, one for each operation that a hook calls. What a call needs
beside itself belongs to it: who runs a task passes its roles and, with tags, tags it. What a request does not say (the
group of a deployment, the roles of a task definition, the tags of an object) is looked up in the stand-in, of this
process, as the service looks it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ecs.models import ecs_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.aws import codedeploy

Key = tuple[str, str]


@dataclass(frozen=True, order=True)
class Asked:
    """One question to a role's policies."""

    action: str
    resource: str
    context: tuple[Key, ...] = ()
    """Condition keys with their values, as the service fills them in."""


@dataclass(frozen=True)
class Call:
    """One call to AWS: `service` is botocore's name, `region` where it goes to."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    account: str

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in the region that is called."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def full(self, service: str, given: str, resource: str) -> str:
        """Return what was given if it is an ARN, otherwise that of the resource."""
        return given if given.startswith("arn:") else self.arn(service, resource)


def asked_by(call: Call) -> list[Asked]:
    """Return what IAM is asked about a call.

    Raises:
        LookupError: there is no rule for the operation.
    """
    name = f"{call.service}:{call.operation}"
    if name not in _RULES:
        raise LookupError(f"{name} has no rule: say in rehearsal/aws/iam_requests.py what IAM judges it by")
    return list(_RULES[name](call))


Rule = Callable[[Call], Iterable[Asked]]


def _of_service(call: Call, kind: str) -> Iterator[Asked]:
    """On a service's deployments or revisions, and on the service: the reference has both."""
    for arn in call[f"service{kind}Arns"]:
        service, _, _ = arn.replace(f":service-{kind.lower()}/", ":service/").rpartition("/")
        for resource in (service, arn):
            yield Asked(f"ecs:DescribeService{kind}s", resource)


def _on_everything(action: str) -> Rule:
    """Of an action for which the reference knows no resource."""
    return lambda _call: [Asked(action, "*")]


def _deployment(action: str) -> Rule:
    """On the deployment's group. A deployment that does not exist has none, and is refused for that."""

    def rule(call: Call) -> Iterator[Asked]:
        try:
            deployment = codedeploy.find(call["deploymentId"])
        except KeyError:
            return
        names = f"{deployment.application_name}/{deployment.deployment_group_name}"
        yield Asked(action, call.arn("codedeploy", f"deploymentgroup:{names}"))

    return rule


def _cluster(call: Call) -> str:
    name = str(call.parameters.get("cluster") or "default")
    return call.full("ecs", name, f"cluster/{name}")


def _in_cluster(call: Call, kind: str, name: str) -> str:
    """Return the ARN of a service or task, which may be given in full."""
    cluster = _cluster(call).rpartition("/")[2]
    return call.full("ecs", name, f"{kind}/{cluster}/{name}")


def _on_tasks(action: str, names: Callable[[Call], Iterable[str]], kind: str = "task") -> Rule:
    return lambda call: [
        Asked(action, _in_cluster(call, kind, name), (("ecs:cluster", _cluster(call)),)) for name in names(call)
    ]


def _run_task(call: Call) -> Iterator[Asked]:
    """The task definition; the roles of the task, passed to it; and tags, of a task that has no id yet."""
    cluster = _cluster(call)
    name = str(call["taskDefinition"]).rpartition("/")[2]
    try:
        definition = ecs_backends[call.account][call.region].describe_task_definition(name)
    except ServiceException:  # refused for that
        return
    yield Asked("ecs:RunTask", definition.arn, (("ecs:cluster", cluster),))
    overrides = call.parameters.get("overrides") or {}
    for key, own in (("executionRoleArn", "execution_role_arn"), ("taskRoleArn", "task_role_arn")):
        role = overrides.get(key) or getattr(definition, own, None)  # moto sets what was given only
        if role:
            yield Asked("iam:PassRole", role, (("iam:PassedToService", "ecs-tasks.amazonaws.com"),))
    if call.parameters.get("tags") or call.parameters.get("propagateTags"):
        yield Asked("ecs:TagResource", _in_cluster(call, "task", "new"), (("ecs:CreateAction", "RunTask"),))


def _function(action: str) -> Rule:
    """On a function, by its name or ARN; with a qualifier, on the alias or version alone, as Lambda's guide has it."""

    def rule(call: Call) -> list[Asked]:
        given = str(call["FunctionName"])
        return [Asked(action, given if given.startswith("arn:") else call.arn("lambda", f"function:{given}"))]

    return rule


def _images(call: Call) -> list[Asked]:
    registry = call.parameters.get("registryId") or call.account
    arn = f"arn:aws:ecr:{call.region}:{registry}:repository/{call['repositoryName']}"
    return [Asked("ecr:BatchGetImage", arn)]


def _get_role(call: Call) -> list[Asked]:
    """The role's ARN has its path, which the request does not tell."""
    try:
        arn = str(iam_backends[call.account]["aws"].get_role(call["RoleName"]).arn)
    except NotFoundException:
        arn = f"arn:aws:iam::{call.account}:role/{call['RoleName']}"
    return [Asked("iam:GetRole", arn)]


def _secret(action: str) -> Rule:
    """On a secret, whose ARN has six characters that its name does not tell."""

    def rule(call: Call) -> list[Asked]:
        given = str(call["SecretId"])
        known = secretsmanager_backends[call.account][call.region].secrets.get(given)
        arn = known.arn if known is not None else call.full("secretsmanager", given, f"secret:{given}-??????")
        return [Asked(action, arn)]

    return rule


def _parameter(call: Call) -> list[Asked]:
    name = str(call["Name"])
    return [Asked("ssm:GetParameter", call.full("ssm", name, f"parameter/{name.lstrip('/')}"))]


def _object(call: Call) -> list[Asked]:
    """A version is read by an action of its own; the tags are the object's. What is not there is refused for that."""
    bucket, key, version = call["Bucket"], call["Key"], call.parameters.get("VersionId")
    backend = s3_backends[call.account]["aws"]
    try:
        found = backend.get_object(bucket, key, version_id=version)
    except ServiceException:  # no such bucket
        return []
    if found is None:
        return []
    tags = backend.tagger.get_tag_dict_for_resource(found.arn)
    context = tuple((f"s3:ExistingObjectTag/{name}", value) for name, value in sorted(tags.items()))
    return [Asked("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", context)]


def _one(name: str) -> Callable[[Call], list[str]]:
    return lambda call: [call[name]]


_RULES: dict[str, Rule] = {
    # "Either form" of the last two: the reference knows no resource for them, CodeDeploy's own table the group.
    "codedeploy:GetDeployment": _deployment("codedeploy:GetDeployment"),
    "codedeploy:GetDeploymentTarget": _deployment("codedeploy:GetDeploymentTarget"),
    "codedeploy:PutLifecycleEventHookExecutionStatus": _deployment("codedeploy:PutLifecycleEventHookExecutionStatus"),
    "codedeploy:GetDeploymentGroup": lambda call: [
        Asked(
            "codedeploy:GetDeploymentGroup",
            call.arn("codedeploy", f"deploymentgroup:{call['applicationName']}/{call['deploymentGroupName']}"),
        )
    ],
    "codedeploy:GetApplicationRevision": lambda call: [
        Asked("codedeploy:GetApplicationRevision", call.arn("codedeploy", f"application:{call['applicationName']}"))
    ],
    "codedeploy:GetDeploymentConfig": lambda call: [
        Asked(
            "codedeploy:GetDeploymentConfig",
            call.arn("codedeploy", f"deploymentconfig:{call['deploymentConfigName']}"),
        )
    ],
    "ecs:DescribeClusters": lambda call: [
        Asked("ecs:DescribeClusters", call.full("ecs", name, f"cluster/{name}")) for name in call["clusters"]
    ],
    "ecs:DescribeServices": _on_tasks("ecs:DescribeServices", lambda call: call["services"], "service"),
    "ecs:DescribeServiceDeployments": lambda call: _of_service(call, "Deployment"),
    "ecs:DescribeServiceRevisions": lambda call: _of_service(call, "Revision"),
    "ecs:DescribeTaskDefinition": _on_everything("ecs:DescribeTaskDefinition"),
    "ecs:DescribeTasks": _on_tasks("ecs:DescribeTasks", lambda call: call["tasks"]),
    "ecs:StopTask": _on_tasks("ecs:StopTask", _one("task")),
    # Without a container instance, of which alone the reference speaks, on everything.
    "ecs:ListTasks": lambda call: [Asked("ecs:ListTasks", "*", (("ecs:cluster", _cluster(call)),))],
    "ecs:RunTask": _run_task,
    "elbv2:DescribeListeners": _on_everything("elasticloadbalancing:DescribeListeners"),
    "elbv2:DescribeLoadBalancers": _on_everything("elasticloadbalancing:DescribeLoadBalancers"),
    "elbv2:DescribeRules": _on_everything("elasticloadbalancing:DescribeRules"),
    "elbv2:DescribeTargetGroups": _on_everything("elasticloadbalancing:DescribeTargetGroups"),
    "elbv2:DescribeTargetHealth": _on_everything("elasticloadbalancing:DescribeTargetHealth"),
    # The reference names alarms; composite ones are answered to a permission on everything only.
    "cloudwatch:DescribeAlarms": _on_everything("cloudwatch:DescribeAlarms"),
    "cloudwatch:GetMetricData": _on_everything("cloudwatch:GetMetricData"),
    "lambda:GetFunctionConfiguration": _function("lambda:GetFunctionConfiguration"),
    "lambda:Invoke": _function("lambda:InvokeFunction"),
    "application-autoscaling:DescribeScalableTargets": _on_everything(
        "application-autoscaling:DescribeScalableTargets"
    ),
    "ecr:BatchGetImage": _images,
    "ecr:DescribePullThroughCacheRules": _on_everything("ecr:DescribePullThroughCacheRules"),
    "iam:GetRole": _get_role,
    "iam:SimulatePrincipalPolicy": lambda call: [Asked("iam:SimulatePrincipalPolicy", call["PolicySourceArn"])],
    "secretsmanager:DescribeSecret": _secret("secretsmanager:DescribeSecret"),
    "secretsmanager:GetSecretValue": _secret("secretsmanager:GetSecretValue"),
    "ssm:DescribeParameters": _on_everything("ssm:DescribeParameters"),
    "ssm:GetParameter": _parameter,
    # On the group of no name, as AWS's refusals put it: "on resource: arn:…:log-group::log-stream:".
    "logs:DescribeLogGroups": lambda call: [
        Asked("logs:DescribeLogGroups", call.arn("logs", "log-group::log-stream:"))
    ],
    "logs:GetLogEvents": lambda call: [
        Asked(
            "logs:GetLogEvents",
            call.arn("logs", f"log-group:{call['logGroupName']}:log-stream:{call['logStreamName']}"),
        )
    ],
    "ec2:DescribeSecurityGroups": _on_everything("ec2:DescribeSecurityGroups"),
    "ec2:DescribeSubnets": _on_everything("ec2:DescribeSubnets"),
    "s3:GetObject": _object,
    "events:PutEvents": lambda call: [
        Asked("events:PutEvents", call.full("events", bus, f"event-bus/{bus}"))
        for bus in (str(entry.get("EventBusName") or "default") for entry in call["Entries"])
    ],
}
