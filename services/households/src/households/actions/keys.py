"""Replacing the data key: everything sealed comes under the new one, chunk by chunk, beside the daily work."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benvung import audit
from benvung.vault import Vault
from households import store
from households.domain import Refused
from households.store.sealed import DICTIONARIES, SEALED, Sealed
from households.tables import members

CHUNK = 500
PAUSE_SECONDS = 0.2
Progress = Callable[[str, int], None]


# Who is recorded for what is done on the command line.
OPERATOR = audit.Named("operator")


async def reseal(engine: AsyncEngine, vault: Vault, progress: Progress, *, chunk: int = CHUNK) -> int:
    """Bring every sealed value and keyed hash under the key that seals; how many rows were written.

    Each chunk is one transaction, so that whoever breaks it off leaves nothing half done and the next run goes on
    with what is left. Rows that somebody else is writing are waited for. Only when nothing is under another key
    any more do the hashes of the other key go: till then members are found and compared by either.
    """
    async with engine.begin() as conn:
        await missing(conn, vault)
    done = 0
    while True:
        for sealed in SEALED:
            done += await _table(engine, vault, sealed, progress, chunk)
        async with engine.begin() as conn:
            left = await _left(conn, vault)
        if not left:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return done + await _strip(engine, vault, progress, chunk)


async def _sealed_under(conn: AsyncConnection, keys: set[str]) -> list[dict[str, int]]:
    found = await store.sealed.counted(conn)
    tables = {sealed.table.name for sealed in SEALED}
    return [
        {name: count for name, count in found.get(key, {}).items() if name in tables} for key in sorted(keys)
    ]


async def _left(conn: AsyncConnection, vault: Vault) -> int:
    others = set(await store.sealed.counted(conn)) - {vault.key_id}
    return sum(sum(each.values()) for each in await _sealed_under(conn, others))


async def _table(engine: AsyncEngine, vault: Vault, sealed: Sealed, progress: Progress, chunk: int) -> int:
    after: Sequence[Any] | None = None
    done = 0
    while True:
        async with engine.begin() as conn:
            await store.sealed.open_the_way(conn, "renewed")
            rows = await store.sealed.next_stale(conn, sealed, vault.prefix, after, chunk)
            if not rows:
                return done
            values = await _renewed(conn, vault, sealed, rows)
            await _write(conn, sealed, rows, values)
        after = [getattr(rows[-1], key.name) for key in sealed.keys]
        done += len(rows)
        progress(sealed.table.name, done)


async def _renewed(
    conn: AsyncConnection, vault: Vault, sealed: Sealed, rows: Sequence[Any]
) -> list[dict[str, Any]]:
    dictionary = DICTIONARIES.get(sealed.table)
    if dictionary is None:
        return await asyncio.to_thread(lambda: [sealed.renewed(vault, row) for row in rows])
    twins = await dictionary.twins(conn, vault, rows)
    return [dictionary.renewed(vault, row, twin=row.id in twins) for row in rows]


async def _write(
    conn: AsyncConnection, sealed: Sealed, rows: Sequence[Any], values: Sequence[dict[str, Any]]
) -> None:
    # Rows of one table may need different columns: an erased one has no hashes to be made anew.
    for names in {tuple(sorted(each)) for each in values}:
        pairs = [(row, each) for row, each in zip(rows, values, strict=True) if tuple(sorted(each)) == names]
        await store.sealed.write(conn, sealed, [row for row, _ in pairs], [each for _, each in pairs])


async def _strip(engine: AsyncEngine, vault: Vault, progress: Progress, chunk: int) -> int:
    alone = vault.alone
    [sealed] = [each for each in SEALED if each.table is members]
    after: Sequence[Any] | None = None
    done = 0
    while True:
        async with engine.begin() as conn:
            rows = await store.sealed.next_twice_keyed(conn, sealed, after, chunk)
            if not rows:
                return done
            values = await asyncio.to_thread(_hashed, alone, sealed, rows)
            await _write(conn, sealed, rows, values)
        after = [rows[-1].id]
        done += len(rows)
        progress("members (keyed hashes)", done)


def _hashed(vault: Vault, sealed: Sealed, rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(sealed.hashed(vault, row)) for row in rows]


async def retire(conn: AsyncConnection, vault: Vault, key_id: str) -> None:
    """Say of a key that nothing needs it any more, so that it may be taken out of the settings.

    Raises the domain's `Refused` while values are under it, or when it is the one that seals.
    """
    if key_id == vault.key_id:
        raise Refused(
            "data-key-seals",
            f"Khóa {key_id} đang dùng để mã hóa.",
            f"The key {key_id} is the one that seals.",
            "key",
        )
    # Members' hashes that stand under both keys hold nothing that the old one is needed for.
    left = sum(sum(each.values()) for each in await _sealed_under(conn, {key_id, ""}))
    if left:
        raise Refused(
            "data-key-in-use",
            f"Còn {left} giá trị dùng khóa {key_id} hoặc chưa ghi khóa: hãy chạy `households reseal` rồi thử lại.",
            f"{left} values are under the key {key_id} or name no key: run `households reseal` and try again.",
            "key",
        )
    known = await store.sealed.keys_in_use(conn)
    if key_id not in known:
        raise Refused(
            "data-key-unknown",
            f"Không có khóa {key_id} nào từng mã hóa dữ liệu ở đây.",
            f"No key {key_id} ever sealed anything here.",
            "key",
        )
    await store.sealed.retire(conn, key_id)
    await audit.record(conn, OPERATOR, "data_key.retired", "data_key", key_id)


async def missing(conn: AsyncConnection, vault: Vault) -> list[str]:
    """The keys that values may be under and that are not configured; notes the key that seals as used.

    A key that was retired and seals again is in use again.
    """
    known = await store.sealed.keys_in_use(conn)
    if known.get(vault.key_id, True):
        await store.sealed.use(conn, vault.key_id)
    for key in set(vault.key_ids) - set(known) - {vault.key_id}:
        await store.sealed.use(conn, key)
    return sorted(key for key, retired in known.items() if not retired and key not in vault.key_ids)
