"""Rebuilds as an operator asks for them and follows them; `benvung.rebuild` does the work."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import audit, paging, rebuild
from benvung.audit import Actor
from benvung.problems import Conflict, FieldError, NotFound, Problem
from benvung.projector import Projector

NEWEST = 10
_MOMENT = sa.DateTime(timezone=True)
_REBUILDS = sa.table(
    "rebuilds",
    sa.column("id", sa.BigInteger),
    sa.column("projector", sa.Text),
    sa.column("stream", sa.Text),
    sa.column("state", sa.Text),
    sa.column("reason", sa.Text),
    sa.column("requested_by", sa.Text),
    sa.column("requested_at", _MOMENT),
    sa.column("stream_created", sa.Text),
    sa.column("stream_seq", sa.BigInteger),
    sa.column("finished_at", _MOMENT),
    sa.column("differences", pg.JSONB),
    sa.column("announced", sa.BigInteger),
)
_RUNNERS = sa.table(
    "runners",
    sa.column("name", sa.Text),
    sa.column("stream_created", sa.Text),
    sa.column("stream_last", sa.BigInteger),
)
_HOW_FAR_THE_STREAM_GOES = (
    sa.select(_RUNNERS.c.stream_last)
    .where(
        _RUNNERS.c.name == sa.func.format("projector %s on %s", _REBUILDS.c.projector, _REBUILDS.c.stream),
        _RUNNERS.c.stream_created == sa.func.coalesce(_REBUILDS.c.stream_created, _RUNNERS.c.stream_created),
    )
    .scalar_subquery()
    .label("stream_end")
)
_SHOWN = [
    *(column for column in _REBUILDS.c if column.name != "stream_created"),
    _HOW_FAR_THE_STREAM_GOES,
]


class State(StrEnum):
    """How far a rebuild has come."""

    REQUESTED = "REQUESTED"
    READING = "READING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class RebuildUnknown(NotFound):
    """There is no rebuild with this number."""

    rule = "rebuild-unknown"
    title_vi, title_en = "Không có lần dựng lại nào mang số này", "There is no rebuild with this number"


class StreamNotRead(Problem):
    """This service keeps no projection of that stream."""

    status, rule = 422, "stream-not-read"
    title_vi, title_en = "Dịch vụ không đọc luồng này", "This service does not read that stream"


class RebuildOver(Conflict):
    """The rebuild is done or was cancelled before."""

    rule = "rebuild-over"
    title_vi, title_en = "Lần dựng lại này đã kết thúc", "This rebuild is over"


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A projection being made anew. `stream_seq` is how far it has read, `stream_end` how far there is to read.

    `differences` counts for each table the rows the live one had, and those that only one of both had.
    """

    id: int
    projector: str
    stream: str
    state: State
    reason: str
    requested_by: str
    requested_at: dt.datetime
    stream_seq: int
    finished_at: dt.datetime | None
    differences: Mapping[str, Mapping[str, int]] | None
    announced: int | None
    stream_end: int | None

    @property
    def open(self) -> bool:
        """Whether there is still something to wait for."""
        return self.state in {State.REQUESTED, State.READING}


async def request(
    conn: AsyncConnection, projectors: Sequence[Projector], stream: str, reason: str, actor: Actor
) -> Rebuild:
    """Have the projection of a stream made anew. One that is open already is answered instead.

    Raises `StreamNotRead`.
    """
    projector = next((each for each in projectors if each.stream == stream and each.tables), None)
    if projector is None:
        read = ", ".join(sorted({each.stream for each in projectors if each.tables}))
        vi = f"Hãy chọn một trong: {read}." if read else "Dịch vụ này không đọc luồng nào."
        en = f"Choose one of: {read}." if read else "This service reads no stream."
        raise StreamNotRead(vi, en, errors=[FieldError("body.stream", StreamNotRead.rule, vi, en)])
    number = await rebuild.request(conn, projector, reason=reason, by=actor.subject)
    detail = {"projector": projector.name, "stream": stream}
    await audit.record(conn, actor, "rebuild.requested", "rebuild", str(number), detail)
    return await find(conn, number)


async def cancel(conn: AsyncConnection, rebuild_id: int, actor: Actor) -> Rebuild:
    """Let go of a rebuild that waits or reads; the live projection stays as it is.

    Raises `RebuildUnknown` and `RebuildOver`.
    """
    cancelled = await conn.execute(
        sa.update(_REBUILDS)
        .where(_REBUILDS.c.id == rebuild_id, _REBUILDS.c.state.in_([State.REQUESTED, State.READING]))
        .values(state=State.CANCELLED, finished_at=sa.func.clock_timestamp())
    )
    found = await find(conn, rebuild_id)
    if cancelled.rowcount == 0:
        raise RebuildOver
    await audit.record(conn, actor, "rebuild.cancelled", "rebuild", str(rebuild_id))
    return found


async def find(conn: AsyncConnection, rebuild_id: int) -> Rebuild:
    """One rebuild. Raises `RebuildUnknown`."""
    row = (await conn.execute(sa.select(*_SHOWN).where(_REBUILDS.c.id == rebuild_id))).one_or_none()
    if row is None:
        raise RebuildUnknown
    return _rebuild(row)


async def page(conn: AsyncConnection, after: str | None, limit: int) -> tuple[list[Rebuild], str | None]:
    """Rebuilds in the order they were asked for, and the cursor of the next page."""
    rows = (await conn.execute(paging.keyset(sa.select(*_SHOWN), [_REBUILDS.c.id], after, limit))).all()
    shown, following = paging.split(rows, [_REBUILDS.c.id], limit)
    return [_rebuild(row) for row in shown], following


async def newest(conn: AsyncConnection) -> list[Rebuild]:
    """The last few, the newest first."""
    query = sa.select(*_SHOWN).order_by(_REBUILDS.c.id.desc()).limit(NEWEST)
    return [_rebuild(row) for row in await conn.execute(query)]


async def still_open(conn: AsyncConnection) -> list[Rebuild]:
    """Those that are asked for or under way."""
    query = sa.select(*_SHOWN).where(_REBUILDS.c.state.in_([State.REQUESTED, State.READING]))
    return [_rebuild(row) for row in await conn.execute(query.order_by(_REBUILDS.c.id))]


def _rebuild(row: sa.Row[Any]) -> Rebuild:
    return Rebuild(**{**row._asdict(), "state": State(row.state)})
