"""Measure what a plan of the module takes beside one of five plain functions with roles, policies and log groups.

    python tools/bench_plan.py [rounds]

Both stacks are planned in turn, offline, by the real provider. Prints the seconds of each, and the share.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas")]

from gate.options.hooks import HOOKS  # noqa: E402  # the folder is no package of this interpreter's

from tests.module.conftest import offline, write_stack  # noqa: E402

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
LOGS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}],
}


def plain_functions(folder: Path) -> None:
    """Write a stack of five functions as one writes them by hand."""
    folder.mkdir(parents=True)
    names = list(HOOKS)
    resources = {
        "aws_cloudwatch_log_group": {name: {"name": f"/aws/lambda/{name}", "retention_in_days": 30} for name in names},
        "aws_iam_role": {name: {"name": name, "assume_role_policy": json.dumps(TRUST)} for name in names},
        "aws_iam_role_policy": {
            name: {"role": f"${{aws_iam_role.{name}.name}}", "policy": json.dumps(LOGS)} for name in names
        },
        "aws_lambda_function": {
            name: {
                "function_name": name,
                "role": f"${{aws_iam_role.{name}.arn}}",
                "filename": str(ROOT / "dist" / f"{name}.zip"),
                "source_code_hash": f'${{filebase64sha256("{ROOT / "dist" / f"{name}.zip"}")}}',
                "handler": f"{name}.handler",
                "runtime": "python3.13",
                "timeout": 900,
                "environment": {"variables": {"ECS_SERVICE": "web"}},
            }
            for name in names
        },
    }
    stack = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "data": {"aws_caller_identity": {"current": {}}},
        "resource": resources,
    }
    (folder / "main.tf.json").write_text(json.dumps(stack, indent=1), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    rounds = int(arguments[0]) if arguments else 7
    with tempfile.TemporaryDirectory() as scratch, offline() as terraform:
        folders = {"plain": Path(scratch) / "plain", "module": Path(scratch) / "module"}
        plain_functions(folders["plain"])
        write_stack(folders["module"], ROOT, {"run_migrations": {"preset": "alembic"}})
        seconds: dict[str, list[float]] = {name: [] for name in folders}
        for folder in folders.values():
            terraform.init(folder)
        for number in range(rounds + 1):
            for name, folder in folders.items():
                began = time.monotonic()
                result = terraform.plan(folder)
                if result.returncode != 0:
                    print(result.stdout, file=sys.stderr)
                    return 1
                if number:  # the first one warms the disk's cache
                    seconds[name].append(time.monotonic() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f"plan of {name:6}  {medians[name]:.2f} s (from {min(values):.2f} to {max(values):.2f}, {rounds} rounds)")
    print(f"module / plain  {medians['module'] / medians['plain']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
