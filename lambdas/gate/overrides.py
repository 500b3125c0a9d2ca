"""What the description of a deployment asks of the hooks: `[warn blue_targets, service_steady]`, `[skip images:app]`.

For this one deployment it comes before the option `checks`, so that a service that is broken can be fixed by a
deployment. All hooks read the same description, and each follows what is said of its own names. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.names import Named, is_known
from gate.verdict import Finding, error, failed, passed

MOST_NAMED = 10  # names in a message: a description may be long

_BRACKETS = re.compile(r"\[\s*(warn|skip)(?:\s*:|\s)([^][]*)]", re.IGNORECASE)
_ALIKE = 0.8  # difflib's ratio: a name is misspelt, and no other word


@dataclass(frozen=True)
class Overrides:
    """What a description asks of one hook: severity by name; `others`: names that only other hooks have.

    `problem`: why nothing of it can be followed.
    """

    own: Mapping[str, str]
    others: tuple[str, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.own or self.others or self.problem)

    def ending(self, says: str) -> str:
        """What every message of the hook ends with; `says` names the description. Empty if it overrides nothing."""
        own = ", ".join(f"{name} ({severity})" for name, severity in self.own.items())
        return f"OVERRIDDEN by {says}: {own}" if own else ""

    def finding(self, says: str, names: Sequence[Named], *, allowed: bool) -> Finding:
        """Whether they can be followed by the hook that has these names; `says` names the description."""
        if not allowed:
            return failed(
                f"{says} overrides checks, which the module's input allow_overrides (false) forbids: nothing was "
                "overridden, or looked at; take it out, or allow it"
            )
        if self.problem:
            return error(
                f"{says} {self.problem}: nothing was overridden, or looked at; fix it, and deploy again (this hook has "
                f"{', '.join(named.name for named in names) or 'none'})"
            )
        others = f"{says} overrides {', '.join(self.others)}, of other hooks" if self.others else ""
        return passed("; ".join(part for part in (self.ending(says), others) if part))


def overrides_in(description: str, own: Sequence[str], all_hooks: Sequence[str]) -> Overrides:
    """Read a description; `own` are the names (with patterns for parts) of this hook, `all_hooks` those of all.

    Descriptions are often commit messages, where `[skip ci]` or `[skip changelog]` is a word to others: a bracket in
    which nothing is a name, nor nearly one, means nothing here.
    """
    known = [*own, *all_hooks]
    said: dict[str, set[str]] = {}
    for word, bracket in _BRACKETS.findall(description):
        names = re.findall(r"[^\s,]+", bracket)
        if any(is_known(name, known) or difflib.get_close_matches(name, known, 1, _ALIKE) for name in names):
            for name in names:
                said.setdefault(name, set()).add(word.lower())
    unknown = [name for name in said if not is_known(name, known)]
    if unknown:
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        return Overrides({}, problem=f"names {', '.join(unknown[:MOST_NAMED])}{more}, which no hook has")
    twice = [name for name, words in said.items() if len(words) > 1]
    if twice:
        return Overrides({}, problem=f"would both warn and skip {', '.join(twice[:MOST_NAMED])}")
    mine = {name: min(words) for name, words in said.items() if is_known(name, own)}
    return Overrides(mine, tuple(name for name in said if name not in mine))
