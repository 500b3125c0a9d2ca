"""AfterAllowTestTraffic: secrets are sent, and never shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest
import validate_test_traffic as hook

from rehearsal.testing.stage import Judge, Judgement, Stage, refuse
from rehearsal.testing.web import Request, Response, Site
from tests.unit.handlers.validate_test_traffic.helpers import (
    EVENT,
    NO_SAMPLES,
    ONE_ATTEMPT,
    WARM_UP,
    paths,
    secret,
)

TOKEN = "tok-4f1d9b7c2e"


def everything_shown(judgement: Judgement, caplog: pytest.LogCaptureFixture) -> str:
    """All that anybody could read: what is returned, and each log record with its fields."""
    return json.dumps(judgement) + "".join(str(vars(record)) for record in caplog.records)


def echo(status: int) -> Callable[[Request], Response]:
    """An answer that says all that it was sent, wherever it can."""

    def answer(request: Request) -> Response:
        token = request.headers.get("Authorization", "none")
        return Response(status, f"you sent {token}", {"X-Echo": token, "Location": f"/login/{token}"})

    return answer


@pytest.mark.smoke
def test_a_secret_is_sent_with_the_check_and_each_sample(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"secret_headers": {"Authorization": f"Bearer {secret(stage, TOKEN)}"}}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, samples=7).succeeded
    assert Counter(r.headers.get("Authorization") for r in site.requests) == {f"Bearer {TOKEN}": 1 + WARM_UP + 7}
    assert len(stage.called("secretsmanager:GetSecretValue")) == 1  # read once


def test_a_secret_is_not_shown_where_a_check_fails(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = echo(401)
    front = {
        "secret_headers": {"Authorization": f"Bearer {secret(stage, TOKEN)}"},
        "response_headers": {"X-Echo": {"equals": "nothing"}},
    }
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {**front, **ONE_ATTEMPT}})
    assert site.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert judgement.message == (
        "GET /: [STATUS] (401, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected nothing; "
        "body: you sent Bearer ***"
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_a_secret_is_not_shown_where_samples_fail(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = lambda request: Response(headers={"X-Echo": "fine"}) if request.number == 1 else echo(401)(request)
    front = {
        "secret_headers": {"Authorization": f"Bearer {secret(stage, TOKEN)}"},
        "response_headers": {"X-Echo": {"equals": "fine"}},
    }
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": front}, samples=4)
    assert not judgement.succeeded
    assert judgement.message == (
        "front: 4 of 4 requests failed (100.00%), at most 1.00% allowed: "
        "4 times [STATUS] (401, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected fine"
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_nor_is_what_looks_like_one_in_address_headers_and_answer(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret that is given as plain text is the stack's to keep, but no message repeats it."""

    def answer(request: Request) -> Response:
        sent = f"{request.path} {request.headers['X-Api-Key']} {request.headers['Authorization']}"
        return Response(500, json.dumps({"sent": sent, "access_token": f"{TOKEN}-5"}), {"Set-Cookie": f"a={TOKEN}-6"})

    site.answer = answer
    check = {
        "url": f"http://user:{TOKEN}-1@{stage.dns_name}:80/?token={TOKEN}-2",
        "headers": {"X-Api-Key": f"{TOKEN}-3"},
        "response_headers": {"set-cookie": {"equals": "none"}},
        "jmespath": {"access_token": {"length": 1}},
        **ONE_ATTEMPT,
    }
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": check})
    assert judgement.message == (
        f"GET http://{stage.dns_name}:80/: [STATUS] (500) expected 200-299; "
        "[HEADER set-cookie] (***) expected another value; [JSON access_token] (***) expected length 1, not 16; "
        'body: {"sent": "/?token=*** *** Basic ***", "access_token": "***"}'
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_a_secret_that_cannot_be_read(stage: Stage, judge: Judge, site: Site) -> None:
    headers = {"Authorization": secret(stage, TOKEN)}
    stage.instead["secretsmanager:GetSecretValue"] = refuse("AccessDeniedException")
    checks = {"front": {"path": "/front", "secret_headers": headers}, "other": {"path": "/other"}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert "secretsmanager:GetSecretValue" in judgement.message
    assert judgement.check("http:front")[0] == "error"
    assert judgement.check("http:other")[0] == "passed"
    assert paths(site) == {"/other": 1}
