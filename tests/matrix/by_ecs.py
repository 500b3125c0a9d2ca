"""The same environments, where ECS itself deploys: which of them it can deploy, and one such deployment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict

from gate.options.hooks import HOOKS
from gate.settings import schema_of

from tests.matrix.environment import Environment, Plan, Play
from tests.matrix.pieces import Piece
from tests.matrix.setups import SETUPS, planned
from tests.unit.handlers.native import STAGE_OF, Native
from tests.unit.handlers.stage import HANDLERS, Judge, Judgement

LEFT_OUT = {
    **dict.fromkeys(("bridge", "bridge_with_one_port", "host_mode"), "they register ports themselves, for task sets"),
    "login_but_for_health": "ECS moves one rule of a listener, and this one has two doors",
}


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


class NativePlay(Play):
    """The five hooks of one deployment, as ECS calls them."""

    def __init__(self, environment: Environment, judge: Judge) -> None:
        self.environment = environment
        self.judge = judge
        self.judgements: dict[str, Judgement] = {}
        self.native = Native(environment)

    def hook(self, event: str) -> Judgement:
        """Play the deployment to the stage that stands for this event, and call its hook; what it returns."""
        __tracebackhide__ = True
        if event == "AfterAllowTraffic":
            self.environment.publish_blue()
            self.environment.publish_green()
        for step in self.environment.plan.when.get(event, []):
            step(self.environment)
        name = HANDLERS[event]
        called_with = self.native.at(STAGE_OF[name])
        kind = HOOKS[name]
        options = {**asdict(kind()), **self.environment.plan.options.get(event, {})}
        told = {"schema": schema_of(kind), "in_vpc": self.environment.plan.in_vpc}
        judgement = self.judge(__import__(name), called_with, **options, **told)
        self.judgements[event] = judgement
        return judgement
