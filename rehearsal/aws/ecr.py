"""ECR: images by tag and by digest, and indexes of images for several platforms.

moto makes up an image's digest (for an index one of a hundred), answers a digest that is not there with a failure for
the tag `null`, and shows one tag of an image whichever was asked for. As on AWS:

- the digest is the SHA-256 of the manifest's bytes (OCI image specification, descriptors);
- `BatchGetImage` answers each id once, with the id that was asked for;
- an index (OCI index, Docker manifest list) is put after the images it names (user guide, multi-architecture images),
  else PutImage answers ReferencedImagesNotFoundException;
- pull through cache rules, which moto lacks, are kept; nothing is pulled.

Whether an image's layers were uploaded is not checked. `acceptedMediaTypes` changes nothing: AWS converts between
formats of single images only, and here each comes back as it was put.
"""

# An operation is documented in AWS's API reference under its own name.
# ruff: noqa: D102

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecr.exceptions import InvalidParameterException, RepositoryNotFoundException
from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse

from rehearsal.aws.graft import graft

_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")

_original_put = ECRBackend.put_image


class EcrError(ServiceException):
    """An error of the service model: `code` is the name of one of its error shapes."""


class RuleExistsError(EcrError):
    """There is a rule for this prefix."""

    code = "PullThroughCacheRuleAlreadyExistsException"


def digest_of(manifest: str) -> str:
    """Return the digest of a manifest: the SHA-256 of its bytes."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


class ManifestImage(Image):
    """moto's image, with the digest of its manifest."""

    def _create_digest(self) -> None:
        self._image_digest = digest_of(self.image_manifest)


class Additions(ECRBackend):
    """What moto's backend answers otherwise than AWS."""

    def put_image(
        self,
        repository_name: str,
        image_manifest: str,
        image_tag: str,
        image_manifest_mediatype: str | None = None,
        digest: str | None = None,
    ) -> Image:
        """Put an image or an index; moto fails with an error of its own where there is no such repository."""
        repository = self.repositories.get(repository_name)
        if repository is None:
            raise RepositoryNotFoundException(repository_name, self.account_id)
        try:
            manifest = json.loads(image_manifest)
        except ValueError as error:
            raise InvalidParameterException(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
            ) from error
        known = {image.get_image_digest() for image in repository.images}
        absent = [each["digest"] for each in manifest.get("manifests") or [] if each["digest"] not in known]
        if absent:
            raise EcrError(
                "ReferencedImagesNotFoundException",
                f"The manifest list is referencing images that do not exist in the repository: {', '.join(absent)}",
            )
        return _original_put(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, digest)


def _failure(image_id: dict[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def find_image(repository: Repository, image_id: dict[str, str]) -> Image | dict[str, Any]:
    """Return the image of an id, or the shape ImageFailure."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if not digest and not tag:
        why = "Invalid request parameters: both tag and digest cannot be null"
        return _failure(image_id, "MissingDigestAndTag", why)
    if digest and not _DIGEST.fullmatch(digest):
        why = f"Invalid request parameters: image digest should satisfy the regex '{_DIGEST.pattern}'"
        return _failure(image_id, "InvalidImageDigest", why)
    by_tag = [image for image in repository.images if tag in image.image_tags]
    by_digest = [image for image in repository.images if digest == image.get_image_digest()]
    if digest and by_digest and tag and by_tag != by_digest:
        return _failure(image_id, "ImageTagDoesNotMatchDigest", "The tag is not one of the image of this digest")
    found = by_digest if digest else by_tag
    return found[0] if found else _failure(image_id, "ImageNotFound", "Requested image not found")


class Answers(ECRResponse):
    """Operations in the place of moto's own."""

    def batch_get_image(self) -> ActionResult:
        name, registry = self._get_param("repositoryName"), self._get_param("registryId")
        repository = self.ecr_backend.repositories.get(name)
        if repository is None:
            raise RepositoryNotFoundException(name, registry or self.ecr_backend.account_id)
        answer: dict[str, list[dict[str, Any]]] = {"images": [], "failures": []}
        for image_id in self._get_param("imageIds") or []:
            found = find_image(repository, image_id)
            if isinstance(found, dict):
                answer["failures"].append(found)
                continue
            answer["images"].append(
                {
                    "registryId": found.registry_id,
                    "repositoryName": found.repository_name,
                    "imageId": {**image_id, "imageDigest": found.get_image_digest()},
                    "imageManifest": found.image_manifest,
                    "imageManifestMediaType": found.image_manifest_media_type,
                }
            )
        return ActionResult(answer)

    # Rules by which images of a prefix are fetched from elsewhere when they are first pulled.

    def create_pull_through_cache_rule(self) -> ActionResult:
        given = ("ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRegistry", "credentialArn")
        rule = {name: self._get_param(name) for name in given if self._get_param(name)}
        if rule["ecrRepositoryPrefix"] in pull_through_rules(self.ecr_backend):
            raise RuleExistsError("A pull through cache rule of this prefix exists already.")
        now = utcnow()
        rule |= {"createdAt": now, "updatedAt": now, "registryId": self.ecr_backend.account_id}
        pull_through_rules(self.ecr_backend)[rule["ecrRepositoryPrefix"]] = rule
        return ActionResult({key: value for key, value in rule.items() if key != "updatedAt"})

    def describe_pull_through_cache_rules(self) -> ActionResult:
        return ActionResult({"pullThroughCacheRules": list(pull_through_rules(self.ecr_backend).values())})


def pull_through_rules(backend: ECRBackend) -> dict[str, dict[str, Any]]:
    """Return the rules of an account and region, by the prefix of the repositories they are for."""
    rules: dict[str, dict[str, Any]] = vars(backend).setdefault("pull_through_rules", {})
    return rules


def install() -> None:
    """Put the additions into moto."""
    graft(ManifestImage)
    graft(Additions)
    graft(Answers)
