"""Name resolution inside a function's process: the load balancer's names lead to its ports on loopback.

Found by Python at its start because this folder is on the process's path, as a VPC's resolver is there without the
function's doing. REHEARSAL_NAMES names a JSON file: {"<host>:<port>": <port on 127.0.0.1>}.
"""  # noqa: INP001  (loaded by path)

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

_resolve = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    names = json.loads(Path(os.environ["REHEARSAL_NAMES"]).read_text(encoding="utf-8"))
    name = host.decode() if isinstance(host, bytes) else host
    known = names.get(f"{name}:{port}")
    if known is not None:
        return _resolve("127.0.0.1", known, *args, **kwargs)
    return _resolve(host, port, *args, **kwargs)


if os.environ.get("REHEARSAL_NAMES"):
    socket.getaddrinfo = _getaddrinfo
