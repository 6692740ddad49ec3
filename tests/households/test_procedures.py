"""The procedures of the law as data: windows, steps, time limits with their articles; what is unknown refuses."""

import tomllib
from datetime import date
from importlib import resources
from typing import Any

import pytest

from households.domain.procedure_terms import (
    WORDED,
    Action,
    DeadlineCode,
    ProcedureKind,
    Role,
    Step,
    procedure_label,
)
from households.domain.procedures import (
    ProcedureFileInvalid,
    get_procedure,
    month_of_request,
    parse_procedures,
    procedures,
    review_deadlines,
)
from households.domain.terms import Refused
from households.domain.workdays import work_calendar

CALENDAR = work_calendar()
ANNUAL, REGULAR, AVERAGE, WORKER = (get_procedure(kind, date(2025, 10, 15)) for kind in ProcedureKind)


def raw() -> dict[str, Any]:
    return tomllib.loads((resources.files("households") / "data" / "procedures.toml").read_text("utf-8"))


def test_every_code_has_its_words_in_both_languages() -> None:
    for codes in WORDED:
        for code in codes:
            assert procedure_label(code)
            assert procedure_label(code, "en")
    assert procedure_label(Role.COMMUNE_CHAIR) == "Chủ tịch Ủy ban nhân dân cấp xã"
    assert procedure_label(Step.RECHECK) == "Phúc tra"


def test_no_word_is_kept_for_a_code_that_is_gone() -> None:
    words = tomllib.loads(
        (resources.files("households") / "data" / "procedure_words.toml").read_text("utf-8")
    )
    assert {name: set(table) for name, table in words.items()} == {
        codes.__name__: {code.value for code in codes} for codes in WORDED
    }


def test_the_annual_review_is_known_by_its_three_dates() -> None:
    found = review_deadlines(ANNUAL, date(2025, 9, 1), CALENDAR, year=2025, month=None)
    assert [(one.code, one.due, one.responsible) for one in found] == [
        (DeadlineCode.REPORT_PRELIMINARY, date(2025, 11, 14), Role.PROVINCE_DEPARTMENT),
        (DeadlineCode.RECOGNITION, date(2025, 12, 14), Role.COMMUNE_CHAIR),
        (DeadlineCode.REPORT_OFFICIAL, date(2025, 12, 19), Role.PROVINCE_CHAIR),
    ]
    assert found[0].legal == "Quyết định 24/2021/QĐ-TTg, Điều 7 khoản 2"
    assert found[0].label == "Báo cáo kết quả rà soát sơ bộ"
    assert ANNUAL.first_day(2025, None) == date(2025, 9, 1)


@pytest.mark.parametrize(
    ("month", "decided", "reported"),
    [
        (1, "2025-02-03", "2025-02-05"),  # 30 January is Tết
        (2, "2025-03-03", "2025-03-05"),  # 15 days from 15 February end on a Sunday
        (8, "2025-09-03", "2025-09-05"),  # 30 August to 2 September are off
        (9, "2025-09-30", None),  # reports are asked for from February to September
        (12, "2025-12-30", None),
    ],
)
def test_a_regular_review_is_decided_within_15_days_of_the_15th(
    month: int, decided: str, reported: str | None
) -> None:
    found = review_deadlines(REGULAR, date(2025, month, 15), CALENDAR, year=2025, month=month)
    due = {one.code: one.due.isoformat() for one in found}
    assert due.pop(DeadlineCode.RECOGNITION) == decided
    assert due == ({DeadlineCode.REPORT_MONTHLY: reported} if reported else {})


def test_average_living_and_low_income_workers_hang_out_5_working_days_and_are_rechecked_in_3() -> None:
    for procedure in (AVERAGE, WORKER):
        assert procedure.posted_until(date(2025, 10, 17), CALENDAR) == date(2025, 10, 24)
        recheck = procedure.due(DeadlineCode.RECHECK, date(2025, 10, 17), CALENDAR, 2025, 10)
        assert recheck == date(2025, 10, 22)
        assert Step.MEETING not in procedure.steps
        assert procedure.income_months == 12


def test_poor_and_near_poor_results_hang_out_3_working_days_and_are_rechecked_in_7() -> None:
    for procedure, month in ((ANNUAL, None), (REGULAR, 10)):
        assert procedure.posted_until(date(2025, 10, 17), CALENDAR) == date(2025, 10, 22)
        recheck = procedure.due(DeadlineCode.RECHECK, date(2025, 10, 17), CALENDAR, 2025, month)
        assert recheck == date(2025, 10, 28)


@pytest.mark.parametrize(
    ("on", "authority"),
    [
        ("2021-09-01", Role.DISTRICT_CHAIR),
        ("2025-06-30", Role.DISTRICT_CHAIR),
        ("2025-07-01", Role.PROVINCE_CHAIR),
        ("2026-11-23", Role.PROVINCE_CHAIR),
    ],
)
def test_the_district_is_asked_until_june_2025_and_the_province_after(on: str, authority: Role) -> None:
    assert ANNUAL.consult_authority(date.fromisoformat(on)) is authority


def test_a_day_without_a_route_refuses() -> None:
    with pytest.raises(Refused) as refused:
        ANNUAL.consult_authority(date(2021, 8, 31))
    assert refused.value.rule == "consult-route-not-loaded"


@pytest.mark.parametrize(
    ("kind", "on"),
    [
        (ProcedureKind.ANNUAL, "2027-09-01"),
        (ProcedureKind.ANNUAL, "2021-08-31"),
        (ProcedureKind.LOW_INCOME_WORKER, "2024-10-15"),
    ],
)
def test_a_procedure_that_is_not_loaded_refuses_by_name(kind: ProcedureKind, on: str) -> None:
    with pytest.raises(Refused) as refused:
        get_procedure(kind, date.fromisoformat(on))
    assert refused.value.rule == "procedure-not-loaded"


def test_a_procedure_loaded_by_an_administrator_comes_first() -> None:
    content = raw()
    content["procedures"] = [{**content["procedures"][0], "version": "NEW/1", "valid_to": date(2030, 12, 31)}]
    loaded = parse_procedures(content)
    assert get_procedure(ProcedureKind.ANNUAL, date(2027, 9, 1), loaded).version == "NEW/1"
    assert get_procedure(ProcedureKind.REGULAR, date(2025, 9, 1), loaded) is REGULAR


@pytest.mark.parametrize(
    ("received", "review"),
    [
        ("2025-10-03", (2025, 10)),
        ("2025-10-15", (2025, 10)),
        ("2025-10-16", (2025, 11)),
        ("2025-12-20", (2026, 1)),
    ],
)
def test_a_request_belongs_to_the_next_review_to_begin(received: str, review: tuple[int, int]) -> None:
    assert month_of_request(date.fromisoformat(received)) == review


def test_a_monthly_review_names_its_month_and_the_annual_one_does_not() -> None:
    for procedure, month in ((REGULAR, None), (ANNUAL, 9)):
        with pytest.raises(Refused) as refused:
            procedure.first_day(2025, month)
        assert refused.value.rule == "review-month-wrong"


def test_what_is_missed_on_a_day_is_what_is_open_after_its_last_day() -> None:
    found = review_deadlines(ANNUAL, date(2025, 9, 1), CALENDAR, year=2025, month=None)

    def missed(on: date) -> list[DeadlineCode]:
        return [one.code for one in found if one.missed_on(on)]

    assert missed(date(2025, 11, 14)) == []
    assert missed(date(2025, 11, 15)) == [DeadlineCode.REPORT_PRELIMINARY]
    assert len(missed(date(2025, 12, 20))) == 3


def test_only_the_chair_of_the_commune_recognises_corrects_and_gives_certificates() -> None:
    for procedure in procedures():
        for action in (
            Action.RECOGNISE, Action.CORRECT, Action.ISSUE_CERTIFICATE, Action.REVOKE_CERTIFICATE,
        ):  # fmt: skip
            assert procedure.actions[action].roles == {Role.COMMUNE_CHAIR}


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": ["SURVEY", "LISTING", "MEETING", "POSTING", "CONSULT", "RECOGNISED"]},
        {"steps": ["LISTING", "SURVEY", "MEETING", "CONSULT", "RECOGNISED"]},
        {"steps": ["LISTING", "SURVEY", "MEETING", "POSTING", "RECHECK", "CONSULT", "RECOGNISED"]},
        {"confidence": "low"},
        {"sources": []},
        {"deadlines": []},
        {"meeting": None},
        {"articles": {}},
        {"valid_to": date(2020, 1, 1)},
        {"kind": "SOMETHING_ELSE"},
    ],
)
def test_a_procedure_that_contradicts_itself_is_not_loaded(wrong: dict[str, Any]) -> None:
    content = raw()
    content["procedures"][0] |= wrong
    with pytest.raises(ProcedureFileInvalid):
        parse_procedures(content)
