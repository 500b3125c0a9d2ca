"""Every operation that the stand-in adds or corrects is driven once, and its answer held against botocore's model.

The fixture `clients_of_test` checks the models in all contract tests. Here is the proof that no operation is left out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from moto.ecs.models import ecs_backends

from rehearsal.aws import awslambda, cloudwatch, codedeploy_api, ecr, ecs_api, iam
from rehearsal.aws.stack import REGION, Stack
from tests.contract.conformity import Conformity, faults, faults_of_answer

PAIRS = (
    ("codedeploy", codedeploy_api.Answers),
    ("ecs", ecs_api.Answers),
    ("cloudwatch", cloudwatch.Answers),
    ("lambda", awslambda.Answers),
    ("ecr", ecr.Answers),
    ("iam", iam.Answers),
)
"""By service: the class that holds the operations."""


def codedeploy_operations(stack: Stack) -> None:
    client = stack.client("codedeploy")
    deployment = stack.deploy()
    execution = stack.run_until(deployment, "BeforeInstall")
    one = {"deploymentId": deployment.deployment_id}
    group = {"applicationName": "orders", "deploymentGroupName": "orders"}
    revision = client.get_deployment(**one)["deploymentInfo"]["revision"]
    client.batch_get_deployments(deploymentIds=[deployment.deployment_id])
    client.get_deployment_target(**one, targetId="shop:orders")
    client.batch_get_deployment_targets(**one, targetIds=["shop:orders"])
    client.list_deployment_targets(**one)
    client.put_lifecycle_event_hook_execution_status(**one, lifecycleEventHookExecutionId=execution, status="Succeeded")
    client.get_application_revision(applicationName="orders", revision=revision)
    content = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}}
    client.register_application_revision(applicationName="orders", revision=content)
    client.get_deployment_config(deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
    client.create_deployment_config(deploymentConfigName="own", computePlatform="ECS")
    client.list_deployment_configs()
    client.delete_deployment_config(deploymentConfigName="own")
    client.stop_deployment(**one)
    deployment.set_status("Succeeded")
    client.get_deployment_group(**group)
    client.update_deployment_group(applicationName="orders", currentDeploymentGroupName="orders")
    client.delete_deployment_group(**group)
    client.update_application(applicationName="orders", newApplicationName="shop")
    client.delete_application(applicationName="shop")


def ecs_operations(stack: Stack) -> None:
    ecs = stack.client("ecs")
    stack.run_until(stack.deploy(), "AfterAllowTraffic")
    blue = stack.task_sets()[0]["id"]
    one = {"cluster": "shop", "service": "orders"}
    ecs.describe_task_sets(**one)
    ecs.update_task_set(**one, taskSet=blue, scale={"value": 0, "unit": "PERCENT"})
    ecs.delete_task_set(**one, taskSet=blue)
    ecs.update_service(**one, desiredCount=1)
    run = {"cluster": "shop", "launchType": "FARGATE", "networkConfiguration": stack.network}
    arn = ecs.run_task(**run, taskDefinition=stack.task_definition)["tasks"][0]["taskArn"]
    ecs.describe_tasks(cluster="shop", tasks=[arn])
    ecs.list_tasks(cluster="shop")
    ecs.stop_task(cluster="shop", task=arn)
    _by_ecs_itself(stack)


def _by_ecs_itself(stack: Stack) -> None:
    """A service that ECS deploys blue/green, and what is told of its first deployment."""
    ecs = stack.client("ecs")
    rules = stack.client("elbv2").describe_rules(ListenerArn=stack.production_listener)["Rules"]
    advanced = {
        "alternateTargetGroupArn": stack.green_group,
        "productionListenerRule": rules[-1]["RuleArn"],
        "roleArn": "arn:aws:iam::123456789012:role/ecs",
    }
    ecs.create_service(
        cluster="shop",
        serviceName="native",
        taskDefinition=stack.task_definition,
        launchType="FARGATE",
        networkConfiguration=stack.network,
        deploymentController={"type": "ECS"},
        deploymentConfiguration={"strategy": "BLUE_GREEN"},
        loadBalancers=[
            {
                "targetGroupArn": stack.blue_group,
                "containerName": "app",
                "containerPort": 8000,
                "advancedConfiguration": advanced,
            }
        ],
    )
    service: Any = ecs_backends["123456789012"][REGION].services["shop:native"]
    deployment = service.service_deployments[0]
    deployment.enter("PRE_SCALE_UP")
    deployment.scale_up()
    found = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn, f"{deployment.arn}x"])
    ecs.list_service_deployments(cluster="shop", service="native", status=["IN_PROGRESS"])
    target = found["serviceDeployments"][0]["targetServiceRevision"]["arn"]
    ecs.describe_service_revisions(serviceRevisionArns=[target, f"{target}x"])


def cloudwatch_operations(stack: Stack) -> None:
    client = stack.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="m",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    client.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)", AlarmDescription="both", AlarmActions=[])
    client.set_alarm_state(AlarmName="c", StateValue="ALARM", StateReason="test", StateReasonData="{}")
    client.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])


def lambda_operations(stack: Stack) -> None:
    role = stack.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = stack.client("lambda")
    client.create_function(
        FunctionName="f",
        Role=role,
        Runtime="python3.13",
        Handler="f.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    client.get_function(FunctionName="f")
    client.get_function_configuration(FunctionName="f")
    client.update_function_configuration(FunctionName="f", Timeout=9)
    client.list_functions()
    client.invoke(FunctionName="f")


def ecr_operations(stack: Stack) -> None:
    client = stack.client("ecr")
    client.create_repository(repositoryName="orders")
    client.batch_get_image(repositoryName="orders", imageIds=[{"imageTag": "1.0.0"}])
    client.create_pull_through_cache_rule(ecrRepositoryPrefix="hub", upstreamRegistryUrl="docker.io")
    client.describe_pull_through_cache_rules()


def iam_operations(stack: Stack) -> None:
    client = stack.client("iam")
    role = client.create_role(RoleName="x", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client.simulate_principal_policy(PolicySourceArn=role, ActionNames=["iam:PassRole"])


DRIVERS: dict[str, Callable[[Stack], None]] = {
    "codedeploy": codedeploy_operations,
    "ecs": ecs_operations,
    "cloudwatch": cloudwatch_operations,
    "lambda": lambda_operations,
    "ecr": ecr_operations,
    "iam": iam_operations,
}


@pytest.mark.parametrize(("service", "answers"), PAIRS)
def test_every_operation_is_driven(stack: Stack, listener: Conformity, service: str, answers: type) -> None:
    """The names of the methods are those of the service's operations, and each has answered."""
    model = stack.client(service).meta.service_model
    operations = {_snake(name): name for name in model.operation_names}
    defined = {name for name, _ in inspect.getmembers(answers, inspect.isfunction) if name in vars(answers)}
    defined = {name for name in defined if not name.startswith("_")}
    assert defined <= set(operations)
    listener.seen.clear()
    # What the stack itself called is called again.
    DRIVERS[service](stack)
    seen = listener.seen | _called_by_the_stack(service)
    assert {operations[name] for name in defined} <= {name for found, name in seen if found == service}


def _called_by_the_stack(service: str) -> set[tuple[str, str]]:
    """Name what building the stack has called and no driver calls again."""
    return {(service, "CreateService")} if service == "ecs" else set()


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def test_the_check_can_fail(stack: Stack) -> None:
    """A value that is not of the model, an unknown member, a missing one and an unmodelled error are all found."""
    model: Any = stack.client("codedeploy").meta.service_model.operation_model("GetDeployment")
    assert faults_of_answer({"deploymentInfo": {"status": "Succeeded"}}, model) == []
    assert faults_of_answer({"deploymentInfo": {"status": "SUCCEEDED"}}, model)
    assert faults_of_answer({"deploymentInfo": {"createTime": "today"}}, model)
    assert faults_of_answer({"deploymentInfo": {"colour": "green"}}, model)
    assert faults_of_answer({"Error": {"Code": "DeploymentDoesNotExistException"}}, model) == []
    assert faults_of_answer({"Error": {"Code": "NoSuchDeployment"}}, model)
    required: Any = stack.client("cloudwatch").meta.service_model.shape_for("Dimension")
    assert faults({"Name": "LoadBalancer", "Value": "x"}, required) == []
    assert faults({"Name": "LoadBalancer"}, required)
