"""Reading the register: lists, exports and the counts that others are compared with."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import households, import_rows, reviews, villages

EXPORT_BATCH = 1000


def households_query(
    scope: Scope, village: str | None, household_class: str | None, status: str | None
) -> sa.Select[Any]:
    """Households within a scope, narrowed as asked. `household_class` NONE means without an official class."""
    query = sa.select(households).where(scope.where(households.c.commune))
    if village is not None:
        query = query.where(households.c.village == village)
    if household_class == "NONE":
        query = query.where(households.c.poverty_class.is_(None))
    elif household_class is not None:
        query = query.where(households.c.poverty_class == household_class)
    if status is not None:
        query = query.where(households.c.status == status)
    return query


def reviews_query(scope: Scope, year: int | None, state: str | None) -> sa.Select[Any]:
    """Reviews within a scope."""
    query = sa.select(reviews).where(scope.where(reviews.c.commune))
    if year is not None:
        query = query.where(reviews.c.year == year)
    return query if state is None else query.where(reviews.c.state == state)


async def rows(conn: AsyncConnection, query: sa.Select[Any]) -> list[sa.Row[Any]]:
    """All rows of a bounded query."""
    return list((await conn.execute(query)).all())


async def count(conn: AsyncConnection, query: sa.Select[Any]) -> int:
    """How many rows a query of this module has."""
    return int((await conn.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one())


async def export_batch(
    conn: AsyncConnection, scope: Scope, after: tuple[str, str, uuid.UUID] | None
) -> list[sa.Row[Any]]:
    """The next active households with their villages' names, by commune, village and id, behind `after`."""
    place = sa.tuple_(households.c.commune, households.c.village, households.c.id)
    query = (
        sa.select(households, villages.c.name.label("village_name"))
        .join(
            villages,
            sa.and_(villages.c.commune == households.c.commune, villages.c.code == households.c.village),
        )
        .where(scope.where(households.c.commune), households.c.status == "ACTIVE")
        .order_by(households.c.commune, households.c.village, households.c.id)
        .limit(EXPORT_BATCH)
    )
    if after is not None:
        bound = [sa.literal(after[0]), sa.literal(after[1]), sa.literal(after[2], households.c.id.type)]
        query = query.where(place > sa.tuple_(*bound))
    return list((await conn.execute(query)).all())


async def rows_batch(conn: AsyncConnection, query: sa.Select[Any], after: int) -> list[sa.Row[Any]]:
    """The next rows of an import in the file's order, behind row `after`."""
    ordered = query.where(import_rows.c.row_no > after).order_by(import_rows.c.row_no).limit(EXPORT_BATCH)
    return list((await conn.execute(ordered)).all())


async def counts_by_class(conn: AsyncConnection, scope: Scope) -> list[tuple[str, str, int, int]]:
    """Commune, official class, households and persons of the active households that have a class."""
    query = (
        sa.select(
            households.c.commune,
            households.c.poverty_class,
            sa.func.count(),
            sa.func.sum(households.c.members),
        )
        .where(
            scope.where(households.c.commune),
            households.c.status == "ACTIVE",
            households.c.poverty_class.is_not(None),
        )
        .group_by(households.c.commune, households.c.poverty_class)
        .order_by(households.c.commune, households.c.poverty_class)
    )
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in await conn.execute(query)]
