"""Ordinary healthy deployments of all sorts: each of the five hooks succeeds, and warns of nothing.

Here a part of the set-ups; all of them are in tests/proof/matrix.
"""

from __future__ import annotations

import pytest

from tests.matrix.environment import Play, complaints
from tests.matrix.pieces import PIECES
from tests.matrix.setups import PLANS, SAMPLE, SETUPS


def passes_without_a_warning(play: Play) -> None:
    """Play a deployment through all its hooks, as far as they let it."""
    for event in play.events:
        if not play.hook(event).succeeded:
            break
    assert not complaints(play)


@pytest.mark.parametrize("plan", [PLANS[name] for name in SAMPLE], ids=SAMPLE, indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(play: Play) -> None:
    passes_without_a_warning(play)


def test_each_piece_occurs() -> None:
    assert {piece.name for pieces in SETUPS.values() for piece in pieces} == set(PIECES)
    assert len(SETUPS) >= 150
