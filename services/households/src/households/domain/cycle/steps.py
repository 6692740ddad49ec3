"""What is done for a whole village: opening, the list, the meeting, posting, the opinion of the higher level."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

from households.domain.cycle.rules import (
    check_act,
    check_actor,
    check_all,
    check_posting_over,
    check_reason,
    check_taken_down,
    get_case,
    out_of_order,
)
from households.domain.cycle.state import Act, Case, Cycle, Moved, moved
from households.domain.procedure_terms import (
    Action,
    CaseState,
    DeadlineCode,
    Signatory,
    Step,
    procedure_label,
)
from households.domain.procedures import Meeting, Procedure, deadline, review_deadlines
from households.domain.terms import Refused
from households.domain.workdays import WorkCalendar


def open_cycle(
    procedure: Procedure,
    act: Act,
    calendar: WorkCalendar,
    *,
    review_id: UUID,
    place: str,
    year: int,
    month: int | None = None,
) -> Moved:
    """Open a review in a village. The annual one begins on 1 September; a monthly one takes requests before."""
    first = procedure.first_day(year, month)
    if not procedure.valid_from <= first <= procedure.valid_to:
        raise Refused(
            "procedure-not-in-force",
            f"Quy trình {procedure.version} không áp dụng cho kỳ rà soát bắt đầu ngày {first:%d/%m/%Y}.",
            f"Procedure {procedure.version} does not hold for a review that begins on {first.isoformat()}.",
            "year",
            procedure.legal,
        )
    check_actor(procedure, act, Action.OPEN, procedure.articles[Step.LISTING])
    if procedure.begin_month is not None:
        _check_begun(procedure, act, year, month)
    cycle = Cycle(review_id, place, procedure, year, month, Step.LISTING, act.on)
    deadlines = review_deadlines(procedure, act.on, calendar, year=year, month=month)
    return moved(cycle, act, Action.OPEN, opened=deadlines)


def close_list(cycle: Cycle, act: Act) -> Moved:
    """Close the list: from here on the survey runs. A monthly review begins on its day, not before."""
    check_act(cycle, act, Action.CLOSE_LIST)
    _check_begun(cycle.procedure, act, cycle.year, cycle.month)
    if not cycle.active and not cycle.procedure.empty_list:
        raise Refused(
            "list-empty",
            "Chưa có ai đề nghị nên không có gì để rà soát.",
            "Nobody filed a request, so there is nothing to review.",
            "action",
            cycle.article(Step.LISTING),
        )
    facts = {"listed": len(cycle.active)}
    return moved(cycle, act, Action.CLOSE_LIST, step=Step.SURVEY, facts=facts, surveys=cycle.surveys + 1)


def call_meeting(cycle: Cycle, act: Act) -> Moved:
    """The survey is done for everybody: the village is called to a meeting."""
    check_act(cycle, act, Action.CALL_MEETING)
    check_all(cycle, Action.CALL_MEETING, CaseState.SCORED, CaseState.MEETING_AGREED)
    return moved(cycle, act, Action.CALL_MEETING, step=Step.MEETING)


def hold_meeting(
    cycle: Cycle,
    act: Act,
    *,
    present: int,
    agreeing: int,
    agreeing_by_case: Mapping[UUID, int] | None = None,
    copies: int,
    signed_by: Collection[Signatory],
) -> Moved:
    """The village's opinion. What fewer than half of those present agree to goes back to the survey.

    `agreeing_by_case` names the results that had a vote of their own; the others have `agreeing`.
    """
    check_act(cycle, act, Action.HOLD_MEETING)
    rules, article = cycle.procedure.meeting, cycle.article(Step.MEETING)
    assert rules is not None, "a procedure with a meeting has its rules"
    waiting = cycle.in_state(CaseState.SCORED)
    if cycle.active and not waiting:
        raise Refused(
            "meeting-held",
            "Cuộc họp dân đã thống nhất tất cả kết quả.",
            "The meeting has agreed to every result already.",
            "action",
            article,
        )
    votes = dict(agreeing_by_case or {})
    for case_id in votes:
        get_case(cycle, case_id)
    _check_counts(present, [agreeing, *votes.values()], article)
    _check_minutes(rules, copies, signed_by, article)
    after = [_after_vote(case, votes.get(case.case_id, agreeing), present, rules) for case in waiting]
    back = [case for case in after if case.state is CaseState.SENT_BACK]
    failed = bool(back) or (not after and not _agreed(agreeing, present, rules))
    return moved(
        cycle,
        act,
        Action.HOLD_MEETING,
        step=Step.SURVEY if failed else Step.MEETING,
        cases=after,
        facts={"present": present, "agreeing": agreeing, "sent_back": len(back), "copies": copies},
        meetings=cycle.meetings + 1,
        meetings_failed=cycle.meetings_failed + failed,
        surveys=cycle.surveys + failed,
    )


def post(cycle: Cycle, act: Act, calendar: WorkCalendar) -> Moved:
    """Hang the results out: after the meeting, or again after a re-check. A new notice replaces the old one."""
    check_act(cycle, act, Action.POST)
    fits = {
        Step.SURVEY: cycle.procedure.meeting is None,
        Step.MEETING: bool(cycle.active) or cycle.meetings > cycle.meetings_failed,
        Step.RECHECK: cycle.procedure.posted_again,
    }
    if not fits[cycle.step]:
        raise out_of_order(cycle, Action.POST)
    again = cycle.step is Step.RECHECK
    if again:
        check_all(cycle, Action.POST, CaseState.POSTED, CaseState.RECHECKED)
        hung = cycle.in_state(CaseState.RECHECKED)
    else:
        ready = CaseState.SCORED if cycle.procedure.meeting is None else CaseState.MEETING_AGREED
        hung = check_all(cycle, Action.POST, ready)
    until = cycle.procedure.posted_until(act.on, calendar)
    take_down = deadline(
        cycle.procedure, DeadlineCode.TAKE_DOWN, until, calendar, year=cycle.year, month=cycle.month
    )
    return moved(
        cycle,
        act,
        Action.POST,
        step=Step.POSTING,
        cases=[replace(case, state=CaseState.POSTED, posted_until=until) for case in hung],
        facts={"until": until.isoformat()},
        done=[(DeadlineCode.TAKE_DOWN, None)],
        opened=[take_down],
        postings=cycle.postings + 1,
        posted_until=until,
        taken_down_on=None,
    )


def end_posting(cycle: Cycle, act: Act) -> Moved:
    """Take the notice down, once its working days are over."""
    check_act(cycle, act, Action.END_POSTING)
    check_posting_over(cycle, act.on)
    if cycle.taken_down_on is not None:
        raise Refused(
            "notice-taken-down",
            f"Đã kết thúc niêm yết ngày {cycle.taken_down_on:%d/%m/%Y}.",
            f"The notice was taken down on {cycle.taken_down_on.isoformat()}.",
            "action",
            cycle.procedure.posting.legal,
        )
    return moved(cycle, act, Action.END_POSTING, done=[(DeadlineCode.TAKE_DOWN, None)], taken_down_on=act.on)


def ask_opinion(cycle: Cycle, act: Act, calendar: WorkCalendar) -> Moved:
    """The chair of the commune reports and asks: the district's chair until 30/06/2025, then the province's."""
    check_act(cycle, act, Action.ASK_OPINION)
    check_taken_down(cycle, act.on)
    cases = check_all(cycle, Action.ASK_OPINION, CaseState.POSTED)
    starts = deadline(
        cycle.procedure, DeadlineCode.OPINION, act.on, calendar, year=cycle.year, month=cycle.month
    )
    return moved(
        cycle,
        act,
        Action.ASK_OPINION,
        step=Step.CONSULT,
        cases=[replace(case, state=CaseState.PROPOSED) for case in cases],
        facts={"authority": cycle.procedure.consult_authority(act.on).value},
        opened=[starts],
    )


def give_opinion(cycle: Cycle, act: Act, *, returned: Collection[UUID] = (), reason: str = "") -> Moved:
    """The higher level agrees, or returns cases: those go through survey, meeting and posting again.

    Who answers is who has the power on the day of the answer, whoever was asked.
    """
    check_act(cycle, act, Action.GIVE_OPINION)
    article = cycle.article(Step.CONSULT)
    authority = cycle.procedure.consult_authority(act.on)
    if act.role is not authority:
        raise Refused(
            "authority-wrong",
            f"Ngày {act.on:%d/%m/%Y}, thẩm quyền cho ý kiến là {procedure_label(authority)}.",
            f"On {act.on.isoformat()} the opinion is given by the {procedure_label(authority, 'en')}.",
            "role",
            article,
        )
    if cycle.opinion is not None:
        raise Refused("opinion-given", "Đã có ý kiến.", "The opinion was given already.", "action", article)
    done = [(DeadlineCode.OPINION, None)]
    if not returned:
        return moved(cycle, act, Action.GIVE_OPINION, done=done, facts={"returned": 0}, opinion=True)
    text = check_reason(reason, article)
    back = {get_case(cycle, case_id).case_id for case_id in returned}
    cases = [
        replace(case, state=CaseState.SENT_BACK, sent_back=case.sent_back + 1)
        if case.case_id in back
        else replace(case, state=CaseState.MEETING_AGREED)
        for case in cycle.in_state(CaseState.PROPOSED)
    ]
    if not back & {case.case_id for case in cases}:
        raise out_of_order(cycle, Action.GIVE_OPINION)
    return moved(
        cycle,
        act,
        Action.GIVE_OPINION,
        step=Step.SURVEY,
        cases=cases,
        facts={"returned": len(back), "reason": text},
        done=done,
        opinions_against=cycle.opinions_against + 1,
        surveys=cycle.surveys + 1,
    )


def _check_begun(procedure: Procedure, act: Act, year: int, month: int | None) -> None:
    first = procedure.first_day(year, month)
    if act.on < first:
        raise Refused(
            "review-not-begun",
            f"Kỳ rà soát bắt đầu từ ngày {first:%d/%m/%Y}.",
            f"The review begins on {first.isoformat()}.",
            "on",
            procedure.legal,
        )


def _agreed(agreeing: int, present: int, rules: Meeting) -> bool:
    return agreeing * 100 >= rules.agree_percent * present


def _after_vote(case: Case, agreeing: int, present: int, rules: Meeting) -> Case:
    if _agreed(agreeing, present, rules):
        return replace(case, state=CaseState.MEETING_AGREED)
    return replace(case, state=CaseState.SENT_BACK, sent_back=case.sent_back + 1)


def _check_counts(present: int, agreeing: Collection[int], article: str) -> None:
    if present < 1 or any(not 0 <= count <= present for count in agreeing):
        raise Refused(
            "votes-wrong",
            f"Số người thống nhất phải từ 0 đến số người tham dự ({present}), và phải có người tham dự.",
            f"Between 0 and all of those present ({present}) can agree, and somebody must be present.",
            "agreeing",
            article,
        )


def _check_minutes(rules: Meeting, copies: int, signed_by: Collection[Signatory], article: str) -> None:
    missing = rules.signed_by - set(signed_by)
    if copies < rules.minutes_copies or missing:
        vi, en = (
            ", ".join(procedure_label(one, language) for one in sorted(rules.signed_by))
            for language in ("vi", "en")
        )
        raise Refused(
            "minutes-incomplete",
            f"Biên bản họp dân lập thành {rules.minutes_copies:02} bản, có chữ ký của: {vi}.",
            f"The minutes are made in {rules.minutes_copies} copies and signed by: {en}.",
            "signed_by",
            article,
        )
