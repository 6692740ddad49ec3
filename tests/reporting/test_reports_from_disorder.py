"""The same events in any order, any number of times, in any batches, leave the same tables."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from histories import Register, Step, steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.envelope import EventData
from benvung.projector import Projector
from benvung.testing import Transaction, deliver
from reporting.consumers import PROJECTORS
from reporting.tables import metadata

HOUSEHOLDS = PROJECTORS[0]
OWN = [
    table
    for name, table in metadata.tables.items()
    if name not in {"outbox", "checkpoints", "dead_letters", "audit", "sessions"}
]
Told = Sequence[tuple[int, EventData]]

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
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


async def after(
    conn: AsyncConnection, projector: Projector, batches: Iterator[Told]
) -> dict[str, list[Any]]:
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


@relaxed
@given(happened=steps, seed=st.integers(0, 2**32))
async def test_households_in_any_order(transaction: Transaction, happened: list[Step], seed: int) -> None:
    conn = await transaction("reporting")
    told = Register().play(happened).told

    in_order = await after(conn, HOUSEHOLDS, iter([told]))

    assert await after(conn, HOUSEHOLDS, ([one] for one in told)) == in_order
    assert await after(conn, HOUSEHOLDS, disordered(told, seed)) == in_order
