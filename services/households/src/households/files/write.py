"""Writing files: review results as XLSX and CSV, answers of an import, the register's export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from households.domain import HouseholdClass, Standard, label
from households.files.cause_cells import causes_cell
from households.files.columns import flag_title
from households.files.heights import height
from households.files.layout import TITLES
from households.files.rows import (
    AnswerLine,
    Gender,
    RegisterLine,
    ReviewRow,
    ReviewSheet,
)
from households.files.workbooks import new_workbook

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

GENDERS = {Gender.MALE: "Nam", Gender.FEMALE: "Nữ"}
HEADER_ROW = 7
"""The row of the header in our own XLSX, from 0; a line of column numbers follows it."""

_WIDTHS = {
    "reviewed_on": 11,
    "head_name": 24,
    "code": 8,
    "indigenous": 8,
    "head_gender": 8,
    "members": 8,
    "quick_result": 13,
    "b1_points": 7,
    "b2_points": 7,
    "declared_class": 14,
    "reviewer": 20,
    "village": 17,
    "causes": 24,
    "household_id": 37,
}
_FIELDS = tuple(field for field in TITLES if field != "household_id")
"""The columns before the indicators; our identifier is the last column, beyond what is printed."""
_LEFT = {"head_name", "declared_class", "reviewer", "village", "household_id", "quick_result", "causes"}
_TITLE = "Kết quả rà soát hộ nghèo, hộ cận nghèo"

# A spreadsheet takes a text that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def guarded(words: str) -> str:
    """Text that no spreadsheet will run as a formula."""
    return "'" + words if words.startswith(_FORMULA_STARTS) else words


def write_review_xlsx(path: Path, sheet: ReviewSheet, rows: Iterable[ReviewRow], standard: Standard) -> int:
    """Write a review's results in the official layout; returns the number of rows."""
    with new_workbook(path) as book:
        page = _Page(book, sheet, standard)
        page.heading()
        count = 0
        for count, row in enumerate(rows, start=1):
            page.row(count, row)
        page.signatures(count)
    return count


def write_review_csv(path: Path, rows: Iterable[ReviewRow], standard: Standard) -> int:
    """Write a review's results as CSV (UTF-8 with mark, commas); returns the number of rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_titles(standard))
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the count is what is returned
            writer.writerow([_csv_cell(cell) for cell in _cells(row, standard)])
    return count


ANSWERS_HEAD = (
    "Dòng",
    "Kết quả",
    "Mã hệ thống",
    "Phân loại",
    "Cột",
    "Quy tắc",
    "Giải thích",
    "Explanation",
    "Việc cần làm",
)
_ANSWERS_WIDTHS = (7, 12, 20, 14, 20, 22, 46, 46, 36)


def answers_csv(answers: Iterable[AnswerLine]) -> Iterator[bytes]:
    """The answers of an import as CSV, piece by piece."""
    yield from csv_pieces(ANSWERS_HEAD, map(_answer, answers))


def write_answers_xlsx(path: Path, answers: Iterable[AnswerLine]) -> int:
    """The answers of an import as a workbook; returns the number of lines."""
    return write_sheet(path, "Trả lời", ANSWERS_HEAD, _ANSWERS_WIDTHS, map(_answer, answers))


def write_sheet(
    path: Path, title: str, head: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[object]]
) -> int:
    """A plain table as a workbook, row by row; no cell is taken for a formula. Returns the number of rows."""
    with new_workbook(path) as book:
        page: Worksheet = book.add_worksheet(title)
        font = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
        bold = book.add_format(font | {"bold": True, "text_wrap": True, "bg_color": "#E6ECF2", "border": 1})
        words = book.add_format(font | {"num_format": "@", "text_wrap": True})
        number = book.add_format(font | {"num_format": "0"})
        for at, width in enumerate(widths):
            page.set_column(at, at, width)
        for at, name in enumerate(head):
            page.write_string(0, at, name, bold)
        page.freeze_panes(1, 0)
        page.set_landscape()
        page.set_paper(8)
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        count = 0
        for count, row in enumerate(rows, start=1):
            page.set_row(count, height([str(cell or "") for cell in row], widths))
            for at, cell in enumerate(row):
                if isinstance(cell, int):
                    page.write_number(count, at, cell, number)
                elif cell is not None and cell != "":
                    page.write_string(count, at, str(cell), words)
    return count


def register_csv(lines: Iterable[RegisterLine]) -> Iterator[bytes]:
    """The register's export as CSV, piece by piece, with the Mã hệ thống that the next review needs."""
    header = [
        "Mã hệ thống",
        "Mã xã",
        "Mã thôn",
        "Thôn",
        "Mã hộ",
        "Họ và tên chủ hộ",
        "Số nhân khẩu",
        "Phân loại",
        "Từ ngày",
    ]
    yield from csv_pieces(header, map(_register_line, lines))


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A table as CSV (UTF-8 with mark, commas), piece by piece; no cell is taken for a formula."""
    buffer = io.StringIO("\ufeff")
    buffer.seek(1)
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows):
        writer.writerow([_csv_cell(cell) for cell in row])
        if number % 500 == 499:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _answer(line: AnswerLine) -> Sequence[object]:
    return (
        line.number,
        line.result,
        line.household_id or "",
        label(line.household_class) if line.household_class else "",
        TITLES.get(line.field or "", line.field or ""),
        line.rule or "",
        line.message or "",
        line.message_en or "",
        line.advice or "",
    )


def _register_line(line: RegisterLine) -> Sequence[object]:
    return (
        line.household_id,
        line.commune,
        line.village_code,
        line.village_name,
        line.code or "",
        line.head_name,
        line.members,
        label(line.household_class) if line.household_class else "",
        line.class_since or "",
    )


def _titles(standard: Standard) -> list[str]:
    flags = [flag_title(i.number, i.label_vi) for i in standard.indicators]
    return [*(TITLES[field] for field in _FIELDS), *flags, TITLES["household_id"]]


def _cells(row: ReviewRow, standard: Standard) -> list[object]:
    flags = row.deprivations
    return [
        row.reviewed_on,
        row.head_name,
        row.code or "",
        {True: "x", False: "", None: ""}[row.indigenous],
        GENDERS[row.head_gender] if row.head_gender else "",
        row.members,
        row.quick_result or "",
        "" if row.b1_points is None else row.b1_points,
        "" if row.b2_points is None else row.b2_points,
        _class_words(row.declared_class),
        row.reviewer or "",
        row.village,
        causes_cell(row.causes, row.cause_text),
        *("x" if flags and code in flags else "" for code in standard.indicator_codes),
        str(row.household_id) if row.household_id else "",
    ]


def _class_words(household_class: HouseholdClass | None) -> str:
    return label(household_class) if household_class else ""


def _csv_cell(cell: object) -> object:
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    return guarded(cell) if isinstance(cell, str) else ("" if cell is None else cell)


class _Page:
    """One sheet in the official layout."""

    def __init__(self, book: Any, sheet: ReviewSheet, standard: Standard) -> None:
        book.set_properties({"title": _TITLE, "created": sheet.decided_on})
        self._page: Worksheet = book.add_worksheet("Kết quả rà soát")
        self._sheet = sheet
        self._standard = standard
        self._titles = _titles(standard)
        self._first_flag = len(_FIELDS)
        self._last_flag = self._first_flag + len(standard.indicators) - 1
        font = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        grid = font | {"border": 1, "border_color": "#8A8F98"}
        add = book.add_format
        self._bold: Format = add(font | {"bold": True, "align": "center"})
        self._plain: Format = add(font | {"align": "center"})
        self._italic: Format = add(font | {"italic": True, "align": "center"})
        self._title: Format = add(font | {"bold": True, "font_size": 14, "align": "center"})
        self._head: Format = add(
            grid
            | {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#E6ECF2", "font_size": 10}
        )
        self._upright: Format = add(
            grid
            | {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#E6ECF2"}
            | {"font_size": 9, "rotation": 90}
        )
        self._number: Format = add(grid | {"align": "center"})
        self._left: Format = add(grid | {"align": "left", "indent": 1})
        self._code: Format = add(grid | {"align": "center", "num_format": "@"})
        self._day: Format = add(grid | {"align": "center", "num_format": "dd/mm/yyyy"})
        self._tiny: Format = add(grid | {"align": "center", "italic": True, "font_size": 8})
        flags = [self._number] * len(standard.indicators)
        self._formats = [*map(self._format, _FIELDS), *flags, self._format("household_id")]

    def _format(self, field: str) -> Format:
        if field == "reviewed_on":
            return self._day
        if field in ("code", "household_id"):
            return self._code
        return self._left if field in _LEFT else self._number

    def heading(self) -> None:
        """Titles, the header, the line of column numbers; print settings. Rows are written from the top."""
        page, sheet, last = self._page, self._sheet, self._last_flag
        flags = [6.5] * len(self._standard.indicators)
        widths = [*(_WIDTHS[field] for field in _FIELDS), *flags, _WIDTHS["household_id"]]
        for column, width in enumerate(widths):
            page.set_column(column, column, width)
        page.merge_range(0, 0, 0, 4, f"ỦY BAN NHÂN DÂN {sheet.commune_name.upper()}", self._bold)
        page.merge_range(0, 9, 0, last, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", self._bold)
        page.merge_range(1, 0, 1, 4, f"{sheet.district_name}, {sheet.province_name}", self._plain)
        page.merge_range(1, 9, 1, last, "Độc lập - Tự do - Hạnh phúc", self._bold)
        page.set_row(3, 24)
        page.merge_range(3, 0, 3, last, _TITLE.upper(), self._title)
        page.merge_range(4, 0, 4, last, self._subtitle(), self._plain)
        page.merge_range(5, 0, 5, last, f"Ngày quyết định: {sheet.decided_on:%d/%m/%Y}", self._italic)
        words = "Chỉ số thiếu hụt dịch vụ xã hội cơ bản (đánh dấu x)"
        page.merge_range(HEADER_ROW - 1, self._first_flag, HEADER_ROW - 1, last, words, self._head)
        page.set_row(HEADER_ROW, 165)
        for column, title in enumerate(self._titles):
            is_flag = self._first_flag <= column <= last
            page.write_string(HEADER_ROW, column, title, self._upright if is_flag else self._head)
        for column in range(len(self._titles)):
            page.write_string(HEADER_ROW + 1, column, f"({column + 1})", self._tiny)
        page.freeze_panes(HEADER_ROW + 2, 2)
        self._printing()

    def _printing(self) -> None:
        page, sheet = self._page, self._sheet
        page.set_landscape()
        page.set_paper(8)  # A3
        page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page.center_horizontally()
        page.fit_to_pages(1, 0)
        page.repeat_rows(HEADER_ROW, HEADER_ROW + 1)
        page.set_footer(f"&L{sheet.commune_code} · {sheet.commune_name}&RTrang &P/&N")

    def row(self, count: int, row: ReviewRow) -> None:
        """One household on its line; `count` counts from 1."""
        page, line = self._page, HEADER_ROW + 1 + count
        for column, cell in enumerate(_cells(row, self._standard)):
            style = self._formats[column]
            if isinstance(cell, str):
                if cell:
                    page.write_string(line, column, cell, style)
                else:
                    page.write_blank(line, column, None, style)
            elif isinstance(cell, date):
                page.write_datetime(line, column, cell, style)
            elif isinstance(cell, int):
                page.write_number(line, column, cell, style)
            else:
                page.write_blank(line, column, None, style)

    def signatures(self, count: int) -> None:
        """The two who sign, below the table."""
        line = HEADER_ROW + 3 + count
        self._page.write_string(line, 1, "Người lập biểu", self._bold)
        self._page.merge_range(line, 12, line, self._last_flag, "CHỦ TỊCH UBND", self._bold)
        self._page.print_area(0, 0, line + 5, self._last_flag)

    def _subtitle(self) -> str:
        sheet = self._sheet
        return (
            f"{label(sheet.kind)} năm {sheet.year} - kết quả {label(sheet.stage).lower()};"
            f" {self._standard.title_vi} ({sheet.standard})"
        )
