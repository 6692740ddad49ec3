"""Money given to an area: recorded once, read as often as one likes."""

import datetime as dt
from typing import Annotated, Any, Self
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from benvung import etags, problems
from benvung.auth import OutsideArea, Principal
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.problems import Invalid, NotFound
from funding import actions, domain
from funding.actions.allocations import AllocationAlreadyRecorded
from funding.actions.areas import AreaUnknown
from funding.api.given import AreaCode, BudgetWriter, Day, Given, Reader, Text, Year, within
from funding.store import allocations as store

router = APIRouter(prefix="/v1/allocations", tags=["allocations"])

# Wide enough for a wrong sign or sum to be named by its rule, narrow enough to be stored.
Dong = Annotated[int, Field(ge=-(2**53), le=2**53, description="whole đồng")]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9_.]{1,40}$")]
PROGRAMME = "NTP_SPR_2021_2025"


class CapitalGiven(Given):
    """The declared total of one kind of capital."""

    capital_type: Code = Field(examples=["INVESTMENT"])
    amount_dong: Dong = Field(examples=[54_532_000_000])


class LineGiven(Given):
    """What one component receives of one kind of capital from one source."""

    project: Code = Field(
        description="component of the programme; the programme's own code where not broken down",
        examples=["NTP_SPR_2021_2025"],
    )
    capital_type: Code = Field(examples=["INVESTMENT"])
    source: Code = Field(examples=["CENTRAL_BUDGET"])
    amount_dong: Dong = Field(examples=[54_532_000_000])


class AllocationGiven(Given):
    """What a decision gives an area for a year."""

    programme: Code = PROGRAMME
    area: AreaCode = Field(examples=["630"])
    year: Year = Field(description="plan year", examples=[2023])
    origin_year: Year | None = Field(
        default=None, description="year whose money it is; empty = the plan year"
    )
    decision_number: Text = Field(examples=["01/QĐ-UBND"])
    decided_on: Day = Field(examples=["2023-01-10"])
    total_dong: Dong = Field(examples=[54_532_000_000])
    by_capital_type: list[CapitalGiven] = Field(min_length=1, max_length=10)
    lines: list[LineGiven] = Field(min_length=1, max_length=500)

    def allocation(self) -> domain.Allocation:
        """The same in the domain's terms."""
        return domain.Allocation(
            programme=self.programme,
            area=self.area,
            year=self.year,
            origin_year=self.origin_year or self.year,
            decision_number=self.decision_number,
            decided_on=self.decided_on,
            total_dong=self.total_dong,
            by_capital_type=tuple((each.capital_type, each.amount_dong) for each in self.by_capital_type),
            lines=tuple(
                domain.Line(each.project, each.capital_type, each.source, each.amount_dong)
                for each in self.lines
            ),
        )


class CapitalOut(BaseModel):
    """The declared total of one kind of capital."""

    capital_type: str
    amount_dong: int


class LineOut(BaseModel):
    """What one component receives of one kind of capital from one source."""

    project: str
    capital_type: str
    source: str
    amount_dong: int


class AllocationOut(BaseModel):
    """An allocation as it is recorded."""

    id: UUID
    programme: str
    area: str
    province: str | None
    commune: str | None
    year: int
    origin_year: int
    decision_number: str
    decided_on: dt.date
    total_dong: int
    by_capital_type: list[CapitalOut]
    lines: list[LineOut]
    recorded_at: dt.datetime

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Self:
        """From the store's row."""
        return cls(
            id=row.allocation_id,
            programme=row.programme,
            area=row.area,
            province=row.province,
            commune=row.commune,
            year=row.year,
            origin_year=row.origin_year,
            decision_number=row.decision_number,
            decided_on=row.decided_on,
            total_dong=row.total_dong,
            by_capital_type=[CapitalOut(**each) for each in row.totals],
            lines=[LineOut(**each) for each in row.lines],
            recorded_at=row.recorded_at,
        )


class Narrowed(Given):
    """What a list of allocations is narrowed to."""

    area: AreaCode | None = Field(default=None, description="code of an area: allocations to it or below")
    year: Year | None = None
    after: After = None
    limit: Limit = 100


@router.post(
    "",
    status_code=201,
    responses=problems.responses(Invalid, AreaUnknown, OutsideArea, AllocationAlreadyRecorded),
)
async def record_allocation(
    given: AllocationGiven, conn: Conn, principal: BudgetWriter, response: Response, once: OnlyOnce
) -> AllocationOut:
    """Record what a decision gives an area; totals and lines must add up."""
    allocation_id = once.made or await actions.allocations.allocate(conn, principal, given.allocation())
    response.headers["Location"] = f"{router.prefix}/{allocation_id}"
    return await _found(conn, principal, allocation_id)


@router.get("", responses=problems.responses(CursorUnknown, AreaUnknown))
async def list_allocations(
    narrowed: Annotated[Narrowed, Query()], conn: Conn, principal: Reader
) -> Page[AllocationOut]:
    """Allocations to areas that lie wholly in the caller's, in the order they were recorded."""
    scope = within(principal, narrowed.area)
    rows, following = await store.page(conn, scope, narrowed.year, narrowed.after, narrowed.limit)
    return Page(items=[AllocationOut.of(row) for row in rows], next=following)


@router.get("/{allocation_id}", responses=etags.responses(NotFound))
async def read_allocation(
    allocation_id: UUID, conn: Conn, principal: Reader, response: Response
) -> AllocationOut:
    """One allocation."""
    found = await _found(conn, principal, allocation_id)
    etags.tag(response, etags.digest(found))
    return found


async def _found(conn: Conn, principal: Principal, allocation_id: UUID) -> AllocationOut:
    row = await store.find(conn, principal.scope(), allocation_id)
    if row is None:
        raise NotFound
    return AllocationOut.of(row)
