"""Requests to green: declared checks side by side, samples of them, and flows. What both traffic hooks do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Any, Optional, TypeVar
from urllib.parse import urlsplit

from gate.attempts import AT_ONCE, Attempts, send_samples, send_side_by_side
from gate.default_request import CannotAsk, health_request, literal_host, none_and_no_addresses, request_through
from gate.deployment import Deployment
from gate.elb import Listener, LoadBalancer, Misrouted, TargetGroup
from gate.http_checks import Answer, fill, saved
from gate.http_sender import Sender
from gate.names import Named
from gate.network import Caller, shut_out_of
from gate.options.requests import OF_GREEN, Flow, HttpCheck, HttpRequest, Step, TrafficOptions, normalised
from gate.release import Image
from gate.runner import Gate
from gate.statistics import FIGURES, Statistics, judge_statistics
from gate.verdict import Finding, ProbeError, Severity, attempt, failed, finding_of, noted, passed, skipped
from gate.waiting import Deadline

TARGETS = (
    "ecs:DescribeServices",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
# What a look at whom a listener forwards to asks of AWS.
SERVING = (*TARGETS, "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules")
# What requests ask of AWS: where to send them, and what `{image_tag}` and secret headers stand for.
SENDING = (
    "ec2:DescribeSecurityGroups",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeLoadBalancers",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
)
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
        calls=(*SENDING, *TARGETS),
        parts=("{http_checks}", *(f"{{http_checks}}:{figure}" for figure in FIGURES)),
    ),
    Named("flow", "The steps of each flow are answered as they say.", calls=SENDING, parts=("{flows}",)),
)

R = TypeVar("R", bound=HttpRequest)

WARM_UP = 10  # samples for each green target that are not judged: the first ones find caches and pools empty
MOST_WARM_UP = 50
IN_FULL = 3  # targets of which a message tells what came of a check; the others are named


def listener_url(listener: Listener, load_balancer: LoadBalancer, group: TargetGroup) -> str:
    """Where a listener that forwards to the group answers: its protocol and port, the load balancer's name."""
    return _url(listener.protocol, group, load_balancer.dns_name, listener.port)


def _url(protocol: str, group: TargetGroup, name: str, port: Optional[int]) -> str:
    """Of a listener or target of this protocol; what TCP carries is what the group's health check speaks."""
    carries_tls = protocol in ("TCP", "TCP_UDP") and group.health_protocol == "HTTPS"
    scheme = "https" if protocol in ("HTTPS", "TLS") or carries_tls else "http"
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


@dataclass(frozen=True)
class Way:
    """How requests reach green: at `url`, the listener's or an address of the user's, or at each of `targets` (URLs).

    `host`: the name by which targets are asked; None: each by its own address. `shut_out`: why nothing can reach
    green from this function, as far as is known; empty if it may. `on_both_sides`: blue may answer, so we ask nothing.
    `others_judge`: alarms and figures tell of green, too, so that requests which do not arrive, or are not let in, are
    no more than a warning.
    """

    url: str
    listener: Optional[Listener] = None
    targets: Sequence[str] = ()
    host: Optional[str] = None
    shut_out: str = ""
    on_both_sides: bool = False
    others_judge: bool = False


def way_through(deployment: Deployment, listener: Listener, group: TargetGroup) -> Way:
    """The way through a listener, and whether this function's requests can come to it."""
    balancer = deployment.load_balancer(listener)
    url = listener_url(listener, balancer, group)
    if deployment.shifts_in_steps and sum(map(bool, listener.weights.values())) > 1:
        return Way(url, listener, on_both_sides=True)
    try:
        shut_out = shut_out_of(balancer, listener.port, Caller(deployment.in_vpc))
    except ProbeError:  # a side question: whether requests arrive will be seen
        shut_out = ""
    return Way(url, listener, shut_out=shut_out)


def way_to_targets(deployment: Deployment, group: TargetGroup) -> Way:
    """The way to each of green's targets itself, for a function inside the VPC: as the load balancer asks them.

    Raises ProbeError for targets that have no address of their own.
    """
    if group.target_type != "ip":
        raise ProbeError(none_and_no_addresses(group, deployment.words))
    targets = [target for target in deployment.targets(group) if "draining" not in target.state]
    if not targets:
        raise ProbeError(f"{group.name}, green's target group, has no target to ask")
    urls = [_url(group.protocol, group, target.address, target.port) for target in targets]
    return Way(urls[0], targets=urls, host=literal_host(deployment.production_listener()))


def misrouted(deployment: Deployment, group: TargetGroup, listener: Listener | None, word: str) -> str:
    """What of the listener, its default action or a rule, does not forward to green alone; empty if all does."""
    if listener is None:
        return ""
    in_steps = word == "production" and deployment.shifts_in_steps and listener.weights.get(group.arn)
    if not (in_steps or listener.serves_only(group.arn)):
        leads = deployment.weights_in_words(listener)
        return f"the {word} listener does not forward to green ({group.name}) alone but to {leads}"
    elsewhere = [] if in_steps else listener.misrouted(group.arn)
    rules = "; ".join(f"rule {r.priority} ({r.where}) forwards to {deployment.weights_in_words(r)}" for r in elsewhere)
    return f"of the {word} listener, {rules}: not to green ({group.name}) alone" if rules else ""


def green_serves(deployment: Deployment, group: TargetGroup, listener: Listener | None, word: str) -> Finding:
    """The listener forwards to green alone, so does each rule, and green has a healthy target: before, nothing is sent.

    A request to an empty target group gets a 503 that the load balancer counts, and that has set off a deployment's own
    alarm. `word` names the listener: test or production; without one only the targets are looked at. For tests all of
    green's targets have to be healthy: half of the customers would find out about the others.
    """
    wrong = misrouted(deployment, group, listener, word)
    if wrong:
        return failed(wrong)
    targets = deployment.targets(group)
    # Where no listener forwards to the group the load balancer checks nothing: then the requests alone tell.
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
    for other in deployment.further:
        beside = other.production_listener() if word == "production" else other.test_listener()
        found = green_serves(other, other.target_group_of(other.green()), beside, word)
        if not found.ok:
            return found
    leads = f"green is {group.name}"
    if listener:
        leads = f"{word} traffic goes to green ({deployment.weights_in_words(listener)})"
    return passed(f"{leads}, {len(healthy)} of {len(targets)} target(s) healthy")


class Traffic:
    """The declared requests of one hook, sent one way. Without any, the health check's own is sent."""

    def __init__(self, gate: Gate[Any], way: Way) -> None:
        self.gate, self.deployment, self.way = gate, gate.deployment, way
        self.options: TrafficOptions = gate.options
        own = {name.lower() for name in self.options.headers}
        of_rule = way.listener.headers if way.listener else {}
        self.headers = {name: value for name, value in of_rule.items() if name.lower() not in own}
        self.headers.update(self.options.headers)
        self.sender = Sender(way.url, self.options.host, self.headers)

    def run(self) -> bool:
        """Each HTTP check, then samples of those that passed, then the flows; whether the hook may still succeed."""
        gate, sound, bad = self.gate, True, set()
        if self.way.on_both_sides:
            said = "production is on both sides at this step, and blue might answer: nothing is asked"
            return bool(gate.check("http", partial(noted, said)))
        if self.way.listener and self.deployment.propagation:
            gate.deadline.sleep(min(self.deployment.propagation, gate.deadline.remaining() / 4))
        if self.by_default or self.options.http_checks:
            checked = gate.check("http", self.send_checks)
            sound, bad = bool(checked), {result.name for result in checked.results if not result.finding.ok}
        declared: Mapping[str, HttpCheck] = {}
        with suppress(ProbeError):  # what cannot be asked, `http` has said
            declared = self._declared
        for name, check in declared.items():  # those that were as expected, or were left out
            count = self._samples_of(check)
            if count and f"http:{name}" not in bad:
                probe = partial(self._sample, name, check, count)
                sound &= bool(gate.check(f"samples:{name}", probe, Severity(check.severity)))
        for name, flow in self.options.flows.items():
            sound &= bool(gate.check(f"flow:{name}", partial(self._run_flow, flow), Severity(flow.severity)))
        return sound

    def send_checks(self) -> list[Finding]:
        """Send all HTTP checks side by side; a finding of each, named `http:<check>`."""
        try:
            return self._send(self._declared, self.gate.deadline)
        except CannotAsk as problem:
            return [noted(f"no request is sent: {problem}", "http:health")]
        except ProbeError as problem:
            return [finding_of(problem, "http:health")]

    def ask_again(self, interval: float) -> list[Finding]:
        """Ask the checks that only read once more, and send the flows that are to be repeated, as the bake does.

        Nothing is asked where nothing can be. Checks have two thirds of the `interval` (in seconds), or as long as good
        answers may take: one that hangs must not keep the next look waiting.
        """
        gate = self.gate
        if self.way.on_both_sides:
            return []
        try:
            declared = self._declared
        except ProbeError as problem:
            if problem.retryable:
                raise
            return []
        checks = {
            name: replace(check, initial_delay=0.0)
            for name, check in declared.items()
            if check.only_reads and not gate.left_out(f"http:{name}")
        }
        needs = [each.consecutive_successes * (each.timeout + each.interval) for each in checks.values()]
        patience = max(interval * 2 / 3, max(needs, default=0) * math.ceil(len(checks) / AT_ONCE))
        found = self._send(checks, gate.deadline.within(patience))
        for name, flow in self.options.flows.items():
            if flow.repeat and not gate.left_out(f"flow:{name}"):
                finding = attempt(f"flow:{name}", partial(self._run_flow, flow))
                found.append(replace(finding, severity=Severity(flow.severity)))
        return found

    @property
    def by_default(self) -> bool:
        """Whether nothing is declared, so that the health check is what is asked."""
        return not self.options.http_checks and not self.options.flows

    @cached_property
    def _declared(self) -> Mapping[str, HttpCheck]:
        if not self.by_default:
            return self.options.http_checks
        if self.way.shut_out:
            raise CannotAsk(self.way.shut_out)
        green = self.deployment.green()
        group = self.deployment.target_group_of(green)
        ports = chain([green.container_port], (target.port for target in self.deployment.targets(group)))
        health = health_request(group, ports)
        if self.way.listener:
            health = request_through(self.way.listener, health, self.sender.name, self.options.host)
        return {"health": health}

    # Checks, side by side

    def _send(self, checks: Mapping[str, HttpCheck], deadline: Deadline) -> list[Finding]:
        """What came of each check, also of those that are left out."""
        found: dict[str, Finding] = {}
        sent: dict[str, list[Attempts]] = {}
        severities = {name: Severity(check.severity) for name, check in checks.items()}
        for name, check in checks.items():
            left_out = self.gate.left_out(f"http:{name}", severities[name])
            if left_out:
                found[name] = left_out
                continue
            try:
                due = deadline.elapsed() + check.initial_delay
                sent[name] = [Attempts(each, due) for each in self._ready(check)]
            except ProbeError as problem:
                found[name] = replace(finding_of(problem), advisory=bool(self.way.shut_out) and self.way.others_judge)
        send_side_by_side(chain(*sent.values()), self.sender, deadline)
        found.update({name: self._together(each) for name, each in sent.items()})
        return [replace(found[name], name=f"http:{name}", severity=severities[name]) for name in checks]

    def _together(self, attempts: Sequence[Attempts]) -> Finding:
        """What came of one check at several targets: all that went wrong, or that all went well; the first in full."""
        told = [each for each in attempts if not each.finding.ok] or attempts
        said = "; ".join(dict.fromkeys(each.finding.detail for each in told[:IN_FULL]))
        others = ", ".join(urlsplit(each.check.url or "").netloc for each in told[IN_FULL:])
        if others:
            said += f" (and {len(told) - IN_FULL} of {len(attempts)} targets more: {others})"
        # A name that the application does not answer to, a login or a firewall: its targets are healthy all the same.
        no_way = all(each.answer.unreached or 400 <= each.answer.status < 500 for each in attempts)
        advisory = self.by_default and self.way.others_judge and no_way
        return replace(told[0].finding, detail=self.sender.redact(said), advisory=advisory)

    def _ready(self, check: R) -> list[R]:
        """The check as it is sent, once for each target, with its secrets read and green's names filled in."""
        filled = fill(check, self.value_of_green)
        self._require_route_to_green(filled)
        self.sender.read_secrets(check)
        return self._addressed(filled)

    def _require_route_to_green(self, check: HttpRequest) -> None:
        if check.url:
            return
        if self.way.shut_out:
            raise ProbeError(self.way.shut_out)
        if self.way.listener:
            headers = {**self.headers, **check.headers, **check.secret_headers}
            host = check.host or self.options.host or self.sender.name
            self.way.listener.require_route_to_green(host, normalised(check.path), headers)

    def _addressed(self, check: R) -> list[R]:
        """The request as it is sent: where targets are asked themselves, one to each, as if through the listener."""
        if check.url or not self.way.targets:
            return [check]
        host, headers = check.host or self.options.host or self.way.host, {**self.headers, **check.headers}
        # A load balancer does not verify its targets' certificates either: they are mostly self-signed.
        asked = replace(check, path="/", headers=headers, verify_tls=False)
        targets = self.way.targets
        return [replace(asked, url=each + check.path, host=host or urlsplit(each).netloc) for each in targets]

    def value_of_green(self, name: str) -> Optional[str]:
        """What `{image_tag}` and `{revision}` stand for, those of the new task definition; None for other names."""
        return self.deployment.memoize(f"{{{name}}}", partial(self._look_up, name)) if name in OF_GREEN else None

    def _look_up(self, name: str) -> str:
        green = self.deployment.green()
        if name == "revision":
            return green.task_definition.rpartition(":")[2]
        containers = self.deployment.task_definition(green.task_definition).get("containerDefinitions") or []
        uri = next((str(each.get("image")) for each in containers if each.get("name") == green.container), "")
        if not uri or not Image.of(uri).tag:
            said = f"the image of container {green.container} is {uri or 'not known'}, which has no tag"
            raise ProbeError(f"{{image_tag}}: {said}: expect {{revision}} instead")
        return Image.of(uri).tag

    # Flows

    def _run_flow(self, flow: Flow) -> Finding:
        """Send the steps in order; after one that failed only those that clean up."""
        session = self.sender.session()
        for step in flow.steps:  # what cannot be had is found out before anything is sent
            self._require_route_to_green(fill(step, self.value_of_green))
            session.read_secrets(step)
        known: dict[str, str] = {}
        secrets: set[str] = set()
        done: list[str] = []
        wrong: list[str] = []
        for number, step in enumerate(flow.steps):
            if wrong and not (step.always and _can_be_sent(step, flow, known)):
                continue
            cleaning_up = sum(each.timeout for each in flow.steps[number + 1 :] if each.always)
            remaining = self.gate.deadline.remaining()
            until = self.gate.deadline.within(remaining - (0.0 if step.always else min(cleaning_up, remaining / 2)))
            quotes_body = not flow.secrets & step.save.keys()
            answer, problem = self._send_step(step, session, until, known, quotes_body=quotes_body)
            found = saved(step, answer)  # of a bad answer too: what it made has to be cleaned up
            known.update({name: value for name, value in found.items() if value})
            secrets.update(known[name] for name in flow.secrets & known.keys())
            # An empty value is none: DELETE /orders/{id} would be another request.
            missing = ", ".join(f"{name} ({step.save[name]})" for name, value in found.items() if not value)
            if missing and not problem:
                cut_off = f" (the body has more than {step.max_body} bytes: raise max_body)" if answer.cut_off else ""
                problem = f"{step.request}: the answer does not hold {missing}{cut_off}"
            if problem:
                wrong.append(f"{flow.title(number)}: {problem}")
            else:
                done.append(f"{flow.title(number)} {answer.status}")
        passes = ", ".join(done) or "none"
        said = f"{'; '.join(wrong)} (passed: {passes})" if wrong else f"{len(done)} steps: {passes}"
        said = self.sender.redact(said, *secrets)
        return failed(said) if wrong else passed(said)

    def _send_step(
        self, step: Step, session: Sender, until: Deadline, known: Mapping[str, str], *, quotes_body: bool
    ) -> tuple[Answer, str]:
        """The answer to a step, and what is wrong with it.

        Messages call the step as it is declared: what was saved may be a token.
        """
        filled = fill(step, lambda name: known.get(name) or self.value_of_green(name))
        try:
            self._require_route_to_green(filled)
        except Misrouted:
            return Answer(0.0), f"{step.request}: with what was saved, no rule of the listener forwards it to green"
        sent = Attempts(self._addressed(filled)[0], until.elapsed(), step.request, quotes_body=quotes_body)
        send_side_by_side([sent], session, until)
        return sent.answer, "" if sent.finding.ok else sent.finding.detail

    # Samples

    def _samples_of(self, check: HttpCheck) -> int:
        if check.samples is not None:
            return check.samples
        return self.options.samples if check.only_reads else 0  # nobody wants a hundred orders placed

    def _sample(self, name: str, check: HttpCheck, count: int) -> list[Finding]:
        """Error rate and percentiles over several requests, once green is warm."""
        ready = self._ready(check)
        each = math.ceil(count / len(ready))  # at each target
        count, outcomes, asked_for_fewer = each * len(ready), [], False
        for asked in ready:
            warm_up, concurrency = self._warm_up(asked), self.options.concurrency
            samples = send_samples(asked, self.sender, each, concurrency, self.gate.deadline, warm_up=warm_up)
            outcomes += [(latency_ms, self.sender.redact(why)) for latency_ms, why in samples.outcomes]
            asked_for_fewer = asked_for_fewer or samples.asked_for_fewer
        many, label = f"{name}: {len(outcomes)} of {count} samples", f"samples:{name}"
        found: list[Finding] = []
        if asked_for_fewer:  # it is what a service is to do that is asked too often
            said = f"{many} were judged, then the service asked for fewer requests (status 429)"
            found = [passed(said, label) if outcomes else skipped(said, label)]
        elif len(outcomes) < count:
            said = f"{name}: only {len(outcomes)} of {count} samples were sent before time was over: ask for fewer"
            found = [failed(said, label)]
        if found and not outcomes:
            return found
        return [*judge_statistics(label, name, Statistics.of(outcomes), self.options.thresholds), *found]

    def _warm_up(self, check: HttpCheck) -> int:
        """How many requests come before the samples; none of those that change something, and are sent by request."""
        if not check.only_reads:
            return 0
        if check.url:
            return WARM_UP
        targets = self.deployment.targets(self.deployment.target_group_of(self.deployment.green()))
        return min(WARM_UP * max(len([target for target in targets if target.state == "healthy"]), 1), MOST_WARM_UP)


def _can_be_sent(step: Step, flow: Flow, known: Mapping[str, str]) -> bool:
    """Whether all was saved that the step's address, headers and body use."""
    lacking = {name for each in flow.steps for name in each.save} - known.keys()
    body = step.body or step.json or ""
    return not step.needs & lacking and not any(f"{{{name}}}" in body for name in lacking)
