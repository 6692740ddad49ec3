"""Who did what in reviews, when, on which paper: by review, by village, by household."""

import datetime as dt
import json
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, paging, problems
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import store
from households.actions.refusals import CycleNotFound, HouseholdNotFound, ReviewNotFound
from households.api.fields import Keys, Lang, Reader, Shown, VillageCode
from households.domain.procedure_terms import Action, PaperKind, Role, Step, procedure_label
from households.tables import review_entries

router = APIRouter(prefix="/v1", tags=["review steps"])

ReviewId = Annotated[uuid.UUID, Path(description="the review")]
COLUMNS = (review_entries.c.review_id, review_entries.c.village, review_entries.c.number)
IN_TIME = (review_entries.c.on_day, *COLUMNS)


class EntryShown(Shown):
    """One line of the log: who did what, when, on which paper."""

    review_id: uuid.UUID
    village: str = Field(examples=["23827.03"])
    number: int = Field(examples=[7])
    action: Action
    action_label: str = Field(examples=["Họp dân"])
    on: dt.date
    recorded_at: dt.datetime
    actor: str = Field(description="who recorded it", examples=["officer-23827"])
    role: Role
    role_label: str = Field(examples=["Trưởng thôn"])
    paper_kind: PaperKind | None
    paper_number: str | None = Field(examples=["12/BB"])
    paper_dated: dt.date | None
    step_before: Step | None
    step_after: Step
    cases: list[uuid.UUID] = Field(description="households, or members in a review of low-income workers")
    facts: dict[str, str | int] = Field(examples=[{"present": 40, "agreeing": 31, "sent_back": 0}])
    reason: str | None = Field(examples=[None])
    corrects: str | None = Field(examples=[None])


@router.get("/reviews/{review_id}/entries", responses=problems.responses(ReviewNotFound, CursorUnknown))
async def of_review(
    *,
    review_id: ReviewId,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[EntryShown]:
    """The log of the whole review, by village. Reading it is recorded, because it gives reasons."""
    if await store.reviews.find(conn, review_id, principal.scope()) is None:
        raise ReviewNotFound
    await audit.record(conn, principal, "cycle.log_read", "review", str(review_id), {})
    query = store.cycles.entries_query(principal.scope(), review_id, None)
    rows = await store.registry.rows(conn, paging.keyset(query, COLUMNS, after, limit))
    items, following = paging.split(rows, COLUMNS, limit)
    return Page(items=[_entry(row, vault, lang) for row in items], next=following)


@router.get(
    "/reviews/{review_id}/villages/{village}/entries",
    responses=problems.responses(CycleNotFound, CursorUnknown),
)
async def of_village(
    *,
    review_id: ReviewId,
    village: Annotated[VillageCode, Path()],
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[EntryShown]:
    """The village's log, the first line first. Reading it is recorded, because it gives reasons."""
    if await store.cycles.find(conn, review_id, village, principal.scope()) is None:
        raise CycleNotFound
    await audit.record(conn, principal, "cycle.log_read", "review", str(review_id), {"village": village})
    query = store.cycles.entries_query(principal.scope(), review_id, village)
    rows = await store.registry.rows(conn, paging.keyset(query, COLUMNS, after, limit))
    items, following = paging.split(rows, COLUMNS, limit)
    return Page(items=[_entry(row, vault, lang) for row in items], next=following)


@router.get(
    "/households/{household_id}/entries", responses=problems.responses(HouseholdNotFound, CursorUnknown)
)
async def of_household(
    *,
    household_id: Annotated[uuid.UUID, Path()],
    principal: Reader,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[EntryShown]:
    """What was done about a household, or somebody of it, in all its reviews, the earliest day first."""
    if await store.households.find(conn, household_id, principal.scope()) is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "household.steps_read", "household", str(household_id))
    query = store.cycles.entries_of_household(household_id)
    rows = await store.registry.rows(conn, paging.keyset(query, IN_TIME, after, limit))
    items, following = paging.split(rows, IN_TIME, limit)
    return Page(items=[_entry(row, vault, lang) for row in items], next=following)


def _entry(row: Row[Any], vault: Vault, lang: Lang) -> EntryShown:
    private = json.loads(vault.open(row.sealed)) if row.sealed else {}
    action, role = Action(row.action), Role(row.role)
    return EntryShown(
        review_id=row.review_id,
        village=row.village,
        number=row.number,
        action=action,
        action_label=procedure_label(action, lang),
        on=row.on_day,
        recorded_at=row.recorded_at,
        actor=row.actor,
        role=role,
        role_label=procedure_label(role, lang),
        paper_kind=row.paper_kind and PaperKind(row.paper_kind),
        paper_number=row.paper_number,
        paper_dated=row.paper_dated,
        step_before=row.step_before and Step(row.step_before),
        step_after=Step(row.step_after),
        cases=row.cases,
        facts=row.facts,
        reason=private.get("reason"),
        corrects=row.given.get("corrects"),
    )
