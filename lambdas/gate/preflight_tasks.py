"""Smoke tests before anything is made: can the task run, and may the hook's function run it?"""

from __future__ import annotations

from gate.deployment import Deployment
from gate.one_off import target_to_come
from gate.options.one_off import SmokeTest
from gate.release import is_arn, parse_arn
from gate.simulator import why_not
from gate.verdict import ProbeError


def why_it_cannot_run(deployment: Deployment, options: SmokeTest, role: str) -> list[str]:
    """What is wrong with a smoke test; `role`: the ARN of the role of the function that runs it.

    Raises ProbeError where AWS does not tell now, and may tell later.
    """
    try:
        target = target_to_come(deployment, options)
        target.request(options.command, options)
    except ProbeError as problem:
        if problem.retryable:
            raise
        return [str(problem)]
    definition = str(target.definition.get("taskDefinitionArn") or "")
    arn = parse_arn(definition)
    cluster = f"arn:{arn.partition}:ecs:{arn.region}:{arn.account}:cluster/{deployment.cluster}"
    asked = [("ecs:RunTask", definition, {"ecs:cluster": cluster}, "allow it with policy_documents")]
    to_ecs = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    for name in ("executionRoleArn", "taskRoleArn"):
        passed_on = str(target.definition.get(name) or "")
        if is_arn(passed_on):  # by a bare name it is of this account
            asked.append(("iam:PassRole", passed_on, to_ecs, "name it in pass_role_arns"))
    found = []
    for action, resource, known, cure in asked:
        lacking = why_not(role, action, resource, {"aws:RequestedRegion": arn.region, **known})
        if lacking == []:  # else it is allowed, or hangs on what is not known here
            found.append(f"the function's role {role} may not {action} on {resource}: {cure}")
    return found
