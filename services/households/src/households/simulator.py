"""The background half of simulations: whoever runs it works through what waits, one transaction each.

Any number of processes may run it. A simulation is held while it runs, so two of them never do the same, and
after a crash the next one begins it anew. Before the first one, decisions of earlier releases get the
combination of their flags, chunk by chunk.
"""

import uuid
from functools import cached_property

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import db
from benvung.runner import to_its_end
from benvung.settings import ServiceSettings
from benvung.vault import SealBroken, Vault
from households import actions, store
from households.domain import Refused

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0


class Simulator:
    """Finds missing combinations, then runs waiting simulations in the order in which they were asked for."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    @cached_property
    def _vault(self) -> Vault:
        return Vault.from_base64(self._settings.data_key.get_secret_value())

    async def __call__(self, engine: AsyncEngine) -> None:
        """Run until cancelled, which breaks off no simulation; woken by a new one, or by the clock."""
        conn = await psycopg.AsyncConnection.connect(
            self._settings.psycopg_url(), autocommit=True, connect_timeout=5
        )
        try:
            await conn.execute("listen simulations")
            while True:
                if not await self.round(engine):
                    async for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
        finally:
            await conn.close()

    async def round(self, engine: AsyncEngine) -> bool:
        """One chunk of missing combinations, or the next simulation; False when nothing was to be done."""
        async with engine.begin() as conn:
            waiting = await store.simulations.waiting(conn)
            if await store.combinations.are_left(conn):
                return await to_its_end(self._combine(engine, waiting))
        for each in waiting:
            if await to_its_end(self._run(engine, each)):
                return True
        return False

    async def _combine(self, engine: AsyncEngine, waiting: list[uuid.UUID]) -> bool:
        try:
            async with engine.begin() as conn:
                return await actions.simulations.combine_chunk(conn, self._vault)
        except (SealBroken, ValueError) as error:
            # What cannot be opened stays as it is; whoever waits for it is told.
            log.exception("combination_unreadable")
            for each in waiting:
                await self._give_up(engine, each, type(error).__name__)
            return False

    async def _run(self, engine: AsyncEngine, simulation_id: uuid.UUID) -> bool:
        try:
            async with engine.begin() as conn:
                await store.simulations.start(conn, simulation_id)
            async with engine.begin() as conn:
                return await actions.simulations.run(conn, self._vault, simulation_id)
        except (DBAPIError, psycopg.Error) as error:
            reason = getattr(error, "orig", error)
            if db.is_transient(error) and not isinstance(reason, psycopg.errors.QueryCanceled):
                # The database is away: the same simulation is tried again.
                raise
            failure = type(reason).__name__
        except (Refused, SealBroken, LookupError, ValueError) as error:
            failure = getattr(error, "rule", type(error).__name__)
        log.error("simulation_failed", simulation_id=str(simulation_id), failure=failure)
        await self._give_up(engine, simulation_id, failure)
        return True

    @staticmethod
    async def _give_up(engine: AsyncEngine, simulation_id: uuid.UUID, failure: str) -> None:
        async with engine.begin() as conn:
            await actions.simulations.give_up(conn, simulation_id, failure)
