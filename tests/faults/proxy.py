"""A wire that can be cut: TCP proxies of this process between services and the servers they need.

They run on a loop in a thread of their own. What is done to a link holds for connections that are there and
for new ones, until it is healed.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from benvung_local.processes import LOOPBACK

Direction = Literal["up", "down"]
BOTH: tuple[Direction, ...] = ("up", "down")
CHUNK = 64 * 1024
# A throttled wire carries a little at a time, so that small messages pass between the large ones.
SLOW_CHUNK = 1024
IN_FLIGHT = 64
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Lane:
    """What one direction of a link does to bytes. `up` is towards the server."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    delay: float = 0.0
    bytes_per_second: float = 0.0

    def heal(self) -> None:
        """Carry everything at once."""
        self.delay = self.bytes_per_second = 0.0
        self.open.set()


class Link:
    """One proxied address. Every method may be called from any thread."""

    def __init__(self, name: str, target: int, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.port = 0
        self._target = target
        self._loop = loop
        self._lanes: dict[Direction, Lane] = {"up": Lane(), "down": Lane()}
        for lane in self._lanes.values():
            lane.heal()
        self._down = False
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._call(self._cut)

    def reset(self) -> None:
        """Reset every connection that there is; new ones pass."""
        self._call(self._reset)

    def black_hole(self, *directions: Direction) -> None:
        """Carry nothing any more, while both ends believe in the connection; one direction or both."""
        self._change(directions, lambda lane: lane.open.clear())

    def slow(self, seconds: float, *directions: Direction) -> None:
        """Deliver everything so much later, in order."""

        def change(lane: Lane) -> None:
            lane.delay = seconds

        self._change(directions, change)

    def throttle(self, bytes_per_second: float, *directions: Direction) -> None:
        """Carry no more than so many bytes a second."""

        def change(lane: Lane) -> None:
            lane.bytes_per_second = bytes_per_second

        self._change(directions, change)

    def heal(self) -> None:
        """Carry everything again. What a black hole held back arrives, as it would after a partition."""
        self._call(self._heal)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it."""
        mine = {writer}
        self._writers.add(writer)
        try:
            if self._down:
                return
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
            mine.add(far_writer)
            self._writers.add(far_writer)
            ways = [
                asyncio.ensure_future(_carry(self._lanes["up"], reader, far_writer)),
                asyncio.ensure_future(_carry(self._lanes["down"], far_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the server is not there: the caller finds its connection closed
        finally:
            for each in mine:
                self._writers.discard(each)
                _close(each, reset=self._down)

    def _cut(self) -> None:
        self._down = True
        self._reset()

    def end(self) -> None:
        """Drop everything; called on the proxies' loop."""
        self._cut()

    def _reset(self) -> None:
        for writer in list(self._writers):
            _close(writer, reset=True)

    def _heal(self) -> None:
        self._down = False
        for lane in self._lanes.values():
            lane.heal()

    def _change(self, directions: tuple[Direction, ...], change: Callable[[Lane], None]) -> None:
        def apply() -> None:
            for direction in directions or BOTH:
                change(self._lanes[direction])

        self._call(apply)

    def _call(self, do: Callable[[], None]) -> None:
        done = threading.Event()

        def run() -> None:
            do()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(5), f"the proxy of {self.name} hangs"


class Proxies:
    """The links of one system, and the thread that carries them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self._links: list[Link] = []

    def link(self, name: str, target: int) -> Link:
        """A new address in front of a port of this machine."""
        link = Link(name, target, self._loop)
        # A port of the system's choice: those of servers that do not run yet are taken from another range.
        server = self._run(asyncio.start_server(link.serve, LOOPBACK, 0))
        link.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)
        self._links.append(link)
        return link

    def close(self) -> None:
        """End every connection and the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        for server, link in zip(self._servers, self._links, strict=True):
            server.close()
            link.end()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


async def _carry(lane: Lane, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read and write side by side, so that a delay is a delay and no bound on what is carried."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)
    writing = asyncio.ensure_future(_deliver(lane, under_way, writer))
    loop = asyncio.get_running_loop()
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(SLOW_CHUNK if lane.bytes_per_second else CHUNK):
                await under_way.put((loop.time() + lane.delay, data))
                if writing.done():
                    return
            await under_way.put((0.0, b""))
            await writing
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def _deliver(
    lane: Lane, under_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await lane.open.wait()
            if not data:
                return
            if lane.bytes_per_second:
                await asyncio.sleep(len(data) / lane.bytes_per_second)
            writer.write(data)
            await writer.drain()


def _close(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Close after what is under way; with `reset` at once, and the other end finds a broken connection."""
    if not reset:
        writer.close()
        return
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
