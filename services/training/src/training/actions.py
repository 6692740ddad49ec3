"""What training does: plan a class, and record that it was held."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock, outbox
from benvung.auth import OutsideArea, Principal
from benvung.problems import NotFound
from training import data, domain, events, store


async def plan_class(
    conn: AsyncConnection, principal: Principal, proposal: domain.Proposal
) -> domain.TrainingClass:
    """Plan a class. Raises `domain.Refused` with the rule it breaks, `OutsideArea` for a foreign area."""
    on = proposal.planned_from
    place = place_of(proposal.area, on, "area")
    planned = domain.plan_class(
        uuid4(),
        proposal,
        domain.Places(organiser=place_of(proposal.organiser.area, on, "organiser.area"), place=place),
        domain.Register(data.components(), data.documents()),
    )
    await store.add(conn, planned, place.path)
    # Seen with the rule by which it will be read, so that the two can never differ.
    if await store.load(conn, planned.id, principal) is None:
        raise OutsideArea
    await audit.record(conn, principal, "plan", "class", str(planned.id))
    return planned


async def complete_class(
    conn: AsyncConnection,
    principal: Principal,
    class_id: UUID,
    days: tuple[date, date],
    count: domain.Count,
) -> domain.TrainingClass:
    """Record that a class was held from the first to the last of `days`, and tell the world once.

    Raises `NotFound`, or `domain.Refused` with the rule the result breaks.
    """
    planned = await store.load(conn, class_id, principal, lock=True)
    if planned is None:
        raise NotFound
    became = _became(planned, days[0])
    held = domain.complete(planned, days, count, clock.today())
    if len(became) == 1:
        held = domain.placed(held, became[0])
    await store.save_result(conn, held, became[0].path if len(became) == 1 else None)
    told = held if len(became) < 2 else domain.placed(held, _over(became, days[0]))
    await outbox.publish(conn, [events.completed(told)])
    await audit.record(conn, principal, "complete", "class", str(class_id))
    return held


def place_of(code: str, on: date, field: str) -> domain.Place:
    """The administrative unit that had this code on that day. Raises `domain.Refused`."""
    unit = areas.find(code, on)
    if unit is None:
        raise domain.Refused(
            "area-unknown",
            f"Ngày {on:%d/%m/%Y} không có đơn vị hành chính mã {code}.",
            f"There was no administrative unit with code {code} on {on}.",
            field,
        )
    return _place(unit, on)


def _became(planned: domain.TrainingClass, on: date) -> list[domain.Place]:
    """What a class's unit had become by that day; nothing while it was there."""
    unit = areas.identified(planned.area, planned.area_begins)
    if unit is None or unit.exists(on):
        return []
    return [_place(each, on) for each in areas.now_of(unit, on)]


def _over(several: Sequence[domain.Place], on: date) -> domain.Place:
    """The smallest unit that holds them all."""
    [first, *others] = [each.path for each in several]
    shared = [code for code in first if all(code in path for path in others)]
    return place_of(shared[-1], on, "area")


def _place(unit: areas.Unit, on: date) -> domain.Place:
    path = areas.path(unit.code, on)
    codes = {each.level: each.code for each in path}
    country = unit.level is areas.Level.COUNTRY
    return domain.Place(
        code=unit.code,
        begins=unit.valid_from,
        level=domain.Level.CENTRAL if country else domain.Level(unit.level.value),
        province=codes.get(areas.Level.PROVINCE),
        commune=codes.get(areas.Level.COMMUNE),
        path=tuple(dict.fromkeys((areas.COUNTRY, *(each.code for each in path)))),
    )
