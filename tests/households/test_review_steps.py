"""The steps of a review over HTTP: none is skipped, all are on record, recognition decides, and what is late is told once."""

import asyncio
import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from tests.households.officer import OTHER, Commune, SignIn
from tests.households.reviewing import OVER, VILLAGE, Review, begun, consulted, posted

from benvung import areas, clock
from benvung.testing import Engine, emitted
from households.deadlines import tell_missed
from households.domain.procedure_terms import Action
from households.events import DeadlineMissed, HouseholdClassified


async def test_recognition_decides_on_everybody_and_tells_in_the_same_moment(
    commune: Commune, engine: Engine
) -> None:
    review, (poor, escaped) = await consulted(commune)
    await review.do(Action.GIVE_OPINION)

    recognised = await review.do(Action.RECOGNISE, number="145/QĐ-UBND")

    assert recognised["state"] == "RECOGNISED"
    assert (await commune.household(escaped))["poverty_class"] == "NOT_POOR"
    async with engine("households").connect() as conn:
        told = (await emitted(conn, HouseholdClassified))[-2:]
    assert {str(each.household_id): each.decision.decided_class for each in told} == {
        poor: "POOR",
        escaped: "NOT_POOR",
    }
    assert {each.decision.decision_number for each in told} == {"145/QĐ-UBND"}
    assert {each.decision.decided_on.isoformat() for each in told} == {OVER}
    await review.do(Action.ISSUE_CERTIFICATE, cases=[poor], number="7/GCN")
    done = await review.do(Action.REPORT)
    assert done["state"] == "REPORTED"
    assert (await review.cases())[poor]["certificate"] == "7/GCN"


async def test_every_step_is_refused_where_the_law_does_not_have_it(commune: Commune) -> None:
    review, (one,) = await begun(commune)
    before = await commune.ask("GET", f"{review.path}/{VILLAGE}")

    for action in Action:
        if action in {Action.OPEN, Action.SURVEY, Action.SCORE, Action.WITHDRAW}:
            continue
        said: dict[str, Any] = {"cases": [one], "members": 4, "b1_points": 1, "b2_points": 0, "corrects": "1"}
        if action is Action.GIVE_OPINION:
            said = {"returned": [one]}
        refused = await review.do(action, 422, **said, reason="x")
        assert refused["rule"] in {"step-out-of-order", "cases-behind"}, action
        assert refused["legal"], action

    assert await commune.ask("GET", f"{review.path}/{VILLAGE}") == before


async def test_a_meeting_that_does_not_agree_sends_the_village_back_to_the_survey(commune: Commune) -> None:
    review, (one,) = await begun(commune)
    await review.score(one)
    await review.do(Action.CALL_MEETING)

    back = await review.meet(agreeing=19)

    assert (back["state"], back["round"]) == ("SURVEY", 2)
    assert (await review.cases())[one]["state"] == "SENT_BACK"


async def test_results_hang_out_for_three_working_days_and_a_future_day_is_no_way_around(
    commune: Commune,
) -> None:
    review, _ = await posted(commune)

    assert (await review.do(Action.END_POSTING, 422))["rule"] == "posting-not-over"
    assert (await review.do(Action.END_POSTING, 422, on=OVER))["rule"] == "act-in-future"


async def test_a_posting_over_a_day_in_question_is_refused_by_name(
    commune: Commune, signed_in: SignIn
) -> None:
    clock.fix(dt.date(2026, 10, 1))
    code = min(unit.code for unit in areas.communes_under("52", dt.date(2026, 10, 1)))
    commune = Commune(commune.app, signed_in(code), commune.folder, code)
    await commune.list_villages("Làng Mới")
    review = Review(commune, await commune.open_review(2026))
    review.at("2026-11-20")
    await review.open()
    await review.do(Action.CLOSE_LIST)
    await review.do(Action.CALL_MEETING)
    await review.meet()

    assert (await review.do(Action.POST, 422))["rule"] == "holiday-undecided"


async def test_a_complaint_is_checked_again_and_posted_again(commune: Commune) -> None:
    review, (_, other) = await posted(commune)
    await review.do(Action.COMPLAIN, cases=[other])
    assert (await review.deadlines(state="OPEN"))["RECHECK"] == "OPEN"

    await review.score(other, 130, 20, Action.RECHECK)
    again = await review.do(Action.POST, number="2/TB")

    assert (again["state"], (await review.cases())[other]["finding"]) == ("POSTING", "NEAR_POOR")
    assert (await review.deadlines())["RECHECK"] == "MET"


async def test_a_review_whose_steps_are_recorded_takes_no_result_past_them(commune: Commune) -> None:
    review, (one,) = await begun(commune)
    given = {"household_id": one, "members": 4, "b1_points": 1, "b2_points": 0}
    path = review.path.removesuffix("/villages")

    assert (await commune.ask("POST", f"{path}/results", 422, json=given))["rule"] == "review-runs-by-steps"
    assert (await commune.ask("POST", f"{path}/closure", 409))["rule"] == "cycles-unfinished"


async def test_the_log_says_who_what_when_on_which_paper_and_is_never_changed(
    commune: Commune, engine: Engine
) -> None:
    review, _ = await posted(commune)

    entries = (await commune.ask("GET", f"{review.path}/{VILLAGE}/entries"))["items"]

    assert [each["number"] for each in entries] == list(range(1, len(entries) + 1))
    meeting = next(each for each in entries if each["action"] == "HOLD_MEETING")
    assert (meeting["actor"], meeting["paper_number"], meeting["facts"]["present"]) == (
        "officer",
        "1/HOLD_MEETING",
        40,
    )
    for change in ("update review_entries set number = 99", "delete from review_entries"):
        async with engine("households").connect() as conn:
            with pytest.raises(ProgrammingError, match="never changed"):
                await conn.execute(sa.text(change))


async def test_who_read_an_older_version_is_told_so(commune: Commune) -> None:
    review, (one,) = await begun(commune)
    read = await commune.client.get(f"{review.path}/{VILLAGE}")
    await review.score(one)

    refused = await review.do(Action.CALL_MEETING, 412, headers={"If-Match": read.headers["etag"]})

    assert refused["rule"] == "cycle-changed"


async def test_two_steps_at_once_are_one_step_and_one_refusal(commune: Commune) -> None:
    review, (one,) = await begun(commune)
    await review.score(one)
    given = {"action": Action.CALL_MEETING, **review.act(Action.CALL_MEETING)}
    path = f"{review.path}/{VILLAGE}/entries"

    answers = await asyncio.gather(*(commune.client.post(path, json=given) for _ in range(4)))

    assert sorted(each.status_code for each in answers) == [201, 422, 422, 422]


async def test_a_missed_deadline_is_told_once_however_often_and_by_how_many_it_is_looked_for(
    commune: Commune, engine: Engine
) -> None:
    review, _ = await consulted(commune)
    review.at("2024-11-20")
    app = commune.app.state.engine

    await asyncio.gather(*(tell_missed(app) for _ in range(4)))
    await tell_missed(app)

    assert await review.deadlines(state="MISSED") == {"OPINION": "MISSED", "REPORT_PRELIMINARY": "MISSED"}
    await review.do(Action.GIVE_OPINION)
    async with engine("households").connect() as conn:
        told = await emitted(conn, DeadlineMissed)
    assert sorted(each.deadline for each in told) == ["OPINION", "REPORT_PRELIMINARY"]


async def test_what_is_done_too_late_is_told_though_nobody_looked(commune: Commune, engine: Engine) -> None:
    review, _ = await consulted(commune)
    review.at("2024-11-11")

    await review.do(Action.GIVE_OPINION)

    assert await tell_missed(commune.app.state.engine) == 0
    async with engine("households").connect() as conn:
        [told] = await emitted(conn, DeadlineMissed)
    assert (told.deadline, told.due_on.isoformat()) == ("OPINION", "2024-11-01")


async def test_another_commune_sees_and_moves_nothing(commune: Commune, signed_in: SignIn) -> None:
    review, (one,) = await begun(commune)
    stranger = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    theirs = Review(stranger, review.id)

    assert (await theirs.do(Action.SURVEY, 403, cases=[one]))["rule"] == "outside-area"
    await stranger.ask("GET", f"{review.path}/{VILLAGE}", 404)
    await stranger.ask("GET", f"{review.path}/{VILLAGE}/entries", 404)
    await stranger.ask("GET", f"{review.path}/{VILLAGE}/cases", 404)
    assert (await stranger.ask("GET", review.path))["items"] == []
    assert await theirs.deadlines() == {}
