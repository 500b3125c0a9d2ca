"""What is broken: one thing each, in which hook it has to be found, and in which words first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.matrix.environment import Plan
from tests.matrix.pieces import Piece

BEFORE, INSTALLED, TESTED, MIGRATES, AFTER = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
SPEAKS_NO_HTTP = "grpc grpc_by_default_matcher http2 nlb_tcp nlb_tls"
NOBODY_ASKS = f"{SPEAKS_NO_HTTP} management_port by_wildcard_host login_in_front internal_and_outside"
NO_FIGURES = "nlb_tcp nlb_tls nlb_tcp_with_http_health"
ON_INSTANCES = "bridge bridge_with_one_port host_mode"


@dataclass(frozen=True)
class Defect:
    """`says`: what the message has in its first reason. `bars`: dimensions or pieces with which it makes no sense."""

    name: str
    event: str
    says: str
    bars: frozenset[str]
    change: Callable[[Plan], None]

    def fits(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether a set-up can have this defect."""
        return not any(self.bars & {each.name, each.dimension} for each in pieces)


DEFECTS: dict[str, Defect] = {}


def defect(event: str, says: str, bars: str = "") -> Callable[[Callable[[Plan], None]], Callable[[Plan], None]]:
    """Make a function that changes a plan a defect, named as the function is."""
    without = {TESTED: "hook_left_out", MIGRATES: "somebody_elses_hook"}.get(event, "")
    if event not in (BEFORE, INSTALLED):  # no time passes before the hook that is called
        without += " pending_first slow_start"
    if event == AFTER:
        without += " checked_only_from_test_traffic_on"

    def register(change: Callable[[Plan], None]) -> Callable[[Plan], None]:
        name = change.__name__
        DEFECTS[name] = Defect(name, event, says, frozenset(f"{bars} {without}".split()), change)
        return change

    return register
