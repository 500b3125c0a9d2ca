"""Plays one deployment of a service of a stack, in a process of its own, and says who stopped it."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal import native
from rehearsal.aws import codedeploy, world
from rehearsal.aws.server import StandIn
from rehearsal.calls import FunctionCalls
from rehearsal.certificates import authority
from rehearsal.customers import Customers
from rehearsal.lifecycle import Clients, Player, Timeline
from rehearsal.play import Watcher, explained_by, make_clients, with_settings
from rehearsal.preparations import fire_alarm
from rehearsal.record import Expectation, Record, verdicts_of
from rehearsal.scenarios import HOOKS, Expected, Release, Scenario
from rehearsal.stacks.answers import answers
from rehearsal.stacks.cases import Case, quicker
from rehearsal.stacks.engine import Applied, StackStage
from rehearsal.stacks.roles import Judged, service_roles
from rehearsal.stacks.routes import Route, production_route
from rehearsal.stacks.services import GREEN, Service, with_tag
from rehearsal.stacks.stand_ins import StackMachine, StandIns, of_service
from rehearsal.stage import ACCOUNT_ID, aws_environment

READY_LIMIT = 90.0
"""Seconds that blue has to serve."""

CUSTOMERS, INTERVAL = 24, 1.0
"""How many there are, and seconds between two requests of one: the hooks' own are few beside them."""

_REGISTERED = (
    *("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes", "runtimePlatform"),
    *("placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode", "proxyConfiguration"),
    *("ephemeralStorage", "inferenceAccelerators"),
)


@dataclass(frozen=True)
class Played:
    """A deployment of a stack's service as it was played."""

    record: Record
    stopped_by: str
    """A hook's function, `platform`, or `nothing`."""
    roles: list[Judged]
    """What the roles of whoever deploys were asked for."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        roles = [vars(each) for each in self.roles]
        return {**self.record.as_dict(), "stopped_by": self.stopped_by, "service_roles": roles}


def play_case(
    case: Case, service: Service, stage: StackStage, applied: Applied, folder: Path, *, watcher: Watcher, command: str
) -> Played:
    """Play a deployment in a process forked by the stage.

    Args:
        case: what is wrong with the release.
        service: what is deployed.
        stage, applied: where.
        folder: scratch of this deployment.
        watcher: told what goes on.
        command: the user's, in the place of the program that stands in for the application; empty for none.
    """
    began = time.time()
    endpoint = StandIn().serve(threaded=True)
    folder.mkdir(parents=True)
    (folder / "authority.pem").write_text(authority().certificate)
    aws = aws_environment(endpoint, service.region)
    aws |= {"REQUESTS_CA_BUNDLE": str(folder / "authority.pem"), "REHEARSAL_SEALED": "1"}
    rules, notes = answers(service.settings)
    machine = StackMachine(
        ACCOUNT_ID,
        service.region,
        folder,
        image_source=StandIns(service, case, rules, folder / "image", command),
        function_folder=stage.functions,
        function_python=stage.function_python,
        aws=aws,
        written=watcher.wrote,
    )
    world.use(machine)
    try:
        machine.start(of_service(applied.tasks, service))
        clients = make_clients(endpoint, service.region)
        if service.platform == "ecs":
            native.put_in_place(clients, service.outputs, {})
        route = production_route(clients, service.outputs, machine.balancer.ports, [*service.health, "/"])
        _await_blue(machine, clients, service, route)
        calls = FunctionCalls(service.outputs["function_names"], enforced=True)
        customers = Customers(0, route.ask if route else None, count=CUSTOMERS, interval=INTERVAL)
        if route:
            customers.come()
        roles = service_roles(clients, service)
        player = _player(case, service, clients, machine, watcher)
        watcher.say(f"  deployment {player.deployment_id} of {service.name}: {case.title[0].lower()}{case.title[1:]}")
        timeline = player.play()
        time.sleep(0.5)  # the customers have the last word
        customers.go()
        serving = sorted({_release(route)}) if route else ["nobody: no request leads there"]
        told = explained_by(player, endpoint, service.region)
        record = Record(
            scenario=_as_scenario(case, service),
            timeline=timeline,
            prepared=notes,
            expectations=list(_expectations(timeline, calls)),
            visits=list(customers.visits),
            serving=serving,
            revision="not looked at",
            blue=service.tag,
            command=f"make rehearse STACK={stage.root}",
            began=began,
            seconds=time.time() - began,
            calls=calls.as_list(),
            explained=told.text(),
        )
    finally:
        machine.end()
    return Played(record, stopped_by(timeline), roles)


def stopped_by(timeline: Timeline) -> str:
    """Say who stopped a deployment: a hook's function, the platform, or nothing."""
    if timeline.status in ("Succeeded", "SUCCESSFUL"):
        return "nothing"
    by_hook = (timeline.error or ("",))[0].startswith("HOOK")
    return HOOKS.get(timeline.stopped_at or "", "platform") if by_hook else "platform"


def _expectations(timeline: Timeline, calls: FunctionCalls) -> Any:
    """What holds of every deployment: each hook has one report taken and one verdict, and is allowed what it asks."""
    for each in timeline.events:
        if each.hook and each.hook.report:
            verdicts, reports = " and ".join(sorted(verdicts_of(each))), each.hook.accepted_reports
            came = f"{verdicts}, {reports} report{'' if reports == 1 else 's'} taken"
            yield Expectation(f"at {each.name}", f"{each.hook.report.upper()}, 1 report taken", came)
    yield Expectation("calls that the hooks' policies do not allow", "none", ", ".join(calls.denied) or "none")


def _as_scenario(case: Case, service: Service) -> Scenario:
    return Scenario(
        case.name, f"{service.name}: {case.title}", case.story, Expected(), Release(GREEN), platform=service.platform
    )


def _release(route: Route | None) -> str:
    visit = route.ask() if route else None
    return (visit.version or f"HTTP {visit.status}") if visit else ""


def _await_blue(machine: StackMachine, clients: Clients, service: Service, route: Route | None) -> None:
    deadline = time.monotonic() + READY_LIMIT
    while time.monotonic() < deadline:
        names = {"cluster": service.outputs["cluster_name"], "services": [service.name]}
        found = clients.ecs.describe_services(**names)["services"][0]
        counts = [(healthy, unhealthy) for _, _, healthy, unhealthy in machine.balancer.host_counts()]
        ready = found["runningCount"] >= found["desiredCount"] and not found["pendingCount"]
        healthy = not route or any(healthy and not unhealthy for healthy, unhealthy in counts)
        steady = all(each["stabilityStatus"] == "STEADY_STATE" for each in found.get("taskSets") or [])
        if ready and healthy and steady:
            return
        time.sleep(0.2)
    # What keeps it from it, the first hook says better.


def _hurry(case: Case, service: Service, clients: Clients) -> str:
    """Let the hooks after the first one take seconds where they would take minutes."""
    for hook, name in service.outputs["function_names"].items():
        if hook in case.timeouts:
            clients.functions.update_function_configuration(FunctionName=name, Timeout=case.timeouts[hook])
        changes = quicker(hook, service.settings.get(hook) or {})
        if changes:
            known = clients.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            settings = with_settings(known.get("HOOK_SETTINGS", "{}"), changes)
            clients.functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": {**known, "HOOK_SETTINGS": settings}}
            )
    return "the hooks are told shorter times: seconds for minutes"


def _player(
    case: Case, service: Service, clients: Clients, machine: StackMachine, watcher: Watcher
) -> Player | native.NativePlayer:
    runs, outputs = machine.functions.attempts, service.outputs
    by_ecs = service.platform == "ecs"
    steps: dict[str, Callable[[], str]] = {
        "SCALE_UP" if by_ecs else "Install": functools.partial(_hurry, case, service, clients)
    }
    if case.alarm and service.alarm:
        event = "POST_PRODUCTION_TRAFFIC_SHIFT" if by_ecs else "AfterAllowTraffic"
        steps[event] = functools.partial(fire_alarm, clients, {**outputs, "alarm_name": service.alarm})
    definition = _register(service, clients)
    if by_ecs:
        names = {"cluster": outputs["cluster_name"], "service": service.name}
        clients.ecs.update_service(**names, taskDefinition=definition)
        return native.NativePlayer(native.latest(outputs), clients, runs, watcher.event, meanwhile=steps)
    created = clients.codedeploy.create_deployment(
        applicationName=outputs["application_name"],
        deploymentGroupName=outputs["deployment_group_name"],
        revision={
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": app_spec(service, clients, definition)},
        },
    )
    return Player(codedeploy.find(created["deploymentId"]), clients, runs, watcher.event, meanwhile=steps)


def app_spec(service: Service, clients: Clients, definition: str) -> str:
    """Write the AppSpec as a team's pipeline does: with the capacity provider strategy, where the service has one."""
    names = {"cluster": service.outputs["cluster_name"], "services": [service.name]}
    strategy = clients.ecs.describe_services(**names)["services"][0].get("capacityProviderStrategy") or []
    properties: dict[str, Any] = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": service.container, "ContainerPort": service.port},
    }
    if strategy:
        properties["CapacityProviderStrategy"] = [
            {key[0].upper() + key[1:]: value for key, value in each.items()} for each in strategy
        ]
    target = json.dumps({"Type": "AWS::ECS::Service", "Properties": properties})
    return f"version: 0.0\nResources:\n  - TargetService: {target}\n{service.outputs['appspec_hooks']}"


def _register(service: Service, clients: Clients) -> str:
    """Register the release: the service's task definition with another tag of each image."""
    told = clients.ecs.describe_task_definition(taskDefinition=service.outputs["task_family"])["taskDefinition"]
    kept = {name: told[name] for name in _REGISTERED if told.get(name)}
    for container in kept["containerDefinitions"]:
        container["image"] = with_tag(container["image"], GREEN)
    arn: str = clients.ecs.register_task_definition(**kept)["taskDefinition"]["taskDefinitionArn"]
    return arn
