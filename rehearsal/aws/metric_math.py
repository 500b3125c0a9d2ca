"""CloudWatch metric maths: the part of it that alarms and checks on a release use.

An expression of ids, numbers, `+ - * / ^`, comparisons, AND, OR, and the functions FILL, IF, ABS, CEIL, FLOOR, SUM,
AVG, MIN, MAX and METRICS. moto answers any expression but a bare id with nothing.
(CloudWatch user guide, "Using math expressions with CloudWatch metrics".)
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Union

Series = dict[datetime, float]
Value = Union[float, Series, "list[Series]"]

_TOKEN = re.compile(
    r'\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z]\w*)|"([^"]*)"|(==|!=|<=|>=|&&|\|\||[-+*/^(),<>]))'
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_ROUNDINGS: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


class ExpressionError(ValueError):
    """An expression that cannot be read."""


def evaluate(expression: str, series: Mapping[str, Series], times: Sequence[datetime]) -> Series:
    """Return the time series of an expression.

    Args:
        expression: the text, as in MetricDataQuery.Expression.
        series: the results of the queries it may name, by id.
        times: all times of the range asked for, which FILL fills.

    Raises:
        ExpressionError: the text cannot be read, names an unknown id, or does not come to a time series.
    """
    parser = _Parser(expression, series, times)
    value = parser.parse()
    if isinstance(value, dict):
        return value
    raise ExpressionError(f"the expression {expression!r} does not come to one time series")


def ids_in(expression: str) -> set[str]:
    """Return the query ids that an expression names: they begin with a lower-case letter."""
    return set(re.findall(r"\b[a-z]\w*\b", re.sub(r'"[^"]*"', "", expression)))


class _Parser:
    def __init__(self, text: str, series: Mapping[str, Series], times: Sequence[datetime]) -> None:
        self.text = text
        self.series = series
        self.times = times
        self.tokens: list[tuple[str, str]] = []
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if not match:
                raise ExpressionError(f"cannot read {stripped[position:]!r} in the expression {text!r}")
            number, name, quoted, symbol = match.groups()
            if number is not None:
                self.tokens.append(("number", number))
            elif name is not None:
                self.tokens.append(("name", name))
            elif quoted is not None:
                self.tokens.append(("text", quoted))
            else:
                self.tokens.append(("symbol", symbol))
            position = match.end()
        self.next = 0

    def parse(self) -> Value:
        value = self._or()
        if self.next != len(self.tokens):
            raise ExpressionError(f"{self.tokens[self.next][1]!r} is not expected in the expression {self.text!r}")
        return value

    def _peek(self) -> str:
        return self.tokens[self.next][1] if self.next < len(self.tokens) else ""

    def _take(self) -> tuple[str, str]:
        if self.next >= len(self.tokens):
            raise ExpressionError(f"the expression {self.text!r} ends too early")
        self.next += 1
        return self.tokens[self.next - 1]

    def _expect(self, symbol: str) -> None:
        found = self._take()[1]
        if found != symbol:
            raise ExpressionError(f"expected {symbol!r}, not {found!r}, in the expression {self.text!r}")

    def _or(self) -> Value:
        left = self._and()
        while self._peek() in ("OR", "||"):
            self._take()
            left = _zip(lambda a, b: float(bool(a) or bool(b)), left, self._and())
        return left

    def _and(self) -> Value:
        left = self._comparison()
        while self._peek() in ("AND", "&&"):
            self._take()
            left = _zip(lambda a, b: float(bool(a) and bool(b)), left, self._comparison())
        return left

    def _comparison(self) -> Value:
        left = self._sum()
        while self._peek() in _COMPARISONS:
            compare = _COMPARISONS[self._take()[1]]
            left = _zip(lambda a, b, compare=compare: float(compare(a, b)), left, self._sum())  # type: ignore[misc]
        return left

    def _sum(self) -> Value:
        left = self._product()
        while self._peek() in ("+", "-"):
            operate = operator.add if self._take()[1] == "+" else operator.sub
            left = _zip(operate, left, self._product())
        return left

    def _product(self) -> Value:
        left = self._power()
        while self._peek() in ("*", "/"):
            operate = operator.mul if self._take()[1] == "*" else _divide
            left = _zip(operate, left, self._power())
        return left

    def _power(self) -> Value:
        left = self._unary()
        if self._peek() == "^":
            self._take()
            return _zip(operator.pow, left, self._power())
        return left

    def _unary(self) -> Value:
        if self._peek() == "-":
            self._take()
            return _each(operator.neg, self._unary())
        return self._atom()

    def _atom(self) -> Value:
        kind, word = self._take()
        if kind == "number":
            return float(word)
        if word == "(":
            value = self._or()
            self._expect(")")
            return value
        if kind == "name" and self._peek() == "(":
            return self._call(word)
        if kind == "name" and word in self.series:
            return dict(self.series[word])
        raise ExpressionError(f"{word!r} is not the id of a query, in the expression {self.text!r}")

    def _call(self, name: str) -> Value:
        self._expect("(")
        if name == "METRICS":
            part = self._take()[1] if self._peek() != ")" else ""
            self._expect(")")
            return [dict(values) for key, values in self.series.items() if part in key]
        arguments: list[Value] = []
        if self._peek() != ")":
            # FILL's second argument may be a word: REPEAT or LINEAR.
            arguments.append(self._or())
            while self._peek() == ",":
                self._take()
                if name == "FILL" and self._peek() in ("REPEAT", "LINEAR"):
                    return self._fill_by_word(arguments[0])
                arguments.append(self._or())
        self._expect(")")
        return self._apply(name, arguments)

    def _fill_by_word(self, value: Value) -> Value:
        word = self._take()[1]
        self._expect(")")
        if word != "REPEAT" or not isinstance(value, dict):
            raise ExpressionError(f"FILL(…, {word}) is not known here, in the expression {self.text!r}")
        filled: Series = {}
        last: float | None = None
        for time in self.times:
            last = value.get(time, last)
            if last is not None:
                filled[time] = last
        return filled

    def _apply(self, name: str, arguments: list[Value]) -> Value:
        if name == "FILL" and len(arguments) == 2:
            value, other = arguments
            return self._filled(value, other)
        if name == "IF" and len(arguments) in (2, 3):
            return self._if(*arguments)
        if name in ("ABS", "CEIL", "FLOOR") and len(arguments) == 1:
            return _each(_ROUNDINGS[name], arguments[0])
        if name in ("SUM", "AVG", "MIN", "MAX") and len(arguments) == 1:
            return _reduce(name, arguments[0])
        raise ExpressionError(f"the function {name} with {len(arguments)} arguments is not known: {self.text!r}")

    def _filled(self, value: Value, other: Value) -> Value:
        if isinstance(value, list):
            return [self._fill_one(series, other) for series in value]
        if isinstance(value, dict):
            return self._fill_one(value, other)
        return value

    def _fill_one(self, value: Series, other: Value) -> Series:
        filled: Series = {}
        for time in self.times:
            if time in value:
                filled[time] = value[time]
            elif isinstance(other, dict):
                if time in other:
                    filled[time] = other[time]
            elif not isinstance(other, list):
                filled[time] = other
        return filled

    def _if(self, condition: Value, then: Value, otherwise: Value | None = None) -> Value:
        if not isinstance(condition, dict):
            chosen = then if condition else otherwise
            return {} if chosen is None else chosen
        result: Series = {}
        for time, holds in condition.items():
            chosen = then if holds else otherwise
            if isinstance(chosen, dict):
                if time in chosen:
                    result[time] = chosen[time]
            elif chosen is not None and not isinstance(chosen, list):
                result[time] = chosen
        return result


def _divide(a: float, b: float) -> float:
    # A point divided by zero is left out: see _zip.
    return a / b if b else math.nan


def _each(operate: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [{time: operate(x) for time, x in series.items()} for series in value]
    if isinstance(value, dict):
        return {time: operate(x) for time, x in value.items()}
    return operate(value)


def _zip(operate: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Combine two values point by point; only times that both have are in the result."""
    if isinstance(left, list) or isinstance(right, list):
        raise ExpressionError("an array of time series cannot be an operand here: use SUM, AVG, MIN or MAX")
    if isinstance(left, dict) and isinstance(right, dict):
        points = ((time, operate(x, right[time])) for time, x in left.items() if time in right)
    elif isinstance(left, dict):
        points = ((time, operate(x, right)) for time, x in left.items())  # type: ignore[arg-type]
    elif isinstance(right, dict):
        points = ((time, operate(left, y)) for time, y in right.items())
    else:
        return operate(left, right)
    return {time: value for time, value in points if not math.isnan(value)}


def _reduce(name: str, value: Value) -> Value:
    """Apply SUM and its like: of an array it is a time series, of a time series a number."""
    operate: dict[str, Callable[[Iterable[float]], float]] = {
        "SUM": sum,
        "AVG": _mean,
        "MIN": min,
        "MAX": max,
    }
    if isinstance(value, list):
        times = sorted({time for series in value for time in series})
        return {time: operate[name]([series[time] for series in value if time in series]) for time in times}
    if isinstance(value, dict):
        return float(operate[name](value.values())) if value else math.nan
    return value


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)
