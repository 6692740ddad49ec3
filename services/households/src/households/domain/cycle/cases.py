"""What is done for one household or worker: listing, survey, scoring, complaint, re-check, withdrawal."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from households.domain.cycle.rules import case_in, check_act, check_reason, paper_of
from households.domain.cycle.state import Act, Case, Certificate, Cycle, Moved, Paper, moved
from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Finding,
    PaperKind,
    ProcedureKind,
    Step,
    Subject,
    procedure_label,
)
from households.domain.procedures import deadline
from households.domain.terms import LISTED, HouseholdClass, Refused
from households.domain.workdays import WorkCalendar


def list_case(
    cycle: Cycle,
    act: Act,
    case_id: UUID,
    *,
    subject: Subject = Subject.HOUSEHOLD,
    listed_class: HouseholdClass | None = None,
    screened_in: bool | None = None,
    certificate: Certificate | None = None,
) -> Moved:
    """List a household of the current list, or whoever filed the request that is the act's paper.

    `listed_class` is the class held now. A request to the annual review is screened by form A: `screened_in`
    says how that came out; who is screened out goes no further.
    """
    check_act(cycle, act, Action.LIST)
    procedure, article = cycle.procedure, cycle.article(Step.LISTING)
    if subject is not procedure.subject:
        raise Refused(
            "subject-wrong",
            f"{procedure_label(procedure.kind)} xét {procedure_label(procedure.subject).lower()}.",
            f"{procedure_label(procedure.kind, 'en')} is about a {procedure.subject.lower()}.",
            "subject",
            article,
        )
    if case_id in cycle.cases:
        raise Refused(
            "case-listed-twice", "Đã có trong danh sách.", "It is listed already.", "case_id", article
        )
    request = act.paper if paper_of(act, *procedure.requests) else None
    on_list = listed_class in LISTED
    _check_claim(cycle, request, on_list=on_list)
    screened = procedure.screening and request is not None and not on_list
    if screened and screened_in is None:
        raise Refused(
            "screening-missing",
            "Hộ có giấy đề nghị phải được rà soát viên nhận dạng bằng Phiếu A trước.",
            "A household that filed a request is first screened by form A.",
            "screened_in",
            article,
        )
    state = CaseState.SCREENED_OUT if screened and not screened_in else CaseState.LISTED
    case = Case(case_id, state, listed_class, request, certificate=certificate)
    facts = {"listed_class": listed_class.value} if listed_class else {}
    return moved(cycle, act, Action.LIST, cases=[case], facts=facts)


def survey_case(cycle: Cycle, act: Act, case_id: UUID, *, income_months: int | None = None) -> Moved:
    """The household's data were collected. Where income decides, it is that of so many months."""
    check_act(cycle, act, Action.SURVEY)
    case = case_in(cycle, case_id, Action.SURVEY, CaseState.LISTED, CaseState.SENT_BACK)
    if income_months != cycle.procedure.income_months:
        asked = cycle.procedure.income_months
        raise Refused(
            "income-months-wrong",
            f"Phải xác định thu nhập trong {asked} tháng trước thời điểm rà soát."
            if asked
            else "Quy trình này không xác định thu nhập theo tháng.",
            f"The income of the {asked} months before the review is determined."
            if asked
            else "This procedure does not determine income by months.",
            "income_months",
            cycle.article(Step.SURVEY),
        )
    facts = {"income_months": income_months} if income_months else {}
    return moved(cycle, act, Action.SURVEY, cases=[replace(case, state=CaseState.SURVEYED)], facts=facts)


def score_case(cycle: Cycle, act: Act, case_id: UUID, finding: Finding) -> Moved:
    """Points were counted and the class found. How, is the business of classification."""
    check_act(cycle, act, Action.SCORE)
    case = case_in(cycle, case_id, Action.SCORE, CaseState.SURVEYED, CaseState.SCORED)
    check_finding(cycle, finding)
    scored = replace(case, state=CaseState.SCORED, finding=finding)
    return moved(cycle, act, Action.SCORE, cases=[scored], facts={"finding": finding.value})


def complain(cycle: Cycle, act: Act, case_id: UUID, calendar: WorkCalendar) -> Moved:
    """Somebody complains of a posted result: it is checked again. A second complaint moves no deadline."""
    check_act(cycle, act, Action.COMPLAIN)
    case = case_in(
        cycle, case_id, Action.COMPLAIN, CaseState.POSTED, CaseState.COMPLAINED, CaseState.RECHECKED
    )
    if case.posted_until is None or act.on > case.posted_until:
        raise Refused(
            "complaint-after-posting",
            "Đã hết thời gian niêm yết công khai kết quả này; nộp giấy đề nghị rà soát để được xét tiếp.",
            "This result no longer hangs out; file a request to be reviewed again.",
            "on",
            cycle.article(Step.RECHECK),
        )
    fresh = case.state is not CaseState.COMPLAINED
    starts = deadline(
        cycle.procedure,
        DeadlineCode.RECHECK,
        act.on,
        calendar,
        year=cycle.year,
        month=cycle.month,
        case_id=case_id,
    )
    return moved(
        cycle,
        act,
        Action.COMPLAIN,
        step=Step.RECHECK,
        cases=[replace(case, state=CaseState.COMPLAINED, complaints=case.complaints + 1)],
        opened=[starts] if fresh else [],
        complaints=cycle.complaints + 1,
    )


def recheck_case(cycle: Cycle, act: Act, case_id: UUID, finding: Finding) -> Moved:
    """The result that was complained of was found again, the same or another."""
    check_act(cycle, act, Action.RECHECK)
    case = case_in(cycle, case_id, Action.RECHECK, CaseState.COMPLAINED)
    check_finding(cycle, finding)
    return moved(
        cycle,
        act,
        Action.RECHECK,
        cases=[replace(case, state=CaseState.RECHECKED, finding=finding)],
        facts={"finding": finding.value},
        done=[(DeadlineCode.RECHECK, case_id)],
    )


def withdraw(cycle: Cycle, act: Act, case_id: UUID, reason: str) -> Moved:
    """Take out a household that moved away, ended, or took its request back. It is not a refusal."""
    check_act(cycle, act, Action.WITHDRAW)
    case = case_in(
        cycle, case_id, Action.WITHDRAW, *(set(CaseState) - {CaseState.SCREENED_OUT, CaseState.WITHDRAWN})
    )
    text = check_reason(reason, cycle.article())
    others = [
        one for one in cycle.in_state(CaseState.COMPLAINED, CaseState.RECHECKED) if one.case_id != case_id
    ]
    step = Step.POSTING if cycle.step is Step.RECHECK and not others else cycle.step
    return moved(
        cycle,
        act,
        Action.WITHDRAW,
        step=step,
        cases=[replace(case, state=CaseState.WITHDRAWN)],
        facts={"reason": text},
        done=[(DeadlineCode.RECHECK, case_id)],
    )


def check_finding(cycle: Cycle, finding: Finding) -> None:
    """Refuse a finding that this procedure cannot come to."""
    if finding not in cycle.procedure.findings:
        known = sorted(cycle.procedure.findings)
        vi, en = (", ".join(procedure_label(one, language) for one in known) for language in ("vi", "en"))
        raise Refused(
            "finding-wrong",
            f"Kết quả của quy trình này chỉ có thể là: {vi}.",
            f"This procedure finds only: {en}.",
            "finding",
            cycle.article(Step.SURVEY),
        )


def _check_claim(cycle: Cycle, request: Paper | None, *, on_list: bool) -> None:
    procedure, article = cycle.procedure, cycle.article(Step.LISTING)
    if request is None and not (procedure.current_list and on_list):
        raise Refused(
            "request-missing",
            "Phải có giấy đề nghị theo mẫu"
            + (
                ", hoặc thuộc danh sách hộ nghèo, hộ cận nghèo đang quản lý."
                if procedure.current_list
                else "."
            ),
            "A request on its form is needed"
            + (", or a place on the current list." if procedure.current_list else "."),
            "paper",
            article,
        )
    if request is not None and request.kind is PaperKind.REQUEST_ESCAPE and not on_list:
        raise Refused(
            "escape-not-on-list",
            "Hộ không thuộc danh sách hộ nghèo, hộ cận nghèo nên không có gì để công nhận thoát.",
            "The household is on neither list, so there is nothing to escape from.",
            "listed_class",
            article,
        )
    if procedure.kind is ProcedureKind.AVERAGE_LIVING and on_list:
        # Whether a household may hold both results the law leaves open.
        raise Refused(
            "average-of-listed-household",
            "Hộ đang thuộc danh sách hộ nghèo, hộ cận nghèo; đề nghị công nhận thoát nghèo trước khi xác định"
            " mức sống trung bình.",
            "The household is on the poor or near-poor list; it asks to be recognised as escaped first.",
            "listed_class",
            article,
        )
    if procedure.kind is ProcedureKind.LOW_INCOME_WORKER and on_list:
        raise Refused(
            "worker-of-listed-household",
            "Người lao động thuộc hộ nghèo, hộ cận nghèo không thuộc diện người lao động có thu nhập thấp.",
            "A worker of a poor or near-poor household is not a low-income worker.",
            "listed_class",
            article,
        )
