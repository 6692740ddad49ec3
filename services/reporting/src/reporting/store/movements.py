"""What happened to the lists of each commune in a year, counted from facts."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Booked, Count, year_end
from reporting.store.situation import official_and_before

# A household that leaves takes the members it had; any other movement is booked with the members it has
# now, because their change was booked before it, on the list of the previous class.
_MOVEMENTS = sa.text("""
select commune, movement, count(*),
  sum(case when kind in ('LEFT', 'CLOSED') then previous_members else members end)
from household_facts
where commune = any(:communes) and valid_from between :first and :last
  and stage = 'OFFICIAL' and movement is not null and counts
group by commune, movement
""")

_MEMBERS = sa.text("""
select commune, previous_class, sum(greatest(members - previous_members, 0)),
  sum(greatest(previous_members - members, 0))
from household_facts
where commune = any(:communes) and valid_from between :first and :last
  and stage = 'OFFICIAL' and kind in ('CLASSIFIED', 'RESIZED') and previous_class in ('POOR', 'NEAR_POOR')
  and members <> previous_members and counts
group by commune, previous_class
""")


async def booked(conn: AsyncConnection, communes: Collection[str], year: int) -> dict[str, Booked]:
    """For each commune: its lists on both year-ends and everything booked in between."""
    asked = {
        "communes": sorted(communes),
        "first": date(year, 1, 1),
        "last": year_end(year),
    }
    end, start = await official_and_before(conn, communes, (year_end(year), year_end(year - 1)))
    movements: dict[str, dict[str, Count]] = {}
    for commune, movement, households, persons in await conn.execute(_MOVEMENTS, asked):
        movements.setdefault(commune, {})[movement] = Count(households, int(persons))
    grown: dict[str, dict[str, int]] = {}
    shrunk: dict[str, dict[str, int]] = {}
    for commune, listed, more, fewer in await conn.execute(_MEMBERS, asked):
        grown.setdefault(commune, {})[listed] = int(more)
        shrunk.setdefault(commune, {})[listed] = int(fewer)
    return {
        commune: Booked(
            start.get(commune, {}),
            end.get(commune, {}),
            movements.get(commune, {}),
            grown.get(commune, {}),
            shrunk.get(commune, {}),
        )
        for commune in communes
    }
