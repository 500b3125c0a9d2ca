"""ECR: images by tag and by digest, and indexes, where moto answers otherwise than AWS."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def ecr(clients_of_test: dict[str, Any]) -> Any:
    """A client, on a registry with the repository `orders`."""
    clients_of_test["ecr"].create_repository(repositoryName="orders")
    return clients_of_test["ecr"]


def put(ecr: Any, manifest: dict[str, Any], tag: str | None = None) -> str:
    """Put a manifest; return its digest."""
    tagged = {"imageTag": tag} if tag else {}
    answer = ecr.put_image(repositoryName="orders", imageManifest=json.dumps(manifest), **tagged)
    return str(answer["image"]["imageId"]["imageDigest"])


def image(name: str = "a") -> dict[str, Any]:
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7, "digest": f"sha256:{name * 64}"}
    return {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []}


def index(digest: str, kind: str = OCI_INDEX) -> dict[str, Any]:
    platform = {"architecture": "arm64", "os": "linux"}
    return {
        "schemaVersion": 2,
        "mediaType": kind,
        "manifests": [{"digest": digest, "mediaType": IMAGE, "size": 9, "platform": platform}],
    }


def get(ecr: Any, *ids: dict[str, str], **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ecr.batch_get_image(repositoryName="orders", imageIds=list(ids), **parameters)
    return answer


def test_the_digest_is_that_of_the_manifest(ecr: Any) -> None:
    """OCI image specification; moto makes one up."""
    text = json.dumps(image())
    assert put(ecr, image(), "1") == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    details = ecr.describe_images(repositoryName="orders", imageIds=[{"imageTag": "1"}])["imageDetails"]
    assert details[0]["imageDigest"] == put(ecr, image(), "2")


def test_an_image_comes_once_for_each_id(ecr: Any) -> None:
    """With the tag that was asked for; moto shows the last one it got."""
    digest = put(ecr, image(), "1")
    put(ecr, image(), "latest")
    found = get(ecr, {"imageTag": "1"}, {"imageTag": "latest"}, {"imageDigest": digest})
    assert [each["imageId"] for each in found["images"]] == [
        {"imageTag": "1", "imageDigest": digest},
        {"imageTag": "latest", "imageDigest": digest},
        {"imageDigest": digest},
    ]
    assert found["failures"] == []
    assert {(each["imageManifest"], each["imageManifestMediaType"]) for each in found["images"]} == {
        (json.dumps(image()), IMAGE)
    }


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"imageTag": "2"}, "ImageNotFound"),
        ({"imageDigest": f"sha256:{'0' * 64}"}, "ImageNotFound"),
        ({"imageDigest": "1"}, "InvalidImageDigest"),
        ({}, "MissingDigestAndTag"),
    ],
)
def test_a_missing_image_is_a_failure(ecr: Any, wanted: dict[str, str], code: str) -> None:
    """The failure has the id that was asked for; moto says `null` for a digest."""
    put(ecr, image(), "1")
    found = get(ecr, {"imageTag": "1"}, wanted)
    assert len(found["images"]) == 1
    assert [(each["imageId"], each["failureCode"]) for each in found["failures"]] == [(wanted, code)]


def test_a_tag_and_a_digest_belong_together(ecr: Any) -> None:
    first, second = put(ecr, image("a"), "1"), put(ecr, image("b"), "2")
    assert get(ecr, {"imageTag": "1", "imageDigest": first})["failures"] == []
    (failure,) = get(ecr, {"imageTag": "1", "imageDigest": second})["failures"]
    assert failure["failureCode"] == "ImageTagDoesNotMatchDigest"


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_LIST])
def test_an_index_comes_back_as_it_is(ecr: Any, kind: str) -> None:
    child = put(ecr, image())
    digest = put(ecr, index(child, kind), "1")
    (found,) = get(ecr, {"imageTag": "1"}, acceptedMediaTypes=[OCI_INDEX, DOCKER_LIST, IMAGE])["images"]
    assert found["imageManifestMediaType"] == kind
    assert json.loads(found["imageManifest"]) == index(child, kind)
    assert found["imageId"] == {"imageTag": "1", "imageDigest": digest}
    assert get(ecr, {"imageDigest": child})["images"][0]["imageManifestMediaType"] == IMAGE


def test_an_index_needs_its_images(ecr: Any, refused: Any) -> None:
    """User guide, multi-architecture images: those that it names are pushed first; moto does not look."""
    text = json.dumps(index(f"sha256:{'0' * 64}"))
    code, message = refused(ecr.put_image, repositoryName="orders", imageManifest=text, imageTag="1")
    assert code == "ReferencedImagesNotFoundException"
    assert f"sha256:{'0' * 64}" in message


def test_a_missing_repository(ecr: Any, refused: Any) -> None:
    wanted = {"repositoryName": "nothing", "imageIds": [{"imageTag": "1"}]}
    assert refused(ecr.batch_get_image, **wanted)[0] == "RepositoryNotFoundException"
    put_there = {"repositoryName": "nothing", "imageManifest": json.dumps(image()), "imageTag": "1"}
    assert refused(ecr.put_image, **put_there)[0] == "RepositoryNotFoundException"


def test_rules_of_the_pull_through_cache(ecr: Any, refused: Any) -> None:
    assert ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    rule = {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}
    ecr.create_pull_through_cache_rule(**rule, upstreamRegistry="docker-hub")
    (found,) = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert found.items() >= rule.items()
    assert refused(ecr.create_pull_through_cache_rule, **rule)[0] == "PullThroughCacheRuleAlreadyExistsException"
