"""boto3 clients that cannot hang, and AWS's errors in words a person can act on."""

from __future__ import annotations

import functools
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gate import VERSION
from gate.redact import redact
from gate.verdict import ProbeError

# Against a VPC without a way out, boto3's own defaults (60 s a try) outlive the function and nothing is reported.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 5.0
ATTEMPTS = 3

# botocore's models are many objects that stay: to look for garbage among them as often as Python does by default takes
# a tenth of a cold start.
gc.set_threshold(50_000, 20, 100)

_NAMES = {  # of those that are not boto3's in capitals
    "codedeploy": "CodeDeploy",
    "events": "EventBridge",
    "elbv2": "Elastic Load Balancing",
    "cloudwatch": "CloudWatch",
    "secretsmanager": "Secrets Manager",
    "ssm": "Systems Manager",
    "logs": "CloudWatch Logs",
    "lambda": "Lambda",
    "application-autoscaling": "Application Auto Scaling",
}
# Where the name of a VPC endpoint, or the prefix of an IAM action, is not the name of boto3's client.
_ENDPOINTS = {"elbv2": "elasticloadbalancing", "cloudwatch": "monitoring", "ecr": "ecr.api"}
_PREFIXES = {"elbv2": "elasticloadbalancing"}
_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}  # where the operation has another name than the action

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "AuthFailure")
_CREDENTIALS = ("UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException")


class AwsCallFailed(ProbeError):
    """An AWS call gave no answer. `retryable`: the same call may succeed a little later."""

    def __init__(self, message: str, service: str, operation: str, code: str = "") -> None:
        super().__init__(message)
        self.service, self.operation, self.code = service, operation, code


class AwsDenied(AwsCallFailed):
    """The role lacks a permission."""


class AwsUnreachable(AwsCallFailed):
    """No connection to the service, or no answer in time."""

    retryable = True


class AwsThrottled(AwsCallFailed):
    """Throttled, or an error of AWS's own, on every attempt."""

    retryable = throttled = True


class AwsUnreadable(AwsCallFailed):
    """What came back is no answer of the service, or not all of it: a proxy's page, half a document, nothing at all."""

    retryable = True

    def __init__(
        self,
        service: str,
        operation: str,
        said: str = "got an answer that cannot be read: check for a proxy on the way",
    ) -> None:
        super().__init__(f"{action_of(service, operation)} {said}", service, operation)


_creating = threading.Lock()  # boto3's default session may not create clients from two threads at once


@functools.cache
def client(service: str, region: str | None = None, attempts: int = ATTEMPTS, seconds: float = READ_TIMEOUT) -> Any:
    """The boto3 client for `service`, made once; region, credentials and endpoint are boto3's own affair.

    `seconds`: how long an answer is waited for, and at most for a connection.
    """
    # Imports have to fail inside the guard, where that is reported.
    from urllib3.util import ssl_

    if not hasattr(ssl_, "DEFAULT_CIPHERS"):
        # botocore up to 1.29.90, to whose runtime a function may be pinned, imports it; the layer's urllib3 2 lacks it.
        ssl_.DEFAULT_CIPHERS = "DEFAULT"  # type: ignore[attr-defined]  # OpenSSL's own choice
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=min(CONNECT_TIMEOUT, seconds),
        read_timeout=seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra=f"codedeploy-hooks/{VERSION}",
    )
    with _creating:
        made: Any = boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]
    return made


# Ten checks need not wait out the same dead endpoint ten times: for this many seconds the first failure answers.
# Short enough for `poll` to try in earnest again before it gives up.
UNREACHABLE_FOR = 5.0
_unreachable: dict[tuple[str, str | None], tuple[float, AwsUnreachable]] = {}


def try_again() -> None:
    """Forget dead endpoints and calls under way: what one invocation met does not answer for the next."""
    _unreachable.clear()
    _awaited.clear()


def call(service: str, operation: str, region: str | None = None, **parameters: Any) -> dict[str, Any]:
    """Make one AWS call (`operation` in boto3's spelling) and return its answer.

    Raises AwsCallFailed, or one of its kinds, with a message that names the action and what to check.
    """
    with _explained(service, operation, region):
        method = getattr(client(service, region), operation)
        with answering(service, operation):
            answer = method(**parameters)
    return readable(answer, service, operation)


def pages(service: str, operation: str, key: str, region: str | None = None, **parameters: Any) -> Iterator[Any]:
    """Every entry under `key` of all pages of an AWS answer. Raises as `call` does."""
    for page in answers(service, operation, region, **parameters):
        yield from readable(page, service, operation, key)[key]


def answers(service: str, operation: str, region: str | None = None, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Every page of an AWS answer. Raises as `call` does."""
    with _explained(service, operation, region):
        found = iter(client(service, region).get_paginator(operation).paginate(**parameters))
        while True:
            with answering(service, operation):
                page = next(found, None)
            if page is None:
                return
            yield readable(page, service, operation)


@contextmanager
def _explained(service: str, operation: str, region: str | None) -> Iterator[None]:
    """What is raised within is told in our words; at an endpoint just found dead nothing is tried."""
    since, dead = _unreachable.get((service, region), (0.0, None))
    if dead is not None and time.monotonic() - since < UNREACHABLE_FOR:
        raise dead
    try:
        yield
    except Exception as raised:
        problem = explain(raised, service, operation)
        if isinstance(problem, AwsUnreachable):
            _unreachable[service, region] = (time.monotonic(), problem)
        raise problem from raised


def read(body: Any, service: str, operation: str, most: int) -> bytes:
    """The document that an answer streams, its first `most` bytes. Raises as `call` does."""
    try:
        with answering(service, operation):
            content: bytes = body.read(most)
    except Exception as problem:
        raise explain(problem, service, operation) from problem
    return content


def readable(answer: dict[str, Any], service: str, operation: str, key: str = "") -> dict[str, Any]:
    """The answer, unless there is nothing in it, or not what it has to have: `key`.

    Of JSON that it cannot read botocore makes an empty answer, in silence.
    """
    if not answer.keys() - {"ResponseMetadata"}:
        raise AwsUnreadable(service, operation)
    if key and key not in answer:
        raise AwsUnreadable(service, operation, f"answered without {key}")
    return answer


_awaited: list[tuple[str, float]] = []  # the calls under way, and those that an interruption ended


@contextmanager
def answering(service: str, operation: str) -> Iterator[None]:
    """While AWS answers: what Python raises of an answer that is not AWS's becomes AwsUnreadable."""
    awaited = (action_of(service, operation), time.monotonic())
    _awaited.append(awaited)
    try:
        yield
    except Exception as problem:
        _awaited.remove(awaited)
        if _is_of_reading(problem):
            raise AwsUnreadable(service, operation) from problem
        raise
    _awaited.remove(awaited)


def unanswered() -> str:
    """The AWS calls that were under way when time ran out, in words; empty without any."""
    now = time.monotonic()
    return ", ".join(f"{action} had not answered for {now - since:.0f} s" for action, since in list(_awaited))


def explain(problem: Exception, service: str, operation: str) -> ProbeError:
    """Turn botocore's exception into one of ours, with the cure in its message."""
    if isinstance(problem, ProbeError):
        return problem
    action = action_of(service, operation)
    response = getattr(problem, "response", None)
    if isinstance(response, dict):  # a ClientError: AWS answered
        error = response.get("Error") or {}
        code, text = str(error.get("Code", "")), redact(str(error.get("Message", "")))
        status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0
        kind, said = AwsCallFailed, f"failed: {code}: {text}"
        if code in _CREDENTIALS:
            kind, said = AwsDenied, f"was refused: {code}: check the function's role"
        elif code in _DENIED or status == 403:
            kind, said = AwsDenied, f"was denied: allow it in this hook's role ({code}: {text})"
        elif "Throttl" in code or code in ("RequestLimitExceeded", "TooManyRequestsException") or status >= 500:
            kind, said = AwsThrottled, f"failed on every attempt ({code or status}: {text})"
        return kind(f"{action} {said}", service, operation, code)

    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError

    name = type(problem).__name__
    if isinstance(problem, (BotoConnectionError, HTTPClientError)):
        endpoint = f" or the VPC endpoint com.amazonaws.<region>.{_ENDPOINTS.get(service, service)}"
        return AwsUnreachable(
            f"{_NAMES.get(service, service.upper())} could not be reached for {action} ({name}: {problem}"
            f"{_cause(problem)}): check that the function's subnets have a NAT gateway"
            f"{'' if service == 'iam' else endpoint}, and its security groups",
            service,
            operation,
            name,
        )
    said = f"failed: {name}: {redact(str(problem))}"
    if name in ("NoRegionError", "NoCredentialsError", "PartialCredentialsError"):
        said = f"could not be called: {problem}"
    return AwsCallFailed(f"{action} {said}", service, operation, name)


def _cause(problem: BaseException) -> str:
    """What the system said, which botocore keeps to itself: `; Connection refused`, `; Name or service not known`."""
    found: Any = problem
    for _ in range(8):
        said = getattr(found, "strerror", None)
        if said:
            return "" if said in str(problem) else f"; {said}"
        found = getattr(found, "kwargs", {}).get("error") or found.__cause__ or found.__context__
        if found is None:
            break
    return ""


def action_of(service: str, operation: str) -> str:
    """An operation, in boto3's spelling, as IAM spells it."""
    # describe_services → DescribeServices; the same rule by which boto3 made the method's name.
    action = f"{_PREFIXES.get(service, service)}:{''.join(part.capitalize() for part in operation.split('_'))}"
    return _ACTIONS.get(action, action)


def _is_of_reading(problem: Exception) -> bool:
    """Whether botocore stumbled over what it was to read: over some documents by Python's own exceptions."""
    from botocore.exceptions import BotoCoreError
    from botocore.parsers import ResponseParserError

    stumbled = (ResponseParserError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
    return isinstance(problem, stumbled) and not isinstance(problem, BotoCoreError)
