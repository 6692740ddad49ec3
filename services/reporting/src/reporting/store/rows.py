"""Many rows in one statement: a JSON array of objects, read by the server as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db


async def write(conn: AsyncConnection, statement: sa.TextClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run `statement` with `rows` as its parameter `:rows`; nothing happens without rows."""
    if rows:
        await conn.execute(statement, {"rows": db.as_json(rows)})
