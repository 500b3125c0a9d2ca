"""gate.settings: the environment becomes typed options, or all that is wrong with it is said at once.

The options classes here are this file's own; those of the hooks have their tests in test_gate_options.py.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Optional, get_type_hints

import pytest
from gate.options import About, key_of, option
from gate.settings import (
    BadSettings,
    Entry,
    entries,
    judge_settings,
    number,
    read_environment,
    read_module,
    read_settings,
    schema_of,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gate.sample_options import SECRET, Needier, Needy, Options, Window, judge, problem, read

# The four variables


def test_the_environment_is_read() -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/main"
    for cluster in ("main", arn):
        found = read_environment({"APP_NAME": "a", "ENVIRONMENT": "b", "ECS_CLUSTER": cluster, "ECS_SERVICE": " web "})
        assert (found.app_name, found.environment, found.cluster, found.service) == ("a", "b", "main", "web")


def test_all_missing_variables_are_named_in_one_message() -> None:
    with pytest.raises(BadSettings, match="APP_NAME, ENVIRONMENT, ECS_SERVICE is not set: the Terraform module sets"):
        read_environment({"ECS_CLUSTER": "main", "ENVIRONMENT": "", "ECS_SERVICE": "  "})


# What is read


@pytest.mark.parametrize("environ", [{}, {"HOOK_SETTINGS": ""}, {"HOOK_SETTINGS": " {} "}], ids=repr)
def test_nothing_set_means_the_defaults(environ: dict[str, str]) -> None:
    assert read_settings(Options, environ) == Options()


def test_null_means_the_default() -> None:
    assert read(dict.fromkeys(get_type_hints(Options))) == Options()
    assert read({"window": {"low": None}, "needy": {"name": "n", "note": "", "weight": None}}) == Options(
        needy=Needy("n", "")
    )


def test_everything_set_is_read() -> None:
    found = read(
        {
            "checks": {"a": "warn"}, "text": "", "flag": True, "maybe": False, "count": 100, "plain": -5, "seconds": 0,
            "rate": 1, "free": 1e300, "state": "ALARM", "mode": "c", "host": "a.example", "words": ["a", "b\n", " "],
            "numbers": [1], "flags": {"": False}, "labels": {"a-b": ""}, "states": {"c d": "ALARM"},
            "levels": {"a": 1, "b": 0.5}, "window": {"low": 1, "high": 2}, "other": {},
            "windows": {"w": {"high": 3}}, "steps": [{}, {"low": 60}], "url": "/?a=b", "secret": "s",
            "headers": {"A": "b"}, "needy": {"name": "n", "note": "x", "weight": 9},
        }
    )  # fmt: skip
    assert found == Options(
        checks={"a": "warn"}, text="", flag=True, maybe=False, count=100, plain=-5, seconds=0.0, rate=1.0,
        free=1e300, state="ALARM", mode="c", host="a.example", words=("a", "b\n", " "), numbers=(1,), flags={"": False},
        labels={"a-b": ""}, states={"c d": "ALARM"}, levels={"a": 1.0, "b": 0.5}, window=Window(1.0, 2.0),
        other=Window(), windows={"w": Window(high=3.0)}, steps=(Window(), Window(60.0)), needy=Needy("n", "x", 9),
        secret="s", headers={"A": "b"}, url="/?a=b",
    )  # fmt: skip
    assert [type(value) for value in (found.seconds, found.rate, found.levels["a"], found.window.low)] == [float] * 4


def test_a_number_that_terraform_writes_with_a_fraction_of_nothing_is_whole() -> None:
    assert type(read('{"count": 7.0}').count) is int
    assert read('{"numbers": [1.0, 9]}').numbers == (1, 9)


def test_the_environment_of_the_process_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", '{"count": 7, "packages": {"a": "b"}}')
    for name in ("APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE"):
        monkeypatch.setenv(name, name.lower())
    assert read_settings(Options).count == 7
    assert read_module().packages == {"a": "b"}
    assert read_environment().cluster == "ecs_cluster"


# What is refused


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    ("document", "message"),
    [
        # Single values of another kind
        ({"text": 1}, "hook.text is 1; expected text."),
        ({"text": ["a"]}, "hook.text is a list; expected text."),
        ({"flag": "true"}, 'hook.flag is "true"; expected true or false.'),
        ({"flag": 1}, "hook.flag is 1; expected true or false."),
        ({"maybe": {}}, "hook.maybe is a map; expected true or false, or null."),
        ({"count": True}, "hook.count is true; expected a whole number of tasks from 1 to 100."),
        ({"count": 1.5}, "hook.count is 1.5; expected a whole number of tasks from 1 to 100."),
        ({"count": "3"}, 'hook.count is "3"; expected a whole number of tasks from 1 to 100.'),
        ({"seconds": False}, "hook.seconds is false; expected seconds from 0 to 60."),
        ({"state": 1}, 'hook.state is 1; expected "OK" or "ALARM".'),
        ({"host": 1}, 'hook.host is 1; expected a host name such as "a.example", or null.'),
        # Bounds
        ({"count": 0}, "hook.count is 0; expected a whole number of tasks from 1 to 100."),
        ({"count": 101}, "hook.count is 101; expected a whole number of tasks from 1 to 100."),
        ({"plain": -6}, "hook.plain is -6; expected a whole number from -5 to 1000000000, or null."),
        ({"seconds": -0.5}, "hook.seconds is -0.5; expected seconds from 0 to 60."),
        ({"seconds": 60.5}, "hook.seconds is 60.5; expected seconds from 0 to 60."),
        ({"rate": 1.1}, "hook.rate is 1.1; expected a share from 0 to 1, or null."),
        ({"levels": {"cpu": 0.49}}, "hook.levels.cpu is 0.49; expected percent from 0.5 to 100."),
        ({"free": -1}, "hook.free is -1; expected a number, or null."),
        ('{"free": 1e999}', "hook.free is Infinity; expected a number, or null."),
        ({"numbers": [1, 10]}, "hook.numbers[1] is 10; expected a whole number from 1 to 9."),
        # Choices and patterns
        ({"state": "ok"}, 'hook.state is "ok"; expected "OK" or "ALARM".'),
        ({"mode": "d"}, 'hook.mode is "d"; expected "a", "b" or "c", or null. Another one is not known.'),
        ({"states": {"a b": "off"}}, 'hook.states["a b"] is "off"; expected "OK" or "ALARM".'),
        ({"checks": {"a:b": "ignore"}}, 'hook.checks["a:b"] is "ignore"; expected "fail", "warn" or "skip".'),
        ({"host": "a b"}, 'hook.host is "a b"; expected a host name such as "a.example", or null.'),
        ({"host": ""}, 'hook.host is ""; expected a host name such as "a.example", or null.'),
        ({"host": "a\n"}, 'hook.host is "a\\n"; expected a host name such as "a.example", or null.'),
        ({"words": ["a", ""]}, 'hook.words[1] is ""; expected words that are not empty.'),
        ({"host": "a@b"}, 'hook.host is "a@b"; expected a host name such as "a.example", or null.'),
        # Lists and maps
        ({"words": "alembic upgrade"}, "hook.words is a single value, expected a list"),
        ({"words": {"0": "a"}}, "hook.words is a map, expected a list"),
        ({"words": []}, "hook.words has 0 entries; expected 1 to 3."),
        ({"words": ["a"] * 4}, "hook.words has 4 entries; expected 1 to 3."),
        ({"numbers": []}, "hook.numbers has 0 entries; expected 1 to 2, or null."),
        ({"flags": dict.fromkeys("abc", True)}, "hook.flags has 3 entries; expected 0 to 2."),
        ({"words": ["a", 2]}, "hook.words[1] is 2; expected words that are not empty."),
        ({"words": ["a", None]}, "hook.words[1] is null, expected text"),
        ({"numbers": [None]}, "hook.numbers[0] is null, expected a whole number"),
        ({"words": ["a", ["b"]]}, "hook.words[1] is a list; expected words that are not empty."),
        ({"flags": [True]}, "hook.flags is a list, expected a map"),
        ({"flags": {"a": None}}, "hook.flags.a is null, expected true or false"),
        ({"levels": {"a": None}}, "hook.levels.a is null, expected a number"),
        ({"labels": {"A": "x"}}, 'hook.labels has the key "A"; expected a name of small letters.'),
        ({"labels": {"a\n": "x"}}, 'hook.labels has the key "a\\n"; expected a name of small letters.'),
        ({"labels": {"größe": "x"}}, 'hook.labels has the key "größe"; expected a name of small letters.'),
        # Objects
        ({"window": []}, "hook.window is a list, expected a map of options"),
        ({"window": "x"}, "hook.window is a single value, expected a map of options"),
        ({"window": {"low": "x"}}, 'hook.window.low is "x"; expected seconds from 0 to 60.'),
        ({"window": {"low": 2, "high": 1}, "seconds": 0}, "hook.window.high is 1, below low 2"),
        ({"other": {"low": 2, "high": 1}}, "hook.other.high is 1, below low 2"),
        ({"windows": {"w": 1}}, "hook.windows.w is a single value, expected a map of options"),
        ({"windows": {"a.b": None}}, 'hook.windows["a.b"] is null, expected a map of options'),
        ({"windows": [1]}, "hook.windows is a list, expected a map"),
        ({"steps": {}}, "hook.steps is a map, expected a list"),
        ({"steps": [{}, {"low": 61}]}, "hook.steps[1].low is 61; expected seconds from 0 to 60."),
        ({"steps": [{}] * 3}, "hook.steps has 3 entries; expected 0 to 2."),
        ({"needy": {"note": ""}}, "hook.needy.name is missing; expected small letters."),
        ({"needy": {"name": "n", "note": None}}, "hook.needy.note is missing; expected text."),
        ({"window": {"low": 1}}, "hook.seconds and window.low are both set"),
        # The document itself
        ([], "hook is a list, expected a map of options"),
        ("null", "hook is null, expected a map of options"),
        ("1e999", "hook is a single value, expected a map of options"),
        ('{"seconds": NaN}', "HOOK_SETTINGS is not JSON: NaN is no number that JSON knows"),
        ('{"seconds": -Infinity}', "HOOK_SETTINGS is not JSON: -Infinity is no number that JSON knows"),
        # Numbers beyond those of a computer
        ('{"seconds": 1e999}', "hook.seconds is Infinity; expected seconds from 0 to 60."),
        ('{"count": 1e999}', "hook.count is Infinity; expected a whole number of tasks from 1 to 100."),
        ('{"text": -1e999}', "hook.text is -Infinity; expected text."),
        (f'{{"seconds": {HUGE}}}', f"hook.seconds is {HUGE[:59]}…; expected seconds from 0 to 60."),
        (f'{{"seconds": -{HUGE}}}', f"hook.seconds is -{HUGE[:58]}…; expected seconds from 0 to 60."),
        (f'{{"count": {HUGE}}}', f"hook.count is {HUGE[:59]}…; expected a whole number of tasks from 1 to 100."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_path_and_what_was_expected(document: Any, message: str) -> None:
    assert problem(document) == message


@pytest.mark.parametrize("text", ["{", "yes", '{"a": 1} {}', "'{}'", '{"a": 1,}'])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    assert problem(text).startswith("HOOK_SETTINGS is not JSON: ")


@pytest.mark.parametrize("bracket", ["[", '{"window":'])
def test_deep_nesting_is_an_error_like_any_other(bracket: str) -> None:
    assert problem('{"text":' + bracket * 200_000) == "HOOK_SETTINGS is nested too deeply to be read"


def test_all_problems_are_named_at_once_in_the_order_of_the_options() -> None:
    assert judge(
        {
            "needy": {"weight": "x", "wight": 1}, "text": 1, "unknown": 1, "count": 0, "words": ["", "a", 1, "b"],
            "windows": {"a": {"low": 2, "high": 1}, "b": {"low": 4, "high": 3}}, "labels": {"A": 1},
        }
    ) == (
        None,
        [
            "hook.text is 1; expected text.",
            "hook.count is 0; expected a whole number of tasks from 1 to 100.",
            "hook.words has 4 entries; expected 1 to 3.",
            'hook.words[0] is ""; expected words that are not empty.',
            "hook.words[2] is 1; expected words that are not empty.",
            'hook.labels has the key "A"; expected a name of small letters.',
            "hook.labels.A is 1; expected text.",
            "hook.windows.a.high is 1, below low 2",
            "hook.windows.b.high is 3, below low 4",
            "hook.needy.name is missing; expected small letters.",
            "hook.needy.note is missing; expected text.",
            'hook.needy.weight is "x"; expected a whole number from 1 to 9.',
            f"hook has no option unknown; it has {', '.join(get_type_hints(Options))}",
            "hook.needy has no option wight; it has name, note, weight",
        ],
    )  # fmt: skip


def test_lists_and_maps_may_have_to_be_given_too() -> None:
    needier: Any = Needier
    assert judge_settings(needier, {}, "hook")[1].problems == [
        "hook.names is missing; expected a list.",
        "hook.notes is missing; expected a map.",
    ]


def test_rules_of_an_object_are_judged_when_all_in_it_can_be() -> None:
    wrong = {"seconds": 1, "window": {"low": 1, "high": "x"}}
    assert problem(wrong) == 'hook.window.high is "x"; expected seconds from 0 to 60, or null.'


def test_problems_are_told_in_one_message_as_those_of_the_hook() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(Options, {"HOOK_SETTINGS": '{"text": 1, "window": []}'}, hook="validate_deployment")
    assert str(caught.value).split("; validate") == [
        "validate_deployment.text is 1; expected text.",
        "_deployment.window is a list, expected a map of options",
    ]
    with pytest.raises(BadSettings, match=r"^HOOK_SETTINGS\.text is 1; expected text\.$"):
        read_settings(Options, {"HOOK_SETTINGS": '{"text": 1}'})


def test_of_many_problems_the_first_fifty_are_named() -> None:
    def message(count: int) -> str:
        with pytest.raises(BadSettings) as caught:
            read_settings(Options, {"HOOK_SETTINGS": json.dumps({"states": {f"a{n}": "x" for n in range(count)}})})
        return str(caught.value)

    assert message(50).count("; expected") == message(1000).count("; expected") == 50
    assert "more" not in message(50)
    assert message(51).endswith("; and 1 more")


def test_a_value_of_sixty_characters_is_shown_whole() -> None:
    assert problem({"count": "x" * 58}).startswith(f'hook.count is "{"x" * 58}"; expected')
    assert problem({"count": "x" * 59}).startswith(f'hook.count is "{"x" * 58}…; expected')
    assert problem({"count": "größe"}).startswith('hook.count is "größe"; ')


def test_thousands_of_objects_are_read_in_no_time() -> None:
    began = time.process_time()
    assert len(read({"windows": {f"w{number}": {} for number in range(10_000)}}).windows) == 10_000
    assert time.process_time() - began < 2


# What is never shown


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"secret": f"{SECRET} "}, "hook.secret is a text of 22 characters; expected printable text, or null."),
        ({"secret": [SECRET]}, "hook.secret is a list; expected printable text, or null."),
        ({"secret": 12345}, "hook.secret is a single value; expected printable text, or null."),
        ({"headers": SECRET}, "hook.headers is a single value, expected a map"),
        ({"headers": {"A": f"{SECRET}\n"}}, "hook.headers.A is a text of 22 characters; expected printable text."),
        ({"headers": {"A": {"x": SECRET}}}, "hook.headers.A is a map; expected printable text."),
        ({"url": f"a?t={SECRET}"}, 'hook.url is an address of 25 characters; expected a path that begins with "/".'),
        ({"url": f"a#{SECRET}"}, 'hook.url is an address of 23 characters; expected a path that begins with "/".'),
        ({"url": f"a:{SECRET}@b"}, 'hook.url is an address of 25 characters; expected a path that begins with "/".'),
        ({"url": 5}, 'hook.url is 5; expected a path that begins with "/".'),
        ({"url": "health"}, 'hook.url is "health"; expected a path that begins with "/".'),
        ({"window": SECRET}, "hook.window is a single value, expected a map of options"),
        (f'["{SECRET}"]', "hook is a list, expected a map of options"),
        (json.dumps(SECRET), "hook is a single value, expected a map of options"),
        (SECRET, "HOOK_SETTINGS is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ({"window": {"token": SECRET}}, "hook.window has no option token; it has low, high"),
    ],
)  # fmt: skip
def test_values_where_secrets_may_stand_are_not_shown(document: Any, message: str) -> None:
    assert problem(document) == message


# Options of another version


def test_what_is_not_known_is_refused_where_no_other_version_wrote_it() -> None:
    wrong = {"needy": {"name": "n", "note": "", "weihgt": 2}}
    refusal = "hook.needy has no option weihgt; it has name, note, weight"
    assert problem(wrong) == refusal
    for schema in (schema_of(Options), "", None, 3):
        assert problem({**wrong, "schema": schema}) == refusal


def test_what_is_not_known_is_logged_and_left_alone_where_another_version_wrote_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    document = {"schema": "other", "later": SECRET, "other": {"wide": 1, "low": 2}}
    with caplog.at_level(logging.WARNING, logger="gate"):
        assert read_settings(Options, {"HOOK_SETTINGS": json.dumps(document)}, hook="hook") == Options(
            other=Window(2.0)
        )
    left_alone = "the settings are another version's, so it is left alone"
    assert [record.getMessage() for record in caplog.records] == [
        f"hook has no option later; it has {', '.join(get_type_hints(Options))}: {left_alone}",
        f"hook.other has no option wide; it has low, high: {left_alone}",
    ]


def test_values_are_judged_whatever_version_wrote_them() -> None:
    assert problem({"schema": "other", "later": 1, "count": 0}).startswith("hook.count is 0; ")
    assert problem({"schema": "other", "needy": {"name": "n"}}) == "hook.needy.note is missing; expected text."


def test_what_the_module_writes_for_itself_is_no_option() -> None:
    document = {"schema": schema_of(Options), "packages": {"f": "sha"}, "count": 7}
    options, reading = judge_settings(Options, {"HOOK_SETTINGS": json.dumps(document)}, "hook")
    assert options == Options(count=7)
    assert (reading.module.schema, reading.module.packages) == (schema_of(Options), {"f": "sha"})
    assert problem({"window": {"schema": "x"}}) == "hook.window has no option schema; it has low, high"


def test_packages_are_read_whatever_else_the_settings_hold() -> None:
    assert read_module({"HOOK_SETTINGS": '{"packages": {"f": "sha"}, "count": "x"}'}).packages == {"f": "sha"}
    for text in ("", "{", "[]", '{"packages": "sha"}', '{"packages": null}'):
        assert read_module({"HOOK_SETTINGS": text}).packages == {}


@pytest.mark.parametrize(
    ("said", "overrides_allowed", "in_vpc"),
    [
        ({}, True, None),
        ({"overrides": None, "in_vpc": None}, True, None),
        ({"overrides": "allow", "in_vpc": True}, True, True),
        ({"overrides": "forbid", "in_vpc": False}, False, False),
        ({"overrides": "Allow", "in_vpc": "true"}, False, None),
        ({"overrides": True, "in_vpc": 1, "count": "x"}, False, None),
    ],
)
def test_what_the_module_says_of_overrides_and_the_network(
    said: dict[str, Any], overrides_allowed: bool, in_vpc: bool | None
) -> None:
    """A word that is not known forbids; whatever else the settings hold."""
    module = read_module({"HOOK_SETTINGS": json.dumps(said)})
    assert (module.overrides_allowed, module.in_vpc) == (overrides_allowed, in_vpc)


def test_a_schema_tells_names_and_kinds_at_every_depth_and_no_more() -> None:
    def of(**fields: Any) -> str:
        made = type("Made", (), {"__annotations__": {name: kind for name, (kind, _) in fields.items()}})
        for name, (_, field) in fields.items():
            setattr(made, name, field)
        return schema_of(dataclass(made))

    plain = of(a=(int, option("one", 1, least=1, most=5)))
    assert plain == of(a=(int | None, option("two", None, least=2, most=6, unit="tasks")))
    many = [
        plain, of(b=(int, option("", 1))), of(a=(float, option("", 1))), of(a=(str, option("", ""))),
        of(a=(tuple[int, ...], option("", ()))), of(a=(dict[str, int], option("", {}))),
        of(a=(Window, option("", Window))), of(a=(Needy, option(""))), of(a=(dict[str, Window], option("", {}))),
        of(a=(int, option("", 1)), b=(int, option("", 1))),
    ]  # fmt: skip
    assert len(set(many)) == len(many)
    assert all(len(schema) == 12 for schema in many)


# Whatever it holds


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([*get_type_hints(Options), "unknown", "schema", "packages"])


@given(st.dictionaries(names, json_values, max_size=6))
def test_any_settings_are_read_or_refused_by_name(document: dict[str, Any]) -> None:
    found, problems = judge(document)
    if found is None:
        assert problems
        assert all(each.startswith("hook") for each in problems)
        return
    assert problems == []
    assert 1 <= found.count <= 100
    assert 0 <= found.seconds <= 60
    assert found.state in ("OK", "ALARM")
    assert set(found.checks.values()) <= {"fail", "warn", "skip"}


@given(st.text(max_size=30), st.binary(max_size=40))
def test_any_text_is_read_or_refused(text: str, content: bytes) -> None:
    raw = base64.b64encode(gzip.compress(text.encode(errors="replace"))).decode()
    packed_too = [raw, base64.b64encode(content).decode(), base64.b64encode(gzip.compress(content)).decode()]
    for each in (text, *packed_too):
        found, problems = judge(each)
        assert (found is None) == bool(problems)
        assert all(said.startswith(("hook", "HOOK_SETTINGS is not JSON: ")) for said in problems)


# Small parts


def test_entries_are_options_with_their_kinds_and_defaults() -> None:
    @dataclass(frozen=True)
    class Bare:
        plain: int = 3  # a field without option() will do
        first: None | str = None  # noqa: RUF036 - the order is the point
        older: Optional[tuple[int, ...]] = None  # noqa: UP045 - as lambdas/ has it, for Python 3.9

    missing = dataclasses.MISSING
    name = About("what it is called", pattern="[a-z]+", means="small letters")
    assert entries(Needy)[0] == Entry("name", str, name, missing, missing)
    assert entries(Bare) == [
        Entry("plain", int, About(""), 3, missing),
        Entry("first", str, About(""), None, missing),
        Entry("older", tuple[int, ...], About(""), None, missing),
    ]
    assert {entry.name: entry.factory for entry in entries(Options)}["window"] is Window


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.001, "0.001"), (1.0, "1"), (100_000, "100000"), (1e9, "1000000000"), (-1e15, "-1e+15")],
)
def test_a_bound_is_written_as_people_write_it(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("orders", ".orders"), ("a-b_9", ".a-b_9"), ("_a", "._a"), ("9a", '["9a"]'), ("", '[""]'), ("a.b", '["a.b"]'),
        ("a b", '["a b"]'), ("größe", '["größe"]'), ('"', '["\\""]'), ("a\n", '["a\\n"]'),
    ],
)  # fmt: skip
def test_a_key_is_written_as_a_part_of_a_path(key: str, part: str) -> None:
    assert key_of(key) == part
