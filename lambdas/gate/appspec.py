"""The AppSpec of an ECS deployment: what CodeDeploy is told of the service to come and of the hooks on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate.verdict import CannotLook

MOST_TEXT = 100_000  # characters of an AppSpec; one for ECS has a few thousand
MOST_WRITTEN_OUT = 1_000_000  # the same with each alias of YAML written out: nine lines of them can stand for billions
SHOWN = 120  # characters of a value in a message

HOOK_EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")

# What CodeDeploy reads of a resource, with what is in it (user guide, AppSpec 'resources' section).
_NETWORK = {"Subnets": None, "SecurityGroups": None, "AssignPublicIp": None}
KNOWN: Mapping[str, Any] = {
    "Type": None,
    "Properties": {
        "TaskDefinition": None,
        "LoadBalancerInfo": {"ContainerName": None, "ContainerPort": None},
        "PlatformVersion": None,
        "NetworkConfiguration": {"AwsvpcConfiguration": _NETWORK},
        "CapacityProviderStrategy": {"CapacityProvider": None, "Base": None, "Weight": None},
    },
}
_ARN = re.compile(r"arn:[^:]+:ecs:[^:]+:\d+:task-definition/.+")


@dataclass(frozen=True)
class AppSpec:
    """What the AppSpec says. ECS takes only the ARN of a task definition; a hook's function is a name or an ARN.

    `placement`: capacity providers, platform version and network, as RunTask takes them; what is not in the AppSpec
    is the service's own. `unknown`: properties that CodeDeploy does not read, by their paths.
    """

    task_definition: str
    container_name: str
    container_port: int
    placement: Mapping[str, Any]
    hooks: Mapping[str, str]  # lifecycle event → function
    unknown: tuple[str, ...] = ()


def parse_appspec(text: str) -> AppSpec:
    """Read an AppSpec for ECS, JSON or YAML; keys are read whatever their case.

    Raises CannotLook naming what is missing, or wrong, and its place.
    """
    document = _document(text)
    version = _field(document, "version")
    if version not in (None, 0, 1, "0", "0.0", "1", "1.0"):  # ECS's console writes 1
        raise CannotLook(f"the AppSpec's version is {_shown(version)}, expected 0.0")
    resources = [resource for entry in _entries(_field(document, "Resources")) for resource in entry.values()]
    kinds = [str(_field(resource, "Type")) for resource in resources]
    if kinds.count("AWS::ECS::Service") != 1:
        said = f"the AppSpec names {kinds.count('AWS::ECS::Service')} resources of type AWS::ECS::Service, expected one"
        raise CannotLook(f"{said} (its types: {_short(', '.join(kinds) or 'none')})")
    resource = resources[kinds.index("AWS::ECS::Service")]
    unknown, properties = tuple(_unknown(resource, KNOWN)), _field(resource, "Properties")
    required = ("TaskDefinition", "LoadBalancerInfo.ContainerName", "LoadBalancerInfo.ContainerPort")
    found = {path: _at(properties, path) for path in required}
    missing = [path for path, value in found.items() if value in (None, "")]
    if missing:
        strange = f", but {_short(', '.join(unknown))}, which CodeDeploy does not know" if unknown else ""
        raise CannotLook(f"the AppSpec's TargetService has no {', '.join(missing)}{strange}")
    hooks = dict(_hooks(_field(document, "Hooks")))
    port = _number(properties, "LoadBalancerInfo.ContainerPort", least=1, most=65535)
    for path in required[:2]:
        if not isinstance(found[path], str):
            raise CannotLook(f"the AppSpec's {path} is {_shown(found[path])}, expected text: put it into quotes")
    return AppSpec(
        task_definition=_arn(found["TaskDefinition"].strip()),
        container_name=found["LoadBalancerInfo.ContainerName"],
        container_port=port,
        placement=_placement(properties),
        hooks={event: hooks[event] for event in HOOK_EVENTS if event in hooks},
        unknown=unknown,
    )


def _arn(text: str) -> str:
    """A task definition as CodeDeploy takes it: by its whole ARN."""
    if _ARN.fullmatch(text):
        return text
    said = f"the AppSpec's TaskDefinition is {_short(text)}, expected the ARN of a task definition"
    if re.fullmatch(r"[<$\[{].*|[A-Z_]+", text):
        raise CannotLook(f"{said}: nobody filled the placeholder in; a pipeline or the script that deploys has to")
    raise CannotLook(f"{said} (arn:aws:ecs:<region>:<account>:task-definition/<family>:<revision>)")


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
        said = of_json if text.lstrip().startswith(("{", "[")) else _yamls_words(problem)
        raise CannotLook(f"the AppSpec is neither JSON nor YAML: {said}") from None


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
            beside = [other for other, _ in keys if other.lower() != name.lower()]
            where = (
                f"lines {seen[name.lower()]} and {line}" if line else f"beside {', '.join(beside) or 'nothing else'}"
            )
            said = f"the AppSpec has the key {_short(name)} twice in one mapping: leave one of them out"
            raise CannotLook(f"{said} ({_short(where)})")
        seen[name.lower()] = line


def _size(node: Any, known: dict[int, int]) -> int:
    """The characters of a node of YAML with its aliases written out; one that is part of itself has no end of them."""
    if id(node) not in known:
        known[id(node)] = MOST_WRITTEN_OUT + 1
        if isinstance(node.value, str):
            parts: list[Any] = []
        elif node.id == "mapping":
            keys = [key for key, _ in node.value if isinstance(key.value, str)]
            _refuse_twice([(key.value, key.start_mark.line + 1) for key in keys])
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


def _at(mapping: Any, path: str) -> Any:
    """The value at a path of names with dots between them; None where there is none."""
    for name in path.split("."):
        mapping = _field(mapping, name)
    return mapping


def _unknown(value: Any, known: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of the keys that CodeDeploy does not read."""
    names = {name.lower(): name for name in known}
    for entry in _entries(value):
        for key, inner in entry.items():
            name = names.get(str(key).lower())
            if name is None:
                yield f"{path}{_short(str(key))}"
            elif known[name]:
                yield from _unknown(inner, known[name], f"{path}{name}.")


def _number(mapping: Any, path: str, least: int, most: int, of: str = "") -> int:
    """A whole number at a path, which may be written as text; `of`: where the mapping itself is, for messages."""
    value = number = _at(mapping, path)
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}(\.0)?\s*", value):
        number = float(value)
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
    if is_number and least <= number <= most and number == int(number):
        return int(number)
    raise CannotLook(f"the AppSpec's {of}{path} is {_shown(value)}, expected a number from {least} to {most}")


def _hooks(value: Any) -> Iterator[tuple[str, str]]:
    """Each event with its function: a text, as the guide has it, or a list of one text."""
    known, places = {event.lower(): event for event in HOOK_EVENTS}, dict[str, int]()
    for number, entry in enumerate(value if isinstance(value, list) else [value], 1):
        if entry not in (None, "") and not isinstance(entry, Mapping):
            raise CannotLook(f"entry {number} of the AppSpec's Hooks is {_shown(entry)}, expected an event: function")
        for event, function in (entry or {}).items():
            key, said = str(event).lower(), f"the AppSpec's Hooks name {_short(str(event))} twice"
            if places.setdefault(key, number) != number:
                raise CannotLook(f"{said}, in its entries {places[key]} and {number}: leave one of them out")
            named = function[0] if isinstance(function, list) and len(function) == 1 else function
            if named == "":  # a template's way of naming none
                continue
            if key not in known:
                raise CannotLook(
                    f"the AppSpec's Hooks name the event {_short(str(event))}, expected one of {', '.join(HOOK_EVENTS)}"
                )
            if not isinstance(named, str):
                raise CannotLook(f"the AppSpec's hook {event} is {_shown(function)}, expected a function's name or ARN")
            yield known[key], named


def _placement(properties: Any) -> Mapping[str, Any]:
    """Capacity providers, platform version and network in RunTask's words and types; what is empty is left out."""
    placement: dict[str, Any] = {}
    strategy = list(_strategy(_field(properties, "CapacityProviderStrategy")))
    if strategy:
        placement["capacityProviderStrategy"] = strategy
    version = str(_field(properties, "PlatformVersion") or "").strip()
    if version:
        placement["platformVersion"] = version.upper()  # `latest`
    path = "NetworkConfiguration.AwsvpcConfiguration"
    for each in ("NetworkConfiguration", path):
        found = _at(properties, each)
        if found not in (None, "", []) and not isinstance(found, Mapping):
            raise CannotLook(f"the AppSpec's {each} is {_shown(found)}, expected a mapping")
    network, public = _at(properties, path), _at(properties, f"{path}.AssignPublicIp")
    assigned = "" if public is None else str(public).strip().upper()
    if assigned not in ("ENABLED", "DISABLED", ""):
        raise CannotLook(f"the AppSpec's {path}.AssignPublicIp is {_shown(public)}, expected ENABLED or DISABLED")
    lists = {f"{name[0].lower()}{name[1:]}": _texts(network, name) for name in ("Subnets", "SecurityGroups")}
    given = {key: value for key, value in {**lists, "assignPublicIp": assigned}.items() if value}
    if given:
        placement["networkConfiguration"] = {"awsvpcConfiguration": given}
    return placement


def _strategy(value: Any) -> Iterator[dict[str, Any]]:
    """The entries of a capacity provider strategy. ECS's own bounds: a base up to 100,000, a weight up to 1,000."""
    strange = [each for each in (value if isinstance(value, list) else [value]) if not isinstance(each, Mapping)]
    for each in strange:
        if each not in (None, ""):
            raise CannotLook(
                f"the AppSpec's CapacityProviderStrategy has {_shown(each)}, expected a list of CapacityProvider, Base "
                "and Weight"
            )
    for number, entry in enumerate(_entries(value)):
        of = f"CapacityProviderStrategy[{number}]."
        provider = _field(entry, "CapacityProvider")
        if not isinstance(provider, str) or not provider:
            raise CannotLook(f"the AppSpec's {of}CapacityProvider is {_shown(provider)}, expected a name")
        found: dict[str, Any] = {"capacityProvider": provider}
        for name, most in (("Base", 100_000), ("Weight", 1_000)):
            if _field(entry, name) not in (None, ""):
                found[name.lower()] = _number(entry, name, least=0, most=most, of=of)
        yield found


def _texts(network: Any, name: str) -> list[str]:
    """A list of texts, or one text with commas between them; empty ones are left out, as CodeDeploy does."""
    value = _field(network, name)
    listed = re.split(r"[\s,]+", value) if isinstance(value, str) else value if isinstance(value, list) else [value]
    strange = [each for each in listed if each is not None and not isinstance(each, str)]
    if strange:
        raise CannotLook(f"the AppSpec's {name} have {_shown(strange[0])}, expected ids")
    return [each for each in listed if each]
