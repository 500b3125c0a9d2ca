"""Plays one scenario on the stage, in a process of its own, and says whether it ended as expected."""

from __future__ import annotations

import base64
import dataclasses
import functools
import gc
import gzip
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rehearsal import native
from rehearsal.aws import codedeploy, world
from rehearsal.aws.ecs_native import ServiceDeployment
from rehearsal.aws.server import StandIn
from rehearsal.aws.world import TaskSpec
from rehearsal.calls import FunctionCalls
from rehearsal.certificates import authority
from rehearsal.customers import Customers, Visit, visit
from rehearsal.lifecycle import Clients, EventRecord, Player, Timeline
from rehearsal.machine import Machine
from rehearsal.own import own_checks
from rehearsal.preparations import has_test_listener
from rehearsal.record import Expectation, Record, checks_of, hops_of, verdicts_of
from rehearsal.scenarios import BLUE, HOOKS, Scenario
from rehearsal.stage import ACCOUNT_ID, REGION, Applied, Stage, aws_environment, client
from tools.explain import STOPPED, SUCCEEDED, Aws, Teller, Told, plain

READY_LIMIT = 60.0
"""Seconds that blue has to serve."""

PROBES = 20
"""Requests on the production listener at the end, to see who serves."""


class Watcher(Protocol):
    """Whoever watches a scenario being played."""

    def say(self, line: str) -> None:
        """Take a line of progress."""

    def note(self, line: str) -> None:
        """Take a line of progress that is told again at the end."""

    def event(self, record: EventRecord) -> None:
        """Take note of an event: that it began, made progress or has ended."""

    def wrote(self, group: str, stream: str, line: str) -> None:
        """Take a line that a function or a container wrote, with its log group and stream."""


def play(
    scenario: Scenario,
    stage: Stage,
    applied: Applied,
    folder: Path,
    *,
    watcher: Watcher,
    at_end: Callable[[Record, str], None] | None = None,
) -> Record:
    """Play a scenario in a process forked by the stage; return the record of it.

    Args:
        scenario: what to play.
        stage, applied: where.
        folder: scratch of this scenario.
        watcher: told what goes on.
        at_end: called before everything is ended, with the record and where to find what runs.
    """
    began = time.time()
    stand_in = StandIn()
    endpoint = stand_in.serve(threaded=True)
    aws = aws_environment(endpoint)
    folder.mkdir(parents=True)
    machine = Machine(
        ACCOUNT_ID,
        REGION,
        folder,
        image_source=stage.images,
        function_folder=stage.functions,
        function_python=stage.function_python,
        aws=aws,
        written=watcher.wrote,
    )
    stage.database(machine.volume)
    world.use(machine)
    silence = _silent_socket()
    silent = f"http://127.0.0.1:{silence.getsockname()[1]}"
    (folder / "authority.pem").write_text(authority().certificate)
    try:
        machine.start(with_environment(applied.tasks, scenario.blue_environment))
        clients = make_clients(endpoint)
        by_ecs = scenario.platform == "ecs"
        if by_ecs and not scenario.creates:
            native.put_in_place(clients, applied.outputs, scenario.configuration)
        production = machine.balancer.ports[f"{applied.outputs['load_balancer_dns_name']}:80"]
        test = machine.balancer.ports[f"{applied.outputs['load_balancer_dns_name']}:8080"]
        if not scenario.creates:
            _await_blue(machine, production)
        calls = FunctionCalls(applied.outputs["function_names"])
        _configure_functions(scenario, applied, endpoint, {"silent": silent, "authority": folder / "authority.pem"})
        prepared = []
        for step in scenario.prepare:
            prepared.append(step(clients, applied.outputs))
            watcher.say(f"  before it: {prepared[-1]}")
        customers = Customers(production)
        if scenario.customers and not scenario.creates:
            customers.come()
        player = _player(scenario, applied.outputs, clients, machine, watcher)
        watcher.say(f"  deployment {player.deployment_id} of release {scenario.release.tag}")
        timeline = player.play()
        if timeline.rollback_id:
            watcher.note(f"  ↩ rollback {timeline.rollback_id}: {'; '.join(timeline.rollback_notes)}")
        time.sleep(0.5)  # the customers have the last word
        customers.go()
        probes = [visit(production) for _ in range(PROBES)]
        # Where the deployment group has no test listener, nothing moves the one that the load balancer has.
        tested = native.has_test_listener if by_ecs else has_test_listener
        database = _look_into(machine.volume / "orders.db", scenario)
        told = explained_by(player, endpoint)
        record = Record(
            scenario=scenario,
            timeline=timeline,
            prepared=prepared,
            expectations=check(
                scenario,
                timeline,
                probes,
                visit(test, tls=machine.balancer.serves_https(test)) if tested(clients, applied.outputs) else None,
                database,
                denied=calls.denied,
                explained=told,
            ),
            explained=told.text(),
            calls=calls.as_list(),
            visits=list(customers.visits),
            serving=sorted({probe.version or f"HTTP {probe.status}" for probe in probes}),
            revision=database.revision,
            began=began,
            seconds=time.time() - began,
        )
        if at_end is not None:
            addresses = f"production http://127.0.0.1:{production}, test http://127.0.0.1:{test}"
            at_end(record, f"{addresses}, AWS_ENDPOINT_URL={endpoint}, files in {folder}")
    finally:
        machine.end()
        silence.close()
    return record


@dataclass(frozen=True)
class Database:
    """What the database says in the end."""

    revision: str
    runs: int = 1
    """How often the release's migration has begun."""
    left: int = 0
    """Orders that the hooks have placed and not deleted."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """By query of the scenario."""


def check(
    scenario: Scenario,
    timeline: Timeline,
    probes: list[Visit],
    test_probe: Visit | None,
    database: Database,
    *,
    denied: Sequence[str] = (),
    explained: Told | None = None,
) -> list[Expectation]:
    """Compare how a scenario ended with how it was expected to; without a test listener there is no `test_probe`.

    Whatever happens, each hook has one report accepted and comes to one verdict, the migration begins once at most, no
    order that a hook has placed is left, no hook calls what its policies do not allow (`denied`), and what is told of
    the deployment afterwards (`explained`) is what has happened.
    """
    expected = scenario.expected
    found = [
        Expectation("the deployment is", expected.status, timeline.status),
        Expectation("it stops at", expected.stopped_at or "no event", timeline.stopped_at or "no event"),
        Expectation("its error is", expected.error or "none", timeline.error[0] if timeline.error else "none"),
    ]
    event = next((e for e in timeline.events if e.name == expected.stopped_at), None)
    message = str((event.hook.result or {}).get("message", "")) if event and event.hook else ""
    found += [
        Expectation("the hook's message has", text, text if text in message else message) for text in expected.message
    ]
    for function, checks in expected.checks.items():
        for name, outcome in checks.items():
            came = found_by(timeline, function, name)
            met = outcome if came.startswith(outcome) else came
            found.append(Expectation(f"{function}'s check {name} is", outcome, met))
    if expected.hops:
        hops = sum(len(hops_of(event)) for event in timeline.events)
        at_least = f"at least {expected.hops}"
        found.append(
            Expectation("fresh invocations went on", at_least, at_least if hops >= expected.hops else str(hops))
        )
    told = "; ".join(timeline.rollback_notes)
    found += [
        Expectation("of the rollback is told", text, text if text in told else told) for text in expected.rollback
    ]
    for each in timeline.events:
        if each.hook and each.hook.report:
            verdicts, reports = " and ".join(sorted(verdicts_of(each))), each.hook.accepted_reports
            came = f"{verdicts}, {reports} report{'' if reports == 1 else 's'} taken"
            found.append(Expectation(f"at {each.name}", f"{each.hook.report.upper()}, 1 report taken", came))
    serving = ", ".join(sorted({probe.version or f"HTTP {probe.status}" for probe in probes}))
    found.append(Expectation("production answers from", expected.serving, serving))
    if test_probe is not None:
        answers = test_probe.version or f"HTTP {test_probe.status}"
        found.append(Expectation("the test listener answers from", expected.serving, answers))
    found.append(Expectation("the database is at revision", expected.revision, database.revision))
    found += [
        Expectation(f"the database answers {query}", answer, database.answers.get(query, "nothing"))
        for query, answer in expected.database.items()
    ]
    runs = "once at most" if database.runs <= 1 else f"{database.runs} times"
    found.append(Expectation("the release's migration has run", "once at most", runs))
    found.append(Expectation("orders that the hooks have left behind", "0", str(database.left)))
    found.append(Expectation("calls that the hooks' policies do not allow", "none", ", ".join(denied) or "none"))
    if explained is not None:
        ended_well = timeline.status in ("Succeeded", "SUCCESSFUL")
        found.append(
            Expectation("explain's exit status is", str(SUCCEEDED if ended_well else STOPPED), str(explained.outcome))
        )
        if event and event.hook and event.hook.report == "Failed" and message:
            last, reason = plain(explained.headline()), plain(message)
            found.append(
                Expectation("explain's last line tells the reason", reason, reason if reason in last else last)
            )
    return found


def explained_by(player: Player | native.NativePlayer, endpoint: str, region: str = REGION) -> Told:
    """Tell the deployment as somebody would who knows no more than its id, or ARN."""
    aws = Aws(None, make=lambda service, **_: client(service, endpoint, region))
    return Teller(aws, {}, lambda _: None).tell(
        player.arn if isinstance(player, native.NativePlayer) else player.deployment_id
    )


def found_by(timeline: Timeline, function: str, name: str) -> str:
    """Return what came of a hook's check, `<outcome>: <detail>`; of one taken several times, of the last."""
    for event in timeline.events:
        if HOOKS.get(event.name) == function:
            for check in reversed(checks_of(event)):
                if check.get("name") == name:
                    return f"{check.get('outcome')}: {check.get('detail', '')}"
    return "not there"


def _await_blue(machine: Machine, production: int) -> None:
    deadline = time.monotonic() + READY_LIMIT
    while True:
        counts = [(healthy, unhealthy) for _, _, healthy, unhealthy in machine.balancer.host_counts()]
        if any(healthy > 1 and not unhealthy for healthy, unhealthy in counts) and visit(production).version == BLUE:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"release {BLUE} did not serve within {READY_LIMIT:.0f} s: {counts}")
        time.sleep(0.1)


def _player(
    scenario: Scenario, outputs: Mapping[str, Any], clients: Clients, machine: Machine, watcher: Watcher
) -> Player | native.NativePlayer:
    """Begin the deployment; return who plays it."""
    runs, progress = machine.functions.attempts, watcher.event
    meanwhile = {event: functools.partial(step, clients, outputs) for event, step in scenario.meanwhile.items()}
    if scenario.platform == "ecs":
        begun = _update(scenario, outputs, clients)
        return native.NativePlayer(begun, clients, runs, progress, meanwhile=meanwhile)
    created = _deploy(scenario, outputs, clients)
    return Player(created, clients, runs, progress, deliveries=scenario.deliveries, meanwhile=meanwhile)


def _deploy(scenario: Scenario, outputs: Mapping[str, Any], clients: Clients) -> codedeploy.Deployment:
    """Write the AppSpec and create the deployment, as a team's pipeline does."""
    content = APP_SPEC.format(
        task_definition=scenario.release.task_definition or _register(scenario, outputs, clients),
        container_port=scenario.release.container_port,
        hooks=outputs["appspec_hooks"],
    )
    created = clients.codedeploy.create_deployment(
        applicationName=outputs["application_name"],
        deploymentGroupName=outputs["deployment_group_name"],
        description=scenario.title,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )
    return codedeploy.find(created["deploymentId"])


def _update(scenario: Scenario, outputs: Mapping[str, Any], clients: Clients) -> ServiceDeployment:
    """Update the service, or create it, as a team's pipeline does."""
    definition = _register(scenario, outputs, clients)
    if scenario.creates:
        native.create(clients, outputs, scenario.configuration, definition)
    else:
        service = {"cluster": outputs["cluster_name"], "service": outputs["service_name"]}
        clients.ecs.update_service(**service, taskDefinition=definition)
    return native.latest(outputs)


def _register(scenario: Scenario, outputs: Mapping[str, Any], clients: Clients) -> str:
    """Register the release's task definition; return its ARN."""
    ecs = clients.ecs
    definition = ecs.describe_task_definition(taskDefinition=outputs["task_family"])["taskDefinition"]
    container = definition["containerDefinitions"][0]
    container["image"] = container["image"].rpartition(":")[0] + ":" + scenario.release.tag
    secrets = {entry["name"]: entry["valueFrom"] for entry in container.get("secrets") or []} | dict(
        scenario.release.secrets
    )
    container["secrets"] = [{"name": name, "valueFrom": source} for name, source in secrets.items()]
    container["environment"] += [{"name": k, "value": v} for k, v in scenario.release.environment.items()]
    definition["containerDefinitions"] += [
        {"name": name, "command": list(command), "essential": False}
        | {key: container[key] for key in ("image", "logConfiguration")}
        for name, command in scenario.release.sidecars.items()
    ]
    registered: str = ecs.register_task_definition(
        **{
            key: definition[key]
            for key in ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
        },
        containerDefinitions=definition["containerDefinitions"],
    )["taskDefinition"]["taskDefinitionArn"]
    return registered


APP_SPEC = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "{task_definition}"
        LoadBalancerInfo:
          ContainerName: "app"
          ContainerPort: {container_port}
        PlatformVersion: "1.4.0"
{hooks}
"""


def with_environment(tasks: Iterable[TaskSpec], environment: Mapping[str, str]) -> list[TaskSpec]:
    """Return tasks whose containers have these variables too."""
    return [
        dataclasses.replace(
            task,
            containers=tuple(
                dataclasses.replace(container, environment={**container.environment, **environment})
                for container in task.containers
            ),
        )
        for task in tasks
    ]


def _configure_functions(scenario: Scenario, applied: Applied, endpoint: str, places: Mapping[str, object]) -> None:
    functions = client("lambda", endpoint)
    for hook, name in applied.outputs["function_names"].items():
        further = {k: v.format(**places) for k, v in scenario.function_environment.get(hook, {}).items()}
        settings = dict(scenario.settings.get(hook) or {})
        if mine := own_checks(hook):  # the environment has nothing of what they look at
            settings["checks"] = {**dict.fromkeys(mine, "skip"), **settings.get("checks", {})}
        if further or settings:
            known = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            if settings:
                further["HOOK_SETTINGS"] = with_settings(known.get("HOOK_SETTINGS", "{}"), settings)
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": known | further})
        if hook in scenario.function_timeout:
            functions.update_function_configuration(FunctionName=name, Timeout=scenario.function_timeout[hook])


def settings_of(text: str) -> dict[str, Any]:
    """Read a hook's settings: `text` is JSON, or the base64 of it compressed (gzip)."""
    plain = text if text.startswith("{") else gzip.decompress(base64.b64decode(text)).decode()
    settings: dict[str, Any] = json.loads(plain)
    return settings


def with_settings(text: str, changes: Mapping[str, Any]) -> str:
    """Return a hook's settings with changes, as JSON."""
    return json.dumps(_merged(settings_of(text), changes))


def _merged(settings: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(settings) if isinstance(settings, dict) else {}
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value) if isinstance(value, Mapping) else value
    return merged


def _silent_socket() -> socket.socket:
    """Return a socket that takes connections (the system does, for as many as the backlog holds) and says nothing."""
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(128)
    return silent


def read_models() -> None:
    """Read what the clients of a play are made of, before processes are forked that would each read it again."""
    make_clients("http://127.0.0.1:9")
    gc.freeze()  # what is there now stays, in each process: nobody looks for garbage in it


def make_clients(endpoint: str, region: str = REGION) -> Clients:
    """Make the clients of the stand-in in a region."""
    return Clients(
        ecs=client("ecs", endpoint, region),
        elbv2=client("elbv2", endpoint, region),
        functions=client("lambda", endpoint, region),
        cloudwatch=client("cloudwatch", endpoint, region),
        codedeploy=client("codedeploy", endpoint, region),
        acm=client("acm", endpoint, region),
        ecr=client("ecr", endpoint, region),
        logs=client("logs", endpoint, region),
        iam=client("iam", endpoint, region),
    )


def _look_into(path: Path, scenario: Scenario) -> Database:
    with closing(sqlite3.connect(path)) as connection:

        def ask(query: str, *values: str) -> list[str]:
            return [str(row[0]) for row in connection.execute(query, values)]

        return Database(
            revision=", ".join(ask("select version_num from alembic_version")) or "none",
            runs=len(ask("select rowid from migration_runs where version = ?", scenario.release.tag)),
            left=len(ask("select id from orders where item = 'rehearsal'")),
            answers={query: ", ".join(ask(query)) for query in scenario.expected.database},
        )


def save(record: Record, path: Path) -> None:
    """Write a record as JSON."""
    data: dict[str, Any] = record.as_dict()
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
