"""The AppSpec of an ECS deployment: what CodeDeploy is told of the service to come and of the hooks on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate.verdict import CannotLook

MOST_TEXT = 100_000  # characters of an AppSpec; one for ECS has a few thousand
MOST_WRITTEN_OUT = 1_000_000  # the same with each alias of YAML written out: nine lines of them can stand for billions
SHOWN = 120  # characters of a value in a message

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
    missing = [label for label, value in found.items() if value in (None, "")]
    if missing:
        raise CannotLook(f"the AppSpec's TargetService has no {', '.join(missing)}")
    for label, value in found.items():
        if isinstance(value, (Mapping, list, set, bytes)):
            raise CannotLook(f"the AppSpec's {label} is {_shown(value)}, expected text")
    task_definition, name, port = found.values()
    hooks = dict(_hooks(_field(document, "Hooks")))
    try:
        port = int(str(port))
    except ValueError:
        raise CannotLook(f"the AppSpec's ContainerPort is {_shown(port)}, expected a number") from None
    return AppSpec(
        task_definition=str(task_definition),
        container_name=str(name),
        container_port=port,
        placement=_placement(properties),
        hooks={event: hooks[event] for event in HOOK_EVENTS if event in hooks},
    )


def _document(text: str) -> Mapping[str, Any]:
    if len(text) > MOST_TEXT:
        raise CannotLook(f"the AppSpec has {len(text)} characters or more, expected at most {MOST_TEXT}")
    try:
        document = _parsed(text)
    except RecursionError:
        raise CannotLook("the AppSpec is nested too deeply to be read") from None
    if not isinstance(document, Mapping):
        raise CannotLook(f"the AppSpec is a {type(document).__name__}, expected a mapping")
    return document


def _parsed(text: str) -> Any:
    text = text.lstrip("\ufeff")  # a byte order mark, as editors on Windows write it
    try:
        return json.loads(text, object_pairs_hook=_mapping)
    except ValueError as problem:
        of_json = str(problem)
    try:
        import yaml  # from the layer; a JSON AppSpec does without it
    except ImportError as problem:
        raise CannotLook(
            f"the AppSpec is YAML and the library {problem.name} is missing: attach the module's layer"
        ) from problem
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        # Before anything is made of it: to write billions of values out takes all of a function's memory.
        if node is not None and _size(node, {}) > MOST_WRITTEN_OUT:
            raise CannotLook(f"the AppSpec's aliases, written out, come to more than {MOST_WRITTEN_OUT} characters")
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as problem:  # ValueError: a date that is none
        # YAML's own words name another place where JSON was meant: it allows no tabs.
        said = of_json if text.lstrip().startswith(("{", "[")) else " ".join(str(problem).split())
        raise CannotLook(f"the AppSpec is neither JSON nor YAML: {_short(said)}") from None


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twice([key for key, _ in pairs])
    return dict(pairs)


def _refuse_twice(names: Sequence[str]) -> None:
    """Of two values it cannot be known which CodeDeploy takes."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise CannotLook(f"the AppSpec has the key {_short(name)} twice in one mapping: leave one of them out")
        seen.add(name.lower())


def _size(node: Any, known: dict[int, int]) -> int:
    """The characters of a node of YAML with its aliases written out; one that is part of itself has no end of them."""
    if id(node) not in known:
        known[id(node)] = MOST_WRITTEN_OUT + 1
        if isinstance(node.value, str):
            parts: list[Any] = []
        elif node.id == "mapping":
            _refuse_twice([key.value for key, _ in node.value if isinstance(key.value, str)])
            parts = [part for pair in node.value for part in pair]
        else:
            parts = node.value
        known[id(node)] = 1 + (len(node.value) if not parts else sum(_size(part, known) for part in parts))
    return known[id(node)]


def _shown(value: Any) -> str:
    try:
        return _short(repr(value))
    except ValueError:  # a number of more digits than Python writes
        return f"a {type(value).__name__} too long to be shown"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


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
    entries = _entries(value)
    places: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        for event in entry:
            if places.setdefault(str(event).lower(), number) != number:
                where = f"in its entries {places[str(event).lower()]} and {number}"
                raise CannotLook(f"the AppSpec's Hooks name {_short(str(event))} twice, {where}: leave one of them out")
    for entry in entries:
        for event, function in entry.items():
            named = function[0] if isinstance(function, list) and len(function) == 1 else function
            if named == "":  # a template's way of naming none
                continue
            if str(event).lower() not in known:
                raise CannotLook(
                    f"the AppSpec's Hooks name the event {_short(str(event))}, expected one of {', '.join(HOOK_EVENTS)}"
                )
            if not isinstance(named, str) or not named:
                raise CannotLook(f"the AppSpec's hook {event} is {_shown(function)}, expected a function's name or ARN")
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
