"""gate.figures: what the load balancer and ECS measured of green, judged alone and by blue's share of errors."""

from __future__ import annotations

from typing import Any

import pytest
from gate.figures import Missing, OwnRequests, TrafficFigures
from gate.verdict import Finding

from tests.unit.gate.measured import START, figures, judged

NO_BLUE = figures()
WITHOUT_BLUE = "; blue's share before the shift was 0, without a request"


def text(finding: Finding) -> tuple[str, str]:
    """Outcome and detail."""
    return finding.outcome.value, finding.detail


# Errors


@pytest.mark.parametrize(
    ("blue", "green", "ok"),
    [
        ((10_000, 0), (1000, 0), True),
        ((10_000, 500), (1000, 50), True),  # 5 % as before
        ((10_000, 500), (1000, 60), True),  # a little more
        ((10_000, 500), (1000, 90), False),
        ((10_000, 10), (1000, 15), True),
        ((10_000, 10), (1000, 30), False),
        ((10_000, 0), (30, 1), True),  # by chance
        ((10_000, 0), (30, 3), False),
        ((0, 0), (1000, 12), True),  # a first deployment
        ((0, 0), (1000, 30), False),
        ((1000, 1000), (1000, 1000), True),  # this deployment may be the fixing, or not: no worse than blue
    ],
)
def test_greens_share_of_errors_is_held_against_blues(blue: tuple[int, int], green: tuple[int, int], ok: bool) -> None:
    before = figures({"requests": blue[0], "errors": blue[1]}, first=-30)
    found = judged({"requests": green[0], "errors": green[1]}, blue=before, now=60)["error_rate"]
    assert found.ok is ok
    said = f"{green[1]} of {green[0]} requests to green failed ({green[1] / green[0]:.2%}) in 60 s"
    assert found.detail.startswith(said)
    share = f"{blue[1] / blue[0]:.2%} ({blue[1]} of {blue[0]})" if blue[0] else "0, without a request"
    assert found.detail.endswith(f"blue's share before the shift was {share}")
    allowed = (blue[1] / blue[0] if blue[0] else 0) + 0.01
    assert (f", more than chance explains where {allowed:.2%} are allowed: " in found.detail) is not ok


@pytest.mark.parametrize(("limit", "ok"), [(0.2, True), (0.1, True), (0.05, False)])
def test_a_limit_of_the_users_comes_first(limit: float, ok: bool) -> None:
    """Blue's figures are not even read."""
    found = judged({"requests": 1000, "errors": 100}, thresholds={"error_rate": limit}, now=0)["error_rate"]
    said = "100 of 1000 requests to green failed (10.00%) in 0 s"
    assert text(found) == (("passed", said) if ok else ("failed", f"{said}, at most 5.00% allowed"))


@pytest.mark.parametrize("document", [{}, {"thresholds": {"error_rate": 0.01}}])
@pytest.mark.parametrize(("requests", "terminal"), [(99, False), (100, True)])
def test_a_share_of_few_requests_may_still_come_right(requests: int, terminal: bool, document: dict[str, Any]) -> None:
    found = judged({"requests": requests, "errors": 20}, blue=NO_BLUE, **document)["error_rate"]
    assert (found.outcome.value, found.terminal) == ("failed", terminal)


@pytest.mark.parametrize(
    ("minute", "said"),
    [
        (
            {"requests": 200, "errors": 2, "connection_errors": 3},
            "5 of 200 requests to green failed (2.50%) in 300 s, 3 of them because no target could be reached",
        ),
        (
            {"connection_errors": 150},
            "150 of 150 requests to green failed (100.00%) in 300 s, 150 of them because no target could be reached",
        ),
        ({"requests": 1}, "0 of 1 requests to green failed (0.00%) in 300 s"),  # of no errors there is no value
    ],
)
def test_targets_that_cannot_be_reached_are_errors_and_told_apart(minute: dict[str, float], said: str) -> None:
    assert judged(minute, blue=NO_BLUE)["error_rate"].detail.startswith(said)
    lenient = judged(minute, thresholds={"error_rate": 1})["error_rate"]
    assert text(lenient) == ("passed", said)


def test_errors_that_the_hook_asked_for_are_not_greens() -> None:
    own = OwnRequests(expected={503})
    own.take([(START.timestamp(), 503)] * 4)
    found = judged({"requests": 204, "errors": 4}, blue=NO_BLUE, own=own)["error_rate"]
    assert text(found) == ("passed", f"0 of 200 requests to green failed (0.00%) in 300 s{WITHOUT_BLUE}")


# Latencies


@pytest.mark.parametrize("word", ["p50", "p90", "p95", "p99", "max"])
@pytest.mark.parametrize(("limit", "ok"), [(700, True), (699, False)])
def test_latencies_that_are_limited_are_those_of_the_worst_minute(word: str, limit: float, ok: bool) -> None:
    minutes = [{"requests": 100, word: seconds} for seconds in (0.02, 0.7, 0.1)]
    found = judged(*minutes, blue=NO_BLUE, thresholds={f"{word}_ms": limit})[f"latency:{word}"]
    said = f"green's {word} is 700 ms in its worst minute"
    assert text(found) == (("passed", said) if ok else ("failed", f"{said}, at most 699 ms allowed"))
    assert found.terminal is not ok


@pytest.mark.parametrize(("requests", "terminal"), [(99, False), (100, True), (101, True)])
def test_a_latency_of_few_requests_may_still_come_right(requests: int, terminal: bool) -> None:
    found = judged({"requests": requests, "p50": 0.7}, blue=NO_BLUE, thresholds={"p50_ms": 100})["latency:p50"]
    assert (found.outcome.value, found.terminal) == ("failed", terminal)


def test_none_is_limited_by_default() -> None:
    found = judged({"requests": 200, "p95": 9, "max": 99}, blue=NO_BLUE)
    assert not [name for name in found if name.startswith("latency")]


def test_requests_without_a_latency_are_not_passed() -> None:
    found = judged({"requests": 200}, blue=NO_BLUE, thresholds={"p99_ms": 500})["latency:p99"]
    assert text(found) == ("error", "the load balancer has requests but no p99 of TargetResponseTime")


def test_a_minute_of_few_requests_has_no_percentile() -> None:
    found = judged({"requests": 99, "p99": 9}, blue=NO_BLUE, thresholds={"p99_ms": 500})["latency:p99"]
    assert text(found) == ("skipped", "p99 needs 100 requests in a minute, and no minute had so many")


# Targets, connections, utilisation


@pytest.mark.parametrize(
    ("counts", "limit", "outcome", "terminal", "beside"),
    [
        ((0, 0), 0, "passed", False, ""),
        ((1, 0), 0, "passed", False, ", in one minute"),  # a new task's first checks
        ((0, 1), 0, "failed", False, ", 0 allowed"),  # it may be such a one
        ((1, 1, 0), 0, "failed", True, ", 0 allowed"),
        ((2, 0), 1, "passed", False, ", in one minute"),
        ((1, 1), 1, "passed", False, ""),
    ],
)
@pytest.mark.parametrize("requests", [200, 0])
def test_unhealthy_targets_are_counted_with_and_without_traffic(  # noqa: PLR0917 - one row of the table each
    counts: tuple[int, ...], limit: float, outcome: str, terminal: bool, beside: str, requests: int
) -> None:
    minutes = [{"requests": requests, "unhealthy_hosts": count} for count in counts]
    found = judged(*minutes, blue=NO_BLUE, thresholds={"unhealthy_hosts": limit})["unhealthy_hosts"]
    assert text(found) == (outcome, f"{max(counts)} unhealthy green targets since the shift{beside}")
    assert found.terminal is terminal


def test_a_count_of_unhealthy_targets_that_is_not_there_is_said() -> None:
    found = judged({"requests": 200}, blue=NO_BLUE)["unhealthy_hosts"]
    assert text(found) == ("skipped", "the load balancer has published no count of unhealthy green targets")


@pytest.mark.parametrize(
    ("rejected", "limit", "outcome", "beside"),
    [
        (0, None, None, ""),
        (3, None, None, ""),
        (0, 0, "passed", ""),
        (3, 0, "failed", ", 0 allowed"),
        (3, 2, "failed", ", 2 allowed"),
        (3, 3, "passed", ""),
    ],
)
@pytest.mark.parametrize("requests", [200, 0])
def test_rejected_connections_are_counted_if_they_are_limited(
    rejected: int, limit: int | None, outcome: str | None, beside: str, requests: int
) -> None:
    minute = {"requests": requests, "rejected_connections": rejected}
    found = judged(minute, blue=NO_BLUE, thresholds={"rejected_connections": limit})
    if outcome is None:
        assert "rejected_connections" not in found
        return
    said = f"{rejected} connections that the load balancer rejected since the shift{beside}"
    assert text(found["rejected_connections"]) == (outcome, said)
    assert found["rejected_connections"].terminal is (outcome == "failed")  # the count only grows


@pytest.mark.parametrize("word", ["cpu", "memory"])
@pytest.mark.parametrize(("limit", "ok"), [(None, True), (70, True), (69.9, False)])
def test_utilisation_is_said_and_limited_if_it_is_to_be(word: str, limit: float | None, ok: bool) -> None:
    minutes = [{"requests": 200, word: percent} for percent in (60, 80)]
    found = judged(*minutes, blue=NO_BLUE, thresholds={f"{word}_percent": limit})
    said = f"the service's {word} utilisation (blue and green together) is 70 % on average"
    assert text(found[word]) == (("passed", said) if ok else ("failed", f"{said}, at most 69.9 % allowed"))
    assert not found[word].terminal, "an average may still come down"
    assert {"cpu": "memory", "memory": "cpu"}[word] not in found


@pytest.mark.parametrize("word", ["cpu", "memory"])
def test_utilisation_that_is_limited_and_unknown_is_no_pass(word: str) -> None:
    found = judged({"requests": 200}, blue=NO_BLUE, thresholds={f"{word}_percent": 80})[word]
    assert text(found) == ("error", f"ECS has no {word} utilisation of the service since the shift")
    assert found.value is Missing.DATA


# No request, or not all of them yet

SILENT = "the load balancer counted no request to shop-green in 300 s, or has not published it yet"


def own_requests(*statuses: int) -> OwnRequests:
    own = OwnRequests()
    own.take([(START.timestamp() + 60, status) for status in statuses])
    return own


@pytest.mark.parametrize(("no_data", "outcome"), [("pass", "skipped"), ("fail", "failed")])
def test_no_request_means_what_no_data_says(no_data: str, outcome: str) -> None:
    found = judged({"unhealthy_hosts": 0}, blue=NO_BLUE, no_data=no_data)
    assert text(found["traffic"]) == (outcome, f"{SILENT}: without any there is no error rate")
    assert (found["traffic"].value, found["traffic"].advisory) == (Missing.DATA, False)
    assert "error_rate" not in found


@pytest.mark.parametrize("no_data", ["pass", "fail"])
def test_own_requests_that_were_answered_must_have_been_counted(no_data: str) -> None:
    found = judged(own=own_requests(200, 200, 503), no_data=no_data)["traffic"]
    said = f"{SILENT}, though 3 of the hook's own were answered: check who answers, or metrics_delay"
    assert text(found) == ("error", said)
    assert (found.value, found.advisory) == (Missing.OWN, False)


def test_what_the_load_balancer_may_have_answered_itself_need_not_be_counted() -> None:
    """It logs in or redirects without a target; and what was not answered may not have come to one."""
    assert judged(own=own_requests(302, 301, 0), blue=NO_BLUE)["traffic"].outcome.value == "skipped"


@pytest.mark.parametrize(("requests", "loud"), [(0, False), (228, False), (240, True)])
def test_that_customers_are_gone_is_said_loudly(requests: int, loud: bool) -> None:
    """Blue had some, who may have been tests: of so few in an hour before, none in five minutes may be chance."""
    found = judged(blue=figures({"requests": requests}, first=-30))["traffic"]
    assert found.advisory is loud
    if loud:
        said = f"{SILENT}, and blue had 240 in the time before the shift: check where customers are led"
        assert text(found) == ("error", said)
        assert found.value is Missing.OWN
    else:
        assert found.outcome.value == "skipped"


@pytest.mark.parametrize(("no_data", "outcome"), [("pass", "skipped"), ("fail", "failed")])
@pytest.mark.parametrize("newest", ["requests", "unhealthy_hosts"])
def test_minutes_that_have_not_come_are_named(no_data: str, outcome: str, newest: str) -> None:
    minutes: list[dict[str, float]] = [{"requests": 100}, *({newest: 0.0} for _ in range(2))]
    found = judged(*minutes, blue=NO_BLUE, no_data=no_data, now=330)["traffic"]
    said = "the load balancer's figures reach to 12:03, the window to 12:05:00: the rest is not judged"
    assert text(found) == (outcome, said)
    assert found.value is Missing.END


@pytest.mark.parametrize(("now", "late"), [(179, False), (239, False), (240, True)])
def test_the_minute_that_is_not_over_need_not_have_come(now: float, late: bool) -> None:
    found = judged(*({"requests": 100.0} for _ in range(3)), blue=NO_BLUE, now=now)
    assert ("traffic" in found) is late


# A Network Load Balancer

NOTHING = "a Network Load Balancer publishes no requests, errors and latencies"


@pytest.mark.parametrize(("no_data", "outcome"), [("pass", "skipped"), ("fail", "failed")])
def test_a_network_load_balancer_has_no_figures_and_that_is_said(no_data: str, outcome: str) -> None:
    found = judged(network=True, no_data=no_data)
    assert text(found["traffic"]) == (outcome, f"{NOTHING}: declare metrics")
    assert found["traffic"].value is None, "they never come"
    assert set(found) == {"unhealthy_hosts", "traffic"}


@pytest.mark.parametrize("which", ["rejected_connections", "cpu_percent"])
def test_what_is_asked_of_a_network_load_balancer_and_cannot_be_seen_is_no_pass(which: str) -> None:
    found = judged({"unhealthy_hosts": 0}, network=True, now=60, thresholds={which: 1})
    assert found[which.removesuffix("_percent")].outcome.value == "error"


def test_behind_a_network_load_balancer_unhealthy_targets_are_counted() -> None:
    found = judged({"unhealthy_hosts": 1}, {"unhealthy_hosts": 1}, network=True, now=120)["unhealthy_hosts"]
    assert text(found) == ("failed", "1 unhealthy green targets since the shift, 0 allowed")


# All of it


def test_causes_come_first() -> None:
    minute = {"requests": 200, "errors": 9, "unhealthy_hosts": 1, "cpu": 50, "p99": 1, "rejected_connections": 1}
    limits = {"p99_ms": 500, "rejected_connections": 0}
    found = judged(minute, blue=TrafficFigures(NO_BLUE.series), thresholds=limits)
    assert list(found) == ["unhealthy_hosts", "traffic", "error_rate", "latency:p99", "rejected_connections", "cpu"]
