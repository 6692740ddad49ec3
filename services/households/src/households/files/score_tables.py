"""Score tables of forms A and B1 that an administrator puts beside the service: a head and its rows, with the paper.

`b1-2025.toml` has the head (form, standard, validity, document, approval, columns), `b1-2025.csv` the rows: item,
item_vi, kind, option, option_vi, from, below, may_skip, and the points in one column for each area column.
"""

import csv
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from households.domain.score_tables import ScoreTable, TableRow, area_columns, read_table


class ScoreTableInvalid(Exception):
    """A table that was put there is wrong; the program must not start with it."""


@cache
def score_tables(folder: str) -> tuple[ScoreTable, ...]:
    """The tables of a folder; none without a folder. Raises `ScoreTableInvalid` with all that is wrong."""
    return tuple(_table(head) for head in sorted(Path(folder).glob("*.toml"))) if folder else ()


def _table(head: Path) -> ScoreTable:
    try:
        known = tomllib.loads(head.read_text("utf-8"))
        table, faults = read_table(known, _rows(head.with_suffix(".csv")))
    except (OSError, ValueError, KeyError) as error:
        raise ScoreTableInvalid(f"{head.name}: {error!r}") from error
    if table is None:
        raise ScoreTableInvalid(f"{head.name}: {'; '.join(fault.message_en for fault in faults)}")
    return table


def _rows(file: Path) -> Iterator[TableRow]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            for column in area_columns():
                if (points := (row.get(column) or "").strip()) != "":
                    yield TableRow(
                        row["item"], row["item_vi"], row["kind"], row["option"], row["option_vi"], column,
                        int(points), row.get("from") or None, row.get("below") or None,
                        may_skip=(row.get("may_skip") or "").strip().lower() in {"1", "x", "yes", "có"},
                    )  # fmt: skip
