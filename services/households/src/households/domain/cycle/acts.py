"""One door for every act of a review, said in plain values: what is asked for now, and what is read back from the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from households.domain.cycle import cases, decisions, steps
from households.domain.cycle.state import Act, Certificate, Cycle, Moved, Paper
from households.domain.procedure_terms import Action, Finding, PaperKind, Signatory, Subject
from households.domain.terms import HouseholdClass
from households.domain.workdays import WorkCalendar

Given = Mapping[str, Any]


def perform(cycle: Cycle, action: Action, act: Act, given: Given, calendar: WorkCalendar) -> Moved:
    """The cycle after one act. `given` holds what the act says besides: texts, numbers, lists, as JSON has them."""
    reason = given.get("reason") or ""
    doing: Mapping[Action, Callable[[], Moved]] = {
        Action.LIST: lambda: _list(cycle, act, given),
        Action.CLOSE_LIST: lambda: steps.close_list(cycle, act),
        Action.SURVEY: lambda: cases.survey_case(
            cycle, act, _case(given), income_months=given.get("income_months")
        ),
        Action.SCORE: lambda: cases.score_case(cycle, act, _case(given), Finding(given["finding"])),
        Action.CALL_MEETING: lambda: steps.call_meeting(cycle, act),
        Action.HOLD_MEETING: lambda: _meeting(cycle, act, given),
        Action.POST: lambda: steps.post(cycle, act, calendar),
        Action.END_POSTING: lambda: steps.end_posting(cycle, act),
        Action.COMPLAIN: lambda: cases.complain(cycle, act, _case(given), calendar),
        Action.RECHECK: lambda: cases.recheck_case(cycle, act, _case(given), Finding(given["finding"])),
        Action.WITHDRAW: lambda: cases.withdraw(cycle, act, _case(given), reason),
        Action.ASK_OPINION: lambda: steps.ask_opinion(cycle, act, calendar),
        Action.GIVE_OPINION: lambda: steps.give_opinion(
            cycle, act, returned=[UUID(one) for one in given.get("returned") or ()], reason=reason
        ),
        Action.RECOGNISE: lambda: decisions.recognise(cycle, act, calendar, _refusals(given)),
        Action.ISSUE_CERTIFICATE: lambda: decisions.issue_certificate(cycle, act, _case(given)),
        Action.REVOKE_CERTIFICATE: lambda: decisions.revoke_certificate(cycle, act, _case(given), reason),
        Action.REPORT_PRELIMINARY: lambda: decisions.report_preliminary(cycle, act),
        Action.REPORT: lambda: decisions.report(cycle, act),
        Action.CORRECT: lambda: decisions.correct_case(
            cycle,
            act,
            _case(given),
            Finding(given["finding"]),
            corrects=given.get("corrects") or "",
            reason=reason,
        ),
    }
    return doing[action]()


def _case(given: Given) -> UUID:
    return UUID(given["case"])


def _list(cycle: Cycle, act: Act, given: Given) -> Moved:
    listed, held = given.get("listed_class"), given.get("certificate")
    return cases.list_case(
        cycle,
        act,
        _case(given),
        subject=Subject(given["subject"]),
        listed_class=HouseholdClass(listed) if listed else None,
        screened_in=given.get("screened_in"),
        certificate=Certificate(held["number"], date.fromisoformat(held["issued_on"])) if held else None,
    )


def _meeting(cycle: Cycle, act: Act, given: Given) -> Moved:
    return steps.hold_meeting(
        cycle,
        act,
        present=given.get("present") or 0,
        agreeing=given.get("agreeing") or 0,
        agreeing_by_case={UUID(one): count for one, count in (given.get("agreeing_by_case") or {}).items()},
        copies=given.get("copies") or 0,
        signed_by=[Signatory(one) for one in given.get("signed_by") or ()],
    )


def _refusals(given: Given) -> dict[UUID, decisions.Refusal]:
    return {
        UUID(one["case"]): decisions.Refusal(
            Paper(
                PaperKind(one["paper"]["kind"]),
                one["paper"]["number"],
                date.fromisoformat(one["paper"]["dated"]),
            ),
            one["reason"],
        )
        for one in given.get("refusals") or ()
    }
