"""Each defect on seeded healthy set-ups that can have it."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

from tests.matrix import defects_after, defects_before
from tests.matrix.defects import DEFECTS, Defect
from tests.matrix.environment import Plan
from tests.matrix.pieces import Piece
from tests.matrix.setups import SETUPS, planned

__all__ = ["BROKEN", "defects_after", "defects_before"]

EACH = 2  # set-ups for each defect, beside the plain one
SEED = 17


def _broken_plan(pieces: tuple[Piece, ...], defect: Defect) -> Plan:
    plan = planned(pieces)
    defect.change(plan)
    return plan


def _cases() -> dict[str, tuple[Defect, Callable[[], Plan]]]:
    rng, cases = random.Random(SEED), {}  # noqa: S311 - no secret
    needs_network_balancer = {"gradual_behind_a_network_load_balancer"}
    for name, defect in DEFECTS.items():
        fitting = {setup: pieces for setup, pieces in SETUPS.items() if defect.fits(pieces)}
        if name in needs_network_balancer:
            fitting = {s: pieces for s, pieces in fitting.items() if any(each.name.startswith("nlb") for each in pieces)}
        single = [setup for setup, pieces in fitting.items() if len(pieces) < 2]  # noqa: PLR2004 - plain, or one piece
        combined = [setup for setup in fitting if setup not in single]
        chosen = [*single[:1], *rng.sample(single[1:], 1), *rng.sample(combined, min(len(combined), EACH - 1))]
        for setup in chosen:
            cases[f"{name}-{setup}"] = (defect, functools.partial(_broken_plan, fitting[setup], defect))
    return cases


BROKEN = _cases()
