"""Keeps secrets out of messages and logs. Pure."""

from __future__ import annotations

import re

SENSITIVE_NAME = re.compile(
    r"authori[sz]ation|cookie|credential|csrf|password|passwd|secret|token|api[-_]?key|session", re.IGNORECASE
)
# The parts are bounded, or a text that repeats "://a:" would take the square of its length.
_URL = re.compile(r"(://[^\s/@\"':]{0,512}:)[^\s\"']{1,4096}(?=@)")
_NAMED = re.compile(
    # Each word is matched once, from its beginning, or a long one would take the square of its length. Not in an ARN,
    # where the word after the partition or account says what kind of thing is named.
    rf"((?<!\d:)(?<!aws:)(?<!-cn:)(?<!-gov:)(?<![\w-])(?=[\w-]*?(?:{SENSITIVE_NAME.pattern}))[\w-]+\\?[\"']?\s*[=:]\s*)"
    r"(?:(\\\")[^\"\\]*|(\")(?:[^\"\\]|\\.)*|(\\?')(?:[^'\\]|\\.)*|(?:(?:bearer|basic)\s+)?[^\s\"',;&}]+)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with `***` for passwords in URLs and for the values of sensitive names."""
    return _NAMED.sub(r"\1\2\3\4***", _URL.sub(r"\1***", text))


def utf8_safe(text: str) -> str:
    """The text with `?` for what UTF-8 cannot encode: JSON may bring half a surrogate pair, and no log takes it."""
    return text.encode(errors="replace").decode()
