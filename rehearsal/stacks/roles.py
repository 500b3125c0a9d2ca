"""Whether the roles of whoever deploys may do what it does: CodeDeploy's service role, or the two that ECS is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rehearsal.lifecycle import Clients
from rehearsal.stacks.services import Service

READS = (
    *("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeListeners"),
    "elasticloadbalancing:DescribeRules",
)
"""What both platforms read; IAM knows no resource of it."""

OF_THE_SERVICE = ("ecs:DescribeServices", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet")
"""What CodeDeploy does with the service in every deployment (user guide, AWSCodeDeployRoleForECS)."""


@dataclass(frozen=True)
class Judged:
    """One action that a role needs, and whether it has it."""

    role: str
    action: str
    resource: str
    allowed: bool
    by_boundary: bool = False
    """Whether it is the role's permissions boundary that does not allow it."""

    def __str__(self) -> str:
        limited = "its permissions boundary does not allow" if self.by_boundary else "the role may not"
        return f"{self.role}: {limited} {self.action} on {self.resource}"


def service_roles(clients: Clients, service: Service) -> list[Judged]:
    """Judge what the platform's roles need for a deployment of the service."""
    asked = _of_ecs(service) if service.platform == "ecs" else _of_codedeploy(clients, service)
    found = []
    for role, action, resource, context in asked:
        entries = [
            {"ContextKeyName": k, "ContextKeyValues": [v], "ContextKeyType": "string"} for k, v in context.items()
        ]
        try:
            answer = clients.iam.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource], ContextEntries=entries
            )["EvaluationResults"][0]
        except clients.iam.exceptions.ClientError:
            found.append(Judged(role, action, resource, allowed=False))
            continue
        limit = answer.get("PermissionsBoundaryDecisionDetail") or {}
        outside = limit.get("AllowedByPermissionsBoundary") is False
        found.append(Judged(role, action, resource, answer["EvalDecision"] == "allowed", outside))
    return found


_Asked = Iterator[tuple[str, str, str, dict[str, str]]]


def _of_codedeploy(clients: Clients, service: Service) -> _Asked:
    outputs = service.outputs
    told = clients.codedeploy.get_deployment_group(
        applicationName=outputs["application_name"], deploymentGroupName=outputs["deployment_group_name"]
    )["deploymentGroupInfo"]
    role = told["serviceRoleArn"]
    for action in READS:
        yield role, action, "*", {}
    place = f"arn:aws:ecs:{service.region}:{role.split(':')[4]}"
    of_set = {"ecs:CreateTaskSet": "task-set", "ecs:DeleteTaskSet": "task-set"}
    for action in OF_THE_SERVICE:
        kind = of_set.get(action, "service")
        last = "/*" if kind == "task-set" else ""
        yield role, action, f"{place}:{kind}/{outputs['cluster_name']}/{service.name}{last}", {}
    yield from _of_routes(clients, role, told["loadBalancerInfo"]["targetGroupPairInfoList"][0])
    if outputs.get("watched"):
        yield role, "cloudwatch:DescribeAlarms", "*", {}
    for hook, name in outputs["function_names"].items():
        if hook not in service.without:
            yield role, "lambda:InvokeFunction", _function(clients, name), {}
    definition = clients.ecs.describe_task_definition(taskDefinition=outputs["task_family"])["taskDefinition"]
    for key in ("executionRoleArn", "taskRoleArn"):
        if definition.get(key):
            yield role, "iam:PassRole", definition[key], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def _of_routes(clients: Clients, role: str, pair: dict[str, Any]) -> _Asked:
    """To move the listeners of a pair of target groups, and their rules."""
    for route in ("prodTrafficRoute", "testTrafficRoute"):
        for listener in (pair.get(route) or {}).get("listenerArns") or []:
            yield role, "elasticloadbalancing:ModifyListener", listener, {}
            for rule in clients.elbv2.describe_rules(ListenerArn=listener)["Rules"]:
                if not rule["IsDefault"]:
                    yield role, "elasticloadbalancing:ModifyRule", rule["RuleArn"], {}


def _of_ecs(service: Service) -> _Asked:
    native: dict[str, Any] = service.outputs["native_service"]
    for balanced in native["loadBalancers"]:
        advanced = balanced["advancedConfiguration"]
        for action in (*READS, "elasticloadbalancing:DescribeTargetHealth"):
            yield advanced["roleArn"], action, "*", {}
        for rule in filter(None, (advanced.get(f"{route}ListenerRule") for route in ("production", "test"))):
            action = "ModifyListener" if ":listener/" in rule else "ModifyRule"
            yield advanced["roleArn"], f"elasticloadbalancing:{action}", rule, {}
        for group in (balanced["targetGroupArn"], advanced["alternateTargetGroupArn"]):
            for action in ("RegisterTargets", "DeregisterTargets"):
                yield advanced["roleArn"], f"elasticloadbalancing:{action}", group, {}
    for hook in native["deploymentConfiguration"]["lifecycleHooks"]:
        yield hook["roleArn"], "lambda:InvokeFunction", hook["hookTargetArn"], {}


def _function(clients: Clients, name: str) -> str:
    arn: str = clients.functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    return arn
