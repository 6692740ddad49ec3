"""Households as a file to take away."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Row

from benvung import audit, problems
from benvung.auth import Principal
from benvung.vault import Vault
from households import files, store
from households.actions.filter_refusals import BY_FILTERS
from households.api.fields import Area, Geography, Keys, KnownAt, OnDay, Reader, purpose_or
from households.api.fields import asked as place_asked
from households.api.filters import Narrowed
from households.domain import HouseholdClass
from households.store.filters import Filters

router = APIRouter(prefix="/v1", tags=["households"])

Place = tuple[str, str, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose file it is and what for, of which area and of which day, narrowed by what."""

    principal: Principal
    purpose: str
    area: str | None
    on: dt.date | None
    known_at: dt.datetime | None
    geography: Literal["then", "now"]
    filters: Filters


@router.get(
    "/households.csv",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems.responses(*BY_FILTERS),
    },
)
async def export(
    *,
    request: Request,
    principal: Reader,
    vault: Keys,
    purpose: Annotated[str, purpose_or("NEXT_REVIEW")],
    narrowed: Narrowed,
    area: Area = None,
    on: OnDay = None,
    known_at: KnownAt = None,
    geography: Geography = "then",
) -> StreamingResponse:
    """The households you may see, with the Mã hệ thống that the next review's file needs.

    Without a `status` they are the active ones. Whose data leave in the file is recorded.
    """
    filters = narrowed.at(on, known_at)
    asked = Asked(principal, purpose, area, on, known_at, geography, filters)
    return StreamingResponse(
        files.register_csv(_lines(request, vault, asked)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="households-{area or "all"}.csv"'},
    )


def _lines(request: Request, vault: Vault, asked: Asked) -> Iterator[files.RegisterLine]:
    """Runs in a thread of the answer; each batch has a short transaction of its own."""
    after: Place | None = None
    while batch := from_thread.run(_batch, request, asked, after):
        for row in batch:
            yield files.RegisterLine(
                household_id=row.id,
                commune=row.commune,
                village_code=row.village,
                village_name=row.village_name,
                code=row.code,
                head_name=vault.open(row.head_name),
                members=row.members,
                household_class=row.poverty_class and HouseholdClass(row.poverty_class),
                class_since=row.class_since,
            )
        after = (batch[-1].commune, batch[-1].village, batch[-1].id)


async def _batch(request: Request, asked: Asked, after: Place | None) -> list[Row[Any]]:
    """The next households, on record before the first of them leaves. An empty file is on record too."""
    async with request.app.state.engine.begin() as conn:
        where = place_asked(asked.principal, asked.area, asked.on, asked.geography)
        eras = await store.geography.since(conn, asked.on, asked.known_at)
        filters = asked.filters
        register = store.registry.register_at(where.scope, asked.on, asked.known_at, eras, filters.grounds)
        rows = await store.registry.export_batch(conn, register, where, filters, after)
        if rows or after is None:
            taken = audit.About("household", (row.id for row in rows))
            detail = {"households": len(rows), "purpose": asked.purpose}
            await audit.record(
                conn,
                asked.principal,
                "households.exported",
                "area",
                asked.area or "*",
                detail,
                about=taken,
            )
        return rows
