"""The situation of an area: households and persons by class, their share, and the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import Unit
from reporting import domain, store
from reporting.actions.places import Place
from reporting.domain import Count, HouseholdClass, Population, Stage
from reporting.store import ApprovedList


@dataclass(frozen=True, slots=True)
class Figure:
    """One class in one area: how many, which share of all, and how much that changed."""

    count: Count
    household_rate: Fraction | None
    person_rate: Fraction | None
    before: Count | None
    change: Decimal | None

    @property
    def more_households(self) -> int | None:
        """How many households more than on the day compared with."""
        return None if self.before is None else self.count.households - self.before.households


@dataclass(frozen=True, slots=True)
class Row:
    """One area's figures by class, with the denominator they rest on (None: chưa có mẫu số)."""

    unit: Unit
    population: Population | None
    figures: Mapping[str, Figure]

    @property
    def known(self) -> bool:
        """Whether anything at all is recorded here."""
        return any(figure.count.households for figure in self.figures.values())


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of an area on a day, its parts (communes, or larger), and the decisions it rests on."""

    place: Place
    stage: Stage
    standard: str | None
    compared_with: date | None
    total: Row
    parts: tuple[Row, ...]
    lists: tuple[ApprovedList, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Counts and denominators of the area and its communes on one day."""

    on: date
    counts: Mapping[str, Mapping[str, Count]]
    populations: Mapping[str, Population]

    @property
    def known(self) -> set[str]:
        """The codes for which anything is known."""
        return {*self.counts, *self.populations}

    def over(self, place: Place) -> tuple[Mapping[str, Count], Population | None]:
        """The counts and the denominator of an area."""
        parts = [self.populations.get(code) for code in place.codes]
        own = self.populations.get(place.unit.code)
        return domain.added(self.counts.get(code, {}) for code in place.codes), domain.population_of(
            own, parts
        )


async def situation(
    conn: AsyncConnection,
    place: Place,
    stage: Stage,
    standard: str | None,
    parts: Sequence[Place] | None = None,
) -> Situation:
    """Households by class on the day of `place`, by official decisions or, apart, by preliminary results.

    Preliminary results are those of the year of that day and are not compared with official ones. `parts`
    are the areas to list below the total; its communes unless given.
    """
    codes, on = place.codes, place.on
    then = await _compared(conn, place) if stage is Stage.OFFICIAL else None
    days = [on] if then is None else [on, then.on]
    areas = {place.unit.code, *codes, *(part.unit.code for part in parts or ())}
    recorded = await store.populations(conn, areas, days)
    before = None
    if stage is Stage.PRELIMINARY:
        counts = await store.preliminary(conn, codes, on.year, standard)
    elif then is None:
        counts = await store.official(conn, codes, on, standard)
    else:
        both = {*codes, *then.codes}
        counts, earlier = await store.official_and_before(conn, both, (on, then.on), standard)
        before = Moment(then.on, earlier, _on(recorded, then.on)) if earlier else None
    now = Moment(on, counts, _on(recorded, on))
    if parts is None:
        parts = place.listed(now.known | (before.known if before else set())).parts()
    lists = await store.approved_lists(conn, codes, on, stage.value)
    return Situation(
        place,
        stage,
        standard,
        before.on if before is not None else None,
        _row(place, now, before),
        tuple(_row(part, now, before) for part in parts),
        tuple(one for one in lists if stage is Stage.OFFICIAL or one.year == on.year),
    )


async def _compared(conn: AsyncConnection, place: Place) -> Place | None:
    """The area on the year-end that its situation is compared with; None when it did not exist then."""
    known = await store.horizon(conn, place.codes, place.on)
    return place.on_day(domain.compared_with(place.on, known.annual_year, known.first_day))


def _on(recorded: Mapping[tuple[str, date], Population], day: date) -> dict[str, Population]:
    return {area: population for (area, asked), population in recorded.items() if asked == day}


def _row(place: Place, now: Moment, before: Moment | None) -> Row:
    counts, population = now.over(place)
    then = place.on_day(before.on) if before is not None else None
    if before is None or then is None or not before.counts.keys() & set(then.codes):
        return Row(place.unit, population, _figures(counts, population, None, None))
    return Row(place.unit, population, _figures(counts, population, *before.over(then)))


def _figures(
    counts: Mapping[str, Count],
    population: Population | None,
    earlier: Mapping[str, Count] | None,
    earlier_population: Population | None,
) -> dict[str, Figure]:
    households = population.households if population else None
    persons = population.persons if population else None
    households_before = earlier_population.households if earlier_population else None
    figures = {}
    for cls in HouseholdClass:
        count = counts[cls]
        before = earlier[cls] if earlier is not None else None
        rate = domain.share(count.households, households)
        rate_before = domain.share(before.households, households_before) if before is not None else None
        figures[str(cls)] = Figure(
            count,
            rate,
            domain.share(count.persons, persons),
            before,
            domain.points(rate, rate_before),
        )
    return figures


@dataclass(frozen=True, slots=True)
class Point:
    """The situation of the area on one day of a series. `counts` is empty before the first official list."""

    on: date
    counts: Mapping[str, Count]
    population: Population | None


async def trend(conn: AsyncConnection, place: Place, years: int, standard: str | None = None) -> list[Point]:
    """The situation on the last `years` year-ends and, when later, on the day itself.

    Days before the first official list of the area, or before the area existed, are left out.
    """
    first = (await store.horizon(conn, place.codes, place.on)).first_day
    if first is None:
        return []
    ends = [domain.year_end(year) for year in range(place.on.year - years, place.on.year + 1)]
    days = [day for day in ends if first <= day <= place.on]
    if place.on not in days and first <= place.on:
        days.append(place.on)
    places = [then for day in days if (then := place.on_day(day)) is not None]
    counts = await store.official_on_days(conn, [(then.on, then.codes) for then in places], standard)
    areas = {place.unit.code}.union(*(then.codes for then in places))
    recorded = await store.populations(conn, areas, days)
    return [
        Point(
            then.on,
            domain.added([found]),
            domain.population_of(
                recorded.get((then.unit.code, then.on)),
                [recorded.get((code, then.on)) for code in then.codes],
            ),
        )
        for then, found in zip(places, counts, strict=True)
    ]


async def preliminary(conn: AsyncConnection, place: Place) -> Mapping[str, Count]:
    """Households by class of the area by the preliminary results of the year of its day; empty without any."""
    found = await store.preliminary(conn, place.codes, place.on.year)
    return domain.added(found.values()) if found else {}
