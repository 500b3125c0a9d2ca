"""The AppSpec of an ECS deployment: what CodeDeploy is told of the service to come and of the hooks on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate.verdict import CannotLook

HOOK_EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")


@dataclass(frozen=True)
class AppSpec:
    """What the AppSpec says. ECS takes only the ARN of a task definition; a hook's function is a name or an ARN.

    `placement`: capacity providers, platform version and network, as RunTask takes them; what is not in the AppSpec
    is the service's own.
    """

    task_definition: str
    container_name: str
    container_port: int
    placement: Mapping[str, Any]
    hooks: Mapping[str, str]  # lifecycle event → function


def parse_appspec(text: str) -> AppSpec:
    """Read an AppSpec for ECS, JSON or YAML; keys are read whatever their case.

    Raises CannotLook naming what is missing.
    """
    document = _document(text)
    described = [
        resource
        for entry in _entries(_field(document, "Resources"))
        for resource in entry.values()
        if isinstance(resource, Mapping) and _field(resource, "Type") == "AWS::ECS::Service"
    ]
    if len(described) != 1:
        raise CannotLook(f"the AppSpec names {len(described)} resources of type AWS::ECS::Service, expected one")
    properties = _field(described[0], "Properties") or {}
    balancer = _field(properties, "LoadBalancerInfo") or {}
    found = {
        "TaskDefinition": _field(properties, "TaskDefinition"),
        "LoadBalancerInfo.ContainerName": _field(balancer, "ContainerName"),
        "LoadBalancerInfo.ContainerPort": _field(balancer, "ContainerPort"),
    }
    missing = [label for label, value in found.items() if not value]
    if missing:
        raise CannotLook(f"the AppSpec's TargetService has no {', '.join(missing)}")
    task_definition, name, port = found.values()
    hooks = dict(_hooks(_field(document, "Hooks")))
    try:
        port = int(str(port))
    except ValueError:
        raise CannotLook(f"the AppSpec's ContainerPort is {port!r}, expected a number") from None
    return AppSpec(
        task_definition=str(task_definition),
        container_name=str(name),
        container_port=port,
        placement=_placement(properties),
        hooks={event: hooks[event] for event in HOOK_EVENTS if event in hooks},
    )


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        try:
            import yaml  # from the layer; a JSON AppSpec does without it
        except ImportError as problem:
            raise CannotLook(
                f"the AppSpec is YAML and the library {problem.name} is missing: attach the module's layer"
            ) from problem
        try:
            document = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as problem:  # ValueError: a date that is none
            raise CannotLook(f"the AppSpec is neither JSON nor YAML: {problem}") from None
    except RecursionError:
        raise CannotLook("the AppSpec is nested too deeply to be read") from None
    if not isinstance(document, Mapping):
        raise CannotLook(f"the AppSpec is a {type(document).__name__}, expected a mapping")
    return document


def _entries(value: Any) -> list[Mapping[str, Any]]:
    """A list of mappings, or one mapping in its place: both are written."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [entry for entry in several if isinstance(entry, Mapping)]


def _field(mapping: Any, name: str) -> Any:
    if not isinstance(mapping, Mapping):
        return None
    return next((value for key, value in mapping.items() if str(key).lower() == name.lower()), None)


def _hooks(value: Any) -> Iterator[tuple[str, str]]:
    """Each event with its function: a text, as the guide has it, or a list of one text."""
    known = {event.lower(): event for event in HOOK_EVENTS}
    for entry in _entries(value):
        for event, function in entry.items():
            named = function[0] if isinstance(function, list) and len(function) == 1 else function
            if named == "":  # a template's way of naming none
                continue
            if str(event).lower() not in known:
                raise CannotLook(
                    f"the AppSpec's Hooks name the event {event}, expected one of {', '.join(HOOK_EVENTS)}"
                )
            if not isinstance(named, str) or not named:
                raise CannotLook(f"the AppSpec's hook {event} is {function!r}, expected a function's name or ARN")
            yield known[str(event).lower()], named


def _placement(properties: Any) -> Mapping[str, Any]:
    placement: dict[str, Any] = {}
    strategy = _entries(_field(properties, "CapacityProviderStrategy"))
    if strategy:
        spelled = {"capacityProvider": "CapacityProvider", "base": "Base", "weight": "Weight"}
        placement["capacityProviderStrategy"] = [
            {key: _field(entry, name) for key, name in spelled.items() if _field(entry, name) is not None}
            for entry in strategy
        ]
    if _field(properties, "PlatformVersion"):
        placement["platformVersion"] = str(_field(properties, "PlatformVersion"))
    network = _field(_field(properties, "NetworkConfiguration"), "AwsvpcConfiguration")
    if isinstance(network, Mapping):
        names = ("subnets", "securityGroups", "assignPublicIp")
        given = {name: _field(network, name) for name in names if _field(network, name)}
        given.update({name: [value] for name, value in given.items() if isinstance(value, str) and name in names[:2]})
        placement["networkConfiguration"] = {"awsvpcConfiguration": given}
    return placement
