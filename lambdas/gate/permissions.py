"""What roles may do, as IAM's own simulator says: foreseen, not tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate import aws
from gate.verdict import Absent, CannotLook


@dataclass(frozen=True)
class Decisions:
    """Of some resources, those for which a role may not do something, and those for which nobody can say.

    `undecided`: the decision hangs on conditions whose keys (named) the simulator was not given.
    """

    denied: list[str]
    undecided: dict[str, list[str]]


def simulate(
    role_arn: str, action: str, resources: Sequence[str], context: Mapping[str, str] | None = None
) -> Decisions:
    """Ask IAM whether the role may take the action on each of the resources (ARNs).

    Raises Absent if there is no such role, CannotLook if a resource is not in the answer, and as `aws.call` does.
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
    found: dict[str, tuple[str, list[str]]] = {}
    for result in results:
        # The decisions on single resources may stand in results of their own, or below one result for all.
        below = [
            (each.get("EvalResourceName"), each.get("EvalResourceDecision"), each.get("MissingContextValues"))
            for each in result.get("ResourceSpecificResults") or []
        ]
        alone = (result.get("EvalResourceName"), result.get("EvalDecision"), result.get("MissingContextValues"))
        found.update({str(name): (str(decision), list(keys or [])) for name, decision, keys in below or [alone]})
    unanswered = [resource for resource in resources if resource not in found]
    if unanswered:
        raise CannotLook(f"IAM's simulator did not say whether {role_arn} may {action} on {', '.join(unanswered)}")
    refused = {resource: found[resource][1] for resource in resources if found[resource][0] != "allowed"}
    return Decisions(
        [resource for resource, keys in refused.items() if not keys],
        {resource: keys for resource, keys in refused.items() if keys},
    )


def trusts(role: Mapping[str, Any], service: str) -> bool:
    """Whether a role (GetRole's answer) may be assumed by a service, by its trust policy's statements."""
    statements = (role.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") or {}
        services = principal.get("Service") if isinstance(principal, Mapping) else principal
        if statement.get("Effect") == "Allow" and service in (services if isinstance(services, list) else [services]):
            return True
    return False
