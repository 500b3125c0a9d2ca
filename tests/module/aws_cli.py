"""An `aws` command for tests: the options, `file://`, `--query` and `--output text` as the AWS CLI has them, by boto3.

Run as a program it does one call. It serves the commands of the documentation, and refuses what these do not use.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]  # botocore's own
from botocore.session import get_session

SERVICES = {"deploy": "codedeploy"}
OWN = {"query", "output", "cli-input-json"}


def read(command: list[str]) -> tuple[str, str, dict[str, str], dict[str, str]]:
    """Return service, operation (as the SDK names it), its parameters and the CLI's own options.

    Raises ValueError for what the SDK's model of the service does not have.
    """
    name, action, *rest = command
    service = SERVICES.get(name, name)
    model = get_session().get_service_model(service)
    operation = "".join(map(str.capitalize, action.split("-")))
    if operation not in model.operation_names:
        raise ValueError(f"{service} has no operation {operation}")
    shape = model.operation_model(operation).input_shape
    members = {member.lower(): member for member in shape.members} if shape else {}
    parameters: dict[str, str] = {}
    own: dict[str, str] = {}
    if len(rest) % 2:
        raise ValueError(f"an option without a value: {rest}")
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        word = option.removeprefix("--")
        if word in OWN:
            own[word] = value
        elif option.startswith("--") and word.replace("-", "") in members:
            parameters[members[word.replace("-", "")]] = value
        else:
            raise ValueError(f"{service} {action} has no option {option}")
    return service, action.replace("-", "_"), parameters, own


def main(command: list[str]) -> int:
    """Do one call and print what is asked of its answer."""
    service, operation, parameters, own = read(command)
    given: dict[str, Any] = {name: _value(value) for name, value in parameters.items()}
    given |= _value(own["cli-input-json"]) if "cli-input-json" in own else {}
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    answer = getattr(client, operation)(**given)
    found = jmespath.search(own.get("query", "@"), answer)
    print(found if own.get("output") == "text" else json.dumps(found, default=str))
    return 0


def _value(text: str) -> Any:
    if text.startswith("file://"):
        return json.loads(Path(text.removeprefix("file://")).read_text(encoding="utf-8"))
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
