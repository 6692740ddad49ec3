"""The audit over HTTP: what is recorded of a thing, and the newest seal to be noted elsewhere."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from benvung import audit, problems
from benvung.audit import reading
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Auditor = Annotated[Principal, Depends(require("audit.read"))]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Entry(BaseModel):
    """One row of the audit. It names people and things by their ids."""

    id: int
    recorded_at: dt.datetime
    principal: str = Field(description="who: the id at the sign-in provider, or a part of the system")
    action: str
    entity: str = Field(description="kind of the thing that the row is of")
    entity_id: str
    request_id: str | None = Field(description="id under which the request is found in the logs")
    detail: dict[str, Any] | None
    seal: int | None = Field(description="its number in the chain; null = not sealed yet")


class NewestSeal(BaseModel):
    """The end of the chain. Noted outside, it shows later whether everything up to it is as it was."""

    number: int = Field(description="how many rows are sealed")
    seal: str | None = Field(description="hexadecimal; null = nothing is sealed yet")
    anchor: str | None = Field(description="NUMBER:SEAL, as `audit verify --anchor` takes it")
    sealed_at: dt.datetime | None
    waiting: int = Field(description="rows that wait to be sealed")


@router.get("", responses=problems.responses(CursorUnknown, OutsideArea))
async def entries(
    *,
    request: Request,
    principal: Auditor,
    conn: Conn,
    entity: Annotated[Word, Query(description="kind of thing")],
    entity_id: Annotated[Word, Query(description="id of the thing")],
    after: After = None,
    limit: Limit = 50,
) -> Page[Entry]:
    """What is recorded of one thing, newest first. For who is responsible for the whole province.

    This question is itself recorded.
    """
    principal.scope().check_area(request.app.state.settings.province)
    await audit.record(conn, principal, "audit.read", entity, entity_id)
    rows, following = await reading.page(conn, entity, entity_id, after, limit)
    found = [{name: getattr(row, name) for name in Entry.model_fields} for row in rows]
    return Page(items=[Entry.model_validate(each) for each in found], next=following)


@router.get("/seal", responses=problems.responses(OutsideArea))
async def newest_seal(request: Request, principal: Auditor, conn: Conn) -> NewestSeal:
    """The newest seal, to be noted where nobody who keeps this database can change it."""
    principal.scope().check_area(request.app.state.settings.province)
    found = await reading.newest(conn)
    anchor = found.anchor
    return NewestSeal(
        number=anchor.number if anchor else 0,
        seal=anchor.seal if anchor else None,
        anchor=str(anchor) if anchor else None,
        sealed_at=found.sealed_at,
        waiting=found.waiting,
    )
