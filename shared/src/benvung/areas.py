"""Provinces, districts and communes, as they were on a date.

A unit is identified by its code *and* the day it began: nearly all commune codes were given again on
2025-07-01, most of them to other places, so every question names a date. Before that day communes lie in
districts, from it on in provinces. Source, licence and limits of the data: `data/areas.README.md`.
What was reorganised since is learnt while a service runs: see `benvung.reorganised`.
"""

import datetime as dt
import gzip
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import Any, ParamSpec, TypeVar, cast

COUNTRY = "VN"
_DAY = dt.timedelta(days=1)

FIRST_KNOWN = dt.date(2025, 7, 1)
"""Changes of communes before this day have no source: the data knows the units of the last day before it."""

_HEADER_LINES = 3  # source, where to read on, names of the columns
_CODE, _PARENT, _VALID_FROM = 0, 3, 5


class Level(StrEnum):
    COUNTRY = "COUNTRY"
    PROVINCE = "PROVINCE"
    DISTRICT = "DISTRICT"
    COMMUNE = "COMMUNE"


class AreaType(StrEnum):
    URBAN = "URBAN"
    RURAL = "RURAL"


@dataclass(frozen=True, slots=True)
class Unit:
    """An administrative unit during its life.

    `valid_from` is its first day, `None` when not recorded. `valid_to` is exclusive: the first day on which it
    no longer exists, `None` while it does. `area_type` is given for communes, where a source states it.
    `predecessors` are the codes of the units it was made from, whole or in part; their codes belong to the
    day before `valid_from`.
    """

    code: str
    name: str
    level: Level
    parent: str | None
    area_type: AreaType | None
    valid_from: dt.date | None
    valid_to: dt.date | None
    predecessors: tuple[str, ...]

    def exists(self, on: dt.date) -> bool:
        started = self.valid_from is None or self.valid_from <= on
        return started and (self.valid_to is None or on < self.valid_to)

    @property
    def is_waiting(self) -> bool:
        """Whether this is no commune but what is still to be assigned of a divided one.

        Such a unit begins on the day of the division, under its commune's code with a letter behind it.
        """
        return self.level is Level.COMMUNE and not self.code.isdigit()


@dataclass(frozen=True, slots=True)
class TypeOfArea:
    """The type of a commune from a day on, as a document states it; `valid_to` is exclusive, None = open."""

    commune: str
    area_type: AreaType
    valid_from: dt.date
    valid_to: dt.date | None

    def holds(self, on: dt.date) -> bool:
        """Whether it is this document's type on that day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True, slots=True)
class _Register:
    """The rows of the data file as one text, and where each begins, in the order of codes and of parents.

    As objects they would be the largest thing that a process keeps; a row becomes a unit when asked for.
    """

    text: bytes
    by_code: "array[int]"
    by_parent: "array[int]"

    def row(self, start: int) -> list[str]:
        """The columns of the row that begins there."""
        return self.text[start : self.text.index(b"\n", start)].decode().split(",")

    def rows(self, starts: "array[int]", column: int, value: str) -> Iterator[list[str]]:
        """The rows with this value in the column by which they are ordered."""
        at = bisect_left(starts, value, key=lambda start: self.row(start)[column])
        while at < len(starts) and (row := self.row(starts[at]))[column] == value:
            yield row
            at += 1


@dataclass(frozen=True, slots=True)
class _Learnt:
    """Units that are not, or not any more, as the data file has them, and the types of communes."""

    by_code: Mapping[str, tuple[Unit, ...]] = field(default_factory=dict)
    by_parent: Mapping[str, tuple[Unit, ...]] = field(default_factory=dict)
    instead: frozenset[tuple[str, dt.date | None]] = frozenset()
    types: Mapping[str, tuple[TypeOfArea, ...]] = field(default_factory=dict)


P = ParamSpec("P")
T = TypeVar("T")

_learnt = _Learnt()
_remembered: list[Any] = []


def remembered(maxsize: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep the newest answers of a function that rests on the administrative units, until these change."""

    def keep(function: Callable[P, T]) -> Callable[P, T]:
        kept: Any = lru_cache(maxsize=maxsize)(function)
        _remembered.append(kept)
        return cast(Callable[P, T], kept)

    return keep


def learn(units: Iterable[Unit], types: Iterable[TypeOfArea] = ()) -> None:
    """Take these units in place of those with their code and first day, or beside all others.

    What was learnt before is forgotten. Of two documents for one day the later one given holds.
    """
    global _learnt  # noqa: PLW0603 -- the process knows one set of units
    by_code: dict[str, tuple[Unit, ...]] = {}
    by_parent: dict[str, tuple[Unit, ...]] = {}
    for unit in units:
        by_code[unit.code] = (*by_code.get(unit.code, ()), unit)
        if unit.parent is not None:
            by_parent[unit.parent] = (*by_parent.get(unit.parent, ()), unit)
    stated: dict[str, tuple[TypeOfArea, ...]] = {}
    for each in types:
        stated[each.commune] = (each, *stated.get(each.commune, ()))
    instead = frozenset((unit.code, unit.valid_from) for found in by_code.values() for unit in found)
    _learnt = _Learnt(by_code, by_parent, instead, stated)
    for kept in _remembered:
        kept.cache_clear()


def find(code: str, on: dt.date) -> Unit | None:
    """The unit that had this code on that day; `None` when there was none."""
    known = _learnt
    units = _those(known, _of_code(code), known.by_code.get(code, ()))
    found = next((unit for unit in units if unit.exists(on)), None)
    return found if found is None or code not in known.types else _typed(found, known.types[code], on)


def identified(code: str, begins: dt.date | None) -> Unit | None:
    """The one unit that began on that day with this code; None = its beginning is not recorded."""
    units = _those(_learnt, _of_code(code), _learnt.by_code.get(code, ()))
    return next((unit for unit in units if unit.valid_from == begins), None)


def last(code: str, on: dt.date) -> Unit | None:
    """The unit that had this code on that day, or the last one that had it before."""
    known = _learnt
    found = find(code, on)
    if found is None:
        ended = [
            unit
            for unit in _those(known, _of_code(code), known.by_code.get(code, ()))
            if unit.valid_to is not None and unit.valid_to <= on
        ]
        latest = max(ended, key=lambda unit: unit.valid_to or on, default=None)
        found = None if latest is None or latest.valid_to is None else find(code, latest.valid_to - _DAY)
    return found


def _those(known: _Learnt, units: Iterable[Unit], learnt: Iterable[Unit]) -> Iterable[Unit]:
    yield from learnt
    for unit in units:
        if not known.instead or (unit.code, unit.valid_from) not in known.instead:
            yield unit


def _typed(unit: Unit, types: Iterable[TypeOfArea], on: dt.date) -> Unit:
    stated = next((each for each in types if each.holds(on)), None)
    return unit if stated is None else replace(unit, area_type=stated.area_type)


def children(code: str, on: dt.date) -> list[Unit]:
    """The units directly below, in the order of their codes; none for a commune or an unknown code."""
    if find(code, on) is None:
        return []
    known = _learnt
    listed = _those(known, _below(code), known.by_parent.get(code, ()))
    units = [unit for unit in listed if unit.exists(on)]
    if known.by_parent.get(code):
        units.sort(key=lambda unit: unit.code)
    return [
        unit if unit.code not in known.types else _typed(unit, known.types[unit.code], on) for unit in units
    ]


def communes_under(code: str, on: dt.date) -> list[Unit]:
    """All communes of an area on that day, in the order of their codes: a commune gives itself, "VN" all."""
    unit = find(code, on)
    if unit is None:
        return []
    if unit.level is Level.COMMUNE:
        return [unit]
    below = [commune for child in children(code, on) for commune in communes_under(child.code, on)]
    return sorted(below, key=lambda commune: commune.code)


def path(code: str, on: dt.date) -> list[Unit]:
    """The unit and those above it, from the province down; the country alone for "VN", none when unknown."""
    unit = find(code, on)
    if unit is None:
        return []
    if unit.parent is None or unit.parent == COUNTRY:
        return [unit]
    return [*path(unit.parent, on), unit]


def province_of(code: str, on: dt.date) -> Unit | None:
    """The province an area lies in on that day; `None` for the country and for an unknown code."""
    return next((unit for unit in path(code, on) if unit.level is Level.PROVINCE), None)


def starting(on: dt.date) -> list[Unit]:
    """The communes that began on that day, in the order of their codes, by all that is known."""
    known = _learnt
    codes = sorted({*_beginning(on), *known.by_code})
    found = (unit for code in codes for unit in _those(known, _of_code(code), known.by_code.get(code, ())))
    return [unit for unit in found if unit.level is Level.COMMUNE and unit.valid_from == on]


def successors(unit: Unit) -> tuple[Unit, ...]:
    """The communes that this one became, in whole or in part; none while it exists."""
    return () if unit.valid_to is None else _successors(unit.valid_to).get(unit.code, ())


def became(unit: Unit, on: dt.date) -> list[Unit]:
    """The communes of a day that an earlier commune became, in whole or in part, through all changes between."""
    if unit.exists(on):
        return [unit]
    found = {each.code: each for next_one in successors(unit) for each in became(next_one, on)}
    return [found[code] for code in sorted(found)]


@remembered(maxsize=256)
def wholly_in(codes: tuple[str, ...], on: dt.date) -> frozenset[Unit]:
    """The units, of that day and of earlier ones, of which nothing is outside these areas of that day.

    An earlier unit is inside when all that its communes became is: of a divided one, every part has to be.
    """
    found = {unit for code in codes if (named := find(code, on)) for unit in _at_or_below(named, on)}
    inside = frozenset(unit.code for unit in found if unit.level is Level.COMMUNE)
    asked, waiting = set(found), [near for unit in found for near in _near(unit, on)]
    while waiting:
        unit = waiting.pop()
        if unit not in asked and _is_in(unit, inside, on):
            found.add(unit)
            waiting += _near(unit, on)
        asked.add(unit)
    return frozenset(found)


def _at_or_below(unit: Unit, on: dt.date) -> list[Unit]:
    below = (each for child in children(unit.code, on) for each in _at_or_below(child, on))
    return [unit, *below]


def _is_in(unit: Unit, inside: frozenset[str], on: dt.date) -> bool:
    now = _communes_now(unit, on)
    return now is not None and inside.issuperset(each.code for each in now)


def _communes_now(unit: Unit, on: dt.date) -> list[Unit] | None:
    """The communes of a day in which a unit's are then; None when of one of them it is not known."""
    now = [became(part, on) for part in _communes_of(unit, on) or [unit]]
    return [each for parts in now for each in parts] if all(now) else None


def now_of(unit: Unit, on: dt.date) -> list[Unit]:
    """The units of a day that an earlier one, of any level, is since: provinces of a province, else communes."""
    if unit.exists(on):
        return [unit]
    found = {each.code: each for each in _communes_now(unit, on) or ()}
    if unit.level is Level.PROVINCE:
        above = (province_of(code, on) for code in found)
        found = {each.code: each for each in above if each is not None}
    return [found[code] for code in sorted(found)]


def was_of(unit: Unit, on: dt.date) -> list[Unit]:
    """The units of an earlier day that this one was made from, in whole or in part; itself if it existed."""
    if unit.exists(on):
        return [unit]
    if unit.valid_from is None or unit.valid_from <= on:
        return []
    day = unit.valid_from - _DAY
    before = (made for code in unit.predecessors if (made := find(code, day)) is not None)
    found = {each.code: each for one in before for each in was_of(one, on)}
    return [found[code] for code in sorted(found)]


def _last_day(unit: Unit, on: dt.date) -> dt.date:
    """That day, or the last one of a unit that was no more by then."""
    return on if unit.valid_to is None or on < unit.valid_to else unit.valid_to - _DAY


def _communes_of(unit: Unit, on: dt.date) -> list[Unit]:
    return [each for each in communes_under(unit.code, _last_day(unit, on)) if not each.is_waiting]


def _near(unit: Unit, on: dt.date) -> list[Unit]:
    """What a unit was made from, and what it lies or lay in."""
    before = []
    if unit.valid_from is not None:
        day = unit.valid_from - _DAY
        before = [found for code in unit.predecessors if (found := find(code, day)) is not None]
    return [*before, *path(unit.code, _last_day(unit, on))[:-1]]


@remembered(maxsize=64)
def _successors(day: dt.date) -> dict[str, tuple[Unit, ...]]:
    found: dict[str, tuple[Unit, ...]] = {}
    for unit in starting(day):
        for code in () if unit.is_waiting else unit.predecessors:
            found[code] = (*found.get(code, ()), unit)
    return found


@cache
def _register() -> _Register:
    """All rows, read once per process, at the first question."""
    data = resources.files("benvung") / "data" / "areas.csv.gz"
    text = gzip.decompress(data.read_bytes())
    starts, end = [], 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        if number >= _HEADER_LINES:
            starts.append(end)
        end += len(line)
    register = _Register(text, array("I"), array("I"))
    for ordered, column in ((register.by_code, _CODE), (register.by_parent, _PARENT)):
        ordered.extend(sorted(starts, key=lambda start: register.row(start)[column]))
    return register


@lru_cache(maxsize=20_000)
def _of_code(code: str) -> tuple[Unit, ...]:
    register = _register()
    return tuple(map(_unit, register.rows(register.by_code, _CODE, code)))


@lru_cache(maxsize=2_000)
def _below(parent: str) -> tuple[Unit, ...]:
    register = _register()
    codes = [row[_CODE] for row in register.rows(register.by_parent, _PARENT, parent)]
    return tuple(unit for code in dict.fromkeys(codes) for unit in _of_code(code) if unit.parent == parent)


def _beginning(on: dt.date) -> list[str]:
    register, day = _register(), on.isoformat()
    return [row[_CODE] for row in map(register.row, register.by_code) if row[_VALID_FROM] == day]


def _unit(row: Sequence[str]) -> Unit:
    code, name, level, parent, area_type, valid_from, valid_to, predecessors = row
    return Unit(
        sys.intern(code),
        name,
        Level(level),
        sys.intern(parent) if parent else None,
        AreaType(area_type) if area_type else None,
        _day(valid_from),
        _day(valid_to),
        tuple(map(sys.intern, predecessors.split())),
    )


@cache
def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
