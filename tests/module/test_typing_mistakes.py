"""What is typed and is no option is refused at plan, by its path, wherever it stands: nothing is dropped in silence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, get_origin

import pytest
from gate.options.hooks import HOOKS
from gate.settings import Entry, entries

from tests.module.conftest import INPUTS, ROOT, Terraform, plain, write_stack
from tests.module.options_stack import in_few, plan_options
from tools.options import inner_of, is_object, is_required

# As people type them, and what the plan says. The names that there are follow.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"run_migrations": {"comand": ["alembic", "upgrade", "head"]}}, "run_migrations has no option comand; it has"),
    ({"validate_before_install": {"check": {}}}, "validate_before_install has no option check; it has checks"),
    ({"validate_deployment": {"expected": 2}}, "validate_deployment has no option expected; it has checks, expected_c"),
    ({"validate_test_traffic": {"http_check": {}}}, "validate_test_traffic has no option http_check; it has checks,"),
    (
        {"validate_test_traffic": {"thresholds": {"p95": 200}}},
        "validate_test_traffic.thresholds has no option p95; it has error_rate, p50_ms, p90_ms, p95_ms, p99_ms, max_ms",
    ),
    (
        {"validate_test_traffic": {"http_checks": {"a": {"max_latency": 300}}}},
        "validate_test_traffic.http_checks.a has no option max_latency; it has path, url, method,",
    ),
    (
        {"validate_test_traffic": {"http_checks": {"b": {"jmespath": {"x.y": {"equal": "1"}}}}}},
        'validate_test_traffic.http_checks.b.jmespath["x.y"] has no option equal; it has equals, one_of,',
    ),
    (
        {"validate_production": {"flows": {"order": {"step": [], "steps": [{}, {"saves": {"id": "id"}}]}}}},
        "validate_production.flows.order has no option step; it has steps, severity, repeat",
    ),
    (
        {"validate_production": {"flows": {"order": {"step": [], "steps": [{}, {"saves": {"id": "id"}}]}}}},
        "validate_production.flows.order.steps[1] has no option saves; it has path, url,",
    ),
    (
        {"validate_production": {"alarm": {"errors": "OK"}}},
        "validate_production has no option alarm; it has checks,",
    ),
    (
        {"validate_production": {"metrics": {"m": {"threshold_range": {"maximum": 1}}}}},
        "validate_production.metrics.m.threshold_range has no option maximum; it has min, max",
    ),
    (
        {"validate_production": {"metrics": {"q": {"namespace": "A", "metric": "B"}}}},
        "validate_production.metrics.q has no option metric; it has namespace, metric_name, dimensions,",
    ),
    (
        {"validate_production": {"metrics": {"q": {"namespace": "A", "metric": "B"}}}},
        "validate_production.metrics.q.metric_name is missing; expected a metric's name.",
    ),
    (
        {"validate_production": {"load": {"rps": 20, "duration": 60}}},
        "validate_production.load has no option rps; it has rate, duration,",
    ),
    (
        {"validate_production": {"load": {"rps": 20, "duration": 60}}},
        "validate_production.load.rate is missing; expected requests a second from 0.001 to 10000.",
    ),
    (
        {"validate_production": {"baseline": {"worse": 5}}},
        "validate_production.baseline has no option worse; it has",
    ),
    # Of another kind.
    (
        {"run_migrations": {"command": "alembic upgrade head"}},
        "run_migrations.command is a single value, expected",
    ),
    (
        {"run_migrations": {"environment": {"A": ["b"], "B": None}}},
        "run_migrations.environment.A is a list, expected text",
    ),
    (
        {"run_migrations": {"environment": {"A": ["b"], "B": None}}},
        "run_migrations.environment.B is null, expected text",
    ),
    ({"run_migrations": {"timeout": "soon"}}, "run_migrations.timeout is a single value, expected a number"),
    (
        {"run_migrations": {"assign_public_ip": "yes"}},
        "assign_public_ip is a single value, expected true or false",
    ),
    (
        {"run_migrations": {"verify_data_command": ["a", None]}},
        "verify_data_command[1] is null, expected text",
    ),
    (
        {"validate_test_traffic": {"headers": "Accept: a"}},
        "traffic.headers is a single value, expected a map",
    ),
    (
        {"validate_test_traffic": {"http_checks": {"c": "/health", "none": None}}},
        "validate_test_traffic.http_checks.c is a single value, expected a map of options",
    ),
    (
        {"validate_test_traffic": {"http_checks": {"c": "/health", "none": None}}},
        "validate_test_traffic.http_checks.none is null, expected a map of options",
    ),
    (
        {"validate_test_traffic": {"http_checks": {"d": {"status": 200}}}},
        "d.status is a single value, expected a list",
    ),
    ({"validate_test_traffic": {"flows": {"f": {"steps": {"path": "/"}}}}}, "flows.f.steps is a map, expected a list"),
    (
        {"validate_test_traffic": {"flows": {"g": {"steps": ["/"]}}}},
        "g.steps[0] is a single value, expected a map",
    ),
    (
        {"validate_test_traffic": {"flows": {"h": {}}}},
        "flows.h.steps is missing; expected a list.",
    ),
    (
        {"validate_test_traffic": {"flows": {"i": {"steps": None}}}},
        "flows.i.steps is missing; expected a list.",
    ),
    (
        {"run_migrations": {"security_groups": '${toset(["sg-1", null])}'}},
        "run_migrations.security_groups[1] is null, expected text",
    ),
    ({"validate_production": {"alarms": ["errors"]}}, "validate_production.alarms is a list, expected a map"),
    ({"validate_production": {"metrics": {"k": {"period": {}}}}}, "metrics.k.period is a map, expected a number"),
    ({"validate_deployment": "strict"}, "validate_deployment is a single value, expected a map of options"),
    ({"validate_before_install": []}, "validate_before_install is a list, expected a map of options"),
]


def said(terraform: Terraform, stack: Path, documents: list[dict[str, Any]]) -> str:
    """What Terraform says to the documents, in as few plans as hold them; each plan is refused."""
    text = ""
    for inputs in in_few(documents):
        write_stack(stack, ROOT, inputs)
        result = terraform.plan(stack)
        assert result.returncode == 1, f"not refused: {inputs}"
        text += plain(result.stdout)
    return text


@pytest.fixture(scope="module")
def refusals(terraform: Terraform, stack: Path) -> str:
    """What Terraform says to all of the mistakes."""
    return said(terraform, stack, [inputs for inputs, _ in MISTAKES])


@pytest.mark.parametrize("message", [message for _, message in MISTAKES])
def test_a_mistake_is_refused_by_its_path(message: str, refusals: str) -> None:
    """With the names that there are, or the kind that is expected; never by a conversion error of Terraform's."""
    assert message in refusals
    assert "suitable" not in refusals


def everywhere(hook: str, wrong: Callable[[type[Any]], dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Documents with something wrong in each options class among a hook's options, and the path to that class."""
    keys = (f"k{number}" for number in count())

    def visit(kind: type[Any], wrap: Callable[[dict[str, Any]], dict[str, Any]], path: str) -> Iterator[Any]:
        yield wrap(wrong(kind)), path
        for entry in entries(kind):
            inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
            if is_object(inner):
                key = next(keys)
                at = {dict: f"{path}.{entry.name}.{key}", tuple: f"{path}.{entry.name}[0]"}
                deeper = partial(_within, entry, key, wrap)
                yield from visit(inner, deeper, at.get(get_origin(entry.kind), f"{path}.{entry.name}"))

    for document, path in visit(HOOKS[hook], dict, hook):
        yield {hook: document}, path


def _within(
    entry: Entry, key: str, wrap: Callable[[dict[str, Any]], dict[str, Any]], value: dict[str, Any]
) -> dict[str, Any]:
    inner = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
    held: Any = {
        **{each.name: 1 if each.kind is float else "x" for each in entries(inner) if is_required(each)},
        **value,
    }
    if "steps" in held and not value:
        held["steps"] = [{}]
    held = {key: held} if get_origin(entry.kind) is dict else [held] if get_origin(entry.kind) is tuple else held
    return wrap({entry.name: held})


def test_an_unknown_name_is_refused_in_every_object_at_every_depth(terraform: Terraform, tmp_path: Path) -> None:
    """Of all hooks, in maps and in lists, by its path and with the names that there are."""
    found = [each for hook in HOOKS for each in everywhere(hook, lambda _kind: {"misspelt": 1})]
    assert len(found) > 20
    text = plain(plan_options(terraform, tmp_path, in_few([document for document, _ in found]))[1])
    assert [path for _, path in found if f"{path} has no option misspelt; it has " not in text] == []


def test_another_kind_is_refused_in_every_attribute_of_every_object(terraform: Terraform, tmp_path: Path) -> None:
    """A list where one value belongs, and one value where a list, a map or an object does."""

    def wrong(kind: type[Any]) -> dict[str, Any]:
        return {
            entry.name: "x" if get_origin(entry.kind) or is_object(entry.kind) else [{"a": "b"}]
            for entry in entries(kind)
        }

    found = [each for hook in HOOKS for each in everywhere(hook, wrong)]
    text = plain(plan_options(terraform, tmp_path, in_few([document for document, _ in found]))[1])
    assert "suitable" not in text
    missing = []
    for _, path in found:
        for entry in _entries_at(path):
            word = "a single value" if get_origin(entry.kind) or is_object(entry.kind) else "a list"
            if f"{path}.{entry.name} is {word}, expected " not in text:
                missing.append(f"{path}.{entry.name}")
    assert missing == []


def _entries_at(path: str) -> list[Entry]:
    hook, *names = path.replace("[0]", "").split(".")
    kind: Any = HOOKS[hook]
    for name in names:
        entry = next((each for each in entries(kind) if each.name == name), None)
        if entry is not None:
            kind = inner_of(entry.kind) if get_origin(entry.kind) else entry.kind
    return entries(kind)


UNKNOWN = "${jsondecode(terraform_data.later.output)}"
LATER = {"resource": {"terraform_data": {"later": {"input": "${timestamp()}"}}}}
NO_LIST, NO_MAP, NO_NUMBER = (
    f"${{true ? null : {value}}}" for value in ('tolist(["a"])', 'tomap({ a = "b" })', "tonumber(1)")
)
# Right, and not known or not to be shown yet.
RIGHT: list[dict[str, Any]] = [
    {"validate_before_install": None, "validate_deployment": None, "run_migrations": None, "validate_production": None},
    {"validate_test_traffic": {"http_checks": None, "thresholds": None, "flows": None, "samples": None}},
    {"validate_test_traffic": {"http_checks": {"a": {"path": "${terraform_data.later.output}", "timeout": "5"}}}},
    {"validate_production": {"alarms": {'${upper("a")}': "OK"}, "load": {"rate": "1", "duration": 60}}},
    {"validate_production": {"http_checks": '${{ for name in ["a", "b"] : name => { path = "/${name}" } }}'}},
    {"run_migrations": {"command": '${["migrate", terraform_data.later.output]}', "cpu": "${512}"}},
    {"run_migrations": {"subnets": "${toset([terraform_data.later.output])}", "retry_interrupted": "true"}},
    {"run_migrations": '${sensitive({ command = ["migrate"], environment = { KEY = "s3cret" } })}'},
    {"validate_test_traffic": {"http_checks": {"a": {"headers": {"Cookie": '${sensitive("s3cret")}'}, "samples": 0}}}},
    {"validate_test_traffic": {"http_checks": {"a": {"headers": '${sensitive({ Cookie = "s3cret" })}'}}}},
    {"validate_test_traffic": {"headers": "${{ X-Run = terraform_data.later.output }}"}},
    {"validate_production": {"metrics": {"m": {"namespace": "${terraform_data.later.output}", "metric_name": "a"}}}},
    # Null of each type, as a condition or a variable of the user's makes it.
    {"validate_production": {"load": "${true ? null : { rate = 1, duration = 3 }}", "alarms": NO_MAP}},
    {"run_migrations": {"command": NO_LIST, "environment": NO_MAP, "cpu": "${true ? null : 512}"}},
    {"run_migrations": {"subnets": '${true ? null : toset(["subnet-1"])}', "launch": '${true ? null : "EC2"}'}},
    {"validate_test_traffic": {"http_checks": {"a": {"status": NO_LIST, "headers": NO_MAP, "timeout": NO_NUMBER}}}},
    {"validate_test_traffic": {"flows": {"f": {"steps": '${toset([{ path = "/a" }])}'}}, "samples": NO_NUMBER}},
    {"validate_test_traffic": "${true ? null : { samples = 1 }}", "validate_deployment": {"expected_count": NO_NUMBER}},
    # Inputs of the module itself.
    {
        "callers": ["ecs", "codedeploy"],
        "lifecycle_hooks": {
            "run_migrations": {"stages": "${[terraform_data.later.output]}"},
            "validate_production": {"stages": '${toset(["PRE_PRODUCTION_TRAFFIC_SHIFT"])}', "hook_details": NO_MAP},
            "validate_test_traffic": {
                "stages": NO_LIST,
                "hook_details": {"n": 1, "at": "${terraform_data.later.output}"},
            },
            "validate_deployment": None,
            "validate_before_install": {},
        },
    },
    {"callers": ["ecs"], "lifecycle_hooks": '${{ for hook in ["run_migrations"] : hook => { stages = [] } }}'},
    {"callers": ["ecs"], "lifecycle_hooks": "${true ? null : { run_migrations = { stages = [] } }}"},
    {
        "vpc_config": {
            "subnet_ids": '${split(",", terraform_data.later.output)}',
            "security_group_ids": "${toset([terraform_data.later.output])}",
        }
    },
    {"vpc_config": '${true ? null : { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }}'},
]


def test_right_options_plan_clean(terraform: Terraform, tmp_path: Path) -> None:
    """Null, unknown and sensitive values, and what Terraform converts by itself: no error and no warning."""
    source = Path(os.path.relpath(ROOT, tmp_path)).as_posix()
    modules = {
        f"right_{number}": {"source": source, **INPUTS, "app_name": f"orders{number}", **inputs}
        for number, inputs in enumerate(RIGHT)
    }
    (tmp_path / "main.tf.json").write_text(json.dumps({**LATER, "module": modules}), encoding="utf-8")
    terraform.init(tmp_path)
    result = terraform.plan(tmp_path)
    assert result.returncode == 0, result.stdout[-3000:]
    assert "Warning" not in result.stdout
    assert "s3cret" not in result.stdout


def test_a_mistake_beside_a_value_that_is_not_known_yet_is_refused(terraform: Terraform, stack: Path) -> None:
    """What is not known hides neither names nor kinds beside it."""
    (stack / "later.tf.json").write_text(json.dumps(LATER), encoding="utf-8")
    later = "${terraform_data.later.output}"
    request = {"path": later, "headers": {"X-Run": later}, "time_out": 3, "attempts": "many"}
    write_stack(stack, ROOT, {"validate_test_traffic": {"http_checks": {"a": request, "b": {"host": later}}}})
    result = terraform.plan(stack)
    (stack / "later.tf.json").unlink()
    text = plain(result.stdout)
    assert "validate_test_traffic.http_checks.a has no option time_out; it has path, url," in text
    assert "validate_test_traffic.http_checks.a.attempts is a single value, expected a number" in text


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (
            {"http_checks": {"a": {"jmespath": UNKNOWN}, "c": {"tine": 1}}},
            [".http_checks.c has no option tine; it has"],
        ),
        ({"http_checks": {"a": UNKNOWN}, "smaples": 3}, [" has no option smaples; it has"]),
        ({"flows": UNKNOWN, "http_checks": {"c": {"tine": 1}}}, [".http_checks.c has no option tine; it has"]),
        ({"thresholds": UNKNOWN, "samples": "many"}, [".samples is a single value, expected a number"]),
    ],
)
def test_a_value_of_unknown_type_hides_no_mistake(
    terraform: Terraform, stack: Path, options: dict[str, Any], messages: list[str]
) -> None:
    """As `jsondecode` of what is made later: what Terraform cannot know of it, it still knows of the rest."""
    (stack / "later.tf.json").write_text(json.dumps(LATER), encoding="utf-8")
    write_stack(stack, ROOT, {"validate_test_traffic": options})
    result = terraform.plan(stack)
    (stack / "later.tf.json").unlink()
    text = plain(result.stdout)
    for message in messages:
        assert f"validate_test_traffic{message}" in text


@pytest.mark.parametrize("address", ["ftp://user:s3cret@host/", "https://host/?token=s3cret"])
def test_an_address_is_not_shown_below_its_refusal(terraform: Terraform, stack: Path, address: str) -> None:
    """Terraform shows the values of what a condition names: the condition does not name it."""
    write_stack(stack, ROOT, {"validate_test_traffic": {"base_url": address}})
    result = terraform.plan(stack)
    assert result.returncode == 1
    said = plain(result.stdout)
    assert f"validate_test_traffic.base_url is an address of {len(address)} characters; expected an address" in said
    assert "s3cret" not in result.stdout


def test_a_value_typed_as_a_headers_name_is_not_shown(terraform: Terraform, stack: Path) -> None:
    write_stack(stack, ROOT, {"validate_test_traffic": {"headers": {"Authorization: Bearer s3cret": ""}}})
    result = terraform.plan(stack)
    assert result.returncode == 1
    wanted = 'headers has a key of 28 characters that begins with "Authorization"; expected a header\'s name'
    assert wanted in plain(result.stdout)
    assert "s3cret" not in result.stdout
