"""One stream from outbox to projection over real servers, as the tests of the kit set it up."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import db, outbox, rebuild
from benvung.bus import Bus, Refused, Stored
from benvung.envelope import EventData
from benvung.following import ProjectorRunner
from benvung.outbox import Announcement
from benvung.projector import Projector, Received
from benvung.rebuild import Rebuilder
from benvung.relay import Relay
from benvung.runner import Runner
from benvung.service import Service
from benvung.settings import ServiceSettings
from benvung.testing import NatsServer
from training.events import EventsWithdrawn

STREAM = "TRAINING"
OWNED = ("outbox", "journal", "streams")
OWNER = "training"
READER = "reporting"


class Noted(EventData):
    """A fact of these tests."""

    event_type: ClassVar[str] = "training.test.noted.v1"
    note_id: str
    number: int

    @property
    def subject_id(self) -> str:
        return self.note_id


class Note(BaseModel):
    note_id: str
    number: int


def noted(note_id: str, number: int) -> Noted:
    return Noted(province="64", commune="23827", revision=number, note_id=note_id, number=number)


async def keep(conn: AsyncConnection, events: Sequence[Received]) -> Sequence[Announcement]:
    """A handler as the house wants it: facts once by sequence; number 13 is indigestible."""
    if any(event.data.number == 13 for event in events):
        raise ValueError("thirteen")
    return await keep_all(conn, events)


async def keep_all(conn: AsyncConnection, events: Sequence[Received]) -> Sequence[Announcement]:
    """The handler of a later version, which digests thirteen too."""
    pg = await db.driver(conn)
    await pg.execute(
        "insert into kept (sequence, note_id, number)"
        " select * from unnest(%s::bigint[], %s::text[], %s::int[]) on conflict do nothing",
        (
            [event.sequence for event in events],
            [event.data.note_id for event in events],
            [event.data.number for event in events],
        ),
    )
    return []


META = db.metadata()
KEPT = sa.Table(
    "kept",
    META,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("note_id", sa.Text),
    sa.Column("number", sa.Integer),
    sa.CheckConstraint("number >= 0", name="number"),
    sa.Index(None, "note_id", "number"),
)


PROJECTOR = Projector(READER, STREAM, {Noted.event_type: Note}, keep, tables=[KEPT])
LATER = replace(PROJECTOR, handle=keep_all)


class Pipeline:
    """One outbox and its relay, one projector with its rebuilder, each with a database of its own.

    `told` asks the owner's database, `rows` the reader's.
    """

    def __init__(
        self,
        engines: tuple[AsyncEngine, AsyncEngine],
        settings: tuple[ServiceSettings, ServiceSettings],
        nats: NatsServer,
    ) -> None:
        self.engine, self.reading = engines
        self.owner, self.reader = settings
        self.nats = nats

    def relay(self) -> Relay:
        return Relay(self.owner, OWNER, STREAM, [READER])

    def projector(self) -> ProjectorRunner:
        return ProjectorRunner(self.reader, READER, PROJECTOR, self.reading)

    async def publish(self, events: Sequence[Noted]) -> list[int]:
        async with self.engine.begin() as conn:
            return await outbox.publish(conn, events)

    async def kept(self) -> list[tuple[str, int]]:
        return [
            (row.note_id, row.number)
            for row in await self.rows("select note_id, number from kept order by sequence")
        ]

    async def rows(self, query: str) -> Sequence[Any]:
        async with self.reading.connect() as conn:
            return (await conn.execute(sa.text(query))).all()

    async def told(self, query: str) -> Sequence[Any]:
        async with self.engine.connect() as conn:
            return (await conn.execute(sa.text(query))).all()

    async def change(self, statement: str) -> None:
        """Something is done to the reader's database."""
        async with self.reading.begin() as conn:
            await conn.execute(sa.text(statement))

    async def execute(self, statement: str) -> None:
        """Something is done to the owner's database."""
        async with self.engine.begin() as conn:
            await conn.execute(sa.text(statement))

    async def bus(self) -> Bus:
        return await Bus.connect(self.owner, OWNER, "test")

    async def stream(self) -> list[Stored]:
        """What the stream holds."""
        bus = await self.bus()
        try:
            state = await bus.stream_state(STREAM)
            return [message async for message in bus.read_range(STREAM, 1, state.last_seq)]
        finally:
            await bus.close()

    def rebuilder(self, projector: Projector = PROJECTOR) -> Rebuilder:
        return Rebuilder(self.reader, READER, [projector], self.reading)

    def service(self) -> Service:
        """The owner of the stream, as its command line knows it."""
        return Service(
            name=OWNER,
            title_vi="",
            title_en="",
            package=OWNER,
            settings=self.owner,
            metadata=META,
            events=[Noted, EventsWithdrawn],
            streams={STREAM: (READER,)},
        )

    async def ask_rebuild(self, by: str = "a person") -> None:
        async with self.reading.begin() as conn:
            await rebuild.request(conn, PROJECTOR, reason="a test", by=by)

    async def at_the_end(self) -> bool:
        """Whether everything told lies in the stream and was read from there."""
        if await self.told("select from outbox union all select from journal where stream_seq < 0"):
            return False
        [checkpoint] = await self.rows("select stream_created, stream_seq from checkpoints")
        bus = await self.bus()
        try:
            state = await bus.stream_state(STREAM)
        except Refused:
            return False
        finally:
            await bus.close()
        return state.whole and (state.created, state.last_seq) == tuple(checkpoint)

    def streams_folder(self) -> Path:
        """Where the server keeps its streams; a test that touches it stops the server first."""
        folder = getattr(self.nats, "folder", None)
        if folder is None:
            pytest.skip("the files of this NATS server are out of reach")
        return Path(folder) / "jetstream"

    def lose_stream(self) -> None:
        """The server comes back with an empty disk."""
        self.nats.kill()
        shutil.rmtree(self.streams_folder())
        self.nats.start()

    def copy_streams(self, to: Path) -> None:
        """Copy the server's disk while it stands still."""
        self.nats.kill()
        shutil.copytree(self.streams_folder(), to)
        self.nats.start()

    def put_back_streams(self, copy: Path) -> None:
        """The server comes back with an older disk."""
        self.nats.kill()
        shutil.rmtree(self.streams_folder())
        shutil.copytree(copy, self.streams_folder())
        self.nats.start()

    async def remember_database(self) -> None:
        """Keep a copy of all that the owner of the stream knows of its events."""
        await self.execute("create schema copy")
        for table in OWNED:
            await self.execute(f"create table copy.{table} as table {table}")
        await self.execute("create table copy.identity as select last_value from outbox_id_seq")

    async def restore_database(self) -> None:
        """Put that copy back."""
        for table in OWNED:
            await self.execute(f"truncate {table}")
            await self.execute(f"insert into {table} table copy.{table}")
        await self.execute("select setval('outbox_id_seq', last_value) from copy.identity")

    async def holds(self, number: int) -> bool:
        return len(await self.kept()) >= number


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(tasks, timeout=10)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 -- the truth is in a database
            await asyncio.sleep(0.02)


async def true(value: bool) -> bool:
    return value
