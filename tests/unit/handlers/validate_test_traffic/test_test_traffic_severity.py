"""AfterAllowTestTraffic: samples are judged, and the user's severities come before those of the checks."""

from __future__ import annotations

import pytest
import validate_test_traffic as hook

from rehearsal.testing.stage import Judge, Stage
from rehearsal.testing.web import Response, Site
from tests.unit.handlers.validate_test_traffic.helpers import EVENT, ONE_ATTEMPT, WARM_UP, paths, slow


@pytest.mark.smoke
def test_an_error_rate_above_its_threshold(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(503 if request.number % 10 == 0 else 200)
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.check("http:health")[0] == "passed"
    said = "health: 2 of 20 requests failed (10.00%), at most 1.00% allowed: 2 times [STATUS] (503) expected 200-299"
    assert judgement.check("samples:health:error_rate") == ("failed", said)
    assert judgement.message == said
    (rate,) = [check for check in judgement["checks"] if check["name"] == "samples:health:error_rate"]
    assert rate["error_rate"] == 0.1
    assert sum(rate["reasons"].values()) == 2


def test_green_is_as_slow_as_it_is_unless_there_is_a_limit(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 501)
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message == "4 checks passed"


@pytest.mark.parametrize(
    ("name", "softens"), [("samples:health:p99", True), ("samples", True), ("samples:health:p95", False)]
)
def test_what_samples_find_has_names_of_its_own(
    stage: Stage, judge: Judge, site: Site, name: str, softens: bool
) -> None:
    site.answer = slow(stage, 501)
    judgement = judge(hook, stage.at(EVENT), samples=100, checks={name: "warn"}, thresholds={"p99_ms": 500})
    assert judgement.succeeded is softens
    assert judgement.check("samples:health:p99") == (
        "failed",
        "health: p99 501 ms of 100 answers (slowest 501 ms), at most 500 ms allowed",
    )
    assert "checks" not in judgement.outcomes(), "it is a name"


def test_time_that_is_over_in_the_middle_of_the_samples(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 10_000)
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"timeout": 60}}, samples=100)
    assert not judgement.succeeded
    assert judgement.message == "front: only 66 of 100 samples were sent before time was over: ask for fewer"
    assert judgement.check("samples:front:error_rate") == ("passed", "0 of 66 requests failed (0.00%)")
    assert len(site.requests) == 1 + WARM_UP + 66
    assert stage.clock.now == 870


@pytest.mark.parametrize(
    ("severities", "succeeds"),
    [
        ({}, False),
        ({"http:bad": "warn"}, True),
        ({"http": "warn"}, True),
        ({"http:other": "warn"}, False),
        ({"http:bad": "skip"}, False),  # its samples are sent, and say the same
        ({"http:bad": "skip", "samples": "skip"}, True),
    ],
)
def test_what_the_option_checks_says_goes_before_the_check(
    stage: Stage, judge: Judge, site: Site, severities: dict[str, str], succeeds: bool
) -> None:
    site.answer = lambda request: Response(404 if request.path == "/bad" else 200)
    checks = {"good": {"path": "/good"}, "bad": {"path": "/bad", **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, checks=severities, samples=2)
    assert judgement.succeeded is succeeds


def test_what_may_only_warn(stage: Stage, judge: Judge, site: Site) -> None:
    """A check, its samples, a flow: each by its own word."""
    site.answer = lambda request: Response(404 if request.path == "/new" or request.number > 4 else 200)
    checks = {
        "old": {"path": "/old", "severity": "warn"},
        "new": {"path": "/new", "severity": "warn", **ONE_ATTEMPT},
    }
    flows = {"new": {"severity": "warn", "steps": [{"path": "/new"}]}, "good": {"steps": [{"status": ["404"]}]}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, samples=2)
    assert judgement.succeeded
    outcomes = judgement.outcomes()
    bad = ["http:new", "samples:old:error_rate", "flow:new"]
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == bad
    assert " 3 warned: GET /new: [STATUS] (404) expected 200-299" in judgement.message


def test_the_option_checks_makes_a_warning_a_failure(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path != "/good" else 200)
    checks = {"good": {"path": "/good"}, "bad": {"path": "/bad", "severity": "warn", **ONE_ATTEMPT}}
    flows = {"new": {"severity": "warn", "steps": [{"path": "/new"}]}}
    severities = {"http:bad": "fail", "flow": "fail"}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, checks=severities, samples=2)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /bad: [STATUS] (404)")
    assert "GET /new: [STATUS] (404)" in judgement.message


def test_what_is_left_out_is_not_sent(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"a": {"path": "/a"}, "b": {"path": "/b"}}
    flows = {"c": {"steps": [{"path": "/c"}]}, "d": {"steps": [{"path": "/d"}]}}
    severities = {"http:a": "skip", "samples:a": "skip", "flow:c": "skip"}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, checks=severities, samples=2)
    assert judgement.succeeded
    assert paths(site) == {"/b": 1 + WARM_UP + 2, "/d": 1}
    for name in severities:
        assert judgement.check(name) == ("skipped", "left out by the option `checks`")
