"""Questions about households by class: official counts on a day, preliminary results of a year, lists."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Count
from reporting.store.within import within
from reporting.tables import approved_lists as lists
from reporting.tables import official_deltas as deltas
from reporting.tables import preliminary_results as guesses

ByCommune = dict[str, dict[str, Count]]

LISTS = 1000


@dataclass(frozen=True, slots=True)
class ApprovedList:
    """A review's result as decided: what a figure of that day rests on."""

    year: int
    review_kind: str
    stage: str
    standard: str
    valid_from: date
    decided_on: date
    decision_number: str


async def official(
    conn: AsyncConnection, communes: Collection[str], on: date, standard: str | None = None
) -> ByCommune:
    """Households and persons by commune and official class, by all facts that hold on `on`."""
    return (await official_and_before(conn, communes, (on, on), standard))[0]


async def official_and_before(
    conn: AsyncConnection, communes: Collection[str], days: tuple[date, date], standard: str | None = None
) -> tuple[ByCommune, ByCommune]:
    """The same on two days at once: on the first of `days`, and on the second, which is not later."""
    on, before = days
    earlier = deltas.c.valid_from <= before
    sums = [sa.func.sum(column) for column in (deltas.c.households, deltas.c.persons)]
    query = (
        sa.select(
            deltas.c.commune,
            deltas.c["class"],
            *sums,
            *(sa.func.coalesce(each.filter(earlier), 0) for each in sums),
        )
        .where(within(deltas.c.commune, communes), deltas.c.valid_from <= on)
        .group_by(deltas.c.commune, deltas.c["class"])
    )
    if standard is not None:
        query = query.where(deltas.c.standard == standard)
    rows = (await conn.execute(query)).all()
    then = [(commune, cls, *counts) for commune, cls, _, _, *counts in rows if any(counts)]
    return _by_commune(row[:4] for row in rows), _by_commune(then)


async def official_on_days(
    conn: AsyncConnection, asked: Sequence[tuple[date, Collection[str]]], standard: str | None = None
) -> list[dict[str, Count]]:
    """Households and persons by class on several days, each over its own communes, in one question."""
    parts = [
        sa.select(
            sa.literal(place).label("place"),
            deltas.c["class"],
            sa.func.sum(deltas.c.households),
            sa.func.sum(deltas.c.persons),
        )
        .where(
            within(deltas.c.commune, communes),
            deltas.c.valid_from <= on,
            *([] if standard is None else [deltas.c.standard == standard]),
        )
        .group_by(deltas.c["class"])
        for place, (on, communes) in enumerate(asked)
    ]
    found: list[dict[str, Count]] = [{} for _ in asked]
    if parts:
        for place, cls, households, persons in await conn.execute(sa.union_all(*parts)):
            found[place][cls] = Count(households, persons)
    return found


async def preliminary(
    conn: AsyncConnection, communes: Collection[str], year: int, standard: str | None = None
) -> ByCommune:
    """Households and persons by commune and class, by the newest preliminary result of each in `year`."""
    query = (
        sa.select(guesses.c.commune, guesses.c["class"], sa.func.count(), sa.func.sum(guesses.c.members))
        .where(within(guesses.c.commune, communes), guesses.c.year == year)
        .group_by(guesses.c.commune, guesses.c["class"])
    )
    if standard is not None:
        query = query.where(guesses.c.standard == standard)
    return _by_commune(await conn.execute(query))


def _by_commune(rows: Iterable[Any]) -> ByCommune:
    found: ByCommune = {}
    for commune, cls, households, persons in rows:
        found.setdefault(commune, {})[cls] = Count(int(households), int(persons))
    return found


async def approved_lists(
    conn: AsyncConnection, communes: Collection[str], on: date, stage: str
) -> list[ApprovedList]:
    """The decisions behind the situation on `on`, the newest first, each once."""
    columns = (
        lists.c.year,
        lists.c.review_kind,
        lists.c.stage,
        lists.c.standard,
        lists.c.valid_from,
        lists.c.decided_on,
        lists.c.decision_number,
    )
    rows = await conn.execute(
        sa.select(*columns)
        .distinct()
        .where(within(lists.c.commune, communes), lists.c.valid_from <= on, lists.c.stage == stage)
        .order_by(lists.c.valid_from.desc(), lists.c.decided_on.desc(), lists.c.decision_number)
        .limit(LISTS)
    )
    return [ApprovedList(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back official figures go, and the newest official annual review in force on a day."""

    first_day: date | None
    annual_year: int | None


async def horizon(conn: AsyncConnection, communes: Collection[str], on: date) -> Horizon:
    """What is known of these communes up to `on`."""
    first = sa.select(sa.func.min(deltas.c.valid_from)).where(within(deltas.c.commune, communes))
    annual = sa.select(sa.func.max(lists.c.year)).where(
        within(lists.c.commune, communes),
        lists.c.valid_from <= on,
        lists.c.review_kind == "ANNUAL",
        lists.c.stage == "OFFICIAL",
    )
    row = (await conn.execute(sa.select(first.scalar_subquery(), annual.scalar_subquery()))).one()
    return Horizon(row[0], row[1])
