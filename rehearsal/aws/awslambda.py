"""Lambda: functions that keep their logging configuration, and are invoked in the world.

moto drops `logging_config`, so that a second plan would show it again, and without Docker it runs nothing. It finds a
function by an ARN of another region, which AWS does not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, LambdaStorage, lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.awslambda_simple.models import lambda_simple_backends
from moto.core.base_backend import BackendDict

from rehearsal.aws import world
from rehearsal.aws.graft import graft

_original_init = LambdaFunction.__init__
_original_configuration = LambdaFunction.get_configuration
_original_update = LambdaFunction.update_configuration
_original_enrich = LambdaResponse._enrich_response  # noqa: SLF001
_original_find = LambdaStorage.get_function_by_name_or_arn_with_qualifier


class Function(LambdaFunction):
    """moto's function, with what it forgets."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        _original_init(self, account_id, spec, region, version)
        self.logging_config = _logging_config(self.function_name, spec.get("LoggingConfig"))
        self.logs_group_name = self.logging_config["LogGroup"]
        self.dead_letter_config = spec.get("DeadLetterConfig")

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Return the shape FunctionConfiguration, with what was given as LoggingConfig."""
        config: dict[str, Any] = _original_configuration(self, on_create)
        config["LoggingConfig"] = self.logging_config
        if self.dead_letter_config:
            config["DeadLetterConfig"] = self.dead_letter_config
        return config

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change the configuration; moto leaves out these."""
        if "LoggingConfig" in config_updates:
            self.logging_config = _logging_config(self.function_name, config_updates["LoggingConfig"])
            self.logs_group_name = self.logging_config["LogGroup"]
        if "DeadLetterConfig" in config_updates:
            self.dead_letter_config = config_updates["DeadLetterConfig"]
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        if "KMSKeyArn" in config_updates:
            self.kms_key_arn = config_updates["KMSKeyArn"] or None
        result: dict[str, Any] = _original_update(self, config_updates)
        return result


def _logging_config(function_name: str, given: dict[str, Any] | None) -> dict[str, Any]:
    """Return a logging configuration with its defaults (API reference, LoggingConfig)."""
    config = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function_name}"}
    config.update({key: value for key, value in (given or {}).items() if value})
    if config["LogFormat"] == "JSON":
        config.setdefault("ApplicationLogLevel", "INFO")
        config.setdefault("SystemLogLevel", "INFO")
    return config


class Storage(LambdaStorage):
    """Where a region's functions are found."""

    def get_function_by_name_or_arn_with_qualifier(
        self, name_or_arn: str, qualifier: str | None = None
    ) -> LambdaFunction:
        """Find a function of this region; raises ResourceNotFoundException."""
        if name_or_arn.startswith("arn:") and name_or_arn.split(":")[3] != self.region_name:
            raise UnknownFunctionException(name_or_arn)
        return _original_find(self, name_or_arn, qualifier)


REQUEST_ID = "x-amzn-requestid"


class Answers(LambdaResponse):
    """Invoke, in the place of moto's. A function that runs may call it too, also for itself."""

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """Do what moto does, and leave a request's id as it is where there is one."""
        known = headers.get(REQUEST_ID)
        headers, body = _original_enrich(headers, body)
        return (headers | {REQUEST_ID: known} if known else headers), body

    def invoke(self) -> tuple[int, dict[str, Any], str | bytes]:
        """Invoke a function in the world; raises moto's error for one that does not exist."""
        name = unquote(self.path.rsplit("/", 2)[-2])
        function = self.backend.get_function(name, self._get_param("Qualifier"))
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        # The caller and the function learn the same id, of whatever type the invocation is.
        request_id = str(uuid.uuid4())
        headers: dict[str, Any] = {REQUEST_ID: request_id}
        if kind == "DryRun":
            return 204, {"status": 204, **headers}, ""
        payload = self.body.encode() if isinstance(self.body, str) else bytes(self.body or b"")
        status, answer, error = world.current().invoke(function.function_arn, payload, kind, request_id)
        headers |= {"status": status, "content-type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if error:
            headers["X-Amz-Function-Error"] = error
        return status, headers, answer


# What the world needs to run a function.


@dataclass(frozen=True)
class FunctionPackage:
    """What Lambda would load to run a function."""

    function_name: str
    function_arn: str
    zip_bytes: bytes
    layer_zips: tuple[bytes, ...]
    """In the order in which they are unpacked over each other."""
    handler: str
    runtime: str
    environment: Mapping[str, str]
    timeout: int
    """Seconds."""
    memory_size: int
    """MB."""
    log_format: str
    """JSON or Text."""
    log_level: str | None
    """The application log level, where the format is JSON."""
    log_group: str
    role: str


# Which of the two moto uses is a matter of its configuration.
_BACKENDS: tuple[BackendDict[Any], ...] = (lambda_backends, lambda_simple_backends)


def functions() -> Iterator[Function]:
    """Iterate over the functions of all accounts and regions in use."""
    for backends in _BACKENDS:
        for account in list(backends.values()):
            for backend in list(account.values()):
                yield from cast("list[Function]", list(backend.list_functions()))


def code_of(function: str) -> FunctionPackage:
    """Return what a function is made of, by its name or ARN (a qualifier is ignored).

    Raises:
        KeyError: there is no such function, or one of its layers is gone.
    """
    name = function.split(":")[6] if function.startswith("arn:") else function.split(":", maxsplit=1)[0]
    for found in functions():
        if found.function_name == name and (not function.startswith("arn:") or _same_place(found, function)):
            logging = found.logging_config
            return FunctionPackage(
                function_name=name,
                function_arn=found.function_arn,
                zip_bytes=found.code_bytes,
                layer_zips=tuple(_layer_zip(layer["Arn"]) for layer in found.layers),
                handler=str(found.handler),
                runtime=str(found.run_time),
                environment=dict(found.environment_vars),
                timeout=int(found.timeout),
                memory_size=int(found.memory_size),
                log_format=logging["LogFormat"],
                log_level=logging.get("ApplicationLogLevel"),
                log_group=logging["LogGroup"],
                role=found.role,
            )
    raise KeyError(f"there is no function {function}")


def _same_place(function: LambdaFunction, arn: str) -> bool:
    _, _, _, region, account, *_ = arn.split(":", 5)
    return bool(function.region == region and function.account_id == account)


def _layer_zip(arn: str) -> bytes:
    _, _, _, region, account, *_ = arn.split(":", 5)
    for backends in _BACKENDS:
        layer = backends[account][region].layers_versions_by_arn(arn)
        if layer is not None:
            return bytes(layer.code_bytes)
    raise KeyError(f"there is no layer version {arn}")


def install() -> None:
    """Put the additions into moto."""
    graft(Function)
    graft(Storage)
    graft(Answers)
