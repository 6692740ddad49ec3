"""Rows that could not be matched, as a file: taken away, decided on, sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from households.domain import Refused
from households.files.cells import fold
from households.files.columns import Columns, FileKind, columns_of
from households.files.grid import Limits
from households.files.heights import height
from households.files.rows import RowError
from households.files.tables import TableRow, read_table
from households.files.workbooks import new_workbook

NEW, SKIP = "MỚI", "BỎ QUA"
MAX_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class UnmatchedLine:
    """A row to match: what it says, why it waits, and who may be meant, in words, with their identifiers."""

    row_no: int
    says: str
    why: str
    candidates: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """What somebody wrote beside a row: an identifier, NEW or SKIP; None = not decided yet."""

    row_no: int
    choice: str | None
    identifier: UUID | None = None


def write_unmatched(path: Path, lines: Sequence[UnmatchedLine]) -> int:
    """The rows with their candidates side by side, and a list to choose from in each; returns their number."""
    columns = columns_of(FileKind.RESOLUTIONS)
    most = max([1, *(len(line.candidates) for line in lines)])
    head = [
        columns.title("row_no"),
        columns.title("choice"),
        "Dòng trong tệp ghi",
        "Vì sao chưa khớp",
        *(f"Ứng viên {number}" for number in range(1, most + 1)),
        columns.title("candidates"),
    ]
    widths = [7, 12, 34, 40, *([36] * most), 20]
    with new_workbook(path, in_order=False) as book:
        page = book.add_worksheet("Khớp hộ")
        guide = book.add_worksheet("Hướng dẫn")
        font = {"font_name": "Times New Roman", "font_size": 11, "valign": "top", "text_wrap": True}
        bold = book.add_format(font | {"bold": True, "bg_color": "#E6ECF2", "border": 1})
        words = book.add_format(font | {"num_format": "@", "border": 1, "border_color": "#C9CED6"})
        choose = book.add_format(font | {"num_format": "@", "border": 1, "bg_color": "#FFF7DF"})
        for at, (title, width) in enumerate(zip(head, widths, strict=True)):
            page.set_column(at, at, width, None, {"hidden": at == len(head) - 1})
            page.write_string(0, at, title, bold)
        page.freeze_panes(1, 2)
        page.set_landscape()
        page.set_paper(8)
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        count = 0
        for count, line in enumerate(lines, start=1):
            shown = [line.says, line.why, *(said for _, said in line.candidates)]
            page.set_row(count, height(shown, widths[2 : 2 + len(shown)]))
            page.write_number(count, 0, line.row_no, words)
            page.write_blank(count, 1, None, choose)
            page.write_string(count, 2, line.says, words)
            page.write_string(count, 3, line.why, words)
            for at in range(most):
                candidate = line.candidates[at][1] if at < len(line.candidates) else ""
                page.write_string(count, 4 + at, candidate, words)
            page.write_string(count, 4 + most, " ".join(key for key, _ in line.candidates), words)
            numbers = [str(at) for at, (key, _) in enumerate(line.candidates, start=1) if key != "-"]
            page.data_validation(
                count, 1, count, 1,
                {"validate": "list", "source": [*numbers, NEW, SKIP], "error_type": "warning",
                 "error_title": "Chọn ứng viên", "error_message": "Số ứng viên, MỚI, BỎ QUA hoặc Mã hệ thống."},
            )  # fmt: skip
        guide.set_column(0, 0, 110)
        for at, sentence in enumerate((columns.title_vi, *columns.help_vi)):
            guide.write_string(at, 0, sentence, bold if at == 0 else book.add_format(font))
    return count


def read_choices(path: Path) -> list[ChoiceLine | RowError]:
    """What was written beside the rows. Refuses a file that is none of ours."""
    columns: Columns = columns_of(FileKind.RESOLUTIONS)
    found: list[ChoiceLine | RowError] = []
    for row in read_table(path, columns, Limits(max_rows=MAX_ROWS)):
        found.append(row.errors[0] if row.errors else _choice(row))
    return found


def _choice(row: TableRow) -> ChoiceLine | RowError:
    number, written = row.values["row_no"], row.values.get("choice")
    assert isinstance(number, int)  # a required whole number was read
    if written is None:
        return ChoiceLine(number, None)
    word = fold(str(written))
    if word in {fold(NEW), "new"}:
        return ChoiceLine(number, "NEW")
    if word in {fold(SKIP), "skip"}:
        return ChoiceLine(number, "SKIP")
    listed = str(row.values.get("candidates") or "").split()
    try:
        if word.isascii() and word.isdigit() and len(word) < 3:
            return (
                ChoiceLine(number, "CHOSEN", UUID(listed[int(word) - 1]))
                if int(word)
                else _wrong(row, written)
            )
        return ChoiceLine(number, "CHOSEN", UUID(str(written)))
    except (IndexError, ValueError):
        return _wrong(row, written)


def _wrong(row: TableRow, written: object) -> RowError:
    refused = Refused(
        "choice-unknown",
        f"Chọn: “{str(written)[:40]}” không phải số ứng viên, MỚI, BỎ QUA hay Mã hệ thống.",
        f"Choice: “{str(written)[:40]}” is no candidate's number, MỚI, BỎ QUA or identifier.",
        "choice",
    )
    return RowError(row.number, "choice", refused.rule, refused.message_vi, refused.message_en)
