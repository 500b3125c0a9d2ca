"""Lanes side by side: forked from one process that has read moto and botocore's models, fed one case after the other.

Most cases wait for something, so there are more lanes than processors. A lane whose profile has no more cases ends, and
another one starts where most are left.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.policies import Noted
from tests.proof.fault_front import Path as MemberPath
from tests.proof.fault_front import Plan
from tests.proof.fault_lane import Lane, Story
from tests.proof.fault_profiles import Profile

LANES = 20
TOGETHER = 4  # profiles that are recorded at the same time
FOR_EVER = float("inf")  # seconds


@dataclass(frozen=True)
class Case:
    """One event of one profile under one fault."""

    profile: str
    name: str
    plan: Plan | None = None
    tries: int = 1
    kill: tuple[int, str] | None = None
    again: bool = False
    more: tuple[Plan, ...] = ()
    """What is tried after it, if it succeeded."""


@dataclass(frozen=True)
class Recording:
    """A profile's run without a fault: its story, and each operation's number of calls, service and members."""

    story: Story
    counts: dict[str, int]
    services: dict[str, str]
    names: dict[str, str]
    members: dict[str, list[MemberPath]]
    bare: set[str]
    """The operations whose answers have no body."""
    lists: dict[str, list[str]]
    """By operation: the lists of its answers, which can be empty."""


def record(lane: Lane) -> Recording:
    """Play a profile without a fault."""
    story = lane.play(None)
    counts: dict[str, int] = {}
    for seen in story.seen:
        counts[seen.operation] = max(seen.number, counts.get(seen.operation, 0))
    answers = lane.front.answers
    return Recording(
        story,
        counts,
        {action: known.service for action, known in answers.items()},
        {action: known.name for action, known in answers.items()},
        {action: list(known.members) for action, known in answers.items()},
        set(lane.front.bare),
        {action: list(known.lists) for action, known in answers.items()},
    )


def play(lane: Lane, case: Case) -> list[Story]:
    """Play a case, and what is tried after it."""
    if case.kill or case.again or (case.plan and case.plan.seconds < FOR_EVER):
        return [lane.play(case.plan, case.tries, case.kill, case.again)]
    stories = [_struck(lane, case)]
    if case.plan and case.plan.attempts == 1 and stories[0].last.get("status") != lane.profile.expected.upper():
        # The hundreds of cases before may have used up the retries that botocore allows a process.
        lane.function.end()
        stories = [_struck(lane, case)]
    if stories[0].last.get("status") == "SUCCEEDED":
        stories += [_struck(lane, replace(case, plan=plan, tries=1)) for plan in case.more]
    return stories


def _struck(lane: Lane, case: Case) -> Story:
    """Play a case; where the call never came, again, and where the last one came earlier, with the number it had."""
    story = lane.play(case.plan, case.tries)
    for _ in range(3):
        if case.plan is None or any(seen.spoilt for seen in story.seen):
            break
        last = max((seen.number for seen in story.seen if seen.operation == case.plan.operation), default=0)
        plan = replace(case.plan, numbers=range(last, last + 1)) if last else case.plan
        story = lane.play(plan, case.tries)
    return story


def _serve(connection: Connection, parent: int, profile: Profile, dist: Path, folder: Path) -> None:
    """Answer cases until there are none, or nobody is left who asks."""
    lane = Lane(profile, dist, folder)
    try:
        lane.play(None)  # the first time the process is cold
        while True:
            while not connection.poll(1):
                if os.getppid() != parent:
                    return
            case = connection.recv()
            if case == "end":
                return
            lane.case = case if case == "record" else case.name
            try:
                found: Any = record(lane) if case == "record" else play(lane, case)
            except Exception:  # noqa: BLE001  # whatever it is, it is told where the tests see it
                found = traceback.format_exc()
            connection.send((found, lane.hand_in()))
    except (EOFError, OSError):
        return
    finally:
        lane.close()


class Pool:
    """Lanes for profiles."""

    def __init__(self, profiles: Iterable[Profile], dist: Path, folder: Path) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self._dist = dist
        self._folder = folder
        self.noted = Noted()
        """What the functions in all lanes asked of IAM."""
        self._started = 0
        self._lanes: dict[Connection, tuple[str, Any]] = {}
        gc.freeze()  # what was read before the fork stays shared

    def _start(self, profile: str) -> Connection:
        ours, theirs = multiprocessing.get_context("fork").Pipe()
        self._started += 1
        folder = self._folder / f"lane-{self._started}"
        process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(theirs, os.getpid(), self._profiles[profile], self._dist, folder), daemon=True
        )
        process.start()
        theirs.close()
        self._lanes[ours] = (profile, process)
        return ours

    def _end(self, lane: Connection) -> None:
        _, process = self._lanes.pop(lane)
        lane.send("end")
        lane.close()
        process.join(15)
        if process.is_alive():
            process.kill()
            process.join()

    def close(self) -> None:
        """End all lanes."""
        for lane in list(self._lanes):
            self._end(lane)

    def record(self) -> dict[str, Recording]:
        """Record each profile, a few at a time: by these all cases are judged, so the machine must not be busy.

        What did not end as expected is recorded once more.
        """
        found: dict[str, Recording] = {}
        wanted = [*self._profiles]
        while wanted:
            few, wanted = wanted[:TOGETHER], wanted[TOGETHER:]
            for lane in [self._start(profile) for profile in few]:
                lane.send("record")
            for lane, (profile, _) in list(self._lanes.items())[-len(few) :]:
                again = profile in found
                found[profile] = self._received(lane)
                self._end(lane)
                if not again and found[profile].story.accepted != [self._profiles[profile].expected]:
                    wanted.append(profile)
        return found

    def _neediest(self, left: dict[str, list[Case]]) -> str:
        """The profile that another lane helps most; none where those there are will be through before it starts."""
        lanes = [profile for profile, _ in self._lanes.values()]
        neediest = max(left, key=lambda name: len(left[name]) / (1 + lanes.count(name)))
        return neediest if len(left[neediest]) > (5 if neediest in lanes else 0) else ""

    def play(self, cases: Iterable[Case]) -> Iterator[tuple[Case, list[Story]]]:
        """Play cases; they come back in the order in which they end."""
        left: dict[str, list[Case]] = {profile: [] for profile in self._profiles}
        for case in cases:
            left[case.profile].append(case)
        playing: dict[Connection, Case] = {}
        idle = list(self._lanes)
        while True:
            for lane in idle:
                profile = self._lanes[lane][0]
                if left[profile]:
                    playing[lane] = left[profile].pop(0)
                    lane.send(playing[lane])
                else:
                    self._end(lane)
            idle = []
            while len(self._lanes) < LANES and (neediest := self._neediest(left)):
                lane = self._start(neediest)
                playing[lane] = left[neediest].pop(0)
                lane.send(playing[lane])
            if not playing:
                return
            for ready in wait(list(playing)):
                if not isinstance(ready, Connection):
                    continue
                case = playing.pop(ready)
                yield case, self._received(ready)
                idle.append(ready)

    def _received(self, lane: Connection) -> Any:
        answer, noted = lane.recv()
        if not isinstance(answer, (Recording, list)):
            raise TypeError(f"a lane failed:\n{answer}")
        self.noted.add(noted)
        return answer
