"""Survey, village meeting, posting and complaints: what each needs, and what sends a village back."""

from datetime import date

import pytest
from tests.households.village import (
    ALL_SIGN,
    ANNUAL,
    AVERAGE,
    WORKER,
    Village,
    case_id,
    posted,
    refused,
    surveyed,
)

from households.domain.procedure_terms import (
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    ProcedureKind,
    Signatory,
    Step,
)


def test_income_is_that_of_the_twelve_months_before() -> None:
    village = Village(AVERAGE, "2025-10-15", month=10)
    village.enlist(1, None, PaperKind.REQUEST_REVIEW)
    village.close_list()
    for months in (None, 6):
        with refused("income-months-wrong"):
            village.survey(1, income_months=months)
    village.survey(1, income_months=12)
    with refused("finding-wrong"):
        village.score(1, Finding.POOR)
    village.score(1, Finding.AVERAGE_LIVING)


def test_no_meeting_before_everybody_is_scored() -> None:
    village = Village(ANNUAL, "2025-10-01")
    village.enlist(1)
    village.close_list()
    with refused("case-out-of-order"):
        village.score(1, Finding.POOR)
    village.survey(1)
    with refused("cases-behind"):
        village.call_meeting()


@pytest.mark.parametrize(
    ("agreeing", "agreed"), [(19, False), (20, True), (21, True), (0, False), (40, True)]
)
def test_half_of_those_present_is_enough_and_fewer_is_not(agreeing: int, agreed: bool) -> None:
    village = surveyed()
    village.call_meeting()
    village.meet(agreeing=agreeing, present=40)
    assert village.cycle.step is (Step.MEETING if agreed else Step.SURVEY)
    assert village.state(1) == (CaseState.MEETING_AGREED if agreed else CaseState.SENT_BACK)
    assert village.cycle.meetings_failed == (not agreed)


def test_what_the_meeting_does_not_agree_to_goes_back_to_survey_and_comes_to_a_new_meeting() -> None:
    village = surveyed()
    village.call_meeting()
    village.meet(by_case={3: 12})
    assert village.cycle.step is Step.SURVEY
    assert (village.state(1), village.state(3)) == (CaseState.MEETING_AGREED, CaseState.SENT_BACK)
    with refused("step-out-of-order"):
        village.post()
    with refused("cases-behind"):
        village.call_meeting()
    village.found(3, Finding.NOT_POOR)
    village.call_meeting()
    with refused("cases-behind"):
        village.post()
    village.meet()
    village.post()
    assert village.cycle.cases[case_id(3)].sent_back == 1
    assert (village.cycle.surveys, village.cycle.meetings, village.cycle.meetings_failed) == (2, 2, 1)


def test_minutes_are_made_in_two_copies_and_signed_by_three() -> None:
    village = surveyed()
    village.call_meeting()
    with refused("minutes-incomplete"):
        village.meet(copies=1)
    with refused("minutes-incomplete"):
        village.meet(signed_by=[Signatory.CHAIR, Signatory.MINUTE_TAKER])
    with refused("votes-wrong"):
        village.meet(agreeing=41, present=40)
    with refused("votes-wrong"):
        village.meet(agreeing=0, present=0)
    village.meet(copies=2, signed_by=ALL_SIGN)
    with refused("meeting-held"):
        village.meet()


def test_results_hang_out_for_three_working_days() -> None:
    village = posted("2025-10-23")  # a Thursday: Friday, Monday, Tuesday
    assert village.cycle.posted_until == date(2025, 10, 28)
    for day in ("2025-10-23", "2025-10-28"):
        with refused("posting-not-over"):
            village.on(day).end_posting()
    with refused("posting-not-over"):
        village.ask()
    village.on("2025-10-29")
    with refused("notice-not-taken-down"):
        village.ask()
    village.end_posting()
    with refused("notice-taken-down"):
        village.end_posting()
    village.ask()


def test_a_complaint_reopens_the_posting_and_the_result_hangs_out_again() -> None:
    village = posted()
    village.on("2025-10-22").complain(2)
    assert (village.cycle.step, village.state(2), village.state(1)) == (
        Step.RECHECK, CaseState.COMPLAINED, CaseState.POSTED,
    )  # fmt: skip
    (deadline,) = village.running(DeadlineCode.RECHECK)
    assert deadline.due == date(2025, 10, 31)
    village.on("2025-10-23").complain(2)
    assert village.running(DeadlineCode.RECHECK) == [deadline]
    with refused("cases-behind"):
        village.post()
    village.on("2025-10-24").end_posting()
    with refused("step-out-of-order"):
        village.ask()
    village.on("2025-10-29").recheck(2, Finding.NEAR_POOR)
    assert village.running(DeadlineCode.RECHECK) == []
    village.post()
    assert village.cycle.step is Step.POSTING
    assert village.cycle.posted_until == date(2025, 11, 3)
    with refused("posting-not-over"):
        village.ask()
    with refused("complaint-after-posting"):
        village.complain(1)
    village.on("2025-11-03").complain(2)
    village.recheck(2, Finding.NEAR_POOR)
    village.post()
    village.on("2025-11-07").end_posting()
    village.ask()
    assert (village.cycle.complaints, village.cycle.postings) == (3, 3)
    assert village.cycle.cases[case_id(2)].complaints == 3


def test_a_complaint_after_the_posting_comes_too_late() -> None:
    village = posted().on("2025-10-24")
    with refused("complaint-after-posting"):
        village.complain(1)
    with refused("case-unknown"):
        village.complain(9)


def test_the_recheck_of_average_living_is_not_posted_again() -> None:
    village = Village(AVERAGE, "2025-10-15", month=10)
    for number in (1, 2):
        village.enlist(number, None, PaperKind.REQUEST_REVIEW)
    village.close_list()
    for number in (1, 2):
        village.found(number, Finding.AVERAGE_LIVING)
    village.post()
    assert village.cycle.posted_until == date(2025, 10, 22)
    village.on("2025-10-21").complain(2)
    assert village.running(DeadlineCode.RECHECK)[0].due == date(2025, 10, 24)
    village.recheck(2, Finding.NOT_QUALIFIED)
    with refused("step-out-of-order"):
        village.post()
    with refused("posting-not-over"):
        village.recognise(2)
    village.on("2025-10-23").end_posting()
    with refused("refusal-not-in-writing"):
        village.recognise()
    village.recognise(2)
    assert (village.state(1), village.state(2)) == (CaseState.RECOGNISED, CaseState.REFUSED)
    with refused("step-not-in-procedure"):
        village.report()
    with refused("certificate-not-due"):
        village.certify(1)


@pytest.mark.parametrize("kind", [AVERAGE, WORKER])
def test_some_procedures_have_no_meeting_and_no_opinion(kind: ProcedureKind) -> None:
    village = Village(kind, "2025-10-15", month=10)
    request = PaperKind.REQUEST_WORKER if kind is WORKER else PaperKind.REQUEST_REVIEW
    village.enlist(1, None, request)
    village.close_list()
    village.found(1, Finding.NOT_QUALIFIED)
    with refused("step-not-in-procedure"):
        village.call_meeting()
    village.post()
    village.on("2025-10-23").end_posting()
    with refused("step-not-in-procedure"):
        village.ask()
    village.recognise(1, kind=PaperKind.REFUSAL)
    assert village.cycle.cases[case_id(1)].decisions[0].reason == "Thu nhập vượt mức chuẩn"
