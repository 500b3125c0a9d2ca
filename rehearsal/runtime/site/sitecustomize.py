"""Name resolution inside a function's process: the load balancer's names resolve to its ports on loopback.

Found by Python at its start because this folder is on the process's path, as a VPC's resolver is there without the
function's doing. REHEARSAL_NAMES names a JSON file: {"<host>:<port>": <port on 127.0.0.1>}. With REHEARSAL_SEALED no
other name leads anywhere. And AWS_ENDPOINT_URL leads to the stand-in in a boto3 that does not know the variable yet
(before 1.28).
"""  # noqa: INP001  (loaded by path)

from __future__ import annotations

import importlib.util
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

_resolve = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    names = json.loads(Path(os.environ["REHEARSAL_NAMES"]).read_text(encoding="utf-8"))
    name = host.decode() if isinstance(host, bytes) else host
    known = names.get(f"{name}:{port}")
    if known is not None:
        return _resolve("127.0.0.1", known, *args, **kwargs)
    if os.environ.get("REHEARSAL_SEALED") and name not in (None, "", "localhost") and not str(name).startswith("127."):
        raise socket.gaierror(socket.EAI_NONAME, f"{name}: the rehearsal asks no other machine")
    return _resolve(host, port, *args, **kwargs)


if os.environ.get("REHEARSAL_NAMES"):
    socket.getaddrinfo = _getaddrinfo


class _EndpointOfOldBoto:
    """Wraps botocore's Session as soon as it is imported, and not before: a function imports it in its own way."""

    def find_spec(self, name: str, *_: object) -> Any:
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            create = module.Session.create_client

            def create_client(session: Any, *args: Any, endpoint_url: str | None = None, **kwargs: Any) -> Any:
                return create(session, *args, endpoint_url=endpoint_url or os.environ["AWS_ENDPOINT_URL"], **kwargs)

            if _is_old(sys.modules["botocore"]):
                module.Session.create_client = create_client

        spec.loader.exec_module = exec_module
        return spec


def _is_old(botocore: Any) -> bool:
    return tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 31)


if os.environ.get("AWS_ENDPOINT_URL"):
    sys.meta_path.insert(0, _EndpointOfOldBoto())
