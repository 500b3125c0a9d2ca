"""The customers: steady traffic on the production listener, all through a deployment."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
from dataclasses import dataclass

CUSTOMERS = 6
INTERVAL = 0.3
"""Seconds between two requests of one customer."""


@dataclass(frozen=True)
class Visit:
    """One request of a customer."""

    at: float
    """Epoch seconds."""
    version: str | None
    """The release that answered; None if none did."""
    status: int
    """0: no answer at all."""
    seconds: float


def visit(
    port: int,
    method: str = "GET",
    path: str = "/version",
    order: dict[str, object] | None = None,
    *,
    tls: bool = False,
) -> Visit:
    """Ask the load balancer on a loopback port for something; with `tls` over HTTPS, whatever its certificate says."""
    at, began = time.time(), time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        headers = {"Content-Type": "application/json"} if order else {}
        connection.request(method, path, json.dumps(order) if order else None, headers)
        response = connection.getresponse()
        response.read()
        version = response.getheader("X-App-Version")
        return Visit(at, version, response.status, time.monotonic() - began)
    except (OSError, http.client.HTTPException):
        return Visit(at, None, 0, time.monotonic() - began)
    finally:
        connection.close()


class Customers:
    """A handful of customers who look at orders and place some.

    Args:
        port: where the production listener is on loopback.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._gone = threading.Event()
        self.visits: list[Visit] = []

    def come(self) -> None:
        """Start sending requests."""
        for number in range(CUSTOMERS):
            threading.Thread(target=self._customer, args=(number,), daemon=True).start()

    def go(self) -> None:
        """Stop sending requests."""
        self._gone.set()

    def _customer(self, number: int) -> None:
        dice = random.Random(number)  # noqa: S311  (no secret)
        self._gone.wait(INTERVAL * number / CUSTOMERS)
        while not self._gone.is_set():
            if dice.random() < 0.3:
                order: dict[str, object] = {"customer_id": 1, "item": "book", "quantity": dice.randint(1, 40)}
                self.visits.append(visit(self._port, "POST", "/orders", order))
            else:
                self.visits.append(visit(self._port, "GET", "/orders"))
            self._gone.wait(INTERVAL)
