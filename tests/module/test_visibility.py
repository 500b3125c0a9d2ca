"""What is told where people look: notifications, dashboard, saved queries and alarms, as the module makes them."""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from gate import waiting
from gate.verdict import Severity, failed, passed, skipped
from moto.events.models import EventPattern

from tests.json_schema import problems
from tests.module.conftest import ACCOUNT, ROOT, Terraform, write_stack
from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy
from tests.unit.gate.sample_hooks import Sample, context_of, hook_of

HOOKS = [path.stem for path in sorted((ROOT / "lambdas").glob("*.py"))]
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:team"
EVERYTHING: dict[str, Any] = {
    "notifications": {
        "team": {"topic_arn": TOPIC},
        "chat": {"topic_arn": TOPIC, "statuses": ["SUCCEEDED", "FAILED"], "format": "chat"},
    },
    "create_dashboard": True,
    "alarm_actions": [TOPIC],
    "timeout": 600,
    "tags": {"Team": "checkout"},
}
Changes = dict[str, dict[str, Any]]


def changes(plan: Mapping[str, Any]) -> Changes:
    """What a plan makes of the submodule, by address within it."""
    start = "module.lambda.module.visibility."
    return {
        change["address"].removeprefix(start): change["change"]["after"]
        for change in plan["resource_changes"]
        if change["address"].startswith(start) and change["mode"] == "managed"
    }


@pytest.fixture(scope="module")
def made(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Changes:
    """The submodule with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("everything")
    write_stack(folder, ROOT, EVERYTHING)
    terraform.init(folder)
    return changes(terraform.planned(folder))


def test_with_the_seven_inputs_nothing_is_created(terraform: Terraform, stack: Path) -> None:
    write_stack(stack, ROOT, {})
    assert changes(terraform.planned(stack)) == {}


def test_what_is_created(made: Changes) -> None:
    alarms = {f'aws_cloudwatch_metric_alarm.function["{hook}:{kind}"]' for hook in HOOKS for kind in KINDS}
    queries = {
        f'aws_cloudwatch_query_definition.hooks["{name}"]'
        for name in ("why did this deployment stop", "what was skipped or softened lately")
    }
    both = {f'aws_cloudwatch_event_{kind}.notification["{name}"]' for kind in ("rule", "target") for name in NOTIFIED}
    assert set(made) == {*alarms, *queries, *both, "aws_cloudwatch_dashboard.hooks[0]"}


def test_it_can_be_applied_and_a_second_plan_is_empty(terraform_on_moto: Terraform, tmp_path: Path) -> None:
    """With a topic and a bus of the same stack, whose ARNs no plan knows. Of queries moto knows nothing."""
    arn = "${aws_sns_topic.team.arn}"
    notifications = {name: {**each, "topic_arn": arn} for name, each in EVERYTHING["notifications"].items()}
    bus = "${aws_cloudwatch_event_bus.own.arn}"
    inputs = {**EVERYTHING, "notifications": notifications, "alarm_actions": [arn], "event_bus": bus}
    write_stack(tmp_path, ROOT, inputs)
    policy = {"arn": arn, "policy": '${module.lambda.notification_topic_policies["team"]}'}
    resources = {
        "aws_sns_topic": {"team": {"name": "team"}},
        "aws_cloudwatch_event_bus": {"own": {"name": "deployments"}},
        "aws_sns_topic_policy": {"team": policy},
    }
    (tmp_path / "topic.tf.json").write_text(json.dumps({"resource": resources}), encoding="utf-8")
    kinds = ("event_target.notification", "dashboard.hooks", "metric_alarm.function")
    targets = [f"-target=module.lambda.module.visibility.aws_cloudwatch_{kind}" for kind in kinds]
    targets.append("-target=aws_sns_topic_policy.team")
    terraform_on_moto.init(tmp_path)
    applied = terraform_on_moto.run(tmp_path, "apply", "-no-color", "-auto-approve", *targets)
    assert applied.returncode == 0, applied.stdout
    again = terraform_on_moto.plan(tmp_path, "-detailed-exitcode", *targets)
    assert again.returncode == 0, again.stdout


# Notifications

NOTIFIED = ("chat", "team")
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


def example(**changes: Any) -> dict[str, Any]:
    """The event of the documents, with changes of its detail, as one of this stack's functions sends it."""
    found = re.search(r"<!-- example -->\n```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert found
    event: dict[str, Any] = json.loads(found[1])
    function = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:CodeDeployHook_orders-staging-validate-test-traffic"
    return {**event, "resources": [function], "detail": {**event["detail"], **changes}}


def matches(rule: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether a rule takes an event, by moto's reading of patterns."""
    told: Any = dict(event)
    return bool(EventPattern.load(rule["event_pattern"]).matches_event(told))


@pytest.mark.parametrize(
    ("event", "reached"),
    [
        (example(), {"chat", "team"}),
        (example(status="SUCCEEDED"), {"chat"}),
        ({**example(), "resources": [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:other-stack"]}, set()),
        ({**example(), "source": "somebody-else"}, set()),
        ({**example(), "detail-type": "Something Else"}, set()),
    ],
    ids=["failed", "succeeded", "another stack", "another source", "another type"],
)
def test_a_rule_takes_the_verdicts_of_its_own_functions(made: Changes, event: Any, reached: set[str]) -> None:
    rules = {name: made[f'aws_cloudwatch_event_rule.notification["{name}"]'] for name in NOTIFIED}
    assert {name for name, rule in rules.items() if matches(rule, event)} == reached
    assert {rule["name"] for rule in rules.values()} == {f"CodeDeployHook_orders-staging-{name}" for name in NOTIFIED}
    assert all(rule["event_bus_name"] == "default" and rule["tags"] == {"Team": "checkout"} for rule in rules.values())


def transformed(made: Changes, name: str, event: Mapping[str, Any]) -> str:
    """What a topic gets, by the rules of the EventBridge user guide ("Input transformation").

    In quotes a variable is its text, escaped where it has quotes itself; elsewhere it is JSON.
    """
    (transformer,) = made[f'aws_cloudwatch_event_target.notification["{name}"]']["input_transformer"]
    values: dict[str, Any] = {}
    for key, path in transformer["input_paths"].items():
        found: Any = event
        for part in path.removeprefix("$.").split("."):
            found = found[part]  # a variable whose path is not there would be left out
        values[key] = found
    template = transformer["input_template"]
    assert set(re.findall(r"<([\w-]+)>", template)) <= set(values)

    def in_quotes(text: re.Match[str]) -> str:
        return re.sub(r"<([\w-]+)>", lambda each: json.dumps(values[each[1]])[1:-1], text[0])

    whole = re.sub(r'"[^"]*"', in_quotes, template)
    return re.sub(r"<([\w-]+)>(?=[,}\]])", lambda each: json.dumps(values[each[1]]), whole)


AWKWARD = 'the body is "<html>" where {"status": "ok"} was expected; C:\\path'


def test_a_mail_begins_with_the_message(made: Changes) -> None:
    lines = transformed(made, "team", example(message=AWKWARD)).splitlines()
    told = "FAILED: validate_test_traffic (AfterAllowTestTraffic) of deployment d-9XKQ2ABCD, service main/shop, "
    assert [json.loads(line) for line in lines][:2] == [AWKWARD, f"{told}shop production"]
    assert json.loads(lines[2]).startswith("Log: https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#")
    assert len(lines) == 3


def test_a_chat_gets_what_its_schema_asks_for(made: Changes) -> None:
    """Amazon Q Developer in chat applications, custom notifications: version, source, and a description."""
    told = json.loads(transformed(made, "chat", example(message=AWKWARD)))
    assert (told["version"], told["source"]) == ("1.0", "custom")
    assert told["content"]["textType"] == "client-markdown"
    assert told["content"]["description"] == AWKWARD
    assert told["content"]["title"] == "FAILED: validate_test_traffic of shop production"
    assert told["content"]["nextSteps"][1].startswith("[Log](https://console.aws.amazon.com/")
    assert told["metadata"]["threadId"] == "d-9XKQ2ABCD"
    assert set(told) == {"version", "source", "content", "metadata"}


# Dashboard. The rules are those of "Dashboard Body Structure and Syntax" in CloudWatch's API reference.

TITLED = {"title": {"type": "string"}, "region": {"type": "string", "pattern": "^eu-west-1$"}}
PROPERTIES: dict[str, dict[str, Any]] = {
    "log": {
        "type": "object",
        "additionalProperties": False,
        "required": ["query", "region"],
        "properties": {
            **TITLED,
            "query": {"type": "string", "pattern": r"^SOURCE '"},
            "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
            "stacked": {"type": "boolean"},
        },
    },
    "metric": {
        "type": "object",
        "additionalProperties": False,
        "required": ["metrics", "region"],
        "properties": {
            **TITLED,
            "metrics": {"type": "array", "maxItems": 500, "items": {"type": "array"}},
            "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
            "stacked": {"type": "boolean"},
            "stat": {"type": "string", "pattern": r"^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$"},
            "period": {"enum": [1, 5, 10, 30, 60, 300, 3600]},
            "annotations": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "horizontal": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["value"],
                            "properties": {"value": {"type": "number"}, "label": {"type": "string"}},
                        },
                    }
                },
            },
        },
    },
}
BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["widgets"],
    "properties": {
        "start": {"type": "string", "pattern": r"^-P(\d+[DWMY]|T\d+[HM])$"},
        "widgets": {
            "type": "array",
            "maxItems": 500,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "properties"],
                "properties": {
                    "type": {"enum": list(PROPERTIES)},
                    "x": {"type": "integer", "minimum": 0, "maximum": 23},
                    "y": {"type": "integer", "minimum": 0},
                    "width": {"type": "integer", "minimum": 1, "maximum": 24},
                    "height": {"type": "integer", "minimum": 1, "maximum": 1000},
                    "properties": {"type": "object"},
                },
            },
        },
    },
}


def body(made: Changes) -> dict[str, Any]:
    """The dashboard's body."""
    found: dict[str, Any] = json.loads(made["aws_cloudwatch_dashboard.hooks[0]"]["dashboard_body"])
    return found


def test_the_dashboard_is_what_cloudwatch_takes(made: Changes) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", made["aws_cloudwatch_dashboard.hooks[0]"]["dashboard_name"])
    assert list(problems(body(made), BODY)) == []
    for widget in body(made)["widgets"]:
        assert list(problems(widget["properties"], PROPERTIES[widget["type"]])) == []


def test_no_widget_lies_on_another_or_beside_the_page(made: Changes) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body(made)["widgets"]:
        rows = range(widget["y"], widget["y"] + widget["height"])
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(row, column) for row in rows for column in columns}
        assert not cells & taken, widget["properties"]["title"]
        assert max(columns) < 24
        taken |= cells


def test_each_widget_is_about_all_five_functions(made: Changes) -> None:
    names = {f"CodeDeployHook_orders-staging-{hook.replace('_', '-')}" for hook in HOOKS}
    for widget in body(made)["widgets"]:
        properties = widget["properties"]
        if widget["type"] == "log":
            assert set(re.findall(r"SOURCE '/aws/lambda/([^']+)'", properties["query"])) == names
        else:
            metrics = properties["metrics"]
            assert {metric[3] for metric in metrics} == names
            assert {tuple(metric[:3:2]) for metric in metrics} == {("AWS/Lambda", "FunctionName")}
            assert {metric[4]["label"] for metric in metrics} == set(HOOKS)
    assert sorted(metric["properties"]["metrics"][0][1] for metric in body(made)["widgets"][4:]) == [
        "Duration", "Errors", "Throttles",
    ]  # fmt: skip
    assert body(made)["widgets"][-1]["properties"]["annotations"]["horizontal"][0]["value"] == 600_000


# Queries

WORDS_OF_QUERIES = {
    *("and", "or", "in", "as", "by", "asc", "desc", "like", "not"),  # operators
    *("filter", "fields", "stats", "sort", "limit"),  # commands
    *("sum", "count", "avg", "max", "pct", "latest", "bin", "strcontains", "coalesce"),  # functions
    *("1h",),
}


def queries(made: Changes) -> dict[str, str]:
    """All queries, by name."""
    saved = {change["name"]: change["query_string"] for key, change in made.items() if "query_definition" in key}
    widgets = [widget["properties"] for widget in body(made)["widgets"] if widget["type"] == "log"]
    return {**saved, **{each["title"]: re.sub(r"SOURCE '[^']+' \| ", "", each["query"]) for each in widgets}}


def fields_of(query: str) -> tuple[set[str], set[str]]:
    """The fields that a query reads, and the texts that it compares them with."""
    lines = [re.sub(r"^\s*# ?", "", line) for line in query.splitlines() if "Of one deployment" not in line]
    text = "\n".join(lines)
    texts = set(re.findall(r'"([^"]*)"', text))
    bare = re.sub(r'"[^"]*"', "", text)
    named = set(re.findall(r"\bas (\w+)", bare))
    words = set(re.findall(r"@?[A-Za-z_][\w]*", re.sub(r"\b\d+\w*", "", bare)))
    return {word for word in words - named - WORDS_OF_QUERIES if not word.startswith("@")}, texts


@pytest.fixture(scope="module")
def formatter() -> Iterator[logging.Formatter]:
    """What writes a function's log in Lambda: that of AWS's runtime client."""
    (place,) = (ROOT / ".build" / "runtime").glob("lib/python*/site-packages/awslambdaric/lambda_runtime_log_utils.py")
    spec = importlib.util.spec_from_file_location("lambda_runtime_log_utils", place)
    assert spec
    assert spec.loader
    module: Any = ModuleType(spec.name)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module.JsonFormatter()
    del sys.modules[spec.name]


@pytest.fixture
def lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> list[dict[str, Any]]:
    """The log of a deployment that has everything that queries ask for, as CloudWatch gets it."""
    codedeploy = CodeDeploy()
    names = {"APP_NAME": "shop", "ENVIRONMENT": "test", "ECS_CLUSTER": "main", "ECS_SERVICE": "web"}
    for name, value in {**names, "AWS_ENDPOINT_URL": codedeploy.url}.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.INFO, logger="gate")
    hook_of(
        Sample("good", lambda: passed("fine")),
        Sample("bad", lambda: failed("bad is 3")),
        Sample("odd", lambda: failed("odd"), Severity.WARN),
        Sample("none", lambda: skipped("nothing is there", opted_out=True)),
    )(EVENT, context_of(900))
    codedeploy.close()
    return [json.loads(formatter.format(record)) for record in caplog.records if record.name == "gate"]


def test_queries_ask_for_fields_that_the_log_has(made: Changes, lines: list[dict[str, Any]]) -> None:
    """A field that no line has would be an empty column, and a filter that finds nothing."""
    known: set[str] = set()
    values: set[str] = set()
    for line in lines:
        known |= line.keys()
        values |= {value for value in line.values() if isinstance(value, str)}
    # What other lines than these have: a hook that goes on, a check that could not look, overrides; the column's name.
    values |= {"SUCCEEDED", "CONTINUED", "error", "overrides", "verdict", "d-XXXXXXXXX"}
    for name, query in queries(made).items():
        fields, texts = fields_of(query)
        assert fields
        assert fields - known == set(), name
        assert texts - values == set(), name


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ('filter state = "FAILED"\n| fields @timestamp, hok', {"state", "hok"}),
        ("stats count(*) as times by hook, check\n| sort times desc", {"hook", "check"}),
        ('# | filter deployment_id = "x"', {"deployment_id"}),
    ],
)
def test_fields_are_found_in_queries(query: str, fields: set[str]) -> None:
    assert fields_of(query)[0] == fields


def test_a_line_of_a_query_begins_with_its_command(made: Changes) -> None:
    """The parts of a query are joined by `|`; a comment begins with #."""
    for query in queries(made).values():
        first, *rest = [line.strip() for line in query.strip().splitlines() if not line.lstrip().startswith("#")]
        assert first.startswith("filter ")
        assert all(re.match(r"\| (fields|stats|sort|limit|filter) ", line) for line in rest)


# Alarms

KINDS = ("errors", "throttles", "time_out")


def test_the_alarms_of_each_function(made: Changes) -> None:
    for hook in HOOKS:
        name = f"CodeDeployHook_orders-staging-{hook.replace('_', '-')}"
        alarms = {kind: made[f'aws_cloudwatch_metric_alarm.function["{hook}:{kind}"]'] for kind in KINDS}
        told = {kind: (a["metric_name"], a["statistic"], a["threshold"]) for kind, a in alarms.items()}
        assert told == {
            "errors": ("Errors", "Sum", 1),
            "throttles": ("Throttles", "Sum", 1),
            # The watchdog's moment: half of the seconds that are kept for the report.
            "time_out": ("Duration", "Maximum", (EVERYTHING["timeout"] - waiting.RESERVE / 2) * 1000),
        }
        for kind, alarm in alarms.items():
            assert alarm["alarm_name"] == f"{name}-{kind.replace('_', '-')}"
            assert name in alarm["alarm_description"]
            assert (alarm["namespace"], alarm["dimensions"]) == ("AWS/Lambda", {"FunctionName": name})
            assert (alarm["alarm_actions"], alarm["treat_missing_data"]) == ([TOPIC], "notBreaching")
            assert alarm["comparison_operator"] == "GreaterThanOrEqualToThreshold"
