"""Pieces: load balancers, listeners and rules, target groups and their health checks, ways to test first."""

from __future__ import annotations

from typing import Any

from rehearsal.testing.web import Request, Response
from tests.matrix.environment import FIXED, Environment, Plan
from tests.matrix.pieces import piece
from tests.unit.handlers.routes import LOGIN

NETWORK = {"Type": "network"}
ALL_AT_ONCE = "config"  # the dimension that an NLB bars: only all at once


def regroup(environment: Environment, **changes: Any) -> None:
    """Let Elastic Load Balancing describe the target groups of the pair otherwise than the stand-in can make them."""
    previous = environment.instead.get("elbv2:DescribeTargetGroups")
    ask = previous or (lambda parameters: environment.elbv2.describe_target_groups(**parameters))
    environment.instead["elbv2:DescribeTargetGroups"] = lambda parameters: {
        "TargetGroups": [{**group, **changes} for group in ask(parameters)["TargetGroups"]]
    }


# Protocols.


@piece("protocol")
def https_listeners(plan: Plan) -> None:
    """TLS ends at the load balancer, whose certificate is for another name than its own."""
    plan.protocol, plan.ports = "HTTPS", (443, 8443)


@piece("protocol")
def tests_without_tls(plan: Plan) -> None:
    """HTTPS for customers, HTTP for tests."""
    plan.protocol, plan.test_protocol, plan.ports = "HTTPS", "HTTP", (443, 8080)


@piece("protocol")
def https_to_the_tasks(plan: Plan) -> None:
    """TLS on both legs."""
    plan.protocol, plan.ports = "HTTPS", (443, 8443)
    plan.group |= {"Protocol": "HTTPS", "HealthCheckProtocol": "HTTPS"}


@piece("protocol", bars="health ports direct")
def grpc(plan: Plan) -> None:
    """gRPC, with the standard health service."""
    https_listeners(plan)
    plan.group |= {
        "ProtocolVersion": "GRPC",
        "HealthCheckPath": "/grpc.health.v1.Health/Check",
        "Matcher": {"GrpcCode": "0"},
    }
    plan.note("speaks gRPC only")


@piece("protocol", bars="health ports direct")
def grpc_by_default_matcher(plan: Plan) -> None:
    """gRPC, with Elastic Load Balancing's own path and code: 12, not implemented."""
    https_listeners(plan)
    plan.group |= {"ProtocolVersion": "GRPC", "HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}}
    plan.note("speaks gRPC only")


@piece("protocol", bars="direct")
def http2(plan: Plan) -> None:
    """HTTP/2 to the tasks."""
    https_listeners(plan)
    plan.group |= {"ProtocolVersion": "HTTP2"}
    plan.note("speaks HTTP/2 only")


NLB_BARS = "health door config"


@piece("protocol", bars=f"{NLB_BARS} traffic direct")
def nlb_tcp(plan: Plan) -> None:
    """TCP behind a Network Load Balancer, its health check a TCP connection."""
    plan.balancer, plan.protocol = dict(NETWORK), "TCP"
    plan.group |= {"Protocol": "TCP", "HealthCheckProtocol": "TCP"}
    plan.note("is TCP, no path", "BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic")
    plan.note("Network Load Balancer", "AfterAllowTraffic")


@piece("protocol", bars=f"{NLB_BARS} traffic ports direct")
def nlb_tcp_with_http_health(plan: Plan) -> None:
    """HTTP by way of TCP: the health check is an HTTP one."""
    plan.balancer, plan.protocol = dict(NETWORK), "TCP"
    plan.group |= {"Protocol": "TCP", "HealthCheckProtocol": "HTTP", "HealthCheckPath": "/health"}
    plan.group |= {"Matcher": {"HttpCode": "200-399"}}
    plan.note("Network Load Balancer", "AfterAllowTraffic")


@piece("protocol", bars=f"{NLB_BARS} traffic direct")
def nlb_tls(plan: Plan) -> None:
    """TLS ends at a Network Load Balancer."""
    plan.balancer, plan.protocol, plan.ports = dict(NETWORK), "TLS", (443, 8443)
    plan.group |= {"Protocol": "TCP", "HealthCheckProtocol": "TCP"}
    plan.note("is TCP, no path", "BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic")
    plan.note("Network Load Balancer", "AfterAllowTraffic")


# Ports.


@piece("ports")
def group_port_80(plan: Plan) -> None:
    """CDK's and many modules' shape: the groups' own port is a default that ECS never uses."""
    plan.group |= {"Port": 80}


@piece("ports")
def container_3000(plan: Plan) -> None:
    plan.port = 3000


@piece("ports")
def container_80(plan: Plan) -> None:
    plan.port = 80


@piece("ports")
def health_port_is_the_containers(plan: Plan) -> None:
    """The health check names the container's port, and the groups another one."""
    plan.group |= {"Port": 80, "HealthCheckPort": "8000"}


@piece("ports", bars="bridge host_mode")
def management_port(plan: Plan) -> None:
    """Spring's actuator on a port of its own, which awsvpc needs no mapping for."""
    plan.group |= {"HealthCheckPort": "9000", "HealthCheckPath": "/actuator/health"}
    plan.note("is on port 9000")


@piece("ports")
def groups_of_two_ports(plan: Plan) -> None:
    """Blue's group says 80 and green's 8080: neither is used."""
    plan.group |= {"Port": 8080}
    plan.blue_group |= {"Port": 80}


@piece("ports")
def named_port(plan: Plan) -> None:
    """A port mapping with a name and an application protocol, as Service Connect wants them."""
    mapping = {"name": "http", "containerPort": 8000, "hostPort": 8000, "protocol": "tcp", "appProtocol": "http"}
    plan.container |= {"portMappings": [mapping]}


@piece("ports", bars="bridge")
def two_ports(plan: Plan) -> None:
    """The application's port, and one for metrics."""
    plan.container |= {"portMappings": [{"containerPort": 9100}, {"containerPort": 8000}]}


# Health checks.


def answering(plan: Plan, by_path: dict[str, Response], otherwise: Response | None = None) -> None:
    """Let green answer these so, and others with 404."""
    plan.answer = lambda _environment, request: by_path.get(request.path, otherwise or Response(404, "not found"))


def matching(plan: Plan, codes: str, **more: Any) -> None:
    """The health check's matcher."""
    plan.group |= {"Matcher": {"HttpCode": codes}, **more}


@piece("health")
def matcher_200(plan: Plan) -> None:
    matching(plan, "200")


@piece("health")
def matcher_200_399(plan: Plan) -> None:
    """The root of a site, which leads to its login page."""
    matching(plan, "200-399", HealthCheckPath="/")
    answering(plan, {"/": Response(302, "", {"Location": "/login"})})


@piece("health")
def matcher_200_404(plan: Plan) -> None:
    """An API that has nothing at its root."""
    matching(plan, "200,404", HealthCheckPath="/")
    answering(plan, {})


@piece("health")
def matcher_301_302(plan: Plan) -> None:
    """A framework that redirects to HTTPS what does not say that it came so."""
    matching(plan, "200,301,302")
    answering(plan, {"/health": Response(301, "", {"Location": "https://shop.example.com/health"})})


@piece("health")
def matcher_401(plan: Plan) -> None:
    """Everything asks for a password; that it does is health enough."""
    matching(plan, "200-299,401", HealthCheckPath="/api")
    answering(plan, {"/api": Response(401, "", {"WWW-Authenticate": "Bearer"})})


@piece("health")
def deep_path(plan: Plan) -> None:
    matching(plan, "200-299", HealthCheckPath="/api/v1/health")
    answering(plan, {"/api/v1/health": Response()})


@piece("health")
def path_with_a_query(plan: Plan) -> None:
    matching(plan, "200", HealthCheckPath="/healthz?full=1&verbose")
    answering(plan, {"/healthz?full=1&verbose": Response()})


@piece("health")
def patient_health_check(plan: Plan) -> None:
    """Elastic Load Balancing's slowest thresholds."""
    plan.group |= {"HealthCheckIntervalSeconds": 60, "HealthyThresholdCount": 5, "HealthCheckTimeoutSeconds": 30}
    plan.group |= {"UnhealthyThresholdCount": 5}


@piece("health")
def health_checks_differ(plan: Plan) -> None:
    """Made at two times: one asks / and the other /health."""
    plan.blue_group |= {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}}


@piece("health")
def answers_204(plan: Plan) -> None:
    """Nothing to say, and well."""
    answering(plan, {"/health": Response(204, "")})


@piece("health")
def connections_are_closed(plan: Plan) -> None:
    """A server that keeps no connection."""
    answering(plan, {"/health": Response(200, "ok", {"Connection": "close"})})


# Doors: how customers come to the service.


@piece("door")
def by_host(plan: Plan) -> None:
    """A shared load balancer: a fixed default, and one host of ours."""
    plan.rules = [{"host-header": ["shop.example.com"]}]


@piece("door")
def by_two_hosts(plan: Plan) -> None:
    plan.rules = [{"host-header": ["*.shop.example.com", "shop.example.com"]}]


@piece("door", bars="health")
def by_path(plan: Plan) -> None:
    """An API below a path, which the health check's path is not."""
    plan.rules = [{"path-pattern": ["/api/v1*"]}]
    answering(plan, {"/health": Response()})


@piece("door", bars="health")
def by_two_paths(plan: Plan) -> None:
    plan.rules = [{"path-pattern": ["/shop", "/shop/*"]}]
    answering(plan, {"/health": Response(), "/shop": Response(301, "", {"Location": "/shop/"}), "/shop/": Response()})


@piece("door", bars="health")
def by_path_of_a_protected_api(plan: Plan) -> None:
    """Whoever has no token gets 401 from the application: it answers."""
    plan.rules = [{"path-pattern": ["/orders/*"]}]
    answering(plan, {"/health": Response()}, Response(401, ""))


@piece("door", bars="health")
def by_host_and_path(plan: Plan) -> None:
    plan.rules = [{"host-header": ["api.example.com"], "path-pattern": ["/v2/*"]}]
    answering(plan, {"/health": Response()})


@piece("door", bars="health")
def by_host_and_the_health_path(plan: Plan) -> None:
    plan.rules = [{"host-header": ["api.example.com"], "path-pattern": ["/health", "/v2/*"]}]


@piece("door")
def by_wildcard_host(plan: Plan) -> None:
    """One tenant a host."""
    plan.rules = [{"host-header": ["*.example.com"]}]
    plan.note("wildcard")


@piece("door", bars="health")
def by_several_rules(plan: Plan) -> None:
    """Two rules of ours on one listener, both shifted."""
    plan.rules = [{"path-pattern": ["/api/*"]}, {"host-header": ["shop.example.com"]}]


def another_service(environment: Environment) -> str:
    """The target group of a service that is not deployed here."""
    return environment.create_target_group("blog", Port=80)


@piece("door")
def neighbours_by_rules(plan: Plan) -> None:
    """Other services have rules on both listeners, before ours and for other hosts."""

    def add(environment: Environment) -> None:
        blog = environment.forward(another_service(environment))
        for listener in environment.listeners:
            environment.create_rule(listener, 1, {"host-header": ["blog.example.com"]}, [blog])
            environment.create_rule(listener, 2, {"path-pattern": ["/blog/*"]}, [blog])
            environment.create_rule(listener, 3, {"path-pattern": ["/old"]}, [FIXED])

    plan.prepare.append(add)


@piece("door")
def neighbours_behind_the_default(plan: Plan) -> None:
    """The default is another service's, and ours has a host of its own."""
    plan.rules = [{"host-header": ["shop.example.com"]}]

    def add(environment: Environment) -> None:
        blog = environment.forward(another_service(environment))
        for listener in environment.listeners:
            environment.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[blog])

    plan.prepare.append(add)


@piece("door")
def neighbours_on_other_listeners(plan: Plan) -> None:
    """Further listeners of the load balancer are other services'."""

    def add(environment: Environment) -> None:
        blog = environment.forward(another_service(environment))
        environment.elbv2.create_listener(
            LoadBalancerArn=environment.load_balancer, Protocol="HTTP", Port=9090, DefaultActions=[blog]
        )

    plan.prepare.append(add)


@piece("door", bars="protocol")
def redirect_beside(plan: Plan) -> None:
    """HTTP on 80 sends everybody to HTTPS on 443."""
    https_listeners(plan)

    def add(environment: Environment) -> None:
        config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        environment.elbv2.create_listener(
            LoadBalancerArn=environment.load_balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "redirect", "RedirectConfig": config}],
        )

    plan.prepare.append(add)


@piece("door", bars="protocol")
def login_in_front(plan: Plan) -> None:
    """The load balancer asks for a login before it lets anybody in."""
    https_listeners(plan)
    plan.before = [LOGIN]
    plan.note("login")


@piece("door", bars="protocol health direct_by_rules")
def login_but_for_health(plan: Plan) -> None:
    """Only the health check's path needs no login, by a rule."""
    https_listeners(plan)

    def add(environment: Environment) -> None:
        forward = environment.forward(environment.blue_group)
        for listener in environment.listeners:
            environment.create_rule(listener, 1, {"path-pattern": ["/health"]}, [forward])
            environment.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[LOGIN, forward])

    plan.prepare.append(add)
    plan.note("login", "BeforeInstall", "AfterAllowTestTraffic", "AfterAllowTraffic")


@piece("door")
def maintenance_rule(plan: Plan) -> None:
    """A rule by a header that nobody sends, for the day of maintenance."""

    def add(environment: Environment) -> None:
        header = {"HttpHeaderName": "X-Maintenance", "Values": ["on"]}
        environment.elbv2.create_rule(
            ListenerArn=environment.production_listener,
            Priority=1,
            Conditions=[{"Field": "http-header", "HttpHeaderConfig": header}],
            Actions=[FIXED],
        )

    plan.prepare.append(add)


# Ways to test first.


@piece("test_first", bars="door protocol bridge host_mode")
def direct(plan: Plan) -> None:
    """No test listener; the functions are inside the VPC and ask green's targets themselves."""
    plan.test_listener, plan.in_vpc = False, True


@piece("test_first", bars="protocol bridge host_mode")
def direct_by_rules(plan: Plan) -> None:
    """The same behind a shared load balancer: the host by the rule."""
    plan.test_listener, plan.in_vpc = False, True
    plan.rules = plan.rules or [{"host-header": ["shop.example.com"]}]


@piece("test_first")
def hook_left_out(plan: Plan) -> None:
    """No test listener, and the AppSpec has no hook that needs one."""
    plan.test_listener, plan.left_out = False, "AfterAllowTestTraffic"


@piece("test_first")
def functions_inside(plan: Plan) -> None:
    """The functions are inside the VPC, and there is a test listener."""
    plan.in_vpc = True


# Addresses.


@piece("network")
def dualstack(plan: Plan) -> None:
    plan.balancer |= {"IpAddressType": "dualstack"}


@piece("network", bars="direct direct_by_rules protocol")
def internal_and_inside(plan: Plan) -> None:
    """An internal load balancer, and functions inside its VPC."""
    plan.balancer |= {"Scheme": "internal"}
    plan.in_vpc = True


@piece("network", bars="direct direct_by_rules")
def internal_and_outside(plan: Plan) -> None:
    """An internal load balancer, and functions that cannot reach it: said, and nothing is refused for it."""
    plan.balancer |= {"Scheme": "internal"}
    plan.in_vpc = False
    plan.note("is internal and the function outside its VPC")
    plan.note("no request", "AfterAllowTestTraffic", "AfterAllowTraffic")


@piece("network", bars="direct direct_by_rules protocol")
def test_port_closed(plan: Plan) -> None:
    """The load balancer's security group lets anybody in on the production port alone: said, and with the cure."""

    def close(environment: Environment) -> None:
        group = environment.ec2.create_security_group(GroupName="tight", Description="tight", VpcId=environment.vpc)
        port, anybody = plan.ports[0], [{"CidrIp": "0.0.0.0/0"}]
        production = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": anybody}
        environment.ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[production])
        environment.elbv2.set_security_groups(
            LoadBalancerArn=environment.load_balancer, SecurityGroups=[group["GroupId"]]
        )

    plan.prepare.append(close)
    plan.note("does not let the function in on port", "BeforeInstall", "AfterAllowTestTraffic")


@piece("network", bars="bridge host_mode direct direct_by_rules fargate_spot")
def public_addresses(plan: Plan) -> None:
    """Tasks with public addresses, without a NAT gateway, named in the AppSpec again."""

    def say(environment: Environment) -> None:
        vpc = {"Subnets": environment.subnets, "SecurityGroups": [environment.security_group]}
        plan.appspec["NetworkConfiguration"] = {"AwsvpcConfiguration": {**vpc, "AssignPublicIp": "ENABLED"}}

    plan.prepare.append(say)


@piece("network", bars="place direct direct_by_rules protocol history")
def ipv6_targets(plan: Plan) -> None:
    """Target groups of IPv6 addresses."""

    def describe(environment: Environment) -> None:
        regroup(environment, IpAddressType="ipv6")

        def ipv6(address: str) -> str:
            return "2001:db8:" + ":".join(f"{int(part):x}" for part in address.split(".")) + "::1"

        def health(parameters: Any) -> Any:
            answer = environment.elbv2.describe_target_health(**parameters)
            for entry in answer["TargetHealthDescriptions"]:
                entry["Target"]["Id"] = ipv6(entry["Target"]["Id"])
            return answer

        def tasks(parameters: Any) -> Any:
            answer = environment.ecs.describe_tasks(**parameters)
            for task in answer["tasks"]:
                for container in task["containers"]:
                    for interface in container["networkInterfaces"]:
                        interface["ipv6Address"] = ipv6(interface["privateIpv4Address"])
            return answer

        environment.instead["elbv2:DescribeTargetHealth"] = health
        environment.instead["ecs:DescribeTasks"] = tasks

    plan.balancer |= {"IpAddressType": "dualstack"}
    plan.prepare.append(describe)


def slow_answers(plan: Plan, seconds: float, first: int | None = None) -> None:
    """Let answers take so long: all, or the first so many."""
    answer = plan.answer

    def slowly(environment: Environment, request: Request) -> Response | None:
        if first is None or len(environment.answered) < first:
            environment.clock.sleep(seconds)
        return answer(environment, request)

    plan.answer = slowly
