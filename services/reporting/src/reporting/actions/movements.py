"""The movement forms of an area and year, with every check they fail."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.areas import Unit
from reporting import domain, forms, store
from reporting.actions.geographies import check_told
from reporting.actions.places import Place, grouped
from reporting.domain import Booked, Count, Fault, Form, Line

TOTAL = "TOTAL"


@dataclass(frozen=True, slots=True)
class Group:
    """The communes of one kind (URBAN, RURAL, UNKNOWN), each with its line, and their sum."""

    kind: str
    lines: tuple[tuple[Unit, Line], ...]
    total: Line


@dataclass(frozen=True, slots=True)
class FilledForm:
    """One form: its groups I and II, and the total III."""

    form: Form
    groups: tuple[Group, ...]
    total: Line


@dataclass(frozen=True, slots=True)
class Movements:
    """Both movement forms of a year, and their faults; `area` of a fault is a commune's code or TOTAL."""

    place: Place
    year: int
    forms: tuple[FilledForm, ...]
    faults: tuple[Fault, ...]


async def movements(conn: AsyncConnection, place: Place, year: int) -> Movements:
    """Forms 7.2 and 7.3 of `year` for each commune of the area, grouped as the circular has them."""
    await check_told(conn, place, domain.year_end(year - 1))
    booked = await store.booked(conn, place.codes, year, place.geography)
    place = place.listed({code for code, what in booked.items() if not _empty(what)})
    lines = {
        form.code: {code: domain.filled(form, booked[code]) for code in place.codes}
        for form in forms.movement_forms()
    }
    filled = tuple(_filled(form, place, lines[form.code]) for form in forms.movement_forms())
    checked = {one.form.code: lines[one.form.code] | {TOTAL: one.total} for one in filled}
    return Movements(place, year, filled, tuple(domain.faults([one.form for one in filled], checked)))


def _empty(booked: Booked) -> bool:
    lists = (*booked.start.values(), *booked.end.values())
    return not booked.movements and not any(count != Count() for count in lists)


def _filled(form: Form, place: Place, lines: dict[str, Line]) -> FilledForm:
    width = len(form.columns)
    groups = tuple(
        Group(
            kind,
            tuple((unit, lines[unit.code]) for unit in units),
            domain.total_line([lines[unit.code] for unit in units], width),
        )
        for kind, units in grouped(place.communes)
    )
    return FilledForm(form, groups, domain.total_line(list(lines.values()), width))
