"""Reading files by their columns' definitions: each row becomes its values, and the errors that it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path

from households.domain import Refused
from households.domain.b2_form import exact
from households.files import cells
from households.files.cells import Cell, CellInvalid, fold, text
from households.files.columns import NONE_OF_THEM, Column, Columns, Read
from households.files.grid import USUAL, Limits, empty, open_grid, too_many
from households.files.layout import HEADER_SEARCH_ROWS
from households.files.rows import RowError

Value = str | int | bool | Decimal | date | tuple[str, ...] | None

_IGNORED = {fold(name) for name in ("TT", "STT", "Số TT", "Ghi chú", "note", "id", "Tên thôn")}
_COLUMN_NUMBER = re.compile(r"\(?([A-Z]|\d{1,2})\)?")
_FOOTERS = ("tongcong", "tongso", "nguoilapbieu", "chutich", "ghichu", "noinhan")
_FOOTER_CELLS = 3
_B1_ITEM = re.compile(r"\s*B1\s*[.:]\s*\S", re.IGNORECASE)
_YEAR = range(1800, 2400)
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row as written, by field. `number` is the row's number in the sheet, counted from 1.

    A cell that cannot be read is an error and no value.
    """

    number: int
    values: Mapping[str, Value]
    errors: tuple[RowError, ...] = ()


def read_table(path: Path, columns: Columns, limits: Limits = USUAL) -> Iterator[TableRow]:
    """The rows of a file, each with all its errors, in the file's order.

    The file as a whole is refused (Refused: file-empty, file-unreadable, file-unpacks-too-large,
    header-not-found, columns-missing, column-twice, score-table-missing, too-many-rows). Blocking: call it off
    the event loop.
    """
    grid = open_grid(path, limits)
    top = list(islice(grid, HEADER_SEARCH_ROWS))
    if not any(text(cell) for row in top for cell in row):
        raise empty()
    header, placed = _header(top, columns)
    first = header + 2
    count = 0
    for number, row in enumerate(chain(top[header + 1 :], grid), start=first):
        if _is_no_data(row, first_line=number == first):
            continue
        count += 1
        if count > limits.max_rows:
            raise too_many(limits.max_rows)
        yield _read(number, row, placed)
    if not count:
        raise empty()


def _header(top: Sequence[Sequence[Cell]], columns: Columns) -> tuple[int, list[tuple[Column, int]]]:
    names = _names(columns)
    best = max(range(len(top)), key=lambda n: len({names[k] for k in _keys(top[n]) if k in names}))
    found: dict[str, int] = {}
    for at, cell in enumerate(top[best]):
        field = names.get(fold(text(cell)[:300]))
        if field in found:
            raise Refused(
                "column-twice",
                f"Cột “{text(cell)[:60]}” xuất hiện hai lần.",
                f"Column “{text(cell)[:60]}” occurs twice.",
                "header",
            )
        if field is not None:
            found[field] = at
    needed = [column.vi for column in columns.columns if column.required]
    if len(found) < min(2, len(columns.columns)):
        raise Refused(
            "header-not-found",
            f"Không tìm thấy dòng tiêu đề trong {HEADER_SEARCH_ROWS} dòng đầu. Cần các cột: {', '.join(needed)}.",
            f"No header in the first {HEADER_SEARCH_ROWS} rows. Columns needed: {', '.join(needed)}.",
            "header",
        )
    _refuse_missing(top[best], columns, found)
    return best, [(column, found[column.field]) for column in columns.columns if column.field in found]


def _keys(row: Sequence[Cell]) -> list[str]:
    return [fold(text(cell)[:300]) for cell in row]


def _names(columns: Columns) -> dict[str, str]:
    names: dict[str, str] = {}
    for column in columns.columns:
        for name in (column.field, column.en, *column.other, column.vi):
            key = fold(name)
            if key not in _IGNORED:
                names[key] = column.field
    return names


def _refuse_missing(header: Sequence[Cell], columns: Columns, found: Mapping[str, int]) -> None:
    items = [text(cell)[:60] for cell in header if _B1_ITEM.match(text(cell)) and fold(text(cell)) != "b1"]
    if items:
        raise Refused(
            "score-table-missing",
            f"Tệp có các mục của phiếu B1 ({', '.join(items[:3])} …), nhưng chưa nạp bảng điểm B1 nào đã được phê"
            " duyệt. Hãy ghi tổng điểm B1, hoặc nhờ quản trị viên nạp bảng điểm.",
            "The file has items of form B1, but no approved score table is loaded. Give the B1 total instead.",
            "header",
            "Thông tư 07/2021/TT-BLĐTBXH, Phụ lục III, Phụ lục IV",
        )
    missing = [column.vi for column in columns.columns if column.required and column.field not in found]
    if missing:
        seen = ", ".join(text(cell)[:40] for cell in header if text(cell)) or "—"
        raise Refused(
            "columns-missing",
            f"Thiếu cột: {', '.join(missing)}. Các cột đã thấy: {seen}.",
            f"Columns missing: {', '.join(missing)}. Columns found: {seen}.",
            "header",
        )


def _is_no_data(row: Sequence[Cell], *, first_line: bool) -> bool:
    """Blank rows, the line of column numbers under a header, sums and signatures below a table."""
    filled = [word for cell in row if (word := text(cell))]
    if not filled:
        return True
    if first_line and _numbers_columns(filled):
        return True
    return len(filled) <= _FOOTER_CELLS and fold(filled[0]).startswith(_FOOTERS)


def _numbers_columns(filled: Sequence[str]) -> bool:
    """The line “A B 1 2 3 …” or “(1) (2) (3) …” of official forms."""
    found = [match[1] for word in filled if (match := _COLUMN_NUMBER.fullmatch(word))]
    digits = [int(each) for each in found if each.isdigit()]
    return len(found) == len(filled) > 2 and digits == list(range(1, len(digits) + 1))


def _read(number: int, row: Sequence[Cell], placed: Sequence[tuple[Column, int]]) -> TableRow:
    values: dict[str, Value] = {}
    errors = []
    for column, at in placed:
        try:
            value = _value(row[at] if at < len(row) else None, column)
            if value is None and column.required:
                raise CellInvalid("cell-empty", "không được để trống.", "must not be blank.")
            values[column.field] = value
        except CellInvalid as error:
            vi, en = f"{column.vi}: {error.message_vi}", f"{column.en}: {error.message_en}"
            errors.append(RowError(number, column.field, error.rule, vi, en))
    return TableRow(number, values, tuple(errors))


def _value(cell: Cell, column: Column) -> Value:
    if column.read in _PLAIN:
        return _PLAIN[column.read](cell)
    if column.read is Read.WHOLE:
        return _whole(cell, column)
    return _worded(cell, column)


def _worded(cell: Cell, column: Column) -> str | tuple[str, ...] | None:
    words = cells.limited(cell, column.most)
    if column.read is Read.ID:
        found = cells.system_id(cell)
        return None if found is None else str(found)
    if column.read is Read.OPTIONS:
        return _options(words, column)
    return _code(words, column) if column.options else words or None


def _whole(cell: Cell, column: Column) -> int | None:
    number = cells.whole_number(cell)
    if number is None:
        return None
    low, high = column.low, column.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise CellInvalid(
            "number-out-of-range",
            f"phải từ {low} đến {high}, không thể là {number}.",
            f"is not {low} to {high}.",
        )
    return number


def _exact(cell: Cell) -> Decimal | None:
    words = str(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else text(cell)
    if not words:
        return None
    plain = words.replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    found = exact(plain) if plain.isascii() and "_" not in plain else None
    if found is None:
        raise CellInvalid(
            "number-invalid", f"“{words[:40]}” không phải là số.", f"“{words[:40]}” is no number."
        )
    return found


def _birth(cell: Cell) -> date | int | None:
    """A day, or the year alone."""
    words = text(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool) and cell in _YEAR:
        return int(cell)
    if words.isascii() and words.isdigit() and len(words) == 4:
        return int(words)
    return cells.day(cell)


def _digits(cell: Cell) -> str | None:
    """Digits as text. A sheet that took them for a number lost the zeros at the front: that is said, not guessed."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        raise CellInvalid(
            "number-not-text",
            "phải là văn bản: ô kiểu số làm mất số 0 ở đầu.",
            "must be text: a cell of numbers loses the zeros in front.",
        )
    return cells.limited(cell, _DIGITS).replace(" ", "") or None


_PLAIN: Mapping[Read, Callable[[Cell], Value]] = {
    Read.NUMBER: _exact,
    Read.DAY: cells.day,
    Read.BIRTH: _birth,
    Read.DIGITS: _digits,
    Read.YES_NO: cells.mark,
}


def _code(words: str, column: Column) -> str | None:
    if not words:
        return None
    found = _by_word(column).get(fold(words))
    if found is None:
        listed = "; ".join(vi for vi, _ in list((column.options or {}).values())[:12])
        raise CellInvalid(
            "code-unknown",
            f"“{words[:40]}” không có trong danh mục ({listed}).",
            f"“{words[:40]}” is not in the list.",
        )
    return found


def _options(words: str, column: Column) -> tuple[str, ...] | None:
    if not words:
        return None
    if fold(words) in {fold(word) for word in NONE_OF_THEM}:
        return ()
    by_word = _by_word(column)
    parts = [part for part in re.split(r"[;\n|]", words) if part.strip()]
    unknown = [part.strip() for part in parts if fold(part) not in by_word]
    if unknown or not parts:
        raise CellInvalid(
            "code-unknown",
            f"“{', '.join(unknown)[:40]}” không có trong các phương án.",
            f"“{', '.join(unknown)[:40]}” is none of the options.",
        )
    return tuple(dict.fromkeys(by_word[fold(part)] for part in parts))


def _by_word(column: Column) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, words in (column.options or {}).items():
        for word in (code, *words):
            found.setdefault(fold(word), code)
    return found
