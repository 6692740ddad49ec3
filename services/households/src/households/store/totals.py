"""How many households areas have: what was recorded of each, newest first of both kinds of record."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from households.domain.totals import Total
from households.tables import household_totals, populations


@dataclass(frozen=True, slots=True)
class Recorded:
    """A total as somebody recorded it of an area."""

    area: str
    total: Total
    as_of: dt.date
    source: str


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Store one record of a total; earlier ones stay."""
    await conn.execute(household_totals.insert().values(values))


async def one(conn: AsyncConnection, total_id: uuid.UUID) -> sa.Row[Any] | None:
    """One record, or nothing."""
    query = sa.select(household_totals).where(household_totals.c.id == total_id)
    return (await conn.execute(query)).one_or_none()


async def newest(
    conn: AsyncConnection, begun: Mapping[str, dt.date | None], on: dt.date
) -> dict[str, Recorded]:
    """Of each area the newest record up to a day; of one day, what was told last.

    `begun`: the area's first day, before which another unit may have had its code.
    """
    every = sa.union_all(
        _records(household_totals, begun, household_totals.c.least, household_totals.c.most),
        _records(populations, begun, populations.c.households, populations.c.households),
    ).subquery()
    query = (
        sa.select(every)
        .where(every.c.as_of <= on)
        .ext(pg.distinct_on(every.c.area))
        .order_by(every.c.area, every.c.as_of.desc(), every.c.sequence.desc())
    )
    return {
        row.area: Recorded(row.area, Total(row.least, row.most), row.as_of, row.source)
        for row in await conn.execute(query)
    }


def _records(
    table: sa.Table, begun: Mapping[str, dt.date | None], least: sa.Column[Any], most: sa.Column[Any]
) -> sa.Select[Any]:
    areas = (
        sa.func.unnest(
            sa.literal(list(begun), pg.ARRAY(sa.Text)), sa.literal(list(begun.values()), pg.ARRAY(sa.Date))
        )
        .table_valued(sa.column("code", sa.Text), sa.column("first", sa.Date))
        .render_derived(name=f"of_{table.name}")
    )
    known = sa.or_(areas.c.first.is_(None), table.c.as_of >= areas.c.first)
    columns = (table.c.area, table.c.sequence, table.c.as_of, table.c.source)
    return sa.select(*columns, least.label("least"), most.label("most")).join(
        areas, sa.and_(areas.c.code == table.c.area, known)
    )
