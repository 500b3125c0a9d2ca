"""Make the virtual environments below .build/ and keep them as their requirement files say.

    python tools/environments.py venv rehearsal/requirements.txt
    python tools/environments.py runtime rehearsal/runtime/requirements.txt
    python tools/environments.py --python 3.9 python3.9-newest tests/proof/runtimes/python3.9-newest.txt

With `--python`, the environment is one of another version of Python; where this machine has none, it is left out. An
environment is filled once: .build/<name>/installed.json remembers the content of each requirement file, and a file
that has changed since is installed again. Written so that a Python that is too old can still say so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
OLDEST_PYTHON = (3, 10)


class SetupError(Exception):
    """A virtual environment cannot be made; the message says why and the cure."""


def ensure(name: str, requirements: list[str], python: str = sys.executable) -> None:
    """Make .build/<name> of `python` and install the requirement files into it, unless it holds them already."""
    BUILD.mkdir(exist_ok=True)
    with _lock(BUILD / f"{name}.lock"):
        folder = BUILD / name
        wanted = {path: digest for each in requirements for path, digest in _digests(ROOT / each).items()}
        stamp = folder / "installed.json"
        installed = _read(stamp)
        if not _works(folder):
            shutil.rmtree(folder, ignore_errors=True)
            installed = {}
            _create(folder, python)
        if wanted.items() <= installed.items():
            return
        print(f"Installing {' and '.join(requirements)} into .build/{name} …", file=sys.stderr, flush=True)
        began = time.monotonic()
        command = [str(python_of(folder)), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        for each in requirements:
            command += ["-r", str(ROOT / each)]
        if subprocess.run(command, check=False).returncode != 0:
            raise SetupError(f"pip could not install {', '.join(requirements)} into {folder}: see its message above.")
        # A file that is not asked for now may hold other pins than those just installed: forget it.
        stamp.write_text(json.dumps(wanted, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(f"Installed in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def python_of(folder: Path) -> Path:
    """Return the interpreter of the virtual environment in `folder`."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_python(version: str) -> str | None:
    """Return an interpreter of this version (`3.9`): from the PATH, or from pyenv's folder of versions."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    # pyenv puts a script of the same name on the PATH, which fails unless that version is chosen.
    is_shim = bool(on_path) and Path(str(on_path)).parent.name == "shims"
    folders = [pyenv, Path(str(on_path)).parent.parent / "versions"] if is_shim else [pyenv]
    candidates = [str(path) for folder in folders for path in sorted(folder.glob(f"{version}.*/bin/python{version}"))]
    if on_path and not is_shim:
        candidates.insert(0, on_path)
    return candidates[0] if candidates else None


def _create(folder: Path, python: str) -> None:
    result = subprocess.run([python, "-m", "venv", str(folder)], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return
    shutil.rmtree(folder, ignore_errors=True)
    output = (result.stdout + result.stderr).strip()
    if "ensurepip" in output or "No module named venv" in output:
        package = f"python3.{sys.version_info.minor}-venv"
        raise SetupError(
            f"{python} cannot make virtual environments: its venv or ensurepip module is missing. "
            f"On Debian and Ubuntu install it with: apt install {package}. Or name another Python: make PYTHON=… ."
        )
    raise SetupError(f"{python} -m venv {folder} failed: {output}")


def _works(folder: Path) -> bool:
    """Tell whether the environment's interpreter still starts: the Python it came from may be gone."""
    python = python_of(folder)
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0


def _digests(path: Path) -> dict[str, str]:
    """Return the SHA-256 of a requirement file and of those it includes with `-r`."""
    content = path.read_bytes()
    found = {path.relative_to(ROOT).as_posix(): hashlib.sha256(content).hexdigest()}
    for line in content.decode().splitlines():
        if line.startswith("-r "):
            found.update(_digests((path.parent / line[3:].strip()).resolve()))
    return found


def _read(stamp: Path) -> dict[str, str]:
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process at a time fill an environment: two rehearsals may start side by side."""
    with path.open("w", encoding="utf-8") as handle:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(number) for number in sys.version_info[:3])
        print(
            f"error: {sys.executable} is Python {found}, 3.10 or newer is needed: make PYTHON=python3.12 …",
            file=sys.stderr,
        )
        return 1
    python: str | None = sys.executable
    if arguments[:1] == ["--python"] and len(arguments) > 1:
        version, arguments = arguments[1], arguments[2:]
        python = find_python(version)
    if len(arguments) < 2:
        usage = f"python {Path(__file__).name} [--python <version>] <name> <requirements file>…"
        print(f"usage: {usage}", file=sys.stderr)
        return 2
    if python is None:
        print(f"{arguments[0]} is left out: no python{version} on the PATH or in pyenv's versions", file=sys.stderr)
        return 0
    try:
        ensure(arguments[0], arguments[1:], python)
    except SetupError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
