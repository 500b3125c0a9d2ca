"""The fault matrix: which cases there are, made from a recording, and what holds in each of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.model import OperationModel

from tests.proof.fault_front import ELSEWHERE, EVENT, REPORT, Fault, Plan, model_of
from tests.proof.fault_front import Path as MemberPath
from tests.proof.fault_lane import Story
from tests.proof.fault_pool import Case, Recording
from tests.proof.fault_profiles import Profile

FOREVER = 10**6  # calls

REFUSED = ("throttled", "5xx", "denied", "absent")
UNANSWERED = ("reset", "hangs", "drips", "cut off")
UNREADABLE = ("broken", "page", "list")
HARMLESS = ("slow", "clock +1 h", "clock -1 h")
KINDS = (*REFUSED, *UNANSWERED, *ELSEWHERE, *UNREADABLE, "empty", *HARMLESS)

_READS = re.compile(r"(Describe|Get|List|BatchGet|Simulate)")
_LAMBDAS = Path(__file__).resolve().parent.parent.parent / "lambdas"

INTERNAL = re.compile(
    r"\b(KeyError|TypeError|AttributeError|IndexError|ValueError|UnboundLocalError|NameError|AssertionError|"
    r"JSONDecodeError|ResponseParserError|Traceback|NoneType)\b"
)


@functools.cache
def words_of_sources() -> set[str]:
    """Every word that stands in a text of lambdas/: a member whose name is none of them is never read."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in _LAMBDAS.rglob("*.py"))
    return set(re.findall(r"[\w-]+", texts))


def operations_of(profiles: tuple[Profile, ...], recordings: Mapping[str, Recording]) -> Iterator[tuple[Profile, str]]:
    """Each operation of each hook, with the first profile in which the hook makes it on the way to each report.

    And with each profile in which it decides something of its own; not with one that is about others.
    """
    known: set[tuple[str, str, str]] = set()  # below the platform the code is the same for both
    for profile in profiles:
        for action in recordings[profile.name].counts:
            if profile.only and action not in profile.only:
                continue
            if action in profile.decisive or (profile.hook, profile.expected, action) not in known:
                known.add((profile.hook, profile.expected, action))
                yield profile, action


def cases_of(
    profiles: tuple[Profile, ...], recordings: Mapping[str, Recording], endpoints: Mapping[str, str]
) -> Iterator[Case]:
    """All cases. `endpoints`: by fault of the network, an address that has it."""
    for profile, action in operations_of(profiles, recordings):
        recording = recordings[profile.name]
        yield from _of_kinds(profile.name, action, recording, endpoints)
        yield from _of_attempts(profile.name, action, recording)
        if profile.expected == "Succeeded":  # what decides can only turn a success
            yield from _of_members(profile.name, action, recording)


def kinds_for(action: str, recording: Recording) -> list[str]:
    """The faults that an operation's answer can have."""
    model = model_of(recording.services[action])
    operation = model.operation_model(recording.names[action])
    is_json = model.resolved_protocol in ("json", "rest-json") and not operation.has_streaming_output
    without = {*(() if is_json else ("list",))}
    if action in recording.bare:
        without |= {"cut off", "drips", "broken", "empty"}
    if not words_of_sources() & set(recording.lists[action]):
        without |= {"empty"}
    kinds = [kind for kind in KINDS if kind not in without]
    return kinds if _READS.match(operation.name) else [*kinds, "lost"]


def _of_kinds(profile: str, action: str, recording: Recording, endpoints: Mapping[str, str]) -> Iterator[Case]:
    count = recording.counts[action]
    for kind in kinds_for(action, recording):
        for word, numbers in {"first": range(1, FOREVER), "last": range(count, count + 1)}.items():
            if word == "last" and count == 1 and kind in HARMLESS:
                continue  # the first call is the last one
            plan = Plan(action, Fault(kind, address=endpoints.get(kind, "")), numbers)
            yield Case(profile, f"{action}, {kind}, {word}", plan, tries=_tries(action))


def _of_attempts(profile: str, action: str, recording: Recording) -> Iterator[Case]:
    """What passes: by the SDK's next attempt, or by the hook's next look."""
    if action not in (REPORT, EVENT):  # of these each attempt is a call of its own
        for kind in ("throttled", "5xx", "reset"):
            plan = Plan(action, Fault(kind), range(1, FOREVER), attempts=1)
            yield Case(profile, f"{action}, {kind}, one attempt", plan)
    if recording.counts[action] > 1:
        for kind in ("throttled", "5xx", "reset", "denied", "page"):
            plan = Plan(action, Fault(kind), range(1, 2))
            yield Case(profile, f"{action}, {kind}, once", plan, tries=_tries(action))


def _of_members(profile: str, action: str, recording: Recording) -> Iterator[Case]:
    """Each member that lambdas/ knows by name, left out; all others at once."""
    words = words_of_sources()
    operation = model_of(recording.services[action]).operation_model(recording.names[action])
    unread = [path for path in recording.members[action] if path[-1] not in words and not _is_key(operation, path)]
    for path in recording.members[action]:
        if path[-1] in words:
            plan = Plan(action, Fault("member", path), range(1, FOREVER))
            decides = action != REPORT and ".".join(path) not in SAYS_BY_ABSENCE
            more = (Plan(action, Fault("value", path), range(1, FOREVER)),) if decides else ()
            yield Case(profile, f"{action}, member {'.'.join(path)}", plan, tries=_tries(action), more=more)
    outer = tuple(".".join(path) for path in unread if path[:-1] not in unread)
    if outer:
        plan = Plan(action, Fault("members", outer), range(1, FOREVER))
        yield Case(profile, f"{action}, all members that are not read", plan, tries=_tries(action))


def _is_key(operation: OperationModel, path: MemberPath) -> bool:
    """Whether a path ends with a key of a map, which is a value like others: a version's id, say."""
    shape: Any = operation.output_shape
    is_key = False
    for name in path:
        while shape.type_name == "list":
            shape = shape.member
        is_key = shape.type_name == "map"
        shape = shape.value if is_key else shape.members[name]
    return is_key


def _tries(action: str) -> int:
    """How often Lambda delivers the event: where it is the report that gets lost, again and again."""
    return 3 if action == REPORT else 1


def kind_of(case: Case) -> str:
    """The kind of a case's fault."""
    return case.plan.fault.kind if case.plan else ""


TAKES_ALL_TIME = ("hangs", "drips")
"""Of so short a time-out there is nothing left after one such call, which takes 15 seconds."""

# What a reason has to say, besides the operation. A log stream comes with its first line: without one there are none.
FAULT_IN_WORDS = {
    "throttled": "Throttl|SlowDown|RequestLimitExceeded|had not answered",
    "5xx": "InternalFailure|had not answered",
    "denied": "denied",
    "absent": "NotFound|DoesNotExist|NoSuch|ClientException|not exist|is not in|0 log lines",
    "reset": "could not be reached",
    "hangs": "could not be reached|had not answered",
    "drips": "could not be reached|had not answered",
    "cut off": "could not be reached|cannot be read",
    "lost": "could not be reached",
    "refused": "could not be reached .*Connection refused",
    "no such name": "could not be reached .*(not known|name resolution)",
    "TLS": "could not be reached .*SSL",
    "broken": "cannot be read|answered without",
    "page": "cannot be read|answered without|answered 200, expected 202",
    "list": "cannot be read|answered without",
    "empty": "",  # of what was not there, each check has words of its own
}


# A fault that passes may have used up so short a time-out; then that is the reason. A clock that jumps an hour ahead
# is past `max_duration`, which is kept by the wall clock, since it spans invocations; one that jumps back makes windows
# that end before they begin.
TIME_RAN_OUT = r"after \d+ s|time was over|no time was left|left in this invocation|s left|s are left|were left|EndTime"


EMPTY_IS_GOOD = {
    "ecs:ListTasks": "no task of another deployment runs, none has stopped: nothing stands in the way",
    "ecr:DescribePullThroughCacheRules": "no image is pulled through",
}
"""Operations of which an empty answer is a good one, and why."""

SAYS_BY_ABSENCE = {
    "services.taskSets.platformVersion": "LATEST, as of every EC2 task set",
    "TargetGroups.HealthCheckEnabled": "health checks cannot be off for addresses and instances",
    "taskDefinition.containerDefinitions.logConfiguration.options.awslogs-region": "the region of the task",
    "TargetGroups.HealthCheckPort": "the traffic's own port",
    "tasks.containers.networkInterfaces.privateIpv4Address": "tasks on their instance's network have no address",
    "taskDefinition.taskRoleArn": "there is no task role",
    "taskDefinition.executionRoleArn": "there is none: where one is needed ECS does not register the task definition",
    "taskDefinition.containerDefinitions.essential": "it is essential",
    "Listeners.DefaultActions.ForwardConfig.TargetGroups.Weight": "the only target group gets everything",
    "serviceDeployments.lifecycleHookDetails.expiresAt": "nobody says that it is listed while the hook runs",
    "serviceRevisions.resolvedConfiguration.loadBalancers.targetGroupArn": "as of a revision that is not active yet",
    "services.deploymentController.type": "ECS, which is the default",
    "serviceDeployments.deploymentConfiguration.lifecycleHooks.hookTargetArn": "a hook that pauses has no function",
    "Environment.Variables.HOOK_SETTINGS": "the function runs by the defaults, which are judged then",
}
"""Members whose absence says something by AWS's own documents, and what."""

LEFT_OUT_BY_ABSENCE = {
    "deploymentGroupInfo.alarmConfiguration": "the group has no alarms",
    "serviceDeployments.deploymentConfiguration.alarms": "the service has no alarms",
    "serviceDeployments.deploymentConfiguration.alarms.alarmNames": "as above",
    "serviceDeployments.deploymentConfiguration.alarms.enable": "what is not said to be enabled is not",
    "serviceDeployments.deploymentConfiguration.lifecycleHooks": "the service has no hooks",
    "serviceDeployments.deploymentConfiguration.lifecycleHooks.lifecycleStages": "no stage calls it",
    "deploymentGroupInfo.alarmConfiguration.alarms": "as above",
    "deploymentGroupInfo.alarmConfiguration.enabled": "what is not said to be enabled is not: the alarms are off",
    "services.taskSets.networkConfiguration.awsvpcConfiguration.securityGroups": "the VPC's default group holds",
    "taskDefinition.containerDefinitions.secrets": "no secrets are injected",
    "taskDefinition.containerDefinitions.logConfiguration": "nothing is logged to CloudWatch",
    "taskDefinition.containerDefinitions.healthCheck": "the container has no health check of its own",
    "Environment": "the function has no variables, so it is none of this module's, which is said",
    "Environment.Variables": "as above",
    "tasks.containers.imageDigest": "ECS does not promise one, and the check says that there is none to compare",
}
"""Members without which there is nothing that a check could look at, by AWS's own documents, and what that means."""


def _is_content(kind: str, action: str) -> bool:
    """Whether the reason speaks of what was not in the answer: it was empty, or the user's own document in S3."""
    return kind == "empty" or (kind in UNREADABLE and action == "s3:GetObject")


def _was_repeated(case: Case, story: Story) -> bool:
    """Whether the call that went wrong was made again, and well."""
    spoilt = [seen.at for seen in story.seen if seen.spoilt]
    later = [seen for seen in story.seen if case.plan and seen.operation == case.plan.operation and not seen.spoilt]
    return any(seen.at > max(spoilt, default=0.0) for seen in later)


def outcomes(story: Story) -> dict[str, str]:
    """The outcome of each check, the worst where a name comes twice."""
    order = ("skipped", "passed", "failed", "error")
    found: dict[str, str] = {}
    for each in story.last.get("checks", []):
        before = found.get(each["name"], "skipped")
        found[each["name"]] = max(before, each["outcome"], key=order.index)
    return found


def _said(story: Story) -> str:
    """What a hook says of what went wrong: its message, and the details of its checks that did not pass."""
    worse = [check["detail"] for check in story.last["checks"] if check["outcome"] != "passed"]
    return "; ".join([story.last["message"], *worse])


class Judge:
    """What has to hold in a case."""

    def __init__(self, profiles: tuple[Profile, ...], recordings: Mapping[str, Recording]) -> None:
        self.profiles = {profile.name: profile for profile in profiles}
        self.recordings = recordings

    def complaints(self, case: Case, stories: list[Story]) -> list[str]:
        """What does not hold; nothing, if the case held."""
        story = stories[0]
        found = [
            *self._of_plan(case, story),
            *self._of_time(case, story),
            *self._of_words(story),
            *self._of_report(case, story),
            *self._of_smoke_test(case, story),
        ]
        if story.last:
            found += self._of_verdict(case, story)
        for later in stories[1:]:
            found += [*self._of_plan(case, later), *self._of_time(case, later), *self._of_words(later)]
            if not later.last:
                found.append(f"with another value no answer: {[each.error for each in later.deliveries]}")
        if len(stories) > 1:
            found += self._of_member(*stories)
        return found

    def _of_plan(self, case: Case, story: Story) -> Iterator[str]:
        if case.plan is not None and not any(seen.spoilt for seen in story.seen):
            yield "nothing was spoilt"
        if story.errors:
            yield f"the front failed: {story.errors}"

    def _of_time(self, case: Case, story: Story) -> Iterator[str]:
        for each in story.deliveries:
            if each.seconds >= self.profiles[case.profile].seconds or each.error.startswith(
                ("timed out", "the process")
            ):
                yield f"it took {each.seconds:.1f} s: {each.error}"

    def _of_words(self, story: Story) -> Iterator[str]:
        for each in story.deliveries:
            said = [each.error, *(f"{c['name']}: {c['detail']}" for c in (each.result or {}).get("checks", []))]
            for text in said:
                if INTERNAL.search(text):
                    yield f"an exception of the inside is told: {text[:300]}"

    def _of_report(self, case: Case, story: Story) -> Iterator[str]:
        accepted = story.accepted
        told = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}.get(str(story.last.get("status")))
        of_report = case.tries > 1
        if len(accepted) > 1 or (accepted and told and accepted[0] != told):
            yield f"reported {accepted}, returned {told}: {story.last.get('message')}"
        if not of_report and len(story.reports) != 1:
            yield f"reports: {story.reports}"
        if not accepted and told:
            yield f"lost: it returned {told}, and CodeDeploy has no report"
        if not accepted and not told and not of_report:
            yield f"no report, no answer: {[each.error for each in story.deliveries]}"
        if of_report and not accepted and case.plan is not None:
            if len(case.plan.numbers) == 1:
                yield "no report, though only one call went wrong"
            for each in story.deliveries:
                if not each.error or "codedeploy:PutLifecycleEventHookExecutionStatus" not in each.error:
                    yield f"an invocation without a report does not say why: {each.error or each.result}"

    def _of_smoke_test(self, case: Case, story: Story) -> Iterator[str]:
        """It runs once, and is seen to its end or told to; or the hook says that it may still run."""
        if story.smoke_tests > 1:
            yield f"{story.smoke_tests} tasks ran the smoke test"
        if story.left and story.last and "may still run" not in _said(story):
            yield f"task {story.left} may still run, and nobody says so: {_said(story)[:500]}"
        unseen = case.plan is not None and case.plan.operation == "ecs:DescribeTasks"
        if story.left and unseen and kind_of(case) not in TAKES_ALL_TIME:
            yield f"task {story.left} is not stopped, though it was seen no more"

    def _of_verdict(self, case: Case, story: Story) -> Iterator[str]:
        kind, plan = kind_of(case), case.plan
        if plan is not None and plan.operation == REPORT:
            return
        if plan is not None and plan.operation == EVENT:
            yield from self._of_event(case, story)
            return
        if self.profiles[case.profile].expected == "Failed":
            yield from self._of_failure(case, story)
            return
        if kind == "members" and outcomes(story) != outcomes(self.recordings[case.profile].story):
            yield f"members that are not read change something: {story.last['message']}"
        if kind == "member":
            yield from self._of_absence(case, story)
        if kind in ("member", "members"):
            return
        name, said = plan.operation if plan else "", _said(story)
        if story.last["status"] == "SUCCEEDED":
            if kind not in HARMLESS and name not in said and not _was_repeated(case, story):
                yield from self._of_unseen(case, story)
        elif not (re.search(TIME_RAN_OUT, said) and (kind in HARMLESS or (plan and len(plan.numbers) == 1))):
            yield from self._of_reason(case, story)

    def _of_event(self, case: Case, story: Story) -> Iterator[str]:
        """Whatever becomes of the event, the verdict is what it is without a fault."""
        sound = self.recordings[case.profile].story
        if story.last["status"] != sound.last["status"] or outcomes(story) != outcomes(sound):
            yield f"a fault of the event changes the verdict: {story.last['message']}; {outcomes(story)}"

    def _of_reason(self, case: Case, story: Story) -> Iterator[str]:
        """It failed: of what?"""
        kind, plan, said = kind_of(case), case.plan, _said(story)
        name = plan.operation if plan else ""
        if plan and plan.attempts == 1:
            yield f"it failed of one attempt of several: {story.last['message']}"
        elif kind in HARMLESS:
            yield f"it failed of an answer that was {kind}: {story.last['message']}"
        elif name not in said and not (kind == "absent" or _is_content(kind, name)):
            yield f"the reason does not name {name}: {story.last['message']}"
        elif not re.search(FAULT_IN_WORDS[kind], said) and not _is_content(kind, name):
            yield f"the reason does not name the fault: {said[:500]}"

    def _of_failure(self, case: Case, story: Story) -> Iterator[str]:
        """What fails by itself fails under a fault too, for the same reason or for the fault's."""
        if story.last["status"] != "FAILED":
            yield f"it did not fail: {story.last['message']}"
        reasons = [
            {name for name, outcome in outcomes(each).items() if outcome in ("failed", "error")}
            for each in (self.recordings[case.profile].story, story)
        ]
        kind, name, said = kind_of(case), case.plan.operation if case.plan else "", _said(story)
        if not (reasons[0] & reasons[1] or name in said or kind == "absent" or _is_content(kind, name)):
            yield f"it failed neither of what is wrong nor of {name}: {said[:500]}"

    def _of_unseen(self, case: Case, story: Story) -> Iterator[str]:
        """It succeeded, and says nothing of it."""
        action = case.plan.operation if case.plan else ""
        if kind_of(case) == "empty" and action in EMPTY_IS_GOOD:
            return
        yield f"it succeeded and does not say that it could not look: {story.last['message']}"

    def _of_absence(self, case: Case, story: Story) -> Iterator[str]:
        """What was looked at is not left out because a member is missing, if that passes for a success."""
        path = ".".join(case.plan.fault.path) if case.plan else ""
        if story.last["status"] != "SUCCEEDED" or path in SAYS_BY_ABSENCE or path in LEFT_OUT_BY_ABSENCE:
            return
        before, found = outcomes(self.recordings[case.profile].story), outcomes(story)
        for name, outcome in before.items():
            if outcome == "passed" and found.get(name, "skipped") == "skipped":
                detail = next((c["detail"] for c in story.last["checks"] if c["name"] == name), "gone")
                yield f"{name} passed with the member that is missing, and is left out without it: {detail[:200]}"

    def _of_member(self, missing: Story, wrong: Story) -> Iterator[str]:
        without, with_another = outcomes(missing), outcomes(wrong)
        bad = ("failed", "error")
        for name, outcome in without.items():
            if outcome not in bad and with_another.get(name) in bad:
                detail = next(c["detail"] for c in wrong.last["checks"] if c["name"] == name and c["outcome"] in bad)
                if "had not ended" in detail:  # of the machine, not of the value
                    continue
                yield f"{name} is {outcome} without a member that decides ({detail[:200]})"
