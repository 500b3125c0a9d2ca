"""CloudWatch Logs: filter patterns for JSON lines, which moto takes for "everything".

The part of the syntax that compares (user guide, "Filter pattern syntax for JSON log events"): `{ $.a.b = "text*" }`,
also with `!=` and numbers, joined by `&&` and `||`, in parentheses. A line that is no JSON object matches none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.logs.exceptions import InvalidParameterException

Matches = Callable[[Mapping[str, Any]], bool]
_TOKEN = re.compile(r"""\s*(?:(&&|\|\||[()]|!=|=)|(\$(?:\.[\w-]+)+)|"((?:[^"\\]|\\.)*)"|([\w.*-]+))""")


def parse(pattern: str) -> Matches:
    """Return what tells whether a JSON object matches a pattern in braces. Raises InvalidParameterException."""
    tokens, at, inner = [], 0, pattern.strip()[1:-1].rstrip()
    while at < len(inner):
        found = _TOKEN.match(inner, at)
        if found is None:
            raise _invalid()
        tokens.append(found)
        at = found.end()
    parser = _Parser(tokens)
    matches = parser.either()
    if not pattern.strip().endswith("}") or parser.rest:
        raise _invalid()
    return matches


def _invalid() -> InvalidParameterException:
    return InvalidParameterException("Invalid filter pattern")


class _Parser:
    """Reads tokens from the left: alternatives of conjunctions of comparisons."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.rest = tokens

    def either(self) -> Matches:
        found = [self._both()]
        while self._take("||"):
            found.append(self._both())
        return lambda line: any(each(line) for each in found)

    def _both(self) -> Matches:
        found = [self._one()]
        while self._take("&&"):
            found.append(self._one())
        return lambda line: all(each(line) for each in found)

    def _one(self) -> Matches:
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise _invalid()
            return inner
        if len(self.rest) < 3 or not self.rest[0][2] or self.rest[1][1] not in ("=", "!="):
            raise _invalid()
        selector, operator, value = self.rest[0][2], self.rest[1][1], self.rest[2]
        if value[1] or value[2]:
            raise _invalid()
        del self.rest[:3]
        wanted = value[3] if value[3] is not None else value[4]
        same = re.compile(".*".join(re.escape(part) for part in wanted.split("*")), re.DOTALL)
        names = selector.split(".")[1:]

        def matches(line: Mapping[str, Any]) -> bool:
            found: Any = line
            for name in names:
                if not isinstance(found, Mapping) or name not in found:
                    return False
                found = found[name]
            text = found if isinstance(found, str) else json.dumps(found)
            return bool(same.fullmatch(text)) is (operator == "=")

        return matches

    def _take(self, sign: str) -> bool:
        if self.rest and self.rest[0][1] == sign:
            del self.rest[0]
            return True
        return False
