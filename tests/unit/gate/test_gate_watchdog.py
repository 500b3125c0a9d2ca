"""A check that never ends is reported Failed while there is time: for real, in a process of its own.

These few tests take seconds, because the time that runs out is the machine's. Whatever gets stuck, all start at
once; the report is found at a CodeDeploy on loopback.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gate.codedeploy_server import INVOKE, REPORT, CodeDeploy, Reply, deployment

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 4.0  # what the function's context says is left

# The warm start comes first, so that the time that counts is the stuck check's and not that of importing boto3.
RUN = """
import json, logging, os, sys, threading, time, traceback
from stuck_hook import handler

logging.basicConfig(stream=sys.stderr, format="%(message)s")
PLACE = "arn:aws:ecs:eu-west-1:111122223333"
def event(deployment, by="codedeploy"):
    if by == "codedeploy":
        return {"DeploymentId": deployment, "LifecycleEventHookExecutionId": "execution-1"}
    revision = f"{PLACE}:service-revision/main/web/2"
    details = {"serviceArn": f"{PLACE}:service/main/web", "targetServiceRevisionArn": revision}
    where = {"resourceArn": f"{PLACE}:service-deployment/main/web/{deployment}", "lifecycleStage": "POST_SCALE_UP"}
    return {**where, "executionId": "execution-1", "executionDetails": details}

class Context:
    invoked_function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_stuck"
    aws_request_id = "request-0"
    def __init__(self, seconds): self.ends = time.monotonic() + seconds
    def get_remaining_time_in_millis(self): return int((self.ends - time.monotonic()) * 1000)

way, seconds, thread, by = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
handler(event("d-WARM"))
os.environ["STUCK"] = way
def invoke():
    print(json.dumps({"started": time.monotonic()}), flush=True)
    try:
        print(json.dumps(handler(event(f"d-{way}-{thread}-{by}", by), Context(seconds))), flush=True)
    except Exception:
        traceback.print_exc()
        print(json.dumps({"raised": time.monotonic()}), flush=True)
    os._exit(0)
if thread == "main": invoke()
else: threading.Thread(target=invoke).start()
"""


@dataclass
class Case:
    """A way of being stuck, and what came of it."""

    way: str
    thread: str = "main"
    returns: bool = True  # whether the handler gets to its end
    stuck_in: str = "stuck"
    by: str = "codedeploy"
    process: subprocess.Popen[str] | None = None
    out: str = ""
    log: str = ""

    @property
    def deployment(self) -> str:
        """The deployment that this case's event names."""
        return f"d-{self.way}-{self.thread}-{self.by}"


CASES = [
    Case("endless_loop"),
    Case("runaway_expression"),
    Case("sleeping"),
    Case("silent_peer"),
    Case("deaf_call_into_c", returns=False),
    Case("swallows_exceptions"),
    Case("swallows_everything", returns=False),
    Case("continues_too_late"),
    Case("silent_aws"),
    Case("silent_codedeploy", stuck_in="deployment"),
    Case("endless_loop", thread="other", returns=False),  # signals reach the main thread only
]


# Answers that do not come to an end, though each byte comes in time.
REPORTING, CONTINUING = Case("dripping_report"), Case("dripping_continuation")
# ECS is told by what the function returns: one that cannot return fails closed, and its log says why.
BY_ECS = [
    Case("endless_loop", by="ecs"),
    Case("sleeping", by="ecs"),
    Case("deaf_call_into_c", returns=False, by="ecs"),
    Case("swallows_everything", returns=False, by="ecs"),
]
ALL = [*CASES, REPORTING, CONTINUING, *BY_ECS]


class Recorder(CodeDeploy):
    """CodeDeploy and Lambda that tell the time of each report, and answer some deployments in their own way."""

    def __init__(self) -> None:
        super().__init__()
        self.reported_at: dict[str, float] = {}
        self.replies["DescribeServices"] = [Reply(hang=True)]

    def answer(self, operation: str, parameters: dict[str, Any]) -> Reply:
        """As they would, apart from silence and dripping."""
        if operation == REPORT:
            self.reported_at[parameters["deploymentId"]] = time.monotonic()
        if operation == "DescribeServiceDeployments":
            found = {"status": "IN_PROGRESS", "deploymentConfiguration": {"strategy": "BLUE_GREEN"}}
            return Reply({"serviceDeployments": [found]})
        if operation == "GetDeployment" and parameters["deploymentId"].startswith("d-silent_codedeploy"):
            return Reply(hang=True)
        if (operation, parameters.get("deploymentId")) == (REPORT, REPORTING.deployment) or operation == INVOKE:
            super().answer(operation, parameters)
            return Reply(drip=True)
        return super().answer(operation, parameters) if operation != "GetDeployment" else deployment()

    def of(self, case: Case) -> list[str]:
        """The reports on one case's deployment."""
        return [str(report["status"]) for report in self.reports if report["deploymentId"] == case.deployment]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """All cases played, side by side, from a package laid out as Lambda unpacks it."""
    package = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "lambdas" / "gate", package / "gate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("stuck_hook.py"), package)
    recorder = Recorder()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and "proxy" not in name.lower()
        },
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": recorder.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "APP_NAME": "shop",
        "ENVIRONMENT": "test",
        "ECS_CLUSTER": "main",
        "ECS_SERVICE": "web",
    }
    try:
        for case in ALL:
            case.process = subprocess.Popen(
                [sys.executable, "-c", RUN, case.way, str(SECONDS), case.thread, case.by],
                env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        patience = time.monotonic() + 60
        while time.monotonic() < patience and not all(
            (case.by == "ecs" or recorder.of(case))
            and (not case.returns or (case.process and case.process.poll() is not None))
            for case in ALL
        ):
            time.sleep(0.05)
        time.sleep(SECONDS)  # a second report, if there were one, would come now; or one that cannot return is told of
    finally:
        for case in ALL:
            if case.process:
                case.process.kill()
                case.out, case.log = case.process.communicate()
        recorder.close()
    return recorder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.deployment)
def test_a_stuck_check_is_reported_failed_once_and_in_time(recorder: Recorder, case: Case) -> None:
    assert recorder.of(case) == ["Failed"], case.log
    started = json.loads(case.out.splitlines()[0])["started"]
    assert recorder.reported_at[case.deployment] - started < SECONDS
    assert f"check {case.stuck_in} had not ended after" in case.log


@pytest.mark.parametrize("case", [case for case in CASES if case.returns], ids=lambda case: case.deployment)
def test_a_check_that_is_interrupted_lets_the_handler_answer(recorder: Recorder, case: Case) -> None:
    assert recorder.of(case) == ["Failed"]
    answer = json.loads(case.out.splitlines()[-1])
    assert answer["status"] == "FAILED"
    assert answer["message"].startswith(f"check {case.stuck_in} had not ended after")
    assert answer["checks"][-1]["outcome"] == "error"


@pytest.mark.parametrize("case", BY_ECS, ids=lambda case: case.deployment)
def test_ecs_is_never_told_of_a_success_and_the_log_says_why(recorder: Recorder, case: Case) -> None:
    assert recorder.of(case) == []
    assert f"check {case.stuck_in} had not ended after" in case.log
    answers = case.out.splitlines()[1:]
    assert len(answers) == case.returns
    for answer in map(json.loads, answers):
        assert (answer["status"], answer["hookStatus"]) == ("FAILED", "FAILED")


def test_what_the_watchdog_has_reported_is_not_continued(recorder: Recorder) -> None:
    assert {event["DeploymentId"] for event in recorder.continued} <= {CONTINUING.deployment}


def test_a_report_whose_answer_drips_is_given_up_in_time(recorder: Recorder) -> None:
    """Or Lambda would end the function, and nobody would know why."""
    assert recorder.of(REPORTING) == ["Succeeded"]
    assert "ReportFailed: Succeeded could not be reported after 1 attempt(s): CodeDeploy could not be" in REPORTING.log
    began, ended = map(json.loads, REPORTING.out.splitlines())
    assert ended["raised"] - began["started"] < SECONDS


def test_a_continuation_whose_answer_drips_is_given_up_in_time(recorder: Recorder) -> None:
    assert len([event for event in recorder.continued if event["DeploymentId"] == CONTINUING.deployment]) == 1
    assert recorder.of(CONTINUING) == ["Failed"]
    answer = json.loads(CONTINUING.out.splitlines()[-1])
    assert answer["message"].startswith(
        "the hook could not be continued in a fresh invocation: check stuck had not ended after"
    )
    started = json.loads(CONTINUING.out.splitlines()[0])["started"]
    assert recorder.reported_at[CONTINUING.deployment] - started < SECONDS
