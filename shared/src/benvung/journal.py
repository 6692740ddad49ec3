"""The journal: every event a service has told, as it was told, and where it lies in the stream.

A position below zero means that the stream has lost the event that lay there. What the stream holds and
neither journal nor outbox knows was told by a database that has since been restored to before it; once
taken back it is listed among the withdrawn.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from pydantic import ValidationError

from benvung.bus import BATCH_LIMIT, Bus, Stored, StreamState
from benvung.envelope import REGISTRY, Envelope, Unreadable, decode
from benvung.settings import ServiceSettings

log = structlog.get_logger(__name__)

Session = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """One of our events as it lies in the stream."""

    stream_seq: int
    sequence: int
    event_id: uuid.UUID


async def connect(settings: ServiceSettings) -> Session:
    """A connection of its own: a relay holds its lock as long as this session lives."""
    return await psycopg.AsyncConnection.connect(settings.psycopg_url(), autocommit=True, connect_timeout=5)


_FIND_LOST = """
with known as (select created from streams where stream = %(stream)s),
entered as (
  insert into streams (stream, created) values (%(stream)s, %(created)s)
  on conflict (stream) do update set created = excluded.created where streams.created <> excluded.created
), gone as (
  update journal set stream_seq = -stream_seq
  where stream = %(stream)s and stream_seq > 0 and (
    %(messages)s = 0 or stream_seq > %(last)s or stream_seq < %(first)s or stream_seq = any(%(deleted)s)
    or exists (select from known where created <> %(created)s))
  returning 1
)
select count(*) from gone
"""


async def find_lost(conn: Session, stream: str, state: StreamState) -> int:
    """Mark the events that the stream cannot hold any more, going by its age and extent; how many are new."""
    cursor = await conn.execute(
        _FIND_LOST,
        {
            "stream": stream,
            "created": state.created,
            "first": state.first_seq,
            "last": state.last_seq,
            "messages": state.messages,
            "deleted": list(state.deleted),
        },
    )
    row = await cursor.fetchone()
    found = int(row[0]) if row else 0
    if found:
        log.warning("stream_lost_events", stream=stream, events=found)
    return found


# `found` includes what was sent again by a relay that died before it could write down where. An event in
# the outbox was told only if the stream has these very bytes: a restored database that follows others tells
# the same again under the same id, but in another order, with other numbers. Written with `is true`, the
# digest is looked at where ids agree, and not taken of all that waits.
_SETTLE = """
with given as (
  select distinct on (event_id, digest) stream_seq, sequence, event_id, digest
  from unnest(%(places)s::bigint[], %(sequences)s::bigint[], %(ids)s::uuid[], %(digests)s::bytea[])
    as g(stream_seq, sequence, event_id, digest) order by event_id, digest, stream_seq
), gone as (
  delete from outbox o using given g
  where o.event_id = g.event_id and o.stream = %(stream)s and (sha256(o.payload) = g.digest) is true
  returning o.id, o.stream, g.stream_seq, o.subject, o.event_id, o.event_type, o.payload
), told as (
  insert into journal (id, stream, stream_seq, subject, event_id, event_type, payload) select * from gone
), found as (
  update journal j set stream_seq = g.stream_seq from given g
  where j.id = g.sequence and j.event_id = g.event_id and j.stream = %(stream)s and j.stream_seq < 0
  returning 1
), lost as (
  update journal j set stream_seq = -stream_seq
  where j.stream = %(stream)s and j.stream_seq between %(first)s and %(last)s
    and not exists (select from given g where g.event_id = j.event_id)
  returning 1
), unknown as (
  select g.stream_seq from given g
  where not exists (select from journal j where j.id = g.sequence and j.event_id = g.event_id)
    and not exists (select from outbox o where o.event_id = g.event_id and (sha256(o.payload) = g.digest) is true)
    and not exists (select from withdrawn w where w.stream = %(stream)s and w.event_id = g.event_id)
)
select (select count(*) from gone) + (select count(*) from found) + (select count(*) from lost),
  array(select stream_seq from unknown order by stream_seq)
"""


async def settle_tail(
    conn: Session, bus: Bus, stream: str, state: StreamState, *, whole: bool = False
) -> list[Placed]:
    """Bring journal and outbox to what the stream holds, from its end back to where all is in order.

    `whole` goes back to the beginning. Returns the events of ours that neither journal nor outbox knows,
    oldest first.
    """
    unknown: list[Placed] = []
    last = state.last_seq
    while last >= max(state.first_seq, 1):
        first = max(last - BATCH_LIMIT + 1, state.first_seq, 1)
        changed, strangers = await _settle(conn, bus, stream, first, last)
        unknown += reversed(strangers)
        if not (whole or changed or strangers):
            break
        last = first - 1
    return unknown[::-1]


async def _settle(conn: Session, bus: Bus, stream: str, first: int, last: int) -> tuple[int, list[Placed]]:
    envelopes, digests = {}, []
    async for message in bus.read_range(stream, first, last):
        envelope = _ours(message, stream)
        if envelope is not None:
            envelopes[message.stream_seq] = envelope
            digests.append(hashlib.sha256(message.payload).digest())
    placed = {at: Placed(at, each.sequence, uuid.UUID(each.id)) for at, each in envelopes.items()}
    cursor = await conn.execute(
        _SETTLE,
        {
            "stream": stream,
            "first": first,
            "last": last,
            "places": list(placed),
            "sequences": [each.sequence for each in placed.values()],
            "ids": [each.event_id for each in placed.values()],
            "digests": digests,
        },
    )
    row = await cursor.fetchone()
    changed, strangers = row or (0, [])
    return int(changed), [placed[at] for at in strangers if _was_told(envelopes[at])]


def _ours(message: Stored, stream: str) -> Envelope | None:
    """The event, if it says that it is one of this stream's owner."""
    try:
        envelope = decode(message.payload)
        uuid.UUID(envelope.id)
    except (Unreadable, ValueError):
        return None
    owner = envelope.source.strip("/").upper()
    return envelope if owner == stream.removesuffix("_RESTRICTED") else None


def _was_told(envelope: Envelope) -> bool:
    """Whether our relay can have sent it: what no class of ours would write is poison put there by a hand."""
    kind = REGISTRY.get(envelope.type)
    if kind is None:
        return False
    try:
        kind.model_validate(envelope.data)
    except ValidationError:
        return False
    return True


async def lost(conn: Session, stream: str, limit: int) -> list[Any]:
    """The next lost events (sequence, subject, id, payload), in the order in which they lay in the stream."""
    cursor = await conn.execute(
        "select id, subject, event_id, payload from journal where stream = %s and stream_seq < 0"
        " order by stream_seq desc limit %s",
        (stream, limit),
        binary=True,
    )
    return await cursor.fetchall()


async def place(conn: Session, ids: Sequence[int], places: Sequence[int]) -> None:
    """Write down where the events with these sequences lie now."""
    await conn.execute(
        "update journal j set stream_seq = p.stream_seq"
        " from unnest(%b::bigint[], %b::bigint[]) as p(id, stream_seq) where j.id = p.id",
        (list(ids), list(places)),
    )
