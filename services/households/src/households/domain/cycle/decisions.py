"""Official results: recognition, refusal in writing, certificates, correction by a new decision, reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from households.domain.cycle.cases import check_finding
from households.domain.cycle.rules import (
    case_in,
    check_act,
    check_all,
    check_reason,
    check_taken_down,
    out_of_order,
)
from households.domain.cycle.state import Act, Case, CaseDecision, Certificate, Cycle, Moved, Paper, moved
from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    Recognition,
    Step,
    procedure_label,
)
from households.domain.procedures import Deadline, deadline
from households.domain.terms import HouseholdClass, Refused
from households.domain.workdays import WorkCalendar

_REPORTS = (DeadlineCode.REPORT_OFFICIAL, DeadlineCode.REPORT_MONTHLY)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The written answer to somebody who is not recognised, with its reason."""

    paper: Paper
    reason: str


_LISTS: Mapping[Finding, Recognition] = {
    Finding.POOR: Recognition.POOR,
    Finding.NEAR_POOR: Recognition.NEAR_POOR,
    Finding.AVERAGE_LIVING: Recognition.AVERAGE_LIVING,
    Finding.LOW_INCOME_WORKER: Recognition.LOW_INCOME_WORKER,
}

_ESCAPES: Mapping[tuple[HouseholdClass | None, Finding], Recognition] = {
    (HouseholdClass.POOR, Finding.NEAR_POOR): Recognition.ESCAPED_POVERTY,
    (HouseholdClass.POOR, Finding.NOT_POOR): Recognition.ESCAPED_POVERTY,
    (HouseholdClass.NEAR_POOR, Finding.NOT_POOR): Recognition.ESCAPED_NEAR_POVERTY,
}


def recognitions(listed_class: HouseholdClass | None, finding: Finding) -> tuple[Recognition, ...]:
    """As what a finding is recognised: a list, an escape from one, or both; nothing means a refusal."""
    found = (_LISTS.get(finding), _ESCAPES.get((listed_class, finding)))
    return tuple(one for one in found if one is not None)


def recognise(
    cycle: Cycle, act: Act, calendar: WorkCalendar, refusals: Mapping[UUID, Refusal] | None = None
) -> Moved:
    """The chair of the commune decides on everybody in the village at once.

    Where the law asks for it, who is not recognised is answered in writing, with the reason.
    """
    check_act(cycle, act, Action.RECOGNISE)
    procedure = cycle.procedure
    cases = _ready(cycle, act.on)
    assert act.paper is not None, "recognition rests on a paper"
    answers = dict(refusals or {})
    outcomes = {case.case_id: recognitions(case.listed_class, _finding(case)) for case in cases}
    if any(outcomes.values()) and act.paper.kind is not PaperKind.DECISION:
        raise Refused(
            "decision-missing",
            "Công nhận phải bằng quyết định của Chủ tịch Ủy ban nhân dân cấp xã.",
            "Recognition is by a decision of the chair of the commune.",
            "paper",
            cycle.article(Step.RECOGNISED),
        )
    _check_answers(cycle, act, outcomes, answers)
    decided = [
        _decided(case, act, act.paper, outcomes[case.case_id], answers.get(case.case_id)) for case in cases
    ]
    with_certificate = [case for case in decided if procedure.certificate_for.intersection(case.recognitions)]
    starts: Iterable[Deadline | None] = [
        deadline(
            procedure,
            DeadlineCode.CERTIFICATE,
            act.on,
            calendar,
            year=cycle.year,
            month=cycle.month,
            case_id=case.case_id,
        )
        for case in with_certificate
    ]
    counts = Counter(one.value for outcome in outcomes.values() for one in outcome)
    refused = sum(not outcome for outcome in outcomes.values())
    return moved(
        cycle,
        act,
        Action.RECOGNISE,
        step=Step.RECOGNISED,
        cases=decided,
        facts={**dict(sorted(counts.items())), "REFUSED": refused},
        done=[(DeadlineCode.RECOGNITION, None)],
        opened=starts,
    )


def correct_case(
    cycle: Cycle, act: Act, case_id: UUID, finding: Finding, *, corrects: str, reason: str
) -> Moved:
    """Correct an official result by a new decision that names the one it corrects. Nothing is rewritten."""
    check_act(cycle, act, Action.CORRECT)
    case = case_in(cycle, case_id, Action.CORRECT, CaseState.RECOGNISED, CaseState.REFUSED)
    article = cycle.article(Step.RECOGNISED)
    check_finding(cycle, finding)
    text = check_reason(reason, article)
    assert act.paper is not None, "a correction rests on a decision"
    last = case.decisions[-1]
    if corrects != last.number:
        raise Refused(
            "correction-of-another",
            f"Kết quả hiện hành theo văn bản số {last.number}, không phải {corrects or '(trống)'}.",
            f"The result rests on number {last.number}, not on {corrects or '(none)'}.",
            "corrects",
            article,
        )
    if act.paper.number in {one.number for one in case.decisions}:
        raise Refused(
            "correction-not-new",
            "Điều chỉnh kết quả phải bằng một quyết định mới.",
            "A correction is a new decision.",
            "paper.number",
            article,
        )
    outcome = recognitions(case.listed_class, finding)
    decision = CaseDecision(act.paper.number, act.on, finding, outcome, text, corrects)
    after = replace(
        case,
        state=CaseState.RECOGNISED if outcome else CaseState.REFUSED,
        finding=finding,
        decisions=(*case.decisions, decision),
    )
    due = cycle.procedure.certificate_for.intersection(outcome)
    return moved(
        cycle,
        act,
        Action.CORRECT,
        cases=[after],
        facts={"finding": finding.value, "reason": text},
        corrects=corrects,
        done=[] if due else [(DeadlineCode.CERTIFICATE, case_id)],
    )


def issue_certificate(cycle: Cycle, act: Act, case_id: UUID) -> Moved:
    """Issue the certificate, or confirm the one that is held: by its number."""
    check_act(cycle, act, Action.ISSUE_CERTIFICATE)
    case = case_in(cycle, case_id, Action.ISSUE_CERTIFICATE, CaseState.RECOGNISED, CaseState.REFUSED)
    article = cycle.article(Step.RECOGNISED)
    if not cycle.procedure.certificate_for.intersection(case.recognitions):
        raise Refused(
            "certificate-not-due",
            "Chỉ cấp giấy chứng nhận cho hộ được công nhận là hộ nghèo, hộ cận nghèo.",
            "Only a household recognised as poor or near-poor gets a certificate.",
            "case_id",
            article,
        )
    assert act.paper is not None, "a certificate is a paper"
    held = case.certificate if case.certificate is not None and case.certificate.held else None
    if held is not None and held.number != act.paper.number:
        raise Refused(
            "certificate-held",
            f"Hộ đang giữ giấy chứng nhận số {held.number}; xác nhận vào giấy đó.",
            f"The household holds certificate {held.number}; confirm that one.",
            "paper.number",
            article,
        )
    if held is None and case.certificate is not None and case.certificate.number == act.paper.number:
        raise Refused(
            "certificate-revoked",
            f"Giấy chứng nhận số {act.paper.number} đã bị thu hồi; cấp giấy mới.",
            f"Certificate {act.paper.number} was revoked; issue a new one.",
            "paper.number",
            article,
        )
    certificate = held or Certificate(act.paper.number, act.on)
    return moved(
        cycle,
        act,
        Action.ISSUE_CERTIFICATE,
        cases=[replace(case, certificate=certificate)],
        facts={"confirmed": int(held is not None)},
        done=[(DeadlineCode.CERTIFICATE, case_id)],
    )


def revoke_certificate(cycle: Cycle, act: Act, case_id: UUID, reason: str) -> Moved:
    """Take back the certificate of a household that is on neither list any more."""
    check_act(cycle, act, Action.REVOKE_CERTIFICATE)
    case = case_in(cycle, case_id, Action.REVOKE_CERTIFICATE, CaseState.RECOGNISED, CaseState.REFUSED)
    article = cycle.article(Step.RECOGNISED)
    text = check_reason(reason, article)
    if case.certificate is None or not case.certificate.held:
        raise Refused(
            "certificate-not-held",
            "Hộ không giữ giấy chứng nhận nào.",
            "The household holds no certificate.",
            "case_id",
            article,
        )
    if cycle.procedure.certificate_for.intersection(case.recognitions):
        raise Refused(
            "certificate-still-due",
            "Hộ đang được công nhận là hộ nghèo, hộ cận nghèo nên không thu hồi giấy chứng nhận.",
            "The household is recognised as poor or near-poor, so it keeps its certificate.",
            "case_id",
            article,
        )
    revoked = replace(case.certificate, revoked_on=act.on)
    return moved(
        cycle,
        act,
        Action.REVOKE_CERTIFICATE,
        cases=[replace(case, certificate=revoked)],
        facts={"reason": text, "number": revoked.number},
    )


def report_preliminary(cycle: Cycle, act: Act) -> Moved:
    """Report what the village has found so far (sơ bộ). It may be reported again until the decision."""
    check_act(cycle, act, Action.REPORT_PRELIMINARY)
    if DeadlineCode.REPORT_PRELIMINARY not in cycle.procedure.limits:
        raise Refused(
            "preliminary-not-in-procedure",
            f"{procedure_label(cycle.procedure.kind)} không có kết quả sơ bộ.",
            f"{procedure_label(cycle.procedure.kind, 'en')} has no preliminary result.",
            "action",
            cycle.article(Step.REPORTED),
        )
    counts = Counter(case.finding.value for case in cycle.active if case.finding is not None)
    return moved(
        cycle,
        act,
        Action.REPORT_PRELIMINARY,
        facts=dict(sorted(counts.items())),
        done=[(DeadlineCode.REPORT_PRELIMINARY, None)],
    )


def report(cycle: Cycle, act: Act) -> Moved:
    """Report the official result upwards. What the preliminary report still owed is settled by it, late."""
    check_act(cycle, act, Action.REPORT)
    counts = Counter(one.value for case in cycle.active for one in case.recognitions)
    return moved(
        cycle,
        act,
        Action.REPORT,
        step=Step.REPORTED,
        facts=dict(sorted(counts.items())),
        done=[(code, None) for code in (*_REPORTS, DeadlineCode.REPORT_PRELIMINARY)],
    )


def _ready(cycle: Cycle, on: date) -> tuple[Case, ...]:
    """The cases to decide on, if all that comes before is done."""
    procedure = cycle.procedure
    if Step.CONSULT in procedure.steps:
        if cycle.step is not Step.CONSULT:
            raise out_of_order(cycle, Action.RECOGNISE)
        if cycle.opinion is not True:
            authority = procedure.consult_authority(on)
            raise Refused(
                "opinion-not-received",
                f"Chưa có ý kiến của {procedure_label(authority)} nên chưa được quyết định công nhận.",
                f"The {procedure_label(authority, 'en')} has not given an opinion yet.",
                "action",
                cycle.article(Step.CONSULT),
            )
        return check_all(cycle, Action.RECOGNISE, CaseState.PROPOSED)
    if cycle.step is Step.RECHECK and procedure.posted_again:
        raise out_of_order(cycle, Action.RECOGNISE)
    check_taken_down(cycle, on)
    return check_all(cycle, Action.RECOGNISE, CaseState.POSTED, CaseState.RECHECKED)


def _finding(case: Case) -> Finding:
    assert case.finding is not None, "a case that was posted was scored"
    return case.finding


def _check_answers(
    cycle: Cycle,
    act: Act,
    outcomes: Mapping[UUID, tuple[Recognition, ...]],
    answers: Mapping[UUID, Refusal],
) -> None:
    article = cycle.article(Step.RECOGNISED)
    if any(outcomes.get(case_id, ("unknown",)) for case_id in answers):
        raise Refused(
            "refusal-of-recognised",
            "Có văn bản từ chối cho trường hợp đủ điều kiện công nhận.",
            "Somebody who qualifies is answered with a refusal.",
            "refusals",
            article,
        )
    refused = {case_id for case_id, outcome in outcomes.items() if not outcome}
    if cycle.procedure.refusal_in_writing and refused - set(answers):
        raise Refused(
            "refusal-not-in-writing",
            f"Còn {len(refused - set(answers))} trường hợp không đủ điều kiện chưa được trả lời bằng văn bản,"
            " nêu rõ lý do.",
            f"{len(refused - set(answers))} cases that do not qualify have no written answer with reasons.",
            "refusals",
            article,
        )
    for answer in answers.values():
        check_reason(answer.reason, article)
        kind_wrong = answer.paper.kind is not PaperKind.REFUSAL or not answer.paper.number.strip()
        if kind_wrong or answer.paper.dated > act.on:
            raise Refused(
                "refusal-paper-wrong",
                "Văn bản trả lời phải có số và không đề ngày sau ngày quyết định.",
                "The written answer has a number and is not dated after the act.",
                "refusals",
                article,
            )


def _decided(
    case: Case, act: Act, paper: Paper, outcome: tuple[Recognition, ...], answer: Refusal | None
) -> Case:
    number, reason = (paper.number, None) if answer is None else (answer.paper.number, answer.reason.strip())
    decision = CaseDecision(number, act.on, _finding(case), outcome, reason, None)
    return replace(
        case,
        state=CaseState.RECOGNISED if outcome else CaseState.REFUSED,
        decisions=(*case.decisions, decision),
    )
