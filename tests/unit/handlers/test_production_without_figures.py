"""AfterAllowTraffic: CloudWatch counts no request of green's, and the hook itself cannot send any."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import validate_production as hook

from tests.unit.handlers.stage import Judge, Stage
from tests.unit.handlers.test_production_against_blue import FIVE_MINUTES, minutes
from tests.unit.handlers.test_requests_by_default import group_with

Traffic = Callable[..., None]

pytestmark = pytest.mark.usefixtures("site", "now")


@pytest.mark.parametrize(("each_minute", "unsuspicious"), [(0, True), (1, True), (10, False)])
def test_that_customers_are_gone_is_said_loudly(
    stage: Stage, judge: Judge, traffic: Traffic, each_minute: int, unsuspicious: bool
) -> None:
    """Blue had some each minute, who may have been tests; of few before, none in five minutes may be chance."""
    event = stage.at("AfterAllowTraffic")
    group_with(stage, ProtocolVersion="GRPC", Matcher={"GrpcCode": "12"})
    if each_minute:
        minutes(traffic, stage.blue_group, -60, 60, requests=each_minute)
    judgement = judge(hook, event, **FIVE_MINUTES)
    assert judgement.succeeded, judgement.message
    assert (" warned" not in judgement.message) is unsuspicious
    if not unsuspicious:
        assert judgement.check("traffic")[0] == "error"
        assert f"and blue had {60 * each_minute} in the time before the shift" in judgement.message
