"""What is answered to requests for which the stand-in has no service or no operation.

moto fails on them as a server does, and a client that meets a failing server tries again, for minutes. Here it is a
refusal, in the three forms in which AWS's protocols have errors (botocore: parsers.py).
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from flask import Flask, Response, request
from moto.moto_server.werkzeug_app import create_backend_app

CODE = "NotInTheStandIn"


def create_app(service: Any) -> Flask:
    """Return moto's application of a service, which refuses what it does not know; None: one that knows nothing."""
    if service is None:
        app = Flask("unknown")
        app.register_error_handler(404, lambda _: refusal("the stand-in does not have this service"))
    else:
        app = create_backend_app(service)
        app.register_error_handler(NotImplementedError, lambda error: refusal(f"the stand-in cannot: {error}"))
    return app


def refusal(message: str) -> Response:
    """Return the refusal of the request that is being answered."""
    authorization = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")
    service = authorization[3] if len(authorization) > 3 else "unknown"
    operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2] or request.form.get("Action", "")
    said = f"{service} {operation or f'{request.method} {request.path}'}: {message}"
    if "json" in (request.content_type or ""):
        body, kind = json.dumps({"__type": CODE, "message": said}), "application/x-amz-json-1.1"
    else:
        error = f"<Error><Type>Sender</Type><Code>{CODE}</Code><Message>{escape(said)}</Message></Error>"
        body, kind = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>", "text/xml"
    return Response(body, 400, {"x-amzn-errortype": CODE, "x-amzn-error-message": said}, content_type=kind)
