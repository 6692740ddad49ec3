"""Who looked at a household's data and who changed them: what its people have a right to know."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, problems
from benvung.audit import reading
from benvung.auth import Principal, require
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from households import store
from households.actions.refusals import HouseholdNotFound
from households.api.fields import Lang, Shown
from households.domain.accesses import access

router = APIRouter(prefix="/v1", tags=["accesses"])

Auditor = Annotated[Principal, Depends(require("audit.read"))]


class AccessShown(Shown):
    """One thing that was done with the household's data. It names nobody: an officer's id is enough to ask."""

    id: int = Field(description="number of the entry in the audit")
    recorded_at: dt.datetime
    principal: str = Field(description="who: the id under which the office knows the officer or program")
    action: str
    action_label: str = Field(examples=["Xem thông tin của hộ"])
    kind: str = Field(description="READ or WRITE")
    kind_label: str = Field(examples=["Xem"])
    purpose: str = Field(examples=["Quản lý danh sách hộ nghèo, hộ cận nghèo"])
    legal: str = Field(examples=["Quyết định 24/2021/QĐ-TTg"])
    seal: int | None = Field(description="its number in the audit's chain of seals; null = not sealed yet")


@router.get(
    "/households/{household_id}/accesses", responses=problems.responses(HouseholdNotFound, CursorUnknown)
)
async def accesses(
    *,
    household_id: Annotated[uuid.UUID, Path()],
    principal: Auditor,
    conn: Conn,
    lang: Lang,
    after: After = None,
    limit: Limit = 50,
) -> Page[AccessShown]:
    """Who saw or changed a household's data, newest first: alone, in a list, in a file. Asking is recorded.

    For the officer who answers a citizen: Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 4 khoản 1.
    """
    if await store.households.find(conn, household_id, principal.scope()) is None:
        raise HouseholdNotFound
    await audit.record(conn, principal, "household.accesses_read", "household", str(household_id))
    rows, following = await reading.page(conn, "household", str(household_id), after, limit)
    return Page(items=[_shown(row, lang) for row in rows], next=following)


def _shown(row: Row[Any], lang: Lang) -> AccessShown:
    done = access(row.action)
    return AccessShown(
        id=row.id,
        recorded_at=row.recorded_at,
        principal=row.principal,
        action=row.action,
        action_label=done.label(lang),
        kind=done.kind,
        kind_label=done.kind_label(lang),
        purpose=done.purpose(lang),
        legal=done.legal,
        seal=row.seal,
    )
