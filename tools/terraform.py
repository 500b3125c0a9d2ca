"""Call Terraform so that it works with or without the registry.

    python tools/terraform.py plan …       Terraform's own arguments

Terraform's AWS provider may be on disk rather than on the network. A mirror (a folder in Terraform's layout
`<host>/hashicorp/aws/<version>/<platform>/`) is looked for in the user's Terraform folders, in the share folders and
one level under the optional-software folder; TF_PLUGIN_MIRROR names one outright. Without one, Terraform downloads.
Programs merge `terraform_environment()` into the environment of their Terraform processes.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "terraform"
OLDEST_TERRAFORM = (1, 9)
PROVIDER = "registry.terraform.io/hashicorp/aws"


class TerraformError(Exception):
    """Terraform cannot be called; the message says why and the cure."""


@functools.cache
def find_terraform() -> tuple[str, str]:
    """Return the path of the terraform program and its platform (`linux_amd64`), or raise TerraformError."""
    program = shutil.which("terraform")
    if program is None:
        raise TerraformError("terraform is not on the PATH. Install Terraform 1.9 or newer.")
    # Without the caller's CLI configuration: it may name a file that does not exist.
    environment = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    command = [program, "version", "-json"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment | {"CHECKPOINT_DISABLE": "1"}
    )
    try:
        answer = json.loads(result.stdout)
        version, platform = str(answer["terraform_version"]), str(answer["platform"])
    except (ValueError, KeyError) as problem:
        raise TerraformError(
            f"{program} version -json gave no version: {(result.stderr or result.stdout).strip()}"
        ) from problem
    if _numbers(version) < OLDEST_TERRAFORM:
        raise TerraformError(f"{program} is Terraform {version}; this module needs 1.9 or newer.")
    return program, platform


def find_mirror(platform: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of a provider mirror that holds a usable AWS provider, or None if there is none."""
    named = environment.get("TF_PLUGIN_MIRROR")
    if named:
        mirror = Path(named).expanduser().resolve()
        if not _provider_versions(mirror, platform):
            raise TerraformError(
                f"TF_PLUGIN_MIRROR is {named}, but {mirror / PROVIDER} has no provider for {platform}: "
                f"expected <version>/{platform}/terraform-provider-aws_v<version>."
            )
        return mirror
    oldest = _oldest_provider()
    for mirror in _mirror_places(environment):
        if any(version >= oldest for version in _provider_versions(mirror, platform)):
            return mirror
    return None


def _mirror_places(environment: Mapping[str, str]) -> Iterator[Path]:
    home = Path.home()
    yield home / ".terraform.d" / "plugins"
    yield Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
    yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
    if environment.get("APPDATA"):
        yield Path(environment["APPDATA"]) / "terraform.d" / "plugins"
    for share in (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep):
        yield Path(share) / "terraform" / "plugins"
    yield from sorted(Path("/opt").glob("*"))


def _provider_versions(mirror: Path, platform: str) -> list[tuple[int, ...]]:
    """Return the versions of the AWS provider that a mirror holds, unpacked or packed."""
    folder = mirror / PROVIDER
    try:
        unpacked = [path.parent.parent.name for path in folder.glob(f"*/{platform}/terraform-provider-aws*")]
        packed = [path.name.split("_")[1] for path in folder.glob(f"terraform-provider-aws_*_{platform}.zip")]
    except PermissionError:
        return []
    return [_numbers(version) for version in unpacked + packed]


def _oldest_provider() -> tuple[int, ...]:
    text = (ROOT / "versions.tf").read_text(encoding="utf-8")
    floor = re.search(r'source\s*=\s*"hashicorp/aws".*?version\s*=\s*">= ([0-9.]+)"', text, re.DOTALL)
    if floor is None:
        raise TerraformError("versions.tf names no oldest version of hashicorp/aws")
    return _numbers(floor[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("-", maxsplit=1)[0]))


def _chosen_by_user(environment: Mapping[str, str]) -> bool:
    """Tell whether the user's own CLI configuration says where providers come from: then it stays in force."""
    named = environment.get("TF_CLI_CONFIG_FILE")
    places = [Path(named)] if named else [Path.home() / ".terraformrc"]
    if not named and environment.get("APPDATA"):
        places.append(Path(environment["APPDATA"]) / "terraform.rc")
    return any(path.is_file() and "provider_installation" in path.read_text(encoding="utf-8") for path in places)


def terraform_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables to merge into the environment of a Terraform process, or raise TerraformError."""
    _, platform = find_terraform()
    variables = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    # Terraform and its provider are Go. With five times the memory in use as the point at which to look for garbage
    # (Go's own: twice), the provider's schema, some 100 MB, costs a quarter less of a processor's time.
    variables["GOGC"] = environment.get("GOGC") or "400"
    named = bool(environment.get("TF_PLUGIN_MIRROR"))
    mirror = None if _chosen_by_user(environment) and not named else find_mirror(platform, environment)
    if mirror is not None:
        path = json.dumps(str(mirror).replace("\\", "/"))
        content = (
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = {path}\n    include = ["{PROVIDER}"]\n  }}\n'
            f'  direct {{\n    exclude = ["{PROVIDER}"]\n  }}\n'
            "}\n"
        )
        variables["TF_CLI_CONFIG_FILE"] = str(_write_config(content))
        return variables
    configured = environment.get("TF_CLI_CONFIG_FILE")
    if configured and not Path(configured).is_file():
        # Terraform would go on, with a warning in front of everything it says.
        variables["TF_CLI_CONFIG_FILE"] = str(_write_config(""))
    if not environment.get("TF_PLUGIN_CACHE_DIR"):
        # Downloaded once for all stacks. Terraform asks for a lock file's checksums before it trusts the
        # cache; a module has no lock file.
        cache = BUILD / "plugins"
        cache.mkdir(parents=True, exist_ok=True)
        variables["TF_PLUGIN_CACHE_DIR"] = str(cache)
        variables["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    return variables


def _write_config(content: str) -> Path:
    """Write a CLI configuration named by its content, so that calls side by side cannot disturb each other."""
    path = BUILD / f"cli-{hashlib.sha256(content.encode()).hexdigest()[:12]}.tfrc"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as scratch:
            scratch.write(content)
        Path(scratch.name).replace(path)
    return path


def main(arguments: list[str]) -> int:
    """Run Terraform with these arguments; return its exit status."""
    try:
        environment = {**os.environ, **terraform_environment()}
        program, _ = find_terraform()
    except TerraformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return subprocess.run([program, *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
