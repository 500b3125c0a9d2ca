"""Change lambdas/ in small ways, one at a time, and see whether the tests notice.

    python tools/mutants.py [--sample 200] [--seed 1] [--jobs 2] [--budget 60] [--only lambdas/gate/runner.py]

Cosmic Ray's operators make the changes; of all the places where one of them can, a random sample is taken, and of a
place's changes one. A mutant is killed if one of the tests that run through its line (or, where that runs only at the
import, through its file) fails: first those that are named like the function, then those that name it, then those that
share words with the line, those of the module's own files first, then the others, from the quickest on, as many as fit
into the budget (so a survivor may be one that a test left out would kill, never the other way round). Changes that
Python does not see (of annotations, of docstrings) or does not take are no mutants. Prints the survivors, the share of
killed ones, and the branch coverage of lambdas/ that the choice of tests rests on. Works on copies below .build/.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import coverage
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "mutation"
COPIED = ("lambdas", "modules", "rehearsal", "tests", "tools", "dist", "docs", "examples")
# The other suites run the packages, or no code of lambdas/ at all. Generated pages hold the bounds of the options.
SUITES = ("tests/unit", "tests/contract/test_calls_exist.py", "tests/module/test_docs.py")
NOTICED = 0.85  # of the mutants, at least
BRANCHES = 95.0  # percent, at least
PATIENCE = 4.0  # a mutant whose tests take so many times as long hangs, which is noticed too
# Names of variables exchanged for numbers at random are mistakes that nobody makes.
UNLIKELY = ("VariableReplacer", "VariableInserter")
NONE_LEFT = 5  # pytest's exit status where no test was collected
KILLED, SURVIVED, HANGS = "killed", "survived", "hangs"


@dataclass(frozen=True)
class Measured:
    """What the tests do without a mutant."""

    lines: dict[str, dict[int, list[str]]]
    """By file and line, the tests that run through it."""
    tests: list[str]
    seconds: dict[str, float]
    """By test, how long it takes; without those that take no time."""
    branches: float
    """Percent of the branches that the tests go through."""

    def through(self, mutant: Mutant) -> Sequence[str]:
        """The tests that run through the mutant's line; where that runs only at the import, through its file."""
        lines = self.lines.get(mutant.path, {})
        return lines.get(mutant.line) or sorted(set().union(*lines.values())) or self.tests

    def chosen(self, mutant: Mutant, budget: float) -> list[str]:
        """The tests for a mutant, in the order in which they run; without it they take `budget` seconds."""
        stem = Path(mutant.path).stem
        own = f"gate_{stem}" if "/gate/" in mutant.path else stem.rpartition("validate_")[2].removeprefix("run_")
        named = mutant.name.strip("_") or own

        words = _words(mutant.source.splitlines()[mutant.line - 1])

        def rank(test: str) -> tuple[bool, bool, int, bool, float, str]:
            source, of_others = source_of(test), own not in test.partition("::")[0]
            shared = len(words & _words(source))
            return named not in test, named not in source, -shared, of_others, self.seconds.get(test, 0.0), test

        found: list[str] = []
        left = budget
        for test in sorted(self.through(mutant), key=rank):
            if found and self.seconds.get(test, 0.0) > left:
                continue
            left -= self.seconds.get(test, 0.0)
            found.append(test)
        return found


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    line: int
    operator: str
    source: str
    mutated: str

    @property
    def name(self) -> str:
        """What it belongs to: the innermost function around it, or else what is given a value there; maybe nothing."""
        found: dict[str, str] = {}
        for node in ast.walk(ast.parse(self.source)):  # what is further inside comes later
            first = min([getattr(node, "lineno", 0), *(each.lineno for each in getattr(node, "decorator_list", ()))])
            if first <= self.line <= (getattr(node, "end_lineno", 0) or 0):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    found[type(node).__name__] = node.name
                elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                    found["value"] = target.id if isinstance(target, ast.Name) else ""
        return found.get("FunctionDef") or found.get("value") or found.get("ClassDef") or ""

    @property
    def diff(self) -> str:
        """The changed lines."""
        lines = difflib.unified_diff(self.source.splitlines(), self.mutated.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


@functools.cache
def _sources(path: str) -> dict[str, str]:
    """By name, the source of each function of a file of tests."""
    text = (ROOT / path).read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    lines = text.splitlines()
    return {
        node.name: "\n".join(
            lines[min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1 : node.end_lineno]
        )
        for node in functions
    }


@functools.cache
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z]{5,}", text))


def source_of(test: str) -> str:
    """The source of a test, with its parameters; nothing if it cannot be found."""
    path, _, name = test.partition("::")
    return _sources(path).get(name.rpartition("::")[2].partition("[")[0], "")


def copy_to(folder: Path) -> None:
    """Copy what the tests need, as it lies here."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform"))
    for path in [*ROOT.glob("*.tf"), *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]:
        shutil.copy2(path, folder / path.name)
    (folder / ".build").symlink_to(ROOT / ".build")


def pytest(folder: Path, *arguments: str, timeout: float | None = None, chosen: Path | None = None) -> int:
    """Run pytest in a copy, of the tests those that `chosen` lists; its exit status, -1 after `timeout` seconds."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", *arguments]
    if chosen:
        command += ["-p", "mutants"]  # the hook below
        environment |= {"PYTHONPATH": str(ROOT / "tools"), "MUTANTS_CHOSEN": str(chosen)}
    with (folder / "pytest.log").open("w") as log:
        try:
            return subprocess.run(
                command, cwd=folder, env=environment, stdout=log, stderr=log, timeout=timeout, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return -1


def read_log(folder: Path) -> str:
    """What pytest printed last in a copy."""
    return (folder / "pytest.log").read_text(encoding="utf-8", errors="replace")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """As a plugin of pytest: keep the chosen tests, in their order.

    Their names as arguments would not do: a mutant may stand in the name that pytest makes for a test's parameter.
    """
    places = {name: place for place, name in enumerate(Path(os.environ["MUTANTS_CHOSEN"]).read_text().splitlines())}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in places])
    items[:] = sorted((item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid])


def measure(folder: Path, jobs: int) -> Measured:
    """Run the tests without any change, if they changed since; prints the branch coverage on the way."""
    known = FOLDER / "measured.json"
    changed = max(path.stat().st_mtime for name in ("lambdas", "tests") for path in (ROOT / name).rglob("*.py"))
    if not known.exists() or known.stat().st_mtime < changed:
        print("measuring which tests run through which line …", flush=True)
        flags = (
            "--cov=lambdas",
            "--cov-branch",
            "--cov-context=test",
            "--cov-report=term-missing",
            "--cov-report=json",
        )
        if pytest(folder, *SUITES, "-n", str(jobs), "--durations=0", "-vv", *flags) != 0:
            raise SystemExit(f"the tests fail without any change: see {folder / 'pytest.log'}")
        log = read_log(folder)
        print(log.rpartition("tests coverage")[2].partition("slowest durations")[0], flush=True)
        seconds: dict[str, float] = {}
        for took, test in re.findall(r"^([\d.]+)s (?:call|setup|teardown) +(\S.*)$", log, re.MULTILINE):
            seconds[test] = seconds.get(test, 0.0) + float(took)
        data = coverage.CoverageData(str(folder / ".coverage"))
        data.read()
        lines = {
            str(Path(name).relative_to(folder)): {
                line: sorted({each.rpartition("|")[0] for each in contexts if "|" in each})
                for line, contexts in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }
        tests = re.findall(r"^\[gw\d+\] \[ *\d+%\] PASSED (.*?) *$", log, re.MULTILINE)
        branches = json.loads((folder / "coverage.json").read_text())["totals"]["percent_branches_covered"]
        found = {"lines": lines, "tests": tests, "seconds": seconds, "branches": branches}
        known.write_text(json.dumps(found))
    read = json.loads(known.read_text())
    lines = {path: {int(line): tests for line, tests in by.items()} for path, by in read["lines"].items()}
    return Measured(lines, read["tests"], read["seconds"], read["branches"])


def sites(path: Path) -> dict[tuple[int, int, str], list[tuple[str, int]]]:
    """The places where an operator can change a file: (line, column, kind) → (operator, its occurrence)."""
    tree = get_ast(path.read_text(encoding="utf-8"))
    nodes = list(ast_nodes(tree))
    found: dict[tuple[int, int, str], list[tuple[str, int]]] = {}
    for name in operator_names():
        kind = name.partition("/")[2].partition("_")[0]
        if kind in UNLIKELY:
            continue
        positions = [start for node in nodes for start, _ in get_operator(name)().mutation_positions(node)]
        for occurrence, (line, column) in enumerate(positions):
            found.setdefault((line, column, kind), []).append((name, occurrence))
    return found


def essence(source: str) -> str:
    """What Python runs of a source: its tree without annotations and docstrings; nothing if it is not Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value = ast.Constant(None)
    return ast.dump(tree)


def draw(only: str, sample: int, seed: int) -> Iterator[Mutant]:
    """A random sample of mutants, the same for the same seed and sources."""
    dice = random.Random(seed)  # noqa: S311  (a sample, no secret)
    places = []
    for path in sorted((ROOT / "lambdas").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if only in name:
            places += [(name, place, changes) for place, changes in sorted(sites(path).items())]
    print(f"{len(places)} places can be changed; a sample of {sample} (seed {seed})", flush=True)
    dice.shuffle(places)
    drawn = 0
    for name, (line, _, _), changes in places:
        if drawn == sample:
            return
        operator, occurrence = dice.choice(changes)
        source = (ROOT / name).read_text(encoding="utf-8")
        try:
            mutated = mutate_code(source, get_operator(operator)(), occurrence)
        except AttributeError:  # ExceptionReplacer stumbles over `except module.Error`
            continue
        if mutated and essence(mutated) not in ("", essence(source)):
            drawn += 1
            yield Mutant(name, line, operator.partition("/")[2], source, mutated)


def judge(mutant: Mutant, tests: Sequence[str], usual: float, folder: Path) -> str:
    """Put the mutant in its place in a copy and run the tests, which take `usual` seconds without it."""
    if not tests:
        return SURVIVED
    target = folder / mutant.path
    target.write_text(mutant.mutated, encoding="utf-8")
    try:
        listed = folder / "chosen.txt"
        listed.write_text("\n".join(tests))
        files = sorted({test.partition("::")[0] for test in tests})
        status = pytest(folder, "-x", *files, timeout=60 + PATIENCE * usual, chosen=listed)
    finally:
        target.write_text(mutant.source, encoding="utf-8")
    if status == -1:
        return HANGS
    if status == NONE_LEFT:
        return SURVIVED
    return SURVIVED if status == 0 else KILLED


def main() -> int:
    """Measure, draw, judge, print; 1 if too few are noticed, or too few branches gone through."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of tests for one mutant")
    parser.add_argument("--only", default="lambdas/")
    options = parser.parse_args()
    began = time.monotonic()
    folders: Queue[Path] = Queue()
    for number in range(options.jobs):
        copy_to(FOLDER / str(number))
        folders.put(FOLDER / str(number))
    measured = measure(FOLDER / "0", options.jobs)

    def take(mutant: Mutant) -> tuple[Mutant, str, int]:
        folder = folders.get()
        tests = measured.chosen(mutant, options.budget)
        usual = sum(measured.seconds.get(each, 0.0) for each in tests)
        try:
            return mutant, judge(mutant, tests, usual, folder), len(tests)
        finally:
            folders.put(folder)

    counts = {KILLED: 0, SURVIVED: 0, HANGS: 0}
    with ThreadPoolExecutor(options.jobs) as pool:
        taken = [pool.submit(take, mutant) for mutant in draw(options.only, options.sample, options.seed)]
        for number, future in enumerate(as_completed(taken), 1):
            mutant, outcome, tests = future.result()
            counts[outcome] += 1
            where = f"{mutant.path}:{mutant.line} {mutant.operator}"
            if outcome == SURVIVED:
                of = len(measured.through(mutant))
                where += f" survives {tests} of {of} tests\n{mutant.diff}"
            print(f"{number}/{len(taken)} {where if outcome == SURVIVED else f'{where} {outcome}'}", flush=True)
    if not taken:
        print("no mutant was made")
        return 1
    share = 1 - counts[SURVIVED] / len(taken)
    print(f"branches of lambdas/ that the tests go through: {measured.branches:.1f} %, at least {BRANCHES:g} expected")
    print(f"{counts}: {share:.1%} noticed, at least {NOTICED:.0%} expected; {time.monotonic() - began:.0f} s")
    return 0 if share >= NOTICED and measured.branches >= BRANCHES else 1


if __name__ == "__main__":
    sys.exit(main())
