"""Plays scenarios on one applied environment, each with the runtime of its functions that it is told.

    python -m tests.proof.plays <folder of the reports> <scenario>@<environment below .build>…

A program of its own: what plays is forked, and pytest is no process to fork. Of each, <scenario>@<environment> is
written: the record (.json), the page (.html) and what the functions logged (.log).
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rehearsal import terminal
from rehearsal.html_report import write
from rehearsal.play import play, save
from rehearsal.record import Record
from rehearsal.scenarios import find
from rehearsal.stage import BUILD, Applied, Child, Stage
from tests.proof.planted import SCENARIOS


def main(arguments: list[str]) -> int:
    """Play them, a few at a time; return the exit status."""
    report, waiting = Path(arguments[0]), arguments[1:]
    signal.signal(signal.SIGTERM, _end)
    stage = Stage(lambda _line: None)
    playing: dict[str, Child] = {}
    broken: list[str] = []
    try:
        applied = stage.apply()
        print(f"applied in {applied.seconds:.0f} s", flush=True)
        while waiting or playing:
            while waiting and len(playing) <= (os.cpu_count() or 1):
                name = waiting.pop(0)
                playing[name] = stage.fork(functools.partial(_play, name, stage, applied, report))
            time.sleep(0.05)
            over = [name for name, child in playing.items() if child.poll() is not None]
            broken += [name for name in over if playing.pop(name).code not in (0, 1)]
    finally:
        for child in playing.values():
            child.end()
        stage.close()
    print(f"broken: {', '.join(broken) or 'none'}", flush=True)
    return 1 if broken else 0


def _play(name: str, stage: Stage, applied: Applied, report: Path) -> int:
    scenario, _, environment = name.partition("@")
    stage.function_python = BUILD / environment / "bin" / "python"

    def finish(record: Record, _where: str) -> None:
        save(record, report / f"{name}.json")
        write(record, report / f"{name}.html")
        if not record.as_expected:
            print(terminal.render(record), flush=True)

    class Watcher(terminal.Console):
        """Keeps what the functions log."""

        def wrote(self, group: str, stream: str, line: str) -> None:
            if group.startswith("/aws/lambda/"):
                with (report / f"{name}.log").open("a", encoding="utf-8") as log:
                    log.write(f"{stream} {line}\n")

    record = play(
        SCENARIOS.get(scenario) or find(scenario),
        stage,
        applied,
        stage.folder / name,
        watcher=Watcher(f"[{name}] "),
        at_end=finish,
    )
    return 0 if record.as_expected else 1


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
