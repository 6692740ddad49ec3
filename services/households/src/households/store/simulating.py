"""The run of a simulation: facts gathered once, rules evaluated for each distinct combination, joined in SQL.

All of it lives in temporary tables of one transaction, but for the results, which are kept.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db
from households.domain import Standard

# A million households are sorted and joined: with the usual four megabytes most of the time is spent on disk,
# and compiling statements that run once takes longer than it saves.
_SETTINGS = ("set local work_mem = '256MB'", "set local jit = off")

# What stands of all that was told, up to the day: where each household then was, and what gave it its class. One
# that came from outside has its class from there, so that no decision from before is the ground of it.
_FACTS = """
create temporary table simulated_facts on commit drop as
with standing as materialized (
  select t.household_id, t.holds_from, t.sequence, t.fact, t.commune, t.village, t.members, t.status,
    t.stage = 'OFFICIAL' or t.kind = 'ARRIVED' and t.leg = 0 gives_class
  from tellings t
  where t.holds_from <= %(day)s and t.kind <> 'ANNULLED'
    and not exists (select from tellings r where r.replaces = t.sequence)
    {inside}
), placed as (
  select distinct on (household_id) household_id, commune, village, members, status
  from standing order by household_id, holds_from desc, sequence desc
), classed as (
  select distinct on (household_id) household_id, fact
  from standing where gives_class order by household_id, holds_from desc, sequence desc
)
select p.household_id, p.commune, p.village, p.members, d.standard, v.area_type, d.class, d.b1_points,
  d.b2_points, d.combination_id
from placed p left join classed c using (household_id)
left join decisions d on d.sequence = c.fact left join reviews v on v.id = d.review_id
where p.status = 'ACTIVE' {there}"""
_INSIDE = "and t.household_id in (select household_id from tellings where commune = any(%(communes)s))"
_THERE = "and p.commune = any(%(communes)s)"

_KNOWN = (
    (
        "create temporary table simulated_points (combination_id bigint primary key, points int, has boolean[])"
        " on commit drop"
    ),
    (
        "create temporary table simulated_verdicts (area_type text, b1_points int, points int, class text,"
        " undecided text) on commit drop"
    ),
    "create temporary table simulated_moves (class_before text, class_after text, change text) on commit drop",
)

# With indicators: -1 stands for points that are not known, because a join finds no null.
_BY_FLAGS = "coalesce(p.points, -1)"
_BY_TOTAL = "f.b2_points"

_INPUTS = """select distinct f.area_type, f.b1_points, {points} from simulated_facts f
 left join simulated_points p using (combination_id) where f.standard = %(standard)s"""

_JUDGED = """
select f.household_id, f.commune, f.village, f.members, f.area_type, f.combination_id, f.class class_before,
  c.class class_after,
  case when f.standard is null then 'NO_DECISION' when f.standard <> %(standard)s then 'OTHER_STANDARD'
       else c.undecided end undecided, p.has
from simulated_facts f left join simulated_points p using (combination_id)
left join simulated_verdicts c on f.standard = %(standard)s and c.area_type = f.area_type
  and c.b1_points = f.b1_points and c.points = {points}"""

# One pass over all households; `has` counts each indicator of the standard in its order.
_GROUPS = """
create temporary table simulated_groups on commit drop as
select commune, area_type, class_before, class_after, undecided, count(*) households, sum(members) persons,
  count(combination_id) with_indicators, array[{each}]::bigint[] has
from ({judged}) j group by commune, area_type, class_before, class_after, undecided"""

_COUNTS = """
insert into simulation_counts (simulation_id, commune, area_type, class_before, class_after, undecided,
  households, persons, with_indicators)
select %(id)s, commune, area_type, class_before, class_after, undecided, households, persons, with_indicators
from simulated_groups"""

_INDICATORS = """
insert into simulation_indicators (simulation_id, commune, indicator, class_before, class_after, households)
select %(id)s, g.commune, i.indicator, g.class_before, g.class_after, sum(i.households)
from simulated_groups g, unnest(%(indicators)s::text[], g.has) as i(indicator, households)
where g.class_after is not null and i.households > 0
group by g.commune, i.indicator, g.class_before, g.class_after"""

_CHANGES = """
insert into simulation_changes (simulation_id, commune, household_id, village, area_type, members,
  class_before, class_after, change)
select %(id)s, j.commune, j.household_id, j.village, j.area_type, j.members, j.class_before, j.class_after,
  m.change
from ({judged}) j join simulated_moves m using (class_before, class_after)
order by j.commune, j.household_id"""


async def gather(conn: AsyncConnection, day: dt.date, communes: Sequence[str] | None) -> None:
    """Put together what the official decision in force says of each household that was there on the day.

    One statement, so that all facts are of one moment.
    """
    pg = await db.driver(conn)
    for setting in _SETTINGS:
        await pg.execute(setting)
    inside, there = ("", "") if communes is None else (_INSIDE, _THERE)
    given = {"day": day} if communes is None else {"day": day, "communes": list(communes)}
    await pg.execute(_FACTS.format(inside=inside, there=there), given)
    await pg.execute("analyze simulated_facts")


async def combinations(conn: AsyncConnection, standard: str) -> list[tuple[int, bytes]]:
    """The combinations that occur in the gathered facts of a standard: id and sealed flags."""
    pg = await db.driver(conn)
    cursor = await pg.execute(
        "select id, flags from combinations where id in"
        " (select distinct combination_id from simulated_facts where standard = %s) order by id",
        (standard,),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def know(conn: AsyncConnection, combinations: Iterable[tuple[int, int, list[bool]]]) -> None:
    """Give each combination its points, and which of the standard's indicators it has, in their order."""
    pg = await db.driver(conn)
    for statement in _KNOWN:
        await pg.execute(statement)
    await _fill(pg, "copy simulated_points (combination_id, points, has) from stdin", combinations)
    await pg.execute("analyze simulated_points")


async def inputs(conn: AsyncConnection, standard: str, *, by_flags: bool) -> list[tuple[str, int, int]]:
    """Each distinct (area type, B1 points, points or B2 total); points of -1 are not known."""
    pg = await db.driver(conn)
    query = _INPUTS.format(points=_BY_FLAGS if by_flags else _BY_TOTAL)
    cursor = await pg.execute(query, {"standard": standard})
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def keep(
    conn: AsyncConnection,
    simulation_id: uuid.UUID,
    standard: Standard,
    verdicts: Iterable[tuple[str, int, int, str | None, str | None]],
    moves: Iterable[tuple[str, str, str]],
    *,
    by_flags: bool,
) -> None:
    """Join the verdicts with the facts and keep what comes out: counts, indicators, changes of lists.

    `verdicts` has for each input its class or why there is none; `moves` has each change of class that moves
    a household in, out of or between the lists.
    """
    pg = await db.driver(conn)
    await _fill(
        pg, "copy simulated_verdicts (area_type, b1_points, points, class, undecided) from stdin", verdicts
    )
    await _fill(pg, "copy simulated_moves (class_before, class_after, change) from stdin", moves)
    await pg.execute("analyze simulated_verdicts, simulated_moves")
    judged = _JUDGED.format(points=_BY_FLAGS if by_flags else _BY_TOTAL)
    codes = list(standard.indicator_codes)
    each = ", ".join(f"count(*) filter (where has[{place}])" for place in range(1, len(codes) + 1))
    given = {"id": simulation_id, "standard": standard.code, "indicators": codes}
    await pg.execute(_GROUPS.format(judged=judged, each=each), given)
    await pg.execute(_COUNTS, given)
    await pg.execute(_INDICATORS, given)
    await pg.execute(_CHANGES.format(judged=judged), given)


async def _fill(pg: Any, statement: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    async with pg.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)
