"""Redirects stay on the side under test, and what a status that was not expected speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gate.http_checks import Answer, mismatches
from gate.http_sender import MOST_REDIRECTS, Sender
from gate.options.requests import HttpCheck

from tests.unit.gate.conftest import NAME
from tests.unit.gate.web_server import Request, Route, WebServer

SECRET = "correct-horse-battery"
FOLLOWS: dict[str, Any] = {"follow_redirects": True}


def to(location: str, status: int = 302, **headers: str) -> Route:
    return lambda request: request.answer(status, "", {"Location": location, **headers})


def asked(web: WebServer) -> list[tuple[str, str, str]]:
    return [(request.method, request.path, request.headers["Host"]) for request in web.requests]


def problem(web: WebServer, check: HttpCheck, host: str | None = None) -> str:
    return "; ".join(mismatches(check, Sender(web.url, host).send(check)))


@pytest.fixture
def elsewhere() -> Iterator[WebServer]:
    """Production, which answers well whatever is asked."""
    server = WebServer(routes={"/health": lambda request: request.answer(), "/": lambda request: request.answer()})
    yield server
    server.close()


@pytest.mark.parametrize(
    "location",
    ["/health?a=1", "health?a=1", "./x/../health?a=1", f"http://{NAME}/health?a=1", f"HTTPS://{NAME.upper()}/health?a=1",
     f"//{NAME}:8443/health?a=1", f"https://{NAME}:443/health?a=1#b"],
)  # fmt: skip
def test_a_redirect_to_the_name_that_was_asked_for_stays_at_the_address(web: WebServer, location: str) -> None:
    """By DNS it would lead to production."""
    web.routes["/"] = to(location, 307)
    assert problem(web, HttpCheck(host=NAME, **FOLLOWS)) == ""
    assert asked(web) == [("GET", "/", NAME), ("GET", "/health?a=1", NAME)]


def test_the_hooks_host_and_the_addresss_own_name_are_such_names(web: WebServer) -> None:
    port = web.url.rpartition(":")[2]
    web.routes["/"] = to(f"https://127.0.0.1:{int(port) + 1}/a")
    web.routes["/a"] = to(f"http://{NAME}/health")
    assert problem(web, HttpCheck(**FOLLOWS), NAME) == ""
    assert problem(web, HttpCheck(headers={"Host": NAME}, **FOLLOWS)) == ""
    assert [path for _, path, _ in asked(web)] == ["/", "/a", "/health"] * 2


def test_what_green_answers_there_is_what_counts(web: WebServer, elsewhere: WebServer) -> None:
    web.routes["/"] = to(elsewhere.url + "/health", 307)  # the same name, another port
    web.routes["/health"] = lambda request: request.answer(500)
    assert problem(web, HttpCheck(**FOLLOWS)).startswith("[STATUS] (500) expected 200-299")
    assert elsewhere.requests == []


@pytest.mark.parametrize("location", ["https://other.example.com/orders/", "//other.example.com/orders/"])
def test_a_redirect_to_another_name_is_not_followed(web: WebServer, location: str) -> None:
    web.routes["/"] = to(f"{location}?token={SECRET}", 307)
    assert problem(web, HttpCheck(host=NAME, **FOLLOWS)) == (
        f"[REDIRECT] (307 to {location}) leads away from what is tested: expect the status, or ask that address by url"
    )
    assert problem(web, HttpCheck(**FOLLOWS)).endswith("or set host to it if it is this service's name")
    assert problem(web, HttpCheck(status=("307",), host=NAME, **FOLLOWS)) == ""


@pytest.mark.parametrize("location", ["shop-app://done", "mailto:a@b"])
def test_what_is_no_address_of_http_is_not_followed(web: WebServer, location: str) -> None:
    web.routes["/"] = to(location)
    found = problem(web, HttpCheck(url=f"{web.url}/", **FOLLOWS))
    assert found.startswith("[REDIRECT] (302 to ")


def test_a_redirect_to_the_same_url_says_what_helps(web: WebServer) -> None:
    web.routes["/"] = to(f"https://{NAME}/?token={SECRET}", 301)
    assert problem(web, HttpCheck(path=f"/?token={SECRET}", host=NAME, **FOLLOWS)) == (
        f"[REDIRECT] (301 to https://{NAME}/) comes back to the same URL: the application insists on HTTPS and was "
        "asked by HTTP: give the listener HTTPS, or expect the status without follow_redirects"
    )
    web.routes["/a"] = to("/a")
    assert problem(web, HttpCheck(path="/a", **FOLLOWS)).startswith("[REDIRECT] (302 to /a) comes back to the same URL")


@pytest.mark.parametrize("status", [200, 201, 304])
def test_a_location_of_another_status_leads_nowhere(web: WebServer, status: int) -> None:
    """That of a 201 says where the thing is that was made."""
    web.routes["/"] = to("/health", status)
    assert problem(web, HttpCheck(status=(str(status),), **FOLLOWS)) == ""
    assert [path for _, path, _ in asked(web)] == ["/"]


def test_a_redirect_without_a_location_leads_nowhere(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(302, "")
    assert problem(web, HttpCheck(status=("302",), **FOLLOWS)) == ""
    assert [path for _, path, _ in asked(web)] == ["/"]


def test_redirects_have_an_end(web: WebServer) -> None:
    web.routes.update({"/a": to("/b"), "/b": to("/a")})
    assert problem(web, HttpCheck(path="/a", **FOLLOWS)) == f"more redirects than {MOST_REDIRECTS}"
    assert len(web.requests) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("POST", 307, "POST"), ("POST", 308, "POST"),
        ("PUT", 302, "PUT"), ("PUT", 303, "GET"), ("HEAD", 303, "HEAD"), ("GET", 308, "GET"),
    ],
)  # fmt: skip
def test_method_and_body_after_a_redirect(web: WebServer, method: str, status: int, then: str) -> None:
    web.routes["/"] = to("/health", status)
    assert problem(web, HttpCheck(method=method, json='{"a": 1}', **FOLLOWS)) == ""
    last = web.requests[-1]
    kept = then == method
    assert (last.method, last.body) == (then, b'{"a": 1}' if kept else b"")
    assert ("Content-Type" in last.headers) == kept


def test_a_visitors_cookies_are_kept_over_redirects(web: WebServer) -> None:
    def login(request: Request) -> None:
        if "Cookie" in request.headers:
            request.answer()
        else:  # back to the same URL, as a visitor who is known now
            request.answer(302, "", {"Location": "/login", "Set-Cookie": "session=s1; Path=/; Secure"})

    web.routes["/login"] = login
    check = HttpCheck(path="/login", **FOLLOWS)
    assert Sender(web.url, NAME).session().send(check).status == 200
    assert web.requests[-1].headers["Cookie"] == "session=s1"


def test_somebody_else_may_lead_anywhere(web: WebServer, elsewhere: WebServer) -> None:
    address = elsewhere.url.replace("127.0.0.1", "localhost")
    web.routes["/"] = to(f"{address}/health")
    check = HttpCheck(url=f"{web.url}/", headers={"Authorization": SECRET, "X-Own": "1"}, **FOLLOWS)
    assert problem(web, check, NAME) == ""
    (request,) = elsewhere.requests
    assert "Authorization" not in request.headers
    assert request.headers["X-Own"] == "1"
    assert request.headers["Host"] == address.removeprefix("http://")


def test_somebody_else_with_a_host_keeps_it(web: WebServer) -> None:
    web.routes["/"] = to(f"https://{NAME}/health")
    assert problem(web, HttpCheck(url=f"{web.url}/", host=NAME, **FOLLOWS)) == ""
    assert asked(web)[-1] == ("GET", "/health", NAME)
    web.routes["/"] = to("https://other.example.com/health")
    assert "leads away" in problem(web, HttpCheck(url=f"{web.url}/", host=NAME, **FOLLOWS))


# Hints


@pytest.mark.parametrize(
    ("status", "headers", "attributes", "hint"),
    [
        (400, {}, {"asked_as": "lb.example.com"}, "a Host that they do not know (lb.example.com); set host"),
        (421, {}, {"asked_as": "lb.example.com"}, "a Host that they do not know (lb.example.com); set host"),
        (400, {}, {}, ""),
        (404, {}, {"asked_as": "lb.example.com"}, ""),
        (464, {}, {}, "the target group speaks HTTP/2 or gRPC alone, which these requests do not"),
        (503, {"Server": ("awselb/2.0",)}, {}, "a load balancer answers so while no healthy target is behind it"),
        (503, {}, {}, "a load balancer answers so while no healthy target is behind it"),
        (503, {"Server": ("nginx",)}, {}, ""),
        (302, {"Location": ("/new",)}, {}, "set follow_redirects, or ask the address that it leads to"),
        (302, {"Location": ("https://id.example.com/oauth2/authorize?a=b",)}, {}, "a login stands in front of it"),
        (303, {"Location": ("/users/Login",)}, {}, "a login stands in front of it"),
        (302, {}, {}, ""),
        (500, {}, {}, ""),
    ],
)
def test_where_a_status_speaks_it_is_said(
    status: int, headers: dict[str, tuple[str, ...]], attributes: dict[str, str], hint: str
) -> None:
    (found,) = mismatches(HttpCheck(), Answer(1.0, status, headers, **attributes))  # type: ignore[arg-type]
    assert found.startswith(f"[STATUS] ({status}")
    assert hint in found
    assert hint or found.endswith("expected 200-299")


def test_where_no_connection_is_made_the_network_is_named() -> None:
    cure = ": look at the load balancer's scheme and security groups, and at the module's vpc_config"
    assert Sender("http://127.0.0.1:1").send(HttpCheck()).problem.endswith(cure)
    assert not Sender("http://127.0.0.1:1").send(HttpCheck(url="http://127.0.0.1:1")).problem.endswith(cure)
