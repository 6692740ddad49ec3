"""Checking figures of forms 7.1, 7.2 and 7.3 that somebody else filled in: every fault is named, none is mended.

The columns and their formulas are data. What is checked: every column is a number (a blank is a fault, not a
zero); each formula of a row; the columns that two forms share; the beginning against the end of the year
before; and, where it is asked for, the register's own figures.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from households.domain.movements import TOTAL, Form, Measure, Row
from households.domain.terms import Refused

SUMMARY = "7.1"


@dataclass(frozen=True, slots=True)
class FormColumn:
    """A column of a form as the circular has it."""

    form: str
    number: int
    vi: str
    formula: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row as it was given: of a form, an area, households or persons; None where a column is blank.

    Form 7.1 has households and persons in one row, whose `measure` is None.
    """

    form: str
    area: str
    measure: Measure | None
    columns: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class GivenFault:
    """What is wrong: where, by which rule, what it should be, what was given."""

    rule: str
    form: str
    area: str
    measure: Measure | None
    column: int
    expected: int | None
    given: int | None
    message_vi: str
    message_en: str

    @property
    def difference(self) -> int | None:
        """Given less expected; None where one of them is not known."""
        return None if self.given is None or self.expected is None else self.given - self.expected


@cache
def form_columns() -> Mapping[tuple[str, int], FormColumn]:
    """The columns of all forms, by form and number."""
    text = (resources.files("households") / "data" / "movements" / "columns.csv").read_text("utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        parts = [row["group_vi"], row["label_vi"]]
        column = FormColumn(
            row["form"],
            int(row["column"]),
            " / ".join(part for part in parts if part),
            row["formula"],
            row["source"],
            row["confidence"],
        )
        found[column.form, column.number] = column
    return found


def check_given(
    rows: Sequence[GivenRow], previous: Iterable[GivenRow] = (), register: Iterable[Row] = ()
) -> list[GivenFault]:
    """All faults of the figures given, in the order of the rows. Raises `Refused` for what is no row of a form."""
    table = _by_key(rows)
    ends = _by_key(tuple(previous))
    known = {(row.form.value, row.area, row.measure): row for row in register}
    faults: list[GivenFault] = []
    for row in rows:
        faults += _blank_or_negative(row)
        faults += _sums(row)
        faults += _shared(row, table)
        faults += _beginning(row, ends)
        faults += _against(row, known)
    return faults + _totals(rows)


_Key = tuple[str, str, Measure | None]


def _by_key(rows: Sequence[GivenRow]) -> dict[_Key, GivenRow]:
    found: dict[_Key, GivenRow] = {}
    for row in rows:
        numbers = {number for form, number in form_columns() if form == row.form}
        strange = sorted(set(row.columns) - numbers)
        if not numbers or strange or (row.measure is None) != (row.form == SUMMARY):
            raise Refused(
                "form-row-unknown",
                f"Biểu {row.form}, {row.area}: không có biểu, dòng hoặc cột này ({strange}).",
                f"Form {row.form}, {row.area}: there is no such form, row or column ({strange}).",
                "rows",
            )
        key = (row.form, row.area, row.measure)
        if key in found:
            raise Refused(
                "form-row-twice",
                f"Biểu {row.form}, {row.area}: một dòng được ghi hai lần.",
                f"Form {row.form}, {row.area}: a row is given twice.",
                "rows",
            )
        found[key] = row
    return found


def _counted(form: str) -> list[FormColumn]:
    """The columns that hold numbers of households or persons; shares follow from them."""
    return [each for each in form_columns().values() if each.form == form and "/" not in each.formula]


def _blank_or_negative(row: GivenRow) -> Iterator[GivenFault]:
    for column in _counted(row.form):
        value = row.columns.get(column.number)
        if value is None:
            yield _fault("column-missing", row, column.number, None)
        elif value < 0:
            yield _fault("column-negative", row, column.number, None)


def _sums(row: GivenRow) -> Iterator[GivenFault]:
    for column in _counted(row.form):
        if not re.fullmatch(r"\d+([+-]\d+)+", column.formula):
            continue
        terms = [
            (-1 if sign == "-" else 1, row.columns.get(int(number)))
            for sign, number in re.findall(r"([+-]?)(\d+)", column.formula)
        ]
        given = row.columns.get(column.number)
        if given is None or any(value is None for _, value in terms):
            continue
        expected = sum(sign * (value or 0) for sign, value in terms)
        if given != expected:
            yield _fault("row-does-not-close", row, column.number, expected)


_SUMMED_UP = {
    (Form.F7_2, Measure.HOUSEHOLDS): 3,
    (Form.F7_2, Measure.PERSONS): 5,
    (Form.F7_3, Measure.HOUSEHOLDS): 7,
    (Form.F7_3, Measure.PERSONS): 9,
}
"""The columns of form 7.1 that are the ends of the movement forms."""


def _shared(row: GivenRow, table: Mapping[_Key, GivenRow]) -> Iterator[GivenFault]:
    for column in _counted(row.form):
        named = re.fullmatch(r"= col (\d+) of (\S+)", column.formula)
        if named:
            other = table.get((named[2], row.area, row.measure))
            yield from _differs("forms-differ", row, column.number, other, int(named[1]))
    if row.form == SUMMARY:
        for (form, measure), number in _SUMMED_UP.items():
            yield from _differs("forms-differ", row, number, table.get((form.value, row.area, measure)), 9)


def _differs(
    rule: str, row: GivenRow, number: int, other: GivenRow | None, theirs: int
) -> Iterator[GivenFault]:
    expected = None if other is None else other.columns.get(theirs)
    given = row.columns.get(number)
    if expected is not None and given is not None and given != expected:
        yield _fault(rule, row, number, expected)


def _beginning(row: GivenRow, ends: Mapping[_Key, GivenRow]) -> Iterator[GivenFault]:
    if row.form != SUMMARY:
        before = ends.get((row.form, row.area, row.measure))
        yield from _differs("start-differs-from-last-end", row, 1, before, 9)


def _against(row: GivenRow, known: Mapping[tuple[str, str, Measure], Row]) -> Iterator[GivenFault]:
    found = known.get((row.form, row.area, row.measure)) if row.measure else None
    for number, expected in enumerate(found.columns if found else (), start=1):
        given = row.columns.get(number)
        if given is not None and given != expected:
            yield _fault("differs-from-register", row, number, expected)


def _totals(rows: Sequence[GivenRow]) -> list[GivenFault]:
    """The row of the total against the sum of its areas, where both are given."""
    faults = []
    for row in rows:
        if row.area != TOTAL:
            continue
        parts = [r for r in rows if r.area != TOTAL and (r.form, r.measure) == (row.form, row.measure)]
        for column in _counted(row.form) if parts else ():
            values = [part.columns.get(column.number) for part in parts]
            given = row.columns.get(column.number)
            expected = sum(value or 0 for value in values)
            if given is not None and None not in values and given != expected:
                faults.append(_fault("total-differs-from-areas", row, column.number, expected))
    return faults


_WORDS = {
    "column-missing": ("cột để trống, phải ghi số (kể cả số 0)", "is blank; a number is needed, also 0"),
    "column-negative": ("là số âm", "is negative"),
    "row-does-not-close": ("không khớp công thức {formula}", "does not follow from {formula}"),
    "forms-differ": ("không khớp với cột tương ứng của biểu kia", "differs from the column it shares"),
    "start-differs-from-last-end": ("số đầu năm khác số cuối năm trước", "differs from last year's end"),
    "differs-from-register": ("khác số liệu trong sổ", "differs from the register"),
    "total-differs-from-areas": ("khác tổng các địa bàn", "differs from the sum of its areas"),
}
_MEASURES = {
    None: ("", ""),
    Measure.HOUSEHOLDS: (", hộ", ", households"),
    Measure.PERSONS: (", nhân khẩu", ", persons"),
}


def _fault(rule: str, row: GivenRow, number: int, expected: int | None) -> GivenFault:
    given = row.columns.get(number)
    formula = form_columns()[row.form, number].formula
    vi, en = (words.format(formula=formula) for words in _WORDS[rule])
    measured_vi, measured_en = _MEASURES[row.measure]
    if given is not None and expected is not None:
        vi += f": phải là {expected}, ghi {given}, chênh {given - expected:+d}"
        en += f": expected {expected}, given {given}, difference {given - expected:+d}"
    return GivenFault(
        rule,
        row.form,
        row.area,
        row.measure,
        number,
        expected,
        given,
        f"Biểu {row.form}, {row.area}{measured_vi}, cột {number}: {vi}.",
        f"Form {row.form}, {row.area}{measured_en}, column {number} {en}.",
    )
