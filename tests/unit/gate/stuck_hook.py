"""A hook whose second check never ends, each time in another way (`STUCK` names it). Run by test_gate_watchdog.py."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from gate import aws
from gate.options import HookOptions, option
from gate.runner import ContinueLater, Gate, hook
from gate.verdict import Finding, passed


def endless_loop() -> None:
    """Python code that computes for ever."""
    while True:
        pass


def runaway_expression() -> None:
    """A regular expression with catastrophic backtracking: it holds the interpreter all the time."""
    re.match(r"(a+)+$", "a" * 60 + "b")


def sleeping() -> None:
    """A sleep that is too long."""
    time.sleep(600)


def silent_peer() -> None:
    """A socket without a time-out whose other end says nothing."""
    here, _there = socket.socketpair()
    here.recv(1)


def deaf_call_into_c() -> None:
    """A call into C that no signal interrupts: Python never gets to run the alarm's handler."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    ctypes.CDLL(None).sleep(600)


def swallows_exceptions() -> None:
    """Code that carries on whatever `Exception` comes."""
    while True:
        with contextlib.suppress(Exception):
            time.sleep(600)


def swallows_everything() -> None:
    """Code that carries on whatever comes."""
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(600)


def continues_too_late() -> None:
    """A check that wants to continue in another invocation when the watchdog has reported already."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(3.4)
    raise ContinueLater({}, "")


def silent_aws() -> None:
    """An AWS endpoint that accepts and never answers."""
    aws.call("ecs", "describe_services", services=["web"])


def dripping_continuation() -> None:
    """A check that continues in another invocation, of a Lambda whose answer does not come to an end."""
    raise ContinueLater({}, "")


WAYS: dict[str, Callable[[], None]] = {
    way.__name__: way
    for way in (
        endless_loop,
        runaway_expression,
        sleeping,
        silent_peer,
        deaf_call_into_c,
        swallows_exceptions,
        swallows_everything,
        continues_too_late,
        silent_aws,
        dripping_continuation,
    )
}


@dataclass(frozen=True)
class PatientOptions(HookOptions):
    """What lets a hook continue in another invocation."""

    max_duration: float = option("seconds in all", 3000.0, unit="seconds", least=60, most=3300)


@hook("AfterInstall", PatientOptions)
def handler(gate: Gate[PatientOptions]) -> None:
    """Pass one check, then be stuck in the next."""

    def stuck() -> Finding:
        WAYS[os.environ["STUCK"]]()
        return passed("it has ended after all")

    gate.check("good", lambda: passed("good"))
    if os.environ.get("STUCK") in WAYS:
        gate.check("stuck", stuck)
