"""BeforeInstall: whatever would make this deployment fail later, found before anything is made.

Green does not exist yet. What AWS itself refuses when something is registered or created is not looked at. All checks
run, causes before what follows from them, so that one run names all problems. On a rollback deployment they only warn:
nothing here may stand in the way of going back.
"""

from __future__ import annotations

from functools import partial

from gate.names import names_of
from gate.options.hooks import ValidateBeforeInstall
from gate.preflight_blue import OF_BLUE, Blue
from gate.preflight_hooks import HookChecks
from gate.preflight_needs import NeedsChecks
from gate.preflight_requests import RequestChecks
from gate.preflight_roles import RoleChecks
from gate.preflight_routes import Routes
from gate.release import Release
from gate.runner import Gate, hook
from gate.verdict import skipped
from gate.waiting import retry_throttled

CALLS = (
    "codedeploy:GetApplicationRevision",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeTargetGroups",
)
CHECKS = (Blue, Release, RoleChecks, NeedsChecks, Routes, RequestChecks, HookChecks)


@hook("BeforeInstall", ValidateBeforeInstall, names_of(*CHECKS), CALLS, advisory_on_rollback=True)
def handler(gate: Gate[ValidateBeforeInstall]) -> None:
    """Decide whether the service, the task definition and the infrastructure are fit for this deployment."""
    blue = Blue(gate)
    release = Release(gate.deployment, lambda: blue.current)
    routes = Routes(blue, release)
    for checks in (
        blue,  # service, blue_targets, running_count, service_steady, stale_task_sets
        release,  # appspec, task_definition, container_port, launch_type
        RoleChecks(release),  # roles, service_role
        NeedsChecks(release),  # images, cpu_architecture, secrets, parameters, log_groups
        # target_groups, production_weights, test_weights, listener_rules, other_listeners, availability_zones,
        # free_addresses, alarms
        routes,
        RequestChecks(routes),  # test_listener, requests
        HookChecks(gate.deployment),  # hook_functions, hook_settings, hook_versions, lifecycle_hooks
    ):
        for named in names_of(type(checks)):
            if named.name in gate.deployment.without:
                continue
            look = getattr(checks, named.name)
            if gate.deployment.is_first and named.name in OF_BLUE:
                look = partial(skipped, "it creates the service: nothing serves yet")
            probe = partial(retry_throttled, look, gate.deadline)
            gate.check(named.name, probe, named.severity)
