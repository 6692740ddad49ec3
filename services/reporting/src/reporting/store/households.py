"""What stream HOUSEHOLDS tells: facts once, states by sequence, and counts moved by new facts alone.

A count changes only in the statement that inserts its fact, so that an event told twice, late or in
another batch leaves the same counts. A fact that another one replaces counts nothing, whichever of the two
comes first: what it had counted is taken back in the statement that inserts the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.store.rows import write

_ADD_FACTS = sa.text("""
with told as materialized (
  select * from json_to_recordset(cast(:rows as json)) as r(sequence bigint, kind text, household_id uuid,
    commune text, village text, stage text, review_kind text, standard text, decided_class text,
    members int, previous_standard text, previous_class text, previous_members int, movement text,
    valid_from date, decided_on date, decision_number text, year smallint, replaces bigint, origin text)
), fresh as (
  insert into household_facts (sequence, kind, household_id, commune, village, stage, review_kind, standard,
    class, members, previous_standard, previous_class, previous_members, movement, valid_from, decided_on,
    decision_number, year, replaces, origin, counts)
  select sequence, kind, household_id, commune, village, stage, review_kind, standard, decided_class,
    members, previous_standard, previous_class, previous_members, movement, valid_from, decided_on,
    decision_number, year, replaces, origin,
    sequence <> all(array(select replaces from told where replaces is not null))
    and not exists (select from household_facts other where other.replaces = told.sequence)
  from told
  order by sequence
  on conflict (sequence) do nothing
  returning *
), taken_back as (
  update household_facts f set counts = false
  where f.counts and f.sequence = any(array(select replaces from told where replaces is not null))
  returning *
), listed as (
  insert into approved_lists (commune, year, review_kind, stage, standard, valid_from, decided_on,
    decision_number)
  select distinct commune, year, review_kind, stage, standard, valid_from, decided_on,
    coalesce(decision_number, '')
  from fresh where kind = 'CLASSIFIED'
  on conflict do nothing
), guessed as (
  insert into preliminary_results (household_id, year, sequence, commune, standard, class, members,
    valid_from, decided_on)
  select distinct on (household_id, year) household_id, year, sequence, commune, standard, class, members,
    valid_from, decided_on
  from fresh where stage = 'PRELIMINARY' and counts
  order by household_id, year, valid_from desc, sequence desc
  on conflict (household_id, year) do update set sequence = excluded.sequence,
    commune = excluded.commune, standard = excluded.standard, class = excluded.class,
    members = excluded.members, valid_from = excluded.valid_from, decided_on = excluded.decided_on
  where (excluded.valid_from, excluded.sequence)
    > (preliminary_results.valid_from, preliminary_results.sequence)
), moved as (
  select commune, valid_from, standard, class, 1 as households, members as persons
  from fresh where stage = 'OFFICIAL' and class is not null and counts
  union all
  select commune, valid_from, previous_standard, previous_class, -1, -previous_members
  from fresh where stage = 'OFFICIAL' and previous_class is not null and counts
  union all
  select commune, valid_from, standard, class, -1, -members
  from taken_back where stage = 'OFFICIAL' and class is not null
  union all
  select commune, valid_from, previous_standard, previous_class, 1, previous_members
  from taken_back where stage = 'OFFICIAL' and previous_class is not null
)
insert into official_deltas (commune, valid_from, standard, class, households, persons)
select commune, valid_from, standard, class, sum(households), sum(persons)
from moved group by commune, valid_from, standard, class
having sum(households) <> 0 or sum(persons) <> 0
order by commune, valid_from, standard, class
on conflict (commune, valid_from, standard, class) do update set
  households = official_deltas.households + excluded.households,
  persons = official_deltas.persons + excluded.persons
""")

_GUESS_NO_MORE = sa.text("""
delete from preliminary_results p using household_facts f
where f.sequence = p.sequence and not f.counts and f.sequence = any(:replaced)
returning p.household_id, p.year
""")

_GUESSED_BEFORE = sa.text("""
insert into preliminary_results (household_id, year, sequence, commune, standard, class, members, valid_from,
  decided_on)
select distinct on (f.household_id, f.year) f.household_id, f.year, f.sequence, f.commune, f.standard, f.class,
  f.members, f.valid_from, f.decided_on
from unnest(cast(:households as uuid[]), cast(:years as smallint[])) as asked(household_id, year)
join household_facts f using (household_id, year)
where f.stage = 'PRELIMINARY' and f.counts
order by f.household_id, f.year, f.valid_from desc, f.sequence desc
""")

_MOVE_STATES = sa.text("""
insert into household_states (household_id, sequence, revision, commune, village, area_type, members,
  status, present, class, standard, class_since, preliminary_class)
select distinct on (household_id) household_id, sequence, revision, commune, village, area_type, members,
  status, present, poverty_class, standard, class_since, preliminary_class
from json_to_recordset(cast(:rows as json)) as r(household_id uuid, sequence bigint, revision int,
  commune text, village text, area_type text, members int, status text, present boolean,
  poverty_class text, standard text, class_since date, preliminary_class text)
order by household_id, sequence desc
on conflict (household_id) do update set sequence = excluded.sequence, revision = excluded.revision,
  commune = excluded.commune, village = excluded.village, area_type = excluded.area_type,
  members = excluded.members, status = excluded.status, present = excluded.present,
  class = excluded.class, standard = excluded.standard, class_since = excluded.class_since,
  preliminary_class = excluded.preliminary_class
where excluded.sequence > household_states.sequence
""")

_ADD_POPULATIONS = sa.text("""
insert into populations (sequence, area, households, most, persons, as_of, source)
select sequence, area, households, most, persons, as_of, source
from json_to_recordset(cast(:rows as json)) as r(sequence bigint, area text, households int, most int,
  persons int, as_of date, source text)
order by sequence
on conflict (sequence) do nothing
""")


async def add_facts(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert facts not seen before, and move lists, preliminary results and official counts by them."""
    await write(conn, _ADD_FACTS, rows)
    replaced = [row["replaces"] for row in rows if row["replaces"] is not None]
    if replaced:
        gone = (await conn.execute(_GUESS_NO_MORE, {"replaced": replaced})).all()
        asked = {"households": [row[0] for row in gone], "years": [row[1] for row in gone]}
        await conn.execute(_GUESSED_BEFORE, asked)


async def move_states(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the newest public state of each household."""
    await write(conn, _MOVE_STATES, rows)


async def add_populations(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep every recorded population; the question decides which one holds."""
    await write(conn, _ADD_POPULATIONS, rows)
