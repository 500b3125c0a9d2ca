"""CloudWatch Logs: how containers' and functions' lines come into moto's log groups, and are found there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from moto.logs import models
from moto.logs.models import LogsBackend, logs_backends
from moto.logs.utils import EventMessageFilter

from rehearsal.aws.log_patterns import parse


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


class EventFilter(EventMessageFilter):
    """What matches a filter pattern: moto's way, and patterns for JSON lines."""

    def __init__(self, pattern: str) -> None:
        self._of_json = parse(pattern) if (pattern or "").lstrip().startswith("{") else None
        super().__init__(pattern)

    def matches(self, message: str) -> bool:
        """Say whether a line matches."""
        if self._of_json is None:
            return bool(super().matches(message))
        try:
            line = json.loads(message)
        except ValueError:
            return False
        return isinstance(line, dict) and self._of_json(line)


def install() -> None:
    """Put the additions into moto."""
    models.EventMessageFilter = EventFilter  # type: ignore[attr-defined]
