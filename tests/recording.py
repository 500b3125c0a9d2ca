"""Notes what each handler asks of IAM by its calls to AWS, in all tests of a run, and judges it at the run's end.

A call is noted where the handlers make it, in `gate.aws`, whether the stand-in or the test itself answers; a call of a
function that runs in a process of its own, where it arrives (tests/proof/fault_lane.py). With `-n` the workers hand in
what they noted. A call that the module's policies do not allow makes the run fail; so does, where the run had all tests
of the handlers, a permission that no call needs.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate import aws, runner
from gate.settings import BadSettings, _unpacked

from rehearsal.aws.iam_requests import Asked, Call, asked_by
from rehearsal.own import own_operations
from tests.policies import ACCOUNT, ROOT, STAGE, Noted, function_names, judge_noted, plain_secret, secret_headers

HANDLERS = ROOT / "tests" / "unit" / "handlers"
LAMBDAS = ROOT / "lambdas"
NAME = "recording"
# Its handlers talk to the double of the gate's tests, whose deployment group is not the stage's.
ELSEWHERE = "tests/proof/test_bad_input.py"


class Recording:
    """A pytest plugin: one in each worker, and one in the process that the workers answer to."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.noted = Noted()
        self.rehearsed = Noted()
        """What the functions of rehearsals asked: judged there, by the roles that they had."""
        self.report: list[str] = []
        self._running: list[Any] = []
        self._listen()

    def _listen(self) -> None:
        """Put an ear on the clients that handlers use, and know which handler runs."""
        make = aws.client.__wrapped__
        answer = runner._Run.answer

        @functools.cache
        def client(service: str, *arguments: Any, **options: Any) -> Any:
            return _Listening(make(service, *arguments, **options), service, self._note)

        def noted_answer(run: Any, checks: Any) -> Any:
            if Path(checks.args[0].__code__.co_filename).parent != LAMBDAS:  # a hook that a test has made
                return answer(run, checks)
            self._running.append(run)
            try:
                self.noted.secrets.update((run.record.fields["hook"], arn) for arn in _secrets())
                return answer(run, checks)
            finally:
                self._running.remove(run)

        # What is patched stays patched: this process is pytest's own.
        aws.client = client
        setattr(runner._Run, "answer", noted_answer)  # noqa: B010  (a method replaced is no matter of types)

    def _note(self, service: str, operation: str, parameters: dict[str, Any], region: str) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        if not self._running or test.startswith(ELSEWHERE):
            return  # a test of the gate itself
        run = self._running[-1]
        hook = run.record.fields["hook"]
        self.noted.calls += 1
        if service == "lambda" and parameters.get("FunctionName") == run.platform.own_function:
            # Itself, whatever it is called here; by the alias or version that was invoked.
            qualifier = "".join(f":{each}" for each in run.platform.own_function.split(":")[7:])
            parameters = {**parameters, "FunctionName": f"{function_names()[hook]}{qualifier}"}
        try:
            for asked in asked_by(Call(service, operation, parameters, region, ACCOUNT)):
                self.noted.asked.setdefault((hook, _as_on_stage(asked)), test)
        except LookupError as problem:
            if operation in own_operations(hook):
                said = f"own calls               {hook}: {service}:{operation}, which policy_documents have to allow"
                self.noted.remarks.add(said)
            else:
                self.noted.problems.add(f"{problem}; of a check of your own: declare it, Named(…, calls=…, own=True)")

    def rehearsal(self, calls: list[dict[str, Any]]) -> None:
        """Take what a rehearsal's record says of the functions' calls."""
        for call in calls:
            self.rehearsed.calls += call["times"]
            self.rehearsed.asked.setdefault((call["hook"], Asked(call["action"], call["resource"])), "a rehearsal")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker noted."""
        output = getattr(node, "workeroutput", {})
        self.noted.add(output.get("noted"))
        self.rehearsed.add(output.get("rehearsed"))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker hand in what was noted; else judge it."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput.update(noted=self.noted.plain(), rehearsed=self.rehearsed.plain())
            return
        if not (self.noted.asked or self.noted.problems or self._had_all_handlers()):
            return
        self.report, faults = judge_noted(self.noted, whole=self._had_all_handlers())
        if self.rehearsed.calls:
            asked = len(self.rehearsed.asked)
            self.report.append(
                f"calls of rehearsals     {self.rehearsed.calls}, asking {asked}, judged in each rehearsal"
            )
        self.report += [f"FAILED {fault}" for fault in faults]
        if faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was noted and what is wrong."""
        if self.report:
            terminalreporter.section("permissions")
            for line in self.report:
                terminalreporter.write_line(line)

    def _had_all_handlers(self) -> bool:
        """Say whether the run had every test of the handlers: then what is unneeded can be told."""
        chosen = self.config.getoption("keyword"), self.config.getoption("markexpr"), self.config.getoption("deselect")
        named = [(self.config.invocation_params.dir / argument).resolve() for argument in self.config.args]
        return not any(chosen) and any(path in (HANDLERS, *HANDLERS.parents) for path in named)


class _Listening:
    """A client of boto3 that tells of each call before it is made."""

    def __init__(self, client: Any, service: str, note: Any) -> None:
        self._client, self._service, self._note = client, service, note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        operations = self._client.meta.method_to_api_mapping
        if name == "get_paginator":
            return lambda operation: _ListeningPaginator(
                found(operation), functools.partial(self._tell, operations[operation])
            )
        if name not in operations:
            return found

        def call(**parameters: Any) -> Any:
            self._tell(operations[name], parameters)
            return found(**parameters)

        return call

    def _tell(self, operation: str, parameters: dict[str, Any]) -> None:
        self._note(self._service, operation, parameters, self._client.meta.region_name)


class _ListeningPaginator:
    """A paginator that tells of its first page: the others ask the same of IAM."""

    def __init__(self, paginator: Any, tell: Any) -> None:
        self._paginator, self._tell = paginator, tell

    def paginate(self, **parameters: Any) -> Any:
        """Return the pages."""
        self._tell(parameters)
        return self._paginator.paginate(**parameters)


def _as_on_stage(asked: Asked) -> Asked:
    """Call the cluster and the service that a function watches as on the stage: the module is given the same names."""
    asked = Asked(asked.action, plain_secret(asked.resource), asked.context)
    cluster, service = os.environ.get("ECS_CLUSTER", ""), os.environ.get("ECS_SERVICE", "")
    here, there = (cluster, service), (STAGE["ecs_cluster_name"], STAGE["ecs_service_name"])
    if here == there:
        return asked

    def renamed(arn: str) -> str:
        for watched, known in (
            (f":service/{cluster}/{service}", f":service/{there[0]}/{there[1]}"),
            (f":task/{cluster}/", f":task/{there[0]}/"),
            (f":cluster/{cluster}", f":cluster/{there[0]}"),
        ):
            arn = arn.replace(watched, known)
        return arn

    context = tuple((key, renamed(value)) for key, value in asked.context)
    return Asked(asked.action, renamed(asked.resource), context)


def _secrets() -> Iterator[str]:
    """Yield the secret headers of the settings in force, as the hook reads them."""
    try:
        settings = json.loads(_unpacked(os.environ.get("HOOK_SETTINGS", "{}")))
    except (BadSettings, RecursionError, ValueError):  # the hook itself says what is wrong with them
        return
    yield from secret_headers(settings)
