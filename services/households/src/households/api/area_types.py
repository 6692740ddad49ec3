"""The types of communes by date, and what is known of a unit's past."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import areas, clock, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from households import actions, store
from households.actions.refusals import AreaNotFound
from households.api.fields import AreaCode, AreaWriter, CommuneCode, Day, Given, Reader, ShortText, Shown
from households.api.notes import Note, notes_of
from households.api.reorganisations import learn
from households.domain.reorganisation import Document
from households.domain.terms import AreaType

router = APIRouter(prefix="/v1", tags=["areas"])


class TypeGiven(Given):
    """What a document says of a commune's type."""

    area_type: Literal["URBAN", "RURAL"]
    valid_from: Day
    valid_to: Day | None = Field(default=None, description="the first day on which it is so no more")
    document_number: ShortText = Field(examples=["12/2025/QĐ-UBND"])
    document_date: Day


class TypeShown(Shown):
    """A commune's type from a day on. Of two documents for one day the one recorded later holds."""

    id: uuid.UUID
    commune: str
    area_type: str
    valid_from: dt.date
    valid_to: dt.date | None
    document_number: str
    document_date: dt.date
    recorded_at: dt.datetime


class TypesShown(Shown):
    """A commune's type on a day, and all documents that state one, the newest first."""

    commune: str
    on: dt.date
    area_type: str | None = Field(
        description="null = no source states it; reviews are refused until one does"
    )
    items: list[TypeShown]


@router.post(
    "/communes/{commune}/area-types", status_code=201, responses=problems.responses(AreaNotFound, OutsideArea)
)
async def state_type(
    *,
    request: Request,
    commune: Annotated[CommuneCode, Path(description="code of the commune")],
    given: TypeGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    behind: BackgroundTasks,
    once: OnlyOnce,
) -> TypeShown:
    """Record a commune's type from a day on. Decisions from that day are classified by it; earlier ones stay."""
    made = once.made or await actions.reorganisations.state_type(
        conn,
        principal,
        commune,
        area_type=AreaType(given.area_type),
        valid_from=given.valid_from,
        valid_to=given.valid_to,
        document=Document(given.document_number, given.document_date),
    )
    response.headers["Location"] = f"/v1/area-types/{made}"
    behind.add_task(learn, request.app.state.engine)
    return await _type_of_id(conn, made)


@router.get("/area-types/{area_type_id}", responses=problems.responses(AreaNotFound))
async def one_type(
    *,
    area_type_id: Annotated[uuid.UUID, Path(description="identifier of the record")],
    _: Reader,
    conn: Conn,
) -> TypeShown:
    """One record of a commune's type."""
    return await _type_of_id(conn, area_type_id)


async def _type_of_id(conn: Conn, area_type_id: uuid.UUID) -> TypeShown:
    row = await store.reorganisations.type_of_id(conn, area_type_id)
    if row is None:
        raise AreaNotFound
    return _type(row)


@router.get("/communes/{commune}/area-types", responses=problems.responses(AreaNotFound))
async def types(
    *,
    commune: Annotated[CommuneCode, Path(description="code of the commune")],
    _: Reader,
    conn: Conn,
    on: Annotated[Day | None, Query(description="empty = today")] = None,
) -> TypesShown:
    """A commune's type on a day, and the documents behind it."""
    day = on or clock.today()
    unit = areas.find(commune, day)
    if unit is None:
        raise AreaNotFound
    rows = await store.reorganisations.types_of(conn, commune)
    return TypesShown(
        commune=commune,
        on=day,
        area_type=unit.area_type and unit.area_type.value,
        items=[_type(row) for row in rows],
    )


def _type(row: Row[Any]) -> TypeShown:
    return TypeShown(
        id=row.id,
        commune=row.commune,
        area_type=row.area_type,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        document_number=row.document_number,
        document_date=row.document_date,
        recorded_at=row.recorded_at,
    )


class UnitShown(Shown):
    """A unit on its days."""

    code: str
    name: str
    level: str
    area_type: str | None
    valid_from: dt.date | None
    valid_to: dt.date | None


class PastShown(Shown):
    """A unit on a day, what it was made from, and what became of it."""

    on: dt.date
    unit: UnitShown
    predecessors: list[UnitShown] = Field(description="of the day before it began, whole or in part")
    successors: list[UnitShown] = Field(description="of the day on which it ended; several = it was divided")
    notes: list[Note]


@router.get("/areas/{area}/past", responses=problems.responses(AreaNotFound))
async def past(
    *,
    area: Annotated[AreaCode, Path(description="code of an area")],
    _: Reader,
    on: Annotated[Day | None, Query(description="the day on which it had this code; empty = today")] = None,
) -> PastShown:
    """Which unit had this code on a day, what it came from and what became of it. Nothing is guessed."""
    day = on or clock.today()
    unit = areas.find(area, day)
    if unit is None:
        raise AreaNotFound
    before = unit.valid_from and unit.valid_from - dt.timedelta(days=1)
    sources = [areas.find(code, before) for code in unit.predecessors] if before else []
    following = [] if unit.valid_to is None else areas.starting(unit.valid_to)
    return PastShown(
        on=day,
        unit=_unit(unit),
        predecessors=[_unit(each) for each in sources if each is not None],
        successors=[_unit(each) for each in following if area in each.predecessors and not each.is_waiting],
        notes=notes_of(day if unit.valid_from is None else None),
    )


def _unit(unit: areas.Unit) -> UnitShown:
    return UnitShown(
        code=unit.code,
        name=unit.name,
        level=unit.level.value,
        area_type=unit.area_type and unit.area_type.value,
        valid_from=unit.valid_from,
        valid_to=unit.valid_to,
    )
