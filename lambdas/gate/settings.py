"""The environment as typed settings: every problem named at once, before anything else is done.

A hook's own settings arrive as one JSON object in `HOOK_SETTINGS`, which the Terraform module writes from the
variable named after the function. A setting that this code does not know is logged and left alone: while
Lambda updates a function, new configuration meets old code for a moment.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

logger = logging.getLogger("gate")

S = TypeVar("S", bound="HookSettings")

SEVERITIES = ("fail", "warn", "skip")
MOST_TEXT = 200_000  # bytes of settings when unpacked; those that fit Lambda's 4 KB have some 50,000
MOST_PROBLEMS = 50  # that are named at once


class BadSettings(Exception):  # noqa: N818  # it is what happened, and reads as such
    """The environment cannot be used. The message names each variable, the value found and what was expected."""


def limits(
    default: Any = dataclasses.MISSING,
    *,
    default_factory: Any = dataclasses.MISSING,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """A dataclass field with bounds, both inclusive; on a map or list they hold for each value."""
    metadata = {"least": least, "most": most, "choices": choices}
    if default_factory is not dataclasses.MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class HookSettings:
    """What every hook takes. `checks` sets a check's severity by its name: fail, warn or skip."""

    checks: dict[str, str] = limits(default_factory=dict, choices=SEVERITIES)


@dataclass(frozen=True)
class Environment:
    """Which application and service the function watches over (four variables the module sets)."""

    app_name: str
    environment: str
    cluster: str
    service: str


def read_environment(environ: Mapping[str, str] | None = None) -> Environment:
    """Read the four variables.

    Raises BadSettings naming all that are missing or empty.
    """
    source = os.environ if environ is None else environ
    names = ("APP_NAME", "ENVIRONMENT", "ECS_CLUSTER", "ECS_SERVICE")
    missing = [name for name in names if not source.get(name, "").strip()]
    if missing:
        raise BadSettings(
            f"environment variable {', '.join(missing)} is not set: the Terraform module sets it; "
            "a function made by hand needs it too"
        )
    app_name, environment, cluster, service = (source[name].strip() for name in names)
    # A name is expected; an ARN is what people paste. Its last part is the name.
    return Environment(app_name, environment, cluster.rpartition("/")[2], service.rpartition("/")[2])


def read_settings(settings_type: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read `HOOK_SETTINGS` into `settings_type`.

    Raises BadSettings naming every problem with its path, the value found and what was expected.
    """
    source = os.environ if environ is None else environ
    try:
        text = _unpacked(source.get("HOOK_SETTINGS", "").strip() or "{}")
        document = json.loads(text, parse_constant=_refuse)
    except ValueError as problem:
        raise BadSettings(f"HOOK_SETTINGS is not JSON: {problem}") from None
    except RecursionError:
        raise BadSettings("HOOK_SETTINGS is nested too deeply to be read") from None
    problems: list[str] = []
    settings = _object(settings_type, document, "HOOK_SETTINGS", problems)
    if problems or settings is None:
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise BadSettings("; ".join(problems[:MOST_PROBLEMS] + more))
    return settings  # type: ignore[no-any-return]  # _object builds what it was told to


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


def _object(kind: type[Any], value: Any, path: str, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        problems.append(f"{path} is {_shown(value, path)}, expected an object")
        return None
    before, hints = len(problems), get_type_hints(kind)
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    for name in sorted(set(value) - set(known)):
        logger.warning("setting %s.%s is not known to this version and is left alone", path, name)
    arguments = {}
    for name, entry in known.items():
        if value.get(name) is None:
            if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
                problems.append(f"{path}.{name} is missing")
            continue
        arguments[name] = _value(hints[name], value[name], f"{path}.{name}", entry.metadata, problems)
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except ValueError as problem:  # a rule across fields, kept in the class's __post_init__
        problems.append(f"{path}: {problem}")
        return None


def _value(kind: Any, value: Any, path: str, bounds: Mapping[str, Any], problems: list[str]) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if type(None) in inner:  # Optional[X] or X | None; None was dealt with by the caller
        return _value(next(k for k in inner if k is not type(None)), value, path, bounds, problems)
    if dataclasses.is_dataclass(kind):
        return _object(kind, value, path, problems)  # type: ignore[arg-type]  # is_dataclass also admits instances
    if origin in (list, tuple):
        if not isinstance(value, list):
            problems.append(f"{path} is {_shown(value, path)}, expected a list")
            return None
        entries = [_value(inner[0], entry, f"{path}[{at}]", bounds, problems) for at, entry in enumerate(value)]
        return tuple(entries) if origin is tuple else entries
    if origin is dict:
        if not isinstance(value, dict):
            problems.append(f"{path} is {_shown(value, path)}, expected a map")
            return None
        return {key: _value(inner[1], entry, f"{path}.{key}", bounds, problems) for key, entry in value.items()}
    return _scalar(kind, value, path, bounds, problems)


def _scalar(kind: Any, value: Any, path: str, bounds: Mapping[str, Any], problems: list[str]) -> Any:
    given = value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 10**300 else math.inf
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    infinite = isinstance(value, float) and not math.isfinite(value)  # 1e999 is JSON
    if infinite or not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        words = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
        problems.append(f"{path} is {_shown(value, path)}, expected {words[kind]}")
        return None
    least, most, choices = bounds.get("least"), bounds.get("most"), bounds.get("choices")
    if least is not None and value < least:
        problems.append(f"{path} is {_shown(given, path)}, expected at least {least:.15g}")
    if most is not None and value > most:
        problems.append(f"{path} is {_shown(given, path)}, expected at most {most:.15g}")
    if choices and value not in choices:
        problems.append(f"{path} is {_shown(value, path)}, expected one of {', '.join(choices)}")
    return value


def _shown(value: Any, path: str) -> str:
    """The value as a person reads it in an error: short, and only its type where a secret may stand."""
    if any(part in path for part in (".headers", ".secret_headers", ".environment", ".body", ".json")):
        return f"a {type(value).__name__} (not shown)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
