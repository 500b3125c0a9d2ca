"""What is strange inside a function's process.

A wall clock that jumps: by as many seconds as the file PROOF_CLOCK says, at each look. And requests to AWS that go
where no AWS is, when the front says so of them.

Found by Python at its start, before anything that could keep the real clock; then the rehearsal's own names follow.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

from botocore.httpsession import URLLib3Session

_now = time.time
_real = dt.datetime

if os.environ.get("PROOF_CLOCK"):
    with Path(os.environ["PROOF_CLOCK"]).open("rb") as _file:
        _offset = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)

    def _time() -> float:
        return _now() + float(struct.unpack("d", _offset[:8])[0])

    class _Kind(type):
        """What was made by the real class is one of it too."""

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, _real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, _real)

    class _Datetime(_real, metaclass=_Kind):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return _real.fromtimestamp(_time(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return _real.fromtimestamp(_time(), dt.timezone.utc).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return _real.fromtimestamp(_time())

    time.time = _time
    dt.datetime = _Datetime  # type: ignore[misc]

_send = URLLib3Session.send


def _send_elsewhere(session: URLLib3Session, request: Any) -> Any:
    answer = _send(session, request)
    if "X-Proof-Elsewhere" in answer.headers:
        request.url = answer.headers["X-Proof-Elsewhere"]
        return _send(session, request)
    return answer


URLLib3Session.send = _send_elsewhere  # type: ignore[method-assign, assignment]

_next = importlib.util.spec_from_file_location("names", Path(os.environ["LAMBDA_RUNTIME_DIR"]) / "sitecustomize.py")
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
