"""The pages by the units of then and of now: plain links, kept by every address, and a refusal that is said."""

import datetime as dt
import html
import re
import uuid
from typing import Any

import httpx2
import pytest
from tests.reporting.conftest import Client, Tell
from tests.reporting.histories import decided, living_in
from tests.reporting.test_reports_in_two_geographies import (
    DIVIDED,
    END_2023,
    HALVES,
    OTHERS,
    REFORM,
    TODAY,
    WAITING,
    after_the_reform,
    followed,
    reorganised,
)
from tests.reporting.test_reports_of_support import held, line

from benvung.envelope import EventData
from funding.events import EligibilityChanged

__all__ = ["after_the_reform"]

END_2024 = "2024-12-31"


@pytest.fixture
async def told(tell: Tell) -> None:
    """A poor household in each of four old communes, of the divided one three; money and training of 2023."""
    made: list[EventData] = []
    moves: list[EventData] = []
    for code, to in (*OTHERS.items(), (DIVIDED, HALVES[1]), (DIVIDED, WAITING), (DIVIDED, WAITING)):
        state, event = decided(living_in(code), "POOR", END_2023)
        made += [event, may_borrow(state.household_id, code)]
        moves += followed(state, to)
    given = [
        line("52", "DA2", "RECURRENT", 28_269),
        line("64", "DA2", "RECURRENT", 1_000),
        held("64", 54, "EXACT"),
    ]
    await tell([*made, *given, reorganised(), *moves])


def may_borrow(household: uuid.UUID, commune: str) -> EligibilityChanged:
    return EligibilityChanged(
        province="52", commune=commune, revision=1, household_id=household, product="POOR",
        status="ELIGIBLE", valid_from=END_2023, valid_to=None, reason="ON_POOR_LIST", article="x",
        rule_version="1", poverty_class="POOR", source_sequence=1, previous=None,
    )  # fmt: skip


async def page(client: httpx2.AsyncClient, path: str, status: int = 200, **asked: str) -> str:
    answer = await client.get(path, params=asked or None, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def addresses(text: str) -> list[str]:
    found = re.findall(r'(?:href|data-live)="(/[^"]*)"', text)
    return [html.unescape(each) for each in found if "area=" in each]


def heading(text: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", text)
    assert found is not None
    return found[1]


def poor(text: str) -> str:
    found = re.search(r'data-key="poor">([^<]*)<', text)
    assert found is not None
    return found[1]


def switch(text: str) -> dict[str, str]:
    found = re.search(r'<nav class="geography".*?</nav>', text)
    assert found is not None
    return {words: html.unescape(at) for at, words in re.findall(r'<a href="([^"]*)">([^<]*)</a>', found[0])}


@pytest.mark.usefixtures("told")
async def test_the_switch_leads_to_what_the_area_was_and_back(officer: Client) -> None:
    client = await officer("52")

    now = await page(client, "/", area="52", on=END_2024, geography="now")
    assert (heading(now), poor(now)) == ("Tỉnh Gia Lai", "6")
    assert "theo địa giới hành chính hiện nay" in now
    assert '<strong aria-current="true">hiện nay</strong>' in now
    old = switch(now)
    assert sorted(old) == ["Tỉnh Bình Định", "Tỉnh Gia Lai"]

    then = await page(client, old["Tỉnh Bình Định"])
    assert (heading(then), poor(then)) == ("Tỉnh Bình Định", "6")
    assert '<strong aria-current="true">tại thời điểm 31/12/2024</strong>' in then
    assert switch(then) == {"hiện nay": "/?area=52&on=2024-12-31&geography=now"}
    assert heading(await page(client, old["Tỉnh Gia Lai"])) == "Tỉnh Gia Lai"


@pytest.mark.usefixtures("told")
async def test_every_address_of_the_page_keeps_day_and_geography(officer: Client) -> None:
    client = await officer("52")
    text = await page(client, "/", area="52", on=END_2024, geography="now")

    kept = [each for each in addresses(text) if each not in switch(text).values()]

    assert {each.partition("?")[0] for each in kept} == {
        "/", "/movements", "/v1/situation.xlsx", "/v1/situation.csv",
        *(f"/fragments/{part}" for part in ("figures", "years", "areas", "given")),
    }  # fmt: skip
    assert all("on=2024-12-31" in each and "geography=now" in each for each in kept)
    for each in {address.partition("?")[0]: address for address in kept}.values():
        assert (await client.get(each)).status_code == 200, each
    for part in ("figures", "years", "areas", "given"):
        [fragment] = [each for each in kept if each.startswith(f"/fragments/{part}")]
        assert await page(client, fragment) in text


@pytest.mark.usefixtures("told")
async def test_a_file_says_by_which_units_it_is(officer: Client) -> None:
    client = await officer("52")

    names = set()
    for geography in ("then", "now"):
        asked = {"area": "52", "on": END_2024, "geography": geography}
        names.add((await client.get("/v1/situation.csv", params=asked)).headers["content-disposition"])

    assert names == {
        'attachment; filename="52-2024-12-31.csv"',
        'attachment; filename="52-by-2026-03-01-2024-12-31.csv"',
    }


@pytest.mark.usefixtures("told")
async def test_the_movement_forms_keep_it_too(officer: Client) -> None:
    client = await officer("52")
    text = await page(client, "/", area="52", on=END_2024, geography="now")
    [onward] = [each for each in addresses(text) if each.startswith("/movements")]

    forms = await page(client, onward)

    assert "năm 2024" in heading(forms)
    assert "theo địa giới hành chính hiện nay" in forms
    files = [each for each in addresses(forms) if each.startswith("/v1/")]
    assert files == [f"/v1/movements.{kind}?area=52&year=2024&geography=now" for kind in ("xlsx", "csv")]
    assert sorted(switch(forms)) == ["Tỉnh Bình Định", "Tỉnh Gia Lai"]
    [back] = [each for each in addresses(forms) if each.startswith("/?") and "seen=" in each]
    assert heading(await page(client, back)) == "Tỉnh Gia Lai"


@pytest.mark.usefixtures("told")
async def test_a_unit_that_was_chosen_stays_the_same_place_on_another_day(officer: Client) -> None:
    """Code 52 was another province's before: who chose the new one is not shown the old one."""
    client = await officer("52")

    earlier = await page(client, "/", area="52", on=END_2024, seen=TODAY.isoformat())
    assert heading(earlier) == "Tỉnh Gia Lai"
    assert "theo địa giới hành chính hiện nay" in earlier
    later = await page(client, "/", area="64", on="2026-01-01", seen=END_2024)
    assert heading(later) == "Tỉnh Gia Lai"
    assert "Tỉnh Gia Lai" in await page(client, "/movements", area="52", year="2024", seen=TODAY.isoformat())
    # An address without it means what it says.
    assert heading(await page(client, "/", area="52", on=END_2024)) == "Tỉnh Bình Định"


@pytest.mark.usefixtures("told")
async def test_an_officer_of_a_part_is_told_that_the_whole_is_not_theirs(officer: Client) -> None:
    client = await officer(HALVES[0])

    text = await page(client, "/", on=END_2024)

    assert (heading(text), poor(text)) == ("Xã An Toàn", "1")
    assert list(switch(text)) == ["Xã An Toàn"]
    assert 'Xã An Nghĩa <span class="note">(không nằm trọn trong địa bàn bạn phụ trách)' in text


@pytest.mark.usefixtures("told")
async def test_there_is_no_switch_where_both_are_the_same(officer: Client) -> None:
    client = await officer("52")

    for on in ("", "2026-01-31"):
        text = await page(client, "/", area="52", on=on)
        assert 'class="geography"' not in text
        assert "Chưa có nguồn cho các thay đổi" not in text
    assert "Chưa có nguồn cho các thay đổi địa giới cấp xã trước ngày 01/07/2025" in await page(
        client, "/", area="52", on=END_2024
    )


async def test_what_nobody_recorded_is_refused_and_said_on_the_page(tell: Tell, officer: Client) -> None:
    await tell([decided(living_in("21622"), "POOR", END_2023)[1]])
    client = await officer("52")

    for path, asked in (
        ("/", {"on": END_2024, "geography": "now"}),
        ("/movements", {"year": "2024", "geography": "now"}),
        # The year of the reform begins in units of before it.
        ("/movements", {"year": "2025"}),
    ):
        text = await page(client, path, 409, area="52", **asked)
        assert "Chưa ghi nhận việc sắp xếp đơn vị hành chính" in text
        assert "Sổ hộ chưa ghi nhận Xã An Toàn (mã 21622) trở thành đơn vị nào từ ngày 01/07/2025" in text
    for path in ("situation", "trend", "eligibility", "situation.csv"):
        refused = await client.get(f"/v1/{path}", params={"area": "52", "on": END_2024, "geography": "now"})
        assert (refused.status_code, refused.json()["rule"]) == (409, "reorganisation-not-recorded"), path
    assert poor(await page(client, "/", area="52", on=END_2024)) == "1"


@pytest.mark.usefixtures("told")
async def test_eligibility_money_and_training_follow_the_units(officer: Client) -> None:
    client = await officer("52")

    async def ask(path: str, **asked: str) -> Any:
        answer = await client.get(f"/v1/{path}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    for asked, expected in (
        ({"area": "52", "on": END_2024}, {"21622": 1, "21628": 1, "21631": 1, DIVIDED: 3}),
        ({"area": "52", "on": END_2024, "geography": "now"}, {HALVES[0]: 1, HALVES[1]: 3, WAITING: 2}),
    ):
        found = await ask("eligibility", **asked)
        assert {
            each["area"]["code"]: each["products"]["POOR"]["households"]
            for each in found["communes"]
            if each["products"]["POOR"]["households"]
        } == expected
        assert found["products"]["POOR"]["households"] == 6
    then, now = [await ask("money", area="52", year="2023", geography=each) for each in ("then", "now")]
    assert (then["basis"], then["total_dong"]) == ("OWN", 28_269_000_000)
    assert (now["basis"], now["total_dong"]) == ("BELOW", 29_269_000_000)
    assert now["basis_label"] == "cộng từ các đơn vị nay thuộc địa bàn này"
    then, now = [await ask("training", area="52", year="2023", geography=each) for each in ("then", "now")]
    assert (then["total"]["participants"], now["total"]["participants"]) == (0, 54)
    country = await officer("VN")
    for geography in ("then", "now"):
        asked = {"area": "VN", "year": "2023", "geography": geography}
        everywhere = (await country.get("/v1/money", params=asked)).json()
        assert everywhere["total_dong"] == 29_269_000_000, geography


@pytest.mark.usefixtures("told")
async def test_what_another_place_was_given_under_the_same_code_is_not_this_one_s(officer: Client) -> None:
    """Code 52 was Bình Định's when it was given money; today's 52 is Gia Lai."""
    text = await page(await officer("52"), "/", area="52")

    assert "Chưa có quyết định giao vốn." in text
    assert "28.269" not in text
    assert dt.date(2025, 7, 1) == REFORM
