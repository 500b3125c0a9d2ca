"""The judgement of a run by the policies: what is missing, too much, or excepted for nothing is found."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.aws.iam_requests import Asked, Call, asked_by
from tests.policies import Judged, judge_asked

HOOK = "validate_deployment"
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/main"
TASK = "arn:aws:ecs:eu-west-1:123456789012:task/main/"
STATEMENTS: list[dict[str, Any]] = [
    {"Sid": "Read", "Effect": "Allow", "Action": ["ecs:DescribeTasks", "ecs:StopTask"], "Resource": f"{TASK}*"},
    {
        "Sid": "List",
        "Effect": "Allow",
        "Action": "ecs:ListTasks",
        "Resource": "*",
        "Condition": {"StringEquals": {"ecs:cluster": CLUSTER}},
    },
]
READ = Asked("ecs:DescribeTasks", f"{TASK}1")
STOP = Asked("ecs:StopTask", f"{TASK}1")
LIST = Asked("ecs:ListTasks", "*", (("ecs:cluster", CLUSTER),))


def judged(*asked: Asked, statements: list[dict[str, Any]] = STATEMENTS, whole: bool = True, **more: Any) -> Judged:
    """Judge what one hook asked in one test."""
    return judge_asked(
        {HOOK: statements}, {(HOOK, each): "a test" for each in asked}, whole=whole, **{"exceptions": {}, **more}
    )


def test_all_is_right() -> None:
    found = judged(READ, STOP, LIST)
    assert (found.faults, found.questions, found.permissions) == ([], 3, 3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked("ecs:RunTask", "x"), f"{HOOK} may not ecs:RunTask on x (a test)"),
        (Asked("ecs:StopTask", "x"), f"{HOOK} may not ecs:StopTask on x (a test)"),
        (
            Asked("ecs:ListTasks", "*", (("ecs:cluster", "x"),)),
            f"{HOOK} may not ecs:ListTasks on *, ecs:cluster = x (a test)",
        ),
        (Asked("ecs:ListTasks", "*"), f"{HOOK} may not ecs:ListTasks on * (a test)"),
    ],
    ids=["action", "resource", "condition", "no key"],
)
def test_what_is_missing_is_named(asked: Asked, said: str) -> None:
    assert judged(READ, STOP, LIST, asked).faults == [said]
    assert judged(READ, STOP, LIST, asked, whole=False).faults == [said]


def test_what_is_too_much_is_named() -> None:
    """An action, and a resource pattern; in a run without all tests of the handlers nobody can say."""
    assert judged(READ, LIST).faults == [f"{HOOK}: Read allows ecs:StopTask on {TASK}*: no call needs it"]
    wider = [{**STATEMENTS[0], "Resource": [f"{TASK}*", "arn:aws:ecs:*:*:service/*"]}, STATEMENTS[1]]
    assert [fault.partition(" on ")[2] for fault in judged(READ, STOP, LIST, statements=wider).faults] == [
        "arn:aws:ecs:*:*:service/*: no call needs it"
    ] * 2
    assert judged(READ, LIST, whole=False).faults == []


def test_what_two_statements_allow_needs_neither() -> None:
    twice = [*STATEMENTS, {"Sid": "Again", "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*"}]
    assert sorted(judged(READ, STOP, LIST, statements=twice).faults) == [
        f"{HOOK}: Again allows ecs:ListTasks on *: no call needs it",
        f"{HOOK}: List allows ecs:ListTasks on *: no call needs it",
    ]


def test_an_exception_is_for_something_that_is_allowed_and_not_called() -> None:
    assert judged(READ, LIST, exceptions={("Read", "ecs:StopTask"): "a reason"}).faults == []
    assert judged(READ, STOP, LIST, exceptions={("Read", "ecs:Gone"): "a reason"}).faults == [
        "exception Read ecs:Gone: there is no such permission"
    ]
    # What is excepted does not answer for calls: an exception that a call needs is none.
    assert judged(READ, STOP, LIST, exceptions={("Read", "ecs:StopTask"): "a reason"}).faults == [
        f"{HOOK} may not ecs:StopTask on {TASK}1 (a test)"
    ]


def test_a_call_without_a_rule_is_not_passed_over() -> None:
    with pytest.raises(LookupError, match="ecs:DeleteService has no rule"):
        asked_by(Call("ecs", "DeleteService", {}, "eu-west-1", "123456789012"))
