"""The AppSpec of an ECS deployment: what CodeDeploy is told of the service to come and of the hooks on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from gate.plan import Plan
from gate.verdict import ProbeError

MOST_TEXT = 100_000  # characters of an AppSpec; one for ECS has a few thousand
MOST_WRITTEN_OUT = 1_000_000  # the same with each alias of YAML written out: nine lines of them can stand for billions
SHOWN = 120  # characters of a value in a message

KIND = "AWS::ECS::Service"
HOOK_EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")


def parse_appspec(text: str) -> Plan:
    """Read an AppSpec for ECS, JSON or YAML; keys are read whatever their case.

    Raises ProbeError naming what is missing, or wrong, and its place.
    """
    document = _document(text)
    version = _field(document, "version")
    if version not in (None, 0, 1, "0", "0.0", "1", "1.0"):  # ECS's console writes 1
        raise ProbeError(f"the AppSpec's version is {_shown(version)}, expected 0.0")
    entries = _listed(_field(document, "Resources"))
    resources = [resource for entry in entries if isinstance(entry, Mapping) for resource in entry.values()]
    kinds = [str(_field(resource, "Type")) for resource in resources]
    if kinds.count(KIND) != 1:
        said = f"the AppSpec names {kinds.count(KIND)} resources of type {KIND}, expected one"
        raise ProbeError(f"{said} (its types: {_short(', '.join(kinds) or 'none')})")
    unknown: list[str] = []
    properties = _read(resources[kinds.index(KIND)], KNOWN, "", unknown).get("properties") or {}
    balancer = properties.get("loadBalancerInfo") or {}
    required = {
        "TaskDefinition": properties.get("taskDefinition"),
        "LoadBalancerInfo.ContainerName": balancer.get("containerName"),
        "LoadBalancerInfo.ContainerPort": balancer.get("containerPort"),
    }
    missing = [path for path, value in required.items() if value is None]
    if missing:
        strange = f", but {_short(', '.join(unknown))}, which CodeDeploy does not know" if unknown else ""
        raise ProbeError(f"the AppSpec's TargetService has no {', '.join(missing)}{strange}")
    hooks = dict(_hooks(_field(document, "Hooks")))
    return Plan(
        task_definition=_arn(properties["taskDefinition"].strip()),
        container_name=balancer["containerName"],
        container_port=balancer["containerPort"],
        placement={name: properties[name] for name in PLACEMENT if name in properties},
        hooks={event: hooks[event] for event in HOOK_EVENTS if event in hooks},
        unknown=tuple(unknown),
    )


def _arn(text: str) -> str:
    """A task definition as CodeDeploy takes it: by its whole ARN."""
    if re.fullmatch(r"arn:[^:]+:ecs:[^:]+:\d+:task-definition/.+", text):
        return text
    said = f"the AppSpec's TaskDefinition is {_short(text)}, expected the ARN of a task definition"
    if re.fullmatch(r"[<$\[{].*|[A-Z_]+", text):
        raise ProbeError(f"{said}: nobody filled the placeholder in; a pipeline or the script that deploys has to")
    raise ProbeError(f"{said} (arn:aws:ecs:<region>:<account>:task-definition/<family>:<revision>)")


def _document(text: str) -> Mapping[str, Any]:
    if len(text) > MOST_TEXT:
        raise ProbeError(f"the AppSpec has {len(text)} characters or more, expected at most {MOST_TEXT}")
    try:
        document = _parsed(text)
    except RecursionError:
        raise ProbeError("the AppSpec is nested too deeply to be read") from None
    if not isinstance(document, Mapping):
        raise ProbeError(f"the AppSpec is a {type(document).__name__}, expected a mapping")
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
        raise ProbeError("the AppSpec is YAML and the library yaml is missing: attach the module's layer") from problem
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        # Before anything is made of it: to write billions of values out takes all of a function's memory.
        if _size(node, {}) > MOST_WRITTEN_OUT:
            raise ProbeError(f"the AppSpec's aliases, written out, come to more than {MOST_WRITTEN_OUT} characters")
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as problem:  # ValueError: a date that is none
        # YAML's own words name another place where JSON was meant: it allows no tabs.
        said = of_json if text.lstrip().startswith(("{", "[")) else _yamls_words(problem)
        raise ProbeError(f"the AppSpec is neither JSON nor YAML: {said}") from None


def _yamls_words(problem: Any) -> str:
    mark, context = getattr(problem, "problem_mark", None), getattr(problem, "context", None)
    said = f"{context}, {problem.problem}" if context else str(getattr(problem, "problem", problem))
    place = f": line {mark.line + 1} column {mark.column + 1}" if mark else ""
    return _short(" ".join(said.split())) + place


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twice([(key, 0) for key, _ in pairs])
    return dict(pairs)


def _refuse_twice(keys: Sequence[tuple[str, int]]) -> None:
    """Of two values it cannot be known which CodeDeploy takes. Keys come with their lines; 0: not known."""
    seen: dict[str, int] = {}
    for name, line in keys:
        if name.lower() in seen:
            beside = ", ".join(other for other, _ in keys if other.lower() != name.lower()) or "nothing else"
            where = f"lines {seen[name.lower()]} and {line}" if line else f"beside {beside}"
            said = f"the AppSpec has the key {_short(name)} twice in one mapping: leave one of them out"
            raise ProbeError(f"{said} ({_short(where)})")
        seen[name.lower()] = line


def _size(node: Any, known: dict[int, int]) -> int:
    """The characters of a node of YAML with its aliases written out; one that is part of itself has no end of them."""
    if isinstance(node.value, str):
        return 1 + len(node.value)
    if id(node) not in known:
        known[id(node)] = MOST_WRITTEN_OUT + 1
        parts = node.value
        if node.id == "mapping":
            keys = [key for key, _ in node.value if isinstance(key.value, str)]
            _refuse_twice([(key.value, key.start_mark.line + 1) for key in keys])
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _shown(value: Any) -> str:
    try:
        return _short(repr(value))
    except ValueError:  # a number of more digits than Python writes
        return f"a {type(value).__name__} too long to be shown"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _listed(value: Any) -> list[Any]:
    """A list, or one entry in its place: both are written."""
    return value if isinstance(value, list) else [value]


def _field(mapping: Any, name: str) -> Any:
    if not isinstance(mapping, Mapping):
        return None
    return next((value for key, value in mapping.items() if str(key).lower() == name.lower()), None)


def _hooks(value: Any) -> Iterator[tuple[str, str]]:
    """Each event with its function: a text, as the guide has it, or a list of one text."""
    known, places = {event.lower(): event for event in HOOK_EVENTS}, dict[str, int]()
    for number, entry in enumerate(_listed(value), 1):
        if entry not in (None, "") and not isinstance(entry, Mapping):
            raise ProbeError(f"entry {number} of the AppSpec's Hooks is {_shown(entry)}, expected an event: function")
        for event, function in (entry or {}).items():
            key, said = str(event).lower(), f"the AppSpec's Hooks name {_short(str(event))} twice"
            if places.setdefault(key, number) != number:
                raise ProbeError(f"{said}, in its entries {places[key]} and {number}: leave one of them out")
            named = function[0] if isinstance(function, list) and len(function) == 1 else function
            if named == "":  # a template's way of naming none
                continue
            if key not in known:
                raise ProbeError(
                    f"the AppSpec's Hooks name the event {_short(str(event))}, expected one of {', '.join(HOOK_EVENTS)}"
                )
            if not isinstance(named, str):
                raise ProbeError(f"the AppSpec's hook {event} is {_shown(function)}, expected a function's name or ARN")
            yield known[key], named


# The properties: what CodeDeploy reads of a resource, and how (user guide, AppSpec 'resources' section)


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise _wrong(value, path, "text: put it into quotes")


def _switch(value: Any, path: str) -> str:
    switch = str(value).strip().upper()
    if switch in ("ENABLED", "DISABLED"):
        return switch
    raise _wrong(value, path, "ENABLED or DISABLED")


def _texts(value: Any, path: str) -> list[str]:
    """A list of texts, or one text with commas between them; empty ones are left out, as CodeDeploy does."""
    listed = re.split(r"[\s,]+", value) if isinstance(value, str) else _listed(value)
    for each in listed:
        if each is not None and not isinstance(each, str):
            raise _wrong(each, path, "ids")
    return [each for each in listed if each]


def _number(least: int, most: int, value: Any, path: str) -> int:
    """A whole number, which may be written as text."""
    is_written = isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}(\.0)?\s*", value)
    number = float(value) if is_written else value
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
    if is_number and least <= number <= most and number == int(number):
        return int(number)
    raise _wrong(value, path, f"a number from {least} to {most}")


KNOWN: Mapping[str, Any] = {
    "Type": _text,
    "Properties": {
        "TaskDefinition": _text,
        "LoadBalancerInfo": {"ContainerName": _text, "ContainerPort": partial(_number, 1, 65535)},
        "PlatformVersion": lambda value, _path: str(value).strip().upper(),  # `latest`
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {"Subnets": _texts, "SecurityGroups": _texts, "AssignPublicIp": _switch}
        },
        # ECS's own bounds
        "CapacityProviderStrategy": [
            {"CapacityProvider": _text, "Base": partial(_number, 0, 100_000), "Weight": partial(_number, 0, 1_000)}
        ],
    },
}
PLACEMENT = ("capacityProviderStrategy", "platformVersion", "networkConfiguration")
EMPTY: tuple[Any, ...] = (None, "", [])


def _read(value: Any, known: Any, path: str, unknown: list[str]) -> Any:
    """What is known of a value, in RunTask's words and types; None, or left out, where it is empty.

    `known`: a reader, a mapping of names to what is known of them, or a list of what is known of each entry.
    `unknown`: takes the paths of keys that CodeDeploy does not read.
    """
    if value in EMPTY:
        return None
    if isinstance(known, list):
        read = [_read(entry, known[0], f"{path}[{number}]", unknown) for number, entry in enumerate(_listed(value))]
        return [entry for entry in read if entry is not None] or None
    if not isinstance(known, Mapping):
        return known(value, path)
    if not isinstance(value, Mapping):
        raise _wrong(value, path, f"a mapping of {', '.join(known)}")
    names, found = {name.lower(): name for name in known}, {}
    for key, inner in value.items():
        name = names.get(str(key).lower())
        if name is None:
            unknown.append(f"{path}.{_short(str(key))}".lstrip("."))
            continue
        read = _read(inner, known[name], f"{path}.{name}".lstrip("."), unknown)
        if read not in EMPTY:
            found[f"{name[0].lower()}{name[1:]}"] = read
    if "CapacityProvider" in known and "capacityProvider" not in found:
        raise _wrong(None, f"{path}.CapacityProvider", "a name")
    return found or None


def _wrong(value: Any, path: str, expected: str) -> ProbeError:
    return ProbeError(f"the AppSpec's {path.removeprefix('Properties.')} is {_shown(value)}, expected {expected}")
