"""How Terraform is found and told where its provider comes from."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import terraform

PLATFORM = "linux_amd64"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home and share folders of the test's own, and no terraform remembered from before."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(terraform, "BUILD", tmp_path / "build")
    terraform.find_terraform.cache_clear()
    yield
    terraform.find_terraform.cache_clear()


def _environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {"XDG_DATA_DIRS": str(tmp_path / "share"), **variables}


def _provider(mirror: Path, version: str = "5.100.0", platform: str = PLATFORM) -> Path:
    """Put a provider into a mirror, unpacked; return the mirror."""
    folder = mirror / terraform.PROVIDER / version / platform
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-aws_v{version}_x5").touch()
    return mirror


def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Put a program named terraform, which says this of its version, in front of the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    "place", ["home/.terraform.d/plugins", "home/.local/share/terraform/plugins", "share/terraform/plugins"]
)
def test_a_mirror_is_found_where_mirrors_are_put(place: str, tmp_path: Path) -> None:
    """The user's Terraform folder, the user's and the machine's share folders."""
    mirror = _provider(tmp_path / place)
    assert terraform.find_mirror(PLATFORM, _environment(tmp_path)) == mirror


def test_a_packed_mirror_counts(tmp_path: Path) -> None:
    """`terraform providers mirror` writes zips."""
    folder = tmp_path / "share" / "terraform" / "plugins" / terraform.PROVIDER
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-aws_6.1.0_{PLATFORM}.zip").touch()
    assert terraform.find_mirror(PLATFORM, _environment(tmp_path)) == tmp_path / "share" / "terraform" / "plugins"


@pytest.mark.parametrize(("version", "platform"), [("5.75.1", PLATFORM), ("5.100.0", "darwin_arm64")])
def test_a_mirror_that_cannot_serve_is_passed_by(version: str, platform: str, tmp_path: Path) -> None:
    """A provider too old for versions.tf, or for another platform, would fail where the registry would not."""
    useless = _provider(tmp_path / "share" / "terraform" / "plugins", version, platform)
    assert terraform.find_mirror(PLATFORM, _environment(tmp_path)) != useless


def test_a_named_mirror_comes_before_those_found(tmp_path: Path) -> None:
    """TF_PLUGIN_MIRROR overrides the search."""
    _provider(tmp_path / "share" / "terraform" / "plugins")
    named = _provider(tmp_path / "named")
    assert terraform.find_mirror(PLATFORM, _environment(tmp_path, TF_PLUGIN_MIRROR=str(named))) == named


def test_a_named_mirror_without_a_provider_is_an_error(tmp_path: Path) -> None:
    """It was meant: another one in its place would hide the mistake."""
    with pytest.raises(
        terraform.TerraformError, match=r"TF_PLUGIN_MIRROR is .* has no provider for linux_amd64: expected"
    ):
        terraform.find_mirror(PLATFORM, _environment(tmp_path, TF_PLUGIN_MIRROR=str(tmp_path)))


def test_the_environment_names_a_configuration_of_its_own(tmp_path: Path) -> None:
    """With a mirror the provider comes from there and from nowhere else; the file is the same for each call."""
    _, platform = terraform.find_terraform()
    mirror = _provider(tmp_path / "share" / "terraform" / "plugins", platform=platform)
    variables = terraform.terraform_environment(_environment(tmp_path))
    assert variables == terraform.terraform_environment(_environment(tmp_path))
    text = Path(variables["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8")
    assert f'path    = "{mirror}"' in text
    assert re.search(r'direct \{\s+exclude = \["registry.terraform.io/hashicorp/aws"\]', text)
    assert variables["TF_IN_AUTOMATION"] == "1"


def test_the_users_own_provider_installation_stays(tmp_path: Path) -> None:
    """Someone who says where providers come from is not overruled by what happens to lie on the disk."""
    _, platform = terraform.find_terraform()
    _provider(tmp_path / "share" / "terraform" / "plugins", platform=platform)
    own = tmp_path / "own.tfrc"
    own.write_text(
        'provider_installation {\n  network_mirror {\n    url = "https://example.com/"\n  }\n}\n', encoding="utf-8"
    )
    assert "TF_CLI_CONFIG_FILE" not in terraform.terraform_environment(
        _environment(tmp_path, TF_CLI_CONFIG_FILE=str(own))
    )


def test_without_a_mirror_terraform_downloads_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin cache is the project's unless the user has one; a missing configuration file is not complained of."""
    monkeypatch.setattr(terraform, "find_mirror", lambda *_: None)
    variables = terraform.terraform_environment({"TF_CLI_CONFIG_FILE": str(tmp_path / "missing")})
    assert Path(variables["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8") == ""
    assert Path(variables["TF_PLUGIN_CACHE_DIR"]).is_dir()
    assert "TF_PLUGIN_CACHE_DIR" not in terraform.terraform_environment({"TF_PLUGIN_CACHE_DIR": str(tmp_path)})


def test_a_missing_terraform_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not a stack trace: what is missing and what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        terraform.TerraformError, match=r"terraform is not on the PATH\. Install Terraform 1\.9 or newer"
    ):
        terraform.find_terraform()


def test_an_old_terraform_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """1.8 cannot read the module's validations, and would say so in many words."""
    _program(tmp_path, monkeypatch, '{"terraform_version": "1.8.5", "platform": "linux_amd64"}')
    with pytest.raises(terraform.TerraformError, match=r"is Terraform 1\.8\.5; this module needs 1\.9 or newer"):
        terraform.find_terraform()


def test_a_release_candidate_counts_as_its_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`1.10.0-rc2` is newer than 1.9."""
    _program(tmp_path, monkeypatch, '{"terraform_version": "1.10.0-rc2", "platform": "darwin_arm64"}')
    assert terraform.find_terraform() == (str(tmp_path / "bin" / "terraform"), "darwin_arm64")


def test_a_program_that_is_no_terraform_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it said instead of a version is in the message."""
    _program(tmp_path, monkeypatch, "hello")
    with pytest.raises(terraform.TerraformError, match="version -json gave no version: hello"):
        terraform.find_terraform()


def test_the_command_passes_arguments_and_status_on() -> None:
    """`python tools/terraform.py …` is terraform itself."""
    command = [sys.executable, str(terraform.ROOT / "tools" / "terraform.py")]
    result = subprocess.run([*command, "version"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith("Terraform v")
    assert "Warning" not in result.stdout + result.stderr
    assert subprocess.run([*command, "no-such-command"], capture_output=True, check=False).returncode == 1
