"""AfterAllowTestTraffic, asking green's targets directly: many of them, and targets that speak TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import validate_test_traffic as hook

from tests.unit.gate.web_server import make_certificates
from tests.unit.handlers.stage import CLUSTER, SERVICE, Judge, Stage
from tests.unit.handlers.test_requests_by_default import group_with, without_test_listener
from tests.unit.handlers.test_requests_by_default import targets as _targets  # the fixture
from tests.unit.handlers.web import Response, Site

targets = _targets


def test_of_sixty_targets_that_answer_badly_three_are_told_in_full(stage: Stage, judge: Judge, targets: Site) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=60)
    event = without_test_listener(stage)
    targets.answer = lambda _: Response(500, "")
    judgement = judge(hook, event, in_vpc=True)
    assert not judgement.succeeded
    assert judgement.message.count("[STATUS] (500)") == 3
    assert " (and 57 of 60 targets more: 10.0." in judgement.message
    assert len(judgement.message) < 1500


def test_a_service_of_one_task_has_one_target_to_ask(stage: Stage, judge: Judge, targets: Site) -> None:
    stage.ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    judgement = judge(hook, without_test_listener(stage), samples=0, in_vpc=True)
    assert judgement.succeeded, judgement.message
    assert [request.path for request in targets.requests] == ["/health"]


def test_a_targets_own_certificate_is_not_verified(
    stage: Stage, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load balancer does not do so either."""
    site = Site(make_certificates(tmp_path, "localhost").server)
    resolve = site.resolve("10.0")
    monkeypatch.setattr(
        "socket.getaddrinfo",
        lambda host, *more, **o: resolve("10.0" if str(host).startswith("10.0.") else host, *more, **o),
    )
    event = without_test_listener(stage)
    group_with(stage, Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    judgement = judge(hook, event, http_checks={"home": {"attempts": 1}}, samples=0, in_vpc=True)
    site.stop()
    assert judgement.succeeded, judgement.message
    assert len(site.requests) == 2
