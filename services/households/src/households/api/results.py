"""Results of a review for single households, and a household's decisions."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.vault import Vault
from households import actions, store
from households.actions.form_refusals import FormNotFound
from households.actions.refusals import (
    DecisionNotFound,
    HouseholdElsewhere,
    HouseholdNotFound,
    ReviewClosed,
    ReviewNotFound,
)
from households.api.cause_models import WithCauses, causes_shown
from households.api.fields import (
    CauseCodes,
    CauseText,
    Decider,
    Given,
    Keys,
    Lang,
    Members,
    Name,
    Points,
    PovertyClass,
    Reader,
    ShortText,
    Shown,
)
from households.domain import HouseholdClass, Movement, label

router = APIRouter(prefix="/v1", tags=["decisions"])


class ResultGiven(Given):
    """What a review found for one household. The class is computed, never typed."""

    household_id: uuid.UUID
    members: Members
    b1_points: Points | None = Field(
        default=None, description="total of form B1 (“điểm A”); empty = that of the form", examples=[135]
    )
    b2_points: Points | None = Field(
        default=None, description="total of form B2 (“điểm B”); empty = from the deprivations", examples=[40]
    )
    deprivations: list[ShortText] | None = Field(
        default=None,
        max_length=50,
        description="codes of the deprived indicators of the review's standard",
        examples=[["EMPLOYMENT", "HOUSING_QUALITY", "WATER_SOURCE", "HYGIENIC_TOILET"]],
    )
    form_id: uuid.UUID | None = Field(
        default=None,
        description="a form B that was filled item by item in this review, instead of any points",
        examples=[None],
    )
    causes: CauseCodes | None = None
    cause_text: CauseText | None = None
    reviewer: Name | None = Field(default=None, description="who collected the form")
    declared_class: PovertyClass | None = Field(
        default=None, description="what the form says; compared with the computed class"
    )

    def result(self) -> actions.decisions.Given:
        """The same for the action."""
        return actions.decisions.Given(
            household_id=self.household_id,
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


class DecisionTaken(Shown):
    """A decision as it was just taken, and what holds for the household now."""

    decision_id: uuid.UUID
    household_id: uuid.UUID
    review_id: uuid.UUID
    sequence: int
    stage: str
    decided_class: str = Field(alias="class")
    class_label: str
    previous_class: str | None
    movement: str | None
    movement_label: str | None
    members: int
    b1_points: int
    b2_points: int
    basis: str
    reason: str
    legal: str
    rule_version: str
    declared_class: str | None
    contradicted: bool = Field(description="the form named another class; the computed one holds")
    poverty_class: str | None = Field(description="official class in force")
    class_since: dt.date | None
    revision: int


@router.post(
    "/reviews/{review_id}/results",
    status_code=201,
    responses=problems.responses(
        ReviewNotFound, ReviewClosed, HouseholdNotFound, HouseholdElsewhere, OutsideArea, FormNotFound
    ),
)
async def decide(
    *,
    review_id: Annotated[uuid.UUID, Path()],
    given: ResultGiven,
    principal: Decider,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> DecisionTaken:
    """Record a household's result: it is reclassified, and loans and reports follow by themselves."""
    if once.made:
        shown = await taken_before(conn, principal, once.made, lang)
    else:
        taken = await actions.decisions.decide(conn, principal, vault, review_id, given.result())
        shown = just_taken(review_id, given.declared_class, taken, lang)
    response.headers["Location"] = f"/v1/decisions/{shown.decision_id}"
    return shown


def just_taken(
    review_id: uuid.UUID, declared_class: PovertyClass | None, taken: store.decisions.Taken, lang: Lang
) -> DecisionTaken:
    """The answer to a decision that was taken in this request."""
    outcome, found = taken.outcome, taken.classification
    return DecisionTaken(
        decision_id=taken.decision_id,
        household_id=outcome.state.household_id,
        review_id=review_id,
        sequence=taken.sequence,
        stage=taken.stage,
        decided_class=found.household_class,
        class_label=label(found.household_class, lang),
        previous_class=outcome.previous_class,
        movement=outcome.movement,
        movement_label=outcome.movement and label(outcome.movement, lang),
        members=taken.members,
        b1_points=taken.scores.b1_points,
        b2_points=taken.scores.b2_points,
        basis=taken.scores.basis,
        reason=found.reason_vi if lang == "vi" else found.reason,
        legal=found.legal,
        rule_version=found.rule_version,
        declared_class=declared_class,
        contradicted=declared_class not in {None, found.household_class},
        poverty_class=outcome.state.poverty_class,
        class_since=outcome.state.class_since,
        revision=outcome.state.revision,
    )


async def taken_before(conn: Conn, principal: Principal, decision_id: uuid.UUID, lang: Lang) -> DecisionTaken:
    """The answer to whoever asks again for a decision that was taken."""
    row = await _decided(conn, principal, decision_id)
    now = await store.households.find(conn, row.household_id, principal.scope())
    if now is None:
        raise HouseholdElsewhere(f"/v1/decisions/{decision_id}")
    values = row._asdict()
    return DecisionTaken(
        **{name: values[name] for name in DecisionTaken.model_fields if name in values},
        **_in_words(row, lang),
        movement_label=row.movement and label(Movement(row.movement), lang),
        contradicted=row.declared_class not in {None, values["class"]},
        poverty_class=now.poverty_class,
        class_since=now.class_since,
        revision=now.revision,
    )


class DecisionShown(WithCauses):
    """A decision with all it rests on, so that it can be shown to a citizen and computed again."""

    decision_id: uuid.UUID
    household_id: uuid.UUID
    sequence: int
    review_id: uuid.UUID
    commune: str
    year: int
    kind: str
    stage: str
    standard: str
    decided_class: str = Field(alias="class")
    class_label: str
    previous_class: str | None
    members: int
    previous_members: int | None
    movement: str | None
    b1_points: int
    b2_points: int
    deprivations: list[str] | None
    basis: str
    form_id: uuid.UUID | None = Field(description="the form that was filled item by item, if one was")
    reason: str
    legal: str
    rule_version: str
    declared_class: str | None
    decided_on: dt.date
    valid_from: dt.date
    decision_number: str | None
    reviewer: str | None
    import_id: uuid.UUID | None
    corrects: int | None = Field(description="sequence of the decision in whose place this one stands")
    stands: bool = Field(
        description="false = corrected or annulled since. What stands is shown as it is told now: with the class"
        " and the movement that follow from all that is known"
    )
    recorded_at: dt.datetime


class ChangeShown(Shown):
    """A registration, a move, an arrival, another size, the end of a household, or an annulment."""

    change_id: uuid.UUID
    sequence: int
    kind: str
    on: dt.date
    commune: str
    village: str
    other_commune: str | None
    previous_class: str | None
    movement: str | None
    members: int
    reason: str
    certificate: str | None
    corrects: int | None = Field(description="sequence of the fact in whose place this one stands")
    stands: bool = Field(description="false = corrected or annulled since, or an annulment itself")
    recorded_at: dt.datetime


class HistoryShown(Shown):
    """Everything that was decided on a household and happened to it, oldest first."""

    household_id: uuid.UUID
    decisions: list[DecisionShown]
    changes: list[ChangeShown]


@router.get("/households/{household_id}/decisions", responses=problems.responses(HouseholdNotFound))
async def history(
    *, household_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, vault: Keys, lang: Lang
) -> HistoryShown:
    """A household's decisions and changes. Reading them is recorded."""
    if await store.households.find(conn, household_id, principal.scope()) is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "household.history_read", "household", str(household_id))
    taken = await store.decisions.of_household(conn, household_id)
    changes = await store.decisions.changes_of_household(conn, household_id)
    return HistoryShown(
        household_id=household_id,
        decisions=await _decisions(conn, principal, vault, taken, lang),
        changes=[_change(row) for row in changes],
    )


@router.get("/decisions/{decision_id}", responses=problems.responses(DecisionNotFound))
async def decision(
    *, decision_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, vault: Keys, lang: Lang
) -> DecisionShown:
    """One decision with all it rests on. Reading it is recorded."""
    row = await _decided(conn, principal, decision_id)
    [shown] = await _decisions(conn, principal, vault, [row], lang)
    return shown


async def _decided(conn: Conn, principal: Principal, decision_id: uuid.UUID) -> Row[Any]:
    row = await store.decisions.find(conn, decision_id, principal.scope())
    if row is None:
        raise DecisionNotFound
    detail = {"decision": str(decision_id)}
    household = str(row.household_id)
    await audit.record(conn, principal, "household.decision_read", "household", household, detail)
    return row


async def _decisions(
    conn: Conn, principal: Principal, vault: Vault, rows: Sequence[Row[Any]], lang: Lang
) -> list[DecisionShown]:
    causes = await store.causes.of_rows(conn, vault, rows)
    return [
        _decision(row, vault, lang, causes_shown(principal, causes.get(row.decision_id), lang))
        for row in rows
    ]


def _decision(row: Row[Any], vault: Vault, lang: Lang, causes: dict[str, Any]) -> DecisionShown:
    values = row._asdict()
    return DecisionShown(
        **{
            name: values[name]
            for name in DecisionShown.model_fields
            if name in values and name not in {"reviewer", "deprivations", "cause_text"}
        },
        **causes,
        **_in_words(row, lang),
        form_id=row.inputs.get("form"),
        deprivations=None if row.flags is None else json.loads(vault.open(row.flags)),
        reviewer=None if row.reviewer is None else vault.open(row.reviewer),
    )


def _in_words(row: Row[Any], lang: Lang) -> dict[str, str]:
    decided = row._asdict()["class"]
    return {
        "decided_class": decided,
        "class_label": label(HouseholdClass(decided), lang),
        "reason": row.inputs["reason_vi" if lang == "vi" else "reason"],
        "legal": row.inputs["legal"],
    }


def _change(row: Row[Any]) -> ChangeShown:
    values = row._asdict()
    return ChangeShown(
        **{name: values[name] for name in ChangeShown.model_fields if name in values}, on=row.changed_on
    )
