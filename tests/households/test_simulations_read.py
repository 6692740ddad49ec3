"""Simulations are asked for, seen, compared and taken away by whoever may, and restricted indicators stay hidden."""

import csv
import io
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from openpyxl import load_workbook
from tests.households.officer import COMMUNE, STANDARD, Commune, SignIn
from tests.households.trying_out import (
    CODES,
    DAY,
    DISTRICT,
    READER,
    TOWN,
    VILLAGES,
    District,
    Rules,
    ask,
    decided,
    sheets,
    simulate,
)

from benvung.testing.tokens import Tokens


@pytest_asyncio.fixture
async def district(
    application: tuple[FastAPI, Tokens], signed_in: SignIn, tmp_path: Path
) -> tuple[District, Commune]:
    """Six households in a town, six in a rural commune, and the officer of the district."""
    officers = {code: Commune(application[0], signed_in(code), tmp_path, code) for code in (TOWN, VILLAGES)}
    households = {}
    for code, officer in officers.items():
        await officer.list_villages("Làng Một")
        for number in range(6):
            made = await officer.register(commune=code, village=f"{code}.01", code=f"H{number}")
            households[made] = code
    return District(officers, households), Commune(application[0], signed_in(DISTRICT), tmp_path, DISTRICT)


# Who may, and what stays hidden.


@pytest.mark.parametrize(
    "rules, rule",
    [
        ({"standard": "STD_2027_2030"}, "standard-incomplete"),
        ({"standard": "X"}, "standard-unknown"),
        ({"b1_thresholds": {"RURAL": 150}}, "b1-threshold-missing"),
        ({"b2_threshold": 500}, "b2-threshold-out-of-range"),
        ({"indicators": [{"code": "CARS"}]}, "indicator-unknown"),
        (
            {
                "b1_thresholds": {"RURAL": 120, "URBAN": 190},
                "local": {"province": "64", "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000}, "document": "x"},
            },
            "local-standard-lower",
        ),
        (
            {
                "b1_thresholds": {"RURAL": 160, "URBAN": 190},
                "local": {"province": "01", "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000}, "document": "x"},
            },
            "local-standard-elsewhere",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_tried_out_is_refused_by_its_name(
    commune: Commune, rules: Rules, rule: str
) -> None:
    assert (await ask(commune, rules, 422))["rule"] == rule
    assert (await commune.ask("GET", "/v1/simulations"))["items"] == []


async def test_a_province_tries_out_its_own_higher_line(commune: Commune) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 150, *CODES[:3])
    local = {
        "province": "64",
        "income_lines": {"RURAL": 1_800_000, "URBAN": 2_400_000},
        "document": "Dự thảo nghị quyết",
    }
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}, "local": local})
    assert (found["rules"]["province"], found["totals"]["enters"]) == ("64", 1)
    assert found["rules"]["given"]["local"] == local


async def test_a_simulation_is_asked_for_in_ones_own_area_and_once(
    commune: Commune, signed_in: SignIn
) -> None:
    assert (await ask(commune, {}, 403, area=DISTRICT))["rule"] == "outside-area"
    assert (await ask(commune, {}, 404, area="99999"))["rule"] == "area-not-found"
    reader = signed_in(COMMUNE, permissions=("households.read",))
    given = {"title": "Thử", "area": COMMUNE, "rules": {"standard": STANDARD}}
    assert (await reader.post("/v1/simulations", json=given)).status_code == 403
    key = {"Idempotency-Key": "a-key-of-this-very-test"}
    answers = [await commune.client.post("/v1/simulations", json=given, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Location"] == f"/v1/simulations/{answers[0].json()['id']}"
    assert len((await commune.ask("GET", "/v1/simulations"))["items"]) == 1


async def test_restricted_indicators_stay_hidden_from_who_may_not_see_them(
    commune: Commune, signed_in: SignIn
) -> None:
    review = await commune.open_review(2023)
    await decided(commune, review, "H1", 120, "EMPLOYMENT", "NUTRITION", "WATER_SOURCE")
    apart = {"indicators": [{"code": code} for code in CODES if code != "NUTRITION"]}
    open_one, closed = await simulate(commune, {"b2_threshold": 40}), await simulate(commune, apart)
    assert [each["indicator"] for each in open_one["deprived"]] == ["EMPLOYMENT", "NUTRITION", "WATER_SOURCE"]
    assert (open_one["restricted"], closed["restricted"], closed["totals"]["between_lists"]) == (
        False,
        True,
        1,
    )

    officer = Commune(commune.app, signed_in(COMMUNE, permissions=READER), commune.folder)
    assert (await ask(officer, apart, 403))["rule"] == "restricted-indicators"
    seen = await officer.ask("GET", f"/v1/simulations/{open_one['id']}")
    assert [each["indicator"] for each in seen["deprived"]] == ["EMPLOYMENT", "WATER_SOURCE"]
    assert seen["hidden_indicators"] == ["NUTRITION"]
    assert "Dinh dưỡng" not in str(await sheets(officer, open_one["id"], "Theo chỉ số"))
    assert "Dinh dưỡng" in str(await sheets(commune, open_one["id"], "Theo chỉ số"))
    assert [each["id"] for each in (await officer.ask("GET", "/v1/simulations"))["items"]] == [open_one["id"]]
    for path in (
        "",
        "/communes",
        "/changes",
        *(f"/{each}?purpose=STANDARD_TRIAL" for each in ("changes.csv", "counts.csv", "results.xlsx")),
    ):
        await officer.ask("GET", f"/v1/simulations/{closed['id']}{path}", 404)
    compared = f"/v1/simulations/{open_one['id']}/comparison?with={closed['id']}"
    await officer.ask("GET", compared, 404)


async def test_one_sees_the_part_of_a_simulation_that_lies_in_ones_area(
    district: tuple[District, Commune], signed_in: SignIn
) -> None:
    registry, officer = district
    await registry.review([(150, None, 4)] * 12)
    found = await simulate(officer, {"b1_thresholds": {"RURAL": 160, "URBAN": 140}}, DISTRICT)
    assert (found["totals"]["enters"], found["totals"]["leaves"]) == (6, 6)
    path = f"/v1/simulations/{found['id']}"

    for code, mine in registry.officers.items():
        seen = await mine.ask("GET", path)
        totals = (seen["totals"]["households"], seen["totals"]["enters"], seen["totals"]["leaves"])
        assert totals == ((6, 0, 6) if code == TOWN else (6, 6, 0))
        for listed in (f"{path}/communes", f"{path}/changes"):
            page = await mine.ask("GET", listed)
            assert {each["commune"] for each in page["items"]} == {code}
            outside = await mine.ask("GET", listed, params={"area": TOWN if code != TOWN else VILLAGES})
            assert outside["items"] == []
        exported = (await mine.client.get(f"{path}/changes.csv?purpose=STANDARD_TRIAL")).content.decode(
            "utf-8-sig"
        )
        assert {line["Mã xã"] for line in csv.DictReader(io.StringIO(exported))} == {code}
        compared = await mine.ask("GET", f"{path}/comparison", params={"with": found["id"]})
        assert (compared["changes"]["alike"], compared["first_totals"]["households"]) == (6, 6)
    stranger = Commune(officer.app, signed_in("01"), officer.folder)
    assert (await stranger.ask("GET", path, 404))["rule"] == "simulation-not-found"
    assert (await stranger.ask("GET", "/v1/simulations"))["items"] == []


# Reading on, comparing, taking away.


async def test_changes_come_page_by_page_with_names_and_on_record(commune: Commune) -> None:
    review = await commune.open_review(2023)
    ids = sorted([await decided(commune, review, f"H{n}", 130 + 10 * n, *CODES[:3]) for n in range(5)])
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}})
    path = f"/v1/simulations/{found['id']}/changes"
    first = await commune.ask("GET", path, params={"limit": 1})
    second = await commune.ask("GET", path, params={"limit": 1, "after": first["next"]})
    assert second["next"] is None
    shown = [*first["items"], *second["items"]]
    assert sorted(each["head_name"] for each in shown) == ["Đinh Văn H2", "Đinh Văn H3"]
    assert {each["change_label"] for each in shown} == {"Vào danh sách"}
    assert (await commune.ask("GET", path, params={"change": "LEAVES"}))["items"] == []
    told = {
        each: [
            one["action_label"]
            for one in (await commune.ask("GET", f"/v1/households/{each}/accesses"))["items"]
            if one["action"] == "simulation.changes_read"
        ]
        for each in ids
    }
    assert {each for each, seen in told.items() if seen} == {each["household_id"] for each in shown}


async def test_two_simulations_are_set_side_by_side(commune: Commune) -> None:
    review = await commune.open_review(2023)
    for number in range(4):
        await decided(commune, review, f"H{number}", 130 + 10 * number, *CODES[: 3 + number % 2])
    first = await simulate(commune, {"b1_thresholds": {"RURAL": 150, "URBAN": 190}})
    second = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}, "b2_threshold": 40})
    path = f"/v1/simulations/{first['id']}/comparison"

    compared = await commune.ask("GET", path, params={"with": second["id"]})

    # By B1 points 130, 140, 150, 160 and deprivations 3, 4, 3, 4.
    assert compared["changes"] == {"only_first": 0, "only_second": 2, "alike": 0, "different": 1}
    outcomes = {
        (each["class_before"], each["class_after"]): (each["first"], each["second"], each["difference"])
        for each in compared["differences"]
    }
    assert outcomes == {
        ("POOR", "POOR"): (2, 1, -1),
        ("POOR", "NEAR_POOR"): (0, 1, 1),
        ("NOT_POOR", "POOR"): (1, 1, 0),
        ("NOT_POOR", "NEAR_POOR"): (0, 1, 1),
        ("NOT_POOR", "NOT_POOR"): (1, 0, -1),
    }
    other = await simulate(commune, {}, day="2023-12-11")
    refused = await commune.ask("GET", path, 422, params={"with": other["id"]})
    assert refused["rule"] == "simulations-not-comparable"


async def test_exports_read_back_what_the_simulation_found(commune: Commune, signed_in: SignIn) -> None:
    review = await commune.open_review(2023)
    enters = await decided(commune, review, "0012", 150, "EMPLOYMENT", "WATER_SOURCE")
    await decided(commune, review, "H2", 400)
    found = await simulate(commune, {"b1_thresholds": {"RURAL": 160, "URBAN": 190}})
    path = f"/v1/simulations/{found['id']}"

    changes = (await commune.client.get(f"{path}/changes.csv?purpose=STANDARD_TRIAL")).content.decode(
        "utf-8-sig"
    )
    counts = (await commune.client.get(f"{path}/counts.csv?purpose=STANDARD_TRIAL")).content.decode(
        "utf-8-sig"
    )

    [line] = csv.DictReader(io.StringIO(changes))
    assert line == {
        "Mã hệ thống": enters, "Mã xã": COMMUNE, "Mã thôn": f"{COMMUNE}.01", "Mã hộ": "0012",
        "Họ và tên chủ hộ": "Đinh Văn 0012", "Số nhân khẩu": "4", "Khu vực": "Nông thôn",
        "Phân loại hiện tại": "Hộ không nghèo", "Phân loại theo phương án": "Hộ cận nghèo",
        "Thay đổi": "Vào danh sách",
    }  # fmt: skip
    counted = [
        (each["Tên xã"], each["Phân loại theo phương án"], each["Số hộ"])
        for each in csv.DictReader(io.StringIO(counts))
    ]
    assert counted == [("Xã Chư Krey", "Hộ cận nghèo", "1"), ("Xã Chư Krey", "Hộ không nghèo", "1")]
    assert (await sheets(commune, found["id"], "Danh sách hộ"))[1] == (
        enters, COMMUNE, f"{COMMUNE}.01", "0012", "Đinh Văn 0012", 4, "Nông thôn", "Hộ không nghèo",
        "Hộ cận nghèo", "Vào danh sách",
    )  # fmt: skip
    assert (await sheets(commune, found["id"], "Theo chỉ số"))[1:] == [
        ("Việc làm", "Hộ không nghèo", "Hộ cận nghèo", 1),
        ("Nguồn nước sinh hoạt", "Hộ không nghèo", "Hộ cận nghèo", 1),
    ]
    rules = dict(each[:2] for each in await sheets(commune, found["id"], "Phương án"))
    assert (str(rules["Số liệu đến ngày"]), rules["Ngưỡng điểm B1, nông thôn"]) == (f"{DAY} 00:00:00", 160)
    answer = await commune.client.get(f"{path}/results.xlsx?purpose=STANDARD_TRIAL")
    page = load_workbook(io.BytesIO(answer.content))["Theo xã"]
    assert [page.cell(2, column).number_format for column in (1, 7, 8)] == ["@", "#,##0", "#,##0"]
    taken = [
        each["action"] for each in (await commune.ask("GET", f"/v1/households/{enters}/accesses"))["items"]
    ]
    assert taken.count("simulation.exported") == 5
