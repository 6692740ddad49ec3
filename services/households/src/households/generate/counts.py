"""What is published of the provinces of old: poor and near-poor households by year, and how many there were.

A total that the source gives only to some digits is a range, and stays one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from households.domain import Refused
from households.domain.totals import Total


@dataclass(frozen=True, slots=True)
class Counted:
    """A province's lists at the end of a year. `total` is None where the source gives nothing of it."""

    province: str
    name: str
    since_2025: str
    year: int
    poor: int
    near_poor: int
    total: Total | None
    source: str
    confidence: str


@cache
def province_counts() -> Mapping[tuple[str, int], Counted]:
    """All that is published, by the province's code and the year."""
    text = (resources.files("households") / "data" / "province_counts.csv").read_text("utf-8")
    return {
        (row["province"], int(row["year"])): Counted(
            row["province"],
            row["name"],
            row["since_2025"],
            int(row["year"]),
            int(row["poor"]),
            int(row["near_poor"]),
            Total(int(row["total_least"]), int(row["total_most"])) if row["total_least"] else None,
            row["source"],
            row["confidence"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def counted(province: str, year: int) -> Counted:
    """What is published of one province and year; refused by name where nothing is."""
    found = province_counts().get((province, year))
    if found is None:
        raise Refused(
            "province-not-counted",
            f"Không có số liệu công bố của tỉnh {province} năm {year}.",
            f"Nothing is published of province {province} for {year}.",
            "province",
        )
    return found
