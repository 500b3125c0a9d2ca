"""ECS's own blue/green: its event names a service deployment, its verdict is what the function returns.

Sources: the ECS developer guide ("Lifecycle hooks for Amazon ECS service deployments"), botocore's model of ECS, and
events and answers that were recorded. Where these do not say, both ways are right here.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Optional

from gate import aws, ecs, elb
from gate.deployment import Deployment, Words
from gate.ecs import NotShownYet, Service, Side
from gate.elb import TargetGroup
from gate.options import LONGEST
from gate.plan import Plan
from gate.platforms import Continuation
from gate.redact import utf8_safe
from gate.settings import Environment
from gate.verdict import Finding, NotFound, ProbeError, Verdict, failed, passed, skipped

FIELDS = ("lifecycleStage", "resourceArn")
DETAILS = ("serviceArn", "targetServiceRevisionArn", "testTrafficWeights", "productionTrafficWeights")
STATE = "codedeployHooks"  # the key below which our own state is kept in `hookDetails`, beside what the user has there
CALL_BACK = 30  # seconds until the next invocation: ECS's default, and the only value that is known to be taken
MOST_INVOCATIONS = 2000  # a stage may take a day, an invocation a minute

OVER = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
RECURRING = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")  # stages that come again on the way back
BEFORE_EACH_STEP = "PRE_PRODUCTION_TRAFFIC_SHIFT"
# The lifecycle event that a hook is meant for → the stages at which the same can be judged, the first the best.
STAGES: Mapping[str, Sequence[str]] = {
    "BeforeInstall": ("PRE_SCALE_UP",),
    "AfterInstall": ("POST_SCALE_UP",),
    "AfterAllowTestTraffic": ("POST_TEST_TRAFFIC_SHIFT",),
    "BeforeAllowTraffic": (BEFORE_EACH_STEP, "PRE_SCALE_UP"),
    "AfterAllowTraffic": ("POST_PRODUCTION_TRAFFIC_SHIFT", BEFORE_EACH_STEP),
}
SHIFTING = ("BLUE_GREEN", "LINEAR", "CANARY")
OF_CODEDEPLOY = {
    "appspec": "there is no AppSpec: the service's next revision says what is deployed",
    "launch_type": "ECS takes the capacity provider strategy over",
    "stale_task_sets": "there are no task sets: ECS ends the revision that it replaces",
}
EVENTS = {stages[0]: event for event, stages in STAGES.items()}


def is_of_ecs(event: Any) -> bool:
    """Whether an event has a key that only ECS's have."""
    return isinstance(event, Mapping) and bool({"lifecycleStage", "resourceArn", "executionDetails"} & event.keys())


class Ecs:
    """One lifecycle stage of a service deployment. See `Platform`."""

    name = "ecs"
    most_continuations = MOST_INVOCATIONS
    can_continue = True

    def __init__(self, event: Mapping[str, Any], context: Any) -> None:
        arn = getattr(context, "invoked_function_arn", "")
        self.own_function = arn if isinstance(arn, str) else ""
        self.arn, self.stage = _text(event.get("resourceArn")), _text(event.get("lifecycleStage"))
        self.deployment_id = self.arn.rpartition("/")[2]
        details = event.get("executionDetails")
        # An edition of the guide has the details at the top.
        self.details = {**{key: event[key] for key in DETAILS if key in event}, **_mapping(details)}
        self.hook_details = _mapping(event.get("hookDetails"))
        carried = self.hook_details.get(STATE) or None
        self.continuation = Continuation.of(carried, self.most_continuations)
        if self.continuation and _mapping(carried).get("of") != self._here:
            # Whether ECS hands what one stage or step has left to the next one nobody says: there it means nothing.
            carried = self.continuation = None
        self.event_error = self._problem(event, carried)
        self._next: Optional[Continuation] = None

    @property
    def _here(self) -> dict[str, Any]:
        """What tells this stage and step from all others."""
        weights = _mapping(self.details.get("productionTrafficWeights"))
        told = {_text(revision): _number(weight) for revision, weight in weights.items()}
        return {"deployment": self.arn, "stage": self.stage, "weights": told}

    def _problem(self, event: Mapping[str, Any], carried: Any) -> str:
        missing = [name for name in FIELDS if not _text(event.get(name))]
        missing += [name for name in DETAILS[:2] if not _text(self.details.get(name))]
        problems = [f"it has no {' and no '.join(missing)}"] if missing else []
        if self.arn and ":service-deployment/" not in self.arn:
            problems.append(f"its resourceArn is {self.arn[:200]}, no service deployment's")
        if carried is not None and self.continuation is None:
            problems.append(f"hookDetails.{STATE} is not what this hook wrote: take it out of the hook's hook_details")
        said = "; ".join(problems)
        return f"the event is not a lifecycle stage of ECS: {said}" if said else ""

    def deployment(self, environment: Environment) -> EcsDeployment:
        """See `Platform`."""
        return EcsDeployment(self, environment.cluster, environment.service)

    def identify(self, deployment: Deployment, event_name: str) -> list[Finding]:
        """See `Platform`. A rollback is let pass at once: nothing may stand in its way."""
        assert isinstance(deployment, EcsDeployment)  # noqa: S101 - it was made here
        ours, theirs = f"{deployment.cluster}/{deployment.service_name}", deployment.deploys
        if ours != theirs:
            return [
                replace(
                    failed(
                        f"service deployment {deployment.id} is of {theirs}, but this hook watches {ours}: give that "
                        "service its own hooks, or fix ecs_cluster_name, ecs_service_name"
                    ),
                    terminal=True,
                )
            ]
        status = deployment.status
        if status in OVER:
            said = f"service deployment {deployment.id} is already {status}: there is nothing left to judge"
            return [failed(said, terminal=True)]
        if deployment.is_rollback:
            said = f"service deployment {deployment.id} is being rolled back: nothing stands in its way"
            return [replace(skipped(said, opted_out=True), terminal=True)]
        found = [passed(f"service deployment {deployment.id} deploys {ours}, now at {self.stage}")]
        wiring = self._wiring(event_name, deployment)
        return wiring if any(each.terminal for each in wiring) else [*found, *wiring]

    def _on_green(self, deployment: EcsDeployment) -> float:
        """Per cent of production that is on green before a step.

        The rule says it where there are several steps: what the event says at a later one is not documented. Before
        the one step of BLUE_GREEN it is nothing; so it is for a service that is created, if the event says so.
        """
        if _mapping(deployment.info.get("deploymentConfiguration")).get("strategy") == "BLUE_GREEN":
            return 0.0
        weights = _mapping(self.details.get("productionTrafficWeights"))
        if deployment.is_first and weights.get(_text(self.details.get("targetServiceRevisionArn"))) == 0:
            return 0.0
        rule = deployment.production_listener().weights
        group = deployment.target_group_of(deployment.green())
        return 100 * rule.get(group.arn, 0) / (sum(rule.values()) or 1)

    def _wiring(self, event_name: str, deployment: EcsDeployment) -> list[Finding]:
        """What is wrong with the stage at which this hook was invoked."""
        asks_of_steps = event_name in ("BeforeAllowTraffic", "AfterAllowTraffic")
        on_green = self._on_green(deployment) if asks_of_steps and self.stage == BEFORE_EACH_STEP else 0.0
        stages = STAGES.get(event_name, ())
        if event_name == "BeforeAllowTraffic" and self.stage in RECURRING:
            said = (
                f"migrations at {self.stage} would be asked for again on the way back: invoke this hook at {stages[0]}"
            )
            return [failed(said, "stage", terminal=True)]
        if event_name == "BeforeAllowTraffic" and self.stage == BEFORE_EACH_STEP and on_green:
            said = f"a later step of the shift ({on_green:g} % of production is on green): the migration was before"
            return [replace(skipped(said, "stage", opted_out=True), terminal=True)]
        if event_name == "AfterAllowTraffic" and self.stage in RECURRING:
            said = f"whether the traffic has moved when {self.stage} is announced, nobody says"
            return [failed(f"{said}: invoke this hook at {stages[0]}", "stage", terminal=True)]
        if event_name == "AfterAllowTraffic" and self.stage == BEFORE_EACH_STEP and not on_green:
            said = "no production traffic is on green before the first step"
            return [replace(skipped(said, "stage", opted_out=True), terminal=True)]
        if stages and self.stage not in stages:
            said = f"this hook is meant for {' or '.join(stages)} and was invoked at {self.stage}"
            return [replace(failed(f"{said}: move it there in the service's lifecycle_hook", "stage"), advisory=True)]
        return []

    def share(self, route: str = "production") -> float:
        """Per cent of a route's traffic that the event gives to green; 0 where it gives none."""
        weights = _mapping(self.details.get(f"{route}TrafficWeights"))
        return _number(weights.get(_text(self.details.get("targetServiceRevisionArn"))))

    @property
    def goes_back(self) -> bool:
        """Whether the stage is one on the way back: green gets nothing of what shifts, where a shift gives it some."""
        if self.stage not in RECURRING:
            return False
        route = "test" if self.stage == "TEST_TRAFFIC_SHIFT" else "production"
        weights = _mapping(self.details.get(f"{route}TrafficWeights"))
        return any(_number(weight) for weight in weights.values()) and not self.share(route)

    def continue_later(self, continuation: Continuation, seconds: float) -> str:
        """See `Platform`. ECS invokes the function again when it has returned IN_PROGRESS."""
        del seconds
        self._next = continuation
        return f"in {CALL_BACK} s, by ECS"

    def deliver(self, verdict: Verdict, ends_at: float) -> bool:
        """See `Platform`. The verdict is in the answer."""
        del verdict, ends_at
        return True

    def answer(self, status: str) -> dict[str, Any]:
        """See `Platform`. What came with the event goes back: whether ECS keeps what is left out, nobody says.

        Nor whether a later step of the same stage gets what this one has left: at the end it is taken back.
        """
        if status != "CONTINUED" or self._next is None:
            ended = {"hookStatus": "SUCCEEDED" if status == "SUCCEEDED" else "FAILED"}
            return {**ended, "hookDetails": {**self.hook_details, STATE: {}}} if STATE in self.hook_details else ended
        state = {**json.loads(json.dumps(self._next.as_dict(), default=str)), "of": self._here}
        return {
            "hookStatus": "IN_PROGRESS",
            "callBackDelay": CALL_BACK,
            "hookDetails": {**self.hook_details, STATE: state},
        }


class EcsDeployment(Deployment):
    """A service deployment, as ECS has it. See `Deployment`."""

    longest = float(LONGEST)
    most_continuations = MOST_INVOCATIONS
    words = Words(
        mover="ECS",
        source="the service",
        group="the service",
        fix_group="fix the service's load_balancer",
        production="advancedConfiguration.productionListenerRule",
        add_test_route="add one to the service (load_balancer.advanced_configuration.test_listener_rule)",
        hooks="the service's lifecycle hooks",
        output="lifecycle_hooks",
        leave_out="leave the hook out of the service's lifecycle_hook blocks",
        description="the `description` of the hook's hook_details",
        invoker="the role by which ECS invokes the hooks,",
        allow_invoking="take the module's output lifecycle_hooks, or allow it",
        leave_alone=", and let Terraform leave it alone (ignore_changes = [action])",
    )

    def __init__(self, caller: Ecs, cluster: str, service: str) -> None:
        super().__init__(caller.deployment_id, cluster, service)
        self._caller, self.stage = caller, caller.stage
        self._target = _text(caller.details.get("targetServiceRevisionArn"))
        self.number = 0  # of the load balancer that is looked at

    propagation = 15.0  # seen: up to 14 s

    @property
    def without(self) -> Mapping[str, str]:
        """See `Deployment`."""
        return OF_CODEDEPLOY

    passer = ""  # who deploys passes the roles

    def _hooks_of(self, function: str) -> list[Mapping[str, Any]]:
        """The service's hooks that are this function: one, or one for each of its stages."""
        hooks = [_mapping(each) for each in self.configuration.get("lifecycleHooks") or []]
        return [each for each in hooks if each.get("hookTargetArn") == function]

    def invoker_of(self, function: str) -> str:
        """See `Deployment`."""
        return next((_text(each.get("roleArn")) for each in self._hooks_of(function)), "")

    def seconds_of(self, function: str) -> float:
        """See `Deployment`."""
        timeouts = [_mapping(each.get("timeoutConfiguration")) for each in self._hooks_of(function)]
        minutes = [_number(each.get("timeoutInMinutes")) for each in timeouts]
        return min([self.longest, *(60 * each for each in minutes if each)])

    def why_not_controlled(self, service: Service) -> str:
        """See `Deployment`."""
        strategy = str(self.configuration.get("strategy") or "ROLLING")
        if service.controller != "ECS":
            return f"has deployment controller {service.controller}, expected ECS"
        if strategy not in SHIFTING:
            return f"has deployment strategy {strategy}, expected {', '.join(SHIFTING)}: its traffic is not shifted"
        return ""

    @property
    def expires_at(self) -> Optional[float]:  # type: ignore[override]  # a constant elsewhere
        """See `Deployment`. The hook that is ours is the one with this function that runs: none that has ended."""
        try:
            told = [_mapping(hook) for hook in self.info.get("lifecycleHookDetails") or []]
        except ProbeError:  # a side question: the day holds
            return None
        moments = [
            float(hook["expiresAt"].timestamp())
            for hook in told
            if hook.get("targetArn") == self._caller.own_function
            and hook.get("status") in ("IN_PROGRESS", "AWAITING_ACTION")
            and hasattr(hook.get("expiresAt"), "timestamp")
        ]
        return max((each for each in moments if each > time.time()), default=None)

    @property
    def shifts_in_steps(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        """See `Deployment`."""
        return self.stage == BEFORE_EACH_STEP

    @property
    def deploys(self) -> str:
        """The service it deploys, as cluster/service."""
        return "/".join(_text(self._caller.details.get("serviceArn")).rpartition(":service/")[2].split("/")[-2:])

    def _read(self) -> Mapping[str, Any]:
        """DescribeServiceDeployments' answer of it, now."""
        answer = aws.call("ecs", "describe_service_deployments", serviceDeploymentArns=[self._caller.arn])
        found = answer.get("serviceDeployments") or []
        if not found:
            reasons = ", ".join(str(failure.get("reason")) for failure in answer.get("failures") or [])
            said = f"ecs:DescribeServiceDeployments does not know service deployment {self.id}"
            raise NotFound(f"{said} ({reasons or 'no reason given'})")
        return dict(found[0])

    @property
    def info(self) -> Mapping[str, Any]:
        """The same, as it was when the hook began."""
        return self.memoize("service deployment", self._read)

    @property
    def status(self) -> str:
        """Its status; raises ProbeError where ECS does not say."""
        status = self.info.get("status")
        if not status:
            raise ProbeError(f"ECS does not say in which status service deployment {self.id} is")
        return str(status)

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Its deploymentConfiguration: strategy, hooks, alarms, bake."""
        found = _mapping(self.info.get("deploymentConfiguration"))
        if not found:
            raise ProbeError(f"ECS does not say the configuration of service deployment {self.id}")
        return found

    @property
    def is_rollback(self) -> bool:
        """See `Deployment`. ECS has no stage for it: the status says it, or the weights of the stages that recur."""
        return self.status.startswith("ROLLBACK") or self._caller.goes_back

    @property
    def is_first(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        """Whether it creates the service: no revision served before."""
        return not self._sources(self.info)

    def _sources(self, info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found = [_mapping(each) for each in info.get("sourceServiceRevisions") or []]
        if not all(each.get("arn") for each in found):
            raise ProbeError("ecs:DescribeServiceDeployments does not say which revision served before")
        return [each for each in found if each["arn"] != self._target]

    @property
    def description(self) -> str:
        """See `Deployment`. ECS has none; a hook's `hook_details` can have a `description`."""
        return _text(self._caller.hook_details.get("description"))

    @property
    def alarm_names(self) -> list[str]:
        """See `Deployment`."""
        alarms = _mapping(self.configuration.get("alarms"))
        return [str(name) for name in alarms.get("alarmNames") or []] if alarms.get("enable") else []

    @property
    def shift_began(self) -> datetime | None:
        """See `Deployment`. ECS tells no times of stages."""
        return None

    # Revisions

    def _revision(self, arn: str) -> Mapping[str, Any]:
        """DescribeServiceRevisions' answer, as it was when the service was last looked at."""
        return self.memoize(f"revision {arn}", partial(_read_revision, arn))

    def _revision_now(self, arn: str) -> Mapping[str, Any]:
        """The same, read anew as long as ECS has not resolved its configuration, which appears late."""
        if not self._revision(arn).get("resolvedConfiguration"):
            self._kept.pop(f"revision {arn}")
        return self._revision(arn)

    @property
    def _balancers(self) -> list[Mapping[str, Any]]:
        """The target revision's load balancers that have a pair of target groups."""
        found = [_mapping(each) for each in self._revision(self._target).get("loadBalancers") or []]
        pairs = [each for each in found if _mapping(each.get("advancedConfiguration")).get("alternateTargetGroupArn")]
        if not all(each.get("targetGroupArn") for each in pairs):
            raise ProbeError("ecs:DescribeServiceRevisions does not say both target groups of a load balancer")
        return pairs

    @property
    def _balancer(self) -> Mapping[str, Any]:
        found = self._balancers[self.number :]
        if not found:
            raise ProbeError(
                f"service {self.service_name} has no load balancer with an alternate target group: without one its "
                "traffic cannot be shifted (advanced_configuration in Terraform)"
            )
        return found[0]

    @property
    def target_groups(self) -> list[TargetGroup]:
        """See `Deployment`."""
        names = [self._balancer["targetGroupArn"], self._balancer["advancedConfiguration"]["alternateTargetGroupArn"]]
        return self.memoize(
            f"target groups {names}", lambda: elb.read_target_groups(list(map(str, names)), self.words.fix_group)
        )

    @property
    def further(self) -> list[EcsDeployment]:
        """See `Deployment`."""
        found = [copy(self) for _ in self._balancers[1:]] if self.number == 0 else []
        for number, each in enumerate(found, 1):
            each.number = number
        return found

    def routes(self, name: str) -> list[str]:
        """See `Deployment`. For an Application Load Balancer they are rules."""
        keys = {"production": "productionListenerRule", "test": "testListenerRule"}
        arn = self._balancer["advancedConfiguration"].get(keys[name])
        return [str(arn)] if arn else []

    # Sides

    def service(self) -> Service:
        """See `Deployment`: its task sets are the revisions of the deployment."""
        service, info = ecs.read_service(self.cluster, self.service_name), self._read()
        sources = sorted(self._sources(info), key=lambda each: -_number(each.get("requestedProductionTrafficWeight")))
        blue = [self._side(each, "PRIMARY" if at == 0 else "ACTIVE") for at, each in enumerate(sources)]
        target = _mapping(info.get("targetServiceRevision"))
        green = self._side({**target, "arn": self._target}, "ACTIVE")
        if not blue and service.running > green.running:
            said = f"ECS runs {service.running} tasks of service {service.name}, {green.running} of them green's"
            raise NotShownYet(f"{said}, and does not say which revision served before")
        return replace(service, sides=(*blue, green))

    def _side(self, counts: Mapping[str, Any], status: str) -> Side:
        """A revision as a task set. `counts`: how many of its tasks are asked for, run and are pending."""
        arn = str(counts["arn"])
        revision = self._revision_now(arn)
        desired, running, pending = map(counts.get, ("requestedTaskCount", "runningTaskCount", "pendingTaskCount"))
        if desired is None or running is None:
            raise ProbeError(f"ECS does not say how many tasks service revision {arn.rpartition('/')[2]} has")
        balancers = [_mapping(each) for each in revision.get("loadBalancers") or []]
        first = balancers[0] if balancers else {}
        return Side(
            kind="service revision",
            id=f"ecs-svc/{arn.rpartition('/')[2]}",
            external_id=self.id if arn == self._target else "",
            status=status,
            stability="STEADY_STATE" if running == desired and not pending else "STABILIZING",
            scale=100.0,
            desired=int(desired),
            running=int(running),
            pending=pending,
            task_definition=str(revision.get("taskDefinition") or ""),
            target_groups=tuple(_resolved(revision)),
            container=str(first.get("containerName") or ""),
            container_port=first.get("containerPort"),
            placement=ecs.placement_of(revision),
        )

    def target_group_of(self, side: Side) -> TargetGroup:
        """See `Deployment`.

        ECS says it of a revision that is active. Before, the group that production does not go to is green's, as ECS
        itself has it; and of two revisions the one that is known tells of the other.
        """
        if side.target_groups:
            return super().target_group_of(side)
        is_green = side.external_id == self.id
        pair = {group.arn for group in self.target_groups}
        others = [str(each["arn"]) for each in self._sources(self.info)] if is_green else [self._target]
        taken = {group for each in others for group in _resolved(self._revision(each))} & pair
        if not taken:
            weights = self.production_listener().weights
            serves = {arn for arn in pair if weights.get(arn)}
            has_shifted = self._caller.stage == "POST_PRODUCTION_TRAFFIC_SHIFT"
            taken = serves if is_green is not has_shifted else pair - serves
        if len(pair - taken) != 1:
            raise ProbeError(f"ECS does not say in which target group {side.name} is, nor does the production rule")
        return super().target_group_of(replace(side, target_groups=tuple(pair - taken)))

    def green(self, service: Service | None = None) -> Side:
        """See `Deployment`."""
        found = [each for each in (service or self.service()).sides if each.external_id == self.id]
        if not found:
            raise NotShownYet(f"service {self.service_name} has no revision of service deployment {self.id}")
        return found[0]

    @property
    def plan(self) -> Plan:
        """See `Deployment`: the target revision, and the hooks of the service."""
        revision = self._revision(self._target)
        balancer = self._balancer
        return Plan(
            task_definition=str(revision.get("taskDefinition") or ""),
            container_name=str(balancer.get("containerName") or ""),
            container_port=int(balancer.get("containerPort") or 0),
            placement=ecs.placement_of(revision),
            hooks=self._hooks(),
        )

    @property
    def hooks_by_stage(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """See `Deployment`."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for hook in self.configuration.get("lifecycleHooks") or []:
            for stage in hook.get("lifecycleStages") or []:
                found.setdefault(str(stage), []).append(hook)
        return found

    def _hooks(self) -> Mapping[str, str]:
        """Our lifecycle event for each stage that stands for one, else the stage, → function."""
        found: dict[str, str] = {}
        own = self._caller.own_function
        stem = own.partition("validate-before-install")[0]  # with which the names of the module's functions begin
        for stage, hooks in self.hooks_by_stage.items():
            event = EVENTS.get(stage, stage)
            names = filter(None, (str(hook.get("hookTargetArn") or "") for hook in hooks))  # a pause has none
            for name in sorted(names, key=lambda each: (each != own, not each.startswith(stem))):
                found[f"{event} ({name})" if event in found else event] = name
        return found


def _read_revision(arn: str) -> Mapping[str, Any]:
    answer = aws.call("ecs", "describe_service_revisions", serviceRevisionArns=[arn])
    found = answer.get("serviceRevisions") or []
    if not found:
        raise NotFound(f"ecs:DescribeServiceRevisions does not know service revision {arn.rpartition('/')[2]}")
    return dict(found[0])


def _resolved(revision: Mapping[str, Any]) -> list[str]:
    entries = _mapping(revision.get("resolvedConfiguration")).get("loadBalancers") or []
    return [str(each["targetGroupArn"]) for each in entries if each.get("targetGroupArn")]


def _text(value: Any) -> str:
    return utf8_safe(value) if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float:
    try:
        return float(value) if type(value) in (int, float) and math.isfinite(value) else 0.0
    except OverflowError:  # a whole number may have any length
        return 0.0
