"""Each defect on seeded healthy set-ups that can have it."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.matrix import defects_after, defects_before
from tests.matrix.defects import DEFECTS, Defect
from tests.matrix.defects_before import UNHEALTHY, at_the_end
from tests.matrix.environment import Environment, Plan
from tests.matrix.pieces import Piece
from tests.matrix.pieces_of_tasks import fargate_spot
from tests.matrix.setups import SETUPS, planned

__all__ = ["BROKEN", "ONE_EACH", "WARNED", "Warned", "defects_after", "defects_before"]

EACH = 2  # set-ups for each defect, beside the plain one
SEED = 17


def _broken_plan(pieces: tuple[Piece, ...], defect: Defect) -> Plan:
    plan = planned(pieces)
    defect.change(plan)
    return plan


def _cases() -> dict[str, tuple[Defect, Callable[[], Plan]]]:
    rng = random.Random(SEED)  # noqa: S311 - no secret
    cases: dict[str, tuple[Defect, Callable[[], Plan]]] = {}
    for name, defect in DEFECTS.items():
        fitting = {setup: pieces for setup, pieces in SETUPS.items() if defect.fits(pieces)}
        single = [setup for setup, pieces in fitting.items() if len(pieces) < 2]
        combined = [setup for setup in fitting if setup not in single]
        chosen = [*single[:1], *rng.sample(single[1:], 1), *rng.sample(combined, min(len(combined), EACH - 1))]
        for setup in chosen:
            cases[f"{name}-{setup}"] = (defect, functools.partial(_broken_plan, fitting[setup], defect))
    return cases


BROKEN = _cases()
ONE_EACH = list({name.partition("-")[0]: name for name in BROKEN}.values())  # the last: a combination
PART = ONE_EACH[::5]  # for each run of the tests


@dataclass(frozen=True)
class Warned:
    """Something that a deployment may be about to fix, or that its user may want; `says`: of the warning."""

    says: str
    change: Callable[[Plan], None]


def _blue_serves_nobody(plan: Plan) -> None:
    """The last release crashes, and this one is the fixing."""

    def break_blue(environment: Environment) -> None:
        environment.world.target_health[environment.blue_group] = UNHEALTHY

    at_the_end(plan, break_blue)


def _blue_crash_loops(plan: Plan) -> None:
    """None of blue's tasks ever ran: a first release whose placeholder has no image."""
    plan.prepare.insert(0, lambda environment: environment.world.pending.add(PLACEHOLDER))
    plan.prepare.insert(1, _with_a_placeholder)


PLACEHOLDER = "placeholder:1"


def _with_a_placeholder(environment: Environment) -> None:
    environment.blue_definition = environment.register(image=PLACEHOLDER)
    environment.create_service_anew(taskDefinition=environment.blue_definition)


def _strategy_is_lost(plan: Plan) -> None:
    """The service runs on Fargate Spot, and the AppSpec says nothing of it: green starts on the launch type."""
    fargate_spot(plan)
    del plan.appspec["CapacityProviderStrategy"]


_WARNED = {
    "blue_serves_nobody": Warned("BLUE SERVES NOBODY", _blue_serves_nobody),
    "blue_never_ran": Warned("BLUE SERVES NOBODY", _blue_crash_loops),
    "strategy_is_lost": Warned("a strategy that CodeDeploy does not take over", _strategy_is_lost),
}


def _plan_of(change: Callable[[Plan], None]) -> Plan:
    plan = Plan()
    change(plan)
    return plan


WARNED = {name: (warned, functools.partial(_plan_of, warned.change)) for name, warned in _WARNED.items()}
