"""Options of each kind, and what comes of reading a document into them."""

# ruff: noqa: RUF009 - option() is dataclasses.field()

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gate.options import HookOptions, option, share
from gate.settings import judge_settings

SECRET = "correct-horse-battery"


@dataclass(frozen=True)
class Window:
    """An object with a rule across its options."""

    low: float = option("where it begins", 0.0, unit="seconds", least=0, most=60)
    high: float | None = option("where it ends", None, unit="seconds", least=0, most=60)

    def problems(self) -> list[str]:
        """Ends the wrong way round."""
        if self.high is not None and self.high < self.low:
            return [f"high is {self.high:g}, below low {self.low:g}"]
        return []


@dataclass(frozen=True)
class Needy:
    """An object with options that have no default."""

    name: str = option("what it is called", pattern="[a-z]+", means="small letters")
    note: str = option("anything")
    weight: int = option("how much it counts", 1, least=1, most=9)


@dataclass(frozen=True)
class Needier:
    """Lists and maps that have no default."""

    names: tuple[str, ...] = option("names")
    notes: dict[str, str] = option("notes by name")


@dataclass(frozen=True)
class Options(HookOptions):
    """An option of each kind."""

    text: str = option("any text", "a")
    flag: bool = option("yes or no", default=False)
    maybe: bool | None = option("yes, no, or neither", None)
    count: int = option("how many", 1, unit="tasks", least=1, most=100)
    plain: int | None = option("how many of what has no unit", None, least=-5, most=10**9)
    seconds: float = option("how long", 2.5, unit="seconds", least=0, most=60)
    rate: float | None = share("which share", None)
    free: float | None = option("what has no greatest value", None, least=0)
    state: str = option("which state", "OK", choices=("OK", "ALARM"))
    mode: str | None = option("which mode", None, choices=("a", "b", "c"), cure="Another one is not known.")
    host: str | None = option("which host", None, pattern="[a-z.]+", means='a host name such as "a.example"')
    words: tuple[str, ...] = option(
        "words", ("x",), pattern="(?s:.+)", means="words that are not empty", entries=(1, 3)
    )
    numbers: tuple[int, ...] | None = option("numbers", None, least=1, most=9, entries=(1, 2))
    flags: dict[str, bool] = option("yes or no by name", {}, entries=(0, 2))
    labels: dict[str, str] = option("texts by name", {}, keys="[a-z-]+", keys_mean="a name of small letters")
    states: dict[str, str] = option("states by name", {}, choices=("OK", "ALARM"))
    levels: dict[str, float] = option("numbers by name", {}, unit="percent", least=0.5, most=100)
    window: Window = option("a window", Window)
    other: Window | None = option("another window", None)
    windows: dict[str, Window] = option("windows by name", {})
    steps: tuple[Window, ...] = option("windows one after the other", (), entries=(0, 2))
    needy: Needy | None = option("what has to be given", None)
    secret: str | None = option("a secret", None, pattern="[!-~]+", means="printable text", secret=True)
    headers: dict[str, str] = option("secrets by name", {}, pattern="[!-~]+", means="printable text", secret=True)
    url: str = option("an address", "/", pattern="/[!-~]*", means='a path that begins with "/"', address=True)

    def problems(self) -> list[str]:
        """A rule that looks into another object."""
        return ["seconds and window.low are both set"] if self.seconds and self.window.low else []


def judge(document: Any) -> tuple[Options | None, list[str]]:
    """What is read, and all that is wrong with it."""
    text = document if isinstance(document, str) else json.dumps(document)
    options, reading = judge_settings(Options, {"HOOK_SETTINGS": text}, "hook")
    return options, reading.problems


def read(document: Any) -> Options:
    """The options, where nothing is wrong."""
    options, problems = judge(document)
    assert problems == []
    assert options is not None
    return options


def problem(document: Any) -> str:
    """The one thing that is wrong."""
    options, problems = judge(document)
    assert options is None
    assert len(problems) == 1, problems
    return problems[0]
