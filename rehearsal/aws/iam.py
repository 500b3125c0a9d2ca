"""IAM: AWS's own managed policies.

moto has them in store and loads none of them unless told to by an environment variable, so that attaching
`AWSCodeDeployRoleForECS` fails. Here each is loaded when it is asked for.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy

from rehearsal.aws.graft import graft

_AWS_POLICY = re.compile(r"arn:[\w-]+:iam::aws:policy(/.*)?/([^/]+)")

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
    """AWS's policies, loaded when they are asked for."""

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        """Attach a policy, one of AWS's own too."""
        _load(self, policy_arn)
        _original_attach(self, policy_arn, role_name)

    def get_policy(self, policy_arn: str) -> ManagedPolicy:
        """Return a policy, one of AWS's own too."""
        _load(self, policy_arn)
        return _original_get(self, policy_arn)


def install() -> None:
    """Put the additions into moto."""
    graft(Additions)
