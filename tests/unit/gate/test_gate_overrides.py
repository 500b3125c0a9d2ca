"""gate.overrides: which names a description means, and which words are nobody's business."""

from __future__ import annotations

import pytest
from gate.overrides import Overrides, overrides_in

OWN = ["blue_targets", "service_steady", "images", "images:{image}"]
ALL = [*OWN, "load", "load:p99", "release"]


@pytest.mark.parametrize(
    ("description", "own", "others"),
    [
        ("[warn blue_targets]", {"blue_targets": "warn"}, ()),
        ("Fix it [WARN blue_targets, service_steady], please", {"blue_targets": "warn", "service_steady": "warn"}, ()),
        ("[skip blue_targets service_steady]", {"blue_targets": "skip", "service_steady": "skip"}, ()),
        ("[ Skip:\n\tblue_targets ,, service_steady, ]", {"blue_targets": "skip", "service_steady": "skip"}, ()),
        ("[warn blue_targets][warn blue_targets]", {"blue_targets": "warn"}, ()),
        ("[warn blue_targets] [skip load]", {"blue_targets": "warn"}, ("load",)),
        ("[skip images:shop:2, load:p99]", {"images:shop:2": "skip"}, ("load:p99",)),
        ("[skip ci] [skip blue_targets]", {"blue_targets": "skip"}, ()),
        ("[skip release]", {}, ("release",)),
    ],
)
def test_names_are_read_however_they_are_written(
    description: str, own: dict[str, str], others: tuple[str, ...]
) -> None:
    assert overrides_in(description, OWN, ALL) == Overrides(own, others)


@pytest.mark.parametrize(
    "description",
    ["", "Release 2.0", "[JIRA-123] Fix", "[skip ci]", "[ci skip]", "[SKIP CI]", "[skip travis]", "[no ci]", "[warn]",
     "[skip]", "[warning blue_targets]", "[skip changelog]", "[Skip: lint]", "[skip e2e]", "[skip tests]", "[warn ci]",
     "fix warn [warn users of the outage]", "[skip dependabot, review]", "[skip deployment]", "[skip checks]",
     "warn blue_targets", "[warn-level blue_targets]", "[fail blue_targets]",
     "[warn blue_targets", "skip [blue_targets]"],
)  # fmt: skip
def test_other_words_are_nobodys_business(description: str) -> None:
    assert not overrides_in(description, OWN, ALL)


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("[warn blue_target]", "names blue_target, which no hook has"),
        ("[warn blue_targets] [skip load:p98, x]", "names load:p98, x, which no hook has"),
        ("[skip ci, blue_targets]", "names ci, which no hook has"),
        ("[skip services_steady]", "names services_steady, which no hook has"),
        ("[warn blue_targets] [skip blue_targets]", "would both warn and skip blue_targets"),
        (
            f"[warn load {' '.join(map(str, range(12)))}]",
            "names 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more, which no hook has",
        ),
    ],
)
def test_what_cannot_be_followed_overrides_nothing(description: str, problem: str) -> None:
    assert overrides_in(description, OWN, ALL) == Overrides({}, problem=problem)
