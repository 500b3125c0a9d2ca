"""What RunTask is told of a one-off task: command, environment, size, placement. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from gate.one_off import Target
from gate.options.migrations import RunMigrations

NETWORK = {"subnets": ["subnet-9"], "securityGroups": ["sg-9"], "assignPublicIp": "ENABLED"}
PLACED = ("launchType", "capacityProviderStrategy", "platformVersion")


def request(declared: dict[str, Any] | None = None, placement: dict[str, Any] | None = None, **options: Any) -> Any:
    """RunTask's parameters, of a container so declared and tasks so placed."""
    target = Target("task-definition/shop:2", {}, "app", declared or {}, placement or {"launchType": "FARGATE"})
    return target.request(("migrate", "it"), RunMigrations(command=("migrate",), **options))


def test_by_default_nothing_is_overridden_but_the_command() -> None:
    own = {"environment": [{"name": "PGOPTIONS", "value": "-c search_path=shop"}]}
    assert request(own) == {
        "taskDefinition": "task-definition/shop:2",
        "overrides": {"containerOverrides": [{"name": "app", "command": ["migrate", "it"]}]},
        "launchType": "FARGATE",
    }


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {}),
        ({"assign_public_ip": False}, {"assignPublicIp": "DISABLED"}),
        ({"subnets": ["subnet-1"]}, {"subnets": ["subnet-1"]}),
        ({"security_groups": ["sg-1", "sg-2"]}, {"securityGroups": ["sg-1", "sg-2"]}),
    ],
)
def test_one_part_of_the_network(options: dict[str, Any], changed: dict[str, Any]) -> None:
    told = request(placement={"networkConfiguration": {"awsvpcConfiguration": NETWORK}}, **options)
    assert told["networkConfiguration"] == {"awsvpcConfiguration": {**NETWORK, **changed}}


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        ("FARGATE", {"launchType": "FARGATE", "platformVersion": "1.4.0"}),
        ("EC2", {"launchType": "EC2"}),
        ("EXTERNAL", {"launchType": "EXTERNAL"}),
        ("FARGATE_SPOT", {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
                          "platformVersion": "1.4.0"}),
        ("my-instances", {"capacityProviderStrategy": [{"capacityProvider": "my-instances", "weight": 1}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "of_service",
    [{"launchType": "FARGATE"}, {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 3}]}],
)
def test_what_launches_it(launch: str, expected: dict[str, Any], of_service: dict[str, Any]) -> None:
    """Only Fargate has platform versions: with any other, ECS refuses one."""
    told = request(placement={"platformVersion": "1.4.0", **of_service}, launch=launch)
    assert {key: told[key] for key in PLACED if key in told} == expected


@pytest.mark.parametrize(
    ("own", "options", "expected"),
    [
        ("", {"lock_timeout": 5}, "-c lock_timeout=5000"),
        ("", {"statement_timeout": 0.25}, "-c statement_timeout=250"),
        ("", {"lock_timeout": 5, "statement_timeout": 600}, "-c lock_timeout=5000 -c statement_timeout=600000"),
        ("", {"environment": {"PGOPTIONS": "-c jit=off"}}, "-c jit=off"),
        # RunTask would replace the container's own: without its search_path it would migrate another schema.
        ("-c search_path=shop", {"lock_timeout": 5}, "-c search_path=shop -c lock_timeout=5000"),
        ("-c search_path=shop", {"lock_timeout": 5, "environment": {"PGOPTIONS": "-c jit=off"}},
         "-c jit=off -c lock_timeout=5000"),
    ],
)  # fmt: skip
def test_what_postgresql_is_told(own: str, options: dict[str, Any], expected: str) -> None:
    told = request({"environment": [{"name": "A", "value": "b"}, {"name": "PGOPTIONS", "value": own}]}, **options)
    (override,) = told["overrides"]["containerOverrides"]
    assert override["environment"] == [{"name": "PGOPTIONS", "value": expected}]
