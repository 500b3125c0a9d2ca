"""Ends a hook's checks in time and lets it answer once: the guarantee that a deployment always gets its report.

Three guards keep it. Every check runs inside a `try` (gate.runner). An alarm (SIGALRM) interrupts the checks while
there is still time to report, a runaway regular expression included. A watchdog thread reports if even that does not
free the main thread, as in a call into C that never returns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from gate.waiting import Deadline, OutOfTime, interrupt, reserve

DEFAULT_TIME = 900.0  # seconds, where no Lambda context says more

Answer = dict[str, Any]


class Invocation:
    """One invocation of a function: its time, and its one answer.

    `ends_at`: when Lambda ends it, on the monotonic clock. `reserve`: seconds kept for the report. `deadline`: of its
    checks.
    """

    def __init__(self, context: Any) -> None:
        self.started = time.monotonic()
        seconds = _seconds_left(context)
        self.ends_at = self.started + seconds
        self.reserve = reserve(seconds)
        self.deadline = Deadline(seconds - self.reserve)
        self._lock = threading.Lock()
        self._answer: Optional[Answer] = None

    @property
    def seconds(self) -> float:
        """Seconds that it had for its checks."""
        return self.ends_at - self.started - self.reserve

    def until(self, before_end: float) -> float:
        """Seconds from now until so many seconds before its end."""
        return self.ends_at - before_end - time.monotonic()

    @contextmanager
    def guard(self, on_stuck: Callable[[], None]) -> Iterator[None]:
        """Raise OutOfTime in the main thread a third into the reserve; call `on_stuck` in another one at half of it.

        A check that keeps to its deadline has that third to end by itself, with all it found.
        """
        watchdog = threading.Timer(self.until(self.reserve / 2), on_stuck)
        watchdog.daemon = True
        with interrupt(self.until(self.reserve * 2 / 3), OutOfTime):
            watchdog.start()
            try:
                yield
            finally:
                watchdog.cancel()

    def answer(self, make: Callable[[], Answer]) -> Answer:
        """The one answer: that of whoever comes first, the main thread or the watchdog. Raises what `make` raises."""
        with self._lock:
            if self._answer is None:
                self.deadline.call_off()
                self._answer = make()
            return self._answer


def _seconds_left(context: Any) -> float:
    try:
        milliseconds = context.get_remaining_time_in_millis()
    except Exception:  # noqa: BLE001  # no Lambda context, or one of a test's own: somebody calls the handler by hand
        return DEFAULT_TIME
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else DEFAULT_TIME  # a mock counts as a float
