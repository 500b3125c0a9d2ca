"""What is declared is what is sent, to green alone, and counts with its severity."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from gate.elb import Listener, LoadBalancer, Target
from gate.names import unknown_names
from gate.statistics import FIGURES
from gate.traffic import NAMES, green_serves, listener_url
from gate.verdict import Outcome, Severity

from tests.unit.gate.conftest import NAME
from tests.unit.gate.traffic_of_green import GROUP, Green, judged, outcomes, paths, run, traffic
from tests.unit.gate.web_server import WebServer

# What is declared


def test_without_declared_requests_the_target_groups_own_health_check_is_sent(web: WebServer) -> None:
    found, severities, sound = run(traffic(web))
    assert found["http:health"].detail.startswith("GET /health: 200 in ")
    assert (severities, sound) == ({"http:health": Severity.FAIL}, True)


def test_without_a_health_check_over_http_requests_have_to_be_declared(web: WebServer) -> None:
    found = judged(web, Green(group=replace(GROUP, health_protocol="TCP")))
    assert list(found) == ["http:health"]
    assert found["http:health"].outcome is Outcome.SKIPPED
    assert found["http:health"].note
    assert "declare what to ask: http_checks = " in found["http:health"].detail
    assert paths(web) == []


def test_with_flows_alone_no_health_check_is_sent(web: WebServer) -> None:
    found = judged(web, flows={"f": {"steps": [{"path": "/health"}]}})
    assert list(found) == ["flow:f"]
    assert paths(web) == ["/health"]


def test_the_hooks_host_and_headers_go_with_each_request(web: WebServer) -> None:
    hook: dict[str, Any] = {"host": NAME, "headers": {"X-A": "1"}}
    judged(
        web, **hook, http_checks={"a": {"path": "/health"}}, flows={"f": {"steps": [{"path": "/health"}]}}, samples=1
    )
    assert [(request.headers["Host"], request.headers["X-A"]) for request in web.requests] == [(NAME, "1")] * 13


def test_a_check_may_only_warn(web: WebServer) -> None:
    checks = {"a": {"severity": "warn", "attempts": 1}, "b": {"path": "/health"}}
    found, severities, sound = run(traffic(web, http_checks=checks, samples=2))
    assert outcomes(found)["http:a"] == "failed"
    assert severities == {"http:a": Severity.WARN, "http:b": Severity.FAIL, "samples:b:error_rate": Severity.FAIL}
    assert sound
    _, severities, sound = run(traffic(web, http_checks=checks, checks={"http:a": "fail", "http:b": "warn"}))
    assert severities == {"http:a": Severity.FAIL, "http:b": Severity.WARN}
    assert not sound


def test_samples_of_a_check_that_may_only_warn_only_warn_too(web: WebServer) -> None:
    checks = {"a": {"path": "/health", "severity": "warn", "samples": 1}}
    assert run(traffic(web, http_checks=checks))[1] == {"http:a": Severity.WARN, "samples:a:error_rate": Severity.WARN}


@pytest.mark.parametrize(
    "checks",
    [{"http:a": "skip", "samples:a": "skip", "flow:f": "skip"}, {"http": "skip", "samples": "skip", "flow": "skip"}],
)
def test_what_is_left_out_by_the_option_checks_is_not_sent(web: WebServer, checks: dict[str, str]) -> None:
    options: dict[str, Any] = {"http_checks": {"a": {"path": "/a"}}, "flows": {"f": {"steps": [{"path": "/f"}]}}}
    found, severities, sound = run(traffic(web, checks=checks, samples=5, **options))
    assert ({*outcomes(found).values()}, paths(web), sound) == ({"skipped"}, [], True)
    assert set(severities.values()) == {Severity.SKIP}


def test_one_check_may_be_left_out_and_the_others_are_sent(web: WebServer) -> None:
    checks = {"a": {"path": "/a"}, "b": {"path": "/health"}}
    found = judged(web, checks={"http:a": "skip"}, http_checks=checks)
    assert outcomes(found) == {"http:a": "skipped", "http:b": "passed"}
    assert paths(web) == ["/health"]


def test_all_is_sound_only_if_each_check_sample_and_flow_is(web: WebServer) -> None:
    good: dict[str, Any] = {"http_checks": {"a": {"path": "/health"}}, "flows": {"f": {"steps": [{"path": "/health"}]}}}
    assert run(traffic(web, **good, samples=1))[2]
    bad = {"path": "/none", "attempts": 1}
    assert not run(traffic(web, http_checks={"b": bad, "a": {"path": "/health"}}))[2]
    assert not run(traffic(web, http_checks={"a": {"path": "/health"}}, flows={"f": {"steps": [bad]}}))[2]
    assert not run(traffic(web, **good, samples=1, thresholds={"max_ms": 0.001}))[2]


# What green is called


def test_an_answer_proves_that_it_is_greens(web: WebServer) -> None:
    page = json.dumps({"version": "v42", "revision": 7})
    web.routes["/"] = lambda request: request.answer(200, page, {"X-Version": "v42"})
    expected = {
        "response_headers": {"X-Version": {"equals": "{image_tag}"}},
        "jmespath": {"version": {"equals": "{image_tag}"}, "revision": {"one_of": ["{revision}", "x{revision}"]}},
    }
    options: dict[str, Any] = {"http_checks": {"a": expected}, "flows": {"f": {"steps": [expected]}}}
    assert set(outcomes(judged(web, **options, samples=2)).values()) == {"passed"}
    found = judged(web, Green("shop/app:v43"), **options)
    assert "[HEADER X-Version] (v42) expected v43; [JSON version] (v42) expected v43" in found["http:a"].detail
    assert "[JSON version] (v42) expected v43" in found["flow:f"].detail


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("shop/app:v42", "v42"),
        ("shop/app", "latest"),
        ("registry.example.com:5000/shop/app", "latest"),
        (f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1@sha256:{'0' * 64}", "v1"),
    ],
)
def test_image_tag_is_the_tag_of_the_load_balanced_container(web: WebServer, image: str, tag: str) -> None:
    judged(web, Green(image), http_checks={"a": {"path": "/health?{image_tag}={revision}"}})
    assert paths(web) == [f"/health?{tag}=7"]


def test_an_image_without_a_tag_is_said_to_have_none(web: WebServer) -> None:
    image = f"shop/app@sha256:{'0' * 64}"
    flow = {"steps": [{"path": "/health"}, {"path": "/{image_tag}"}]}
    checks = {
        "a": {"response_headers": {"X": {"equals": "{image_tag}"}}},
        "b": {"path": "/health"},
        "c": {"path": "/health?{revision}"},
    }
    found = judged(web, Green(image), http_checks=checks, flows={"f": flow})
    assert outcomes(found) == {"http:a": "error", "http:b": "passed", "http:c": "passed", "flow:f": "error"}
    for name in ("http:a", "flow:f"):
        assert f"{{image_tag}}: the image of container app is {image}, which has no tag" in found[name].detail
        assert "expect {revision} instead" in found[name].detail
    assert sorted(paths(web)) == ["/health", "/health?7"]  # nothing of the flow


def test_a_name_that_nobody_knows_is_sent_as_it_is_written(web: WebServer) -> None:
    web.routes["/graphql"] = lambda request: request.answer()
    judged(web, http_checks={"a": {"path": "/graphql", "method": "POST", "body": "query {me} {image_tag}"}})
    assert web.requests[0].body == b"query {me} v42"


# Listeners


def listener(**weights: int) -> Listener:
    return Listener(
        arn="l", load_balancer_arn="b", protocol="HTTPS", port=8443,
        default={f"arn:{name}": weight for name, weight in weights.items()},
        pair=frozenset({"arn:blue", "arn:green"}), read_rules=list,
    )  # fmt: skip


def test_a_listeners_url_has_its_scheme_name_and_port() -> None:
    balancer = LoadBalancer(arn="b", dns_name="lb.example.com", kind="application", state="active", zones=())
    assert listener_url(listener(), balancer, GROUP) == "https://lb.example.com:8443"
    assert listener_url(replace(listener(), protocol="TLS"), balancer, GROUP) == "https://lb.example.com:8443"
    assert listener_url(replace(listener(), protocol="HTTP", port=80), balancer, GROUP) == "http://lb.example.com:80"


def test_names_of_checks_are_those_of_the_options(web: WebServer) -> None:
    every = dict.fromkeys(("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"), 60_000)
    checks = {"a": {"path": "/health"}}
    found = judged(web, http_checks=checks, flows={"f": {"steps": [{}]}}, samples=1, thresholds=every)
    assert list(found) == ["http:a", *(f"samples:a:{figure}" for figure in FIGURES), "flow:f"]
    assert unknown_names(["samples:a", *found, "http", "samples", "flow"], NAMES) == []
    assert unknown_names(["https:a", "samples:", "flows"], NAMES) == ["flows", "https:a", "samples:"]


def target(address: str, state: str) -> Target:
    return Target(address, 80, state, "", "")


def test_nothing_is_sent_before_the_listener_leads_to_green_alone() -> None:
    finding = green_serves(Green(), GROUP, listener(green=50, blue=50), "test")
    assert (finding.outcome, finding.name) == (Outcome.FAILED, None), "it has the name of its check"
    assert finding.detail == "the test listener does not forward to green (green) alone but to green 50, blue 50"


def test_nor_before_green_has_a_healthy_target() -> None:
    deployment = Green()
    finding = green_serves(deployment, GROUP, listener(green=1), "production")
    assert finding.detail == "no green target is healthy, so nothing is sent: green target none is registered"
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "unhealthy")]
    finding = green_serves(deployment, GROUP, None, "production")
    assert finding.outcome is Outcome.FAILED
    assert finding.detail == (
        "no green target is healthy, so nothing is sent: green target 10.0.0.1:80 is initial; 10.0.0.2:80 is unhealthy"
    )


def test_for_tests_all_targets_have_to_be_healthy() -> None:
    deployment = Green()
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "healthy"), target("10.0.0.3", "draining")]
    finding = green_serves(deployment, GROUP, listener(green=1), "test")
    assert (finding.outcome, finding.detail) == (
        Outcome.FAILED,
        "1 of 2 green targets are healthy, so nothing is sent: green target 10.0.0.1:80 is initial",
    )


@pytest.mark.parametrize("listens", [True, False])
def test_for_customers_one_healthy_target_is_enough(listens: bool) -> None:
    """How many of them are not is judged by the load balancer's own figures."""
    deployment = Green()
    deployment.seen = [target("10.0.0.1", "initial"), target("10.0.0.2", "healthy")]
    finding = green_serves(deployment, GROUP, listener(green=1) if listens else None, "production")
    assert finding.ok
    leads = "production traffic goes to green (green 1)" if listens else "green is green"
    assert finding.detail == f"{leads}, 1 of 2 target(s) healthy"
