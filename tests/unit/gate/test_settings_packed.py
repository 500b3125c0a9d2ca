"""gate.settings: settings that come packed, as the base64 of gzip."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest

from tests.unit.gate.sample_options import SECRET, Options, problem, read


def packed(text: str) -> str:
    """As Terraform's base64gzip() writes it."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def test_packed_settings_are_read_like_others() -> None:
    document = {
        "text": "größe",
        "count": 7,
        "labels": {"a" * n: "x" * 50 for n in range(1, 100)},
        "headers": {"A": "b"},
    }
    assert read(packed(json.dumps(document))) == read(document)
    assert read(f" {packed('{}')}\n") == Options()
    assert len(packed(json.dumps(document))) < 600


def test_packed_settings_have_the_same_problems() -> None:
    assert problem(packed('{"text": 0}')) == "hook.text is 0; expected text."
    assert problem(packed("[]")) == "hook is a list, expected a map of options"
    assert problem(packed("{")).startswith("HOOK_SETTINGS is not JSON: Expecting property name")


LONG = packed(json.dumps({"headers": {"Authorization": SECRET}, "labels": {str(n): str(n) for n in range(500)}}))
RAW = base64.b64decode(LONG)


@pytest.mark.parametrize(
    "text",
    [
        LONG[:-4],
        LONG[4:],
        LONG[: len(LONG) // 2],
        LONG[:-1],
        f"{LONG[:100]} {LONG[100:]}",
        f"{LONG[:100]}é{LONG[100:]}",
        base64.b64encode(b"no gzip").decode(),
        base64.b64encode(RAW[:-8] + bytes(8)).decode(),
        base64.b64encode(RAW[:20] + bytes(40) + RAW[60:]).decode(),
        base64.b64encode(gzip.compress(b"\xff\xfe", mtime=0)).decode(),
        base64.b64encode(zlib.compress(b"{}")).decode(),
        packed(""),
        packed("yes"),
        "H4sI",
    ],
    ids=[
        "end missing", "start missing", "half", "padding", "space", "letter", "no gzip", "checksum", "damaged",
        "no UTF-8", "zlib", "nothing", "no JSON", "header alone",
    ],
)  # fmt: skip
def test_settings_that_cannot_be_unpacked_are_no_json(text: str) -> None:
    found = problem(text)
    assert found.startswith("HOOK_SETTINGS is not JSON: ")
    assert len(found) < 150
    assert SECRET not in found


def test_settings_that_unpack_to_more_than_anybody_has_are_refused() -> None:
    def document(size: int) -> str:
        return packed(json.dumps({"text": "x" * (size - len('{"text": ""}'))}))

    assert problem(document(200_000)) == ("HOOK_SETTINGS has 200000 bytes or more when it is unpacked: shorten it")
    assert len(read(document(199_999)).text) == 199_987
