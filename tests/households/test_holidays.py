"""Working days are counted by the holidays that an administrator loaded; what was counted stays as it was."""

import datetime as dt
from typing import Any

import pytest
from tests.households.officer import PROVINCE, Commune, SignIn
from tests.households.reviewing import Review, begun

from benvung import areas, clock
from benvung.testing.tokens import EVERYTHING
from households.domain.procedure_terms import Action

DOCUMENT = {"number": "1/VPCP-KGVX", "dated": "2024-10-01", "issuer": "Văn phòng Chính phủ"}


def year(number: int, *off: str, **said: Any) -> dict[str, Any]:
    days = [{"from": day, "to": day, "vi": "Ngày nghỉ", "en": "Day off"} for day in off]
    return {"year": number, "document": DOCUMENT, "days_off": days} | said


@pytest.fixture
def administrator(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody of the whole country."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def in_meeting(commune: Commune, signed_in: SignIn, year_of: int, on: str) -> Review:
    """A village without households whose meeting has agreed, in a commune of now."""
    clock.fix(dt.date(year_of, 10, 1))
    code = min(unit.code for unit in areas.communes_under("52", dt.date(2026, 10, 1)))
    here = Commune(commune.app, signed_in(code), commune.folder, code, higher=signed_in("52"))
    await here.list_villages("Làng Mới")
    review = Review(here, await here.open_review(year_of)).at(on)
    await review.open()
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    return review


async def test_a_year_that_is_not_loaded_refuses_by_name_until_it_is(
    commune: Commune, signed_in: SignIn, administrator: Commune
) -> None:
    review = await in_meeting(commune, signed_in, 2026, "2026-12-30")
    known = await administrator.ask("GET", "/v1/holidays")
    assert [each["year"] for each in known["items"]] == [2021, 2022, 2023, 2024, 2025, 2026]
    assert all(each["sources"] for each in known["items"])
    assert {each["loaded_by"] for each in known["items"]} == {None}
    refused = await review.do(Action.POST, 422)
    assert (refused["rule"], bool(refused["legal"])) == ("holidays-not-loaded", True)

    await administrator.ask("POST", "/v1/holidays", 201, json=year(2027, "2027-01-01"))

    hung = await review.do(Action.POST)
    assert hung["posted_until"] == "2027-01-05", "Thursday, Monday and Tuesday"


async def test_the_undecided_day_refuses_until_its_year_is_loaded_again(
    commune: Commune, signed_in: SignIn, administrator: Commune
) -> None:
    review = await in_meeting(commune, signed_in, 2026, "2026-11-20")
    assert (await review.do(Action.POST, 422))["rule"] == "holiday-undecided"
    shown = {each["year"]: each for each in (await administrator.ask("GET", "/v1/holidays"))["items"]}
    assert [each["day"] for each in shown[2026]["undecided"]] == ["2026-11-24"]

    loaded = await administrator.ask("POST", "/v1/holidays", 201, json=year(2026, "2026-11-24"))
    hung = await review.do(Action.POST)

    assert hung["posted_until"] == "2026-11-26", "Monday, Wednesday and Thursday"
    assert (loaded["loaded_by"], loaded["sources"]) == (
        "officer",
        ["1/VPCP-KGVX (01/10/2024), Văn phòng Chính phủ"],
    )
    shown = {each["year"]: each for each in (await administrator.ask("GET", "/v1/holidays"))["items"]}
    assert shown[2026] == loaded == await administrator.ask("GET", f"/v1/holidays/{loaded['id']}")


async def test_what_was_posted_stays_as_it_was_counted_and_the_village_stays_readable(
    commune: Commune, administrator: Commune
) -> None:
    review, (one,) = await begun(commune)
    await review.score(one)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    hung = await review.at("2024-10-21").do(Action.POST)
    assert hung["posted_until"] == "2024-10-24"
    await review.at("2024-10-25").do(Action.END_POSTING)

    await administrator.ask("POST", "/v1/holidays", 201, json=year(2024, "2024-10-24", "2024-10-29"))

    asked = await review.do(Action.ASK_OPINION)
    assert (asked["state"], asked["posted_until"]) == ("CONSULT", "2024-10-24")
    limits = (await commune.ask("GET", "/v1/deadlines", params={"review": review.id}))["items"]
    due = {each["rule"]: each["due_on"] for each in limits}
    assert due["OPINION"] == "2024-11-04", "five working days, the 29th is off by now"
    assert due["TAKE_DOWN"] == "2024-10-25"
    await review.do(Action.GIVE_OPINION)
    assert (await review.do(Action.RECOGNISE))["state"] == "RECOGNISED"


async def test_the_newest_load_counts_and_no_load_is_lost(administrator: Commune) -> None:
    first = await administrator.ask("POST", "/v1/holidays", 201, json=year(2027, "2027-01-01"))
    second = await administrator.ask("POST", "/v1/holidays", 201, json=year(2027, "2027-01-01", "2027-02-05"))

    shown = {each["year"]: each for each in (await administrator.ask("GET", "/v1/holidays"))["items"]}

    assert shown[2027]["id"] == second["id"]
    assert await administrator.ask("GET", f"/v1/holidays/{first['id']}") == first


@pytest.mark.parametrize(
    "wrong",
    [
        year(2027, "2026-01-01"),
        year(2027, "2027-01-01", make_up=["2027-01-04"]),
        year(2027, "2027-01-01", undecided=[{"day": "2027-01-01", "vi": "x", "en": "x"}]),
        year(2027, days_off=[{"from": "2027-02-10", "to": "2027-02-04", "vi": "x", "en": "x"}]),
        year(2027, days_off=[{"from": "2027-01-01", "to": "2099-02-04", "vi": "x", "en": "x"}]),
    ],
)
async def test_a_year_that_contradicts_itself_is_refused(
    administrator: Commune, wrong: dict[str, Any]
) -> None:
    refused = await administrator.ask("POST", "/v1/holidays", 422, json=wrong)
    assert (refused["rule"], bool(refused["legal"])) == ("holidays-contradictory", True)


async def test_holidays_hold_in_the_whole_country_and_so_does_who_loads_them(
    commune: Commune, administrator: Commune, signed_in: SignIn
) -> None:
    given = year(2027, "2027-01-01")
    without = [each for each in EVERYTHING if each != "law.write"]

    of_province = Commune(commune.app, signed_in(PROVINCE), commune.folder)
    assert (await of_province.ask("POST", "/v1/holidays", 403, json=given))["rule"] == "outside-area"
    powerless = Commune(commune.app, signed_in("VN", permissions=without), commune.folder)
    assert (await powerless.ask("POST", "/v1/holidays", 403, json=given))["rule"] == "not-permitted"
    assert len((await commune.ask("GET", "/v1/holidays"))["items"]) == 6
    missing = dict(given)
    del missing["document"]
    await administrator.ask("POST", "/v1/holidays", 422, json=missing)


async def test_asked_twice_it_is_loaded_once(administrator: Commune) -> None:
    key = {"Idempotency-Key": "7f1b0c5e-6f0a-4c1e-9a64-0d9a3c0d5b1e"}
    given = year(2027, "2027-01-01")

    first = await administrator.ask("POST", "/v1/holidays", 201, json=given, headers=key)
    again = await administrator.ask("POST", "/v1/holidays", 201, json=given, headers=key)

    assert first == again
