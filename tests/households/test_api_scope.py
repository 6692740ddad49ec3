"""Area scope: what one may see and change is one rule, in lists, single reads, counts, exports and writes."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.households.officer import STANDARD, Commune, SignIn, row

from benvung.testing.tokens import Tokens

COMMUNES = ("23824", "23827", "23830", "23833")
# Codes of every level, inside and outside the four communes, and one that is no unit's.
AREAS = (*COMMUNES, "630", "64", "VN", "001", "01", "23836", "99999")


def inside(areas: tuple[str, ...]) -> set[str]:
    """The communes of this test that areas hold, by the plain meaning of the codes."""
    if {"630", "64", "VN"} & set(areas):
        return set(COMMUNES)
    return set(areas) & set(COMMUNES)


@pytest_asyncio.fixture
async def district(
    application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path
) -> dict[str, list[str]]:
    """Four communes with one to four households each, by their ids."""
    found: dict[str, list[str]] = {}
    for number, code in enumerate(COMMUNES, start=1):
        officer = Commune(application[0], signed_in(code), tmp_path, code)
        await officer.list_villages("Làng Một")
        await officer.import_rows(
            await officer.open_review(), *(row(n, f"Đinh {code} {n}") for n in range(1, number + 1))
        )
        found[code] = [each["id"] for each in await officer.households()]
    return found


async def seen(client: httpx2.AsyncClient, area: str | None) -> dict[str, Any]:
    """What list, count, export and verify show, each as (number by commune, or number)."""
    query = {"area": area} if area else {}
    page = (await client.get("/v1/households", params={"limit": 500, **query})).json()["items"]
    counted = (await client.get("/v1/households/count", params=query)).json()["households"]
    exported = (await client.get("/v1/households.csv", params={"purpose": "POLICY"} | query)).content.decode(
        "utf-8-sig"
    )
    verified = (await client.get("/v1/verify", params=query)).json()
    lines = list(csv.DictReader(io.StringIO(exported)))
    return {
        "listed": sorted((each["commune"], each["id"]) for each in page),
        "exported": sorted((each["Mã xã"], each["Mã hệ thống"]) for each in lines),
        "counted": counted,
        "verified": {
            each["commune"]: sum(one["households"] for one in each["classes"].values())
            for each in verified["communes"]
        },
    }


async def test_lists_reads_counts_and_exports_show_the_asked_part_of_ones_area_and_nothing_else(
    district: dict[str, list[str]], signed_in: SignIn
) -> None:
    loop = asyncio.get_running_loop()

    async def check(own: tuple[str, ...], area: str | None) -> None:
        visible = inside(own) & (inside((area,)) if area else set(COMMUNES))
        expected = sorted((code, each) for code in visible for each in district[code])
        async with signed_in(*own) as client:
            found = await seen(client, area)
            for code in COMMUNES:
                status = (await client.get(f"/v1/households/{district[code][0]}")).status_code
                assert status == (200 if code in inside(own) else 404)
        assert found["listed"] == expected
        assert found["exported"] == expected
        assert found["counted"] == len(expected)
        assert found["verified"] == {code: len(district[code]) for code in visible}

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        own=st.lists(st.sampled_from(AREAS), max_size=3, unique=True).map(tuple),
        area=st.none() | st.sampled_from(AREAS),
    )
    def property_holds(own: tuple[str, ...], area: str | None) -> None:
        asyncio.run_coroutine_threadsafe(check(own, area), loop).result(60)

    await asyncio.to_thread(property_holds)


async def test_an_officer_of_another_commune_changes_nothing(
    district: dict[str, list[str]], signed_in: SignIn, commune: Commune
) -> None:
    household = district["23830"][0]
    review = await Commune(commune.app, signed_in("23830"), commune.folder, "23830").open_review(2023)
    stranger = signed_in("23833")
    body: dict[str, Any] = {"household_id": household, "members": 4, "b1_points": 1, "b2_points": 0}
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"/v1/reviews/{review}/results", {"json": body}),
        ("POST", f"/v1/reviews/{review}/closure", {}),
        (
            "POST",
            f"/v1/reviews/{review}/imports",
            {"content": commune.csv([row(1, "X")]), "headers": {"Content-Type": "text/csv"}},
        ),
        ("PUT", "/v1/communes/23830/villages", {"json": {"villages": []}}),
        ("POST", f"/v1/households/{household}/closure", {"json": {"reason": "DEATH", "on": "2023-05-01"}}),
        (
            "POST",
            f"/v1/households/{household}/moves",
            {"json": {"to_commune": "23833", "to_village": "23833.01", "on": "2023-05-01"}},
        ),
        (
            "POST",
            "/v1/households",
            {"json": {"commune": "23830", "village": "23830.01", "head_name": "X", "members": 1}},
        ),
        (
            "POST",
            "/v1/reviews",
            {
                "json": {
                    "commune": "23830",
                    "year": 2023,
                    "kind": "REGULAR",
                    "stage": "OFFICIAL",
                    "standard": STANDARD,
                    "decided_on": "2023-05-20",
                }
            },
        ),
        (
            "POST",
            "/v1/areas/23830/population",
            {"json": {"households": 1, "persons": 1, "as_of": "2023-12-31", "source": "x"}},
        ),
        (
            "POST",
            "/v1/areas/630/population",
            {"json": {"households": 1, "persons": 1, "as_of": "2023-12-31", "source": "x"}},
        ),
    ]
    for method, path, request in attempts:
        answer = await stranger.request(method, path, **request)
        assert (answer.status_code, answer.json()["rule"]) == (403, "outside-area"), path

    for path in (f"/v1/reviews/{review}", "/v1/areas/23830/population", "/v1/communes/23830/villages"):
        assert (await stranger.get(path)).status_code == 404, path
    before = await signed_in("23830").get(f"/v1/households/{household}")
    assert (before.json()["revision"], before.json()["status"]) == (1, "ACTIVE")


async def test_a_household_of_another_commune_cannot_be_decided_in_ones_own_review(
    district: dict[str, list[str]], commune: Commune
) -> None:
    review = await commune.open_review(2023)

    refused = await commune.ask(
        "POST",
        f"/v1/reviews/{review}/results",
        404,
        json={"household_id": district["23830"][0], "members": 4, "b1_points": 1, "b2_points": 0},
    )

    assert refused["rule"] == "household-not-found"


async def test_who_reads_names_is_recorded(
    district: dict[str, list[str]], signed_in: SignIn, commune: Commune
) -> None:
    reader = signed_in("23827", permissions=("households.read",))
    await reader.get(f"/v1/households/{district['23827'][0]}")
    await reader.get("/v1/households")
    await reader.get("/v1/households.csv?purpose=POLICY")

    async with commune.app.state.engine.connect() as conn:
        actions = (await conn.exec_driver_sql("select action from audit order by id")).scalars().all()

    assert actions[-3:] == ["household.read", "households.listed", "households.exported"]


async def test_reading_needs_the_permission_and_a_person(commune: Commune, signed_in: SignIn) -> None:
    without = signed_in("VN", permissions=())
    assert (await without.get("/v1/households")).status_code == 403
    del commune.client.headers["Authorization"]
    assert (await commune.client.get("/v1/households")).status_code == 401
