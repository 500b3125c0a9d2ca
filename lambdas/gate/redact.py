"""Keeps secrets out of messages and logs. Pure."""

from __future__ import annotations

import re

SENSITIVE_NAME = re.compile(
    r"authori[sz]ation|cookie|credential|csrf|password|passwd|passphrase|secret|token|(?:api|access|private)[-_]?key"
    r"|session|signature(?![a-z])|(?<![a-z])(?:pwd|sig|jwt)(?![a-z])",
    re.IGNORECASE,
)
# The parts are bounded, or a text that repeats "://a:" would take the square of its length.
_URL = re.compile(r"(://[^\s/@\"':]{0,512}:)[^\s\"']{1,4096}(?=@)")
_SCHEME = r"(?:bearer|basic|digest|token|api-?key)\s+"
_IS = r"\\?[\"']?\s*(?:=>|[=:]+)"
_REST = r"(?:=\\?\"[^\"\r\n]*\"|(?!\\?\")[^\r\n])+"  # of a line, or of what quotes it: `a="b"` is part of it
# These headers hold several words. Quoted values and lists are for the next one.
_HEADER = re.compile(
    rf"((')?(?<![\w-])[\w-]*(?:authori[sz]ation|cookie)2?{_IS}(?![=:>\s]*(?:\\?[\"']|\[))\s*)"
    rf"(?(2)[^'\r\n]+|(?:{_SCHEME})?{_REST})",
    re.IGNORECASE,
)
_NAMED = re.compile(
    # Each word is matched once, from its beginning, or a long one would take the square of its length. Not in an ARN,
    # where the word after the partition or account says what kind of thing is named.
    r"((?<!\d{12}:)(?<!aws:)(?<!-cn:)(?<!-gov:)(?<![\w-])"
    rf"(?=[\w-]*?(?:{SENSITIVE_NAME.pattern})|_?auth\\?(?:[\"']?\s*=|[\"']\s*:))[\w-]+{_IS}\s*)"
    r"(?:(\\\")[^\"\\]*|(\")(?:[^\"\\]|\\.)*|(\\?')(?:[^'\\]|\\.)*|\[[^\]]*"
    rf"|-----BEGIN[^-]*-----[^-]*|(?:{_SCHEME})?(?:(?!\\\")[^\s\"',;&}}])+)",
    re.IGNORECASE,
)
# A word with a digit, or as base64 has it, no word of a sentence; nor an image's digest.
_CREDENTIAL = re.compile(
    rf"\b({_SCHEME})(?!sha\d+:)(?=[\w.~+/-]*(?:\d|(?-i:[a-z][A-Z])))[\w.~+/-]{{8,}}={{0,2}}(?![\w=])"
    rf"|\b(digest\s+)(?=\w+=[^\r\n]{{0,512}}?\bresponse=){_REST}",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with `***` for passwords in URLs, for the values of sensitive names, and for what logs a caller in."""
    text = _HEADER.sub(r"\1***", _URL.sub(r"\1***", text))
    return _CREDENTIAL.sub(r"\1\2***", _NAMED.sub(r"\1\2\3\4***", text))


def utf8_safe(text: str) -> str:
    """The text with `?` for what UTF-8 cannot encode: JSON may bring half a surrogate pair, and no log takes it."""
    return text.encode(errors="replace").decode()
