"""What both traffic hooks ask where nothing is declared, and over which ways: other people's rules and networks.

By which rules, paths and ports a request is made, tests/unit/gate/test_default_request.py proves.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import validate_before_install
import validate_production
import validate_test_traffic
from gate.http_sender import Sender

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import Judge, Stage
from rehearsal.testing.web import Response, Site
from tests.unit.gate.raw_server import serving
from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers.routes import (
    CANNOT_BE_ASKED,
    CONFIGS,
    FIXED,
    LOGIN,
    PRODUCTION,
    TEST,
    by_rule,
    group_with,
    hook_of,
    settings_of,
)


@pytest.fixture(params=[TEST, PRODUCTION])
def event_name(request: pytest.FixtureRequest) -> str:
    """The event of either traffic hook."""
    return str(request.param)


# Rules


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("conditions", "host", "path"),
    [
        ({"path-pattern": ["/api/v1*"]}, "", "/api/v1"),
        ({"host-header": ["app.example.com"], "path-pattern": ["/api/*"]}, "app.example.com", "/api/"),
    ],
    ids=["path", "host and path"],
)
def test_a_listener_that_leads_to_green_by_a_rule_is_asked_by_the_rules_own_words(  # noqa: PLR0917 - a row each
    stage: Stage, judge: Judge, site: Site, event_name: str, conditions: dict[str, list[str]], host: str, path: str
) -> None:
    """The usual shape of a shared load balancer. Of a path that is no health check, 404 will do."""
    site.answer = lambda _request: Response(404)
    event = stage.at(event_name)
    by_rule(stage, event_name, conditions)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert " warned" not in judgement.message
    port = ":8080" if event_name == TEST else ""
    assert {(request.host, request.path) for request in site.requests} == {(host or f"{stage.dns_name}{port}", path)}


def test_an_error_at_a_path_that_is_no_health_check_fails_all_the_same(
    stage: Stage, judge: Judge, site: Site, event_name: str
) -> None:
    site.answer = lambda _request: Response(502)
    event = stage.at(event_name)
    by_rule(stage, event_name, {"path-pattern": ["/api/v1*"]})
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert not judgement.succeeded
    assert "GET /api/v1: [STATUS] (502) expected 200-499" in judgement.message


@pytest.mark.parametrize("case", ["gRPC", "UDP"])
def test_what_cannot_be_asked_is_said_and_the_rest_judges(
    stage: Stage, judge: Judge, site: Site, event_name: str, case: str
) -> None:
    changes, said = CANNOT_BE_ASKED[case]
    event = stage.at(event_name)
    group_with(stage, **changes)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert judgement.check("http:health")[0] == "skipped"
    assert said in judgement.message, "said where people look"
    assert " warned" not in judgement.message
    assert "http_checks = { home = {" in judgement.message
    assert site.requests == []


def test_green_that_is_not_healthy_fails_where_nothing_can_be_asked(
    stage: Stage, judge: Judge, event_name: str
) -> None:
    event = stage.at(event_name)
    group_with(stage, **CANNOT_BE_ASKED["gRPC"][0])
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    more = {"interval": 60} if event_name == TEST else {}
    judgement = judge(hook_of(event_name), event, **settings_of(event_name, **more))
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy")


def test_a_login_in_front_is_named_not_met(stage: Stage, judge: Judge, site: Site, event_name: str) -> None:
    event = stage.at(event_name)
    by_rule(stage, event_name, {"host-header": ["app.example.com"]}, LOGIN)
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert "asks for a login first" in judgement.message
    assert site.requests == []


def test_the_port_that_counts_is_the_containers(stage: Stage, judge: Judge, site: Site, event_name: str) -> None:
    """ECS registers the container's port, whatever the group's own says."""
    event = stage.at(event_name)
    group_with(stage, Port=80, HealthCheckPort="8000")
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert "/health" in {request.path for request in site.requests}


# A host that no rule takes

TYPO = "app.exmaple.com"


def test_where_a_host_is_asked_that_no_rule_takes_the_reason_is_the_host(
    stage: Stage, judge: Judge, site: Site, event_name: str
) -> None:
    event = stage.at(event_name)
    by_rule(stage, event_name, {"host-header": ["app.example.com"]})
    judgement = judge(hook_of(event_name), event, **settings_of(event_name, host=TYPO))
    assert f"no request is sent: rule 7 (host-header app.example.com) does not take host {TYPO}" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize(("host", "outcome"), [(TYPO, "failed"), ("app.example.com", "passed"), (None, "passed")])
def test_before_anything_is_made_it_is_a_failure(stage: Stage, judge: Judge, host: str | None, outcome: str) -> None:
    stage.create_hooks()
    stage.elbv2.modify_listener(ListenerArn=stage.production_listener, DefaultActions=[FIXED])
    stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=1,
        Conditions=[{"Field": "host-header", CONFIGS["host-header"]: {"Values": ["app.example.com"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.blue_group}],
    )
    stage.tell(PRODUCTION, {"host": host})
    judgement = judge(validate_before_install, stage.at("BeforeInstall"))
    assert judgement.check(f"requests:{PRODUCTION}")[0] == outcome
    assert judgement.succeeded is (outcome == "passed")
    if outcome == "failed":
        assert judgement.message.startswith("validate_production.host: rule 1 (host-header app.example.com) does not")


# Networks


def test_an_internal_load_balancer_is_not_knocked_at_from_outside(
    stage: Stage, judge: Judge, site: Site, event_name: str
) -> None:
    stage.change_load_balancer(Scheme="internal")
    judgement = judge(hook_of(event_name), stage.at(event_name), **settings_of(event_name, in_vpc=False))
    assert judgement.succeeded, judgement.message
    assert "is internal and the function outside its VPC: give the module vpc_config = { subnet_ids = [" in (
        judgement.message
    )
    assert site.requests == []


def test_declared_checks_that_cannot_arrive_are_no_pass_before_customers_meet_green(
    stage: Stage, judge: Judge, site: Site
) -> None:
    stage.change_load_balancer(Scheme="internal")
    judgement = judge(validate_test_traffic, stage.at(TEST), http_checks={"home": {}}, samples=0, in_vpc=False)
    assert not judgement.succeeded
    assert judgement.check("http:home")[0] == "error"
    assert "vpc_config" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize("who", ["203.0.113.0/24", "10.0.0.0/8"], ids=["the office", "who is inside"])
def test_a_security_group_that_lets_nobody_in_is_not_knocked_at(
    stage: Stage, judge: Judge, site: Site, event_name: str, who: str
) -> None:
    """A function's address by the internet can be any but a private one."""
    group = stage.ec2.create_security_group(GroupName="front", Description="front", VpcId=stage.vpc)["GroupId"]
    few = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 8080, "IpRanges": [{"CidrIp": who}]}
    stage.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[few])
    stage.change_load_balancer(SecurityGroups=[group])
    judgement = judge(hook_of(event_name), stage.at(event_name), **settings_of(event_name, in_vpc=False))
    assert judgement.succeeded, judgement.message
    assert f"security group {group} of load balancer" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize("silent", [False, True])
def test_an_address_that_the_function_has_no_way_to_is_passed_over(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    """IPv6 of a dual-stack load balancer: there is no such kind of address, or nobody answers there."""
    monkeypatch.setattr("gate.traffic.Sender", Sender)  # on the real clock
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for some other name, as the load balancer's own never is in one."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), "shop.example.com").server


def test_what_is_checked_by_https_behind_tcp_is_asked_by_https(
    stage: Stage, judge: Judge, event_name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Network Load Balancer that passes TLS through."""
    site = Site(certificate)
    monkeypatch.setattr("socket.getaddrinfo", site.resolve(stage.dns_name))
    event = stage.at(event_name)
    stage.change_load_balancer(Type="network")
    own = stage.test_listener if event_name == TEST else stage.production_listener
    (listener,) = stage.elbv2.describe_listeners(ListenerArns=[own])["Listeners"]
    stage.instead["elbv2:DescribeListeners"] = lambda _: {"Listeners": [{**listener, "Protocol": "TCP"}]}
    group_with(stage, Protocol="TCP", HealthCheckProtocol="HTTPS")
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    site.stop()
    assert judgement.succeeded, judgement.message
    assert {request.path for request in site.requests} == {"/health"}


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
def test_a_listener_that_wants_a_certificate_of_its_clients_is_not_asked(
    stage: Stage, judge: Judge, site: Site, event_name: str, mode: str
) -> None:
    event = stage.at(event_name)
    stage.instead["elbv2:DescribeListeners"] = lambda parameters: {
        "Listeners": [
            {**each, "MutualAuthentication": {"Mode": mode}}
            for each in stage.elbv2.describe_listeners(**parameters)["Listeners"]
        ]
    }
    judgement = judge(hook_of(event_name), event, **settings_of(event_name))
    assert judgement.succeeded, judgement.message
    assert ("wants a certificate of its clients (mutual TLS)" in judgement.message) is (mode == "verify")
    assert (site.requests == []) is (mode == "verify")


# Before customers meet green no answer is a failure: nothing else has asked it anything. After the shift alarms and
# figures judge, too, and no release is rolled back for a way that is closed.


def test_an_address_that_nobody_answers_at(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(PRODUCTION)
    site.refuse()
    judgement = judge(validate_production, event, **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert judgement.check("http:health")[0] == "failed"
    assert "2 warned: GET /health: connection refused" in judgement.message
    assert "vpc_config" in judgement.message
    stage.deployment.set_status("Stopped")
    judgement = judge(validate_test_traffic, stage.at(TEST), samples=0)
    assert not judgement.succeeded
    assert "GET /health: connection refused" in judgement.message


@pytest.mark.parametrize("status", [403, 421])
def test_an_application_that_answers_its_own_name_alone(stage: Stage, judge: Judge, site: Site, status: int) -> None:
    """Its targets are healthy by the load balancer's own checks of the same path."""
    site.answer = lambda request: Response(200 if request.host == "shop.example.com" else status)
    judgement = judge(validate_production, stage.at(PRODUCTION), **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert f"2 warned: GET /health: [STATUS] ({status}) expected 200-299" in judgement.message
    stage.deployment.set_status("Stopped")
    judgement = judge(validate_test_traffic, stage.at(TEST), samples=0)
    assert not judgement.succeeded
    assert ("set host" in judgement.message or "`host`" in judgement.message) == (status == 421)
    stage.deployment.set_status("Stopped")
    assert judge(validate_test_traffic, stage.at(TEST), samples=0, host="shop.example.com").succeeded


def test_an_own_check_that_finds_no_way_after_the_shift_fails(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(PRODUCTION)
    site.refuse()
    assert not judge(validate_production, event, **settings_of(PRODUCTION, http_checks={"home": {}})).succeeded


FIREWALL = "the load balancer itself answers so, mostly by AWS WAF; let requests of User-Agent codedeploy-hooks pass"


def refusal(server: str) -> bytes:
    """A 403, as a server of this name answers it."""
    return f"HTTP/1.1 403 Forbidden\r\nServer: {server}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(("server", "by_firewall"), [("awselb/2.0", True), ("nginx", False)])
def test_after_the_shift_requests_that_are_refused_only_warn(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, server: str, by_firewall: bool
) -> None:
    """Also where the application itself forbids them to strangers; a firewall is named where it was one."""
    event = stage.at(PRODUCTION)
    with serving(refusal(server)) as answers:
        monkeypatch.setattr("gate.traffic.listener_url", lambda *_: answers.url)
        judgement = judge(validate_production, event, **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert " warned" in judgement.message
    assert judgement.check("http:health")[0] == "failed"
    assert (FIREWALL in judgement.message) is by_firewall


def test_before_customers_meet_green_a_firewalls_refusal_is_a_failure_with_the_cure(stage: Stage, judge: Judge) -> None:
    with serving(refusal("awselb/2.0")) as answers:
        judgement = judge(validate_test_traffic, stage.at(TEST), base_url=answers.url, samples=0)
    assert not judgement.succeeded
    assert FIREWALL in judgement.message


# What only some requests need


@pytest.mark.usefixtures("now", "counted")
def test_secrets_of_both_kinds_are_sent(stage: Stage, judge: Judge, site: Site, event_name: str) -> None:
    secret = stage.secretsmanager.create_secret(Name="shop/token", SecretString="of-a-secret")["ARN"]
    parameter = stage.ssm.get_parameter(Name="/shop/api-key")["Parameter"]["ARN"]
    checks: dict[str, Any] = {"front": {"secret_headers": {"X-Secret": secret, "X-Parameter": parameter}}}
    delivered = stage.at(event_name)
    assert judge(hook_of(event_name), delivered, **settings_of(event_name, http_checks=checks)).succeeded
    sent = {site.requests[0].headers[name] for name in ("X-Secret", "X-Parameter")}
    assert sent == {"of-a-secret", "another-secret-value"}
    assert len(stage.called("secretsmanager:GetSecretValue")) == 1
    assert len(stage.called("ssm:GetParameter")) == 1


@pytest.mark.usefixtures("now", "site", "counted")
def test_the_tag_of_greens_image_is_looked_up(stage: Stage, judge: Judge, event_name: str) -> None:
    wanted = {"front": {"response_headers": {"X-App-Version": {"equals": "{image_tag}"}}, "attempts": 1}}
    judgement = judge(hook_of(event_name), stage.at(event_name), **settings_of(event_name, http_checks=wanted))
    assert judgement.message.startswith("GET /: [HEADER X-App-Version] (absent) expected 2")
    assert len(stage.called("ecs:DescribeTaskDefinition")) == 1
