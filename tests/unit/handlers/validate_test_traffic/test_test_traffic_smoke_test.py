"""AfterAllowTestTraffic: the team's own test as a one-off task. How its end is judged is tests/unit/gate's."""

from __future__ import annotations

import json
from typing import Any

import pytest
import validate_test_traffic as hook
from botocore.exceptions import ReadTimeoutError
from gate.waiting import OutOfTime

from rehearsal.aws.world import Exit, PlacementFailure
from rehearsal.testing.native import Native
from rehearsal.testing.stage import CLUSTER, Judge, Judgement, Stage, refuse
from rehearsal.testing.web import Response, Site
from tests.unit.handlers.smoke import FOREVER, SPOT, TEST, deliver, one_off, register, smoke, told
from tests.unit.handlers.validate_test_traffic.helpers import EVENT, NAME, secret

pytestmark = pytest.mark.usefixtures("site")

ALB = "http://{}:8080"


def without_tests(stage: Stage) -> None:
    assert one_off(stage) == []
    assert stage.called("ecs:RunTask") == []


@pytest.mark.smoke
def test_a_command_runs_as_a_task_of_green_and_is_told_where_green_answers(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    judgement = judge(hook, event, **smoke(environment={"MARK": "smoke"}))
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message
    assert judgement.check("smoke_test") == ("passed", "smoke_test (pytest tests/smoke): exit 0")
    assert told(stage) == {
        "SMOKE_TEST_BASE_URL": ALB.format(stage.dns_name),
        "SMOKE_TEST_HOST": stage.dns_name,
        "SMOKE_TEST_HEADERS": "{}",
        "SMOKE_TEST_DEPLOYMENT_ID": event["DeploymentId"],
        "SMOKE_TEST_REVISION": stage.green_definition.rpartition(":")[2],
        "SMOKE_TEST_IMAGE_TAG": "2",
    }
    (spec,) = one_off(stage)
    assert (spec.task_definition_arn, spec.containers[0].command) == (stage.green_definition, TEST)
    assert spec.containers[0].environment["MARK"] == "smoke"
    (request,) = stage.called("ecs:RunTask")
    assert request["cluster"] == CLUSTER
    assert request["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == stage.subnets
    assert (request["group"], request["startedBy"]) == ("smoke_test:shop", event["DeploymentId"])
    assert {"key": "codedeploy-hook", "value": "validate_test_traffic"} in request["tags"]


def test_by_default_there_is_none(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), samples=0)
    assert judgement.succeeded
    assert "smoke_test" not in judgement.outcomes()
    without_tests(stage)


def test_another_exit_code_fails_with_the_end_of_the_log(stage: Stage, judge: Judge) -> None:
    lines = ("collected 3 items", "password=hunter2", "FAILED test_basket.py::test_buy - 500")
    stage.world.exits[TEST] = Exit(1, lines=lines)
    judgement = judge(hook, stage.at(EVENT), **smoke(log_lines=2))
    assert not judgement.succeeded
    assert judgement.message == (
        "smoke_test (pytest tests/smoke): exit 1 (EssentialContainerExited; Essential container in task exited); "
        "last log lines: password=*** | FAILED test_basket.py::test_buy - 500"
    )
    found = next(check for check in judgement["checks"] if check["name"] == "smoke_test")
    assert found["exit_code"] == 1
    assert found["log"] == ["password=***", lines[-1]]


def test_memory_that_runs_out_is_told_with_the_option_of_this_test(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(137, reason="OutOfMemoryError: Container killed due to memory usage")
    judgement = judge(hook, stage.at(EVENT), **smoke())
    assert ": set memory of smoke_test, or give the task more" in judgement.message


def test_what_requests_have_found_is_not_tested_further(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _request: Response(500)
    judgement = judge(hook, stage.at(EVENT), **smoke())
    assert not judgement.succeeded
    without_tests(stage)


@pytest.mark.parametrize(("severity", "runs"), [("warn", 1), ("skip", 0)])
def test_the_user_may_soften_it(stage: Stage, judge: Judge, severity: str, runs: int) -> None:
    stage.world.exits[TEST] = Exit(1)
    judgement = judge(hook, stage.at(EVENT), **smoke(), checks={"smoke_test": severity})
    assert judgement.succeeded
    assert len(one_off(stage)) == runs


def test_it_does_not_hold_up_a_rollback(stage: Stage, judge: Judge) -> None:
    stage.at("AfterAllowTraffic")
    judgement = judge(hook, stage.rollback_at(EVENT), **smoke(), checks={"green_serves_tests": "skip"})
    assert judgement.succeeded
    assert judgement.check("smoke_test") == ("skipped", "smoke_test does not run on a rollback deployment")
    assert one_off(stage) == []


# Once


def test_an_event_that_comes_twice_joins_the_same_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at(EVENT)
    stage.world.exits[TEST] = Exit(1)
    first, second = (deliver(hook, monkeypatch, event, smoke()) for _ in range(2))
    assert (first.succeeded, second.succeeded) == (False, False)
    assert len(one_off(stage)) == 1
    tokens = {call["clientToken"] for call in stage.called("ecs:RunTask")}
    assert len(tokens) == 1
    assert all(len(token) <= 64 for token in tokens)


def test_an_event_that_comes_twice_at_once_waits_for_the_same_task(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = stage.at(EVENT)
    stage.world.exits[TEST] = Exit(0, lasts=30)
    seen: list[Judgement] = []
    stage.clock.after(3, lambda: seen.append(deliver(hook, monkeypatch, event, smoke())))
    seen.append(deliver(hook, monkeypatch, event, smoke()))
    assert [judgement.succeeded for judgement in seen] == [True, True]
    assert len(one_off(stage)) == 1


def test_options_that_change_between_two_deliveries_join_it_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    event = stage.at(EVENT)
    stage.world.exits[TEST] = Exit(1)
    deliver(hook, monkeypatch, event, smoke())
    again = deliver(hook, monkeypatch, event, smoke(command=["another"], memory=2048))
    assert again.check("smoke_test")[1].startswith("smoke_test (another): exit 1")
    assert len(one_off(stage)) == 1


def test_another_deployment_is_tested_again(stage: Stage, judge: Judge) -> None:
    judge(hook, stage.at(EVENT), **smoke())
    stage.deployment.set_status("Stopped")
    judge(hook, stage.at(EVENT), **smoke())
    assert len(one_off(stage)) == 2


def test_a_start_that_is_not_answered_is_asked_for_again(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)

    def lost(parameters: Any) -> Any:
        stage.instead.clear()
        stage.ecs.run_task(**parameters)
        return refuse("ServerException", "try again", 500)({})

    stage.instead["ecs:RunTask"] = lost
    assert judge(hook, event, **smoke()).succeeded
    assert len(one_off(stage)) == 1


def test_an_answer_without_a_task_and_without_a_failure_is_none(stage: Stage, judge: Judge) -> None:
    """ECS may have started it."""
    event = stage.at(EVENT)

    def emptied(parameters: Any) -> Any:
        stage.instead.clear()
        stage.ecs.run_task(**parameters)
        return {"tasks": [], "failures": []}

    stage.instead["ecs:RunTask"] = emptied
    assert judge(hook, event, **smoke()).succeeded
    assert len(one_off(stage)) == 1


def test_a_start_that_is_never_answered_may_have_been_one(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.instead["ecs:RunTask"] = refuse("ServerException", "try again", 500)
    judgement = judge(hook, event, **smoke())
    assert judgement.message == (
        "smoke_test: ecs:RunTask failed on every attempt (ServerException: try again); the task of smoke_test, of "
        "which ECS did not answer whether it started, may still run: see to its end"
    )
    assert stage.clock.now < 70


def test_capacity_that_is_taken_away_starts_it_once_more(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.next_exits[TEST] = [Exit(143, **SPOT)]
    judgement = judge(hook, event, **smoke())
    assert judgement.succeeded, judgement.message
    assert judgement.check("smoke_test")[1] == (
        "smoke_test (pytest tests/smoke), attempt 2 after an interruption: exit 0"
    )
    assert len({call["clientToken"] for call in stage.called("ecs:RunTask")}) == len(one_off(stage)) == 2


def test_capacity_that_is_taken_away_twice_is_no_success(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(143, **SPOT)
    judgement = judge(hook, stage.at(EVENT), **smoke())
    assert "exit 143, its instance was taken away in the middle" in judgement.message
    assert len(one_off(stage)) == 2


# Bounded


def test_one_that_takes_too_long_is_stopped_at_its_limit(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(0, runs_for=FOREVER)
    event = stage.at(EVENT)
    began = stage.clock.now
    judgement = judge(hook, event, **smoke(timeout=60))
    assert not judgement.succeeded
    (task,) = one_off(stage)
    id_ = task.task_arn.rpartition("/")[2]
    assert judgement.message.startswith(
        f"smoke_test (pytest tests/smoke): task {id_} is RUNNING (still so after 60 s); it was stopped: raise "
        "smoke_test.timeout, or test less"
    )
    reason = f"smoke_test of deployment {event['DeploymentId']}: task {id_} is RUNNING (still so after 60 s)"
    assert stage.world.stopped == [(task.task_arn, reason)]
    assert 60 <= stage.clock.now - began < 120


def test_the_invocation_ends_after_the_test(stage: Stage, judge: Judge) -> None:
    """Where the requests have taken most of the time, the test has what they left."""
    stage.world.exits[TEST] = Exit(0, runs_for=FOREVER)
    checks = {"front": {"initial_delay": 500}}
    judgement = judge(hook, stage.at(EVENT), **smoke(timeout=800), http_checks=checks)
    assert "; it was stopped: raise the module's timeout (at most 900), or test less" in judgement.message
    assert stage.clock.now < 870


def test_one_that_ecs_does_not_show_is_stopped_at_its_limit_too(stage: Stage, judge: Judge) -> None:
    """ECS is asked to stop it, though it has just not answered."""
    event = stage.at(EVENT)

    def silence(_parameters: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://ecs")

    stage.instead["ecs:DescribeTasks"] = silence
    judgement = judge(hook, event, **smoke(timeout=30))
    assert not judgement.succeeded
    (task,) = one_off(stage)
    assert [arn for arn, _ in stage.world.stopped] == [task.task_arn]
    assert "ECS could not be reached for ecs:DescribeTasks" in judgement.message
    assert judgement.message.endswith(f"; task {task.task_arn.rpartition('/')[2]} may still run: see to its end")


@pytest.mark.parametrize(("operation", "called"), [("RunTask", "the task of smoke_test"), ("DescribeTasks", "task ")])
def test_where_time_ends_it_what_may_still_run_is_told(stage: Stage, judge: Judge, operation: str, called: str) -> None:
    """A call that hangs until the report is due."""
    event = stage.at(EVENT)

    def hangs(_parameters: Any) -> Any:
        raise OutOfTime

    stage.instead[f"ecs:{operation}"] = hangs
    message = judge(hook, event, **smoke()).message
    assert message.startswith("check smoke_test had not ended after ")
    assert f"; {called}" in message
    assert message.endswith(" may still run: see to its end")


def test_where_time_ends_the_hook_nothing_is_told_of_a_task_that_has_ended(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.exits[TEST] = Exit(1, ("2 failed",))

    def hangs(_parameters: Any) -> Any:
        raise OutOfTime

    stage.instead["logs:GetLogEvents"] = hangs
    message = judge(hook, event, **smoke()).message
    assert message.startswith("check smoke_test had not ended after ")
    assert "may still run" not in message


def test_one_that_cannot_be_stopped_is_told_so(stage: Stage, judge: Judge) -> None:
    stage.world.exits[TEST] = Exit(0, runs_for=FOREVER)
    event = stage.at(EVENT)
    stage.instead["ecs:StopTask"] = refuse("AccessDeniedException", "not allowed")
    judgement = judge(hook, event, **smoke(timeout=10))
    assert not judgement.succeeded
    assert "; it could not be stopped: ecs:StopTask was denied" in judgement.message
    assert judgement.message.endswith(" may still run: see to its end")


def test_no_room_for_it_is_no_success(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.world.placement_failures = [PlacementFailure("RESOURCE:MEMORY")]
    judgement = judge(hook, event, **smoke())
    assert judgement.message == "smoke_test: ECS did not start the task (RESOURCE:MEMORY)"


# Which task


def test_a_container_that_is_not_there(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **smoke(container="nope"))
    assert not judgement.succeeded
    definition = stage.green_definition
    assert judgement.message == (
        f"smoke_test: container nope is not in task definition {definition} (it has app): set container"
    )
    without_tests(stage)


def test_of_several_containers_it_is_the_one_behind_the_load_balancer(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(({"name": "agent", "image": "agent:1", "essential": True},))
    judgement = judge(hook, stage.at(EVENT), **smoke())
    assert judgement.succeeded, judgement.message
    (spec,) = one_off(stage)
    assert {each.name: each.command for each in spec.containers}["app"] == TEST
    assert stage.called("codedeploy:GetApplicationRevision") == [], "its role may not read that"


@pytest.mark.parametrize("named", ["shop-smoke", "shop-smoke:1", "arn"])
def test_a_task_definition_of_its_own_runs_what_it_holds(stage: Stage, judge: Judge, named: str) -> None:
    arn = register(stage)
    stage.world.exits[()] = Exit(99, lines=("thresholds crossed",))
    test = {"smoke_test": {"task_definition": arn if named == "arn" else named}}
    judgement = judge(hook, stage.at(EVENT), samples=0, **test)
    assert judgement.message.startswith("smoke_test: exit 99 (")
    (spec,) = one_off(stage)
    assert (spec.task_definition_arn, spec.containers[0].name) == (arn, "k6")
    (request,) = stage.called("ecs:RunTask")
    assert "command" not in request["overrides"]["containerOverrides"][0]
    assert request["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == stage.subnets
    assert told(stage)["SMOKE_TEST_BASE_URL"] == ALB.format(stage.dns_name)


def test_one_that_is_gone_is_no_success(stage: Stage, judge: Judge) -> None:
    arn = register(stage)
    stage.ecs.deregister_task_definition(taskDefinition=arn)
    judgement = judge(hook, stage.at(EVENT), **smoke(task_definition=arn))
    assert judgement.message == (f"smoke_test: task definition {arn} is INACTIVE, expected ACTIVE: register it anew")
    judgement = judge(hook, event_again(stage), **smoke(task_definition="nobody"))
    assert judgement.message == (
        "smoke_test: task definition nobody does not exist: register it, or fix task_definition"
    )
    without_tests(stage)


def event_again(stage: Stage) -> dict[str, str]:
    stage.deployment.set_status("Stopped")
    return stage.at(EVENT)


def test_of_several_containers_of_its_own_one_has_to_be_named(stage: Stage, judge: Judge) -> None:
    two = [{"name": name, "image": "grafana/k6:1", "essential": True} for name in ("k6", "proxy")]
    arn = register(stage, *two)
    judgement = judge(hook, stage.at(EVENT), **smoke(task_definition=arn))
    assert judgement.message == f"smoke_test: task definition {arn} has several containers (k6, proxy): set container"
    judgement = judge(hook, event_again(stage), **smoke(task_definition=arn, container="k6"))
    assert judgement.succeeded, judgement.message


def test_where_its_task_definition_takes_no_network_it_is_given_none(stage: Stage, judge: Judge) -> None:
    """On instances, with the network of their hosts."""
    arn = register(stage, networkMode="bridge", requiresCompatibilities=["EC2"])
    event = stage.at(EVENT)
    judge(hook, event, **smoke(task_definition=arn, launch="EC2"))
    (request,) = stage.called("ecs:RunTask")
    assert "networkConfiguration" not in request


# What it is told


def test_no_secret_is_told_and_what_is_left_out_is_named(stage: Stage, judge: Judge) -> None:
    """Whoever may describe tasks reads what RunTask is told."""
    arn = secret(stage, "kept-in-secretsmanager")
    headers = {"Authorization": "Bearer told-by-name", "X-Way": "Basic told-by-word", "X-Tenant": "acme"}
    headers["X-Query"] = "a=b&api_key=told-by-value"
    checks = {"front": {"secret_headers": {"X-Key": arn}}}
    event = stage.at(EVENT)
    base_url = f"http://me:told-in-url@{stage.dns_name}:8080"
    judgement = judge(hook, event, **smoke(), headers=headers, http_checks=checks, base_url=base_url)
    assert judgement.succeeded, judgement.message
    (request,) = stage.called("ecs:RunTask")
    text = json.dumps(request)
    assert "told-" not in text
    assert "kept-in-secretsmanager" not in text
    assert arn not in text
    assert json.loads(told(stage)["SMOKE_TEST_HEADERS"]) == {"X-Tenant": "acme"}
    assert told(stage)["SMOKE_TEST_BASE_URL"] == ALB.format(stage.dns_name)
    named = "the name and password of base_url, header Authorization, header X-Way, header X-Query, header X-Key"
    assert judgement.check("smoke_test")[1] == (
        f"smoke_test (pytest tests/smoke): exit 0; left out of what it is told, which ECS shows: {named} (give the "
        "container its own by `secrets` in the task definition)"
    )


def test_it_is_told_the_host_of_the_rule(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.elbv2.modify_listener(
        ListenerArn=stage.test_listener,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=7,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["app.example.com"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )
    assert judge(hook, event, **smoke()).succeeded
    assert told(stage)["SMOKE_TEST_HOST"] == "app.example.com"


BY_RULE = "(of the listener's rule: list it in `headers` if it is no secret)"


@pytest.mark.parametrize(
    ("name", "given", "expected", "left_out"),
    [
        ("x-amzn-ecs-blue-green-test", {}, {"x-amzn-ecs-blue-green-test": "of-the-rule"}, ""),
        ("X-Amzn-Ecs-Bluegreen-Test", {}, {"X-Amzn-Ecs-Bluegreen-Test": "of-the-rule"}, ""),
        ("X-From", {}, {}, f"header X-From {BY_RULE}"),
        ("X-From", {"x-from": "of-the-rule"}, {"x-from": "of-the-rule"}, ""),
        ("X-From", {"X-Tenant": "acme"}, {"X-Tenant": "acme"}, f"header X-From {BY_RULE}"),
        ("X-Origin-Verify", {}, {}, "header X-Origin-Verify"),
        ("X-Origin-Verify", {"X-Origin-Verify": "of-the-rule"}, {}, "header X-Origin-Verify"),
        ("X-Edge-Key", {"X-Edge-Key": "of-the-rule"}, {}, "header X-Edge-Key"),
        ("X-Auth", {"X-Auth": "of-the-rule"}, {}, "header X-Auth"),
        ("X-Signature-Input", {"X-Signature-Input": "of-the-rule"}, {}, "header X-Signature-Input"),
    ],
)
def test_a_header_of_the_rule_is_told_if_it_is_known_to_be_no_secret(
    stage: Stage,
    judge: Judge,
    site: Site,
    name: str,
    given: dict[str, str],
    *,
    expected: dict[str, str],
    left_out: str,
) -> None:
    """It is often the secret by which a CDN shows who it is. The hook's own requests have it."""
    made = stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=5,
        Conditions=[{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": ["of-the-rule"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )["Rules"][0]["RuleArn"]
    event = Native(stage, test_rule=made).at("POST_TEST_TRAFFIC_SHIFT")
    judgement = judge(hook, event, **smoke(), headers=given)
    assert judgement.succeeded, judgement.message
    assert {request.headers.get(name.lower(), request.headers.get(name)) for request in site.requests} == {
        "of-the-rule"
    }
    assert json.loads(told(stage)["SMOKE_TEST_HEADERS"]) == expected
    (request,) = stage.called("ecs:RunTask")
    assert ("of-the-rule" in json.dumps(request)) is ("of-the-rule" in expected.values())
    assert judgement.check("smoke_test")[1].partition("which ECS shows: ")[2].partition(" (give the")[0] == left_out


def test_the_users_own_host_and_address_come_first(stage: Stage, judge: Judge) -> None:
    base_url = f"http://{stage.dns_name}:8080/"
    assert judge(hook, stage.at(EVENT), **smoke(), host=NAME, base_url=base_url).succeeded
    assert told(stage)["SMOKE_TEST_HOST"] == NAME
    assert told(stage)["SMOKE_TEST_BASE_URL"] == base_url.rstrip("/")


def test_an_image_without_a_tag_has_none_to_tell(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(image=f"{stage.image('2').rpartition(':')[0]}@sha256:{'a' * 64}")
    assert judge(hook, stage.at(EVENT), **smoke()).succeeded
    assert "SMOKE_TEST_IMAGE_TAG" not in told(stage)


# ECS itself


@pytest.mark.parametrize(("code", "status"), [(0, "SUCCEEDED"), (1, "FAILED")])
def test_where_ecs_deploys_by_itself(stage: Stage, judge: Judge, code: int, status: str) -> None:
    native = Native(stage)
    event = native.at("POST_TEST_TRAFFIC_SHIFT")
    stage.world.exits[TEST] = Exit(code)
    judgement = judge(hook, event, **smoke())
    assert judgement["hookStatus"] == status, judgement.message
    assert told(stage)["SMOKE_TEST_DEPLOYMENT_ID"] == event["resourceArn"].rpartition("/")[2]
    judge(hook, event, **smoke())
    assert len(one_off(stage)) == 1, "asked for again at the same stage, it is joined"
