"""The background half of a service: its relays, its projectors and its own background work."""

import asyncio
import contextlib

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung.bus import Doubt
from benvung.outbox import Relay
from benvung.projector import ProjectorRunner
from benvung.runner import RETRY_LIMIT, Runner, pause
from benvung.service import Background, Service

log = structlog.get_logger(__name__)

STOP_SECONDS = 5.0


class Worker:
    """Runs what a service does besides answering requests, until it is stopped."""

    def __init__(self, service: Service, engine: AsyncEngine) -> None:
        settings = service.settings
        self.runners: list[Runner] = [
            Relay(settings, service.name, stream, readers) for stream, readers in service.streams.items()
        ]
        self.runners += [
            ProjectorRunner(settings, service.name, projector, engine) for projector in service.projectors
        ]
        self._background = service.background
        self._engine = engine
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Put every runner to work; returns at once."""
        self._tasks = [
            asyncio.create_task(runner.run(self._stop), name=runner.name) for runner in self.runners
        ]
        self._tasks += [asyncio.create_task(self._keep(each)) for each in self._background]

    async def stop(self) -> None:
        """Let batches under way end, within a bound; what does not end is as good as killed."""
        self._stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            for task in late:
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await asyncio.wait_for(task, 1)

    async def _keep(self, background: Background) -> None:
        while not self._stop.is_set():
            task = asyncio.ensure_future(background(self._engine))
            stopped = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not task.done():
                task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return
            except Exception:
                log.exception("background_failed")
                await pause(self._stop, RETRY_LIMIT)

    def status(self) -> dict[str, dict[str, str]]:
        """Each runner's state in a word, and what it waits for."""
        return {runner.name: {"state": runner.state, "detail": runner.detail} for runner in self.runners}

    @property
    def ready(self) -> bool:
        """Whether everything works or stands by."""
        return all(runner.ready for runner in self.runners)

    async def ping(self) -> None:
        """Prove that NATS answers on the runners' own connections. Raises `Doubt`."""
        buses = [runner.bus for runner in self.runners if runner.bus is not None]
        if self.runners and not buses and not all(runner.state == "standby" for runner in self.runners):
            raise Doubt("no connection to NATS")
        for bus in buses:
            await bus.ping()
