"""The roles of those who take part: those of the tasks exist and trust ECS, the platform's may do what they have to.

What these may do IAM's own simulator says: foreseen, not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from gate import aws
from gate.names import check
from gate.preflight_hooks import later_hooks
from gate.release import Release, is_arn
from gate.simulator import why_not
from gate.verdict import Finding, ProbeError, attempt, failed, passed, skipped


class RoleChecks:
    """The roles that the task definition names, and those by which the platform invokes the hooks."""

    def __init__(self, release: Release) -> None:
        self.release = release

    @check(calls=["iam:GetRole"], parts=["execution", "task"])
    def roles(self) -> Iterator[Finding]:
        """The execution role and the task role, where they are named, exist and trust ECS tasks."""
        for word in ("execution", "task"):
            arn = self.release.definition.get(f"{word}RoleArn")
            if arn:
                yield attempt(f"roles:{word}", partial(self._role, f"{word} role", str(arn)))
            else:  # where one is needed ECS does not register the task definition
                yield skipped(f"the task definition names no {word} role", f"roles:{word}")

    def _role(self, word: str, arn: str) -> Finding:
        if self.release.is_foreign(arn):
            return skipped(f"{word} {arn} is of another account: not looked at")
        role = arn.rpartition("/")[2]  # ECS takes the bare name, too
        try:
            found = aws.call("iam", "get_role", RoleName=role).get("Role") or {}
        except aws.AwsCallFailed as problem:
            if problem.code == "NoSuchEntity":
                return failed(f"{word} {arn} does not exist: create it, or fix the task definition")
            raise
        if is_arn(arn) and not found.get("Arn"):
            raise ProbeError(f"IAM does not say the ARN of role {role}, so whether it is {word} {arn} cannot be told")
        if is_arn(arn) and found["Arn"] != arn:
            return failed(f"{word} {arn} does not exist, only {found['Arn']} does: fix the task definition")
        if not _trusts(found, "ecs-tasks.amazonaws.com"):
            return failed(f"{word} {arn} does not trust ecs-tasks.amazonaws.com: fix its trust policy")
        return passed(f"{word} {role} exists and trusts ECS tasks")

    @check(calls=["iam:SimulatePrincipalPolicy"], parts=["{action}"])
    def service_role(self) -> list[Finding]:
        """The role that invokes the hooks may do so; CodeDeploy's service role may pass the tasks' roles to ECS."""
        return [
            attempt("service_role:lambda:InvokeFunction", self._may_invoke),
            attempt("service_role:iam:PassRole", self._may_pass),
        ]

    def _may_invoke(self) -> Finding:
        arn, deployment = self.release.arn, self.release.deployment
        functions = f"arn:{arn.partition}:lambda:{arn.region}:{arn.account}:function:"
        by_role: dict[str, list[str]] = {}
        for name in later_hooks(deployment).values():
            function = name if is_arn(name) else f"{functions}{name.rpartition('function:')[2]}"
            by_role.setdefault(deployment.invoker_of(name), []).append(function)
        if not by_role:
            return skipped(f"{deployment.words.source} names no further hook")
        cure = deployment.words.allow_invoking
        found = [self._judged(r, "lambda:InvokeFunction", "may not invoke", a, cure) for r, a in by_role.items()]
        return next((finding for finding in found if not finding.ok), found[0])

    def _may_pass(self) -> Finding:
        passer = self.release.deployment.passer
        if not passer:
            return skipped("whoever deploys passes the roles of the tasks")
        named = [self.release.definition.get(name) for name in ("executionRoleArn", "taskRoleArn")]
        arns = [arn for arn in dict.fromkeys(map(str, named)) if is_arn(arn)]
        if not arns:
            return skipped("the task definition names no role by its ARN")
        cure = "no green task could be started; allow iam:PassRole on it"
        to_ecs = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
        return self._judged(passer, "iam:PassRole", "may not pass to ECS", arns, cure, **to_ecs)

    def _judged(
        self, role: str, action: str, may_not: str, resources: Sequence[str], cure: str, **known: str
    ) -> Finding:
        """Whether a role may take the action on each of the resources, for the words `may_not` and the cure.

        `known`: condition keys, beside the region. Where it hangs on others nobody can say. Raises as `why_not` does.
        """
        context = {"aws:RequestedRegion": self.release.arn.region, **known}
        refused = {resource: why_not(role, action, resource, context) for resource in resources}
        denied = [resource for resource, keys in refused.items() if keys == []]
        who = f"{self.release.deployment.words.invoker} {role}"
        if denied:
            return failed(f"{who} {may_not} {', '.join(denied)}: {cure}")
        unknown = ", ".join(dict.fromkeys(key for keys in refused.values() for key in keys or ()))
        if unknown:
            return skipped(f"{who}: it hangs on {unknown}, which is not known here, whether it {may_not} something")
        return passed(f"{who} may do what it has to")


def _trusts(role: Mapping[str, Any], service: str) -> bool:
    """Whether a role's trust policy (GetRole's answer) lets a service assume it.

    Conditions are not judged: one that allows counts as if it held, one that denies as if it did not.
    """
    effects = set()
    for statement in _listed((role.get("AssumeRolePolicyDocument") or {}).get("Statement") or []):
        principal = statement.get("Principal") or {}
        services = set(_listed(principal.get("Service") if isinstance(principal, Mapping) else principal))
        actions = [str(action).lower() for action in _listed(statement.get("Action"))]
        is_meant = {service, "*"} & services and any(fnmatchcase("sts:assumerole", action) for action in actions)
        if is_meant and not (statement.get("Effect") == "Deny" and statement.get("Condition")):
            effects.add(statement.get("Effect"))
    return effects == {"Allow"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
