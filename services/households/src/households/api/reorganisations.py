"""Reorganisations of communes, the types of communes by date, and what the register knows of a unit's past."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import areas, clock, paging, problems, reorganised
from benvung.auth import OutsideArea
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from households import actions, store
from households.actions.refusals import AreaNotFound, ReorganisationNotFound
from households.api.fields import (
    AreaCode,
    AreaWriter,
    CommuneCode,
    Day,
    Given,
    Name,
    Reader,
    ShortText,
    Shown,
)
from households.api.notes import Note, notes_of
from households.domain.reorganisation import AreaChange, Commune, Document, Part, Plan
from households.domain.terms import AreaType
from households.tables import reorganisations as table

router = APIRouter(prefix="/v1", tags=["reorganisations"])

COMMUNES = 4000
PROPOSED = dt.date(2025, 7, 1)
ReorganisationId = Annotated[uuid.UUID, Path(description="identifier of the reorganisation")]
Kind = Literal["MERGED", "DIVIDED", "RENAMED", "MOVED_TO_PROVINCE", "KEPT"]


class PartGiven(Given):
    """What becomes of one commune."""

    predecessor: CommuneCode = Field(description="code of the commune until the day before")
    successors: list[CommuneCode] = Field(min_length=1, max_length=20, examples=[["23830"]])
    kind: Kind | None = Field(
        default=None, description="empty = as it follows from the list; checked if given"
    )


class SuccessorGiven(Given):
    """A new commune that the published list of units does not have."""

    code: CommuneCode
    name: Name = Field(examples=["Xã Ví Dụ"])
    province: Annotated[AreaCode, Field(examples=["52"])]
    area_type: Literal["URBAN", "RURAL"]


class ReorganisationGiven(Given):
    """A reorganisation: its day, its document, every commune that ends and those that come of it."""

    on: Day = Field(description="the first day of the new communes", examples=["2025-07-01"])
    document_number: ShortText = Field(examples=["1664/NQ-UBTVQH15"])
    document_date: Day = Field(examples=["2025-06-16"])
    parts: list[PartGiven] = Field(min_length=1, max_length=COMMUNES)
    successors: list[SuccessorGiven] = Field(
        default=[], max_length=COMMUNES, description="only those that the list does not have from that day"
    )

    def plan(self) -> Plan:
        """The same for the domain."""
        return Plan(
            self.on,
            Document(self.document_number, self.document_date),
            tuple(
                Part(each.predecessor, tuple(each.successors), each.kind and AreaChange(each.kind))
                for each in self.parts
            ),
            tuple(
                Commune(each.code, each.name, each.province, AreaType(each.area_type), None, None)
                for each in self.successors
            ),
        )


class PartShown(Shown):
    """What became of one commune."""

    predecessor: str
    name: str
    kind: str
    successors: list[str]
    waiting: str | None = Field(description="where households of a divided commune wait for a choice")


class ReorganisationShown(Shown):
    """A reorganisation, and how far its households have followed."""

    id: uuid.UUID
    on: dt.date
    document_number: str
    document_date: dt.date
    recorded_at: dt.datetime
    done: bool = Field(description="whether every household has followed or waits for a choice")
    households: dict[str, int] = Field(
        description="PENDING on their way; FOLLOWED; WAITING for a choice; CHOSEN; REFUSED by a rule",
        examples=[{"FOLLOWED": 412, "WAITING": 37}],
    )


class ReorganisationWhole(ReorganisationShown):
    """The same with every commune."""

    parts: list[PartShown]


async def _learn(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        await reorganised.refresh(conn)


@router.post(
    "/reorganisations", status_code=201, responses=problems.responses(OutsideArea, ReorganisationNotFound)
)
async def reorganise(
    *,
    request: Request,
    given: ReorganisationGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    behind: BackgroundTasks,
    once: OnlyOnce,
) -> ReorganisationWhole:
    """Record a reorganisation of communes. Households follow by themselves from that day on.

    Those of a divided commune are counted as "chưa phân địa bàn" until somebody chooses for each.
    """
    made = once.made or await actions.reorganisations.record(conn, principal, given.plan())
    response.headers["Location"] = f"/v1/reorganisations/{made}"
    behind.add_task(_learn, request.app.state.engine)
    return await _whole(conn, made)


@router.get("/reorganisations", responses=problems.responses(CursorUnknown))
async def reorganisations(
    *, _: Reader, conn: Conn, after: After = None, limit: Limit = 50
) -> Page[ReorganisationShown]:
    """All reorganisations, in the order in which they were recorded."""
    columns = (table.c.sequence,)
    query = paging.keyset(store.reorganisations.listed(), columns, after, limit)
    items, following = paging.split(await store.registry.rows(conn, query), columns, limit)
    progress = await store.reorganisations.progress(conn, [row.id for row in items])
    return Page(items=[ReorganisationShown(**_shown(row, progress[row.id])) for row in items], next=following)


class ProposalShown(Shown):
    """What the published list of units knows of a day, ready to be sent with its document."""

    area: str
    on: dt.date
    parts: list[PartGiven]
    source: str
    notes: list[Note]


@router.get("/reorganisations/proposal", responses=problems.responses(AreaNotFound))
async def proposal(
    *,
    _: Reader,
    area: Annotated[AreaCode, Query(description="code of an area as of the day before", examples=["630"])],
    on: Annotated[Day, Query(description="the first day of the new communes")] = PROPOSED,
) -> ProposalShown:
    """What the published list says became of the communes of an area, with all that hang together with them."""
    before = on - dt.timedelta(days=1)
    old = [unit.code for unit in areas.communes_under(area, before) if unit.valid_to in (None, on)]
    if not old:
        raise AreaNotFound
    successors: dict[str, list[str]] = {}
    starting = [unit for unit in areas.starting(on) if not unit.is_waiting]
    for unit in starting:
        for code in unit.predecessors:
            successors.setdefault(code, []).append(unit.code)
    by_code = {unit.code: unit for unit in starting}
    found: set[str] = set()
    asked = [code for code in old if code in successors]
    while asked:
        code = asked.pop()
        if code not in found:
            found.add(code)
            asked += [each for new in successors[code] for each in by_code[new].predecessors]
    communes = [code for code in sorted(found) if _is_commune(code, before)]
    return ProposalShown(
        area=area,
        on=on,
        parts=[PartGiven(predecessor=code, successors=successors[code]) for code in communes],
        source="vietnamadminunits 1.0.4",
        notes=notes_of(before),
    )


def _is_commune(code: str, on: dt.date) -> bool:
    unit = areas.find(code, on)
    return unit is not None and unit.level is areas.Level.COMMUNE


@router.get("/reorganisations/{reorganisation_id}", responses=problems.responses(ReorganisationNotFound))
async def reorganisation(
    *, reorganisation_id: ReorganisationId, _: Reader, conn: Conn
) -> ReorganisationWhole:
    """One reorganisation with every commune, and how far its households have followed."""
    return await _whole(conn, reorganisation_id)


async def _whole(conn: Conn, reorganisation_id: uuid.UUID) -> ReorganisationWhole:
    row = await store.reorganisations.recorded(conn, reorganisation_id)
    if row is None:
        raise ReorganisationNotFound
    progress = await store.reorganisations.progress(conn, [reorganisation_id])
    parts = await store.reorganisations.parts_of(conn, reorganisation_id)
    return ReorganisationWhole(
        **_shown(row, progress[reorganisation_id]),
        parts=[
            PartShown(
                predecessor=part.predecessor,
                name=part.name,
                kind=part.kind,
                successors=part.successors,
                waiting=part.waiting,
            )
            for part in parts
        ],
    )


def _shown(row: Row[Any], progress: dict[str, int]) -> dict[str, Any]:
    return {
        "id": row.id,
        "on": row.holds_from,
        "document_number": row.document_number,
        "document_date": row.document_date,
        "recorded_at": row.recorded_at,
        "done": not progress.get("PENDING"),
        "households": progress,
    }


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
    behind.add_task(_learn, request.app.state.engine)
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
