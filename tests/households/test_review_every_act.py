"""Each act of each kind of review succeeds over HTTP where the law has it, and leaves its line on its paper."""

import datetime as dt

from tests.households.officer import Commune
from tests.households.reviewing import (
    OVER,
    POSTED,
    VILLAGE,
    Review,
    begun,
    consulted,
    posted,
    recognised,
)

from benvung import clock
from benvung.testing import Engine, emitted
from households.domain.procedure_terms import Action
from households.events import HouseholdClassified


async def test_an_annual_review_goes_from_its_plan_to_its_report(commune: Commune) -> None:
    clock.fix(dt.date(2024, 9, 2))
    earlier = await commune.open_review(2023)
    poor, asking, turned_away = [await commune.register(code=f"H{number}") for number in range(3)]
    await commune.decide(earlier, poor, 120, 40)
    review = Review(commune, await commune.open_review(2024))

    opened = await review.open()
    assert (opened["state"], opened["procedure"], opened["version"]) == ("LISTING", "QD24-ANNUAL/1", 1)
    await review.do(Action.LIST, cases=[poor])
    await review.request(asking, screened_in=True)
    listed = await review.request(turned_away, screened_in=False)
    assert listed["cases"] == 3
    assert (await review.cases())[turned_away]["state"] == "SCREENED_OUT"
    assert (await review.do(Action.CLOSE_LIST))["state"] == "SURVEY"
    await review.do(Action.SURVEY, cases=[poor, asking])
    await review.score(poor)
    await review.score(asking, 130, 20)
    assert (await review.do(Action.CALL_MEETING))["state"] == "MEETING"
    back = await review.meet(agreeing=30, agreeing_by_case={asking: 19})
    assert (back["state"], back["round"]) == ("SURVEY", 2)
    assert (await review.cases())[asking]["state"] == "SENT_BACK"
    assert (await review.cases())[poor]["state"] == "MEETING_AGREED"
    await review.do(Action.SURVEY, cases=[asking])
    await review.score(asking, 120, 30)
    await review.do(Action.CALL_MEETING)
    assert (await review.meet(agreeing=20))["state"] == "MEETING", "half of those present is enough"
    hung = await review.at(POSTED).do(Action.POST)
    assert (hung["state"], hung["posted_until"]) == ("POSTING", "2024-10-24")
    await review.at("2024-10-22").do(Action.COMPLAIN, cases=[asking])
    await review.score(asking, 120, 20, Action.RECHECK)
    again = await review.do(Action.POST, number="2/TB")
    assert again["posted_until"] == "2024-10-25"
    await review.do(Action.REPORT_PRELIMINARY)
    await review.at("2024-10-28").do(Action.END_POSTING)
    assert (await review.do(Action.ASK_OPINION))["state"] == "CONSULT"
    assert (await review.at("2024-10-31").do(Action.GIVE_OPINION))["state"] == "CONSULT"
    assert (await review.do(Action.RECOGNISE, number="145/QĐ-UBND"))["state"] == "RECOGNISED"
    await review.do(Action.ISSUE_CERTIFICATE, cases=[poor], number="7/GCN")
    assert (await review.do(Action.REPORT))["state"] == "REPORTED"
    await commune.ask("POST", f"/v1/reviews/{review.id}/closure", 201)

    assert (await commune.household(poor))["poverty_class"] == "POOR"
    assert (await commune.household(asking))["poverty_class"] == "NEAR_POOR"
    assert (await commune.household(turned_away))["poverty_class"] is None
    assert set((await review.deadlines()).values()) == {"MET"}
    done = {each["action"] for each in await review.log()}
    assert done == set(Action) - {"WITHDRAW", "REVOKE_CERTIFICATE", "CORRECT"}


async def test_a_regular_review_recognises_and_refuses_in_writing_within_its_month(commune: Commune) -> None:
    clock.fix(dt.date(2025, 2, 17))
    earlier = await commune.open_review(2023)
    escaping, asking = [await commune.register(code=f"H{number}") for number in range(2)]
    await commune.decide(earlier, escaping, 120, 40)
    review = Review(commune, await commune.open_review(2025, kind="REGULAR", decided_on="2025-02-28"))
    await review.open(month=2)
    await review.request(escaping, kind="REQUEST_ESCAPE")
    await review.request(asking)
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.SURVEY, cases=[escaping, asking])
    await review.score(escaping, 200, 10)
    await review.score(asking, 200, 0)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    await review.do(Action.POST)
    await review.at("2025-02-21").do(Action.END_POSTING)

    unanswered = await review.do(Action.RECOGNISE, 422, number="31/QĐ-UBND")
    answer = {
        "case": asking,
        "paper": {"kind": "REFUSAL", "number": "32/UBND", "dated": "2025-02-21"},
        "reason": "Thu nhập vượt mức chuẩn",
    }
    done = await review.do(Action.RECOGNISE, number="31/QĐ-UBND", refusals=[answer])

    assert unanswered["rule"] == "refusal-not-in-writing"
    assert done["state"] == "RECOGNISED"
    found = await review.cases()
    assert (found[escaping]["state"], found[escaping]["decision_number"]) == ("RECOGNISED", "31/QĐ-UBND")
    assert (found[asking]["state"], found[asking]["decision_number"]) == ("REFUSED", "32/UBND")
    assert (await commune.household(escaping))["left_list_on"] == "2025-02-21"
    line = (await review.log())[-1]
    assert "Thu nhập" not in str(line["facts"])
    assert (await review.do(Action.REPORT))["state"] == "REPORTED"


async def test_an_opinion_that_returns_results_sends_them_through_survey_meeting_and_posting_again(
    commune: Commune,
) -> None:
    review, (poor, other) = await consulted(commune)

    back = await review.do(Action.GIVE_OPINION, returned=[other], reason="Chưa rõ thu nhập")

    assert (back["state"], back["round"]) == ("SURVEY", 2)
    assert {one: case["state"] for one, case in (await review.cases()).items()} == {
        poor: "MEETING_AGREED",
        other: "SENT_BACK",
    }
    assert (await review.log())[-1]["reason"] == "Chưa rõ thu nhập"
    refused = await review.do(Action.POST, 422)
    assert refused["rule"] == "step-out-of-order"
    await review.do(Action.SURVEY, cases=[other])
    await review.score(other, 120, 40)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    await review.do(Action.POST, number="3/TB")
    await review.at("2024-10-31").do(Action.END_POSTING)
    await review.do(Action.ASK_OPINION)
    await review.do(Action.GIVE_OPINION)
    assert (await review.do(Action.RECOGNISE))["state"] == "RECOGNISED"


async def test_whoever_moved_away_is_withdrawn_and_holds_nobody_up(commune: Commune) -> None:
    review, (stays, gone) = await begun(commune, 2)
    await review.score(stays)
    assert (await review.do(Action.CALL_MEETING, 422))["rule"] == "cases-behind"

    await review.do(Action.WITHDRAW, cases=[gone], reason="Chuyển đi nơi khác")

    assert (await review.do(Action.CALL_MEETING))["state"] == "MEETING"
    assert (await review.cases())[gone]["state"] == "WITHDRAWN"


async def test_recognition_names_the_household_that_holds_it_up_and_decides_on_nobody(
    commune: Commune,
) -> None:
    review, (poor, gone) = await consulted(commune)
    await review.do(Action.GIVE_OPINION)
    ended = {"reason": "DISSOLVED", "on": OVER}
    await commune.ask("POST", f"/v1/households/{gone}/closure", 201, json=ended)

    refused = await review.do(Action.RECOGNISE, 422)

    assert (refused["rule"], gone in refused["detail"]) == ("household-not-active", True)
    decisions = (await commune.ask("GET", f"/v1/households/{poor}/decisions"))["decisions"]
    assert [each["review_id"] for each in decisions if each["review_id"] == review.id] == []
    await review.do(Action.WITHDRAW, cases=[gone], reason="Hộ không còn")
    assert (await review.do(Action.RECOGNISE))["state"] == "RECOGNISED"


async def test_a_correction_after_recognition_is_a_new_decision_in_the_place_of_the_old_one(
    commune: Commune, engine: Engine
) -> None:
    review, (poor, escaped) = await recognised(commune)
    review.at("2024-11-05")

    wrong = await review.do(
        Action.CORRECT, 422, cases=[escaped], members=4, b1_points=120, b2_points=40, corrects="9/QĐ",
        reason="Nhầm điểm B1",
    )  # fmt: skip
    corrected = await review.do(
        Action.CORRECT, cases=[escaped], members=4, b1_points=120, b2_points=20, corrects="145/QĐ-UBND",
        reason="Nhầm điểm B1", number="160/QĐ-UBND",
    )  # fmt: skip

    assert wrong["rule"] == "correction-of-another"
    assert corrected["state"] == "RECOGNISED"
    household = await commune.household(escaped)
    assert (household["poverty_class"], household["class_since"]) == ("NEAR_POOR", OVER)
    assert (await commune.household(poor))["poverty_class"] == "POOR"
    history = (await commune.ask("GET", f"/v1/households/{escaped}/decisions"))["decisions"]
    first, second = [each for each in history if each["review_id"] == review.id]
    assert [each["decision_number"] for each in (first, second)] == ["145/QĐ-UBND", "160/QĐ-UBND"]
    assert [each["decided_on"] for each in (first, second)] == [OVER, "2024-11-05"]
    assert first["valid_from"] == second["valid_from"] == OVER
    async with engine("households").connect() as conn:
        told = [
            each for each in await emitted(conn, HouseholdClassified) if str(each.household_id) == escaped
        ]
    assert (told[-1].decision.replaces is not None, told[-2].decision.replaces) == (True, None)
    await review.do(Action.ISSUE_CERTIFICATE, cases=[escaped], number="9/GCN")
    assert (await review.log())[-2]["corrects"] == "145/QĐ-UBND"
    again = await review.do(
        Action.CORRECT, cases=[escaped], members=4, b1_points=200, b2_points=20, corrects="160/QĐ-UBND",
        reason="Nhầm lần nữa", number="170/QĐ-UBND",
    )  # fmt: skip
    assert again["version"] > corrected["version"]
    assert (await commune.household(escaped))["poverty_class"] == "NOT_POOR"
    await review.do(Action.REVOKE_CERTIFICATE, cases=[escaped], reason="Hộ không còn thuộc danh sách")
    assert (await review.cases())[escaped]["certificate_revoked_on"] == "2024-11-05"


async def test_what_a_village_finds_is_preliminary_and_moves_nothing_until_the_decision(
    commune: Commune,
) -> None:
    review, (poor, escaped) = await posted(commune)
    await review.do(Action.REPORT_PRELIMINARY)

    assert {case["stage"] for case in (await review.cases()).values()} == {"PRELIMINARY"}
    household = await commune.household(escaped)
    assert (household["poverty_class"], household["preliminary_class"]) == ("POOR", None)
    counted = (await review.log())[-1]
    assert (counted["action"], counted["facts"]) == ("REPORT_PRELIMINARY", {"NOT_POOR": 1, "POOR": 1})
    assert (await review.deadlines())["REPORT_PRELIMINARY"] == "MET"

    await review.at(OVER).do(Action.END_POSTING)
    await review.do(Action.ASK_OPINION)
    await review.do(Action.GIVE_OPINION)
    await review.do(Action.RECOGNISE)

    assert {case["stage"] for case in (await review.cases()).values()} == {"OFFICIAL"}
    assert (await commune.household(escaped))["poverty_class"] == "NOT_POOR"
    assert (await commune.household(poor))["poverty_class"] == "POOR"


async def test_the_log_is_read_by_review_by_village_and_by_household(commune: Commune) -> None:
    review, (poor, escaped) = await recognised(commune)
    second = Review(commune, review.id, village=2)
    await second.open()
    await second.do(Action.CLOSE_LIST)

    of_village = await review.log()
    whole = await commune.ask("GET", f"/v1/reviews/{review.id}/entries", params={"limit": 500})
    of_poor = await commune.ask("GET", f"/v1/households/{poor}/entries")

    assert [each for each in whole["items"] if each["village"] == VILLAGE] == of_village
    assert [each["action"] for each in whole["items"] if each["village"] == second.village] == [
        "OPEN",
        "CLOSE_LIST",
    ]
    assert [each["action"] for each in of_poor["items"]] == [
        "LIST", "SURVEY", "SCORE", "HOLD_MEETING", "POST", "ASK_OPINION", "RECOGNISE",
    ]  # fmt: skip
    assert all(poor in each["cases"] for each in of_poor["items"])
    asked = of_poor["items"][-2]
    assert (asked["role"], asked["paper_kind"], asked["paper_number"], asked["paper_dated"], asked["on"]) == (
        "COMMUNE_CHAIR",
        "REPORT_FOR_OPINION",
        "1/ASK_OPINION",
        OVER,
        OVER,
    )
    first = await commune.ask("GET", f"/v1/reviews/{review.id}/entries", params={"limit": 3})
    rest = await commune.ask(
        "GET", f"/v1/reviews/{review.id}/entries", params={"limit": 500, "after": first["next"]}
    )
    assert first["items"] + rest["items"] == whole["items"]
    assert escaped in str(whole)
