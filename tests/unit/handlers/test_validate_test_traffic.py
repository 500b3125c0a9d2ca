"""AfterAllowTestTraffic: green is asked through the test listener, and only once it is behind it."""

from __future__ import annotations

from typing import Any

import pytest
import validate_test_traffic as hook

from rehearsal.aws.world import TargetState
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTestTraffic"
NO_SAMPLES: dict[str, Any] = {"samples": 0}
ONE_ATTEMPT: dict[str, Any] = {"attempts": 1}


def test_by_default_the_target_groups_own_health_check_is_asked(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "5 checks passed"
    assert {(request.method, request.path) for request in site.requests} == {("GET", "/health")}
    assert len(site.requests) == 1 + 100
    assert judgement.check("test_listener") == ("passed", "the test listener is on port 8080 (HTTP)")
    assert judgement.check("green_serves_tests") == (
        "passed",
        "green (shop-green) serves test traffic with 2 of 2 target(s) healthy",
    )
    assert judgement.check("http:health") == ("passed", "GET /health: 200 in 0 ms")
    assert judgement.check("error_rate:health") == ("passed", "0 of 100 requests failed (0.00%)")
    assert judgement.check("latency_p99:health") == ("passed", "p99 0 ms of 100 answers (slowest 0 ms)")


def test_every_request_goes_through_the_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"path": "/"}, "order": {"path": "/orders", "method": "POST", "body": "{}"}}
    judge(hook, stage.at(EVENT), http_checks=checks, samples=3)
    assert {request.host for request in site.requests} == {f"{stage.dns_name}:8080"}
    assert [request.path for request in site.requests] == ["/"] * 4 + ["/orders"] * 4
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
        "elbv2:DescribeTargetHealth",
        "elbv2:DescribeLoadBalancers",
    }


# Nothing is sent before green can answer.


def test_nothing_is_sent_while_the_listener_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60)
    assert not judgement.succeeded
    assert judgement.message == (
        "the test listener does not lead to green (shop-green) but to shop-blue 1 (still so after 870 s)"
    )
    assert site.requests == []


def test_nothing_is_sent_while_the_listener_leads_to_both(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1, stage.green_group: 99})
    judgement = judge(hook, event, interval=60)
    assert "but to shop-blue 1, shop-green 99" in judgement.message
    assert site.requests == []


def test_the_listener_is_waited_for(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    arrived_before: list[int] = []

    def shift() -> None:
        arrived_before.append(len(site.requests))
        stage.lead(stage.test_listener, {stage.blue_group: 0, stage.green_group: 100})

    stage.clock.after(7, shift)
    assert judge(hook, event, **NO_SAMPLES).succeeded
    assert arrived_before == [0]
    assert len(site.requests) == 1
    assert stage.clock.now == 8


@pytest.mark.parametrize("state", ["initial", "unhealthy", "unused", "draining", "unavailable"])
def test_nothing_is_sent_while_no_green_target_is_healthy(stage: Stage, judge: Judge, site: Site, state: str) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState(state, "Some.Reason", "in words")
    judgement = judge(hook, event, interval=60)
    assert judgement.message.startswith("no green target is healthy, so nothing was sent: green target 10.0.")
    assert f":8000 is {state} (Some.Reason: in words)" in judgement.message
    assert site.requests == []


def test_nothing_is_sent_to_an_empty_target_group(stage: Stage, judge: Judge, site: Site) -> None:
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, stage.at(EVENT), interval=60)
    assert judgement.message.startswith(
        "no green target is healthy, so nothing was sent: green target none is registered"
    )
    assert site.requests == []


def test_a_healthy_target_is_waited_for(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    stage.clock.after(20, stage.world.target_health.clear)
    assert judge(hook, event, **NO_SAMPLES).succeeded
    assert stage.clock.now == 20
    assert len(site.requests) == 1


# What green answers.


def test_a_wrong_status(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(500, "database is away")
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message == (
        "GET /health: [STATUS] (500) expected 200-299; body: database is away (attempt 3 of 3)"
    )
    assert len(site.requests) == 3  # no samples of what does not answer


def test_an_answer_that_comes_right_at_the_last_attempt(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200 if len(site.requests) == 3 else 503)
    judgement = judge(hook, stage.at(EVENT), **NO_SAMPLES)
    assert judgement.succeeded
    assert len(site.requests) == 3
    assert stage.clock.now == 2


def test_the_matcher_of_the_target_group_counts(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.elbv2.modify_target_group(
        TargetGroupArn=stage.green_group, HealthCheckPath="/ready", Matcher={"HttpCode": "204,301-302"}
    )
    site.answer = lambda _: Response(302, "")
    judgement = judge(hook, event, **NO_SAMPLES)
    assert judgement.check("http:health") == ("passed", "GET /ready: 302 in 0 ms")
    site.answer = lambda _: Response(200)
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), **NO_SAMPLES)
    assert "[STATUS] (200) expected 204, 301-302" in judgement.message


def test_a_health_check_that_is_not_http(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    answer = stage.elbv2.describe_target_groups(Names=["shop-blue", "shop-green"])
    for group in answer["TargetGroups"]:
        group["HealthCheckProtocol"] = "TCP"
    stage.instead["elbv2:DescribeTargetGroups"] = lambda _: answer
    judgement = judge(hook, event)
    assert judgement.message == ("the health check of target group shop-green is TCP, not HTTP: declare http_checks")
    assert site.requests == []


def test_a_redirect_is_not_followed(stage: Stage, judge: Judge, site: Site) -> None:
    """An http-to-https redirect leads off to the production listener, that is to blue."""
    site.answer = lambda _: Response(301, "", {"Location": f"https://{stage.dns_name}/health"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT})
    assert judgement.message == (f"GET /: [STATUS] (301, Location https://{stage.dns_name}/health) expected 200-299")
    assert len(site.requests) == 1


def test_a_redirect_is_followed_if_asked_to(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(302, "", {"Location": "/b"}) if request.path == "/a" else Response()
    checks = {"front": {"path": "/a", "follow_redirects": True}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES).succeeded
    assert [request.path for request in site.requests] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"body_contains": "ready"}, "[BODY] does not contain 'ready'"),
        ({"body_matches": "^ok$"}, "[BODY] does not match '^ok$'"),
        ({"fail_if_body_matches": "st.tus"}, "[BODY] matches 'st.tus', which it must not"),
        ({"json": {"status": "up"}}, "[JSON status] (ok) expected up"),
        ({"json": {"database.state": "up"}}, "[JSON database.state] there is no database in it"),
        ({"response_headers": {"X-Version": "2"}}, "[HEADER X-Version] (1) expected 2"),
        ({"status": ["204"]}, "[STATUS] (200) expected 204"),
    ],
)
def test_what_is_expected_of_an_answer(
    stage: Stage, judge: Judge, site: Site, check: dict[str, Any], words: str
) -> None:
    site.answer = lambda _: Response(headers={"X-Version": "1"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {**check, **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert judgement.message == f'GET /: {words}; body: {{"status": "ok"}}'
    good: dict[str, Any] = {
        "body_contains": "ok",
        "body_matches": "^{.*}$",
        "fail_if_body_matches": "Traceback",
        "json": {"status": "ok"},
        "response_headers": {"x-version": "1"},
        "status": ["2xx"],
    }
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), http_checks={"front": good}, **NO_SAMPLES).succeeded


def test_one_run_names_all_checks_that_fail(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.path == "/b" else 404)
    checks = {name: {"path": f"/{name}", **ONE_ATTEMPT} for name in ("a", "b", "c")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert judgement.message.endswith(" (and 1 more: http:c)")
    assert judgement.check("http:b")[0] == "passed"


def test_a_secret_header_is_sent_and_never_shown(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = lambda _: Response(401)
    checks = {"front": {"path": "/?token=in-the-query", "headers": {"Authorization": "Bearer abc"}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert site.requests[0].headers["Authorization"] == "Bearer abc"
    assert "[STATUS] (401)" in judgement.message
    shown = str(judgement) + caplog.text
    assert "abc" not in shown
    assert "in-the-query" not in shown


# Samples.


def failing_every(number: int, site: Site) -> Any:
    """An answer of 503 to each `number`th request."""
    return lambda _: Response(503 if len(site.requests) % number == 0 else 200)


def test_an_error_rate_above_its_threshold(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = failing_every(20, site)
    judgement = judge(hook, stage.at(EVENT), concurrency=1)
    assert not judgement.succeeded
    assert judgement.check("error_rate:health") == (
        "failed",
        "health: 5 of 100 requests failed (5.00%), at most 1.00% allowed: 5 times status 503",
    )


def test_an_error_rate_within_its_threshold(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = failing_every(20, site)
    judgement = judge(hook, stage.at(EVENT), concurrency=1, thresholds={"error_rate": 0.05})
    assert judgement.succeeded
    assert judgement.check("error_rate:health") == (
        "passed",
        "5 of 100 requests failed (5.00%): 5 times status 503",
    )


def slow(stage: Stage, milliseconds: Any) -> Any:
    """An answer that takes so long by the test's clock; `milliseconds` may depend on the request."""

    def answer(request: Request) -> Response:
        stage.clock.sleep((milliseconds(request) if callable(milliseconds) else milliseconds) / 1000)
        return Response()

    return answer


def test_percentiles(stage: Stage, judge: Judge, site: Site) -> None:
    # The first request is the check itself, then come samples of 1, 2, … 100 ms.
    site.answer = slow(stage, lambda _: len(site.requests) - 1)
    judgement = judge(hook, stage.at(EVENT), concurrency=1, thresholds={"p50_ms": 50.5, "p95_ms": 94.5, "p99_ms": 98.5})
    assert not judgement.succeeded
    assert judgement.check("latency_p50:health") == ("passed", "p50 50 ms of 100 answers (slowest 100 ms)")
    assert judgement.check("latency_p95:health") == (
        "failed",
        "health: p95 95 ms of 100 answers (slowest 100 ms), at most 94.5 ms allowed",
    )
    assert judgement.check("latency_p99:health")[0] == "failed"


def test_green_is_too_slow_by_default(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 501)
    judgement = judge(hook, stage.at(EVENT), concurrency=1)
    assert judgement.message == "health: p99 501 ms of 100 answers (slowest 501 ms), at most 500 ms allowed"


def test_one_error_does_not_spare_the_others_their_percentiles(stage: Stage, judge: Judge, site: Site) -> None:
    def answer(_request: Request) -> Response:
        stage.clock.sleep(2)
        return Response(503 if len(site.requests) == 50 else 200)

    site.answer = answer
    judgement = judge(hook, stage.at(EVENT), concurrency=1)
    assert judgement.check("error_rate:health")[0] == "passed"
    assert judgement.check("latency_p99:health")[0] == "failed"
    assert not judgement.succeeded


def test_too_few_samples_for_a_percentile(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), samples=10)
    assert len(site.requests) == 11
    assert judgement.check("latency_p99:health") == (
        "skipped",
        "p99 needs 100 requests, there were 10 good answers to 10",
    )


def test_a_latency_of_the_check_itself(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 300)
    checks = {"front": {"max_latency_ms": 200, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert judgement.message.startswith("GET /: [LATENCY] (300 ms) expected at most 200 ms")


# Without a test listener.


def without_test_listener(stage: Stage) -> dict[str, str]:
    """A deployment of a deployment group that has no test listener."""
    event = stage.at(EVENT)
    stage.update_group(loadBalancerInfo=stage.pair(None))
    return event


def test_no_test_listener_names_both_cures(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, without_test_listener(stage))
    assert not judgement.succeeded
    assert judgement.message == (
        "the deployment group has no test listener, so green cannot be tested before production: add one to the "
        "deployment group (test_traffic_route), or set base_url of validate_test_traffic to where green answers"
    )
    assert site.requests == []


def test_base_url_in_the_place_of_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, without_test_listener(stage), base_url=site.url, **NO_SAMPLES)
    assert judgement.succeeded
    assert judgement.check("test_listener") == (
        "passed",
        f"the deployment group has no test listener; base_url {site.url} is used",
    )
    assert [request.path for request in site.requests] == ["/health"]


def test_base_url_beside_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    """Where requests go elsewhere, green still has to be behind the test listener."""
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    assert not judge(hook, event, base_url=site.url, interval=60).succeeded
    assert site.requests == []
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), base_url=site.url, **NO_SAMPLES).succeeded
    assert {request.host for request in site.requests} == {f"127.0.0.1:{site.port}"}


def test_a_base_url_that_is_none(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), base_url="test.example.com")
    assert judgement.outcomes() == {"settings": "failed"}
    assert "base_url 'test.example.com' is no address such as https://test.example.com:8443" in judgement.message
    assert site.requests == []


def test_a_listener_that_nobody_answers_at(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    site.stop()
    judgement = judge(hook, event, http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: connection refused (")


def test_the_user_may_go_without(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, without_test_listener(stage), checks={"test_listener": "warn"})
    assert judgement.succeeded
    assert "1 warned: the deployment group has no test listener" in judgement.message
    assert site.requests == []


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path == "/new" else 200)
    checks = {"old": {"path": "/old"}, "new": {"path": "/new", **ONE_ATTEMPT}}
    severities = {"http:new": "warn", "samples": "skip"}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, checks=severities)
    assert judgement.succeeded
    assert "1 warned: GET /new: [STATUS] (404)" in judgement.message
    assert judgement.check("samples:old") == ("skipped", "left out by the setting `checks`")
