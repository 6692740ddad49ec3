"""Entering many households at once, and seeing when everybody counts them."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from tests.load.figures import Figure

from benvung_local import district
from benvung_local.client import Officer, until
from benvung_local.demo import addresses
from benvung_local.stack import Stack
from households.domain import get_standard
from households.files import ReviewRow, write_review_csv

STANDARD = "STD_2022_2025"
SMALL, LARGE = 1_000, 100_000


def imports(stack: Stack, folder: Path) -> Iterator[Figure]:
    """From the first byte of the upload to visible eligibility and report, for a small and a large load."""
    officer = settled(stack, folder)
    communes = district.communes_of(folder)
    small = upload(stack, officer, folder, communes[:1], rows=SMALL, year="2023")
    yield Figure(f"{SMALL} hộ, từ tệp đến khi thấy", f"{small:.2f} s", "≤ 2 s", small <= 2)
    large = upload(stack, officer, folder, communes[1:], rows=LARGE, year="2022")
    rate = LARGE / large
    yield Figure(f"{LARGE} dòng đến khi thấy", f"{rate:.0f} dòng/s", "≥ 1.500 dòng/s", rate >= 1500)


def settled(stack: Stack, folder: Path) -> Officer:
    """The district's officer, with the villages entered unless another part did that."""
    officer = Officer(addresses(stack), "huyen-kong-chro")
    district.generate(folder, 2022)
    if officer.get("households", "/v1/households/count")["households"] == 0:
        district.enter_villages(officer, folder)
    return officer


def upload(
    stack: Stack, officer: Officer, folder: Path, communes: list[str], *, rows: int, year: str
) -> float:
    """Seconds until all rows are counted by funding and reporting alike."""
    files = [
        (
            commune,
            review_file(folder, officer, commune, rows // len(communes) + (at < rows % len(communes)), year),
        )
        for at, commune in enumerate(communes)
    ]
    reviews = [open_review(officer, commune, year) for commune, _ in files]
    before = counted(stack)[:2]
    started = time.monotonic()
    for review, (_, file) in zip(reviews, files, strict=True):
        officer.upload(f"/v1/reviews/{review}/imports", file)
    # Asking costs the database; a large load is asked about less often.
    until(600, lambda: visible(stack, max(before) + rows), 0.02 if rows <= SMALL else 0.25)
    return time.monotonic() - started


def open_review(officer: Officer, commune: str, year: str) -> str:
    return district.open_review(
        officer,
        {
            "commune": commune,
            "year": year,
            "kind": "ANNUAL",
            "stage": "OFFICIAL",
            "standard": STANDARD,
            "decided_on": f"{year}-12-12",
            "valid_from": f"{year}-12-12",
            "decision_number": f"{commune}/{year}",
        },
    )


COUNTED = {
    "funding": "select (select count(*) from household_states where poverty_class is not null),"
    " (select count(*) from eligibility where status = 'ELIGIBLE')",
    "reporting": "select (select count(*) from household_states where class is not null),"
    " (select count(*) from eligibility_states where status = 'ELIGIBLE')",
}


def counted(stack: Stack) -> list[int]:
    """Households with a class in funding and in reporting, then entitlements in both."""
    found = []
    for service, query in COUNTED.items():
        with psycopg.connect(stack.database_url(service)) as conn:
            found.append(conn.execute(query).fetchone() or (0, 0))
    return [int(number) for pair in zip(*found, strict=True) for number in pair]


def visible(stack: Stack, households: int) -> bool:
    funding, reporting, entitled, reported = counted(stack)
    return min(funding, reporting) >= households and entitled == reported


def review_file(folder: Path, officer: Officer, commune: str, rows: int, year: str) -> Path:
    villages = officer.get("households", f"/v1/communes/{commune}/villages")["villages"]
    path = folder / f"bench-{year}-{commune}.csv"
    points = ((120, 50), (130, 20), (200, 0))
    write_review_csv(
        path,
        (
            ReviewRow(
                number=number,
                village=villages[number % len(villages)]["name"],
                head_name=f"Đinh Văn Thử {year} {number}",
                code=f"{year[2:]}{number:06d}",
                members=4,
                b1_points=points[number % 3][0],
                b2_points=points[number % 3][1],
                reviewed_on=dt.date(int(year), 11, 1),
            )
            for number in range(1, rows + 1)
        ),
        get_standard(STANDARD),
    )
    return path
