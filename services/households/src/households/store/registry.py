"""Reading the register: lists, exports and the counts that others are compared with."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.store.filters import EVERY_ONE, GROUNDED, Filters, Grounds
from households.store.geography import Eras, Where, now
from households.store.standing import Clocks, is_newest, stands
from households.tables import household_combinations, households, import_rows, reviews, tellings, villages

EXPORT_BATCH = 1000
NOTHING_SINCE = Eras([])


_KEPT_BY_ALL = ("code", "head_name", "head_sex", "revision", "version")
_TOLD = (
    *("province", "commune", "village", "members", "status", "standard"),
    *("class_since", "left_list_on", "left_list_from", "preliminary_class"),
)


def register_at(
    scope: Scope,
    on: dt.date | None,
    known_at: dt.datetime | None,
    eras: Eras = NOTHING_SINCE,
    grounds: Grounds | None = None,
) -> sa.FromClause:
    """The register as it was on a day, as it was known at a moment; now, when neither is asked for.

    A household stands where it stood then, and `commune_now` is what that commune became by `eras`. Its head,
    code and version are those of now. One that was entered without a decision has no day of its own: it is
    there on every day. Of now it can be that of the households alone whose official decisions rest on these
    grounds: it is then read in the order of their places.
    """
    clocks = Clocks(on, known_at)
    if not clocks.earlier:
        return households if grounds is None else _decided(grounds)
    told = tellings.alias("told")
    # Places of another day are what the list is ordered by: the index of tellings by place has that order.
    joined = told.join(households, households.c.id == told.c.household_id)
    source, commune_now = eras.commune_now(joined, told.c.household_id, told.c.commune)
    columns = [
        told.c.household_id.label("id"),
        *(households.c[name] for name in _KEPT_BY_ALL),
        *(told.c[name] for name in _TOLD),
        told.c["class"].label("poverty_class"),
        commune_now.label("commune_now"),
    ]
    return (
        sa.select(*columns)
        .select_from(source)
        .where(
            eras.sources(scope).where(told.c.commune),
            stands(told, clocks),
            is_newest(told, clocks),
        )
        .subquery("then")
    )


def _decided(grounds: Grounds) -> sa.FromClause:
    known = household_combinations
    place = ("id", "commune")
    return (
        sa.select(
            known.c.household_id.label("id"),
            known.c.commune,
            known.c.combination_id.label(GROUNDED),
            *(column for column in households.c if column.name not in place),
        )
        .join(households, households.c.id == known.c.household_id)
        .where(grounds.are_of(known))
        .subquery("decided")
    )


def households_query(register: sa.FromClause, where: Where, filters: Filters = EVERY_ONE) -> sa.Select[Any]:
    """Households of a place, narrowed as asked."""
    return _read(register).where(where.condition(register), *filters.conditions(register))


_NOT_READ = frozenset({"head_key", "head_name_keys", "indigenous_ethnicity", GROUNDED})


def _read(register: sa.FromClause) -> sa.Select[Any]:
    """All that anybody is shown; what households are found by would take longer to read than all of it."""
    return sa.select(*(column for column in register.c if column.name not in _NOT_READ))


async def one(
    conn: AsyncConnection, register: sa.FromClause, household_id: uuid.UUID, scope: Scope
) -> sa.Row[Any] | None:
    """One household of the register within the scope, or nothing."""
    query = _read(register).where(register.c.id == household_id, scope.where(now(register)))
    found: sa.Row[Any] | None = (await conn.execute(query)).one_or_none()
    return found


def reviews_query(scope: Scope, eras: Eras, year: int | None, state: str | None) -> sa.Select[Any]:
    """Reviews within a scope, with those of the communes that became its own."""
    seen = eras.where(scope, reviews.c.commune, reviews.c.valid_from, whole=False)
    query = sa.select(reviews).where(seen)
    if year is not None:
        query = query.where(reviews.c.year == year)
    return query if state is None else query.where(reviews.c.state == state)


async def rows(conn: AsyncConnection, query: sa.Select[Any]) -> list[sa.Row[Any]]:
    """All rows of a bounded query, planned for what it asks."""
    await _plan_for_this(conn)
    return list((await conn.execute(query)).all())


async def _plan_for_this(conn: AsyncConnection) -> None:
    """One plan for whatever is asked would go through the whole register where few households are asked for."""
    await conn.exec_driver_sql("set local plan_cache_mode = force_custom_plan")


async def count(conn: AsyncConnection, query: sa.Select[Any]) -> int:
    """How many rows a query of this module has."""
    await _plan_for_this(conn)
    return int((await conn.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one())


async def export_batch(
    conn: AsyncConnection,
    register: sa.FromClause,
    where: Where,
    filters: Filters,
    after: tuple[str, str, uuid.UUID] | None,
) -> list[sa.Row[Any]]:
    """The next households with their villages' names, by commune, village and id, behind `after`.

    Unless another status is asked for, they are the active ones.
    """
    place = sa.tuple_(register.c.commune, register.c.village, register.c.id)
    query = (
        sa.select(register, villages.c.name.label("village_name"))
        .join(
            villages,
            sa.and_(villages.c.commune == register.c.commune, villages.c.code == register.c.village),
        )
        .where(where.condition(register), *filters.conditions(register))
        .order_by(register.c.commune, register.c.village, register.c.id)
        .limit(EXPORT_BATCH)
    )
    if filters.status is None:
        query = query.where(register.c.status == "ACTIVE")
    if after is not None:
        bound = [sa.literal(after[0]), sa.literal(after[1]), sa.literal(after[2], register.c.id.type)]
        query = query.where(place > sa.tuple_(*bound))
    await _plan_for_this(conn)
    return list((await conn.execute(query)).all())


async def rows_batch(conn: AsyncConnection, query: sa.Select[Any], after: int) -> list[sa.Row[Any]]:
    """The next rows of an import in the file's order, behind row `after`."""
    ordered = query.where(import_rows.c.row_no > after).order_by(import_rows.c.row_no).limit(EXPORT_BATCH)
    return list((await conn.execute(ordered)).all())


async def counts_by_class(
    conn: AsyncConnection, register: sa.FromClause, where: Where
) -> list[tuple[str, str, int, int]]:
    """Commune, official class, households and persons of the active households that have a class."""
    commune = where.commune(register).label("counted_in")
    query = (
        sa.select(
            commune,
            register.c.poverty_class,
            sa.func.count(),
            sa.func.sum(register.c.members),
        )
        .where(
            where.condition(register),
            register.c.status == "ACTIVE",
            register.c.poverty_class.is_not(None),
        )
        .group_by(commune, register.c.poverty_class)
        .order_by(commune, register.c.poverty_class)
    )
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in await conn.execute(query)]
