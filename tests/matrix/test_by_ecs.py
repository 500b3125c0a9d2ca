"""The same set-ups and defects where ECS itself deploys: a part of them; all are in tests/proof/matrix."""

from __future__ import annotations

import pytest

from tests.matrix.by_ecs import BROKEN, HEALTHY, NOT_OF_ECS, NativePlay
from tests.matrix.defects import DEFECTS, Defect
from tests.matrix.test_broken import is_stopped
from tests.matrix.test_healthy import passes_without_a_warning

SOUND = list(HEALTHY)[::80]
ONE_EACH = list({name.partition("-")[0]: name for name in BROKEN}.values())[::16]


@pytest.mark.parametrize("plan", [HEALTHY[name] for name in SOUND], ids=SOUND, indirect=True)
def test_a_healthy_deployment_passes_without_a_warning(native_play: NativePlay) -> None:
    passes_without_a_warning(native_play)


@pytest.mark.parametrize(("defect", "plan"), [BROKEN[name] for name in ONE_EACH], ids=ONE_EACH, indirect=["plan"])
def test_one_thing_broken_is_stopped(defect: Defect, native_play: NativePlay) -> None:
    is_stopped(defect, native_play)


def test_what_is_left_out_is_a_defect() -> None:
    """And most of them are not left out."""
    assert set(NOT_OF_ECS) < set(DEFECTS)
    assert {name.partition("-")[0] for name in BROKEN} >= set(DEFECTS) - set(NOT_OF_ECS)
