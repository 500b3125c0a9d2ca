"""The names that the option `checks`, and the description of a deployment, may give a severity. Pure but for one file.

Each hook declares its own names, in a tuple of `Named` or by `@check` on methods. `check_names.json`, written by
"make package", has those of all hooks.
"""

from __future__ import annotations

import functools
import json
import pkgutil
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from gate.verdict import Severity

ALL_HOOKS = "check_names.json"

M = TypeVar("M", bound=Callable[..., Any])


@dataclass(frozen=True)
class Named:
    """A name that checks or findings of a hook have.

    `expects`: what is expected, in one sentence. `calls`: the AWS actions it needs beside those that most checks of the
    hook need. `parts`: patterns of what may follow the name and a colon; `{http_checks}` stands for the keys of that
    option, `{alarm}` (no option) for any text. `own`: it is no check of the module's but of whoever uses it.
    """

    name: str
    expects: str
    severity: Severity = Severity.FAIL
    calls: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    own: bool = False

    @property
    def patterns(self) -> list[str]:
        """The name alone, and with each of its parts."""
        return [self.name, *(f"{self.name}:{part}" for part in self.parts)]


def check(severity: Severity = Severity.FAIL, calls: Sequence[str] = (), parts: Sequence[str] = ()) -> Callable[[M], M]:
    """Make a method a check of its own name. Its docstring says, in one sentence, what is expected."""

    def mark(method: M) -> M:
        expects = str(method.__doc__).strip()
        method.named = Named(method.__name__, expects, severity, tuple(calls), tuple(parts))  # type: ignore[attr-defined]
        return method

    return mark


def names_of(*kinds: type) -> list[Named]:
    """The names of the checks among these classes' methods, in the order in which they are written."""
    return [method.named for kind in kinds for method in vars(kind).values() if hasattr(method, "named")]


def patterns_of(names: Iterable[Named]) -> list[str]:
    """All patterns of these names."""
    return [pattern for named in names for pattern in named.patterns]


@functools.cache
def patterns_of_all_hooks() -> list[str]:
    """All patterns of all hooks' names."""
    by_hook: dict[str, list[str]] = json.loads(pkgutil.get_data("gate", ALL_HOOKS) or "{}")
    return [pattern for patterns in by_hook.values() for pattern in patterns]


def is_known(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches one of the patterns, in which `{what}` stands for any text."""
    return any(_regex(pattern).fullmatch(name) for pattern in patterns)


def unknown_names(given: Iterable[str], names: Sequence[Named]) -> list[str]:
    """The given names that the hook does not have: typing mistakes."""
    return sorted(name for name in given if not is_known(name, patterns_of(names)))


@functools.cache  # a handler asks for some hundred again and again
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(pattern)))
