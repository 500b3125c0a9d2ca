"""Findings, and what they add up to. Pure: nothing here reads a clock, a network or an environment."""

from __future__ import annotations

import functools
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Callable, Optional, TypeVar, Union

# What foreign words may hold, a log, an answer's body, an error: a URL with a password, or a value of a telling name.
TELLING = re.compile(
    r"authori[sz]ation|cookie|credential|csrf|password|passwd|secret|token|api[-_]?key|session", re.IGNORECASE
)
# Names and passwords in a URL have an end, or a text that repeats "://a:" would take the square of its length.
_URL = re.compile(r"(://[^\s/@\"':]{0,512}:)[^\s\"']{1,4096}(?=@)")
_NAMED = re.compile(
    # A word is looked at once, from its beginning, or a long one would take the square of its length. Not in an ARN,
    # after its partition or account, where it says what kind of thing is named. In quotes up to the closing one.
    rf"((?<!\d:)(?<!aws:)(?<!-cn:)(?<!-gov:)(?<![\w-])(?=[\w-]*?(?:{TELLING.pattern}))[\w-]+\\?[\"']?\s*[=:]\s*)"
    r"(?:(\\\")[^\"\\]*|(\")(?:[^\"\\]|\\.)*|(\\?')(?:[^'\\]|\\.)*|(?:(?:bearer|basic)\s+)?[^\s\"',;&}]+)",
    re.IGNORECASE,
)


LIMIT = 4000  # characters of a message
IN_FULL = 3  # reasons that a message tells in full


class Outcome(str, Enum):
    """What came of one look."""

    PASSED = "passed"
    FAILED = "failed"  # looked, and it is wrong
    ERROR = "error"  # could not look
    SKIPPED = "skipped"  # nothing to look at, and why


class Severity(str, Enum):
    """What a finding that is not good does to the hook: `fail` it, only `warn`, or `skip` the look."""

    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


class CannotLook(Exception):  # noqa: N818  # it is what happened, and reads as such
    """A look could not be taken. The message says what was missing and what to do about it."""

    transient = False  # a later look may be taken: whoever polls bears some of these
    passes_soon = False  # and a few seconds are enough: even a single look is worth taking again


class Absent(CannotLook):
    """Looked, and what was to be looked at does not exist: `failed`, where CannotLook is `error`."""


@dataclass(frozen=True)
class Finding:
    """What one look found.

    `certain`: no later look can come out better, so waiting ends (a crash loop).
    `by_choice`: nothing was looked at because the user asked for nothing.
    `again`: the look could not be taken, but is worth taking again in a few seconds.
    `aftermath`: what was done about a failure; it belongs in the message even when it went well, and before
    everything else when it did not.
    `note`: nothing is wrong, and a person should read it: it stands in the message of a success too.
    `advisory`: bad as it is, it is no more than a warning, whatever the severity of its check.
    """

    outcome: Outcome
    detail: str
    name: Optional[str] = None
    certain: bool = False
    by_choice: bool = False
    again: bool = False
    aftermath: bool = False
    note: bool = False
    advisory: bool = False
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether this finding alone speaks for the deployment, or at least not against it."""
        return self.outcome in (Outcome.PASSED, Outcome.SKIPPED)


def passed(detail: str, name: str | None = None, **values: object) -> Finding:
    """Looked, and it is as it should be."""
    return Finding(Outcome.PASSED, detail, name, values=values)


def failed(detail: str, name: str | None = None, certain: bool = False, **values: object) -> Finding:
    """Looked, and it is wrong. `detail` names the value found, what was expected and the cure."""
    return Finding(Outcome.FAILED, detail, name, certain=certain, values=values)


def could_not_look(detail: str, name: str | None = None, **values: object) -> Finding:
    """Could not look: never a pass."""
    return Finding(Outcome.ERROR, detail, name, values=values)


def skipped(detail: str, name: str | None = None, by_choice: bool = False, **values: object) -> Finding:
    """There was nothing to look at; `detail` says why."""
    return Finding(Outcome.SKIPPED, detail, name, by_choice=by_choice, values=values)


def noted(detail: str, name: str | None = None) -> Finding:
    """There was nothing to look at, or to change, and a person should know: `detail` says what, and the cure."""
    return Finding(Outcome.SKIPPED, detail, name, note=True)


def finding_of(problem: CannotLook, name: str | None = None) -> Finding:
    """What a look that could not be taken comes to."""
    if isinstance(problem, Absent):
        return failed(str(problem), name)
    return replace(could_not_look(str(problem), name), again=problem.passes_soon)


Look = Callable[[], Union[Finding, Iterable[Finding]]]


def take(look: Look) -> list[Finding]:
    """Take one look, whether it answers with one finding or with several."""
    answer = look()
    findings: list[Any] = [answer] if isinstance(answer, Finding) else list(answer)
    for finding in findings:
        if not isinstance(finding, Finding) or not isinstance(finding.detail, str):
            raise TypeError(f"a look answered {finding!r}, expected findings with text (passed, failed, skipped, …)")
    return findings


@dataclass(frozen=True)
class Check:
    """A named question. `look` answers it with one finding, or with several named ones (`<check>:<what>`).

    `may_stop` is False where the hook must not fail of it, whatever severity the user set: on the way back.
    """

    name: str
    look: Look
    severity: Severity = Severity.FAIL
    may_stop: bool = True


@dataclass(frozen=True)
class Named:
    """A name that a hook's checks or findings have, and that `checks` takes.

    `expects`: in one sentence, what is expected. `calls`: the actions of AWS that it needs beside those that most of
    the hook's checks need. `parts`: what may follow the name and a colon, each a pattern: `{http_checks}` stands for
    the keys of that option, `{alarm}` (no option) for any text.
    """

    name: str
    expects: str
    severity: Severity = Severity.FAIL
    calls: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def patterns(self) -> list[str]:
        """The name, alone and with each of the parts."""
        return [self.name, *(f"{self.name}:{part}" for part in self.parts)]


M = TypeVar("M", bound=Callable[..., Any])


def check(severity: Severity = Severity.FAIL, calls: Sequence[str] = (), parts: Sequence[str] = ()) -> Callable[[M], M]:
    """Make a method a check, named as the method is. Its docstring says, in one sentence, what is expected."""

    def mark(method: M) -> M:
        expects = str(method.__doc__).strip()
        method.named = Named(method.__name__, expects, severity, tuple(calls), tuple(parts))  # type: ignore[attr-defined]
        return method

    return mark


def names_of(*kinds: type) -> list[Named]:
    """The names of the checks among these classes' methods, in the order in which they are written."""
    return [method.named for kind in kinds for method in vars(kind).values() if hasattr(method, "named")]


def checks_of(*holders: object) -> list[Check]:
    """The checks among these objects' methods, in the order in which they are written."""
    return [
        Check(named.name, getattr(holder, named.name), named.severity)
        for holder in holders
        for named in names_of(type(holder))
    ]


def unknown_names(overrides: Iterable[str], names: Sequence[Named]) -> list[str]:
    """The keys of the setting `checks` that are no name of the hook: a typing mistake would go unnoticed."""
    patterns = [pattern for named in names for pattern in named.patterns]
    return sorted(name for name in overrides if not is_known(name, patterns))


def is_known(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of these, in which `{what}` stands for any text."""
    return any(_like(pattern).fullmatch(name) for pattern in patterns)


@functools.cache  # a handler has some hundred, and asks for them again and again
def _like(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(pattern)))


def unstoppable(checks: Generator[Check, bool, Any]) -> Generator[Check, bool, None]:
    """The same checks, none of which may stop the hook: nothing stands in the way of going back."""
    try:
        check = next(checks)
        while True:
            check = checks.send((yield replace(check, may_stop=False)))
    except StopIteration:
        return


def attempt(name: str, look: Callable[[], Finding]) -> Finding:
    """Take a look of several under one check: if it cannot be taken, the others still are."""
    try:
        return replace(look(), name=name)
    except CannotLook as problem:
        return finding_of(problem, name)


@dataclass(frozen=True)
class Result:
    """A finding with the name, severity and duration (milliseconds) of its check."""

    name: str
    severity: Severity
    finding: Finding
    duration_ms: int = 0

    @property
    def stops(self) -> bool:
        """Whether this result alone fails the hook."""
        return not self.finding.good and self.severity is Severity.FAIL

    def as_dict(self) -> dict[str, object]:
        """The result as the hook returns and logs it."""
        fields: dict[str, object] = {
            "name": self.name,
            "outcome": self.finding.outcome.value,
            "severity": self.severity.value,
            "detail": self.finding.detail,
            "duration_ms": self.duration_ms,
        }
        return {**fields, **self.finding.values, **fields}  # a value takes no field's place


@dataclass(frozen=True)
class Verdict:
    """Whether the deployment may go on, and the one line that says why."""

    succeeded: bool
    message: str


def severity_for(name: str, declared: Severity, overrides: Mapping[str, str]) -> Severity:
    """The severity a check runs with: the user's for its full name, or for what stands before a colon, or its own.

    Of `samples:orders:p99` these are `samples:orders:p99`, `samples:orders` and `samples`, in this order.
    """
    while name not in overrides and ":" in name:
        name = name.rpartition(":")[0]
    return Severity(overrides[name]) if overrides.get(name) else declared


def decide(results: Sequence[Result], may_fail: bool = True, loud: str = "") -> Verdict:
    """Add the results up; `loud` ends the message, whatever comes of them.

    Any `failed` or `error` of severity `fail` fails the hook. So does having confirmed nothing, unless all
    that is left is the user's own choice (looks left out, or findings that may only warn), or the hook `may_fail` not.
    """
    succeeded, message = _decided(results, may_fail)
    end = _one_line(f"; {loud}", LIMIT // 2) if loud else ""
    return Verdict(succeeded, _one_line(message, LIMIT - len(end)) + end)


def _decided(results: Sequence[Result], may_fail: bool) -> tuple[bool, str]:
    stopping = [result for result in results if result.stops]
    if stopping:
        done = [result.finding.detail for result in results if result.finding.aftermath and result.finding.good]
        return False, "; ".join([_reasons(stopping), *done])
    looked = [result for result in results if result.finding.outcome is not Outcome.SKIPPED]
    warned = [result for result in looked if not result.finding.good]
    left_out = [result for result in results if result.finding.outcome is Outcome.SKIPPED]
    if may_fail and len(warned) == len(looked) and not all(result.finding.by_choice for result in left_out):
        return False, f"nothing could be confirmed: {_joined([*warned, *left_out])}"
    if not results:
        return False, "nothing could be confirmed: there was no check"
    if not looked:
        return True, _joined(left_out)
    passes, notes = len(looked) - len(warned), [result for result in results if result.finding.note]
    silent = len([result for result in left_out if not result.finding.note])
    message = f"{passes} check{'' if passes == 1 else 's'} passed"
    message += f", {silent} skipped" if silent else ""
    message += f", {len(warned)} warned: {_reasons(warned)}" if warned else ""
    message += f"; note: {_joined(notes)}" if notes else ""
    return True, message


def _joined(results: Iterable[Result]) -> str:
    """The results' texts, each once."""
    return "; ".join(dict.fromkeys(result.finding.detail for result in results))


def _reasons(results: Sequence[Result]) -> str:
    """The first reasons in full, the others by name; checks are made, and so arrive, causes before consequences.

    What was done about a failure, and went wrong too, comes first. Then what was seen to be wrong, and what keeps
    several checks from looking (each says so in the same words, which are told once); then what one could not see.
    """
    of: dict[str, list[Result]] = {}  # text → who says so
    for result in results:
        of.setdefault(result.finding.detail or result.name, []).append(result)

    def place(text: str) -> bool:
        return len(of[text]) == 1 and of[text][0].finding.outcome is not Outcome.FAILED

    afterwards = [text for text in of if any(result.finding.aftermath for result in of[text])]
    reasons = sorted((text for text in of if text not in afterwards), key=place)
    told, others = reasons[:IN_FULL], dict.fromkeys(of[text][0].name for text in reasons[IN_FULL:])
    parts = [_in_full(afterwards), _in_full(told)]
    more = f" (and {len(others)} more: {', '.join(others)})" if others else ""
    return "; before that: ".join(part for part in parts if part) + more


def _in_full(texts: Sequence[str]) -> str:
    """The texts; if they are too long for a message together, each with its share of it."""
    share = LIMIT // (IN_FULL + 1)
    too_long = sum(map(len, texts)) > share * IN_FULL
    return "; ".join(_one_line(text, share) if too_long and len(texts) > 1 else text for text in texts)


def sendable(text: str) -> str:
    """The text with what UTF-8 cannot write replaced: JSON may bring half a character, and no log takes it."""
    return text.encode(errors="replace").decode()


def masked(text: str) -> str:
    """Foreign words without what looks like a password, a token or a session."""
    return _NAMED.sub(r"\1\2\3\4***", _URL.sub(r"\1***", text))


def _one_line(text: str, limit: int = LIMIT) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
