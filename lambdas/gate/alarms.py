"""CloudWatch alarms by name: their states, and whether they are as expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional

from gate import aws
from gate.verdict import Finding, error, failed, passed, skipped

NOT_IN_ALARM = "not ALARM"


def read_alarms(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The alarms of these names, metric and composite: name → state (OK, ALARM, INSUFFICIENT_DATA) and its reason.

    A name that does not exist is not among them.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(wanted), 100):  # DescribeAlarms takes 100 names at most
        for answer in aws.answers(
            "cloudwatch",
            "describe_alarms",
            AlarmNames=wanted[start : start + 100],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],  # without this, composite ones are left out in silence
            MaxRecords=100,
        ):
            for entry in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]:
                state, reason = str(entry.get("StateValue", "unknown")), entry.get("StateReason")
                found[str(entry.get("AlarmName", ""))] = state, str(reason or "no reason given")
    return found


def judge_alarms(
    found: Mapping[str, tuple[str, str]], expected: Mapping[str, str], insufficient_data: Optional[str], missing: str
) -> list[Finding]:
    """Judge the alarms of `expected` (name → OK, ALARM, INSUFFICIENT_DATA or NOT_IN_ALARM) by those that were `found`.

    One that does not exist is an error, unless `missing` is "pass": a typing mistake must not pass the gate. One that
    fires where it must not is terminal, since its state is a summary of minutes already. `insufficient_data` ("pass" or
    "fail") says what that state means where another is expected; None: a pass where the alarm just must not fire.
    """
    return [_judge_alarm(name, found.get(name), state, insufficient_data, missing) for name, state in expected.items()]


def _judge_alarm(
    name: str, found: Optional[tuple[str, str]], expected: str, insufficient_data: Optional[str], missing: str
) -> Finding:
    label = f"alarms:{name}"
    if found is None:
        if missing == "pass":
            return skipped(f"alarm {name} does not exist, which missing_alarms lets pass", label)
        return replace(error(f"alarm {name} does not exist: check its name and region", label), terminal=True)
    state, reason = found
    ok = state == expected or (state, expected) == ("OK", NOT_IN_ALARM)
    if state == "INSUFFICIENT_DATA" and expected in ("OK", NOT_IN_ALARM):
        ok = (insufficient_data or ("pass" if expected == NOT_IN_ALARM else "fail")) == "pass"
    if ok:
        return passed(f"alarm {name} is {state}", label)
    return failed(f"alarm {name} is {state}, expected {expected} ({reason})", label, terminal=state == "ALARM")
