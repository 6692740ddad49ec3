"""Provinces, districts and communes, as they were on a date.

A unit is identified by its code *and* the day it began: nearly all commune codes were given again on
2025-07-01, most of them to other places, so every question names a date. Before that day communes lie in
districts, from it on in provinces. Source, licence and limits of the data: `data/areas.README.md`.
"""

import datetime as dt
import gzip
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

COUNTRY = "VN"

_HEADER_LINES = 3  # source, where to read on, names of the columns


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


@dataclass(frozen=True, slots=True)
class _Register:
    """The rows of the data file as they stand, by code and by parent; a row becomes a unit when asked for."""

    by_code: dict[str, list[str]]
    by_parent: dict[str, list[str]]


def find(code: str, on: dt.date) -> Unit | None:
    """The unit that had this code on that day; `None` when there was none."""
    units = map(_unit, _register().by_code.get(code, ()))
    return next((unit for unit in units if unit.exists(on)), None)


def children(code: str, on: dt.date) -> list[Unit]:
    """The units directly below, in the order of their codes; none for a commune or an unknown code."""
    if find(code, on) is None:
        return []
    units = map(_unit, _register().by_parent.get(code, ()))
    return [unit for unit in units if unit.exists(on)]


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


@cache
def _register() -> _Register:
    """All rows, read once per process, at the first question."""
    data = resources.files("benvung") / "data" / "areas.csv.gz"
    lines = gzip.decompress(data.read_bytes()).decode().splitlines()
    register = _Register({}, {})
    for row in lines[_HEADER_LINES:]:
        code, _, _, parent, _ = row.split(",", 4)
        register.by_code.setdefault(sys.intern(code), []).append(row)
        register.by_parent.setdefault(parent, []).append(row)
    return register


@cache
def _unit(row: str) -> Unit:
    code, name, level, parent, area_type, valid_from, valid_to, predecessors = row.split(",")
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
