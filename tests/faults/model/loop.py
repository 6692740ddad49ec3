"""An event loop in which no time passes by itself: it runs until nothing is left to do, and says so.

Everything that waits for time waits for `advance`; what waits for PostgreSQL is waited for, unless its
sessions all wait for a lock that somebody else holds.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_SECONDS = 30.0
LOOK_SECONDS = 0.01


class NothingLeft(Exception):
    """The work waits for something that only the test can bring about."""


class _Selector(selectors.DefaultSelector):
    """Says to its loop when nothing can happen any more."""

    loop: "Stepped"

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        # One registered socket is the loop's own.
        waiting = len(self.get_map()) - 1
        end = time.monotonic() + STUCK_SECONDS
        while waiting:
            found = super().select(LOOK_SECONDS)
            if found:
                return found
            if self.loop.locked() >= waiting:
                break
            if time.monotonic() > end:
                raise RuntimeError(f"{waiting} sessions got no answer")
        self.loop.nothing_left(timeout)
        return []


class Stepped(asyncio.SelectorEventLoop):
    """A loop that stands still between steps. `locked` counts database sessions that wait for a lock."""

    def __init__(self, locked: Callable[[], int]) -> None:
        self.locked = locked
        self._now = self._horizon = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds that the test let pass."""
        return self._now

    def nothing_left(self, next_timer: float | None) -> None:
        """Go on to the next timer if its time may come, or stand still."""
        if next_timer is not None and self._now + next_timer <= self._horizon:
            self._now += next_timer
        else:
            self.stop()

    def settle(self) -> None:
        """Run whatever can run."""
        self.run_forever()

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        self._horizon = self._now + seconds
        self.settle()
        self._now = self._horizon

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a piece of work that waits for nothing but the database."""
        task = self.create_task(work)
        self.settle()
        if not task.done():
            task.cancel()
            self.settle()
            raise NothingLeft(task)
        return task.result()
