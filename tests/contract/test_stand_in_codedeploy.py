"""CodeDeploy: the stand-in against what was recorded on AWS, and against moto's traps."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from rehearsal.aws import codedeploy
from rehearsal.aws.stack import Stack
from rehearsal.aws.world import ScriptedWorld

HOOKS = ["BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"]


def target(stack: Stack, deployment: codedeploy.Deployment) -> dict[str, Any]:
    answer = stack.client("codedeploy").get_deployment_target(
        deploymentId=deployment.deployment_id, targetId=f"{stack.cluster}:{stack.service}"
    )
    assert answer["deploymentTarget"]["deploymentTargetType"] == "ECSTarget"
    found: dict[str, Any] = answer["deploymentTarget"]["ecsTarget"]
    return found


def info(stack: Stack, deployment: codedeploy.Deployment) -> dict[str, Any]:
    answer = stack.client("codedeploy").get_deployment(deploymentId=deployment.deployment_id)
    found: dict[str, Any] = answer["deploymentInfo"]
    return found


def report(stack: Stack, deployment: codedeploy.Deployment, execution_id: str, status: str = "Succeeded") -> None:
    stack.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=deployment.deployment_id, lifecycleEventHookExecutionId=execution_id, status=status
    )


# Records: ids, targets, events.


def test_a_deployment_id_is_d_and_nine_characters(stack: Stack) -> None:
    """moto's is a UUID."""
    assert re.fullmatch(r"d-[0-9A-Z]{9}", stack.deploy().deployment_id)


def test_the_target_is_called_by_names_only(stack: Stack) -> None:
    """Record: `<cluster>:<service>`, no ARNs."""
    deployment = stack.deploy()
    deployment.begin("BeforeInstall")
    found = target(stack, deployment)
    assert found["targetId"] == "shop:orders"
    listed = stack.client("codedeploy").list_deployment_targets(deploymentId=deployment.deployment_id)
    assert listed["targetIds"] == ["shop:orders"]
    batch = stack.client("codedeploy").batch_get_deployment_targets(
        deploymentId=deployment.deployment_id, targetIds=["shop:orders"]
    )
    assert batch["deploymentTargets"][0]["ecsTarget"]["targetId"] == "shop:orders"


def test_all_eight_events_are_listed_from_the_start(stack: Stack) -> None:
    """Record: the later ones are Pending, without times."""
    deployment = stack.deploy()
    deployment.begin("BeforeInstall")
    events = target(stack, deployment)["lifecycleEvents"]
    assert [event["lifecycleEventName"] for event in events] == [
        "BeforeInstall",
        "Install",
        "AfterInstall",
        "AllowTestTraffic",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AllowTraffic",
        "AfterAllowTraffic",
    ]
    assert events[0]["status"] == "InProgress"
    assert "startTime" in events[0]
    assert "endTime" not in events[0]
    for event in events[1:]:
        assert event == {"lifecycleEventName": event["lifecycleEventName"], "status": "Pending"}


@pytest.mark.parametrize("status", ["Stopped", "Failed"])
def test_after_a_stop_the_rest_is_skipped(stack: Stack, status: str) -> None:
    """Record: after a stop the remaining events are Skipped."""
    deployment = stack.deploy()
    stack.run_until(deployment, "AfterInstall")
    deployment.finish("AfterInstall", "Failed")
    deployment.set_status(status)
    statuses = [event["status"] for event in target(stack, deployment)["lifecycleEvents"]]
    assert statuses == ["Succeeded", "Succeeded", "Failed", *["Skipped"] * 5]


def test_the_overview_is_null_while_it_runs(stack: Stack) -> None:
    """Record: `GetDeployment.deploymentOverview` is null while the deployment runs."""
    deployment = stack.deploy()
    deployment.begin("BeforeInstall")
    assert "deploymentOverview" not in info(stack, deployment)
    deployment.set_status("Succeeded")
    assert info(stack, deployment)["deploymentOverview"]["Succeeded"] == 1


def test_inside_before_install_the_target_lists_blue(stack: Stack) -> None:
    """Record: one task set, labelled Blue, with traffic weight 100 and `identifer` (the API's own spelling)."""
    deployment = stack.deploy()
    deployment.begin("BeforeInstall")
    (blue,) = target(stack, deployment)["taskSetsInfo"]
    assert re.fullmatch(r"ecs-svc/\d{19}", blue.pop("identifer"))
    assert blue == {
        "desiredCount": 2,
        "pendingCount": 0,
        "runningCount": 2,
        "status": "PRIMARY",
        "trafficWeight": 100.0,
        "targetGroup": {"name": "orders-1"},
        "taskSetLabel": "Blue",
    }


def test_green_is_listed_from_install_on_and_takes_over(stack: Stack) -> None:
    """Labels stay with their task sets; weights follow the production listener."""
    deployment = stack.deploy()
    stack.run_until(deployment, "AfterInstall")
    sets = {each["taskSetLabel"]: each for each in target(stack, deployment)["taskSetsInfo"]}
    assert sets["Green"]["targetGroup"] == {"name": "orders-2"}
    assert (sets["Blue"]["trafficWeight"], sets["Green"]["trafficWeight"]) == (100.0, 0.0)
    assert (sets["Blue"]["status"], sets["Green"]["status"]) == ("PRIMARY", "ACTIVE")
    stack.run_until(deployment, "AfterAllowTraffic")
    sets = {each["taskSetLabel"]: each for each in target(stack, deployment)["taskSetsInfo"]}
    assert (sets["Blue"]["trafficWeight"], sets["Green"]["trafficWeight"]) == (0.0, 100.0)
    assert (sets["Blue"]["status"], sets["Green"]["status"]) == ("ACTIVE", "PRIMARY")


def test_weights_move_in_steps_while_allow_traffic_goes_on(stack: Stack) -> None:
    """Record: weights move as the configuration says; AllowTraffic is InProgress all that time."""
    deployment = stack.deploy()
    stack.run_until(deployment, "BeforeAllowTraffic")
    deployment.finish("BeforeAllowTraffic", "Succeeded")
    deployment.begin("AllowTraffic")
    for weight in (10, 50, 100):
        stack.forward(stack.production_listener, {stack.blue_group: 100 - weight, stack.green_group: weight})
        found = target(stack, deployment)
        assert {each["taskSetLabel"]: each["trafficWeight"] for each in found["taskSetsInfo"]} == {
            "Blue": 100.0 - weight,
            "Green": float(weight),
        }
        assert found["lifecycleEvents"][6]["status"] == "InProgress"


def test_before_allow_traffic_the_two_listeners_lead_to_different_sides(stack: Stack) -> None:
    """Record: just before AllowTraffic the test listener answers from green and production from blue."""
    stack.run_until(stack.deploy(), "BeforeAllowTraffic")
    listeners = stack.client("elbv2").describe_listeners(LoadBalancerArn=stack.load_balancer_arn)["Listeners"]
    served = {
        listener["Port"]: [
            group["TargetGroupArn"]
            for group in listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
            if group["Weight"] > 0
        ]
        for listener in listeners
    }
    assert served == {80: [stack.blue_group], 8080: [stack.green_group]}


def test_at_after_install_the_test_listener_still_leads_to_blue(stack: Stack) -> None:
    """User guide: the test listener points at green only from AfterAllowTestTraffic on."""
    stack.run_until(stack.deploy(), "AfterInstall")
    (listener,) = stack.client("elbv2").describe_listeners(ListenerArns=[stack.test_listener])["Listeners"]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == stack.blue_group


def test_with_all_events_done_it_is_still_in_progress(stack: Stack) -> None:
    """Record: when all eight events have succeeded the deployment is InProgress until blue is terminated."""
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, "AfterAllowTraffic")
    report(stack, deployment, execution_id)
    assert {event["status"] for event in target(stack, deployment)["lifecycleEvents"]} == {"Succeeded"}
    assert info(stack, deployment)["status"] == "InProgress"


# Records: stops, failures, rollbacks.


def test_an_alarm_that_stops_it(stack: Stack) -> None:
    """Record: status Stopped, ALARM_ACTIVE, and a rollback that is linked both ways, all at once."""
    deployment = stack.deploy()
    stack.run_until(deployment, "Install")
    deployment.set_status("Stopped", ("ALARM_ACTIVE", "One or more alarms have been activated: orders-5xx"))
    rollback = codedeploy.create_rollback(deployment)
    stopped = info(stack, deployment)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert stopped["rollbackInfo"]["rollbackDeploymentId"] == rollback.deployment_id
    rolled = info(stack, rollback)
    assert rolled["creator"] == "codeDeployRollback"
    assert rolled["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment.deployment_id
    assert rolled["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"


def test_a_rollback_makes_no_task_set_of_its_own(stack: Stack) -> None:
    """Record: the rollback made no new task set."""
    deployment = stack.deploy()
    stack.run_until(deployment, "AfterInstall")
    deployment.set_status("Failed")
    rollback = codedeploy.create_rollback(deployment)
    rollback.begin("Install")
    labels = {each["taskSetLabel"]: each["identifer"] for each in target(stack, rollback)["taskSetsInfo"]}
    assert len(stack.task_sets()) == 2
    assert labels == {"Blue": stack.task_sets()[0]["id"], "Green": stack.task_sets()[1]["id"]}


def test_a_rollback_deploys_what_succeeded_last(stack: Stack) -> None:
    """Of the group; before any success it is an AppSpec of the original task set."""
    first = stack.deploy()
    first.set_status("Failed")
    before_any = codedeploy.create_rollback(first)
    assert stack.task_definition in (before_any.app_spec() or "")
    before_any.set_status("Succeeded")
    good = stack.deploy()
    good.set_status("Succeeded")
    bad = stack.deploy(app_spec=stack.app_spec("orders:99"))
    bad.set_status("Failed")
    assert codedeploy.create_rollback(bad).app_spec() == good.app_spec()


def test_a_failed_hook_says_nothing_of_its_reason(stack: Stack) -> None:
    """Record: Failed, HOOK_EXECUTION_FAILURE, and a fixed message."""
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, "BeforeInstall")
    report(stack, deployment, execution_id, "Failed")
    message = "The deployment failed because one or more of the lifecycle event validation functions failed."
    deployment.set_status("Failed", ("HOOK_EXECUTION_FAILURE", message))
    found = info(stack, deployment)
    assert found["status"] == "Failed"
    assert found["errorInformation"] == {"code": "HOOK_EXECUTION_FAILURE", "message": message}


def test_stop_deployment_asks_the_player(stack: Stack, refused: Any) -> None:
    """moto lacks StopDeployment."""
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, "BeforeInstall")
    client = stack.client("codedeploy")
    answer = client.stop_deployment(deploymentId=deployment.deployment_id, autoRollbackEnabled=True)
    assert answer["status"] == "Pending"
    assert (deployment.stop_requested, deployment.rollback_requested) == (True, True)
    assert deployment.wait_for_report(execution_id, timeout=60) is None  # ends at once
    deployment.set_status("Stopped", ("MANUAL_STOP", "Stopped by a user."))
    code, _ = refused(client.stop_deployment, deploymentId=deployment.deployment_id)
    assert code == "DeploymentAlreadyCompletedException"


# Traps: the AppSpec.


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_the_app_spec_comes_from_get_application_revision_only(stack: Stack, kind: str) -> None:
    """moto echoes the AppSpec in GetDeployment; on AWS its content is always null there, with a sha256."""
    yaml = "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n"
    content = stack.app_spec(stack.task_definition) if kind == "json" else yaml
    deployment = stack.deploy(app_spec=content)
    revision = info(stack, deployment)["revision"]
    digest = hashlib.sha256(content.encode()).hexdigest()
    assert revision == {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": digest}}
    found = stack.client("codedeploy").get_application_revision(applicationName="orders", revision=revision)
    assert found["revision"]["appSpecContent"] == {"content": content, "sha256": digest}
    assert found["revisionInfo"]["deploymentGroups"] == ["orders"]


def test_a_revision_in_s3_stays_there(stack: Stack) -> None:
    """A revision of type S3 has no content that an API would return."""
    revision = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "appspec.yaml", "bundleType": "YAML"}}
    client = stack.client("codedeploy")
    deployment_id = client.create_deployment(applicationName="orders", deploymentGroupName="orders", revision=revision)[
        "deploymentId"
    ]
    found = client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]["revision"]
    assert found == revision
    assert client.get_application_revision(applicationName="orders", revision=found)["revision"] == revision


def test_unknown_and_wrong_revisions(stack: Stack, refused: Any) -> None:
    client = stack.client("codedeploy")

    def get(revision: dict[str, Any], application: str = "orders") -> str:
        code, _ = refused(client.get_application_revision, applicationName=application, revision=revision)
        return str(code)

    unknown = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "0" * 64}}
    assert get(unknown) == "RevisionDoesNotExistException"
    assert get(unknown, "nothing") == "ApplicationDoesNotExistException"
    wrong = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}", "sha256": "0" * 64}}
    group = {"applicationName": "orders", "deploymentGroupName": "orders"}
    assert refused(client.create_deployment, **group, revision=wrong)[0] == "InvalidRevisionException"
    assert refused(client.create_deployment, **group)[0] == "RevisionRequiredException"


# Traps: reports.


@pytest.mark.parametrize("event", HOOKS)
@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_a_report_ends_its_event(stack: Stack, event: str, status: str) -> None:
    """moto lacks PutLifecycleEventHookExecutionStatus."""
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, event)
    assert deployment.reported(execution_id) is None
    report(stack, deployment, execution_id, status)
    assert deployment.reported(execution_id) == deployment.wait_for_report(execution_id, timeout=0) == status
    found = target(stack, deployment)["lifecycleEvents"]
    ended = next(each for each in found if each["lifecycleEventName"] == event)
    assert ended["status"] == status
    assert ended["endTime"] >= ended["startTime"]


def test_reports_that_are_refused(stack: Stack, refused: Any) -> None:
    """Each modelled error at its cause; all are kept for the tests."""
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, "BeforeInstall")
    put = stack.client("codedeploy").put_lifecycle_event_hook_execution_status

    def code(deployment_id: str | None, execution: str, status: str) -> str:
        given = {"deploymentId": deployment_id} if deployment_id is not None else {}
        return str(refused(put, **given, lifecycleEventHookExecutionId=execution, status=status)[0])

    mine = deployment.deployment_id
    assert code(None, execution_id, "Succeeded") == "DeploymentIdRequiredException"
    assert code("d-1", execution_id, "Succeeded") == "InvalidDeploymentIdException"
    assert code("d-000000000", execution_id, "Succeeded") == "DeploymentDoesNotExistException"
    assert code(mine, "other", "Succeeded") == "InvalidLifecycleEventHookExecutionIdException"
    assert code(mine, execution_id, "Skipped") == "InvalidLifecycleEventHookExecutionStatusException"
    report(stack, deployment, execution_id)
    assert code(mine, execution_id, "Succeeded") == "LifecycleEventAlreadyCompletedException"
    assert code(mine, execution_id, "Failed") == "LifecycleEventAlreadyCompletedException"
    assert deployment.reported(execution_id) == "Succeeded"
    assert [(each.event, each.status, each.accepted) for each in deployment.reports] == [
        (None, "Succeeded", False),
        ("BeforeInstall", "Skipped", False),
        ("BeforeInstall", "Succeeded", True),
        ("BeforeInstall", "Succeeded", False),
        ("BeforeInstall", "Failed", False),
    ]


def test_a_report_to_a_deployment_that_is_over_is_refused(stack: Stack, refused: Any) -> None:
    deployment = stack.deploy()
    execution_id = stack.run_until(deployment, "BeforeInstall")
    deployment.set_status("Stopped")
    put = stack.client("codedeploy").put_lifecycle_event_hook_execution_status
    given = {"deploymentId": deployment.deployment_id, "lifecycleEventHookExecutionId": execution_id}
    assert refused(put, **given, status="Succeeded")[0] == "LifecycleEventAlreadyCompletedException"


def test_only_ecs_and_lambda_have_hooks(stack: Stack, refused: Any) -> None:
    client = stack.client("codedeploy")
    client.create_application(applicationName="hosts", computePlatform="Server")
    client.create_deployment_group(
        applicationName="hosts", deploymentGroupName="g", serviceRoleArn="arn:aws:iam::123456789012:role/x"
    )
    deployment_id = client.create_deployment(
        applicationName="hosts",
        deploymentGroupName="g",
        revision={"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "zip"}},
    )["deploymentId"]
    put = client.put_lifecycle_event_hook_execution_status
    given = {"deploymentId": deployment_id, "lifecycleEventHookExecutionId": "x", "status": "Succeeded"}
    assert refused(put, **given)[0] == "UnsupportedActionForDeploymentTypeException"


def test_each_event_has_an_execution_id_of_its_own(stack: Stack) -> None:
    deployment = stack.deploy()
    ids = [stack.run_until(deployment, event) for event in HOOKS]
    assert len(set(ids)) == len(HOOKS)


# Traps: targets and deployments that are not there.


def test_targets_that_are_refused(stack: Stack, refused: Any) -> None:
    deployment = stack.deploy()
    client = stack.client("codedeploy")
    given = {"deploymentId": deployment.deployment_id, "targetId": "shop:orders"}
    assert refused(client.get_deployment_target, **given)[0] == "DeploymentNotStartedException"
    deployment.begin("BeforeInstall")
    wrong = {**given, "targetId": "shop:other"}
    assert refused(client.get_deployment_target, **wrong)[0] == "DeploymentTargetDoesNotExistException"
    empty = {**given, "targetId": ""}
    assert refused(client.get_deployment_target, **empty)[0] == "DeploymentTargetIdRequiredException"
    assert refused(client.get_deployment, deploymentId="d-000000000")[0] == "DeploymentDoesNotExistException"


def test_a_group_has_one_active_deployment_at_a_time(stack: Stack, refused: Any) -> None:
    first = stack.deploy()
    code, message = refused(
        stack.client("codedeploy").create_deployment,
        applicationName="orders",
        deploymentGroupName="orders",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}},
    )
    assert code == "DeploymentLimitExceededException"
    assert first.deployment_id in message
    first.set_status("Stopped")
    assert stack.deploy().deployment_id != first.deployment_id


# Traps: groups, configurations, times.


def test_a_group_keeps_its_alarms(stack: Stack) -> None:
    """moto answers alarmConfiguration with nothing."""
    client = stack.client("codedeploy")
    alarms = {"enabled": True, "ignorePollAlarmFailure": False, "alarms": [{"name": "orders-5xx"}]}
    client.update_deployment_group(
        applicationName="orders", currentDeploymentGroupName="orders", alarmConfiguration=alarms
    )
    group = client.get_deployment_group(applicationName="orders", deploymentGroupName="orders")["deploymentGroupInfo"]
    assert group["alarmConfiguration"] == alarms
    assert group["ecsServices"] == [{"clusterName": "shop", "serviceName": "orders"}]


def test_a_group_takes_at_most_ten_alarms(stack: Stack, refused: Any) -> None:
    alarms = {"enabled": True, "alarms": [{"name": f"a{number}"} for number in range(11)]}
    given = {"applicationName": "orders", "deploymentGroupName": "more", "alarmConfiguration": alarms}
    role = "arn:aws:iam::123456789012:role/x"
    code, _ = refused(stack.client("codedeploy").create_deployment_group, **given, serviceRoleArn=role)
    assert code == "AlarmsLimitExceededException"


def test_a_group_knows_its_last_deployments(stack: Stack) -> None:
    good, bad = stack.deploy(), None
    good.set_status("Succeeded")
    bad = stack.deploy()
    bad.set_status("Failed")
    group = stack.client("codedeploy").get_deployment_group(applicationName="orders", deploymentGroupName="orders")[
        "deploymentGroupInfo"
    ]
    assert group["lastSuccessfulDeployment"]["deploymentId"] == good.deployment_id
    assert group["lastAttemptedDeployment"]["deploymentId"] == bad.deployment_id


@pytest.mark.parametrize(
    ("name", "routing"),
    [
        ("CodeDeployDefault.ECSAllAtOnce", {"type": "AllAtOnce"}),
        (
            "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
            {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 1}},
        ),
        (
            "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
            {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 3}},
        ),
        (
            "CodeDeployDefault.ECSCanary10Percent5Minutes",
            {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 5}},
        ),
        (
            "CodeDeployDefault.ECSCanary10Percent15Minutes",
            {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 15}},
        ),
    ],
)
def test_the_deployment_configurations_for_ecs(stack: Stack, name: str, routing: dict[str, Any]) -> None:
    """Names and steps of the user guide's table."""
    found = stack.client("codedeploy").get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    assert found["computePlatform"] == "ECS"
    assert found["trafficRoutingConfig"] == routing


def test_a_configuration_of_ones_own(stack: Stack, refused: Any) -> None:
    client = stack.client("codedeploy")
    routing = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 25, "canaryInterval": 1}}
    client.create_deployment_config(deploymentConfigName="quick", computePlatform="ECS", trafficRoutingConfig=routing)
    assert "quick" in client.list_deployment_configs()["deploymentConfigsList"]
    client.update_deployment_group(
        applicationName="orders", currentDeploymentGroupName="orders", deploymentConfigName="quick"
    )
    assert info(stack, stack.deploy())["deploymentConfigName"] == "quick"
    client.delete_deployment_config(deploymentConfigName="quick")
    code, _ = refused(client.get_deployment_config, deploymentConfigName="quick")
    assert code == "DeploymentConfigDoesNotExistException"


def test_an_application_and_a_group_can_go(stack: Stack, refused: Any) -> None:
    """Terraform destroys them; moto lacks both operations."""
    client = stack.client("codedeploy")
    client.update_application(applicationName="orders", newApplicationName="shop")
    client.delete_deployment_group(applicationName="shop", deploymentGroupName="orders")
    assert client.list_deployment_groups(applicationName="shop")["deploymentGroups"] == []
    client.delete_application(applicationName="shop")
    assert refused(client.get_application, applicationName="shop")[0] == "ApplicationDoesNotExistException"


def test_a_service_that_is_missing(stack: Stack, scripted: ScriptedWorld) -> None:
    """The target is there all the same, without task sets."""
    client = stack.client("codedeploy")
    client.update_deployment_group(
        applicationName="orders",
        currentDeploymentGroupName="orders",
        ecsServices=[{"clusterName": "shop", "serviceName": "gone"}],
    )
    deployment = stack.deploy()
    deployment.begin("BeforeInstall")
    answer = client.get_deployment_target(deploymentId=deployment.deployment_id, targetId="shop:gone")
    assert answer["deploymentTarget"]["ecsTarget"]["taskSetsInfo"] == []
    assert scripted.invocations == []
