"""Ordinary healthy deployments of all sorts: each of the five hooks succeeds, and warns of nothing."""

from __future__ import annotations

import pytest

from tests.matrix.environment import Play, complaints
from tests.matrix.setups import PLANS


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys(), indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(play: Play) -> None:
    for event in play.events:
        if not play.hook(event).succeeded:
            break
    assert not complaints(play)
