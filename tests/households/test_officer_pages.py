"""A review run on the pages alone, from opening to recognition, and what the pages refuse."""

import re

import httpx2
import pytest
import sqlalchemy as sa
from tests.households.at_the_desk import BY_FLAGS, VILLAGE, Desk, at, day, look_and_confirm, paper
from tests.households.forms import move_in, table
from tests.households.officer import COMMUNE, Commune, SignIn
from tests.households.people import child, enter, person
from tests.households.reviewing import begun, posted

from benvung.testing import Engine


async def test_a_village_goes_from_opening_to_recognition_on_pages(commune: Commune) -> None:
    desk, on = Desk(commune.client), day("2024-10-01")
    household = await commune.register()
    await commune.decide(await commune.open_review(2023), household, 120, 40)
    known = await desk.hidden("/reviews/new")
    opened = await desk.post(
        "/reviews",
        303,
        {**known, "commune": COMMUNE, "kind": "ANNUAL", "year": "2024", "standard": "STD_2022_2025",
         "decided_on": "2024-12-10"},
    )  # fmt: skip
    review = opened.headers["location"].rpartition("/")[2]

    async def act(action: str, status: int = 303, **fields: object) -> httpx2.Response:
        return await desk.fill(at(review, f"/acts/{action}"), status, on=on, **fields)

    await desk.fill(
        f"/reviews/{review}/opening",
        role="STEERING_COMMITTEE",
        on=on,
        villages=[VILLAGE],
        **paper("PLAN", "1/KH", on),
    )
    listing = await desk.see(at(review, "/acts/LIST"))
    assert f'value="{household}" checked' in listing
    await act("LIST", role="STEERING_COMMITTEE", cases=[household])
    await act("CLOSE_LIST", **paper("REVIEW_LIST", "2/DS", on))
    form = at(review, f"/forms/{household}")
    await look_and_confirm(
        desk,
        form,
        role="STEERING_COMMITTEE",
        on=on,
        flags=["WATER_SOURCE", "HYGIENIC_TOILET", "INFO_DEVICES"],
        **BY_FLAGS,
    )
    await act("CALL_MEETING", role="VILLAGE_HEAD")
    await act(
        "HOLD_MEETING", present="40", agreeing="31", copies="2", signed_by=["CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"],
        **paper("MINUTES", "3/BB", on),
    )  # fmt: skip
    hung = await act("POST", **paper("NOTICE", "21/TB-UBND", on))
    assert hung.headers["location"].endswith("/posting")
    posting = await desk.see(hung.headers["location"])
    notice = re.search(r"/v1/notices/[0-9a-f-]+\.pdf", posting)
    assert notice is not None
    assert "đến hết ngày 04/10/2024" in posting
    assert "END_POSTING" not in posting
    on = day("2024-10-07")
    await act("END_POSTING")
    await act("ASK_OPINION", **paper("REPORT_FOR_OPINION", "9/BC", on))
    assert commune.higher is not None
    higher = Desk(commune.higher)
    await higher.fill(
        at(review, "/acts/GIVE_OPINION"), role="DISTRICT_CHAIR", on=on, **paper("OPINION", "77/UBND", on)
    )
    await act("RECOGNISE", **paper("DECISION", "145/QĐ-UBND", on))

    page = await desk.see(at(review))
    home = await desk.see("/")
    of_household = await desk.see(f"/households/{household}")
    assert "Đã quyết định công nhận" in page
    assert "145/QĐ-UBND" in page
    assert "Cấp giấy chứng nhận" in page
    assert "1 trên 1" in home
    assert "120 điểm, không quá mức 140 điểm của khu vực nông thôn" in of_household
    assert "Vì vậy là hộ nghèo." in of_household
    assert "Quyết định 145/QĐ-UBND ngày 07/10/2024" in of_household


async def test_form_b_by_its_answers_writes_what_it_learns_of_members(commune: Commune) -> None:
    review, (household,) = await begun(commune)
    desk = Desk(commune.client)
    await enter(
        commune,
        household,
        **person(work=None, number=None, number_missing="OTHER", number_missing_text="chưa cấp"),
    )
    await enter(commune, household, **child())
    form = at(review.id, f"/forms/{household}")
    shown = await desk.see(form)
    head = re.search(r'name="m\.([0-9a-f-]{36})\.work"', shown)
    assert head is not None
    answers = {
        "how": "answers", "role": "REVIEWER", "on": "2024-10-01", "b1_points": "120",
        "b2.wall": "NOT_DURABLE", "b2.pillar": "NOT_DURABLE", "b2.roof": "DURABLE", "b2.floor_area": "15,9",
        "b2.water": "SURFACE", "b2.toilet": "NONE", "b2.internet": "no", "b2.devices.none": "yes",
    }  # fmt: skip
    known = dict(
        re.findall(r'name="(m\.[^"]+)"[^>]*>(?:(?!</select>).)*?value="([A-Z_]+)" selected', shown, re.DOTALL)
    )
    fields = {**known, **answers}

    missing = await desk.post(form, 200, {**await desk.hidden(form), **fields, "step": "look"})
    await look_and_confirm(desk, form, **fields, **{f"m.{head[1]}.work": "SELF_EMPLOYED"})
    again = await desk.see(form)

    assert f'href="#members.{head[1]}.work"' in missing.text
    assert 'value="15,9"' in missing.text
    cases = await review.cases()
    assert (cases[household]["state"], cases[household]["finding"]) == ("SCORED", "POOR")
    listed = await commune.ask("GET", f"/v1/households/{household}/members")
    assert {each["work"] for each in listed["members"]} == {"SELF_EMPLOYED", "CHILD"}
    # The answers are there again, for whoever corrects them.
    assert re.search(r'value="SURFACE" selected', again)
    assert 'value="15,9"' in again


async def test_what_is_confirmed_is_what_was_seen(commune: Commune) -> None:
    review, (household,) = await begun(commune)
    desk, form = Desk(commune.client), at(review.id, f"/forms/{household}")
    fields = {**await desk.hidden(form), "role": "REVIEWER", "on": "2024-10-01", **BY_FLAGS}
    seen = await desk.post(form, 200, {**fields, "step": "look"})
    summary = re.search(r'name="seen" value="([^"]*)"', seen.text)
    assert summary is not None

    changed = {**fields, "b1_points": "300", "seen": summary[1], "step": "confirm"}
    again = await desk.post(form, 200, changed)

    assert "Hộ không nghèo" in again.text
    assert (await review.cases())[household]["state"] == "SURVEYED"


async def test_the_page_of_form_b_takes_causes_of_poverty_and_has_them_again(commune: Commune) -> None:
    review, (household,) = await begun(commune)
    desk, form = Desk(commune.client), at(review.id, f"/forms/{household}")
    fields = {"role": "REVIEWER", "on": "2024-10-01", "flags": ["WATER_SOURCE"], **BY_FLAGS}
    causes = {"causes": ["NO_LAND", "OTHER"], "cause_text": "Nương bị sạt lở"}

    empty = await desk.see(form)
    missing = await desk.post(
        form, 200, {**await desk.hidden(form), **fields, **causes, "cause_text": "", "step": "look"}
    )
    await look_and_confirm(desk, form, **fields, **causes)
    again = await desk.see(form)

    assert empty.count('name="causes"') == 8
    assert 'id="cause_text-error"' in missing.text
    assert 'name="seen"' not in missing.text
    assert re.search(r'name="causes" value="OTHER" checked', again)
    assert 'value="Nương bị sạt lở"' in again


async def test_a_form_sent_twice_records_once(commune: Commune) -> None:
    review, known = await begun(commune)
    await review.score(known[0])
    desk, path = Desk(commune.client), at(review.id, "/acts/CALL_MEETING")
    fields = {**await desk.hidden(path), "role": "VILLAGE_HEAD", "on": "2024-10-01"}
    before = len(await review.log())

    first = await desk.post(path, 303, fields)
    second = await desk.post(path, 303, fields)

    assert first.headers["location"] == second.headers["location"]
    assert len(await review.log()) == before + 1


async def test_what_somebody_else_did_meanwhile_is_shown_and_what_was_typed_stays(commune: Commune) -> None:
    review, known = await begun(commune)
    await review.score(known[0])
    desk, path = Desk(commune.client), at(review.id, "/acts/WITHDRAW")
    fields = {
        **await desk.hidden(path),
        "role": "POVERTY_OFFICER",
        "on": "2024-10-01",
        "cases": known[0],
        "reason": "Chuyển đi xa",
    }
    await review.score(known[0], 110, 30)

    refused = await desk.post(path, 412, fields)

    assert "Chuyển đi xa" in refused.text
    assert "chưa có gì được ghi" in refused.text
    assert (await review.cases())[known[0]]["state"] == "SCORED"


async def test_a_refusal_stands_beside_its_field_with_its_article(commune: Commune) -> None:
    review, known = await begun(commune)
    await review.score(known[0])
    desk = Desk(commune.client)
    await desk.fill(at(review.id, "/acts/CALL_MEETING"), role="VILLAGE_HEAD", on="2024-10-01")

    refused = await desk.fill(
        at(review.id, "/acts/HOLD_MEETING"), 422, on="2024-10-01", present="10", agreeing="11", copies="2",
        signed_by=["CHAIR", "MINUTE_TAKER", "HOUSEHOLDS"], **paper("MINUTES", "3/BB", "2024-10-01"),
    )  # fmt: skip
    unnumbered = await desk.fill(
        at(review.id, "/acts/HOLD_MEETING"), 422, on="2024-10-01", present="10", agreeing="9",
        **paper("MINUTES", "", "2024-10-01"),
    )  # fmt: skip

    assert 'id="agreeing-error"' in refused.text
    assert "Điều 4 khoản 3" in refused.text
    assert 'name="present" type="number" value="10"' in refused.text
    assert 'id="paper.number-error"' in unnumbered.text
    assert await review.state() == "MEETING"


async def test_what_must_wait_says_for_what(commune: Commune) -> None:
    review, _ = await begun(commune)

    page = await Desk(commune.client).see(at(review.id))
    asked = await Desk(commune.client).see(at(review.id, "/acts/CALL_MEETING"))

    assert "Chưa thể “Triệu tập cuộc họp dân”" in page
    assert "/acts/CALL_MEETING" not in page
    assert '<form class="form wide"' not in asked


async def test_a_complaint_is_rechecked_and_posted_again(commune: Commune) -> None:
    review, known = await posted(commune)
    desk, on = Desk(commune.client), "2024-10-22"
    day(on)
    await desk.fill(
        at(review.id, f"/acts/COMPLAIN?case={known[1]}"),
        on=on,
        role="RESIDENT",
        cases=known[1],
        **paper("COMPLAINT", "1/ĐKN", on),
    )
    posting = await desk.see(at(review.id, "/posting"))
    assert f"/forms/{known[1]}" in posting
    await look_and_confirm(
        desk, at(review.id, f"/forms/{known[1]}"), on=on, how="total", members="4", b1_points="120", b2_points="10",
        **paper("RECHECK_RECORD", "1/BBPT", on),
    )  # fmt: skip
    await desk.fill(at(review.id, "/acts/POST"), on=on, **paper("NOTICE", "22/TB", on))

    cases = await review.cases()
    assert (cases[known[1]]["state"], cases[known[1]]["finding"]) == ("POSTED", "NEAR_POOR")
    posting = await desk.see(at(review.id, "/posting"))
    assert "Thông báo số 22" in posting
    assert posting.count("/v1/notices/") == 1, "the earlier notice is not printed any more"
    assert "đã niêm yết lại" in posting


async def test_the_notice_prints_while_it_hangs_and_is_gone_afterwards(commune: Commune) -> None:
    review, _ = await posted(commune)
    page = await Desk(commune.client).see(at(review.id, "/posting"))
    notice = re.search(r"/v1/notices/[0-9a-f-]+\.pdf\?purpose=CITIZEN", page)
    assert notice is not None

    printed = await commune.client.get(notice[0])
    day("2024-10-25")
    later = await Desk(commune.client).see(at(review.id, "/posting"))

    assert printed.content.startswith(b"%PDF")
    assert notice[0] not in later
    assert "Đã hết thời gian niêm yết" in later


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_page_can_be_written_in_both_languages(commune: Commune, language: str) -> None:
    review, known = await posted(commune)
    desk = Desk(commune.client)
    paths = (
        "/", "/households", "/imports", "/reviews/new", f"/reviews/{review.id}", f"/reviews/{review.id}/opening",
        at(review.id), at(review.id, "/posting"), at(review.id, "/acts/COMPLAIN"), at(review.id, "/acts/END_POSTING"),
        at(review.id, f"/forms/{known[0]}"), f"/households/{known[0]}",
    )  # fmt: skip
    for path in paths:
        page = await desk.see(f"{path}?lang={language}")
        assert f'<html lang="{language}">' in page
        assert page.count("<h1") == 1


async def test_form_b1_is_asked_by_the_loaded_table_in_force_on_the_day_and_scored_item_by_item(
    commune: Commune, signed_in: SignIn, engine: Engine
) -> None:
    administrator = Commune(commune.app, signed_in("VN"), commune.folder)
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    review, (household,) = await begun(commune)
    desk, form = Desk(commune.client), at(review.id, f"/forms/{household}")
    fields = {
        "role": "REVIEWER", "on": "01/10/2024", "how": "flags", "members": "4", "b1.SIZE": "MANY",
        "b1.ASSETS": ["BIKE", "BOAT"],
    }  # fmt: skip

    missing = await desk.post(form, 200, {**await desk.hidden(form), **fields, "step": "look"})
    await look_and_confirm(desk, form, **{**fields, "b1.AREA": "8,0"})

    assert "Bảng điểm theo văn bản 7/VB-GĐ" in missing.text
    assert "Chưa trả lời mục “Mục AREA”" in missing.text
    assert await scored(engine) == (125, None)
    assert (await review.cases())[household]["finding"] == "NEAR_POOR"
    assert 'value="8,0"' in await desk.see(form)


async def test_form_b_answered_whole_rests_on_items(
    commune: Commune, signed_in: SignIn, engine: Engine
) -> None:
    administrator = Commune(commune.app, signed_in("VN"), commune.folder)
    await administrator.ask("POST", "/v1/score-tables", 201, json=table())
    review, (household,) = await begun(commune)
    await move_in(commune, household)
    answers = {
        "b2.wall": "NOT_DURABLE", "b2.pillar": "NOT_DURABLE", "b2.roof": "DURABLE", "b2.floor_area": "15,9",
        "b2.water": "SURFACE", "b2.toilet": "SEPTIC", "b2.internet": "yes", "b2.devices": ["TELEVISION"],
        "b1.SIZE": "MANY", "b1.ASSETS": ["BIKE"], "b1.AREA": "8",
    }  # fmt: skip
    form = at(review.id, f"/forms/{household}")

    await look_and_confirm(
        Desk(commune.client), form, role="REVIEWER", on="2024-10-01", how="answers", **answers
    )

    assert await scored(engine) == (120, "ITEMS")
    assert (await review.cases())[household]["finding"] == "POOR"


@pytest.mark.parametrize(
    "changes", [None, {"valid_to": "2024-09-30"}, {"approval": None}], ids=["none", "over", "draft"]
)
async def test_without_a_table_in_force_the_page_says_so_and_takes_the_reviewers_total(
    commune: Commune, signed_in: SignIn, engine: Engine, changes: dict[str, object] | None
) -> None:
    if changes is not None:
        administrator = Commune(commune.app, signed_in("VN"), commune.folder)
        await administrator.ask("POST", "/v1/score-tables", 201, json=table(**changes))
    review, (household,) = await begun(commune)
    desk, form = Desk(commune.client), at(review.id, f"/forms/{household}")
    fields = {
        "role": "REVIEWER", "on": "2024-10-01", "how": "total", "members": "4", "b2_points": "30",
        "b1.SIZE": "MANY",
    }  # fmt: skip

    page = await desk.see(f"{form}?on=2024-10-01")
    nothing = await desk.post(form, 200, {**await desk.hidden(form), **fields, "step": "look"})
    await look_and_confirm(desk, form, **fields, b1_points="120")

    assert "chưa có bảng điểm được phê duyệt" in page
    assert "b1.SIZE" not in page
    assert "Hãy ghi tổng điểm Phiếu B1" in nothing.text
    assert await scored(engine) == (120, None)
    assert (await review.cases())[household]["finding"] == "POOR"


async def scored(engine: Engine) -> tuple[int, str | None]:
    """Points of form B1 as they were recorded, and what the result rests on where that is both forms' items."""
    query = "select given from review_entries where action = 'SCORE'"
    async with engine("households").connect() as conn:
        given = (await conn.execute(sa.text(query))).scalar_one()
    return given["b1_points"], given.get("basis")
