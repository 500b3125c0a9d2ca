"""Secrets of requests: where they are read, that they are sent, and that no message holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from gate import aws
from gate.aws import AwsDenied
from gate.http_checks import mismatches
from gate.http_sender import Sender, read_secret
from gate.options.requests import HttpCheck
from gate.verdict import ProbeError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from rehearsal.testing.harness import REGION
from tests.unit.gate.web_server import WebServer

SECRET = "correct-horse-battery"

ACCOUNT = "123456789012"


@pytest.fixture
def cloud() -> Iterator[None]:
    """Secrets Manager and Systems Manager, with nothing in them."""
    with mock_aws():
        yield


def secret(value: str | bytes) -> str:
    """Make a secret; its ARN."""
    content: Any = {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}
    answer = boto3.client("secretsmanager", region_name=REGION).create_secret(Name="shop/token", **content)
    return str(answer["ARN"])


def parameter(value: str) -> str:
    """Make a SecureString; its ARN."""
    client = boto3.client("ssm", region_name=REGION)
    client.put_parameter(Name="/shop/token", Value=value, Type="SecureString")
    return str(client.get_parameter(Name="/shop/token")["Parameter"]["ARN"])


@pytest.mark.usefixtures("cloud")
def test_a_secret_is_read_by_its_arn() -> None:
    arn = secret(SECRET)
    assert read_secret(arn) == SECRET
    assert read_secret(f"Bearer {arn}") == f"Bearer {SECRET}"


@pytest.mark.usefixtures("cloud")
def test_one_value_of_a_secrets_json_is_read_by_its_key() -> None:
    arn = secret(json.dumps({"token": SECRET, "other": "x", "number": 3, "empty": ""}))
    assert read_secret(f"{arn}:token") == SECRET
    assert read_secret(f"Token {arn}:token") == f"Token {SECRET}"
    assert json.loads(read_secret(arn))["token"] == SECRET
    for key in ("missing", "number", "empty"):
        with pytest.raises(ProbeError) as caught:
            read_secret(f"{arn}:{key}")
        assert f"{arn}:{key} has no text for a header" in str(caught.value)
        assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("value", [SECRET, "[1]", b"bytes"])
def test_a_secret_without_that_key_or_without_text_says_what_to_do(value: str | bytes) -> None:
    arn = secret(value)
    with pytest.raises(ProbeError, match="give it a value, or name the key of its JSON") as caught:
        read_secret(f"{arn}:token")
    assert SECRET not in str(caught.value)
    if isinstance(value, bytes):
        with pytest.raises(ProbeError, match="has no text for a header"):
            read_secret(arn)


@pytest.mark.usefixtures("cloud")
def test_a_parameter_is_read_by_its_arn_and_decrypted() -> None:
    arn = parameter(SECRET)
    assert read_secret(arn) == SECRET
    assert read_secret(f"Bearer {arn}") == f"Bearer {SECRET}"


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("arn", "action"),
    [
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:none-AbCdEf", "secretsmanager:GetSecretValue"),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/none", "ssm:GetParameter"),
    ],
)
def test_a_secret_that_does_not_exist_is_named_with_the_action(arn: str, action: str) -> None:
    with pytest.raises(ProbeError) as caught:
        read_secret(f"Bearer {arn}")
    assert action in str(caught.value)
    assert arn in str(caught.value)


@pytest.mark.parametrize(
    ("arn", "action"),
    [
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop-AbCdEf:key", "secretsmanager:GetSecretValue"),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop", "ssm:GetParameter"),
    ],
)
def test_a_secret_that_the_role_may_not_read_is_named_with_the_action(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, arn: str, action: str
) -> None:
    said = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/hook is not authorized to perform: {action} on resource: {arn}"
    denied = json.dumps({"__type": "AccessDeniedException", "message": said, "Message": said})
    web.routes["/"] = lambda request: request.answer(400, denied, {"Content-Type": "application/x-amz-json-1.1"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.url)
    with pytest.raises(AwsDenied) as caught:
        read_secret(arn)
    assert f"{action} was denied: allow it in this hook's role" in str(caught.value)
    asked = json.loads(web.requests[0].body)
    assert (asked.get("SecretId"), asked.get("Name")) in [(arn.removesuffix(":key"), None), (None, arn)]
    assert asked.get("WithDecryption", True) is True


@pytest.mark.usefixtures("cloud")
def test_a_secret_of_another_region_is_read_there() -> None:
    client = boto3.client("secretsmanager", region_name="us-east-2")
    arn = client.create_secret(Name="shop/token", SecretString=SECRET)["ARN"]
    assert read_secret(arn) == SECRET


@pytest.mark.usefixtures("cloud")
def test_a_secret_is_sent_in_its_header_and_read_once(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = secret(SECRET)
    sender = Sender(web.url, headers={"Authorization": "hook"})
    check = HttpCheck(path="/health", secret_headers={"Authorization": f"Bearer {arn}", "X-Key": arn})
    call, made = aws.call, []

    def counted(*asked: str, **given: Any) -> Any:
        made.append(asked)
        return call(*asked, **given)

    monkeypatch.setattr(aws, "call", counted)
    for sends in (sender, sender, sender.session()):
        sends.read_secrets(check)
        assert sends.send(check).status == 200
    assert len(made) == 2
    assert {request.headers["Authorization"] for request in web.requests} == {f"Bearer {SECRET}"}
    assert {request.headers["X-Key"] for request in web.requests} == {SECRET}


@pytest.mark.usefixtures("cloud")
def test_a_secret_header_comes_before_a_plain_one(web: WebServer) -> None:
    sender = Sender(web.url, headers={"X-Key": "hook"})
    check = HttpCheck(path="/health", headers={"x-key": "own"}, secret_headers={"X-KEY": secret(SECRET)})
    sender.read_secrets(check)
    sender.send(check)
    assert [value for name, value in web.requests[0].headers.items() if name.lower() == "x-key"] == [SECRET]


@pytest.mark.usefixtures("cloud")
def test_a_secret_with_a_line_end_is_not_sent_and_not_shown(web: WebServer) -> None:
    sender = Sender(web.url)
    check = HttpCheck(path="/health", secret_headers={"Authorization": secret(f"{SECRET}\r\nX-Other: 1")})
    sender.read_secrets(check)
    answer = sender.send(check)
    assert answer.problem.startswith("the request could not be sent (")
    assert SECRET not in answer.problem
    assert web.requests == []


def hiding(*values: str) -> Sender:
    """A sender that has read these."""
    sender = Sender("http://127.0.0.1:1")
    sender.secrets.update({f"arn:{number}": value for number, value in enumerate(values)})
    return sender


def test_what_was_read_is_hidden_with_and_without_its_word() -> None:
    sender = hiding(f"Bearer {SECRET}")
    assert sender.redact(f"echo: Bearer {SECRET}, {SECRET}!") == "echo: ***, ***!"
    assert sender.redact(f"a token {SECRET[:-1]}") == f"a token {SECRET[:-1]}"
    assert sender.redact("more", "more") == "***"


def test_a_secret_is_hidden_as_json_and_an_excerpt_write_it() -> None:
    sender = hiding('pass"word  two')
    assert sender.redact('{"a": "pass\\"word  two"}') == '{"a": "***"}'
    assert sender.redact('pass"word two') == "***"


def test_of_two_secrets_the_longer_is_hidden_first() -> None:
    assert hiding("horse", SECRET).redact(f"{SECRET} and horse") == "*** and ***"


def test_what_is_too_short_to_be_a_secret_is_not_hidden() -> None:
    assert hiding("abc", "").redact("abc abcd", "") == "abc abcd"


def test_the_beginning_of_a_secret_is_hidden_where_the_text_was_cut_off() -> None:
    """A body is shown in short: that may end within a secret."""
    sender = hiding(f"Bearer {SECRET}")
    for length in range(4, len(SECRET)):
        assert sender.redact(f"body: Bearer {SECRET[:length]}…") == "body: ***…"
        assert sender.redact(f"({SECRET[:length]}…) and more") == "(***…) and more"
    assert sender.redact("body: Be…") == "body: Be…"
    assert sender.redact("a correct answer, c…") == "a correct answer, c…"


@given(
    st.lists(st.text(min_size=4, max_size=8), min_size=1, max_size=3),
    st.lists(st.integers(0, 2), max_size=4),
    st.text(max_size=9),
)
def test_no_secret_is_left(values: list[str], order: list[int], between: str) -> None:
    sender = hiding(*values)
    text = between.join(values[number % len(values)] for number in order)
    hidden = sender.redact(text)
    assert not any(value in hidden for value in values if "*" not in value)


@pytest.mark.usefixtures("cloud")
def test_an_answer_that_holds_the_secret_it_was_sent_is_judged_as_it_came(web: WebServer) -> None:
    web.routes["/"] = lambda request: request.answer(200, request.headers["X-Key"])
    sender = Sender(web.url)
    check = HttpCheck(secret_headers={"X-Key": secret(SECRET)}, body_contains=SECRET)
    sender.read_secrets(check)
    assert mismatches(check, sender.send(check)) == []
