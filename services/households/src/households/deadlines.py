"""The watch over time limits: tells each one that passed, once, however many processes watch."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from households import actions

# The day changes once; looking more often costs one look into a small index.
SECONDS = 600.0


async def watch_deadlines(engine: AsyncEngine) -> None:
    """Run until cancelled."""
    while True:
        while await tell_missed(engine):
            pass
        await asyncio.sleep(SECONDS)


async def tell_missed(engine: AsyncEngine) -> int:
    """Tell of some that passed and were not told; how many. The mark and the event are one transaction."""
    async with engine.begin() as conn:
        return await actions.deadlines.tell_missed(conn)
