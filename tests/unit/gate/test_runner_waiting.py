"""gate.check with `within`: a check is waited for, but never for what only warns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from gate.names import Named
from gate.runner import Gate
from gate.verdict import Finding, ProbeError, Severity, failed, passed
from gate.waiting import OutOfTime

from tests.unit.gate.codedeploy_server import EVENT, ROLLBACK, CodeDeploy
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import Sample, checked, context_of, handler_of, hook_of, raising


class Probing:
    """A probe that gives these answers, the last one for ever, and notes when; each may be a list of findings."""

    def __init__(self, clock: Clock, *answers: Any) -> None:
        self.clock, self.answers, self.at = clock, list(answers), list[float]()

    def __call__(self) -> Any:
        """Give the next answer."""
        self.at.append(self.clock.now - 1000)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_without_within_a_check_is_made_once_and_told_as_it_is(codedeploy: CodeDeploy, clock: Clock) -> None:
    probe = Probing(clock, failed("1 of 2 running"), passed("2 of 2"))
    assert hook_of(Sample("count", probe))(EVENT)["message"] == "1 of 2 running"
    assert (probe.at, codedeploy.statuses) == ([0], ["Failed"])


def test_a_check_is_repeated_until_it_has_passed_so_often_in_a_row(codedeploy: CodeDeploy, clock: Clock) -> None:
    probe = Probing(clock, failed("no"), passed("a"), failed("no"), passed("b"), passed("c"), passed("d"))
    found = checked(codedeploy, probe, within=60, interval=5, consecutive_successes=3)
    assert [result.finding.detail for result in found.results] == ["d"]
    assert probe.at == [0, 5, 10, 15, 20, 25]


def test_where_no_time_is_left_to_see_it_so_often_it_is_no_pass(codedeploy: CodeDeploy, clock: Clock) -> None:
    found = checked(codedeploy, Probing(clock, passed("up")), within=0, consecutive_successes=3)
    assert [result.finding.detail for result in found.results] == [
        "up, but seen only 1 time(s) in a row after 0 s, 3 wanted"
    ]
    assert (bool(found), codedeploy.statuses) == (False, ["Failed"])


def test_what_does_not_come_in_time_says_how_long_it_was_waited_for(codedeploy: CodeDeploy, clock: Clock) -> None:
    probe = Probing(clock, failed("1 of 2 running"))
    found = checked(codedeploy, probe, within=11, interval=5)
    assert [result.finding.detail for result in found.results] == ["1 of 2 running (still so after 11 s)"]
    assert (probe.at, clock.now) == ([0, 5, 10], 1011)


def test_a_passing_error_is_borne_where_a_check_is_waited_for(codedeploy: CodeDeploy, clock: Clock) -> None:
    class Passing(ProbeError):
        retryable = True

    left = [Passing("throttled")] * 4

    def probe() -> Finding:
        if left:
            raise left.pop()
        return passed("fine")

    assert checked(codedeploy, probe, within=60)
    assert clock.now == 1008


@pytest.mark.parametrize("why", ["declared", "by option", "of its own", "advisory", "left out", "rollback"])
def test_what_only_warns_is_not_waited_for(
    codedeploy: CodeDeploy, clock: Clock, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    bad = failed("odd", "look:part")
    if why == "by option":
        monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"look:part": "warn"}}')
    if why == "left out":
        monkeypatch.setenv("HOOK_SETTINGS", '{"checks": {"look:part": "skip"}}')
    if why == "of its own":
        bad = replace(bad, severity=Severity.WARN)
    if why == "advisory":
        bad = replace(bad, advisory=True)
    if why == "rollback":
        codedeploy.replies["GetDeployment"] = [ROLLBACK]
    declared = Severity.WARN if why == "declared" else Severity.FAIL
    probe = Probing(clock, [bad, passed("fine")])
    body = lambda gate: gate.check("look", probe, declared, within=60)  # noqa: E731
    answer = handler_of(body, names=[Named("look", "", parts=("part",))], advisory_on_rollback=True)(EVENT)
    assert (probe.at, clock.now) == ([0], 1000)
    assert answer["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"]


def test_beside_what_only_warns_the_rest_is_waited_for(codedeploy: CodeDeploy, clock: Clock) -> None:
    odd = replace(failed("odd", "look:odd"), severity=Severity.WARN, terminal=True)
    probe = Probing(clock, [odd, failed("no")], [odd, passed("yes")])
    found = checked(codedeploy, probe, within=60, interval=5)
    assert (probe.at, bool(found), found.ok) == ([0, 5], True, False)


def test_findings_of_a_check_survive_the_deadline(codedeploy: CodeDeploy, clock: Clock) -> None:
    def body(gate: Gate[Any]) -> None:
        probe: Callable[[], Finding] = lambda: failed("green target is unhealthy (503)")  # noqa: E731
        gate.check("green", probe, within=gate.deadline.remaining())

    answer = handler_of(body)(EVENT, context_of(900))
    assert answer["message"] == "green target is unhealthy (503) (still so after 870 s)"
    assert clock.now == pytest.approx(1870)
    assert codedeploy.statuses == ["Failed"]


def test_out_of_time_within_a_check_tells_what_was_found_before(codedeploy: CodeDeploy, clock: Clock) -> None:
    left = [failed("1 of 2 running")]

    def probe() -> Finding:
        if left:
            return left.pop()
        raise OutOfTime

    answer = handler_of(lambda gate: gate.check("count", probe, within=60))(EVENT)
    assert answer["message"] == "1 of 2 running; check count had not ended after 2 s, when the report was due"
    assert [(check["name"], check["outcome"]) for check in answer["checks"][1:]] == [
        ("count", "failed"), ("count", "error"),
    ]  # fmt: skip
    assert (clock.now, codedeploy.statuses) == (1002, ["Failed"])


def test_out_of_time_ends_the_hook(codedeploy: CodeDeploy) -> None:
    """Also where a check only warns: what comes after it is not looked at any more."""
    late = raising(OutOfTime(), "late")
    answer = hook_of(Sample("late", late.probe, Severity.WARN), raising(AssertionError("looked at")))(EVENT)
    assert answer["message"].startswith("check late had not ended after ")
    assert [check["name"] for check in answer["checks"]] == ["deployment", "late"]
    assert codedeploy.statuses == ["Failed"]
