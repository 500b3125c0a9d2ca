"""All set-ups and defects of the matrix where ECS itself deploys."""

from __future__ import annotations

import pytest

from tests.matrix.by_ecs import BROKEN, HEALTHY, NativePlay
from tests.matrix.defects import Defect
from tests.matrix.test_broken import is_stopped
from tests.matrix.test_healthy import passes_without_a_warning


@pytest.mark.parametrize("plan", list(HEALTHY.values()), ids=list(HEALTHY), indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(native_play: NativePlay) -> None:
    passes_without_a_warning(native_play)


@pytest.mark.parametrize(("defect", "plan"), list(BROKEN.values()), ids=list(BROKEN), indirect=["plan"])
def test_one_thing_broken_is_stopped(defect: Defect, native_play: NativePlay) -> None:
    is_stopped(defect, native_play)
