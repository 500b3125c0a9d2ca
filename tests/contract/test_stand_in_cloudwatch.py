"""CloudWatch: alarms and metric data as AWS answers them, where moto does otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
BALANCER = [{"Name": "LoadBalancer", "Value": "app/shop/1"}]
GREEN = [*BALANCER, {"Name": "TargetGroup", "Value": "targetgroup/orders-2/1"}]


@pytest.fixture
def cloudwatch(clients_of_test: dict[str, Any]) -> Any:
    return clients_of_test["cloudwatch"]


def put_alarm(cloudwatch: Any, name: str = "orders-5xx", **settings: Any) -> None:
    given = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Statistic": "Sum",
        **settings,
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **given)


def state(cloudwatch: Any, name: str) -> str:
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found: list[dict[str, Any]] = answer["MetricAlarms"] + answer["CompositeAlarms"]
    assert len(found) == 1
    return str(found[0]["StateValue"])


# Alarms.


def test_a_new_alarm_has_insufficient_data(cloudwatch: Any) -> None:
    """moto lets it start at OK."""
    put_alarm(cloudwatch)
    assert state(cloudwatch, "orders-5xx") == "INSUFFICIENT_DATA"


def test_an_alarm_put_again_keeps_its_state(cloudwatch: Any) -> None:
    """API reference, PutMetricAlarm: the state of an existing alarm is left unchanged."""
    put_alarm(cloudwatch)
    cloudwatch.set_alarm_state(AlarmName="orders-5xx", StateValue="ALARM", StateReason="test")
    put_alarm(cloudwatch, Threshold=5)
    assert state(cloudwatch, "orders-5xx") == "ALARM"


def test_an_alarm_without_new_data_stays_as_it_is(cloudwatch: Any) -> None:
    """Record: such an alarm stayed in ALARM for minutes: nothing ends it by itself."""
    put_alarm(cloudwatch, TreatMissingData="notBreaching")
    cloudwatch.set_alarm_state(AlarmName="orders-5xx", StateValue="ALARM", StateReason="a 503")
    assert {state(cloudwatch, "orders-5xx") for _ in range(5)} == {"ALARM"}


def test_only_metric_alarms_unless_asked(cloudwatch: Any) -> None:
    """AWS: AlarmTypes must name CompositeAlarm; an unknown name is silently absent."""
    put_alarm(cloudwatch)
    cloudwatch.put_composite_alarm(AlarmName="orders", AlarmRule="ALARM(orders-5xx)")
    names = ["orders-5xx", "orders", "nothing"]
    answer = cloudwatch.describe_alarms(AlarmNames=names)
    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == ["orders-5xx"]
    assert answer["CompositeAlarms"] == []
    answer = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert [alarm["AlarmName"] for alarm in answer["CompositeAlarms"]] == ["orders"]
    answer = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["CompositeAlarm"])
    assert answer["MetricAlarms"] == []


def test_filters_hold_together(cloudwatch: Any) -> None:
    """moto takes the first filter it finds."""
    for name in ("a1", "a2", "b1"):
        put_alarm(cloudwatch, name)
    cloudwatch.set_alarm_state(AlarmName="a2", StateValue="ALARM", StateReason="test")
    answer = cloudwatch.describe_alarms(AlarmNamePrefix="a", StateValue="ALARM")
    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == ["a2"]


def test_alarms_come_in_pages(cloudwatch: Any) -> None:
    for number in range(5):
        put_alarm(cloudwatch, f"a{number}")
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", "ALARM"),
        ('ALARM("a")', "ALARM"),
        ("OK(a)", "OK"),
        ("ALARM(a) AND ALARM(b)", "OK"),
        ("ALARM(a) OR ALARM(b)", "ALARM"),
        ("ALARM(a) AND NOT ALARM(b)", "ALARM"),
        ("INSUFFICIENT_DATA(b)", "ALARM"),
        ("(ALARM(b) OR FALSE) AND TRUE", "OK"),
        ("NOT (ALARM(a) AND OK(b))", "ALARM"),
    ],
)
def test_a_composite_alarm_follows_its_children(cloudwatch: Any, rule: str, expected: str) -> None:
    """moto lacks PutCompositeAlarm."""
    put_alarm(cloudwatch, "a")
    put_alarm(cloudwatch, "b")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="test")
    assert state(cloudwatch, "both") == expected


def test_a_composite_of_composites(cloudwatch: Any) -> None:
    put_alarm(cloudwatch, "leaf")
    cloudwatch.put_composite_alarm(AlarmName="inner", AlarmRule="ALARM(leaf)")
    cloudwatch.put_composite_alarm(AlarmName="a-outer", AlarmRule="ALARM(inner)")
    cloudwatch.set_alarm_state(AlarmName="leaf", StateValue="ALARM", StateReason="test")
    assert state(cloudwatch, "a-outer") == "ALARM"


def test_a_composite_set_by_hand_lasts_until_a_child_changes(cloudwatch: Any) -> None:
    """API reference, SetAlarmState: a composite alarm returns to its own state when its children change."""
    put_alarm(cloudwatch, "a")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a)", ActionsEnabled=False)
    cloudwatch.set_alarm_state(AlarmName="both", StateValue="ALARM", StateReason="test")
    assert [state(cloudwatch, "both") for _ in range(2)] == ["ALARM", "ALARM"]
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="OK", StateReason="test")
    assert state(cloudwatch, "both") == "OK"
    cloudwatch.delete_alarms(AlarmNames=["both"])
    assert cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_alarms_that_are_refused(cloudwatch: Any, refused: Any) -> None:
    put = cloudwatch.put_composite_alarm
    assert refused(put, AlarmName="x", AlarmRule="ALARM(nothing)")[0] == "ValidationError"
    assert refused(put, AlarmName="x", AlarmRule="ALARM(")[0] == "ValidationError"
    code, _ = refused(cloudwatch.set_alarm_state, AlarmName="x", StateValue="OK", StateReason="")
    assert code in ("ResourceNotFound", "ResourceNotFoundFault")


# Metric data.


def put(cloudwatch: Any, name: str, values: dict[float, float], dimensions: list[dict[str, str]] = GREEN) -> None:
    """Put values by second after noon."""
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": NOON + timedelta(seconds=second), "Value": value}
        for second, value in values.items()
    ]
    cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def query(
    identifier: str, name: str, stat: str, dimensions: list[dict[str, str]] = GREEN, **settings: Any
) -> dict[str, Any]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **settings}


def get(cloudwatch: Any, *queries: dict[str, Any], minutes: int = 3, **settings: Any) -> dict[str, dict[str, Any]]:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries), StartTime=NOON, EndTime=NOON + timedelta(minutes=minutes), **settings
    )
    return {result["Id"]: result for result in answer["MetricDataResults"]}


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("Sum", 5050.0),
        ("Average", 50.5),
        ("Minimum", 1.0),
        ("Maximum", 100.0),
        ("SampleCount", 100.0),
        ("p50", 50.0),
        ("p95", 95.0),
        ("p99", 99.0),
        ("p99.9", 100.0),
        ("p100", 100.0),
    ],
)
def test_statistics(cloudwatch: Any, stat: str, expected: float) -> None:
    """moto raises at p99."""
    put(cloudwatch, "TargetResponseTime", {number / 2: number for number in range(1, 101)})
    found = get(cloudwatch, query("m", "TargetResponseTime", stat))["m"]
    assert (found["Values"], found["StatusCode"]) == ([expected], "Complete")
    assert found["Timestamps"] == [NOON]


def test_end_time_is_exclusive_and_start_time_is_not(cloudwatch: Any) -> None:
    put(cloudwatch, "RequestCount", {0: 1, 59: 2, 60: 4, 179.5: 8, 180: 16})
    found = get(cloudwatch, query("m", "RequestCount", "Sum"), ScanBy="TimestampAscending")["m"]
    assert found["Values"] == [3.0, 4.0, 8.0]


def test_the_newest_comes_first_unless_told_otherwise(cloudwatch: Any) -> None:
    put(cloudwatch, "RequestCount", {0: 1, 60: 2})
    assert get(cloudwatch, query("m", "RequestCount", "Sum"))["m"]["Values"] == [2.0, 1.0]


def test_no_data_is_no_error(cloudwatch: Any) -> None:
    """AWS: empty Values; the load balancer publishes no 5xx count while there is none."""
    found = get(cloudwatch, query("m", "HTTPCode_Target_5XX_Count", "Sum"))["m"]
    assert (found["Values"], found["Timestamps"], found["StatusCode"]) == ([], [], "Complete")


def test_dimensions_must_be_the_same(cloudwatch: Any) -> None:
    """moto adds up metrics of other dimensions when none are given, and of other namespaces when some are."""
    put(cloudwatch, "RequestCount", {0: 1}, GREEN)
    put(cloudwatch, "RequestCount", {0: 10}, BALANCER)
    put(cloudwatch, "RequestCount", {0: 100}, [])
    dimensions: dict[str, list[dict[str, str]]] = {"green": GREEN[::-1], "all": BALANCER, "none": []}
    found = get(cloudwatch, *(query(key, "RequestCount", "Sum", value) for key, value in dimensions.items()))
    assert {key: result["Values"] for key, result in found.items()} == {"green": [1.0], "all": [10.0], "none": [100.0]}


def test_sets_of_values_and_of_statistics(cloudwatch: Any) -> None:
    statistics = {"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5}
    metric = {"MetricName": "T", "Timestamp": NOON}
    data = [{**metric, "Values": [1.0, 2.0], "Counts": [3, 1]}, {**metric, "StatisticValues": statistics}]
    cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)
    found = get(cloudwatch, *(query(f"m{stat.lower()}", "T", stat, []) for stat in ("SampleCount", "Sum", "Maximum")))
    assert [result["Values"] for result in found.values()] == [[6.0], [11.0], [5.0]]


def test_metric_data_that_is_refused(cloudwatch: Any, refused: Any) -> None:
    def code(queries: list[dict[str, Any]], minutes: int = 1) -> str:
        end = NOON + timedelta(minutes=minutes)
        return str(refused(cloudwatch.get_metric_data, MetricDataQueries=queries, StartTime=NOON, EndTime=end)[0])

    fine = query("m", "RequestCount", "Sum")
    assert code([fine], minutes=0) == "ValidationError"
    assert code([{**fine, "Id": f"m{number}"} for number in range(501)]) == "ValidationError"
    assert code([query("m", "RequestCount", "median")]) == "ValidationError"
