"""All broken set-ups of the matrix; tests/matrix takes one of each defect."""

from __future__ import annotations

import pytest

from tests.matrix.broken import BROKEN
from tests.matrix.defects import Defect
from tests.matrix.environment import Play
from tests.matrix.test_broken import is_stopped


@pytest.mark.parametrize(("defect", "plan"), BROKEN.values(), ids=BROKEN.keys(), indirect=["plan"])
def test_one_thing_broken_is_stopped_by_the_right_hook_for_the_right_cause(defect: Defect, play: Play) -> None:
    is_stopped(defect, play)
