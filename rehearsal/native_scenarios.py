"""The scenarios of ECS's own blue/green. To add one, add a row; see scenarios.py for what a row can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.native_preparations import add_a_hook_that_never_decides, revert_rules, test_by_header
from rehearsal.preparations import fire_alarm, let_run_smoke_tests
from rehearsal.scenarios import (
    ALARMS_ONLY,
    MIGRATION_ONLY,
    NOTE_COLUMN,
    RUNS,
    SMOKE_TEST,
    Expected,
    Release,
    Scenario,
)

ECS = "ecs"

HEALTHY: Mapping[str, Any] = {"status": "SUCCESSFUL", "serving": "1.1.0", "revision": "0003", "error": None}
BACK = "ROLLBACK_SUCCESSFUL"

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "healthy",
        "A healthy release",
        "Release 1.1.0 brings a migration and works. All five hooks let it pass, and both rules move to it.",
        Expected(
            **HEALTHY,
            database={NOTE_COLUMN: "1"},
            checks={"run_migrations": {"revision": "passed: the database is at revision 0002"}},
        ),
        platform=ECS,
    ),
    Scenario(
        "creation",
        "The service is created",
        "There is no blue, and the hooks run all the same. What is about blue is left out with a word.",
        Expected(
            **HEALTHY,
            checks={"validate_before_install": {"blue_targets": "skipped: it creates the service"}},
        ),
        customers=False,
        settings={"validate_test_traffic": {"http_checks": {"orders": None}}},  # nobody has placed one yet
        platform=ECS,
        creates=True,
    ),
    Scenario(
        "broken-creation",
        "The service is created, and does not work",
        "Its health path answers 500. ECS has nothing to go back to, and says so; the reason is in the hook's verdict.",
        Expected(
            "ROLLBACK_FAILED",
            stopped_at="POST_SCALE_UP",
            message=("Target.ResponseCodeMismatch",),
            serving="HTTP 503",
            error="HOOK_FAILURE",
            rollback=("No rollback candidate was found to run the rollback.",),
        ),
        Release(environment={"HEALTH_STATUS": "500"}),
        function_timeout={"validate_deployment": 20},
        platform=ECS,
        creates=True,
    ),
    Scenario(
        "unhealthy",
        "Green answers 500 on its health path",
        "The tasks of the new revision run, but their health path answers 500. The hook after the scale-up says so.",
        Expected(BACK, stopped_at="POST_SCALE_UP", message=("unhealthy", "500"), error="HOOK_FAILURE"),
        Release(environment={"HEALTH_STATUS": "500"}),
        function_timeout={"validate_deployment": 20},
        platform=ECS,
    ),
    Scenario(
        "now-and-then",
        "One request in ten fails",
        "The health path never does. Twenty samples on the test rule tell.",
        Expected(
            BACK,
            stopped_at="POST_TEST_TRAFFIC_SHIFT",
            message=("orders: ", "of 20 requests failed", "at most 1.00% allowed"),
            error="HOOK_FAILURE",
        ),
        Release(environment={"FAIL_EVERY": "10"}),
        platform=ECS,
    ),
    Scenario(
        "smoke-test",
        "The team's own smoke test fails",
        "It places an order with the new revision and reads it back as something else, while only testers see it.",
        Expected(
            BACK,
            stopped_at="POST_TEST_TRAFFIC_SHIFT",
            message=("smoke_test (", "exit 1", "a rehearsal was ordered, something else was read back"),
            error="HOOK_FAILURE",
        ),
        Release(environment={"WRONG_ORDER": "yes"}),
        prepare=(let_run_smoke_tests,),
        settings=SMOKE_TEST,
        platform=ECS,
    ),
    Scenario(
        "broken-migration",
        "A migration exits 1",
        "The second of two migrations fails. The first is taken back, before a customer has reached green.",
        Expected(
            BACK,
            stopped_at="PRE_PRODUCTION_TRAFFIC_SHIFT",
            message=("alembic upgrade head", "UNIQUE constraint failed", "rolled back with alembic downgrade 0002"),
            database={NOTE_COLUMN: "0"},
            error="HOOK_FAILURE",
        ),
        Release(tag="1.2.0"),
        settings=MIGRATION_ONLY,
        platform=ECS,
    ),
    Scenario(
        "long-migration",
        "A migration longer than one invocation",
        "The hook answers IN_PROGRESS, and ECS invokes it again until the task has ended. It is started once.",
        Expected(**HEALTHY, database={RUNS: "1.0.0, 1.1.0"}, hops=1),
        settings={**MIGRATION_ONLY, "run_migrations": {"environment": {"MIGRATION_SECONDS": "20"}}},
        function_timeout={"run_migrations": 40},
        platform=ECS,
    ),
    Scenario(
        "slow-bake",
        "A bake longer than one invocation",
        "The window is longer than the function may run. It is watched over several invocations of the same stage.",
        Expected(**HEALTHY, hops=1, checks={"validate_production": {"http:orders": "passed", "error_rate": "passed"}}),
        settings={"validate_production": {"duration": 30, "load": None}},
        function_timeout={"validate_production": 60},
        platform=ECS,
    ),
    Scenario(
        "alarm",
        "An alarm of the service goes off while ECS bakes",
        "ECS itself watches it, and goes back. The database keeps its new revision: the old release can live with it.",
        Expected(BACK, stopped_at="BAKE_TIME", revision="0003", error="ALARM"),
        meanwhile={"BAKE_TIME": fire_alarm},
        platform=ECS,
        configuration={"bakeTimeInMinutes": 60},
    ),
    Scenario(
        "alarm-firing",
        "An alarm of the service fires already",
        "ECS does not watch an alarm that fires when the deployment begins. The first hook names it.",
        Expected(BACK, stopped_at="PRE_SCALE_UP", message=("orders-rehearsal-errors", "ALARM"), error="HOOK_FAILURE"),
        prepare=(fire_alarm,),
        platform=ECS,
    ),
    Scenario(
        "rollback-passes",
        "A hook is asked again on the way back",
        "A hook at TEST_TRAFFIC_SHIFT comes again when a deployment is rolled back, with green at 0. It stands in "
        "nobody's way.",
        Expected(
            BACK,
            stopped_at="POST_PRODUCTION_TRAFFIC_SHIFT",
            message=("orders-rehearsal-eror", "does not exist"),
            revision="0003",
            error="HOOK_FAILURE",
            rollback=("TEST_TRAFFIC_SHIFT: service deployment", "is being rolled back: nothing stands in its way"),
        ),
        settings={"validate_production": {"alarms": {"orders-rehearsal-eror": "OK"}, **ALARMS_ONLY}},
        platform=ECS,
        configuration={"stages": {"validate_deployment": ["POST_SCALE_UP", "TEST_TRAFFIC_SHIFT"]}},
    ),
    Scenario(
        "drifted-rules",
        "An apply has put the rules back",
        "Terraform has reverted what ECS moved, so customers are on the group that is idle. ECS would put green there, "
        "in front of everybody; the first hook says so, and what keeps Terraform from it.",
        Expected(
            BACK,
            stopped_at="PRE_SCALE_UP",
            message=("would meet green before any hook has", "orders-rehearsal-one", "ignore_changes = [action]"),
            serving="HTTP 503",  # nobody runs where the apply has sent the customers
            error="HOOK_FAILURE",
        ),
        prepare=(revert_rules,),
        customers=False,
        platform=ECS,
    ),
    Scenario(
        "hook-times-out",
        "A hook of somebody else never decides",
        "It answers IN_PROGRESS for ever, and ECS gives it a minute. ECS goes back, and our hooks have passed.",
        Expected(BACK, stopped_at="POST_SCALE_UP", error="HOOK_FAILURE"),
        prepare=(add_a_hook_that_never_decides,),
        platform=ECS,
    ),
    Scenario(
        "fails-open",
        "A hook that lets pass when it times out",
        "Its time-out has the action CONTINUE, so a deployment might go on unjudged. The first hook warns of it.",
        Expected(
            **HEALTHY,
            checks={
                "validate_before_install": {
                    "lifecycle_hooks:POST_SCALE_UP": "failed: validate_deployment at POST_SCALE_UP lets"
                }
            },
        ),
        settings=MIGRATION_ONLY,
        platform=ECS,
        configuration={"timeouts": {"validate_deployment": {"timeoutInMinutes": 60, "action": "CONTINUE"}}},
    ),
    Scenario(
        "too-little-time",
        "ECS gives a hook less time than its bake takes",
        "The bake takes ten minutes, and ECS gives the hook one. The first hook says so, before anything is made.",
        Expected(
            BACK,
            stopped_at="PRE_SCALE_UP",
            message=("validate_production.initial_delay, duration and load take 602 s", "are left"),
            error="HOOK_FAILURE",
        ),
        settings={"validate_production": {"duration": 600, "load": None}},
        platform=ECS,
        configuration={"timeouts": {"validate_production": {"timeoutInMinutes": 1, "action": "ROLLBACK"}}},
    ),
    Scenario(
        "canary",
        "Ten per cent first",
        "The migration runs before the first step. The production hook is asked before each further one and after all "
        "of it, and judges what is on green.",
        Expected(**HEALTHY, database={RUNS: "1.0.0, 1.1.0"}),
        platform=ECS,
        configuration={
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
            "stages": {"validate_production": ["PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"]},
        },
    ),
    Scenario(
        "linear",
        "In two steps",
        "Half of the traffic moves, then all of it. The migration runs once.",
        Expected(**HEALTHY, database={RUNS: "1.0.0, 1.1.0"}),
        settings=MIGRATION_ONLY,
        platform=ECS,
        configuration={
            "strategy": "LINEAR",
            "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 0},
        },
    ),
    Scenario(
        "tests-by-header",
        "Test traffic is told by a header",
        "There is no test listener: a rule of the production listener takes requests that have a header. The hook "
        "sends it.",
        Expected(**HEALTHY, checks={"validate_test_traffic": {"http:orders": "passed"}}),
        prepare=(test_by_header,),
        platform=ECS,
    ),
    Scenario(
        "migration-at-a-recurring-stage",
        "The migration hook is at a stage that comes again",
        "PRODUCTION_TRAFFIC_SHIFT is announced on the way back, too. The first hook names the stage to use.",
        Expected(
            BACK,
            stopped_at="PRE_SCALE_UP",
            message=("run_migrations is invoked at PRODUCTION_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT"),
            error="HOOK_FAILURE",
        ),
        platform=ECS,
        configuration={"stages": {"run_migrations": ["PRODUCTION_TRAFFIC_SHIFT"]}},
    ),
    Scenario(
        "image-missing",
        "The image was never pushed",
        "ECS would try to start the tasks for hours; the first hook notices at once, and no task starts.",
        Expected(BACK, stopped_at="PRE_SCALE_UP", message=("orders:1.9.9", "ECR"), error="HOOK_FAILURE"),
        Release(tag="1.9.9"),
        platform=ECS,
    ),
    Scenario(
        "unreachable-ecs",
        "A hook cannot reach ECS",
        "Connections open and nothing ever answers. The hook returns FAILED in time and says what it could not reach.",
        Expected(BACK, stopped_at="PRE_SCALE_UP", message=("ecs",), error="HOOK_FAILURE"),
        function_environment={"validate_before_install": {"AWS_ENDPOINT_URL_ECS": "{silent}"}},
        platform=ECS,
    ),
)
