"""gate.settings: the environment becomes typed settings, or all that is wrong with it is said at once."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from gate.http_checks import Comparison, Flow, HttpCheck, Step
from gate.settings import BadSettings, HookSettings, limits, read_environment, read_settings
from hypothesis import given
from hypothesis import strategies as st


@dataclass(frozen=True)
class Window:
    """A nested object with a rule across its fields."""

    low: float = 0.0
    high: float | None = None

    def __post_init__(self) -> None:
        if self.high is not None and self.high < self.low:
            raise ValueError(f"high {self.high:g} is below low {self.low:g}")


@dataclass(frozen=True)
class Needy:
    """A nested object with a field that has no default."""

    name: str
    weight: int = 1


@dataclass(frozen=True)
class Settings(HookSettings):
    """One field of each kind."""

    text: str = "a"
    flag: bool = False
    count: int = limits(1, least=1, most=100)
    seconds: float = limits(2.5, least=0, most=60)
    maybe: float | None = None
    words: tuple[str, ...] = ("x",)
    listed: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    windows: dict[str, Window] = field(default_factory=dict)
    needy: Needy | None = None
    state: str = limits("OK", choices=("OK", "ALARM"))
    states: dict[str, str] = limits(default_factory=dict, choices=("OK", "ALARM"))  # noqa: RUF009 - dataclasses.field()


def read(document: Any) -> Settings:
    return read_settings(Settings, {"HOOK_SETTINGS": document if isinstance(document, str) else json.dumps(document)})


def problems(document: Any) -> str:
    with pytest.raises(BadSettings) as caught:
        read(document)
    return str(caught.value)


def test_the_environment_is_read() -> None:
    found = read_environment({"APP_NAME": "shop", "ENVIRONMENT": "prod", "ECS_CLUSTER": "main", "ECS_SERVICE": " web "})
    assert (found.app_name, found.environment, found.cluster, found.service) == ("shop", "prod", "main", "web")


def test_all_missing_variables_are_named_in_one_message() -> None:
    with pytest.raises(BadSettings, match="APP_NAME, ENVIRONMENT, ECS_SERVICE is not set: the Terraform module sets"):
        read_environment({"ECS_CLUSTER": "main", "ENVIRONMENT": "", "ECS_SERVICE": "  "})


@pytest.mark.parametrize("environ", [{}, {"HOOK_SETTINGS": ""}, {"HOOK_SETTINGS": " {} "}], ids=repr)
def test_nothing_set_means_the_defaults(environ: dict[str, str]) -> None:
    assert read_settings(Settings, environ) == Settings()


def test_null_means_the_default() -> None:
    names = [name for name in Settings.__dataclass_fields__ if name != "needy"]
    assert read(dict.fromkeys(names)) == Settings()
    assert read({"window": {"low": None}}) == Settings()


def test_everything_set_is_read() -> None:
    found = read(
        {
            "checks": {"a": "warn"}, "text": "", "flag": True, "count": 100, "seconds": 1, "maybe": 0, "words": [],
            "listed": [1, 2], "headers": {"A": "b"}, "window": {"low": 1, "high": 2}, "windows": {"w": {"high": 3}},
            "needy": {"name": "n"}, "state": "ALARM", "states": {"cpu": "OK"},
        }
    )  # fmt: skip
    assert found == Settings(
        checks={"a": "warn"}, text="", flag=True, count=100, seconds=1.0, maybe=0.0, words=(), listed=[1, 2],
        headers={"A": "b"}, window=Window(1.0, 2.0), windows={"w": Window(high=3.0)}, needy=Needy("n"), state="ALARM",
        states={"cpu": "OK"},
    )  # fmt: skip
    assert isinstance(found.seconds, float)


def test_a_number_that_terraform_writes_with_a_fraction_of_nothing_is_whole() -> None:
    assert read('{"count": 7.0}').count == 7


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"text": 1}, "HOOK_SETTINGS.text is 1, expected text"),
        ({"flag": "true"}, 'HOOK_SETTINGS.flag is "true", expected true or false'),
        ({"flag": 1}, "HOOK_SETTINGS.flag is 1, expected true or false"),
        ({"count": True}, "HOOK_SETTINGS.count is true, expected a whole number"),
        ({"count": 1.5}, "HOOK_SETTINGS.count is 1.5, expected a whole number"),
        ({"count": "3"}, 'HOOK_SETTINGS.count is "3", expected a whole number'),
        ({"count": 0}, "HOOK_SETTINGS.count is 0, expected at least 1"),
        ({"count": 101}, "HOOK_SETTINGS.count is 101, expected at most 100"),
        ({"seconds": False}, "HOOK_SETTINGS.seconds is false, expected a number"),
        ({"seconds": -0.5}, "HOOK_SETTINGS.seconds is -0.5, expected at least 0"),
        ({"seconds": 60.5}, "HOOK_SETTINGS.seconds is 60.5, expected at most 60"),
        ({"maybe": "soon"}, 'HOOK_SETTINGS.maybe is "soon", expected a number'),
        ({"words": "alembic upgrade"}, 'HOOK_SETTINGS.words is "alembic upgrade", expected a list'),
        ({"words": ["a", 2]}, "HOOK_SETTINGS.words[1] is 2, expected text"),
        ({"words": ["a", None]}, "HOOK_SETTINGS.words[1] is null, expected text"),
        ({"window": []}, "HOOK_SETTINGS.window is [], expected an object"),
        ({"window": {"low": "x"}}, 'HOOK_SETTINGS.window.low is "x", expected a number'),
        ({"window": {"low": 2, "high": 1}}, "HOOK_SETTINGS.window: high 1 is below low 2"),
        ({"windows": {"w": 1}}, "HOOK_SETTINGS.windows.w is 1, expected an object"),
        ({"windows": [1]}, "HOOK_SETTINGS.windows is [1], expected a map"),
        ({"needy": {}}, "HOOK_SETTINGS.needy.name is missing"),
        ({"needy": {"name": None}}, "HOOK_SETTINGS.needy.name is missing"),
        ({"state": "ok"}, 'HOOK_SETTINGS.state is "ok", expected one of OK, ALARM'),
        ({"states": {"cpu": "off"}}, 'HOOK_SETTINGS.states.cpu is "off", expected one of OK, ALARM'),
        ({"checks": {"a": "ignore"}}, 'HOOK_SETTINGS.checks.a is "ignore", expected one of fail, warn, skip'),
        ([], "HOOK_SETTINGS is [], expected an object"),
        ("null", "HOOK_SETTINGS is null, expected an object"),
        ('{"seconds": NaN}', "HOOK_SETTINGS is not JSON: NaN is no number that JSON knows"),
        ('{"seconds": -Infinity}', "HOOK_SETTINGS is not JSON: -Infinity is no number that JSON knows"),
        ('{"seconds": 1e999}', "HOOK_SETTINGS.seconds is Infinity, expected a number"),
        ('{"seconds": 1' + "0" * 305 + "}", "HOOK_SETTINGS.seconds is Infinity, expected a number"),
        ('{"seconds": 1' + "0" * 400 + "}", "HOOK_SETTINGS.seconds is Infinity, expected a number"),
        ('{"count": 1e999}', "HOOK_SETTINGS.count is Infinity, expected a whole number"),
        ("{", "HOOK_SETTINGS is not JSON: "),
        ("yes", "HOOK_SETTINGS is not JSON: "),
    ],
)
def test_a_wrong_value_is_named_with_its_path_and_what_was_expected(document: Any, message: str) -> None:
    found = problems(document)
    assert found.startswith(message) if message.endswith(": ") else found == message


def test_all_problems_are_named_at_once() -> None:
    found = problems(
        {
            "count": 0,
            "text": 1,
            "window": {"low": 2, "high": 1},
            "windows": {"a": {"low": 2, "high": 1}, "b": {"low": 4, "high": 3}},
            "needy": {"weight": "x"},
        }
    )
    assert found.split("; ") == [
        "HOOK_SETTINGS.text is 1, expected text",
        "HOOK_SETTINGS.count is 0, expected at least 1",
        "HOOK_SETTINGS.window: high 1 is below low 2",
        "HOOK_SETTINGS.windows.a: high 1 is below low 2",
        "HOOK_SETTINGS.windows.b: high 3 is below low 4",
        "HOOK_SETTINGS.needy.name is missing",
        'HOOK_SETTINGS.needy.weight is "x", expected a whole number',
    ]


def test_all_problems_of_an_http_check_are_named_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"status '2x' is no code.*status '299-200'.*body_matches '\(' is not"
    ) as caught:
        HttpCheck(status=("2x", "200", "299-200"), body_matches="(", fail_if_body_matches="[")
    assert "fail_if_body_matches '[' is not a regular expression" in str(caught.value)
    with pytest.raises(ValueError, match="status is empty"):
        HttpCheck(status=())


def test_an_unknown_setting_is_logged_by_name_and_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="gate"):
        assert read({"later": "confidential", "window": {"wide": 1}}) == Settings()
    assert [record.getMessage() for record in caplog.records] == [
        "setting HOOK_SETTINGS.later is not known to this version and is left alone",
        "setting HOOK_SETTINGS.window.wide is not known to this version and is left alone",
    ]


@pytest.mark.parametrize("bracket", ["[", '{"window":'])
def test_deep_nesting_is_an_error_like_any_other(bracket: str) -> None:
    assert "HOOK_SETTINGS" in problems('{"text":' + bracket * 200_000)


def test_values_where_secrets_stand_are_not_shown() -> None:
    @dataclass(frozen=True)
    class Secretive(HookSettings):
        headers: dict[str, bool] = field(default_factory=dict)
        environment: dict[str, bool] = field(default_factory=dict)
        body: bool = False

    secret = "correct-horse-battery"
    document = {"headers": {"Authorization": secret}, "environment": {"TOKEN": [secret]}, "body": {"a": secret}}
    with pytest.raises(BadSettings) as caught:
        read_settings(Secretive, {"HOOK_SETTINGS": json.dumps(document)})
    assert str(caught.value) == (
        "HOOK_SETTINGS.headers.Authorization is a str (not shown), expected true or false; "
        "HOOK_SETTINGS.environment.TOKEN is a list (not shown), expected true or false; "
        "HOOK_SETTINGS.body is a dict (not shown), expected true or false"
    )


def test_a_value_of_sixty_characters_is_shown_whole() -> None:
    assert f'count is "{"x" * 58}", expected' in problems({"count": "x" * 58})
    assert f'count is "{"x" * 58}…, expected' in problems({"count": "x" * 59})


def test_a_long_value_is_shown_in_short() -> None:
    found = problems({"count": "x" * 500})
    assert len(found) < 150
    assert "…" in found


@dataclass(frozen=True)
class Modern(HookSettings):
    """Written as people write annotations today; readable where the runtime can evaluate it (3.10 and later)."""

    count: int | None = limits(None, least=1)
    first: None | str = None  # noqa: RUF036 - the order is the point
    window: Window | None = None


def test_the_annotations_of_today_are_read() -> None:
    found = read_settings(Modern, {"HOOK_SETTINGS": '{"count": 3, "first": "a", "window": {"low": 1}}'})
    assert found == Modern(count=3, first="a", window=Window(1.0))
    with pytest.raises(BadSettings, match='count is "x", expected a whole number'):
        read_settings(Modern, {"HOOK_SETTINGS": '{"count": "x"}'})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([*Settings.__dataclass_fields__, "unknown"])


@given(st.dictionaries(names, json_values, max_size=6))
def test_any_settings_are_read_or_refused_by_name(document: dict[str, Any]) -> None:
    try:
        found = read(document)
    except BadSettings:
        assert "HOOK_SETTINGS" in problems(document)
        return
    assert 1 <= found.count <= 100
    assert 0 <= found.seconds <= 60
    assert found.state in ("OK", "ALARM")
    assert set(found.checks.values()) <= {"fail", "warn", "skip"}


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text)
    except BadSettings:
        assert "HOOK_SETTINGS" in problems(text)


# Packed settings


def packed(text: str) -> str:
    """As Terraform's base64gzip() writes it."""
    return base64.b64encode(gzip.compress(text.encode())).decode()


def test_packed_settings_are_read_like_others() -> None:
    document = {"text": "größe", "count": 7, "words": ["x" * 50] * 100, "headers": {"A": "b"}}
    assert read(packed(json.dumps(document))) == read(document)
    assert read(f" {packed('{}')}\n") == Settings()
    assert len(packed(json.dumps(document))) < 200


def test_packed_settings_have_the_same_problems() -> None:
    assert problems(packed('{"count": 0}')) == "HOOK_SETTINGS.count is 0, expected at least 1"
    assert problems(packed("[]")) == "HOOK_SETTINGS is [], expected an object"
    assert problems(packed("{")).startswith("HOOK_SETTINGS is not JSON: Expecting property name")


SECRET = "correct-horse-battery"
LONG = packed(json.dumps({"headers": {"Authorization": SECRET}, "words": [str(n) for n in range(500)]}))
RAW = base64.b64decode(LONG)


@pytest.mark.parametrize(
    "text",
    [
        LONG[:-4],
        LONG[4:],
        LONG[: len(LONG) // 2],
        LONG[:-1],
        f"{LONG[:100]} {LONG[100:]}",
        f"{LONG[:100]}é{LONG[100:]}",
        base64.b64encode(b"no gzip").decode(),
        base64.b64encode(RAW[:-8] + bytes(8)).decode(),
        base64.b64encode(RAW[:20] + bytes(40) + RAW[60:]).decode(),
        base64.b64encode(gzip.compress(b"\xff\xfe")).decode(),
        base64.b64encode(zlib.compress(b"{}")).decode(),
        packed(""),
        packed("yes"),
        "H4sI",
    ],
    ids=[
        "end missing", "start missing", "half", "padding", "space", "letter", "no gzip", "checksum", "damaged",
        "no UTF-8", "zlib", "nothing", "no JSON", "header alone",
    ],
)  # fmt: skip
def test_settings_that_cannot_be_unpacked_are_no_json(text: str) -> None:
    found = problems(text)
    assert found.startswith("HOOK_SETTINGS is not JSON: ")
    assert len(found) < 150
    assert SECRET not in found


def test_settings_that_unpack_to_more_than_anybody_has_are_refused() -> None:
    assert problems(packed(json.dumps({"text": "x" * 200_000}))).startswith("HOOK_SETTINGS has 200000 bytes or more")
    assert read(packed(json.dumps({"text": "x" * 190_000}))).text == "x" * 190_000


def test_of_many_problems_the_first_are_named() -> None:
    found = problems(json.dumps({"words": [0] * 1000}))
    assert found.count("expected text") == 50
    assert found.endswith("; and 950 more")


@given(st.text(max_size=30), st.binary(max_size=40))
def test_anything_packed_is_read_or_refused(text: str, content: bytes) -> None:
    raw = base64.b64encode(gzip.compress(text.encode(errors="replace"))).decode()
    for each in (raw, base64.b64encode(content).decode(), base64.b64encode(gzip.compress(content)).decode()):
        try:
            read(each)
        except BadSettings:
            assert "HOOK_SETTINGS" in problems(each)


# HTTP checks


@dataclass(frozen=True)
class Http(HookSettings):
    """As hooks have them."""

    http_checks: dict[str, HttpCheck] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)


def read_http(**document: Any) -> Http:
    return read_settings(Http, {"HOOK_SETTINGS": json.dumps(document)})


def http_problems(**document: Any) -> str:
    with pytest.raises(BadSettings) as caught:
        read_http(**document)
    return str(caught.value)


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"


def test_http_checks_and_flows_are_read() -> None:
    found = read_http(
        http_checks={
            "a": {
                "json": '{"a": 1}', "method": "POST", "secret_headers": {"X": ARN}, "timeout": 1, "status": ["2xx"],
                "jmespath": {"a.b": {"equals": "1", "at_least": 2}, '"c-d"': {"one_of": ["x"], "length": 3.0}},
                "samples": 0, "severity": "warn",
            },
            "b": {},
        },
        flows={
            "f": {"severity": "warn", "steps": [{"save": {"id": "a"}}, {"path": "/{id}", "always": True, "name": "n"}]},
        },
    )  # fmt: skip
    assert found.http_checks == {
        "a": HttpCheck(
            json='{"a": 1}', method="POST", secret_headers={"X": ARN}, timeout=1.0, status=("2xx",),
            jmespath={"a.b": Comparison(equals="1", at_least=2.0), '"c-d"': Comparison(one_of=("x",), length=3)},
            samples=0, severity="warn",
        ),
        "b": HttpCheck(),
    }  # fmt: skip
    steps = (Step(save={"id": "a"}), Step(path="/{id}", always=True, name="n"))
    assert found.flows == {"f": Flow(steps, "warn")}


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"method": "get"}, '.method is "get", expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'),
        ({"timeout": 0}, ".timeout is 0, expected at least 0.001"),
        ({"timeout": 61}, ".timeout is 61, expected at most 60"),
        ({"max_body": 0}, ".max_body is 0, expected at least 1"),
        ({"max_body": 10_000_001}, ".max_body is 10000001, expected at most 10000000"),
        ({"max_body": 10**400}, f".max_body is {'1' + '0' * 58}…, expected at most 10000000"),
        ({"max_body": 1.5}, ".max_body is 1.5, expected a whole number"),
        ({"certificate_days": 0}, ".certificate_days is 0, expected at least 0.001"),
        ({"max_latency_ms": 0}, ".max_latency_ms is 0, expected at least 0.001"),
        ({"initial_delay": 601}, ".initial_delay is 601, expected at most 600"),
        ({"interval": 61}, ".interval is 61, expected at most 60"),
        ({"attempts": 101}, ".attempts is 101, expected at most 100"),
        ({"attempts": 0}, ".attempts is 0, expected at least 1"),
        ({"consecutive_successes": 0}, ".consecutive_successes is 0, expected at least 1"),
        ({"consecutive_error_limit": 0}, ".consecutive_error_limit is 0, expected at least 1"),
        ({"severity": "skip"}, '.severity is "skip", expected one of fail, warn'),
        ({"samples": 10_001}, ".samples is 10001, expected at most 10000"),
        ({"status": "200"}, '.status is "200", expected a list'),
        (
            {"jmespath": {"a": {}}},
            ".jmespath.a: nothing is compared: set equals, one_of, at_least, at_most, exists or length",
        ),
        ({"jmespath": {"a": {"length": -1}}}, ".jmespath.a.length is -1, expected at least 0"),
        ({"jmespath": {"a": {"equals": 1}}}, ".jmespath.a.equals is 1, expected text"),
        ({"jmespath": {"a": "1"}}, '.jmespath.a is "1", expected an object'),
        ({"certificate_days": 1, "verify_tls": False}, ": certificate_days needs verify_tls"),
        ({"attempts": 2, "consecutive_successes": 3}, ": consecutive_successes is 3, attempts only 2: raise attempts"),
    ],
)  # fmt: skip
def test_a_wrong_http_check_is_named_with_its_path(check: dict[str, Any], message: str) -> None:
    assert http_problems(http_checks={"a": check}) == f"HOOK_SETTINGS.http_checks.a{message}"


def test_a_wrong_step_is_named_with_its_place() -> None:
    steps = [{}, {"attempts": 0}]
    expected = "HOOK_SETTINGS.flows.f.steps[1].attempts is 0, expected at least 1"
    assert http_problems(flows={"f": {"steps": steps}}) == expected
    assert http_problems(flows={"f": {"steps": []}}) == (
        "HOOK_SETTINGS.flows.f: steps is empty, so nothing would be checked"
    )
    assert http_problems(flows={"f": {}}) == "HOOK_SETTINGS.flows.f: steps is empty, so nothing would be checked"


@pytest.mark.parametrize(
    "check",
    [
        {"json": {"password": SECRET}},
        {"json": [SECRET]},
        {"json": SECRET},
        {"secret_headers": {"Authorization": [SECRET]}},
        {"secret_headers": {"Authorization": SECRET}},
        {"secret_headers": SECRET},
        {"headers": {"Authorization": [SECRET]}},
        {"body": [SECRET]},
        {"body": SECRET, "json": "1"},
        {"path": f"a?token={SECRET}"},
        {"url": f"ftp://a/?token={SECRET}"},
    ],
)
def test_where_a_secret_may_stand_the_value_is_not_shown(check: dict[str, Any]) -> None:
    for document in ({"http_checks": {"a": check}}, {"flows": {"f": {"steps": [check]}}}):
        found = http_problems(**document)
        assert SECRET not in found
        assert "HOOK_SETTINGS." in found
