"""Money that a decision gives an area: recorded once, with each of its lines announced."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, outbox
from benvung.auth import Principal
from benvung.problems import Conflict
from funding import domain
from funding.actions.areas import AreaUnknown
from funding.domain import Allocation
from funding.events import BudgetAllocated
from funding.store import allocations


class AllocationAlreadyRecorded(Conflict):
    """This decision's allocation to this area is already recorded."""

    rule = "allocation-already-recorded"
    title_vi, title_en = "Quyết định giao vốn đã được ghi", "This allocation is already recorded"


async def allocate(conn: AsyncConnection, principal: Principal, allocation: Allocation) -> UUID:
    """Record an allocation and announce each of its lines; returns its id.

    Raises `domain.Refused` when a line or a sum is wrong, `AreaUnknown`, `OutsideArea`, and
    `AllocationAlreadyRecorded` when the same decision has given the same area money before.
    """
    unit = areas.find(allocation.area, allocation.decided_on)
    if unit is None:
        raise AreaUnknown.at(allocation.area, allocation.decided_on)
    principal.scope().check_area(allocation.area)
    domain.check(allocation)
    allocation_id = uuid4()
    province = areas.province_of(allocation.area, allocation.decided_on)
    place = allocations.Place(
        province=province.code if province else None,
        commune=unit.code if unit.level is areas.Level.COMMUNE else None,
        communes=[each.code for each in areas.communes_under(allocation.area, allocation.decided_on)],
    )
    if not await allocations.insert(conn, allocation_id, allocation, place):
        raise AllocationAlreadyRecorded(
            f"Quyết định {allocation.decision_number} đã giao vốn năm {allocation.year} cho địa bàn"
            f" {allocation.area}.",
            f"Decision {allocation.decision_number} already gave area {allocation.area} money for"
            f" {allocation.year}.",
        )
    await audit.record(
        conn, principal, "allocate", "allocation", str(allocation_id), {"area": allocation.area}
    )
    await outbox.publish(conn, _lines(allocation_id, allocation, place))
    return allocation_id


def _lines(
    allocation_id: UUID, allocation: Allocation, place: allocations.Place
) -> Sequence[BudgetAllocated]:
    return [
        BudgetAllocated(
            province=place.province,
            commune=place.commune,
            revision=number,
            allocation_id=allocation_id,
            area=allocation.area,
            year=allocation.year,
            origin_year=allocation.origin_year,
            programme=allocation.programme,
            project=line.project,
            capital_type="INVESTMENT" if line.capital_type == "INVESTMENT" else "RECURRENT",
            source=line.source,
            amount_dong=line.amount_dong,
            decision_number=allocation.decision_number,
            decided_on=allocation.decided_on,
        )
        for number, line in enumerate(allocation.lines, start=1)
    ]
