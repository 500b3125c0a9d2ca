"""A wall clock that jumps inside a function's process: by as many seconds as the file PROOF_CLOCK says, at each look.

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

_next = importlib.util.spec_from_file_location("names", Path(os.environ["LAMBDA_RUNTIME_DIR"]) / "sitecustomize.py")
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
