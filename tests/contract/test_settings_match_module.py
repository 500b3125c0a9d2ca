"""What the module's object variables let through and write into HOOK_SETTINGS is what the handlers read.

The two are written in two languages and must not drift: names, types, defaults and bounds are compared. The
variables are read from variables.tf as Terraform would read them; the reader below knows type expressions and no more.
The rules of HTTP requests stand in main.tf, and their defaults there once more.

A path leads to an attribute: `*` stands for an entry of a map, `[]` for one of a list.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from gate.settings import BadSettings, HookSettings, read_settings

ROOT = Path(__file__).resolve().parents[2]
HOOKS = [
    "validate_before_install",
    "validate_deployment",
    "validate_test_traffic",
    "run_migrations",
    "validate_production",
]
# Narrows iam:PassRole and never reaches the function.
MODULE_ONLY = {"run_migrations.pass_role_arns"}
# Required by their type in variables.tf; in the handler by a rule of its class, which says these words.
REQUIRED_BY_RULE = {
    "validate_test_traffic.flows.*.steps": "steps is empty",
    "validate_production.flows.*.steps": "steps is empty",
    "validate_production.metrics.*.queries.*.namespace": "needs namespace and metric_name",
    "validate_production.metrics.*.queries.*.metric_name": "needs namespace and metric_name",
}
SMALLEST = 0.001  # what "above 0" is taken for
# Of all places the hooks that send requests, and where these stand.
REQUESTS = [
    (hook, path)
    for hook in ("validate_test_traffic", "validate_production")
    for path in ("http_checks.*", "flows.*.steps.[]")
]


@dataclass(frozen=True)
class Attribute:
    """One attribute of an object type: its type, and the default of `optional()`; null where none is given."""

    type: Any
    required: bool
    default: Any = None


class TypeReader:
    """Reads Terraform's type expressions: a name, or `("list" | "map", type)`, or a dict of attributes."""

    def __init__(self, text: str) -> None:
        self._tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[\w.-]+|[(){}\[\],=:]', text)

    def type(self) -> Any:
        """The type that begins here."""
        word = self._take()
        if word == "object":
            self._take("(")
            self._take("{")
            attributes = {}
            while self._tokens[0] != "}":
                name = self._take()
                self._take("=")
                attributes[name] = self._attribute()
            self._take("}")
            self._take(")")
            return attributes
        if word in ("list", "map", "set"):
            self._take("(")
            inner = self.type()
            self._take(")")
            return word, inner
        return word

    def _attribute(self) -> Attribute:
        if self._tokens[0] != "optional":
            return Attribute(self.type(), required=True)
        self._take()
        self._take("(")
        kind = self.type()
        default = None
        if self._tokens[0] == ",":
            self._take()
            default = self._value()
        self._take(")")
        return Attribute(kind, required=False, default=default)

    def _value(self) -> Any:
        """A default: in this module always JSON as well."""
        depth, text = 0, ""
        while depth or self._tokens[0] != ")":
            token = self._take()
            depth += (token in "[{") - (token in "]}")
            text += token
        return json.loads(text)

    def _take(self, wanted: str | None = None) -> str:
        token: str = self._tokens.pop(0)
        assert wanted in (None, token), f"expected {wanted}, found {token}"
        return token


@cache
def block(hook: str) -> str:
    """The variable's block in variables.tf."""
    text = (ROOT / "variables.tf").read_text(encoding="utf-8")
    found = re.search(rf'^variable "{hook}" \{{\n(.*?)^\}}$', text, re.MULTILINE | re.DOTALL)
    assert found, hook
    return found[1]


def attributes(hook: str) -> dict[str, Attribute]:
    """The attributes of a hook's object variable."""
    found: dict[str, Attribute] = TypeReader(block(hook).split("\n  type = ")[1]).type()
    return found


def settings_type(hook: str) -> type[HookSettings]:
    """What the hook's handler reads."""
    return getattr(importlib.import_module(hook), "Settings", HookSettings)


def plain(value: Any) -> Any:
    """A value of the dataclasses as JSON has it; what is null there is left out, as the module does."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, plain(getattr(value, field.name))) for field in dataclasses.fields(value))
        return {name: entry for name, entry in pairs if entry is not None}
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    return {key: plain(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def defaults(kind: dict[str, Attribute]) -> dict[str, Any]:
    """What Terraform makes of an empty object, nulls left out."""
    found = {}
    for name, attribute in kind.items():
        value = attribute.default
        if isinstance(attribute.type, dict) and value is not None:
            value = {**defaults(attribute.type), **value}
        if value is not None:
            found[name] = value
    return found


def compare(kind: Any, hint: Any, path: str) -> Iterator[str]:
    """The differences between a type of Terraform's and an annotation."""
    if type(None) in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not type(None))
    scalar = {"string": (str,), "number": (int, float), "bool": (bool,)}
    if isinstance(kind, str):
        if hint not in scalar[kind]:
            yield f"{path}: {kind} in variables.tf, {hint} in the handler"
    elif isinstance(kind, tuple):
        origins = {"list": (list, tuple), "set": (list, tuple), "map": (dict,)}[kind[0]]
        if get_origin(hint) not in origins:
            yield f"{path}: {kind[0]} in variables.tf, {hint} in the handler"
        else:
            yield from compare(kind[1], get_args(hint)[1 if kind[0] == "map" else 0], f"{path}.*")
    elif not dataclasses.is_dataclass(hint):
        yield f"{path}: an object in variables.tf, {hint} in the handler"
    else:
        yield from compare_objects(kind, hint, path)


def compare_objects(kind: dict[str, Attribute], hint: Any, path: str) -> Iterator[str]:
    """The differences between an object type and a dataclass."""
    hints, fields = get_type_hints(hint), {field.name: field for field in dataclasses.fields(hint)}
    ours = {name for name in fields if f"{path}.{name}" not in MODULE_ONLY}
    theirs = {name for name in kind if f"{path}.{name}" not in MODULE_ONLY}
    for name in sorted(ours ^ theirs):
        yield f"{path}.{name}: only in {'the handler' if name in ours else 'variables.tf'}"
    for name in sorted(ours & theirs):
        field = fields[name]
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required != kind[name].required and f"{path}.{name}" not in REQUIRED_BY_RULE:
            yield f"{path}.{name}: required only in {'the handler' if required else 'variables.tf'}"
        yield from compare(kind[name].type, hints[name], f"{path}.{name}")


@pytest.mark.parametrize("hook", HOOKS)
def test_names_and_types_are_the_same(hook: str) -> None:
    assert list(compare_objects(attributes(hook), settings_type(hook), hook)) == []


@pytest.mark.parametrize("hook", HOOKS)
def test_defaults_are_the_same(hook: str) -> None:
    written = defaults(attributes(hook))
    assert plain(settings_type(hook)()) == written
    assert read_settings(settings_type(hook), {"HOOK_SETTINGS": json.dumps(written)}) == settings_type(hook)()


def needed(path: str) -> dict[str, dict[str, Any]]:
    """What objects have to have besides the attribute at a path, by their own path."""
    metric = {"namespace": "Shop", "metric_name": "Orders"}
    compared = {"threshold_range": {"max": 1}}
    return {
        "metrics.*": {**compared, **({"expression": "a"} if ".queries" in path else metric)},
        "metrics.*.queries.*": metric,
        "http_checks.*.jmespath.*": {"equals": "x"},
        "flows.*": {"steps": [{}]},
        "flows.*.steps.[].jmespath.*": {"equals": "x"},
        "load": {"rate": 10_000, "duration": 30},
    }


def document(path: str, value: Any) -> dict[str, Any]:
    """Settings with one value at a path, and what else they then need."""
    parts = path.split(".")
    found = value
    for at in range(len(parts) - 1, -1, -1):
        above = needed(path).get(".".join(parts[:at]), {})
        found = [found] if parts[at] == "[]" else {**above, parts[at]: found}
    whole: dict[str, Any] = found
    return whole


def read(hook: str, settings: dict[str, Any]) -> HookSettings:
    """The settings as the hook's handler reads them."""
    return read_settings(settings_type(hook), {"HOOK_SETTINGS": json.dumps(settings)})


def value_at(settings: Any, path: str) -> Any:
    """What stands at a path of a handler's settings."""
    for part in path.split("."):
        settings = settings[0] if part == "[]" else settings["*"] if part == "*" else getattr(settings, part)
    return settings


def type_at(hook: str, path: str) -> dict[str, Attribute]:
    """The object type at a path of a hook's variable."""
    kind: Any = attributes(hook)
    for part in path.split("."):
        kind = kind[1] if part in ("*", "[]") else kind[part].type
    found: dict[str, Attribute] = kind
    return found


@pytest.mark.parametrize(
    ("hook", "path"),
    [
        *REQUESTS,
        *((hook, f"{path}.jmespath.*") for hook, path in REQUESTS),
        ("validate_test_traffic", "flows.*"),
        ("validate_production", "flows.*"),
        ("validate_production", "metrics.*"),
        ("validate_production", "metrics.*.queries.*"),
        ("validate_production", "load"),
    ],
)
def test_defaults_of_entries_are_the_same(hook: str, path: str) -> None:
    """An entry of a map or list, or an object that is null by default, has defaults of its own."""
    least = needed(path).get(path, {})
    whole = {**defaults(type_at(hook, path)), **least}
    short, long = (read(hook, document(path, entry)) for entry in (least, whole))
    assert short == long
    if path == "flows.*":
        whole["steps"] = [defaults(type_at(hook, "flows.*.steps.[]"))]
    assert plain(value_at(long, path)) == whole


@pytest.mark.parametrize(("path", "words"), REQUIRED_BY_RULE.items())
def test_what_a_type_requires_the_handler_requires(path: str, words: str) -> None:
    """Where its class has a default, it has a rule against it."""
    hook, _, inner = path.partition(".")
    place, _, name = inner.rpartition(".")
    entry = {key: value for key, value in needed(inner)[place].items() if key != name}
    with pytest.raises(BadSettings, match=words):
        read(hook, document(place, entry))


def local_block(name: str) -> str:
    """What main.tf has as a local: over several lines up to its closing bracket, or in one."""
    text = (ROOT / "main.tf").read_text(encoding="utf-8")
    found = re.search(rf"^  {name} += ([^\n]*[{{(\[]\n.*?^  [}})\]]|[^\n]*$)", text, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def literals(text: str) -> dict[str, Any]:
    """The attributes of an object of literals, which are JSON as well."""
    pairs = re.findall(r"(?<![\w.])(\w+) += ([^,\n}{\[]+|\{\}|\[[^\]]*\])", text)
    return {name: json.loads(value) for name, value in pairs}


def test_the_defaults_that_main_tf_leaves_out_are_those_of_the_types() -> None:
    """What has its default does not reach the function: a default that differed would be lost on the way."""
    checks = literals(local_block("_http_defaults"))
    steps = {**checks, **literals(local_block("_step_defaults"))}
    for hook, path in REQUESTS:
        kind = type_at(hook, path)
        written = {name: attribute.default for name, attribute in kind.items()}
        ours = checks if path == "http_checks.*" else steps
        assert {name: ours[name] for name in kind} == written
    assert set(checks) == set(type_at("validate_production", "http_checks.*"))


def test_the_defaults_of_migrations_that_main_tf_leaves_out_are_those_of_the_type() -> None:
    """Just these: what has no default is not in the list, and null is left out by itself."""
    assert literals(local_block("_migration_defaults")) == defaults(attributes("run_migrations"))


def conditions(hook: str) -> list[str]:
    """The conditions of the variable's validations."""
    found = re.findall(r"condition += (.*?)\n    error_message", block(hook), re.DOTALL)
    assert found
    return found


def edges(hook: str) -> Iterator[tuple[str, float, int]]:
    """The outermost values that variables.tf lets through: path, value, and 1 or -1, which way is beyond it."""
    places = {f"var.{hook}": "", "metric": "metrics.*", "each": "metrics.*"}
    operand = rf"(var\.{hook}|\bmetric|\beach)((?:\.\w+)*)(\[name\])? (>=|>|<=) ([\d.]+)(?![\w.]| -)"
    for condition in conditions(hook):
        names = re.search(r"for name in (\[[^\]]*\]|local\.(\w+))", condition)
        listed = (local_block(names[2]) if names[2] else names[1]) if names else ""
        for root, path, indexed, operator, number in re.findall(operand, condition):
            value = float(number) + (SMALLEST if operator == ">" else 0)
            ends = re.findall(r'"(\w+)"', listed) if indexed else [""]
            assert ends, condition
            for end in ends:
                place = ".".join(part for part in (places[root], path.strip("."), end) if part)
                yield place, value, 1 if operator == "<=" else -1


def edges_of_requests() -> Iterator[tuple[str, str, float, int]]:
    """The outermost values that main.tf lets through, with their hook."""
    row = r"^    (\w+) += \{ least = ([\d.]+), most = ([\d.]+|null), whole = (?:true|false), expected = \".*\" \}$"
    bounds = re.findall(row, local_block("_http_bounds"), re.MULTILINE)
    assert len(bounds) == local_block("_http_bounds").count("\n") - 1
    for hook, path in [*REQUESTS, ("validate_production", "load")]:
        for name, least, most in bounds:
            if name in type_at(hook, path):
                yield hook, f"{path}.{name}", float(least), -1
                if most != "null":
                    yield hook, f"{path}.{name}", float(most), 1


# No load of 600 seconds at the slowest rate has a request: refused on both sides, by a rule of their own.
EDGES = [
    edge
    for edge in [*((hook, *each) for hook in HOOKS for each in edges(hook)), *edges_of_requests()]
    if edge != ("validate_production", "load.rate", 0.001, -1)
]


def test_the_bounds_were_found() -> None:
    """In both files, in each manner of writing them."""
    paths = {f"{hook}.{path}" for hook, path, *_ in EDGES}
    assert {
        "validate_deployment.expected_count",
        "validate_test_traffic.http_checks.*.timeout",
        "validate_test_traffic.flows.*.steps.[].max_body",
        "validate_test_traffic.thresholds.p90_ms",
        "run_migrations.log_lines",
        "run_migrations.memory",
        "run_migrations.lock_timeout",
        "run_migrations.max_duration",
        "validate_production.http_checks.*.samples",
        "validate_production.metrics.*.period",
        "validate_production.load.concurrency",
        "validate_production.load.timeout",
        "validate_production.load.max_ms",
        "validate_production.thresholds.rejected_connections",
        "validate_production.baseline.confidence",
    } <= paths
    assert len(EDGES) >= 130


@pytest.mark.parametrize(("hook", "path", "value", "beyond"), EDGES, ids=str)
def test_what_a_plan_accepts_the_handler_accepts(hook: str, path: str, value: float, beyond: int) -> None:
    """Refused at run time, a value fails a deployment; at plan time, only a plan. What is beyond, both refuse."""
    settings = document(path, value)
    if path.endswith(".consecutive_successes"):  # of a check: needs as many attempts
        settings = document(path.rpartition(".")[0], {"consecutive_successes": value, "attempts": 100})
    assert isinstance(read(hook, settings), HookSettings)
    if path != "metrics.*.period":  # CloudWatch has periods below 60 as well
        with pytest.raises(BadSettings):
            read(hook, document(path, value + beyond))


@pytest.mark.parametrize("hook", HOOKS)
def test_words_are_the_same(hook: str) -> None:
    """The choices of a text: `contains(["skip", "run"], …)`."""
    found = 0
    for words, root, path in re.findall(
        r"contains\((\[[^\]]*\]), (var\.\w+|metric)\.?([\w.]*)\)", "\n".join(conditions(hook))
    ):
        if not path or not isinstance(json.loads(words)[0], str):
            continue
        for word in json.loads(words):
            found += 1
            assert isinstance(
                read(hook, document(("metrics.*." if root == "metric" else "") + path, word)), HookSettings
            )
    assert found == {"run_migrations": 6, "validate_production": 11}.get(hook, 0)


def test_no_word_of_migrations_is_missing() -> None:
    """What the handler has a choice for, a plan lets through: a preset added to one side only would be found."""
    text = "\n".join(conditions("run_migrations"))
    listed = re.findall(r"contains\((\[[^\]]*\]), var\.run_migrations\.(\w+)\)", text)
    choices = {
        field.name: list(field.metadata["choices"])
        for field in dataclasses.fields(settings_type("run_migrations"))
        if field.metadata.get("choices") and field.name != "checks"
    }
    assert {name: json.loads(words) for words, name in listed} == choices
    assert set(choices) == {"preset", "concurrent", "on_rollback_deployment"}


@pytest.mark.parametrize("follows", ["verify_schema_command", "verify_data_command", "rollback_command"])
def test_a_command_that_follows_none_is_refused(follows: str) -> None:
    """By a rule of variables.tf and one of the class: a preset is as good as a command."""
    with pytest.raises(BadSettings, match="set command, or preset"):
        read("run_migrations", {follows: ["true"]})
    for first in ({"command": ["true"]}, {"preset": "django"}):
        assert isinstance(read("run_migrations", {follows: ["true"], **first}), HookSettings)


@pytest.mark.parametrize(("hook", "path"), REQUESTS)
def test_words_of_requests_are_the_same(hook: str, path: str) -> None:
    """The choices of a text in main.tf: `contains(["fail", "warn"], r.severity)`."""
    words = re.findall(r"contains\((\[[^\]]*\]), r\.(\w+)\)", local_block("_http_rules"))
    assert [name for _, name in words] == ["method", "severity"]
    for listed, name in words:
        for word in json.loads(listed):
            place = path if name in type_at(hook, path) else "flows.*"  # a step's severity is its flow's
            assert isinstance(read(hook, document(f"{place}.{name}", word)), HookSettings)
        with pytest.raises(BadSettings):
            read(hook, document(f"{place}.{name}", "skip"))


def test_what_terraform_packs_the_handler_unpacks() -> None:
    """Settings of 1501 bytes as base64gzip() of Terraform 1.11 writes them."""
    packed = "H4sIAAAAAAAA/6pWSs5ITc4uVrKqVsrMTUxPLbY6vLJiFIyCUTAKRsFQBEpWSsXZmQVKtbUAAAAA//8BAAD//yGPngLeBQAA"
    settings = read_settings(HookSettings, {"HOOK_SETTINGS": packed})
    assert settings.checks == {f"images:é{'x' * 1471}": "skip"}
