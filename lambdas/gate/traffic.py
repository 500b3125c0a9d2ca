"""Requests through one listener: declared checks side by side, flows, and samples. What both traffic hooks do."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from typing import Optional, TypeVar
from urllib.parse import urlsplit

from gate.default_request import CannotAsk, health_request, literal_host, none_and_no_addresses, request_through
from gate.deployment import Astray, Deployment, Listener, LoadBalancer, TargetGroup, TaskSet
from gate.http_checks import Answer, fill, saved, shortcomings
from gate.http_sender import Sender
from gate.network import Caller, shut_out_of
from gate.options import OF_GREEN, Flow, HttpCheck, HttpRequest, Step, TrafficOptions, normalised
from gate.release import Image
from gate.statistics import FIGURES, Statistics, judge_statistics
from gate.verdict import (
    CannotLook,
    Check,
    Finding,
    Named,
    Outcome,
    Severity,
    attempt,
    failed,
    finding_of,
    noted,
    passed,
    severity_for,
    skipped,
)
from gate.waiting import Deadline

SERVING = (  # what a look at whom a listener leads to asks of AWS
    "ecs:DescribeServices",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
# What requests ask of AWS: where to send them, and what `{image_tag}` and secret headers stand for.
SENDING = (
    "ec2:DescribeSecurityGroups",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeLoadBalancers",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
)
OF_CHECKS = ("{http_checks}", *(f"{{http_checks}}:{figure}" for figure in FIGURES))
NAMES = (
    Named(
        "http",
        "The answer to each HTTP check is as it says; without any, that to the health check's path. Where that cannot "
        "be asked or reached, it is said: the load balancer's own health check is what was judged.",
        calls=SENDING,
        parts=("{http_checks}",),
    ),
    Named(
        "samples",
        "Of each HTTP check's samples few fail, and the others are fast enough.",
        calls=(
            *SENDING,
            "ecs:DescribeServices",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
        ),
        parts=OF_CHECKS,
    ),
    Named("flow", "The steps of each flow are answered as they say.", calls=SENDING, parts=("{flows}",)),
)

R = TypeVar("R", bound=HttpRequest)

AT_ONCE = 8  # checks on their way at the same time: enough to be quick, too few to be a load
PAUSE = 0.2  # seconds at least from one sample's start to the next one's: a person clicks as fast
WARM_UP = 10  # samples for each green target that are not judged: the first ones find caches and pools empty
MOST_WARM_UP = 50
IN_FULL = 3  # targets of which a message tells what came of a check; the others are named


def listener_url(listener: Listener, load_balancer: LoadBalancer, group: TargetGroup) -> str:
    """Where a listener that leads to the group answers: its protocol and port, the load balancer's name."""
    return f"{_scheme(listener.protocol, group)}://{load_balancer.dns_name}:{listener.port}"


def _scheme(protocol: str, group: TargetGroup) -> str:
    """What to speak to a listener or target of this protocol; what TCP carries is what the health check speaks."""
    carries_tls = protocol in ("TCP", "TCP_UDP") and group.health_protocol == "HTTPS"
    return "https" if protocol in ("HTTPS", "TLS") or carries_tls else "http"


def way_through(deployment: Deployment, listener: Listener) -> Way:
    """The way through a listener, and whether this function's requests can come to it."""
    try:
        caller = Caller(deployment.in_vpc)
        shut_out = shut_out_of(deployment.load_balancer(listener), listener.port, caller)
    except CannotLook:  # a side question: whether requests arrive will be seen
        shut_out = ""
    return Way(listener, shut_out=shut_out)


def way_to_targets(deployment: Deployment, group: TargetGroup) -> Way:
    """The way to each of green's targets itself, for a function inside the VPC: as the load balancer asks them.

    Raises CannotLook for targets that have no address of their own.
    """
    if group.target_type != "ip":
        raise CannotLook(none_and_no_addresses(group))
    scheme = _scheme(group.protocol, group)
    targets = [target for target in deployment.targets(group) if "draining" not in target.state]
    shown = [f"[{each.address}]" if ":" in each.address else each.address for each in targets]
    urls = [f"{scheme}://{address}:{target.port}" for address, target in zip(shown, targets)]
    return Way(targets=urls, host=literal_host(deployment.production_listener()))


def misrouted(deployment: Deployment, group: TargetGroup, listener: Listener | None, word: str) -> str:
    """What of the listener, its default action or a rule, does not lead to green alone; empty if all does."""
    if listener is None:
        return ""
    if not listener.serves_only(group.arn):
        leads = deployment.weights_in_words(listener)
        return f"the {word} listener does not lead to green ({group.name}) alone but to {leads}"
    astray = listener.astray(group.arn)
    rules = "; ".join(f"rule {r.priority} ({r.where}) leads to {deployment.weights_in_words(r)}" for r in astray)
    return f"of the {word} listener, {rules}: not to green ({group.name}) alone" if rules else ""


def green_serves(deployment: Deployment, group: TargetGroup, listener: Listener | None, word: str) -> Finding:
    """The listener leads to green alone, each rule of it too, and green has a healthy target: before, nothing is sent.

    A request to an empty target group gets a 503 that the load balancer counts, and that has set off a deployment's own
    alarm. `word` names the listener: test or production; without one only the targets are looked at. For tests all of
    green's targets have to be healthy: half of the customers would find out about the others.
    """
    where = deployment.weights_in_words(listener) if listener else "no listener"
    wrong = misrouted(deployment, group, listener, word)
    if wrong:
        return failed(wrong)
    targets = deployment.targets(group)
    # Where no listener leads to the group the load balancer checks nothing: then the requests alone tell.
    unchecked = listener is None and not group.load_balancers
    healthy = [target for target in targets if target.state in ("healthy", "unused" if unchecked else "healthy")]
    if not healthy:
        listed = "; ".join(str(target) for target in targets) or "none is registered"
        return failed(f"no green target is healthy, so nothing is sent: green target {listed}")
    others = [target for target in targets if target not in healthy and "draining" not in target.state]
    if others and word == "test":
        listed = "; ".join(map(str, others))
        said = f"{len(healthy)} of {len(healthy) + len(others)} green targets are healthy, so nothing is sent"
        return failed(f"{said}: green target {listed}")
    leads = f"{word} traffic leads to green ({where})" if listener else f"green is {group.name}"
    return passed(f"{leads}, {len(healthy)} of {len(targets)} target(s) healthy")


@dataclass(frozen=True)
class Way:
    """How requests reach green: through a listener, at an address of the user's, or at each target (`targets`, URLs).

    `host`: the name by which targets are asked; None: each by its own address. `shut_out`: why nothing can reach
    green from this function, as far as is known; empty if it may. `others_judge`: alarms and figures tell of green,
    too, so that requests which do not arrive, or are not let in, are no more than a warning.
    """

    listener: Optional[Listener] = None
    targets: Sequence[str] = ()
    host: Optional[str] = None
    shut_out: str = ""
    others_judge: bool = False


class Traffic:
    """The declared requests of one hook, sent one way."""

    def __init__(
        self,
        deployment: Deployment,
        settings: TrafficOptions,
        deadline: Deadline,
        sender: Sender,
        way: Way,
    ) -> None:
        self.way = way
        self.deployment = deployment
        self.settings = settings
        self.deadline = deadline
        self.sender = sender
        self._found: dict[str, Finding] | None = None
        self._green: dict[str, str] = {}

    def checks(self) -> Generator[Check, bool, bool]:
        """Each declared check, then the samples of those that passed, then the flows; whether all were good."""
        sound = True
        try:
            declared = self._declared
        except CannotAsk as problem:
            yield Check("http:health", partial(noted, f"no request is sent: {problem}"))
            return True
        except CannotLook as problem:
            return (yield Check("http:health", partial(finding_of, problem)))
        for name, check in declared.items():
            answers = yield Check(f"http:{name}", partial(self._finding, name), Severity(check.severity))
            count = self._samples_of(check)
            if count and self._is_good(name):
                look = partial(self._sample, name, check, count)
                answers = yield Check(f"samples:{name}", look, Severity(check.severity))
            sound = sound and answers
        for name, flow in self.settings.flows.items():
            done = yield Check(f"flow:{name}", partial(self._run_flow, flow), Severity(flow.severity))
            sound = sound and done
        return sound

    def ask_again(self, interval: float) -> list[Finding]:
        """Ask the checks that only read once more, and send the flows that are to be repeated, as the bake does.

        Nothing is asked where nothing can be. Checks have two thirds of the `interval` (in seconds), or as long as good
        answers may take: one that hangs must not keep the next look waiting. What may only warn is advisory.
        """
        try:
            declared = self._declared
        except CannotLook as problem:
            if problem.transient:
                raise
            return []
        unasked = {name for name, finding in (self._found or {}).items() if finding.outcome is Outcome.SKIPPED}
        checks = {f"http:{name}": check for name, check in declared.items() if check.only_reads and name not in unasked}
        flows = {f"flow:{name}": flow for name, flow in self.settings.flows.items() if flow.repeat}
        every: Mapping[str, HttpCheck | Flow] = {**checks, **flows}
        chosen = self.settings.checks
        severities = {name: severity_for(name, Severity(each.severity), chosen) for name, each in every.items()}
        left_out = {name for name, severity in severities.items() if severity is Severity.SKIP}
        checks = {name: replace(check, initial_delay=0.0) for name, check in checks.items() if name not in left_out}
        longest = max(
            (each.consecutive_successes * (each.timeout + each.interval) for each in checks.values()), default=0
        )
        patience = self.deadline.within(max(interval * 2 / 3, longest * math.ceil(len(checks) / AT_ONCE)))
        found = [replace(finding, name=name) for name, finding in self._run_side_by_side(checks, patience).items()]
        found += [attempt(name, partial(self._run_flow, flow)) for name, flow in flows.items() if name not in left_out]
        only_warn = {name for name, severity in severities.items() if severity is Severity.WARN}
        return [replace(finding, advisory=finding.advisory or finding.name in only_warn) for finding in found]

    @property
    def by_default(self) -> bool:
        """Whether nothing is declared, so that the health check is what is asked."""
        return not self.settings.http_checks and not self.settings.flows

    @cached_property
    def _declared(self) -> Mapping[str, HttpCheck]:
        if not self.by_default:
            return self.settings.http_checks
        if self.way.shut_out:
            raise CannotAsk(self.way.shut_out)
        green = self.deployment.green()
        group = self.deployment.target_group_of(green)
        health = health_request(group, self._ports(green, group))
        if self.way.listener:
            health = request_through(self.way.listener, health, self.sender.name, self.settings.host)
        return {"health": health}

    def _ports(self, green: TaskSet, group: TargetGroup) -> Iterator[Optional[int]]:
        yield green.container_port
        for target in self.deployment.targets(group):
            yield target.port

    def _samples_of(self, check: HttpCheck) -> int:
        if check.samples is not None:
            return check.samples
        return self.settings.samples if check.only_reads else 0  # nobody wants a hundred orders placed

    def _is_good(self, name: str) -> bool:
        """Whether the check was as expected, or was left out."""
        found = (self._found or {}).get(name)
        return found is None or found.good

    # Checks, side by side.

    def _finding(self, name: str) -> Finding:
        """What came of one check; asked for the first, all of them are sent."""
        if self._found is None:
            overrides = self.settings.checks
            wanted = {
                key: check
                for key, check in self._declared.items()
                if severity_for(f"http:{key}", Severity(check.severity), overrides) is not Severity.SKIP
            }
            self._found = self._run_side_by_side(wanted)
        return self._found[name]

    def _run_side_by_side(
        self, checks: Mapping[str, HttpCheck], deadline: Deadline | None = None
    ) -> dict[str, Finding]:
        deadline = deadline or self.deadline
        found: dict[str, Finding] = {}
        trials: dict[str, list[Trial]] = {}
        for name, check in checks.items():
            try:
                due = deadline.elapsed() + check.initial_delay
                trials[name] = [Trial(each, due) for each in self._ready(check)]
            except CannotLook as problem:
                found[name] = replace(finding_of(problem), advisory=bool(self.way.shut_out) and self.way.others_judge)
        send_side_by_side(chain(*trials.values()), self.sender, deadline)
        of_trials = {name: self._together(each) for name, each in trials.items()}
        return {**found, **{name: self._hidden(finding) for name, finding in of_trials.items()}}

    def _together(self, trials: Sequence[Trial]) -> Finding:
        """What came of one check at several targets: all that went wrong, or that all went well; the first in full."""
        told = [trial for trial in trials if not trial.finding.good] or trials
        said = "; ".join(dict.fromkeys(trial.finding.detail for trial in told[:IN_FULL]))
        others = ", ".join(urlsplit(trial.check.url or "").netloc for trial in told[IN_FULL:])
        if others:
            said += f" (and {len(told) - IN_FULL} of {len(trials)} targets more: {others})"
        # A name that the application does not answer to, a login or a firewall: its targets are healthy all the same.
        no_way = all(trial.answer.unreached or 400 <= trial.answer.status < 500 for trial in trials)
        advisory = self.by_default and self.way.others_judge and no_way
        return replace(told[0].finding, detail=said, advisory=advisory)

    def _ready(self, check: R) -> list[R]:
        """The check with what it needs to be sent: its secrets, and what green is called; once for each target."""
        filled = fill(check, self._of_green)
        self._refuse_astray(filled)
        self.sender.read_secrets(check)
        return self._addressed(filled)

    def _refuse_astray(self, check: HttpRequest) -> None:
        if check.url:
            return
        if self.way.shut_out:
            raise CannotLook(self.way.shut_out)
        if self.way.listener:
            headers = {**self.settings.headers, **check.headers, **check.secret_headers}
            host = check.host or self.settings.host or self.sender.name
            self.way.listener.refuse_astray(host, normalised(check.path), headers)

    def _addressed(self, check: R) -> list[R]:
        """The request as it is sent: where targets are asked themselves, one to each, as if through the listener."""
        if check.url or not self.way.targets:
            return [check]
        host, headers = check.host or self.settings.host or self.way.host, {**self.settings.headers, **check.headers}
        return [
            replace(
                check,
                url=target + check.path,
                path="/",
                host=host or urlsplit(target).netloc,
                headers=headers,
                # A load balancer does not verify its targets' certificates either: they are mostly self-signed.
                verify_tls=check.verify_tls and check.certificate_days is not None,
            )
            for target in self.way.targets
        ]

    def _of_green(self, name: str) -> str | None:
        """What `{image_tag}` and `{revision}` stand for: those of the new task definition."""
        if name not in OF_GREEN:
            return None
        if name not in self._green:
            self._green[name] = self._look_up(name)
        return self._green[name]

    def _look_up(self, name: str) -> str:
        green = self.deployment.green()
        if name == "revision":
            return green.task_definition.rpartition(":")[2]
        containers = self.deployment.task_definition(green.task_definition).get("containerDefinitions") or []
        uri = next((str(each.get("image")) for each in containers if each.get("name") == green.container), "")
        if not uri or not Image.of(uri).tag:
            raise CannotLook(
                f"{{image_tag}}: the image of container {green.container} is {uri or 'not known'}, which has no tag: "
                "expect {revision} instead"
            )
        return Image.of(uri).tag

    def _hidden(self, finding: Finding, *secrets: str) -> Finding:
        said = self.sender.hide(finding.detail, *secrets)
        return replace(finding, detail=said)

    # Flows.

    def _run_flow(self, flow: Flow) -> Finding:
        """Send the steps in order; after one that failed only those that clean up."""
        visitor = self.sender.visitor()
        for step in flow.steps:  # what cannot be had is found out before anything is sent
            self._refuse_astray(fill(step, self._of_green))
            visitor.read_secrets(step)
        known: dict[str, str] = {}
        secrets: set[str] = set()
        done: list[str] = []
        wrong: list[str] = []
        for number, step in enumerate(flow.steps):
            title = flow.title(number)
            if wrong and not (step.always and _can_be_sent(step, flow, known)):
                continue
            filled = fill(step, lambda name: known.get(name) or self._of_green(name))
            # It is called as it is declared: what was saved may be a token.
            try:
                self._refuse_astray(filled)
            except Astray:
                wrong.append(f"{title}: {step.request}: with what was saved, no rule of the listener leads it to green")
                continue
            cleaning_up = sum(each.timeout for each in flow.steps[number + 1 :] if each.always)
            spare = 0.0 if step.always else min(cleaning_up, self.deadline.remaining() / 2)
            until = self.deadline.within(self.deadline.remaining() - spare)
            quotes_body = not flow.secrets & step.save.keys()
            trial = Trial(self._addressed(filled)[0], until.elapsed(), step.request, quotes_body=quotes_body)
            send_side_by_side([trial], visitor, until)
            found = saved(step, trial.answer)  # of a bad answer too: what it made has to be cleaned up
            known.update({name: value for name, value in found.items() if value})
            secrets.update(known[name] for name in flow.secrets & known.keys())
            if not trial.finding.good:
                wrong.append(f"{title}: {trial.finding.detail}")
                continue
            # An empty value is none: DELETE /orders/{id} would be another request.
            missing = ", ".join(f"{name} ({step.save[name]})" for name, value in found.items() if not value)
            if missing:
                cut_off = f" (the body has more than {step.max_body} bytes: raise max_body)"
                why = cut_off if trial.answer.cut_off else ""
                wrong.append(f"{title}: {step.request}: the answer does not hold {missing}{why}")
                continue
            done.append(f"{title} {trial.answer.status}")
        passes = ", ".join(done) or "none"
        said = f"{'; '.join(wrong)} (passed: {passes})" if wrong else f"{len(done)} steps: {passes}"
        return self._hidden(failed(said) if wrong else passed(said), *secrets)

    # Samples.

    def _sample(self, name: str, check: HttpCheck, count: int) -> list[Finding]:
        """Error rate and percentiles over several requests, once green is warm."""
        ready, concurrency = self._ready(check), self.settings.concurrency
        each = math.ceil(count / len(ready))  # at each target
        samples = [
            send_samples(asked, self.sender, each, concurrency, self.deadline, warm_up=self._warm_up(asked))
            for asked in ready
        ]
        count = each * len(ready)
        outcomes = [(latency_ms, self.sender.hide(why)) for of_one in samples for latency_ms, why in of_one.outcomes]
        many = f"{name}: {len(outcomes)} of {count} samples"
        # It is what a service is to do that is asked too often.
        if any(of_one.asked_for_fewer for of_one in samples):
            said = f"{many} were judged, then the service asked for fewer requests (status 429)"
            found = passed(said, f"samples:{name}") if outcomes else skipped(said, f"samples:{name}")
        elif len(outcomes) < count:
            said = f"{name}: only {len(outcomes)} of {count} samples were sent before time was over: ask for fewer"
            found = failed(said, f"samples:{name}")
        else:
            found = None
        if found and not outcomes:
            return [found]
        figures = judge_statistics(f"samples:{name}", name, Statistics.of(outcomes), self.settings.thresholds)
        return [*figures, found] if found else figures

    def _warm_up(self, check: HttpCheck) -> int:
        """How many requests come before the samples; none of those that change something, and are sent by request."""
        if not check.only_reads:
            return 0
        if check.url:
            return WARM_UP
        targets = self.deployment.targets(self.deployment.target_group_of(self.deployment.green()))
        return min(WARM_UP * max(len([target for target in targets if target.state == "healthy"]), 1), MOST_WARM_UP)


def _can_be_sent(step: Step, flow: Flow, saved: Mapping[str, str]) -> bool:
    """Whether all was saved that the step's address, headers and body use."""
    lacking = {name for each in flow.steps for name in each.save} - saved.keys()
    body = step.body or step.json or ""
    return not step.needs & lacking and not any(f"{{{name}}}" in body for name in lacking)


class Trial:
    """The attempts of one check, until it is decided."""

    def __init__(self, check: HttpRequest, due: float, request: str = "", *, quotes_body: bool = True) -> None:
        self.check = check
        self.quotes_body = quotes_body  # not of an answer that holds a session or a token
        self.request = request or check.request  # what messages call it
        self.due = due  # when to send next, in the deadline's seconds
        self.answer = Answer(0.0)
        self.over = False
        self.finding = failed(f"{self.request}: time was over before it could be sent")
        self._attempts = self._good_in_a_row = self._silent_in_a_row = 0

    def leave(self, now: float) -> HttpRequest:  # noqa: ARG002 - a sample's pause begins with it
        """The request, which is sent now."""
        if not self._attempts:
            self.finding = failed(f"{self.request}: time was over before it was answered")
        return self.check

    def take(self, answer: Answer, now: float) -> None:
        """Judge an answer (in the main thread), and decide whether there is another attempt."""
        check = self.check
        self.answer = answer
        self._attempts += 1
        self._silent_in_a_row = self._silent_in_a_row + 1 if answer.problem else 0
        wrong = shortcomings(check, answer if self.quotes_body else replace(answer, excerpt=False))
        self._good_in_a_row = 0 if wrong else self._good_in_a_row + 1
        left = check.attempts - self._attempts
        missing = check.consecutive_successes - self._good_in_a_row
        silent = self._silent_in_a_row > check.consecutive_error_limit
        self.over = missing <= 0 or left < missing or silent
        self.due = now + check.interval
        tries = f" (attempt {self._attempts} of {check.attempts})" if check.attempts > 1 else ""
        if wrong:
            self.finding = failed(f"{self.request}: {'; '.join(wrong)}{tries}", attempts=self._attempts)
        elif missing > 0:
            row = f"as expected {self._good_in_a_row} time(s) in a row, {check.consecutive_successes} wanted"
            self.finding = failed(f"{self.request}: {row}{tries}", attempts=self._attempts)
        else:
            said = f"{self.request}: {answer.status} in {answer.latency_ms:.0f} ms"
            milliseconds = round(answer.latency_ms, 1)
            self.finding = passed(said, attempts=self._attempts, milliseconds=milliseconds)


@dataclass
class Samples:
    """What came of samples: each judged one as (latency in ms, why it failed or empty)."""

    outcomes: list[tuple[float, str]] = field(default_factory=list)
    asked_for_fewer: bool = False  # by a status 429, which ended them
    workers: list[Trial] = field(default_factory=list)


class Sampling(Trial):
    """Samples of one check, one after the other: `warm_up` that do not count, then `count` that do.

    Each is judged as the check is, but for its latency, of which there are percentiles, and its certificate.
    """

    def __init__(self, check: HttpRequest, due: float, warm_up: int, count: int, samples: Samples) -> None:
        super().__init__(replace(check, max_latency_ms=None, certificate_days=None), due)
        self._warm_up, self._left, self._samples = warm_up, warm_up + count, samples

    def leave(self, now: float) -> HttpRequest:
        """The request, which is sent now."""
        self.due = now + PAUSE
        return self.check

    def take(self, answer: Answer, now: float) -> None:  # noqa: ARG002
        """Judge an answer (in the main thread)."""
        self._left -= 1
        self.over = self._left <= 0
        if answer.status == 429 and not self.check.accepts(429):
            self._samples.asked_for_fewer = True
            for worker in self._samples.workers:
                worker.over = True
        elif self._warm_up:
            self._warm_up -= 1
        else:
            wrong = shortcomings(self.check, replace(answer, excerpt=False))
            self._samples.outcomes.append((answer.latency_ms, "; ".join(wrong)))


def send_side_by_side(trials: Iterable[Trial], sender: Sender, deadline: Deadline, at_once: int = AT_ONCE) -> None:
    """Send until each trial is decided or the time is over, at most `at_once` at a time.

    Regular expressions take this function's time: they are judged while nothing is on its way, or they would be in the
    latencies of others.
    """
    left = list(trials)
    flying: dict[Future[Answer], Trial] = {}
    landed: list[tuple[Trial, Answer, float]] = []  # not judged yet
    pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="http")
    try:
        while left and deadline.remaining() > 0:
            now = deadline.elapsed()
            busy = [*flying.values(), *(trial for trial, _, _ in landed)]
            resting = sorted((trial for trial in left if trial not in busy), key=lambda trial: trial.due)
            for trial in resting[: 0 if landed else at_once - len(flying)]:
                if trial.due - now < 0.001:  # a sum of floats may come short of what it should be
                    flying[pool.submit(sender.send, trial.leave(now))] = trial
            soonest = min(
                (trial.due - now for trial in resting if trial.due - now >= 0.001), default=deadline.remaining()
            )
            if not flying:
                deadline.sleep(soonest)
                continue
            arrived = wait(flying, min(soonest, deadline.remaining()), FIRST_COMPLETED).done
            landed += [(flying.pop(each), each.result(), deadline.elapsed()) for each in arrived]
            for trial, answer, at in landed:
                if not (flying and trial.check.has_expressions):
                    trial.take(answer, at)
            landed = [each for each in landed if flying and each[0].check.has_expressions]
            left = [trial for trial in left if not trial.over]
        for trial, answer, at in landed:  # what came before time was over
            trial.take(answer, at)
    finally:  # when time is over nobody waits for what is still on its way
        pool.shutdown(wait=False, cancel_futures=True)


def send_samples(
    check: HttpRequest, sender: Sender, count: int, concurrency: int, deadline: Deadline, *, warm_up: int = 0
) -> Samples:
    """Send the check `count` times after `warm_up` times that do not count, `concurrency` at a time."""
    samples = Samples()
    hands = min(count, concurrency)
    for hand in range(hands):
        cold, judged = (warm_up + hand) // hands, (count + hand) // hands
        samples.workers.append(Sampling(check, deadline.elapsed(), cold, judged, samples))
    send_side_by_side(samples.workers, sender, deadline, concurrency)
    return samples
