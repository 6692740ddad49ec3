"""What funding and reporting hold, asked of their databases."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.faults.model.reader import Reader

from benvung.projector import Projector

FUNDING_HOLDS = """
select json_build_object(
  'checkpoint', (select json_build_array(stream_created, stream_seq) from checkpoints),
  'swaps', (select coalesce(max(id), 0) from rebuilds where state = 'DONE'),
  'open', (select count(*) from rebuilds where state in ('REQUESTED', 'READING')),
  'waiting', (select count(*) from outbox),
  'withdrawn', (select coalesce(json_agg(event_id), '[]') from withdrawn),
  'letters', (select coalesce(json_agg(json_build_array(id, stream_created, stream_seq, state, note,
    md5(payload)) order by id), '[]') from dead_letters),
  'states', (select coalesce(json_agg(json_build_array(household_id, sequence, commune, members)), '[]')
    from household_states),
  'answers', (select coalesce(json_agg(json_build_array(household_id, product, status, valid_from, valid_to,
    commune, reason, revision)), '[]') from eligibility),
  'history', (select coalesce(json_agg(json_build_array(household_id, sequence)), '[]')
    from eligibility_history),
  'told', (select coalesce(json_agg(json_build_array(id, convert_from(payload, 'UTF8')) order by id), '[]')
    from (select id, payload from outbox union all select id, payload from journal) every where id > %s))
"""
REPORTING_HOLDS = """
select json_build_object(
  'checkpoint', (select json_build_array(stream_created, stream_seq) from checkpoints),
  'letters', (select count(*) from dead_letters),
  'facts', (select coalesce(json_agg(sequence order by sequence), '[]') from eligibility_facts),
  'states', (select coalesce(json_agg(json_build_array(household_id, product, sequence, status, commune,
    revision)), '[]') from eligibility_states))
"""


async def compared(
    reader: Reader, projector: Projector, payloads: Sequence[bytes]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The projection's rows, and those of one made from scratch in a transaction that is then rolled back."""
    async with reader.engine.connect() as conn:
        now = await _rows(conn, reader)
        for table in reader.projector.tables:
            await conn.execute(sa.delete(table))
        for payload in payloads:
            event = projector.read(payload)
            assert event is not None
            await projector.handle(conn, [event])
        return now, await _rows(conn, reader)


async def _rows(conn: AsyncConnection, reader: Reader) -> dict[str, list[dict[str, Any]]]:
    """All rows of a projection. How often an answer was told is the world's history, not the stream's."""
    found = {}
    for table in reader.projector.tables:
        rows = [dict(row._mapping) for row in await conn.execute(sa.select(table))]
        for row in rows:
            if table.name == "eligibility":
                del row["revision"], row["sequence"]
        if table.name.endswith("_deltas"):
            rows = [row for row in rows if row["entries"] or row["exits"]]
        found[table.name] = rows
    return found
