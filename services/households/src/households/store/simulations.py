"""Simulations as they are kept: asked for, waiting, done, and read again within one's area."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from households.tables import (
    households,
    simulation_changes,
    simulation_counts,
    simulation_indicators,
    simulations,
)

UNFINISHED = ("WAITING", "RUNNING")
EXPORT_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Seer:
    """Who reads simulations: where, and whether what gives away restricted indicators too."""

    scope: Scope
    restricted: bool

    def where(self) -> sa.ColumnElement[bool]:
        """The one condition by which a simulation is seen: part of its area is inside."""
        inside: sa.ColumnElement[bool] = sa.true()
        if self.scope.communes is not None:
            mine = sa.literal(sorted(self.scope.communes), pg.ARRAY(sa.Text))
            inside = sa.or_(simulations.c.communes.is_(None), simulations.c.communes.overlap(mine))
        return inside if self.restricted else sa.and_(inside, simulations.c.restricted.is_(False))


@dataclass(frozen=True, slots=True)
class Running:
    """A simulation held by this transaction."""

    id: uuid.UUID
    day: dt.date
    communes: Sequence[str] | None
    standard: str
    rules: dict[str, Any]


async def add(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """Keep what is asked for, and wake whoever runs simulations once that is committed."""
    await conn.execute(simulations.insert().values(values))
    await conn.execute(sa.text("select pg_notify('simulations', '')"))


async def waiting(conn: AsyncConnection) -> list[uuid.UUID]:
    """Simulations that are not done, oldest first."""
    query = sa.select(simulations.c.id).where(simulations.c.state.in_(UNFINISHED)).order_by(simulations.c.id)
    return list((await conn.execute(query)).scalars())


async def start(conn: AsyncConnection, simulation_id: uuid.UUID) -> None:
    """Say that a waiting simulation is being worked on."""
    await conn.execute(
        simulations.update()
        .where(simulations.c.id == simulation_id, simulations.c.state == "WAITING")
        .values(state="RUNNING", started_at=sa.func.clock_timestamp())
    )


async def hold(conn: AsyncConnection, simulation_id: uuid.UUID) -> Running | None:
    """The simulation, if it was started and nobody else works on it at this moment."""
    query = (
        sa.select(
            simulations.c.id,
            simulations.c.day,
            simulations.c.communes,
            simulations.c.standard,
            simulations.c.rules,
        )
        .where(simulations.c.id == simulation_id, simulations.c.state == "RUNNING")
        .with_for_update(skip_locked=True)
    )
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Running(*row)


async def finish(conn: AsyncConnection, simulation_id: uuid.UUID) -> None:
    """From here on nothing of it changes."""
    await conn.execute(
        simulations.update()
        .where(simulations.c.id == simulation_id)
        .values(state="DONE", finished_at=sa.func.clock_timestamp())
    )


async def fail(conn: AsyncConnection, simulation_id: uuid.UUID, failure: str, attempts: int) -> None:
    """Count a failed attempt, and end the simulation with its reason after so many."""
    attempted = (
        simulations.update()
        .where(simulations.c.id == simulation_id, simulations.c.state.in_(UNFINISHED))
        .values(attempts=simulations.c.attempts + 1)
        .returning(simulations.c.attempts)
    )
    count = (await conn.execute(attempted)).scalar_one_or_none()
    if count is not None and count >= attempts:
        await conn.execute(
            simulations.update()
            .where(simulations.c.id == simulation_id)
            .values(state="FAILED", failure=failure, finished_at=sa.func.clock_timestamp())
        )


def listed(seer: Seer, state: str | None) -> sa.Select[Any]:
    """The simulations that somebody sees."""
    query = sa.select(simulations).where(seer.where())
    return query if state is None else query.where(simulations.c.state == state)


async def find(conn: AsyncConnection, simulation_id: uuid.UUID, seer: Seer) -> sa.Row[Any] | None:
    """One simulation that somebody sees, or nothing."""
    query = sa.select(simulations).where(simulations.c.id == simulation_id, seer.where())
    return (await conn.execute(query)).one_or_none()


_PARTS = ("area_type", "class_before", "class_after", "undecided")
_FIGURES = ("households", "persons", "with_indicators")


async def totals(conn: AsyncConnection, simulation_id: uuid.UUID, scope: Scope) -> list[sa.Row[Any]]:
    """The counts over all communes of a scope."""
    table = simulation_counts.c
    parts = [table[name] for name in _PARTS]
    query = (
        sa.select(*parts, *(sa.func.sum(table[name]).cast(sa.BigInteger).label(name) for name in _FIGURES))
        .where(table.simulation_id == simulation_id, scope.where(table.commune))
        .group_by(*parts)
        .order_by(*parts)
    )
    return list((await conn.execute(query)).all())


async def indicators(
    conn: AsyncConnection, simulation_id: uuid.UUID, scope: Scope, hidden: Sequence[str]
) -> list[sa.Row[Any]]:
    """Households deprived of each indicator that is not hidden, by class before and after."""
    table = simulation_indicators.c
    parts: list[sa.ColumnElement[Any]] = [table.indicator, table.class_before, table.class_after]
    query: sa.Select[Any] = (
        sa.select(*parts, sa.func.sum(table.households).cast(sa.BigInteger).label("households"))
        .where(
            table.simulation_id == simulation_id,
            scope.where(table.commune),
            table.indicator.not_in(list(hidden)),
        )
        .group_by(*parts)
        .order_by(*parts)
    )
    return list((await conn.execute(query)).all())


def communes_query(simulation_id: uuid.UUID, scope: Scope) -> sa.Select[Any]:
    """The communes of a simulation that lie in a scope."""
    table = simulation_counts.c
    query = sa.select(table.commune).where(table.simulation_id == simulation_id, scope.where(table.commune))
    return query.distinct()


async def counts(
    conn: AsyncConnection, simulation_id: uuid.UUID, communes: Sequence[str]
) -> list[sa.Row[Any]]:
    """The counts of these communes."""
    table = simulation_counts.c
    query = (
        sa.select(simulation_counts)
        .where(table.simulation_id == simulation_id, table.commune.in_(communes))
        .order_by(table.commune, *(table[name] for name in _PARTS))
    )
    return [*(await conn.execute(query)).all()]


def changes_query(simulation_id: uuid.UUID, scope: Scope, change: str | None) -> sa.Select[Any]:
    """The households whose lists would change and that live in the scope, then and now."""
    table = simulation_changes.c
    query = (
        sa.select(simulation_changes, households.c.code, households.c.head_name)
        .join(households, households.c.id == table.household_id)
        .where(
            table.simulation_id == simulation_id,
            scope.where(table.commune),
            scope.where(households.c.commune),
        )
    )
    return query if change is None else query.where(table.change == change)


async def changes_batch(
    conn: AsyncConnection, query: sa.Select[Any], after: tuple[str, uuid.UUID] | None
) -> list[sa.Row[Any]]:
    """The next households of a `changes_query`, by commune and id, behind `after`."""
    table = simulation_changes.c
    if after is not None:
        bound = sa.tuple_(sa.literal(after[0]), sa.literal(after[1], table.household_id.type))
        query = query.where(sa.tuple_(table.commune, table.household_id) > bound)
    ordered = query.order_by(table.commune, table.household_id).limit(EXPORT_BATCH)
    return list((await conn.execute(ordered)).all())


_SHARED = sa.text(
    "select case when b.household_id is null then 'ONLY_FIRST' when a.household_id is null then 'ONLY_SECOND'"
    " when a.class_after = b.class_after then 'ALIKE' else 'DIFFERENT' end, count(*)"
    " from (select * from simulation_changes where simulation_id = :first and (:all or commune = any(:communes))) a"
    " full join (select * from simulation_changes where simulation_id = :second"
    " and (:all or commune = any(:communes))) b using (household_id) group by 1"
)


async def shared_changes(
    conn: AsyncConnection, first: uuid.UUID, second: uuid.UUID, scope: Scope
) -> dict[str, int]:
    """Of the households whose lists would change: by one simulation only, by both alike, by both differently."""
    given = {
        "first": first,
        "second": second,
        "all": scope.communes is None,
        "communes": sorted(scope.communes or ()),
    }
    return {row[0]: int(row[1]) for row in await conn.execute(_SHARED, given)}
