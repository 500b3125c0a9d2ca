"""The command line: `python -m rehearsal.stacks ROOT [--vars FILE] [--service NAME] [--run COMMAND]`."""

from __future__ import annotations

import argparse
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rehearsal import terminal
from rehearsal.__main__ import POLL, end_on_signal
from rehearsal.html_report import write
from rehearsal.play import read_models
from rehearsal.stacks.cases import CASES, FAILURES, HEALTHY, Case
from rehearsal.stacks.engine import Applied, StackStage
from rehearsal.stacks.play import play_case
from rehearsal.stacks.reading import StackError
from rehearsal.stacks.report import ServiceReport, StackReport, page, rest, verdict
from rehearsal.stacks.services import Service
from rehearsal.stage import BUILD, Child, StageError
from tools.terraform import TerraformError


def main(arguments: list[str] | None = None) -> int:
    """Rehearse a stack; return the exit status: 0 only if a healthy release of each service passes."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.stacks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="folder of the Terraform root module")
    parser.add_argument("--vars", type=Path, help="file of values for its variables")
    parser.add_argument("--service", help="the one service to play (default: all that have hooks)")
    parser.add_argument("--run", default="", help="command that runs in the application's place; it gets PORT")
    parser.add_argument("--only", nargs="*", choices=list(CASES), help="scenarios to play (default: all)")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="deployments side by side")
    parser.add_argument("--report", type=Path, help="folder of the reports (default: .build/rehearsal/<root's name>)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, end_on_signal)
    try:
        return _rehearse(options)
    except (StackError, StageError, TerraformError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbroken off", file=sys.stderr)
        return 130


def _rehearse(options: argparse.Namespace) -> int:
    began = time.monotonic()
    folder: Path = options.report or BUILD / "rehearsal" / options.root.resolve().name
    print("Terraform applies a copy of the stack to the stand-in for AWS.", flush=True)
    progress = terminal.ApplyProgress()
    stage = StackStage(options.root, options.vars, progress)
    try:
        applied = stage.apply()
        progress.done(f"{applied.resources} resources applied in {applied.seconds:.0f} s")
        services = [each for each in applied.services if options.service in (None, each.name)]
        if not services:
            names = ", ".join(each.name for each in applied.services)
            raise StackError(f"SERVICE is {options.service}; the hooks of this stack are for {names}")
        folder.mkdir(parents=True, exist_ok=True)
        reports = [ServiceReport(service) for service in services]
        player = _Player(stage, applied, folder, options)
        wanted = options.only or list(CASES)
        player.play([(report, HEALTHY) for report in reports if report.service.platform])
        for report in reports:
            print("\n".join(verdict(report)), flush=True)
        failures = [case for case in FAILURES if case.name in wanted]
        player.play([(report, case) for report in reports if report.passes for case in failures])
    finally:
        stage.close()
    whole = StackReport(
        os.path.relpath(options.root),
        applied.resources,
        time.monotonic() - began,
        [str(each) for each in applied.left_out],
        sorted({each.type for each in applied.left_out}),
        applied.referred,
        applied.notes,
        reports,
    )
    (folder / "stack.json").write_text(json.dumps(whole.as_dict(), indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(page(whole), encoding="utf-8")
    print(rest(whole))
    print(f"\nreport: {os.path.relpath(folder)}/index.html\n{time.monotonic() - began:.0f} s in all", flush=True)
    return 0 if all(report.passes for report in reports) else 1


class _Player:
    """Plays deployments side by side, each in a process of its own."""

    def __init__(self, stage: StackStage, applied: Applied, folder: Path, options: argparse.Namespace) -> None:
        self._stage, self._applied, self._folder, self._options = stage, applied, folder, options

    def play(self, wanted: Sequence[tuple[ServiceReport, Case]]) -> None:
        """Play them, and put what came of them into the reports."""
        read_models()
        waiting, playing = list(wanted), list[tuple[ServiceReport, Case, Child]]()
        try:
            while waiting or playing:
                while waiting and len(playing) < max(1, self._options.jobs):
                    report, case = waiting.pop(0)
                    job = functools.partial(self._one, report.service, case)
                    playing.append((report, case, self._stage.fork(job)))
                time.sleep(POLL)
                for report, case, child in list(playing):
                    if child.poll() is not None:
                        playing.remove((report, case, child))
                        self._take(report, case)
        finally:
            for _, _, child in playing:
                child.end()

    def _path(self, service: Service, case: Case) -> Path:
        return self._folder / f"{service.name}-{case.name}"

    def _one(self, service: Service, case: Case) -> int:
        self._path(service, case).with_suffix(".json").unlink(missing_ok=True)
        console = terminal.Console(f"[{service.name} {case.name}] ")
        folder = self._stage.folder / "played" / service.name / case.name
        played = play_case(
            case, service, self._stage, self._applied, folder, watcher=console, command=self._options.run
        )
        path = self._path(service, case)
        text = json.dumps(played.as_dict(), indent=1) + "\n"
        path.with_suffix(".json").write_text(text, encoding="utf-8")
        write(played.record, path.with_suffix(".html"))
        return 0

    def _take(self, report: ServiceReport, case: Case) -> None:
        path = self._path(report.service, case).with_suffix(".json")
        if path.is_file():
            report.cases[case.name] = json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
