"""What lies on an officer's desk: open reviews, where their villages stand, and what is due."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import deadlines, households, members, review_cases, review_villages, reviews, villages

Rows = list[sa.Row[Any]]
_OF_VILLAGE = sa.and_(villages.c.commune == deadlines.c.commune, villages.c.code == deadlines.c.village)


async def reviews_of(conn: AsyncConnection, scope: Scope, state: str, limit: int) -> Rows:
    """Reviews of an area, the newest first."""
    query = sa.select(reviews).where(scope.where(reviews.c.commune), reviews.c.state == state)
    newest = query.order_by(reviews.c.year.desc(), reviews.c.commune, reviews.c.kind, reviews.c.id)
    return list((await conn.execute(newest.limit(limit))).all())


async def villages_in(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Rows]:
    """Where each village of these reviews stands, with its name."""
    named = sa.and_(
        villages.c.commune == review_villages.c.commune, villages.c.code == review_villages.c.village
    )
    query = (
        sa.select(review_villages, villages.c.name)
        .outerjoin(villages, named)
        .where(review_villages.c.review_id.in_(ids))
        .order_by(review_villages.c.village)
    )
    found: dict[uuid.UUID, Rows] = {each: [] for each in ids}
    for row in await conn.execute(query):
        found[row.review_id].append(row)
    return found


async def states_in(conn: AsyncConnection, review_id: uuid.UUID) -> dict[str, dict[str, int]]:
    """How many cases of each village of a review are in each state."""
    query = (
        sa.select(review_cases.c.village, review_cases.c.state, sa.func.count().label("cases"))
        .where(review_cases.c.review_id == review_id)
        .group_by(review_cases.c.village, review_cases.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.village, {})[row.state] = row.cases
    return found


def _open() -> sa.ColumnElement[bool]:
    return deadlines.c.done_on.is_(None)


async def due(conn: AsyncConnection, scope: Scope, until: dt.date, limit: int) -> Rows:
    """Time limits of open reviews that are not met and end by a day, or ended before: the earliest first."""
    query = (
        sa.select(deadlines, reviews.c.year, reviews.c.kind, villages.c.name)
        .join(reviews, reviews.c.id == deadlines.c.review_id)
        .outerjoin(villages, _OF_VILLAGE)
        .where(
            scope.where(deadlines.c.commune), _open(), reviews.c.state == "OPEN", deadlines.c.due_on <= until
        )
        .order_by(deadlines.c.due_on, deadlines.c.village, deadlines.c.id)
    )
    return list((await conn.execute(query.limit(limit))).all())


async def running(conn: AsyncConnection, review_id: uuid.UUID, village: str | None = None) -> Rows:
    """The time limits of a review that are not met, the earliest first."""
    query = sa.select(deadlines).where(deadlines.c.review_id == review_id, _open())
    if village is not None:
        query = query.where(deadlines.c.village == village)
    return list((await conn.execute(query.order_by(deadlines.c.due_on, deadlines.c.id))).all())


async def cases(conn: AsyncConnection, review_id: uuid.UUID, village: str) -> Rows:
    """The cases of a village, each with its household as the register has it."""
    query = (
        sa.select(
            review_cases,
            households.c.head_name,
            households.c.code,
            households.c.poverty_class,
            households.c.members.label("counted"),
        )
        .join(households, households.c.id == review_cases.c.household_id)
        .where(review_cases.c.review_id == review_id, review_cases.c.village == village)
        .order_by(households.c.code, review_cases.c.case_id)
    )
    return list((await conn.execute(query)).all())


async def to_list(
    conn: AsyncConnection, review_id: uuid.UUID, commune: str, village: str, *, persons: bool
) -> Rows:
    """Households of a village, or members of them, that a review does not have yet; who is on a list first."""
    listed = sa.exists().where(review_cases.c.review_id == review_id)
    columns: tuple[Any, ...] = (
        households.c.id.label("household_id"),
        households.c.head_name,
        households.c.code,
        households.c.poverty_class,
    )
    here = (
        households.c.commune == commune,
        households.c.village == village,
        households.c.status == "ACTIVE",
    )
    on_list = households.c.poverty_class.in_(("POOR", "NEAR_POOR"))
    order = (sa.case((on_list, 0), else_=1), households.c.code, households.c.id)
    if not persons:
        query = sa.select(households.c.id.label("case_id"), *columns).where(
            *here, ~listed.where(review_cases.c.case_id == households.c.id)
        )
        return list((await conn.execute(query.order_by(*order).limit(500))).all())
    query = (
        sa.select(members.c.id.label("case_id"), *columns)
        .join(households, households.c.id == members.c.household_id)
        .where(*here, members.c.left_on.is_(None), ~listed.where(review_cases.c.case_id == members.c.id))
    )
    return list((await conn.execute(query.order_by(*order, members.c.id).limit(500))).all())


async def reviewed(conn: AsyncConnection, household_id: uuid.UUID) -> Rows:
    """The reviews that a household, or somebody of it, is or was part of, the newest first."""
    query = (
        sa.select(review_cases, reviews.c.year, reviews.c.kind, reviews.c.state.label("review_state"))
        .join(reviews, reviews.c.id == review_cases.c.review_id)
        .where(review_cases.c.household_id == household_id)
        .order_by(reviews.c.year.desc(), reviews.c.id)
    )
    return list((await conn.execute(query.limit(50))).all())
