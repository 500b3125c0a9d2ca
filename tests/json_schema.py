"""Validates JSON by the part of JSON Schema (draft 2020-12) that this project's documents use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

KNOWN = {
    *("$schema", "title", "description", "type", "const", "enum", "pattern"),
    *("maxLength", "minimum", "maximum", "maxItems", "items", "properties", "required", "additionalProperties"),
}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}


def problems(value: Any, schema: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """All that is wrong with a value, by a schema. A keyword that is not known here is an error of the schema's."""
    unknown = schema.keys() - KNOWN
    assert not unknown, f"{path}: this validator does not know {sorted(unknown)}"
    kind: Any = TYPES.get(str(schema.get("type")), object)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind not in (bool, object)):
        yield f"{path} is {value!r}, no {schema['type']}"
        return
    yield from _of_value(value, schema, path)
    if isinstance(value, dict):
        yield from _of_object(value, schema, path)
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from problems(entry, schema.get("items", {}), f"{path}[{number}]")


def _of_value(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if value != schema.get("const", value) or value not in schema.get("enum", [value]):
        yield f"{path} is {value!r}, expected {schema.get('const', schema.get('enum'))}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)) or not re.search(schema.get("pattern", ""), value):
            yield f"{path} is {value[:200]!r} of {len(value)} characters"
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{path} has {len(value)} entries"
    elif isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path} is {value}"


def _of_object(value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path} lacks {name}"
    for name, entry in value.items():
        if name in known:
            yield from problems(entry, known[name], f"{path}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{path} has {name}, which the schema does not"
