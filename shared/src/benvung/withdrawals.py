"""Events that no longer hold: told by a database that was then restored to a moment before them.

The owner of a stream keeps the list when it takes events back, a reader when it hears of it.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db


async def note(conn: AsyncConnection, stream: str, events: Sequence[UUID]) -> bool:
    """Note events that no longer hold; whether any of them is news."""
    if not events:
        return False
    cursor = await (await db.driver(conn)).execute(
        "insert into withdrawn (stream, event_id) select %s, unnest(%s::uuid[]) on conflict do nothing"
        " returning true",
        (stream, sorted(events)),
    )
    return await cursor.fetchone() is not None


async def known(conn: AsyncConnection, stream: str) -> set[str]:
    """Ids of the events of a stream that no longer hold."""
    cursor = await (await db.driver(conn)).execute(
        "select event_id::text from withdrawn where stream = %s", (stream,)
    )
    return {row[0] for row in await cursor.fetchall()}


async def among(conn: AsyncConnection, streams: Collection[str], events: Sequence[UUID]) -> set[UUID]:
    """Which of these events of these streams no longer hold."""
    cursor = await (await db.driver(conn)).execute(
        "select event_id from withdrawn where stream = any(%s) and event_id = any(%s)",
        (list(streams), list(events)),
    )
    return {row[0] for row in await cursor.fetchall()}
