"""What IAM's own simulator says that a role may do: foreseen, not tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from gate import aws
from gate.verdict import NotFound, ProbeError


def why_not(role: str, action: str, resource: str, context: Mapping[str, str]) -> Optional[list[str]]:
    """None if IAM allows it; else the condition keys that may have kept it from that, as they were not given.

    Raises NotFound if there is no such role, ProbeError if the answer has no decision, and as `aws.call` does.
    """
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    try:
        answer = aws.call(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=role,
            ActionNames=[action],
            ResourceArns=[resource],
            ContextEntries=entries,
        )
    except aws.AwsCallFailed as problem:
        if problem.code == "NoSuchEntity":
            raise NotFound(f"role {role} does not exist: create it, or fix what names it") from problem
        raise
    result = (answer.get("EvaluationResults") or [{}])[0]
    if not result.get("EvalDecision"):
        raise ProbeError(f"IAM's simulator did not say whether {role} may {action} on {resource}")
    if result["EvalDecision"] == "allowed":
        return None
    # The keys stand beside the decision or one level below, and are those of all statements, other services' too.
    places = [result, *(result.get("ResourceSpecificResults") or [])]
    keys = [str(key) for place in places for key in place.get("MissingContextValues") or []]
    return [key for key in keys if key.partition(":")[0].lower() in ("aws", action.partition(":")[0])]
