"""The environments in which the hooks are tried.

Between them each hook makes every AWS call that it can make: with secret headers, metrics, a preset whose revision is
looked up, an AppSpec in S3, listeners that lead by rules, a hand-over to a fresh invocation; and, where green or a
migration is no good, with the last lines of a log, the way back, the end of what takes too long.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
from moto.cloudwatch.models import cloudwatch_backends
from moto.elbv2.models import elbv2_backends

from rehearsal.aws.world import Exit
from rehearsal.testing.native import STAGE_OF, Native
from rehearsal.testing.stage import ACCOUNT, Stage

HOST = "shop.example.com"
MIGRATE = ("alembic", "upgrade", "head")
BEFORE = ("alembic", "current", "--verbose")
SMOKE_TEST = ("pytest", "tests/smoke")
REVISION = ("Current revision(s) for sqlite:///shop.db:", "Rev: 0001 (head)", "Parent: <base>")

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Profile:
    """A hook, and how its environment is brought to its lifecycle event.

    `arrange` returns the hook's settings; `before_each` is done before each event; `seconds` is the function's
    time-out, of which half is kept for the report; `expected` is what is reported without a fault; `decisive` are
    operations that mean something else here than in the profiles before, and are tried in this one too. `only`: where
    it is not empty, no other operations are tried here, new as they may be. `by_ecs`: ECS itself deploys, and what is
    reported is the answer.
    """

    name: str
    hook: str
    arrange: Callable[[Stage], Settings]
    before_each: Callable[[Stage], None] = lambda _stage: None
    seconds: float = 12.0
    expected: str = "Succeeded"
    decisive: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    by_ecs: bool = False


def _before_install(stage: Stage) -> Settings:
    stage.create_hooks()
    stage.at("BeforeInstall")
    return {}


def _from_elsewhere(stage: Stage) -> Settings:
    """An AppSpec in S3, an image that ECR pulls through, a log group to be made, a Network Load Balancer."""
    stage.create_hooks()
    rule = {"ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    stage.ecr.create_pull_through_cache_rule(**rule, upstreamRegistry="docker-hub")
    options = {
        "awslogs-group": "/ecs/made",
        "awslogs-region": stage.region,
        "awslogs-stream-prefix": "shop",
        "awslogs-create-group": "true",
    }
    stage.allow("shop-execution", "logs:CreateLogGroup", "*")
    image = stage.image("1", "docker-hub/library/shop")
    stage.green_definition = stage.register(image=image, logConfiguration={"logDriver": "awslogs", "options": options})
    balancers: Any = elbv2_backends[ACCOUNT][stage.region].load_balancers
    balancers[stage.load_balancer].loadbalancer_type = "network"
    stage.at("BeforeInstall", _revision_in_s3(stage))
    return {}


def _revision_in_s3(stage: Stage) -> Mapping[str, Any]:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="appspecs", CreateBucketConfiguration={"LocationConstraint": stage.region})
    body = json.dumps(stage.appspec()).encode()
    s3.put_object(Bucket="appspecs", Key="shop.json", Body=body, Tagging="UseWithCodeDeploy=true")
    return {"revisionType": "S3", "s3Location": {"bucket": "appspecs", "key": "shop.json", "bundleType": "JSON"}}


def _after_install(stage: Stage) -> Settings:
    stage.green_definition = stage.register(healthCheck={"command": ["CMD", "true"]})
    stage.at("AfterInstall")
    return {"interval": 0.2, "consecutive_successes": 2, "event_bus": "default"}


def _crashing(stage: Stage) -> Settings:
    """Green's container writes why, and exits."""
    stage.world.crashing[stage.image("2")] = 1
    stage.world.crash_lines[stage.image("2")] = ("no such table: orders",)
    return _after_install(stage)


def _requests(stage: Stage) -> Settings:
    """A request with both kinds of secrets, expecting what green is called."""
    arn = f"arn:aws:ssm:{stage.region}:{ACCOUNT}:parameter/shop/api-key"
    headers = {"X-Secret": stage.secret, "X-Parameter": arn}
    check = {"path": "/health", "secret_headers": headers, "response_headers": {"X-Version": {"equals": "{image_tag}"}}}
    return {"http_checks": {"health": {**check, "attempts": 1}}, "samples": 0, "host": HOST}


def _test_traffic(stage: Stage) -> Settings:
    stage.at("AfterAllowTestTraffic")
    return {"interval": 0.2, **_requests(stage)}


def _smoke_test(stage: Stage) -> Settings:
    """A test of the user's own that passes, and nothing else that is asked of green."""
    stage.at("AfterAllowTestTraffic")
    return _for_smoke_test(stage)


def _broken_smoke_test(stage: Stage) -> Settings:
    """One that fails, and writes why."""
    stage.world.exits[SMOKE_TEST] = Exit(1, ("2 failed, 5 passed in 3.21s",))
    return {**_smoke_test(stage), "event_bus": "default"}


def _endless_smoke_test(stage: Stage) -> Settings:
    """One that takes longer than it may, and is stopped."""
    settings = _smoke_test(stage)
    stage.world.exits[SMOKE_TEST] = Exit(0, lasts=600.0)
    return {**settings, "smoke_test": {**settings["smoke_test"], "timeout": 1, "log_lines": 0}}


def _production(stage: Stage) -> Settings:
    stage.at("AfterAllowTraffic")
    stage.create_alarm("shop-orders")
    _function(stage, "validate_production")
    shifted = datetime.now(timezone.utc) - timedelta(minutes=10)
    stage.deployment.event("AllowTraffic").start_time = shifted.replace(tzinfo=None)
    orders = {"namespace": "Shop", "metric_name": "Orders", "threshold_range": {"min": 1}}
    bake = {"initial_delay": 0, "duration": 0.4, "interval": 0.2, "metrics_delay": 0}
    alarms, load = {"shop-orders": "OK"}, {"rate": 5, "duration": 1, "path": "/health"}
    checks = {"load:rate": "skip"}  # a machine that stalls for 0.1 s is none of these faults
    return {
        **bake,
        "alarms": alarms,
        "metrics": {"orders": orders},
        "load": load,
        "checks": checks,
        **_requests(stage),
    }


def _publish(stage: Stage) -> None:
    """What the load balancer counts on green, and orders, in the seconds to come, and an hour earlier and later."""
    now = datetime.now(timezone.utc)
    both = [
        {"Name": "LoadBalancer", "Value": stage.load_balancer.partition(":loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": stage.green_group.rpartition(":")[2]},
    ]
    values = {"RequestCount": 500.0, "TargetResponseTime": 0.02, "UnHealthyHostCount": 0.0}
    moments = [now + timedelta(hours=hours, seconds=after / 2) for hours in (-1, 0, 1) for after in range(50)]
    counted = [
        {"MetricName": name, "Dimensions": both, "Timestamp": at, "Value": value}
        for at in moments
        for name, value in values.items()
    ]
    orders = [{"MetricName": "Orders", "Timestamp": at, "Value": 7.0} for at in moments]
    cloudwatch_backends[ACCOUNT][stage.region].metric_data.clear()
    for namespace, data in (("AWS/ApplicationELB", counted), ("Shop", orders)):
        stage.cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def _by_rules(listener: str, arrange: Callable[[Stage], Settings], stage: Stage) -> Settings:
    """The same, where a rule of a listener forwards to green, and its default action answers by itself."""
    settings = arrange(stage)
    arn = getattr(stage, listener)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    stage.elbv2.modify_listener(ListenerArn=arn, DefaultActions=[answer])
    stage.elbv2.create_rule(
        ListenerArn=arn,
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [HOST]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.green_group}],
    )
    return settings


def _function(stage: Stage, hook: str) -> None:
    """Let there be the function that is to go on."""
    role = stage.create_role("shop-hooks", trusts="lambda.amazonaws.com")
    stage.functions.create_function(
        FunctionName=f"CodeDeployHook_shop-{hook}",
        Role=role,
        Runtime="python3.13",
        Handler="x.handler",
        Code={"ZipFile": b"x"},
    )


def _long_bake(stage: Stage) -> Settings:
    """A bake window that needs a second invocation."""
    settings = _production(stage)
    return {**settings, "duration": 8.0, "interval": 0.5, "samples": 0, "load": None, "max_duration": 60}


def _migrations(stage: Stage) -> Settings:
    stage.world.exits[BEFORE] = Exit(0, REVISION)
    _function(stage, "run_migrations")
    stage.at("BeforeAllowTraffic")
    return {"preset": "alembic", "interval": 0.1}


def _long_migration(stage: Stage) -> Settings:
    """A migration that needs a second invocation."""
    stage.world.exits[MIGRATE] = Exit(0, lasts=8.0)
    _function(stage, "run_migrations")
    stage.at("BeforeAllowTraffic")
    return {"command": MIGRATE, "interval": 0.2, "max_duration": 60}


def _from_s3(stage: Stage) -> Settings:
    """Before green is there: the task definition is what an AppSpec in S3 names."""
    _function(stage, "run_migrations")
    stage.at("BeforeInstall", _revision_in_s3(stage))
    return {"command": MIGRATE, "interval": 0.1}


def _broken_migration(stage: Stage) -> Settings:
    """A migration that fails, and the way back."""
    settings = _migrations(stage)
    stage.world.exits[MIGRATE] = Exit(1, ("table orders already exists",))
    return settings


def _overrun(stage: Stage) -> Settings:
    """A migration that takes longer than it may, and is stopped."""
    settings = _migrations(stage)
    stage.world.exits[MIGRATE] = Exit(0, lasts=600.0)
    return {**settings, "timeout": 1.0}


def _for_smoke_test(_stage: Stage) -> Settings:
    return {"interval": 0.2, "samples": 0, "host": HOST, "smoke_test": {"command": SMOKE_TEST}}


def _natively(arrange: Callable[[Stage], Settings], stage: Stage) -> Settings:
    """The same hook, called by ECS at its own stage of a service deployment; it has a day."""
    settings = arrange(stage)
    native = Native(stage)
    hook = arrange.__name__.removeprefix("_for_")
    native.at(STAGE_OF[hook])
    expires = datetime.now(timezone.utc) + timedelta(days=1)
    arn = f"arn:aws:lambda:{stage.region}:{ACCOUNT}:function:CodeDeployHook_shop-{hook}"
    told = {"hookId": "1", "targetType": "AWS_LAMBDA", "targetArn": arn, "status": "IN_PROGRESS"}
    native.deployment.hooks = [{**told, "expiresAt": expires, "timeoutAction": "ROLLBACK"}]
    return settings


def _for_validate_before_install(_stage: Stage) -> Settings:
    return {}


def _for_validate_deployment(stage: Stage) -> Settings:
    stage.green_definition = stage.register(healthCheck={"command": ["CMD", "true"]})
    return {"interval": 0.2, "consecutive_successes": 2, "event_bus": "default"}


def _for_validate_test_traffic(stage: Stage) -> Settings:
    return {"interval": 0.2, **_requests(stage)}


def _for_run_migrations(stage: Stage) -> Settings:
    stage.world.exits[BEFORE] = Exit(0, REVISION)
    return {"preset": "alembic", "interval": 0.1, "max_duration": 60}


def _for_validate_production(stage: Stage) -> Settings:
    stage.create_alarm("shop-orders")
    bake = {"initial_delay": 0, "duration": 0.4, "interval": 0.2, "metrics_delay": 0}
    # ECS has no limit of invocations: where the clock jumps back in each of them this is the end.
    return {**bake, "max_duration": 60, "alarms": {"shop-orders": "OK"}, **_requests(stage)}


def _long_bake_of_ecs(stage: Stage) -> Settings:
    """A bake window that needs a second invocation."""
    settings = _natively(_for_validate_production, stage)
    return {**settings, "duration": 8.0, "interval": 0.5, "samples": 0, "max_duration": 60}


def _smoke_test_of_ecs(stage: Stage, end: Exit | None = None) -> Settings:
    """A test of the user's own, by ECS."""
    stage.world.exits[SMOKE_TEST] = end or Exit(0)
    return {**_natively(_for_validate_test_traffic, stage), **_for_smoke_test(stage)}


LEADING = ("elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules")
"""What is asked of where a listener leads."""

OF_SIDES = (
    "ecs:DescribeServices",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeListeners",
)
READ_BY_ECS = {
    "validate_before_install": (*OF_SIDES, "iam:SimulatePrincipalPolicy", "lambda:GetFunctionConfiguration"),
    "validate_deployment": (*OF_SIDES[:2], "ecs:ListTasks", "ecs:DescribeTasks", "events:PutEvents"),
    "validate_test_traffic": (*OF_SIDES, "elasticloadbalancing:DescribeTargetHealth"),
    "run_migrations": ("ecs:DescribeTaskDefinition", "ecs:RunTask"),
    "validate_production": (*OF_SIDES, "cloudwatch:DescribeAlarms"),
}
"""What is asked for by other names, or decides otherwise, where ECS deploys; its own two operations are new anyway."""
OF_ECS = 12.0
OF_SMOKE_TESTS = 24.0
"""It is looked at every 2 seconds."""

PROFILES = (
    Profile("before install", "validate_before_install", _before_install),
    Profile("before install, from elsewhere", "validate_before_install", _from_elsewhere),
    Profile("after install", "validate_deployment", _after_install),
    Profile("test traffic", "validate_test_traffic", _test_traffic),
    Profile(
        "test traffic, by rules",
        "validate_test_traffic",
        functools.partial(_by_rules, "test_listener", _test_traffic),
        decisive=LEADING,
    ),
    Profile("migrations", "run_migrations", _migrations),
    Profile("a long migration", "run_migrations", _long_migration),
    Profile("production", "validate_production", _production, _publish),
    Profile(
        "production, by rules",
        "validate_production",
        functools.partial(_by_rules, "production_listener", _production),
        _publish,
        decisive=LEADING,
    ),
    Profile("a long bake", "validate_production", _long_bake, _publish),
    Profile("migrations before install", "run_migrations", _from_s3),
    Profile("after install, crashing", "validate_deployment", _crashing, expected="Failed"),
    Profile("a broken migration", "run_migrations", _broken_migration, expected="Failed"),
    Profile("an overrun", "run_migrations", _overrun, expected="Failed"),
    *(
        Profile(
            f"by ECS, {STAGE_OF[hook]}",
            hook,
            functools.partial(_natively, arrange),
            _publish if hook == "validate_production" else lambda _stage: None,
            seconds=OF_ECS,
            decisive=READ_BY_ECS[hook],
            by_ecs=True,
        )
        for hook, arrange in {
            "validate_before_install": _for_validate_before_install,
            "validate_deployment": _for_validate_deployment,
            "validate_test_traffic": _for_validate_test_traffic,
            "run_migrations": _for_run_migrations,
            "validate_production": _for_validate_production,
        }.items()
    ),
    Profile(
        "by ECS, a long bake",
        "validate_production",
        _long_bake_of_ecs,
        _publish,
        seconds=OF_ECS,
        decisive=("ecs:DescribeServiceDeployments",),  # by which a later invocation sees that it still counts
        by_ecs=True,
    ),
    Profile(
        "a smoke test",
        "validate_test_traffic",
        _smoke_test,
        seconds=OF_SMOKE_TESTS,
        only=("ecs:RunTask", "ecs:DescribeTasks"),
    ),
    Profile(
        "a broken smoke test",
        "validate_test_traffic",
        _broken_smoke_test,
        seconds=OF_SMOKE_TESTS,
        expected="Failed",
        only=("ecs:DescribeTasks", "events:PutEvents"),
    ),
    Profile(
        "an endless smoke test",
        "validate_test_traffic",
        _endless_smoke_test,
        seconds=OF_SMOKE_TESTS,
        expected="Failed",
        only=("ecs:StopTask",),
    ),
    Profile(
        "by ECS, a smoke test",
        "validate_test_traffic",
        _smoke_test_of_ecs,
        seconds=OF_SMOKE_TESTS,
        decisive=("ecs:RunTask",),
        only=("ecs:RunTask",),
        by_ecs=True,
    ),
    Profile(
        "by ECS, a broken smoke test",
        "validate_test_traffic",
        functools.partial(_smoke_test_of_ecs, end=Exit(1, ("2 failed, 5 passed in 3.21s",))),
        seconds=OF_SMOKE_TESTS,
        expected="Failed",
        only=("logs:GetLogEvents",),
        by_ecs=True,
    ),
)
