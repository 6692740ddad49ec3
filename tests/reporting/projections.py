"""The projection tables as a whole, to compare what different deliveries of the same events leave."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.envelope import EventData
from benvung.projector import Projector
from benvung.testing import deliver
from reporting.consumers import PROJECTORS
from reporting.tables import metadata

HOUSEHOLDS, FUNDING, TRAINING = PROJECTORS
OWN = [
    table
    for name, table in metadata.tables.items()
    if name not in {"outbox", "checkpoints", "dead_letters", "audit", "sessions"}
]
Told = Sequence[tuple[int, EventData]]

relaxed = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


async def everything(conn: AsyncConnection) -> dict[str, list[Any]]:
    """All rows of all projection tables. A delta of nothing is the same as no delta."""
    found: dict[str, list[Any]] = {}
    for table in OWN:
        rows = [tuple(row) for row in await conn.execute(sa.select(table))]
        if table.name.endswith("_deltas"):
            rows = [row for row in rows if row[-2:] != (0, 0)]
        found[table.name] = sorted(rows, key=repr)
    return found


async def after(conn: AsyncConnection, projector: Projector, batches: Iterator[Told]) -> dict[str, list[Any]]:
    """The tables after these batches; the transaction is as before afterwards."""
    savepoint = await conn.begin_nested()
    for batch in batches:
        await deliver(conn, projector, batch)
    found = await everything(conn)
    await savepoint.rollback()
    return found


def disordered(told: Told, seed: int) -> Iterator[Told]:
    """The events shuffled, some of them twice, cut into batches."""
    chance = random.Random(seed)
    cards = [*told, *chance.sample(list(told), len(told) // 2)]
    chance.shuffle(cards)
    while cards:
        size = chance.randint(1, len(cards))
        yield cards[:size]
        cards = cards[size:]
