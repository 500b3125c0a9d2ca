"""A role holds just what its hook calls: the policies of iam.tf against the calls in lambdas/.

Read from the sources: whatever a reached function mentions by name is reached too. That is more than can run, so a
permission that is missing is found, and one too many nearly always.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from gate.options.hooks import HOOKS

from rehearsal.own import own_operations
from tests.module.conftest import ROOT
from tests.policies import STAGE, function_names, render, with_everything

# What a role needs and no handler calls by that name: Lambda writes the log, RunTask passes roles and sets tags, and
# GetObject of a version is an action of its own.
NOT_CALLED = {"logs:CreateLogStream", "logs:PutLogEvents", "iam:PassRole", "ecs:TagResource", "s3:GetObjectVersion"}
# Before the checks, and after them.
OF_EVERY_HOOK = {
    "codedeploy:GetDeployment",
    "codedeploy:GetDeploymentGroup",
    "codedeploy:PutLifecycleEventHookExecutionStatus",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "events:PutEvents",
}
OF_ECS = {
    # Where ECS does not say yet in which target group green's tasks are.
    "validate_deployment": {"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"},
    # How much of production is on green before a step.
    "run_migrations": {
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetGroups",
    },
}
IAM_PREFIXES = {"elbv2": "elasticloadbalancing"}
IAM_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}


@cache
def _operations(service: str) -> dict[str, str]:
    """Return the operations of a service by the method that calls them."""
    model = botocore.session.Session().get_service_model(service)
    return {xform_name(operation): operation for operation in model.operation_names}


class Reach:
    """Follows names through lambdas/: `f` and `module.f` to functions of gate/, `thing.f` to every method named so.

    Of methods, those of classes that are mentioned, in modules that the handler imports, by itself or by way of others:
    no others can run.
    """

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], list[ast.AST]] = {}
        self.classes: dict[str, list[tuple[str, ast.ClassDef]]] = {}
        self.imports: dict[str, dict[str, tuple[str, str]]] = {}
        self.imported: set[str] = set()
        gate = ROOT / "lambdas" / "gate"
        for path in gate.rglob("*.py"):
            name = ".".join(path.relative_to(gate).with_suffix("").parts).removesuffix(".__init__")
            self.read(name, path.read_text(encoding="utf-8"))

    def read(self, module: str, source: str) -> None:
        """Note a module's functions, classes and imports by name."""
        tree = ast.parse(source)
        imports = self.imports.setdefault(module, {})
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "gate":
                for name in node.names:
                    # `from gate import aws` names a module, `from gate.tasks import start` a function of one.
                    target = (name.name, "") if node.module == "gate" else (node.module.partition(".")[2], name.name)
                    imports[name.asname or name.name] = target
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, []).append((module, node))
            elif isinstance(node, ast.FunctionDef):
                self.functions.setdefault((module, node.name), []).append(node)

    def from_handler(self, hook: str) -> list[ast.AST]:
        """Return what a handler can run: its whole file, the guard, and what these mention."""
        source = (ROOT / "lambdas" / f"{hook}.py").read_text(encoding="utf-8")
        self.read(hook, source)
        self._import(hook)
        waiting: list[tuple[str, ast.AST]] = [(hook, ast.parse(source))]
        reached: dict[int, ast.AST] = {}
        classes: set[str] = set()
        attributes: set[str] = set()
        methods: list[tuple[str, ast.FunctionDef]] = []
        while waiting:
            module, node = waiting.pop()
            if id(node) in reached:
                continue
            reached[id(node)] = node
            for each in ast.walk(node):
                waiting += self._functions_named(module, each)
                attribute = each.attr if isinstance(each, ast.Attribute) else ""
                if attribute not in attributes:
                    attributes.add(attribute)
                    waiting += [(home, method) for home, method in methods if method.name == attribute]
                name = each.id if isinstance(each, ast.Name) else attribute
                if name in classes:
                    continue
                classes.add(name)
                for home, found in self.classes.get(name, []):
                    if home in self.imported:
                        own = [method for method in found.body if isinstance(method, ast.FunctionDef)]
                        methods += [(home, method) for method in own]
                        # Its bases, the types of its fields, and what runs without being named.
                        waiting += [(home, part) for part in [*found.bases, *found.body] if part not in own]
                        runs = [each for each in own if each.name in attributes or _runs_unnamed(each)]
                        waiting += [(home, method) for method in runs]
        return list(reached.values())

    def _import(self, module: str) -> None:
        if module not in self.imported:
            self.imported.add(module)
            for other, _ in self.imports.get(module, {}).values():
                self._import(other)

    def _functions_named(self, module: str, node: ast.AST) -> list[tuple[str, ast.AST]]:
        imports = self.imports[module]
        if isinstance(node, ast.Name):
            return self._at(imports.get(node.id, (module, node.id)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            home, name = imports.get(node.value.id, ("", "x"))
            return self._at((home, node.attr)) if name == "" else []
        return []

    def _at(self, where: tuple[str, str]) -> list[tuple[str, ast.AST]]:
        return [(where[0], node) for node in self.functions.get(where, [])]


def _calls(nodes: list[ast.AST]) -> set[tuple[str, str]]:
    """Return (service, operation) of each `aws.call("ecs", "run_task", …)` and `aws.client("ecs").run_task(…)`."""
    found = set()
    for node in (each for root in nodes for each in ast.walk(root)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        words = [word.value for word in node.args[:2] if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if node.func.attr in ("call", "pages", "answers") and len(words) == 2:
            found.add((words[0], words[1]))
        inner = node.func.value
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "client":
            assert isinstance(inner.args[0], ast.Constant), ast.unparse(inner)
            found.add((str(inner.args[0].value), node.func.attr))
    return found


def called_actions(hook: str) -> set[str]:
    """Return the IAM actions of the calls that a handler can reach."""
    nodes = Reach().from_handler(hook)
    actions = {
        f"{IAM_PREFIXES.get(service, service)}:{_operations(service)[operation]}"
        for service, operation in _calls(nodes)
    }
    actions = {IAM_ACTIONS.get(action, action) for action in actions}
    # The guard that all hooks share hands over, and only what has a `max_duration`.
    return actions if hasattr(HOOKS[hook], "max_duration") else actions - {"lambda:InvokeFunction"}


def granted_actions(hook: str) -> set[str]:
    """Return the actions that iam.tf grants to a hook with every option set, apart from VPC and KMS."""
    text = (ROOT / "iam.tf").read_text(encoding="utf-8")
    allowed = re.search(r"^  _actions = \{\n(.*?)^  \}", text, re.MULTILINE | re.DOTALL)
    assert allowed is not None
    permissions = {
        name: set(re.findall(r'"([\w-]+:\w+)"', actions))
        for name, actions in re.findall(r"^    (\w+)\s+= \[(.*?)\]", allowed[1], re.MULTILINE | re.DOTALL)
    }
    common = re.search(r"_common = concat\(\n\s+\[(.*?)\]", text, re.DOTALL)
    own = re.search(rf"^    {hook}\s+= (.*?)(?:^    \w+\s+= |^  \}})", text, re.MULTILINE | re.DOTALL)
    assert common is not None
    assert own is not None
    names = re.findall(r'"(\w+)"', common[1] + own[1])
    if f"module.tasks.grants.{hook}" in own[1]:
        tasks = (ROOT / "modules" / "tasks" / "outputs.tf").read_text(encoding="utf-8")
        names += re.findall(r'"(\w+)",', tasks)
    assert names
    return set().union(*(permissions[name] for name in names))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_role_allows_every_call_of_its_hook(hook: str) -> None:
    """A call that is denied would be an error in the middle of a deployment.

    What a check of the user's own declares, he allows through `policy_documents`.
    """
    called = called_actions(hook)
    assert "codedeploy:PutLifecycleEventHookExecutionStatus" in called
    denied = {each for each in called - granted_actions(hook) if each.partition(":")[2] not in own_operations(hook)}
    cure = "of a check of your own: declare it (`Named(…, calls=…, own=True)`), and allow it through `policy_documents`"
    assert denied == set(), cure


@pytest.mark.parametrize("hook", HOOKS)
def test_the_names_of_a_hook_declare_all_that_its_role_allows(hook: str) -> None:
    """What docs/checks.md says of permissions is what the role has, no more and no less."""
    handler: Any = importlib.import_module(hook).handler
    declared = {action for named in handler.names if not named.own for action in named.calls} | set(handler.calls)
    assert declared - NOT_CALLED == granted_actions(hook) - NOT_CALLED - OF_EVERY_HOOK - OF_ECS.get(hook, set())


@pytest.mark.parametrize("hook", HOOKS)
def test_a_role_allows_nothing_that_its_hook_does_not_call(hook: str) -> None:
    """A permission that nothing uses is one that only an intruder would use."""
    assert granted_actions(hook) - called_actions(hook) - NOT_CALLED == set()


def test_every_wildcard_has_its_reason() -> None:
    """docs/permissions.md has each statement that reaches further than one thing, as it is rendered, and no other."""
    reaches: dict[str, tuple[set[str], set[str]]] = {}
    for hook, statements in render({"everything": with_everything([])})["everything"].items():
        for statement in statements:
            for resource in _listed(statement["Resource"]):
                if "*" in resource:
                    actions, resources = reaches.setdefault(statement["Sid"], (set(), set()))
                    actions.update(_listed(statement["Action"]))
                    resources.add(_in_general(resource, hook))
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8").partition("## The policies")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|$", page, re.MULTILINE)
    told = {sid: (set(_quoted(actions)), set(_quoted(resources))) for sid, actions, resources, _ in rows}
    assert reaches
    assert told == reaches
    assert all(reason.strip().endswith(".") for *_, reason in rows)
    assert len(page.splitlines()) <= 60


def _runs_unnamed(method: ast.FunctionDef) -> bool:
    """Whether a method runs without being named: Python's own, and a check, which the handler finds by its mark."""
    marks = [
        each.func.id for each in method.decorator_list if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
    ]
    return method.name.startswith("__") or "check" in marks


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _in_general(arn: str, hook: str) -> str:
    """The part of an ARN that names a resource, with words for what is the stage's own."""
    named = arn.split(":", 5)[5] if arn.startswith("arn:") else arn
    named = named.replace(f"task/{STAGE['ecs_cluster_name']}/", "task/<cluster>/")
    named = named.replace(f"/{STAGE['ecs_cluster_name']}/{STAGE['ecs_service_name']}/", "/<cluster>/<service>/")
    return re.sub(f"(?<=[/:]){function_names()[hook]}:", "<function>:", named)
