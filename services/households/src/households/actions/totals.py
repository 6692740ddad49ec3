"""How many households an area has: recorded as a number or a range, and added up over the units of any day."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock, outbox
from benvung.areas import Level, Unit
from benvung.auth import OutsideArea, Principal
from households import store
from households.actions.refusals import AreaNotFound
from households.domain.totals import Total, check_total, sum_of
from households.events import TotalRecorded
from households.store.totals import Recorded


@dataclass(frozen=True, slots=True)
class Counted:
    """An area's total on a day. `total` is None while a unit is missing, or one lies in it only in part."""

    area: Unit
    total: Total | None
    parts: Sequence[Recorded]
    missing: Sequence[str]
    divided: Sequence[str]


async def record(
    conn: AsyncConnection,
    principal: Principal,
    area: str,
    *,
    least: int,
    most: int,
    as_of: dt.date,
    source: str,
) -> uuid.UUID:
    """Record how many households an area of any level has on a day; an earlier record of the day stays.

    Raises `AreaNotFound` when no unit had the code on that day, `OutsideArea`, and the domain's `Refused`.
    """
    total = check_total(least, most)
    unit = areas.find(area, as_of)
    if unit is None or unit.level is Level.COUNTRY:
        raise AreaNotFound
    check_seen(principal, unit, as_of)
    province = areas.province_of(area, as_of)
    event = TotalRecorded(
        province=province.code if province else None,
        commune=area if unit.level is Level.COMMUNE else None,
        revision=1,
        total_id=uuid.uuid4(),
        area=area,
        level=unit.level.value,
        least=total.least,
        most=total.most,
        as_of=as_of,
        source=source,
    )
    [sequence] = await outbox.publish(conn, [event])
    values = event.model_dump(include={"province", "area", "level", "least", "most", "as_of", "source"})
    await store.totals.add(conn, {"id": event.total_id, "sequence": sequence, **values})
    await audit.record(conn, principal, "total.recorded", "area", area, {"sequence": sequence})
    return event.total_id


def check_seen(principal: Principal, unit: Unit, on: dt.date) -> None:
    """A figure of an area is for who is responsible for all that it is today. Raises `OutsideArea`."""
    seen = principal.scope().communes
    if seen is None:
        return
    communes = areas.communes_under(unit.code, on)
    now = {each.code for commune in communes for each in areas.became(commune, clock.today())}
    if not now or not now <= seen:
        raise OutsideArea


async def total_of(
    conn: AsyncConnection, principal: Principal, area: str, on: dt.date, geography: Literal["then", "now"]
) -> Counted:
    """The total of an area on a day: its own record, else those of the units that make it up.

    `then`: a unit of that day. `now`: a unit of today, by the units of that day that it was made from. Raises
    `AreaNotFound`.
    """
    day = on if geography == "then" else clock.today()
    unit = areas.find(area, day)
    if unit is None or unit.level is Level.COUNTRY:
        raise AreaNotFound
    try:
        check_seen(principal, unit, day)
    except OutsideArea:
        raise AreaNotFound from None
    here = areas.communes_under(area, day)
    wanted, divided = _sources(here, on) if geography == "now" else ({each.code for each in here}, set())
    tops = sorted({top.code for code in wanted for top in areas.path(code, on)[:1]})
    units = {each.code: each.valid_from for top in tops for each in _all(top, on)}
    known = await store.totals.newest(conn, units, on)
    if geography == "then":
        tops = [area]
    parts, missing = list[Recorded](), list[str]()
    for top in tops:
        _cover(top, on, (wanted, known), parts, missing)
    whole = bool(parts) and not missing and not divided
    return Counted(
        unit, sum_of(each.total for each in parts) if whole else None, parts, missing, sorted(divided)
    )


def _all(code: str, on: dt.date) -> Iterator[Unit]:
    unit = areas.find(code, on)
    if unit is not None:
        yield unit
        for each in areas.children(code, on):
            yield from _all(each.code, on)


def _sources(here: Sequence[Unit], on: dt.date) -> tuple[set[str], set[str]]:
    """The communes of a day that these of today were made from, and those of them that only a part came from."""
    today, inside = clock.today(), {each.code for each in here}
    found = {code: each for unit in here for code, each in _before(unit, on).items()}
    divided = {
        code for code, each in found.items() if not {now.code for now in areas.became(each, today)} <= inside
    }
    return set(found), divided


def _before(unit: Unit, on: dt.date) -> dict[str, Unit]:
    if unit.exists(on) or unit.valid_from is None:
        return {unit.code: unit} if unit.exists(on) else {}
    eve = unit.valid_from - dt.timedelta(days=1)
    earlier = [areas.find(code, eve) for code in unit.predecessors]
    return {code: each for one in earlier if one is not None for code, each in _before(one, on).items()}


def _cover(
    code: str,
    on: dt.date,
    asked: tuple[set[str], dict[str, Recorded]],
    parts: list[Recorded],
    missing: list[str],
) -> None:
    """Cover the communes that are wanted by the largest units that have a record; none is counted twice."""
    wanted, known = asked
    below = {each.code for each in areas.communes_under(code, on)}
    if not below & wanted:
        return
    if below <= wanted and code in known:
        parts.append(known[code])
        return
    children = areas.children(code, on)
    if not children or (below <= wanted and not any(each.code in known for each in _all(code, on))):
        missing.append(code)
        return
    for each in children:
        _cover(each.code, on, asked, parts, missing)
