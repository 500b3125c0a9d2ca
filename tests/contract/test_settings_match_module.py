"""What the module's object variables let through and write into HOOK_SETTINGS is what the handlers read.

The two are written in two languages and must not drift: names, types, defaults and bounds are compared. The
variables are read from variables.tf as Terraform would read them; the reader below knows type expressions and no more.
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
from gate.settings import HookSettings, read_settings

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
SMALLEST = 0.001  # what "above 0" is taken for


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
        if required != kind[name].required:
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


@pytest.mark.parametrize(
    ("hook", "path", "needed"),
    [
        ("validate_test_traffic", "http_checks", {}),
        ("validate_production", "http_checks", {}),
        ("validate_production", "metrics", {"namespace": "Shop", "metric_name": "Orders", "max": 1}),
        ("validate_production", "load", {"rate": 10, "duration": 30}),
    ],
)
def test_defaults_of_entries_are_the_same(hook: str, path: str, needed: dict[str, Any]) -> None:
    """An entry of a map, or an object that is null by default, has defaults of its own."""
    kind = attributes(hook)[path].type
    inner, whole = (kind, needed) if isinstance(kind, dict) else (kind[1], {"entry": needed})
    full = {**defaults(inner), **needed}
    sent = full if isinstance(kind, dict) else {"entry": full}
    short = read_settings(settings_type(hook), {"HOOK_SETTINGS": json.dumps({path: whole})})
    long = read_settings(settings_type(hook), {"HOOK_SETTINGS": json.dumps({path: sent})})
    assert short == long
    assert plain(getattr(long, path)) == sent


def conditions(hook: str) -> list[str]:
    """The conditions of the variable's validations."""
    found = re.findall(r"condition += (.*?)\n    error_message", block(hook), re.DOTALL)
    assert found
    return found


def edges(hook: str) -> Iterator[tuple[str, float]]:
    """The outermost values that variables.tf lets through: dotted path and value."""
    places = {f"var.{hook}": "", "check": "http_checks.*", "metric": "metrics.*"}
    operand = rf"(var\.{hook}|\bcheck|\bmetric)((?:\.\w+)*)(\[name\])? (>=|>|<=) (\d+)\b(?! -)"
    for condition in conditions(hook):
        names = re.search(r"for name in \[([^\]]*)\]", condition)
        for root, path, indexed, operator, number in re.findall(operand, condition):
            value = float(number) + (SMALLEST if operator == ">" else 0)
            ends = re.findall(r'"(\w+)"', names[1]) if indexed and names else [""]
            for end in ends:
                yield ".".join(part for part in (places[root], path.strip("."), end) if part), value


def document(path: str, value: float) -> dict[str, Any]:
    """Settings with one value at a path, and what else they then need."""
    needed: dict[str, dict[str, Any]] = {
        "metrics.*": {"namespace": "Shop", "metric_name": "Orders", "max": 1},
        "load": {"rate": 10, "duration": 30},
    }
    parts = path.split(".")
    found: dict[str, Any] = {parts[-1]: value}
    for at in range(len(parts) - 1, 0, -1):
        found = {parts[at - 1]: {**needed.get(".".join(parts[:at]), {}), **found}}
    return found


EDGES = [(hook, path, value) for hook in HOOKS for path, value in edges(hook)]


def test_the_bounds_of_variables_tf_were_found() -> None:
    paths = {f"{hook}.{path}" for hook, path, _ in EDGES}
    assert {
        "validate_deployment.expected_count",
        "validate_test_traffic.http_checks.*.timeout",
        "validate_test_traffic.thresholds.p99_ms",
        "run_migrations.log_lines",
        "validate_production.metrics.*.period",
        "validate_production.load.concurrency",
        "validate_production.thresholds.max_worse_percent",
    } <= paths
    assert len(EDGES) >= 60


@pytest.mark.parametrize(("hook", "path", "value"), EDGES, ids=str)
def test_what_a_plan_accepts_the_handler_accepts(hook: str, path: str, value: float) -> None:
    """Refused at run time, a value fails a deployment; refused at plan time, only a plan."""
    text = json.dumps(document(path, value))
    assert isinstance(read_settings(settings_type(hook), {"HOOK_SETTINGS": text}), HookSettings)


@pytest.mark.parametrize("hook", HOOKS)
def test_words_are_the_same(hook: str) -> None:
    """The choices of a text: `contains(["skip", "run"], …)`."""
    found = 0
    for words, root, path in re.findall(
        r"contains\((\[[^\]]*\]), (var\.\w+|metric|check)\.?([\w.]*)\)", "\n".join(conditions(hook))
    ):
        place = {"metric": "metrics.*.", "check": "http_checks.*."}.get(root, "") + path
        if not path or "method" in path or not isinstance(json.loads(words)[0], str):
            continue
        for word in json.loads(words):
            found += 1
            text = json.dumps(document(place, word))
            assert isinstance(read_settings(settings_type(hook), {"HOOK_SETTINGS": text}), HookSettings)
    assert found == {"run_migrations": 2, "validate_production": 4}.get(hook, 0)
