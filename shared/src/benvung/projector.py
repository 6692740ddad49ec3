"""A checkpointed consumer: a batch of events in, one transaction, the checkpoint moved inside it.

Rows, announcements, dead letters and the checkpoint of a batch are committed together or not at all. A
projector is restarted from its checkpoint on any doubt; what is delivered again changes nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import db, outbox
from benvung.bus import Bus, Doubt, Pull, Stored
from benvung.envelope import Unreadable, decode
from benvung.metrics import REGISTRY
from benvung.runner import Runner, Stand
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.25
BURIED = Counter("dead_letters", "Messages buried in this process", ("runner",), registry=REGISTRY)
TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError)


@dataclass(frozen=True, slots=True)
class Received:
    """An event as a handler sees it: the head it may need, and the body in the consumer's own model."""

    event_id: str
    source: str
    type: str
    subject: str
    sequence: int
    time: Any
    data: Any
    traceparent: str | None = None


Announcements = Sequence[outbox.Announcement]
Handler = Callable[[AsyncConnection, Sequence[Received]], Awaitable[Announcements]]


@dataclass(frozen=True)
class Projector:
    """What one projection reads from one stream.

    `readers` maps each event type to this consumer's own small model. `handle` gets a batch in stream
    order, writes rows with set-based SQL, and returns what is to be announced. It must be indifferent to
    repetition and disorder: facts are inserted once by sequence, state rows only move to a higher one.
    """

    name: str
    stream: str
    readers: Mapping[str, type[BaseModel]]
    handle: Handler

    def read(self, payload: bytes) -> Received | None:
        """Read one message, or `None` when its kind does not concern us. Raises `Unreadable`."""
        envelope = decode(payload)
        reader = self.readers.get(envelope.type)
        if reader is None:
            known = {name.rpartition(".")[0] for name in self.readers}
            if envelope.type.rpartition(".")[0] in known:
                raise Unreadable(f"unknown version: {envelope.type}")
            return None
        if envelope.source.strip("/").upper() != self.stream.removesuffix("_RESTRICTED"):
            raise Unreadable(f"source {envelope.source} does not own stream {self.stream}")
        try:
            data = reader.model_validate(envelope.data)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise Unreadable(f"data: {faults}") from error
        return Received(
            event_id=envelope.id,
            source=envelope.source,
            type=envelope.type,
            subject=envelope.subject,
            sequence=envelope.sequence,
            time=envelope.time,
            data=data,
            traceparent=envelope.traceparent,
        )


class ProjectorRunner(Runner):
    """Keeps one projection up with its stream. Any number may run; the advisory lock lets one work."""

    def __init__(
        self, settings: ServiceSettings, service: str, projector: Projector, engine: AsyncEngine
    ) -> None:
        super().__init__(f"projector {projector.name} on {projector.stream}")
        self._settings, self._service, self._projector, self._engine = settings, service, projector, engine
        self._created = ""
        self._seq = 0

    async def session(self, stop: asyncio.Event) -> None:
        """One life of the projector: lock, checkpoint, read on from there until a doubt."""
        async with self._engine.connect() as conn:
            try:
                if not await self._take(conn, stop):
                    return
                bus = await Bus.connect(self._settings, self._service, self.name.replace(" ", "-"))
                self.bus = bus
                try:
                    await self._find_place(conn, bus)
                    pull = await bus.pull(self._projector.stream, self._projector.name, self._seq)
                    await self._project_until(conn, pull, stop)
                finally:
                    self.bus = None
                    await bus.close()
            finally:
                # The lock belongs to the session, and a pooled session would keep it.
                await conn.invalidate()

    async def _take(self, conn: AsyncConnection, stop: asyncio.Event) -> bool:
        return await self.lock(await db.driver(conn), stop)

    async def _find_place(self, conn: AsyncConnection, bus: Bus) -> None:
        state = await bus.stream_state(self._projector.stream)
        async with conn.begin():
            cursor = await (await db.driver(conn)).execute(
                "insert into checkpoints (projector, stream, stream_created, stream_seq)"
                " values (%s, %s, %s, 0)"
                " on conflict (projector, stream) do update set moved_at = checkpoints.moved_at"
                " returning stream_created, stream_seq",
                (self._projector.name, self._projector.stream, state.created),
            )
            row = await cursor.fetchone()
        assert row is not None  # the statement always returns its row
        self._created, self._seq = row[0], int(row[1])
        if self._created != state.created or self._seq > state.last_seq:
            raise Stand(
                f"stream {self._projector.stream} (created {state.created}, reaches {state.last_seq}) is not"
                f" the one this projection has read up to {self._seq} (created {self._created}):"
                " it was recreated or restored, and the projection must be compared with the registry"
            )

    async def _project_until(self, conn: AsyncConnection, pull: Pull, stop: asyncio.Event) -> None:
        self.working()
        while not stop.is_set():
            messages = await pull.batch(self._settings.projection_batch, IDLE_SECONDS)
            if messages:
                await self._apply(conn, messages)
                await pull.acknowledge(messages[-1])
                self.count(len(messages))

    async def _apply(self, conn: AsyncConnection, messages: Sequence[Stored]) -> None:
        """Project the batch in one transaction; if it holds something indigestible, find that and bury it."""
        try:
            await self._transact(conn, messages)
        except Exception as error:
            if is_transient(error):
                raise
            if len(messages) == 1:
                log.exception("event_buried", runner=self.name, stream_seq=messages[0].stream_seq)
                await self._transact(conn, messages, reason=f"{type(error).__name__}: {error}")
                return
            middle = len(messages) // 2
            await self._apply(conn, messages[:middle])
            await self._apply(conn, messages[middle:])

    async def _transact(
        self, conn: AsyncConnection, messages: Sequence[Stored], reason: str | None = None
    ) -> None:
        received: list[Received] = []
        dead: list[tuple[Stored, str]] = []
        for message in messages:
            try:
                event = None if reason else self._projector.read(message.payload)
                if event is not None:
                    received.append(event)
                elif reason:
                    dead.append((message, reason))
            except Unreadable as unreadable:
                dead.append((message, str(unreadable)))
        async with conn.begin():
            await project(conn, self._projector, received)
            await self._bury(conn, dead)
            await self._move_checkpoint(conn, messages[-1].stream_seq)
        self._seq = messages[-1].stream_seq

    async def _bury(self, conn: AsyncConnection, dead: Sequence[tuple[Stored, str]]) -> None:
        if not dead:
            return
        pg = await db.driver(conn)
        async with pg.cursor() as cursor:
            await cursor.executemany(
                "insert into dead_letters (projector, stream, stream_created, stream_seq, subject, payload,"
                " reason) values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
                [
                    (
                        self._projector.name,
                        self._projector.stream,
                        self._created,
                        message.stream_seq,
                        message.subject,
                        message.payload,
                        reason.replace("\0", "")[:2000],
                    )
                    for message, reason in dead
                ],
            )
        BURIED.labels(self.name).inc(len(dead))
        log.warning("dead_letters", runner=self.name, count=len(dead), stream_seq=dead[0][0].stream_seq)

    async def _move_checkpoint(self, conn: AsyncConnection, stream_seq: int) -> None:
        """Move the checkpoint from where we believe it is; somebody else having moved it is a doubt."""
        pg = await db.driver(conn)
        cursor = await pg.execute(
            "with moved as (update checkpoints set stream_seq = %s, moved_at = clock_timestamp()"
            " where projector = %s and stream = %s and stream_created = %s and stream_seq = %s returning 1)"
            " select pg_notify('projection', %s) from moved",
            (
                stream_seq,
                self._projector.name,
                self._projector.stream,
                self._created,
                self._seq,
                json.dumps({"stream": self._projector.stream, "seq": stream_seq}),
            ),
        )
        if cursor.rowcount != 1:
            raise Doubt("the checkpoint was moved by another process")


async def project(conn: AsyncConnection, projector: Projector, events: Sequence[Received]) -> None:
    """Hand a batch to the projector's handler and put what it announces into the outbox."""
    if not events:
        return
    announcements = await projector.handle(conn, events)
    if announcements:
        traces = {event.event_id: event.traceparent for event in events}
        await outbox.announce(
            conn,
            [
                outbox.Announcement(each.cause, each.data, each.traceparent or traces.get(each.cause))
                for each in announcements
            ],
        )


def is_transient(error: BaseException) -> bool:
    """Whether the same batch may well succeed later: a lost server or connection, a lock, a doubt."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, TRANSIENT)
    return isinstance(error, (Doubt, OSError, *TRANSIENT))
