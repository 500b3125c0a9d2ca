"""What the tests of this hook ask, and how the application answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from rehearsal.testing.stage import Stage
from rehearsal.testing.web import Request, Response, Site

EVENT = "AfterAllowTestTraffic"
NAME = "shop.example.com"
NO_SAMPLES: dict[str, Any] = {"samples": 0}
WARM_UP = 2 * 10  # requests before samples: ten for each of green's targets
ONE_ATTEMPT: dict[str, Any] = {"attempts": 1}
ONCE: dict[str, Any] = {"attempts": 1, "samples": 0}
VERSION: dict[str, Any] = {"response_headers": {"X-App-Version": {"equals": "{image_tag}"}}}
REVISION: dict[str, Any] = {"jmespath": {"revision": {"equals": "{revision}"}}}
# All that could send: checks with samples, and a flow.
EVERYTHING: dict[str, Any] = {
    "http_checks": {"front": {"path": "/"}, "health": {"path": "/health"}},
    "flows": {"buy": {"steps": [{"path": "/basket"}, {"path": "/clean", "method": "DELETE", "always": True}]}},
}


def paths(site: Site) -> Counter[str]:
    """How often each path was asked for."""
    return Counter(request.path for request in site.requests)


def asked(site: Site) -> list[str]:
    """What was asked for, in order."""
    return [f"{request.method} {request.path}" for request in site.requests]


def answered_by(release: str) -> Response:
    """An answer that says which release gave it."""
    return Response(200, json.dumps({"revision": int(release)}), {"X-App-Version": release})


def slow(stage: Stage, milliseconds: float) -> Callable[[Request], Response]:
    """An answer that takes so long by the test's clock."""

    def answer(_request: Request) -> Response:
        stage.clock.sleep(milliseconds / 1000)
        return Response()

    return answer


def secret(stage: Stage, value: str) -> str:
    """A secret of Secrets Manager; its ARN."""
    return str(stage.secretsmanager.create_secret(Name="shop/token", SecretString=value)["ARN"])
