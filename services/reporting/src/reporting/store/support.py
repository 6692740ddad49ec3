"""Questions about what was given: eligibility by product, money by project, training."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.store.within import within
from reporting.tables import budget_lines as lines
from reporting.tables import eligibility_deltas as deltas
from reporting.tables import training_classes as classes


@dataclass(frozen=True, slots=True)
class Eligible:
    """Households that may borrow under a product on a day; those that came and went since another day."""

    households: int
    entries: int
    exits: int


async def eligibility(
    conn: AsyncConnection, communes: Collection[str], on: date, since: date
) -> dict[str, dict[str, Eligible]]:
    """By commune and product: eligible on `on`, entries and exits after `since` up to `on`."""
    later = deltas.c.on_date > since
    rows = await conn.execute(
        sa.select(
            deltas.c.commune,
            deltas.c.product,
            sa.func.sum(deltas.c.entries - deltas.c.exits),
            sa.func.coalesce(sa.func.sum(deltas.c.entries).filter(later), 0),
            sa.func.coalesce(sa.func.sum(deltas.c.exits).filter(later), 0),
        )
        .where(within(deltas.c.commune, communes), deltas.c.on_date <= on)
        .group_by(deltas.c.commune, deltas.c.product)
    )
    found: dict[str, dict[str, Eligible]] = {}
    for commune, product, count, entries, exits in rows:
        found.setdefault(commune, {})[product] = Eligible(int(count), int(entries), int(exits))
    return found


@dataclass(frozen=True, slots=True)
class Money:
    """Money allocated to areas in a year, in đồng, by project, capital type and source."""

    area: str
    project: str
    capital_type: str
    source: str
    origin_year: int
    amount_dong: int
    decisions: tuple[str, ...]
    last_decided_on: date


async def money(conn: AsyncConnection, areas: Collection[str], year: int) -> list[Money]:
    """The budget lines of these areas, added by area, project, capital type, source and year of origin."""
    keys = (lines.c.area, lines.c.project, lines.c.capital_type, lines.c.source, lines.c.origin_year)
    rows = await conn.execute(
        sa.select(
            *keys,
            sa.func.sum(lines.c.amount_dong),
            sa.func.array_agg(sa.distinct(lines.c.decision_number)),
            sa.func.max(lines.c.decided_on),
        )
        .where(within(lines.c.area, areas), lines.c.year == year)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Money(area, project, capital_type, source, origin_year, int(amount), tuple(decisions), last)
        for area, project, capital_type, source, origin_year, amount, decisions, last in rows
    ]


async def last_year_of_money(conn: AsyncConnection, areas: Collection[str], year: int) -> int | None:
    """The newest plan year, not after `year`, for which these areas were given money."""
    found: int | None = await conn.scalar(
        sa.select(sa.func.max(lines.c.year)).where(within(lines.c.area, areas), lines.c.year <= year)
    )
    return found


@dataclass(frozen=True, slots=True)
class Training:
    """Classes of one project and form in one area, with one kind of count."""

    area: str
    project: str
    form: str
    count_qualifier: str
    classes: int
    participants: int


async def trainings(conn: AsyncConnection, areas: Collection[str], first: date, last: date) -> list[Training]:
    """Classes that ended in the period, added only where their counts are exact in the same way."""
    keys = (
        classes.c.area,
        classes.c.project,
        classes.c.form,
        classes.c.count_qualifier,
    )
    rows = await conn.execute(
        sa.select(*keys, sa.func.count(), sa.func.sum(classes.c.participants))
        .where(within(classes.c.area, areas), classes.c.ended_on.between(first, last))
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Training(area, project, form, qualifier, number, int(people))
        for area, project, form, qualifier, number, people in rows
    ]


async def last_day_of_training(conn: AsyncConnection, areas: Collection[str], on: date) -> date | None:
    """The newest day, not after `on`, on which a class in these areas ended."""
    found: date | None = await conn.scalar(
        sa.select(sa.func.max(classes.c.ended_on)).where(
            within(classes.c.area, areas), classes.c.ended_on <= on
        )
    )
    return found
