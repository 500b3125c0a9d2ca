"""Before anything is made: what is told of requests that take another way than a listener."""

from __future__ import annotations

import pytest
import validate_before_install as hook

from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_before_install_requests import inside, no_test_listener, security_group
from tests.unit.handlers.test_requests_by_default import CANNOT_BE_ASKED, TEST, by_rule, group_with

without = no_test_listener


@pytest.mark.parametrize("case", CANNOT_BE_ASKED)
def test_what_targets_cannot_be_asked_directly_is_told(without: Stage, judge: Judge, case: str) -> None:
    changes, said = CANNOT_BE_ASKED[case]
    inside(without, security_group(without, "functions"))
    group_with(without, **changes)
    judgement = judge(hook, without.at("BeforeInstall"))
    assert judgement.succeeded, judgement.message
    outcome, detail = judgement.check(f"requests:{TEST}")
    assert outcome == "skipped"
    assert detail.startswith("validate_test_traffic will send no request: ")
    assert said in detail


def test_an_address_of_the_users_is_asked_whatever_the_listeners_rules_are(stage: Stage, judge: Judge) -> None:
    stage.create_hooks()
    by_rule(stage, TEST, {"host-header": ["app.example.com"]}, to=stage.blue_group)
    stage.tell(TEST, {"base_url": "https://green.example.com", "http_checks": {"home": {"path": "/"}}})
    judgement = judge(hook, stage.at("BeforeInstall"))
    assert judgement.succeeded, judgement.message
    found = judgement.check(f"requests:{TEST}")
    assert found == ("passed", "validate_test_traffic will ask https://green.example.com (base_url)")
