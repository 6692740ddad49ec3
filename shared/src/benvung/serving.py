"""How a process listens, and how it ends: told to stop, it finishes what is under way and begins nothing new."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

log = structlog.get_logger(__name__)

# Requests under way get so long to be answered. All of the end fits into the ten seconds that
# containers are given before they are killed.
GRACE_SECONDS = 5
END_SECONDS = 9.5


class Stopping:
    """Whether this process was told to stop, and whom to tell then: what would go on without an end."""

    def __init__(self) -> None:
        self.asked = False
        self._calls: list[Callable[[], None]] = []

    def then(self, call: Callable[[], None]) -> None:
        """Have `call` made in the loop of the requests as soon as the process is told to stop."""
        self._calls.append(call)

    def begin(self) -> None:
        """Tell everybody, once."""
        if not self.asked:
            self.asked = True
            for call in self._calls:
                call()


class Server(uvicorn.Server):
    """Uvicorn, for which a signal means: stop now, in order, and exit with 0, however often it comes."""

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals for good; uvicorn itself would die of them once more at the end."""
        self._loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- as called by Python
        """Begin to end at once; whoever asks again changes nothing."""
        if self.should_exit or self._loop is None:
            return
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        log.info("stopping")
        last = threading.Timer(END_SECONDS, _give_up)
        last.daemon = True
        last.start()
        self._leave()


def _give_up() -> None:
    # Whatever hangs is as good as killed, which everything here survives.
    log.error("stop_took_too_long", seconds=END_SECONDS)
    os._exit(1)


def listen(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until a signal comes; its `state.stopping` then begins."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, app.state.stopping.begin)
    server.run()
    if not server.started:
        raise SystemExit(1)
