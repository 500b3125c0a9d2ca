"""gate.platforms.codedeploy: the report gets through, or the function raises in time."""

from __future__ import annotations

import pytest
from gate.platforms.codedeploy import ReportFailed

from tests.unit.gate.codedeploy_server import EVENT, REPORT, CodeDeploy, Reply, refused, throttled
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import TAKEN, context_of, good, hook_of


def test_a_report_already_made_is_success(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [refused("LifecycleEventAlreadyCompletedException")]
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert (len(codedeploy.reports), clock.sleeps) == (1, [])


@pytest.mark.parametrize(
    "trouble", [throttled(), Reply({}, 500), Reply(drop=True), refused("AccessDeniedException"), Reply({})], ids=repr
)
def test_a_report_is_retried_until_it_gets_through(codedeploy: CodeDeploy, clock: Clock, trouble: Reply) -> None:
    codedeploy.replies[REPORT] = [trouble] * 4 + [TAKEN]
    answer = hook_of(good())(EVENT)
    assert answer["status"] == "SUCCEEDED"
    assert codedeploy.statuses == ["Succeeded"] * 5
    assert clock.sleeps == [0.5, 1, 2, 4]


@pytest.mark.parametrize("seconds", [20, 60, 900])
def test_a_report_that_never_gets_through_is_raised_before_the_functions_time_is_over(
    codedeploy: CodeDeploy, clock: Clock, seconds: float
) -> None:
    codedeploy.replies[REPORT] = [throttled()]
    with pytest.raises(ReportFailed, match=r"Succeeded could not be reported after \d+ attempt.*ThrottlingException"):
        hook_of(good())(EVENT, context_of(seconds))
    assert 1000 + seconds - 10 < clock.now < 1000 + seconds


def test_attempts_that_take_long_end_in_time_too(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [Reply({}, 500)]

    def slow(operation: str) -> None:
        clock.now += 8 if operation == REPORT else 0

    codedeploy.on_call = slow
    with pytest.raises(ReportFailed, match="after 2 attempt"):
        hook_of(good())(EVENT, context_of(20))
    assert clock.now < 1000 + 20


@pytest.mark.parametrize(
    "code",
    ["DeploymentDoesNotExistException", "InvalidLifecycleEventHookExecutionIdException",
     "InvalidDeploymentIdException", "UnsupportedActionForDeploymentTypeException"],
)  # fmt: skip
def test_a_report_that_no_retry_fixes_is_raised_at_once(codedeploy: CodeDeploy, clock: Clock, code: str) -> None:
    codedeploy.replies[REPORT] = [refused(code)]
    with pytest.raises(ReportFailed, match=code):
        hook_of(good())(EVENT)
    assert (len(codedeploy.reports), clock.sleeps) == (1, [])


def test_the_next_delivery_reports_after_one_that_could_not(codedeploy: CodeDeploy, clock: Clock) -> None:
    codedeploy.replies[REPORT] = [Reply(drop=True)]
    handler = hook_of(good())
    with pytest.raises(ReportFailed, match="CodeDeploy could not be reached"):
        handler(EVENT, context_of(60))
    codedeploy.replies[REPORT] = [TAKEN]
    clock.now += 60
    assert handler(EVENT, context_of(60))["status"] == "SUCCEEDED"
