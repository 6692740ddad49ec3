"""Standards of provinces as administrators loaded them, and what each decision comes to by them.

A load is never changed; of one code the newest counts. The result of a decision is written once for each load
that concerns it. `local_classes` holds of each household what its newest standing official decision comes to.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from households.domain import Standard, parse_local
from households.tables import decisions, local_classes, local_results, local_standards, reviews, tellings


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: the standard as the rules read it, the national one it stands beside, who loaded it when."""

    id: uuid.UUID
    standard: Standard
    base: str
    document: Mapping[str, Any]
    loaded_by: str
    recorded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """A distinct combination of what decisions rest on: area type, points and, where asked for, the flags."""

    area_type: str
    b1_points: int
    b2_points: int
    combination_id: int | None
    flags: bytes | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a decision comes to; no class where a rule says that there is none."""

    household_class: str | None
    b2_points: int | None
    why: Mapping[str, Any]


def parsed(content: Mapping[str, Any]) -> Standard:
    """The standard of what was given as JSON has it. Raises the domain's `Refused`, `StandardFileInvalid`."""
    day = dt.date.fromisoformat
    raw = {key: value for key, value in content.items() if key != "document"}
    return parse_local(raw | {"valid_from": day(content["valid_from"]), "valid_to": day(content["valid_to"])})


async def lock(conn: AsyncConnection) -> None:
    """Keep others from loading a standard, or deciding by one, until this transaction ends."""
    await conn.execute(sa.text("select pg_advisory_xact_lock(hashtextextended('local standards', 0))"))


async def share(conn: AsyncConnection) -> bool:
    """Keep a standard from being loaded from now to this transaction's end; whether any was loaded before."""
    driver = await db.driver(conn)
    # One round trip, and two statements: what the second sees was committed before the lock was given.
    cursor = await driver.execute(
        "select pg_advisory_xact_lock_shared(hashtextextended('local standards', 0));"
        " select exists (select from local_standards)"
    )
    cursor.nextset()
    found = await cursor.fetchone()
    return bool(found and found[0])


async def add(
    conn: AsyncConnection, load_id: uuid.UUID, standard: Standard, content: Mapping[str, Any], by: str
) -> None:
    """Store a load."""
    await conn.execute(
        local_standards.insert().values(
            id=load_id, code=standard.code, province=standard.scope, content=dict(content), loaded_by=by
        )
    )


async def loads(conn: AsyncConnection, province: str | None = None) -> list[Loaded]:
    """Every load, the first one first."""
    query = sa.select(local_standards).order_by(local_standards.c.sequence)
    if province is not None:
        query = query.where(local_standards.c.province == province)
    return [_loaded(row) for row in await conn.execute(query)]


async def that_count(conn: AsyncConnection, province: str) -> list[Loaded]:
    """Of each standard of a province its newest load."""
    return list({each.standard.code: each for each in await loads(conn, province)}.values())


async def holding(conn: AsyncConnection, on: dt.date) -> list[Loaded]:
    """Of each standard its newest load, those that hold on a day."""
    newest = {each.standard.code: each for each in await loads(conn)}
    return [each for each in newest.values() if each.standard.valid_on(on)]


async def provinces_with_own(conn: AsyncConnection, on: dt.date) -> frozenset[str]:
    """The provinces in which a standard of their own holds on a day."""
    return frozenset(each.standard.scope for each in await holding(conn, on))


async def of_code(conn: AsyncConnection, code: str) -> list[Loaded]:
    """All loads of a standard, the first one first."""
    query = sa.select(local_standards).where(local_standards.c.code == code)
    return [_loaded(row) for row in await conn.execute(query.order_by(local_standards.c.sequence))]


def _loaded(row: sa.Row[Any]) -> Loaded:
    content = row.content
    standard = parsed(content)
    return Loaded(row.id, standard, content["base"], content["document"], row.loaded_by, row.recorded_at)


_CONCERNED = """from decisions d join reviews v on v.id = d.review_id
 where v.province = %(province)s and d.standard = %(base)s and d.valid_from between %(first)s and %(last)s"""
_DISTINCT = f"""with facts as (select distinct d.inputs->>'area_type' as area_type, d.b1_points, d.b2_points,
 case when %(flags)s then d.combination_id end as combination_id {_CONCERNED})
 select f.*, c.flags from facts f left join combinations c on c.id = f.combination_id"""
_JUDGED = f"""insert into local_results (decision, local_standard, household_id, standard, class, b2_points, why)
 select d.sequence, %(load)s, d.household_id, %(code)s, r.class, r.own_points, r.why
 {
    _CONCERNED.replace(
        " where ",
        '''
 join jsonb_to_recordset(%(rows)s) as r(area_type text, b1_points int, b2_points int, combination_id bigint,
 class text, own_points int, why jsonb) on r.area_type = d.inputs->>'area_type' and r.b1_points = d.b1_points
 and r.b2_points = d.b2_points
 and r.combination_id is not distinct from case when %(flags)s then d.combination_id end where ''',
    )
}
 on conflict do nothing returning household_id"""
_ONE_BY_ONE = """insert into local_results (decision, local_standard, household_id, standard, class, b2_points, why)
 select decision, local_standard, household_id, standard, class, b2_points, why from jsonb_to_recordset(%s) as
 r(decision bigint, local_standard uuid, household_id uuid, standard text, class text, b2_points int, why jsonb)"""
_REFRESH = """with standing as (
  select distinct on (d.household_id) d.household_id, d.sequence, d.valid_from from decisions d
  join tellings t on t.household_id = d.household_id and t.fact = d.sequence and t.kind = 'CLASSIFIED'
  where d.household_id = any(%(ids)s::uuid[]) and d.stage = 'OFFICIAL'
   and not exists (select from tellings l where l.replaces = t.sequence)
  order by d.household_id, d.valid_from desc, d.sequence desc),
 found as (
  select distinct on (s.household_id) s.household_id, p.province, r.standard, r.class, s.valid_from, s.sequence
  from standing s join local_results r on r.decision = s.sequence
  join local_standards p on p.id = r.local_standard order by s.household_id, p.sequence desc),
 gone as (
  delete from local_classes c where c.household_id = any(%(ids)s::uuid[])
   and not exists (select from found f where f.household_id = c.household_id))
 insert into local_classes (household_id, province, standard, class, since, decision)
 select household_id, province, standard, class, valid_from, sequence from found
 on conflict (household_id) do update set province = excluded.province, standard = excluded.standard,
  class = excluded.class, since = excluded.since, decision = excluded.decision"""


def _concerned(loaded: Loaded) -> dict[str, Any]:
    own = loaded.standard
    return {"province": own.scope, "base": loaded.base, "first": own.valid_from, "last": own.valid_to}


async def facts_concerned(conn: AsyncConnection, loaded: Loaded, *, flags: bool) -> list[Facts]:
    """The distinct combinations of facts in the decisions that a standard concerns."""
    driver = await db.driver(conn)
    cursor = await driver.execute(_DISTINCT, {**_concerned(loaded), "flags": flags})
    return [Facts(*row) for row in await cursor.fetchall()]


async def judge_all(
    conn: AsyncConnection, loaded: Loaded, results: Sequence[tuple[Facts, Result]], *, flags: bool
) -> list[uuid.UUID]:
    """Write the results of all decisions that a standard concerns; returns whose they are."""
    rows = [
        {
            "area_type": facts.area_type,
            "b1_points": facts.b1_points,
            "b2_points": facts.b2_points,
            "combination_id": facts.combination_id,
            "class": found.household_class,
            "own_points": found.b2_points,
            "why": dict(found.why),
        }
        for facts, found in results
    ]
    given = {"load": loaded.id, "code": loaded.standard.code, "rows": db.as_json(rows), "flags": flags}
    cursor = await (await db.driver(conn)).execute(_JUDGED, {**_concerned(loaded), **given})
    return sorted({row[0] for row in await cursor.fetchall()})


async def add_results(
    conn: AsyncConnection, loaded: Loaded, results: Sequence[tuple[int, uuid.UUID, Result]]
) -> None:
    """Write the results of these decisions: sequence, household, what it comes to."""
    rows = [
        {
            "decision": sequence,
            "local_standard": loaded.id,
            "household_id": household_id,
            "standard": loaded.standard.code,
            "class": found.household_class,
            "b2_points": found.b2_points,
            "why": dict(found.why),
        }
        for sequence, household_id, found in results
    ]
    await (await db.driver(conn)).execute(_ONE_BY_ONE, (db.as_json(rows),))


async def refresh(conn: AsyncConnection, household_ids: Sequence[uuid.UUID]) -> None:
    """Work out anew which local result of these households is in force."""
    await (await db.driver(conn)).execute(_REFRESH, {"ids": list(household_ids)})


def in_force(on: dt.date | None, known_at: dt.datetime | None) -> sa.FromClause:
    """The local result of each household now, or as it was on a day and known at a moment."""
    if on is None and known_at is None:
        return local_classes
    told, later = tellings.alias("told"), tellings.alias("later")
    replaced = sa.exists().where(later.c.replaces == told.c.sequence)
    known: list[sa.ColumnElement[bool]] = []
    if known_at is not None:
        replaced = replaced.where(later.c.recorded_at <= known_at)
        known = [told.c.recorded_at <= known_at, local_results.c.recorded_at <= known_at]
    if on is not None:
        known.append(decisions.c.valid_from <= on)
    standing = (
        sa.select(
            decisions.c.household_id,
            local_standards.c.province,
            local_results.c.standard,
            local_results.c["class"],
            decisions.c.valid_from.label("since"),
            decisions.c.sequence.label("decision"),
        )
        .join(
            told,
            sa.and_(
                told.c.household_id == decisions.c.household_id,
                told.c.fact == decisions.c.sequence,
                told.c.kind == "CLASSIFIED",
            ),
        )
        .outerjoin(local_results, local_results.c.decision == decisions.c.sequence)
        .outerjoin(local_standards, local_standards.c.id == local_results.c.local_standard)
        .where(decisions.c.stage == "OFFICIAL", ~replaced, *known)
        .ext(pg.distinct_on(decisions.c.household_id))
        .order_by(
            decisions.c.household_id,
            decisions.c.valid_from.desc(),
            decisions.c.sequence.desc(),
            local_standards.c.sequence.desc().nulls_last(),
        )
    )
    newest = standing.subquery("standing_local")
    return sa.select(newest).where(newest.c.standard.is_not(None)).subquery("local_then")


def listed(
    register: sa.FromClause,
    local: sa.FromClause,
    query: sa.Select[Any],
    *,
    standard: str | None,
    household_class: str | None,
) -> sa.Select[Any]:
    """A query of the register, with the local result beside each household that has one."""
    joined = query.join_from(
        register,
        local,
        sa.and_(local.c.household_id == register.c.id, local.c.province == register.c.province),
    ).add_columns(
        local.c.standard.label("local_standard"),
        local.c["class"].label("local_class"),
        local.c.since.label("local_since"),
    )
    joined = joined.where(register.c.status == "ACTIVE")
    if standard is not None:
        joined = joined.where(local.c.standard == standard)
    if household_class is not None:
        joined = joined.where(local.c["class"] == household_class)
    return joined


async def of_household(conn: AsyncConnection, household_id: uuid.UUID) -> Sequence[sa.Row[Any]]:
    """All local results of a household beside the decisions they stand for, in the order of recording."""
    told, later = tellings.alias("told"), tellings.alias("later")
    stands = sa.exists().where(
        told.c.household_id == decisions.c.household_id,
        told.c.fact == decisions.c.sequence,
        told.c.kind == "CLASSIFIED",
        ~sa.exists().where(later.c.replaces == told.c.sequence),
    )
    query = (
        sa.select(
            local_results,
            decisions.c.decision_id,
            decisions.c.valid_from,
            decisions.c.stage,
            decisions.c["class"].label("national_class"),
            decisions.c.standard.label("national_standard"),
            decisions.c.b1_points,
            stands.label("stands"),
            reviews.c.commune,
        )
        .join(decisions, decisions.c.sequence == local_results.c.decision)
        .join(reviews, reviews.c.id == decisions.c.review_id)
        .join(local_standards, local_standards.c.id == local_results.c.local_standard)
        .where(local_results.c.household_id == household_id)
        .order_by(local_results.c.decision, local_standards.c.sequence)
    )
    return list((await conn.execute(query)).all())
