"""The relay sends one stream's outbox rows, and keeps the stream a whole copy of the journal.

An outbox row becomes a journal row when NATS has stored its event. What the stream has lost, because it
was purged, made anew or put back to an older copy, is sent again from the journal before anything new.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from benvung import agencies, journal
from benvung.bus import (
    BATCH_LIMIT,
    WRONG_LAST_SEQUENCE,
    Bus,
    Doubt,
    NotStored,
    Outgoing,
    Refused,
    StreamState,
)
from benvung.metrics import REGISTRY
from benvung.runner import Runner, Stand
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

WAITING = Gauge("outbox_waiting", "Events seen waiting, 1000 at most", ("stream",), registry=REGISTRY)
REFILLED = Counter("stream_refilled", "Events sent again to a stream", ("stream",), registry=REGISTRY)
SINGLES_BELOW = 8
POLL_SECONDS = 0.25
LOOK_SECONDS = 10.0
DUPLICATE_IN_BATCH = 10201

_NEXT = """
with gone as (
  delete from outbox where id = any(%b::bigint[]) returning id, stream, subject, event_id, event_type, payload
), told as (
  insert into journal (id, stream, stream_seq, subject, event_id, event_type, payload)
  select id, stream, placed.stream_seq, subject, event_id, event_type, payload
  from gone join unnest(%b::bigint[], %b::bigint[]) as placed(id, stream_seq) using (id)
)
select id, subject, event_id, payload from outbox
where stream = %s and id <> all(%b::bigint[]) order by id limit %s
"""


# A standby only tries; who waits is the command that recovers a database, and all relays must let it.
_AWAITED = """
select exists (select from pg_locks
  where locktype = 'advisory' and not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Outbox rows that the stream has stored, and where."""

    ids: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


class Relay(Runner):
    """Sends one stream's outbox rows. Any number may run; the advisory lock lets one of them work."""

    def __init__(self, settings: ServiceSettings, service: str, stream: str, readers: Sequence[str]) -> None:
        super().__init__(f"relay {stream}")
        self._settings, self._service, self._stream, self._readers = settings, service, stream, readers
        self._agencies = agencies.of(settings.agencies_file, stream)
        self._begun = StreamState("", 0, 0, 0)
        self._last, self._last_subject = 0, ""
        self._confirmed = True

    async def session(self, stop: asyncio.Event) -> None:
        """One life of the relay: take the lock, agree with the stream, then send until a doubt."""
        conn = await journal.connect(self._settings)
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

    async def _prepare(self, conn: journal.Session, bus: Bus) -> None:
        """Make the stream and its readers, and bring journal, outbox and stream to one account."""
        await self._declare(bus)
        state = await bus.stream_state(self._stream)
        self._begun, self._last, self._last_subject = state, state.last_seq, ""
        async for message in bus.read_range(self._stream, state.last_seq, state.last_seq):
            self._last_subject = message.subject
        if await journal.find_lost(conn, self._stream, state):
            # Said before anybody can take the rest for the whole.
            await bus.mark_stream(self._stream, whole=False)
        unknown = await journal.settle_tail(conn, bus, self._stream, state)
        if unknown:
            raise Stand(
                f"stream {self._stream} holds {len(unknown)} events that this database does not know:"
                f" it was restored from an older copy; run '{self._service} recover'"
            )
        await self._refill(conn, bus, state)
        await conn.execute("listen outbox")

    async def _declare(self, bus: Bus) -> None:
        await bus.ensure_stream(self._stream)
        for reader in self._readers:
            await bus.ensure_reader(self._stream, reader)
            await bus.ensure_reader(self._stream, f"{reader}-rebuild")
        for agency, subjects in self._agencies.items():
            await self._serve_agency(bus, agency, subjects)

    async def _serve_agency(self, bus: Bus, agency: str, subjects: Sequence[str]) -> None:
        if agency in self._readers:
            log.warning("agency_refused", stream=self._stream, agency=agency, reason="the name of a reader")
            return
        try:
            await bus.ensure_agency(self._stream, agency, subjects)
        except Refused as refused:
            # What is wrong with an agency's subjects must not hold up everybody else.
            log.warning("agency_refused", stream=self._stream, agency=agency, reason=str(refused))

    async def _refill(self, conn: journal.Session, bus: Bus, state: StreamState) -> None:
        """Send again, in their order, the events that the stream has lost."""
        sent = 0
        # The server would take an id it has seen a moment ago for a repetition, and drop the event.
        life = secrets.token_hex(4)
        while rows := await journal.lost(conn, self._stream, BATCH_LIMIT):
            self._say("waiting", f"sending lost events again: {sent} so far")
            if not sent:
                log.warning("stream_refilling", stream=self._stream, created=state.created)
                await bus.mark_stream(self._stream, whole=False)
            messages = [Outgoing(row[1], f"{row[2]}/{life}", row[3]) for row in rows]
            places = await self._send(bus, messages)
            await journal.place(conn, [row[0] for row in rows], places)
            sent += len(rows)
            REFILLED.labels(self._stream).inc(len(rows))
        if sent:
            log.warning("stream_refilled", stream=self._stream, events=sent)
        if sent or not state.whole:
            await bus.mark_stream(self._stream, whole=True)

    async def _send_until(self, conn: journal.Session, bus: Bus, stop: asyncio.Event) -> None:
        if self._confirmed:
            self.working()
        told = Told()
        looked = time.monotonic()
        while not stop.is_set():
            # What was stored goes to the journal, and what waits is read, in one round trip and one commit.
            rows = await self._exchange(conn, told)
            told = Told()
            WAITING.labels(self._stream).set(len(rows))
            if bus.closed.is_set():
                raise Doubt("connection closed")
            if time.monotonic() - looked > LOOK_SECONDS:
                await self._look(conn, bus)
                looked = time.monotonic()
            if not rows:
                self._be_confirmed()
                async for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass
                continue
            places = await self._send(bus, [Outgoing(row[1], str(row[2]), row[3]) for row in rows])
            self._be_confirmed()
            told = Told([row[0] for row in rows], places)
            self.count(len(rows))
        await self._exchange(conn, told)

    def _be_confirmed(self) -> None:
        """Work again after events were not confirmed: connecting alone has proved nothing."""
        if not self._confirmed:
            self._confirmed = True
            self.working()

    async def _exchange(self, conn: journal.Session, told: Told) -> list[Any]:
        cursor = await conn.execute(
            _NEXT,
            (told.ids, told.ids, told.places, self._stream, told.ids, BATCH_LIMIT),
            binary=True,
        )
        return await cursor.fetchall()

    async def _look(self, conn: journal.Session, bus: Bus) -> None:
        """See that stream and readers are still there; somebody else's hand on them is a doubt."""
        row = await (await conn.execute(_AWAITED)).fetchone()
        if row and row[0]:
            raise Doubt(f"somebody else waits for stream {self._stream}")
        await self._declare(bus)
        begun, now = self._begun, await bus.stream_state(self._stream)
        expected = (begun.created, self._last, begun.messages + self._last - begun.last_seq)
        if (now.created, now.last_seq, now.messages) != expected:
            raise Doubt(f"stream {self._stream} was changed by somebody else")

    async def _send(self, bus: Bus, messages: Sequence[Outgoing]) -> list[int]:
        """Store the messages behind the last one we know and return their places in the stream.

        An unknown outcome ends this life of the relay; the next one reads in the stream what was stored.
        """
        try:
            if len(messages) >= SINGLES_BELOW:
                self._last = await bus.publish_batch(self._stream, messages, self._last, self._last_subject)
                self._last_subject = messages[-1].subject
                return list(range(self._last - len(messages) + 1, self._last + 1))
            places = []
            for message in messages:
                self._last = await bus.publish(self._stream, message, self._last, self._last_subject)
                self._last_subject = message.subject
                places.append(self._last)
        except Refused as refused:
            if refused.code in WRONG_LAST_SEQUENCE or refused.code == DUPLICATE_IN_BATCH:
                raise Doubt(str(refused)) from refused
            raise
        except Doubt as doubt:
            if bus.closed.is_set():
                raise
            await bus.ping()
            self._confirmed = False
            # A stream whose disk was full stays as it is until the server starts again.
            raise NotStored(
                f"NATS answers but does not store what stream {self._stream} is sent: see NATS's log, make"
                " room on its disk, and start NATS again"
            ) from doubt
        return places
