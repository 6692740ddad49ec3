"""Forms 7.2 and 7.3: how the lists of the poor and near-poor changed in a year, in households and persons.

The booking rule: when the number of members changes while a household is on a list, the difference is booked
first, on the list of its previous class (persons only: more in column 8, fewer in column 4); the movement
itself is then booked with the new number of members in both forms. So every row closes and the columns that
the two forms share are equal, in households and in persons.
"""

from __future__ import annotations

from collections import Counter
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
    first, last = date(year, 1, 1), date(year, 12, 31)
    known = sorted((f for f in facts if f.on <= last), key=lambda f: f.order)
    areas = sorted({fact.area for fact in known})
    counts = _Counts(areas)
    counts.add_list(1, (f for f in known if f.on < first))
    counts.add_list(9, known)
    for fact in known:
        if fact.on >= first:
            counts.book(fact)
    rows = counts.rows()
    return MovementTable(year, rows, check(rows.values()))


def check(rows: Iterable[Row], previous: Iterable[Row] = ()) -> list[Fault]:
    """Name the faults of filled forms, our own or imported ones.

    Rules: `column-missing`, `column-negative`, `row-does-not-close` (9 = 1−2−3−4+5+6+7+8), `forms-differ`
    (7.2 column 2 = 7.3 column 5, 7.2 column 5 = 7.3 column 3), `start-differs-from-last-end` (column 1 against
    column 9 of `previous`, the rows of the year before).
    """
    by_key = {(row.form, row.area, row.measure): row for row in rows}
    ends = {(row.form, row.area, row.measure): row.column(9) for row in previous}
    faults: list[Fault] = []
    for key, row in by_key.items():
        faults += _row_faults(row)
        end = ends.get(key)
        if end is not None and row.column(1) is not None and row.column(1) != end:
            faults.append(_fault("start-differs-from-last-end", row, 1, end))
        if row.form is Form.F7_2:
            faults += _differences(row, by_key.get((Form.F7_3, row.area, row.measure)))
    return faults


_Cell = tuple[Form, int]

_BOOKED: Mapping[Movement, tuple[_Cell, ...]] = {
    Movement.ESCAPED_TO_NEAR_POOR: ((Form.F7_2, 2), (Form.F7_3, 5)),
    Movement.ESCAPED_ABOVE_NEAR_POOR: ((Form.F7_2, 3),),
    Movement.OTHER_DECREASE_POOR: ((Form.F7_2, 4),),
    Movement.NEAR_POOR_TO_POOR: ((Form.F7_2, 5), (Form.F7_3, 3)),
    Movement.RELAPSE_POOR: ((Form.F7_2, 6),),
    Movement.NEW_POOR: ((Form.F7_2, 7),),
    Movement.OTHER_INCREASE_POOR: ((Form.F7_2, 8),),
    Movement.ESCAPED_NEAR_POOR: ((Form.F7_3, 2),),
    Movement.OTHER_DECREASE_NEAR_POOR: ((Form.F7_3, 4),),
    Movement.RELAPSE_NEAR_POOR: ((Form.F7_3, 6),),
    Movement.NEW_NEAR_POOR: ((Form.F7_3, 7),),
    Movement.OTHER_INCREASE_NEAR_POOR: ((Form.F7_3, 8),),
}
"""The column or columns in which each movement stands."""

_FORM_OF = {HouseholdClass.POOR: Form.F7_2, HouseholdClass.NEAR_POOR: Form.F7_3}
_MEASURES = (Measure.HOUSEHOLDS, Measure.PERSONS)
_SHARED = ((2, 5), (5, 3))
"""Columns of 7.2 and the columns of 7.3 that hold the same households."""


class _Counts:
    """Adds facts up into both forms of all areas."""

    def __init__(self, areas: Sequence[str]) -> None:
        self._areas = areas
        self._sums: Counter[tuple[Form, str, Measure, int]] = Counter()

    def add(self, cell: _Cell, area: str, households: int, persons: int) -> None:
        form, column = cell
        self._sums[form, area, Measure.HOUSEHOLDS, column] += households
        self._sums[form, area, Measure.PERSONS, column] += persons

    def add_list(self, column: int, facts: Iterable[Fact]) -> None:
        """The list that these facts, in order, end in."""
        newest: dict[UUID, Fact] = {fact.household_id: fact for fact in facts}
        for fact in newest.values():
            form = _FORM_OF.get(fact.household_class) if fact.household_class else None
            if form:
                self.add((form, column), fact.area, 1, fact.members)

    def book(self, fact: Fact) -> None:
        """One fact of the year: first the change of members, then the movement."""
        form = _FORM_OF.get(fact.previous_class) if fact.previous_class else None
        if form and fact.kind is FactKind.DECISION and fact.previous_members is not None:
            more = fact.members - fact.previous_members
            if more:
                self.add((form, 8 if more > 0 else 4), fact.area, 0, abs(more))
        for cell in _BOOKED[fact.movement] if fact.movement else ():
            self.add(cell, fact.area, 1, fact.members)

    def rows(self) -> dict[tuple[Form, str, Measure], Row]:
        rows = {}
        for form in Form:
            for area in self._areas:
                for measure in _MEASURES:
                    columns = tuple(self._sums[form, area, measure, n] for n in range(1, 10))
                    rows[form, area, measure] = Row(form, area, measure, columns)
            for measure in _MEASURES:
                columns = tuple(
                    sum(self._sums[form, area, measure, n] for area in self._areas) for n in range(1, 10)
                )
                rows[form, TOTAL, measure] = Row(form, TOTAL, measure, columns)
        return rows


def _row_faults(row: Row) -> list[Fault]:
    missing = [n for n, value in enumerate(row.columns, start=1) if value is None]
    if missing:
        return [_fault("column-missing", row, n, 0) for n in missing]
    values = [value or 0 for value in row.columns]
    faults = [_fault("column-negative", row, n, 0) for n, v in enumerate(values, start=1) if v < 0]
    c1, c2, c3, c4, c5, c6, c7, c8, c9 = values
    end = c1 - c2 - c3 - c4 + c5 + c6 + c7 + c8
    if end != c9:
        faults.append(_fault("row-does-not-close", row, 9, end))
    return faults


def _differences(poor: Row, near: Row | None) -> list[Fault]:
    faults = []
    for column, other in _SHARED if near else ():
        mine, theirs = poor.column(column), near.column(other) if near else None
        if mine is not None and theirs is not None and mine != theirs:
            faults.append(_fault("forms-differ", poor, column, theirs))
    return faults


_WORDS = {
    "column-missing": "cột để trống, phải ghi số (kể cả số 0)",
    "column-negative": "số âm",
    "row-does-not-close": "không khớp công thức 9 = 1−2−3−4+5+6+7+8",
    "forms-differ": "không khớp giữa biểu 7.2 và biểu 7.3",
    "start-differs-from-last-end": "số đầu năm khác số cuối năm trước",
}


def _fault(rule: str, row: Row, column: int, expected: int) -> Fault:
    found = row.column(column)
    measure = "hộ" if row.measure is Measure.HOUSEHOLDS else "nhân khẩu"
    difference = "" if found is None else f": phải là {expected}, ghi {found}, chênh {found - expected:+d}"
    message = f"Biểu {row.form}, {row.area}, {measure}, cột {column}: {_WORDS[rule]}{difference}."
    return Fault(rule, row.form, row.area, row.measure, column, expected, found, message)
