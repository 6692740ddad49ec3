"""How a service's relays and projections stand, from what its database holds: true in every process of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock
from benvung.envelope import decode
from benvung.operations import rebuilds
from benvung.operations.rebuilds import Rebuild
from benvung.service import Service

# A part that has said nothing for so long does not run; it speaks every two seconds.
SILENT_SECONDS = 10
REBUILDER = "rebuilds"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a part last said of itself. `silent`: no process runs it now; `unknown`: none ever did."""

    state: str
    detail: str
    detail_vi: str
    since: dt.datetime | None

    def why(self, language: str) -> str:
        """What it waits for, or what must be done."""
        return self.detail_vi if language == "vi" else self.detail

    @property
    def well(self) -> bool:
        """Whether nobody has to look."""
        return self.state == "working"


UNKNOWN = Standing("unknown", "", "", None)


@dataclass(frozen=True, slots=True)
class Told:
    """An event of ours: its sequence, and the moment written in it."""

    sequence: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Owned:
    """A stream this service owns: what waits to be sent, what was told last."""

    stream: str
    standing: Standing
    waiting: int
    oldest: Told | None
    newest: Told | None

    @property
    def oldest_seconds(self) -> int:
        """How long the oldest waiting event has been waiting; 0 if none waits."""
        waited = (clock.now() - self.oldest.at).total_seconds() if self.oldest else 0
        return max(0, round(waited))


@dataclass(frozen=True, slots=True)
class Projection:
    """A stream this service reads: how far it has come, and how far there is to go."""

    projector: str
    stream: str
    standing: Standing
    position: int | None
    stream_end: int | None
    moved_at: dt.datetime | None
    letters: int

    @property
    def behind(self) -> int | None:
        """Messages still to be read; `None` where the stream is not known or another than the one read."""
        if self.position is None or self.stream_end is None:
            return None
        return max(0, self.stream_end - self.position)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything at a glance."""

    streams: Sequence[Owned]
    projections: Sequence[Projection]
    rebuilder: Standing | None
    rebuilds: Sequence[Rebuild]
    letters: int

    @property
    def well(self) -> bool:
        """Whether every part works and no letter waits."""
        standings = [
            *(each.standing for each in self.streams),
            *(each.standing for each in self.projections),
            *([] if self.rebuilder is None else [self.rebuilder]),
        ]
        return all(each.well for each in standings) and not self.letters


async def situation(conn: AsyncConnection, service: Service, *, count: bool = True) -> Situation:
    """Look at everything in the current transaction.

    Counting what waits to be sent takes a while after an import; without `count` it is left at 0.
    """
    said = {row.name: row for row in await conn.execute(_SAID, {"silent": SILENT_SECONDS})}
    letters = {(row.projector, row.stream): row.letters for row in await conn.execute(_LETTERS)}
    return Situation(
        streams=await _owned(conn, service, said, count),
        projections=await _projections(conn, service, said, letters),
        rebuilder=_standing(said.get(REBUILDER)) if service.projectors else None,
        rebuilds=await rebuilds.still_open(conn),
        letters=sum(letters.values()),
    )


async def _owned(
    conn: AsyncConnection, service: Service, said: Mapping[str, Any], count: bool
) -> list[Owned]:
    rows = await conn.execute(_OWNED, {"streams": list(service.streams), "count": count})
    return [
        Owned(
            stream=row.stream,
            standing=_standing(said.get(f"relay {row.stream}")),
            waiting=row.waiting,
            oldest=_told(row.oldest_id, row.oldest),
            newest=_told(row.newest_id, row.newest),
        )
        for row in rows
    ]


async def _projections(
    conn: AsyncConnection,
    service: Service,
    said: Mapping[str, Any],
    letters: Mapping[tuple[str, str], int],
) -> list[Projection]:
    found = {(row.projector, row.stream): row for row in await conn.execute(_CHECKPOINTS)}
    return [
        _projection(
            (each.name, each.stream),
            found.get((each.name, each.stream)),
            said.get(f"projector {each.name} on {each.stream}"),
            letters.get((each.name, each.stream), 0),
        )
        for each in service.projectors
    ]


def _projection(key: tuple[str, str], checkpoint: Any, said: Any, letters: int) -> Projection:
    name, stream = key
    if checkpoint is None:
        return Projection(name, stream, _standing(said), None, None, None, letters)
    same = said is not None and said.stream_created == checkpoint.stream_created
    end = said.stream_last if same else None
    return Projection(name, stream, _standing(said), checkpoint.stream_seq, end, checkpoint.moved_at, letters)


def _standing(said: Any) -> Standing:
    if said is None:
        return UNKNOWN
    if said.silent:
        return Standing("silent", "", "", said.told_at)
    return Standing(said.state, said.detail, said.detail_vi, said.since)


def _told(sequence: int | None, payload: bytes | None) -> Told | None:
    return None if sequence is None or payload is None else Told(sequence, decode(payload).time)


_SAID = sa.text(
    "select name, state, detail, detail_vi, since, told_at, stream_created, stream_last,"
    " told_at < clock_timestamp() - make_interval(secs => :silent) as silent from runners"
)
_LETTERS = sa.text(
    "select projector, stream, count(*) as letters from dead_letters where state = 'WAITING' group by 1, 2"
)
_CHECKPOINTS = sa.text("select projector, stream, stream_created, stream_seq, moved_at from checkpoints")
_OWNED = sa.text("""
select s.stream, o.id as oldest_id, o.payload as oldest, j.id as newest_id, j.payload as newest,
  case when :count and o.id is not null then (select count(*) from outbox where stream = s.stream) else 0 end
    as waiting
from unnest(cast(:streams as text[])) with ordinality as s(stream, place)
left join lateral (select id, payload from outbox where stream = s.stream order by id limit 1) o on true
left join lateral (
  select id, payload from journal where stream = s.stream order by stream_seq desc limit 1) j on true
order by s.place
""")
