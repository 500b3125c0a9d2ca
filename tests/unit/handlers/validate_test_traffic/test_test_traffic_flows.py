"""AfterAllowTestTraffic: flows through the test listener. How steps hang together is proven in tests/unit/gate."""

from __future__ import annotations

import json
from typing import Any

import pytest
import validate_test_traffic as hook

from rehearsal.testing.stage import Judge, Stage, refuse
from rehearsal.testing.web import Request, Response, Site
from tests.unit.handlers.validate_test_traffic.helpers import (
    EVENT,
    ONE_ATTEMPT,
    REVISION,
    VERSION,
    answered_by,
    asked,
    paths,
    secret,
)


class Orders:
    """An application that takes orders, one session each; `broken` says what it answers instead, by `METHOD path`."""

    def __init__(self) -> None:
        self.placed: dict[str, str] = {}
        self.broken: dict[str, Response] = {}

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        what = f"{request.method} {request.path}"
        if what in self.broken:
            return self.broken[what]
        if what == "POST /sessions":
            return Response(201, '{"token": "tok-of-session"}', {"Set-Cookie": "basket=b1; Path=/"})
        cookie = request.headers.get("Cookie", "")
        if request.headers.get("Authorization") != "Bearer tok-of-session" or "basket=b1" not in cookie:
            return Response(401, "who are you?")
        if what == "POST /orders":
            self.placed["o-1"] = request.body
            return Response(201, '{"order": {"id": "o-1"}}', {"Location": "/orders/o-1"})
        order = request.path.rpartition("/")[2]
        if order not in self.placed:
            return Response(404, "no such order")
        if request.method == "DELETE":
            self.placed.pop(order)
            return Response(204, "")
        return Response(200, json.dumps({"id": order, "order": self.placed[order]}))


LOGGED_IN = {"Authorization": "Bearer {token}"}
BUY: list[dict[str, Any]] = [
    {"name": "log in", "path": "/sessions", "method": "POST", "status": ["201"], "save": {"token": "token"}},
    {
        "name": "order",
        "path": "/orders",
        "method": "POST",
        "headers": LOGGED_IN,
        "json": '{"item": "tea"}',
        "status": ["201"],
        "save": {"order": "order.id", "place": "header:Location"},
    },
    {"path": "/orders/{order}", "headers": LOGGED_IN, "jmespath": {"id": {"equals": "{order}"}}},
    {"name": "clean up", "path": "/orders/{order}", "method": "DELETE", "headers": LOGGED_IN, "always": True},
]


@pytest.mark.smoke
def test_a_flow_carries_what_it_was_answered_from_step_to_step(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = orders = Orders()
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert judgement.succeeded
    assert judgement.check("flow:buy") == ("passed", "4 steps: log in 201, order 201, step 3 200, clean up 204")
    assert asked(site) == ["POST /sessions", "POST /orders", "GET /orders/o-1", "DELETE /orders/o-1"]
    assert site.requests[1].body == '{"item": "tea"}'
    assert site.requests[1].headers["Content-Type"] == "application/json"
    assert orders.placed == {}
    assert not any(name.startswith("http:") for name in judgement.outcomes())  # flows take the health check's place


def test_after_a_failed_step_only_the_cleaning_up_is_sent(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """And no token is shown that the flow was given."""
    site.answer = orders = Orders()
    orders.broken["GET /orders/o-1"] = Response(500, '{"id": "o-1", "of": "tok-of-session"}')
    steps = [*BUY[:3], {"path": "/orders", "name": "list", "headers": LOGGED_IN}, BUY[3]]
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": steps}})
    assert not judgement.succeeded
    assert judgement.message == (
        'step 3: GET /orders/{order}: [STATUS] (500) expected 200-299; body: {"id": "o-1", "of": "***"} '
        "(passed: log in 201, order 201, clean up 204)"
    )
    assert asked(site) == ["POST /sessions", "POST /orders", "GET /orders/o-1", "DELETE /orders/o-1"]
    assert orders.placed == {}
    assert "tok-of-session" not in json.dumps(judgement) + "".join(str(vars(record)) for record in caplog.records)


def test_flows_are_run_though_a_check_failed_and_one_run_names_all(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(500)
    flows = {name: {"steps": [{"path": f"/{name}"}]} for name in ("a", "b")}
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT}, flows=flows)
    assert not judgement.succeeded
    assert [f"GET {path}: [STATUS] (500)" in judgement.message for path in ("/", "/a", "/b")] == [True] * 3
    assert paths(site) == {"/": 1, "/a": 1, "/b": 1}


def test_a_flow_proves_that_green_answered(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: answered_by("1" if request.path == "/" else "2")
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": [{"path": "/a/{revision}", **VERSION}, REVISION]}})
    assert not judgement.succeeded
    assert "step 2: GET /: [JSON revision] (1) expected 2" in judgement.message
    assert asked(site) == ["GET /a/2", "GET /"]


def test_a_flow_that_lacks_a_secret_sends_nothing(stage: Stage, judge: Judge, site: Site) -> None:
    """Half a flow would leave its orders behind."""
    stage.instead["secretsmanager:GetSecretValue"] = refuse("AccessDeniedException")
    steps = [*BUY[:3], {**BUY[3], "secret_headers": {"X-Key": secret(stage, "a-key-of-ours")}}]
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": steps}})
    assert not judgement.succeeded
    assert judgement.check("flow:buy")[0] == "error"
    assert site.requests == []


def test_time_is_kept_for_cleaning_up(stage: Stage, judge: Judge, site: Site) -> None:
    """The step before would use up all the time there is."""
    site.answer = lambda request: Response(204 if request.method == "DELETE" else 503, "")
    steps = [
        {"path": "/slow", "attempts": 100, "interval": 60},
        {"path": "/clean", "method": "DELETE", "status": ["204"], "always": True},
    ]
    judgement = judge(hook, stage.at(EVENT), flows={"f": {"steps": steps}})
    assert not judgement.succeeded
    assert site.requests[-1].method == "DELETE"


def test_what_green_is_called_is_found_once_so_that_cleaning_up_does_not_hang_on_it(
    stage: Stage, judge: Judge, site: Site
) -> None:
    def answer(_request: Request) -> Response:
        stage.instead["ecs:DescribeServices"] = refuse("ServerException", status=500)
        return Response()

    site.answer = answer
    steps = [{"path": "/place"}, {"path": "/orders/{revision}", "method": "DELETE", "always": True}]
    judgement = judge(hook, stage.at(EVENT), flows={"f": {"steps": steps}})
    assert judgement.succeeded
    assert [request.method for request in site.requests] == ["GET", "DELETE"]


def test_a_secure_cookie_is_kept_on_a_listener_that_speaks_http(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(headers={"Set-Cookie": "session=abc; Secure; Path=/"})
    judge(hook, stage.at(EVENT), flows={"f": {"steps": [{"path": "/in"}, {"path": "/out"}]}})
    assert site.requests[1].headers.get("Cookie") == "session=abc"
