"""Finding households by the names and numbers of their people, through keyed hashes."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import db, paging
from benvung.vault import Vault
from households.domain.name_search import NameAsked, name_parts
from households.tables import households, members

INDEX_BATCH = 500


def keys_of(vault: Vault, parts: Iterable[str]) -> list[int]:
    """The keyed hashes of parts of a name, as they are stored and looked up."""
    return sorted(vault.short_fingerprint(part) for part in parts)


def keys_of_name(vault: Vault, name: str) -> list[int]:
    """Everything that a person of this name is found by."""
    return keys_of(vault, name_parts(name))


ORDER = (households.c.commune, households.c.id)


def by_name(
    query: sa.Select[Any], vault: Vault, asked: NameAsked, after: str | None, limit: int
) -> sa.Select[Any]:
    """A page of `query` of households, narrowed to those whose head or member may be meant.

    Heads and members are looked for apart, each for a page of its own: a common name then is met by reading
    households in order, a rare one by its index, whichever the one and the other is.
    """
    found = []
    for each in vault.searched:
        keys = _literal(keys_of(each, asked.parts))
        people = sa.select(members.c.household_id).where(_present(), members.c.name_keys.contains(keys))
        for meant in (households.c.head_name_keys.contains(keys), households.c.id.in_(people)):
            page = paging.keyset(query.where(meant), ORDER, after, limit)
            found.append(sa.select(page.subquery()))
    either = sa.union_all(*found).subquery("found")
    order = (either.c.commune, either.c.id)
    return sa.select(either).ext(pg.distinct_on(*order)).order_by(*order).limit(limit + 1)


def by_number(query: sa.Select[Any], vault: Vault, number: str) -> sa.Select[Any]:
    """`query` of households, narrowed to those with a member of this personal number."""
    return query.where(
        households.c.id.in_(
            sa.select(members.c.household_id).where(
                _present(), members.c.number_key.in_(vault.fingerprints(number))
            )
        )
    )


async def members_by_name(
    conn: AsyncConnection, vault: Vault, ids: Sequence[uuid.UUID], asked: NameAsked
) -> Sequence[sa.Row[Any]]:
    """The members of these households who may be meant."""
    keys = [_literal(keys_of(each, asked.parts)) for each in vault.searched]
    return await _members(conn, ids, sa.or_(*(members.c.name_keys.contains(each) for each in keys)))


async def members_by_number(
    conn: AsyncConnection, vault: Vault, ids: Sequence[uuid.UUID], number: str
) -> Sequence[sa.Row[Any]]:
    """The members of these households with this personal number."""
    return await _members(conn, ids, members.c.number_key.in_(vault.fingerprints(number)))


async def _members(
    conn: AsyncConnection, ids: Sequence[uuid.UUID], condition: sa.ColumnElement[bool]
) -> Sequence[sa.Row[Any]]:
    query = (
        sa.select(members)
        .where(_present(), members.c.household_id.in_(ids), condition)
        .order_by(members.c.household_id, members.c.id)
    )
    return (await conn.execute(query)).all()


async def present(conn: AsyncConnection, ids: Sequence[uuid.UUID]) -> Sequence[sa.Row[Any]]:
    """The members of these households who are there."""
    return await _members(conn, ids, sa.true())


_INDEX = sa.text(
    "update households h set head_name_keys = r.keys"
    " from json_to_recordset(cast(:rows as json)) as r(id uuid, keys bigint[]) where h.id = r.id"
)


async def index_heads(conn: AsyncConnection, vault: Vault) -> int:
    """Index some heads' names that are not yet indexed; how many there were. Several may do so at once."""
    waiting = (
        sa.select(households.c.id, households.c.head_name)
        .where(households.c.head_name_keys.is_(None))
        .order_by(households.c.id)
        .limit(INDEX_BATCH)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = (await conn.execute(waiting)).all()
    if rows:
        keys = [{"id": row.id, "keys": keys_of_name(vault, vault.open(row.head_name))} for row in rows]
        await conn.execute(_INDEX, {"rows": db.as_json(keys)})
    return len(rows)


def _present() -> sa.ColumnElement[bool]:
    return members.c.left_on.is_(None)


def _literal(keys: list[int]) -> "sa.BindParameter[Any]":
    return sa.literal(keys, pg.ARRAY(sa.BigInteger))
