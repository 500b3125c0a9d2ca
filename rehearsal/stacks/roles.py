"""Whether the roles of whoever deploys may do what it does: CodeDeploy's service role, or the two that ECS is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rehearsal.lifecycle import Clients
from rehearsal.stacks.services import Service

ALWAYS = (
    *("ecs:DescribeServices", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet"),
    *("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeListeners"),
    *("elasticloadbalancing:ModifyListener", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:ModifyRule"),
)
"""What CodeDeploy does in every deployment (user guide, AWSCodeDeployRoleForECS)."""

OF_ECS = (
    *("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"),
    *("elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"),
    *("elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"),
    *("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"),
)
"""What ECS does with the load balancer (AmazonECSInfrastructureRolePolicyForLoadBalancers)."""


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
    for action in ALWAYS:
        yield role, action, "*", {}
    if outputs.get("watched"):
        yield role, "cloudwatch:DescribeAlarms", "*", {}
    for hook, name in outputs["function_names"].items():
        if hook not in service.without:
            yield role, "lambda:InvokeFunction", _function(clients, name), {}
    definition = clients.ecs.describe_task_definition(taskDefinition=outputs["task_family"])["taskDefinition"]
    for key in ("executionRoleArn", "taskRoleArn"):
        if definition.get(key):
            yield role, "iam:PassRole", definition[key], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def _of_ecs(service: Service) -> _Asked:
    native: dict[str, Any] = service.outputs["native_service"]
    for balanced in native["loadBalancers"]:
        for action in OF_ECS:
            yield balanced["advancedConfiguration"]["roleArn"], action, "*", {}
    for hook in native["deploymentConfiguration"]["lifecycleHooks"]:
        yield hook["roleArn"], "lambda:InvokeFunction", hook["hookTargetArn"], {}


def _function(clients: Clients, name: str) -> str:
    arn: str = clients.functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    return arn
