"""Behind a reorganisation: households go along, chunk by chunk, and each process learns of the new units."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from households import actions

POLL_SECONDS = 1.0


class Follower:
    """Moves households that are on their way; any number of processes may run it.

    A chunk is one transaction that holds what it moves, so that after a crash the next one goes on from there.
    """

    async def __call__(self, engine: AsyncEngine) -> None:
        """Run until cancelled."""
        while True:
            if not await self.round(engine):
                await asyncio.sleep(POLL_SECONDS)

    async def round(self, engine: AsyncEngine) -> bool:
        """Move some households; False when none was on its way."""
        async with engine.begin() as conn:
            return await actions.placements.follow(conn) > 0
