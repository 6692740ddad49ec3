"""Reading files of review results: XLSX and CSV, whatever their encoding, separator and title rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from households.domain import Standard
from households.files import cells
from households.files.cause_cells import named_causes
from households.files.cells import Cell, CellInvalid, fold, text
from households.files.grid import USUAL, Limits, empty, open_grid, too_many
from households.files.layout import HEADER_SEARCH_ROWS, TITLES, Layout, find_layout
from households.files.rows import ReviewRow, RowError

_COLUMN_NUMBER = re.compile(r"\(?([A-Z]|\d{1,2})\)?")
_FOOTER_CELLS = 6
_FOOTERS = ("tongcong", "tongso", "nguoilapbieu", "chutich", "ghichu", "noinhan")


def read_review(path: Path, standard: Standard, limits: Limits = USUAL) -> Iterator[ReviewRow | RowError]:
    """The rows of a review file, each readable or with its error, in the file's order.

    The file as a whole is refused (Refused: file-empty, file-unreadable, file-unpacks-too-large, header-not-found,
    columns-missing, column-twice, too-many-indicators, too-many-rows) before the first row is given out,
    except too-many-rows of a CSV, which is only known on the way. Blocking: call it off the event loop.
    """
    grid = open_grid(path, limits)
    top = list(islice(grid, HEADER_SEARCH_ROWS))
    if not any(text(cell) for row in top for cell in row):
        raise empty()
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
            raise too_many(limits.max_rows)
        yield reader.read(number, row)
    if not count:
        raise empty()


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
            causes, cause_text = named_causes(cell("causes"))
            flags: list[str] = []
            blank = True
            for indicator, column in self._flags:
                field = indicator
                marked = cells.mark(row[column])
                blank = blank and marked is None
                if marked:
                    flags.append(indicator)
        except CellInvalid as error:
            return self._error(number, field, error, self._head(row))
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
            causes,
            cause_text,
        )

    def _head(self, row: Sequence[Cell]) -> str | None:
        try:
            return cells.limited(row[self._at["head_name"]], 200) or None
        except CellInvalid:
            return None

    def _error(self, number: int, field: str, error: CellInvalid, head_name: str | None) -> RowError:
        title = TITLES.get(field) or self._labels.get(field, field)
        vi, en = f"{title}: {error.message_vi}", f"{field}: {error.message_en}"
        return RowError(number, field, error.rule, vi, en, head_name)


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
