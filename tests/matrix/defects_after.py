"""Defects that show in green, in its answers, in the migration, and under production traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from rehearsal.aws.logs import append
from rehearsal.aws.world import ContainerState, Exit, PlacementFailure, TaskState, log_stream
from rehearsal.testing.web import Response
from tests.matrix.defects import (
    AFTER,
    INSTALLED,
    MIGRATES,
    NO_FIGURES,
    NOBODY_ASKS,
    ON_INSTANCES,
    TESTED,
    defect,
)
from tests.matrix.defects_before import UNHEALTHY, at_the_end, in_green, targets_of
from tests.matrix.environment import Environment, Figures, Plan
from tests.matrix.pieces_of_course import for_a_while

UNSEEN = f"{ON_INSTANCES} ipv6_targets direct_by_rules"  # one target of several
AT_START = "start sidecars container_health history"  # dimensions that script green's tasks too

# Green's tasks.


def ended(plan: Plan, code: int | None, reason: str | None = None, *, container: str = "app") -> None:
    """Let green's tasks end right after their start, again and again, for this container of theirs."""

    def end(environment: Environment, task_arn: str, names: Iterable[str]) -> TaskState:
        states = {name: ContainerState("STOPPED", 143) for name in names}
        states[container] = ContainerState("STOPPED", code, reason)
        write_log(environment, task_arn)
        return TaskState("STOPPED", states, "EssentialContainerExited", "Essential container in task exited")

    _end_green(plan, end)


def _end_green(plan: Plan, end: Callable[[Environment, str, Iterable[str]], TaskState]) -> None:
    """Let each of green's tasks be as `end` says, which is given the task's ARN and the names of its containers."""

    def script(environment: Environment) -> None:
        state = environment.world.task_state

        def ends(task_arn: str) -> TaskState:
            found, spec = state(task_arn), environment.world._tasks[task_arn].spec
            if spec.task_definition_arn != environment.green_definition:
                return found
            return end(environment, task_arn, found.containers)

        environment.world.task_state = ends  # type: ignore[method-assign]

    at_the_end(plan, script)


def write_log(environment: Environment, task_arn: str) -> None:
    """What the application wrote last, where its log is in CloudWatch Logs."""
    spec = environment.world._tasks[task_arn].spec
    app = next(each for each in spec.containers if each.name == "app")
    if app.log_group == "/ecs/shop":
        append(task_arn, app.log_group, log_stream(spec, app), ("ModuleNotFoundError: No module named 'shop'",))


@defect(INSTALLED, "green tasks keep stopping", bars=AT_START)
def crash_loop(plan: Plan) -> None:
    ended(plan, 1)


@defect(INSTALLED, "green tasks keep stopping", bars=f"{AT_START} logs firelens image")
def crash_loop_with_its_log(plan: Plan) -> None:
    ended(plan, 1)


@defect(INSTALLED, "green tasks keep stopping", bars=AT_START)
def out_of_memory(plan: Plan) -> None:
    ended(plan, 137, "OutOfMemoryError: Container killed due to memory usage")


@defect(INSTALLED, "green tasks keep stopping", bars=AT_START)
def application_ends_with_0(plan: Plan) -> None:
    """Its command was a script that came to its end."""
    ended(plan, 0)


@defect(INSTALLED, "green tasks keep stopping", bars=AT_START)
def essential_sidecar_dies(plan: Plan) -> None:
    in_green(plan, ({"name": "proxy", "image": "envoyproxy/envoy:v1.31", "memory": 64},))
    ended(plan, 1, container="proxy")


def never_starts(plan: Plan, reason: str) -> None:
    """Let none of green's tasks start."""

    def end(_environment: Environment, _task_arn: str, names: Iterable[str]) -> TaskState:
        states = {name: ContainerState("STOPPED") for name in names}
        states["app"].reason = reason
        return TaskState("STOPPED", states, "TaskFailedToStart", reason)

    _end_green(plan, end)


@defect(INSTALLED, "green tasks cannot be started", bars=AT_START)
def image_cannot_be_pulled(plan: Plan) -> None:
    never_starts(plan, "CannotPullContainerError: manifest for registry.example.com/shop:9 not found: manifest unknown")


@defect(INSTALLED, "ResourceInitializationError", bars=AT_START)
def secret_cannot_be_read(plan: Plan) -> None:
    never_starts(
        plan,
        "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: not authorized "
        "to perform: secretsmanager:GetSecretValue",
    )


@defect(INSTALLED, "0 of", bars=AT_START)
def no_room(plan: Plan) -> None:
    """No instance, or no Fargate capacity, for green's tasks."""

    def full(environment: Environment) -> None:
        environment.world.placement_failures = [PlacementFailure("RESOURCE:MEMORY") for _ in range(100_000)]

    at_the_end(plan, full)


@defect(INSTALLED, "0 of", bars=f"{AT_START} count")
def pending_for_ever(plan: Plan) -> None:
    def pending(environment: Environment) -> None:
        state = environment.world.task_state

        def waits(task_arn: str) -> TaskState:
            found, spec = state(task_arn), environment.world._tasks[task_arn].spec
            if spec.task_definition_arn != environment.green_definition:
                return found
            return TaskState("PENDING", {name: ContainerState() for name in found.containers})

        environment.world.task_state = waits  # type: ignore[method-assign]

    at_the_end(plan, pending)


@defect(INSTALLED, "UNHEALTHY", bars=AT_START)
def container_is_unhealthy(plan: Plan) -> None:
    plan.container |= {"healthCheck": {"command": ["CMD-SHELL", "exit 1"]}}
    plan.at(INSTALLED, lambda environment: environment.world.container_health.update({"app": "UNHEALTHY"}))


@defect(INSTALLED, "green tasks run different images", bars=f"{AT_START} by_digest one_task count")
def tag_moved_between_two_tasks(plan: Plan) -> None:
    def script(environment: Environment) -> None:
        state = environment.world.task_state

        def differs(task_arn: str) -> TaskState:
            found, spec = state(task_arn), environment.world._tasks[task_arn].spec
            if spec.task_definition_arn == environment.green_definition:
                found.containers["app"].image_digest = f"sha256:{sha256(task_arn.encode()).hexdigest()}"
            return found

        environment.world.task_state = differs  # type: ignore[method-assign]

    at_the_end(plan, script)


@defect(INSTALLED, "is unhealthy (Target.ResponseCodeMismatch", bars=f"start door direct_by_rules {NO_FIGURES}")
def targets_are_unhealthy(plan: Plan) -> None:
    plan.at(INSTALLED, sick)


def sick(environment: Environment) -> None:
    """Green fails the load balancer's health checks, and its tasks are not replaced for it yet."""
    environment.world.target_health[environment.green_group] = UNHEALTHY
    environment.ecs.update_service(cluster="main", service="shop", healthCheckGracePeriodSeconds=100_000)


def one_sick(environment: Environment) -> None:
    """One of green's targets fails."""
    environment.world.target_health[targets_of(environment, environment.green_group)[0]] = UNHEALTHY
    environment.ecs.update_service(cluster="main", service="shop", healthCheckGracePeriodSeconds=100_000)


@defect(INSTALLED, "is unhealthy (Target.ResponseCodeMismatch", bars=f"start door one_task {UNSEEN} {NO_FIGURES}")
def one_of_the_targets_is_unhealthy(plan: Plan) -> None:
    plan.at(INSTALLED, one_sick)


# Green's answers, before its customers meet it.


def answering(plan: Plan, answer: Callable[[Any], Response | None]) -> None:
    """Let green answer otherwise."""
    plan.answer = lambda _environment, request: answer(request)


@defect(TESTED, "[STATUS] (500)", bars=f"{NOBODY_ASKS} test_port_closed login_but_for_health")
def answers_500(plan: Plan) -> None:
    answering(plan, lambda _: Response(500, "Traceback"))


@defect(TESTED, "[STATUS] (503)", bars=f"{NOBODY_ASKS} test_port_closed login_but_for_health")
def answers_503(plan: Plan) -> None:
    answering(plan, lambda _: Response(503))


@defect(TESTED, "GET /", bars=f"{NOBODY_ASKS} test_port_closed login_but_for_health")
def closes_the_connection(plan: Plan) -> None:
    answering(plan, lambda _: None)


@defect(
    TESTED,
    "[STATUS] (302",
    bars=f"{NOBODY_ASKS} test_port_closed login_but_for_health door matcher_200_399 matcher_301_302",
)
def redirects_off(plan: Plan) -> None:
    """Everything is sent to production's name, where blue answers."""
    answering(plan, lambda _: Response(302, "", {"Location": "https://www.example.com/"}))


@defect(TESTED, "no green target is healthy", bars="start internal_and_outside")
def no_target_is_healthy(plan: Plan) -> None:
    plan.at(TESTED, sick)


@defect(TESTED, "is unhealthy (Target.ResponseCodeMismatch", bars=f"start one_task {ON_INSTANCES} ipv6_targets")
def one_target_is_unhealthy_by_now(plan: Plan) -> None:
    plan.at(TESTED, one_sick)


@defect(TESTED, "the test listener does not forward to green", bars=f"test_first door {NO_FIGURES}")
def test_listener_is_still_on_blue(plan: Plan) -> None:
    plan.at(TESTED, lambda environment: environment.lead(environment.test_listener, {environment.blue_group: 100}))


@defect(TESTED, "of the test listener, rule 90", bars=f"test_first door {NO_FIGURES}")
def a_rule_of_the_test_listener_is_on_blue(plan: Plan) -> None:
    plan.at(
        TESTED,
        lambda environment: environment.create_rule(
            environment.test_listener, 90, {"path-pattern": ["/api/*"]}, [environment.forward(environment.blue_group)]
        ),
    )


DECLARED = {"http_checks": {"orders": {"path": "/orders", "body_contains": "total"}}}


@defect(TESTED, "/orders: [STATUS] (404)", bars=f"{NOBODY_ASKS} test_port_closed door health first_slow")
def own_check_finds_nothing(plan: Plan) -> None:
    plan.options[TESTED] = DECLARED
    answering(plan, lambda request: Response(404 if request.path == "/orders" else 200))


@defect(TESTED, "total", bars=f"{NOBODY_ASKS} test_port_closed door health")
def own_check_lacks_its_text(plan: Plan) -> None:
    plan.options[TESTED] = DECLARED


@defect(TESTED, "of 40 requests failed", bars=f"{NOBODY_ASKS} test_port_closed door health start traffic protocol")
def every_fifth_answer_is_an_error(plan: Plan) -> None:
    """It has to be asked often enough."""
    plan.options[TESTED] = {"http_checks": {"orders": {"path": "/orders", "samples": 40}}}
    answering(plan, lambda request: Response(500 if request.number % 5 == 4 else 200))


@defect(TESTED, "the deployment group has no test listener", bars="test_first internal_and_inside")
def test_listener_is_taken_away(plan: Plan) -> None:

    def take_away(environment: Environment) -> None:
        environment.update_group(loadBalancerInfo=environment.pair(None))
        environment.elbv2.delete_listener(ListenerArn=environment.test_listener)

    plan.at(TESTED, take_away)


@defect(TESTED, "failed", bars=f"{NOBODY_ASKS} test_port_closed login_but_for_health health door protocol")
def every_second_answer_is_an_error(plan: Plan) -> None:
    """One of two processes is broken, behind one address."""
    answering(plan, lambda request: Response(500 if request.number % 2 else 200))


# The migration.

MIGRATE = ["python", "manage.py", "migrate"]


def migrating(plan: Plan, how: Exit, command: tuple[str, ...] = tuple(MIGRATE), **options: Any) -> None:
    """A migration is declared, and ends so."""
    plan.options[MIGRATES] = {"command": MIGRATE, **options}
    plan.at(MIGRATES, lambda environment: environment.world.exits.update({command: how}))


NO_ENTRY = "shell_as_entry_point role_with_a_path sidecars place"


@defect(MIGRATES, "migrate (python manage.py migrate): exit 1", bars=NO_ENTRY)
def migration_fails(plan: Plan) -> None:
    migrating(plan, Exit(1, ("relation orders does not exist",)))


@defect(MIGRATES, "OutOfMemory", bars=NO_ENTRY)
def migration_is_out_of_memory(plan: Plan) -> None:
    """A child was killed, and its wrapper ended with 0."""
    migrating(plan, Exit(0, reason="OutOfMemoryError: Container killed due to memory usage"))


@defect(MIGRATES, "migrate", bars="definition sidecars place")
def migration_fails_behind_a_shell(plan: Plan) -> None:
    """ECS appends the command to the entry point `sh -c`, which takes one word: the rest would be lost."""
    plan.container |= {"entryPoint": ["sh", "-c"]}
    migrating(plan, Exit(1), ("sh", "-c", " ".join(MIGRATE)))


@defect(MIGRATES, "verify_schema", bars=NO_ENTRY)
def schema_is_not_as_it_should_be(plan: Plan) -> None:
    migrating(plan, Exit(0), verify_schema_command=["check"])
    plan.at(MIGRATES, lambda environment: environment.world.exits.update({("check",): Exit(1)}))


@defect(MIGRATES, "ECS did not start the task", bars=NO_ENTRY)
def migration_cannot_be_placed(plan: Plan) -> None:
    migrating(plan, Exit(0))

    def full(environment: Environment) -> None:
        environment.world.placement_failures = [PlacementFailure("RESOURCE:MEMORY") for _ in range(10_000)]

    plan.at(MIGRATES, full)


# Production.


@defect(AFTER, "the production listener does not forward to green", bars=f"door direct_by_rules {NO_FIGURES}")
def production_is_still_on_blue(plan: Plan) -> None:
    plan.at(
        AFTER,
        lambda environment: environment.lead(
            environment.production_listener, {environment.blue_group: 100, environment.green_group: 0}
        ),
    )


@defect(AFTER, "of the production listener, rule 90", bars=f"door direct_by_rules {NO_FIGURES}")
def a_production_rule_is_left_on_blue(plan: Plan) -> None:
    plan.at(
        AFTER,
        lambda environment: environment.create_rule(
            environment.production_listener,
            90,
            {"path-pattern": ["/api/*"]},
            [environment.forward(environment.blue_group)],
        ),
    )


@defect(AFTER, "listener on port 8888", bars="protocol redirect_beside login_in_front login_but_for_health")
def another_listener_is_left_on_blue(plan: Plan) -> None:
    """Somebody has opened it during the deployment."""

    def add(environment: Environment) -> None:
        environment.elbv2.create_listener(
            LoadBalancerArn=environment.load_balancer,
            Protocol="HTTP",
            Port=8888,
            DefaultActions=[environment.forward(environment.blue_group)],
        )

    plan.at(AFTER, add)


@defect(AFTER, "no green target is healthy")
def green_dies_at_the_shift(plan: Plan) -> None:
    plan.at(AFTER, sick)


@defect(AFTER, "[STATUS] (500)", bars=f"{NOBODY_ASKS} login_but_for_health")
def production_answers_500(plan: Plan) -> None:
    answering(plan, lambda _: Response(500))


@defect(AFTER, "[STATUS] (500)", bars=f"{NOBODY_ASKS} login_but_for_health door health start traffic")
def breaks_in_the_bake(plan: Plan) -> None:
    """Four minutes after the shift, with no customer to tell."""
    plan.blue = plan.green = Figures(0, ())
    began: list[float] = []
    plan.at(AFTER, lambda environment: began.append(environment.clock.now))
    plan.answer = lambda environment, _: Response(500 if began and environment.clock.now > began[0] + 240 else 200)


@defect(AFTER, "alarm shop-5xx is ALARM", bars="alarms")
def alarm_fires_in_the_bake(plan: Plan) -> None:
    plan.at(
        AFTER,
        lambda environment: environment.clock.after(150, lambda: environment.set_alarm("shop-5xx", "ALARM")),
    )


@defect(AFTER, "alarm shop-5xx does not exist", bars="alarms")
def alarm_is_deleted(plan: Plan) -> None:
    plan.at(AFTER, lambda environment: environment.cloudwatch.delete_alarms(AlarmNames=["shop-5xx"]))


@defect(AFTER, "requests to green failed", bars=f"{NO_FIGURES} traffic")
def customers_get_errors(plan: Plan) -> None:
    """A fifth of them; the health check is fine."""
    plan.green = Figures(300, errors=60)


@defect(AFTER, "more than chance explains", bars=f"{NO_FIGURES} traffic")
def many_more_errors_than_blue(plan: Plan) -> None:
    """A page that is new fails: 8 % where blue had 2 %."""
    plan.blue, plan.green = Figures(400, errors=8), Figures(400, errors=32)


@defect(AFTER, "requests to green failed", bars=f"{NO_FIGURES} traffic config")
def customers_get_errors_at_the_end(plan: Plan) -> None:
    """A queue was full after four minutes."""
    for_a_while(plan, 4, 20, Figures(300, errors=150))


@defect(AFTER, "p95", bars=f"{NO_FIGURES} traffic config")
def slower_and_slower(plan: Plan) -> None:
    """A leak: from the third minute on everything takes ten times as long."""
    for_a_while(plan, 2, 20, Figures(300, (0.2, 0.3, 0.5)))


@defect(AFTER, "p95", bars=f"{NO_FIGURES} traffic")
def three_times_as_slow(plan: Plan) -> None:
    plan.blue, plan.green = Figures(300, (0.2, 0.3, 0.4)), Figures(300, (0.6, 0.9, 1.2))


@defect(AFTER, "no request", bars=f"{NO_FIGURES} {NOBODY_ASKS} login_but_for_health traffic")
def cloudwatch_answers_nothing(plan: Plan) -> None:
    """The hook has sent requests itself, and CloudWatch has none: it could not look."""
    plan.blue = plan.green = Figures(0, ())

    def deaf(environment: Environment) -> None:
        environment.instead["cloudwatch:GetMetricData"] = lambda parameters: {
            "MetricDataResults": [
                {"Id": query["Id"], "Label": query["Id"], "Timestamps": [], "Values": [], "StatusCode": "Complete"}
                for query in parameters["MetricDataQueries"]
            ]
        }

    plan.at(AFTER, deaf)


@defect(AFTER, "unhealthy", bars=f"start one_task {ON_INSTANCES} ipv6_targets {NO_FIGURES}")
def targets_die_in_the_bake(plan: Plan) -> None:
    """Two minutes after the shift none of green's targets is healthy."""
    plan.at(AFTER, lambda environment: environment.clock.after(120, lambda: sick(environment)))


@defect(AFTER, "does not forward to green", bars=f"door direct_by_rules {NO_FIGURES}")
def somebody_leads_production_back(plan: Plan) -> None:
    def back(environment: Environment) -> None:
        environment.elbv2.modify_listener(
            ListenerArn=environment.production_listener, DefaultActions=[environment.forward(environment.blue_group)]
        )

    plan.at(AFTER, lambda environment: environment.clock.after(100, lambda: back(environment)))
