"""The HTTP interface: `uvicorn orders.main:app`."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from orders.models import Order
from orders.settings import read_settings

settings = read_settings()
engine = create_engine(settings.database_url, connect_args={"timeout": 5})


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Refuse to start when the environment says so: then uvicorn exits with 3."""
    if settings.start_failure:
        print(f"cannot start: {settings.start_failure}", file=sys.stderr, flush=True)
        raise RuntimeError(settings.start_failure)
    yield


app = FastAPI(title="orders", version=settings.version, lifespan=lifespan)


class NewOrder(BaseModel):
    """What a customer sends."""

    customer_id: int = 1
    item: str = Field(min_length=1, max_length=80)
    quantity: int = Field(gt=0)


class PlacedOrder(NewOrder):
    """What a customer gets back."""

    id: int


@app.middleware("http")
async def name_the_version(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say in every answer which release gave it."""
    response = await call_next(request)
    response.headers["X-App-Version"] = settings.version
    return response


@app.get("/health")
def health(response: Response) -> dict[str, object]:
    """Say whether the application and its database work."""
    with engine.connect() as connection:
        connection.execute(text("select count(*) from orders"))
    response.status_code = settings.health_status
    healthy = settings.health_status == 200
    return {"status": "ok" if healthy else "failing", "version": settings.version, "checks": {"database": "ok"}}


@app.get("/version")
def version() -> dict[str, str]:
    """Say which release this is."""
    return {"version": settings.version}


@app.get("/orders")
def orders(limit: int = 5) -> list[PlacedOrder]:
    """List the latest orders, as slowly as the environment wants."""
    with Session(engine) as session:
        rows = session.scalars(select(Order).order_by(Order.id.desc()).limit(limit)).all()
        found = [PlacedOrder(id=o.id, customer_id=o.customer_id, item=o.item, quantity=o.quantity) for o in rows]
    time.sleep(settings.latency_per_order * len(found))
    return found


@app.post("/orders", status_code=201)
def place(order: NewOrder) -> PlacedOrder:
    """Place an order; 422 if its quantity is above the maximum."""
    if order.quantity > settings.maximum_quantity:
        raise HTTPException(422, f"quantity {order.quantity} is above the maximum {settings.maximum_quantity}")
    with Session(engine) as session:
        row = Order(customer_id=order.customer_id, item=order.item, quantity=order.quantity)
        session.add(row)
        session.commit()
        return PlacedOrder(id=row.id, **order.model_dump())
