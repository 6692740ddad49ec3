"""A province's own result stands beside the national class on pages, as the province's, and only where there is one."""

import csv
import html
import re

import pytest
from tests.households.at_the_desk import HTML, Desk, day
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.test_households_page import households_on
from tests.households.test_local_results import load

LIST = "/local-results"
LINK = f'href="{LIST}"'
TITLE = "Chuẩn giả định của tỉnh"


@pytest.fixture
def administrator(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody who loads what holds in a province."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


def words_of(page: str, heading: str) -> str:
    """What a section says."""
    found = re.search(
        rf'<section class="section" aria-labelledby="{heading}-heading">.*?</section>', page, re.DOTALL
    )
    return "" if found is None else re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(found[0])))


async def test_where_there_is_no_standard_of_the_provinces_own_nothing_speaks_of_one(
    commune: Commune, signed_in: SignIn
) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(), household, 150, 40)
    desk = Desk(commune.client)

    for page in [
        await desk.see(each) for each in ("/", "/households", "/imports", f"/households/{household}")
    ]:
        assert LINK not in page
        assert "chuẩn của tỉnh" not in page.lower()
    assert "Không có chuẩn riêng của tỉnh đang áp dụng" in await desk.see(LIST)


async def test_a_household_shows_the_provinces_result_beside_the_national_one(
    commune: Commune,
    administrator: Commune,
) -> None:
    await load(administrator)
    household = await commune.register()
    review = await commune.open_review(2022, decision_number="12/QĐ-UBND")
    await commune.decide(review, household, 150, 40)
    await commune.decide(await commune.open_review(2023), household, 200, 0)

    now, then = [
        await Desk(commune.client).see(f"/households/{household}{on}") for on in ("", "?on=01/06/2023")
    ]

    own = words_of(then, "own")
    assert re.search(r"Theo chuẩn của tỉnh: \w+ ?Hộ nghèo ?; phân loại quốc gia: \w+ ?Hộ không nghèo", own)
    assert f"{TITLE} · 1/NQ-GĐ (09/12/2021), Hội đồng giả định" in own
    assert "Quyết định 12/QĐ-UBND ngày 10/12/2022" in own
    assert "160" in own
    assert "không thay đổi phân loại quốc gia" in own
    assert re.search(r"Theo chuẩn của tỉnh</dt><dd>.*Hộ nghèo", then)
    assert "Hộ không nghèo" in words_of(now, "own")
    assert "Chuẩn của tỉnh: hộ nghèo" in words_of(now, "history")


async def test_the_list_has_the_households_of_the_area_narrowed_and_as_a_file(
    commune: Commune,
    administrator: Commune,
    signed_in: SignIn,
) -> None:
    await load(administrator)
    review = await commune.open_review()
    poor, near, rich = [
        await commune.register(code=f"H{n}", village=f"{COMMUNE}.0{1 + n % 2}") for n in range(3)
    ]
    for household, points in zip((poor, near, rich), ((120, 40), (150, 20), (170, 40)), strict=True):
        await commune.decide(review, household, *points)
    desk, stranger = Desk(commune.client), Desk(signed_in(OTHER))

    home, everybody = await desk.see("/"), await desk.see(LIST)
    of_class = await desk.see(f"{LIST}?class=NEAR_POOR")
    of_village = await desk.see(f"{LIST}?village={COMMUNE}.01&national_class=NOT_POOR")
    wrong = await desk.see(f"{LIST}?class=RICH", 422)
    file = await commune.client.get(
        "/v1/local-results.csv",
        params={"village": f"{COMMUNE}.01", "national_class": "NOT_POOR", "purpose": "POLICY"},
    )

    assert LINK in home
    assert set(households_on(everybody)) == {poor, near, rich}
    assert f"<strong>{TITLE}</strong>" in everybody
    assert "2.000.000 đồng/người/tháng ở nông thôn" in everybody
    assert households_on(of_class) == [near]
    assert households_on(of_village) == [rich]
    assert f'name="village" value="{COMMUNE}.01"' in of_village
    assert 'id="class-error"' in wrong
    rows = list(csv.DictReader(file.content.decode("utf-8-sig").splitlines()))
    assert [each["Mã hệ thống"] for each in rows] == [rich]
    assert households_on(await stranger.see(LIST)) == []


async def test_the_list_goes_on_page_by_page(
    commune: Commune,
    administrator: Commune,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("households.pages.local.SHOWN", 2)
    await load(administrator)
    review = await commune.open_review()
    ids = [await commune.register(code=f"H{n}") for n in range(3)]
    for household in ids:
        await commune.decide(review, household, 150, 40)
    desk = Desk(commune.client)

    first = await desk.see(f"{LIST}?class=POOR")
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None
    rest = await desk.see(html.unescape(onward[1]))

    assert sorted(households_on(first) + households_on(rest)) == sorted(ids)
    assert f'href="{LIST}?class=POOR"' in rest


async def test_the_way_to_it_ends_with_the_standard_and_leads_nobody_of_another_province(
    commune: Commune,
    administrator: Commune,
    signed_in: SignIn,
) -> None:
    await load(administrator)
    elsewhere = Desk(signed_in("01"))

    assert LINK in await Desk(commune.client).see("/")
    assert LINK in await Desk(signed_in("VN")).see("/")
    assert LINK not in await elsewhere.see("/")
    day("2025-07-01")
    assert LINK not in await Desk(commune.client).see("/")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_state_can_be_written_in_both_languages(
    commune: Commune,
    administrator: Commune,
    language: str,
) -> None:
    household = await commune.register()
    before = await commune.client.get(f"{LIST}?lang={language}", headers=HTML)
    await load(administrator, b1_thresholds=None)
    await commune.decide(await commune.open_review(), household, 150, 40)

    pages = [
        await Desk(commune.client).see(f"{each}?lang={language}")
        for each in (LIST, f"/households/{household}")
    ]
    for page in (before.text, *pages):
        assert f'<html lang="{language}">' in page
        assert page.count("<h1") == 1
    no_class = {"vi": "Không có kết quả", "en": "No result"}[language]
    assert all(no_class in page for page in pages)
