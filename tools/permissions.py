"""Keep docs/permissions.md's policies as Terraform renders them.

    python tools/permissions.py write     rewrite them between their markers
    python tools/permissions.py check     fail if they differ

The module is planned offline with an example's names and with everything switched on that lets a hook do more.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tools.offline import ACCOUNT, INPUTS, offline, write_stack  # noqa: E402
from tools.terraform import TerraformError  # noqa: E402

PAGE = ROOT / "docs" / "permissions.md"
BEGIN, END = "<!-- policies -->", "<!-- /policies -->"
SECRET = f"arn:aws:secretsmanager:{INPUTS['aws_region']}:{ACCOUNT}:secret:orders/token-AbCdEf"
CHECKS = {
    "http_checks": {"home": {"secret_headers": {"X-Token": SECRET}}},
    "smoke_test": {"command": ["pytest", "tests/smoke"]},
}
EVERYTHING = {
    "run_migrations": {"preset": "alembic"},
    "validate_test_traffic": CHECKS,
    "validate_production": CHECKS,
    "vpc_config": {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0a"]},
    "send_events": True,
}


def rendered() -> dict[str, list[dict[str, Any]]]:
    """The statements of each hook's policy."""
    with tempfile.TemporaryDirectory() as scratch, offline() as terraform:
        folder = Path(scratch).resolve()
        write_stack(folder, ROOT, EVERYTHING)
        terraform.init(folder)
        # The policies alone: a plan of the functions would ask for packages that fit the sources.
        plan = terraform.planned(folder, "-target=module.lambda.aws_iam_role_policy.hook")
    policies = {}
    for change in plan["resource_changes"]:
        if change["type"] == "aws_iam_role_policy" and change["name"] == "hook":
            policies[str(change["index"])] = json.loads(change["change"]["after"]["policy"])["Statement"]
    return policies


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else sorted(value)


def _code(values: list[str]) -> str:
    return "<br>".join(f"`{value}`" for value in values)


def section(policies: Mapping[str, list[dict[str, Any]]]) -> str:
    """The policies as tables, a hook each."""

    def rows() -> Iterator[str]:
        for hook, statements in policies.items():
            yield f"### {hook}\n"
            yield "| Statement | Actions | Resources | Only if |"
            yield "|---|---|---|---|"
            for statement in statements:
                conditions = [
                    f"{key} = {value}"
                    for test in (statement.get("Condition") or {}).values()
                    for key, value in test.items()
                ]
                cells = [_code(_listed(statement[key])) for key in ("Action", "Resource")]
                yield f"| {statement['Sid']} | {' | '.join(cells)} | {_code(conditions)} |"
            yield ""

    return "\n".join(rows()).rstrip()


def page() -> str:
    """The page with its policies as they are rendered now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{section(rendered())}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    if arguments not in (["write"], ["check"]):
        print(__doc__)
        return 2
    try:
        text = page()
    except TerraformError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    if arguments == ["write"]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        print('docs/permissions.md does not have the policies that Terraform renders: run "make docs"', file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
