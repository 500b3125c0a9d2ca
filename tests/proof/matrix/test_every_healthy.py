"""All healthy set-ups of the matrix, each through the five hooks; tests/matrix takes a part of them."""

from __future__ import annotations

import pytest

from tests.matrix.environment import Play
from tests.matrix.setups import PLANS
from tests.matrix.test_healthy import passes_without_a_warning


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys(), indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(play: Play) -> None:
    passes_without_a_warning(play)
