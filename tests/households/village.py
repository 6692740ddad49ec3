"""A village in a review, moved by tests: acts as the right person on the right paper unless told otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from households.domain.cycle import (
    Act,
    Certificate,
    Cycle,
    Entry,
    Moved,
    Paper,
    Refusal,
    ask_opinion,
    call_meeting,
    close_list,
    complain,
    correct_case,
    end_posting,
    give_opinion,
    hold_meeting,
    issue_certificate,
    list_case,
    open_cycle,
    post,
    recheck_case,
    recognise,
    report,
    report_preliminary,
    revoke_certificate,
    score_case,
    survey_case,
    tell_missed,
    withdraw,
)
from households.domain.procedure_terms import (
    Action,
    DeadlineCode,
    Finding,
    PaperKind,
    ProcedureKind,
    Role,
    Signatory,
)
from households.domain.procedures import Deadline, get_procedure
from households.domain.terms import HouseholdClass, Refused
from households.domain.workdays import WorkCalendar, work_calendar

ANNUAL, REGULAR, AVERAGE, WORKER = ProcedureKind
POOR, NEAR = HouseholdClass.POOR, HouseholdClass.NEAR_POOR
ALL_SIGN = tuple(Signatory)
REVIEW_ID = UUID(int=1)
PAPERS = {
    Action.OPEN: PaperKind.PLAN,
    Action.CLOSE_LIST: PaperKind.REVIEW_LIST,
    Action.HOLD_MEETING: PaperKind.MINUTES,
    Action.POST: PaperKind.NOTICE,
    Action.COMPLAIN: PaperKind.COMPLAINT,
    Action.RECHECK: PaperKind.RECHECK_RECORD,
    Action.ASK_OPINION: PaperKind.REPORT_FOR_OPINION,
    Action.GIVE_OPINION: PaperKind.OPINION,
    Action.RECOGNISE: PaperKind.DECISION,
    Action.ISSUE_CERTIFICATE: PaperKind.CERTIFICATE,
    Action.REVOKE_CERTIFICATE: PaperKind.DECISION,
    Action.REPORT_PRELIMINARY: PaperKind.RESULT_REPORT,
    Action.REPORT: PaperKind.RESULT_REPORT,
    Action.CORRECT: PaperKind.DECISION,
}
CHAIRED = {
    Action.ASK_OPINION, Action.RECOGNISE, Action.ISSUE_CERTIFICATE, Action.REVOKE_CERTIFICATE,
    Action.REPORT_PRELIMINARY, Action.REPORT, Action.CORRECT,
}  # fmt: skip


def case_id(number: int) -> UUID:
    return UUID(int=1000 + number)


class Village:
    """Keeps the newest cycle, the record and every deadline told as missed; `today` is the day of acts."""

    def __init__(
        self, kind: ProcedureKind, on: str, *, month: int | None = None, year: int | None = None
    ) -> None:
        self.today = date.fromisoformat(on)
        self.calendar: WorkCalendar = work_calendar()
        self.procedure = get_procedure(kind, self.today)
        self.entries: list[Entry] = []
        self.told: list[Deadline] = []
        self.papers = 0
        opened = open_cycle(
            self.procedure,
            self.act(Action.OPEN),
            self.calendar,
            review_id=REVIEW_ID,
            place="23827.01",
            year=year or self.today.year,
            month=month,
        )
        self.cycle: Cycle = self.keep(opened).cycle

    # -- who, when, on which paper

    def role(self, action: Action) -> Role:
        if action in CHAIRED:
            return Role.COMMUNE_CHAIR
        if action is Action.GIVE_OPINION:
            return self.procedure.consult_authority(self.today)
        if action is Action.COMPLAIN:
            return Role.RESIDENT
        return (
            Role.VILLAGE_HEAD
            if action in (Action.HOLD_MEETING, Action.CALL_MEETING)
            else Role.STEERING_COMMITTEE
        )

    def paper(self, kind: PaperKind, number: str | None = None) -> Paper:
        self.papers += 1
        return Paper(kind, number or f"{self.papers}/{kind}", self.today)

    def act(self, action: Action, **changed: Any) -> Act:
        kind = changed.pop("kind", PAPERS.get(action))
        number = changed.pop("number", None)
        made: dict[str, Any] = {
            "by": "officer-1",
            "role": self.role(action),
            "on": self.today,
            "paper": None if kind is None else self.paper(kind, number),
        }
        return Act(**{**made, **changed})

    def keep(self, moved: Moved) -> Moved:
        self.cycle = moved.cycle
        self.entries.append(moved.entry)
        self.told.extend(moved.missed)
        return moved

    def on(self, day: str) -> "Village":
        self.today = date.fromisoformat(day)
        return self

    def wait(self, days: int) -> "Village":
        self.today += timedelta(days=days)
        return self

    def tick(self) -> tuple[Deadline, ...]:
        self.cycle, told = tell_missed(self.cycle, self.today)
        self.told.extend(told)
        return told

    # -- acts

    def enlist(
        self,
        number: int,
        listed: HouseholdClass | None = HouseholdClass.POOR,
        request: PaperKind | None = None,
        **given: Any,
    ) -> Moved:
        chosen: dict[str, Any] = {"subject": self.procedure.subject, "listed_class": listed, **given}
        return self.keep(
            list_case(self.cycle, self.act(Action.LIST, kind=request), case_id(number), **chosen)
        )

    def close_list(self, **act: Any) -> Moved:
        return self.keep(close_list(self.cycle, self.act(Action.CLOSE_LIST, **act)))

    def survey(self, number: int, **given: Any) -> Moved:
        given.setdefault("income_months", self.procedure.income_months)
        return self.keep(survey_case(self.cycle, self.act(Action.SURVEY), case_id(number), **given))

    def score(self, number: int, finding: Finding) -> Moved:
        return self.keep(score_case(self.cycle, self.act(Action.SCORE), case_id(number), finding))

    def found(self, number: int, finding: Finding) -> Moved:
        self.survey(number)
        return self.score(number, finding)

    def call_meeting(self) -> Moved:
        return self.keep(call_meeting(self.cycle, self.act(Action.CALL_MEETING)))

    def meet(
        self, agreeing: int = 30, present: int = 40, by_case: dict[int, int] | None = None, **given: Any
    ) -> Moved:
        act = self.act(Action.HOLD_MEETING, **given.pop("act", {}))
        chosen: dict[str, Any] = {"copies": 2, "signed_by": ALL_SIGN, **given}
        votes = {case_id(number): count for number, count in (by_case or {}).items()}
        return self.keep(
            hold_meeting(
                self.cycle, act, present=present, agreeing=agreeing, agreeing_by_case=votes, **chosen
            )
        )

    def post(self) -> Moved:
        return self.keep(post(self.cycle, self.act(Action.POST), self.calendar))

    def end_posting(self) -> Moved:
        return self.keep(end_posting(self.cycle, self.act(Action.END_POSTING)))

    def complain(self, number: int) -> Moved:
        return self.keep(complain(self.cycle, self.act(Action.COMPLAIN), case_id(number), self.calendar))

    def recheck(self, number: int, finding: Finding) -> Moved:
        return self.keep(recheck_case(self.cycle, self.act(Action.RECHECK), case_id(number), finding))

    def withdraw(self, number: int, reason: str = "Chuyển đi nơi khác") -> Moved:
        return self.keep(withdraw(self.cycle, self.act(Action.WITHDRAW), case_id(number), reason))

    def ask(self) -> Moved:
        return self.keep(ask_opinion(self.cycle, self.act(Action.ASK_OPINION), self.calendar))

    def opinion(self, *returned: int, reason: str = "", **act: Any) -> Moved:
        back = [case_id(number) for number in returned]
        made = self.act(Action.GIVE_OPINION, **act)
        return self.keep(give_opinion(self.cycle, made, returned=back, reason=reason))

    def recognise(self, *refused: int, **act: Any) -> Moved:
        answers = {
            case_id(number): Refusal(self.paper(PaperKind.REFUSAL), "Thu nhập vượt mức chuẩn")
            for number in refused
        }
        return self.keep(recognise(self.cycle, self.act(Action.RECOGNISE, **act), self.calendar, answers))

    def certify(self, number: int, certificate: str | None = None) -> Moved:
        act = self.act(Action.ISSUE_CERTIFICATE, number=certificate)
        return self.keep(issue_certificate(self.cycle, act, case_id(number)))

    def revoke(self, number: int, reason: str = "Hộ đã thoát nghèo") -> Moved:
        act = self.act(Action.REVOKE_CERTIFICATE)
        return self.keep(revoke_certificate(self.cycle, act, case_id(number), reason))

    def correct(self, number: int, finding: Finding, corrects: str | None = None, **given: Any) -> Moved:
        act = self.act(Action.CORRECT, **given.pop("act", {}))
        last = self.cycle.cases[case_id(number)].decisions
        chosen: dict[str, Any] = {"reason": "Nhầm số khẩu", **given}
        return self.keep(
            correct_case(
                self.cycle, act, case_id(number), finding, corrects=corrects or last[-1].number, **chosen
            )
        )

    def report_preliminary(self) -> Moved:
        return self.keep(report_preliminary(self.cycle, self.act(Action.REPORT_PRELIMINARY)))

    def report(self) -> Moved:
        return self.keep(report(self.cycle, self.act(Action.REPORT)))

    # -- what tests ask

    def state(self, number: int) -> str:
        return self.cycle.cases[case_id(number)].state

    def running(self, code: DeadlineCode) -> list[Deadline]:
        return [one for one in self.cycle.open_deadlines if one.code is code]


def holding(number: str, on: str) -> Certificate:
    return Certificate(number, date.fromisoformat(on))


@contextmanager
def refused(rule: str) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.rule == rule
    assert caught.value.message_vi != caught.value.message_en


def surveyed(on: str = "2025-10-01") -> Village:
    """An annual review: 1 poor stays poor, 2 near-poor escapes, 3 asked and is near-poor."""
    village = Village(ANNUAL, on)
    village.enlist(1, POOR)
    village.enlist(2, NEAR)
    village.enlist(3, None, PaperKind.REQUEST_REVIEW, screened_in=True)
    village.close_list()
    village.found(1, Finding.POOR)
    village.found(2, Finding.NOT_POOR)
    village.found(3, Finding.NEAR_POOR)
    return village


def posted(on: str = "2025-10-20") -> Village:
    village = surveyed().on(on)
    village.call_meeting()
    village.meet()
    village.post()
    return village


def asked() -> Village:
    village = posted().on("2025-10-24")
    village.end_posting()
    village.ask()
    return village


def recognised() -> Village:
    village = asked().on("2025-10-30")
    village.opinion()
    village.recognise(number="120/QĐ-UBND")
    return village


def regular(*findings: Finding, on: str = "2025-10-15", month: int = 10) -> Village:
    village = Village(REGULAR, on, month=month)
    for number, _ in enumerate(findings, start=1):
        village.enlist(number, None, PaperKind.REQUEST_REVIEW)
    village.close_list()
    for number, finding in enumerate(findings, start=1):
        village.found(number, finding)
    village.call_meeting()
    village.meet()
    village.post()
    return village
