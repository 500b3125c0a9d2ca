"""CodeDeploy: the operations that moto lacks, and those it answers otherwise than AWS."""

# An operation is documented in AWS's API reference under its own name.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from moto.codedeploy import responses as moto_responses
from moto.codedeploy.models import DeploymentGroup
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow

from rehearsal.aws.codedeploy import (
    BUILT_IN_CONFIGS,
    Backend,
    CodeDeployError,
    Deployment,
    checked_revision,
    deployments,
)
from rehearsal.aws.elbv2 import pair_listeners
from rehearsal.aws.graft import graft

# moto has no public name for what makes the shape of a deployment group.
_original_group_info = moto_responses._deployment_group_info  # noqa: SLF001

_GROUP_FIELDS = {
    "deploymentConfigName": "deployment_config_name",
    "ec2TagFilters": "ec2_tag_filters",
    "onPremisesInstanceTagFilters": "on_premises_instance_tag_filters",
    "autoScalingGroups": "auto_scaling_groups",
    "serviceRoleArn": "service_role_arn",
    "triggerConfigurations": "trigger_configurations",
    "alarmConfiguration": "alarm_configuration",
    "autoRollbackConfiguration": "auto_rollback_configuration",
    "outdatedInstancesStrategy": "outdated_instances_strategy",
    "deploymentStyle": "deployment_style",
    "blueGreenDeploymentConfiguration": "blue_green_deployment_configuration",
    "loadBalancerInfo": "load_balancer_info",
    "ec2TagSet": "ec2_tag_set",
    "ecsServices": "ecs_services",
    "onPremisesTagSet": "on_premises_tag_set",
    "terminationHookEnabled": "termination_hook_enabled",
}
"""What UpdateDeploymentGroup may change, and what moto calls it."""


def deployment_group_info(deployment_group: DeploymentGroup) -> dict[str, Any]:
    """Return the shape DeploymentGroupInfo: with alarms and last deployments, which moto leaves empty."""
    info: dict[str, Any] = _original_group_info(deployment_group)
    info["alarmConfiguration"] = deployment_group.alarm_configuration or None
    mine = [d for d in deployments() if d.deployment_group is deployment_group and not d.is_active]
    succeeded = [d for d in mine if d.status == "Succeeded"]
    info["targetRevision"] = succeeded[-1].revision if succeeded else None
    info["lastAttemptedDeployment"] = _last(mine)
    info["lastSuccessfulDeployment"] = _last(succeeded)
    return {key: value for key, value in info.items() if value not in ({}, None)}


def _last(found: list[Deployment]) -> dict[str, Any] | None:
    if not found:
        return None
    last = found[-1]
    return {
        "deploymentId": last.deployment_id,
        "status": last.status,
        "endTime": last.complete_time,
        "createTime": last.create_time,
    }


class Answers(CodeDeployResponse):
    """Operations added to moto's, or put in the place of its own."""

    @property
    def stand_in(self) -> Backend:
        return cast(Backend, self.codedeploy_backend)

    # Deployments.

    def create_deployment(self) -> ActionResult:
        deployment_id = self.stand_in.deploy(
            application_name=self._get_param("applicationName"),
            deployment_group_name=self._get_param("deploymentGroupName"),
            revision=self._get_param("revision"),
            deployment_config_name=self._get_param("deploymentConfigName"),
            description=self._get_param("description"),
            auto_rollback_configuration=self._get_param("autoRollbackConfiguration"),
            override_alarm_configuration=self._get_param("overrideAlarmConfiguration"),
        )
        return ActionResult({"deploymentId": deployment_id})

    def get_deployment(self) -> ActionResult:
        deployment = self.stand_in.get_deployment(self._get_param("deploymentId"))
        return ActionResult({"deploymentInfo": deployment.describe()})

    def batch_get_deployments(self) -> ActionResult:
        known = self.stand_in.deployments
        found = [known[each] for each in self._get_param("deploymentIds") or [] if each in known]
        return ActionResult({"deploymentsInfo": [deployment.describe() for deployment in found]})

    def stop_deployment(self) -> ActionResult:
        deployment = self.stand_in.get_deployment(self._get_param("deploymentId"))
        if not deployment.is_active:
            raise CodeDeployError(
                "DeploymentAlreadyCompletedException",
                f"The deployment {deployment.deployment_id} is already {deployment.status}.",
            )
        deployment.stop(self._get_bool_param("autoRollbackEnabled"))
        return ActionResult({"status": "Pending", "statusMessage": "The deployment is being stopped."})

    # Targets.

    def get_deployment_target(self) -> ActionResult:
        target_id = self._get_param("targetId")
        if not target_id:
            raise CodeDeployError("DeploymentTargetIdRequiredException", "The deployment target ID is required.")
        return ActionResult({"deploymentTarget": self._target(self._get_param("deploymentId"), target_id)})

    def batch_get_deployment_targets(self) -> ActionResult:
        target_ids = self._get_param("targetIds")
        if not target_ids:
            raise CodeDeployError(
                "DeploymentTargetIdRequiredException", "At least one deployment target ID is required."
            )
        if len(target_ids) > 25:
            raise CodeDeployError(
                "DeploymentTargetListSizeExceededException",
                f"{len(target_ids)} target IDs were given; 25 are allowed.",
            )
        deployment_id = self._get_param("deploymentId")
        return ActionResult({"deploymentTargets": [self._target(deployment_id, each) for each in target_ids]})

    def list_deployment_targets(self) -> ActionResult:
        deployment = self._started(self._get_param("deploymentId"))
        filters = self._get_param("targetFilters") or {}
        wanted = filters.get("TargetStatus")
        status = deployment.describe_target()["ecsTarget"]["status"]
        return ActionResult({"targetIds": [deployment.target_id] if not wanted or status in wanted else []})

    def _started(self, deployment_id: str | None) -> Deployment:
        deployment = self.stand_in.get_deployment(deployment_id)
        if deployment.status in ("Created", "Queued"):
            raise CodeDeployError(
                "DeploymentNotStartedException",
                f"The deployment {deployment.deployment_id} has not started yet.",
            )
        return deployment

    def _target(self, deployment_id: str | None, target_id: str) -> dict[str, Any]:
        deployment = self._started(deployment_id)
        if target_id != deployment.target_id:
            raise CodeDeployError(
                "DeploymentTargetDoesNotExistException",
                f"The deployment {deployment.deployment_id} has no target {target_id}.",
            )
        return deployment.describe_target()

    # Hooks.

    def put_lifecycle_event_hook_execution_status(self) -> ActionResult:
        deployment = self.stand_in.get_deployment(self._get_param("deploymentId"))
        execution_id = self._get_param("lifecycleEventHookExecutionId")
        deployment.put_report(execution_id, self._get_param("status"))
        return ActionResult({"lifecycleEventHookExecutionId": execution_id})

    # Revisions.

    def get_application_revision(self) -> ActionResult:
        name = self._get_param("applicationName")
        found = self.stand_in.get_application_revision(name, self._get_param("revision"))
        return ActionResult({"applicationName": name, "revision": found.revision, "revisionInfo": found.describe()})

    def register_application_revision(self) -> ActionResult:
        name = self._get_param("applicationName")
        self.stand_in.get_application(name)
        revision = checked_revision(self._get_param("revision"))
        self.stand_in.register(name, revision, self._get_param("description"))
        return EmptyResult()

    # Deployment configurations.

    def get_deployment_config(self) -> ActionResult:
        config = self.stand_in.get_deployment_config(self._get_param("deploymentConfigName"))
        return ActionResult({"deploymentConfigInfo": config})

    def create_deployment_config(self) -> ActionResult:
        name = self._get_param("deploymentConfigName")
        configs = self.stand_in.configs
        if not name:
            raise CodeDeployError("DeploymentConfigNameRequiredException", "The configuration name is required.")
        if name in configs or name in BUILT_IN_CONFIGS:
            raise CodeDeployError("DeploymentConfigAlreadyExistsException", f"The configuration {name} exists already.")
        platform = self._get_param("computePlatform") or "Server"
        configs[name] = {
            "deploymentConfigId": str(uuid4()),
            "deploymentConfigName": name,
            "computePlatform": platform,
            "createTime": utcnow(),
            "minimumHealthyHosts": self._get_param("minimumHealthyHosts"),
            "trafficRoutingConfig": self._get_param("trafficRoutingConfig")
            or ({"type": "AllAtOnce"} if platform != "Server" else None),
        }
        return ActionResult({"deploymentConfigId": configs[name]["deploymentConfigId"]})

    def delete_deployment_config(self) -> ActionResult:
        name = self._get_param("deploymentConfigName")
        if name in BUILT_IN_CONFIGS:
            raise CodeDeployError("InvalidOperationException", f"The configuration {name} is CodeDeploy's own.")
        self.stand_in.configs.pop(name, None)
        return EmptyResult()

    def list_deployment_configs(self) -> ActionResult:
        return ActionResult({"deploymentConfigsList": [*BUILT_IN_CONFIGS, *self.stand_in.configs]})

    # Applications and deployment groups: what Terraform needs to change and to destroy them.

    def update_application(self) -> ActionResult:
        backend = self.stand_in
        old, new = self._get_param("applicationName"), self._get_param("newApplicationName")
        application = backend.get_application(old)
        if new and new != old:
            if new in backend.applications:
                raise CodeDeployError("ApplicationAlreadyExistsException", f"The application {new} exists already.")
            application.application_name = new
            for known in self._by_application():
                if old in known:
                    known[new] = known.pop(old)
        return EmptyResult()

    def delete_application(self) -> ActionResult:
        for known in self._by_application():
            known.pop(self._get_param("applicationName"), None)
        return EmptyResult()

    def _by_application(self) -> list[dict[str, Any]]:
        backend = self.stand_in
        return [backend.applications, backend.deployment_groups, backend.revisions]

    def update_deployment_group(self) -> ActionResult:
        backend = self.stand_in
        application = self._get_param("applicationName")
        old = self._get_param("currentDeploymentGroupName")
        group = backend.get_deployment_group(application, old)
        for parameter, attribute in _GROUP_FIELDS.items():
            value = self._get_param(parameter)
            if value is not None:
                setattr(group, attribute, value)
        new = self._get_param("newDeploymentGroupName")
        if new and new != old:
            group.deployment_group_name = new
            backend.deployment_groups[application][new] = backend.deployment_groups[application].pop(old)
        pair_listeners(backend.account_id, backend.region_name, group.load_balancer_info)
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_deployment_group(self) -> ActionResult:
        groups = self.stand_in.deployment_groups.get(self._get_param("applicationName"), {})
        groups.pop(self._get_param("deploymentGroupName"), None)
        return ActionResult({"hooksNotCleanedUp": []})


def install() -> None:
    """Put the operations into moto."""
    graft(Answers)
    moto_responses._deployment_group_info = deployment_group_info  # noqa: SLF001
