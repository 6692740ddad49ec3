"""Villages of a commune and the recorded population of an area."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Row

from benvung import areas, clock, etags, problems
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.etags import BeliefMissing, Changed, IfMatch
from benvung.idempotency import OnlyOnce
from households import actions, store
from households.actions.refusals import (
    AreaNotFound,
    CommuneUnknown,
    PopulationNotFound,
    VillageInhabited,
    VillagesContradict,
)
from households.api.fields import (
    AreaCode,
    AreaWriter,
    CommuneCode,
    Day,
    Given,
    Name,
    Reader,
    Shown,
    Total,
    VillageCode,
)

router = APIRouter(prefix="/v1", tags=["areas"])

CommunePath = Annotated[CommuneCode, Path(description="code of the commune")]
AreaPath = Annotated[AreaCode, Path(description="code of a province, district or commune")]


class VillageGiven(Given):
    """A village of a commune's list."""

    code: VillageCode | None = Field(
        default=None, description="empty = the code it has under its name, or the next free one"
    )
    name: Name = Field(examples=["Làng Hrách"])


class VillagesGiven(Given):
    """A commune's whole list of villages."""

    villages: list[VillageGiven] = Field(max_length=999)


class VillageShown(Shown):
    """A village with its code."""

    code: str
    name: str


class VillagesShown(Shown):
    """A commune's whole list of villages."""

    commune: str
    villages: list[VillageShown]


@router.put(
    "/communes/{commune}/villages",
    responses=etags.responses(
        CommuneUnknown, VillagesContradict, VillageInhabited, OutsideArea, Changed, BeliefMissing
    ),
)
async def put_villages(
    *,
    commune: CommunePath,
    given: VillagesGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    believed: IfMatch,
) -> VillagesShown:
    """Make this the commune's list of villages. A village with households cannot leave it.

    A list that is there already is replaced only with `If-Match`, so that nobody's villages are lost.
    """
    listed = [(village.code, village.name) for village in given.villages]
    await actions.areas.put_villages(conn, principal, commune, listed, believed)
    return await _villages(conn, commune, response)


@router.get("/communes/{commune}/villages", responses=etags.responses(AreaNotFound))
async def get_villages(
    *, commune: CommunePath, principal: Reader, conn: Conn, response: Response
) -> VillagesShown:
    """The commune's list of villages."""
    if not principal.scope().covers(commune) or areas.find(commune, clock.today()) is None:
        raise AreaNotFound
    return await _villages(conn, commune, response)


async def _villages(conn: Conn, commune: str, response: Response) -> VillagesShown:
    rows = await store.places.villages_of(conn, commune)
    etags.tag(response, actions.areas.version_of(rows))
    return VillagesShown(
        commune=commune, villages=[VillageShown(code=row.code, name=row.name) for row in rows]
    )


class PopulationGiven(Given):
    """The population of an area on a day, and who says so."""

    households: Total = Field(examples=[12836])
    persons: Total = Field(examples=[56478])
    as_of: Day
    source: Name = Field(description="number of the document or code of the source", examples=["12/BC-UBND"])


class PopulationShown(Shown):
    """A recorded population."""

    population_id: uuid.UUID
    area: str
    level: str
    households: int
    persons: int
    as_of: dt.date
    source: str
    recorded_at: dt.datetime


class PopulationsShown(Shown):
    """All records of an area, the newest day first; the latest record of a day holds."""

    area: str
    items: list[PopulationShown]


@router.post(
    "/areas/{area}/population", status_code=201, responses=problems.responses(AreaNotFound, OutsideArea)
)
async def record_population(
    *,
    area: AreaPath,
    given: PopulationGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    once: OnlyOnce,
) -> PopulationShown:
    """Record an area's population: the denominator of every rate. Earlier records stay."""
    population_id = once.made or await actions.areas.record_population(
        conn,
        principal,
        area,
        households=given.households,
        persons=given.persons,
        as_of=given.as_of,
        source=given.source,
    )
    response.headers["Location"] = f"/v1/populations/{population_id}"
    return await _recorded(conn, principal, population_id)


@router.get("/populations/{population_id}", responses=problems.responses(PopulationNotFound))
async def get_record(
    *, population_id: Annotated[uuid.UUID, Path()], principal: Reader, conn: Conn
) -> PopulationShown:
    """One record of a population."""
    return await _recorded(conn, principal, population_id)


async def _recorded(conn: Conn, principal: Reader, population_id: uuid.UUID) -> PopulationShown:
    row = await store.places.population(conn, population_id)
    if row is None or not _sees_all_of(principal, row.area):
        raise PopulationNotFound
    return _population(row)


@router.get("/areas/{area}/population", responses=problems.responses(AreaNotFound))
async def get_population(*, area: AreaPath, principal: Reader, conn: Conn) -> PopulationsShown:
    """What was recorded of an area's population."""
    if not _sees_all_of(principal, area):
        raise AreaNotFound
    return await _populations(conn, area)


def _sees_all_of(principal: Reader, area: str) -> bool:
    """A figure of an area is for whoever may see all of it."""
    try:
        principal.scope().check_area(area)
    except OutsideArea:
        return False
    return True


async def _populations(conn: Conn, area: str) -> PopulationsShown:
    rows = await store.places.populations_of(conn, area)
    return PopulationsShown(area=area, items=[_population(row) for row in rows])


def _population(row: Row[Any]) -> PopulationShown:
    return PopulationShown(
        population_id=row.id,
        area=row.area,
        level=row.level,
        households=row.households,
        persons=row.persons,
        as_of=row.as_of,
        source=row.source,
        recorded_at=row.recorded_at,
    )
