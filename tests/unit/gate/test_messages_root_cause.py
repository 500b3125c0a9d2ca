"""The message of a hook: the root cause first, the first reasons in full, what many checks say once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate.verdict import Result, Severity, decide, error, failed, noted, passed, skipped

FAIL, WARN = Severity.FAIL, Severity.WARN
DENIED = error("ecs:DescribeTasks was denied")
UNREADABLE = error("the AppSpec is neither JSON nor YAML: line 3 column 7")


def bad(name: str, severity: Severity = FAIL) -> Result:
    return Result(name, severity, failed(f"{name} is wrong"))


def test_the_first_three_reasons_are_told_in_full_in_the_order_in_which_they_were_found() -> None:
    results = [Result("z", FAIL, passed("fine")), *map(bad, "cbaed")]
    assert decide(results).message == "c is wrong; b is wrong; a is wrong (and 2 more: e, d)"
    assert decide(results[:4]).message == "c is wrong; b is wrong; a is wrong"


def test_what_is_wrong_comes_before_what_one_check_could_not_see() -> None:
    assert decide([Result("t", FAIL, DENIED), bad("a"), bad("b")]).message == (
        "a is wrong; b is wrong; ecs:DescribeTasks was denied"
    )


def test_what_keeps_many_checks_from_looking_is_told_once_and_in_its_place() -> None:
    """Not after three others, and not the names of all that need it."""
    needs = [Result(f"n{number}", FAIL, UNREADABLE) for number in range(27)]
    assert decide(needs).message == UNREADABLE.detail
    assert decide([bad("a"), *needs, *map(bad, "bcd")]).message == (
        f"a is wrong; {UNREADABLE.detail}; b is wrong (and 2 more: c, d)"
    )
    assert decide([Result("t", FAIL, DENIED), *needs]).message == f"{UNREADABLE.detail}; {DENIED.detail}"


def test_others_are_named_once() -> None:
    results = [*map(bad, "abc"), *(Result("d", FAIL, failed(f"wrong {number}")) for number in range(3))]
    assert decide(results).message.endswith(" (and 1 more: d)")


def test_what_was_done_about_it_and_went_wrong_comes_first() -> None:
    undone = Result("rollback", FAIL, replace(failed("THE ROLLBACK FAILED TOO"), remediation=True))
    assert decide([*map(bad, "abcd"), undone]).message == (
        "THE ROLLBACK FAILED TOO; before that: a is wrong; b is wrong; c is wrong (and 1 more: d)"
    )
    assert decide([undone]).message == "THE ROLLBACK FAILED TOO"


def test_warnings_are_told_in_the_same_way() -> None:
    results = [Result("z", FAIL, passed("fine")), *(bad(name, WARN) for name in "abcd")]
    assert decide(results).message == ("1 check passed, 4 warned: a is wrong; b is wrong; c is wrong (and 1 more: d)")


def test_a_long_reason_alone_is_told_in_full() -> None:
    assert decide([Result("a", FAIL, failed("x" * 3900))]).message == "x" * 3900


def test_a_long_reason_leaves_room_for_the_others() -> None:
    results = [Result(name, FAIL, failed(name * length)) for name, length in (("a", 9000), ("b", 900), ("c", 10))]
    message = decide([*results, bad("d")]).message
    assert len(message) <= 4000
    assert message.endswith(f"…; {'b' * 900}; {'c' * 10} (and 1 more: d)")
    short = decide([Result("a", FAIL, failed("a" * 2000)), bad("b")]).message
    assert short == f"{'a' * 2000}; b is wrong", "what fits is not cut"


def test_notes_are_told_once_and_are_not_counted_as_skipped() -> None:
    note = noted("the deployment group has no test listener: add one")
    results = [Result("a", FAIL, passed("fine")), Result("b", FAIL, note), Result("c", FAIL, note)]
    assert decide(results).message == f"1 check passed; note: {note.detail}"
    more = [*results, Result("d", FAIL, skipped("nothing to see")), bad("e", WARN)]
    assert decide(more).message == f"1 check passed, 1 skipped, 1 warned: e is wrong; note: {note.detail}"


@pytest.mark.parametrize("length", [10, 100_000])
def test_the_ending_ends_every_message_and_is_not_cut_off(length: int) -> None:
    ending = "OVERRIDDEN by the description of deployment d-1: a (warn)"
    for results in ([Result("a", FAIL, failed("x" * length))], [bad("a", WARN)], []):
        message = decide(results, ending=ending).message
        assert message.endswith(f"; {ending}")
        assert len(message) <= 4000
    assert len(decide([bad("a")], ending="x" * 10_000).message) <= 4000
