"""gate.record: what is logged and answered, and what never is."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from gate.options import HookOptions, option
from gate.verdict import Finding, failed, passed

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy
from tests.unit.gate.sample_hooks import HOOK, Sample, good, hook_of, raising

SECRET = "correct-horse-battery"


def test_each_check_and_the_verdict_is_one_log_record_with_fields(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    hook_of(good(), Sample("bad", lambda: failed("bad is 3", count=3)))(EVENT)
    records = [record for record in caplog.records if record.name == "gate"]
    keys = ("levelname", "check", "outcome", "detail", "status", "count", "hook", "deployment_id")
    found = [tuple(vars(record).get(key) for key in keys) for record in records]
    rest = (HOOK, "d-ABCDEF123")
    ours = "deployment d-ABCDEF123 of shop/shop-group deploys main/web"
    assert found == [
        ("INFO", "deployment", "passed", ours, None, None, *rest),
        ("INFO", "good", "passed", "good is as it should be", None, None, *rest),
        ("WARNING", "bad", "failed", "bad is 3", None, 3, *rest),
        ("ERROR", None, None, None, "FAILED", None, *rest),
    ]
    assert records[-1].getMessage() == "FAILED: bad is 3"
    assert codedeploy.statuses == ["Failed"]


def test_any_value_of_a_finding_can_be_logged_and_returned(
    codedeploy: CodeDeploy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    values: dict[str, Any] = dict.fromkeys(
        ["args", "created", "exc_info", "message", "module", "msg", "process", "taskName", "thread", "asctime"], "x"
    )
    values |= {"hook": "x", "deployment_id": "x", "check": "x", "outcome": "failed", "severity": "x", "object": object}
    finding = Finding(passed("fine").outcome, "fine", values=values)
    answer = hook_of(Sample("rich", lambda: finding))(EVENT)
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(json.dumps(answer)) == answer
    record = next(record for record in caplog.records if vars(record).get("check") == "rich")
    fields = vars(record)
    assert (fields["hook"], fields["deployment_id"], fields["outcome"]) == (HOOK, "d-ABCDEF123", "passed")
    assert codedeploy.statuses == ["Succeeded"]


def test_neither_log_nor_answer_holds_secrets_or_the_environment(
    codedeploy: CodeDeploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @dataclass(frozen=True)
    class Secretive(HookOptions):
        headers: dict[str, int] = option("headers", {}, secret=True)  # noqa: RUF009 - dataclasses.field()
        password: str | None = option("a password", None, pattern="[a-z]+", means="small letters", secret=True)

    caplog.set_level(logging.DEBUG, logger="gate")
    monkeypatch.setenv("DATABASE_URL", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    document = json.dumps({"headers": {"Authorization": SECRET}, "password": SECRET, "unknown": SECRET})
    monkeypatch.setenv("HOOK_SETTINGS", document)
    handler = hook_of(good(), options=Secretive)
    bad = handler(EVENT)
    assert bad["message"].split("; ")[::2] == [
        "sample_hooks.headers.Authorization is a text of 21 characters",
        "sample_hooks.password is a text of 21 characters",
        "sample_hooks has no option unknown",
    ]
    monkeypatch.setenv("HOOK_SETTINGS", SECRET)
    unreadable = handler(EVENT)
    assert "HOOK_SETTINGS is not JSON" in unreadable["message"]
    monkeypatch.setenv("HOOK_SETTINGS", "{}")
    fine = handler(EVENT)
    broken = hook_of(raising(ValueError("odd")))(EVENT)
    logged = json.dumps([{key: str(value) for key, value in vars(record).items()} for record in caplog.records])
    assert SECRET not in logged + json.dumps([bad, unreadable, fine, broken])
    assert codedeploy.statuses == ["Failed", "Failed", "Succeeded", "Failed"]


def test_values_that_json_cannot_hold_are_left_out_of_the_answer(codedeploy: CodeDeploy) -> None:
    itself: dict[str, Any] = {}
    itself["itself"] = itself
    values: dict[str, Any] = {"circle": itself, "keys": {(1, 2): 3}, "text": "kept"}
    answer = hook_of(Sample("rich", lambda: [passed("fine", f"rich:{name}", value=values[name]) for name in values]))(
        EVENT
    )
    assert [check.get("value") for check in answer["checks"]] == [None, None, None, "kept"]
    assert (answer["status"], codedeploy.statuses) == ("SUCCEEDED", ["Succeeded"])
