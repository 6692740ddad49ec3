"""A service that reads a stream: the production runners on a real database, one life after another."""

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from tests.faults.model.lives import Life, Point, Watched
from tests.faults.model.loop import Stepped

from benvung import db
from benvung.audit import Actor
from benvung.following import ProjectorRunner
from benvung.operations import letters
from benvung.projector import Projector
from benvung.rebuild import Rebuilder
from benvung.settings import ServiceSettings

PROJECTOR, REBUILDER, RETRY = "projector", "rebuilder", "retry"
SECONDS = 10

_TIDY = """
do $$ declare name text; begin
  for name in select nspname from pg_namespace where nspname like 'rebuild%' or nspname = 'replaced' loop
    execute format('drop schema %I cascade', name);
  end loop;
  foreach name in array {tables} loop
    execute format('delete from %I', name);
  end loop;
  perform setval('outbox_id_seq', 1, false);
end $$
"""
_KIT = ("outbox", "journal", "streams", "checkpoints", "rebuilds", "withdrawn", "dead_letters")


class Person:
    """Whoever settles dead letters."""

    subject = "an officer"


ACTOR: Actor = Person()


class Reader:
    """One projection of a service, with whoever works on it."""

    def __init__(self, loop: Stepped, settings: ServiceSettings, service: str, projector: Projector) -> None:
        self.loop, self.settings, self.service, self.projector = loop, settings, service, projector
        self.engine = db.create_engine(settings)
        sa.event.listen(self.engine.sync_engine, "do_connect", _watch)
        self.monitor = psycopg.connect(settings.psycopg_url(), autocommit=True)
        # A swap under way must not stop the one who only looks.
        self.monitor.execute("set lock_timeout = 100")
        names = ", ".join(f"'{name}'" for name in (*_KIT, *(table.name for table in projector.tables)))
        self._tidy = _TIDY.format(tables=f"array[{names}]")
        self.lives: list[Life] = []

    def tidy(self) -> None:
        """Nothing was ever read."""
        self.lives = []
        self.monitor.execute(self._tidy.encode())

    def close(self) -> None:
        """Leave no connection behind."""
        self.loop.do(self.engine.dispose())
        self.monitor.close()

    def ask(self, query: str, *values: Any) -> Any:
        """The first column of the first row of what is committed, or `None` while a swap is under way."""
        try:
            row = self.monitor.execute(query.encode(), values).fetchone()
        except psycopg.errors.LockNotAvailable:
            return None
        return row[0] if row else None

    def start(self, kind: str) -> Life:
        """Put a new process to work."""
        runner: ProjectorRunner | Rebuilder
        if kind == PROJECTOR:
            runner = ProjectorRunner(self.settings, self.service, self.projector, self.engine)
        else:
            runner = Rebuilder(self.settings, self.service, [self.projector], self.engine)
        return self.begin(kind, lambda life: runner.session(life.stop))

    def retry(self, letter: int) -> Life:
        """An operator retries a dead letter."""

        async def work(_: Life) -> None:
            async with self.engine.begin() as conn:
                await letters.retry(conn, [self.projector], letter, ACTOR)

        return self.begin(RETRY, work)

    def discard(self, letter: int) -> Life:
        """An operator gives a dead letter up."""

        async def work(_: Life) -> None:
            async with self.engine.begin() as conn:
                await letters.discard(conn, letter, "nobody can read it", ACTOR)

        return self.begin(RETRY, work)

    def begin(
        self, kind: str, work: Callable[[Life], Coroutine[Any, Any, Any]], point: Point | None = None
    ) -> Life:
        """A process begins, and does what it can."""
        life = Life(kind, point=point)
        self.lives.append(life)
        life.begin(self.loop, work(life))
        self.loop.settle()
        return life

    def working(self, kind: str) -> Life | None:
        """Who does this kind of work now, or will when whoever holds it is gone."""
        return next(
            (each for each in self.lives if each.name == kind and each.running and not each.held), None
        )

    def held(self) -> Life | None:
        """Who was stopped in the middle of work."""
        return next((each for each in self.lives if each.held), None)

    def ended(self) -> list[str]:
        """How those ended who did, since the last time somebody asked."""
        gone = [each for each in self.lives if not each.running]
        self.lives = [each for each in self.lives if each.running]
        self._outlive(gone)
        return [f"{each.name} {each.ended()}" for each in gone]

    def _outlive(self, gone: Sequence[Life]) -> None:
        """Wait until PostgreSQL has ended the sessions of the dead, and nothing is locked by them any more."""
        sessions = [each.pid for life in gone for each in life.sessions if each.closed]
        until = time.monotonic() + SECONDS
        while self.ask("select count(*) from pg_stat_activity where pid = any(%s)", sessions):
            assert time.monotonic() < until, "a session outlives its process"
            time.sleep(0.001)

    def rob(self, life: Life, how: str) -> None:
        """Take its database session from a life, or only the locks on it."""
        life.robbed = True
        session = life.sessions[-1]
        if how == "terminate":
            self.monitor.execute("select pg_terminate_backend(%s, %s)", (session.pid, SECONDS * 1000))
        else:
            self.loop.do(session.unlock())

    def stop(self) -> None:
        """Everybody ends at once."""
        for each in self.lives:
            each.kill()
        self.loop.settle()
        self._outlive(self.lives)
        self.lives = []


def _watch(_dialect: Any, _record: Any, _arguments: Any, given: dict[str, Any]) -> None:
    given["async_creator_fn"] = Watched.connect
