"""Flows: what steps save, what comes after a step that failed, and what is never shown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from gate.attempts import Attempts
from gate.http_checks import Answer
from gate.verdict import Finding, Outcome, Severity
from gate.waiting import Deadline
from moto import mock_aws

from rehearsal.testing.harness import REGION
from tests.unit.gate.conftest import Clock
from tests.unit.gate.traffic_of_green import answers, judged, outcomes, paths, run, traffic
from tests.unit.gate.web_server import Request, WebServer

SECRET = "correct-horse-battery"
TOKEN = "tok-0123456789"


@pytest.fixture
def clock() -> Clock:
    """A clock of this test's own; nothing of the gate is replaced."""
    return Clock()


# Flows


@pytest.fixture
def shop(web: WebServer) -> WebServer:
    """A shop: log in, order, look at the order, cancel it. Everything but the login wants its token."""

    def may(request: Request) -> bool:
        if request.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        request.answer(401, f"who are you, {request.headers.get('Authorization')}?")
        return False

    def order(request: Request) -> None:
        if may(request):
            content = json.dumps({"id": 7, "items": json.loads(request.body)})
            request.answer(201, content, {"Location": "/orders/a b/7", "X-Trace": "trace 1"})

    def look(request: Request) -> None:
        if may(request):
            request.answer(
                204 if request.method == "DELETE" else 200, "" if request.method == "DELETE" else '{"id": 7}'
            )

    web.routes.update(
        {
            "/login": lambda request: request.answer(200, json.dumps({"token": TOKEN, "user": {"id": 3}})),
            "/orders": order,
            "/orders/7": look,
        }
    )
    return web


BEARER = {"Authorization": "Bearer {token}"}
LOGIN = {
    "name": "log in",
    "path": "/login",
    "method": "POST",
    "json": "{}",
    "save": {"token": "token", "user": "user.id"},
}
ORDER = {
    "path": "/orders", "method": "POST", "headers": BEARER, "json": '{"user": "{user}"}', "save": {"order": "id"},
}  # fmt: skip
LOOK = {"path": "/orders/{order}", "headers": BEARER, "jmespath": {"id": {"equals": "{order}"}}}
CANCEL = {"name": "cancel", "path": "/orders/{order}", "method": "DELETE", "headers": BEARER, "always": True}


def flow(web: WebServer, *steps: Mapping[str, Any], **options: Any) -> Finding:
    """What came of one flow."""
    return judged(web, flows={"f": {"steps": list(steps)}}, **options)["flow:f"]


def test_later_steps_use_what_earlier_ones_saved(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, ORDER, LOOK, CANCEL)
    assert finding.outcome is Outcome.PASSED
    assert finding.detail == "4 steps: log in 200, step 2 201, step 3 200, cancel 204"
    assert [(request.method, request.path) for request in shop.requests] == [
        ("POST", "/login"), ("POST", "/orders"), ("GET", "/orders/7"), ("DELETE", "/orders/7"),
    ]  # fmt: skip
    assert json.loads(shop.requests[1].body) == {"user": "3"}


def test_what_was_saved_may_stand_anywhere(web: WebServer) -> None:
    value = 'a/b "c" \\ ?'
    first = {"path": "/first", "save": {"text": "text", "number": "number", "header": "header:x-trace"}}
    document = {"text": value, "number": 1.5}
    web.routes["/first"] = lambda request: request.answer(200, json.dumps(document), {"X-Trace": "t 1"})
    web.routes["/a/a%2Fb%20%22c%22%20%5C%20%3F"] = lambda request: request.answer(
        200, json.dumps({"same": value, "half": 1.5}), {"X-Same": "t 1"}
    )
    second = {
        "path": "/a/{text}?n={number}", "method": "POST", "headers": {"X-Text": "{text}"},
        "json": '{"a": "{text}", "b": ["{header}"]}', "response_headers": {"X-Same": {"equals": "{header}"}},
        "jmespath": {"same": {"equals": "{text}"}, "half": {"one_of": ["1", "{number}"]}},
    }  # fmt: skip
    third = {"url": f"{web.url}/health?{{number}}", "method": "POST", "body": "{text}|{header}|{other}"}
    assert flow(web, first, second, third).detail == "3 steps: step 1 200, step 2 200, step 3 200"
    _, asked, last = web.requests
    assert (asked.path, asked.headers["X-Text"]) == ("/a/a%2Fb%20%22c%22%20%5C%20%3F?n=1.5", value)
    assert json.loads(asked.body) == {"a": value, "b": ["t 1"]}
    assert (last.path, last.body.decode()) == ("/health?1.5", f"{value}|t 1|{{other}}")


def test_cookies_are_kept_within_a_flow_and_nowhere_else(web: WebServer) -> None:
    numbers = itertools.count(1)
    web.routes["/login"] = lambda request: request.answer(headers={"Set-Cookie": f"session=s{next(numbers)}; Path=/"})
    steps = [{"path": "/login"}, {"path": "/health"}]
    judged(web, http_checks={"a": {"path": "/login"}}, flows={"f": {"steps": steps}, "g": {"steps": steps}}, samples=1)
    assert [(request.path, request.headers.get("Cookie")) for request in web.requests] == [
        *[("/login", None)] * 12,
        ("/login", None), ("/health", "session=s13"), ("/login", None), ("/health", "session=s14"),
    ]  # fmt: skip


def test_a_failed_step_ends_the_flow_and_what_passed_is_told(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "status": ["200"], "attempts": 2}, LOOK)
    assert finding.outcome is Outcome.FAILED
    assert finding.detail.startswith(
        'step 2: POST /orders: [STATUS] (201, Location /orders/a b/7) expected 200; body: {"id": 7, '
    )
    assert finding.detail.endswith("(attempt 2 of 2) (passed: log in 200)")
    assert paths(shop) == ["/login", "/orders", "/orders"]


def test_a_step_is_sent_once_unless_it_says_otherwise(web: WebServer) -> None:
    web.routes["/"] = answers(500, 500, 200)
    assert not flow(web, {}).ok
    assert len(web.requests) == 1
    assert flow(web, {"attempts": 2, "interval": 0}).ok
    assert len(web.requests) == 3


def test_after_a_failed_step_those_that_clean_up_are_sent_if_what_they_need_was_saved(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, ORDER, {**LOOK, "status": ["404"]}, {"path": "/never"}, CANCEL)
    assert finding.detail.startswith("step 3: GET /orders/{order}: [STATUS] (200) expected 404")
    assert finding.detail.endswith("(passed: log in 200, step 2 201, cancel 204)")
    assert [request.method for request in shop.requests] == ["POST", "POST", "GET", "DELETE"]


def test_after_a_failed_step_those_that_clean_up_are_not_sent_if_what_they_need_was_not_saved(shop: WebServer) -> None:
    needs_nothing = {"name": "tidy", "path": "/health", "headers": {"X-Tag": "{image_tag}"}, "always": True}
    finding = flow(shop, LOGIN, {**ORDER, "path": "/none"}, CANCEL, needs_nothing)
    assert finding.detail.endswith("(passed: log in 200, tidy 200)")
    assert paths(shop) == ["/login", "/none", "/health"]


@pytest.mark.parametrize("attribute", ["json", "body"])
def test_a_body_needs_what_it_holds_too(shop: WebServer, attribute: str) -> None:
    clean = {"path": "/orders/7", "method": "POST", attribute: '{"id": "{order}", "x": "{other}"}', "always": True}
    flow(shop, {**LOGIN, "save": {"token": "token"}}, {**ORDER, "path": "/none"}, clean)
    assert paths(shop) == ["/login", "/none"]
    flow(shop, LOGIN, ORDER, {"path": "/none"}, clean)
    assert json.loads(shop.requests[-1].body) == {"id": "7", "x": "{other}"}


def test_a_step_that_cleans_up_and_fails_is_told_too(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {"path": "/none"}, {**CANCEL, "path": "/orders/none"})
    first, second = finding.detail.split("; cancel: ")
    assert first.startswith("step 2: GET /none: [STATUS] (404) expected 200-299")
    assert second.startswith("DELETE /orders/none: [STATUS] (404)")


def test_what_an_answer_does_not_hold_is_named_and_ends_the_flow(shop: WebServer) -> None:
    login = {**LOGIN, "save": {"token": "access_token", "user": "user.id", "session": "header:X-Session"}}
    finding = flow(shop, login, ORDER)
    assert finding.detail == (
        "log in: POST /login: the answer does not hold token (access_token), session (header:X-Session) (passed: none)"
    )
    assert paths(shop) == ["/login"]


def test_an_empty_value_is_none(web: WebServer) -> None:
    """DELETE /orders/{id} would be another request."""
    web.routes["/a"] = lambda request: request.answer(200, '{"id": ""}', {"X-Id": ""})
    finding = flow(
        web, {"path": "/a", "save": {"id": "id", "header": "header:X-Id"}}, {"path": "/b/{id}", "always": True}
    )
    assert finding.detail == "step 1: GET /a: the answer does not hold id (id), header (header:X-Id) (passed: none)"
    assert paths(web) == ["/a"]


def test_what_a_bad_answer_holds_is_there_for_cleaning_up(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "status": ["200"]}, LOOK, CANCEL)
    assert finding.detail.endswith("(passed: log in 200, cancel 204)")
    assert [request.method for request in shop.requests] == ["POST", "POST", "DELETE"]


def test_what_was_saved_before_is_there_for_cleaning_up_though_something_else_is_missing(shop: WebServer) -> None:
    finding = flow(shop, LOGIN, {**ORDER, "save": {"order": "id", "number": "number"}}, CANCEL)
    assert finding.detail == (
        "step 2: POST /orders: the answer does not hold number (number) (passed: log in 200, cancel 204)"
    )


def test_what_may_lie_behind_max_body_says_so(shop: WebServer) -> None:
    finding = flow(shop, {**LOGIN, "max_body": 10})
    assert "the answer does not hold token (token), user (user.id)" in finding.detail
    assert "the body has more than 10 bytes: raise max_body" in finding.detail


def test_a_flow_has_a_severity_of_its_own(web: WebServer) -> None:
    flows = {"f": {"severity": "warn", "steps": [{}]}, "g": {"steps": [{"path": "/health"}]}}
    found, severities, sound = run(traffic(web, flows=flows))
    assert outcomes(found) == {"flow:f": "failed", "flow:g": "passed"}
    assert severities == {"flow:f": Severity.WARN, "flow:g": Severity.FAIL}
    assert sound


def test_a_flow_whose_time_is_over_does_not_pass(web: WebServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Attempts.judge

    def slowly(attempts: Attempts, answer: Answer, now: float) -> None:
        judge(attempts, answer, now)
        clock.now += 100

    monkeypatch.setattr(Attempts, "judge", slowly)
    web.routes["/first"] = lambda request: request.answer(200, json.dumps({"link": TOKEN}))
    steps = [{"path": "/first", "save": {"link": "link"}}, {"path": "/reset/{link}"}]
    deadline = Deadline(60, clock.monotonic, clock.sleep)
    finding = run(traffic(web, deadline=deadline, flows={"f": {"steps": steps}}))[0]["flow:f"]
    assert finding.detail == ("step 2: GET /reset/{link}: time was over before it could be sent (passed: step 1 200)")
    assert paths(web) == ["/first"]


# What is never shown


def test_a_saved_token_that_goes_into_a_header_is_never_shown(shop: WebServer) -> None:
    shop.routes["/echo"] = lambda request: request.answer(
        500, f"you sent {request.headers['Authorization']}", {"Location": f"/login/{TOKEN}", "X-Echo": TOKEN}
    )
    echo = {"path": "/echo", "headers": BEARER, "response_headers": {"X-Echo": {"equals": "x"}}}
    finding = flow(shop, LOGIN, echo)
    assert "[STATUS] (500, Location /login/***)" in finding.detail
    assert "[HEADER X-Echo] (***) expected x" in finding.detail
    assert "body: you sent Bearer ***" in finding.detail
    assert TOKEN not in repr(finding)


@pytest.mark.parametrize("token", [TOKEN, "t" + "0123456789" * 30], ids=["short", "cut off"])
def test_nor_is_it_where_the_step_that_saves_it_fails(web: WebServer, token: str) -> None:
    web.routes["/login"] = lambda request: request.answer(500, json.dumps({"token": token}), {"X-Session": token})
    login = {**LOGIN, "save": {"token": "token", "session": "header:X-Session"}, "jmespath": {"token": {"equals": "x"}}}
    use = {"headers": {**BEARER, "Cookie": "{session}"}}
    finding = flow(web, {**login, "response_headers": {"X-Session": {"equals": "x"}}}, use)
    assert finding.detail.startswith("log in: POST /login: [STATUS] (500) expected 200-299")
    assert token[:8] not in finding.detail
    assert "[JSON token] (***" in finding.detail


def test_nor_where_a_later_step_saves_another(web: WebServer) -> None:
    tokens = iter([TOKEN, "another-token"])
    web.routes["/login"] = lambda request: request.answer(200, json.dumps({"token": next(tokens)}))
    web.routes["/echo"] = lambda request: request.answer(500, request.headers["Authorization"])
    login = {**LOGIN, "save": {"token": "token"}, "always": True}
    finding = flow(web, login, {"path": "/echo", "headers": BEARER}, login)
    assert finding.detail == (
        "step 2: GET /echo: [STATUS] (500) expected 200-299; body: Bearer *** (passed: log in 200, log in 200)"
    )


def test_nor_in_a_path(web: WebServer) -> None:
    web.routes["/login"] = lambda request: request.answer(200, json.dumps({"token": TOKEN}))
    finding = flow(web, {**LOGIN, "save": {"token": "token"}}, {"path": "/{token}"})
    assert "step 2: GET /{token}: [STATUS] (404)" in finding.detail
    assert TOKEN not in finding.detail


@pytest.fixture
def stored() -> Iterator[str]:
    """The ARN of a secret that holds SECRET."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name=REGION)
        yield str(client.create_secret(Name="shop/token", SecretString=SECRET)["ARN"])


def echo_secret(request: Request) -> None:
    """An answer that holds the header it was sent, in its body and its headers."""
    sent = request.headers["Authorization"]
    request.answer(500, f"bad credentials: {sent}", {"X-Echo": sent, "Location": f"/login/{sent}"})


def test_a_secret_header_is_sent_and_never_shown(web: WebServer, stored: str) -> None:
    web.routes["/"] = echo_secret
    check = {
        "secret_headers": {"Authorization": f"Bearer {stored}"},
        "response_headers": {"X-Echo": {"equals": "x"}},
        "attempts": 1,
    }
    found = judged(web, http_checks={"a": check}, flows={"f": {"steps": [check]}})
    assert [request.headers["Authorization"] for request in web.requests] == [f"Bearer {SECRET}"] * 2
    assert found["http:a"].detail == (
        "GET /: [STATUS] (500, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected x; "
        "body: bad credentials: ***"
    )
    assert SECRET not in repr(found)


def test_nor_is_it_in_the_figures_of_samples(web: WebServer, stored: str) -> None:
    web.routes["/"] = echo_secret
    check = {"secret_headers": {"Authorization": f"Bearer {stored}"}, "status": ["500"], "samples": 3}
    found = judged(web, http_checks={"a": check})
    assert found["samples:a:error_rate"].ok
    statuses = iter([500] * 11 + [503] * 3)

    def sometimes(request: Request) -> None:
        request.answer(next(statuses), "", {"Location": f"/login/{request.headers['Authorization']}"})

    web.routes["/"] = sometimes
    found = judged(web, http_checks={"a": check})
    assert found["samples:a:error_rate"].values["reasons"] == {"[STATUS] (503, Location /login/***) expected 500": 3}
    assert SECRET not in repr(found)


def test_nor_where_the_excerpt_of_a_body_ends_within_it(web: WebServer, stored: str) -> None:
    check = {"secret_headers": {"Authorization": stored}, "attempts": 1}
    for length in range(90, 120):
        before = "x" * length
        web.routes["/"] = lambda request, before=before: request.answer(  # type: ignore[misc]
            500, before + request.headers["Authorization"]
        )
        assert SECRET[:4] not in judged(web, http_checks={"a": check})["http:a"].detail


def test_a_secret_that_cannot_be_read_spares_the_other_checks(web: WebServer, stored: str) -> None:
    missing = stored.replace("shop/token", "none")
    flows = {"f": {"steps": [{"path": "/health"}, {"secret_headers": {"A": missing}}]}}
    found = judged(web, http_checks={"a": {"secret_headers": {"A": missing}}, "b": {"path": "/health"}}, flows=flows)
    assert outcomes(found) == {"http:a": "error", "http:b": "passed", "flow:f": "error"}
    assert "secretsmanager:GetSecretValue" in found["http:a"].detail
    assert missing in found["flow:f"].detail
    assert paths(web) == ["/health"]  # nothing of the flow
