"""No secret is in what is shown: they are planted everywhere, and everything that comes of a deployment is searched.

Documented as no place for secrets, and shown: the commands and the `environment` of run_migrations in the plan and in
ECS, and every setting in Terraform's state and in the function's configuration.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import run_migrations
import validate_test_traffic

from rehearsal.testing.stage import Judge, Stage, refuse
from rehearsal.testing.web import Request, Response, Site
from tests.proof.figures import FIGURES
from tests.proof.planted import PLANTED, SCENARIOS
from tests.proof.runs import Plays

SENT = {"event_bus": "default"}
PLAYED = [f"{name}@runtime" for name in SCENARIOS if name.startswith("planted")]


def search(where: str, text: str) -> None:
    """Fail if a planted value is there, and say which."""
    assert text, f"{where} is empty"
    found = [place for place, value in PLANTED.items() if value in text]
    assert not found, f"{where} holds the {', '.join(found)}"
    FIGURES["places searched for each planted secret"] += 1
    FIGURES["searches for a planted secret"] += len(PLANTED)


@pytest.mark.parametrize("played", PLAYED)
def test_rehearsal(plays: Plays, played: str) -> None:
    """Record, page and the functions' whole log of a deployment that has them all; it ends as it should."""
    record = plays.record(played)
    assert [each for each in record["expectations"] if not each["met"]] == [], plays.output
    search("the record", json.dumps(record, ensure_ascii=False))
    search("the page", plays.page(played))
    search("the log of the functions", plays.log(played))
    search("the terminal", plays.output)
    FIGURES["planted secrets"] = len(PLANTED)


def everything(stage: Stage, answers: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    """Search answers, log records and whatever the hook has told AWS of itself: reports and hand-overs."""
    search("the answer", json.dumps(answers, ensure_ascii=False, default=str))
    search("the log", json.dumps([{k: str(v) for k, v in vars(record).items()} for record in caplog.records]))
    told = [call for call in stage.calls if call.name.startswith(("lambda:Invoke", "codedeploy:Put", "events:Put"))]
    search("what is reported and handed over", json.dumps([str(call.parameters) for call in told]))


def echo(request: Request) -> Response:
    """An application that repeats in its error whatever it was sent, and gives a session."""
    sent = {name: value for name, value in request.headers.items() if name not in ("Host", "Connection")}
    cookie = {
        "Set-Cookie": f"session={PLANTED['cookie in a log line']}",
        "X-Echo": request.headers.get("X-Api-Key", ""),
    }
    return Response(500, json.dumps({"path": request.path, **sent}), {**cookie, "Location": f"/?{request.path}"})


@pytest.mark.parametrize(
    "header", ["Authorization", "X-Api-Key", "Cookie", "query", "password"], ids=lambda header: header.lower()
)
def test_an_application_that_repeats_what_it_is_sent(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture, header: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="gate")
    site.answer = echo
    arn = stage.secretsmanager.create_secret(Name="planted", SecretString=PLANTED["secret of a header"])["ARN"]
    given: dict[str, dict[str, Any]] = {
        "Authorization": {"secret_headers": {"Authorization": f"Bearer {arn}"}},
        "X-Api-Key": {"headers": {"X-Api-Key": PLANTED["header of a check"]}},
        "Cookie": {"headers": {"Cookie": f"a={PLANTED['cookie of a check']}"}},
        "query": {"path": f"/?token={PLANTED['query of a check']}"},
        "password": {"url": f"http://app:{PLANTED['password in a url of the container']}@{stage.dns_name}:80/"},
    }
    wanted = {"set-cookie": {"equals": "x"}, "x-echo": {"equals": "x"}}
    asked = {**given[header], "attempts": 1, "response_headers": wanted}
    judgement = judge(
        validate_test_traffic,
        stage.at("AfterAllowTestTraffic"),
        http_checks={"a": asked},
        flows={"f": {"steps": [asked]}},
        headers={"X-Session-Token": PLANTED["header of the hook"]},
        **SENT,
    )
    assert not judgement.succeeded
    assert "***" in judgement.message
    assert stage.called("events:PutEvents")
    everything(stage, [judgement], caplog)


@pytest.mark.parametrize("operation", ["ecs:RunTask", "ecs:DescribeServices", "secretsmanager:GetSecretValue"])
@pytest.mark.usefixtures("site")
def test_an_error_of_aws_that_repeats_its_parameters(
    stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    said = (
        f'{{"PGPASSWORD": "{PLANTED["environment of the container"]}", "url": '
        f'"postgresql://app:{PLANTED["password in a url of the container"]}@db/shop"}} is not valid'
    )
    stage.instead[operation] = refuse("InvalidParameterException", said)
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:planted-AbCdEf"
    if operation.startswith("ecs"):
        judgement = judge(run_migrations, stage.at("BeforeAllowTraffic"), command=["migrate"], **SENT)
    else:
        checks = {"a": {"secret_headers": {"Authorization": arn}}}
        judgement = judge(validate_test_traffic, stage.at("AfterAllowTestTraffic"), http_checks=checks, **SENT)
    assert not judgement.succeeded
    assert "***" in judgement.message
    assert stage.called("events:PutEvents")
    everything(stage, [judgement], caplog)


def test_a_search_finds_what_is_there() -> None:
    """Or all of the above would prove nothing."""
    for place, value in PLANTED.items():
        with pytest.raises(AssertionError, match=place):
            search("a text", f"before{value}after")
    assert len(set(PLANTED.values())) == len(PLANTED)
