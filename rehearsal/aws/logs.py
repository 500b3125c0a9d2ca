"""CloudWatch Logs: how containers' and functions' lines come into moto's log groups."""

from __future__ import annotations

import time
from collections.abc import Iterable

from moto.logs.models import LogsBackend, logs_backends


def backend_of(arn: str) -> LogsBackend:
    """Return the CloudWatch Logs backend of the account and region that an ARN names."""
    _, _, _, region, account, *_ = arn.split(":", 5)
    backend: LogsBackend = logs_backends[account][region]
    return backend


def append(arn: str, group: str, stream: str, lines: Iterable[str], now: float | None = None) -> None:
    """Write lines to a log stream of the account and region of `arn`, at `now` (epoch seconds).

    The stream is created if it is missing; the group is not, as the awslogs driver does not create it either
    unless told to.

    Raises:
        moto.logs.exceptions.ResourceNotFoundException: there is no such log group.
    """
    backend = backend_of(arn)
    at = int((time.time() if now is None else now) * 1000)
    backend.ensure_log_stream(group, stream)
    events = [{"timestamp": at, "message": line} for line in lines]
    if events:
        backend.put_log_events(group, stream, events)
