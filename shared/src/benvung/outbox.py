"""Events leave a service through its outbox: written with the change itself, sent after the commit.

`publish` puts an event into the outbox in the caller's transaction. The `Relay`, one per stream, sends
what is committed, in the order of the outbox identity, and deletes a row once NATS has stored its event.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock, db
from benvung.bus import BATCH_LIMIT, WRONG_LAST_SEQUENCE, Bus, Doubt, Outgoing, Refused
from benvung.envelope import SEQUENCE_DIGITS, SEQUENCE_OFFSET, EventData, Unreadable, decode, encode
from benvung.logs import traceparent as request_trace
from benvung.metrics import REGISTRY
from benvung.runner import Runner, Stand
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

WAITING = Gauge("outbox_waiting", "Events seen waiting, 1000 at most", ("stream",), registry=REGISTRY)
SINGLES_BELOW = 8
POLL_SECONDS = 0.25
DUPLICATE_IN_BATCH = 10201


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that follows from another one. The same cause never makes two different event ids."""

    cause: str
    data: EventData
    traceparent: str | None = None

    def event_id(self) -> uuid.UUID:
        """UUIDv5 of cause, kind and aggregate: a repeated projection announces the very same event."""
        return uuid.uuid5(uuid.UUID(self.cause), f"{self.data.event_type}:{self.data.subject_id}")


async def publish(conn: AsyncConnection, events: Sequence[EventData]) -> list[int]:
    """Put events into the outbox of the current transaction and return their sequences, in order.

    Call it only while the aggregates' rows are locked: the sequence then orders an aggregate's events.
    """
    trace = request_trace.get()
    return await _store(conn, [(uuid.uuid4(), event, trace) for event in events])


async def announce(conn: AsyncConnection, announcements: Sequence[Announcement]) -> list[int]:
    """Put into the outbox what a projection announces, with ids that depend on the causes alone."""
    return await _store(conn, [(each.event_id(), each.data, each.traceparent) for each in announcements])


async def _store(
    conn: AsyncConnection, events: Sequence[tuple[uuid.UUID, EventData, str | None]]
) -> list[int]:
    if not events:
        return []
    time = clock.now()
    cursor = await (await db.driver(conn)).execute(
        _STORE,
        (
            [data.stream() for _, data, _ in events],
            [data.subject() for _, data, _ in events],
            [event_id for event_id, _, _ in events],
            [data.event_type for _, data, _ in events],
            [
                encode(data, event_id=str(event_id), sequence=0, time=time, traceparent=trace)
                for event_id, data, trace in events
            ],
        ),
    )
    return [int(row[0]) for row in await cursor.fetchall()]


# One round trip: the identity is drawn in the order given and written into the event where it stands.
# Binary parameters: as text, each byte of a payload would be written and read as two digits.
_STORE = f"""
with drawn as materialized (
  select nextval('outbox_id_seq') as id, given.* from (
    select * from unnest(%b::text[], %b::text[], %b::uuid[], %b::text[], %b::bytea[])
      with ordinality as e(stream, subject, event_id, event_type, payload, place) order by place
  ) given
), stored as (
  insert into outbox (id, stream, subject, event_id, event_type, payload)
  select id, stream, subject, event_id, event_type, overlay(payload placing
    convert_to(lpad(id::text, {SEQUENCE_DIGITS}, '0'), 'UTF8')
    from {SEQUENCE_OFFSET + 1} for {SEQUENCE_DIGITS})
  from drawn
)
select id, (select pg_notify('outbox', '')) from drawn order by place
"""


_NEXT = """
with gone as (delete from outbox where id = any(%b::bigint[]))
select id, subject, event_id, payload from outbox
where stream = %s and id <> all(%b::bigint[]) order by id limit %s
"""


class Relay(Runner):
    """Sends one stream's outbox rows. Any number may run; the advisory lock lets one of them work."""

    def __init__(self, settings: ServiceSettings, service: str, stream: str, readers: Sequence[str]) -> None:
        super().__init__(f"relay {stream}")
        self._settings, self._service, self._stream, self._readers = settings, service, stream, readers
        self._last = 0

    async def session(self, stop: asyncio.Event) -> None:
        """One life of the relay: take the lock, look at the stream's tail, then send until a doubt."""
        conn = await psycopg.AsyncConnection.connect(
            self._settings.psycopg_url(), autocommit=True, connect_timeout=5
        )
        try:
            if not await self.lock(conn, stop):
                return
            bus = await Bus.connect(self._settings, self._service, f"relay-{self._stream}")
            self.bus = bus
            try:
                await self._prepare(conn, bus)
                await self._send_until(conn, bus, stop)
            finally:
                self.bus = None
                await bus.close()
        finally:
            await conn.close()

    async def _prepare(self, conn: psycopg.AsyncConnection[Any], bus: Bus) -> None:
        await bus.ensure_stream(self._stream)
        for reader in self._readers:
            await bus.ensure_reader(self._stream, reader)
        state = await bus.stream_state(self._stream)
        self._last = state.last_seq
        await self._forget_stored(conn, bus)
        await conn.execute("listen outbox")

    async def _forget_stored(self, conn: psycopg.AsyncConnection[Any], bus: Bus) -> None:
        """Delete outbox rows that the stream already holds: the previous relay died before its delete.

        One relay has at most one batch under way, so the stream's last two batches are enough to read.
        """
        stored: list[str] = []
        newest = 0
        async for message in bus.read_range(self._stream, max(1, self._last - 2 * BATCH_LIMIT), self._last):
            if message.event_id:
                stored.append(message.event_id)
            try:
                newest = max(newest, decode(message.payload).sequence)
            except Unreadable:
                continue
        if stored:
            await conn.execute("delete from outbox where event_id = any(%s::uuid[])", (stored,))
        row = await (await conn.execute("select last_value from outbox_id_seq")).fetchone()
        if row is not None and newest > row[0]:
            raise Stand(
                f"the database is behind its stream {self._stream} (restored from an older copy?):"
                f" run '{self._service} advance-sequence {newest}'"
            )

    async def _send_until(self, conn: psycopg.AsyncConnection[Any], bus: Bus, stop: asyncio.Event) -> None:
        self.working()
        sent: list[int] = []
        while not stop.is_set():
            # What was stored goes, and what waits is read, in one round trip and one commit.
            cursor = await conn.execute(_NEXT, (sent, self._stream, sent, BATCH_LIMIT), binary=True)
            rows = await cursor.fetchall()
            sent = []
            WAITING.labels(self._stream).set(len(rows))
            if bus.closed.is_set():
                raise Doubt("connection closed")
            if not rows:
                async for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass
                continue
            await self._send(bus, [Outgoing(row[1], str(row[2]), row[3]) for row in rows])
            sent = [row[0] for row in rows]
            self.count(len(rows))
        await conn.execute("delete from outbox where id = any(%b::bigint[])", (sent,))

    async def _send(self, bus: Bus, messages: Sequence[Outgoing]) -> None:
        """Store the messages behind the last one we know; an unknown outcome ends this life of the relay."""
        try:
            if len(messages) >= SINGLES_BELOW:
                self._last = await bus.publish_batch(self._stream, messages, self._last)
            else:
                for message in messages:
                    self._last = await bus.publish(self._stream, message, self._last)
        except Refused as refused:
            if refused.code in WRONG_LAST_SEQUENCE or refused.code == DUPLICATE_IN_BATCH:
                raise Doubt(str(refused)) from refused
            raise
