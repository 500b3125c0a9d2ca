"""An HTTP server on loopback whose routes are functions of a test, plain or with a certificate of the test's own."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Route = Callable[["Request"], None]


@dataclass
class Request:
    """One request as it came, and the means to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    handler: BaseHTTPRequestHandler
    closing: threading.Event

    def answer(self, status: int = 200, body: str | bytes = "ok", headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        content = body.encode() if isinstance(body, str) else body
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        if self.method != "HEAD":
            self.handler.wfile.write(content)

    def raw(self, content: bytes) -> None:
        """Send these bytes."""
        self.handler.wfile.write(content)
        self.handler.wfile.flush()
        self.handler.close_connection = True


@dataclass
class Certificates:
    """A certificate authority (`authority`, a PEM file) and a server's certificate of it, with its key, for `name`."""

    authority: Path
    server: Path


def make_certificates(folder: Path, name: str, days: float = 1) -> Certificates:
    """Make an authority and a certificate that is good for one DNS name, for so many days; below 0, it has expired."""
    now = dt.datetime.now(dt.timezone.utc)

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, days: float) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=days))
        )

    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    authority = (
        certificate("Test authority", authority_key, "Test authority", max(days, 1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        certificate(name, server_key, "Test authority", days)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    found = Certificates(folder / "authority.pem", folder / "server.pem")
    found.authority.write_bytes(authority.public_bytes(pem))
    plain_key = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.server.write_bytes(server.public_bytes(pem) + plain_key)
    return found


@dataclass
class WebServer:
    """The server. `routes` maps a path without its query to what answers there; everything asked is in `requests`."""

    certificates: Certificates | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    server_names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        web = self
        self._closing = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                """Remember the request and let the route answer."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, dict(self.headers), body, self, web._closing)
                web.requests.append(request)
                route = web.routes.get(self.path.partition("?")[0])
                if route:
                    route(request)
                else:
                    request.answer(404, "nothing here")

            do_GET = do_POST = do_HEAD = do_PUT = handle_any  # noqa: N815 - the names that http.server looks for
            do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Stay quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients that go away, or refuse the certificate, are part of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates.server)
            context.sni_callback = lambda _socket, name, _context: self.server_names.append(str(name))
            # The handshake belongs into the connection's own thread: an unfinished one must not stop the others.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self.certificates else 'http'}://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop the server and let go whoever hangs on it."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
