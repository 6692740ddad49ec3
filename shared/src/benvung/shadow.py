"""The tables of a projection made anew, in a schema beside the live ones, until they change places."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db

LIVE, OLD = "public", "replaced"


async def create(conn: AsyncConnection, tables: Sequence[sa.Table], schema: str) -> None:
    """Empty tables in a schema of their own, whatever was there before; indexes come when they are full."""
    pg = await db.driver(conn)
    name = sql.Identifier(schema)
    await pg.execute(sql.SQL("drop schema if exists {} cascade").format(name))
    await pg.execute(sql.SQL("create schema {}").format(name))
    beside = _beside(tables, schema)
    for table in beside.tables.values():
        table.indexes.clear()
    await conn.run_sync(beside.create_all)


async def index(conn: AsyncConnection, tables: Sequence[sa.Table], schema: str) -> None:
    """Give the tables the indexes they lack."""
    for table in _beside(tables, schema).tables.values():
        for each in table.indexes:
            await conn.run_sync(each.create, checkfirst=True)


def _beside(tables: Sequence[sa.Table], schema: str) -> sa.MetaData:
    beside = sa.MetaData(naming_convention=db.NAMING)
    for table in tables:
        table.to_metadata(beside, schema=schema)
    return beside


async def search(conn: AsyncConnection, *schemas: str) -> None:
    """Until the transaction ends, names mean the tables in these schemas."""
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    await (await db.driver(conn)).execute(sql.SQL("set local search_path to {}").format(path))


async def differing(conn: AsyncConnection, table: sa.Table, schema: str) -> dict[str, int]:
    """How many rows the live table has, how many the new one lacks of these, and how many it has beyond.

    Rows are compared byte by byte: what the same program wrote of the same thing is the same.
    """
    row = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    key = [sql.Identifier(column.name) for column in table.primary_key]
    query = sql.SQL(
        "select count(old.{one}),"
        " count(old.{one}) filter (where new.{one} is null or old.row *<> new.row),"
        " count(new.{one}) filter (where old.{one} is null or old.row *<> new.row)"
        " from (select {key}, row({row}) as row from {live}) old"
        " full join (select {key}, row({row}) as row from {beside}) new using ({key})"
    ).format(
        one=key[0],
        key=sql.SQL(", ").join(key),
        row=row,
        live=sql.Identifier(LIVE, table.name),
        beside=sql.Identifier(schema, table.name),
    )
    found: Any = await (await (await db.driver(conn)).execute(query)).fetchone()
    return dict(zip(("live", "only_live", "only_new"), found, strict=True))


async def change_places(conn: AsyncConnection, tables: Sequence[sa.Table], schema: str) -> None:
    """Put the new tables in place of the live ones, which go."""
    pg = await db.driver(conn)
    names = [f"{LIVE}.{table.name}" for table in tables]
    # What the tables' metadata does not know of: a table's own triggers were made by its migration.
    cursor = await pg.execute(
        "select pg_get_triggerdef(oid) from pg_trigger where tgrelid = any(%s::regclass[]) and not tgisinternal",
        (names,),
    )
    triggers = await cursor.fetchall()
    await pg.execute(sql.SQL("create schema {}").format(sql.Identifier(OLD)))
    for table in tables:
        for start, end in ((LIVE, OLD), (schema, LIVE)):
            await pg.execute(
                sql.SQL("alter table {} set schema {}").format(
                    sql.Identifier(start, table.name), sql.Identifier(end)
                )
            )
    for (trigger,) in triggers:
        await pg.execute(trigger)
    for gone in (OLD, schema):
        await pg.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(gone)))
