"""A small service that pays: its payments must not happen twice, and are corrected by whoever read them.

Run as a program it reads its settings from the environment, as a real service does.
"""

import asyncio
import hashlib
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.dialects import postgresql as pg

from benvung import db, etags, idempotency, kit, problems
from benvung.auth import Principal, require
from benvung.db import Conn
from benvung.etags import IfMatch
from benvung.idempotency import Once, OnlyOnce
from benvung.problems import NotFound
from benvung.service import Service
from benvung.settings import ServiceSettings
from benvung.web import cli

META = db.metadata()
kit.tables(META)
PAYMENTS = sa.Table(
    "payments",
    META,
    sa.Column("id", pg.UUID, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)
MOST = 1_000_000


class TooMuch(problems.Problem):
    """More than one may pay."""

    rule = "too-much"


class PaymentGiven(BaseModel):
    amount: int


class Payment(PaymentGiven):
    id: uuid.UUID
    version: int


class Pause:
    """Holds whoever is about to answer, in the middle of their transaction, until `go` is set."""

    def __init__(self) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def here(self) -> None:
        self.reached.set()
        await self.go.wait()


Payer = Annotated[Principal, Depends(require("payments.write"))]
router = APIRouter(prefix="/v1")


async def insert(conn: Conn, amount: int) -> uuid.UUID:
    if amount > MOST:
        raise TooMuch
    payment_id = uuid.uuid4()
    await conn.execute(sa.insert(PAYMENTS).values(id=payment_id, amount=amount))
    return payment_id


@router.post("/payments", status_code=201, responses=problems.responses(TooMuch))
async def pay(
    *,
    given: PaymentGiven,
    conn: Conn,
    principal: Payer,
    request: Request,
    response: Response,
    once: OnlyOnce,
    note: Annotated[str, Query()] = "",
) -> Payment:
    payment_id = once.made or await insert(conn, given.amount)
    if (pause := getattr(request.app.state, "pause", None)) is not None:
        await pause.here()
    return await answered(conn, payment_id, response)


async def streamed(request: Request) -> AsyncIterator[bytes]:
    digest = hashlib.sha256()
    async for piece in request.stream():
        digest.update(piece)
    yield digest.digest()


async def fingerprint(digest: Annotated[bytes, Depends(streamed)]) -> bytes:
    return digest


@router.post("/lists", status_code=202, max_body_size=5_000_000)
async def pay_list(
    *,
    digest: Annotated[bytes, Depends(streamed)],
    conn: Conn,
    principal: Payer,
    response: Response,
    once: Annotated[Once, idempotency.known_by(fingerprint)],
) -> Payment:
    payment_id = once.made or await insert(conn, digest[0])
    return await answered(conn, payment_id, response)


@router.get("/payments/{payment_id}", responses=etags.responses(NotFound))
async def show(payment_id: uuid.UUID, conn: Conn, principal: Payer, response: Response) -> Payment:
    return await answered(conn, payment_id, response)


@router.put("/payments/{payment_id}", responses=etags.responses(NotFound, etags.Changed, etags.BeliefMissing))
async def correct(
    *,
    payment_id: uuid.UUID,
    given: PaymentGiven,
    conn: Conn,
    principal: Payer,
    response: Response,
    believed: IfMatch,
) -> Payment:
    held = await find(conn, payment_id, lock=True)
    believed.demand()
    believed.check(held.version)
    changed = sa.update(PAYMENTS).where(PAYMENTS.c.id == payment_id)
    await conn.execute(changed.values(amount=given.amount, version=PAYMENTS.c.version + 1))
    return await answered(conn, payment_id, response)


async def answered(conn: Conn, payment_id: uuid.UUID, response: Response) -> Payment:
    row = await find(conn, payment_id)
    response.headers["Location"] = f"/v1/payments/{payment_id}"
    etags.tag(response, row.version)
    return Payment(id=row.id, amount=row.amount, version=row.version)


async def find(conn: Conn, payment_id: uuid.UUID, *, lock: bool = False) -> sa.Row[Any]:
    query = sa.select(PAYMENTS).where(PAYMENTS.c.id == payment_id)
    row = (await conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound
    return row


def service(settings: ServiceSettings) -> Service:
    """The service that pays."""
    return Service(
        name="kit",
        title_vi="Chi trả thử",
        title_en="Test payments",
        package="benvung",
        settings=settings,
        metadata=META,
        routers=[router],
    )


if __name__ == "__main__":
    sys.exit(cli(lambda: service(ServiceSettings()))())
