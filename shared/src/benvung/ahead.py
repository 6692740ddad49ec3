"""A stream read ahead: the next batch arrives and is sorted while PostgreSQL works on the one before."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benvung.bus import Doubt, Pull, Stored
from benvung.projector import Projector, Sorted, sort

T = TypeVar("T")

# So much is sorted at a time before whatever else has to be done gets its turn.
PIECE = 200
WAIT_SECONDS = 0.02


@dataclass(slots=True)
class Batch:
    """Messages of a stream in its order, and what a projection makes of them."""

    messages: list[Stored] = field(default_factory=list)
    found: Sorted = field(default_factory=Sorted)


class Ahead:
    """Reads the stream behind `pull` for a projector, in batches of at most `limit`.

    `gone` are the ids of events that no longer hold.
    """

    def __init__(self, pull: Pull, projector: Projector, gone: Collection[str], limit: int) -> None:
        self._pull, self._projector, self._gone, self._limit = pull, projector, gone, limit
        self._next = Batch()
        self._doubt: Doubt | None = None

    def sort(self, messages: Sequence[Stored], reason: str | None) -> Sorted:
        """What the projection makes of messages, as `projector.sort` says."""
        return sort(self._projector, messages, self._gone, reason)

    async def batch(self, wait: float) -> Batch:
        """What was read ahead, or else what arrives within `wait` seconds. Raises `Doubt` as `Pull` does."""
        if not self._next.messages:
            if self._doubt is not None:
                raise self._doubt
            await self._read(self._limit, wait)
        batch, self._next = self._next, Batch()
        return batch

    async def up_to(self, last: int, wait: float) -> Batch:
        """Of the next batch what is not behind message `last`; what is behind it is lost."""
        messages = [each for each in (await self.batch(wait)).messages if each.stream_seq <= last]
        return Batch(messages, self.sort(messages, None))

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, with the next batch read meanwhile."""
        task = asyncio.create_task(work)
        try:
            while not task.done() and self._doubt is None and len(self._next.messages) < self._limit:
                try:
                    await self._read(PIECE, WAIT_SECONDS)
                except Doubt as doubt:
                    self._doubt = doubt
            return await task
        finally:
            task.cancel()

    async def _read(self, most: int, wait: float) -> None:
        messages = await self._pull.batch(min(most, self._limit - len(self._next.messages)), wait)
        for start in range(0, len(messages), PIECE):
            piece = messages[start : start + PIECE]
            self._next.messages += piece
            self._next.found += self.sort(piece, None)
            await asyncio.sleep(0)
