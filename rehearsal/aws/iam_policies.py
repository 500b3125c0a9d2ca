"""IAM: what a set of policies decides about one request.

moto's own evaluation (`moto.iam.access_control`) knows neither conditions nor NotResource, takes an action's letters as
they are, and reads `?` as a regular expression does. Here it is done by the rules of the IAM user guide ("Policy
evaluation logic", "IAM JSON policy elements"), as far as policies of a role need them: policy variables are not filled
in, and of the condition operators those on strings, ARNs and truth values are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Context = Mapping[str, Sequence[str]]
"""Values of context keys, by name in small letters: the names do not depend on case."""

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


class UnknownOperatorError(Exception):
    """A policy has a condition operator that is not known here: better no answer than a wrong one."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    policy: str
    """The policy's name."""
    body: Mapping[str, Any]

    @property
    def denies(self) -> bool:
        """Say whether the statement's effect is Deny."""
        return bool(self.body["Effect"] == "Deny")

    def concerns(self, action: str, resource: str) -> bool:
        """Say whether an action on a resource is what the statement is about, its conditions aside."""
        return self._names("Action", action, ignore_case=True) and self._names("Resource", resource)

    def _names(self, element: str, value: str, *, ignore_case: bool = False) -> bool:
        wanted = f"Not{element}" not in self.body
        patterns = _listed(self.body.get(element if wanted else f"Not{element}", []))
        return wanted is any(matches(pattern, value, ignore_case=ignore_case) for pattern in patterns)


@dataclass(frozen=True)
class Verdict:
    """What policies say of one action on one resource."""

    decision: str
    """`allowed`, `explicitDeny` or `implicitDeny`."""
    statements: tuple[Statement, ...]
    """Those that decided; a denial is the only entry (API reference, EvaluationResult)."""


def statements_of(policy: str, document: str) -> list[Statement]:
    """Return the statements of a policy document: a list, or a single one."""
    return [Statement(policy, body) for body in _listed(json.loads(document)["Statement"])]


def judge(statements: Sequence[Statement], action: str, resource: str, context: Context) -> Verdict:
    """Say what statements decide: an explicit denial before what is allowed, and what is not allowed is denied.

    Raises:
        UnknownOperatorError: the answer hangs on a condition operator that is not known.
    """
    applied = [
        statement
        for statement in statements
        if statement.concerns(action, resource) and _conditions_hold(statement.body.get("Condition") or {}, context)[0]
    ]
    denials = tuple(statement for statement in applied if statement.denies)
    decision = EXPLICIT_DENY if denials else ALLOWED if applied else IMPLICIT_DENY
    return Verdict(decision, denials or tuple(applied))


def missing_keys(statements: Sequence[Statement], context: Context) -> tuple[str, ...]:
    """Return the context keys that statements ask for and that are not given, whatever the statements are about.

    So the simulator has them: "required by the included input policies" (API reference, EvaluationResult).
    """
    found: dict[str, None] = {}
    for statement in statements:
        found.update(dict.fromkeys(_conditions_hold(statement.body.get("Condition") or {}, context)[1]))
    return tuple(found)


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Say whether a value is what a pattern says: `*` for any characters, also none, and `?` for one."""
    parts = ({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# Conditions.


def _arn_matches(pattern: str, value: str) -> bool:
    """Compare ARNs part by part: each of the six may have wildcards (user guide, ARN condition operators)."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(matches, patterns, values))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.casefold() == value.casefold(),
    "StringLike": matches,
    "ArnEquals": _arn_matches,
    "ArnLike": _arn_matches,
    "Bool": lambda pattern, value: pattern.casefold() == value.casefold(),
}
"""Each compares a value of the policy with one of the request; ArnEquals and ArnLike are the same (user guide)."""


def _conditions_hold(conditions: Mapping[str, Any], context: Context) -> tuple[bool, list[str]]:
    """Say whether all conditions hold, and which keys are missing."""
    holds, missing = True, []
    for operator, block in conditions.items():
        for key, wanted in block.items():
            given = context.get(key.casefold())
            holds &= _holds(operator, [_text(each) for each in _listed(wanted)], given)
            if given is None and operator != "Null" and not operator.endswith("IfExists"):
                missing.append(key)
    return holds, missing


def _text(value: Any) -> str:
    """Return a value of a policy as text: a JSON truth value may stand for its name."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, wanted: list[str], given: Sequence[str] | None) -> bool:
    """Say whether one condition holds.

    Of a key that is not given a condition does not hold, unless it is negated or ends with IfExists (user guide,
    condition operators); a ForAllValues holds too.
    """
    if operator == "Null":
        return (given is None) is (wanted == ["true"])
    prefix, _, rest = operator.rpartition(":")
    name = rest.removesuffix("IfExists")
    negated = name.startswith(("StringNot", "ArnNot"))
    compare = _OPERATORS.get(name.replace("Not", "", 1) if negated else name)
    if compare is None or prefix not in ("", "ForAllValues", "ForAnyValue"):
        raise UnknownOperatorError(operator)
    if given is None:
        return prefix == "ForAllValues" or rest != name or (negated and not prefix)
    met = [any(compare(pattern, value) for pattern in wanted) is not negated for value in given]
    return any(met) if prefix == "ForAnyValue" else all(met) and (bool(met) or prefix == "ForAllValues")
