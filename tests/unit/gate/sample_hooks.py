"""Hooks made of sample checks, and the contexts that Lambda invokes them with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from gate.names import Named
from gate.options import HookOptions, option
from gate.runner import Checked, Gate, Handler, hook
from gate.verdict import Finding, Probe, Severity, passed

from tests.unit.gate.codedeploy_server import EVENT, CodeDeploy, Reply
from tests.unit.gate.conftest import Clock

HOOK = "sample_hooks"  # the name that these hooks have: their module's
TAKEN = Reply({"lifecycleEventHookExecutionId": "execution-1"})
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:CodeDeployHook_shop-test"


@dataclass(frozen=True)
class PatientOptions(HookOptions):
    """What lets a hook continue in another invocation."""

    max_duration: float = option("seconds in all", 3000.0, unit="seconds", least=1, most=100_000)


@dataclass(frozen=True)
class Sample:
    """A check to make."""

    name: str
    probe: Probe
    severity: Severity = Severity.FAIL


class WordlessError(Exception):
    """An exception that cannot even be put in words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def good(name: str = "good") -> Sample:
    """A check that passes."""
    return Sample(name, lambda: passed(f"{name} is as it should be"))


def raising(problem: BaseException, name: str = "bad") -> Sample:
    """A check whose probe raises."""

    def probe() -> Finding:
        raise problem

    return Sample(name, probe)


def names_of(samples: Sequence[Sample]) -> list[Named]:
    """The names of these checks, and of all that they may find."""
    return [Named(sample.name.partition(":")[0], "It is as it should be.", parts=("{what}",)) for sample in samples]


def handler_of(
    body: Callable[[Gate[Any]], Any], options: type[HookOptions] = HookOptions, names: Sequence[Named] = (), **more: Any
) -> Handler:
    """A handler with this body."""

    def run(gate: Gate[Any]) -> None:
        body(gate)

    return hook("AfterInstall", options, names, **more)(run)


def hook_of(*samples: Sample, options: type[HookOptions] = HookOptions, **more: Any) -> Handler:
    """A handler that makes these checks."""

    def body(gate: Gate[Any]) -> None:
        for sample in samples:
            gate.check(sample.name, sample.probe, sample.severity)

    return handler_of(body, options, names_of(samples), **more)


def checked(codedeploy: CodeDeploy, probe: Probe, severity: Severity = Severity.FAIL, **more: Any) -> Checked:
    """What a handler learns of a check `look` with this probe."""
    made: list[Checked] = []
    handler_of(lambda gate: made.append(gate.check("look", probe, severity, **more)))(EVENT)
    assert len(codedeploy.reports) == 1
    return made[0]


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    """The outcome of each result, by name."""
    return {check["name"]: check["outcome"] for check in answer["checks"]}


def context_of(seconds: float = 900, **more: Any) -> Any:
    """What somebody who calls a handler by hand may give it: the time."""
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000), **more)


def lambda_context(seconds: float = 900) -> Any:
    """What Lambda tells a function about itself."""
    return context_of(seconds, invoked_function_arn=FUNCTION, aws_request_id="request-0")


class LongHook:
    """A hook whose check `long` takes so many seconds, in as many invocations as that needs; `before` come first."""

    def __init__(
        self, clock: Clock, seconds: float, *before: Sample, options: type[HookOptions] = PatientOptions
    ) -> None:
        self.clock = clock
        self.seconds = seconds
        self.probed: list[str] = []
        self.gates: list[Gate[Any]] = []
        self.orphan_note = ""
        self.before = before
        names = names_of([*before, good("long"), good("after")])
        self.handler = handler_of(self.make_checks, options, names)

    def make_checks(self, gate: Gate[Any]) -> None:
        """Make the checks before, the long one, and one after it."""
        self.gates.append(gate)
        for sample in (*self.before, Sample("long", lambda: self.long(gate)), good("after")):
            gate.check(sample.name, self.noted(sample), sample.severity)

    def noted(self, sample: Sample) -> Probe:
        """The check's probe, which notes that it was made."""

        def probe() -> Any:
            self.probed.append(sample.name)
            return sample.probe()

        return probe

    def long(self, gate: Gate[Any]) -> Finding:
        """Last as long as is wanted, from the first invocation on."""
        began = gate.continuation.state.get("began", self.clock.now)
        left, here = began + self.seconds - self.clock.now, gate.deadline.remaining() - gate.handover_margin
        gate.deadline.sleep(min(left, here))
        if left > here:
            gate.continue_later({"began": began}, self.orphan_note)
        return passed(f"it has lasted {self.clock.now - began:.0f} s")

    def play(self, codedeploy: CodeDeploy, context: Any = None) -> list[dict[str, Any]]:
        """Invoke it, and again with each event that it queues."""
        answers = [self.handler(EVENT, context or lambda_context())]
        while answers[-1]["status"] == "CONTINUED":
            assert codedeploy.reports == [], "who continues does not report"
            assert len(codedeploy.continued) == len(answers)
            answers.append(self.handler(codedeploy.continued[-1], context or lambda_context()))
        return answers
