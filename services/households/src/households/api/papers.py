"""Papers as PDF: a household's certificate, and the notice of a review's results while it may be posted."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import clock, etags, problems
from benvung.db import Conn
from households import actions, store
from households.actions.paper_refusals import NoticeNotFound, NoticeOver, NoticeReplaced, PaperUnavailable
from households.actions.papers import Paper
from households.actions.refusals import HouseholdNotFound, ReviewNotFound
from households.api.downloads import PDF, binary
from households.api.fields import Day, Keys, Purpose, Reader, Shown, VillageCode
from households.papers import PaperNotMade, typeset

router = APIRouter(prefix="/v1", tags=["papers"])

NoticeId = Annotated[uuid.UUID, Path(description="the notice")]
PaperNumber = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9A-Za-zĐđ./-]{1,20}$", description="number; empty = filled in by hand", examples=["15"]
    ),
]


class NoticeShown(Shown):
    """A notice and the days for which it may be posted. Names stand on the paper alone."""

    id: uuid.UUID
    review_id: uuid.UUID
    village: str = Field(examples=["23827.01"])
    number: str | None = Field(examples=["21"])
    posted_on: dt.date = Field(examples=["2023-11-20"])
    posted_until: dt.date = Field(description="the last of its working days", examples=["2023-11-23"])
    over: bool = Field(description="whether those days have passed", examples=[False])
    replaced: bool = Field(description="whether the results were posted again since", examples=[False])
    households: int = Field(examples=[31])


class NoticesShown(Shown):
    """The notices of a village in a review."""

    items: list[NoticeShown]


@router.get(
    "/households/{household_id}/certificate.pdf",
    response_class=Response,
    responses=binary(PDF) | problems.responses(HouseholdNotFound, PaperUnavailable),
)
async def certificate(
    *,
    household_id: Annotated[uuid.UUID, Path(description="our identifier of the household (Mã hệ thống)")],
    principal: Reader,
    conn: Conn,
    vault: Keys,
    purpose: Purpose,
    number: PaperNumber = None,
    issued_on: Annotated[Day | None, Query(description="day of issue; empty = filled in by hand")] = None,
) -> Response:
    """The certificate of a poor or near-poor household (Mẫu số 03). A class without a form is refused by name."""
    paper = await actions.papers.certificate(
        conn, principal, vault, household_id, number=number, issued_on=issued_on, purpose=purpose
    )
    return await _printed(paper, f"certificate-{household_id}.pdf")


@router.get("/reviews/{review_id}/villages/{village}/notices", responses=problems.responses(ReviewNotFound))
async def of_village(
    *,
    review_id: Annotated[uuid.UUID, Path(description="the review")],
    village: Annotated[VillageCode, Path(description="code of the village")],
    principal: Reader,
    conn: Conn,
) -> NoticesShown:
    """The notices of a village's postings, the newest first. Each posting that is recorded makes its own."""
    if await store.reviews.find(conn, review_id, principal.scope()) is None:
        raise ReviewNotFound
    rows = await store.notices.of_village(conn, review_id, village, principal.scope())
    return NoticesShown(items=[_shown(row) for row in rows])


@router.get(
    "/notices/{notice_id}.pdf",
    response_class=Response,
    responses=binary(PDF) | problems.responses(NoticeNotFound, NoticeOver, NoticeReplaced, PaperUnavailable),
)
async def notice_pdf(
    *, notice_id: NoticeId, principal: Reader, conn: Conn, vault: Keys, purpose: Purpose
) -> Response:
    """The notice to print and post: names of heads by list, nothing else. It is gone once its days are over or it is replaced."""
    paper = await actions.papers.notice(conn, principal, vault, notice_id, purpose)
    return await _printed(paper, f"notice-{notice_id}.pdf")


@router.get("/notices/{notice_id}", responses=etags.responses(NoticeNotFound))
async def notice(*, notice_id: NoticeId, principal: Reader, conn: Conn, response: Response) -> NoticeShown:
    """For which days a notice may be posted."""
    found = await _notice(conn, principal, notice_id)
    etags.tag(response, etags.digest(found))
    return found


async def _notice(conn: Conn, principal: Reader, notice_id: uuid.UUID) -> NoticeShown:
    row = await store.notices.find(conn, notice_id, principal.scope())
    if row is None:
        raise NoticeNotFound
    return _shown(row)


def _shown(row: Row[Any]) -> NoticeShown:
    return NoticeShown(
        id=row.id,
        review_id=row.review_id,
        village=row.village,
        number=row.number,
        posted_on=row.posted_on,
        posted_until=row.posted_until,
        over=clock.today() > row.posted_until,
        replaced=row.replaced,
        households=len(row.listed),
    )


async def _printed(paper: Paper, name: str) -> Response:
    try:
        made = await typeset(paper.template, paper.given)
    except PaperNotMade as error:
        raise PaperUnavailable from error
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"}
    return Response(made, media_type=PDF, headers=headers)
