"""What only some requests need, in both hooks that send any: secrets of both kinds, and the tag of green's image."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import validate_production
import validate_test_traffic

from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.web import Site

both_hooks = pytest.mark.parametrize(
    ("hook", "event", "settings"),
    [
        (validate_test_traffic, "AfterAllowTestTraffic", {"samples": 0}),
        (
            validate_production,
            "AfterAllowTraffic",
            {"samples": 0, "initial_delay": 0, "duration": 0, "metrics_delay": 0},
        ),
    ],
    ids=["validate_test_traffic", "validate_production"],
)


@both_hooks
@pytest.mark.usefixtures("now", "counted")
def test_secrets_of_both_kinds_are_sent(
    *, stage: Stage, judge: Judge, site: Site, hook: ModuleType, event: str, settings: dict[str, Any]
) -> None:
    secret = stage.secretsmanager.create_secret(Name="shop/token", SecretString="of-a-secret")["ARN"]
    parameter = stage.ssm.get_parameter(Name="/shop/api-key")["Parameter"]["ARN"]
    headers = {"X-Secret": secret, "X-Parameter": parameter}
    delivered = stage.at(event)
    assert judge(hook, delivered, http_checks={"front": {"secret_headers": headers}}, **settings).succeeded
    assert {site.requests[0].headers[name] for name in headers} == {"of-a-secret", "another-secret-value"}
    assert len(stage.called("secretsmanager:GetSecretValue")) == 1
    assert len(stage.called("ssm:GetParameter")) == 1


@both_hooks
@pytest.mark.usefixtures("now", "site", "counted")
def test_the_tag_of_greens_image_is_looked_up(
    *, stage: Stage, judge: Judge, hook: ModuleType, event: str, settings: dict[str, Any]
) -> None:
    wanted = {"front": {"response_headers": {"X-App-Version": "{image_tag}"}, "attempts": 1}}
    judgement = judge(hook, stage.at(event), http_checks=wanted, **settings)
    outcome, detail = judgement.check("http:front")
    assert outcome == "failed"
    assert "X-App-Version" in detail
    assert len(stage.called("ecs:DescribeTaskDefinition")) == 1
