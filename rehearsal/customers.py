"""The customers: steady traffic on the production listener, all through a deployment."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
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
    asked: Mapping[str, str] | None = None,
) -> Visit:
    """Ask the load balancer on a loopback port for something; with `tls` over HTTPS, whatever its certificate says.

    `asked`: further headers, `Host` among them.
    """
    at, began = time.time(), time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        headers = {**(asked or {}), **({"Content-Type": "application/json"} if order else {})}
        connection.request(method, path, json.dumps(order) if order else None, headers)
        response = connection.getresponse()
        response.read()
        version = response.getheader("X-App-Version") or response.getheader("X-Rehearsal-Release")
        return Visit(at, version, response.status, time.monotonic() - began)
    except (OSError, http.client.HTTPException):
        return Visit(at, None, 0, time.monotonic() - began)
    finally:
        connection.close()


class Customers:
    """A handful of customers who look at orders and place some.

    Args:
        port: where the production listener is on loopback.
        ask: what each of them does instead.
        count: how many they are.
        interval: seconds between two requests of one of them.
    """

    def __init__(
        self, port: int, ask: Callable[[], Visit] | None = None, *, count: int = CUSTOMERS, interval: float = INTERVAL
    ) -> None:
        self._port, self._ask, self._count, self._interval = port, ask, count, interval
        self._gone = threading.Event()
        self.visits: list[Visit] = []

    def come(self) -> None:
        """Start sending requests."""
        for number in range(self._count):
            threading.Thread(target=self._customer, args=(number,), daemon=True).start()

    def go(self) -> None:
        """Stop sending requests."""
        self._gone.set()

    def _customer(self, number: int) -> None:
        dice = random.Random(number)  # noqa: S311  (no secret)
        self._gone.wait(self._interval * number / self._count)
        while not self._gone.is_set():
            if self._ask is not None:
                self.visits.append(self._ask())
            elif dice.random() < 0.3:
                order: dict[str, object] = {"customer_id": 1, "item": "book", "quantity": dice.randint(1, 40)}
                self.visits.append(visit(self._port, "POST", "/orders", order))
            else:
                self.visits.append(visit(self._port, "GET", "/orders"))
            self._gone.wait(self._interval)
