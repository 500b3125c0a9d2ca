"""The scenarios: what is released, what goes wrong, and how it is expected to end.

To add one, add a row. A row names only what is special to it; the player asserts the expected ending, and the tests
play every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.preparations import Step, fire_alarm, remove_test_listener, unpair_production_listener

HOOKS = {
    "BeforeInstall": "validate_before_install",
    "AfterInstall": "validate_deployment",
    "AfterAllowTestTraffic": "validate_test_traffic",
    "BeforeAllowTraffic": "run_migrations",
    "AfterAllowTraffic": "validate_production",
}
"""The functions by the event they are for."""

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
    serving: str = BLUE
    """The release that answers on the production listener in the end."""
    revision: str = "0002"
    """The revision of the database in the end."""
    error: str | None = "HOOK_EXECUTION_FAILURE"
    """The code of the deployment's errorInformation."""


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
    function_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further variables of a hook's function, by function; `{silent}` in a value is the address of a socket that
    accepts connections and never answers."""
    function_timeout: Mapping[str, int] = field(default_factory=dict)
    """Seconds that a hook's function may take, by function, where it would use up what it has."""


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "healthy",
        "A healthy release",
        "Release 1.1.0 brings a migration and works. All five hooks let it pass, and the traffic moves to it.",
        Expected("Succeeded", serving="1.1.0", revision="0003", error=None),
    ),
    Scenario(
        "first-deployment",
        "The first deployment ever",
        "No listener leads to green's target group yet, so its targets are unused and nobody checks them when the hook "
        "after Install looks; it says so. They are checked from the moment testers see green.",
        Expected(
            "Succeeded",
            serving="1.1.0",
            revision="0003",
            error=None,
            checks={"validate_deployment": {"green_targets": "skipped: no listener leads to orders-rehearsal-two"}},
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
        "one. The first is taken back by the rollback command.",
        Expected(stopped_at="BeforeAllowTraffic", message=("alembic upgrade head", "UNIQUE constraint failed")),
        Release(tag="1.2.0"),
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


def find(name: str) -> Scenario:
    """Return a scenario by name; raises KeyError with the names there are."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    raise KeyError(f"there is no scenario {name!r}; there are {', '.join(s.name for s in SCENARIOS)}")
