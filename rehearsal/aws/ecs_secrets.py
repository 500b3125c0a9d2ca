"""ECS: what a container's `secrets` come to in its environment.

The agent reads them before a container starts. One that is missing keeps the task from starting
(`ResourceInitializationError`, stopCode TaskFailedToStart): something the first hook can foresee.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import ServiceException
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends
from werkzeug.exceptions import HTTPException


class SecretError(Exception):
    """A secret cannot be read; the message is the task's stoppedReason."""


def resolve(account_id: str, region: str, container: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables of a container's `secrets`.

    Raises:
        SecretError: one of them cannot be read.
    """
    found = {}
    for secret in container.get("secrets") or []:
        source = secret["valueFrom"]
        try:
            value = _value(account_id, region, source)
        except (ServiceException, HTTPException, KeyError, ValueError) as error:
            raise SecretError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve secret {source} for the variable {secret['name']}: "
                f"{getattr(error, 'message', None) or error}"
            ) from error
        found[secret["name"]] = value
    return found


def _value(account_id: str, region: str, source: str) -> str:
    """Return a value by `valueFrom`: a secret's ARN (`…:secret:<name>[:<key>:<stage>:<version>]`) or a parameter."""
    if ":secretsmanager:" in source:
        parts = source.split(":")
        where, name, (key, stage, version) = parts[3], ":".join(parts[:7]), [*parts[7:], "", "", ""][:3]
        backend = secretsmanager_backends[parts[4]][where]
        secret = backend.get_secret_value(name, version or None, stage or None)  # type: ignore[arg-type]
        text = str(secret["SecretString"])
        return str(json.loads(text)[key]) if key else text
    if ":ssm:" in source:
        region = source.split(":")[3]
    parameter = ssm_backends[account_id][region].get_parameter(source)
    if parameter is None:
        raise KeyError("there is no such parameter")
    return str(parameter.response_object(decrypt=True)["Value"])
