"""What can be done now in a village, and what still stands in the way of the rest: for whoever is to do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from households.domain.cycle.acts import perform
from households.domain.cycle.rules import STEPS_OF, TARGET
from households.domain.cycle.state import Act, Case, Cycle, Paper
from households.domain.procedure_terms import Action, CaseState, Role, Step
from households.domain.procedures import ActionRule
from households.domain.terms import Refused
from households.domain.workdays import WorkCalendar

CONCERNS: Mapping[Action, frozenset[CaseState]] = {
    Action.SURVEY: frozenset({CaseState.LISTED, CaseState.SENT_BACK}),
    Action.SCORE: frozenset({CaseState.LISTED, CaseState.SENT_BACK, CaseState.SURVEYED, CaseState.SCORED}),
    Action.COMPLAIN: frozenset({CaseState.POSTED, CaseState.COMPLAINED, CaseState.RECHECKED}),
    Action.RECHECK: frozenset({CaseState.COMPLAINED}),
    Action.WITHDRAW: frozenset(set(CaseState) - {CaseState.SCREENED_OUT, CaseState.WITHDRAWN}),
    Action.ISSUE_CERTIFICATE: frozenset({CaseState.RECOGNISED}),
    Action.REVOKE_CERTIFICATE: frozenset({CaseState.RECOGNISED, CaseState.REFUSED}),
    Action.CORRECT: frozenset({CaseState.RECOGNISED, CaseState.REFUSED}),
}
"""Acts for one household or worker, and in which state it may be. Listing is for those not in it yet."""

ANYTIME = frozenset({Action.WITHDRAW, Action.CORRECT, Action.REPORT_PRELIMINARY, Action.REVOKE_CERTIFICATE})
"""What is possible now and then and is not the way on."""

_ANSWERED_IN_THE_FORM = frozenset({"refusal-not-in-writing", "authority-wrong"})
_ASIDE = frozenset(
    {"step-not-in-procedure", "step-out-of-order", "preliminary-not-in-procedure", "opinion-given",
     "notice-taken-down", "meeting-held"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coming:
    """An act at hand. With `waits` it must wait, and that says for what; `cases` are those it can be for."""

    action: Action
    waits: Refused | None = None
    cases: tuple[Case, ...] = ()

    @property
    def aside(self) -> bool:
        """Whether it is possible without being the next step."""
        return self.action in ANYTIME


def coming(cycle: Cycle, on: date, calendar: WorkCalendar) -> tuple[Coming, ...]:
    """Every act that belongs to the present step, in the order of the law."""
    found = []
    for action in Action:
        if cycle.step not in STEPS_OF.get(action, ()) or not _in_procedure(cycle, action):
            continue
        if action is Action.LIST:
            found.append(Coming(action))
        elif action in CONCERNS:
            cases = tuple(case for case in cycle.cases.values() if _concerned(cycle, action, case))
            if cases:
                found.append(Coming(action, None, cases))
        else:
            waits = _waits(cycle, action, max(on, cycle.last_on), calendar)
            if waits is None or waits.rule not in _ASIDE:
                found.append(Coming(action, waits))
    return tuple(found)


def _in_procedure(cycle: Cycle, action: Action) -> bool:
    target = TARGET.get(action)
    return target is None or target in (*cycle.procedure.steps, Step.RECHECK)


def _concerned(cycle: Cycle, action: Action, case: Case) -> bool:
    if case.state not in CONCERNS[action]:
        return False
    due = bool(cycle.procedure.certificate_for.intersection(case.recognitions))
    held = case.certificate is not None and case.certificate.held
    if action is Action.ISSUE_CERTIFICATE:
        return due and (not held or _to_confirm(cycle, case))
    return not due and held if action is Action.REVOKE_CERTIFICATE else True


def _to_confirm(cycle: Cycle, case: Case) -> bool:
    """Whether the certificate that is held comes from before this decision."""
    before = case.certificate is not None and case.certificate.issued_on < case.decisions[-1].decided_on
    return before or any(one.case_id == case.case_id for one in cycle.open_deadlines)


def _waits(cycle: Cycle, action: Action, on: date, calendar: WorkCalendar) -> Refused | None:
    """The refusal of the act if everything in its form were right."""
    rule = cycle.procedure.actions[action]
    act = Act("-", _role(cycle, rule, action, on), on, _paper(rule, on))
    meeting = cycle.procedure.meeting
    given: dict[str, Any] = {"present": 1, "agreeing": 1, "reason": "-"}
    if meeting is not None:
        given |= {"copies": meeting.minutes_copies, "signed_by": sorted(meeting.signed_by)}
    try:
        perform(cycle, action, act, given, calendar)
    except Refused as no:
        return None if no.rule in _ANSWERED_IN_THE_FORM else no
    return None


def _role(cycle: Cycle, rule: ActionRule, action: Action, on: date) -> Role:
    return cycle.procedure.consult_authority(on) if action is Action.GIVE_OPINION else min(rule.roles)


def _paper(rule: ActionRule, on: date) -> Paper | None:
    return Paper(min(rule.papers), "-", on) if rule.papers else None
