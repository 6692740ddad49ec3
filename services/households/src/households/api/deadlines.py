"""The time limits that the law sets to reviews, and which of them were missed."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from benvung import paging, problems
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from households import store
from households.api.fields import Area, Lang, Reader, Shown, VillageCode, within
from households.domain.procedure_terms import DeadlineCode, ProcedureKind, Role, procedure_label
from households.tables import deadlines as table

router = APIRouter(prefix="/v1/deadlines", tags=["deadlines"])


class DeadlineShown(Shown):
    """One time limit in one village."""

    id: uuid.UUID
    review_id: uuid.UUID
    commune: str
    village: str
    kind: ProcedureKind = Field(description="of which review it is")
    year: int
    rule: DeadlineCode
    rule_label: str = Field(examples=["Phúc tra khi có khiếu nại"])
    case_id: uuid.UUID | None = Field(description="the household or member it is about; null = the village")
    starts_on: dt.date
    due_on: dt.date
    responsible: Role
    responsible_label: str = Field(examples=["Ban Chỉ đạo rà soát cấp xã"])
    legal: str
    state: Literal["OPEN", "MET", "MISSED"]
    done_on: dt.date | None
    told_on: dt.date | None = Field(description="day on which it was told as missed")


@router.get("", responses=problems.responses(CursorUnknown))
async def deadlines(
    *,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    review: Annotated[uuid.UUID | None, Query(description="of this review only")] = None,
    village: Annotated[VillageCode | None, Query()] = None,
    state: Literal["OPEN", "MET", "MISSED"] | None = None,
    done: Annotated[
        bool | None,
        Query(description="only what was done, in time or late; false = only what is still to be done"),
    ] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DeadlineShown]:
    """The time limits you may see, the earliest first."""
    query = store.deadlines.query(within(principal, area), review, village, state, done)
    columns = (table.c.due_on, table.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    return Page(
        items=[
            DeadlineShown(
                **row._asdict()
                | {
                    "kind": ProcedureKind(row.kind),
                    "rule": DeadlineCode(row.rule),
                    "responsible": Role(row.responsible),
                },
                rule_label=procedure_label(DeadlineCode(row.rule), lang),
                responsible_label=procedure_label(Role(row.responsible), lang),
            )
            for row in items
        ],
        next=following,
    )
