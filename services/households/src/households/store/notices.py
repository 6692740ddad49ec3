"""Notices of a review's results, made as they are posted."""

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import households, notices, reviews


async def add(conn: AsyncConnection, values: dict[str, Any]) -> uuid.UUID:
    """Keep a notice."""
    made = await conn.execute(notices.insert().values(values).returning(notices.c.id))
    return uuid.UUID(str(made.scalar_one()))


async def find(conn: AsyncConnection, notice_id: uuid.UUID, scope: Scope) -> sa.Row[Any] | None:
    """One notice within the scope, with its review."""
    query = (
        sa.select(notices, reviews.c.year, reviews.c.kind, reviews.c.stage, _replaced())
        .join(reviews, reviews.c.id == notices.c.review_id)
        .where(notices.c.id == notice_id, scope.where(notices.c.commune))
    )
    return (await conn.execute(query)).one_or_none()


def _replaced() -> sa.ColumnElement[bool]:
    """Whether the village's results were posted again since."""
    later = notices.alias("later")
    again = (
        later.c.review_id == notices.c.review_id,
        later.c.village == notices.c.village,
        sa.func.coalesce(later.c.entry, 0) > sa.func.coalesce(notices.c.entry, 0),
    )
    return sa.exists().where(*again).label("replaced")


async def heads(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The sealed names of these households' heads."""
    query = sa.select(households.c.id, households.c.head_name).where(households.c.id.in_(ids))
    return {row.id: row.head_name for row in await conn.execute(query)}


async def of_village(
    conn: AsyncConnection, review_id: uuid.UUID, village: str, scope: Scope
) -> list[sa.Row[Any]]:
    """The notices of a village in a review, the newest first."""
    query = sa.select(notices, _replaced()).where(
        notices.c.review_id == review_id, notices.c.village == village, scope.where(notices.c.commune)
    )
    return list((await conn.execute(query.order_by(notices.c.id.desc()))).all())
