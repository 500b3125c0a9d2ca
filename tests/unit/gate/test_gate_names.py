"""gate.names: which names a hook has, and which are typing mistakes."""

from __future__ import annotations

import pytest
from gate.names import Named, check, names_of, patterns_of, unknown_names
from gate.verdict import Finding, Severity, passed

FAIL, WARN = Severity.FAIL, Severity.WARN


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


def test_a_name_stands_alone_and_with_each_of_its_parts() -> None:
    assert ENGINE.patterns == ["engine"]
    assert TYRES.patterns == ["tyres", "tyres:{axle}", "tyres:{axle}:left"]
    assert patterns_of([ENGINE, TYRES]) == ["engine", "tyres", "tyres:{axle}", "tyres:{axle}:left"]


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
