"""Causes of poverty are recorded with a poor or near-poor household's decision, kept sealed, and counted by form 7.10."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.households.at_the_desk import BY_FLAGS, Desk, at, look_and_confirm
from tests.households.forms import form_b, home
from tests.households.officer import COMMUNE, Commune, SignIn
from tests.households.reviewing import begun

from benvung.testing import Engine
from benvung.testing.tokens import EVERYTHING
from households.domain import HouseholdClass, Refused
from households.domain.causes import cause_list, causes_given, check_class, counted
from households.files.cause_cells import causes_cell, named_causes
from households.files.cells import CellInvalid

DAY = dt.date(2023, 12, 10)
CODES = ("NO_LAND", "NO_CAPITAL", "NO_LABOUR", "NO_TOOLS", "NO_KNOWLEDGE", "NO_SKILL", "ILLNESS", "OTHER")
TEXT = "Nương bị sạt lở"
UNSEEING = [each for each in EVERYTHING if each != "indicators.read"]


def test_the_form_has_eight_causes_with_words_in_both_languages_and_a_source() -> None:
    known = cause_list()

    assert tuple(known.causes) == CODES
    assert [each.column for each in known.causes.values()] == list(range(1, 9))
    assert all(each.vi and each.en for each in known.causes.values())
    assert (known.restricted, known.confidence) == (("ILLNESS",), "high")
    assert [code for code, each in known.causes.items() if each.needs_text] == ["OTHER"]


@pytest.mark.parametrize(
    ("codes", "text", "rule"),
    [
        (["NO_WATER"], None, "cause-unknown"),
        (["NO_LAND", "OTHER"], None, "cause-text-missing"),
        (["OTHER"], "  ", "cause-text-missing"),
        (["NO_LAND"], TEXT, "cause-text-without-other"),
        ([], TEXT, "cause-text-without-other"),
        (None, TEXT, "cause-text-without-other"),
        (["NO_LAND", "NO_LAND"], None, "cause-twice"),
        (["OTHER"], "x" * 201, "cause-text-too-long"),
    ],
)
def test_what_the_form_does_not_have_is_refused_by_name(
    codes: list[str] | None, text: str | None, rule: str
) -> None:
    with pytest.raises(Refused) as no:
        causes_given(DAY, codes, text)

    assert (no.value.rule, no.value.legal) == (rule, cause_list().legal)
    assert no.value.message_vi != no.value.message_en


def test_causes_hold_from_the_circulars_day_and_for_the_two_lists_alone() -> None:
    with pytest.raises(Refused, match="2022-03-29"):
        causes_given(dt.date(2022, 3, 29), ["NO_LAND"])
    assert causes_given(dt.date(2022, 3, 29), None) is None
    for each in (HouseholdClass.NOT_POOR, HouseholdClass.AVERAGE_LIVING):
        with pytest.raises(Refused) as no:
            check_class(each)
        assert no.value.rule == "causes-of-unlisted-class"
    check_class(HouseholdClass.NEAR_POOR)


@given(st.lists(st.sampled_from(CODES), unique=True, min_size=1))
def test_one_combination_is_written_in_one_way_in_the_register_and_in_files(codes: list[str]) -> None:
    text = TEXT if "OTHER" in codes else None
    found = causes_given(DAY, codes, text)
    assert found is not None
    again = causes_given(DAY, list(reversed(codes)), text)

    assert found == again
    assert named_causes(causes_cell(found.codes, found.text)) == (found.codes, text)
    assert named_causes("; ".join(codes))[0] == tuple(codes)
    assert named_causes(";".join(cause_list().causes[each].en for each in codes))[0] == tuple(codes)


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("NO_LAND; đất", "cause-unknown"),
        ("NO_LAND; Không có đất sản xuất", "cause-twice"),
        ("=A1", "formula-in-cell"),
    ],
)
def test_a_cell_that_names_no_cause_is_an_error_of_its_row(cell: str, rule: str) -> None:
    with pytest.raises(CellInvalid) as no:
        named_causes(cell)
    assert no.value.rule == rule


HOUSEHOLDS = st.lists(
    st.tuples(
        st.sampled_from(("23827.01", "23827.02", "23827.03")),
        st.sampled_from(("POOR", "NEAR_POOR")),
        st.none() | st.sets(st.sampled_from(CODES), min_size=1).map(tuple),
    )
)


@given(HOUSEHOLDS)
def test_counts_are_those_of_the_households_one_by_one_and_areas_add_up(
    households: list[tuple[str, str, tuple[str, ...] | None]],
) -> None:
    areas = {area for area, _, _ in households}
    by_area = {
        area: counted((klass, causes, 1) for each, klass, causes in households if each == area)
        for area in areas
    }
    total = counted((klass, causes, 1) for _, klass, causes in households)

    for place, whole in enumerate(total):
        assert whole.households == sum(rows[place].households for rows in by_area.values())
        assert whole.with_causes == sum(rows[place].with_causes for rows in by_area.values())
        for code in CODES:
            one_by_one = [
                1
                for _, klass, causes in households
                if whole.household_class in {None, klass} and code in (causes or ())
            ]
            assert whole.causes[code] == len(one_by_one)
            assert whole.causes[code] == sum(rows[place].causes[code] for rows in by_area.values())
    both, *lists = total
    assert both.households == sum(each.households for each in lists) == len(households)


def codes_of(shown: Any) -> list[str] | None:
    return shown["causes"] and [each["code"] for each in shown["causes"]]


async def test_a_result_brings_its_causes_and_they_stand_sealed(commune: Commune) -> None:
    household, review = await commune.register(), await commune.open_review(2023)

    decided = await commune.decide(
        review, household, 120, 40, causes=["OTHER", "NO_LAND"], cause_text=f"  {TEXT} "
    )

    decision = await commune.ask("GET", f"/v1/decisions/{decided['decision_id']}")
    assert (codes_of(decision), decision["cause_text"]) == (["NO_LAND", "OTHER"], TEXT)
    assert decision["causes"][0]["label"] == "Không có đất sản xuất"
    assert decision["causes_withheld"] == []
    history = await commune.ask("GET", f"/v1/households/{household}/decisions")
    assert history["decisions"] == [decision]
    read = await commune.household(household)
    assert (read["causes"], read["cause_text"]) == (decision["causes"], TEXT)
    async with commune.app.state.engine.connect() as conn:
        kept = str(
            (await conn.execute(sa.text("select d::text, s::text from decisions d, cause_sets s"))).all()
        )
    assert "NO_LAND" not in kept
    assert TEXT not in kept


@pytest.mark.parametrize(
    ("points", "changes", "rule"),
    [
        ((200, 10), {"causes": ["NO_LAND"]}, "causes-of-unlisted-class"),
        ((120, 40), {"causes": ["DROUGHT"]}, "cause-unknown"),
        ((120, 40), {"causes": ["OTHER"]}, "cause-text-missing"),
        ((120, 40), {"cause_text": TEXT}, "cause-text-without-other"),
        ((120, 40), {"causes": ["NO_LAND", "NO_LAND"]}, "cause-twice"),
    ],
)
async def test_a_result_with_causes_that_cannot_be_is_refused(
    commune: Commune, points: tuple[int, int], changes: dict[str, Any], rule: str
) -> None:
    household, review = await commune.register(), await commune.open_review(2023)
    b1, b2 = points
    result = {"household_id": household, "members": 4, "b1_points": b1, "b2_points": b2}

    refused = await commune.ask("POST", f"/v1/reviews/{review}/results", 422, json=result | changes)

    assert (refused["rule"], refused["legal"]) == (rule, cause_list().legal)
    assert (await commune.household(household))["poverty_class"] is None


async def test_illness_is_shown_to_those_who_may_see_it_and_its_absence_gives_nothing_away(
    commune: Commune, signed_in: SignIn
) -> None:
    ill, poor, plain = [await commune.register(code=f"H{number}") for number in range(3)]
    review = await commune.open_review(2023)
    await commune.decide(review, ill, 120, 40, causes=["ILLNESS"])
    await commune.decide(review, poor, 120, 40, causes=["ILLNESS", "NO_LAND"])
    await commune.decide(review, plain, 120, 40)
    other = Commune(commune.app, signed_in(COMMUNE, permissions=UNSEEING), commune.folder)

    assert codes_of(await commune.household(poor)) == ["NO_LAND", "ILLNESS"]
    shown = [await other.household(each) for each in (ill, poor, plain)]
    assert [codes_of(each) for each in shown] == [None, ["NO_LAND"], None]
    assert [each["causes_withheld"] for each in shown] == [["ILLNESS"]] * 3
    history = await other.ask("GET", f"/v1/households/{poor}/decisions")
    assert codes_of(history["decisions"][0]) == ["NO_LAND"]
    counts = await other.ask("GET", "/v1/causes", params={"area": COMMUNE})
    both = counts["areas"][-1]["rows"][0]
    assert {each["cause"]: each["households"] for each in both["causes"]}["ILLNESS"] is None
    assert (both["households"], both["with_causes"], counts["withheld"]) == (3, None, ["ILLNESS"])
    file = await other.client.get("/v1/causes.csv", params={"area": COMMUNE, "purpose": "POLICY"})
    assert file.text.splitlines()[-1].endswith(",0,,0")


async def test_words_of_another_cause_are_read_by_those_who_may_read_of_health_alone(
    commune: Commune, signed_in: SignIn
) -> None:
    words = "Con bị ung thư máu"
    household, review = await home(commune), await commune.open_review(2023)
    causes = {"causes": ["NO_LAND", "OTHER"], "cause_text": words}
    decided = await commune.decide(review, household, 120, 40, **causes)
    paper = {
        "members": 4,
        "b1_points": 120,
        "b2_points": 30,
        "decided_on": "2024-01-05",
        "reason": "Ghi nhầm",
    }
    path = f"/v1/decisions/{decided['decision_id']}"
    await commune.ask("POST", f"{path}/corrections", 201, json=paper | causes)
    filled = form_b(household, b1=None, b1_points=120) | causes
    form = await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 201, json=filled)
    other = Commune(commune.app, signed_in(COMMUNE, permissions=UNSEEING), commune.folder)
    of_household = f"/v1/households/{household}"
    answers = [of_household, f"{of_household}/decisions", path, f"/v1/forms/{form['id']}"]
    pages = [f"/households/{household}", f"/households/{household}?on=10/12/2023"]

    for each in answers:
        full, less = [await who.client.get(each) for who in (commune, other)]
        assert words in full.text, each
        assert (less.status_code, words in less.text) == (200, False), each
        assert '"code":"OTHER","label":"Nguyên nhân khác (ghi rõ)"' in less.text, each
        assert '"cause_text":null' in less.text, each
    for each in pages:
        full_page, less_page = [await Desk(who.client).see(each) for who in (commune, other)]
        assert f"<li>Nguyên nhân khác: {words}</li>" in full_page
        assert words not in less_page
        assert "<li>Nguyên nhân khác</li>" in less_page
    for file in ("/v1/causes.csv", "/v1/households.csv"):
        taken = await other.client.get(file, params={"area": COMMUNE, "purpose": "POLICY"})
        assert (taken.status_code, words in taken.text) == (200, False), file


async def test_the_answer_to_a_row_does_not_repeat_what_its_cell_says_of_causes(commune: Commune) -> None:
    review = await commune.open_review(2023)
    head = "Thôn,Họ và tên chủ hộ,Mã hộ,Số nhân khẩu,Điểm B1,Điểm B2,Nguyên nhân nghèo"
    cells = ("NO_LAND; Con bị ung thư máu", "ILLNESS; Có người ốm đau, bệnh nặng, tai nạn…")
    lines = [f'Làng Một,Đinh Ví Dụ,H{n},4,120,40,"{cell}"' for n, cell in enumerate(cells)]

    sent = await commune.send(review, "\n".join([head, *lines]).encode())
    rows = await commune.answers(sent["import_id"])
    file = await commune.client.get(
        f"/v1/imports/{sent['import_id']}/rows.csv", params={"purpose": "CORRECTING_FILE"}
    )

    told = [row["answers"][0] for row in rows.values()]
    assert [each["rule"] for each in told] == ["cause-unknown", "cause-twice"]
    assert all("nguyên nhân thứ 2 trong ô" in each["message"] for each in told)
    assert file.text.count("nguyên nhân thứ 2 trong ô") == 2
    assert "ung thư" not in file.text
    assert "ốm đau" not in file.text


async def test_who_fills_in_a_form_again_leaves_the_causes_that_are_not_shown(
    commune: Commune, signed_in: SignIn
) -> None:
    review, (household,) = await begun(commune)
    form, words = at(review.id, f"/forms/{household}"), "Con bị ung thư máu"
    fields = {"role": "REVIEWER", "on": "2024-10-01", "flags": ["WATER_SOURCE"], **BY_FLAGS}
    desk, less = Desk(commune.client), Desk(signed_in(COMMUNE, permissions=UNSEEING))
    causes = ["NO_LAND", "ILLNESS", "OTHER"]
    await look_and_confirm(desk, form, **fields, causes=causes, cause_text=words)

    shown = await less.see(form)
    await look_and_confirm(less, form, **fields, causes=["NO_CAPITAL", "OTHER"])
    kept = await desk.see(form)

    assert words not in shown
    assert re.findall(r'name="causes" value="(\w+)" checked', shown) == ["NO_LAND", "OTHER"]
    assert re.findall(r'name="causes" value="(\w+)" checked', kept) == ["NO_CAPITAL", "ILLNESS", "OTHER"]
    assert f'value="{words}"' in kept


async def test_a_correction_has_causes_of_its_own_and_the_register_of_then_those_of_then(
    commune: Commune,
) -> None:
    household, review = await commune.register(), await commune.open_review(2023)
    decided = await commune.decide(review, household, 120, 40, causes=["NO_LAND"])
    before = await commune.moment()

    correction = {"members": 4, "b1_points": 120, "b2_points": 30, "causes": ["NO_TOOLS"]}
    paper = {"decided_on": "2024-01-05", "reason": "Ghi nhầm nguyên nhân"}
    path = f"/v1/decisions/{decided['decision_id']}/corrections"
    await commune.ask("POST", path, 201, json=correction | paper)

    assert codes_of(await commune.household(household)) == ["NO_TOOLS"]
    then = await commune.ask("GET", f"/v1/households/{household}", params={"known_at": before})
    assert codes_of(then) == ["NO_LAND"]
    none = await commune.ask("GET", f"/v1/households/{household}", params={"on": "2023-01-01"})
    assert none["causes"] is None
    history = await commune.ask("GET", f"/v1/households/{household}/decisions")
    assert [codes_of(each) for each in history["decisions"]] == [["NO_LAND"], ["NO_TOOLS"]]
    for when, code in (({}, "NO_TOOLS"), ({"known_at": before}, "NO_LAND")):
        total = (await commune.ask("GET", "/v1/causes", params=when))["areas"][-1]["rows"][1]
        assert [each["cause"] for each in total["causes"] if each["households"]] == [code]


async def test_a_later_decision_without_causes_leaves_none_in_force(commune: Commune) -> None:
    household = await commune.register()
    await commune.decide(await commune.open_review(2022), household, 120, 40, causes=["NO_LAND"])
    await commune.decide(await commune.open_review(2023), household, 120, 40)

    assert (await commune.household(household))["causes"] is None
    then = await commune.ask("GET", f"/v1/households/{household}", params={"on": "2023-06-01"})
    assert codes_of(then) == ["NO_LAND"]


async def filled_register(commune: Commune) -> dict[str, list[tuple[str, Sequence[str]]]]:
    """Households of two villages, by village: class and causes."""
    wanted = [
        ("01", 40, ["NO_LAND"]),
        ("01", 40, ["NO_LAND", "ILLNESS"]),
        ("01", 20, ["NO_CAPITAL"]),
        ("02", 40, []),
        ("02", 20, ["NO_LAND", "NO_CAPITAL", "NO_SKILL"]),
        ("02", 0, None),
    ]
    review = await commune.open_review(2023)
    found: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for number, (village, b2, causes) in enumerate(wanted):
        place = f"{commune.code}.{village}"
        household = await commune.register(code=f"H{number}", village=place)
        if causes is None:
            await commune.decide(review, household, 200, b2)
            continue
        decided = await commune.decide(review, household, 120, b2, causes=causes)
        found.setdefault(place, []).append((decided["class"], causes))
    return found


async def test_form_7_10_counts_each_household_with_each_of_its_causes(
    commune: Commune, signed_in: SignIn
) -> None:
    expected = await filled_register(commune)

    told = await commune.ask("GET", "/v1/causes", params={"area": commune.code})

    assert (told["level"], [each["area"] for each in told["areas"]]) == ("VILLAGE", [*expected, "TOTAL"])
    assert told["areas"][0]["name"] == "Làng Một"
    everyone = [one for own in expected.values() for one in own]
    for area, own in zip(told["areas"], [*expected.values(), everyone], strict=True):
        for shown in area["rows"]:
            rows = [causes for klass, causes in own if shown["class"] in {None, klass}]
            assert shown["households"] == len(rows)
            assert shown["with_causes"] == len([each for each in rows if each])
            assert {each["cause"]: each["households"] for each in shown["causes"]} == {
                code: len([each for each in rows if code in each]) for code in CODES
            }
    above = await commune.ask("GET", "/v1/causes")
    assert (above["level"], [each["area"] for each in above["areas"]]) == ("COMMUNE", [COMMUNE, "TOTAL"])
    assert above["areas"][-1]["rows"] == told["areas"][-1]["rows"]
    before = await commune.ask("GET", "/v1/causes", params={"on": "2023-01-01"})
    assert [each["households"] for each in before["areas"][-1]["rows"]] == [0, 0, 0]
    country = Commune(commune.app, signed_in("VN"), commune.folder)
    assert [each["area"] for each in (await country.ask("GET", "/v1/causes"))["areas"]] == ["64", "TOTAL"]
    elsewhere = Commune(commune.app, signed_in("23830"), commune.folder)
    assert [each["area"] for each in (await elsewhere.ask("GET", "/v1/causes"))["areas"]] == ["TOTAL"]


async def test_the_form_is_taken_away_with_a_purpose_on_record(commune: Commune, engine: Engine) -> None:
    await filled_register(commune)
    asked = {"area": commune.code, "purpose": "POLICY"}

    file = await commune.client.get("/v1/causes.csv", params=asked)
    book = await commune.client.get("/v1/causes.xlsx", params=asked)
    without = await commune.client.get("/v1/causes.csv", params={"area": commune.code})

    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith('TT,Khu vực/Đơn vị,Số hộ,1. Không có đất sản xuất,"2. Không có vốn')
    assert lines[1:4] == ["1,Làng Một,3,2,1,0,0,0,0,1,0", ",– Hộ nghèo,2,2,0,0,0,0,0,1,0",
                          ",– Hộ cận nghèo,1,0,1,0,0,0,0,0,0"]  # fmt: skip
    assert lines[7].split(",")[1:3] == ["Tổng cộng", "5"]
    assert (book.status_code, book.content[:2]) == (200, b"PK")
    assert without.status_code == 422
    async with engine("households").connect() as conn:
        kept = sa.text("select detail->>'purpose' from audit where action = 'causes.exported'")
        assert list(await conn.scalars(kept)) == ["POLICY", "POLICY"]


async def test_the_causes_are_listed_with_their_source(commune: Commune) -> None:
    listed = await commune.ask("GET", "/v1/causes/list", headers={"Accept-Language": "en"})

    assert [each["code"] for each in listed["items"]] == list(CODES)
    assert listed["items"][0]["label"] == "No land to farm"
    assert "02/2022/TT-BLĐTBXH" in listed["legal"]
