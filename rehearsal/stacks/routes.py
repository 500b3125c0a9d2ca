"""The ways of customers and testers to a service: by which listener, with which host and path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws.elbv2 import forward_weights
from rehearsal.customers import Visit, visit
from rehearsal.lifecycle import Clients
from rehearsal.listener_rules import Request, actions_for


@dataclass(frozen=True)
class Route:
    """A request that a listener leads to the service."""

    port: int
    """Of the listener, on loopback."""
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False

    def ask(self) -> Visit:
        """Send it."""
        return visit(self.port, path=self.path, tls=self.secure, asked=self.headers)

    def __str__(self) -> str:
        host = f" as {self.headers['Host']}" if "Host" in self.headers else ""
        return f"http{'s' * self.secure}://127.0.0.1:{self.port}{self.path}{host}"


def production_route(
    clients: Clients, outputs: Mapping[str, Any], ports: Mapping[str, int], paths: Sequence[str]
) -> Route | None:
    """Return how customers come to a service; None if no way is found that a plain request can take.

    Args:
        clients: of the stand-in.
        outputs: of the service.
        ports: of the listeners on loopback, by `<DNS name>:<port>`.
        paths: those that are tried first.
    """
    if outputs.get("native_service"):
        balanced = outputs["native_service"]["loadBalancers"][0]
        pair = {balanced["targetGroupArn"], balanced["advancedConfiguration"]["alternateTargetGroupArn"]}
        rule = balanced["advancedConfiguration"]["productionListenerRule"]
        listener = rule if ":listener/" in rule else rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    elif outputs.get("application_name"):
        told = clients.codedeploy.get_deployment_group(
            applicationName=outputs["application_name"], deploymentGroupName=outputs["deployment_group_name"]
        )["deploymentGroupInfo"]["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        names = [each["name"] for each in told["targetGroups"]]
        groups = clients.elbv2.describe_target_groups(Names=names)["TargetGroups"]
        pair, listener = {each["TargetGroupArn"] for each in groups}, told["prodTrafficRoute"]["listenerArns"][0]
    else:
        return None
    told = clients.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    balancer = clients.elbv2.describe_load_balancers(LoadBalancerArns=[told["LoadBalancerArn"]])["LoadBalancers"][0]
    port = ports[f"{balancer['DNSName']}:{told['Port']}"]
    for path, headers in _ways(clients, listener, paths):
        host = headers.get("Host", balancer["DNSName"])
        request = Request("GET", path, {**headers, "Host": host}, b"", "127.0.0.1")
        if _leads_to(listener, request) & pair:
            return Route(port, path, {**headers, "Host": host}, told["Protocol"] in ("HTTPS", "TLS"))
    return None


def _ways(clients: Clients, listener: str, paths: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    yield from ((path, {}) for path in paths)
    for rule in clients.elbv2.describe_rules(ListenerArn=listener)["Rules"]:
        headers: dict[str, str] = {}
        own = list(paths)
        for condition in rule["Conditions"]:
            values: list[Any] = condition.get("Values") or next(
                (value.get("Values", []) for key, value in condition.items() if key.endswith("Config")), []
            )
            literal = [re.sub(r"[*?]", "x" if condition["Field"] == "host-header" else "", str(v)) for v in values]
            if condition["Field"] == "path-pattern":
                own += literal
            elif condition["Field"] == "host-header":
                headers["Host"] = literal[0]
            elif condition["Field"] == "http-header":
                headers[condition["HttpHeaderConfig"]["HttpHeaderName"]] = literal[0]
        yield from ((path or "/", headers) for path in own)


def _leads_to(listener_arn: str, request: Request) -> set[str]:
    from moto.elbv2.models import elbv2_backends

    for account in elbv2_backends.values():
        for backend in account.values():
            for balancer in backend.load_balancers.values():
                if listener_arn in balancer.listeners:
                    actions = actions_for(balancer.listeners[listener_arn], request)
                    return {arn for action in actions for arn in forward_weights(action)}
    return set()
