"""Ways to green as other people's load balancers have them, and both hooks that send requests over them."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import validate_production
import validate_test_traffic

from rehearsal.testing.stage import Stage

TEST, PRODUCTION = "AfterAllowTestTraffic", "AfterAllowTraffic"
# CloudWatch is asked elsewhere: nothing is published here.
QUICK: dict[str, Any] = {
    "samples": 0, "initial_delay": 0, "duration": 0, "metrics_delay": 0, "checks": {"traffic": "skip"}
}  # fmt: skip
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
LOGIN = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://login.example.com",
        "AuthorizationEndpoint": "https://login.example.com/authorize",
        "TokenEndpoint": "https://login.example.com/token",
        "UserInfoEndpoint": "https://login.example.com/user",
        "ClientId": "shop",
        "ClientSecret": "a-secret",
    },
}
# Target groups whose health check cannot be sent as a request, and what is said of it.
CANNOT_BE_ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "gRPC": ({"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "12"}}, "speaks gRPC only"),
    "HTTP/2": ({"ProtocolVersion": "HTTP2"}, "speaks HTTP/2 only"),
    "a management port": ({"HealthCheckPort": "9000"}, "is on port 9000, where no listener leads"),
    "TCP": ({"HealthCheckProtocol": "TCP", "HealthCheckPath": None, "Matcher": {}}, "is TCP, no path"),
    "UDP": (
        {"Protocol": "UDP", "HealthCheckProtocol": "TCP", "Matcher": {}},
        "is UDP, not HTTP: or ask another address",
    ),
}


def hook_of(event: str) -> ModuleType:
    """The hook that is called at either event."""
    return validate_test_traffic if event == TEST else validate_production


def settings_of(event: str, **more: Any) -> dict[str, Any]:
    """Options by which the hook is quick, and asks what it asks by default."""
    return {**(QUICK if event == PRODUCTION else {"samples": 0}), **more}


def by_rule(
    stage: Stage, event: str, conditions: Mapping[str, list[str]], *before: Mapping[str, Any], to: str = ""
) -> None:
    """Let only a rule of the hook's listener forward to green, or to another group; its default action answers."""
    listener = stage.test_listener if event == TEST else stage.production_listener
    stage.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[FIXED])
    stage.elbv2.create_rule(
        ListenerArn=listener,
        Priority=7,
        Conditions=[{"Field": field, CONFIGS[field]: {"Values": values}} for field, values in conditions.items()],
        Actions=[*before, {"Type": "forward", "Order": 50000, "TargetGroupArn": to or stage.green_group}],
    )


def group_with(stage: Stage, **changes: Any) -> None:
    """Let Elastic Load Balancing describe the target groups with other health checks."""
    stage.instead["elbv2:DescribeTargetGroups"] = lambda parameters: {
        "TargetGroups": [
            {**group, **changes} for group in stage.elbv2.describe_target_groups(**parameters)["TargetGroups"]
        ]
    }
