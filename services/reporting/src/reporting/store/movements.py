"""What happened to the lists of each commune in a year, counted from facts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Booked, Count, year_end
from reporting.store import geography
from reporting.store.geography import Drawing
from reporting.store.situation import official_and_before, official_on

# A commune that became another one within the year has its facts in eras; of one that was divided each
# household's own are needed, because only they say where they belong.
_PLACE = """commune, cardinality(array(select day from unnest(cast(:days as date[])) as day where day <= valid_from)),
  case when commune = any(:divided) then household_id end"""

# A household that leaves takes the members it had; any other movement is booked with the members it has
# now, because their change was booked before it, on the list of the previous class.
_MOVEMENTS = sa.text(f"""
select {_PLACE}, movement, count(*),
  sum(case when kind in ('LEFT', 'CLOSED') then previous_members else members end)
from household_facts
where commune = any(:communes) and valid_from between :first and :last
  and stage = 'OFFICIAL' and movement is not null and counts
group by 1, 2, 3, 4
""")

_MEMBERS = sa.text(f"""
select {_PLACE}, previous_class, sum(greatest(members - previous_members, 0)),
  sum(greatest(previous_members - members, 0))
from household_facts
where commune = any(:communes) and valid_from between :first and :last
  and stage = 'OFFICIAL' and kind in ('CLASSIFIED', 'RESIZED') and previous_class in ('POOR', 'NEAR_POOR')
  and members <> previous_members and counts
group by 1, 2, 3, 4
""")


async def booked(
    conn: AsyncConnection, communes: Collection[str], year: int, drawn: date | None = None
) -> dict[str, Booked]:
    """For each commune: its lists on both year-ends and everything booked in between.

    The communes are those of the day `drawn`, of the year's end unless given; what happened in a commune that
    became one of them later is booked there.
    """
    last = year_end(year)
    drawn = drawn or last
    drawing = await geography.between(conn, year_end(year - 1), drawn)
    sources = drawing.sources(communes)
    asked = {
        "communes": sorted(sources),
        "first": date(year, 1, 1),
        "last": last,
        "days": drawing.days,
        "divided": sorted(drawing.divided(sources)),
    }
    if drawing.parts:
        end = await official_on(conn, communes, last, drawn)
        start = await official_on(conn, communes, year_end(year - 1), drawn)
    else:
        end, start = await official_and_before(conn, communes, (last, year_end(year - 1)))
    movements: dict[str, dict[str, Count]] = {}
    rows = (await conn.execute(_MOVEMENTS, asked)).all()
    for commune, (movement, households, persons) in await _placed(conn, drawing, rows):
        there = movements.setdefault(commune, {})
        there[movement] = there.get(movement, Count()) + Count(households, int(persons))
    grown: dict[str, dict[str, int]] = {}
    shrunk: dict[str, dict[str, int]] = {}
    rows = (await conn.execute(_MEMBERS, asked)).all()
    for commune, (listed, more, fewer) in await _placed(conn, drawing, rows):
        for changed, number in ((grown, more), (shrunk, fewer)):
            there_too = changed.setdefault(commune, {})
            there_too[listed] = there_too.get(listed, 0) + int(number)
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


async def _placed(
    conn: AsyncConnection, drawing: Drawing, rows: Iterable[Sequence[Any]]
) -> list[tuple[str, Sequence[Any]]]:
    """Each row's figures under the commune that its own became after the era of its facts."""
    found = [tuple(row) for row in rows]
    ways = await geography.went(conn, {row[2] for row in found if row[2] is not None})
    eras = [drawing, *(drawing.later(day) for day in drawing.days)]
    return [(eras[row[1]].of_household(row[0], ways.get(row[2], {})), row[3:]) for row in found]
