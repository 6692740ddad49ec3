"""How long data are kept, what is due, and requests to erase with their answers."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, clock, paging, problems
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from households import actions, store
from households.actions.erasure_refusals import (
    ErasureSettled,
    ErasureSubjectNotFound,
    PeriodNotFound,
    RequestNotFound,
)
from households.actions.erasures import About
from households.api.fields import (
    NO_CONTROLS,
    Area,
    Day,
    Given,
    Keys,
    Lang,
    LawLoader,
    Name,
    Reader,
    ShortText,
    Shown,
    Writer,
    within,
)
from households.domain.retention import Subject, check_ground, kept_until, period_on, subject_words
from households.store.holidays import Document
from households.tables import erasure_requests as table

router = APIRouter(prefix="/v1", tags=["privacy"])

Eraser = Annotated[Principal, Depends(require("data.erase"))]
SubjectCode = Literal["HOUSEHOLD", "MEMBER", "IMPORT"]
RequestId = Annotated[uuid.UUID, Path(description="the request")]


class PeriodDocumentGiven(Given):
    """The document that says how long."""

    number: ShortText = Field(examples=["15/QĐ-MẪU"])
    dated: Day = Field(examples=["2022-12-19"])
    issuer: Name = Field(examples=["Cơ quan ban hành"])


class PeriodGiven(Given):
    """For how many months something is kept after its end, and from which day on this holds."""

    subject: SubjectCode = Field(examples=["HOUSEHOLD"])
    months: int = Field(ge=0, le=1200, examples=[120])
    valid_from: Day = Field(examples=["2023-01-01"])
    document: PeriodDocumentGiven


class PeriodShown(Shown):
    """A period as it was loaded."""

    id: uuid.UUID
    subject: str = Field(examples=["HOUSEHOLD"])
    subject_label: str = Field(examples=["Hộ đã thôi thuộc sổ quản lý"])
    months: int = Field(examples=[120])
    valid_from: dt.date
    source: str = Field(examples=["15/QĐ-MẪU (19/12/2022), Cơ quan ban hành"])
    loaded_by: str = Field(examples=["officer-vn"])
    recorded_at: dt.datetime


class PeriodsShown(Shown):
    """Every period that was loaded; a subject without one refuses as `retention-period-missing`."""

    items: list[PeriodShown]


class DueShown(Shown):
    """Something that was kept long enough. Nobody is named."""

    subject: str = Field(examples=["HOUSEHOLD"])
    household_id: uuid.UUID | None
    member_id: uuid.UUID | None
    import_id: uuid.UUID | None
    commune: str = Field(examples=["23827"])
    ended_on: dt.date
    due_since: dt.date


class RequestGiven(Given):
    """What is to be erased, why, and the paper that asks for it."""

    cause: Literal["SUBJECT_REQUEST", "RETENTION"] = Field(
        description="the person concerned asked, or the time of keeping is over", examples=["SUBJECT_REQUEST"]
    )
    subject: SubjectCode = Field(examples=["HOUSEHOLD"])
    household_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None
    import_id: uuid.UUID | None = None
    received_on: Day = Field(examples=["2024-01-15"])
    paper_number: ShortText = Field(examples=["02/ĐYC"])
    paper_dated: Day = Field(examples=["2024-01-15"])
    words: str | None = Field(
        default=None, max_length=1000, pattern=NO_CONTROLS, description="what was asked; kept sealed"
    )

    def about(self) -> About:
        """The same for the actions."""
        return About(Subject(self.subject), self.household_id, self.member_id, self.import_id)


class ErasureGiven(Given):
    """The decision to erase."""

    decision_number: ShortText = Field(examples=["41/QĐ-UBND"])


class RefusalGiven(Given):
    """The decision not to, with its ground."""

    decision_number: ShortText = Field(examples=["42/CV-UBND"])
    ground: str = Field(pattern=r"^[A-Z_]{1,40}$", examples=["KEPT_BY_LAW"])


class RequestShown(Shown):
    """A request to erase and its answer. What was asked in words is not shown, and is erased with the rest."""

    id: uuid.UUID
    cause: str = Field(examples=["SUBJECT_REQUEST"])
    subject: str = Field(examples=["HOUSEHOLD"])
    household_id: uuid.UUID | None
    member_id: uuid.UUID | None
    import_id: uuid.UUID | None
    commune: str = Field(examples=["23827"])
    received_on: dt.date
    paper_number: str = Field(examples=["02/ĐYC"])
    paper_dated: dt.date
    recorded_by: str = Field(examples=["officer-23827"])
    recorded_at: dt.datetime
    state: str = Field(examples=["ASKED"])
    ground: str | None = Field(examples=[None])
    ground_label: str | None = Field(examples=[None])
    decided_on: dt.date | None
    decided_by: str | None = Field(examples=[None])
    decision_number: str | None = Field(examples=[None])


@router.get("/retention-periods")
async def periods(*, principal: Reader, conn: Conn, lang: Lang) -> PeriodsShown:
    """How long what is kept, each with its document; the newest that holds on a day counts."""
    del principal
    return PeriodsShown(items=[_period(row, lang) for row in await store.retention.loads(conn)])


@router.post("/retention-periods", status_code=201, responses=problems.responses(OutsideArea))
async def load_period(
    *, given: PeriodGiven, principal: LawLoader, conn: Conn, lang: Lang, response: Response, once: OnlyOnce
) -> PeriodShown:
    """Load a period from its document. Until there is one, nothing of its subject is erased."""
    document = Document(given.document.number, given.document.dated, given.document.issuer)
    period_id = once.made or await actions.erasures.load_period(
        conn,
        principal,
        subject=Subject(given.subject),
        months=given.months,
        valid_from=given.valid_from,
        document=document,
    )
    response.headers["Location"] = f"/v1/retention-periods/{period_id}"
    return await _loaded(conn, period_id, lang)


@router.get("/retention-periods/{period_id}", responses=problems.responses(PeriodNotFound))
async def period(
    *, period_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, lang: Lang
) -> PeriodShown:
    """One load, whether it still counts or not."""
    del principal
    return await _loaded(conn, period_id, lang)


@router.get("/retention/due", responses=problems.responses(CursorUnknown))
async def due(
    *,
    principal: Writer,
    conn: Conn,
    subject: Annotated[SubjectCode, Query(description="of what")],
    area: Area = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DueShown]:
    """What was kept long enough and is not erased yet, by the period in force. Refused while none is loaded."""
    of, today = Subject(subject), clock.today()
    in_force = period_on(await store.retention.periods(conn), of, today)
    query = store.retention.due_query(of, in_force, today, within(principal, area)).subquery("due")
    columns = (query.c.commune, query.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query.select(), columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    about = audit.About("household", (row.household_id for row in items if row.household_id))
    detail = {"subject": subject, "rows": len(items)}
    await audit.record(conn, principal, "retention.due_listed", "area", area or "*", detail, about=about)
    return Page(
        items=[
            DueShown(
                subject=subject,
                household_id=row.household_id,
                member_id=row.member_id,
                import_id=row.import_id,
                commune=row.commune,
                ended_on=row.ended_on,
                due_since=kept_until(in_force, row.ended_on),
            )
            for row in items
        ],
        next=following,
    )


@router.post("/erasure-requests", status_code=201, responses=problems.responses(ErasureSubjectNotFound))
async def ask(
    *,
    given: RequestGiven,
    principal: Writer,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> RequestShown:
    """Record that erasing was asked for. While it waits for its answer, asking again is the same request."""
    request_id = once.made or await actions.erasures.ask(
        conn,
        principal,
        vault,
        given.about(),
        cause=given.cause,
        received_on=given.received_on,
        paper_number=given.paper_number,
        paper_dated=given.paper_dated,
        words=given.words,
    )
    response.headers["Location"] = f"/v1/erasure-requests/{request_id}"
    return await _request(conn, principal, request_id, lang)


@router.get("/erasure-requests", responses=problems.responses(CursorUnknown))
async def requests(
    *,
    principal: Writer,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    state: Annotated[Literal["ASKED", "ERASED", "REFUSED"] | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RequestShown]:
    """The requests of your area and their answers."""
    query = store.retention.requests_query(within(principal, area), state)
    columns = (table.c.commune, table.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    return Page(items=[_shown(row, lang) for row in items], next=following)


@router.get("/erasure-requests/{request_id}", responses=problems.responses(RequestNotFound))
async def request(*, request_id: RequestId, principal: Writer, conn: Conn, lang: Lang) -> RequestShown:
    """One request and its answer."""
    return await _request(conn, principal, request_id, lang)


@router.post(
    "/erasure-requests/{request_id}/erasure",
    status_code=201,
    responses=problems.responses(RequestNotFound, ErasureSettled, ErasureSubjectNotFound),
)
async def erase(
    *,
    request_id: RequestId,
    given: ErasureGiven,
    principal: Eraser,
    conn: Conn,
    vault: Keys,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> RequestShown:
    """Erase, for good. Refused by name while no period is loaded, the data are in use, or the time is not over."""
    if once.first:
        await actions.erasures.erase(
            conn, principal, vault, request_id, decision_number=given.decision_number
        )
    response.headers["Location"] = f"/v1/erasure-requests/{request_id}"
    return await _request(conn, principal, request_id, lang)


@router.post(
    "/erasure-requests/{request_id}/refusal",
    status_code=201,
    responses=problems.responses(RequestNotFound, ErasureSettled),
)
async def refuse(
    *,
    request_id: RequestId,
    given: RefusalGiven,
    principal: Eraser,
    conn: Conn,
    lang: Lang,
    response: Response,
    once: OnlyOnce,
) -> RequestShown:
    """Answer a request with no, on one of the grounds."""
    if once.first:
        await actions.erasures.refuse(
            conn, principal, request_id, ground=given.ground, decision_number=given.decision_number
        )
    response.headers["Location"] = f"/v1/erasure-requests/{request_id}"
    return await _request(conn, principal, request_id, lang)


async def _loaded(conn: Conn, period_id: uuid.UUID, lang: Lang) -> PeriodShown:
    for row in await store.retention.loads(conn):
        if row.id == period_id:
            return _period(row, lang)
    raise PeriodNotFound


def _period(row: Row[Any], lang: Lang) -> PeriodShown:
    return PeriodShown(
        id=row.id,
        subject=row.subject,
        subject_label=subject_words(Subject(row.subject))[lang],
        months=row.months,
        valid_from=row.valid_from,
        source=str(Document(row.document_number, row.document_dated, row.document_issuer)),
        loaded_by=row.loaded_by,
        recorded_at=row.recorded_at,
    )


async def _request(conn: Conn, principal: Principal, request_id: uuid.UUID, lang: Lang) -> RequestShown:
    row = await store.retention.request(conn, request_id, principal.scope())
    if row is None:
        raise RequestNotFound
    return _shown(row, lang)


def _shown(row: Row[Any], lang: Lang) -> RequestShown:
    values = row._asdict()
    return RequestShown(
        **{name: values[name] for name in RequestShown.model_fields if name in values},
        ground_label=row.ground and check_ground(row.ground)[lang],
    )
