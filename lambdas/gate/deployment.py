"""What the checks ask of one deployment, whatever platform runs it.

Nothing about green is configured: it is found from the deployment's id, each time, because which target group is green
alternates from deployment to deployment. What cannot change while a hook runs is read once; services, weights and
targets are read anew at each call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Callable, Optional, TypeVar

from gate import aws, ecs, elb
from gate.ecs import Service, Side
from gate.elb import Listener, LoadBalancer, OtherListener, Rule, Target, TargetGroup
from gate.plan import Plan
from gate.verdict import NotFound, ProbeError

T = TypeVar("T")


@dataclass(frozen=True)
class Words:
    """What messages call the platform's things: who moves the traffic, where it is told what is deployed, and so on."""

    mover: str
    source: str  # what says what is deployed
    group: str  # what names target groups, listeners and alarms
    fix_group: str
    production: str  # the key of the production route
    add_test_route: str
    hooks: str
    output: str
    leave_out: str
    description: str
    invoker: str  # the role by which the hooks are invoked
    allow_invoking: str
    leave_alone: str  # what keeps a route that was put back there, to follow a cure


class Deployment(ABC):
    """One deployment of one service. Every method raises ProbeError when it could not find out."""

    words: Words
    propagation = 0.0  # seconds until those who ask see a route that has just changed
    is_first = False  # whether it creates the service, so that nothing serves yet
    longest: float  # seconds that the platform gives a hook in all
    most_continuations: int  # invocations that may follow the first
    stage = ""  # of the platform's stages the one at which the hook was invoked, where there are such
    shifts_in_steps = False  # whether production is on both sides for now, as it shall be
    expires_at: Optional[float] = (
        None  # when the platform ends the hook, in epoch seconds; None: as `max_duration` says
    )

    def __init__(self, deployment_id: str, cluster: str, service: str) -> None:
        self.id = deployment_id
        self.cluster = cluster
        self.service_name = service
        self.in_vpc: Optional[bool] = None  # whether this function runs in a VPC; None: not known
        self._kept: dict[str, tuple[Any, ProbeError | None]] = {}

    def memoize(self, key: str, read: Callable[[], T]) -> T:
        """Read once in this invocation. A failure is kept too, unless it is retryable: no check waits for it again."""
        if key not in self._kept:
            try:
                self._kept[key] = (read(), None)
            except ProbeError as problem:
                if problem.retryable:
                    raise
                self._kept[key] = (None, problem)
        value, failure = self._kept[key]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]  # whatever `read` returned under this key

    # What the platform says

    @property
    def names(self) -> Mapping[str, str]:
        """The platform's names of what it deploys, as far as they have been read: AWS is not asked."""
        return {}

    @property
    @abstractmethod
    def is_rollback(self) -> bool:
        """Whether this deployment undoes another one."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What people wrote of this deployment."""

    @property
    @abstractmethod
    def alarm_names(self) -> list[str]:
        """The alarms that the platform watches; none if that is switched off."""

    @property
    @abstractmethod
    def shift_began(self) -> datetime | None:
        """When production traffic began to move to green; None where nobody says."""

    @property
    @abstractmethod
    def plan(self) -> Plan:
        """What is deployed."""

    @abstractmethod
    def green(self, service: Service | None = None) -> Side:
        """The side that is deployed. Raises NotShownYet while there is none."""

    @property
    @abstractmethod
    def target_groups(self) -> list[TargetGroup]:
        """The pair between which the traffic shifts."""

    @property
    def further(self) -> Sequence[Deployment]:
        """The same deployment at each further pair of target groups, where the service has several load balancers."""
        return ()

    @property
    @abstractmethod
    def without(self) -> Mapping[str, str]:
        """The checks that mean nothing for this deployment, each with the reason."""

    @property
    def hooks_by_stage(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The hooks of each of the platform's stages, as it describes them; empty if the plan says all there is."""
        return {}

    @abstractmethod
    def invoker_of(self, function: str) -> str:
        """The ARN of the role by which the platform invokes a hook's function, as the plan names it."""

    def seconds_of(self, function: str) -> float:
        """The seconds that the platform gives a hook in all, by its function, as the plan names it."""
        del function
        return self.longest

    @property
    @abstractmethod
    def passer(self) -> str:
        """The ARN of the role by which the platform passes the tasks' roles to ECS; empty if it passes none."""

    @abstractmethod
    def why_not_controlled(self, service: Service) -> str:
        """Why the platform cannot deploy the service; empty if it can."""

    @abstractmethod
    def routes(self, name: str) -> list[str]:
        """What is moved of the `production` or `test` traffic: listeners, or rules, by ARN."""

    # ECS

    def service(self) -> Service:
        """The service as it is now."""
        return ecs.read_service(self.cluster, self.service_name)

    def task_definition(self, name: str) -> Mapping[str, Any]:
        """DescribeTaskDefinition's answer for an ARN or family:revision."""
        return self.memoize(f"task definition {name}", partial(ecs.read_task_definition, name, self.words.source))

    def placement_to_come(self, service: Service) -> Mapping[str, Any]:
        """Where green's tasks will run: as the serving ones do, but for what the plan says."""
        placement = dict((service.primary or service).placement)
        if "capacityProviderStrategy" in self.plan.placement:
            placement.pop("launchType", None)
        return {**placement, **self.plan.placement}

    def function(self, name: str) -> Mapping[str, Any]:
        """GetFunctionConfiguration's answer for a hook's function, by name or ARN; raises NotFound if there is none."""
        return self.memoize(f"function {name}", partial(_read_function, name, self.words))

    # The load balancer

    def target_group_of(self, side: Side) -> TargetGroup:
        """The one of the pair in which this side's tasks are registered."""
        for target_group in self.target_groups:
            if target_group.arn in side.target_groups:
                return target_group
        raise ProbeError(
            f"{side.name} is registered in none of the target groups of {self.words.group} "
            f"{', '.join(target_group.name for target_group in self.target_groups)}"
        )

    def other_target_group(self, target_group: TargetGroup) -> TargetGroup:
        """The other one of the pair."""
        others = [other for other in self.target_groups if other.arn != target_group.arn]
        if len(others) != 1:
            raise ProbeError(f"{self.words.group} has {len(self.target_groups)} target groups, expected 2")
        return others[0]

    def targets(self, target_group: TargetGroup) -> list[Target]:
        """The targets of a target group and their health, now."""
        return elb.read_targets(target_group)

    def production_listener(self) -> Listener:
        """The listener of the production route, with its weights now."""
        arns = self.routes("production")
        if not arns:
            raise NotFound(f"{self.words.group} has no production listener ({self.words.production} is empty)")
        return elb.read_listener(arns[0], "production", self.target_groups, self.words.fix_group)

    def test_listener(self) -> Listener | None:
        """The listener of the test route, with its weights now; None if there is none."""
        arns = self.routes("test")
        return elb.read_listener(arns[0], "test", self.target_groups, self.words.fix_group) if arns else None

    def other_listeners(self) -> list[OtherListener]:
        """The listeners and rules that forward to the pair, now, beside the listeners of the two routes.

        Of the load balancers of both target groups and of the production listener.
        """
        known = [*self.routes("production"), *self.routes("test")]
        production = [elb.listener_of(arn) for arn in self.routes("production")[:1]]
        # arn:…:listener/app/<name>/<id>/<id of the listener>
        balancers = [arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0] for arn in production]
        balancers += [arn for group in self.target_groups for arn in group.load_balancers]
        others: list[OtherListener] = []
        seen: set[str] = set()
        for balancer in dict.fromkeys(balancers):
            for listener in elb.listeners_of(balancer, self.target_groups):
                seen.add(listener.arn)
                if listener.arn not in known:
                    others += self._ways_of(listener, known, elsewhere=balancer != balancers[0])
        if not seen.issuperset(production):  # no answer, or not of all there is
            raise ProbeError(
                f"elasticloadbalancing:DescribeListeners does not list listener {production[0]}: does it exist?"
            )
        return others

    def _ways_of(self, listener: Listener, known: Collection[str], *, elsewhere: bool) -> list[OtherListener]:
        name = f"listener on port {listener.port} ({listener.protocol})"
        name += f" of load balancer {listener.load_balancer_arn.split('/')[-2]}" if elsewhere else ""
        last = next((at for at, rule in enumerate(listener.rules) if rule.arn in known and rule.takes_everything), None)
        rules = [rule for rule in listener.rules[:last] if rule.arn not in known]
        ways = [] if last is not None or listener.default_arn in known else [(name, listener.default)]
        ways += [(f"rule {rule.priority} ({rule.where}) of the {name}", rule.weights) for rule in rules]
        return [
            OtherListener(f"{who} forwards to {self._in_words(weights)}", weights, elsewhere)
            for who, weights in ways
            if any(weight and arn in listener.pair for arn, weight in weights.items())
        ]

    def other_listeners_left(self, target_group: TargetGroup) -> list[OtherListener]:
        """Of the other listeners those that forward to the pair, and not to this target group of it alone."""
        left = {group.arn for group in self.target_groups} - {target_group.arn}
        return [each for each in self.other_listeners() if any(each.weights.get(arn) for arn in left)]

    def why_no_other_listeners(self, others: Sequence[OtherListener]) -> str:
        """What these listeners do to customers, and the cure, in words."""
        listener = self.production_listener()
        why = (
            f"{self.words.mover} moves only the production {'rule' if listener.route else 'listener'} (port "
            f"{listener.port}), so whoever comes in there stays on blue, and gets 503 when it is gone"
        )
        if any(each.elsewhere for each in others):
            name = listener.load_balancer_arn.split("/")[-2]
            return f"{why}; point the names of that load balancer at {name}, the production listener's, and remove it"
        if listener.protocol not in ("HTTP", "HTTPS"):
            return f"{why}; remove that listener"
        redirect = f'port = "{listener.port}" protocol = "{listener.protocol}" status_code = "HTTP_301"'
        hcl = f'type = "redirect" and redirect {{ {redirect} }}, each on a line of its own'
        return f"{why}; redirect it to the production listener (in Terraform, its action has {hcl}), or remove it"

    def weights_in_words(self, source: Listener | Rule) -> str:
        """Where a listener or a rule forwards to, by the names people know."""
        return self._in_words(source.weights)

    def _in_words(self, weights: Mapping[str, int]) -> str:
        names = {group.arn: group.name for group in self.target_groups}
        return (
            ", ".join(f"{names.get(arn, arn.split('/')[-2])} {weight}" for arn, weight in weights.items())
            or "no target group"
        )

    def load_balancer(self, listener: Listener) -> LoadBalancer:
        """The load balancer a listener belongs to."""
        return self.memoize(listener.load_balancer_arn, partial(elb.read_load_balancer, listener.load_balancer_arn))


def _read_function(name: str, words: Words) -> Mapping[str, Any]:
    region = name.split(":")[3] if name.startswith("arn:") else None
    try:
        return aws.call("lambda", "get_function_configuration", region=region, FunctionName=name)
    except aws.AwsCallFailed as problem:
        if problem.code == "ResourceNotFoundException":
            said = f"function {name}, which {words.hooks} name, does not exist"
            raise NotFound(f"{said}: put the module's output {words.output} there") from problem
        raise
