"""The functions of the hooks that follow: are they there and where they belong, usable, and of the module's code?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable

from gate import aws
from gate.deployment import Deployment
from gate.names import check
from gate.network import Caller
from gate.options.hooks import HOOKS
from gate.preflight_tasks import why_it_cannot_run
from gate.settings import BadSettings, in_words, judge_settings, read_environment, read_module, schema_of
from gate.verdict import Finding, Outcome, ProbeError, Severity, attempt, failed, finding_of, passed, skipped
from gate.waiting import TimeBudget

LOOK_UP = "lambda:GetFunctionConfiguration"
TWICE = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")  # asked at again when a deployment is rolled back
ELSEWHERE = {"run_migrations": "PRE_PRODUCTION_TRAFFIC_SHIFT", "validate_production": "POST_PRODUCTION_TRAFFIC_SHIFT"}
TOGETHER = ("run_migrations", "validate_test_traffic")  # the hooks of a stage run side by side


class NotOurs(ProbeError):
    """A function is none of this module's: it is only named."""


@dataclass(frozen=True)
class HookFunction:
    """The function of a hook, and what Lambda says of it. `name` is a name or an ARN, as the AppSpec has it.

    Raises NotOurs for a function of somebody else, and ProbeError where Lambda does not say.
    """

    event: str
    name: str
    configuration: Mapping[str, Any]

    @classmethod
    def of(cls, deployment: Deployment, event: str, name: str) -> HookFunction:
        """Read what Lambda says of it."""
        try:
            return cls(event, name, deployment.function(name))
        except aws.AwsDenied as problem:
            # The role reads functions that are named as CodeDeploy's narrower managed role asks for: the module's are.
            if name.rpartition("function:")[2].startswith("CodeDeployHook_"):
                raise
            said = f"function {name} is none of this module's, and not open to this hook: not looked at"
            raise NotOurs(said) from problem

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"function {self.name} of the hook {self.event}"

    @property
    def hook(self) -> str:
        """The handler's file, by which a function is known: its name is the user's."""
        handler = str(self.configuration.get("Handler") or "").rpartition(".")[0]
        if self.configuration.get("PackageType") == "Image":
            handler = "a container image"
        if not handler:
            raise ProbeError(f"Lambda does not say the handler of function {self.name}")
        if handler not in HOOKS:
            raise NotOurs(f"{self.called} runs {handler}, which is no handler of this module's")
        if not {"HOOK_SETTINGS", "ECS_SERVICE"} & self.variables.keys():  # others call their files so, too
            raise NotOurs(f"{self.called} is told no HOOK_SETTINGS, so it is none of this module's")
        return handler

    @property
    def variables(self) -> Mapping[str, str]:
        """Its environment."""
        environment = self.configuration.get("Environment") or {}
        problem = environment.get("Error")
        if problem:
            said = f"cannot be read ({problem.get('ErrorCode')}: {problem.get('Message')})"
            raise ProbeError(f"the environment of function {self.name} {said}: allow kms:Decrypt on its key")
        return environment.get("Variables") or {}

    @property
    def options(self) -> Any:
        """The options that it is told; None where they cannot be used, of which `hook_settings` says why."""
        return judge_settings(HOOKS[self.hook], self.variables, self.hook)[0]

    def caller(self, ranges: Collection[str] = ()) -> Caller:
        """Where its requests come from; `ranges`: of its subnets' addresses, in CIDR notation."""
        return Caller.of(self.configuration, ranges)


Judge = Callable[[HookFunction], Finding]


def later_hooks(deployment: Deployment) -> dict[str, str]:
    """The plan's hooks but for the one that asks: event → function."""
    return {event: name for event, name in deployment.plan.hooks.items() if event != "BeforeInstall"}


def judge_function(deployment: Deployment, label: str, event: str, judge: Judge) -> Finding:
    """What comes of the function of an event that has one; `label`: the finding's name."""
    try:
        return replace(judge(HookFunction.of(deployment, event, deployment.plan.hooks[event])), name=label)
    except NotOurs as problem:
        return skipped(str(problem), label)
    except ProbeError as problem:
        return finding_of(problem, label)


class HookChecks:
    """The functions as they are, and what they are told: judged now, by the code that will read it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def _each(self, check: str, judge: Judge, nothing: str = "") -> Iterator[Finding]:
        events = later_hooks(self.deployment)
        for event in events:
            yield judge_function(self.deployment, f"{check}:{event}", event, judge)
        if not events:
            yield skipped(f"{self.deployment.words.source} names no further hook{nothing}")

    @check(calls=[LOOK_UP], parts=["{event}"])
    def hook_functions(self) -> Iterator[Finding]:
        """The functions of the hooks exist and can be invoked."""
        for finding in self._each("hook_functions", self._can_be_invoked, ": nothing looks at green"):
            yield replace(finding, note=bool(finding.name) and finding.outcome is Outcome.SKIPPED)

    def _can_be_invoked(self, function: HookFunction) -> Finding:
        state = function.configuration.get("State")
        if state is None:
            raise ProbeError(f"Lambda does not say in which state function {function.name} is")
        if state not in ("Active", "Inactive", "Pending"):  # Inactive: Lambda wakes it when it is invoked
            why = function.configuration.get("StateReason")
            return failed(f"{function.called} is {state} ({why}): fix it first")
        return passed(f"{function.called} is {state}")

    @check(calls=[LOOK_UP, "iam:SimulatePrincipalPolicy"], parts=["{event}"])
    def hook_settings(self) -> Iterator[Finding]:
        """The options of all hooks can be used: expressions, rules, windows that fit the time, smoke tests that run."""
        yield from self._each("hook_settings", self._can_be_used)

    def _can_be_used(self, function: HookFunction) -> Finding:
        hook, deployment, problems = function.hook, self.deployment, []
        timeout = function.configuration.get("Timeout")
        if not isinstance(timeout, (int, float)):
            raise ProbeError(f"Lambda does not say the time-out of {function.called}")
        try:
            watched = read_environment(function.variables)
            theirs, ours = f"{watched.cluster}/{watched.service}", f"{deployment.cluster}/{deployment.service_name}"
            if theirs != ours:
                cure = f"put this service's hooks into {deployment.words.source}, or fix"
                said = f"the function watches {theirs}, not {ours}"
                problems.append(f"{said}: {cure} ecs_cluster_name, ecs_service_name")
        except BadSettings as problem:
            problems.append(str(problem))
        options, reading = judge_settings(HOOKS[hook], function.variables, hook)
        problems += reading.problems
        if options:
            wanted, given = getattr(options, "max_duration", 0.0), deployment.seconds_of(function.name)
            if wanted > deployment.longest:
                problems.append(f"{hook}.max_duration is {wanted:g}; {deployment.words.mover} gives a hook {given:g} s")
            budget = TimeBudget.of(timeout, min(wanted, given), deployment.most_continuations)
            problems += [f"{hook}.{problem}" for problem in options.problems_of_time(budget)]
            smoke_test = getattr(options, "smoke_test", None)
            if smoke_test:
                found = why_it_cannot_run(deployment, smoke_test, str(function.configuration.get("Role") or ""))
                problems += [f"{hook}.smoke_test: {problem}" for problem in found]
        if problems:
            return failed(f"{in_words(problems)} ({function.called})")
        return passed(f"the options of {hook} can be used")

    @check(Severity.WARN, calls=[LOOK_UP], parts=["{event}"])
    def hook_versions(self) -> Iterator[Finding]:
        """The functions of the hooks run the module's code, told in the options of its version."""
        yield from self._each("hook_versions", self._is_of_this_version)

    def _is_of_this_version(self, function: HookFunction) -> Finding:
        options, wrong = HOOKS[function.hook], []
        schema = judge_settings(options, function.variables, function.hook)[1].module.schema
        given, runs = read_module().packages.get(function.hook), function.configuration.get("CodeSha256")
        if given and not runs:
            raise ProbeError(f"Lambda does not say which code {function.called} runs")
        if schema not in ("", schema_of(options)):
            wrong.append("is told its options as another version of the module has them")
        if given and given != runs:
            wrong.append("runs other code than the module gave it")
        if wrong:
            return failed(f"{function.called} {' and '.join(wrong)}: apply the module once more")
        return passed(f"{function.called} is of this version")

    @check(calls=[LOOK_UP], parts=["{stage}"])
    def lifecycle_hooks(self) -> Iterator[Finding]:
        """Our hooks are at stages where they can judge, no migration beside test traffic; none lets pass unjudged."""
        for stage, hooks in self.deployment.hooks_by_stage.items():
            yield attempt(f"lifecycle_hooks:{stage}", partial(self._at, stage, hooks))

    def _at(self, stage: str, hooks: list[Mapping[str, Any]]) -> Finding:
        ours = {name: hook for hook in hooks if (name := self._of_ours(stage, hook))}
        wrong = [
            f"{hook} is invoked at {stage}, which comes again on the way back: move it to {place}"
            for hook, place in ELSEWHERE.items()
            if stage in TWICE and hook in ours
        ]
        if set(TOGETHER) <= set(ours):
            wrong.append(f"{' and '.join(TOGETHER)} run side by side at {stage}: give each a stage of its own")
        if wrong:
            return failed("; ".join(wrong))
        actions = {name: (hook.get("timeoutConfiguration") or {}).get("action") for name, hook in ours.items()}
        lax = ", ".join(name for name, action in actions.items() if action == "CONTINUE")
        if lax:  # what the user has chosen, and it lets pass what nobody has judged
            said = f"{lax} at {stage} lets the deployment go on when ECS ends it (action CONTINUE)"
            return replace(failed(f"{said}: set ROLLBACK"), advisory=True)
        return passed(f"{', '.join(ours) or 'no hook of this module'} at {stage}")

    def _of_ours(self, stage: str, hook: Mapping[str, Any]) -> str:
        """Which of our hooks it is; empty if it is none, or pauses."""
        name = str(hook.get("hookTargetArn") or "")
        try:
            return HookFunction.of(self.deployment, stage, name).hook if name else ""
        except NotOurs:
            return ""
