"""What people take away: tables written as CSV and XLSX."""

import asyncio
import csv
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

# Needed when somebody takes a workbook away, which on most days is nobody: two megabytes of memory.
if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | Decimal | None
NARROWEST, WIDEST = 8, 36
LINE_POINTS = 15.0
A4 = 9


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table with what stands above it. `bold` are the rows that sum others, counted from 0."""

    name: str
    above: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bold: frozenset[int]


def as_csv(sheets: Sequence[Sheet]) -> bytes:
    """The tables below each other as CSV in UTF-8 with a mark at its start, which Excel needs."""
    out = io.StringIO()
    writer = csv.writer(out)
    for number, sheet in enumerate(sheets):
        if number:
            writer.writerow([])
        writer.writerow(sheet.head)
        writer.writerows([["" if cell is None else cell for cell in row] for row in sheet.rows])
    return out.getvalue().encode("utf-8-sig")


async def as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """The tables as sheets of a workbook, written in a thread so that other requests go on."""
    return await asyncio.to_thread(_workbook, sheets)


def _workbook(sheets: Sequence[Sheet]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        for sheet in sheets:
            _write(book, sheet)
    return out.getvalue()


def _write(book: "Workbook", sheet: Sheet) -> None:
    title = book.add_format({"bold": True, "font_size": 13})
    head = book.add_format(
        {"bold": True, "text_wrap": True, "border": 1, "valign": "vcenter", "align": "center"}
    )
    formats = {
        (kind, strong): book.add_format(
            {"border": 1, "bold": strong, "num_format": {"n": "#,##0", "d": "0.00", "t": "@"}[kind]}
        )
        for kind in "ndt"
        for strong in (False, True)
    }
    page = book.add_worksheet(sheet.name.replace("/", "-"))
    for number, text in enumerate(sheet.above):
        page.write_string(number, 0, text, title if number == 0 else None)
    top = len(sheet.above) + 1
    widths = [_width(sheet, column) for column in range(len(sheet.head))]
    for column, text in enumerate(sheet.head):
        page.write_string(top, column, text, head)
        page.set_column(column, column, widths[column])
    # A workbook says how high a row is: what wraps is cut off otherwise wherever nobody measures it anew.
    lines = (_lines(text, width) for text, width in zip(sheet.head, widths, strict=True))
    page.set_row(top, LINE_POINTS * max(lines, default=1))
    for number, row in enumerate(sheet.rows):
        strong = number in sheet.bold
        for column, cell in enumerate(row):
            _write_cell(page, (top + 1 + number, column), cell, formats, strong=strong)
    page.freeze_panes(top + 1, 0)
    page.set_landscape()
    page.set_paper(A4)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
    page.fit_to_pages(1, 0)
    page.repeat_rows(top)


def _width(sheet: Sheet, column: int) -> int:
    """As wide as the widest cell and the longest word of the head ask for, in characters."""
    cells = (len(each) for row in sheet.rows if isinstance(each := row[column], str))
    words = (len(word) for word in sheet.head[column].split())
    # A long head gets room, so that it takes five lines or so.
    return min(WIDEST, max(NARROWEST, len(sheet.head[column]) // 5, *words, *cells) + 1)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes when it is wrapped between words; bold letters are wider."""
    return len(textwrap.wrap(text, max(width - 2, 1))) or 1


def _write_cell(
    page: "Worksheet",
    at: tuple[int, int],
    cell: Cell,
    formats: dict[tuple[str, bool], object],
    *,
    strong: bool,
) -> None:
    if cell is None:
        page.write_blank(*at, None, formats["t", strong])
    elif isinstance(cell, str):
        page.write_string(*at, cell, formats["t", strong])
    elif isinstance(cell, int):
        page.write_number(*at, cell, formats["n", strong])
    else:
        page.write_number(*at, float(cell), formats["d", strong])
