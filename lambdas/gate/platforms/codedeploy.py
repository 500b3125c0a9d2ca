"""CodeDeploy: its event names a deployment, its verdict is a status by API, and it continues by invoking itself."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Optional

from gate import aws, elb
from gate.appspec import parse_appspec
from gate.deployment import Deployment, Words
from gate.ecs import NotShownYet, Service, Side
from gate.elb import TargetGroup
from gate.options import IN_AN_HOUR
from gate.plan import Plan
from gate.platforms import Continuation
from gate.redact import utf8_safe
from gate.settings import Environment
from gate.verdict import Finding, ProbeError, Verdict, failed, passed
from gate.waiting import MAX_CONTINUATIONS, OutOfTime, interrupt

logger = logging.getLogger("gate")

OVER = ("Succeeded", "Failed", "Stopped")
FIELDS = ("DeploymentId", "LifecycleEventHookExecutionId")
NAMES = {"application": "applicationName", "deployment_group": "deploymentGroupName"}
OF_ECS = ("lifecycle_hooks",)  # checks of ECS's own blue/green
REPORT = "put_lifecycle_event_hook_execution_status"
ATTEMPT_TIME = 10.0  # seconds for one report: botocore's time-outs are between two bytes, which may drip for ever
# Errors of the report that no retry fixes (botocore's model of the operation).
FINAL = (
    "DeploymentDoesNotExistException",
    "DeploymentIdRequiredException",
    "InvalidDeploymentIdException",
    "InvalidLifecycleEventHookExecutionIdException",
    "InvalidLifecycleEventHookExecutionStatusException",
    "UnsupportedActionForDeploymentTypeException",
)


class ReportFailed(Exception):
    """CodeDeploy did not take the report. Raised so that Lambda delivers the event again."""


class _NoAnswer(Exception):
    """CodeDeploy's answer does not come to an end."""


class CodeDeploy:
    """One lifecycle event of CodeDeploy. See `Platform`."""

    name = "codedeploy"
    stage = ""
    most_continuations = MAX_CONTINUATIONS

    def __init__(self, event: Any, context: Any) -> None:
        self.deployment_id, self.execution_id, self.continuation, self.event_error = read_event(event)
        name = getattr(context, "invoked_function_arn", "")
        self.own_function = name if isinstance(name, str) else ""  # empty: somebody calls the handler by hand
        self._request = str(getattr(context, "aws_request_id", ""))

    def deployment(self, environment: Environment) -> Deployment:
        """See `Platform`."""
        return CodeDeployDeployment(self.deployment_id, environment.cluster, environment.service)

    def identify(self, deployment: Deployment, event_name: str) -> list[Finding]:
        """See `Platform`. CodeDeploy does not say at which event it invokes a function."""
        del event_name
        return [self._is_ours(deployment)]

    def _is_ours(self, deployment: Deployment) -> Finding:
        assert isinstance(deployment, CodeDeployDeployment)  # noqa: S101 - it was made here
        ours = f"{deployment.cluster}/{deployment.service_name}"
        status = deployment.info.get("status")
        if status in OVER:
            said = f"deployment {deployment.id} is already {status}: there is nothing left to judge"
            return failed(said, terminal=True)
        deployed = deployment.deploys()
        name = f"{deployment.info['applicationName']}/{deployment.info['deploymentGroupName']}"
        if ours not in deployed:
            return failed(
                f"deployment {deployment.id} of {name} deploys {', '.join(deployed) or 'no ECS service'}, but this "
                f"hook watches {ours}: put that service's hooks into the AppSpec, or fix ecs_cluster_name, "
                "ecs_service_name",
                terminal=True,
            )
        kind = "rollback deployment" if deployment.is_rollback else "deployment"
        return passed(f"{kind} {deployment.id} of {name} deploys {ours}")

    @property
    def can_continue(self) -> bool:
        """See `Platform`."""
        return bool(self.own_function)

    def answer(self, status: str) -> dict[str, Any]:
        """See `Platform`. CodeDeploy reads no answer."""
        del status
        return {}

    def continue_later(self, continuation: Continuation, seconds: float) -> str:
        """Queue the event, with the continuation, for this function. See `Platform`."""
        carried = {**continuation.as_dict(), "request_id": self._request}
        event = {**dict(zip(FIELDS, (self.deployment_id, self.execution_id))), "Continuation": carried}
        payload = json.dumps(event, default=str, ensure_ascii=False).encode(errors="replace")
        with interrupt(seconds, OutOfTime):
            sent = aws.call("lambda", "invoke", FunctionName=self.own_function, InvocationType="Event", Payload=payload)
        if sent.get("StatusCode") != 202:  # Lambda's word for "queued"
            raise ProbeError(f"lambda:InvokeFunction answered {sent.get('StatusCode')}, expected 202")
        return f"by request {sent.get('ResponseMetadata', {}).get('RequestId', 'unknown')}"

    def deliver(self, verdict: Verdict, ends_at: float) -> bool:
        """See `Platform`. Report the verdict. Retries until `ends_at`, for a lost report costs the deployment an hour.

        A report that was already made is as good as made. Raises ReportFailed if none gets through.
        """
        if not self.deployment_id or not self.execution_id:
            return True
        status = "Succeeded" if verdict.succeeded else "Failed"
        attempt = 0
        while True:
            attempt += 1
            began = time.monotonic()
            try:
                self._report(status, min(ATTEMPT_TIME, max(1.0, ends_at - began - 1)))
            except Exception as problem:
                code = (getattr(problem, "response", None) or {}).get("Error", {}).get("Code", "")
                if code == "LifecycleEventAlreadyCompletedException":
                    logger.info("CodeDeploy already has a report", extra={"deployment_id": self.deployment_id})
                    return attempt > 1  # of an attempt of ours, whose answer was lost
                reason = aws.explain(problem, "codedeploy", REPORT)
                pause = min(2.0 ** (attempt - 1) / 2, 5.0)
                now = time.monotonic()
                # The next attempt may take as long as this one did.
                if code in FINAL or now + pause + (now - began) + 1 > ends_at:
                    said = f"{status} could not be reported after {attempt} attempt(s): {reason}"
                    raise ReportFailed(said) from problem
                extra = {"deployment_id": self.deployment_id}
                logger.warning("report attempt %d failed: %s", attempt, reason, extra=extra)
                time.sleep(pause)
            else:
                return True

    def _report(self, status: str, seconds: float) -> None:
        # One attempt a client call: the retries are in `deliver`, where the clock is.
        with interrupt(seconds, _NoAnswer), aws.answering("codedeploy", REPORT):
            answer = aws.client("codedeploy", attempts=1).put_lifecycle_event_hook_execution_status(
                deploymentId=self.deployment_id, lifecycleEventHookExecutionId=self.execution_id, status=status
            )
        aws.readable(answer, "codedeploy", REPORT)  # CodeDeploy echoes the id; a proxy on the way does not


class CodeDeployDeployment(Deployment):
    """A deployment as CodeDeploy has it. See `Deployment`."""

    longest = float(IN_AN_HOUR)
    most_continuations = MAX_CONTINUATIONS
    words = Words(
        mover="CodeDeploy",
        source="the AppSpec",
        group="the deployment group",
        fix_group="fix the deployment group",
        production="prodTrafficRoute.listenerArns",
        add_test_route="add one to the deployment group (test_traffic_route)",
        hooks="the AppSpec's Hooks",
        output="appspec_hooks",
        leave_out='leave the hook out of the AppSpec (appspec_without = ["validate_test_traffic"])',
        description="the description of the CodeDeploy deployment",
        invoker="CodeDeploy's service role",
        allow_invoking="attach the module's output invoke_policy_json or the managed policy AWSCodeDeployRoleForECS",
        leave_alone="",
    )

    @property
    def info(self) -> Mapping[str, Any]:
        """GetDeployment's answer."""
        return self.memoize("info", self._read_info)

    def _read_info(self) -> Mapping[str, Any]:
        info = aws.call("codedeploy", "get_deployment", deploymentId=self.id).get("deploymentInfo") or {}
        if not info.get("applicationName") or not info.get("deploymentGroupName"):
            raise ProbeError(f"CodeDeploy names no application and deployment group for {self.id}")
        return info

    @property
    def names(self) -> Mapping[str, str]:
        """See `Deployment`."""
        info = self._kept.get("info", ({}, None))[0] or {}
        return {name: str(info.get(key, "")) for name, key in NAMES.items()}

    @property
    def group(self) -> Mapping[str, Any]:
        """GetDeploymentGroup's answer."""
        return self.memoize("group", self._read_group)

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
    def description(self) -> str:
        """Of a rollback CodeDeploy writes it, and nobody else."""
        return "" if self.is_rollback else str(self.info.get("description") or "")

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
            raise ProbeError(f"CodeDeploy does not name an alarm of {self.info['deploymentGroupName']}")
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
        return self.memoize("shift", self._read_shift)

    def _read_shift(self) -> datetime | None:
        target = f"{self.cluster}:{self.service_name}"
        answer = aws.call("codedeploy", "get_deployment_target", deploymentId=self.id, targetId=target)
        events = ((answer.get("deploymentTarget") or {}).get("ecsTarget") or {}).get("lifecycleEvents") or []
        return next((e.get("startTime") for e in events if e.get("lifecycleEventName") == "AllowTraffic"), None)

    @property
    def plan(self) -> Plan:
        """The deployment's AppSpec, from CodeDeploy or from S3 (which needs s3:GetObject)."""
        return self.memoize("appspec", lambda: parse_appspec(self._appspec_text()))

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
            raise ProbeError(f"the revision of {self.id} is of type {kind}, which no ECS deployment uses")
        answer = aws.call(
            "codedeploy",
            "get_application_revision",
            applicationName=self.info["applicationName"],
            revision={"revisionType": kind, field: {"sha256": (revision.get(field) or {}).get("sha256", "")}},
        )
        content = ((answer.get("revision") or {}).get(field) or {}).get("content")
        if not content:
            raise ProbeError(f"CodeDeploy returned no content for the AppSpec of {self.id}")
        return str(content)

    def green(self, service: Service | None = None) -> Side:
        """The task set this deployment made: its `externalId` is the deployment's id.

        A rollback makes none: there it is the only active task set not created by the failed deployment.
        """
        task_sets = (service or self.service()).sides
        made = [task_set for task_set in task_sets if task_set.external_id == self.id]
        if not made and self.is_rollback:
            made = [t for t in task_sets if t.in_use and t.external_id != self.triggering_deployment]
        if len(made) != 1:
            listed = ", ".join(f"{t.id} {t.status} of {t.external_id or 'the service'}" for t in task_sets) or "none"
            raise NotShownYet(f"service {self.service_name} has no task set of deployment {self.id} (it has: {listed})")
        return made[0]

    @cached_property
    def _pair(self) -> Mapping[str, Any]:
        for source in (self.info, self.group):
            pairs = (source.get("loadBalancerInfo") or {}).get("targetGroupPairInfoList") or []
            if pairs:
                return pairs[0]  # type: ignore[no-any-return]  # ECS deployments have exactly one pair
        raise ProbeError(f"deployment group {self.info['deploymentGroupName']} has no target group pair")

    @property
    def without(self) -> Mapping[str, str]:
        """See `Deployment`."""
        return dict.fromkeys(OF_ECS, "it is about ECS's own blue/green")

    def invoker_of(self, function: str) -> str:
        """See `Deployment`."""
        del function
        return self.passer

    @property
    def passer(self) -> str:
        """See `Deployment`."""
        return str(self.group.get("serviceRoleArn") or "")

    def why_not_controlled(self, service: Service) -> str:
        """See `Deployment`."""
        if service.controller == "CODE_DEPLOY":
            return ""
        return f"has deployment controller {service.controller}, expected CODE_DEPLOY (set when a service is created)"

    @property
    def target_groups(self) -> list[TargetGroup]:
        """See `Deployment`."""
        cure = self.words.fix_group
        return self.memoize("target groups", lambda: elb.read_target_groups(self._target_group_names, cure))

    @property
    def _target_group_names(self) -> list[str]:
        names = [str(entry["name"]) for entry in self._pair.get("targetGroups") or [] if entry.get("name")]
        if not names:  # asked for no name, the load balancer would answer with every group of the account
            raise ProbeError(f"deployment group {self.info['deploymentGroupName']} names no target group")
        return names

    def routes(self, name: str) -> list[str]:
        """The listeners of a route; CodeDeploy takes one."""
        key = {"production": "prodTrafficRoute", "test": "testTrafficRoute"}[name]
        return [str(arn) for arn in (self._pair.get(key) or {}).get("listenerArns") or []]


def read_event(event: Any) -> tuple[str, str, Optional[Continuation], str]:
    """The event's deployment id, execution id and continuation, and why it cannot be used (empty if it can).

    Source of the rule: CodeDeploy sends exactly `DeploymentId` and `LifecycleEventHookExecutionId`, both text;
    `Continuation` is this module's own.
    """
    if not isinstance(event, Mapping):
        return "", "", None, f"the event is a {type(event).__name__}, expected CodeDeploy's lifecycle event"
    # In other spellings they are not CodeDeploy's, but still say which deployment waits for a report.
    spelled = {str(key).lower(): value for key, value in event.items()}
    given = [event.get(key) or spelled.get(key.lower()) for key in FIELDS]
    ids = [utf8_safe(value) if isinstance(value, str) else "" for value in given]
    missing = [key for key, value in zip(FIELDS, ids) if not value]
    unknown = sorted(str(key) for key in event if key not in (*FIELDS, "Continuation"))
    problems = [f"it has no {' and no '.join(missing)}"] if missing else []
    if unknown:
        problems.append(f"it has unknown fields: {', '.join(unknown)[:200]}")
    continuation = Continuation.of(event.get("Continuation"), MAX_CONTINUATIONS)
    if continuation is None and "Continuation" in event:
        problems.append("its Continuation is not one that this hook wrote")
    said = f"the event is not CodeDeploy's (expected just {' and '.join(FIELDS)}): {'; '.join(problems)}"
    return ids[0], ids[1], continuation, said if problems else ""
