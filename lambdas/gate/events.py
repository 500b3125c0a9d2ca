"""Tells EventBridge the verdict once it is reported: one attempt, bounded in time and size, and nothing hangs on it.

docs/events.md describes the event. It is sent in a thread of its own, so that not even a connection that drips holds an
answer up.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable
from urllib.parse import quote

from gate import VERSION, aws
from gate.record import Record
from gate.redact import utf8_safe
from gate.settings import read_module

logger = logging.getLogger("gate")

SOURCE = "codedeploy-hooks"
DETAIL_TYPE = "Deployment Hook Verdict"
SCHEMA_VERSION = "1.0"  # the first number changes when a field goes or means something else

SECONDS = 2.0  # for all of it
CALL_SECONDS = 1.5  # to connect, and to read
SPARE = 1.0  # seconds of the invocation that stay for the answer
MOST_BYTES = 32_000  # of an event's detail; EventBridge takes 256 KB in one call
MOST_CHECKS = 50
MOST_DETAIL = 1000  # characters of a check's detail
MOST_NAME = 300

_NOT_SENT = "the event of this verdict was not sent: %s"
# AWS's documents name these; where a console is that is none of them, nobody says.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


@dataclass(frozen=True)
class Verdict:
    """What is told. `about`: the deployment, as far as it is known. `overrides`: severity by name."""

    status: str
    message: str
    duration_ms: int
    about: Mapping[str, str]
    overrides: Mapping[str, str]
    began: float  # when the hook's first invocation started, in epoch seconds


def tell(told: Callable[[], Verdict], record: Record, context: Any, seconds: float) -> None:
    """Send the verdict to the bus of the settings, if they have one; `seconds`: how long it may take at most.

    Never raises. What fails is one line of the log.
    """
    try:
        bus = read_module().event_bus
        problem = _sent(_entry(bus, told(), record, context), min(SECONDS, seconds)) if bus else ""
    except Exception as raised:  # the report is made; nothing that happens here may touch it
        logger.warning(_NOT_SENT, type(raised).__name__, exc_info=True, extra=record.fields)
    else:
        if problem:
            logger.warning(_NOT_SENT, problem, extra=record.fields)


def _sent(entry: Mapping[str, Any], seconds: float) -> str:
    """Send an entry; why it may not have arrived, empty if it has."""
    if seconds <= 0:
        return "no time was left"
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(_put(entry)), name="event", daemon=True)
    thread.start()
    thread.join(seconds)
    return said[0] if said else f"events:PutEvents had not answered after {seconds:.1f} s"


def _put(entry: Mapping[str, Any]) -> str:
    try:
        answer = aws.client("events", attempts=1, seconds=CALL_SECONDS).put_events(Entries=[entry])
        if not answer.get("FailedEntryCount"):
            return "" if "FailedEntryCount" in answer else str(aws.AwsUnreadable("events", "put_events"))
        refused = answer["Entries"][0]
        return f"events:PutEvents refused it: {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}"
    except Exception as problem:  # noqa: BLE001  # in words, whatever it is
        return str(aws.explain(problem, "events", "put_events"))


def _entry(bus: str, verdict: Verdict, record: Record, context: Any) -> dict[str, Any]:
    """One entry of PutEvents."""
    function = ":".join(_of(context, "invoked_function_arn").split(":")[:7])  # without version or alias
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Time": datetime.now(timezone.utc),
        "Resources": [function] if function else [],
        "Detail": _bounded(_detail(verdict, record, _log(verdict, record, context, function))),
    }


def _detail(verdict: Verdict, record: Record, log: Mapping[str, str]) -> dict[str, Any]:
    # Each text is there, empty where nothing is known: an input transformer leaves out what is not.
    bad = [result for result in record.results if not result.finding.ok]
    checks = [
        {
            "name": result.name[:MOST_NAME],
            "outcome": result.finding.outcome.value,
            "severity": result.severity.value,
            "detail": result.finding.detail[:MOST_DETAIL],
        }
        for result in sorted(bad, key=lambda result: not result.stops)  # of many, those that stopped it
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "module_version": VERSION,
        "hook": record.hook_name,
        **{key: utf8_safe(value[:MOST_NAME]) for key, value in verdict.about.items()},
        "deployment_id": record.fields["deployment_id"][:MOST_NAME],
        "status": verdict.status,
        "message": verdict.message,
        "failed_checks": checks[:MOST_CHECKS],
        "failed_checks_left_out": len(checks[MOST_CHECKS:]),
        "overrides": [{"name": name[:MOST_NAME], "severity": each} for name, each in verdict.overrides.items()],
        "duration_ms": verdict.duration_ms,
        "log": log,
    }


def _bounded(detail: dict[str, Any]) -> str:
    """The detail as JSON, without its last checks and overrides where it would be too long."""
    while True:
        text = json.dumps(detail, ensure_ascii=False, default=str)
        full = detail["failed_checks"] or detail["overrides"]
        if len(utf8_safe(text).encode()) <= MOST_BYTES or not full:
            return utf8_safe(text)
        full.pop()
        detail["failed_checks_left_out"] += full is detail["failed_checks"]


def _log(verdict: Verdict, record: Record, context: Any, function: str) -> dict[str, str]:
    """Where the log is, and the page of the console that has all lines of the deployment."""
    group = _of(context, "log_group_name") or os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
    request = _of(context, "aws_request_id")
    _, partition, _, region, *_ = [*function.split(":"), *[""] * 4]
    console = _CONSOLES.get(partition, "")
    url = ""
    if console and group:
        wanted = f'"{(record.fields["deployment_id"] or request)[:MOST_NAME]}"'
        start = int((verdict.began - 60) * 1000)  # what is logged before the clock is asked
        query = f"?filterPattern={quote(wanted, safe='')}&start={start}"
        place = f"{quote(quote(group, safe=''), safe='')}/log-events{quote(query, safe='')}".replace("%", "$")
        url = f"https://{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{place}"
    stream = _of(context, "log_stream_name")
    return {"url": url, "group": group, "stream": stream, "request_id": request}


def _of(context: Any, name: str) -> str:
    value = getattr(context, name, "")
    return utf8_safe(value) if isinstance(value, str) else ""  # a mock has everything
