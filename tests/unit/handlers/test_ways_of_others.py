"""The ways that requests take on other people's networks: dual stack, NLB that passes TLS through, private ranges."""

from __future__ import annotations

import socket
from pathlib import Path
from types import ModuleType

import pytest
import validate_production
import validate_test_traffic
from gate.http_sender import Sender

from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_requests_by_default import PRODUCTION, TEST, settings_of
from tests.unit.handlers.web import Site

HOOKS = [validate_test_traffic, validate_production]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for some other name, as the load balancer's own never is in one."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "shop.example.com").server


def event_of(hook: ModuleType) -> str:
    return TEST if hook is validate_test_traffic else PRODUCTION


# Dual stack


@pytest.mark.parametrize("silent", [False, True])
def test_an_address_that_the_function_has_no_way_to_is_passed_over(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    """IPv6 of a dual-stack load balancer: there is no such kind of address, or nobody answers there."""
    monkeypatch.setattr("validate_test_traffic.Sender", Sender)  # on the real clock
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    if silent:  # a full queue answers nothing
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0)
            waiting[-1].connect_ex(full.getsockname())
    unknown = (9999, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0))
    first = (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname()) if silent else unknown
    resolve = site.resolve(stage.dns_name)
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, *more, **o: [*([first] if host == stage.dns_name else []), *resolve(host, *more, **o)],
    )
    checks = {"front": {"attempts": 1, "timeout": 1, "samples": 0}}
    judgement = judge(validate_test_traffic, stage.at(TEST), http_checks=checks)
    for each in [full, *waiting]:
        each.close()
    assert judgement.succeeded, judgement.message
    assert len(site.requests) == 1


# A Network Load Balancer that passes TLS through


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_what_is_checked_by_https_behind_tcp_is_asked_by_https(
    stage: Stage, judge: Judge, hook: ModuleType, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(certificate)
    monkeypatch.setattr("socket.getaddrinfo", site.resolve(stage.dns_name))
    event = event_of(hook)
    delivered = stage.at(event)
    stage.change_load_balancer(Type="network")
    listeners = stage.elbv2.describe_listeners(LoadBalancerArn=stage.load_balancer)["Listeners"]
    stage.instead["elbv2:DescribeListeners"] = lambda _: {
        "Listeners": [
            {**each, "Protocol": "TCP"}
            for each in listeners
            if each["ListenerArn"] == (stage.test_listener if event == TEST else stage.production_listener)
        ]
    }
    groups = stage.elbv2.describe_target_groups()["TargetGroups"]
    stage.instead["elbv2:DescribeTargetGroups"] = lambda _: {
        "TargetGroups": [{**each, "Protocol": "TCP", "HealthCheckProtocol": "HTTPS"} for each in groups]
    }
    judgement = judge(hook, delivered, **settings_of(event))
    site.stop()
    assert judgement.succeeded, judgement.message
    assert {request.path for request in site.requests} == {"/health"}


# Mutual TLS


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
@pytest.mark.parametrize("mode", ["verify", "passthrough", "off"])
def test_a_listener_that_wants_a_certificate_of_its_clients_is_not_asked(
    stage: Stage, judge: Judge, site: Site, hook: ModuleType, mode: str
) -> None:
    event = event_of(hook)
    delivered = stage.at(event)
    stage.instead["elbv2:DescribeListeners"] = lambda parameters: {
        "Listeners": [
            {**each, "MutualAuthentication": {"Mode": mode}}
            for each in stage.elbv2.describe_listeners(**parameters)["Listeners"]
        ]
    }
    judgement = judge(hook, delivered, **settings_of(event))
    assert judgement.succeeded, judgement.message
    assert ("wants a certificate of its clients (mutual TLS)" in judgement.message) is (mode == "verify")
    assert (site.requests == []) is (mode == "verify")
