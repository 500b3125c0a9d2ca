"""CodeDeploy: what a deployment's target says of the service's task sets.

Recorded on AWS: inside a BeforeInstall hook there is one, labelled Blue, with a trafficWeight of 100 and an `identifer`
(the API's own spelling) like `ecs-svc/3605701707267980476`.
"""

from __future__ import annotations

import json
from typing import Any, cast

from moto.ecs.models import ecs_backends

from rehearsal.aws.codedeploy import Deployment
from rehearsal.aws.ecs_services import EcsBackend
from rehearsal.aws.ecs_sets import StandInService, StandInTaskSet
from rehearsal.aws.elbv2 import name_of, traffic_weights


def service_of(deployment: Deployment) -> StandInService | None:
    """Return the ECS service that a deployment is for, if it exists."""
    return _ecs(deployment).services.get(deployment.target_id)


def _ecs(deployment: Deployment) -> EcsBackend:
    return cast(EcsBackend, ecs_backends[deployment.backend.account_id][deployment.backend.region_name])


def primary_task_set_id(deployment: Deployment) -> str | None:
    """Return the id of the task set that serves when a deployment is created."""
    service = service_of(deployment)
    for task_set in service.task_sets if service else []:
        if task_set.status == "PRIMARY":
            return str(task_set.id)
    return None


def blue_task_set(deployment: Deployment) -> StandInTaskSet | None:
    """Return the original task set, while ECS lists it."""
    service = service_of(deployment)
    return next((s for s in (service.task_sets if service else []) if s.id == deployment.blue_task_set_id), None)


def green_task_set(deployment: Deployment) -> StandInTaskSet | None:
    """Return the replacement task set, the one whose externalId is the deployment's id; None before Install."""
    wanted = (deployment.rollback_of or deployment).deployment_id
    service = service_of(deployment)
    return next((s for s in (service.task_sets if service else []) if s.external_id == wanted), None)


def task_sets_info(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the shape ECSTaskSetList for a deployment."""
    service = service_of(deployment)
    if service is None:
        return []
    _ecs(deployment).reconcile(service)
    weights = _weights(deployment)
    sets = (("Blue", blue_task_set(deployment)), ("Green", green_task_set(deployment)))
    return [_describe(label, task_set, weights) for label, task_set in sets if task_set is not None]


def _describe(label: str, task_set: StandInTaskSet, weights: dict[str, float]) -> dict[str, Any]:
    group = next((b["targetGroupArn"] for b in task_set.load_balancers if b.get("targetGroupArn")), None)
    return {
        "identifer": task_set.id,
        "desiredCount": task_set.computed_desired_count,
        "pendingCount": task_set.pending_count,
        "runningCount": task_set.running_count,
        "status": task_set.status,
        "trafficWeight": weights.get(group, 0.0) if group else 0.0,
        "targetGroup": {"name": name_of(group)} if group else None,
        "taskSetLabel": label,
    }


def _weights(deployment: Deployment) -> dict[str, float]:
    pairs = deployment.deployment_group.load_balancer_info.get("targetGroupPairInfoList") or []
    listeners = pairs[0].get("prodTrafficRoute", {}).get("listenerArns", []) if pairs else []
    backend = deployment.backend
    return traffic_weights(backend.account_id, backend.region_name, listeners[0]) if listeners else {}


def blue_app_spec(deployment: Deployment) -> str:
    """Write the AppSpec that would deploy the original task set again."""
    task_set = blue_task_set(deployment)
    service = service_of(deployment)
    task_definition = task_set.task_definition if task_set else (service.task_definition if service else "")
    balancers = (task_set.load_balancers if task_set else None) or [{}]
    properties = {
        "TaskDefinition": task_definition,
        "LoadBalancerInfo": {
            "ContainerName": balancers[0].get("containerName"),
            "ContainerPort": balancers[0].get("containerPort"),
        },
    }
    target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    return json.dumps({"version": 0.0, "Resources": [target]})
