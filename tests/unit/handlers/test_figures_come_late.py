"""AfterAllowTraffic waits for CloudWatch's first figures as long as they may be late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import validate_production as hook

from tests.unit.handlers.stage import Judge, Stage

Traffic = Callable[..., None]

pytestmark = pytest.mark.usefixtures("site", "now")


@pytest.mark.parametrize("late", [60, 170])
def test_a_minute_is_published_so_much_after_it_is_over(
    stage: Stage, judge: Judge, traffic: Traffic, late: float
) -> None:
    event = stage.at("AfterAllowTraffic")
    for minute in range(10):
        arrives = 60 * (minute + 1) + late

        def publish(minute: int = minute, arrives: float = arrives) -> None:
            traffic(requests=4, unhealthy=0, at=60 * minute - arrives)

        stage.clock.after(arrives, publish)
    judgement = judge(hook, event, initial_delay=0, duration=120, samples=0, metrics_delay=180)
    assert judgement.succeeded, judgement.message
    assert judgement.check("error_rate")[0] == "passed"
