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
        # All that such a header holds, to the end of the line or of what quotes it.
        ("Authorization: ApiKey 3fa85f64c0ffee", "Authorization: ***"),
        ("Proxy-Authorization: Negotiate YIIabc def\nAccept: */*", "Proxy-Authorization: ***\nAccept: */*"),
        ("Cookie: a=1; sid=77aa88bb", "Cookie: ***"),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ***"),
        ("HTTP_COOKIE=a=1; sid=77aa88bb", "HTTP_COOKIE=***"),
        ('Authorization: Digest username="bob", nonce="n1", response="6629fae4"', "Authorization: ***"),
        ("authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=fe5f", "authorization: ***"),
        ("curl -H 'Cookie: a=\"1\"; sid=77aa' http://orders/", "curl -H 'Cookie: ***' http://orders/"),
        ('curl -H "Authorization: ApiKey 3fa85f64" http://orders/', 'curl -H "Authorization: ***" http://orders/'),
        ('{"sent": "> Cookie: a=1; sid=77aa", "took": 3}', '{"sent": "> Cookie: ***", "took": 3}'),
        ('{\\"sent\\": \\"Cookie: a=1; sid=77aa\\"}', '{\\"sent\\": \\"Cookie: ***\\"}'),
        ('{"Cookie": ["a=1", "sid=77aa"], "took": 3}', '{"Cookie": ***], "took": 3}'),
        ("map[Authorization:[ApiKey 3fa85f64] Host:[orders]]", "map[Authorization:***] Host:[orders]]"),
        ('"authorization" => "ApiKey 3fa85f64"', '"authorization" => "***"'),
        # What follows the name of a scheme, whatever the header is called.
        ("X-Auth: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "X-Auth: Bearer ***"),
        ("X-Auth: Basic dXNlcjpwYXNz", "X-Auth: Basic ***"),
        ("X-Way: token 3fa85f64c0ffee was refused", "X-Way: token *** was refused"),
        ("sent ApiKey 3fa85f64c0ffee", "sent ApiKey ***"),
        ('X-Auth: Digest username="bob", response="6629fae4"', "X-Auth: Digest ***"),
        ("https://b/o?X-Amz-Signature=deadbeef01&x=1", "https://b/o?X-Amz-Signature=***&x=1"),
        ("https://b/o?sv=2&sig=ab%2Fcd", "https://b/o?sv=2&sig=***"),
        ("user=app pwd=hunter2 port=1", "user=app pwd=*** port=1"),
        ("DB_PWD=hunter2", "DB_PWD=***"),
        ("passphrase=hunter2", "passphrase=***"),
        ("private_key=MIIB private-key: MIIB privateKey=MIIB", "private_key=*** private-key: *** privateKey=***"),
        ("private_key: -----BEGIN PRIVATE KEY-----\nMIIB\n-----END", "private_key: ***-----END"),
        ("Authorization: Bearer\n abc.def", "Authorization: ***"),
        ("access_key=AKIA1 AccessKeyId: AKIA1", "access_key=*** AccessKeyId: ***"),
        ("?jwt=eyJhbGci&a=1", "?jwt=***&a=1"),
        ("/ws?auth=hunter2&a=1", "/ws?auth=***&a=1"),
        ('{"auths": {"ghcr.io": {"auth": "dXNlcjpw"}}}', '{"auths": {"ghcr.io": {"auth": "***"}}}'),
        ("app.py:12:password=hunter2", "app.py:12:password=***"),
        ("if token == 'hunter2'", "if token == '***'"),
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
        "authorization failed",
        "design=2 author=kim oauth: on, authenticated: yes, auth: user kim is not known",
        "basic checks passed",
        "token expired",
        "unexpected token < in JSON at position 0",
        "TokenExpiredError, jwt expired",
        "invalid bearer token",
        'WWW-Authenticate: Bearer realm="orders"',
        "cookie banner missing",
        "pull by digest sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "SignatureDoesNotMatch: check your clock",
        "signal=15 assigned=3 keys=4 monkey: 5",
        "An error occurred (AccessDeniedException) when calling the PutItem operation: User is not authorized",
    ],
)
def test_other_words_stay(said: str) -> None:
    assert redact(said) == said


def test_a_long_password_in_a_url_is_redacted() -> None:
    """Such as a token of RDS's IAM authentication."""
    assert redact(f"postgres://app:{'a' * 3000}@db:5432/shop") == "postgres://app:***@db:5432/shop"


@pytest.mark.parametrize("word", ["token", "-", "secret_", "basic ", "digest a", "a-jwt-", "_auth"])
def test_a_long_word_is_redacted_in_linear_time(word: str) -> None:
    """A second at most; in the square of its length it would be hours."""

    class TooLong(BaseException):
        pass

    with interrupt(60, TooLong):
        assert redact(f"{word * 200_000}token=x") == f"{word * 200_000}token=***"


@pytest.mark.parametrize("word", ['cookie:a="', "cookie", "'cookie'", "authorization:", "token=[", '"auth"'])
def test_a_long_header_is_redacted_in_linear_time(word: str) -> None:
    class TooLong(BaseException):
        pass

    with interrupt(60, TooLong):
        assert "hunter2" not in redact(f"{word * 100_000}\nCookie: hunter2")
