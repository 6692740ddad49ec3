"""The named lists of a commune: which households stand in them, in which columns, and what for they are taken away."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from households.domain.identity import Sex
from households.domain.lists import code_list
from households.domain.persons import Member, has_merit
from households.domain.terms import HouseholdClass, ListStatus, Movement


class OfficialList(StrEnum):
    """The lists that a commune's chair recognises by decision."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    ESCAPED_POOR = "ESCAPED_POOR"
    ESCAPED_NEAR_POOR = "ESCAPED_NEAR_POOR"
    AVERAGE_LIVING = "AVERAGE_LIVING"


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of a list; without a `field` it is filled in by hand."""

    no: str
    vi: str
    width: int
    group: str = ""
    field: str | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class ListLayout:
    """A list's title and columns; `classes` or `movements` say who stands in it."""

    code: OfficialList
    vi: str
    en: str
    classes: tuple[HouseholdClass, ...]
    movements: tuple[Movement, ...]
    columns: tuple[ListColumn, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A household as a list shows it. `movement` is the one by which it came into its class, or escaped."""

    head_name: str
    village: str
    members: Sequence[Member]
    indigenous: bool | None
    since: date | None
    movement: Movement | None


_RELAPSES = frozenset({Movement.RELAPSE_POOR, Movement.RELAPSE_NEAR_POOR})
_NEW = frozenset(
    {Movement.NEW_POOR, Movement.NEW_NEAR_POOR, Movement.NEAR_POOR_TO_POOR, Movement.ESCAPED_TO_NEAR_POOR}
)


def list_status(listed: Listed, on: date) -> ListStatus:
    """How a household stands in the list of the year: new or relapsed in it, otherwise old."""
    in_the_year = listed.since is not None and listed.since.year == on.year
    if in_the_year and listed.movement in _RELAPSES:
        return ListStatus.LIST_RELAPSE
    if in_the_year and listed.movement in _NEW:
        return ListStatus.LIST_NEW
    return ListStatus.LIST_OLD


def rows_of(
    layout: ListLayout, listed: Listed, number: int, on: date, *, sensitive: bool
) -> list[list[str | int]]:
    """The rows of one household: the head's first, then those of the other members in the order of entering."""
    members = sorted(listed.members, key=lambda member: not member.is_head)
    people: list[Member | None] = [*members] or [None]
    rows = []
    for at, person in enumerate(people, start=1):
        values = _person(listed, person, at)
        if at == 1:
            values |= _household(listed, number, on)
        rows.append([_cell(column, values, sensitive=sensitive) for column in layout.columns])
    return rows


def _cell(column: ListColumn, values: Mapping[str, str | int], *, sensitive: bool) -> str | int:
    if column.field is None or (column.sensitive and not sensitive):
        return ""
    return values.get(column.field, "")


def _person(listed: Listed, person: Member | None, at: int) -> dict[str, str | int]:
    if person is None:
        return {"member_no": at, "name": f"{listed.head_name}; {listed.village}"}
    born = "born_male" if person.sex is Sex.MALE else "born_female"
    values: dict[str, str | int] = {
        "member_no": at,
        "name": f"{person.name}; {listed.village}" if at == 1 else person.name,
        born: person.birth.year,
        "relation": code_list("relation").label(person.relation),
    }
    if person.ethnicity is not None:
        values["ethnicity"] = code_list("ethnicity").label(person.ethnicity)
    return values


def _household(listed: Listed, number: int, on: date) -> dict[str, str | int]:
    values: dict[str, str | int] = {"household_no": number, list_status(listed, on).lower(): "x"}
    if listed.since is not None:
        values["since"] = f"{listed.since:%d/%m/%Y}"
    if listed.indigenous:
        values["indigenous"] = "x"
    if listed.members and has_merit(listed.members):
        values["merit"] = "x"
    if listed.movement is Movement.ESCAPED_TO_NEAR_POOR:
        values["escaped_to_near"] = "x"
    if listed.movement is Movement.ESCAPED_ABOVE_NEAR_POOR:
        values["escaped_above"] = "x"
    return values


@cache
def layout_of(code: OfficialList) -> ListLayout:
    """The layout of a list."""
    raw = _data()["lists"][code]
    words = raw.get("words", {})
    return ListLayout(
        code,
        raw["vi"],
        raw["en"],
        tuple(map(HouseholdClass, raw.get("classes", ()))),
        tuple(map(Movement, raw.get("movements", ()))),
        tuple(_column(_data()["columns"][name], words) for name in raw["columns"]),
        raw["source"],
    )


def _column(raw: Mapping[str, Any], words: Mapping[str, str]) -> ListColumn:
    def filled(text: str) -> str:
        return words.get(text.strip("{}"), text) if text.startswith("{") else text

    return ListColumn(
        filled(raw["no"]),
        filled(raw["vi"]),
        raw["width"],
        filled(raw.get("group", "")),
        raw.get("field"),
        raw.get("sensitive", False),
    )


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("households") / "data" / "official_lists.toml").read_text("utf-8"))
