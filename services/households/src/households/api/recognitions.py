"""Who is recognised by income: households with an average living standard, and low-income workers."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import Row

from benvung import audit, paging, problems
from benvung.db import Conn
from benvung.paging import After, CursorUnknown, Limit, Page
from households import store
from households.actions.refusals import RecognitionNotFound
from households.api.fields import Area, Lang, Reader, Shown, VillageCode, within
from households.domain.procedure_terms import Finding, ProcedureKind, procedure_label
from households.tables import recognitions as table

router = APIRouter(prefix="/v1/recognitions", tags=["recognitions"])

ByIncome = Literal["AVERAGE_LIVING", "LOW_INCOME_WORKER"]


class RecognitionShown(Shown):
    """One result by income. It changes no class of poverty, and nobody is named."""

    id: uuid.UUID
    review_id: uuid.UUID
    kind: ByIncome
    kind_label: str = Field(examples=["Người lao động có thu nhập thấp"])
    commune: str
    village: str = Field(examples=["23827.03"])
    household_id: uuid.UUID
    member_id: uuid.UUID | None = Field(description="the worker")
    recognised: bool
    decision_number: str = Field(examples=["31/QĐ-UBND"])
    decided_on: dt.date
    legal: str = Field(examples=["Nghị định 07/2021/NĐ-CP, Điều 3 khoản 2 điểm d"])
    corrects: uuid.UUID | None = Field(description="the result in whose place it stands", examples=[None])
    recorded_at: dt.datetime


@router.get("", responses=problems.responses(CursorUnknown))
async def recognitions(
    *,
    principal: Reader,
    conn: Conn,
    lang: Lang,
    area: Area = None,
    kind: Annotated[ByIncome | None, Query(description="one of the two lists")] = None,
    village: Annotated[VillageCode | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[RecognitionShown]:
    """Who is recognised now, by commune. Whom a decision made poor or near-poor since is left out."""
    query = store.recognitions.query(within(principal, area), kind and ProcedureKind(kind), village)
    columns = (table.c.commune, table.c.id)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    about = audit.About("household", (row.household_id for row in items))
    await audit.record(
        conn, principal, "recognitions.listed", "area", area or "*", {"rows": len(items)}, about=about
    )
    return Page(items=[_shown(row, lang) for row in items], next=following)


@router.get("/{recognition_id}", responses=problems.responses(RecognitionNotFound))
async def recognition(
    *, recognition_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn, lang: Lang
) -> RecognitionShown:
    """One result, whether it stands or not."""
    row = await store.recognitions.find(conn, recognition_id, principal.scope())
    if row is None:
        raise RecognitionNotFound
    await audit.record(conn, principal, "household.recognition_read", "household", str(row.household_id))
    return _shown(row, lang)


def _shown(row: Row[Any], lang: Lang) -> RecognitionShown:
    values = row._asdict()
    return RecognitionShown(
        **{name: values[name] for name in RecognitionShown.model_fields if name in values},
        kind_label=procedure_label(Finding(row.kind), lang),
    )
