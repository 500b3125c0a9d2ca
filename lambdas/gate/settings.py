"""The environment as typed options: every problem named at once, before anything else is done.

A hook's options arrive as one JSON object in `HOOK_SETTINGS`, which the Terraform module writes from the variable named
after the function: each option, its default or null included. What this code does not know is refused, as it is at
plan; unless the settings were written for another version of the options, as for a moment they are while Lambda updates
a function: configuration first, code second.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import logging
import math
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional, TypeVar, get_args, get_origin, get_type_hints

from gate.options import About, HookOptions, key_of

logger = logging.getLogger("gate")

O = TypeVar("O", bound=HookOptions)  # noqa: E741  # of options

MOST_TEXT = 200_000  # bytes of settings when unpacked; those that fit Lambda's 4 KB have some 50,000
MOST_PROBLEMS = 50  # that are named at once
OF_MODULE = ("schema", "packages", "overrides", "in_vpc", "event_bus")  # what the module writes beside the options


class BadSettings(Exception):
    """The environment cannot be used. The message names each variable, the value found and what was expected."""


@dataclass(frozen=True)
class Environment:
    """Which application and service the function watches over (four variables the module sets)."""

    app_name: str
    environment: str
    cluster: str
    service: str


class Entry(NamedTuple):
    """One option of an options class; `kind` is its type without `Optional`."""

    name: str
    kind: Any
    about: About
    default: Any  # MISSING: it is required
    factory: Any


@dataclass(frozen=True)
class Module:
    """What the module writes beside the options.

    `schema`: fingerprint of the options that the settings were written for. `packages`: function → CodeSha256 that the
    module gave it. `in_vpc`: whether the function runs in a VPC; None: not said. `event_bus`: name or ARN of the bus
    that verdicts are sent to; empty: to none.
    """

    schema: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    overrides_allowed: bool = True
    in_vpc: Optional[bool] = None
    event_bus: str = ""

    @classmethod
    def taken_from(cls, document: dict[str, Any]) -> Module:
        """Read what is the module's, and leave the options in the document."""
        schema, packages, overrides, in_vpc, event_bus = (document.pop(name, None) for name in OF_MODULE)
        return cls(
            schema=schema if isinstance(schema, str) else "",
            packages=packages if isinstance(packages, dict) else {},
            overrides_allowed=overrides in (None, "allow"),  # a word that is not known forbids
            in_vpc=in_vpc if isinstance(in_vpc, bool) else None,
            event_bus=event_bus if isinstance(event_bus, str) else "",
        )


@dataclass
class Reading:
    """What came of reading settings. `unknown`: what is said of options that this code does not have."""

    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    module: Module = field(default_factory=Module)


def read_environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the four variables. Raises BadSettings naming all that are missing or empty."""
    names = ("APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE")
    missing = [name for name in names if not environ.get(name, "").strip()]
    if missing:
        raise BadSettings(
            f"environment variable {', '.join(missing)} is not set: the Terraform module sets it; "
            "a function made by hand needs it too"
        )
    app_name, environment, cluster, service = (environ[name].strip() for name in names)
    # A name is expected; an ARN is what people paste. Its last part is the name.
    return Environment(app_name, environment, cluster.rpartition("/")[2], service.rpartition("/")[2])


def read_settings(kind: type[O], environ: Mapping[str, str] = os.environ, hook: str = "HOOK_SETTINGS") -> O:
    """Read `HOOK_SETTINGS` into the options class `kind`; messages name options as those of `hook`.

    Raises BadSettings naming every problem with its path, the value found and what was expected.
    """
    options, reading = judge_settings(kind, environ, hook)
    if options is None:
        raise BadSettings(in_words(reading.problems))
    for said in reading.unknown:  # of another version, or they were problems
        logger.warning("%s: the settings are another version's, so it is left alone", said)
    return options


def in_words(problems: Sequence[str]) -> str:
    """The problems in one line; of very many the first."""
    more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
    return "; ".join([*problems[:MOST_PROBLEMS], *more])


def read_module(environ: Mapping[str, str] = os.environ) -> Module:
    """What the module says beside the options, whatever becomes of these."""
    return judge_settings(HookOptions, environ, "HOOK_SETTINGS")[1].module


def judge_settings(kind: type[O], environ: Mapping[str, str], hook: str) -> tuple[O | None, Reading]:
    """The options that an environment holds, None if they cannot be used, and what was found on the way."""
    try:
        document = json.loads(_unpacked(environ.get("HOOK_SETTINGS", "").strip() or "{}"), parse_constant=_refuse)
    except ValueError as problem:
        return None, Reading([f"HOOK_SETTINGS is not JSON: {problem}"])
    except BadSettings as problem:
        return None, Reading([str(problem)])
    except RecursionError:
        return None, Reading(["HOOK_SETTINGS is nested too deeply to be read"])
    reading = Reading(module=Module.taken_from(document) if isinstance(document, dict) else Module())
    options = _object(kind, document, hook, reading)
    if reading.unknown and reading.module.schema in ("", schema_of(kind)):
        reading.problems += reading.unknown
    return None if reading.problems else options, reading


def entries(kind: Any) -> list[Entry]:
    """The options of an options class, in their order."""
    return _entries(kind)


@functools.cache  # thousands of objects may be of one class
def _entries(kind: Any) -> list[Entry]:
    hints = get_type_hints(kind)
    found = []
    for each in dataclasses.fields(kind):
        about = each.metadata.get("about") or About("")
        found.append(Entry(each.name, _without_none(hints[each.name]), about, each.default, each.default_factory))
    return found


def schema_of(kind: type[Any]) -> str:
    """A fingerprint of the options that a hook takes, at every depth."""
    return hashlib.sha256(json.dumps(_described(kind)).encode()).hexdigest()[:12]


def _described(kind: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return {entry.name: _described(entry.kind) for entry in entries(kind)}
    origin = get_origin(kind)
    return [origin.__name__, _described(_inner_of(kind))] if origin else kind.__name__


def _inner_of(kind: Any) -> Any:
    """What a map or a list holds."""
    return get_args(kind)[1 if get_origin(kind) is dict else 0]


def _without_none(kind: Any) -> Any:
    inner = get_args(kind)
    return next(each for each in inner if each is not type(None)) if type(None) in inner else kind


def _unpacked(text: str) -> str:
    """The settings as JSON. Long ones come as the base64 of gzip: Lambda's environment has 4 KB. Raises ValueError."""
    if text.startswith("{"):
        return text
    unpacker = zlib.decompressobj(wbits=31)  # of gzip
    try:
        unpacked = unpacker.decompress(base64.b64decode(text, validate=True), MOST_TEXT)
        if len(unpacked) == MOST_TEXT:
            raise BadSettings(f"HOOK_SETTINGS has {MOST_TEXT} bytes or more when it is unpacked: shorten it")
        if unpacker.eof:
            return unpacked.decode()
    except (ValueError, zlib.error):
        pass
    return text  # not packed, then; the reader of JSON says what is wrong with it


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number that JSON knows")


def _object(kind: Any, value: Any, path: str, reading: Reading) -> Any:
    if not isinstance(value, dict):
        reading.problems.append(f"{path} is {kind_of(value)}, expected a map of options")
        return None
    before, arguments = len(reading.problems), {}
    names = [entry.name for entry in entries(kind)]
    strange = sorted(set(value) - set(names))
    reading.unknown += [f"{path} has no option {name}; it has {', '.join(names)}" for name in strange]
    for entry in entries(kind):
        if value.get(entry.name) is not None:
            arguments[entry.name] = _value(entry.kind, value[entry.name], f"{path}.{entry.name}", entry, reading)
        elif entry.default is dataclasses.MISSING and entry.factory is dataclasses.MISSING:
            reading.problems.append(f"{path}.{entry.name} is missing; {expected(entry.kind, entry.about)}")
    if len(reading.problems) > before:
        return None
    made = kind(**arguments)
    # The rules across options; one may look into another object, which is made by now.
    reading.problems += [f"{path}.{problem}" for problem in getattr(made, "problems", list)()]
    return made


def _value(kind: Any, value: Any, path: str, entry: Entry, reading: Reading) -> Any:
    about = entry.about
    if dataclasses.is_dataclass(kind):
        return _object(kind, value, path, reading)
    if get_origin(kind) is None:
        return _scalar(kind, value, path, entry, reading)
    if not isinstance(value, list if get_origin(kind) is tuple else dict):
        reading.problems.append(f"{path} is {kind_of(value)}, expected {_KINDS.get(get_origin(kind), 'a map')}")
        return None
    inner = _inner_of(kind)
    if about.entries and not about.entries[0] <= len(value) <= about.entries[1]:
        reading.problems.append(f"{path} has {len(value)} entries; {expected_entries(entry)}")
    if isinstance(value, list):
        return tuple(_value(inner, each, f"{path}[{at}]", entry, reading) for at, each in enumerate(value))
    for key in value:
        if about.keys and not re.fullmatch(about.keys, key):
            reading.problems.append(f"{path} has {_shown_key(key, about)}; expected {about.keys_mean}.")
    return {key: _value(inner, each, path + key_of(key), entry, reading) for key, each in value.items()}


def _scalar(kind: Any, value: Any, path: str, entry: Entry, reading: Reading) -> Any:
    if value is None:  # in a map or a list: an option that is null has its default
        reading.problems.append(f"{path} is null, expected {_KINDS[kind]}")
        return None
    given, about = value, entry.about
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 10**300 else math.inf
    if kind is int and type(value) is float and value.is_integer():
        value = int(value)
    wrong = (
        type(value) is not kind  # true is an int, too
        or value in (math.inf, -math.inf)  # 1e999 is JSON
        or (about.least is not None and value < about.least)
        or (about.most is not None and value > about.most)
        or (about.choices and value not in about.choices)
        or (about.pattern and not re.fullmatch(about.pattern, value))
    )
    if wrong:
        reading.problems.append(f"{path} is {shown(given, about)}; {expected(kind, about, may_be_null(entry))}")
        return None
    return value


# The words of a refusal, Terraform's (tools/options.py) and ours.


def expected(kind: Any, about: About, or_null: bool = False) -> str:
    """What an option takes, as the end of a sentence: `expected seconds from 0 to 60, or null.`."""
    words = _KINDS.get(get_origin(kind) or kind, "a map")
    if about.choices:
        choices = [json.dumps(choice) for choice in about.choices]
        words = f"{', '.join(choices[:-1])} or {choices[-1]}"
    elif about.pattern:
        words = about.means
    elif about.least is not None and about.most is not None:
        unit = ("a whole number" + (f" of {about.unit}" if about.unit else "")) if kind is int else about.unit
        words = f"{unit} from {number(about.least)} to {number(about.most)}"
    return f"expected {words}{', or null' if or_null else ''}.{f' {about.cure}' if about.cure else ''}"


_KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", tuple: "a list"}


def expected_entries(entry: Entry) -> str:
    """How many entries a list or a map has, as the end of a sentence."""
    least, most = entry.about.entries or (0, 0)
    return f"expected {least} to {most}{', or null' if entry.default is None else ''}."


def may_be_null(entry: Entry) -> bool:
    """Whether null says something else than any value: it is the default, and the option holds but one value."""
    return entry.default is None and get_origin(entry.kind) is None


def number(value: float) -> str:
    """A bound as it is written in sentences and in HCL."""
    return f"{value:.15g}" if value != int(value) or abs(value) > 1e12 else str(int(value))


def kind_of(value: Any) -> str:
    """What kind of JSON a value is, in words: where another kind belongs, a value says no more."""
    return {dict: "a map", list: "a list", type(None): "null"}.get(type(value), "a single value")


def _shown_key(key: str, about: About) -> str:
    if about.secret:  # "Authorization: Bearer …", with a value in it
        begins = re.match("[A-Za-z0-9_-]*", key)
        return f'a key of {len(key)} characters that begins with "{begins[0] if begins else ""}"'
    return f"the key {json.dumps(key, ensure_ascii=False)}"


def shown(value: Any, about: About) -> str:
    """The value as a person reads it in an error: short, and only its length where it may be, or hold, a secret."""
    if about.secret:
        return f"a text of {len(value)} characters" if isinstance(value, str) else kind_of(value)
    if not isinstance(value, (str, int, float)):
        return kind_of(value)
    if isinstance(value, str) and about.address and re.search("[?#@]", value):
        return f"an address of {len(value)} characters"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
