"""Questions about recorded populations."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Population, Whole
from reporting.store import geography
from reporting.store.within import within
from reporting.tables import populations as recorded


async def populations_drawn(
    conn: AsyncConnection, communes: Collection[str], on: date, drawn: date
) -> dict[str, list[Population | None]]:
    """For communes of the day `drawn` the populations on `on` of all that they were made from.

    One of which a part of a divided commune came is absent: what part of its population that is, nobody said.
    """
    drawing = await geography.between(conn, on, drawn)
    parts = {code: drawing.sources_of(code) for code in communes}
    known = await populations(conn, {source for found in parts.values() for source in found or ()}, [on])
    return {
        code: [known.get((source, on)) for source in sorted(found)]
        for code, found in parts.items()
        if found is not None
    }


async def populations(
    conn: AsyncConnection, areas: Collection[str], days: Collection[date]
) -> dict[tuple[str, date], Population]:
    """For each area and each of the days, the newest population recorded as of that day or before.

    Of two records for one day the later one told holds; pairs without any record are absent.
    """
    asked = sa.select(sa.func.unnest(sa.cast(sorted(set(days)), sa.ARRAY(sa.Date))).label("day")).subquery()
    newest = (
        sa.select(recorded, asked.c.day)
        .join(asked, recorded.c.as_of <= asked.c.day)
        .where(within(recorded.c.area, areas))
        .ext(pg.distinct_on(recorded.c.area, asked.c.day))
        .order_by(recorded.c.area, asked.c.day, recorded.c.as_of.desc(), recorded.c.sequence.desc())
    )
    return {
        (row.area, row.day): Population(
            Whole(row.households, row.most or row.households), row.persons, row.as_of, row.source
        )
        for row in await conn.execute(newest)
    }
