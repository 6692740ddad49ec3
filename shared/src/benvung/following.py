"""A checkpointed consumer: a batch of events in, one transaction, the checkpoint moved inside it.

Rows, announcements, dead letters and the checkpoint of a batch are committed together or not at all. A
projection starts again from its checkpoint on any doubt; what is delivered again changes nothing. One that
finds its stream to be another than the one it has read is made anew from it.
"""

import asyncio
import json
import time
from collections.abc import Sequence

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import db, rebuild, withdrawals
from benvung.bus import Bus, Doubt, Pull, Stored, StreamState
from benvung.metrics import REGISTRY
from benvung.projector import Projector, bury, digest, fingerprint, project, sort
from benvung.runner import Runner, Stand
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.25
LOOK_SECONDS = 2.0
BURIED = Counter("dead_letters", "Messages buried in this process", ("runner",), registry=REGISTRY)


class ProjectorRunner(Runner):
    """Keeps one projection up with its stream. Any number may run; the advisory lock lets one work."""

    def __init__(
        self, settings: ServiceSettings, service: str, projector: Projector, engine: AsyncEngine
    ) -> None:
        super().__init__(f"projector {projector.name} on {projector.stream}")
        self._settings, self._service, self._projector, self._engine = settings, service, projector, engine
        self._key = (projector.name, projector.stream)
        self._created = ""
        self._seq = 0
        self._looked = (0, 0)
        self._fingerprint: bytes | None = None
        self._withdrawn: set[str] = set()

    async def session(self, stop: asyncio.Event) -> None:
        """One life of the projector: lock, checkpoint, read on from there until a doubt."""
        async with self._engine.connect() as conn:
            try:
                if not await self.lock(await db.driver(conn), stop):
                    return
                bus = await Bus.connect(self._settings, self._service, self.name.replace(" ", "-"))
                self.bus = bus
                try:
                    await self._find_place(conn, bus)
                    # The message read last comes once more, to show that this is the stream we read.
                    pull = await bus.pull(self._projector.stream, self._projector.name, max(self._seq - 1, 0))
                    await self._project_until(conn, bus, pull, stop)
                finally:
                    self.bus = None
                    await bus.close()
            finally:
                # The lock belongs to the session, and a pooled session would keep it.
                await conn.invalidate()

    async def _find_place(self, conn: AsyncConnection, bus: Bus) -> None:
        state = await bus.stream_state(self._projector.stream)
        if not state.whole:
            raise Doubt(f"stream {self._projector.stream} is being filled again by its owner")
        async with conn.begin():
            pg = await db.driver(conn)
            cursor = await pg.execute(
                "insert into checkpoints (projector, stream, stream_created, stream_seq)"
                " values (%s, %s, %s, 0)"
                " on conflict (projector, stream) do update set moved_at = checkpoints.moved_at"
                " returning stream_created, stream_seq, digest",
                (*self._key, state.created),
            )
            row = await cursor.fetchone()
            self._withdrawn = await withdrawals.known(conn, self._projector.stream)
        assert row is not None  # the statement always returns its row
        self._created, self._seq, self._fingerprint = row
        if self._created == state.created and self._seq > state.last_seq:
            # Another process may have read on, and handed over, since the stream was looked at.
            state = await bus.stream_state(self._projector.stream)
        if self._created != state.created or self._seq > state.last_seq:
            await self._another_stream(conn, state)

    async def _another_stream(self, conn: AsyncConnection, state: StreamState | None) -> None:
        """Have the projection made anew from what the stream is now; until then it stays as it is."""
        stream = self._projector.stream
        words = f"stream {stream} is not the one read up to {self._seq} (created {self._created})"
        if state is not None:
            words += f": it was created {state.created} and reaches {state.last_seq}"
        if not self._projector.tables:
            raise Stand(words)
        async with conn.begin():
            await rebuild.request(conn, self._projector, reason=words)
        raise Doubt(f"{words}; the projection is being made anew")

    async def _project_until(self, conn: AsyncConnection, bus: Bus, pull: Pull, stop: asyncio.Event) -> None:
        self.working()
        known = self._seq == 0
        self._looked = (0, 0)
        looked = time.monotonic()
        while not stop.is_set():
            messages = await pull.batch(self._settings.projection_batch, IDLE_SECONDS)
            if not messages and time.monotonic() - looked > LOOK_SECONDS:
                await self._look(conn, bus)
                looked = time.monotonic()
            if messages and not known:
                last = messages[0]
                if last.stream_seq == self._seq:
                    if self._fingerprint not in {None, fingerprint(last)}:
                        await self._another_stream(conn, None)
                    messages = messages[1:]
                known = True
            if messages:
                await digest(self.name, messages, lambda batch, why: self._transact(conn, batch, why))
                await pull.acknowledge(messages[-1])
                self.count(len(messages))
                if self._projector.patience and len(messages) < self._settings.projection_batch:
                    await asyncio.sleep(self._projector.patience)

    async def _look(self, conn: AsyncConnection, bus: Bus) -> None:
        """See, while no events come, that none are kept from us and that nobody has put the database back.

        What is asked for again may go to requests of a connection that died a moment ago; nobody else would
        notice before the server's wait for an acknowledgement is over.
        """
        seq, reach = self._looked
        if self._seq == seq < reach:
            raise Doubt(f"the stream reaches {reach}, and nothing comes after {seq}")
        self._looked = (self._seq, (await bus.stream_state(self._projector.stream)).last_seq)
        async with conn.begin():
            cursor = await (await db.driver(conn)).execute(
                "select from checkpoints where projector = %s and stream = %s"
                " and stream_created = %s and stream_seq = %s",
                (*self._key, self._created, self._seq),
            )
        if cursor.rowcount != 1:
            raise Doubt("the checkpoint was moved by another process")

    async def _transact(self, conn: AsyncConnection, messages: Sequence[Stored], reason: str | None) -> None:
        batch = sort(self._projector, messages, self._withdrawn, reason)
        last = messages[-1]
        async with conn.begin(), (await db.driver(conn)).pipeline():
            if not (batch.received or batch.dead or batch.withdrawn):
                # Only the place moves, and a crash that loses it has the same messages passed over again.
                await (await db.driver(conn)).execute("set local synchronous_commit = off")
            # First, so that a retry or a swap beside us waits for this batch, or this batch for them.
            await self._move_checkpoint(conn, last)
            await project(conn, self._projector, batch.received)
            # In the order in which a rebuild does it, so that the two never wait for each other.
            await rebuild.note_withdrawn(conn, self._projector, batch.withdrawn)
            await self._bury(conn, batch.dead)
        self._seq, self._fingerprint = last.stream_seq, fingerprint(last)
        self._withdrawn |= {str(each) for each in batch.withdrawn}

    async def _bury(self, conn: AsyncConnection, dead: Sequence[tuple[Stored, str]]) -> None:
        if not dead:
            return
        await bury(conn, self._projector, self._created, dead)
        BURIED.labels(self.name).inc(len(dead))
        log.warning("dead_letters", runner=self.name, count=len(dead), stream_seq=dead[0][0].stream_seq)

    async def _move_checkpoint(self, conn: AsyncConnection, last: Stored) -> None:
        """Move the checkpoint from where we believe it is; somebody else having moved it is a doubt."""
        pg = await db.driver(conn)
        cursor = await pg.execute(
            "with moved as (update checkpoints set stream_seq = %s, digest = %s, moved_at = clock_timestamp()"
            " where projector = %s and stream = %s and stream_created = %s and stream_seq = %s returning 1)"
            " select pg_notify('projection', %s) from moved",
            (
                last.stream_seq,
                fingerprint(last),
                *self._key,
                self._created,
                self._seq,
                json.dumps({"stream": self._projector.stream, "seq": last.stream_seq}),
            ),
        )
        if await cursor.fetchone() is None:
            raise Doubt("the checkpoint was moved by another process")
