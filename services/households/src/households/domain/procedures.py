"""The procedures of the law as dated data: steps, papers, roles, windows, and every time limit with its article.

Nothing is known here that is not in `data/procedures.toml`; a day for which no procedure is loaded refuses.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

from households.domain.procedure_terms import (
    Action,
    DeadlineCode,
    Finding,
    PaperKind,
    ProcedureKind,
    Recognition,
    Role,
    Signatory,
    Step,
    Subject,
    procedure_label,
)
from households.domain.terms import Refused
from households.domain.workdays import CONFIDENCES, WorkCalendar

CONSULT_AUTHORITY = "CONSULT_AUTHORITY"
"""In the data: whoever is asked for an opinion on that day."""

_DECEMBER = 12


class ProcedureFileInvalid(ValueError):
    """A procedure contradicts itself or lacks a source."""


class Rule(StrEnum):
    """How a last day is found: see the head of the data file."""

    WORKING_DAYS = "WORKING_DAYS"
    CALENDAR_DAYS = "CALENDAR_DAYS"
    FIXED_DATE = "FIXED_DATE"
    MONTH_DAY = "MONTH_DAY"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A time limit of the law. `responsible` is None for whoever is asked for an opinion on the day."""

    code: DeadlineCode
    rule: Rule
    responsible: Role | None
    legal: str
    confidence: str
    source: str
    days: int = 0
    day: int = 0
    month: int = 0
    months: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a village meeting needs: the share of those present that agrees, and how its minutes are made."""

    agree_percent: int
    minutes_copies: int
    signed_by: frozenset[Signatory]


@dataclass(frozen=True, slots=True)
class Posting:
    """For how many working days results hang out."""

    days: int
    legal: str
    confidence: str


@dataclass(frozen=True, slots=True)
class ActionRule:
    """In which capacity an act is done, and on which kinds of paper; without any, none is needed."""

    roles: frozenset[Role]
    papers: frozenset[PaperKind]


@dataclass(frozen=True, slots=True)
class Route:
    """Whose opinion is asked for before recognition, between two days, both included."""

    authority: Role
    valid_from: date
    valid_to: date | None
    legal: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """One version of one procedure. `begin_month` is None for a monthly one."""

    kind: ProcedureKind
    version: str
    valid_from: date
    valid_to: date
    legal: str
    confidence: str
    sources: tuple[str, ...]
    subject: Subject
    steps: tuple[Step, ...]
    findings: frozenset[Finding]
    current_list: bool
    requests: frozenset[PaperKind]
    screening: bool
    empty_list: bool
    posted_again: bool
    refusal_in_writing: bool
    certificate_for: frozenset[Recognition]
    income_months: int | None
    begin_month: int | None
    begin_day: int
    meeting: Meeting | None
    posting: Posting
    articles: Mapping[Step, str]
    limits: Mapping[DeadlineCode, TimeLimit]
    actions: Mapping[Action, ActionRule]
    routes: tuple[Route, ...]

    def first_day(self, year: int, month: int | None) -> date:
        """The day on which the review of that year (and month, if monthly) begins."""
        begin_month = self.begin_month or month
        if begin_month is None or (self.begin_month is not None and month is not None):
            raise Refused(
                "review-month-wrong",
                "Rà soát hằng tháng phải ghi tháng; rà soát định kỳ hằng năm thì không.",
                "A monthly review names its month; the annual one does not.",
                "month",
                self.legal,
            )
        return date(year, begin_month, self.begin_day)

    def before(self, step: Step) -> Step:
        """The step that comes right before; RECHECK comes after POSTING."""
        if step is Step.RECHECK:
            return Step.POSTING
        return self.steps[self.steps.index(step) - 1]

    def consult_authority(self, on: date) -> Role:
        """Who gives the opinion on that day: the district's chair until 30/06/2025, then the province's."""
        for route in self.routes:
            if route.valid_from <= on and (route.valid_to is None or on <= route.valid_to):
                return route.authority
        raise Refused(
            "consult-route-not-loaded",
            f"Chưa nạp thẩm quyền cho ý kiến vào ngày {on:%d/%m/%Y}.",
            f"Whose opinion is asked for on {on.isoformat()} is not loaded.",
            "on",
            self.articles.get(Step.CONSULT, self.legal),
        )

    def due(
        self, code: DeadlineCode, event: date, calendar: WorkCalendar, year: int, month: int | None
    ) -> date | None:
        """The last day for that; None if the law sets none. `event` is what starts a count of working days."""
        limit = self.limits.get(code)
        if limit is None:
            return None
        match limit.rule:
            case Rule.WORKING_DAYS:
                return calendar.after_working_days(event, limit.days)
            case Rule.CALENDAR_DAYS:
                return calendar.after_calendar_days(self.first_day(year, month), limit.days)
            case Rule.FIXED_DATE:
                return date(year, limit.month, limit.day)
            case Rule.MONTH_DAY:
                first = self.first_day(year, month)
                in_year, in_month = _next_month(first.year, first.month)
                return date(in_year, in_month, limit.day) if in_month in limit.months else None

    def posted_until(self, on: date, calendar: WorkCalendar) -> date:
        """The last of the working days for which results posted on that day hang out."""
        return calendar.after_working_days(on, self.posting.days)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One time limit that runs or ran. `told_on` is the day on which it was told as missed, once."""

    code: DeadlineCode
    case_id: UUID | None
    starts_on: date
    due: date
    responsible: Role
    legal: str
    confidence: str
    done_on: date | None = None
    told_on: date | None = None

    @property
    def open(self) -> bool:
        return self.done_on is None

    def missed_on(self, day: date) -> bool:
        """Whether the last day had passed, by that day, without what was due."""
        return (self.done_on or day) > self.due

    @property
    def label(self) -> str:
        return procedure_label(self.code)


def deadline(
    procedure: Procedure,
    code: DeadlineCode,
    event: date,
    calendar: WorkCalendar,
    *,
    year: int,
    month: int | None,
    case_id: UUID | None = None,
) -> Deadline | None:
    """The deadline that starts on that day; None if the law sets none."""
    due = procedure.due(code, event, calendar, year, month)
    if due is None:
        return None
    limit = procedure.limits[code]
    responsible = limit.responsible or procedure.consult_authority(event)
    return Deadline(code, case_id, event, due, responsible, limit.legal, limit.confidence)


REVIEW_DEADLINES = (
    DeadlineCode.REPORT_PRELIMINARY,
    DeadlineCode.RECOGNITION,
    DeadlineCode.REPORT_MONTHLY,
    DeadlineCode.REPORT_OFFICIAL,
)
"""The deadlines that run from a review's beginning, whatever happens in it."""


def review_deadlines(
    procedure: Procedure, opened_on: date, calendar: WorkCalendar, *, year: int, month: int | None
) -> tuple[Deadline, ...]:
    """Every deadline that a review has from the start, the earliest first."""
    found = (
        deadline(procedure, code, opened_on, calendar, year=year, month=month) for code in REVIEW_DEADLINES
    )
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.due))


def month_of_request(received_on: date, begin_day: int = 15) -> tuple[int, int]:
    """Year and month of the monthly review that a request belongs to: the next one to begin."""
    if received_on.day <= begin_day:
        return received_on.year, received_on.month
    return _next_month(received_on.year, received_on.month)


def get_procedure(kind: ProcedureKind, on: date, loaded: Collection[Procedure] | None = None) -> Procedure:
    """The version of a procedure in force on a day; those loaded by an administrator come before ours."""
    for one in (*(loaded or ()), *procedures()):
        if one.kind is kind and one.valid_from <= on <= one.valid_to:
            return one
    raise Refused(
        "procedure-not-loaded",
        f"Chưa nạp quy trình “{procedure_label(kind)}” áp dụng vào ngày {on:%d/%m/%Y}.",
        f"No procedure {kind} is loaded for {on.isoformat()}.",
        "kind",
        "Quyết định 24/2021/QĐ-TTg",
    )


def procedure_of(version: str) -> Procedure:
    """The version of a procedure that a stored review names."""
    return next(one for one in procedures() if one.version == version)


@cache
def procedures() -> tuple[Procedure, ...]:
    """The procedures that come with the package."""
    text = (resources.files("households") / "data" / "procedures.toml").read_text("utf-8")
    return parse_procedures(tomllib.loads(text))


def parse_procedures(raw: Mapping[str, Any]) -> tuple[Procedure, ...]:
    """Procedures from the content of a data file; raises ProcedureFileInvalid."""
    try:
        actions = {
            Action(code): ActionRule(
                frozenset(map(Role, one["roles"])), frozenset(map(PaperKind, one["papers"]))
            )
            for code, one in raw["actions"].items()
        }
        routes = tuple(
            Route(
                Role(one["authority"]),
                one["valid_from"],
                one.get("valid_to"),
                one["legal"],
                one["confidence"],
            )
            for one in raw["consult_routes"]
        )
        found = tuple(_build(one, actions, routes) for one in raw["procedures"])
    except (KeyError, TypeError, ValueError) as error:
        raise ProcedureFileInvalid(repr(error)) from error
    for one in found:
        _validate(one)
    return found


def _build(
    raw: Mapping[str, Any], actions: Mapping[Action, ActionRule], routes: tuple[Route, ...]
) -> Procedure:
    meeting, posting = raw.get("meeting"), raw["posting"]
    limits = [_limit(one) for one in raw["deadlines"]]
    return Procedure(
        kind=ProcedureKind(raw["kind"]),
        version=raw["version"],
        valid_from=raw["valid_from"],
        valid_to=raw["valid_to"],
        legal=raw["legal"],
        confidence=raw["confidence"],
        sources=tuple(raw["sources"]),
        subject=Subject(raw["subject"]),
        steps=tuple(map(Step, raw["steps"])),
        findings=frozenset(map(Finding, raw["findings"])),
        current_list=raw["current_list"],
        requests=frozenset(map(PaperKind, raw["requests"])),
        screening=raw["screening"],
        empty_list=raw["empty_list"],
        posted_again=raw["posted_again"],
        refusal_in_writing=raw["refusal_in_writing"],
        certificate_for=frozenset(map(Recognition, raw["certificate_for"])),
        income_months=raw.get("income_months"),
        begin_month=raw["begins"].get("month"),
        begin_day=raw["begins"]["day"],
        meeting=None
        if meeting is None
        else Meeting(
            meeting["agree_percent"],
            meeting["minutes_copies"],
            frozenset(map(Signatory, meeting["signed_by"])),
        ),
        posting=Posting(posting["days"], posting["legal"], posting["confidence"]),
        articles={Step(step): article for step, article in raw["articles"].items()},
        limits={limit.code: limit for limit in limits},
        actions=actions,
        routes=routes,
    )


def _limit(raw: Mapping[str, Any]) -> TimeLimit:
    return TimeLimit(
        code=DeadlineCode(raw["code"]),
        rule=Rule(raw["rule"]),
        responsible=None if raw["responsible"] == CONSULT_AUTHORITY else Role(raw["responsible"]),
        legal=raw["legal"],
        confidence=raw["confidence"],
        source=raw["source"],
        days=raw.get("days", 0),
        day=raw.get("day", 0),
        month=raw.get("month", 0),
        months=frozenset(raw.get("months", ())),
    )


def _validate(one: Procedure) -> None:
    needed = {*one.steps, Step.RECHECK}
    marks = [one.confidence, one.posting.confidence, *(limit.confidence for limit in one.limits.values())]
    ordered = [step for step in Step if step in one.steps]
    faults = [
        ("valid_from is after valid_to", one.valid_from > one.valid_to),
        ("no source", not one.sources),
        ("confidence is neither high nor medium", not CONFIDENCES.issuperset(marks)),
        ("the steps are not in the order of the law", list(one.steps) != ordered),
        ("RECHECK is entered on complaint only", Step.RECHECK in one.steps),
        ("a step is missing that every procedure has",
         not {Step.LISTING, Step.SURVEY, Step.POSTING, Step.RECOGNISED} <= set(one.steps)),
        ("a step has no article", not needed <= set(one.articles)),
        ("a meeting without its rules", (Step.MEETING in one.steps) != (one.meeting is not None)),
        ("no time to recognise", DeadlineCode.RECOGNITION not in one.limits),
        ("an opinion without its time", (Step.CONSULT in one.steps) != (DeadlineCode.OPINION in one.limits)),
        ("posting lasts at least a day", one.posting.days < 1),
        ("an act has no rule", set(one.actions) != set(Action)),
    ]  # fmt: skip
    wrong = [text for text, is_wrong in faults if is_wrong]
    if wrong:
        raise ProcedureFileInvalid(f"{one.version}: {'; '.join(wrong)}")


def _next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == _DECEMBER else (year, month + 1)
