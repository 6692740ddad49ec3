"""Households invented to a province's published counts, imported: the register gives the counts back exactly."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.households.officer import STANDARD, Commune, SignIn

from benvung import areas, clock
from households.domain import HouseholdClass, Refused, get_standard
from households.domain.totals import Total
from households.files import ReviewRow, read_review
from households.follower import Follower
from households.generate.counts import Counted, counted, province_counts
from households.generate.province import Province, ReviewedYear, Wanted, flows, village_name
from households.generate.province_files import write_province

GIA_LAI, BINH_DINH, NEW = "64", "52", "52"
YEARS = (2021, 2022, 2023, 2024)
# In Gia Lai two that became one; in Bình Định one that was divided, and one beside it.
PLACES = {GIA_LAI: ("23827", "23830", "23824"), BINH_DINH: ("21634", "21628", "21622")}
LISTS = ("POOR", "NEAR_POOR")
REFORM = dt.date(2025, 7, 1)
AFTER = dt.date(2026, 3, 1)


@pytest.fixture(autouse=True)
def units_as_listed() -> Iterator[None]:
    """Each test begins with the published units, before the reform of 2025-07-01."""
    areas.learn(())
    clock.fix(dt.date(2025, 1, 24))
    yield
    clock.fix(None)
    areas.learn(())


class Country:
    """Somebody responsible for all provinces, who enters what was invented as the communes would."""

    def __init__(self, app: FastAPI, signed_in: SignIn, folder: Path) -> None:
        self.officer = Commune(app, signed_in("VN"), folder, "VN")

    async def enter(self, province: Province, wanted: Sequence[Wanted]) -> None:
        """Import every year's files through the service's own importer; no row may be refused."""
        for reviewed in province.years(wanted):
            if reviewed.year == wanted[0].year:
                for commune, number in province.villages().items():
                    await self._villages(commune, number)
            await self._import(reviewed)

    async def _villages(self, commune: str, number: int) -> None:
        await self.officer.ask(
            "PUT",
            f"/v1/communes/{commune}/villages",
            json={"villages": [{"name": village_name(each)} for each in range(1, number + 1)]},
            headers={"If-Match": "*"},
        )

    async def _import(self, reviewed: ReviewedYear) -> None:
        sent = []
        for commune, rows in reviewed.rows.items():
            days = {"decided_on": str(reviewed.decided_on), "valid_from": str(reviewed.holds_from)}
            review = await self.officer.open_review(reviewed.year, commune=commune, **days)
            content = await asyncio.to_thread(self.officer.csv, rows)
            sent.append((await self.officer.send(review, content))["import_id"])
        await self.officer.run_imports()
        for each in sent:
            done = await self.officer.ask("GET", f"/v1/imports/{each}")
            assert (done["state"], done["applied"], done["refused"]) == ("DONE", done["total"], 0)

    async def lists(self, area: str, **asked: str) -> dict[str, int]:
        """How many poor and near-poor households the API counts in an area."""
        found = {}
        for each in LISTS:
            query = {"area": area, "class": each, "status": "ACTIVE", **asked}
            counted = await self.officer.ask("GET", "/v1/households/count", params=query)
            found[each] = counted["households"]
        return found

    async def total(self, area: str, year: int, geography: str) -> Total:
        """How many households the API says an area has at the end of a year."""
        query = {"on": f"{year}-12-31", "geography": geography}
        found = await self.officer.ask("GET", f"/v1/areas/{area}/household-total", params=query)
        total = Total(found["least"], found["most"])
        assert found["households"] == total.exact
        return total

    async def reform(self, area: str) -> None:
        """Record the reorganisation of an area as the published list has it, and let households follow."""
        proposal = await self.officer.ask("GET", "/v1/reorganisations/proposal", params={"area": area})
        body = {
            "on": str(REFORM),
            "document_number": "1664/NQ-UBTVQH15",
            "document_date": "2025-06-16",
            "parts": proposal["parts"],
        }
        await self.officer.ask("POST", "/v1/reorganisations", 201, json=body)
        while await Follower().round(self.officer.app.state.engine):
            pass


@pytest.fixture
def country(application: tuple[FastAPI, Any], signed_in: SignIn, tmp_path: Path) -> Country:
    return Country(application[0], signed_in, tmp_path)


async def test_a_province_in_its_true_size_is_given_back_to_the_last_household(country: Country) -> None:
    published = counted(BINH_DINH, 2024)
    province = Province(BINH_DINH, 1, get_standard(STANDARD), PLACES[BINH_DINH])

    await country.enter(province, [Wanted(2024, published.poor, published.near_poor)])

    assert await country.lists(BINH_DINH) == {"POOR": 4_517, "NEAR_POOR": 9_704}
    assert await country.lists(GIA_LAI) == {"POOR": 0, "NEAR_POOR": 0}
    verified = await country.officer.ask("GET", "/v1/verify", params={"area": BINH_DINH})
    assert {each: verified["total"][each]["households"] for each in LISTS} == {
        "POOR": 4_517,
        "NEAR_POOR": 9_704,
    }


async def test_every_year_is_given_back_in_the_old_and_in_the_new_geography(country: Country) -> None:
    wanted = {
        code: [
            Wanted(year, counted(code, year).poor // 100, counted(code, year).near_poor // 100)
            for year in YEARS
        ]
        for code in (GIA_LAI, BINH_DINH)
    }
    for code, years in wanted.items():
        await country.enter(Province(code, 1, get_standard(STANDARD), PLACES[code]), years)
    before = {
        (code, each.year): await country.lists(code, on=day_of(each.year))
        for code, years in wanted.items()
        for each in years
    }

    clock.fix(AFTER)
    for commune in ("23827", "23824", "21634"):
        await country.reform(commune)

    for code, years in wanted.items():
        for each in years:
            expected = {"POOR": each.poor, "NEAR_POOR": each.near_poor}
            day = day_of(each.year)
            assert before[code, each.year] == expected, (code, day)
            assert await country.lists(code, on=day, geography="then") == expected, (code, day)
    for one, other in zip(*wanted.values(), strict=True):
        merged = {"POOR": one.poor + other.poor, "NEAR_POOR": one.near_poor + other.near_poor}
        assert await country.lists(NEW, on=day_of(one.year), geography="now") == merged, one.year
    assert await country.lists(NEW) == merged


async def test_totals_are_given_back_exactly_and_a_range_stays_a_range_in_both_geographies(
    country: Country,
) -> None:
    published = {(code, year): counted(code, year) for code in (GIA_LAI, BINH_DINH) for year in YEARS}
    for (code, year), each in published.items():
        assert each.total is not None
        body = {
            "least": each.total.least,
            "most": each.total.most,
            "as_of": f"{year}-12-31",
            "source": each.source,
        }
        await country.officer.ask("POST", f"/v1/areas/{code}/household-totals", 201, json=body)

    before = {key: await country.total(*key, "then") for key in published}
    clock.fix(AFTER)
    after = {key: await country.total(*key, "then") for key in published}
    merged = {year: await country.total(NEW, year, "now") for year in YEARS}

    assert before == after == {key: each.total for key, each in published.items()}
    assert before[GIA_LAI, 2021].exact == 377_956
    assert before[GIA_LAI, 2024] == Total(393_458, 393_908)
    assert merged == {
        2021: Total(816_267, 816_267),
        2022: Total(823_724, 823_724),
        2023: Total(828_471, 830_357),
        2024: Total(837_576, 840_069),
    }


NUMBERS = st.integers(0, 60)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=4), st.integers(0, 9))
def test_any_counts_are_met_year_after_year_and_nobody_leaves_a_list_twice(
    counts: list[tuple[int, int]], seed: int
) -> None:
    wanted = [Wanted(2021 + at, *each) for at, each in enumerate(counts)]
    province = Province(GIA_LAI, seed, get_standard(STANDARD), PLACES[GIA_LAI])
    listed: dict[tuple[str, str, str], HouseholdClass] = {}
    for reviewed, each in zip(province.years(wanted), wanted, strict=True):
        rows = {(c, row.village, str(row.code)): row for c, found in reviewed.rows.items() for row in found}
        assert len(rows) == sum(map(len, reviewed.rows.values()))
        missing = {k for k, was in listed.items() if was is not HouseholdClass.NOT_POOR} - set(rows)
        assert not missing, "who is on a list is reviewed the next year"
        for key, row in rows.items():
            assert row.declared_class is not None
            listed[key] = row.declared_class
        now = Counter(listed.values())
        assert (now[HouseholdClass.POOR], now[HouseholdClass.NEAR_POOR]) == (each.poor, each.near_poor)


def test_the_movements_of_every_published_province_are_possible() -> None:
    for code, year in province_counts():
        if year == YEARS[0] or (code, year - 1) not in province_counts():
            continue
        before, after = (_wanted(counted(code, each)) for each in (year - 1, year))
        moved = flows(before, after)
        assert min(astuple(moved)) >= 0, (code, year)
        assert moved.poor_to_near + moved.poor_out <= before.poor
        assert moved.near_to_poor + moved.near_out <= before.near_poor


def test_the_same_seed_invents_the_same_and_another_one_does_not() -> None:
    made = [
        next(iter(Province(GIA_LAI, seed, get_standard(STANDARD)).years([Wanted(2024, 40, 60)]))).rows
        for seed in (1, 1, 2)
    ]
    assert made[0] == made[1] != made[2]


def test_the_published_table_has_its_gaps_and_its_sums() -> None:
    assert len(province_counts()) == 63 * 4 - 1
    with pytest.raises(Refused) as refused:
        counted("46", 2021)
    assert refused.value.rule == "province-not-counted"
    assert counted("17", 2024).total is None
    sums = {year: [0, 0] for year in YEARS}
    for each in province_counts().values():
        sums[each.year][0] += each.poor
        sums[each.year][1] += each.near_poor
    # As the ministry published them for the country.
    assert sums[2022] == [1_057_374, 915_274]
    assert sums[2023] == [815_101, 771_235]
    assert sums[2024] == [599_608, 659_389]


def day_of(year: int) -> str:
    """A day on which a year's lists hold: those of 2021 begin with the standard they rest on."""
    return "2022-01-01" if year == 2021 else f"{year}-12-31"


def _wanted(published: Counted) -> Wanted:
    return Wanted(published.year, published.poor, published.near_poor)


def test_the_files_of_a_province_hold_its_published_lists(tmp_path: Path) -> None:
    write_province("48", [2024, 2023], tmp_path, 1)

    for year in (2023, 2024):
        found: Counter[str] = Counter()
        for path in sorted((tmp_path / f"ANNUAL-{year}").iterdir()):
            for row in read_review(path, get_standard(STANDARD)):
                assert isinstance(row, ReviewRow)
                found[str(row.declared_class)] += 1
        published = counted("48", year)
        assert (found["POOR"], found["NEAR_POOR"]) == (published.poor, published.near_poor)
    with pytest.raises(Refused):
        write_province("46", [2021], tmp_path, 1)
