"""What the environment tells the application."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The application's configuration."""

    version: str
    """The release, as the image was tagged."""
    database_url: str
    session_key: str
    """Signs the sessions; a secret."""
    health_status: int
    """What `/health` answers; other than 200 for a release that is to be refused."""
    health_status_of_first: int
    """What `/health` answers in the first task of the release to start."""
    database_state: str
    """What `/health` says of the database."""
    latency: float
    """Seconds that each list of orders takes."""
    latency_per_order: float
    """Seconds that each order of a list takes."""
    slow_every: int
    """Every how many requests one takes `SLOW_SECONDS`; 0: none does."""
    fail_every: int
    """Every how many requests one is answered 500; 0: none is."""
    requests_per_second: int
    """How many requests a task answers in a second; what is more gets 503. 0: any number."""
    wrong_order: bool
    """Whether a single order is answered with another one's item."""
    maximum_quantity: int
    """The largest quantity of an order; above it, 422."""
    start_delay: float
    """Seconds that the application takes before it listens."""
    start_failure: str
    """Why the application refuses to start; empty: it starts."""
    migration_seconds: float
    """Seconds that a migration takes after its revisions."""


def read_settings() -> Settings:
    """Read the settings from the environment; raises ValueError for a number that is none."""
    health_status = os.environ.get("HEALTH_STATUS", "200")
    return Settings(
        version=Path("VERSION").read_text().strip(),
        database_url=os.environ.get("DATABASE_URL", "sqlite:///data/orders.db"),
        session_key=os.environ.get("SESSION_KEY", ""),
        health_status=int(health_status),
        health_status_of_first=int(os.environ.get("HEALTH_STATUS_OF_FIRST", health_status)),
        database_state=os.environ.get("DATABASE_STATE", "ok"),
        latency=float(os.environ.get("LATENCY_MS", "0")) / 1000,
        latency_per_order=float(os.environ.get("LATENCY_PER_ORDER_MS", "0")) / 1000,
        slow_every=int(os.environ.get("SLOW_EVERY", "0")),
        fail_every=int(os.environ.get("FAIL_EVERY", "0")),
        requests_per_second=int(os.environ.get("REQUESTS_PER_SECOND", "0")),
        wrong_order=os.environ.get("WRONG_ORDER", "") == "yes",
        maximum_quantity=int(os.environ.get("MAXIMUM_QUANTITY", "1000")),
        start_delay=float(os.environ.get("START_DELAY", "0")),
        start_failure=os.environ.get("START_FAILURE", ""),
        migration_seconds=float(os.environ.get("MIGRATION_SECONDS", "0")),
    )
