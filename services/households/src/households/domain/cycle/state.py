"""What is known of one village in one review: its step, its cases, its deadlines. Nothing here ever changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    Recognition,
    Role,
    Step,
)
from households.domain.procedures import Deadline, Procedure
from households.domain.terms import HouseholdClass, Stage

TERMINAL = frozenset({CaseState.SCREENED_OUT, CaseState.WITHDRAWN})
"""A case in one of these goes no further in this review, and holds nobody up."""

DECIDED = frozenset({CaseState.RECOGNISED, CaseState.REFUSED})
"""Where every other case ends: with an official result."""

STATES_AT: Mapping[Step, frozenset[CaseState]] = {
    Step.LISTING: frozenset({CaseState.LISTED}),
    Step.SURVEY: frozenset(
        {
            CaseState.LISTED,
            CaseState.SURVEYED,
            CaseState.SCORED,
            CaseState.MEETING_AGREED,
            CaseState.SENT_BACK,
        }
    ),
    Step.MEETING: frozenset({CaseState.SCORED, CaseState.MEETING_AGREED}),
    Step.POSTING: frozenset({CaseState.POSTED}),
    Step.RECHECK: frozenset({CaseState.POSTED, CaseState.COMPLAINED, CaseState.RECHECKED}),
    Step.CONSULT: frozenset({CaseState.PROPOSED}),
    Step.RECOGNISED: DECIDED,
    Step.REPORTED: DECIDED,
}
"""Which states the cases of a village can have at each of its steps, besides the terminal ones."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper an act rests on; a form filled for one household has no number of its own."""

    kind: PaperKind
    number: str
    dated: date


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, in which capacity, on which day, on which paper. `by` is an officer's id, never a name."""

    by: str
    role: Role
    on: date
    paper: Paper | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record, written once. `facts` are what the act said besides; a reason is free text."""

    sequence: int
    action: Action
    on: date
    by: str
    role: Role
    paper: Paper | None
    step_before: Step | None
    step_after: Step
    case_ids: tuple[UUID, ...]
    facts: Mapping[str, str | int]
    corrects: str | None


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """One official result. Without a recognition it is a refusal; `corrects` is the number it replaces."""

    number: str
    decided_on: date
    finding: Finding
    recognitions: tuple[Recognition, ...]
    reason: str | None
    corrects: str | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate; the same one is confirmed in the years that follow."""

    number: str
    issued_on: date
    revoked_on: date | None = None

    @property
    def held(self) -> bool:
        return self.revoked_on is None


@dataclass(frozen=True, slots=True)
class Case:
    """One household, or one worker, in a review. `listed_class` is its class when it was listed."""

    case_id: UUID
    state: CaseState
    listed_class: HouseholdClass | None
    request: Paper | None
    finding: Finding | None = None
    posted_until: date | None = None
    sent_back: int = 0
    complaints: int = 0
    decisions: tuple[CaseDecision, ...] = ()
    certificate: Certificate | None = None

    @property
    def active(self) -> bool:
        return self.state not in TERMINAL

    @property
    def stage(self) -> Stage | None:
        """Preliminary from the first scoring on, official from the decision on."""
        if self.decisions:
            return Stage.OFFICIAL
        return None if self.finding is None else Stage.PRELIMINARY

    @property
    def recognitions(self) -> tuple[Recognition, ...]:
        """As what it is recognised by the last decision."""
        return self.decisions[-1].recognitions if self.decisions else ()


@dataclass(frozen=True, slots=True)
class Cycle:
    """One village (or, where the law knows no village meeting, one commune) in one review.

    Counters tell how often a step was entered. `posted_until` is the last day of the newest posting,
    `taken_down_on` the day its notice was taken down. `opinion` is True once the higher level agreed. `last_on` is the
    day of the last act: nothing may be dated earlier.
    """

    review_id: UUID
    place: str
    procedure: Procedure
    year: int
    month: int | None
    step: Step
    last_on: date
    cases: Mapping[UUID, Case] = field(default_factory=dict)
    deadlines: tuple[Deadline, ...] = ()
    entries: int = 0
    surveys: int = 0
    meetings: int = 0
    meetings_failed: int = 0
    postings: int = 0
    complaints: int = 0
    opinions_against: int = 0
    posted_until: date | None = None
    taken_down_on: date | None = None
    opinion: bool | None = None

    @property
    def active(self) -> tuple[Case, ...]:
        """The cases that still go through the steps."""
        return tuple(case for case in self.cases.values() if case.active)

    @property
    def open_deadlines(self) -> tuple[Deadline, ...]:
        return tuple(one for one in self.deadlines if one.open)

    def article(self, step: Step | None = None) -> str:
        """The article of a step, by default of the present one."""
        return self.procedure.articles.get(step or self.step, self.procedure.legal)

    def in_state(self, *states: CaseState) -> tuple[Case, ...]:
        return tuple(case for case in self.cases.values() if case.state in states)


@dataclass(frozen=True, slots=True)
class Moved:
    """What an act made of a cycle, its line in the record, and the deadlines that it was too late for."""

    cycle: Cycle
    entry: Entry
    missed: tuple[Deadline, ...] = ()


def moved(
    cycle: Cycle,
    act: Act,
    action: Action,
    *,
    step: Step | None = None,
    cases: Iterable[Case] = (),
    facts: Mapping[str, str | int] | None = None,
    corrects: str | None = None,
    done: Collection[tuple[DeadlineCode, UUID | None]] = (),
    opened: Iterable[Deadline | None] = (),
    **counted: int | date | bool | None,
) -> Moved:
    """The cycle after an act: `done` closes deadlines, `opened` starts them. All else stays as it was."""
    changed = tuple(cases)
    deadlines, late = _close(cycle.deadlines, set(done), act.on)
    after = replace(
        cycle,
        step=step or cycle.step,
        last_on=act.on,
        cases={**cycle.cases, **{case.case_id: case for case in changed}},
        deadlines=(*deadlines, *(one for one in opened if one is not None)),
        entries=cycle.entries + 1,
        **counted,  # type: ignore[arg-type]  # fields by name, each checked where it is given
    )
    entry = Entry(
        sequence=after.entries,
        action=action,
        on=act.on,
        by=act.by,
        role=act.role,
        paper=act.paper,
        step_before=None if action is Action.OPEN else cycle.step,
        step_after=after.step,
        case_ids=tuple(case.case_id for case in changed),
        facts=dict(facts or {}),
        corrects=corrects,
    )
    return Moved(after, entry, late)


def tell_missed(cycle: Cycle, today: date) -> tuple[Cycle, tuple[Deadline, ...]]:
    """Mark the open deadlines whose last day has passed, and return those not told before."""
    told = tuple(
        replace(one, told_on=today)
        for one in cycle.deadlines
        if one.open and one.told_on is None and one.missed_on(today)
    )
    if not told:
        return cycle, ()
    by_key = {_key(one): one for one in told}
    deadlines = tuple(by_key.get(_key(one), one) if one.open else one for one in cycle.deadlines)
    return replace(cycle, deadlines=deadlines), told


def contradictions(cycle: Cycle) -> tuple[str, ...]:
    """What in a stored cycle cannot be: a case in a state its village's step does not know, and the like."""
    allowed = STATES_AT[cycle.step]
    open_keys = [_key(one) for one in cycle.open_deadlines]
    found = [
        f"{case.case_id}: {case.state} at {cycle.step}" for case in cycle.active if case.state not in allowed
    ]
    found += [
        f"{case.case_id}: decided without a decision"
        for case in cycle.in_state(*DECIDED)
        if not case.decisions
    ]
    if cycle.step is Step.RECHECK and not cycle.in_state(CaseState.COMPLAINED, CaseState.RECHECKED):
        found.append("RECHECK without a complaint")
    if cycle.step not in (*cycle.procedure.steps, Step.RECHECK):
        found.append(f"{cycle.step} is no step of {cycle.procedure.version}")
    found += [
        f"{code} runs twice" for code, case_id in set(open_keys) if open_keys.count((code, case_id)) > 1
    ]
    return tuple(found)


def _close(
    deadlines: Iterable[Deadline], keys: Collection[tuple[DeadlineCode, UUID | None]], on: date
) -> tuple[tuple[Deadline, ...], tuple[Deadline, ...]]:
    kept: list[Deadline] = []
    late: list[Deadline] = []
    for found in deadlines:
        one = found
        if one.open and _key(one) in keys:
            one = replace(one, done_on=on)
            if one.told_on is None and one.missed_on(on):
                one = replace(one, told_on=on)
                late.append(one)
        kept.append(one)
    return tuple(kept), tuple(late)


def _key(one: Deadline) -> tuple[DeadlineCode, UUID | None]:
    return one.code, one.case_id
