"""What was recorded wrongly: a decision is corrected by another one, a decision or a change is annulled."""

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from benvung import problems
from benvung.auth import OutsideArea, Principal, Scope
from benvung.db import Conn
from benvung.idempotency import Once, OnlyOnce
from households import actions, store
from households.actions.corrections import Annulment
from households.actions.form_refusals import FormNotFound
from households.actions.refusals import ChangeNotFound, DecisionNotFound, HouseholdElsewhere
from households.api.fields import (
    CauseCodes,
    CauseText,
    Day,
    Decider,
    Given,
    Keys,
    Lang,
    Members,
    Name,
    Points,
    PovertyClass,
    Reason,
    ShortText,
    Shown,
)
from households.api.results import DecisionTaken, just_taken, taken_before
from households.domain import HouseholdClass
from households.store.decisions import Own

router = APIRouter(prefix="/v1", tags=["decisions"])

DecisionId = Annotated[uuid.UUID, Path(description="the decision that was wrong")]
ChangeId = Annotated[uuid.UUID, Path(description="the change that was recorded by mistake")]


class CorrectionGiven(Given):
    """What a decision should have rested on, and the paper that says so. The class is computed."""

    members: Members
    b1_points: Points | None = Field(
        default=None, description="total of form B1 (“điểm A”); empty = that of the form", examples=[135]
    )
    b2_points: Points | None = Field(
        default=None, description="total of form B2 (“điểm B”); empty = from the deprivations", examples=[40]
    )
    deprivations: list[ShortText] | None = Field(default=None, max_length=50)
    form_id: uuid.UUID | None = Field(
        default=None, description="a form B filled item by item, instead of any points", examples=[None]
    )
    causes: CauseCodes | None = None
    cause_text: CauseText | None = None
    reviewer: Name | None = Field(default=None, description="who collected the form")
    declared_class: PovertyClass | None = None
    decided_on: Day = Field(description="day of the correcting decision; it holds from the day of the first")
    decision_number: ShortText | None = Field(default=None, examples=["151/QĐ-UBND"])
    reason: Reason

    def result(self, household_id: uuid.UUID) -> actions.decisions.Given:
        """The same for the action."""
        return actions.decisions.Given(
            household_id=household_id,
            members=self.members,
            b1_points=self.b1_points,
            b2_points=self.b2_points,
            deprivations=self.deprivations,
            reviewer=self.reviewer,
            declared_class=self.declared_class and HouseholdClass(self.declared_class),
            form_id=self.form_id,
            causes=self.causes,
            cause_text=self.cause_text,
        )


class AnnulmentGiven(Given):
    """Why something recorded counts no more, and the paper that says so."""

    reason: Reason
    decision_number: ShortText | None = Field(default=None, examples=["152/QĐ-UBND"])


class Annulled(Shown):
    """What holds for the household now that something recorded of it counts no more."""

    household_id: uuid.UUID
    status: str
    commune: str
    poverty_class: str | None
    class_since: dt.date | None
    members: int
    revision: int


@router.post(
    "/decisions/{decision_id}/corrections",
    status_code=201,
    responses=problems.responses(DecisionNotFound, HouseholdElsewhere, OutsideArea, FormNotFound),
)
async def correct(
    *,
    decision_id: DecisionId,
    given: CorrectionGiven,
    principal: Decider,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> DecisionTaken:
    """Put another result in the place of a decision. Both stay on record, and what followed is told anew."""
    if once.made:
        shown = await taken_before(conn, principal, once.made, lang)
    else:
        own = Own(given.decided_on, given.decision_number, given.reason)
        review_id, taken = await actions.corrections.correct(
            conn, principal, vault, decision_id, given.result, own=own
        )
        shown = just_taken(review_id, given.declared_class, taken, lang)
    response.headers["Location"] = f"/v1/decisions/{shown.decision_id}"
    return shown


@router.post(
    "/decisions/{decision_id}/annulment",
    status_code=201,
    responses=problems.responses(DecisionNotFound, HouseholdElsewhere, OutsideArea),
)
async def annul_decision(
    *,
    decision_id: DecisionId,
    given: AnnulmentGiven,
    principal: Decider,
    conn: Conn,
    response: Response,
    once: OnlyOnce,
) -> Annulled:
    """Annul a decision: nothing stands in its place, and what followed is told anew."""
    if once.first:
        annulment = Annulment(given.reason, given.decision_number)
        await actions.corrections.annul_decision(conn, principal, decision_id, annulment)
    row = await store.decisions.find(conn, decision_id, principal.scope())
    if row is None:
        raise DecisionNotFound
    response.headers["Location"] = f"/v1/decisions/{decision_id}"
    return await _left_behind(conn, principal, row.household_id, once)


@router.post(
    "/changes/{change_id}/annulment",
    status_code=201,
    responses=problems.responses(ChangeNotFound, HouseholdElsewhere, OutsideArea),
)
async def annul_change(
    *,
    change_id: ChangeId,
    given: AnnulmentGiven,
    principal: Decider,
    conn: Conn,
    response: Response,
    once: OnlyOnce,
) -> Annulled:
    """Annul a move, an arrival, a change of size or an end that was recorded by mistake."""
    if once.first:
        annulment = Annulment(given.reason, given.decision_number)
        await actions.corrections.annul_change(conn, principal, change_id, annulment)
    row = await store.decisions.find_change(conn, change_id, principal.scope())
    if row is None:
        raise ChangeNotFound
    response.headers["Location"] = f"/v1/households/{row.household_id}"
    return await _left_behind(conn, principal, row.household_id, once)


async def _left_behind(conn: Conn, principal: Principal, household_id: uuid.UUID, once: Once) -> Annulled:
    scope = Scope(None) if once.first else principal.scope()
    row = await store.households.find(conn, household_id, scope)
    if row is None:
        raise HouseholdElsewhere(f"/v1/households/{household_id}")
    values = row._asdict()
    found = {name: values[name] for name in Annulled.model_fields if name in values}
    return Annulled(household_id=household_id, **found)
