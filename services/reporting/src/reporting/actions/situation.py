"""The situation of an area: households and persons by class, their share, and the change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import Unit
from reporting import domain, store
from reporting.actions.geographies import check_told
from reporting.actions.places import Place
from reporting.domain import Count, HouseholdClass, Percent, Population, Rate, Stage
from reporting.store import ApprovedList


@dataclass(frozen=True, slots=True)
class Figure:
    """One class in one area: how many, which share of all, and how much that changed."""

    count: Count
    household_rate: Rate | None
    person_rate: Fraction | None
    before: Count | None
    change: Percent | None

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
        """The codes for which anything is known; of what is not assigned yet, those that have households."""
        counted = {
            code
            for code, classes in self.counts.items()
            if code.isdigit() or any(count.households for count in classes.values())
        }
        return {*counted, *self.populations}

    def over(self, place: Place) -> tuple[Mapping[str, Count], Population | None]:
        """The counts and the denominator of an area."""
        parts = [self.populations.get(code) for code in place.peopled]
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
    if place.drawn is not None:
        await check_told(conn, place, on)
    sources = await store.sources(conn, codes, place.geography)
    then = await _compared(conn, place, sources) if stage is Stage.OFFICIAL else None
    areas = {place.unit.code, *codes, *(part.unit.code for part in parts or ())}
    before = None
    if stage is Stage.PRELIMINARY:
        counts = await store.preliminary(conn, codes, on.year, standard, place.drawn)
    elif then is None or place.drawn is not None or then.drawn is not None:
        counts = await store.official_on(conn, codes, on, place.geography, standard)
        earlier = then and await store.official_on(conn, then.codes, then.on, then.geography, standard)
    else:
        both = {*codes, *then.codes}
        counts, earlier = await store.official_and_before(conn, both, (on, then.on), standard)
    if then is not None and earlier:
        before = Moment(then.on, earlier, await _populations(conn, then, areas))
    now = Moment(on, counts, await _populations(conn, place, areas))
    if parts is None:
        parts = place.listed(now.known | (before.known if before else set())).parts()
    lists = await store.approved_lists(conn, sources, on, stage.value)
    return Situation(
        place,
        stage,
        standard,
        before.on if before is not None else None,
        _row(place, now, before, then),
        tuple(_row(part, now, before, then) for part in parts),
        tuple(one for one in lists if stage is Stage.OFFICIAL or one.year == on.year),
    )


async def _compared(conn: AsyncConnection, place: Place, sources: Collection[str]) -> Place | None:
    """The area on the year-end that its situation is compared with.

    When it did not exist then, what it was made from, if that was told; else None.
    """
    known = await store.horizon(conn, sources, place.on)
    return await _seen_on(
        conn, place, domain.compared_with(place.on, known.annual_year, known.first_day), sources
    )


async def _seen_on(conn: AsyncConnection, place: Place, day: date, sources: Collection[str]) -> Place | None:
    then = place.on_day(day)
    if then is None and {*sources} != {*place.codes} and await store.is_drawn(conn, day, place.geography):
        return place.seen_on(day)
    return then


async def _populations(
    conn: AsyncConnection, place: Place, areas: Collection[str]
) -> Mapping[str, Population]:
    """The denominators on the day of `place` by its units: for one that began later, of what it was made from."""
    if place.drawn is not None:
        found = await store.populations_drawn(conn, place.peopled, place.on, place.drawn)
        return {code: each for code, parts in found.items() if (each := domain.population_of(None, parts))}
    recorded = await store.populations(conn, areas, [place.on])
    begins = {unit.code: unit.valid_from for unit in (place.unit, *place.communes)}
    return {
        area: each
        for (area, _), each in recorded.items()
        if (first := begins.get(area)) is None or each.as_of >= first
    }


def _row(place: Place, now: Moment, before: Moment | None, compared: Place | None) -> Row:
    counts, population = now.over(place)
    then = None
    if before is not None and compared is not None:
        then = place.on_day(before.on) if compared.drawn is None else place.seen_on(before.on)
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
    same = population == earlier_population
    figures = {}
    for cls in HouseholdClass:
        count = counts[cls]
        before = earlier[cls] if earlier is not None else None
        change = (
            None
            if before is None
            else domain.rates_change(
                (count.households, households), (before.households, households_before), same=same
            )
        )
        figures[str(cls)] = Figure(
            count,
            domain.rate(count.households, households),
            domain.share(count.persons, persons),
            before,
            domain.percents(change),
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
    sources = await store.sources(conn, place.codes, place.geography)
    first = (await store.horizon(conn, sources, place.on)).first_day
    if first is None:
        return []
    ends = [domain.year_end(year) for year in range(place.on.year - years, place.on.year + 1)]
    days = [day for day in ends if first <= day <= place.on]
    if place.on not in days and first <= place.on:
        days.append(place.on)
    if place.drawn is not None and days:
        await check_told(conn, place, days[0])
    places = [then for day in days if (then := await _seen_on(conn, place, day, sources)) is not None]
    direct = [then for then in places if then.drawn is None]
    counted = await store.official_on_days(conn, [(then.on, then.codes) for then in direct], standard)
    by_day = {then.on: found for then, found in zip(direct, counted, strict=True)}
    points = []
    for then in places:
        found = by_day.get(then.on)
        if found is None:
            drawn = await store.official_on(conn, then.codes, then.on, then.geography, standard)
            found = domain.added(drawn.values())
        moment = Moment(then.on, {}, await _populations(conn, then, {then.unit.code, *then.codes}))
        points.append(Point(then.on, domain.added([found]), moment.over(then)[1]))
    return points


async def preliminary(conn: AsyncConnection, place: Place) -> Mapping[str, Count]:
    """Households by class of the area by the preliminary results of the year of its day; empty without any."""
    found = await store.preliminary(conn, place.codes, place.on.year, None, place.drawn)
    return domain.added(found.values()) if found else {}
