"""Everything that stands sealed: what of it is under which key, and how it comes under another one."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import PREFIX_BYTES, Vault
from households.store.members import opened, search_keys
from households.store.search import keys_of_name
from households.tables import (
    cause_sets,
    combinations,
    data_keys,
    decisions,
    erasure_requests,
    filled_forms,
    households,
    import_rows,
    imports,
    member_facts,
    members,
    recognitions,
    review_entries,
    reviews,
)

Row = sa.Row[Any]
_UNNAMED = b"\x01"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table's sealed columns, and what beside them is made anew with the key: the keyed hashes of a row."""

    table: sa.Table
    columns: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    hashed: Callable[[Vault, Row], Mapping[str, Any]] = lambda _vault, _row: {}
    query: sa.Select[Any] | None = None

    @property
    def keys(self) -> list[sa.Column[Any]]:
        """The columns by which a row is named."""
        return list(self.table.primary_key.columns)

    def stale(self, prefix: bytes) -> sa.ColumnElement[bool]:
        """What holds of a row in which something is sealed by another key than that of `prefix`."""
        return sa.or_(
            *(sa.func.substr(self.table.c[each], 1, PREFIX_BYTES) != prefix for each in self.columns)
        )

    def renewed(self, vault: Vault, row: Row) -> dict[str, Any]:
        """The row's sealed columns and hashes under the key that seals now."""
        values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public name
        sealed = {each: values[each] and vault.reseal(values[each]) for each in self.columns}
        return {**sealed, **self.hashed(vault, row)}


def _head(vault: Vault, row: Row) -> Mapping[str, Any]:
    if row.erased_on is not None:
        return {}
    name = vault.open(row.head_name)
    return {"head_key": vault.fingerprint(name), "head_name_keys": keys_of_name(vault, name)}


def _member(vault: Vault, row: Row) -> Mapping[str, Any]:
    if row.erased_on is not None:
        return {"also_keyed": None}
    return search_keys(vault, row.household_id, opened(row, row.id, vault))


def flags_text(vault: Vault, standard: str, flags: bytes) -> str:
    """A combination as its fingerprint is taken of it."""
    return " ".join((standard, *json.loads(vault.open(flags))))


def causes_text(codes: Sequence[str]) -> str:
    """A combination of causes as its fingerprint is taken of it."""
    return " ".join(("causes", *codes))


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A table in which each combination stands once: its sealed column, and of what its fingerprint is taken."""

    table: sa.Table
    column: str
    text: Callable[[Vault, Row], str]

    def renewed(self, vault: Vault, row: Row, *, twin: bool) -> dict[str, Any]:
        """A combination under the key that seals now.

        Entered by different processes under both keys, it stands twice; the second one is then found by nobody.
        """
        text = self.text(vault, row)
        return {
            self.column: vault.reseal(getattr(row, self.column)),
            "fingerprint": vault.fingerprint(f"{text} {row.id}" if twin else text),
        }

    async def twins(self, conn: AsyncConnection, vault: Vault, rows: Sequence[Row]) -> set[int]:
        """Of these combinations, those whose fingerprint under the key of now stands already."""
        made = {vault.fingerprint(self.text(vault, row)): row.id for row in rows}
        query = sa.select(self.table.c.fingerprint).where(self.table.c.fingerprint.in_(made))
        return {made[key] for key in await conn.scalars(query)}


DICTIONARIES = {
    each.table: each
    for each in (
        Dictionary(combinations, "flags", lambda vault, row: flags_text(vault, row.standard, row.flags)),
        Dictionary(cause_sets, "causes", lambda vault, row: causes_text(json.loads(vault.open(row.causes)))),
    )
}


def _row(vault: Vault, row: Row) -> Mapping[str, Any]:
    head = None if row.head_name is None else vault.fingerprint(vault.open(row.head_name))
    key = None
    if row.combination_key is not None and row.flags is not None:
        key = vault.fingerprint(flags_text(vault, row.standard, row.flags))
    causes = None
    if row.cause_key is not None and row.causes is not None:
        causes = vault.fingerprint(causes_text(json.loads(vault.open(row.causes))))
    return {
        "head_key": head if row.head_key is not None else None,
        "combination_key": key,
        "cause_key": causes,
    }


_ROW_QUERY = (
    sa.select(import_rows, reviews.c.standard)
    .join(imports, imports.c.id == import_rows.c.import_id)
    .outerjoin(reviews, reviews.c.id == imports.c.review_id)
)
_ROW_SEALS = (
    "head_name",
    "indigenous_ethnicity",
    "reviewer",
    "flags",
    "causes",
    "cause_text",
    "answers",
    "given",
)

SEALED = (
    Sealed(
        households,
        ("head_name", "indigenous_ethnicity"),
        ("head_key", "head_name_keys"),
        _head,
    ),
    Sealed(
        members,
        ("details",),
        ("number_key", "number_key_before", "alike_keys", "also_keyed", "name_keys"),
        _member,
    ),
    Sealed(member_facts, ("details",)),
    Sealed(combinations, ("flags",), ("fingerprint",)),
    Sealed(cause_sets, ("causes",), ("fingerprint",)),
    Sealed(decisions, ("flags", "reviewer", "cause_text")),
    Sealed(review_entries, ("sealed",)),
    Sealed(recognitions, ("sealed",)),
    Sealed(filled_forms, ("sealed",)),
    Sealed(import_rows, _ROW_SEALS, ("head_key", "combination_key", "cause_key"), _row, _ROW_QUERY),
    Sealed(erasure_requests, ("sealed",)),
)


async def open_the_way(conn: AsyncConnection, why: str) -> None:
    """In this transaction sealed columns of facts may be `renewed` or `erased`; nothing else of them may change."""
    await conn.execute(sa.select(sa.func.set_config("benvung.seals", why, True)))


async def next_stale(
    conn: AsyncConnection, sealed: Sealed, prefix: bytes, after: Sequence[Any] | None, limit: int
) -> Sequence[Row]:
    """The next rows with something under another key, locked; one that somebody else works on is left for later."""
    query = sealed.query if sealed.query is not None else sa.select(sealed.table)
    query = _behind(query.where(sealed.stale(prefix)), sealed, after).limit(limit)
    locked = query.with_for_update(of=sealed.table, skip_locked=True, key_share=True)
    rows: Sequence[Row] = (await conn.execute(locked)).all()
    return rows


async def next_twice_keyed(
    conn: AsyncConnection, sealed: Sealed, after: Sequence[Any] | None, limit: int
) -> Sequence[Row]:
    """The next members whose hashes stand under two keys."""
    query = sa.select(members).where(members.c.also_keyed.is_not(None))
    query = _behind(query, sealed, after).limit(limit)
    return (await conn.execute(query.with_for_update(skip_locked=True, key_share=True))).all()


def _behind(query: sa.Select[Any], sealed: Sealed, after: Sequence[Any] | None) -> sa.Select[Any]:
    query = query.order_by(*sealed.keys)
    if after is None:
        return query
    return query.where(
        sa.tuple_(*sealed.keys) > sa.tuple_(*(sa.literal(v, c.type) for v, c in _with(sealed, after)))
    )


def _with(sealed: Sealed, after: Sequence[Any]) -> Iterator[tuple[Any, sa.Column[Any]]]:
    return zip(after, sealed.keys, strict=True)


async def write(
    conn: AsyncConnection, sealed: Sealed, rows: Sequence[Row], values: Sequence[Mapping[str, Any]]
) -> None:
    """Put new values into locked rows."""
    if not rows:
        return
    keys, names = sealed.keys, sorted(values[0])
    types = {name: sealed.table.c[name].type for name in names}
    statement = (
        sealed.table.update()
        .where(*(key == sa.bindparam(f"key_{key.name}", type_=key.type) for key in keys))
        .values({name: sa.bindparam(f"new_{name}", type_=types[name]) for name in names})
    )
    given = [
        {
            **{f"key_{key.name}": getattr(row, key.name) for key in keys},
            **{f"new_{name}": each[name] for name in names},
        }
        for row, each in zip(rows, values, strict=True)
    ]
    await conn.execute(statement, given)


async def counted(conn: AsyncConnection) -> dict[str, dict[str, int]]:
    """How many values there are by key, and in which table; values from before keys had names under ""."""
    found: dict[str, dict[str, int]] = {}
    for sealed in SEALED:
        for name in sealed.columns:
            column = sealed.table.c[name]
            key = sa.case(
                (sa.func.substr(column, 1, 1) == _UNNAMED, ""),
                else_=sa.func.encode(sa.func.substr(column, 2, PREFIX_BYTES - 1), "hex"),
            ).label("key")
            query = sa.select(key, sa.func.count()).where(column.is_not(None)).group_by(key)
            for each, count in await conn.execute(query):
                of_key = found.setdefault(each, {})
                of_key[sealed.table.name] = of_key.get(sealed.table.name, 0) + count
    twice = sa.select(members.c.also_keyed, sa.func.count()).where(members.c.also_keyed.is_not(None))
    for each, count in await conn.execute(twice.group_by(members.c.also_keyed)):
        found.setdefault(each, {})["members (keyed hashes)"] = count
    return found


async def keys_in_use(conn: AsyncConnection) -> dict[str, bool]:
    """The keys that ever sealed something here, and whether each was retired since."""
    return {row.id: row.retired_at is not None for row in await conn.execute(sa.select(data_keys))}


async def use(conn: AsyncConnection, key_id: str) -> None:
    """From now on this key seals."""
    entered = pg.insert(data_keys).values(id=key_id)
    await conn.execute(entered.on_conflict_do_update(index_elements=["id"], set_={"retired_at": None}))


async def retire(conn: AsyncConnection, key_id: str) -> None:
    """This key seals nothing any more."""
    await conn.execute(
        data_keys.update().where(data_keys.c.id == key_id).values(retired_at=sa.func.clock_timestamp())
    )
