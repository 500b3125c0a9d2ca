"""The stage's service as ECS itself deploys it blue/green, brought to any stage of a service deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from moto.ecs.models import ecs_backends

from rehearsal.aws.ecs_native import STAGES, ServiceDeployment
from rehearsal.aws.ecs_sets import StandInService
from rehearsal.testing.stage import ACCOUNT, CLUSTER, HANDLERS, SERVICE, Stage

STAGE_OF = {
    "validate_before_install": "PRE_SCALE_UP",
    "validate_deployment": "POST_SCALE_UP",
    "validate_test_traffic": "POST_TEST_TRAFFIC_SHIFT",
    "run_migrations": "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "validate_production": "POST_PRODUCTION_TRAFFIC_SHIFT",
}


class Native:
    """The service of a stage, deployed by ECS.

    `first`: only its creation has taken place. `further`: entries of its `loadBalancers` beside the stage's own.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        first: bool = False,
        test_rule: str = "",
        further: Sequence[Mapping[str, Any]] = (),
        **configuration: Any,
    ) -> None:
        self.stage, self._test_rule = stage, test_rule
        if not stage.hooks:
            stage.create_hooks(all_of_them=True)
        listeners = {"production": stage.production_listener, "test": stage.test_listener}
        self._rules = {route: self._rule_of(listener) for route, listener in listeners.items() if listener}
        if test_rule:
            self._rules["test"] = test_rule
        for route, rule in self._rules.items():  # the first revision comes into the other group
            if rule != test_rule:
                self._lead(listeners[route], rule, stage.blue_group if first else stage.green_group)
        role = stage.create_role("ecs-hooks", trusts="ecs.amazonaws.com")
        stage.allow("ecs-hooks", "lambda:InvokeFunction", f"arn:aws:lambda:*:{ACCOUNT}:function:CodeDeployHook_*")
        hooks = [
            {"hookTargetArn": arn, "roleArn": role, "lifecycleStages": [stage_]}
            for arn, stage_ in ((arn, STAGE_OF[HANDLERS[event]]) for event, arn in stage.hooks.items())
        ]
        stage.create_service_anew(
            taskDefinition=stage.green_definition if first else stage.blue_definition,
            deploymentController={"type": "ECS"},
            loadBalancers=[self._balanced(), *further],
            deploymentConfiguration={
                "strategy": "BLUE_GREEN",
                "bakeTimeInMinutes": 5,
                "lifecycleHooks": hooks,
                "alarms": {"alarmNames": ["shop-5xx"], "enable": True, "rollback": True},
                **configuration,
            },
        )
        self.deployment = self.service.service_deployments[-1]
        if not first:
            self.play("CLEAN_UP")
            self.deployment.succeed()

    @property
    def service(self) -> StandInService:
        """The stand-in's service."""
        backend = ecs_backends[ACCOUNT][self.stage.region]
        return cast(StandInService, backend.services[f"{CLUSTER}:{SERVICE}"])

    def _rule_of(self, listener: str) -> str:
        """What ECS moves of a listener: the rule that forwards to the pair, else the default one; all of an NLB's."""
        if ":listener/net/" in listener:
            return listener
        rules = self.stage.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        own = [rule for rule in rules if rule["Actions"][-1].get("TargetGroupArn") == self.stage.blue_group]
        return str((own or rules)[0 if own else -1]["RuleArn"])

    def _lead(self, listener: str, rule: str, group: str) -> None:
        weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1}]}}
        rules = self.stage.elbv2.describe_rules(ListenerArn=listener)["Rules"]
        if rule == listener or next(each["IsDefault"] for each in rules if each["RuleArn"] == rule):
            self.stage.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[weighted])
        else:
            self.stage.elbv2.modify_rule(RuleArn=rule, Actions=[weighted])

    def _balanced(self) -> dict[str, Any]:
        rules = {f"{route}ListenerRule": rule for route, rule in self._rules.items()}
        advanced = {"alternateTargetGroupArn": self.stage.green_group, "roleArn": self.stage.task_role, **rules}
        return {**self.stage.balanced(self.stage.blue_group), "advancedConfiguration": advanced}

    def deploy(self) -> ServiceDeployment:
        """Begin a deployment of the green task definition."""
        self.stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, taskDefinition=self.stage.green_definition)
        self.deployment = self.service.service_deployments[-1]
        return self.deployment

    def at(self, stage: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Begin a deployment, unless one is to begin, and bring it to a stage; what ECS sends to its hooks."""
        if self.deployment.status != "PENDING":
            self.deploy()
        self.play(stage)
        self.stage.calls.clear()
        return self.deployment.event(details)

    def play(self, until: str) -> None:
        """Bring the deployment under way to a stage."""
        for stage in STAGES:
            self.deployment.enter(stage)
            if stage == until:
                return
            if stage == "SCALE_UP":
                self.deployment.scale_up()
            if stage == "TEST_TRAFFIC_SHIFT":
                self.deployment.shift("test")
            if stage == "PRODUCTION_TRAFFIC_SHIFT":
                self.deployment.shift("production")
