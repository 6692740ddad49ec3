"""After a database was restored from an older copy: what its streams know and it does not is taken back.

The outbox identity moves past everything the streams hold, events that wait get new numbers behind it, and
an `events.withdrawn` tells every reader which events no longer hold. What was announced again meanwhile, by
a projection that reads on from its older checkpoint, gets another id, because its own no longer holds.

Where several databases were restored, each is recovered by its own command, in any order.
"""

import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db, journal, outbox, withdrawals
from benvung.bus import Bus
from benvung.envelope import SEQUENCE_DIGITS, SEQUENCE_OFFSET, EventsWithdrawn
from benvung.journal import Placed
from benvung.service import Service

LOCK_SECONDS = 30
EVENTS_IN_ONE = 1000


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done: events taken back by stream, waiting events renumbered, the identity now."""

    withdrawn: dict[str, int]
    renumbered: int
    identity: int


async def recover(service: Service) -> Recovered:
    """Bring a restored database and its streams to one account again. Harmless when nothing is wrong.

    Raises `Doubt` or `Refused` when NATS does not answer as it should, and `psycopg.errors.LockNotAvailable`
    while a relay holds its stream.
    """
    async with AsyncExitStack() as open_until_done:
        engine = db.create_engine(service.settings)
        open_until_done.push_async_callback(engine.dispose)
        bus = await Bus.connect(service.settings, service.name, "recover")
        open_until_done.push_async_callback(bus.close)
        locks = await open_until_done.enter_async_context(await journal.connect(service.settings))
        await locks.execute(f"set lock_timeout = '{LOCK_SECONDS}s'")
        unknown = {stream: await _unknown(locks, bus, stream) for stream in service.streams}
        async with engine.begin() as conn:
            # Who writes events just now ends first, and who comes later finds what was taken back.
            await (await db.driver(conn)).execute("lock table outbox in exclusive mode")
            identity = await _advance(conn, [each for found in unknown.values() for each in found])
            for stream, found in unknown.items():
                await withdrawals.note(conn, stream, [each.event_id for each in found])
            await _rename(conn)
            renumbered = await _renumber(conn, service.sequences)
            for stream, found in unknown.items():
                await _withdraw(conn, service, stream, [each.event_id for each in found])
    return Recovered({stream: len(found) for stream, found in unknown.items()}, renumbered, identity)


async def _unknown(locks: journal.Session, bus: Bus, stream: str) -> list[Placed]:
    """Hold the stream's relay off and compare the whole stream with journal and outbox."""
    await locks.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (f"benvung relay {stream}",))
    await bus.ensure_stream(stream)
    state = await bus.stream_state(stream)
    await journal.find_lost(locks, stream, state)
    return await journal.settle_tail(locks, bus, stream, state, whole=True)


async def _advance(conn: AsyncConnection, unknown: Sequence[Placed]) -> int:
    newest = max((each.sequence for each in unknown), default=0)
    cursor = await (await db.driver(conn)).execute(
        "select case when %s > last_value then setval('outbox_id_seq', %s) else last_value end"
        " from outbox_id_seq",
        (newest, newest),
    )
    row = await cursor.fetchone()
    assert row is not None  # a sequence is one row
    return int(row[0])


async def _rename(conn: AsyncConnection) -> None:
    """Give waiting events other ids where theirs were taken back."""
    pg = await db.driver(conn)
    cursor = await pg.execute("select event_id, stream from outbox join withdrawn using (stream, event_id)")
    gone = dict(await cursor.fetchall())
    ids = list(gone)
    await pg.execute(
        "update outbox set event_id = new, payload = overlay(payload placing convert_to(new::text, 'UTF8')"
        " from position(convert_to(old::text, 'UTF8') in payload))"
        " from unnest(%s::uuid[], %s::uuid[]) as renamed(old, new) where event_id = old",
        (ids, await outbox.believable(conn, set(gone.values()), ids)),
    )


async def _renumber(conn: AsyncConnection, columns: Sequence[sa.Column[int]]) -> int:
    """Give waiting events new numbers, also where the service keeps them: the old ones were used before."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "create temporary table renumbered on commit drop as"
        " select old, nextval('outbox_id_seq') as new from (select id as old from outbox order by id) waiting"
    )
    renumbered = cursor.rowcount
    if not renumbered:
        # Requests under way need not wait for the tables below.
        return 0
    await pg.execute(
        "update outbox set id = new, payload = overlay(payload placing"
        f" convert_to(lpad(new::text, {SEQUENCE_DIGITS}, '0'), 'UTF8')"
        f" from {SEQUENCE_OFFSET + 1} for {SEQUENCE_DIGITS}) from renumbered where id = old"
    )
    for column in columns:
        table, name = sql.Identifier(column.table.name), sql.Identifier(column.name)
        # The tables of facts refuse every change; this is the one that keeps them true.
        for statement in (
            "alter table {table} disable trigger user",
            "update {table} set {name} = new from renumbered where {name} = old",
            "alter table {table} enable trigger user",
        ):
            await pg.execute(sql.SQL(statement).format(table=table, name=name))
    return renumbered


async def _withdraw(
    conn: AsyncConnection, service: Service, stream: str, events: Sequence[uuid.UUID]
) -> None:
    if not events:
        return
    kind = next(
        each for each in service.events if issubclass(each, EventsWithdrawn) and each.stream() == stream
    )
    withdrawal = uuid.uuid4()
    await outbox.publish(
        conn,
        [
            kind(
                province=None,
                commune=None,
                revision=number,
                withdrawal_id=withdrawal,
                events=tuple(events[start : start + EVENTS_IN_ONE]),
            )
            for number, start in enumerate(range(0, len(events), EVENTS_IN_ONE), start=1)
        ],
    )
