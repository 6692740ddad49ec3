"""A reorganisation of communes: recorded as a whole, told, and then every household goes along.

Each household's way from the old commune to the new one is a fact of its own history, told by `left` and
`arrived` as a move is, but no movement of any list. Events carry state: whoever holds only the newest event of
a household has its commune right, the counts of both units are exact on every day, a late or corrected fact of
before is told again by the code that does so anyway, and nobody downstream has to know what a reorganisation
is. A province's register is as large as one annual review of it, which goes the same way.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import areas, audit, clock, outbox, reorganised
from benvung.auth import Principal
from households import store
from households.actions.areas import free_codes
from households.actions.refusals import AreaNotFound
from households.domain import Refused, normalise_name
from households.domain.reorganisation import (
    AreaChange,
    Checked,
    Commune,
    Document,
    Known,
    Part,
    Plan,
    check,
)
from households.domain.terms import AreaType
from households.events import AreaPart, AreaReorganised, AreaTyped, AreaUnit
from households.store.reorganisations import Going

ONE_DAY = dt.timedelta(days=1)


async def record(conn: AsyncConnection, principal: Principal, plan: Plan) -> uuid.UUID:
    """Record a reorganisation and tell it. Its households are put on their way; the background work moves them.

    Raises `OutsideArea` unless all old and new communes are the principal's, and the domain's `Refused`.
    """
    await store.reorganisations.lock(conn)
    units, types = await reorganised.load(conn)
    areas.learn(units, types)
    checked = check(plan, known_around(plan), clock.today())
    _check_scope(principal, plan, checked)
    waiting = checked.waiting_of({unit.code for unit in units})
    told = [*_changed_units(plan, checked), *_waiting_units(plan, checked, waiting)]
    provinces = {each.province for each in checked.beginning}
    reorganisation_id = uuid.uuid4()
    event = AreaReorganised(
        province=provinces.pop() if len(provinces) == 1 else None,
        commune=None,
        revision=1,
        reorganisation_id=reorganisation_id,
        on=plan.on,
        document_number=plan.document.number,
        document_date=plan.document.issued_on,
        parts=tuple(
            AreaPart(
                predecessor=part.predecessor,
                kind=(part.kind or AreaChange.KEPT).value,
                successors=part.successors,
                waiting=waiting.get(part.predecessor),
            )
            for part in checked.parts
        ),
        units=tuple(AreaUnit.model_validate(reorganised.as_data(unit)) for unit in told),
    )
    [sequence] = await outbox.publish(conn, [event])
    await reorganised.keep(conn, sequence, [reorganised.as_data(unit) for unit in told])
    values = {
        "id": reorganisation_id,
        "sequence": sequence,
        "holds_from": plan.on,
        "document_number": plan.document.number,
        "document_date": plan.document.issued_on,
        "recorded_by": principal.subject,
    }
    rows = [each | {"reorganisation_id": reorganisation_id} for each in _rows(plan, checked, waiting)]
    await store.reorganisations.add(conn, values, rows)
    await _place_villages(conn, plan.on, reorganisation_id, checked, waiting)
    await store.reorganisations.gather(conn, reorganisation_id, plan.on, _going(checked.parts, waiting))
    await _check_nobody_left(conn, reorganisation_id, checked)
    detail = {"document": plan.document.number, "on": plan.on.isoformat(), "communes": len(plan.parts)}
    await audit.record(conn, principal, "areas.reorganised", "reorganisation", str(reorganisation_id), detail)
    return reorganisation_id


async def _check_nobody_left(conn: AsyncConnection, reorganisation_id: uuid.UUID, checked: Checked) -> None:
    ended = {each.code for each in checked.ending} - {each.code for each in checked.beginning}
    number = await store.reorganisations.left_behind(conn, reorganisation_id, ended)
    if number:
        raise Refused(
            "entered-after-reorganisation",
            f"{number} hộ đã được ghi vào xã cũ từ ngày xã đó không còn nữa; hãy huỷ hoặc ghi lại các hộ này trước.",
            f"{number} households were entered in a former commune for days on which it was no more; annul or"
            " enter them anew first.",
            "body.on",
        )


def _going(parts: Sequence[Part], waiting: Mapping[str, str]) -> dict[str, str]:
    return {part.predecessor: waiting.get(part.predecessor, part.successors[0]) for part in parts}


def _rows(plan: Plan, checked: Checked, waiting: Mapping[str, str]) -> list[dict[str, Any]]:
    names = {each.code: each.name for each in checked.ending}
    return [
        {
            "predecessor": part.predecessor,
            "holds_from": plan.on,
            "name": names[part.predecessor],
            "kind": part.kind,
            "successors": list(part.successors),
            "waiting": waiting.get(part.predecessor),
        }
        for part in checked.parts
    ]


def _check_scope(principal: Principal, plan: Plan, checked: Checked) -> None:
    """What is the principal's is said by the units of today: those that begin, and those that still are."""
    scope = principal.scope()
    listed = {each.code for each in known_around(plan).starting.values()}
    for unit in checked.beginning:
        if unit.code in listed:
            scope.check(unit.code)
        else:
            scope.check_area(unit.province)
    for unit in checked.ending:
        if unit.ends is None:
            scope.check(unit.code)


def known_around(plan: Plan) -> Known:
    """What the list of units, with all that was recorded since, knows of the day and the day before."""
    before = plan.on - ONE_DAY
    starting = {unit.code: _commune(unit, plan.on) for unit in areas.starting(plan.on)}
    asked = {part.predecessor for part in plan.parts} | {
        code for part in plan.parts for code in part.successors
    }
    asked |= {code for each in starting.values() for code in each.predecessors}
    return Known(
        before={code: _commune(unit, before) for code in asked if (unit := _commune_on(code, before))},
        after={code: _commune(unit, plan.on) for code in asked if (unit := _commune_on(code, plan.on))},
        starting={code: each for code, each in starting.items() if code.isdigit()},
    )


def _commune_on(code: str, on: dt.date) -> areas.Unit | None:
    unit = areas.find(code, on)
    return unit if unit is not None and unit.level is areas.Level.COMMUNE else None


def _commune(unit: areas.Unit, on: dt.date) -> Commune:
    found = areas.find(unit.code, on) or unit
    province = areas.province_of(unit.code, on)
    return Commune(
        unit.code,
        unit.name,
        province.code if province else "",
        None if found.area_type is None else AreaType(found.area_type),
        unit.valid_from,
        unit.valid_to,
        unit.predecessors,
    )


def _changed_units(plan: Plan, checked: Checked) -> Iterator[areas.Unit]:
    """The units that the list does not have as they are now: they end, or begin, by this document alone."""
    for old in checked.ending:
        unit = areas.find(old.code, plan.on - ONE_DAY)
        if unit is not None and unit.valid_to is None:
            yield areas.Unit(
                unit.code,
                unit.name,
                unit.level,
                unit.parent,
                unit.area_type,
                unit.valid_from,
                plan.on,
                unit.predecessors,
            )
    new = {each.code for each in plan.new}
    for each in checked.beginning:
        if each.code in new and each.begins is None:
            sources = [part.predecessor for part in checked.parts if each.code in part.successors]
            yield areas.Unit(
                each.code,
                each.name,
                areas.Level.COMMUNE,
                each.province,
                None if each.area_type is None else areas.AreaType(each.area_type),
                plan.on,
                None,
                tuple(sources),
            )


def _waiting_units(plan: Plan, checked: Checked, waiting: Mapping[str, str]) -> Iterator[areas.Unit]:
    new = {each.code: each for each in checked.beginning}
    old = {each.code: each for each in checked.ending}
    for part in checked.parts:
        if part.predecessor in waiting:
            was, first = old[part.predecessor], new[part.successors[0]]
            kind = was.area_type or first.area_type
            yield areas.Unit(
                waiting[part.predecessor],
                f"Chưa phân địa bàn ({was.name} cũ)",
                areas.Level.COMMUNE,
                first.province,
                None if kind is None else areas.AreaType(kind),
                plan.on,
                None,
                (part.predecessor,),
            )


async def _place_villages(
    conn: AsyncConnection,
    on: dt.date,
    reorganisation_id: uuid.UUID,
    checked: Checked,
    waiting: Mapping[str, str],
) -> None:
    """List the villages of the old communes in the new ones; one of a divided commune waits with it."""
    going = _going(checked.parts, waiting)
    known = await store.reorganisations.villages_of(conn, {*going, *going.values()})
    new = {each.code for each in checked.beginning}
    taken = {row.code for row in known}
    names: dict[str, set[str]] = {}
    old_names = {each.code: each.name for each in checked.ending}
    await store.reorganisations.end_villages(conn, {*going, *new}, on)
    # A village that keeps its commune's code keeps its own name and code before others come.
    for row in sorted(known, key=lambda row: (going.get(row.commune) != row.commune, row.commune, row.code)):
        if row.commune not in going or row.ended_on is not None:
            continue
        commune = going[row.commune]
        village = row.code if commune == row.commune else next(free_codes(commune, taken))
        name = _own_name(row.name, old_names[row.commune], names.setdefault(commune, set()))
        await store.reorganisations.put_village(conn, village, name, normalise_name(name))
        await store.reorganisations.place_village(conn, reorganisation_id, row.code, commune, village)
        taken.add(village)


def _own_name(name: str, commune: str, taken: set[str]) -> str:
    """A village's name, with its old commune's behind it where the new commune has that name already."""
    own = name if normalise_name(name) not in taken else f"{name} ({commune} cũ)"
    number = 2
    while normalise_name(own) in taken:
        own, number = f"{name} ({commune} cũ, {number})", number + 1
    taken.add(normalise_name(own))
    return own


async def village_for(conn: AsyncConnection, going: Going, commune: str) -> str:
    """The village of a new commune in which a household's old one goes on, entered when it is first needed.

    A choice may come when the commune chosen has itself become another one: then so has the village.
    """
    placed = await store.reorganisations.placed_villages(conn, [going.reorganisation_id])
    found = placed.get((going.reorganisation_id, going.village, commune))
    if found is not None:
        return found
    await store.places.lock_commune(conn, commune)
    known = await store.reorganisations.villages_of(conn, {going.predecessor, commune})
    name = next((row.name for row in known if row.code == going.village), going.village)
    present = {row.name_key for row in known if row.commune == commune and row.ended_on is None}
    parts = await store.reorganisations.parts_of(conn, going.reorganisation_id)
    old = next((part.name for part in parts if part.predecessor == going.predecessor), going.predecessor)
    own = _own_name(name, old, present)
    village = next(free_codes(commune, {row.code for row in known}))
    unit = areas.find(commune, going.on)
    ended_on = None if unit is None else unit.valid_to
    await store.reorganisations.put_village(conn, village, own, normalise_name(own), ended_on)
    await store.reorganisations.place_village(conn, going.reorganisation_id, going.village, commune, village)
    return village


async def follow_on(
    conn: AsyncConnection, household_id: uuid.UUID | None, places: Collection[tuple[str, dt.date]]
) -> None:
    """Put a household on its way that a late fact brought into a commune which has been reorganised since.

    None: all of that commune.
    """
    for commune, on in places:
        unit = areas.find(commune, on)
        if unit is None or unit.valid_to is None or unit.valid_to > clock.today():
            continue
        for part in await store.reorganisations.parts(conn, unit.valid_to - ONE_DAY):
            if part.predecessor == commune and part.holds_from == unit.valid_to:
                going = {commune: part.waiting or part.successors[0]}
                await store.reorganisations.gather(
                    conn, part.reorganisation_id, part.holds_from, going, household_id
                )


async def state_type(
    conn: AsyncConnection,
    principal: Principal,
    commune: str,
    *,
    area_type: AreaType,
    valid_from: dt.date,
    valid_to: dt.date | None,
    document: Document,
) -> uuid.UUID:
    """Record what a document says of a commune's type from a day on; an earlier record stays.

    What was decided before rests on the type that was known then. Raises `AreaNotFound`, `OutsideArea`, and
    `Refused` for a time that ends before it begins.
    """
    if valid_to is not None and valid_to <= valid_from:
        raise Refused(
            "area-type-ends-before-it-begins",
            f"Ngày hết hiệu lực {valid_to:%d/%m/%Y} phải sau ngày có hiệu lực {valid_from:%d/%m/%Y}.",
            f"The day on which it ends, {valid_to.isoformat()}, must be later than {valid_from.isoformat()}, on which it"
            " begins.",
            "body.valid_to",
        )
    unit = _commune_on(commune, valid_from)
    if unit is None:
        raise AreaNotFound
    principal.scope().check(commune)
    province = areas.province_of(commune, valid_from)
    area_type_id = uuid.uuid4()
    event = AreaTyped(
        province=province.code if province else None,
        commune=commune,
        revision=1,
        area_type_id=area_type_id,
        area=commune,
        area_type=area_type.value,
        valid_from=valid_from,
        valid_to=valid_to,
        document_number=document.number,
        document_date=document.issued_on,
    )
    [sequence] = await outbox.publish(conn, [event])
    await reorganised.state(
        conn, sequence, areas.TypeOfArea(commune, areas.AreaType(area_type), valid_from, valid_to)
    )
    values = {
        "id": area_type_id,
        "sequence": sequence,
        "commune": commune,
        "area_type": area_type,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "document_number": document.number,
        "document_date": document.issued_on,
        "recorded_by": principal.subject,
    }
    await store.reorganisations.add_type(conn, values)
    await audit.record(conn, principal, "area.typed", "area", commune, {"sequence": sequence})
    return area_type_id
