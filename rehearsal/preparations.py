"""What is changed before a deployment, or beside it: `Scenario.prepare` and `Scenario.meanwhile` name the steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from rehearsal import images
from rehearsal.certificates import authority
from rehearsal.lifecycle import Clients

Outputs = Mapping[str, Any]
Step = Callable[[Clients, Outputs], str]
"""Changes something by the clients, in the environment of these outputs, and returns what it did, in a line."""

ALARM_LIMIT = 15.0
"""Seconds that an alarm has to go off."""

OF_ONE_OFF_TASKS = ("RunTasks", "TagTasks", "ReadTasks", "StopTasks", "PassTaskRoles", "ReadTaskLogs")
"""What a hook needs that runs tasks, by the names of iam.tf's statements."""

MIGRATION_LIMIT = 60.0
"""Seconds within which a migration is at work."""


def remove_test_listener(clients: Clients, outputs: Outputs) -> str:
    """Take the test listener out of the deployment group; the load balancer keeps it."""
    pair = dict(listener_pair(clients, outputs))
    pair.pop("testTrafficRoute", None)
    clients.codedeploy.update_deployment_group(
        applicationName=outputs["application_name"],
        currentDeploymentGroupName=outputs["deployment_group_name"],
        loadBalancerInfo={"targetGroupPairInfoList": [pair]},
    )
    return "the deployment group has no test listener any more"


def fire_alarm(clients: Clients, outputs: Outputs) -> str:
    """Bring the alarm that whoever deploys watches into ALARM by its own metric, and wait until it is."""
    name = outputs["alarm_name"]

    def alarm() -> dict[str, Any]:
        found: dict[str, Any] = clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found

    # A state that was merely set would not last: an alarm follows its metric.
    told = alarm()
    datum = {
        "MetricName": told["MetricName"],
        "Dimensions": told["Dimensions"],
        "Value": told["Threshold"] * 2 + 1,
        "Timestamp": datetime.now(timezone.utc),
    }
    clients.cloudwatch.put_metric_data(Namespace=told["Namespace"], MetricData=[datum])
    deadline = time.monotonic() + ALARM_LIMIT
    while alarm()["StateValue"] != "ALARM":
        if time.monotonic() > deadline:
            raise TimeoutError(f"alarm {name} did not go off within {ALARM_LIMIT:.0f} s")
        time.sleep(0.1)
    return f"alarm {name} is in ALARM: {told['MetricName']} was {datum['Value']:g}"


def unpair_production_listener(clients: Clients, outputs: Outputs) -> str:
    """Let the production listener forward to blue's target group alone, as one does that CodeDeploy has not touched."""
    arn = listener_pair(clients, outputs)["prodTrafficRoute"]["listenerArns"][0]
    service = clients.ecs.describe_services(cluster=outputs["cluster_name"], services=[outputs["service_name"]])
    primary = next(s for s in service["services"][0]["taskSets"] if s["status"] == "PRIMARY")
    blue = primary["loadBalancers"][0]["targetGroupArn"]
    clients.elbv2.modify_listener(ListenerArn=arn, DefaultActions=[{"Type": "forward", "TargetGroupArn": blue}])
    return f"the production listener forwards to {blue.split('/')[-2]} and to no other target group"


def serve_tests_on_https(name: str, valid: float = 3600) -> Step:
    """Return a step that makes the test listener serve HTTPS with a certificate for a name.

    Of a certificate that is `valid` for a few seconds only, its end is waited for: ACM imports none that has expired.
    """

    def step(clients: Clients, outputs: Outputs) -> str:
        signed = authority().sign(name, timedelta(seconds=valid))
        imported = clients.acm.import_certificate(
            Certificate=signed.certificate.encode(),
            PrivateKey=signed.private_key.encode(),
            CertificateChain=authority().certificate.encode(),
        )["CertificateArn"]
        clients.elbv2.modify_listener(
            ListenerArn=listener_pair(clients, outputs)["testTrafficRoute"]["listenerArns"][0],
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": imported}],
        )
        said = f"the test listener serves HTTPS with a certificate for {name}"
        if valid >= 60:
            return said
        time.sleep(valid + 1)
        return f"{said}, which has expired"

    return step


def misroute_tests(clients: Clients, outputs: Outputs) -> str:
    """Let a rule of the test listener lead the health path to a third target group, in which blue's tasks are.

    CodeDeploy knows of neither: it moves the default action, and rules that forward to its own two target groups.
    """
    pair = listener_pair(clients, outputs)
    names = [group["name"] for group in pair["targetGroups"]]
    groups = clients.elbv2.describe_target_groups(Names=names)["TargetGroups"]
    targets = [
        description["Target"]
        for group in groups
        for description in clients.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
            "TargetHealthDescriptions"
        ]
    ]
    third = clients.elbv2.create_target_group(
        Name=f"{outputs['service_name']}-three",
        Protocol="HTTP",
        Port=groups[0]["Port"],
        VpcId=groups[0]["VpcId"],
        TargetType="ip",
        HealthCheckPath=groups[0]["HealthCheckPath"],
    )["TargetGroups"][0]["TargetGroupArn"]
    clients.elbv2.register_targets(TargetGroupArn=third, Targets=targets)
    clients.elbv2.create_rule(
        ListenerArn=pair["testTrafficRoute"]["listenerArns"][0],
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": [groups[0]["HealthCheckPath"]]}],
        Actions=[{"Type": "forward", "TargetGroupArn": third}],
    )
    return f"a rule of the test listener leads {groups[0]['HealthCheckPath']} to blue's tasks, past the default action"


def add_alarm_without_data(clients: Clients, outputs: Outputs) -> str:
    """Make an alarm on a metric that nobody publishes; it stays in INSUFFICIENT_DATA."""
    name = f"{outputs['service_name']}-payments"
    clients.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Orders",
        MetricName="FailedPayments",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    return f"alarm {name} watches a metric that nobody publishes"


def let_go_on(hook: str) -> Step:
    """Return a step that lets a hook's function invoke itself, as the module does where its window is a long one."""

    def step(clients: Clients, outputs: Outputs) -> str:
        allow(clients, outputs, hook, "lambda:InvokeFunction")
        return f"{hook} may invoke itself"

    return step


def let_run_smoke_tests(clients: Clients, outputs: Outputs) -> str:
    """Let validate_test_traffic run tasks, as the module does where it has a smoke test: just as run_migrations may."""
    names, hook = outputs["function_names"], "validate_test_traffic"
    roles = {
        name: clients.functions.get_function_configuration(FunctionName=names[name])["Role"].rpartition("/")[2]
        for name in ("run_migrations", hook)
    }
    found = [
        statement
        for name in clients.iam.list_role_policies(RoleName=roles["run_migrations"])["PolicyNames"]
        for statement in _statements(clients, roles["run_migrations"], name)
        if statement["Sid"] in OF_ONE_OFF_TASKS
    ]
    if len(found) != len(OF_ONE_OFF_TASKS):
        raise LookupError(f"run_migrations is not allowed all of {', '.join(OF_ONE_OFF_TASKS)}")
    clients.iam.put_role_policy(
        RoleName=roles[hook],
        PolicyName="smoke-test",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": found}),
    )
    return f"{hook} may run one-off tasks"


def _statements(clients: Clients, role: str, policy: str) -> list[dict[str, Any]]:
    document = clients.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    statements: list[dict[str, Any]] = document["Statement"]
    return statements


def allow(clients: Clients, outputs: Outputs, hook: str, action: str, resource: str = "") -> None:
    """Let a hook's function do more, as the module does where settings ask it; to itself, if no resource is named."""
    function = clients.functions.get_function_configuration(FunctionName=outputs["function_names"][hook])
    allowed = {"Effect": "Allow", "Action": action, "Resource": resource or function["FunctionArn"]}
    clients.iam.put_role_policy(
        RoleName=function["Role"].rpartition("/")[2],
        PolicyName=action.replace(":", "-"),
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )


def remove_image(tag: str) -> Step:
    """Return a step that removes an image from ECR, as a lifecycle policy does that keeps too few."""

    def step(clients: Clients, outputs: Outputs) -> str:  # noqa: ARG001  (the registry is not of one environment)
        answer = clients.ecr.batch_delete_image(repositoryName=images.REPOSITORY, imageIds=[{"imageTag": tag}])
        if answer["failures"]:
            raise LookupError(f"ECR removes no {images.REPOSITORY}:{tag}: {answer['failures']}")
        return f"image {images.REPOSITORY}:{tag} was removed from ECR"

    return step


def stop_migration(clients: Clients, outputs: Outputs) -> str:
    """Stop the migration's task, found by its tags, when its log says that its revisions are made."""
    family, cluster = outputs["task_family"], outputs["cluster_name"]
    definition = clients.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    container = definition["containerDefinitions"][0]
    options = container["logConfiguration"]["options"]
    deadline = time.monotonic() + MIGRATION_LIMIT

    def at_work() -> str | None:
        arns = clients.ecs.list_tasks(cluster=cluster, family=family)["taskArns"]
        tasks = clients.ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"] if arns else []
        for task in tasks:
            if {"key": "codedeploy-step", "value": "migrate"} in task.get("tags", []):
                arn: str = task["taskArn"]
                stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{arn.rpartition('/')[2]}"
                found = clients.logs.filter_log_events(logGroupName=options["awslogs-group"])["events"]
                if any(e["logStreamName"] == stream and "the backfill begins" in e["message"] for e in found):
                    return arn
        return None

    while (arn := at_work()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no migration was at work within {MIGRATION_LIMIT:.0f} s")
        time.sleep(0.2)
    clients.ecs.stop_task(cluster=cluster, task=arn, reason="it locks the orders")
    return f"somebody stopped task {arn.rpartition('/')[2]}"


def has_test_listener(clients: Clients, outputs: Outputs) -> bool:
    """Say whether the deployment group has a test listener."""
    return "testTrafficRoute" in listener_pair(clients, outputs)


def listener_pair(clients: Clients, outputs: Outputs) -> dict[str, Any]:
    """Return the deployment group's two target groups and its listeners."""
    pair: dict[str, Any] = _group(clients, outputs)["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    return pair


def _group(clients: Clients, outputs: Outputs) -> dict[str, Any]:
    group: dict[str, Any] = clients.codedeploy.get_deployment_group(
        applicationName=outputs["application_name"], deploymentGroupName=outputs["deployment_group_name"]
    )["deploymentGroupInfo"]
    return group
