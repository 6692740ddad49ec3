"""Who sees and changes what on the pages, how a browser proves itself, and how a household is found and shown."""

import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from tests.households.at_the_desk import FORM, HTML, Desk, at
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import enter, person
from tests.households.reviewing import begun

from benvung import sessions
from benvung.testing.tokens import EVERYTHING, Tokens


@pytest.mark.parametrize("path", ["", "/posting", "/acts/WITHDRAW", "/forms/{case}"])
async def test_nobody_sees_a_village_of_another_area(commune: Commune, signed_in: SignIn, path: str) -> None:
    review, (household,) = await begun(commune)
    stranger = Desk(signed_in(OTHER))

    for address in (
        at(review.id, path.format(case=household)),
        f"/reviews/{review.id}",
        f"/households/{household}",
    ):
        refused = await stranger.see(address, 404)
        assert "Không tìm thấy" in refused
        assert "Ví Dụ" not in refused


async def test_nobody_records_in_another_area_or_beyond_their_permission(
    commune: Commune, signed_in: SignIn
) -> None:
    review, known = await begun(commune)
    fields = {"role": "POVERTY_OFFICER", "on": "2024-10-01", "cases": known[0], "reason": "x"}
    reader = Desk(signed_in(COMMUNE, permissions=["households.read"]))

    await Desk(signed_in(OTHER)).post(at(review.id, "/acts/WITHDRAW"), 404, fields)
    refused = await reader.post(at(review.id, "/acts/WITHDRAW"), 403, fields)
    page = await reader.see(at(review.id))

    assert "Không có quyền thực hiện" in refused.text
    assert "/acts/" not in page
    assert (await review.cases())[known[0]]["state"] == "SURVEYED"


@pytest_asyncio.fixture
async def browser(application: tuple[FastAPI, Tokens]) -> AsyncIterator[httpx2.AsyncClient]:
    """A signed-in browser: a session's cookie and no token."""
    app, _ = application
    claims = {"sub": "officer", "name": "Đinh Văn Klơi", "permissions": list(EVERYTHING), "areas": [COMMUNE]}
    async with app.state.engine.begin() as conn:
        token = await sessions.open_session(conn, claims, dt.timedelta(hours=1))
    yield httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app),
        base_url="http://households.test",
        cookies={"households_session": token},
    )


async def test_a_browser_changes_something_only_with_its_own_token(
    commune: Commune, browser: httpx2.AsyncClient
) -> None:
    review, known = await begun(commune)
    await review.score(known[0])
    desk, path = Desk(browser), at(review.id, "/acts/CALL_MEETING")
    fields = {**await desk.hidden(path), "role": "VILLAGE_HEAD", "on": "2024-10-01"}

    refused = await desk.post(path, 403, {name: value for name, value in fields.items() if name != "csrf"})
    taken = await desk.post(path, 303, fields)

    assert "Thiếu mã xác nhận" in refused.text
    assert taken.headers["location"].startswith(at(review.id))
    assert "Đinh Văn Klơi" in await desk.see(at(review.id))


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(
    application: tuple[FastAPI, Tokens],
) -> None:
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application[0]), base_url="http://households.test"
    )

    answer = await client.get("/households?name=an", headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fhouseholds%3Fname%3Dan"


async def test_a_household_is_found_without_diacritics_or_by_number(commune: Commune) -> None:
    household = await commune.register(head_name="Đỗ Thị Hường Mẫu")
    await enter(commune, household, **person())
    desk = Desk(commune.client)

    by_name = await desk.see("/households?name=do+thi+huong")
    by_number = await commune.client.post("/households", content="number=004185000999", headers=FORM)
    wrong = await commune.client.post("/households", content="number=12", headers=FORM)
    nobody = await desk.see("/households?name=khong+ai")

    assert f"/households/{household}" in by_name
    assert f"/households/{household}" in by_number.text
    assert "004185000999" not in by_number.text
    assert wrong.status_code == 422
    assert "Không tìm thấy hộ nào" in nobody


async def test_a_household_is_shown_as_it_was(commune: Commune) -> None:
    household = await commune.register()
    for year, b2 in ((2022, 40), (2023, 10)):
        await commune.decide(await commune.open_review(year), household, 120, b2)
    desk = Desk(commune.client)

    now = await desk.see(f"/households/{household}")
    then = await desk.see(f"/households/{household}?on=2023-01-01")

    assert "Vì vậy là hộ cận nghèo." in now
    assert "Vì vậy là hộ nghèo." in then
    assert "Hộ vào ngày 01/01/2023" in then
    assert "In giấy chứng nhận" in now


async def test_reading_names_on_pages_is_on_record(
    commune: Commune, application: tuple[FastAPI, Tokens]
) -> None:
    review, (household,) = await begun(commune)
    desk = Desk(commune.client)
    await desk.see(at(review.id))

    accesses = await commune.ask("GET", f"/v1/households/{household}/accesses")

    assert "cycle.cases_read" in str(accesses)
