"""Places of the register: communes on a day, their villages, the recorded population of areas."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock, etags, outbox
from benvung.auth import Principal
from benvung.etags import Believed
from benvung.problems import FieldError
from households import store
from households.actions.refusals import (
    AreaNotFound,
    AreaTypeUnknown,
    CommuneUnknown,
    VillageInhabited,
    VillagesContradict,
)
from households.domain import AreaType, Place, Refused, normalise_name
from households.events import PopulationRecorded

VILLAGES_LIMIT = 999


def commune_on(code: str, on: dt.date, field: str) -> areas.Unit:
    """The commune that had this code on that day. Raises `CommuneUnknown`."""
    unit = areas.find(code, on)
    if unit is None or unit.level is not areas.Level.COMMUNE:
        raise CommuneUnknown(code, field)
    return unit


def place_on(commune: str, village: str, on: dt.date, field: str = "commune") -> Place:
    """A village's place with its commune's type on that day. Raises `CommuneUnknown`, `AreaTypeUnknown`."""
    unit = commune_on(commune, on, field)
    if unit.area_type is None:
        raise AreaTypeUnknown(commune, field)
    province = areas.province_of(commune, on)
    return Place(province.code if province else None, commune, village, AreaType(unit.area_type))


def recorded_place(commune: str, village: str, on: dt.date) -> Place:
    """Where something was recorded to be, also when its commune has turned out to have ended before that day."""
    unit = areas.last(commune, on)
    return place_on(commune, village, on if unit is None or unit.exists(on) else _last_day(unit))


def _last_day(unit: areas.Unit) -> dt.date:
    return dt.date.max if unit.valid_to is None else unit.valid_to - dt.timedelta(days=1)


def version_of(villages: Sequence[Any]) -> str:
    """The version of a commune's list of villages, as its ETag names it."""
    return etags.digest([(village.code, village.name) for village in villages])


async def put_villages(
    conn: AsyncConnection,
    principal: Principal,
    commune: str,
    listed: Sequence[tuple[str | None, str]],
    believed: Believed,
) -> None:
    """Make `listed` (code or None, name) the commune's whole list of villages.

    A village without a code keeps the one it has under its name, or gets the next free number. Raises
    `CommuneUnknown`, `OutsideArea`, `VillagesContradict`, `VillageInhabited`; `BeliefMissing` when there is a
    list and it is not said which version was read, `Changed` when that was an older one.
    """
    commune_on(commune, clock.today(), "commune")
    principal.scope().check(commune)
    await store.places.lock_commune(conn, commune)
    every = await store.places.villages_of(conn, commune, ended=True)
    known = [row for row in every if row.ended_on is None]
    if known:
        believed.demand()
    believed.check(version_of(known))
    present = {row.name_key: row.code for row in known}
    ended = {row.code for row in every if row.ended_on is not None}
    for number, (code, _) in enumerate(listed):
        if code in ended:
            raise _contradiction(
                f"body.villages.{number}.code",
                "thôn này thuộc xã cũ đã kết thúc",
                "this village was one of a commune that ended",
            )
    # No household can be in a village that ended, but one may have been.
    inhabited = await store.places.inhabited(conn, commune) - ended
    codes = _codes(commune, listed, present, inhabited | ended)
    gone = sorted(inhabited - set(codes))
    if gone:
        raise VillageInhabited(
            f"Các thôn {', '.join(gone)} có hộ trong sổ nên phải có trong danh sách.",
            f"The villages {', '.join(gone)} have households and must stay in the list.",
        )
    await store.places.put_villages(
        conn, commune, {code: (name, normalise_name(name)) for code, name in codes.items()}
    )
    await audit.record(conn, principal, "villages.listed", "commune", commune, {"villages": len(codes)})


def _codes(
    commune: str, listed: Sequence[tuple[str | None, str]], present: dict[str, str], taken: set[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    names: set[str] = set()
    free = free_codes(commune, {code for code, _ in listed if code} | set(present.values()) | taken)
    for number, (given, name) in enumerate(listed):
        key = normalise_name(name)
        code = given or present.get(key) or next(free, None)
        where = f"body.villages.{number}"
        if code is None:
            raise _contradiction(where, "hết mã thôn", "no village code is left")
        if not code.startswith(f"{commune}."):
            raise _contradiction(f"{where}.code", "mã thuộc xã khác", "the code is of another commune")
        if code in found or key in names:
            raise _contradiction(where, "mã hoặc tên bị trùng", "its code or name occurs twice")
        found[code] = name
        names.add(key)
    return found


def free_codes(commune: str, taken: set[str]) -> Iterator[str]:
    """Codes of villages that nobody has or had, in their order; `taken` may grow meanwhile."""
    return (
        code for number in range(1, VILLAGES_LIMIT + 1) if (code := f"{commune}.{number:02d}") not in taken
    )


def _contradiction(field: str, why_vi: str, why_en: str) -> VillagesContradict:
    return VillagesContradict(
        f"{field}: {why_vi}.",
        f"{field}: {why_en}.",
        errors=[FieldError(field, VillagesContradict.rule, f"{why_vi}.", f"{why_en}.")],
    )


async def record_population(
    conn: AsyncConnection,
    principal: Principal,
    area: str,
    *,
    households: int,
    persons: int,
    as_of: dt.date,
    source: str,
) -> uuid.UUID:
    """Record the population of an area of any level on a day; an earlier record of the day stays.

    Raises `AreaNotFound` when no unit had the code on that day, `OutsideArea`, and `Refused` when there
    are fewer persons than households.
    """
    if persons < households:
        raise Refused(
            "population-implausible",
            f"{persons} nhân khẩu không thể ít hơn {households} hộ.",
            f"{persons} persons cannot be fewer than {households} households.",
            "body.persons",
        )
    unit = areas.find(area, as_of)
    if unit is None or unit.level is areas.Level.COUNTRY:
        raise AreaNotFound
    principal.scope().check_area(area)
    province = areas.province_of(area, as_of)
    population_id = uuid.uuid4()
    event = PopulationRecorded(
        province=province.code if province else None,
        commune=area if unit.level is areas.Level.COMMUNE else None,
        revision=1,
        population_id=population_id,
        area=area,
        level=unit.level.value,
        households=households,
        persons=persons,
        as_of=as_of,
        source=source,
    )
    [sequence] = await outbox.publish(conn, [event])
    values = {
        "id": population_id,
        "sequence": sequence,
        "province": event.province,
        "area": area,
        "level": event.level,
        "households": households,
        "persons": persons,
        "as_of": as_of,
        "source": source,
    }
    await store.places.add_population(conn, values)
    await audit.record(conn, principal, "population.recorded", "area", area, {"sequence": sequence})
    return population_id
