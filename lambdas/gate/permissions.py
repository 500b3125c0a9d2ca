"""What roles may do, as IAM's own simulator says: foreseen, not tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from gate import aws
from gate.verdict import Absent, CannotLook


@dataclass(frozen=True)
class Decisions:
    """Of some resources, those for which a role may not do something, and those for which nobody can say.

    `undecided`: the decision hangs on conditions whose keys (named) the simulator was not given. `explicit`: a
    statement denies it, beyond none allowing it.
    """

    denied: list[str]
    undecided: dict[str, list[str]]
    explicit: bool = False


def simulate(
    role_arn: str, action: str, resources: Sequence[str], context: Mapping[str, str] | None = None
) -> Decisions:
    """Ask IAM whether the role may take the action on each of the resources (ARNs, or `*`).

    Raises Absent if there is no such role, CannotLook if the answer has no decision, and as `aws.call` does.
    """
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in (context or {}).items()
    ]
    try:
        results = list(
            aws.pages(
                "iam",
                "simulate_principal_policy",
                "EvaluationResults",
                PolicySourceArn=role_arn,
                ActionNames=[action],
                ResourceArns=list(resources),
                ContextEntries=entries,
            )
        )
    except aws.AwsCallFailed as problem:
        if problem.code == "NoSuchEntity":
            raise Absent(f"role {role_arn} does not exist: create it, or mend what names it") from problem
        raise
    decisions: dict[str, tuple[str, list[str]]] = {}
    for result in results:
        # A resource's decision stands in a result of its own, below one for all, or nowhere but in one for `*`: IAM
        # names no resource where it knows none for the action.
        keys = list(result.get("MissingContextValues") or [])
        decisions[str(result.get("EvalResourceName"))] = (str(result.get("EvalDecision")), keys)
        for each in result.get("ResourceSpecificResults") or []:
            missing = [*keys, *(each.get("MissingContextValues") or [])]
            decisions[str(each.get("EvalResourceName"))] = (str(each.get("EvalResourceDecision")), missing)
    denied, undecided, explicit = [], {}, False
    for resource in resources:
        decision, missing = decisions.get(resource) or decisions.get("*") or ("", [])
        if not decision:
            raise CannotLook(f"IAM's simulator did not say whether {role_arn} may {action} on {resource}")
        # IAM names the keys of all the policies' statements: the module's own ask for ecs:cluster, say.
        missing = [key for key in missing if key.partition(":")[0].lower() in ("aws", action.partition(":")[0])]
        if decision != "allowed" and missing:
            undecided[resource] = missing
        elif decision != "allowed":
            denied.append(resource)
            explicit = explicit or decision == "explicitDeny"
    return Decisions(denied, undecided, explicit)


def trusts(role: Mapping[str, Any], service: str) -> bool:
    """Whether a role's trust policy (GetRole's answer) lets a service assume it.

    Conditions are not judged: one that allows counts as if it held, one that denies as if it did not.
    """
    statements = (role.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
    effects = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") or {}
        services = set(_listed(principal.get("Service") if isinstance(principal, Mapping) else principal))
        actions = [str(action).lower() for action in _listed(statement.get("Action"))]
        is_meant = {service, "*"} & services and any(fnmatchcase("sts:assumerole", action) for action in actions)
        if is_meant and not (statement.get("Effect") == "Deny" and statement.get("Condition")):
            effects.add(statement.get("Effect"))
    return effects == {"Allow"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
