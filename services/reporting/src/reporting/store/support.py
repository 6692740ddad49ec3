"""Questions about what was given: eligibility by product, money by project, training."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import Unit
from benvung.reorganised import EVER
from reporting.store import geography
from reporting.store import within as asked
from reporting.store.funding import eligible_households
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

    def __add__(self, other: "Eligible") -> "Eligible":
        return Eligible(
            self.households + other.households, self.entries + other.entries, self.exits + other.exits
        )


NOBODY = Eligible(0, 0, 0)


async def eligibility(
    conn: AsyncConnection, communes: Collection[str], on: date, since: date, drawn: date | None = None
) -> dict[str, dict[str, Eligible]]:
    """By commune and product: eligible on `on`, entries and exits after `since` up to `on`.

    The communes are those of the day `drawn`, if given: each household counts where its commune went, or it
    with its part of a divided one, and none enters or leaves by that.
    """
    drawing = await geography.between(conn, on, drawn or on)
    sources = drawing.sources(communes)
    divided = drawing.divided(sources)
    rows: list[tuple[str | None, str, Eligible]] = [
        (drawing.of(commune), product, Eligible(int(number), int(entries), int(exits)))
        for commune, product, number, entries, exits in await _counted(conn, sources - divided, on, since)
    ]
    if divided:
        split = await eligible_households(conn, divided, on, since)
        ways = await geography.went(conn, {row[0] for row in split})
        rows += [
            (drawing.of_household(commune, ways.get(household, {})), product, Eligible(*counts))
            for household, commune, product, *counts in split
        ]
    found: dict[str, dict[str, Eligible]] = {}
    for code, product, eligible in rows:
        if code is not None and code in communes:
            products = found.setdefault(code, {})
            products[product] = products.get(product, NOBODY) + eligible
    return found


async def _counted(conn: AsyncConnection, communes: Collection[str], on: date, since: date) -> Sequence[Any]:
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
    return rows.all()


@dataclass(frozen=True, slots=True)
class Money:
    """Money allocated to a unit in a year, in đồng, by project, capital type and source."""

    area: str
    begins: date | None
    project: str
    capital_type: str
    source: str
    origin_year: int
    amount_dong: int
    decisions: tuple[str, ...]
    last_decided_on: date


async def money(conn: AsyncConnection, areas: Collection[Unit], year: int) -> list[Money]:
    """The budget lines of these units, added by unit, project, capital type, source and year of origin."""
    units = asked.units(areas)
    keys = (
        units.c.code,
        units.c.begins,
        lines.c.project,
        lines.c.capital_type,
        lines.c.source,
        lines.c.origin_year,
    )
    rows = await conn.execute(
        sa.select(
            *keys,
            sa.func.sum(lines.c.amount_dong),
            sa.func.array_agg(sa.distinct(lines.c.decision_number)),
            sa.func.max(lines.c.decided_on),
        )
        .where(asked.of(units, lines.c.area, lines.c.decided_on), lines.c.year == year)
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Money(
            area,
            None if begins == EVER else begins,
            project,
            capital_type,
            source,
            origin_year,
            int(amount),
            tuple(decisions),
            last,
        )
        for area, begins, project, capital_type, source, origin_year, amount, decisions, last in rows
    ]


async def last_year_of_money(conn: AsyncConnection, areas: Collection[Unit], year: int) -> int | None:
    """The newest plan year, not after `year`, for which these units were given money."""
    mine = asked.of(asked.units(areas), lines.c.area, lines.c.decided_on)
    found: int | None = await conn.scalar(
        sa.select(sa.func.max(lines.c.year)).where(mine, lines.c.year <= year)
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


async def trainings(
    conn: AsyncConnection, areas: Collection[Unit], first: date, last: date
) -> list[Training]:
    """Classes that ended in the period, added only where their counts are exact in the same way."""
    keys = (
        classes.c.area,
        classes.c.project,
        classes.c.form,
        classes.c.count_qualifier,
    )
    rows = await conn.execute(
        sa.select(*keys, sa.func.count(), sa.func.sum(classes.c.participants))
        .where(
            asked.of(asked.units(areas), classes.c.area, classes.c.held_on),
            classes.c.ended_on.between(first, last),
        )
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        Training(area, project, form, qualifier, number, int(people))
        for area, project, form, qualifier, number, people in rows
    ]


async def last_day_of_training(conn: AsyncConnection, areas: Collection[Unit], on: date) -> date | None:
    """The newest day, not after `on`, on which a class in these units ended."""
    mine = asked.of(asked.units(areas), classes.c.area, classes.c.held_on)
    found: date | None = await conn.scalar(
        sa.select(sa.func.max(classes.c.ended_on)).where(mine, classes.c.ended_on <= on)
    )
    return found
