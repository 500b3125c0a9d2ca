"""The scenarios: what is released, what goes wrong, and how it is expected to end.

To add one, add a row. A row names only what is special to it; the player asserts the expected ending, and the tests
play every row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.preparations import (
    Step,
    add_alarm_without_data,
    fire_alarm,
    let_go_on,
    let_run_smoke_tests,
    misroute_tests,
    remove_image,
    remove_test_listener,
    serve_tests_on_https,
    stop_migration,
    unpair_production_listener,
)

HOOKS = {
    "BeforeInstall": "validate_before_install",
    "AfterInstall": "validate_deployment",
    "AfterAllowTestTraffic": "validate_test_traffic",
    "BeforeAllowTraffic": "run_migrations",
    "AfterAllowTraffic": "validate_production",
    # ECS's own blue/green.
    "PRE_SCALE_UP": "validate_before_install",
    "POST_SCALE_UP": "validate_deployment",
    "POST_TEST_TRAFFIC_SHIFT": "validate_test_traffic",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "run_migrations",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "validate_production",
}
"""The functions by the event or stage they are for."""

NAMES = {"codedeploy": "CodeDeploy", "ecs": "ECS"}
"""The platforms."""

HOST = "orders.example.com"
"""The name under which testers know the application, where the test listener serves HTTPS."""

TRUSTING = {"validate_test_traffic": {"REQUESTS_CA_BUNDLE": "{authority}"}}
"""A function that trusts the authority by which the test listener is certified."""

BY_NAME = {"validate_test_traffic": {"host": HOST}}

ALARMS_ONLY: Mapping[str, Any] = {"samples": 0, "load": None, "flows": {"order": None}}
"""Settings of validate_production for scenarios in which the window is what matters."""

MIGRATION_ONLY: Mapping[str, Mapping[str, Any]] = {
    "validate_test_traffic": {"samples": 0},
    "validate_production": {"duration": 1, **ALARMS_ONLY},
}
"""Settings of the other hooks for scenarios in which the migration is what matters."""

NOTE_COLUMN = "select count(*) from pragma_table_info('orders') where name = 'note'"
"""Whether the database has what revision 0003 brings."""

RUNS = "select version from migration_runs"
"""Every migration that has begun, by release."""

SHARED_ADDRESSES = """\
import sqlite3
query = "select count(*) from (select 1 from customers group by email having count(*) > 1)"
count = sqlite3.connect("data/orders.db").execute(query).fetchone()[0]
raise SystemExit(f"addresses that customers share: {count}" if count else 0)
"""

READS_BACK = """\
import json, os, urllib.request
green, tag = os.environ["SMOKE_TEST_BASE_URL"], os.environ["SMOKE_TEST_IMAGE_TAG"]
headers = {"content-type": "application/json", **json.loads(os.environ["SMOKE_TEST_HEADERS"])}

def ask(method, path, body=None):
    request = urllib.request.Request(green + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["x-app-version"] == tag, "it is not green that answers"
        return json.loads(answer.read() or "null")

id = ask("POST", "/orders", b'{"item": "rehearsal", "quantity": 1}')["id"]
print("placed an order with release", tag, flush=True)
read = ask("GET", f"/orders/{id}")
ask("DELETE", f"/orders/{id}")
raise SystemExit(None if read["item"] == "rehearsal" else f"a rehearsal was ordered, {read['item']} was read back")
"""
"""A test as a team writes it: what green is called and where it answers is told by the environment."""

SMOKE_TEST: Mapping[str, Mapping[str, Any]] = {
    "validate_test_traffic": {"samples": 0, "smoke_test": {"command": ["python", "-c", READS_BACK], "timeout": 30}},
}

BLUE = "1.0.0"
"""The release that serves before each deployment; its database is at revision 0002."""


@dataclass(frozen=True)
class Release:
    """What is deployed."""

    tag: str = "1.1.0"
    """Image tag; see images.py for the database revisions each brings."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the new task definition; see application/orders/settings.py."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secrets of the new task definition's container, by variable; of those that it has already, what they reference
    instead."""
    sidecars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Command by name of containers beside the application's, not essential, of the same image."""
    container_port: int = 8000
    """What the AppSpec says."""
    task_definition: str | None = None
    """What the AppSpec names instead of the registered task definition."""


@dataclass(frozen=True)
class Expected:
    """How a scenario ends."""

    status: str = "Failed"
    """Of the deployment: Succeeded, Failed or Stopped."""
    stopped_at: str | None = None
    """The lifecycle event at which it stops."""
    message: tuple[str, ...] = ()
    """Texts that the message of the hook at that event has, each."""
    checks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By function and check: what came of it, an outcome or the beginning of `<outcome>: <detail>`."""
    hops: int = 0
    """How often at least a hook goes on in a fresh invocation of itself."""
    serving: str = BLUE
    """The release that answers on the production listener in the end."""
    revision: str = "0002"
    """The revision of the database in the end."""
    database: Mapping[str, str] = field(default_factory=dict)
    """By query: what the database answers in the end, the first column of each row."""
    error: str | None = "HOOK_EXECUTION_FAILURE"
    """The code of the deployment's errorInformation."""
    rollback: tuple[str, ...] = ()
    """Texts that what is told of the rollback has, each."""


@dataclass(frozen=True)
class Scenario:
    """One rehearsal."""

    name: str
    title: str
    story: str
    """What happens and who ought to notice, in a sentence or two."""
    expected: Expected
    release: Release = field(default_factory=Release)
    prepare: tuple[Step, ...] = ()
    """What is changed in the environment before the deployment; see preparations.py."""
    meanwhile: Mapping[str, Step] = field(default_factory=dict)
    """What happens beside a lifecycle event, from its beginning on."""
    deliveries: Mapping[str, int] = field(default_factory=dict)
    """How often the event for a hook is delivered, all at once, by lifecycle event; once where it is not named."""
    blue_environment: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the release that serves before; it starts with them."""
    customers: bool = True
    """Whether there are any."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings of a hook that differ from those in environment/hooks.tf, by function: what is nested is changed member
    by member, None takes a member away."""
    function_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further variables of a hook's function, by function. In a value, `{silent}` is the address of a socket that
    accepts connections and never answers, `{authority}` a file with the certificate of the authority by which listeners
    are certified."""
    function_timeout: Mapping[str, int] = field(default_factory=dict)
    """Seconds that a hook's function may take, by function, where it would use up what it has."""
    platform: str = "codedeploy"
    """Who deploys: codedeploy, or ecs by its own blue/green."""
    creates: bool = False
    """With ecs: whether the deployment is the one that creates the service."""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """With ecs: what differs in the service's deploymentConfiguration."""


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "healthy",
        "A healthy release",
        "Release 1.1.0 brings a migration and works. All five hooks let it pass, and the traffic moves to it.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            database={NOTE_COLUMN: "1"},
            checks={"run_migrations": {"revision": "passed: the database is at revision 0002"}},
        ),
    ),
    Scenario(
        "first-deployment",
        "The first deployment ever",
        "No listener forwards to green's target group yet, so its targets are unused and nobody checks them when the "
        "hook after Install looks; it says so. They are checked from the moment testers see green.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            checks={"validate_deployment": {"green_targets": "skipped: no listener forwards to orders-rehearsal-two"}},
        ),
        prepare=(unpair_production_listener,),
    ),
    Scenario(
        "slow-start",
        "A release that takes its time to start",
        "The new release takes 8 seconds before it listens. Until then its containers' health is unknown and its "
        "targets are initial; neither is a reason to stop, and the hook after Install waits.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            checks={"validate_deployment": {"green_targets": "passed", "container_health": "passed"}},
        ),
        Release(environment={"START_DELAY": "8"}),
    ),
    Scenario(
        "unhealthy",
        "Green answers 500 on its health path",
        "The tasks of the new release run, but their health path answers 500. CodeDeploy does not look at it; the hook "
        "after Install does.",
        Expected(stopped_at="AfterInstall", message=("unhealthy", "Target.ResponseCodeMismatch", "500")),
        Release(environment={"HEALTH_STATUS": "500"}),
        # It might still become healthy, so the hook waits as long as it can.
        function_timeout={"validate_deployment": 20},
    ),
    Scenario(
        "one-unhealthy-target",
        "One of green's two targets is unhealthy",
        "Of the new release's two tasks one answers 500 on its health path. The load balancer would spare it and half "
        "the capacity would be gone unnoticed; the hook after Install names it.",
        Expected(stopped_at="AfterInstall", message=("10.0.", "Target.ResponseCodeMismatch", "1 of 2")),
        Release(environment={"HEALTH_STATUS_OF_FIRST": "500"}),
        # As above.
        function_timeout={"validate_deployment": 20},
    ),
    Scenario(
        "crash-loop",
        "Green's container exits at start",
        "The new release refuses its configuration and exits; ECS starts it again and again. The hook after Install "
        "need not wait for the end of that: it stops the deployment with the exit code and what the container said.",
        Expected(stopped_at="AfterInstall", message=("container app: exit 3", "PAYMENT_URL is not set")),
        Release(environment={"START_FAILURE": "PAYMENT_URL is not set"}),
    ),
    Scenario(
        "broken-migration",
        "A migration exits 1",
        "Release 1.2.0 brings two migrations. The second wants one account per e-mail address, and two customers share "
        "one. The first is taken back: the revision before it was looked up before anything ran.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=("alembic upgrade head", "UNIQUE constraint failed", "rolled back with alembic downgrade 0002"),
            database={NOTE_COLUMN: "0"},
        ),
        Release(tag="1.2.0"),
        settings=MIGRATION_ONLY,
    ),
    Scenario(
        "broken-rollback",
        "A migration exits 1, and so does its rollback",
        "As before, but nobody has written the way back of the first migration. The database stays between two "
        "releases, and the message says so as loudly as it can.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=(
                "THE ROLLBACK FAILED TOO, the database is at revision 0003 now",
                *("alembic downgrade 0002", "there is no way back", "before that: migrate", "UNIQUE constraint failed"),
            ),
            revision="0003",
            database={NOTE_COLUMN: "1"},
        ),
        Release(tag="1.2.1"),
        settings=MIGRATION_ONLY,
    ),
    Scenario(
        "schema-drift",
        "The schema is not what the models say",
        "The models of release 1.3.0 have an index that none of its migrations makes. Every migration succeeds and "
        "nothing would fail, only be slow; `alembic check` compares the two.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=("verify_schema (alembic check)", "add_index", "rolled back with alembic downgrade 0002"),
            database={NOTE_COLUMN: "0"},
            checks={"run_migrations": {"migrate": "passed", "verify_schema": "failed", "rollback": "passed"}},
        ),
        Release(tag="1.3.0"),
        settings={**MIGRATION_ONLY, "run_migrations": {"verify_schema_command": ["alembic", "check"]}},
    ),
    Scenario(
        "wrong-data",
        "The data are not as they have to be",
        "The schema is right; a command that counts what may not be there finds an e-mail address of two customers.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=("addresses that customers share: 1", "rolled back with alembic downgrade 0002"),
            database={NOTE_COLUMN: "0", "select count(*) from customers": "3"},
            checks={"run_migrations": {"verify_schema": "passed", "verify_data": "failed", "rollback": "passed"}},
        ),
        settings={
            **MIGRATION_ONLY,
            "run_migrations": {"verify_data_command": ["python", "-c", SHARED_ADDRESSES]},
        },
    ),
    Scenario(
        "long-migration",
        "A migration longer than one invocation",
        "The migration takes longer than the function may run. A fresh invocation goes on waiting for the same task, "
        "and none starts it again.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            database={RUNS: "1.0.0, 1.1.0"},
            hops=1,
            checks={"run_migrations": {"revision": "passed", "migrate": "passed", "verify_schema": "passed"}},
        ),
        settings={**MIGRATION_ONLY, "run_migrations": {"environment": {"MIGRATION_SECONDS": "20"}}},
        # A quarter of it is waited for: half of so short a time is kept for the report, and a quarter of the rest to
        # hand over. Five invocations are enough on a busy machine too.
        function_timeout={"run_migrations": 40},
    ),
    Scenario(
        "delivered-thrice",
        "The hook's event comes three times at once",
        "Lambda delivers an event at least once. Three invocations start together; each task runs once, and all three "
        "read its result.",
        Expected("Succeeded", serving="1.1.0", revision="0003", error=None, database={RUNS: "1.0.0, 1.1.0"}),
        deliveries={"BeforeAllowTraffic": 3},
        settings=MIGRATION_ONLY,
    ),
    Scenario(
        "image-gone",
        "The image is removed while the deployment runs",
        "Green runs already when a lifecycle policy removes its image from ECR. The migration's task cannot pull it: "
        "nothing has changed, so nothing is rolled back.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=("container app never started", "CannotPullContainerError", "orders:1.1.0: not found"),
            database={RUNS: "1.0.0"},
            checks={"run_migrations": {"migrate": "failed", "rollback": "not there"}},
        ),
        meanwhile={"AfterAllowTestTraffic": remove_image("1.1.0")},
        settings={**MIGRATION_ONLY, "run_migrations": {"rollback_command": ["alembic", "downgrade", "0002"]}},
    ),
    Scenario(
        "sidecar-fails",
        "A container beside the migration exits 1",
        "The application has an agent beside it that exits 1 when it is told to end, as it is when the migration is "
        "done. The migration's own exit code counts.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            checks={"run_migrations": {"migrate": "passed: migrate (alembic upgrade head): exit 0"}},
        ),
        Release(sidecars={"agent": ("sh", "-c", "trap 'exit 1' TERM; while true; do sleep 60; done")}),
        settings=MIGRATION_ONLY,
    ),
    Scenario(
        "migration-stopped",
        "Somebody stops the migration",
        "The migration's revisions are made and it still works on the data when somebody stops its task. Half a "
        "migration is taken back.",
        Expected(
            stopped_at="BeforeAllowTraffic",
            message=("stopped before its end", "it locks the orders", "rolled back with alembic downgrade 0002"),
            database={NOTE_COLUMN: "0"},
        ),
        meanwhile={"BeforeAllowTraffic": stop_migration},
        settings={**MIGRATION_ONLY, "run_migrations": {"environment": {"MIGRATION_SECONDS": "60"}}},
    ),
    Scenario(
        "alarm",
        "An alarm goes off after the shift",
        "The new release refuses every order above five. It does so properly, with 422, so neither health checks nor "
        "error rates mind; but customers do, and the alarm that counts their refusals goes off.",
        Expected(
            stopped_at="AfterAllowTraffic", message=("orders-rehearsal-rejected-orders", "ALARM"), revision="0003"
        ),
        Release(environment={"MAXIMUM_QUANTITY": "5"}),
    ),
    Scenario(
        "slow",
        "Production answers too slowly",
        "The new release takes 0.3 s for each order that it lists. The smoke test lists one, and passes; customers "
        "list five, and wait for 1.5 s.",
        Expected(stopped_at="AfterAllowTraffic", message=("p99", "1000 ms"), revision="0003"),
        Release(environment={"LATENCY_PER_ORDER_MS": "300"}),
    ),
    Scenario(
        "now-and-then",
        "One request in ten fails",
        "The new release answers every tenth request 500; its health path never. A smoke test of three attempts "
        "passes, and the load balancer finds green healthy; twenty samples tell.",
        Expected(
            stopped_at="AfterAllowTestTraffic",
            message=("orders: ", "of 20 requests failed", "[STATUS] (500)", "at most 1.00% allowed"),
            checks={"validate_test_traffic": {"http:orders": "passed", "samples:orders:error_rate": "failed"}},
        ),
        Release(environment={"FAIL_EVERY": "10"}),
    ),
    Scenario(
        "slow-tail",
        "A fine median and a slow tail",
        "The new release takes 1.5 s for every fifth request. The median shows nothing, nor does a smoke test; the "
        "95th percentile of twenty samples does.",
        Expected(
            stopped_at="AfterAllowTestTraffic",
            message=("orders: p95", "at most 1000 ms allowed"),
            checks={"validate_test_traffic": {"samples:orders:error_rate": "passed", "samples:orders:p95": "failed"}},
        ),
        Release(environment={"SLOW_EVERY": "5"}),
    ),
    Scenario(
        "wrong-field",
        "A field of the answer is wrong",
        "The new release answers 200 on its health path, and in the answer says that its database is read-only. The "
        "load balancer looks at the status alone.",
        Expected(
            stopped_at="AfterAllowTestTraffic",
            message=("[JSON checks.database] (read-only) expected", "ok"),
        ),
        Release(environment={"DATABASE_STATE": "read-only"}),
    ),
    Scenario(
        "blue-answers-tests",
        "Blue answers on the test listener",
        "The test listener forwards to green, but somebody has left a rule on it that leads the health path to blue's "
        "tasks, past both target groups: blue would pass every test in green's name. The first hook names the rule "
        "before anything is made.",
        Expected(
            stopped_at="BeforeInstall",
            message=("rule 10 (path-pattern /health) of the listener takes /health", "does not forward to green"),
        ),
        prepare=(misroute_tests,),
    ),
    Scenario(
        "https",
        "The test listener serves HTTPS",
        "Its certificate is for the name that the tests use, and the hook trusts whoever has signed it.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            checks={"validate_test_traffic": {"test_listener": "passed", "http:health": "passed"}},
        ),
        prepare=(serve_tests_on_https(HOST),),
        settings={**BY_NAME, "validate_production": {"duration": 1, **ALARMS_ONLY}},
        function_environment=TRUSTING,
    ),
    Scenario(
        "certificate-expired",
        "The test listener's certificate has expired",
        "An imported certificate that nobody has renewed. Browsers would refuse it, and so does the hook.",
        Expected(stopped_at="AfterAllowTestTraffic", message=("TLS failed", "certificate has expired")),
        prepare=(serve_tests_on_https(HOST, valid=4),),
        settings=BY_NAME,
        function_environment=TRUSTING,
    ),
    Scenario(
        "certificate-of-another",
        "The test listener's certificate is another name's",
        "Somebody has attached the certificate of another application.",
        Expected(
            stopped_at="AfterAllowTestTraffic",
            message=("TLS failed", f"certificate is not valid for '{HOST}'"),
        ),
        prepare=(serve_tests_on_https("invoices.example.com"),),
        settings=BY_NAME,
        function_environment=TRUSTING,
    ),
    Scenario(
        "long-bake",
        "A bake longer than one invocation",
        "The window is longer than the function may run. It hands over to a fresh invocation of itself, as often as it "
        "takes, and the last one reports.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            hops=1,
            checks={"validate_production": {"time": "passed", "http:orders": "passed", "error_rate": "passed"}},
        ),
        prepare=(let_go_on("validate_production"),),
        settings={"validate_production": {"duration": 16, "load": None}},
        function_timeout={"validate_production": 24},
    ),
    Scenario(
        "alarm-missing",
        "An alarm that is to be looked at does not exist",
        "A typo in the alarm's name. An alarm that is not there never fires; the hook does not take that for silence.",
        Expected(stopped_at="AfterAllowTraffic", message=("orders-rehearsal-eror", "does not exist"), revision="0003"),
        settings={"validate_production": {"alarms": {"orders-rehearsal-eror": "OK"}, **ALARMS_ONLY}},
    ),
    Scenario(
        "alarm-without-data",
        "An alarm has no data",
        "The hook is told to expect an alarm OK, and the metric that it watches has never been published. Whoever says "
        "OK does not mean that nobody looks.",
        Expected(
            stopped_at="AfterAllowTraffic",
            message=("orders-rehearsal-payments", "INSUFFICIENT_DATA, expected OK"),
            revision="0003",
        ),
        prepare=(add_alarm_without_data,),
        settings={"validate_production": {"alarms": {"orders-rehearsal-payments": "OK"}, **ALARMS_ONLY}},
    ),
    Scenario(
        "worse-than-blue",
        "Slower than blue, and within every threshold",
        "Blue takes 1 s to list orders, the new release 1.4 s. No threshold forbids that, but customers were used to "
        "less.",
        Expected(
            stopped_at="AfterAllowTraffic",
            message=("green's p", "before the shift", "at most 25 % worse allowed"),
            revision="0003",
            checks={
                "validate_production": {
                    "latency:p50": "passed",
                    "error_rate": "passed",
                    "against_blue:p50": "failed",
                }
            },
        ),
        Release(environment={"LATENCY_MS": "1400"}),
        blue_environment={"LATENCY_MS": "1000"},
        settings={
            "validate_test_traffic": {"samples": 0},
            "validate_production": {
                # The median is what a busy machine shifts least.
                "thresholds": {"p50_ms": 3000, "p95_ms": 5000, "p99_ms": 5000},
                "baseline": {"max_worse_percent": 25},
                # In a bake of seconds they would be more than a tenth of all requests, and those minutes not compared.
                "checks": {"http": "skip"},
                **ALARMS_ONLY,
            },
        },
    ),
    Scenario(
        "no-traffic",
        "Nobody comes",
        "Customers stay away, and the hooks are told to send nothing. No error was counted, for there was no request; "
        "where traffic is certain to come, that is no pass.",
        Expected(
            stopped_at="AfterAllowTraffic",
            message=("the load balancer counted no request to orders-rehearsal-two", "no error rate"),
            revision="0003",
        ),
        customers=False,
        settings={
            "validate_test_traffic": {"checks": {"http": "skip", "samples": "skip"}},
            "validate_production": {"no_data": "fail", "checks": {"http": "skip"}, **ALARMS_ONLY},
        },
    ),
    Scenario(
        "broken-flow",
        "An order cannot be read back",
        "The new release takes orders, and when one is looked up, answers with another item. Each request by itself "
        "succeeds; the flow does not. What it has placed is deleted all the same.",
        Expected(
            stopped_at="AfterAllowTraffic",
            message=("read back: GET /orders/{order_id}", "[JSON item] (something else)", "delete 204"),
            revision="0003",
        ),
        Release(environment={"WRONG_ORDER": "yes"}),
    ),
    Scenario(
        "smoke-test",
        "The team's own smoke test fails",
        "The same release, and a team that has a test of its own for just that. The hook runs it as a task beside "
        "green while only testers see it, and quotes what it says. No customer meets the release.",
        Expected(
            stopped_at="AfterAllowTestTraffic",
            message=(
                *("smoke_test (", "exit 1", "placed an order with release 1.1.0"),
                "a rehearsal was ordered, something else was read back",
            ),
            checks={"validate_test_traffic": {"http:orders": "passed", "smoke_test": "failed"}},
        ),
        Release(environment={"WRONG_ORDER": "yes"}),
        prepare=(let_run_smoke_tests,),
        settings=SMOKE_TEST,
    ),
    Scenario(
        "overrun",
        "The service falls over under load",
        "A task of the new release answers 25 requests in a second, and 503 to the others. Smoke tests are few and "
        "pass; the load that the hook sends is that of a good day.",
        Expected(
            stopped_at="AfterAllowTraffic",
            message=("load: ", "requests failed", "503"),
            revision="0003",
            checks={"validate_production": {"http:orders": "passed", "flow:order": "passed"}},
        ),
        Release(environment={"REQUESTS_PER_SECOND": "25"}),
        settings={
            "validate_test_traffic": {"samples": 20},
            "validate_production": {"samples": 10, "load": {"rate": 100, "duration": 2}},
        },
    ),
    Scenario(
        "missing-task-definition",
        "The AppSpec names a task definition that does not exist",
        "A typo in the AppSpec. The first hook notices, before anything is created.",
        Expected(stopped_at="BeforeInstall", message=("orders-rehearsal:99",)),
        Release(task_definition="arn:aws:ecs:eu-central-1:123456789012:task-definition/orders-rehearsal:99"),
    ),
    Scenario(
        "image-missing",
        "The image was never pushed",
        "The task definition names a tag that is not in ECR. ECS would try to start its tasks for an hour; the first "
        "hook notices at once.",
        Expected(stopped_at="BeforeInstall", message=("orders:1.9.9", "ECR")),
        Release(tag="1.9.9"),
    ),
    Scenario(
        "secret-missing",
        "A secret does not exist",
        "The new release takes its session key from a secret that nobody has created. Its tasks would never start; "
        "the first hook notices.",
        Expected(stopped_at="BeforeInstall", message=("orders-rehearsal-new-key", "does not exist")),
        Release(
            secrets={"SESSION_KEY": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-rehearsal-new-key"}
        ),
    ),
    Scenario(
        "wrong-port",
        "The AppSpec says another port than the container maps",
        "The container maps port 8000, the AppSpec says 8080. ECS would refuse the green task set during Install; the "
        "first hook says why.",
        Expected(stopped_at="BeforeInstall", message=("maps port 8000", "8080")),
        Release(container_port=8080),
    ),
    Scenario(
        "no-test-listener",
        "There is a hook for test traffic and no test listener",
        "The deployment group has no test listener, and the AppSpec names a hook that validates test traffic. It could "
        "only fail, and only when green runs already; the first hook says so before.",
        Expected(stopped_at="BeforeInstall", message=("no test listener",)),
        prepare=(remove_test_listener,),
    ),
    Scenario(
        "alarm-firing",
        "The deployment group's alarm fires already",
        "An alarm of the deployment group is in ALARM before the deployment begins. CodeDeploy would stop it during "
        "Install; the first hook names the alarm before that.",
        Expected(stopped_at="BeforeInstall", message=("orders-rehearsal-errors", "ALARM")),
        prepare=(fire_alarm,),
    ),
    Scenario(
        "unreachable-ecs",
        "A hook cannot reach ECS",
        "As in a VPC without an endpoint for ECS: connections open and nothing ever answers. A hook that waited for "
        "it would hang for an hour; this one reports that it could not look.",
        Expected(stopped_at="BeforeInstall", message=("ecs",)),
        function_environment={"validate_before_install": {"AWS_ENDPOINT_URL_ECS": "{silent}"}},
    ),
)


def find(name: str, scenarios: Sequence[Scenario] = SCENARIOS) -> Scenario:
    """Return a scenario by name; raises KeyError with the names there are."""
    for scenario in scenarios:
        if scenario.name == name:
            return scenario
    raise KeyError(f"there is no scenario {name!r}; there are {', '.join(s.name for s in scenarios)}")
