"""What a projection is: events of one stream, read with the consumer's own models, handled in batches.

`benvung.following` keeps a projection up with its stream, `benvung.rebuild` makes it anew beside the live one.
"""

import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import or_
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db, outbox
from benvung.bus import Doubt, Stored
from benvung.envelope import SEQUENCE_DIGITS, WITHDRAWN, Unreadable, decode

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Received:
    """An event as a handler sees it: the head it may need, and as `data` the body in the consumer's own model.

    Where the projector prepares its events, `data` is what it made of that model.
    """

    event_id: str
    source: str
    type: str
    subject: str
    sequence: int
    time: Any
    data: Any
    traceparent: str | None = None


Announcements = Iterable[outbox.Announcement]
Handler = Callable[[AsyncConnection, Sequence[Received]], Awaitable[Announcements]]
Prepare = Callable[[Received], Any]
Reconcile = Callable[[AsyncConnection, str], Awaitable[Announcements]]


class _Event(BaseModel):
    """A CloudEvent of ours as it nearly always comes; what does not fit is looked at more slowly."""

    model_config = ConfigDict(extra="ignore", strict=True)

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1)]
    source: str
    subject: Annotated[str, Field(min_length=1)]
    time: str
    sequence: Annotated[str, Field(pattern=f"^[0-8][0-9]{{{SEQUENCE_DIGITS - 1}}}$")]
    traceparent: str | None = None


class Withdrawal(BaseModel):
    """Events told by a database that was then restored to before them."""

    events: list[UUID]


@dataclass(frozen=True)
class Projector:
    """What one projection reads from one stream.

    `readers` maps each event type to this consumer's own small model. `prepare`, where there is one, makes of
    an event, without the database, what the handler then finds as its `data`: a projection that is made anew
    has this done while PostgreSQL works on the batch before. An event that it fails on goes to the dead
    letters.

    `handle` gets a batch in stream order, writes rows with set-based SQL, and returns what is to be
    announced: lazily where that is work, because a projection made anew announces nothing of it. It must be
    indifferent to repetition and disorder: facts are inserted once by sequence, state rows only move to a
    higher one. It runs in a pipeline: statements are sent without waiting, and what one of them did is
    known only when its rows are fetched.

    `tables` are those that `handle` writes, and nobody else: each has a primary key, and all can be made
    anew from the stream. A projection that announces has `reconcile`: called while names mean the new
    tables, and given the schema of the live ones, it lets the new ones go on counting announcements where
    the live ones stand, and returns what must be announced of the differences.

    `patience` is how many seconds pass from one batch to the next while events come singly: each batch costs a
    transaction, and those that come together share it.
    """

    name: str
    stream: str
    readers: Mapping[str, type[BaseModel]]
    handle: Handler
    tables: Sequence[sa.Table] = ()
    reconcile: Reconcile | None = None
    prepare: Prepare | None = None
    patience: float = 0.0

    def read(self, payload: bytes) -> Received | None:
        """Read one message, or `None` when its kind does not concern us. Raises `Unreadable`."""
        event = self._read(payload)
        if event is None or self.prepare is None or isinstance(event.data, Withdrawal):
            return event
        try:
            event.data = self.prepare(event)
        except Exception as error:
            log.exception("event_not_prepared", projector=self.name, event_id=event.event_id)
            raise Unreadable(f"{type(error).__name__}: {error}") from error
        return event

    def _read(self, payload: bytes) -> Received | None:
        try:
            event = self._whole.validate_json(payload)
            time = dt.datetime.fromisoformat(event.time)
        except ValueError:  # pydantic's too
            return self._read_slowly(payload)
        if event.source != self._source:
            return self._read_slowly(payload)
        return Received(
            event.id,
            event.source,
            event.type,
            event.subject,
            int(event.sequence),
            time,
            event.data,
            event.traceparent,
        )

    @cached_property
    def _source(self) -> str:
        return "/" + self.stream.removesuffix("_RESTRICTED").lower()

    @cached_property
    def _whole(self) -> TypeAdapter[Any]:
        """Reads head and body of any event we know in one pass: what almost every message is."""
        readers = {**self.readers, self.withdrawn_type: Withdrawal}
        made: Any = create_model
        events = [
            made("Event", __base__=_Event, type=(Literal[kind], ...), data=(reader, ...))
            for kind, reader in readers.items()
        ]
        return TypeAdapter(cast(Any, Annotated[reduce(or_, events), Field(discriminator="type")]))

    def _read_slowly(self, payload: bytes) -> Received | None:
        """Say what exactly is wrong with a message, if anything is."""
        envelope = decode(payload)
        reader = Withdrawal if envelope.type == self.withdrawn_type else self.readers.get(envelope.type)
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

    @property
    def withdrawn_type(self) -> str:
        """The event by which the stream's owner takes events back."""
        return f"{self.stream.removesuffix('_RESTRICTED').lower()}.{WITHDRAWN}"


@dataclass(slots=True)
class Sorted:
    """A batch as a projection takes it: what to handle, what to bury and why, what no longer holds."""

    received: list[Received] = field(default_factory=list)
    dead: list[tuple[Stored, str]] = field(default_factory=list)
    withdrawn: list[UUID] = field(default_factory=list)

    def __iadd__(self, more: "Sorted") -> Self:
        """With what follows in the stream."""
        self.received += more.received
        self.dead += more.dead
        self.withdrawn += more.withdrawn
        return self


def sort(
    projector: Projector, messages: Sequence[Stored], withdrawn: Collection[str], reason: str | None
) -> Sorted:
    """Read a batch. With `reason` its messages are indigestible and all go to the dead letters."""
    found = Sorted()
    for message in messages:
        try:
            event = None if reason else projector.read(message.payload)
        except Unreadable as unreadable:
            found.dead.append((message, str(unreadable)))
            continue
        if reason:
            found.dead.append((message, reason))
        elif event is not None and isinstance(event.data, Withdrawal):
            found.withdrawn += event.data.events
        elif event is not None and event.event_id not in withdrawn:
            found.received.append(event)
    return found


Transact = Callable[[Sequence[Stored], str | None], Awaitable[None]]


async def digest(runner: str, messages: Sequence[Stored], transact: Transact) -> None:
    """Project a batch in one transaction; if it holds something indigestible, find that and bury it alone."""
    try:
        await transact(messages, None)
    except Exception as error:
        if isinstance(error, Doubt) or db.is_transient(error):
            raise
        if len(messages) == 1:
            log.exception("event_buried", runner=runner, stream_seq=messages[0].stream_seq)
            await transact(messages, f"{type(error).__name__}: {error}")
            return
        middle = len(messages) // 2
        await digest(runner, messages[:middle], transact)
        await digest(runner, messages[middle:], transact)


def fingerprint(message: Stored) -> bytes:
    """By which a projection knows the message it read last."""
    return hashlib.blake2b(message.payload, digest_size=16).digest()


async def project(conn: AsyncConnection, projector: Projector, events: Sequence[Received]) -> None:
    """Hand a batch to the projector's handler and put what it announces into the outbox."""
    if not events:
        return
    announcements = await projector.handle(conn, events)
    traces = {event.event_id: event.traceparent for event in events}
    await outbox.announce(
        conn,
        [
            each if each.traceparent else replace(each, traceparent=traces.get(each.cause))
            for each in announcements
        ],
    )


async def bury(
    conn: AsyncConnection, projector: Projector, created: str, dead: Sequence[tuple[Stored, str]]
) -> None:
    """Put messages aside with the reason why, each once, however often the stream brings it."""
    rows = [
        {
            "projector": projector.name,
            "stream": projector.stream,
            "created": created,
            "seq": message.stream_seq,
            "subject": message.subject,
            "payload": message.payload,
            "reason": reason.replace("\0", "")[:2000],
        }
        for message, reason in dead
    ]
    pg = await db.driver(conn)
    async with pg.cursor() as cursor:
        # In a stream that was put back to an older copy another message lay there before.
        await cursor.executemany(
            "update dead_letters set stream_created = stream_created || ' (rewound, ' || id || ')'"
            " where projector = %(projector)s and stream = %(stream)s and stream_created = %(created)s"
            " and stream_seq = %(seq)s and payload <> %(payload)s",
            rows,
        )
        await cursor.executemany(
            "insert into dead_letters (projector, stream, stream_created, stream_seq, subject, payload, reason)"
            " select %(projector)s, %(stream)s, %(created)s, %(seq)s, %(subject)s, %(payload)s, %(reason)s"
            # Two ranges of the unique index: what lies in this life of the stream need not be looked through.
            " where not exists (select from dead_letters where projector = %(projector)s"
            "   and stream = %(stream)s and stream_created < %(created)s and payload = %(payload)s)"
            " and not exists (select from dead_letters where projector = %(projector)s"
            "   and stream = %(stream)s and stream_created > %(created)s and payload = %(payload)s)"
            " on conflict do nothing",
            rows,
        )


async def retry(conn: AsyncConnection, projector: Projector, payload: bytes) -> None:
    """Project one message that was buried, in the caller's transaction, beside the live projection.

    Raises `Unreadable`, or whatever the handler raises; the caller then rolls back to before the call.
    """
    await (await db.driver(conn)).execute(
        "select from checkpoints where projector = %s and stream = %s for update",
        (projector.name, projector.stream),
    )
    event = projector.read(payload)
    if event is not None and not isinstance(event.data, Withdrawal):
        await project(conn, projector, [event])
