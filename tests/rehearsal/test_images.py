"""Images are what a tag had; the registry says which there are now."""

from __future__ import annotations

from pathlib import Path

import pytest
from moto import mock_aws

from rehearsal import images
from rehearsal.aws.install import install
from rehearsal.aws.server import StandIn
from rehearsal.machine import Machine
from rehearsal.stage import ACCOUNT_ID, REGION, client


def test_additions(tmp_path: Path) -> None:
    """What is added to a file of a tag is in that image alone, and every tag has its own digest."""
    images.build_all(tmp_path)
    for tag, (path, text) in images.ADDITIONS.items():
        having = {other: tmp_path / other / path for other in images.REVISIONS if (tmp_path / other / path).exists()}
        assert [other for other, file in having.items() if file.read_text().endswith(text)] == [tag]
    assert len({images.digest(tag) for tag in images.REVISIONS}) == len(images.REVISIONS)


@pytest.mark.parametrize(
    ("image", "there"),
    [("orders:1.0.0", True), ("orders:1.1.0", False), ("invoices:1.0.0", False)],
)
def test_the_registry_is_asked(tmp_path: Path, image: str, there: bool) -> None:
    """An image is there as long as ECR has it."""
    install()
    with mock_aws():
        stand_in = StandIn()
        ecr = client("ecr", stand_in.serve(threaded=True))
        try:
            ecr.create_repository(repositoryName="orders")
            for tag in ("1.0.0", "1.1.0"):
                ecr.put_image(repositoryName="orders", imageTag=tag, imageManifest=images.manifest(tag))
            ecr.batch_delete_image(repositoryName="orders", imageIds=[{"imageTag": "1.1.0"}])
            machine = Machine(
                ACCOUNT_ID,
                REGION,
                tmp_path,
                image_source=tmp_path / "images",
                function_folder=tmp_path / "functions",
                function_python=tmp_path / "python",
                aws={},
                written=lambda *_: None,
            )
            assert machine.has_image(f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{image}") is there
        finally:
            stand_in.stop()
