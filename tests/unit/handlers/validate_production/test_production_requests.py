"""AfterAllowTraffic: declared requests before the bake and all through it, samples and load."""

from __future__ import annotations

from typing import Any

import pytest
import validate_production as hook

from rehearsal.testing.stage import Judge, Stage
from rehearsal.testing.web import Request, Response, Site
from tests.unit.handlers.validate_production.helpers import (
    ASKS_ORDERS,
    AT_ONCE,
    BAKE,
    BREAKS,
    EVENT,
    INTERVAL,
    Traffic,
    about,
    broken,
    hung,
    load_of,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
def test_a_business_check_that_fails_ends_it_before_the_bake(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(500 if request.path == "/orders" else 200, "no stock")
    checks = {"orders": {"path": "/orders", "attempts": 1}, "front": {"path": "/"}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, samples=0, load={"rate": 10, "duration": 10})
    assert not judgement.succeeded
    assert judgement.message == "GET /orders: [STATUS] (500) expected 200-299; body: no stock"
    assert judgement.check("http:front")[0] == "passed"  # the others are asked all the same
    assert len(site.requests) == 2
    assert stage.clock.now == 0
    assert not stage.called("cloudwatch:DescribeAlarms")


def test_samples_that_fail_end_it_before_the_bake(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200 if len(site.requests) == 1 else 503)
    judgement = judge(hook, stage.at(EVENT), samples=10)
    assert judgement.message == (
        "health: 10 of 10 requests failed (100.00%), at most 1.00% allowed: 10 times [STATUS] (503) expected 200-299"
    )
    assert stage.clock.now == about(0.2 * (2 * 10 + 10 - 1))


def test_samples_keep_their_limit_of_errors(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    site.answer = lambda request: Response(500 if request.number % 10 == 0 else 200)
    event = stage.at(EVENT)
    traffic()
    judgement = judge(hook, event, **{**AT_ONCE, "samples": 20})
    assert judgement.check("samples:health:error_rate")[0] == "failed"
    assert "at most 1.00% allowed" in judgement.message


# All through the bake


@pytest.mark.parametrize("settings", [ASKS_ORDERS, {}])
@pytest.mark.parametrize("how", ["errors", "hangs"])
def test_an_endpoint_that_breaks_during_the_bake_is_reported_within_three_intervals(
    stage: Stage, judge: Judge, site: Site, settings: dict[str, Any], how: str
) -> None:
    """With no traffic but the hook's own: no figure would have told, and no alarm."""
    site.answer = hung(stage) if how == "hangs" else broken(stage, path="/orders" if settings else "/health")
    judgement = judge(hook, stage.at(EVENT), **BAKE, **settings)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /orders: " if settings else "GET /health: ")
    assert stage.clock.now - BREAKS <= 3 * INTERVAL


def test_what_answers_badly_for_a_moment_only_passes(stage: Stage, judge: Judge, site: Site) -> None:
    """A look has three attempts, and one look that failed is borne."""
    site.answer = broken(stage, since=299, until=310)
    judgement = judge(hook, stage.at(EVENT), **BAKE, **ASKS_ORDERS)
    assert judgement.succeeded
    assert judgement.check("http:orders") == ("passed", "GET /orders: 200 in 0 ms")


@pytest.mark.parametrize(("until", "good"), [(610, True), (1e9, False)])
def test_what_fails_only_in_the_last_look_is_asked_once_more(
    stage: Stage, judge: Judge, site: Site, until: float, good: bool
) -> None:
    site.answer = broken(stage, since=599, until=until)
    judgement = judge(hook, stage.at(EVENT), **BAKE, **ASKS_ORDERS)
    assert judgement.succeeded is good
    took = 0 if good else 2  # three attempts
    assert stage.clock.now == about(600 + INTERVAL + took)


@pytest.mark.parametrize(
    ("severity", "checks"), [("warn", {}), ("fail", {"http": "warn"}), ("fail", {"http:orders": "warn"})]
)
def test_a_check_that_may_only_warn_does_not_end_the_window(
    stage: Stage, judge: Judge, site: Site, severity: str, checks: dict[str, str]
) -> None:
    site.answer = broken(stage)
    orders = {"path": "/orders", "severity": severity}
    judgement = judge(hook, stage.at(EVENT), **BAKE, http_checks={"orders": orders}, checks=checks)
    assert judgement.succeeded
    assert judgement.check("http:orders")[0] == "failed"
    assert "1 warned: GET /orders: [STATUS] (500)" in judgement.message
    assert stage.clock.now >= 600


def test_a_check_that_was_to_warn_fails_if_the_hook_says_so(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = broken(stage)
    orders = {"path": "/orders", "severity": "warn"}
    judgement = judge(hook, stage.at(EVENT), **BAKE, http_checks={"orders": orders}, checks={"http:orders": "fail"})
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")
    assert stage.clock.now - BREAKS <= 3 * INTERVAL


def test_what_is_left_out_is_not_asked(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"http": "skip", "traffic": "skip"}
    assert judge(hook, stage.at(EVENT), **BAKE, **ASKS_ORDERS, checks=checks).succeeded
    assert site.requests == []


def test_only_what_reads_is_asked_again(stage: Stage, judge: Judge, site: Site) -> None:
    place = {"path": "/orders", "method": "POST", "body": "{}"}
    judgement = judge(
        hook, stage.at(EVENT), **BAKE, http_checks={"place": place, "front": {}, "late": {"initial_delay": 5}}
    )
    assert judgement.succeeded
    assert [request.method for request in site.requests].count("POST") == 1
    assert len(site.requests) == 1 + 2 * (1 + 41)  # every 15 s for ten minutes, and at the end
    assert stage.clock.now < 610, "that a check begins late is not repeated"


@pytest.mark.parametrize(("repeat", "good"), [(True, False), (False, True)])
def test_a_flow_is_repeated_if_it_says_so(stage: Stage, judge: Judge, site: Site, repeat: bool, good: bool) -> None:
    site.answer = broken(stage)
    steps = [{"path": "/"}, {"path": "/orders", "name": "list"}]
    settings = {"http_checks": {"front": {}}, "flows": {"order": {"steps": steps, "repeat": repeat}}}
    judgement = judge(hook, stage.at(EVENT), **BAKE, **settings)
    assert judgement.succeeded is good
    if repeat:
        assert judgement.message.startswith("list: GET /orders: [STATUS] (500) expected 200-299")
        assert stage.clock.now - BREAKS <= 3 * INTERVAL


def test_a_flow_that_may_only_warn_does_not_end_the_window(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = broken(stage)
    flow = {"steps": [{"path": "/orders"}], "repeat": True, "severity": "warn"}
    judgement = judge(hook, stage.at(EVENT), **BAKE, flows={"order": flow})
    assert judgement.succeeded
    assert judgement.check("flow:order")[0] == "failed"


def test_where_the_default_request_cannot_be_sent_alarms_and_figures_judge_alone(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    stage.elbv2.modify_target_group(TargetGroupArn=stage.green_group, HealthCheckPort="9000")
    traffic()
    judgement = judge(hook, event, **BAKE, checks={"http": "warn"})
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 200 requests to green failed")
    assert (site.requests, judgement.check("alarms:shop-5xx")[0]) == ([], "passed")


# Load


@pytest.mark.usefixtures("load_time")
def test_the_load_that_was_asked_for(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), **load_of(p99_ms=500))
    assert judgement.succeeded
    assert [request.path for request in site.requests] == ["/health"] + ["/load"] * 20 + ["/health"]
    assert judgement.check("load:error_rate") == ("passed", "0 of 20 requests failed (0.00%)")
    assert judgement.check("load:p99")[0] == "skipped"
    outcome, detail = judgement.check("load:rate")
    assert outcome == "passed"
    assert detail == "10 answers a second of 10 asked"


@pytest.mark.usefixtures("load_time")
def test_a_service_that_answers_the_load_with_errors(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(503 if len(site.requests) % 5 == 0 else 200)
    judgement = judge(hook, stage.at(EVENT), **load_of())
    assert judgement.message == "load: 4 of 20 requests failed (20.00%), at most 1.00% allowed: 4 times status 503"
    assert not stage.called("cloudwatch:DescribeAlarms")  # no bake after that


@pytest.mark.usefixtures("load_time")
def test_a_service_that_does_not_keep_up(stage: Stage, judge: Judge, site: Site) -> None:
    def slow(request: Request) -> Response:
        if request.path == "/load":
            stage.clock.sleep(0.23)
        return Response()

    site.answer = slow
    judgement = judge(hook, stage.at(EVENT), **load_of(p95_ms=300))
    outcome, detail = judgement.check("load:rate")
    assert outcome == "failed"
    assert detail.startswith("load: 4.5 answers a second of 10 asked, at least 90 % expected: ")
    assert detail.endswith("the service did not keep up, or raise concurrency from 1 to 3 or more")
    # What had to wait counts from the moment it was due: number 6 was due at 0.6 s, and answered at 0.92 s. What could
    # not be sent in time counts as well, though not as an answer.
    assert judgement.check("load:p95") == (
        "failed",
        "load: p95 310 ms of 20 answers (slowest 320 ms), at most 300 ms allowed",
    )
    assert len(site.requests) == 1 + 9


@pytest.mark.usefixtures("load_time")
def test_samples_and_load_have_no_limit_of_latency_by_default(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic
) -> None:
    def slow(_request: Any) -> Response:
        stage.clock.sleep(0.9)
        return Response()

    site.answer = slow
    event = stage.at(EVENT)
    traffic()
    load = {"rate": 1, "duration": 3, "concurrency": 1}
    settings = {**AT_ONCE, "samples": 2, "concurrency": 1, "duration": 60}
    judgement = judge(hook, event, **settings, load=load)
    assert judgement.succeeded
    assert [name for name in judgement.outcomes() if name.startswith(("samples:", "load:"))] == [
        "samples:health:error_rate", "load:error_rate", "load:rate",
    ]  # fmt: skip


def test_on_a_rollback_deployment_no_load_is_sent_and_that_is_said(stage: Stage, judge: Judge, site: Site) -> None:
    stage.at("AfterInstall")
    settings = {**AT_ONCE, "load": {"rate": 10, "duration": 1, "path": "/load"}}
    judgement = judge(hook, stage.rollback_at(EVENT), **settings)
    assert judgement.succeeded
    assert judgement.check("load") == ("skipped", "no load is sent on a rollback deployment")
    assert "/load" not in [request.path for request in site.requests]
