"""Whatever events, settings and AppSpecs hold: one report, never Succeeded, in time, by name, and no secret in it."""

from __future__ import annotations

import base64
import copy
import dataclasses
import gzip
import json
import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import run_migrations
import validate_before_install
import validate_deployment
import validate_production
import validate_test_traffic
import yaml
from gate.appspec import parse_appspec
from gate.options.hooks import HOOKS as OPTIONS
from gate.options.migrations import RunMigrations
from gate.plan import Plan
from gate.platforms.ecs import STATE
from gate.settings import BadSettings, read_settings
from gate.verdict import ProbeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof.figures import FIGURES
from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy
from tests.unit.gate.test_ecs_events import RECORDED

HOOKS = (
    validate_before_install,
    validate_deployment,
    validate_test_traffic,
    run_migrations,
    validate_production,
)
every_hook = pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
SECRET = "pl4nted-s3cret"
SECONDS = 5.0  # of the 900 that a hook has; a busy machine included
LONGEST = 20_000  # characters of a whole answer

texts = st.text(st.characters(), max_size=20)  # halves of characters included
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(10**300, 10**400), st.floats(), texts,
    st.sampled_from(["", "NaN", "x" * 5000, "\ud83d", "é", "\x00", "2024-99-99", "{token}", "arn:aws:"]),
)  # fmt: skip
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    found: Any = SECRET
    for _ in range(levels):
        found = [found]
    return found


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """A document of which some members are other than they should be, are missing, or have company."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            inner = [each for each in (place.values() if isinstance(place, dict) else place) if _holds(each)]
            if not inner or draw(st.booleans()):
                break
            place = draw(st.sampled_from(inner))
        key = draw(st.sampled_from([*(place if isinstance(place, dict) else range(len(place)))]))
        if draw(st.integers(0, 4)) == 0:
            del place[key]
            if not place:
                return document
        else:
            place[key] = draw(values)
    return document


def _holds(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def judged(hook: ModuleType, event: Any, codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """What a hook answers, of which all that holds for any input has been checked."""
    codedeploy.calls.clear()
    caplog.clear()
    began = time.monotonic()
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, invoked_function_arn="")
    answer: dict[str, Any] = hook.handler(event, context)
    assert time.monotonic() - began < SECONDS
    assert answer["status"] == "FAILED"
    assert answer["message"]
    assert codedeploy.statuses in (["Failed"], [])
    shown = json.dumps(answer, ensure_ascii=False)
    shown.encode()
    assert len(shown) < LONGEST
    logged = json.dumps([{key: str(value) for key, value in vars(record).items()} for record in caplog.records])
    assert SECRET not in shown + logged
    FIGURES[f"bad inputs to {hook.__name__}"] += 1
    return answer


@pytest.fixture(autouse=True)
def _ready(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Settings with which each hook has something to do; CodeDeploy's double knows the deployment, and no more."""
    request.getfixturevalue("codedeploy")
    # Another version's: so hooks that do not migrate leave the preset alone.
    monkeypatch.setenv("HOOK_SETTINGS", '{"schema": "other", "preset": "alembic"}')
    caplog.set_level(logging.DEBUG, logger="gate")


# Events

CONTINUED: dict[str, Any] = {
    **EVENT,
    "Continuation": {
        "began": 1.0, "number": 1, "request_id": "r", "state": {"shifted_at": "x"}, "orphan_note": "",
    },
}  # fmt: skip
EVENTS: dict[str, Any] = {
    "nothing": None,
    "a list": deep(5),
    "five thousand levels": {**EVENT, "more": deep(5000)},
    "a continuation of five thousand levels": {**EVENT, "Continuation": {"state": deep(5000)}},
    "ten thousand fields": {**EVENT, **{f"field-{number}": SECRET for number in range(10_000)}},
    "a megabyte": {**EVENT, "x" * 1_000_000: SECRET},
    "numbers without end": {**CONTINUED, "Continuation": {**CONTINUED["Continuation"], "number": 10**400}},
    "infinity": {**CONTINUED, "Continuation": {**CONTINUED["Continuation"], "began": math.inf}},
    "half a character": {"DeploymentId": "\ud83d", "LifecycleEventHookExecutionId": "\udcff", "\ud83d": 1},
    "two spellings": {**EVENT, "deploymentid": "d-OTHER"},
    "a state that no hook has": CONTINUED,
    "a rollback that is none": {
        **EVENT,
        "Continuation": {**CONTINUED["Continuation"], "state": {"rollback_command": 5, "may_have_changed": SECRET}},
    },
    "an ECS-native event": {"executionDetails": {"serviceArn": SECRET}, "lifecycleStage": "PRE_SCALE_UP"},
    "an event of EventBridge": {"source": "aws.codedeploy", "detail": {"deploymentId": "d-1", "token": SECRET}},
}


@every_hook
@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
@pytest.mark.usefixtures("gate_clock")
def test_an_event_of_any_kind(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture, hook: ModuleType, event: Any
) -> None:
    judged(hook, event, codedeploy, caplog)
    named = isinstance(event, Mapping) and EVENT.keys() <= event.keys()
    assert codedeploy.statuses == (["Failed"] if named else [])
    if named and event["DeploymentId"] == EVENT["DeploymentId"]:
        assert codedeploy.reports[0]["deploymentId"] == EVENT["DeploymentId"]


@every_hook
@pytest.mark.usefixtures("gate_clock")
@settings(max_examples=150)
@given(event=st.one_of(values, mutated(CONTINUED), mutated({**EVENT, "Continuation": {}})))
def test_any_event(codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture, hook: ModuleType, event: Any) -> None:
    """Of JSON that Lambda may deliver, and of the hook's own hand-over with lies in it."""
    judged(hook, event, codedeploy, caplog)
    named = [event.get(key) for key in EVENT] if isinstance(event, dict) else []
    if named and all(isinstance(value, str) and value for value in named):
        assert codedeploy.statuses == ["Failed"]


OF_ECS: dict[str, Any] = {
    **RECORDED,
    "hookDetails": {"token": SECRET, STATE: CONTINUED["Continuation"]},
}
BY_ECS: dict[str, Any] = {
    "no details": {**RECORDED, "executionDetails": None},
    "a service instead of its deployment": {**RECORDED, "resourceArn": "arn:aws:ecs:eu-west-1:1:service/main/shop"},
    "a stage that there is not": {**RECORDED, "lifecycleStage": SECRET},
    "both platforms' keys": {**RECORDED, **EVENT},
    "five thousand levels": {**RECORDED, "hookDetails": {"more": deep(5000)}},
    "a megabyte": {**RECORDED, "executionDetails": {**RECORDED["executionDetails"], "x" * 1_000_000: SECRET}},
    "a state without end": {**RECORDED, "hookDetails": {STATE: {"began": math.inf, "number": 10**400}}},
    "weights that are none": {
        **RECORDED,
        "lifecycleStage": "PRODUCTION_TRAFFIC_SHIFT",
        "executionDetails": {**RECORDED["executionDetails"], "productionTrafficWeights": {"a": "x", "b": math.nan}},
    },
}


@every_hook
@pytest.mark.parametrize("event", BY_ECS.values(), ids=list(BY_ECS))
@pytest.mark.usefixtures("gate_clock")
def test_an_event_of_ecs(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture, hook: ModuleType, event: Any
) -> None:
    assert judged(hook, event, codedeploy, caplog)["hookStatus"] == "FAILED"
    assert codedeploy.statuses == []


@every_hook
@pytest.mark.usefixtures("gate_clock")
@settings(max_examples=150)
@given(event=mutated(OF_ECS))
def test_any_event_of_ecs(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture, hook: ModuleType, event: Any
) -> None:
    """And of what it hands over, with lies in it: the answer fails closed, whatever it is."""
    answer = judged(hook, event, codedeploy, caplog)
    assert answer.get("hookStatus", "FAILED") == "FAILED"


# Settings

REQUEST: dict[str, Any] = {
    "path": f"/?token={SECRET}", "method": "POST", "headers": {"X-Key": SECRET}, "body": SECRET, "status": ["2xx"],
    "secret_headers": {"Authorization": "Bearer arn:aws:ssm:eu-west-1:123456789012:parameter/shop/key"}, "timeout": 1,
    "jmespath": {"a": {"equals": "b"}, "c": {"one_of": ["d"], "at_most": 5, "length": 2}}, "follow_redirects": False,
    "attempts": 2, "response_headers": {"A": {"equals": "b"}}, "max_latency_ms": 10.5,
    "interval": 0,
}  # fmt: skip
TRAFFIC: dict[str, Any] = {
    "checks": {"a": "warn"}, "http_checks": {"a": {**REQUEST, "severity": "warn", "samples": 3}},
    "flows": {"f": {"steps": [{**REQUEST, "save": {"a": "b"}, "always": True}, {"path": "/", "json": "{}"}]}},
    "headers": {"Cookie": SECRET}, "thresholds": {"error_rate": 0.1, "p99_ms": 100}, "samples": 1, "concurrency": 2,
    "host": "shop.example.com", "interval": 1,
}  # fmt: skip
VALID: dict[ModuleType, dict[str, Any]] = {
    validate_before_install: {"checks": {"a": "warn", "b": "skip"}},
    validate_deployment: {"checks": {"a": "warn"}, "expected_count": 2, "interval": 0.5, "consecutive_successes": 2},
    validate_test_traffic: {**TRAFFIC, "base_url": "https://shop.example.com:8443"},
    run_migrations: {
        "checks": {"a": "warn"}, "preset": "alembic", "command": ["a"], "rollback_command": ["b", "c"], "cpu": 256,
        "environment": {"PASSWORD": SECRET}, "subnets": ["subnet-0a"], "security_groups": ["sg-0a"], "container": "app",
        "launch": "FARGATE", "lock_timeout": 5, "timeout": 5, "log_lines": 1, "concurrent": "wait", "max_duration": 90,
        "retry_interrupted": True, "assign_public_ip": True,
    },
    validate_production: {
        **TRAFFIC, "max_duration": 60, "duration": 1, "alarms": {"a": "OK"}, "baseline": {"tolerance": 1},
        "metrics": {"m": {"namespace": "n", "metric_name": "m", "threshold_range": {"min": 1}}}, "no_data": "pass",
        "load": {"rate": 1, "duration": 1, "status": ["2xx"], "headers": {"X-Key": SECRET}},
    },
}  # fmt: skip
"""Of each hook, settings that are good as they are."""
KINDS = {hook: OPTIONS[hook.__name__] for hook in HOOKS}


def packed(content: bytes) -> str:
    """As Terraform packs long settings."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


SETTINGS: dict[str, tuple[str, str]] = {
    "no JSON": (SECRET, "HOOK_SETTINGS is not JSON: "),
    "no object": ("[1]", "HOOK is a list, expected a map of options"),
    "a number": ("1e999", "HOOK is a single value, expected a map of options"),
    "not a number": ('{"interval": NaN}', "HOOK_SETTINGS is not JSON: NaN is no number"),
    "five thousand levels": ("[" * 5000, "HOOK_SETTINGS is nested too deeply"),
    "levels in an object": ('{"checks":' * 900 + "1" + "}" * 900, 'HOOK.checks.checks is a map; expected "fail", '),
    "half a gzip": (packed(b"{}" * 500)[:-8], "HOOK_SETTINGS is not JSON"),
    "three megabytes in four kilobytes": (
        packed(b'{"checks": [' + b"0," * 1_500_000),
        "HOOK_SETTINGS has 200000 bytes",
    ),
    "a hundred thousand problems": (
        packed(json.dumps({"checks": {f"c{n}": 0 for n in range(15_000)}}).encode()),
        'HOOK.checks.c0 is 0; expected "fail", "warn" or "skip".; HOOK.checks.c1 is',
    ),
    "ten thousand options that do not exist": (
        packed(json.dumps({f"{SECRET[:3]}{n}": SECRET for n in range(6000)}).encode()),
        "HOOK has no option pl40; it has checks",
    ),
    "a word of four kilobytes": (
        json.dumps({"checks": {"a": "x" * 4000}}),
        f'HOOK.checks.a is "{"x" * 58}…; expected "fail", "warn" or "skip".',
    ),
    "a name of four kilobytes": (json.dumps({"checks": {"x" * 4000: 1}}), f"HOOK.checks.{'x' * 3000}"),
    "half a character": ('{"checks": {"\\ud83d": "\\ud83d"}}', 'HOOK.checks["?"] is "?"; expected "fail", '),
    "another version's": (
        json.dumps({"schema": "other", "later": SECRET, "checks": 5}),
        "HOOK.checks is a single value, expected a map",
    ),
}


@every_hook
@pytest.mark.parametrize(("text", "words"), SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.usefixtures("gate_clock")
def test_settings_are_refused_by_name(  # noqa: PLR0917 - what is tested, and by what
    codedeploy: CodeDeploy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    hook: ModuleType,
    text: str,
    words: str,
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", text)
    assert judged(hook, EVENT, codedeploy, caplog)["message"].startswith(re.sub(r"HOOK(?!_)", hook.__name__, words))
    assert codedeploy.statuses == ["Failed"]


def parts(kind: Any, value: Any, given: Any) -> list[tuple[str, Any, Any, Any]] | None:
    """What a value consists of: name, declared type, value, what was given; None if it is not of its type, or another.

    What is not given has its default.
    """
    inner, hints = get_args(kind), get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}
    types = (get_origin(kind) or kind, type(value), type(given))
    if types == (tuple, tuple, list) and len(value) == len(given):
        return [(str(at), inner[0], value[at], entry) for at, entry in enumerate(given)]
    if types == (dict, dict, dict) and value.keys() == given.keys():
        return [(key, inner[1], value[key], entry) for key, entry in given.items()]
    if hints and types == (kind, kind, dict):
        named = [name for name in hints if given.get(name) is not None]
        return [(name, hints[name], getattr(value, name), given[name]) for name in named]
    wanted = float(given) if kind is float and isinstance(given, int) else given
    same = kind in (str, bool, int, float) and type(value) is kind and value == wanted
    return [] if same and (kind is bool) is (type(given) is bool) else None


def misread(kind: Any, value: Any, given: Any, path: str = "HOOK_SETTINGS") -> Iterator[str]:
    """Where settings are of another type than is declared, or are not what was given."""
    if type(None) in get_args(kind):
        kind = next(each for each in get_args(kind) if each is not type(None))
    inner = parts(kind, value, given)
    if inner is None:
        yield f"{path} is {value!r}, of {given!r}"
    for name, hint, entry, wanted in inner or []:
        yield from misread(hint, entry, wanted, f"{path}.{name}")


@every_hook
def test_the_settings_of_these_tests_are_good(monkeypatch: pytest.MonkeyPatch, hook: ModuleType) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps(VALID[hook]))
    assert VALID[hook].keys() <= get_type_hints(KINDS[hook]).keys()
    assert list(misread(KINDS[hook], read_settings(KINDS[hook]), VALID[hook])) == []


def with_each(document: Any, other: Any) -> Iterator[Any]:
    """A document with another value in the place of each of its members, one after the other."""
    for key in document if isinstance(document, dict) else range(len(document)):
        changed = copy.copy(document)
        for inner in [other, *(with_each(document[key], other) if _holds(document[key]) else ())]:
            changed[key] = inner
            yield copy.deepcopy(changed)


OTHERS = [True, 0, -1, 1.5, 10**400, -(10**400), math.inf, "x", [], ["x", 1], {}, {"x": [1]}]


@every_hook
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: str(other)[:10])
def test_every_setting_of_another_type(hook: ModuleType, other: Any) -> None:
    """It is refused by name, or is read as it was given."""
    kind = KINDS[hook]
    for document in with_each(VALID[hook], other):
        refusal = ""
        try:
            read = read_settings(kind, {"HOOK_SETTINGS": json.dumps(document).replace("Infinity", "1e999")})
        except BadSettings as problem:
            refusal = str(problem)
        if refusal:
            changed = [name for name, value in document.items() if value != VALID[hook][name]]
            assert refusal.startswith("HOOK_SETTINGS")
            assert [name for name in changed if name in refusal] == changed
        else:
            assert list(misread(kind, read, document)) == []


@every_hook
@pytest.mark.usefixtures("gate_clock")
@settings(max_examples=150)
@given(data=st.data(), packs=st.booleans())
def test_any_settings(  # noqa: PLR0917 - what is tested, and by what
    codedeploy: CodeDeploy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    hook: ModuleType,
    data: st.DataObject,
    packs: bool,
) -> None:
    """Values of another type, size or kind, anywhere: they are refused by their path, or are what was declared."""
    text = json.dumps(data.draw(st.one_of(values, mutated(VALID[hook]))))
    document = json.loads(text)
    text = packed(text.encode()) if packs else text.replace("\0", "")
    monkeypatch.setenv("HOOK_SETTINGS", text)
    refusals = ("HOOK_SETTINGS is ", f"{hook.__name__} ", f"{hook.__name__}.")
    try:
        read = read_settings(KINDS[hook])
    except BadSettings:
        assert judged(hook, EVENT, codedeploy, caplog)["message"].startswith(refusals)
    else:
        assert list(misread(KINDS[hook], read, document)) == []
        if isinstance(read, RunMigrations) and not (read.preset or read.command):
            return  # it may have nothing to do, and says so
        assert not judged(hook, EVENT, codedeploy, caplog)["message"].startswith(refusals)
    assert codedeploy.statuses == ["Failed"]


# AppSpecs

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:2"
GOOD: dict[str, Any] = {
    "version": 0.0,
    "Resources": [
        {
            "TargetService": {
                "Type": "AWS::ECS::Service",
                "Properties": {
                    "TaskDefinition": ARN,
                    "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8000},
                    "PlatformVersion": "1.4.0",
                    "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Base": 1, "Weight": 1}],
                    "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["s"], "SecurityGroups": ["g"]}},
                },
            }
        }
    ],
    "Hooks": [{"BeforeInstall": "f"}, {"AfterInstall": ["g"]}],
}


def read(text: str) -> Plan | str:
    """What an AppSpec comes to, or the words of its refusal; nothing else, and soon."""
    began = time.monotonic()
    try:
        return parse_appspec(text)
    except ProbeError as problem:
        return str(problem)
    finally:
        assert time.monotonic() - began < SECONDS
        FIGURES["AppSpecs"] += 1


def test_the_appspec_of_these_tests_is_one() -> None:
    for text in (json.dumps(GOOD), yaml.safe_dump(GOOD)):
        found = read(text)
        assert isinstance(found, Plan)
        assert dict(found.hooks) == {"BeforeInstall": "f", "AfterInstall": "g"}


@settings(max_examples=400)
@given(document=st.one_of(values, mutated(GOOD)), as_yaml=st.booleans())
def test_any_appspec(document: Any, as_yaml: bool) -> None:
    """It is read, and its texts are texts, or is refused."""
    try:
        text = yaml.safe_dump(document) if as_yaml else json.dumps(document)
    except yaml.YAMLError:
        return
    found = read(text)
    if isinstance(found, str):
        assert len(found) < 400
    else:
        assert found.task_definition
        assert all(found.hooks.values())


@settings(max_examples=400)
@given(text=st.text(st.sampled_from("{}[]:,-&*!<|>%@\"'#?\n \t\\aA0.~é\ud83d\x00\ufeff"), max_size=60))
def test_any_text_as_appspec(text: str) -> None:
    read(text)


def bomb(width: int, levels: int, line: str) -> str:
    """Lines of YAML, each of which repeats the one before it."""
    lines = [line.format(0, "x")]
    lines += [line.format(level, ", ".join([f"*a{level - 1}"] * width)) for level in range(1, levels)]
    return "\n".join([*lines, yaml.safe_dump(GOOD)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(9, 10, "b{0}: &a{0} [{1}]"), "the AppSpec's aliases, written out, come to more than 1000000 characters"),
        (bomb(2, 60, "b{0}: &a{0} [{1}]"), "the AppSpec's aliases, written out, come to more than 1000000 characters"),
        (bomb(40, 6, "b{0}: &a{0} {{k: [{1}]}}"), "the AppSpec's aliases, written out, come to more than"),
        ("a: &a {b: *a}\n" + yaml.safe_dump(GOOD), "the AppSpec's aliases, written out, come to more than"),
        (yaml.safe_dump(GOOD) + "---\n" + yaml.safe_dump(GOOD), "the AppSpec is neither JSON nor YAML: expected a sin"),
        (
            yaml.safe_dump(GOOD).replace(ARN, "!!python/object/apply:os.abort []"),
            "the AppSpec is neither JSON nor",
        ),
        (yaml.safe_dump(GOOD).replace(ARN, "2024-99-99"), "the AppSpec is neither JSON nor YAML: month must be"),
        (yaml.safe_dump(GOOD).replace("8000", ".nan"), "the AppSpec's LoadBalancerInfo.ContainerPort is nan, expected"),
        (yaml.safe_dump(GOOD).replace("8000", "1" + ":59" * 4000), "the AppSpec's LoadBalancerInfo.ContainerPort is a"),
        (yaml.safe_dump(GOOD).encode("utf-16").decode("utf-8", "replace"), "the AppSpec is neither JSON nor YAML: un"),
        (yaml.safe_dump(GOOD).encode("utf-32").decode("latin-1"), "the AppSpec is neither JSON nor YAML: un"),
        ("[" * 100_000, "the AppSpec is nested too deeply to be read"),
        ("{a: " * 20_000, "the AppSpec is nested too deeply to be read"),
        ("- " * 40_000, "the AppSpec is nested too deeply to be read"),
        ("x" * 100_001, "the AppSpec has 100001 characters or more, expected at most 100000"),
        (json.dumps(GOOD)[:-1] + ', "resources": []}', "the AppSpec has the key resources twice in one mapping"),
        (yaml.safe_dump(GOOD) + "hooks: []\n", "the AppSpec has the key hooks twice in one mapping"),
        (
            json.dumps(GOOD).replace("AfterInstall", "beforeinstall"),
            "the AppSpec's Hooks name beforeinstall twice, in its entries 1 and 2: leave",
        ),
    ],
    ids=lambda value: value[:40] if value.startswith("the AppSpec") else "",
)
def test_an_appspec_is_refused_by_name(text: str, words: str) -> None:
    found = read(text)
    assert isinstance(found, str)
    assert found.startswith(words)
