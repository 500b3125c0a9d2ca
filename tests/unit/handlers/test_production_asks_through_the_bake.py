"""AfterAllowTraffic asks all through the bake, and knows that CloudWatch must have seen what it sent itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import validate_production as hook

from tests.unit.handlers.stage import Judge, Stage, refuse
from tests.unit.handlers.test_validate_production import Function
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTraffic"
INTERVAL = 15
BAKE: dict[str, Any] = {"initial_delay": 0, "duration": 600, "interval": INTERVAL, "samples": 0, "metrics_delay": 0}
BREAKS = 301.0  # seconds after the bake began: just after a look
ORDERS: dict[str, Any] = {"http_checks": {"orders": {"path": "/orders"}}}

Now = Callable[[], datetime]


def about(seconds: float) -> Any:
    """Seconds of the test's clock, where a look at the clock itself takes a millisecond."""
    return pytest.approx(seconds, abs=0.5)


Traffic = Callable[..., None]
Answer = Callable[[Request], "Response | None"]

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


def broken(stage: Stage, since: float = BREAKS, until: float = 1e9, path: str = "/orders") -> Answer:
    """A site that answers one path with an error for a time."""

    def answer(request: Request) -> Response:
        return Response(500 if request.path == path and since <= stage.clock.now < until else 200)

    return answer


def hung(stage: Stage) -> Answer:
    """A site that stops answering: each request is waited for as long as its time-out allows."""

    def answer(_request: Request) -> Response | None:
        if stage.clock.now < BREAKS:
            return Response()
        stage.clock.sleep(5)
        return None

    return answer


# From the moment an endpoint breaks to the report.


@pytest.mark.parametrize("settings", [ORDERS, {}])
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
    judgement = judge(hook, stage.at(EVENT), **BAKE, **ORDERS)
    assert judgement.succeeded
    assert judgement.check("http:orders") == ("passed", "GET /orders: 200 in 0 ms")


@pytest.mark.parametrize(("until", "good"), [(610, True), (1e9, False)])
def test_what_fails_only_in_the_last_look_is_asked_once_more(
    stage: Stage, judge: Judge, site: Site, until: float, good: bool
) -> None:
    site.answer = broken(stage, since=599, until=until)
    judgement = judge(hook, stage.at(EVENT), **BAKE, **ORDERS)
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
    assert judge(hook, stage.at(EVENT), **BAKE, **ORDERS, checks=checks).succeeded
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


def test_nothing_is_sent_while_green_has_no_healthy_target(stage: Stage, judge: Judge, site: Site) -> None:
    """The load balancer would count a 503, and set off an alarm."""
    event = stage.at(EVENT)
    groups = {stage.blue_group: 100, stage.green_group: 0}
    stage.clock.after(100, lambda: stage.lead(stage.production_listener, groups))
    judgement = judge(hook, event, **BAKE)
    assert judgement.message.startswith("the production listener does not lead to green")
    assert len(site.requests) == 1 + 7


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


def test_the_asking_goes_on_in_a_fresh_invocation(stage: Stage, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(stage, monkeypatch)
    event = stage.at(EVENT)
    broke_at = 1001.0
    site.answer = broken(stage, since=broke_at)
    judgements = function.play(event, **{**BAKE, "duration": 2000}, **ORDERS)
    assert len(judgements) == 2
    assert judgements[-1].message.startswith("GET /orders: [STATUS] (500) expected 200-299")
    assert stage.clock.now - broke_at <= 3 * INTERVAL


def test_two_looks_in_a_row_are_so_in_two_invocations(
    stage: Stage, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(stage, monkeypatch)
    event = stage.at(EVENT)
    site.answer = broken(stage, since=839)  # the last look of the first one is at 840
    judgements = function.play(event, **{**BAKE, "duration": 2000}, **ORDERS)
    assert function.handed[0]["Continuation"]["state"]["failing"] == ["http:orders"]
    assert not judgements[-1].succeeded
    assert stage.clock.now - 839 <= 2 * INTERVAL


# What the hook sent, CloudWatch must have seen.


@pytest.mark.parametrize("no_data", ["pass", "fail"])
def test_own_requests_that_cloudwatch_has_not_seen_after_its_delay_are_an_error(
    stage: Stage, judge: Judge, traffic: Traffic, no_data: str
) -> None:
    del traffic  # nothing is published
    judgement = judge(hook, stage.at(EVENT), no_data=no_data, samples=0)
    assert not judgement.succeeded
    outcome, detail = judgement.check("traffic")
    assert outcome == "error"
    assert detail == (
        "the load balancer counted no request to shop-green in 300 s, or has not published it yet, though 20 of "
        "the hook's own were answered: check who answers, or metrics_delay"
    )
    assert stage.clock.now == about(360)


def test_own_requests_that_cloudwatch_shows_late_are_waited_for(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    stage.clock.after(170, lambda: traffic(requests=4, at=-150))
    judgement = judge(hook, event, **{**BAKE, "duration": 60, "metrics_delay": 180})
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 4 requests to green failed (0.00%)")
    assert 170 <= stage.clock.now <= 170 + INTERVAL


def test_own_requests_are_waited_for_as_long_as_cloudwatch_may_be_late_and_no_longer(
    stage: Stage, judge: Judge, traffic: Traffic
) -> None:
    """The first minute has to be over, then to be published."""
    del traffic
    assert not judge(hook, stage.at(EVENT), **{**BAKE, "duration": 60, "metrics_delay": 180}).succeeded
    assert stage.clock.now == about(60 + 180)


@pytest.mark.parametrize("answer", [Response(302, headers={"Location": "/login"}), None])
def test_what_the_load_balancer_may_have_answered_itself_need_not_be_seen(
    stage: Stage, judge: Judge, site: Site, traffic: Traffic, answer: Response | None
) -> None:
    """It logs in or redirects without a target; and what was not answered may not have come to one."""
    del traffic
    site.answer = lambda _: answer
    check = {"status": ["200-399"], "attempts": 1, "severity": "warn" if answer is None else "fail"}
    judgement = judge(hook, stage.at(EVENT), **{**BAKE, "duration": 30}, http_checks={"front": check})
    assert judgement.succeeded
    assert judgement.check("traffic")[0] == "skipped"


def test_a_quiet_service_passes_on_the_hooks_own_requests_alone(stage: Stage, judge: Judge) -> None:
    """A first deployment, all defaults, nobody there: no warning, and nothing skipped but the comparison."""
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "warned" not in judgement.message
    assert judgement.check("error_rate")[1].startswith("0 of 17 requests to green failed (0.00%) in 248 s")


# Deciding at once, and the order of what is found.


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "alarm shop-5xx is ALARM, expected not ALARM"),
        ({"alarms": {"shop-5x": "OK"}, "checks": {"alarms:shop-5xx": "warn"}}, "alarm shop-5x does not exist"),
    ],
)
def test_an_alarm_that_fires_already_or_does_not_exist_is_found_before_the_settle_time(
    stage: Stage, judge: Judge, settings: dict[str, Any], words: str
) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    judgement = judge(hook, event, samples=0, **settings)
    assert judgement.message.startswith(words)
    assert stage.clock.now == 0


def test_an_alarm_that_may_only_warn_does_not_end_the_settle_time(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "ALARM")
    assert judge(hook, event, samples=0, checks={"alarms": "warn"}).succeeded
    assert stage.clock.now == about(360)


def test_causes_come_before_their_consequences(stage: Stage, judge: Judge, site: Site, traffic: Traffic) -> None:
    """An endpoint breaks: its errors are counted, and set off the alarm."""
    event = stage.at(EVENT)
    site.answer = broken(stage, since=29)
    stage.clock.after(29, lambda: traffic(requests=200, errors=100))
    stage.clock.after(29, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgement = judge(hook, event, **BAKE, **ORDERS)
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")
    found = [check["name"] for check in judgement["checks"] if check["outcome"] in ("failed", "error")]
    assert found == ["http:orders", "error_rate", "alarms:shop-5xx"]


def test_figures_that_cannot_be_read_do_not_hide_what_is_certain(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    site.answer = broken(stage, since=29)
    stage.clock.after(29, lambda: stage.instead.update({"cloudwatch:GetMetricData": refuse("Throttling")}))
    judgement = judge(hook, event, **BAKE, **ORDERS)
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")
    assert stage.clock.now < 60


def test_trouble_of_a_moment_at_the_end_of_the_window_is_borne(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(599, lambda: stage.instead.update({"cloudwatch:GetMetricData": refuse("Throttling")}))
    stage.clock.after(610, stage.instead.clear)
    assert judge(hook, event, **BAKE).succeeded
    assert stage.clock.now == about(600 + INTERVAL)


# Warming up.


def test_the_settle_time_is_in_no_figure(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    for minute in range(8):
        cold = minute < 3
        traffic(requests=100, errors=50 * cold, unhealthy=int(cold), seconds=(9 if cold else 0.1,) * 3, at=60 * minute)
    judgement = judge(hook, event, initial_delay=180, samples=0, metrics_delay=0, thresholds={"p99_ms": 500})
    assert judgement.succeeded
    assert judgement.check("error_rate")[1].startswith("0 of 500 requests to green failed (0.00%) in 300 s")
    assert judgement.check("latency:p99") == ("passed", "green's p99 is 100 ms in its worst minute")
    assert judgement.check("unhealthy_hosts")[1] == "0 unhealthy green targets since the shift"


def test_a_long_settle_time_before_a_short_window_is_in_no_figure(stage: Stage, judge: Judge, traffic: Traffic) -> None:
    event = stage.at(EVENT)
    for minute in range(4):
        traffic(requests=100, errors=50 * (minute < 3), at=60 * minute)
    judgement = judge(hook, event, initial_delay=180, duration=30, samples=0, metrics_delay=0)
    assert judgement.check("error_rate")[1].startswith("0 of 100 requests to green failed (0.00%) in 30 s")
