"""Causes of poverty by the official decision in force: of one household, counted by area, as a condition of lists.

What a cause means is sealed in `cause_sets`: a question about a cause opens the sets, of which there are few, and
asks the database for their ids.
"""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households.domain.causes import Causes
from households.store.geography import Where
from households.tables import cause_sets, decisions, tellings

Level = Literal["PROVINCE", "COMMUNE", "VILLAGE"]
Condition = sa.ColumnElement[bool]
LISTS = ("POOR", "NEAR_POOR")


@dataclass(frozen=True, slots=True)
class Counted:
    """Households of an area on a list whose decisions say the same of causes; no `causes` = nothing."""

    area: str
    household_class: str
    causes: tuple[str, ...] | None
    households: int


async def sets(
    conn: AsyncConnection, vault: Vault, ids: Collection[int] | None = None
) -> dict[int, tuple[str, ...]]:
    """The combinations of causes, by their ids: these, or all that ever occurred."""
    query = sa.select(cause_sets.c.id, cause_sets.c.causes)
    if ids is not None:
        query = query.where(cause_sets.c.id.in_(ids))
    return {row.id: tuple(json.loads(vault.open(row.causes))) for row in await conn.execute(query)}


async def having(conn: AsyncConnection, vault: Vault, cause: str) -> list[int]:
    """The combinations that this cause is in, for `has_one_of`."""
    return sorted(each for each, codes in (await sets(conn, vault)).items() if cause in codes)


async def of_rows(
    conn: AsyncConnection, vault: Vault, rows: Sequence[sa.Row[Any]]
) -> Mapping[uuid.UUID, Causes]:
    """What these decisions say of causes, by the decisions' ids."""
    known = await sets(conn, vault, {row.cause_set_id for row in rows if row.cause_set_id is not None})
    return {
        row.decision_id: Causes(
            known[row.cause_set_id], None if row.cause_text is None else vault.open(row.cause_text)
        )
        for row in rows
        if row.cause_set_id is not None
    }


async def in_force(
    conn: AsyncConnection,
    vault: Vault,
    household_id: uuid.UUID,
    on: dt.date | None = None,
    known_at: dt.datetime | None = None,
) -> Causes | None:
    """What the official decision in force says of a household's causes, as of a day and known at a moment."""
    told = tellings.alias()
    query: sa.Select[Any] = (
        sa.select(decisions.c.decision_id, decisions.c.cause_set_id, decisions.c.cause_text)
        .select_from(told.join(decisions, decisions.c.sequence == told.c.fact))
        .where(told.c.household_id == household_id, _gives_the_class(told, on, known_at))
    )
    rows = (await conn.execute(query)).all()
    return next(iter((await of_rows(conn, vault, rows)).values()), None)


def has_one_of(
    register: sa.FromClause, ids: Sequence[int], on: dt.date | None, known_at: dt.datetime | None
) -> Condition:
    """Whether the official decision in force of a household of the register says one of these combinations."""
    told = tellings.alias()
    found = (
        sa.select(told.c.household_id)
        .join(decisions, decisions.c.sequence == told.c.fact)
        .where(
            decisions.c.cause_set_id == sa.any_(sa.literal(list(ids), pg.ARRAY(sa.BigInteger))),
            _gives_the_class(told, on, known_at),
        )
    )
    return sa.and_(register.c.status == "ACTIVE", register.c.id.in_(found))


async def counts(
    conn: AsyncConnection,
    vault: Vault,
    register: sa.FromClause,
    where: Where,
    level: Level,
    *,
    on: dt.date | None,
    known_at: dt.datetime | None,
) -> list[Counted]:
    """Households of both lists by area, class and combination of causes."""
    told = tellings.alias()
    decided = (
        sa.select(told.c.household_id, decisions.c.cause_set_id)
        .join(decisions, decisions.c.sequence == told.c.fact)
        .where(decisions.c.cause_set_id.is_not(None), _gives_the_class(told, on, known_at))
        .subquery("decided")
    )
    area = {
        "PROVINCE": register.c.province,
        "COMMUNE": where.commune(register),
        "VILLAGE": register.c.village,
    }[level].label("area")
    groups = (area, register.c.poverty_class, decided.c.cause_set_id)
    query = (
        sa.select(*groups, sa.func.count())
        .select_from(register.outerjoin(decided, decided.c.household_id == register.c.id))
        .where(where.condition(register), register.c.status == "ACTIVE", register.c.poverty_class.in_(LISTS))
        .group_by(*groups)
        .order_by(*groups)
    )
    rows = (await conn.execute(query)).all()
    known = await sets(conn, vault, {row[2] for row in rows if row[2] is not None})
    return [Counted(row[0], row[1], None if row[2] is None else known[row[2]], int(row[3])) for row in rows]


def _gives_the_class(told: sa.FromClause, on: dt.date | None, known_at: dt.datetime | None) -> Condition:
    """Whether a telling is what the household's class rests on: of all that stand, the newest that gives one.

    One that came from outside has its class from there, and no decision of before is the ground of it.
    """

    def gives(one: sa.FromClause) -> Condition:
        return sa.or_(one.c.stage == "OFFICIAL", sa.and_(one.c.kind == "ARRIVED", one.c.leg == 0))

    later = tellings.alias()
    turn = sa.tuple_(later.c.holds_from, later.c.sequence) > sa.tuple_(told.c.holds_from, told.c.sequence)
    newer = sa.exists().where(
        later.c.household_id == told.c.household_id, turn, gives(later), _stands(later, on, known_at)
    )
    return sa.and_(gives(told), _stands(told, on, known_at), ~newer)


def _stands(told: sa.FromClause, on: dt.date | None, known_at: dt.datetime | None) -> Condition:
    instead = tellings.alias()

    def recorded(one: sa.FromClause) -> Condition:
        return sa.true() if known_at is None else one.c.recorded_at <= known_at

    replaced = sa.exists().where(instead.c.replaces == told.c.sequence, recorded(instead))
    holds = sa.true() if on is None else told.c.holds_from <= on
    return sa.and_(told.c.kind != "ANNULLED", holds, recorded(told), ~replaced)
