"""Behind the imports: heads' names that a file corrected, or an earlier release left, become searchable."""

import asyncio
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncEngine

from benvung.settings import ServiceSettings
from benvung.vault import Vault
from households import store

POLL_SECONDS = 1.0


class NameIndexer:
    """Indexes names in small transactions; any number of processes may run it."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    @cached_property
    def _vault(self) -> Vault:
        return Vault.from_base64(self._settings.data_key.get_secret_value())

    async def __call__(self, engine: AsyncEngine) -> None:
        """Run until cancelled."""
        while True:
            if not await self.round(engine):
                await asyncio.sleep(POLL_SECONDS)

    async def round(self, engine: AsyncEngine) -> bool:
        """Index some names; False when none was waiting."""
        async with engine.begin() as conn:
            return await store.search.index_heads(conn, self._vault) > 0
