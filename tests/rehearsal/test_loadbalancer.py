"""The proxy obeys the listeners, checks the targets' health, and counts what AWS counts."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rehearsal.aws.install import install
from rehearsal.aws.world import TargetState, TaskSpec
from rehearsal.certificates import Authority, Signed
from rehearsal.customers import visit
from rehearsal.lifecycle import steps
from rehearsal.loadbalancer import LoadBalancer, matches
from rehearsal.metrics import Metrics, _statistic

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

    def lead(self, path: str, action: Any) -> None:
        """Make a rule for a path."""
        self.elbv2.create_rule(
            ListenerArn=self.listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[action],
        )

    def serve_https(self, signed: Signed) -> None:
        """Let the listener serve HTTPS from now on."""
        arn = boto3.client("acm", region_name=REGION).import_certificate(
            Certificate=signed.certificate.encode(), PrivateKey=signed.private_key.encode()
        )["CertificateArn"]
        self.elbv2.modify_listener(ListenerArn=self.listener, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])

    def statistic(self, name: str, dimensions: dict[str, str], namespace: str = "AWS/ApplicationELB") -> list[float]:
        """Return the sums of one of the metrics, as GetMetricData has them."""
        now = datetime.now(timezone.utc)
        wanted: Any = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        metric: Any = {"Namespace": namespace, "MetricName": name, "Dimensions": wanted}
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


@pytest.mark.parametrize("known", [True, False])
def test_a_dead_target(town: Town, known: bool) -> None:
    """502 while a target's process is gone: a request for which no connection could be made, and no target's error."""
    site = town.sites["10.0.0.5"] if known else town.sites.pop("10.0.0.5")
    site.close()
    assert visit(town.port).status == 502
    town.metrics.deliver(town.balancer)
    balancer = {"LoadBalancer": town.dimension}
    both = {**balancer, "TargetGroup": town.groups[0].rsplit(":", 1)[-1]}
    for dimensions in (balancer, both):
        assert town.statistic("TargetConnectionErrorCount", dimensions) == [1]
        assert town.statistic("RequestCount", dimensions) == [1]
        assert town.statistic("HTTPCode_Target_5XX_Count", dimensions) == []
    assert town.statistic("HTTPCode_ELB_5XX_Count", balancer) == [1]
    assert town.statistic("HTTPCode_ELB_5XX_Count", both) == []


def test_rules_come_first(town: Town) -> None:
    """A rule leads its path elsewhere, whatever the weights say; the others follow the default action."""
    town.lead("/health", {"Type": "forward", "TargetGroupArn": town.groups[1]})
    assert visit(town.port, path="/health").version == "green"
    assert visit(town.port, path="/version").version == "blue"
    # It counts as use: green's targets are checked.
    assert {group for _, group, _, _ in town.balancer.host_counts()} == set(town.groups)


def test_what_a_rule_answers_by_itself(town: Town) -> None:
    """No target is asked, and nothing is counted as a request to one."""
    config = {"StatusCode": "403", "ContentType": "text/plain", "MessageBody": "no"}
    town.lead("/closed", {"Type": "fixed-response", "FixedResponseConfig": config})
    assert visit(town.port, path="/closed").status == 403
    town.metrics.deliver(town.balancer)
    assert town.statistic("RequestCount", {"LoadBalancer": town.dimension}) == []


def test_a_redirect(town: Town) -> None:
    """What is not said is the request's own; `#{…}` stands for it too (user guide, redirect actions)."""
    configured = {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443", "Path": "/new/#{path}"}
    town.lead("/moved", {"Type": "redirect", "RedirectConfig": configured})
    connection = HTTPConnection("127.0.0.1", town.port, timeout=10)
    connection.request("GET", "/moved?a=1", headers={"Host": "shop.example.com"})
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.getheader("Location") == "https://shop.example.com:443/new/moved?a=1"
    connection.close()


def trust(authority: Authority) -> ssl.SSLContext:
    """Return what a client trusts that was given an authority's certificate."""
    return ssl.create_default_context(cadata=authority.certificate)


def ask(town: Town, context: ssl.SSLContext, name: str) -> str | None:
    """Ask for the release over HTTPS, under a name."""
    connection = HTTPSConnection(name, town.port, timeout=10, context=context)
    raw = socket.create_connection(("127.0.0.1", town.port), 10)
    with context.wrap_socket(raw, server_hostname=name) as connection.sock:
        connection.request("GET", "/version")
        return connection.getresponse().getheader("X-App-Version")


def test_https(town: Town) -> None:
    """A listener serves HTTPS with its certificate as soon as it is told to; whether to trust it is the client's."""
    authority = Authority()
    assert not town.balancer.serves_https(town.port)
    town.serve_https(authority.sign("shop.example.com", timedelta(hours=1)))
    assert town.balancer.serves_https(town.port)
    assert ask(town, trust(authority), "shop.example.com") == "blue"
    assert visit(town.port, tls=True).version == "blue"
    assert visit(town.port).status == 0
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        ask(town, trust(authority), "other.example.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        ask(town, trust(Authority()), "shop.example.com")
    # Another certificate takes the place of the first.
    town.serve_https(authority.sign("other.example.com", timedelta(hours=1)))
    assert ask(town, trust(authority), "other.example.com") == "blue"


def test_a_certificate_that_expires(town: Town) -> None:
    """It is served on: a load balancer does not look at the date, its clients do."""
    authority = Authority()
    town.serve_https(authority.sign("shop.example.com", timedelta(seconds=2)))
    assert ask(town, trust(authority), "shop.example.com") == "blue"
    threading.Event().wait(3)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        ask(town, trust(authority), "shop.example.com")


@pytest.mark.parametrize(("name", "value"), [("p99", 10), ("p50", 5), ("p90", 9), ("Average", 5.5), ("Sum", 55)])
def test_what_an_alarm_takes_of_its_datapoints(name: str, value: float) -> None:
    """A percentile is none of the sums: an alarm on one would fire under any traffic."""
    assert _statistic(name, [float(number) for number in range(1, 11)]) == value


class Used:
    """Tasks that use what they are told to."""

    def __init__(self, *used: tuple[TaskSpec, float, int]) -> None:
        self.used = list(used)

    def usage(self) -> Iterator[tuple[TaskSpec, float, int]]:
        """Iterate over the tasks."""
        yield from self.used


def test_how_much_of_their_size_tasks_use(town: Town) -> None:
    """Of a service's tasks, since the look before; not of one-off tasks, nor where it cannot be read."""
    size: Any = {"cpu": 256.0, "memory": 512.0}
    served = TaskSpec("a", "shop", "orders:1", (), "10.0.0.5", group="service:orders", **size)
    alone = TaskSpec("b", "shop", "orders:1", (), "10.0.0.6", group="family:orders", **size)
    unread = TaskSpec("c", "shop", "orders:1", (), "10.0.0.7", group="service:orders", **size)
    of = {"ClusterName": "shop", "ServiceName": "orders"}
    for clock, seconds in ((100.0, 5.0), (110.0, 6.0)):
        used: Any = Used((served, seconds, 128 * 2**20), (alone, seconds, 2**20), (unread, 0.0, 0))
        town.metrics.measure(used, clock)
    # A second of a processor in ten, and a quarter of one is its size; 128 MiB of 512.
    assert town.statistic("CPUUtilization", of, "AWS/ECS") == [40]
    assert town.statistic("MemoryUtilization", of, "AWS/ECS") == [25]


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


def test_a_hooks_figures_in_one_call(town: Town) -> None:
    """Each has its values, or none: counts that are zero are not there, and no query is in another's way."""
    town.check_health(times=1)
    for _ in range(3):
        visit(town.port)
    used: Any = Used()
    for clock, seconds in ((100.0, 5.0), (110.0, 6.0)):
        used.used = [(TaskSpec("a", "shop", "orders:1", (), "10.0.0.5", None, "service:orders", 256, 512), seconds, 1)]
        town.metrics.measure(used, clock)
    town.metrics.deliver(town.balancer)
    both = {"LoadBalancer": town.dimension, "TargetGroup": town.groups[0].rsplit(":", 1)[-1]}
    service = {"ClusterName": "shop", "ServiceName": "orders"}
    asked: list[tuple[str, str, str, dict[str, str]]] = [
        ("AWS/ApplicationELB", "RequestCount", "Sum", both),
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", both),
        ("AWS/ApplicationELB", "TargetConnectionErrorCount", "Sum", both),
        ("AWS/ApplicationELB", "UnHealthyHostCount", "Maximum", both),
        ("AWS/ApplicationELB", "RejectedConnectionCount", "Sum", {"LoadBalancer": town.dimension}),
        *(("AWS/ApplicationELB", "TargetResponseTime", each, both) for each in ("p50", "p90", "p95", "p99", "Maximum")),
        ("AWS/ECS", "CPUUtilization", "Average", service),
        ("AWS/ECS", "MemoryUtilization", "Average", service),
    ]
    queries: Any = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in of.items()],
                },
                "Period": 7200,
                "Stat": stat,
            },
        }
        for number, (namespace, name, stat, of) in enumerate(asked)
    ]
    now = datetime.now(timezone.utc)
    answer = town.cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1)
    )["MetricDataResults"]
    assert [result["StatusCode"] for result in answer] == ["Complete"] * len(asked)
    values: list[Any] = [max(result["Values"], default=None) for result in answer]
    assert values[:5] == [3, None, None, 0, None]
    latencies = values[5:10]
    assert latencies == sorted(latencies)
    assert latencies[0] > 0
    assert latencies[-2] == latencies[-1]
    assert values[10] == 40
    assert 0 < values[11] < 1


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
