"""A host that the user has set and no rule of the listener takes: a failure before anything is made, and told so."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import validate_before_install
import validate_production
import validate_test_traffic

from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_requests_by_default import CONFIGS, FIXED, PRODUCTION, TEST, by_rule, settings_of
from tests.unit.handlers.web import Site

TYPO = "app.exmaple.com"
CONDITION = {"Field": "host-header", CONFIGS["host-header"]: {"Values": ["app.example.com"]}}


@pytest.mark.parametrize(("host", "outcome"), [(TYPO, "failed"), ("app.example.com", "passed"), (None, "passed")])
def test_before_anything_is_made_it_is_a_failure(stage: Stage, judge: Judge, host: str | None, outcome: str) -> None:
    stage.create_hooks()
    stage.elbv2.modify_listener(ListenerArn=stage.production_listener, DefaultActions=[FIXED])
    stage.elbv2.create_rule(
        ListenerArn=stage.production_listener,
        Priority=1,
        Conditions=[CONDITION],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.blue_group}],
    )
    stage.tell(PRODUCTION, {"host": host})
    judgement = judge(validate_before_install, stage.at("BeforeInstall"))
    assert judgement.check(f"requests:{PRODUCTION}")[0] == outcome
    assert judgement.succeeded is (outcome == "passed")
    if outcome == "failed":
        assert judgement.message.startswith("validate_production.host: rule 1 (host-header app.example.com) does not")


@pytest.mark.parametrize(("event", "hook"), [(TEST, validate_test_traffic), (PRODUCTION, validate_production)])
def test_where_it_would_be_asked_the_reason_is_the_host(
    stage: Stage, judge: Judge, site: Site, event: str, hook: ModuleType
) -> None:
    delivered: Any = stage.at(event)
    by_rule(stage, event, {"host-header": ["app.example.com"]})
    judgement = judge(hook, delivered, **settings_of(event, host=TYPO))
    assert f"no request is sent: rule 7 (host-header app.example.com) does not take host {TYPO}" in judgement.message
    assert site.requests == []
