"""Functions run as on Lambda: their package, their layer, their time-out, their retries, in AWS's runtime client."""

from __future__ import annotations

import dataclasses
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from rehearsal import functions
from rehearsal.aws import world
from rehearsal.aws.awslambda import FunctionPackage
from rehearsal.aws.server import StandIn
from rehearsal.functions import Functions
from rehearsal.stage import BUILD, aws_environment, client

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:tried"
HANDLER = """
import json, logging, os, sys, time, urllib.request
import boto3
import from_the_layer

def handler(event, context):
    logging.getLogger().info("asked for %s", event["do"])
    if event["do"] == "raise":
        raise ValueError("it went wrong")
    if event["do"] == "hang":
        time.sleep(1000)
    if event["do"] == "exit":
        os._exit(7)
    if event["do"] == "go on":
        if event["hops"] == 0:
            return {"request_id": context.aws_request_id}
        payload = json.dumps({"do": "go on", "hops": event["hops"] - 1}).encode()
        name = context.invoked_function_arn
        answer = boto3.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        return {"request_id": context.aws_request_id, "next": answer["ResponseMetadata"]["RequestId"]}
    if event["do"] == "fetch":
        return urllib.request.urlopen(event["url"]).read().decode()
    try:
        import fastapi
        foreign = True
    except ImportError:
        foreign = False
    return {
        "layer": from_the_layer.__file__,
        "foreign": foreign,
        "arn": context.invoked_function_arn,
        "milliseconds": context.get_remaining_time_in_millis(),
        "mine": os.environ["MINE"],
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
    }
"""


def zipped(**files: str) -> bytes:
    """Return a zip of files, `__` in a name standing for a slash."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/") + ".py", content)
    return archive.getvalue()


PACKAGE = FunctionPackage(
    function_name="tried",
    function_arn=ARN,
    zip_bytes=zipped(tried=HANDLER),
    layer_zips=(zipped(python__from_the_layer=""),),
    handler="tried.handler",
    runtime="python3.13",
    environment={"MINE": "yes"},
    timeout=60,
    memory_size=128,
    log_format="JSON",
    log_level="INFO",
    log_group="/aws/lambda/tried",
    role="arn:aws:iam::123456789012:role/tried",
)


class Kept:
    """Takes the log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, arn: str, group: str, stream: str, lines: Sequence[str]) -> None:
        """Keep lines."""
        assert (arn, group) == (ARN, "/aws/lambda/tried")
        assert "[$LATEST]" in stream
        self.lines += lines


@pytest.fixture
def kept() -> Kept:
    """What the functions log."""
    return Kept()


@pytest.fixture
def lambda_service(tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    """Lambda with one function, its retries at once."""
    monkeypatch.setattr(functions, "code_of", lambda _: PACKAGE)
    monkeypatch.setattr(functions, "RETRY_DELAYS", (0.0, 0.0))
    names = tmp_path / "names.json"
    names.write_text("{}")
    python = BUILD / "runtime" / "bin" / "python"
    assert python.exists(), "run `make setup`"
    found = Functions(tmp_path, python, names, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, kept)
    yield found
    found.end()


def ask(lambda_service: Functions, kind: str = "RequestResponse", **event: Any) -> tuple[int, Any, str | None]:
    """Invoke the function."""
    status, payload, error = lambda_service.invoke(ARN, json.dumps(event).encode(), kind, "an-id")
    return status, json.loads(payload or b"null"), error


def test_it_finds_what_lambda_gives_it(lambda_service: Functions, kept: Kept) -> None:
    """The layer, the environment and the time are there; this machine's other packages are not."""
    status, answer, error = ask(lambda_service, do="tell")
    assert (status, error) == (200, None)
    assert answer["layer"].endswith("/python/from_the_layer.py")
    assert answer["foreign"] is False
    assert answer["arn"] == ARN
    assert 0 < answer["milliseconds"] <= 60_000
    assert (answer["mine"], answer["endpoint"]) == ("yes", "http://127.0.0.1:1")
    assert [json.loads(line)["message"] for line in kept.lines] == ["asked for tell"]


def test_an_exception_is_told(lambda_service: Functions) -> None:
    """As Lambda tells it: the function error, and the exception's type and text."""
    status, answer, error = ask(lambda_service, do="raise")
    assert (status, error) == (200, "Unhandled")
    assert "it went wrong" in answer["errorMessage"]
    assert lambda_service.attempts[0].error == "ValueError: it went wrong"


def test_an_event_is_retried_twice(lambda_service: Functions) -> None:
    """A failed asynchronous invocation is tried three times in all, with one request id."""
    assert ask(lambda_service, "Event", do="raise")[0] == 202
    lambda_service.wait()
    assert [attempt.error for attempt in lambda_service.attempts] == ["ValueError: it went wrong"] * 3
    assert len({attempt.request_id for attempt in lambda_service.attempts}) == 1


def test_a_function_that_invokes_itself(tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the stand-in's API, while it runs; it learns the id under which the next one runs."""
    monkeypatch.setattr(functions, "code_of", lambda _: PACKAGE)
    (tmp_path / "names.json").write_text("{}")
    with mock_aws(), StandIn() as stand_in:
        aws = aws_environment(stand_in.url)
        service = Functions(tmp_path, BUILD / "runtime" / "bin" / "python", tmp_path / "names.json", aws, kept)
        scripted = world.ScriptedWorld()
        monkeypatch.setattr(scripted, "invoke", service.invoke)
        world.use(scripted)
        role = client("iam", stand_in.url).create_role(RoleName="tried", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        lambda_client = client("lambda", stand_in.url)
        lambda_client.create_function(
            FunctionName="tried",
            Role=role,
            Runtime="python3.13",
            Handler="tried.handler",
            Code={"ZipFile": PACKAGE.zip_bytes},
        )
        event = json.dumps({"do": "go on", "hops": 2}).encode()
        first = lambda_client.invoke(FunctionName=ARN, InvocationType="Event", Payload=event)
        service.wait()
        service.end()
    answers = [json.loads(attempt.result or b"null") for attempt in service.attempts]
    ids = [attempt.request_id for attempt in service.attempts]
    assert [attempt.error for attempt in service.attempts] == [None] * 3
    assert [answer["request_id"] for answer in answers] == ids
    assert [first["ResponseMetadata"]["RequestId"], *(answer.get("next") for answer in answers)] == [*ids, None]


@pytest.fixture
def as_text(lambda_service: Functions, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """Lambda, with a function whose log is of format Text."""
    monkeypatch.setattr(functions, "code_of", lambda _: dataclasses.replace(PACKAGE, log_format="Text"))
    return lambda_service


def test_a_process_that_dies(as_text: Functions, kept: Kept) -> None:
    """Its end is noticed at once, and logged."""
    _, _, error = ask(as_text, do="exit")
    assert error == "Unhandled"
    assert "Runtime exited" in kept.lines[-1]


def test_the_time_out_ends_the_process(lambda_service: Functions, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the function hangs, it is ended when its time is over."""
    monkeypatch.setattr(functions, "code_of", lambda _: dataclasses.replace(PACKAGE, timeout=1, log_format="Text"))
    _, _, error = ask(lambda_service, do="hang")
    assert error == "Unhandled"
    assert kept.lines[-1].endswith("Task timed out after 1.00 seconds")


@pytest.mark.parametrize(("do", "status"), [("hang", "timeout"), ("exit", "error")])
def test_an_end_in_a_log_of_json(
    lambda_service: Functions, kept: Kept, monkeypatch: pytest.MonkeyPatch, do: str, status: str
) -> None:
    """Lambda's own line says under which request, and how."""
    seconds = 1 if do == "hang" else PACKAGE.timeout
    package = dataclasses.replace(PACKAGE, timeout=seconds, log_format="JSON")
    monkeypatch.setattr(functions, "code_of", lambda _: package)
    ask(lambda_service, do=do)
    line = json.loads(kept.lines[-1])
    assert line["type"] == "platform.report"
    assert line["record"]["status"] == status
    assert line["record"]["requestId"] == lambda_service.attempts[-1].request_id


def test_the_load_balancers_names_lead_to_loopback(lambda_service: Functions, tmp_path: Path) -> None:
    """A function asks for a name and port of AWS's, and reaches the port that stands for it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.handle_request, daemon=True).start()
    (tmp_path / "names.json").write_text(json.dumps({"web-1.eu-central-1.elb.amazonaws.com:8080": server.server_port}))
    _, answer, error = ask(lambda_service, do="fetch", url="http://web-1.eu-central-1.elb.amazonaws.com:8080/")
    server.server_close()
    assert (answer, error) == ("web-1.eu-central-1.elb.amazonaws.com:8080", None)
