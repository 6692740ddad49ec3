"""Events leave a service through its outbox: written with the change itself, sent after the commit.

`publish` puts an event into the outbox in the caller's transaction. The stream's relay sends what is
committed, in the order of the outbox identity, and moves a row to the journal once NATS has stored it.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock, db, withdrawals
from benvung.envelope import SEQUENCE_DIGITS, SEQUENCE_OFFSET, EventData, encode
from benvung.logs import traceparent as request_trace


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
    """Put into the outbox what a projection announces, with ids that depend on the causes alone.

    What was taken back keeps its id; told anew it needs another one, or nobody would believe it.
    """
    if not announcements:
        return []
    streams = {each.data.stream() for each in announcements}
    # A recovery takes events back while nobody writes any: before it, or else known here.
    await (await db.driver(conn)).execute("lock table outbox in row exclusive mode")
    ids = await believable(conn, streams, [each.event_id() for each in announcements])
    return await _store(
        conn,
        [(event_id, each.data, each.traceparent) for event_id, each in zip(ids, announcements, strict=True)],
    )


async def believable(
    conn: AsyncConnection, streams: Collection[str], ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """These ids, with others in the place of those that were taken back in these streams."""
    believed = list(ids)
    while gone := await withdrawals.among(conn, streams, believed):
        believed = [uuid.uuid5(each, "anew") if each in gone else each for each in believed]
    return believed


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
