"""gate.severity: the user's severity, else the declared one; on a rollback at most a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from gate.overrides import Overrides
from gate.severity import Severities
from gate.verdict import Finding, Severity, failed, skipped

FAIL, WARN, SKIP = Severity.FAIL, Severity.WARN, Severity.SKIP
SAYS = "the description of deployment d-1"
SLOW = failed("it is slow", "http:orders")


def severities(checks: Mapping[str, str] | None = None, *, advisory: bool = False, **own: str) -> Severities:
    """Those of an option `checks`, and of what a description overrides."""
    return Severities(checks or {}, Overrides(own), SAYS, advisory)


@pytest.mark.parametrize(
    ("checks", "declared", "severity"),
    [
        ({}, FAIL, FAIL),
        ({}, WARN, WARN),
        ({"http": "warn"}, FAIL, WARN),
        ({"http:orders": "warn"}, FAIL, WARN),
        ({"http:orders": "fail"}, WARN, FAIL),
        ({"http": "fail"}, WARN, FAIL),
        ({"http": "skip", "http:orders": "fail"}, FAIL, FAIL),
        ({"http": "warn", "http:orders": "skip"}, FAIL, SKIP),
        ({"orders": "skip", "htt": "skip", "http:": "skip", "http:orders:p99": "skip"}, FAIL, FAIL),
    ],
)
def test_the_option_names_a_finding_or_its_check(
    checks: dict[str, str], declared: Severity, severity: Severity
) -> None:
    assert severities(checks).of_finding(SLOW, "http", declared) is severity


@pytest.mark.parametrize(
    ("own", "checks", "severity"),
    [
        (None, {}, FAIL),
        (WARN, {}, WARN),
        (WARN, {"several": "fail"}, FAIL),
        (WARN, {"http:orders": "fail"}, FAIL),
        (WARN, {"several": "skip"}, SKIP),
        (WARN, {"several": "fail", "http": "warn"}, WARN),
        (SKIP, {}, SKIP),
    ],
)
def test_a_severity_of_a_findings_own_comes_before_its_checks_and_after_the_users(
    own: Severity | None, checks: dict[str, str], severity: Severity
) -> None:
    assert severities(checks).of_finding(replace(SLOW, severity=own), "several", FAIL) is severity


@pytest.mark.parametrize(
    ("checks", "finding", "severity"),
    [
        ({}, SLOW, WARN),
        ({"http": "fail"}, SLOW, WARN),
        ({"http": "skip"}, SLOW, SKIP),
        ({}, replace(SLOW, severity=FAIL), WARN),
    ],
)
def test_what_is_advisory_is_at_most_a_warning(checks: dict[str, str], finding: Finding, severity: Severity) -> None:
    assert severities(checks, advisory=True).of_finding(finding, "http") is severity
    assert severities(checks).of_finding(replace(finding, advisory=True), "http") is severity


def test_a_description_comes_before_the_option_and_what_it_says_of_parts() -> None:
    found = severities({"http": "fail", "http:orders": "fail"}, http="warn")
    assert (found.of("http"), found.of_finding(SLOW, "http")) == (WARN, WARN)
    checks = {"images": "fail", "images:app": "fail", "imagesque": "fail", "alarms": "skip", "load:p99": "warn"}
    found = Severities(checks, Overrides({"images": "warn", "load:p99": "skip"}), SAYS, advisory=False)
    counted = {name: found.of(name) for name in (*checks, "images:app:old", "load")}
    assert counted == {
        "images": WARN, "images:app": WARN, "images:app:old": WARN, "imagesque": FAIL, "alarms": SKIP,
        "load:p99": SKIP, "load": FAIL,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "by"),
    [
        (severities({"http": "skip"}), "the option `checks`"),
        (severities(http="skip"), SAYS),
        (severities({"http": "skip"}, http="warn"), ""),
        (severities({"http:orders": "skip"}), ""),
        (severities({"http": "skip"}, advisory=True), "the option `checks`"),
        (severities(), ""),
    ],
)
def test_what_is_left_out_says_by_whom(found: Severities, by: str) -> None:
    assert found.left_out("http") == (skipped(f"left out by {by}", opted_out=True) if by else None)


@pytest.mark.parametrize("checks", [{"http": "skip"}, {"http:orders": "skip"}])
def test_a_finding_that_is_left_out_is_skipped_and_tells_what_was_found(checks: dict[str, Any]) -> None:
    finding, severity = severities(checks).count(SLOW, "http", FAIL)
    said = "left out by the option `checks` (found: it is slow)"
    assert (finding, severity) == (skipped(said, "http:orders", opted_out=True), SKIP)


def test_what_says_itself_that_it_was_left_out_stays_as_it_is() -> None:
    unset = skipped("no command is set", opted_out=True)
    assert severities({"migrate": "skip"}).count(unset, "migrate", FAIL) == (unset, SKIP)
