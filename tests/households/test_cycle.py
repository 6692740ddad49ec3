"""The review as the law runs it: every step in its order, and who may be listed; what is not allowed is refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from tests.households.village import (
    ANNUAL,
    NEAR,
    POOR,
    REGULAR,
    WORKER,
    Village,
    case_id,
    posted,
    recognised,
    refused,
    surveyed,
)

from households.domain.cycle import contradictions, recognitions
from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    Recognition,
    Role,
    Step,
    Subject,
)
from households.domain.terms import HouseholdClass


def test_an_annual_review_from_the_list_to_the_report() -> None:
    village = recognised()
    village.certify(1, "01/GCN-HN.HCN")
    village.on("2025-11-10").report()

    assert [entry.step_after for entry in village.entries if entry.step_before != entry.step_after] == [
        Step.LISTING, Step.SURVEY, Step.MEETING, Step.POSTING, Step.CONSULT, Step.RECOGNISED, Step.REPORTED,
    ]  # fmt: skip
    cases = village.cycle.cases
    assert cases[case_id(1)].recognitions == (Recognition.POOR,)
    assert cases[case_id(2)].recognitions == (Recognition.ESCAPED_NEAR_POVERTY,)
    assert cases[case_id(3)].recognitions == (Recognition.NEAR_POOR,)
    assert village.cycle.open_deadlines == ()
    assert village.told == []
    assert contradictions(village.cycle) == ()
    assert [entry.sequence for entry in village.entries] == list(range(1, len(village.entries) + 1))


def test_every_entry_says_who_did_what_when_on_which_paper() -> None:
    village = posted()
    entry = village.entries[-1]
    assert (entry.action, entry.on, entry.by, entry.role) == (
        Action.POST, date(2025, 10, 20), "officer-1", Role.STEERING_COMMITTEE,
    )  # fmt: skip
    assert entry.paper is not None
    assert entry.paper.kind is PaperKind.NOTICE
    assert (entry.step_before, entry.step_after) == (Step.MEETING, Step.POSTING)
    assert set(entry.case_ids) == {case_id(1), case_id(2), case_id(3)}
    assert entry.facts == {"until": "2025-10-23"}
    meeting = next(one for one in village.entries if one.action is Action.HOLD_MEETING)
    assert meeting.facts == {"present": 40, "agreeing": 30, "sent_back": 0, "copies": 2}


@pytest.mark.parametrize(
    ("listed", "finding", "found"),
    [
        (None, Finding.POOR, (Recognition.POOR,)),
        (POOR, Finding.POOR, (Recognition.POOR,)),
        (NEAR, Finding.POOR, (Recognition.POOR,)),
        (POOR, Finding.NEAR_POOR, (Recognition.NEAR_POOR, Recognition.ESCAPED_POVERTY)),
        (NEAR, Finding.NEAR_POOR, (Recognition.NEAR_POOR,)),
        (POOR, Finding.NOT_POOR, (Recognition.ESCAPED_POVERTY,)),
        (NEAR, Finding.NOT_POOR, (Recognition.ESCAPED_NEAR_POVERTY,)),
        (None, Finding.NOT_POOR, ()),
        (HouseholdClass.NOT_POOR, Finding.NOT_POOR, ()),
        (None, Finding.AVERAGE_LIVING, (Recognition.AVERAGE_LIVING,)),
        (None, Finding.LOW_INCOME_WORKER, (Recognition.LOW_INCOME_WORKER,)),
        (None, Finding.NOT_QUALIFIED, ()),
    ],
)
def test_a_finding_is_recognised_as_a_list_an_escape_or_both(
    listed: HouseholdClass | None, finding: Finding, found: tuple[Recognition, ...]
) -> None:
    assert recognitions(listed, finding) == found


def test_the_annual_review_does_not_begin_before_september() -> None:
    with refused("review-not-begun"):
        Village(ANNUAL, "2025-08-31")


def test_a_monthly_review_takes_requests_before_the_15th_and_surveys_from_it() -> None:
    village = Village(REGULAR, "2025-10-03", month=10)
    village.enlist(1, None, PaperKind.REQUEST_REVIEW)
    with refused("review-not-begun"):
        village.close_list()
    village.on("2025-10-15").close_list()


def test_a_household_is_on_the_current_list_or_files_a_request() -> None:
    village = Village(ANNUAL, "2025-10-01")
    with refused("request-missing"):
        village.enlist(1, None)
    with refused("request-missing"):
        Village(REGULAR, "2025-10-15", month=10).enlist(1, POOR)
    village.enlist(1, POOR)
    with refused("case-listed-twice"):
        village.enlist(1, POOR)


def test_a_request_to_the_annual_review_is_screened_by_form_a() -> None:
    village = Village(ANNUAL, "2025-10-01")
    with refused("screening-missing"):
        village.enlist(1, None, PaperKind.REQUEST_REVIEW)
    village.enlist(1, None, PaperKind.REQUEST_REVIEW, screened_in=False)
    village.close_list()
    assert village.state(1) == CaseState.SCREENED_OUT
    with refused("case-out-of-order"):
        village.survey(1)


def test_only_a_listed_household_asks_to_be_taken_off() -> None:
    village = Village(REGULAR, "2025-10-15", month=10)
    with refused("escape-not-on-list"):
        village.enlist(1, None, PaperKind.REQUEST_ESCAPE)
    village.enlist(1, POOR, PaperKind.REQUEST_ESCAPE)


def test_a_village_without_anybody_is_reviewed_in_the_annual_review_only() -> None:
    with refused("list-empty"):
        Village(REGULAR, "2025-10-15", month=10).close_list()
    village = Village(ANNUAL, "2025-10-01")
    village.close_list()
    village.call_meeting()
    village.meet(agreeing=10, present=30)
    assert village.cycle.step is Step.SURVEY
    village.call_meeting()
    with refused("step-out-of-order"):
        village.post()
    village.meet()
    village.post()
    village.on("2025-10-07").end_posting()
    village.ask()
    village.opinion()
    assert village.recognise().cycle.step is Step.RECOGNISED


def test_a_low_income_worker_is_a_person_outside_listed_households() -> None:
    village = Village(WORKER, "2025-10-15", month=10)
    with refused("subject-wrong"):
        village.enlist(1, None, PaperKind.REQUEST_WORKER, subject=Subject.HOUSEHOLD)
    with refused("worker-of-listed-household"):
        village.enlist(1, POOR, PaperKind.REQUEST_WORKER)
    village.enlist(1, None, PaperKind.REQUEST_WORKER)
    with refused("subject-wrong"):
        Village(ANNUAL, "2025-10-01").enlist(1, POOR, subject=Subject.PERSON)


def test_a_household_that_left_holds_nobody_up() -> None:
    village = posted()
    village.on("2025-10-21").complain(2)
    village.withdraw(2)
    assert village.cycle.step is Step.POSTING
    assert village.running(DeadlineCode.RECHECK) == []
    assert len(village.running(DeadlineCode.TAKE_DOWN)) == 1
    with refused("case-out-of-order"):
        village.complain(2)
    village.on("2025-10-24").end_posting()
    village.ask()
    village.opinion()
    village.recognise()
    assert village.state(2) == CaseState.WITHDRAWN
    with refused("step-out-of-order"):
        village.withdraw(1)


@pytest.mark.parametrize(
    "jump",
    [
        Village.post, Village.end_posting, Village.ask, Village.opinion, Village.recognise, Village.report,
        Village.call_meeting, Village.meet,
    ],
)  # fmt: skip
def test_no_step_is_skipped_from_the_list(jump: Callable[..., Any]) -> None:
    village = Village(ANNUAL, "2025-10-01")
    village.enlist(1)
    with refused("step-out-of-order"):
        jump(village)


def test_a_working_day_that_cannot_be_counted_stops_the_posting() -> None:
    village = surveyed().on("2026-11-20")
    village.call_meeting()
    village.meet()
    with refused("holiday-undecided"):
        village.post()
    assert village.cycle.step is Step.MEETING
