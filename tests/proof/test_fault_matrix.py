"""The fault matrix: each hook, each AWS call it makes, each fault, at the first and at the last call.

The packaged functions run in AWS's runtime client, one warm process a lane, on a function time-out of seconds. What is
refused, not answered, cut off, unreadable, empty or lacks a member is made by the front that stands where AWS's
endpoints do; a port that is closed, a name that does not resolve and a certificate nobody trusts are real ones.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rehearsal.certificates import Authority
from tests.proof.fault_front import ELSEWHERE, REPORT
from tests.proof.fault_lane import Story
from tests.proof.fault_matrix import KINDS, Judge, cases_of, kind_of, kinds_for, operations_of
from tests.proof.fault_pool import Case, Pool, Recording
from tests.proof.fault_profiles import PROFILES, Profile

Results = list[tuple[Case, list[Story], list[str]]]
HOOKS = tuple(dict.fromkeys(profile.hook for profile in PROFILES))
HOOK_OF = {profile.name: profile.hook for profile in PROFILES}

_SITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from rehearsal.testing.web import Site
print(Site(Path(sys.argv[2])).url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses at which no AWS is to be had: a closed port, no such name, a certificate of nobody's.

    The server with the certificate is a process of its own, for the lanes are forked from one without threads.
    """
    signed = Authority().sign("localhost", timedelta(days=1))
    pem = tmp_path_factory.mktemp("tls") / "site.pem"
    pem.write_text(signed.certificate + signed.private_key)
    root = Path(__file__).resolve().parent.parent.parent
    command = [sys.executable, "-c", _SITE, str(root), str(pem)]
    with (
        socket.socket() as closed,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as site,
    ):
        closed.bind(("127.0.0.1", 0))  # and does not listen
        url = site.stdout.readline().strip() if site.stdout else ""
        assert url.startswith("https://"), "the server with the certificate did not start"
        yield dict(
            zip(ELSEWHERE, (f"http://127.0.0.1:{closed.getsockname()[1]}", "http://aws.invalid", url), strict=True)
        )
        if site.stdin:
            site.stdin.close()


@pytest.fixture(scope="module")
def results(pool: Pool, recordings: dict[str, Recording], endpoints: dict[str, str], figures: list[str]) -> Results:
    """Every case, what came of it, and what did not hold.

    Twenty functions run side by side, by a clock that is quicker than the machine's: what did not hold is tried once
    more when the others are done, so that a machine which is busy with something else fails nothing.
    """
    judge = Judge(PROFILES, recordings)

    def play(cases: Iterable[Case]) -> Results:
        return [(case, stories, judge.complaints(case, stories)) for case, stories in pool.play(cases)]

    first = play(cases_of(PROFILES, recordings, endpoints))
    once_more = [case for case, _, wrong in first if wrong]
    found = [each for each in first if not each[2]] + play(once_more)
    figures.append(f"fault matrix: {len(once_more)} cases tried once more")
    for title, name in (("hook", lambda case: HOOK_OF[case.profile]), ("fault", kind_of)):
        ran, held = Counter(name(case) for case, _, _ in found), Counter(name(c) for c, _, wrong in found if not wrong)
        figures.append(f"fault matrix by {title}: cases run, cases held")
        figures += [f"  {word:<24} {ran[word]:>5} {held[word]:>5}" for word in ran]
    figures.append(f"fault matrix: {len(found)} cases run, {sum(not wrong for _, _, wrong in found)} held")
    return found


def test_without_a_fault_every_profile_ends_as_expected(recordings: dict[str, Recording]) -> None:
    for profile in PROFILES:
        assert recordings[profile.name].story.accepted == [profile.expected], profile.name


def test_members_are_those_of_all_answers(recordings: dict[str, Recording]) -> None:
    """A task that runs has no exit code yet: what says how it ended comes with a later answer to the same question."""
    members = recordings["migrations"].members["ecs:DescribeTasks"]
    assert {("tasks", "containers", "exitCode"), ("tasks", "stopCode"), ("tasks", "containers")} <= set(members)


def test_what_the_functions_ask_of_iam_is_noted(pool: Pool, recordings: dict[str, Recording]) -> None:
    """It is judged at the end of the run."""
    noted = {(hook, asked.action) for hook, asked in pool.noted.asked}
    assert {(profile.hook, action) for profile in PROFILES for action in recordings[profile.name].counts} <= noted
    assert {hook for hook, _ in pool.noted.secrets} == {"validate_test_traffic", "validate_production"}
    assert pool.noted.calls >= sum(sum(recording.counts.values()) for recording in recordings.values())
    assert pool.noted.problems == set()


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_operation_meets_every_fault(
    results: Results, recordings: dict[str, Recording], profile: Profile
) -> None:
    """The matrix is whole: no operation that was recorded is left out, and no profile is there for nothing."""
    tried = {case.name.rpartition(", ")[0] for case, _, _ in results if case.profile == profile.name}
    assert tried
    assert set(profile.decisive) <= set(recordings[profile.name].counts)
    for action in [action for each, action in operations_of(PROFILES, recordings) if each == profile]:
        kinds = kinds_for(action, recordings[profile.name])
        assert len(kinds) >= len(KINDS) - 5, action
        missing = [kind for kind in kinds if f"{action}, {kind}" not in tried]
        assert missing == [], action


@pytest.mark.parametrize("hook", HOOKS)
def test_one_report_in_time_with_a_reason_and_no_success_unseen(results: Results, hook: str) -> None:
    wrong = [
        f"{case.profile}: {case.name}: {'; '.join(w)}" for case, _, w in results if w and HOOK_OF[case.profile] == hook
    ]
    ran = sum(HOOK_OF[case.profile] == hook for case, _, _ in results)
    assert ran > 100, "there is hardly a case of this hook"
    assert wrong == [], f"{len(wrong)} of {ran} cases did not hold"


def test_what_cannot_be_seen_under_one_fault_is_passed_under_no_other(results: Results) -> None:
    """A check that has to do without an operation that is denied does without it too when its answer is unreadable."""
    passed: dict[tuple[str, str, str], set[str]] = {}
    for case, stories, _ in results:
        if case.plan is None or case.plan.operation == REPORT or not case.name.endswith(", first"):
            continue
        checks = stories[0].last.get("checks", [])
        bad = {check["name"] for check in checks if check["outcome"] in ("failed", "error")}
        good = {check["name"] for check in checks if check["outcome"] == "passed"} - bad
        passed[case.profile, case.plan.operation, case.plan.fault.kind] = good
    compared = 0
    for (profile, operation, kind), good in passed.items():
        if kind in ("broken", "page", "list", "reset"):
            compared += 1
            unseen = good - passed[profile, operation, "denied"]
            assert unseen == set(), f"{profile}: {operation}, {kind}"
    assert compared > 100
