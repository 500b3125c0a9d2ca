"""The policies that the module renders, and what calls ask of them: is each call allowed, is each permission needed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.aws.iam_policies import ALLOWED, Statement, judge
from rehearsal.aws.iam_requests import Asked
from rehearsal.own import is_own, own_operations

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".build" / "policies"
HOOKS = tuple(path.stem for path in sorted((ROOT / "lambdas").glob("*.py")))
REGION = "eu-west-1"
ACCOUNT = "123456789012"  # moto's own, and so that of the tests of handlers

# What the tests of handlers stand for (rehearsal/testing/stage.py).
STAGE = {
    "app_name": "shop",
    "environment": "test",
    "aws_region": REGION,
    "ecs_cluster_name": "main",
    "ecs_service_name": "shop",
}
# What lets a hook do more than without it. All of it together makes the policies that calls are judged by.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "run_migrations": {"run_migrations": {"command": ["migrate"]}},
    "smoke_test_in_tests": {"validate_test_traffic": {"smoke_test": {"command": ["pytest"]}}},
    "smoke_test_in_production": {"validate_production": {"smoke_test": {"command": ["pytest"]}}},
    "callers": {"callers": ["codedeploy", "ecs"]},
    "hand_over": {"validate_production": {"duration": 600}},
    # In a VPC events are off unless they are asked for.
    "vpc_config": {"vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a"]}, "send_events": True},
    "kms_key_arn": {"kms_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
    "image_tag_in_tests": {
        "validate_test_traffic": {"http_checks": {"tag": {"response_headers": {"X-V": {"equals": "{image_tag}"}}}}}
    },
    "image_tag_in_production": {
        "validate_production": {"http_checks": {"tag": {"response_headers": {"X-Version": {"equals": "{image_tag}"}}}}}
    },
}

REFERENCE = re.compile(
    r"([!-~]+ )?arn:[a-z-]+:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+(:[^:]+)?"
    r"|ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+)",
    re.ASCII,
)
TRAFFIC = ("validate_test_traffic", "validate_production")
# Where a secret header may come from.
KINDS = {
    "X-Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/token-AbCdEf",
    "X-Parameter": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/api-key",
}

Policies = dict[str, list[dict[str, Any]]]
"""Statements by hook."""


def function_names() -> dict[str, str]:
    """Return the names of the functions on the stage, by hook."""
    start = f"CodeDeployHook_{STAGE['app_name']}-{STAGE['environment']}-"
    return {hook: start + hook.replace("_", "-") for hook in HOOKS}


def merged(*inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Merge inputs of the module, objects in objects."""
    result: dict[str, Any] = {}
    for each in inputs:
        for name, value in each.items():
            known = result.get(name)
            both = isinstance(known, dict) and isinstance(value, Mapping)
            result[name] = merged(known or {}, value) if both else value
    return result


def render(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, Policies]:
    """Return the policies that the module renders for several sets of inputs, on top of the stage's five names.

    One plan, offline, for all sets; kept below .build/ for as long as neither the module nor the inputs change.
    """
    inputs = {name: merged(STAGE, each) for name, each in stacks.items()}
    sources = [path.read_bytes() for path in [*sorted(ROOT.glob("*.tf")), *sorted(ROOT.glob("modules/**/*.tf"))]]
    wanted = json.dumps(inputs, sort_keys=True).encode()
    kept = CACHE / f"{hashlib.sha256(b''.join([*sources, wanted])).hexdigest()[:24]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False, encoding="utf-8") as scratch:
            json.dump(_planned(inputs), scratch, indent=1)
        Path(scratch.name).replace(kept)
    found: dict[str, Policies] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _planned(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Policies]:
    from tools.offline import ACCOUNT as PLANNED_ACCOUNT
    from tools.offline import offline

    with tempfile.TemporaryDirectory() as folder, offline() as terraform:
        # Relative: from an absolute source Terraform would copy the whole project.
        source = Path(os.path.relpath(ROOT, Path(folder).resolve())).as_posix()
        stack = {"module": {name: {"source": source, **each} for name, each in inputs.items()}}
        (Path(folder) / "main.tf.json").write_text(json.dumps(stack), encoding="utf-8")
        terraform.init(Path(folder))
        # The policies alone: a plan of the functions would ask for packages that fit the sources.
        targets = [f"-target=module.{name}.aws_iam_role_policy.hook" for name in inputs]
        plan = terraform.planned(Path(folder), *targets)
    policies: dict[str, Policies] = {name: {} for name in inputs}
    for change in plan["resource_changes"]:
        if change["type"] == "aws_iam_role_policy" and change["name"] == "hook" and change["index"] != "ecs":
            document = change["change"]["after"]["policy"].replace(PLANNED_ACCOUNT, ACCOUNT)
            name = change["module_address"].removeprefix("module.")
            policies[name][change["index"]] = json.loads(document)["Statement"]
    assert all(sorted(each) == sorted(HOOKS) for each in policies.values())
    return policies


@dataclass
class Noted:
    """What handlers asked of IAM."""

    asked: dict[tuple[str, Asked], str] = field(default_factory=dict)
    """By hook and question: the first test in which it was asked."""
    secrets: set[tuple[str, str]] = field(default_factory=set)
    """Hook, and a secret header of its settings."""
    problems: set[str] = field(default_factory=set)
    enforced: set[str] = field(default_factory=set)
    """Actions that moto's own IAM has judged."""
    remarks: set[str] = field(default_factory=set)
    calls: int = 0

    def plain(self) -> Any:
        """Return it as JSON has it."""
        asked = [(hook, [each.action, each.resource, each.context], test) for (hook, each), test in self.asked.items()]
        return [asked, list(self.secrets), list(self.problems), list(self.enforced), list(self.remarks), self.calls]

    def add(self, plain: Any) -> None:
        """Take in what another process noted."""
        if plain:
            asked, secrets, problems, enforced, remarks, calls = plain
            for hook, (action, resource, context), test in asked:
                question = Asked(action, resource, tuple((key, value) for key, value in context))
                self.asked.setdefault((hook, question), test)
            self.secrets.update((hook, value) for hook, value in secrets)
            self.problems |= set(problems)
            self.enforced |= set(enforced)
            self.remarks |= set(remarks)
            self.calls += calls


@dataclass(frozen=True, eq=False)
class Grant:
    """One action on one resource pattern of one statement."""

    hook: str
    sid: str
    action: str
    pattern: str
    statement: Statement

    def __str__(self) -> str:
        return f"{self.hook}: {self.sid} allows {self.action} on {self.pattern}"


def grants(policies: Policies) -> list[Grant]:
    """Take policies apart."""
    return [
        Grant(
            hook,
            body["Sid"],
            action,
            pattern,
            Statement(body["Sid"], {**body, "Action": action, "Resource": pattern}),
        )
        for hook, statements in policies.items()
        for body in statements
        for action in _listed(body["Action"])
        for pattern in _listed(body["Resource"])
    ]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


# Permissions that no handler's call needs, each with its reason.
EXCEPTIONS = {
    ("WriteLogs", "logs:CreateLogStream"): "Lambda itself opens the function's log stream, as the function's role",
    ("WriteLogs", "logs:PutLogEvents"): "Lambda itself writes what the function prints, as the function's role",
    ("UseNetwork", "ec2:CreateNetworkInterface"): "Lambda puts a function into a VPC as its role, and refuses without",
    ("UseNetwork", "ec2:DescribeNetworkInterfaces"): "as above: Lambda looks for the interface",
    ("UseNetwork", "ec2:DescribeSubnets"): "as above: Lambda looks at the subnets",
    ("UseNetwork", "ec2:DeleteNetworkInterface"): "as above: Lambda removes the interface",
    ("UseNetwork", "ec2:AssignPrivateIpAddresses"): "as above, in AWS's own AWSLambdaVPCAccessExecutionRole",
    ("UseNetwork", "ec2:UnassignPrivateIpAddresses"): "as above, in AWS's own AWSLambdaVPCAccessExecutionRole",
    ("DecryptEnvironment", "kms:Decrypt"): "Lambda decrypts the function's environment as its role before it starts",
}


@dataclass(frozen=True)
class Judged:
    """What came of it."""

    questions: int
    permissions: int
    excepted: int
    denied: list[str]
    """Calls that are not allowed."""
    unneeded: list[str] | None
    """Permissions that no call needs; None if the run had not all tests of the handlers."""
    stale: list[str]
    """Exceptions for nothing."""

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong."""
        return [*self.denied, *(self.unneeded or []), *self.stale]


def judge_asked(
    policies: Policies,
    asked: Mapping[tuple[str, Asked], str],
    *,
    whole: bool,
    exceptions: Mapping[tuple[str, str], str] = EXCEPTIONS,
) -> Judged:
    """Judge both ways: is each question answered with yes, and would without a permission one be answered with no."""
    every = grants(policies)
    excepted = [grant for grant in every if (grant.sid, grant.action) in exceptions]
    stale = set(exceptions) - {(grant.sid, grant.action) for grant in excepted}
    by_action: dict[tuple[str, str], list[Grant]] = {}
    for grant in every:
        if grant not in excepted:
            by_action.setdefault((grant.hook, grant.action), []).append(grant)
    needed: set[Grant] = set()
    denied: list[str] = []
    for (hook, question), test in sorted(asked.items()):
        context = {key.casefold(): [value] for key, value in question.context}
        allowing = [
            grant
            for grant in by_action.get((hook, question.action), [])
            if judge([grant.statement], question.action, question.resource, context).decision == ALLOWED
        ]
        if not allowing and question.action.partition(":")[2] in own_operations(hook):
            continue  # of a check of the user's own, who allows it through `policy_documents`
        if not allowing:
            keys = "".join(f", {key} = {value}" for key, value in question.context)
            denied.append(f"{hook} may not {question.action} on {question.resource}{keys} ({test})")
        elif len(allowing) == 1:
            needed.add(allowing[0])
    judged = [grant for grants in by_action.values() for grant in grants]
    return Judged(
        questions=len(asked),
        permissions=len(judged),
        excepted=len(excepted),
        denied=denied,
        unneeded=_unneeded(judged, needed) if whole else None,
        stale=[f"exception {sid} {action}: there is no such permission" for sid, action in sorted(stale)],
    )


def _unneeded(judged: Iterable[Grant], needed: set[Grant]) -> list[str]:
    """Permissions that no call needs; a handler of the user's own has those of the shipped one."""
    return [f"{each}: no call needs it" for each in judged if each not in needed and not is_own(each.hook)]


def plain_secret(arn: str) -> str:
    """Return a secret's ARN with the same six characters at its end, which are others in each test."""
    return re.sub(r"(:secret:[^:]+-)[A-Za-z0-9]{6}(?=:|$)", r"\1AbCdEf", arn)


def secret_headers(settings: Any) -> Iterator[str]:
    """Yield the secret headers anywhere in a hook's settings."""
    waiting = [settings]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            headers = value.get("secret_headers")
            if isinstance(headers, dict):
                yield from (plain_secret(str(header)) for header in headers.values())
            waiting += value.values()


def with_everything(secrets: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the inputs of a module with every option, and with these secret headers (hook, value)."""
    headers = [
        {hook: {"http_checks": {f"s{number}": {"secret_headers": {"X-Key": value}}}}}
        for number, (hook, value) in enumerate(sorted(set(secrets)))
        if REFERENCE.fullmatch(value)  # what is none a plan refuses, as the hook did
    ]
    kinds = [{hook: {"http_checks": {"kinds": {"secret_headers": KINDS}}}} for hook in TRAFFIC]
    return merged(*OPTIONS.values(), *kinds, *headers)


NARROWED = {
    "codedeploy_application_name": "shop",
    "codedeploy_deployment_group_name": "shop",
    "run_migrations": {
        "pass_role_arns": [f"arn:aws:iam::{ACCOUNT}:role/shop-task", f"arn:aws:iam::{ACCOUNT}:role/shop-execution"]
    },
}
"""The names of what is on the stage, by which a team may narrow the policies."""


def judge_noted(noted: Noted, *, whole: bool) -> tuple[list[str], list[str]]:
    """Judge what handlers asked by the module's policies; return a report of it and all that is wrong."""
    inputs = with_everything(noted.secrets)
    rendered = render({"wide": inputs, "narrow": merged(inputs, NARROWED)})
    wide = judge_asked(rendered["wide"], noted.asked, whole=whole)
    narrow = judge_asked(rendered["narrow"], noted.asked, whole=False)
    needed = "not judged: not all of tests/unit/handlers ran"
    if wide.unneeded is not None:
        needed = f"{wide.permissions - len(wide.unneeded)} needed, {wide.excepted} excepted with a reason"
    report = [
        f"calls of handlers       {noted.calls}",
        f"asked of IAM            {wide.questions} questions, {wide.questions - len(wide.denied)} answered with yes",
        f"permissions             {wide.permissions + wide.excepted} (statement, action, resource pattern): {needed}",
    ]
    if noted.enforced:
        report.append(f"enforced by moto        {len(noted.enforced)} operations of five hooks")
    report += sorted(noted.remarks)
    return report, [*noted.problems, *wide.faults, *(f"by narrowed policies: {each}" for each in narrow.denied)]
