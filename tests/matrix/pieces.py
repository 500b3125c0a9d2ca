"""What a piece of a set-up is: a function that changes a plan, of one dimension. A set-up has one of each at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.matrix.environment import Plan

HOOKS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")


@dataclass(frozen=True)
class Piece:
    """`bars`: dimensions, or names of pieces, that AWS or good sense does not have together with it."""

    name: str
    dimension: str
    bars: frozenset[str]
    change: Callable[[Plan], None]

    def goes_with(self, other: Piece) -> bool:
        """Whether one set-up can have both."""
        return (
            self.dimension != other.dimension
            and not self.bars & {other.dimension, other.name}
            and not other.bars & {self.dimension, self.name}
        )


PIECES: dict[str, Piece] = {}


def piece(dimension: str, bars: str = "") -> Callable[[Callable[[Plan], None]], Callable[[Plan], None]]:
    """Make a function a piece, named as the function is; its docstring says what of the real world it stands for."""

    def register(change: Callable[[Plan], None]) -> Callable[[Plan], None]:
        name = change.__name__.strip("_")
        PIECES[name] = Piece(name, dimension, frozenset(bars.split()), change)
        return change

    return register
