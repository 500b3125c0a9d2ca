"""BeforeInstall: the options of all later hooks, judged by the code that will read them, before anything is made."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import validate_before_install as hook
import validate_production
from gate.options.hooks import HOOKS
from gate.options.production import ValidateProduction
from gate.options.requests import Load
from gate.overrides import Overrides
from gate.platforms import Continuation
from gate.record import Record
from gate.runner import Gate
from gate.runtime import Invocation
from gate.severity import Severities
from gate.waiting import TimeBudget
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.testing.stage import ACCOUNT, HANDLERS, Judge, Judgement, Stage

EVENT = "BeforeInstall"
INSTALLED, TESTED, MIGRATED, SHIFTED = (event for event in HANDLERS if event != EVENT)
LATER = (INSTALLED, TESTED, MIGRATED, SHIFTED)

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf"
ORDERS: dict[str, Any] = {"namespace": "Shop", "metric_name": "Orders"}
LIMITED: dict[str, Any] = {**ORDERS, "threshold_range": {"min": 1}}
AT_ONCE: dict[str, Any] = {"initial_delay": 0, "duration": 0}


@pytest.fixture(autouse=True)
def hooks(stage: Stage) -> None:
    """An AppSpec with all five hooks, and their functions as the module makes them."""
    stage.create_hooks()


def named(event: str) -> str:
    """A hook's function, as messages name it."""
    return f"function arn:aws:lambda:eu-west-1:{ACCOUNT}:function:CodeDeployHook_shop-{event} of the hook {event}"


def judged(
    stage: Stage, judge: Judge, event: str, options: Mapping[str, Any] | None = None, **configuration: Any
) -> Judgement:
    """What BeforeInstall says where the function of another hook is configured like this."""
    stage.tell(event, options, **configuration)
    return judge(hook, stage.at(EVENT))


def one(**check: Any) -> dict[str, Any]:
    """Options with one HTTP check."""
    return {"http_checks": {"front": check}}


def of_steps(*steps: Mapping[str, Any]) -> dict[str, Any]:
    """Options with one flow."""
    return {"flows": {"buy": {"steps": steps}}}


def metric(**changes: Any) -> dict[str, Any]:
    """Options with one metric."""
    return {"metrics": {"orders": {**LIMITED, **changes}}}


def load(**changes: Any) -> dict[str, Any]:
    """Options with a load, and nothing else that takes time."""
    return {**AT_ONCE, "load": {"rate": 10, "duration": 1, **changes}}


def told(stage: Stage, event: str) -> dict[str, str]:
    """The environment of a hook's function."""
    found = stage.functions.get_function_configuration(FunctionName=stage.hooks[event])
    return dict(found["Environment"]["Variables"])


def test_the_options_of_the_modules_own_functions_can_be_used(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.succeeded
    assert "warned" not in judgement.message
    for event in LATER:
        said = f"the options of {HANDLERS[event]} can be used"
        assert judgement.check(f"hook_settings:{event}") == ("passed", said)
        assert judgement.check(f"hook_versions:{event}") == ("passed", f"{named(event)} is of this version")


# What no plan sees. A problem that ends in "…" goes on in the words of a library.

ALONE = "without command and preset: nothing would run. Set command too, or preset"
GO_TOGETHER = "go together: set what is missing, leave out what is left over"
IS_NEEDED = "is needed: else nothing is compared"
NO_ADDRESS = "is no address such as https://test.example.com:8443"
NO_EXPRESSION = "which is no JMESPath expression (a key with a hyphen needs quotes): …"
NO_FUNCTION = ": JMESPath has no function upper"
NOTHING_FITS = "no value can lie between them"
WRONG_WAY = 'a range goes from the lower to the higher code ("200-299")'

OF_A_CHECK: list[tuple[dict[str, Any], str]] = [
    ({"body_matches": "("}, "body_matches is '(', which is no regular expression: …"),
    ({"fail_if_body_matches": "[a"}, "fail_if_body_matches is '[a', which is no regular expression: …"),
    ({"jmespath": {"a-b": {"exists": True}}}, f"jmespath has 'a-b', {NO_EXPRESSION}"),
    ({"jmespath": {"upper(a) || max(b)": {"equals": "A"}}}, f"jmespath has 'upper(a) || max(b)'{NO_FUNCTION}"),
    ({"jmespath": {"a": {}}}, f"jmespath.a.equals, one_of, at_least, at_most, exists or length {IS_NEEDED}"),
    ({"jmespath": {"a": {"at_least": 2, "at_most": 1}}}, f"jmespath.a.at_least is 2, above at_most 1: {NOTHING_FITS}"),
    ({"method": "POST", "body": "a", "json": "1"}, "body and json are both set: a request has one body"),
    ({"method": "POST", "json": "{a}"}, "json is no JSON (Expecting property name…"),
    ({"url": "http://a.example.com/", "path": "/b"}, "url and path are both set: the path is part of the url"),
    ({"url": "http://a:b:c/"}, f"url {NO_ADDRESS}"),
    (
        {"secret_headers": {"X-Key": SECRET}, "follow_redirects": True},
        "secret_headers and follow_redirects are both set: a redirect could lead a secret elsewhere",
    ),
    ({"consecutive_successes": 4}, "consecutive_successes is 4, attempts only 3: raise attempts"),
    ({"status": ["200", "299-200"]}, f'status is "299-200"; {WRONG_WAY}'),
]
OF_STEPS: list[tuple[list[dict[str, Any]], str]] = [
    (
        [{"save": {"a": "a"}}, {"path": "/{a}/{b}"}],
        "steps[1] uses {b}, which no step before it saves: save = { <name> = … }",
    ),
    ([{"save": {"place": "header:a b"}}], "steps[0].save.place is 'header:a b', which names no header"),
    ([{"save": {"place": "a-b"}}], f"steps[0].save.place is 'a-b', {NO_EXPRESSION}"),
    ([{}, {"consecutive_successes": 2}], "steps[1].consecutive_successes is 2, attempts only 1: raise attempts"),
]
OF_A_METRIC: list[tuple[dict[str, Any], str]] = [
    ({"threshold_range": {}}, f"threshold_range.min, threshold_range.max or max_worse_percent {IS_NEEDED}"),
    ({"threshold_range": {"min": 2, "max": 1}}, f"threshold_range.min is 2, above max 1: {NOTHING_FITS}"),
    ({"period": 45}, "period is 45; CloudWatch knows 1, 5, 10, 20, 30 and multiples of 60 seconds up to a day"),
]
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (INSTALLED, {"interval": 0}, "interval is 0; expected seconds from 0.001 to 60."),
    *((TESTED, one(**check), f"http_checks.front.{problem}") for check, problem in OF_A_CHECK),
    (TESTED, {"base_url": "http://a:b"}, f"base_url {NO_ADDRESS}"),
    *((TESTED, of_steps(*steps), f"flows.buy.{problem}") for steps, problem in OF_STEPS),
    (MIGRATED, {"verify_schema_command": ["x"]}, f"verify_schema_command {ALONE}"),
    (
        MIGRATED,
        {"verify_data_command": ["x"], "rollback_command": ["x"]},
        f"verify_data_command, rollback_command {ALONE}",
    ),
    (
        MIGRATED,
        {"launch": "FARGATE_SPOTT"},
        'launch is "FARGATE_SPOTT", which ECS keeps for itself: "FARGATE", "FARGATE_SPOT", or your own',
    ),
    (
        TESTED,
        of_steps({"save": {"revision": "id"}}),
        "flows.buy.steps[0].save.revision would hide green's own {revision}…",
    ),
    (
        SHIFTED,
        metric(dimensions={"TargetGroup": "{targetgroup}", "Resource": "/orders/{id}"}),
        "metrics.orders.dimensions.TargetGroup is {targetgroup}, which stands for nothing: …",
    ),
    (SHIFTED, one(body_matches="*"), "http_checks.front.body_matches is '*', which is no regular expression: …"),
    (SHIFTED, of_steps({"path": "/{a}"}), "flows.buy.steps[0] uses {a}, which no step before it saves: …"),
    *((SHIFTED, metric(**changes), f"metrics.orders.{problem}") for changes, problem in OF_A_METRIC),
    (SHIFTED, load(rate=0.1), "load.rate is 0.1 and duration 1: less than one request. Raise one of them"),
    (SHIFTED, load(status=["399-200"]), f'load.status is "399-200"; {WRONG_WAY}'),
]


@pytest.mark.parametrize(
    ("event", "options", "problem"), REFUSED, ids=[f"{HANDLERS[event]}.{problem[:40]}" for event, _, problem in REFUSED]
)
def test_an_option_that_cannot_be_used_is_refused_before_anything_is_made(
    stage: Stage, judge: Judge, event: str, options: dict[str, Any], problem: str
) -> None:
    """With the hook, the option's path and the function."""
    judgement = judged(stage, judge, event, options)
    assert not judgement.succeeded
    outcome, detail = judgement.check(f"hook_settings:{event}")
    assert (outcome, " ".join(detail.split())) == ("failed", judgement.message)
    assert refused(event, judgement.message, problem)
    assert [judgement.check(f"hook_settings:{each}")[0] for each in LATER if each != event] == ["passed"] * 3
    assert judgement.check(f"hook_versions:{event}")[0] == "passed"


def refused(event: str, message: str, problem: str) -> bool:
    """Whether this is said of a hook's function, and nothing else."""
    known = f"{HANDLERS[event]}.{problem.rstrip('…')}"
    rest = message.removeprefix(known).removesuffix(f" ({named(event)})")
    return message == f"{known}{rest} ({named(event)})" and bool(rest) is problem.endswith("…")


# Rules that hold up to a bound.


def too_long(window: int, left: int, others: int = 120) -> str:
    """What is wrong with a window that is longer than what is left for it."""
    return (
        f"initial_delay, duration and load take {window} s, and {left} s are left for them beside {others} s for the "
        "other checks: shorten them, or raise max_duration or timeout (at most 900)"
    )


def no_room(warm_up: int, duration: float, room: int) -> str:
    """What is wrong with a load that is longer than an invocation."""
    return (
        f"load has warm_up {warm_up} and duration {duration}; a load is not interrupted, and an invocation has {room} "
        "s for it: shorten load or raise timeout"
    )


def command_of(timeout: int, **options: Any) -> dict[str, Any]:
    """Options of a migration with a time for its command."""
    return {"command": ["migrate"], "timeout": timeout, **options}


def for_stopping(timeout: int, room: int) -> str:
    """What is wrong with a command's time that leaves too little of the whole."""
    return (
        f"timeout is {timeout}, above {room} (max_duration less 60 for stopping the task and the report): shorten it, "
        "or raise max_duration"
    )


def of_invocations(timeout: int, room: int) -> str:
    """What is wrong with a command that the function's invocations together have no time for."""
    there = f"the function's invocations have {room} s for a command"
    return f"timeout is {timeout}, and {there}: shorten it, or raise the module's timeout (at most 900)"


def for_long(**options: Any) -> dict[str, Any]:
    """Options of a hook that may take as long as any."""
    return {"max_duration": 3300, **options}


LATE = {**AT_ONCE, **metric(), "metrics_delay": 600}
LOWER_ONE = "and an invocation has 30 s: lower one, or raise timeout (at most 900)"
TOO_LATE = (
    "http_checks.front.initial_delay is 30, and an invocation has 30 s: shorten it, or raise timeout (at most 900)"
)
OF_A_MINUTE = {"initial_delay": 0, "max_duration": 60}
BOUNDS: list[tuple[str, int, dict[str, Any], dict[str, Any], str]] = [
    (SHIFTED, 900, {"duration": 2820}, {"duration": 2821}, too_long(2881, 2880)),
    (SHIFTED, 900, for_long(duration=3120), for_long(duration=3121), too_long(3181, 3180)),
    (SHIFTED, 900, {"duration": 36, **OF_A_MINUTE}, {"duration": 37, **OF_A_MINUTE}, too_long(37, 36, 24)),
    (SHIFTED, 60, {**AT_ONCE, "initial_delay": 72}, {**AT_ONCE, "initial_delay": 73}, too_long(73, 72, 48)),
    (SHIFTED, 100, {**AT_ONCE, "duration": 168}, {**AT_ONCE, "duration": 169}, too_long(169, 168, 112)),
    (SHIFTED, 145, {"duration": 315}, {"duration": 316}, too_long(376, 375)),
    (SHIFTED, 900, {**LATE, "max_duration": 720}, {**LATE, "max_duration": 719}, too_long(600, 599)),
    (SHIFTED, 132, load(duration=60, warm_up=10), load(duration=60, warm_up=13), no_room(13, 60, 72)),
    (SHIFTED, 900, load(duration=600, warm_up=240), load(duration=600, warm_up=241), no_room(241, 600, 840)),
    (MIGRATED, 900, command_of(2940), command_of(2941), for_stopping(2941, 2940)),
    (MIGRATED, 60, command_of(60, max_duration=120), command_of(61, max_duration=120), for_stopping(61, 60)),
    (MIGRATED, 60, command_of(72), command_of(73), of_invocations(73, 72)),
    (MIGRATED, 200, command_of(710), command_of(711), of_invocations(711, 710)),
    (SHIFTED, 60, load(duration=18), load(duration=18.1), no_room(0, 18.1, 18)),
    (TESTED, 60, one(initial_delay=29), one(initial_delay=30), TOO_LATE),
    (SHIFTED, 60, {**one(initial_delay=29), **AT_ONCE}, {**one(initial_delay=30), **AT_ONCE}, TOO_LATE),
    (
        INSTALLED,
        60,
        {"consecutive_successes": 31, "interval": 0.99},
        {"consecutive_successes": 31, "interval": 1},
        f"consecutive_successes and interval take 30 s at least, {LOWER_ONE}",
    ),
    (
        TESTED,
        60,
        one(consecutive_successes=5, attempts=5),
        one(consecutive_successes=5, attempts=4),
        "http_checks.front.consecutive_successes is 5, attempts only 4: raise attempts",
    ),
    (
        TESTED,
        60,
        one(status=["200-200"]),
        one(status=["200-199"]),
        f'http_checks.front.status is "200-199"; {WRONG_WAY}',
    ),
    (
        SHIFTED,
        900,
        load(rate=0.1, duration=10),
        load(rate=0.1, duration=9.9),
        "load.rate is 0.1 and duration 9.9: less than one request. Raise one of them",
    ),
    (
        SHIFTED,
        900,
        metric(threshold_range={"min": 2, "max": 2}),
        metric(threshold_range={"min": 2, "max": 1.5}),
        f"metrics.orders.threshold_range.min is 2, above max 1.5: {NOTHING_FITS}",
    ),
]


@pytest.mark.parametrize(
    ("event", "timeout", "fits", "fits_not", "problem"),
    BOUNDS,
    ids=[f"{HANDLERS[bound[0]]}.{bound[4][:30]}" for bound in BOUNDS],
)
def test_what_just_fits_passes_and_a_little_more_does_not(  # noqa: PLR0917 - one row of the table each
    stage: Stage,
    judge: Judge,
    event: str,
    timeout: int,
    fits: dict[str, Any],
    fits_not: dict[str, Any],
    problem: str,
) -> None:
    good = judged(stage, judge, event, fits, timeout=timeout)
    assert good.check(f"hook_settings:{event}") == ("passed", f"the options of {HANDLERS[event]} can be used")
    assert good.succeeded
    stage.deployment.set_status("Stopped")
    bad = judged(stage, judge, event, fits_not, timeout=timeout)
    assert bad.message == f"{HANDLERS[event]}.{problem} ({named(event)})"


def test_a_load_and_a_window_that_do_not_fit_are_named_at_once(stage: Stage, judge: Judge) -> None:
    options = {"load": {"rate": 1, "duration": 600, "warm_up": 300}, "max_duration": 900}
    judgement = judged(stage, judge, SHIFTED, options)
    assert judgement.message == (
        f"validate_production.{no_room(300, 600, 840)}; validate_production.{too_long(1260, 780)} ({named(SHIFTED)})"
    )


# The same in the function itself.


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    ("timeout", "options"),
    [
        (900, {"duration": 2820}),
        (900, {"duration": 2821}),
        (100, {**AT_ONCE, "duration": 160}),
        (100, {**AT_ONCE, "duration": 161}),
        (60, AT_ONCE),
        (60, {**AT_ONCE, "duration": 1}),
        (333, {**AT_ONCE, "duration": 1315}),
        (333, {**AT_ONCE, "duration": 1316}),
        (900, {**AT_ONCE, "duration": 880.1, "max_duration": 1000.1}),
        (900, load(warm_up=240, duration=600)),
        (900, load(warm_up=241, duration=600)),
    ],
    ids=str,
)
def test_what_is_foreseen_is_what_the_function_finds(
    stage: Stage, judge: Judge, monkeypatch: pytest.MonkeyPatch, timeout: int, options: dict[str, Any]
) -> None:
    """A few milliseconds of its time are over when Lambda tells it how much is left."""
    foreseen, said = judged(stage, judge, SHIFTED, options, timeout=timeout).check(f"hook_settings:{SHIFTED}")
    stage.deployment.set_status("Stopped")
    event = stage.at(SHIFTED)
    stage.lead(stage.production_listener, {stage.blue_group: 100})  # so that it ends there
    monkeypatch.setenv("HOOK_SETTINGS", told(stage, SHIFTED)["HOOK_SETTINGS"])
    context = SimpleNamespace(
        get_remaining_time_in_millis=lambda: timeout * 1000 - 7, invoked_function_arn=stage.hooks[SHIFTED]
    )
    found, detail = Judgement(validate_production.handler(event, context)).check("time")
    assert found == foreseen
    assert found == "passed" or said == f"validate_production.{detail} ({named(SHIFTED)})"


NEARLY = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])
TENTHS = st.integers(0, 33_000).map(lambda number: number / 10)


@st.composite
def productions(draw: st.DrawFn) -> tuple[int, ValidateProduction]:
    """A function's time-out, and options whose window or load nearly fits, or lies anywhere."""
    timeout, most = draw(st.integers(60, 900)), max(60.0, draw(TENTHS))
    budget = TimeBudget.of(timeout, most)
    longest = draw(st.one_of(st.none(), st.floats(1, 900), NEARLY.map(lambda more: budget.here - 30 + more)))
    load = None
    if longest is not None:
        warm_up = draw(st.sampled_from([0.0, 10.0]))
        load = Load(rate=1, duration=min(max(1.0, longest - warm_up), 600.0), warm_up=warm_up)
    delay = draw(st.sampled_from([0.0, 60.0]))
    left = budget.in_all - 120 - delay - (load.duration + load.warm_up if load else 0.0)
    duration = draw(st.one_of(TENTHS, NEARLY.map(lambda more: left + more)))
    duration = min(max(0.0, duration), 3300.0)
    return timeout, ValidateProduction(initial_delay=delay, duration=duration, max_duration=most, load=load)


@given(productions(), st.integers(0, 900))
def test_whatever_the_window_both_find_the_same(known: tuple[int, ValidateProduction], late: int) -> None:
    """BeforeInstall by the function's time-out, the function by what Lambda says is left, some milliseconds late."""
    timeout, options = known
    foreseen = options.problems_of_time(TimeBudget.of(timeout, options.max_duration))
    invocation = Invocation(SimpleNamespace(get_remaining_time_in_millis=lambda: timeout * 1000 - late))
    record, severities = Record("validate_production", "d-1"), Severities({}, Overrides({}), "", advisory=False)
    deployment: Any = SimpleNamespace(expires_at=None, longest=3300.0, most_continuations=4)
    gate = Gate(
        deployment,
        options,
        invocation,
        record,
        severities,
        (),
        Continuation(time.time()),
        can_continue=True,
        orphaned=False,
    )
    assert options.problems_of_time(gate.budget) == foreseen


def test_more_time_than_codedeploy_gives_is_said_before(stage: Stage, judge: Judge) -> None:
    """ECS gives a day, so the option takes it."""
    outcome, detail = judged(stage, judge, SHIFTED, {"max_duration": 7200}).check(f"hook_settings:{SHIFTED}")
    assert outcome == "failed"
    assert detail.startswith("validate_production.max_duration is 7200; CodeDeploy gives a hook 3300 s")


# All of one function, and of other versions.


def test_all_problems_of_a_function_are_named_at_once(stage: Stage, judge: Judge) -> None:
    """Values, rules across options, and what is none."""
    options = {
        "retries": 3,
        "samples": "many",
        "http_checks": {"front": {"method": "get"}, "back": {"method": "POST", "body": "a", "json": "1"}},
        **of_steps({"path": "/{a}"}),
    }
    judgement = judged(stage, judge, TESTED, options)
    known = ", ".join(told_of(TESTED))
    assert judgement.message == (
        'validate_test_traffic.http_checks.front.method is "get"; expected "GET", "HEAD", "POST", "PUT", "PATCH", '
        '"DELETE" or "OPTIONS".; '
        "validate_test_traffic.http_checks.back.body and json are both set: a request has one body; "
        "validate_test_traffic.flows.buy.steps[0] uses {a}, which no step before it saves: save = { <name> = … }; "
        'validate_test_traffic.samples is "many"; expected a whole number from 0 to 10000.; '
        f"validate_test_traffic has no option retries; it has {known} ({named(TESTED)})"
    )


def told_of(event: str) -> list[str]:
    """The names of a hook's options."""
    return list(HOOKS[HANDLERS[event]].__dataclass_fields__)


def test_of_very_many_problems_the_first_are_named(stage: Stage, judge: Judge) -> None:
    checks = {f"c{number}": {"interval": -1} for number in range(53)}
    outcome, detail = judged(stage, judge, TESTED, {"http_checks": checks}).check(f"hook_settings:{TESTED}")
    assert outcome == "failed"
    problems = detail.split("; validate_test_traffic.")
    assert len(problems) == 50
    last = "http_checks.c49.interval is -1; expected seconds from 0 to 60."
    assert problems[-1] == f"{last}; and 3 more ({named(TESTED)})"


@pytest.mark.parametrize("event", LATER)
def test_an_option_that_the_code_does_not_have_is_refused(stage: Stage, judge: Judge, event: str) -> None:
    said = f"{HANDLERS[event]} has no option retries; it has {', '.join(told_of(event))} ({named(event)})"
    assert judged(stage, judge, event, {"retries": 3}).message == said
    stage.deployment.set_status("Stopped")
    without_schema = judged(stage, judge, event, {"retries": 3, "schema": None})
    assert without_schema.message == said
    assert without_schema.check(f"hook_versions:{event}")[0] == "passed"


@pytest.mark.parametrize("event", LATER)
def test_an_option_of_another_version_is_only_warned_of(stage: Stage, judge: Judge, event: str) -> None:
    judgement = judged(stage, judge, event, {"retries": 3, "schema": "0123456789ab"})
    assert judgement.succeeded
    assert judgement.check(f"hook_settings:{event}")[0] == "passed"
    said = f"{named(event)} is told its options as another version of the module has them: apply the module once more"
    assert judgement.check(f"hook_versions:{event}") == ("failed", said)
    assert judgement.message.endswith(f"1 warned: {said}")


def test_options_of_another_version_have_to_be_usable_too(stage: Stage, judge: Judge) -> None:
    judgement = judged(stage, judge, INSTALLED, {"interval": 61, "retries": 3, "schema": "0123456789ab"})
    problem = "validate_deployment.interval is 61; expected seconds from 0.001 to 60."
    assert judgement.message.startswith(f"{problem} ({named(INSTALLED)})")


# What may be secret.

WORD = "hunter2"
SECRETIVE: list[tuple[str, dict[str, Any], str]] = [
    (TESTED, one(headers={"Authorization": f"{WORD}\n"}), ".http_checks.front.headers.Authorization is a text of 8 "),
    (TESTED, {"headers": {"Cookie": [WORD]}}, ".headers.Cookie is a list; expected a header's value"),
    (TESTED, one(secret_headers={"X-Key": WORD}), ".http_checks.front.secret_headers.X-Key is a text of 7 characters"),
    (
        TESTED,
        one(response_headers={"Set-Cookie": {"equals": f" {WORD}"}}),
        ".response_headers.Set-Cookie.equals is a text of 8 characters",
    ),
    (TESTED, one(json=f'{{"password": {WORD}}}'), ".http_checks.front.json is no JSON (Expecting value"),
    (TESTED, one(body=[WORD]), ".http_checks.front.body is a list; expected text, or null."),
    (TESTED, one(path=f"orders?key={WORD}"), ".http_checks.front.path is an address of 18 characters; expected a path"),
    (TESTED, one(url=f"ftp://shop:{WORD}@a.example.com/"), ".http_checks.front.url is an address of 33 characters"),
    (TESTED, one(url=f"http://shop:{WORD}@a:b/?{WORD}"), f".http_checks.front.url {NO_ADDRESS}"),
    (TESTED, {"base_url": f"https://a.example.com/?key={WORD}"}, ".base_url is an address of 34 characters"),
    (TESTED, of_steps({"headers": {"X-Key": f"{WORD}\0"}}), ".flows.buy.steps[0].headers.X-Key is a text of 8 char"),
    (MIGRATED, {"environment": {"PASSWORD": [WORD]}}, ".environment.PASSWORD is a list; expected text."),
    (MIGRATED, {"environment": {"": WORD}}, '.environment has a key of 0 characters that begins with ""; expected a'),
    (
        TESTED,
        {"headers": {f"Cookie: {WORD}": ""}},
        '.headers has a key of 15 characters that begins with "Cookie"; exp',
    ),
    (SHIFTED, load(headers={"X-Key": f"{WORD}\r"}), ".load.headers.X-Key is a text of 8 characters"),
]


def everything_shown(judgement: Judgement, caplog: pytest.LogCaptureFixture) -> str:
    """All that anybody could read: what is returned, and each log record with its fields."""
    return json.dumps(judgement) + "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    ("event", "options", "said"), SECRETIVE, ids=[f"{HANDLERS[event]}{said[:40]}" for event, _, said in SECRETIVE]
)
def test_what_may_be_a_secret_is_never_said(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture, event: str, options: dict[str, Any], said: str
) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    judgement = judged(stage, judge, event, options, TOKEN=WORD)
    assert judgement.check(f"hook_settings:{event}")[0] == "failed"
    assert said in judgement.message
    assert WORD not in everything_shown(judgement, caplog)


def test_what_is_no_json_is_not_shown(stage: Stage, judge: Judge, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="gate")
    judgement = judged(stage, judge, TESTED, HOOK_SETTINGS=f'{{"headers": {WORD}}}')
    where = "line 1 column 13 (char 12)"
    assert judgement.message == f"HOOK_SETTINGS is not JSON: Expecting value: {where} ({named(TESTED)})"
    assert WORD not in everything_shown(judgement, caplog)
