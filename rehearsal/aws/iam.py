"""IAM: AWS's own managed policies, and the policy simulator.

moto has AWS's policies in store and loads none of them unless told to by an environment variable, so that attaching
`AWSCodeDeployRoleForECS` fails. Here each is loaded when it is asked for. `SimulatePrincipalPolicy`, which moto lacks,
is answered for roles.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import IAMException, NotFoundException
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, Role
from moto.iam.responses import IamResponse

from rehearsal.aws.graft import graft
from rehearsal.aws.iam_policies import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    Context,
    Statement,
    UnknownOperatorError,
    judge,
    missing_keys,
    statements_of,
)

_AWS_POLICY = re.compile(r"arn:[\w-]+:iam::aws:policy(/.*)?/([^/]+)")
_ENTITY = re.compile(r"arn:[\w-]+:iam::\d{12}:(role|user|group)/(?:.*/)?([^/]+)")
_ACTION = re.compile(r"[\w-]+:\w+")
_WORST_FIRST = (EXPLICIT_DENY, IMPLICIT_DENY, ALLOWED)

_original_attach = IAMBackend.attach_role_policy
_original_get = IAMBackend.get_policy


@functools.cache
def _catalogue() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return found


def _load(backend: IAMBackend, arn: str) -> None:
    match = _AWS_POLICY.fullmatch(arn)
    if match is None or arn in backend.managed_policies or match.group(2) not in _catalogue():
        return
    name = match.group(2)
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, _catalogue()[name])
    # A policy is found only under its own path: policy/service-role/AmazonECSTaskExecutionRolePolicy.
    backend.managed_policies[policy.arn] = policy


class Additions(IAMBackend):
    """AWS's policies, loaded when they are asked for, and what a role may do."""

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        """Attach a policy, one of AWS's own too."""
        _load(self, policy_arn)
        _original_attach(self, policy_arn, role_name)

    def get_policy(self, policy_arn: str) -> ManagedPolicy:
        """Return a policy, one of AWS's own too."""
        _load(self, policy_arn)
        return _original_get(self, policy_arn)

    def simulated_role(self, arn: str) -> Role:
        """Find the role that a simulation is of; raises InvalidInput or NoSuchEntity."""
        entity = _ENTITY.fullmatch(arn)
        if entity is None:
            raise IAMException(
                "InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
            )
        if entity.group(1) != "role":
            raise NotImplementedError(f"the policies of a {entity.group(1)} are not simulated here")
        try:
            return self.get_role_by_arn(arn)
        except NotFoundException as error:
            raise NotFoundException(f"The role with name {entity.group(2)} cannot be found.") from error

    def policies_of(self, role: Role) -> list[Statement]:
        """Return the statements of a role's policies, inline and attached."""
        inline = [each for name, document in role.policies.items() for each in statements_of(name, document)]
        return inline + [each for policy in role.managed_policies.values() for each in _statements(policy)]

    def boundary_of(self, role: Role) -> list[Statement] | None:
        """Return the statements of a role's permissions boundary; one that is gone allows nothing."""
        if not role.permissions_boundary_arn:
            return None
        try:
            return _statements(self.get_policy(role.permissions_boundary_arn))
        except NotFoundException:
            return []

    def simulate(self, role: Role, action: str, resource: str, context: Context) -> dict[str, Any]:
        """Return the shape EvaluationResult."""
        boundary = self.boundary_of(role)
        try:
            verdict = judge(self.policies_of(role), action, resource, context)
            limit = judge(boundary, action, resource, context) if boundary is not None else None
        except UnknownOperatorError as error:
            raise IAMException("PolicyEvaluation", f"The condition operator {error} is not known here.") from error
        verdicts = [verdict] if limit is None else [verdict, limit]
        worst = min(verdicts, key=lambda each: _WORST_FIRST.index(each.decision))
        matched = [{"SourcePolicyId": statement.policy} for statement in worst.statements]
        missing = list(missing_keys([*self.policies_of(role), *(boundary or [])], context))
        result: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": worst.decision,
            "MatchedStatements": matched,
            "MissingContextValues": missing if resource == "*" else [],
        }
        if limit is not None:
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": limit.decision == ALLOWED}
        if resource != "*":
            specific = {
                "EvalResourceName": resource,
                "EvalResourceDecision": worst.decision,
                "MatchedStatements": matched,
                "MissingContextValues": missing,
            }
            result["ResourceSpecificResults"] = [specific]
        return result


def _statements(policy: ManagedPolicy) -> list[Statement]:
    document = next(version.document for version in policy.versions if version.is_default)
    return statements_of(policy.name, document)


_NOT_HERE = ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy")


class Answers(IamResponse):
    """Operations added to moto's."""

    def simulate_principal_policy(self) -> ActionResult:
        """Answer SimulatePrincipalPolicy: each action on each resource, by the policies that the role has.

        Where resources are named, the missing context keys are in ResourceSpecificResults and not in the result itself
        (API reference, EvaluationResult).
        """
        backend = cast(Additions, self.backend)
        params = self._get_params()
        for name in _NOT_HERE:
            if params.get(name):
                raise NotImplementedError(f"{name} is not simulated here")
        for action in params["ActionNames"]:
            if not _ACTION.fullmatch(action):
                raise IAMException("InvalidInput", f"Invalid Action Name: {action}")
        context = {
            entry["ContextKeyName"].casefold(): entry.get("ContextKeyValues") or []
            for entry in params.get("ContextEntries") or []
        }
        role = backend.simulated_role(params["PolicySourceArn"])
        results = [
            backend.simulate(role, action, resource, context)
            for action in params["ActionNames"]
            for resource in params.get("ResourceArns") or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def install() -> None:
    """Put the additions into moto."""
    graft(Additions)
    graft(Answers)
