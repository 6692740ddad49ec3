"""Combinations of deprived indicators: those of decisions that lack theirs yet, and which are in force."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from households.tables import decisions

_UNCOMBINED = (decisions.c.flags.is_not(None), decisions.c.combination_id.is_(None))


@dataclass(frozen=True, slots=True)
class Uncombined:
    """A decision whose combination is not known yet."""

    decision_id: uuid.UUID
    standard: str
    flags: bytes


async def are_left(conn: AsyncConnection) -> bool:
    """Whether some decision with flags has no combination yet."""
    query = sa.select(decisions.c.decision_id).where(*_UNCOMBINED).limit(1)
    return (await conn.execute(query)).first() is not None


async def next_ones(conn: AsyncConnection, limit: int) -> list[Uncombined]:
    """The next decisions without a combination that nobody else is working on; locked."""
    query = (
        sa.select(decisions.c.decision_id, decisions.c.standard, decisions.c.flags)
        .where(*_UNCOMBINED)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Uncombined(*row) for row in await conn.execute(query)]


async def assign(conn: AsyncConnection, found: Sequence[tuple[Uncombined, bytes]]) -> None:
    """Enter the combinations of these fingerprints that are new, and give each decision its own."""
    pg = await db.driver(conn)
    known = {key: each for each, key in found}
    keys = sorted(known)
    await pg.execute(
        "insert into combinations (standard, fingerprint, flags)"
        " select standard, key, flags from unnest(%b::text[], %b::bytea[], %b::bytea[])"
        " with ordinality as g(standard, key, flags, place)"
        " where not exists (select from combinations k where k.fingerprint = key)"
        " order by place on conflict do nothing",
        ([known[key].standard for key in keys], keys, [known[key].flags for key in keys]),
    )
    cursor = await pg.execute(
        "update decisions d set combination_id = k.id"
        " from unnest(%b::uuid[], %b::bytea[]) as g(decision_id, key)"
        " join combinations k on k.fingerprint = g.key where d.decision_id = g.decision_id"
        " returning d.household_id",
        ([each.decision_id for each, _ in found], [key for _, key in found]),
    )
    await follow(conn, {row[0] for row in await cursor.fetchall()})


_FOLLOW = """insert into household_combinations as known (household_id, commune, combination_id, cause_set_id)
 select asked.id, coalesce(n.commune, ''), case when n.status = 'ACTIVE' then g.combination_id end,
 case when n.status = 'ACTIVE' then g.cause_set_id end
 from (select id from unnest(%s::uuid[]) as given(id) order by id) asked
 left join lateral (
   select t.commune, t.status from tellings t
   where t.household_id = asked.id and t.kind <> 'ANNULLED'
   and not exists (select from tellings r where r.replaces = t.sequence)
   order by t.holds_from desc, t.sequence desc limit 1) n on true
 left join lateral (
   select t.fact from tellings t
   where t.household_id = asked.id and t.kind <> 'ANNULLED'
   and (t.stage = 'OFFICIAL' or t.kind = 'ARRIVED' and t.leg = 0)
   and not exists (select from tellings r where r.replaces = t.sequence)
   order by t.holds_from desc, t.sequence desc limit 1) f on true
 left join decisions g on g.sequence = f.fact
 on conflict (household_id) do update set commune = excluded.commune, combination_id = excluded.combination_id,
 cause_set_id = excluded.cause_set_id
 where (known.commune, known.combination_id, known.cause_set_id)
 is distinct from (excluded.commune, excluded.combination_id, excluded.cause_set_id)"""


async def follow(conn: AsyncConnection, households: Collection[uuid.UUID]) -> None:
    """Bring what is known of the combinations and causes of these households to what is told of them now."""
    if households:
        await (await db.driver(conn)).execute(_FOLLOW, (list(households),))
