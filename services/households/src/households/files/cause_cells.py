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
    for part in (each.strip() for each in re.split(r"[;\n|]", words)):
        if not part:
            continue
        name, colon, rest = part.partition(":")
        code = _by_word().get(fold(name))
        if code is None:
            raise CellInvalid(
                "cause-unknown",
                f"“{part[:60]}” không phải là một nguyên nhân của mẫu 7.10.",
                f"“{part[:60]}” is no cause of form 7.10.",
            )
        if code in codes:
            raise CellInvalid(
                "cause-twice", f"“{name[:60]}” được ghi hai lần.", f"“{name[:60]}” is given twice."
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
