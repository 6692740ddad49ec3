"""Households of divided communes that nobody has assigned yet: "chưa phân địa bàn"."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, model_validator
from sqlalchemy import Row

from benvung import areas, audit, clock, paging, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from households import actions, store
from households.actions.placements import Choice
from households.actions.refusals import AreaNotFound, NothingWaits
from households.api.fields import AreaWriter, CommuneCode, Given, Keys, Reader, Shown, VillageCode
from households.tables import placements

router = APIRouter(prefix="/v1/waiting-areas", tags=["reorganisations"])

WaitingCode = Annotated[str, Path(pattern=r"^[0-9]{5}[W-Z]$", description="code under which they wait")]
CHOSEN = 5000


class VillageWaiting(Shown):
    """How many households of an old village wait."""

    village: str
    name: str | None
    households: int


class AreaWaiting(Shown):
    """A divided commune of which households wait for a choice."""

    code: str
    name: str
    predecessor: str
    on: dt.date
    successors: list[str]
    households: int
    villages: list[VillageWaiting]


class AreasWaiting(Shown):
    """All that you may see."""

    items: list[AreaWaiting]
    households: int


@router.get("")
async def waiting_areas(*, principal: Reader, conn: Conn) -> AreasWaiting:
    """The divided communes of which households still wait, by their old villages."""
    parts = {part.waiting: part for part in await store.reorganisations.parts(conn) if part.waiting}
    seen = _visible(principal, parts.values())
    found: dict[str, list[VillageWaiting]] = {}
    for code, village, name, number in await store.reorganisations.waiting_villages(conn, seen):
        found.setdefault(code, []).append(VillageWaiting(village=village, name=name, households=number))
    items = [
        AreaWaiting(
            code=code,
            name=_name(code),
            predecessor=parts[code].predecessor,
            on=parts[code].holds_from,
            successors=parts[code].successors,
            households=sum(each.households for each in villages),
            villages=villages,
        )
        for code, villages in sorted(found.items())
    ]
    return AreasWaiting(items=items, households=sum(each.households for each in items))


def _visible(principal: Principal, parts: Iterable[Row[Any]]) -> list[str]:
    scope = principal.scope()
    return [part.waiting for part in parts if any(scope.covers(code) for code in part.successors)]


def _name(code: str) -> str:
    unit = areas.find(code, clock.today())
    return unit.name if unit else code


class HouseholdWaiting(Shown):
    """A household without a choice."""

    id: uuid.UUID
    head_name: str
    members: int
    poverty_class: str | None
    predecessor: str
    old_village: str
    on: dt.date
    waiting: str


@router.get("/{code}/households", responses=problems.responses(AreaNotFound, CursorUnknown))
async def waiting_households(
    *,
    code: WaitingCode,
    principal: Reader,
    conn: Conn,
    vault: Keys,
    village: Annotated[VillageCode | None, Query(description="code of the old village")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[HouseholdWaiting]:
    """The households that wait for a choice, for whoever is responsible for one of the new communes."""
    await actions.placements.divided(conn, principal, code)
    columns = (placements.c.village, placements.c.household_id)
    query = store.reorganisations.waiting_query([code], village)
    rows = await store.registry.rows(conn, paging.keyset(query, columns, after, limit))
    items, following = paging.split(rows, columns, limit)
    about = audit.About("household", (row.household_id for row in items))
    await audit.record(
        conn, principal, "households.listed", "area", code, {"households": len(items)}, about=about
    )
    return Page(
        items=[
            HouseholdWaiting(
                id=row.household_id,
                head_name=vault.open(row.head_name),
                members=row.members,
                poverty_class=row.poverty_class,
                predecessor=row.predecessor,
                old_village=row.village,
                on=row.holds_from,
                waiting=row.successor,
            )
            for row in items
        ],
        next=following,
    )


class ChoiceGiven(Given):
    """To which new commune households belong: these, or all that wait of these old villages."""

    successor: CommuneCode
    households: list[uuid.UUID] | None = Field(default=None, min_length=1, max_length=CHOSEN)
    villages: list[VillageCode] | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.households is None) == (self.villages is None):
            raise ValueError("households | villages")
        return self


class Chosen(Shown):
    """How many households were assigned, and how many still wait."""

    successor: str
    assigned: int
    waiting: int


@router.post(
    "/{code}/choices", status_code=201, responses=problems.responses(AreaNotFound, OutsideArea, NothingWaits)
)
async def choose(
    *,
    code: WaitingCode,
    given: ChoiceGiven,
    principal: AreaWriter,
    conn: Conn,
    response: Response,
    once: OnlyOnce,
) -> Chosen:
    """Assign households to a new commune, as of the day of the division."""
    assigned = 0
    if once.first:
        choice = Choice(
            code,
            given.successor,
            None if given.households is None else tuple(given.households),
            None if given.villages is None else tuple(given.villages),
        )
        assigned = await actions.placements.choose(conn, principal, choice)
    response.headers["Location"] = f"/v1/waiting-areas/{code}/households"
    left = await store.reorganisations.waiting_villages(conn, [code])
    return Chosen(successor=given.successor, assigned=assigned, waiting=sum(row[3] for row in left))
