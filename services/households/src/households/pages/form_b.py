"""Entering form B of one household: looked at first, with flags and class that follow, then recorded."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import ValidationError
from starlette.responses import Response

from benvung import clock
from benvung.auth import Principal
from benvung.forms import Refusal, Sent, Typed, once, refusal, wrong
from benvung.pages import catalogue
from households import actions, store
from households.actions.causes import recorded
from households.actions.form_b import Followed, follow, versions
from households.actions.refusals import HouseholdNotFound, ReviewNotFound
from households.actions.simulations import RESTRICTED
from households.api.cycle_models import ActGiven
from households.api.fields import Recorder
from households.domain import Refused
from households.domain.b2_form import FormB2, form_b2
from households.domain.causes import cause_list
from households.domain.cycle import Act, Case
from households.domain.form_b_asked import asked_of, trained_at_work_counts
from households.domain.income import BY_INCOME
from households.domain.lists import code_list
from households.domain.procedure_terms import Action
from households.domain.rosters import roster
from households.domain.score_tables import PointForm, area_columns
from households.pages.acting import Wanted, wanted
from households.pages.form_b_typed import Sheet, filled, how_of, preset
from households.pages.frame import Visit, Visited, desk_router, form, page, there
from households.pages.village import Code, Listed, Village, found_village, people
from households.store.reviews import Review
from households.store.score_tables import Loaded

router = desk_router()

ADDRESS = "/reviews/{review_id}/villages/{village}/forms/{case_id}"
ACTIONS = (Action.SCORE, Action.RECHECK, Action.CORRECT)
Asked = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class Desk:
    """All that the page is about: village, case, household, and the form as it is to be shown."""

    place: Village
    case: Case
    listed: Listed
    action: Action | None
    review: Review
    on: dt.date
    sheet: Sheet
    table_missing: Refused | None
    last: Any


async def _desk(visit: Visit, place: Village, case_id: uuid.UUID, typed: Typed, how: str) -> Desk:
    conn, vault = visit.conn, visit.vault
    rows = [
        row
        for row in await store.desk.cases(conn, place.review.id, place.row.village)
        if row.case_id == case_id
    ]
    case = place.told.cycle.cases.get(case_id)
    if not rows or case is None:
        raise HouseholdNotFound
    (listed,) = await people(visit, place, rows)
    review = await store.reviews.hold(conn, place.review.id)
    if review is None:
        raise ReviewNotFound
    action = next(
        (
            each.action
            for each in place.coming()
            if each.action in ACTIONS and any(one.case_id == case_id for one in each.cases)
        ),
        None,
    )
    on = _day(typed)
    facts = (await store.members.facts_of_many(conn, vault, [listed.household_id])).get(
        listed.household_id, []
    )
    members = roster(facts, on)
    last = place.told.results.get(case_id)
    loaded, missing = await _table(visit, review, on)
    b2 = _b2(review)
    sheet = Sheet(
        members,
        versions(facts),
        loaded,
        [code for code in loaded.table.columns if area_columns()[code].area_type is review.area_type]
        if loaded
        else [],
        b2,
        how_of(last, typed.text("how") or how, answerable=bool(members) and b2 is not None),
        review.procedure in BY_INCOME,
        listed.row.counted,
        recorded(last) if last else None,
        visit.principal.may(RESTRICTED),
    )
    return Desk(place, case, listed, action, review, on, sheet, missing, last)


def _day(typed: Typed) -> dt.date:
    try:
        return min(dt.date.fromisoformat(typed.day("on") or ""), clock.today())
    except ValueError:
        return clock.today()


async def _table(visit: Visit, review: Review, on: dt.date) -> tuple[Loaded | None, Refused | None]:
    try:
        return await actions.forms.score_table(visit.conn, PointForm.FORM_B1, review, on), None
    except Refused as no:
        return None, no


def _b2(review: Review) -> FormB2 | None:
    try:
        return form_b2(review.standard)
    except Refused:
        return None


@router.get(ADDRESS)
async def form_page(
    *,
    _: Recorder,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    case_id: Annotated[uuid.UUID, Path()],
    how: Asked = "",
    on: Asked = "",
) -> Response:
    """The form with what is known of the household, its members and its last result."""
    place = await found_village(visit, review_id, village)
    typed = Typed(preset={"on": on} if on else {})
    desk = await _desk(visit, place, case_id, typed, how)
    return _show(visit, desk, typed, None, None)


@router.post(ADDRESS)
async def enter(
    *,
    principal: Recorder,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    case_id: Annotated[uuid.UUID, Path()],
    typed: Sent,
) -> Response:
    """Show what follows from the form, or record it when that was seen and confirmed."""
    place = await found_village(visit, review_id, village)
    desk = await _desk(visit, place, case_id, typed, "")
    act = Act(principal.subject, min(place.told.cycle.procedure.actions[Action.SCORE].roles), desk.on)
    followed = follow(desk.review, act, filled(desk.sheet, typed)[0])
    # Whoever changes a field and confirms at once has not seen what follows from it.
    if typed.text("step") != "confirm" or typed.text("seen") != _summary(followed):
        return _show(visit, desk, typed, followed, None)

    async def record() -> str:
        action = desk.action
        if action is None:
            raise _out_of_turn()
        made, changes = filled(desk.sheet, typed)
        if changes and not principal.may("households.write"):
            raise _members_not_writable()
        await actions.form_b.enter(
            visit.conn,
            principal,
            visit.vault,
            typed.believed,
            review_id=review_id,
            village=village,
            case=case_id,
            household=desk.listed.household_id,
            state=desk.case.state,
            action=action,
            act=_act(typed, principal),
            filled=made,
            changes=changes,
            reason=typed.text("reason"),
            corrects=desk.case.decisions[-1].number if desk.case.decisions else None,
        )
        return f"{place.address}?done={action.value}#case-{case_id}"

    went = await once(visit.request, visit.conn, typed, record, visit.lang)
    if not isinstance(went, Refusal):
        return there(went)
    now = await found_village(visit, review_id, village)
    desk = await _desk(visit, now, case_id, typed, "")
    return _show(visit, desk, typed, None, went)


def _summary(followed: Followed) -> str:
    """What somebody saw who saw what follows from a form."""
    scores = followed.scores
    if scores is None:
        return str(followed.finding)
    flags = "-" if scores.deprivations is None else ",".join(scores.deprivations)
    return f"{followed.finding} {scores.b1_points} {scores.b2_points} {flags}".strip()


def _act(typed: Typed, principal: Principal) -> Act:
    try:
        return ActGiven.model_validate(Wanted.values(typed)).act(principal.subject)
    except ValidationError as error:
        raise wrong(error) from error


def _out_of_turn() -> Refused:
    return Refused(
        "case-out-of-order",
        "Lúc này không thể ghi kết quả cho hộ này.",
        "No result can be recorded for this household now.",
        "case_id",
    )


def _members_not_writable() -> Refused:
    return Refused(
        "members-not-writable",
        "Phiếu sửa thông tin thành viên, việc này cần quyền ghi sổ hộ.",
        "The form changes what is recorded of members, which needs the permission to write the register.",
        "form",
    )


def _show(
    visit: Visit,
    desk: Desk,
    typed: Typed,
    followed: Followed | None,
    refused: Refusal | None,
) -> Response:
    lang, sheet = visit.lang, desk.sheet
    procedure = desk.place.told.cycle.procedure
    asks = wanted(
        visit.principal,
        procedure,
        desk.action or Action.SCORE,
        (desk.place.told.cycle.last_on, desk.on),
        lang,
    )
    faults: dict[str, str] = {}
    for no in followed.faults if followed else ():
        faults.setdefault(no.field or "form", _in_words(desk, no, lang))
    begins = {"version": str(desk.place.row.version), **asks.preset, **preset(desk.last, sheet)}
    return page(
        visit.request,
        "form_b.html",
        status=refused.status if refused else 200,
        desk=desk,
        place=desk.place,
        sheet=sheet,
        standard=desk.review.standard,
        line=desk.review.standard.b1_thresholds.get(desk.review.area_type),
        asks=asks,
        persons=_persons(desk, typed, lang) if sheet.how == "answers" and not sheet.by_income else [],
        columns=[(code, getattr(area_columns()[code], lang)) for code in sheet.columns],
        causes=[(code, cause.label(lang)) for code, cause in cause_list().causes.items()],
        address=f"{desk.place.address}/forms/{desk.case.case_id}",
        followed=followed if followed and not faults else None,
        summary=_summary(followed) if followed and not faults else "",
        faults=faults,
        no_table=refusal(desk.table_missing, lang).text if desk.table_missing else "",
        **form(typed, refused, **{**begins, **typed.preset}),
    )


def _in_words(desk: Desk, no: Refused, lang: str) -> str:
    """What is missing by the words that stand beside the field, and of whom; other refusals as they are."""
    say, (kind, _, rest) = catalogue.translator("households", lang), (no.field or "").partition(".")
    if no.rule == "member-answer-missing" and kind == "members":
        who, _, attribute = rest.partition(".")
        name = next((one.name for one in desk.sheet.members if str(one.id) == who), "")
        title = getattr(code_list(attribute), f"title_{lang}")
        return say("form_b.member_missing", name=name, what=title.lower())
    if no.rule == "answer-missing" and kind == "b2" and desk.sheet.b2 is not None:
        return say("form_b.answer_missing", what=getattr(desk.sheet.b2.questions[rest], lang))
    return refusal(no, lang).text


def _persons(desk: Desk, typed: Typed, lang: str) -> list[dict[str, Any]]:
    """Whom the form asks about, and what: an attribute that is missing opens the person's part."""
    form_of = desk.sheet.b2
    assert form_of is not None  # answers are asked for by a form
    found = []
    for member in desk.sheet.members:
        asked = asked_of(form_of, member.birth, desk.on)
        lists = [(name, code_list(name)) for name in asked]
        found.append(
            {
                "it": member,
                "age": member.age(desk.on),
                "relation": code_list("relation").label(member.relation, lang),
                "fields": [
                    (name, one.title_vi if lang == "vi" else one.title_en,
                     [(code, one.label(code, lang)) for code in one.codes])
                    for name, one in lists
                ],
                "training": trained_at_work_counts(form_of, member.birth, desk.on),
                "missing": sum(
                    not (typed.text(f"m.{member.id}.{name}") if typed.sent else getattr(member, name))
                    for name in asked
                ),
            }
        )  # fmt: skip
    return found
