"""Terraform and Python judge options alike, field by field: both have their rules from lambdas/gate/options/."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, get_origin

import pytest
from gate.options import HookOptions
from gate.options.hooks import HOOKS
from gate.settings import Entry, entries, judge_settings
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.module.conftest import ROOT, Terraform, plain
from tests.module.options_stack import in_few, plan_options, planned_options, refused_values
from tools.options import default_of, inner_of, is_object, is_required, type_of

AT_ONCE = 3  # documents of each hook in one plan
ODD_KEYS = ["a b", "a:b", "x" * 65, "", "A b", "é"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the plans, initialised once."""
    return tmp_path_factory.mktemp("options")


def texts(pattern: str) -> st.SearchStrategy[str]:
    """Texts that a pattern takes, and those that come close."""
    good = st.from_regex(pattern, fullmatch=True) if pattern else st.text(max_size=8)
    close = st.builds(
        lambda text, more: text + more, good, st.sampled_from(["\n", " ", "é", ":", "-", "x", "\x7f", "€"])
    )
    some = st.one_of(
        good, close, st.text(max_size=8), st.sampled_from(["", "${a}", "%{b}", "\u2028", "0", "\U0001f600"])
    )
    # Terraform keeps texts in normal form C; NUL and halves of characters are in no text of its own.
    normal = some.map(lambda text: unicodedata.normalize("NFC", text[:200]))
    return normal.filter(lambda text: "\x00" not in text and not re.search("[\ud800-\udfff]", text))


def scalars(kind: Any, entry: Entry) -> st.SearchStrategy[Any]:
    """Values of an option of one kind: those it takes, its bounds, and what lies just beyond them."""
    about = entry.about
    if kind is bool:
        return st.booleans()
    if kind is str:
        if about.choices:
            return st.sampled_from([*about.choices, about.choices[0].swapcase(), "", f"{about.choices[0]} "])
        return texts(about.pattern)
    assert about.least is not None
    assert about.most is not None
    step = 1 if kind is int else 0.0001
    near = [
        about.least,
        about.most,
        about.least - step,
        about.most + step,
        about.least + 0.5,
        (about.least + about.most) / 2,
    ]
    return st.sampled_from([round(value, 6) for value in near])


def values(entry: Entry) -> st.SearchStrategy[Any]:
    """Values of an option."""
    origin = get_origin(entry.kind)
    inner = inner_of(entry.kind) if origin else entry.kind
    each = objects(inner) if is_object(inner) else scalars(inner, entry)
    if origin is tuple:
        most = entry.about.entries[1] if entry.about.entries else 3
        return st.one_of(
            st.lists(each, max_size=2), *([st.lists(each, min_size=most, max_size=most + 1)] if most < 20 else [])
        )
    if origin is dict:
        keys = st.sampled_from(["a", "b_c", "d1"])
        if entry.about.keys and not is_object(inner):  # JSON writes some characters otherwise than HCL's jsonencode
            keys = st.one_of(
                keys, texts(entry.about.keys).filter(lambda text: bool(re.fullmatch("[!-%'-;=?-~]+", text)))
            )
        good = st.dictionaries(keys, each, max_size=2)
        odd = st.dictionaries(st.sampled_from(ODD_KEYS), each, max_size=1)
        many = st.just({f"k{number}": "v" for number in range(31)})
        return st.one_of(good, good, odd, *([many] if entry.about.entries else []))
    return each


@st.composite
def objects(draw: st.DrawFn, kind: Any) -> dict[str, Any]:
    """An options object, most of its attributes given."""
    found = {}
    for entry in entries(kind):
        if is_required(entry) or draw(st.integers(0, 3)):
            found[entry.name] = draw(values(entry))
            if not is_required(entry) and draw(st.integers(0, 9)) == 0:
                found[entry.name] = None
    return found


def refused_fields(hook: str, document: dict[str, Any]) -> list[str]:
    """What Python refuses of single fields, each up to the value found; rules across options are not among them."""
    reading = judge_settings(HOOKS[hook], {"HOOK_SETTINGS": json.dumps(document)}, hook)[1]
    found = [problem for problem in reading.problems if "; expected " in problem]
    return [re.split(r"(?<= is )|(?<= has )", problem, maxsplit=1)[0] for problem in found]


def agree(terraform: Terraform, folder: Path, data: st.DataObject) -> None:
    """Each refusal of Python's is one of Terraform's, for the same field, and there are as many."""
    inputs = [{hook: data.draw(objects(kind))} for hook, kind in HOOKS.items() for _ in range(AT_ONCE)]
    _, said = plan_options(terraform, folder, inputs)
    for document, text in zip(inputs, refused_values(said, len(inputs)), strict=True):
        ((hook, options),) = document.items()
        fields = refused_fields(hook, options)
        shown = json.dumps(document)
        assert "conversion" not in text, text
        assert [field for field in fields if " ".join(field.split()) not in text] == [], f"{shown}\n{text}"
        assert text.count("; expected ") == len(fields), f"{fields}\n{text}\n{shown}"


@settings(max_examples=1, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(data=st.data())
def test_what_one_of_them_refuses_the_other_refuses_too(
    terraform: Terraform, folder: Path, data: st.DataObject
) -> None:
    """Of three documents of each hook; tests/proof/test_options_agree.py tries more."""
    agree(terraform, folder, data)


def needed(kind: Any) -> dict[str, Any]:
    """Right values for what an options class requires."""
    of = {float: 1, str: "x"}
    return {each.name: of.get(each.kind, [{}]) for each in entries(kind) if is_required(each)}


def wrong_documents(hook: str) -> list[dict[str, Any]]:
    """For each rule of each field of a hook one document that breaks it, and nothing else."""
    found: list[dict[str, Any]] = []
    keys = (f"k{number}" for number in count())

    def visit(kind: Any, wrap: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        for entry in entries(kind):
            found.extend(wrap({entry.name: value}) for value in wrong_values(entry, next(keys)))
            inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
            if is_object(inner):
                visit(inner, partial(_in_entry, entry, keys, wrap))

    visit(HOOKS[hook], dict)
    return [{hook: document} for document in found]


def _in_entry(
    entry: Entry, keys: Iterator[str], wrap: Callable[[dict[str, Any]], dict[str, Any]], value: dict[str, Any]
) -> dict[str, Any]:
    """An options object among what an attribute holds, with what it needs besides."""
    inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
    held: Any = {**needed(inner), **value}
    if get_origin(entry.kind) is dict:
        held = {next(keys): held}
    return wrap({entry.name: [held] if get_origin(entry.kind) is tuple else held})


def wrong_values(entry: Entry, key: str) -> list[Any]:
    """A value of an option for each of its rules, which breaks it."""
    about, origin = entry.about, get_origin(entry.kind)
    inner = inner_of(entry.kind) if origin else entry.kind
    found: list[Any] = []
    if about.entries:
        found.append({f"k{number}": "v" for number in range(about.entries[1] + 1)} if origin is dict else [])
    if about.keys:
        wrong = next(text for text in (f" {key}:", "") if not re.fullmatch(about.keys, text))
        found.append({wrong: needed(inner) if is_object(inner) else "arn"})
    scalars: list[Any] = [about.least - 1] if about.least is not None else []
    if about.choices or about.pattern:
        scalars = [next(text for text in ("\n", "") if not about.pattern or not re.fullmatch(about.pattern, text))]
    found += [{key: value} if origin is dict else [value] if origin is tuple else value for value in scalars]
    return found


def test_every_validation_refuses_something(terraform: Terraform, folder: Path) -> None:
    """Terraform names the line of the validation that refused: together the documents reach all of them."""
    documents = [document for hook in HOOKS for document in wrong_documents(hook)]
    for document in documents:
        ((hook, options),) = document.items()
        assert refused_fields(hook, options), document
    status, said = plan_options(terraform, folder, in_few(documents))
    assert status == 1
    lines = (ROOT / "modules" / "options" / "variables.tf").read_text(encoding="utf-8").splitlines()
    written = {number for number, line in enumerate(lines, start=1) if line == "  validation {"}
    reached = {int(line) for line in re.findall(r"options/variables\.tf:(\d+),", plain(said))}
    assert len(written) > 200
    assert {lines[number].strip()[:200] for number in written - reached} == set()


@pytest.mark.parametrize("hook", HOOKS)
def test_the_defaults_are_the_same(terraform: Terraform, folder: Path, hook: str) -> None:
    """What Terraform makes of nothing, and of null for everything, Python reads as its own defaults."""
    names = {entry.name: None for entry in entries(HOOKS[hook])}
    status, said = plan_options(terraform, folder, [{hook: {}}, {hook: names}])
    assert status == 0, said
    for planned in planned_options(terraform, folder, 2):
        assert set(planned[hook]) == set(names)
        options, reading = judge_settings(HOOKS[hook], {"HOOK_SETTINGS": json.dumps(planned[hook])}, hook)
        assert (options, reading.problems, reading.unknown) == (HOOKS[hook](), [], [])


def test_every_kind_of_an_option_has_a_type_of_terraforms() -> None:
    """The types name each option once, with its default."""

    def visit(kind: type[Any]) -> None:
        text = type_of(kind)
        for entry in entries(kind):
            assert len(re.findall(rf"^    {entry.name} = ", text, re.MULTILINE)) == 1, entry.name
            inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
            if dataclasses.is_dataclass(inner):
                visit(inner)  # type: ignore[arg-type]  # is_dataclass also admits instances

    for hook in HOOKS.values():
        assert issubclass(hook, HookOptions)
        assert default_of(entries(hook)[0]) == {}
        visit(hook)
