"""What a page shows: an area on a day by the units of that day or of today, and the addresses that keep it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from benvung import areas, clock
from benvung.areas import Level, Unit
from benvung.auth import OutsideArea, Principal, require
from reporting.actions import places
from reporting.actions.places import Place
from reporting.api.asked import FIRST_DAY, LAST_DAY, place_of_year
from reporting.domain import year_end

Officer = Annotated[Principal, Depends(require("reports.read"))]
Code = Annotated[str, Query(max_length=6)]
Day = Annotated[str, Query(max_length=10)]
Word = Annotated[str, Query(max_length=10)]
AskedYear = Annotated[int, Query(ge=FIRST_DAY.year, le=LAST_DAY.year)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page shows: an area on a day. `fixed` says that the day was chosen, not today.

    `by_now`: by the units of today, whatever the day. `year` is the year of the movement forms, 0 elsewhere.
    """

    place: Place
    fixed: bool
    by_now: bool = False
    year: int = 0

    @property
    def seen(self) -> str:
        """The day whose units the page offers to choose from."""
        return self.place.geography.isoformat()

    def address(self, path: str, unit: Unit | None = None, **more: str) -> str:
        """An address that keeps the area, the day if it was chosen, and the geography."""
        asked = {"area": (unit or self.place.unit).code}
        if self.year:
            asked["year"] = str(self.year)
        elif self.fixed:
            asked["on"] = self.place.on.isoformat()
        if self.by_now:
            asked["geography"] = "now"
        return f"{path}?{urlencode({**asked, **more})}"

    def elsewhere(self, path: str) -> str:
        """An address of another page, which has a day of its own: it finds there what this area was."""
        return replace(self, fixed=self.place.on != clock.today(), year=0).address(path, seen=self.seen)


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two geographies: whether it is shown, the units that the area is by it, their addresses.

    `hidden` are the names of those that are not wholly the officer's to look at.
    """

    name: str
    current: bool
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]


def switch(principal: Principal, shown: Asked, path: str) -> list[Way]:
    """The two geographies between which one may choose; nothing where they are the same."""
    place = shown.place
    if not place.differs:
        return []
    drawn = place.drawn is not None
    ways = []
    for name, current, units, day in (
        ("then", not drawn, place.then, place.on),
        ("now", drawn, place.now, clock.today()),
    ):
        to = replace(shown, by_now=name == "now")
        open_to = [unit for unit in units if places.may_ask(principal, unit, day)]
        links = tuple((unit.name, to.address(path, unit)) for unit in open_to)
        ways.append(Way(name, current, links, tuple(unit.name for unit in units if unit not in open_to)))
    return ways


def asked(
    *,
    request: Request,
    principal: Officer,
    area: Code = "",
    on: Day = "",
    geography: Word = "",
    seen: Day = "",
) -> Asked:
    """The area and day of a page: what is asked for, else the officer's own area, today."""
    today = clock.today()
    day = _day(on) or today
    code, by_now = _meant(request, principal, (area, _day(seen)), day, by_now=geography == "now")
    drawn = today if by_now and day < today else None
    return Asked(places.place(principal, code, day, drawn), fixed=bool(on), by_now=by_now)


def asked_of_year(
    *,
    request: Request,
    principal: Officer,
    area: Code = "",
    on: Day = "",
    year: AskedYear | None = None,
    geography: Word = "",
    seen: Day = "",
) -> Asked:
    """The area and year of the movement forms; the last year that has ended unless another is asked for."""
    today = clock.today()
    day = min(_day(on) or today, today)
    chosen = year or max(day.year if day == year_end(day.year) else day.year - 1, FIRST_DAY.year)
    end = min(year_end(chosen), max(today, date(chosen, 1, 1)))
    code, by_now = _meant(request, principal, (area, _day(seen)), end, by_now=geography == "now")
    place = place_of_year(principal, code, chosen, "now" if by_now else "then")
    return Asked(place, fixed=False, by_now=by_now, year=chosen)


def _day(given: str) -> date | None:
    try:
        return min(max(date.fromisoformat(given), FIRST_DAY), LAST_DAY)
    except ValueError:
        return None


def _meant(
    request: Request, principal: Principal, chosen: tuple[str, date | None], on: date, *, by_now: bool
) -> tuple[str, bool]:
    area, seen = chosen
    if not area:
        area, seen = own_area(principal, str(request.app.state.settings.province)), clock.today()
    return (area, by_now) if seen is None else places.meant(area, seen, on, by_now=by_now)


def own_area(principal: Principal, province: str) -> str:
    """Where an officer's page begins: the own area, and for the whole country this deployment's province."""
    own = places.own_areas(principal)
    if not own:
        raise OutsideArea
    if own[0].level is Level.COUNTRY and areas.find(province, clock.today()) is not None:
        return province
    return own[0].code


Shown = Annotated[Asked, Depends(asked)]
ShownYear = Annotated[Asked, Depends(asked_of_year)]
