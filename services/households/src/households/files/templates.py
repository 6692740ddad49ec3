"""Templates to download: the sheet to fill in, an example of an invented household, and what each column is for."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from households.files.columns import Column, Columns, Read
from households.files.heights import height
from households.files.workbooks import new_workbook

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ROWS = 2000
"""Rows of a template that offer choices."""
DATA, EXAMPLE, HELP, LISTS = "Dữ liệu", "Ví dụ", "Hướng dẫn", "Danh mục"
SEVERAL = frozenset({Read.OPTIONS, Read.CAUSES})
"""Several answers stand in one cell: a list to choose one from would be in the way."""
_FONT = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
_READ_AS = {
    Read.TEXT: "Chữ",
    Read.WHOLE: "Số nguyên",
    Read.NUMBER: "Số",
    Read.DAY: "Ngày (ngày/tháng/năm)",
    Read.BIRTH: "Ngày (ngày/tháng/năm) hoặc năm",
    Read.DIGITS: "Chữ số, định dạng văn bản",
    Read.CODE: "Chọn trong danh mục",
    Read.OPTIONS: "Một hoặc nhiều phương án, cách nhau bằng ;",
    Read.YES_NO: "x hoặc để trống",
    Read.SEX: "Nam hoặc Nữ",
    Read.CLASS: "Chọn trong danh mục",
    Read.CAUSES: "Một hoặc nhiều nguyên nhân, cách nhau bằng ;",
    Read.ID: "Mã của hệ thống",
}


def write_template(path: Path, columns: Columns, choices: Mapping[str, Sequence[str]] | None = None) -> None:
    """Write the template as XLSX. `choices` are further lists to choose from, by field: a commune's villages."""
    options = _choices(columns, choices or {})
    with new_workbook(path, in_order=False) as book:
        book.set_properties({"title": columns.title_vi, "comments": columns.source})
        data = book.add_worksheet(DATA)
        example, guide = book.add_worksheet(EXAMPLE), book.add_worksheet(HELP)
        lists = book.add_worksheet(LISTS)
        formats = _formats(book)
        _table(data, columns, formats)
        _validate(data, columns, options)
        _table(example, columns, formats)
        for at, column in enumerate(columns.columns):
            _example(example, at, column, formats)
        _guide(guide, columns, formats)
        _lists(lists, options, columns, formats)


def template_csv(columns: Columns) -> bytes:
    """The header alone, as CSV (UTF-8 with mark, commas)."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([column.vi for column in columns.columns])
    return buffer.getvalue().encode("utf-8-sig")


def _choices(columns: Columns, more: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found = {
        column.field: [vi for vi, _ in column.options.values()]
        for column in columns.columns
        if column.options and column.read not in SEVERAL
    }
    found |= {column.field: ["x"] for column in columns.columns if column.read is Read.YES_NO}
    return found | {field: list(words) for field, words in more.items() if words}


def _formats(book: Any) -> dict[str, Format]:
    grid = _FONT | {"border": 1, "border_color": "#8A8F98"}
    head = grid | {"bold": True, "align": "center", "text_wrap": True, "bg_color": "#E6ECF2"}
    return {
        "title": book.add_format(_FONT | {"bold": True, "font_size": 14}),
        "plain": book.add_format(_FONT | {"text_wrap": True, "valign": "top"}),
        "head": book.add_format(head),
        "needed": book.add_format(head | {"bg_color": "#F6E3B4"}),
        "text": book.add_format(_FONT | {"num_format": "@"}),
        "number": book.add_format(_FONT | {"num_format": "0"}),
        "cell": book.add_format(grid | {"text_wrap": True, "valign": "top"}),
    }


def _table(page: Worksheet, columns: Columns, formats: dict[str, Format]) -> None:
    """The header in the first row; every cell below holds text, so that numbers keep their zeros."""
    page.set_row(0, 48)
    for at, column in enumerate(columns.columns):
        kind = "number" if column.read is Read.WHOLE else "text"
        page.set_column(at, at, column.width, formats[kind])
        page.write_string(0, at, column.vi, formats["needed" if column.required else "head"])
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(8)
    page.repeat_rows(0)


def _example(page: Worksheet, at: int, column: Column, formats: dict[str, Format]) -> None:
    if isinstance(column.example, int):
        page.write_number(1, at, column.example, formats["number"])
    elif column.example:
        page.write_string(1, at, column.example, formats["text"])


def _validate(page: Worksheet, columns: Columns, options: Mapping[str, Sequence[str]]) -> None:
    from xlsxwriter.utility import xl_col_to_name

    listed = list(options)
    for at, column in enumerate(columns.columns):
        rule: dict[str, Any] | None = None
        if column.field in options:
            letter = xl_col_to_name(listed.index(column.field))
            last = len(options[column.field]) + 1
            rule = {"validate": "list", "source": f"='{LISTS}'!${letter}$2:${letter}${last}"}
        elif column.read is Read.WHOLE and column.low is not None and column.high is not None:
            limits = {"criteria": "between", "minimum": column.low, "maximum": column.high}
            rule = {"validate": "integer", **limits}
        if rule is not None:
            rule |= {"error_title": "Giá trị không hợp lệ", "error_message": "Hãy kiểm tra lại ô này."}
            page.data_validation(1, at, ROWS, at, rule)


def _guide(page: Worksheet, columns: Columns, formats: dict[str, Format]) -> None:
    widths = (28, 10, 30, 60, 30)
    for at, width in enumerate(widths):
        page.set_column(at, at, width)
    page.write_string(0, 0, columns.title_vi, formats["title"])
    line = 1
    for words in (*columns.help_vi, f"Nguồn: {columns.source}."):
        page.merge_range(line, 0, line, len(widths) - 1, words, formats["plain"])
        page.set_row(line, height([words], [sum(widths)]))
        line += 1
    line += 1
    for at, words in enumerate(("Cột", "Bắt buộc", "Cách ghi", "Giải thích", "Tên khác được nhận")):
        page.write_string(line, at, words, formats["head"])
    for column in columns.columns:
        line += 1
        cells = (
            column.vi,
            "x" if column.required else "",
            _READ_AS[column.read],
            column.help_vi,
            ", ".join(column.other),
        )
        page.set_row(line, height(cells, widths))
        for at, words in enumerate(cells):
            page.write_string(line, at, words, formats["cell"])
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _lists(
    page: Worksheet, options: Mapping[str, Sequence[str]], columns: Columns, formats: dict[str, Format]
) -> None:
    for at, (field, words) in enumerate(options.items()):
        page.set_column(at, at, 30)
        page.write_string(0, at, columns.title(field), formats["head"])
        for line, word in enumerate(words, start=1):
            page.write_string(line, at, word)
