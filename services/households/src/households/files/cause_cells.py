"""A cell that names causes of poverty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from households.domain.causes import TEXT_LIMIT, cause_list
from households.files.cells import Cell, CellInvalid, fold, limited

_MOST = 1000


def named_causes(cell: Cell) -> tuple[tuple[str, ...] | None, str | None]:
    """The causes that a cell names, by codes or labels with semicolons between, and the words of another one.

    Other causes are written “Nguyên nhân khác: …”. Raises `CellInvalid`.
    """
    if cell is None or cell == "":
        return None, None
    words = limited(cell, _MOST)
    codes: list[str] = []
    said: str | None = None
    parts = (part for each in re.split(r"[;\n|]", words) if (part := each.strip()))
    # Answers are read by all of the area and a cell may name an illness: they say which one it is by its number.
    for number, part in enumerate(parts, start=1):
        name, colon, rest = part.partition(":")
        code = _by_word().get(fold(name))
        if code is None:
            raise CellInvalid(
                "cause-unknown",
                f"nguyên nhân thứ {number} trong ô không có trong mẫu 7.10.",
                f"form 7.10 has no such cause as number {number} of the cell.",
            )
        if code in codes:
            raise CellInvalid(
                "cause-twice",
                f"nguyên nhân thứ {number} trong ô đã được ghi trước đó.",
                f"cause number {number} of the cell is given twice.",
            )
        codes.append(code)
        if colon and rest.strip():
            said = rest.strip()[: TEXT_LIMIT + 1]
    return tuple(codes) or None, said


def causes_cell(codes: Sequence[str] | None, text: str | None) -> str:
    """Causes as a cell names them."""
    known = cause_list().causes
    return "; ".join(
        f"{_short(known[code].vi)}: {text}" if known[code].needs_text and text else known[code].vi
        for code in codes or ()
    )


def _short(label: str) -> str:
    return label.partition("(")[0].strip()


@cache
def _by_word() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, cause in cause_list().causes.items():
        for word in (code, cause.vi, cause.en, _short(cause.vi), _short(cause.en)):
            found[fold(word)] = code
    return found
