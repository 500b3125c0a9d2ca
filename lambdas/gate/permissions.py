"""What roles may do, as IAM's own simulator says: foreseen, not tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gate import aws
from gate.verdict import Absent


def denied(
    role_arn: str, action: str, resources: Sequence[str], context: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Of these resources (ARNs), those for which the role may not take the action, each with IAM's decision.

    A decision that hangs on a condition whose value is not known here (`MissingContextValues`) is not counted: the
    simulator cannot tell. Raises Absent if there is no such role, and as `aws.call` does.
    """
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in (context or {}).items()
    ]
    refused: dict[str, str] = {}
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
    for result in results:
        # The decisions on single resources may stand in results of their own, or below one result for all.
        below = [
            (each.get("EvalResourceName"), each.get("EvalResourceDecision"), each.get("MissingContextValues"))
            for each in result.get("ResourceSpecificResults") or []
        ]
        alone = (result.get("EvalResourceName"), result.get("EvalDecision"), result.get("MissingContextValues"))
        for resource, decision, missing in below or [alone]:
            if resource in resources and decision != "allowed" and not missing:
                refused[str(resource)] = str(decision)
    return refused


def trusts(role: Mapping[str, Any], service: str) -> bool:
    """Whether a role (GetRole's answer) may be assumed by a service, by its trust policy's statements."""
    statements = (role.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") or {}
        services = principal.get("Service") if isinstance(principal, Mapping) else principal
        if statement.get("Effect") == "Allow" and service in (services if isinstance(services, list) else [services]):
            return True
    return False
