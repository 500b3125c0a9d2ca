"""Elastic Load Balancing: load balancers, target health, listener actions as AWS reads them back, and traffic weights.

moto says `healthy` of every ip target. Here a target of a group that no listener uses is `unused`
(`Target.NotInUse`), a deregistered one is `draining` until the group's deregistration delay has passed, and of the
others the world is asked. A target group at weight 0 counts as used.

moto gives every load balancer the ARN of an application load balancer, and health checks that were not declared other
settings than AWS where the check's protocol is not the target group's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.elbv2.models import (
    ELBv2Backend,
    FakeAction,
    FakeHealthStatus,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
    elbv2_backends,
)

from rehearsal.aws import world
from rehearsal.aws.graft import graft


def name_of(target_group_arn: str) -> str:
    """Return the name in a target group's ARN."""
    return target_group_arn.split("/")[-2]


# Target health.

_original_group_init = FakeTargetGroup.__init__
_original_register = FakeTargetGroup.register
_original_deregister = FakeTargetGroup.deregister
_original_health_for = FakeTargetGroup.health_for


class TargetGroup(FakeTargetGroup):
    """moto's target group, with target health as AWS tells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _original_group_init(self, *args, **kwargs)
        self.deregistered_at: dict[str, datetime] = {}
        """When targets were deregistered, by address."""

    @property
    def load_balancer_arns(self) -> list[str]:
        """The load balancers that forward to the group now; moto keeps those whose listener was created with it."""
        backend = elbv2_backends[self.account_id][self.region_name]
        return [arn for arn in list(backend.load_balancers) if self.arn in used_target_groups(backend, arn)]

    @load_balancer_arns.setter
    def load_balancer_arns(self, _: list[str]) -> None:
        """Take what moto's constructor sets."""

    def register(self, targets: list[dict[str, Any]]) -> None:
        """Register targets; one that was draining is no longer."""
        _original_register(self, targets)
        for target in targets:
            self.deregistered_at.pop(target["Id"], None)

    def deregister(self, targets: list[dict[str, Any]]) -> None:
        """Deregister targets, which are `draining` from now on."""
        _original_deregister(self, targets)
        for target in targets:
            self.deregistered_at[target["Id"]] = utcnow()

    def is_used(self) -> bool:
        """Say whether some listener or rule forwards to the group, at whatever weight."""
        return self.arn in used_target_groups(elbv2_backends[self.account_id][self.region_name])

    def draining(self) -> dict[str, dict[str, Any]]:
        """Return the targets whose deregistration delay has not passed, by address."""
        delay = timedelta(seconds=float(str(self.attributes.get("deregistration_delay.timeout_seconds", 300))))
        now = utcnow()
        return {
            address: self.deregistered_targets[address]
            for address, at in list(self.deregistered_at.items())
            if now < at + delay and address in self.deregistered_targets
        }

    def health_for(self, target: dict[str, Any], ec2_backend: EC2Backend) -> FakeHealthStatus:
        """Say how one target is, registered or not."""
        known = self.targets.get(target["Id"])
        address = target["Id"]
        if known is None:
            drained = self.draining().get(address)
            port = target.get("Port") or (drained or {}).get("Port") or self.port
            if drained is not None and self.is_used():
                return self._status(address, port, *_DRAINING)
            return self._status(address, port, *_NOT_REGISTERED)
        port = known["Port"]
        if not self.is_used():
            return self._status(address, port, *_NOT_IN_USE)
        if self.target_type not in ("ip", "instance"):
            return _original_health_for(self, target, ec2_backend)
        state = world.current().target_state(self.arn, address, int(port))
        return self._status(address, port, state.state, state.reason, state.description)

    def _status(
        self, address: str, port: Any, state: str, reason: str | None, description: str | None
    ) -> FakeHealthStatus:
        # `traffic-port` is shown as the port itself.
        health_port = self.health_check_port
        health_port = str(port) if health_port in (None, "traffic-port") else health_port
        return FakeHealthStatus(address, port, health_port, state, reason, description)


_NOT_IN_USE = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
_NOT_REGISTERED = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
_DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")


def used_target_groups(backend: ELBv2Backend, load_balancer_arn: str | None = None) -> set[str]:
    """Return the ARNs of the target groups that some listener or rule forwards to, of one load balancer or of all."""
    return {
        arn
        for balancer in list(backend.load_balancers.values())
        if load_balancer_arn in (None, balancer.arn)
        for listener in list(balancer.listeners.values())
        for rule in list(listener.rules.values())
        for action in rule.actions
        for arn in forward_weights(action)
    }


# Listener actions.


def forward_weights(action: FakeAction) -> dict[str, float]:
    """Return the weights of a forward action by target group ARN; empty for other actions."""
    if action.data.get("Type") != "forward":
        return {}
    groups = action.data.get("ForwardConfig", {}).get("TargetGroups") or []
    if groups:
        return {group["TargetGroupArn"]: float(group.get("Weight", 1)) for group in groups}
    arn = action.data.get("TargetGroupArn")
    return {arn: 1.0} if arn else {}


def forward_action(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action as AWS reads it back.

    A forward to one target group shows it both as TargetGroupArn and in ForwardConfig; a forward to several has no
    TargetGroupArn.
    """
    if action.get("Type") != "forward":
        return action
    weights = forward_weights(FakeAction(dict(action)))
    groups: list[dict[str, Any]] = [{"TargetGroupArn": arn, "Weight": int(weight)} for arn, weight in weights.items()]
    stickiness = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig") or {"Enabled": False}
    read = {key: value for key, value in action.items() if key not in ("TargetGroupArn", "ForwardConfig")}
    if len(groups) == 1:
        read["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    read["ForwardConfig"] = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}
    return read


# Load balancers and target groups.

_SHORT = {"network": "net", "gateway": "gwy"}
"""By type: what stands in a load balancer's ARN for `app` (service authorization reference)."""


def with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return what a target group is created with, the health check's defaults added (API reference, CreateTargetGroup).

    Of an HTTP check of a TCP group, or of gRPC, moto has those of an HTTP group.
    """
    enabled, protocol = given.get("healthcheck_enabled"), given.get("protocol")
    check = given.get("healthcheck_protocol")
    defaults: dict[str, Any] = {}
    if protocol in ("HTTP", "HTTPS"):
        defaults["healthcheck_protocol"] = "HTTP"
        if given.get("protocol_version") == "GRPC":
            defaults.update(healthcheck_path="/AWS.ALB/healthcheck", matcher={"GrpcCode": "12"})
    elif protocol is not None and check in ("HTTP", "HTTPS"):
        defaults.update(healthcheck_path="/", matcher={"HttpCode": "200-399"})
        defaults["healthcheck_timeout_seconds"] = 6 if check == "HTTP" else 10
    elif given.get("target_type") == "lambda":
        defaults["unhealthy_threshold_count"] = 5
    if isinstance(enabled, bool):
        # moto takes a truth value for none given.
        given = {**given, "healthcheck_enabled": str(enabled).lower()}
    return {**given, **{name: value for name, value in defaults.items() if given.get(name) is None}}


# The backend.

_original_create_balancer = ELBv2Backend.create_load_balancer
_original_create_group = ELBv2Backend.create_target_group
_original_create_listener = ELBv2Backend.create_listener
_original_modify_listener = ELBv2Backend.modify_listener
_original_describe_health = ELBv2Backend.describe_target_health


class Additions(ELBv2Backend):
    """What moto's backend answers otherwise than AWS."""

    def create_load_balancer(self, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """Create a load balancer: facing the internet unless told otherwise, its type in its ARN."""
        kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
        balancer = _original_create_balancer(self, *args, **kwargs)
        if balancer.type in _SHORT:
            named = balancer.arn.replace(":loadbalancer/app/", f":loadbalancer/{_SHORT[balancer.type]}/")
            self.load_balancers[named] = self.load_balancers.pop(balancer.arn)
            self.tagging_service.copy_tags(balancer.arn, named)
            self.tagging_service.delete_all_tags_for_resource(balancer.arn)
            balancer.arn = named
        return balancer

    def create_target_group(self, name: str, **kwargs: Any) -> FakeTargetGroup:
        """Create a target group, with AWS's defaults of its health check."""
        return _original_create_group(self, name, **with_defaults(kwargs))

    def create_listener(self, *args: Any, **kwargs: Any) -> FakeListener:
        """Create a listener, its actions as AWS reads them back."""
        if kwargs.get("actions"):
            kwargs["actions"] = [forward_action(action) for action in kwargs["actions"]]
        return _original_create_listener(self, *args, **kwargs)

    def modify_listener(  # noqa: PLR0917  (as moto calls it)
        self,
        arn: str,
        port: str | None = None,
        protocol: str | None = None,
        ssl_policy: str | None = None,
        certificates: list[dict[str, Any]] | None = None,
        actions: list[dict[str, Any]] | None = None,
    ) -> FakeListener:
        """Modify a listener, its actions as AWS reads them back; moto fails when no action or certificate is given."""
        read = [forward_action(action) for action in actions or []]
        # None given: the listener keeps its own.
        return _original_modify_listener(self, arn, port, protocol, ssl_policy, certificates or [], read)

    def _get_target_group_arns_from(self, action_data: dict[str, Any]) -> list[str]:
        return list(forward_weights(FakeAction(dict(action_data))))

    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[FakeHealthStatus]:
        """Say how targets are; without targets, all that are registered or draining."""
        group = cast("TargetGroup | None", self.target_groups.get(target_group_arn))
        if not targets and group is not None:
            reconcile_all()
            draining = group.draining().values() if group.is_used() else []
            targets = [*group.targets.values(), *draining]
            if not targets:
                return []
        return list(_original_describe_health(self, target_group_arn, targets))


def reconcile_all() -> None:
    """Let ECS register and deregister what has changed, before target health is told."""
    from rehearsal.aws.ecs_services import reconcile_all as reconcile

    reconcile()


def pair_listeners(account_id: str, region: str, load_balancer_info: dict[str, Any] | None) -> None:
    """Put both target groups of a CodeDeploy pair behind its production listener, the idle one at weight 0.

    Recorded on AWS: a production listener declared with a single target group reads back as a weighted forward to
    both (100/0) already before the first deployment; the test listener does not. A network load balancer's listener is
    left alone: only an ALB supports gradual routing (user guide, troubleshooting of ECS deployments).
    """
    backend = elbv2_backends[account_id][region]
    by_name = {group.name: arn for arn, group in backend.target_groups.items()}
    for pair in (load_balancer_info or {}).get("targetGroupPairInfoList") or []:
        arns = [by_name[group["name"]] for group in pair.get("targetGroups", []) if group["name"] in by_name]
        for listener_arn in pair.get("prodTrafficRoute", {}).get("listenerArns", []):
            listener = find_listener(account_id, region, listener_arn)
            if listener is None or len(arns) != 2 or ":listener/app/" not in listener_arn:
                continue
            forwards = [forward_weights(action) for action in listener.default_actions]
            if len(forwards) == 1 and len(forwards[0]) == 1 and next(iter(forwards[0])) in arns:
                served = next(iter(forwards[0]))
                set_weights(account_id, region, listener_arn, {arn: 100 if arn == served else 0 for arn in arns})


def find_listener(account_id: str, region: str, listener_arn: str) -> FakeListener | None:
    """Return a listener by ARN, or None."""
    for balancer in elbv2_backends[account_id][region].load_balancers.values():
        if listener_arn in balancer.listeners:
            listener: FakeListener = balancer.listeners[listener_arn]
            return listener
    return None


def set_weights(account_id: str, region: str, listener_arn: str, weights: dict[str, int]) -> None:
    """Make a listener forward to target groups (by ARN) with these weights."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    action = {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}
    elbv2_backends[account_id][region].modify_listener(arn=listener_arn, actions=[action])


def weights_of(listener: FakeListener) -> dict[str, float]:
    """Return the weights in a listener's default forward action, by target group ARN."""
    for action in listener.default_actions:
        weights = forward_weights(action)
        if weights:
            return weights
    return {}


def traffic_weights(account_id: str, region: str, listener_arn: str) -> dict[str, float]:
    """Return what share of a listener's traffic each target group gets, in percent, by target group ARN."""
    listener = find_listener(account_id, region, listener_arn)
    weights = weights_of(listener) if listener else {}
    total = sum(weights.values())
    return {arn: 100.0 * weight / total if total else 0.0 for arn, weight in weights.items()}


def install() -> None:
    """Put the additions into moto."""
    graft(TargetGroup)
    graft(Additions)
