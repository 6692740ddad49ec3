"""The columns of a file of review results: their names, their other names, and how a header is found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from households.domain import Refused, Standard, standards
from households.files.cells import Cell, fold, text
from households.files.columns import FileKind, columns_of, flag_title

HEADER_SEARCH_ROWS = 30
"""Titles above the table never take more rows than this."""

_RESULTS = columns_of(FileKind.RESULTS).columns
TITLES: Mapping[str, str] = {column.field: column.vi for column in _RESULTS}
"""The fields of a row in the order of the provinces' software, then village, causes and our identifier."""

REQUIRED = ("village", "head_name", "code", "members", "b1_points")

_FIELD_BY_NAME = {fold(name): column.field for column in _RESULTS for name in (column.vi, *column.other)}
_IGNORED = {fold(name) for name in ("TT", "STT", "Số TT", "Ghi chú", "note", "id", "Tên thôn")}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field stands: column numbers from 0, and the flag columns in the standard's order."""

    header_row: int
    fields: Mapping[str, int]
    flags: tuple[int, ...]
    ignored: tuple[str, ...]


def find_layout(rows: Sequence[Sequence[Cell]], standard: Standard) -> Layout:
    """Find the header among the first rows and place its columns; refuses with what is missing."""
    best = max(range(len(rows)), key=lambda n: _known_names(rows[n], standard), default=None)
    if best is None or _known_names(rows[best], standard) < 2:
        raise Refused(
            "header-not-found",
            f"Không tìm thấy dòng tiêu đề trong {HEADER_SEARCH_ROWS} dòng đầu. Cần các cột: {_required()}.",
            f"No header in the first {HEADER_SEARCH_ROWS} rows. Columns needed: {_required()}.",
            "header",
        )
    return _place(best, [text(cell) for cell in rows[best]], standard)


def _place(row: int, names: Sequence[str], standard: Standard) -> Layout:
    flag_names = _flag_names(standard)
    fields: dict[str, int] = {}
    flags: dict[str, int] = {}
    unknown: dict[int, str] = {}
    for column, name in enumerate(names):
        key = fold(name)
        if not key or key in _IGNORED:
            continue
        found = _FIELD_BY_NAME.get(key)
        placed, wanted = (fields, found) if found else (flags, flag_names.get(key))
        if wanted is None:
            unknown[column] = name
        elif wanted in placed:
            _refuse_twice(name)
        else:
            placed[wanted] = column
    _refuse_missing(fields, flags, names, standard)
    _refuse_more_flags(flags, unknown, standard)
    ordered = tuple(flags[code] for code in standard.indicator_codes) if flags else ()
    return Layout(row, fields, ordered, tuple(unknown.values()))


_NUMBERED = re.compile(r"\s*\d+\s*[.)]\s*\S")


def _refuse_twice(name: str) -> None:
    raise Refused(
        "column-twice",
        f"Cột “{name[:60]}” xuất hiện hai lần.",
        f"Column “{name[:60]}” occurs twice.",
        "header",
    )


def _refuse_missing(
    fields: Mapping[str, int], flags: Mapping[str, int], names: Sequence[str], standard: Standard
) -> None:
    missing = [TITLES[field] for field in REQUIRED if field not in fields]
    if flags:
        missing += [i.label_vi for i in standard.indicators if i.code not in flags]
    elif "b2_points" not in fields:
        missing.append(TITLES["b2_points"])
    if missing:
        found = ", ".join(name[:40] for name in names if name) or "—"
        raise Refused(
            "columns-missing",
            f"Thiếu cột: {', '.join(missing)}. Các cột đã thấy: {found}.",
            f"Columns missing: {', '.join(missing)}. Columns found: {found}.",
            "header",
        )


def _refuse_more_flags(flags: Mapping[str, int], unknown: Mapping[int, str], standard: Standard) -> None:
    """An unknown column among the flags, or numbered as they are, is a thirteenth indicator."""
    block = range(min(flags.values()), max(flags.values()) + 2) if flags else range(0)
    foreign = {key for other in standards().values() for key in _flag_names(other)}
    extra = [
        name
        for column, name in unknown.items()
        if column in block or fold(name) in foreign or (flags and _NUMBERED.match(name))
    ]
    if extra:
        total = len(flags) + len(extra)
        raise Refused(
            "too-many-indicators",
            f"Có {total} cột chỉ số; chuẩn {standard.code} có {len(standard.indicators)}."
            f" Không nhận ra: {', '.join(name[:40] for name in extra)}.",
            f"{total} indicator columns; standard {standard.code} has {len(standard.indicators)}."
            f" Not recognised: {', '.join(name[:40] for name in extra)}.",
            "deprivations",
            standard.legal,
        )


def _flag_names(standard: Standard) -> dict[str, str]:
    names: dict[str, str] = {}
    for indicator in standard.indicators:
        numbered = flag_title(indicator.number, indicator.label_vi)
        for name in (indicator.code, indicator.label_vi, numbered):
            names[fold(name)] = indicator.code
    return names


def _known_names(row: Sequence[Cell], standard: Standard) -> int:
    flags = _flag_names(standard)
    keys = {fold(text(cell)[:100]) for cell in row}
    return sum(key in _FIELD_BY_NAME or key in flags for key in keys)


def _required() -> str:
    return ", ".join(TITLES[field] for field in REQUIRED)
