"""Notices of a review's results, and what a review found in a village."""

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import decisions, households, notices, reviews


async def found_in(conn: AsyncConnection, review_id: uuid.UUID, village: str) -> list[sa.Row[Any]]:
    """The newest standing result of each household of a village in a review: household, class, class before."""
    later = decisions.alias("later")
    corrected = sa.exists().where(later.c.corrects == decisions.c.sequence)
    newest: sa.Select[Any] = (
        sa.select(decisions.c.household_id, decisions.c["class"], decisions.c.previous_class)
        .where(decisions.c.review_id == review_id, decisions.c.village == village, ~corrected)
        .ext(distinct_on(decisions.c.household_id))
        .order_by(decisions.c.household_id, decisions.c.sequence.desc())
    )
    return list((await conn.execute(newest)).all())


async def add(conn: AsyncConnection, values: dict[str, Any]) -> uuid.UUID:
    """Keep a notice; one of the same day and village that is there is answered with."""
    statement = insert(notices).values(values).on_conflict_do_nothing()
    made = (await conn.execute(statement.returning(notices.c.id))).scalar_one_or_none()
    if made is not None:
        return uuid.UUID(str(made))
    same = sa.select(notices.c.id).where(
        notices.c.review_id == values["review_id"],
        notices.c.village == values["village"],
        notices.c.posted_on == values["posted_on"],
    )
    return uuid.UUID(str((await conn.execute(same)).scalar_one()))


async def find(conn: AsyncConnection, notice_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One notice within the scope, with its review."""
    query = (
        sa.select(notices, reviews.c.year, reviews.c.kind, reviews.c.stage)
        .join(reviews, reviews.c.id == notices.c.review_id)
        .where(notices.c.id == notice_id, scope.where(notices.c.commune))
    )
    return (await conn.execute(query)).one_or_none()


async def heads(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The sealed names of these households' heads."""
    query = sa.select(households.c.id, households.c.head_name).where(households.c.id.in_(ids))
    return {row.id: row.head_name for row in await conn.execute(query)}


async def of_village(
    conn: AsyncConnection, review_id: uuid.UUID, village: str, scope: Scope
) -> list[sa.Row[Any]]:
    """The notices of a village in a review, the newest first."""
    query = sa.select(notices).where(
        notices.c.review_id == review_id, notices.c.village == village, scope.where(notices.c.commune)
    )
    return list((await conn.execute(query.order_by(notices.c.posted_on.desc()))).all())
