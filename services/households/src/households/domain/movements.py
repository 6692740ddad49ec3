"""Forms 7.2 and 7.3: how the lists of the poor and near-poor changed in a year, in households and persons.

The booking rule: when the number of members changes while a household is on a list, the difference is booked
first, on the list of its previous class (persons only: more in column 8, fewer in column 4); the movement
itself is then booked with the new number of members in both forms. So every row closes and the columns that
the two forms share are equal, in households and in persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from households.domain.terms import HouseholdClass, Movement


class Form(StrEnum):
    """The two movement forms of Circular 07/2021/TT-BLĐTBXH."""

    F7_2 = "7.2"
    F7_3 = "7.3"


class Measure(StrEnum):
    """Each area has two rows: households and persons."""

    HOUSEHOLDS = "HOUSEHOLDS"
    PERSONS = "PERSONS"


class FactKind(StrEnum):
    """What happened: an official decision, or a change of place or existence."""

    DECISION = "DECISION"
    ARRIVED = "ARRIVED"
    LEFT = "LEFT"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Fact:
    """One official decision or change of one household, as its event tells it.

    `area` is the place of the event (for LEFT the old place, for ARRIVED the new), `on` the day from which it
    holds, `order` its sequence. `household_class` is the class after it, None after LEFT and CLOSED.
    `members` is the number after it; for LEFT and CLOSED the number that leaves.
    """

    household_id: UUID
    area: str
    order: int
    on: date
    kind: FactKind
    household_class: HouseholdClass | None
    members: int
    previous_class: HouseholdClass | None
    previous_members: int | None
    movement: Movement | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a form: columns 1 to 9. None marks a column left blank, which is a fault, not a zero."""

    form: Form
    area: str
    measure: Measure
    columns: tuple[int | None, ...]

    def column(self, number: int) -> int | None:
        return self.columns[number - 1]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form: where, which rule, what was expected, what stands there, the difference."""

    rule: str
    form: Form
    area: str
    measure: Measure
    column: int
    expected: int
    found: int | None
    message_vi: str

    @property
    def difference(self) -> int | None:
        return None if self.found is None else self.found - self.expected


TOTAL = "TOTAL"
"""The area of the row that sums all areas of a table."""


@dataclass(frozen=True, slots=True)
class MovementTable:
    """Both forms of a year: a row per (form, area, measure), the sum under area TOTAL, and the faults."""

    year: int
    rows: Mapping[tuple[Form, str, Measure], Row]
    faults: Sequence[Fault] = field(default=())

    def row(self, form: Form, area: str, measure: Measure) -> Row:
        return self.rows[form, area, measure]

    @property
    def areas(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(area for _, area, _ in self.rows))


def movement_table(facts: Iterable[Fact], year: int) -> MovementTable:
    """Forms 7.2 and 7.3 of `year` from all facts up to its end. Later facts are ignored.

    Column 1 is the list as at 31 December of the year before; column 9 is counted from the facts, not
    computed, so that a row that does not close shows as a fault.
    """
    raise NotImplementedError


def check(rows: Iterable[Row], previous: Iterable[Row] = ()) -> list[Fault]:
    """Name the faults of filled forms, our own or imported ones.

    Rules: `column-missing`, `column-negative`, `row-does-not-close` (9 = 1−2−3−4+5+6+7+8), `forms-differ`
    (7.2 column 2 = 7.3 column 5, 7.2 column 5 = 7.3 column 3), `start-differs-from-last-end` (column 1 against
    column 9 of `previous`, the rows of the year before).
    """
    raise NotImplementedError
