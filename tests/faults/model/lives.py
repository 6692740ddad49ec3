"""Processes of the model: each a life that can be held, killed or robbed of its session between two awaits."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from tests.faults.model.loop import Stepped

from benvung import db
from benvung.bus import Doubt, Refused
from benvung.runner import Stand

Side = Literal["before", "after"]
_LIFE: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("life", default=None)


class Crash(BaseException):
    """The process has ended here. Nothing may catch this as if it were an error."""


@dataclass
class Point:
    """Where a life is to stop: at the call of this kind that comes after `passed` others."""

    side: Side
    call: str
    passed: int
    hold: bool = False


@dataclass
class Life:
    """One process doing one thing. `fate` says how it died, if it did."""

    name: str
    task: "asyncio.Task[None] | None" = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    point: Point | None = None
    held: "asyncio.Future[None] | None" = None
    dead: bool = False
    fate: str = "killed"
    robbed: bool = False
    sessions: "list[Watched]" = field(default_factory=list)
    on_death: list[Callable[[], None]] = field(default_factory=list)

    def begin(self, loop: Stepped, work: Coroutine[Any, Any, Any]) -> None:
        """Put it to work; nothing runs before the loop does."""
        context = contextvars.copy_context()
        context.run(_LIFE.set, self)
        self.task = loop.create_task(work, context=context)
        # However it ends is asked for later, or does not matter any more.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def running(self) -> bool:
        """Whether it has not ended, held or not."""
        return self.task is not None and not self.task.done()

    async def reach(self, side: Side, call: str) -> None:
        """It comes by a point at which it may be stopped."""
        self._live()
        point = self.point
        if point is None or (point.side, point.call) != (side, call):
            return
        if point.passed > 0:
            point.passed -= 1
            return
        self.point = None
        if point.hold:
            self.held = asyncio.get_running_loop().create_future()
            await self.held
            self.held = None
            self._live()
        else:
            self.fate = f"crashed {side} {call}"
            self.die()
            raise Crash

    def _live(self) -> None:
        if self.dead:
            raise Crash

    def release(self) -> None:
        """What was held goes on as if no time had passed."""
        if self.held is not None and not self.held.done():
            self.held.set_result(None)

    def die(self) -> None:
        """From now on it does nothing any more, and whoever it spoke to hears that it is gone."""
        self.dead = True
        for each in self.on_death:
            each()

    def kill(self) -> None:
        """It ends wherever it is."""
        if self.running:
            assert self.task is not None
            self.die()
            self.release()
            self.task.cancel()

    def ended(self) -> str:
        """How it ended; what no process may end with is raised."""
        assert self.task is not None
        if self.task.cancelled():
            return self.fate
        error = self.task.exception()
        if error is None:
            return "done"
        if isinstance(error, Crash):
            return self.fate
        if isinstance(error, (Doubt, Refused, Stand)):
            return type(error).__name__
        if self.robbed and isinstance(error, Exception) and db.is_transient(error):
            return "robbed"
        raise error


def life() -> Life | None:
    """Whose work is being done."""
    return _LIFE.get()


class Watched(psycopg.AsyncConnection[Any]):
    """A database session that stops where its life is told to."""

    owner: Life | None = None
    sent: psycopg.AsyncPipeline | None = None
    # Of a closed connection psycopg does not tell it any more.
    pid = 0

    async def execute(self, *arguments: Any, **more: Any) -> Any:
        """Run a statement, with a point before and behind it."""
        return await self._between("execute", super().execute(*arguments, **more))

    async def commit(self) -> None:
        """Commit, with a point before and behind it."""
        await self._between("commit", super().commit())

    @asynccontextmanager
    async def pipeline(self) -> AsyncGenerator[psycopg.AsyncPipeline]:
        """As psycopg's, but no statement is under way while anybody else does anything."""
        async with super().pipeline() as sent:
            self.sent = sent
            try:
                yield sent
            finally:
                self.sent = None

    async def _between(self, call: str, work: Coroutine[Any, Any, Any]) -> Any:
        owner = life()
        if owner is None:
            return await work
        if self.owner is not owner:
            self.owner, self.pid = owner, self.info.backend_pid
            owner.sessions.append(self)
        try:
            await owner.reach("before", call)
        except BaseException:
            work.close()
            raise
        result = await work
        if self.sent is not None:
            await self.sent.sync()
        await owner.reach("after", call)
        return result

    async def unlock(self) -> None:
        """The session loses its advisory locks and does not know it."""
        await super().execute("select pg_advisory_unlock_all()")
