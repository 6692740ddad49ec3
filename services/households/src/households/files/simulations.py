"""A simulation as files to take away: counts, indicators and the households whose lists would change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from households.domain import AreaType, HouseholdClass, ListChange, Undecided, label
from households.files.workbooks import new_workbook
from households.files.write import csv_pieces

SHEET_ROWS = 1_000_000
"""So many households fit below the header of one sheet."""

_COUNTS = (
    ("Mã xã", 10),
    ("Tên xã", 26),
    ("Khu vực", 13),
    ("Phân loại hiện tại", 26),
    ("Phân loại theo phương án", 26),
    ("Lý do chưa xác định được", 40),
    ("Số hộ", 12),
    ("Số nhân khẩu", 14),
    ("Số hộ có dữ liệu từng chỉ số", 16),
)
_INDICATORS = (
    ("Chỉ số thiếu hụt", 40),
    ("Phân loại hiện tại", 26),
    ("Phân loại theo phương án", 26),
    ("Số hộ thiếu hụt", 14),
)
_CHANGES = (
    ("Mã hệ thống", 38),
    ("Mã xã", 10),
    ("Mã thôn", 12),
    ("Mã hộ", 10),
    ("Họ và tên chủ hộ", 28),
    ("Số nhân khẩu", 12),
    ("Khu vực", 13),
    ("Phân loại hiện tại", 26),
    ("Phân loại theo phương án", 26),
    ("Thay đổi", 26),
)


@dataclass(frozen=True, slots=True)
class SimulationSheet:
    """What stands above the tables."""

    title: str
    area: str
    day: date
    rules: Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class CountLine:
    """Households of a commune with one class before and one outcome."""

    commune: str
    commune_name: str
    area_type: AreaType | None
    before: HouseholdClass | None
    after: HouseholdClass | None
    undecided: Undecided | None
    households: int
    persons: int
    with_indicators: int


@dataclass(frozen=True, slots=True)
class IndicatorLine:
    """Households deprived of one indicator, by class before and after."""

    indicator: str
    before: HouseholdClass
    after: HouseholdClass
    households: int


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A household that would enter, leave, or go from list to list."""

    household_id: uuid.UUID
    commune: str
    village: str
    code: str | None
    head_name: str
    members: int
    area_type: AreaType
    before: HouseholdClass
    after: HouseholdClass
    change: ListChange


def simulation_counts_csv(lines: Iterable[CountLine]) -> Iterator[bytes]:
    """The counts by commune as CSV, piece by piece."""
    yield from csv_pieces([title for title, _ in _COUNTS], map(_count, lines))


def simulation_changes_csv(lines: Iterable[ChangeLine]) -> Iterator[bytes]:
    """The households whose lists would change as CSV, piece by piece."""
    yield from csv_pieces([title for title, _ in _CHANGES], map(_change, lines))


def write_simulation_xlsx(
    path: Path,
    sheet: SimulationSheet,
    counts: Iterable[CountLine],
    indicators: Iterable[IndicatorLine],
    changes: Iterable[ChangeLine],
) -> None:
    """Write a workbook: the rules, the counts by commune, the indicators, the households."""
    with new_workbook(path) as book:
        book.set_properties({"title": sheet.title, "created": sheet.day})
        pages = _Pages(book)
        pages.rules(sheet)
        pages.table("Theo xã", _COUNTS, map(_count, counts))
        pages.table("Theo chỉ số", _INDICATORS, map(_indicator, indicators))
        pages.table("Danh sách hộ", _CHANGES, map(_change, changes))


class _Pages:
    """Sheets of one look, with Vietnamese headers, thousands separated, texts kept as texts."""

    def __init__(self, book: Any) -> None:
        self._book = book
        font = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        grid = font | {"border": 1, "border_color": "#8A8F98"}
        add = book.add_format
        self._title = add(font | {"bold": True, "font_size": 14})
        self._plain = add(font)
        self._day = add(font | {"num_format": "dd/mm/yyyy", "align": "left"})
        self._amount = add(font | {"num_format": "#,##0", "align": "left"})
        self._head = add(grid | {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#E6ECF2"})
        self._text = add(grid | {"num_format": "@"})
        self._number = add(grid | {"num_format": "#,##0"})

    def rules(self, sheet: SimulationSheet) -> None:
        """What was tried out, where, and as of which day."""
        page = self._book.add_worksheet("Phương án")
        page.set_column(0, 0, 44)
        page.set_column(1, 1, 60)
        page.write_string(0, 0, sheet.title, self._title)
        page.write_string(1, 0, "Địa bàn", self._plain)
        page.write_string(1, 1, sheet.area, self._plain)
        page.write_string(2, 0, "Số liệu đến ngày", self._plain)
        page.write_datetime(2, 1, sheet.day, self._day)
        for line, (words, value) in enumerate(sheet.rules, start=3):
            page.write_string(line, 0, words, self._plain)
            if isinstance(value, int):
                page.write_number(line, 1, value, self._amount)
            else:
                page.write_string(line, 1, value, self._plain)

    def table(self, name: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[object]]) -> None:
        """One sheet with a header that stays, and a filter over it."""
        page = self._book.add_worksheet(name)
        for column, (title, width) in enumerate(columns):
            page.set_column(column, column, width)
            page.write_string(0, column, title, self._head)
        page.freeze_panes(1, 0)
        line = 0
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, int):
                    page.write_number(line, column, cell, self._number)
                elif cell:
                    page.write_string(line, column, str(cell), self._text)
                else:
                    page.write_blank(line, column, None, self._text)
        page.autofilter(0, 0, max(line, 1), len(columns) - 1)


def _count(line: CountLine) -> Sequence[object]:
    return (
        line.commune,
        line.commune_name,
        label(line.area_type) if line.area_type else "",
        label(line.before) if line.before else "",
        label(line.after) if line.after else "",
        label(line.undecided) if line.undecided else "",
        line.households,
        line.persons,
        line.with_indicators,
    )


def _indicator(line: IndicatorLine) -> Sequence[object]:
    return (line.indicator, label(line.before), label(line.after), line.households)


def _change(line: ChangeLine) -> Sequence[object]:
    return (
        str(line.household_id),
        line.commune,
        line.village,
        line.code or "",
        line.head_name,
        line.members,
        label(line.area_type),
        label(line.before),
        label(line.after),
        label(line.change),
    )
