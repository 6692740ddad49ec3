"""What stream HOUSEHOLDS tells of administrative units: they are kept, and each process learns of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import reorganised
from benvung.areas import TypeOfArea
from reporting.store.rows import write

_ADD_PARTS = sa.text("""
insert into area_parts (predecessor, holds_from, sequence, successors, waiting)
select predecessor, holds_from, sequence, array(select jsonb_array_elements_text(successors)), waiting
from json_to_recordset(cast(:rows as json)) as r(predecessor text, holds_from date, sequence bigint,
  successors jsonb, waiting text)
order by predecessor, holds_from
on conflict (predecessor, holds_from) do update set sequence = excluded.sequence,
  successors = excluded.successors, waiting = excluded.waiting
where excluded.sequence > area_parts.sequence
""")


async def add_reorganisation(
    conn: AsyncConnection,
    sequence: int,
    parts: Sequence[Mapping[str, Any]],
    units: Sequence[Mapping[str, Any]],
) -> None:
    """Keep what became of each commune, and the units as they are since."""
    await reorganised.keep(conn, sequence, units)
    await write(conn, _ADD_PARTS, parts)


async def add_area_type(conn: AsyncConnection, sequence: int, stated: TypeOfArea) -> None:
    """Keep a commune's type from a day on."""
    await reorganised.state(conn, sequence, stated)
