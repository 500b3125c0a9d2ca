"""The same environments, where ECS itself deploys: which of them it can deploy, and one such deployment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rehearsal.testing.native import Native
from rehearsal.testing.stage import Judge, Judgement
from tests.matrix.broken import BROKEN as BROKEN_BY_CODEDEPLOY
from tests.matrix.defects import Defect
from tests.matrix.environment import Environment, Plan, Play
from tests.matrix.pieces import Piece
from tests.matrix.setups import SETUPS, planned

LEFT_OUT = {
    **dict.fromkeys(("bridge", "bridge_with_one_port", "host_mode"), "they register ports themselves, for task sets"),
    "login_but_for_health": "ECS moves one rule of a listener, and this one has two doors",
}


NOT_OF_ECS = {
    **dict.fromkeys(
        (
            *("appspec_has_another_port", "appspec_is_for_instances", "appspec_names_a_hook_twice"),
            *("appspec_names_no_container", "appspec_of_another_version", "appspec_says_it_twice"),
            *("task_definition_by_family", "task_definition_is_inactive", "task_definition_is_missing"),
        ),
        "there is no AppSpec: ECS itself refuses a task definition that it has not",
    ),
    **dict.fromkeys(
        ("alarm_is_missing", "another_services_deployment_group", "codedeploy_may_not_invoke"),
        "it is about the deployment group",
    ),
    "codedeploy_may_not_pass_the_roles": "whoever deploys passes them",
    "task_set_is_left_over": "there are no task sets",
    "test_listener_is_production": "one rule as both is refused by ECS",
    "a_rule_of_the_test_listener_is_on_blue": "ECS moves no further rule, and no request goes there",
    **dict.fromkeys(
        (
            *("blue_crash_loops_in_part", "blue_is_partly_broken", "nothing_is_to_run", "placeholder_is_left"),
            "subnet_is_missing",
        ),
        "it is made of the service that CodeDeploy deploys, before there is one that ECS does",
    ),
}
"""Defects that are CodeDeploy's alone, and why."""

SAYS = {
    "function_is_missing": "which the service's lifecycle hooks name, does not exist",
    "no_way_to_test_first": "the service has no test listener, so green cannot be tested",
    "test_listener_is_taken_away": "test listener arn:aws:elasticloadbalancing:",
    "a_production_rule_is_left_on_blue": "rule 90 (path-pattern /api/*) of the listener on port 80 (HTTP) forwards to",
}
"""What is said otherwise."""


def _fits(pieces: tuple[Piece, ...]) -> bool:
    """Whether ECS can deploy it: it moves one rule of a listener, which only forwards."""
    plan = planned(pieces)
    return not any(piece.name in LEFT_OUT for piece in pieces) and len(plan.rules) < 2 and not plan.before


def _by_ecs(pieces: tuple[Piece, ...]) -> Plan:
    plan = planned(pieces)
    plan.by_ecs, plan.deployments_before = True, 0  # one that nobody judges comes first anyway
    return plan


HEALTHY: dict[str, Callable[[], Plan]] = {
    name: functools.partial(_by_ecs, pieces) for name, pieces in SETUPS.items() if _fits(pieces)
}


def _broken_by_ecs(make: Callable[[], Plan]) -> Plan:
    plan = make()
    plan.by_ecs, plan.deployments_before = True, 0
    return plan


def _broken() -> dict[str, tuple[Defect, Callable[[], Plan]]]:
    """Of each defect the cases that ECS can have."""
    found: dict[str, tuple[Defect, Callable[[], Plan]]] = {}
    for name, (defect, make) in BROKEN_BY_CODEDEPLOY.items():
        pieces = make.args[0]  # type: ignore[attr-defined]  # it is a partial
        if name.partition("-")[0] not in NOT_OF_ECS and _fits(pieces):
            said = replace(defect, says=SAYS.get(name.partition("-")[0], defect.says))
            found[name] = (said, functools.partial(_broken_by_ecs, make))
    return found


BROKEN = _broken()


EVENTS = {
    "PRE_SCALE_UP": "BeforeInstall",
    "SCALE_UP": "Install",
    "POST_SCALE_UP": "AfterInstall",
    "TEST_TRAFFIC_SHIFT": "AllowTestTraffic",
    "POST_TEST_TRAFFIC_SHIFT": "AfterAllowTestTraffic",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "BeforeAllowTraffic",
    "PRODUCTION_TRAFFIC_SHIFT": "AllowTraffic",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "AfterAllowTraffic",
}
"""By stage: the event of CodeDeploy's that plans speak of."""


class NativePlay(Play):
    """The five hooks of one deployment, as ECS calls them."""

    def __init__(self, environment: Environment, judge: Judge) -> None:
        self.environment = environment
        self.judge = judge
        self.judgements: dict[str, Judgement] = {}
        self.native = Native(environment)
        self._deployment = self.native.deploy()
        self._left = list(EVENTS.items())

    def reach(self, wanted: str) -> dict[str, Any]:
        """Play the deployment to the stage that stands for an event; what its hook is called with."""
        act: dict[str, Callable[[], object]] = {
            "SCALE_UP": self._deployment.scale_up,
            "TEST_TRAFFIC_SHIFT": functools.partial(self._deployment.shift, "test"),
            "PRODUCTION_TRAFFIC_SHIFT": functools.partial(self._deployment.shift, "production"),
        }
        while self._left:
            stage, event = self._left.pop(0)
            self._deployment.enter(stage)
            for step in self.environment.plan.when.get(event, []):
                step(self.environment)
            if event == wanted:
                break
            act.get(stage, lambda: None)()
        self.environment.calls.clear()
        return self._deployment.event()
