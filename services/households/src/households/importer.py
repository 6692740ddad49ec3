"""The background half of imports: whoever runs it applies what waits, chunk by chunk.

Any number of processes may run it. A chunk is one transaction that holds its import's row, so two of them
never apply the same rows, and after a crash the next one goes on where the last commit ended.
"""

import asyncio
import uuid
from functools import cached_property

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung.runner import to_its_end
from benvung.settings import ServiceSettings
from benvung.vault import Vault
from households import actions, store

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0


class Importer:
    """Applies waiting imports in turn, one chunk each, so that a small file never waits for a large one."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    @cached_property
    def _vault(self) -> Vault:
        return Vault.from_base64(self._settings.data_key.get_secret_value())

    async def __call__(self, engine: AsyncEngine) -> None:
        """Run until cancelled, which breaks off no chunk; woken by an upload, or by the clock."""
        conn = await psycopg.AsyncConnection.connect(
            self._settings.psycopg_url(), autocommit=True, connect_timeout=5
        )
        try:
            await conn.execute("listen imports")
            while True:
                if not await self.round(engine):
                    async for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
        finally:
            await conn.close()

    async def round(self, engine: AsyncEngine) -> bool:
        """Apply one chunk of every waiting import; False when nothing was to be done."""
        async with engine.begin() as conn:
            waiting = await store.imports.waiting(conn)
        done = False
        # Two at a time: the database works on one chunk while the next one is prepared.
        for start in range(0, len(waiting), 2):
            pair = waiting[start : start + 2]
            done |= any(await to_its_end(asyncio.gather(*(self._chunk(engine, each) for each in pair))))
        return done

    async def _chunk(self, engine: AsyncEngine, import_id: uuid.UUID) -> bool:
        try:
            async with engine.begin() as conn:
                return await actions.imports.apply_chunk(conn, self._vault, import_id)
        except (OperationalError, psycopg.OperationalError):
            # The database is away or this chunk lost a deadlock: the same chunk is tried again.
            raise
        except (DBAPIError, LookupError, ValueError) as error:
            log.exception("import_chunk_failed", import_id=str(import_id))
            async with engine.begin() as conn:
                await actions.imports.give_up(conn, import_id, type(error).__name__)
            await asyncio.sleep(POLL_SECONDS)
            return True
