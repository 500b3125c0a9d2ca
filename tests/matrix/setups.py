"""The healthy set-ups: every piece on the plain environment, and seeded combinations of three to six.

What is healthy is AWS's word, not the hooks': each of these is deployed by CodeDeploy, and serves its customers well.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence

from tests.matrix import pieces_of_course, pieces_of_routes, pieces_of_tasks
from tests.matrix.environment import Plan
from tests.matrix.pieces import PIECES, Piece

__all__ = ["PLANS", "SAMPLE", "SETUPS", "pieces_of_course", "pieces_of_routes", "pieces_of_tasks"]

COMBINED = 80
PART = 8  # of these, for each run of the tests
SEED = 17


def planned(pieces: Sequence[Piece]) -> Plan:
    """A plan with these pieces, in the order in which they are declared."""
    plan = Plan()
    for each in pieces:
        each.change(plan)
    return plan


def combinations(count: int) -> list[tuple[Piece, ...]]:
    """Seeded combinations of pieces that go together, those seen least first, no two alike."""
    rng, order = random.Random(SEED), list(PIECES)  # noqa: S311 - no secret
    used = dict.fromkeys(PIECES, 0)
    found: dict[frozenset[str], tuple[Piece, ...]] = {}
    while len(found) < count:
        chosen: list[Piece] = []
        size = rng.randint(3, 6)
        for each in sorted(PIECES.values(), key=lambda each: (used[each.name], rng.random())):
            if len(chosen) < size and all(each.goes_with(other) for other in chosen):
                chosen.append(each)
        names = frozenset(each.name for each in chosen)
        if names in found:
            continue
        found[names] = tuple(sorted(chosen, key=lambda each: order.index(each.name)))
        for name in names:
            used[name] += 1
    return list(found.values())


def _setups() -> dict[str, tuple[Piece, ...]]:
    chosen = [*((each,) for each in PIECES.values()), *combinations(COMBINED)]
    return {"plain": (), **{"+".join(each.name for each in pieces): pieces for pieces in chosen}}


SETUPS = _setups()
SAMPLE = ["plain", *list(SETUPS)[-COMBINED:][:PART]]
PLANS: dict[str, Callable[[], Plan]] = {name: functools.partial(planned, pieces) for name, pieces in SETUPS.items()}
