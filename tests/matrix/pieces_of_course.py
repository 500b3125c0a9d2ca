"""Pieces: how a deployment goes: AppSpec, start, history, customers, alarms, configuration of CodeDeploy."""

from __future__ import annotations

import json
from typing import Any

import boto3
import yaml

from rehearsal.aws.world import ContainerState, TargetState, TaskState
from rehearsal.testing.stage import ACCOUNT
from tests.matrix.environment import Environment, Figures, Plan
from tests.matrix.pieces import piece
from tests.matrix.pieces_of_routes import slow_answers

# The start.


@piece("start")
def slow_start(plan: Plan) -> None:
    """Targets are `initial` for four minutes: thresholds, and an application that warms up."""

    def initial(environment: Environment) -> None:
        state = TargetState("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
        environment.world.target_health[environment.green_group] = state
        environment.clock.after(240, lambda: environment.world.target_health.pop(environment.green_group))

    plan.at("AfterInstall", initial)


@piece("start")
def pending_first(plan: Plan) -> None:
    """Large images: tasks are PENDING for three minutes."""

    def pending(environment: Environment) -> None:
        state = environment.world.task_state
        since = environment.clock.now

        def later(task_arn: str) -> TaskState:
            found = state(task_arn)
            spec = environment.world._tasks[task_arn].spec
            if spec.task_definition_arn == environment.green_definition and environment.clock.now < since + 180:
                return TaskState("PENDING", {name: ContainerState() for name in found.containers})
            return found

        environment.world.task_state = later  # type: ignore[method-assign]

    plan.at("BeforeInstall", pending)


@piece("start")
def checked_only_from_test_traffic_on(plan: Plan) -> None:
    """Right after the test traffic's shift green's targets are `initial` for a minute."""

    def initial(environment: Environment) -> None:
        state = TargetState("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
        environment.world.target_health[environment.green_group] = state
        environment.clock.after(60, lambda: environment.world.target_health.pop(environment.green_group))

    plan.at("AfterAllowTestTraffic", initial)


@piece("start")
def cold_start(plan: Plan) -> None:
    """The first answers of a fresh process take 1.5 s."""
    slow_answers(plan, 1.5, first=4)


@piece("start")
def one_early_end(plan: Plan) -> None:
    """The database's proxy was not ready: one green task ended once, and its successor runs."""
    one_ends(plan, 1, "EssentialContainerExited", "Essential container in task exited")


@piece("start")
def spot_interruption(plan: Plan) -> None:
    """The capacity below one green task was taken away, and its successor runs."""
    one_ends(plan, 143, "SpotInterruption", "Your Spot Task was interrupted.")


def one_ends(plan: Plan, exit_code: int, stop_code: str, reason: str) -> None:
    """Let the first of green's tasks end at once."""

    def script(environment: Environment) -> None:
        state = environment.world.task_state
        first: list[str] = []

        def ends(task_arn: str) -> TaskState:
            found, spec = state(task_arn), environment.world._tasks[task_arn].spec
            if spec.task_definition_arn == environment.green_definition and not first:
                first.append(task_arn)
            if task_arn not in first:
                return found
            states = {name: ContainerState("STOPPED", exit_code if name == "app" else 0) for name in found.containers}
            return TaskState("STOPPED", states, stop_code, reason)

        environment.world.task_state = ends  # type: ignore[method-assign]

    plan.at("BeforeInstall", script)


# History.


@piece("history")
def second_deployment(plan: Plan) -> None:
    """The groups have changed roles, and what was blue before drains."""
    plan.deployments_before = 1


@piece("history")
def third_deployment(plan: Plan) -> None:
    plan.deployments_before = 2


@piece("history")
def after_a_failure(plan: Plan) -> None:
    """The last deployment failed and was rolled back: its task set drains."""

    def fail(environment: Environment) -> None:
        environment.begin()
        environment.reach("AfterInstall", is_judged=False)
        environment.deployment.set_status("Failed", ("HOOK_EXECUTION_FAILURE", "A hook failed."))
        environment.ecs.delete_task_set(cluster="main", service="shop", taskSet=environment.green_set, force=True)

    plan.prepare.append(fail)


# Customers.


@piece("traffic")
def quiet(plan: Plan) -> None:
    """A staging environment without a customer: only the hooks' requests."""
    plan.blue = plan.green = Figures(0, ())


@piece("traffic")
def few_customers(plan: Plan) -> None:
    """Three requests a minute, each as it comes."""
    plan.blue = plan.green = Figures(3, (0.02, 0.4, 0.05))


@piece("traffic")
def slow_but_steady(plan: Plan) -> None:
    """Reports take 900 ms, before and after."""
    plan.blue = plan.green = Figures(300, (0.7, 0.9, 0.9))


@piece("traffic")
def very_slow_but_steady(plan: Plan) -> None:
    """So is the health check, which asks the database."""
    plan.blue = plan.green = Figures(60, (2.5, 3.0, 3.5))
    slow_answers(plan, 0.9)


@piece("traffic")
def two_percent_of_errors(plan: Plan) -> None:
    """A client of old asks for what fails: 2 % of 5xx, before and after."""
    plan.blue = plan.green = Figures(400, errors=8)


@piece("traffic")
def faster_than_before(plan: Plan) -> None:
    plan.blue, plan.green = Figures(300, (0.2, 0.3, 0.6)), Figures(300, (0.1, 0.15, 0.2))


@piece("traffic")
def five_percent_slower(plan: Plan) -> None:
    """Within what differs from day to day."""
    plan.blue, plan.green = Figures(300, (0.2, 0.3, 0.4)), Figures(300, (0.21, 0.31, 0.42))


@piece("traffic")
def more_customers_than_before(plan: Plan) -> None:
    """A campaign has begun with the release."""
    plan.blue, plan.green = Figures(100), Figures(1200)


@piece("traffic")
def busy(plan: Plan) -> None:
    """Seven thousand requests a minute, and some errors as ever."""
    plan.blue = plan.green = Figures(7_000, (0.004, 0.01, 0.03), errors=40)


@piece("traffic")
def no_customer_before(plan: Plan) -> None:
    """A service that is opened by this release."""
    plan.blue, plan.green = Figures(0, ()), Figures(200)


@piece("traffic", bars="protocol management_port by_wildcard_host login_in_front internal_and_outside test_port_closed")
def tests_before_it(plan: Plan) -> None:
    """A staging environment: its tests have run before the release, and nobody comes after it."""
    plan.blue, plan.green = Figures(40), Figures(0, ())


def for_a_while(plan: Plan, minute: int, minutes: int, figures: Figures) -> None:
    """Let customers fare so in some minutes after the shift began, the first being 0."""
    usual = plan.green

    def change(environment: Environment) -> None:
        # A minute is counted two minutes after it began.
        began = environment.clock.now
        environment.clock.after(60 * (minute + 1) + 30, lambda: setattr(plan, "green", figures))
        environment.clock.after(60 * (minute + minutes + 1) + 30, lambda: setattr(plan, "green", usual))
        assert environment.clock.now == began

    plan.at("AfterAllowTraffic", change)


@piece("traffic", bars="config")
def cold_caches(plan: Plan) -> None:
    """Green's customers wait four times as long in the first minute."""
    for_a_while(plan, 0, 1, Figures(300, (0.08, 0.12, 0.2)))


@piece("traffic", bars="config")
def one_error_in_all(plan: Plan) -> None:
    """A client broke off; there are few customers."""
    plan.blue = plan.green = Figures(10)
    for_a_while(plan, 2, 1, Figures(10, errors=1))


@piece("traffic", bars="config")
def errors_at_the_shift(plan: Plan) -> None:
    """Connections that were open at the shift: a few errors in its minute, and none after it."""
    for_a_while(plan, 0, 1, Figures(300, errors=4))


@piece("traffic", bars="config")
def one_slow_minute(plan: Plan) -> None:
    """A backup, as every hour."""
    for_a_while(plan, 3, 1, Figures(300, (0.03, 0.05, 0.09)))


@piece("traffic")
def growing_slower_by_night(plan: Plan) -> None:
    """Few requests, each of its own length: reports."""
    plan.blue, plan.green = Figures(8, (0.1, 2.0, 0.4, 1.1)), Figures(8, (0.3, 2.6, 0.2, 0.9))


# Alarms.


@piece("alarms")
def no_alarms(plan: Plan) -> None:
    plan.prepare.append(
        lambda environment: environment.update_group(alarmConfiguration={"enabled": False, "alarms": []})
    )


@piece("alarms")
def alarm_without_data(plan: Plan) -> None:
    """A new alarm on a metric that is published above 0 only."""
    plan.prepare.append(lambda environment: environment.set_alarm("shop-5xx", "INSUFFICIENT_DATA"))


@piece("alarms")
def ten_alarms(plan: Plan) -> None:
    def create(environment: Environment) -> None:
        names = [f"shop-{number}" for number in range(10)]
        for name in names:
            environment.create_alarm(name)
        environment.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": name} for name in names]})

    plan.prepare.append(create)


@piece("alarms")
def composite_alarm(plan: Plan) -> None:
    def create(environment: Environment) -> None:
        environment.cloudwatch.put_composite_alarm(AlarmName="shop", AlarmRule='ALARM("shop-5xx")')
        environment.update_group(alarmConfiguration={"enabled": True, "alarms": [{"name": "shop"}]})

    plan.prepare.append(create)


# Configuration of the deployment group.


def configured(plan: Plan, name: str) -> None:
    """A deployment configuration of CodeDeploy's own."""
    plan.deployment["deploymentConfigName"] = f"CodeDeployDefault.{name}"


@piece("config")
def canary(plan: Plan) -> None:
    configured(plan, "ECSCanary10Percent5Minutes")
    plan.shift_takes = 5


@piece("config")
def linear(plan: Plan) -> None:
    configured(plan, "ECSLinear10PercentEvery1Minutes")
    plan.shift_takes = 9


@piece("config")
def all_at_once(plan: Plan) -> None:
    configured(plan, "ECSAllAtOnce")


@piece("rollback")
def no_auto_rollback(plan: Plan) -> None:
    plan.prepare.append(lambda environment: environment.update_group(autoRollbackConfiguration={"enabled": False}))


@piece("rollback")
def rollback_on_failure_only(plan: Plan) -> None:
    events = {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    plan.prepare.append(lambda environment: environment.update_group(autoRollbackConfiguration=events))


# AppSpecs.


@piece("appspec")
def as_yaml(plan: Plan) -> None:
    plan.revision = lambda _environment, appspec: yaml.safe_dump(appspec, sort_keys=False)


@piece("appspec")
def as_yaml_with_comments(plan: Plan) -> None:
    """As the user guide has it: a comment in front, a document's mark, quoted ports."""
    plan.revision = lambda _environment, appspec: (
        "# This is an appspec.yml template file for use with an Amazon ECS deployment.\n---\n"
        + yaml.safe_dump(appspec, default_flow_style=False)
        + "# End\n"
    )


@piece("appspec")
def as_yaml_with_ports_as_text(plan: Plan) -> None:
    plan.revision = lambda _environment, appspec: yaml.safe_dump(with_port_as_text(appspec))


@piece("appspec")
def with_a_byte_order_mark(plan: Plan) -> None:
    """Written by PowerShell."""
    plan.revision = lambda _environment, appspec: "\ufeff" + json.dumps(appspec, indent="\t").replace("\n", "\r\n")


@piece("appspec")
def version_as_text(plan: Plan) -> None:
    plan.revision = lambda _environment, appspec: json.dumps({**appspec, "version": "0.0"})


@piece("appspec")
def port_as_text(plan: Plan) -> None:
    plan.revision = lambda _environment, appspec: json.dumps(with_port_as_text(appspec))


def with_port_as_text(appspec: dict[str, Any]) -> dict[str, Any]:
    """The AppSpec with `ContainerPort: "8000"`."""
    changed: dict[str, Any] = json.loads(json.dumps(appspec))
    balanced = changed["Resources"][0]["TargetService"]["Properties"]["LoadBalancerInfo"]
    balanced["ContainerPort"] = str(balanced["ContainerPort"])
    return changed


@piece("appspec")
def lower_case_keys(plan: Plan) -> None:
    """The JSON of older examples of the user guide: version, resources, hooks."""
    plan.revision = lambda _environment, appspec: json.dumps(
        {"version": 0.0, "resources": appspec["Resources"], "hooks": appspec.get("Hooks", [])}
    )


@piece("appspec")
def in_s3(plan: Plan) -> None:
    def stored(environment: Environment, appspec: dict[str, Any]) -> Any:
        s3: Any = boto3.client("s3")
        if not s3.list_buckets()["Buckets"]:
            place = {"LocationConstraint": environment.region}
            s3.create_bucket(Bucket="appspecs", CreateBucketConfiguration=place)
        s3.put_object(
            Bucket="appspecs", Key="shop.yaml", Body=yaml.safe_dump(appspec).encode(), Tagging="UseWithCodeDeploy=true"
        )
        location = {"bucket": "appspecs", "key": "shop.yaml", "bundleType": "YAML"}
        return {"revisionType": "S3", "s3Location": location}

    plan.revision = stored


@piece("appspec", bars="history")
def as_string(plan: Plan) -> None:
    """The older kind of revision, String."""
    plan.revision = lambda _environment, appspec: {"revisionType": "String", "string": {"content": json.dumps(appspec)}}


@piece("appspec")
def hooks_by_name(plan: Plan) -> None:
    """Functions by name, not by ARN."""

    def named(_environment: Environment, appspec: dict[str, Any]) -> str:
        hooks = [{event: arn.rpartition(":")[2]} for each in appspec["Hooks"] for event, arn in each.items()]
        return json.dumps({**appspec, "Hooks": hooks})

    plan.revision = named


@piece("appspec")
def somebody_elses_hook(plan: Plan) -> None:
    """A hook of somebody else's beside ours: their function tells CodeDeploy itself."""

    def theirs(environment: Environment) -> None:
        role = environment.create_role("theirs", trusts="lambda.amazonaws.com")
        environment.allow("theirs", "codedeploy:PutLifecycleEventHookExecutionStatus", "*")
        environment.functions.create_function(
            FunctionName="CodeDeployHook_theirs",
            Role=role,
            Runtime="nodejs22.x",
            Handler="index.handler",
            Code={"ZipFile": b"x"},
        )
        arn = f"arn:aws:lambda:{environment.region}:{ACCOUNT}:function:CodeDeployHook_theirs"
        environment.hooks["BeforeAllowTraffic"] = arn

    plan.prepare.append(theirs)


@piece("appspec")
def hooks_by_alias(plan: Plan) -> None:
    """Functions by an alias, as whoever pins a version does."""

    def aliased(environment: Environment, appspec: dict[str, Any]) -> str:
        for arn in list(environment.hooks.values())[1:]:
            version = environment.functions.publish_version(FunctionName=arn)["Version"]
            environment.functions.create_alias(FunctionName=arn, Name="live", FunctionVersion=version)
        hooks = [{event: f"{arn}:live"} for each in appspec["Hooks"] for event, arn in each.items()]
        return json.dumps({**appspec, "Hooks": hooks})

    plan.revision = aliased
    statement = "arn:aws:lambda:*:*:function:CodeDeployHook_*"
    plan.prepare.append(
        lambda environment: environment.allow("shop-codedeploy", "lambda:InvokeFunction", [statement, f"{statement}:*"])
    )


# Words of a person.


@piece("description")
def words(plan: Plan) -> None:
    plan.deployment["description"] = "Release 2.4.1 (see SHOP-17): warn the support team, skip nothing"


@piece("description")
def brackets(plan: Plan) -> None:
    plan.deployment["description"] = "[SHOP-17] [hotfix] orders by [customer]"


@piece("description")
def skip_ci(plan: Plan) -> None:
    """The commit's message, with what tells a pipeline not to run."""
    plan.deployment["description"] = "chore: bump version to 2.4.1 [skip ci]"
