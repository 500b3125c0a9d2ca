"""gate.options: the rules across options, what is never shown, the time that a hook has, and the small parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate.options.hooks import HOOKS
from gate.options.migrations import RunMigrations
from gate.options.production import Metric, Range, ValidateProduction
from gate.options.requests import (
    Assertion,
    Flow,
    HttpCheck,
    Load,
    Step,
    ValidateTestTraffic,
    shown_address,
    status_range,
)
from gate.waiting import TimeBudget
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.reading import BASES, Document, problems, read

SECRET = "correct-horse-battery"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-AbCdEf"

# Rules across options

WRONG_WAY = 'a range goes from the lower to the higher code ("200-299")'
NO_ADDRESS = "is no address such as https://test.example.com:8443"
NOT_SAVED = "which no step before it saves: save = { <name> = … }"
ALONE = "without command and preset: nothing would run. Set command too, or preset"
USES: list[Document] = [
    {"path": "/orders/{id}"},
    {"url": "http://a.example.com/{id}"},
    {"headers": {"Authorization": "Bearer {id}"}},
    {"path": "/{image_tag}/{revision}/{id}"},
]
RULES: list[tuple[Any, Document, str]] = [
    # Comparisons
    (
        Assertion,
        {"exists": None},
        "equals, one_of, at_least, at_most, exists or length is needed: else nothing is compared",
    ),
    (Assertion, {"at_least": 4, "at_most": 2.5}, "at_least is 4, above at_most 2.5: no value can lie between them"),
    # Requests
    (HttpCheck, {"status": ["200", "299-200"]}, f'status is "299-200"; {WRONG_WAY}'),
    (HttpCheck, {"url": "http://host:port/"}, f"url {NO_ADDRESS}"),
    (HttpCheck, {"url": "http://host/", "path": "/a"}, "url and path are both set: the path is part of the url"),
    (HttpCheck, {"body": "", "json": "1"}, "body and json are both set: a request has one body"),
    (
        HttpCheck,
        {"json": "{a: 1}"},
        (
            "json is no JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)): what the "
            "answer's JSON has to be goes into jmespath"
        ),
    ),
    (
        HttpCheck,
        {"secret_headers": {"A": ARN}, "follow_redirects": True},
        "secret_headers and follow_redirects are both set: a redirect could lead a secret elsewhere",
    ),
    (HttpCheck, {"consecutive_successes": 4}, "consecutive_successes is 4, attempts only 3: raise attempts"),
    (Step, {"consecutive_successes": 2}, "consecutive_successes is 2, attempts only 1: raise attempts"),
    (
        HttpCheck,
        {"body_matches": "("},
        "body_matches is '(', which is no regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        HttpCheck,
        {"fail_if_body_matches": "a{9999999999}"},
        "fail_if_body_matches is 'a{9999999999}', which is no regular expression: the repetition number is too large",
    ),
    (
        HttpCheck,
        {"jmespath": {"a[?contain(b, 'x')]": {"exists": False}}},
        "jmespath has \"a[?contain(b, 'x')]\": JMESPath has no function contain",
    ),
    (
        HttpCheck,
        {"jmespath": {"length(@, @)": {"exists": True}}},
        "jmespath has 'length(@, @)': JMESPath has length with 1 argument(s), not 2",
    ),
    (
        HttpCheck,
        {"jmespath": {"join(',')": {"exists": True}}},
        "jmespath has \"join(',')\": JMESPath has join with 2 argument(s), not 1",
    ),
    (
        HttpCheck,
        {"jmespath": {"[merge()]": {"exists": True}}},
        "jmespath has '[merge()]': JMESPath has merge with 1 or more argument(s), not 0",
    ),
    # Flows
    (Step, {"save": {"id": "header:X Id"}}, "save.id is 'header:X Id', which names no header"),
    (Step, {"save": {"id": "header:"}}, "save.id is 'header:', which names no header"),
    (Step, {"save": {"id": "nope(a)"}}, "save.id is 'nope(a)': JMESPath has no function nope"),
    *((Flow, {"steps": [use, {"save": {"id": "id"}}]}, f"steps[0] uses {{id}}, {NOT_SAVED}") for use in USES),
    (Flow, {"steps": [{"path": "/{id}", "save": {"id": "id"}}]}, f"steps[0] uses {{id}}, {NOT_SAVED}"),
    (
        Flow,
        {"steps": [{"save": {"id": "id"}}, {"path": "/{other}/{id}/{more}"}]},
        f"steps[1] uses {{more}}, {{other}}, {NOT_SAVED}",
    ),
    # The hooks' own
    (ValidateTestTraffic, {"base_url": "http://[::1/"}, f"base_url {NO_ADDRESS}"),
    (ValidateTestTraffic, {"base_url": "http://a:0"}, f"base_url {NO_ADDRESS}"),
    (ValidateTestTraffic, {"base_url": "http://:80"}, f"base_url {NO_ADDRESS}"),
    *(
        (RunMigrations, {"command": None, name: ["a"]}, f"{name} {ALONE}")
        for name in ("verify_schema_command", "verify_data_command", "rollback_command")
    ),
    (
        RunMigrations,
        {"command": None, "verify_data_command": ["a"], "rollback_command": ["b"]},
        f"verify_data_command, rollback_command {ALONE}",
    ),
    *(
        (
            RunMigrations,
            {"launch": launch},
            f'launch is "{launch}", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own',
        )
        for launch in ("fargate", "FARGATE_SPOTS", "Fargate-spot", "ecs-own", "AWSown")
    ),
    (
        RunMigrations,
        {"timeout": 2941},
        (
            "timeout is 2941, above 2940 (max_duration less 60 for stopping the task and the report): shorten it, or "
            "raise max_duration"
        ),
    ),
    (Range, {"min": 2, "max": 1.5}, "min is 2, above max 1.5: no value can lie between them"),
    *(
        (
            Metric,
            {"period": period},
            f"period is {period}; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds up to a day",
        )
        for period in (2, 59, 61)
    ),
    (
        Metric,
        {"max_worse_percent": None},
        "threshold_range.min, threshold_range.max or max_worse_percent is needed: else nothing is compared",
    ),
    (Load, {"rate": 0.5, "duration": 1.9}, "rate is 0.5 and duration 1.9: less than one request. Raise one of them"),
    (Load, {"status": ["399-200"]}, f'status is "399-200"; {WRONG_WAY}'),
]


@pytest.mark.parametrize(("kind", "document", "message"), RULES, ids=lambda value: str(value)[:60])
def test_what_does_not_go_together_is_refused(kind: Any, document: Document, message: str) -> None:
    assert problems(kind, **document) == [f"x.{message}"]


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (Assertion, {"at_least": 2, "at_most": 2, "length": 0}),
        (HttpCheck, {"status": ["200-200", "2xx", "599"]}),
        (HttpCheck, {"url": "https://user@[::1]:8443/a?b=c#d"}),
        (HttpCheck, {"url": "http://{revision}.example.com", "path": "/"}),
        (HttpCheck, {"json": "1", "secret_headers": {"A": ARN}, "consecutive_successes": 3}),
        (HttpCheck, {"body_matches": r"(?i)\bok\b", "fail_if_body_matches": "", "body": "", "follow_redirects": True}),
        (HttpCheck, {"jmespath": {'length("a-b")': {"at_least": 1}}, "verify_tls": False}),
        (Step, {"attempts": 2, "consecutive_successes": 2}),
        (Step, {"save": {"id": "header:X-Order-Id", "other": "a.b[0]"}}),
        *((Flow, {"steps": [{"save": {"id": "id"}}, {}, use]}) for use in USES),
        (Flow, {"steps": [{"method": "POST", "body": "query {me}"}, {"path": "/{Id}/{a-b}/{}"}]}),
        (ValidateTestTraffic, {"base_url": "http://10.0.0.1:80/api"}),
        (RunMigrations, {"rollback_command": ["b"], "verify_schema_command": ["c"], "verify_data_command": ["d"]}),
        (RunMigrations, {"command": None, "preset": "django", "verify_data_command": ["a"]}),
        (RunMigrations, {"timeout": 2940}),
        (RunMigrations, {"timeout": 3240, "max_duration": 3300}),
        *((RunMigrations, {"launch": launch}) for launch in ("FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "own-ecs")),
        (Range, {"min": 1, "max": 1}),
        *((Metric, {"period": each}) for each in (1, 5, 10, 20, 30, 60, 120, 86_400)),
        (Metric, {"max_worse_percent": None, "threshold_range": {"max": 0}}),
        (Load, {"rate": 0.5, "duration": 2}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_goes_together_is_accepted(kind: Any, document: Document) -> None:
    assert problems(kind, **document) == []


def test_everything_wrong_with_a_request_is_said_at_once() -> None:
    wrong = {
        "url": "http://a:0", "path": "/a", "body": "", "json": "", "status": ["5xx", "300-200"], "body_matches": "(",
        "jmespath": {"a-b": {"exists": True}}, "consecutive_successes": 9,
        "secret_headers": {"A": ARN}, "follow_redirects": True,
    }  # fmt: skip
    begins = [
        "status is", "url is", "url and path", "body and json", "json is", "secret_headers and",
        "consecutive_successes is", "body_matches is", "jmespath has",
    ]  # fmt: skip
    for kind in (HttpCheck, Step):
        found = problems(kind, **wrong)
        assert [said[: len(f"x.{begin}")] for said, begin in zip(found, begins, strict=True)] == [
            f"x.{begin}" for begin in begins
        ]


@pytest.mark.parametrize(
    "document", [{"json": "[" * 50_000}, {"body_matches": "(" * 9000 + ")" * 9000}], ids=["json", "expression"]
)
def test_what_is_nested_too_deeply_to_be_read_is_refused_like_any_other(document: Document) -> None:
    (problem,) = problems(HttpCheck, **document)
    assert problem.startswith(f"x.{next(iter(document))} is ")


def test_http_checks_and_flows_are_read() -> None:
    found, wrong = read(
        ValidateTestTraffic,
        {
            "http_checks": {
                "a": {
                    "json": '{"a": 1}', "method": "POST", "secret_headers": {"X": ARN}, "timeout": 1, "status": ["2xx"],
                    "jmespath": {"a.b": {"equals": "1", "at_least": 2}, '"c-d"': {"one_of": ["x"], "length": 3.0}},
                    "samples": 0, "severity": "warn",
                },
                "b": {},
            },
            "flows": {
                "f": {
                    "severity": "warn",
                    "steps": [{"save": {"id": "a"}}, {"path": "/{id}", "always": True, "name": "n"}],
                },
            },
        },
    )  # fmt: skip
    assert wrong == []
    assert found.http_checks == {
        "a": HttpCheck(
            json='{"a": 1}', method="POST", secret_headers={"X": ARN}, timeout=1.0, status=("2xx",),
            jmespath={"a.b": Assertion(equals="1", at_least=2.0), '"c-d"': Assertion(one_of=("x",), length=3)},
            samples=0, severity="warn",
        ),
        "b": HttpCheck(),
    }  # fmt: skip
    assert found.flows == {"f": Flow((Step(save={"id": "a"}), Step(path="/{id}", always=True, name="n")), "warn")}


def test_a_problem_has_the_whole_path_that_leads_to_it() -> None:
    flows = {"place.order": {"steps": [{}, {"save": {"id": "header:"}}]}}
    assert problems(ValidateTestTraffic, flows=flows) == [
        "x.flows[\"place.order\"].steps[1].save.id is 'header:', which names no header"
    ]
    metrics = {"queue": {**BASES[Metric], "threshold_range": {"min": 2, "max": 1}}}
    assert problems(ValidateProduction, metrics=metrics) == [
        "x.metrics.queue.threshold_range.min is 2, above max 1: no value can lie between them"
    ]


# What is never shown


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        *(
            (kind, document)
            for kind in (HttpCheck, Step)
            for document in (
                {"json": {"password": SECRET}},
                {"json": [SECRET]},
                {"json": SECRET},
                {"secret_headers": {"Authorization": [SECRET]}},
                {"secret_headers": {"Authorization": SECRET}},
                {"secret_headers": {"Authorization": f"Bearer {SECRET} {ARN}"}},
                {"secret_headers": SECRET},
                {"headers": {"Authorization": [SECRET]}},
                {"headers": {"Authorization": f"{SECRET}\n"}},
                {"response_headers": {"Set-Cookie": {"equals": f" {SECRET}"}}},
                {"body": [SECRET]},
                {"body": SECRET, "json": "1"},
                {"path": f"a?token={SECRET}"},
                {"path": f"/#{SECRET} "},
                {"url": f"ftp://a/?token={SECRET}"},
                {"url": f"ftp://user:{SECRET}@a/"},
                {"url": f"http://user:{SECRET}@a:port/"},
            )
        ),
        (ValidateTestTraffic, {"base_url": f"https://a/?token={SECRET}"}),
        (ValidateTestTraffic, {"base_url": f"https://user:{SECRET}@a:port"}),
        (ValidateTestTraffic, {"headers": {"A": f"{SECRET}\n"}}),
        (RunMigrations, {"environment": {"TOKEN": [SECRET]}}),
        (RunMigrations, {"environment": {"": SECRET}}),
        (Load, {"path": f"?token={SECRET}"}),
        (Load, {"headers": {"A B": SECRET}}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_where_a_secret_may_stand_the_value_is_not_shown(kind: Any, document: Document) -> None:
    found = problems(kind, **document)
    assert len(found) == 1
    assert SECRET not in found[0]


# The time there is

LOAD = {"rate": 1, "duration": 100, "warm_up": 20}
METRICS = {"m": BASES[Metric]}


@pytest.mark.parametrize(
    ("document", "window"),
    [
        ({}, 360),
        ({"initial_delay": 0, "duration": 0}, 0),
        ({"initial_delay": 10, "duration": 20, "metrics": METRICS}, 190),
        ({"initial_delay": 10, "duration": 20, "metrics": METRICS, "metrics_delay": 0}, 30),
        ({"initial_delay": 100, "duration": 200, "metrics": METRICS}, 300),
        ({"initial_delay": 10, "duration": 20, "load": LOAD}, 150),
        ({"initial_delay": 10, "duration": 20, "load": LOAD, "metrics": METRICS}, 310),
    ],
    ids=str,
)
def test_the_window_is_settling_bake_and_load(document: Document, window: float) -> None:
    assert read(ValidateProduction, document)[0].window == window


def too_long(window: str, left: int, others: int = 120) -> str:
    return (
        f"initial_delay, duration and load take {window} s, and {left} s are left for them beside {others} s for the "
        "other checks: shorten them, or raise max_duration or timeout (at most 900)"
    )


def no_room(duration: str, room: int) -> str:
    return (
        f"load has warm_up 20 and duration {duration}; a load is not interrupted, and an invocation has {room} s for "
        "it: shorten load or raise timeout"
    )


@pytest.mark.parametrize(
    ("document", "budget", "found"),
    [
        ({}, TimeBudget(870, 3000), []),
        ({}, TimeBudget(480, 480), []),
        ({}, TimeBudget(479, 479), [too_long("360", 359)]),
        ({}, TimeBudget(30, 300), [too_long("360", 180)]),
        ({}, TimeBudget(30, 30), [too_long("360", 18, 12)]),
        ({"duration": 144.5, "initial_delay": 0}, TimeBudget(30, 240), [too_long("144.5", 144, 96)]),
        ({"duration": 0, "initial_delay": 0, "load": LOAD}, TimeBudget(150, 240), []),
        ({"duration": 0, "initial_delay": 0, "load": LOAD}, TimeBudget(149, 240), [no_room("100", 119)]),
        (
            {"duration": 0, "initial_delay": 0, "load": {**LOAD, "duration": 100.5}},
            TimeBudget(150, 150),
            [no_room("100.5", 120), too_long("120.5", 90, 60)],
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_the_time_is_refused(document: Document, budget: TimeBudget, found: list[str]) -> None:
    assert read(ValidateProduction, document)[0].problems_of_time(budget) == found


@pytest.mark.parametrize("hook", HOOKS)
def test_the_defaults_fit_a_function_of_three_minutes(hook: str) -> None:
    options = HOOKS[hook]()
    assert options.problems_of_time(TimeBudget.of(180, getattr(options, "max_duration", 0.0))) == []


# Small parts


@pytest.mark.parametrize(
    ("expression", "first", "last"),
    [("200", 200, 200), ("200-399", 200, 399), ("2xx", 200, 299), ("5xx", 500, 599), ("100-599", 100, 599)],
)
def test_status_expressions(expression: str, first: int, last: int) -> None:
    assert status_range(expression) == range(first, last + 1)


@given(st.text("0123456789x- X\u0663,", max_size=8) | st.text(max_size=8))
def test_any_other_text_is_refused_as_a_status_by_name(expression: str) -> None:
    found = problems(HttpCheck, status=[expression])
    if found:
        (said,) = found
        assert json.dumps(expression, ensure_ascii=False) in said
        return
    first, last = min(status_range(expression)), max(status_range(expression))
    assert 100 <= first <= last <= 599
    assert expression in (f"{first}", f"{first}-{last}", f"{first // 100}xx")
    assert expression != f"{first // 100}xx" or (first % 100, last) == (0, first + 99)


@pytest.mark.parametrize(
    ("range_", "holds", "words"),
    [
        (Range(), [True, True, True], "any value"),
        (Range(min=1), [False, True, True], "at least 1"),
        (Range(max=2.5), [True, True, False], "at most 2.5"),
        (Range(1, 2.5), [False, True, False], "at least 1 and at most 2.5"),
    ],
)
def test_bounds_hold_with_both_their_ends(range_: Range, holds: list[bool], words: str) -> None:
    assert [range_.holds(value) for value in (0.5, 1 if range_.min else 2.5, 3)] == holds
    assert str(range_) == words


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown_address(f"https://user:{SECRET}@a.example.com:8443/b@c?token={SECRET}#x") == (
        "https://a.example.com:8443/b@c"
    )
    assert shown_address(f"/a#{SECRET}") == "/a"


def test_a_metric_is_called_by_its_name() -> None:
    assert str(Metric(namespace="n", metric_name="m")) == "n m"
