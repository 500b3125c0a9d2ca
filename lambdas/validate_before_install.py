"""BeforeInstall: whatever would make this deployment fail later, found before anything is made.

Green does not exist yet. What AWS itself refuses when something is registered or created is not looked at. All checks
run, causes before what follows from them, so that one run names all problems. On a rollback deployment they only warn:
nothing here may stand in the way of going back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gate.names import check, names_of
from gate.options.hooks import ValidateBeforeInstall
from gate.preflight_blue import OF_BLUE, Blue
from gate.preflight_hooks import HookChecks
from gate.preflight_native import NativeChecks
from gate.preflight_needs import NeedsChecks
from gate.preflight_requests import RequestChecks
from gate.preflight_roles import RoleChecks
from gate.preflight_routes import Routes
from gate.release import Release
from gate.runner import Gate, hook
from gate.verdict import Finding, Severity, failed, passed, skipped
from gate.waiting import retry_throttled


class ReleaseChecks:
    """The AppSpec and its task definition: do they fit each other and the service?"""

    def __init__(self, release: Release) -> None:
        self.release = release

    @check(calls=["s3:GetObject"])
    def appspec(self) -> Finding:
        """The AppSpec can be read (JSON or YAML, from CodeDeploy or S3) and describes one ECS service."""
        found = self.release.plan
        hooks = ", ".join(found.hooks) or "no hook"
        if found.unknown:
            said = f"the AppSpec's {', '.join(found.unknown)} is no property that CodeDeploy reads"
            return replace(failed(f"{said}: fix its name or its place, or take it out"), advisory=True)
        return passed(f"the AppSpec deploys {found.task_definition} with {hooks}")

    @check()
    def task_definition(self) -> Finding:
        """The AppSpec's task definition exists and is ACTIVE."""
        name, status = self.release.plan.task_definition, self.release.definition.get("status")
        if status != "ACTIVE":
            return failed(f"task definition {name} is {status}, expected ACTIVE: register it anew")
        return passed(f"task definition {name} is ACTIVE")

    @check()
    def container_port(self) -> Finding:
        """The AppSpec's container is in the task definition and maps the AppSpec's port."""
        name, port = self.release.plan.container_name, self.release.plan.container_port
        if not self.release.container:
            known = ", ".join(str(each.get("name")) for each in self.release.containers)
            plan = self.release.deployment.words.source
            return failed(f"{plan} names container {name}, which is not in the task definition (it has {known})")
        mappings = self.release.container.get("portMappings") or []
        if not any(_maps(mapping, port) for mapping in mappings):
            ports = [str(each.get("containerPortRange") or each.get("containerPort")) for each in mappings]
            mapped = ", ".join(ports) or "(none)"
            plan = self.release.deployment.words.source
            return failed(f"container {name} maps port {mapped}, {plan} says {port}: make them one")
        return passed(f"container {name} maps port {port}")

    @check(Severity.WARN)
    def launch_type(self) -> Finding:
        """The AppSpec names the capacity provider strategy, if the service runs by one: CodeDeploy takes none over."""
        lost = ", ".join(self.release.strategy_lost)
        if lost:
            name = self.release.deployment.service_name
            return failed(
                f"service {name} runs on capacity providers {lost}, a strategy that CodeDeploy does not take over: "
                "green starts on the launch type; name the strategy in the AppSpec (CapacityProviderStrategy)"
            )
        return passed("green is launched as blue was, or as the AppSpec says")


def _maps(mapping: Mapping[str, Any], port: int) -> bool:
    """Whether a container's port mapping has a port: as `containerPort`, or in `containerPortRange` ("8000-8010")."""
    first, _, last = str(mapping.get("containerPortRange") or mapping.get("containerPort")).partition("-")
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


CALLS = (
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
)
CHECKS = (Blue, ReleaseChecks, RoleChecks, NeedsChecks, Routes, RequestChecks, HookChecks, NativeChecks)


@hook("BeforeInstall", ValidateBeforeInstall, names_of(*CHECKS), CALLS, advisory_on_rollback=True)
def handler(gate: Gate[ValidateBeforeInstall]) -> None:
    """Decide whether the service, the task definition and the infrastructure are fit for this deployment."""
    blue = Blue(gate)
    release = Release(gate.deployment, lambda: blue.current)
    routes = Routes(blue, release)
    for checks in (
        blue,  # service, blue_targets, running_count, service_steady, stale_task_sets
        ReleaseChecks(release),  # appspec, task_definition, container_port, launch_type
        RoleChecks(release),  # roles, service_role
        NeedsChecks(release),  # images, cpu_architecture, secrets, parameters, log_groups
        # target_groups, production_weights, test_weights, listener_rules, other_listeners, availability_zones,
        # free_addresses, alarms
        routes,
        RequestChecks(routes),  # test_listener, requests
        HookChecks(gate.deployment),  # hook_functions, hook_settings, hook_versions
        NativeChecks(gate.deployment),  # lifecycle_hooks
    ):
        for named in names_of(type(checks)):
            if named.name in gate.deployment.without:
                continue
            look = getattr(checks, named.name)
            if gate.deployment.is_first and named.name in OF_BLUE:
                look = partial(skipped, "it creates the service: nothing serves yet")
            probe = partial(retry_throttled, look, gate.deadline)
            gate.check(named.name, probe, named.severity)
