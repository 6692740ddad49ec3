"""Reviews of a commune: opened by the standard they declare, listed, closed."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import etags, paging, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from households import actions, store
from households.actions.refusals import (
    CommuneUnknown,
    CyclesUnfinished,
    ImportsUnfinished,
    ReviewClosed,
    ReviewExists,
    ReviewNotFound,
)
from households.api.fields import (
    Area,
    CommuneCode,
    Day,
    Decider,
    Given,
    Reader,
    ShortText,
    Shown,
    Year,
    within,
)
from households.domain import Stage
from households.domain.procedure_terms import ProcedureKind
from households.tables import reviews as table

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

ReviewId = Annotated[uuid.UUID, Path(description="the review")]


class ReviewGiven(Given):
    """A review to be opened."""

    commune: CommuneCode
    year: Year
    kind: ProcedureKind
    stage: Stage
    standard: ShortText | None = Field(
        default=None,
        description="code of the poverty standard; must be declared",
        examples=["STD_2022_2025"],
    )
    decided_on: Day = Field(description="day of the decision that recognises the results")
    valid_from: Day | None = Field(
        default=None, description="day from which the results hold; empty = the day of the decision"
    )
    decision_number: ShortText | None = Field(default=None, examples=["145/QĐ-UBND"])


class ReviewShown(Shown):
    """A review."""

    id: uuid.UUID
    province: str
    commune: str
    area_type: str
    year: int
    kind: str
    stage: str
    standard: str
    decided_on: dt.date
    valid_from: dt.date
    decision_number: str | None
    state: str
    opened_on: dt.date
    closed_on: dt.date | None


def _shown(row: Row[Any]) -> ReviewShown:
    values = row._asdict()
    return ReviewShown(**{name: values[name] for name in ReviewShown.model_fields})


@router.post("", status_code=201, responses=problems.responses(CommuneUnknown, ReviewExists, OutsideArea))
async def open_review(
    *, given: ReviewGiven, principal: Decider, conn: Conn, response: Response, once: OnlyOnce
) -> ReviewShown:
    """Open a review of a commune."""
    review_id = once.made or await actions.reviews.open_review(
        conn,
        principal,
        commune=given.commune,
        year=given.year,
        kind=given.kind,
        stage=given.stage,
        standard=given.standard,
        decided_on=given.decided_on,
        valid_from=given.valid_from,
        decision_number=given.decision_number,
    )
    return await _written(conn, principal, review_id, response)


@router.get("", responses=problems.responses(CursorUnknown))
async def reviews(
    *,
    principal: Reader,
    conn: Conn,
    area: Area = None,
    year: Year | None = None,
    state: Literal["OPEN", "CLOSED"] | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[ReviewShown]:
    """The reviews you may see, by commune."""
    eras = await store.geography.every(conn)
    query = store.registry.reviews_query(within(principal, area), eras, year, state)
    columns = (table.c.commune, table.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    return Page(items=[_shown(row) for row in items], next=following)


@router.get("/{review_id}", responses=etags.responses(ReviewNotFound))
async def review(*, review_id: ReviewId, principal: Reader, conn: Conn, response: Response) -> ReviewShown:
    """One review."""
    found = await _found(conn, principal, review_id)
    etags.tag(response, etags.digest(found))
    return found


@router.post(
    "/{review_id}/closure",
    status_code=201,
    responses=problems.responses(
        ReviewNotFound, ReviewClosed, ImportsUnfinished, CyclesUnfinished, OutsideArea
    ),
)
async def close(
    *, review_id: ReviewId, principal: Decider, conn: Conn, response: Response, once: OnlyOnce
) -> ReviewShown:
    """Close a review: it takes no more results."""
    if once.first:
        await actions.reviews.close_review(conn, principal, review_id)
    return await _written(conn, principal, review_id, response)


async def _written(conn: Conn, principal: Decider, review_id: uuid.UUID, response: Response) -> ReviewShown:
    response.headers["Location"] = f"/v1/reviews/{review_id}"
    return await _found(conn, principal, review_id)


async def _found(conn: Conn, principal: Reader, review_id: uuid.UUID) -> ReviewShown:
    row = await store.reviews.find(conn, review_id, principal.scope())
    if row is None:
        raise ReviewNotFound
    return _shown(row)
