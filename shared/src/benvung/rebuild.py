"""A projection made anew from its stream, beside the live one, and put in its place.

The new tables stand in a schema of their own until they have read as far as the live ones. Then, while the
live projection waits, both are compared, what differs is announced, and the new tables take the old ones'
place: one transaction, so that nothing is announced twice and no reader sees half of it.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import db, outbox, rebuilt_letters, shadow, withdrawals
from benvung.ahead import Ahead, Batch
from benvung.bus import Bus, Doubt, Pull, Stored, StreamState
from benvung.outbox import Announcement
from benvung.projector import Projector, bury, digest, fingerprint
from benvung.rebuilt_letters import Letters
from benvung.runner import Runner, Stand, pause
from benvung.settings import ServiceSettings
from benvung.shadow import LIVE

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
IDLE_SECONDS = 0.25
# A live projection that does not move for so long is not waited for.
PATIENCE_SECONDS = 10.0
BATCH = 2000
AUTOMATIC = "system"
# Of what is known, this share and number of rows may vanish without a person having said so.
VANISHING_SHARE, VANISHING_ROWS = 0.1, 1000


async def request(
    conn: AsyncConnection,
    projector: Projector,
    *,
    reason: str,
    by: str = AUTOMATIC,
    from_start: bool = False,
) -> int:
    """Ask for the projection to be made anew; one that is under way is not begun again unless `from_start`.

    What a person asks for (`by`) is done. What the system asks of itself waits for a stream that does not
    reach as far as it once did, and stops before much of what is known would vanish.
    """
    cursor = await (await db.driver(conn)).execute(
        "insert into rebuilds (projector, stream, state, reason, requested_by)"
        " values (%s, %s, 'REQUESTED', %s, %s)"
        " on conflict (projector, stream) where state in ('REQUESTED', 'READING')"
        " do update set state = case when %s then 'REQUESTED' else rebuilds.state end,"
        " requested_by = case when %s then rebuilds.requested_by else excluded.requested_by end"
        " returning id",
        (projector.name, projector.stream, reason, by, from_start, by == AUTOMATIC),
    )
    row = await cursor.fetchone()
    assert row is not None  # inserted or updated, it is returned
    return int(row[0])


async def note_withdrawn(conn: AsyncConnection, projector: Projector, events: Sequence[uuid.UUID]) -> None:
    """Note events that no longer hold, and have the projection made anew without them."""
    if await withdrawals.note(conn, projector.stream, events):
        await request(conn, projector, reason=f"{len(events)} events were withdrawn", from_start=True)


@dataclass(frozen=True, slots=True)
class Job:
    """A rebuild under way and how far it has read."""

    id: int
    projector: Projector
    by: str
    created: str
    seq: int
    fingerprint: bytes | None
    rewound: bool = False
    known: Mapping[bytes, Sequence[int]] = field(default_factory=dict)

    @property
    def schema(self) -> str:
        """Where the new tables stand."""
        return f"rebuild_{self.projector.name}_{self.projector.stream.lower()}"

    @property
    def letters(self) -> Letters:
        """The dead letters it comes by."""
        return Letters(self.projector, self.created, self.schema, self.known)


class Rebuilder(Runner):
    """Makes a service's projections anew when asked, one after another."""

    def __init__(
        self, settings: ServiceSettings, service: str, projectors: Sequence[Projector], engine: AsyncEngine
    ) -> None:
        super().__init__("rebuilds")
        self._settings, self._service, self._engine = settings, service, engine
        self._projectors = {(each.name, each.stream): each for each in projectors}

    async def session(self, stop: asyncio.Event) -> None:
        """Wait for requests and carry each out; a doubt ends this life and the next one goes on from there."""
        async with self._engine.connect() as conn:
            try:
                if not await self.lock(await db.driver(conn), stop):
                    return
                self.working()
                while not stop.is_set():
                    job = await self._next(conn)
                    if job is None:
                        await pause(stop, LOOK_SECONDS)
                    else:
                        await self._make(conn, job, stop)
            finally:
                await conn.invalidate()

    async def _next(self, conn: AsyncConnection) -> Job | None:
        async with conn.begin():
            cursor = await (await db.driver(conn)).execute(
                "select projector, stream, id, requested_by, case state when 'READING' then stream_created"
                " else '' end, stream_seq, digest from rebuilds where state in ('REQUESTED', 'READING')"
                " order by id"
            )
            for name, stream, number, *rest in await cursor.fetchall():
                if (name, stream) in self._projectors:
                    return Job(number, self._projectors[name, stream], *rest)
        return None

    async def _make(self, conn: AsyncConnection, job: Job, stop: asyncio.Event) -> None:
        bus = await Bus.connect(self._settings, self._service, f"rebuild-{job.projector.stream}")
        self.bus = bus
        try:
            # In this order: what the live projection reads meanwhile lies behind the place that we compare.
            async with conn.begin():
                live = await _live(conn, job.projector)
            state = await bus.stream_state(job.projector.stream)
            rewound = self._is_rewound(job, live, state)
            if (
                job.created != state.created
                or job.seq > state.last_seq
                or not await self._is_begun(conn, job)
            ):
                job = await self._begin(conn, job, state.created)
            reader = f"{job.projector.name}-rebuild"
            pull = await bus.pull(job.projector.stream, reader, max(job.seq - 1, 0))
            await self._read(conn, pull, replace(job, rewound=rewound), state.last_seq, stop)
        finally:
            self.bus = None
            await bus.close()

    def _is_rewound(self, job: Job, live: "_Live | None", state: StreamState) -> bool:
        """Whether the live projection has read further than the stream reaches.

        What lacks something that was once in it must not become the truth before its owner has seen to it.
        """
        if not state.whole:
            raise Doubt(f"stream {job.projector.stream} is being filled again by its owner")
        rewound = live is not None and live.created == state.created and live.seq > state.last_seq
        if rewound and job.by == AUTOMATIC:
            raise Doubt(f"stream {job.projector.stream} does not reach as far as it was read")
        return rewound

    async def _is_begun(self, conn: AsyncConnection, job: Job) -> bool:
        async with conn.begin():
            return await rebuilt_letters.begun(conn, job.schema)

    async def _begin(self, conn: AsyncConnection, job: Job, created: str) -> Job:
        """Empty tables in the new schema, whatever an earlier attempt left there."""
        job = replace(job, created=created, seq=0, fingerprint=None)
        async with conn.begin():
            await self._say_how_far(conn, job, "READING")
            await shadow.create(conn, job.projector.tables, job.schema)
            await rebuilt_letters.begin(conn, job.projector, job.schema)
        log.info("rebuild_begun", projector=job.projector.name, stream=job.projector.stream)
        return job

    async def _read(self, conn: AsyncConnection, pull: Pull, job: Job, end: int, stop: asyncio.Event) -> None:
        """Read to where the live projection is, then change places with it."""
        async with conn.begin():
            gone = await withdrawals.known(conn, job.projector.stream)
            job = replace(job, known=await rebuilt_letters.known(conn, job.schema))
        ahead = Ahead(pull, job.projector, gone, BATCH)
        patience = _Patience()
        known = job.seq == 0
        while not stop.is_set():
            # A server that went away may come back with an older stream.
            if self.bus is None or self.bus.closed.is_set():
                raise Doubt("connection closed")
            # What we read last may have been replaced since: it is looked at even when nothing follows it.
            if known and job.seq >= end:
                end = await self._swap(conn, ahead, job, patience)
                if end == 0:
                    return
                if job.seq >= end:
                    await pause(stop, IDLE_SECONDS)
                    continue
            batch = await ahead.batch(IDLE_SECONDS)
            if batch.messages and not known:
                known = True
                batch = await self._check_last(conn, ahead, job, batch)
            if batch.messages:
                job = await self._project(conn, job, ahead, batch)
                await pull.acknowledge(batch.messages[-1])
                self.count(len(batch.messages))

    async def _check_last(self, conn: AsyncConnection, ahead: Ahead, job: Job, batch: Batch) -> Batch:
        """Make sure that what we read last is still there, and leave it out."""
        last, *messages = batch.messages
        if last.stream_seq != job.seq:
            return batch
        if job.fingerprint != fingerprint(last):
            await self._start_over(conn, job)
            raise Doubt("the stream is not the one the rebuild has read")
        return Batch(messages, ahead.sort(messages, None))

    async def _project(self, conn: AsyncConnection, job: Job, ahead: Ahead, batch: Batch) -> Job:
        """Read a batch into the new tables, in transactions of their own or inside the one that is open."""

        swapping = conn.in_transaction()

        async def transact(messages: Sequence[Stored], reason: str | None) -> None:
            whole = messages is batch.messages and reason is None
            found = batch.found if whole else ahead.sort(messages, reason)
            last = messages[-1]
            pg = await db.driver(conn)
            async with conn.begin_nested() if swapping else conn.begin(), pg.pipeline() as sent:
                reached = replace(job, seq=last.stream_seq, fingerprint=fingerprint(last))
                if not swapping:
                    # A crash may undo the last batches, rows and place alike: they are read again.
                    await pg.execute("set local synchronous_commit = off")
                # Noted first, as the live projection does, so that the two never wait for each other.
                anew = await withdrawals.note(conn, job.projector.stream, found.withdrawn)
                await self._say_how_far(conn, reached, "READING")
                if anew:
                    await request(conn, job.projector, reason="", from_start=True)
                await bury(conn, job.projector, job.created, found.dead)
                await job.letters.met(conn, messages, found.dead)
                await shadow.search(conn, job.schema, LIVE)
                if found.received:
                    # What it would announce is told of by the comparison, if it is news.
                    await job.projector.handle(conn, found.received)
                await shadow.search(conn, LIVE)
                # All is asked of PostgreSQL, which now has long to write.
                await (sent.sync() if swapping else ahead.during(sent.sync()))

        await digest(self.name, batch.messages, transact)
        last = batch.messages[-1]
        return replace(job, seq=last.stream_seq, fingerprint=fingerprint(last))

    async def _say_how_far(self, conn: AsyncConnection, job: Job, state: str) -> None:
        wanted = ("REQUESTED", "READING") if job.seq == 0 else ("READING",)
        cursor = await (await db.driver(conn)).execute(
            "update rebuilds set state = %s, stream_created = %s, stream_seq = %s, digest = %s"
            " where id = %s and state = any(%s) returning id",
            (state, job.created, job.seq, job.fingerprint, job.id, list(wanted)),
        )
        if await cursor.fetchone() is None:
            raise Doubt("the rebuild was cancelled or asked for again")

    async def _start_over(self, conn: AsyncConnection, job: Job) -> None:
        async with conn.begin():
            await request(conn, job.projector, reason="", from_start=True)

    async def _swap(self, conn: AsyncConnection, ahead: Ahead, job: Job, patience: "_Patience") -> int:
        """Put the new tables in place of the live ones, and return 0; or how far to read before that.

        From the lock on its checkpoint on, the live projection waits. What it has read beyond us is read now,
        so that both tell of the same events when they are compared.
        """
        async with conn.begin():
            await shadow.index(conn, job.projector.tables, job.schema)
        async with conn.begin():
            pg = await db.driver(conn)
            await pg.execute("set local lock_timeout = '5s'")
            at = await _live(conn, job.projector)
            # Of a stream that is no more, or was rewound, the live projection has read what we never can.
            comparable = at is not None and at.created == job.created and not job.rewound
            live = at.seq if at is not None and comparable else None
            if live is not None and live - job.seq > BATCH:
                return live
            if live is not None and live < job.seq and patience.waits_for(live):
                return job.seq
            # What we have read may have been withdrawn since.
            await self._say_how_far(conn, job, "READING")
            while live is not None and job.seq < live:
                job = await self._project(conn, job, ahead, await self._up_to(ahead, live))
            await self._take_retried(conn, job, ahead)
            settled = await job.letters.settle(conn, job.id, job.by, job.seq)
            await self._change_places(conn, job)
        log.info("rebuild_done", projector=job.projector.name, stream=job.projector.stream, letters=settled)
        return 0

    async def _up_to(self, ahead: Ahead, last: int) -> Batch:
        batch = await ahead.up_to(last, PATIENCE_SECONDS)
        if not batch.messages:
            raise Doubt("the live projection has read what we cannot")
        return batch

    async def _take_retried(self, conn: AsyncConnection, job: Job, ahead: Ahead) -> None:
        """Letters that were retried after we had come by them took effect in the live tables alone."""
        cursor = await (await db.driver(conn)).execute(
            "select stream_seq, subject, payload from dead_letters"
            " where projector = %s and stream = %s and state = 'RETRIED'"
            " and settled_at >= (select requested_at from rebuilds where id = %s) order by id",
            (job.projector.name, job.projector.stream, job.id),
        )
        found = ahead.sort([Stored(*row) for row in await cursor.fetchall()], None)
        if found.received:
            await shadow.search(conn, job.schema, LIVE)
            await job.projector.handle(conn, found.received)
            await shadow.search(conn, LIVE)

    def _beware(self, projector: Projector, differences: dict[str, dict[str, int]]) -> None:
        known = sum(each["live"] for each in differences.values())
        gone = sum(each["only_live"] for each in differences.values())
        if gone > VANISHING_ROWS and gone > VANISHING_SHARE * known:
            raise Stand(
                f"made anew from stream {projector.stream}, the projection would lose or change {gone} of"
                f" {known} rows; if that is right, run '{self._service} rebuild {projector.stream}'"
            )

    async def _change_places(self, conn: AsyncConnection, job: Job) -> None:
        projector = job.projector
        announcements: list[Announcement] = []
        pg = await db.driver(conn)
        # Both tables are joined whole, once, while nobody else may write to them.
        await pg.execute("set local work_mem = '64MB'")
        if projector.reconcile is not None:
            await shadow.search(conn, job.schema, LIVE)
            announcements = list(await projector.reconcile(conn, LIVE))
            await shadow.search(conn, LIVE)
        differences = {
            table.name: await shadow.differing(conn, table, job.schema) for table in projector.tables
        }
        if job.by == AUTOMATIC:
            self._beware(projector, differences)
        await outbox.announce(conn, announcements)
        await shadow.change_places(conn, projector.tables, job.schema)
        await pg.execute(
            "insert into checkpoints (projector, stream, stream_created, stream_seq, digest)"
            " values (%s, %s, %s, %s, %s) on conflict (projector, stream) do update set"
            " stream_created = excluded.stream_created, stream_seq = excluded.stream_seq,"
            " digest = excluded.digest, moved_at = clock_timestamp()",
            (projector.name, projector.stream, job.created, job.seq, job.fingerprint),
        )
        await pg.execute(
            "update rebuilds set state = 'DONE', finished_at = clock_timestamp(), differences = %s,"
            " announced = %s where id = %s",
            (Jsonb(differences), len(announcements), job.id),
        )
        await pg.execute("select pg_notify('projection', '{}')")


@dataclass(frozen=True, slots=True)
class _Live:
    """Where the live projection is."""

    created: str
    seq: int


async def _live(conn: AsyncConnection, projector: Projector) -> _Live | None:
    """Where the live projection is; it stays there until the transaction ends."""
    cursor = await (await db.driver(conn)).execute(
        "select stream_created, stream_seq from checkpoints where projector = %s and stream = %s for update",
        (projector.name, projector.stream),
    )
    row = await cursor.fetchone()
    return None if row is None else _Live(row[0], int(row[1]))


class _Patience:
    """How long the live projection may stay behind the new one before it is no longer waited for."""

    def __init__(self) -> None:
        self._at = -1
        self._since = 0.0

    def waits_for(self, live: int) -> bool:
        """Whether a live projection that has come to `live` may still catch up."""
        now = asyncio.get_running_loop().time()
        if live != self._at:
            self._at, self._since = live, now
        return now - self._since < PATIENCE_SECONDS
