"""The command line: `python -m rehearsal play [--platform ecs] [SCENARIO…|all]`, `python -m rehearsal scenarios`."""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rehearsal import terminal
from rehearsal.html_report import write
from rehearsal.native_scenarios import SCENARIOS as NATIVE_SCENARIOS
from rehearsal.play import play, read_models, save
from rehearsal.record import Record
from rehearsal.scenarios import NAMES, SCENARIOS, Scenario, find
from rehearsal.stage import BUILD, Applied, Child, Stage, StageError
from tools.explain import bold, paint

POLL = 0.05
"""Seconds between two looks at the processes that play."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 only if every scenario ended as expected."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    play = commands.add_parser("play", help="apply the environment and play scenarios in it")
    play.add_argument("scenario", nargs="*", default=["healthy"], help="names, or all (default: healthy)")
    play.add_argument("--keep", action="store_true", help="leave everything running at the end, until Ctrl-C")
    play.add_argument("--logs", action="store_true", help="show what functions and containers log")
    play.add_argument("--plan", action="store_true", help="also prove that a second plan is empty")
    play.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="scenarios played side by side")
    play.add_argument("--report", type=Path, help="folder of the reports (default: .build/rehearsal)")
    listing = commands.add_parser("scenarios", help="list the scenarios")
    for command in (play, listing):
        command.add_argument(
            "--platform", choices=NAMES, default="codedeploy", help="who deploys (default: codedeploy)"
        )
    options = parser.parse_args(arguments)
    there_are = NATIVE_SCENARIOS if options.platform == "ecs" else SCENARIOS
    if options.command == "scenarios":
        return list_scenarios(there_are)
    try:
        names = [s.name for s in there_are] if "all" in options.scenario else dict.fromkeys(options.scenario)
        scenarios = [find(name, there_are) for name in names]
    except KeyError as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        return 2
    if options.keep and len(scenarios) > 1:
        print("error: --keep is for one scenario", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, end_on_signal)
    try:
        return play_all(scenarios, options)
    except KeyboardInterrupt:
        print("\nbroken off", file=sys.stderr)
        return 130


def list_scenarios(scenarios: Sequence[Scenario]) -> int:
    """Print each scenario's name, title and story."""
    for scenario in scenarios:
        print(f"{scenario.name:<26}{scenario.title}")
        print(textwrap.fill(scenario.story, 100, initial_indent=" " * 26, subsequent_indent=" " * 26))
    return 0


def play_all(scenarios: list[Scenario], options: argparse.Namespace) -> int:
    """Set the stage, play the scenarios, each in a process of its own, and say how they ended."""
    began = time.monotonic()
    report = options.report or BUILD / "rehearsal"
    report.mkdir(parents=True, exist_ok=True)
    stage: Stage | None = None
    try:
        print("Terraform applies the environment to the stand-in for AWS.", flush=True)
        progress = terminal.ApplyProgress()
        stage = Stage(progress, options.platform)
        applied = stage.apply(plan_again=options.plan)
        again = ", and a second plan is empty" if options.plan else ""
        progress.done(f"{applied.resources} resources applied in {applied.seconds:.0f} s{again}")
        ended = _play(scenarios, stage, applied, report, options)
    except StageError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    finally:
        if stage is not None and not options.keep:
            stage.close()
    return _sum_up(ended, report, time.monotonic() - began)


def _play(
    scenarios: list[Scenario], stage: Stage, applied: Applied, report: Path, options: argparse.Namespace
) -> list[tuple[Scenario, int]]:
    """Play scenarios, so many at a time; return each with the exit status of its process."""
    waiting = list(scenarios)
    playing: list[tuple[Scenario, Child]] = []
    ended: list[tuple[Scenario, int]] = []
    read_models()
    try:
        while waiting or playing:
            while waiting and len(playing) < max(1, options.jobs):
                scenario = waiting.pop(0)
                job = functools.partial(
                    _play_one, scenario, stage, applied, report, options, several=len(scenarios) > 1
                )
                playing.append((scenario, stage.fork(job)))
            time.sleep(POLL)
            done = [(scenario, child) for scenario, child in playing if child.poll() is not None]
            playing = [pair for pair in playing if pair not in done]
            ended += [(scenario, child.code or 0) for scenario, child in done]
    finally:
        for _, child in playing:
            child.end()
    return ended


def _play_one(
    scenario: Scenario, stage: Stage, applied: Applied, report: Path, options: argparse.Namespace, *, several: bool
) -> int:
    """Play a scenario, in a process of its own; return the exit status."""
    console = terminal.Console(f"[{scenario.name}] " if several else "", logs=options.logs)
    if not several:
        print(f"\n{bold(scenario.title)}: {scenario.story}\n", flush=True)

    def finish(record: Record, where: str) -> None:
        save(record, report / f"{_stem(scenario)}.json")
        write(record, report / f"{_stem(scenario)}.html")
        if not several:
            console.end(record)
        elif not record.as_expected:
            print(terminal.render(record), flush=True)
        if options.keep:
            console.say(f"\n  kept until Ctrl-C: {where}")
            while True:
                time.sleep(1)

    record = play(scenario, stage, applied, stage.folder / scenario.name, watcher=console, at_end=finish)
    return 0 if record.as_expected else 1


def _stem(scenario: Scenario) -> str:
    """The name of a scenario's files: both platforms have some of the same name."""
    return scenario.name if scenario.platform == "codedeploy" else f"{scenario.platform}-{scenario.name}"


def _sum_up(ended: list[tuple[Scenario, int]], report: Path, seconds: float) -> int:
    """Say of each scenario how it ended, and why; return the exit status."""
    print()
    several = len(ended) > 1
    for scenario, code in ended:
        mark, how = ("✓", "as expected") if code == 0 else ("✗", "NOT as expected" if code == 1 else "broke down")
        line, why = f"{scenario.name:<26} {how:<17}", ""
        if several and code in (0, 1):
            why = json.loads((report / f"{_stem(scenario)}.json").read_text(encoding="utf-8"))["why"]
        room = max(40, shutil.get_terminal_size((160, 24)).columns - len(line) - 3)
        print(f"{paint(mark)} {line} {textwrap.shorten(why, room, placeholder=' …')}".rstrip())
    if any(code in (0, 1) for _, code in ended):
        pages = "*.html" if several else f"{_stem(ended[0][0])}.html"
        print(f"report: {os.path.relpath(report)}/{pages}")
    print(f"{seconds:.0f} s in all", flush=True)
    return 0 if ended and all(code == 0 for _, code in ended) else 1


def end_on_signal(number: int, _frame: FrameType | None) -> None:
    """End on SIGTERM as on any other way out: through the `finally` blocks."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
