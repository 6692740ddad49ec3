"""Whether an act may be done now, by this role, on this paper: what all acts of a review have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from households.domain.cycle.state import Act, Case, Cycle
from households.domain.procedure_terms import Action, CaseState, PaperKind, Step, procedure_label
from households.domain.procedures import ActionRule, Procedure
from households.domain.terms import Refused

UNDECIDED = frozenset(Step) - {Step.RECOGNISED, Step.REPORTED}

STEPS_OF: Mapping[Action, frozenset[Step]] = {
    Action.LIST: frozenset({Step.LISTING}),
    Action.CLOSE_LIST: frozenset({Step.LISTING}),
    Action.SURVEY: frozenset({Step.SURVEY}),
    Action.SCORE: frozenset({Step.SURVEY}),
    Action.CALL_MEETING: frozenset({Step.SURVEY}),
    Action.HOLD_MEETING: frozenset({Step.MEETING}),
    Action.POST: frozenset({Step.SURVEY, Step.MEETING, Step.RECHECK}),
    Action.END_POSTING: frozenset({Step.POSTING, Step.RECHECK}),
    Action.COMPLAIN: frozenset({Step.POSTING, Step.RECHECK}),
    Action.RECHECK: frozenset({Step.RECHECK}),
    Action.ASK_OPINION: frozenset({Step.POSTING}),
    Action.GIVE_OPINION: frozenset({Step.CONSULT}),
    Action.RECOGNISE: frozenset({Step.POSTING, Step.RECHECK, Step.CONSULT}),
    Action.ISSUE_CERTIFICATE: frozenset({Step.RECOGNISED, Step.REPORTED}),
    Action.REVOKE_CERTIFICATE: frozenset({Step.RECOGNISED, Step.REPORTED}),
    Action.REPORT_PRELIMINARY: frozenset({Step.MEETING, Step.POSTING, Step.RECHECK, Step.CONSULT}),
    Action.REPORT: frozenset({Step.RECOGNISED}),
    Action.CORRECT: frozenset({Step.RECOGNISED, Step.REPORTED}),
    Action.WITHDRAW: UNDECIDED,
}
"""At which steps of the village an act is possible at all; each act asks for more."""

TARGET: Mapping[Action, Step] = {
    Action.CLOSE_LIST: Step.SURVEY,
    Action.CALL_MEETING: Step.MEETING,
    Action.HOLD_MEETING: Step.MEETING,
    Action.POST: Step.POSTING,
    Action.END_POSTING: Step.POSTING,
    Action.COMPLAIN: Step.RECHECK,
    Action.RECHECK: Step.RECHECK,
    Action.ASK_OPINION: Step.CONSULT,
    Action.GIVE_OPINION: Step.CONSULT,
    Action.RECOGNISE: Step.RECOGNISED,
    Action.ISSUE_CERTIFICATE: Step.RECOGNISED,
    Action.REVOKE_CERTIFICATE: Step.RECOGNISED,
    Action.CORRECT: Step.RECOGNISED,
    Action.REPORT_PRELIMINARY: Step.REPORTED,
    Action.REPORT: Step.REPORTED,
}
"""The step whose article an act rests on, where it is not the present one."""


def check_act(cycle: Cycle, act: Act, action: Action) -> None:
    """Refuse an act out of order, out of time, by somebody not competent, or without its paper."""
    target = TARGET.get(action)
    if target is not None and target not in (*cycle.procedure.steps, Step.RECHECK):
        raise Refused(
            "step-not-in-procedure",
            f"{procedure_label(cycle.procedure.kind)} không có bước “{procedure_label(target)}”.",
            f"{procedure_label(cycle.procedure.kind, 'en')} has no step “{procedure_label(target, 'en')}”.",
            "action",
            cycle.procedure.legal,
        )
    if cycle.step not in STEPS_OF[action]:
        raise out_of_order(cycle, action)
    check_actor(cycle.procedure, act, action, cycle.article(target))
    if act.on < cycle.last_on:
        raise Refused(
            "act-before-last-one",
            f"Ngày {act.on:%d/%m/%Y} sớm hơn việc gần nhất đã ghi ({cycle.last_on:%d/%m/%Y}).",
            f"{act.on.isoformat()} is before the last act recorded, {cycle.last_on.isoformat()}.",
            "on",
        )


def check_actor(procedure: Procedure, act: Act, action: Action, article: str) -> None:
    """Refuse an act by somebody not competent for it, or without the paper that it needs."""
    rule = procedure.actions[action]
    if not act.by.strip():
        raise Refused("officer-missing", "Thiếu người thực hiện.", "It is not said who acts.", "by")
    if act.role not in rule.roles:
        competent = sorted(rule.roles)
        vi, en = (", ".join(procedure_label(one, language) for one in competent) for language in ("vi", "en"))
        raise Refused(
            "actor-not-competent",
            f"“{procedure_label(action)}” thuộc thẩm quyền của {vi}, không phải {procedure_label(act.role)}.",
            f"“{procedure_label(action, 'en')}” is for {en}, not for {procedure_label(act.role, 'en')}.",
            "role",
            article,
        )
    _check_paper(act, rule, action, article)


def _check_paper(act: Act, rule: ActionRule, action: Action, article: str) -> None:
    kinds = sorted(rule.papers)
    if kinds and (act.paper is None or act.paper.kind not in rule.papers):
        vi, en = (", ".join(procedure_label(one, language) for one in kinds) for language in ("vi", "en"))
        raise Refused(
            "paper-missing",
            f"“{procedure_label(action)}” phải có: {vi}.",
            f"“{procedure_label(action, 'en')}” needs: {en}.",
            "paper",
            article,
        )
    if act.paper is None:
        return
    if kinds and not act.paper.number.strip():
        raise Refused(
            "paper-number-missing",
            f"{procedure_label(act.paper.kind)} thiếu số.",
            f"{procedure_label(act.paper.kind, 'en')} has no number.",
            "paper.number",
            article,
        )
    if act.paper.dated > act.on:
        raise Refused(
            "paper-dated-later",
            f"{procedure_label(act.paper.kind)} đề ngày {act.paper.dated:%d/%m/%Y}, sau ngày thực hiện.",
            f"{procedure_label(act.paper.kind, 'en')} is dated {act.paper.dated.isoformat()}, after the act.",
            "paper.dated",
            article,
        )


def out_of_order(cycle: Cycle, action: Action) -> Refused:
    """The refusal of an act that the present step does not allow."""
    return Refused(
        "step-out-of-order",
        f"Không thể “{procedure_label(action)}” khi đang ở bước “{procedure_label(cycle.step)}”.",
        f"“{procedure_label(action, 'en')}” cannot be done at the step “{procedure_label(cycle.step, 'en')}”.",
        "action",
        cycle.article(TARGET.get(action)),
    )


def get_case(cycle: Cycle, case_id: UUID) -> Case:
    """The case, or the refusal of one that is not in this review."""
    found = cycle.cases.get(case_id)
    if found is None:
        raise Refused(
            "case-unknown",
            "Không có trong danh sách cần rà soát của thôn; nộp giấy đề nghị rà soát nếu muốn được xét.",
            "It is not on the village's list for this review; file a request to be reviewed.",
            "case_id",
            cycle.article(Step.LISTING),
        )
    return found


def case_in(cycle: Cycle, case_id: UUID, action: Action, *states: CaseState) -> Case:
    """The case, if it is in one of these states."""
    case = get_case(cycle, case_id)
    if case.state not in states:
        raise Refused(
            "case-out-of-order",
            f"Không thể “{procedure_label(action)}” khi hồ sơ ở trạng thái “{procedure_label(case.state)}”.",
            f"“{procedure_label(action, 'en')}” cannot be done while the case is"
            f" “{procedure_label(case.state, 'en')}”.",
            "case_id",
            cycle.article(TARGET.get(action)),
        )
    return case


def check_all(cycle: Cycle, action: Action, *states: CaseState) -> tuple[Case, ...]:
    """The active cases, if every one of them is in one of these states."""
    behind = [case for case in cycle.active if case.state not in states]
    if behind:
        vi, en = (procedure_label(behind[0].state, language) for language in ("vi", "en"))
        raise Refused(
            "cases-behind",
            f"Chưa thể “{procedure_label(action)}”: còn {len(behind)} trường hợp ở trạng thái “{vi}”"
            " hoặc trạng thái khác chưa xong.",
            f"“{procedure_label(action, 'en')}” must wait: {len(behind)} cases are still “{en}” or the like.",
            "action",
            cycle.article(TARGET.get(action)),
        )
    return cycle.active


def check_posting_over(cycle: Cycle, on: date) -> None:
    """Refuse what must wait until the results have hung out for all their working days."""
    if cycle.posted_until is None or on <= cycle.posted_until:
        until_vi = f" đến hết ngày {cycle.posted_until:%d/%m/%Y}" if cycle.posted_until else ""
        until_en = f" until the end of {cycle.posted_until.isoformat()}" if cycle.posted_until else ""
        raise Refused(
            "posting-not-over",
            f"Chưa hết thời gian niêm yết công khai {cycle.procedure.posting.days} ngày làm việc{until_vi}.",
            f"The results hang out for {cycle.procedure.posting.days} working days{until_en}.",
            "on",
            cycle.procedure.posting.legal,
        )


def check_taken_down(cycle: Cycle, on: date) -> None:
    """Refuse what comes after posting while the notice still hangs."""
    check_posting_over(cycle, on)
    if cycle.taken_down_on is None:
        raise Refused(
            "notice-not-taken-down",
            "Đã hết thời gian niêm yết nhưng chưa ghi việc kết thúc niêm yết.",
            "The posting is over, but the notice is not yet taken down.",
            "on",
            cycle.procedure.posting.legal,
        )


def check_reason(reason: str, article: str) -> str:
    """The reason, if there is one."""
    text = reason.strip()
    if not text:
        raise Refused("reason-missing", "Phải nêu rõ lý do.", "The reason must be given.", "reason", article)
    return text


def paper_of(act: Act, *kinds: PaperKind) -> bool:
    """Whether the act rests on a paper of one of these kinds."""
    return act.paper is not None and act.paper.kind in kinds
