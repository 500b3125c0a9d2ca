"""What options cannot say in Terraform's language is refused by name, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from gate.options import HookOptions, option
from gate.options.hooks import HOOKS

import tools.options
from tools.docs import options_page


@dataclass(frozen=True)
class Leaf:
    """A leaf."""

    size: float = option("how great", 1.0, unit="metres", least=0, most=9)


def of(kind: Any, default: Any = None, name: str = "more", **about: Any) -> Callable[[], type[HookOptions]]:
    """A hook's options with one more, made anew."""

    def make() -> type[HookOptions]:
        fields = {"__doc__": "Options.", "__annotations__": {name: kind}, name: option("more", default, **about)}
        return dataclass(frozen=True)(type("Options", (HookOptions,), fields))

    return make


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            of(dict[str, tuple[Leaf, ...]], {}),
            "Options.more: a map or list holds texts, numbers or objects: put a class",
        ),
        (
            of(dict[str, tuple[str, ...]], {}),
            "Options.more: a map or list holds texts, numbers or objects: put a class",
        ),
        (of(float, 1.0, least=0), "Options.more: least and most go together"),
        (of(str, "a", pattern=r"(?!aws)\w+", means="a name"), r"Options.more: (?, \w in its pattern is not the same"),
        (of(dict[str, str], {}, keys=r"[a-z]+\Z", keys_mean="a name"), r"Options.more: \Z in its pattern is not the"),
        (of(str, "a", pattern="[$^a]+$", means="a name"), "Options.more: $ in its pattern is not the same"),
        (
            of(str, "a", pattern="(?i:ä){1,2000}+", means="a name"),
            "Options.more: (?, ä, 2000, }+ in its pattern is not",
        ),
    ],
    ids=["list of objects in a map", "list in a map", "one bound", "pattern", "pattern of keys", "end", "counts"],
)
def test_what_terraform_cannot_say_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[], type[HookOptions]],
    problem: str,
) -> None:
    monkeypatch.setattr(tools.options, "files", lambda: pytest.fail("written all the same"))
    monkeypatch.setitem(HOOKS, "validate_deployment", make())
    assert tools.options.main(["write"]) == 1
    assert f"error: lambdas/gate/options/: {problem}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["schema", "packages", "overrides", "in_vpc", "event_bus"])
def test_the_modules_own_names_are_refused(name: str) -> None:
    assert list(tools.options.unwritable(of(str, "a", name)())) == [
        f"Options.{name}: the module itself writes {name} into the settings: call it something else"
    ]


def test_what_there_is_can_be_said() -> None:
    assert [problem for kind in HOOKS.values() for problem in tools.options.unwritable(kind)] == []


def test_a_new_object_has_a_section_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headed by its class's name, with nothing written by hand."""
    monkeypatch.setitem(HOOKS, "validate_deployment", of(Leaf, Leaf)())
    page = options_page()
    assert "| `more` | [Leaf](#leaf) | `{}` | more |" in page
    assert "## Leaf\n\nA leaf.\n\n| Option | Type | Default | What it is |" in page
