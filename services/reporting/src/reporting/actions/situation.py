"""The situation of an area: households and persons by class, their share, and the change."""

from collections.abc import Mapping
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
    """The situation of an area on a day, its communes, and the decisions it rests on."""

    place: Place
    stage: Stage
    standard: str | None
    compared_with: date | None
    total: Row
    communes: tuple[Row, ...]
    lists: tuple[ApprovedList, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Counts and denominators of the area and its communes on one day."""

    counts: Mapping[str, Mapping[str, Count]]
    populations: Mapping[str, Population]

    def of(self, unit: Unit) -> tuple[Mapping[str, Count], Population | None]:
        """The counts and the denominator of a commune."""
        return domain.added([self.counts.get(unit.code, {})]), self.populations.get(unit.code)

    def over(self, place: Place) -> tuple[Mapping[str, Count], Population | None]:
        """The counts and the denominator of the whole area."""
        parts = [self.populations.get(code) for code in place.codes]
        own = self.populations.get(place.unit.code)
        return domain.added(self.counts.get(code, {}) for code in place.codes), domain.population_of(
            own, parts
        )


async def situation(conn: AsyncConnection, place: Place, stage: Stage, standard: str | None) -> Situation:
    """Households by class on the day of `place`, by official decisions or, apart, by preliminary results.

    Preliminary results are those of the year of that day and are not compared with official ones.
    """
    codes, on = place.codes, place.on
    before_day = before_place = None
    if stage is Stage.OFFICIAL:
        year = await store.last_annual_year(conn, codes, on)
        before_day = domain.compared_with(on, year, await store.first_day(conn, codes))
        before_place = place.on_day(before_day)
    days = [on] if before_day is None else [on, before_day]
    recorded = await store.populations(conn, {place.unit.code, *codes}, days)
    if stage is Stage.OFFICIAL:
        counts = await store.official(conn, codes, on, standard)
    else:
        counts = await store.preliminary(conn, codes, on.year, standard)
    now = Moment(counts, {area: found for (area, day), found in recorded.items() if day == on})
    before = None
    if before_day is not None and before_place is not None:
        earlier = await store.official(conn, before_place.codes, before_day, standard)
        before = Moment(earlier, {area: pop for (area, day), pop in recorded.items() if day == before_day})
    lists = await store.approved_lists(conn, codes, on, stage.value)
    return Situation(
        place,
        stage,
        standard,
        before_day if before is not None and before.counts else None,
        _total(place, now, before_place, before),
        tuple(_commune(unit, now, before_place, before) for unit in place.communes),
        tuple(one for one in lists if stage is Stage.OFFICIAL or one.year == on.year),
    )


def _total(place: Place, now: Moment, then: Place | None, before: Moment | None) -> Row:
    counts, population = now.over(place)
    if then is None or before is None or not before.counts:
        return _row(place.unit, counts, population, None, None)
    return _row(place.unit, counts, population, *before.over(then))


def _commune(unit: Unit, now: Moment, then: Place | None, before: Moment | None) -> Row:
    counts, population = now.of(unit)
    if then is None or before is None or unit not in then.communes or unit.code not in before.counts:
        return _row(unit, counts, population, None, None)
    return _row(unit, counts, population, *before.of(unit))


def _row(
    unit: Unit,
    counts: Mapping[str, Count],
    population: Population | None,
    earlier: Mapping[str, Count] | None,
    earlier_population: Population | None,
) -> Row:
    households = population.households if population else None
    persons = population.persons if population else None
    figures = {}
    for cls in HouseholdClass:
        count, before = counts[cls], earlier[cls] if earlier is not None else None
        rate = domain.share(count.households, households)
        rate_before = (
            domain.share(before.households, earlier_population.households)
            if before is not None and earlier_population is not None
            else None
        )
        figures[str(cls)] = Figure(
            count, rate, domain.share(count.persons, persons), before, domain.points(rate, rate_before)
        )
    return Row(unit, population, figures)


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
    first = await store.first_day(conn, place.codes)
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
