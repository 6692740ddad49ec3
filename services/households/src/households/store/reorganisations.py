"""Reorganisations: what was decided, and where the households of the communes concerned went."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from households.tables import (
    area_types,
    households,
    placements,
    reorganisation_parts,
    reorganisations,
    village_places,
    villages,
)

# Who lived in one of the communes on the last day of the old units, and did not go elsewhere with the new ones.
_GATHER = """
with going as (select * from unnest(%(predecessors)s::text[], %(successors)s::text[]) as p(predecessor, successor)),
ever as (
  select distinct household_id from tellings
  where commune = any(%(predecessors)s::text[]) and (%(household)s::uuid is null or household_id = %(household)s)
), newest as (
  select distinct on (t.household_id) t.household_id, t.commune, t.village, t.status, t.kind, t.fact
  from tellings t join ever using (household_id)
  where t.kind <> 'ANNULLED' and t.holds_from < %(on)s
    and not exists (select from tellings r where r.replaces = t.sequence)
  order by t.household_id, t.holds_from desc, t.sequence desc
)
insert into placements (reorganisation_id, household_id, holds_from, predecessor, village, successor)
select %(id)s, n.household_id, %(on)s, n.commune, n.village, g.successor
from newest n join going g on g.predecessor = n.commune
left join changes c on n.kind = 'REGISTERED' and c.sequence = n.fact
where n.status = 'ACTIVE' and (c.sequence is null or c.changed_on < %(on)s)
  and not exists (
    select from tellings gone where gone.household_id = n.household_id and gone.holds_from = %(on)s
      and gone.kind in ('LEFT', 'CLOSED')
      and not exists (select from tellings r where r.replaces = gone.sequence))
on conflict do nothing
"""
_PENDING = """
select reorganisation_id, household_id, holds_from, predecessor, village, successor from placements
where state = 'PENDING' order by holds_from, household_id limit %s for no key update skip locked
"""
_MOVED = """
update placements p set state = r.state, fact = r.fact, refused = r.refused, moved_at = clock_timestamp()
from jsonb_to_recordset(%s) as r(reorganisation_id uuid, household_id uuid, state text, fact bigint, refused text)
where p.reorganisation_id = r.reorganisation_id and p.household_id = r.household_id
"""


@dataclass(frozen=True, slots=True)
class Going:
    """A household on its way from a commune that ended to the one it belongs to."""

    reorganisation_id: uuid.UUID
    household_id: uuid.UUID
    on: dt.date
    predecessor: str
    village: str
    successor: str


@dataclass(frozen=True, slots=True)
class Gone:
    """How that ended: by which fact, or by which rule it was refused."""

    going: Going
    state: str
    fact: int | None
    refused: str | None = None


async def add(conn: AsyncConnection, values: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> None:
    """Store a reorganisation with its parts."""
    await conn.execute(reorganisations.insert().values(values))
    await conn.execute(reorganisation_parts.insert(), list(parts))


async def lock(conn: AsyncConnection) -> None:
    """One reorganisation at a time: each rests on the units that the one before it left."""
    await conn.execute(sa.text("select pg_advisory_xact_lock(hashtext('reorganisations'))"))


async def add_type(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Store what a document says of a commune's type."""
    await conn.execute(area_types.insert().values(values))


async def types_of(conn: AsyncConnection, commune: str) -> Sequence[sa.Row[Any]]:
    """All documents on a commune's type, the newest first."""
    query = sa.select(area_types).where(area_types.c.commune == commune)
    return (await conn.execute(query.order_by(area_types.c.sequence.desc()))).all()


async def type_of_id(conn: AsyncConnection, area_type_id: uuid.UUID) -> sa.Row[Any] | None:
    """One of these documents."""
    return (await conn.execute(sa.select(area_types).where(area_types.c.id == area_type_id))).one_or_none()


async def parts(
    conn: AsyncConnection, since: dt.date | None = None, unknown_at: dt.datetime | None = None
) -> Sequence[sa.Row[Any]]:
    """What became of each commune, in the order of the days.

    When asked, only what came after day `since`, or was not recorded yet at the moment `unknown_at`.
    """
    query = sa.select(reorganisation_parts)
    later = []
    if since is not None:
        later.append(reorganisation_parts.c.holds_from > since)
    if unknown_at is not None:
        query = query.join(reorganisations)
        later.append(reorganisations.c.recorded_at > unknown_at)
    if later:
        query = query.where(sa.or_(*later))
    columns = (reorganisation_parts.c.holds_from, reorganisation_parts.c.predecessor)
    return (await conn.execute(query.order_by(*columns))).all()


_OF_THIS = reorganisation_parts.alias("of_this")
_PARTS_IF_IT_WAS = (
    sa.select(reorganisation_parts)
    .where(sa.exists().where(_OF_THIS.c.predecessor == sa.bindparam("commune")))
    .order_by(reorganisation_parts.c.holds_from, reorganisation_parts.c.predecessor)
)


async def parts_if_it_was(conn: AsyncConnection, commune: str) -> Sequence[sa.Row[Any]]:
    """What became of each commune, if this one was reorganised; nothing otherwise."""
    return (await conn.execute(_PARTS_IF_IT_WAS, {"commune": commune})).all()


async def parts_of(conn: AsyncConnection, reorganisation_id: uuid.UUID) -> Sequence[sa.Row[Any]]:
    """The parts of one reorganisation."""
    query = sa.select(reorganisation_parts).where(
        reorganisation_parts.c.reorganisation_id == reorganisation_id
    )
    return (await conn.execute(query.order_by(reorganisation_parts.c.predecessor))).all()


async def part_waiting(conn: AsyncConnection, waiting: str) -> sa.Row[Any] | None:
    """The divided commune whose households wait under this code."""
    query = sa.select(reorganisation_parts).where(reorganisation_parts.c.waiting == waiting)
    return (await conn.execute(query)).one_or_none()


async def recorded(conn: AsyncConnection, reorganisation_id: uuid.UUID) -> sa.Row[Any] | None:
    """One reorganisation, or nothing."""
    query = sa.select(reorganisations).where(reorganisations.c.id == reorganisation_id)
    return (await conn.execute(query)).one_or_none()


def listed() -> sa.Select[Any]:
    """All reorganisations."""
    return sa.select(reorganisations)


async def progress(conn: AsyncConnection, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    """How many households of each reorganisation are in which state."""
    query = (
        sa.select(placements.c.reorganisation_id, placements.c.state, sa.func.count())
        .where(placements.c.reorganisation_id.in_(list(ids)))
        .group_by(placements.c.reorganisation_id, placements.c.state)
    )
    found: dict[uuid.UUID, dict[str, int]] = {each: {} for each in ids}
    for reorganisation_id, state, number in await conn.execute(query):
        found[reorganisation_id][state] = number
    return found


async def gather(
    conn: AsyncConnection,
    reorganisation_id: uuid.UUID,
    on: dt.date,
    going: Mapping[str, str],
    household: uuid.UUID | None = None,
) -> None:
    """Put the households of communes that end on their way, each to its successor or where it waits."""
    given = {
        "id": reorganisation_id,
        "on": on,
        "predecessors": list(going),
        "successors": list(going.values()),
        "household": household,
    }
    await (await db.driver(conn)).execute(_GATHER, given)


async def left_behind(conn: AsyncConnection, reorganisation_id: uuid.UUID, communes: Collection[str]) -> int:
    """How many households the register has in communes that ended, which did not live there when they did."""
    going = sa.exists().where(
        placements.c.household_id == households.c.id, placements.c.reorganisation_id == reorganisation_id
    )
    query = sa.select(sa.func.count()).where(
        households.c.commune.in_(list(communes)), households.c.status == "ACTIVE", ~going
    )
    return int((await conn.execute(query)).scalar_one())


async def pending(conn: AsyncConnection, limit: int) -> list[Going]:
    """Households still on their way, locked for this transaction, the earliest reorganisation first."""
    cursor = await (await db.driver(conn)).execute(_PENDING, (limit,))
    return [Going(*row) for row in await cursor.fetchall()]


async def moved(conn: AsyncConnection, gone: Sequence[Gone]) -> None:
    """Note how it ended for each of these."""
    rows = [
        {
            "reorganisation_id": each.going.reorganisation_id,
            "household_id": each.going.household_id,
            "state": each.state,
            "fact": each.fact,
            "refused": each.refused,
        }
        for each in gone
    ]
    if rows:
        await (await db.driver(conn)).execute(_MOVED, (db.as_json(rows),))


async def waiting(
    conn: AsyncConnection, waits_in: str, ids: Collection[uuid.UUID] | None, villages: Collection[str] | None
) -> list[tuple[Going, int]]:
    """Households that wait under a code, locked, with the fact by which they came there."""
    query = sa.select(placements).where(placements.c.successor == waits_in, placements.c.state == "WAITING")
    if ids is not None:
        query = query.where(placements.c.household_id.in_(list(ids)))
    if villages is not None:
        query = query.where(placements.c.village.in_(list(villages)))
    rows = await conn.execute(query.order_by(placements.c.household_id).with_for_update(key_share=True))
    return [
        (
            Going(
                row.reorganisation_id,
                row.household_id,
                row.holds_from,
                row.predecessor,
                row.village,
                row.successor,
            ),
            row.fact,
        )
        for row in rows
    ]


def waiting_query(waits_in: Collection[str] | None, village: str | None) -> sa.Select[Any]:
    """Households without a choice, with their heads, by where they wait and their old village."""
    joined = placements.join(households, households.c.id == placements.c.household_id)
    query = (
        sa.select(
            placements.c.reorganisation_id,
            placements.c.holds_from,
            placements.c.predecessor,
            placements.c.village,
            placements.c.successor,
            placements.c.household_id,
            households.c.head_name,
            households.c.members,
            households.c.poverty_class,
        )
        .select_from(joined)
        .where(placements.c.state == "WAITING")
    )
    if waits_in is not None:
        query = query.where(placements.c.successor.in_(list(waits_in)))
    return query if village is None else query.where(placements.c.village == village)


async def waiting_villages(
    conn: AsyncConnection, waits_in: Collection[str]
) -> list[tuple[str, str, str | None, int]]:
    """How many households wait, by code and old village."""
    query = (
        sa.select(placements.c.successor, placements.c.village, villages.c.name, sa.func.count())
        .select_from(
            placements.outerjoin(
                villages,
                sa.and_(
                    villages.c.commune == placements.c.predecessor, villages.c.code == placements.c.village
                ),
            )
        )
        .where(placements.c.state == "WAITING", placements.c.successor.in_(list(waits_in)))
        .group_by(placements.c.successor, placements.c.village, villages.c.name)
        .order_by(placements.c.successor, placements.c.village)
    )
    return [(row[0], row[1], row[2], int(row[3])) for row in await conn.execute(query)]


async def unsettled(conn: AsyncConnection, commune: str, on: dt.date) -> int:
    """How many households that may belong to a commune on a day are on their way or wait for a choice."""
    part = reorganisation_parts
    joined = placements.join(
        part,
        sa.and_(
            part.c.reorganisation_id == placements.c.reorganisation_id,
            part.c.predecessor == placements.c.predecessor,
        ),
    )
    query = (
        sa.select(sa.func.count())
        .select_from(joined)
        .where(
            placements.c.state.in_(("PENDING", "WAITING")),
            placements.c.holds_from <= on,
            part.c.successors.contains([commune]),
        )
    )
    return int((await conn.execute(query)).scalar_one())


async def chosen(conn: AsyncConnection, going: Going, successor: str, fact: int, chosen_by: str) -> None:
    """A household that waited belongs to this commune."""
    await conn.execute(
        placements.update()
        .where(
            placements.c.reorganisation_id == going.reorganisation_id,
            placements.c.household_id == going.household_id,
        )
        .values(
            successor=successor,
            fact=fact,
            state="CHOSEN",
            chosen_by=chosen_by,
            moved_at=sa.func.clock_timestamp(),
        )
    )


async def villages_of(conn: AsyncConnection, communes: Collection[str]) -> Sequence[sa.Row[Any]]:
    """All villages of these codes, ended or not, in their order."""
    query = sa.select(villages).where(villages.c.commune.in_(list(communes)))
    return (await conn.execute(query.order_by(villages.c.commune, villages.c.code))).all()


async def end_villages(conn: AsyncConnection, communes: Collection[str], on: dt.date) -> None:
    """The villages listed under these codes are of the units that end."""
    await conn.execute(
        villages.update()
        .where(villages.c.commune.in_(list(communes)), villages.c.ended_on.is_(None))
        .values(ended_on=on)
    )


async def put_village(
    conn: AsyncConnection, code: str, name: str, key: str, ended_on: dt.date | None = None
) -> None:
    """Enter a village of a new commune, or let one go on under the code it has."""
    commune = code.partition(".")[0]
    insert = pg.insert(villages).values(
        commune=commune, code=code, name=name, name_key=key, ended_on=ended_on
    )
    await conn.execute(
        insert.on_conflict_do_update(
            index_elements=["commune", "code"],
            set_={"name": name, "name_key": key, "ended_on": ended_on},
        )
    )


async def place_village(
    conn: AsyncConnection, reorganisation_id: uuid.UUID, old: str, commune: str, village: str
) -> None:
    """Note which village of a new commune one of an old commune is."""
    await conn.execute(
        pg.insert(village_places)
        .values(reorganisation_id=reorganisation_id, old_village=old, commune=commune, village=village)
        .on_conflict_do_nothing()
    )


async def placed_villages(
    conn: AsyncConnection, ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, str, str], str]:
    """The village of a new commune by reorganisation, old village and commune."""
    query = sa.select(village_places).where(village_places.c.reorganisation_id.in_(list(ids)))
    return {
        (row.reorganisation_id, row.old_village, row.commune): row.village
        for row in await conn.execute(query)
    }
