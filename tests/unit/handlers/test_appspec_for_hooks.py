"""The AppSpec as hooks use it: from S3, in the object as it is or in one version of it."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import boto3
import pytest
import run_migrations
import validate_before_install

from rehearsal.testing.stage import Judge, Stage
from tests.unit.handlers.validate_before_install.helpers import s3_revision


@pytest.mark.parametrize("versioned", [False, True], ids=["object", "version"])
@pytest.mark.parametrize(
    ("hook", "event", "settings"),
    [
        (validate_before_install, "BeforeInstall", {}),
        (run_migrations, "BeforeAllowTraffic", {"command": ["alembic", "upgrade", "head"]}),
    ],
    ids=["validate_before_install", "run_migrations"],
)
def test_an_appspec_in_s3_is_read(
    *, stage: Stage, judge: Judge, hook: ModuleType, event: str, settings: dict[str, Any], versioned: bool
) -> None:
    # Which of two containers is the application's, the AppSpec says.
    stage.green_definition = stage.register(sidecars=({"name": "proxy", "image": stage.image("2")},))
    delivered = stage.at(event, s3_revision(stage, json.dumps(stage.appspec()), versioned=versioned))
    if versioned:  # what is there by now is another one's
        boto3.client("s3").put_object(Bucket="appspecs", Key="shop.yaml", Body=b"{}")
    stage.calls.clear()
    assert judge(hook, delivered, **settings).succeeded
    (read,) = stage.called("s3:GetObject")
    assert ("VersionId" in read) is versioned
