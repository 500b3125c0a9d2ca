"""Every AWS call in lambdas/ exists in botocore's models: operation, parameters, answers, error codes.

The calls are read from the sources, so that a call which no test makes is held to the models too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import OperationModel, Shape
from gate import aws
from gate.platforms import codedeploy

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "lambdas").rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class AwsCall:
    """One call as it stands in the sources."""

    place: str
    how: str  # call, pages, answers or client
    service: str
    operation: str
    node: ast.Call

    @property
    def parameters(self) -> dict[str, ast.expr]:
        """The parameters given by name."""
        return {keyword.arg: keyword.value for keyword in self.node.keywords if keyword.arg and keyword.arg != "region"}

    @property
    def is_whole(self) -> bool:
        """Whether all its parameters are named here: no `**parameters`."""
        return all(keyword.arg for keyword in self.node.keywords)


def text(node: ast.expr) -> str:
    """The text of a constant."""
    assert isinstance(node, ast.Constant), ast.dump(node)
    return str(node.value)


def is_aws(node: ast.expr, *names: str) -> bool:
    """Whether the node is `aws.<name>`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "aws"
        and node.attr in names
    )


def as_call(node: ast.AST, place: str) -> AwsCall | None:
    """`aws.call("ecs", "run_task", …)`, `aws.pages(…)` or `aws.client("ecs").run_task(…)`."""
    if not isinstance(node, ast.Call):
        return None
    if is_aws(node.func, "call", "pages", "answers"):
        assert isinstance(node.func, ast.Attribute)
        return AwsCall(place, node.func.attr, text(node.args[0]), text(node.args[1]), node)
    if (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Call)
        and is_aws(node.func.value.func, "client")
    ):
        return AwsCall(place, "client", text(node.func.value.args[0]), node.func.attr, node)
    return None


def calls_in(tree: ast.AST, path: Path) -> Iterator[AwsCall]:
    """The calls below a node, in the order of the source."""
    for node in ast.walk(tree):
        found = as_call(node, f"{path.name}:{getattr(node, 'lineno', 0)}")
        if found:
            yield found


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"))


CALLS = [call for path in SOURCES for call in calls_in(tree(path), path)]
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.place}-{call.service}-{call.operation}")


@cache
def session() -> botocore.session.Session:
    """One session, for it keeps the models it has read."""
    return botocore.session.Session()


@cache
def operations(service: str) -> dict[str, OperationModel]:
    """The operations of a service by boto3's names."""
    model = session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def operation(call: AwsCall) -> OperationModel:
    """The model of the operation that is called."""
    found = operations(call.service)
    assert call.operation in found, f"{call.place}: {call.service} has no operation {call.operation}"
    return found[call.operation]


def members(shape: Shape | None) -> dict[str, Shape]:
    """The members of a structure; none of anything else."""
    return dict(getattr(shape, "members", {}) or {})


def unfit(value: ast.expr, shape: Any, path: str) -> Iterator[str]:
    """What a literal holds that the model does not: keys of structures and values of enums."""
    if isinstance(value, ast.Constant) and shape.type_name == "string" and getattr(shape, "enum", None):
        if value.value not in shape.enum:
            yield f"{path} is {text(value)}, the model knows {shape.enum}"
    elif isinstance(value, ast.List) and shape.type_name == "list":
        for entry in value.elts:
            yield from unfit(entry, shape.member, f"{path}[]")
    elif isinstance(value, ast.ListComp) and shape.type_name == "list":
        yield from unfit(value.elt, shape.member, f"{path}[]")
    elif isinstance(value, ast.Dict) and shape.type_name == "structure":
        for key, entry in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                if key.value in shape.members:
                    yield from unfit(entry, shape.members[key.value], f"{path}.{key.value!s}")
                else:
                    yield f"{path} has no member {str(key.value)!r}"


def test_the_calls_were_found() -> None:
    found = {(call.service, call.operation) for call in CALLS}
    assert {
        ("codedeploy", "put_lifecycle_event_hook_execution_status"),
        ("codedeploy", "get_application_revision"),
        ("ecs", "describe_services"),
        ("ecs", "run_task"),
        ("elbv2", "describe_target_health"),
        ("cloudwatch", "get_metric_data"),
        ("cloudwatch", "describe_alarms"),
        ("logs", "get_log_events"),
    } <= found
    assert len(CALLS) >= 25


def test_nobody_calls_aws_in_another_way() -> None:
    """`import boto3` stands in aws.py alone, and there in one function."""
    importing = [
        path.name
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.partition(".")[0] in ("boto3", "botocore")
    ]
    assert set(importing) == {"aws.py"}
    assert not [
        node
        for node in tree(ROOT / "lambdas" / "gate" / "aws.py").body
        if "boto" in ast.dump(node) and isinstance(node, (ast.Import, ast.ImportFrom))
    ]


@each_call
def test_operation_and_parameters_exist(call: AwsCall) -> None:
    shape = operation(call).input_shape
    known = members(shape)
    assert [name for name in call.parameters if name not in known] == []
    if call.is_whole:
        required = set(getattr(shape, "required_members", []))
        assert sorted(required - set(call.parameters)) == []
    wrong = [found for name, value in call.parameters.items() for found in unfit(value, known[name], name)]
    assert wrong == []


@each_call
def test_the_message_names_the_action_as_iam_does(call: AwsCall) -> None:
    """IAM's actions are named after the API's operations; gate.aws derives them from boto3's names."""
    message = str(aws.explain(ValueError("x"), call.service, call.operation))
    named = message.partition(" ")[0].partition(":")[2]
    assert named == {"Invoke": "InvokeFunction"}.get(operation(call).name, operation(call).name)


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call.how in ("pages", "answers")], ids=lambda call: call.operation
)
def test_what_is_read_in_pages_comes_in_pages(call: AwsCall) -> None:
    paginators = session().get_paginator_model(call.service)
    configuration = paginators.get_paginator(operation(call).name)
    keys = configuration["result_key"]
    if call.how == "pages":
        assert text(call.node.args[2]) in ([keys] if isinstance(keys, str) else keys)


def keys_read(function: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Each key that a function reads from an answer: `aws.call(…).get("key")`, or by way of a variable."""
    answers: list[tuple[int, str, ast.Call]] = []
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and as_call(node.value, ""):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert isinstance(node.value, ast.Call)
            answers += [(node.lineno, target.id, node.value) for target in targets if isinstance(target, ast.Name)]
    for node in ast.walk(function):
        read: ast.expr | None = None
        key: ast.expr | None = None
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and node.args
        ):
            read, key = node.func.value, node.args[0]
        elif isinstance(node, ast.Subscript):
            read, key = node.value, node.slice
        source = read
        if isinstance(read, ast.Name):  # the last answer of that name
            named = [(line, call) for line, name, call in answers if name == read.id and line < read.lineno]
            source = max(named, key=lambda entry: entry[0])[1] if named else None
        if isinstance(source, ast.Call) and as_call(source, "") and isinstance(key, ast.Constant):
            yield source, str(key.value)


KEYS = [
    (found, key)
    for path in SOURCES
    for function in ast.walk(tree(path))
    if isinstance(function, FUNCTIONS)
    for node, key in keys_read(function)
    if (found := as_call(node, f"{path.name}:{node.lineno}"))
]


def test_the_keys_were_found() -> None:
    assert len(KEYS) >= 20


@pytest.mark.parametrize(("call", "key"), KEYS, ids=lambda value: value if isinstance(value, str) else value.place)
def test_what_is_read_from_an_answer_is_in_it(call: AwsCall, key: str) -> None:
    assert key in {*members(operation(call).output_shape), "ResponseMetadata"}  # boto3 adds it to each


def error_codes(model: OperationModel) -> set[str]:
    """The codes of the operation's modelled errors, as they come over the wire."""
    return {str(shape.metadata.get("error", {}).get("code") or shape.name) for shape in model.error_shapes}


def codes_compared(node: ast.AST) -> Iterator[str]:
    """The texts that `….code` is compared with."""
    for part in ast.walk(node):
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.Attribute) and part.left.attr == "code":
            for other in part.comparators:
                entries = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
                yield from (text(entry) for entry in entries)


CODES = [
    (path.name, code, [call for statement in node.body for call in calls_in(statement, path)])
    for path in SOURCES
    for node in ast.walk(tree(path))
    if isinstance(node, ast.Try)
    for handler in node.handlers
    for code in codes_compared(handler)
]


def test_the_error_codes_were_found() -> None:
    everywhere = [code for path in SOURCES for code in codes_compared(tree(path))]
    assert sorted(code for _, code, _ in CODES) == sorted(everywhere)
    assert len(CODES) >= 6


@pytest.mark.parametrize(
    ("name", "code", "calls"), CODES, ids=[f"{name}-{code}-{number}" for number, (name, code, _) in enumerate(CODES)]
)
def test_an_error_code_that_is_waited_for_is_one_the_operation_has(name: str, code: str, calls: list[AwsCall]) -> None:
    """Of several calls in one `try` one has the code, and each of the others another that is waited for there."""
    assert calls, f"{name}: {code} is compared where nothing is called"
    assert any(code in error_codes(operation(call)) for call in calls)
    beside = {other for _, other, same in CODES if [call.place for call in same] == [call.place for call in calls]}
    assert [call.place for call in calls if not beside & error_codes(operation(call))] == []


def test_each_error_of_the_report_is_dealt_with() -> None:
    """One means that the report was made before; none of the others goes away by trying again."""
    modelled = error_codes(operations("codedeploy")["put_lifecycle_event_hook_execution_status"])
    assert {*codedeploy.FINAL, "LifecycleEventAlreadyCompletedException"} == modelled


def test_the_report_knows_the_two_words_codedeploy_takes() -> None:
    shape: Any = operations("codedeploy")["put_lifecycle_event_hook_execution_status"].input_shape
    assert {"Succeeded", "Failed"} <= set(shape.members["status"].enum)
