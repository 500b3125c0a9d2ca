"""BeforeInstall: AppSpecs as people write them, and images that are none."""

from __future__ import annotations

import json

import pytest
import validate_before_install as hook
from gate.release import Image

from tests.unit.handlers.stage import Judge, Stage

EVENT = "BeforeInstall"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize("indent", [None, 2, "\t"], ids=repr)
@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n"], ids=repr)
def test_json_with_a_byte_order_mark_and_tabs_is_read(
    stage: Stage, judge: Judge, before: str, indent: int | str | None
) -> None:
    judgement = judge(hook, stage.at(EVENT, before + json.dumps(stage.appspec(), indent=indent)))
    assert judgement.succeeded
    assert judgement.check("appspec")[0] == "passed"


def test_what_begins_like_json_is_judged_as_json(stage: Stage, judge: Judge) -> None:
    """With the place where it is wrong, not where YAML stumbles over its tabs."""
    text = json.dumps(stage.appspec(), indent="\t").replace('"Hooks"', "Hooks")
    text = text[: text.rindex("}")] + ",\n}"
    judgement = judge(hook, stage.at(EVENT, text))
    assert judgement.check("appspec")[1].startswith("the AppSpec is neither JSON nor YAML: ")
    line = text[: text.rindex("}")].count("\n") + 1
    assert f"line {line} column 1" in judgement.check("appspec")[1]


def test_an_event_in_two_entries_is_told_with_both(stage: Stage, judge: Judge) -> None:
    appspec = {**stage.appspec(), "Hooks": [{"AfterInstall": "a"}, {"AfterAllowTraffic": "b"}, {"AfterInstall": "c"}]}
    judgement = judge(hook, stage.at(EVENT, json.dumps(appspec)))
    said = "the AppSpec's Hooks name AfterInstall twice, in its entries 1 and 3: leave one of them out"
    assert judgement.message.startswith(said)
    assert judgement.message.count("twice") == 1


@pytest.mark.parametrize(
    "uri",
    [
        "shop", "shop:1", "library/shop:1.0_a", "ghcr.io/acme/shop:v1", f"ghcr.io/acme/shop@{DIGEST}",
        "localhost:5000/a", f"acme/shop:1@{DIGEST}", "my_org/my-app__x:V1", "a--b/c.d", "Docker.io/library/redis",
        "[::1]:5000/a:b",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/shop:2", "cache.dkr.ecr.example.com/shop:2",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443/shop:2", "public.ecr.aws/nginx/nginx:latest",
    ],
)  # fmt: skip
def test_references_to_images(uri: str) -> None:
    assert Image.of(uri).is_reference


@pytest.mark.parametrize(
    "uri",
    [
        "", "Shop:1", "shop:", "shop: 1", "shop:1:2", "shop@sha256:12", "a//b", "https://ghcr.io/acme/shop", "<IMAGE>",
        "${IMAGE}", "shop:é", "-shop", "shop/", f"shop:{'1' * 129}", "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:2", "12345678901.dkr.ecr.eu-west-1.amazonaws.com/shop:2",
    ],
)  # fmt: skip
def test_what_can_never_be_pulled(stage: Stage, judge: Judge, uri: str) -> None:
    assert not Image.of(uri).is_reference
    stage.green_definition = stage.register(image=uri or " ")
    judgement = judge(hook, stage.at(EVENT))
    said = f"image {uri or ' '} is no reference to an image: it can never be pulled, mend the task definition"
    assert judgement.check(f"images:{uri or ' '}") == ("failed", said)
    assert not judgement.succeeded


def test_an_arn_is_no_image(stage: Stage, judge: Judge) -> None:
    stage.green_definition = stage.register(image="arn:aws:ecr:eu-west-1:123456789012:repository/net:latest")
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message.startswith(
        "image arn:aws:ecr:eu-west-1:123456789012:repository/net:latest is no reference to an image, which is an ARN: "
        "ECR's address of it is <account>.dkr.ecr.<region>.amazonaws.com/<repository>: it can never be pulled"
    )


def test_a_log_group_of_another_region_is_named_with_it(stage: Stage, judge: Judge) -> None:
    """One of that name may be where the service is."""
    options = {"awslogs-group": "/ecs/shop", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}
    stage.green_definition = stage.register(logConfiguration={"logDriver": "awslogs", "options": options})
    judgement = judge(hook, stage.at(EVENT))
    assert judgement.message.startswith("log group /ecs/shop does not exist in us-east-1 (awslogs-region): ")
