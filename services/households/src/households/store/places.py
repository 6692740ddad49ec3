"""Villages of a commune and the recorded population of areas."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from households.tables import households, populations, villages


async def villages_of(conn: AsyncConnection, commune: str, *, ended: bool = False) -> Sequence[sa.Row[Any]]:
    """The commune's villages in the order of their codes; with those that went with an earlier one if asked."""
    query = sa.select(villages).where(villages.c.commune == commune).order_by(villages.c.code)
    if not ended:
        query = query.where(villages.c.ended_on.is_(None))
    return (await conn.execute(query)).all()


async def villages_on(conn: AsyncConnection, commune: str, on: dt.date) -> Sequence[sa.Row[Any]]:
    """The villages that the commune of that code and day had."""
    every = await villages_of(conn, commune, ended=True)
    last = min(
        (row.ended_on for row in every if row.ended_on is not None and row.ended_on > on), default=None
    )
    return [row for row in every if row.ended_on == last]


async def lock_commune(conn: AsyncConnection, commune: str) -> None:
    """Keep others from changing the commune's list of villages until this transaction ends."""
    await conn.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended('villages ' || :commune, 0))"),
        {"commune": commune},
    )


async def put_villages(conn: AsyncConnection, commune: str, listed: Mapping[str, tuple[str, str]]) -> None:
    """Make (name, key) by code the commune's whole list. The caller holds the commune."""
    gone = villages.delete().where(
        villages.c.commune == commune,
        villages.c.ended_on.is_(None),
        villages.c.code.not_in(list(listed) or [""]),
    )
    await conn.execute(gone)
    if not listed:
        return
    # Names may be exchanged between codes, and their uniqueness is checked row by row.
    await conn.execute(
        villages.update()
        .where(villages.c.commune == commune, villages.c.ended_on.is_(None))
        .values(name_key=villages.c.code)
    )
    rows = [
        {"commune": commune, "code": code, "name": name, "name_key": key}
        for code, (name, key) in sorted(listed.items())
    ]
    insert = pg.insert(villages).values(rows)
    await conn.execute(
        insert.on_conflict_do_update(
            index_elements=["commune", "code"],
            set_={"name": insert.excluded.name, "name_key": insert.excluded.name_key},
        )
    )


async def inhabited(conn: AsyncConnection, commune: str) -> set[str]:
    """Codes of the villages in which a household of the register is or was."""
    query = sa.select(households.c.village).where(households.c.commune == commune).distinct()
    return set((await conn.execute(query)).scalars())


async def village_exists(conn: AsyncConnection, commune: str, code: str, on: dt.date) -> bool:
    """Whether the commune has this village on that day, as far as it is known when one ended."""
    query = sa.select(villages.c.code).where(
        villages.c.commune == commune,
        villages.c.code == code,
        sa.or_(villages.c.ended_on.is_(None), villages.c.ended_on > on),
    )
    return (await conn.execute(query)).scalar_one_or_none() is not None


async def add_population(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """Store one record of a population; earlier ones stay."""
    await conn.execute(populations.insert().values(values))


async def populations_of(conn: AsyncConnection, area: str) -> Sequence[sa.Row[Any]]:
    """All records of an area, the newest day and record first."""
    query = (
        sa.select(populations)
        .where(populations.c.area == area)
        .order_by(populations.c.as_of.desc(), populations.c.sequence.desc())
        .limit(500)
    )
    return (await conn.execute(query)).all()


async def population(conn: AsyncConnection, population_id: uuid.UUID) -> sa.Row[Any] | None:
    """One record of a population, or nothing."""
    query = sa.select(populations).where(populations.c.id == population_id)
    return (await conn.execute(query)).one_or_none()
