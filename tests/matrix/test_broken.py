"""Ordinary deployments with one thing broken: the right hook fails, and names the right cause first.

Here a fifth of the defects, one set-up each; all of both are in tests/proof/matrix.
"""

from __future__ import annotations

import pytest

from tests.matrix.broken import BROKEN, PART, WARNED, Warned
from tests.matrix.defects import Defect
from tests.matrix.environment import Play

FIRST = 160  # characters within which a message has come to its cause


def is_stopped(defect: Defect, play: Play) -> None:
    """Play a deployment to the hook that has to find its defect."""
    judgement = play.hook(defect.event)
    assert not judgement.succeeded, judgement.message
    assert defect.says in judgement.message[:FIRST], judgement.message


@pytest.mark.parametrize(("defect", "plan"), [BROKEN[name] for name in PART], ids=PART, indirect=["plan"])
def test_one_thing_broken_is_stopped_by_the_right_hook_for_the_right_cause(defect: Defect, play: Play) -> None:
    is_stopped(defect, play)


@pytest.mark.parametrize(("warned", "plan"), WARNED.values(), ids=WARNED.keys(), indirect=["plan"])
def test_what_the_deployment_may_mend_is_let_through_with_a_loud_warning(warned: Warned, play: Play) -> None:
    judgement = play.hook("BeforeInstall")
    assert judgement.succeeded, judgement.message
    assert " warned: " in judgement.message
    assert warned.says in judgement.message
    for event in play.events[1:]:
        later = play.hook(event)
        assert later.succeeded, f"{event}: {later.message}"
