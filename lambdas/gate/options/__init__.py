"""Every option of every hook, once: its type, default, bounds, form and one line that says what it is.

`make options` writes from here what Terraform reads (`modules/options/`) and `docs/options.md`; `settings.py` reads a
function's settings by it. So an option is one line here, and its use. `problems` holds the rules across options, which
no plan knows: the function judges them when it starts, and the preflight before anything is made. Nothing here reads a
clock, a network or an environment.
"""

from __future__ import annotations

import dataclasses
import json as json_format
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

from gate.waiting import TimeBudget

LONGEST = 86_400  # seconds of a hook in all: ECS gives it a day
IN_AN_HOUR = 3300  # the same where there is an hour, as CodeDeploy gives
TIMEOUT = "timeout (at most 900)"  # the module's; the limit is Lambda's
KEPT = 0.4  # of the time, what each of these takes at most: a short one has room for what it is for, too
KEY = r"[^:\x00-\x20\x7f-\xa0]{1,64}"
NOT_EMPTY = "(?s:.+)"


@dataclass(frozen=True)
class About:
    r"""What an option takes, besides its type. Bounds are inclusive; of a map or a list they hold for each value.

    `doc`: what it is, with its unit. `unit`: of a number, as it stands in `expected … from … to …`. `pattern`: of a
    whole value; Terraform's regular expressions are RE2's, so nothing that Python reads otherwise, as it does \d, \s
    and \w. `means`: what such a value is, in words. `keys`, `keys_mean`: the same for the keys of a map. `entries`: how
    many a map or a list has at least and at most. `secret`: a value may be one and is never shown; `address`: it may
    hold one, in its query or before its host. `cure`: what helps, where `expected …` does not say it.
    """

    doc: str
    least: Optional[float] = None
    most: Optional[float] = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    means: str = ""
    keys: str = ""
    keys_mean: str = ""
    entries: Optional[tuple[int, int]] = None
    secret: bool = False
    address: bool = False
    cure: str = ""


def option(doc: str, default: Any = dataclasses.MISSING, **about: Any) -> Any:
    """A field of an options class: what it is, its default (none: it is required) and what else `About` has."""
    metadata = {"about": About(doc, **about)}
    if isinstance(default, (dict, type)):
        return dataclasses.field(default_factory=default if isinstance(default, type) else dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


seconds = partial(option, unit="seconds")
seconds_in_all = partial(  # of a hook that may go on in a fresh invocation
    seconds,
    "seconds for all of it (CodeDeploy gives a hook one hour: at most 3300; ECS a day); what does not fit one "
    "invocation of the function is continued in a fresh one",
    3000.0,
    least=60,
    most=LONGEST,
    cure="CodeDeploy gives a hook one hour.",
)
milliseconds = partial(option, unit="milliseconds", least=0.001, most=3_600_000)
percent = partial(option, unit="percent", most=1_000_000)
whole = partial(option, least=1, most=100)  # of type int: a whole number
share = partial(option, unit="a share", least=0, most=1)
by_name = partial(option, keys=KEY, keys_mean="a name of up to 64 printable characters, without spaces and colons")
words = partial(
    option,
    pattern=NOT_EMPTY,
    means='words, none of them empty, such as ["alembic", "upgrade", "head"]',
    entries=(1, 1000),
)


@dataclass(frozen=True)
class HookOptions:
    """What every hook takes."""

    checks: dict[str, str] = option(
        'severity by the name of a [check](checks.md): `"fail"`, `"warn"` (report, but pass) or `"skip"`',
        {},
        choices=("fail", "warn", "skip"),
    )

    def problems_of_time(self, budget: TimeBudget) -> list[str]:
        """What does not fit the time that the hook has; each begins with an option's name."""
        del budget
        return []


def key_of(key: str) -> str:
    """A key as the part of a path that leads to its value: `.orders`, or `["a b"]` where it is no plain name."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key)
    return f".{key}" if plain else f"[{json_format.dumps(key, ensure_ascii=False)}]"
