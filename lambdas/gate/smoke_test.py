"""A test of the user's own: a command as a one-off ECS task, told by its environment where green answers.

It runs once for each deployment (by ECS: and stage), in one invocation, and is stopped at its limit. RunTask's
parameters can be read by whoever may describe tasks, so nothing that may be a secret is among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from gate.default_request import literal_host
from gate.names import Named
from gate.one_off import target_of_green
from gate.options import KEPT, TIMEOUT
from gate.options.one_off import TOLD
from gate.options.one_off import SmokeTest as Options
from gate.options.requests import TrafficOptions, shown_address
from gate.redact import SENSITIVE_NAME, redact
from gate.runner import Gate
from gate.task_runs import ANY_NUMBER, LOG_PATIENCE, RUNS, TaskRuns, label_of
from gate.traffic import Traffic
from gate.verdict import Finding, Outcome, ProbeError, attempt, noted, skipped
from gate.waiting import poll

NAME = "smoke_test"
INTERVAL = 2.0  # seconds between two looks at the task
SUSPECT = re.compile(r"(?i)auth|key|signature|verify")  # in a header's name
CREDENTIALS = re.compile(r"(?i)(basic|bearer|digest|token) ")  # what begins such a header, whatever its name
TEST_HEADER = re.compile(r"(?i)x-amzn-ecs-blue-?green-test")  # ECS's own: it says who tests, and is no secret

SMOKE_TEST = Named(
    NAME,
    "The command of `smoke_test`, where one is set, ends in its container with exit code 0 before its limit.",
    calls=(*RUNS, "ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks"),
)


class SmokeTest:
    """The test of one hook. `traffic`: how green is asked."""

    def __init__(self, gate: Gate[Any], traffic: Traffic) -> None:
        self.gate, self.traffic, self.deployment = gate, traffic, gate.deployment
        self.options: Options = gate.options.smoke_test
        find_target = partial(target_of_green, gate.deployment, self.options)
        self.tasks = TaskRuns(NAME, gate, self.options, find_target, INTERVAL)

    def run(self) -> Finding:
        """Run the test to its end, and judge the exit code of its container."""
        if self.deployment.is_rollback:
            return skipped(f"{NAME} does not run on a rollback deployment", opted_out=True)
        if self.traffic.way.on_both_sides:
            return noted(f"production is on both sides at this step, and blue might answer: {NAME} runs at the end")
        finding = attempt(NAME, self._run)
        said = finding.detail if finding.detail.startswith(NAME) else f"{NAME}: {finding.detail}"
        runs_on = f"; {self.gate.running} may still run: see to its end" if self.gate.running else ""
        return replace(finding, detail=f"{said}{runs_on}{self._left_out_in_words}")

    def _run(self, again: int = 1) -> Finding:
        """Run it, a second time if its capacity was taken away."""
        name = NAME if again == 1 else f"{NAME}-{again}"
        at = f"{self.gate.record.hook_name}/{self.deployment.stage}/"  # the other hook and another stage have their own
        request = partial(self._request, name, at)
        started = self.tasks.start(name, request, self._seconds)
        seconds, own = self._seconds, max(0.0, self.options.timeout - started.age)
        probe = partial(self.tasks.look_at, started)
        seen = poll(probe, self.gate.deadline.within(min(seconds, own)), INTERVAL, ANY_NUMBER)[0]
        task, trouble = self.tasks.end(started, seen)
        if trouble and seen.outcome is Outcome.FAILED:
            cure = f"raise {NAME}.timeout" if own <= seconds else f"raise the module's {TIMEOUT}"
            trouble = f"{trouble}: {cure}, or test less"
        if task and task.was_interrupted and not trouble and again == 1:
            return self._run(again + 1)
        label = label_of(NAME, self.options.command, again)
        return self.tasks.judge(label, started, task, trouble, retried=again > 1)

    @property
    def _seconds(self) -> float:
        """Seconds of this invocation for the test, beside those for stopping it and for its log."""
        left = self.gate.deadline.remaining()
        return left - min(self.tasks.time_to_stop + LOG_PATIENCE, KEPT * left)

    def _request(self, name: str, at: str) -> Mapping[str, Any]:
        return self.tasks.request(name, self.options.command, self._told(), at)

    # What it is told

    def _told(self) -> dict[str, str]:
        """The variables of its environment: where green answers, and what green is."""
        way, url = self.traffic.way, shown_address(self.traffic.way.url)
        literal = literal_host(way.listener) if way.listener else way.host
        left_out = self._headers_left_out()
        headers = {name: value for name, value in self.traffic.headers.items() if name not in left_out}
        told = {
            "BASE_URL": url.rstrip("/"),
            "HOST": self.traffic.options.host or literal or urlsplit(url).hostname or "",
            "HEADERS": json.dumps(headers, sort_keys=True),
            "DEPLOYMENT_ID": self.deployment.id,
            "REVISION": self.traffic.value_of_green("revision") or "",
            "IMAGE_TAG": self._image_tag(),
        }
        return {f"{TOLD}{name}": value for name, value in told.items() if value}

    def _image_tag(self) -> str:
        """The tag of green's image; empty where it has a digest alone."""
        try:
            return self.traffic.value_of_green("image_tag") or ""
        except ProbeError as problem:
            if problem.retryable:
                raise
            return ""

    @property
    def _left_out_in_words(self) -> str:
        named = ", ".join(dict.fromkeys(self._left_out()))
        cure = "give the container its own by `secrets` in the task definition"
        return f"; left out of what it is told, which ECS shows: {named} ({cure})" if named else ""

    def _left_out(self) -> Iterator[str]:
        """What may be a secret, by name."""
        options: TrafficOptions = self.traffic.options
        if "@" in urlsplit(self.traffic.way.url).netloc:
            yield "the name and password of base_url"
        yield from self._headers_left_out().values()
        flows = options.flows.values()
        for request in [*options.http_checks.values(), *(step for flow in flows for step in flow.steps)]:
            for name in request.secret_headers:
                yield f"header {name}"

    def _headers_left_out(self) -> dict[str, str]:
        """The headers that may be a secret, each in words: a rule's often is the one by which a CDN shows who it is."""
        found = {}
        for name, value in self.traffic.headers.items():
            if _may_be_secret(name, value):
                found[name] = f"header {name}"
            elif name not in self.traffic.options.headers and not TEST_HEADER.fullmatch(name):
                found[name] = f"header {name} (of the listener's rule: list it in `headers` if it is no secret)"
        return found


def _may_be_secret(name: str, value: str) -> bool:
    """Whether a header may hold a secret, by its name or by the look of its value."""
    named = SENSITIVE_NAME.search(name) or SUSPECT.search(name)
    return bool(named or CREDENTIALS.match(value) or redact(value) != value)
