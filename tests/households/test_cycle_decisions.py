"""Opinion, recognition, certificates, corrections, reports: who decides, on which paper, by when."""

from datetime import date

import pytest
from tests.households.village import (
    ANNUAL,
    POOR,
    Village,
    asked,
    case_id,
    holding,
    posted,
    recognised,
    refused,
    regular,
    surveyed,
)

from households.domain.cycle import contradictions
from households.domain.procedure_terms import (
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    Role,
    Step,
)
from households.domain.terms import Stage


def test_nobody_is_recognised_before_the_higher_level_has_given_its_opinion() -> None:
    village = posted().on("2025-10-24")
    village.end_posting()
    with refused("step-out-of-order"):
        village.recognise()
    village.ask()
    assert village.running(DeadlineCode.OPINION)[0].due == date(2025, 10, 31)
    assert village.running(DeadlineCode.OPINION)[0].responsible is Role.PROVINCE_CHAIR
    with refused("opinion-not-received"):
        village.recognise()
    with refused("authority-wrong"):
        village.opinion(role=Role.DISTRICT_CHAIR)
    village.opinion()
    with refused("opinion-given"):
        village.opinion()
    village.recognise()


def test_silence_of_the_higher_level_is_no_consent_and_is_told() -> None:
    village = asked().on("2025-11-03")
    assert [one.code for one in village.tick()] == [DeadlineCode.OPINION]
    assert village.tick() == ()
    with refused("opinion-not-received"):
        village.recognise()


def test_who_answers_is_who_has_the_power_that_day() -> None:
    village = Village(ANNUAL, "2024-10-01")
    village.enlist(1)
    village.close_list()
    village.found(1, Finding.POOR)
    village.call_meeting()
    village.meet()
    village.post()
    village.on("2025-06-27").end_posting()
    village.ask()
    assert village.entries[-1].facts == {"authority": "DISTRICT_CHAIR"}
    village.on("2025-07-02")
    with refused("authority-wrong"):
        village.opinion(role=Role.DISTRICT_CHAIR)
    village.opinion(role=Role.PROVINCE_CHAIR)


def test_what_the_higher_level_returns_goes_through_every_step_again() -> None:
    village = asked().on("2025-10-28")
    with refused("reason-missing"):
        village.opinion(3)
    village.opinion(3, reason="Chưa tính thu nhập từ chăn nuôi")
    assert village.cycle.step is Step.SURVEY
    assert (village.state(1), village.state(3)) == (CaseState.MEETING_AGREED, CaseState.SENT_BACK)
    village.found(3, Finding.NOT_POOR)
    village.call_meeting()
    with refused("cases-behind"):
        village.post()
    village.meet()
    village.post()
    village.on("2025-11-04").end_posting()
    village.ask()
    assert village.cycle.opinion is None
    village.opinion()
    village.recognise()
    assert village.state(3) == CaseState.REFUSED
    assert village.cycle.opinions_against == 1


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COMMUNE_CHAIR}))
def test_nobody_but_the_chair_of_the_commune_recognises(role: Role) -> None:
    village = asked().on("2025-10-30")
    village.opinion()
    with refused("actor-not-competent"):
        village.recognise(role=role)


def test_recognition_rests_on_a_decision_with_a_number_and_a_day() -> None:
    village = asked().on("2025-10-30")
    village.opinion()
    with refused("paper-missing"):
        village.recognise(paper=None)
    with refused("decision-missing"):
        village.recognise(kind=PaperKind.REFUSAL)
    with refused("paper-number-missing"):
        village.recognise(number=" ")
    later = village.on("2025-10-31").paper(PaperKind.DECISION)
    with refused("paper-dated-later"):
        village.on("2025-10-30").recognise(paper=later)
    with refused("officer-missing"):
        village.recognise(by=" ")
    with refused("act-before-last-one"):
        village.on("2025-10-29").recognise()


def test_a_regular_review_decides_and_answers_in_writing_within_15_days() -> None:
    village = regular(Finding.POOR, Finding.NOT_POOR)
    village.on("2025-10-21").end_posting()
    with refused("refusal-not-in-writing"):
        village.recognise()
    with refused("refusal-of-recognised"):
        village.recognise(1, 2)
    village.recognise(2)
    assert [one.due for one in village.running(DeadlineCode.CERTIFICATE)] == [date(2025, 10, 30)]
    village.on("2025-10-30").certify(1)
    village.on("2025-11-04").report()
    assert village.cycle.open_deadlines == ()
    assert village.told == []


def test_a_decision_that_comes_late_tells_its_missed_deadline_once() -> None:
    village = regular(Finding.POOR)
    village.on("2025-10-21").end_posting()
    village.on("2025-10-31")
    moved = village.recognise()
    assert [one.code for one in moved.missed] == [DeadlineCode.RECOGNITION]
    assert [one.code for one in village.tick()] == [DeadlineCode.CERTIFICATE]
    assert village.tick() == ()
    assert village.certify(1).missed == ()


def test_a_certificate_is_issued_confirmed_and_taken_back() -> None:
    village = Village(ANNUAL, "2025-10-01")
    village.enlist(1, POOR, certificate=holding("77/GCN-HN.HCN", "2024-01-05"))
    village.enlist(2, POOR, certificate=holding("78/GCN-HN.HCN", "2024-01-05"))
    village.close_list()
    village.found(1, Finding.NEAR_POOR)
    village.found(2, Finding.NOT_POOR)
    village.call_meeting()
    village.meet()
    village.post()
    village.on("2025-10-07").end_posting()
    village.ask()
    village.opinion()
    with refused("step-out-of-order"):
        village.certify(1, "77/GCN-HN.HCN")
    village.recognise()
    with refused("certificate-held"):
        village.certify(1, "80/GCN-HN.HCN")
    village.certify(1, "77/GCN-HN.HCN")
    assert village.entries[-1].facts == {"confirmed": 1}
    with refused("certificate-not-due"):
        village.certify(2)
    with refused("certificate-still-due"):
        village.revoke(1)
    village.revoke(2)
    with refused("certificate-not-held"):
        village.revoke(2)
    certificate = village.cycle.cases[case_id(2)].certificate
    assert certificate is not None
    assert certificate.revoked_on == date(2025, 10, 7)
    village.correct(2, Finding.POOR)
    with refused("certificate-revoked"):
        village.certify(2, "78/GCN-HN.HCN")
    village.certify(2, "81/GCN-HN.HCN")


def test_an_official_result_is_corrected_by_a_new_decision_that_names_the_old_one() -> None:
    village = recognised()
    village.certify(1)
    village.on("2025-11-20")
    with refused("correction-of-another"):
        village.correct(1, Finding.NEAR_POOR, corrects="99/QĐ-UBND")
    with refused("correction-not-new"):
        village.correct(1, Finding.NEAR_POOR, act={"number": "120/QĐ-UBND"})
    with refused("reason-missing"):
        village.correct(1, Finding.NEAR_POOR, reason=" ")
    village.correct(1, Finding.NEAR_POOR, act={"number": "150/QĐ-UBND"})
    first, second = village.cycle.cases[case_id(1)].decisions
    assert (first.number, first.finding, first.corrects) == ("120/QĐ-UBND", Finding.POOR, None)
    assert (second.number, second.finding, second.corrects) == (
        "150/QĐ-UBND",
        Finding.NEAR_POOR,
        "120/QĐ-UBND",
    )
    assert village.entries[-1].corrects == "120/QĐ-UBND"
    with refused("correction-of-another"):
        village.correct(1, Finding.POOR, corrects="120/QĐ-UBND")
    village.correct(1, Finding.NOT_POOR)
    village.revoke(1)
    assert contradictions(village.cycle) == ()


def test_what_is_not_yet_official_is_not_corrected() -> None:
    village = asked()
    with refused("step-out-of-order"):
        village.correct(1, Finding.NEAR_POOR, corrects="1")


def test_results_are_preliminary_until_the_decision_and_official_from_it() -> None:
    village = surveyed()
    assert village.cycle.cases[case_id(1)].stage is Stage.PRELIMINARY
    with refused("step-out-of-order"):
        village.report_preliminary()
    village = posted().on("2025-10-22")
    moved = village.report_preliminary()
    assert moved.entry.facts == {"NEAR_POOR": 1, "NOT_POOR": 1, "POOR": 1}
    assert village.running(DeadlineCode.REPORT_PRELIMINARY) == []
    with refused("step-out-of-order"):
        village.report()
    village = recognised()
    assert village.cycle.cases[case_id(1)].stage is Stage.OFFICIAL
    with refused("step-out-of-order"):
        village.report_preliminary()
    with refused("preliminary-not-in-procedure"):
        regular(Finding.POOR).report_preliminary()


def test_a_missed_date_of_the_year_is_told_once_and_a_late_report_tells_nothing_again() -> None:
    village = recognised()
    assert village.on("2025-11-14").tick() == ()
    assert [one.code for one in village.on("2025-11-15").tick()] == [DeadlineCode.REPORT_PRELIMINARY]
    assert village.on("2025-12-19").tick() == ()
    assert [one.code for one in village.on("2025-12-20").tick()] == [DeadlineCode.REPORT_OFFICIAL]
    assert village.on("2025-12-22").report().missed == ()
    assert village.cycle.open_deadlines == ()
