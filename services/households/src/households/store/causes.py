"""Causes of poverty by the official decision in force: of one household, counted by area.

What a cause means is sealed in `cause_sets`: a question about causes opens the sets, of which there are few.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households.domain.causes import Causes
from households.store.geography import Where
from households.store.standing import Clocks, Condition, gives_class, is_newest, stands
from households.tables import cause_sets, decisions, household_combinations, tellings

Level = Literal["PROVINCE", "COMMUNE", "VILLAGE"]
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
    clocks: Clocks,
) -> Causes | None:
    """What the official decision in force says of a household's causes, as of a day and known at a moment."""
    rows = (await conn.execute(_in_force(clocks), {"household_id": household_id})).all()
    return next(iter((await of_rows(conn, vault, rows)).values()), None)


# Every reading of a household asks this, and writing the question down takes longer than answering it.
@lru_cache(maxsize=100)
def _in_force(clocks: Clocks) -> sa.Select[Any]:
    told = tellings.alias()
    return (
        sa.select(decisions.c.decision_id, decisions.c.cause_set_id, decisions.c.cause_text)
        .select_from(told.join(decisions, decisions.c.sequence == told.c.fact))
        .where(told.c.household_id == sa.bindparam("household_id"), _gives_the_class(told, clocks))
    )


async def counts(
    conn: AsyncConnection,
    vault: Vault,
    register: sa.FromClause,
    where: Where,
    level: Level,
    *,
    clocks: Clocks,
) -> list[Counted]:
    """Households of both lists by area, class and combination of causes."""
    decided = _decided(clocks).subquery("decided")
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


def _decided(clocks: Clocks) -> sa.Select[Any]:
    """The combinations of causes that were in force, by household."""
    if not clocks.earlier:
        known = household_combinations
        return sa.select(known.c.household_id, known.c.cause_set_id).where(known.c.cause_set_id.is_not(None))
    told = tellings.alias()
    return (
        sa.select(told.c.household_id, decisions.c.cause_set_id)
        .join(decisions, decisions.c.sequence == told.c.fact)
        .where(decisions.c.cause_set_id.is_not(None), _gives_the_class(told, clocks))
    )


def _gives_the_class(told: sa.FromClause, clocks: Clocks) -> Condition:
    """Whether a telling is what the household's class rests on: of all that stand, the newest that gives one.

    One that came from outside has its class from there, and no decision of before is the ground of it.
    """
    return sa.and_(gives_class(told), stands(told, clocks), is_newest(told, clocks, gives_class))
