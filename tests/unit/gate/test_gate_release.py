"""What a task definition names: which images are ones, and which of its secrets and logs are where."""

from __future__ import annotations

from typing import Any

import pytest
from gate.preflight_needs import log_groups_of, parameters_of, secrets_of
from gate.release import Image, parse_arn
from gate.verdict import ProbeError

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"


@pytest.mark.parametrize(
    "uri",
    [
        "shop", "shop:1", "library/shop:1.0_a", "ghcr.io/acme/shop:v1", f"ghcr.io/acme/shop@{DIGEST}",
        "localhost:5000/a", f"acme/shop:1@{DIGEST}", "my_org/my-app__x:V1", "a--b/c.d", "Docker.io/library/redis",
        "[::1]:5000/a:b", f"{ECR}/team/shop:2", "cache.dkr.ecr.example.com/shop:2", f"{ECR}:443/shop:2",
        "public.ecr.aws/nginx/nginx:latest",
    ],
)  # fmt: skip
def test_references_to_images(uri: str) -> None:
    assert Image.of(uri).is_reference


@pytest.mark.parametrize(
    "uri",
    [
        "", "Shop:1", "shop:", "shop: 1", "shop:1:2", "shop@sha256:12", "a//b", "https://ghcr.io/acme/shop", "<IMAGE>",
        "${IMAGE}", "shop:é", "-shop", "shop/", f"shop:{'1' * 129}", ECR, f"{ECR}:2",
        "12345678901.dkr.ecr.eu-west-1.amazonaws.com/shop:2",
        "arn:aws:ecr:eu-west-1:123456789012:repository/net:latest",
    ],
)  # fmt: skip
def test_what_can_never_be_pulled(uri: str) -> None:
    assert not Image.of(uri).is_reference


@pytest.mark.parametrize(
    ("uri", "place", "asked", "label"),
    [
        (f"{ECR}/team/shop:2", ("123456789012", "eu-west-1", "team/shop"), {"imageTag": "2"}, "team/shop:2"),
        (f"{ECR}/shop", ("123456789012", "eu-west-1", "shop"), {"imageTag": "latest"}, "shop"),
        (f"{ECR}/a:2@{DIGEST}", ("123456789012", "eu-west-1", "a"), {"imageDigest": DIGEST}, f"a:2@{DIGEST}"),
        ("nginx:1.27", ("", "", ""), {"imageTag": "1.27"}, "nginx:1.27"),
        ("localhost:5000/a", ("", "", ""), {"imageTag": "latest"}, "localhost:5000/a"),
        *(
            (f"123456789012.{host}/shop:3", ("123456789012", "eu-west-1", "shop"), {"imageTag": "3"}, "shop:3")
            for host in (
                "dkr.ecr-fips.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws",
                "dkr.ecr.eu-west-1.amazonaws.com.cn", "dkr.ecr.eu-west-1.amazonaws.eu", "dkr.ecr.eu-west-1.c2s.ic.gov",
            )
        ),
    ],
)  # fmt: skip
def test_where_an_image_is(uri: str, place: tuple[str, str, str], asked: dict[str, str], label: str) -> None:
    """In ECR by each of its names and in each partition, or elsewhere; ECS pulls by the digest where there is one."""
    image = Image.of(uri)
    assert (image.account, image.region, image.repository) == place
    assert (image.id, image.label) == (asked, label)


@pytest.mark.parametrize(
    ("arn", "parts"),
    [
        ("arn:aws:ecs:eu-west-1:1:task/a:b", ("aws", "eu-west-1", "1", "task/a:b")),
        ("arn:aws:s3:::bucket", ("aws", "", "", "bucket")),
        ("arn:aws:ssm", ("aws", "", "", "")),
        ("task/a:b:c:d:e:f", ("", "", "", "")),
    ],
)
def test_parts_of_an_arn(arn: str, parts: tuple[str, str, str, str]) -> None:
    assert tuple(parse_arn(arn)) == parts


@pytest.mark.parametrize(
    ("references", "secrets"),
    [
        ([SECRET], {("AWSCURRENT", "")}),
        ([f"{SECRET}:user::", f"{SECRET}:password::"], {("AWSCURRENT", "")}),
        ([f"{SECRET}::BLUE:", SECRET], {("AWSCURRENT", ""), ("BLUE", "")}),
        ([f"{SECRET}:::v2"], {("", "v2")}),
        ([f"{SECRET}::AWSCURRENT:v2"], {("AWSCURRENT", "v2")}),
    ],
)
def test_which_stages_and_versions_of_a_secret_are_asked_for(
    references: list[str], secrets: set[tuple[str, str]]
) -> None:
    containers = [{"secrets": [{"name": "X", "valueFrom": each} for each in references]}]
    assert secrets_of(containers) == {SECRET: secrets}
    assert parameters_of(containers) == []


def test_references_of_log_drivers_and_registries_are_found() -> None:
    logging = {"logDriver": "splunk", "secretOptions": [{"name": "token", "valueFrom": "/shop/splunk"}]}
    containers = [{"logConfiguration": logging, "repositoryCredentials": {"credentialsParameter": "registry"}}]
    assert parameters_of(containers) == ["/shop/splunk"]
    assert secrets_of(containers) == {"registry": {("AWSCURRENT", "")}}


@pytest.mark.parametrize(
    ("made", "is_made"), [("true", True), ("True", True), ("1", True), ("yes", False), (None, False)]
)
def test_a_log_group_that_the_container_makes(made: str | None, is_made: bool) -> None:
    """The log driver reads `True` as it reads `true`."""
    options = {"awslogs-group": "/a", "awslogs-create-group": made}
    containers = [{"logConfiguration": {"logDriver": "awslogs", "options": options}}]
    assert log_groups_of(containers) == {("/a", None): is_made}


@pytest.mark.parametrize(
    "logging", [{"options": {"awslogs-group": "/a"}}, {"logDriver": "awslogs", "options": {}}], ids=str
)
def test_a_container_of_which_ecs_does_not_say_where_it_logs(logging: dict[str, Any]) -> None:
    with pytest.raises(ProbeError, match="ECS does not say where container app logs"):
        log_groups_of([{"name": "app", "logConfiguration": logging}])


def test_other_drivers_have_no_log_group() -> None:
    drivers = [{"logConfiguration": {"logDriver": driver}} for driver in ("splunk", "fluentd", "none", "awsfirelens")]
    assert log_groups_of([*drivers, {}]) == {}
