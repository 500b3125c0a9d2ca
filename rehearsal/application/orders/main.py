"""The HTTP interface: `uvicorn orders.main:app`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import secrets
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from orders.models import Order
from orders.settings import read_settings

settings = read_settings()
refusal = settings.start_failure or ("" if settings.session_key else "SESSION_KEY is not set")
if refusal:
    # Before the server starts, so that the reason is the last line of the log.
    print(f"cannot start: {refusal}", file=sys.stderr, flush=True)
    sys.exit(3)
engine = create_engine(settings.database_url, connect_args={"timeout": 5})


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Take as long to start as the environment wants, and learn how healthy this task is to be."""
    await asyncio.sleep(settings.start_delay)
    app.state.health_status = settings.health_status_of_first if is_first() else settings.health_status
    yield


def is_first() -> bool:
    """Say whether this task is the first of its release; whoever makes the file on the shared volume is."""
    try:
        Path(f"data/first-of-{settings.version}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


app = FastAPI(title="orders", version=settings.version, lifespan=lifespan)


class NewOrder(BaseModel):
    """What a customer sends."""

    customer_id: int = 1
    item: str = Field(min_length=1, max_length=80)
    quantity: int = Field(gt=0)


class PlacedOrder(NewOrder):
    """What a customer gets back."""

    id: int


SLOW_SECONDS = 1.5
UNTROUBLED = ("/health", "/version")
"""Paths that answer whatever becomes of the others: a health check sees none of it."""
numbers = itertools.count(1)
second: deque[float] = deque()
"""When the requests of the last second came."""


@app.middleware("http")
async def trouble(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Be as slow, as faulty and as easily overrun as the environment wants."""
    if request.url.path in UNTROUBLED:
        return await call_next(request)
    now, number = time.monotonic(), next(numbers)
    second.append(now)
    while second[0] < now - 1:
        second.popleft()
    if settings.requests_per_second and len(second) > settings.requests_per_second:
        return Response("too many requests in one second", 503)
    if settings.fail_every and number % settings.fail_every == 0:
        return Response("no luck", 500)
    if settings.slow_every and number % settings.slow_every == 0:
        await asyncio.sleep(SLOW_SECONDS)
    return await call_next(request)


@app.middleware("http")
async def accompany(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Say in every answer which release gave it, and give whoever has no session a signed one."""
    response = await call_next(request)
    response.headers["X-App-Version"] = settings.version
    if "session" not in request.cookies:
        name = secrets.token_hex(8)
        signature = hmac.new(settings.session_key.encode(), name.encode(), hashlib.sha256).hexdigest()
        response.set_cookie("session", f"{name}.{signature}", httponly=True)
    return response


@app.get("/health")
def health(request: Request, response: Response) -> dict[str, object]:
    """Say whether the application and its database work."""
    with engine.connect() as connection:
        connection.execute(text("select count(*) from orders"))
    response.status_code = request.app.state.health_status
    healthy = response.status_code == 200
    checks = {"database": settings.database_state}
    return {"status": "ok" if healthy else "failing", "version": settings.version, "checks": checks}


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
    time.sleep(settings.latency + settings.latency_per_order * len(found))
    return found


def find(session: Session, order_id: int) -> Order:
    """Return an order; 404 if there is none."""
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, f"there is no order {order_id}")
    return order


@app.get("/orders/{order_id}")
def order(order_id: int) -> PlacedOrder:
    """Return one order, or what the environment wants to be taken for it."""
    with Session(engine) as session:
        found = find(session, order_id)
        item = "something else" if settings.wrong_order else found.item
        return PlacedOrder(id=found.id, customer_id=found.customer_id, item=item, quantity=found.quantity)


@app.delete("/orders/{order_id}", status_code=204)
def cancel(order_id: int) -> None:
    """Delete an order."""
    with Session(engine) as session:
        session.delete(find(session, order_id))
        session.commit()


@app.post("/orders", status_code=201)
def place(new: NewOrder) -> PlacedOrder:
    """Place an order; 422 if its quantity is above the maximum."""
    if new.quantity > settings.maximum_quantity:
        raise HTTPException(422, f"quantity {new.quantity} is above the maximum {settings.maximum_quantity}")
    with Session(engine) as session:
        row = Order(customer_id=new.customer_id, item=new.item, quantity=new.quantity)
        session.add(row)
        session.commit()
        return PlacedOrder(id=row.id, **new.model_dump())
