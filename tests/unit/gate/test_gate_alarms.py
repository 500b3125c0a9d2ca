"""Alarms by name, as many as there are. No AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gate.alarms import read_alarms


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
