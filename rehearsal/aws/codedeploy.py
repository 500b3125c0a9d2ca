"""CodeDeploy: deployments of ECS services, their lifecycle events and their hooks' reports.

moto keeps a deployment as a record that nothing happens to, and lacks what a hook calls. Here a `Deployment` has its
eight lifecycle events; a player moves them with `begin`, `finish` and `set_status`, and the API shows them as recorded
on AWS:

- ids `d-XXXXXXXXX`; all eight events are listed from the start, the later ones `Pending` without times; after a stop
  the rest are `Skipped`; `deploymentOverview` is absent while it runs;
- `GetDeployment` never returns the AppSpec, only its sha256; `GetApplicationRevision` does;
- a rollback is a deployment of its own, and `rollbackInfo` links the two.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast

from moto.codedeploy.models import (
    Application,
    CodeDeployBackend,
    DeploymentGroup,
    DeploymentInfo,
    codedeploy_backends,
)
from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from rehearsal.aws.graft import graft

EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)
"""The lifecycle events of a deployment to ECS, in order (user guide, AppSpec hooks)."""

HOOK_EVENTS = tuple(event for event in EVENTS if event.startswith(("Before", "After")))
"""The events that run a function."""

ACTIVE = frozenset({"Created", "Queued", "InProgress", "Baking", "Ready"})
"""The statuses of a deployment that is not over."""

_DEPLOYMENT_ID = re.compile(r"d-[0-9A-Z]{9}")


class CodeDeployError(ServiceException):
    """An error of the service model: `code` is the name of one of its error shapes."""


@dataclass
class LifecycleEvent:
    """One lifecycle event of a deployment."""

    name: str
    status: str = "Pending"
    start_time: datetime | None = None
    end_time: datetime | None = None
    execution_id: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return the shape LifecycleEvent."""
        return {
            "lifecycleEventName": self.name,
            "status": self.status,
            "startTime": self.start_time,
            "endTime": self.end_time,
        }


@dataclass(frozen=True)
class Report:
    """One call of PutLifecycleEventHookExecutionStatus, accepted or refused."""

    execution_id: str | None
    event: str | None
    status: str | None
    error: str | None
    """The error code with which it was refused."""
    at: datetime = field(default_factory=utcnow)

    @property
    def accepted(self) -> bool:
        """Say whether the report ended its event."""
        return self.error is None


class Deployment(DeploymentInfo):
    """A deployment to an ECS service."""

    def __init__(
        self,
        backend: Backend,
        application: Application,
        group: DeploymentGroup,
        revision: dict[str, Any],
        *,
        config_name: str | None = None,
        description: str | None = None,
        auto_rollback_configuration: dict[str, Any] | None = None,
        override_alarm_configuration: dict[str, Any] | None = None,
        creator: str = "user",
        rollback_of: Deployment | None = None,
    ) -> None:
        super().__init__(
            application,
            group,
            revision,
            config_name or group.deployment_config_name,
            description,
            ignore_application_stop_failures=None,
            targetInstances=None,
            auto_rollback_configuration=auto_rollback_configuration or group.auto_rollback_configuration,
            update_outdated_instances_only=None,
            file_exists_behavior=None,
            override_alarm_configuration=None,
            creator=creator,
        )
        # moto names a class of its own here and passes on what the request holds.
        self.alarm_override = override_alarm_configuration
        alphabet = string.digits + string.ascii_uppercase
        self.deployment_id = "d-" + "".join(mock_random.choice(alphabet) for _ in range(9))
        self.backend = backend
        self.events = [LifecycleEvent(name) for name in EVENTS]
        self.reports: list[Report] = []
        """Every report that came in for this deployment, also the refused ones."""
        self.error_information: dict[str, str] | None = None
        self.rollback_info: dict[str, str] = {}
        self.rollback_of = rollback_of
        self.previous_revision = backend.target_revisions.get(group.deployment_group_id)
        self.stop_requested = False
        """StopDeployment was called: the player ends what it is doing."""
        self.rollback_requested: bool | None = None
        """What StopDeployment was given as `autoRollbackEnabled`."""
        self.blue_task_set_id: str | None = rollback_of.blue_task_set_id if rollback_of else _primary_task_set_id(self)
        """The id of the original task set, `ecs-svc/<number>`."""
        self.last_updated_at = self.create_time
        self._changed = threading.Condition()

    # What a player does.

    def event(self, name: str) -> LifecycleEvent:
        """Return a lifecycle event by name; raises KeyError for one that a deployment to ECS does not have."""
        for event in self.events:
            if event.name == name:
                return event
        raise KeyError(f"{name} is not a lifecycle event of a deployment to ECS: {', '.join(EVENTS)}")

    def begin(self, event: str) -> str:
        """Mark an event InProgress (and the deployment, if it was not) and return its hook execution id."""
        with self._changed:
            found = self.event(event)
            now = utcnow()
            if self.status in ("Created", "Queued"):
                self.status = "InProgress"
                self.start_time = now
            found.status, found.start_time, self.last_updated_at = "InProgress", now, now
            token = {
                "deployment": self.deployment_id,
                "event": event,
                "nonce": mock_random.get_random_hex(16),
            }
            found.execution_id = base64.b64encode(json.dumps(token).encode()).decode()
            return found.execution_id

    def finish(self, event: str, status: str) -> None:
        """Mark an event as ended: Succeeded, Failed or Skipped."""
        with self._changed:
            self._finish(self.event(event), status)

    def reported(self, execution_id: str) -> str | None:
        """Return what was accepted as the report for an execution id: Succeeded, Failed, or None so far."""
        for report in self.reports:
            if report.accepted and report.execution_id == execution_id:
                return report.status
        return None

    def wait_for_report(self, execution_id: str, timeout: float) -> str | None:
        """Wait up to `timeout` seconds for a report; None if none came, or the deployment ended meanwhile."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.reported(execution_id) is not None or self.stop_requested or not self.is_active,
                timeout,
            )
        return self.reported(execution_id)

    def set_status(self, status: str, error: tuple[str, str] | None = None) -> None:
        """Set the deployment's status, with (code, message) of its errorInformation.

        With a status that ends it, an event still in progress is Failed (Skipped after a stop), and those that are
        Pending are Skipped.
        """
        with self._changed:
            self.status = status
            self.last_updated_at = utcnow()
            if error is not None:
                self.error_information = {"code": error[0], "message": error[1]}
            if status == "InProgress" and self.start_time is None:
                self.start_time = self.last_updated_at
            if not self.is_active:
                self.complete_time = self.last_updated_at
                for event in self.events:
                    if event.status == "InProgress":
                        self._finish(event, "Failed" if status == "Failed" else "Skipped")
                    elif event.status == "Pending":
                        event.status = "Skipped"
            if status == "Succeeded":
                self.backend.target_revisions[self.deployment_group.deployment_group_id] = self.revision
            self._changed.notify_all()

    @property
    def is_active(self) -> bool:
        """Say whether the deployment is not over."""
        return self.status in ACTIVE

    # What the API does.

    def put_report(self, execution_id: str | None, status: str | None) -> None:
        """Take a hook's report; raises CodeDeployError if it is refused."""
        with self._changed:
            event = next((e for e in self.events if execution_id and e.execution_id == execution_id), None)
            error = self._refusal(event, status)
            self.reports.append(
                Report(execution_id, event.name if event else None, status, error.code if error else None)
            )
            if error is not None:
                raise error
            if event is not None and status is not None:
                self._finish(event, status)
            self._changed.notify_all()

    def stop(self, auto_rollback: bool | None) -> None:
        """Do what StopDeployment does: ask the player to stop, or stop at once what has not begun."""
        with self._changed:
            self.stop_requested = True
            self.rollback_requested = auto_rollback
            self._changed.notify_all()

    def app_spec(self) -> str | None:
        """Return the AppSpec's text, JSON or YAML; None if the revision is kept in S3."""
        _, content = _content(self.revision)
        return content

    @property
    def target_id(self) -> str:
        """The one deployment target: `<cluster>:<service>`, names only."""
        services = self.deployment_group.ecs_services
        return f"{services[0]['clusterName']}:{services[0]['serviceName']}" if services else ":"

    def _refusal(self, event: LifecycleEvent | None, status: str | None) -> CodeDeployError | None:
        if self.application.compute_platform not in ("ECS", "Lambda"):
            return CodeDeployError(
                "UnsupportedActionForDeploymentTypeException",
                "Lifecycle event hooks are supported only for deployments to ECS and Lambda.",
            )
        if event is None:
            return CodeDeployError(
                "InvalidLifecycleEventHookExecutionIdException",
                "The lifecycle event hook execution ID is invalid.",
            )
        if status not in ("Succeeded", "Failed"):
            # The enum has six values; the service takes two.
            return CodeDeployError(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"The status {status} is not valid: specify Succeeded or Failed.",
            )
        if event.status != "InProgress" or not self.is_active:
            return CodeDeployError(
                "LifecycleEventAlreadyCompletedException",
                f"The lifecycle event {event.name} of deployment {self.deployment_id} is already completed.",
            )
        return None

    def _finish(self, event: LifecycleEvent, status: str) -> None:
        now = utcnow()
        event.status, event.end_time, self.last_updated_at = status, now, now
        if event.start_time is None:
            event.end_time = None

    # The shapes.

    def describe(self) -> dict[str, Any]:
        """Return the shape DeploymentInfo."""
        group = self.deployment_group
        overview = None
        if not self.is_active:
            names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
            overview = dict.fromkeys(names, 0)
            overview["Succeeded" if self.status == "Succeeded" else "Failed"] = 1
        return {
            "applicationName": self.application_name,
            "deploymentGroupName": self.deployment_group_name,
            "deploymentConfigName": str(self.deployment_config_name),
            "deploymentId": self.deployment_id,
            "previousRevision": without_content(self.previous_revision) if self.previous_revision else None,
            "revision": without_content(self.revision),
            "status": self.status,
            "errorInformation": self.error_information,
            "createTime": self.create_time,
            "startTime": self.start_time,
            "completeTime": self.complete_time,
            "deploymentOverview": overview,
            "description": self.description,
            "creator": self.creator,
            "ignoreApplicationStopFailures": False,
            "autoRollbackConfiguration": self.auto_rollback_configuration or None,
            "updateOutdatedInstancesOnly": False,
            "rollbackInfo": self.rollback_info or None,
            "deploymentStyle": group.deployment_style or None,
            "instanceTerminationWaitTimeStarted": False,
            "blueGreenDeploymentConfiguration": group.blue_green_deployment_configuration or None,
            "loadBalancerInfo": group.load_balancer_info or None,
            "fileExistsBehavior": "DISALLOW",
            "deploymentStatusMessages": [],
            "computePlatform": self.application.compute_platform,
            "overrideAlarmConfiguration": self.alarm_override,
        }

    def describe_target(self) -> dict[str, Any]:
        """Return the shape DeploymentTarget, with the task sets as they are now."""
        from rehearsal.aws.codedeploy_targets import task_sets_info

        status = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed", "Ready": "InProgress"}
        backend = self.backend
        arn = f"arn:{backend.partition}:codedeploy:{backend.region_name}:{backend.account_id}:ecsservice"
        return {
            "deploymentTargetType": "ECSTarget",
            "ecsTarget": {
                "deploymentId": self.deployment_id,
                "targetId": self.target_id,
                "targetArn": f"{arn}/{self.target_id}",
                "lastUpdatedAt": self.last_updated_at,
                "lifecycleEvents": [event.describe() for event in self.events],
                "status": status.get(self.status, self.status),
                "taskSetsInfo": task_sets_info(self),
            },
        }


def _primary_task_set_id(deployment: Deployment) -> str | None:
    from rehearsal.aws.codedeploy_targets import primary_task_set_id

    return primary_task_set_id(deployment)


# Revisions.


def _content(revision: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the key under which a revision holds its text, and the text."""
    for key in ("appSpecContent", "string"):
        if revision.get(key):
            return key, revision[key].get("content")
    return None, None


def checked_revision(revision: dict[str, Any] | None) -> dict[str, Any]:
    """Return a revision as CodeDeploy registers it, with its sha256; raises CodeDeployError."""
    if not revision:
        raise CodeDeployError("RevisionRequiredException", "The revision is required.")
    key, content = _content(revision)
    if key is None:
        if revision.get("s3Location") or revision.get("gitHubLocation"):
            return revision
        raise CodeDeployError("InvalidRevisionException", "The revision names no AppSpec content and no location.")
    if not content:
        raise CodeDeployError("InvalidRevisionException", "The AppSpec content is empty.")
    digest = hashlib.sha256(content.encode()).hexdigest()
    given = revision[key].get("sha256")
    if given and given != digest:
        raise CodeDeployError("InvalidRevisionException", f"The sha256 of the AppSpec is {digest}, not {given}.")
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}}


def without_content(revision: dict[str, Any]) -> dict[str, Any]:
    """Return a revision as GetDeployment shows it: the AppSpec's sha256, its content always null."""
    key, _ = _content(revision)
    if key is None:
        return revision
    return {"revisionType": revision["revisionType"], key: {"sha256": revision[key]["sha256"]}}


def revision_key(revision: dict[str, Any]) -> str:
    """Return what tells two revisions of an application apart."""
    key, content = _content(revision)
    if key is None:
        return json.dumps(revision, sort_keys=True)
    digest = revision[key].get("sha256")
    return digest or hashlib.sha256((content or "").encode()).hexdigest()


@dataclass
class RegisteredRevision:
    """A revision as its application knows it."""

    revision: dict[str, Any]
    description: str | None = None
    groups: list[str] = field(default_factory=list)
    registered: datetime = field(default_factory=utcnow)
    first_used: datetime | None = None
    last_used: datetime | None = None

    def use(self, group: str) -> None:
        """Note a deployment of this revision to a group."""
        self.last_used = utcnow()
        self.first_used = self.first_used or self.last_used
        if group not in self.groups:
            self.groups.append(group)

    def describe(self) -> dict[str, Any]:
        """Return the shape GenericRevisionInfo."""
        return {
            "description": self.description,
            "deploymentGroups": self.groups,
            "firstUsedTime": self.first_used,
            "lastUsedTime": self.last_used,
            "registerTime": self.registered,
        }


# Deployment configurations.


def _built_in_configs() -> dict[str, dict[str, Any]]:
    configs: dict[str, dict[str, Any]] = {}

    def add(platform: str, name: str, routing: dict[str, Any] | None, healthy: dict[str, Any] | None = None) -> None:
        full = f"CodeDeployDefault.{name}"
        configs[full] = {
            "deploymentConfigId": f"00000000-0000-0000-0000-{len(configs) + 1:012d}",
            "deploymentConfigName": full,
            "computePlatform": platform,
            "createTime": datetime(2018, 11, 27, tzinfo=timezone.utc),
            "minimumHealthyHosts": healthy,
            "trafficRoutingConfig": routing,
        }

    for platform, minutes in (("ECS", ((1, 3), (5, 15))), ("Lambda", ((1, 2, 3, 10), (5, 10, 15, 30)))):
        add(platform, f"{platform}AllAtOnce", {"type": "AllAtOnce"})
        for kind, every in zip(("Linear", "Canary"), minutes, strict=True):
            for interval in every:
                plural = "s" if kind == "Canary" or interval > 1 or platform == "ECS" else ""
                part = "Every" if kind == "Linear" else ""
                key, unit = f"timeBased{kind}", f"{kind.lower()}Interval"
                percentage = f"{kind.lower()}Percentage"
                routing = {"type": f"TimeBased{kind}", key: {percentage: 10, unit: interval}}
                add(platform, f"{platform}{kind}10Percent{part}{interval}Minute{plural}", routing)
    for name, healthy in (
        ("OneAtATime", {"type": "HOST_COUNT", "value": 1}),
        ("HalfAtATime", {"type": "FLEET_PERCENT", "value": 50}),
        ("AllAtOnce", {"type": "FLEET_PERCENT", "value": 0}),
    ):
        add("Server", name, None, healthy)
    return configs


BUILT_IN_CONFIGS = _built_in_configs()
"""The deployment configurations of CodeDeploy's own (user guide), by name."""


# What a player asks for.


def backends() -> Iterator[Backend]:
    """Iterate over the CodeDeploy backends of all accounts and regions in use."""
    for account in list(codedeploy_backends.values()):
        yield from cast("list[Backend]", list(account.values()))


def deployments() -> Iterator[Deployment]:
    """Iterate over all deployments, in the order in which they were created."""
    for backend in backends():
        yield from list(backend.deployments.values())


def find(deployment_id: str) -> Deployment:
    """Return a deployment by id; raises KeyError."""
    for deployment in deployments():
        if deployment.deployment_id == deployment_id:
            return deployment
    raise KeyError(f"there is no deployment {deployment_id}")


def create_rollback(deployment: Deployment, message: str | None = None) -> Deployment:
    """Create the deployment that rolls another one back, and link the two by rollbackInfo.

    It deploys the group's last successful revision, or, before there is one, an AppSpec made of the original task set;
    all at once, as recorded.
    """
    from rehearsal.aws.codedeploy_targets import blue_app_spec

    group = deployment.deployment_group
    revision = deployment.backend.target_revisions.get(group.deployment_group_id) or checked_revision(
        {"revisionType": "AppSpecContent", "appSpecContent": {"content": blue_app_spec(deployment)}}
    )
    rollback = Deployment(
        deployment.backend,
        deployment.application,
        group,
        revision,
        config_name="CodeDeployDefault.ECSAllAtOnce",
        creator="codeDeployRollback",
        description=f"Automatic rollback of {deployment.deployment_id}",
        rollback_of=deployment,
    )
    reason = message or f"Deployment {deployment.deployment_id} was rolled back."
    rollback.rollback_info = {
        "rollbackTriggeringDeploymentId": deployment.deployment_id,
        "rollbackMessage": reason,
    }
    deployment.rollback_info = {"rollbackDeploymentId": rollback.deployment_id, "rollbackMessage": reason}
    deployment.backend.register(deployment.application_name, revision).use(group.deployment_group_name)
    deployment.backend.deployments[rollback.deployment_id] = rollback
    return rollback


# The backend.

_original_init = CodeDeployBackend.__init__
_original_create_group = CodeDeployBackend.create_deployment_group


class Backend(CodeDeployBackend):
    """moto's backend with what it lacks."""

    deployments: dict[str, Deployment]  # type: ignore[assignment]

    def __init__(self, region_name: str, account_id: str) -> None:
        _original_init(self, region_name, account_id)
        self.target_revisions: dict[str, dict[str, Any]] = {}
        """By deployment group id: the revision last deployed with success."""
        self.configs: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, dict[str, RegisteredRevision]] = {}

    def get_deployment(self, deployment_id: str | None) -> Deployment:
        """Find a deployment, with the errors of the service model."""
        if not deployment_id:
            raise CodeDeployError("DeploymentIdRequiredException", "The deployment ID is required.")
        if not _DEPLOYMENT_ID.fullmatch(deployment_id):
            raise CodeDeployError(
                "InvalidDeploymentIdException",
                f"The specified deployment ID {deployment_id} is not valid: expected d- and nine letters or digits.",
            )
        found = self.deployments.get(deployment_id)
        if found is None:
            raise CodeDeployError(
                "DeploymentDoesNotExistException", f"The deployment {deployment_id} could not be found."
            )
        return found

    def deploy(
        self,
        application_name: str,
        deployment_group_name: str | None,
        revision: dict[str, Any] | None,
        *,
        deployment_config_name: str | None = None,
        description: str | None = None,
        auto_rollback_configuration: dict[str, Any] | None = None,
        override_alarm_configuration: dict[str, Any] | None = None,
    ) -> str:
        """Create a deployment; it stays `Created` until a player begins its first event."""
        application = self.get_application(application_name)
        if not deployment_group_name:
            raise CodeDeployError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
        group = self.get_deployment_group(application_name, deployment_group_name)
        if deployment_config_name:
            self.get_deployment_config(deployment_config_name)
        for other in self.deployments.values():
            if other.deployment_group is group and other.is_active:
                raise CodeDeployError(
                    "DeploymentLimitExceededException",
                    f"The Deployment Group '{deployment_group_name}' already has an active Deployment "
                    f"'{other.deployment_id}'",
                )
        checked = checked_revision(revision)
        deployment = Deployment(
            self,
            application,
            group,
            checked,
            config_name=deployment_config_name,
            description=description,
            auto_rollback_configuration=auto_rollback_configuration,
            override_alarm_configuration=override_alarm_configuration,
        )
        self.register(application_name, checked).use(deployment_group_name)
        self.deployments[deployment.deployment_id] = deployment
        return deployment.deployment_id

    def register(
        self, application_name: str, revision: dict[str, Any], description: str | None = None
    ) -> RegisteredRevision:
        """Register a revision with its application, or return it as registered."""
        known = self.revisions.setdefault(application_name, {})
        key = revision_key(revision)
        if key not in known:
            known[key] = RegisteredRevision(revision, description)
        return known[key]

    def get_application_revision(
        self, application_name: str | None, revision: dict[str, Any] | None
    ) -> RegisteredRevision:
        """Find a registered revision, by the sha256 of its AppSpec."""
        if not application_name:
            raise CodeDeployError("ApplicationNameRequiredException", "The application name is required.")
        self.get_application(application_name)
        if not revision:
            raise CodeDeployError("RevisionRequiredException", "The revision is required.")
        known = self.revisions.get(application_name, {})
        if revision_key(revision) not in known:
            raise CodeDeployError(
                "RevisionDoesNotExistException",
                f"The revision does not exist in application {application_name}.",
            )
        return known[revision_key(revision)]

    def get_deployment_config(self, name: str | None) -> dict[str, Any]:
        """Find a deployment configuration, one of CodeDeploy's own or one created here."""
        if not name:
            raise CodeDeployError("DeploymentConfigNameRequiredException", "The configuration name is required.")
        found = BUILT_IN_CONFIGS.get(name) or self.configs.get(name)
        if found is None:
            raise CodeDeployError(
                "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
            )
        return found

    def create_deployment_group(self, *args: Any, **kwargs: Any) -> str:
        """Create a group; put both target groups behind its production listener, as recorded."""
        from rehearsal.aws.elbv2 import pair_listeners

        application = self.get_application(kwargs["application_name"])
        if not kwargs.get("deployment_config_name") and application.compute_platform == "ECS":
            kwargs["deployment_config_name"] = "CodeDeployDefault.ECSAllAtOnce"
        self.get_deployment_config(kwargs.get("deployment_config_name") or "CodeDeployDefault.OneAtATime")
        alarms = (kwargs.get("alarm_configuration") or {}).get("alarms") or []
        if len(alarms) > 10:
            raise CodeDeployError("AlarmsLimitExceededException", f"{len(alarms)} alarms were given; 10 are allowed.")
        group_id: str = _original_create_group(self, *args, **kwargs)
        group = self.get_deployment_group(kwargs["application_name"], kwargs["deployment_group_name"])
        pair_listeners(self.account_id, self.region_name, group.load_balancer_info)
        return group_id


def install() -> None:
    """Put the additions into moto."""
    graft(Backend)
