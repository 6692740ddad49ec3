"""Questions about recorded populations."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Population
from reporting.store.within import within
from reporting.tables import populations as recorded


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
        (row.area, row.day): Population(row.households, row.persons, row.as_of, row.source)
        for row in await conn.execute(newest)
    }
