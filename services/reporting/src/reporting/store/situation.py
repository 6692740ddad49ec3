"""Questions about households by class: official counts on a day, preliminary results of a year, lists."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Count
from reporting.store import geography
from reporting.store.within import within
from reporting.tables import approved_lists as lists
from reporting.tables import official_deltas as deltas
from reporting.tables import preliminary_results as guesses

ByCommune = dict[str, dict[str, Count]]

LISTS = 1000
EVER = date(1900, 1, 1)


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


async def official_on(
    conn: AsyncConnection, communes: Collection[str], on: date, drawn: date, standard: str | None = None
) -> ByCommune:
    """Households and persons on `on`, by official class and by the communes as they were on the day `drawn`.

    Each commune is given that had any; where no unit became another in between, the two geographies are one.
    """
    drawing = await geography.between(conn, on, drawn)
    if not drawing.parts:
        return await official(conn, communes, on, standard)
    sources = drawing.sources(communes)
    divided = drawing.divided(sources)
    found: ByCommune = {}
    wanted = set(communes)
    then = await official(conn, sources - divided, on, standard)
    rows = [
        (drawing.of(code), name, count) for code, classes in then.items() for name, count in classes.items()
    ]
    rows += await geography.split_counts(conn, drawing, divided, on, standard)
    for code, name, count in rows:
        if code in wanted:
            classes = found.setdefault(str(code), {})
            classes[name] = classes.get(name, Count()) + count
    return found


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


async def sources(conn: AsyncConnection, communes: Collection[str], drawn: date) -> set[str]:
    """The codes of these communes and of all that they were ever made from, as far as it was told."""
    return (await geography.between(conn, EVER, drawn)).sources(communes)


async def is_drawn(conn: AsyncConnection, day: date, drawn: date) -> bool:
    """Whether it was told how the units of a day became those of another."""
    return bool((await geography.between(conn, day, drawn)).parts)


async def told_between(conn: AsyncConnection, day: date, drawn: date) -> set[tuple[str, date]]:
    """The communes of which it was told what they became after a day, each with the day that changed it."""
    return {(part.predecessor, part.on) for part in (await geography.between(conn, day, drawn)).parts}


async def first_with_figures(conn: AsyncConnection, ended: Collection[tuple[str, date]]) -> str | None:
    """The first of these communes of which anything is known from before the day on which it was no more."""
    lists = [sa.literal([each[0] for each in ended], pg.ARRAY(sa.Text))]
    lists.append(sa.literal([each[1] for each in ended], pg.ARRAY(sa.Date)))
    columns = (sa.column("code", sa.Text), sa.column("day", sa.Date))
    asked = sa.func.unnest(*lists).table_valued(*columns).render_derived("asked")
    known = sa.exists().where(deltas.c.commune == asked.c.code, deltas.c.valid_from < asked.c.day)
    found: str | None = await conn.scalar(
        sa.select(asked.c.code).where(known).order_by(asked.c.code, asked.c.day).limit(1)
    )
    return found


async def preliminary(
    conn: AsyncConnection,
    communes: Collection[str],
    year: int,
    standard: str | None = None,
    drawn: date | None = None,
) -> ByCommune:
    """Households and persons by commune and class, by the newest preliminary result of each in `year`."""
    if drawn is not None:
        return await _preliminary_drawn(conn, communes, year, standard, drawn)
    query = (
        sa.select(guesses.c.commune, guesses.c["class"], sa.func.count(), sa.func.sum(guesses.c.members))
        .where(within(guesses.c.commune, communes), guesses.c.year == year)
        .group_by(guesses.c.commune, guesses.c["class"])
    )
    if standard is not None:
        query = query.where(guesses.c.standard == standard)
    return _by_commune(await conn.execute(query))


async def _preliminary_drawn(
    conn: AsyncConnection, communes: Collection[str], year: int, standard: str | None, drawn: date
) -> ByCommune:
    every = await geography.between(conn, EVER, drawn)
    columns = (guesses.c.household_id, guesses.c.commune, guesses.c["class"], guesses.c.members)
    query = sa.select(*columns, guesses.c.valid_from).where(
        within(guesses.c.commune, every.sources(communes)), guesses.c.year == year
    )
    if standard is not None:
        query = query.where(guesses.c.standard == standard)
    rows = (await conn.execute(query)).all()
    ways = await geography.went(conn, {row[0] for row in rows})
    found: ByCommune = {}
    for household, commune, name, members, day in rows:
        code = every.later(day).of_household(commune, ways.get(household, {}))
        if code in communes:
            classes = found.setdefault(code, {})
            classes[name] = classes.get(name, Count()) + Count(1, members)
    return found


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
