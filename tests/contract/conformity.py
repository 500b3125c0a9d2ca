"""Hold answers of the stand-in against botocore's service models."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

# Errors that every operation of a service may return, which its model does not list one by one.
COMMON_ERRORS = {"ValidationError", "ValidationException", "InvalidParameterValue", "ThrottlingException"}

# The services that the stand-in adds to or corrects; of the others moto is trusted.
CORRECTED = {"codedeploy", "ecs", "elbv2", "cloudwatch", "lambda", "logs", "ecr", "application-autoscaling"}

# Single operations of services that moto is trusted with otherwise.
CORRECTED_OPERATIONS = {("iam", "SimulatePrincipalPolicy")}

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes,),
}


def faults(value: Any, shape: Shape | None, path: str = "") -> list[str]:
    """Return where a parsed answer departs from its shape: types, required members, enum values, numeric bounds."""
    if shape is None:
        return []
    if isinstance(shape, StructureShape):
        return _faults_of_structure(value, shape, path)
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            return [f"{path} is {value!r}, not a list"]
        return [fault for i, item in enumerate(value) for fault in faults(item, shape.member, f"{path}[{i}]")]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            return [f"{path} is {value!r}, not a map"]
        return [fault for key, item in value.items() for fault in faults(item, shape.value, f"{path}[{key}]")]
    if shape.type_name == "blob" and hasattr(value, "read"):
        return []
    if not isinstance(value, _TYPES[shape.type_name]) or (shape.type_name != "boolean" and isinstance(value, bool)):
        return [f"{path} is {value!r}, not of type {shape.type_name}"]
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        return [f"{path} is {value!r}, not one of {allowed}"]
    return []


def _faults_of_structure(value: Any, shape: StructureShape, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path} is {value!r}, not a structure"]
    found = [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
    for name, member in value.items():
        if not path and name == "ResponseMetadata":
            continue
        if name not in shape.members:
            found.append(f"{path}.{name} is not in the shape {shape.name}")
        else:
            found.extend(faults(member, shape.members[name], f"{path}.{name}"))
    return found


def faults_of_answer(parsed: dict[str, Any], model: OperationModel) -> list[str]:
    """Return where an answer, or the error that it is, departs from the model of its operation."""
    if "Error" not in parsed:
        return faults(parsed, model.output_shape)
    code = parsed["Error"]["Code"]
    # A shape's code in the query protocol may differ from its name: TargetGroupNotFound, TargetGroupNotFoundException.
    known = {error.name for error in model.error_shapes}
    known |= {error.metadata.get("error", {}).get("code", error.name) for error in model.error_shapes}
    if code in known | COMMON_ERRORS:
        return []
    return [f"the error {code} ({parsed['Error'].get('Message')}) is not one of {model.name}: {sorted(known)}"]


class Conformity:
    """Listens to a session and notes every answer that departs from the models."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.seen: set[tuple[str, str]] = set()

    def listen(self, events: Any) -> None:
        """Register with a session's event emitter."""
        events.register("after-call", self._after_call)

    def _after_call(self, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        service = str(model.service_model.service_name)
        if service not in CORRECTED and (service, str(model.name)) not in CORRECTED_OPERATIONS:
            return
        self.seen.add((service, str(model.name)))
        self.faults.extend(f"{service}:{model.name}: {fault}" for fault in faults_of_answer(parsed, model))
