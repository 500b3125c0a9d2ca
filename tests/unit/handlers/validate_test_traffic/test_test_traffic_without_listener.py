"""AfterAllowTestTraffic without a test listener: at the user's address, or at green's targets from inside the VPC."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import validate_test_traffic as hook

from rehearsal.aws.world import TargetState
from rehearsal.testing.stage import CLUSTER, SERVICE, Judge, Stage
from rehearsal.testing.web import Response, Site
from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers.routes import PRODUCTION, by_rule, group_with
from tests.unit.handlers.validate_test_traffic.helpers import EVENT, EVERYTHING, NO_SAMPLES


def without_test_listener(stage: Stage) -> dict[str, str]:
    """A deployment of a deployment group that has no test listener."""
    event = stage.at(EVENT)
    stage.update_group(loadBalancerInfo=stage.pair(None))
    return event


@pytest.mark.smoke
def test_from_outside_the_vpc_the_three_ways_are_named(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, without_test_listener(stage), in_vpc=False)
    assert not judgement.succeeded
    for way in ("test_traffic_route", "vpc_config", 'appspec_without = ["validate_test_traffic"]'):
        assert way in judgement.message
    assert site.requests == []


def test_where_it_is_not_known_whether_it_is_inside_nothing_is_sent(stage: Stage, judge: Judge, site: Site) -> None:
    assert not judge(hook, without_test_listener(stage)).succeeded
    assert site.requests == []


@pytest.mark.parametrize("in_vpc", [True, False])
@pytest.mark.parametrize("rollback", [True, False])
@pytest.mark.parametrize(
    ("severity", "words"),
    [
        ("warn", "1 warned: the deployment group has no test listener"),
        ("skip", "left out by the option `checks`"),
    ],
)
def test_the_user_may_go_without(  # noqa: PLR0917 - a row each
    stage: Stage, judge: Judge, site: Site, severity: str, words: str, rollback: bool, in_vpc: bool
) -> None:
    """Then nothing is sent, though green's targets could be asked."""
    event = without_test_listener(stage)
    event = stage.rollback_at(EVENT) if rollback else event
    judgement = judge(hook, event, checks={"test_listener": severity}, in_vpc=in_vpc, **EVERYTHING)
    assert judgement.succeeded
    assert words in judgement.message
    assert site.requests == []
    assert "green_serves_tests" not in judgement.outcomes()


# At the user's address


@pytest.mark.smoke
def test_base_url_in_the_place_of_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    """A password in it is not shown."""
    address = site.url.replace("//", "//tester:hunter2@")
    judgement = judge(hook, without_test_listener(stage), base_url=address, **NO_SAMPLES)
    assert judgement.succeeded
    assert judgement.check("test_listener") == (
        "passed",
        f"the deployment group has no test listener; base_url {site.url} is used",
    )
    assert judgement.check("green_serves_tests") == ("passed", "green is shop-green, 2 of 2 target(s) healthy")
    assert [request.path for request in site.requests] == ["/health"]
    assert "hunter2" not in json.dumps(judgement)


def test_nothing_is_sent_to_base_url_while_no_green_target_is_healthy(stage: Stage, judge: Judge, site: Site) -> None:
    event = without_test_listener(stage)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, event, base_url=site.url, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy, so nothing is sent: green target 10.0.")
    assert site.requests == []


def test_base_url_beside_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    """Where requests go elsewhere, green still has to be behind the test listener."""
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    assert not judge(hook, event, base_url=site.url, interval=60).succeeded
    assert site.requests == []
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), base_url=site.url, **NO_SAMPLES).succeeded
    assert {request.host for request in site.requests} == {f"127.0.0.1:{site.port}"}


# At green's targets


@pytest.fixture
def targets(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Green's targets answer at their own addresses."""
    monkeypatch.setattr("socket.getaddrinfo", at_targets(site))
    return site


def at_targets(site: Site) -> Any:
    """A `socket.getaddrinfo` by which the site is at each address of the VPC."""
    known = socket.getaddrinfo

    def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).startswith("10.0."):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", site.port))]
        return known(host, port, *arguments, **options)

    return resolve


def addresses(stage: Stage) -> set[str]:
    """Green's targets as they are asked."""
    health = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)["TargetHealthDescriptions"]
    return {f"{each['Target']['Id']}:{each['Target']['Port']}" for each in health}


def test_each_of_greens_targets_is_asked_itself(stage: Stage, judge: Judge, targets: Site) -> None:
    judgement = judge(hook, without_test_listener(stage), in_vpc=True, **NO_SAMPLES)
    assert judgement.succeeded, judgement.message
    assert judgement.check("test_listener")[1].endswith("green's targets are asked directly")
    asked = addresses(stage)
    assert len(asked) == 2
    assert {(request.host, request.path) for request in targets.requests} == {(each, "/health") for each in asked}


def test_on_a_rollback_the_targets_of_what_stays_are_asked(stage: Stage, judge: Judge, targets: Site) -> None:
    without_test_listener(stage)
    judgement = judge(hook, stage.rollback_at(EVENT), in_vpc=True, **NO_SAMPLES)
    assert judgement.succeeded, judgement.message
    assert judgement.check("green_serves_tests") == ("passed", "green is shop-blue, 2 of 2 target(s) healthy")
    assert len(targets.requests) == 2


def test_the_host_is_the_rules_own(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    by_rule(stage, PRODUCTION, {"host-header": ["app.example.com"]})
    assert judge(hook, event, in_vpc=True, **NO_SAMPLES).succeeded
    assert {request.host for request in targets.requests} == {"app.example.com"}
    assert len(targets.requests) == 2


def test_one_target_that_answers_badly_fails_and_is_named(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    bad = min(addresses(stage))
    targets.answer = lambda request: Response(500 if request.host == bad else 200)
    judgement = judge(hook, event, in_vpc=True, **NO_SAMPLES)
    assert not judgement.succeeded
    assert judgement.message.startswith(f"GET http://{bad}/health: [STATUS] (500) expected 200-299")


def test_of_many_targets_that_answer_badly_three_are_told_in_full(stage: Stage, judge: Judge, targets: Site) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=20)
    event = without_test_listener(stage)
    targets.answer = lambda _: Response(500, "")
    judgement = judge(hook, event, in_vpc=True)
    assert not judgement.succeeded
    assert judgement.message.count("[STATUS] (500)") == 3
    assert " (and 17 of 20 targets more: 10.0." in judgement.message
    assert len(judgement.message) < 1500


def test_a_service_of_one_task_has_one_target_to_ask(stage: Stage, judge: Judge, targets: Site) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    judgement = judge(hook, without_test_listener(stage), in_vpc=True, **NO_SAMPLES)
    assert judgement.succeeded, judgement.message
    assert [request.path for request in targets.requests] == ["/health"]


def test_declared_checks_flows_and_headers_reach_the_targets_as_they_would_the_listener(
    stage: Stage, judge: Judge, targets: Site
) -> None:
    options: dict[str, Any] = {
        "http_checks": {"orders": {"path": "/orders?limit=5", "samples": 3}},
        "flows": {"order": {"steps": [{"path": "/a"}, {"path": "/b"}]}},
        "host": "shop.example.com",
        "headers": {"X-Test": "1"},
    }
    judgement = judge(hook, without_test_listener(stage), in_vpc=True, **options)
    assert judgement.succeeded, judgement.message
    assert {request.path for request in targets.requests} == {"/orders?limit=5", "/a", "/b"}
    assert {request.host for request in targets.requests} == {"shop.example.com"}
    assert {request.headers.get("X-Test") for request in targets.requests} == {"1"}


def test_targets_that_nobody_checks_are_asked(stage: Stage, judge: Judge, targets: Site) -> None:
    """Green's group is in no listener's rule, so that the load balancer calls its targets unused."""
    event = without_test_listener(stage)
    group_with(stage, LoadBalancerArns=[])
    stage.world.target_health["shop-green"] = TargetState("unused", "Target.NotInUse")
    assert judge(hook, event, in_vpc=True, **NO_SAMPLES).succeeded
    assert len(targets.requests) == 2


def test_targets_that_are_instances_cannot_be_asked(stage: Stage, judge: Judge, targets: Site) -> None:
    event = without_test_listener(stage)
    group_with(stage, TargetType="instance")
    judgement = judge(hook, event, in_vpc=True, **NO_SAMPLES)
    assert not judgement.succeeded
    assert "are of type instance, which cannot be asked directly" in judgement.message
    assert "appspec_without" in judgement.message
    assert targets.requests == []


def test_a_targets_own_certificate_is_not_verified(
    stage: Stage, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load balancer does not do so either."""
    site = Site(make_certificates(tmp_path, "localhost").server)
    monkeypatch.setattr("socket.getaddrinfo", at_targets(site))
    event = without_test_listener(stage)
    group_with(stage, Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    judgement = judge(hook, event, http_checks={"home": {"attempts": 1}}, in_vpc=True, **NO_SAMPLES)
    site.stop()
    assert judgement.succeeded, judgement.message
    assert len(site.requests) == 2
