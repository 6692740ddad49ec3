"""How many households areas have: recorded as a number or a range, given back for the units of any day."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import areas, clock, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from households import actions, store
from households.actions.refusals import AreaNotFound, TotalNotFound
from households.actions.totals import Counted
from households.api.areas import AreaPath
from households.api.fields import AreaWriter, Day, Geography, Given, Name, OnDay, Reader, Shown, Total

router = APIRouter(prefix="/v1", tags=["areas"])


class TotalGiven(Given):
    """The number of an area's households, or the range in which it lies, and who says so."""

    least: Total = Field(description="at least so many", examples=[387_943])
    most: Total = Field(description="at most so many; the same number where it is known", examples=[388_366])
    as_of: Day
    source: Name = Field(description="number of the document or code of the source", examples=["12/BC-UBND"])


class TotalShown(Shown):
    """A recorded number of households, or range."""

    total_id: uuid.UUID
    area: str
    level: str
    least: int = Field(examples=[387_943])
    most: int = Field(examples=[388_366])
    as_of: dt.date
    source: str
    recorded_at: dt.datetime


class TotalPart(Shown):
    """A unit's record that a total was made of."""

    area: str
    name: str = Field(examples=["Huyện Kông Chro"])
    least: int = Field(examples=[387_943])
    most: int = Field(examples=[388_366])
    as_of: dt.date
    source: str


class AreaTotalShown(Shown):
    """How many households an area has on a day: a number, a range, or what is missing for it."""

    area: str
    on: dt.date
    geography: str = Field(examples=["then"])
    households: int | None = Field(description="null = known as a range alone, or not known", examples=[None])
    least: int | None = Field(description="null = not known", examples=[387_943])
    most: int | None = Field(description="null = not known", examples=[388_366])
    as_of: dt.date | None = Field(description="the day of the record; of a sum, of its oldest part")
    parts: list[TotalPart] = Field(description="the records it is made of: the area's own, or of units below")
    missing: list[str] = Field(description="units of that day without a record", examples=[[]])
    divided: list[str] = Field(
        description="communes of that day of which only a part is in the area of today: how much of their"
        " households that is, nobody said",
        examples=[[]],
    )


@router.post(
    "/areas/{area}/household-totals",
    status_code=201,
    responses=problems.responses(AreaNotFound, OutsideArea),
)
async def record(
    *,
    area: AreaPath,
    given: TotalGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    once: OnlyOnce,
) -> TotalShown:
    """Record how many households an area has, where persons are not known, or the number is a range."""
    total_id = once.made or await actions.totals.record(
        conn,
        principal,
        area,
        least=given.least,
        most=given.most,
        as_of=given.as_of,
        source=given.source,
    )
    response.headers["Location"] = f"/v1/household-totals/{total_id}"
    return await _recorded(conn, principal, total_id)


@router.get("/household-totals/{total_id}", responses=problems.responses(TotalNotFound))
async def one(*, total_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn) -> TotalShown:
    """One record of a number of households."""
    return await _recorded(conn, principal, total_id)


@router.get("/areas/{area}/household-total", responses=problems.responses(AreaNotFound))
async def total(
    *,
    area: AreaPath,
    principal: Reader,
    conn: Conn,
    on: OnDay = None,
    geography: Geography = "then",
) -> AreaTotalShown:
    """How many households an area has on a day. A sum of ranges lies between the sums of their ends."""
    day = on or clock.today()
    return _shown(await actions.totals.total_of(conn, principal, area, day, geography), day, geography)


async def _recorded(conn: Conn, principal: Reader, total_id: uuid.UUID) -> TotalShown:
    row = await store.totals.one(conn, total_id)
    unit = row and areas.find(row.area, row.as_of)
    if row is None or unit is None:
        raise TotalNotFound
    try:
        actions.totals.check_seen(principal, unit, row.as_of)
    except OutsideArea:
        raise TotalNotFound from None
    return _record(row)


def _record(row: Row[Any]) -> TotalShown:
    return TotalShown(
        total_id=row.id,
        area=row.area,
        level=row.level,
        least=row.least,
        most=row.most,
        as_of=row.as_of,
        source=row.source,
        recorded_at=row.recorded_at,
    )


def _shown(found: Counted, on: dt.date, geography: str) -> AreaTotalShown:
    known = found.total
    return AreaTotalShown(
        area=found.area.code,
        on=on,
        geography=geography,
        households=known and known.exact,
        least=known and known.least,
        most=known and known.most,
        as_of=min((each.as_of for each in found.parts), default=None) if known else None,
        parts=[
            TotalPart(
                area=each.area,
                name=unit.name if (unit := areas.find(each.area, on)) else each.area,
                least=each.total.least,
                most=each.total.most,
                as_of=each.as_of,
                source=each.source,
            )
            for each in found.parts
        ],
        missing=list(found.missing),
        divided=list(found.divided),
    )
