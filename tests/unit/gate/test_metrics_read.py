"""gate.metrics: what CloudWatch answers, where it is not what it should be; gate.traffic: targets that are gone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from gate import aws
from gate.metrics import read_metrics
from gate.traffic import way_to_targets
from gate.verdict import ProbeError

from tests.unit.gate.traffic_of_green import GROUP, Green

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "NaN"])
def test_a_value_that_is_no_number_keeps_no_limit(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    """It would be above none."""
    entry = {"Id": "q0", "StatusCode": "Complete", "Timestamps": [NOW, NOW], "Values": [1.0, value]}
    monkeypatch.setattr(aws, "pages", lambda *_, **__: iter([entry]))
    with pytest.raises(ProbeError, match="answered a value of latency that is no number"):
        read_metrics({"latency": {}}, NOW, NOW + timedelta(minutes=1))


def test_targets_that_are_all_gone_are_said() -> None:
    with pytest.raises(ProbeError, match="green, green's target group, has no target to ask"):
        way_to_targets(Green(), GROUP)
