"""What training does: plan a class, record that it was held, and tell it again when it was held elsewhere."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import areas, audit, clock, outbox, reorganised
from benvung.auth import OutsideArea, Principal
from benvung.problems import NotFound
from training import data, domain, events, store

ONE_DAY = timedelta(days=1)
# Who is recorded for what no person asked for.
SYSTEM = audit.Named("system")


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
    """Record that a class was held from the first to the last of `days`, and tell the world.

    Raises `NotFound`, or `domain.Refused` with the rule the result breaks.
    """
    await store.hold_units(conn)
    planned = await store.load(conn, class_id, principal, lock=True)
    if planned is None:
        raise NotFound
    await reorganised.refresh(conn)
    # Up to here others of this process may have learnt of units anew; from here on nothing is awaited.
    where = _whereabouts(planned, days[0])
    held = domain.placed(domain.complete(planned, days, count, clock.today()), where)
    await store.save_result(conn, held, where.place.path if where else None)
    await outbox.publish(conn, [events.completed(held)])
    await audit.record(conn, principal, "complete", "class", str(class_id))
    return held


async def tell_again(engine: AsyncEngine) -> None:
    """Tell each class that was held elsewhere than it was told, by the units that are known by now.

    It asks what was told last, so that it may be called at any time, by any process, and several at once.
    """
    async with engine.begin() as conn:
        await store.hold_units(conn)
        units, types = await reorganised.load(conn)
        areas.learn(units, types)
        days = [day for unit in units for day in (unit.valid_from, unit.valid_to) if day is not None]
        wrong: list[UUID] = []
        async for page in store.held(conn, min(days, default=None)):
            wrong += [each.id for each in page if _again(each)[0] != each]
        for start in range(0, len(wrong), store.PAGE):
            await _tell_again(conn, await store.load_each(conn, wrong[start : start + store.PAGE]))


async def _tell_again(conn: AsyncConnection, held: Sequence[domain.TrainingClass]) -> None:
    # Another process may have been at it: what it told is seen since the rows are locked.
    corrected = [(old, *_again(old)) for old in held]
    told = []
    for old, new, path in corrected:
        if new != old:
            await store.save_result(conn, new, path)
        if new.revision != old.revision:
            told.append(new)
    await outbox.publish(conn, [events.completed(each) for each in told])
    detail = {"because": "areas.reorganised"}
    await audit.record_each(conn, SYSTEM, "tell_again", "class", [str(each.id) for each in told], detail)


def _again(held: domain.TrainingClass) -> tuple[domain.TrainingClass, Sequence[str] | None]:
    """A class as it is to be told by now, and the units it lies in."""
    assert held.held_on is not None  # the store gives those that were held
    where = _whereabouts(held, held.held_on)
    return domain.told_again(held, where), where.place.path if where else None


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


def _whereabouts(one: domain.TrainingClass, on: date) -> domain.Whereabouts | None:
    """What the unit a class was planned for was or had become by a day; None where that is not known."""
    unit = areas.identified(one.planned_area, one.planned_area_begins)
    if unit is None:
        return None
    became = [_place(each, on) for each in areas.now_of(unit, on)]
    if not became:
        return None
    if len(became) == 1 or unit.valid_to is None:
        return domain.Whereabouts(became[0], became[0])
    # Nobody can say which part: it stays with what was divided.
    return domain.Whereabouts(_place(unit, unit.valid_to - ONE_DAY), _over(became, on))


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
