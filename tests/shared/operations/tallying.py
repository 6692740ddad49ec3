"""A small service with one projection that counts: what is applied twice is seen, and 13 needs an open gate."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx2
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import clock, db
from benvung.envelope import EventData, encode
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from benvung.service import Service
from benvung.settings import ServiceSettings

STREAM, OWNER, READER = "TRAINING", "training", "reporting"
META = db.metadata()
TALLIED = sa.Table(
    "tallied",
    META,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
    # Judged only when the transaction commits.
    sa.UniqueConstraint("number", deferrable=True, initially="DEFERRED"),
)
GATE = sa.Table("gate", META, sa.Column("open", sa.Boolean, nullable=False))
CREATED = "2024-01-01T00:00:00Z"


class Counted(EventData):
    """What the owner of the stream tells."""

    event_type: ClassVar[str] = "training.test.counted.v1"
    number: int

    @property
    def subject_id(self) -> str:
        return str(self.number)


class Tallied(EventData):
    """What the projection announces, once for each number."""

    event_type: ClassVar[str] = "reporting.test.tallied.v1"
    number: int

    @property
    def subject_id(self) -> str:
        return str(self.number)


class Number(BaseModel):
    number: int


def counted(number: int) -> Counted:
    return Counted(province="64", commune="23827", revision=1, number=number)


def payload(number: int, sequence: int = 10**6) -> bytes:
    """The event as it lies in the stream."""
    return encode(
        counted(number),
        event_id=str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        sequence=sequence + number,
        time=clock.now(),
        traceparent=None,
    )


async def tally(conn: AsyncConnection, events: Sequence[Received]) -> Sequence[Announcement]:
    """Write first and complain afterwards: what is half done must be undone."""
    rows = [{"sequence": event.sequence, "number": event.data.number} for event in events]
    await conn.execute(sa.insert(TALLIED), rows)
    gate = (await conn.execute(sa.select(GATE.c.open))).scalar_one_or_none()
    if not gate and any(event.data.number == 13 for event in events):
        raise ValueError("thirteen")
    told = Tallied.model_construct
    return [
        Announcement(
            event.event_id, told(province="64", commune="23827", revision=1, number=event.data.number)
        )
        for event in events
    ]


PROJECTOR = Projector(READER, STREAM, {Counted.event_type: Number}, tally, tables=[TALLIED])


def tallying(settings: ServiceSettings, **more: Any) -> Service:
    """The small service; `more` replaces parts of it."""
    parts: dict[str, Any] = {
        "name": READER,
        "title_vi": "Dịch vụ đếm",
        "title_en": "Counting service",
        "package": "benvung",
        "settings": settings,
        "metadata": META,
        "streams": {"REPORTING": ()},
        "projectors": [PROJECTOR],
    }
    return Service(**parts | more)


@dataclass
class Site:
    """The small service and what its database holds."""

    app: FastAPI
    client: httpx2.AsyncClient
    engine: AsyncEngine

    async def run(self, query: str, **values: Any) -> Sequence[Any]:
        async with self.engine.begin() as conn:
            result = await conn.execute(sa.text(query), values)
            return result.all() if result.returns_rows else []

    async def bury(self, content: bytes, **more: Any) -> int:
        """Put a letter among the dead as the projector does; returns its number."""
        values = {
            "projector": READER,
            "stream": STREAM,
            "created": CREATED,
            "subject": "training.test.counted.v1.64.23827",
            "payload": content,
            "reason": "ValueError: thirteen",
            **more,
        }
        [(number,)] = await self.run(
            "insert into dead_letters (projector, stream, stream_created, stream_seq, subject, payload, reason)"
            " values (:projector, :stream, :created, (select count(*) + 1 from dead_letters), :subject,"
            " :payload, :reason) returning id",
            **values,
        )
        return int(number)

    async def numbers(self) -> list[int]:
        return [row.number for row in await self.run("select number from tallied order by number")]

    async def announced(self) -> int:
        [(count,)] = await self.run("select count(*) from outbox where stream = 'REPORTING'")
        return int(count)

    async def letter(self, number: int) -> Any:
        [row] = await self.run("select * from dead_letters where id = :number", number=number)
        return row

    async def audited(self, action: str) -> list[tuple[str, str]]:
        """Who did this to which letter or rebuild."""
        rows = await self.run(
            "select principal, entity_id from audit where action = :action order by id", action=action
        )
        return [(row.principal, row.entity_id) for row in rows]

    async def open_gate(self) -> None:
        await self.run("insert into gate values (true)")
