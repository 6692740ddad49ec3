"""Reorganisations of communes: recorded, proposed from the published list, followed."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import areas, paging, problems, reorganised
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


async def learn(engine: AsyncEngine) -> None:
    """Have this process know at once what it has just recorded."""
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
    behind.add_task(learn, request.app.state.engine)
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


class PartProposed(Shown):
    """What the published list says became of one commune."""

    predecessor: str
    successors: list[str]


class ProposalShown(Shown):
    """What the published list of units knows of a day, ready to be sent with its document."""

    area: str
    on: dt.date
    parts: list[PartProposed]
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
        parts=[PartProposed(predecessor=code, successors=successors[code]) for code in communes],
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
