"""Inventing a district that meets real counts: `households generate`.

People, villages and movements are invented; the counts come from a table of marginals that says of each
where it is from. The same seed gives the same files.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from households.domain import Refused, get_standard, normalise_name
from households.files.cells import fold
from households.generate.district import build_district
from households.generate.marginals import DISTRICTS, load_marginals
from households.generate.output import REVIEWS, Form, Identity, Output, area_type_of

STANDARD = "STD_2022_2025"
YEARS = tuple(sorted({plan.year for plan in REVIEWS}))


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written: the files, and how many households of the register's export were recognised."""

    files: tuple[Path, ...]
    recognised: int


def generate(
    district: str,
    year: int,
    out: Path,
    seed: int,
    *,
    register: Path | None = None,
    form: Form = "xlsx",
) -> Generated:
    """Write one year of an invented district into `out`.

    For the second year `register` is a folder with the register's CSV exports; rows and changes then carry
    the Mã hệ thống found there. Refuses a district or year that has no marginals.
    """
    if district not in DISTRICTS or year not in YEARS:
        raise Refused(
            "nothing-to-generate",
            f"Chỉ có số liệu để sinh cho huyện {', '.join(DISTRICTS)}, năm {', '.join(map(str, YEARS))}.",
            f"There are counts for district {', '.join(DISTRICTS)} and years {', '.join(map(str, YEARS))} only.",
            "district" if district not in DISTRICTS else "year",
        )
    decided_on = REVIEWS[0].decided_on
    types = {c: area_type_of(c, decided_on) for c in load_marginals(district).communes}
    built = build_district(district, seed, types)
    known = read_register(register) if register else {}
    output = Output(built, get_standard(STANDARD), seed, out, form, known)
    output.write(year)
    recognised = sum(output.id_of(family) is not None for family in built.families)
    return Generated(tuple(output.files), recognised)


def read_register(folder: Path) -> dict[Identity, UUID]:
    """The households of the register's exports in a folder, by commune, village and head."""
    known: dict[Identity, UUID] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line in csv.DictReader(file):
                row = {fold(title): value for title, value in line.items() if title}
                key = (row["maxa"], row["mathon"], normalise_name(row["hovatenchuho"]))
                known[key] = UUID(row["mahethong"])
    return known
