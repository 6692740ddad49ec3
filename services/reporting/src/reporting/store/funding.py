"""What stream FUNDING tells: eligibility as facts, states and counts by day; budget lines as facts.

From the day an answer holds (`valid_from`) it replaces the previous one; before that day the previous
one stays true. So a fact ends or takes back the previous window and opens its own, and the number of
eligible households on a day is the sum of entries less the sum of exits up to it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.store.rows import write

# What each of some facts, by whatever name they come, adds to the counts.
_MOVES = """
marked as (
  select *, status = 'ELIGIBLE' as opens,
    previous_status = 'ELIGIBLE' and valid_from <= previous_valid_from as undoes,
    previous_status = 'ELIGIBLE' and valid_from > previous_valid_from
      and (previous_valid_to is null or previous_valid_to >= valid_from) as reaches
  from {facts}
), moves (household_id, commune, product, on_date, entries, exits) as (
  -- the window of the new answer
  select household_id, commune, product, valid_from, 1, 0 from marked where opens
  union all
  select household_id, commune, product, valid_to, 0, 1 from marked where opens and valid_to is not null
  union all
  -- a previous window that the new answer covers from its first day never was
  select household_id, previous_commune, product, previous_valid_from, -1, 0 from marked where undoes
  union all
  select household_id, previous_commune, product, previous_valid_to, 0, -1
  from marked where undoes and previous_valid_to is not null
  union all
  -- a previous window that the new answer cuts short
  select household_id, previous_commune, product, valid_from, 0, 1 from marked where reaches
  union all
  select household_id, previous_commune, product, previous_valid_to, 0, -1
  from marked where reaches and previous_valid_to is not null
  union all
  -- the same commune, without a gap: neither an exit nor an entry
  select household_id, commune, product, valid_from, -1, -1
  from marked where reaches and opens and commune = previous_commune
)"""

_ADD_ELIGIBILITY = sa.text(f"""
with fresh as (
  insert into eligibility_facts (sequence, household_id, product, commune, status, valid_from, valid_to,
    reason, article, previous_status, previous_commune, previous_valid_from, previous_valid_to)
  select sequence, household_id, product, commune, status, valid_from, valid_to, reason, article,
    previous ->> 'status', previous ->> 'commune', cast(previous ->> 'valid_from' as date),
    cast(previous ->> 'valid_to' as date)
  from json_to_recordset(cast(:rows as json)) as r(sequence bigint, household_id uuid, product text,
    commune text, status text, valid_from date, valid_to date, reason text, article text, previous jsonb)
  order by sequence
  on conflict (sequence) do nothing
  returning *
), {_MOVES.format(facts="fresh")}
insert into eligibility_deltas (commune, product, on_date, entries, exits)
select commune, product, on_date, sum(entries), sum(exits)
from moves group by commune, product, on_date
having sum(entries) <> 0 or sum(exits) <> 0
order by commune, product, on_date
on conflict (commune, product, on_date) do update set
  entries = eligibility_deltas.entries + excluded.entries,
  exits = eligibility_deltas.exits + excluded.exits
""")

_OF_HOUSEHOLDS = sa.text(f"""
with those as (
  select * from eligibility_facts where commune = any(:communes) or previous_commune = any(:communes)
), {_MOVES.format(facts="those")}
select household_id, commune, product, sum(entries - exits),
  coalesce(sum(entries) filter (where on_date > :since), 0),
  coalesce(sum(exits) filter (where on_date > :since), 0)
from moves where commune = any(:communes) and on_date <= :on
group by household_id, commune, product
""")

_MOVE_STATES = sa.text("""
insert into eligibility_states (household_id, product, sequence, revision, commune, status, valid_from,
  valid_to)
select distinct on (household_id, product) household_id, product, sequence, revision, commune, status,
  valid_from, valid_to
from json_to_recordset(cast(:rows as json)) as r(household_id uuid, product text, sequence bigint,
  revision int, commune text, status text, valid_from date, valid_to date)
order by household_id, product, sequence desc
on conflict (household_id, product) do update set sequence = excluded.sequence,
  revision = excluded.revision, commune = excluded.commune, status = excluded.status,
  valid_from = excluded.valid_from, valid_to = excluded.valid_to
where excluded.sequence > eligibility_states.sequence
""")

_ADD_BUDGET_LINES = sa.text("""
insert into budget_lines (sequence, allocation_id, area, year, origin_year, programme, project,
  capital_type, source, amount_dong, decision_number, decided_on)
select sequence, allocation_id, area, year, origin_year, programme, project, capital_type, source,
  amount_dong, decision_number, decided_on
from json_to_recordset(cast(:rows as json)) as r(sequence bigint, allocation_id uuid, area text,
  year smallint, origin_year smallint, programme text, project text, capital_type text, source text,
  amount_dong bigint, decision_number text, decided_on date)
order by sequence
on conflict (sequence) do nothing
""")


async def add_eligibility(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert answers not seen before, move the counts by them, and keep the newest answer."""
    await write(conn, _ADD_ELIGIBILITY, rows)
    await write(conn, _MOVE_STATES, rows)


async def add_budget_lines(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert budget lines not seen before."""
    await write(conn, _ADD_BUDGET_LINES, rows)


async def eligible_households(
    conn: AsyncConnection, communes: Collection[str], on: date, since: date
) -> list[tuple[UUID, str, str, int, int, int]]:
    """Household by household, with commune and product: eligible on `on`, entries and exits after `since`."""
    rows = await conn.execute(_OF_HOUSEHOLDS, {"communes": sorted(communes), "on": on, "since": since})
    return [(row[0], row[1], row[2], int(row[3]), int(row[4]), int(row[5])) for row in rows]
