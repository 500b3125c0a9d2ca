"""Build dist/: a zip for each hook function, one layer of third-party libraries, and their manifest.

    python tools/package.py build      write dist/, and lambdas/gate/check_names.json
    python tools/package.py check      rebuild in a temporary folder and compare with both

lambdas/gate/check_names.json has the names of the checks of all hooks: from it a function knows those of the others.

A function's package holds its own file and every folder of lambdas/ (the code that the functions share).
The packages are committed, and a plan compares dist/manifest.json with the sources: so they are the same
bytes on every machine. Members are sorted, uncompressed (the output of zlib differs between its versions),
dated 1980 (the first year a zip can tell) and carry the mode 0644.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYER = "layer.zip"
MANIFEST = "manifest.json"
NAMES = "gate/check_names.json"  # in lambdas/ and in each package

# The wheel tags that pip may choose from: those of lambdas/requirements.txt, whatever machine builds.
_WHEEL_TAGS = [
    "--only-binary=:all:",
    "--python-version=3.9",
    "--implementation=cp",
    "--abi=cp39",
    "--abi=none",
    "--platform=manylinux2014_x86_64",
]

# What an installation writes and compiled code: neither belongs into a layer for every Python.
_NOT_IN_LAYER = re.compile(
    r"""\.(so|pyd|pyc)$ | (^|/)__pycache__/ | ^_yaml/ | ^certifi/tests/
    | \.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|entry_points\.txt|top_level\.txt)$""",
    re.VERBOSE,
)


class PackageError(Exception):
    """The packages cannot be built, or are not what the sources build; the message says why and the cure."""


@dataclass(frozen=True)
class Requirement:
    """A pinned library of the layer: its name, version and the SHA-256 of its one wheel."""

    name: str
    version: str
    sha256: str


def read_requirements(path: Path) -> list[Requirement]:
    """Return the libraries pinned in a requirements file, each with exactly one hash."""
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    requirements = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)\s+--hash=sha256:([0-9a-f]{64})\s*", line.strip())
        if match is None:
            raise PackageError(f"{path}: cannot read {line!r}: expected name==version --hash=sha256:<64 digits>")
        requirements.append(Requirement(*match.groups()))
    return requirements


def fetch_wheels(requirements_file: Path, cache: Path) -> list[Path]:
    """Return the wheel of each requirement, downloading (with pip, by hash) those that `cache` lacks."""
    requirements = read_requirements(requirements_file)
    cache.mkdir(parents=True, exist_ok=True)
    found = _wheels_by_hash(cache)
    if any(requirement.sha256 not in found for requirement in requirements):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--require-hashes", "--no-deps", *_WHEEL_TAGS, "-d", str(cache), "-r", str(requirements_file)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise PackageError(f"pip could not download the libraries of {requirements_file}:\n{result.stderr.strip()}")
        found = _wheels_by_hash(cache)
    missing = [f"{r.name}=={r.version}" for r in requirements if r.sha256 not in found]
    if missing:
        raise PackageError(f"{cache} has no wheel with the pinned hash of {', '.join(missing)}")
    return [found[requirement.sha256] for requirement in requirements]


def _wheels_by_hash(cache: Path) -> dict[str, Path]:
    return {_sha256(wheel.read_bytes()): wheel for wheel in sorted(cache.glob("*.whl"))}


def find_functions(lambdas: Path) -> list[str]:
    """Return the names of the hook functions: every Python file directly in `lambdas`."""
    names = sorted(path.stem for path in lambdas.glob("*.py"))
    if not names:
        raise PackageError(f"no handler found: {lambdas} has no .py file")
    return names


def function_members(lambdas: Path, function: str) -> dict[str, bytes]:
    """Return what a function's package holds, by member name."""
    shared = sorted(lambdas.glob("*/**/*.py"))
    return {path.relative_to(lambdas).as_posix(): _source(path) for path in [lambdas / f"{function}.py", *shared]}


def layer_members(wheels: list[Path]) -> dict[str, bytes]:
    """Return what the layer holds, by member name: the wheels' pure Python below python/, and their licences."""
    members: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith("/") or _NOT_IN_LAYER.search(name):
                    continue
                if members.setdefault(f"python/{name}", content := archive.read(name)) != content:
                    raise PackageError(f"two libraries of the layer hold {name}; {wheel.name} is the second")
    return members


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a zip whose bytes depend on nothing but its members' names and contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, also when built on Windows: else Lambda would ignore the mode.
            # Lambda runs as another user than the one that unpacks: without 0644 the file cannot be read.
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, members[name])


def build(root: Path, destination: Path) -> list[Path]:
    """Build all packages and the manifest of the project at `root` into `destination`; return their paths.

    Writes lambdas/gate/check_names.json, too.
    """
    names = names_of_all(root)
    place = root / "lambdas" / NAMES
    place.write_bytes(names_file(names))
    return _build(root, destination, names)


def _build(root: Path, destination: Path, names: Mapping[str, list[str]]) -> list[Path]:
    lambdas = root / "lambdas"
    requirements = lambdas / "requirements.txt"
    generated = {NAMES: names_file(names)}
    packages = {f"{function}.zip": {**function_members(lambdas, function), **generated} for function in names}
    packages[LAYER] = layer_members(fetch_wheels(requirements, root / ".build" / "wheels"))

    destination.mkdir(parents=True, exist_ok=True)
    for name, members in packages.items():
        write_zip(destination / name, members)
    for stale in set(destination.glob("*.zip")) - {destination / name for name in packages}:
        stale.unlink()

    sources = {path.relative_to(root).as_posix(): _source(path) for path in [*lambdas.rglob("*.py"), requirements]}
    sources[f"lambdas/{NAMES}"] = generated[NAMES]
    manifest = {
        "version": version_of(lambdas),
        "checks": names,
        "packages": {f"dist/{name}": _sha256((destination / name).read_bytes()) for name in packages},
        "sources": {name: _sha256(content) for name, content in sources.items()},
    }
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (destination / MANIFEST).write_bytes(text.encode())
    return [destination / name for name in [*sorted(packages), MANIFEST]]


def version_of(lambdas: Path) -> str:
    """The module's version, from the one place that has it."""
    place = lambdas / "gate" / "__init__.py"
    found = re.search(r'^VERSION = "(\d+\.\d+\.\d+)"$', place.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise PackageError(f'{place} has no line such as VERSION = "1.0.0"')
    return found[1]


def names_of_all(root: Path) -> dict[str, list[str]]:
    """The names of the checks of each handler, as its package declares them before it knows those of the others."""
    lambdas = root / "lambdas"
    names = {}
    with tempfile.TemporaryDirectory(prefix="package-") as scratch:
        for function in find_functions(lambdas):
            package = Path(scratch) / f"{function}.zip"
            write_zip(package, {**function_members(lambdas, function), NAMES: names_file({})})
            names[function] = check_names(package, function)
    return names


def names_file(names: Mapping[str, list[str]]) -> bytes:
    """The content of lambdas/gate/check_names.json."""
    return (json.dumps(names, indent=2) + "\n").encode()


def check_names(package: Path, function: str) -> list[str]:
    """Import a packaged handler in a bare interpreter; return the names of its checks, those that `checks` takes.

    Raises PackageError unless it has its `handler`. A library that is missing when the module is imported fails outside
    the guard: nothing would be reported, and the deployment would hang for an hour. Inside the handler the same failure
    is reported with its name.
    """
    program = (
        f"import json, sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(package)!r})\n"
        f"import {function} as module\n"
        "assert callable(getattr(module, 'handler', None)), 'it has no function named handler'\n"
        "names = getattr(module.handler, 'names', ())\n"
        "print(json.dumps([pattern for named in names for pattern in named.patterns]))"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise PackageError(
            f"lambdas/{function}.py cannot be imported by itself: {reason}. Import third-party libraries (boto3 too) "
            "inside the functions that use them, so that a missing one is reported to CodeDeploy with its name."
        )
    names: list[str] = json.loads(result.stdout)
    twice = ", ".join(sorted({name for name in names if names.count(name) > 1}))
    if twice:
        raise PackageError(f"lambdas/{function}.py declares the name {twice} twice: one name for one thing.")
    return names


def check(root: Path) -> None:
    """Raise PackageError, naming each difference, unless dist/ is byte for byte what the sources build."""
    dist, names = root / "dist", names_of_all(root)
    with tempfile.TemporaryDirectory(prefix="package-") as scratch:
        expected = {path.name: path for path in _build(root, Path(scratch), names)}
        found = {path.name: path for path in dist.iterdir()} if dist.is_dir() else {}
        differences = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
        differences += [f"{name}: built from nothing" for name in sorted(found.keys() - expected.keys())]
        for name in sorted(expected.keys() & found.keys()):
            differences += [f"{name}: {text}" for text in _differences(expected[name], found[name])]
    differences = [f"dist/{line}" for line in differences]
    generated = root / "lambdas" / NAMES
    if not generated.is_file() or generated.read_bytes() != names_file(names):
        differences.append(f"lambdas/{NAMES}: not the names that the handlers declare")
    if differences:
        listed = "\n  ".join(differences)
        raise PackageError(f'dist/ is not what the sources build:\n  {listed}\nRun "make package" and commit dist/.')


def _differences(expected: Path, found: Path) -> Iterator[str]:
    if expected.read_bytes() == found.read_bytes():
        return
    try:
        wanted, had = _members(expected), _members(found)
    except zipfile.BadZipFile:
        yield "content differs"
        return
    named = False
    for name in sorted(wanted.keys() | had.keys()):
        if wanted.get(name) != had.get(name):
            named = True
            yield f"{name} " + (
                "missing" if name not in had else "not in the sources" if name not in wanted else "differs"
            )
    if not named:
        yield "order or zip headers differ"


def _members(path: Path) -> dict[str, tuple[object, ...]]:
    if path.suffix != ".zip":
        return {"content": (path.read_bytes(),)}
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename: (
                archive.read(info),
                info.date_time,
                info.external_attr,
                info.create_system,
                info.compress_type,
            )
            for info in archive.infolist()
        }


def _source(path: Path) -> bytes:
    content = path.read_bytes()
    if b"\r\n" in content:
        raise PackageError(
            f"{path} has Windows line endings; the packages would differ by machine. Check it out with LF."
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments not in (["build"], ["check"]):
        print(f"usage: python {Path(__file__).name} build|check", file=sys.stderr)
        return 2
    try:
        if arguments == ["check"]:
            check(ROOT)
            print("dist/ is what the sources build")
        else:
            for path in build(ROOT, ROOT / "dist"):
                print(f"{path.relative_to(ROOT).as_posix()}  {path.stat().st_size:>9,} bytes")
    except PackageError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
