"""Reading files of review results: XLSX and CSV, whatever their encoding, separator and title rows."""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

from python_calamine import CalamineError, CalamineWorkbook

from households.domain import Refused, Standard
from households.files import cells
from households.files.cells import Cell, CellInvalid, fold, text
from households.files.layout import HEADER_SEARCH_ROWS, TITLES, Layout, find_layout
from households.files.rows import ReviewRow, RowError

DEFAULT_MAX_ROWS = 200_000
DEFAULT_MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes that an XLSX may unpack to; a file that says less than it holds is refused as well."""

_MAX_ENTRIES = 1000
_COLUMN_NUMBER = re.compile(r"\(?([A-Z]|\d{1,2})\)?")
_FOOTER_CELLS = 6
_FOOTERS = ("tongcong", "tongso", "nguoilapbieu", "chutich", "ghichu", "noinhan")
_ENCODINGS_BY_MARK = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused."""

    max_rows: int = DEFAULT_MAX_ROWS
    max_unpacked: int = DEFAULT_MAX_UNPACKED


def read_review(path: Path, standard: Standard, limits: Limits = Limits()) -> Iterator[ReviewRow | RowError]:
    """The rows of a review file, each readable or with its error, in the file's order.

    The file as a whole is refused (Refused: file-empty, file-unreadable, file-unpacks-too-large, header-not-found,
    columns-missing, column-twice, too-many-indicators, too-many-rows) before the first row is given out,
    except too-many-rows of a CSV, which is only known on the way. Blocking: call it off the event loop.
    """
    grid = _open(path, limits)
    top = list(islice(grid, HEADER_SEARCH_ROWS))
    if not any(text(cell) for row in top for cell in row):
        raise _empty()
    layout = find_layout(top, standard)
    below = top[layout.header_row + 1 :]
    return _rows(layout, standard, below, grid, limits)


def _rows(
    layout: Layout,
    standard: Standard,
    below: Sequence[Sequence[Cell]],
    grid: Iterator[Sequence[Cell]],
    limits: Limits,
) -> Iterator[ReviewRow | RowError]:
    count = 0
    reader = _RowReader(layout, standard)
    for number, row in enumerate(_chain(below, grid), start=layout.header_row + 2):
        if reader.is_no_data(number, row):
            continue
        count += 1
        if count > limits.max_rows:
            raise _too_many(limits.max_rows)
        yield reader.read(number, row)
    if not count:
        raise _empty()


def _chain(first: Iterable[Sequence[Cell]], rest: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield from first
    yield from rest


class _RowReader:
    """Reads rows by one layout; a cell that cannot be read makes the row's error, never an exception."""

    def __init__(self, layout: Layout, standard: Standard) -> None:
        self._at = layout.fields
        self._first = layout.header_row + 2
        self._flags = tuple(zip(standard.indicator_codes, layout.flags, strict=False))
        self._labels = {i.code: i.label_vi for i in standard.indicators}
        self._width = 1 + max([*layout.fields.values(), *layout.flags])

    def is_no_data(self, number: int, row: Sequence[Cell]) -> bool:
        """The line of column numbers under a header, sums and signatures below a table."""
        if number != self._first and len(row) - row.count("") - row.count(None) > _FOOTER_CELLS:
            return False
        filled = [word for cell in row if (word := text(cell))]
        if not filled:
            return True
        if number == self._first and all(_COLUMN_NUMBER.fullmatch(word) for word in filled):
            return True
        head = self._at["head_name"]
        name = text(row[head]) if head < len(row) else ""
        return (
            len(filled) <= _FOOTER_CELLS and name in ("", filled[0]) and fold(filled[0]).startswith(_FOOTERS)
        )

    def read(self, number: int, row: Sequence[Cell]) -> ReviewRow | RowError:
        if len(row) < self._width:
            row = [*row, *([None] * (self._width - len(row)))]
        field = "row"
        at = self._at

        def cell(name: str) -> Cell:
            nonlocal field
            field = name
            column = at.get(name)
            return None if column is None else row[column]

        try:
            village = _needed(cells.limited(cell("village"), 200))
            head_name = _needed(cells.limited(cell("head_name"), 200))
            members = _members(cells.whole_number(cell("members")))
            code = cells.limited(cell("code"), 50) or None
            household_id = cells.system_id(cell("household_id"))
            b1_points = cells.whole_number(cell("b1_points"))
            b2_points = cells.whole_number(cell("b2_points"))
            declared = cells.household_class(cell("declared_class"))
            gender = cells.gender(cell("head_gender"))
            indigenous = cells.mark(cell("indigenous"))
            quick_result = cells.limited(cell("quick_result"), 100) or None
            reviewer = cells.limited(cell("reviewer"), 200) or None
            reviewed_on = cells.day(cell("reviewed_on"))
            flags: list[str] = []
            blank = True
            for indicator, column in self._flags:
                field = indicator
                marked = cells.mark(row[column])
                blank = blank and marked is None
                if marked:
                    flags.append(indicator)
        except CellInvalid as error:
            return self._error(number, field, error)
        # Blank flags beside a B2 above zero were not filled in; beside a B2 of zero they say "none deprived".
        no_flags = not self._flags or (blank and b2_points != 0)
        return ReviewRow(
            number,
            village,
            head_name,
            code,
            members,
            b1_points,
            b2_points,
            None if no_flags else tuple(flags),
            declared,
            household_id,
            gender,
            indigenous,
            quick_result,
            reviewer,
            reviewed_on,
        )

    def _error(self, number: int, field: str, error: CellInvalid) -> RowError:
        title = TITLES.get(field) or self._labels.get(field, field)
        return RowError(
            number, field, error.rule, f"{title}: {error.message_vi}", f"{field}: {error.message_en}"
        )


def _needed(words: str) -> str:
    if not words:
        raise CellInvalid("cell-empty", "không được để trống.", "must not be blank.")
    return words


def _members(members: int | None) -> int:
    if members is None:
        raise CellInvalid("cell-empty", "không được để trống.", "must not be blank.")
    if members < 1:
        raise CellInvalid(
            "members-not-positive", f"phải từ 1 trở lên, không thể là {members}.", f"is {members}."
        )
    return members


def _open(path: Path, limits: Limits) -> Iterator[Sequence[Cell]]:
    if path.stat().st_size == 0:
        raise _empty()
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK"):
        return _open_xlsx(path, limits)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable("tệp .xls cũ hoặc có mật khẩu; hãy lưu lại dạng .xlsx", "an old or locked .xls")
    if start.startswith(b"%PDF") or (b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise _unreadable("không phải XLSX hay CSV", "neither XLSX nor CSV")
    return _open_csv(path, start)


def _open_xlsx(path: Path, limits: Limits) -> Iterator[Sequence[Cell]]:
    _check_unpacked(path, limits.max_unpacked)
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = map(workbook.get_sheet_by_name, workbook.sheet_names)
        sheet = next((sheet for sheet in sheets if sheet.height), None)
    except (CalamineError, OSError, ValueError, KeyError) as error:
        raise _unreadable("XLSX bị hỏng", f"broken XLSX ({type(error).__name__})") from None
    if sheet is None:
        raise _empty()
    if sheet.height > limits.max_rows + HEADER_SEARCH_ROWS:
        raise _too_many(limits.max_rows)
    return cast("Iterator[Sequence[Cell]]", sheet.iter_rows())


def _check_unpacked(path: Path, most: int) -> None:
    """Inflate every entry without keeping it: the sizes that a zip declares may lie."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            entries = archive.infolist()
            if len(entries) > _MAX_ENTRIES or sum(e.file_size for e in entries) > most:
                raise _too_large(most)
            left = most
            for entry in entries:
                left -= _inflated(file, entry, left)
                if left < 0:
                    raise _too_large(most)
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, NotImplementedError):
        raise _unreadable("XLSX bị hỏng", "broken XLSX") from None


def _inflated(file: io.BufferedReader, entry: zipfile.ZipInfo, most: int) -> int:
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile
    if entry.compress_type == zipfile.ZIP_STORED:
        return max(entry.file_size, entry.compress_size)
    file.seek(entry.header_offset + 26)
    name_length, extra_length = struct.unpack("<HH", file.read(4))
    file.seek(name_length + extra_length, io.SEEK_CUR)
    inflate, total, waiting = zlib.decompressobj(-15), 0, entry.compress_size
    while waiting > 0 and not inflate.eof:
        packed = file.read(min(65_536, waiting))
        if not packed:
            raise zipfile.BadZipFile
        waiting -= len(packed)
        while packed:
            total += len(inflate.decompress(packed, 1 << 20))
            packed = inflate.unconsumed_tail
            if total > most:
                return total
    return total


def _open_csv(path: Path, start: bytes) -> Iterator[Sequence[Cell]]:
    encoding = next((name for mark, name in _ENCODINGS_BY_MARK if start.startswith(mark)), "utf-8")
    try:
        sample = path.read_bytes()[:65_536].decode(encoding, "ignore") if encoding == "utf-16" else None
        head = sample or start.decode(encoding, "ignore")
        separator = max(
            ",;\t", key=lambda sep: max((line.count(sep) for line in head.splitlines()), default=0)
        )
        with path.open(encoding=encoding, newline="") as whole:
            for _ in iter(lambda: whole.read(1 << 20), ""):
                pass
    except (UnicodeError, OSError):
        raise _unreadable("CSV không phải UTF-8 hay UTF-16", "a CSV that is not UTF-8 or UTF-16") from None
    return _csv_rows(path, encoding, separator)


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[Sequence[Cell]]:
    with path.open(encoding=encoding, newline="") as file:
        try:
            yield from csv.reader(file, delimiter=separator)
        except csv.Error:
            raise _unreadable("CSV bị hỏng", "broken CSV") from None


def _empty() -> Refused:
    return Refused("file-empty", "Tệp không có dòng dữ liệu nào.", "The file has no row of data.", "file")


def _unreadable(why_vi: str, why_en: str) -> Refused:
    return Refused(
        "file-unreadable", f"Không đọc được tệp: {why_vi}.", f"The file cannot be read: {why_en}.", "file"
    )


def _too_large(most: int) -> Refused:
    return Refused(
        "file-unpacks-too-large",
        f"Tệp giải nén vượt quá {most // 2**20} MB.",
        f"The file unpacks to more than {most // 2**20} MB.",
        "file",
    )


def _too_many(most: int) -> Refused:
    return Refused(
        "too-many-rows",
        f"Tệp có nhiều hơn {most} dòng; hãy chia nhỏ theo xã.",
        f"The file has more than {most} rows; split it by commune.",
        "file",
    )
