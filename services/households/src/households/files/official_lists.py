"""The named lists of a commune as offices keep them: XLSX in the official look, and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from households.domain.official_lists import ListLayout
from households.files.workbooks import new_workbook
from households.files.write import csv_pieces

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

Rows = Iterable[Sequence[str | int]]
_TOP = 6
_CENTRED_FIELDS = frozenset({"name", "relation", "ethnicity"})


@dataclass(frozen=True, slots=True)
class ListHead:
    """What stands above a list: of which place, as of which day."""

    place: str
    on: date


def list_csv(layout: ListLayout, rows: Rows) -> Iterator[bytes]:
    """A list as CSV, piece by piece."""
    head = [f"{column.group}: {column.vi}" if column.group else column.vi for column in layout.columns]
    yield from csv_pieces(head, rows)


def write_list(path: Path, layout: ListLayout, head: ListHead, rows: Rows) -> int:
    """A list as a workbook that prints on A4 or A3 paper; returns the number of rows."""
    with new_workbook(path) as book:
        book.set_properties({"title": layout.vi, "comments": layout.source})
        page: Worksheet = book.add_worksheet("Danh sách")
        formats = _formats(book)
        _above(page, layout, head, formats)
        _columns(page, layout, formats)
        count = 0
        for count, row in enumerate(rows, start=1):
            first = row[0] != ""
            for at, (column, cell) in enumerate(zip(layout.columns, row, strict=True)):
                left = column.field in _CENTRED_FIELDS
                style = formats[f"{'left' if left else 'middle'}{'_head' if first else ''}"]
                if isinstance(cell, int):
                    page.write_number(_TOP + 2 + count, at, cell, style)
                elif cell:
                    page.write_string(_TOP + 2 + count, at, cell, style)
                else:
                    page.write_blank(_TOP + 2 + count, at, None, style)
        _below(page, layout, _TOP + 4 + count, formats)
    return count


def _formats(book: Any) -> dict[str, Any]:
    font = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
    grid = font | {"border": 1, "border_color": "#555B66", "text_wrap": True}
    head = grid | {"bold": True, "align": "center", "font_size": 10}
    return {
        "bold": book.add_format(font | {"bold": True, "align": "center"}),
        "plain": book.add_format(font | {"align": "center", "italic": True}),
        "title": book.add_format(
            font | {"bold": True, "font_size": 14, "align": "center", "text_wrap": True}
        ),
        "head": book.add_format(head),
        # A title over both rows of the header, without the merged cells that sorting stumbles over.
        "head_open": book.add_format(head | {"bottom": 0}),
        "head_low": book.add_format(head | {"top": 0}),
        "tiny": book.add_format(grid | {"align": "center", "italic": True, "font_size": 9}),
        "middle": book.add_format(grid | {"align": "center"}),
        "left": book.add_format(grid | {"align": "left"}),
        "middle_head": book.add_format(grid | {"align": "center", "bold": True}),
        "left_head": book.add_format(grid | {"align": "left", "bold": True}),
    }


def _above(page: Worksheet, layout: ListLayout, head: ListHead, formats: dict[str, Any]) -> None:
    last = len(layout.columns) - 1
    half = min(3, last // 2)
    for at, column in enumerate(layout.columns):
        page.set_column(at, at, column.width)
    # A row that is written is gone from memory: whatever stands in a row is written before the next one.
    page.merge_range(0, 0, 0, half, "ỦY BAN NHÂN DÂN", formats["bold"])
    page.merge_range(0, half + 1, 0, last, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", formats["bold"])
    page.merge_range(1, 0, 1, half, head.place.upper(), formats["bold"])
    page.merge_range(1, half + 1, 1, last, "Độc lập - Tự do - Hạnh phúc", formats["bold"])
    page.set_row(3, 40 if len(layout.vi) > 40 else 22)
    page.merge_range(3, 0, 3, last, layout.vi, formats["title"])
    page.merge_range(4, 0, 4, last, f"(Tính đến ngày {head.on:%d/%m/%Y})", formats["plain"])


def _columns(page: Worksheet, layout: ListLayout, formats: dict[str, Any]) -> None:
    page.set_row(_TOP, 20)
    at = 0
    for group, columns in groupby(layout.columns, key=lambda column: column.group):
        listed = list(columns)
        if group and len(listed) > 1:
            page.merge_range(_TOP, at, _TOP, at + len(listed) - 1, group, formats["head"])
        else:
            for place in range(at, at + len(listed)):
                page.write_string(_TOP, place, group, formats["head" if group else "head_open"])
        at += len(listed)
    page.set_row(_TOP + 1, 62)
    for place, column in enumerate(layout.columns):
        style = formats["head" if column.group else "head_low"]
        page.write_string(_TOP + 1, place, column.vi, style)
    for place, column in enumerate(layout.columns):
        page.write_string(_TOP + 2, place, column.no, formats["tiny"])
    page.freeze_panes(_TOP + 3, 3)
    page.set_landscape()
    page.set_paper(9 if len(layout.columns) < 14 else 8)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.center_horizontally()
    page.fit_to_pages(1, 0)
    page.repeat_rows(_TOP, _TOP + 2)
    page.set_footer("&RTrang &P/&N")


def _below(page: Worksheet, layout: ListLayout, line: int, formats: dict[str, Any]) -> None:
    last = len(layout.columns) - 1
    page.merge_range(line, 1, line, 2, "Người lập biểu", formats["bold"])
    page.merge_range(line, last - 2, line, last, "CHỦ TỊCH UBND", formats["bold"])
    page.print_area(0, 0, line + 5, last)
