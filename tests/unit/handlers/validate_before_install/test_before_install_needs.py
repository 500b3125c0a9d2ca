"""BeforeInstall: what the tasks need to start: images, secrets, parameters, log groups.

Which references there are is tests/unit/gate/test_gate_release.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import validate_before_install as hook

from rehearsal.testing.stage import ACCOUNT, Judge, Stage, refuse
from tests.unit.handlers.validate_before_install.helpers import (
    ECR,
    EVENT,
    Deploy,
    Event,
    State,
    after,
    answered,
    assert_state,
    of,
    service_shown,
    shown,
)

ELSEWHERE = "210987654321"
SECRETS, SSM = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}", f"arn:aws:ssm:eu-west-1:{ACCOUNT}"
MISSING = "is not in ECR of eu-west-1: push it, or fix the task definition"
FIX = "create it, or fix the task definition"
NO_PULL = "it can never be pulled, fix the task definition"


def secrets(*references: str) -> Deploy:
    """Deploy a container with these references to secrets or parameters."""
    return of(secrets=[{"name": f"S{at}", "valueFrom": each} for at, each in enumerate(references)])


def image_by_digest(stage: Stage) -> Event:
    """Deploy an image by its digest."""
    found = stage.ecr.describe_images(repositoryName="shop", imageIds=[{"imageTag": "2"}])["imageDetails"][0]
    return of(image=f"{ECR}/shop@{found['imageDigest']}")(stage)


def pulled_through(stage: Stage) -> Event:
    """At its first pull there is neither repository nor tag, and nothing is wrong with that."""
    stage.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="hub", upstreamRegistryUrl="registry-1.docker.io")
    return of(image=f"{ECR}/hub/library/nginx:1.27")(stage)


def awslogs(name: str, **options: str) -> Deploy:
    """Deploy a container that logs to this group."""
    told = {"awslogs-group": name, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"}
    told |= {f"awslogs-{key.replace('_', '-')}": value for key, value in options.items()}
    return of(logConfiguration={"logDriver": "awslogs", "options": told})


def only_a_like_named_log_group(stage: Stage) -> None:
    """Another group's name begins with the one that is gone."""
    stage.logs.delete_log_group(logGroupName="/ecs/shop")
    stage.logs.create_log_group(logGroupName="/ecs/shop-of-somebody-else")


def on_instances(stage: Stage) -> Event:
    """Blue runs on EC2 instances, which have an architecture of their own."""
    event = stage.at(EVENT)
    service_shown(stage, launchType="EC2", platformVersion=None)
    return event


KMS = {"imageId": {"imageTag": "2"}, "failureCode": "KmsError", "failureReason": "the key is disabled"}
STATES = {
    # Images
    "a tag that is not there": State(
        of(image=f"{ECR}/shop:3"), "images:shop:3", "failed", f"image {ECR}/shop:3 {MISSING}"
    ),
    "a repository that is not there": State(
        of(image=f"{ECR}/shopp:1"), "images:shopp:1", "failed", f"image {ECR}/shopp:1 {MISSING}"
    ),
    "a digest that is gone, of a tag that is there": State(
        of(image=f"{ECR}/shop:2@sha256:{'0' * 64}"),
        f"images:shop:2@sha256:{'0' * 64}",
        "failed",
        f"image {ECR}/shop:2@sha256:{'0' * 64} {MISSING}",
    ),
    "no tag": State(of(image=f"{ECR}/shop"), "images:shop", "failed", f"image {ECR}/shop {MISSING}"),
    "of Docker Hub": State(
        of(image="nginx:1.27"), "images:nginx:1.27", "skipped", "image nginx:1.27 is not in ECR: not looked at"
    ),
    "of another account": State(
        of(image=f"{ELSEWHERE}.dkr.ecr.eu-west-1.amazonaws.com/base:1"),
        "images:base:1",
        "skipped",
        f"image {ELSEWHERE}.dkr.ecr.eu-west-1.amazonaws.com/base:1 is in account {ELSEWHERE}'s ECR: not looked at",
    ),
    "through ECR's cache": State(
        pulled_through,
        "images:hub/library/nginx:1.27",
        "skipped",
        f"image {ECR}/hub/library/nginx:1.27 comes from registry-1.docker.io at its first pull: not looked at",
    ),
    "what ECR cannot show": State(
        answered("ecr:BatchGetImage", {"images": [], "failures": [KMS]}),
        "images:shop:2",
        "error",
        f"image {ECR}/shop:2: ECR says KmsError: the key is disabled",
    ),
    "no reference": State(
        of(image="<IMAGE>"), "images:<IMAGE>", "failed", f"image <IMAGE> is no reference to an image: {NO_PULL}"
    ),
    "an ARN": State(
        of(image=f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/net:latest"),
        f"images:arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/net:latest",
        "failed",
        f"image arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/net:latest is no reference to an image, which is an ARN: "
        f"ECR's address of it is <account>.dkr.ecr.<region>.amazonaws.com/<repository>: {NO_PULL}",
    ),
    "of an account that is not said": State(
        shown(taskDefinitionArn=None),
        "images:shop:2",
        "error",
        "ECS does not say the ARN of task definition {stage.green_definition}",
    ),
    "for whatever the instances are": State(
        on_instances, "cpu_architecture", "skipped", "no CPU architecture is stated: the instances decide"
    ),
    # Secrets
    "a secret that is not there": State(
        secrets(f"{SECRETS}:secret:shop/gone-AbCdEf:password::"),
        "secrets:shop/gone-AbCdEf",
        "failed",
        f"secret {SECRETS}:secret:shop/gone-AbCdEf does not exist: {FIX}",
    ),
    "a secret of another account": State(
        secrets(f"arn:aws:secretsmanager:eu-west-1:{ELSEWHERE}:secret:x-AbCdEf"),
        "secrets:x-AbCdEf",
        "skipped",
        f"secret arn:aws:secretsmanager:eu-west-1:{ELSEWHERE}:secret:x-AbCdEf is of another account: not looked at",
    ),
    "no ARN of a secret": State(
        secrets(f"{SECRETS}:secret/shop"),
        f"secrets:{SECRETS}:secret/shop",
        "failed",
        f"{SECRETS}:secret/shop is no ARN of a secret, expected arn:…:secret:<name>: fix the task definition",
    ),
    "no secret": State(secrets(), "secrets", "skipped", "the containers reference no secret"),
    # Parameters
    "a parameter by its name": State(
        secrets("/shop/api-key"), "parameters:/shop/api-key", "passed", "parameter /shop/api-key exists"
    ),
    "a parameter by its ARN": State(
        secrets(f"{SSM}:parameter/shop/api-key"),
        "parameters:/shop/api-key",
        "passed",
        "parameter /shop/api-key exists",
    ),
    "a parameter that is not there, by its name": State(
        secrets("/shop/gone"), "parameters:/shop/gone", "failed", f"parameter /shop/gone does not exist: {FIX}"
    ),
    "a parameter that is not there, by its ARN": State(
        secrets(f"{SSM}:parameter/shop/gone"),
        "parameters:/shop/gone",
        "failed",
        f"parameter {SSM}:parameter/shop/gone does not exist: {FIX}",
    ),
    "a name that is only like one of AWS's": State(
        secrets("/awsome/key"), "parameters:/awsome/key", "failed", f"parameter /awsome/key does not exist: {FIX}"
    ),
    "a parameter of another account": State(
        secrets(f"arn:aws:ssm:eu-west-1:{ELSEWHERE}:parameter/x"),
        f"parameters:arn:aws:ssm:eu-west-1:{ELSEWHERE}:parameter/x",
        "skipped",
        f"parameter arn:aws:ssm:eu-west-1:{ELSEWHERE}:parameter/x is of another account: not looked at",
    ),
    "no ARN of a parameter": State(
        secrets(f"{SSM}:parameters/shop"),
        f"parameters:{SSM}:parameters/shop",
        "failed",
        f"{SSM}:parameters/shop is no ARN of a parameter, expected arn:…:parameter/<name>: fix the task definition",
    ),
    "half an ARN": State(
        secrets("arn:aws:secretsmanager"),
        "parameters:arn:aws:secretsmanager",
        "failed",
        "arn:aws:secretsmanager is no ARN of a parameter, expected arn:…:parameter/<name>: fix the task definition",
    ),
    "no parameter": State(secrets(), "parameters", "skipped", "the containers reference no parameter"),
    # Log groups
    "a log group that is there": State(
        awslogs("/ecs/shop", create_group="true"), "log_groups:/ecs/shop", "passed", "log group /ecs/shop exists"
    ),
    "a log group that is not there": State(
        after(only_a_like_named_log_group),
        "log_groups:/ecs/shop",
        "failed",
        "log group /ecs/shop does not exist: the container would not start; create it",
    ),
    "a log group of another region": State(
        awslogs("/ecs/shop", region="us-east-1"),
        "log_groups:/ecs/shop",
        "failed",
        "log group /ecs/shop does not exist in us-east-1 (awslogs-region): the container would not start; create it",
    ),
    "a log group that the container makes": State(
        awslogs("/new", create_group="true"),
        "log_groups:/new",
        "skipped",
        "log group /new is made when the container starts (awslogs-create-group), if its role may do so "
        "(logs:CreateLogGroup): not looked at",
    ),
    "no logs of CloudWatch's": State(
        of(logConfiguration={"logDriver": "splunk", "options": {}}),
        "log_groups",
        "skipped",
        "no container logs to CloudWatch Logs (awslogs)",
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_what_tasks_need(stage: Stage, judge: Judge, state: State) -> None:
    assert_state(stage, judge, state)


@pytest.mark.smoke
def test_an_image_by_digest(stage: Stage, judge: Judge) -> None:
    event = image_by_digest(stage)
    assert judge(hook, event).succeeded
    (asked,) = stage.called("ecr:BatchGetImage")
    assert list(asked["imageIds"][0]) == ["imageDigest"]


@pytest.mark.parametrize("image", ["nginx:1.27", f"{ELSEWHERE}.dkr.ecr.eu-west-1.amazonaws.com/base:1"])
def test_an_image_kept_elsewhere_is_not_asked_for(stage: Stage, judge: Judge, image: str) -> None:
    assert judge(hook, of(image=image)(stage)).succeeded
    assert not stage.called("ecr:BatchGetImage")


def test_a_side_question_that_is_denied_leaves_the_answer(stage: Stage, judge: Judge) -> None:
    """An image that is not there is said to be missing, whatever the look at pull-through rules came to."""
    stage.instead["ecr:DescribePullThroughCacheRules"] = refuse("AccessDeniedException", status=400)
    outcome, detail = judge(hook, of(image=f"{ECR}/shop:404")(stage)).check("images:shop:404")
    assert outcome == "failed"
    assert detail.startswith(f"image {ECR}/shop:404 {MISSING} (")
    assert "ecr:DescribePullThroughCacheRules was denied" in detail


def test_one_repository_that_cannot_be_asked_hides_no_missing_image(stage: Stage, judge: Judge) -> None:
    stage.ecr.create_repository(repositoryName="busy")
    event = of({"name": "side", "image": f"{ECR}/busy:1"}, image=f"{ECR}/shop:77")(stage)

    def answer(parameters: Mapping[str, Any]) -> Any:
        if parameters["repositoryName"] == "busy":
            return refuse("ThrottlingException", "Rate exceeded")(parameters)
        return stage.ecr.batch_get_image(**parameters)

    stage.instead["ecr:BatchGetImage"] = answer
    judgement = judge(hook, event)
    assert judgement.check("images:shop:77")[0] == "failed"
    assert judgement.check("images:busy:1")[0] == "error"


@pytest.mark.parametrize(
    ("suffix", "stages", "outcome", "words"),
    [
        ("", {"v1": ["AWSCURRENT"]}, "passed", "secret shop/database-"),
        (":user::", {"v1": ["AWSCURRENT"]}, "passed", "secret shop/database-"),
        ("", None, "failed", "has no version of stage AWSCURRENT: store a value, or fix the task definition"),
        ("", {"v1": ["AWSPENDING"]}, "failed", "has no version of stage AWSCURRENT"),
        ("::BLUE:", {"v1": ["AWSCURRENT"]}, "failed", "has no version of stage BLUE"),
        ("::BLUE:", {"v1": ["AWSCURRENT"], "v2": ["BLUE", "OTHER"]}, "passed", ""),
        (":::v2", {"v1": ["AWSCURRENT"], "v2": ["AWSPREVIOUS"]}, "passed", ""),
        ("::AWSCURRENT:v2", {"v1": ["AWSCURRENT"], "v2": ["AWSPREVIOUS"]}, "failed", "no version v2 of stage AWSCURR"),
        (":::v3", {"v1": ["AWSCURRENT"]}, "skipped", "version v3 of secret"),
    ],
    ids=str,
)
def test_a_secret_has_the_value_that_is_asked_for(  # noqa: PLR0917 - one row of the table each
    stage: Stage, judge: Judge, suffix: str, stages: dict[str, list[str]] | None, outcome: str, words: str
) -> None:
    event = secrets(f"{stage.secret}{suffix}")(stage)
    found = stage.secretsmanager.describe_secret(SecretId=stage.secret)
    del found["VersionIdsToStages"]
    told = found | ({} if stages is None else {"VersionIdsToStages": stages})
    stage.instead["secretsmanager:DescribeSecret"] = lambda _: told
    judgement = judge(hook, event)
    seen, detail = judgement.check(f"secrets:{stage.secret.rpartition(':')[2]}")
    assert seen == outcome
    assert words in detail
    assert judgement.succeeded is (outcome != "failed")


def test_a_secret_with_several_keys_is_asked_about_once(stage: Stage, judge: Judge) -> None:
    event = secrets(*(f"{stage.secret}:{key}::" for key in ("user", "password", "host")))(stage)
    assert judge(hook, event).succeeded
    assert stage.called("secretsmanager:DescribeSecret") == [{"SecretId": stage.secret}]


def test_secrets_of_the_log_driver_and_of_the_registry(stage: Stage, judge: Judge) -> None:
    stage.secretsmanager.create_secret(Name="registry", SecretString="x")
    logging = {"logDriver": "splunk", "secretOptions": [{"name": "token", "valueFrom": "/shop/splunk"}]}
    registry = {"credentialsParameter": "registry"}
    judgement = judge(hook, of(secrets=[], logConfiguration=logging, repositoryCredentials=registry)(stage))
    assert judgement.check("parameters:/shop/splunk")[0] == "failed"
    assert judgement.check("secrets:registry") == ("passed", "secret registry exists")


def test_a_reference_that_is_none_hides_no_other(stage: Stage, judge: Judge) -> None:
    judgement = judge(hook, secrets(f"{SSM}:parameters/shop", "/shop/gone")(stage))
    details = [check["detail"] for check in judgement["checks"] if check["outcome"] == "failed"]
    assert [detail.partition(" ")[0] for detail in details] == [f"{SSM}:parameters/shop", "parameter"]


def test_parameters_that_may_not_be_looked_at_hide_no_bad_reference(stage: Stage, judge: Judge) -> None:
    event = secrets(f"{SSM}:parameters/shop", "/shop/api-key")(stage)
    stage.instead["ssm:DescribeParameters"] = refuse("AccessDeniedException")
    judgement = judge(hook, event)
    assert judgement.check(f"parameters:{SSM}:parameters/shop")[0] == "failed"
    assert judgement.check("parameters:/shop/api-key")[0] == "error"


def test_a_parameter_on_a_later_page(stage: Stage, judge: Judge) -> None:
    event = stage.at(EVENT)
    pages = iter([{"Parameters": [], "NextToken": "more"}, {"Parameters": [{"Name": "/shop/api-key"}]}])
    stage.instead["ssm:DescribeParameters"] = lambda _: next(pages)
    assert judge(hook, event).check("parameters:/shop/api-key") == ("passed", "parameter /shop/api-key exists")


def test_many_parameters_are_asked_about_in_batches(stage: Stage, judge: Judge) -> None:
    """DescribeParameters takes 50 names."""
    names = [f"/shop/{number}" for number in range(70)]
    for name in names:
        stage.ssm.put_parameter(Name=name, Value="x", Type="String")
    assert judge(hook, secrets(*names)(stage)).succeeded
    asked = [each["ParameterFilters"][0]["Values"] for each in stage.called("ssm:DescribeParameters")]
    assert {len(values) for values in asked} == {50, 20}  # each in several pages


def test_parameters_of_a_region_that_cannot_be_asked_leave_the_others(stage: Stage, judge: Judge) -> None:
    there, here = (f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/key" for region in ("us-east-1", stage.region))
    event = secrets(there, f"{here}/b")(stage)

    def answer(parameters: Any) -> Any:
        if "/key" in parameters["ParameterFilters"][0]["Values"]:
            return refuse("AccessDeniedException")(parameters)
        return {"Parameters": [{"Name": "/key/b"}]}

    stage.instead["ssm:DescribeParameters"] = answer
    judgement = judge(hook, event)
    assert judgement.check(f"parameters:{there}")[0] == "error"
    assert judgement.check("parameters:/key/b") == ("passed", "parameter /key/b exists")
