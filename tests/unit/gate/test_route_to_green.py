"""A listener's rules as ELB describes them: which requests they take, and whether those come to the pair."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from gate import aws
from gate.elb import Listener, Misrouted, listeners_of
from gate.verdict import ProbeError

PAIR = "pair"
ELSEWHERE = "leads elsewhere"
NAME = "shop.example.com"
TEAPOT = {"Type": "fixed-response"}
AWAY = {"Type": "redirect"}


def condition(field: str, *values: str) -> dict[str, Any]:
    """A rule's condition, as ELB describes it."""
    name = "".join(word.title() for word in field.split("-"))
    return {"Field": field, f"{name}Config": {"Values": list(values)}}


def rule(action: str | dict[str, Any], *conditions: dict[str, Any], priority: int = 9) -> dict[str, Any]:
    """A rule as DescribeRules has it; an action in one word is a target group."""
    forward = {"Type": "forward", "TargetGroupArn": action} if isinstance(action, str) else action
    return {"Priority": str(priority), "IsDefault": False, "Conditions": list(conditions), "Actions": [forward]}


def listener_with(monkeypatch: pytest.MonkeyPatch, *rules: dict[str, Any], default: str = PAIR) -> Listener:
    """A listener with these rules; its default action forwards to a target group."""
    default_rule = {"Priority": "default", "IsDefault": True, "Conditions": [], "Actions": []}
    answers = {
        "describe_listeners": [
            {
                "ListenerArn": "listener",
                "Protocol": "HTTP",
                "Port": 80,
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": default}],
            }
        ],
        "describe_rules": [*rules, default_rule],
    }
    monkeypatch.setattr(aws, "pages", lambda _service, operation, _key, **_more: iter(answers[operation]))
    group: Any = SimpleNamespace(arn=PAIR)
    return next(listeners_of("balancer", [group]))


HEALTH = condition("path-pattern", "/health")
ALL = condition("path-pattern", "/*")
REGEX = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/[a-h]+$"]}}


@pytest.mark.parametrize(
    ("rules", "taken_by"),
    [
        ([rule(ELSEWHERE, condition("path-pattern", "/he*"))], "rule 9 (path-pattern /he*)"),
        (
            [rule(ELSEWHERE, condition("path-pattern", "/a", "/health"), condition("host-header", "*"))],
            "rule 9 (path-pattern /a, /health; host-header *)",
        ),
        ([rule(ELSEWHERE, condition("host-header", NAME.upper()))], f"rule 9 (host-header {NAME.upper()})"),
        ([rule(TEAPOT, HEALTH)], "rule 9 (path-pattern /health)"),
        ([rule(ELSEWHERE, condition("path-pattern", "/Health"))], None),
        ([rule(ELSEWHERE, HEALTH, condition("host-header", "other.example.com"))], None),
        ([rule(PAIR, HEALTH), rule(ELSEWHERE, ALL, priority=100)], None),
        ([rule(ELSEWHERE, ALL, priority=100), rule(PAIR, HEALTH)], None),  # 100 comes after 9, though not as a word
        ([rule(ELSEWHERE, ALL), rule(PAIR, HEALTH, priority=100)], "rule 9 (path-pattern /*)"),
        ([rule(ELSEWHERE, HEALTH, condition("http-request-method", "POST"))], None),
        ([rule(ELSEWHERE, HEALTH, condition("http-request-method", "GET"))], "rule 9 (path-pattern /health; http-"),
        ([rule(ELSEWHERE, HEALTH, condition("source-ip", "10.9.0.0/16"))], None),
        ([rule(AWAY, HEALTH), rule(ELSEWHERE, ALL, priority=100)], None),
        ([rule(ELSEWHERE, REGEX)], None),
    ],
)
def test_a_request_that_a_rule_takes_away_from_the_pair_is_refused(
    monkeypatch: pytest.MonkeyPatch, rules: list[dict[str, Any]], taken_by: str | None
) -> None:
    """The default action forwards to green; whoever the rule forwards to would answer in its name, and maybe well."""
    listener = listener_with(monkeypatch, *rules)
    if taken_by is None:
        listener.require_route_to_green(NAME, "/health", {})
        return
    with pytest.raises(Misrouted) as caught:
        listener.require_route_to_green(NAME, "/health", {})
    assert str(caught.value).startswith(taken_by)
    assert str(caught.value).endswith(
        f"of the listener takes /health of {NAME}, and does not forward to green: set host or path to what green "
        "answers, or url to ask somebody else"
    )


def test_where_only_rules_lead_to_green_one_of_them_has_to_take_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listener_with(monkeypatch, rule(PAIR, condition("host-header", NAME)), default=ELSEWHERE)
    listener.require_route_to_green(NAME, "/health", {})
    listener.require_route_to_green("another.example.com", "/health", {"Host": f"{NAME}:8080"})
    with pytest.raises(Misrouted, match=r"only rules of the listener forward to green \(host-header shop"):
        listener.require_route_to_green("another.example.com", "/health", {})


@pytest.mark.parametrize(
    ("asked", "arrives"), [(("/a", {}), False), (("/a", {"X-Shop": "a"}), True), (("/a?v=2", {}), True)]
)
@pytest.mark.parametrize("more", ["http-header", "query-string"])
def test_what_more_a_rule_asks_for_a_request_may_say(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, dict[str, str]], arrives: bool, more: str
) -> None:
    listener = listener_with(monkeypatch, rule(PAIR, condition(more, "2")), default=ELSEWHERE)
    if arrives:
        listener.require_route_to_green(NAME, *asked)
    else:
        with pytest.raises(Misrouted):
            listener.require_route_to_green(NAME, *asked)


def test_a_rules_conditions_are_told_as_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of a header is often a secret."""
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Shop", "Values": ["a*", "b"]}}
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "new"}]}}
    (found,) = listener_with(monkeypatch, rule(PAIR, REGEX, header, query)).rules
    assert found.where == "path-pattern ^/[a-h]+$; http-header X-Shop: ***; query-string v=2, new"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Priority": None}, "does not say which priority a rule of listener has"),
        ({"Conditions": None}, "does not say which requests rule 9 takes"),
        ({"Conditions": [{"Values": ["/health"]}]}, "does not say which requests rule 9 takes"),
        ({"Conditions": [{"Field": "path-pattern", "PathPatternConfig": {}}]}, "which requests rule 9 takes"),
        ({"Actions": None}, "does not say what rule 9 does"),
        ({"Actions": [{"TargetGroupArn": "arn"}]}, "does not say what rule 9 does"),
        ({"IsDefault": None}, "does not say which rule of listener is the default one"),
    ],
    ids=str,
)
def test_a_rule_of_which_elb_does_not_say_what_decides(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], said: str
) -> None:
    changed = {**rule(PAIR, HEALTH), **wrong}
    listener = listener_with(monkeypatch, {member: value for member, value in changed.items() if value is not None})
    with pytest.raises(ProbeError, match=said):
        listener.require_route_to_green(NAME, "/health", {})


def test_the_weights_of_several_rules_to_the_pair_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule(PAIR, condition("path-pattern", path), priority=n) for n, path in enumerate(("/a", "/b", "/c"), 1)]
    assert listener_with(monkeypatch, *rules, default=ELSEWHERE).weights == {PAIR: 3}
