"""Time limits that run or ran in the villages of reviews."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import deadlines, reviews

AT_ONCE = 500


async def mark_missed(conn: AsyncConnection, today: dt.date) -> list[uuid.UUID]:
    """Mark open ones whose last day has passed. Of two who look at once each marks others."""
    due = (
        sa.select(deadlines.c.id)
        .where(deadlines.c.state == "OPEN", deadlines.c.due_on < today)
        .order_by(deadlines.c.due_on, deadlines.c.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    query = (
        deadlines.update()
        .where(deadlines.c.id == due.c.id)
        .values(state="MISSED", told_on=today)
        .returning(deadlines.c.id)
    )
    return list((await conn.execute(query)).scalars())


async def as_told(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> Sequence[sa.RowMapping]:
    """These with their reviews, the earliest first."""
    query = (
        sa.select(deadlines, reviews.c.province, reviews.c.year, reviews.c.kind)
        .join(reviews, reviews.c.id == deadlines.c.review_id)
        .where(deadlines.c.id.in_(ids))
        .order_by(deadlines.c.due_on, deadlines.c.id)
    )
    return (await conn.execute(query)).mappings().all()


def query(
    scope: Scope, review_id: uuid.UUID | None, village: str | None, state: str | None, done: bool | None
) -> sa.Select[Any]:
    """Those within a scope with the year and kind of their reviews, narrowed as asked."""
    found = (
        sa.select(deadlines, reviews.c.year, reviews.c.kind)
        .join(reviews, reviews.c.id == deadlines.c.review_id)
        .where(scope.where(deadlines.c.commune))
    )
    if review_id is not None:
        found = found.where(deadlines.c.review_id == review_id)
    if village is not None:
        found = found.where(deadlines.c.village == village)
    if done is not None:
        found = found.where(deadlines.c.done_on.is_not(None) if done else deadlines.c.done_on.is_(None))
    return found if state is None else found.where(deadlines.c.state == state)
