"""The page of households: narrowed by what officers ask for, each filter seen and removable, the list taken as a file."""

import csv
import html
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.households.at_the_desk import HTML, Desk
from tests.households.narrowed import FLAGS, decide
from tests.households.officer import COMMUNE, OTHER, Commune, SignIn
from tests.households.people import enter, person

from benvung.testing.tokens import EVERYTHING

UNSEEING = [each for each in EVERYTHING if each != "indicators.read"]
LIST = "/households"


def households_on(page: str) -> list[str]:
    return re.findall(r'<div class="who"><a href="/households/([0-9a-f-]{36})', page)


def chips_on(page: str) -> dict[str, str]:
    """What is set, in words, with the address without it."""
    found = re.search(r'<ul class="chips".*?</ul>', page, re.DOTALL)
    links = re.findall(r'<a href="([^"]+)">(.*?)</a>', found[0] if found else "", re.DOTALL)
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)) for _, text in links]
    return {
        html.unescape(text).removeprefix("Bỏ ").removesuffix(" ✕"): html.unescape(address)
        for text, (address, _) in zip(words, links, strict=True)
    }


def options_of(page: str, name: str) -> list[str]:
    found = re.search(rf'<select id="{name}".*?</select>', page, re.DOTALL)
    assert found is not None
    return [value for value in re.findall(r'<option value="([^"]*)"', found[0]) if value]


def file_of(page: str) -> dict[str, str]:
    """What the form of the file sends unseen."""
    found = re.search(
        r'<form class="find" method="get" action="/v1/households.csv">.*?</form>', page, re.DOTALL
    )
    assert found is not None, "no file is offered"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0]))


async def test_the_list_is_narrowed_and_each_filter_can_be_removed(commune: Commune) -> None:
    dry, wet, other = [
        await commune.register(code=f"H{n}", village=f"{COMMUNE}.0{1 + n % 2}") for n in range(3)
    ]
    await decide(commune, dry, "2022-05-01", FLAGS[0], causes=("NO_LAND", "ILLNESS"))
    await decide(commune, wet, "2022-05-01", FLAGS[0], causes=("NO_CAPITAL",))
    await decide(commune, other, "2023-05-01", FLAGS[2])
    desk = Desk(commune.client)

    everybody = await desk.see(LIST)
    asked = {"class": "POOR", "village": f"{COMMUNE}.01", "indicator": "WATER_SOURCE", "cause": "NO_LAND"}
    page = await desk.see(f"{LIST}?{urlencode(asked)}")
    chips = chips_on(page)
    without = await desk.see(chips["Thôn, tổ dân phố: Làng Một"])
    for name in ("Nguyên nhân nghèo: Không có đất sản xuất", "Phân loại: Hộ nghèo"):
        without = await desk.see(chips_on(without)[name])

    assert set(households_on(everybody)) == {dry, wet, other}
    assert "Tìm thấy 3 hộ" in everybody
    assert chips_on(everybody) == {}
    assert households_on(page) == [dry]
    assert "Tìm thấy 1 hộ" in page
    assert "(đang đặt 4)" in page
    assert len(chips) == 4
    assert f'<option value="{COMMUNE}.01" selected>' in page
    assert set(households_on(without)) == {dry, wet}
    assert "(đang đặt 1)" in without


async def test_movements_groups_and_days_narrow_it_too(commune: Commune) -> None:
    again, honoured = await commune.register(), await commune.register(code="H2")
    await decide(commune, again, "2022-05-01", FLAGS[0])
    await decide(commune, again, "2023-05-01", FLAGS[2])
    await enter(commune, honoured, **person(merit="INVALID"))
    desk = Desk(commune.client)

    escaped = await desk.see(f"{LIST}?movement=ESCAPED_TO_NEAR_POOR&movement_year=2023")
    never = await desk.see(f"{LIST}?movement=ESCAPED_TO_NEAR_POOR&movement_year=2022")
    merit = await desk.see(f"{LIST}?group=MERIT")
    then = await desk.see(f"{LIST}?class=POOR&on=31%2F12%2F2022")

    assert households_on(escaped) == [again]
    assert households_on(never) == []
    assert "Không hộ nào trong địa bàn phụ trách khớp với mọi bộ lọc" in never
    assert households_on(merit) == [honoured]
    assert households_on(then) == [again]
    assert f'href="/households/{again}?on=31/12/2022"' in then
    assert "Vào ngày: 31/12/2022" in chips_on(then)
    assert "Theo sổ vào ngày 31/12/2022" in then


async def test_the_file_has_just_the_households_of_the_list(commune: Commune) -> None:
    ids = [await commune.register(code=f"H{n}") for n in range(4)]
    for household, flags in zip(ids, FLAGS, strict=True):
        await decide(commune, household, "2022-05-01", flags)
    closing = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask("POST", f"/v1/households/{ids[0]}/closure", 201, json=closing)
    desk = Desk(commune.client)

    for asked in ("", "?indicator=HYGIENIC_TOILET", "?status=CLOSED", "?class=POOR&on=01%2F06%2F2022"):
        page = await desk.see(f"{LIST}{asked}")
        sent = {**file_of(page), "purpose": "POLICY"}
        file = await commune.client.get("/v1/households.csv", params=sent)
        rows = list(csv.DictReader(file.content.decode("utf-8-sig").splitlines()))
        assert {row["Mã hệ thống"] for row in rows} == set(households_on(page)) != set(), asked

    nothing = await desk.see(f"{LIST}?class=AVERAGE_LIVING")
    assert "/v1/households.csv" not in nothing


async def test_a_list_goes_on_with_its_filters(commune: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("households.pages.households.SHOWN", 2)
    ids = [await commune.register(code=f"H{n}") for n in range(5)]
    for household in ids[:3]:
        await decide(commune, household, "2022-05-01", FLAGS[0])
    desk = Desk(commune.client)

    first = await desk.see(f"{LIST}?class=POOR")
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None
    rest = await desk.see(html.unescape(onward[1]))

    assert sorted(households_on(first) + households_on(rest)) == sorted(ids[:3])
    assert dict(parse_qsl(urlsplit(html.unescape(onward[1])).query))["class"] == "POOR"
    assert "Tìm thấy 3 hộ" in first
    assert "Tìm thấy 3 hộ" in rest
    assert 'rel="next"' not in rest
    assert 'href="/households?class=POOR">Về trang đầu' in rest


async def test_what_is_sensitive_is_offered_to_who_may_see_it_alone(
    commune: Commune, signed_in: SignIn
) -> None:
    reader = Commune(commune.app, signed_in(COMMUNE, permissions=UNSEEING), commune.folder)

    full, less = [await Desk(each.client).see(LIST) for each in (commune, reader)]
    answer = await reader.client.get(f"{LIST}?cause=ILLNESS", headers=HTML)

    assert set(options_of(full, "cause")) - set(options_of(less, "cause")) == {"ILLNESS"}
    assert set(options_of(full, "indicator")) - set(options_of(less, "indicator")) == {"NUTRITION"}
    assert options_of(full, "group") == ["CHILDREN_UNDER_16", "PUPILS_STUDENTS", "MERIT"]
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"on": "32/13/2022"}, "on"),
        ({"on": "01/01/2099"}, "on"),
        ({"movement_year": "hai"}, "movement_year"),
        ({"name": "dinh", "on": "01/06/2022"}, "on"),
        ({"name": "123"}, "name"),
        ({"class": "RICH"}, "class"),
    ],
)
async def test_what_cannot_be_asked_is_said_at_its_field_and_stays(
    commune: Commune, asked: dict[str, str], field: str
) -> None:
    page = await Desk(commune.client).see(f"{LIST}?{urlencode(asked)}", 422)

    assert f'id="{field}-error"' in page
    assert re.search(r'<details class="more" open>\s*<summary>Bộ lọc', page)
    assert len(chips_on(page)) == len(asked)


async def test_a_name_finds_whoever_ever_was_in_the_register_and_filters_narrow_that(
    commune: Commune,
) -> None:
    here, gone = await commune.register(), await commune.register(code="H2")
    await decide(commune, here, "2022-05-01", FLAGS[0], causes=("NO_LAND",))
    closing = {"reason": "DEATH", "on": "2023-05-01"}
    await commune.ask("POST", f"/v1/households/{gone}/closure", 201, json=closing)
    desk = Desk(commune.client)

    both = await desk.see(f"{LIST}?name=dinh+van")
    one = await desk.see(f"{LIST}?name=dinh+van&cause=NO_LAND")

    assert set(households_on(both)) == {here, gone}
    assert "Đã kết thúc" in both
    assert households_on(one) == [here]
    assert "/v1/households.csv" not in one


async def test_officers_of_several_communes_choose_one_and_then_its_villages(
    commune: Commune, signed_in: SignIn
) -> None:
    other = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    await other.list_villages("Làng Xa")
    near, far = await commune.register(), await other.register(village=f"{OTHER}.01")
    desk = Desk(signed_in("630"))

    whole = await desk.see(LIST)
    one = await desk.see(f"{LIST}?area={OTHER}&village={COMMUNE}.01")
    country = await Desk(signed_in("VN")).see(f"{LIST}?area={COMMUNE}")

    assert set(households_on(whole)) == {near, far}
    assert {COMMUNE, OTHER} <= set(options_of(whole, "area"))
    assert options_of(whole, "village") == []
    assert "Chọn địa bàn rồi bấm Lọc" in whole
    assert households_on(one) == [far]
    assert options_of(one, "village") == [f"{OTHER}.01"]
    assert len(chips_on(one)) == 1, "a village of the commune that was chosen before is left out"
    assert households_on(country) == [near]
    assert "64" in options_of(country, "area")
    assert COMMUNE in options_of(country, "area")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_state_of_the_page_can_be_written_in_both_languages(
    commune: Commune, language: str
) -> None:
    desk = Desk(commune.client)
    empty = await desk.see(f"{LIST}?lang={language}")
    household = await commune.register()
    await decide(commune, household, "2022-05-01", FLAGS[0], causes=("NO_LAND",))
    asked = "name=khong+ai", "class=POOR&cause=NO_LAND&group=MERIT&status=LEFT", "on=01/06/2022", "on=x"
    pages = [
        empty,
        *[await desk.see(f"{LIST}?lang={language}&{each}", 422 if each == "on=x" else 200) for each in asked],
    ]

    for page in pages:
        assert f'<html lang="{language}">' in page
        assert page.count("<h1") == 1
