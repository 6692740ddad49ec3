"""The background half of a service: its relays, its projectors and its own background work.

It lives in a thread with an event loop and connections of its own. On the loop of the requests each of
the few hops of a relayed event would wait behind whatever request is being worked on.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Iterable, Sequence

import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import db, idempotency
from benvung.audit.sealer import Sealer
from benvung.bus import Doubt
from benvung.following import ProjectorRunner
from benvung.operations.watch import keep_watch
from benvung.rebuild import Rebuilder
from benvung.relay import Relay
from benvung.runner import RETRY_LIMIT, Runner, pause
from benvung.service import Background, Service

log = structlog.get_logger(__name__)

# Who waits for nothing but the word to stop needs no longer; a batch under way may take its time.
MOMENT_SECONDS = 0.1
STOP_SECONDS = 5.0
LATE_SECONDS = 2.5
START_SECONDS = 10.0
# A thread that computes gives way to the other after half a millisecond instead of five.
SWITCH_SECONDS = 0.0005


class Worker:
    """Runs what a service does besides answering requests, until it is stopped."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._thread = threading.Thread(target=self._live, name="worker", daemon=True)
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._runners: list[Runner] = []

    async def start(self) -> None:
        """Put every runner to work; returns when the thread has begun."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()
        await asyncio.to_thread(self._begun.wait, START_SECONDS)

    def ask_to_stop(self) -> None:
        """Have every runner end what it has under way and begin nothing new; returns at once."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)

    async def stop(self) -> None:
        """Let batches under way end, within a bound; what does not end is as good as killed."""
        self.ask_to_stop()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS + 2 * LATE_SECONDS)

    def status(self) -> dict[str, dict[str, str]]:
        """Each runner's state in a word, and what it waits for."""
        return {
            each.name: {"state": each.state, "detail": each.detail, "detail_vi": each.detail_vi}
            for each in self._runners
        }

    async def ping(self) -> None:
        """Prove that NATS answers on the runners' own connections. Raises `Doubt`."""
        if self._loop is None or not self._thread.is_alive():
            raise Doubt("the worker does not run")
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._ping(), self._loop))

    async def _ping(self) -> None:
        buses = [runner.bus for runner in self._runners if runner.bus is not None]
        # Who stands by needs no connection, and who rebuilds has one only while there is something to do.
        following = [runner for runner in self._runners if not isinstance(runner, Rebuilder)]
        if not buses and not all(runner.state == "standby" for runner in following):
            raise Doubt("no connection to NATS")
        for bus in buses:
            await bus.ping()

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._work())
        except Exception:
            log.exception("worker_ended")
        finally:
            self._begun.set()

    async def _work(self) -> None:
        settings = self._service.settings
        engine = db.create_engine(settings)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._runners = [
            *(
                Relay(settings, self._service.name, stream, readers)
                for stream, readers in self._service.streams.items()
            ),
            *(
                ProjectorRunner(settings, self._service.name, projector, engine)
                for projector in self._service.projectors
            ),
        ]
        if self._service.projectors:
            self._runners.append(Rebuilder(settings, self._service.name, self._service.projectors, engine))
        tasks = [asyncio.create_task(runner.run(self._stop), name=runner.name) for runner in self._runners]
        backgrounds: list[Background] = [Sealer(settings), self._forget_keys, *self._service.background]
        tasks += [asyncio.create_task(self._keep(each, engine, self._stop)) for each in backgrounds]
        tasks.append(
            asyncio.create_task(keep_watch(self._service, self._runners, engine, self._stop), name="watch")
        )
        self._begun.set()
        await self._stop.wait()
        await self._end(tasks)
        await engine.dispose()

    async def _forget_keys(self, engine: AsyncEngine) -> None:
        await idempotency.forget(engine, self._service.settings.idempotency_days)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for work under way; who only waits for something, such as an absent server, is sent home."""
        idle = {runner.name for runner in self._runners if runner.state != "working"}
        await _done(tasks, MOMENT_SECONDS)
        _cancel(task for task in tasks if task.get_name() in idle)
        await _done(tasks, STOP_SECONDS)
        _cancel(tasks)
        await _done(tasks, LATE_SECONDS)

    @staticmethod
    async def _keep(background: Background, engine: AsyncEngine, stop: asyncio.Event) -> None:
        while not stop.is_set():
            task = asyncio.ensure_future(background(engine))
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not task.done():
                task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return
            except Exception as error:
                if db.is_transient(error):
                    log.warning("background_waiting", reason=type(error).__name__)
                else:
                    log.exception("background_failed")
                await pause(stop, RETRY_LIMIT)


async def _done(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    late = [task for task in tasks if not task.done()]
    if late:
        await asyncio.wait(late, timeout=seconds)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
