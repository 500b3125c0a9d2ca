"""ECS's own blue/green with one thing wrong: the right hook stops it, for the right reason."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pytest
import run_migrations
import validate_before_install
import validate_deployment
import validate_production
import validate_test_traffic
from gate import deployment
from gate.aws import AwsDenied

from rehearsal.aws.world import Exit, TargetState
from rehearsal.testing.native import STAGE_OF, Native
from rehearsal.testing.stage import CLUSTER, Judge, Stage, refuse
from rehearsal.testing.web import Request, Response, Site

pytestmark = pytest.mark.usefixtures("counted")
BAKE: dict[str, Any] = {"initial_delay": 0, "duration": 60, "interval": 10, "metrics_delay": 0}
MIGRATE: dict[str, Any] = {"command": ["migrate"]}
BEFORE, TESTED = "PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"
STEP, DONE = "PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"


def test_a_rule_that_an_apply_has_put_back_is_named_with_the_cure(stage: Stage, judge: Judge) -> None:
    event = Native(stage).at(BEFORE)
    stage.lead(stage.production_listener, {stage.green_group: 1})
    judgement = judge(validate_before_install, event)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "production listener on port 80 forwards to shop-green 1, not just to shop-blue"
    )
    assert "ignore_changes = [action]" in judgement.message


def test_a_hook_that_lets_pass_when_it_times_out(stage: Stage, judge: Judge) -> None:
    """It is what the user has typed, so it is a warning."""
    native = Native(stage)
    native.service.deployment_configuration["lifecycleHooks"][2]["timeoutConfiguration"] = {"action": "CONTINUE"}
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert judgement.succeeded
    assert judgement.check("lifecycle_hooks:POST_TEST_TRAFFIC_SHIFT")[0] == "failed"
    assert " warned: validate_test_traffic at POST_TEST_TRAFFIC_SHIFT lets the deployment go on" in judgement.message


def test_hooks_of_somebody_else_are_none_of_our_business(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role may not read functions of any name; a hook that pauses has none; both may let pass what they like."""
    native = Native(stage)
    arn = f"arn:aws:lambda:{stage.region}:123456789012:function:approval"
    role = native.service.deployment_configuration["lifecycleHooks"][0]["roleArn"]
    stage.allow("ecs-hooks", "lambda:InvokeFunction", "*")
    own: dict[str, Any] = {"hookTargetArn": arn, "roleArn": role, "lifecycleStages": ["POST_SCALE_UP"]}
    pause: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
    for each in (own, pause):
        each["timeoutConfiguration"] = {"action": "CONTINUE"}
        native.service.deployment_configuration["lifecycleHooks"].append(each)
    read = deployment._read_function

    def read_or_be_denied(asked: str, words: deployment.Words) -> Mapping[str, Any]:
        if asked == arn:  # not asked in earnest: the role would be found too narrow for what the test does
            raise AwsDenied("denied", "lambda", "get_function_configuration")
        return read(asked, words)

    monkeypatch.setattr(deployment, "_read_function", read_or_be_denied)
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert judgement.succeeded, judgement.message
    assert "warned" not in judgement.message


def test_a_header_that_the_test_rule_wants_is_reckoned_with_before(stage: Stage, judge: Judge) -> None:
    """The hook sends it with what is declared, so the rule takes it."""
    rule = stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=5,
        Conditions=[{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["green"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )["Rules"][0]["RuleArn"]
    native = Native(stage, test_rule=rule)
    stage.tell("AfterAllowTestTraffic", {"http_checks": {"orders": {"path": "/orders"}}})
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert judgement.check("requests:AfterAllowTestTraffic")[0] == "passed", judgement.message


def test_a_hook_that_ecs_gives_less_time_than_its_bake_takes(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    native.service.deployment_configuration["lifecycleHooks"][4]["timeoutConfiguration"] = {"timeoutInMinutes": 5}
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert not judgement.succeeded
    assert "duration and load take 360 s, and 180 s are left for them" in judgement.message


def test_a_bake_beyond_codedeploys_hour_is_fine(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    stage.tell("AfterAllowTraffic", {"duration": 5400, "max_duration": 7200})
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert judgement.succeeded, judgement.message
    assert "warned" not in judgement.message


def test_what_served_before_is_not_said(stage: Stage, judge: Judge) -> None:
    """No source revision means that the service is created; but then nothing runs yet."""
    native = Native(stage)
    event = native.at(BEFORE)
    native.deployment.source = None
    judgement = judge(validate_before_install, event)
    assert not judgement.succeeded
    said = "ECS runs 2 tasks of service shop, 0 of them green's, and does not say which revision served before"
    assert judgement.check("service")[1].startswith(said)


def test_migrations_beside_test_traffic(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    native.service.deployment_configuration["lifecycleHooks"][3]["lifecycleStages"] = [TESTED]
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert "run_migrations and validate_test_traffic run side by side at POST_TEST" in judgement.message


@pytest.mark.parametrize("number", [3, 4])
def test_a_hook_at_a_stage_that_comes_again(stage: Stage, judge: Judge, number: int) -> None:
    native = Native(stage)
    native.service.deployment_configuration["lifecycleHooks"][number]["lifecycleStages"] = ["PRODUCTION_TRAFFIC_SHIFT"]
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert "is invoked at PRODUCTION_TRAFFIC_SHIFT, which comes again on the way back" in judgement.message


def test_a_service_that_is_not_deployed_blue_green(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    event = native.at(BEFORE)
    native.service.deployment_configuration["strategy"] = "ROLLING"
    judgement = judge(validate_before_install, event)
    assert judgement.message.startswith("service shop has deployment strategy ROLLING, expected BLUE_GREEN")


def test_a_role_that_may_not_invoke_the_hooks(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    stage.forbid("ecs-hooks", "lambda:InvokeFunction")
    judgement = judge(validate_before_install, native.at(BEFORE))
    assert "the role by which ECS invokes the hooks," in judgement.message
    assert "may not invoke" in judgement.message


def test_targets_of_green_that_are_unhealthy(stage: Stage, judge: Judge) -> None:
    event = Native(stage).at("POST_SCALE_UP")
    stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=9,
        Conditions=[{"Field": "path-pattern", "Values": ["/never"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(validate_deployment, event, interval=30)
    assert not judgement.succeeded
    assert "is unhealthy (Target.Timeout)" in judgement.message


def test_a_test_rule_that_stays_on_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = Native(stage).at(TESTED)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(validate_test_traffic, event)
    assert judgement.message.startswith("the test listener does not forward to green (shop-green) alone")
    assert site.requests == []


def test_green_that_answers_badly(stage: Stage, judge: Judge, site: Site) -> None:
    event = Native(stage).at(TESTED)
    site.answer = lambda _: Response(500)
    assert judge(validate_test_traffic, event).message.startswith("GET /health: [STATUS] (500) expected 200-299")


def test_a_header_rule_of_the_production_listener_as_test_route(stage: Stage, judge: Judge, site: Site) -> None:
    """Requests carry the header; without it blue would answer."""
    rule = stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=5,
        Conditions=[
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Test", "Values": ["green", "g*"]}}
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )["Rules"][0]["RuleArn"]
    native = Native(stage, test_rule=rule)

    def answer(request: Request) -> Response:
        return Response(200 if request.headers.get("X-Test") == "green" else 503)

    site.answer = answer
    judgement = judge(validate_test_traffic, native.at(TESTED), samples=2)
    assert judgement.succeeded, judgement.message
    assert site.requests


def test_migrations_are_started_once_for_the_deployment(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    event = native.at(STEP)
    stage.world.exits[("migrate",)] = Exit(0)
    assert judge(run_migrations, event, **MIGRATE).succeeded
    assert judge(run_migrations, native.deployment.event(), **MIGRATE).succeeded
    tasks = stage.ecs.list_tasks(cluster=CLUSTER, startedBy=native.deployment.id, desiredStatus="STOPPED")["taskArns"]
    assert len(tasks) == 1


def test_a_migration_that_fails(stage: Stage, judge: Judge) -> None:
    event = Native(stage).at(STEP)
    stage.world.exits[("migrate",)] = Exit(1)
    judgement = judge(run_migrations, event, **MIGRATE)
    assert not judgement.succeeded
    assert judgement.message.startswith("migrate (migrate): exit 1")


@pytest.mark.parametrize("where", ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"])
def test_migrations_refuse_stages_that_come_again(stage: Stage, judge: Judge, where: str) -> None:
    judgement = judge(run_migrations, Native(stage).at(where), **MIGRATE)
    assert judgement.message.startswith(f"migrations at {where} would be asked for again on the way back")
    assert stage.called("ecs:RunTask") == []


def test_migrations_pass_at_later_steps(stage: Stage, judge: Judge) -> None:
    native = Native(stage, strategy="CANARY")
    native.at(STEP)
    native.deployment.shift("production", 10)
    judgement = judge(run_migrations, native.deployment.event(), **MIGRATE)
    assert judgement.succeeded
    assert judgement.message == "a later step of the shift (10 % of production is on green): the migration was before"
    assert stage.called("ecs:RunTask") == []


def test_production_at_a_later_step_is_judged_by_figures(stage: Stage, judge: Judge, site: Site) -> None:
    """Of what is asked there, blue would answer nine in ten."""
    native = Native(stage, strategy="CANARY")
    native.at(STEP)
    native.deployment.shift("production", 10)
    judgement = judge(validate_production, native.deployment.event(), **BAKE)
    assert judgement.succeeded, judgement.message
    assert "note: production is on both sides at this step, and blue might answer" in judgement.message
    assert site.requests == []


def test_production_before_the_first_step_has_nothing_to_judge(stage: Stage, judge: Judge) -> None:
    judgement = judge(validate_production, Native(stage).at(STEP), **BAKE)
    assert judgement.succeeded
    assert judgement.message == "no production traffic is on green before the first step"


def test_an_alarm_of_the_service_that_fires(stage: Stage, judge: Judge) -> None:
    event = Native(stage).at(DONE)
    stage.set_alarm("shop-5xx", "ALARM", "too many errors")
    judgement = judge(validate_production, event, **BAKE)
    assert judgement.message.startswith("alarm shop-5xx is ALARM, expected not ALARM (too many errors)")


def test_a_deployment_of_another_service(stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    event = Native(stage).at("POST_SCALE_UP")
    monkeypatch.setenv("ECS_SERVICE", "billing")
    judgement = judge(validate_deployment, event)
    assert f"is of {CLUSTER}/shop, but this hook watches {CLUSTER}/billing" in judgement.message


def test_a_deployment_that_is_over(stage: Stage, judge: Judge) -> None:
    native = Native(stage)
    event = native.at(DONE)
    native.deployment.succeed()
    assert "is already SUCCESSFUL: there is nothing left to judge" in judge(validate_production, event).message


@pytest.mark.parametrize("name", STAGE_OF)
def test_a_permission_that_is_missing_is_named(stage: Stage, judge: Judge, name: str) -> None:
    import importlib

    event = Native(stage).at(STAGE_OF[name])
    stage.instead["ecs:DescribeServiceDeployments"] = refuse("AccessDeniedException", status=403)
    judgement = judge(importlib.import_module(name), event)
    assert judgement.message.startswith("ecs:DescribeServiceDeployments was denied: allow it in this hook's role")


def test_a_hook_at_another_stage_works_and_warns(stage: Stage, judge: Judge) -> None:
    judgement = judge(validate_deployment, Native(stage).at(TESTED))
    assert judgement.succeeded
    assert "this hook is meant for POST_SCALE_UP and was invoked at POST_TEST_TRAFFIC_SHIFT" in judgement.message


# A service with two load balancers.


class Two:
    """A service that is behind a second load balancer, too: for partners, on a listener of its own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.groups = [stage.create_target_group(f"partners-{side}") for side in ("blue", "green")]
        self.listener = stage.create_listener(9090)
        stage.lead(self.listener, {self.groups[1]: 1})
        rule = stage.elbv2.describe_rules(ListenerArn=self.listener)["Rules"][-1]["RuleArn"]
        advanced = {"alternateTargetGroupArn": self.groups[1], "productionListenerRule": rule, "roleArn": "arn:x"}
        entry = {**stage.balanced(self.groups[0]), "advancedConfiguration": advanced}
        self.native = Native(stage, further=[entry])

    @property
    def green(self) -> str:
        """Green's target group at the second load balancer."""
        return str(self.native.deployment.target.task_set.load_balancers[1]["targetGroupArn"])


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", STAGE_OF)
def test_two_load_balancers_pass_without_a_warning(stage: Stage, judge: Judge, name: str) -> None:
    event = Two(stage).native.at(STAGE_OF[name])
    quick = BAKE if name == "validate_production" else {}
    judgement = judge(importlib.import_module(name), event, **quick)
    assert judgement.succeeded, judgement.message
    assert "warned" not in judgement.message


def test_the_second_one_is_put_back_before(stage: Stage, judge: Judge) -> None:
    two = Two(stage)
    event = two.native.at(BEFORE)
    stage.lead(two.listener, {two.green: 1})
    judgement = judge(validate_before_install, event)
    outcome, detail = judgement.check("production_weights")
    assert outcome == "failed"
    assert detail.startswith("production listener on port 9090 forwards to partners-")


def test_targets_at_the_second_one_are_unhealthy(stage: Stage, judge: Judge) -> None:
    two = Two(stage)
    event = two.native.at("POST_SCALE_UP")
    stage.world.target_health[two.green] = TargetState("unhealthy", "Target.Timeout", "x")
    judgement = judge(validate_deployment, event, interval=30)
    assert not judgement.succeeded


@pytest.mark.usefixtures("site")
def test_production_at_the_second_one_stays_on_blue(stage: Stage, judge: Judge) -> None:
    two = Two(stage)
    event = two.native.at(DONE)
    blue = next(group for group in two.groups if group != two.green)
    stage.lead(two.listener, {blue: 1})
    judgement = judge(validate_production, event, **BAKE)
    assert not judgement.succeeded
    assert "the production listener does not forward to green (partners-" in judgement.message
