"""AfterAllowTraffic: the group's alarms, and the user's. Which state is good, test_gate_alarms.py proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import validate_production as hook

from rehearsal.testing.stage import Call, Judge, Stage
from tests.unit.handlers.validate_production.helpers import AT_ONCE, EVENT, ONE_MINUTE, about

pytestmark = pytest.mark.usefixtures("site", "now", "counted")


@pytest.mark.smoke
def test_an_alarm_that_fires_ends_it_at_once(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    stage.clock.after(95, lambda: stage.set_alarm("shop-5xx", "ALARM", "Threshold crossed: 12 errors"))
    judgement = judge(hook, event, samples=0)
    assert not judgement.succeeded
    assert judgement.message == "alarm shop-5xx is ALARM, expected not ALARM (Threshold crossed: 12 errors)"
    assert stage.clock.now == about(105)


def test_an_alarm_of_the_users(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("orders-per-minute")
    event = stage.at(EVENT)
    alarms = {"orders-per-minute": "OK"}
    judgement = judge(hook, event, **AT_ONCE, alarms=alarms)
    assert judgement.check("alarms:orders-per-minute") == ("passed", "alarm orders-per-minute is OK")
    assert judgement.check("alarms:shop-5xx") == ("passed", "alarm shop-5xx is OK")


@pytest.mark.parametrize(("setting", "ok"), [(None, True), ("fail", False)])
def test_what_an_alarm_without_data_means(stage: Stage, judge: Judge, setting: str | None, ok: bool) -> None:
    event = stage.at(EVENT)
    stage.set_alarm("shop-5xx", "INSUFFICIENT_DATA")
    judgement = judge(hook, event, **AT_ONCE, insufficient_data=setting)
    assert judgement.succeeded is ok
    said = "alarm shop-5xx is INSUFFICIENT_DATA"
    assert judgement.check("alarms:shop-5xx") == (
        ("passed", said) if ok else ("failed", f"{said}, expected not ALARM (set by the test)")
    )


def test_alarms_that_do_not_exist_pass_if_they_are_to(stage: Stage, judge: Judge) -> None:
    stage.cloudwatch.delete_alarms(AlarmNames=["shop-5xx"])
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE, alarms={"another": "ALARM"}, missing_alarms="pass")
    assert judgement.succeeded
    assert [judgement.check(f"alarms:{name}")[0] for name in ("shop-5xx", "another")] == ["skipped", "skipped"]


def test_an_alarm_of_a_further_page_is_there(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine", "ALARM")
    event = stage.at(EVENT)

    def around(call: Call, answer: Callable[[], Any]) -> Any:
        """Answer alarm by alarm."""
        if call.name != "cloudwatch:DescribeAlarms":
            return answer()
        stage.around = None
        found = stage.cloudwatch.describe_alarms(**{**call.parameters, "MaxRecords": 1})
        stage.around = around
        return found

    stage.around = around
    judgement = judge(hook, event, **AT_ONCE, alarms={"mine": "OK", "shop-5xx": "OK"}, missing_alarms="pass")
    assert {name: judgement.check(f"alarms:{name}")[0] for name in ("mine", "shop-5xx")} == {
        "mine": "failed",
        "shop-5xx": "passed",
    }


def test_an_alarm_may_come_to_its_state_until_the_end(stage: Stage, judge: Judge) -> None:
    stage.create_alarm("mine", "INSUFFICIENT_DATA")
    event = stage.at(EVENT)
    stage.clock.after(50, lambda: stage.set_alarm("mine", "OK"))
    assert judge(hook, event, **ONE_MINUTE, alarms={"mine": "OK"}).succeeded


def test_a_name_that_does_not_exist_is_an_error_at_once(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT), **ONE_MINUTE, alarms={"shop-5x": "OK"})
    assert not judgement.succeeded
    assert judgement.check("alarms:shop-5x") == ("error", "alarm shop-5x does not exist: check its name and region")
    assert stage.clock.now == 0


def test_a_composite_alarm(stage: Stage, judge: Judge) -> None:
    stage.cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("shop-5xx")')
    stage.update_group(alarmConfiguration={"enabled": False})
    event = stage.at(EVENT)
    stage.clock.after(25, lambda: stage.set_alarm("shop-5xx", "ALARM"))
    judgement = judge(hook, event, **ONE_MINUTE, alarms={"any": "OK"})
    assert judgement.message.startswith("alarm any is ALARM, expected OK (")
    assert stage.clock.now == 30


def test_no_alarm_is_named(stage: Stage, judge: Judge) -> None:
    stage.update_group(alarmConfiguration={"enabled": False})
    judgement = judge(hook, stage.at(EVENT), **AT_ONCE)
    assert judgement.check("alarms") == ("skipped", "no alarm is named, here or in the deployment group")
