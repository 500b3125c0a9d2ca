"""The report itself under fault: CodeDeploy that does not take it, and a Lambda that dies at any moment.

Lambda delivers an event three times at most. Its hour is not waited for: one second stands for 75, so a function of 12
seconds is one of 900, Lambda's pauses of one and two minutes are 0.8 and 1.6 of them, and CodeDeploy is out of order
for 5, 60 and 900, from the first report on; 5 seconds are tried in real time, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proof.fault_front import REPORT, Fault, Plan
from tests.proof.fault_lane import SCALE, Story
from tests.proof.fault_matrix import FOREVER
from tests.proof.fault_pool import Case, Pool, Recording
from tests.proof.fault_profiles import PROFILES

OUTAGES = {"5 s": 5 / SCALE, "60 s": 60 / SCALE, "900 s": 900 / SCALE, "5 s in real time": 5.0}
OF_OUTAGES = (
    *("before install", "after install", "test traffic", "a broken smoke test"),
    *("migrations", "a broken migration", "production"),
)
OUT_OF_ORDER = ("throttled", "5xx", "denied", "reset", "hangs", "lost", "page", "broken", "drips")
COMPLETED = "somebody else has reported"
TRIED = {
    "before install": 8,
    "after install": 4,
    "test traffic": 5,
    "a smoke test": 2,
    "migrations": 1,
    "a broken migration": 3,
    "a long migration": 6,
    "production": 6,
    "by ECS, a broken smoke test": 5,
    "by ECS, PRE_PRODUCTION_TRAFFIC_SHIFT": 4,
    "by ECS, POST_PRODUCTION_TRAFFIC_SHIFT": 8,
}
"""Of each profile's requests, every how manieth is one at which the process is killed."""
EXPECTED = {profile.name: profile.expected for profile in PROFILES}
SECONDS = {profile.name: profile.seconds for profile in PROFILES}


def outages() -> Iterator[Case]:
    """CodeDeploy out of order for a while, in each way, for each hook; and events that come twice."""
    for profile in OF_OUTAGES:
        for kind in OUT_OF_ORDER if profile == "after install" else ("throttled", "hangs", "lost"):
            for name, seconds in OUTAGES.items():
                lasts = SECONDS[profile] if name == "900 s" else seconds  # as long as the function
                plan = Plan(REPORT, Fault(kind), range(1, FOREVER), lasts)
                yield Case(profile, f"{kind} for {name}", plan, tries=3)
        yield Case(profile, "delivered twice", again=True)
        yield Case(profile, COMPLETED, Plan(REPORT, Fault("completed"), range(1, FOREVER)), tries=3)


def deaths(recordings: dict[str, Recording]) -> Iterator[Case]:
    """A process killed right before and right after a request, and the event delivered again."""
    for profile, step in TRIED.items():
        requests = len(recordings[profile].story.seen)
        for place in sorted({*range(1, requests + 1, step), requests}):
            for when in ("before", "after"):
                yield Case(profile, f"killed {when} request {place} of {requests}", tries=3, kill=(place, when))


def complaints(case: Case, story: Story) -> list[str]:
    """What does not hold."""
    expected = EXPECTED[case.profile]
    found = list(story.errors)
    if case.plan and not any(seen.spoilt for seen in story.seen):
        found.append("nothing was spoilt")
    if case.name == COMPLETED:
        asked = sum(seen.operation == REPORT for seen in story.seen)
        good = story.last.get("status") == expected.upper() and len(story.deliveries) == asked == 1
        return found if good else [f"asked {asked} times: {[each.error or each.result for each in story.deliveries]}"]
    told = [each.result["status"] for each in story.deliveries if each.result]
    verdicts = {status for status in told if status != "CONTINUED"}
    if story.accepted != [expected]:
        found.append(f"lost, or another one than without a fault: {story.reports}: {story.last.get('message')}")
    if len(verdicts) > 1 or verdicts - {expected.upper()}:
        found.append(f"contradicting: {told}")
    if {status for status, _ in story.reports} - {expected}:
        found.append(f"contradicting reports: {story.reports}")
    if ("migration" in case.profile or "PRE_PRODUCTION" in case.profile) and story.migrations != 1:
        found.append(f"{story.migrations} migrations")
    if "smoke test" in case.profile and story.smoke_tests != 1:
        found.append(f"{story.smoke_tests} smoke tests")
    return found


@pytest.fixture(scope="module")
def stories(pool: Pool, recordings: dict[str, Recording], figures: list[str]) -> list[tuple[Case, Story]]:
    """What came of every case."""
    cases = [*outages(), *deaths(recordings)]
    found = [(case, stories[0]) for case, stories in pool.play(cases)]
    lost = sum(not story.accepted for case, story in found if case.name != COMPLETED)
    contradicting = sum(len({status for status, _ in story.reports}) > 1 for _, story in found)
    twice = sum(max(story.migrations, story.smoke_tests) > 1 for _, story in found)
    figures.append(
        f"the report under fault: {len(found)} cases run, {sum(not complaints(*each) for each in found)} held; "
        f"reports lost {lost}, contradicting {contradicting}, tasks run twice {twice}"
    )
    return found


def test_no_report_is_lost_and_none_contradicts_another(stories: list[tuple[Case, Story]]) -> None:
    wrong = [
        f"{case.profile}: {case.name}: {'; '.join(found)}" for case, s in stories if (found := complaints(case, s))
    ]
    assert wrong == [], f"{len(wrong)} of {len(stories)}"


def test_processes_were_killed_and_events_delivered_again(stories: list[tuple[Case, Story]]) -> None:
    killed = [story for case, story in stories if case.kill]
    assert len(killed) > 80
    died = [story for story in killed if any("died" in each.error for each in story.deliveries)]
    assert len(died) > 0.9 * len(killed)  # who has returned its verdict before the blow has not died of it


def test_a_report_whose_answer_was_lost_is_made_once(stories: list[tuple[Case, Story]]) -> None:
    """CodeDeploy has it, and answers the next attempt that the event is already completed."""
    of_lost = [(case, story) for case, story in stories if case.name == "lost for 5 s in real time"]
    assert of_lost
    for case, story in of_lost:
        assert story.reports[0] == (EXPECTED[case.profile], None)
        assert len(story.reports) > 1
        assert {error for _, error in story.reports[1:]} == {"LifecycleEventAlreadyCompletedException"}


def test_an_outage_longer_than_the_function_is_raised_and_reported_by_the_next_delivery(
    stories: list[tuple[Case, Story]],
) -> None:
    long = [(case, story) for case, story in stories if case.name == "throttled for 900 s"]
    assert long
    for case, story in long:
        assert "could not be reported after" in story.deliveries[0].error
        assert story.accepted == [EXPECTED[case.profile]]
