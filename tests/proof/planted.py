"""Secrets planted wherever a deployment may have one, and rehearsals of deployments that have them all.

Each value is distinct and stands in one place alone, so that one that is found says where it came from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rehearsal.lifecycle import Clients
from rehearsal.preparations import Outputs, allow
from rehearsal.scenarios import HOOKS, MIGRATION_ONLY, Expected, Release, Scenario, find
from rehearsal.stage import ACCOUNT_ID, REGION, client

PLANTED = {
    place: f"pl4nted-{number:02}-{place.replace(' ', '-')}"
    for number, place in enumerate(
        [
            "secret of a header",
            "secret of the container",
            "header of the hook",
            "header of a check",
            "cookie of a check",
            "query of a check",
            "environment of the functions",
            "environment of the container",
            "password in a url of the container",
            "options of the database",
            "password in a log line",
            "password in a url of a log line",
            "authorization in a log line",
            "cookie in a log line",
        ]
    )
}
PARAMETER = "/planted/header"
PARAMETER_ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter{PARAMETER}"


def plant(clients: Clients, outputs: Outputs) -> str:
    """Put the values where AWS keeps secrets: a parameter, and the secret that the containers get."""
    endpoint = clients.ecs.meta.endpoint_url
    client("ssm", endpoint).put_parameter(
        Name=PARAMETER, Value=PLANTED["secret of a header"], Type="SecureString", Overwrite=True
    )
    definition = clients.ecs.describe_task_definition(taskDefinition=outputs["task_family"])["taskDefinition"]
    arn = definition["containerDefinitions"][0]["secrets"][0]["valueFrom"]
    client("secretsmanager", endpoint).put_secret_value(SecretId=arn, SecretString=PLANTED["secret of the container"])
    for hook in ("validate_test_traffic", "validate_production"):
        allow(clients, outputs, hook, "ssm:GetParameter", PARAMETER_ARN)
    return "secrets are planted"


def _check(path: str) -> dict[str, Any]:
    return {
        "path": f"{path}?limit=1&token={PLANTED['query of a check']}",
        "headers": {"X-Api-Key": PLANTED["header of a check"], "Cookie": f"basket={PLANTED['cookie of a check']}"},
        "secret_headers": {"Authorization": f"Bearer {PARAMETER_ARN}"},
        "response_headers": {"set-cookie": {"equals": "none"}} if path != "/orders" else {},
    }


def _settings(path: str) -> Mapping[str, Mapping[str, Any]]:
    asked = {"headers": {"X-Session-Token": PLANTED["header of the hook"]}, "http_checks": {"planted": _check(path)}}
    return {
        "validate_test_traffic": {"samples": 2, **asked},
        "validate_production": {**MIGRATION_ONLY["validate_production"], **asked},
    }


CONTAINER = {
    "PARTNER_KEY": PLANTED["environment of the container"],
    "REPORTS_URL": f"https://orders:{PLANTED['password in a url of the container']}@reports.example.com",
    "PGOPTIONS": f"-c application_name={PLANTED['options of the database']}",
}
LOGGED = (
    f"password={PLANTED['password in a log line']} refused by "
    f"postgresql://orders:{PLANTED['password in a url of a log line']}@db/orders; "
    f"Authorization: Bearer {PLANTED['authorization in a log line']}; "
    f"Set-Cookie: session={PLANTED['cookie in a log line']}"
)
_planted = dataclasses.replace(
    find("healthy"),
    name="planted",
    prepare=(plant,),
    release=Release(environment=CONTAINER),
    settings=_settings("/orders"),
    function_environment={hook: {"PARTNER_TOKEN": PLANTED["environment of the functions"]} for hook in HOOKS.values()},
)
THRESHOLDS = {"p99_ms": 30_000}
SCENARIOS: Mapping[str, Scenario] = {
    # The healthy release where many are played side by side: how fast it answers then says nothing of a runtime.
    "healthy": dataclasses.replace(
        find("healthy"),
        settings={
            "validate_test_traffic": {"thresholds": THRESHOLDS},
            "validate_production": {"thresholds": THRESHOLDS, "load": {"rate": 5, "p99_ms": 30_000}},
        },
    ),
    "planted": _planted,
    "planted-crash": dataclasses.replace(
        _planted,
        name="planted-crash",
        release=Release(environment={**CONTAINER, "START_FAILURE": LOGGED}),
        expected=Expected(stopped_at="AfterInstall", message=("container app: exit 3", "orders:***@db/orders")),
    ),
    "planted-answer": dataclasses.replace(
        _planted,
        name="planted-answer",
        settings=_settings("/orders/0"),
        expected=Expected(stopped_at="AfterAllowTestTraffic", message=("GET /orders/0: [STATUS] (404)", "(***)")),
    ),
}
