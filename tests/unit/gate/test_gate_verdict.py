"""gate.verdict: what findings add up to. Never a pass for nothing, never a pass over something that is wrong."""

from __future__ import annotations

import pytest
from gate.verdict import (
    Check,
    Finding,
    Named,
    Outcome,
    Result,
    Severity,
    Verdict,
    check,
    checks_of,
    decide,
    masked,
    names_of,
    passed,
    severity_for,
    take,
    unknown_names,
)
from gate.waiting import interrupt
from hypothesis import example, given
from hypothesis import strategies as st

FAIL, WARN, SKIP = Severity.FAIL, Severity.WARN, Severity.SKIP


def result(  # noqa: PLR0917 - a row of the tables below
    name: str,
    outcome: str,
    detail: str = "",
    severity: Severity = FAIL,
    by_choice: bool = False,
    aftermath: bool = False,
) -> Result:
    finding = Finding(Outcome(outcome), detail or f"{name} {outcome}", by_choice=by_choice, aftermath=aftermath)
    return Result(name, severity, finding)


@pytest.mark.parametrize(
    ("results", "succeeded", "message"),
    [
        ([], False, "nothing could be confirmed: there was no check"),
        ([result("a", "passed")], True, "1 check passed"),
        ([result("a", "passed"), result("b", "passed")], True, "2 checks passed"),
        ([result("a", "passed"), result("b", "failed")], False, "b failed"),
        ([result("a", "passed"), result("b", "error")], False, "b error"),
        ([result("b", "error"), result("a", "failed")], False, "a failed; b error"),
        ([result("a", "failed"), result("b", "failed"), result("c", "error")], False, "a failed; b failed; c error"),
        ([result("a", "error", "denied"), result("b", "error", "denied")], False, "denied"),
        ([result("a", "skipped", "no listener")], False, "nothing could be confirmed: no listener"),
        ([result("a", "skipped", "no command", by_choice=True)], True, "no command"),
        (
            [result("a", "skipped", "no command", by_choice=True), result("b", "skipped", "no log")],
            False,
            "nothing could be confirmed: no command; no log",
        ),
        ([result("a", "passed"), result("b", "skipped")], True, "1 check passed, 1 skipped"),
        (
            [result("a", "passed"), result("b", "failed", severity=WARN)],
            True,
            "1 check passed, 1 warned: b failed",
        ),
        ([result("b", "failed", severity=WARN)], True, "0 checks passed, 1 warned: b failed"),
        (
            [result("a", "skipped", "no listener"), result("b", "error", "denied", severity=WARN)],
            False,
            "nothing could be confirmed: denied; no listener",
        ),
        (
            [result("a", "failed", "exit 1"), result("b", "passed", "rolled back", aftermath=True)],
            False,
            "exit 1; rolled back",
        ),
        (
            [result("a", "failed", "exit 1"), result("b", "failed", "THE ROLLBACK FAILED TOO", aftermath=True)],
            False,
            "THE ROLLBACK FAILED TOO; before that: exit 1",
        ),
        (
            [
                result("a", "failed", "exit 1"),
                result("b", "error", "denied"),
                result("c", "failed", "THE ROLLBACK FAILED TOO", aftermath=True),
            ],
            False,
            "THE ROLLBACK FAILED TOO; before that: exit 1; denied",
        ),
        ([result("a", "failed", "two\n  lines\tof it")], False, "two lines of it"),
    ],
)
def test_the_table(results: list[Result], succeeded: bool, message: str) -> None:
    assert decide(results) == Verdict(succeeded, message)


outcomes = st.builds(
    result,
    name=st.text(max_size=20),
    outcome=st.sampled_from([outcome.value for outcome in Outcome]),
    detail=st.text(max_size=60) | st.just("x" * 3000),
    severity=st.sampled_from([FAIL, WARN]),
    by_choice=st.booleans(),
    aftermath=st.booleans(),
)


@given(st.lists(outcomes, max_size=8))
@example([])
def test_never_succeeded_over_a_failing_result_or_over_nothing(results: list[Result]) -> None:
    verdict = decide(results)
    good = [one for one in results if one.finding.outcome is Outcome.PASSED]
    if verdict.succeeded:
        assert not any(
            one.finding.outcome in (Outcome.FAILED, Outcome.ERROR) and one.severity is FAIL for one in results
        )
        # Without any pass all that is left is somebody's choice: left out, or only to warn.
        assert results
        assert good or all(
            one.finding.by_choice if one.finding.outcome is Outcome.SKIPPED else one.severity is WARN for one in results
        )
    else:
        assert not good or any(one.stops for one in results)


@given(st.lists(outcomes, max_size=8))
def test_the_message_is_one_line_of_4000_characters_at_most(results: list[Result]) -> None:
    message = decide(results).message
    assert len(message) <= 4000
    assert len(message.splitlines()) <= 1


@given(st.lists(outcomes, max_size=8), outcomes)
def test_nothing_more_can_turn_a_failed_hook_into_a_pass(results: list[Result], more: Result) -> None:
    if any(one.stops for one in results):
        assert not decide([*results, more]).succeeded


@pytest.mark.parametrize(
    ("name", "overrides", "severity"),
    [
        ("images", {}, FAIL),
        ("images", {"images": "warn"}, WARN),
        ("images:app", {"images": "warn"}, WARN),
        ("images:app", {"images:app": "skip", "images": "warn"}, SKIP),
        ("images:app", {"images:ap": "skip", "app": "skip", "images:": "skip", ":app": "skip", "": "skip"}, FAIL),
        ("images:app", {"images:app:1": "skip"}, FAIL),
        ("images:app:1", {"images": "skip"}, SKIP),
        ("images:app:1", {"images:app": "skip"}, SKIP),
        ("images:app:1", {"images:app": "warn", "images": "skip"}, WARN),
        ("images:app:1", {"images:app:1": "fail", "images:app": "warn", "images": "skip"}, FAIL),
        ("images::1", {"images:": "warn"}, WARN),
    ],
)
def test_a_severity_is_found_by_the_full_name_or_by_what_stands_before_a_colon(
    name: str, overrides: dict[str, str], severity: Severity
) -> None:
    assert severity_for(name, FAIL, overrides) is severity


def test_a_declared_severity_holds_without_a_setting() -> None:
    assert severity_for("images", WARN, {"alarms": "skip"}) is WARN
    assert severity_for("images:app", WARN, {}) is WARN


# Names


class Cars:
    """Checks, and what is none."""

    def __init__(self, wheels: int) -> None:
        self.wheels = wheels

    @check(WARN, calls=["ecs:DescribeServices"], parts=["{axle}", "{axle}:left"])
    def tyres(self) -> Finding:
        """The tyres are round."""
        return passed(f"{self.wheels} are round")

    def wash(self) -> Finding:
        """Wash it; no check."""
        return passed("clean")

    @check()
    def engine(self) -> Finding:
        """The engine runs."""
        return passed("it runs")


class Trucks(Cars):
    """More checks of their own."""

    @check()
    def trailer(self) -> Finding:
        """The trailer is coupled."""
        return passed("it is")


TYRES = Named("tyres", "The tyres are round.", WARN, ("ecs:DescribeServices",), ("{axle}", "{axle}:left"))
ENGINE = Named("engine", "The engine runs.")


def test_a_check_is_named_as_its_method_and_says_what_it_expects() -> None:
    assert names_of(Cars) == [TYRES, ENGINE], "in the order in which they are written"
    assert names_of(Trucks, Cars) == [Named("trailer", "The trailer is coupled."), TYRES, ENGINE]
    assert names_of() == []
    assert (ENGINE.severity, ENGINE.calls, ENGINE.parts) == (FAIL, (), ())


def test_the_checks_of_objects_look_with_them() -> None:
    found = checks_of(Cars(4), Cars(6))
    assert [(each.name, each.severity, each.may_stop) for each in found] == [
        ("tyres", WARN, True), ("engine", FAIL, True),
    ] * 2  # fmt: skip
    assert all(isinstance(each, Check) for each in found)
    assert take(found[2].look) == [passed("6 are round")]


def test_a_name_stands_alone_and_with_each_of_its_parts() -> None:
    assert ENGINE.patterns == ["engine"]
    assert TYRES.patterns == ["tyres", "tyres:{axle}", "tyres:{axle}:left"]


KNOWN = (Named("http", "", parts=("{http_checks}",)), Named("load", "", parts=("p99", "rate")), TYRES, Named("a.b", ""))


@pytest.mark.parametrize(
    "name",
    ["http", "http:a", "http:größe.x-1", "load", "load:p99", "tyres:front", "tyres:front:left", "tyres:a:b:c", "a.b"],
)
def test_a_name_that_a_hook_has_is_known(name: str) -> None:
    assert unknown_names([name], KNOWN) == []


@pytest.mark.parametrize(
    "name",
    ["", "https", "HTTP", "http:", "http:\n", "httpx:a", "xhttp", ":http", "load:p98", "load:p99:x", "load: p99",
     "load:{http_checks}", "tyres:", "aXb", "a.b\n", "engine"],
)  # fmt: skip
def test_any_other_name_is_a_typing_mistake(name: str) -> None:
    assert unknown_names([name], KNOWN) == [name]


def test_all_that_are_unknown_are_told_in_order() -> None:
    overrides = {"z": "warn", "http": "skip", "b": "fail", "load:p99": "warn", "b:c": "warn"}
    assert unknown_names(overrides, KNOWN) == ["b", "b:c", "z"]
    assert unknown_names(overrides, ()) == sorted(overrides)
    assert unknown_names({}, ()) == []


# Findings


def test_one_finding_and_several_are_taken_alike() -> None:
    one = Finding(Outcome.PASSED, "fine")
    assert take(lambda: one) == [one]
    assert take(lambda: iter([one, one])) == [one, one]
    assert take(list) == []


def test_a_values_key_takes_no_fields_place() -> None:
    finding = Finding(Outcome.FAILED, "wrong", values={"outcome": "passed", "name": "x", "count": 3})
    shown = Result("a", FAIL, finding, 12).as_dict()
    assert shown == {
        "name": "a", "outcome": "failed", "severity": "fail", "detail": "wrong", "duration_ms": 12, "count": 3
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgres://app:p@ss/w@db:5432/x", "postgres://app:***@db:5432/x"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ('{"headers": {"authorization": "Basic abc=="}}', '{"headers": {"authorization": "***"}}'),
        ('{\\"token\\": \\"abc\\"}', '{\\"token\\": \\"***\\"}'),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ***; Path=/"),
        ("csrftoken=abc&next=1", "csrftoken=***&next=1"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("ERROR:root:password=hunter2", "ERROR:root:password=***"),
        ('{"password": "ab,cd;e}f", "port": 1}', '{"password": "***", "port": 1}'),
        ('{"password": "&x\\"y9", "port": 1}', '{"password": "***", "port": 1}'),
        ('"{\\"token\\": \\"a,b\\", \\"port\\": 1}"', '"{\\"token\\": \\"***\\", \\"port\\": 1}"'),
        ("password='a, b' port=1", "password='***' port=1"),
        ('password="', 'password="***'),
    ],
)
def test_what_looks_like_a_secret_is_masked(said: str, shown: str) -> None:
    assert masked(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/smoke-a1b2c3",
        "http://10.0.0.1:8080/health answered 500",
        "the session has ended",
    ],
)
def test_other_words_stay(said: str) -> None:
    assert masked(said) == said


def test_a_long_password_in_a_url_is_masked() -> None:
    """Such as a token of RDS's IAM authentication."""
    assert masked(f"postgres://app:{'a' * 3000}@db:5432/shop") == "postgres://app:***@db:5432/shop"


@pytest.mark.parametrize("word", ["token", "-", "secret_"])
def test_a_long_word_is_masked_in_linear_time(word: str) -> None:
    """A second at most; in the square of its length it would be hours."""

    class TooLong(BaseException):
        pass

    with interrupt(60, TooLong):
        assert masked(f"{word * 200_000}token=x") == f"{word * 200_000}token=***"
