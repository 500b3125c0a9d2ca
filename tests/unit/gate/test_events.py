"""gate.events: the verdict on EventBridge, after the report, and what may go wrong with it."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gate import VERSION, aws, events
from gate.runner import Gate
from gate.verdict import Finding, Severity, error, failed, passed

from tests.json_schema import problems
from tests.unit.gate.codedeploy_server import EVENT, REPORT, CodeDeploy, Reply, deployment, refused, throttled
from tests.unit.gate.conftest import Clock
from tests.unit.gate.sample_hooks import (
    FUNCTION,
    HOOK,
    LongHook,
    Sample,
    WordlessError,
    context_of,
    good,
    handler_of,
    hook_of,
    lambda_context,
)

PUT = "PutEvents"
ARRIVED = Reply({"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"}]})
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
GROUP = "/aws/lambda/CodeDeployHook_shop-test"
BAD = Sample("bad", lambda: failed("bad is 3, expected 2"))


def block(name: str) -> Any:
    """A block of JSON in docs/events.md."""
    found = re.search(rf"<!-- {name} -->\n```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert found
    return json.loads(found[1])


SCHEMA = block("schema")


@pytest.fixture
def bus(codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> CodeDeploy:
    """The double, with a bus that takes events; and as much time for it as a slow machine needs."""
    codedeploy.replies[PUT] = [ARRIVED]
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"event_bus": "default"}))
    monkeypatch.setattr(events, "SECONDS", 60.0)
    monkeypatch.setattr(events, "CALL_SECONDS", 60.0)
    return codedeploy


def context(function: str = FUNCTION) -> Any:
    """What Lambda tells a function of itself."""
    where: dict[str, Any] = {
        "log_group_name": GROUP,
        "log_stream_name": "2026/11/30/[$LATEST]0f",
        "aws_request_id": "request-0",
    }
    return context_of(invoked_function_arn=function, **where)


def entries(bus: CodeDeploy) -> list[dict[str, Any]]:
    """What was sent to the bus, refused calls included."""
    return [entry for operation, parameters in bus.calls if operation == PUT for entry in parameters["Entries"]]


def sent(bus: CodeDeploy) -> dict[str, Any]:
    """The detail of the one event, which is as its schema has it."""
    (entry,) = entries(bus)
    detail: dict[str, Any] = json.loads(entry["Detail"])
    assert list(problems(detail, SCHEMA)) == []
    return detail


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of events that were not sent."""
    return [record.getMessage() for record in caplog.records if "event of this verdict" in record.getMessage()]


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its times."""
    checks = [{key: value for key, value in check.items() if key != "duration_ms"} for check in answer["checks"]]
    return {**answer, "checks": checks, "duration_ms": 0}


# What is sent


def test_the_verdict_is_sent_once_it_is_reported(bus: CodeDeploy) -> None:
    answer = hook_of(good(), BAD)(EVENT, context(f"{FUNCTION}:live"))
    assert [operation for operation, _ in bus.calls][-2:] == [REPORT, PUT]
    (entry,) = entries(bus)
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"], entry["Resources"]) == (
        "default", "codedeploy-hooks", "Deployment Hook Verdict", [FUNCTION],
    )  # fmt: skip
    detail = sent(bus)
    assert 0 <= detail.pop("duration_ms") <= answer["duration_ms"]
    assert detail.pop("log")["request_id"] == "request-0"
    assert detail == {
        "schema_version": "1.0",
        "module_version": VERSION,
        "hook": HOOK,
        "platform": "codedeploy",
        "lifecycle_event": "AfterInstall",
        "stage": "",
        "app_name": "shop",
        "environment": "test",
        "cluster": "main",
        "service": "web",
        "application": "shop",
        "deployment_group": "shop-group",
        "deployment_id": "d-ABCDEF123",
        "status": "FAILED",
        "message": "bad is 3, expected 2",
        "failed_checks": [
            {"name": "bad", "outcome": "failed", "severity": "fail", "detail": "bad is 3, expected 2"},
        ],
        "failed_checks_left_out": 0,
        "overrides": [],
    }


def test_what_stopped_comes_before_what_only_warns(bus: CodeDeploy) -> None:
    hook_of(Sample("odd", lambda: failed("odd"), Severity.WARN), Sample("gone", lambda: error("gone")), good())(EVENT)
    detail = sent(bus)
    assert [(each["name"], each["outcome"], each["severity"]) for each in detail["failed_checks"]] == [
        ("gone", "error", "fail"),
        ("odd", "failed", "warn"),
    ]


def test_a_success_is_told_too_with_what_was_overridden(bus: CodeDeploy) -> None:
    bus.replies["GetDeployment"] = [deployment(description="[warn bad] it is known")]
    hook_of(good(), BAD)(EVENT)
    detail = sent(bus)
    assert (detail["status"], detail["overrides"]) == ("SUCCEEDED", [{"name": "bad", "severity": "warn"}])
    assert detail["failed_checks"][0]["severity"] == "warn"


def test_the_example_of_the_documents_is_as_the_schema_has_it() -> None:
    example = block("example")
    assert list(problems(example["detail"], SCHEMA)) == []
    assert (example["source"], example["detail-type"]) == (events.SOURCE, events.DETAIL_TYPE)
    assert example["detail"]["schema_version"] == events.SCHEMA_VERSION
    assert example["detail"]["module_version"] == VERSION
    assert set(example["detail"]) == set(SCHEMA["required"]) == set(SCHEMA["properties"])


def test_the_schema_refuses_what_is_not_so() -> None:
    detail = {**block("example")["detail"], "status": "CONTINUED", "duration_ms": True, "more": 1}
    del detail["message"]
    assert list(problems(detail, SCHEMA)) == [
        "$ lacks message",
        "$.status is 'CONTINUED', expected ['SUCCEEDED', 'FAILED']",
        "$.duration_ms is True, no integer",
        "$ has more, which the schema does not",
    ]


def test_without_a_bus_none_is_sent(bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    for settings in ({}, {"event_bus": ""}, {"event_bus": None}, {"event_bus": 3}):
        monkeypatch.setenv("HOOK_SETTINGS", json.dumps(settings))
        assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert entries(bus) == []


def test_an_invocation_that_lets_another_continue_sends_none(bus: CodeDeploy, clock: Clock) -> None:
    hook = LongHook(clock, 2000)
    answers = hook.play(bus)
    assert [answer["status"] for answer in answers] == ["CONTINUED", "CONTINUED", "SUCCEEDED"]
    detail = sent(bus)
    assert detail["duration_ms"] >= 2_000_000
    assert detail["duration_ms"] <= answers[-1]["duration_ms"]


def test_settings_that_cannot_be_used_are_told_of(bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", json.dumps({"event_bus": "deployments", "typo": 1}))
    hook_of(good())(EVENT)
    assert entries(bus)[0]["EventBusName"] == "deployments"
    detail = sent(bus)
    assert (detail["message"], detail["application"]) == ("sample_hooks has no option typo; it has checks", "")
    assert (detail["cluster"], detail["service"]) == ("main", "web")


def test_so_is_an_event_that_is_not_codedeploys(bus: CodeDeploy) -> None:
    hook_of(good())({"DeploymentId": "d-" + "x" * 100_000})
    detail = sent(bus)
    assert detail["message"].startswith("the event is not CodeDeploy's")
    assert (len(detail["deployment_id"]), detail["cluster"]) == (300, "")


def test_unreadable_settings_name_no_bus_and_stop_nothing(
    bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOOK_SETTINGS", "{")
    assert "HOOK_SETTINGS is not JSON" in hook_of(good())(EVENT)["message"]
    assert (entries(bus), warnings(caplog), bus.statuses) == ([], [], ["Failed"])


def test_a_report_that_did_not_get_through_is_no_verdict_yet(bus: CodeDeploy) -> None:
    bus.replies[REPORT] = [refused("DeploymentDoesNotExistException")]
    with pytest.raises(Exception, match="could not be reported"):
        hook_of(good())(EVENT)
    assert entries(bus) == []


# The log


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "eu-west-1", "https://console.aws.amazon.com/"),
        ("aws-cn", "cn-north-1", "https://console.amazonaws.cn/"),
        ("aws-us-gov", "us-gov-west-1", "https://console.amazonaws-us-gov.com/"),
        ("aws-iso", "us-iso-east-1", ""),
        ("aws-eusc", "eusc-de-east-1", ""),
    ],
)
def test_the_link_leads_to_all_lines_of_the_deployment(
    bus: CodeDeploy, partition: str, region: str, console: str
) -> None:
    hook_of(good())(EVENT, context(f"arn:{partition}:lambda:{region}:111122223333:function:CodeDeployHook_shop-test"))
    log = sent(bus)["log"]
    url = re.sub(r"(?<=\$26start\$3D)\d{13}$", "<ms>", log.pop("url"))
    assert log == {"group": GROUP, "stream": "2026/11/30/[$LATEST]0f", "request_id": "request-0"}
    place = "$252Faws$252Flambda$252FCodeDeployHook_shop-test/log-events"
    query = "$3FfilterPattern$3D$2522d-ABCDEF123$2522$26start$3D<ms>"
    page = f"cloudwatch/home?region={region}#logsV2:log-groups/log-group/{place}{query}"
    assert url == (f"{console}{page}" if console else "")


def test_the_group_may_be_known_from_the_environment_alone(bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/teams/shop")
    hook_of(good())(EVENT, context_of(invoked_function_arn=FUNCTION))
    log = sent(bus)["log"]
    assert (log["group"], log["stream"], log["request_id"]) == ("/teams/shop", "", "")
    assert "log-group/$252Fteams$252Fshop/log-events" in log["url"]


@pytest.mark.parametrize("given", [None, SimpleNamespace(invoked_function_arn=3, log_group_name=object())])
def test_without_lambda_there_is_no_log_to_lead_to(bus: CodeDeploy, given: Any) -> None:
    hook_of(good())(EVENT, given)
    assert sent(bus)["log"] == {"url": "", "group": "", "stream": "", "request_id": ""}
    assert entries(bus)[0]["Resources"] == []


# Its bounds


@pytest.mark.parametrize("letter", ["x", "é", "\x01", '"', "😀", "\ud800"], ids=ascii)
def test_an_event_is_far_below_what_eventbridge_takes(bus: CodeDeploy, letter: str) -> None:
    def probe() -> list[Finding]:
        return [failed(f"{number} {letter * 3000}", f"bad:{number}") for number in range(200)]

    hook_of(Sample("bad", probe))(EVENT)
    size = len(entries(bus)[0]["Detail"].encode())
    assert 10_000 < size <= events.MOST_BYTES <= 256_000
    detail = sent(bus)
    assert len(detail["failed_checks"]) + detail["failed_checks_left_out"] == 200
    assert detail["failed_checks"][0]["name"] == "bad:0"


def test_many_overrides_do_not_make_it_too_long(bus: CodeDeploy) -> None:
    names = ", ".join(f"bad:{number}{'é' * 290}" for number in range(100))
    bus.replies["GetDeployment"] = [deployment(description=f"[warn {names}]")]
    hook_of(good(), BAD)(EVENT)
    assert len(entries(bus)[0]["Detail"].encode()) <= events.MOST_BYTES
    assert 0 < len(sent(bus)["overrides"]) < 100


# What may go wrong

FAULTS = {
    "denied": ([refused("AccessDeniedException", "not authorized")], "events:PutEvents was denied: allow it in this"),
    "no such bus": ([refused("ResourceNotFoundException", "no bus")], "events:PutEvents failed: ResourceNotFound"),
    "throttled": ([throttled()], "events:PutEvents failed on every attempt (ThrottlingException: Rate exceeded)"),
    "5xx": ([refused("InternalFailure", status=500)], "events:PutEvents failed on every attempt (InternalFailure: no)"),
    "dropped": ([Reply(drop=True)], "EventBridge could not be reached for events:PutEvents"),
    "refused": (
        [Reply({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalException", "ErrorMessage": "sorry"}]})],
        "events:PutEvents refused it: InternalException: sorry",
    ),
    "odd": ([Reply({"FailedEntryCount": 1})], "events:PutEvents failed: KeyError"),
    "page": ([Reply({"html": "Please log in"})], "events:PutEvents got an answer that cannot be read"),
}


@pytest.mark.parametrize("samples", [[good()], [good(), BAD]], ids=["Succeeded", "Failed"])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_the_bus_changes_report_or_answer(
    bus: CodeDeploy, caplog: pytest.LogCaptureFixture, fault: str, samples: list[Sample]
) -> None:
    sound = hook_of(*samples)(EVENT, lambda_context())
    bus.calls.clear()
    replies, reason = FAULTS[fault]
    bus.replies[PUT] = list(replies)
    assert told(hook_of(*samples)(EVENT, lambda_context())) == told(sound)
    assert len(bus.reports) == 1
    assert len(entries(bus)) == 1, "one attempt"
    (said,) = warnings(caplog)
    assert said.startswith(f"the event of this verdict was not sent: {reason}")


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drip=True)], ids=["hangs", "drips"])
def test_a_bus_that_does_not_answer_is_not_waited_for(
    bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    monkeypatch.setattr(events, "SECONDS", 0.2)
    bus.replies[PUT] = [reply]
    assert hook_of(good())(EVENT, lambda_context())["status"] == "SUCCEEDED"
    assert bus.statuses == ["Succeeded"]
    said = "the event of this verdict was not sent: events:PutEvents had not answered after 0.2 s"
    assert warnings(caplog) == [said]


def test_it_has_time_outs_of_its_own() -> None:
    """A connection that is left alone ends by itself."""
    assert events.CALL_SECONDS < events.SECONDS <= 2
    config = aws.client("events", "eu-west-1", attempts=1, seconds=events.CALL_SECONDS).meta.config
    assert (config.connect_timeout, config.read_timeout) == (events.CALL_SECONDS, events.CALL_SECONDS)
    assert config.retries["total_max_attempts"] == 1


def test_where_no_time_is_left_it_is_left_out(bus: CodeDeploy, caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    def at_the_end(operation: str) -> None:
        if operation == REPORT:
            clock.now += 899.5

    bus.on_call = at_the_end
    assert hook_of(good())(EVENT, context_of(900))["status"] == "SUCCEEDED"
    assert warnings(caplog) == ["the event of this verdict was not sent: no time was left"]
    assert (entries(bus), bus.statuses) == ([], ["Succeeded"])


def test_whatever_is_raised_here_stays_here(
    bus: CodeDeploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise WordlessError

    monkeypatch.setattr(events, "read_module", broken)
    assert hook_of(good())(EVENT)["status"] == "SUCCEEDED"
    assert warnings(caplog) == ["the event of this verdict was not sent: WordlessError"]
    assert bus.statuses == ["Succeeded"]


def test_the_client_is_made_after_the_report_alone(bus: CodeDeploy) -> None:
    """To read one more of botocore's models takes time, which is not the deployment's."""
    made: list[int] = []
    bus.on_call = lambda _operation: made.append(aws.client.cache_info().misses)
    hook_of(good())(EVENT)
    before_report = made[[operation for operation, _ in bus.calls].index(REPORT)]
    assert made[-1] == before_report + 1


def test_an_event_says_what_the_log_says_and_no_more(bus: CodeDeploy, caplog: pytest.LogCaptureFixture) -> None:
    """What is masked there is masked here; values that go with a finding stay in the log."""
    caplog.set_level(logging.INFO, logger="gate")

    def body(gate: Gate[Any]) -> None:
        gate.check("bad", lambda: replace(failed("answered token=***", body="all of it"), value="for later"))
        gate.check("good", lambda: passed("fine"))

    handler_of(body)(EVENT)
    text = entries(bus)[0]["Detail"]
    assert "all of it" not in text
    assert "for later" not in text
    logged = [str(vars(record).get("detail")) for record in caplog.records]
    assert {each["detail"] for each in sent(bus)["failed_checks"]} <= set(logged)
