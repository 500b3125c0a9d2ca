"""AfterAllowTestTraffic: which requests are sent through the test listener, and what is made of green's answers.

Each expectation of an answer, and each way in which there is none, is proven in tests/unit/gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import validate_test_traffic as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage, refuse
from rehearsal.testing.web import Response, Site
from tests.unit.gate.web_server import Certificates, make_certificates
from tests.unit.handlers.validate_test_traffic.helpers import (
    EVENT,
    NAME,
    NO_SAMPLES,
    ONCE,
    ONE_ATTEMPT,
    REVISION,
    VERSION,
    WARM_UP,
    answered_by,
    paths,
)


@pytest.mark.smoke
def test_by_default_the_target_groups_own_health_check_is_asked(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "4 checks passed"
    assert {(request.method, request.path) for request in site.requests} == {("GET", "/health")}
    assert len(site.requests) == 1 + WARM_UP + 20
    assert stage.clock.now == pytest.approx(0.2 * (WARM_UP + 20 - 1)), "samples are never two at once, nor hurried"
    assert [(name, *judgement.check(name)) for name in list(judgement.outcomes())[1:]] == [
        ("test_listener", "passed", "the test listener is on port 8080 (HTTP)"),
        (
            "green_serves_tests",
            "passed",
            "test traffic goes to green (shop-green 100), 2 of 2 target(s) healthy",
        ),
        ("http:health", "passed", "GET /health: 200 in 0 ms"),
        ("samples:health:error_rate", "passed", "0 of 20 requests failed (0.00%)"),
    ]


def test_every_request_goes_through_the_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"path": "/"}, "order": {"path": "/orders", "method": "POST", "body": "{}"}}
    flows = {"buy": {"steps": [{"path": "/basket"}]}}
    judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, samples=3)
    assert {request.host for request in site.requests} == {f"{stage.dns_name}:8080"}
    assert paths(site) == {"/": 1 + WARM_UP + 3, "/orders": 1, "/basket": 1}
    assert {request.body for request in site.requests if request.method == "POST"} == {"{}"}


def test_it_only_reads(stage: Stage, judge: Judge, site: Site) -> None:
    judge(hook, stage.at(EVENT), samples=1)
    assert site.requests
    assert {call.name for call in stage.calls} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeListeners",
        "elbv2:DescribeRules",
        "elbv2:DescribeTargetHealth",
        "elbv2:DescribeLoadBalancers",
    }


def test_headers_of_the_hook_and_of_the_check(stage: Stage, judge: Judge, site: Site) -> None:
    """The check's own go before those of the hook; an address elsewhere gets nothing that is meant for green."""
    checks = {
        "plain": {"path": "/plain"},
        "own": {"path": "/own", "headers": {"X-Canary": "own"}, "host": "own.example.com"},
        "elsewhere": {"url": f"{site.url}/elsewhere"},
    }
    headers = {"X-Canary": "yes", "X-Team": "shop"}
    assert judge(hook, stage.at(EVENT), host=NAME, headers=headers, http_checks=checks, samples=2).succeeded
    assert paths(site) == {"/plain": 1 + WARM_UP + 2, "/own": 1 + WARM_UP + 2, "/elsewhere": 1 + 10 + 2}
    sent = {(r.path, r.host, r.headers.get("X-Canary"), r.headers.get("X-Team")) for r in site.requests}
    assert sent == {
        ("/plain", NAME, "yes", "shop"),
        ("/own", "own.example.com", "own", "shop"),
        ("/elsewhere", f"127.0.0.1:{site.port}", None, None),
    }


def test_a_bad_option_sends_nothing(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"headers": {"X-Word": "two\nlines"}}})
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == (
        "validate_test_traffic.http_checks.front.headers.X-Word is a text of 9 characters; expected a header's value: "
        "text without line breaks and control characters that begins with no space."
    )
    assert site.requests == []


# An HTTPS listener


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of the test's own, and its certificate for one name, good for a day."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture
def secure(stage: Stage, site: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application behind the load balancer's name, by TLS; at `site` nobody asks any more."""
    tls = Site(certificates.server)
    monkeypatch.setattr("socket.getaddrinfo", tls.resolve(stage.dns_name))
    yield tls
    tls.stop()
    assert site.requests == []


def at_https(stage: Stage) -> dict[str, str]:
    """A deployment whose test listener speaks TLS, on port 8443."""
    event = stage.at(EVENT)
    arn = boto3.client("acm").request_certificate(DomainName=NAME)["CertificateArn"]
    stage.elbv2.modify_listener(
        ListenerArn=stage.test_listener, Protocol="HTTPS", Port=8443, Certificates=[{"CertificateArn": arn}]
    )
    return event


def test_an_https_listener_is_asked_by_https_at_its_port(
    stage: Stage, judge: Judge, secure: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    judgement = judge(hook, at_https(stage), http_checks={"front": {"path": "/", "host": NAME}}, samples=3)
    assert judgement.succeeded
    assert judgement.check("test_listener") == ("passed", "the test listener is on port 8443 (HTTPS)")
    assert Counter(request.host for request in secure.requests) == {NAME: 1 + WARM_UP + 3}
    assert set(secure.server_names) == {NAME}


def test_the_target_groups_own_health_check_does_not_verify_tls(stage: Stage, judge: Judge, secure: Site) -> None:
    """As the load balancer does not. Without a host, its own name is asked for."""
    assert judge(hook, at_https(stage), samples=3).succeeded
    assert paths(secure) == {"/health": 1 + WARM_UP + 3}
    assert {request.host for request in secure.requests} == {f"{stage.dns_name}:8443"}
    assert set(secure.server_names) == {stage.dns_name}


def test_a_certificate_for_another_name_names_the_cure(
    stage: Stage, judge: Judge, secure: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    judgement = judge(hook, at_https(stage), http_checks={"front": {}})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: TLS failed (")
    assert "doesn't match" in judgement.message or "mismatch" in judgement.message
    assert judgement.message.endswith("; set `host` to a name in the certificate (attempt 3 of 3)")
    assert secure.requests == []


# What green answers


def test_a_wrong_status(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(500, "database is away")
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message == (
        "GET /health: [STATUS] (500) expected 200-299; body: database is away (attempt 3 of 3)"
    )
    assert len(site.requests) == 3  # no samples of what does not answer


def test_a_wrong_field_of_an_answer_that_is_otherwise_good(stage: Stage, judge: Judge, site: Site) -> None:
    """A status of 200 says little: the database behind it is down."""
    body = '{"status": "ok", "checks": {"database": "down"}}'
    site.answer = lambda _: Response(200, body)
    health = {"path": "/health", "jmespath": {"checks.database": {"equals": "up"}}}
    judgement = judge(hook, stage.at(EVENT), http_checks={"health": health})
    assert not judgement.succeeded
    assert judgement.message == (
        f"GET /health: [JSON checks.database] (down) expected up; body: {body} (attempt 3 of 3)"
    )


def test_one_run_names_all_checks_that_fail(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.path == "/b" else 404)
    checks = {name: {"path": f"/{name}", **ONE_ATTEMPT} for name in ("a", "b", "c")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /a: [STATUS] (404)")
    assert "; GET /c: [STATUS] (404)" in judgement.message
    assert judgement.check("http:b")[0] == "passed"


def test_a_listener_that_nobody_answers_at(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    site.refuse()
    judgement = judge(hook, event, http_checks={"front": {"path": "/?token=in-the-query", **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: connection refused (")
    assert "in-the-query" not in judgement.message


def test_a_redirect_by_name_does_not_lead_to_production(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By DNS the name leads to blue, which answers well."""
    blue = Site()
    production, green = blue.resolve(NAME), site.resolve(stage.dns_name)
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, *more, **o: (production if host == NAME else green)(host, *more, **o)
    )
    site.answer = lambda request: (
        Response(500) if request.path == "/orders/" else Response(307, "", {"Location": f"http://{NAME}/orders/"})
    )
    checks = {"orders": {"path": "/orders", "host": NAME, "follow_redirects": True, **ONCE}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    blue.stop()
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /orders: [STATUS] (500) expected 200-299")
    assert blue.requests == []
    assert {request.host for request in site.requests} == {NAME}


# Time


def test_no_check_waits_for_the_pauses_of_another(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(503)
    checks = {name: {"path": f"/{name}", "initial_delay": 20, "interval": 30} for name in ("a", "b", "c")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert paths(site) == {"/a": 3, "/b": 3, "/c": 3}
    assert stage.clock.now == 20 + 30 + 30


def test_time_that_is_over_before_a_check_is_due(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    stage.clock.after(500, stage.world.target_health.clear)
    checks = {"now": {"path": "/now", "samples": 0}, "late": {"path": "/late", "initial_delay": 600}}
    judgement = judge(hook, event, http_checks=checks, interval=60)
    assert not judgement.succeeded
    assert judgement.message == "GET /late: time was over before it could be sent"
    assert judgement.check("http:now")[0] == "passed"
    assert paths(site) == {"/now": 1}


# Proof that green answered, and not blue


@pytest.mark.parametrize(
    ("proof", "read"),
    [(VERSION, ["DescribeTaskDefinition"]), (REVISION, [])],  # the revision is in the name
    ids=["image tag", "revision"],
)
def test_the_new_release_is_green(
    stage: Stage, judge: Judge, site: Site, proof: dict[str, Any], read: list[str]
) -> None:
    sidecar = {"name": "proxy", "image": stage.image("9", "proxy"), "essential": True}
    stage.green_definition = stage.register(sidecars=(sidecar,), image=stage.image("2"))
    site.answer = lambda _: answered_by("2" if read else "3")
    assert judge(hook, stage.at(EVENT), http_checks={"front": proof}).succeeded
    assert len(site.requests) == 1 + WARM_UP + 20
    assert stage.called("ecs:DescribeTaskDefinition") == [{"taskDefinition": stage.green_definition} for _ in read]


def test_an_answer_of_blue_is_a_failure(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: answered_by("1")
    checks = {"tag": {**VERSION, **ONE_ATTEMPT}, "revision": {**REVISION, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message == (
        'GET /: [HEADER X-App-Version] (1) expected 2; body: {"revision": 1}; '
        'GET /: [JSON revision] (1) expected 2; body: {"revision": 1}'
    )


def test_one_of_twenty_answers_is_blues(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: answered_by("1" if request.number == 1 + WARM_UP + 12 else "2")
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": VERSION}, samples=20)
    assert not judgement.succeeded
    assert judgement.check("http:front")[0] == "passed"
    assert judgement.check("samples:front:error_rate") == (
        "failed",
        "front: 1 of 20 requests failed (5.00%), at most 1.00% allowed: 1 times [HEADER X-App-Version] (1) expected 2",
    )


def test_a_task_definition_that_cannot_be_read(stage: Stage, judge: Judge, site: Site) -> None:
    stage.instead["ecs:DescribeTaskDefinition"] = refuse("AccessDeniedException")
    checks = {"front": {"path": "/front", **VERSION}, "other": {"path": "/other", **REVISION}}
    site.answer = lambda _: answered_by("2")
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert "ecs:DescribeTaskDefinition" in judgement.message
    assert judgement.check("http:front")[0] == "error"
    assert judgement.check("http:other")[0] == "passed"
    assert paths(site) == {"/other": 1}
