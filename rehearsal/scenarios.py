"""The scenarios: what is released, what goes wrong, and how it is expected to end.

To add one, add a row. A row names only what is special to it; the player asserts the expected ending, and the tests
play every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        "crash-loop",
        "Green's container exits at start",
        "The new release refuses its configuration and exits; ECS starts it again and again. The hook after Install "
        "need not wait for the end of that: it stops the deployment with the exit code.",
        Expected(stopped_at="AfterInstall", message=("container app: exit 3",)),
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
