"""A load balancer that refuses the hook's requests itself, as AWS WAF tells it to: nobody has asked green anything."""

from __future__ import annotations

import pytest
import validate_production
import validate_test_traffic

from tests.unit.gate.raw_server import serving
from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_requests_by_default import PRODUCTION, TEST, settings_of

HINT = "the load balancer itself answers so, mostly by AWS WAF; let requests of User-Agent codedeploy-hooks pass"


def refusal(server: str) -> bytes:
    return f"HTTP/1.1 403 Forbidden\r\nServer: {server}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(("server", "by_firewall"), [("awselb/2.0", True), ("nginx", False)])
def test_after_the_shift_no_release_is_rolled_back_for_it(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, server: str, by_firewall: bool
) -> None:
    """Nor for what the application itself forbids strangers; the firewall is named where it was one."""
    event = stage.at(PRODUCTION)
    with serving(refusal(server)) as answers:
        monkeypatch.setattr("validate_production.listener_url", lambda *_: answers.url)
        judgement = judge(validate_production, event, **settings_of(PRODUCTION))
    assert judgement.succeeded, judgement.message
    assert " warned" in judgement.message
    assert judgement.check("http:health")[0] == "failed"
    assert (HINT in judgement.message) is by_firewall


def test_before_customers_meet_green_it_is_a_failure_with_the_cure(stage: Stage, judge: Judge) -> None:
    with serving(refusal("awselb/2.0")) as answers:
        judgement = judge(validate_test_traffic, stage.at(TEST), base_url=answers.url, samples=0)
    assert not judgement.succeeded
    assert HINT in judgement.message
