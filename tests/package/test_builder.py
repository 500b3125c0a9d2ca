"""The package builder: what it packs, byte for byte, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import package

VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]


def _names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_function_package_holds_its_handler_and_the_shared_code(project: Path) -> None:
    """Nothing of the other handlers, and the members in order."""
    assert _names(project / "dist" / "run_migrations.zip") == [
        "gate/__init__.py", "gate/check_names.json", "gate/runner.py", "run_migrations.py",
    ]  # fmt: skip
    assert sorted(path.name for path in (project / "dist").iterdir()) == [
        "layer.zip", "manifest.json", "run_migrations.zip", "validate_deployment.zip",
    ]  # fmt: skip


def test_the_layer_holds_the_libraries_and_their_licences(project: Path) -> None:
    """Below python/, where Lambda looks; no compiled code and no record of an installation."""
    names = _names(project / "dist" / "layer.zip")
    assert {name.split("/")[1] for name in names if "dist-info" not in name} == {
        "certifi", "charset_normalizer", "idna", "requests", "urllib3", "yaml",
    }  # fmt: skip
    assert all(name.startswith("python/") for name in names)
    assert [name for name in names if re.search(r"\.(so|pyd|pyc)$|/RECORD$|__pycache__", name)] == []
    libraries = package.read_requirements(package.ROOT / "lambdas" / "requirements.txt")
    licences = [name for name in names if re.search(r"dist-info/licenses/LICENSE", name)]
    assert len(licences) == len(libraries) == 6


def test_a_member_is_stored_plain_and_readable_with_a_date_that_never_changes(project: Path) -> None:
    """Uncompressed, 1980, a Unix file of mode 0644: nothing of the machine or the hour."""
    for path in (project / "dist").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                assert info.compress_type == zipfile.ZIP_STORED
                assert info.date_time == (1980, 1, 1, 0, 0, 0)
                assert info.create_system == 3
                assert info.external_attr >> 16 == stat.S_IFREG | 0o644
                assert info.extra == b""


def test_the_same_sources_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """Built twice, with other times, modes and left-over caches, nothing differs."""
    first = {path.name: path.read_bytes() for path in (project / "dist").iterdir()}
    (project / "lambdas" / "gate" / "__pycache__").mkdir()
    (project / "lambdas" / "gate" / "__pycache__" / "runner.cpython-39.pyc").write_text("stale", encoding="utf-8")
    (project / "lambdas" / "gate" / "runner.py").touch()
    (project / "lambdas" / "gate" / "runner.py").chmod(0o600)
    package.build(project, tmp_path / "again")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == first


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_builds_the_same_bytes(
    version: str, project: Path, tmp_path: Path, python: Callable[[str], str]
) -> None:
    """The zip module's own choices differ between versions of Python; none of them is left to it."""
    program = (
        "import pathlib, sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]); import package\n"
        "package.build(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))"
    )
    tools = str(package.ROOT / "tools")
    command = [python(version), "-I", "-c", program, tools, str(project), str(tmp_path / "again")]
    subprocess.run(command, check=True)
    built = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert built == {path.name: path.read_bytes() for path in (project / "dist").iterdir()}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_layer_works_under_every_runtime(version: str, project: Path, python: Callable[[str], str]) -> None:
    """Requests and PyYAML import from the layer alone, and read."""
    program = (
        "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1])\n"
        "import warnings; warnings.simplefilter('error')\n"
        "import requests, yaml\n"
        "assert requests.__file__.startswith(sys.argv[1]) and yaml.__file__.startswith(sys.argv[1])\n"
        "assert not yaml.__with_libyaml__\n"
        "assert yaml.safe_load('Hooks: [{AfterInstall: a}]') == {'Hooks': [{'AfterInstall': 'a'}]}\n"
        "requests.Request('GET', 'https://bücher.example/').prepare()\n"
        "requests.Session()\n"
    )
    unpacked = project / "layer"
    with zipfile.ZipFile(project / "dist" / "layer.zip") as archive:
        archive.extractall(unpacked)
    command = [python(version), "-I", "-S", "-c", program, str(unpacked / "python")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_manifest_names_the_digest_of_each_source_and_package(project: Path) -> None:
    """What Terraform compares with the files it finds."""
    manifest = json.loads((project / "dist" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["packages"]) == ["dist/layer.zip", "dist/run_migrations.zip", "dist/validate_deployment.zip"]
    assert list(manifest["sources"]) == [
        "lambdas/gate/__init__.py", "lambdas/gate/check_names.json", "lambdas/gate/runner.py",
        "lambdas/requirements.txt", "lambdas/run_migrations.py", "lambdas/validate_deployment.py",
    ]  # fmt: skip
    for name, digest in {**manifest["packages"], **manifest["sources"]}.items():
        assert hashlib.sha256((project / name).read_bytes()).hexdigest() == digest


def test_the_manifest_has_the_version_of_the_one_place(project: Path) -> None:
    """From there it becomes an output."""
    manifest = json.loads((project / "dist" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"] == "2.3.4"


def test_sources_without_a_version_are_refused(project: Path) -> None:
    """And say which line is missing."""
    place = project / "lambdas" / "gate" / "__init__.py"
    place.write_text('VERSION = "next"\n', encoding="utf-8")
    with pytest.raises(package.PackageError, match=r'has no line such as VERSION = "1\.0\.0"'):
        package.build(project, project / "dist")


NAMED = '''"""A handler with names."""

from types import SimpleNamespace


def handler(event, context):
    """Do nothing."""


handler.names = (SimpleNamespace(patterns=["queue", "queue:{name}"]),)
'''


def test_each_package_has_the_names_of_all_handlers(project: Path) -> None:
    """Of one's own handler too, although they were not known yet when its package was asked for them."""
    (project / "lambdas" / "validate_deployment.py").write_text(NAMED, encoding="utf-8")
    (project / "lambdas" / "gate" / "check_names.json").unlink()
    package.build(project, project / "dist")
    package.check(project)
    names = {"run_migrations": [], "validate_deployment": ["queue", "queue:{name}"]}
    assert json.loads((project / "dist" / "manifest.json").read_text(encoding="utf-8"))["checks"] == names
    for name in ("run_migrations", "validate_deployment"):
        with zipfile.ZipFile(project / "dist" / f"{name}.zip") as archive:
            source = archive.read("gate/check_names.json")
        assert source == (project / "lambdas" / "gate" / "check_names.json").read_bytes()
        assert json.loads(source) == names


def test_a_package_without_sources_is_removed(project: Path) -> None:
    """A handler that is gone leaves no package behind."""
    (project / "lambdas" / "run_migrations.py").unlink()
    package.build(project, project / "dist")
    assert not (project / "dist" / "run_migrations.zip").exists()


def test_check_passes_what_was_built(project: Path) -> None:
    """No difference, no error."""
    package.check(project)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lambdas/gate/runner.py", "dist/run_migrations.zip: gate/runner.py differs"),
        ("lambdas/gate/new.py", "dist/validate_deployment.zip: gate/new.py missing"),
        ("lambdas/gate/check_names.json", "lambdas/gate/check_names.json: not the names that the handlers declare"),
        ("lambdas/validate_new.py", "lambdas/gate/check_names.json: not the names that the handlers declare"),
        ("lambdas/validate_new.py", "dist/validate_new.zip: missing"),
        ("lambdas/requirements.txt", "dist/manifest.json: content differs"),
        ("dist/layer.zip", "dist/layer.zip: order or zip headers differ"),
        ("dist/other.zip", "dist/other.zip: built from nothing"),
    ],
)
def test_check_names_what_differs(path: str, expected: str, project: Path) -> None:
    """A source or a package changed: the member, and what to run."""
    changed = project / path
    comment = "\n# changed\n"
    if changed.suffix == ".zip" and changed.exists():
        with zipfile.ZipFile(changed, "a") as archive:
            archive.comment = b"changed"
    else:
        text = changed.read_text(encoding="utf-8") if changed.exists() else "handler = print\n"
        changed.write_text(text + comment, encoding="utf-8")
    with pytest.raises(package.PackageError) as problem:
        package.check(project)
    assert expected in str(problem.value)
    assert 'Run "make package" and commit dist/.' in str(problem.value)


def test_a_compressed_package_is_not_what_is_built(project: Path) -> None:
    """The same content in another form of zip is another package."""
    path = project / "dist" / "run_migrations.zip"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(package.PackageError, match=r"dist/run_migrations\.zip: gate/runner\.py differs"):
        package.check(project)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import requests\n\ndef handler(event, context): ...\n", "No module named 'requests'"),
        ("import boto3\n\ndef handler(event, context): ...\n", "No module named 'boto3'"),
        ("from gate import nothing\n\ndef handler(event, context): ...\n", "cannot import name 'nothing'"),
        ("def handle(event, context): ...\n", "it has no function named handler"),
        ("def handler(event, context)\n", "SyntaxError"),
    ],
)
def test_a_handler_that_cannot_be_imported_alone_is_refused(source: str, reason: str, project: Path) -> None:
    """Outside the guard nothing would be reported, and the deployment would hang for an hour."""
    (project / "lambdas" / "run_migrations.py").write_text(source, encoding="utf-8")
    with pytest.raises(package.PackageError) as problem:
        package.build(project, project / "dist")
    assert "lambdas/run_migrations.py cannot be imported by itself: " in str(problem.value)
    assert reason in str(problem.value)
    assert "Import third-party libraries (boto3 too) inside the functions that use them" in str(problem.value)


def test_windows_line_endings_are_refused(project: Path) -> None:
    """They would make other packages of the same commit."""
    (project / "lambdas" / "gate" / "runner.py").write_bytes(RUNNER_WITH_CRLF)
    with pytest.raises(package.PackageError, match=r"runner\.py has Windows line endings"):
        package.build(project, project / "dist")


RUNNER_WITH_CRLF = b'"""Shared."""\r\n'


def test_a_project_without_handlers_is_refused(tmp_path: Path) -> None:
    """An empty dist/ would be no package at all."""
    (tmp_path / "lambdas").mkdir()
    with pytest.raises(package.PackageError, match=r"lambdas has no \.py file"):
        package.build(tmp_path, tmp_path / "dist")


def test_a_library_without_a_hash_is_refused(tmp_path: Path) -> None:
    """Every library is pinned by the bytes of its wheel."""
    path = tmp_path / "requirements.txt"
    path.write_text("requests==2.32.5\n", encoding="utf-8")
    with pytest.raises(package.PackageError, match="expected name==version --hash=sha256"):
        package.read_requirements(path)


def test_a_wheel_is_taken_by_its_hash(project: Path) -> None:
    """A wheel of the right name with other bytes is not taken: pip is asked, and says why it cannot help."""
    requirements = project / "lambdas" / "requirements.txt"
    text = re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", requirements.read_text(encoding="utf-8"), count=1)
    requirements.write_text(text, encoding="utf-8")
    program = project / "no-pip"
    no_pip = "case \"$*\" in *' pip '*) echo 'hashes do not match' >&2; exit 1;; esac"
    program.write_text(f'#!/bin/sh\n{no_pip}\nexec {sys.executable} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(program))
        with pytest.raises(
            package.PackageError, match=r"could not download the libraries of .*\n.*hashes do not match"
        ):
            package.build(project, project / "dist")


def test_the_committed_packages_are_what_the_sources_build() -> None:
    """`make check-package`."""
    package.check(package.ROOT)
