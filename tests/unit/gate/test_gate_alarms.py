"""gate.alarms: alarms by name, as many as there are, and by their states. No AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gate.alarms import NOT_IN_ALARM, judge_alarms, read_alarms
from gate.verdict import Finding

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def judged(state: str | None, expected: str, insufficient_data: str | None = None, missing: str = "fail") -> Finding:
    """The finding about the alarm `mine`, which does not exist if it has no state."""
    found = {"another": ("ALARM", "none of ours")} | ({} if state is None else {"mine": (state, "said so")})
    [finding] = judge_alarms(found, {"mine": expected}, insufficient_data, missing)
    assert finding.name == "alarms:mine"
    return finding


@pytest.mark.parametrize("insufficient_data", [None, "pass", "fail"])
@pytest.mark.parametrize("state", ["OK", "ALARM"])
@pytest.mark.parametrize("expected", [*STATES, NOT_IN_ALARM])
def test_an_alarm_that_has_data(state: str, expected: str, insufficient_data: str | None) -> None:
    found = judged(state, expected, insufficient_data)
    if state == expected or (state, expected) == ("OK", NOT_IN_ALARM):
        assert (found.outcome, found.detail) == ("passed", f"alarm mine is {state}")
    else:
        assert (found.outcome, found.detail) == ("failed", f"alarm mine is {state}, expected {expected} (said so)")
        assert found.terminal is (state == "ALARM")


@pytest.mark.parametrize(
    ("setting", "expected", "ok"),
    [
        (None, "OK", False),
        (None, "ALARM", False),
        (None, "INSUFFICIENT_DATA", True),
        (None, NOT_IN_ALARM, True),
        ("pass", "OK", True),
        ("pass", "ALARM", False),
        ("pass", "INSUFFICIENT_DATA", True),
        ("pass", NOT_IN_ALARM, True),
        ("fail", "OK", False),
        ("fail", "ALARM", False),
        ("fail", "INSUFFICIENT_DATA", True),
        ("fail", NOT_IN_ALARM, False),
    ],
)
def test_what_an_alarm_without_data_means(setting: str | None, expected: str, ok: bool) -> None:
    found = judged("INSUFFICIENT_DATA", expected, setting)
    said = "alarm mine is INSUFFICIENT_DATA"
    wanted = ("passed", said) if ok else ("failed", f"{said}, expected {expected} (said so)")
    assert (found.outcome, found.detail, found.terminal) == (*wanted, False)


@pytest.mark.parametrize("expected", [*STATES, NOT_IN_ALARM])
def test_an_alarm_that_does_not_exist(expected: str) -> None:
    found = judged(None, expected)
    assert (found.outcome, found.terminal) == ("error", True)
    assert found.detail == "alarm mine does not exist: check its name and region"
    passes = judged(None, expected, missing="pass")
    assert (passes.outcome, passes.detail) == ("skipped", "alarm mine does not exist, which missing_alarms lets pass")


def test_of_many_alarms_a_hundred_are_asked_for_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DescribeAlarms takes no more names; both kinds of alarms are found."""
    asked: list[list[str]] = []

    def answers(_service: str, _operation: str, **parameters: Any) -> Iterator[Any]:
        asked.append(parameters["AlarmNames"])
        metric, *others = parameters["AlarmNames"]
        composite = [{"AlarmName": name, "StateValue": "ALARM"} for name in others]
        yield {"MetricAlarms": [{"AlarmName": metric, "StateValue": "OK"}], "CompositeAlarms": composite}

    monkeypatch.setattr("gate.aws.answers", answers)
    names = [f"alarm-{number}" for number in range(201)]
    found = read_alarms([*names, "alarm-0"])
    assert [len(each) for each in asked] == [100, 100, 1]
    assert list(found) == names
    assert (found["alarm-0"], found["alarm-1"]) == (("OK", "no reason given"), ("ALARM", "no reason given"))
