"""Ordinary deployments with one thing broken: the right hook fails, and names the right cause first."""

from __future__ import annotations

import pytest

from tests.matrix.broken import BROKEN
from tests.matrix.defects import Defect
from tests.matrix.environment import Play

FIRST = 160  # characters within which a message has come to its cause


@pytest.mark.parametrize(
    ("defect", "plan"), BROKEN.values(), ids=BROKEN.keys(), indirect=["plan"]
)
def test_one_thing_broken_is_stopped_by_the_right_hook_for_the_right_cause(defect: Defect, play: Play) -> None:
    judgement = play.hook(defect.event)
    assert not judgement.succeeded, judgement.message
    assert defect.says in judgement.message[:FIRST], judgement.message
