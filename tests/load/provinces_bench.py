"""The poor and near-poor lists of provinces in their published size, from files to exact counts.

    uv run python -m tests.load.provinces_bench                                     all 63 provinces, 2024
    uv run python -m tests.load.provinces_bench --province 52 --province 64 --every-year

Households are invented, their numbers are those published. Files go through the service's own importer, a
commune's file after the other; totals are recorded as published, a range as a range. Then the API is asked for
each province and year in the geography of that day and, once the reform of 2025-07-01 is recorded, in that of
today. The command fails when a figure differs. Beside it stands a limit of the same run: one connection that only stores as many decisions.
"""

import datetime as dt
import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from tests.load import national

from benvung import areas
from benvung_local.client import Officer, until
from benvung_local.demo import addresses
from benvung_local.district import finished
from benvung_local.stack import Ports, Stack
from households.domain import get_standard
from households.domain.totals import Total, sum_of
from households.files import write_review_csv
from households.generate.counts import Counted, province_counts
from households.generate.province import Province, ReviewedYear, Wanted, village_name

STANDARD = "STD_2022_2025"
BEFORE, REFORM, AFTER = dt.date(2025, 1, 24), dt.date(2025, 7, 1), dt.date(2026, 3, 1)
AT_ONCE = 4
LIMIT_ROWS = 50_000
LISTS = ("POOR", "NEAR_POOR")
Days = dict[tuple[str, int], dt.date]


class Country:
    """A running system, and whoever enters all provinces' lists into it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.officer = Officer(addresses(stack), national.OFFICER, seconds=300)
        self.rows, self.seconds, self.days = 0, 0.0, Days()
        published = {each.province: each for each in province_counts().values()}
        self.made_of = Counter(_today(each.province) for each in published.values())

    def enter(self, counts: Sequence[Counted]) -> None:
        """Invent one province's years and import them."""
        wanted = [Wanted(each.year, each.poor, each.near_poor) for each in counts]
        province = Province(counts[0].province, 1, get_standard(STANDARD))
        for reviewed in province.years(wanted):
            if reviewed.year == wanted[0].year:
                self._villages(province)
            self.days[province.code, reviewed.year] = reviewed.holds_from
            files = {commune: self._file(commune, reviewed) for commune in reviewed.rows}
            started = time.monotonic()
            self._import(reviewed, files)
            self.seconds += time.monotonic() - started

    def record(self, counts: Sequence[Counted]) -> None:
        """Record how many households there were: a number, or the range that the source leaves."""
        for each in counts:
            if each.total is not None:
                body = {
                    "least": each.total.least,
                    "most": each.total.most,
                    "as_of": f"{each.year}-12-31",
                    "source": each.source,
                }
                self.officer.send("POST", "households", f"/v1/areas/{each.province}/household-totals", body)

    def _villages(self, province: Province) -> None:
        for commune, number in province.villages().items():
            listed = [{"name": village_name(each)} for each in range(1, number + 1)]
            self.officer.send("PUT", "households", f"/v1/communes/{commune}/villages", {"villages": listed})

    def _file(self, commune: str, reviewed: ReviewedYear) -> Path:
        path = self.folder / f"{reviewed.year}-{commune}.csv"
        self.rows += write_review_csv(path, reviewed.rows[commune], get_standard(STANDARD))
        return path

    def _import(self, reviewed: ReviewedYear, files: dict[str, Path]) -> None:
        waiting: list[str] = []
        for commune, path in files.items():
            body = {
                "commune": commune,
                "year": reviewed.year,
                "kind": "ANNUAL",
                "stage": "OFFICIAL",
                "standard": STANDARD,
                "decided_on": str(reviewed.decided_on),
                "valid_from": str(reviewed.holds_from),
            }
            review = self.officer.send("POST", "households", "/v1/reviews", body)["id"]
            waiting.append(self.officer.upload(f"/v1/reviews/{review}/imports", path)["import_id"])
            path.unlink()
            if len(waiting) >= AT_ONCE:
                self._wait(waiting.pop(0))
        for each in waiting:
            self._wait(each)

    def _wait(self, import_id: str) -> None:
        done = until(600, lambda: finished(self.officer, import_id), 0.02)
        if done["refused"]:
            raise SystemExit(f"import {import_id}: {done['refused']} rows refused")

    def lists(self, area: str, on: dt.date, geography: str) -> tuple[int, int]:
        """Poor and near-poor households of an area as the API counts them."""
        poor, near = (
            self.officer.get(
                "households",
                "/v1/households/count",
                area=area,
                on=str(on),
                geography=geography,
                status="ACTIVE",
                **{"class": each},
            )["households"]
            for each in LISTS
        )
        return poor, near

    def total(self, area: str, year: int, geography: str) -> Total | None:
        """How many households an area had at the end of a year as the API says."""
        found = self.officer.get(
            "households", f"/v1/areas/{area}/household-total", on=f"{year}-12-31", geography=geography
        )
        return None if found["least"] is None else Total(found["least"], found["most"])

    def faults(self, counts: Sequence[Counted], geography: str) -> Iterator[str]:
        """Every figure that is not the published one."""
        expected: dict[tuple[str, int], list[Counted]] = defaultdict(list)
        for each in counts:
            area = each.province if geography == "then" else _today(each.province)
            expected[area, each.year].append(each)
        for (area, year), parts in expected.items():
            on = self.days[parts[0].province, year]
            wanted = sum(each.poor for each in parts), sum(each.near_poor for each in parts)
            found = self.lists(area, on, geography)
            if found != wanted:
                yield f"{area} {year} ({geography}): {found}, published {wanted}"
            totals = [each.total for each in parts]
            if geography == "now" and len(parts) < self.made_of[area]:
                # Not every province that this one was made of was chosen.
                continue
            known = sum_of(each for each in totals if each is not None) if None not in totals else None
            if (said := self.total(area, year, geography)) != known:
                yield f"{area} {year} ({geography}): {said} households, published {known}"

    def reform(self, provinces: Sequence[str]) -> float:
        """Record the reform for these provinces, a document for each province of today, and let every household
        follow; the seconds it takes.
        """
        households = self.stack.processes["households"]
        self.stack.kill("households")
        households.env = {**households.env, "BUSINESS_DATE": str(AFTER)}
        self.stack.start("households")
        parts: dict[str, dict[str, object]] = defaultdict(dict)
        for code in provinces:
            found = self.officer.get("households", "/v1/reorganisations/proposal", area=code)
            parts[_today(code)] |= {part["predecessor"]: part for part in found["parts"]}
        started = time.monotonic()
        for number, each in enumerate(parts.values(), start=1):
            body = {
                "on": str(REFORM),
                "document_number": f"{number}/NQ-UBTVQH15",
                "document_date": "2025-06-16",
                "parts": list(each.values()),
            }
            made = self.officer.send("POST", "households", "/v1/reorganisations", body)
            where = f"/v1/reorganisations/{made['id']}"
            until(3600, lambda where=where: self.officer.get("households", where)["done"], 0.5)
        return time.monotonic() - started

    def limit(self) -> float:
        """Decisions a second that one connection stores, with nothing read, told or kept in record."""
        with psycopg.connect(self.stack.postgres.url("households"), autocommit=True) as conn:
            conn.execute("create table bench_limit (like decisions including all)")
            started = time.monotonic()
            stored = conn.execute(
                "insert into bench_limit select * from decisions limit %s", (LIMIT_ROWS,)
            ).rowcount
            rate = stored / (time.monotonic() - started)
            conn.execute("drop table bench_limit")
        return rate


def _today(code: str) -> str:
    """The code of the province of today that one of old lies in."""
    found = areas.became(areas.communes_under(code, BEFORE)[0], AFTER)
    province = areas.province_of(found[0].code, AFTER)
    assert province is not None
    return province.code


def main(
    province: Annotated[list[str] | None, typer.Option(help="codes of old; empty = all 63")] = None,
    year: Annotated[int, typer.Option(help="the year")] = 2024,
    *,
    every_year: Annotated[bool, typer.Option(help="2021 to 2024, each built on the one before")] = False,
    reform: Annotated[bool, typer.Option(help="ask in the geography of today too")] = True,
) -> None:
    """Enter, ask, print; exit 1 when a figure is not the published one."""
    chosen = [
        each
        for each in province_counts().values()
        if (province is None or each.province in province) and (every_year or each.year == year)
    ]
    of_province: dict[str, list[Counted]] = defaultdict(list)
    for each in chosen:
        of_province[each.province].append(each)
    stack = Stack(ports=Ports.free(), business_date=BEFORE)
    national.add_to(stack)
    with tempfile.TemporaryDirectory(prefix="benvung-provinces-") as folder:
        try:
            stack.start()
            country = Country(stack, Path(folder))
            for code, counts in of_province.items():
                country.enter(counts)
                country.record(counts)
                rate = country.rows / country.seconds
                typer.echo(f"  {code}: {country.rows} dòng, {rate:.0f} dòng/s, tải {os.getloadavg()[0]:.1f}")
            faults = list(country.faults(chosen, "then"))
            typer.echo(f"giới hạn: chỉ ghi {country.limit():.0f} quyết định/s")
            if reform:
                seconds = country.reform(list(of_province))
                typer.echo(f"sắp xếp lại đơn vị hành chính: {seconds:.0f} s")
                faults += [*country.faults(chosen, "then"), *country.faults(chosen, "now")]
        finally:
            stack.stop()
    typer.echo(f"{len(chosen)} số liệu tỉnh-năm, {country.rows} dòng trong {country.seconds:.0f} s")
    for fault in faults:
        typer.echo(f"! {fault}")
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
