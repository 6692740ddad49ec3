"""Telling of the time limits that passed."""

import uuid

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock, outbox
from households import store
from households.events import DeadlineMissed


async def tell_missed(conn: AsyncConnection) -> int:
    """Mark what passed before today as missed and tell of it; how many."""
    return await tell(conn, await store.deadlines.mark_missed(conn, clock.today()))


async def tell(conn: AsyncConnection, ids: list[uuid.UUID]) -> int:
    """Tell of these, which were just marked as missed."""
    rows = await store.deadlines.as_told(conn, ids)
    await outbox.publish(conn, [_missed(row) for row in rows])
    return len(rows)


def _missed(row: sa.RowMapping) -> DeadlineMissed:
    return DeadlineMissed(
        revision=1,
        province=row["province"],
        commune=row["commune"],
        village=row["village"],
        deadline_id=row["id"],
        review_id=row["review_id"],
        year=row["year"],
        kind=row["kind"],
        deadline=row["rule"],
        responsible=row["responsible"],
        due_on=row["due_on"],
        legal=row["legal"],
    )
