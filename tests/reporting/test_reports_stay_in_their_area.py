"""Area scope as a property of every question, export, page and fragment: all of an area or nothing of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.reporting.histories import END_2022, decided, living_in, population

from benvung import areas, clock, web
from benvung.testing import App, Bearer
from reporting.main import build
from reporting.settings import Settings

Tell = Callable[..., Awaitable[None]]
Client = Callable[..., Awaitable[httpx2.AsyncClient]]

# Whole country, two provinces, two districts of one of them, communes of both districts.
AREAS = ("VN", "64", "01", "630", "631", "23824", "23827", "23857")
YEARLY = {"/v1/movements", "/v1/movements.csv", "/v1/movements.xlsx", "/v1/money", "/v1/training"}


def application() -> FastAPI:
    return web.create_app(build(Settings(database_url="postgresql://")), worker=False)


def questions() -> list[str]:
    """Every address that answers about an area."""
    found = []
    for path, route, declared in web.routes(application()):
        parameters = {each.name for each in route.dependant.query_params}
        inner = {each.name for one in route.dependant.dependencies for each in one.query_params}
        if "area" in parameters | inner:
            assert declared == "reports.read"
            parts = ("figures", "areas", "years", "given") if "{part}" in path else ("",)
            found += [path.replace("{part}", part) for part in parts]
    return found


def inside(area: str, own: tuple[str, ...]) -> bool:
    """Whether all communes of an area lie in one's own areas, by the register of units."""
    if "VN" in own:
        return True
    today = clock.today()
    held = {unit.code for code in own for unit in areas.communes_under(code, today)}
    return {unit.code for unit in areas.communes_under(area, today)} <= held


def asked(path: str, area: str) -> dict[str, str]:
    return {"area": area} | ({"year": "2023"} if path in YEARLY else {})


def test_every_kind_of_answer_is_asked_here() -> None:
    assert {
        "/",
        "/movements",
        "/fragments/figures",
        "/v1/situation",
        "/v1/situation/communes",
        "/v1/situation.csv",
        "/v1/situation.xlsx",
        "/v1/trend",
        "/v1/eligibility",
        "/v1/verify",
        *YEARLY,
    } <= set(questions())


@pytest.mark.parametrize("own", [("23827",), ("630",), ("23824", "23857"), ("64", "01")])
async def test_all_of_an_area_or_nothing_of_it(own: tuple[str, ...], officer: Client) -> None:
    client = await officer(*own)
    wide = {"VN", "01", "64"}

    for path in questions():
        for area in AREAS:
            if inside(area, own) and area in wide and path != "/v1/situation":
                continue  # larger areas are no different, only slower
            answer = await client.get(path, params=asked(path, area))
            expected = 200 if inside(area, own) else 403
            assert answer.status_code == expected, (path, area, answer.text)
            if expected == 403:
                assert answer.json()["rule"] == "outside-area"


async def test_nobody_else_s_households_are_in_any_answer(tell: Tell, officer: Client) -> None:
    await tell(
        [
            decided(living_in("23827"), "POOR", END_2022)[1],
            decided(living_in("23857", 77), "POOR", END_2022)[1],
            population("23857", 777_777, 7_777_777, END_2022),
        ]
    )
    client = await officer("630")

    for path in questions():
        answer = await client.get(path, params=asked(path, "630"))
        assert answer.status_code == 200
        assert b"23857" not in answer.content
        assert b"777" not in answer.content.replace(b".", b"") or path.endswith(".xlsx")


async def test_a_reader_of_other_things_reads_no_reports(app: App, bearer: Bearer) -> None:
    client = await app("reporting", headers=bearer(["households.read"], ["VN"]))

    for path in questions():
        assert (await client.get(path, params=asked(path, "630"))).status_code == 403


async def test_nobody_reads_without_signing_in(app: App) -> None:
    client = await app("reporting", headers={})

    for path in questions():
        assert (await client.get(path, params=asked(path, "630"))).status_code == 401
    page: Any = await client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2F")
