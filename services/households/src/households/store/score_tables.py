"""Score tables as administrators loaded them; a load is never changed, a newer one of its version counts."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from households.domain import PointForm, ScoreTable, read_table
from households.domain.score_tables import TableFault, TableRow
from households.tables import score_tables

CELL = tuple(field.name for field in dataclasses.fields(TableRow))


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: the table as the rules read it, and who loaded it when."""

    id: uuid.UUID
    sequence: int
    table: ScoreTable
    loaded_by: str
    recorded_at: dt.datetime


def read(
    head: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]
) -> tuple[ScoreTable | None, tuple[TableFault, ...]]:
    """The table that was given as JSON has it, or all that is wrong with it."""
    return read_table(head, (TableRow(**{name: cell[name] for name in CELL}) for cell in cells))


async def lock(conn: AsyncConnection) -> None:
    """Keep others from loading score tables until this transaction ends."""
    await conn.execute(sa.text("select pg_advisory_xact_lock(hashtextextended('score tables', 0))"))


async def add(
    conn: AsyncConnection,
    load_id: uuid.UUID,
    table: ScoreTable,
    *,
    head: Mapping[str, Any],
    cells: Sequence[Mapping[str, Any]],
    loaded_by: str,
) -> None:
    """Store a load."""
    values = {
        "id": load_id,
        "form": table.form,
        "standard": table.standard,
        "form_version": table.form_version,
        "head": dict(head),
        "cells": [dict(cell) for cell in cells],
        "loaded_by": loaded_by,
    }
    await conn.execute(score_tables.insert().values(values))


async def loads(conn: AsyncConnection) -> list[Loaded]:
    """Every load, the first one first."""
    return [_loaded(row) for row in await conn.execute(_all().order_by(score_tables.c.sequence))]


async def one(conn: AsyncConnection, load_id: uuid.UUID) -> Loaded | None:
    """One load, or nothing."""
    row = (await conn.execute(_all().where(score_tables.c.id == load_id))).one_or_none()
    return None if row is None else _loaded(row)


async def that_count(conn: AsyncConnection, form: PointForm, standard: str) -> list[Loaded]:
    """Of each version of a form of a standard the newest load."""
    query = _all().where(score_tables.c.form == form, score_tables.c.standard == standard)
    rows = await conn.execute(query.order_by(score_tables.c.sequence))
    return list({row.form_version: _loaded(row) for row in rows}.values())


def _all() -> sa.Select[Any]:
    return sa.select(score_tables)


def _loaded(row: sa.Row[Any]) -> Loaded:
    table, faults = read(row.head, row.cells)
    if table is None:
        raise LookupError(f"score table {row.id} was loaded and is refused now: {faults}")
    return Loaded(row.id, row.sequence, table, row.loaded_by, row.recorded_at)
