"""Telling browsers that a projection moved: one listening connection per process, fanned out.

A message says only that something changed; a page fetches its own figures again, with its own rights.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import psycopg
import structlog

log = structlog.get_logger(__name__)

# Every projector notifies here in the transaction that moves its checkpoint.
CHANNEL = "projection"

PING_SECONDS = 15.0
RETRY_SECONDS = 1.0
# At most ten messages a second to each page, fewer while changes keep coming.
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 0.3
CHANGED = b"data: changed\n\n"
PING = b"event: ping\ndata: \n\n"


class Changes:
    """Listens to PostgreSQL while anybody looks, and wakes everybody when a projection has moved."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """End every page's stream: the process stops, and pages come back to another one by themselves."""
        self._closed = True
        self._wake()

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events for one page, until it is closed."""
        changed = asyncio.Event()
        self._enter(changed)
        pause = SHORTEST_PAUSE
        try:
            yield PING
            while not self._closed:
                try:
                    async with asyncio.timeout(PING_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield PING
                    continue
                if self._closed:
                    return
                changed.clear()
                yield CHANGED
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2) if changed.is_set() else SHORTEST_PAUSE
        finally:
            self._leave(changed)

    def _enter(self, changed: asyncio.Event) -> None:
        self._clients.add(changed)
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="projection changes")

    def _leave(self, changed: asyncio.Event) -> None:
        self._clients.discard(changed)
        if not self._clients and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                await self._listen_once()
            log.warning("projection_changes_lost")
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as conn:
            await conn.execute(f"listen {CHANNEL}")
            # Whatever moved while nobody listened.
            self._wake()
            async for _ in conn.notifies():
                self._wake()

    def _wake(self) -> None:
        for changed in self._clients:
            changed.set()
