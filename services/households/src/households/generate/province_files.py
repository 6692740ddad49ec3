"""Writing a province's invented lists: villages, each commune's file for each year, and the published totals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from households.domain import Refused, ReviewKind, Stage, get_standard
from households.files import write_review_csv
from households.generate.counts import Counted, counted
from households.generate.province import Province, ReviewedYear, Wanted, village_name

STANDARD = "STD_2022_2025"
REVIEWS = (
    "file", "commune", "year", "kind", "stage", "standard", "decided_on", "valid_from", "decision_number",
)  # fmt: skip


def write_province(code: str, years: Sequence[int], out: Path, seed: int) -> list[Path]:
    """Write these years of a province into `out`, each built on the one before; refuses what is not published."""
    published = [counted(code, year) for year in sorted(years)]
    if not published:
        raise Refused("nothing-to-generate", "Chưa chọn năm nào.", "No year was chosen.", "years")
    out.mkdir(parents=True, exist_ok=True)
    wanted = [Wanted(each.year, each.poor, each.near_poor) for each in published]
    province = Province(code, seed, get_standard(STANDARD))
    files = [_table(out / "totals.csv", _TOTALS, map(_total, published))]
    for reviewed in province.years(wanted):
        files += _year(out, reviewed)
    listed = [
        (commune, f"{commune}.{each:02}", village_name(each))
        for commune, number in province.villages().items()
        for each in range(1, number + 1)
    ]
    return [*files, _table(out / "villages.csv", ("commune", "code", "name"), listed)]


def _year(out: Path, reviewed: ReviewedYear) -> list[Path]:
    folder = out / f"ANNUAL-{reviewed.year}"
    folder.mkdir(exist_ok=True)
    written, lines = [], []
    for commune, rows in reviewed.rows.items():
        path = folder / f"{commune}.csv"
        write_review_csv(path, rows, get_standard(STANDARD))
        written.append(path)
        lines.append(
            (
                path.relative_to(out).as_posix(), commune, reviewed.year, ReviewKind.ANNUAL, Stage.OFFICIAL,
                STANDARD, reviewed.decided_on, reviewed.holds_from, f"{commune}/{reviewed.year}/QĐ-UBND",
            )
        )  # fmt: skip
    return [*written, _table(out / f"reviews-{reviewed.year}.csv", REVIEWS, lines)]


_TOTALS = ("province", "year", "poor", "near_poor", "total_least", "total_most", "source", "confidence")


def _total(each: Counted) -> Sequence[object]:
    total = (each.total.least, each.total.most) if each.total else ("", "")
    return (each.province, each.year, each.poor, each.near_poor, *total, each.source, each.confidence)


def _table(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
    return path
