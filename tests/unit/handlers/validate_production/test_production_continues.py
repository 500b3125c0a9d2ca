"""AfterAllowTraffic: a bake that takes several invocations."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timezone
from typing import Any

import pytest

from rehearsal.testing.stage import Stage, refuse
from rehearsal.testing.web import Response, Site
from tests.unit.handlers.validate_production.helpers import (
    ASKS_ORDERS,
    AT_ONCE,
    BAKE,
    EVENT,
    INTERVAL,
    MAINTENANCE,
    SLOWLY,
    WITHOUT_BLUE,
    Function,
    Now,
    Traffic,
    about,
    broken,
    event_again,
    load_of,
    minutes,
    too_long,
)

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


def test_what_is_invoked_by_an_alias_continues_by_it(stage: Stage, function: Function, traffic: Traffic) -> None:
    """Its role has to allow that, which the end of the run judges."""
    function.arn = f"{function.arn}:live"
    invoked = stage.queue_invocations()
    event = stage.at(EVENT)
    traffic(requests=500)
    assert function(event, **{**SLOWLY, "duration": 1000})["status"] == "CONTINUED"
    assert invoked == [function.arn]


@pytest.mark.smoke
def test_a_bake_that_does_not_fit_one_invocation_goes_on_in_the_next(
    stage: Stage, function: Function, site: Site, traffic: Traffic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    stage.create_alarm("mine")
    event = stage.at(EVENT)
    traffic(requests=500, errors=1)
    shifted_at = stage.deployment.event(EVENT).start_time
    assert shifted_at is not None
    stage.clock.after(900, lambda: traffic(requests=500))
    first, last = function.play(event, **{**SLOWLY, "duration": 1000}, alarms={"mine": "OK"})

    assert first.message == f"continued by request {stage.world.request_ids[0]}: 1 of 4, bake goes on"
    assert first.message in [record.getMessage() for record in caplog.records]
    cheap = ["deployment", "time", "green_serves_production", "other_listeners"]
    assert list(first.outcomes()) == [*cheap, "http:health"]
    assert first.check("time") == ("passed", "1000 s of settling, baking and load fit the 3000 s there are")
    sent = function.sent[0]
    assert {key: value for key, value in sent.items() if key != "Continuation"} == event
    carried = sent["Continuation"]
    assert set(carried) == {"began", "number", "state", "orphan_note", "request_id"}, "no results among them"
    assert (carried["number"], carried["request_id"]) == (1, "request-0")
    began = shifted_at.replace(tzinfo=timezone.utc).timestamp()
    assert carried["began"] == about(began)
    minutes_of = {int((began + second) // 60): 1 for second in (0, 300, 600)}
    own = {**minutes_of, int(began // 60): 2}  # the check before the bake, too
    assert set(carried["state"]) == {"bake_began", "own", "failing"}
    assert carried["state"]["bake_began"] == about(began)
    assert sorted(carried["state"]["own"]) == [[minute, 200, count] for minute, count in sorted(own.items())]

    assert last.succeeded
    assert stage.clock.now == about(1000)
    assert len(site.requests) == 1 + 5, "what was sent before the bake is not sent again, but at each look"
    assert [check["name"] for check in last["checks"] if not check["name"].startswith("against_blue")] == [
        *cheap, "http", "green_serves_production", "http:health",
        "unhealthy_hosts", "error_rate", "alarms:shop-5xx", "alarms:mine",
    ]  # fmt: skip
    assert last.check("time") == first.check("time")
    assert last.check("error_rate") == (
        "passed",
        f"1 of 1000 requests to green failed (0.10%) in 1000 s{WITHOUT_BLUE}",
    )
    at = [call.at for call in stage.calls if call.name == "cloudwatch:DescribeAlarms"]
    assert at == [about(second) for second in (0, 300, 600, 850, 1000)], "no gap is longer than the interval"


def test_what_was_sent_once_is_neither_passed_nor_warned_of_in_a_later_invocation(
    stage: Stage, function: Function, site: Site, traffic: Traffic
) -> None:
    event = stage.at(EVENT)
    traffic(stage.blue_group, at=-600)
    for minute in range(17):
        traffic(unhealthy=0, at=60 * minute)
    writes = {"path": "/orders", "method": "POST", "body": "{}"}
    declared = {
        "http_checks": {"front": {"samples": 5}, "place": writes},
        "flows": {"order": {"steps": [writes]}},
    }
    first, last = function.play(event, **{**SLOWLY, "duration": 1000}, **declared)
    assert [request.method for request in site.requests].count("POST") == 2
    once = {"http:place", "samples:front:error_rate", "flow:order"}
    assert once <= set(first.outcomes())
    assert not once & set(last.outcomes())
    said = "what is sent once was judged before the bake, and is not sent again"
    assert last.check("http") == ("skipped", said)
    assert last.check("http:front")[0] == "passed"
    assert last.message == "9 checks passed, 1 skipped"


def test_an_alarm_that_fires_in_a_later_invocation_ends_it(stage: Stage, function: Function) -> None:
    event = stage.at(EVENT)
    stage.clock.after(1000, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgements = function.play(event, **{**SLOWLY, "duration": 2000})
    assert judgements[-1].message == "alarm shop-5xx is ALARM, expected not ALARM (set by the test)"
    assert (len(judgements), stage.clock.now) == (2, about(1150))


def test_production_that_leaves_green_in_a_later_invocation(stage: Stage, function: Function, site: Site) -> None:
    event = stage.at(EVENT)
    back = {stage.blue_group: 100, stage.green_group: 0}
    stage.clock.after(840, lambda: stage.lead(stage.production_listener, back))
    judgements = function.play(event, **{**SLOWLY, "duration": 2000})
    assert judgements[-1].message.startswith(
        "the production listener does not forward to green (shop-green) alone but to"
    )
    assert (len(judgements), stage.clock.now) == (2, about(850 + 60))
    assert len(site.requests) == 1 + 3


def test_a_bake_goes_on_where_production_on_blue_only_warns(stage: Stage, function: Function) -> None:
    """Alarms and figures are judged to its end."""
    event = stage.at(EVENT)
    back = {stage.blue_group: 100, stage.green_group: 0}
    stage.clock.after(840, lambda: stage.lead(stage.production_listener, back))
    stage.clock.after(1500, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    checks = {"green_serves_production": "warn"}
    judgements = function.play(event, **{**SLOWLY, "duration": 2000}, checks=checks)
    assert judgements[-1].message == "alarm shop-5xx is ALARM, expected not ALARM (set by the test)"


def test_forty_five_minutes_take_four_invocations(stage: Stage, function: Function, site: Site) -> None:
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "initial_delay": 60, "duration": 2700})
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 3 + ["SUCCEEDED"]
    assert stage.clock.now == about(2760)
    assert len(site.requests) == 1 + 11  # every 300 s, and where an invocation begins or ends


def test_a_settle_time_that_is_longer_than_an_invocation(stage: Stage, function: Function) -> None:
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "initial_delay": 1800, "duration": 60})
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 2 + ["SUCCEEDED"]
    assert [call.at for call in stage.calls if call.name == "cloudwatch:DescribeAlarms"] == [
        about(second) for second in (0, 850, 1700, 1800, 1860)
    ]  # those of the settle time are for what fires, or does not exist, already


@pytest.mark.parametrize(
    ("timeout", "invocations"),
    [(60, 3), (40, 4), (35, 5)],  # a half for looking, of which a quarter is kept for handing over
)
def test_small_time_outs(stage: Stage, function: Function, timeout: float, invocations: int) -> None:
    """Below the least that the module takes they leave too little for other checks: who wants to is only warned."""
    function.timeout = timeout
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "duration": 60}, checks={"time": "warn"})
    assert judgements[-1].succeeded
    assert judgements[-1].check("time")[0] == ("passed" if timeout == 60 else "failed")
    assert len(judgements) == invocations
    assert stage.clock.now == about(60)


def test_an_interval_longer_than_an_invocation_uses_each_of_them_up(stage: Stage, function: Function) -> None:
    function.timeout = 120
    judgements = function.play(stage.at(EVENT), **{**SLOWLY, "duration": 300}, checks={"time": "warn"})
    assert (len(judgements), judgements[-1].succeeded) == (5, True)
    assert judgements[-1].check("time") == ("failed", too_long(300, 250))
    assert stage.clock.now == about(300)


@pytest.mark.usefixtures("load_time")
def test_a_load_is_sent_once(stage: Stage, function: Function, site: Site) -> None:
    first, last = function.play(stage.at(EVENT), **{**load_of(), **SLOWLY, "duration": 1000})
    paths = [request.path for request in site.requests]
    assert paths == ["/health"] + ["/load"] * 20 + ["/health"] * 5
    assert first.check("load:rate") == ("passed", "10 answers a second of 10 asked")
    assert "load:rate" not in last.outcomes()
    assert last.succeeded


def test_what_was_not_as_expected_is_not_measured_in_a_later_invocation(
    stage: Stage, function: Function, site: Site
) -> None:
    """After a check that failed there are no samples, in whatever invocation."""
    site.answer = lambda _: Response(503)
    settings = {**SLOWLY, "duration": 1000, "http_checks": {"front": {"attempts": 1}}, "checks": {"http": "warn"}}
    _, last = function.play(stage.at(EVENT), **{**settings, "samples": 100})
    assert len(site.requests) == 1 + 5
    assert "samples:front:error_rate" not in last.outcomes()
    assert last.succeeded


def test_a_warning_of_what_is_asked_again_stays(stage: Stage, function: Function, site: Site) -> None:
    site.answer = lambda _: Response(503, "busy")
    front = {"http_checks": {"front": {"attempts": 1}}, "checks": {"http": "warn"}}
    _, last = function.play(stage.at(EVENT), **{**SLOWLY, "duration": 1000}, **front)
    assert last.succeeded
    assert last.message.endswith("1 warned: GET /: [STATUS] (503) expected 200-299; body: busy")


def test_the_asking_goes_on_in_a_fresh_invocation(stage: Stage, site: Site, function: Function) -> None:
    event = stage.at(EVENT)
    broke_at = 1001.0
    site.answer = broken(stage, since=broke_at)
    judgements = function.play(event, **{**BAKE, "duration": 2000}, **ASKS_ORDERS)
    assert len(judgements) == 2
    assert judgements[-1].message.startswith("GET /orders: [STATUS] (500) expected 200-299")
    assert stage.clock.now - broke_at <= 3 * INTERVAL


def test_two_looks_in_a_row_are_so_in_two_invocations(stage: Stage, site: Site, function: Function) -> None:
    event = stage.at(EVENT)
    site.answer = broken(stage, since=839)  # the last look of the first one is at 840
    judgements = function.play(event, **{**BAKE, "duration": 2000}, **ASKS_ORDERS)
    assert function.sent[0]["Continuation"]["state"]["failing"] == ["http:orders"]
    assert not judgements[-1].succeeded
    assert stage.clock.now - 839 <= 2 * INTERVAL


def test_what_was_sent_is_known_in_a_fresh_invocation(
    stage: Stage, site: Site, traffic: Traffic, function: Function
) -> None:
    site.answer = lambda request: Response(503 if request.path == "/admin" else 200)
    event = stage.at(EVENT)
    minutes(traffic, stage.green_group, 0, 17, requests=200, errors=1)
    settings = {**AT_ONCE, "duration": 1000, "interval": 50}
    judgements = function.play(event, **settings, **MAINTENANCE)
    assert len(judgements) == 2
    assert len(str(function.sent[0]["Continuation"]["state"])) < 2000
    assert judgements[-1].check("error_rate")[1].startswith("0 of 337")  # 3400 less its own


def test_late_figures_are_waited_for_in_the_next_invocation(stage: Stage, function: Function, traffic: Traffic) -> None:
    function.timeout = 130
    event = stage.at(EVENT)
    stage.clock.after(250, traffic)
    judgements = function.play(event, **{**AT_ONCE, "metrics_delay": 400, "interval": 20}, no_data="fail")
    assert [judgement["status"] for judgement in judgements] == ["CONTINUED"] * 3 + ["SUCCEEDED"]
    assert stage.clock.now == about(260)


# Where it ends


@pytest.mark.parametrize(
    ("timeout", "settings", "words"),
    [
        (900, {"duration": 900, "max_duration": 880}, too_long(900, 760)),
        (900, {"duration": 2881}, too_long(2881, 2880)),
        (100, {"duration": 169}, too_long(169, 168, 112)),
    ],
)
def test_a_window_that_does_not_fit_all_invocations_is_refused_at_once(  # noqa: PLR0917 - one row of the table each
    stage: Stage, function: Function, site: Site, timeout: float, settings: dict[str, Any], words: str
) -> None:
    function.timeout = timeout
    [judgement] = function.play(stage.at(EVENT), **{**AT_ONCE, **settings})
    assert judgement.message == words
    assert (site.requests, function.sent, stage.clock.now) == ([], [], 0)


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("AccessDeniedException", 403, "lambda:InvokeFunction was denied: allow it in this hook's role"),
        ("TooManyRequestsException", 429, "lambda:InvokeFunction failed on every attempt (TooManyRequestsException"),
    ],
)
def test_a_continuation_that_is_refused_is_reported_failed_at_once(
    stage: Stage, function: Function, code: str, status: int, words: str
) -> None:
    event = stage.at(EVENT)
    stage.instead["lambda:Invoke"] = refuse(code, status=status)
    [judgement] = function.play(event, **{**SLOWLY, "duration": 1000})
    assert judgement.message.startswith(f"the hook could not be continued in a fresh invocation: {words}")
    assert judgement.check("bake")[0] == "error"
    assert judgement.check("http:health")[0] == "passed"
    assert stage.clock.now == about(850)


def test_a_function_that_was_deleted_meanwhile_is_reported(stage: Stage, function: Function) -> None:
    event = stage.at(EVENT)
    stage.functions.delete_function(FunctionName=function.arn)
    [judgement] = function.play(event, **{**SLOWLY, "duration": 1000})
    assert "lambda:InvokeFunction failed: ResourceNotFoundException" in judgement.message


def test_of_two_deliveries_of_a_continuation_one_report_is_accepted(stage: Stage, function: Function) -> None:
    settings = {**SLOWLY, "duration": 1000}
    function(stage.at(EVENT), **settings)
    twice = [function(function.sent[0], **settings) for _ in range(2)]
    assert [judgement.succeeded for judgement in twice] == [True, True]
    reports = stage.deployment.reports
    assert [(report.status, report.error) for report in reports] == [
        ("Succeeded", None),
        ("Succeeded", "LifecycleEventAlreadyCompletedException"),
    ]


def test_a_deployment_that_was_stopped_meanwhile_is_not_baked_any_more(stage: Stage, function: Function) -> None:
    settings = {**SLOWLY, "duration": 1000}
    function(stage.at(EVENT), **settings)
    stage.deployment.set_status("Stopped")
    stage.calls.clear()
    judgement = function(function.sent[0], **settings)
    assert judgement.message.endswith("is already Stopped: there is nothing left to judge")
    assert not stage.called("cloudwatch:DescribeAlarms")


def test_a_continuation_that_the_hook_did_not_write_is_reported(stage: Stage, function: Function, site: Site) -> None:
    event = stage.at(EVENT)
    [judgement] = function.play({**event, "Continuation": {"number": 1, "done": {"bake": []}}}, **AT_ONCE)
    assert judgement.outcomes() == {"event": "failed"}
    assert judgement.message.endswith("its Continuation is not one that this hook wrote")
    assert site.requests == []


# A continuation that somebody else wrote


def forged(event: Mapping[str, Any], began: float, number: int = 4, **state: Any) -> dict[str, Any]:
    """An event with a continuation of somebody's own; `began`: when the hook was called, in epoch seconds."""
    return {**event, "Continuation": {"began": began, "number": number, "state": state, "orphan_note": ""}}


def test_a_bake_that_began_before_the_shift_is_not_shortened(stage: Stage, function: Function, now: Now) -> None:
    event = stage.at(EVENT)
    long_ago = now().timestamp() - 3000
    [judgement] = function.play(forged(event, now().timestamp(), bake_began=long_ago), **{**SLOWLY, "duration": 600})
    assert judgement.succeeded
    assert stage.clock.now == about(600)


def test_a_bake_that_is_still_to_begin_has_begun(stage: Stage, function: Function, now: Now) -> None:
    event = stage.at(EVENT)
    soon = now().timestamp() + 300
    [judgement] = function.play(forged(event, soon - 250, bake_began=soon), **{**SLOWLY, "duration": 60})
    assert judgement.succeeded
    assert stage.clock.now == about(60)


@pytest.mark.parametrize("began", [-1000, 50])
def test_whatever_it_says_alarms_and_figures_are_judged(
    stage: Stage, function: Function, now: Now, traffic: Traffic, began: float
) -> None:
    event = stage.at(EVENT)
    traffic(requests=200, errors=100)
    minute = int(now().timestamp() // 60)
    state: dict[str, Any] = {"bake_began": now().timestamp() - 3000, "own": [[minute, 503, 100]], "failing": []}
    [judgement] = function.play(forged(event, now().timestamp() + began, **state), **{**SLOWLY, "duration": 60})
    assert judgement.message.startswith("100 of 200 requests to green failed (50.00%)")
    stage.set_alarm("shop-5xx", "ALARM")
    again = forged(event_again(stage), now().timestamp(), **state)
    [judgement] = function.play(again, **{**SLOWLY, "duration": 60}, checks={"error_rate": "skip"})
    assert judgement.message == "alarm shop-5xx is ALARM, expected not ALARM (set by the test)"


def test_whatever_it_says_requests_that_read_are_sent(stage: Stage, function: Function, now: Now, site: Site) -> None:
    site.answer = lambda _: Response(500)
    event = forged(stage.at(EVENT), now().timestamp(), bake_began=now().timestamp(), asks=False)
    [judgement] = function.play(event, **AT_ONCE, **ASKS_ORDERS)
    assert judgement.message.startswith("GET /orders: [STATUS] (500)")


def test_production_on_blue_passes_no_continuation(stage: Stage, function: Function, now: Now, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.production_listener, {stage.blue_group: 100, stage.green_group: 0})
    [judgement] = function.play(forged(event, now().timestamp(), bake_began=now().timestamp()), **AT_ONCE)
    assert judgement.message.startswith("the production listener does not forward to green")
    assert site.requests == []


@pytest.mark.parametrize("state", [{"own": 7}, {"own": [["a", "b", "c"]]}, {"failing": 7}, {"bake_began": 1e300}])
def test_a_state_that_cannot_be_read_is_no_pass(
    stage: Stage, function: Function, now: Now, state: dict[str, Any]
) -> None:
    [judgement] = function.play(forged(stage.at(EVENT), now().timestamp(), **state), **AT_ONCE)
    assert not judgement.succeeded


def test_when_the_shift_began_has_to_be_known(stage: Stage, function: Function, now: Now) -> None:
    event = stage.at(EVENT)
    stage.instead["codedeploy:GetDeploymentTarget"] = refuse("AccessDeniedException", status=403)
    [judgement] = function.play(forged(event, now().timestamp(), bake_began=now().timestamp()), **AT_ONCE)
    assert judgement.check("bake")[0] == "error"
    assert judgement.message.startswith("codedeploy:GetDeploymentTarget was denied: allow it in this hook's role")


def test_after_four_continuations_a_bake_that_is_not_over_fails(stage: Stage, function: Function, now: Now) -> None:
    event = stage.at(EVENT)
    event = forged(event, now().timestamp(), bake_began=now().timestamp())
    judgement = function(event, **{**SLOWLY, "duration": 871})
    assert (judgement.succeeded, function.sent, stage.report()) == (False, [], "Failed")
    assert judgement.message.startswith("the bake takes 871 s, and only 870 s are left")
