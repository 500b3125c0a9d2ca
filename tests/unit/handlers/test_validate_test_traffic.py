"""AfterAllowTestTraffic: green is asked through the test listener, and only once it is behind it."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from typing import Any

import boto3
import pytest
import validate_test_traffic as hook

from rehearsal.aws.world import TargetState
from tests.unit.gate.web_server import Certificates, make_certificates
from tests.unit.handlers.stage import Judge, Judgement, Stage, refuse
from tests.unit.handlers.web import Request, Response, Site

EVENT = "AfterAllowTestTraffic"
NAME = "shop.example.com"
NO_SAMPLES: dict[str, Any] = {"samples": 0}
WARM_UP = 2 * 10  # requests before samples: ten for each of green's targets
ONE_ATTEMPT: dict[str, Any] = {"attempts": 1}
VERSION: dict[str, Any] = {"response_headers": {"X-App-Version": {"equals": "{image_tag}"}}}
REVISION: dict[str, Any] = {"jmespath": {"revision": {"equals": "{revision}"}}}


def paths(site: Site) -> Counter[str]:
    """How often each path was asked for."""
    return Counter(request.path for request in site.requests)


def answered_by(release: str) -> Response:
    """An answer that says which release gave it."""
    return Response(200, json.dumps({"revision": int(release)}), {"X-App-Version": release})


def test_by_default_the_target_groups_own_health_check_is_asked(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert judgement.message == "4 checks passed"
    assert {(request.method, request.path) for request in site.requests} == {("GET", "/health")}
    assert len(site.requests) == 1 + WARM_UP + 20
    assert judgement.outcomes() == {
        "deployment": "passed",
        "test_listener": "passed",
        "green_serves_tests": "passed",
        "http:health": "passed",
        "samples:health:error_rate": "passed",
    }
    assert judgement.check("test_listener") == ("passed", "the test listener is on port 8080 (HTTP)")
    assert judgement.check("green_serves_tests") == (
        "passed",
        "test traffic leads to green (shop-green 100), 2 of 2 target(s) healthy",
    )
    assert judgement.check("http:health") == ("passed", "GET /health: 200 in 0 ms")
    assert judgement.check("samples:health:error_rate") == ("passed", "0 of 20 requests failed (0.00%)")


def test_every_request_goes_through_the_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"path": "/"}, "order": {"path": "/orders", "method": "POST", "body": "{}"}}
    flows = {"buy": {"steps": [{"path": "/basket"}]}}
    judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, samples=3)
    assert {request.host for request in site.requests} == {f"{stage.dns_name}:8080"}
    assert paths(site) == {"/": 1 + WARM_UP + 3, "/orders": 1, "/basket": 1}
    assert {request.body for request in site.requests if request.method == "POST"} == {"{}"}


def test_it_only_reads(stage: Stage, judge: Judge, site: Site) -> None:
    judge(hook, stage.at(EVENT), samples=1)
    assert site.requests
    assert {call.name for call in stage.calls} == {
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecs:DescribeServices",
        "elbv2:DescribeTargetGroups",
        "elbv2:DescribeListeners",
        "elbv2:DescribeRules",
        "elbv2:DescribeTargetHealth",
        "elbv2:DescribeLoadBalancers",
    }


def test_a_rule_of_the_test_listener_that_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    """With its host set, all requests would be answered by blue."""
    event = stage.at(EVENT)
    stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=7,
        Conditions=[{"Field": "host-header", "Values": ["orders.example.com"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.blue_group}],
    )
    judgement = judge(hook, event, host="orders.example.com")
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "of the test listener, rule 7 (host-header orders.example.com) leads to shop-blue 1: not to green (shop-green) "
    )
    assert site.requests == []


ELSEWHERE = "leads elsewhere"
TEAPOT = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
AWAY = {"Type": "redirect", "RedirectConfig": {"Path": "/new", "StatusCode": "HTTP_301"}}
RuleOf = tuple[dict[str, Any], str | dict[str, Any]]


@pytest.mark.parametrize(
    ("rules", "taken_by"),
    [
        ([({"path-pattern": ["/he*"]}, ELSEWHERE)], "rule 9 (path-pattern /he*)"),
        ([({"path-pattern": ["/a", "/health"], "host-header": ["*"]}, ELSEWHERE)], "rule 9 (path-pattern /a, /health"),
        ([({"host-header": [NAME.upper()]}, ELSEWHERE)], "rule 9 (host-header"),
        ([({"path-pattern": ["/health"]}, TEAPOT)], "rule 9 (path-pattern /health)"),
        ([({"path-pattern": ["/Health"]}, ELSEWHERE)], None),
        ([({"path-pattern": ["/health"], "host-header": ["other.example.com"]}, ELSEWHERE)], None),
        ([({"path-pattern": ["/health"]}, "green"), ({"path-pattern": ["/*"]}, ELSEWHERE)], None),
        ([({"path-pattern": ["/*"]}, ELSEWHERE), ({"path-pattern": ["/health"]}, "green")], "rule 9 (path-pattern /*"),
        ([({"path-pattern": ["/health"], "http-request-method": ["POST"]}, ELSEWHERE)], None),
        ([({"path-pattern": ["/health"], "source-ip": ["10.9.0.0/16"]}, ELSEWHERE)], None),
        ([({"path-pattern": ["/health"]}, AWAY), ({"path-pattern": ["/*"]}, ELSEWHERE)], None),
    ],
    ids=str,
)  # fmt: skip
def test_a_request_that_a_rule_leads_past_green_is_not_sent(
    stage: Stage, judge: Judge, site: Site, rules: list[RuleOf], taken_by: str | None
) -> None:
    """The default action leads to green; whoever the rule leads to would answer in its name, and maybe well."""
    event = stage.at(EVENT)
    groups = {"green": stage.green_group, ELSEWHERE: stage.create_target_group("another")}
    for place, (conditions, action) in reversed(list(enumerate(rules))):  # the last is the first to be made
        stage.elbv2.create_rule(
            ListenerArn=stage.test_listener,
            Priority=9 + 91 * place,  # 100 comes after 9, though not as a word
            Conditions=[condition(field, values) for field, values in conditions.items()],
            Actions=[{"Type": "forward", "TargetGroupArn": groups[action]} if isinstance(action, str) else action],
        )
    judgement = judge(hook, event, host=NAME, samples=1, http_checks={"health": {"path": "/health"}})
    assert judgement.succeeded is (taken_by is None)
    if taken_by:
        assert judgement.check("http:health")[0] == "error"
        assert judgement.message.startswith(taken_by)
        assert judgement.message.endswith(
            f"of the listener takes /health of {NAME}, and does not lead to green: set host or path to what green "
            "answers, or url to ask somebody else"
        )
        assert site.requests == []


def lead_away(stage: Stage, path: str) -> None:
    """A rule of the test listener that leads a path past green."""
    stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=9,
        Conditions=[condition("path-pattern", [path])],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.create_target_group("another")}],
    )


def test_a_path_is_held_against_rules_with_what_green_is_called(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    revision = stage.green_definition.rpartition(":")[2]
    lead_away(stage, f"/{revision}")
    flows = {"see": {"steps": [{"path": "/{revision}"}]}}
    judgement = judge(hook, event, http_checks={"of": {**ONE_ATTEMPT, "path": "/{revision}"}}, flows=flows)
    assert judgement.check("http:of")[0] == judgement.check("flow:see")[0] == "error"
    assert site.requests == []


def test_a_path_is_held_against_rules_with_what_was_saved(stage: Stage, judge: Judge, site: Site) -> None:
    """What was made before is cleaned up."""
    event = stage.at(EVENT)
    lead_away(stage, "/orders/5")
    site.answer = lambda _: Response(200, '{"id": "5"}')
    steps: list[dict[str, Any]] = [
        {"path": "/orders", "method": "POST", "save": {"id": "id"}},
        {"path": "/orders/{id}"},
        {"path": "/clean/{id}", "method": "DELETE", "always": True},
    ]
    judgement = judge(hook, event, http_checks={}, flows={"buy": {"steps": steps}})
    assert "GET /orders/{id}: with what was saved, no rule of the listener leads it to green" in judgement.message
    assert [request.path for request in site.requests if request.path != "/health"] == ["/orders", "/clean/5"]


def condition(field: str, values: list[str]) -> dict[str, Any]:
    """A rule's condition, as ELB takes it."""
    name = "".join(word.title() for word in field.split("-"))
    return {"Field": field, f"{name}Config": {"Values": values}}


DEFAULT_RULE = {"Priority": "default", "IsDefault": True, "Conditions": [], "Actions": []}


def rule(group: str, *conditions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A rule as DescribeRules has it."""
    forward = {"Type": "forward", "TargetGroupArn": group}
    return {"Priority": "5", "IsDefault": False, "Conditions": list(conditions), "Actions": [forward], **changes}


REGEX = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/[a-h]+$"]}}
HEADER = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Shop", "Values": ["a*", "b"]}}
QUERY = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "new"}]}}
WORDS = "path-pattern ^/[a-h]+$; http-header X-Shop: ***; query-string v=2, new"


def test_of_a_regular_expression_it_is_not_said_that_it_takes_a_request(stage: Stage, judge: Judge, site: Site) -> None:
    event, another = stage.at(EVENT), stage.create_target_group("another")
    stage.instead["elbv2:DescribeRules"] = lambda _: {"Rules": [rule(another, REGEX), DEFAULT_RULE]}
    assert judge(hook, event, samples=1).succeeded
    assert paths(site) == {"/health": 1 + WARM_UP + 1}


def test_a_rules_conditions_are_told_as_they_are_known(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    answer = {"Rules": [rule(stage.blue_group, REGEX, HEADER, QUERY), DEFAULT_RULE]}
    stage.instead["elbv2:DescribeRules"] = lambda _: answer
    assert f"rule 5 ({WORDS}) leads to shop-blue 1" in judge(hook, event).message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Priority": None}, "does not say which priority a rule of arn:aws:elasticloadbalancing:"),
        ({"Conditions": None}, "does not say which requests rule 5 takes"),
        ({"Conditions": [{"Values": ["/health"]}]}, "does not say which requests rule 5 takes"),
        ({"Conditions": [{"Field": "path-pattern", "PathPatternConfig": {}}]}, "which requests rule 5 takes"),
        ({"Actions": None}, "does not say what rule 5 does"),
        ({"Actions": [{"TargetGroupArn": "arn"}]}, "does not say what rule 5 does"),
        ({"IsDefault": None}, "does not say which rule of arn:aws:elasticloadbalancing:"),
    ],
    ids=str,
)
def test_a_rule_of_which_elb_does_not_say_what_decides(
    stage: Stage, judge: Judge, site: Site, wrong: dict[str, Any], said: str
) -> None:
    event = stage.at(EVENT)
    changed = {**rule(stage.green_group, condition("path-pattern", ["/health"])), **wrong}
    known = {member: value for member, value in changed.items() if value is not None}
    stage.instead["elbv2:DescribeRules"] = lambda _: {"Rules": [known, DEFAULT_RULE]}
    judgement = judge(hook, event)
    assert not judgement.succeeded
    assert said in judgement.message
    assert site.requests == []


# Nothing is sent before green can answer.

# All that could send: checks with samples, and a flow.
EVERYTHING: dict[str, Any] = {
    "http_checks": {"front": {"path": "/"}, "health": {"path": "/health"}},
    "flows": {"buy": {"steps": [{"path": "/basket"}, {"path": "/clean", "method": "DELETE", "always": True}]}},
}


def test_nothing_is_sent_while_the_listener_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message == "the test listener does not lead to green (shop-green) alone but to shop-blue 1"
    assert judgement.check("green_serves_tests") == ("failed", judgement.message)
    assert site.requests == []
    assert stage.clock.now == 60, "CodeDeploy has shifted test traffic before it called the hook"


def test_nothing_is_sent_while_the_listener_leads_to_both(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1, stage.green_group: 99})
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert "alone but to shop-blue 1, shop-green 99" in judgement.message
    assert site.requests == []


def test_the_listener_is_waited_for(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    arrived_before: list[int] = []

    def shift() -> None:
        arrived_before.append(len(site.requests))
        stage.lead(stage.test_listener, {stage.blue_group: 0, stage.green_group: 100})

    stage.clock.after(7, shift)
    assert judge(hook, event, **NO_SAMPLES).succeeded
    assert arrived_before == [0]
    assert len(site.requests) == 1
    assert stage.clock.now == 8


@pytest.mark.parametrize("state", ["initial", "unhealthy", "unused", "draining", "unavailable"])
def test_nothing_is_sent_while_no_green_target_is_healthy(stage: Stage, judge: Judge, site: Site, state: str) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState(state, "Some.Reason", "in words")
    judgement = judge(hook, event, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy, so nothing is sent: green target 10.0.")
    assert f":8000 is {state} (Some.Reason: in words)" in judgement.message
    assert site.requests == []


@pytest.mark.parametrize(("state", "recovers"), [("unhealthy", False), ("initial", True), ("unhealthy", True)])
def test_each_of_greens_targets_has_to_be_healthy(
    stage: Stage, judge: Judge, site: Site, state: str, recovers: bool
) -> None:
    """One of two is waited for; where it does not come, it is named with its reason."""
    event = stage.at(EVENT)
    found: Any = stage.elbv2.describe_target_health(TargetGroupArn=stage.green_group)
    second = found["TargetHealthDescriptions"][1]
    second["TargetHealth"] = {"State": state, "Reason": "Target.Timeout", "Description": "Request timed out"}

    def answer(parameters: Mapping[str, Any]) -> Any:
        late = recovers and stage.clock.now >= 120
        return stage.elbv2.describe_target_health(**parameters) if late else found

    stage.instead["elbv2:DescribeTargetHealth"] = answer
    judgement = judge(hook, event, interval=60, **NO_SAMPLES)
    assert judgement.succeeded is recovers
    if recovers:
        assert stage.clock.now == 120
    else:
        address = f"{second['Target']['Id']}:8000"
        assert judgement.message.startswith(
            "1 of 2 green targets are healthy, so nothing is sent: green target "
            f"{address} is unhealthy (Target.Timeout: Request timed out) (still so after "
        )
        assert site.requests == []


def test_nothing_is_sent_to_an_empty_target_group(stage: Stage, judge: Judge, site: Site) -> None:
    stage.world.pending.add(stage.image("2"))
    judgement = judge(hook, stage.at(EVENT), interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "no green target is healthy, so nothing is sent: green target none is registered"
    )
    assert site.requests == []


def test_a_healthy_target_is_waited_for(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    arrived_before: list[int] = []
    stage.clock.after(20, lambda: arrived_before.append(len(site.requests)))
    stage.clock.after(20, stage.world.target_health.clear)
    assert judge(hook, event, **NO_SAMPLES).succeeded
    assert arrived_before == [0]
    assert stage.clock.now == 20
    assert len(site.requests) == 1


@pytest.mark.parametrize("call", ["elbv2:DescribeListeners", "elbv2:DescribeTargetHealth", "ecs:DescribeServices"])
def test_nothing_is_sent_where_it_cannot_be_seen_where_green_is(
    stage: Stage, judge: Judge, site: Site, call: str
) -> None:
    event = stage.at(EVENT)
    stage.instead[call] = refuse("AccessDenied")
    judgement = judge(hook, event, **EVERYTHING)
    assert not judgement.succeeded
    assert call.partition(":")[2] in judgement.message
    assert site.requests == []


def test_going_without_a_test_listener_is_no_leave_to_send_to_one_that_is_not_on_green(
    stage: Stage, judge: Judge, site: Site
) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, checks={"test_listener": "skip"}, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("the test listener does not lead to green (shop-green) alone")
    assert site.requests == []


# A listener that leads to green by a rule only.


def lead_by_rule(stage: Stage, group: str) -> str:
    """Make the test listener answer 404 by itself, but for one host name, which leads to a group; return the rule."""
    fixed = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nobody here"}
    stage.elbv2.modify_listener(
        ListenerArn=stage.test_listener, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}]
    )
    rule = stage.elbv2.create_rule(
        ListenerArn=stage.test_listener,
        Priority=10,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [NAME]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(rule["Rules"][0]["RuleArn"])


def only_for(host: str) -> Callable[[Request], Response]:
    """What such a listener answers."""
    return lambda request: answered_by("2") if request.host == host else Response(404, "nobody here")


@pytest.mark.parametrize("place", ["of the check", "of the hook"])
def test_behind_a_rule_for_a_host_that_host_is_asked(stage: Stage, judge: Judge, site: Site, place: str) -> None:
    event = stage.at(EVENT)
    lead_by_rule(stage, stage.green_group)
    site.answer = only_for(NAME)
    settings: dict[str, Any] = {"http_checks": {"front": {"path": "/"}}, "flows": {"buy": {"steps": [{"path": "/b"}]}}}
    if place == "of the hook":
        settings["host"] = NAME
    else:
        settings["http_checks"]["front"]["host"] = NAME
        settings["flows"]["buy"]["steps"][0]["host"] = NAME
    judgement = judge(hook, event, samples=5, **settings)
    assert judgement.succeeded
    assert judgement.check("green_serves_tests")[1].startswith("test traffic leads to green (shop-green ")
    assert Counter(request.host for request in site.requests) == {NAME: 1 + WARM_UP + 5 + 1}


def test_behind_a_rule_for_a_host_nothing_is_sent_without_it(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    lead_by_rule(stage, stage.green_group)
    judgement = judge(hook, event, http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith(f"only rules of the listener lead to green (host-header {NAME}), and none tak")
    assert site.requests == []


def test_nothing_is_sent_while_the_rule_leads_to_blue(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    rule = lead_by_rule(stage, stage.blue_group)
    arrived_before: list[int] = []

    def shift() -> None:
        arrived_before.append(len(site.requests))
        stage.elbv2.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}])

    stage.clock.after(30, shift)
    assert judge(hook, event, host=NAME, **EVERYTHING).succeeded
    assert arrived_before == [0]
    assert stage.clock.now == pytest.approx(30 + 2 * 0.2 * (WARM_UP + 20 - 1))  # two checks' samples


def test_headers_of_the_hook_and_of_the_check(stage: Stage, judge: Judge, site: Site) -> None:
    """The check's own go before those of the hook; an address elsewhere gets nothing that is meant for green."""
    checks = {
        "plain": {"path": "/plain"},
        "own": {"path": "/own", "headers": {"X-Canary": "own"}, "host": "own.example.com"},
        "elsewhere": {"url": f"{site.url}/elsewhere"},
    }
    judgement = judge(
        hook, stage.at(EVENT), host=NAME, headers={"X-Canary": "yes", "X-Team": "shop"}, http_checks=checks, samples=2
    )
    assert judgement.succeeded
    assert paths(site) == {"/plain": 1 + WARM_UP + 2, "/own": 1 + WARM_UP + 2, "/elsewhere": 1 + 10 + 2}
    sent = {(r.path, r.host, r.headers.get("X-Canary"), r.headers.get("X-Team")) for r in site.requests}
    assert sent == {
        ("/plain", NAME, "yes", "shop"),
        ("/own", "own.example.com", "own", "shop"),
        ("/elsewhere", f"127.0.0.1:{site.port}", None, None),
    }


# An HTTPS listener.


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of the test's own, and its certificate for one name, good for a day."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture
def secure(stage: Stage, site: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The application behind the load balancer's name, by TLS; at `site` nobody asks any more."""
    tls = Site(certificates.server)
    monkeypatch.setattr("socket.getaddrinfo", tls.resolve(stage.dns_name))
    yield tls
    tls.stop()
    assert site.requests == []


def at_https(stage: Stage) -> dict[str, str]:
    """A deployment whose test listener speaks TLS, on port 8443."""
    event = stage.at(EVENT)
    arn = boto3.client("acm").request_certificate(DomainName=NAME)["CertificateArn"]
    stage.elbv2.modify_listener(
        ListenerArn=stage.test_listener, Protocol="HTTPS", Port=8443, Certificates=[{"CertificateArn": arn}]
    )
    return event


def test_an_https_listener_is_asked_by_https_at_its_port(
    stage: Stage, judge: Judge, secure: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    checks = {"front": {"path": "/", "host": NAME, "certificate_days": 0.5}}
    judgement = judge(hook, at_https(stage), http_checks=checks, samples=3)
    assert judgement.succeeded
    assert judgement.check("test_listener") == ("passed", "the test listener is on port 8443 (HTTPS)")
    assert Counter(request.host for request in secure.requests) == {NAME: 1 + WARM_UP + 3}
    assert set(secure.server_names) == {NAME}


def test_without_a_host_the_load_balancers_name_is_asked_for(stage: Stage, judge: Judge, secure: Site) -> None:
    checks = {"front": {"verify_tls": False}}
    assert judge(hook, at_https(stage), http_checks=checks, **NO_SAMPLES).succeeded
    assert [request.host for request in secure.requests] == [f"{stage.dns_name}:8443"]
    assert secure.server_names == [stage.dns_name]


def test_a_certificate_for_another_name_names_the_cure(
    stage: Stage, judge: Judge, secure: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    event = at_https(stage)
    judgement = judge(hook, event, http_checks={"front": {}})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: TLS failed (")
    assert "doesn't match" in judgement.message or "mismatch" in judgement.message
    assert judgement.message.endswith("; set `host` to a name in the certificate (attempt 3 of 3)")
    assert secure.requests == []
    stage.deployment.set_status("Stopped")
    assert judge(hook, at_https(stage), host=NAME, http_checks={"front": {}}, samples=2).succeeded


def test_an_authority_that_nobody_knows_is_a_failure_of_tls(stage: Stage, judge: Judge, secure: Site) -> None:
    judgement = judge(hook, at_https(stage), host=NAME, http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: TLS failed (")
    assert "certificate verify failed" in judgement.message
    assert secure.requests == []


def test_tls_need_not_be_verified(stage: Stage, judge: Judge, secure: Site) -> None:
    checks = {"front": {"verify_tls": False}}
    assert judge(hook, at_https(stage), http_checks=checks, samples=3).succeeded
    assert len(secure.requests) == 1 + WARM_UP + 3


def test_the_target_groups_own_health_check_does_not_verify_tls(stage: Stage, judge: Judge, secure: Site) -> None:
    """As the load balancer does not."""
    assert judge(hook, at_https(stage), samples=3).succeeded
    assert paths(secure) == {"/health": 1 + WARM_UP + 3}


def test_a_certificate_that_soon_runs_out(
    stage: Stage, judge: Judge, secure: Site, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    checks = {"front": {"certificate_days": 14, **ONE_ATTEMPT}}
    judgement = judge(hook, at_https(stage), host=NAME, http_checks=checks)
    assert not judgement.succeeded
    assert len(secure.requests) == 1
    assert "[CERTIFICATE] (1 days left) expected at least 14" in judgement.message


def test_by_http_there_is_no_certificate(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"certificate_days": 14, **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert len(site.requests) == 1
    assert "[CERTIFICATE] (none: the answer did not come by TLS) expected one" in judgement.message


# What green answers.


def test_a_wrong_status(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(500, "database is away")
    judgement = judge(hook, stage.at(EVENT))
    assert not judgement.succeeded
    assert judgement.message == (
        "GET /health: [STATUS] (500) expected 200-299; body: database is away (attempt 3 of 3)"
    )
    assert len(site.requests) == 3  # no samples of what does not answer


def test_an_answer_that_comes_right_at_the_last_attempt(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.number == 3 else 503)
    judgement = judge(hook, stage.at(EVENT), **NO_SAMPLES)
    assert judgement.succeeded
    assert len(site.requests) == 3
    assert stage.clock.now == 2


def test_attempts_come_after_the_initial_delay_and_at_the_interval(stage: Stage, judge: Judge, site: Site) -> None:
    moments: list[float] = []

    def answer(_request: Request) -> Response:
        moments.append(stage.clock.now)
        return Response(503)

    site.answer = answer
    checks = {"front": {"initial_delay": 45, "interval": 7, "attempts": 4}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert "(attempt 4 of 4)" in judgement.message
    assert moments == [45, 52, 59, 66]
    assert stage.clock.now == 66


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ((200, 200, 200), "GET /: 200 in 0 ms"),
        ((200, 503, 200, 200, 200), "GET /: 200 in 0 ms"),
        # Of five attempts, three good ones in a row can no longer come.
        ((200, 503, 200, 503), "(attempt 4 of 5)"),
        ((503, 503, 503), "(attempt 3 of 5)"),
        ((200, 200, 503), "(attempt 3 of 5)"),
    ],
)
def test_good_answers_in_a_row(stage: Stage, judge: Judge, site: Site, statuses: tuple[int, ...], words: str) -> None:
    site.answer = lambda request: Response(statuses[request.number - 1])
    checks = {"front": {"attempts": 5, "consecutive_successes": 3, "interval": 10}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    outcome, detail = judgement.check("http:front")
    assert judgement.succeeded is (statuses[-1] == 200)
    assert (outcome == "passed") is judgement.succeeded
    assert detail.endswith(words)
    assert len(site.requests) == len(statuses)
    assert stage.clock.now == 10 * (len(statuses) - 1)


@pytest.mark.parametrize(("limit", "sent"), [(None, 5), (1, 2), (0, 1), (100, 10)])
def test_who_never_answers_is_given_up(stage: Stage, judge: Judge, site: Site, limit: int | None, sent: int) -> None:
    site.answer = lambda _: None
    checks = {"front": {"attempts": 10, **({"consecutive_error_limit": limit} if limit is not None else {})}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: no answer (")
    assert judgement.message.endswith(f"(attempt {sent} of 10)")
    assert len(site.requests) == sent
    assert stage.clock.now == sent - 1


def test_any_answer_ends_a_row_of_silence(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(503) if request.number % 5 == 0 else None
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"attempts": 10}})
    assert not judgement.succeeded
    assert judgement.message.endswith("(attempt 10 of 10)")


def test_checks_are_on_their_way_side_by_side(stage: Stage, judge: Judge, site: Site) -> None:
    """Nobody is answered before all eight have asked."""
    together = threading.Barrier(8, timeout=10)

    def answer(_request: Request) -> Response:
        together.wait()
        return Response()

    site.answer = answer
    checks = {f"c{number}": {"path": f"/{number}", **ONE_ATTEMPT} for number in range(8)}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert judgement.succeeded
    assert paths(site) == {f"/{number}": 1 for number in range(8)}


def test_never_more_than_eight_are_on_their_way(
    stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_their_way: list[int] = []

    def counted(flying: Any, *arguments: Any) -> Any:
        on_their_way.append(len(flying))
        return wait(flying, *arguments)

    monkeypatch.setattr("gate.traffic.wait", counted)
    checks = {f"c{number}": {"path": f"/{number}", **ONE_ATTEMPT} for number in range(20)}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert judgement.succeeded
    assert len(site.requests) == 20
    assert max(on_their_way) == 8


def test_no_check_waits_for_the_pauses_of_another(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(503)
    checks = {name: {"path": f"/{name}", "initial_delay": 20, "interval": 30} for name in ("a", "b", "c")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert paths(site) == {"/a": 3, "/b": 3, "/c": 3}
    assert stage.clock.now == 20 + 30 + 30


def test_time_that_is_over_before_a_check_is_due(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.world.target_health["shop-green"] = TargetState("initial", "Elb.InitialHealthChecking")
    stage.clock.after(500, stage.world.target_health.clear)
    checks = {"now": {"path": "/now", "samples": 0}, "late": {"path": "/late", "initial_delay": 600}}
    judgement = judge(hook, event, http_checks=checks, interval=60)
    assert not judgement.succeeded
    assert judgement.message == "GET /late: time was over before it could be sent"
    assert judgement.check("http:now")[0] == "passed"
    assert paths(site) == {"/now": 1}


def test_time_that_is_over_between_two_attempts(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(503, "starting")
    checks = {"front": {"attempts": 100, "interval": 60}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message == "GET /: [STATUS] (503) expected 200-299; body: starting (attempt 15 of 100)"
    assert stage.clock.now == 870


def test_the_matcher_of_the_target_group_counts(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.elbv2.modify_target_group(
        TargetGroupArn=stage.green_group, HealthCheckPath="/ready", Matcher={"HttpCode": "204,301-302"}
    )
    site.answer = lambda _: Response(302, "")
    judgement = judge(hook, event, **NO_SAMPLES)
    assert judgement.check("http:health") == ("passed", "GET /ready: 302 in 0 ms")
    site.answer = lambda _: Response(200)
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), **NO_SAMPLES)
    assert not judgement.succeeded
    assert "[STATUS] (200) expected 204, 301-302" in judgement.message


def test_a_redirect_is_not_followed(stage: Stage, judge: Judge, site: Site) -> None:
    """An http-to-https redirect leads off to the production listener, that is to blue."""
    site.answer = lambda _: Response(301, "", {"Location": f"https://{stage.dns_name}/health"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message == (
        f"GET /: [STATUS] (301, Location https://{stage.dns_name}/health) expected 200-299: "
        "set follow_redirects, or ask the address that it leads to"
    )
    assert len(site.requests) == 1


def test_a_redirect_is_followed_if_asked_to(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(302, "", {"Location": "/b"}) if request.path == "/a" else Response()
    checks = {"front": {"path": "/a", "follow_redirects": True}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES).succeeded
    assert [request.path for request in site.requests] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"body_contains": "ready"}, "[BODY] does not contain 'ready'"),
        ({"body_matches": "^ok$"}, "[BODY] does not match '^ok$'"),
        ({"fail_if_body_matches": "st.tus"}, "[BODY] matches 'st.tus', which it must not"),
        ({"jmespath": {"status": {"equals": "up"}}}, "[JSON status] (ok) expected up"),
        ({"jmespath": {"status": {"one_of": ["up", "ready"]}}}, "[JSON status] (ok) expected one of up, ready"),
        ({"jmespath": {"database.state": {"equals": "up"}}}, "[JSON database.state] (absent) expected up"),
        ({"jmespath": {"database.state": {"exists": True}}}, "[JSON database.state] (absent) expected a value"),
        ({"jmespath": {"status": {"exists": False}}}, "[JSON status] (a value) expected none"),
        ({"jmespath": {"orders": {"at_least": 8}}}, "[JSON orders] (7) expected at least 8"),
        ({"jmespath": {"orders": {"at_most": 6}}}, "[JSON orders] (7) expected at most 6"),
        ({"jmespath": {"status": {"at_least": 1}}}, "[JSON status] (ok) expected at least 1"),
        ({"jmespath": {"queues": {"length": 3}}}, '[JSON queues] (["a", "b"]) expected length 3, not 2'),
        ({"response_headers": {"X-Version": {"equals": "2"}}}, "[HEADER X-Version] (1) expected 2"),
        ({"status": ["204"]}, "[STATUS] (200) expected 204"),
    ],
)
def test_what_is_expected_of_an_answer(
    stage: Stage, judge: Judge, site: Site, check: dict[str, Any], words: str
) -> None:
    body = '{"status": "ok", "orders": 7, "queues": ["a", "b"]}'
    site.answer = lambda _: Response(200, body, {"X-Version": "1"})
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {**check, **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert judgement.message == f"GET /: {words}; body: {body}"
    good: dict[str, Any] = {
        "body_contains": "ok",
        "body_matches": "^{.*}$",
        "fail_if_body_matches": "Traceback",
        "jmespath": {
            "status": {"equals": "ok", "one_of": ["ok", "up"], "exists": True},
            "orders": {"at_least": 7, "at_most": 7},
            "queues": {"length": 2},
            "database": {"exists": False},
        },
        "response_headers": {"x-version": {"equals": "1"}},
        "status": ["2xx"],
    }
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), http_checks={"front": good}, **NO_SAMPLES).succeeded


def test_a_wrong_field_of_an_answer_that_is_otherwise_good(stage: Stage, judge: Judge, site: Site) -> None:
    """A status of 200 says little: the database behind it is down."""
    body = '{"status": "ok", "checks": {"database": "down"}}'
    site.answer = lambda _: Response(200, body)
    health = {"path": "/health", "jmespath": {"checks.database": {"equals": "up"}}}
    judgement = judge(hook, stage.at(EVENT), http_checks={"health": health})
    assert not judgement.succeeded
    assert judgement.message == (
        f"GET /health: [JSON checks.database] (down) expected up; body: {body} (attempt 3 of 3)"
    )


def test_a_body_that_is_not_json(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200, "<html>")
    checks = {"front": {"jmespath": {"status": {"equals": "ok"}}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: [JSON] the body is not JSON (")


@pytest.mark.parametrize(
    ("request_", "content_type"),
    [({"json": '{"item": "tea"}'}, "application/json"), ({"body": '{"item": "tea"}'}, None)],
)
def test_what_is_sent_with_a_request(
    stage: Stage, judge: Judge, site: Site, request_: dict[str, str], content_type: str | None
) -> None:
    checks = {"order": {"method": "PUT", "path": "/orders/1", **request_}}
    assert judge(hook, stage.at(EVENT), http_checks=checks).succeeded
    (sent,) = site.requests
    assert (sent.method, sent.path, sent.body) == ("PUT", "/orders/1", '{"item": "tea"}')
    assert sent.headers.get("Content-Type") == content_type


def test_one_run_names_all_checks_that_fail(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.path == "/b" else 404)
    checks = {name: {"path": f"/{name}", **ONE_ATTEMPT} for name in ("a", "b", "c")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /a: [STATUS] (404)")
    assert "; GET /c: [STATUS] (404)" in judgement.message
    assert judgement.check("http:b")[0] == "passed"


# Why there was no good answer is told apart.


def closed_port() -> int:
    """A port of loopback at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_no_answer_in_time(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 5001)
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message == "GET /: no answer within 5 s"
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), http_checks={"front": {"timeout": 6}}, **NO_SAMPLES).succeeded


def test_a_connection_that_is_refused(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"url": f"http://127.0.0.1:{closed_port()}/x?token=in-the-query", **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert ": connection refused (" in judgement.message
    assert "in-the-query" not in judgement.message
    assert site.requests == []


def test_a_connection_that_is_closed_without_an_answer(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: None
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: no answer (")
    assert "Remote end closed connection without response" in judgement.message


def test_a_name_that_nobody_knows(stage: Stage, judge: Judge, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == NAME:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *arguments, **options)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"url": f"http://{NAME}/", **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert judgement.message.startswith(f"GET http://{NAME}/: the name could not be resolved (")
    assert site.requests == []


def test_a_header_that_cannot_be_sent_is_a_bad_setting(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"headers": {"X-Word": "two\nlines"}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == (
        "validate_test_traffic.http_checks.front.headers.X-Word is a text of 9 characters; expected a header's value: "
        "text without line breaks and control characters that begins with no space."
    )
    assert site.requests == []


def test_a_header_that_cannot_be_sent_with_what_was_saved(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(200, '{"word": "two\\nlines"}')
    steps = [{"save": {"word": "word"}}, {"path": "/next", "headers": {"X-Word": "{word}"}}]
    judgement = judge(hook, stage.at(EVENT), flows={"talk": {"steps": steps}})
    assert not judgement.succeeded
    assert judgement.message == (
        "step 2: GET /next: the request could not be sent (InvalidHeader): check its url, method and headers "
        "(passed: step 1 200)"
    )
    assert [request.path for request in site.requests] == ["/"]


# Proof that green answered, and not blue.


def test_the_new_images_tag_in_a_header_is_green(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: answered_by("2")
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": VERSION})
    assert judgement.succeeded
    assert len(site.requests) == 1 + WARM_UP + 20
    assert stage.called("ecs:DescribeTaskDefinition") == [{"taskDefinition": stage.green_definition}]


def test_the_new_revision_in_the_body_is_green(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: answered_by("2")
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": REVISION})
    assert judgement.succeeded
    assert stage.called("ecs:DescribeTaskDefinition") == []  # the revision is in the name


@pytest.mark.parametrize(
    ("check", "words"),
    [(VERSION, "[HEADER X-App-Version] (1) expected 2"), (REVISION, "[JSON revision] (1) expected 2")],
)
def test_an_answer_of_blue_is_a_failure(
    stage: Stage, judge: Judge, site: Site, check: dict[str, Any], words: str
) -> None:
    site.answer = lambda _: answered_by("1")
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {**check, **ONE_ATTEMPT}})
    assert not judgement.succeeded
    assert judgement.message == f'GET /: {words}; body: {{"revision": 1}}'


@pytest.mark.parametrize("form", ["one_of", "release-{image_tag}.{revision}"])
def test_what_green_is_called_may_be_part_of_what_is_expected(
    stage: Stage, judge: Judge, site: Site, form: str
) -> None:
    comparison = {"one_of": ["next", "{image_tag}"]} if form == "one_of" else {"equals": form}
    body = '"2"' if form == "one_of" else '"release-2.2"'
    site.answer = lambda _: Response(200, body)
    checks = {"front": {"jmespath": {"@": comparison}, **ONE_ATTEMPT}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES).succeeded


@pytest.mark.parametrize(
    ("proof", "words"),
    [(VERSION, "[HEADER X-App-Version] (1) expected 2"), (REVISION, "[JSON revision] (1) expected 2")],
)
def test_one_of_twenty_answers_is_blues(
    stage: Stage, judge: Judge, site: Site, proof: dict[str, Any], words: str
) -> None:
    site.answer = lambda request: answered_by("1" if request.number == 1 + WARM_UP + 12 else "2")
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": proof}, samples=20)
    assert not judgement.succeeded
    assert judgement.check("http:front")[0] == "passed"
    assert judgement.check("samples:front:error_rate") == (
        "failed",
        f"front: 1 of 20 requests failed (5.00%), at most 1.00% allowed: 1 times {words}",
    )


def test_the_tag_is_that_of_the_load_balanced_container(stage: Stage, judge: Judge, site: Site) -> None:
    sidecar = {"name": "proxy", "image": stage.image("9", "proxy"), "essential": True}
    stage.green_definition = stage.register(sidecars=(sidecar,), image=stage.image("2"))
    site.answer = lambda _: answered_by("2")
    assert judge(hook, stage.at(EVENT), http_checks={"front": VERSION}, **NO_SAMPLES).succeeded


def test_an_image_named_by_its_digest_has_no_tag(stage: Stage, judge: Judge, site: Site) -> None:
    uri = f"{stage.image('2').rpartition(':')[0]}@sha256:{'2' * 64}"
    stage.green_definition = stage.register(image=uri)
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": VERSION})
    assert not judgement.succeeded
    assert judgement.check("http:front") == (
        "error",
        f"{{image_tag}}: the image of container app is {uri}, which has no tag: expect {{revision}} instead",
    )
    assert site.requests == []


def test_the_revision_of_an_image_named_by_its_digest(stage: Stage, judge: Judge, site: Site) -> None:
    stage.green_definition = stage.register(image=f"{stage.image('2').rpartition(':')[0]}@sha256:{'2' * 64}")
    site.answer = lambda _: answered_by("3")
    assert judge(hook, stage.at(EVENT), http_checks={"front": REVISION}, samples=2).succeeded


def test_a_task_definition_that_cannot_be_read(stage: Stage, judge: Judge, site: Site) -> None:
    stage.instead["ecs:DescribeTaskDefinition"] = refuse("AccessDeniedException")
    checks = {"front": {"path": "/front", **VERSION}, "other": {"path": "/other", **REVISION}}
    site.answer = lambda _: answered_by("2")
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert "ecs:DescribeTaskDefinition" in judgement.message
    assert judgement.check("http:front")[0] == "error"
    assert judgement.check("http:other")[0] == "passed"
    assert paths(site) == {"/other": 1}


def test_what_green_is_called_is_not_asked_for_needlessly(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"response_headers": {"X-Word": {"equals": "{word}"}}, **ONE_ATTEMPT}}
    site.answer = lambda _: Response(headers={"X-Word": "{word}"})
    assert judge(hook, stage.at(EVENT), http_checks=checks, samples=2).succeeded
    assert stage.called("ecs:DescribeTaskDefinition") == []


# Secrets.

TOKEN = "tok-4f1d9b7c2e"


def everything_shown(judgement: Judgement, caplog: pytest.LogCaptureFixture) -> str:
    """All that anybody could read: what is returned, and each log record with its fields."""
    return json.dumps(judgement) + "".join(str(vars(record)) for record in caplog.records)


def secret(stage: Stage, value: str = TOKEN) -> str:
    """A secret of Secrets Manager; its ARN."""
    return str(stage.secretsmanager.create_secret(Name="shop/token", SecretString=value)["ARN"])


def echo(status: int) -> Callable[[Request], Response]:
    """An answer that says all that it was sent, wherever it can."""

    def answer(request: Request) -> Response:
        token = request.headers.get("Authorization", "none")
        return Response(status, f"you sent {token}", {"X-Echo": token, "Location": f"/login/{token}"})

    return answer


def test_a_secret_is_sent_with_the_check_and_each_sample(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"front": {"secret_headers": {"Authorization": f"Bearer {secret(stage)}"}}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, samples=7).succeeded
    assert Counter(r.headers.get("Authorization") for r in site.requests) == {f"Bearer {TOKEN}": 1 + WARM_UP + 7}
    assert len(stage.called("secretsmanager:GetSecretValue")) == 1  # read once


def test_where_a_secret_may_be_kept(stage: Stage, judge: Judge, site: Site) -> None:
    plain = secret(stage)
    many = stage.secretsmanager.create_secret(Name="shop/many", SecretString='{"user": "u", "key": "of-json"}')["ARN"]
    parameter = stage.ssm.get_parameter(Name="/shop/api-key")["Parameter"]["ARN"]
    headers = {"X-Plain": plain, "X-Json": f"{many}:key", "X-Parameter": parameter, "X-Word": f"Token {parameter}"}
    assert judge(hook, stage.at(EVENT), http_checks={"front": {"secret_headers": headers}}, **NO_SAMPLES).succeeded
    (sent,) = site.requests
    assert {name: sent.headers[name] for name in headers} == {
        "X-Plain": TOKEN,
        "X-Json": "of-json",
        "X-Parameter": "another-secret-value",
        "X-Word": "Token another-secret-value",
    }


def test_a_secret_is_not_shown_where_a_check_fails(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = echo(401)
    checks = {
        "front": {
            "secret_headers": {"Authorization": f"Bearer {secret(stage)}"},
            "response_headers": {"X-Echo": {"equals": "nothing"}},
            **ONE_ATTEMPT,
        }
    }
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert site.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert judgement.message == (
        "GET /: [STATUS] (401, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected nothing; "
        "body: you sent ***"
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_nor_is_what_looks_like_one_in_address_headers_and_answer(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret that is given as plain text is the stack's to keep, but no message repeats it."""

    def answer(request: Request) -> Response:
        sent = f"{request.path} {request.headers['X-Api-Key']} {request.headers['Authorization']}"
        return Response(500, json.dumps({"sent": sent, "access_token": f"{TOKEN}-5"}), {"Set-Cookie": f"a={TOKEN}-6"})

    site.answer = answer
    check = {
        "url": f"http://user:{TOKEN}-1@{stage.dns_name}:80/?token={TOKEN}-2",
        "headers": {"X-Api-Key": f"{TOKEN}-3"},
        "response_headers": {"set-cookie": {"equals": "none"}},
        "jmespath": {"access_token": {"length": 1}},
        **ONE_ATTEMPT,
    }
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": check})
    assert judgement.message == (
        f"GET http://{stage.dns_name}:80/: [STATUS] (500) expected 200-299; "
        "[HEADER set-cookie] (***) expected another value; [JSON access_token] (***) expected length 1, not 16; "
        'body: {"sent": "/?token=*** *** ***", "access_token": "***"}'
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_a_secret_is_not_shown_where_samples_fail(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = lambda request: Response(headers={"X-Echo": "fine"}) if request.number == 1 else echo(401)(request)
    checks = {
        "front": {
            "secret_headers": {"Authorization": f"Bearer {secret(stage)}"},
            "response_headers": {"X-Echo": {"equals": "fine"}},
        }
    }
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, samples=4)
    assert not judgement.succeeded
    assert judgement.message == (
        "front: 4 of 4 requests failed (100.00%), at most 1.00% allowed: "
        "4 times [STATUS] (401, Location /login/***) expected 200-299; [HEADER X-Echo] (***) expected fine"
    )
    assert TOKEN not in everything_shown(judgement, caplog)


def test_a_secret_is_not_shown_where_a_flow_fails(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = echo(403)
    step = {"secret_headers": {"Authorization": secret(stage)}, "response_headers": {"X-Echo": {"equals": "nothing"}}}
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": [step]}})
    assert not judgement.succeeded
    assert site.requests[0].headers["Authorization"] == TOKEN
    assert "body: you sent ***" in judgement.message
    assert TOKEN not in everything_shown(judgement, caplog)


def test_a_secret_that_no_header_can_hold_is_not_shown(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    checks = {"front": {"secret_headers": {"Authorization": secret(stage, f"{TOKEN}\nmore")}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert "the request could not be sent (InvalidHeader)" in judgement.message
    assert TOKEN not in everything_shown(judgement, caplog)
    assert site.requests == []


@pytest.mark.parametrize("length", [96, 104, 110])
def test_a_secret_that_is_cut_off_is_not_shown(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    """A message shows the beginning of a body: the secret may stand across its end."""
    site.answer = lambda request: Response(500, "x" * length + request.headers["Authorization"] + "y" * 50)
    checks = {"front": {"secret_headers": {"Authorization": secret(stage)}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert "body: xxx" in judgement.message
    assert TOKEN[:4] not in everything_shown(judgement, caplog)


def test_a_plain_header_and_a_query_are_not_shown(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = lambda _: Response(401)
    checks = {"front": {"path": "/?token=in-the-query", "headers": {"Authorization": "Bearer abc"}, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert site.requests[0].headers["Authorization"] == "Bearer abc"
    assert "[STATUS] (401)" in judgement.message
    shown = everything_shown(judgement, caplog)
    assert "abc" not in shown
    assert "in-the-query" not in shown


def test_a_secret_that_cannot_be_read(stage: Stage, judge: Judge, site: Site) -> None:
    arn = secret(stage)
    stage.instead["secretsmanager:GetSecretValue"] = refuse("AccessDeniedException")
    checks = {"front": {"path": "/front", "secret_headers": {"Authorization": arn}}, "other": {"path": "/other"}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, **NO_SAMPLES)
    assert not judgement.succeeded
    assert "secretsmanager:GetSecretValue" in judgement.message
    assert judgement.check("http:front")[0] == "error"
    assert judgement.check("http:other")[0] == "passed"
    assert paths(site) == {"/other": 1}


def test_a_secret_without_the_key_that_is_named(stage: Stage, judge: Judge, site: Site) -> None:
    arn = secret(stage, '{"user": "u"}')
    checks = {"front": {"secret_headers": {"Authorization": f"{arn}:key"}}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message == (
        f"{arn}:key has no text for a header: give it a value, or name the key of its JSON (…:<key>)"
    )
    assert site.requests == []


def test_a_redirect_must_not_be_followed_with_a_secret(stage: Stage, judge: Judge, site: Site) -> None:
    check = {"secret_headers": {"Authorization": secret(stage)}, "follow_redirects": True}
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": check})
    assert not judgement.succeeded
    assert judgement.outcomes() == {"settings": "failed"}
    assert "a redirect could lead a secret elsewhere" in judgement.message
    assert site.requests == []


# Flows.


class Orders:
    """An application that takes orders, one session each; `broken` says what it answers instead, by `METHOD path`."""

    def __init__(self) -> None:
        self.placed: dict[str, str] = {}
        self.broken: dict[str, Response] = {}

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        what = f"{request.method} {request.path}"
        if what in self.broken:
            return self.broken[what]
        if what == "POST /sessions":
            return Response(201, '{"token": "tok-of-session"}', {"Set-Cookie": "basket=b1; Path=/"})
        if request.headers.get("Authorization") != "Bearer tok-of-session" or "basket=b1" not in request.headers.get(
            "Cookie", ""
        ):
            return Response(401, "who are you?")
        if what == "POST /orders":
            self.placed["o-1"] = request.body
            return Response(201, '{"order": {"id": "o-1"}}', {"Location": "/orders/o-1"})
        order = request.path.rpartition("/")[2]
        if order not in self.placed:
            return Response(404, "no such order")
        if request.method == "DELETE":
            self.placed.pop(order)
            return Response(204, "")
        return Response(200, json.dumps({"id": order, "order": self.placed[order]}))


LOGGED_IN = {"Authorization": "Bearer {token}"}
BUY: list[dict[str, Any]] = [
    {"name": "log in", "path": "/sessions", "method": "POST", "status": ["201"], "save": {"token": "token"}},
    {
        "name": "order",
        "path": "/orders",
        "method": "POST",
        "headers": LOGGED_IN,
        "json": '{"item": "tea"}',
        "status": ["201"],
        "save": {"order": "order.id", "place": "header:Location"},
    },
    {"path": "/orders/{order}", "headers": LOGGED_IN, "jmespath": {"id": {"equals": "{order}"}}},
    {"name": "clean up", "path": "/orders/{order}", "method": "DELETE", "headers": LOGGED_IN, "always": True},
]


def asked(site: Site) -> list[str]:
    """What was asked for, in order."""
    return [f"{request.method} {request.path}" for request in site.requests]


def changed(steps: list[dict[str, Any]], number: int, **changes: Any) -> dict[str, Any]:
    """The settings of a flow, one step of it changed."""
    return {"flows": {"buy": {"steps": [*steps[:number], {**steps[number], **changes}, *steps[number + 1 :]]}}}


def test_a_flow_carries_what_it_was_answered_from_step_to_step(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = orders = Orders()
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert judgement.succeeded
    assert judgement.check("flow:buy") == ("passed", "4 steps: log in 201, order 201, step 3 200, clean up 204")
    assert asked(site) == ["POST /sessions", "POST /orders", "GET /orders/o-1", "DELETE /orders/o-1"]
    assert site.requests[1].body == '{"item": "tea"}'
    assert site.requests[1].headers["Content-Type"] == "application/json"
    assert orders.placed == {}
    assert not any(name.startswith("http:") for name in judgement.outcomes())  # flows take the health check's place


def test_what_a_flow_saved_goes_into_bodies_and_expectations(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200, request.body or '{"id": "a \\"b\\""}', {"X-Id": "a/b"})
    steps = [
        {"save": {"id": "id", "name": "header:x-id"}},
        {"path": "/{name}", "method": "POST", "json": '{"id": "{id}"}', "jmespath": {"id": {"one_of": ["{id}"]}}},
        {"path": "/p", "method": "POST", "body": "{name}", "response_headers": {"X-Id": {"equals": "{name}"}}},
    ]
    assert judge(hook, stage.at(EVENT), flows={"copy": {"steps": steps}}).succeeded
    assert asked(site) == ["GET /", "POST /a%2Fb", "POST /p"]
    assert [request.body for request in site.requests[1:]] == ['{"id": "a \\"b\\""}', "a/b"]


def test_after_a_failed_step_only_the_cleaning_up_is_sent(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = orders = Orders()
    orders.broken["GET /orders/o-1"] = Response(500, '{"id": "o-1"}')
    steps = [*BUY[:3], {"path": "/orders", "name": "list", "headers": LOGGED_IN}, BUY[3]]
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": steps}})
    assert not judgement.succeeded
    assert judgement.message == (
        'step 3: GET /orders/{order}: [STATUS] (500) expected 200-299; body: {"id": "o-1"} '
        "(passed: log in 201, order 201, clean up 204)"
    )
    assert asked(site) == ["POST /sessions", "POST /orders", "GET /orders/o-1", "DELETE /orders/o-1"]
    assert orders.placed == {}


def test_what_was_never_made_is_not_cleaned_up(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = orders = Orders()
    orders.broken["POST /orders"] = Response(503, "closed")
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert not judgement.succeeded
    assert judgement.message == "order: POST /orders: [STATUS] (503) expected 201; body: closed (passed: log in 201)"
    assert asked(site) == ["POST /sessions", "POST /orders"]


def test_what_was_made_is_cleaned_up_though_the_answer_was_not_as_expected(
    stage: Stage, judge: Judge, site: Site
) -> None:
    site.answer = orders = Orders()
    settings = changed(BUY, 1, jmespath={"order.total": {"exists": True}})
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert not judgement.succeeded
    assert judgement.message.startswith("order: POST /orders: [JSON order.total] (absent) expected a value")
    assert asked(site) == ["POST /sessions", "POST /orders", "DELETE /orders/o-1"]
    assert orders.placed == {}


def test_cleaning_up_that_needs_in_its_body_what_was_never_saved_is_not_sent(
    stage: Stage, judge: Judge, site: Site
) -> None:
    site.answer = orders = Orders()
    orders.broken["POST /orders"] = Response(503, "closed")
    settings = changed(BUY, 3, path="/cancel", method="POST", json='{"order": "{order}"}')
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert not judgement.succeeded
    assert asked(site) == ["POST /sessions", "POST /orders"]


def test_cleaning_up_that_fails_is_said_too(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = orders = Orders()
    orders.broken["GET /orders/o-1"] = Response(500, '{"id": "o-1"}')
    orders.broken["DELETE /orders/o-1"] = Response(502, "away")
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert not judgement.succeeded
    assert judgement.message == (
        'step 3: GET /orders/{order}: [STATUS] (500) expected 200-299; body: {"id": "o-1"}; '
        "clean up: DELETE /orders/{order}: [STATUS] (502) expected 200-299; body: away "
        "(passed: log in 201, order 201)"
    )


@pytest.mark.parametrize("answer", ['{"order": {}}', '{"order": {"id": null}}', '{"order": {"id": ""}}', "<html>"])
def test_an_answer_without_what_is_to_be_saved(stage: Stage, judge: Judge, site: Site, answer: str) -> None:
    """An empty value would make `DELETE /orders/` of the cleaning up."""
    site.answer = orders = Orders()
    orders.broken["POST /orders"] = Response(201, answer, {"Location": "/orders/o-1"})
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert not judgement.succeeded
    assert judgement.message.startswith("order: POST /orders: the answer does not hold order (order.id)")
    assert asked(site) == ["POST /sessions", "POST /orders"]


def test_a_flow_shows_no_token_that_it_was_given(
    stage: Stage, judge: Judge, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = orders = Orders()
    orders.broken["GET /orders/o-1"] = Response(500, "session tok-of-session has ended")
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": BUY}})
    assert not judgement.succeeded
    assert "body: session *** has ended" in judgement.message
    assert "tok-of-session" not in everything_shown(judgement, caplog)


def test_each_flow_comes_as_a_visitor_of_its_own(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(headers={"Set-Cookie": f"seen={request.path[1:]}; Path=/"})
    flows = {name: {"steps": [{"path": f"/{name}"}, {"path": f"/{name}/2"}]} for name in ("a", "b")}
    checks = {"front": {"path": "/front", "samples": 2}}
    assert judge(hook, stage.at(EVENT), http_checks=checks, flows=flows).succeeded
    cookies = {request.path: request.headers.get("Cookie") for request in site.requests}
    assert cookies == {"/front": None, "/a": None, "/a/2": "seen=a", "/b": None, "/b/2": "seen=b"}


def test_a_step_is_sent_once_unless_told_otherwise(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.number == 4 else 503)
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": [{}]}})
    assert not judgement.succeeded
    assert judgement.message.startswith("step 1: GET /: [STATUS] (503)")
    assert len(site.requests) == 1
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), flows={"buy": {"steps": [{"attempts": 3, "interval": 10}]}}).succeeded
    assert len(site.requests) == 1 + 3
    assert stage.clock.now == 20


def test_a_flow_proves_that_green_answered(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: answered_by("2")
    flows = {"buy": {"steps": [{"path": "/a/{revision}", **VERSION}, REVISION]}}
    assert judge(hook, stage.at(EVENT), flows=flows).succeeded
    assert asked(site) == ["GET /a/2", "GET /"]
    site.answer = lambda request: answered_by("1" if request.path == "/" else "2")
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), flows=flows)
    assert not judgement.succeeded
    assert "step 2: GET /: [JSON revision] (1) expected 2" in judgement.message


def test_a_flow_that_lacks_a_secret_sends_nothing(stage: Stage, judge: Judge, site: Site) -> None:
    """Half a flow would leave its orders behind."""
    stage.instead["secretsmanager:GetSecretValue"] = refuse("AccessDeniedException")
    settings = changed(BUY, 3, secret_headers={"X-Key": secret(stage)})
    judgement = judge(hook, stage.at(EVENT), **settings)
    assert not judgement.succeeded
    assert judgement.check("flow:buy")[0] == "error"
    assert site.requests == []


def test_a_step_that_uses_what_no_step_before_it_saves(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), flows={"buy": {"steps": [BUY[3]]}})
    assert not judgement.succeeded
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == (
        "validate_test_traffic.flows.buy.steps[0] uses {order}, {token}, which no step before it saves: "
        "save = { <name> = … }"
    )
    assert site.requests == []


def test_flows_are_run_though_a_check_failed_and_one_run_names_all(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(500)
    flows = {name: {"steps": [{"path": f"/{name}"}]} for name in ("a", "b")}
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": ONE_ATTEMPT}, flows=flows)
    assert not judgement.succeeded
    assert [f"GET {path}: [STATUS] (500)" in judgement.message for path in ("/", "/a", "/b")] == [True] * 3
    assert paths(site) == {"/": 1, "/a": 1, "/b": 1}


# Samples.


def failing_every(number: int) -> Callable[[Request], Response]:
    """An answer of 503 to each `number`th request."""
    return lambda request: Response(503 if request.number % number == 0 else 200)


def test_an_error_rate_above_its_threshold(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = failing_every(20)
    judgement = judge(hook, stage.at(EVENT), samples=100)
    assert not judgement.succeeded
    assert judgement.check("http:health")[0] == "passed"
    assert judgement.check("samples:health:error_rate") == (
        "failed",
        "health: 5 of 100 requests failed (5.00%), at most 1.00% allowed: 5 times [STATUS] (503) expected 200-299",
    )


def test_an_error_rate_within_its_threshold(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = failing_every(20)
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={"error_rate": 0.05})
    assert judgement.succeeded
    assert judgement.check("samples:health:error_rate") == (
        "passed",
        "5 of 100 requests failed (5.00%): 5 times [STATUS] (503) expected 200-299",
    )


def test_the_reasons_of_samples_are_told_apart(stage: Stage, judge: Judge, site: Site) -> None:
    odd: Mapping[int, Response | None] = {25: Response(503), 29: Response(404), 33: Response(503)}

    def answer(request: Request) -> Response | None:
        if request.number == 37:
            stage.clock.sleep(6)
        return odd[request.number] if request.number in odd else Response()

    site.answer = answer
    judgement = judge(hook, stage.at(EVENT), samples=20)
    assert not judgement.succeeded
    assert judgement.message.startswith(
        "health: 4 of 20 requests failed (20.00%), at most 1.00% allowed: "
        "2 times [STATUS] (503) expected 200-299, 1 times [STATUS] (404) expected 200-299, 1 times no answer "
    )
    assert judgement.message.endswith(", 1 times no answer within 5 s")
    (rate,) = [check for check in judgement["checks"] if check["name"] == "samples:health:error_rate"]
    assert sum(rate["reasons"].values()) == 4
    assert rate["error_rate"] == 0.2


def slow(stage: Stage, milliseconds: Any) -> Callable[[Request], Response]:
    """An answer that takes so long by the test's clock; `milliseconds` may depend on the request."""

    def answer(request: Request) -> Response:
        stage.clock.sleep((milliseconds(request) if callable(milliseconds) else milliseconds) / 1000)
        return Response()

    return answer


# The first request is the check itself, then green warms up, then come samples of 1, 2, … 100 ms.
def one_to_a_hundred(request: Request) -> int:
    """How long the answer takes, in ms."""
    return max(0, request.number - 1 - WARM_UP)


@pytest.mark.parametrize(("word", "value"), [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("max", 100)])
def test_a_latency_within_its_threshold(stage: Stage, judge: Judge, site: Site, word: str, value: int) -> None:
    site.answer = slow(stage, one_to_a_hundred)
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={f"{word}_ms": value + 0.5})
    assert judgement.succeeded
    slowest = "" if word == "max" else " (slowest 100 ms)"
    assert judgement.check(f"samples:health:{word}") == ("passed", f"{word} {value} ms of 100 answers{slowest}")


@pytest.mark.parametrize(("word", "value"), [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("max", 100)])
def test_a_latency_above_its_threshold(stage: Stage, judge: Judge, site: Site, word: str, value: int) -> None:
    site.answer = slow(stage, one_to_a_hundred)
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={f"{word}_ms": value - 0.5})
    slowest = "" if word == "max" else " (slowest 100 ms)"
    assert not judgement.succeeded
    assert judgement.message == (
        f"health: {word} {value} ms of 100 answers{slowest}, at most {value - 0.5:g} ms allowed"
    )
    assert judgement.check("samples:health:error_rate")[0] == "passed"


def test_only_the_latencies_that_are_limited_are_judged(stage: Stage, judge: Judge, site: Site) -> None:
    thresholds = {"p50_ms": 100, "p90_ms": 200, "p95_ms": 300, "max_ms": 900}
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds=thresholds)
    assert len(site.requests) == 1 + WARM_UP + 100
    figures = [name for name in judgement.outcomes() if name.startswith("samples:")]
    assert figures == [f"samples:health:{word}" for word in ("error_rate", "p50", "p90", "p95", "max")]


def test_green_is_as_slow_as_it_is_unless_there_is_a_limit(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 501)
    assert judge(hook, stage.at(EVENT)).succeeded
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={"p99_ms": 500})
    assert not judgement.succeeded
    assert judgement.message == "health: p99 501 ms of 100 answers (slowest 501 ms), at most 500 ms allowed"


def test_some_slow_answers_among_quick_ones(stage: Stage, judge: Judge, site: Site) -> None:
    """The median says that all is well."""
    site.answer = slow(stage, lambda request: 1500 if request.number % 20 == 0 else 10)
    thresholds = {"p50_ms": 100, "p99_ms": 1000}
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds=thresholds)
    assert not judgement.succeeded
    assert judgement.check("samples:health:p50") == ("passed", "p50 10 ms of 100 answers (slowest 1500 ms)")
    assert judgement.message == "health: p99 1500 ms of 100 answers (slowest 1500 ms), at most 1000 ms allowed"


def test_one_error_does_not_spare_the_others_their_percentiles(stage: Stage, judge: Judge, site: Site) -> None:
    def answer(request: Request) -> Response:
        stage.clock.sleep(2)
        return Response(503 if request.number == 50 else 200)

    site.answer = answer
    judgement = judge(hook, stage.at(EVENT), samples=100, thresholds={"p99_ms": 500})
    assert judgement.check("samples:health:error_rate")[0] == "passed"
    assert judgement.check("samples:health:p99")[0] == "failed"
    assert not judgement.succeeded


@pytest.mark.parametrize(("word", "needed"), [("p50", 2), ("p90", 10), ("p95", 20), ("p99", 100)])
def test_too_few_samples_for_a_percentile(stage: Stage, judge: Judge, site: Site, word: str, needed: int) -> None:
    thresholds = {f"{word}_ms": 400}
    judgement = judge(hook, stage.at(EVENT), samples=needed - 1, thresholds=thresholds)
    assert judgement.succeeded
    assert len(site.requests) == 1 + WARM_UP + needed - 1
    assert judgement.check(f"samples:health:{word}") == (
        "skipped",
        f"{word} needs {needed} requests, there were {needed - 1} good answers to {needed - 1}",
    )
    stage.deployment.set_status("Stopped")
    judgement = judge(hook, stage.at(EVENT), samples=needed, thresholds=thresholds)
    assert judgement.check(f"samples:health:{word}")[0] == "passed"


def test_samples_are_sent_at_the_concurrency(stage: Stage, judge: Judge, site: Site) -> None:
    """Nobody is answered before all five have asked."""
    together = threading.Barrier(5, timeout=10)

    def answer(request: Request) -> Response:
        if request.number > 1:
            together.wait()
        return Response()

    site.answer = answer
    assert judge(hook, stage.at(EVENT), samples=15, concurrency=5).succeeded
    assert len(site.requests) == 1 + WARM_UP + 15


def test_more_hands_than_samples(stage: Stage, judge: Judge, site: Site) -> None:
    assert judge(hook, stage.at(EVENT), samples=3, concurrency=64).succeeded
    assert len(site.requests) == 1 + WARM_UP + 3


def test_what_does_not_only_read_is_not_sampled(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {method: {"path": f"/{method}", "method": method} for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT")}
    checks |= {method: {"path": f"/{method}", "method": method} for method in ("PATCH", "DELETE")}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, samples=5)
    assert judgement.succeeded
    assert paths(site) == {
        **{f"/{method}": 1 + WARM_UP + 5 for method in ("GET", "HEAD", "OPTIONS")},
        **{f"/{method}": 1 for method in ("POST", "PUT", "PATCH", "DELETE")},
    }
    assert "samples:GET:error_rate" in judgement.outcomes()
    assert "samples:POST:error_rate" not in judgement.outcomes()


def test_a_check_has_its_own_number_of_samples(stage: Stage, judge: Judge, site: Site) -> None:
    checks: dict[str, Any] = {
        "more": {"path": "/more", "samples": 9},
        "none": {"path": "/none", "samples": 0},
        "asked": {"path": "/asked", "method": "POST", "samples": 4},
        "other": {"path": "/other"},
    }
    assert judge(hook, stage.at(EVENT), http_checks=checks, samples=2).succeeded
    assert paths(site) == {"/more": 1 + WARM_UP + 9, "/none": 1, "/asked": 1 + 4, "/other": 1 + WARM_UP + 2}


def test_time_that_is_over_in_the_middle_of_the_samples(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 10_000)
    checks = {"front": {"timeout": 60}, "flow": {"path": "/late", "timeout": 60, "samples": 0}}
    judgement = judge(
        hook, stage.at(EVENT), http_checks={"front": checks["front"]}, samples=100, thresholds={"p99_ms": 60_000}
    )
    assert not judgement.succeeded
    assert judgement.message == "front: only 66 of 100 samples were sent before time was over: ask for fewer"
    assert judgement.check("samples:front") == ("failed", judgement.message)
    assert judgement.check("samples:front:error_rate") == ("passed", "0 of 66 requests failed (0.00%)")
    assert len(site.requests) == 1 + WARM_UP + 66
    assert stage.clock.now == 870


def test_a_latency_of_the_check_itself(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = slow(stage, 300)
    checks = {"front": {"max_latency_ms": 200, **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks)
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: [LATENCY] (300 ms) expected at most 200 ms")


# Severities.


def test_a_check_may_only_warn(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path == "/new" else 200)
    checks = {"old": {"path": "/old"}, "new": {"path": "/new", "severity": "warn", **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, samples=2)
    assert judgement.succeeded
    assert "1 warned: GET /new: [STATUS] (404) expected 200-299" in judgement.message
    assert judgement.check("http:new")[0] == "failed"
    assert paths(site) == {"/old": 1 + WARM_UP + 2, "/new": 1}


def test_the_samples_of_a_check_that_may_only_warn_only_warn(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(200 if request.number == 1 else 503)
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {"severity": "warn"}}, samples=4)
    assert judgement.succeeded
    assert judgement.check("samples:front:error_rate")[0] == "failed"
    assert "1 warned: front: 4 of 4 requests failed" in judgement.message


def test_a_flow_may_only_warn(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path == "/new" else 200)
    flows = {"new": {"severity": "warn", "steps": [{"path": "/new"}]}}
    judgement = judge(hook, stage.at(EVENT), http_checks={"front": {}}, flows=flows, **NO_SAMPLES)
    assert judgement.succeeded
    assert "1 warned: step 1: GET /new: [STATUS] (404) expected 200-299" in judgement.message


@pytest.mark.parametrize(
    ("overrides", "succeeds"),
    [
        ({}, False),
        ({"http:bad": "warn"}, True),
        ({"http": "warn"}, True),
        ({"http:other": "warn"}, False),
        ({"http:bad": "skip"}, False),  # its samples are sent, and say the same
        ({"http:bad": "skip", "samples": "skip"}, True),
    ],
)
def test_what_the_setting_checks_says_goes_before_the_check(
    stage: Stage, judge: Judge, site: Site, overrides: dict[str, str], succeeds: bool
) -> None:
    site.answer = lambda request: Response(404 if request.path == "/bad" else 200)
    checks = {"good": {"path": "/good"}, "bad": {"path": "/bad", **ONE_ATTEMPT}}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, checks=overrides, samples=2)
    assert judgement.succeeded is succeeds


def test_the_setting_checks_makes_a_warning_a_failure(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path != "/good" else 200)
    checks = {"good": {"path": "/good"}, "bad": {"path": "/bad", "severity": "warn", **ONE_ATTEMPT}}
    flows = {"new": {"severity": "warn", "steps": [{"path": "/new"}]}}
    judgement = judge(
        hook, stage.at(EVENT), http_checks=checks, flows=flows, checks={"http:bad": "fail", "flow": "fail"}, samples=2
    )
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /bad: [STATUS] (404)")
    assert "GET /new: [STATUS] (404)" in judgement.message


def test_a_check_that_is_skipped_is_not_sent(stage: Stage, judge: Judge, site: Site) -> None:
    checks = {"a": {"path": "/a"}, "b": {"path": "/b"}}
    flows = {"c": {"steps": [{"path": "/c"}]}, "d": {"steps": [{"path": "/d"}]}}
    overrides = {"http:a": "skip", "samples:a": "skip", "flow:c": "skip"}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, flows=flows, checks=overrides, samples=2)
    assert judgement.succeeded
    assert paths(site) == {"/b": 1 + WARM_UP + 2, "/d": 1}
    assert judgement.check("http:a") == ("skipped", "left out by the setting `checks`")
    assert judgement.check("samples:a") == ("skipped", "left out by the setting `checks`")
    assert judgement.check("flow:c") == ("skipped", "left out by the setting `checks`")


@pytest.mark.parametrize(
    ("name", "softens"),
    [
        ("samples:health:p99", True),
        ("samples:health", True),
        ("samples", True),
        ("samples:health:p95", False),
        ("samples:front", False),
        ("http:health", False),
    ],
)
def test_what_samples_find_has_names_of_its_own(
    stage: Stage, judge: Judge, site: Site, name: str, softens: bool
) -> None:
    site.answer = slow(stage, 501)
    judgement = judge(hook, stage.at(EVENT), samples=100, checks={name: "warn"}, thresholds={"p99_ms": 500})
    assert judgement.succeeded is softens
    assert judgement.check("samples:health:p99")[0] == "failed"
    assert "checks" not in judgement.outcomes(), "it is a name"


def test_the_names_of_checks_can_be_set(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda request: Response(404 if request.path == "/new" else 200)
    checks = {"old": {"path": "/old"}, "new": {"path": "/new", **ONE_ATTEMPT}}
    severities = {"http:new": "warn", "samples": "skip"}
    judgement = judge(hook, stage.at(EVENT), http_checks=checks, checks=severities)
    assert judgement.succeeded
    assert "1 warned: GET /new: [STATUS] (404)" in judgement.message
    assert judgement.check("samples:old") == ("skipped", "left out by the setting `checks`")


# Without a test listener.


def without_test_listener(stage: Stage) -> dict[str, str]:
    """A deployment of a deployment group that has no test listener."""
    event = stage.at(EVENT)
    stage.update_group(loadBalancerInfo=stage.pair(None))
    return event


def test_base_url_in_the_place_of_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, without_test_listener(stage), base_url=site.url, **NO_SAMPLES)
    assert judgement.succeeded
    assert judgement.check("test_listener") == (
        "passed",
        f"the deployment group has no test listener; base_url {site.url} is used",
    )
    assert judgement.check("green_serves_tests") == ("passed", "green is shop-green, 2 of 2 target(s) healthy")
    assert [request.path for request in site.requests] == ["/health"]


def test_nothing_is_sent_to_base_url_while_no_green_target_is_healthy(stage: Stage, judge: Judge, site: Site) -> None:
    event = without_test_listener(stage)
    stage.world.target_health["shop-green"] = TargetState("unhealthy", "Target.Timeout")
    judgement = judge(hook, event, base_url=site.url, interval=60, **EVERYTHING)
    assert not judgement.succeeded
    assert judgement.message.startswith("no green target is healthy, so nothing is sent: green target 10.0.")
    assert site.requests == []


def test_base_url_beside_a_test_listener(stage: Stage, judge: Judge, site: Site) -> None:
    """Where requests go elsewhere, green still has to be behind the test listener."""
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    assert not judge(hook, event, base_url=site.url, interval=60).succeeded
    assert site.requests == []
    stage.deployment.set_status("Stopped")
    assert judge(hook, stage.at(EVENT), base_url=site.url, **NO_SAMPLES).succeeded
    assert {request.host for request in site.requests} == {f"127.0.0.1:{site.port}"}


def test_a_base_url_that_is_none(stage: Stage, judge: Judge, site: Site) -> None:
    judgement = judge(hook, stage.at(EVENT), base_url="test.example.com")
    assert not judgement.succeeded
    assert judgement.outcomes() == {"settings": "failed"}
    assert judgement.message == (
        'validate_test_traffic.base_url is "test.example.com"; expected an address such as '
        '"https://test.example.com:8443", without a query, or null.'
    )
    assert site.requests == []


def test_a_listener_that_nobody_answers_at(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    site.refuse()
    judgement = judge(hook, event, http_checks={"front": ONE_ATTEMPT})
    assert not judgement.succeeded
    assert judgement.message.startswith("GET /: connection refused (")


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        ("warn", "1 warned: the deployment group has no test listener"),
        ("skip", "left out by the setting `checks`"),
    ],
)
def test_the_user_may_go_without(stage: Stage, judge: Judge, site: Site, severity: str, words: str) -> None:
    judgement = judge(hook, without_test_listener(stage), checks={"test_listener": severity}, **EVERYTHING)
    assert judgement.succeeded
    assert words in judgement.message
    assert site.requests == []
    assert "green_serves_tests" not in judgement.outcomes()


# On the way back.


def test_on_a_rollback_deployment_what_stays_is_judged(stage: Stage, judge: Judge, site: Site) -> None:
    """The test listener is back on what stays, and that answers as itself."""
    stage.at("AfterInstall")
    event = stage.rollback_at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 100, stage.green_group: 0})
    site.answer = lambda _: answered_by("1")
    judgement = judge(hook, event, http_checks={"front": VERSION, "revision": REVISION}, samples=3)
    assert judgement.succeeded
    assert judgement.check("deployment")[1].startswith("rollback deployment ")
    assert judgement.check("green_serves_tests") == (
        "passed",
        "test traffic leads to green (shop-blue 100, shop-green 0), 2 of 2 target(s) healthy",
    )
    assert len(site.requests) == 2 * (1 + WARM_UP + 3)


def test_on_a_rollback_deployment_the_undone_one_gets_no_request(stage: Stage, judge: Judge, site: Site) -> None:
    stage.at("AfterAllowTestTraffic")
    judgement = judge(hook, stage.rollback_at(EVENT), interval=60, **EVERYTHING)
    assert judgement.succeeded  # nothing stands in the way of going back
    assert "the test listener does not lead to green (shop-blue) alone but to shop-green 100" in judgement.message
    assert judgement.check("green_serves_tests")[0] == "failed"
    assert site.requests == []
    assert stage.clock.now <= 120  # nor holds it up


def test_a_listener_on_blue_that_only_warns_gets_no_request(stage: Stage, judge: Judge, site: Site) -> None:
    event = stage.at(EVENT)
    stage.lead(stage.test_listener, {stage.blue_group: 1})
    judgement = judge(hook, event, interval=60, checks={"green_serves_tests": "warn"}, **EVERYTHING)
    assert judgement.check("green_serves_tests")[0] == "failed"
    assert "http:front" not in judgement.outcomes()
    assert site.requests == []


# What must not be lost, and must not be shown.


def test_time_is_kept_for_cleaning_up(stage: Stage, judge: Judge, site: Site) -> None:
    """The step before would use up all the time there is."""
    site.answer = lambda request: Response(204 if request.method == "DELETE" else 503, "")
    steps = [
        {"path": "/slow", "attempts": 100, "interval": 60},
        {"path": "/clean", "method": "DELETE", "status": ["204"], "always": True},
    ]
    judgement = judge(hook, stage.at(EVENT), flows={"f": {"steps": steps}})
    assert not judgement.succeeded
    assert site.requests[-1].method == "DELETE"


def test_what_green_is_called_is_found_once_so_that_cleaning_up_does_not_hang_on_it(
    stage: Stage, judge: Judge, site: Site
) -> None:
    def answer(_request: Request) -> Response:
        stage.instead["ecs:DescribeServices"] = refuse("ServerException", status=500)
        return Response()

    site.answer = answer
    steps = [{"path": "/place"}, {"path": "/orders/{revision}", "method": "DELETE", "always": True}]
    judgement = judge(hook, stage.at(EVENT), flows={"f": {"steps": steps}})
    assert judgement.succeeded
    assert [request.method for request in site.requests] == ["GET", "DELETE"]


def test_a_secure_cookie_is_kept_on_a_listener_that_speaks_http(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(headers={"Set-Cookie": "session=abc; Secure; Path=/"})
    judge(hook, stage.at(EVENT), flows={"f": {"steps": [{"path": "/in"}, {"path": "/out"}]}})
    assert site.requests[1].headers.get("Cookie") == "session=abc"


def test_a_log_in_that_fails_does_not_show_what_it_was_answered(stage: Stage, judge: Judge, site: Site) -> None:
    site.answer = lambda _: Response(401, '{"refresh": "R-TOKEN"}')
    steps = [
        {"path": "/in", "method": "POST", "save": {"token": "access"}},
        {"path": "/out", "headers": {"Authorization": "Bearer {token}"}},
    ]
    judgement = judge(hook, stage.at(EVENT), flows={"f": {"steps": steps}})
    assert not judgement.succeeded
    assert "R-TOKEN" not in json.dumps(judgement)


def test_a_password_in_base_url_is_not_shown(stage: Stage, judge: Judge, site: Site) -> None:
    address = site.url.replace("//", "//tester:hunter2@")
    judgement = judge(hook, without_test_listener(stage), base_url=address, **NO_SAMPLES)
    assert judgement.check("test_listener")[1].endswith(f"base_url {site.url} is used")
    assert "hunter2" not in json.dumps(judgement)
