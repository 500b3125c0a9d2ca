"""gate.options: the forms and bounds of single values, and what holds for every option of every hook."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, get_origin

import pytest
from gate.options import HookOptions
from gate.options.hooks import HOOKS, ValidateBeforeInstall
from gate.options.migrations import RunMigrations
from gate.options.one_off import SmokeTest
from gate.options.production import Metric, ValidateProduction
from gate.options.requests import LATENCIES, Assertion, Flow, HttpCheck, Load, Step, Thresholds, ValidateTestTraffic
from gate.settings import Entry, entries

from tests.unit.gate.reading import BASES, Document, every_option, inner, problems, read

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-AbCdEf"

# The forms of single values

HOSTS = (["a", "a.example.com:8443", "::1"], ["", "a b", "a/b", "shop\r\nX: y", "ä", "a\n"])
PATHS = (["/", "/a?b=c#d", "/{id}", "/%20"], ["", "health", "/a b", "/größe", "/a\n", "/\r\nX: y"])
HEADERS: tuple[list[Any], list[Any]] = (
    [{"X-A": "b c\t"}, {"a!#": ""}, {"A": "ÿ"}, {"A": "größe … 日本 🚀"}],
    [{"X A": ""}, {"X:": ""}, {"": ""}, {"Ä": ""}, {"A": " b"}, {"A": "b\r\nX: y"}, {"A": "\x85"}, {"A": "\x7f"}],
)
STATUSES: tuple[list[Any], list[Any]] = (
    [["200"], ["2xx", "404"], ["100-599"]],
    [[], *([each] for each in ("", "2x", "6xx", "20", "2000", "200-", "-200", "200,201", "ok", "2XX", "600", "099",
      "2\u0660\u0660", "\u0968xx", "200\u2013299", " 200", "200\n"))],
)  # fmt: skip
NAMES: tuple[list[Any], list[Any]] = (
    [{"a.b-ä!": {}}, {"x" * 64: {}}],
    [{"": {}}, {"a b": {}}, {"a:b": {}}, {"x" * 65: {}}, {"a\n": {}}, {"a\xa0b": {}}],
)


def named(names: list[Any], value: Document) -> list[Any]:
    return [dict.fromkeys(each, value) for each in names]


@pytest.mark.parametrize(
    ("kind", "option", "good", "bad"),
    [
        *((kind, "host", *HOSTS) for kind in (ValidateTestTraffic, HttpCheck, Step, Load)),
        *((kind, "path", *PATHS) for kind in (HttpCheck, Step, Load)),
        *((kind, "headers", *HEADERS) for kind in (ValidateTestTraffic, HttpCheck, Step, Load)),
        (HttpCheck, "response_headers", *([{name: {"equals": value} for name, value in each.items()} for each in some]
                                          for some in HEADERS)),
        *((kind, "status", *STATUSES) for kind in (HttpCheck, Step, Load)),
        (HttpCheck, "url", ["http://a", "https://user:x@a.example.com:8443/b?c=/d#e", "http://[::1]/", "https://{id}/", "HTTPS://a"],
         ["", "a", "ftp://a/", "http://", "http:///a", "http://?a", "http://#a", "http:// a", "http://a b", "http://ä",
          "http://\x7f", "http://a\n"]),
        (ValidateTestTraffic, "base_url", ["http://a", "https://a.example.com:8443/api", "HTTPS://a.example.com"],
         ["", "a.example.com", "ftp://a", "http://", "//a", "http://a?b", "http://a/#b", "http://a/ b"]),
        (HttpCheck, "secret_headers",
         [{"A": ARN}, {"A": f"Bearer {ARN}:key"}, {"A": "arn:aws:ssm:eu-west-1:123456789012:parameter/a/b.c"},
          {"A": "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:shop/token-AbCdEf:key"}],
         [{"A": "token"}, {"A": "arn:aws:s3:::bucket"}, {"A": f" {ARN}"}, {"A": f"a b {ARN}"}, {"A": f"{ARN}:a:b"},
          {"A": f"{ARN} "}, {"A B": ARN}]),
        (HttpCheck, "method", ["GET", "DELETE"], ["get", "TRACE", ""]),
        (HttpCheck, "severity", ["fail", "warn"], ["skip"]),
        (Flow, "severity", ["fail", "warn"], ["skip"]),
        (Assertion, "one_of", [["x"]], [[]]),
        (Step, "save", [{"id_2": "a"}],
         [{"id": ""}, *({each: "a"} for each in ("", "Id", "1d", "order-id", "_id", "ä", "id\n"))]),
        (Flow, "steps", [[{}], [{}] * 100], [None, [], [{}] * 101]),
        (ValidateTestTraffic, "http_checks", *NAMES),
        (ValidateTestTraffic, "flows", *(named(names, BASES[Flow]) for names in NAMES)),
        (ValidateProduction, "metrics", *(named(names, BASES[Metric]) for names in NAMES)),
        (ValidateProduction, "alarms", [{"any: name": "OK"}], [{"a": "ok"}]),
        (RunMigrations, "command", [["a", "-c", "b\nc"]], [[], [""], ["a", ""]]),
        (RunMigrations, "container", ["app", "a-b_9"], ["", "a b", "a" * 256, "app\n"]),
        (RunMigrations, "environment", [{"A": "", "b c": "x\ny"}], [{"": "a"}]),
        (RunMigrations, "subnets", [["subnet-0a"] * 16], [[], ["sg-0a"], ["subnet-"], ["subnet-A"], ["subnet-0"] * 17]),
        (RunMigrations, "security_groups", [["sg-0a"] * 5], [[], ["subnet-0a"], ["sg-0a"] * 6]),
        (RunMigrations, "pass_role_arns", [["arn:aws-cn:iam::111122223333:role/web/task"]],
         [[], ["arn:aws:iam::1:role/a"], ["web-task"], ["arn:aws:iam::111122223333:user/a"], ["*"]]),
        (SmokeTest, "task_definition", ["web", "web-smoke:7", "arn:aws:ecs:a-b-1:111122223333:task-definition/a"],
         ["", "a b", "web:", "web:latest", "a/b", "arn:aws:ecs:eu-west-1:111122223333:service/a", "web\n"]),
        (Metric, "statistic", ["Sum", "p0", "p99.99", "p100"], ["sum", "p101", "p9.", "p", "tm99", "Averages"]),
        (Metric, "namespace", ["AWS/SQS"], [""]),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)  # fmt: skip
def test_the_form_of_a_value(kind: Any, option: str, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if problems(kind, **{option: value})] == []
    for value in bad:
        (problem,) = problems(kind, **{option: value})
        assert re.match(rf"x\.{option}\b.*(; expected .+\.$)", problem, re.DOTALL), problem


# What holds for every option


EVERY = list(every_option())
IN_WORDS = [f"{kind.__name__}.{entry.name}" for kind, entry in EVERY]
each_option = pytest.mark.parametrize(("kind", "entry"), EVERY, ids=IN_WORDS)


@each_option
def test_an_option_says_what_it_is_and_what_it_takes(kind: Any, entry: Entry) -> None:
    about, holds = entry.about, inner(entry.kind)
    assert kind.__doc__
    assert about.doc
    assert about.doc == about.doc.strip().rstrip(".")
    assert about.doc.isprintable()
    assert holds in (str, bool, int, float) or dataclasses.is_dataclass(holds)
    assert bool(about.pattern) == bool(about.means)
    assert bool(about.keys) == bool(about.keys_mean)
    assert not about.keys or get_origin(entry.kind) is dict
    assert not about.entries or get_origin(entry.kind) in (dict, tuple)
    assert not (about.pattern or about.choices or about.address) or holds is str
    assert not about.secret or holds is str or about.keys
    assert len(about.choices) != 1
    assert not about.cure or about.cure.endswith(".")
    assert about.least is about.most is None or holds in (int, float)


each_number = pytest.mark.parametrize(
    ("kind", "entry"),
    [(kind, entry) for kind, entry in EVERY if inner(entry.kind) in (int, float)],
    ids=lambda value: getattr(value, "name", "") or value.__name__,
)


@each_number
def test_a_number_has_both_bounds_and_says_what_it_counts(kind: Any, entry: Entry) -> None:  # noqa: ARG001
    least, most = entry.about.least, entry.about.most
    assert least is not None
    assert most is not None
    assert least < most
    assert entry.about.unit or inner(entry.kind) is int


@each_number
def test_a_number_is_read_from_bound_to_bound_and_no_further(kind: Any, entry: Entry) -> None:
    least, most = entry.about.least or 0, entry.about.most or 0

    def refused(value: float) -> bool:
        found = problems(kind, **{entry.name: value})
        return any(re.match(rf"x\.{entry.name} is .*; expected .* from .* to ", problem) for problem in found)

    def beyond(bound: float) -> float:
        return 1 if entry.kind is int else max(abs(bound) / 1e12, 0.0001)

    values = (least - beyond(least), least, most, most + beyond(most))
    assert list(map(refused, values)) == [True, False, False, True]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_defaults_of_a_hook_written_out_are_read_and_have_no_problems(hook: str) -> None:
    """As the module writes them, null included."""
    defaults = HOOKS[hook]()
    assert read(HOOKS[hook], dataclasses.asdict(defaults)) == (defaults, [])


def test_the_defaults_of_all_that_stands_in_a_hook_are_read_and_have_no_problems() -> None:
    for kind in {kind: None for kind, _ in EVERY}:
        options, found = read(kind, BASES.get(kind, {}))
        assert found == []
        assert read(kind, dataclasses.asdict(options)) == (options, [])


def test_no_latency_that_can_be_limited_is_forgotten() -> None:
    limits = [entry.name for entry in entries(Thresholds) if entry.name.endswith("_ms")]
    assert limits == [f"{word}_ms" for word in LATENCIES]


def test_what_may_be_or_hold_a_secret_is_known() -> None:
    secret = {entry.name for _, entry in EVERY if entry.about.secret}
    assert secret == {"headers", "secret_headers", "response_headers", "equals", "body", "json", "environment"}
    assert {entry.name for _, entry in EVERY if entry.about.address} == {"path", "url", "base_url"}
    for kind, entry in EVERY:
        if entry.name in secret and kind is not Assertion:  # what is found in JSON is shown, too
            assert entry.about.secret, kind


def test_every_hook_has_its_options() -> None:
    assert all(issubclass(kind, HookOptions) for kind in HOOKS.values())
    assert [entry.name for entry in entries(ValidateBeforeInstall)] == ["checks"]
    assert problems(ValidateBeforeInstall, checks={"a": "fail", "b": "warn", "c": "skip"}) == []
    assert problems(ValidateBeforeInstall, checks={"a": "off"}) == [
        'x.checks.a is "off"; expected "fail", "warn" or "skip".'
    ]
