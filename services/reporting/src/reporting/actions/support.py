"""What an area was given: who may borrow, the money of a year, the training of a year."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import Unit
from reporting import domain, store
from reporting.actions.geographies import check_told
from reporting.actions.places import Place
from reporting.domain import Product, Total
from reporting.store import NOBODY, Eligible, Money, Training


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Households that may borrow, by product, over the area and in each commune."""

    place: Place
    since: date
    total: Mapping[str, Eligible]
    communes: tuple[tuple[Unit, Mapping[str, Eligible]], ...]


async def eligibility(conn: AsyncConnection, place: Place, since: date) -> Eligibility:
    """Eligible households on the day of `place`; entries and exits after `since` up to that day."""
    if place.drawn is not None:
        await check_told(conn, place, place.on)
    found = await store.eligibility(conn, place.codes, place.on, since, place.drawn)
    rows = tuple(
        (unit, {str(one): found.get(unit.code, {}).get(one, NOBODY) for one in Product})
        for unit in place.listed(found).communes
    )
    total = {str(one): _sum(row[one] for _, row in rows) for one in Product}
    return Eligibility(place, since, total, rows)


def _sum(parts: Iterable[Eligible]) -> Eligible:
    return sum(parts, NOBODY)


@dataclass(frozen=True, slots=True)
class Budget:
    """Money of one plan year. `basis` is OWN for what was given to the area itself.

    BELOW is the sum of what was given to units inside it, shown only where the area itself was given
    nothing: what is passed on must not be counted twice.
    """

    place: Place
    year: int
    basis: str
    total_dong: int
    by_capital_type: Mapping[str, int]
    lines: tuple[Money, ...]


async def budget(conn: AsyncConnection, place: Place, year: int) -> Budget:
    """The money allocated for `year`, by project, capital type and source."""
    lines = await store.money(conn, place.at_or_below, year)
    own = [line for line in lines if _is(place.unit, line)]
    shown = own or _outermost(place, lines)
    by_type: dict[str, int] = {}
    for line in shown:
        by_type[line.capital_type] = by_type.get(line.capital_type, 0) + line.amount_dong
    basis = "OWN" if own or not shown else "BELOW"
    return Budget(place, year, basis, sum(by_type.values()), by_type, tuple(shown))


async def newest_budget(conn: AsyncConnection, place: Place) -> Budget:
    """The money of the newest plan year, up to the year of the day, for which any is known."""
    year = await store.last_year_of_money(conn, place.at_or_below, place.on.year)
    return await budget(conn, place, year or place.on.year)


def _is(unit: Unit, line: Money) -> bool:
    return (line.area, line.begins) == (unit.code, unit.valid_from)


def _outermost(place: Place, lines: Sequence[Money]) -> list[Money]:
    """The lines of the units nearest to the area: a district's money already holds its communes'."""
    given = {(line.area, line.begins) for line in lines}
    nearest = {
        (unit.code, unit.valid_from)
        for unit in place.at_or_below
        if (unit.code, unit.valid_from) in given
        and not given & {(each.code, each.valid_from) for each in place.above(unit)}
    }
    return [line for line in lines if (line.area, line.begins) in nearest]


@dataclass(frozen=True, slots=True)
class Trainings:
    """Classes that ended in one year, with sums that are no more exact than their parts."""

    place: Place
    year: int
    classes: int
    total: Total
    by_project: Mapping[str, tuple[int, Total]]
    rows: tuple[Training, ...]


async def trainings(conn: AsyncConnection, place: Place, year: int) -> Trainings:
    """The training held in the area and below in `year`."""
    rows = await store.trainings(conn, place.at_or_below, date(year, 1, 1), domain.year_end(year))
    projects: dict[str, list[Training]] = {}
    for row in rows:
        projects.setdefault(row.project, []).append(row)
    return Trainings(
        place,
        year,
        sum(row.classes for row in rows),
        _people(rows),
        {project: (sum(row.classes for row in part), _people(part)) for project, part in projects.items()},
        tuple(rows),
    )


async def newest_trainings(conn: AsyncConnection, place: Place) -> Trainings:
    """The training of the newest year, up to the day, in which any class ended."""
    day = await store.last_day_of_training(conn, place.at_or_below, place.on)
    return await trainings(conn, place, (day or place.on).year)


def _people(rows: Iterable[Training]) -> Total:
    return domain.participants((row.participants, row.count_qualifier) for row in rows)
