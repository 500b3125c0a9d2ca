"""gate.redact: secrets in the text that others wrote."""

from __future__ import annotations

import pytest
from gate.redact import redact
from gate.waiting import interrupt


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgres://app:p@ss/w@db:5432/x", "postgres://app:***@db:5432/x"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ('{"headers": {"authorization": "Basic abc=="}}', '{"headers": {"authorization": "***"}}'),
        ('{\\"token\\": \\"abc\\"}', '{\\"token\\": \\"***\\"}'),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ***; Path=/"),
        ("csrftoken=abc&next=1", "csrftoken=***&next=1"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("ERROR:root:password=hunter2", "ERROR:root:password=***"),
        ('{"password": "ab,cd;e}f", "port": 1}', '{"password": "***", "port": 1}'),
        ('{"password": "&x\\"y9", "port": 1}', '{"password": "***", "port": 1}'),
        ('"{\\"token\\": \\"a,b\\", \\"port\\": 1}"', '"{\\"token\\": \\"***\\", \\"port\\": 1}"'),
        ("password='a, b' port=1", "password='***' port=1"),
        ('password="', 'password="***'),
    ],
)
def test_what_looks_like_a_secret_is_redacted(said: str, shown: str) -> None:
    assert redact(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/smoke-a1b2c3",
        "http://10.0.0.1:8080/health answered 500",
        "the session has ended",
    ],
)
def test_other_words_stay(said: str) -> None:
    assert redact(said) == said


def test_a_long_password_in_a_url_is_redacted() -> None:
    """Such as a token of RDS's IAM authentication."""
    assert redact(f"postgres://app:{'a' * 3000}@db:5432/shop") == "postgres://app:***@db:5432/shop"


@pytest.mark.parametrize("word", ["token", "-", "secret_"])
def test_a_long_word_is_redacted_in_linear_time(word: str) -> None:
    """A second at most; in the square of its length it would be hours."""

    class TooLong(BaseException):
        pass

    with interrupt(60, TooLong):
        assert redact(f"{word * 200_000}token=x") == f"{word * 200_000}token=***"
