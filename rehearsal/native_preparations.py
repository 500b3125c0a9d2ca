"""What is changed in the environment before a deployment by ECS itself; see preparations.py."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.lifecycle import Clients
from rehearsal.preparations import Outputs

NEVER = b'def handler(event, context):\n    return {"hookStatus": "IN_PROGRESS", "callBackDelay": 30}\n'
TEST_HEADER = ("x-orders-test", "green")


def revert_rules(clients: Clients, outputs: Outputs) -> str:
    """Put both rules back to what Terraform wrote, as an apply does without `ignore_changes`."""
    advanced = _balanced(outputs)["advancedConfiguration"]
    for route in ("production", "test"):
        _lead(clients, advanced[f"{route}ListenerRule"], {_balanced(outputs)["targetGroupArn"]: 1})
    return f"an apply has put both rules back to {outputs['target_group_names'][0]}"


def test_by_header(clients: Clients, outputs: Outputs) -> str:
    """Let a rule of the production listener, for requests with a header, be the service's test rule."""
    balanced = _balanced(outputs)
    advanced = balanced["advancedConfiguration"]
    rule = clients.elbv2.describe_rules(RuleArns=[advanced["productionListenerRule"]])["Rules"][0]
    name, value = TEST_HEADER
    made = clients.elbv2.create_rule(
        ListenerArn=advanced["productionListenerRule"].rpartition("/")[0].replace(":listener-rule/", ":listener/"),
        Priority=5,
        Conditions=[{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [value]}}],
        Actions=[{key: each[key] for key in ("Type", "ForwardConfig")} for each in rule["Actions"]],
    )["Rules"][0]["RuleArn"]
    _update(
        clients, outputs, loadBalancers=[{**balanced, "advancedConfiguration": advanced | {"testListenerRule": made}}]
    )
    clients.elbv2.delete_rule(RuleArn=advanced["testListenerRule"])
    return f"requests to the production listener with {name}: {value} are the test traffic"


def add_a_hook_that_never_decides(clients: Clients, outputs: Outputs) -> str:
    """Add a hook of somebody else, which ECS gives a minute."""
    names = {"cluster": outputs["cluster_name"], "services": [outputs["service_name"]]}
    configuration = clients.ecs.describe_services(**names)["services"][0]["deploymentConfiguration"]
    hooks: Sequence[Mapping[str, Any]] = configuration["lifecycleHooks"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("own.py", NEVER)
    like = clients.functions.get_function_configuration(FunctionName=hooks[0]["hookTargetArn"])
    made = clients.functions.create_function(
        FunctionName="CodeDeployHook_approval",
        Runtime=like["Runtime"],
        Role=like["Role"],
        Handler="own.handler",
        Timeout=10,
        Code={"ZipFile": packed.getvalue()},
    )["FunctionArn"]
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": made}
    clients.iam.put_role_policy(
        RoleName=hooks[0]["roleArn"].rpartition("/")[2],
        PolicyName="invoke-approval",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    own = {
        "hookTargetArn": made,
        "roleArn": hooks[0]["roleArn"],
        "lifecycleStages": ["POST_SCALE_UP"],
        "timeoutConfiguration": {"timeoutInMinutes": 1, "action": "ROLLBACK"},
    }
    _update(clients, outputs, deploymentConfiguration={**configuration, "lifecycleHooks": [*hooks, own]})
    return "a hook `CodeDeployHook_approval` at POST_SCALE_UP never decides; ECS gives it a minute"


def _balanced(outputs: Outputs) -> dict[str, Any]:
    found: dict[str, Any] = outputs["native_service"]["loadBalancers"][0]
    return found


def _update(clients: Clients, outputs: Outputs, **changes: Any) -> None:
    clients.ecs.update_service(cluster=outputs["cluster_name"], service=outputs["service_name"], **changes)


def _lead(clients: Clients, rule: str, weights: Mapping[str, int]) -> None:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    clients.elbv2.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
