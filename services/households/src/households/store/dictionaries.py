"""What stands sealed in dictionaries, opened: which combinations have an indicator, which sets have a cause."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households.store.combinations import are_left
from households.tables import cause_sets, combinations

_AT_ONCE = 64


@dataclass(slots=True)
class _Opened:
    """The entries of a dictionary that were opened by this process: each once, for none is ever changed or removed."""

    sealed: "sa.Column[Any]"
    _codes: dict[int, frozenset[str]] = field(default_factory=dict)

    async def having(self, conn: AsyncConnection, vault: Vault, code: str) -> list[int]:
        """The entries that have a code, by their ids."""
        query = sa.select(sa.func.count()).select_from(self.sealed.table)
        if await conn.scalar(query) != len(self._codes):
            await self._open(conn, vault)
        return sorted(number for number, codes in self._codes.items() if code in codes)

    async def _open(self, conn: AsyncConnection, vault: Vault) -> None:
        query = sa.select(self.sealed.table.c.id, self.sealed)
        found = [(number, seal) for number, seal in await conn.execute(query) if number not in self._codes]

        def opened() -> dict[int, frozenset[str]]:
            return {number: frozenset(json.loads(vault.open(seal))) for number, seal in found}

        # Opening thousands would hold up every other request.
        self._codes |= await asyncio.to_thread(opened) if len(found) > _AT_ONCE else opened()


@dataclass(slots=True)
class Dictionaries:
    """Both dictionaries, as far as this process opened them."""

    _combinations: _Opened = field(default_factory=lambda: _Opened(combinations.c.flags))
    _cause_sets: _Opened = field(default_factory=lambda: _Opened(cause_sets.c.causes))

    async def deprived_of(self, conn: AsyncConnection, vault: Vault, indicator: str) -> list[int] | None:
        """The combinations, of whichever standard, in which an indicator is deprived.

        None while some decision's own combination is still to be found.
        """
        return None if await are_left(conn) else await self._combinations.having(conn, vault, indicator)

    async def caused_by(self, conn: AsyncConnection, vault: Vault, cause: str) -> list[int]:
        """The sets of causes of poverty that a cause is in."""
        return await self._cause_sets.having(conn, vault, cause)
