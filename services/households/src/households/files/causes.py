"""Form 7.10, households by cause of poverty, as it is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from households.domain.causes import cause_list
from households.files.write import csv_pieces, write_sheet

_CLASSES = (("", "Tổng"), ("POOR", "– Hộ nghèo"), ("NEAR_POOR", "– Hộ cận nghèo"))


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One area of form 7.10: of both lists and of each, the households and those with each cause.

    A count is None where somebody may not see it.
    """

    name: str
    households: dict[str, int]
    counts: dict[str, dict[str, int | None]]


def causes_csv(lines: Iterable[CauseLine]) -> Iterator[bytes]:
    """Form 7.10 as CSV, piece by piece."""
    yield from csv_pieces(_head(), _rows(lines))


def write_causes_xlsx(path: Path, lines: Iterable[CauseLine]) -> int:
    """Form 7.10 as a workbook."""
    widths = (6, 34, 12, *(16 for _ in cause_list().causes))
    return write_sheet(path, "Mẫu 7.10", _head(), widths, _rows(lines))


def _head() -> list[str]:
    causes = [f"{cause.column}. {cause.vi}" for cause in cause_list().causes.values()]
    return ["TT", "Khu vực/Đơn vị", "Số hộ", *causes]


def _rows(lines: Iterable[CauseLine]) -> Iterator[Sequence[object]]:
    for number, line in enumerate(lines, start=1):
        for household_class, words in _CLASSES:
            own = not household_class
            counts = line.counts[household_class]
            yield (
                number if own else "",
                line.name if own else words,
                line.households[household_class],
                *(counts[code] for code in cause_list().causes),
            )
