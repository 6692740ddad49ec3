"""Allocations: written once, read within a person's areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import paging
from benvung.auth import Scope
from funding.domain import Allocation
from funding.tables import allocation_lines, allocation_totals, allocations


@dataclass(frozen=True, slots=True)
class Place:
    """Where an area was on the day of the decision, and which communes it held."""

    province: str | None
    commune: str | None
    communes: list[str]


async def insert(conn: AsyncConnection, allocation_id: UUID, given: Allocation, place: Place) -> bool:
    """Write an allocation with its totals and lines; False when this decision is already there."""
    stored = await conn.execute(
        pg.insert(allocations)
        .values(
            allocation_id=allocation_id,
            programme=given.programme,
            province=place.province,
            commune=place.commune,
            area=given.area,
            communes=place.communes,
            year=given.year,
            origin_year=given.origin_year,
            decision_number=given.decision_number,
            decided_on=given.decided_on,
            total_dong=given.total_dong,
        )
        .on_conflict_do_nothing()
        .returning(allocations.c.allocation_id)
    )
    if stored.first() is None:
        return False
    await conn.execute(
        sa.insert(allocation_totals),
        [
            {"allocation_id": allocation_id, "capital_type": code, "amount_dong": amount}
            for code, amount in given.by_capital_type
        ],
    )
    await conn.execute(
        sa.insert(allocation_lines),
        [
            {
                "allocation_id": allocation_id,
                "line": number,
                "project": line.project,
                "capital_type": line.capital_type,
                "source": line.source,
                "amount_dong": line.amount_dong,
            }
            for number, line in enumerate(given.lines, start=1)
        ],
    )
    return True


async def page(
    conn: AsyncConnection, scope: Scope, year: int | None, after: str | None, limit: int
) -> tuple[Sequence[sa.Row[Any]], str | None]:
    """Allocations to areas that lie wholly inside `scope`, oldest first, each with its totals and lines."""
    query = _with_parts().where(_inside(scope))
    if year is not None:
        query = query.where(allocations.c.year == year)
    keys = [allocations.c.number]
    rows = (await conn.execute(paging.keyset(query, keys, after, limit))).all()
    return paging.split(rows, keys, limit)


async def find(conn: AsyncConnection, scope: Scope, allocation_id: UUID) -> sa.Row[Any] | None:
    """One allocation with its totals and lines, if it lies inside `scope`."""
    query = _with_parts().where(allocations.c.allocation_id == allocation_id, _inside(scope))
    found: sa.Row[Any] | None = (await conn.execute(query)).first()
    return found


def _with_parts() -> sa.Select[Any]:
    return sa.select(
        allocations,
        _parts(
            allocation_totals, allocation_totals.c.capital_type, ("capital_type", "amount_dong"), "totals"
        ),
        _parts(
            allocation_lines,
            allocation_lines.c.line,
            ("project", "capital_type", "source", "amount_dong"),
            "lines",
        ),
    )


def _parts(
    table: sa.Table, order: sa.ColumnElement[Any], names: Sequence[str], label: str
) -> sa.ColumnElement[Any]:
    pairs = [part for name in names for part in (sa.literal(name), table.c[name])]
    return (
        sa.select(sa.func.jsonb_agg(pg.aggregate_order_by(sa.func.jsonb_build_object(*pairs), order)))
        .where(table.c.allocation_id == allocations.c.allocation_id)
        .scalar_subquery()
        .label(label)
    )


def _inside(scope: Scope) -> sa.ColumnElement[bool]:
    # Money is given to an area as a whole: who may see only a part of it does not see the sum.
    if scope.communes is None:
        return sa.true()
    seen = sa.literal(sorted(scope.communes), pg.ARRAY(sa.Text))
    return sa.and_(sa.func.cardinality(allocations.c.communes) > 0, allocations.c.communes.contained_by(seen))
