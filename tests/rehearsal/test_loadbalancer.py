"""The proxy obeys the listeners, checks the targets' health, and counts what AWS counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rehearsal.aws.install import install
from rehearsal.aws.world import TargetState
from rehearsal.customers import visit
from rehearsal.lifecycle import steps
from rehearsal.loadbalancer import LoadBalancer, matches
from rehearsal.metrics import Metrics

ACCOUNT, REGION = "123456789012", "eu-west-1"


class Site:
    """A target: answers every path with its name as the version, with a status that can be changed."""

    def __init__(self, name: str) -> None:
        self.status = 200
        site = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(site.status)
                self.send_header("X-App-Version", name)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.address = ("127.0.0.1", self._server.server_port)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class Town:
    """A load balancer with a production listener, two target groups, and a target in each."""

    def __init__(self) -> None:
        ec2 = boto3.client("ec2", region_name=REGION)
        self.elbv2 = boto3.client("elbv2", region_name=REGION)
        self.cloudwatch = boto3.client("cloudwatch", region_name=REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        made = self.elbv2.create_load_balancer(Name="web", Subnets=[subnet["SubnetId"] for subnet in subnets])
        balancer = made["LoadBalancers"][0]
        self.dimension = balancer["LoadBalancerArn"].rpartition("loadbalancer/")[2]
        self.sites = {"10.0.0.5": Site("blue"), "10.0.0.6": Site("green")}
        self.groups = []
        for name, address in zip(("one", "two"), self.sites, strict=True):
            group = self.elbv2.create_target_group(
                Name=name, Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="ip", HealthCheckPath="/health"
            )["TargetGroups"][0]["TargetGroupArn"]
            self.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8000}])
            self.groups.append(group)
        action: Any = {"Type": "forward", "TargetGroupArn": self.groups[0]}
        self.listener = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Port=80, Protocol="HTTP", DefaultActions=[action]
        )["Listeners"][0]["ListenerArn"]
        self.metrics = Metrics(ACCOUNT, REGION)
        self.balancer = LoadBalancer(ACCOUNT, REGION, self.resolve, self.metrics.observe)
        self.balancer.start()
        self.port = self.balancer.ports[f"{balancer['DNSName']}:80"]

    def resolve(self, address: str, port: int) -> tuple[str, int] | None:
        """Find a target."""
        assert port == 8000
        return self.sites[address].address if address in self.sites else None

    def shift(self, blue: int, green: int) -> None:
        """Set the listener's weights."""
        weights = zip(self.groups, (blue, green), strict=True)
        groups: Any = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
        action: Any = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=[action])

    def check_health(self, *, times: int) -> TargetState:
        """Run the health checks of blue; return what they say of it."""
        for _ in range(times):
            self.balancer.check_once(self.groups[0], "10.0.0.5", 8000)
        return self.balancer.target_state(self.groups[0], "10.0.0.5", 8000)

    def statistic(self, name: str, dimensions: dict[str, str]) -> list[float]:
        """Return the sums of one of the load balancer's metrics, as GetMetricData has them."""
        now = datetime.now(timezone.utc)
        wanted: Any = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        metric: Any = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": wanted}
        query: Any = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1)
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return [sum(values)] if values else []


@pytest.fixture
def town() -> Iterator[Town]:
    """A load balancer on moto, with real targets on loopback."""
    install()
    with mock_aws():
        town = Town()
        yield town
        for site in town.sites.values():
            site.close()
        town.balancer.close()


def test_weights_are_obeyed(town: Town) -> None:
    """All to blue, all to green, or to both."""
    assert {visit(town.port).version for _ in range(10)} == {"blue"}
    town.shift(0, 100)
    assert {visit(town.port).version for _ in range(10)} == {"green"}
    town.shift(50, 50)
    assert {visit(town.port).version for _ in range(200)} == {"blue", "green"}


def test_without_a_target(town: Town) -> None:
    """503, counted as the load balancer's own error and as no target's."""
    town.elbv2.deregister_targets(TargetGroupArn=town.groups[0], Targets=[{"Id": "10.0.0.5", "Port": 8000}])
    assert visit(town.port).status == 503
    town.metrics.deliver(town.balancer)
    balancer = {"LoadBalancer": town.dimension}
    assert town.statistic("HTTPCode_ELB_5XX_Count", balancer) == [1]
    assert town.statistic("RequestCount", balancer) == []


def test_a_dead_target(town: Town) -> None:
    """502 while a target's process is gone."""
    town.sites.pop("10.0.0.5").close()
    assert visit(town.port).status == 502


def test_what_is_counted(town: Town) -> None:
    """Requests and 5xx by target group; a count of zero is not published."""
    both = {"LoadBalancer": town.dimension, "TargetGroup": town.groups[0].rsplit(":", 1)[-1]}
    for _ in range(3):
        visit(town.port)
    town.metrics.deliver(town.balancer)
    assert town.statistic("RequestCount", both) == [3]
    assert town.statistic("HTTPCode_Target_5XX_Count", both) == []
    town.sites["10.0.0.5"].status = 500
    visit(town.port)
    town.metrics.deliver(town.balancer)
    assert town.statistic("HTTPCode_Target_5XX_Count", both) == [1]
    assert town.statistic("RequestCount", both) == [4]


def test_health(town: Town) -> None:
    """A target is initial, healthy after one check, unhealthy after the threshold, with AWS's words for it."""
    assert town.balancer.target_state(town.groups[0], "10.0.0.5", 8000).state == "initial"
    assert town.check_health(times=1) == TargetState("healthy")
    town.sites["10.0.0.5"].status = 500
    assert town.check_health(times=1).state == "healthy"
    reason = "Health checks failed with these codes: [500]"
    assert town.check_health(times=1) == TargetState("unhealthy", "Target.ResponseCodeMismatch", reason)
    town.sites["10.0.0.5"].status = 200
    assert town.check_health(times=4).state == "unhealthy"
    assert town.check_health(times=1).state == "healthy"
    town.sites.pop("10.0.0.5").close()
    assert town.check_health(times=2) == TargetState("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


def test_a_target_that_still_starts(town: Town) -> None:
    """A new target that does not listen yet is initial, not unhealthy."""
    town.sites.pop("10.0.0.5").close()
    assert town.check_health(times=3).state == "initial"


def test_all_unhealthy(town: Town) -> None:
    """If every target is unhealthy, the load balancer routes to all of them."""
    town.sites["10.0.0.5"].status = 500
    assert town.check_health(times=2).state == "unhealthy"
    assert visit(town.port).version == "blue"


def test_alarms_follow_their_metric(town: Town) -> None:
    """INSUFFICIENT_DATA, OK without data (if that is not breaching), ALARM above the threshold."""
    town.cloudwatch.put_metric_alarm(
        AlarmName="refused",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_4XX_Count",
        Dimensions=[{"Name": "LoadBalancer", "Value": town.dimension}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def state() -> str:
        return str(town.cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"][0]["StateValue"])

    assert state() == "INSUFFICIENT_DATA"
    town.metrics.evaluate()
    assert state() == "OK"
    town.sites["10.0.0.5"].status = 422
    for expected in ("OK", "OK", "ALARM"):
        visit(town.port)
        town.metrics.deliver(town.balancer)
        town.metrics.evaluate()
        assert state() == expected
    town.metrics.evaluate(datetime.now(timezone.utc) + timedelta(minutes=2))
    assert state() == "OK"


@pytest.mark.parametrize(
    ("status", "matcher", "expected"),
    [
        (200, "200", True),
        (204, "200", False),
        (204, "200,204", True),
        (302, "200-399", True),
        (404, "200-299,301", False),
    ],
)
def test_matcher(status: int, matcher: str, expected: bool) -> None:
    """A target group's matcher: codes, lists and ranges."""
    assert matches(status, matcher) is expected


def test_steps_of_a_deployment_configuration() -> None:
    """All at once, canary and linear, each ending at 100 %."""
    assert list(steps({"type": "AllAtOnce"})) == [(100, 0)]
    canary = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 5}}
    assert list(steps(canary)) == [(10, 5), (100, 0)]
    linear = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 25, "linearInterval": 3}}
    assert list(steps(linear)) == [(25, 3), (50, 3), (75, 3), (100, 0)]
