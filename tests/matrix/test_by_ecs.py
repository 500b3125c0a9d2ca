"""The same set-ups and defects where ECS itself deploys: a part of them; all are in tests/proof/matrix."""

from __future__ import annotations

import pytest

from tests.matrix.by_ecs import HEALTHY, NativePlay
from tests.matrix.test_healthy import passes_without_a_warning


@pytest.mark.parametrize("plan", list(HEALTHY.values()), ids=list(HEALTHY), indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(native_play: NativePlay) -> None:
    passes_without_a_warning(native_play)
