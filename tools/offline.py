"""Plans the module offline: the real provider, fake credentials, our own answers to what it asks before a plan."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tools.terraform import TerraformError, find_terraform, terraform_environment

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "111122223333"


TASK_DEFINITIONS: dict[str, dict[str, Any]] = {}
"""What ECS knows by family; whoever plans puts theirs in."""


class Answers(BaseHTTPRequestHandler):
    """AWS's answers to what the provider asks before a plan: who calls, and what a family's newest revision is."""

    def do_POST(self) -> None:
        """Answer with an account's identity, or with a family's newest revision."""
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("X-Amz-Target", "").endswith(".DescribeTaskDefinition"):
            self._describe(json.loads(asked)["taskDefinition"])
            return
        body = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{ACCOUNT}:user/test</Arn><UserId>AIDATEST</UserId><Account>{ACCOUNT}</Account>"
            "</GetCallerIdentityResult><ResponseMetadata><RequestId>test</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        )
        self._send(200, "text/xml", body)

    def _describe(self, family: str) -> None:
        if family not in TASK_DEFINITIONS:
            error = {"__type": "ClientException", "message": "Unable to describe task definition."}
            self._send(400, "application/x-amz-json-1.1", json.dumps(error))
            return
        arn = f"arn:aws:ecs:{INPUTS['aws_region']}:{ACCOUNT}:task-definition/{family}:7"
        known = {"taskDefinitionArn": arn, "family": family, "revision": 7, "status": "ACTIVE", "networkMode": "awsvpc"}
        answer = {"taskDefinition": {**known, **TASK_DEFINITIONS[family]}}
        self._send(200, "application/x-amz-json-1.1", json.dumps(answer))

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""


@dataclass(frozen=True)
class Terraform:
    """Terraform with an environment of its own: `run(folder, "plan", …)`."""

    environment: Mapping[str, str]

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Terraform in a folder; return its exit status and what it said, in one text of plain words."""
        program, _ = find_terraform()
        command = [program, f"-chdir={folder}", *arguments]
        environment = dict(self.environment)
        return subprocess.run(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )

    def init(self, folder: Path) -> None:
        """Initialise a folder, or raise TerraformError."""
        result = self.run(folder, "init", "-backend=false", "-no-color")
        if result.returncode:
            raise TerraformError(result.stdout)

    def plan(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Plan a folder."""
        return self.run(folder, "plan", "-no-color", "-out=test.tfplan", *arguments)

    def planned(self, folder: Path, *arguments: str) -> dict[str, Any]:
        """Plan a folder and return the plan as Terraform shows it in JSON, or raise TerraformError."""
        result = self.plan(folder, *arguments)
        if result.returncode:
            raise TerraformError(result.stdout)
        shown = self.run(folder, "show", "-json", "test.tfplan")
        if shown.returncode:
            raise TerraformError(shown.stdout)
        plan: dict[str, Any] = json.loads(shown.stdout)
        return plan


INPUTS = {
    "app_name": "orders",
    "environment": "staging",
    "aws_region": "eu-west-1",
    "ecs_cluster_name": "main",
    "ecs_service_name": "web",
}


def write_stack(folder: Path, module: Path, inputs: Mapping[str, object]) -> None:
    """Write a stack that uses the module with these inputs, on top of the five that are required."""
    folder.mkdir(parents=True, exist_ok=True)
    # Relative, as people write it: from an absolute source Terraform would copy the whole project.
    source = Path(os.path.relpath(module, folder)).as_posix()
    stack = {"module": {"lambda": {"source": source, **INPUTS, **inputs}}}
    (folder / "main.tf.json").write_text(json.dumps(stack, indent=2), encoding="utf-8")


@contextmanager
def offline() -> Iterator[Terraform]:
    """Terraform with fake credentials and answers of our own; without a registry where a mirror is found."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_ARGS"))
    }
    environment = kept | terraform_environment() | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": INPUTS["aws_region"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{server.server_port}",
        "AWS_ENDPOINT_URL_ECS": f"http://127.0.0.1:{server.server_port}",
    }  # fmt: skip
    try:
        yield Terraform(environment)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
