"""Put all additions and corrections into moto."""

from __future__ import annotations

import functools
import gc

_installed: list[bool] = []


def install() -> None:
    """Put the additions into moto's classes, once in a process; before any request is answered.

    They stay for the life of the process, under `mock_aws` as well as in a server.
    """
    if _installed:
        return
    from moto import settings
    from moto.core import responses

    from rehearsal.aws import (
        autoscaling,
        awslambda,
        cloudwatch,
        codedeploy,
        codedeploy_api,
        ec2,
        ecr,
        ecs_api,
        ecs_services,
        elbv2,
        iam,
        logs,
    )

    network = (ec2, elbv2)
    releases = (ecs_services, ecs_api, codedeploy, codedeploy_api, ecr, autoscaling)
    for service in (*network, *releases, cloudwatch, awslambda, iam, logs):
        service.install()
    # Over a thousand machine images, made anew for each backend and reset, take longer than anything else here does.
    settings.ec2_load_default_amis = lambda: False
    # The names of a class's methods, which moto collects anew for each request.
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)  # type: ignore[attr-defined]
    # What moto keeps lives as long as the process: to look through it as often as Python does by itself costs a tenth.
    gc.set_threshold(100_000, 50, 100)
    _installed.append(True)
