"""A review in its villages: where each stands, who did what on which paper, and the next step."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import Row

from benvung import etags, paging, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.etags import Believed, IfMatch
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.vault import Vault
from households import actions, store
from households.actions.form_refusals import FormNotFound
from households.actions.refusals import (
    CapacityNotHeld,
    CycleChanged,
    CycleExists,
    CycleNotFound,
    HouseholdNotFound,
    ImportsUnfinished,
    MemberNotFound,
    ReviewClosed,
    ReviewNotFound,
    VillageUnknown,
)
from households.api.cycle_models import CaseShown, OpeningGiven, OpinionGiven, ProgressShown, StepGiven
from households.api.fields import (
    Consulted,
    Keys,
    Lang,
    Reader,
    Recorder,
    VillageCode,
)
from households.domain import Stage
from households.domain.procedure_terms import (
    Action,
    CaseState,
    Step,
    procedure_label,
)
from households.tables import review_cases, review_villages

router = APIRouter(prefix="/v1/reviews/{review_id}/villages", tags=["review steps"])

ReviewId = Annotated[uuid.UUID, Path(description="the review")]
Village = Annotated[VillageCode, Path()]


def _progress(row: Row[Any], lang: Lang) -> ProgressShown:
    state = Step(row.state)
    return ProgressShown(**row._asdict() | {"state": state}, state_label=procedure_label(state, lang))


@router.post(
    "",
    status_code=201,
    responses=problems.responses(
        ReviewNotFound,
        ReviewClosed,
        VillageUnknown,
        CycleExists,
        ImportsUnfinished,
        OutsideArea,
        CapacityNotHeld,
    ),
)
async def open_village(
    *,
    review_id: ReviewId,
    given: OpeningGiven,
    principal: Recorder,
    conn: Conn,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> ProgressShown:
    """Begin the review in a village. From then on its results come from recognition alone."""
    if once.first:
        act = given.act(principal.subject)
        await actions.cycles.open_village(
            conn, principal, review_id, village=given.village, act=act, month=given.month
        )
    response.headers["Location"] = f"/v1/reviews/{review_id}/villages/{given.village}"
    return await _found(conn, principal, review_id, given.village, lang=lang, response=response)


@router.get("", responses=problems.responses(CursorUnknown))
async def progress(
    *,
    review_id: ReviewId,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[ProgressShown]:
    """Where each village of the review stands."""
    columns = (review_villages.c.village,)
    query = paging.keyset(store.cycles.villages_query(principal.scope(), review_id), columns, after, limit)
    rows, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[_progress(row, lang) for row in rows], next=following)


@router.get("/{village}", responses=etags.responses(CycleNotFound))
async def village(
    *, review_id: ReviewId, village: Village, principal: Reader, conn: Conn, lang: Lang, response: Response
) -> ProgressShown:
    """Where one village stands. The ETag is what a step is recorded against."""
    return await _found(conn, principal, review_id, village, lang=lang, response=response)


STEP_REFUSALS = problems.responses(
    ReviewNotFound,
    ReviewClosed,
    CycleNotFound,
    CycleExists,
    CycleChanged,
    HouseholdNotFound,
    MemberNotFound,
    FormNotFound,
    OutsideArea,
    CapacityNotHeld,
)


@router.post("/{village}/entries", status_code=201, responses=STEP_REFUSALS)
async def step(
    *,
    review_id: ReviewId,
    village: Village,
    given: StepGiven,
    principal: Recorder,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    believed: IfMatch,
    response: Response,
    once: OnlyOnce,
) -> ProgressShown:
    """Record the next step. What the law does not allow now is refused by name, with its article.

    Acts of the commune's chair take `reviews.decide` too, an opinion takes `reviews.opine` and the whole area
    of whoever gives it.
    """
    if once.first:
        await _record(conn, principal, vault, believed, review_id=review_id, village=village, given=given)
    response.headers["Location"] = f"/v1/reviews/{review_id}/villages/{village}"
    return await _found(conn, principal, review_id, village, lang=lang, response=response)


@router.post("/{village}/opinions", status_code=201, responses=STEP_REFUSALS)
async def opinion(
    *,
    review_id: ReviewId,
    village: Village,
    given: OpinionGiven,
    principal: Consulted,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    believed: IfMatch,
    response: Response,
    once: OnlyOnce,
) -> ProgressShown:
    """Record the higher level's opinion: the district's chair until 30/06/2025, the province's since."""
    if once.first:
        said = StepGiven(action=Action.GIVE_OPINION, **given.model_dump())
        await _record(conn, principal, vault, believed, review_id=review_id, village=village, given=said)
    response.headers["Location"] = f"/v1/reviews/{review_id}/villages/{village}"
    return await _found(conn, principal, review_id, village, lang=lang, response=response)


async def _record(
    conn: Conn,
    principal: Principal,
    vault: Vault,
    believed: Believed,
    *,
    review_id: uuid.UUID,
    village: str,
    given: StepGiven,
) -> None:
    if given.action is Action.OPEN:
        raise CycleExists
    await actions.cycles.record(
        conn,
        principal,
        vault,
        believed,
        review_id=review_id,
        village=village,
        action=given.action,
        act=given.act(principal.subject),
        given=given.said(),
    )


@router.get("/{village}/cases", responses=problems.responses(CycleNotFound, CursorUnknown))
async def cases(
    *,
    review_id: ReviewId,
    village: Village,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    state: CaseState | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[CaseShown]:
    """The village's households, or workers, with their states. Nobody is named."""
    if await store.cycles.find(conn, review_id, village, principal.scope()) is None:
        raise CycleNotFound
    columns = (review_cases.c.case_id,)
    query = paging.keyset(store.cycles.cases_query(review_id, village, state), columns, after, limit)
    rows, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    return Page(items=[_case(row, lang) for row in rows], next=following)


def _case(row: Row[Any], lang: Lang) -> CaseShown:
    stage = Stage.OFFICIAL if row.decision_number else Stage.PRELIMINARY
    values = row._asdict() | {"state": CaseState(row.state), "stage": stage if row.finding else None}
    return CaseShown(
        **{name: values[name] for name in CaseShown.model_fields if name in values},
        state_label=procedure_label(values["state"], lang),
    )


async def _found(
    conn: Conn, principal: Reader, review_id: uuid.UUID, village: str, *, lang: Lang, response: Response
) -> ProgressShown:
    row = await store.cycles.find(conn, review_id, village, principal.scope())
    if row is None:
        raise CycleNotFound
    etags.tag(response, row.version, lang)
    return _progress(row, lang)
