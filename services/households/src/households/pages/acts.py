"""The form of one act of a village, by the rules of the step it belongs to; recorded by the action of the API."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import ValidationError
from starlette.responses import Response

from benvung import clock
from benvung.forms import Refusal, Sent, Typed, once, wrong
from households import actions, store
from households.actions.refusals import CycleExists
from households.api.cycle_models import StepGiven
from households.api.fields import Consulted, Recorder
from households.domain.cycle import recognitions
from households.domain.cycle.coming import CONCERNS, Coming
from households.domain.cycle.rules import TARGET
from households.domain.procedure_terms import Action, Signatory, Step
from households.pages.acting import Wanted, wanted
from households.pages.frame import Visit, Visited, desk_router, form, page, there
from households.pages.village import Code, Listed, Village, found_village, people

router = desk_router()

ADDRESS = "/reviews/{review_id}/villages/{village}/acts"
OPINION = f"{ADDRESS}/{Action.GIVE_OPINION.value}"
AT_ONCE = frozenset({Action.LIST, Action.SURVEY})
ONE_BY_ONE = frozenset(
    {Action.COMPLAIN, Action.WITHDRAW, Action.ISSUE_CERTIFICATE, Action.REVOKE_CERTIFICATE}
)
REASONED = frozenset({Action.WITHDRAW, Action.REVOKE_CERTIFICATE, Action.GIVE_OPINION})
Case = Annotated[uuid.UUID | None, Query()]


@router.get(OPINION)
async def opinion_page(*, _: Consulted, visit: Visited, review_id: uuid.UUID, village: Code) -> Response:
    """The form of the higher level's opinion."""
    place = await found_village(visit, review_id, village)
    return await _form(visit, place, Action.GIVE_OPINION, Typed(), None)


@router.post(OPINION)
async def opinion(
    *,
    _: Consulted,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    typed: Sent,
) -> Response:
    """Record the opinion."""
    place = await found_village(visit, review_id, village)
    return await _record(visit, place, Action.GIVE_OPINION, typed)


@router.get(f"{ADDRESS}/{{action}}")
async def act_page(
    *,
    _: Recorder,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    action: Action,
    case: Case = None,
) -> Response:
    """The form of an act, with what stands in its way if it must wait."""
    place = await found_village(visit, review_id, village)
    chosen = {"cases": str(case)} if case else {}
    return await _form(visit, place, action, Typed(preset=chosen), None)


@router.post(f"{ADDRESS}/{{action}}")
async def act(
    *,
    _: Recorder,
    visit: Visited,
    review_id: uuid.UUID,
    village: Code,
    action: Action,
    typed: Sent,
) -> Response:
    """Record an act."""
    place = await found_village(visit, review_id, village)
    return await _record(visit, place, action, typed)


async def _record(
    visit: Visit,
    place: Village,
    action: Action,
    typed: Typed,
) -> Response:
    async def record() -> str:
        given = _given(action, typed, place)
        if action is Action.OPEN:
            raise CycleExists
        await actions.cycles.record(
            visit.conn,
            visit.principal,
            visit.vault,
            typed.believed,
            review_id=place.review.id,
            village=place.row.village,
            action=action,
            act=given.act(visit.principal.subject),
            given=given.said(),
        )
        if action is Action.POST:
            return f"{place.address}/posting"
        return f"{place.address}?done={action.value}"

    went = await once(visit.request, visit.conn, typed, record, visit.lang)
    if not isinstance(went, Refusal):
        return there(went)
    # What was refused may have been done by somebody else meanwhile: the form is shown with what holds now.
    now = await found_village(visit, place.review.id, place.row.village)
    return await _form(visit, now, action, typed, went)


_TEXTS = ("present", "agreeing", "copies", "income_months", "reason")


def _given(action: Action, typed: Typed, place: Village) -> StepGiven:
    """The form in the API's words; what it says wrongly is named by its field."""
    values: dict[str, Any] = {"action": action, **Wanted.values(typed)}
    values |= {name: text for name in _TEXTS if (text := typed.text(name))}
    if action in AT_ONCE | ONE_BY_ONE:
        values["cases"] = list(typed.all("cases"))
    values |= {name: list(typed.all(name)) for name in ("signed_by", "returned") if typed.all(name)}
    if typed.text("screened_in"):
        values["screened_in"] = typed.text("screened_in") == "yes"
    if action is Action.SURVEY and place.told.cycle.procedure.income_months:
        values["income_months"] = place.told.cycle.procedure.income_months
    votes = dict(typed.starting("agreeing."))
    if votes:
        values["agreeing_by_case"] = votes
    if typed.all("refused"):
        values["refusals"] = [_answer(typed, case, values["on"]) for case in typed.all("refused")]
    try:
        return StepGiven.model_validate(values)
    except ValidationError as error:
        raise wrong(error) from error


def _answer(typed: Typed, case: str, on: str | None) -> dict[str, Any]:
    paper = {
        "kind": "REFUSAL",
        "number": typed.text(f"refusal.{case}.number"),
        "dated": typed.day(f"refusal.{case}.dated") or on,
    }
    return {"case": case, "paper": paper, "reason": typed.text(f"refusal.{case}.reason")}


async def _form(
    visit: Visit,
    place: Village,
    action: Action,
    typed: Typed,
    refused: Refusal | None,
) -> Response:
    cycle, today = place.told.cycle, clock.today()
    asks = wanted(visit.principal, cycle.procedure, action, (cycle.last_on, today), visit.lang)
    at_hand = next((each for each in place.coming() if each.action is action), None)
    meeting = cycle.procedure.meeting
    preset = {"version": str(place.row.version), **asks.preset, **typed.preset}
    if meeting is not None:
        preset["copies"] = str(meeting.minutes_copies)
    concerned = await _concerned(visit, place, action, at_hand)
    return page(
        visit.request,
        "act.html",
        status=refused.status if refused else 200,
        place=place,
        cycle=cycle,
        action=action,
        asks=asks,
        at_hand=at_hand,
        concerned=concerned,
        several=action in AT_ONCE,
        single=action in ONE_BY_ONE,
        reasoned=action in REASONED,
        signatories=list(Signatory) if action is Action.HOLD_MEETING else [],
        outcomes=_outcomes(place, concerned) if action is Action.RECOGNISE else {},
        version=place.row.version,
        legal=cycle.article(_step_of(action, place)),
        until=cycle.procedure.posted_until(today, place.known.now) if action is Action.POST else None,
        **form(typed, refused, **preset),
    )


def _step_of(action: Action, place: Village) -> Step | None:
    target = TARGET.get(action)
    return target if target in place.told.cycle.procedure.articles else None


async def _concerned(
    visit: Visit,
    place: Village,
    action: Action,
    at_hand: Coming | None,
) -> list[Listed]:
    """Whom the form offers: those not listed yet, those whose state allows the act, or all whom it decides on."""
    review, village = place.review, place.row.village
    if action is Action.LIST:
        rows = await store.desk.to_list(
            visit.conn, review.id, review.commune, village, persons=place.of_persons
        )
        return await people(visit, place, rows)
    if action in CONCERNS:
        ids = {case.case_id for case in at_hand.cases} if at_hand else set()
    elif action in {Action.HOLD_MEETING, Action.GIVE_OPINION, Action.RECOGNISE, Action.POST}:
        ids = {case.case_id for case in place.told.cycle.active}
    else:
        return []
    rows = [row for row in await store.desk.cases(visit.conn, review.id, village) if row.case_id in ids]
    return await people(visit, place, rows)


def _outcomes(place: Village, concerned: Sequence[Listed]) -> dict[uuid.UUID, list[str]]:
    """As what each case would be recognised; nothing means that it is refused in writing."""
    cases = place.told.cycle.cases
    return {
        each.case_id: [one.value for one in recognitions(case.listed_class, case.finding)]
        for each in concerned
        if (case := cases[each.case_id]).finding is not None
    }
