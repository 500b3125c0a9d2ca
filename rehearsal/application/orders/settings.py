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
    health_status: int
    """What `/health` answers; other than 200 for a release that is to be refused."""
    latency_per_order: float
    """Seconds that each order of a list takes."""
    maximum_quantity: int
    """The largest quantity of an order; above it, 422."""
    start_failure: str
    """Why the application refuses to start; empty: it starts."""


def read_settings() -> Settings:
    """Read the settings from the environment; raises ValueError for a number that is none."""
    return Settings(
        version=Path("VERSION").read_text().strip(),
        database_url=os.environ.get("DATABASE_URL", "sqlite:///data/orders.db"),
        health_status=int(os.environ.get("HEALTH_STATUS", "200")),
        latency_per_order=float(os.environ.get("LATENCY_PER_ORDER_MS", "0")) / 1000,
        maximum_quantity=int(os.environ.get("MAXIMUM_QUANTITY", "1000")),
        start_failure=os.environ.get("START_FAILURE", ""),
    )
